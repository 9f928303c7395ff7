"""The path of an optimiser over a function: parameters, values and gradients before and after each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import Parameter, signature
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value, no_grad, tree_map, value_and_grad

from ..checks import data_of
from ..tables import Table
from .lr_scheduler import LRScheduler, ReduceLROnPlateau
from .optimizer import Optimizer


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """The path of an optimiser over a function f: n steps, which are n + 1 points.

    Attributes:
        parameters: in the structure of the start, arrays of shape (n + 1, *shape of the parameter): point k is at index k.
        values: of f at each point, (n + 1,).
        gradients: of f at each point, as the parameters are; 0 where f does not depend on a parameter.
        names: of the numbers, one by one: as the parameters of f, with indices in arrays and keys in dictionaries.

    print() shows a table of the steps, a notebook too.
    """

    parameters: Any
    values: NDArray[Any]
    gradients: Any
    names: tuple[str, ...] = ()

    def table(self) -> Table:
        """Steps as rows, with the numbers, the gradient by each, and the value; of long paths the first and the last steps.

        Raises ShapeError if there are more than 8 numbers.
        """
        columns = [*_columns(self.parameters), *_columns(self.gradients), self.values]
        count = len(columns) // 2
        if count > MOST:
            raise ShapeError(
                f"Trace: got a path of {count} numbers, expected at most {MOST} for a table; print .values"
            )
        names = self.names or tuple(f"x{i}" for i in range(count))
        header = ["step", *names, *[f"∂/∂{name}" for name in names], "value"]
        rows = [
            ["...", *[""] * len(columns)] if gap else [str(k), *[f"{column[k]:.6g}" for column in columns]]
            for k, gap in _shown(len(self.values))
        ]
        return Table(header, rows, numeric=range(len(header)))

    def __repr__(self) -> str:
        return f"<Trace: {len(self.values) - 1} steps, from {self.values[0]:.6g} to {self.values[-1]:.6g}>"

    def __str__(self) -> str:
        return str(self.table()) if len(_columns(self.parameters)) <= MOST else repr(self)

    def _repr_html_(self) -> str | None:
        return self.table()._repr_html_() if len(_columns(self.parameters)) <= MOST else None


MOST, SHOWN = 8, 12  # numbers of a table, and its steps


def _columns(tree: Any) -> list[NDArray[Any]]:
    """Each number of a path as an array of (points,)."""
    arrays: list[NDArray[Any]] = []
    tree_map(arrays.append, tree)
    return [column for array in arrays for column in array.reshape(len(array), -1).T]


def _shown(points: int) -> list[tuple[int, bool]]:
    """The points to show, and whether each stands for a gap."""
    half = SHOWN // 2
    if points <= SHOWN + 1:
        return [(k, False) for k in range(points)]
    return [(k, k == half) for k in [*range(half + 1), *range(points - half, points)]]


def _names(f: Callable[..., Any], tree: Any) -> tuple[str, ...]:
    """A name for each number: those of f's parameters, with indices in arrays."""
    several = isinstance(tree, tuple) and len(tree) > 1 and takes("trace", f, len(tree))
    given = getattr(f, "names", None) or _parameters_of(f)
    if not several:
        return tuple(_named(str(given[0]) if len(given) == 1 else "", tree))
    return tuple(
        name for i, part in enumerate(tree) for name in _named(str(given[i]) if i < len(given) else f"x{i}", part)
    )


def _named(name: str, tree: Any, nested: bool = False) -> Iterator[str]:
    """Names of the numbers of a tree: x[0, 1] in an array, and the path of keys and positions in dictionaries and tuples."""
    if isinstance(tree, (dict, tuple, list)):
        inside = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, part in inside:
            yield from _named(str(key) if isinstance(tree, dict) and not nested else f"{name}.{key}", part, True)
    elif tree is not None:
        places = np.ndindex(*np.shape(tree))
        yield from [f"{name or 'x'}[{', '.join(map(str, place))}]" if place else name or "x" for place in places]


def _parameters_of(f: Callable[..., Any]) -> list[str]:
    try:
        given = {} if isinstance(f, np.ufunc) else signature(f).parameters
    except (TypeError, ValueError):  # a function written in C
        return []
    return [name for name, p in given.items() if p.kind is not Parameter.VAR_POSITIONAL]


