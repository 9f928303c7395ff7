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
        (lambda p: nn.optim.SGD([p], lr=-0.5), TinygradError, "lr=-0.5, expected a number of at least 0"),
        (lambda p: nn.optim.SGD([p], lr=0.1, momentum=1.0), TinygradError, "momentum=1.0"),
        (lambda p: nn.optim.Adam([p], betas=(0.9, 1.0)), TinygradError, r"betas=\(0.9, 1.0\)"),
        (lambda p: nn.optim.SGD([p * 2], lr=0.1), GraphError, "expected leaf Values"),
        (lambda p: nn.optim.SGD([np.ones(2)], lr=0.1), GraphError, "expected leaf Values"),
    ],
)
def test_optimisers_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make(Value(1.0))


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
    assert nn.evaluate(model, blobs(30))["loss"] == pytest.approx(min(losses))


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


@pytest.mark.parametrize("batch_size", [1, 7, 15, 30, 1000, None])
def test_evaluate_is_the_mean_over_all_examples(batch_size):
    """Against a loop over single examples in plain NumPy, whatever the batches."""
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Dropout(0.5, rng=0))
    X, y = blobs(30)
    W, b = model[0].weight.data, model[0].bias.data
    losses, hits = [], []
    for x, label in zip(X, y, strict=True):
        scores = W @ x + b
        losses.append(np.log(np.exp(scores).sum()) - scores[label])
        hits.append(np.argmax(scores) == label)
    seen = nn.evaluate(model, (X, y), batch_size=batch_size)
    assert seen == {"loss": pytest.approx(np.mean(losses)), "accuracy": np.mean(hits)}
    assert seen["loss"] > 0.1
    assert all(p.grad is None for p in model.parameters())


# -- What fit does besides ---------------------------------------------------------------------------------------------


def seeded(**options):
    return nn.MLP((2, 8, 3), rng=1, **options)


def trained(model, optimizer, **options):
    return nn.fit(model, blobs(), optimizer, progress=False, **{"epochs": 3, "rng": 0} | options)


def test_a_model_is_in_training_while_it_trains_and_in_use_when_looked_at():
    model = seeded(norm=nn.BatchNorm1d, dropout=0.2)
    modes = []
    forward = model.forward
    model.forward = lambda x: (modes.append(model.training), forward(x))[1]
    trained(model, nn.optim.SGD(model.parameters(), lr=0.1), epochs=2, batch_size=120, validation=blobs(30))
    assert modes == [True, False, True, False]
    assert not any(module.training for _, module in model.named_modules())
    model.train()
    nn.evaluate(model, blobs(30))
    assert model.training


def test_metrics_are_of_all_outputs_at_once():
    model = seeded()
    calls = []

    def size(outputs, targets):
        calls.append((outputs.shape, targets.shape))
        return len(outputs)

    seen = nn.evaluate(model, blobs(30), metrics=(nn.metrics.accuracy, size), batch_size=7)
    assert calls == [((30, 3), (30,))]
    assert list(seen) == ["loss", "accuracy", "size"]
    assert seen["loss"] == pytest.approx(nn.evaluate(model, blobs(30))["loss"])
    history = trained(model, nn.optim.SGD(model.parameters(), lr=0.1), validation=blobs(30), metrics=(size,))
    assert history.curves["validation_size"] == [30.0] * 3
    assert "validation_accuracy" not in history.curves


