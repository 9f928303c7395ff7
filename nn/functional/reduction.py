"""Reduction of the losses of examples to one number: "mean", "sum" or "batchmean"; "none" leaves them unchanged.

A mean over several batches is not the mean of their means: each mean has the weight of its divisor. So a loss can also return
its `Part`, the number with its weight, for sums over batches; see `nn.training.tally`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from inspect import signature
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from tinygrad_edu import ShapeError, TinygradError, Value, astype, mean, sum

from ..checks import data_of, explaining

F = TypeVar("F", bound=Callable[..., Any])

DEFAULTS: dict[Callable[..., Any], str] = {}  # the default reduction of each loss function


class Part(NamedTuple):
    """The loss of some of the examples, a mean or a sum.

    Attributes:
        value: the loss, a Value of one number: a mean, or a sum, which it is also where the weight is 0.
        weight: the divisor of a mean: the number of losses, or the sum of their weights.
        root: the loss is a root, of a mean or sum of squares.
        summed: the loss is a sum.
    """

    value: Any
    weight: float
    root: bool = False
    summed: bool = False


class InParts(str):
    """A reduction for which a loss returns its `Part` instead of the value alone."""


noted: ContextVar[list[Part] | None] = ContextVar("noted", default=None)  # Parts of losses called by a user's loss


def reduced(name: str, losses: Any, reduction: str, weight: float | None = None) -> Any:
    """The mean or the sum of the losses, the mean over the first axis of the sums over the others, or the losses unchanged.

    Args:
        weight: the divisor of the mean; None for the number of losses.

    Raises TinygradError for a mean of weight 0, ShapeError for "batchmean" of scalars.
    """
    if reduction == "none":
        return losses
    if reduction == "batchmean":
        if not (axes := np.ndim(data_of(losses))):
            raise ShapeError(f"{name}: got scalars, expected a first axis for reduction='batchmean'; use 'sum'")
        losses, reduction = sum(losses, axis=tuple(range(1, axes))), type(reduction)("mean")
    if reduction == "sum":
        return part(sum(losses), losses, reduction, weight)
    if weight is None:
        return part(mean(losses), losses, reduction)
    if weight > 0:
        return part(sum(losses) / weight, losses, reduction, weight)
    if weight == 0 and (isinstance(reduction, InParts) or noted.get() is not None):
        return part(sum(losses), losses, reduction, weight)
    raise TinygradError(f"{name}: all labels are ignored or weigh 0, expected one that counts for a mean")


def part(value: Any, losses: Any, reduction: str, weight: float | None = None, root: bool = False) -> Any:
    """The reduced value of the losses, or its Part if the reduction is an InParts."""
    notes, asked = noted.get(), isinstance(reduction, InParts)
    if notes is None and not asked:
        return value
    found = Part(value, getattr(losses, "size", 1) if weight is None else weight, root, reduction == "sum")
    if notes is not None:
        notes.append(found)
    return found if asked else value


def loss_function(loss: F) -> F:
    """Decorator of a loss with a reduction: settings as annotated, float16 in float32, and errors explained."""
    public = explaining(in_single(loss))
    DEFAULTS[public] = signature(loss).parameters["reduction"].default
    return public


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
        if getattr(y, "dtype", None) != np.float32 or np.float32 in types:
            return y
        narrow = astype(y, np.float16)
        if (notes := noted.get()) and notes[-1].value is y:
            notes[-1] = notes[-1]._replace(value=narrow)
        return narrow

    return cast(F, computed)
