"""Optimisers against their formulas, batches and splits, and the training loop."""

import numpy as np
import pytest

import nn
from tinygrad_edu import GraphError, ShapeError, TinygradError, Value


def textbook_sgd(w, gradients, lr, momentum):
    v = None
    for g in gradients:
        v = g if v is None else momentum * v + g
        w = w - lr * v
    return w


def textbook_adam(w, gradients, lr, betas, eps):
    m = v = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        w = w - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return w


@pytest.mark.parametrize("shape", [(), (3,), (2, 4)])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_its_formula(shape, momentum):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=shape), [rng.normal(size=shape) for _ in range(20)]
    p = Value(start)
    optimizer = nn.optim.SGD([p], lr=0.1, momentum=momentum)
    for g in gradients:
        p.grad = g
        optimizer.step()
    assert np.allclose(p.data, textbook_sgd(start, gradients, 0.1, momentum), rtol=1e-12)


@pytest.mark.parametrize("shape", [(), (3,), (2, 4)])
@pytest.mark.parametrize("settings", [{}, {"betas": (0.5, 0.9), "eps": 1e-3}])
def test_adam_is_its_formula(shape, settings):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=shape), [rng.normal(size=shape) for _ in range(20)]
    p = Value(start)
    optimizer = nn.optim.Adam([p], lr=0.01, **settings)
    for g in gradients:
        p.grad = g
        optimizer.step()
    options = {"betas": (0.9, 0.999), "eps": 1e-8} | settings
    assert np.allclose(p.data, textbook_adam(start, gradients, 0.01, **options), rtol=1e-12)


@pytest.mark.parametrize("make", [nn.optim.SGD, nn.optim.Adam])
def test_steps_are_in_place_keep_dtype_and_gradient_and_skip_what_has_none(make):
    p, idle = Value(np.ones(3, np.float32)), Value(np.ones(2))
    memory = p.data
    optimizer = make([p, idle], lr=0.1)
    (p * p).sum().backward()
    g = p.grad.copy()
    optimizer.step()
    assert p.data is memory
    assert p.data.dtype == np.float32
    assert np.array_equal(p.grad, g)
    assert np.array_equal(idle.data, np.ones(2))
    scalar = Value(2.0)
    (scalar * scalar).backward()
    make([scalar], lr=0.1).step()
    assert type(scalar.data) is float
    optimizer.zero_grad()
    assert p.grad is None


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: nn.optim.SGD([], lr=0.1), TinygradError, "got no parameters"),
        (lambda p: nn.optim.SGD([p], lr=0.0), TinygradError, "lr=0.0, expected a positive"),
        (lambda p: nn.optim.SGD([p], lr=0.1, momentum=1.0), TinygradError, "momentum=1.0"),
        (lambda p: nn.optim.Adam([p], betas=(0.9, 1.0)), TinygradError, r"betas=\(0.9, 1.0\)"),
        (lambda p: nn.optim.SGD([p * 2], lr=0.1), GraphError, "expected leaf Values"),
        (lambda p: nn.optim.SGD([np.ones(2)], lr=0.1), GraphError, "expected leaf Values"),
    ],
)
def test_optimisers_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make(Value(1.0))


def test_batches_cover_everything_once():
    x, y = np.arange(10), np.arange(10) * 2
    seen = list(nn.batches(x, y, batch_size=4, rng=np.random.default_rng(0)))
    assert [len(a) for a, _ in seen] == [4, 4, 2]
    assert sorted(np.concatenate([a for a, _ in seen])) == list(range(10))
    assert all(np.array_equal(b, 2 * a) for a, b in seen)
    assert np.array_equal(next(nn.batches(x, batch_size=3))[0], [0, 1, 2])
    for wrong in ({"batch_size": 0}, {"batch_size": -1}):
        with pytest.raises(ShapeError, match="batches: got lengths"):
            list(nn.batches(x, **wrong))
    with pytest.raises(ShapeError, match=r"lengths \[10, 3\]"):
        list(nn.batches(x, np.ones(3), batch_size=2))


def test_a_stratified_split_gives_every_class_its_share():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    parts = nn.stratified_split(labels, (0.6, 0.2), np.random.default_rng(0))
    assert sorted(np.concatenate(parts)) == list(range(160))
    assert [np.bincount(labels[p]).tolist() for p in parts] == [[60, 30, 6], [20, 10, 2], [20, 10, 2]]
    with pytest.raises(ShapeError, match="class 1 has 1 examples"):
        nn.stratified_split([0, 0, 0, 1], (0.5,), np.random.default_rng(0))
    with pytest.raises(ShapeError, match="sum below 1; leave out"):
        nn.stratified_split(labels, (0.6, 0.4), np.random.default_rng(0))


