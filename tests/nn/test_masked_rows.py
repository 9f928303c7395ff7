"""Padded rows of NaN or inf whose results are masked leave the gradients of a layer as they are without them."""

import numpy as np
import pytest

import nn
from tinygrad_edu import Value, where

rng = np.random.default_rng(0)
LAYERS = {
    "Linear": (nn.Linear(3, 4, rng=rng), (3,)),
    "Conv1d": (nn.Conv1d(2, 3, 2, rng=rng), (2, 4)),
    "Conv2d": (nn.Conv2d(1, 2, 2, rng=rng), (1, 3, 3)),
    "LayerNorm": (nn.LayerNorm(4), (4,)),
    "BatchNorm1d": (nn.BatchNorm1d(4).eval(), (4,)),
    "Softmax": (nn.Softmax(1), (4,)),
    "RMSNorm": (nn.RMSNorm(4), (4,)),
    "GroupNorm": (nn.GroupNorm(2, 4), (4,)),
    "InstanceNorm1d": (nn.InstanceNorm1d(2, affine=True), (2, 3)),
    "Softmin": (nn.Softmin(1), (4,)),
    "GLU": (nn.GLU(), (4,)),
    "PReLU": (nn.PReLU(4), (4,)),
    "CELU": (nn.CELU(0.5), (4,)),
    "Hardshrink": (nn.Hardshrink(), (4,)),
    "Softshrink": (nn.Softshrink(), (4,)),
    "Hardswish": (nn.Hardswish(), (4,)),
    "Softplus": (nn.Softplus(2.0, 1.0), (4,)),
    "Threshold": (nn.Threshold(0.1, 2.0), (4,)),
    "MaxPool2d": (nn.MaxPool2d(2), (1, 4, 4)),
    "RNN": (nn.RNN(3, 4, batch_first=True, rng=rng), (5, 3)),
    "LSTM": (nn.LSTM(3, 4, batch_first=True, rng=rng), (5, 3)),
    "GRU": (nn.GRU(3, 4, batch_first=True, rng=rng), (5, 3)),
    "TransformerEncoderLayer": (nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, rng=rng), (3, 4)),
    "MLP": (
        nn.Sequential(nn.Linear(3, 4, rng=rng), nn.ReLU(), nn.LayerNorm(4), nn.Linear(4, 2, rng=rng), nn.LogSoftmax(1)),
        (3,),
    ),
}


def gradients(layer, x, live, order):
    """The gradients of x and of the parameters; of order 2, those of the sum of their squares."""
    x = Value(x)
    leaves = [x, *layer.parameters()]
    layer.zero_grad()
    y = layer(x)
    y = y[0] if isinstance(y, tuple) else y
    weights = np.random.default_rng(3).uniform(0.5, 1.5, (4, *y.shape[1:]))[: len(y)]
    masked = where(live.reshape(-1, *[1] * (len(y.shape) - 1)), y, 0.0)
    (masked * masked * weights).sum().backward(create_graph=order == 2, retain_graph=order == 2)
    if order == 2:
        total = sum([(v.grad * v.grad).sum() for v in leaves], 0.0)
        for v in leaves:
            v.zero_grad()
        total.backward()
    return [np.asarray(v.grad) for v in leaves]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_padded_rows(name, order):
    layer, shape = LAYERS[name]
    x = np.random.default_rng(1).standard_normal((3, *shape))
    alone = gradients(layer, x, np.ones(3, bool), order)
    for number in (np.nan, np.inf, -np.inf):
        padded = np.concatenate([x, np.full((1, *shape), number)])
        got = gradients(layer, padded, np.array([True, True, True, False]), order)
        assert np.count_nonzero(got[0][3]) == 0
        assert np.allclose(got[0][:3], alone[0])
        assert all(np.allclose(a, b) for a, b in zip(got[1:], alone[1:], strict=True))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_padded_steps_of_a_recurrent_network():
    layer = nn.LSTM(3, 4, batch_first=True, rng=0)
    x = np.random.default_rng(1).standard_normal((2, 5, 3))
    steps = np.array([5, 3])
    live = np.arange(5) < steps[:, None]
    found = []
    for number in (0.0, np.nan):
        layer.zero_grad()
        y, _ = layer(np.where(live[..., None], x, number))
        (where(live[..., None], y, 0.0) ** 2).sum().backward(retain_graph=False)
        found.append([p.grad for p in layer.parameters()])
    assert all(map(np.allclose, *found))
