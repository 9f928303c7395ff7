"""Algebra: simplifying an expression of single numbers by collecting equal factors and equal summands.

>>> x = Term.symbol("x")
>>> typeset(simplified(x * 2 * x + x * x)).text
'3x²'
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .term import Term, replaced
from .typesetting import Product, product_of, terms_of, typeset

ALGEBRA = {"add", "subtract", "multiply", "divide", "negative", "power", "square", "reciprocal", "positive"}


def simplified(result: Any) -> Any:
    """An expression with equal factors and equal summands collected; nothing is multiplied out."""
    return replaced(result, _collected)


def _collected(term: Term, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    if term.name == "where" and typeset(args[1]).text == typeset(args[2]).text:
        return args[1]
    whole = term.again(args, params)
    if not isinstance(whole, Term) or term.name not in ALGEBRA:
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
            key = typeset(condition).text
            _, before, otherwise = cases.get(key, (condition, 0.0, 0.0))
            cases[key] = condition, _added(before, yes, sign), _added(otherwise, no, sign)
            continue
        bare = product._replace(number=1.0)
        key = typeset(_product(bare)).text if bare.factors or bare.conditions else ""
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
    """The sort key of a factor in a product: constants, variables by name, functions, sums."""
    base, _ = factor
    text = typeset(base).text
    if not isinstance(base, Term):
        return 0, text
    return (1 if base.function is None else 3 if base.name in ("add", "subtract") else 2), text
