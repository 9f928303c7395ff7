"""Checks of the arguments of `fit` and `evaluate`, made before anything changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import ShapeError, TinygradError, Value

from ..checks import FLAG, FUNCTION, MODULE, NOT_NEGATIVE, checked, plain_array, shown, size
from ..module import Module
from ..optim import LBFGS, Optimizer
from ..optim.lr_scheduler import ReduceLROnPlateau
from .callbacks import EarlyStopping, Schedule

Data: TypeAlias = tuple[NDArray[Any], NDArray[Any]]


def checked_data(name: str, what: str, data: Any) -> Data:
    """Inputs and targets, of equal lengths.

    Raises:
        TinygradError: unless they are a pair.
        ShapeError: if there are no examples, or not one target for each.
    """
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        got = f"{len(data)} things" if isinstance(data, (tuple, list)) else shown(data)
        raise TinygradError(f"{name}: got {got} as {what}, expected a pair, (inputs, targets)")
    inputs, targets = [plain_array(name, part, x) for part, x in zip(("inputs", "targets"), data, strict=True)]
    if isinstance(targets, Value):
        targets = targets.data
    if not inputs.ndim or not targets.ndim or len(inputs) != len(targets):
        got = f"inputs {inputs.shape} and targets {targets.shape}"
        raise ShapeError(f"{name}: got {got} as {what}, expected one target for each input, along the first axis")
    if not len(inputs):
        raise ShapeError(f"{name}: got no examples, expected at least one")
    return inputs, targets


def check_options(
    model: Any,
    optimizer: Any,
    epochs: Any,
    accumulate: Any,
    penalty: Any,
    clip_norm: Any,
    clip_value: Any,
    **others: Any,
) -> None:
    """Raises TinygradError for options of fit that are out of their ranges, or do not fit the model or the optimiser."""
    _check_model(model, optimizer)
    for name in ("drop_last", "train_metrics", "gradient_norm", "progress", "compile"):
        checked("fit", name, others[name], FLAG)
    size("fit", "epochs", epochs)
    size("fit", "accumulate", accumulate)
    for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
        if limit is not None:
            checked("fit", name, limit, NOT_NEGATIVE)
    if penalty is not None:
        checked("fit", "penalty", penalty, FUNCTION)
    if others["compile"] and (accumulate != 1 or isinstance(optimizer, LBFGS)):
        raise TinygradError(
            "fit: compile=True is for one batch a step and one gradient of it; leave accumulate and LBFGS out"
        )
    if not isinstance(optimizer, LBFGS):
        return
    if accumulate != 1:
        raise TinygradError("fit: LBFGS asks for the gradients of a batch several times; leave accumulate out")
    if clip_norm is not None or clip_value is not None:
        raise TinygradError("fit: LBFGS learns curvature from gradients, which clipping falsifies; leave it out")


def _check_model(model: Any, optimizer: Any) -> None:
    """Raises TinygradError for a model and an optimiser that do not fit together."""
    checked("fit", "model", model, MODULE)
    if not isinstance(optimizer, Optimizer):
        raise TinygradError(
            f"fit: got {optimizer!r} as optimizer, expected one, as in nn.optim.SGD(model.parameters(), lr=0.1)"
        )
    if not set(optimizer.state) & set(model.parameters()):
        remedy = "make it anew after copying or rebuilding the model"
        raise TinygradError(f"fit: the optimizer holds none of the model's parameters; {remedy}")
    if not any(p.requires_grad for p in optimizer.state):
        remedy = "call model.freeze(False), or freeze less of it"
        raise TinygradError(f"fit: all parameters of the optimizer are frozen; {remedy}")


def check_callbacks(model: Module, optimizer: Optimizer, on_step: Sequence[Any], on_epoch: Sequence[Any]) -> None:
    """Raises TinygradError for schedules and early stopping of another training. Warns if all rates are 0 without a schedule."""
    schedules = [each for each in (*on_step, *on_epoch) if isinstance(each, Schedule)]
    if not schedules and not any(group["lr"] for group in optimizer.param_groups):
        remedy = "set optimizer.lr, or pass the schedule that brings it back"
        warn(
            f"fit: the learning rate is 0, as after a finished schedule, so no parameter will change; {remedy}",
            stacklevel=1,
        )
    for each in schedules:
        if each.optimizer is not optimizer:
            raise TinygradError(f"fit: got a {type(each).__name__} of another optimizer; make it for this one")
    for each in on_step:
        if isinstance(each, (ReduceLROnPlateau, EarlyStopping)):
            raise TinygradError(f"fit: {type(each).__name__} needs the numbers of an epoch; pass it as on_epoch=")
    for each in on_epoch:
        if isinstance(each, EarlyStopping) and each.model is not model:
            raise TinygradError("fit: got an EarlyStopping of another model, whose weights it would keep")


def climbs(optimizer: Optimizer, penalty: Any) -> bool:
    """Whether the loss should rise. Raises TinygradError for a penalty where only some groups maximize."""
    rising = {bool(group.get("maximize")) for group in optimizer.param_groups}
    if len(rising) > 1 and penalty is not None:
        raise TinygradError(
            "fit: got a penalty, and groups with and without maximize=; leave penalty out, or have them agree"
        )
    return rising == {True}


def steps_of(examples: int, batch_size: int, drop_last: bool) -> int:
    """The number of batches in an epoch. Raises ShapeError if it is 0."""
    whole, rest = divmod(examples, batch_size)
    if drop_last and not whole:
        got = f"{examples} examples, batch_size={batch_size} and drop_last=True"
        raise ShapeError(f"fit: got {got}, expected one whole batch at least; pass a smaller batch_size")
    return whole + (rest > 0 and not drop_last)


def single(x: Any) -> bool:
    """Whether x is a Value of one number."""
    return isinstance(x, Value) and not np.shape(x)
