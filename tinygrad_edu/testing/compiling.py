"""Compiled calls of ops beside the calls themselves, to the last bit, and what their source is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from ..compiling import Compiled, compile
from ..compiling.moving import laid_like
from ..compiling.results import equal
from ..errors import TinygradError
from ..transforms import grad, vjp
from ..value import Value
from .calls import OpCall

COPIED = {  # functions that a program calls as they are, and `save` copies: why no expression says them
    **dict.fromkeys(
        ("conv", "conv_transpose", "conv_weight"), "writes windows into columns, in tiles that fit the cache"
    ),
    **dict.fromkeys(("columns", "add_columns"), "a loop over the places of a window, which writes into the result"),
    **dict.fromkeys(
        ("max_pool", "sum_pool", "sum_unpool", "first_largest"), "a loop over the places of a window, in place"
    ),
    **dict.fromkeys(
        ("index_set", "index_add", "index_max", "index_min", "shared_at"), "writes into a copy at an index"
    ),
    "scatter": "writes into zeros at indices",
    **dict.fromkeys(("erf", "erfc"), "a loop over math.erf, or rational functions on three parts of the line"),
    "p_norms": "NumPy is asked to raise where squares overflow, which costs nothing",
}
EXTREME = "numbers that overflow or underflow are computed in another way"
SINGULAR = "of a singular matrix, or of equal eigenvalues, the gradient is another or an error"
KINK = "at a kink or a zero the gradient is another"
GUARDED = {  # operations whose code looks at numbers: what it decides by them
    **dict.fromkeys(("arctan2", "hypot", "prod", "cumprod", "cumulative_prod", "nanprod", "nancumprod"), EXTREME),
    **dict.fromkeys(("p_norm", "norm", "vector_norm", "matrix_norm", "std", "nanstd", "corrcoef"), EXTREME),
    **dict.fromkeys(("logaddexp", "logaddexp2", "logsumexp", "interp"), "infinities are computed in another way"),
    **dict.fromkeys(("power", "float_power"), "exponents of 0 and 1, and bases of 0, have gradients of their own"),
    **dict.fromkeys(("nanmax", "nanmin"), "a slice of NaN alone gives NaN"),
    **dict.fromkeys(("det", "cofactor", "packed_slogdet", "slogdet", "cholesky", "packed_qr", "qr"), SINGULAR),
    **dict.fromkeys(("packed_eigh", "eigh", "eigvalsh", "packed_svd", "svd", "svdvals"), SINGULAR),
    **dict.fromkeys(("pinv", "least_squares", "lstsq"), "the rank decides the gradient"),
}
REFUSED = {  # operations of data that decides shapes: not compiled
    "compress": "the numbers of the condition decide shapes",
    "extract": "the numbers of the condition decide shapes",
}


@dataclass
class Made:
    """What the programs of calls are made of.

    Attributes:
        programs: how many programs there are.
        copied: the functions that they call as they are.
        imported: those that have no source of NumPy alone.
        guards: the conditions under which they leave a call to the function itself.
        eager: why they left a call to it.
    """

    programs: int = 0
    copied: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    guards: set[str] = field(default_factory=set)
    eager: set[str] = field(default_factory=set)

    def add(self, compiled: Compiled) -> None:
        """Count one more program."""
        self.programs += 1
        self.copied.update(compiled.copied)
        self.imported.update(compiled.needs)
        self.eager.update(compiled.eager)
        lines = compiled.source.splitlines()
        for condition, line in pairwise(lines):
            if "raise GuardError" in line and "another branch" in line:
                self.guards.add(condition.strip())


def forward(call: OpCall) -> Callable[..., Any]:
    """The call itself."""
    return lambda *inputs: call(*inputs)


def first_order(call: OpCall, only: int | None = None) -> Callable[..., Any]:
    """A function of the call's inputs that returns its result and a vector-Jacobian product.

    Args:
        only: the one input that it is a function of; the others are constants from outside.
    """
    at = tuple(call.differentiable) if call.op.differentiable or call.op.derived else ()
    if only is not None:
        at = (only,) if only in at else ()

    def f(*inputs: Any) -> Any:
        if not at:
            return call(*inputs)
        y, pull = vjp(lambda *chosen: call(*_with(inputs, at, chosen)), *[inputs[i] for i in at])
        rng = np.random.default_rng(0)
        seed = rng.normal(size=np.shape(y)).astype(getattr(y, "dtype", float)) if np.shape(y) else 0.7
        return y, pull(seed)

    if only is not None:
        return lambda x: f(*_with(call.inputs, (only,), (x,)))
    return f


def second_order(call: OpCall) -> Callable[..., Any]:
    """The gradient of a weighted sum of the gradients of a weighted sum of the result."""
    at = tuple(call.differentiable)
    places = tuple(range(len(at)))

    def weighted(x: Any, seed: int) -> Any:
        w = np.random.default_rng(seed).normal(size=np.shape(x.raw if isinstance(x, Value) else x))
        return (x * w).sum() if np.shape(w) else x * float(w)

    def f(*inputs: Any) -> Any:
        def slope(*chosen: Any) -> Any:
            gradients = grad(lambda *xs: weighted(call(*_with(inputs, at, xs)), 1), places)(*chosen)
            return sum(weighted(g, i) for i, g in enumerate(gradients))

        return grad(slope, places)(*[inputs[i] for i in at])

    return f


def _with(inputs: tuple[Any, ...], at: tuple[int, ...], chosen: tuple[Any, ...]) -> list[Any]:
    """The inputs with others in some places."""
    given = list(inputs)
    for i, x in zip(at, chosen, strict=True):
        given[i] = x
    return given


def moved(call: OpCall) -> list[Any]:
    """Other numbers of the same shapes, in the domain."""
    other: list[Any] = []
    for x in call.inputs:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            numbers = (x * (1 + 2.0**-9)).astype(x.dtype)
            other.append(laid_like(x, call.within(numbers) if call.within else numbers))
        else:
            other.append(x * (1 + 2.0**-9) if isinstance(x, float) else x)
    return other


def compiled_call(call: OpCall, build: Callable[[OpCall], Callable[..., Any]]) -> Compiled | None:
    """A compiled call, after calls with the numbers that it was compiled for, and with others; None if the op refuses them.

    Raises AssertionError, with the source, if the program gives other bits than the function.
    """
    f = build(call)
    compiled = compile(f)
    for inputs in (list(call.inputs), moved(call)):
        try:
            expected = f(*inputs)
        except TinygradError:
            return compiled if compiled.compilations else None
        for _ in range(2):  # the first one compares
            assert equal(compiled(*inputs), expected), compiled.source
        if not compiled.eager:
            with np.errstate(all="ignore"):  # the text that is shown and saved
                assert equal(compiled._latest().program.loaded(readable=True)(*inputs), expected), compiled.source
    return compiled
