"""Galleries of activations and losses: the curves are the functions, the slopes their derivatives, and kinks are where they are."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import nn
from tinygrad_edu import DTypeError, ShapeError, abs, relu, sin, where
from viz import RenderError, activations, losses
from viz.plots import losses as losses_file
from viz.plots.slopes import curve

KINKS = {
    "Heaviside": [0],
    "ReLU": [0],
    "LeakyReLU": [0],
    "SELU": [0],
    "Hardtanh": [-1, 1],
    "Hardshrink": [-0.5, 0.5],
    "Softshrink": [-0.5, 0.5],
    "Hardsigmoid": [-3, 3],
    "Hardswish": [-3, 3],
    "ReLU6": [0],
}
OTHERS = {
    "Calling",
    "GLU",
    "LogSoftmax",
    "Module",
    "PReLU",
    "Softmax",
    "Softmin",
    "Threshold",
}  # no curve, or not without arguments
CORNERS = {  # of losses
    "l1_loss, sae_loss, rmse_loss": [0],
    "mape_loss": [1],
    "hinge_loss": [1],
    "margin_ranking_loss": [0],
    "multi_margin_loss": [1],
    "multilabel_margin_loss": [1],
    "triplet_margin_loss, triplet_margin_with_distance_loss": [0.5],
    "hinge_embedding_loss": [1],
}


def lines(ax) -> dict[str, np.ndarray]:
    return {line.get_label(): line.get_xydata() for line in ax.lines}


def away(x, kinks):
    """Places that are no kinks, nor next to one."""
    return np.all(np.abs(np.subtract.outer(x, np.array(kinks, float))) > 1e-4, axis=1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_elementwise_activation_with_its_slopes(theme):
    axes = [ax for ax in activations(theme=theme).axes if ax.axison]
    names = [ax.get_title() for ax in axes]
    assert (
        set(names)
        == {
            name
            for name in dir(nn.activation)
            if name[0].isupper()
            and issubclass(type(getattr(nn.activation, name)), type)
            and issubclass(getattr(nn.activation, name), nn.Module)
        }
        - OTHERS
    )
    for ax in axes:
        f = getattr(nn, ax.get_title())()
        kinks = KINKS.get(ax.get_title(), [])
        drawn = lines(ax)
        x, y = drawn["f(x)"].T
        places = away(x, kinks)
        assert np.array_equal(y[places], np.asarray(f(x[places])))
        x, slopes = drawn["f′(x)"].T
        places = away(x, kinks)
        central = (np.asarray(f(x + 1e-5)) - np.asarray(f(x - 1e-5))) / 2e-5
        assert slopes[places] == pytest.approx(central[places], abs=1e-4)
        assert np.isnan(slopes[np.isin(x, kinks)]).all()
        dots = drawn.get("f′ at a kink or jump", np.empty((0, 2)))
        assert dots[:, 0].tolist() == kinks


def test_the_dot_is_the_derivative_that_is_taken_at_the_kink():
    (ax,) = (ax for ax in activations(nn.LeakyReLU(0.2)).axes if ax.axison)
    assert ax.get_title() == "LeakyReLU(negative_slope=0.2)"
    assert lines(ax)["f′ at a kink or jump"].tolist() == [[0.0, 0.2]]


@pytest.mark.parametrize(
    ("f", "kinks"),
    [
        (lambda x: abs(x - 1), [1]),
        (lambda x: abs(x - 1 / 3), [1 / 3]),
        (lambda x: relu(x) + relu(x - 0.02), [0, 0.02]),
        (lambda x: where(x > 2, 0.0, x), [2]),
        (lambda x: 1e-6 * abs(x), [0]),
        (lambda x: 1e9 * abs(x), [0]),
        (lambda x: sin(50 * x), []),
        (lambda x: x**3, []),
        (lambda x: x * 0 + 1, []),
        (lambda x: x * abs(x), []),  # its slope has a kink, and does not jump
    ],
)
def test_kinks_are_found_wherever_they_are(f, kinks):
    assert curve(f, -3.0, 3.0).kinks == pytest.approx(kinks, abs=1e-8)


def test_losses_are_all_there_with_their_slopes():
    told = {name for panel in losses_file._panels() for name in panel.title.split(", ")}
    functions = {n for n in nn.functional.__all__ if n.endswith(("_loss", "entropy", "logits", "kl_div"))}
    assert told == functions - {"zero_one_loss"}  # which has no slope at all
    axes = [ax for ax in losses().axes if ax.axison]
    assert len(axes) == len(losses_file._panels())
    for ax, panel in zip(axes, losses_file._panels(), strict=True):
        kinks = CORNERS.get(panel.title, [])
        drawn = lines(ax)
        x, slopes = drawn["f′(x)"].T
        places = away(x, kinks) & (x > panel.xlim[0]) & (x < panel.xlim[1])
        y = np.asarray(panel.function(x[places]))
        assert np.array_equal(drawn["f(x)"][places, 1], y)
        around = [np.asarray(panel.function(x[places] + step)) for step in (1e-5, -1e-5)]
        assert slopes[places] == pytest.approx((around[0] - around[1]) / 2e-5, rel=1e-4, abs=1e-4)
        dots = drawn.get("f′ at a kink or jump", np.empty((0, 2)))
        assert dots[:, 0].tolist() == kinks
        assert ax.get_xlabel()


@pytest.mark.parametrize(
    ("one", "others"),
    [("mse_loss", ["sse_loss"]), ("l1_loss", ["sae_loss", "rmse_loss"]), ("huber_loss", ["smooth_l1_loss"])],
)
def test_losses_that_share_a_panel_agree(one, others):
    x, zeros = np.linspace(-3, 3, 13), np.zeros(13)
    values = [getattr(nn.functional, name)(x, zeros, reduction="none") for name in (one, *others)]
    assert all(np.allclose(np.asarray(each), np.asarray(values[0])) for each in values)


@pytest.mark.parametrize("name", ["nll_loss", "kl_div"])
def test_log_probabilities_are_at_most_0(name):
    (ax,) = (ax for ax in losses(name).axes if ax.axison)
    assert ax.get_xlim()[1] == 0
    assert max(ax.lines[0].get_xdata()) == 0


def test_losses_by_name_in_that_order_each_panel_once():
    axes = [ax for ax in losses("l1_loss", "mse_loss", "sse_loss").axes if ax.axison]
    assert [ax.get_title() for ax in axes] == ["l1_loss, sae_loss, rmse_loss", "mse_loss, sse_loss"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: activations(nn.Softmax(-1)), DTypeError, r"activations: Softmax\(dim=-1\) is not elementwise"),
        (lambda: activations(3), DTypeError, "activations: got int, expected a module such as"),
        (
            lambda: activations(nn.ReLU),
            DTypeError,
            r"activations: got the class ReLU, expected a module such as nn.ReLU\(\)",
        ),
        (lambda: activations(nn.Linear(2, 2)), DTypeError, r"activations: Linear\(2, 2\) is not elementwise"),
        (lambda: activations(xlim=(1, 1)), RenderError, r"activations: got xlim=\(1, 1\), expected low < high"),
        (lambda: activations(theme="red"), RenderError, "activations: got theme='red'"),
        (lambda: losses("mse"), RenderError, "losses: got 'mse', expected some of mse_loss, sse_loss"),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("call", [activations, losses])
def test_without_matplotlib_the_error_says_what_to_install(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(RenderError, match=rf"{call.__name__}: matplotlib is missing; pip install"):
        call()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_words_of_few_panels_fit(count, troubles):
    assert troubles(activations(*[nn.LeakyReLU(0.25)] * count)) == []
    assert troubles(losses(*[panel.title.split(", ")[0] for panel in losses_file._panels()][:count])) == []


def test_losses_of_another_target_and_range():
    l1, mse = [ax for ax in losses("l1_loss", "mse_loss", target=100, xlim=(-10_000, 10_000)).axes if ax.get_title()]
    for ax, loss in ((l1, lambda e: abs(e)), (mse, lambda e: e**2)):
        x, y = ax.lines[0].get_xydata().T
        assert (x[0], x[-1]) == (-10_000, 10_000)
        assert np.allclose(y, loss(x - 100))
        assert ax.get_xlabel() == "prediction, target 100"
    (ax,) = [ax for ax in losses("msle_loss", target=5).axes if ax.axison]
    assert ax.get_xlim() == (3.4, 8.0), "as far from the target as otherwise"
    titles = [ax.get_title() for ax in losses(xlim=(-1, 1), target=2).axes if ax.axison]
    assert titles[:2] == ["mse_loss, sse_loss", "half_mse_loss"]
    assert not {"msle_loss", "mape_loss", "nll_loss"} & set(titles)


def test_slopes_that_are_far_below_the_values_have_their_own_axis():
    figure = losses("l1_loss", target=0, xlim=(-1000, 1000))
    ax, beside = figure.axes
    assert [line.get_label() for line in ax.lines] == ["f(x)"]
    assert [line.get_label() for line in beside.lines] == ["f′(x), on the right", "f′ at a kink or jump"]
    assert set(beside.lines[0].get_ydata()[[0, -1]]) == {-1, 1}
    assert len(losses("l1_loss").axes) == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: losses("nll_loss", target=1),
            RenderError,
            "losses: got nll_loss with target or xlim, which are for mse_loss",
        ),
        (lambda: losses(xlim=(1, 1)), ShapeError, "losses: got xlim"),
        (lambda: losses(target="a"), DTypeError, "losses: got 'a' in target, expected a finite real number"),
        (lambda: losses(target=np.nan), DTypeError, "losses: got nan in target"),
    ],
)
def test_targets_and_limits_that_do_not_fit(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_words_of_wide_ranges_fit(troubles):
    assert troubles(losses("l1_loss", "mse_loss", target=100, xlim=(-10_000, 10_000))) == []
