"""What holds for every plot of functions: themes, matplotlib's conventions, errors by name."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt

import viz
from tinygrad_edu import DTypeError, ShapeError
from viz import RenderError
from viz.plots.style import shown

BOWL = lambda x, y: x**2 + 3 * y**2
PATH = {"a": np.array([[-0.5, 0.5], [0.2, -0.3], [0.0, 0.1]]), "b": np.array([[0.5, 0.5], [0.1, 0.1]])}
BOX = ((-1, 1), (-1, 1))
PLOTS = {
    "curve": lambda f=np.tanh, **o: viz.curve(f, (-2, 2), derivative=True, tangents=[1.0], **o),
    "contour": lambda f=BOWL, **o: viz.contour(f, *BOX, paths=PATH, arrows=True, points=21, **o),
    "surface": lambda f=BOWL, **o: viz.surface(f, *BOX, tangents=(0, 0), paths=PATH, points=21, **o),
    "directional": lambda f=BOWL, **o: viz.directional(f, (1, 1), **o),
    "level_set": lambda f=BOWL, **o: viz.level_set(f, *BOX, (0.5, 0.5), points=21, **o),
    "cut": lambda f=BOWL, **o: viz.cut(f, *BOX, (0.5, 0.5), points=21, **o),
    "slices": lambda f=BOWL, **o: viz.slices(f, *BOX, points=21, **o),
    "surface_and_contour": lambda f=BOWL, **o: viz.surface_and_contour(f, *BOX, paths=PATH, **o),
}
FIGURES = ("cut", "slices", "surface_and_contour")
every = pytest.mark.parametrize("name", PLOTS)


@every
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_name_their_axes_and_use_a_real_minus(name, theme):
    made = PLOTS[name](theme=theme)
    axes = made.axes if name in FIGURES else [made]
    axes[0].figure.canvas.draw()
    for ax in axes:
        assert ax.get_xlabel()
        assert ax.get_ylabel() or ax.get_legend()
        texts = [
            *ax.get_xticklabels(),
            *ax.get_yticklabels(),
            *(ax.get_legend().get_texts() if ax.get_legend() else []),
        ]
        assert not [text.get_text() for text in texts if "-" in text.get_text()]
    assert (np.mean(axes[0].figure.get_facecolor()[:3]) < 0.5) == (theme == "dark")


def boxes(ax):
    """Where the texts on plane Axes are, by what they say; the numbers of contour lines turn with them, and are left out."""
    ticks = []
    for k, (axis, (low, high)) in enumerate(((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim()))):
        ticks += [
            label for label in axis.get_ticklabels() if low <= label.get_position()[k] <= high
        ]  # others are not drawn
    legend = ax.get_legend().get_texts() if ax.get_legend() else []
    texts = [*ticks, ax.title, ax.xaxis.label, ax.yaxis.label, *legend]
    return {(t.get_text(), k): t.get_window_extent() for k, t in enumerate(texts) if t.get_text() and t.get_visible()}


@every
def test_no_text_is_cut_off_or_lies_on_another(name):
    made = PLOTS[name]()
    figure = made if name in FIGURES else made.figure
    figure.canvas.draw()
    for ax in figure.axes:
        if not hasattr(ax, "plot_surface"):
            found, whole = boxes(ax), figure.bbox.padded(2)
            assert [
                text for text, box in found.items() if not (whole.contains(*box.min) and whole.contains(*box.max))
            ] == []
            pairs = itertools.combinations(found.items(), 2)
            assert [(a, b) for (a, one), (b, other) in pairs if one.padded(-2).overlaps(other.padded(-2))] == []


@every
def test_nothing_is_shown_or_changed_for_others(name):
    before = dict(plt.rcParams)
    PLOTS[name]()
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize("name", [name for name in PLOTS if name not in FIGURES])
def test_a_plot_goes_to_the_axes_given(name):
    figure = plt.figure()
    ax = figure.add_subplot(projection="3d" if name == "surface" else None)
    assert PLOTS[name](ax=ax) is ax
    assert plt.get_fignums() == [figure.number]


@every
def test_without_matplotlib_the_error_says_what_to_install(name, monkeypatch):
    for module in [module for module in sys.modules if module.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RenderError, match=rf"{name}: matplotlib is missing; pip install 'tinygrad-edu\[plot\]'"):
        PLOTS[name]()


@every
def test_what_is_no_function_or_theme_is_named(name):
    with pytest.raises(DTypeError, match=f"{name}: got a float as f, expected a function"):
        PLOTS[name](2.0)
    with pytest.raises(ShapeError, match=rf"{name}: .* returned shape \(3,\), expected a single number"):
        PLOTS[name](lambda *x: np.ones(3))
    with pytest.raises(RenderError, match=f'{name}: got theme=.blue., expected "light" or "dark"'):
        PLOTS[name](theme="blue")


STRANGE = {
    "partly undefined": lambda x, y: np.log(x + y),
    "flat": lambda x, y: 3.0,
    "huge": lambda x, y: 1e155 * (x**2 + y**2),
    "tiny": lambda x, y: 1e-300 * (x + y),
    "with poles": lambda x, y: 1 / (x * y),
    "a step": lambda x, y: np.sign(x) + y,
    "negative": lambda x, y: -np.exp(5 * x + y),
    "far from 0": lambda x, y: 1e9 + x + y,
}


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("name", [name for name in PLOTS if name != "curve"])
def test_strange_functions_are_drawn_or_refused_without_a_warning(kind, name):
    refused = {("flat", "level_set"), ("partly undefined", "surface"), ("with poles", "surface"), ("huge", "cut")}
    try:
        made = PLOTS[name](STRANGE[kind])
    except (DTypeError, ShapeError) as caught:
        error = str(caught)
    else:
        (made if name in FIGURES else made.figure).canvas.draw()
        error = ""
    assert error.startswith(f"{name}: ") == bool(error) == ((kind, name) in refused), error


@pytest.mark.parametrize("dpi", [70, 144])
@pytest.mark.parametrize("height", [1, 2.5, 6])
def test_there_is_room_for_the_names_and_the_legend_of_a_level_set(height, dpi):
    ax = viz.level_set(BOWL, (-3, 3), (-height, height), (1.0, 0.5), points=21)
    ax.figure.set_dpi(dpi)
    ax.figure.canvas.draw()
    assert ax.yaxis.label.get_window_extent().x0 > 2
    assert ax.get_legend().get_window_extent().x1 < ax.figure.bbox.x1 - 2


def test_a_plot_on_given_axes_has_its_legend_inside():
    _, axes = plt.subplots(1, 2)
    for ax in axes:
        viz.contour(BOWL, *BOX, paths=PATH, ax=ax, points=21)
        ax.figure.canvas.draw()
        assert ax.get_legend().get_frame_on()
        inside = ax.get_legend().get_window_extent()
        assert ax.get_window_extent().x0 <= inside.x0


def test_viz_does_not_import_matplotlib():
    code = "import sys, viz; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_numbers_have_a_real_minus_and_no_negative_zero():
    assert [shown(x) for x in (-0.5, -0.0, 1e-7, 123456.0)] == ["−0.5", "0", "1e−07", "1.235e+05"]
