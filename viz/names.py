"""What users call things: the names and titles that they give with a drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinygrad_edu import DTypeError, Value


def check(names: Any, title: Any, caller: str = "graph") -> None:
    """Raises DTypeError, in the name of the function `caller`, unless they are a mapping and text, or None."""
    if names is not None and not isinstance(names, Mapping):
        raise DTypeError(
            f"{caller}: got names of type {type(names).__name__}, expected a mapping from name to Value; locals() is one"
        )
    if title is not None and not isinstance(title, str):
        raise DTypeError(f"{caller}: got a title of type {type(title).__name__}, expected text")


def by_id(names: Mapping[str, Any]) -> dict[int, str]:
    """What Values and arrays are called, by identity: the first of several names, IPython's _ and _12 last."""
    called: dict[int, str] = {}
    for name, x in sorted(names.items(), key=lambda item: str(item[0]).startswith("_")):
        if isinstance(x, (Value, np.ndarray)):
            called.setdefault(id(x), str(name))
    return called
