"""From a loss for each example to one number: "mean", "sum", or "none" to leave them as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from tinygrad_edu import Value, astype, mean, sum

from ..checks import checked, one_of

F = TypeVar("F", bound=Callable[..., Any])

REDUCTIONS = ("mean", "sum", "none")


def checked_reduction(name: str, reduction: str, known: Sequence[str] = REDUCTIONS) -> str:
    """The reduction itself. Raises TinygradError if it is not known."""
    return str(checked(name, "reduction", reduction, one_of(*known)))


def reduced(name: str, losses: Any, reduction: str) -> Any:
    """The mean of the losses, their sum, or they themselves. Raises TinygradError for any other reduction."""
    checked_reduction(name, reduction)
    return losses if reduction == "none" else (mean if reduction == "mean" else sum)(losses)


def in_single(loss: F) -> F:
    """The loss, computed in float32 where it is given float16, whose squares and sums soon overflow; the result is float16."""

    @wraps(loss)
    def computed(*args: Any, **kwargs: Any) -> Any:
        given = [*args, *kwargs.values()]
        types = [x.dtype for x in given if isinstance(x, (Value, np.ndarray, np.floating))]
        if np.float16 not in types:
            return loss(*args, **kwargs)
        wide = [astype(x, np.float32) if getattr(x, "dtype", None) == np.float16 else x for x in given]
        y = loss(*wide[: len(args)], **dict(zip(kwargs, wide[len(args) :], strict=True)))
        return astype(y, np.float16) if getattr(y, "dtype", None) == np.float32 and np.float32 not in types else y

    return cast(F, computed)
