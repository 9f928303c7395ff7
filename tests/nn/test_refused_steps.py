"""A step is taken or leaves no trace; training that ends early leaves its history, the best weights, and a model in evaluation mode."""

import os
import signal
import threading
from contextlib import suppress

import numpy as np
import pytest

import nn
from tinygrad_edu import ShapeError, TinygradError, Value, sqrt

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 4)), RNG.integers(0, 3, 40)
BAD = X.copy()
BAD[3, 0] = np.nan
HUGE = X.copy()
HUGE[20, 1] = np.inf


class Counter(nn.Module):
    """Buffers of all kinds, changed in place and by assignment, and generators, also within lists."""

    def __init__(self):
        self.total, self.tables = np.zeros(4), [np.zeros(2), {"mean": np.zeros(4)}]
        self.rngs = (np.random.default_rng(1),)

    def forward(self, x):
        self.total = self.total + 1.0
        self.tables[0] += 1.0
        self.tables[1]["mean"] = self.tables[1]["mean"] * 0.9 + x.data.mean(axis=0)
        return x + self.rngs[0].normal()


def model(seed=0):
    return nn.Sequential(
        nn.Linear(4, 4, rng=seed),
        Counter(),
        nn.BatchNorm1d(4),
        nn.Dropout(0.5, rng=1),
        nn.ReLU(),
        nn.Linear(4, 3, rng=seed + 1),
    )


def generators(m):
    return [m[1].rngs[0].bit_generator.state, m[3].rng.bit_generator.state]


def traces(m, optimizer):
    """Everything that a step may change."""
    return m.state_dict(), optimizer.state_dict(), generators(m), optimizer.steps


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(*pair) for pair in zip(a, b, strict=True))
    return np.array_equal(a, b, equal_nan=True) if isinstance(a, np.ndarray) else a == b


def fit(m, optimizer, data=(X, Y), **options):
    return nn.fit(m, data, optimizer, **{"batch_size": 8, "epochs": 3, "progress": False} | options)


OPTIMISERS = {
    "SGD": lambda p: nn.optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: nn.optim.Adam(p, lr=0.01),
    "LBFGS": lambda p: nn.optim.LBFGS(p, max_iter=3),
}


def counted(after, error, then=nn.functional.cross_entropy):
    """A loss that raises an error at its call number `after`, or returns NaN."""
    calls = [0]

    def loss(output, target):
        calls[0] += 1
        if calls[0] == after:
            if error is None:
                return then(output, target) * np.nan
            raise error
        return then(output, target)

    return loss


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize(
    "error", [None, ValueError("mine"), KeyboardInterrupt(), ShapeError("mine"), SystemExit()], ids=repr
)
def test_a_step_that_fails_leaves_no_trace(name, error):
    """The failing step against the same training that ends before it: by Ctrl-C after the step before."""
    m = model()
    optimizer = OPTIMISERS[name](m.parameters())
    fit(m, optimizer, (X[:16], Y[:16]), epochs=1)
    before = traces(m, optimizer)
    try:
        history = fit(m, optimizer, loss=counted(1, error))
        assert history.interrupted
    except (nn.NonFiniteError, ValueError, SystemExit) as caught:
        history = caught.history
    assert history.curves == {}
    assert same(traces(m, optimizer), before)
    assert all(p.grad is None for p in m.parameters())
    assert not m.training


@pytest.mark.parametrize("after", [2, 3])
@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_undoes_a_step_that_ends_midway(search, error, after):
    """After it has moved the parameters already."""
    m = model()
    optimizer = nn.optim.LBFGS(m.parameters(), lr=0.5, max_iter=5, line_search_fn=search)
    fit(m, optimizer, (X[:16], Y[:16]), epochs=1)
    before = traces(m, optimizer)
    with suppress(ValueError):
        assert fit(m, optimizer, loss=counted(after, error)).interrupted
    assert same(traces(m, optimizer), before)


