// Steps in words, as lines of [formula, explanation].

import {FORMULAS} from "./formulas.js";
import {homeOf} from "./layers.js";
import {format, show} from "./numbers.js";
import {isInput, isScalar, label, NODES, OUTPUT, SHARES, SHARES_OF} from "./recording.js";
import {forward, run} from "./run.js";
import {TRACE} from "./trace.js";

/** A template such as "{0} × {1}" with its places filled; negative numbers in brackets where a sign stands beside them. */
function fill(template, operands, y = "") {
  return template.replace(/\{(\w)\}/g, (place, key, at) => {
    const text = key === "y" ? y : operands[key];
    const before = template.slice(0, at);
    const after = template.slice(at + place.length);
    const alone = /(^|[(|⌊⌈]|, )$/.test(before) && /^($|[)|⌋⌉,]| [^=<>≤])/.test(after);
    return text.startsWith("-") && !alone ? `(${text})` : text;
  });
}

export const bracketed = (text) => (text.startsWith("-") ? `(${text})` : text);
export const number = (i) => (NODES[i].kind === "constant" ? label(i) : show(run.value[i]));
export const valueText = (i) => NODES[i].value_listed || show(run.value[i]);
export const gradientText = (i) => NODES[i].gradient_listed || show(run.gradient[i]);
export const shareText = (k) => SHARES[k].share_listed || show(run.share[k]);
export const totalText = (k) => SHARES[k].total_listed || show(run.total[k]);
export const list = (nodes, most = 6) =>
  nodes.slice(0, most).map(label).join(", ") + (nodes.length > most ? `, and ${nodes.length - most} more` : "");
export const times = (count) => ["", "once", "twice"][count] ?? `${count} times`;

/** v1 = a × b */
export function definition(i) {
  const {op, text, inputs} = NODES[i];
  return op ? `${label(i)} = ${fill(text, inputs.map(label))}` : label(i);
}

