"""Metrics, penalty, monitor and the other arguments of fit and evaluate: what they record, and what is refused before anything changes."""

from functools import partial

import numpy as np
import pytest

import nn
from nn import functional as f
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 4))
Y = (X[:, 0] + 0.3 * RNG.standard_normal(40) > 0).astype(int) + (X[:, 1] > 1)
V, W = RNG.standard_normal((21, 4)), RNG.integers(0, 3, 21)
ONE_HOT = np.eye(3)[Y]
schedules = nn.optim.lr_scheduler


def model(dropout=0.0):
    return nn.MLP((4, 8, 3), rng=0, dropout=dropout)


def fit(m=None, data=(X, Y), optimizer=None, **options):
    m = model() if m is None else m
    optimizer = nn.optim.SGD(m.parameters(), lr=0.1) if optimizer is None else optimizer
    return nn.fit(m, data, optimizer, **{"epochs": 3, "batch_size": 16, "progress": False} | options)


# -- Metrics -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "ignored"),
    [
        (f.cross_entropy, -100),
        (nn.CrossEntropyLoss(ignore_index=7), 7),
        (partial(f.cross_entropy, ignore_index=-1), -1),
        (partial(nn.CrossEntropyLoss(ignore_index=2)), 2),
        (nn.NLLLoss(), -100),
    ],
)
@pytest.mark.parametrize("kept", [1, 13, 40])
def test_the_accuracy_beside_a_loss_leaves_out_what_the_loss_ignores(loss, ignored, kept):
    m = nn.Linear(4, 2, rng=0)
    right = m(X).data.argmax(1)
    labels = np.where(np.arange(40) < kept, right, ignored)
    assert nn.evaluate(m, (X, labels), loss)["accuracy"] == 1.0
    labels[0] = 1 - labels[0]
    assert nn.evaluate(m, (X, labels), loss, batch_size=3)["accuracy"] == pytest.approx(1 - 1 / kept)


def test_metrics_given_by_hand_refuse_labels_that_mark_padding():
    labels = np.where(np.arange(40) < 30, Y, -100)
    for metric in (
        nn.metrics.accuracy,
        partial(nn.metrics.top_k_accuracy, k=2),
        nn.metrics.f1,
        nn.metrics.confusion_matrix,
    ):
        with pytest.raises(TinygradError, match="got labels from -100 to 2, expected 0 to 2 .* pass ignore_index="):
            nn.evaluate(model(), (X, labels), metrics=(metric,))
    for metric in (nn.metrics.accuracy, nn.metrics.f1, nn.metrics.precision, nn.metrics.recall):
        by_hand = partial(metric, ignore_index=-100)
        assert by_hand(model()(X), labels) == metric(model()(X[:30]), Y[:30])
        assert by_hand(model()(X).data.argmax(1), labels) == metric(model()(X[:30]), Y[:30])
    assert nn.metrics.confusion_matrix(model()(X), labels, ignore_index=-100).sum() == 30
    with pytest.raises(TinygradError, match="all labels are -100, which are ignored"):
        nn.metrics.accuracy(model()(X), labels * 0 - 100, ignore_index=-100)


@pytest.mark.parametrize(
    "targets", [ONE_HOT, 0.8 * ONE_HOT + 0.2 / 3, ONE_HOT.astype(np.float32)], ids=["one-hot", "shares", "float32"]
)
def test_one_hot_and_probability_targets_have_an_accuracy(targets):
    seen = nn.evaluate(model(), (X, targets))
    assert seen["accuracy"] == nn.evaluate(model(), (X, Y))["accuracy"] == nn.metrics.accuracy(model()(X), targets)
    assert nn.metrics.top_k_accuracy(model()(X), targets, k=2) == nn.metrics.top_k_accuracy(model()(X), Y, k=2)
    assert "validation_accuracy" in fit(data=(X, targets), validation=(X, targets)).curves
    assert nn.metrics.accuracy(model()(X), ONE_HOT.astype(int)) == seen["accuracy"]


def test_accuracy_of_scores_with_more_axes_is_that_of_the_loss():
    scores = RNG.standard_normal((6, 3, 5))
    labels = scores.argmax(axis=1)
    labels[0, 0] = -100
    seen = nn.evaluate(nn.Identity(), (Value(scores).data, labels))
    assert seen["accuracy"] == 1.0
    shares = np.moveaxis(np.eye(3)[scores.argmax(axis=1)], -1, 1)
    assert nn.evaluate(nn.Identity(), (scores, shares))["accuracy"] == 1.0


