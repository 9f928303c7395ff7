"""Stochastic gradient descent.

    v ← μ v + g        (v = g at the first step)
    w ← w - η v

w a parameter, g its gradient, η the learning rate `lr`, μ the `momentum`, v the velocity. With μ = 0 this is w ← w - η g.

Source: Polyak, USSR Computational Mathematics 4 (1964); the form is PyTorch's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError, Value

from .optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    Args:
        parameters: leaf Values.
        lr: learning rate η > 0.
        momentum: μ in [0, 1).
    """

    def __init__(self, parameters: Iterable[Value], lr: float, momentum: float = 0.0) -> None:
        super().__init__(parameters, lr)
        if not 0 <= momentum < 1:
            raise TinygradError(f"SGD: got momentum={momentum}, expected a number in [0, 1)")
        self.momentum = momentum

    def update(self, data: NDArray[Any], g: NDArray[Any], buffers: dict[str, NDArray[Any]], t: int) -> None:
        """w ← w - η v, without a temporary array."""
        if not buffers:
            buffers["scratch"] = np.empty_like(data)
        if self.momentum:
            if "v" not in buffers:
                buffers["v"] = np.zeros_like(data)
            v = buffers["v"]
            v *= self.momentum
            v += g
            g = v
        scratch = buffers["scratch"]
        np.multiply(g, self.lr, out=scratch)
        data -= scratch
