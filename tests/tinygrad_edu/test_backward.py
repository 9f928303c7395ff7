"""backward: accumulation, release, hooks, threads, second order, and graphs of any size."""

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import nn
import tinygrad_edu as tg
from tinygrad_edu import DTypeError, GraphError, ShapeError, Value, concatenate, exp, no_grad, stack, tanh
from tinygrad_edu.testing import numerical_gradient
from tinygrad_edu.testing.strategies import expressions


def test_micrograd_readme_expression():
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g:.4f} {a.grad:.4f} {b.grad:.4f}" == "24.7041 138.8338 645.5773"


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(expressions())
def test_random_expressions_with_sharing(expression):
    values = [Value(x) for x in expression.inputs]
    y = expression(*values)
    y = y.sum() if y.shape else y
    raw = expression(*expression.inputs)
    assert np.array_equal(y.data, np.sum(raw) if np.shape(raw) else raw) or np.isclose(
        y.item(), np.sum(raw), rtol=1e-14
    )
    if not y.requires_grad:
        return
    y.backward()
    for i, v in enumerate(values):
        expected = numerical_gradient(lambda *xs: np.sum(expression(*xs)), *expression.inputs, argnum=i)
        got = np.zeros(v.shape) if v.grad is None else v.grad
        assert np.all(
            np.abs(got - expected.value) <= 20 * expected.error + 1e-7 * np.max(np.abs(expected.value), initial=1.0)
        )


def test_leaves_accumulate_and_interiors_are_fresh():
    x = Value(3.0)
    y = x * x
    z = y * 2
    z.backward()
    z.backward()
    assert x.grad == 24.0
    assert y.grad == 2.0
    x.zero_grad()
    assert x.grad is None


def test_gradient_of_a_reused_value():
    x = Value(2.0)
    y = x * 3
    (y * y + y).backward()
    assert y.grad == 13.0
    assert x.grad == 39.0


def test_micrograd_style_zeroing_by_hand():
    x = Value(2.0)
    x.grad = 0
    (x * x).backward()
    assert x.grad == 4.0
    x.data -= 0.1 * x.grad
    assert x.data == pytest.approx(1.6)


def test_chain_of_a_million_operations():
    x = Value(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 0.0
    y.backward(retain_graph=False)
    assert x.grad == 1.0
    y = x
    for _ in range(1_000_000):
        y = y * 1.0
    y.backward()
    assert x.grad == 2.0
    alive = weakref.ref(y)
    del y
    assert alive() is None


def test_fan_in_of_100_000():
    x = Value(1.0)
    total = Value(0.0)
    for _ in range(100_000):
        total = total + x * 2.0
    total.backward()
    assert x.grad == 200_000.0
    v = Value(np.ones(3))
    stack([v] * 10_000).sum().backward()
    assert np.array_equal(v.grad, np.full(3, 10_000.0))


def test_no_graph_outlives_its_last_reference():
    gc.disable()
    try:
        x = Value(np.ones(3))
        y = tanh(x * 2.0 + 1.0)
        z = concatenate([y, x]).sum()
        z.backward()
        refs = [weakref.ref(v) for v in (y, z)]
        del y, z
        assert [r() for r in refs] == [None, None]
    finally:
        gc.enable()


def test_retain_graph_false_frees_the_graph():
    x = Value(np.ones(4))
    y = exp(x)
    alive = weakref.ref(y)
    z = (y * 2.0).sum()
    del y
    z.backward(retain_graph=False)
    assert alive() is None
    assert z.inputs == ()
    assert z.grad_fn.name == "sum"
    assert z.grad is None
    assert z.why_no_grad().startswith("released")
    assert np.allclose(x.grad, 2 * np.e)
    with pytest.raises(GraphError, match=r"inputs of <op sum> were released .* retain_graph=True"):
        z.backward()


def test_backward_through_a_released_part_is_refused():
    x = Value(2.0)
    y = x * x
    (y + 1).backward(retain_graph=False)
    with pytest.raises(GraphError, match="released"):
        (y * 3).backward()


def test_in_place_step_on_a_retained_graph_is_an_error():
    w = Value(np.ones(3), name="w")
    loss = (w * w).sum()
    loss.backward()
    optimizer = nn.optim.SGD([w], lr=0.1)
    optimizer.step()
    before = w.grad.copy()
    with pytest.raises(GraphError, match=r"leaf 'w' of shape \(3,\) was changed in place after <op multiply>"):
        loss.backward()
    assert np.array_equal(w.grad, before)
    again = (w * w).sum()
    again.backward()
    with pytest.raises(GraphError, match="changed in place"):
        (loss + again).backward()


def test_in_place_step_is_detected_in_deep_graphs():
    w, x = Value(2.0), Value(1.0)
    deep = x
    for _ in range(50):
        deep = deep + 1.0
    y = deep * w
    w.data = 3.0
    w.mark_changed()
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()
    (deep * w).backward()
    assert w.grad == 51.0


def test_mark_changed_requires_a_leaf():
    with pytest.raises(GraphError, match="only leaves"):
        (Value(1.0) * 2).mark_changed()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: (Value(np.ones(3)) * 2).backward(), r"shape \(3,\), so pass gradient="),
        (lambda: (Value(np.ones(3)) * 2).backward(np.ones(4)), r"gradient= has shape \(4,\).*\(3,\)"),
        (lambda: (Value(1.0) * 2).backward(np.ones(1)), r"gradient= has shape \(1,\)"),
    ],
)
def test_wrong_seeds(make, message):
    with pytest.raises(ShapeError, match=message):
        make()


