"""The main job: learn to read handwritten digits, and show what was learned.

Trains a 64-100-40-10 perceptron on scikit-learn's 1,797 real 8x8 digits (Alpaydin & Kaynak, UCI 1998), stops when the
validation loss no longer falls, and tests it on digits that it has never seen. Writes to a folder: the weights; pictures of the
training, its path over the loss, the mistakes, the first layer's weights and what hidden units respond to; the graph of a small
expression; and index.html, which shows it all.

    python examples/digits.py [folder]
"""

from __future__ import annotations

import html
import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

import nn
import viz
from nn.functional import cross_entropy
from tinygrad_edu import Value, no_grad, tanh

SEED = 0


def main(folder: Path) -> None:
    """Train, test, and write everything to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    images, labels = (digits.data / 16).astype(np.float32), digits.target  # (1797, 64) in [0, 1], (1797,)

    rng = np.random.default_rng(SEED)
    train, validation, test = nn.stratified_split(labels, (0.8, 0.1), rng)
    model = nn.MLP((64, 100, 40, 10), rng=rng, dtype=np.float32)
    path = [model.state_dict()]
    history = nn.fit(
        model,
        (images[train], labels[train]),
        nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        epochs=100,
        batch_size=32,
        rng=rng,
        validation=(images[validation], labels[validation]),
        patience=20,
        on_epoch=lambda *_: path.append(model.state_dict()),
    )
    accuracy = nn.evaluate(model, (images[test], labels[test]))["accuracy"]

    nn.save(model, folder / "weights.safetensors")
    draw_expression(folder)
    with no_grad():
        predicted = np.argmax(model(images[test]).data, axis=1)
    draw_network(folder, model, history, images[train])
    draw_path(folder, model, path[: history.best_epoch + 1], (images[train], labels[train]))
    draw_answers(folder, images[test], labels[test], predicted)
    write_page(folder, model, history, accuracy, np.flatnonzero(predicted != labels[test]).size, len(test))
    print(f"wrote {folder}/index.html")
    print(f"test accuracy: {accuracy:.1%}")


def draw_expression(folder: Path) -> None:
    """The graph of tanh(a*b + c) with its values and gradients."""
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(5.5, name="c")
    y = tanh(a * b + c)
    y.backward()
    for suffix in (".svg", ".png"):
        viz.graph(y, names={"y": y}, title="y = tanh(a*b + c), with gradients").save(folder / f"expression{suffix}")


def draw_network(folder: Path, model: nn.Module, history: nn.History, images: NDArray[Any]) -> None:
    """How training went, and what the two hidden layers look for."""
    save(viz.curves(history, yscale="log"), folder / "curves.png")
    save(viz.weights(model[0], (8, 8)), folder / "weights.png")
    save(viz.images(most_exciting(model, model[3], images), columns=10, cmap="gray_r"), folder / "units.png")


def draw_path(folder: Path, model: nn.Module, path: list[Any], data: tuple[Any, Any]) -> None:
    """The loss around the path of training, up to the best epoch, whose weights the model has."""
    ax = viz.landscape(model, cross_entropy, data, "pca", paths=path, steps=41, progress=False)
    save(ax, folder / "landscape.png")


def most_exciting(model: nn.Module, layer: nn.Module, images: NDArray[Any], count: int = 20) -> NDArray[Any]:
    """For each unit of a layer the mean of the images to which it responds most: (units, pixels)."""
    responses: list[NDArray[Any]] = []

    def look(module: nn.Module, _: Any, output: Any) -> None:
        if module is layer:
            responses.append(output.data)  # (images, units)

    with no_grad(), nn.observing(look):
        model(images)
    best = np.argsort(-responses[0], axis=0)[:count]  # (count, units)
    return images[best].mean(axis=0)


def draw_answers(folder: Path, images: NDArray[Any], labels: NDArray[Any], predicted: NDArray[Any]) -> None:
    """Which digits were taken for which, and some of them, the misread ones first."""
    save(viz.confusion_matrix(labels, predicted), folder / "confusion.png")
    first = np.argsort(predicted == labels, kind="stable")[:24]
    save(viz.images(images[first], predicted[first], labels[first], cmap="gray_r"), folder / "read.png")


def save(plot: Any, path: Path) -> None:
    """Write a plot, in bytes that do not depend on matplotlib's version, and forget it."""
    plot.figure.savefig(path, metadata={"Software": None})
    plt.close(plot.figure)


