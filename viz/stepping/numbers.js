// How numbers are shown.

/** A number at 4 significant digits, as Python's format(x, ".4g") writes it; -0 is 0. */
export function format(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  if (x === 0) return "0";
  let [mantissa, exponent] = x.toExponential(3).split("e");
  const [digits, full] = x.toExponential(40).split("e");
  const below = digits.slice(0, -37);
  if (/^50*$/.test(digits.slice(-37)) && "02468".includes(below.at(-1))) {
    [mantissa, exponent] = [below, full]; // a tie: Python rounds to the even digit, JavaScript away from 0
  }
  exponent = Number(exponent);
  mantissa = String(Number(mantissa));
  if (exponent >= -4 && exponent < 4) return String(Number(`${mantissa}e${exponent}`));
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** A number as the graph shows it, with a real minus sign; formulas are typed with hyphens. */
export const signed = (x) => format(x).replaceAll("-", "−");

/** A scalar's number, or what an array's are like. */
export function show(numbers) {
  if (numbers.length === 1) return format(numbers[0]);
  return numbers.length ? ["mean", "min", "max"].map((what, i) => `${what} ${format(numbers[i])}`).join(", ") : "empty";
}