@pytest.mark.parametrize("accumulate", [1, 2, 5])
@pytest.mark.parametrize("data", [BAD, HUGE], ids=["nan", "inf"])
@pytest.mark.parametrize("at", range(5))
def test_a_batch_that_is_not_finite_leaves_no_trace(data, at, accumulate):
    """Wherever it comes in an epoch, also as the last of the batches that make a step: the state is that of the steps before."""
    order = np.arange(40)
    wrong = np.flatnonzero(~np.isfinite(data).all(axis=1))[0]
    order[[wrong, at * 8]] = order[[at * 8, wrong]]
    m = model()
    optimizer = nn.optim.Adam(m.parameters(), lr=0.01)
    with pytest.raises(nn.NonFiniteError, match="NaN or infinity in 1 of 40 training examples") as caught:
        fit(m, optimizer, (data[order], Y[order]), accumulate=accumulate)
    assert f"first in inputs[{at * 8}, " in str(caught.value)
    taken = at // accumulate * accumulate * 8
    other = model()
    again = nn.optim.Adam(other.parameters(), lr=0.01)
    if taken:
        fit(other, again, (data[order][:taken], Y[order][:taken]), accumulate=accumulate, epochs=1)
    assert same(traces(m, optimizer), traces(other, again))


def test_training_goes_on_after_the_data_are_cleaned():
    m = nn.MLP((4, 8, 3), norm=nn.BatchNorm1d, rng=0)
    optimizer = nn.optim.SGD(m.parameters(), lr=0.1)
    with pytest.raises(nn.NonFiniteError):
        fit(m, optimizer, (BAD, Y))
    history = fit(m, optimizer, validation=(X, Y))
    fresh = nn.MLP((4, 8, 3), norm=nn.BatchNorm1d, rng=0)
    assert history == fit(fresh, nn.optim.SGD(fresh.parameters(), lr=0.1), validation=(X, Y))


def test_a_gradient_that_is_not_finite_is_refused_where_its_norm_is_computed():
    class Root(nn.Module):
        def __init__(self):
            self.w = Value(np.zeros(4))

        def forward(self, x):
            return np.sqrt(self.w * self.w) * 0 + np.sqrt(abs(self.w)) * x  # the slope at 0 is infinite

    for options in ({"gradient_norm": True}, {"clip_norm": 1.0}):
        m = Root()
        optimizer = nn.optim.Adam(m.parameters(), lr=0.1)
        with pytest.raises(
            nn.NonFiniteError, match=r"the norm of the gradient is \w+ in step 1; the gradient of w is not finite"
        ):
            fit(m, optimizer, (np.ones((8, 4)), np.ones((8, 4))), loss=nn.functional.mse_loss, **options)
        assert np.array_equal(m.w.data, np.zeros(4))
        assert optimizer.steps == 0
    m = Root()
    ones = np.ones((8, 4)), np.ones((8, 4))
    optimizer = nn.optim.SGD(m.parameters(), lr=0.1)
    with pytest.raises(nn.NonFiniteError, match="after epoch 1 w is not finite: try a lower learning rate"):
        fit(m, optimizer, ones, loss=nn.functional.mse_loss, epochs=1)


# -- How training ends -------------------------------------------------------------------------------------------------


def raising(error, after=2, result=0.0):
    calls = [0]

    def function(*_):
        calls[0] += 1
        if calls[0] == after:
            raise error
        return result

    return function


class Broken(nn.optim.lr_scheduler.LRScheduler):
    def factor(self, t):
        if t == 2:
            raise ValueError("mine")
        return 1.0


WAYS = {
    "loss": lambda o: {"loss": counted(17, ValueError("mine")), "metrics": ()},
    "metric": lambda o: {"metrics": (raising(ValueError("mine"), 3),), "monitor": "validation_loss"},
    "callback": lambda o: {"on_epoch": raising(ValueError("mine"))},
    "schedule": lambda o: {"on_epoch": Broken(o)},
    "penalty": lambda o: {"penalty": raising(ValueError("mine"), 11, Value(0.0))},
    "engine": lambda o: {"on_epoch": lambda epoch, history: np.ones(3) @ np.ones(4) if epoch == 2 else False},
}