def test_rounded_probabilities_and_float16_have_an_accuracy():
    shares = RNG.dirichlet(np.ones(3), 40)
    for targets in (shares.astype(np.float16), shares.round(2)):
        expected = np.mean(model()(X).data.argmax(axis=1) == targets.argmax(axis=1))
        assert nn.evaluate(model(), (X, targets))["accuracy"] == expected
        assert nn.metrics.accuracy(model()(X), targets) == expected


NO_SHARES = {
    "several labels": ((RNG.random((40, 3)) > 0.4) * 1.0, "rows sum to 0 to 3, .*binary_cross_entropy_with_logits"),
    "a row of zeros": (np.where(np.arange(40)[:, None] == 7, 0.0, ONE_HOT), "rows sum to 0 to 1"),
    "sums of 1.06": (ONE_HOT * 0.94 + 0.12 / 3, r"rows sum to 1\.06 to 1\.06"),
    "a column": (
        Y[:, None] * 0.5,
        r" \(40, 1\), probabilities of a single class, .*targets\[:, 0\].astype\(int\)",
    ),
}


@pytest.mark.parametrize("kind", NO_SHARES)
def test_targets_of_cross_entropy_that_are_no_shares_are_refused_before_training(kind):
    targets, message = NO_SHARES[kind]
    outputs = targets.shape[1]
    for options in ({}, {"validation": (X, targets)}, {"data": (X, Y % outputs), "validation": (X, targets)}):
        m = nn.Linear(4, outputs, rng=0)
        before = m.state_dict()
        with pytest.raises(TinygradError, match=f"fit: got targets.*{message}"):
            fit(m, **{"data": (X, targets), "loss": nn.CrossEntropyLoss()} | options)
        assert all(np.array_equal(before[k], x) for k, x in m.state_dict().items())
    assert list(nn.evaluate(m, (X, targets), metrics=())) == ["loss"]


def test_nan_among_the_targets_is_found_by_training():
    targets = ONE_HOT.copy()
    targets[5, 1] = np.nan
    with pytest.raises(TinygradError, match="1 of 48 numbers of target are wrong"):
        fit(data=(X, targets))
    numbers = X[:, :1].copy()
    numbers[[5, 30]] = np.nan
    with pytest.raises(nn.NonFiniteError, match=r"in 2 of 40 training examples, first in targets\[5, 0\]: clean"):
        fit(nn.Linear(4, 1, rng=0), (X, numbers), loss=f.mse_loss, rng=3)


@pytest.mark.parametrize("shape", [(40,), (40, 1), (40, 3)], ids=["labels", "a column", "several labels"])
@pytest.mark.parametrize("dtype", [float, int, bool])
def test_one_score_for_two_classes_has_the_accuracy_of_its_side(shape, dtype):
    scores = np.random.default_rng(1).standard_normal(shape)
    labels = np.random.default_rng(2).random(shape) > 0.4
    right = np.mean((scores > 0) == labels)
    model, chances = nn.Identity(), 1 / (1 + np.exp(-scores))
    for loss, outputs, targets in (
        (nn.BCEWithLogitsLoss(), scores, labels.astype(dtype)),
        (f.binary_cross_entropy_with_logits, scores, labels * 0.8 + 0.1),
        (partial(f.binary_cross_entropy), chances, labels.astype(dtype)),
        (nn.BCELoss(), chances, labels.astype(dtype)),
        (nn.HingeLoss(), scores, 2 * labels.astype(int) - 1),
    ):
        assert nn.evaluate(model, (outputs, targets), loss, batch_size=7)["accuracy"] == right, loss
    assert 0 < right < 1


def test_a_score_of_nan_is_on_no_side():
    from nn.training.evaluation import named_metrics

    accuracy = named_metrics("evaluate", f.binary_cross_entropy_with_logits, None)["accuracy"]
    assert accuracy(np.array([np.nan, -1.0, 1.0, np.nan]), np.array([0, 0, 1, 1])) == 0.5


def test_multi_margin_has_the_accuracy_of_its_labels():
    m = model()
    expected = nn.evaluate(m, (X, Y))["accuracy"]
    assert nn.evaluate(m, (X, Y), nn.MultiMarginLoss())["accuracy"] == expected


