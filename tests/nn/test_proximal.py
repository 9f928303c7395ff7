"""Exact zeros by l1=, against scikit-learn's Lasso and elastic net; maximize=; learning rates of 0."""

import numpy as np
import pytest

import nn
from nn import functional
from nn.optim import LBFGS, SGD, Adagrad, Adam, AdamW, RMSprop
from tinygrad_edu import TinygradError, Value

MAKE = {
    "SGD": lambda p, **options: SGD(p, lr=0.2, **options),
    "momentum": lambda p, **options: SGD(p, lr=0.05, momentum=0.9, **options),
    "dampening": lambda p, **options: SGD(p, lr=0.2, momentum=0.5, dampening=0.3, **options),
    "Nesterov": lambda p, **options: SGD(p, lr=0.05, momentum=0.9, nesterov=True, **options),
    "Adam": lambda p, **options: Adam(p, lr=0.01, **options),
    "AMSGrad": lambda p, **options: Adam(p, lr=0.02, amsgrad=True, **options),
    "AdamW": lambda p, **options: AdamW(p, lr=0.01, **({"weight_decay": 0.0} | options)),
}


def problem(seed, n=40, d=12):
    """Centred inputs, and targets that four of them explain."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    x -= x.mean(0)
    w = np.zeros(d)
    w[:4] = 2 * rng.standard_normal(4)
    return x, x @ w + 0.3 * rng.standard_normal(n)


def minimised(make, x, y, start=0.0, steps=2500, dtype=float, **options):
    w = Value(np.full(x.shape[1], start, dtype))
    optimizer = make([w], **options)
    for _ in range(steps):
        w.grad = (x.T @ (x @ w.data - y) / len(y)).astype(dtype)
        optimizer.step()
    return w.data


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.5])
def test_l1_finds_the_zeros_and_the_numbers_of_lasso(name, alpha):
    linear_model = pytest.importorskip("sklearn.linear_model")
    for seed, start in ((0, 0.0), (1, 3.0)):
        x, y = problem(seed)
        lasso = linear_model.Lasso(alpha=alpha, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(x, y).coef_
        w = minimised(MAKE[name], x, y, start, l1=alpha)
        assert np.array_equal(w == 0, lasso == 0)
        assert w == pytest.approx(lasso, abs=1e-6)
        assert not np.signbit(w[w == 0]).any()


@pytest.mark.parametrize("name", ["SGD", "momentum", "Nesterov", "Adam"])
def test_l1_with_weight_decay_is_the_elastic_net(name):
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = problem(2)
    net = linear_model.ElasticNet(alpha=0.5, l1_ratio=0.4, fit_intercept=False, tol=1e-14, max_iter=100_000)
    expected = net.fit(x, y).coef_
    w = minimised(MAKE[name], x, y, l1=0.2, weight_decay=0.3)
    assert np.array_equal(w == 0, expected == 0)
    assert w == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_l1_keeps_the_dtype(dtype):
    x, y = problem(0)
    eps = {"eps": 1e-4} if dtype == np.float16 else {}
    for make, options in ((MAKE["momentum"], {}), (MAKE["Adam"], eps)):
        w = minimised(make, x, y, dtype=dtype, l1=0.1, **options)
        assert w.dtype == dtype
        exact = minimised(make, x, y, l1=0.1)
        assert w == pytest.approx(exact, abs=1e-4 if dtype == np.float32 else 0.05)
        if dtype == np.float32:
            assert np.array_equal(w == 0, exact == 0)


def test_a_model_is_trained_to_lasso_with_an_intercept_that_is_not_shrunk():
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = problem(3)
    y = y + 5
    lasso = linear_model.Lasso(alpha=0.2, tol=1e-14, max_iter=100_000).fit(x, y)
    model = nn.Linear(12, 1, rng=0)
    groups = [{"params": model.weight, "l1": 0.2}, {"params": model.bias}]
    optimizer = SGD(groups, lr=0.2)
    nn.fit(
        model, (x, y[:, None]), optimizer, loss=functional.half_mse_loss, batch_size=None, epochs=600, progress=False
    )
    assert model.weight.data[0] == pytest.approx(lasso.coef_, abs=1e-6)
    assert np.array_equal(model.weight.data[0] == 0, lasso.coef_ == 0)
    assert model.bias.item() == pytest.approx(lasso.intercept_, abs=1e-6)


def test_an_l1_penalty_in_the_loss_gives_no_zeros_as_its_docstring_says():
    w = Value(np.array([0.3, -0.2]))
    optimizer = SGD([w], lr=0.07)
    for _ in range(50):
        w.zero_grad()
        functional.l1_penalty([w], 1.0).backward()
        optimizer.step()
    assert np.all((w.data != 0) & (abs(w.data) < 0.07))
    assert "not 0" in functional.l1_penalty.__doc__


def test_scalars_and_frozen_and_idle_parameters():
    a, b, c = Value(0.05), Value(0.05), Value(0.05)
    b.requires_grad = False
    optimizer = SGD([a, b, c], lr=1.0, l1=0.1)
    a.grad = 0.0
    optimizer.step()
    assert (a.item(), b.item(), c.item()) == (0.0, 0.05, 0.05)


@pytest.mark.parametrize("make", [SGD, Adam])
@pytest.mark.parametrize("l1", [-0.1, np.nan, np.inf, "a", None])
def test_other_strengths_are_refused(make, l1):
    with pytest.raises(TinygradError, match=f"{make.__name__}: got l1=.*, expected a number of at least 0, finite"):
        make([Value(1.0)], l1=l1)


def test_each_step_is_the_formula_of_the_docstring():
    gradients = np.random.default_rng(0).standard_normal((9, 4))
    a, b = Value(np.ones(4)), Value(np.ones(4))
    adam, sgd = Adam([a], lr=0.1, l1=0.3, eps=0.01), SGD([b], lr=0.1, momentum=0.6, dampening=0.2, l1=0.3)
    w, m, v = np.ones(4), np.zeros(4), np.zeros(4)
    u, velocity = np.ones(4), None
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        root = np.sqrt(v / (1 - 0.999**t)) + 0.01
        w = w - 0.1 * m / (1 - 0.9**t) / root
        w = np.sign(w) * np.maximum(abs(w) - 0.3 * 0.1 / root, 0)
        velocity = g if velocity is None else 0.6 * velocity + 0.8 * g
        u = u - 0.1 * velocity
        u = np.sign(u) * np.maximum(abs(u) - 0.3 * 0.1 * 0.8 / 0.4, 0)
        a.grad = b.grad = g
        adam.step()
        sgd.step()
        assert a.data == pytest.approx(w, abs=1e-12)
        assert b.data == pytest.approx(u, abs=1e-12)


# -- maximize ------------------------------------------------------------------------------------------------------------

RULES = [
    (SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "l1": 0.01}),
    (SGD, {}),
    (Adam, {"weight_decay": 0.1, "l1": 0.01}),
    (AdamW, {"amsgrad": True}),
    (Adagrad, {"weight_decay": 0.1}),
    (RMSprop, {"momentum": 0.5, "centered": True, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("make", "options"), RULES)
def test_maximizing_is_minimising_the_negative(make, options):
    gradients = np.random.default_rng(0).standard_normal((8, 3))
    up, down = Value(np.ones(3)), Value(np.ones(3))
    climber, other = make([up], maximize=True, **options), make([down], **options)
    for g in gradients:
        up.grad, down.grad = g.copy(), -g
        climber.step()
        other.step()
        assert np.array_equal(up.grad, g)
    assert np.array_equal(up.data, down.data)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_maximizes(search):
    ends = []
    for sign in (1, -1):
        w = Value(np.array([3.0, -2.0]))
        optimizer = LBFGS([w], lr=0.5, line_search_fn=search, maximize=sign > 0)

        def closure(w=w, optimizer=optimizer, sign=sign):
            optimizer.zero_grad()
            loss = -sign * ((w - np.array([1.0, 2.0])) ** 2 * np.array([1.0, 5.0])).sum()
            loss.backward()
            return loss

        first = optimizer.step(closure)
        assert first.item() == -sign * 84
        optimizer.step(closure)
        ends.append(w.data)
    assert np.array_equal(*ends)
    assert ends[0] == pytest.approx([1.0, 2.0], abs=1e-4)


def test_maximize_is_true_or_false():
    with pytest.raises(TinygradError, match="RMSprop: got maximize=2, expected True or False"):
        RMSprop([Value(1.0)], maximize=2)


# -- A learning rate of 0 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "options"), [*RULES, (SGD, {"momentum": 0.5})])
def test_a_rate_of_0_is_allowed_and_changes_no_parameter(make, options):
    p = Value(np.ones(3))
    optimizer = make([p], lr=0, **options)
    for _ in range(3):
        p.grad = np.ones(3)
        optimizer.step()
    assert np.array_equal(p.data, np.ones(3))
    optimizer.lr = 0.1
    optimizer.step()
    optimizer.lr = 0.0
    assert not np.array_equal(p.data, np.ones(3))


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_at_a_rate_of_0_stays(search):
    p = Value(np.ones(3))
    optimizer = LBFGS([p], lr=0, line_search_fn=search)

    def closure():
        p.grad = 2 * p.data
        return float((p.data**2).sum())

    assert optimizer.step(closure) == 3.0
    assert np.array_equal(p.data, np.ones(3))


def test_fit_says_that_a_rate_of_0_changes_nothing():
    x, y = np.random.default_rng(0).standard_normal((8, 3)), np.arange(8) % 2
    model = nn.Linear(3, 2, rng=0)
    optimizer = SGD(model.parameters(), lr=0.5)
    schedule = nn.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)
    nn.fit(model, (x, y), optimizer, epochs=3, on_epoch=schedule, progress=False)
    assert optimizer.lr == 0.0
    before = model.state_dict()
    with pytest.warns(UserWarning, match="fit: the learning rate is 0, as after a finished schedule") as caught:
        nn.fit(model, (x, y), optimizer, epochs=2, progress=False)
    assert caught[0].filename == __file__
    assert all(np.array_equal(before[k], x) for k, x in model.state_dict().items())
    nn.fit(model, (x, y), optimizer, epochs=1, on_epoch=schedule, progress=False)  # which rises again
    assert optimizer.lr > 0
