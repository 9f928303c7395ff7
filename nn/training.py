"""fit: the training loop. Batches forward, loss, backward, step; after each epoch a look at the validation data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

import numpy as np

from tinygrad_edu import ShapeError, TinygradError

from .data import batches
from .diagnosis import why_not_finite
from .evaluation import Data, Loss, Metric, evaluate
from .functional import cross_entropy
from .history import History, NonFiniteError
from .metrics import accuracy
from .module import Module
from .optim import LBFGS, Optimizer
from .optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from .progress import Progress
from .utils import clip_grad_norm_, clip_grad_value_

Schedule = LRScheduler | ReduceLROnPlateau


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
            accuracy if the loss is cross_entropy, and none otherwise.
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

    Raises:
        TinygradError: if an argument is out of its range, or patience is given without validation data.
        NonFiniteError: if the loss is not finite; names the first layer whose output is not, and has the history so far.
    """
    _check(optimizer, epochs, accumulate, patience, validation, schedule_every)
    inputs, targets = np.asarray(train[0]), np.asarray(train[1])
    if not len(inputs):
        raise ShapeError("fit: got no examples, expected at least one")
    size = len(inputs) if batch_size is None else batch_size
    order = None if rng is None else np.random.default_rng(rng)
    per_step, per_epoch = (schedule, None) if schedule_every == "step" else (None, schedule)
    step = _Step(model, loss, optimizer, clip_norm, clip_value, per_step)
    watch = _Watch(model, validation, loss, metrics, patience, per_epoch)
    quiet = np.errstate(all="ignore")  # each loss is looked at instead
    with Progress(epochs, -(-len(inputs) // max(size, 1)), progress) as bar, quiet:
        try:
            for epoch in range(1, epochs + 1):
                model.train()
                train_loss = _one_epoch(step, (inputs, targets), size, accumulate, order, bar, watch.history)
                numbers = watch.look(epoch, train_loss)
                bar.epoch(epoch, numbers)
                if watch.out_of_patience(epoch) or (on_epoch is not None and on_epoch(epoch, watch.history)):
                    watch.history.stopped_early = True
                    break
        except KeyboardInterrupt:
            watch.history.interrupted = True
    return watch.end()


def _check(
    optimizer: Any, epochs: int, accumulate: int, patience: int | None, validation: Data | None, schedule_every: str
) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TinygradError(
            f"fit: got {optimizer!r} as optimizer, expected one, as in nn.optim.SGD(model.parameters(), lr=0.1)"
        )
    if patience is not None and validation is None:
        raise TinygradError("fit: patience= needs validation=(inputs, targets) to watch")
    if epochs < 1 or accumulate < 1:
        raise TinygradError(f"fit: got epochs={epochs}, accumulate={accumulate}; expected at least 1 of each")
    if accumulate > 1 and isinstance(optimizer, LBFGS):
        raise TinygradError("fit: LBFGS asks for the gradients of a batch several times; leave accumulate out")
    if schedule_every not in ("epoch", "step"):
        raise TinygradError(f"fit: got schedule_every={schedule_every!r}, expected 'epoch' or 'step'")


@dataclass
class _Watch:
    """What happens between epochs: a look at the validation data, the schedule, and keeping the best weights."""

    model: Module
    validation: Data | None
    loss: Loss
    metrics: Sequence[Metric] | None
    patience: int | None
    schedule: Schedule | None
    history: History = field(default_factory=History)
    best: tuple[float, Any] = (np.inf, None)  # the lowest loss watched, and the weights that had it

    def look(self, epoch: int, train_loss: float) -> dict[str, float]:
        """Record an epoch; returns its numbers."""
        numbers = {"train_loss": train_loss}
        if self.validation is not None:
            chosen = (accuracy,) if self.metrics is None and self.loss is cross_entropy else self.metrics or ()
            seen = evaluate(self.model, self.validation, self.loss, chosen)
            numbers |= {f"validation_{name}": number for name, number in seen.items()}
        self.history.add(**numbers)
        watched = numbers.get("validation_loss", train_loss)
        if watched < self.best[0]:
            self.history.best_epoch = epoch
            self.best = watched, self.model.state_dict() if self.patience is not None else None
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(watched)
        elif self.schedule is not None:
            self.schedule.step()
        return numbers

    def out_of_patience(self, epoch: int) -> bool:
        """Whether the best epoch is too long ago."""
        return self.patience is not None and epoch - self.history.best_epoch >= self.patience

    def end(self) -> History:
        """Put the best weights back, if they were kept, and the model in use."""
        if self.best[1] is not None:
            self.model.load_state_dict(self.best[1])
        self.model.eval()
        return self.history


@dataclass
class _Step:
    """A step of training in two parts: the gradients of batches, and the update."""

    model: Module
    loss: Loss
    optimizer: Optimizer
    clip_norm: float | None
    clip_value: float | None
    schedule: Any  # stepped after each update

    def __post_init__(self) -> None:
        self.parameters = self.model.parameters() if self.clip_norm or self.clip_value else []

    def backward(self, x: Any, y: Any, share: float) -> float:
        """Add the gradients of share * loss; returns the loss, which may be NaN: then there are no gradients."""
        error = self.loss(self.model(x), y)
        number = float(error.data)
        if isfinite(number):
            error.backward(None if share == 1 else share, retain_graph=False)
        return number

    def clip(self) -> None:
        """Limit the gradients."""
        if self.clip_norm:
            clip_grad_norm_(self.parameters, self.clip_norm)
        if self.clip_value:
            clip_grad_value_(self.parameters, self.clip_value)

    def update(self, x: Any, y: Any) -> None:
        """Change the parameters by the gradients that are there."""
        if isinstance(self.optimizer, LBFGS):
            self.optimizer.step(lambda: self._again(x, y))
        else:
            self.clip()
            self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()

    def _again(self, x: Any, y: Any) -> float:
        """The loss of a batch, and its gradients, as LBFGS asks for them at each place that it tries."""
        self.optimizer.zero_grad()
        number = self.backward(x, y, 1)
        self.clip()
        return number


def _one_epoch(
    step: _Step, train: Data, batch_size: int, accumulate: int, rng: Any, bar: Progress, history: History
) -> float:
    """Mean training loss over one pass through the data."""
    total = 0.0
    for i, (x, y) in enumerate(batches(*train, batch_size=batch_size, rng=rng)):
        first = i - i % accumulate  # of the batches whose gradients are averaged
        count = min(accumulate, bar.steps - first)
        if i == first:
            step.optimizer.zero_grad()
        number = step.backward(x, y, 1 / count)
        if not isfinite(number):
            at = f"fit: the loss is {number} in step {step.optimizer.steps + 1}"
            raise NonFiniteError(f"{at}; {why_not_finite(step.model, x)}", history)
        if i == first + count - 1:
            step.update(x, y)
        total += number * len(x)
        bar.step()
    return total / len(train[0])
