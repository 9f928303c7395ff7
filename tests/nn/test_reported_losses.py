"""A reported loss, and a step over several batches, are those of all examples at once, whatever the batches."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

import nn
from nn import functional as f
from tinygrad_edu import TinygradError, Value

RNG = np.random.default_rng(5)
N, CLASSES = 33, 3
X = RNG.standard_normal((N, 4))
LABELS = RNG.integers(0, CLASSES, N)
PADDED = np.where(np.arange(N) % 5 < 2, -100, LABELS)
SHARES = RNG.dirichlet(np.ones(CLASSES), N)
WEIGHT = np.array([1.0, 10.0, 0.1])
REAL = RNG.standard_normal((N, CLASSES))
SIGNS = np.sign(REAL)
SIZES = (1, 2, 7, 11, 16, 32, 33, 100)


def masked(output, target):
    """A loss of one's own that gives its parts: the squared error where the target is positive."""
    mask = target > 0
    return (((output - target) ** 2) * mask).sum(), mask.sum()


class Doubled(nn.RMSELoss):
    """Overrides forward, so its settings tell nothing: its number counts as a mean over examples."""

    def forward(self, output, target):
        return super().forward(output, target) * 2


@dataclass
class Unhashable:
    scale: float

    def __call__(self, output, target):
        return ((output - target) ** 2).mean() * self.scale


CASES = {
    "cross entropy": (f.cross_entropy, LABELS),
    "cross entropy, padded": (f.cross_entropy, PADDED),
    "class weights": (nn.CrossEntropyLoss(weight=WEIGHT), LABELS),
    "class weights, padded, smoothed": (
        nn.CrossEntropyLoss(weight=WEIGHT, label_smoothing=0.2),
        PADDED,
    ),
    "class weights, partial": (partial(f.cross_entropy, weight=WEIGHT), PADDED),
    "class weights, partial of partial": (partial(partial(f.cross_entropy, weight=WEIGHT), ignore_index=1), LABELS),
    "a class of weight 0": (nn.CrossEntropyLoss(weight=[0.0, 1.0, 2.0]), LABELS),
    "a class of weight 0, smoothed": (nn.CrossEntropyLoss(weight=[0.0, 2.0, 0.5], label_smoothing=0.1), LABELS),
    "all rows of many batches ignored": (nn.CrossEntropyLoss(), np.where(np.arange(N) < 20, -100, LABELS)),
    "another ignored label": (nn.CrossEntropyLoss(ignore_index=1), LABELS),
    "cross entropy of probabilities": (partial(f.cross_entropy, weight=WEIGHT), SHARES),
    "cross entropy, sum": (nn.CrossEntropyLoss(reduction="sum"), PADDED),
    "nll": (lambda o, y: f.nll_loss(f_log(o), y), LABELS),
    "mse": (f.mse_loss, REAL),
    "mse, sum": (partial(f.mse_loss, reduction="sum"), REAL),
    "half mse": (nn.HalfMSELoss(), REAL),
    "half mse, batchmean": (nn.HalfMSELoss(reduction="batchmean"), REAL),
    "sse": (f.sse_loss, REAL),
    "sse, module": (nn.SSELoss(), REAL),
    "sse, mean": (nn.SSELoss(reduction="mean"), REAL),
    "rmse": (nn.RMSELoss(), REAL),
    "rmse, function": (f.rmse_loss, REAL),
    "rmse, sum": (nn.RMSELoss(reduction="sum"), REAL),
    "l1": (f.l1_loss, REAL),
    "sae": (f.sae_loss, REAL),
    "huber": (partial(f.huber_loss, delta=0.5), REAL),
    "log cosh": (nn.LogCoshLoss(), REAL),
    "mape": (f.mape_loss, REAL),
    "hinge": (f.hinge_loss, SIGNS),
    "hinge embedding": (f.hinge_embedding_loss, SIGNS),
    "multi margin": (nn.MultiMarginLoss(weight=WEIGHT), LABELS),
    "bce of logits": (nn.BCEWithLogitsLoss(pos_weight=WEIGHT), (SIGNS > 0) * 1.0),
    "soft margin": (nn.SoftMarginLoss(), SIGNS),
    "poisson": (f.poisson_nll_loss, np.abs(REAL)),
    "several labels": (f.multilabel_margin_loss, np.where(SIGNS > 0, np.arange(CLASSES), -1)),
    "several labels, soft": (nn.MultiLabelSoftMarginLoss(weight=WEIGHT), (SIGNS > 0) * 1.0),
    "kl, batchmean": (nn.KLDivLoss(reduction="batchmean"), SHARES),
    "kl, mean": (f.kl_div, SHARES),
    "gaussian nll": (partial(f.gaussian_nll_loss, var=0.5), REAL),
    "one's own, a mean": (lambda o, y: ((o - y) ** 2).mean(), REAL),
    "one's own, unhashable": (Unhashable(2.0), REAL),
    "one's own, a pair": (masked, REAL),
    "a lambda around one of nn": (lambda o, y: f.cross_entropy(o * 2, y), np.where(np.arange(N) < 20, -100, LABELS)),
    "a lambda around weights": (lambda o, y: f.cross_entropy(o, y, weight=WEIGHT, ignore_index=1), LABELS),
    "a lambda around a root": (lambda o, y: f.rmse_loss(o, y), REAL),
    "a lambda around a sum": (lambda o, y: nn.SSELoss()(o, y), REAL),
}


