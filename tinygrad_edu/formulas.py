"""formula: a small function and its derivatives as mathematics, read off the function and the rules of its operations.

>>> from tinygrad_edu import formula, tanh
>>> print(formula(lambda a, b: tanh(a * b), order=1))
y = tanh(a · b)
∂y/∂a = (1 - y²) · b
∂y/∂b = (1 - y²) · a
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from inspect import signature
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from .binding import parameters_of
from .definition import registry
from .errors import UnreadableError
from .op import Op
from .term import Term, walk
from .typesetting import ATOM, LATEX, MATHML, TEXT, Notation, Piece, Product, product_of, terms_of, typeset

_ALGEBRA = {"add", "subtract", "multiply", "divide", "negative", "power", "square", "reciprocal", "positive"}


@dataclass(frozen=True)
class Formula:
    """A function and its derivatives as expressions; str() is plain text, and a notebook typesets it.

    Attributes:
        variables: the names of the function's arguments.
        name: what the value is called: y, if no argument is.
        value: what it computes: a Term of the variables, or a number.
        derivatives: by the variables of the derivation: ("a",), ("a", "b"), ... Each is a number or a Term of the variables, in
            which the symbol `name` may take the place of the value.
    """

    variables: tuple[str, ...]
    name: str
    value: Any
    derivatives: dict[tuple[str, ...], Any]

    def rows(self, notation: Notation = TEXT) -> Iterator[tuple[str, str]]:
        """What is computed, and the expression for it, in a notation."""
        yield notation.name(self.name).text, typeset(self.value, notation).text
        for variables, term in self.derivatives.items():
            left = _derivative(self.name, variables, notation, len(self.variables) == 1)
            yield left, typeset(term, notation).text

    def __str__(self) -> str:
        return "\n".join(f"{left} = {right}" for left, right in self.rows())

    def latex(self) -> str:
        """LaTeX: an aligned environment, without dollar signs."""
        rows = [f"{left} &= {right}" for left, right in self.rows(LATEX)]
        inside = " \\\\\n".join(rows)
        return f"\\begin{{aligned}}\n{inside}\n\\end{{aligned}}"

    def mathml(self) -> str:
        """MathML: a <math> element."""
        right, left = "text-align:right", "text-align:left"
        rows = [
            f'<mtr><mtd style="{right}">{name}</mtd><mtd><mo>=</mo></mtd><mtd style="{left}">{body}</mtd></mtr>'
            for name, body in self.rows(MATHML)
        ]
        table = '<mtable displaystyle="true">' + "".join(rows) + "</mtable>"
        return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{table}</math>'

    def _repr_latex_(self) -> str:
        return f"$${self.latex()}$$"

    def _repr_html_(self) -> str:
        return self.mathml()


def formula(f: Callable[..., Any], order: int = 1) -> Formula:
    """A small function's value and derivatives, up to an order, as mathematics.

    Args:
        f: function of numbers, made of operators, this package's functions and NumPy's. Its arguments are the variables.
        order: of the highest derivatives; 0 for the value alone.

    Raises:
        UnreadableError: if f, or a rule of an operation in it, looks at numbers (write where() for a branch), or an operation has
            no rule.
    """
    names = tuple(signature(f).parameters)
    variables = [Term.symbol(name) for name in names]
    try:
        value = simplified(_of_primitives(f(*variables)))
    except UnreadableError as error:
        error.operation = "formula"
        raise
    found: dict[tuple[str, ...], Any] = {(): value}
    for n in range(1, order + 1):
        for chosen in combinations_with_replacement(names, n):
            lower = found[chosen[:-1]]
            found[chosen] = simplified(_of_primitives(derivative(lower, variables[names.index(chosen[-1])])))
    name = next(letter for letter in ("y", "f", "z", "result") if letter not in names)
    shown = {chosen: _with_y(term, value, name) for chosen, term in found.items() if chosen}
    return Formula(names, name, value, shown)


def derivative(y: Any, x: Term) -> Any:
    """The derivative of an expression of single numbers with respect to a symbol: the chain rule on Terms."""
    order = walk(y)
    if x not in set(order):
        return 0.0
    totals: dict[Term, Any] = {y: 1.0}
    for term in reversed(order):
        g = totals.get(term)
        if g is None or term.function is None:
            continue
        op, arrays, params = _call(term)
        for i, operand in enumerate(arrays):
            if isinstance(operand, Term) and op.rules[i] is not None:
                share = _share(op, i, g, term, arrays, params)
                totals[operand] = share if operand not in totals else totals[operand] + share
    return totals.get(x, 0.0)


def _share(op: Op, i: int, g: Any, y: Term, arrays: tuple[Any, ...], params: dict[str, Any]) -> Any:
    rule = op.rules[i]
    assert rule is not None
    if callable(rule.says) and op.elementwise:
        return g * rule.says(y, *arrays, **params)
    return rule.apply(g, y, *arrays, **params)


def _call(term: Term) -> tuple[Op, tuple[Any, ...], dict[str, Any]]:
    """The op that a Term is a call of, its arrays and its parameters. Raises UnreadableError if there is none."""
    known = registry.get(term.name)
    if known is None or known.op.many:
        raise UnreadableError(f"{term.name} has no gradient rule that can be read")
    op = known.op
    taken = parameters_of(op.forward)
    arrays, rest = term.args[: len(op.arrays)], term.args[len(op.arrays) :]
    preset = {name: taken.defaults[name] for name in taken.options if name in taken.defaults}
    return op, arrays, preset | dict(zip(taken.options, rest, strict=False)) | dict(term.params)


def _of_primitives(result: Any) -> Any:
    """An expression with derived ops replaced by what they are composed of."""
    composed = True
    while composed:
        composed = any(_is_derived(term) for term in walk(result))
        result = _rebuilt(result, _expanded)
    return result


def _is_derived(term: Term) -> bool:
    return term.function is not None and term.name in registry and registry[term.name].op.derived


def _expanded(term: Term, args: tuple[Any, ...]) -> Any:
    if not _is_derived(term):
        return None
    op, _, params = _call(term)
    return op.forward(*args[: len(op.arrays)], **params)


def _rebuilt(result: Any, change: Callable[[Term, tuple[Any, ...]], Any]) -> Any:
    """The same expression, where change(term, its rebuilt arguments) may give another Term; None leaves it."""
    new: dict[Term, Any] = {}
    for term in walk(result):
        args = tuple([new[x] if isinstance(x, Term) else x for x in term.args])
        other = change(term, args)
        if other is None:
            other = term if term.function is None else Term.call(term.name, term.function, args, term.params)
        new[term] = other
    return new[result] if isinstance(result, Term) else result


# -- Simpler -----------------------------------------------------------------------------------------------------------


def simplified(result: Any) -> Any:
    """An expression of single numbers with equal factors and equal summands collected; nothing is multiplied out."""
    return _rebuilt(result, _collected)


def _collected(term: Term, args: tuple[Any, ...]) -> Any:
    if term.function is None:
        return None
    if term.name == "where" and typeset(args[1]).text == typeset(args[2]).text:
        return args[1]
    if term.name not in _ALGEBRA:
        return None
    whole = Term.call(term.name, term.function, args, term.params)
    if not isinstance(whole, Term):
        return whole
    return _sum(whole) if term.name in ("add", "subtract") else _product(product_of(whole))


def _sum(whole: Term) -> Any:
    """Equal summands added up; those that depend on the same condition, case by case."""
    found: dict[str, Product] = {}
    cases: dict[str, tuple[Any, Any, Any]] = {}
    for sign, part in terms_of(whole):
        product = product_of(part)
        same = _product(product)
        if isinstance(same, Term) and same.name == "where":
            condition, yes, no = same.args
            key = typeset(condition, TEXT).text
            _, before, otherwise = cases.get(key, (condition, 0.0, 0.0))
            cases[key] = condition, _added(before, yes, sign), _added(otherwise, no, sign)
            continue
        bare = product._replace(number=1.0)
        key = typeset(_product(bare), TEXT).text if bare.factors or bare.conditions else ""
        number = sign * product.number + (found[key].number if key in found else 0.0)
        found[key] = product._replace(number=number)
    total: Any = None
    for product in found.values():
        if product.number:
            part = _product(product._replace(number=abs(product.number)))
            if total is None:
                total = part if product.number > 0 else _negative(part)
            else:
                total = total + part if product.number > 0 else total - part
    for condition, yes, no in cases.values():
        chosen = Term.call("where", np.where, (condition, yes, no), {})
        total = chosen if total is None else total + chosen
    return 0.0 if total is None else total


def _added(total: Any, part: Any, sign: float) -> Any:
    return simplified(total + part if sign > 0 else total - part)


def _negative(x: Any) -> Any:
    """-x; of a - b it is b - a."""
    parts = terms_of(x, -1.0)
    if len(parts) > 1 and any(sign > 0 for sign, _ in parts):
        parts.sort(key=lambda signed: -signed[0])  # start with what is added
        total = parts[0][1]
        for sign, part in parts[1:]:
            total = total + part if sign > 0 else total - part
        return total
    return Term.call("negative", np.negative, (x,), {}) if isinstance(x, Term) else -x


def _product(product: Product) -> Any:
    """A product as a Term again: its number, its factors, over those of the denominator."""
    if not product.number:
        return 0.0
    for key, (base, exponent) in product.factors.items():
        if isinstance(base, Term) and base.name == "where" and exponent == 1:
            condition, yes, no = base.args
            rest = _product(product._replace(factors={k: x for k, x in product.factors.items() if k != key}))
            return Term.call("where", np.where, (condition, simplified(yes * rest), simplified(no * rest)), {})
    above, below = _powers(product, 1), _powers(product, -1)
    whole = above if above is not None else 1.0
    for condition in product.conditions:
        whole = Term.call("multiply", np.multiply, (whole, condition), {})
    size = abs(product.number)
    if size != 1 and below is not None and not size.is_integer() and (1 / size).is_integer():
        below, size = below * (1 / size), 1.0
    if size != 1 or not isinstance(whole, Term):
        whole = size * whole
    if below is not None:
        whole = Term.call("divide", np.divide, (whole, below), {})
    return whole if product.number > 0 else _negative(whole)


def _powers(product: Product, sign: int) -> Any:
    whole: Any = None
    for base, exponent in sorted(product.factors.values(), key=_place):
        if exponent * sign > 0:
            size = abs(exponent)
            exponent = int(size) if float(size).is_integer() else size
            # not base**exponent, which would evaluate a named constant such as π
            power = base if size == 1 else Term.call("power", np.power, (base, exponent), {})
            whole = power if whole is None else whole * power
    return whole


def _place(factor: tuple[Any, float]) -> tuple[int, str]:
    """Where a factor comes in a product: constants, variables by name, functions, sums."""
    base, _ = factor
    text = typeset(base, TEXT).text
    if not isinstance(base, Term):
        return 0, text
    return (1 if base.function is None else 3 if base.name in ("add", "subtract") else 2), text


def _with_y(term: Any, value: Any, name: str) -> Any:
    """The expression with a symbol in place of the value, where that is a function's result."""
    if not isinstance(value, Term) or value.function is None or value.name in _ALGEBRA:
        return term
    text, y = typeset(value, TEXT).text, Term.symbol(name)

    def change(part: Term, _: tuple[Any, ...]) -> Any:
        return y if part.name == value.name and typeset(part, TEXT).text == text else None

    return _rebuilt(term, change)


