"""What losses ask of their arguments: real numbers, equal shapes, labels of classes, numbers within their range."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value

from ..checks import Shape, as_integers, data_of, plain_array, stretches


def numbers(name: str, what: str, x: Any, like: Any = None) -> Any:
    """A Value or floats as they are; integers and booleans as floats of the type of `like`; nested lists as an array.

    Raises DTypeError for anything else.
    """
    if isinstance(x, (Value, float)):
        return x
    x = plain_array(name, what, x)
    if x.dtype.kind in "iub":
        return x.astype(getattr(like, "dtype", float))
    if x.dtype.kind != "f":
        raise DTypeError(f"{name}: {what} is of {x.dtype}, expected real numbers")
    return x


def operand(name: str, x: Any) -> Any:
    """An array or Value unchanged; a number or a nested list as an array. Errors begin with the name of the function."""
    return x if isinstance(x, Value) or type(x) is np.ndarray else plain_array(name, "input", x)


def shape_of(x: Any) -> Shape:
    """() for a number, the shape of an array or Value."""
    return getattr(x, "shape", ())


def filled(name: str, what: str, x: Any) -> Any:
    """x itself. Raises ShapeError if it is empty."""
    if 0 in shape_of(x):
        raise ShapeError(f"{name}: {what} of shape {shape_of(x)} is empty, expected at least one number")
    return x


def pair(name: str, one: Any, two: Any, named: tuple[str, str] = ("input", "target")) -> tuple[Any, Any]:
    """Both as numbers. Raises ShapeError if the shapes differ: broadcasting would be a mistake that goes unnoticed."""
    one = numbers(name, named[0], one)
    two = numbers(name, named[1], two, like=one)
    if shape_of(one) != shape_of(two):
        got = f"{named[0]} has shape {shape_of(one)}, {named[1]} {shape_of(two)}"
        raise ShapeError(f"{name}: {got}; expected the same, so reshape one")
    return filled(name, named[0], one), two


def require(name: str, what: str, holds: Any, expected: str) -> None:
    """Raises TinygradError that says how many numbers break a rule."""
    wrong = np.size(holds) - np.count_nonzero(holds)
    if wrong:
        raise TinygradError(f"{name}: {wrong} of {np.size(holds)} numbers of {what} are wrong, expected {expected}")


def require_probabilities(name: str, what: str, x: Any) -> None:
    """Raises TinygradError unless all are from 0 to 1."""
    require(name, what, (x >= 0) & (x <= 1), "probabilities, from 0 to 1")


def signs(name: str, target: Any, like: Any, shape: Shape) -> Any:
    """Labels of two classes, as floats. Raises TinygradError unless all are -1 or +1, ShapeError for another shape."""
    target = numbers(name, "target", target, like)
    if shape_of(target) != shape:
        raise ShapeError(f"{name}: target has shape {shape_of(target)}, expected {shape}, one label each; reshape it")
    require(name, "target", abs(data_of(target)) == 1, "labels -1 or +1; turn 0 and 1 into them with 2 * labels - 1")
    return target


def class_axis(shape: Shape) -> int:
    """Where the classes of scores lie: along axis 1, after the batch, or along the only one."""
    return 1 if len(shape) > 1 else 0


def class_labels(name: str, what: str, scores: Shape, labels: Any, ignore_index: int | None = None) -> NDArray[Any]:
    """Labels as an array of integers, one for each place of scores (batch, classes, ...) or (classes,).

    Raises:
        ShapeError: if there is not one for each place, there is none, or one is out of range and not the ignored one.
        DTypeError: if they are not integers.
    """
    if isinstance(labels, Value):
        raise DTypeError(f"{name}: labels are a Value, expected plain integers; write labels.data.astype(int)")
    given: NDArray[Any] = plain_array(name, "labels", labels)
    axis = class_axis(scores)
    if not scores or 0 in scores or given.shape != scores[:axis] + scores[axis + 1 :]:
        column = given.shape == (*scores[:1], 1)
        one_hot = given.shape == scores
        remedy = (
            "; of one-hot rows pass np.argmax(labels, axis=1)" if one_hot else "; pass labels[:, 0]" if column else ""
        )
        raise ShapeError(
            f"{name}: got {what} {scores} and labels {given.shape}, expected (batch, classes) and (batch,), at least one, "
            f"where both may have more axes at the end{remedy}"
        )
    if given.dtype.kind not in "iu":
        raise DTypeError(f"{name}: labels are {given.dtype}, expected integers; {as_integers(given)}")
    counted = given[given != ignore_index]
    if counted.size and (counted.min() < 0 or counted.max() >= scores[axis]):
        got = f"labels from {counted.min()} to {counted.max()}"
        raise ShapeError(f"{name}: got {got}, expected 0 to {scores[axis] - 1} for {what} of shape {scores}")
    return given


def class_weights(name: str, weight: Any, like: Any) -> NDArray[Any]:
    """One weight for each class of the scores `like`, all 1 for None. Raises ShapeError if there are more or fewer."""
    classes = like.shape[class_axis(like.shape)]
    if weight is None:
        return np.ones(classes, like.dtype)
    weights: NDArray[Any] = np.asarray(data_of(numbers(name, "weight", weight)), like.dtype)
    if weights.shape != (classes,):
        raise ShapeError(f"{name}: weight has shape {weights.shape}, expected ({classes},), a number for each class")
    return weights


def factor(name: str, what: str, weight: Any, like: Any) -> Any:
    """Weights of the numbers of `like`, whose shape they may be stretched to; 1 for None. Raises ShapeError if they cannot."""
    if weight is None:
        return 1.0
    if not isinstance(weight, Value):
        weight = np.asarray(numbers(name, what, weight), getattr(like, "dtype", float))
    got, expected = shape_of(weight), shape_of(like)
    if not stretches(got, expected):
        raise ShapeError(f"{name}: {what} has shape {got}, expected {expected} or one that broadcasts to it")
    return weight
