// Practice: the next gradient is hidden, the reader gives it, and hears what was forgotten.

import {format, show} from "./numbers.js";
import {label, NODES, SHARES, SHARES_OF} from "./recording.js";
import {run} from "./run.js";
import {STEPS} from "./steps.js";
import {definition, number, rule} from "./wording.js";

/** Whether a step has a number to ask for: the gradient of a scalar, after a rule that is a factor. */
export const isAsked = (k) => run.factor[k] !== null && Number.isFinite(run.total[k][0]);
export const canAsk = (step) => STEPS[step].kind === "backward" && isAsked(STEPS[step].share);

/** The gradient of the source before this share; null if it is the first. */
export function before(k) {
  const uses = SHARES_OF[SHARES[k].source];
  const nth = uses.indexOf(k);
  return nth ? run.total[uses[nth - 1]][0] : null;
}

export function questionLines(k) {
  const {result, source} = SHARES[k];
  const has = before(k);
  const lines = [
    [
      `${definition(result)}`,
      `the operation; ${[...new Set(NODES[result].inputs)].map((i) => `${label(i)} = ${number(i)}`).join(", ")}`,
    ],
    [`gradient of ${label(result)} = ${show(run.gradient[result])}`, "the incoming gradient"],
  ];
  if (has !== null) lines.push([`gradient of ${label(source)} so far = ${format(has)}`, "from the uses before"]);
  return lines;
}

export const question = (k) => `What is the gradient of ${label(SHARES[k].source)} after this step?`;

/** A number as people type it: 0.5, -3, 1/4, 2e-3, with a comma or a typographic minus too; NaN if it is none. */
function typed(text) {
  const parts = text
    .trim()
    .replace(/−/g, "-")
    .replace(/(\d),(\d)/g, "$1.$2")
    .split("/")
    .map((part) => (part.trim() ? Number(part) : NaN));
  return parts.length > 2 ? NaN : parts.reduce((a, b) => a / b);
}

/** Equal as far as someone computes by hand: to 1 in 100. */
const isClose = (a, b) => Math.abs(a - b) <= 0.01 * Math.abs(b) + 1e-12;

/** What is known to go wrong: the number one gets, and what was forgotten. The first that fits is told. */
function mistakes(k) {
  const {result, operand, source} = SHARES[k];
  const name = label(source);
  const has = before(k);
  const so = has ?? 0;
  const factor = run.factor[k];
  const g = run.gradient[result][0];
  const share = run.share[k][0];
  const total = run.total[k][0];
  const others = SHARES.map((_, j) => j).filter(
    (j) => has === null && SHARES[j].result === result && SHARES[j].operand !== operand && SHARES[j].source !== source,
  );
  return [
    [
      has === null ? NaN : share,
      `You forgot the other use: ${format(share)} is the share of this use alone. ${name} has ${format(has ?? 0)} already; shares add up.`,
    ],
    [
      has === null ? NaN : has,
      `You forgot this use: ${format(has ?? 0)} is what ${name} had before. Add the share of this use.`,
    ],
    [-total, "You forgot a sign: the size is right, the sign is not."],
    [so - share, "You forgot a sign: this use's share has the other sign."],
    [
      so + factor,
      `You forgot the incoming factor: ${format(factor)} is the local derivative. Multiply it by the incoming gradient, ${format(g)}.`,
    ],
    [
      factor,
      `You forgot the incoming factor, ${format(g)}, and the other use of ${name}: it has ${format(so)} already.`,
    ],
    [so - factor, `You forgot the incoming factor, ${format(g)}, and a sign.`],
    [
      so + g,
      `You forgot the local derivative: ${format(g)} came in. Multiply it by how fast ${label(result)} changes with ${name}.`,
    ],
    [so + g + factor, "Multiply the local derivative by the incoming gradient; do not add them."],
    ...others.map((j) => [
      run.share[j][0],
      `That is the share of ${label(SHARES[j].source)}. How fast does ${label(result)} change with ${name}?`,
    ]),
  ];
}

/** What to say to an answer, and whether it is right. */
export function judge(k, text) {
  const answer = typed(text);
  const total = run.total[k][0];
  if (Number.isNaN(answer)) return [false, "Type a number, such as -0.25 or 1/4."];
  if (isClose(answer, total)) return [true, `Right: ${format(total)}.`];
  const found = mistakes(k).find(([wrong]) => isClose(answer, wrong));
  return [
    false,
    found
      ? found[1]
      : "Not yet. Local derivative × incoming gradient, added to what there is already; the hint shows the rule.",
  ];
}

export const hint = (k) => `The rule: ${rule(k)}`;
