// The graph: which numbers it shows at a step, what is highlighted, and how nodes are chosen.

import {makeSvg} from "../pages/dom.js";
import {EXITS, GROUPS, isIn, layerOf} from "./layers.js";
import {show, signed} from "./numbers.js";
import {current, shown} from "./position.js";
import {isInput, isScalar, label, NODES, NODES_USING, OUTPUT, SHARES, SHARES_OF} from "./recording.js";
import {run} from "./run.js";
import {SEED, STEP_OF_NODE, STEP_OF_SHARE, STEPS} from "./steps.js";
import {TRACE} from "./trace.js";
import {definition} from "./wording.js";

export const svg = document.querySelector("#graph svg:not(.unseen)");
export const elements = TRACE.ids.map((id) => svg.querySelector(`[id="${id}"]`));
const slots = elements.map((element) => {
  const found = {};
  for (const text of element.querySelectorAll("[data-slot]")) found[text.dataset.slot] = text; // the last of equal ones
  return found;
});

// Arrows are numbered by their targets, and by the operands of each.
let arrows = 0;
const ARROWS = NODES.map((node) => node.inputs.map(() => svg.querySelector(`[id="e${arrows++}"]`)));

/** How many of a node's shares have been handed out at a step, and how many come in all. */
const received = (i, step) => SHARES_OF[i].filter((k) => STEP_OF_SHARE[k] <= step).length;

/** Show a node as it is at a step: its value once computed, its gradient as far as it has come. */
export function refresh(i, step) {
  if (NODES[i].kind === "constant") return;
  const known = STEP_OF_NODE[i] <= step;
  const count = received(i, step);
  const all = SHARES_OF[i].length;
  const gradient =
    i === OUTPUT ? (step >= SEED ? run.gradient[i] : null) : count ? run.total[SHARES_OF[i][count - 1]] : null;
  elements[i].classList.toggle("pending", !known);
  for (const [k, x] of run.value[i].entries()) write(slots[i][k], known ? signed(x) : "?");
  for (const k of (run.gradient[i] ?? []).keys()) write(slots[i][3 + k], gradient ? signed(gradient[k]) : "?");
  write(slots[i].what, count && count < all ? "so far" : "gradient");
  refreshLayers(i, known, gradient);
}

function write(slot, text) {
  if (slot && slot.textContent !== text) slot.textContent = text;
}

// -- The boxes of closed layers ---------------------------------------------------------------------------------------

const NUMBER_ROOM = "-8.888e-88";
// Of an array a box has room for one number: a gradient's mean tells little, as its signs cancel.
const inBox = {
  value: (i, text) => `value${isScalar(i) ? "" : " mean"} ${text}`,
  gradient: (i, text) => `${isScalar(i) ? "gradient" : "largest gradient"} ${text}`,
};
const largest = (numbers) => (numbers.length > 1 ? Math.max(...numbers.map(Math.abs)) : numbers[0]);

for (const group of GROUPS) {
  const exits = EXITS.get(group.id);
  group.lines =
    exits.length === 1
      ? [
          `${label(exits[0])} ${NODES[exits[0]].form}`,
          inBox.value(exits[0], NUMBER_ROOM),
          inBox.gradient(exits[0], NUMBER_ROOM),
        ]
      : exits.map(label);
}

/** What shows a node: itself, or the closed layer that it is in. */
const seenAs = (i) => layerOf(i)?.element ?? elements[i];

/** The numbers in the box of a closed layer: those of its one result. */
function refreshLayers(i, known, gradient) {
  for (const {id, lines, element} of GROUPS) {
    const exits = EXITS.get(id);
    if (!element || exits.length !== 1 || exits[0] !== i) continue;
    lines[1].textContent = inBox.value(i, known ? signed(run.value[i][0]) : "?");
    lines[2].textContent = inBox.gradient(i, gradient ? signed(largest(gradient)) : "?");
  }
}

// -- What a step is about ---------------------------------------------------------------------------------------------

let marked = [];

/** Highlight what a step is about, and nothing else. */
export function highlight(step) {
  for (const [element, name] of marked) element?.classList.remove(name);
  for (const path of svg.querySelectorAll(".overlay")) path.remove();
  const {kind, node, share, layer, nodes, shares} = STEPS[step];
  marked = [];
  if (kind === "forward" || kind === "layerForward") {
    for (const i of nodes ?? [node]) {
      for (const [operand, k] of NODES[i].inputs.entries()) {
        if (!layer || !isIn(k, layer)) marked.push([seenAs(k), "from"], [arrow(i, operand, k), "ahead"]);
      }
      marked.push([seenAs(i), "now"]);
    }
  } else if (kind === "seed") {
    marked.push([seenAs(OUTPUT), "now"]);
  } else if (kind === "backward" || kind === "layerBackward") {
    for (const {result, operand, source} of (shares ?? [share]).map((k) => SHARES[k])) {
      marked.push([seenAs(result), "from"]);
      if (layer && isIn(source, layer) && isInput(source)) marked.push([seenAs(source), "now"]); // what the layer learns
      if (!layer || !isIn(source, layer))
        marked.push([arrow(result, operand, source), "behind"], [seenAs(source), "now"]);
    }
  } else {
    for (const [i, element] of elements.entries())
      if (isInput(i) && seenAs(i) === element) marked.push([element, "now"]);
  }
  for (const part of document.querySelectorAll("#expression [data-node]")) {
    const at = Number(part.dataset.node);
    part.classList.toggle("now", at === (kind === "seed" ? OUTPUT : kind === "backward" ? SHARES[share].result : node));
  }
  for (const [element, name] of marked) element?.classList.add(name);
}

