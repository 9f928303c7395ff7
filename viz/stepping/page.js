// The page: which step it is at, and the controls that change that.

import {get, isForBrowser} from "../pages/dom.js";
import {elements, highlight, prepareGraph, refresh, reveal, scale, stopAt, svg, tell} from "./graph.js";
import {GROUPS, openNow, unframed} from "./layers.js";
import {TITLES} from "./lines.js";
import {format} from "./numbers.js";
import {drawDerivation, drawInputs, drawStep, drawSteps, MOST_INPUTS} from "./panels.js";
import {current, isHidden, setCurrent, shown, solved} from "./position.js";
import {canAsk, hint, isAsked, judge, question} from "./practice.js";
import {isInput, NODES, OUTPUT, SHARES} from "./recording.js";
import {rerun, run} from "./run.js";
import {plan, SEED, STEPS} from "./steps.js";
import {TRACE} from "./trace.js";

const edits = new Map(); // from input to its value, where that is not the recorded one
let chosen;
let timer;
let layers; // the ways to open and close them
let initially; // the layers that are open as the page is loaded

/** The nodes whose numbers a step changes. */
const TOUCHES = {
  start: () => [],
  forward: ({node}) => [node],
  layerForward: ({nodes}) => nodes,
  seed: () => [OUTPUT],
  backward: ({share}) => [SHARES[share].source],
  layerBackward: ({shares}) => shares.map((k) => SHARES[k].source),
  end: () => [],
};

let drawn = 0; // the step that the graph's numbers are of

/** The nodes whose numbers change between two steps. */
function touched(from, to) {
  const steps = STEPS.slice(Math.min(from, to) + 1, Math.max(from, to) + 1);
  return new Set(steps.flatMap((step) => TOUCHES[step.kind](step)));
}

function draw(everything = false) {
  const to = shown();
  for (const i of everything ? NODES.keys() : touched(drawn, to)) refresh(i, to);
  drawn = to;
  highlight(current);
  reveal();
  drawStep(current, isHidden(), toggleLayer);
  drawSteps(current, isHidden());
  drawQuestion();
  drawDerivation(chosen, choose, get("practice").checked ? to : Infinity);
  tell();
  get("scrubber").value = current;
  get("scrubber").setAttribute(
    "aria-valuetext",
    `Step ${current} of ${STEPS.length - 1}: ${TITLES[STEPS[current].kind](STEPS[current])}`,
  );
  get("link").href = address();
  for (const id of ["first", "back"]) get(id).disabled = current === 0;
  for (const id of ["next", "last"]) get(id).disabled = current === STEPS.length - 1;
}

function go(step) {
  const to = Math.min(Math.max(step, 0), STEPS.length - 1);
  if (to === current) return;
  setCurrent(to);
  get("answer").value = get("verdict").textContent = "";
  draw();
}

/** Open or close a layer from below a step. */
function toggleLayer(group, isClosed) {
  layers.set(group, isClosed);
  reveal(); // what the step is about, not the layer's title
}

/** Show where a node's gradient comes from; nothing for undefined. */
function choose(i) {
  if (chosen !== undefined) elements[chosen].classList.remove("chosen");
  chosen = i;
  elements[i]?.classList.add("chosen");
  drawDerivation(i, choose, get("practice").checked ? shown() : Infinity);
  if (NODES.filter((_, k) => isInput(k)).length > MOST_INPUTS) offerInputs();
}

// -- Playing -----------------------------------------------------------------------------------------------------------

function play(on) {
  clearInterval(timer);
  timer = on
    ? setInterval(
        () => (current === STEPS.length - 1 || isHidden() ? play(false) : go(current + 1)),
        Number(get("speed").value),
      )
    : undefined;
  get("play").textContent = on ? "Pause" : "Play";
  get("step").setAttribute("aria-live", on ? "off" : "polite"); // nobody can listen that fast
}

function toggle() {
  if (!timer && current === STEPS.length - 1) go(0);
  play(!timer);
}

// -- Practice ----------------------------------------------------------------------------------------------------------

function drawQuestion() {
  const form = get("question");
  const asks = isHidden();
  form.hidden = !asks && !(get("practice").checked && get("verdict").textContent);
  form.classList.toggle("solved", !asks);
  if (asks) get("ask").textContent = question(STEPS[current].share);
}

/** Practice needs a number to ask for; where there is none, the page says so. */
function offerPractice() {
  const hasNumbers = SHARES.some((_, k) => isAsked(k));
  const hasQuestions = STEPS.some((_, step) => canAsk(step));
  get("practice").disabled = !hasQuestions;
  get("practice").parentElement.title = hasQuestions
    ? ""
    : hasNumbers
      ? "Open a layer to practise its operations."
      : "No gradient on this page is a single number to ask for.";
}

function reveals(says) {
  solved.add(STEPS[current].share);
  get("verdict").textContent = says;
  draw();
}

get("question").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!isHidden()) return go(current + 1);
  const [isRight, says] = judge(STEPS[current].share, get("answer").value);
  if (isRight) reveals(says);
  else get("verdict").textContent = says;
});
get("hint").addEventListener("click", () => (get("verdict").textContent = hint(STEPS[current].share)));
get("show").addEventListener("click", () => reveals(`It is ${format(run.total[STEPS[current].share][0])}: see above.`));
get("practice").addEventListener("change", () => {
  solved.clear();
  get("verdict").textContent = "";
  draw();
});

