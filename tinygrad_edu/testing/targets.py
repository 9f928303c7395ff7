"""Arguments of the command `check`: a function as module:function, and inputs as shapes. Errors fit on one line."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TinygradError

DTYPES = ("float64", "float32", "float16")


class TargetError(TinygradError):
    """An argument that names no function, or inputs that the function does not take."""


def imported(target: str) -> Callable[..., Any]:
    """The function that module:function names; modules in the current folder are found.

    Raises:
        TargetError: if there is no such module or function, or the module fails while it is imported.
    """
    module, _, name = target.partition(":")
    if module.endswith(".py"):
        raise TargetError(f"{target!a}: expected a module's name, {module.removesuffix('.py')}:{name}, without .py")
    if not module or not name:
        raise TargetError(f"{target!a}: expected MODULE:FUNCTION, as in mylayers:softmax")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        home = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and module.startswith(error.name or "?"):
            file = f"{error.name}.py"
            raise TargetError(f"{target!a}: {error}; run this in the folder of {file}, or install it") from None
        raise TargetError(f"{target!a}: importing {module} failed: {told(error)}") from None
    try:
        function = functools.reduce(getattr, name.split("."), home)
    except AttributeError:
        raise TargetError(f"{target!a}: {module} has no function {name}") from None
    if not callable(function):
        raise TargetError(f"{target!a}: this is not a function, but {type(function).__name__}")
    return function


def drawn(function: Callable[..., Any], shapes: Iterable[str], dtype: str, seed: int) -> list[NDArray[Any]]:
    """Normally distributed inputs, for arguments such as "x=3,4", in the order of the function's parameters.

    Raises:
        TargetError: if an argument is not a shape, the function has other parameters, or the dtype is not a float dtype.
    """
    if dtype not in DTYPES:
        raise TargetError(f"--dtype {dtype!a}: expected {', '.join(DTYPES)}")
    sizes: dict[str, tuple[int, ...]] = {}
    for text in shapes:
        name, equals, numbers = text.partition("=")
        parts = [part.strip() for part in numbers.split(",")] if numbers.strip() else []
        if not name or not equals or not all(part.isdecimal() for part in parts):
            raise TargetError(f"--shape {text!a}: expected NAME=SIZES, as in x=3,4, or x= for a number")
        if name in sizes:
            raise TargetError(f"--shape {text!a}: {name} has a shape already")
        sizes[name] = tuple([int(part) for part in parts])
    _refuse_other_names(function, list(sizes))
    rng = np.random.default_rng(seed)
    try:
        return [np.asarray(rng.standard_normal(size), dtype)[()] for size in sizes.values()]
    except (MemoryError, ValueError) as error:
        raise TargetError(f"--shape: {error}") from None


def _refuse_other_names(function: Callable[..., Any], given: list[str]) -> None:
    """Raise TargetError unless the given names are the function's first parameters, with all required ones."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some of NumPy's functions have no signature
        return
    by_position = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p.name for p in parameters if p.default is p.empty and p.name in by_position]
    by_name = [p.name for p in parameters if p.default is p.empty and p.kind is p.KEYWORD_ONLY]
    if by_name:
        raise TargetError(f"the function needs {', '.join(by_name)} by name; write one that passes it, and check that")
    if any(p.kind is p.VAR_POSITIONAL for p in parameters) and given:
        return
    missing = [name for name in needed if name not in given]
    if not given or missing:
        remedy = " ".join(f"--shape {name}=SIZES" for name in missing or by_position[:1])
        raise TargetError(f"the function takes {', '.join(by_position)}: give {remedy}, as in --shape x=3,4")
    if given != by_position[: len(given)]:
        got = ", ".join(given)
        raise TargetError(
            f"--shape for {got}, but the function takes {', '.join(by_position)}; give its first arguments, in order"
        )


def told(error: BaseException) -> str:
    """An error of foreign code on one line: its place, type and message."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _inside(frame.filename)]
    place = f"{os.path.basename(own[-1].filename)}, line {own[-1].lineno}: " if own else ""
    text = " ".join(str(error).split())
    return f"{place}{type(error).__name__}{': ' + text if text else ''}"


def _inside(filename: str) -> bool:
    """Whether a file belongs to this package, NumPy, or Python."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    homes = (package, os.path.dirname(np.__file__), os.path.dirname(os.__file__) + os.sep + "importlib", "<frozen")
    return filename.startswith(homes)