@pytest.mark.parametrize("way", WAYS)
def test_an_error_keeps_the_history_the_best_weights_and_the_mode(way):
    m = nn.MLP((4, 8, 3), norm=nn.BatchNorm1d, rng=0)
    optimizer = nn.optim.SGD(m.parameters(), lr=0.5)
    with pytest.raises(ValueError, match="mine|mismatch") as caught:
        fit(m, optimizer, epochs=9, validation=(X[:7], Y[:7]), patience=9, **WAYS[way](optimizer))
    history = caught.value.history
    assert len(history.curves["validation_loss"]) == 2
    assert any("error.history" in note for note in caught.value.__notes__)
    assert not any(module.training for _, module in m.named_modules())
    assert nn.evaluate(m, (X[:7], Y[:7]), metrics=())["loss"] == min(history.curves["validation_loss"])
    assert history.best_epoch == 1 + int(np.argmin(history.curves["validation_loss"]))


def test_an_error_that_nn_explains_keeps_the_history():
    m = nn.Linear(4, 3, rng=0)
    optimizer = nn.optim.SGD(m.parameters(), lr=0.1)

    def spoil(epoch, history):
        optimizer.param_groups[0]["lr"] = "fast"

    with pytest.raises(TinygradError) as caught:
        fit(m, optimizer, on_epoch=spoil)
    assert len(caught.value.history.curves["train_loss"]) == 1


def test_ctrl_c_within_an_epoch_returns_the_history_and_the_best_weights():
    class Watched(nn.Module):
        """What forward() keeps to be looked at is no state."""

        def __init__(self):
            self.l = nn.Linear(4, 3, rng=0)
            self.kept = []

        def forward(self, x):
            y = self.l(x)
            self.last, self.seen = np.asarray(y.data), {"attention": np.ones(3)}
            self.kept.append(np.asarray(y.data))
            return y

    m = Watched()
    optimizer = nn.optim.SGD(m.parameters(), lr=5.0)
    loss = counted(17, KeyboardInterrupt())
    history = fit(m, optimizer, loss=loss, metrics=(), validation=(X[:7], Y[:7]), patience=5, epochs=9)
    assert (history.interrupted, history.stopped_early) == (True, False)
    assert len(history.curves["train_loss"]) == 2
    assert not m.training
    assert nn.evaluate(m, (X[:7], Y[:7]))["loss"] == min(history.curves["validation_loss"])
    assert list(m.state_dict()) == ["l.weight", "l.bias"]


class Signalled(nn.optim.SGD):
    """Ctrl-C comes while the first parameter changes."""

    at = 3

    def update(self, *args):
        super().update(*args)
        if self.steps == self.at and args[0].ndim == 2:
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_in_the_middle_of_a_step_waits_until_all_parameters_have_changed():
    handler = signal.getsignal(signal.SIGINT)
    m = nn.MLP((4, 8, 3), norm=nn.BatchNorm1d, rng=0)
    optimizer = Signalled(m.parameters(), lr=0.1)
    schedule = nn.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    history = fit(m, optimizer, on_step=schedule)
    other = nn.MLP((4, 8, 3), norm=nn.BatchNorm1d, rng=0)
    again = nn.optim.SGD(other.parameters(), lr=0.1)
    halving = nn.optim.lr_scheduler.ExponentialLR(again, 0.5)
    fit(other, again, (X[:24], Y[:24]), epochs=1, on_step=halving)
    assert history.interrupted
    assert len(history.steps["loss"]) == 3
    assert optimizer.lr == again.lr
    assert same(m.state_dict(), other.state_dict())
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_works_as_ever_outside_of_steps_and_in_threads():
    m = nn.Linear(4, 3, rng=0)
    history = fit(m, nn.optim.SGD(m.parameters(), lr=0.1), on_epoch=lambda *_: os.kill(os.getpid(), signal.SIGINT))
    assert history.interrupted
    assert len(history.curves["train_loss"]) == 1
    called = []
    before = signal.signal(signal.SIGINT, lambda *_: called.append(True))  # a program that has its own handler
    try:
        history = fit(m, Signalled(m.parameters(), lr=0.1))
    finally:
        signal.signal(signal.SIGINT, before)
    assert (called, history.interrupted, len(history.curves["train_loss"])) == ([True], False, 3)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(fit(m, nn.optim.SGD(m.parameters(), lr=0.1))))
    thread.start()
    thread.join()
    assert len(seen[0].curves["train_loss"]) == 3