def write_page(folder: Path, model: nn.Module, history: nn.History, accuracy: float, wrong: int, total: int) -> None:
    """index.html: what was learned, on one page that opens from disk."""
    curves = history.curves
    page = PAGE.format(
        accuracy=f"{accuracy:.1%}",
        wrong=wrong,
        total=total,
        model=html.escape(repr(model)),
        parameters=f"{sum(p.size for p in model.parameters()):,}",
        epochs=len(curves["train_loss"]),
        best=history.best_epoch,
        validation=f"{curves['validation_accuracy'][history.best_epoch - 1]:.1%}",
    )
    (folder / "index.html").write_text(page, encoding="utf-8")


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tinygrad-edu: reading digits</title>
<style>
  :root {{ color-scheme: light; --ink: #1d2733; --soft: #5b6b7b; --line: #d9e0e7; }}
  body {{ font: 17px/1.55 system-ui, sans-serif; color: var(--ink); background: #fff; max-width: 58rem;
         margin: 2.5rem auto; padding: 0 1.2rem; }}
  h1 {{ font-size: 1.9rem; margin: 0 0 .3rem; }}
  h2 {{ font-size: 1.2rem; margin: 2.4rem 0 .6rem; border-top: 1px solid var(--line); padding-top: 1.4rem; }}
  p {{ max-width: 44rem; }}
  .figures {{ display: flex; flex-wrap: wrap; gap: 1rem 3rem; margin: 1.4rem 0; padding: 0; }}
  .figures div {{ display: flex; flex-direction: column-reverse; }}
  dt {{ color: var(--soft); font-size: .9rem; }}
  dd {{ margin: 0; font-size: 1.7rem; font-weight: 600; font-variant-numeric: tabular-nums; }}
  img {{ max-width: 100%; height: auto; display: block; }}
  pre {{ background: #f4f6f8; padding: .9rem 1.1rem; overflow-x: auto; font-size: .9rem; }}
</style>
<h1>Reading handwritten digits</h1>
<p>A multilayer perceptron, trained by reverse-mode differentiation of its cross-entropy loss, on scikit-learn's 1,797 scanned
8×8 digits.</p>
<dl class="figures">
  <div><dt>of held-back digits read right</dt><dd>{accuracy}</dd></div>
  <div><dt>misread</dt><dd>{wrong} of {total}</dd></div>
  <div><dt>parameters</dt><dd>{parameters}</dd></div>
  <div><dt>epochs, the best was number {best}</dt><dd>{epochs}</dd></div>
</dl>
<h2>How it learned</h2>
<p>After each epoch the network is tried on a validation split that it does not learn from ({validation} right at the best
epoch). When that loss has not fallen for a while, training stops and the best weights are put back.</p>
<img src="curves.png" alt="Training and validation loss on a logarithmic axis, and validation accuracy, by epoch, with the best
epoch and the end of training marked">
<h2>The path that it took</h2>
<p>The network has {parameters} weights and biases, and so training is a path through a space of as many dimensions. Here it is in
the plane in which it stretches farthest: each dot is an epoch, and lines join places of equal training loss. The star is the
best epoch.</p>
<img src="landscape.png" alt="Contour map of the training loss, at logarithmic levels, with the path of training from a high loss
down into a wide valley">
<h2>What it takes for what</h2>
<p>A row for each digit, a column for each answer: right answers are blue, mistakes orange.</p>
<img src="confusion.png" alt="Confusion matrix of the test digits, with recall and precision of each digit">
<h2>What it read</h2>
<p>Test digits, the misread ones first: what was read, and what it is.</p>
<img src="read.png" alt="24 test digits, each with what was read; the misread ones have a frame and say what they are">
<h2>What the first layer looks for</h2>
<p>The weights of its 100 units, as 8×8 images: red ink excites a unit, blue ink inhibits it.</p>
<img src="weights.png" alt="100 small images of weights, red positive and blue negative">
<h2>What each hidden unit sees</h2>
<p>For each of the 40 units of the second layer the mean of the 20 training digits to which it responds most.</p>
<img src="units.png" alt="40 small images, each the mean of 20 digits; some read as one digit, others as a stroke">
<h2>The network</h2>
<pre>{model}</pre>
<p>Its weights are in <a href="weights.safetensors">weights.safetensors</a>: plain arrays, no code.</p>
<h2>What happens underneath</h2>
<p>Every operation is recorded with its inputs. Going back through the record, the chain rule gives each number its gradient:
here for a small expression, <code>tanh(a*b + c)</code>.</p>
<img src="expression.svg" alt="Graph of tanh(a*b + c): every value, and the gradient of the result with respect to it">
</html>
"""


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo"))
