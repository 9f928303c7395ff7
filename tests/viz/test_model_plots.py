"""Plots of what models do: the plotted numbers are the computed ones, faults are named, and models stay as they were."""

from __future__ import annotations

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import nn
import viz
from nn.functional import cross_entropy
from tinygrad_edu import DTypeError, ShapeError, Value, tanh
from viz import RenderError, confusion_matrix, decision_boundary, gradient_flow, histograms, images, weights
from viz.plots.faults import findings
from viz.plots.observed import flow

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 6)), np.arange(20) % 3
PLANE = X[:, :2]


def model(activation=nn.ReLU):
    return nn.Sequential(nn.Linear(6, 4, rng=0), activation(), nn.Linear(4, 3, rng=1))


def loss(scores):
    return cross_entropy(scores, Y)


def lines(ax):
    return {line.get_label(): line.get_xydata() for line in ax.lines}


def left(net):
    """All that a plot must not change."""
    return (
        [module.training for _, module in net.named_modules()],
        [p.grad if p.grad is None else p.grad.copy() for p in net.parameters()],
        [p.requires_grad for p in net.parameters()],
        {path: array.tolist() for path, array in net.state_dict().items()},
    )


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(
    "plot",
    [
        lambda net: decision_boundary(nn.Sequential(nn.Linear(2, 6, rng=0), net), PLANE, Y),
        lambda net: histograms(net, X),
        lambda net: histograms(net, X, "gradients", loss=loss),
        lambda net: gradient_flow(net, X, loss=loss),
    ],
)
def test_models_and_their_gradients_stay_as_they_were(plot, held, training):
    noise = np.random.default_rng(1)
    net = nn.Sequential(
        nn.Linear(6, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(rng=noise), nn.Tanh(), nn.Linear(4, 3, rng=1)
    )
    if held:
        loss(net(X)).backward()
    net[0].freeze()
    net.train(training)
    before, state = left(net), noise.bit_generator.state
    plot(net)
    assert noise.bit_generator.state == state
    for one, other in zip(before, left(net), strict=True):
        np.testing.assert_equal(one, other)


def test_a_module_is_run_in_evaluation_mode():
    net = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Dropout(0.9, rng=0))
    net[0].bias.data[...] = [0, 1, 2]
    net[0].bias.mark_changed()
    said = np.argmax(PLANE @ net[0].weight.data.T + net[0].bias.data, axis=1)
    drawn = lines(decision_boundary(net, PLANE, said))
    assert not any(label.startswith("wrong") for label in drawn)
    assert net.training


def test_leaves_that_only_the_loss_uses_keep_their_gradients_too():
    scale = Value(2.0)
    (scale * 3).backward()
    histograms(model(), X, "gradients", loss=lambda scores: loss(scores) * scale)
    assert scale.grad == 3.0


# -- Decisions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_boundary_of_one_score_is_where_it_crosses_the_threshold(theme):
    y = (PLANE[:, 0] > 0).astype(int)
    y[:2] = 1 - y[:2]
    ax = decision_boundary(lambda p: p[:, :1], PLANE, y, ["no", "yes"], theme=theme)
    boundary = ax.collections[-1].get_paths()[0].vertices
    assert boundary[:, 0] == pytest.approx(0, abs=1e-9)
    drawn = lines(ax)
    assert {label: len(drawn[label]) for label in ("no", "yes")} == {"no": np.sum(y == 0), "yes": np.sum(y == 1)}
    assert np.array_equal(drawn["no"], PLANE[y == 0])
    assert np.array_equal(drawn["wrong: 2 of 20"], PLANE[:2])
    assert {line.get_marker() for line in ax.lines} == {"o", "s"}


@pytest.mark.parametrize(
    ("scores", "threshold", "told"),
    [
        (lambda p: p[:, 0], None, "0"),
        (lambda p: 1 / (1 + np.exp(-p[:, 0])), None, "0.5"),
        (lambda p: p[:, 0], 0.25, "0.25"),
        (nn.Perceptron(2), None, "0.5"),
    ],
)
def test_the_threshold(scores, threshold, told):
    ax = decision_boundary(scores, PLANE, threshold=threshold)
    bar = ax.figure.axes[-1]
    assert bar.get_ylabel() == f"score; the boundary is at {told}"
    assert bar.get_yticklabels()[2].get_text() == told