LABELS = {
    "text": (np.array(["a", "b", "c"])[Y], r"number them, classes, labels = np.unique\(labels, return_inverse=True\)"),
    "bytes": (np.array([b"a", b"b", b"c"])[Y], r"number them, .* = np.unique\(labels, return_inverse=True\)"),
    "objects": (np.array(["a", "b", "c"], object)[Y], r"number them, .* = np.unique\(labels, return_inverse=True\)"),
    "floats": (Y * 1.0, r"pass labels.astype\(int\)"),
    "booleans": (Y > 0, r"pass labels.astype\(int\)"),
    "NaN": (np.where(Y > 1, np.nan, Y), "leave out those that are NaN"),
    "halves": (Y + 0.5, "for numbers in place of classes use mse_loss"),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_that_are_no_integers_are_led_to_what_works(kind):
    labels, remedy = LABELS[kind]
    for act in (
        lambda: fit(data=(X, labels)),
        lambda: nn.evaluate(model(), (X, labels), nn.NLLLoss()),
        *([] if kind == "booleans" else [lambda: nn.metrics.accuracy(model()(X), labels)]),
    ):
        with pytest.raises(DTypeError, match=f"expected integers; {remedy}"):
            act()
    if "unique" in remedy:
        classes, labels = np.unique(labels, return_inverse=True)
        assert len(classes) == 3
    if "astype" in remedy:
        labels = labels.astype(int)
    if labels.dtype.kind == "i":
        assert "accuracy" in nn.evaluate(model(), (X, labels))


def test_predictions_of_text_are_numbered_like_their_targets():
    prediction, target = np.array(["b", "c", "c"]), np.array(["a", "c", "b"])
    with pytest.raises(
        DTypeError, match=r"number both alike: prediction, target = np.unique\(\[prediction, target\], return_"
    ):
        nn.metrics.accuracy(prediction, target)
    prediction, target = np.unique([prediction, target], return_inverse=True)[1].reshape(2, -1)
    assert nn.metrics.accuracy(prediction, target) == 1 / 3


def test_several_labels_a_row_are_led_to_labels():
    scores, target = X[:, :3], (RNG.random((40, 3)) > 0.4) * 1.0
    for given in (target, target.astype(int), target.astype(bool)):
        with pytest.raises(
            TinygradError, match=r"rows of target that sum to .*\(scores > 0\).astype\(int\) and target"
        ):
            nn.metrics.accuracy(scores, given)
    assert nn.metrics.accuracy((scores > 0).astype(int), target.astype(int)) == np.mean((scores > 0) == target)


def test_losses_of_numbers_have_no_accuracy():
    assert list(nn.evaluate(model(), (X, ONE_HOT), f.mse_loss)) == ["loss"]
    with pytest.raises(TinygradError, match=r"one score a row, \(40, 1\), .* pass \(scores\[:, 0\] > 0\)"):
        nn.evaluate(nn.Linear(4, 1, rng=0), (X, np.zeros(40, int)))


class Two(nn.Module):
    def __init__(self):
        self.l = nn.Linear(4, 3, rng=0)

    def forward(self, x):
        y = self.l(x)
        return y, y * 2


def test_metrics_of_several_outputs():
    first = lambda o, y: f.cross_entropy(o[0], y)

    def both(outputs, targets):
        assert [output.shape for output in outputs] == [(40, 3), (40, 3)]
        return float(np.array_equal(outputs[0] * 2, outputs[1]))

    assert nn.evaluate(Two(), (X, Y), first, (both,), batch_size=7)["both"] == 1.0
    assert list(nn.evaluate(Two(), (X, Y), first)) == ["loss"]
    with pytest.raises(TinygradError, match=r"accuracy: got a tuple of 2 outputs.* accuracy\(outputs\[0\], y\)"):
        nn.evaluate(Two(), (X, Y), first, (nn.metrics.accuracy,))
    sequences = RNG.standard_normal((40, 5, 4)), Y
    with pytest.raises(
        TinygradError, match=r"got an output of shape \(1, 5, 3\) for metrics, expected one row for each example"
    ):
        nn.evaluate(nn.RNN(4, 3, rng=0), sequences, lambda o, y: o[0].mean(), (both,))


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (lambda o, y: None, "the metric <lambda> returned None, expected one number"),
        (lambda o, y: np.ones(2), r"returned <ndarray of float64, shape \(2,\)>, expected one number"),
        (lambda o, y: 1j, "returned 1j, expected one number"),
        (lambda o, y: np.complex128(1), "expected one number"),
        (lambda o, y: "good", "returned 'good', expected one number"),
        (lambda o, y: np.nan, "returned nan, expected a number"),
        (lambda o, y: Value(np.nan), "returned nan, expected a number"),
        (lambda o, y: [1.0], "expected one number"),
    ],
)
def test_a_metric_that_gives_no_number_is_named(metric, message):
    with pytest.raises(TinygradError, match=f"evaluate: .*{message}"):
        nn.evaluate(model(), (X, Y), metrics=(metric,))
    with pytest.raises(TinygradError, match=f"fit: .*{message}") as caught:
        fit(validation=(X, Y), metrics=(metric,), monitor="validation_loss")
    assert len(caught.value.history.steps["loss"]) == 3


