"""`python -m benchmarks.pictures [FOLDER]`: plots of other libraries beside ours, of the same models and data.

Writes a PNG file for each pair, the other library at the left, and says which libraries are missing:

    pip install scikit-learn livelossplot loss-landscapes torchview tensorboard torch==2.13.0

torchview needs Graphviz's dot, TensorBoard's page Playwright with Chromium. docs/plotting_models.md says what the pictures show.
"""

from __future__ import annotations

import io
import shutil
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeAlias

import matplotlib as mpl

mpl.use("Agg")
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.typing import NDArray

import nn
import viz
from nn.functional import cross_entropy
from tinygrad_edu import softmax

from .beside import say
from .browser import chromium

DPI, MARGIN, TITLE = 100, 24, 40
LETTER = 13  # dots of an average letter of the titles
Dots: TypeAlias = NDArray[np.float64]  # (height, width, 3), from 0 to 1
PAGE = (1180, 760)  # dots of TensorBoard's page


# -- The same models and data for both ---------------------------------------------------------------------------------


@cache
def moons() -> tuple[nn.Module, Any, Any]:
    from sklearn.datasets import make_moons

    x, y = make_moons(200, noise=0.25, random_state=0)
    model = nn.Sequential(nn.Linear(2, 16, rng=0), nn.Tanh(), nn.Linear(16, 2, rng=1))
    optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
    nn.fit(model, (x, y), optimizer, epochs=30, rng=0, progress=False)
    return model, x, y


class Digits(NamedTuple):
    """A trained network, what training saw, and the digits that were held out; `kept` are its weights after each epoch."""

    model: nn.Module
    history: nn.History
    x: Any
    y: Any
    kept: list[dict[str, Any]]


@cache
def digits() -> Digits:
    from sklearn.datasets import load_digits

    images, y = load_digits(return_X_y=True)
    x = images / 16
    train, held = nn.stratified_split(y, (0.6,), np.random.default_rng(0))
    model = nn.MLP((64, 32, 32, 10), nn.ReLU, rng=0)
    kept: list[dict[str, Any]] = []
    history = nn.fit(
        model,
        (x[train], y[train]),
        nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        epochs=15,
        validation=(x[held], y[held]),
        rng=0,
        progress=False,
        on_epoch=lambda *_: kept.append({name: array.copy() for name, array in model.state_dict().items()}),
    )
    return Digits(model, history, x[held], y[held], kept)


def loss(scores: Any) -> Any:
    return cross_entropy(scores, digits().y)


def in_torch() -> Any:
    """The digits' network in PyTorch, with the same weights."""
    from torch import nn as torch_nn
    from torch import tensor

    twin = torch_nn.Sequential(
        *[torch_nn.Linear(64, 32), torch_nn.ReLU(), torch_nn.Linear(32, 32), torch_nn.ReLU(), torch_nn.Linear(32, 10)]
    ).double()
    twin.load_state_dict({name: tensor(array) for name, array in digits().model.state_dict().items()})
    return twin


# -- Ours and theirs ---------------------------------------------------------------------------------------------------


def decision_theirs() -> Dots:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.inspection import DecisionBoundaryDisplay

    model, x, y = moons()

    class Wrapped(ClassifierMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
        """What scikit-learn asks of a classifier."""

        def __init__(self) -> None:
            self.classes_ = np.array([0, 1])

        def fit(self, X: Any, y: Any) -> Wrapped:
            return self

        def predict_proba(self, X: Any) -> Any:
            return softmax(model(X)).data

        def predict(self, X: Any) -> Any:
            return np.argmax(model(X).data, axis=1)

    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2))
    for ax, method in zip(axes, ("predict", "predict_proba"), strict=True):
        DecisionBoundaryDisplay.from_estimator(Wrapped(), x, response_method=method, alpha=0.6, ax=ax)
        ax.scatter(*x.T, c=y, edgecolor="k", s=20)
        ax.set_title(method)
    return of_figure(figure)


def decision_ours() -> Dots:
    model, x, y = moons()
    return of_figure(viz.decision_boundary(model, x, y, ["upper", "lower"], probabilities=True).figure)


