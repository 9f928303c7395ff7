"""fit: the training loop. Batches forward, loss, backward, step; after each epoch a look at the validation data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, Literal
from warnings import warn

import numpy as np

from tinygrad_edu import ShapeError, TinygradError

from .checks import explaining, generator, plain_array, size
from .data import batches
from .diagnosis import why_not_finite
from .evaluation import Data, Loss, Metric
from .functional import cross_entropy
from .history import History, NonFiniteError
from .module import Module
from .optim import LBFGS, Optimizer
from .optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from .progress import Progress
from .steps import Step
from .watch import Schedule, Watch


@explaining
def fit(
    model: Module,
    train: Data,
    optimizer: Optimizer,
    *,
    loss: Loss = cross_entropy,
    metrics: Sequence[Metric] | None = None,
    epochs: int = 10,
    batch_size: int | None = 32,
    rng: np.random.Generator | int | None = None,
    validation: Data | None = None,
    patience: int | None = None,
    schedule: Schedule | None = None,
    schedule_every: Literal["epoch", "step"] = "epoch",
    clip_norm: float | None = None,
    clip_value: float | None = None,
    accumulate: int = 1,
    on_epoch: Callable[[int, History], bool | None] | None = None,
    progress: bool = True,
) -> History:
    """Train a model in place. It is in training mode meanwhile, and in use (`eval`) afterwards.

    Args:
        model: maps a batch of inputs to what `loss` takes.
        train: (inputs, targets), both with the examples along the first axis.
        optimizer: over the model's parameters.
        loss: of (output, targets) of a batch; its mean over the batch.
        metrics: functions of (outputs, targets), plain arrays, of the validation data, recorded under their names; by default
            accuracy if the loss is cross_entropy or CrossEntropyLoss(), and none otherwise.
        epochs: how often to go through the data, at most.
        batch_size: examples in a step, from 1; None for all of them.
        rng: shuffles the data before each epoch: a generator, or a seed for one; None keeps their order.
        validation: (inputs, targets) to look at after each epoch.
        patience: stop after so many epochs without a lower validation loss, and put the best weights back.
        schedule: of the optimiser's learning rate, stepped after each epoch, or after each step of the optimiser.
        clip_norm, clip_value: limits of the gradient's norm, and of each of its numbers.
        accumulate: so many batches' gradients are averaged for a step.
        on_epoch: called with the epoch, from 1, and the history so far; training ends if it returns True.
        progress: draw a live progress bar (plain lines where the output is not a terminal).

    Returns:
        the `History`; so far, if Ctrl-C ended the training.

    Warns if every learning rate is 0 and no schedule would change that.

    Raises:
        TinygradError: if an argument is out of its range, or patience is given without validation data.
        NonFiniteError: if the loss is not finite; names the first layer whose output is not, and has the history so far.
    """
    _check(model, optimizer, schedule, schedule_every)
    _check_lbfgs(optimizer, accumulate, clip_norm, clip_value)
    if patience is not None and validation is None:
        raise TinygradError("fit: patience= needs validation=(inputs, targets) to watch")
    epochs, accumulate = size("fit", "epochs", epochs), size("fit", "accumulate", accumulate)
    inputs, targets = [plain_array("fit", what, x) for what, x in zip(("inputs", "targets"), train[:2], strict=True)]
    if not len(inputs):
        raise ShapeError("fit: got no examples, expected at least one")
    count = len(inputs) if batch_size is None else size("fit", "batch_size", batch_size)
    order = None if rng is None else generator("fit", rng)
    per_step, per_epoch = (schedule, None) if schedule_every == "step" else (None, schedule)
    step = Step(model, loss, optimizer, clip_norm, clip_value, per_step)
    watch = Watch(model, validation, loss, metrics, patience, per_epoch)
    quiet = np.errstate(all="ignore")  # each loss is looked at instead
    with Progress(epochs, -(-len(inputs) // count), progress) as bar, quiet, watch:
        for epoch in range(1, epochs + 1):
            model.train()
            train_loss = _one_epoch(step, (inputs, targets), count, accumulate, order, bar, watch.history)
            bar.epoch(epoch, watch.look(epoch, train_loss))
            if watch.out_of_patience(epoch) or (on_epoch is not None and on_epoch(epoch, watch.history)):
                watch.history.stopped_early = True
                break
    return watch.history


def _check(model: Module, optimizer: Any, schedule: Any, schedule_every: str) -> None:
    """Raises TinygradError for what does not fit together."""
    if not isinstance(optimizer, Optimizer):
        raise TinygradError(
            f"fit: got {optimizer!r} as optimizer, expected one, as in nn.optim.SGD(model.parameters(), lr=0.1)"
        )
    if not set(optimizer.state) & set(model.parameters()):
        remedy = "make it anew after copying or rebuilding the model"
        raise TinygradError(f"fit: the optimizer holds none of the model's parameters; {remedy}")
    if schedule is None and not any(group["lr"] for group in optimizer.param_groups):
        remedy = "set optimizer.lr, or pass the schedule that brings it back"
        warn(
            f"fit: the learning rate is 0, as after a finished schedule, so no parameter will change; {remedy}",
            stacklevel=1,
        )
    if schedule_every not in ("epoch", "step"):
        raise TinygradError(f"fit: got schedule_every={schedule_every!r}, expected 'epoch' or 'step'")
    if schedule is None:
        return
    if not isinstance(schedule, (LRScheduler, ReduceLROnPlateau)) or schedule.optimizer is not optimizer:
        got = type(schedule).__name__
        raise TinygradError(f"fit: got {got} as schedule, expected one of nn.optim.lr_scheduler for this optimizer")
    if isinstance(schedule, ReduceLROnPlateau) and schedule_every == "step":
        raise TinygradError("fit: ReduceLROnPlateau watches the loss of epochs; leave schedule_every out")


def _check_lbfgs(optimizer: Optimizer, accumulate: int, clip_norm: float | None, clip_value: float | None) -> None:
    """Raises TinygradError for what L-BFGS, which compares gradients at several places, cannot do."""
    if not isinstance(optimizer, LBFGS):
        return
    if accumulate != 1:
        raise TinygradError("fit: LBFGS asks for the gradients of a batch several times; leave accumulate out")
    if clip_norm is not None or clip_value is not None:
        raise TinygradError("fit: LBFGS learns curvature from gradients, which clipping falsifies; leave it out")


def _one_epoch(
    step: Step, train: Data, batch_size: int, accumulate: int, rng: Any, bar: Progress, history: History
) -> float:
    """Mean training loss over one pass through the data."""
    total = 0.0
    for i, (x, y) in enumerate(batches(*train, batch_size=batch_size, rng=rng)):
        first = i - i % accumulate  # of the batches whose gradients are averaged
        count = min(accumulate, bar.steps - first)
        if i == first:
            step.zero_grad()
        number = step.backward(x, y, 1 / count)
        if isfinite(number) and i == first + count - 1:
            number_after = step.update(x, y)
            number = number if isfinite(number_after) else number_after
        if not isfinite(number):
            at = f"fit: the loss is {number} in step {step.optimizer.steps + 1}"
            raise NonFiniteError(f"{at}; {why_not_finite(step.model, x)}", history)
        total += number * len(x)
        bar.step()
    return total / len(train[0])
