// Numbers: as they are shown, as the engine recorded them, and as the page computes them from other inputs.

/** A number at 4 significant digits, as Python's format(x, ".4g") writes it; -0 is 0. */
function format(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (x === 0) return "0";
  let [mantissa, exponent] = x.toExponential(3).split("e");
  const [digits, full] = x.toExponential(40).split("e");
  const below = digits.slice(0, -37);
  if (/^50*$/.test(digits.slice(-37)) && "02468".includes(below.at(-1))) {
    [mantissa, exponent] = [below, full];  // a tie: Python rounds to the even digit, JavaScript away from 0
  }
  exponent = Number(exponent);
  mantissa = String(Number(mantissa));
  if (exponent >= -4 && exponent < 4) return String(Number(`${mantissa}e${exponent}`));
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** A number as the graph shows it, with a real minus sign; formulas are typed with hyphens. */
const signed = (x) => format(x).replaceAll("-", "−");

/** A scalar's number, or what an array's are like. */
function show(numbers) {
  if (numbers.length === 1) return format(numbers[0]);
  return numbers.length ? ["mean", "min", "max"].map((what, i) => `${what} ${format(numbers[i])}`).join(", ") : "empty";
}

const NODES = TRACE.nodes, SHARES = TRACE.backward;
const OUTPUT = NODES.length - 1;
const isInput = (i) => !NODES[i].op && NODES[i].kind !== "constant";

// For each node the shares that it gets, in the order of the backward pass.
const SHARES_OF = NODES.map(() => []);
SHARES.forEach((share, k) => SHARES_OF[share.source].push(k));

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
function forward(inputs) {
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
  const run = {value: value.map((x) => [x]), factor: [], share: [], total: []};
  gradient[OUTPUT] = 1;
  for (const {result, operand, source} of SHARES) {
    const {formula, inputs: operands} = NODES[result];
    const factor = Number(FORMULAS[formula].derivatives[operand](value[result], ...operands.map((k) => value[k])));
    let share = factor * gradient[result];
    if (Number.isNaN(share) && gradient[result] === 0) share = 0;  // as the engine: what gets no gradient passes none on
    gradient[source] = gradient[source] === null ? share : gradient[source] + share;
    run.factor.push(factor);
    run.share.push([share]);
    run.total.push([gradient[source]]);
  }
  run.gradient = gradient.map((g) => (g === null ? null : [g]));
  return run;
}

let run = recorded();