def test_a_second_ctrl_c_while_training_ends_loses_nothing():
    class Slow(nn.MLP):
        def load_state_dict(self, state):
            os.kill(os.getpid(), signal.SIGINT)
            super().load_state_dict(state)

    m = Slow((4, 3), rng=0)
    loss = counted(17, KeyboardInterrupt())
    history = fit(m, nn.optim.SGD(m.parameters(), lr=5.0), loss=loss, metrics=(), validation=(X[:7], Y[:7]), patience=5)
    assert history.interrupted
    assert nn.evaluate(m, (X[:7], Y[:7]))["loss"] == min(history.curves["validation_loss"])


@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.parametrize("train_metrics", [True, False])
def test_a_validation_loss_that_is_not_finite_is_an_error(patience, train_metrics):
    m = nn.Linear(4, 3, rng=0)
    optimizer = nn.optim.SGD(m.parameters(), lr=0.1)
    options = {"patience": patience, "train_metrics": train_metrics}
    message = "fit: the validation loss is nan after epoch 1; there is NaN or infinity in 1 of 40 validation examples"
    with pytest.raises(nn.NonFiniteError, match=message) as caught:
        fit(m, optimizer, validation=(BAD, Y), **options)
    assert caught.value.history.curves == {}
    assert len(caught.value.history.steps["loss"]) == 5
    message = "the validation loss is inf after epoch 1; all layers' outputs are finite"
    options |= {"loss": nn.functional.mse_loss, "validation": (X, np.full((40, 3), 1e200))}
    with pytest.raises(nn.NonFiniteError, match=message):
        fit(m, optimizer, (X, np.zeros((40, 3))), **options)


# -- What is state -----------------------------------------------------------------------------------------------------


class Lazy(nn.Module):
    def __init__(self):
        self.before = np.zeros(2)
        self.tables = [np.ones(1), {"mean": np.ones(1)}]

    def forward(self, x):
        self.after = np.asarray(x)
        self.before = self.before + 1
        self.tables.append(np.ones(1))
        self.tables[1]["new"] = np.ones(1)
        return x


def test_arrays_that_are_there_before_the_first_call_are_buffers():
    m = nn.Sequential(Lazy(), nn.Identity())
    m[0].extra = np.full(2, 3.0)  # after __init__, before the first call
    names = ["0.before", "0.tables.0", "0.tables.1.mean", "0.extra"]
    assert list(m.state_dict()) == names
    for _ in range(2):
        m(np.ones(3))
        assert list(m.state_dict()) == names
        assert [path for path, _ in m.named_buffers()] == names
    assert np.array_equal(m.state_dict()["0.before"], [2.0, 2.0])  # assigned anew, and a buffer still
    fresh = nn.Sequential(Lazy(), nn.Identity())
    fresh[0].extra = np.zeros(2)
    fresh.load_state_dict(m.state_dict())
    assert same(fresh.state_dict(), m.state_dict())


def test_a_child_that_is_called_later_is_settled_with_its_parent():
    class Parent(nn.Module):
        def __init__(self):
            self.child = Lazy()

        def forward(self, x):
            self.child.cache = np.ones(3)  # before the child's own first call
            return self.child(x)

    m = Parent()
    m(np.ones(3))
    assert list(m.state_dict()) == ["child.before", "child.tables.0", "child.tables.1.mean"]


def test_registered_buffers_are_state_after_the_first_call_too():
    m = nn.Sequential(nn.Linear(2, 2, rng=0))
    m(np.ones((1, 2)))
    m.mask = np.ones(2)
    m.register_buffer("scale", [1.0, 2.0])
    m.register_buffer("scale", np.array([3.0, 4.0]))
    assert list(m.state_dict()) == ["scale", "0.weight", "0.bias"]
    assert np.array_equal(m.scale, [3.0, 4.0])
    m.register_buffer("mask", m.mask)
    assert "mask" in m.state_dict()
    for name in ("forward", "a.b", "", 3):
        with pytest.raises(TinygradError, match="register_buffer: got the name"):
            m.register_buffer(name, np.ones(2))
    with pytest.raises(TinygradError, match="register_buffer"):
        m.register_buffer("text", ["a"])


