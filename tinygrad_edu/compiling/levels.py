"""Levels: a large graph of numbers as a few hundred calls of NumPy, with the bits of the straight line.

The numbers of all terms are in one flat array, grouped by depth and function: one call computes a group, since none of its terms
needs another. Functions whose bits may differ between numbers and arrays, such as exp, are called on each number.
"""

from __future__ import annotations

import ast
import operator
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from .expressions import definition
from .source import Writer
from .traced import Traced

SMALLEST = 5_000  # terms; below, the straight line takes less time
_WORTH = 30  # numbers that the straight line computes in the time of one call
_EXACT = 2**53  # integers up to this are floats

_ARITHMETIC: dict[Any, np.ufunc] = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.divide,
    operator.neg: np.negative,
    operator.abs: np.absolute,
    float: np.positive,
}
_ARITHMETIC |= {f: f for f in (np.sqrt, *_ARITHMETIC.values())}  # of IEEE 754: numbers and arrays have the same bits
_OF_FLOATS = {operator.pow, operator.mod, operator.floordiv}  # which make an integer constant a float themselves
_TRUTHS: dict[Any, np.ufunc] = {  # whose results are True or False: 1.0 or 0.0 in the flat array
    operator.lt: np.less,
    operator.le: np.less_equal,
    operator.gt: np.greater,
    operator.ge: np.greater_equal,
    operator.eq: np.equal,
    operator.ne: np.not_equal,
    operator.and_: np.logical_and,
    operator.or_: np.logical_or,
    operator.xor: np.logical_xor,
    operator.invert: np.logical_not,
}
_TRUTHS |= {f: f for f in (np.isnan, np.isinf, np.isfinite, *_TRUTHS.values())}
_TRUTHS |= {np.any: np.positive, np.all: np.positive}  # of one number

Call: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]


class Refused(Exception):  # noqa: N818  # the straight line runs
    """A term is no number, or its function has another result on arrays."""


def text_by_levels(
    writer: Writer,
    symbols: Sequence[Traced],
    name: str,
    parameters: str,
    unpacking: Sequence[str],
    result: Callable[[Callable[[Any], str]], str],
) -> tuple[str, dict[str, Any]]:
    """The text that runs a program by levels, and what it refers to; "" if the straight line is faster or alone can do it.

    Args:
        name, parameters, unpacking, result: as of `Writer.write`.
    """
    if len(writer.live) < SMALLEST or writer.trace.draws:
        return "", {}
    try:
        levels = Levels(writer, symbols)
    except Refused:
        return "", {}
    if len(writer.live) < _WORTH * len(levels.steps):
        return "", {}
    call, results, why = map(writer.fresh, ("levels", "results", "why"))
    lines = [
        *unpacking,
        f"{results}, {why} = {call}([{', '.join(writer.names[symbol] for symbol in symbols)}])",
        f"if {why}:",
        f"    raise GuardError({why})",
        f"return {result(lambda i: f'{results}[{i}]')}",
    ]
    return f"def {name}({parameters}):\n{textwrap.indent(chr(10).join(lines), '    ')}\n", {call: levels}