def test_seed_is_optional_for_a_single_number():
    x = Value(np.ones((1, 1)))
    (x * 3).backward()
    assert np.array_equal(x.grad, [[3.0]])


def test_seeds_of_other_kinds():
    x = Value(np.ones(3))
    (x * 2).backward([1, 2, 3])
    assert np.array_equal(x.grad, [2.0, 4.0, 6.0])
    x.zero_grad()
    (x * 2).backward(Value(np.ones(3)))
    assert np.array_equal(x.grad, [2.0, 2.0, 2.0])


@pytest.mark.parametrize(
    ("a", "seed"), [(2.0, 3.0), (np.array([1.0, 2.0, 3.0]), np.array([0.5, -2.0, 4.0]))], ids=["scalar", "array"]
)
def test_a_gradient_depends_on_a_seed_that_is_a_value(a, seed):
    """Of y = a³ the gradient is g = 3a²s, so that of Σg² by s is 18a⁴s, and by a 36a³s²."""
    x, s = Value(a), Value(seed)
    (x**3).backward(s, create_graph=True)
    g = x.grad
    assert isinstance(g, Value)
    assert np.allclose(g.data, 3 * a**2 * seed)
    assert s.grad is None  # a seed is no input of y
    x.zero_grad()
    (g * g).sum().backward()
    assert np.allclose(s.grad, 18 * a**4 * seed)
    assert np.allclose(x.grad, 36 * a**3 * seed**2)


def test_a_seed_that_is_a_value_is_plain_numbers_without_create_graph():
    x, s = Value(np.array([1.0, 2.0])), Value(np.array([3.0, 4.0]))
    (x * x).backward(s)
    assert type(x.grad) is np.ndarray
    assert np.array_equal(x.grad, [6.0, 16.0])
    assert s.grad is None


def test_backward_without_gradient_is_refused():
    for make in (lambda: Value(1.0, requires_grad=False) * 2, lambda: Value(1.0).detach() * 2):
        with pytest.raises(GraphError, match="does not require grad"):
            make().backward()
    with pytest.raises(GraphError, match="create_graph=True needs"):
        Value(1.0).backward(retain_graph=False, create_graph=True)


def test_backward_on_a_leaf():
    x = Value(np.zeros(2))
    seed = np.ones(2)
    x.backward(seed)
    assert np.array_equal(x.grad, [1.0, 1.0])
    assert x.grad is not seed


def test_gradients_of_leaves_have_their_own_memory():
    a, b = Value(np.ones(2)), Value(np.ones(2))
    y = a + b
    y.sum().backward()
    a.grad *= 5
    assert np.array_equal(b.grad, [1.0, 1.0])
    assert np.array_equal(y.grad, [1.0, 1.0])
    c, d = Value(np.ones((2, 3))), Value(np.ones((3, 2)))
    (c.T + d).sum().backward()
    c.grad *= 5
    assert np.array_equal(d.grad, np.ones((3, 2)))
    seed = np.ones((3, 2))
    e = Value(np.ones((2, 3)))
    (e.T * 1.0).backward(seed)
    e.T.backward(seed)
    e.grad *= 5
    assert np.array_equal(seed, np.ones((3, 2)))