def f_log(scores):
    from tinygrad_edu import log_softmax

    return log_softmax(scores, axis=1)


def linear(dtype=float):
    return nn.Linear(4, CLASSES, rng=0, dtype=dtype)


def whole(loss, model, target):
    """The loss of all examples at once, as a Value."""
    given = loss(model(X), target)
    return given[0] / given[1] if isinstance(given, tuple) else given


@pytest.mark.parametrize("name", CASES)
def test_evaluate_does_not_depend_on_the_batch_size(name):
    loss, target = CASES[name]
    model = linear()
    right = float(whole(loss, model, target).data)
    seen = [nn.evaluate(model, (X, target), loss, (), batch_size=size)["loss"] for size in (*SIZES, None)]
    assert np.allclose(seen, right, rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", CASES)
def test_the_training_loss_does_not_depend_on_the_batch_size(name):
    loss, target = CASES[name]
    right = float(whole(loss, linear(), target).data)
    for size in (1, 7, 32, 33):
        model = linear()
        still = nn.optim.SGD(model.parameters(), lr=1e-300)  # the weights stay, so that every batch meets the same ones
        history = nn.fit(model, (X, target), still, loss=loss, epochs=1, batch_size=size, progress=False)
        assert history.curves["train_loss"][0] == pytest.approx(right, rel=1e-13)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("size", "accumulate"), [(32, 2), (11, 3), (7, 5), (1, 33), (4, 100)])
def test_accumulated_batches_make_the_gradient_of_one(name, size, accumulate):
    loss, target = CASES[name]
    model = linear()
    whole(loss, model, target).backward()
    steps = {path: p.data - 0.01 * p.grad for path, p in model.named_parameters()}
    model = linear()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.01)
    options = {"loss": loss, "epochs": 1, "batch_size": size, "accumulate": accumulate, "progress": False}
    history = nn.fit(model, (X, target), optimizer, **options)
    assert optimizer.steps == 1
    for path, p in model.named_parameters():
        assert np.allclose(p.data, steps[path], rtol=1e-12, atol=1e-14), path
    assert history.steps["loss"][0] == pytest.approx(float(whole(loss, linear(), target).data), rel=1e-13)


def test_float32_accumulates_alike():
    results = []
    for size, accumulate in ((33, 1), (32, 2)):
        model = linear(np.float32)
        loss = nn.CrossEntropyLoss(weight=WEIGHT)
        optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        data = X.astype(np.float32), PADDED
        nn.fit(model, data, optimizer, loss=loss, epochs=1, batch_size=size, accumulate=accumulate, progress=False)
        results.append(model.weight.data)
    assert results[1].dtype == np.float32
    assert np.allclose(*results, rtol=1e-5)


def test_float16_losses_keep_their_parts():
    model = linear(np.float16)
    data = X.astype(np.float16), PADDED
    right = float(f.cross_entropy(Value(model(data[0]).data.astype(float)), PADDED).data)
    for size in (7, 33):
        assert nn.evaluate(model, data, batch_size=size)["loss"] == pytest.approx(right, rel=1e-3)