class Levels:
    """A program of numbers by levels: called with the numbers of its symbols, it returns those of its results.

    Attributes:
        steps: the groups: a function, the places of its operands, and of its results.
    """

    def __init__(self, writer: Writer, symbols: Sequence[Traced]) -> None:
        self._places: dict[Traced, int] = {}
        self._constants: dict[str, float] = {}
        groups: dict[Any, list[Traced]] = defaultdict(list)
        depths: dict[Traced, int] = {}
        for i, symbol in enumerate(symbols):
            _check_number(symbol)
            self._places[symbol], depths[symbol] = i, 0
        divisors = []
        for term in writer.live:
            depth = 0
            for x in term.args:
                if type(x) is not Traced:
                    self._constants.setdefault(repr(x), _constant(x))
                elif x not in depths:
                    raise Refused
                elif depths[x] > depth:
                    depth = depths[x]
            function = _function(term)
            if function is np.divide and type(term.behind) is float:
                divisors.append(term.args[1])
            groups[depth, function].append(term)
            depths[term] = depth + 1
        for x in writer.outputs:
            if type(x) is not Traced:
                self._constants.setdefault(repr(x), _constant(x))
        self._given = len(symbols)
        self._constant_places = {text: self._given + i for i, text in enumerate(self._constants)}
        self.size = self._given + len(self._constants)
        self.steps = [
            self._step(function, groups[depth, function]) for depth, function in sorted(groups, key=lambda key: key[0])
        ]
        self._divisors = np.unique(self._all(divisors))
        self._outputs = self._all([_output(x) for x in writer.outputs])
        self._guards = self._all([guard.condition for guard in writer.guards])
        self._taken = np.array([guard.taken for guard in writer.guards], float)
        self._reasons = [writer.why(guard) for guard in writer.guards]
        self._finite, self._numbers = self._all(writer.finite), self._all(writer.checks)
        del self._places  # whose terms keep all others
        self._free: list[tuple[np.ndarray[Any, Any], list[Call]]] = []  # memory for calls, by one thread at a time

    def _place(self, x: Any) -> int:
        return self._places[x] if type(x) is Traced else self._constant_places[repr(x)]

    def _all(self, terms: Sequence[Any]) -> np.ndarray[Any, Any]:
        if not all(type(x) is not Traced or x in self._places for x in terms):
            raise Refused
        return np.array([self._place(x) for x in terms], np.intp)

    def _step(self, function: Any, group: list[Traced]) -> tuple[Any, list[Any], slice]:
        """The call for terms of one depth and function, which get the next places."""
        columns = [np.array([self._place(term.args[i]) for term in group]) for i in range(len(group[0].args))]
        for term in group:
            self._places[term] = self.size
            self.size += 1
        return function, [_places(column) for column in columns], slice(self.size - len(group), self.size)

    def __call__(self, numbers: Sequence[float]) -> tuple[list[float], str]:
        """The numbers of the results, and why they do not hold: "" if they do.

        Raises ZeroDivisionError as Python does.
        """
        try:
            x, calls = self._free.pop()
        except IndexError:
            x, calls = self._memory()
        try:
            x[: self._given] = numbers
            with np.errstate(all="ignore"):
                for function, args in calls:
                    function(*args)
            if not x[self._divisors].all():
                raise ZeroDivisionError("float division by zero")
            return x[self._outputs].tolist(), self._failure(x)
        finally:
            self._free.append((x, calls))

    def _failure(self, x: np.ndarray[Any, Any]) -> str:
        other = x[self._guards] != self._taken
        if other.any():
            return self._reasons[int(other.argmax())]
        holds = np.isfinite(x[self._finite]).all() and not np.isnan(x[self._numbers]).any()
        return "" if holds else "not finite on the way, where the zero rule may apply"

    def _memory(self) -> tuple[np.ndarray[Any, Any], list[Call]]:
        """A flat array, and the calls that compute in it."""
        x = np.empty(self.size)
        x[self._given : self._given + len(self._constants)] = list(self._constants.values())
        longest = max([results.stop - results.start for _, _, results in self.steps], default=0)
        gathered = [np.empty(longest) for _ in range(3)]
        return x, list(self._calls(x, gathered))

    def _calls(self, x: np.ndarray[Any, Any], gathered: Sequence[np.ndarray[Any, Any]]) -> Iterator[Call]:
        for function, columns, results in self.steps:
            operands = []
            for column, buffer in zip(columns, gathered, strict=False):
                if isinstance(column, slice):
                    operands.append(x[column])
                else:
                    operands.append(buffer[: len(column)])
                    yield x.take, (column, None, operands[-1], "clip")
            yield function, (*operands, x[results])


