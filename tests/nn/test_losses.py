"""Losses: each against its formula, its gradients to the second order, extreme inputs, and the error for each wrong use."""

import copy
import inspect
import math
import pydoc
import re
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pytest

import nn
import tinygrad_edu
from nn import functional as F
from tinygrad_edu import DTypeError, GraphError, ShapeError, TinygradError, Value, array, no_grad, snapshots
from tinygrad_edu.testing import check_gradients

RNG = np.random.default_rng(0)
X, Y = 2 * RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
P, Q = RNG.uniform(0.1, 0.9, size=(3, 4)), RNG.uniform(0.1, 0.9, size=(3, 4))
LABELS, SIGNS = np.array([3, 0, 2]), np.where(RNG.normal(size=(3, 4)) > 0, 1, -1)
DEEP, DEEP_LABELS = RNG.normal(size=(2, 4, 3)), np.array([[0, 3, -100], [1, 1, 2]])
WEIGHT, POSITIVE, PAIRS = np.array([0.5, 1.0, 2.0, 3.0]), np.array([1.0, 0.2, 3.0, 0.7]), np.array([1, -1, -1])
COUNTS = np.array([[0.3, 0.9, 7.5, 3.0], [2.0, 0.4, 1.5, 12.0], [5.0, 0.1, 1.1, 2.5]])
SEVERAL = np.array([[3, 0, -1, 1], [2, -1, -1, -1], [-1, 2, 1, 0]])
FAR = np.array([[1e4, -1e4, 0.0, 1e4], [-1e4, 1e4, 1e4, -1e4], [0.0, 0.0, 0.0, 0.0]])

ORDINARY = {"mean": np.mean, "sum": np.sum, "none": lambda losses: losses}


@dataclass
class Loss:
    """A loss, its floats in order and what follows them, its formula for each example, and how that is reduced."""

    function: str
    module: type
    floats: tuple
    formula: object
    rest: tuple = ()
    options: dict = field(default_factory=dict)
    reductions: dict = field(default_factory=lambda: ORDINARY)
    extremes: tuple = ()

    def call(self, form, reduction):
        """The function of the floats alone."""
        options = self.options | ({} if reduction is None else {"reduction": reduction})
        if form == "module":
            module = self.module(**options)
            return lambda *floats: module(*floats, *self.rest)
        return lambda *floats: getattr(F, self.function)(*floats, *self.rest, **options)


def softmax(x, axis=1):
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def weighed(labels, weight):
    """Reductions of losses of labels: the mean is Σ losses / Σ weights."""
    total = sum(weight[label] for label in labels.ravel() if label != -100)
    return ORDINARY | {"mean": lambda losses: losses.sum() / total}


def picked(log_p, labels, weight):
    """-weight ln p at the labels, by a loop."""
    out = np.zeros(labels.shape)
    for place in np.ndindex(labels.shape):
        c = labels[place]
        out[place] = 0.0 if c == -100 else -weight[c] * log_p[(place[0], c, *place[1:])]
    return out


def smoothed(x, labels, weight, share):
    log_p, kept = np.log(softmax(x)), labels != -100
    spread = -(log_p * weight.reshape(-1, *[1] * (x.ndim - 2))).sum(axis=1)
    return (1 - share) * picked(log_p, labels, weight) + share / x.shape[1] * kept * spread


def cosine(a, b):
    return (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))


def distance(a, b, p):
    return (np.abs(a - b + 0.01) ** p).sum(-1) ** (1 / p)


def stirling(t):
    return np.where(t > 1, t * np.log(t) - t + np.log(2 * np.pi * t) / 2, 0)


def label_margins(x):
    out = np.zeros(len(x))
    for i, row in enumerate(SEVERAL):
        own = list(row[: list(row).index(-1)]) if -1 in row else list(row)
        out[i] = sum(max(0, 1 - x[i, y] + x[i, j]) for y in own for j in range(4) if j not in own) / 4
    return out


def many_margins(x, p, weight):
    out = np.zeros(len(x))
    for i, y in enumerate(LABELS):
        out[i] = sum(weight[y] * max(0, 0.7 - x[i, y] + x[i, j]) ** p for j in range(4) if j != y) / 4
    return out


ONES, SUMMED = np.ones(4), ("sum", "mean", "none", "batchmean")
ROOTS = {"mean": lambda e: np.sqrt(np.mean(e**2)), "sum": lambda e: np.sqrt(np.sum(e**2)), "none": lambda e: e}
BATCH = ORDINARY | {"batchmean": lambda losses: losses.sum() / len(losses)}
SUMS = {k: BATCH[k] for k in SUMMED}


def huber(e, d):
    return np.where(np.abs(e) <= d, e**2 / 2, d * (np.abs(e) - d / 2))


