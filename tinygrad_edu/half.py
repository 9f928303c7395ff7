"""float16: operations that add up many numbers compute in float32, and round once, at the end.

The largest float16 is 65504, and 2048 + 1 rounds to 2048: a mean or a norm would overflow, and a count would stop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from .data import raw_of
from .node import Node

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def in_single(function: Callable[..., Any], astype: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, computed in float32 where it is given float16; its result is float16 if all arrays are.

    Args:
        astype: the op that casts.
    """

    @wraps(function)
    def computed(*args: Any, **kwargs: Any) -> Any:
        for x in args:
            dtype = getattr(x.raw if isinstance(x, Node) else x, "dtype", None)
            if dtype is not None and dtype == HALF:  # two comparisons, as None == HALF takes three times as long
                break
        else:
            if not kwargs or not any(map(_is_half, kwargs.values())):
                return function(*args, **kwargs)
        given = (*args, *kwargs.values())
        wide = [astype(x, SINGLE) if _is_half(x) else x for x in given]
        y = function(*wide[: len(args)], **dict(zip(kwargs, wide[len(args) :], strict=True)))
        return y if any(map(_is_single, given)) or not _is_single(y) else astype(y, HALF)

    return computed


def _is_half(x: Any) -> bool:
    return bool(getattr(raw_of(x), "dtype", SINGLE) == HALF)


def _is_single(x: Any) -> bool:
    return bool(getattr(raw_of(x), "dtype", HALF) == SINGLE)
