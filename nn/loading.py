"""Loading is all or nothing: saved arrays are compared with the model's, and cast, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import DTypeError, ShapeError, Value

from .checks import data_of, plain_array, printable

MOST_NAMED = 20  # mismatches that a message lists


def fitted(
    own: Mapping[str, Value | NDArray[Any]], state: Mapping[str, Any], other: Callable[[str], Any]
) -> dict[str, NDArray[Any]]:
    """Copies of the arrays in a state, by path, cast to the dtypes of a model's parameters and buffers.

    Args:
        own: the model's parameters and buffers by path.
        state: arrays by path. A shared parameter may be under any of its paths, or under several with equal numbers.
        other: gives the object in the model at a path that is not in `own`.

    Raises:
        ShapeError: if an entry is missing, unexpected or of another shape, or two of one parameter differ.
        DTypeError: if a cast would lose more than by rounding.
    """
    paths = {id(item): path for path, item in own.items()}
    keys: dict[str, list[str]] = {path: [] for path in own}
    unexpected = []
    for key in state:
        path = key if key in own else paths.get(id(other(key)))
        if path is None:
            unexpected.append(f"unexpected {printable(str(key))}")
        else:
            keys[path].append(key)
    new: dict[str, NDArray[Any]] = {}
    wrong, lost = [f"missing {path}" for path in own if not keys[path]] + unexpected, []
    for path, mine in own.items():
        for key in keys[path]:
            array = np.asarray(data_of(plain_array("load_state_dict", key, state[key])))
            if array.shape != mine.shape:
                wrong.append(f"{key} has shape {array.shape}, expected {mine.shape}")
            elif reason := loss_of(array, mine.dtype):
                lost.append(f"{key} {reason}")
            else:
                cast = array.astype(mine.dtype)
                if not np.array_equal(cast, new.setdefault(path, cast), equal_nan=cast.dtype.kind == "f"):
                    wrong.append(f"{key} differs from {keys[path][0]}, which is the same parameter")
        plain = data_of(mine)
        if (
            mine.shape
            and not plain.flags.writeable
            and not np.array_equal(plain, new.get(path, plain), equal_nan=plain.dtype.kind == "f")
        ):
            wrong.append(f"{path} of the model is read-only")
    if wrong:
        raise ShapeError(f"load_state_dict: {listed(wrong)}; build the model as it was when its state was saved")
    if lost:
        raise DTypeError(f"load_state_dict: {listed(lost)}")
    return new


def assign(own: Value | NDArray[Any], array: NDArray[Any]) -> None:
    """Copy an array into a buffer, or a parameter, which keeps its memory order, and may be read-only if it has these numbers."""
    if isinstance(own, np.ndarray):
        own[...] = array
    elif not own.shape:
        own.data = array[()]
    elif own.data.flags.writeable or not np.array_equal(own.data, array, equal_nan=True):
        own.data[...] = array
        own.mark_changed()


def loss_of(array: NDArray[Any], dtype: np.dtype[Any]) -> str | None:
    """The loss, besides rounding, of a cast to a dtype, in words; None if there is none."""
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        expected = "real numbers" if dtype.kind == "f" else f"a type that {dtype} holds"
        return f"is of {array.dtype}, expected {expected}"
    if np.can_cast(array.dtype, dtype):
        return None
    with np.errstate(all="ignore"):
        new = array.astype(dtype)
    beyond = np.isfinite(array) & ~np.isfinite(new) if dtype.kind == "f" else new != array
    return f"has {array[beyond][0]}, which overflows {dtype}" if np.any(beyond) else None


def listed(faults: Sequence[str]) -> str:
    """Text for a message: the first mismatches, and the number of others."""
    more = len(faults) - MOST_NAMED
    return "; ".join([*faults[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])])