// -- Other inputs ------------------------------------------------------------------------------------------------------

function change(i, field) {
  const x = field.value === "" ? NaN : Number(field.value);
  field.setAttribute("aria-invalid", String(!Number.isFinite(x)));
  get("edited").textContent = "Type a finite number; the last one still counts.";
  if (!Number.isFinite(x)) return;
  edits.set(i, x);
  recompute();
}

function recompute() {
  rerun(edits);
  solved.clear();
  get("reset").disabled = !edits.size;
  get("edited").textContent = edits.size ? "Computed in this page, by the rules' formulas." : "";
  draw(true);
}

function offerInputs() {
  drawInputs(
    chosen,
    change,
    () => {
      edits.clear();
      recompute();
      offerInputs();
    },
    edits.size > 0,
  );
}

// -- Controls ----------------------------------------------------------------------------------------------------------

const KEYS = {
  Escape: () => choose(undefined),
  ArrowLeft: () => go(current - 1),
  ArrowRight: () => go(current + 1),
  Home: () => go(0),
  End: () => go(STEPS.length - 1),
  " ": toggle,
};
const BUTTONS = {first: KEYS.Home, back: KEYS.ArrowLeft, next: KEYS.ArrowRight, last: KEYS.End, play: toggle};

for (const [id, act] of Object.entries(BUTTONS)) {
  get(id).addEventListener("click", () => {
    if (id !== "play") play(false);
    act();
  });
}
get("scrubber").addEventListener("input", () => go(Number(get("scrubber").value)));
get("speed").addEventListener("change", () => timer && play(true));
get("link").hidden = location.protocol === "about:"; // a page within a notebook has no address
get("link").addEventListener("click", (event) => {
  event.preventDefault();
  history.replaceState(null, "", address());
  get("link").textContent = "The address bar has the link";
  setTimeout(() => (get("link").textContent = "Link to this step"), 3000);
});
get("steps").addEventListener("click", (event) => {
  const row = event.target.closest("[data-step]");
  if (!row) return;
  go(Number(row.dataset.step));
  document.querySelector(`[data-step="${row.dataset.step}"]`).focus();
});
document.addEventListener("keydown", (event) => {
  const {
    target: {tagName, type},
    key,
  } = event;
  const takesKeys = tagName === "SELECT" || (tagName === "INPUT" && type !== "checkbox");
  const takesSpace = tagName === "BUTTON" || tagName === "A" || tagName === "INPUT";
  if (!KEYS[key] || isForBrowser(event) || takesKeys || (key === " " && takesSpace)) return;
  event.preventDefault();
  if (key !== " ") play(false);
  KEYS[key]();
});
/** A link to what is shown: the step, which layers are open, and other inputs. */
function address() {
  const open = openNow() === initially ? "" : `&open=${openNow()}`;
  const inputs = edits.size ? `&inputs=${[...edits].map(([i, x]) => `${i}:${x}`).join(",")}` : "";
  return `#step=${current}${open}${inputs}`;
}

/** Show what the address says. */
function follow() {
  const given = new URLSearchParams(location.hash.slice(1));
  const wanted = (given.get("open") ?? initially).split(",");
  if (GROUPS.some(({id, closed}) => closed === wanted.includes(id))) layers.setAll(({id}) => !wanted.includes(id));
  const inputs = (given.get("inputs") ?? "")
    .split(",")
    .map((pair) => pair.split(":").map(Number))
    .filter(([i, x]) => !TRACE.fixed && NODES[i] && isInput(i) && Number.isFinite(x));
  if (inputs.length || edits.size) {
    edits.clear();
    for (const [i, x] of inputs) edits.set(i, x);
    recompute();
    offerInputs();
  }
  go(/^\d{1,9}$/.test(given.get("step") ?? "") ? Number(given.get("step")) : 0);
}
addEventListener("hashchange", follow);
addEventListener("beforeprint", () => STEPS.length <= 300 && drawSteps(current, false, true));
addEventListener("afterprint", () => drawSteps(current, isHidden()));

addEventListener("resize", scale);

function measureTime() {
  get("scrubber").max = STEPS.length - 1;
  get("pass-forward").style.flexGrow = SEED;
  get("pass-backward").style.flexGrow = STEPS.length - SEED;
}

/** Layers were opened or closed: other steps, at the same place in the computation; the layer's title stays where it was. */
function replan(title, before) {
  const {begins} = STEPS[current];
  const frame = get("graph");
  plan();
  setCurrent(STEPS.findLastIndex((step) => step.begins <= begins));
  get("answer").value = get("verdict").textContent = "";
  measureTime();
  offerPractice();
  stopAt(OUTPUT);
  scale();
  draw(true);
  if (!title) return;
  const now = title.getBoundingClientRect();
  frame.scrollLeft += now.left - before.left;
  frame.scrollTop += now.top - before.top;
}

/** Start the page; `openable` makes the boxes of layers open and close. */
export function start(openable) {
  layers = openable && svg.querySelector("g.graph") ? openable(svg, TRACE.picture, replan) : unframed(replan);
  initially = openNow();
  plan();
  measureTime();
  offerPractice();
  scale();
  prepareGraph(choose);
  offerInputs();
  tell();
  draw(true);
  follow();
}
