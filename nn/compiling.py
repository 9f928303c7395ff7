"""Compiled steps of training: the gradient of a model's loss from compiled source, and a whole step with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_edu import Compiled, DTypeError, value_and_grad

from .checks import explaining
from .module import Module
from .optim import Optimizer
from .stateless import replaced
from .utils import clip_grad_norm_, clip_grad_value_


class CompiledGradient:
    """The loss of a model and its gradient, from compiled source; running statistics move and dropout draws in each call.

    Args:
        model: any module whose forward `tinygrad_edu.compile` can read.
        loss: function of the model's output and the target, of one number; or of a pair, that number and plain data.

    Attributes:
        program: the compiled function of parameters, buffers and a batch; its `source` is the text.
    """

    def __init__(self, model: Module, loss: Callable[..., Any]) -> None:
        self._modules = [module for _, module in model.named_modules()]
        self._parameters, self._buffers = dict(model.named_parameters()), dict(model.named_buffers())

        def step(parameters: dict[str, Any], buffers: dict[str, Any], _modes: Any, *batch: Any) -> Any:
            own = {path: array.copy() for path, array in buffers.items()}  # which the model changes in place
            twins: dict[int, Any] = {id(self._parameters[path]): p for path, p in parameters.items()}
            twins |= {id(array): own[path] for path, array in self._buffers.items()}
            *inputs, target = batch
            value = loss(replaced(model, twins)(*inputs), target)
            value, extra = value if isinstance(value, tuple) else (value, None)
            return value, (extra, own)

        self.program = Compiled(value_and_grad(step, has_aux=True), watched=False)

    def __call__(self, *batch: Any) -> tuple[float, Any]:
        """Put the gradient of the loss into the parameters. Returns the loss, and the plain data that it came with.

        Args:
            batch: inputs of the model and, last, the target of the loss.
        """
        trained = {path: p for path, p in self._parameters.items() if p.requires_grad}
        given = {path: p.data for path, p in trained.items()}
        modes = tuple([module.training for module in self._modules])
        (value, (extra, moved)), gradients = self.program(given, self._buffers, modes, *map(_plain, batch))
        for path, p in trained.items():
            p.grad = gradients[path]
        for path, array in self._buffers.items():
            array[...] = moved[path]
        return float(value), extra


class CompiledStep:
    """A step of training that runs compiled source; see `compile_step`.

    Attributes:
        program: the compiled function of parameters, buffers and a batch; its `source` is the text.
    """

    def __init__(
        self,
        model: Module,
        loss: Callable[..., Any],
        optimizer: Optimizer,
        clip_norm: float | None,
        clip_value: float | None,
    ) -> None:
        self.model, self.optimizer, self.clip_norm, self.clip_value = model, optimizer, clip_norm, clip_value
        self._gradient = CompiledGradient(model, loss)
        self.program = self._gradient.program

    def __call__(self, *batch: Any) -> float:
        """Take one step: forward, backward, clipping, update. Returns the loss before the update.

        Args:
            batch: inputs of the model and, last, the target of the loss.
        """
        loss, _ = self._gradient(*batch)
        if self.clip_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.clip_norm)
        if self.clip_value is not None:
            clip_grad_value_(self.model.parameters(), self.clip_value)
        self.optimizer.step()
        return loss


def _plain(x: Any) -> Any:
    """A part of a batch as an array."""
    return np.asarray(x) if isinstance(x, list) else x


@explaining
def compile_step(
    model: Module,
    loss: Callable[..., Any],
    optimizer: Optimizer,
    *,
    clip_norm: float | None = None,
    clip_value: float | None = None,
) -> CompiledStep:
    """A step of training whose forward and backward pass run as compiled NumPy source, to the bits of the recorded one.

    The update is the optimiser's own, so its rate may change between steps. Parameters change in place; running statistics
    move and dropout draws in each call. train(), eval() and freeze() compile anew; after a change of layers call compile_step
    again.

    Args:
        model: any module whose forward `tinygrad_edu.compile` can read.
        loss: function of the model's output and the target.
        optimizer: of the model's parameters.
        clip_norm, clip_value: as for `fit`.

    Returns:
        a function step(*inputs, target) that returns the loss before the update.

    Raises:
        DTypeError: if an argument is of another type.
        UnreadableError: when called first, if the model or the loss branches on numbers; see `tinygrad_edu.compile`.
    """
    if not isinstance(model, Module) or not callable(loss) or not isinstance(optimizer, Optimizer):
        got = ", ".join(type(x).__name__ for x in (model, loss, optimizer))
        raise DTypeError(f"compile_step: got {got}, expected a Module, a loss function and an Optimizer")
    return CompiledStep(model, loss, optimizer, clip_norm, clip_value)
