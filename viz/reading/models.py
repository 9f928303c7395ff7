"""What users give with a model: its inputs and a loss, checked, and what inputs and outputs are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from nn import Module
from nn.calls import is_array, parts
from tinygrad_edu import DTypeError

from .names import by_id

Keys = tuple[Any, ...]


def check_run(caller: str, model: Module, inputs: Sequence[Any], loss: Any, example: str) -> None:
    """Raises DTypeError, in the name of the function `caller`, unless a model can be run with these; `example` shows how."""
    if not inputs:
        raise DTypeError(f"{caller}: got {type(model).__name__} and no inputs; pass an example, as in {example}")
    if loss is not None and not callable(loss):
        got = type(loss).__name__
        raise DTypeError(f"{caller}: got a loss of type {got}, expected a function of what the model returns")


def as_arrays(inputs: Sequence[Any]) -> list[Any]:
    """The inputs, lists of numbers as arrays."""
    return [np.asarray(x) if isinstance(x, list) and _is_of_numbers(x) else x for x in inputs]


def _is_of_numbers(x: Any) -> bool:
    if isinstance(x, list):
        return all(map(_is_of_numbers, x))
    return isinstance(x, (int, float, np.number, np.bool_))


def named_inputs(forward: Callable[..., Any], inputs: Sequence[Any], names: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The arrays among the inputs, each once, with what it is called: by itself, by the user, else as the model's own argument.

    What is in a dictionary is called by its key. An array that is given twice has both names.
    """
    found = [
        ((argument, *keys), x)
        for argument, given in _arguments(forward, inputs).items()
        for keys, x in parts(given)
        if is_array(x)
    ]
    called = by_id(names)
    given: dict[int, tuple[list[str], Any]] = {}
    for name, (_, x) in zip(_spelled([keys for keys, _ in found]), found, strict=True):
        own = getattr(x, "name", None) or called.get(id(x)) or name
        told = given.setdefault(id(x), ([], x))[0]
        told += [own] if own not in told else []
    return [(", ".join(told), x) for told, x in given.values()]


def _arguments(forward: Callable[..., Any], inputs: Sequence[Any]) -> Mapping[str, Any]:
    try:
        return signature(forward).bind(*inputs).arguments
    except TypeError:  # the call will say why
        return {"input": tuple(inputs)}


def named_outputs(output: Any, what: str) -> Iterator[tuple[str, Any]]:
    """The arrays among the outputs, with what each is called: "output", "output 1", or by its key in a dictionary."""
    found = [(keys, x) for keys, x in parts(output) if is_array(x)]
    if len(found) == 1 and not any(isinstance(key, str) for key in found[0][0]):
        found = [((), found[0][1])]
    several = [
        (f"{what} {keys[0] + 1}", *keys[1:]) if keys and not isinstance(keys[0], str) else (what, *keys)
        for keys, _ in found
    ]
    return zip(_spelled(several), [x for _, x in found], strict=True)


def _spelled(many: Iterable[Keys]) -> list[str]:
    """Names for keys, of which the first is what holds all: "boxes[0]"; keys of dictionaries tell enough, if no two are alike.

    >>> _spelled([("d", "image"), ("d", "boxes", 0), ("more", 0), ("x",)]), _spelled([("a", "image"), ("b", "image")])
    (['image', 'boxes[0]', 'more[0]', 'x'], ['a.image', 'b.image'])
    """
    full = list(many)
    short = [next((keys[i:] for i in range(1, len(keys)) if isinstance(keys[i], str)), keys) for keys in full]
    counts = Counter(short)
    chosen = [a if counts[a] == 1 else b for a, b in zip(short, full, strict=True)]
    return [
        "".join([str(head), *(f".{key}" if isinstance(key, str) else f"[{key}]" for key in rest)])
        for head, *rest in chosen
    ]
