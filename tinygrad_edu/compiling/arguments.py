"""Arguments: trees of numbers, arrays and constants; what a program is compiled for, and what its parameters are called."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np

from ..node import Node
from ..term import Term
from .captures import Captures
from .expressions import quoted


def is_number(x: Any) -> bool:
    """Whether an argument is a symbol: a float or an array; anything else is part of the program."""
    return type(x) is float or isinstance(x, (np.ndarray, np.floating))


def kind_of_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a program is compiled for; None if it cannot be."""
    try:
        return (*map(_kind, args), *[(key, _kind(x)) for key, x in kwargs.items()])
    except _NotPlain:
        return None


class _NotPlain(Exception):  # noqa: N818
    pass


def _kind(x: Any) -> Any:
    own = type(x)
    if own is float:
        return float
    if own is np.ndarray:
        flags = x.flags
        if x.dtype.kind not in "fiubc":
            raise _NotPlain
        layout = flags.c_contiguous or (2 if flags.f_contiguous else x.strides)  # which that of results follows
        return x.shape, x.dtype, layout
    if own is dict:
        return dict, *[(key, _kind(part)) for key, part in x.items()]
    if own is tuple or own is list or hasattr(x, "_make"):
        return own, *map(_kind, x)
    if isinstance(x, (Node, Term, np.ndarray)):
        raise _NotPlain
    if isinstance(x, np.generic):
        return (own,) if isinstance(x, np.floating) else (own, x.tobytes())
    if own in (int, bool, str, type(None)):
        return own, x
    return (own, repr(x)) if own in _TEXTS else (own, id(x))


_TEXTS = {complex, bytes, slice, range}  # constants of which equal texts mean equal ones


def others_of(tree: Any) -> Captures | None:
    """What arguments that are objects hold, which keeps these objects too; None if there are none."""
    found: list[Any] = []

    def visit(x: Any) -> None:
        if type(x) is dict:
            found.extend(key for key in x if type(key) is not str)
            visit(list(x.values()))
        elif type(x) in (tuple, list) or hasattr(x, "_make"):
            for part in x:
                visit(part)
        elif not (
            is_number(x) or isinstance(x, np.generic) or type(x) in (int, bool, str, type(None)) or type(x) in _TEXTS
        ):
            found.append(x)

    visit(tree)
    return Captures(found) if found else None


def mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    """A tree of arguments with f(x) for each number."""
    if type(tree) is dict:
        return {key: mapped(f, part) for key, part in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return tree._make(mapped(f, part) for part in tree)
    if type(tree) in (tuple, list):
        return type(tree)([mapped(f, part) for part in tree])
    return f(tree) if is_number(tree) else tree


def described(x: Any) -> Any:
    """What a program is compiled for, as text: shapes and dtypes of arrays, types of numbers, and constants, in their trees."""
    if isinstance(x, dict):
        return {key: described(part) for key, part in x.items()}
    if isinstance(x, (tuple, list)):
        return [described(part) for part in x]
    if isinstance(x, (np.ndarray, np.floating)):
        return f"{x.dtype} {x.shape}"
    own = type(x).__name__
    return repr(x) if isinstance(x, (int, str, np.generic, type(None), slice, range)) else own


def copied(tree: Any) -> Any:
    """A tree of arguments with copies of its arrays."""
    return mapped(lambda x: x.copy() if isinstance(x, np.ndarray) else x, tree)


def sample(tree: Any) -> list[Any]:
    """Some of the numbers of arguments, to know whether they are new."""
    found: list[Any] = []
    mapped(
        lambda x: found.append(x.flat[:: x.size // 8 + 1].tobytes() if isinstance(x, np.ndarray) else float(x)), tree
    )
    return found


def parameters_of(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], called: list[str]
) -> tuple[str, list[str], list[str]]:
    """The parameter list of the program, lines that take trees apart, and the name of each symbol.

    Args:
        called: what the user's variables call each symbol, "" if none does.
    """
    try:
        bound = signature(f).bind(*args, **kwargs)
        own = list(bound.signature.parameters.values())
    except (TypeError, ValueError):
        own = []
    positional = [p.name for p in own if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in own if p.kind is p.VAR_POSITIONAL), "x")
    given = [positional[i] if i < len(positional) else f"{rest}_{i - len(positional)}" for i in range(len(args))]
    parameters = [*given, *kwargs]
    unpacking: list[str] = []
    names: list[str] = []
    taken = set(parameters)

    def visit(x: Any, path: str, name: str) -> None:
        if type(x) is dict:
            for key, part in x.items():
                visit(part, f"{path}[{quoted(key)}]", _plain_name(key) or f"{name}_{len(names)}")
        elif isinstance(x, (tuple, list)):
            start = len(unpacking)
            for i, part in enumerate(x):
                visit(part, f"{path}[{i}]", f"{name}_{i}")
            if len(x) > 1 and all(map(is_number, x)):  # W1, b1 = params
                own = [line.partition(" = ")[0] for line in unpacking[start:]]
                unpacking[start:] = [f"{', '.join(own)} = {path}"]
        elif is_number(x):
            if path != name:
                name = called[len(names)] or name
                fresh, n = name, 2
                while fresh in taken:
                    fresh, n = f"{name}_{n}", n + 1
                taken.add(fresh)
                unpacking.append(f"{fresh} = {path}")
                name = fresh
            names.append(name)

    for name, x in zip(parameters, (*args, *kwargs.values()), strict=True):
        visit(x, name, name)
    return ", ".join(parameters), unpacking, names


def _plain_name(key: Any) -> str:
    parts = str(key).split(".")
    if parts[0].isdigit():  # 0.weight, of a list of layers
        parts = [part for part in parts if not part.isdigit()] + [part for part in parts if part.isdigit()]
    text = "_".join(parts)
    return text if text.isidentifier() else ""


def name_of(f: Callable[..., Any]) -> str:
    """What the program of f is called."""
    name = getattr(f, "__name__", "program")
    return name if name.isidentifier() else "program"
