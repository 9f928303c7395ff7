"""Compiled steps of training: the gradient of a model's loss from compiled source, and a whole step with it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from tinygrad_edu import Compiled, DTypeError, ShapeError, TinygradError, UnreadableError, Value, value_and_grad

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
        optimizer: whose parameters must be the model's.
        name: the function that the user called, for messages.

    Attributes:
        program: the compiled function of parameters, buffers and a batch; its `source` is the text.
    """

    def __init__(self, model: Module, loss: Callable[..., Any], optimizer: Optimizer, name: str) -> None:
        _check_own(name, model, optimizer)
        self._name, self._model = name, model
        self._modules = [module for _, module in model.named_modules()]
        self._parameters, self._buffers = list(model.named_parameters()), dict(model.named_buffers())
        parameter_ids = tuple([(path, id(p)) for path, p in self._parameters])  # without lists, which would be watched
        buffer_ids = tuple([(path, id(array)) for path, array in self._buffers.items()])

        def step(parameters: dict[str, Any], buffers: dict[str, Any], _modes: Any, *batch: Any) -> Any:
            own = {path: array.copy() for path, array in buffers.items()}  # which the model changes in place
            twins: dict[int, Any] = {i: parameters[path] for path, i in parameter_ids if path in parameters}
            twins |= {i: own[path] for path, i in buffer_ids}
            *inputs, target = batch
            twin = replaced(model, twins)
            before = {path: _attributes(module) for path, module in twin.named_modules()}
            value = loss(twin(*inputs), target)
            _check_unchanged(twin, before)
            value, extra = value if isinstance(value, tuple) else (value, None)
            _check_number(name, value)
            reached = _reached(value, parameters)
            return value, (extra, own, tuple([path in reached for path in parameters]))

        self._steady: _Steady | None = None
        self._tests: dict[Any, Callable[[Any, Any], bool]] = {}  # of batches, by program
        self.program = Compiled(
            value_and_grad(step, has_aux=True), given=[*[p for _, p in self._parameters], *self._buffers.values()]
        )

    def __call__(self, *batch: Any) -> tuple[float, Any]:
        """Put the gradient of the loss into the parameters. Returns the loss, and the plain data that it came with.

        Args:
            batch: inputs of the model and, last, the target of the loss.
        """
        steady = self._steady
        try:
            if steady is None or not (steady.fits(batch, _NONE) and steady.unchanged()):
                return self._collected(batch)
            for p in steady.trained:
                p.raw_grad = None  # so that its memory is there for the new gradient
            return self._take(steady.trained, self.program.again(steady.found, (*steady.given, *batch)))
        except UnreadableError:
            self._check_held()
            raise

    def _collected(self, batch: tuple[Any, ...]) -> tuple[float, Any]:
        """A call that collects the parameters, and keeps them for the next calls if its program is ready."""
        trained = [p for _, p in self._parameters if p.requires_grad]
        for _, p in self._parameters:  # one that was frozen meanwhile keeps no gradient of earlier
            p.raw_grad = None
        modes = tuple([module.training for module in self._modules])
        given = {path: p.raw for path, p in self._parameters if p.requires_grad}, self._buffers, modes
        batch = tuple(map(_plain, batch))
        result = self._take(trained, self.program(*given, *batch))
        found = self.program.ready
        if found is None or not found.fits((*given, *batch), _NONE):
            self._steady = None
            return result
        if found not in self._tests:
            self._tests[found] = found.test_of(batch)
        held = [(p, p.raw, p.requires_grad) for _, p in self._parameters]
        self._steady = _Steady(
            found, self._tests[found], given, trained, held, list(zip(self._modules, modes, strict=True))
        )
        return result

    def _check_held(self) -> None:
        """Raises TinygradError if the model has other parameters or buffers than at first."""
        now = {**dict(self._model.named_parameters()), **dict(self._model.named_buffers())}
        held = {**dict(self._parameters), **self._buffers}
        path = next((path for path in {**held, **now} if now.get(path) is not held.get(path)), None)
        if path is not None:
            raise TinygradError(
                f"{self._name}: {path} of the model is another object than when {self._name} was called; call it again, "
                "or change the numbers in place"
            )

    def _take(self, trained: list[Any], result: Any) -> tuple[float, Any]:
        """Put gradients and running statistics where they belong. Returns the loss and what came with it."""
        (value, (extra, moved, reached)), gradients = result
        for p, g, is_reached in zip(trained, gradients.values(), reached, strict=True):
            p.raw_grad = g if is_reached else None  # as a recorded pass leaves it
        for path, array in self._buffers.items():
            array[...] = moved[path]
        return float(value), extra