/** d(a × b)/da = b */
export function rule(k) {
  const {result, operand, source, rule, is_factor: isFactor} = SHARES[k];
  const {inputs, text} = NODES[result];
  const formula = fill(rule, inputs.map(label), label(result));
  if (!isFactor) return `share of ${label(source)} = ${formula}`;
  const what = fill(text, inputs.map(label));
  const name = /^[^\s^]*$|^[^\s(]+\(.*\)$/.test(what) && !what.startsWith("-") ? ` ${what}` : `(${what})`;
  const twin =
    inputs.filter((input) => input === source).length > 1
      ? ` (${["1st", "2nd", "3rd"][operand] ?? `${operand + 1}th`})`
      : "";
  return `d${name}/d ${label(source)}${twin} = ${formula}`;
}

/** The rule with its numbers: d tanh(v2)/d v2 = 1 - v3² = 1 - 0.9993² = 0.001341 */
export function ruleWithNumbers(k) {
  const {result, rule: template} = SHARES[k];
  if (run.factor[k] === null) return rule(k);
  const result4 = format(run.factor[k]);
  const filled = fill(template, NODES[result].inputs.map(number), number(result));
  return [
    rule(k),
    ...(filled === result4 || !template.includes("{") ? [] : [filled]),
    ...(template === result4 ? [] : [result4]),
  ].join(" = ");
}

const COMPUTED = TRACE.forward.slice(0, 2).map(label).join(", ") + (TRACE.forward.length > 2 ? ", …" : "");

export function startLines() {
  const inputs = NODES.map((_, i) => i).filter(isInput);
  const outside = inputs.filter((i) => !homeOf(i));
  const few = outside
    .slice(0, 12)
    .map((i) => [
      `${label(i)} = ${isScalar(i) ? number(i) : NODES[i].form}`,
      NODES[i].gradient ? "" : "a constant: no gradient",
    ]);
  const rest = outside.length > 12 ? [["…", `and ${outside.length - 12} more inputs`]] : [];
  if (outside.length < inputs.length)
    rest.push([
      `${inputs.length - outside.length} input${inputs.length - outside.length === 1 ? "" : "s"} within layers`,
      "a layer is one step; choose its box to go through its operations",
    ]);
  const name = label(OUTPUT);
  const asked = inputs.filter((i) => NODES[i].gradient);
  const arrays = asked.some((i) => !isScalar(i));
  const goal =
    `The question: if ${asked.length > 1 ? `one of the inputs ${list(asked, 3)}` : list(asked) || name} changes a little, how much does ${name} change? ` +
    `For each input${arrays ? ", and each number of an array," : ""} the answer is one number, the gradient: the change of ${name} per unit of change of the input.`;
  const forward = `Forward: every operation computes its value${COMPUTED && ` (results are called ${COMPUTED})`}, until the output is known.`;
  return [
    ...few,
    ...rest,
    ["", goal],
    [
      "",
      `${forward} Backward: from the output to the inputs, every operation passes its gradient on to what it was computed from.`,
    ],
  ];
}

export function forwardLines(i) {
  const {inputs, text} = NODES[i];
  if ([i, ...inputs].every(isScalar)) {
    return [
      [
        `${definition(i)} = ${fill(text, inputs.map(number))} = ${number(i)}`,
        `${label(i)} is computed from ${[...new Set(inputs)].map(label).join(" and ")}.`,
      ],
    ];
  }
  const shapes = inputs.map((k) => (NODES[k].form ? `${label(k)} ${NODES[k].form}` : label(k)));
  return [
    [definition(i), ""],
    [NODES[i].form || "scalar", `shape of the result, from ${shapes.join("; ")}`],
    [valueText(i), "its numbers"],
  ];
}

export function seedLines() {
  const name = label(OUTPUT);
  return [
    [`gradient of ${name} = 1`, `If ${name} changes by some amount, ${name} changes by that amount: 1 per unit.`],
    [
      "",
      `Now backward, last operation first. What an operation passes on to an input is the gradient that came in, times how fast its own result changes with that input.`,
    ],
  ];
}

/** What one backward step does: the rule, the product, the sum. */
export function shareLines(k) {
  const {result, source, is_factor: isFactor} = SHARES[k];
  const g = gradientText(result);
  const share = shareText(k);
  const lines = [
    [
      ruleWithNumbers(k),
      isFactor
        ? `the rule: how fast ${label(result)} changes per unit of ${label(source)}${nudged(k)}`
        : `the rule; g is the incoming gradient, of ${label(result)}`,
    ],
  ];
  if (run.factor[k] !== null) {
    lines.push([
      `${bracketed(format(run.factor[k]))} × ${bracketed(g)} = ${share}`,
      `times the incoming gradient: that of ${label(result)}, ${g}`,
    ]);
  } else {
    if (isFactor) lines.push([`× gradient of ${label(result)}`, `number by number; the incoming gradient: ${g}`]);
    if (isFactor && NODES[result].form !== NODES[source].form)
      lines.push(["added up", `as ${label(source)} was stretched to the shape of ${label(result)}`]);
    if (SHARES_OF[source].length > 1)
      lines.push([share, `the share of ${label(source)}, ${NODES[source].form || "a scalar"}`]);
  }
  lines.push(...sumLines(k));
  return lines;
}

/** A try of a rule: what the result of one operation is, if one of its inputs is a little larger. */
function nudged(k) {
  const {result, operand, source} = SHARES[k];
  const {formula, inputs} = NODES[result];
  if (TRACE.fixed) return "";
  const values = inputs.map((i) => run.value[i][0]);
  const h = smallStep(values[operand]);
  const moved = FORMULAS[formula].forward(...values.map((x, i) => (i === operand ? x + h : x)));
  const [before, after] = [run.value[result][0], moved].map((x) => Number(x.toPrecision(6)));
  return Number.isFinite(after) ? `. Try: ${label(source)} + ${h} makes ${after} of ${before}` : "";
}

const smallStep = (x) => 0.01 * Math.max(1, 10 ** Math.floor(Math.log10(Math.abs(x) || 1)));

/** How the share joins those before it. */
function sumLines(k) {
  const source = SHARES[k].source;
  const uses = SHARES_OF[source];
  const nth = uses.indexOf(k);
  const name = label(source);
  const total = totalText(k);
  const left = uses.length - nth - 1;
  const more = left ? `${name} is used ${times(uses.length)}, and gets a share from each use: ${left} to come.` : "";
  if (!nth)
    return [
      [
        `gradient of ${name} ${left ? "so far " : ""}= ${total}`,
        more || `${name} is used once: this is its whole gradient.`,
      ],
    ];
  const sum = isScalar(source)
    ? `${show(run.total[uses[nth - 1]])} + ${bracketed(show(run.share[k]))} = ${total}`
    : `so far + share = ${total}`;
  return [
    [
      `gradient of ${name} ${left ? "so far " : ""}= ${sum}`,
      more ||
        `${name} is used ${times(uses.length)}: a change of it reaches ${label(OUTPUT)} on each of these ways, and the effects add up.`,
    ],
  ];
}

export function endLines() {
  const leaves = NODES.map((_, i) => i).filter((i) => isInput(i) && run.gradient[i]);
  const size = (i) => Math.max(...run.gradient[i].map(Math.abs));
  const most = leaves.length > 12 ? [...leaves].sort((i, k) => size(k) - size(i)).slice(0, 12) : leaves;
  const lines = most.map((i) => [`gradient of ${label(i)} = ${gradientText(i)}`, meaning(i)]);
  if (most.length < leaves.length) lines.push(["…", `the largest of ${leaves.length}`]);
  return lines;
}

/** What a gradient says about the output; tried out where the page can compute. */
function meaning(i) {
  const name = label(i);
  const output = label(OUTPUT);
  const g = run.gradient[i][0];
  if (!isScalar(i) || !Number.isFinite(g)) return "";
  const change = g > 0 ? `rises by about ${format(g)}` : g < 0 ? `falls by about ${format(-g)}` : "does not change";
  const says = `${output} ${change} per unit that ${name} rises`;
  if (TRACE.fixed) return `${says}.`;
  const x = run.value[i][0];
  const h = smallStep(x);
  const inputs = new Map(
    NODES.map((_, k) => k)
      .filter(isInput)
      .map((k) => [k, run.value[k][0]]),
  );
  const moved = forward(inputs.set(i, x + h))[OUTPUT];
  return `${says}. Try: ${name} = ${Number((x + h).toPrecision(8))} gives ${output} = ${Number(moved.toPrecision(6))}, a change of ${format(moved - run.value[OUTPUT][0])}; the gradient says ${format(g * h)}.`;
}
