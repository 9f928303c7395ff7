"""Embedding: a learned vector for each word of a vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tinygrad_edu import Value

from . import functional, init
from .checks import float_type, generator, size
from .functional.layers import padding_row
from .module import Module


class Embedding(Module):
    """Rows of a table: integers (...) -> (..., embedding_dim).

    Args:
        num_embeddings: rows of the table, so integers are from 0 to num_embeddings - 1.
        embedding_dim: size of a row.
        padding_idx: the row that stands for nothing: initially zeros, and it gets no gradient. Negative ones count from the end.
        rng: random generator for the initial rows, or a seed for one; unseeded if None.
        dtype: of the table.

    Attributes:
        weight: (num_embeddings, embedding_dim), initially normal with mean 0 and standard deviation 1, as in PyTorch.

    Raises ShapeError for sizes below 1, or a padding_idx that is no row.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: DTypeLike = float,
    ) -> None:
        shape = size("Embedding", "num_embeddings", num_embeddings), size("Embedding", "embedding_dim", embedding_dim)
        weight = init.normal(shape, 0.0, 1.0, generator("Embedding", rng), float_type("Embedding", dtype))
        if padding_idx is not None:
            padding_idx = padding_row("Embedding", padding_idx, num_embeddings)
            weight[padding_idx] = 0
        self.padding_idx, self.weight = padding_idx, Value(weight, name="W")

    def forward(self, indices: Any) -> Any:
        """Integers (...) -> (..., embedding_dim). Raises DTypeError for other numbers, IndexError for a row that is not there."""
        return functional.embedding(indices, self.weight, self.padding_idx)

    def describe(self) -> str:
        """num_embeddings, embedding_dim, padding_idx."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return ", ".join(map(str, self.weight.shape)) + padding
