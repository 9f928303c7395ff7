"""What users give with a model: its inputs and a loss, checked, and what the inputs are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from nn import Module
from tinygrad_edu import DTypeError

from .names import by_id


def check_run(caller: str, model: Module, inputs: Sequence[Any], loss: Any, example: str) -> None:
    """Raises DTypeError, in the name of the function `caller`, unless a model can be run with these; `example` shows how."""
    if not inputs:
        raise DTypeError(f"{caller}: got {type(model).__name__} and no inputs; pass an example, as in {example}")
    if loss is not None and not callable(loss):
        got = type(loss).__name__
        raise DTypeError(f"{caller}: got a loss of type {got}, expected a function of what the model returns")


def as_arrays(inputs: Sequence[Any]) -> list[Any]:
    """The inputs, lists of numbers as arrays."""
    return [np.asarray(x) if isinstance(x, list) else x for x in inputs]


def input_names(forward: Callable[..., Any], inputs: Sequence[Any], names: Mapping[str, Any]) -> list[str]:
    """What each input is called: by itself, by the user, else as the model's own argument; "" if that has none."""
    arguments = list(signature(forward).parameters)
    called = by_id(names)
    own = [arguments[min(i, len(arguments) - 1)] if arguments else "" for i in range(len(inputs))]
    own = [
        f"{name}[{i - len(arguments) + 1}]" if own.count(name) > 1 else name for i, name in enumerate(own)
    ]  # of *inputs
    return [getattr(x, "name", None) or called.get(id(x)) or argument for x, argument in zip(inputs, own, strict=True)]
