"""`python -m benchmarks.penalties`: does fit's history choose the strength of a penalty that held-back data choose?

A network 20-30-1 learns a noisy function of 3 of 20 inputs from 60 examples, for each of some strengths of an L2 penalty. The
history chooses the strength with the lowest last validation loss, on 1,000 examples. Held back are 10,000 others, of which NumPy
computes the squared error. Beside them is the choice of a penalty that is part of `loss=`, which enters the validation loss too.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import nn
from nn.functional import l2_penalty, mse_loss

RESULTS = Path(__file__).parent / "results" / "penalties.md"
STRENGTHS = (0.0, 0.001, 0.01, 0.1, 0.3, 1.0, 3.0)
SEEDS = 5
EPOCHS = 300


def examples(rng: np.random.Generator, count: int) -> tuple[Any, Any]:
    x = rng.standard_normal((count, 20))
    clean = np.sin(x[:, 0]) + x[:, 1] * 0.5 - np.tanh(x[:, 2])
    return x, (clean + 0.7 * rng.standard_normal(count))[:, None]


def trained(seed: int, train: Any, validation: Any, strength: float, inside: bool) -> tuple[nn.MLP, float]:
    """A network after training, its penalty beside the loss or inside it; and its last validation loss."""
    model = nn.MLP((20, 30, 1), nn.Tanh, rng=seed)
    price = partial(l2_penalty, strength=strength)
    options: dict[str, Any] = {"loss": mse_loss, "penalty": price}
    if inside:
        options = {"loss": lambda output, target: mse_loss(output, target) + price(model)}
    options |= {"epochs": EPOCHS, "batch_size": None, "validation": validation, "progress": False}
    history = nn.fit(model, train, nn.optim.Adam(model.parameters(), lr=0.01), **options)
    return model, history.curves["validation_loss"][-1]


def error(model: nn.MLP, x: Any, y: Any) -> float:
    """The mean squared error, by NumPy."""
    first, last = model[0], model[2]
    hidden = np.tanh(x @ first.weight.data.T + first.bias.data)
    return float(np.mean((hidden @ last.weight.data.T + last.bias.data - y) ** 2))


def chosen(seed: int) -> tuple[float, float, float, list[float]]:
    """The strength chosen by the history, by held-back error, and with the penalty inside the loss; the held-back errors."""
    rng = np.random.default_rng(seed)
    train, validation, held_back = examples(rng, 60), examples(rng, 1000), examples(rng, 10_000)
    beside = [trained(seed, train, validation, strength, inside=False) for strength in STRENGTHS]
    inside = [trained(seed, train, validation, strength, inside=True)[1] for strength in STRENGTHS]
    errors = [error(model, *held_back) for model, _ in beside]
    numbers = ([loss for _, loss in beside], errors, inside)
    best = [STRENGTHS[int(np.argmin(each))] for each in numbers]
    return best[0], best[1], best[2], errors


def main() -> int:
    rows = [(seed, *chosen(seed)) for seed in range(SEEDS)]
    equal = sum(history == held for _, history, held, _, _ in rows)
    lines = [
        "# The choice of a penalty",
        "",
        f"A network 20-30-1 on 60 noisy examples, {EPOCHS} epochs, an L2 penalty of {len(STRENGTHS)} strengths. The strength",
        "chosen by the validation loss of `fit(penalty=)`, by the error of 10,000 held-back examples, and by the validation loss",
        "of a penalty that is part of `loss=`; the held-back error without a penalty, and with the one that the history chose.",
        "Written by `python -m benchmarks.penalties`.",
        "",
        "| seed | by the history | by held-back error | penalty inside the loss | error at 0 | error at the history's choice |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
        *[
            f"| {seed} | {history:g} | {held:g} | {inside:g} | {errors[0]:.3f} | {errors[STRENGTHS.index(history)]:.3f} |"
            for seed, history, held, inside, errors in rows
        ],
        "",
        f"Equal for {equal} of {SEEDS} seeds.",
        "",
    ]
    text = "\n".join(lines)
    print(text)
    RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