def test_weights_load_whatever_forward_left(tmp_path):
    m = nn.Sequential(Lazy(), nn.Linear(3, 2, rng=0))
    m(np.ones((1, 3)))
    nn.save(m, tmp_path / "weights.safetensors")
    nn.load(nn.Sequential(Lazy(), nn.Linear(3, 2)), tmp_path / "weights.safetensors")


class Rooted(nn.Module):
    """Adds a root whose gradient at 0 is not finite, though the output is."""

    def __init__(self):
        self.linear, self.norm = nn.Linear(4, 3, rng=0), nn.BatchNorm1d(3)
        self.drop, self.share = nn.Dropout(0.5, rng=1), Value(np.ones(3))

    def forward(self, x):
        return self.drop(self.norm(self.linear(x))) + sqrt(self.share * self.share)


ENDINGS = {
    "next loss": {"batch_size": 10},
    "end of the epoch": {"batch_size": 40},
    "validation": {"batch_size": 40, "validation": (X, Y), "patience": 1},
}


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_gradient_that_is_not_finite_poisons_nothing(name, ending):
    m = Rooted()
    optimizer = OPTIMISERS[name](m.parameters())
    nn.fit(m, (X, Y), optimizer, epochs=2, progress=False)
    m.share.data[1] = 0.0
    before = m.state_dict(), optimizer.state_dict(), m.generator_state(), optimizer.steps
    with pytest.raises(nn.NonFiniteError, match="share|not finite") as error:
        nn.fit(m, (X, Y), optimizer, epochs=3, progress=False, **ENDINGS[ending])
    assert "weights and optimiser are as they were 1 steps before" in error.value.__notes__[0]
    assert same((m.state_dict(), optimizer.state_dict(), m.generator_state(), optimizer.steps), before)


def test_ctrl_c_after_a_gradient_that_is_not_finite_keeps_finite_weights():
    m = Rooted()
    m.share.data[1] = 0.0
    before = m.state_dict()
    optimizer = Signalled(m.parameters(), lr=0.1)
    optimizer.at = 1
    with pytest.warns(
        UserWarning, match="a gradient was not finite, though its loss was; .* as they were 1 steps before"
    ):
        assert fit(m, optimizer).interrupted
    assert same(m.state_dict(), before)


def test_what_is_undone_goes_back_to_a_copy_of_the_start_of_an_epoch():
    m, seen = Rooted(), []
    optimizer = nn.optim.SGD(m.parameters(), lr=0.01)

    def look(epoch, _):
        seen.append((m.state_dict(), optimizer.steps))
        if epoch == 8:
            m.share.data[1] = 0.0

    with pytest.raises(nn.NonFiniteError) as error:
        nn.fit(m, (X, Y), optimizer, batch_size=2, epochs=9, on_epoch=look, progress=False)
    assert "as they were 61 steps before" in error.value.__notes__[0]  # 20 an epoch: the copy is that after 100
    assert same((m.state_dict(), optimizer.steps), seen[4])


class Half(nn.optim.SGD):
    """An update of one's own that fails at the second parameter."""

    def update(self, data, *args):
        if data.ndim == 1:
            raise ValueError("mine")
        super().update(data, *args)


def test_an_update_that_ends_midway_is_undone():
    m = model()
    optimizer = Half(m.parameters(), lr=0.1)
    before = traces(m, optimizer)
    with pytest.raises(ValueError, match="mine") as error:
        fit(m, optimizer)
    assert "an update ended midway" in error.value.__notes__[0]
    assert same(traces(m, optimizer), before)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_an_optimiser_refuses_before_any_parameter_changes(name):
    m = nn.Sequential(nn.Linear(4, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 3, rng=1))
    optimizer = OPTIMISERS[name](m.parameters())
    m[2].bias.data.flags.writeable = False
    before = m.state_dict(), optimizer.steps
    with pytest.raises(TinygradError, match=r"a parameter of shape \(3,\) is read-only; freeze or copy it"):
        fit(m, optimizer)
    assert same((m.state_dict(), optimizer.steps), before)