/** The arrow to a result from one of its operands; drawn where the graph has none. */
function arrow(result, operand, source) {
  if (ARROWS[result][operand]) return ARROWS[result][operand];
  const [x1, y1, x2, y2] = [source, result].flatMap((i) =>
    elements[i]
      .getAttribute("transform")
      .match(/-?[\d.]+/g)
      .map(Number),
  );
  const path = makeSvg("g", {class: "edge overlay"});
  const out = y1 + 32;
  const into = y2 > y1 ? y2 - 32 : y2 + 32; // below the source, between the rows, to the nearer side of the result
  const aside = 12 * operand; // so that two arrows do not end in one place
  path.innerHTML = `<path d="M${x1},${out}C${x1},${out + 28} ${x2 + aside},${into + (y2 > y1 ? -28 : 28)} ${x2 + aside},${into}"/>`;
  svg.append(path);
  return path;
}

/** Make the graph as wide as its frame, within what can be read. */
export function scale() {
  const {width, height} = svg.viewBox.baseVal;
  const points = 96 / 72;
  const room = document.getElementById("graph").clientWidth - 24;
  const factor = ARROWS.flat().some((each) => each) ? Math.min(points, Math.max(points * 0.58, room / width)) : 1;
  svg.setAttribute("width", width * factor);
  svg.setAttribute("height", height * factor);
}

/** Scroll the graph, if it is larger than its frame, so that the highlighted nodes are seen. */
export function reveal() {
  const frame = document.getElementById("graph");
  const seen = frame.getBoundingClientRect();
  const now = marked
    .filter(([, name]) => name === "now" || name === "from")
    .map(([element]) => element.getBoundingClientRect());
  if (!now.length || (frame.scrollWidth <= frame.clientWidth && frame.scrollHeight <= frame.clientHeight)) return;
  const last = now.at(-1);
  const left = Math.min(...now.map((box) => box.left));
  const right = Math.max(...now.map((box) => box.right));
  const box = right - left < seen.width ? {left, right} : last;
  if (box.left < seen.left + 8 || box.right > seen.right - 8)
    frame.scrollLeft += (box.left + box.right) / 2 - (seen.left + seen.right) / 2;
  if (last.top < seen.top + 8 || last.bottom > seen.bottom - 8)
    frame.scrollTop += (last.top + last.bottom) / 2 - (seen.top + seen.bottom) / 2;
}

/** All about a node in a line. */
function details(i) {
  const {kind, form} = NODES[i];
  const uses = NODES_USING[i].length;
  const known = STEP_OF_NODE[i] <= shown();
  const parts = [definition(i)];
  if (form) parts.push(form);
  if (kind !== "constant" || form) parts.push(known ? `value ${show(run.value[i])}` : "value not computed yet");
  const count = received(i, shown());
  if (!NODES[i].gradient) parts.push("a constant: no gradient flows to it");
  else if (i === OUTPUT) parts.push(shown() < SEED ? "the output" : "the output, gradient 1");
  else
    parts.push(
      count
        ? `gradient ${count < SHARES_OF[i].length ? "so far " : ""}${show(run.total[SHARES_OF[i][count - 1]])}`
        : "no gradient yet",
    );
  if (uses)
    parts.push(`used by ${NODES_USING[i].slice(0, 6).map(label).join(", ")}${uses > 6 ? ` and ${uses - 6} more` : ""}`);
  return parts.join(" · ");
}

const DASHED = {
  forward: " Dashed: what it is computed from.",
  layerForward: " Dashed: what it is computed from.",
  backward: " Dashed: where the gradient comes from.",
  layerBackward: " Dashed: where the gradient comes from.",
};
const legend = () =>
  `Thick border: what this step is about.${DASHED[STEPS[current].kind] ?? ""} Choose a node to see where its gradient comes from.`;

let told; // the node that the line below the graph is about

export function tell(i = told) {
  told = i;
  document.getElementById("details").textContent = i === undefined ? legend() : details(i);
}

/** The next node that is seen, up or down the list. */
function beside(i, move) {
  const count = NODES.length;
  let next = i;
  do next = (next + move + count) % count;
  while (seenAs(next) !== elements[next] && next !== i);
  return elements[next];
}

/** Make a node the one that Tab comes to; the next one that is seen, if it is not. */
export function stopAt(i) {
  svg.querySelector('.node[tabindex="0"]')?.setAttribute("tabindex", "-1");
  (seenAs(i) === elements[i] ? elements[i] : beside(i, -1)).setAttribute("tabindex", "0");
}

/** Make the nodes usable: one of them is a tab stop, Up and Down move on, Enter or a click chooses. */
export function prepareGraph(choose) {
  elements.forEach((element, i) => {
    element.setAttribute("role", "button");
    element.setAttribute("tabindex", "-1");
    element.dataset.at = i;
  });
  stopAt(OUTPUT);
  const at = (event) => event.target.closest?.("[data-at]")?.dataset.at;
  const on = (type, act) =>
    svg.addEventListener(type, (event) => at(event) !== undefined && act(Number(at(event)), event));
  on("click", (i) => choose(i));
  on("pointerover", tell);
  for (const type of ["pointerleave", "focusout"]) {
    svg.addEventListener(type, () => {
      told = undefined;
      tell();
    });
  }
  on("focusin", (i) => {
    stopAt(i);
    elements[i].setAttribute("aria-label", details(i));
    tell(i);
  });
  on("keydown", (i, event) => {
    const move = {ArrowUp: -1, ArrowDown: 1}[event.key];
    if (move) beside(i, move).focus();
    else if (event.key === "Enter" || event.key === " ") choose(i);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