@pytest.mark.parametrize("number", [1, True, np.float32(1), np.int8(1), np.array(1.0), np.bool(True), Value(1.0)])
def test_any_single_number_is_one(number):
    assert nn.evaluate(model(), (X, Y), metrics=(lambda o, y: number,))["<lambda>"] == 1.0


def loss(output, target):
    return 1.0


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ((loss,), "got a metric named 'loss', which is the name of the loss"),
        ((partial(loss),), "named 'loss'"),
        ((nn.metrics.accuracy, nn.metrics.accuracy), "expected different names"),
        (nn.metrics.accuracy, r"expected several functions .* metrics=\(nn.metrics.accuracy,\)"),
        (("accuracy",), "expected several functions"),
        ("accuracy", "expected several functions"),
        (3, "expected several functions"),
    ],
)
def test_metrics_that_cannot_be_told_apart_are_refused(metrics, message):
    with pytest.raises(TinygradError, match=f"evaluate: .*{message}"):
        nn.evaluate(model(), (X, Y), metrics=metrics)
    with pytest.raises(TinygradError, match=f"fit: .*{message}"):
        fit(metrics=metrics)


# -- Ties and NaN ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 4, 5])
def test_ties_and_nan_are_no_hits(k):
    labels = np.arange(5)
    assert nn.metrics.top_k_accuracy(np.full((5, 5), np.nan), labels, k=k) == 0.0
    assert nn.metrics.top_k_accuracy(np.zeros((5, 5)), labels, k=k) == (k == 5)
    tied = np.array([[3.0, 3.0, 1.0, 0.0, 0.0]])  # two at the top, two at the end
    hits = [nn.metrics.top_k_accuracy(tied, [label], k=k) for label in range(5)]
    assert hits == [k >= 2, k >= 2, k >= 3, k >= 5, k >= 5]
    one_nan = tied.copy()
    one_nan[0, 4] = np.nan
    assert nn.metrics.top_k_accuracy(one_nan, [0], k=k) == 0.0


def test_top_k_is_scikit_learns_where_no_scores_are_equal():
    from sklearn.metrics import top_k_accuracy_score

    scores, labels = RNG.standard_normal((50, 5)), RNG.integers(0, 5, 50)
    for k in (1, 2, 3, 4):
        theirs = top_k_accuracy_score(labels, scores, k=k, labels=range(5))
        assert nn.metrics.top_k_accuracy(scores, labels, k=k) == pytest.approx(theirs)
    tied = np.zeros((5, 5))  # scikit-learn takes the last k of equal scores, ours are no hits
    assert top_k_accuracy_score(np.arange(5), tied, k=2, labels=range(5)) == pytest.approx(0.4)


def test_a_row_of_nan_is_no_right_prediction():
    scores = model()(X).data.copy()
    right = scores.argmax(1)
    scores[:10, 1] = np.nan
    assert nn.metrics.accuracy(scores, right) == 0.75
    assert f.zero_one_loss(scores, right) == 0.25
    for metric in (nn.metrics.confusion_matrix, nn.metrics.f1, nn.metrics.precision, nn.metrics.recall):
        with pytest.raises(TinygradError, match="10 of 40 rows of scores hold NaN, which predict no class"):
            metric(scores, right)