def test_the_threshold_decides_about_examples_too():
    y = (PLANE[:, 0] > 0.5).astype(int)
    assert "wrong" not in " ".join(lines(decision_boundary(lambda p: p[:, 0], PLANE, y, threshold=0.5)))
    between = np.sum((PLANE[:, 0] > 0) & (PLANE[:, 0] <= 0.5))
    assert f"wrong: {between} of 20" in lines(decision_boundary(lambda p: p[:, 0], PLANE, y))


@pytest.mark.parametrize(
    "y", [np.sign(PLANE[:, 0]), np.sign(PLANE[:, :1]).astype(int), (PLANE[:, 0] > 0).astype(float)]
)
def test_two_classes_may_be_called_minus_one_and_one(y):
    assert not any("wrong" in label for label in lines(decision_boundary(lambda p: p[:, 0], PLANE, y)))


def test_regions_of_classes_are_where_their_score_is_the_largest():
    def scores(p):
        return np.stack([p[:, 0], p[:, 1], 0 * p[:, 0] + 0.2], axis=1)

    said = np.argmax(scores(PLANE), axis=1)
    ax = decision_boundary(scores, PLANE, said)
    assert list(lines(ax)) == ["class 0", "class 1", "class 2"]
    regions = [c for c in ax.collections if len(c.get_facecolor())]
    for k, region in enumerate(regions):
        inside = [any(path.contains_point(point) for path in region.get_paths()) for point in PLANE]
        assert inside == (said == k).tolist()
    assert len({tuple(region.get_facecolor()[0]) for region in regions}) == 3


@pytest.mark.parametrize("given", ["logits", "probabilities"])
def test_a_region_is_the_deeper_the_surer_the_model_is(given):
    def logits(p):
        return np.stack([3 * p[:, 0], 3 * p[:, 1], 0 * p[:, 0] + 0.2], axis=1)

    def shares(p):
        e = np.exp(logits(p))
        return e / e.sum(axis=1, keepdims=True)

    ax = decision_boundary(logits if given == "logits" else shares, PLANE, steps=400, probabilities=True)
    share = shares(PLANE)
    expected = [
        ((share.argmax(axis=1) == k) & (share[:, k] > least)).tolist()
        for k in range(3)
        for least in (0, 0.6, 0.75, 0.9, 0.99)
    ]
    layers = [c for c in ax.collections if len(c.get_facecolor())]
    assert [[any(path.contains_point(p) for path in layer.get_paths()) for p in PLANE] for layer in layers] == expected
    bar = ax.figure.axes[-1]
    assert bar.get_ylabel() == "probability of the class that is the most probable"
    assert [t.get_text() for t in bar.get_yticklabels()] == ["0", "0.6", "0.75", "0.9", "0.99", "1"]


def test_the_probability_of_a_single_logit():
    y = (PLANE[:, 0] > np.log(4)).astype(int)  # sigmoid(log 4) = 0.8
    ax = decision_boundary(lambda p: p[:, 0], PLANE, y, threshold=0.8, probabilities=True, steps=400)
    assert ax.figure.axes[-1].get_ylabel() == "probability; the boundary is at 0.8"
    assert ax.collections[-1].get_paths()[0].vertices[:, 0] == pytest.approx(np.log(4), abs=1e-3)
    assert "wrong" not in " ".join(lines(ax))
    ax = decision_boundary(lambda p: 1 / (1 + np.exp(-p[:, 0])), PLANE, probabilities=True)
    assert ax.collections[-1].get_paths()[0].vertices[:, 0] == pytest.approx(0, abs=1e-3)  # no sigmoid of a sigmoid


