"""Callbacks of fit: EarlyStopping and schedules are ordinary ones; order, states, contexts and Ctrl-C."""

import os
import signal
from contextlib import nullcontext

import numpy as np
import pytest

import nn
from tinygrad_edu import TinygradError

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 4)), RNG.integers(0, 3, 40)


def build():
    return nn.MLP((4, 8, 3), norm=nn.BatchNorm1d, rng=0)


def fit(model, callbacks=(), lr=0.5, **options):
    """Training whose validation loss soon rises."""
    optimizer = nn.optim.SGD(model.parameters(), lr=lr)
    callbacks = callbacks(model, optimizer) if callable(callbacks) else callbacks
    settings = {"epochs": 30, "batch_size": 8, "validation": (X[:10], Y[::-1][:10]), "progress": False}
    return nn.fit(model, (X, Y), optimizer, **settings | {"on_epoch": list(callbacks)} | options)


def outcome(model, history):
    return {k: x.tolist() for k, x in model.state_dict().items()}, history.curves, history.epochs, repr(history)


class Mine:
    """EarlyStopping as a user writes it."""

    def __init__(self, model, patience):
        self.model, self.patience, self.weights = model, patience, None

    def __call__(self, epoch, history):
        if epoch == history.best_epoch:
            self.weights = self.model.state_dict()
        return epoch - history.best_epoch >= self.patience

    def state_dict(self):
        return {"weights": self.weights}

    def load_state_dict(self, state):
        self.weights = state["weights"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.weights:
            self.model.load_state_dict(self.weights)


class Halving:
    """A schedule as a user writes it, with a state."""

    def __init__(self, optimizer, every=2):
        self.optimizer, self.every, self.count = optimizer, every, 0

    def __call__(self, time, history):
        self.count += 1
        if self.count % self.every == 0:
            self.optimizer.lr = self.optimizer.lr / 2

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]


def test_early_stopping_is_a_callback_that_a_user_can_write():
    outcomes = []
    for options in (
        {"patience": 3},
        {"callbacks": lambda m, o: [nn.EarlyStopping(m, 3)]},
        {"callbacks": lambda m, o: [Mine(m, 3)]},
    ):
        model = build()
        outcomes.append(outcome(model, fit(model, **options)))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert "stopped early" in outcomes[0][-1]
    best = min(outcomes[0][1]["validation_loss"])
    model.load_state_dict({k: np.array(x) for k, x in outcomes[0][0].items()})
    assert nn.evaluate(model, (X[:10], Y[::-1][:10]))["loss"] == best


@pytest.mark.parametrize(
    ("answer", "epochs"), [(True, 1), (np.True_, 1), ("curves.svg", 3), (1.5, 3), (np.ones(2), 3), (False, 3)]
)
def test_only_true_ends_training(answer, epochs):
    history = fit(build(), [lambda epoch, history: answer], epochs=3)
    assert len(history.curves["train_loss"]) == epochs
    assert history.stopped_early == (epochs == 1)


def test_early_stopping_goes_by_the_training_loss_without_validation_data():
    model = build()
    history = fit(model, lambda m, o: [nn.EarlyStopping(m, 1)], lr=3.0, validation=None)
    assert history.monitor == "train_loss"
    assert history.stopped_early
    assert len(history.curves["train_loss"]) == history.best_epoch + 1


def test_an_early_stopping_serves_a_second_training():
    model = build()
    early = nn.EarlyStopping(model, 3)
    fit(model, [early])
    assert early.best_weights is None
    before = model.state_dict()

    def interrupt(step, history):
        raise KeyboardInterrupt

    history = fit(model, [early], on_step=interrupt)  # before its first epoch has ended
    assert history.interrupted
    assert any(not np.array_equal(before[k], x) for k, x in model.state_dict().items())


def test_the_order_at_the_end_of_an_epoch(capsys, tmp_path):
    events = []

    class Counting(Halving):
        def __call__(self, time, history):
            events.append((self.every, time, len(history.curves["train_loss"]), capsys.readouterr().out != ""))

        def __enter__(self):
            events.append("entered")

        def __exit__(self, *_):
            events.append("left")

    def plain(epoch, history):
        saved = nn.runs.latest(tmp_path / "run").epoch
        events.append(
            (epoch, len(history.curves["validation_loss"]), f"epoch {epoch}/2" in capsys.readouterr().out, saved)
        )

    model, options = build(), {"epochs": 2, "progress": True, "run": tmp_path / "run"}
    fit(model, lambda m, o: [plain, Counting(o, 1), Counting(o, 2)], **options)
    first = ["entered", "entered", (1, 1, 1, False), (2, 1, 1, False), (1, 1, True, 0)]
    assert events == [*first, (1, 2, 2, False), (2, 2, 2, False), (2, 2, True, 1), "left", "left"]


