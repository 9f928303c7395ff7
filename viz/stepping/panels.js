// The panels around the graph: the step in words, the list of steps, the inputs, and where a gradient comes from.

import {get, make} from "../pages/dom.js";
import {EXITS, GROUPS, homeOf, isIn, NAMES} from "./layers.js";
import {LINES, reached, TITLES} from "./lines.js";
import {format, show} from "./numbers.js";
import {before, questionLines} from "./practice.js";
import {isInput, isScalar, label, NODES, OUTPUT, SHARES, SHARES_OF} from "./recording.js";
import {run} from "./run.js";
import {STEP_OF_SHARE, STEPS} from "./steps.js";
import {TRACE} from "./trace.js";
import {
  bracketed,
  definition,
  gradientText,
  list,
  number,
  ruleWithNumbers,
  shareText,
  times,
  totalText,
} from "./wording.js";

export function drawStep(step, isHidden, toggle) {
  const {kind} = STEPS[step];
  const lines = isHidden ? questionLines(STEPS[step].share) : LINES[kind](STEPS[step]);
  const rows = lines.map(([formula, explanation]) =>
    make(
      "div",
      {className: formula ? "line" : "line prose"},
      ...(formula ? [make("code", {textContent: formula})] : []),
      make("span", {textContent: explanation}),
    ),
  );
  get("step").replaceChildren(
    make(
      "h2",
      {},
      make("small", {textContent: `Step ${step} of ${STEPS.length - 1}`}),
      ` ${TITLES[kind](STEPS[step])}`,
    ),
    ...rows,
    ...layerButton(step, toggle),
  );
}

/** The button below a layer's step, which opens it, or below a step inside an open one, which closes it. */
function layerButton(step, toggle) {
  const {layer, node, share, nodes, shares} = STEPS[step];
  const i = node ?? (share === undefined ? undefined : SHARES[share].result);
  const id = layer ?? homeOf(i);
  const group = GROUPS.find((each) => each.id === id);
  if (!group) return [];
  const count = (nodes ?? shares)?.length;
  const told = count === 1 ? "its operation" : nodes ? `its ${count} operations` : "its operations";
  const button = make("button", {type: "button", textContent: layer ? `Step through ${told}` : `Close ${group.name}`});
  button.addEventListener("click", () => toggle(group, !layer));
  return [button];
}

const PASS = {
  start: "start",
  forward: "forward",
  layerForward: "forward",
  seed: "backward",
  backward: "backward",
  layerBackward: "backward",
  end: "end",
};
const NEAR = 10; // long lists show the steps near the current one
const ALL = 40;

export function drawSteps(step, isHidden, everything = false) {
  const near = !everything && STEPS.length > ALL;
  const first = near ? Math.max(0, step - NEAR) : 0;
  const last = near ? Math.min(STEPS.length - 1, step + NEAR) : STEPS.length - 1;
  const items = [];
  for (let k = first; k <= last; k++) {
    const known = everything || k < step || (k === step && !isHidden);
    const button = make(
      "button",
      {className: "step", type: "button"},
      make("span", {className: "which", textContent: k}),
      ...summary(STEPS[k], known),
    );
    button.dataset.step = k;
    if (k === step) button.setAttribute("aria-current", "step");
    items.push(make("li", {className: PASS[STEPS[k].kind]}, button));
  }
  get("steps").replaceChildren(make("ol", {}, ...items));
}

/** The gradient that a share makes, as a sum from the second share on. */
function total(k) {
  const numbers = run.total[k];
  const has = before(k);
  if (numbers.length !== 1) return NODES[SHARES[k].source].form;
  return has === null
    ? `= ${format(numbers[0])}`
    : `= ${format(has)} + ${bracketed(show(run.share[k]))} = ${format(numbers[0])}`;
}

/** A step in a row of the list: what, and with which result once it is known. */
function summary(step, known) {
  const {kind, node, share, layer, nodes, shares} = step;
  const [what, result] = {
    start: () => ["the inputs", ""],
    forward: () => [definition(node), isScalar(node) ? `= ${number(node)}` : NODES[node].form],
    layerForward: () => [NAMES.get(layer), list(EXITS.get(layer).filter((i) => nodes.includes(i)))],
    seed: () => [`gradient of ${label(OUTPUT)}`, "= 1"],
    backward: () => [`gradient of ${label(SHARES[share].source)}, from ${label(SHARES[share].result)}`, total(share)],
    layerBackward: () => [
      `back through ${NAMES.get(layer)}`,
      list(
        reached(shares)
          .map(([i]) => i)
          .filter((i) => isInput(i) || !isIn(i, layer)),
        2,
      ),
    ],
    end: () => ["the gradients", ""],
  }[kind]();
  return [
    make("span", {className: "what", textContent: what}),
    make("span", {className: "result", textContent: known ? result : ""}),
  ];
}

