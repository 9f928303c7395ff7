"""compile_step: five steps of training leave the same bits as recorded ones, for every layer, loss and optimiser."""

from copy import deepcopy

import numpy as np
import pytest
from alone import alone
from test_layers import LAYERS

import nn
from nn import functional
from tinygrad_edu import TinygradError, UnreadableError, Value, no_grad
from tinygrad_edu.compiling.results import equal
from tinygrad_edu.testing.compiling import COPIED, EXTREME, Made

RNG = np.random.default_rng(0)
REFUSED = "targets are checked in each call"
GUARDED = {  # layers and losses whose code looks at numbers: what it decides by them
    **dict.fromkeys(("cross_entropy", "nll", "multi_margin", "bce", "bce_logits", "kl_div", "poisson_nll"), REFUSED),
    **dict.fromkeys(("hinge", "soft_margin", "hinge_embedding", "margin_ranking", "cosine_embedding"), REFUSED),
    **dict.fromkeys(("multilabel_margin", "multilabel_soft_margin", "mape", "msle", "gaussian_nll"), REFUSED),
    **dict.fromkeys(("rmse", "log_cosh", "triplet_margin", "triplet_margin_with_distance"), EXTREME),
    **dict.fromkeys(("softplus", "softplus_threshold"), "beyond its threshold it is x itself"),
}


class Trained(nn.Module):
    """A layer behind a factor that is trained, so that gradient flows through it whether or not it has parameters."""

    def __init__(self, layer, shape):
        self.factor, self.layer = Value(RNG.normal(size=shape[1:])), layer

    def forward(self, x):
        return self.layer(x * self.factor)


def squares(y, target):
    return ((y - target) * (y - target)).mean()


def recorded(model, loss, optimizer, batch):
    optimizer.zero_grad()
    value = loss(model(*batch[:-1]), batch[-1])
    value.backward()
    optimizer.step()
    return float(value.data)


def same_training(
    build, loss, batch, optimise=lambda p: nn.optim.SGD(p, lr=0.01, momentum=0.9), name="cross_entropy", steps=5
):
    """Whether losses, parameters and buffers are equal after some steps, both ways. The compiled step must not fall back.

    Unless the layer or loss of this name is GUARDED, it has no guards.
    """
    ours, theirs = build(), build()
    theirs.load_state_dict(ours.state_dict())
    optimizers = [optimise(model.parameters()) for model in (ours, theirs)]
    step = nn.compile_step(ours, loss, optimizers[0])
    for i in range(steps):
        moved = [x * (1 + 0.1 * i) if x.dtype.kind == "f" else np.roll(x, i, 0) for x in batch[:-1]]
        moved.append(np.roll(batch[-1], i, 0))
        assert step(*moved) == recorded(theirs, loss, optimizers[1], moved)
    made = Made()
    made.add(step.program)
    assert not made.imported
    assert made.copied <= COPIED.keys()
    assert bool(made.guards) == (name in GUARDED), made.guards
    assert not step.program.eager
    assert step.program.compilations == 1
    a, b = ours.state_dict(), theirs.state_dict()
    assert a.keys() == b.keys()
    for name in a:
        assert np.asarray(a[name]).tobytes() == np.asarray(b[name]).tobytes(), name
    return step


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name):
    build, shape, _ = LAYERS[name]
    x = RNG.normal(size=shape)

    def whole():
        model = Trained(build(), shape)
        model.factor.data[...] = 0.5
        return model

    target = np.full(np.shape(whole()(x).data), 0.25)
    same_training(whole, squares, (x, target), name=name)


def small(*layers):
    return lambda: nn.Sequential(nn.Linear(6, 5, rng=0), *[layer() for layer in layers], nn.Linear(5, 3, rng=1))


