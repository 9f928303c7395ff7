"""`python -m benchmarks.landscapes [FOLDER]`: loss landscapes of a deep network with and without residual connections.

Two networks of 22 dense layers with ReLUs learn scikit-learn's digits, one of them with a connection around each two layers; both
end at about the same loss. Their landscapes (Li et al., NeurIPS 2018) have equal axes, levels and colours. Prints what each
network reached, how flat it is around its minimum, and the time of the picture over that of one evaluation per grid point. Writes
landscape_plain.png, landscape_residual.png and landscapes.md, with FOLDER to there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import nn
import viz
from nn.functional import cross_entropy
from tinygrad_edu import no_grad
from viz.plots.sharing import processors, single_threaded

RESULTS = Path(__file__).parent / "results"
BLOCKS, WIDTH, STEPS = 10, 64, 51
LEVELS = (0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)


def network(residual: bool) -> nn.Module:
    """64 - (64 - 64) × 10 - 10. Weights of the plain one start with He's variance, without which it does not learn at all."""
    rng = np.random.default_rng(0)
    layers: list[nn.Module] = [nn.Linear(64, WIDTH, rng=rng), nn.ReLU()]
    for _ in range(BLOCKS):
        body = nn.Sequential(nn.Linear(WIDTH, WIDTH, rng=rng), nn.ReLU(), nn.Linear(WIDTH, WIDTH, rng=rng))
        layers += [nn.Residual(body) if residual else body, nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(WIDTH, 10, rng=rng)).astype(np.float32)
    for path, p in model.named_parameters():
        if not residual and path.endswith("weight"):
            p.data = p.data * np.float32(6**0.5)  # from a variance of 1 / 3n to one of 2 / n
    return model


def trained(residual: bool, x: Any, y: Any) -> nn.Module:
    model = network(residual)
    optimizer = nn.optim.Adam(model.parameters(), lr=0.001)
    nn.fit(model, (x, y), optimizer, epochs=30, batch_size=64, rng=0, progress=False)
    return model


def report(residual: bool, folder: Path, train: tuple[Any, Any], test: tuple[Any, Any]) -> str:
    """A row of the table; the picture is saved."""
    model = trained(residual, *train)
    reached = nn.evaluate(model, train)["loss"], nn.evaluate(model, test)["accuracy"]
    one = median(evaluation(model, train) for _ in range(200))
    options: dict[str, Any] = {"steps": STEPS, "levels": LEVELS, "progress": False}
    times, ax = [], None
    for workers in (1, processors()):
        begun = os.times()
        ax = viz.landscape(model, cross_entropy, train, workers=workers, **options)
        ended = os.times()
        times.append((sum(ended[:4]) - sum(begun[:4]), ended.elapsed - begun.elapsed))
    (alone, before), (shared, after) = times
    ax.set_title("with residual connections" if residual else "without residual connections")
    name = "residual" if residual else "plain"
    ax.figure.savefig(folder / f"landscape_{name}.png", metadata={"Software": None}, dpi=100)
    cells = [name, f"{reached[0]:.4f}", f"{reached[1]:.1%}", f"{below(ax, 1.0):.0%}", f"{one * 1e3:.2f} ms"]
    cells += [f"{time:.1f} s | {time / one / STEPS**2:.2f}" for time in (alone, shared)]
    return " | ".join([*cells, f"{before / after:.2f}"])


def evaluation(model: nn.Module, data: tuple[Any, Any]) -> float:
    """Seconds of the processor that the loss at one point takes."""
    with single_threaded(), no_grad():
        begun = process_time()
        float(cross_entropy(model(data[0]), data[1]))
        return process_time() - begun


def below(ax: Any, level: float) -> float:
    """The share of the picture, 2 × 2, within the contour line of a level."""
    (lines,) = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    line = dict(zip(lines.levels, lines.get_paths(), strict=True))[level]
    return sum(_area(polygon) for polygon in line.to_polygons()) / 4


def _area(polygon: Any) -> float:
    x, y = np.asarray(polygon).T
    return abs(float(x[:-1] @ y[1:] - y[:-1] @ x[1:])) / 2


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    x, y = (digits.data / 16).astype(np.float32), digits.target
    train, test = nn.stratified_split(y, (0.75,), np.random.default_rng(0))
    rows = [report(residual, folder, (x[train], y[train]), (x[test], y[test])) for residual in (False, True)]
    table = "\n".join(f"| {row} |" for row in rows)
    page = f"""# Loss landscapes with and without residual connections

22 dense layers; {STEPS} × {STEPS} points over filter-normalised random directions from -1 to 1; {len(train):,} digits a point.
"Below 1": the share of the picture in which the loss is below 1. "Alone" and "shared": processor time of the picture with its
drawing, by one process and by {processors()} together, and the ratio to {STEPS}² evaluations one by one. "Faster": on the clock,
of a machine that may have other work.

| network | training loss | test accuracy | below 1 | one evaluation | alone | ratio | shared | ratio | faster |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
{table}

![Without residual connections: a small valley with bent walls](landscape_plain.png)
![With residual connections: a wide round valley](landscape_residual.png)
"""
    (folder / "landscapes.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS)