# -- Penalty -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_penalty_moves_weights_as_weight_decay_does_and_enters_no_loss(accumulate):
    one, two = model(), model()
    strength = 0.3
    options = {"validation": (V, W), "accumulate": accumulate, "epochs": 1, "batch_size": 10}
    by_penalty = fit(one, penalty=lambda m: f.l2_penalty(m, strength), **options)
    decay = nn.optim.SGD(two.parameters(), lr=0.1, weight_decay=strength)
    by_decay = fit(two, optimizer=decay, **options)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert np.allclose(a.data, b.data, rtol=1e-11, atol=1e-14)
    for name in ("train_loss", "validation_loss"):
        assert by_penalty.curves[name] == pytest.approx(by_decay.curves[name], rel=1e-10)
    assert "penalty" not in by_decay.curves
    assert by_penalty.curves["validation_loss"][0] == pytest.approx(nn.evaluate(one, (V, W))["loss"], rel=1e-12)


def test_the_penalty_is_recorded_as_the_mean_over_the_steps():
    m = model()
    before = 0.1 * sum(float(np.abs(p.data).sum()) for p in m.parameters())
    still = nn.optim.SGD(m.parameters(), lr=1e-300)
    history = fit(m, optimizer=still, penalty=partial(f.l1_penalty, strength=0.1))
    assert history.curves["penalty"] == pytest.approx([before] * 3)


def test_patience_does_not_look_at_the_penalty():
    """A penalty that grows while the validation loss falls: the best weights are the last ones."""
    grow = [0.0]

    def penalty(m):
        grow[0] += 100.0
        return f.l2_penalty(m, 0.0) + grow[0]

    history = fit(penalty=penalty, validation=(X, Y), patience=2, epochs=5)
    assert history.best_epoch == 5
    assert np.all(np.diff(history.curves["penalty"]) > 0)


def test_lbfgs_minimises_loss_and_penalty_together():
    m = nn.Linear(4, 1, rng=0)
    target = X @ np.ones((4, 1))
    optimizer = nn.optim.LBFGS(m.parameters(), line_search_fn="strong_wolfe")
    history = fit(
        m,
        (X, target),
        optimizer,
        loss=f.half_mse_loss,
        penalty=lambda m: f.l2_penalty([m.weight], 0.5),
        batch_size=None,
        epochs=5,
    )
    centred = X - X.mean(axis=0)
    ridge = np.linalg.solve(centred.T @ centred / 40 + 0.5 * np.eye(4), centred.T @ (target - target.mean()) / 40)
    assert np.allclose(m.weight.data, ridge.T, atol=1e-5)
    assert len(history.curves["penalty"]) == 5


@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        (0.1, "got penalty=0.1, expected a function"),
        (lambda m: 0.1, "the penalty returned a float, expected a Value of one number"),
        (lambda m: m.parameters()[0], r"the penalty returned a Value of shape \(8, 4\)"),
        (lambda m: Value(np.nan), "the penalty is nan in step 1; lower its strength"),
        (lambda m: f.l2_penalty(m, np.inf), "the penalty is inf in step 1"),
    ],
)
def test_a_penalty_that_is_none_is_refused(penalty, message):
    m = model()
    before = m.state_dict()
    with pytest.raises(TinygradError, match=f"fit: {message}"):
        fit(m, penalty=penalty)
    assert all(np.array_equal(before[path], array) for path, array in m.state_dict().items())


# -- Training data in evaluation mode ----------------------------------------------------------------------------------


def test_train_metrics_are_of_the_model_in_evaluation_mode_after_the_epoch():
    m = model(dropout=0.5)
    seen = []
    look = lambda *_: seen.append(nn.evaluate(m, (X, Y)))
    history = fit(m, train_metrics=True, validation=(V, W), on_epoch=look)
    assert list(history.curves) == ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
    assert history.curves["train_loss"] == [s["loss"] for s in seen]
    assert history.curves["train_accuracy"] == [s["accuracy"] for s in seen]
    plain = fit(model(dropout=0.5))
    assert list(plain.curves) == ["train_loss"]
    assert plain.curves["train_loss"][-1] != history.curves["train_loss"][-1]


# -- Monitor -----------------------------------------------------------------------------------------------------------


def falling(outputs, targets, calls=None):
    return float(np.abs(outputs).mean())


def test_a_plateau_of_mode_max_follows_a_monitored_accuracy():
    m = model()
    optimizer = nn.optim.SGD(m.parameters(), lr=1.0)
    plateau = schedules.ReduceLROnPlateau(optimizer, mode="max", patience=1)
    history = fit(m, optimizer=optimizer, on_epoch=plateau, validation=(X, Y), monitor="validation_accuracy", epochs=12)
    expected, best, bad, rate = [], -np.inf, 0, 1.0
    for accuracy in history.curves["validation_accuracy"]:
        expected.append(rate)
        best, bad = (accuracy, 0) if accuracy > best * (1 + 1e-4) else (best, bad + 1)
        rate, bad = (rate * 0.1, 0) if bad > 1 else (rate, bad)
    assert history.epochs["rate"] == pytest.approx(expected)
    assert history.monitor == "validation_accuracy"
    assert history.best_epoch == 1 + int(np.argmax(history.curves["validation_accuracy"]))