def test_a_group_that_is_not_full_weighs_its_examples_too():
    """Batches of 16, 16 and 1, in steps of two: the last step has the gradient of its one example, neither half nor double."""
    model = linear()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    nn.fit(model, (X, LABELS), optimizer, epochs=1, batch_size=16, accumulate=2, progress=False)
    by_hand = linear()
    other = nn.optim.SGD(by_hand.parameters(), lr=0.1)
    for part in (slice(0, 32), slice(32, 33)):
        other.zero_grad()
        f.cross_entropy(by_hand(X[part]), LABELS[part]).backward()
        other.step()
    assert np.allclose(model.weight.data, by_hand.weight.data, rtol=1e-12)


def test_a_batch_of_padding_alone_adds_nothing():
    padded = LABELS.copy()
    padded[8:16] = -100
    kept = np.flatnonzero(padded != -100)
    for size in (8, 4, 33):
        seen = nn.evaluate(linear(), (X, padded), batch_size=size)
        assert seen == pytest.approx(nn.evaluate(linear(), (X[kept], padded[kept])), rel=1e-13)
    model = linear()
    optimizer = nn.optim.Adam(model.parameters(), lr=0.1)
    history = nn.fit(model, (X, padded), optimizer, epochs=1, batch_size=8, progress=False)
    assert optimizer.steps == 4  # of 5 batches: Adam's momentum does not carry on through the one of padding
    assert np.isnan(history.steps["loss"]).tolist() == [False, True, False, False, False]
    assert np.isfinite(history.curves["train_loss"]).all()
    model = linear()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    nn.fit(model, (X, padded), optimizer, epochs=1, batch_size=8, accumulate=2, progress=False)
    assert optimizer.steps == 3


@pytest.mark.parametrize("loss", [f.cross_entropy, nn.CrossEntropyLoss(weight=WEIGHT), lambda o, y: (o.sum() * 0, 0)])
def test_padding_alone_is_refused(loss):
    nothing = np.full(N, -100)
    with pytest.raises(TinygradError, match="evaluate: all labels are ignored or weigh 0"):
        nn.evaluate(linear(), (X, nothing), loss, ())
    model = linear()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(TinygradError, match="fit: all labels are ignored or weigh 0") as caught:
        nn.fit(model, (X, nothing), optimizer, loss=loss, metrics=(), progress=False)
    assert caught.value.history.curves == {}
    assert np.array_equal(model.weight.data, linear().weight.data)
    with pytest.raises(
        TinygradError, match="cross_entropy: all labels are ignored"
    ):  # a mean asked for by hand stays an error
        f.cross_entropy(linear()(X), nothing)


def test_a_loss_of_ones_own_without_parts_counts_examples():
    model = linear()
    for loss in (Doubled(), lambda o, y: f.rmse_loss(o, y) * 2):
        right = (32 * loss(model(X[:32]), REAL[:32]).data + loss(model(X[32:]), REAL[32:]).data) / 33
        assert nn.evaluate(model, (X, REAL), loss, (), batch_size=32)["loss"] == pytest.approx(float(right), rel=1e-13)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda o, y: (o.sum(), 1, 2), "the loss returned a tuple .*, expected one number, or a pair: the sum"),
        (lambda o, y: (o.sum(), -1), "expected one number, or a pair"),
        (lambda o, y: (o.sum(), None), "expected one number, or a pair"),
        (lambda o, y: (o.sum(), np.nan), "expected one number, or a pair"),
        (lambda o, y: (o, 3), "expected .*one number"),
        (lambda o, y: o, "expected .*one number"),
        (nn.MSELoss(reduction="none"), "expected .*one number"),
        ("mse", "got loss='mse', expected a function"),
        (None, "got loss=None, expected a function"),
    ],
)
def test_what_is_no_loss_is_refused(loss, message):
    model = linear()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    before = model.state_dict()
    with pytest.raises(TinygradError, match=f"evaluate: .*{message}"):
        nn.evaluate(model, (X, REAL), loss, ())
    with pytest.raises(TinygradError, match=f"fit: .*{message}"):
        nn.fit(model, (X, REAL), optimizer, loss=loss, progress=False)
    assert all(np.array_equal(before[path], array) for path, array in model.state_dict().items())
    assert optimizer.steps == 0


