"""Optimisers against their textbook formulas, their groups, states and memory, L-BFGS on Rosenbrock, and clipping."""

import tracemalloc
from math import inf

import numpy as np
import pytest

import nn
from nn.optim import LBFGS, SGD, Adagrad, Adam, AdamW, RMSprop
from nn.optim.line_search import C1, C2, Point, strong_wolfe
from tinygrad_edu import GraphError, ShapeError, TinygradError, Value


# Each rule in a few lines: from the numbers w, their gradients and the options, the numbers after as many steps.
def sgd(w, gradients, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    v = None
    for g in gradients:
        g = g + weight_decay * w
        v = g if v is None else momentum * v + (1 - dampening) * g
        w = w - lr * (g + momentum * v if nesterov else v)
    return w


def adagrad(w, gradients, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
    total = initial_accumulator_value
    for t, g in enumerate(gradients):
        g = g + weight_decay * w
        total = total + g * g
        w = w - lr / (1 + t * lr_decay) * g / (np.sqrt(total) + eps)
    return w


def rmsprop(w, gradients, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
    v = mean = u = 0.0
    for g in gradients:
        g = g + weight_decay * w
        v = alpha * v + (1 - alpha) * g * g
        mean = alpha * mean + (1 - alpha) * g
        u = momentum * u + g / (np.sqrt(v - centered * mean**2) + eps)
        w = w - lr * u
    return w


def adam(w, gradients, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, decoupled=False):
    m = v = largest = 0.0
    for t, g in enumerate(gradients, 1):
        if decoupled:
            w = w - lr * weight_decay * w
        else:
            g = g + weight_decay * w
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        largest = np.maximum(largest, v)
        v_hat = (largest if amsgrad else v) / (1 - betas[1] ** t)
        w = w - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v_hat) + eps)
    return w


def adamw(w, gradients, weight_decay=1e-2, **options):
    return adam(w, gradients, weight_decay=weight_decay, decoupled=True, **options)


RULES = [
    (SGD, sgd, {}),
    (SGD, sgd, {"lr": 0.1, "weight_decay": 0.3}),
    (SGD, sgd, {"lr": 0.1, "momentum": 0.9}),
    (SGD, sgd, {"lr": 0.1, "momentum": 0.9, "dampening": 0.4}),
    (SGD, sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (Adagrad, adagrad, {}),
    (Adagrad, adagrad, {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1}),
    (Adagrad, adagrad, {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 0.1}),
    (RMSprop, rmsprop, {}),
    (RMSprop, rmsprop, {"lr": 0.1, "alpha": 0.8, "eps": 0.1, "weight_decay": 0.2}),
    (RMSprop, rmsprop, {"momentum": 0.9}),
    (RMSprop, rmsprop, {"centered": True, "momentum": 0.5}),
    (Adam, adam, {}),
    (Adam, adam, {"lr": 0.1, "betas": (0.5, 0.8), "eps": 0.1}),
    (Adam, adam, {"lr": 0.1, "weight_decay": 0.2}),
    (Adam, adam, {"lr": 0.1, "amsgrad": True}),
    (AdamW, adamw, {"lr": 0.1}),
    (AdamW, adamw, {"lr": 0.1, "weight_decay": 0.2, "amsgrad": True}),
]
LAST = {make: (make, options) for make, _, options in RULES}.values()  # of each class the setting with the most state


def settings(rows):
    return pytest.mark.parametrize("row", rows, ids=lambda row: f"{row[0].__name__}-{row[-1]}")


@pytest.mark.parametrize("shape", [(), (2, 4)])
@settings(RULES)
def test_a_rule_is_its_formula(row, shape):
    make, formula, options = row
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=shape), [rng.normal(size=shape) for _ in range(20)]
    p = Value(np.asfortranarray(start)[()], copy=False) if shape else Value(float(start))
    optimizer = make([p], **options)
    for g in gradients:
        p.grad = g[()]
        optimizer.step()
    assert np.allclose(p.data, formula(start, gradients, **options), rtol=1e-10)
    assert type(p.data) is (np.ndarray if shape else float)
    assert optimizer.steps == 20


@settings(LAST)
def test_steps_keep_dtype_memory_and_gradient_and_skip_what_is_idle_or_frozen(row):
    make, options = row
    p, scalar = Value(np.ones((2, 3), np.float32)), Value(np.float32(1.0))
    idle, frozen = Value(np.ones(2)), Value(np.ones(2))
    memory = p.data
    optimizer = make([p, scalar, idle, frozen], **options)
    frozen.requires_grad, frozen.grad = False, np.ones(2)
    for _ in range(3):
        p.grad, scalar.grad = np.full((2, 3), 0.5, np.float32), np.float32(0.5)
        g = p.grad
        optimizer.step()
        assert np.array_equal(g, np.full((2, 3), 0.5))
    assert p.data is memory
    assert p.data.dtype == scalar.data.dtype == np.float32
    assert (p.data != 1).all()
    assert np.allclose(p.data, scalar.data, rtol=1e-6)
    assert np.array_equal(idle.data, [1, 1])
    assert np.array_equal(frozen.data, [1, 1])
    assert all(array.dtype == np.float32 for array in optimizer.state[p].values() if isinstance(array, np.ndarray))
    optimizer.zero_grad()
    assert p.grad is scalar.grad is frozen.grad is None


@settings(LAST)
def test_no_memory_is_taken_after_the_first_step(row):
    make, options = row
    p = Value(np.ones(100_000))
    optimizer = make([p], **options)
    p.grad = np.ones(100_000)
    optimizer.step()
    buffers = [id(item) for item in optimizer.state[p].values() if isinstance(item, np.ndarray)]
    tracemalloc.start()
    try:
        optimizer.step()
        assert tracemalloc.get_traced_memory()[1] < 20_000  # bytes; one array has 800,000
    finally:
        tracemalloc.stop()
    assert buffers == [id(item) for item in optimizer.state[p].values() if isinstance(item, np.ndarray)]


def regression(seed=0):
    """Parameters, and a closure of a smooth problem in them."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    p = [Value(np.asfortranarray(rng.normal(size=(3, 2))), copy=False), Value(rng.normal(size=2)), Value(0.3)]

    def closure():
        for q in p:
            q.zero_grad()
        error = np.tanh(x @ p[0]) @ p[1] + p[2] - y
        loss = (error * error).mean() + 0.1 * (p[0] * p[0]).sum()
        loss.backward()
        return loss

    return p, closure


@settings([*LAST, (LBFGS, {"max_iter": 3, "line_search_fn": "strong_wolfe"})])
def test_a_saved_state_goes_on_bit_by_bit(row):
    make, options = row
    p, closure = regression()
    optimizer = make([{"params": p[:2]}, {"params": p[2:], "lr": 0.01}] if make is not LBFGS else p, **options)
    for _ in range(4):
        optimizer.step(closure)
    state, numbers = optimizer.state_dict(), [np.array(q.data) for q in p]
    for _ in range(4):
        loss = optimizer.step(closure)

    q, closure = regression()
    for value, number in zip(q, numbers, strict=True):
        value.data = np.asfortranarray(number)[()] if number.ndim else float(number)
    fresh = make([{"params": q[:2]}, {"params": q[2:]}] if make is not LBFGS else q)
    fresh.load_state_dict(state)
    assert fresh.param_groups[-1]["lr"] == optimizer.param_groups[-1]["lr"]
    for _ in range(4):
        again = fresh.step(closure)
    assert again.item() == loss.item()
    assert all(np.array_equal(a.data, b.data) for a, b in zip(p, q, strict=True))
    assert set(state) == {"state", "param_groups"}
    assert state["param_groups"][-1]["params"] == ([2] if make is not LBFGS else [0, 1, 2])


def test_groups_have_options_of_their_own():
    a, b, c = Value(1.0), Value(1.0), Value(1.0)
    optimizer = SGD([{"params": [a]}, {"params": b, "lr": 0.5, "weight_decay": 1.0}], lr=0.1)
    optimizer.add_param_group({"params": [c], "lr": 0.01, "name": "head"})
    assert [next(iter(group)) for group in optimizer.param_groups] == ["params"] * 3
    for p in (a, b, c):
        p.grad = 1.0
    optimizer.step()
    assert (a.data, b.data, c.data) == pytest.approx((0.9, 0.0, 0.99))
    assert optimizer.lr == 0.1
    optimizer.lr = 0.2
    assert [group["lr"] for group in optimizer.param_groups] == [0.2] * 3
    with pytest.raises(TinygradError, match="SGD: got lr=-1, expected a number of at least 0, finite"):
        optimizer.lr = -1


def test_the_closure_comes_first_and_its_loss_comes_back():
    p = Value(3.0)

    def closure():
        p.grad = 2.0
        return p.data

    assert SGD([p], lr=0.5).step(closure) == 3.0
    assert p.data == 2.0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: SGD([]), TinygradError, "SGD: got no parameters"),
        (lambda p: SGD(p), TinygradError, r"got Value, expected several parameters; pass model.parameters\(\)"),
        (lambda p: Adam([p * 2]), GraphError, "expected leaf Values"),
        (lambda p: Adam([np.ones(2)]), GraphError, "expected leaf Values"),
        (lambda p: SGD([p], lr=-0.1), TinygradError, "lr=-0.1, expected a number of at least 0"),
        (lambda p: SGD([p], lr="0.1"), TinygradError, "lr='0.1', expected a number of at least 0"),
        (lambda p: SGD([p], lr=np.nan), TinygradError, "lr=nan"),
        (lambda p: SGD([p], lr=np.inf), TinygradError, "lr=inf, expected a number of at least 0, finite"),
        (lambda p: SGD([{"params": [p], "nesterov": True}]), TinygradError, "momentum=0.0, dampening=0.0, expected a"),
        (
            lambda p: SGD([{"params": [p], "dampening": 0.5}], momentum=0.9, nesterov=True),
            TinygradError,
            "nesterov=True got momentum=0.9, dampening=0.5",
        ),
        (lambda p: SGD([p], momentum=1), TinygradError, r"momentum=1, expected a number in \[0, 1\)"),
        (lambda p: SGD([p], nesterov=True), TinygradError, "momentum=0.0, dampening=0.0, expected a positive momentum"),
        (lambda p: SGD([p], weight_decay=-1), TinygradError, "weight_decay=-1, expected a number of at least 0"),
        (lambda p: RMSprop([p], alpha=1.0), TinygradError, "RMSprop: got alpha=1.0"),
        (lambda p: Adam([p], betas=(0.9, 1.0)), TinygradError, r"betas=\(0.9, 1.0\), expected two numbers"),
        (lambda p: Adam([p], betas=0.9), TinygradError, "betas=0.9, expected two numbers"),
        (lambda p: Adam([p], eps=0), TinygradError, "Adam: got eps=0"),
        (lambda p: AdamW([p], eps=-1), TinygradError, "AdamW: got eps=-1"),
        (lambda p: Adagrad([p], lr_decay=-1), TinygradError, "lr_decay=-1"),
        (lambda p: LBFGS([p], max_iter=0), TinygradError, "max_iter=0, expected a positive integer"),
        (lambda p: LBFGS([p], line_search_fn="armijo"), TinygradError, "expected None or 'strong_wolfe'"),
        (lambda p: LBFGS([{"params": [p]}, {"params": [Value(1.0)]}]), TinygradError, "got a second group"),
        (lambda p: LBFGS([p]).step(), TinygradError, r"step\(\) got no closure"),
        (lambda p: SGD([{"params": [p]}, {"params": [p]}]), TinygradError, "is in two groups"),
        (
            lambda p: SGD([{"params": [p], "momentun": 0.9}]),
            TinygradError,
            r"got options \['momentun'\], expected some of",
        ),
        (lambda p: SGD([{"params": [p], "momentum": 2}]), TinygradError, "momentum=2"),
        (lambda p: SGD([{"lr": 0.1}]), TinygradError, "expected a dict with 'params'"),
        (lambda p: SGD([{"params": 3}]), TinygradError, "got int, expected several parameters"),
        (lambda p: nn.optim.Optimizer([p], {"lr": 1.0}).step(lambda: setattr(p, "grad", 1.0)), TinygradError, "define"),
    ],
)
def test_optimisers_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make(Value(1.0))


def changed(state, path, value):
    for key in path[:-1]:
        state = state[key]
    state[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("param_groups",), [], "got 0 groups, expected 1"),
        (("param_groups", 0, "params"), [0], "group 0 has 1 parameters, expected 2"),
        (("param_groups", 0, "foreach"), True, "group 0 has foreach=True"),
        (("state", 7), {}, "unexpected state of parameter 7"),
        (
            ("state", 0, "exp_avg"),
            np.ones(5),
            r"exp_avg of parameter 0 has shape \(5,\), expected \(2,\); build Adam as",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(path, value, message):
    p = [Value(np.ones(2)), Value(np.ones(3))]
    optimizer = Adam(p, lr=0.1)
    for q in p:
        q.grad = np.ones(q.shape)
    optimizer.step()
    before, state = optimizer.state_dict(), optimizer.state_dict()
    changed(state, path, value)
    with pytest.raises(ShapeError, match=f"load_state_dict: .*{message}"):
        optimizer.load_state_dict(state)
    assert str(optimizer.state_dict()) == str(before)


def test_states_of_other_optimisers_are_refused():
    p, closure = regression()
    with pytest.raises(ShapeError, match="group 0 is missing amsgrad; group 0 is missing betas"):
        Adam(p).load_state_dict(SGD(p).state_dict())
    with pytest.raises(ShapeError, match=r"got \['weight'\], expected 'state' and 'param_groups'"):
        Adam(p).load_state_dict({"weight": 1})
    optimizer = LBFGS(p)
    optimizer.step(closure)
    with pytest.raises(ShapeError, match=r"; d has shape \(9,\), expected \(2,\)"):
        LBFGS(p[1:2]).load_state_dict(
            optimizer.state_dict() | {"param_groups": LBFGS(p[1:2]).state_dict()["param_groups"]}
        )


def test_states_keep_options_that_pytorch_has_and_are_off():
    optimizer = SGD([Value(1.0)], lr=0.5)
    state = optimizer.state_dict()
    state["param_groups"][0] |= {"lr": 0.25, "foreach": None, "maximize": False}
    optimizer.load_state_dict(state)
    assert optimizer.lr == 0.25
    assert "foreach" not in optimizer.param_groups[0]


@pytest.mark.parametrize("make", [Adam, LBFGS])
def test_other_data_than_the_state_was_made_for_is_refused(make):
    model = nn.Linear(3, 2, rng=0)
    optimizer = make(model.parameters())

    def closure():
        model.zero_grad()
        loss = (model(np.ones((4, 3))) ** 2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    model.load_state_dict(model.state_dict())
    optimizer.step(closure)  # other numbers, but as many and of the same type
    model.astype(np.float32)
    with pytest.raises(ShapeError, match="float32.*float64.*give the model to a new optimiser"):
        optimizer.step(closure)


def test_new_memory_of_the_same_kind_is_taken_over():
    p = Value(np.ones(2))
    optimizer = SGD([p], lr=0.1, momentum=0.5)
    for _ in range(2):
        p.data = p.data.copy()
        p.grad = np.ones(2)
        optimizer.step()
    assert np.allclose(p.data, 1 - 0.1 - 0.15)


def test_after_astype_steps_are_computed_in_the_new_dtype():
    model = nn.Linear(2, 1, bias=False, dtype=np.float32, rng=0)
    optimizer = SGD(model.parameters(), lr=0.1)
    model.weight.grad = np.ones((1, 2), np.float32)
    optimizer.step()
    model.astype(np.float64)
    before, model.weight.grad = np.array(model.weight.data), np.full((1, 2), 1 / 3)
    optimizer.step()
    assert model.weight.data == pytest.approx(before - 0.1 / 3, rel=1e-14)


@pytest.mark.parametrize("make", [SGD, LBFGS])
def test_a_graph_from_before_a_step_is_refused(make):
    p = Value(np.ones(2))
    loss = (p * p).sum()
    loss.backward()
    make([p], lr=0.1).step(lambda: loss)
    with pytest.raises(GraphError, match="changed in place"):
        loss.backward()


def test_a_constant_gradient_does_not_break_centered_rmsprop():
    p = Value(np.ones(100, np.float32))
    optimizer = RMSprop([p], alpha=0.5, centered=True)
    for _ in range(50):
        p.grad = np.linspace(0.1, 3, 100, dtype=np.float32)
        optimizer.step()
    assert np.isfinite(p.data).all()


# -- L-BFGS ------------------------------------------------------------------------------------------------------------


def minimise(f, start, steps, dtype=float, **options):
    w = Value(np.array(start, dtype))
    calls = []

    def closure():
        w.zero_grad()
        loss = f(w)
        loss.backward()
        calls.append(loss.item())
        return loss

    optimizer = LBFGS([w], **options)
    for _ in range(steps):
        optimizer.step(closure)
    return w, calls, optimizer


def rosenbrock(w):
    return ((1 - w[:-1]) ** 2 + 100 * (w[1:] - w[:-1] ** 2) ** 2).sum()


@pytest.mark.parametrize(("size", "history"), [(2, 100), (2, 1), (10, 5)])
def test_lbfgs_finds_the_minimum_of_rosenbrock(size, history):
    start = [-1.2, 1.0] * (size // 2)
    w, calls, optimizer = minimise(
        rosenbrock, start, 30, history_size=history, line_search_fn="strong_wolfe", tolerance_change=1e-14
    )
    assert np.allclose(w.data, 1, atol=1e-5)
    assert len(calls) < 400
    assert len(optimizer.state_dict()["state"][0]["old_stps"]) <= history


def test_lbfgs_on_a_quadratic_is_newtons_method_in_as_many_steps_as_dimensions():
    A = np.diag([1.0, 10.0, 100.0])
    w, _, optimizer = minimise(lambda w: w @ A @ w / 2, [1.0, 1.0, 1.0], 1, line_search_fn="strong_wolfe", max_iter=40)
    assert np.allclose(w.data, 0, atol=1e-6)
    state = optimizer.state_dict()["state"][0]
    for s, y, ro in zip(state["old_stps"], state["old_dirs"], state["ro"], strict=True):
        assert np.allclose(y, A @ s)
        assert ro == pytest.approx(1 / (s @ y))


def test_lbfgs_without_a_search_takes_steps_of_lr_and_stays_float32():
    w, calls, optimizer = minimise(lambda w: (w * w).sum(), [3.0, -2.0], 20, np.float32, lr=0.8)
    assert w.data.dtype == np.float32
    assert {array.dtype for array in optimizer.state_dict()["state"][0]["old_stps"]} == {np.dtype(np.float32)}
    assert np.abs(w.data).max() < 1e-4
    first, _, _ = minimise(lambda w: (w * w).sum(), [3.0, -2.0], 1, lr=0.8, max_iter=1)
    assert np.allclose(first.data, np.array([3, -2]) - 0.8 / 10 * np.array([6, -4]))  # lr / |g|₁ along -g at first


# φ(t) and φ'(t), with φ'(0) = -1. The second is barely lower at t = 1, where it is almost flat; the third has a sharp kink.
VALLEYS = [
    lambda t: (t * t / 8 - t, t / 4 - 1),
    lambda t: (-t * (1 - t) ** 2, (1 - t) * (3 * t - 1)) if t < 0.999 else (-1e-6 + (t - 1) ** 2, 2 * (t - 1)),
    lambda t: (-t + 0.011 * np.logaddexp(0, (t - 1) / 0.001), -1 + 11 / (1 + np.exp(min((1 - t) / 0.001, 700)))),
    lambda t: (np.sqrt(26 - 10 * t + t * t), (t - 5) / np.sqrt(26 - 10 * t + t * t)),
]
# Falls ever more steeply, and rises from 0.9 on.
CLIFF = lambda t: (-t - 9 * t**3, -1 - 27 * t * t) if t < 0.9 else (t - 1.8 - 9 * 0.9**3, 1.0)


@pytest.mark.parametrize("first", [1e-3, 0.5, 1.0, 1e4])
@pytest.mark.parametrize("valley", VALLEYS)
def test_accepted_steps_meet_the_wolfe_conditions(valley, first):
    def along(t):
        loss, slope = valley(t)
        return Point(t, loss, np.array([slope]), slope)

    origin = along(0.0)
    point, calls = strong_wolfe(along, origin, first, 1e-12)
    assert point.loss <= origin.loss + C1 * point.t * origin.slope
    assert abs(point.slope) <= C2 * abs(origin.slope)
    assert calls <= 26


@pytest.mark.parametrize(
    ("valley", "first", "shortest", "trials"),
    [
        (VALLEYS[0], 1e-3, 1e-12, [0.001, 0.01, 0.1, 1.0]),
        (VALLEYS[3], 1e4, 1e-12, [10000.0, 1381.872701, 191.953136, 27.70128, 5.427796]),
        (VALLEYS[2], 10.0, 0.4, [10.0, 0.272626, 1.245364, 0.720273, 0.778113, 0.815417, 0.858411]),
        (CLIFF, 0.5, 1.0, [0.5, 2.7525, 1.915699, 1.756796, 1.651862, 1.536676, 1.479232]),
    ],
)  # fmt: skip
def test_the_search_tries_the_steps_that_pytorch_tries(valley, first, shortest, trials):
    """As `_strong_wolfe` in torch 2.13; the last two end with a short stretch."""
    tried = []

    def along(t):
        tried.append(t)
        loss, slope = valley(t)
        return Point(t, loss, np.array([slope]), slope)

    _, calls = strong_wolfe(along, along(0.0), first, shortest)
    assert tried == pytest.approx([0.0, *trials], abs=1e-6)
    assert calls == len(trials)


@pytest.mark.parametrize(
    ("f", "start", "minimum"),
    [(lambda w: (w - np.log(w)).sum(), 2.0, 1.0), (lambda w: (np.exp(w) - 2 * w).sum(), 0.5, np.log(2))],
)
def test_a_search_backs_off_from_where_the_loss_is_not_finite(f, start, minimum):
    with np.errstate(all="ignore"):
        w, calls, _ = minimise(f, [start], 5, lr=1e4, line_search_fn="strong_wolfe")
    assert not np.isfinite(calls[1])
    assert np.isfinite(calls[-1])
    assert np.allclose(w.data, minimum, atol=1e-4)


def test_lbfgs_of_one_iteration_with_a_line_search_moves_if_it_may_evaluate():
    w, _, _ = minimise(rosenbrock, [-1.2, 1.0], 60, max_iter=1, max_eval=25, line_search_fn="strong_wolfe")
    assert np.allclose(w.data, 1, atol=1e-4)
    w, _, _ = minimise(rosenbrock, [-1.2, 1.0], 2, max_iter=1, line_search_fn="strong_wolfe")
    assert w.data.tolist() == [-1.2, 1.0]  # as in PyTorch


def test_lbfgs_stops_at_its_bounds_and_leaves_frozen_and_idle_alone():
    _, calls, optimizer = minimise(rosenbrock, [-1.2, 1.0], 1, max_eval=7, line_search_fn="strong_wolfe")
    assert 7 <= len(calls) <= 8
    assert optimizer.state_dict()["state"][0]["func_evals"] == len(calls)
    p, closure = regression()
    frozen, idle = Value(np.ones(2), requires_grad=False), Value(1.0)
    frozen.grad = np.ones(2)
    optimizer = LBFGS([*p, frozen, idle], max_iter=4)
    first = optimizer.step(closure)
    assert closure().item() < first.item()
    assert np.array_equal(frozen.data, [1, 1])
    assert idle.data == 1.0
    assert type(p[2].data) is float
    single = Value(np.ones(2, np.float32))
    optimizer = LBFGS([single, Value(np.float32(1.0))])
    optimizer.step(lambda: [loss := (single * single).sum(), loss.backward()][0])
    assert optimizer.state_dict()["state"][0]["d"].dtype == np.float32


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_search_that_is_interrupted_leaves_the_parameters(error):
    w, calls = Value(np.array([-1.2, 1.0])), 0
    optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    where = []

    def closure():
        nonlocal calls
        calls += 1
        if calls == 4:
            where.append(np.array(w.data))
            raise error
        optimizer.zero_grad()
        loss = rosenbrock(w)
        loss.backward()
        return loss

    with pytest.raises(error):
        optimizer.step(closure)
    saved = np.array(w.data)
    assert not np.array_equal(saved, where[0])  # not where the search was trying
    calls = 10
    assert closure().item() <= rosenbrock(Value(np.array([-1.2, 1.0]))).item()
    start = optimizer.step(closure).item()
    assert start == rosenbrock(Value(saved)).item()
    assert rosenbrock(w).item() < start  # and it goes on from there


@pytest.mark.parametrize("kind", [Adam, AdamW, RMSprop, Adagrad])
def test_an_eps_that_rounds_to_nothing_is_refused(kind):
    w = Value(np.ones(2, np.float16))
    w.grad = np.array([0.0, 1.0], np.float16)
    with pytest.raises(TinygradError, match=f"{kind.__name__}: got eps=1e-.* and a parameter of float16, expected eps"):
        kind([w]).step()
    kind([w], eps=1e-4).step()
    assert w.data[0] == pytest.approx(1, abs=1e-3)
    assert w.data[1] < 1


# -- Clipping ----------------------------------------------------------------------------------------------------------


def with_gradients(*gradients):
    values = [Value(np.zeros(np.shape(g), np.asarray(g).dtype)[()]) for g in gradients]
    for value, g in zip(values, gradients, strict=True):
        value.grad = g
    return values


@pytest.mark.parametrize(
    ("norm_type", "norm"), [(2.0, 13.0), (1.0, 19.0), (inf, 12.0), (3.0, (27 + 64 + 1728) ** (1 / 3))]
)
def test_clipping_scales_all_gradients_to_the_norm(norm_type, norm):
    a, b, c, idle = values = with_gradients(np.array([3.0, -4.0]), 12.0, np.zeros((2, 2)), None)
    memory = a.grad
    assert nn.utils.clip_grad_norm_(values, 100.0, norm_type) == pytest.approx(norm)
    assert np.array_equal(a.grad, [3, -4])
    assert nn.utils.clip_grad_norm_(iter(values), 1.0, norm_type) == pytest.approx(norm)
    assert a.grad is memory
    assert np.allclose(a.grad, np.array([3, -4]) / (norm + 1e-6))
    assert b.grad == pytest.approx(12 / (norm + 1e-6))
    assert type(b.grad) is float
    assert idle.grad is None
    assert nn.utils.clip_grad_norm_(values, 100.0, norm_type) == pytest.approx(1)


def test_clipping_works_at_extremes_and_refuses_what_is_not_finite():
    huge = np.full(4, 1e30, np.float32)
    (p,) = with_gradients(huge)
    assert nn.utils.clip_grad_norm_(p, 1.0) == pytest.approx(2e30)
    assert np.allclose(p.grad, 0.5)
    assert p.grad.dtype == np.float32
    (p,) = with_gradients(np.full(4, 1e-200))
    assert nn.utils.clip_grad_norm_(p, 1.0) == pytest.approx(2e-200)
    assert nn.utils.clip_grad_norm_([], 1.0) == 0.0
    (p,) = with_gradients(np.array([1.0, np.inf]))
    with pytest.raises(TinygradError, match="the norm is inf"):
        nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert p.grad[0] == 1.0
    assert nn.utils.clip_grad_norm_(p, 1.0) == inf
    assert p.grad[0] == 0.0
    for wrong in ({"max_norm": -1.0}, {"max_norm": 1.0, "norm_type": 0.0}):
        with pytest.raises(TinygradError, match="clip_grad_norm_: got max_norm"):
            nn.utils.clip_grad_norm_(p, **wrong)


def test_clipping_of_recorded_gradients_is_recorded():
    p = Value(np.array([3.0, 4.0]))
    (p * p).sum().backward(create_graph=True)
    nn.utils.clip_grad_norm_(p, 1.0)
    assert np.allclose(p.grad.data, np.array([0.6, 0.8]), rtol=1e-6)
    p.grad.sum().backward()


def test_clipping_values():
    a, b, idle = values = with_gradients(np.array([3.0, -4.0, 0.5]), -12.0, None)
    memory = a.grad
    nn.utils.clip_grad_value_(values, 1.0)
    assert a.grad is memory
    assert np.array_equal(a.grad, [1, -1, 0.5])
    assert b.grad == -1.0
    assert type(b.grad) is float
    with pytest.raises(TinygradError, match="clip_value=-1"):
        nn.utils.clip_grad_value_(values, -1)


def test_lbfgs_goes_on_while_any_number_changes():
    """A parameter without influence does not move, which is no reason to stop: as if it were not there."""

    def minimum(*extra):
        w = Value(np.array([3.0, -2.0]))
        optimizer = LBFGS([w, *extra], line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            loss = ((w - 1.0) ** 4).sum() + (w[0] * w[1]) ** 2 + sum((0.0 * x).sum() for x in extra)
            loss.backward()
            return loss

        optimizer.step(closure)
        return w.data, optimizer.state_dict()["state"][0]["n_iter"]

    alone, iterations = minimum()
    beside, more = minimum(Value(np.array([5.0])))
    assert iterations == more > 3
    assert np.allclose(alone, beside, rtol=1e-12)


# -- Shared parameters and sets ------------------------------------------------------------------------------------------


def test_a_parameter_that_models_share_counts_once_in_clipping():
    one, two = nn.Linear(4, 4, bias=False, rng=0), nn.Linear(4, 4, bias=False, rng=1)
    two.weight = one.weight
    shared = [*one.parameters(), *two.parameters()]
    one.weight.grad = np.full((4, 4), 3.0)
    assert nn.utils.clip_grad_norm_(shared, 1.0) == pytest.approx(12.0)
    assert np.linalg.norm(one.weight.grad) == pytest.approx(1.0, rel=1e-6)
    one.weight.grad = np.full((4, 4), 3.0)
    assert nn.utils.clip_grad_norm_(iter(shared), 1.0, norm_type=1.0) == pytest.approx(48.0)
    nn.utils.clip_grad_value_(shared, 0.01)
    assert np.all(one.weight.grad == 0.01)
    assert len(SGD(shared).state) == 1


@pytest.mark.parametrize("kind", [set, frozenset])
@pytest.mark.parametrize(
    "use",
    [
        SGD,
        Adam,
        LBFGS,
        lambda p: SGD([{"params": p}]),
        lambda p: SGD([Value(1.0)]).add_param_group({"params": p}),
        lambda p: nn.utils.clip_grad_norm_(p, 1.0),
        lambda p: nn.utils.clip_grad_value_(p, 1.0),
    ],
)
def test_sets_of_parameters_are_refused(use, kind):
    with pytest.raises(
        TinygradError, match=rf"got a {kind.__name__} of parameters, whose order changes.*expected a list"
    ):
        use(kind(nn.Linear(2, 2, rng=0).parameters()))
