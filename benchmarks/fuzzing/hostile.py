"""Arguments that users pass by mistake, and ordinary arrays in unusual dtypes and memory layouts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu import Value

Variant = Callable[[Any], Any]

KINDS = (
    ">f8",
    ">f4",
    "f2",
    "f4",
    "g",
    "F",
    "D",
    "?",
    "b",
    "B",
    "h",
    "I",
    "q",
    "Q",
    ">i4",
    "O",
    "U8",
    "S8",
)  # of dtypes
VARIANTS: dict[str, Variant] = {
    "Fortran": np.asfortranarray,
    "reversed": lambda x: np.flip(np.flip(x).copy()),
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape) if x.ndim and x.shape[0] else x,
    "0-d": lambda x: np.array(x.flat[0] if x.size else 1.0),
    "empty": lambda x: x[:0] if x.ndim else np.ones(0),
    "one more axis": lambda x: x[None],
    "one more number": lambda x: np.concatenate([x, x[:1]]) if x.ndim else np.ones(3),
    "list": lambda x: x.tolist(),
    "tuple": lambda x: tuple(x.tolist()) if x.ndim else x,
    "NaN": lambda x: np.where(x == x.flat[0], np.nan, x) if x.size else x,
    "infinite": lambda x: np.where(x == x.flat[0], np.inf, x) if x.size else x,
    "zeros": np.zeros_like,
    "equal": np.ones_like,
    "huge": lambda x: x * 1e308,
    "tiny": lambda x: x * 1e-320,
    **{kind: partial(np.ndarray.astype, dtype=kind) for kind in KINDS},
    "dates": lambda x: np.zeros(x.shape, "M8[D]"),
    "spans of time": lambda x: np.zeros(x.shape, "m8[s]"),
    "records": lambda x: np.zeros(x.shape, [("a", float)]),
}


def _given(x: Any) -> Any:
    return x


_given.__qualname__ = "hostile.given"


def things() -> list[Any]:
    """Things that are rarely a valid argument, new ones at every call."""
    return [
        *(None, True, False, 0, 1, -1, 2, 7, -99, 2**62, -(2**63), 10**30, -(10**30), 10**400),
        *(0.0, 1.0, -1.0, 0.5, 2.5, 1e308, 5e-324, float("nan"), float("inf"), -float("inf"), 1j),
        *("text", "", "0", b"bytes", Fraction(1, 2), Decimal("0.5"), Ellipsis, NotImplemented),
        *(
            (),
            (0,),
            (0, 0),
            (0, 1),
            (1, 0, 2),
            (-1,),
            (2.5,),
            (None,),
            ("a",),
            (2, 3),
            (10**30,),
            (True,),
            ((0, 1), (1, 0)),
        ),
        *([], [[]], [0], [1, 2], [1.0, 2.0], [[1.0], [2.0, 3.0]], ["a"], [None], [Value(1.0)], [[1, 2], [3, 4]]),
        *({}, {"a": 1}, {0: 1}, set(), {1, 2}, frozenset([1]), range(2), iter([1.0, 2.0]), slice(None), slice(0, "a")),
        *(
            object(),
            object,
            float,
            int,
            len,
            _given,
            np,
            np.random.default_rng(0),
            memoryview(b"\1\2"),
            bytearray(b"\1\2"),
        ),
        *(
            np.float64(1.0),
            np.float32(1.0),
            np.float16(0.5),
            np.int64(1),
            np.uint8(3),
            np.bool_(True),
            np.longdouble(1),
        ),
        *(np.array(1), np.array(1.0), np.array([0, 1]), np.array([1.0, 2.0]), np.array([True, False]), np.array("a")),
        *(
            np.ones(0),
            np.ones((0, 3)),
            np.ones((2, 3)),
            np.ones((7, 5, 3)),
            np.array([None, 1], object),
            np.array(["a", "b"]),
        ),
        *(
            np.datetime64("2020-01-01"),
            np.timedelta64(1, "s"),
            np.dtype("f4"),
            np.dtype("M8[D]"),
            "f4",
            ">f8",
            "i4",
            "M8[D]",
        ),
        *(Value(1.0), Value(2), Value(np.ones(2)), Value(np.ones((2, 3))), Value(np.ones(0)), Value(np.float32(1.0))),
        Value(np.array([0, 1]), requires_grad=False),
        np.ma.masked_array([1.0, 2.0], [True, False]),
    ]


def thing(rng: np.random.Generator) -> Any:
    """One of `things`."""
    given = things()
    return given[rng.integers(len(given))]


def variant(rng: np.random.Generator, x: Any) -> Any:
    """An array of floats or booleans in one of the VARIANTS; anything else unchanged."""
    if not isinstance(x, (float, np.generic, np.ndarray)) or np.asarray(x).dtype.kind not in "fb":
        return x
    name = list(VARIANTS)[rng.integers(len(VARIANTS))]
    with np.errstate(all="ignore"):
        return VARIANTS[name](np.asarray(x))
