"""fit: the training loop. For each batch forward, loss, backward and step; after each epoch, validation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from os import PathLike
from typing import Any

import numpy as np

from tinygrad_edu import ShapeError, TinygradError

from ..checks import explaining, generator, size
from ..data import batches
from ..functional import cross_entropy
from ..functional.normalization import SEVERAL
from ..module import Module
from ..optim import Optimizer
from ..runs.run import opened
from ..runs.state import Training
from .arguments import Data, check_callbacks, check_options, checked_data, climbs, steps_of
from .callbacks import Callback, Callbacks, EarlyStopping
from .evaluation import Loss, Metric, named_metrics
from .history import History
from .interrupts import Interrupts
from .monitor import Mode, monitor_of
from .progress import Progress
from .step import Batch, Penalty, Step
from .tally import parts
from .watch import Watch

# Compared in other ways when a run resumes:
ELSEWHERE = {"model", "train", "optimizer", "validation", "on_step", "on_epoch", "patience"}
FREE = {"compile", "epochs", "progress", "run", "resume", "keep", "save_every", "generators", "notes"}  # not compared


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
    clip_norm: float | None = None,
    clip_value: float | None = None,
    gradient_norm: bool = False,
    accumulate: int = 1,
    on_step: Callback | Sequence[Callback] | None = None,
    on_epoch: Callback | Sequence[Callback] | None = None,
    compile: bool = False,
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
            subtracted if the optimiser maximizes; recorded as "penalty", it enters no loss, and no choice of the best epoch.
        metrics: functions of (outputs, targets), plain arrays, recorded under their names; see `evaluate` for those of None.
        epochs: the largest number of passes over the data.
        batch_size: examples in a batch, from 1; None for all of them.
        drop_last: leave out the last batch of an epoch if it is smaller.
        rng: shuffles the data before each epoch: a generator, or a seed for one; None keeps their order.
        validation: (inputs, targets) to evaluate after each epoch.
        train_metrics: evaluate the training data too, as the validation data. Otherwise "train_loss" is the loss of the epoch's
            batches during training, with dropout and earlier weights.
        monitor: the curve that decides about the best epoch, such as "validation_accuracy", by which EarlyStopping and
            ReduceLROnPlateau go; by default "validation_loss", or "train_loss" without validation data.
        mode: whether it should fall, "min", or rise, "max"; required for metrics of your own.
        patience: short for `on_epoch=nn.EarlyStopping(model, patience)`, with validation data.
        clip_norm, clip_value: limits of the gradient's norm, and of each of its entries.
        gradient_norm: record the norm of each step's gradient, and refuse a step where it is not finite. It takes a pass over the
            gradients, as clip_norm does, which records it too.
        accumulate: batches per step, which follows the gradient that they would have as one batch.
        on_step, on_epoch: one callback or several, each called as callback(time, history) after every step, or every epoch; the
            time counts from 1. Schedules of the learning rate and `nn.EarlyStopping` are callbacks. See below.
        compile: take the gradient of each batch from compiled source, with the same bits; see `nn.compile_step`.
        progress: draw a live progress bar (plain lines where the output is not a terminal).
        run: a folder for checkpoints, new unless resume=True, from which training goes on after the end of its process at any
            moment; see docs/runs.md.
        resume: continue the run in the folder, if there is one; data, model and settings must be as at its start, not `epochs`.
        keep, save_every: how many checkpoints to keep, and the epochs between two; the last epoch has one too.
        generators: random generators from which `loss` or callbacks draw, to be saved with `rng` and those of the modules.
        notes: data that JSON can hold, saved with the checkpoints.

    An epoch ends in this order: evaluation, history, callbacks with a state, progress bar, other callbacks, checkpoint. If an
    `on_epoch` callback returns True, training ends after that. A callback with `state_dict` and `load_state_dict` has a state: a
    run saves it and compares the other attributes, and Ctrl-C waits while it is called. A callback that is a context manager is
    entered before the first step, and left when training ends in any way.

    Returns the `History`, up to the interrupt if Ctrl-C ended the training. Warns if all rates are 0 and there is no schedule.

    Raises:
        TinygradError: if an argument is out of its range, or two do not fit together; nothing is changed then.
        NonFiniteError: if a loss is not finite, that of the validation data too; names the first layer whose output is not.

    An error during training, also one of your functions, has the history so far as its attribute `history`.
    """
    given = dict(locals())
    check_options(**given)
    stopping = [] if patience is None else [_stopping(model, patience, validation)]
    callbacks = Callbacks(stopping, on_step=on_step, on_epoch=on_epoch)
    check_callbacks(model, optimizer, **callbacks.every)
    data = checked_data("fit", "train", train)
    count = len(data[0]) if batch_size is None else size("fit", "batch_size", batch_size)
    steps = steps_of(len(data[0]), count, drop_last)
    looks = {"train": data} if train_metrics else {}
    looks |= {} if validation is None else {"validation": checked_data("fit", "validation", validation)}
    named, of_batch = named_metrics("fit", loss, metrics, data, *looks.values()), parts("fit", loss)
    curves = ["train_loss", *[f"{each}_{name}" for each in looks for name in ("loss", *named)]]
    goal = monitor_of(
        monitor, mode, list(dict.fromkeys(curves)), callbacks.every["on_epoch"], climbs(optimizer, penalty)
    )
    order = None if rng is None else generator("fit", rng)
    history, interrupts = History(), Interrupts()
    update = clip_norm, clip_value, penalty, gradient_norm
    step = Step(model, data, of_batch, optimizer, *update, history, interrupts, callbacks, compile)
    watch = Watch(model, looks, of_batch, named, goal, history, interrupts, callbacks)
    training = Training(model, optimizer, loss, callbacks.stateful, order, generators, watch)
    quiet = np.errstate(all="ignore")  # each loss is looked at instead
    with opened(run, resume, keep, save_every, generators, notes) as saving:
        settings = {name: argument for name, argument in given.items() if name not in ELSEWHERE | FREE}
        start = saving.begin(training, {"train": data} | looks, settings)
        bar = Progress(epochs, steps, progress, start)
        with interrupts, bar, quiet, watch, callbacks, step.restore_point:
            for epoch in range(start + 1, 1 + (start if history.stopped_early else epochs)):
                model.train()
                step.begin()
                every = batches(*data, batch_size=count, rng=order, drop_last=drop_last)
                _take(step, _groups(every, accumulate), count, bar)
                history.stopped_early = watch.look(epoch, step, bar.epoch)
                saving.save(epoch, training, last=epoch == epochs or history.stopped_early)
                if history.stopped_early:
                    break
    return history


def _stopping(model: Module, patience: int, validation: Any) -> EarlyStopping:
    """The callback for fit(patience=...). Raises TinygradError for a patience below 1 or without validation data."""
    size("fit", "patience", patience)
    if validation is None:
        raise TinygradError("fit: patience= needs validation=(inputs, targets) to watch")
    return EarlyStopping(model, patience)


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
