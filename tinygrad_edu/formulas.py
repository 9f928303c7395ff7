"""formula: a small function and its derivatives as mathematics, read off the function and the rules of its operations.

>>> from tinygrad_edu import formula, tanh
>>> print(formula(lambda a, b: tanh(a * b), order=1))
y = tanh(a · b)
∂y/∂a = b · (1 - y²)
∂y/∂b = a · (1 - y²)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from itertools import combinations_with_replacement
from typing import Any

from .algebra import ALGEBRA, simplified
from .definition import registry
from .errors import UnreadableError
from .notations import LATEX, MATHML, TEXT, Notation
from .op import Op
from .term import Term, replaced, walk
from .typesetting import typeset


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
            d = "d" if len(self.variables) == 1 else "∂"
            yield notation.derivative(d, self.name, variables), typeset(term, notation).text

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
        op, arrays, params = _call(term.name, term.args, term.params)
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


def _call(name: str, args: tuple[Any, ...], params: Mapping[str, Any]) -> tuple[Op, tuple[Any, ...], dict[str, Any]]:
    """The op of a call, its arrays and its parameters. Raises UnreadableError if there is none."""
    known = registry.get(name)
    if known is None or known.op.many:
        raise UnreadableError(f"{name} has no gradient rule that can be read")
    op, taken = known.op, known.op.parameters
    arrays, rest = args[: len(op.arrays)], args[len(op.arrays) :]
    preset = {name: taken.defaults[name] for name in taken.options if name in taken.defaults}
    return op, arrays, preset | dict(zip(taken.options, rest, strict=False)) | dict(params)


def _of_primitives(result: Any) -> Any:
    """An expression with derived ops replaced by what they are composed of."""
    while any(map(_is_derived, walk(result))):
        result = replaced(result, _expanded)
    return result


def _is_derived(term: Term) -> bool:
    return term.function is not None and term.name in registry and registry[term.name].op.derived


def _expanded(term: Term, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    if not _is_derived(term):
        return term.again(args, params)
    op, arrays, params = _call(term.name, args, params)
    return op.forward(*arrays, **params)


def _with_y(term: Any, value: Any, name: str) -> Any:
    """The expression with a symbol in place of the value, where that is a function's result."""
    if not isinstance(value, Term) or value.function is None or value.name in ALGEBRA:
        return term
    text, y = typeset(value).text, Term.symbol(name)

    def change(part: Term, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        return y if part.name == value.name and typeset(part).text == text else part.again(args, params)

    return replaced(term, change)