class _Steady(NamedTuple):
    """What stays from step to step.

    Args:
        found: the program.
        fits: whether a batch is of its kind.
        given: the arguments before the batch.
        trained: the parameters that get a gradient.
        held: of each parameter its array, and whether it requires a gradient.
        modes: whether each module is in training mode.
    """

    found: Any
    fits: Callable[[Any, Any], bool]
    given: tuple[Any, ...]
    trained: list[Any]
    held: list[tuple[Value, Any, bool]]
    modes: list[tuple[Module, bool]]

    def unchanged(self) -> bool:
        """Whether parameters have the arrays that they had, and modules the modes."""
        for p, array, required in self.held:
            if p.raw is not array or p.requires_grad is not required:
                return False
        return all(module.training is mode for module, mode in self.modes)


_NONE: dict[str, Any] = {}


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
        self._gradient = CompiledGradient(model, loss, optimizer, "compile_step")
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


def _check_own(name: str, model: Module, optimizer: Optimizer) -> None:
    """Raises TinygradError unless the optimizer's parameters are the model's, since others get no gradient."""
    own = set(model.parameters())
    others = [p.shape for p in optimizer.state if p not in own]
    if others:
        verb = "parameters that are" if len(others) > 1 else "parameter that is"
        shapes = ", ".join(map(str, others[:3])) + ", ..." * (len(others) > 3)
        raise TinygradError(
            f"{name}: got an optimizer with {len(others)} {verb} not the model's, of shape {shapes}; make them "
            "attributes of the model, or train without compile"
        )


def _check_number(name: str, value: Any) -> None:
    """Raises DTypeError unless the loss is a Value, ShapeError unless it is of one number."""
    if not isinstance(value, Value) or value.shape:
        got = f"a Value of shape {value.shape}" if isinstance(value, Value) else f"a {type(value).__name__}"
        message = f"{name}: the loss returned {got}, expected a Value of one number: a mean or a sum"
        raise ShapeError(message) if isinstance(value, Value) else DTypeError(message)


def _reached(loss: Value, parameters: dict[str, Any]) -> dict[str, None]:
    """The paths of the parameters on which the loss depends."""
    seen: set[Any] = {loss}
    waiting = [loss]
    while waiting:
        found = {x for x in waiting.pop().inputs if isinstance(x, Value) and x.requires_grad} - seen
        seen |= found
        waiting += found
    return {path: None for path, p in parameters.items() if p in seen}


def _attributes(module: Module) -> dict[str, tuple[Any, Any]]:
    """The attributes of a module, and copies of the lists and dictionaries among them."""
    return {name: (x, copy(x) if isinstance(x, (list, dict)) else None) for name, x in vars(module).items()}


def _check_unchanged(model: Module, before: dict[str, dict[str, tuple[Any, Any]]]) -> None:
    """Raises UnreadableError if a run has assigned an attribute, or added to a list or a dictionary."""
    for path, module in model.named_modules():
        kept = before.get(path, {})
        for name, x in vars(module).items():
            if name == "_buffers":  # which the first call sets
                continue
            old, contents = kept.get(name, (None, None))
            if (name not in kept) or x is not old or (contents is not None and not _is_same(x, contents)):
                changed = f"{path}.{name}" if path else name
                raise UnreadableError(
                    f"it changes {changed} of the model, which compiled source would not do; change it outside of forward"
                )


def _is_same(x: Any, contents: Any) -> bool:
    """Whether a list or a dictionary still holds the same objects."""
    if len(x) != len(contents):
        return False
    if isinstance(x, dict):
        return all(key in contents and part is contents[key] for key, part in x.items())
    return all(part is old for part, old in zip(x, contents, strict=True))


def _plain(x: Any) -> Any:
    """A part of a batch as an array."""
    if isinstance(x, Value):
        return x.data
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
    move and dropout draws in each call. train(), eval(), freeze() and changes of what the model and the loss use, such as
    a dropout rate, compile anew; after a change of layers with parameters call compile_step again.

    Args:
        model: any module whose forward `tinygrad_edu.compile` can read.
        loss: function of the model's output and the target.
        optimizer: of the model's parameters.
        clip_norm, clip_value: as for `fit`.

    Returns:
        a function step(*inputs, target) that returns the loss before the update.

    Raises:
        DTypeError: if an argument is of another type.
        UnreadableError: when called first, if the model or the loss branches on numbers, or forward changes attributes of the
            model; see `tinygrad_edu.compile`.
    """
    if not isinstance(model, Module) or not callable(loss) or not isinstance(optimizer, Optimizer):
        got = ", ".join(type(x).__name__ for x in (model, loss, optimizer))
        raise DTypeError(f"compile_step: got {got}, expected a Module, a loss function and an Optimizer")
    return CompiledStep(model, loss, optimizer, clip_norm, clip_value)
