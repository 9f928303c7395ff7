"""Source as a person writes it: each idiom, where it holds, where it does not, and always with the bits of the run."""

from itertools import pairwise

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import compile, value_and_grad

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(2, 4, 8))
COLUMN, V = rng.normal(size=(4, 1)), rng.normal(size=8)
LABELS = np.array([2, 0, 7, 1])
FULL = np.full((4, 8), 0.25)


def source_of(f, *args):
    """The source; its numbers are those of f to the last bit."""
    compiled = compile(value_and_grad(f))
    compiled(*args)
    readable = compiled._latest().program.loaded(readable=True)
    value, gradient = readable(*args)
    expected, recorded = value_and_grad(f)(*args)
    assert value == expected
    assert type(value) is type(expected)
    assert gradient.tobytes() == recorded.tobytes()
    assert gradient.dtype == recorded.dtype
    return compiled.source


IDIOMS = {
    "mean": (lambda x: (x * x).mean(), (X,), ["float((x * x).mean())", "/ 32"]),
    "mean of an axis": (lambda x: (x.mean(axis=1) ** 2).sum(), (X,), ["x.mean(axis=1)"]),
    "mean of two axes": (lambda x: (x.mean(axis=(0, 1), keepdims=True) ** 2).sum(), (X,), [".mean(axis=(0, 1), keepdims=True)"]),
    "a sum over another number": (lambda x: (x * x).sum() / 31, (X,), ["float((x * x).sum()) / 31"]),
    "a sum of which more is made": (lambda x: (lambda s: s / 32 + s)(x.sum()), (X,), ["float(x.sum())"]),
    "a number that is no power of two": (lambda x: (x * x).mean(axis=0).sum() / 5, (X,), ["0.2"]),
    "difference": (lambda x: (x * Y - x / Y).sum(), (X,), ["x * Y - x / Y"]),
    "negative shares": (lambda x: (Y - x * Y - x * x).sum(), (X,), ["-"]),
    "stretched": (lambda x: (x * COLUMN).sum(axis=1, keepdims=True).sum(), (X,), ["x * "]),
    "column": (lambda x: tg.cross_entropy(x, LABELS), (X,), ["[:, None] == np.arange(8)", "/ 4"]),
    "one axis": (lambda x: (x * x).sum(axis=0), (V,), ["float((x * x).sum())"]),
    "small numbers": (lambda x: (x * 1e-5).sum(), (X,), ["1e-5"]),
    "transposes": (lambda x: (x.T @ x + x.T @ Y).sum(), (X,), ["x.T @ x"]),
    "absolute": (lambda x: tg.softplus(x).sum(), (X,), ["np.abs(x)"]),
    "stack": (lambda x: (np.stack((x[0], x[1])) ** 2).sum(), (X,), ["np.stack((x[0], x[1]))"]),
}  # fmt: skip


@pytest.mark.parametrize("name", IDIOMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_idiom(name, dtype):
    f, args, expected = IDIOMS[name]
    source = source_of(f, *[x.astype(dtype) for x in args])
    if dtype is np.float64:
        assert [text for text in expected if text not in source] == [], source


def test_an_array_that_is_read_by_reference_is_no_number():
    source = source_of(lambda x: (x * FULL).sum(), X)
    assert "FULL" in source
    assert "/ 4" not in source


def test_a_lambda_in_an_assignment_does_not_have_its_name():
    step = compile(lambda x: x * x + 1)
    step(X)
    assert "step" not in step.source.replace("# step = ", "")


def test_a_constant_gradient_is_not_copied():
    assert source_of(lambda x: (x * 0.5).sum(), X).endswith("np.full((4, 8), 0.5)\n")


def test_a_title_stands_above_lines_only():
    source = compile(value_and_grad(lambda rate: (1 - rate * 2) ** 2))
    source(0.3)
    lines = [line.strip() for line in source.source.splitlines()]
    assert not [a for a, b in pairwise(lines) if a.startswith("# ") and a != "# backward" and not b]


def test_a_product_is_checked_after_its_bias_unless_that_is_not_finite():
    def loss(w, x, b):
        return tg.relu(x @ w + b).sum()

    step = compile(value_and_grad(loss))
    b = np.zeros(3)
    args = rng.normal(size=(8, 3)), X
    step(*args, b)
    assert "t = x @ w + b" in step.source
    b[0] = -np.inf
    other = compile(value_and_grad(loss))
    other(*args, b)
    assert "t = x @ w  #" in other.source
    other(*args, b)
    assert not other.eager