def test_patience_and_the_best_weights_follow_the_monitor():
    m = model()
    history = fit(
        m,
        optimizer=nn.optim.SGD(m.parameters(), lr=2.0),
        validation=(V, W),
        monitor="validation_accuracy",
        patience=3,
        epochs=50,
    )
    accuracies = history.curves["validation_accuracy"]
    assert history.best_epoch == 1 + int(np.argmax(accuracies)) == len(accuracies) - 3
    assert nn.evaluate(m, (V, W))["accuracy"] == max(accuracies)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_metric_of_ones_own_is_followed_in_its_mode(mode):
    history = fit(validation=(V, W), metrics=(falling,), monitor="validation_falling", mode=mode, epochs=5)
    best = np.argmin if mode == "min" else np.argmax
    assert history.best_epoch == 1 + int(best(history.curves["validation_falling"]))


def test_without_validation_data_the_training_loss_is_followed():
    history = fit()
    assert history.monitor == "train_loss"
    assert history.best_epoch == 3
    assert fit(train_metrics=True, monitor="train_accuracy").monitor == "train_accuracy"


def test_the_first_epoch_is_the_best_so_far_whatever_its_number():
    history = fit(validation=(V, W), metrics=(lambda o, y: np.inf,), monitor="validation_<lambda>", mode="min")
    assert history.best_epoch == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monitor": "validation_accuracy"}, "expected one of 'train_loss'; pass validation="),
        (
            {"monitor": "accuracy", "validation": (V, W)},
            "expected one of 'train_loss', 'validation_loss', 'validation_accuracy'",
        ),
        ({"monitor": "train_accuracy", "validation": (V, W)}, "got monitor='train_accuracy'"),
        ({"monitor": 3}, "got monitor=3"),
        ({"mode": "max"}, "got mode='max' for train_loss, expected 'min', as lower is better"),
        ({"mode": "least"}, "got mode='least', expected one of 'min', 'max'"),
        (
            {"monitor": "validation_accuracy", "mode": "min", "validation": (V, W)},
            "expected 'max', as higher is better",
        ),
        (
            {"monitor": "validation_falling", "metrics": (falling,), "validation": (V, W)},
            "pass mode='max' if higher is better",
        ),
    ],
)
def test_a_monitor_that_cannot_be_followed_is_refused(options, message):
    with pytest.raises(TinygradError, match=f"fit: .*{message}"):
        fit(**options)


@pytest.mark.parametrize(
    ("mode", "monitor"), [("max", None), ("max", "validation_loss"), ("min", "validation_accuracy")]
)
def test_a_plateau_of_another_mode_than_the_monitor_is_refused(mode, monitor):
    m = model()
    optimizer = nn.optim.SGD(m.parameters(), lr=1.0)
    plateau = schedules.ReduceLROnPlateau(optimizer, mode=mode)
    with pytest.raises(TinygradError, match=f"a ReduceLROnPlateau of mode='{mode}', and validation_.* to go by"):
        fit(m, optimizer=optimizer, on_epoch=plateau, validation=(V, W), monitor=monitor)


