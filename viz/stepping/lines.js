// What each kind of step says: its title, and its lines of [formula, explanation].

import {EXITS, enters, held, isIn, NAMES} from "./layers.js";
import {isInput, label, NODES, OUTPUT, SHARES, SHARES_OF} from "./recording.js";
import {run} from "./run.js";
import {
  definition,
  endLines,
  forwardLines,
  gradientText,
  list,
  seedLines,
  shareLines,
  startLines,
  totalText,
  valueText,
} from "./wording.js";

export const TITLES = {
  start: () => "The inputs, and the question",
  forward: ({node}) => `Forward: compute ${definition(node)}`,
  layerForward: ({layer}) => `Forward: ${NAMES.get(layer)}`,
  seed: () => `Turn round: the gradient of ${label(OUTPUT)} is 1`,
  backward: ({share}) => `Backward: what ${label(SHARES[share].source)} gets from ${definition(SHARES[share].result)}`,
  layerBackward: ({layer}) => `Backward through ${NAMES.get(layer)}`,
  end: () => "Done: the gradient of each input",
};
/** The lines of a step, by its kind. */
export const LINES = {
  start: startLines,
  forward: ({node}) => forwardLines(node),
  layerForward: layerForwardLines,
  seed: seedLines,
  backward: ({share}) => shareLines(share),
  layerBackward: layerBackwardLines,
  end: endLines,
};

const shaped = (i) => `${label(i)}${NODES[i].form ? ` ${NODES[i].form}` : ""}`;

function layerForwardLines({layer, nodes}) {
  const from = enters(layer, nodes);
  const count = `${nodes.length} operation${nodes.length === 1 ? "" : "s"}`;
  const parameters = held(layer).filter((i) => NODES[i].gradient);
  const lines = EXITS.get(layer)
    .filter((i) => nodes.includes(i))
    .flatMap((i) => [
      [
        `${label(i)}: ${NODES[i].form || "scalar"}`,
        `computed${from.length ? ` from ${list(from)}` : ""}; ${count} in this layer`,
      ],
      [valueText(i), "its numbers"],
    ]);
  if (parameters.length)
    lines.push([
      parameters.slice(0, 6).map(shaped).join(", "),
      `${parameters.length > 6 ? `and ${parameters.length - 6} more: ` : ""}what the layer learns`,
    ]);
  return lines;
}

/** For each node that shares go to, the last of them. */
export function reached(shares) {
  return [...new Map(shares.map((k) => [SHARES[k].source, k]))];
}

function layerBackwardLines({layer, shares}) {
  const lines = EXITS.get(layer)
    .filter((i) => run.gradient[i] && shares.some((k) => SHARES[k].result === i))
    .map((i) => [
      `gradient of ${label(i)}: ${gradientText(i)}`,
      i === OUTPUT ? "the output: here the backward pass starts" : "comes in, from what uses the layer's result",
    ]);
  for (const [i, k] of reached(shares)) {
    const left = SHARES_OF[i].length - SHARES_OF[i].indexOf(k) - 1;
    if (isIn(i, layer) && !isInput(i)) continue;
    const says = isIn(i, layer)
      ? `how ${label(OUTPUT)} changes with it`
      : left
        ? `goes on to ${label(i)}; ${left} more to come`
        : `goes on to ${label(i)}, which the layer was given`;
    lines.push([`gradient of ${label(i)}${left ? " so far" : ""}: ${totalText(k)}`, says]);
  }
  return lines;
}
