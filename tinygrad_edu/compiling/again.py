"""The second run: a function run on terms with other numbers, where what was computed unseen shows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from ..errors import UnreadableError
from ..randomness import noting
from .arguments import mapped
from .captures import Captures
from .moving import moved
from .results import collect, equal
from .runs import Run, arrays_of, called, traced_run
from .source import title_of
from .traced import Escape, Traced


def check_again(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], around: Sequence[Captures], first: Run
) -> None:
    """Run f on terms with other numbers. Raises UnreadableError if it used a number that is not the same then.

    The captured arrays have other numbers too. Where f computed something from them, their contents are part of the program.
    """
    moved_args = mapped(moved, (args, kwargs))
    captures = around[0] if around and any(x.dtype.kind == "f" for _, x in around[0].arrays.values()) else None
    if captures is not None:
        unseen = False
        for by in (1 + 2.0**-10, 1000.0, -1000.0):  # the latter for branches on captured numbers
            elsewhere, arrays = captures.elsewhere(f, by)
            unseen = unseen or _differing(elsewhere, moved_args, around, first, arrays) != ""
        for key, (_, x) in captures.arrays.items():
            if unseen or key not in arrays:
                captures.watch(x)
        if not unseen:
            return
    where = _differing(f, moved_args, around, first, {})
    if where:
        raise UnreadableError(
            f"compile: {called(f)}{where}: a number that depends on the arguments, or is random, was computed where it cannot "
            "be seen; compute it with this package's functions or NumPy's, or pass it as an argument"
        )


Arrays = dict[int, np.ndarray[Any, Any]]


def _differing(
    f: Callable[..., Any], moved_args: Any, around: Sequence[Captures], first: Run, arrays: Arrays
) -> str | None:
    """Where a run on other numbers differs from the first, as words; "" if nowhere, None if it cannot be compared."""
    with ExitStack() as stack:
        for captures in around:
            stack.enter_context(captures.kept())
        states = stack.enter_context(noting())
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        try:
            args, kwargs = moved_args
            trace, symbols, result = traced_run(
                f, args, kwargs, [*arrays_of(around), *arrays.values()], is_placed=False
            )
            outputs: list[Any] = []
            collect(result, outputs, f)
        except (Exception, Escape):  # numbers at which f is not defined; the first call with new ones compares
            return None
        finally:
            for bits, state in states.items():
                bits.state = state
    return _difference(first, (trace, symbols, outputs), arrays)


def _difference(first: Run, second: Run, arrays: Arrays) -> str | None:
    (a, a_symbols, a_outputs), (b, b_symbols, b_outputs) = first, second
    branches = [[guard.taken for guard in run.guards] for run in (a, b)]
    if branches[0] != branches[1]:
        return None
    place: dict[Any, int] = {}
    for i, (x, y) in enumerate(zip(a_symbols, b_symbols, strict=True)):
        place[x] = place[y] = -1 - i
    same = _Same(place, arrays)
    for x, y in zip(a.made, b.made, strict=False):
        if x.spelling != y.spelling or not same.arguments(x, y):
            title = title_of(x.line)
            return f", in `{title}`" if title else ", in an operation"
    return "" if len(a.made) == len(b.made) and same(a_outputs, b_outputs) else ", in what it returns"


class _Same:
    """Whether the arguments of two calls are the same terms and the same constants.

    Args:
        place: of the arguments of both runs.
        arrays: for captured arrays, by id, those that stand for them in the second run.
    """

    def __init__(self, place: dict[Any, int], arrays: Arrays) -> None:
        self.place, self.arrays = place, arrays
        self.owners = {*arrays, *map(id, arrays.values())}

    def arguments(self, x: Traced, y: Traced) -> bool:
        """Whether two terms have the same arguments."""
        if len(x.args) != len(y.args) or not ((not x.params and not y.params) or self(x.params, y.params)):
            return False
        for a, b in zip(x.args, y.args, strict=True):
            if type(a) is Traced is type(b) and a.place >= 0:
                if a.place != b.place:
                    return False
            elif not self(a, b):
                return False
        return True

    def __call__(self, a: Any, b: Any) -> bool:
        if type(a) is not type(b):
            return False
        if isinstance(a, Traced):
            if a.place >= 0 or b.place >= 0:
                return bool(a.place == b.place)
            if a not in self.place and b not in self.place:
                return self(a.behind, b.behind)  # captured arrays
            return self.place.get(a) == self.place.get(b)
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(self(a[key], b[key]) for key in a)
        if isinstance(a, (tuple, list)):
            return len(a) == len(b) and all(self(x, y) for x, y in zip(a, b, strict=True))
        if isinstance(a, slice):
            return self((a.start, a.stop, a.step), (b.start, b.stop, b.step))
        if isinstance(a, np.ndarray) and self.arrays:
            x, y = self._owner(a), self._owner(b)
            if id(x) in self.arrays:
                return self.arrays[id(x)] is y and _place_in(a, x) == _place_in(b, y)
        return a is b or callable(a) or isinstance(a, np.random.Generator) or equal(a, b)

    def _owner(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The captured array of which x is a view."""
        while id(x) not in self.owners and isinstance(x.base, np.ndarray):
            x = x.base
        return x


def _place_in(view: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> Any:
    """Where in the memory of x a view is."""
    return view.shape, view.strides, view.dtype, view.ctypes.data - x.ctypes.data
