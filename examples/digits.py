"""The main job: learn to read handwritten digits, and show what was learned.

Trains a 64-100-40-10 perceptron on scikit-learn's 1,797 real 8x8 digits (Alpaydin & Kaynak, UCI 1998), stops when the
validation loss no longer falls, and tests it on digits that it has never seen. Writes to a folder: the weights, the learning
curves, the graph of a small expression, the digits it misread, and index.html, which shows it all.

    python examples/digits.py [folder]
"""

from __future__ import annotations

import html
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

import nn
import viz
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
    history = nn.fit(
        model,
        (images[train], labels[train]),
        nn.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        epochs=100,
        batch_size=32,
        rng=rng,
        validation=(images[validation], labels[validation]),
        patience=20,
    )
    accuracy = nn.evaluate(model, (images[test], labels[test]))["accuracy"]

    nn.save(model, folder / "weights.safetensors")
    viz.curves(history).figure.savefig(folder / "curves.png", metadata={"Software": None})
    draw_expression(folder)
    with no_grad():
        predicted = np.argmax(model(images[test]).data, axis=1)
    draw_misread(images[test], labels[test], predicted, folder / "misread.png")
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


def draw_misread(images: NDArray[Any], labels: NDArray[Any], predicted: NDArray[Any], path: Path) -> None:
    """A picture of the digits whose largest logit is not at their label."""
    from matplotlib.figure import Figure

    wrong = np.flatnonzero(predicted != labels)
    columns = max(1, min(8, len(wrong)))
    rows = max(1, -(-len(wrong) // columns))
    figure = Figure(figsize=(1.5 * columns, 1.9 * rows + 0.4), layout="constrained")
    figure.suptitle(f"{len(wrong)} of {len(labels)} test digits misread")
    for i, axes in enumerate(np.ravel(figure.subplots(rows, columns, squeeze=False))):
        axes.set_axis_off()
        if i < len(wrong):
            axes.imshow(images[wrong[i]].reshape(8, 8), cmap="gray_r")
            axes.set_title(f"read {predicted[wrong[i]]}, is {labels[wrong[i]]}", fontsize=10)
    figure.savefig(path, dpi=120, metadata={"Software": None})


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
<img src="curves.png" alt="Training and validation loss, and validation accuracy, by epoch">
<h2>What it misread</h2>
<img src="misread.png" alt="The misread test digits, each with what was read and what it is">
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