LOSSES = [
    Loss("mse_loss", nn.MSELoss, (X, Y), lambda x, y: (x - y) ** 2, reductions=BATCH),
    Loss("half_mse_loss", nn.HalfMSELoss, (X, Y), lambda x, y: (x - y) ** 2 / 2, reductions=BATCH),
    Loss("sse_loss", nn.SSELoss, (X, Y), lambda x, y: (x - y) ** 2, reductions=SUMS),
    Loss("rmse_loss", nn.RMSELoss, (X, Y), lambda x, y: np.abs(x - y), reductions=ROOTS),
    Loss("l1_loss", nn.L1Loss, (X, Y), lambda x, y: np.abs(x - y), reductions=BATCH),
    Loss("sae_loss", nn.SAELoss, (X, Y), lambda x, y: np.abs(x - y), reductions=SUMS),
    Loss("huber_loss", nn.HuberLoss, (X, Y), lambda x, y: huber(x - y, 1.5), options={"delta": 1.5}, reductions=BATCH),
    Loss(
        "smooth_l1_loss",
        nn.SmoothL1Loss,
        (X, Y),
        lambda x, y: huber(x - y, 0.5) / 0.5,
        options={"beta": 0.5},
        reductions=BATCH,
    ),
    Loss(
        "smooth_l1_loss", nn.SmoothL1Loss, (X, Y), lambda x, y: np.abs(x - y), options={"beta": 0.0}, reductions=BATCH
    ),
    Loss("log_cosh_loss", nn.LogCoshLoss, (X, Y), lambda x, y: np.log(np.cosh(x - y)), reductions=BATCH),
    Loss(
        "msle_loss",
        nn.MSLELoss,
        (P - 0.5, Q),
        lambda x, y: (np.log(1 + x) - np.log(1 + y)) ** 2,
        extremes=(np.abs(FAR), np.abs(FAR) * 0.5),
        reductions=BATCH,
    ),
    Loss(
        "mape_loss",
        nn.MAPELoss,
        (X, Y),
        lambda x, y: 100 * np.abs((x - y) / y),
        extremes=(FAR, FAR + 1),
        reductions=BATCH,
    ),
    Loss(
        "binary_cross_entropy",
        nn.BCELoss,
        (P, Q),
        lambda p, t: -WEIGHT * (t * np.log(p) + (1 - t) * np.log(1 - p)),
        options={"weight": WEIGHT},
        extremes=((FAR > 0) * 1.0, (FAR < 1) * 1.0),
    ),
    Loss(
        "binary_cross_entropy_with_logits",
        nn.BCEWithLogitsLoss,
        (X, Q),
        lambda x, t: -WEIGHT * (POSITIVE * t * np.log(1 / (1 + np.exp(-x))) + (1 - t) * np.log(1 / (1 + np.exp(x)))),
        options={"weight": WEIGHT, "pos_weight": POSITIVE},
        extremes=(FAR, (FAR < 1) * 1.0),
    ),
    Loss("cross_entropy", nn.CrossEntropyLoss, (X,), lambda x: picked(np.log(softmax(x)), LABELS, ONES), (LABELS,)),
    Loss(
        "cross_entropy",
        nn.CrossEntropyLoss,
        (DEEP,),
        lambda x: smoothed(x, DEEP_LABELS, WEIGHT, 0.2),
        (DEEP_LABELS,),
        {"weight": WEIGHT, "label_smoothing": 0.2},
        weighed(DEEP_LABELS, WEIGHT),
        extremes=(np.sign(DEEP) * 1e4,),
    ),
    Loss(
        "cross_entropy",
        nn.CrossEntropyLoss,
        (X, Q),
        lambda x, t: -(WEIGHT * (0.9 * t + 0.1 / 4) * np.log(softmax(x))).sum(1),
        options={"weight": WEIGHT, "label_smoothing": 0.1},
        extremes=(FAR, Q),
    ),
    Loss(
        "nll_loss",
        nn.NLLLoss,
        (DEEP,),
        lambda x: picked(x, DEEP_LABELS, WEIGHT),
        (DEEP_LABELS,),
        {"weight": WEIGHT},
        weighed(DEEP_LABELS, WEIGHT),
        extremes=(-np.abs(DEEP) * 1e4,),
    ),
    Loss(
        "gaussian_nll_loss",
        nn.GaussianNLLLoss,
        (X, Y, P),
        lambda x, y, v: (np.log(2 * np.pi * v) + (x - y) ** 2 / v) / 2,
        options={"full": True},
        extremes=(FAR, Y, np.zeros((3, 4))),
    ),
    Loss(
        "kl_div",
        nn.KLDivLoss,
        (X, Q),
        lambda x, t: t * (np.log(t) - x),
        reductions=BATCH,
        extremes=(-np.abs(FAR), (FAR > 0) * 1.0),
    ),
    Loss(
        "kl_div",
        nn.KLDivLoss,
        (X, Y),
        lambda x, t: np.exp(t) * (t - x),
        options={"log_target": True},
        reductions=BATCH,
        extremes=(-np.abs(FAR), -np.abs(FAR)),
    ),
    Loss(
        "cosine_embedding_loss",
        nn.CosineEmbeddingLoss,
        (X, Y),
        lambda a, b: np.where(PAIRS == 1, 1 - cosine(a, b), np.maximum(0, cosine(a, b) + 0.9)),
        (PAIRS,),
        {"margin": -0.9},
        extremes=(FAR, FAR[::-1]),
    ),
    Loss(
        "hinge_loss",
        nn.HingeLoss,
        (X,),
        lambda x: np.maximum(0, 0.9 - SIGNS * x),
        (SIGNS,),
        {"margin": 0.9},
        extremes=(FAR,),
    ),
    Loss(
        "hinge_embedding_loss",
        nn.HingeEmbeddingLoss,
        (X,),
        lambda x: np.where(SIGNS == 1, x, np.maximum(0, 0.9 - x)),
        (SIGNS,),
        {"margin": 0.9},
        extremes=(FAR,),
    ),
    Loss(
        "margin_ranking_loss",
        nn.MarginRankingLoss,
        (X, Y),
        lambda a, b: np.maximum(0, 0.9 - SIGNS * (a - b)),
        (SIGNS,),
        {"margin": 0.9},
    ),
    Loss(
        "soft_margin_loss", nn.SoftMarginLoss, (X,), lambda x: np.log(1 + np.exp(-SIGNS * x)), (SIGNS,), extremes=(FAR,)
    ),
    Loss(
        "triplet_margin_loss",
        nn.TripletMarginLoss,
        (X, Y, P),
        lambda a, b, c: np.maximum(0, 2 + distance(a, b, 3) - np.minimum(distance(a, c, 3), distance(b, c, 3))),
        options={"margin": 2.0, "p": 3.0, "eps": 0.01, "swap": True},
        extremes=(FAR, FAR[::-1], FAR * 0.5),
    ),
    Loss(
        "triplet_margin_with_distance_loss",
        nn.TripletMarginWithDistanceLoss,
        (X, Y, P),
        lambda a, b, c: np.maximum(0, 9 + ((a - b) ** 2).sum(-1) - ((a - c) ** 2).sum(-1)),
        options={"margin": 9.0, "distance_function": lambda a, b: ((a - b) ** 2).sum(axis=-1)},
        extremes=(FAR, FAR[::-1], FAR * 0.5),
    ),
    Loss(
        "poisson_nll_loss",
        nn.PoissonNLLLoss,
        (X, COUNTS),
        lambda x, t: np.exp(x) - t * x + stirling(t),
        options={"full": True},
        extremes=(-np.abs(FAR), np.abs(FAR)),
    ),
    Loss(
        "poisson_nll_loss",
        nn.PoissonNLLLoss,
        (P, COUNTS),
        lambda x, t: x - t * np.log(x + 1e-3),
        options={"log_input": False, "eps": 1e-3},
        extremes=(np.abs(FAR), np.abs(FAR)[::-1]),
    ),
    Loss(
        "multilabel_soft_margin_loss",
        nn.MultiLabelSoftMarginLoss,
        (X, Q),
        lambda x, t: (-WEIGHT * (t * np.log(1 / (1 + np.exp(-x))) + (1 - t) * np.log(1 / (1 + np.exp(x))))).mean(-1),
        options={"weight": WEIGHT},
        extremes=(FAR, (FAR < 1) * 1.0),
    ),
    Loss("multilabel_margin_loss", nn.MultiLabelMarginLoss, (X,), lambda x: label_margins(x), (SEVERAL,)),
    Loss("multi_margin_loss", nn.MultiMarginLoss, (X,), lambda x: many_margins(x, 1, ONES), (LABELS,), {"margin": 0.7}),
    Loss(
        "multi_margin_loss",
        nn.MultiMarginLoss,
        (X,),
        lambda x: many_margins(x, 2, WEIGHT),
        (LABELS,),
        {"margin": 0.7, "p": 2, "weight": WEIGHT},
    ),
]
CASE_OF = {loss.module: (*loss.floats, *loss.rest) for loss in LOSSES}
CASE_OF |= {nn.CosineSimilarity: (X, Y), nn.PairwiseDistance: (X, Y)}
CALLS = [
    pytest.param(loss, reduction, form, id=f"{i}-{loss.function}-{reduction}-{form}")
    for i, loss in enumerate(LOSSES)
    for reduction in loss.reductions
    for form in ("function", "module")
]