@pytest.mark.parametrize("method", ["decision_function", "predict_proba"])
def test_an_estimator_of_scikit_learns_comes_by_its_method(method):
    from sklearn.linear_model import LogisticRegression

    y = (PLANE.sum(axis=1) > 0.3).astype(int)
    fitted = LogisticRegression(C=0.05).fit(PLANE, y)
    mistaken = int(np.sum(fitted.predict(PLANE) != y))
    assert mistaken
    assert f"wrong: {mistaken} of 20" in lines(decision_boundary(getattr(fitted, method), PLANE, y))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: decision_boundary(model(), X, Y),
            ShapeError,
            r"x has shape \(20, 6\), expected \(n, 2\); pass two columns",
        ),
        (lambda: decision_boundary(3, PLANE, Y), DTypeError, "got int as model, expected a Module or a function"),
        (
            lambda: decision_boundary(lambda p: p[:3], PLANE, Y),
            ShapeError,
            r"the model returned shape \(3, 2\) for 40000 examples",
        ),
        (
            lambda: decision_boundary(lambda p: p[:, :, None], PLANE, Y),
            ShapeError,
            r"returned shape \(40000, 2, 1\), expected \(n,\)",
        ),
        (
            lambda: decision_boundary(lambda p: p[:, 0] / 0, PLANE, Y % 2),
            RenderError,
            "40,000 of 40,000 scores are NaN or infinite",
        ),
        (
            lambda: decision_boundary(lambda p: p[:, 0], PLANE, Y),
            ShapeError,
            "classes from 0 to 2 for 1 score a point, expected 0 to 1",
        ),
        (lambda: decision_boundary(lambda p: p, PLANE, Y[:5]), ShapeError, r"y has shape \(5,\), expected \(20,\)"),
        (lambda: decision_boundary(lambda p: p, PLANE, Y + 0.5), DTypeError, "y is of float64, expected integers"),
        (lambda: decision_boundary(lambda p: p, PLANE, Y % 2, ["a"]), ShapeError, "got 1 labels, expected 2"),
        (lambda: decision_boundary(lambda p: p, PLANE, steps=1), RenderError, "got steps=1, expected at least 2"),
        (
            lambda: decision_boundary(lambda p: p, np.empty((0, 2))),
            ShapeError,
            r"x has shape \(0, 2\), expected \(batch",
        ),
        (lambda: decision_boundary(lambda p: p, [["a", "b"]]), DTypeError, "x is of <U1, expected real numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_bad_decisions_are_named(call, error, message):
    with pytest.raises(error, match=f"decision_boundary: .*{message}"):
        call()


# -- Confusion ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_cell_says_how_often_a_class_was_taken_for_another(theme):
    y, said = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 1, 1, 0, 2])
    ax = confusion_matrix(y, said, ["cat", "dog", "cow"], theme=theme)
    told = {(t.get_position()[1], t.get_position()[0]): t.get_text() for t in ax.texts}
    assert told == {(0, 0): "1", (0, 1): "1", (1, 0): "1", (1, 1): "2", (2, 2): "1"}
    assert ax.get_title() == "accuracy 66.7%: 2 of 6 wrong"
    assert [t.get_text() for t in ax.get_yticklabels()] == ["cat", "dog", "cow"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("prediction", "class")
    above, right = ax.child_axes[1], ax.child_axes[0]
    assert [t.get_text() for t in right.get_yticklabels()] == ["50%", "67%", "100%"]
    assert [t.get_text() for t in above.get_xticklabels()] == ["50%", "67%", "100%"]
    pixels = ax.images[0].get_array()
    ground = np.array(to_rgb("#ffffff" if theme == "light" else "#14171a"))
    away = np.abs(np.asarray(pixels) - ground).max(axis=2) > 0.01
    assert np.array_equal(away, [[1, 1, 0], [1, 1, 0], [0, 0, 1]])


def test_shares_of_a_row_and_a_class_that_does_not_occur():
    ax = confusion_matrix([0, 0, 0, 2], np.array([0, 0, 2, 2]), normalise="true")
    assert [t.get_text() for t in ax.texts] == ["67%", "33%", "100%"]
    assert [t.get_text() for t in ax.child_axes[0].get_yticklabels()] == ["67%", "–", "100%"]


@pytest.mark.parametrize(
    ("normalise", "whole"), [("true", "each class"), ("pred", "each prediction"), ("all", "all examples")]
)
@pytest.mark.parametrize("cmap", [None, "viridis"])
def test_shares_are_those_of_scikit_learn_and_colours_follow(normalise, whole, cmap):
    from sklearn.metrics import confusion_matrix as computed

    y, said = RNG.integers(0, 4, 60), RNG.integers(0, 4, 60)
    share = computed(y, said, normalize=normalise)
    ax = confusion_matrix(y, said, normalise=normalise, cmap=cmap)
    told = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in ax.texts}
    assert told == {(i, j): f"{share[i, j]:.0%}" for i, j in np.argwhere(share)}
    assert ax.get_xlabel() == f"prediction; percentages of {whole}"
    pixels = np.asarray(ax.images[0].get_array())
    if cmap:
        assert np.allclose(pixels, plt.get_cmap(cmap)(share / share.max())[..., :3], atol=1 / 255)
    else:
        for place in (np.eye(4, dtype=bool), ~np.eye(4, dtype=bool)):
            deeper = np.argsort(share[place], kind="stable")
            assert np.all(np.diff(pixels[place][deeper].sum(axis=1)) < 1e-9)