def blobs(n=120):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return (np.eye(3)[labels] * 2 + rng.normal(0, 0.5, (n, 3)))[:, :2], labels


def test_fit_learns_records_and_is_deterministic():
    def run():
        model = nn.MLP((2, 8, 3), rng=np.random.default_rng(1))
        optimizer = nn.optim.Adam(model.parameters(), lr=0.02)
        rng = np.random.default_rng(2)
        history = nn.fit(model, blobs(), optimizer, epochs=15, rng=rng, validation=blobs(30), progress=False)
        return history, model.state_dict()

    (one, state), (two, again) = run(), run()
    assert one.curves == two.curves
    assert all(np.array_equal(state[k], again[k]) for k in state)
    assert {name: len(curve) for name, curve in one.curves.items()} == {
        "train_loss": 15,
        "validation_loss": 15,
        "validation_accuracy": 15,
    }
    assert one.curves["train_loss"][-1] < one.curves["train_loss"][0] / 2
    assert one.curves["validation_accuracy"][-1] > 0.8


def test_early_stopping_puts_the_best_weights_back():
    model = nn.MLP((2, 8, 3), rng=np.random.default_rng(1))
    optimizer = nn.optim.SGD(model.parameters(), lr=2.0)  # too large on purpose
    data = blobs()
    history = nn.fit(
        model,
        data,
        optimizer,
        epochs=200,
        validation=blobs(30),
        patience=3,
        rng=np.random.default_rng(0),
        progress=False,
    )
    losses = history.curves["validation_loss"]
    assert history.stopped_early
    assert len(losses) == history.best_epoch + 3
    assert nn.evaluate(model, blobs(30))[0] == pytest.approx(min(losses))


def test_fit_refuses_what_cannot_work():
    model = nn.MLP((2, 3))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(TinygradError, match="patience= needs validation="):
        nn.fit(model, blobs(), optimizer, patience=3)
    x, y = blobs()
    x = x.copy()
    x[3] = np.nan
    with pytest.raises(TinygradError, match="loss is nan in step 1"):
        nn.fit(model, (x, y), optimizer, progress=False)


def test_progress_is_plain_lines_off_a_terminal(capsys):
    model = nn.MLP((2, 3), rng=np.random.default_rng(0))
    nn.fit(model, blobs(), nn.optim.SGD(model.parameters(), lr=0.1), epochs=12)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1/12", "10/12", "12/12"]
    assert "train loss" in lines[0]
    nn.fit(model, blobs(), nn.optim.SGD(model.parameters(), lr=0.1), epochs=2, progress=False)
    assert capsys.readouterr().out == ""


def test_training_leaves_no_graph_behind():
    import gc
    import weakref

    model = nn.MLP((2, 4, 3))
    refs = []
    original = model.forward

    def forward(x):
        y = original(x)
        refs.append(weakref.ref(y))
        return y

    model.forward = forward
    gc.disable()
    try:
        nn.fit(model, blobs(), nn.optim.SGD(model.parameters(), lr=0.1), epochs=2, progress=False)
        assert [r() for r in refs if r() is not None] == []
    finally:
        gc.enable()


def test_adam_counts_the_steps_of_each_parameter():
    early, late = Value(1.0), Value(1.0)
    optimizer = nn.optim.Adam([early, late], lr=0.1)
    for _ in range(50):
        early.grad = 1.0
        optimizer.step()
    late.grad = 1.0
    optimizer.step()
    assert late.data == pytest.approx(0.9)


def test_optimisers_take_recorded_gradients_and_each_parameter_once():
    p = Value(np.ones(2))
    optimizer = nn.optim.SGD([p, p], lr=0.1)
    (p * p).sum().backward(create_graph=True)
    optimizer.step()
    assert np.allclose(p.data, 0.8)
    with pytest.raises(TinygradError, match=r"pass model.parameters\(\)"):
        nn.optim.SGD(nn.MLP((2, 1)).parameters, lr=0.1)


def test_fit_takes_lists_and_names_its_metric():
    model = nn.MLP((2, 1), rng=0)
    data = ([[0.0, 1.0], [1.0, 0.0]], [[1.0], [0.0]])
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    history = nn.fit(model, data, optimizer, loss=nn.functional.mse_loss, epochs=2, validation=data, progress=False)
    assert sorted(history.curves) == ["train_loss", "validation_loss"]
    with pytest.raises(TinygradError, match="as optimizer, expected one"):
        nn.fit(model, data, nn.optim.SGD)
