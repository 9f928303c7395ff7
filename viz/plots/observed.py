"""Running a model for a plot: its predictions, and what flows through its layers. The model is left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import DTypeError, ShapeError, Value, enable_grad, no_grad

from ..text import data_of, entitled

if TYPE_CHECKING:
    from nn import Module

Array: TypeAlias = NDArray[Any]
Loss: TypeAlias = Callable[[Any], Any]

_BATCH = 1024


class Layer(NamedTuple):
    """What flowed through a module that has no modules inside, or parameters besides theirs, in all its calls of one run.

    Attributes:
        title: its path and type, as "0: Linear(64, 100)".
        module: the module.
        inputs: the first argument of each call.
        outputs: the arrays that came out of each call.
        gradients: of the loss with respect to the outputs; those that none reached are left out.
        parameters: gradients of its own parameters by name, of the loss, or without a loss those that the model holds; None for
            one without.
    """

    title: str
    module: Module
    inputs: list[Array]
    outputs: list[Array]
    gradients: list[Array]
    parameters: dict[str, Array | None]


def examples(caller: str, x: Any) -> Array:
    """A batch of inputs as an array with at least one row. Raises DTypeError or ShapeError in the name of `caller`."""
    try:
        rows = np.asarray(data_of(x))
    except ValueError:
        raise DTypeError(f"{caller}: x is not an array of numbers; its rows differ in length") from None
    if rows.dtype.kind not in "biuf":
        raise DTypeError(f"{caller}: x is of {rows.dtype}, expected real numbers")
    if not rows.ndim or not len(rows):
        raise ShapeError(f"{caller}: x has shape {rows.shape}, expected (batch, ...), at least one example")
    return rows


def outputs(caller: str, model: Callable[[Any], Any], x: Array) -> Array:
    """What a model in evaluation mode returns for a batch: plain numbers, one row for each of x."""
    check_model(caller, model)
    with no_grad(), in_evaluation(model, recorded=False):
        rows = [np.asarray(data_of(model(x[i : i + _BATCH]))) for i in range(0, len(x), _BATCH)]
    short = next((r for i, r in enumerate(rows) if r.shape[:1] != (len(x[i * _BATCH : (i + 1) * _BATCH]),)), None)
    if short is not None:
        raise ShapeError(
            f"{caller}: the model returned shape {short.shape} for {len(x)} examples, expected a row for each"
        )
    return np.concatenate(rows)


def resting(caller: str, model: Module) -> list[Layer]:
    """The layers with parameters, and the gradients that these hold, without a run."""
    from nn.calls import own_parameters

    check_module(caller, model)
    titles = _titles(model)
    return [_layer(module, titles, [], [], []) for _, module in model.named_modules() if own_parameters(module)]


def flow(caller: str, model: Module, x: Any, loss: Loss | None = None) -> list[Layer]:
    """What flows through each layer in one run, in evaluation mode, in the order of the first calls; gradients with a loss.

    Gradients that the user's Values hold stay as they were.
    """
    from nn.calls import is_array, own_parameters, parts, reading

    check_module(caller, model)
    titles = _titles(model)
    with in_evaluation(model), enable_grad() if loss else no_grad(), reading(model) as run:
        lost = loss(model(x)) if loss else model(x)
        seen: dict[int, tuple[Any, list[Any], list[Any]]] = {}
        for call in sorted(run.within(), key=lambda call: call.end):
            if (
                call.module is not None
                and call.error is None
                and (not any(call.module.children()) or own_parameters(call.module))
            ):
                _, given, made = seen.setdefault(id(call.module), (call.module, [], []))
                given.append(np.asarray(data_of(call.inputs[0])) if call.inputs else np.empty(0))
                made += [part for _, part in parts(call.output) if is_array(part)]
        if loss is not None:
            return _backward(caller, lost, seen, titles)
    return [_layer(module, titles, given, made, []) for module, given, made in seen.values()]


def _backward(caller: str, lost: Any, seen: dict[int, Any], titles: dict[int, str]) -> list[Layer]:
    if not isinstance(lost, Value) or not lost.requires_grad:
        raise DTypeError(
            f"{caller}: the loss returned {type(lost).__name__}, expected a Value computed from the output"
        )
    if lost.size != 1:
        raise ShapeError(f"{caller}: the loss has shape {lost.shape}, expected a single number; reduce it with .mean()")
    with _without_gradients(lost):
        lost.backward()
        return [
            _layer(module, titles, given, made, [m.grad for m in made if isinstance(m, Value) and m.grad is not None])
            for module, given, made in seen.values()
        ]


def _layer(module: Module, titles: dict[int, str], given: list[Array], made: list[Any], gradients: list[Any]) -> Layer:
    from nn.calls import own_parameters

    parameters = {path: None if p.grad is None else _plain(p.grad) for path, p in own_parameters(module).items()}
    return Layer(
        titles[id(module)], module, given, [_plain(m) for m in made], [_plain(g) for g in gradients], parameters
    )


def _titles(model: Module) -> dict[int, str]:
    """Path and type of each module, by id."""
    return {id(module): entitled(path, str(module).splitlines()[0]) for path, module in model.named_modules()}


def _plain(x: Any) -> Array:
    return np.asarray(data_of(x))


def check_model(caller: str, model: Any) -> None:
    """Raises DTypeError unless it can be called."""
    if not callable(model):
        raise DTypeError(f"{caller}: got {type(model).__name__} as model, expected a Module or a function of a batch")


def check_module(caller: str, model: Any) -> None:
    """Raises DTypeError unless it is a Module."""
    from nn import Module

    if not isinstance(model, Module):
        raise DTypeError(f"{caller}: got {type(model).__name__} as model, expected a Module such as nn.Sequential(...)")


@contextmanager
def in_evaluation(model: Any, recorded: bool = True) -> Iterator[None]:
    """A model in evaluation mode while this is open, also recorded where it is frozen, and then as it was. Functions stay."""
    from nn import Module
    from nn.calls import left_as_it_was

    if not isinstance(model, Module):
        yield
        return
    with left_as_it_was(model, recorded):
        model.eval()
        yield


@contextmanager
def _without_gradients(y: Value) -> Iterator[None]:
    """No leaf that y was computed from holds a gradient while this is open; then each has the one that it had."""
    leaves, waiting, seen = [], [y], {id(y)}
    while waiting:
        value = waiting.pop()
        if not value.inputs:
            leaves.append((value, value.raw_grad))
            value.raw_grad = None
        for x in value.inputs:
            if isinstance(x, Value) and id(x) not in seen:
                seen.add(id(x))
                waiting.append(x)
    try:
        yield
    finally:
        for value, gradient in leaves:
            value.raw_grad = gradient
