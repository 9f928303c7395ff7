"""Typesetting: an expression as mathematics, in plain text, LaTeX and MathML, from one walk over its Terms.

`typeset` decides what belongs together: products and sums are flattened, equal factors become powers, a product with a condition
reads "x if c, else 0". A `Notation` says how each construct is written, and puts brackets where its own looks need them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from .term import Term

# How tightly the parts of an expression hold together, loosest first.
CASES, LOGIC, COMPARISON, SUM, PRODUCT, PREFIX, POWER, ATOM = range(8)


class Piece(NamedTuple):
    """A piece that is set: how it is written, and how tightly it holds together."""

    text: str
    hold: int


_CONSTANTS = {  # numbers that have a name
    math.pi: "π",
    math.e: "e",
    math.log(2): "ln 2",
    math.log(10): "ln 10",
    2 / math.sqrt(math.pi): "2/√π",
    math.sqrt(2 * math.pi): "√(2π)",
    math.inf: "∞",
}
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "eps": "ε",
    "theta": "θ",
    "mu": "μ",
    "sigma": "σ",
    "tau": "τ",
    "rho": "ρ",
    "sigmoid": "σ",
}
_COMPARED = {"less": "<", "less_equal": "≤", "greater": ">", "greater_equal": "≥", "equal": "=", "not_equal": "≠"}
_LOGIC = {"bitwise_and": " and ", "bitwise_or": " or ", "logical_and": " and ", "logical_or": " or "}
_AROUND = {"abs": "||", "floor": "⌊⌋", "ceil": "⌈⌉"}
_SPOKEN = {"log": "ln", "log2": "log₂", "log10": "log₁₀"}
_SHAPED = {"reshape", "broadcast_to", "astype", "positive", "expand_dims", "squeeze", "ravel"}  # of the same numbers


class Notation:
    """Plain text, one line; other notations differ in what they override."""

    product, product_sign = " · ", "×"

    def number(self, x: float) -> Piece:
        """A number; by name, if it has one."""
        if x in _CONSTANTS:
            return Piece(_CONSTANTS[x], ATOM if len(_CONSTANTS[x]) < 3 else PREFIX)
        text = f"{x:.6g}"
        for bottom in (2, 3, 4, 8):
            if not float(x).is_integer() and float(x * bottom).is_integer():
                return Piece(f"{int(x * bottom)}/{bottom}", PRODUCT)
        return Piece(text, ATOM if x >= 0 else PREFIX)

    def name(self, name: str) -> Piece:
        """A variable or function."""
        return Piece(_GREEK.get(name, name), ATOM)

    def brackets(self, x: Piece, hold: int) -> str:
        """In brackets, unless it holds together as tightly as that."""
        return x.text if x.hold >= hold else self.around("()", x).text

    def around(self, pair: str, x: Piece) -> Piece:
        """Between a pair of delimiters."""
        return Piece(f"{pair[0]}{x.text}{pair[1]}", ATOM)

    def infix(self, sign: str, a: str, b: str, hold: int) -> Piece:
        """Two pieces with a sign between them."""
        return Piece(f"{a}{sign}{b}", hold)

    def minus(self, x: Piece) -> Piece:
        """With a minus sign in front."""
        return Piece(f"-{self.brackets(x, PRODUCT)}", PRODUCT)

    def times(self, number: Piece | None, factors: Sequence[Piece]) -> Piece:
        """A number and factors, multiplied."""
        texts = [self.brackets(x, PREFIX) for x in factors]
        if number is None:
            return factors[0] if len(factors) == 1 else Piece(self.product.join(texts), PRODUCT)
        if not factors:
            return number
        apart = number.hold < ATOM or (not texts[0][:1].isalpha() and texts[0][:1] not in "√(|⌊⌈\\")
        glue = self.product if apart else ""
        return Piece(f"{self.brackets(number, PREFIX)}{glue}{self.product.join(texts)}", PRODUCT)

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        """A quotient."""
        return Piece(f"{self.brackets(top, PRODUCT)} / {self.brackets(bottom, PREFIX)}", PRODUCT)

    def power(self, base: Piece, exponent: Piece) -> Piece:
        """A power; whole numbers as superscripts."""
        if exponent.text.lstrip("-").isdigit():
            return Piece(f"{self.brackets(base, ATOM)}{exponent.text.translate(_SUPERSCRIPTS)}", POWER)
        return Piece(f"{self.brackets(base, ATOM)}^{self.brackets(exponent, ATOM)}", POWER)

    def root(self, x: Piece, degree: str = "") -> Piece:
        """A square root, or a third one."""
        return Piece(f"{'∛' if degree else '√'}{self.brackets(x, ATOM)}", POWER)

    def call(self, function: str, args: Sequence[Piece]) -> Piece:
        """A function of arguments."""
        return Piece(f"{function}({', '.join(x.text for x in args)})", ATOM)

    def spoken(self, function: str, x: Piece) -> Piece:
        """A function as ln x, without brackets where it can."""
        return Piece(f"{function} {x.text}", PREFIX) if x.hold == ATOM else self.call(function, [x])

    def transposed(self, x: Piece) -> Piece:
        """A matrix transposed."""
        return Piece(f"{self.brackets(x, ATOM)}ᵀ", POWER)

    def cases(self, pairs: Sequence[tuple[Piece, Piece]], otherwise: Piece) -> Piece:
        """What holds under conditions, and what holds otherwise."""
        parts = [f"{value.text} if {condition.text}" for value, condition in pairs]
        return Piece(f"{', '.join(parts)}, else {otherwise.text}", CASES)

    def summed(self, x: Piece) -> Piece:
        """A sum over axes."""
        return Piece(f"Σ {x.text}" if x.hold >= PREFIX else f"Σ({x.text})", PREFIX)


_LATEX_NAMES = {
    "π": r"\pi",
    "∞": r"\infty",
    "2/√π": r"\frac{2}{\sqrt{\pi}}",
    "√(2π)": r"\sqrt{2\pi}",
    "ln 2": r"\ln 2",
    "ln 10": r"\ln 10",
    "e": "e",
}
_LATEX_SIGNS = {
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "<": "<",
    ">": ">",
    "=": "=",
    " and ": r"\text{ and }",
    " or ": r"\text{ or }",
    " @ ": r" \, ",
    " + ": " + ",
    " - ": " - ",
}
_LATEX_DELIMITERS = {"(": "(", ")": ")", "|": "|", "⌊": r"\lfloor ", "⌋": r" \rfloor", "⌈": r"\lceil ", "⌉": r" \rceil"}
_LATEX_GREEK = {letter: name for name, letter in _GREEK.items() if name != "sigmoid"} | {"ε": "varepsilon"}
_LATEX_KNOWN = {"sin", "cos", "tan", "sinh", "cosh", "tanh", "ln", "exp", "min", "max", "det"}


class Latex(Notation):
    """LaTeX, for the inside of a formula."""

    product = r" \cdot "

    def number(self, x: float) -> Piece:
        plain = super().number(x)
        if plain.text in _LATEX_NAMES:
            return Piece(_LATEX_NAMES[plain.text], plain.hold)
        top, slash, bottom = plain.text.partition("/")
        return Piece(rf"\frac{{{top}}}{{{bottom}}}", ATOM) if slash else plain

    def name(self, name: str) -> Piece:
        text = _GREEK.get(name, name)
        if text in _LATEX_GREEK:
            return Piece(f"\\{_LATEX_GREEK[text]}", ATOM)
        escaped = name.replace("_", r"\_")
        return Piece(escaped if len(name) == 1 else rf"\mathrm{{{escaped}}}", ATOM)

    def around(self, pair: str, x: Piece) -> Piece:
        left, right = [_LATEX_DELIMITERS[c] for c in pair]
        return Piece(rf"\left{left}{x.text}\right{right}", ATOM)

    def infix(self, sign: str, a: str, b: str, hold: int) -> Piece:
        return Piece(f"{a} {_LATEX_SIGNS.get(sign, _LATEX_SIGNS.get(sign.strip(), sign)).strip()} {b}", hold)

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        return Piece(rf"\frac{{{top.text}}}{{{bottom.text}}}", PREFIX)

    def power(self, base: Piece, exponent: Piece) -> Piece:
        return Piece(f"{self.brackets(base, ATOM)}^{{{exponent.text}}}", POWER)

    def root(self, x: Piece, degree: str = "") -> Piece:
        return Piece(rf"\sqrt{f'[{degree}]' if degree else ''}{{{x.text}}}", ATOM)

    def call(self, function: str, args: Sequence[Piece]) -> Piece:
        inside = ", ".join(x.text for x in args)
        return Piece(rf"{self._function(function)}\left({inside}\right)", ATOM)

    def spoken(self, function: str, x: Piece) -> Piece:
        return Piece(f"{self._function(function)} {x.text}", PREFIX) if x.hold == ATOM else self.call(function, [x])

    def _function(self, name: str) -> str:
        if name in _LATEX_KNOWN:
            return f"\\{name}"
        if name == "σ":
            return r"\sigma"
        special = {"log₂": r"\log_{2}", "log₁₀": r"\log_{10}"}
        escaped = name.replace("_", r"\_")
        return special.get(name, rf"\operatorname{{{escaped}}}")

    def transposed(self, x: Piece) -> Piece:
        return Piece(rf"{self.brackets(x, ATOM)}^{{\top}}", POWER)

    def cases(self, pairs: Sequence[tuple[Piece, Piece]], otherwise: Piece) -> Piece:
        rows = [rf"{value.text} & \text{{if }} {condition.text}" for value, condition in pairs]
        rows.append(rf"{otherwise.text} & \text{{else}}")
        inside = r" \\ ".join(rows)
        return Piece(rf"\begin{{cases}} {inside} \end{{cases}}", ATOM)

    def summed(self, x: Piece) -> Piece:
        return Piece(rf"\sum {self.brackets(x, PREFIX)}", PREFIX)


class MathML(Notation):
    """Presentation MathML, for the inside of a <math> element. Every piece is one element."""

    def _row(self, *parts: str) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"

    def _sign(self, sign: str) -> str:
        text = {"-": "−", "@": "⁢"}.get(sign.strip(), sign.strip())
        return f"<mtext> {text} </mtext>" if text.isalpha() else f"<mo>{escape(text)}</mo>"

    def number(self, x: float) -> Piece:
        plain = super().number(x)
        top, slash, bottom = plain.text.partition("/")
        if plain.text == "2/√π":
            return Piece("<mfrac><mn>2</mn><msqrt><mi>π</mi></msqrt></mfrac>", ATOM)
        if plain.text == "√(2π)":
            return Piece("<msqrt><mn>2</mn><mi>π</mi></msqrt>", ATOM)
        if slash:
            number = f"<mfrac><mn>{top.lstrip('-')}</mn><mn>{bottom}</mn></mfrac>"
            return Piece(self._row("<mo>−</mo>", number) if x < 0 else number, ATOM if x > 0 else PREFIX)
        if plain.text.startswith("ln"):
            return Piece(self._row("<mi>ln</mi>", "<mo>⁡</mo>", f"<mn>{plain.text[3:]}</mn>"), PREFIX)
        if plain.text in ("π", "∞", "e"):
            return Piece(f"<mi>{plain.text}</mi>", ATOM)
        text = f"<mn>{plain.text.lstrip('-')}</mn>"
        return Piece(self._row("<mo>−</mo>", text) if x < 0 else text, plain.hold)

    def name(self, name: str) -> Piece:
        return Piece(f"<mi>{escape(_GREEK.get(name, name))}</mi>", ATOM)

    def around(self, pair: str, x: Piece) -> Piece:
        return Piece(self._row(f"<mo>{pair[0]}</mo>", x.text, f"<mo>{pair[1]}</mo>"), ATOM)

    def infix(self, sign: str, a: str, b: str, hold: int) -> Piece:
        return Piece(self._row(a, self._sign(sign), b), hold)

    def minus(self, x: Piece) -> Piece:
        return Piece(self._row("<mo>−</mo>", self.brackets(x, PRODUCT)), PRODUCT)

    def times(self, number: Piece | None, factors: Sequence[Piece]) -> Piece:
        if number is None and len(factors) == 1:
            return factors[0]
        if not factors and number is not None:
            return number
        texts = [self.brackets(x, PREFIX) for x in ([] if number is None else [number]) + list(factors)]
        glue = ["<mo>⁢</mo>" if i == 1 and number is not None else "<mo>·</mo>" for i in range(len(texts))]
        return Piece(
            self._row(texts[0], *[part for i in range(1, len(texts)) for part in (glue[i], texts[i])]), PRODUCT
        )

    def fraction(self, top: Piece, bottom: Piece) -> Piece:
        return Piece(f"<mfrac>{top.text}{bottom.text}</mfrac>", PREFIX)

    def power(self, base: Piece, exponent: Piece) -> Piece:
        return Piece(f"<msup>{self.brackets(base, ATOM)}{exponent.text}</msup>", POWER)

    def root(self, x: Piece, degree: str = "") -> Piece:
        text = f"<mroot>{x.text}<mn>{degree}</mn></mroot>" if degree else f"<msqrt>{x.text}</msqrt>"
        return Piece(text, ATOM)

    def call(self, function: str, args: Sequence[Piece]) -> Piece:
        inside = "<mo>,</mo>".join(x.text for x in args)
        return Piece(self._row(f"<mi>{escape(function)}</mi>", "<mo>⁡</mo>", f"<mo>(</mo>{inside}<mo>)</mo>"), ATOM)

    def spoken(self, function: str, x: Piece) -> Piece:
        plain = self._row(f"<mi>{escape(function)}</mi>", "<mo>⁡</mo>", x.text)
        return Piece(plain, PREFIX) if x.hold == ATOM else self.call(function, [x])

    def transposed(self, x: Piece) -> Piece:
        return Piece(f"<msup>{self.brackets(x, ATOM)}<mo>⊤</mo></msup>", POWER)

    def cases(self, pairs: Sequence[tuple[Piece, Piece]], otherwise: Piece) -> Piece:
        rows = [
            f"<mtr><mtd>{value.text}</mtd><mtd><mtext>if&#160;</mtext>{when.text}</mtd></mtr>" for value, when in pairs
        ]
        rows.append(f"<mtr><mtd>{otherwise.text}</mtd><mtd><mtext>else</mtext></mtd></mtr>")
        return Piece(self._row("<mo>{</mo>", '<mtable displaystyle="true">' + "".join(rows) + "</mtable>"), ATOM)

    def summed(self, x: Piece) -> Piece:
        return Piece(self._row("<mo>∑</mo>", self.brackets(x, PREFIX)), PREFIX)


TEXT, LATEX, MATHML = Notation(), Latex(), MathML()


class Product(NamedTuple):
    """A product: a number, factors with their exponents, and conditions, which are 1 or 0."""

    number: float
    factors: dict[str, tuple[Any, float]]  # by their text, so that equal ones meet
    conditions: list[Term]


def is_number(x: Any) -> bool:
    """Whether x is a single plain number."""
    return not isinstance(x, (Term, bool, np.bool_, str, tuple, list)) and x is not None and np.ndim(x) == 0


def product_of(x: Any) -> Product:
    """x taken apart into factors."""
    found = Product(1.0, {}, [])
    return _multiplied(found, x, 1.0)


def _multiplied(found: Product, x: Any, exponent: float) -> Product:
    """`found` times x**exponent."""
    name = x.name if isinstance(x, Term) and x.function is not None else ""
    if is_number(x) and x not in _CONSTANTS:
        return (
            found._replace(number=found.number * float(x) ** exponent)
            if x or exponent > 0
            else _factor(found, x, exponent)
        )
    if name == "multiply":
        return _multiplied(_multiplied(found, x.args[0], exponent), x.args[1], exponent)
    if name == "divide":
        return _multiplied(_multiplied(found, x.args[0], exponent), x.args[1], -exponent)
    if name == "reciprocal":
        return _multiplied(found, x.args[0], -exponent)
    if name == "negative":
        return _multiplied(found._replace(number=-found.number), x.args[0], exponent)
    if name == "square":
        return _multiplied(found, x.args[0], 2 * exponent)
    if name == "power" and is_number(x.args[1]) and float(x.args[1]).is_integer():
        return _multiplied(found, x.args[0], exponent * float(x.args[1]))
    if name in _SHAPED:
        return _multiplied(found, x.args[0], exponent)
    if isinstance(x, Term) and x.dtype == bool and exponent == 1:
        return found._replace(conditions=[*found.conditions, x])
    return _factor(found, x, exponent)


def _factor(found: Product, x: Any, exponent: float) -> Product:
    key = typeset(x, TEXT).text
    _, before = found.factors.get(key, (x, 0.0))
    factors = {**found.factors, key: (x, before + exponent)}
    if not before + exponent:
        del factors[key]
    return found._replace(factors=factors)


def terms_of(x: Any, sign: float = 1.0) -> list[tuple[float, Any]]:
    """A sum taken apart: (1 or -1, summand) each."""
    if isinstance(x, Term) and x.name in ("add", "subtract"):
        second = sign if x.name == "add" else -sign
        return terms_of(x.args[0], sign) + terms_of(x.args[1], second)
    if isinstance(x, Term) and x.name == "negative":
        return terms_of(x.args[0], -sign)
    return [(sign, x)]


def typeset(x: Any, notation: Notation = TEXT) -> Piece:
    """An expression in a notation."""
    if isinstance(x, (bool, np.bool_)):
        return notation.number(float(x))
    if is_number(x):
        return notation.number(float(x))
    if not isinstance(x, Term):
        return notation.name("array" if isinstance(x, np.ndarray) else str(x))
    if x.function is None:
        return notation.name(x.name)
    if x.name in ("add", "subtract"):
        return _sum(x, notation)
    if x.name in ("multiply", "divide", "negative", "square", "reciprocal", "power", *_SHAPED):
        return _product(x, notation)
    return _function(x, notation)


def _sum(x: Term, n: Notation) -> Piece:
    total: Piece | None = None
    parts = terms_of(x)
    if parts[0][0] < 0:  # start with what is added, if there is any
        parts = sorted(parts, key=lambda part: part[0] < 0)
    for sign, part in parts:
        product = product_of(part)
        negative = (product.number < 0) != (sign < 0) and not product.conditions
        piece = _of(product._replace(number=abs(product.number)), n) if not product.conditions else typeset(part, n)
        if product.conditions and sign < 0:
            negative = True
        if total is None:
            total = n.minus(piece) if negative else piece
        else:
            total = n.infix(" - " if negative else " + ", n.brackets(total, SUM), n.brackets(piece, PRODUCT), SUM)
    assert total is not None
    return total


def _product(x: Term, n: Notation) -> Piece:
    if x.name == "power" and not (is_number(x.args[1]) and float(x.args[1]).is_integer()):
        return n.power(typeset(x.args[0], n), typeset(x.args[1], n))
    return _of(product_of(x), n)


def _of(product: Product, n: Notation) -> Piece:
    """A product, set."""
    if product.conditions:
        value = _of(product._replace(conditions=[]), n)
        return n.cases([(value, _all(product.conditions, n))], n.number(0.0))
    above = [_power(base, exponent, n) for base, exponent in product.factors.values() if exponent > 0]
    below = [_power(base, -exponent, n) for base, exponent in product.factors.values() if exponent < 0]
    size = abs(product.number)
    if not float(size).is_integer() and float(1 / size).is_integer() and (below or above):
        top, bottom = 1.0, 1 / size
    else:
        top, bottom = size, 1.0
    number = None if top == 1 and above else n.number(top)
    whole = n.times(number, above) if above or number else n.number(1.0)
    if below or bottom != 1:
        whole = n.fraction(whole, n.times(n.number(bottom) if bottom != 1 else None, below))
    return n.minus(whole) if product.number < 0 else whole


def _power(base: Any, exponent: float, n: Notation) -> Piece:
    piece = typeset(base, n)
    return piece if exponent == 1 else n.power(piece, n.number(exponent))


def _all(conditions: list[Term], n: Notation) -> Piece:
    whole = typeset(conditions[0], n)
    for condition in conditions[1:]:
        other = typeset(condition, n)
        whole = n.infix(" and ", n.brackets(whole, LOGIC), n.brackets(other, LOGIC), LOGIC)
    return whole


def _function(x: Term, n: Notation) -> Piece:
    """A function that is no product and no sum."""
    name = x.name
    if name in _SETTERS:
        return _SETTERS[name](x, n)
    args = [typeset(arg, n) for arg in x.args if not callable(arg)]
    if name in _COMPARED:
        return n.infix(f" {_COMPARED[name]} ", n.brackets(args[0], SUM), n.brackets(args[1], SUM), COMPARISON)
    if name in _LOGIC:
        return n.infix(_LOGIC[name], n.brackets(args[0], LOGIC), n.brackets(args[1], LOGIC), LOGIC)
    if name in _AROUND:
        return n.around(_AROUND[name], args[0])
    if name in _SPOKEN:
        return n.spoken(_SPOKEN[name], args[0])
    return n.call(_GREEK.get(name, name), args)


def _where(x: Term, n: Notation) -> Piece:
    pairs = []
    rest: Any = x
    while isinstance(rest, Term) and rest.name == "where":
        condition, value, rest = rest.args
        pairs.append((typeset(value, n), typeset(condition, n)))
    return n.cases(pairs, typeset(rest, n))


def _matmul(x: Term, n: Notation) -> Piece:
    a, b = [typeset(arg, n) for arg in x.args]
    return n.infix(" @ ", n.brackets(a, PRODUCT), n.brackets(b, PREFIX), PRODUCT)


def _getitem(x: Term, n: Notation) -> Piece:
    index = x.params.get("index", x.args[1] if len(x.args) > 1 else None)
    parts = index if isinstance(index, tuple) else (index,)
    whole = all(part is None or part is ... or (isinstance(part, slice) and part == slice(None)) for part in parts)
    operand = typeset(x.args[0], n)
    return operand if whole else n.call("part", [operand])  # the same numbers, perhaps with more axes


_SETTERS: dict[str, Callable[[Term, Notation], Piece]] = {
    "where": _where,
    "matmul": _matmul,
    "getitem": _getitem,
    "sqrt": lambda x, n: n.root(typeset(x.args[0], n)),
    "cbrt": lambda x, n: n.root(typeset(x.args[0], n), "3"),
    "exp": lambda x, n: n.power(n.name("e"), typeset(x.args[0], n)),
    "exp2": lambda x, n: n.power(n.number(2.0), typeset(x.args[0], n)),
    "hypot": lambda x, n: n.root(_squares(x, n)),
    "sum": lambda x, n: n.summed(typeset(x.args[0], n)),
    "transpose": lambda x, n: n.transposed(typeset(x.args[0], n)),
    "matrix_transpose": lambda x, n: n.transposed(typeset(x.args[0], n)),
    "invert": lambda x, n: n.call("not", [typeset(x.args[0], n)]),
}


def _squares(x: Term, n: Notation) -> Piece:
    a, b = [_power(arg, 2.0, n) if not is_number(arg) else n.number(float(arg) ** 2) for arg in x.args]
    return n.infix(" + ", a.text, b.text, SUM)
