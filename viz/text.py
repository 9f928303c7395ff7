"""What numbers, arrays, parameters and names read like in a picture: short, and the same in every run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tinygrad_edu import Value

_MOST_TOLD = 8  # texts that differ
LONGEST_NAME = 40  # characters; more would push the rest off a slide
_WHOLE = (int, np.integer, np.bool_)  # bool is an int


def plain(text: str, longest: int = LONGEST_NAME) -> str:
    """Text as a reader sees it: one line, at most `longest` characters, what does not print spelled out as in Python.

    A newline reads \\n, and the marks that turn the writing direction are spelled out too: they make a name read as another.
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def entitled(path: str, what: str, longest: int = LONGEST_NAME) -> str:
    """What is at a path, as "0.1: Linear(4, 8)"; of a long path its tail."""
    return f"{tail(path, longest - len(what) - 2)}: {what}" if path else what


def tail(path: str, longest: int) -> str:
    """As many of the last parts of a path as there is room for, at least one: they tell more than the first ones."""
    while len(path) > longest and "." in path.lstrip("…."):
        path = f"….{path.lstrip('….').partition('.')[2]}"
    return path


def data_of(x: Any) -> Any:
    """The numbers of a Value; all else as it is."""
    return x.data if isinstance(x, Value) else x


def many(n: int, what: str) -> str:
    """A number of things: "1 module", "1,056 parameters"."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def number(x: Any) -> str:
    """A number at 4 significant digits, with a real minus sign; in full if it is of integer type."""
    return minus(digits(x))


def minus(text: str) -> str:
    """A number or a formula with real minus signs."""
    return text.replace("-", "−")


def digits(x: Any, most: int = 4) -> str:
    """A number in ASCII, as programs read it, at `most` significant digits; in full if it is of integer type. -0 is 0."""
    return str(x) if isinstance(x, _WHOLE) else f"{x:.{most}g}" if x else "0"


def constant(x: Any) -> str:
    """A number that a program states, at up to 7 significant digits: × 1.0001 is not × 1."""
    return minus(digits(x, 7))


def not_finite(numbers: Sequence[str]) -> bool:
    """Whether one of the last two numbers, which are the least and the largest, reads as NaN or infinity."""
    return any(x.lstrip("−") in ("nan", "inf") for x in numbers[-2:])


def form(data: Any) -> str:
    """Shape and dtype of an array, such as "(2, 3) float64"; "" for a scalar."""
    return f"{data.shape} {data.dtype}" if np.ndim(data) else ""


def listed(data: Any, most: int = 40) -> str:
    """All numbers of a small array, in brackets as they are nested; "" for a scalar, or for more than `most` numbers."""
    array = np.asarray(data)
    if not array.ndim or not 0 < array.size <= most:
        return ""
    return _nested(array)


def _nested(array: Any) -> str:
    return f"[{', '.join(map(_nested, array))}]" if np.ndim(array) else digits(array)


def statistics(many: Sequence[Any]) -> tuple[Any, ...]:
    """Of one number the number itself; of several numbers or arrays the mean, the least and the largest number of all;
    () if there is none. A mean that is nothing but rounding is 0.
    """
    if len(many) == 1 and np.size(many[0]) == 1:
        return (np.ravel(many[0])[0] if np.ndim(many[0]) else many[0],)
    if not any(isinstance(x, np.ndarray) for x in many):
        many = [np.array(many, float)]
    arrays = [x for x in map(np.asarray, many) if x.size]
    if not arrays:
        return ()
    with np.errstate(all="ignore"):
        mean = np.mean(arrays[0])
        if len(arrays) > 1:
            mean = np.average([np.mean(x, dtype=float) for x in arrays], weights=[x.size for x in arrays])
        low, high = np.min([np.min(x) for x in arrays]), np.max([np.max(x) for x in arrays])
        noise = 4 * np.finfo(mean.dtype).eps * max(abs(low), abs(high))
        return (abs(mean) * 0 if abs(mean) < noise < np.inf else mean), low, high


def parameters(*values: Value) -> str:
    """The keyword parameters of recorded calls of one operation, less those at their defaults: "axis=0, keepdims=True"."""
    told: dict[str, list[str]] = {}
    for value in values:
        defaults = value.grad_fn.parameters.defaults if value.grad_fn is not None else {}
        for k, x in value.params.items() if value.grad_fn is not None else ():
            if k not in defaults or not _is_default(x, defaults[k]):
                told.setdefault(k, []).append(_parameter(x))
    return ", ".join(f"{k}={spread(texts)}" for k, texts in told.items())


def spread(texts: Iterable[str]) -> str:
    """Different texts in their order: numbers as a range, if they are one, else all; of many the first and the last.

    >>> spread("1234"), spread("9753"), spread("312"), spread(["a"] * 3), spread(map(str, [*range(9), 7, 20]))
    ('1 … 4', '9, 7 … 3', '3, 1, 2', 'a', '0, 1, …, 20')
    """
    found = list(dict.fromkeys(texts))
    try:
        numbers = [int(text) for text in found]
    except ValueError:
        numbers = []
    if len(numbers) > 2 and len({b - a for a, b in pairwise(numbers)}) == 1:
        start = found[0] if abs(numbers[1] - numbers[0]) == 1 else f"{found[0]}, {found[1]}"
        return f"{start} … {found[-1]}"
    return ", ".join(found if len(found) <= _MOST_TOLD else [*found[:2], "…", found[-1]])


def index(value: Value) -> str:
    """The index of an indexing, as it is written between brackets."""
    text = _parameter(value.params["index"])
    return text[1:-1].rstrip(",") if text.startswith("(") else text


def _is_default(x: Any, default: Any) -> bool:
    return type(x) is type(default) and bool(x == default)  # the type first: 0 is not False, and no array compares


def _parameter(x: Any) -> str:
    """One parameter: indices as they are written between brackets, arrays by their form, the rest as Python shows it."""
    if isinstance(x, tuple):
        items = [_parameter(item) for item in x]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if isinstance(x, slice):
        parts = [x.start, x.stop] if x.step is None else [x.start, x.stop, x.step]
        return ":".join("" if part is None else str(part) for part in parts)
    if x is Ellipsis:
        return "..."
    if isinstance(x, np.ndarray):
        return form(x) or digits(x[()])
    if isinstance(x, np.generic):
        return digits(x)
    if isinstance(x, type):
        return x.__name__
    if isinstance(x, np.dtype):
        return x.name
    return plain(re.sub(r" at 0x[0-9a-fA-F]+", "", repr(x)))  # an address would differ from run to run