X, LABELS, TARGETS = RNG.normal(size=(8, 6)), RNG.integers(0, 3, 8), RNG.uniform(0.1, 0.9, (8, 3))
CHANCES, SIGNS = TARGETS / TARGETS.sum(axis=1, keepdims=True), np.sign(RNG.normal(size=(8, 3)))
LOSSES = {
    "cross_entropy": (functional.cross_entropy, LABELS),
    "nll": (lambda y, t: functional.nll_loss(functional.log_softmax(y, 1), t), LABELS),
    "multi_margin": (functional.multi_margin_loss, LABELS),
    "bce": (lambda y, t: functional.binary_cross_entropy(functional.sigmoid(y), t), TARGETS),
    "bce_logits": (functional.binary_cross_entropy_with_logits, TARGETS),
    "kl_div": (lambda y, t: functional.kl_div(functional.log_softmax(y, 1), t), CHANCES),
    "hinge": (functional.hinge_loss, SIGNS),
    "soft_margin": (functional.soft_margin_loss, SIGNS),
    "hinge_embedding": (functional.hinge_embedding_loss, SIGNS),
    "poisson_nll": (functional.poisson_nll_loss, TARGETS),
    **{
        name: (getattr(functional, f"{name}_loss"), TARGETS)
        for name in ("mse", "half_mse", "sse", "rmse", "l1", "sae", "huber", "smooth_l1", "log_cosh", "mape")
    },
    "msle": (lambda y, t: functional.msle_loss(functional.sigmoid(y), t), TARGETS),
    "gaussian_nll": (lambda y, t: functional.gaussian_nll_loss(y, t, functional.softplus(y)), TARGETS),
    "cosine_embedding": (lambda y, t: functional.cosine_embedding_loss(y, t, np.where(t[:, 0] > 0.5, 1, -1)), TARGETS),
    "margin_ranking": (lambda y, t: functional.margin_ranking_loss(y[:, 0], y[:, 1], t), SIGNS[:, 0]),
    "multilabel_margin": (functional.multilabel_margin_loss, np.array([[0, -1, -1], [2, 0, -1]] * 4)),
    "multilabel_soft_margin": (functional.multilabel_soft_margin_loss, (TARGETS > 0.5) * 1.0),
    "triplet_margin": (lambda y, t: functional.triplet_margin_loss(y, y[::-1], t), TARGETS),
    "triplet_margin_with_distance": (
        lambda y, t: functional.triplet_margin_with_distance_loss(y, t, y * t, swap=True),
        TARGETS,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss(name):
    loss, target = LOSSES[name]
    same_training(small(nn.Tanh), loss, (X, target), name=name)


OPTIMISERS = {
    "sgd": lambda p: nn.optim.SGD(p, lr=0.1),
    "nesterov": lambda p: nn.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: nn.optim.Adam(p, lr=0.01, amsgrad=True),
    "adamw": lambda p: nn.optim.AdamW(p, lr=0.01),
    "adagrad": lambda p: nn.optim.Adagrad(p, lr=0.1),
    "rmsprop": lambda p: nn.optim.RMSprop(p, lr=0.01, momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser(name):
    same_training(small(nn.ReLU), functional.cross_entropy, (X, LABELS), OPTIMISERS[name])


class Reading(nn.Module):
    """A layer over sequences, and the class that its last place tells."""

    def __init__(self, layer):
        self.layer, self.out = layer, nn.Linear(6, 3, rng=1)

    def forward(self, x):
        y = self.layer(x)
        return self.out((y[0] if isinstance(y, tuple) else y)[:, -1])


@pytest.mark.parametrize(
    "layer",
    [
        lambda: nn.RNN(6, 6, rng=0),
        lambda: nn.GRU(6, 6, 2, rng=0),
        lambda: nn.LSTM(6, 6, rng=0),
        lambda: nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, rng=0),
    ],
)
def test_sequences(layer):
    same_training(lambda: Reading(layer()), functional.cross_entropy, (RNG.normal(size=(4, 5, 6)), LABELS[:4]))


class Attending(nn.Module):
    def __init__(self):
        self.attention, self.norm = nn.MultiheadAttention(6, 2, rng=0), nn.LayerNorm(6)
        self.out = nn.Linear(6, 3, rng=1)

    def forward(self, x):
        return self.out(self.norm(x + self.attention(x, x, x)[0])[:, -1])


def convolutional():
    return nn.Sequential(
        *[
            nn.Conv2d(1, 3, 3, rng=0),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(3, 4, 2, padding=1, rng=1),
        ],
        *[nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Dropout(0.3, rng=2), nn.Linear(4, 3, rng=3)],
    )


SEQUENCES, PICTURES, WORDS = RNG.normal(size=(4, 5, 6)), RNG.normal(size=(4, 1, 6, 6)), RNG.integers(0, 9, (4, 5))
SAVED = {
    "rnn": (lambda: Reading(nn.RNN(6, 6, rng=0)), SEQUENCES),
    "gru": (lambda: Reading(nn.GRU(6, 6, 2, rng=0)), SEQUENCES),
    "lstm": (lambda: Reading(nn.LSTM(6, 6, rng=0)), SEQUENCES),
    "transformer": (lambda: Reading(nn.TransformerEncoderLayer(6, 2, 8, dropout=0.1, rng=0)), SEQUENCES),
    "attention": (Attending, SEQUENCES),
    "convolution": (convolutional, PICTURES),
    "embedding": (lambda: nn.Sequential(nn.Embedding(9, 6, rng=0), Reading(nn.Tanh())), WORDS),
    "batch norm": (small(lambda: nn.BatchNorm1d(5), nn.ReLU, lambda: nn.Dropout(0.5, rng=4)), X[:4]),
}


@pytest.mark.parametrize("name", SAVED)
def test_every_kind_of_model(name):
    build, inputs = SAVED[name]
    same_training(build, functional.cross_entropy, (inputs, LABELS[:4]))


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_step_runs_with_numpy_alone(name, tmp_path):
    build, inputs = SAVED[name]
    model = build()
    step = nn.compile_step(model, functional.cross_entropy, nn.optim.SGD(model.parameters(), lr=0.1))
    step(inputs, LABELS[:4])
    assert step.program.needs == {}
    path = step.program.save(tmp_path / "step.py")
    modes = tuple(module.training for _, module in model.named_modules())
    calls, expected = [], []
    for scale in (1.0, 0.9):
        given = {name: p.data * scale for name, p in model.named_parameters()}, dict(model.named_buffers()), modes
        calls.append(deepcopy((*given, inputs, LABELS[:4])))
        expected.append(step.program(*given, inputs, LABELS[:4]))
    assert not step.program.eager
    got = alone(path, "step", calls, tmp_path)
    assert all(map(equal, got, expected)), path.read_text(encoding="utf-8")


def test_running_statistics_move_and_dropout_draws_in_each_call():
    build = small(lambda: nn.BatchNorm1d(5), lambda: nn.Dropout(0.4, rng=3), nn.GELU, lambda: nn.Dropout(0.2, rng=4))
    step = same_training(build, functional.cross_entropy, (X, LABELS))
    assert step.program.source.count(".random(") == 2


def test_rates_clipping_modes_and_frozen_parameters_may_change():
    a, b = small(lambda: nn.BatchNorm1d(5), nn.Tanh)(), small(lambda: nn.BatchNorm1d(5), nn.Tanh)()
    optimizers = [nn.optim.SGD(model.parameters(), lr=0.1) for model in (a, b)]
    schedules = [nn.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5) for optimizer in optimizers]
    step = nn.compile_step(a, functional.cross_entropy, optimizers[0], clip_norm=0.1)
    for i in range(6):
        if i == 2:
            a.eval(), b.eval()
        if i == 4:
            next(iter(a.children()))[1].freeze(), next(iter(b.children()))[1].freeze()
        optimizers[1].zero_grad()
        loss = functional.cross_entropy(b(X), LABELS)
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in b.parameters() if p.requires_grad], 0.1)
        optimizers[1].step()
        assert step(X, LABELS) == float(loss.data)
        for schedule in schedules:
            schedule.step()
    assert step.program.compilations == 3
    assert all(np.array_equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_model_that_branches_on_numbers_is_refused_with_its_line():
    class Branching(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(6, 3, rng=0)

        def forward(self, x):
            return self.layer(x) if x.sum() > 0 else self.layer(-x)

    model = Branching()
    step = nn.compile_step(model, functional.cross_entropy, nn.optim.SGD(model.parameters(), lr=0.1))
    before = {name: np.array(p) for name, p in model.state_dict().items()}
    with pytest.raises(UnreadableError, match="branches on numbers"):
        step(X, LABELS)
    assert all(np.array_equal(before[name], p) for name, p in model.state_dict().items())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clip_norm": 0.1, "penalty": lambda model: functional.l2_penalty(model, 0.01)},
        {"loss": lambda y, t: functional.cross_entropy(y, t, ignore_index=1), "gradient_norm": True},
        {"loss": lambda y, t: ((y[:, 0] - t) * (y[:, 0] - t)).mean(), "metrics": []},
        {"loss": functional.multi_margin_loss, "metrics": []},
    ],
)
def test_fit_leaves_the_same_bits(options):
    inputs, labels = RNG.normal(size=(45, 6)), RNG.integers(0, 3, 45)

    def trained(compiled):
        model = small(lambda: nn.BatchNorm1d(5), nn.Tanh, lambda: nn.Dropout(0.3, rng=3))()
        optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
        given = {"epochs": 4, "batch_size": 10, "rng": 0, "progress": False} | options
        history = nn.fit(model, (inputs, labels), optimizer, compile=compiled, **given)
        return history.steps["loss"].tolist(), model.state_dict()

    (losses, a), (expected, b) = trained(True), trained(False)
    assert losses == expected
    assert all(np.asarray(a[name]).tobytes() == np.asarray(b[name]).tobytes() for name in a)