def _check_number(term: Traced) -> None:
    if type(term.behind) not in (float, bool, np.float64, np.bool_):
        raise Refused


def _constant(x: Any) -> float:
    if type(x) in (float, bool) or (type(x) is int and abs(x) <= _EXACT):
        return float(x)
    raise Refused


def _output(x: Any) -> Any:
    if type(x) is Traced and type(x.behind) is not float:
        raise Refused
    return x


def _places(column: np.ndarray[Any, Any]) -> Any:
    """Places as a slice, if they are an arithmetic progression."""
    first, step = int(column[0]), int(column[1] - column[0]) if len(column) > 1 else 1
    if step == 0 and (column == first).all():
        return slice(first, first + 1)  # of one number for all
    if step and (np.diff(column) == step).all():
        stop = int(column[-1]) + (1 if step > 0 else -1)
        return slice(first, stop if stop >= 0 else None, step)
    return column


def _function(term: Traced) -> Callable[..., Any]:
    """What computes a group of such terms, into an array."""
    _check_number(term)
    function, kind = term.function, type(term.behind)
    if term.params or not 1 <= len(term.args) <= 3:
        raise Refused
    if function in _TRUTHS and kind in (bool, np.bool_):
        return _TRUTHS[function]
    if kind not in (float, np.float64):
        raise Refused
    if function in _ARITHMETIC:
        return _ARITHMETIC[function]
    kinds = {float, int} if function in _OF_FLOATS else {float}
    if (
        not isinstance(function, np.ufunc)
        and not {type(x.behind if type(x) is Traced else x) for x in term.args} <= kinds
    ):
        raise Refused
    return _on_arrays(function)


@cache
def _on_arrays(function: Any) -> Callable[..., Any]:
    """A function of numbers on arrays: as NumPy's where that has the same bits, else one by one."""
    try:
        _, body, names = definition(function)
        text = ast.unparse(_Choices(names).visit(ast.parse(body, mode="eval")))
        chosen = eval(f"lambda {', '.join(names)}: {text}", {"np": np})  # of an op's own text
    except (_Other, OSError, TypeError, SyntaxError, AssertionError, StopIteration):

        def one_by_one(*args: np.ndarray[Any, Any]) -> None:
            *operands, out = args
            out[:] = list(map(function, *[np.broadcast_to(x, out.shape).tolist() for x in operands]))

        return one_by_one

    def at_once(*args: np.ndarray[Any, Any]) -> None:
        args[-1][:] = chosen(*args[:-1])

    return at_once


class _Other(Exception):  # noqa: N818
    """Text that is no choice between numbers."""


class _Choices(ast.NodeTransformer):
    """a if c else b as np.where(c, a, b), for comparisons, sums and products. Raises _Other for other text."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, ast.IfExp) and isinstance(node.test, (ast.Compare, ast.BoolOp)):
            where = ast.Attribute(ast.Name("np"), "where")
            return ast.Call(where, [self.visit(x) for x in (node.test, node.body, node.orelse)], [])
        if isinstance(node, ast.BoolOp) and all(isinstance(x, (ast.Compare, ast.BoolOp)) for x in node.values):
            sign: ast.operator = ast.BitOr() if isinstance(node.op, ast.Or) else ast.BitAnd()
            result, *rest = [self.visit(x) for x in node.values]
            for x in rest:
                result = ast.BinOp(result, sign, x)
            return result
        is_other = isinstance(node, ast.Name) and node.id not in self._names
        if is_other or not isinstance(node, _PLAIN) or (isinstance(node, ast.Compare) and len(node.ops) > 1):
            raise _Other
        return self.generic_visit(node)


_PLAIN: tuple[type[ast.AST], ...] = (ast.Expression, ast.Name, ast.Load, ast.Constant, ast.Compare, ast.cmpop)
_PLAIN += (ast.BinOp, ast.UnaryOp, ast.Add, ast.Sub, ast.Mult, ast.USub)
