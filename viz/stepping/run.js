// The numbers of a run: as the engine recorded them, or as the page computes them from other inputs.

import {FORMULAS} from "./formulas.js";
import {NODES, OUTPUT, SHARES} from "./recording.js";
import {TRACE} from "./trace.js";

/** The numbers of a run: values and gradients by node; factors, shares and running totals by share. */
function recorded() {
  return {
    value: NODES.map((node) => node.value),
    gradient: NODES.map((node) => node.gradient),
    factor: SHARES.map((share) => share.factor),
    share: SHARES.map((share) => share.share),
    total: SHARES.map((share) => share.total),
  };
}

/** The values of all nodes for these values of the inputs: what forward computes. */
export function forward(inputs) {
  const value = NODES.map((node, i) => inputs.get(i) ?? node.value[0]);
  for (const i of TRACE.forward) {
    const {formula, inputs: operands} = NODES[i];
    value[i] = FORMULAS[formula].forward(...operands.map((k) => value[k]));
  }
  return value;
}

/** All numbers for these values of the inputs: forward, and the chain rule backward. */
function computed(inputs) {
  const value = forward(inputs);
  const gradient = NODES.map(() => null);
  const factors = [];
  const shares = [];
  const totals = [];
  gradient[OUTPUT] = 1;
  for (const {result, operand, source} of SHARES) {
    const {formula, inputs: operands} = NODES[result];
    const factor = Number(FORMULAS[formula].derivatives[operand](value[result], ...operands.map((k) => value[k])));
    let share = factor * gradient[result];
    if (Number.isNaN(share) && gradient[result] === 0) share = 0; // as the engine: what gets no gradient passes none on
    gradient[source] = gradient[source] === null ? share : gradient[source] + share;
    factors.push(factor);
    shares.push([share]);
    totals.push([gradient[source]]);
  }
  return {
    value: value.map((x) => [x]),
    gradient: gradient.map((g) => (g === null ? null : [g])),
    factor: factors,
    share: shares,
    total: totals,
  };
}

export let run = recorded();

/** Compute with these values of the inputs, from a Map; with none as it was recorded. */
export function rerun(inputs) {
  run = inputs.size ? computed(inputs) : recorded();
}
