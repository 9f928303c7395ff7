"""Reading a definition: what an op's forward function and rules say, as expressions, and the formulas that follow.

Fed Terms, they give expressions (term.py). A rule that looks at numbers, or writes into arrays, cannot be read: it is then called
as it is, and counts as reading every operand.

>>> from tinygrad_edu import tanh
>>> rule_formula(tanh.op)
'1 - y²'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from .binding import parameters_of
from .domain import Sample, Shape
from .errors import TinygradError, UnreadableError
from .notations import TEXT, Notation
from .op import Op, Rule
from .ops.arrays.indexing import Parts
from .term import Term, replaced, symbols
from .typesetting import typeset

_SHAPES: tuple[Shape, ...] = ((2, 3), (3, 3), (2,), ())  # of which samples are asked for


def forward_term(op: Op, params: Mapping[str, Any] | None = None) -> Any:
    """What the op computes, of symbols named as its arrays. Raises UnreadableError.

    Args:
        op: of an elementwise one numbers go in, of others arrays of a small shape.
        params: of a call; if not given, those that are numbers are symbols too.
    """
    arrays, params, _ = _symbols(op, params)
    return _read(lambda: op.forward(*arrays, **params))


def rule_term(op: Op, i: int = 0, params: Mapping[str, Any] | None = None) -> Any:
    """The rule for array number i, of the symbols g (the incoming gradient), y (the result) and those of `forward_term`.

    An array that is itself called g or y leaves them the names grad and result.

    For an elementwise op without g, as the local derivative; a plain number if it is one. Raises UnreadableError.
    """
    rule = _rule(op, i)
    return _applied(op, rule.apply, i, op.elementwise, params)


def said_term(op: Op, i: int = 0) -> Any:
    """The same as a person says it, if the definition has its own `says=`; else `rule_term`. Raises UnreadableError."""
    rule = _rule(op, i)
    if not callable(rule.says):
        return rule_term(op, i)
    arrays, params, y = _symbols(op)
    given = (y, *arrays) if op.elementwise else (Term.symbol(_free("g", op), y.shape), y, *arrays)
    says = rule.says
    return _read(lambda: says(*given, **params))


def rule_formula(op: Op, i: int = 0, notation: Notation = TEXT, names: Mapping[str, str] | None = None) -> str:
    """The rule for array number i as a formula, or in words; "" without a rule, or where none can be had.

    Of an elementwise op it is the local derivative, to be multiplied by the incoming gradient g; else the whole gradient.

    Args:
        op, i: the op, and which of its arrays.
        notation: plain text, `notations.LATEX` or `notations.MATHML`.
        names: what to call the symbols.
    """
    rule = op.shares or op.rules[i]
    if rule is None:
        return ""
    if isinstance(rule.says, str):
        return rule.says
    try:
        term = said_term(op, i)
    except UnreadableError:
        return ""
    return typeset(renamed(term, names or {}), notation).text


# keys are weak, so that a checkpoint's op is freed with its graph
_operands_read: WeakKeyDictionary[Op, dict[int, frozenset[str]]] = WeakKeyDictionary()


def operands_read(op: Op, i: int = 0) -> frozenset[str]:
    """Which of "g", "y" and the arrays the rule for array number i reads; all of them if the rule is unreadable."""
    known = _operands_read.setdefault(op, {})
    if i not in known:
        known[i] = _find_operands_read(op, i)
    return known[i]


def _find_operands_read(op: Op, i: int) -> frozenset[str]:
    arrays, _, _ = _symbols(op)
    every = {_free("g", op), _free("y", op), *[x.name for x in arrays]}
    try:
        return frozenset(symbols(_applied(op, _rule(op, i).apply, i, local=False)) & every)
    except UnreadableError:
        return frozenset(every)


def renamed(x: Any, names: Mapping[str, str]) -> Any:
    """An expression with other names for its symbols."""

    def change(term: Term, args: tuple[Any, ...], params: dict[str, Any]) -> Term:
        name = term.name if term.function else names.get(term.name, term.name)
        return Term(name, term.function, args, params, term.behind, term.seen)

    return replaced(x, change)


def _free(letter: str, op: Op) -> str:
    """The symbol g or y, unless an array has that name."""
    return {"g": "grad", "y": "result"}[letter] if letter in op.arrays else letter


def _rule(op: Op, i: int) -> Rule:
    rule = op.shares or op.rules[i]
    if rule is None:
        raise UnreadableError(f"{op.name}: there is no rule for array {i}")
    return rule


def _applied(op: Op, apply: Callable[..., Any], i: int, local: bool, given: Mapping[str, Any] | None = None) -> Any:
    arrays, params, y = _symbols(op, given)
    g = 1.0 if local else Term.symbol(_free("g", op), y.shape)
    return _read(lambda: _one(apply(g, y, *arrays, **params), i, op))


def _one(share: Any, i: int, op: Op) -> Any:
    """The share of one array, whole."""
    if op.shares is not None:
        share = share[i]() if callable(share[i]) else share[i]
    return share.whole() if isinstance(share, Parts) else share


def _read(compute: Callable[[], Any]) -> Any:
    """What it returns for Terms; UnreadableError also for what fails on the numbers behind them, which mean nothing."""
    try:
        with np.errstate(all="ignore"):
            return compute()
    except UnreadableError:
        raise
    except (TinygradError, ArithmeticError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise UnreadableError(f"it asks for a number or an array: {error}") from error


def _symbols(op: Op, given: Mapping[str, Any] | None = None) -> tuple[tuple[Term, ...], dict[str, Any], Term]:
    """Symbols for the arrays, the parameters of a call, and a symbol for the result."""
    sample = _sample(op)
    defaults = parameters_of(op.forward).defaults
    names = op.arrays or tuple([f"{op.many}[{i}]" for i in range(len(sample.shapes))])
    arrays = tuple([Term.symbol(name, shape) for name, shape in zip(names, sample.shapes, strict=False)])
    if sample.within is not None:
        arrays = tuple([Term(x.name, None, (), {}, sample.within(x.behind), x.seen) for x in arrays])
    params = {name: x for name, x in defaults.items() if name not in op.arrays} | sample.params | dict(given or {})
    plain = dict(params)
    if op.elementwise and given is None:  # parameters that are numbers are part of the formula
        params = {name: Term.symbol(name) if type(x) is float else x for name, x in params.items()}
    with np.errstate(all="ignore"):
        y = op.forward(*[x.behind for x in arrays], **plain)
    return arrays, params, Term.symbol(_free("y", op), np.shape(y))


def _sample(op: Op) -> Sample:
    """A call to read by: of numbers if elementwise, else the first of its samples with numbers in it."""
    if op.elementwise or op.samples is None:
        return Sample(((),) * len(op.arrays))
    return next(_samples(op))


def _samples(op: Op) -> Iterator[Sample]:
    for shape in _SHAPES:
        for sample in op.samples(shape) if op.samples is not None else ():
            if all(np.prod(s) for s in sample.shapes):
                yield sample
    raise UnreadableError(f"{op.name}: no sample of it has numbers")