@pytest.mark.parametrize(
    ("wrong", "of", "right", "mistake"),
    [(1, 20, "95%", "5%"), (6, 719, "99.2%", "0.8%"), (1, 1000, "99.9%", "0.1%"), (1, 9000, ">99.9%", "<0.1%")],
)
def test_a_share_is_not_rounded_to_nothing_or_to_all(wrong, of, right, mistake):
    ax = confusion_matrix(np.zeros(of, int), (np.arange(of) < wrong).astype(int), normalise="true")
    assert [t.get_text() for t in ax.texts] == [right, mistake]
    assert [t.get_text() for t in ax.child_axes[0].get_yticklabels()] == [right, "–"]
    assert [t.get_text() for t in ax.child_axes[1].get_xticklabels()] == ["100%", "0%"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("cmap", [None, "viridis", "Greys"])
def test_numbers_stand_out_from_their_cells(cmap, theme):
    ax = confusion_matrix(
        np.arange(40) % 4, np.maximum(np.arange(40) % 4 - (np.arange(40) > 30), 0), cmap=cmap, theme=theme
    )
    for text in ax.texts:
        ground = np.asarray(ax.images[0].get_array())[int(text.get_position()[1]), int(text.get_position()[0])]
        one, other = sorted((np.array(c) ** 2.2) @ [0.2126, 0.7152, 0.0722] for c in (ground, to_rgb(text.get_color())))
        assert (other + 0.05) / (one + 0.05) > 4  # the best that either black or white has on any ground is 4.6


def test_scores_are_decided_and_values_are_taken():
    net = model()
    matrix = nn.metrics.confusion_matrix(net(X), Y)
    ax = confusion_matrix(Y, net(X))
    assert {(int(t.get_position()[1]), int(t.get_position()[0])): int(t.get_text()) for t in ax.texts} == {
        (i, j): matrix[i, j] for i, j in np.argwhere(matrix)
    }


def test_many_classes_have_no_numbers_but_ticks():
    ax = confusion_matrix(np.arange(60), np.arange(60))
    assert not ax.texts
    assert list(ax.get_xticks()) == [*range(0, 60, 2)]
    assert len(confusion_matrix(np.arange(60), np.arange(60), values=True).texts) == 60
    assert not confusion_matrix(Y, Y, values=False).texts


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: confusion_matrix(X, Y), ShapeError, r"got scores \(20,\) and labels \(20, 6\)"),
        (lambda: confusion_matrix(Y, Y, ["a"]), ShapeError, "got 1 labels, expected 3, one for each class"),
        (lambda: confusion_matrix(Y, Y * 1.0), DTypeError, "prediction is of float64"),
        (lambda: confusion_matrix(Y, Y, normalise="row"), RenderError, "got normalise='row', expected 'true', 'pred'"),
        (lambda: confusion_matrix(Y, Y, normalise=["true"]), RenderError, r"got normalise=\['true'\], expected 'true'"),
        (lambda: confusion_matrix(Y, Y, cmap=3), RenderError, "got cmap=3, expected a colour map"),
        (lambda: confusion_matrix(Y, Y, cmap="no such"), RenderError, "got cmap='no such', expected a colour map"),
    ],
)
def test_bad_confusion_is_named(call, error, message):
    with pytest.raises(error, match=f"confusion_matrix: {message}"):
        call()


# -- Images and weights ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 1, 4, 3)])
def test_images_with_what_was_read_and_what_it_is(shape, theme):
    x = RNG.random(shape)
    axes = images(x, [0, 1, 2, 0, 1], [0, 1, 1, 0, 1], ["a", "b", "c"], columns=3, theme=theme).axes
    assert [ax.get_title() for ax in axes] == ["a", "b", "c, is b", "a", "b", ""]
    assert [ax.axison for ax in axes] == [False, False, True, False, False, False]  # a frame around the mistake
    for ax, picture in zip(axes, x.reshape(5, 4, 3), strict=False):
        assert np.array_equal(ax.images[0].get_array(), picture)
        assert ax.images[0].get_clim() == (x.min(), x.max())


def test_flat_images_are_square_and_colours_come_last():
    x = RNG.random((2, 9))
    assert np.array_equal(images(x).axes[1].images[0].get_array(), x[1].reshape(3, 3))
    x = RNG.random((2, 3, 4, 5))
    assert np.array_equal(images(x).axes[0].images[0].get_array(), np.moveaxis(x[0], 0, -1))
    x = RNG.integers(0, 256, (2, 3, 4, 5), np.uint8)
    assert np.allclose(images(x).axes[0].images[0].get_array(), np.moveaxis(x[0], 0, -1) / 255)


