"""checkpoint: the same results and gradients of every order, less memory, and a clear error where f is not repeatable."""

import gc
import tracemalloc

import numpy as np
import pytest

from tinygrad_edu import GraphError, Value, checkpoint, exp, grad, hessian, hvp, no_grad, tanh

X = np.array([0.5, -1.0, 2.0])
W = Value(np.array([1.5, -0.5, 1.0]))


def layer(x, scale=1.0):
    return tanh(x * W) ** 2 * scale + x


def two_results(x):
    h = exp(x * W)
    return {"h": h, "rest": [h.sum(), 3.0, x]}


def joined(results):
    return (results["h"] * X).sum() * results["rest"][0] + (results["rest"][2] * W).sum()


FUNCTIONS = {
    "one result": (layer, lambda y: (y * y).sum()),
    "a tree of results": (two_results, joined),
    "its argument": (lambda x: x, lambda y: (y * y).sum()),
    "a Value from outside": (lambda x: (W, x * 2), lambda y: (y[0] * y[1]).sum()),
    "no result of its own": (lambda x: W * 2, lambda y: (y * X).sum()),
}
each = pytest.mark.parametrize("name", FUNCTIONS)


@each
def test_backward_is_the_same(name):
    f, loss = FUNCTIONS[name]
    found = []
    for g in (f, checkpoint(f)):
        x = Value(X)
        W.zero_grad()
        y = loss(g(x * 1.0))
        y.backward()
        found.append((y.data, x.grad, W.grad))
    for plain, checkpointed in zip(*found, strict=True):
        assert (plain is None and checkpointed is None) or np.allclose(plain, checkpointed, rtol=1e-13)


@each
def test_higher_orders_are_the_same(name):
    f, loss = FUNCTIONS[name]
    if name == "no result of its own":
        return
    plain = lambda x: loss(f(x))
    checkpointed = lambda x: loss(checkpoint(f)(x))
    with no_grad():  # W is a constant here
        for a, b in ((grad(plain)(X), grad(checkpointed)(X)), (hessian(plain)(X), hessian(checkpointed)(X))):
            assert np.allclose(a, b, rtol=1e-12)
        assert np.allclose(hvp(plain, (X,), (X,)), hvp(checkpointed, (X,), (X,)), rtol=1e-12)


def test_checkpoints_nest_and_repeat():
    inner = checkpoint(layer)
    outer = checkpoint(lambda x: inner(inner(x), scale=2.0))
    plain, nested = Value(X), Value(X)
    layer(layer(plain), scale=2.0).sum().backward()
    outer(nested).sum().backward()
    assert np.allclose(plain.grad, nested.grad)
    y = outer(nested).sum()
    nested.zero_grad()
    y.backward()
    y.backward()
    assert np.allclose(2 * plain.grad, nested.grad)


def test_the_same_argument_twice_and_in_the_closure():
    x = Value(3.0)
    checkpoint(lambda a, b: a * b * x)(x, x).backward()
    assert x.grad == 27.0


def test_keyword_arguments_trees_and_no_grad():
    f = checkpoint(lambda p, *, k: p["a"] * k + p["b"][0])
    a, b, k = Value(2.0), Value(5.0), Value(3.0)
    f({"a": a, "b": [b]}, k=k).backward()
    assert (a.grad, b.grad, k.grad) == (3.0, 1.0, 2.0)
    with no_grad():
        assert not f({"a": a, "b": [b]}, k=k).requires_grad
    assert f({"a": 2.0, "b": [5.0]}, k=3.0) == 11.0


def test_nondeterministic_function_is_refused():
    rng = np.random.default_rng(0)
    y = checkpoint(lambda x: x * rng.standard_normal(3))(Value(X)).sum()
    with pytest.raises(GraphError, match="checkpoint: f returned other results.*random"):
        y.backward()


def test_weight_changed_before_backward_is_refused():
    w = Value(np.ones(3))
    y = checkpoint(lambda x: x * w)(Value(X)).sum()
    w.data += 1
    w.mark_changed()
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_checkpoint_saves_memory():
    def chain(f):
        y = Value(np.ones(10_000))
        for _ in range(10):
            y = f(y)
        return y

    def long(x):
        for _ in range(10):
            x = tanh(x) * 1.1
        return x

    kept = []
    for f in (long, checkpoint(long)):
        gc.collect()
        tracemalloc.start()
        y = chain(f)
        kept.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        y.sum().backward()
    assert kept[1] < kept[0] / 10


def test_computed_values_from_outside_get_their_gradients_once():
    x = Value(2.0)
    h = x * x
    checkpoint(lambda a: a * h)(Value(3.0)).backward(retain_graph=False)
    assert x.grad == 12.0

    def f(x):
        h = x * x
        return checkpoint(lambda b: b * h)(x)

    assert grad(f)(2.0) == 12.0
    x = Value(2.0)
    h1 = x * x
    h2 = h1 * 3.0
    checkpoint(lambda a: a * h1 * h2)(Value(1.0)).backward(create_graph=True)
    assert x.grad.item() == 96.0


def test_results_keep_their_dtypes():
    f = checkpoint(lambda x, k: (x * 2, k * k, x.sum()))
    x, k = Value(np.ones(2, np.float32)), Value(2.0)
    y = f(x, k)
    assert [v.dtype for v in y] == [np.float32, float, np.float32]
    (y[0].sum() * y[1] * y[2]).backward()
    assert x.grad.dtype == np.float32
    assert k.grad == 2 * 2.0 * 4.0 * 2.0
