"""fit: the training loop. Batches forward, loss, backward, step; after each epoch a look at the validation data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import ShapeError, TinygradError, Value, no_grad

from .data import batches
from .functional import accuracy, cross_entropy
from .module import Module
from .optim import Optimizer

Data = tuple[NDArray[Any], NDArray[Any]]


@dataclass
class History:
    """What `fit` saw.

    Attributes:
        curves: one number an epoch under each of "train_loss", and with validation data "validation_loss" and
            "validation_" with the metric's name, such as "validation_accuracy".
        best_epoch: the epoch, from 1, with the lowest validation loss (training loss without validation data).
        stopped_early: whether patience ran out before the epochs did.
    """

    curves: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    stopped_early: bool = False

    def add(self, **numbers: float) -> None:
        """Append one epoch's numbers to the curves."""
        for name, number in numbers.items():
            self.curves.setdefault(name, []).append(number)


def evaluate(
    model: Module,
    data: Data,
    loss: Callable[[Value, NDArray[Any]], Value] = cross_entropy,
    metric: Callable[[Value, NDArray[Any]], float] = accuracy,
    batch_size: int = 1024,
) -> tuple[float, float]:
    """(mean loss, mean metric) of a model over (inputs, targets), without recording a graph.

    Raises ShapeError if there are no examples.
    """
    inputs, targets = np.asarray(data[0]), np.asarray(data[1])
    if not len(inputs):
        raise ShapeError("evaluate: got no examples, expected at least one")
    totals = np.zeros(2)
    with no_grad():
        for x, y in batches(inputs, targets, batch_size=batch_size):
            output = model(x)
            totals += np.array([float(loss(output, y)), metric(output, y)]) * len(x)
    return float(totals[0] / len(inputs)), float(totals[1] / len(inputs))


def fit(
    model: Module,
    train: Data,
    optimizer: Optimizer,
    *,
    loss: Callable[[Value, NDArray[Any]], Value] = cross_entropy,
    metric: Callable[[Value, NDArray[Any]], float] | None = None,
    epochs: int = 10,
    batch_size: int = 32,
    rng: np.random.Generator | None = None,
    validation: Data | None = None,
    patience: int | None = None,
    progress: bool = True,
) -> History:
    """Train a model in place.

    Args:
        model: maps a batch of inputs to what `loss` takes.
        train: (inputs, targets), both with the examples along the first axis.
        optimizer: over the model's parameters.
        loss: of (output, targets) of a batch; its mean over the batch.
        metric: of the same, shown and recorded for the validation data under its name; by default accuracy if the loss is
            cross_entropy, and none otherwise.
        epochs: how often to go through the data, at most.
        batch_size: examples in a step.
        rng: shuffles the data before each epoch; None keeps its order.
        validation: (inputs, targets) to look at after each epoch.
        patience: stop after so many epochs without a lower validation loss, and put the best weights back.
        progress: draw a live progress bar (plain lines where the output is not a terminal).

    Returns:
        the `History`.

    Raises:
        TinygradError: if patience is given without validation data, or the loss is not finite.
    """
    if patience is not None and validation is None:
        raise TinygradError("fit: patience= needs validation=(inputs, targets) to watch")
    if not isinstance(optimizer, Optimizer):
        raise TinygradError(
            f"fit: got {optimizer!r} as optimizer, expected one, as in nn.optim.SGD(model.parameters(), lr=0.1)"
        )
    if metric is None and loss is cross_entropy:
        metric = accuracy
    train = (np.asarray(train[0]), np.asarray(train[1]))
    history = History()
    best_loss, best_state = np.inf, None
    with _Progress(epochs, progress) as bar:
        for epoch in range(1, epochs + 1):
            train_loss = _one_epoch(model, train, optimizer, loss, batch_size, rng)
            history.add(train_loss=train_loss)
            watched = train_loss
            if validation is not None:
                watched, score = evaluate(model, validation, loss, metric or _no_metric)
                history.add(validation_loss=watched, **({f"validation_{metric.__name__}": score} if metric else {}))
            if watched < best_loss:
                best_loss, history.best_epoch = watched, epoch
                best_state = model.state_dict() if patience is not None else None
            bar.advance(epoch, {name: curve[-1] for name, curve in history.curves.items()})
            if patience is not None and epoch - history.best_epoch >= patience:
                history.stopped_early = True
                break
    if best_state is not None:
        model.load_state_dict(best_state)
    return history


def _no_metric(*_: Any) -> float:
    return 0.0


def _one_epoch(
    model: Module,
    train: Data,
    optimizer: Optimizer,
    loss: Callable[[Value, NDArray[Any]], Value],
    batch_size: int,
    rng: np.random.Generator | None,
) -> float:
    """Mean training loss over one pass through the data, taking a step a batch."""
    total = 0.0
    for x, y in batches(*train, batch_size=batch_size, rng=rng):
        optimizer.zero_grad()
        error = loss(model(x), y)
        if not np.isfinite(error.data):
            raise TinygradError(
                f"fit: the loss is {error.item()} in step {optimizer.steps + 1}; try a lower learning rate"
            )
        error.backward(retain_graph=False)
        optimizer.step()
        total += error.item() * len(x)
    return total / len(train[0])


class _Progress:
    """A live rich progress bar on a terminal, a plain line every so often elsewhere, nothing if not wanted."""

    def __init__(self, epochs: int, wanted: bool) -> None:
        self.epochs, self.wanted = epochs, wanted

    def __enter__(self) -> _Progress:
        if self.wanted:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self.console = Console()
            columns = (
                "epoch",
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
            )
            self.bar = Progress(*columns, console=self.console, disable=not self.console.is_terminal)
            self.task = self.bar.add_task("", total=self.epochs)
            self.bar.start()
        return self

    def advance(self, epoch: int, numbers: dict[str, float]) -> None:
        """Show the numbers of an epoch that is over."""
        if not self.wanted:
            return
        text = "  ".join(f"{name.replace('_', ' ')} {number:.4f}" for name, number in numbers.items())
        self.bar.update(self.task, completed=epoch, description=text)
        if not self.console.is_terminal and (epoch % 10 == 0 or epoch in (1, self.epochs)):
            self.console.print(f"epoch {epoch}/{self.epochs}  {text}", highlight=False, soft_wrap=True)

    def __exit__(self, *exception: object) -> None:
        if self.wanted:
            self.bar.stop()