def test_the_table_is_complete():
    functions = {name for name in F.__all__ if "loss" in name or "entropy" in name or name == "kl_div"}
    assert functions == {loss.function for loss in LOSSES} | {"zero_one_loss"}
    assert set(nn.loss.__all__) == {loss.module.__name__ for loss in LOSSES} | {"CosineSimilarity", "PairwiseDistance"}


MODULES = [getattr(nn, name) for name in nn.loss.__all__]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_the_settings_of_its_function(module):
    of_function = list(inspect.signature(module.function).parameters.values())
    of_module = list(inspect.signature(module).parameters.values())
    assert of_module == of_function[-len(of_module) :]
    assert all(each.default is not each.empty for each in of_module)
    assert all(each.default is each.empty for each in of_function[: -len(of_module)])
    assert all(getattr(module(), each.name) == each.default for each in of_module)


@pytest.mark.parametrize("module", MODULES)
def test_help_has_the_settings_and_the_formula(module):
    shown = pydoc.render_doc(module, renderer=pydoc.plaintext)
    assert f"{module.__name__}{inspect.signature(module)}" in shown
    assert inspect.getdoc(module).endswith(inspect.getdoc(module.function))
    assert len(inspect.getdoc(module).split("\n")[0]) > 10


WRONG = {  # of each annotation
    "BatchReduction": "max", "Dim": 1.0, "Exponent": 3, "Flag": 1, "Function | None": 3, "Integer": 0.5, "NotNegative": -1,
    "Positive": 0, "Real": "a", "Reduction": "batchmean", "Share": 1.5, "Weights": ["a"],
}  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
def test_a_setting_out_of_range_is_refused_by_the_constructor_and_by_the_call(module):
    settings = inspect.signature(module).parameters
    for name, each in settings.items():
        wrong = WRONG[each.annotation]
        with pytest.raises(TinygradError, match=rf"^{module.__name__}: .*{name}"):
            module(**{name: wrong})
        changed = module()
        setattr(changed, name, wrong)
        for call in (changed, partial(module.function, **{name: wrong})):
            with pytest.raises(TinygradError, match=rf"^{module.function.__name__}: .*{name}"):
                call(*CASE_OF[module])


def test_a_loss_of_a_user_adds_to_a_constructor():
    class Scaled(nn.HuberLoss):
        def __init__(self, scale, **settings):
            super().__init__(**settings)
            self.scale = scale

        def forward(self, input, target):
            return super().forward(input, target) * self.scale

    assert list(inspect.signature(Scaled).parameters) == ["scale", "settings"]
    assert Scaled(3.0, delta=0.5)(X, Y) == 3 * F.huber_loss(X, Y, delta=0.5)
    with pytest.raises(TinygradError, match="^Scaled: got delta=-1, expected a number > 0"):
        Scaled(1.0, delta=-1)


@pytest.mark.parametrize(("loss", "reduction", "form"), CALLS)
def test_losses_are_their_formulas(loss, reduction, form):
    f = loss.call(form, reduction)
    expected = loss.reductions[reduction](loss.formula(*loss.floats))
    computed = f(*map(Value, loss.floats))
    assert isinstance(computed, Value)
    assert computed.shape == np.shape(expected)
    assert np.allclose(computed.data, expected, rtol=1e-13, atol=1e-14)
    plain = f(*loss.floats)
    assert not isinstance(plain, Value)
    assert np.array_equal(plain, computed.data)
    if reduction == next(iter(loss.reductions)):
        assert float(loss.call(form, None)(*loss.floats)) == plain  # the default


@pytest.mark.parametrize(("loss", "reduction", "form"), CALLS)
def test_gradients_to_the_second_order(loss, reduction, form):
    report = check_gradients(loss.call(form, reduction), *loss.floats, order=2)
    assert report.compared == sum(x.size for x in loss.floats)
    assert not report.inconclusive


def spoil(*arrays):
    """Other numbers in place: labels 0, all others half."""
    for x in arrays:
        if isinstance(x, np.ndarray):
            x[...] = 0 if x.dtype.kind in "iub" else x / 2


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("form", ["function", "module"])
@pytest.mark.parametrize("loss", LOSSES, ids=[f"{i}-{loss.function}" for i, loss in enumerate(LOSSES)])
def test_targets_labels_and_weights_may_change_before_backward(loss, form, large, monkeypatch):
    if large:
        monkeypatch.setattr(snapshots, "limit", 0)
    own = copy.deepcopy(loss)
    expected, got = Value(loss.floats[0]), Value(loss.floats[0])
    loss.call(form, None)(expected, *loss.floats[1:]).backward()
    y = own.call(form, None)(got, *own.floats[1:])
    spoil(*own.floats[1:], *own.rest, *own.options.values())
    refused = ""
    try:
        y.backward()
    except GraphError as error:
        refused = str(error)
    if refused:
        assert large
        assert "was changed after the call" in refused
    else:
        assert np.array_equal(got.grad, expected.grad)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", LOSSES, ids=[f"{i}-{loss.function}" for i, loss in enumerate(LOSSES)])
def test_extreme_inputs_and_float32(loss, dtype):
    extremes = loss.extremes or (FAR, FAR * 0.5)[: len(loss.floats)]
    for inputs in (loss.floats, extremes):
        for reduction in loss.reductions:
            values = [Value(np.asarray(x, dtype)) for x in inputs]
            computed = loss.call("module", reduction)(*values)
            assert np.all(np.isfinite(computed.data))
            assert np.dtype(computed.dtype) == dtype
            computed.sum().backward()
            for value in values:
                assert np.all(np.isfinite(value.grad))
                assert value.grad.dtype == dtype


ROWS = [
    pytest.param(loss.call("function", "none"), loss.floats, [np.sum(x[0] == -100) for x in loss.rest[:1]], id=f"{i}-{loss.function}")
    for i, loss in enumerate(LOSSES)
]  # fmt: skip
ROWS += [pytest.param(f, (X, Y), [], id=f.__name__) for f in (F.cosine_similarity, F.pairwise_distance)]
ROWS += [pytest.param(F.normalize, (X,), [], id="normalize")]


def refusal(f, *inputs):
    try:
        f(*inputs)
    except TinygradError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("f", "floats", "ignored"), ROWS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_bad_example_shows_and_contributes_nothing_where_it_is_left_out(f, floats, ignored, bad):
    clean = [Value(x) for x in floats]
    f(*clean)[1:].sum().backward()
    for which, x in enumerate(floats):
        spoilt = [Value(x) for x in floats]
        spoilt[which] = Value(np.concatenate([np.full_like(x[:1], bad), x[1:]]))
        if found := refusal(f, *spoilt):
            assert "are wrong, expected" in found
            continue
        y = f(*spoilt)
        assert np.isinf(bad) or np.count_nonzero(~np.isnan(y.data[0])) == sum(ignored)
        y[1:].sum().backward()
        for alone, beside in zip(clean, spoilt, strict=True):
            assert np.count_nonzero(beside.grad[0]) == 0
            assert np.allclose(beside.grad[1:], alone.grad[1:])


