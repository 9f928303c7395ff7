// Plays the frames 0 to last by calling show(k); pauses, goes by steps, and stands still for readers who want no motion.
function player({last, seconds, show}) {
  const find = id => document.getElementById(id), still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let step = 0, timer = 0;

  function go(k) {
    step = Math.min(Math.max(k, 0), last);
    show(step);
    find("slider").value = step;
    find("step").textContent = `step ${step} of ${last}`;
    find("back").disabled = step === 0;
    find("next").disabled = step === last;
    if (step === last) pause();
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    find("play").textContent = "Play";
  }

  function play() {
    if (step === last) go(0);
    timer = setInterval(() => go(step + 1), 1000 * seconds);
    find("play").textContent = "Pause";
  }

  const stop = k => { pause(); go(k); };
  find("slider").max = last;
  find("play").onclick = () => timer ? pause() : play();
  find("back").onclick = () => stop(step - 1);
  find("next").onclick = () => stop(step + 1);
  find("slider").oninput = () => stop(Number(find("slider").value));
  document.addEventListener("keydown", event => {
    if (event.target.closest("input, button") || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { ArrowLeft: () => stop(step - 1), ArrowRight: () => stop(step + 1), Home: () => stop(0), End: () => stop(last), " ": find("play").onclick }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  go(still ? last : 0);
  if (!still && last) play();
}
