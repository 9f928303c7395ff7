import {get, isForBrowser} from "./dom.js";

/** Plays the frames 0 to last by calling show(k); pauses, goes by steps, and stands still for readers who want no motion. */
export function player({last, seconds, show}) {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let step = 0;
  let timer = 0;

  function go(k) {
    step = Math.min(Math.max(k, 0), last);
    show(step);
    get("slider").value = step;
    get("step").textContent = `step ${step} of ${last}`;
    get("back").disabled = step === 0;
    get("next").disabled = step === last;
    if (step === last) pause();
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    get("play").textContent = "Play";
  }

  function play() {
    if (step === last) go(0);
    timer = setInterval(() => go(step + 1), 1000 * seconds);
    get("play").textContent = "Pause";
  }

  function stop(k) {
    pause();
    go(k);
  }

  const toggle = () => (timer ? pause() : play());
  const keys = {
    ArrowLeft: () => stop(step - 1),
    ArrowRight: () => stop(step + 1),
    Home: () => stop(0),
    End: () => stop(last),
    " ": toggle,
  };
  get("slider").max = last;
  get("play").addEventListener("click", toggle);
  get("back").addEventListener("click", keys.ArrowLeft);
  get("next").addEventListener("click", keys.ArrowRight);
  get("slider").addEventListener("input", () => stop(Number(get("slider").value)));
  document.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.target.closest("input, button") || isForBrowser(event)) return;
    event.preventDefault();
    keys[event.key]();
  });
  go(isStill ? last : 0);
  if (!isStill && last) play();
}
