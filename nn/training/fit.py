"""fit: the training loop. For each batch forward, loss, backward and step; after each epoch, validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from os import PathLike
from typing import Any, Literal

import numpy as np

from tinygrad_edu import ShapeError, TinygradError

from ..checks import FUNCTION, checked, explaining, generator, size
from ..data import batches
from ..functional import cross_entropy
from ..functional.normalization import SEVERAL
from ..loss.parts import parts
from ..module import Module
from ..optim import Optimizer
from ..runs.run import opened
from ..runs.state import Training
from .arguments import Data, Schedule, check_flags, check_model, check_step, checked_data, climbs, steps_of
from .evaluation import Loss, Metric, named_metrics
from .history import History
from .interrupts import Interrupts
from .monitor import Mode, monitor_of
from .progress import Progress
from .step import Batch, Penalty, Step
from .watch import Watch

ELSEWHERE = {"model", "train", "optimizer", "validation", "schedule"}  # compared in other ways when a run resumes
FREE = {"epochs", "on_epoch", "progress", "run", "resume", "keep", "save_every", "generators", "notes"}  # not compared


@explaining
def fit(
    model: Module,
    train: Data,
    optimizer: Optimizer,
    *,
    loss: Loss = cross_entropy,
    penalty: Penalty | None = None,
    metrics: Sequence[Metric] | None = None,
    epochs: int = 10,
    batch_size: int | None = 32,
    drop_last: bool = False,
    rng: np.random.Generator | int | None = None,
    validation: Data | None = None,
    train_metrics: bool = False,
    monitor: str | None = None,
    mode: Mode | None = None,
    patience: int | None = None,
    schedule: Schedule | None = None,
    schedule_every: Literal["epoch", "step"] = "epoch",
    clip_norm: float | None = None,
    clip_value: float | None = None,
    gradient_norm: bool = False,
    accumulate: int = 1,
    on_epoch: Callable[[int, History], bool | None] | None = None,
    progress: bool = True,
    run: str | PathLike[str] | None = None,
    resume: bool = False,
    keep: int = 3,
    save_every: int = 1,
    generators: Sequence[np.random.Generator] = (),
    notes: Mapping[str, Any] | None = None,
) -> History:
    """Train a model in place: in training mode, and in evaluation mode (`eval`) afterwards.

    A step is taken or leaves no trace: one that meets a loss of NaN, an error or Ctrl-C leaves parameters, optimiser, buffers
    (running statistics) and the random generators of the model as they were before it. Two things are undone to the start of the
    epoch, or of one at most 100 steps earlier, instead: the update along a gradient that is not finite though its loss is, unless
    clip_norm or gradient_norm refuses it at once, and an update in which a custom optimiser raises an error midway.

    Args:
        model: maps a batch of inputs to what `loss` takes.
        train: (inputs, targets), both with the examples along the first axis.
        optimizer: over the model's parameters.
        loss: of (output, targets) of a batch. Losses of nn, functools.partial of them, and functions that return the number of
            one, such as `lambda outputs, y: cross_entropy(outputs[0], y)`, count each example with its weight, whatever the
            batches. Any other function returns its mean over the batch's examples; or, if some weigh more than others, a pair,
            the sum and the weight, such as `((e * mask).sum(), mask.sum())`.
        penalty: of the model, such as `lambda m: nn.functional.l2_penalty(m, 0.01)`. Its gradient is added in each step, or
            subtracted if the optimiser maximizes; it is recorded as "penalty", and enters no other number: no loss, no patience,
            no choice of the best weights.
        metrics: functions of (outputs, targets), plain arrays, recorded under their names; see `evaluate` for those of None.
        epochs: the largest number of passes over the data.
        batch_size: examples in a batch, from 1; None for all of them.
        drop_last: leave out the last batch of an epoch if it is smaller.
        rng: shuffles the data before each epoch: a generator, or a seed for one; None keeps their order.
        validation: (inputs, targets) to evaluate after each epoch.
        train_metrics: evaluate the training data too, after each epoch and in evaluation mode: "train_loss" then uses the same
            weights as "validation_loss", without dropout. Otherwise it is the loss of the epoch's batches during training.
        monitor: the curve that patience, best weights and ReduceLROnPlateau use, such as "validation_accuracy"; by default
            "validation_loss", or "train_loss" without validation data.
        mode: whether it should fall, "min", or rise, "max", as the loss does if the optimiser maximizes; required for custom
            metrics.
        patience: stop after this many epochs, from 1, without a better number, and restore the best weights.
        schedule: of the optimiser's learning rate, stepped after each epoch, or after each step of the optimiser.
        clip_norm, clip_value: limits of the gradient's norm, and of each of its entries.
        gradient_norm: record the norm of each step's gradient, and refuse a step where it is not finite. It takes a pass over the
            gradients, as clip_norm does, which records it too.
        accumulate: batches per step, which follows the gradient that they would have as one batch.
        on_epoch: called with the epoch, from 1, and the history so far; training ends if it returns True.
        progress: draw a live progress bar (plain lines where the output is not a terminal).
        run: a folder for checkpoints, from which training goes on after the end of its process at any moment; see docs/runs.md. A
            folder that already has a run is refused.
        resume: continue the run in the folder, if there is one. Data, model and settings must equal those at its start,
            except `epochs`.
        keep: how many checkpoints to keep.
        save_every: epochs between checkpoints; the last epoch has one too.
        generators: random generators from which `loss` or `on_epoch` draw, to be saved with `rng` and those of the modules.
        notes: data that JSON can hold, saved with the checkpoints.

    Returns:
        the `History`, up to the interrupt if Ctrl-C ended the training.

    Warns if every learning rate is 0 and no schedule would change that.

    Raises:
        TinygradError: if an argument is out of its range, or two do not fit together; nothing is changed then.
        NonFiniteError: if a loss is not finite, that of the validation data too; names the first layer whose output is not.

    An error during training, also one of your functions, has the history so far as its attribute `history`.
    """
    settings = {name: given for name, given in locals().items() if name not in ELSEWHERE | FREE}
    check_model(model, optimizer, schedule, schedule_every)
    check_flags(drop_last=drop_last, train_metrics=train_metrics, gradient_norm=gradient_norm, progress=progress)
    epochs, accumulate = size("fit", "epochs", epochs), size("fit", "accumulate", accumulate)
    check_step(optimizer, accumulate, clip_norm, clip_value)
    data = checked_data("fit", "train", train)
    count = len(data[0]) if batch_size is None else size("fit", "batch_size", batch_size)
    steps = steps_of(len(data[0]), count, drop_last)
    looks = ({"train": data} if train_metrics else {}) | _validation(validation, patience)
    named, of_batch = named_metrics("fit", loss, metrics), parts("fit", loss)
    curves = ["train_loss", *[f"{each}_{name}" for each in looks for name in ("loss", *named)]]
    rising = climbs(optimizer, penalty)
    goal = monitor_of(monitor, mode, list(dict.fromkeys(curves)), schedule, rising)
    for name, function in (("penalty", penalty), ("on_epoch", on_epoch)):
        if function is not None:
            checked("fit", name, function, FUNCTION)
    order = None if rng is None else generator("fit", rng)
    per_step, per_epoch = (schedule, None) if schedule_every == "step" else (None, schedule)
    history, interrupts = History(), Interrupts()
    step = Step(
        model, of_batch, optimizer, clip_norm, clip_value, per_step, penalty, rising, gradient_norm, history, interrupts
    )
    watch = Watch(model, looks, of_batch, named, goal, patience, per_epoch, history, interrupts)
    training = Training(model, optimizer, loss, schedule, order, generators, watch)
    quiet = np.errstate(all="ignore")  # each loss is looked at instead
    with opened(run, resume, keep, save_every, generators, notes) as saving:
        start = saving.begin(training, {"train": data} | looks, settings)
        with interrupts, Progress(epochs, steps, progress, start) as bar, quiet, watch, step.restore_point:
            for epoch in range(start + 1, 1 + (start if history.stopped_early else epochs)):
                model.train()
                step.begin()
                every = batches(*data, batch_size=count, rng=order, drop_last=drop_last)
                _take(step, _groups(every, accumulate), count, bar)
                bar.epoch(epoch, watch.look(epoch, step))
                ended = watch.out_of_patience(epoch) or (on_epoch is not None and on_epoch(epoch, history))
                history.stopped_early = bool(ended)
                saving.save(epoch, training, last=epoch == epochs or history.stopped_early)
                if history.stopped_early:
                    break
    return history


def _validation(data: Any, patience: Any) -> dict[str, Data]:
    """The validation data by name, if any. Raises TinygradError for a patience below 1 or without validation data."""
    if patience is not None:
        size("fit", "patience", patience)
        if data is None:
            raise TinygradError("fit: patience= needs validation=(inputs, targets) to watch")
    return {} if data is None else {"validation": checked_data("fit", "validation", data)}


def _groups(items: Iterable[Batch], count: int) -> Iterator[Sequence[Batch]]:
    """Tuples of `count` items; the last may be shorter."""
    items = iter(items)
    return zip(items) if count == 1 else iter(lambda: tuple(islice(items, count)), ())


def _take(step: Step, groups: Iterable[Sequence[Batch]], batch_size: int, bar: Progress) -> None:
    """Take the steps of an epoch. If batch norm meets a batch of one example, the error names the cause and a remedy."""
    try:
        for group in groups:
            step.take(group)
            bar.step(len(group))
    except ShapeError as error:
        if SEVERAL not in str(error) or len(group[-1][0]) > 1:
            raise
        reason = (
            "batch_size is 1: pass a larger one" if batch_size == 1 else "pass drop_last=True, or another batch_size"
        )
        which = "each batch" if batch_size == 1 else "the last batch of the epoch"
        raise ShapeError(
            f"fit: {which} has one example, but batch norm trains on several; {reason} ({error})"
        ) from error
