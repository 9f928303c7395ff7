"""Curves of a training that runs: in files, in notebooks, and never in its way."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

import nn
import viz
from viz import RenderError
from viz.plots import live as module

X, Y = np.random.default_rng(0).standard_normal((12, 3)), np.arange(12) % 2


def train(on_epoch, epochs=5):
    model = nn.Linear(3, 2, rng=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    return nn.fit(model, (X, Y), optimizer, epochs=epochs, progress=False, on_epoch=on_epoch)


@pytest.fixture
def drawn(monkeypatch):
    """The numbers of all curves that are drawn, picture by picture."""
    pictures = []

    def curves(history, **options):
        made = viz.curves(history, **options)
        pictures.append(made.lines[0].get_ydata().tolist())
        return made

    monkeypatch.setattr(module, "curves", curves)
    return pictures


@pytest.fixture
def shown(monkeypatch):
    """What a notebook that runs shows: the pictures, and what each of them replaces."""
    shown = []

    def display(picture, display_id):
        assert display_id
        shown.append(("new", picture))
        return SimpleNamespace(update=lambda picture: shown.append(("in its place", picture)))

    kernel = SimpleNamespace(kernel=None)
    place = SimpleNamespace(display=display, Image=lambda data, format: data)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: kernel, display=place))
    return shown


@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_curves_so_far_are_in_the_file_after_each_epoch(suffix, begins, tmp_path, drawn):
    path, seen = tmp_path / f"curves.{suffix}", []
    draw = viz.live(path, theme="dark")

    def look(epoch, history):
        assert draw(epoch, history) is None
        seen.append(path.read_bytes())

    history = train(look)
    losses = history.curves["train_loss"]
    assert drawn == [losses[:k] for k in range(1, 6)]
    assert len(set(seen)) == 5
    assert all(file.startswith(begins) for file in seen)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert not plt.get_fignums()


def test_every_so_many_epochs_and_in_a_loop_without_fit(tmp_path, drawn):
    draw = viz.live(tmp_path / "curves.png", every=2, smooth=0.5, quantity="loss")
    losses = {"one": [], "other": []}
    for epoch in range(1, 6):
        for k, numbers in enumerate(losses.values()):
            numbers.append(1.0 / epoch + k)
        draw(epoch, losses)
    assert drawn == [losses["one"][:2], losses["one"][:4]]


def test_a_notebook_shows_one_picture_that_changes(shown, drawn):
    train(viz.live(), epochs=3)
    assert [how for how, _ in shown] == ["new", "in its place", "in its place"]
    assert all(picture.startswith(b"\x89PNG") for _, picture in shown)
    assert len(drawn) == 3
    train(viz.live(), epochs=1)
    assert shown[-1][0] == "new"


def test_two_trainings_may_share_a_function(shown):
    draw = viz.live()
    train(draw, epochs=1)
    train(draw, epochs=1)
    assert [how for how, _ in shown] == ["new", "in its place"]


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("curves.png", {"yscale": "logarithmic"}, "curves: got yscale='logarithmic'"),
        ("nowhere/curves.png", {}, "live: got .*nowhere/curves.png', but there is no folder"),
    ],
)
def test_a_picture_that_fails_does_not_end_training(path, options, message, tmp_path):
    with pytest.warns(UserWarning, match=f"live: no more pictures of this training; {message}") as caught:
        history = train(viz.live(tmp_path / path, **options))
    assert len(history.curves["train_loss"]) == 5
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: viz.live(), r'no notebook is running; pass a file to draw into: viz.live\("curves.png"\)'),
        (lambda: viz.live("curves.bmp"), "got 'curves.bmp', expected a file name that ends in .png, .svg or .pdf"),
        (lambda: viz.live("curves.png", every=0), "got every=0, expected at least 1"),
    ],
)
def test_bad_arguments_are_named_before_training(call, message):
    with pytest.raises(RenderError, match=f"live: {message}"):
        call()


def test_ipython_in_a_terminal_is_no_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    with pytest.raises(RenderError, match="no notebook is running"):
        viz.live()


def test_without_matplotlib(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(RenderError, match="live: matplotlib is missing"):
        viz.live(tmp_path / "curves.png")
