"""Adagrad.

    G ← G + g²
    w ← w - ηₜ g / (√G + ε)        with ηₜ = η / (1 + (t - 1) δ)

w a parameter, g its gradient, plus λ w with `weight_decay` λ; G the "sum" in the state, at first `initial_accumulator_value`;
η the learning rate `lr`, δ the `lr_decay`, ε `eps`, t the number of the step from 1.

Source: Duchi, Hazan & Singer, JMLR 12 (2011), the diagonal version; ε and δ are PyTorch's.
"""

from __future__ import annotations

import numpy as np

from .optimizer import Array, Group, Optimizer, Params, State


class Adagrad(Optimizer):
    """Adagrad: each number's step is its gradient over the root of the sum of its squared gradients, so steps only shrink.

    Args:
        params: leaf Values, or dicts of groups; see `Optimizer`.
        lr: learning rate η ≥ 0.
        lr_decay: δ ≥ 0.
        weight_decay: λ ≥ 0, which adds λ w to the gradient.
        initial_accumulator_value: what G starts from, ≥ 0.
        eps: ε > 0, added to the root.
        maximize: climb instead.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps}
        super().__init__(
            params, options | {"initial_accumulator_value": initial_accumulator_value, "maximize": maximize}
        )

    def update(self, data: Array, g: Array, scratch: Array, state: State, group: Group) -> None:
        """w ← w - ηₜ g / (√G + ε)."""
        if "sum" not in state:
            state["sum"] = np.full_like(data, group["initial_accumulator_value"])
        total = state["sum"]
        np.multiply(g, g, out=scratch)
        total += scratch  # G + g²
        np.sqrt(total, out=scratch)
        scratch += group["eps"]
        np.divide(g, scratch, out=scratch)
        scratch *= group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"])
        data -= scratch  # w - ηₜ g / (√G + ε)
