"""NumPy's functions on Values: which op records each, from the op table alone; all else is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import TinygradError, UnsupportedError
from .node import Node
from .op import arguments_of
from .registry import by_numpy, registry

_PLAIN_RESULT = {  # functions of the numbers alone: plain results, nothing to differentiate
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.isnan, np.isinf, np.isfinite, np.signbit, np.isclose, np.allclose, np.array_equal),
    *(np.shape, np.ndim, np.size),
}


def dispatch(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What NumPy's function does on Values: the op defined for it, a plain result, or an error; never an array by accident."""
    if function in by_numpy:
        recorded = registry[by_numpy[function]]
        try:
            return recorded(*args, **kwargs)
        except TinygradError:
            raise
        except TypeError as error:
            takes = ", ".join(arguments_of(recorded))
            raise UnsupportedError(f"np.{function.__name__}: {error}; recorded for Values with {takes}") from None
    if function in _PLAIN_RESULT:
        plain = {name: x.data if isinstance(x, Node) else x for name, x in kwargs.items()}
        return function(*[x.data if isinstance(x, Node) else x for x in args], **plain)
    from difflib import get_close_matches  # only ever needed here

    name = function.__name__
    supported = [f.__name__ for f in by_numpy]
    near = get_close_matches(name, supported, 1)
    hint = f"the nearest that is recorded: np.{near[0]}" if near else "see tinygrad_edu.__all__ for what is recorded"
    raise UnsupportedError(f"np.{name}: not recorded for Values; {hint}, or use value.numpy() for the plain numbers")