@pytest.mark.parametrize("loss", LOSSES, ids=[f"{i}-{loss.function}" for i, loss in enumerate(LOSSES)])
def test_wrong_uses_of_every_loss(loss):
    known = ", ".join(repr(r) for r in ("mean", "sum", "none"))
    for name, wrong in ((loss.function, loss.call("function", "average")), (loss.module.__name__, None)):
        with pytest.raises(TinygradError, match=rf"{name}: got reduction='average', expected one of {known}"):
            wrong(*loss.floats) if wrong else loss.call("module", "average")
    x, *others = (*loss.floats, *loss.rest)
    for f in (getattr(F, loss.function), loss.module()):
        with pytest.raises(ShapeError, match=rf"{loss.function}: "):
            f(x[:0], *(other[:0] for other in others))
        with pytest.raises(ShapeError, match=rf"{loss.function}: "):
            f(x, others[0][:1], *others[1:])  # broadcasting would go unnoticed
        with pytest.raises(DTypeError, match=rf"{loss.function}: .* is of <U1, expected real numbers"):
            f(np.full(x.shape, "a"), *others)


def test_a_root_has_gradient_zero_where_all_is_exact():
    for reduction in ("mean", "sum", "none"):
        x = Value(X)
        F.rmse_loss(x, X, reduction=reduction).sum().backward()
        assert np.array_equal(x.grad, np.zeros_like(X))
    assert F.rmse_loss(Value(np.array([3e200, 0.0])), np.array([0.0, 4e200])).item() == pytest.approx(
        5e200 / np.sqrt(2)
    )


def test_curvature_where_a_prediction_is_exact():
    for loss in (F.huber_loss, F.smooth_l1_loss, F.log_cosh_loss, F.half_mse_loss):
        second = tinygrad_edu.grad(tinygrad_edu.grad(lambda x, loss=loss: loss(x, 2.0)))
        assert second(2.0) == pytest.approx(1.0)


def test_binary_cross_entropy_of_certainties():
    p, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 1, 1, 0])
    assert np.array_equal(F.binary_cross_entropy(p, t, reduction="none"), [0.0, 0.0, 100.0, 100.0])
    assert np.array_equal(
        F.binary_cross_entropy(p.astype(np.float32), t > 0, reduction="none"), [0.0, 0.0, 100.0, 100.0]
    )
    x = Value(np.array([1e4, -1e4, 30.0, 1e4]))
    losses = F.binary_cross_entropy_with_logits(x, np.array([0, 1, 1, 1]), reduction="none")
    assert np.allclose(losses.data, [1e4, 1e4, np.exp(-30), 0.0], rtol=1e-12, atol=0)


def test_cross_entropy_of_labels_is_one_operation():
    assert F.cross_entropy(Value(X), LABELS).grad_fn.name == "cross_entropy"
    assert nn.CrossEntropyLoss()(Value(X), LABELS).grad_fn.name == "cross_entropy"
    general = F.cross_entropy(Value(X), LABELS, weight=np.ones(4))
    assert general.item() == pytest.approx(F.cross_entropy(Value(X), LABELS).item(), rel=1e-14)


def test_cross_entropy_takes_what_pytorch_takes():
    x = Value(X)
    one_hot = np.eye(4)[LABELS]
    plain = F.cross_entropy(x, LABELS).item()
    assert F.cross_entropy(x, one_hot).item() == pytest.approx(plain)
    assert F.nll_loss(tinygrad_edu.log_softmax(x), LABELS).item() == pytest.approx(plain)
    rows = [
        F.cross_entropy(Value(row), label).item() for row, label in zip(X, LABELS, strict=True)
    ]  # (classes,) and ()
    assert np.mean(rows) == pytest.approx(plain)
    assert F.cross_entropy(x, [3, -100, -100]).item() == pytest.approx(rows[0])
    assert F.cross_entropy(x, [3, 1, 1], ignore_index=1).item() == pytest.approx(rows[0])
    assert np.allclose(F.cross_entropy(x, [3, -100, 2], reduction="none").data, [rows[0], 0.0, rows[2]])
    masked = X.copy()
    masked[0, 1] = -np.inf  # a class that is out of the question
    assert np.isfinite(F.cross_entropy(Value(masked), LABELS, reduction="sum").item())


def test_targets_may_be_lists_integers_or_values():
    x = Value(np.float32([1.0, 2.0]))
    for target in ([1, 0], np.array([1, 0]), np.array([True, False]), [Value(np.float32(1.0)), Value(np.float32(0.0))]):
        loss = F.mse_loss(x, target)
        assert loss.item() == 2.0
        assert np.dtype(loss.dtype) == np.float32
    target = Value(np.array([1.0, 0.0]))
    F.mse_loss(x, target).backward()
    assert np.array_equal(target.grad, [0.0, -2.0])
    assert float(F.mse_loss(3.0, 1.0)) == 4.0
    assert F.hinge_loss([Value(0.5), Value(-2.0)], [1, -1]).item() == 0.25


@pytest.mark.parametrize("shape", [(3, 4), (3,), (3, 1), (1, 4), ()])
def test_gaussian_variances_of_every_shape(shape):
    var = RNG.uniform(0.5, 2.0, size=shape)
    fitted = np.broadcast_to(var[:, None] if shape == (3,) else var, (3, 4))
    expected = (np.log(fitted) + (X - Y) ** 2 / fitted) / 2
    assert np.allclose(F.gaussian_nll_loss(Value(X), Y, var, reduction="none").data, expected, rtol=1e-14)
    check_gradients(lambda x, v: F.gaussian_nll_loss(x, Y, v), X, var, order=2)


def test_a_variance_below_eps_finds_its_way_back():
    var = Value(np.zeros(1))
    F.gaussian_nll_loss(np.ones(1), np.zeros(1), var, eps=0.5).backward()
    assert var.grad == pytest.approx((1 / 0.5 - 1 / 0.5**2) / 2)


@pytest.mark.parametrize(
    ("a", "b", "dim"), [((3, 4), (3, 4), 1), ((2, 1, 4), (3, 4), -1), ((3, 1), (3, 4), 0), ((4,), (4,), 0)]
)
def test_cosine_similarity(a, b, dim):
    x, y = RNG.normal(size=a), RNG.normal(size=b)
    one, two = np.broadcast_arrays(x, y)
    expected = np.sum(one * two, dim) / np.sqrt(np.sum(one**2, dim) * np.sum(two**2, dim))
    for f in (F.cosine_similarity, lambda *xs, dim: nn.CosineSimilarity(dim)(*xs)):
        assert np.allclose(f(Value(x), y, dim=dim).data, expected, rtol=1e-13)
        assert np.allclose(f(1e200 * x, 1e-5 * y, dim=dim), expected, rtol=1e-13)
        check_gradients(lambda x, y, f=f: f(x, y, dim=dim), x, y, order=2)
    zero = Value(np.zeros(a))
    F.cosine_similarity(zero, y, dim=dim).sum().backward()
    assert np.all(np.isfinite(zero.grad))
    assert repr(nn.CosineSimilarity()) == "CosineSimilarity(dim=1, eps=1e-08)"


