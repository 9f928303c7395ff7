"""Adam, and AdamW.

    m ← β₁ m + (1 - β₁) g
    v ← β₂ v + (1 - β₂) g²
    w ← w - η m̂ / (√v̂ + ε)        with m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ)

w a parameter, g its gradient, η the learning rate `lr`, (β₁, β₂) the `betas`, ε `eps`, t the number of the step from 1. m and v,
"exp_avg" and "exp_avg_sq" in the state, start at 0; the hats undo the bias that this brings. With `amsgrad` the largest v so
far, "max_exp_avg_sq", stands in the root.

`weight_decay` λ makes of g in Adam g + λ w, which is then scaled like any gradient; in AdamW w ← (1 - η λ) w comes before the
rest instead, so that all weights decay alike.

`l1` κ adds κ Σ|w| to what is minimised, by a proximal step after each step, with each number's rate:

    w ← sign(w) max(|w| - θ, 0)        with θ = κ η / (√v̂ + ε)

So numbers become exactly 0, and the minimum of the loss with its penalty is where the steps end. v is of the loss's gradients.

Source: Kingma & Ba, ICLR 2015 (arXiv 1412.6980), algorithm 1; ε is outside the root, as there and in PyTorch. AMSGrad: Reddi,
Kale & Kumar, ICLR 2018, in PyTorch's form. AdamW: Loshchilov & Hutter, ICLR 2019 (arXiv 1711.05101), algorithm 2.
The proximal step with a rate for each number: Duchi, Hazan & Singer, JMLR 12 (2011), section 5.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np

from .optimizer import Array, Group, Optimizer, Params, State, kept, scalar, shrink


class Adam(Optimizer):
    """Adam: each number's step is its mean gradient over the root of its mean squared gradient.

    Args:
        params: leaf Values, or dicts of groups; see `Optimizer`.
        lr: learning rate η ≥ 0.
        betas: (β₁, β₂), both in [0, 1).
        eps: ε > 0, added to the root.
        weight_decay: λ ≥ 0.
        amsgrad: divide by the largest root so far.
        decoupled_weight_decay: decay the weights as AdamW does.
        l1: κ ≥ 0, a penalty κ Σ|w| that gives exact zeros; give it to a group of weights, and leave it off for biases.
        maximize: climb instead; the penalties still shrink the parameters.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        decoupled_weight_decay: bool = False,
        l1: float = 0.0,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        options |= {"decoupled_weight_decay": decoupled_weight_decay, "l1": l1, "maximize": maximize}
        super().__init__(params, options)

    def update(self, data: Array, g: Array, scratch: Array, state: State, group: Group) -> None:
        """w ← w - η m̂ / (√v̂ + ε), without a temporary array unless there is an l1."""
        m, v = kept(state, "exp_avg", data), kept(state, "exp_avg_sq", data)
        gain1, keep2, gain2, eps, rate = _coefficients(
            group["lr"], *group["betas"], group["eps"], state["step"], data.dtype
        )
        np.subtract(g, m, out=scratch)
        scratch *= gain1
        m += scratch  # m + (1 - β₁)(g - m)
        np.multiply(g, g, out=scratch)
        scratch *= gain2
        v *= keep2
        v += scratch  # β₂ v + (1 - β₂) g²
        if group["amsgrad"]:
            largest = kept(state, "max_exp_avg_sq", data)
            v = np.maximum(largest, v, out=largest)
        np.sqrt(v, out=scratch)
        scratch += eps
        if l1 := group["l1"]:
            with np.errstate(over="ignore"):  # in float16, which shrinks all to 0
                threshold = rate * (l1 * (1 - group["betas"][0] ** state["step"])) / scratch
        np.divide(m, scratch, out=scratch)
        scratch *= rate
        data -= scratch  # w - rate m / (√v + eps)
        if l1:
            shrink(data, threshold, scratch)


@lru_cache(maxsize=64)
def _coefficients(lr: float, beta1: float, beta2: float, eps: float, t: int, dtype: np.dtype[Any]) -> tuple[Array, ...]:
    """1 - β₁, β₂, 1 - β₂, ε c, η c / (1 - β₁ᵗ): the root's bias correction c = √(1 - β₂ᵗ) is moved to ε and η to save a pass.

    Computed once a step, not once a parameter.
    """
    c = sqrt(1 - beta2**t)
    return tuple(scalar(x, dtype) for x in (1 - beta1, beta2, 1 - beta2, eps * c, lr * c / (1 - beta1**t)))


class AdamW(Adam):
    """Adam with decoupled weight decay: w ← (1 - η λ) w before each step.

    Args: as of Adam; λ is 0.01 by default.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ) -> None:
        penalties: Any = {"decoupled_weight_decay": True, "l1": l1, "maximize": maximize}
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **penalties)
