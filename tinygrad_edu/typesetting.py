"""Typesetting: an expression as mathematics in a notation, from one walk over its Terms.

`typeset` decides what belongs together: products and sums are flattened, equal factors become powers, a product with a condition
reads "x if c, else 0". notations.py has how each construct is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .notations import (
    COMPARISON,
    CONSTANTS,
    GREEK,
    LOGIC,
    PREFIX,
    PRODUCT,
    SUM,
    TEXT,
    Notation,
    Piece,
)
from .term import Term

_COMPARED = {"less": "<", "less_equal": "≤", "greater": ">", "greater_equal": "≥", "equal": "=", "not_equal": "≠"}
_LOGIC = {"bitwise_and": " and ", "bitwise_or": " or ", "logical_and": " and ", "logical_or": " or "}
_AROUND = {"abs": "||", "floor": "⌊⌋", "ceil": "⌈⌉"}
_SPOKEN = {"log": "ln", "log2": "log₂", "log10": "log₁₀"}
_SHAPED = {"reshape", "broadcast_to", "astype", "positive", "expand_dims", "squeeze", "ravel"}  # of the same numbers


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
    if is_number(x) and x not in CONSTANTS:
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
    return n.call(GREEK.get(name, name), args)


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