# -- Hooks -------------------------------------------------------------------------------------------------------------


def test_hooks_receive_the_complete_gradient():
    x = Value(2.0)
    seen = []
    remove = x.register_hook(seen.append)
    y = x * 3
    z = y + y * x
    z.backward()
    z.backward()
    assert seen == [15.0, 15.0]
    remove()
    z.backward()
    assert len(seen) == 2


def test_hook_replaces_the_propagated_gradient():
    x = Value(np.ones(2))
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    assert np.array_equal(y.grad, [10.0, 10.0])
    assert np.array_equal(x.grad, [20.0, 20.0])
    y.register_hook(lambda g: np.ones(3))
    with pytest.raises(ShapeError, match="hook: returned a gradient of shape"):
        y.sum().backward()


# -- Higher order ------------------------------------------------------------------------------------------------------


def test_derivatives_of_any_order():
    x = Value(2.0)
    y = x**5
    expected = [80.0, 160.0, 240.0, 240.0, 120.0]
    for value in expected:
        x.zero_grad()
        y.backward(create_graph=True)
        y = x.grad
        assert y.item() == value
    assert isinstance(x.grad, Value)


def test_create_graph_gives_gradients_to_leaves_only():
    x = Value(2.0)
    y = x * x
    (y * x).backward(create_graph=True)
    assert y.grad is None
    assert x.grad.item() == 12.0


def test_constant_gradient_is_a_value():
    x = Value(np.ones(2))
    (x + 1.0).sum().backward(create_graph=True)
    assert isinstance(x.grad, Value)
    assert np.array_equal((x.grad * 2).data, [2.0, 2.0])


# -- no_grad -----------------------------------------------------------------------------------------------------------


def test_no_grad_records_nothing():
    x = Value(2.0)
    with no_grad():
        y = x * x
    assert (y.inputs, y.grad_fn, y.requires_grad) == ((), None, False)
    assert (x * x).requires_grad

    @no_grad()
    def f(v):
        return v * 2

    assert not f(x).requires_grad


def test_no_grad_is_per_thread():
    x, found = Value(2.0), []
    with no_grad():
        thread = threading.Thread(target=lambda: found.append((x * x).requires_grad))
        thread.start()
        thread.join()
    assert found == [True]


def test_no_grad_is_per_task():
    x = Value(2.0)

    async def off(entered, leave):
        with no_grad():
            entered.set()
            await leave.wait()
            return (x * x).requires_grad

    async def main():
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(off(entered, leave))
        await entered.wait()
        here = (x * x).requires_grad
        leave.set()
        return here, await task

    # In a thread, since Playwright leaves a running loop in the main one once a browser test has run.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, main()).result() == (True, False)


def test_separate_graphs_in_separate_threads():
    def work(results, n):
        x = Value(float(n))
        y = x
        for _ in range(2000):
            y = y * 1.0 + x
        y.backward()
        results[n] = x.grad

    results = {}
    threads = [threading.Thread(target=work, args=(results, n)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == dict.fromkeys(range(4), 2001.0)


# -- why_no_grad -------------------------------------------------------------------------------------------------------


def test_every_missing_gradient_has_a_reason():
    x, other = Value(1.0), Value(1.0)
    y = x * 2
    assert Value(1.0, requires_grad=False).why_no_grad().startswith("not required")
    assert x.why_no_grad().startswith("backward has not run")
    y.backward()
    assert x.why_no_grad() == "it has a gradient"
    assert other.why_no_grad(y).startswith("not on the path")


# -- What reviewers broke ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [((0, 0),), ([0, 0],), (range(1), 0), np.array([0, 0]), (np.array([0, 0]),)])
def test_gradients_of_repeated_indices_add_up(index):
    v = Value(np.zeros((2, 2)))
    part = v[index]
    part.sum().backward()
    expected = np.zeros((2, 2))
    np.add.at(expected, index, 1.0)
    assert np.array_equal(v.grad, expected)


def test_updates_of_integer_arrays_do_not_truncate():
    v = Value(0.5)
    y = tg.at(np.array([1, 2, 3]), 0).set(v)
    assert np.array_equal(y.data, [0.5, 2.0, 3.0])
    assert np.array_equal(tg.at([1, 2], 0).add(v).data, [1.5, 2.0])


def test_integer_leaves_are_refused():
    with pytest.raises(DTypeError, match="astype: got int64"):
        Value([1.5]).astype(int)
    v = Value(np.arange(3), requires_grad=False)
    with pytest.raises(DTypeError, match="requires_grad: the data is int64"):
        v.requires_grad = True
    x = Value([1.0, 2.0])
    with pytest.raises(DTypeError, match="data: got an array of dtype int64"):
        x.data = np.array([1, 2])
    s = Value(1.0)
    s.data = 5
    assert type(s.data) is float


def test_list_seed_of_a_scalar_is_refused():
    with pytest.raises(ShapeError, match=r"gradient= has shape \(3,\)"):
        (Value(1.0) * 2).backward([1.0, 2.0, 3.0])


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32])
def test_narrow_integers_do_not_overflow(dtype):
    x = Value(1.0)
    tg.arctan2(np.array([100], dtype), x).sum().backward()
    assert x.grad == pytest.approx(-100 / 10001)
    v = Value(np.array([100.0]))
    (v ** np.array([0], dtype)).sum().backward()
    assert v.grad[0] == 0.0
    assert tg.sigmoid(np.array([3], dtype))[0] == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert tg.norm(np.array([100, 100], dtype)) == pytest.approx(np.sqrt(20000.0))
    assert (Value(np.ones(2, np.float32)) * np.array([1, 2], np.uint8)).dtype == np.float32