export const MOST_INPUTS = 16;
const MOST_USES = 40;

/** A field for each input, or only for the chosen one if there are many. */
export function drawInputs(chosen, change, reset, edited) {
  const panel = get("inputs");
  if (TRACE.fixed) {
    panel.replaceChildren(make("p", {textContent: `The inputs of this page cannot be changed: ${TRACE.fixed}.`}));
    return;
  }
  const inputs = NODES.map((_, i) => i).filter(isInput);
  const offered = inputs.length <= MOST_INPUTS ? inputs : inputs.filter((i) => i === chosen);
  const fields = offered.map((i) => {
    const field = make("input", {type: "number", step: "any", value: String(run.value[i][0]), id: `input-${i}`});
    field.addEventListener("input", () => change(i, field));
    return make("label", {}, make("span", {textContent: `${label(i)} =`}), field);
  });
  const more =
    inputs.length > MOST_INPUTS
      ? [make("p", {textContent: `Choose one of the ${inputs.length} inputs in the graph to change it here.`})]
      : [];
  const button = make("button", {type: "button", textContent: "Reset", id: "reset", disabled: !edited});
  button.addEventListener("click", reset);
  panel.replaceChildren(...more, ...fields, button, make("p", {id: "edited", textContent: ""}));
}

/** The gradient of a node as the sum over its uses; `limit` hides shares not handed out yet, for practice. */
export function drawDerivation(i, choose, limit) {
  const panel = get("derivation");
  panel.hidden = i === undefined;
  if (i === undefined) return;
  const uses = SHARES_OF[i].filter((k) => STEP_OF_SHARE[k] <= limit);
  const name = label(i);
  const title = make("h2", {textContent: `Where the gradient of ${name} comes from`});
  const close = make("button", {type: "button", className: "close", textContent: "×", title: "Close (Escape)"});
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", () => choose(undefined));
  panel.replaceChildren(close, title, ...derivation(i, uses, name, choose));
}

function derivation(i, uses, name, choose) {
  const line = (formula, explanation) =>
    make("div", {className: "line"}, make("code", {textContent: formula}), make("span", {textContent: explanation}));
  if (i === OUTPUT) return [line(`gradient of ${name} = 1`, "It is the output: the backward pass starts here.")];
  if (!NODES[i].gradient)
    return [line(name, "No gradient flows to it: it is a constant, or nothing passes a gradient on to it.")];
  if (!uses.length) return [line(`gradient of ${name}`, "Not known yet: practise first.")];
  const all = SHARES_OF[i].length;
  const left = all - uses.length;
  const few = uses.slice(0, MOST_USES);
  const isNumber = few.every((k) => run.factor[k] !== null);
  const parts = [
    line(
      `gradient of ${name} = ${few.map((k) => (isNumber ? `${bracketed(format(run.factor[k]))} × ${bracketed(show(run.gradient[SHARES[k].result]))}` : `share from ${label(SHARES[k].result)}`)).join(" + ")}${uses.length > few.length ? " + …" : ""} = ${totalText(uses.at(-1))}`,
      `${name} is used ${times(all)}${left ? `, and ${left} of its shares ${left === 1 ? "is" : "are"} still to come` : ""}${isNumber ? `: ${all > 1 ? "for each use " : ""}local derivative × incoming gradient` : ""}${all > 1 ? "; the shares add up" : ""}.`,
    ),
  ];
  for (const k of few) {
    const {result} = SHARES[k];
    const link = make("button", {
      type: "button",
      className: "link",
      textContent: `gradient of ${label(result)} = ${gradientText(result)}`,
    });
    link.addEventListener("click", () => choose(result));
    parts.push(
      make(
        "div",
        {className: "use"},
        make("b", {textContent: definition(result)}),
        make("code", {textContent: ruleWithNumbers(k)}),
        make("span", {}, "incoming: ", link),
        make("span", {textContent: `share: ${shareText(k)}`}),
      ),
    );
  }
  if (uses.length > few.length) parts.push(make("p", {textContent: `and ${uses.length - few.length} more uses`}));
  const hooked =
    NODES[i].gradient.some((x, k) => x !== SHARES[uses.at(-1)].total[k]) &&
    TRACE.fixed &&
    uses.length === SHARES_OF[i].length;
  if (hooked) parts.push(make("p", {textContent: `A hook made ${show(NODES[i].gradient)} of the sum.`}));
  return parts;
}
