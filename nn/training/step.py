"""Step: a step of training, from batches to changed parameters."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, isnan, nan
from time import perf_counter
from typing import Any, TypeAlias

from tinygrad_edu import TinygradError, Value, no_grad

from ..checks import data_of
from ..compiling import CompiledGradient
from ..functional.reduction import Part
from ..module import Module
from ..optim import LBFGS, Optimizer
from ..optim.vector import place, vector
from ..utils import clip_grad_norm_, clip_grad_value_
from .arguments import Data, climbs
from .callbacks import Callbacks, called
from .diagnosis import frail, why_not_finite
from .history import History, NonFiniteError
from .interrupts import Interrupts
from .kept import Kept
from .restore_point import RestorePoint
from .tally import Parts, Tally

Penalty: TypeAlias = Callable[[Module], Any]
Batch: TypeAlias = tuple[Any, ...]
Seen: TypeAlias = list[tuple[float, Part]]  # the loss of each batch, as a number and as its part of the whole


@dataclass
class Step:
    """A step of training: the gradient of some batches, the update, and then the callbacks.

    It is taken or leaves no trace: after an error or Ctrl-C, parameters, optimiser, buffers and random generators of the model
    are as they were before. While parameters change, Ctrl-C waits.
    """

    model: Module
    data: Data  # all batches are parts of it
    parts: Parts
    optimizer: Optimizer
    clip_norm: float | None
    clip_value: float | None
    penalty: Penalty | None
    gradient_norm: bool
    history: History
    interrupts: Interrupts
    callbacks: Callbacks
    compiled: bool  # the gradient of a single batch comes from compiled source
    tally: Tally = field(default_factory=Tally)  # of the losses since `begin`
    prices: list[float] = field(default_factory=list)  # the penalties since `begin`
    first: int = 0  # index of the first norm since `begin`

    def __post_init__(self) -> None:
        self.stateful, self.others = self.callbacks.stateful["on_step"], self.callbacks.others["on_step"]
        self.kept = Kept(self.model)
        self.restore_point = RestorePoint(self.model, self.optimizer, self.interrupts)
        self.climbs = climbs(self.optimizer, self.penalty)  # then the penalty is subtracted
        self.searching = isinstance(self.optimizer, LBFGS)
        self.program = (
            CompiledGradient(self.model, _in_parts(self.parts), self.optimizer, "fit") if self.compiled else None
        )
        steps = self.history.steps
        self.losses, self.rates, self.times = array("d"), array("d"), array("d")
        steps["loss"], steps["rate"], self.history.seconds["step"] = self.losses, self.rates, self.times
        self.norms = array("d")
        self.normed = self.gradient_norm or self.clip_norm is not None
        self.finishing = self.normed or self.penalty is not None or self.clip_value is not None
        if self.normed:
            steps["gradient_norm"] = self.norms

    def begin(self) -> None:
        """Begin an epoch, with the optimiser's current parameter groups."""
        self.trained = list(self.optimizer.state)
        self.parameters = list(dict.fromkeys([*self.model.parameters(), *self.trained]))  # once an epoch, as it is slow
        self.tally, self.prices, self.first = Tally(), [], len(self.norms)
        self.restore_point.keep()

    def take(self, batches: Sequence[Batch]) -> None:
        """Take a step along the gradient of the loss of all batches. If all examples weigh 0, nothing is updated.

        Raises:
            NonFiniteError: if the loss, the penalty, or the norm of the gradient (where it is computed) is not finite.
            TinygradError: if the loss or the penalty is not a Value of one number.
        """
        start, steps = perf_counter(), self.optimizer.steps
        self.kept.keep()
        self.norm = nan
        self.zero_grad()
        try:
            seen, loss = self._searched(*batches[0]) if self.searching else self._gradient(batches)
            update = not self.searching and not isnan(loss)  # NaN: all examples weigh 0
            if update and self.finishing:
                self._finished()
            self.interrupts.hold()
            if update:
                self.optimizer.step()
        except BaseException:
            self.restore_point.broken = self.optimizer.steps > steps
            self.kept.restore()
            self.zero_grad()
            self.interrupts.release()
            raise
        try:
            self._note(seen, loss, start)
            if self.stateful:
                called(self.stateful, len(self.losses), self.history)
        finally:
            self.interrupts.release()
        if self.others:
            called(self.others, len(self.losses), self.history)

    def zero_grad(self) -> None:
        """Clear the gradients of the model, and of all other parameters of the optimiser."""
        for p in self.parameters:
            p.grad = None

    # -- Gradients -----------------------------------------------------------------------------------------------------

    def _gradient(self, batches: Sequence[Batch]) -> tuple[Seen, float]:
        """Compute the gradient of the loss of all batches, as if they were one.

        Returns their losses, and that of all; NaN if their examples all weigh 0.
        """
        if self.program is not None:
            (batch,) = batches
            number, about = self.program(*batch)
            self._check_loss(number, batch)
            part = Part(None, *about)
            return [(number, part)], number if part.weight else nan
        if len(batches) == 1:
            number, part = self._loss(*batches[0])
            if part.weight:
                part.value.backward(retain_graph=False)
            return [(number, part)], number if part.weight else nan
        seen, tally = [], Tally()
        for x, y in batches:
            number, part = self._loss(x, y)
            seen.append((number, part))
            tally.add(number, part)
            if part.weight or number:
                part.value.backward(tally.share(number, part), retain_graph=False)
        if tally.weight and (factor := tally.factor("fit")) != 1:
            for p in self.parameters:
                if p.grad is not None:
                    p.grad *= factor
        return seen, tally.loss("fit") if tally.weight else nan

    def _loss(self, x: Any, y: Any) -> tuple[float, Part]:
        part = self.parts(self.model(x), y)
        number = self._number("loss", part.value)
        self._check_loss(number, (x, y))
        return number, part

    def _check_loss(self, number: float, batch: Batch) -> None:
        if not isfinite(number):
            raise self._stopped("loss", number, why_not_finite(self.model, batch, self.data))

    def _penalized(self, penalty: Penalty) -> float:
        """Add the gradient of the penalty; returns the penalty."""
        price = penalty(self.model)
        number = self._number("penalty", price)
        if not isfinite(number):
            raise self._stopped("penalty", number, "lower its strength, or the learning rate")
        if price.requires_grad:
            price.backward(-1.0 if self.climbs else None, retain_graph=False)
        return number

    def _finished(self) -> None:
        """Add the gradient of the penalty, record the norm of the sum, and clip it, each if asked for."""
        if self.penalty is not None:
            self.prices.append(self._penalized(self.penalty))
        if self.normed:
            self.norm = clip_grad_norm_(self.trained, inf if self.clip_norm is None else self.clip_norm)
            if not isfinite(self.norm):
                why = f"{frail(self.model)}lower the learning rate"
                raise self._stopped("norm of the gradient", self.norm, why)
        if self.clip_value is not None:
            clip_grad_value_(self.trained, self.clip_value)

    def _number(self, what: str, value: Any) -> float:
        if isinstance(value, Value) and not getattr(data := value.data, "ndim", 0):
            return float(data)
        got = f"a Value of shape {value.shape}" if isinstance(value, Value) else f"a {type(value).__name__}"
        raise TinygradError(f"fit: the {what} returned {got}, expected a Value of one number: a mean or a sum")

    def _stopped(self, what: str, number: float, why: str) -> NonFiniteError:
        return NonFiniteError(f"fit: the {what} is {number} in step {self.optimizer.steps + 1}; {why}", self.history)

    # -- Steps of L-BFGS -----------------------------------------------------------------------------------------------

    def _searched(self, x: Any, y: Any) -> tuple[Seen, float]:
        """A whole step of L-BFGS, which computes losses and gradients at several places; returns the loss at the first, twice."""
        optimizer, before = self.optimizer, vector(self.trained)
        states, steps = {p: dict(state) for p, state in optimizer.state.items()}, optimizer.steps
        seen: Seen = []

        def closure() -> float:
            self.zero_grad()
            part = self.parts(self.model(x), y)
            number = self._number("loss", part.value)
            if not seen and not isfinite(number):
                raise self._stopped("loss", number, why_not_finite(self.model, (x, y), self.data))
            seen.append((number, part))
            if isfinite(number):  # otherwise the line search backtracks
                part.value.backward(retain_graph=False)
                if self.penalty is not None:
                    price = self._penalized(self.penalty)
                    number += -price if self.climbs else price
                    if len(seen) == 1:  # only the first evaluation of a step is recorded
                        self.prices.append(price)
            if self.normed and len(seen) == 1:
                self.norm = clip_grad_norm_(self.trained, inf)
            return number

        try:
            optimizer.step(closure)
            with no_grad():  # the optimiser does not report a step that ends at NaN
                after = float(data_of(self.parts(self.model(x), y).value))
            if not isfinite(after):
                raise self._stopped("loss", after, why_not_finite(self.model, (x, y), self.data))
            self.interrupts.hold()
        except BaseException:
            place(self.trained, before)
            optimizer.state.update(states)
            optimizer.steps = steps
            raise
        number, part = seen[0]
        return [(number, part)], number if part.weight else nan

    # -- History -------------------------------------------------------------------------------------------------------

    def _note(self, seen: Seen, loss: float, start: float) -> None:
        """Record a step that was taken."""
        for number, part in seen:
            self.tally.add(number, part)
        self.losses.append(loss)
        self.rates.append(self.optimizer.param_groups[0]["lr"])
        if self.normed:
            self.norms.append(self.norm)
        self.times.append(perf_counter() - start)


def _in_parts(parts: Parts) -> Callable[..., tuple[Any, tuple[Any, ...]]]:
    """The function that returns the loss of a batch, and the rest of its Part."""

    def loss(output: Any, target: Any) -> tuple[Any, tuple[Any, ...]]:
        value, *about = parts(output, target)
        return value, tuple(about)

    return loss
