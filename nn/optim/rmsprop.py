"""RMSprop.

    v ← α v + (1 - α) g²
    ḡ ← α ḡ + (1 - α) g                  (only if centered, else ḡ stays 0)
    u ← μ u + g / (√(v - ḡ²) + ε)        (without momentum, μ = 0)
    w ← w - η u

w a parameter, g its gradient, plus λ w with `weight_decay` λ; v, ḡ, u are "square_avg", "grad_avg", "momentum_buffer" in the
state and start at 0; η the learning rate `lr`, α `alpha`, μ the `momentum`, ε `eps`.

Source: Tieleman & Hinton, lecture 6.5 of "Neural Networks for Machine Learning" (2012); centered: Graves, arXiv 1308.0850,
section 4.2; the places of ε and of η are PyTorch's.
"""

from __future__ import annotations

import numpy as np

from .optimizer import Array, Group, Optimizer, Params, State, kept


class RMSprop(Optimizer):
    """RMSprop: each number's step is its gradient over the root of its mean squared gradient.

    Args:
        params: leaf Values, or dicts of groups; see `Optimizer`.
        lr: learning rate η ≥ 0.
        alpha: α in [0, 1).
        eps: ε > 0, added to the root.
        weight_decay: λ ≥ 0, which adds λ w to the gradient.
        momentum: μ in [0, 1).
        centered: divide by the root of the gradient's variance instead.
        maximize: climb instead.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered}
        super().__init__(params, options | {"weight_decay": weight_decay, "maximize": maximize})

    def update(self, data: Array, g: Array, scratch: Array, state: State, group: Group) -> None:
        """w ← w - η u."""
        alpha, momentum = group["alpha"], group["momentum"]
        v = kept(state, "square_avg", data)
        v *= alpha
        np.multiply(g, g, out=scratch)
        scratch *= 1 - alpha
        v += scratch  # α v + (1 - α) g²
        if group["centered"]:
            mean = kept(state, "grad_avg", data)
            mean *= alpha
            mean += np.multiply(g, 1 - alpha, out=scratch)  # α ḡ + (1 - α) g
            np.multiply(mean, mean, out=scratch)
            np.subtract(v, scratch, out=scratch)  # v - ḡ²
            np.maximum(scratch, 0, out=scratch)  # a variance, which rounding may bring below 0
            np.sqrt(scratch, out=scratch)
        else:
            np.sqrt(v, out=scratch)
        scratch += group["eps"]
        np.divide(g, scratch, out=scratch)  # g / (√(v - ḡ²) + ε)
        if momentum:
            u = kept(state, "momentum_buffer", data)
            u *= momentum
            u += scratch  # μ u + that
            np.multiply(u, group["lr"], out=scratch)
        else:
            scratch *= group["lr"]
        data -= scratch  # w - η u
