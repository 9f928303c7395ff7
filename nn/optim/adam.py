"""Adam.

    m ← β₁ m + (1 - β₁) g
    v ← β₂ v + (1 - β₂) g²
    w ← w - η m̂ / (√v̂ + ε)        with m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ)

w a parameter, g its gradient, η the learning rate `lr`, (β₁, β₂) the `betas`, ε `eps`, t the number of the step from 1. m and v
start at 0; the hats undo the bias that this brings.

Source: Kingma & Ba, ICLR 2015 (arXiv 1412.6980), algorithm 1; ε is outside the root, as there and in PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError, Value

from .optimizer import Optimizer


class Adam(Optimizer):
    """Adam: each number's step is its mean gradient over the root of its mean squared gradient.

    Args:
        parameters: leaf Values.
        lr: learning rate η > 0.
        betas: (β₁, β₂), both in [0, 1).
        eps: ε > 0, added to the root.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        if not all(0 <= beta < 1 for beta in betas) or not eps > 0:
            raise TinygradError(f"Adam: got betas={betas}, eps={eps}; expected betas in [0, 1) and eps > 0")
        self.betas, self.eps = betas, eps

    def update(self, data: NDArray[Any], g: NDArray[Any], buffers: dict[str, NDArray[Any]], t: int) -> None:
        """w ← w - η m̂ / (√v̂ + ε), without a temporary array; √(1 - β₂ᵗ) is moved from the root to η and ε to save a pass."""
        if not buffers:
            buffers.update(m=np.zeros_like(data), v=np.zeros_like(data), scratch=np.empty_like(data))
        m, v, scratch = buffers["m"], buffers["v"], buffers["scratch"]
        beta1, beta2 = self.betas
        m *= beta1
        np.multiply(g, 1 - beta1, out=scratch)
        m += scratch
        v *= beta2
        np.multiply(g, g, out=scratch)
        scratch *= 1 - beta2
        v += scratch
        root = sqrt(1 - beta2**t)
        np.sqrt(v, out=scratch)
        scratch += self.eps * root
        np.divide(m, scratch, out=scratch)
        scratch *= self.lr * root / (1 - beta1**t)
        data -= scratch
