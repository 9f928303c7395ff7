"""Perceptron: units that fire or do not, and the first rule by which such units learned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tinygrad_edu import ShapeError, TinygradError, Value, heaviside, no_grad

from .checks import explaining, float_type, plain_array, size
from .functional import linear
from .module import Module


class Perceptron(Module):
    """y = heaviside(x Wᵀ + b): (..., in_features) -> (..., out_features), 1 where a unit reaches its threshold -b, else 0.

    Its gradient is 0 everywhere, so it does not learn by gradients; see `learn`.

    Args:
        in_features, out_features: sizes of the last axis of input and output.
        dtype: of the parameters.

    Attributes:
        weight: (out_features, in_features), initially 0.
        bias: (out_features,), initially 0.

    Raises ShapeError for sizes below 1. See McCulloch & Pitts (1943).
    """

    def __init__(self, in_features: int, out_features: int = 1, *, dtype: DTypeLike = float) -> None:
        inputs, units = size("Perceptron", "in_features", in_features), size("Perceptron", "out_features", out_features)
        dtype = float_type("Perceptron", dtype)
        self.weight = Value(np.zeros((units, inputs), dtype), name="W")
        self.bias = Value(np.zeros(units, dtype), name="b")

    def forward(self, x: Any) -> Any:
        """x: (..., in_features) -> (..., out_features). Raises ShapeError if the last axis of x has another size."""
        return heaviside(linear(x, self.weight, self.bias), 1.0)

    @explaining
    def learn(self, x: ArrayLike, y: ArrayLike, epochs: int = 100, lr: float = 1.0) -> list[int]:
        """Rosenblatt's rule: after each example, W ← W + lr (y - ŷ) xᵀ and b ← b + lr (y - ŷ). A unit that is right stays.

        If a plane separates the ones from the zeros, it is found after finitely many mistakes (Rosenblatt 1958; Novikoff 1962).

        Args:
            x: examples, (n, in_features).
            y: what the units are to answer, 0 or 1: (n, out_features), or (n,) for a single unit.
            epochs: how often to go through the examples, at most; an epoch without a mistake is the last.
            lr: learning rate, which for weights that start at 0 changes nothing but their scale.

        Returns:
            the number of wrong answers in each epoch.

        Raises:
            ShapeError: if there is not one answer for each example and unit.
            TinygradError: if an answer is not 0 or 1.
        """
        units, inputs = self.weight.shape
        examples: NDArray[Any] = plain_array("Perceptron", "x", x)
        answers: NDArray[Any] = plain_array("Perceptron", "y", y)
        if answers.ndim == 1 and units == 1:
            answers = answers[:, None]
        if examples.shape != (len(answers), inputs) or answers.shape != (len(answers), units):
            got = f"examples {examples.shape} and answers {answers.shape}"
            raise ShapeError(f"Perceptron.learn: got {got}, expected (n, {inputs}) and (n, {units})")
        if not np.all((answers == 0) | (answers == 1)):
            wrong = answers[(answers != 0) & (answers != 1)][0]
            raise TinygradError(
                f"Perceptron.learn: got the answer {wrong}, expected 0 or 1; turn ±1 into them with y > 0"
            )
        mistakes: list[int] = []
        weight, bias = np.asarray(self.weight.data), np.asarray(self.bias.data)
        while len(mistakes) < epochs and (not mistakes or mistakes[-1]):
            mistakes.append(0)
            for example, answer in zip(examples, answers, strict=True):
                with no_grad():
                    error = answer - self(example).data
                weight += lr * np.outer(error, example)
                bias += lr * error
                mistakes[-1] += int(np.count_nonzero(error))
        self.weight.mark_changed()
        self.bias.mark_changed()
        return mistakes

    def describe(self) -> str:
        """in_features, out_features."""
        return ", ".join(map(str, reversed(self.weight.shape)))
