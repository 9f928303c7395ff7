"""Notations: how each construct of mathematics is written in plain text, LaTeX and MathML, and where brackets are needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

# How tightly the parts of an expression hold together, loosest first.
CASES, LOGIC, COMPARISON, SUM, PRODUCT, PREFIX, POWER, ATOM = range(8)


class Piece(NamedTuple):
    """A piece that is set: how it is written, and how tightly it holds together."""

    text: str
    hold: int


CONSTANTS = {  # numbers that have a name
    math.pi: "π",
    math.e: "e",
    math.log(2): "ln 2",
    math.log(10): "ln 10",
    2 / math.sqrt(math.pi): "2/√π",
    math.sqrt(2 * math.pi): "√(2π)",
    math.inf: "∞",
}
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
GREEK = {
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


class Notation:
    """Plain text, one line; other notations differ in what they override."""

    product, product_sign = " · ", "×"

    def number(self, x: float) -> Piece:
        """A number; by name, if it has one."""
        if x in CONSTANTS:
            return Piece(CONSTANTS[x], ATOM if len(CONSTANTS[x]) < 3 else PREFIX)
        text = f"{x:.6g}"
        for bottom in (2, 3, 4, 8):
            if not float(x).is_integer() and float(x * bottom).is_integer():
                return Piece(f"{int(x * bottom)}/{bottom}", PRODUCT)
        return Piece(text, ATOM if x >= 0 else PREFIX)

    def name(self, name: str) -> Piece:
        """A variable or function."""
        return Piece(GREEK.get(name, name), ATOM)

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

    def derivative(self, d: str, y: str, variables: Sequence[str]) -> str:
        """∂²y/∂a∂b, of the sign d or ∂."""
        return "/".join(self._differentials(d, y, variables))

    def _differentials(self, d: str, y: str, variables: Sequence[str]) -> tuple[str, str]:
        """What stands above and below the line of a derivative."""

        def times(x: Piece, count: int) -> str:
            return x.text if count == 1 else self.power(x, self.number(float(count))).text

        below = [d + times(self.name(name), variables.count(name)) for name in dict.fromkeys(variables)]
        return times(Piece(d, ATOM), len(variables)) + self.name(y).text, "".join(below)


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
_LATEX_GREEK = {letter: name for name, letter in GREEK.items() if name != "sigmoid"} | {"ε": "varepsilon"}
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
        text = GREEK.get(name, name)
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

    def derivative(self, d: str, y: str, variables: Sequence[str]) -> str:
        above, below = self._differentials({"∂": r"\partial "}.get(d, d), y, variables)
        return rf"\frac{{{above}}}{{{below}}}"


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
        return Piece(f"<mi>{escape(GREEK.get(name, name))}</mi>", ATOM)

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

    def derivative(self, d: str, y: str, variables: Sequence[str]) -> str:
        above, below = self._differentials(f"<mo>{d}</mo>", y, variables)
        return f"<mfrac>{self._row(above)}{self._row(below)}</mfrac>"


TEXT, LATEX, MATHML = Notation(), Latex(), MathML()