def test_a_compiled_fit_that_meets_nan_leaves_no_trace():
    inputs = RNG.normal(size=(20, 6))
    inputs[13] = np.nan
    model = small(lambda: nn.BatchNorm1d(5))()
    with pytest.raises(nn.NonFiniteError, match="training examples"):
        nn.fit(
            model,
            (inputs, RNG.integers(0, 3, 20)),
            nn.optim.SGD(model.parameters(), lr=0.1),
            compile=True,
            epochs=1,
            progress=False,
        )
    assert all(np.isfinite(x).all() for x in model.state_dict().values())


def test_fit_refuses_what_it_cannot_compile():
    model = small(nn.Tanh)()
    for options in ({"accumulate": 2}, {"optimizer": nn.optim.LBFGS(model.parameters())}):
        given = {"optimizer": nn.optim.SGD(model.parameters(), lr=0.1)} | options
        with pytest.raises(TinygradError, match="compile=True is for one batch a step"):
            nn.fit(model, (X, LABELS), compile=True, **given)


SCALE = 1.0


class Scaled(nn.Module):
    def __init__(self):
        self.layer, self.drop, self.factor = nn.Linear(6, 3, rng=0), nn.Dropout(0.5, rng=1), 1.0

    def forward(self, x):
        return self.layer(self.drop(x)) * (self.factor * SCALE)


