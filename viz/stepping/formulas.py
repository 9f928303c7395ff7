"""The rules of operations as a page needs them: as text to fill with names or numbers, and as JavaScript to compute with.

The text is the op's own formula. The JavaScript is a table beside it, as a browser cannot run NumPy; the tests hold each
entry against the engine's numbers, in a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tinygrad_edu import Op


class Formula(NamedTuple):
    """An operation on single numbers, in JavaScript.

    Args:
        arguments: what the inputs are called below; further words are the operation's keyword parameters.
        forward: the result y.
        derivatives: of y by each input, which may use y.
    """

    arguments: str
    forward: str
    derivatives: tuple[str, ...]


FORMULAS = {
    "add": Formula("a, b", "a + b", ("1", "1")),
    "subtract": Formula("a, b", "a - b", ("1", "-1")),
    "multiply": Formula("a, b", "a * b", ("b", "a")),
    "divide": Formula("a, b", "a / b", ("1 / b", "-y / b")),
    "power": Formula("a, b", "power(a, b)", ("b * power(a, lowered(a, b))", "y * log(a === 0 && b >= 0 ? 1 : a)")),
    "negative": Formula("x", "-x", ("-1",)),
    "positive": Formula("x", "x", ("1",)),
    "abs": Formula("x", "abs(x)", ("sign(x)",)),
    "sign": Formula("x", "sign(x)", ("0",)),
    "sqrt": Formula("x", "sqrt(x)", ("1 / (2 * y)",)),
    "cbrt": Formula("x", "cbrt(x)", ("1 / (3 * y * y)",)),
    "square": Formula("x", "x * x", ("2 * x",)),
    "hypot": Formula("a, b", "hypot(a, b)", ("y === 0 ? 0 : a / y", "y === 0 ? 0 : b / y")),
    "exp": Formula("x", "exp(x)", ("y",)),
    "exp2": Formula("x", "2 ** x", ("y * LN2",)),
    "expm1": Formula("x", "expm1(x)", ("exp(x)",)),
    "log": Formula("x", "log(x)", ("1 / x",)),
    "log1p": Formula("x", "log1p(x)", ("1 / (1 + x)",)),
    "log2": Formula("x", "log2(x)", ("1 / (x * LN2)",)),
    "log10": Formula("x", "log10(x)", ("1 / (x * LN10)",)),
    "logaddexp": Formula("a, b", "max(a, b) + softplus(-abs(a - b))", ("sigmoid(a - b)", "sigmoid(b - a)")),
    "logaddexp2": Formula(
        "a, b", "max(a, b) + softplus(-abs(a - b) * LN2) / LN2", ("sigmoid((a - b) * LN2)", "sigmoid((b - a) * LN2)")
    ),
    "sin": Formula("x", "sin(x)", ("cos(x)",)),
    "cos": Formula("x", "cos(x)", ("-sin(x)",)),
    "tan": Formula("x", "tan(x)", ("1 + y * y",)),
    "arcsin": Formula("x", "asin(x)", ("1 / sqrt((1 - x) * (1 + x))",)),
    "arccos": Formula("x", "acos(x)", ("-1 / sqrt((1 - x) * (1 + x))",)),
    "arctan": Formula("x", "atan(x)", ("1 / (1 + x * x)",)),
    "arctan2": Formula(
        "a, b", "atan2(a, b)", ("over(over(b, hypot(a, b)), hypot(a, b))", "-over(over(a, hypot(a, b)), hypot(a, b))")
    ),
    "sinh": Formula("x", "sinh(x)", ("cosh(x)",)),
    "cosh": Formula("x", "cosh(x)", ("sinh(x)",)),
    "tanh": Formula("x", "tanh(x)", ("1 - y * y",)),
    "arcsinh": Formula("x", "asinh(x)", ("1 / hypot(x, 1)",)),
    "arccosh": Formula("x", "acosh(x)", ("1 / (sqrt(x - 1) * sqrt(x + 1))",)),
    "arctanh": Formula("x", "atanh(x)", ("1 / ((1 - x) * (1 + x))",)),
    "sigmoid": Formula("x", "sigmoid(x)", ("y / (1 + exp(x))",)),
    "softplus": Formula("x", "softplus(x)", ("sigmoid(x)",)),
    "softsign": Formula("x", "x / (1 + abs(x))", ("1 / (1 + abs(x)) ** 2",)),
    "logit": Formula("x", "log(x / (1 - x))", ("1 / (x * (1 - x))",)),
    "relu": Formula("x", "max(x, 0)", ("x > 0 ? 1 : 0",)),
    "leaky_relu": Formula("x, negative_slope", "x > 0 ? x : negative_slope * x", ("x > 0 ? 1 : negative_slope",)),
    "elu": Formula("x, alpha", "x > 0 ? x : alpha * expm1(x)", ("x > 0 ? 1 : alpha * exp(x)",)),
    "hardtanh": Formula(
        "x, min_val, max_val", "min(max(x, min_val), max_val)", ("min_val < x && x < max_val ? 1 : 0",)
    ),
    "maximum": Formula("a, b", "max(a, b)", ("won(a, b)", "won(b, a)")),
    "minimum": Formula("a, b", "min(a, b)", ("won(b, a)", "won(a, b)")),
    "clip": Formula(
        "x, low, high",
        "min(max(x, low), high)",
        (
            "low <= x && x <= high ? 1 : 0",
            "x < low && low <= high ? 1 : 0",
            "x > high || low > high ? 1 : 0",
        ),
    ),
    "heaviside": Formula("a, b", "a < 0 ? 0 : a > 0 ? 1 : a === 0 ? b : NaN", ("0", "a === 0 ? 1 : 0")),
    "floor": Formula("x", "floor(x)", ("0",)),
    "ceil": Formula("x", "ceil(x)", ("0",)),
    "trunc": Formula("x", "trunc(x)", ("0",)),
    "remainder": Formula("a, b", "modulo(a, b)", ("1", "-round((a - y) / b)")),
    "fmod": Formula("a, b", "a % b", ("1", "-round((a - y) / b)")),
}

_HELPERS = """\
const {LN2, LN10, abs, acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, ceil, cos, cosh, exp, expm1, floor, hypot, log,
  log10, log1p, log2, max, min, round, sign, sin, sinh, sqrt, tan, tanh, trunc} = Math;
