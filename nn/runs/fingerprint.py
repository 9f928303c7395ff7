"""The identity of a run: its data by checksum, everything else as text and numbers that a person can compare."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np

import tinygrad_edu
from tinygrad_edu import Value

from ..checks import data_of, printable, shown
from ..module import Module
from ..optim import Optimizer
from ..training.callbacks import Schedule
from .state import Training

DEEPEST = 8  # levels of nested objects


def configuration(training: Training, data: Mapping[str, Sequence[Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The description of a run: model, optimiser, callbacks with a state, settings, data and versions."""
    scheduled = any(isinstance(each, Schedule) for several in training.callbacks.values() for each in several)
    callbacks = {
        event: [_described_callback(each, training.model) for each in several]
        for event, several in training.callbacks.items()
    }
    return {
        "model": described_module(training.model),
        "optimizer": described_optimizer(training.optimizer, scheduled),
        **callbacks,
        "settings": described(settings),
        "data": {name: [described_array(x) for x in pair] for name, pair in data.items()},
        "versions": {
            "tinygrad_edu": tinygrad_edu.__version__,
            "numpy": np.__version__,
            "python": sys.version.split()[0],
        },
    }


def described(x: Any, depth: int = 0) -> Any:
    """An argument as JSON: plain data itself, arrays by checksum, functions by name, objects by class and attributes.

    Leaves out the attributes that change during training: the entries of an object's `state_dict`.
    """
    if isinstance(x, (np.integer, np.bool_)):
        return x.item()
    if x is None or isinstance(x, (bool, int, float, str, np.generic)):
        return x
    if isinstance(x, (np.ndarray, Value)):
        return described_array(x)
    if depth == DEEPEST or isinstance(x, (Optimizer, np.random.Generator)):
        return type(x).__qualname__
    if isinstance(x, (list, tuple)):
        return [described(item, depth + 1) for item in x]
    if isinstance(x, (set, frozenset)):  # in an order that is the same in another process
        return sorted([described(item, depth + 1) for item in x], key=repr)
    if isinstance(x, Mapping):
        return {str(described(key, depth + 1)): described(item, depth + 1) for key, item in x.items()}
    if isinstance(x, partial):
        return {"partial": described([x.func, list(x.args), x.keywords], depth + 1)}
    if name := getattr(x, "__qualname__", getattr(x, "__name__", None)):  # of a function, method or class
        return name
    if isinstance(x, Module):
        return described_module(x) | {"buffers": {path: described_array(buffer) for path, buffer in x.named_buffers()}}
    state = set(x.state_dict()) if callable(getattr(x, "state_dict", None)) else set()
    return {"class": type(x).__qualname__} | {
        name: described(item, depth + 1)
        for name, item in getattr(x, "__dict__", {}).items()
        if name not in state and not isinstance(item, Optimizer)
    }


def _described_callback(callback: Any, model: Module) -> Any:
    """A callback without the model, which is described elsewhere."""
    found = described(callback)
    return {name: item for name, item in found.items() if vars(callback).get(name) is not model}


def described_module(model: Module) -> dict[str, Any]:
    """The structure of a model, and the type and shape of each parameter and buffer."""
    arrays = {path: f"{array.dtype} {array.shape}" for path, array in model.state_dict().items()}
    return {"structure": repr(model).splitlines(), "arrays": arrays}


def described_optimizer(optimizer: Optimizer, scheduled: bool) -> dict[str, Any]:
    """The class and options of an optimiser, with the initial rates if there is a schedule."""
    groups = []
    for group in optimizer.param_groups:
        options = {key: described(item) for key, item in group.items() if key not in ("params", "initial_lr")}
        if scheduled:
            options["lr"] = described(group.get("initial_lr", optimizer.defaults["lr"]))
        groups.append(options | {"parameters": [list(p.shape) for p in group["params"]]})
    return {"class": type(optimizer).__qualname__, "groups": groups}


def described_array(x: Any) -> dict[str, Any]:
    """The shape, type and contents of an array."""
    x = np.asarray(data_of(x))
    return {
        "shape": list(x.shape),
        "dtype": x.dtype.str,
        "sha256": sha256(np.ascontiguousarray(x).reshape(-1).view(np.uint8).data).hexdigest(),
    }


def differences(got: Any, expected: Any, path: str = "") -> Iterator[str]:
    """The differences between two descriptions, each with its path."""
    if isinstance(got, dict) and isinstance(expected, dict):
        for key in [*expected, *[key for key in got if key not in expected]]:
            inner = f"{path}.{printable(str(key))}" if path else str(key)
            yield from differences(got.get(key), expected.get(key), inner)
    elif isinstance(got, list) and isinstance(expected, list) and len(got) == len(expected):
        for i, (mine, theirs) in enumerate(zip(got, expected, strict=True)):
            yield from differences(mine, theirs, f"{path}.{i}")
    elif repr(got) != repr(expected):  # repr distinguishes 1 from True, and equates NaN with NaN
        yield f"got {path}={shown(got)}, expected {shown(expected)}"
