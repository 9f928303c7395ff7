"""Step: a step of training, from batches to changed parameters."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from time import perf_counter
from typing import Any, TypeAlias

from tinygrad_edu import TinygradError, Value, no_grad

from ..checks import data_of
from ..functional.reduction import Part
from ..loss.parts import Parts, Tally
from ..module import Module
from ..optim import LBFGS, Optimizer
from ..optim.lr_scheduler import LRScheduler
from ..optim.vector import place, vector
from ..utils import clip_grad_norm_, clip_grad_value_
from .diagnosis import frail, why_not_finite
from .history import History, NonFiniteError
from .interrupts import Interrupts
from .kept import Kept

Penalty: TypeAlias = Callable[[Module], Any]
Batch: TypeAlias = tuple[Any, ...]
Seen: TypeAlias = list[tuple[float, Part]]  # the loss of each batch, as a number and as its part of the whole


@dataclass
class Step:
    """A step of training: the gradient of some batches, the update, and then the step of `schedule`.

    It is taken, or leaves no trace: after an error in the gradient, or Ctrl-C, parameters, optimiser, buffers and random
    generators of the model are as they were before. While parameters change, Ctrl-C waits.
    """

    model: Module
    parts: Parts
    optimizer: Optimizer
    clip_norm: float | None
    clip_value: float | None
    schedule: LRScheduler | Any
    penalty: Penalty | None
    gradient_norm: bool
    history: History
    interrupts: Interrupts
    tally: Tally = field(default_factory=Tally)  # of the losses since `begin`
    prices: list[float] = field(default_factory=list)  # the penalties since then
    taken: int = 0  # steps since then
    first: int = 0  # of their norms

    def __post_init__(self) -> None:
        self.kept = Kept(self.model)
        steps = self.history.steps
        self.losses, self.rates, self.times = array("d"), array("d"), array("d")
        steps["loss"], steps["rate"], self.history.seconds["step"] = self.losses, self.rates, self.times
        self.norms = array("d")
        if self.gradient_norm or self.clip_norm is not None:
            steps["gradient_norm"] = self.norms

    def begin(self) -> None:
        """Begin an epoch, with the groups that the optimiser has by now."""
        self.trained = list(self.optimizer.state)
        self.parameters = list(dict.fromkeys([*self.model.parameters(), *self.trained]))  # once: it takes its time
        self.tally, self.prices, self.taken, self.first = Tally(), [], 0, len(self.norms)

    def take(self, batches: Sequence[Batch]) -> None:
        """Take a step along the gradient of the loss of all batches. If all examples weigh 0, nothing is updated.

        Raises:
            NonFiniteError: if the loss, the penalty, or the norm of the gradient (where it is computed) is not finite.
            TinygradError: if the loss or the penalty is no Value of one number.
        """
        start = perf_counter()
        self.kept.keep()
        self.zero_grad()
        searching = isinstance(self.optimizer, LBFGS)
        try:
            seen = self._searched(*batches[0]) if searching else self._gradient(batches)
            update = not searching and any(part.weight for _, part in seen)  # any examples that count
            if update:
                self._finished()
        except BaseException:
            self.kept.restore()
            self.zero_grad()
            raise
        self.interrupts.hold()
        try:
            if update:
                self.optimizer.step()
            self._note(seen, start)
            if self.schedule is not None:
                self.schedule.step()
        finally:
            self.interrupts.release()

    def zero_grad(self) -> None:
        """Forget the gradients of the model, and of whatever else the optimiser trains."""
        for p in self.parameters:
            p.grad = None

    # -- Gradients -----------------------------------------------------------------------------------------------------

    def _gradient(self, batches: Sequence[Batch]) -> Seen:
        """Leave the gradient of the loss of all batches, as if they were one; returns their losses."""
        if len(batches) == 1:
            seen = [self._loss(*batches[0])]
            if seen[0][1].weight:
                seen[0][1].value.backward(retain_graph=False)
            return seen
        seen, tally = [], Tally()
        for x, y in batches:
            number, part = self._loss(x, y)
            seen.append((number, part))
            tally.add(number, part)
            if part.weight:
                part.value.backward(tally.share(number, part), retain_graph=False)
        if tally.weight and (factor := tally.factor("fit")) != 1:
            for p in self.parameters:
                if p.grad is not None:
                    p.grad *= factor
        return seen

    def _loss(self, x: Any, y: Any) -> tuple[float, Part]:
        part = self.parts(self.model(x), y)
        number = self._number("loss", part.value)
        if not isfinite(number):
            raise self._stopped("loss", number, why_not_finite(self.model, x))
        return number, part

    def _penalized(self, penalty: Penalty) -> float:
        """Add the gradient of the penalty; returns the penalty."""
        price = penalty(self.model)
        number = self._number("penalty", price)
        if not isfinite(number):
            raise self._stopped("penalty", number, "lower its strength, or the learning rate")
        if price.requires_grad:
            price.backward(retain_graph=False)
        if len(self.prices) == self.taken:  # of several evaluations in a step the first counts
            self.prices.append(number)
        return number

    def _finished(self) -> None:
        """Add the gradient of the penalty, clip the sum, and note its norm, if it is computed."""
        if self.penalty is not None:
            self._penalized(self.penalty)
        if self.gradient_norm or self.clip_norm is not None:
            norm = clip_grad_norm_(self.trained, inf if self.clip_norm is None else self.clip_norm)
            if not isfinite(norm):
                raise self._stopped("norm of the gradient", norm, f"{frail(self.model)}lower the learning rate")
            self.norms.append(norm)
        if self.clip_value is not None:
            clip_grad_value_(self.trained, self.clip_value)

    def _number(self, what: str, value: Any) -> float:
        if not isinstance(value, Value) or value.shape:
            got = f"a Value of shape {value.shape}" if isinstance(value, Value) else f"a {type(value).__name__}"
            raise TinygradError(f"fit: the {what} returned {got}, expected a Value of one number: a mean or a sum")
        return float(value.data)

    def _stopped(self, what: str, number: float, why: str) -> NonFiniteError:
        return NonFiniteError(f"fit: the {what} is {number} in step {self.optimizer.steps + 1}; {why}", self.history)

    # -- Steps of L-BFGS -----------------------------------------------------------------------------------------------

    def _searched(self, x: Any, y: Any) -> Seen:
        """A whole step of L-BFGS, which computes losses and gradients at several places; returns the loss at the first."""
        optimizer, before = self.optimizer, vector(self.trained)
        states, steps = {p: dict(state) for p, state in optimizer.state.items()}, optimizer.steps
        seen: Seen = []

        def closure() -> float:
            self.zero_grad()
            part = self.parts(self.model(x), y)
            number = self._number("loss", part.value)
            if not seen and not isfinite(number):
                raise self._stopped("loss", number, why_not_finite(self.model, x))
            seen.append((number, part))
            if isfinite(number):  # else the search goes back
                part.value.backward(retain_graph=False)
                number += self._penalized(self.penalty) if self.penalty is not None else 0.0
            return number

        try:
            optimizer.step(closure)
            with no_grad():  # a step that ends at NaN does not say so
                after = float(data_of(self.parts(self.model(x), y).value))
            if not isfinite(after):
                raise self._stopped("loss", after, why_not_finite(self.model, x))
        except BaseException:
            place(self.trained, before)
            optimizer.state.update(states)
            optimizer.steps = steps
            raise
        return seen[:1]

    # -- History -------------------------------------------------------------------------------------------------------

    def _note(self, seen: Seen, start: float) -> None:
        """Record a step that was taken."""
        for number, part in seen:
            self.tally.add(number, part)
        self.losses.append(seen[0][0] if len(seen) == 1 and seen[0][1].weight else _loss_of(seen))
        self.taken += 1
        self.rates.append(self.optimizer.lr)
        self.times.append(perf_counter() - start)


def _loss_of(seen: Seen) -> float:
    """The loss of several batches; NaN if their examples all weigh 0."""
    tally = Tally()
    for number, part in seen:
        tally.add(number, part)
    return tally.loss("fit") if tally.weight else nan
