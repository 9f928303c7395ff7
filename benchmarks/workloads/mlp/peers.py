"""The same training step as the documentation of each peer writes it.

torch has optimisers and is used with them at their defaults; autograd and MyGrad get the updates of the reference; JAX
compiles the whole step, update included, and may write the new weights over the old ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .by_hand import updates
from .problem import BETA1, BETA2, EPSILON, Array, Optimiser, Step


def torch(
    optimiser: Optimiser, rate: float, images: Array, labels: Array, weights: list[Array]
) -> tuple[Step, Callable[[], list[Array]]]:
    import torch
    from torch import nn

    torch.set_num_threads(1)
    layers = [nn.Linear(*w.shape) for w in weights[::2]]
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    parameters = list(model.parameters())
    for p, w in zip(parameters, weights, strict=True):
        p.data.copy_(torch.from_numpy(w.T))
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    optimizer = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}[optimiser](parameters, lr=rate)
    cross_entropy = nn.CrossEntropyLoss()

    def step() -> float:
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step, lambda: [p.detach().numpy().T for p in parameters]


def mygrad(
    optimiser: Optimiser, rate: float, images: Array, labels: Array, weights: list[Array]
) -> tuple[Step, Callable[[], list[Array]]]:
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy
    from mygrad.tensor_base import tensor

    parameters = [tensor(w, copy=False) for w in weights]
    W1, b1, W2, b2, W3, b3 = parameters
    update = updates[optimiser](rate, weights)

    def step() -> float:
        h1 = relu(images @ W1 + b1)
        h2 = relu(h1 @ W2 + b2)
        loss = softmax_crossentropy(h2 @ W3 + b3, labels)
        loss.backward()
        update([np.asarray(p.grad) for p in parameters])
        return float(loss.item())

    return step, lambda: weights


def autograd(
    optimiser: Optimiser, rate: float, images: Array, labels: Array, weights: list[Array]
) -> tuple[Step, Callable[[], list[Array]]]:
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    one_hot = np.eye(10, dtype=np.float32)[labels]
    update = updates[optimiser](rate, weights)

    def loss_of(parameters: list[Any]) -> Any:
        W1, b1, W2, b2, W3, b3 = parameters
        h1 = anp.maximum(images @ W1 + b1, 0)
        h2 = anp.maximum(h1 @ W2 + b2, 0)
        z = h2 @ W3 + b3
        return -anp.sum((z - logsumexp(z, axis=1, keepdims=True)) * one_hot) / len(labels)

    value_and_grad = autograd.value_and_grad(loss_of)

    def step() -> float:
        loss, gradients = value_and_grad(weights)
        update(gradients)
        return float(loss)

    return step, lambda: weights


def jax(
    optimiser: Optimiser, rate: float, images: Array, labels: Array, weights: list[Array]
) -> tuple[Step, Callable[[], list[Any]]]:
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(images), jnp.asarray(labels)

    def loss_of(parameters: list[Any]) -> Any:
        W1, b1, W2, b2, W3, b3 = parameters
        h1 = jax.nn.relu(x @ W1 + b1)
        h2 = jax.nn.relu(h1 @ W2 + b2)
        return -jax.nn.log_softmax(h2 @ W3 + b3)[jnp.arange(len(y)), y].mean()

    def sgd(state: Any) -> tuple[Any, Any]:
        (parameters,) = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        return loss, ([p - rate * g for p, g in zip(parameters, gradients, strict=True)],)

    def adam(state: Any) -> tuple[Any, Any]:
        parameters, m, v, t = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters)
        t += 1
        m = [BETA1 * m_ + (1 - BETA1) * g for m_, g in zip(m, gradients, strict=True)]
        v = [BETA2 * v_ + (1 - BETA2) * g * g for v_, g in zip(v, gradients, strict=True)]
        root = jnp.sqrt(1 - BETA2**t)
        size, epsilon = rate * root / (1 - BETA1**t), EPSILON * root
        moved = [p - size * m_ / (jnp.sqrt(v_) + epsilon) for p, m_, v_ in zip(parameters, m, v, strict=True)]
        return loss, (moved, m, v, t)

    parameters = [jnp.asarray(w) for w in weights]
    zeros = [[jnp.zeros_like(w) for w in weights] for _ in range(2)]
    state: Any = (parameters,) if optimiser == "SGD" else (parameters, *zeros, jnp.float32(0))
    compiled = jax.jit({"SGD": sgd, "Adam": adam}[optimiser], donate_argnums=0)

    def step() -> float:
        nonlocal state
        loss, state = jax.block_until_ready(compiled(state))
        return float(loss)

    return step, lambda: state[0]
