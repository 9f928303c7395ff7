"""NumPy's functions on Values: the op table determines which op records each; all others are refused by name."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import cache
from inspect import Parameter, signature
from itertools import takewhile
from typing import Any

import numpy as np

from .binding import parameters_of
from .data import raw_of
from .definition import by_numpy, registry
from .errors import TinygradError, UnsupportedError

PLAIN_RESULT = {  # functions with plain results, which are not differentiable
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.any, np.all),
    *(np.isnan, np.isinf, np.isfinite, np.isneginf, np.isposinf, np.signbit, np.isclose, np.allclose),
    *(np.array_equal, np.array_equiv, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj),
    *(np.shape, np.ndim, np.size, np.result_type, np.shares_memory, np.may_share_memory),
    *(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.argwhere, np.lexsort),
    *(np.nonzero, np.flatnonzero, np.count_nonzero, np.searchsorted, np.digitize, np.isin),
    *(np.zeros_like, np.ones_like, np.empty_like, np.array2string, np.array_repr, np.array_str),
    np.linalg.matrix_rank,
}

_NOT_GIVEN = (None, np._NoValue)
_REMEDIES: dict[str, tuple[str, tuple[Any, ...]]] = {  # options that no op takes: the remedy, and values without effect
    "out": ("results are new Values; assign the result", ()),
    "where": ("choose beforehand with where(condition, x, a number that does no harm)", (True,)),
    "initial": ("combine it with the result by + or maximum()", ()),
    "dtype": ("cast with astype()", ()),
    "order": ("rows come first here; transpose", ("C", "K")),
    "hermitian": ("leave it out", (False,)),
    "optimize": ("leave it out", (True, False, "greedy", "optimal")),
    "overwrite_input": ("leave it out", (True, False)),
    **dict.fromkeys(("casting", "subok", "signature", "copy"), ("leave it out", (True,))),
}
_INSTEAD = {  # replacements for functions that are not recorded
    **dict.fromkeys(
        ("copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"), "value.at(index).set(values)"
    ),
    **dict.fromkeys(("piecewise", "choose"), "np.select"),
    "insert": "np.concatenate",
    **dict.fromkeys(("partition", "unique", "msort", "sort_complex"), "np.sort"),
    **dict.fromkeys(("eig", "eigvals"), "np.linalg.eigh, for symmetric matrices"),
    **dict.fromkeys(("poly", "polyadd", "polymul"), "a sum of powers"),
    **dict.fromkeys(("save", "savez", "savetxt", "savez_compressed"), "np.save of value.numpy()"),
    "apply_along_axis": "the function on the whole array, with its axis=",
    "delete": "value[indices to keep]",
}
_SPECIAL = {"expit": "sigmoid"} | {name: name for name in ("erf", "erfc", "logit", "softmax", "log_softmax")}  # SciPy's


def dispatch(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a NumPy function on Values: record its op, return a plain result, or raise; never return an array by accident."""
    if function in by_numpy:
        recorded = registry[by_numpy[function]]
        arrays = len(recorded.op.arrays) or 1  # of any number of arrays, NumPy takes one list
        if kwargs or len(args) > arrays:  # else nothing has a name, as in `array * value`
            args, kwargs = _named(function, arrays, args, kwargs)
            _refuse_options(function, kwargs, parameters_of(recorded).names)
        try:
            return recorded(*args, **kwargs)
        except TinygradError as error:
            if not isinstance(function, np.ufunc):  # it may be an operator, array + value
                error.operation = full_name(function)
            raise
        except TypeError as error:
            takes = ", ".join(parameters_of(recorded).names)
            raise UnsupportedError(f"{full_name(function)}: {error}; recorded for Values with {takes}") from None
    if function in PLAIN_RESULT:
        return function(*map(_plain, args), **{name: _plain(x) for name, x in kwargs.items()})
    name = full_name(function)
    raise UnsupportedError(
        f"{name}: not recorded for Values; {_hint(name)}, or use value.numpy() for the plain numbers"
    )


def full_name(function: Callable[..., Any]) -> str:
    """The name as users write it: np.linalg.inv; for scipy.special's ufuncs without a module."""
    module = getattr(function, "__module__", None) or "numpy"
    if isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is None:
        return function.__name__
    return f"{module.removesuffix('._core').replace('numpy', 'np', 1)}.{function.__name__}"


def _hint(name: str) -> str:
    """The replacement for a function that is not recorded: an equivalent, else a similar name."""
    from difflib import get_close_matches  # needed only here

    short = name.rpartition(".")[2]
    if short in _SPECIAL:
        return f"use tinygrad_edu.{_SPECIAL[short]}"
    if short in _INSTEAD:
        return f"use {_INSTEAD[short]}"
    near = get_close_matches(name, map(full_name, by_numpy), 1, cutoff=0.85)
    return f"the nearest that is recorded: {near[0]}" if near else "compose it of what tinygrad_edu.__all__ has"


def _plain(x: Any) -> Any:
    """The data of a Value, also inside a list or tuple; anything else unchanged."""
    if isinstance(x, (list, tuple)):
        return type(x)(map(_plain, x))
    return raw_of(x)


def _named(
    function: Callable[..., Any], arrays: int, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The call with arrays by position and all others by NumPy's names, whose order can differ from the op's."""
    names = _positional(function)
    if names is None or (len(args) <= arrays and not any(name in kwargs for name in names[:arrays])):
        return args, kwargs
    by_name = dict(zip(names, args, strict=False)) | kwargs
    inputs = tuple([by_name.pop(name) for name in takewhile(tuple(by_name).__contains__, names[:arrays])])
    return inputs, by_name


@cache
def _positional(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """NumPy's names for the positional arguments; None if they are unknown or of any number."""
    try:
        parameters = signature(function).parameters.values()
    except (TypeError, ValueError):  # ufuncs, and functions written in C
        return None
    if any(p.kind is Parameter.VAR_POSITIONAL for p in parameters):
        return None
    return tuple([p.name for p in parameters if p.kind is not Parameter.KEYWORD_ONLY])


def _refuse_options(function: Callable[..., Any], kwargs: dict[str, Any], taken: Container[str]) -> None:
    """Drop options without effect; raise UnsupportedError for other options that the op does not take."""
    for name in [name for name in kwargs if name in _REMEDIES and name not in taken]:
        remedy, harmless = _REMEDIES[name]
        value = kwargs[name]
        if any(value is x or (isinstance(value, str) and value == x) for x in (*_NOT_GIVEN, *harmless)):
            del kwargs[name]
        else:
            raise UnsupportedError(f"{full_name(function)}: {name}= is not recorded for Values; {remedy}")