def test_what_has_no_probability_adds_nothing_to_a_divergence():
    q, t = np.array([-1.0, -np.inf, -2.0]), np.array([-0.5, -np.inf, -np.inf])
    expected = [np.exp(-0.5) * 0.5, 0.0, 0.0]
    for target, log_target in ((t, True), (np.exp(t), False)):
        x, y = Value(q), Value(target)
        losses = F.kl_div(x, y, reduction="none", log_target=log_target)
        assert np.allclose(losses.data, expected, rtol=1e-14)
        losses.sum().backward()
        assert np.allclose(x.grad, [-np.exp(-0.5), 0.0, 0.0], rtol=1e-14)
        assert np.array_equal(y.grad[1:], [0.0, 0.0])


def test_what_poisson_finds_impossible_costs_nothing():
    for rate, log_input, expected in ((-np.inf, True, 0.0), (0.0, False, 0.0), (0.0, True, 1.0)):
        x, t = Value(np.array([rate])), Value(np.zeros(1))
        loss = F.poisson_nll_loss(x, t, log_input, eps=0.0, full=True)
        loss.backward()
        assert loss.item() == expected
        assert x.grad == (np.exp(rate) if log_input else 1.0)
    assert np.isnan(F.poisson_nll_loss(np.array([np.nan]), np.zeros(1)))
    assert np.isnan(F.poisson_nll_loss(np.array([np.nan, 1.0]), np.ones(2)))
    counts = F.poisson_nll_loss(np.zeros(3), [0, 1, 2], full=True, reduction="none")
    assert np.allclose(counts, [1.0, 1.0, 1 + 2 * np.log(2) - 2 + np.log(4 * np.pi) / 2])
    exact = F.poisson_nll_loss(np.zeros(1), [50], full=True) - 1
    assert exact == pytest.approx(math.lgamma(51), rel=1e-4)


def test_scores_of_any_size_have_a_soft_margin():
    x = Value(np.array([1e4, -1e4, -1e4, 40.0]))
    losses = F.soft_margin_loss(x, [1, -1, 1, 1], reduction="none")
    assert np.allclose(losses.data, [0.0, 0.0, 1e4, np.exp(-40)], rtol=1e-12, atol=0)
    losses.sum().backward()
    assert np.allclose(x.grad, [0.0, 0.0, -1.0, -np.exp(-40)], rtol=1e-12, atol=0)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.5, -1.0, np.inf, 0.0])
@pytest.mark.parametrize(("a", "b"), [((3, 4), (3, 4)), ((2, 1, 4), (3, 4)), ((4,), (3, 4)), ((4,), (4,))])
def test_pairwise_distance(a, b, p):
    x, y = RNG.normal(size=a), RNG.normal(size=b)
    for keepdim in (False, True):
        expected = np.linalg.norm(np.atleast_1d(x - y + 0.1), p, axis=-1, keepdims=keepdim)
        for f in (F.pairwise_distance, lambda *xs, p, eps, keepdim: nn.PairwiseDistance(p, eps, keepdim)(*xs)):
            assert np.allclose(f(Value(x), y, p=p, eps=0.1, keepdim=keepdim).data, expected, rtol=1e-13)
            if p:
                check_gradients(partial(f, p=p, eps=0.1, keepdim=keepdim), x, y, order=2)
    far = F.pairwise_distance(1e200 * x, y, p=3.0)
    assert np.allclose(far, 1e200 * np.linalg.norm(np.broadcast_to(x, (x - y).shape), 3, axis=-1))


def test_equal_vectors_have_a_distance_with_a_gradient():
    x = Value(X.copy())
    F.pairwise_distance(x, X).sum().backward()
    assert np.allclose(x.grad, 0.5)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.5, np.inf])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize(p, dim):
    x = F.normalize(Value(1e200 * X), p, dim)
    assert np.allclose(np.linalg.norm(x.data, p, axis=dim), 1.0)
    assert np.allclose(x.data, X / np.linalg.norm(X, p, axis=dim, keepdims=True))
    check_gradients(lambda x: F.normalize(x, p, dim), X, order=2)
    zero = Value(np.zeros((3, 4)))
    y = F.normalize(zero, p, dim, eps=0.5)
    y.sum().backward()
    assert np.array_equal(y.data, np.zeros((3, 4)))
    assert np.array_equal(zero.grad, np.full((3, 4), 2.0))
    assert np.allclose(F.normalize(np.float16(X) * 0, p, dim), 0)  # an eps of 1e-12 is 0 in float16


def test_a_row_of_labels_ends_at_the_first_gap():
    x = Value(X)
    every = F.multilabel_margin_loss(x, SEVERAL, reduction="none")
    behind = np.array([[3, 0, -1, 2], [2, -1, 0, 1], [-1, 0, 0, 0]])
    assert np.array_equal(F.multilabel_margin_loss(X, behind, reduction="none"), every.data)
    assert every.data[2] == 0  # no label
    assert F.multilabel_margin_loss(x[0], SEVERAL[0]).item() == every.data[0]


def test_modules_take_their_inputs_by_name_too():
    assert nn.MSELoss()(input=V, target=Y).item() == F.mse_loss(V, Y).item()
    assert nn.CrossEntropyLoss()(V, target=LABELS).item() == F.cross_entropy(V, LABELS).item()


def test_settings_by_position_are_pytorchs():
    assert F.cross_entropy(X, LABELS, WEIGHT) == F.cross_entropy(X, LABELS, weight=WEIGHT)
    assert F.gaussian_nll_loss(X, Y, P, True, 0.5, "sum") == F.gaussian_nll_loss(
        X, Y, P, full=True, eps=0.5, reduction="sum"
    )
    assert F.huber_loss(X, Y, "sum", 0.5) == nn.HuberLoss("sum", 0.5)(X, Y)
    assert nn.MultiMarginLoss(2, 0.5, WEIGHT)(X, LABELS) == F.multi_margin_loss(X, LABELS, 2, 0.5, WEIGHT)
    assert nn.TripletMarginLoss(2.0, 1.0, 0.1, True)(X, Y, P) == F.triplet_margin_loss(X, Y, P, 2.0, 1.0, 0.1, True)


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.mse_loss(X, Y, False),  # size_average in PyTorch
        lambda: F.kl_div(X, Q, "sum"),
        lambda: F.cross_entropy(X, LABELS, None, 1),
        lambda: F.poisson_nll_loss(X, COUNTS, True, False, 1e-3),
        lambda: nn.BCEWithLogitsLoss(None, WEIGHT),
        lambda: nn.CrossEntropyLoss(None, 1),
    ],
)
def test_no_setting_by_position_where_pytorch_has_a_deprecated_one(call):
    with pytest.raises(
        TinygradError,
        match="positional arguments but|too many arguments without a name|by position|got reduction=False",
    ):
        call()