def test_rmse_of_a_perfect_fit_has_no_gradient_and_large_errors_no_overflow():
    model = linear()
    data = X, model(X).data
    before = model.weight.data.copy()
    for options in ({"batch_size": 33}, {"batch_size": 11, "accumulate": 3}):
        optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        history = nn.fit(model, data, optimizer, loss=nn.RMSELoss(), epochs=1, progress=False, **options)
        assert history.curves["train_loss"] == [0.0]
        assert np.array_equal(model.weight.data, before)
    seen = [nn.evaluate(model, (X, REAL * 1e200), nn.RMSELoss(), (), batch_size=size)["loss"] for size in (4, 33)]
    assert seen[0] == pytest.approx(seen[1], rel=1e-12)
    assert np.isfinite(seen[0])


# -- Cross-entropy where a probability is 0 ----------------------------------------------------------------------------


def entropy(scores, shares):
    """-Σ t ln softmax over the classes where t > 0, of one row."""
    kept = shares > 0
    log_p = scores - np.log(np.sum(np.exp(scores)))
    return -np.sum(shares[kept] * log_p[kept])


def test_a_probability_of_0_at_a_masked_class_counts_nothing():
    scores = np.array([[1.0, -np.inf, 2.0], [0.0, 0.5, -np.inf]])
    shares = np.array([[0.3, 0.0, 0.7], [0.25, 0.75, 0.0]])
    logits = Value(scores)
    losses = f.cross_entropy(logits, shares, reduction="none")
    assert np.allclose(losses.data, [entropy(*row) for row in zip(scores, shares, strict=True)], rtol=1e-13)
    losses.sum().backward()
    e = np.exp(scores)
    assert np.allclose(logits.grad, e / e.sum(1, keepdims=True) - shares, atol=1e-15)
    some = np.array([[0.3, 0.1, 0.6]])
    assert f.cross_entropy(scores[:1], some) == np.inf  # what cannot be was seen
    assert f.cross_entropy(scores[:1], shares[:1], label_smoothing=0.1) == np.inf
    assert np.isnan(f.cross_entropy(np.array([[1.0, np.nan, 2.0]]), shares[:1]))


def test_a_class_of_weight_0_that_is_masked_counts_nothing():
    scores = Value(np.array([[1.0, -np.inf, 2.0], [0.5, -np.inf, 0.0]]))
    loss = f.cross_entropy(scores, [0, 1], weight=[1.0, 0.0, 2.0])
    assert float(loss.data) == pytest.approx(np.log(1 + np.e))
    loss.backward()
    assert np.isfinite(scores.grad).all()
    smooth = f.cross_entropy(scores, [0, 2], weight=[1.0, 0.0, 2.0], label_smoothing=0.3)
    assert np.isfinite(smooth.data)


def test_probabilities_have_no_label_to_ignore():
    with pytest.raises(TinygradError, match="got ignore_index=1 and a target of probabilities, expected labels"):
        f.cross_entropy(X[:, :3], SHARES, ignore_index=1)
    assert np.isfinite(f.cross_entropy(X[:, :3], SHARES, ignore_index=-1))


def test_a_sum_of_ignored_labels_alone_updates_nothing():
    model = linear()
    optimizer = nn.optim.Adam(model.parameters(), lr=0.1)
    target = np.where(np.arange(N) < 11, LABELS, -100)
    loss = nn.CrossEntropyLoss(reduction="sum")
    nn.fit(model, (X, target), optimizer, loss=loss, epochs=1, batch_size=11, progress=False)
    assert optimizer.steps == 1  # of three batches, of which two are padding


@pytest.mark.parametrize("weight", [np.inf, np.nan, -1, "1", None])
def test_a_weight_that_cannot_divide_is_refused(weight):
    with pytest.raises(
        TinygradError, match="expected one number, or a pair: the sum over the batch, and a finite weight"
    ):
        nn.evaluate(linear(), (X, REAL), lambda o, y: (f.sse_loss(o, y), weight))


def test_a_weight_may_be_an_array_of_one_number():
    pair = nn.evaluate(linear(), (X, REAL), lambda o, y: (f.sse_loss(o, y), np.array(y.size)), batch_size=7)
    assert pair["loss"] == pytest.approx(nn.evaluate(linear(), (X, REAL), f.mse_loss)["loss"])


def test_a_lambda_around_a_loss_of_float16_counts_examples_too():
    model, x = linear(np.float16), X.astype(np.float16)
    seen = [
        nn.evaluate(model, (x, PADDED), lambda o, y: f.cross_entropy(o, y), (), batch_size=size)["loss"]
        for size in (33, 16, 4)
    ]
    assert np.allclose(seen, seen[0], rtol=1e-3)
