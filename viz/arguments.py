"""Arguments of viz's functions: what a call got wrong, in the package's own words."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from tinygrad_edu import DTypeError, Value

from .text import plain

P = ParamSpec("P")
R = TypeVar("R")

_NONE: Mapping[str, str] = {}
_FILES = (".html", ".svg", ".png", ".pdf", ".gif", ".dot", ".mmd")


def refusing(**remedies: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function raise DTypeError, in its name, for unknown keywords, too many arguments and missing ones.

    Args:
        remedies: for keywords that the function had once, what to write now.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        expected = signature(function)

        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            check_call(function.__name__, expected, args, kwargs, remedies)
            return function(*args, **kwargs)

        return checked

    return decorate


def check_call(
    caller: str, expected: Signature, args: Sequence[Any], given: Mapping[str, Any], remedies: Mapping[str, str] = _NONE
) -> None:
    """Raises DTypeError, in the name of the function `caller`, for arguments that do not fit a signature."""
    try:
        expected.bind(*args, **given)
    except TypeError:
        raise DTypeError(f"{caller}: {_wrong(expected, args, given, remedies)}") from None


def _wrong(expected: Signature, args: Sequence[Any], given: Mapping[str, Any], remedies: Mapping[str, str]) -> str:
    """What a call got that does not fit the signature, and what to write instead."""
    parameters = {name: p for name, p in expected.parameters.items() if name != "self"}
    args = args[len(expected.parameters) - len(parameters) :]
    by_position = [p for p in parameters.values() if p.kind is not Parameter.KEYWORD_ONLY]
    by_name = [p.name for p in parameters.values() if p.kind is Parameter.KEYWORD_ONLY]
    known = [p.name for p in parameters.values() if p.kind is not Parameter.VAR_POSITIONAL]
    for name in given:
        if name in remedies:
            return f"got {name}=; {remedies[name]}"
        if name not in known:
            options = [each for each in known if parameters[each].default is not Parameter.empty] or known
            near = get_close_matches(name, known, 1)
            rather = f"{near[0]}=" if near else f"some of {_keywords(options)}" if options else "none"
            return f"got the keyword {plain(name)}=, expected {rather}"
    if len(args) > len(by_position):
        extra = args[len(by_position)]
        if is_file(extra):
            return f"got the file name {_shown(extra)}, expected none; .save({_shown(extra)}) writes the file"
        rest = f"; give {_keywords(by_name)} by name" if by_name else ""
        return f"got {len(args)} arguments by position, expected at most {len(by_position)}{rest}"
    for p, _ in zip(by_position, args, strict=False):
        if p.name in given:
            return f"got {p.name} by position and by name; give it once"
    missing = [p.name for p in by_position[len(args) :] if p.default is Parameter.empty and p.name not in given]
    return f"got no {missing[0]}"


def _keywords(names: Sequence[str]) -> str:
    return ", ".join(f"{name}=" for name in names)


def is_file(x: Any) -> bool:
    """Whether an argument is the name of a file that viz writes."""
    return isinstance(x, os.PathLike) or (isinstance(x, str) and Path(x).suffix.lower() in _FILES)


def check_subject(caller: str, what: Any, inputs: Sequence[Any], loss: Any) -> None:
    """Raises DTypeError, in the name of the function `caller`, unless it got a Value alone, or a Module with its inputs."""
    if isinstance(what, Value):
        if inputs:
            raise DTypeError(f"{caller}: got {_after_a_value(caller, inputs[0])}")
        if loss is not None:
            raise DTypeError(
                f"{caller}: got a Value and loss=, which belongs to a Module; compute the loss, and give that Value"
            )
        return
    from nn import Module  # here, as drawing Values needs no networks

    if not isinstance(what, Module):
        raise DTypeError(f"{caller}: got {_described(what)}")
    for x in inputs:
        if is_file(x):
            raise DTypeError(
                f"{caller}: got the file name {_shown(x)} in the place of an input; {caller}(model, x).save({_shown(x)})"
                " writes the file"
            )
        if isinstance(x, Mapping) and any(each is what for each in x.values()):
            raise DTypeError(
                f"{caller}: got names in the place of an input; give them by name: {caller}(model, x, names=locals())"
            )
    if isinstance(loss, type):
        raise DTypeError(
            f"{caller}: got the class {loss.__name__} as the loss, expected a function of what the model returns, such as "
            "lambda y: cross_entropy(y, labels)"
        )
    if loss is not None and (takes := _takes_more(loss)):
        raise DTypeError(
            f"{caller}: got {_name_of(loss)} as the loss, a function of ({takes}), expected one of what the model returns alone, "
            f"such as lambda y: loss(y, labels)"
        )


def _takes_more(loss: Any) -> str:
    """The parameters of a loss, if it needs more than one; of a loss of nn, those of its function."""
    try:
        expected = signature(getattr(loss, "function", loss))
    except (TypeError, ValueError):  # written in C
        return ""
    needed = [
        p.name for p in expected.parameters.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    return ", ".join(needed) if len(needed) > 1 else ""


def _name_of(loss: Any) -> str:
    return loss.__name__ if hasattr(loss, "__name__") else f"a {type(loss).__name__}"


def _after_a_value(caller: str, extra: Any) -> str:
    """What stands after a Value, and where it belongs."""
    if isinstance(extra, (str, os.PathLike)):
        return f"{_shown(extra)} after a Value; {caller}(y).save({_shown(extra)}) writes a file, title= sets a title"
    if isinstance(extra, Mapping):
        return f"names after a Value; give them by name: {caller}(y, names=locals())"
    return f"{type(extra).__name__} after a Value, expected options by name alone; only a Module takes inputs"


def _described(what: Any) -> str:
    """What stands in the place of a Value or a Module, what was expected, and the remedy."""
    expected = "expected a Value, or a Module and its inputs"
    if isinstance(what, type):
        return f"the class {what.__name__}, {expected}; make one: {what.__name__}(...)"
    if callable(what):
        return f"a function, {expected}; call it with Values, and give what it returns"
    if isinstance(what, (list, tuple)) and any(isinstance(x, Value) for x in what):
        return f"a {type(what).__name__} of Values, {expected}; give one of them, or their sum"
    remedy = "" if what is None else "; compute the number from Values, and give the result"
    return f"{type(what).__name__}, {expected}{remedy}"


def _shown(x: Any) -> str:
    return repr(plain(os.fspath(x) if isinstance(x, os.PathLike) else x))