@pytest.mark.parametrize("batch_size", [1, 7, 120, 500, None])
def test_any_batch_size(batch_size):
    model = seeded()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.05)
    history = trained(model, optimizer, batch_size=batch_size)
    assert optimizer.steps == 3 * -(-120 // min(batch_size or 120, 120))
    assert history.curves["train_loss"][-1] < history.curves["train_loss"][0]


def test_accumulated_batches_make_the_step_of_a_large_one():
    states = []
    for batch_size, accumulate in ((40, 1), (10, 4)):
        model = seeded()
        trained(model, nn.optim.SGD(model.parameters(), lr=0.1), batch_size=batch_size, accumulate=accumulate)
        states.append(model.state_dict())
    assert all(np.allclose(states[0][k], states[1][k], rtol=1e-10) for k in states[0])
    model = seeded()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    trained(model, optimizer, batch_size=50, accumulate=2, epochs=1)  # batches of 50, 50, and 20 alone
    assert optimizer.steps == 2


def test_schedules_step_by_epoch_or_by_step():
    rates = []
    for every in ("on_epoch", "on_step"):
        model = seeded()
        optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        schedule = nn.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        trained(model, optimizer, batch_size=60, **{every: schedule})
        rates.append(optimizer.lr)
    assert rates == pytest.approx([0.1 / 8, 0.1 / 64])
    model = seeded()
    optimizer = nn.optim.SGD(model.parameters(), lr=1e-3)
    plateau = nn.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=0.5)
    trained(model, optimizer, on_epoch=plateau, validation=blobs(30))
    assert optimizer.lr == pytest.approx(1e-5)


def test_gradients_are_clipped():
    for options in ({"clip_norm": 1e-3}, {"clip_value": 1e-4}):
        model = seeded()
        before = np.concatenate([v.ravel() for v in model.state_dict().values()])
        trained(model, nn.optim.SGD(model.parameters(), lr=1.0), epochs=1, batch_size=None, **options)
        moved = np.concatenate([v.ravel() for v in model.state_dict().values()]) - before
        if "clip_norm" in options:
            assert np.linalg.norm(moved) == pytest.approx(1e-3, rel=1e-3)
        else:
            assert np.abs(moved).max() == pytest.approx(1e-4)


def test_on_epoch_sees_the_history_and_may_end_it():
    seen = []
    model = seeded()
    history = trained(
        model,
        nn.optim.SGD(model.parameters(), lr=0.1),
        epochs=9,
        on_epoch=lambda epoch, history: seen.append((epoch, len(history.curves["train_loss"]))) or epoch == 3,
    )
    assert seen == [(1, 1), (2, 2), (3, 3)]
    assert history.stopped_early


def test_ctrl_c_ends_training_and_gives_what_there_is():
    model = seeded()

    def interrupt(epoch, history):
        if epoch == 2:
            raise KeyboardInterrupt

    history = trained(model, nn.optim.SGD(model.parameters(), lr=0.1), on_epoch=interrupt, epochs=9)
    assert (history.interrupted, history.stopped_early) == (True, False)
    assert len(history.curves["train_loss"]) == 2
    assert not model.training


def test_a_loss_that_is_not_finite_names_the_first_layer_to_blame():
    model = nn.Sequential(nn.Linear(2, 4, rng=0), nn.ReLU(), nn.Linear(4, 3, rng=0))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)

    def break_it(epoch, history):
        model[2].bias.data[1] = np.inf
        model[2].bias.mark_changed()

    with pytest.raises(
        nn.NonFiniteError, match=r"loss is nan in step 5; .* layer '2', Linear\(4, 3\), whose bias are"
    ) as e:
        trained(model, optimizer, on_epoch=break_it)
    assert len(e.value.history.curves["train_loss"]) == 1
    x, y = blobs()
    fresh = seeded()
    optimizer = nn.optim.SGD(fresh.parameters(), lr=0.1)
    with pytest.raises(
        nn.NonFiniteError,
        match=r"there is NaN or infinity in 120 of 120 training examples, first in inputs\[0, 0\]: clean the data",
    ):
        nn.fit(fresh, (x * np.nan, y), optimizer, batch_size=None, progress=False)
    with pytest.raises(nn.NonFiniteError, match="all layers' outputs are finite: look at the loss"):
        nn.fit(fresh, (x, y), optimizer, loss=lambda p, y: (p * np.inf).sum(), progress=False)