def confusion_theirs() -> Dots:
    from sklearn.metrics import ConfusionMatrixDisplay

    said = np.argmax(digits().model(digits().x).data, axis=1)
    figure, axes = plt.subplots(1, 2, figsize=(12, 5.2))
    ConfusionMatrixDisplay.from_predictions(digits().y, said, ax=axes[0])
    ConfusionMatrixDisplay.from_predictions(digits().y, said, normalize="true", values_format=".0%", ax=axes[1])
    return of_figure(figure)


def confusion_ours() -> Dots:
    return of_figure(viz.confusion_matrix(digits().y, digits().model(digits().x)).figure)


def livelossplot_theirs() -> Dots:
    from livelossplot import PlotLosses
    from livelossplot.outputs import MatplotlibPlot

    with TemporaryDirectory() as folder:
        path = Path(folder) / "live.png"
        plot = PlotLosses(outputs=[MatplotlibPlot(figpath=str(path))], mode="script")
        names = {"train_loss": "loss", "validation_loss": "val_loss", "validation_accuracy": "val_acc"}
        for numbers in zip(*digits().history.curves.values(), strict=True):
            plot.update({names[name]: x for name, x in zip(digits().history.curves, numbers, strict=True)})
        plot.send()
        plt.close("all")
        return imread(path)[..., :3]


def curves_ours() -> Dots:
    return of_figure(viz.curves(digits().history, yscale="log"))


def landscapes_theirs() -> Dots:
    import loss_landscapes
    import torch
    from loss_landscapes.metrics import Loss

    torch.manual_seed(0)
    metric = Loss(torch.nn.CrossEntropyLoss(), torch.tensor(digits().x), torch.tensor(digits().y))
    # Half as long as the parameters / distance: 0.5 gives the plane the width of ours.
    numbers = loss_landscapes.random_plane(in_torch(), metric, distance=0.5, steps=31, normalization="filter")
    figure, ax = plt.subplots(figsize=(6, 4.5))
    figure.colorbar(
        ax.contourf(numbers, levels=30), ax=ax
    )  # it returns an array of losses; drawing is left to its users
    return of_figure(figure)


def landscape_ours() -> Dots:
    model, x, y = digits().model, digits().x, digits().y
    return of_figure(viz.landscape(model, cross_entropy, (x, y), steps=31).figure)


def torchview_theirs() -> Dots:
    from torch import nn as torch_nn
    from torchview import draw_graph

    if not shutil.which("dot"):
        raise ImportError("Graphviz's dot is not installed")
    layers = [torch_nn.Conv2d(1, 4, 3), torch_nn.ReLU(), torch_nn.MaxPool2d(2), torch_nn.Flatten()]
    model = torch_nn.Sequential(*layers, torch_nn.Linear(36, 10))
    graph = draw_graph(model, input_size=(1, 1, 8, 8), device="cpu").visual_graph
    graph.graph_attr["dpi"] = str(DPI)
    return imread(io.BytesIO(graph.pipe(format="png")))[..., :3]


