// NumPy's functions of single numbers, under NumPy's names: what formulas on a page may call.
const {
  LN2,
  abs,
  atan2,
  cbrt,
  ceil,
  cos,
  cosh,
  exp,
  expm1,
  floor,
  hypot,
  log,
  log10,
  log1p,
  log2,
  sign,
  sin,
  sinh,
  sqrt,
  tan,
  tanh,
  trunc,
  PI,
} = Math;
export const np = {
  abs,
  cbrt,
  ceil,
  cos,
  cosh,
  exp,
  expm1,
  floor,
  hypot,
  log,
  log10,
  log1p,
  log2,
  sign,
  sin,
  sinh,
  sqrt,
  tan,
  tanh,
  trunc,
  arccos: Math.acos,
  arccosh: Math.acosh,
  arcsin: Math.asin,
  arcsinh: Math.asinh,
  arctan: Math.atan,
  arctan2: atan2,
  arctanh: Math.atanh,
  bitwise_not: (x) => !x,
  clip: (x, low, high) => Math.min(Math.max(x, low), high),
  copysign: (a, b) => (b < 0 || Object.is(b, -0) ? -abs(a) : abs(a)),
  deg2rad: (x) => x * (PI / 180),
  erf: (x) => (x < 0 ? -np.erf(-x) : x > 1 ? 1 - np.erfc(x) : erfSeries(x)),
  erfc: (x) => (x < 0 ? 2 - np.erfc(-x) : x <= 1 ? 1 - erfSeries(x) : x > 30 ? 0 : erfcFraction(x)),
  exp2: (x) => 2 ** x,
  floor_divide: (a, b) =>
    b === 0
      ? a / b
      : Number.isFinite(a) && !Number.isFinite(b)
        ? floor(a / b) - (a !== 0 && a < 0 !== b < 0 && a / b === 0)
        : Math.round((a - np.remainder(a, b)) / b),
  fmax: (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b)),
  fmin: (a, b) => (Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.min(a, b)),
  fmod: (a, b) => a % b,
  heaviside: (a, b) => (a < 0 ? 0 : a > 0 ? 1 : a === 0 ? b : NaN),
  isfinite: (x) => Number.isFinite(x),
  isinf: (x) => abs(x) === Infinity,
  isnan: (x) => Number.isNaN(x),
  logaddexp: (a, b) => (a === b ? a + LN2 : Math.max(a, b) + log1p(exp(-abs(a - b)))),
  logaddexp2: (a, b) => (a === b ? a + 1 : Math.max(a, b) + log1p(2 ** -abs(a - b)) / LN2),
  max: (x) => x,
  maximum: (a, b) => Math.max(a, b),
  min: (x) => x,
  minimum: (a, b) => Math.min(a, b),
  nan_to_num: (x, {nan = 0, posinf = null, neginf = null} = {}) =>
    Number.isNaN(x)
      ? nan
      : x === Infinity
        ? (posinf ?? Number.MAX_VALUE)
        : x === -Infinity
          ? (neginf ?? -Number.MAX_VALUE)
          : x,
  positive: (x) => x,
  power: (a, b) => (a === 1 || (a === -1 && abs(b) === Infinity) ? 1 : a ** b),
  prod: (x) => x,
  rad2deg: (x) => x * (180 / PI),
  radial: (weight, x, length, p = 2) => {
    const divisor = length + (length === 0);
    return p === 2
      ? (x / divisor) * weight
      : weight * (sign(x) * (length !== 0) * (abs(x) / divisor + (x === 0)) ** (p - 1));
  },
  reciprocal: (x) => 1 / x,
  remainder: (a, b) => (a % b !== 0 && a % b < 0 !== b < 0 ? (a % b) + b : a % b),
  rint: (x) => (abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
  round: (x, decimals = 0) =>
    abs(x) === Infinity
      ? x
      : decimals >= 0
        ? np.rint(x * 10 ** decimals) / 10 ** decimals
        : np.rint(x / 10 ** -decimals) * 10 ** -decimals,
  sigmoid: (x) => 1 / (1 + exp(-x)),
  signbit: (x) => x < 0 || Object.is(x, -0),
  sinc: (x) => (x === 0 ? 1 : sin(PI * x) / (PI * x)),
  softplus: (x) => Math.max(x, 0) + log1p(exp(-abs(x))),
  square: (x) => x * x,
  sum: (x) => x,
  where: (condition, a, b) => (condition ? a : b),
};

/** erf of 0 to 1 by its series (Abramowitz & Stegun 7.1.6), whose terms are all positive. */
function erfSeries(x) {
  let term = x;
  let total = x;
  for (let n = 1; abs(term) > 1e-18 * abs(total); n++) total += term *= (2 * x * x) / (2 * n + 1);
  return (2 / sqrt(PI)) * exp(-x * x) * total;
}

/** erfc of more than 1 by its continued fraction (7.1.14), from far down. */
function erfcFraction(x) {
  let fraction = x;
  for (let n = 200; n > 0; n--) fraction = x + n / 2 / fraction;
  const rough = trunc(16 * x) / 16;
  return (exp(-rough * rough) * exp((rough - x) * (rough + x))) / sqrt(PI) / fraction;
}