# -- Other arguments ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": X}, r"got <ndarray of float64, shape \(40, 4\)> as train, expected a pair, \(inputs, targets\)"),
        ({"data": X[:2]}, "as train, expected a pair"),
        ({"data": (X,)}, "got 1 things as train, expected a pair"),
        ({"data": (X, Y, Y)}, "got 3 things as train, expected a pair"),
        ({"data": None}, "got None as train"),
        ({"data": {"x": X, "y": Y}}, "as train, expected a pair"),
        ({"data": (X, Y[:-1])}, r"got inputs \(40, 4\) and targets \(39,\) as train, expected one target for each"),
        ({"data": (X, 3)}, r"targets \(\) as train"),
        ({"data": (X[:0], Y[:0])}, "got no examples"),
        ({"validation": X}, "as validation, expected a pair"),
        ({"validation": (X, Y, Y)}, "got 3 things as validation"),
        ({"validation": (X, Y[:3])}, "as validation, expected one target"),
        ({"validation": (X[:0], Y[:0])}, "got no examples"),
        ({"patience": 2.5, "validation": (X, Y)}, "got patience=2.5, expected an integer from 1 on"),
        ({"patience": 0, "validation": (X, Y)}, "got patience=0"),
        ({"patience": True, "validation": (X, Y)}, "got patience=True"),
        ({"patience": 3}, "patience= needs validation="),
        ({"batch_size": 0}, "got batch_size=0, expected an integer from 1 on"),
        ({"batch_size": 2.5}, "got batch_size=2.5"),
        ({"batch_size": -1}, "got batch_size=-1"),
        (
            {"batch_size": 41, "drop_last": True},
            "got 40 examples, batch_size=41 and drop_last=True, expected one whole batch",
        ),
        ({"epochs": 0}, "got epochs=0"),
        ({"epochs": 1.0}, "got epochs=1.0"),
        ({"accumulate": 0}, "got accumulate=0"),
        ({"clip_norm": -1.0}, "got clip_norm=-1.0"),
        ({"clip_norm": "1"}, "got clip_norm='1'"),
        ({"clip_value": np.nan}, "got clip_value=nan"),
        ({"on_epoch": 3}, "got on_epoch=3, expected a function"),
        ({"on_epoch": [print, 3]}, "got on_epoch=3, expected a function"),
        ({"on_step": "step"}, "got on_step='step', expected a function"),
        ({"loss": "mse"}, "got loss='mse', expected a function"),
        ({"rng": "x"}, "got rng='x', expected a random generator"),
        ({"schedule_every": "step"}, "got schedule_every=, expected the name of an argument"),
        ({"m": 3, "optimizer": nn.optim.SGD([Value(1.0)], lr=0.1)}, "got model=3, expected a module"),
    ],
)
def test_wrong_arguments_are_refused_and_change_nothing(arguments, message):
    m = model()
    before = m.state_dict()
    with pytest.raises(TinygradError, match=f"^fit: {message}|^fit: .*{message}"):
        fit(**{"m": m} | arguments)
    assert m.training
    assert all(np.array_equal(before[path], array) for path, array in m.state_dict().items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": X}, "as data, expected a pair"),
        ({"data": (X, Y, Y)}, "got 3 things as data"),
        ({"data": (X, Y[:-1])}, "expected one target for each"),
        ({"batch_size": 0}, "got batch_size=0"),
        ({"batch_size": 2.5}, "got batch_size=2.5"),
        ({"batch_size": "all"}, "got batch_size='all'"),
    ],
)
def test_evaluate_refuses_wrong_arguments(arguments, message):
    with pytest.raises(TinygradError, match=f"evaluate: .*{message}"):
        nn.evaluate(model(), **{"data": (X, Y)} | arguments)


# -- The last batch ----------------------------------------------------------------------------------------------------


def normed():
    return nn.MLP((4, 8, 3), norm=nn.BatchNorm1d, rng=0)


@pytest.mark.parametrize(
    ("examples", "batch_size", "message"),
    [
        (
            33,
            16,
            "fit: the last batch of the epoch has one example, but batch norm trains on several; pass drop_last=True, or another",
        ),
        (33, 32, "fit: the last batch of the epoch has one example"),
        (33, 1, "fit: each batch has one example, .*batch_size is 1: pass a larger one"),
    ],
)
def test_a_last_batch_of_one_under_batch_norm_is_explained(examples, batch_size, message):
    with pytest.raises(TinygradError, match=message) as caught:
        fit(normed(), (X[:examples], Y[:examples]), batch_size=batch_size)
    assert caught.value.history is not None


