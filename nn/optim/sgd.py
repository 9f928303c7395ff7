"""Stochastic gradient descent.

    v ← μ v + (1 - τ) g        (v = g at the first step)
    w ← w - η v                or with Nesterov's momentum  w ← w - η (g + μ v)

w a parameter, g its gradient, plus λ w with `weight_decay` λ; η the learning rate `lr`, μ the `momentum`, τ the `dampening`,
v the velocity, "momentum_buffer" in the state. With μ = 0 this is gradient descent, w ← w - η g.

`l1` κ adds κ Σ|w| to what is minimised, by a proximal step after each step:

    w ← sign(w) max(|w| - θ, 0)        with θ = κ η (1 - τ) / (1 - μ)

which is how far a constant gradient κ moves w in a step, once the velocity is constant. So numbers become exactly 0, and the
minimum of the loss with its penalty is where the steps end, with any momentum.

Source: Polyak, USSR Computational Mathematics 4 (1964); Nesterov's as by Sutskever et al., ICML 2013; the form is PyTorch's.
The proximal step: Parikh & Boyd, "Proximal Algorithms" (2014), section 4.2.
"""

from __future__ import annotations

import numpy as np

from .optimizer import Array, Group, Optimizer, Params, State, scalar, shrink


class SGD(Optimizer):
    """Gradient descent, stochastic if the gradients are of batches, with momentum.

    Args:
        params: leaf Values, or dicts of groups; see `Optimizer`.
        lr: learning rate η ≥ 0.
        momentum: μ in [0, 1).
        dampening: τ in [0, 1].
        weight_decay: λ ≥ 0, which adds λ w to the gradient.
        nesterov: look ahead along the velocity; needs a momentum, and no dampening.
        l1: κ ≥ 0, a penalty κ Σ|w| that gives exact zeros; give it to a group of weights, and leave it off for biases.
        maximize: climb instead; the penalties still shrink the parameters.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        l1: float = 0.0,
        maximize: bool = False,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, options | {"nesterov": nesterov, "l1": l1, "maximize": maximize})

    def update(self, data: Array, g: Array, scratch: Array, state: State, group: Group) -> None:
        """w ← w - η v."""
        if momentum := group["momentum"]:
            v = state.get("momentum_buffer")
            if v is None:
                v = state["momentum_buffer"] = np.empty_like(data)
                v[...] = g
            else:
                v *= scalar(momentum, data.dtype)
                v += np.multiply(g, 1 - group["dampening"], out=scratch) if group["dampening"] else g
            if group["nesterov"]:
                np.multiply(v, momentum, out=scratch)
                g = np.add(scratch, g, out=scratch)  # g + μ v
            else:
                g = v
        np.multiply(g, scalar(group["lr"], data.dtype), out=scratch)
        data -= scratch
        if l1 := group["l1"]:
            reach = (1 - group["dampening"]) / (1 - momentum) if momentum else 1
            shrink(data, scalar(l1 * group["lr"] * reach, data.dtype), scratch)