@pytest.mark.parametrize("what", ["closure", "array", "attribute", "dropout", "global", "layer"])
def test_what_a_callback_changes_around_the_model_counts(what, monkeypatch):
    def trained(compiled):
        monkeypatch.setitem(globals(), "SCALE", 1.0)
        model, beta, weight = Scaled(), 1.0, np.array([1.0, 2.0, 3.0])
        model.spare = nn.Tanh()

        def change(time, history):
            nonlocal beta
            if what == "closure":
                beta *= 0.5
            elif what == "array":
                weight[0] += 1
            elif what == "attribute":
                model.factor *= 0.5
            elif what == "dropout":
                model.drop.p = 0.0
            elif what == "global":
                globals()["SCALE"] *= 0.5
            else:
                model.drop = nn.Identity()

        def loss(y, t):
            return functional.cross_entropy(y, t, weight=weight) * beta

        optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        data = np.tile(X, (4, 1)), np.tile(LABELS, 4)
        history = nn.fit(model, data, optimizer, loss=loss, on_epoch=change, compile=compiled, epochs=4, progress=False)
        return history.steps["loss"].tolist()

    assert trained(True) == trained(False)


@pytest.mark.parametrize("how", ["unused", "detached", "no_grad"])
def test_a_parameter_on_which_the_loss_does_not_depend_has_no_gradient(how):
    class Partly(nn.Module):
        def __init__(self):
            self.used, self.other = nn.Linear(6, 3, rng=0), nn.Linear(6, 3, rng=1)

        def forward(self, x):
            if how == "unused":
                return self.used(x)
            if how == "detached":
                return self.used(x) + self.other(x).detach()
            with no_grad():
                y = self.other(x)
            return self.used(x) + y

    same_training(
        Partly, functional.cross_entropy, (X, LABELS), lambda p: nn.optim.SGD(p, lr=0.1, weight_decay=0.1, momentum=0.9)
    )