def test_long_names_stand_in_two_lines(troubles):
    figure = images(RNG.random((20, 4)), Y, (Y + 1) % 3, ["hippopotamuses", "grasshoppers", "x"])
    assert figure.axes[0].get_title() == "hippopotamuses\nis grasshoppers"
    assert troubles(figure) == []


def test_images_by_scores_and_of_many_the_first():
    figure = images(RNG.random((9, 4)), np.eye(9), most=4, columns=2)
    assert [ax.get_title() for ax in figure.axes] == ["0", "1", "2", "3"]
    assert figure.get_suptitle() == "the first 4 of 9"


def test_the_weights_of_units_as_images():
    layer = nn.Linear(16, 3, rng=0)
    figure = weights(layer)
    tiles = [ax for ax in figure.axes if ax.images]
    w = np.asarray(layer.weight.data)
    assert [np.array_equal(ax.images[0].get_array(), w[i].reshape(4, 4)) for i, ax in enumerate(tiles)] == [True] * 3
    assert {ax.images[0].get_clim() for ax in tiles} == {(-np.abs(w).max(), np.abs(w).max())}
    tiles = [ax for ax in weights(layer, (2, 8)).axes if ax.images]
    assert tiles[0].images[0].get_array().shape == (2, 8)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_weights_that_are_no_image_as_a_matrix(theme):
    layer = nn.Linear(6, 4, rng=0)
    ax = weights(layer, theme=theme).axes[0]
    assert np.array_equal(ax.images[0].get_array(), layer.weight.data)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("input", "unit")
    assert np.array_equal(weights(layer.weight).axes[0].images[0].get_array(), layer.weight.data)


def test_kernels_in_a_row_for_each_unit():
    layer = nn.Conv2d(2, 3, 5, rng=0)
    tiles = [ax for ax in weights(layer).axes if ax.images]
    assert [ax.get_title() for ax in tiles] == ["0, 0", "0, 1", "1, 0", "1, 1", "2, 0", "2, 1"]
    assert np.array_equal(tiles[3].images[0].get_array(), layer.weight.data[1, 1])
    assert len([ax for ax in weights(nn.Conv1d(2, 3, 5, rng=0)).axes if ax.images]) == 6
    figure = weights(layer, most=2)
    assert figure.get_suptitle() == "the first 2 of 6"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: images(X), ShapeError, r"images: x has shape \(20, 6\), expected \(n, height, width\)"),
        (lambda: images([[1, 2], [3]]), DTypeError, "images: x is not an array of numbers"),
        (lambda: images(X[:, :4], Y[:3]), ShapeError, r"images: predictions has shape \(3,\), expected \(20,\)"),
        (lambda: images(X[:, :4], Y, Y * 1.0), DTypeError, "images: y is of float64, expected integers"),
        (lambda: images(X[:, :4], Y, labels=["a", "b"]), ShapeError, "images: got labels from 0 to 2 and 2 names"),
        (lambda: images(X[:, :4], columns=0), RenderError, "images: got columns=0 and most=40"),
        (lambda: weights(model()), DTypeError, "weights: got Sequential, .*such as 0.weight"),
        (lambda: weights(nn.GRU(2, 3, rng=0)), DTypeError, "weights: got GRU, .*such as weight_ih_l0"),
        (lambda: weights(nn.ReLU()), DTypeError, "weights: got ReLU, expected a layer with a weight$"),
        (
            lambda: weights(nn.LayerNorm(4)),
            ShapeError,
            r"weights: the weight has shape \(4,\), expected \(units, inputs\)",
        ),
        (lambda: weights(nn.Linear(6, 4, rng=0), (2, 2)), ShapeError, r"weights: got shape=\(2, 2\) for 6 inputs"),
        (lambda: weights(nn.Linear(6, 4, rng=0), most=0), RenderError, "weights: got columns=10 and most=0"),
    ],
)
def test_bad_images_and_weights_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


# -- Histograms and gradients ------------------------------------------------------------------------------------------


def bars(ax):
    """Heights, and edges from left to right."""
    return [p.get_height() for p in ax.patches], [p.get_x() for p in ax.patches]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_bars_are_the_outputs_of_each_layer(theme):
    net = model()
    axes = histograms(net, X, bins=7, theme=theme).axes
    hidden = np.asarray(net[0](X).data)
    outputs = [hidden, np.maximum(hidden, 0), np.asarray(net(X).data)]
    for ax, name, numbers in zip(axes, ["0: Linear(6, 4)", "1: ReLU()", "2: Linear(4, 3)"], outputs, strict=False):
        title, words, *zero = ax.get_title().splitlines()
        assert title == name
        assert words.startswith(
            f"mean {viz.plots.style.shown(numbers.mean())}, sd {viz.plots.style.shown(numbers.std())}"
        )
        drawn = numbers[numbers != 0] if "ReLU" in name else numbers.ravel()
        heights, edges = bars(ax)
        counts, places = np.histogram(drawn, 7)
        assert heights == pytest.approx(counts / numbers.size)
        assert edges == pytest.approx(places[:-1])
        assert zero == ([f"{np.mean(numbers == 0):.0%} exactly 0"] if "ReLU" in name else [])


