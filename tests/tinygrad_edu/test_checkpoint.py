"""checkpoint: the same results and gradients of every order, less memory, and a clear error where f is not repeatable."""

import gc
import tracemalloc
import weakref
from contextlib import suppress

import numpy as np
import pytest

import nn
from tinygrad_edu import GraphError, UnreadableError, Value, checkpoint, dropout, exp, grad, hessian, hvp, no_grad, tanh
from tinygrad_edu.reading import operands_read

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


# -- Memory: nothing outlives its graph --------------------------------------------------------------------------------


def objects_after(step, times):
    """The number of objects and of bytes after so many steps, once the first ones have filled every cache."""
    for _ in range(5):
        step()
    gc.collect()
    tracemalloc.start()
    before = len(gc.get_objects())
    for _ in range(times):
        step()
    gc.collect()
    grown = len(gc.get_objects()) - before, tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return grown


@pytest.mark.parametrize("retain", [True, False])
@pytest.mark.parametrize("fresh", [True, False])
def test_a_thousand_steps_leave_nothing_behind(fresh, retain):
    """A call makes an operation of its own, which holds its arguments: no cache may keep it."""
    w = Value(np.ones(1000))
    once = checkpoint(lambda w: tanh(w * 2.0).sum())

    def step():
        w.zero_grad()
        batch = np.ones(1000)
        f = checkpoint(lambda w: tanh(w * batch).sum()) if fresh else once
        f(w).backward(retain_graph=retain)

    objects, size = objects_after(step, 1000)
    assert objects < 20
    assert size < 100_000  # 1000 batches would be 8 MB


def test_looking_at_an_operation_does_not_keep_it():
    import viz

    def look(draw):
        x = Value(np.ones(1000), name="x")
        y = checkpoint(lambda x, w, batch: (x * w * batch).sum())(x, Value(2.0), np.ones(1000))
        with suppress(UnreadableError):  # it has no samples
            operands_read(y.grad_fn)
        if draw:
            viz.graph(y).dot()
        return weakref.ref(y.grad_fn)

    for draw in (False, True):
        kept = look(draw)
        gc.collect()
        assert kept() is None


# -- Snapshots ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3, 100_000])
def test_arguments_may_change_after_the_call(size):
    """Also where the results stay the same, so that running f again would not notice."""

    def f(x, tree, *, scale):
        return x * tree["a"] * scale[0] + x * 0.0

    a, scale, x = np.full(size, 2.0), [np.full(size, 3.0)], Value(np.zeros(size))  # 0 times anything
    constant = Value(np.full(size, 5.0), requires_grad=False, copy=False)
    tree = {"a": a}
    y = checkpoint(lambda x, tree, c, *, scale: f(x, tree, scale=scale) * c)(x, tree, constant, scale=scale)
    a[:] = 7
    scale[0][:] = 7
    scale.append("more")
    tree["b"] = None
    constant.data[:] = 7
    y.sum().backward()
    assert np.array_equal(x.grad, np.full(size, 30.0))


def test_the_memory_of_a_leaf_may_change_after_the_call():
    a = np.array([1.0, 2.0])
    x = Value(a, copy=False)
    y = checkpoint(lambda x: (x**3).sum())(x)
    a[:] = 100
    y.backward(create_graph=True)
    slope = x.grad
    assert slope.data.tolist() == [3, 12]
    x.zero_grad()
    slope.sum().backward()


def test_the_arguments_are_the_callers_own_inside_f():
    """f sees copies of arrays: what it writes into them does not reach the caller."""
    a = np.ones(2)

    def f(x, a):
        y = x * a
        a[:] = 1.0
        return y.sum()

    checkpoint(f)(Value(np.ones(2)), a).backward()
    assert a.tolist() == [1, 1]


# -- Random numbers ----------------------------------------------------------------------------------------------------


def states(*generators):
    return [g.bit_generator.state for g in generators]


@pytest.mark.parametrize("order", [1, 2])
def test_dropout_draws_the_same_mask_again_and_its_generator_advances_once(order):
    found = []
    for wrap in (lambda f: f, checkpoint):
        rng = np.random.default_rng(0)
        f = wrap(lambda x, rng=rng: (dropout(x * W, rng=rng) ** 3).sum())
        x = Value(X)
        total = f(x) + f(x)  # two masks
        after = rng.random()
        total.backward(create_graph=True)
        g = x.grad
        if order == 2:
            x.zero_grad()
            W.zero_grad()
            g.sum().backward()
            g = x.grad
        found.append((total.data, np.asarray(g.data if order == 1 else g), after, rng.random()))
    assert np.array_equal(found[0][1], found[1][1])
    assert found[0][0] == found[1][0]
    assert found[0][2:] == found[1][2:]


def test_a_dropout_layer_in_a_checkpointed_model():
    found = []
    for wrap in (lambda f: f, checkpoint):
        net = nn.Sequential(
            nn.Linear(3, 8, rng=0), nn.Dropout(0.5, rng=1), nn.Tanh(), nn.Dropout(0.25, rng=2), nn.Linear(8, 1, rng=3)
        )
        x = Value(np.random.default_rng(4).standard_normal((5, 3)))
        y = wrap(net)(x)
        y.sum().backward()
        y = wrap(net)(x)
        y.sum().backward()
        found.append([x.grad, *[p.grad for p in net.parameters()], net(x).data])
    for plain, checkpointed in zip(*found, strict=True):
        assert np.array_equal(plain, checkpointed)


def test_two_backward_passes_and_draws_in_between():
    rng = np.random.default_rng(0)
    x = Value(np.ones(50))
    y = checkpoint(lambda x: dropout(x, rng=rng))(x)
    mask = y.data.copy()
    rng.random(7)
    before = states(rng)
    for _ in range(2):
        x.zero_grad()
        y.sum().backward()
        assert np.array_equal(x.grad, mask)
        assert states(rng) == before


def test_nested_checkpoints_draw_the_same_masks():
    found = []
    for wrap in (lambda f: f, checkpoint):
        rng = np.random.default_rng(0)
        inner = wrap(lambda x, rng=rng: dropout(tanh(x), rng=rng))
        outer = wrap(lambda x, inner=inner: inner(inner(x) * 2.0).sum())
        x = Value(np.linspace(-1, 1, 40))
        outer(x).backward()
        found.append((x.grad, rng.random()))
    assert np.array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


def test_a_generator_among_the_arguments_draws_the_same_numbers_again():
    rng = np.random.default_rng(0)
    x = Value(X)
    y = checkpoint(lambda x, rng: x * rng.standard_normal(3))(x, rng)
    noise = np.random.default_rng(0).standard_normal(3)
    before = states(rng)
    y.sum().backward()
    assert np.array_equal(x.grad, noise)
    assert states(rng) == before


def test_a_generator_returns_to_its_state_when_f_fails():
    rng = np.random.default_rng(0)
    calls = []

    def f(x):
        calls.append(None)
        y = dropout(x, rng=rng)
        if len(calls) == 2:
            raise ValueError("the second time")
        return y.sum()

    y = checkpoint(f)(Value(X))
    before = states(rng)
    with pytest.raises(ValueError, match="the second time"):
        y.backward()
    assert states(rng) == before


def test_a_seed_and_evaluation_mode_are_as_without_a_checkpoint():
    x = Value(X)
    y = checkpoint(lambda x: dropout(x, rng=3) + dropout(x, training=False))(x)
    assert np.array_equal(y.data, dropout(X, rng=3) + X)
    y.sum().backward()
    assert np.array_equal(x.grad, dropout(np.ones(3), rng=3) + 1)
