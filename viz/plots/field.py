"""Field: a user's function of one number or of two, evaluated with its gradients over many points."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from inspect import signature
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import DTypeError, GradientWarning, ShapeError, Value, derivative, grad, no_grad

from .style import shown

Array: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[..., Any]
Limits: TypeAlias = tuple[float, float]

LARGEST = 1e150  # that a plot shows: matplotlib squares numbers
_SAMPLES = 5  # points at which results for a whole grid are compared with results for single points


class Field:
    """A function of `variables` numbers.

    f is called with whole grids, if it can be: results are compared with those of single points. If they differ, or it raises an
    error, it is called point by point.

    Args:
        caller: the name of the plot, for messages.
        f: f(x) of one number; f(x, y), or f(p) of an array of shape (2,), of two. It returns a single number.
        variables: 1 or 2.

    Attributes:
        names: of the variables.
        name: of f.

    Raises:
        DTypeError: if f is not a function, or does not return real numbers.
        ShapeError: if f returns several numbers.
        TinygradError: if it is unclear whether f is a function of two numbers or of an array.
    """

    def __init__(self, caller: str, f: Function, variables: int) -> None:
        if not callable(f):
            raise DTypeError(f"{caller}: got a {type(f).__name__} as f, expected a function such as lambda x: x**2")
        self.caller, self.variables = caller, variables
        from nn.optim.tracing import takes  # here, as drawing Values needs no networks

        self.separate = variables == 1 or takes(caller, f, variables)
        self.f: Function = f if self.separate else lambda *x: f(np.stack(x))
        self.names = _names(f, variables, self.separate)
        name = getattr(f, "__name__", "f")
        self.name = name if name.isidentifier() else "f"  # a lambda is called <lambda>

    def values(self, *x: Any) -> Array:
        """f at all points of grids of one shape."""
        with no_grad():
            return self._over(x, lambda *x: (self.f(*x),), lambda *x: (self.f(*x),))[0]

    def gradients(self, *x: Any) -> list[Array]:
        """The partial derivatives at all points of grids of one shape."""
        which = tuple(range(self.variables))
        with no_grad():
            return self._over(x, derivative(self.f, which), grad(self._single, which))

    def derivative(self) -> Field:
        """f' of a function of one number; its name has a prime."""
        slope = Field(self.caller, derivative(self.f), 1)
        slope.names, slope.name = self.names, f"{self.name}′"
        return slope

    def at(self, *x: float) -> tuple[float, tuple[float, ...]]:
        """Value and gradient at a point."""
        point = [np.full(1, number, float) for number in x]
        return float(self.values(*point)[0]), tuple(float(g[0]) for g in self.gradients(*point))

    def _single(self, *x: Any) -> Any:
        y = self.f(*x)
        self._number(y)
        return y

    def _over(self, x: tuple[Any, ...], whole: Function, single: Function) -> list[Array]:
        """The results of `whole` called with all points; or of `single` called with each."""
        grids = [np.asarray(grid, float) for grid in x]
        columns = [grid.ravel() for grid in grids]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", GradientWarning)  # a flat function is no mistake

            def at(i: int) -> list[float]:
                return [self._number(y) for y in single(*[column[i] for column in columns])]

            if grids[0].size > 1:
                found = _whole(whole, grids)
                places = np.random.default_rng(0).integers(grids[0].size, size=_SAMPLES)
                if found and all(np.allclose([y.flat[i] for y in found], at(i), 1e-5, 1e-30, True) for i in places):
                    return found
            table = np.array([at(i) for i in range(grids[0].size)]).reshape(grids[0].size, -1)
        return [column.reshape(grids[0].shape) for column in table.T]

    def _number(self, y: Any) -> float:
        data = np.asarray(y.data if isinstance(y, Value) else y)
        if data.dtype.kind not in "fiub":
            got = f"a {type(y).__name__}" if data.dtype.kind == "O" else f"{data.dtype}"
            raise DTypeError(f"{self.caller}: f returned {got}, expected a real number")
        if data.size != 1:
            called = f"f({', '.join(self.names)})" if self.separate else "f(p)"
            raise ShapeError(
                f"{self.caller}: {called} returned shape {data.shape}, expected a single number; reduce it with .sum()"
            )
        return float(data.reshape(()))


def _whole(f: Function, grids: list[Array]) -> list[Array] | None:
    """f's results for whole grids; None if it raises an error, or the results are not real arrays of the grids' shape."""
    try:
        found = [np.asarray(y.data if isinstance(y, Value) else y) for y in f(*grids)]
    except Exception:  # whatever it is: a function of single numbers may fail in any way
        return None
    fits = all(y.shape == grids[0].shape and y.dtype.kind in "fiub" for y in found)
    return [y.astype(float) for y in found] if fits else None