def test_the_bars_are_the_gradients_of_the_loss_by_outputs():
    net = model(nn.Tanh)
    axes = histograms(net, X, "gradients", loss=loss, bins=5).axes
    hidden = net[0](X)
    active = tanh(hidden)
    scores = net[2](active)
    loss(scores).backward()
    for ax, value in zip(axes, (hidden, active, scores), strict=False):
        counts, places = np.histogram(value.grad, 5)
        heights, edges = bars(ax)
        assert heights == pytest.approx(counts / value.size)
        assert edges == pytest.approx(places[:-1])


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("kind", ["parameters", "parameter gradients"])
def test_the_bars_are_the_parameters_and_their_gradients(kind, held):
    net = model()
    computed = model()
    loss(computed(X)).backward()
    given = {}
    if held:
        loss(net(X)).backward()
    elif kind == "parameter gradients":
        given = {"x": X, "loss": loss}
    axes = histograms(net, kind=kind, bins=6, yscale="log", **given).axes
    titles = ["0: Linear(6, 4), weight", "0: Linear(6, 4), bias", "2: Linear(4, 3), weight", "2: Linear(4, 3), bias"]
    assert [ax.get_title().splitlines()[0] for ax in axes] == titles
    for ax, p in zip(axes, computed.parameters(), strict=True):
        numbers = np.asarray(p.data if kind == "parameters" else p.grad)
        drawn = numbers[numbers != 0] if np.mean(numbers == 0) > 0.05 else numbers.ravel()
        counts, places = np.histogram(drawn, 6)
        heights, edges = bars(ax)
        assert heights == pytest.approx(counts / numbers.size)
        assert edges == pytest.approx(places[:-1])
        assert ax.get_yscale() == "log"
        assert ax.get_ylim()[0] < 0.5 / numbers.size  # of a bar of one number
    assert all((p.grad is not None) == held for p in net.parameters())


def test_parameters_without_a_gradient_have_no_panel():
    net = model()
    net[0].freeze()
    loss(net(X)).backward()
    axes = histograms(net, kind="parameter gradients").axes
    assert [ax.get_title().splitlines()[0] for ax in axes] == ["2: Linear(4, 3), weight", "2: Linear(4, 3), bias"]
    assert len(histograms(net, kind="parameters").axes) == 4


def test_numbers_that_are_not_finite_are_counted():
    layer = nn.Linear(6, 4, rng=0)
    layer.weight.data[1, 0] = np.nan
    layer.weight.mark_changed()
    (ax,) = histograms(layer, X).axes
    assert ax.get_title().splitlines()[-1] == "20 of 80 numbers not finite"
    assert sum(bars(ax)[0]) == pytest.approx(0.75)


@pytest.mark.parametrize(
    "net",
    [
        nn.GRU(6, 4, rng=0),
        nn.TransformerEncoderLayer(6, 2, 8, rng=0),
        nn.Sequential(nn.Flatten(1), nn.Linear(6, 2, rng=0)),
    ],
)
def test_layers_of_all_kinds(net):
    def total(output):
        output = output[0] if isinstance(output, tuple) else output
        return (output * output).sum()

    x = X[:, None]
    histograms(net, x, "gradients", loss=total)
    ax = gradient_flow(net, x, loss=total)
    total(net.eval()(x)).backward()
    held = {id(p): p.grad for p in net.parameters()}
    assert all(g is not None for g in held.values())
    sizes = ax.lines[0].get_xdata()
    assert np.isfinite(sizes).all()
    assert np.allclose(sorted(sizes), sorted(gradient_flow(net).lines[0].get_xdata()))