def test_drop_last_leaves_the_smaller_batch_out():
    history = fit(normed(), (X[:33], Y[:33]), batch_size=16, drop_last=True, epochs=2)
    assert len(history.steps["loss"]) == 4
    assert len(fit(batch_size=20, drop_last=True, epochs=1).steps["loss"]) == 2
    assert len(fit(batch_size=20, epochs=1).steps["loss"]) == 2
    assert len(fit(batch_size=13, drop_last=True, epochs=1).steps["loss"]) == 3
    assert len(fit(batch_size=13, drop_last=True, epochs=1, accumulate=2).steps["loss"]) == 2
    one, two = model(), model()
    fit(one, (X, Y), batch_size=16, drop_last=True, epochs=1)
    fit(two, (X[:32], Y[:32]), batch_size=16, epochs=1)
    assert all(np.array_equal(a.data, b.data) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_a_batch_of_one_without_batch_norm_trains():
    assert len(fit(data=(X[:33], Y[:33]), batch_size=16, epochs=1).steps["loss"]) == 3
    with pytest.raises(TinygradError, match="linear: got an input of shape") as caught:
        fit(data=(X[:1, :3], Y[:1]))
    assert "last batch" not in str(caught.value)


@pytest.mark.parametrize("make", [nn.optim.SGD, nn.optim.Adam, nn.optim.LBFGS])
def test_climbing_is_descending_on_the_negative_loss(make):
    """With penalty, patience and the choice of the best weights alike."""
    seen = []
    for sign in (1, -1):
        m = nn.Linear(4, 3, rng=0)
        optimizer = make(m.parameters(), lr=0.1, maximize=sign < 0)
        history = nn.fit(
            m,
            (X, Y),
            optimizer,
            loss=lambda output, target, sign=sign: nn.functional.cross_entropy(output, target) * sign,
            penalty=lambda m: nn.functional.l2_penalty(m, 0.5),
            epochs=6,
            batch_size=None,
            validation=(X, np.roll(Y, 1)),
            patience=4,
            progress=False,
        )
        seen.append((history, m.weight.data))
    (down, w), (up, v) = seen
    assert np.allclose(w, v, rtol=1e-12)
    assert np.allclose(down.curves["validation_loss"], -np.asarray(up.curves["validation_loss"]))
    assert (down.best_epoch, down.curves["penalty"]) == (up.best_epoch, pytest.approx(up.curves["penalty"]))


def test_a_penalty_needs_groups_that_agree():
    m = nn.Linear(4, 3, rng=0)
    groups = [{"params": [m.weight]}, {"params": [m.bias], "maximize": True}]
    with pytest.raises(TinygradError, match="fit: got a penalty, and groups with and without maximize="):
        nn.fit(m, (X, Y), nn.optim.SGD(groups, lr=0.1), penalty=lambda m: m.weight.sum(), progress=False)


@pytest.mark.parametrize("name", ["drop_last", "train_metrics", "gradient_norm", "progress"])
def test_a_word_is_no_flag(name):
    m = nn.Linear(4, 3, rng=0)
    with pytest.raises(TinygradError, match=f"fit: got {name}='no', expected True or False"):
        nn.fit(m, (X, Y), nn.optim.SGD(m.parameters(), lr=0.1), **{name: "no"})


TARGETS = {
    "one-hot integers": (np.eye(3, dtype=int)[Y], r"of one-hot rows pass np.argmax\(labels, axis=1\)"),
    "one-hot booleans": (np.eye(3, dtype=bool)[Y], r"of one-hot rows pass np.argmax\(labels, axis=1\)"),
    "a column": (Y[:, None], r"pass labels\[:, 0\]"),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_of_another_layout_are_led_to_labels(name):
    target, remedy = TARGETS[name]
    with pytest.raises(ShapeError, match=remedy):
        nn.evaluate(nn.Linear(4, 3, rng=0), (X, target))


@pytest.mark.parametrize("dtype", [int, float, bool])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_scores_of_two_classes_are_led_to_labels(dtype, shape):
    scores, target = X[:, 0].reshape(shape), (Y > 0).astype(dtype).reshape(shape)
    with pytest.raises(
        DTypeError,
        match=r"prediction is of float64, .* of two classes use binary_accuracy, or pass \(scores > 0\).astype\(int\)",
    ):
        nn.metrics.accuracy(scores, target)
    assert nn.metrics.accuracy((scores > 0).astype(int), target.astype(int)) == np.mean((scores > 0) == target)


def test_a_penalty_is_recorded_after_a_step_whose_examples_weigh_nothing():
    model, y = nn.Linear(4, 3, rng=0), np.arange(12) % 3
    y[:4] = -100
    optimizer = nn.optim.SGD(model.parameters(), lr=0.0)
    schedule = nn.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    x, penalty = np.ones((12, 4)), lambda m: nn.functional.l2_penalty(m, 0.1)
    curves = nn.fit(
        model, (x, y), optimizer, penalty=penalty, batch_size=4, epochs=2, on_epoch=schedule, progress=False
    ).curves
    assert curves["penalty"] == pytest.approx([penalty(model).item()] * 2)