def test_lbfgs_trains_through_its_closure():
    model = seeded()
    history = trained(
        model, nn.optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe"), batch_size=None, epochs=10
    )
    assert history.curves["train_loss"][-1] < 0.1 * history.curves["train_loss"][0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "got epochs=0"),
        ({"accumulate": 0}, "accumulate=0"),
        ({"schedule_every": "step"}, "fit: got schedule_every=, expected the name of an argument: on_step=schedule"),
        ({"schedule": None}, "fit: got schedule=, expected a callback: on_epoch=schedule, or on_step=schedule"),
        ({"scheduler": None}, "fit: got scheduler=, expected a callback: on_epoch=schedule, or on_step=schedule"),
        ({"callbacks": []}, "fit: got callbacks=, expected on_epoch=callback, or on_step=callback"),
        ({"epoch": 3}, "fit: got epoch=, expected epochs="),
        (
            {"on_epoch": lambda epoch: None},
            r"got on_epoch=, a function of \(epoch\), expected a function of \(epoch, history\)",
        ),
        ({"on_epoch": [lambda: None]}, r"a function of \(\), expected .* as in on_epoch=lambda epoch, history: "),
        ({"on_step": lambda a, b, c: None}, r"a function of \(a, b, c\), expected a function of \(step, history\)"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_fit_refuses_options(options, message):
    model = seeded()
    with pytest.raises(TinygradError, match=message):
        trained(model, nn.optim.SGD(model.parameters(), lr=0.1), **options)


def test_fit_refuses_empty_data_and_lbfgs_with_accumulation():
    model = seeded()
    with pytest.raises(ShapeError, match="fit: got no examples"):
        nn.fit(model, (np.ones((0, 2)), np.ones(0, int)), nn.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(TinygradError, match="leave accumulate out"):
        trained(model, nn.optim.LBFGS(model.parameters()), accumulate=2)
    with pytest.raises(TinygradError, match="as optimizer, expected one"):
        trained(model, model.parameters())


def test_a_terminal_gets_a_bar_drawn_at_most_ten_times_a_second(monkeypatch):
    from io import StringIO

    import rich.console

    import nn.training.progress

    clock = [0.0]
    monkeypatch.setattr(nn.training.progress, "monotonic", lambda: clock[0])
    screen = StringIO()
    make = rich.console.Console
    monkeypatch.setattr(rich.console, "Console", lambda: make(file=screen, force_terminal=True, width=100))
    drawn = []
    with nn.training.progress.Progress(epochs=2, steps=50, wanted=True) as bar:
        refresh = bar.bar.refresh
        monkeypatch.setattr(bar.bar, "refresh", lambda: (drawn.append(clock[0]), refresh()))
        for epoch in (1, 2):
            for _ in range(50):
                clock[0] += 0.02
                bar.step()
            bar.epoch(epoch, {"train_loss": 0.5 / epoch})
    assert len(drawn) <= 2 * 10 + 1
    assert "train loss 0.25" in screen.getvalue()
    assert "epoch 2/2" in screen.getvalue()


def test_after_an_error_the_best_weights_are_back_and_the_model_is_in_use():
    model = seeded(norm=nn.BatchNorm1d)
    states = []

    def break_it(epoch, history):
        states.append(model.state_dict())
        if epoch == 3:
            model[-1].bias.data[0] = np.nan
            model[-1].bias.mark_changed()

    with pytest.raises(nn.NonFiniteError) as caught:
        trained(
            model,
            nn.optim.SGD(model.parameters(), lr=0.1),
            epochs=9,
            validation=blobs(30),
            patience=9,
            on_epoch=break_it,
        )
    best = states[caught.value.history.best_epoch - 1]
    assert all(np.array_equal(best[path], array) for path, array in model.state_dict().items())
    assert not model.training


def test_looking_for_what_is_not_finite_moves_no_statistics():
    from nn.training.diagnosis import why_not_finite

    model = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 3, rng=0))
    before = model.state_dict()
    assert "all layers' outputs are finite" in why_not_finite(model, blobs(), blobs())
    assert all(np.array_equal(before[path], array) for path, array in model.state_dict().items())