def _names(f: Function, variables: int, separate: bool) -> tuple[str, ...]:
    if hasattr(f, "names"):  # a function that `loss_over` made
        return tuple(f.names)
    try:
        given = [] if isinstance(f, np.ufunc) else list(signature(f).parameters)
    except (TypeError, ValueError):
        given = []
    if not separate:
        return tuple(f"{given[0]}[{i}]" for i in range(variables))
    return tuple(given[:variables]) if len(given) >= variables else ("x", "y")[:variables]


def limits(caller: str, which: str, given: Any) -> Limits:
    """Two finite numbers, the lower one first. Raises DTypeError or ShapeError, in the name of `caller`, if they are not."""
    if not isinstance(given, (tuple, list, np.ndarray)) or len(given) != 2:
        raise ShapeError(f"{caller}: got {which}={given!r:.60}, expected two numbers (low, high), such as (-2, 2)")
    numbers = [real(caller, which, x) for x in given]
    if numbers[0] >= numbers[1]:
        raise ShapeError(f"{caller}: got {which}={tuple(given)!r:.60}, expected the lower number first")
    return numbers[0], numbers[1]


def count(caller: str, which: str, given: Any, least: int = 2) -> int:
    """An integer from `least` on. Raises ShapeError, in the name of `caller`, if it is not."""
    if not isinstance(given, Integral) or isinstance(given, bool) or given < least:
        raise ShapeError(f"{caller}: got {which}={given!r:.60}, expected an integer from {least} on")
    return int(given)


def places(caller: str, which: str, given: Any, variables: int) -> Array:
    """Points, (points, variables); a single one may be without brackets, and a number is a point of one variable.

    Raises DTypeError or ShapeError, in the name of `caller`, if they are not.
    """
    try:
        array = np.asarray(given, float)
    except (TypeError, ValueError):
        raise DTypeError(f"{caller}: got {which}={given!r:.60}, expected points of real numbers") from None
    if array.size == 0:
        return array.reshape(0, variables)
    if variables == 1 and array.ndim < 2:
        array = array.reshape(-1, 1)
    elif array.ndim == 1 and array.shape == (variables,):
        array = array[None]
    if array.ndim != 2 or array.shape[1] != variables:
        example = "[3.0]" if variables == 1 else "[(0, 2)]"
        raise ShapeError(f"{caller}: got {which} of shape {array.shape}, expected points such as {example}")
    if not np.isfinite(array).all():
        raise DTypeError(f"{caller}: got {which}={given!r:.60}, expected finite numbers")
    return array


def slope_at(caller: str, f: Callable[..., Any], point: Any) -> tuple[Field, float, tuple[float, ...]]:
    """The function as a Field, its value and its gradient at a point.

    Raises DTypeError or ShapeError, in the name of `caller`, if they are not finite, or it is not a point.
    """
    field = Field(caller, f, 2)
    given = places(caller, "point", point, 2)
    if len(given) != 1:
        raise ShapeError(f"{caller}: got {len(given)} points, expected one (x, y)")
    value, gradient = field.at(*given[0])
    if not np.isfinite([value, *gradient]).all():
        at = ", ".join(map(shown, given[0]))
        raise DTypeError(f"{caller}: f({at}) is {value} with gradient {gradient}, expected finite numbers")
    return field, value, gradient


def real(caller: str, which: str, x: Any) -> float:
    """A finite number. Raises DTypeError, in the name of `caller`, if it is not."""
    if not isinstance(x, Real) or not np.isfinite(float(x)):
        raise DTypeError(f"{caller}: got {x!r:.60} in {which}, expected a finite real number")
    return float(x)


def grid(xlim: Limits, ylim: Limits, points: int) -> tuple[Array, Array]:
    """Points of a rectangle, (points, points) each, as np.meshgrid gives them."""
    x, y = np.meshgrid(np.linspace(*xlim, points), np.linspace(*ylim, points))
    return x, y


def finite(caller: str, values: Array, what: Sequence[str] = ()) -> Array:
    """The values, with NaN for those that are not finite, or nearly so. Raises ShapeError if none is left."""
    kept = np.where(np.abs(values) < LARGEST, values, np.nan)
    if np.isnan(kept).all():
        raise ShapeError(
            f"{caller}: f is finite at none of the {values.size} points; choose other {' and '.join(what)}"
        )
    return kept