const power = (a, b) => a === 1 || (a === -1 && abs(b) === Infinity) ? 1 : a ** b;
const lowered = (a, b) => a === 0 && b === 0 ? 0 : b - 1;
const sigmoid = (x) => 1 / (1 + exp(-x));
const softplus = (x) => max(x, 0) + log1p(exp(-abs(x)));
const won = (a, b) => a > b ? 1 : a === b ? 0.5 : 0;
const modulo = (a, b) => a % b !== 0 && a % b < 0 !== b < 0 ? a % b + b : a % b;
const over = (a, b) => b === 0 ? 0 : a / b;
"""


def javascript(names: Iterable[str]) -> str:
    """FORMULAS, a JavaScript object of the operations of these names as functions: forward(...) and derivatives[i](y, ...)."""
    rows = []
    for name in sorted(set(names)):
        arguments, forward, derivatives = FORMULAS[name]
        each = ", ".join(f"(y, {arguments}) => {derivative}" for derivative in derivatives)
        rows.append(f"  {name}: {{forward: ({arguments}) => {forward}, derivatives: [{each}]}},\n")
    return f"{_HELPERS}const FORMULAS = {{\n{''.join(rows)}}};\n"


def parameters_of(name: str, count: int) -> list[str]:
    """The keyword parameters that the formula takes after its `count` inputs."""
    return FORMULAS[name].arguments.split(", ")[count:]


def rule_text(op: Op, i: int) -> str:
    """The formula of the rule for input i, with {0}, {1}, ... in place of the inputs and {y} of the result; "" without a rule.

    >>> from tinygrad_edu import tanh
    >>> rule_text(tanh.op, 0)
    '1 - {y}²'
    """
    rule = op.shares or op.rules[i]
    if rule is None:
        return ""
    places = {"y": "{y}"}
    places |= {name[0].upper(): f"{{{k}}}" for k, name in enumerate(op.arrays) if len(name) > 1}  # W is the weight
    places |= {name: f"{{{k}}}" for k, name in enumerate(op.arrays)}
    pattern = rf"(\d?)(?<![A-Za-z_])({'|'.join(sorted(places, key=len, reverse=True))})(?![A-Za-z_])"
    return re.sub(pattern, lambda match: f"{match[1]}{'·' * bool(match[1])}{places[match[2]]}", rule.formula)