def trace(
    f: Callable[..., Any],
    start: Any,
    make_optimizer: Callable[[list[Value]], Optimizer],
    steps: int,
    make_schedule: Callable[[Optimizer], LRScheduler | ReduceLROnPlateau] | None = None,
) -> Trace:
    """Follow an optimiser from a start over a function. Everything returned is a copy; `start` is unchanged.

    Args:
        f: function of the parameters that returns a single number: f(x) of a number, an array, or a tree (nested tuples, lists
            and dictionaries of them, such as model.state_dict()). With a tuple of n parameters as start, a function of n
            arguments is called with these, f(x, y).
        start: where to begin: a number, an array or a tree. Integers become floats.
        make_optimizer: makes the optimiser of a list of Values, one for each leaf of the start, such as
            lambda p: SGD(p, lr=0.1). LBFGS takes many iterations in a step; of one each: LBFGS(p, max_iter=1, max_eval=25).
        steps: how many steps to take, 0 or more.
        make_schedule: makes the schedule of the optimiser, stepped after each step (ReduceLROnPlateau with the value).

    Returns:
        Trace. A path that diverges goes on, to infinity and NaN.

    Raises:
        DTypeError: if the start is not of real numbers.
        ShapeError: if f returns several numbers, or steps is not an integer from 0 on.
        TinygradError: if make_optimizer does not return an optimiser, or it is unclear whether f takes x, y or one tuple.

    >>> from nn.optim import SGD
    >>> path = trace(lambda x: x**2, 1.0, lambda p: SGD(p, lr=0.25), steps=3)
    >>> path.parameters, path.values
    (array([1.   , 0.5  , 0.25 , 0.125]), array([1.      , 0.25    , 0.0625  , 0.015625]))
    """
    if not isinstance(steps, Integral) or isinstance(steps, bool) or steps < 0:
        raise ShapeError(f"trace: got steps={steps!r:.60}, expected an integer from 0 on")
    values: list[Value] = []
    tree = tree_map(lambda x: values.append(_leaf(x)) or values[-1], start)
    run = _Run(f, tree)
    optimizer = make_optimizer(list(values)) if values else None
    if not isinstance(optimizer, Optimizer):
        got = f"make_optimizer returned a {type(optimizer).__name__}" if values else "got a start without numbers"
        raise TinygradError(f"trace: {got}; pass lambda p: SGD(p, lr=0.1), and a start such as 1.0")
    schedule = make_schedule(optimizer) if make_schedule else None
    points = []
    with np.errstate(all="ignore"):
        for _ in range(steps):
            points.append(run.point())
            optimizer.step(run.closure)
            if isinstance(schedule, ReduceLROnPlateau):
                schedule.step(points[-1][1])
            elif schedule is not None:
                schedule.step()
        points.append(run.point())
    parameters, numbers, gradients = zip(*points, strict=True)
    return Trace(
        tree_map(_stacked, *parameters), np.array(numbers), tree_map(_stacked, *gradients), _names(f, parameters[0])
    )


class _Run:
    """f at the parameters, evaluated once for each place that they are at. Gradients of other Values in f stay as they are."""

    def __init__(self, f: Callable[..., Any], tree: Any) -> None:
        self.tree = tree
        self.arguments = tree if isinstance(tree, tuple) and len(tree) > 1 and takes("trace", f, len(tree)) else (tree,)
        self.both = value_and_grad(_single(f), argnums=tuple(range(len(self.arguments))))
        self.number: float | None = None  # of the place that the parameters are at, and their gradients are of

    def closure(self) -> float:
        """The value, with the gradients in place: those of `point` at first, then anew."""
        number, self.number = self.number, None
        return self._evaluate() if number is None else number

    def point(self) -> tuple[Any, float, Any]:
        """Copies of parameters, value and gradients."""
        self.number = self._evaluate()
        return tree_map(_copy, self.tree), self.number, tree_map(lambda p: _copy(p.grad), self.tree)

    def _evaluate(self) -> float:
        with no_grad():  # else the gradient is recorded, if f uses Values such as a model's
            number, gradients = self.both(*[tree_map(data_of, x) for x in self.arguments])
        tree_map(_assign, self.arguments, gradients)
        return float(np.reshape(data_of(number), ()))


def takes(name: str, f: Callable[..., Any], n: int) -> bool:
    """Whether f is a function of n numbers, f(x, y), rather than of one array or tree, f(p).

    Raises TinygradError, in the name of the function `name`, if its signature does not tell.
    """
    if isinstance(f, np.ufunc):
        return f.nin == n
    try:
        given = signature(f).parameters.values()
    except (TypeError, ValueError):  # a function written in C
        raise _unclear(name, "a function without a signature", n) from None
    ordered = [p for p in given if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    required = sum(p.default is Parameter.empty for p in ordered)
    several = required <= n <= len(ordered) or any(p.kind is Parameter.VAR_POSITIONAL for p in given)
    if several and required <= 1 <= len(ordered) and n != 1:
        raise _unclear(name, f"a function of 1 to {len(ordered)} arguments", n)
    return several


def _unclear(name: str, got: str, n: int) -> TinygradError:
    several = ", ".join(["x, y", "x, y, z"][n - 2 : n - 1] or ["*p"])
    return TinygradError(
        f"{name}: got {got}, expected one of {n} numbers or of one array; pass lambda {several}: f({several}), or lambda p: f(p)"
    )


def _single(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, with an error in the name of `trace` if its result is not a single number."""

    def single(*arguments: Any) -> Any:
        y = f(*arguments)
        if np.shape(data_of(y)) != () and np.size(data_of(y)) != 1:
            got = f"f returned shape {np.shape(data_of(y))}"
            raise ShapeError(f"trace: {got}, expected a single number; reduce it with .sum()")
        return y

    return single


def _assign(p: Value, g: Any) -> None:
    p.grad = g


def _leaf(x: Any) -> Value:
    data = np.asarray(data_of(x))
    if data.dtype.kind not in "fiu":
        raise DTypeError(f"trace: got a start of {data.dtype}, expected real numbers, or a tree of them")
    return Value(data.copy() if data.dtype.kind == "f" else data.astype(float))


def _copy(x: Any) -> Any:
    return np.array(data_of(x))


def _stacked(*points: Any) -> Any:
    return np.stack(points)