def test_cross_entropy_checks_its_labels():
    for labels, error in (([-1, 1], ShapeError), ([0], ShapeError), ([True, False], DTypeError)):
        with pytest.raises(error, match="cross_entropy: "):
            tg.cross_entropy(Value(np.ones((2, 3))), labels)
    x = Value(np.zeros((2, 2)))
    tg.cross_entropy(x, [0, 1]).backward()
    assert np.array_equal(x.grad, [[-0.25, 0.25], [0.25, -0.25]])


def test_shares_are_summed_and_broadcast():
    a, b = np.ones((2, 1, 2, 1, 3)), np.ones((1, 1, 3, 3, 1))
    x = Value(a)
    tg.einsum("kij...,ij...l", x, b).sum().backward()
    assert x.grad.shape == a.shape


def test_hooks_keep_dtype_and_memory():
    x = Value(np.ones(2, np.float32))
    x.register_hook(lambda g: np.array([3, 4]))
    (x * 2).sum().backward()
    assert x.grad.dtype == np.float32
    y, z, shared = Value(np.ones(2)), Value(np.ones(2)), np.ones(2)
    for v in (y, z):
        v.register_hook(lambda g: shared)
    (y + z).sum().backward()
    y.grad *= 5
    assert np.array_equal(z.grad, [1.0, 1.0])
    s = Value(1.0)
    s.register_hook(lambda g: Value(7.0))
    (s * 2).backward()
    assert s.grad == 7.0
    assert type(s.grad) is float


def test_freezing_a_leaf_after_use():
    x = Value(2.0)
    y = exp(x)
    x.requires_grad = False
    y.backward()
    assert x.grad is None
    w = Value(2.0)
    old = w * w
    w.mark_changed()
    w.requires_grad = False
    w.requires_grad = True
    with pytest.raises(GraphError, match="changed in place"):
        old.backward()


def test_reductions_of_scalars_and_with_numpy_axes():
    v = Value(1.5)
    for f in (tg.sum, tg.max, tg.mean):
        v.zero_grad()
        f(v, axis=0).backward()
        assert v.grad == 1.0
    x = Value(np.ones((2, 3)))
    x.mean(axis=np.int64(0)).sum().backward()
    assert np.allclose(x.grad, 0.5)
    assert tg.logsumexp(np.array([2, 1])) == pytest.approx(np.log(np.exp(2) + np.exp(1)))


@pytest.mark.parametrize("data", [2.0, np.ones(3)], ids=["number", "array"])
def test_why_no_grad_knows_a_value_by_identity_not_by_its_number(data):
    x, other = Value(data), Value(data)
    y = (x * 1.0).sum()
    y.backward()
    assert other.why_no_grad(y) == "not on the path: the output was not computed from it"


def test_why_no_grad_answers_even_for_a_released_output():
    x, other = Value(2.0), Value(1.0)
    y = x * x
    y.backward(retain_graph=False)
    assert "released" in other.why_no_grad(y)
