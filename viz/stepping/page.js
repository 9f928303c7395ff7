// The page: which step it is at, and the controls that change that.

const get = (id) => document.getElementById(id);
const edits = new Map();  // from input to its value, where that is not the recorded one
const solved = new Set();  // shares that were answered, or shown
let current = 0, chosen, timer;

const isHidden = () => get("practice").checked && canAsk(current) && !solved.has(STEPS[current].share);

/** The last step whose results are shown. */
const shown = () => (isHidden() ? current - 1 : current);

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

let drawn = 0;  // the step that the graph's numbers are of

function draw(everything = false) {
  const to = shown(), nodes = new Set();
  if (everything) NODES.forEach((_, i) => nodes.add(i));
  else for (let k = Math.min(drawn, to) + 1; k <= Math.max(drawn, to); k++) TOUCHES[STEPS[k].kind](STEPS[k]).forEach((i) => nodes.add(i));
  nodes.forEach((i) => refresh(i, to));
  drawn = to;
  highlight(current);
  reveal();
  drawStep(current, isHidden());
  drawSteps(current, isHidden());
  drawQuestion();
  drawDerivation(chosen, choose, get("practice").checked ? to : Infinity);
  tell();
  get("scrubber").value = current;
  get("scrubber").setAttribute("aria-valuetext", `Step ${current} of ${STEPS.length - 1}: ${TITLES[STEPS[current].kind](STEPS[current])}`);
  get("link").href = address();
  for (const id of ["first", "back"]) get(id).disabled = current === 0;
  for (const id of ["next", "last"]) get(id).disabled = current === STEPS.length - 1;
}

function go(step) {
  const to = Math.min(Math.max(step, 0), STEPS.length - 1);
  if (to === current) return;
  current = to;
  get("answer").value = get("verdict").textContent = "";
  draw();
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
  timer = on ? setInterval(() => (current === STEPS.length - 1 || isHidden() ? play(false) : go(current + 1)), Number(get("speed").value)) : undefined;
  get("play").textContent = on ? "Pause" : "Play";
  get("step").setAttribute("aria-live", on ? "off" : "polite");  // nobody can listen that fast
}

function toggle() {
  if (!timer && current === STEPS.length - 1) go(0);
  play(!timer);
}

// -- Practice ----------------------------------------------------------------------------------------------------------

function drawQuestion() {
  const form = get("question"), asks = isHidden();
  form.hidden = !asks && !(get("practice").checked && get("verdict").textContent);
  form.classList.toggle("solved", !asks);
  if (asks) get("ask").textContent = question(STEPS[current].share);
}

/** Practice needs a number to ask for; where there is none, the page says so. */
function offerPractice() {
  const hasNumbers = SHARES.some((_, k) => isAsked(k)), hasQuestions = STEPS.some((_, step) => canAsk(step));
  get("practice").disabled = !hasQuestions;
  get("practice").parentElement.title = hasQuestions ? "" : hasNumbers ? "Open a layer to practise its operations." : "No gradient on this page is a single number to ask for.";
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
  run = edits.size ? computed(edits) : recorded();
  solved.clear();
  get("reset").disabled = !edits.size;
  get("edited").textContent = edits.size ? "Computed in this page, by the rules' formulas." : "";
  draw(true);
}

function offerInputs() {
  drawInputs(chosen, change, () => {
    edits.clear();
    recompute();
    offerInputs();
  }, edits.size > 0);
}

// -- Controls ----------------------------------------------------------------------------------------------------------

const KEYS = {Escape: () => choose(undefined), ArrowLeft: () => go(current - 1), ArrowRight: () => go(current + 1), Home: () => go(0), End: () => go(STEPS.length - 1), " ": toggle};
const BUTTONS = {first: KEYS.Home, back: KEYS.ArrowLeft, next: KEYS.ArrowRight, last: KEYS.End, play: toggle};

for (const [id, act] of Object.entries(BUTTONS)) {
  get(id).addEventListener("click", () => {
    if (id !== "play") play(false);
    act();
  });
}
get("scrubber").addEventListener("input", () => go(Number(get("scrubber").value)));
get("speed").addEventListener("change", () => timer && play(true));
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
  const {target: {tagName, type}, key} = event;
  const takesKeys = tagName === "SELECT" || (tagName === "INPUT" && type !== "checkbox");
  const takesSpace = tagName === "BUTTON" || tagName === "A" || tagName === "INPUT";
  if (!KEYS[key] || event.ctrlKey || event.metaKey || event.altKey || takesKeys || (key === " " && takesSpace)) return;
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
  const given = new URLSearchParams(location.hash.slice(1)), wanted = (given.get("open") ?? initially).split(",");
  if (layers.groups.some(({id, closed}) => closed === wanted.includes(id))) layers.setAll(({id}) => !wanted.includes(id));
  const inputs = (given.get("inputs") ?? "").split(",").map((pair) => pair.split(":").map(Number)).filter(([i, x]) => !TRACE.fixed && NODES[i] && isInput(i) && Number.isFinite(x));
  if (inputs.length || edits.size) {
    edits.clear();
    inputs.forEach(([i, x]) => edits.set(i, x));
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
  const {begins} = STEPS[current], frame = get("graph");
  plan();
  current = STEPS.findLastIndex((step) => step.begins <= begins);
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

plan();
measureTime();
offerPractice();
scale();
prepareGraph(choose);
offerInputs();
tell();
draw(true);
follow();
