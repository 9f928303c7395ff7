"""Values in nested lists, made one Value: what np.array is for numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..node import Node
from .joining import stack


def array(x: Any) -> Any:
    """A nested list or tuple of numbers, arrays and Values as one Value; without Values as an ndarray.

    Raises ShapeError if the rows differ in length.

    >>> array([[c, -s], [s, c]])  # doctest: +SKIP
    """
    if isinstance(x, (list, tuple)) and _holds_values(x):
        return stack([array(row) for row in x])
    return x if isinstance(x, Node) else np.asarray(x)


def _holds_values(x: Any) -> bool:
    return any(_holds_values(row) for row in x) if isinstance(x, (list, tuple)) else isinstance(x, Node)