class Statistics(nn.Module):
    """Buffers in a new list each time, and buffers that appear at the given call."""

    def __init__(self, late):
        self.linear, self.late, self.calls = nn.Linear(4, 3, rng=0), late, 0
        self.pair = [np.zeros(4), {"mean": np.zeros(4)}]

    def forward(self, x):
        self.calls += 1
        if self.calls == self.late:
            self.register_buffer("total", np.zeros(4))
        if self.calls >= self.late:
            self.total += x.sum(axis=0)
        self.pair = [self.pair[0] + x.sum(axis=0), {"mean": self.pair[1]["mean"] * 0.9 + x.mean(axis=0)}]
        return self.linear(x)


@pytest.mark.parametrize("late", [1, 2, 4, 5])
def test_buffers_in_new_lists_and_buffers_registered_later_are_put_back(late):
    data, m = X.copy(), Statistics(late)
    data[35] = np.nan  # in the last of four batches
    with pytest.raises(nn.NonFiniteError):
        nn.fit(m, (data, Y), nn.optim.SGD(m.parameters(), lr=0.1), batch_size=10, progress=False)
    other = Statistics(late)
    nn.fit(
        other, (data[:30], Y[:30]), nn.optim.SGD(other.parameters(), lr=0.1), epochs=1, batch_size=10, progress=False
    )
    assert same(m.state_dict(), other.state_dict())
    assert ("total" in m.state_dict()) == (late < 4) == hasattr(m, "total")


def test_the_best_weights_come_back_beside_a_buffer_that_was_registered_later():
    m = Statistics(8)
    numbers = iter(range(9))

    def rank(*_):
        return next(numbers)

    options = {"validation": (X, Y), "patience": 3, "metrics": (rank,), "monitor": "validation_rank", "mode": "min"}
    history = nn.fit(m, (X, Y), nn.optim.SGD(m.parameters(), lr=0.1), epochs=4, progress=False, **options)
    assert history.best_epoch == 1
    assert nn.evaluate(m, (X, Y))["loss"] == history.curves["validation_loss"][0]
    assert "total" in m.state_dict()


def test_frozen_read_only_weights_do_not_keep_the_best_ones_from_coming_back():
    m = nn.Sequential(nn.Linear(4, 4, rng=0), nn.Linear(4, 3, rng=1))
    m[0].freeze()
    m[0].weight.data.flags.writeable = False  # as of a file mapped into memory
    history = fit(m, nn.optim.SGD(m.parameters(), lr=0.1), validation=(X, Y), patience=3)
    assert nn.evaluate(m, (X, Y))["loss"] == min(history.curves["validation_loss"])


def test_the_origin_of_nan_in_validation_data_is_looked_for_in_parts(monkeypatch):
    monkeypatch.setattr("nn.training.watch.BATCH", 16)
    sizes = []

    class Counting(nn.Linear):
        def forward(self, x):
            sizes.append(len(x))
            return super().forward(x)

    m = Counting(4, 3, rng=0)
    with pytest.raises(
        nn.NonFiniteError,
        match=r"validation loss is nan after epoch 1; .* in 1 of 40 validation examples, first in inputs\[36, 0\]",
    ):
        fit(m, nn.optim.SGD(m.parameters(), lr=0.1), validation=(BAD[::-1], Y))
    assert max(sizes) == 16


def test_an_optimiser_of_frozen_parameters_is_refused():
    m = nn.Linear(4, 3, rng=0)
    optimizer = nn.optim.SGD(m.parameters(), lr=0.1)
    m.freeze()
    with pytest.raises(
        TinygradError, match=r"fit: all parameters of the optimizer are frozen; .*model.freeze\(False\)"
    ):
        fit(m, optimizer)