def _derivative(y: str, variables: tuple[str, ...], n: Notation, single: bool) -> str:
    """∂²y/∂a∂b, with d where there is one variable."""
    d = "d" if single else "∂"
    counts = {name: variables.count(name) for name in variables}
    order = len(variables)
    if n is TEXT:
        whole = n.power(Piece("", ATOM), n.number(order)).text if order > 1 else ""
        powers = {name: n.power(Piece("", ATOM), n.number(k)).text if k > 1 else "" for name, k in counts.items()}
        return f"{d}{whole}{y}/" + "".join(f"{d}{n.name(name).text}{power}" for name, power in powers.items())
    if n is LATEX:
        d = "d" if single else r"\partial "
        top = f"{d.strip()}^{{{order}}} {y}" if order > 1 else f"{d} {y}".replace("  ", " ")
        bottom = r" \, ".join(f"{d}{n.name(name).text}" + (f"^{{{k}}}" if k > 1 else "") for name, k in counts.items())
        return rf"\frac{{{top}}}{{{bottom}}}"
    sign = f"<mo>{escape(d)}</mo>"
    top = f"<msup>{sign}<mn>{order}</mn></msup>" if order > 1 else sign
    parts = [
        f"{sign}<msup>{n.name(name).text}<mn>{k}</mn></msup>" if k > 1 else sign + n.name(name).text
        for name, k in counts.items()
    ]
    return f"<mfrac><mrow>{top}<mi>{y}</mi></mrow><mrow>{''.join(parts)}</mrow></mfrac>"