def rms(*arrays):
    return np.sqrt(np.mean(np.concatenate([np.ravel(a) for a in arrays]) ** 2))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sizes_are_those_of_the_gradients(theme):
    net = model()
    ax = gradient_flow(net, X, loss=loss, theme=theme)
    loss(net(X)).backward()
    expected = [rms(layer.weight.grad, layer.bias.grad) for layer in (net[0], net[2])]
    assert ax.lines[0].get_xdata() == pytest.approx(expected)
    assert list(ax.lines[0].get_ydata()) == [0, 2]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["0: Linear(6, 4)", "1: ReLU()", "2: Linear(4, 3)"]
    assert ax.get_title("right") == "no fault found"
    low, high = ax.get_xlim()
    assert high / low >= 99
    assert gradient_flow(net, X, loss=loss).lines[0].get_xdata() == pytest.approx(expected)  # not added to those held
    held = gradient_flow(net)
    assert held.lines[0].get_xdata() == pytest.approx(expected)
    assert list(held.lines[0].get_ydata()) == [0, 1]


def faults(net, x=X, of=loss):
    """Faults by the title of their layer, as the picture shows them."""
    ax = gradient_flow(net, x, loss=of)
    words = [t.get_text().replace("\n", " ") for t in ax.child_axes[0].get_yticklabels()]
    assert words == ["; ".join(row.faults) for row in findings(flow("gradient_flow", net, x, of))]
    titles = [t.get_text() for t in ax.get_yticklabels()]
    return {title: said for title, said in zip(titles, words, strict=True) if said}


def scaled(net, i, factor):
    net[i].weight.data[...] *= factor
    net[i].weight.mark_changed()
    return net


def test_vanishing_gradients():
    layers = [layer for i in range(6) for layer in (nn.Linear(6, 6, rng=i), nn.Sigmoid())]
    found = faults(nn.Sequential(*layers, nn.Linear(6, 3, rng=9)))
    assert list(found) == [f"{2 * i}: Linear(6, 6)" for i in range(len(found))]
    assert found["0: Linear(6, 6)"].startswith("vanishing: 1/")
    assert found["0: Linear(6, 6)"].endswith(",000 of the last layer's")


def test_exploding_gradients():
    net = nn.Sequential(nn.Linear(6, 6, bias=False, rng=0), nn.Linear(6, 3, bias=False, rng=1))
    assert faults(net, of=lambda y: y.mean()) == {}
    found = faults(scaled(net, 0, 1e-6), of=lambda y: y.mean())
    assert list(found) == ["0: Linear(6, 6, bias=False)"]
    assert found["0: Linear(6, 6, bias=False)"].startswith("exploding: ")


def test_saturated_activations():
    found = faults(scaled(model(nn.Tanh), 0, 100))
    assert found["1: Tanh()"].startswith("saturated: ")
    assert found["1: Tanh()"].endswith("% of slopes below 5% of the steepest")
    assert "1: Tanh()" not in faults(model(nn.Tanh))
    assert "1: Hardtanh(min_val=-1.0, max_val=1.0)" in faults(scaled(model(nn.Hardtanh), 0, 100))
    for unbounded in (nn.ReLU, nn.LeakyReLU, nn.GELU, nn.Softplus):
        assert not any("saturated" in said for said in faults(scaled(model(unbounded), 0, 100)).values())


def test_dead_units():
    net = model()
    net[0].bias.data[:2] = -100
    net[0].bias.mark_changed()
    assert faults(net)["1: ReLU()"] == "dead: 2 of 4 units have no slope in any of 20 examples"
    net = model(nn.LeakyReLU)
    net[0].bias.data[:2] = -100
    net[0].bias.mark_changed()
    assert faults(net) == {}


def test_dead_channels_of_images():
    net = nn.Sequential(nn.Conv2d(1, 3, 3, rng=0), nn.ReLU())
    net[0].bias.data[...] = [-100, 0, 0]
    net[0].bias.mark_changed()
    found = faults(net, RNG.random((7, 1, 5, 5)), lambda y: y.mean())
    assert found["1: ReLU()"] == "dead: 1 of 3 units have no slope in any of 7 examples"


def test_gradients_that_are_not_there_or_no_numbers():
    assert faults(model(nn.Heaviside))["1: Heaviside()"] == "the slope is 0 everywhere, so no gradient passes"
    assert faults(model(nn.Heaviside))["0: Linear(6, 4)"] == "all gradients are 0"
    assert faults(model(), of=lambda scores: loss(scores * 0))["2: Linear(4, 3)"] == "all gradients are 0"
    assert (
        faults(model(), of=lambda scores: loss(scores * np.nan))["2: Linear(4, 3)"]
        == "15 of 15 gradients are NaN or infinite"
    )
    net = model()
    net.spare = nn.Linear(2, 2, rng=0)
    loss(net(X)).backward()
    ax = gradient_flow(net)
    assert ax.child_axes[0].get_yticklabels()[-1].get_text() == "no gradient: frozen, or not on the way to the loss"
    assert ax.get_title("right") == "1 fault"