def test_callbacks_of_steps_are_called_after_each_step():
    seen, model = [], build()
    look = lambda step, history: seen.append((step, len(history.steps["loss"]))) or True
    history = fit(model, on_step=[look, look], epochs=2)
    assert seen == [(i, i) for i in range(1, 11) for _ in range(2)]
    assert not history.stopped_early


def test_every_callback_is_called_in_the_epoch_that_ends_training():
    seen, model = [], build()
    look = lambda epoch, history: seen.append(epoch)
    history = fit(model, lambda m, o: [look, lambda epoch, _: epoch == 3, look, nn.EarlyStopping(m, 3)])
    assert seen == [1, 1, 2, 2, 3, 3]
    assert history.stopped_early


@pytest.mark.parametrize("event", ["on_step", "on_epoch"])
@pytest.mark.parametrize("callback", [Halving, Mine], ids=["schedule", "early stopping"])
def test_a_users_callback_goes_on_with_its_run(callback, event, tmp_path):
    def go(epochs, every=3, **options):
        model = build()
        optimizer = nn.optim.SGD(model.parameters(), lr=0.5)
        mine = callback(optimizer if callback is Halving else model, every)
        settings = {"batch_size": 8, "validation": (X, Y), "progress": False, "epochs": epochs, "resume": True}
        history = nn.fit(model, (X, Y), optimizer, **settings, run=tmp_path / options["run"], **{event: mine})
        return outcome(model, history), list(history.steps["rate"])

    alone = go(5, run="alone")
    go(2, run="run")
    assert go(5, run="run") == alone
    with pytest.raises(TinygradError, match=rf"got {event}\.0\.(every|patience)=4, expected 3"):
        go(6, every=4, run="run")


@pytest.mark.parametrize("make", [nn.EarlyStopping, Mine])
def test_the_same_objects_go_on(make, tmp_path):
    """As in a notebook, where the model's running statistics have moved on."""
    alone = build()
    expected = outcome(alone, fit(alone, [make(alone, 9)], epochs=5))
    model = build()
    early = make(model, 9)
    fit(model, [early], epochs=2, run=tmp_path / "run")
    assert outcome(model, fit(model, [early], epochs=5, run=tmp_path / "run", resume=True)) == expected


def test_a_callback_whose_state_is_no_plain_data_is_named(tmp_path):
    class Strange(Halving):
        def state_dict(self):
            return {"what": {1, 2}}

    with pytest.raises(TinygradError, match=r"callbacks\.0\.what is \{1, 2\}; expected numbers, texts"):
        fit(build(), lambda m, o: [Strange(o)], run=tmp_path / "run")


@pytest.mark.parametrize("event", ["on_step", "on_epoch"])
def test_ctrl_c_waits_for_callbacks_with_a_state_alone(event):
    ends = []

    class Slow(Halving):
        def __call__(self, time, history):
            if time == 2:
                os.kill(os.getpid(), signal.SIGINT)
                ends.append("with a state")

    def plain(time, history):
        os.kill(os.getpid(), signal.SIGINT)
        ends.append("plain")

    for make in (lambda m, o: Slow(o), lambda m, o: plain):
        model = build()
        optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        history = nn.fit(model, (X, Y), optimizer, progress=False, **{event: make(model, optimizer)})
        assert history.interrupted
    assert ends == ["with a state"]


@pytest.mark.parametrize("error", [None, ValueError("mine"), KeyboardInterrupt()])
def test_contexts_are_left_however_training_ends(error):
    class Context:
        left = None

        def __call__(self, epoch, history):
            if epoch == 2 and error is not None:
                raise error

        def __enter__(self):
            assert self.left is None

        def __exit__(self, kind, *_):
            self.left = kind

    context = Context()
    with pytest.raises(ValueError, match="mine") if isinstance(error, ValueError) else nullcontext() as caught:
        fit(build(), [context], epochs=3)
    assert caught is None or len(caught.value.history.curves["train_loss"]) == 2
    assert context.left is (None if error is None else type(error))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.EarlyStopping(3, 3), "EarlyStopping: got model=3, expected a module"),
        (lambda: nn.EarlyStopping(build(), 0), "EarlyStopping: got patience=0, expected an integer from 1 on"),
        (lambda: nn.EarlyStopping(build(), 2.5), "EarlyStopping: got patience=2.5"),
        (lambda: nn.EarlyStopping(build()), "EarlyStopping: got no patience; it takes model, patience"),
    ],
)
def test_early_stopping_refuses(make, message):
    with pytest.raises(TinygradError, match=message):
        make()