@pytest.mark.parametrize("what", ["count", "mean", "seen"])
def test_a_forward_that_changes_the_model_is_refused(what):
    class Changing(nn.Module):
        def __init__(self):
            self.layer, self.count, self.mean, self.seen = nn.Linear(6, 3, rng=0), 0, np.zeros(6), []

        def forward(self, x):
            if what == "count":
                self.count += 1
            elif what == "mean":
                self.mean = self.mean * 0.9 + 0.1
            else:
                self.seen.append(1)
            return self.layer(x - self.mean) * (1 + self.count)

    model = Changing()
    step = nn.compile_step(model, functional.cross_entropy, nn.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(UnreadableError, match=f"changes {what} of the model"):
        step(X, LABELS)
    assert (model.count, model.seen, model.mean.tolist()) == (0, [], [0.0] * 6)


def test_a_compiled_loss_must_be_one_number():
    model = nn.Linear(6, 3, rng=0)
    for loss, error in (
        (lambda y, t: y, "a Value of shape"),
        (lambda y, t: 3.0, "a float"),
        (lambda y, t: None, "a None"),
    ):
        optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        step = nn.compile_step(model, loss, optimizer)
        with pytest.raises(TinygradError, match=f"compile_step: the loss returned {error}"):
            step(X, LABELS)
        with pytest.raises(TinygradError, match=f"fit: the loss returned {error}"):
            nn.fit(model, (X, LABELS), optimizer, loss=loss, metrics=[], compile=True, epochs=1, progress=False)


@pytest.mark.parametrize("start", ["compile_step", "fit"])
def test_an_optimizer_of_parameters_that_are_not_the_models_is_refused(start):
    model, other = nn.Linear(3, 1, rng=0), Value(np.ones((2, 3)))
    optimizer = nn.optim.SGD([*model.parameters(), other], lr=0.1)
    x, y = np.ones((4, 3)), np.ones((4, 1))
    calls = {
        "compile_step": lambda: nn.compile_step(model, nn.functional.mse_loss, optimizer),
        "fit": lambda: nn.fit(model, (x, y), loss=nn.functional.mse_loss, optimizer=optimizer, epochs=1, compile=True),
    }
    expected = rf"^{start}: got an optimizer with 1 parameter that is not the model's, of shape \(2, 3\); make"
    with pytest.raises(TinygradError, match=expected):
        calls[start]()


WEIGHTED = {
    "a mask of booleans": lambda e, t: (e * (t[:, :1] > 0), (t[:, :1] > 0).sum()),
    "weights": lambda e, t: (e * t[:, 1:], t[:, 1:].sum()),
    "a plain number": lambda e, t: (e, 3),
}


@pytest.mark.parametrize("name", WEIGHTED)
def test_fit_with_a_loss_of_a_sum_and_its_weight(name):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), np.abs(rng.normal(size=(12, 2)))
    y[::3, 0] *= -1

    def loss(output, t):
        losses, weight = WEIGHTED[name]((output - t[:, :1]) ** 2, t)
        return losses.sum(), weight

    found = []
    for compiled in (False, True):
        model = nn.Linear(3, 1, rng=0)
        optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        history = nn.fit(
            model,
            (x, y),
            loss=loss,
            optimizer=optimizer,
            epochs=2,
            batch_size=5,
            rng=0,
            compile=compiled,
            progress=False,
        )
        found.append([model.weight.data.tobytes(), list(history.steps["loss"]), list(history.curves["train_loss"])])
    assert found[0] == found[1]


def test_a_parameter_that_is_frozen_between_steps_keeps_no_gradient():
    """Else clipping would count it."""
    model = nn.MLP((3, 4, 2), nn.ReLU, rng=0)
    step = nn.compile_step(model, functional.cross_entropy, nn.optim.SGD(model.parameters(), lr=0.1), clip_norm=0.1)
    batch = np.ones((4, 3)), np.zeros(4, int)
    for _ in range(4):
        step(*batch)
    first = model.parameters()[0]
    first.requires_grad = False
    step(*batch)
    assert first.grad is None


@pytest.mark.parametrize("what", ["parameter", "buffer"])
def test_a_parameter_or_buffer_that_is_replaced_is_an_error_with_its_path(what):
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.BatchNorm1d(2))
    step = nn.compile_step(model, functional.cross_entropy, nn.optim.SGD(model.parameters(), lr=0.1))
    batch = np.arange(12.0).reshape(4, 3), np.zeros(4, int)
    for _ in range(4):
        step(*batch)
    if what == "parameter":
        model[0].weight = Value(np.ones((2, 3)), requires_grad=True)
    else:
        model[1].running_mean = np.ones(2)
    path = "0.weight" if what == "parameter" else "1.running_mean"
    with pytest.raises(TinygradError, match=f"compile_step: {path} of the model is another object"):
        step(*batch)


def test_a_batch_may_be_a_value():
    model = nn.MLP((3, 4, 2), nn.ReLU, rng=0)
    step = nn.compile_step(model, functional.cross_entropy, nn.optim.SGD(model.parameters(), lr=0.1))
    for _ in range(4):
        step(Value(np.ones((4, 3))), np.zeros(4, int))
        assert all(type(p.raw_grad) is np.ndarray for p in model.parameters())
    assert not step.program.eager