def test_parameters_outside_of_layers_have_a_row_of_their_own():
    class Scaled(nn.Module):
        def __init__(self):
            self.layer, self.scale = nn.Linear(6, 3, rng=0), Value(2.0)

        def forward(self, x):
            return self.layer(x) * self.scale

    net = Scaled()
    ax = gradient_flow(net, X, loss=loss)
    loss(net(X)).backward()
    assert ax.lines[0].get_xdata() == pytest.approx(
        [rms(net.layer.weight.grad, net.layer.bias.grad), abs(net.scale.grad)]
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: histograms(3, X), DTypeError, "histograms: got int as model, expected a Module"),
        (lambda: histograms(model(), X, ["gradients"]), RenderError, r"histograms: got kind=\['gradients'\]"),
        (lambda: histograms(model(), X, "weights"), RenderError, "histograms: got kind='weights'"),
        (lambda: histograms(model(), X, "gradients"), RenderError, "histograms: gradients need a loss; pass loss="),
        (lambda: histograms(model(), X, bins=0), RenderError, "histograms: got bins=0"),
        (
            lambda: histograms(model(), X, yscale="symlog"),
            RenderError,
            "histograms: got yscale='symlog', expected 'linear'",
        ),
        (lambda: histograms(model()), ShapeError, r"histograms: got no x, expected \(batch, ...\)"),
        (
            lambda: histograms(model(), kind="parameter gradients"),
            RenderError,
            "histograms: no layer of Sequential has parameter gradients; call backward",
        ),
        (
            lambda: histograms(model(), X, "parameter gradients"),
            RenderError,
            "histograms: got x alone for gradients; pass x and loss=, or neither",
        ),
        (
            lambda: histograms(model(), kind="parameter gradients", loss=loss),
            RenderError,
            "histograms: got a loss alone for gradients; pass x and loss=, or neither",
        ),
        (
            lambda: histograms(model(), X, "gradients", loss=lambda y: 1.0),
            DTypeError,
            "histograms: the loss returned float",
        ),
        (lambda: histograms(model(), X, "gradients", loss=lambda y: y), ShapeError, r"the loss has shape \(20, 3\)"),
        (lambda: gradient_flow(model()), RenderError, "gradient_flow: no parameter has a gradient; call backward"),
        (lambda: gradient_flow(model(), X), RenderError, "gradient_flow: no parameter has a gradient; call backward"),
        (lambda: gradient_flow(model(), loss=loss), RenderError, "gradient_flow: got a loss and no x"),
        (lambda: gradient_flow(nn.ReLU(), X), DTypeError, "gradient_flow: ReLU has no parameters"),
        (lambda: gradient_flow(lambda x: x, X), DTypeError, "gradient_flow: got function as model"),
    ],
)
def test_bad_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


PLOTS = {
    "decision_boundary": lambda **options: decision_boundary(lambda p: p, PLANE, Y % 2, **options),
    "confusion_matrix": lambda **options: confusion_matrix(Y, Y, **options),
    "gradient_flow": lambda **options: gradient_flow(model(), X, loss=loss, **options),
    "images": lambda **options: images(X[:, :4], Y, 1 - Y % 2, ["cat", "horse", "elephant"], **options),
    "weights": lambda **options: weights(nn.Linear(6, 4, rng=0), **options),
    "histograms": lambda **options: histograms(model(), X, **options),
}


@pytest.mark.parametrize("name", PLOTS)
def test_words_do_not_overlap_nor_leave_the_figure(name, troubles):
    assert troubles(PLOTS[name]().figure) == []


@pytest.mark.parametrize("name", PLOTS)
def test_themes_and_files(name, tmp_path):
    for suffix, theme in (("png", "light"), ("svg", "dark")):
        PLOTS[name](theme=theme).figure.savefig(tmp_path / f"a.{suffix}")
    with pytest.raises(RenderError, match=f"{name}: got theme='red'"):
        PLOTS[name](theme="red")


@pytest.mark.parametrize("name", ["decision_boundary", "confusion_matrix", "gradient_flow"])
def test_axes_given_are_drawn_on(name):
    _, ax = plt.subplots()
    assert PLOTS[name](ax=ax) is ax


@pytest.mark.parametrize("name", PLOTS)
def test_without_matplotlib_the_error_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(RenderError, match=rf"{name}: matplotlib is missing; pip install 'tinygrad-edu\[plot\]'"):
        PLOTS[name]()