def test_only_what_the_optimiser_trains_counts_for_clipping():
    moved = []
    for frozen in (True, False):
        model = seeded()
        model[0].freeze(frozen)
        start = model[-1].weight.data.copy()
        optimizer = nn.optim.SGD(model[-1].parameters(), lr=1.0)
        trained(model, optimizer, epochs=1, batch_size=None, clip_norm=1e-3)
        moved.append(model[-1].weight.data - start)
        assert model[0].weight.grad is None or not frozen
    assert np.allclose(*moved, rtol=1e-9)


def test_lbfgs_that_ends_at_nan_is_told():
    w = Value(np.ones(1))

    class Log(nn.Module):
        def __init__(self):
            self.w = w

        def forward(self, x):
            return np.log(self.w) * x

    model = Log()
    optimizer = nn.optim.LBFGS(model.parameters(), lr=100.0)
    loss = lambda p, y: (p + y).sum()
    with pytest.raises(nn.NonFiniteError, match="layer 'itself'"):
        nn.fit(model, (np.ones((3, 1)), np.ones((3, 1))), optimizer, loss=loss, epochs=1, progress=False)


def test_evaluate_takes_any_output_without_metrics_and_names_partials():
    from functools import partial

    model = nn.RNN(3, 2, rng=0)
    data = np.ones((4, 5, 3)), np.ones(4)
    seen = nn.evaluate(model, data, loss=lambda out, y: out[0].mean(), metrics=(), batch_size=None)
    assert list(seen) == ["loss"]
    top = partial(nn.metrics.top_k_accuracy, k=2)
    assert nn.evaluate(seeded(), blobs(), metrics=(top,))["top_k_accuracy"] > 0.5
    with pytest.raises(TinygradError, match="got metrics <lambda>, <lambda>, expected different names"):
        nn.evaluate(seeded(), blobs(), metrics=(lambda o, y: 1.0, lambda o, y: 2.0))


def test_the_loss_module_gives_accuracy_too():
    model = seeded()
    history = trained(model, nn.optim.SGD(model.parameters(), lr=0.1), loss=nn.CrossEntropyLoss(), validation=blobs(30))
    assert "validation_accuracy" in history.curves


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda m, o: {"optimizer": nn.optim.SGD(seeded().parameters(), lr=0.1)},
            "holds none of the model's parameters",
        ),
        *[
            (
                lambda m, o, event=event: {
                    event: nn.optim.lr_scheduler.StepLR(nn.optim.SGD(m.parameters(), lr=1.0), 3),
                },
                "got a StepLR of another optimizer; make it for this one",
            )
            for event in ("on_step", "on_epoch")
        ],
        (
            lambda m, o: {"on_step": nn.optim.lr_scheduler.ReduceLROnPlateau(o)},
            "ReduceLROnPlateau needs the numbers of an epoch; pass it as on_epoch=",
        ),
        (lambda m, o: {"on_step": nn.EarlyStopping(m, 2)}, "EarlyStopping needs the numbers of an epoch"),
        (lambda m, o: {"on_epoch": nn.EarlyStopping(seeded(), 2)}, "got an EarlyStopping of another model"),
        (lambda m, o: {"accumulate": 1.5}, "fit: got accumulate=1.5"),
        (lambda m, o: {"epochs": 2.5}, "fit: got epochs=2.5"),
        (lambda m, o: {"optimizer": nn.optim.LBFGS(m.parameters()), "clip_norm": 1.0}, "which clipping falsifies"),
        (lambda m, o: {"loss": nn.CrossEntropyLoss(reduction="none")}, r"a Value of shape \(32,\), expected .* a mean"),
        (lambda m, o: {"loss": nn.functional.zero_one_loss}, "the loss returned a float"),
        (lambda m, o: {"clip_norm": -1.0}, "clip_norm=-1.0, expected a number from 0 on"),
    ],
)
def test_what_does_not_fit_together_is_named(change, message):
    model = seeded()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    options = {"optimizer": optimizer} | change(model, optimizer)
    with pytest.raises(TinygradError, match=message):
        nn.fit(model, blobs(), progress=False, **options)