def graph_ours() -> Dots:
    layers = [nn.Conv2d(1, 4, 3, rng=0), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    model = nn.Sequential(*layers, nn.Linear(36, 10, rng=1))
    return imread(io.BytesIO(viz.graph(model, np.zeros((1, 1, 8, 8))).png(dpi=DPI)))[..., :3]


@cache
def tensorboard() -> dict[str, Dots]:
    """Its pages by name, of the curves of training, and of the weights and gradients after each epoch."""
    import torch
    from playwright.sync_api import sync_playwright
    from tensorboard import program
    from torch.utils.tensorboard import SummaryWriter

    if not chromium():
        raise ImportError("Chromium is not installed")

    twin = in_torch()
    x, y = torch.tensor(digits().x), torch.tensor(digits().y)
    pictures: dict[str, Dots] = {}
    with TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            writer.add_graph(twin, x)
            for epoch, weights in enumerate(digits().kept):
                for name, numbers in digits().history.curves.items():
                    writer.add_scalar(name.replace("_", "/", 1), numbers[epoch], epoch)
                twin.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
                twin.zero_grad()
                torch.nn.functional.cross_entropy(twin(x), y).backward()
                for name, parameter in twin.named_parameters():
                    writer.add_histogram(f"weights/{name}", parameter, epoch)
                    writer.add_histogram(f"gradients/{name}", parameter.grad, epoch)
        board = program.TensorBoard()
        board.configure(argv=["tensorboard", "--logdir", folder, "--port", "0", "--load_fast", "false"])
        address = board.launch()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": PAGE[0], "height": PAGE[1]})
            for tab in ("scalars", "histograms", "distributions", "graphs"):
                page.goto(f"{address}#{tab}")
                page.reload()
                page.wait_for_timeout(6000)  # its pages say nowhere that they are complete
                pictures[tab] = imread(io.BytesIO(page.screenshot()))[..., :3]
            browser.close()
    return pictures


def histograms_ours() -> Dots:
    return of_figure(viz.histograms(digits().model, digits().x, "parameter gradients", loss=loss, yscale="log"))


def flow_ours() -> Dots:
    return of_figure(viz.gradient_flow(digits().model, digits().x, loss=loss).figure)


def model_ours() -> Dots:
    return imread(io.BytesIO(viz.graph(digits().model, digits().x).png(dpi=DPI)))[..., :3]


class Pair(NamedTuple):
    """A picture of another library's, by its name on PyPI, and ours."""

    peer: str
    what: str
    theirs: Callable[[], Dots]
    call: str
    ours: Callable[[], Dots]


PAIRS = (
    Pair("scikit-learn", "DecisionBoundaryDisplay", decision_theirs, "viz.decision_boundary", decision_ours),
    Pair("scikit-learn", "ConfusionMatrixDisplay", confusion_theirs, "viz.confusion_matrix", confusion_ours),
    Pair("livelossplot", "PlotLosses", livelossplot_theirs, "viz.curves", curves_ours),
    Pair("loss-landscapes", "random_plane", landscapes_theirs, "viz.landscape", landscape_ours),
    Pair("torchview", "draw_graph", torchview_theirs, "viz.graph(model)", graph_ours),
    Pair("tensorboard", "scalars", lambda: tensorboard()["scalars"], "viz.curves", curves_ours),
    Pair("tensorboard", "histograms", lambda: tensorboard()["histograms"], "viz.histograms", histograms_ours),
    Pair("tensorboard", "distributions", lambda: tensorboard()["distributions"], "viz.gradient_flow", flow_ours),
    Pair("tensorboard", "graphs", lambda: tensorboard()["graphs"], "viz.graph(model)", model_ours),
)


# -- Side by side ------------------------------------------------------------------------------------------------------


def of_figure(figure: Any) -> Dots:
    """A figure in dots."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    plt.close(figure)
    return imread(io.BytesIO(buffer.getvalue()))[..., :3]


def beside(left: Dots, right: Dots, titles: tuple[str, str], path: Path) -> None:
    """Two pictures in one file, each under its title."""
    widths = [max(dots.shape[1], LETTER * len(title)) for dots, title in zip((left, right), titles, strict=True)]
    size = (sum(widths) + 3 * MARGIN, max(len(left), len(right)) + TITLE + 2 * MARGIN)
    figure = Figure((size[0] / DPI, size[1] / DPI), dpi=DPI)
    for dots, title, at in ((left, titles[0], MARGIN), (right, titles[1], 2 * MARGIN + widths[0])):
        say(figure, title, at, size[1] - MARGIN, size=14, weight="bold")
        figure.figimage(dots, at, size[1] - MARGIN - TITLE - len(dots))
    figure.savefig(path)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    for pair in PAIRS:
        path = folder / f"{pair.peer} {pair.what}.png".replace(" ", "_")
        try:
            with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")  # of the other libraries
                titles = f"{pair.peer} {version(pair.peer)}, {pair.what}", f"tinygrad-edu, {pair.call}"
                beside(pair.theirs(), pair.ours(), titles, path)
        except (ImportError, PackageNotFoundError) as missing:
            print(f"left out: {pair.peer} {pair.what}; {missing}")
        else:
            print(path)


if __name__ == "__main__":
    main()