def test_zero_one_loss_counts_mistakes():
    scores = Value(np.eye(4)[[3, 1, 2]])
    for prediction in (scores, [3, 1, 2]):
        assert F.zero_one_loss(prediction, LABELS) == pytest.approx(1 / 3)
        assert F.zero_one_loss(prediction, LABELS, reduction="sum") == 1
        assert np.array_equal(F.zero_one_loss(prediction, LABELS, reduction="none"), [0, 1, 0])
    assert not isinstance(F.zero_one_loss(scores, LABELS), Value)


def test_settings_show_and_weights_are_buffers():
    loss = nn.CrossEntropyLoss(weight=[1, 2], label_smoothing=0.1).eval()
    assert repr(loss) == "CrossEntropyLoss(ignore_index=-100, reduction='mean', label_smoothing=0.1)"
    assert list(loss.state_dict()) == ["weight"]
    assert not loss.parameters()
    assert repr(nn.HuberLoss(delta=2.0)) == "HuberLoss(reduction='mean', delta=2.0)"
    assert repr(nn.SSELoss()) == "SSELoss(reduction='sum')"


V, NEGATIVE = Value(X), Q - 0.5


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: F.mse_loss(V, Y[0]), ShapeError, "mse_loss: input has shape (3, 4), target (4,); expected the same, so reshape"),
        (lambda: F.l1_loss(V, [[1], [2, 3]]), DTypeError, "l1_loss: target: got a nested list with rows of different lengths"),
        (lambda: F.huber_loss(V, Y, delta=0.0), TinygradError, "huber_loss: got delta=0.0, expected a number > 0"),
        (lambda: nn.HuberLoss(delta=-1), TinygradError, "HuberLoss: got delta=-1, expected a number > 0"),
        (lambda: nn.SmoothL1Loss(beta=-1), TinygradError, "SmoothL1Loss: got beta=-1, expected a number from 0 on"),
        (lambda: F.huber_loss(V, Y, delta="a"), TinygradError, "huber_loss: got delta='a', expected a number > 0"),
        (lambda: nn.SmoothL1Loss(beta="a"), TinygradError, "SmoothL1Loss: got beta='a'"),
        (lambda: nn.HingeLoss("a"), TinygradError, "HingeLoss: got margin='a', expected a real number"),
        (lambda: nn.MultiMarginLoss(p="a"), TinygradError, "MultiMarginLoss: got p='a', expected 1 or 2"),
        (lambda: nn.CosineSimilarity(eps="a"), TinygradError, "CosineSimilarity: got eps='a'"),
        (lambda: nn.MSELoss(0.5), TinygradError, "MSELoss: got too many arguments without a name, expected settings by name, then a call"),
        (lambda: nn.HuberLoss(V, Y), TinygradError, "HuberLoss: got reduction=<Value of float64, shape (3, 4)>, expected one of 'mean'"),
        (lambda: nn.CrossEntropyLoss(V, LABELS), TinygradError, "CrossEntropyLoss: got too many arguments without a name"),
        (lambda: F.msle_loss(np.array([-1.0, 0.0]), np.zeros(2)), TinygradError, "msle_loss: 1 of 2 numbers of input are wrong, expected > -1"),
        (lambda: F.mape_loss(V, Y * (Y > 0)), TinygradError, f"mape_loss: {np.sum(Y <= 0)} of 12 numbers of target are wrong, expected none to be 0"),
        (lambda: F.binary_cross_entropy(P + 1, Q), TinygradError, "12 of 12 numbers of input are wrong, expected probabilities, from 0 to 1"),
        (lambda: F.binary_cross_entropy(P, NEGATIVE), TinygradError, "numbers of target are wrong, expected probabilities"),
        (lambda: F.binary_cross_entropy_with_logits(V, SIGNS), TinygradError, "of target are wrong, expected probabilities"),
        (lambda: F.binary_cross_entropy(P, Q, weight=np.ones(3)), ShapeError, "weight has shape (3,), expected (3, 4) or one that broadcasts"),
        (lambda: F.binary_cross_entropy(P, Q, weight=np.ones((2, 3, 4))), ShapeError, "weight has shape (2, 3, 4), expected (3, 4)"),
        (lambda: F.cross_entropy(V, [0, 1, 4]), ShapeError, "cross_entropy: got labels from 0 to 4, expected 0 to 3"),
        (lambda: F.cross_entropy(V, [0, -1, -100]), ShapeError, "cross_entropy: got labels from -1 to 0"),
        (lambda: F.cross_entropy(V, [0.0, 1.0, 2.0]), DTypeError, "labels are float64, expected integers"),
        (lambda: F.cross_entropy(V, Value(np.ones(3))), DTypeError, "labels are a Value, expected plain integers"),
        (lambda: F.cross_entropy(V, Q + 1), TinygradError, "numbers of target are wrong, expected probabilities"),
        (lambda: F.cross_entropy(V, Q[:, :2]), ShapeError, "input has shape (3, 4), target (3, 2)"),
        (lambda: F.cross_entropy(Value(2.0), 0), ShapeError, "got logits () and labels ()"),
        (lambda: F.cross_entropy(V, LABELS, weight=np.ones(3)), ShapeError, "weight has shape (3,), expected (4,)"),
        (lambda: F.cross_entropy(V, [-100] * 3), TinygradError, "all labels are ignored or weigh 0"),
        (lambda: F.cross_entropy(V, LABELS, label_smoothing=1.5), TinygradError, "got label_smoothing=1.5, expected a number from 0 to 1"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=-0.1), TinygradError, "CrossEntropyLoss: got label_smoothing=-0.1"),
        (lambda: nn.NLLLoss(weight=["a"]), DTypeError, "NLLLoss: weight is of <U1, expected real numbers"),
        (lambda: F.nll_loss(V, [0, 1]), ShapeError, "nll_loss: got log probabilities (3, 4) and labels (2,)"),
        (lambda: F.gaussian_nll_loss(V, Y, -P), TinygradError, "12 of 12 numbers of var are wrong, expected variances"),
        (lambda: F.gaussian_nll_loss(V, Y, np.ones(2)), ShapeError, "var has shape (2,), expected (3, 4), (3,), or 1"),
        (lambda: nn.GaussianNLLLoss(eps=0), TinygradError, "GaussianNLLLoss: got eps=0, expected a number > 0"),
        (lambda: F.kl_div(V, NEGATIVE), TinygradError, "kl_div: "),
        (lambda: F.kl_div(V, Q, reduction="average"), TinygradError, "'none', 'batchmean'"),
        (lambda: F.kl_div(1.0, 0.5, reduction="batchmean"), ShapeError, "expected a first axis"),
        (lambda: F.mse_loss(1.0, 0.5, reduction="batchmean"), ShapeError, "mse_loss: got scalars, expected a first axis"),
        (lambda: F.rmse_loss(V, Q, reduction="batchmean"), TinygradError, "rmse_loss: got reduction='batchmean'"),
        (lambda: F.cosine_similarity(V, Y[:, :3]), ShapeError, "got shapes (3, 4) and (3, 3), dim=1"),
        (lambda: F.cosine_similarity(V, Y, dim=2), ShapeError, "expected shapes that broadcast to one with this axis"),
        (lambda: F.cosine_embedding_loss(V, Y[0], PAIRS), ShapeError, "input1 has shape (3, 4), input2 (4,); expected the same"),
        (lambda: F.cosine_embedding_loss(V, Y, [0, 1, 1]), TinygradError, "1 of 3 numbers of target are wrong, expected labels -1 or +1"),
        (lambda: F.cosine_embedding_loss(V, Y, [1, 1]), ShapeError, "target has shape (2,), expected (3,)"),
        (lambda: F.hinge_loss(V, SIGNS > 0), TinygradError, "turn 0 and 1 into them with 2 * labels - 1"),
        (lambda: F.multi_margin_loss(V, LABELS, p=3), TinygradError, "multi_margin_loss: got p=3, expected 1 or 2"),
        (lambda: F.multi_margin_loss(DEEP, [[0, 1, 2]] * 2), ShapeError, "got scores (2, 4, 3), expected (batch, classes)"),
        (lambda: F.margin_ranking_loss(V, Y[:1], SIGNS), ShapeError, "margin_ranking_loss: input1 has shape (3, 4), input2 (1, 4)"),
        (lambda: F.margin_ranking_loss(V, Y, SIGNS > 0), TinygradError, "numbers of target are wrong, expected labels -1 or +1"),
        (lambda: F.soft_margin_loss(V, SIGNS > 0), TinygradError, "soft_margin_loss: "),
        (lambda: F.triplet_margin_loss(V, Y, P[:1]), ShapeError, "anchor has shape (3, 4), negative (1, 4); expected the same"),
        (lambda: F.triplet_margin_loss(1.0, 2.0, 3.0), ShapeError, "anchor is a scalar, expected vectors (..., size)"),
        (lambda: F.triplet_margin_loss(V, Y, P, 0.0), TinygradError, "got margin=0.0, expected a number > 0"),
        (lambda: nn.TripletMarginLoss(swap=1), TinygradError, "TripletMarginLoss: got swap=1, expected True or False"),
        (lambda: nn.TripletMarginWithDistanceLoss(distance_function=3), TinygradError, "got distance_function=3, expected a function or None"),
        (lambda: F.poisson_nll_loss(V, -COUNTS), TinygradError, "12 of 12 numbers of target are wrong, expected counts, 0 or more"),
        (lambda: F.poisson_nll_loss(-P, COUNTS, False), TinygradError, "12 of 12 numbers of input are wrong, expected rates"),
        (lambda: F.multilabel_margin_loss(V, [[4, -1, 0, 0]] * 3), ShapeError, "got labels from 0 to 4, expected 0 to 3, and -1 after the last"),
        (lambda: F.multilabel_margin_loss(V, [[-2, -1, 0, 0]] * 3), ShapeError, "got labels from -2 to 0"),
        (lambda: F.multilabel_margin_loss(V, Q), DTypeError, "labels are float64, expected integers"),
        (lambda: F.multilabel_margin_loss(V, V), DTypeError, "labels are a Value, expected plain integers"),
        (lambda: F.multilabel_margin_loss(DEEP, np.zeros((2, 4, 3), int)), ShapeError, "got scores (2, 4, 3) and labels (2, 4, 3)"),
        (lambda: F.multilabel_soft_margin_loss(V, SIGNS), TinygradError, "of target are wrong, expected probabilities"),
        (lambda: F.multilabel_soft_margin_loss(1.0, 1.0), ShapeError, "got scalars, expected an axis of classes"),
        (lambda: F.multilabel_soft_margin_loss(V, Q, np.ones(3)), ShapeError, "weight has shape (3,), expected (3, 4)"),
        (lambda: F.pairwise_distance(V, Y[:, :3]), ShapeError, "pairwise_distance: got shapes (3, 4) and (3, 3), dim=-1"),
        (lambda: F.pairwise_distance(V, Y, p="a"), TinygradError, "pairwise_distance: got p='a', expected a real number"),
        (lambda: nn.PairwiseDistance(keepdim="yes"), TinygradError, "PairwiseDistance: got keepdim='yes', expected True or False"),
        (lambda: F.normalize(V, dim=2), ShapeError, "normalize: got an input of shape (3, 4) and dim=2, expected one with this axis"),
        (lambda: F.normalize(1.0), ShapeError, "normalize: got an input of shape () and dim=1"),
        (lambda: nn.KLDivLoss(log_target=2), TinygradError, "KLDivLoss: got log_target=2, expected True or False"),
        (lambda: nn.CrossEntropyLoss(ignore_index=0.5), TinygradError, "CrossEntropyLoss: got ignore_index=0.5, expected an integer"),
        (lambda: nn.HuberLoss(beta=1.0), DTypeError, "HuberLoss: got beta=, expected delta="),
        (lambda: F.zero_one_loss(V, [0, 1]), ShapeError, "zero_one_loss: got scores (3, 4) and labels (2,)"),
        (lambda: F.l2_penalty([], 0.1), TinygradError, "l2_penalty: got no parameters"),
        (lambda: F.l1_penalty(V, -0.1), TinygradError, "l1_penalty: got strength=-0.1, expected 0 or more"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(wrong, error, message):
    with pytest.raises(error, match=re.escape(message)):
        wrong()


class WithNorm(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(4, 2, rng=0)
        self.bias, self.scale = Value(np.ones((2, 1))), Value(np.ones(2))


def test_penalties_weigh_chosen_parameters():
    net = WithNorm()
    w, b = net.layer.weight.data, net.layer.bias.data
    every, weights = [w, b, np.ones((2, 1)), np.ones(2)], [w]
    for bias, chosen in ((True, every), (False, weights)):
        two, one = (sum(np.sum(f(p)) for p in chosen) for f in (np.square, np.abs))
        for parameters in (net, dict(net.named_parameters()), net.state_dict()):
            with no_grad():  # plain numbers of a state_dict
                assert float(F.l2_penalty(parameters, 0.3, include_bias=bias)) == pytest.approx(0.15 * two)
                assert float(F.l1_penalty(parameters, 0.3, include_bias=bias)) == pytest.approx(0.3 * one)
    assert F.l2_penalty(net.layer.parameters(), 0.3, include_bias=False).item() == pytest.approx(0.15 * np.sum(w**2))
    F.l2_penalty(net, 0.3, include_bias=False).backward()
    assert np.allclose(net.layer.weight.grad, 0.3 * w)  # that of weight_decay=0.3
    assert net.layer.bias.grad is None
    check_gradients(lambda w: F.l2_penalty([w, w], 0.3) + F.l1_penalty(w, 0.2), w, order=2)


def test_a_list_of_values_is_one_prediction():
    scores = [Value(0.5), Value(-3.0)]
    F.hinge_loss(scores, np.array([1, 1]), reduction="sum").backward()
    assert [s.grad for s in scores] == [-1.0, -1.0]
    assert isinstance(array(scores), Value)


def test_kl_div_hides_no_nan():
    """What is impossible, t = 0, costs 0 however unlikely the prediction says it is; but NaN says nothing."""
    t = np.array([0.0, 0.5, 0.5])
    for prediction, expected in (
        ([-np.inf, -1.0, -2.0], [0, 0.5 * (np.log(0.5) + 1), 0.5 * (np.log(0.5) + 2)]),
        ([np.nan, -1.0, -2.0], [np.nan, 0.5 * (np.log(0.5) + 1), 0.5 * (np.log(0.5) + 2)]),
    ):
        v = Value(np.array(prediction))
        for target, how in ((t, {}), (np.array([-np.inf, *np.log(t[1:])]), {"log_target": True})):
            losses = F.kl_div(v, target, reduction="none", **how)
            assert np.allclose(losses.data, expected, equal_nan=True)
            assert np.isnan(F.kl_div(v, target, **how).data) == np.isnan(prediction[0])
            v.zero_grad()
            losses.sum().backward()
            assert np.allclose(v.grad, -t)
    with pytest.raises(TinygradError, match="1 of 3 numbers of target are wrong"):
        F.kl_div(np.zeros(3), [np.nan, 0.5, 0.5])
    assert np.isnan(F.kl_div(np.zeros(2), [np.nan, 0.0], log_target=True))


MANY = 70_000
NOISE = np.random.default_rng(0).standard_normal((MANY, 2))
CHANCES = np.random.default_rng(1).uniform(0.01, 0.99, MANY)
HALF_LOSSES = {
    **{
        f"{f.__name__} of many": (f, NOISE[:, 0], NOISE[:, 1])
        for f in (F.mse_loss, F.half_mse_loss, F.rmse_loss, F.l1_loss)
    },
    **{
        f"{f.__name__} of 300": (f, [300.0, 0, 0, 0], np.zeros(4))
        for f in (F.mse_loss, F.rmse_loss, F.huber_loss, F.sae_loss)
    },
    "smooth_l1_loss": (F.smooth_l1_loss, NOISE[:, 0], NOISE[:, 1]),
    "log_cosh_loss": (F.log_cosh_loss, NOISE[:, 0], NOISE[:, 1]),
    "msle_loss": (F.msle_loss, np.full(MANY, 5.0), np.ones(MANY)),
    "mape_loss": (F.mape_loss, [5.0] * 3000 + [800.0], np.ones(3001)),
    "binary_cross_entropy": (F.binary_cross_entropy, CHANCES, CHANCES[::-1]),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, NOISE[:, 0], CHANCES),
    "cross_entropy": (F.cross_entropy, NOISE, np.zeros(MANY, int)),
    "cross_entropy, smoothed": (lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1), NOISE, np.zeros(MANY, int)),
    "cross_entropy past 65504": (
        lambda x, t: F.cross_entropy(x, t, label_smoothing=0.2),
        [[0.0, 500.0]] * 300,
        np.zeros(300, int),
    ),
    "nll_loss": (F.nll_loss, -np.abs(NOISE) - 300, np.zeros(MANY, int)),
    "nll_loss with weights": (lambda x, t: F.nll_loss(x, t, weight=[1.0, 2.0]), -np.abs(NOISE), np.ones(MANY, int)),
    "kl_div": (F.kl_div, -np.abs(NOISE[:, 0]), CHANCES),
    "kl_div of batches": (
        lambda x, t: F.kl_div(x, t, reduction="batchmean"),
        -np.abs(NOISE),
        np.stack([CHANCES, 1 - CHANCES], 1),
    ),
    "gaussian_nll_loss": (lambda x, t: F.gaussian_nll_loss(x, t, 1e4), NOISE[:, 0] * 300, np.zeros(MANY)),
    "hinge_loss": (lambda x, t: F.hinge_loss(x, np.sign(t)), NOISE[:, 0], NOISE[:, 1]),
    "hinge_embedding_loss": (lambda x, t: F.hinge_embedding_loss(x, np.sign(t)), NOISE[:, 0], NOISE[:, 1]),
    "multi_margin_loss": (lambda x, t: F.multi_margin_loss(x, t, p=2), NOISE * 30, np.zeros(MANY, int)),
    "cosine_embedding_loss": (lambda x, t: F.cosine_embedding_loss(x, t, np.ones(MANY)), NOISE, NOISE[::-1]),
    "margin_ranking_loss": (lambda x, t: F.margin_ranking_loss(x, -t, np.sign(t)), NOISE[:, 0], NOISE[:, 1]),
    "soft_margin_loss": (lambda x, t: F.soft_margin_loss(x, np.sign(t)), NOISE[:, 0], NOISE[:, 1]),
    "triplet_margin_loss": (lambda x, t: F.triplet_margin_loss(x, t, -t), NOISE * 300, NOISE[::-1]),
    "poisson_nll_loss": (lambda x, t: F.poisson_nll_loss(x, abs(t)), NOISE[:, 0], NOISE[:, 1]),
    "multilabel_soft_margin_loss": (F.multilabel_soft_margin_loss, NOISE, (NOISE > 0) * 1.0),
    "multilabel_margin_loss": (F.multilabel_margin_loss, NOISE, np.tile([1, -1], (MANY, 1))),
    "pairwise_distance": (lambda x, t: F.pairwise_distance(x, t), NOISE[:, 0], NOISE[:, 1]),
    "cosine_similarity": (lambda x, t: F.cosine_similarity(x, t, dim=0), NOISE[:, 0], NOISE[:, 1]),
    "l2_penalty": (lambda x, t: F.l2_penalty([x], 0.1), NOISE[:, 0] * 1e-3, 0),
    "l1_penalty": (lambda x, t: F.l1_penalty([x], 0.1), NOISE[:, 0], 0),
}


@pytest.mark.parametrize("name", HALF_LOSSES)
def test_losses_of_float16_are_computed_in_float32(name):
    """As if in float64, and rounded: where squares, sums or counts pass 65504, and where steps get too small."""
    f, x, target = HALF_LOSSES[name]
    found = []
    for dtype in (np.float16, np.float64):
        v, t = Value(np.asarray(x, np.float16).astype(dtype)), np.asarray(target)
        y = f(v, t.astype(np.float16).astype(dtype) if t.dtype == float else t)
        y.backward()
        found.append((y, v.grad))
    (half, slope), (exact, exact_slope) = found
    assert half.dtype == slope.dtype == np.float16
    assert half.data == pytest.approx(exact.data, rel=2e-3)
    steps = np.asarray(exact_slope).astype(np.float16).astype(float)
    assert np.allclose(slope.astype(float), steps, rtol=2e-2, atol=5e-3 * np.max(np.abs(steps)))
