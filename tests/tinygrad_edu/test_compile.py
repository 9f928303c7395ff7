"""compile: its source gives the same numbers as the function, to the last bit, and does not fall back to it."""

import warnings
from functools import cache

import numpy as np
import pytest

from tinygrad_edu import MatrixError, TinygradError, Value, compile, grad, registry, vjp
from tinygrad_edu.compiling.moving import laid_like
from tinygrad_edu.compiling.results import equal
from tinygrad_edu.testing.strategies import fixed_calls

OPS = {name: f.op for name, f in registry.items()}
UNSEEN = {  # ops that refuse to be compiled, and why
    "compress": "the numbers of the condition decide shapes",
    "extract": "the numbers of the condition decide shapes",
    "nanmedian": "how many numbers are not NaN decides shapes",
    "nanquantile": "how many numbers are not NaN decides shapes",
    "nanpercentile": "how many numbers are not NaN decides shapes",
}
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::tinygrad_edu.GradientWarning")


@cache
def calls_of(name, count=8):
    return fixed_calls(OPS[name], count)


def first_order(call):
    """A function of the call's inputs that returns its result and a vector-Jacobian product."""
    at = tuple(call.differentiable) if call.op.differentiable or call.op.derived else ()

    def f(*inputs):
        def own(*chosen):
            given = list(inputs)
            for i, x in zip(at, chosen, strict=True):
                given[i] = x
            return call(*given)

        if not at:
            return call(*inputs)
        y, pull = vjp(own, *[inputs[i] for i in at])
        rng = np.random.default_rng(0)
        seed = rng.normal(size=np.shape(y)).astype(getattr(y, "dtype", float)) if np.shape(y) else 0.7
        return y, pull(seed)

    return f


def second_order(call):
    """The gradient of a weighted sum of the gradients of a weighted sum of the result."""
    at = tuple(call.differentiable)

    def weighted(x, seed):
        w = np.random.default_rng(seed).normal(size=np.shape(x.raw if isinstance(x, Value) else x))
        return (x * w).sum() if np.shape(w) else x * float(w)

    def f(*inputs):
        def own(*chosen):
            given = list(inputs)
            for i, x in zip(at, chosen, strict=True):
                given[i] = x
            return weighted(call(*given), 1)

        def slope(*chosen):
            gradients = grad(own, tuple(range(len(at))))(*chosen)
            return sum(weighted(g, i) for i, g in enumerate(gradients))

        return grad(slope, tuple(range(len(at))))(*[inputs[i] for i in at])

    return f


def moved(call, inputs):
    """Other numbers of the same shapes, in the domain."""
    other = []
    for x in inputs:
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            numbers = (x * (1 + 2.0**-9)).astype(x.dtype)
            other.append(laid_like(x, call.within(numbers) if call.within else numbers))
        else:
            other.append(x * (1 + 2.0**-9) if isinstance(x, float) else x)
    return other


def check(call, build):
    f = build(call)
    try:
        expected = f(*call.inputs)
    except (TinygradError, MatrixError):
        return None
    compiled = compile(f)
    got = compiled(*call.inputs)
    assert equal(got, expected), compiled.source
    other = moved(call, call.inputs)
    try:
        expected = f(*other)
    except (TinygradError, MatrixError):
        return compiled
    compiled(*other)
    got = compiled(*other)
    assert equal(got, expected), compiled.source
    if not compiled.eager:
        with np.errstate(all="ignore"):  # the text that is shown and saved
            got = compiled._latest().program.loaded(readable=True)(*other)
        assert equal(got, expected), compiled.source
    return compiled


@pytest.mark.parametrize("name", [name for name in OPS if name not in UNSEEN])
def test_every_op_to_the_last_bit(name):
    for call in calls_of(name):
        compiled = check(call, first_order)
        assert compiled is None or not compiled.eager, (call, compiled.source)


@pytest.mark.parametrize("name", [name for name in OPS if name not in UNSEEN and OPS[name].differentiable])
def test_second_derivatives_to_the_last_bit(name):
    for call in calls_of(name)[:4]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = check(call, second_order)
        assert compiled is None or not compiled.eager, (call, compiled.source)
