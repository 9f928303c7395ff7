"""Layers: each equals its definition in plain NumPy, with the right first and second derivatives, in training and in use."""

import math
from itertools import product

import numpy as np
import pytest

import nn
from tinygrad_edu import DTypeError, GraphError, ShapeError, TinygradError, UnsupportedError, Value, snapshots
from tinygrad_edu.testing import check_gradients

# -- Definitions, number by number ---------------------------------------------------------------------------------------


def normalized(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def channels(p, x):
    return p.reshape(-1, *[1] * (x.ndim - 2))


def layer_norm(x, p, axes=(-1,), eps=1e-5):
    return normalized(x, axes, eps) * p.get("weight", 1.0) + p.get("bias", 0.0)


def rms_norm(x, p, axes=(-1,), eps=2.0**-52):
    return x / np.sqrt((x * x).mean(axes, keepdims=True) + eps) * p.get("weight", 1.0)


def group_norm(x, p, groups, eps=1e-5):
    y = normalized(x.reshape(len(x), groups, -1), (2,), eps).reshape(x.shape)
    y = y * channels(p["weight"], x) if "weight" in p else y
    return y + channels(p["bias"], x) if "bias" in p else y


def batch_norm(x, p, eps=1e-5):
    y = normalized(x, (0, *range(2, x.ndim)), eps)
    return y * channels(p["weight"], x) + channels(p["bias"], x) if p else y


def batch_norm_in_use(x, p):
    y = (x - channels(np.array([0.5, -1.0, 2.0]), x)) / np.sqrt(channels(np.array([0.25, 4.0, 1.0]), x) + 1e-5)
    return y * channels(p["weight"], x) + channels(p["bias"], x)


def conv(x, p, stride=1, padding=0, dilation=1, groups=1, mode="constant"):
    """One output after the other. padding: an integer, or (before, after)."""
    w = p["weight"]
    x = np.pad(x, [(0, 0), (0, 0)] + [(padding, padding) if isinstance(padding, int) else padding] * (x.ndim - 2), mode)
    out = [(n - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(x.shape[2:], w.shape[2:], strict=True)]
    y = np.empty((len(x), len(w), *out))
    inside, outside = w.shape[1], len(w) // groups
    for n, o, *at in np.ndindex(y.shape):
        first = o // outside * inside
        seen = tuple(
            slice(i * stride, i * stride + dilation * (k - 1) + 1, dilation)
            for i, k in zip(at, w.shape[2:], strict=True)
        )
        y[(n, o, *at)] = np.sum(x[(n, slice(first, first + inside), *seen)] * w[o])
    return y + channels(p["bias"], y) if "bias" in p else y


def pool(x, how, kernel, stride, padding=None, fill=0.0):
    padding = padding or [0] * len(kernel)
    x = np.pad(x, [(0, 0), (0, 0)] + [(n, n) for n in padding], constant_values=fill)
    out = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel, stride, strict=True)]
    y = np.empty((*x.shape[:2], *out))
    for at in product(*map(range, out)):
        seen = tuple(slice(i * s, i * s + k) for i, s, k in zip(at, stride, kernel, strict=True))
        y[(..., *at)] = how(x[(..., *seen)].reshape(*x.shape[:2], -1), axis=-1)
    return y


def conv_transpose(x, p, stride=1, padding=0, dilation=1, groups=1, more=0):
    """Each number of x adds a multiple of the kernel to the output."""
    w = p["weight"]
    size = [(n - 1) * stride + dilation * (k - 1) + 1 + more for n, k in zip(x.shape[2:], w.shape[2:], strict=True)]
    y = np.zeros((len(x), w.shape[1] * groups, *size))
    inside = w.shape[1]
    for n, c, *at in np.ndindex(x.shape):
        first = c // (x.shape[1] // groups) * inside
        seen = tuple(
            slice(i * stride, i * stride + dilation * (k - 1) + 1, dilation)
            for i, k in zip(at, w.shape[2:], strict=True)
        )
        y[(n, slice(first, first + inside), *seen)] += x[(n, c, *at)] * w[c]
    y = y[(..., *(slice(padding, n - padding) for n in size))]
    return y + channels(p["bias"], y) if "bias" in p else y


def adaptive(x, how, *sizes):
    """One output after the other."""
    axes = len(sizes)
    y = np.empty((*x.shape[:-axes], *sizes))
    for at in product(*map(range, sizes)):
        seen = tuple(
            slice(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(at, x.shape[-axes:], sizes, strict=True)
        )
        y[(..., *at)] = how(x[(..., *seen)].reshape(*x.shape[:-axes], -1), axis=-1)
    return y


def columns(x, kernel, stride=1, padding=0):
    """Window by window."""
    x = np.pad(x, [(0, 0)] * 2 + [(padding, padding)] * 2)
    places = product(*(range(0, n - k + 1, stride) for n, k in zip(x.shape[2:], kernel, strict=True)))
    return np.stack([x[:, :, i : i + kernel[0], j : j + kernel[1]].reshape(len(x), -1) for i, j in places], axis=-1)


def folded(y, size, kernel):
    x = np.zeros((len(y), y.shape[1] // (kernel[0] * kernel[1]), *size))
    places = product(*(range(n - k + 1) for n, k in zip(size, kernel, strict=True)))
    for column, (i, j) in enumerate(places):
        x[:, :, i : i + kernel[0], j : j + kernel[1]] += y[..., column].reshape(len(y), -1, *kernel)
    return x


def shuffled(x, r):
    y = np.empty((*x.shape[:-3], x.shape[-3] // r**2, x.shape[-2] * r, x.shape[-1] * r))
    for c, i, j in np.ndindex(y.shape[-3:]):
        y[..., c, i, j] = x[..., c * r**2 + i % r * r + j % r, i // r, j // r]
    return y


class Twice(nn.Module):
    """A layer of two inputs, given x and a part of it."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return self.inner(x, x[..., :2])


def alone(f):
    """What a layer computes for a single image: that for a batch of one."""
    return lambda x, p: f(x[None], p)[0]


def each(f):
    return lambda x, p: np.vectorize(f, otypes=[float])(x)


def rows_of(f):
    return lambda x, p: np.apply_along_axis(f, -1, x)


def in_use(layer):
    layer.running_mean[...], layer.running_var[...] = [0.5, -1.0, 2.0], [0.25, 4.0, 1.0]
    return layer.eval()


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


X1, X2 = (2, 4, 7), (2, 4, 5, 6)  # lines and pictures: (N, C, L) and (N, C, H, W)

# Each layer: how to build it, the shape of its input, and what it computes from x and its parameters by name.
LAYERS = {
    "linear": (lambda: nn.Linear(4, 3), (2, 4), lambda x, p: x @ p["weight"].T + p["bias"]),
    "layer_norm": (lambda: nn.LayerNorm(5), (2, 3, 5), layer_norm),
    "layer_norm_axes": (
        lambda: nn.LayerNorm((3, 5), eps=0.1, bias=False),
        (2, 3, 5),
        lambda x, p: layer_norm(x, p, (1, 2), 0.1),
    ),
    "layer_norm_plain": (lambda: nn.LayerNorm(5, elementwise_affine=False), (3, 5), layer_norm),
    "batch_norm1d": (lambda: nn.BatchNorm1d(3), (5, 3), batch_norm),
    "batch_norm1d_lines": (lambda: nn.BatchNorm1d(3, eps=0.1), (2, 3, 4), lambda x, p: batch_norm(x, p, 0.1)),
    "batch_norm1d_in_use": (lambda: in_use(nn.BatchNorm1d(3)), (5, 3), batch_norm_in_use),
    "batch_norm1d_one_in_use": (lambda: in_use(nn.BatchNorm1d(3)), (1, 3), batch_norm_in_use),
    "batch_norm1d_untracked": (
        lambda: nn.BatchNorm1d(3, affine=False, track_running_stats=False).eval(),
        (5, 3),
        batch_norm,
    ),
    "batch_norm2d": (lambda: nn.BatchNorm2d(3), (2, 3, 2, 3), batch_norm),
    "batch_norm2d_in_use": (lambda: in_use(nn.BatchNorm2d(3)), (2, 3, 2, 3), batch_norm_in_use),
    "rms_norm": (lambda: nn.RMSNorm(5), (2, 3, 5), rms_norm),
    "rms_norm_axes": (lambda: nn.RMSNorm((3, 5), eps=0.1), (2, 3, 5), lambda x, p: rms_norm(x, p, (1, 2), 0.1)),
    "rms_norm_plain": (
        lambda: nn.RMSNorm(5, eps=1e-5, elementwise_affine=False),
        (3, 5),
        lambda x, p: rms_norm(x, p, eps=1e-5),
    ),
    "group_norm": (lambda: nn.GroupNorm(2, 4), (3, 4), lambda x, p: group_norm(x, p, 2)),
    "group_norm_lines": (lambda: nn.GroupNorm(4, 4, eps=0.1, bias=False), X1, lambda x, p: group_norm(x, p, 4, 0.1)),
    "group_norm_pictures": (lambda: nn.GroupNorm(2, 4, affine=False), X2, lambda x, p: group_norm(x, p, 2)),
    "instance_norm1d": (lambda: nn.InstanceNorm1d(4), X1, lambda x, p: group_norm(x, p, 4)),
    "instance_norm1d_alone": (
        lambda: nn.InstanceNorm1d(4, affine=True),
        X1[1:],
        lambda x, p: group_norm(x[None], p, 4)[0],
    ),
    "instance_norm2d": (lambda: nn.InstanceNorm2d(4, 0.1, affine=True), X2, lambda x, p: group_norm(x, p, 4, 0.1)),
    "instance_norm2d_alone": (lambda: nn.InstanceNorm2d(4).eval(), X2[1:], lambda x, p: group_norm(x[None], p, 4)[0]),
    "instance_norm1d_in_use": (
        lambda: in_use(nn.InstanceNorm1d(3, affine=True, track_running_stats=True)),
        (2, 3, 4),
        batch_norm_in_use,
    ),
    "prelu": (lambda: nn.PReLU(), (3, 4), lambda x, p: np.where(x > 0, x, p["weight"] * x)),
    "prelu_channels": (lambda: nn.PReLU(4), X2, lambda x, p: np.where(x > 0, x, channels(p["weight"], x) * x)),
    "glu": (lambda: nn.GLU(), (3, 4), lambda x, p: x[:, :2] / (1 + np.exp(-x[:, 2:]))),
    "glu_channels": (lambda: nn.GLU(1), X2, lambda x, p: x[:, :2] / (1 + np.exp(-x[:, 2:]))),
    "conv1d": (lambda: nn.Conv1d(4, 3, 2), X1, conv),
    "conv1d_options": (
        lambda: nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2, bias=False),
        X1,
        lambda x, p: conv(x, p, 2, 2, 2, 2),
    ),
    "conv1d_same": (lambda: nn.Conv1d(4, 2, 4, padding="same"), X1, lambda x, p: conv(x, p, padding=(1, 2))),
    "conv1d_valid": (lambda: nn.Conv1d(4, 2, 3, padding="valid"), X1, conv),
    "conv1d_reflect": (
        lambda: nn.Conv1d(4, 2, 3, padding=2, padding_mode="reflect"),
        X1,
        lambda x, p: conv(x, p, padding=2, mode="reflect"),
    ),
    "conv1d_replicate": (
        lambda: nn.Conv1d(4, 2, 4, padding="same", padding_mode="replicate"),
        X1,
        lambda x, p: conv(x, p, padding=(1, 2), mode="edge"),
    ),
    "conv1d_nothing_to_add": (lambda: nn.Conv1d(4, 2, 3, padding="valid", padding_mode="circular"), X1, conv),
    "conv2d": (lambda: nn.Conv2d(4, 2, (2, 3)), X2, conv),
    "conv2d_options": (
        lambda: nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4),
        X2,
        lambda x, p: conv(x, p, 2, 1, 1, 4),
    ),
    "conv2d_circular": (
        lambda: nn.Conv2d(4, 1, 3, padding=1, padding_mode="circular"),
        X2,
        lambda x, p: conv(x, p, padding=1, mode="wrap"),
    ),
    "max_pool1d": (lambda: nn.MaxPool1d(2), X1, lambda x, p: pool(x, np.max, (2,), (2,))),
    "max_pool1d_options": (
        lambda: nn.MaxPool1d(3, stride=2, padding=1),
        X1,
        lambda x, p: pool(x, np.max, (3,), (2,), (1,), -np.inf),
    ),
    "max_pool2d": (
        lambda: nn.MaxPool2d((2, 3), stride=(2, 1)),
        X2,
        lambda x, p: pool(x, np.max, (2, 3), (2, 1)),
    ),
    "avg_pool1d": (lambda: nn.AvgPool1d(3, 1, 1), X1, lambda x, p: pool(x, np.mean, (3,), (1,), (1,))),
    "avg_pool1d_uncounted": (
        lambda: nn.AvgPool1d(3, 1, 1, count_include_pad=False),
        X1,
        lambda x, p: pool(x, np.nanmean, (3,), (1,), (1,), np.nan),
    ),
    "avg_pool2d": (lambda: nn.AvgPool2d(2), X2, lambda x, p: pool(x, np.mean, (2, 2), (2, 2))),
    "conv1d_alone": (lambda: nn.Conv1d(4, 3, 2, padding=1), X1[1:], alone(lambda x, p: conv(x, p, padding=1))),
    "conv2d_alone": (
        lambda: nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"),
        X2[1:],
        alone(lambda x, p: conv(x, p, padding=1, mode="reflect")),
    ),
    "conv_transpose1d": (lambda: nn.ConvTranspose1d(4, 3, 2), X1, conv_transpose),
    "conv_transpose1d_options": (
        lambda: nn.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2, bias=False, dilation=2),
        X1,
        lambda x, p: conv_transpose(x, p, 2, 1, 2, 2, 1),
    ),
    "conv_transpose1d_alone": (lambda: nn.ConvTranspose1d(4, 3, 2), X1[1:], alone(conv_transpose)),
    "conv_transpose2d": (lambda: nn.ConvTranspose2d(4, 2, (2, 3)), X2, conv_transpose),
    "conv_transpose2d_options": (
        lambda: nn.ConvTranspose2d(4, 4, 2, stride=3, groups=4),
        X2,
        lambda x, p: conv_transpose(x, p, 3, groups=4),
    ),
    "max_pool1d_holes": (
        lambda: nn.MaxPool1d(2, stride=1, dilation=3),
        X1,
        lambda x, p: np.maximum(x[..., :-3], x[..., 3:]),
    ),
    "max_pool1d_ceil": (
        lambda: nn.MaxPool1d(3, ceil_mode=True),
        X1,
        lambda x, p: pool(np.pad(x, [(0, 0)] * 2 + [(0, 2)], constant_values=-np.inf), np.max, (3,), (3,)),
    ),
    "max_pool2d_alone": (lambda: nn.MaxPool2d(2), X2[1:], alone(lambda x, p: pool(x, np.max, (2, 2), (2, 2)))),
    "avg_pool1d_ceil": (
        lambda: nn.AvgPool1d(3, ceil_mode=True),
        X1,
        lambda x, p: pool(np.pad(x, [(0, 0)] * 2 + [(0, 2)], constant_values=np.nan), np.nanmean, (3,), (3,)),
    ),
    "avg_pool2d_divisor": (
        lambda: nn.AvgPool2d(2, divisor_override=3),
        X2,
        lambda x, p: pool(x, np.sum, (2, 2), (2, 2)) / 3,
    ),
    "adaptive_avg_pool1d": (lambda: nn.AdaptiveAvgPool1d(4), X1, lambda x, p: adaptive(x, np.mean, 4)),
    "adaptive_avg_pool2d": (lambda: nn.AdaptiveAvgPool2d((3, 4)), X2, lambda x, p: adaptive(x, np.mean, 3, 4)),
    "adaptive_avg_pool2d_one": (lambda: nn.AdaptiveAvgPool2d(1), X2, lambda x, p: adaptive(x, np.mean, 1, 1)),
    "adaptive_avg_pool2d_alone": (
        lambda: nn.AdaptiveAvgPool2d((None, 2)),
        X2[1:],
        lambda x, p: adaptive(x, np.mean, 5, 2),
    ),
    "adaptive_max_pool1d": (lambda: nn.AdaptiveMaxPool1d(9), X1, lambda x, p: adaptive(x, np.max, 9)),
    "adaptive_max_pool2d": (lambda: nn.AdaptiveMaxPool2d((2, 4)), X2, lambda x, p: adaptive(x, np.max, 2, 4)),
    "adaptive_max_pool2d_one": (lambda: nn.AdaptiveMaxPool2d(1), X2, lambda x, p: adaptive(x, np.max, 1, 1)),
    "unfold": (lambda: nn.Unfold((2, 3)), X2, lambda x, p: columns(x, (2, 3))),
    "unfold_options": (lambda: nn.Unfold(2, 1, 1, 2), X2, lambda x, p: columns(x, (2, 2), 2, 1)),
    "fold": (lambda: nn.Fold((4, 3), (2, 1)), (2, 4, 9), lambda x, p: folded(x, (4, 3), (2, 1))),
    "pixel_shuffle": (lambda: nn.PixelShuffle(2), (2, 8, 2, 3), lambda x, p: shuffled(x, 2)),
    "pixel_unshuffle": (
        lambda: nn.Sequential(nn.PixelShuffle(3), nn.PixelUnshuffle(3)),
        (9, 2, 1),
        lambda x, p: x,
    ),
    "bilinear": (
        lambda: Twice(nn.Bilinear(4, 2, 3)),
        (2, 3, 4),
        lambda x, p: np.einsum("...i,oij,...j->...o", x, p["inner.weight"], x[..., :2]) + p["inner.bias"],
    ),
    "flatten": (lambda: nn.Flatten(), X2, lambda x, p: x.reshape(2, 120)),
    "flatten_some": (lambda: nn.Flatten(-3, 2), X2, lambda x, p: x.reshape(2, 20, 6)),
    "identity": (lambda: nn.Identity(), (3, 4), lambda x, p: x),
    "sigmoid": (lambda: nn.Sigmoid(), (3, 4), each(sigmoid)),
    "log_sigmoid": (lambda: nn.LogSigmoid(), (3, 4), each(lambda x: math.log(sigmoid(x)))),
    "tanh": (lambda: nn.Tanh(), (3, 4), each(math.tanh)),
    "hardtanh": (lambda: nn.Hardtanh(-0.5, 2.0), (3, 4), each(lambda x: min(max(x, -0.5), 2.0))),
    "softsign": (lambda: nn.Softsign(), (3, 4), each(lambda x: x / (1 + abs(x)))),
    "relu": (lambda: nn.ReLU(), (3, 4), each(lambda x: max(x, 0.0))),
    "leaky_relu": (lambda: nn.LeakyReLU(0.2), (3, 4), each(lambda x: x if x > 0 else 0.2 * x)),
    "elu": (lambda: nn.ELU(0.5), (3, 4), each(lambda x: x if x > 0 else 0.5 * (math.exp(x) - 1))),
    "selu": (
        lambda: nn.SELU(),
        (3, 4),
        each(lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (math.exp(x) - 1))),
    ),
    "celu": (lambda: nn.CELU(0.5), (3, 4), each(lambda x: x if x > 0 else 0.5 * (math.exp(x / 0.5) - 1))),
    "relu6": (lambda: nn.ReLU6(), (3, 4), each(lambda x: min(max(x, 0.0), 6.0))),
    "hardsigmoid": (lambda: nn.Hardsigmoid(), (3, 4), each(lambda x: min(max(x + 3, 0.0), 6.0) / 6)),
    "hardswish": (lambda: nn.Hardswish(), (3, 4), each(lambda x: x * min(max(x + 3, 0.0), 6.0) / 6)),
    "hardshrink": (lambda: nn.Hardshrink(0.3), (3, 4), each(lambda x: x if abs(x) > 0.3 else 0.0)),
    "softshrink": (lambda: nn.Softshrink(0.3), (3, 4), each(lambda x: math.copysign(max(abs(x) - 0.3, 0.0), x))),
    "tanhshrink": (lambda: nn.Tanhshrink(), (3, 4), each(lambda x: x - math.tanh(x))),
    "threshold": (lambda: nn.Threshold(0.1, 20), (3, 4), each(lambda x: x if x > 0.1 else 20)),
    "softplus_threshold": (
        lambda: nn.Softplus(2.0, 1.0),
        (3, 4),
        each(lambda x: x if 2 * x > 1 else math.log(1 + math.exp(2 * x)) / 2),
    ),
    "softmin": (lambda: nn.Softmin(-1), (3, 4), rows_of(lambda r: np.exp(-r) / np.exp(-r).sum())),
    "softplus": (lambda: nn.Softplus(2.0), (3, 4), each(lambda x: math.log(1 + math.exp(2 * x)) / 2)),
    "silu": (lambda: nn.SiLU(), (3, 4), each(lambda x: x * sigmoid(x))),
    "mish": (lambda: nn.Mish(), (3, 4), each(lambda x: x * math.tanh(math.log(1 + math.exp(x))))),
    "gelu": (lambda: nn.GELU(), (3, 4), each(lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2)),
    "gelu_tanh": (
        lambda: nn.GELU("tanh"),
        (3, 4),
        each(lambda x: x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    ),
    "softmax": (lambda: nn.Softmax(-1), (3, 4), rows_of(lambda r: np.exp(r) / np.exp(r).sum())),
    "log_softmax": (lambda: nn.LogSoftmax(1), (3, 4), rows_of(lambda r: r - np.log(np.exp(r).sum()))),
}
ACTIVATIONS = [name for name, (_, shape, _) in LAYERS.items() if shape == (3, 4) and "norm" not in name]


def built(name):
    """A layer with parameters unlike those it starts from, and an input without ties."""
    layer, rng = LAYERS[name][0](), np.random.default_rng(len(name))
    for p in layer.parameters():
        p.data[...] = rng.normal(size=p.shape)
    return layer, rng.normal(size=LAYERS[name][1]) * 1.5


@pytest.mark.parametrize("name", LAYERS)
def test_layers_equal_their_definition(name):
    layer, x = built(name)
    expected = LAYERS[name][2](x, {path: p.data for path, p in layer.named_parameters()})
    for y in (layer(x), layer(Value(x)).data):
        assert np.shape(y) == expected.shape
        np.testing.assert_allclose(getattr(y, "data", y), expected, rtol=1e-13, atol=1e-13)


def as_function(layer):
    """The layer as a function of x and its parameters, and the parameters' numbers."""
    paths = [path for path, _ in layer.named_parameters()]

    def f(x, *parameters):
        return nn.functional_call(layer, dict(zip(paths, parameters, strict=True)), x)

    return f, [p.data for p in layer.parameters()]


@pytest.mark.parametrize("name", LAYERS)
def test_layers_have_the_right_derivatives_of_both_orders(name):
    layer, x = built(name)
    f, parameters = as_function(layer)
    report = check_gradients(f, x, *parameters, order=2)
    assert report.compared == x.size + sum(p.size for p in parameters)
    assert not report.inconclusive


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_the_input_may_change_before_backward(name, large, monkeypatch):
    layer, x = built(name)
    parameters = list(layer.parameters())
    if not parameters:
        return
    layer(x).sum().backward()
    expected = [p.grad for p in parameters]
    layer, x = built(name)
    if large:
        monkeypatch.setattr(snapshots, "limit", 0)
    y = layer(x).sum()
    x *= 3.75
    refused = ""
    try:
        y.backward()
    except GraphError as error:
        refused = str(error)
    if refused:
        assert large
        assert "was changed after the call" in refused
    else:
        assert all(np.array_equal(p.grad, g) for p, g in zip(layer.parameters(), expected, strict=True))


@pytest.mark.parametrize("name", LAYERS)
def test_float32_stays(name):
    layer, x = built(name)
    layer.astype(np.float32)
    x = Value(x.astype(np.float32))
    y = layer(x)
    assert y.dtype == np.float32
    y.sum().backward()
    for v in (x, *layer.parameters()):
        assert v.grad.dtype == np.float32
    assert all(b.dtype == np.float32 for path, b in layer.named_buffers() if "running" in path)


@pytest.mark.parametrize(
    "build",
    [
        lambda t: nn.LayerNorm(3, dtype=t),
        lambda t: nn.BatchNorm1d(3, dtype=t),
        lambda t: nn.BatchNorm2d(3, dtype=t),
        lambda t: nn.Conv1d(3, 3, 3, dtype=t),
        lambda t: nn.Conv2d(3, 3, 3, dtype=t),
        lambda t: nn.ConvTranspose1d(3, 3, 3, dtype=t),
        lambda t: nn.ConvTranspose2d(3, 3, 3, dtype=t),
        lambda t: nn.Bilinear(3, 3, 3, dtype=t),
        lambda t: nn.LSTMCell(3, 3, dtype=t),
        lambda t: nn.Embedding(3, 3, 1, dtype=t),
        lambda t: nn.Perceptron(3, dtype=t),
        lambda t: nn.PReLU(dtype=t),
        lambda t: nn.RMSNorm(3, dtype=t),
        lambda t: nn.GroupNorm(1, 3, dtype=t),
        lambda t: nn.InstanceNorm2d(3, affine=True, track_running_stats=True, dtype=t),
    ],
)
def test_layers_are_built_in_a_dtype_and_keep_it(build):
    layer = build(np.float32)
    assert {p.dtype for p in layer.parameters()} == {np.dtype(np.float32)}
    assert all(b.dtype == np.float32 for path, b in layer.named_buffers() if "running" in path)
    assert {p.dtype for p in build(float).parameters()} == {np.dtype(float)}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("size", [40.0, 1e4, 1e30])
def test_activations_are_finite_far_out(name, size):
    x = Value(np.array([[-size, -size / 2, size / 2, size]]))
    y = LAYERS[name][0]()(x)
    y.sum().backward()
    assert np.all(np.isfinite(y.data))
    assert np.all(np.isfinite(x.grad))


# -- What layers are made of ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "paths"),
    [
        (nn.LayerNorm(3), ["weight", "bias"]),
        (nn.LayerNorm(3, bias=False), ["weight"]),
        (nn.LayerNorm(3, elementwise_affine=False), []),
        (nn.BatchNorm1d(3), ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]),
        (nn.BatchNorm2d(3, affine=False), ["running_mean", "running_var", "num_batches_tracked"]),
        (nn.BatchNorm2d(3, track_running_stats=False), ["weight", "bias"]),
        (nn.Conv1d(1, 2, 3), ["weight", "bias"]),
        (nn.Conv2d(1, 2, 3, bias=False), ["weight"]),
        (nn.ConvTranspose1d(1, 2, 3), ["weight", "bias"]),
        (nn.Bilinear(1, 2, 3), ["weight", "bias"]),
        (nn.GRUCell(1, 2), ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]),
        (nn.RNNCell(1, 2, bias=False), ["weight_ih", "weight_hh"]),
        (nn.Embedding(3, 2), ["weight"]),
        (nn.Perceptron(3), ["weight", "bias"]),
        (nn.PReLU(3), ["weight"]),
        (nn.RMSNorm(3), ["weight"]),
        (nn.RMSNorm(3, elementwise_affine=False), []),
        (nn.GroupNorm(1, 3), ["weight", "bias"]),
        (nn.GroupNorm(1, 3, bias=False), ["weight"]),
        (nn.InstanceNorm1d(3), []),
        (
            nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
            ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"],
        ),
        (nn.MaxPool2d(2), []),
        (nn.GELU(), []),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(2, 1)),
            ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"]
            + ["4.weight", "4.bias"],
        ),
    ],
)
def test_paths_are_pytorchs(layer, paths):
    assert list(layer.state_dict()) == paths


@pytest.mark.parametrize(
    ("layer", "shown"),
    [
        (nn.LayerNorm(3), "LayerNorm(3, eps=1e-05)"),
        (nn.LayerNorm((2, 3), bias=False), "LayerNorm((2, 3), eps=1e-05, bias=False)"),
        (nn.LayerNorm(3, elementwise_affine=False), "LayerNorm(3, eps=1e-05, elementwise_affine=False)"),
        (nn.BatchNorm1d(3, momentum=None), "BatchNorm1d(3, eps=1e-05, momentum=None)"),
        (nn.BatchNorm1d(3, affine=False), "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=False)"),
        (nn.Conv1d(4, 2, 3), "Conv1d(4, 2, kernel_size=3)"),
        (
            nn.Conv2d(4, 2, (3, 1), 2, "valid", groups=2, bias=False),
            "Conv2d(4, 2, kernel_size=(3, 1), stride=2, padding='valid', groups=2, bias=False)",
        ),
        (
            nn.Conv1d(4, 2, 3, padding=1, dilation=2, padding_mode="reflect"),
            "Conv1d(4, 2, kernel_size=3, padding=1, dilation=2, padding_mode='reflect')",
        ),
        (nn.MaxPool2d(2), "MaxPool2d(kernel_size=2, stride=2)"),
        (nn.MaxPool1d(2, dilation=2, ceil_mode=True), "MaxPool1d(kernel_size=2, stride=2, dilation=2, ceil_mode=True)"),
        (nn.AvgPool2d(2, divisor_override=3), "AvgPool2d(kernel_size=2, stride=2, divisor_override=3)"),
        (nn.AdaptiveAvgPool2d((None, 3)), "AdaptiveAvgPool2d(output_size=(None, 3))"),
        (nn.AdaptiveMaxPool1d(2), "AdaptiveMaxPool1d(output_size=2)"),
        (
            nn.ConvTranspose2d(4, 2, 3, 2, output_padding=(1, 0), bias=False),
            "ConvTranspose2d(4, 2, kernel_size=3, stride=2, output_padding=(1, 0), bias=False)",
        ),
        (nn.Unfold((2, 1), padding=1), "Unfold(kernel_size=(2, 1), dilation=1, padding=1, stride=1)"),
        (nn.Fold(4, 2), "Fold(output_size=4, kernel_size=2, dilation=1, padding=0, stride=1)"),
        (nn.PixelShuffle(2), "PixelShuffle(upscale_factor=2)"),
        (nn.PixelUnshuffle(3), "PixelUnshuffle(downscale_factor=3)"),
        (nn.Bilinear(2, 3, 4, bias=False), "Bilinear(2, 3, 4, bias=False)"),
        (nn.RNNCell(2, 3, bias=False, nonlinearity="relu"), "RNNCell(2, 3, bias=False, nonlinearity='relu')"),
        (nn.AvgPool2d((3, 2), padding=1), "AvgPool2d(kernel_size=(3, 2), stride=(3, 2), padding=1)"),
        (nn.AvgPool1d(2, count_include_pad=False), "AvgPool1d(kernel_size=2, stride=2, count_include_pad=False)"),
        (nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"),
        (nn.Embedding(5, 2, -1), "Embedding(5, 2, padding_idx=4)"),
        (nn.Perceptron(3), "Perceptron(3, 1)"),
        (nn.LeakyReLU(), "LeakyReLU(negative_slope=0.01)"),
        (nn.ReLU(), "ReLU()"),
        (nn.Softplus(), "Softplus(beta=1.0, threshold=20.0)"),
        (nn.Threshold(0.1, value=20), "Threshold(threshold=0.1, value=20)"),
        (nn.GELU("tanh"), "GELU(approximate='tanh')"),
        (nn.PReLU(3), "PReLU(num_parameters=3)"),
        (nn.RMSNorm((2, 3), elementwise_affine=False), "RMSNorm((2, 3), eps=None, elementwise_affine=False)"),
        (nn.GroupNorm(2, 4), "GroupNorm(2, 4, eps=1e-05)"),
        (nn.GroupNorm(2, 4, affine=False), "GroupNorm(2, 4, eps=1e-05, affine=False)"),
        (nn.InstanceNorm1d(3), "InstanceNorm1d(3, eps=1e-05, momentum=0.1)"),
        (nn.InstanceNorm1d(3, affine=True), "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=True)"),
        (nn.Softmax(dim=0), "Softmax(dim=0)"),
    ],
)
def test_layers_show_what_they_are(layer, shown):
    assert repr(layer) == shown


@pytest.mark.parametrize(
    ("layer", "bound"),
    [
        (lambda rng: nn.Conv1d(8, 40, 5, groups=2, rng=rng), 1 / math.sqrt(4 * 5)),
        (lambda rng: nn.Conv2d(3, 60, (2, 3), rng=rng), 1 / math.sqrt(3 * 2 * 3)),
        (lambda rng: nn.ConvTranspose2d(60, 8, (2, 3), groups=2, rng=rng), 1 / math.sqrt(4 * 2 * 3)),
        (lambda rng: nn.Bilinear(9, 20, 60, rng=rng), 1 / 3),
    ],
)
def test_convolutions_start_uniform_within_their_bound(layer, bound):
    w, b = layer(0).parameters()
    for numbers, least in ((w.data, 0.99), (b.data, 0.9)):
        assert least * bound < np.abs(numbers).max() < bound
    assert w.data.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert np.array_equal(layer(0).weight.data, w.data)
    assert not np.array_equal(layer(1).weight.data, w.data)


# -- Batch norm's running statistics -------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.1, 0.5, 1.0, 0.0, None])
@pytest.mark.parametrize(("build", "shape"), [(nn.BatchNorm1d, (5, 2)), (nn.BatchNorm2d, (3, 2, 2, 4))])
def test_running_statistics_follow_the_batches(build, shape, momentum):
    layer, rng = build(2, momentum=momentum), np.random.default_rng(0)
    buffers = dict(layer.named_buffers())
    mean, var = np.zeros(2), np.ones(2)
    for t in range(1, 5):
        x = rng.normal(3.0, 2.0, shape)
        layer(Value(x)) if t % 2 else layer(x)
        share = 1 / t if momentum is None else momentum
        flat = np.moveaxis(x, 1, 0).reshape(2, -1)
        mean = (1 - share) * mean + share * flat.mean(1)
        var = (1 - share) * var + share * flat.var(1, ddof=1)
    for name, expected in (("running_mean", mean), ("running_var", var), ("num_batches_tracked", 4)):
        np.testing.assert_allclose(getattr(layer, name), expected, rtol=1e-13)
        assert getattr(layer, name) is buffers[name]  # in place
    before = layer.state_dict()
    layer.eval()(rng.normal(size=shape))
    assert all(np.array_equal(before[path], b) for path, b in layer.named_buffers())


def test_functional_call_leaves_running_statistics_alone():
    layer = nn.BatchNorm1d(2)
    nn.functional_call(layer, {"weight": np.full(2, 2.0)}, np.arange(6.0).reshape(3, 2))
    assert layer.num_batches_tracked == 0
    assert not layer.running_mean.any()


def test_batch_norm_forgets_the_scale_of_what_it_gets():
    x = np.random.default_rng(0).normal(size=(8, 2))
    layer = nn.BatchNorm1d(2, eps=0.0)
    np.testing.assert_allclose(layer(x).data, layer(1e3 * x + 5).data, rtol=1e-9)
    constant = Value(np.full((4, 2), 7.0))
    y = nn.BatchNorm1d(2)(constant)
    y.sum().backward()
    assert not y.data.any()
    assert np.all(np.isfinite(constant.grad))


@pytest.mark.parametrize("by_file", [False, True])
def test_buffers_are_saved_and_loaded(by_file, tmp_path):
    one, two = (nn.Sequential(nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3)) for _ in range(2))
    x = np.random.default_rng(0).normal(size=(4, 1, 3, 3))
    for _ in range(3):
        one(x)
    if by_file:
        nn.save(one, tmp_path / "model.safetensors")
        nn.load(two, tmp_path / "model.safetensors")
    else:
        two.load_state_dict(one.state_dict())
    assert two[1].num_batches_tracked == 3
    assert two[1].num_batches_tracked.dtype == one[1].num_batches_tracked.dtype
    np.testing.assert_array_equal(two.eval()(x).data, one.eval()(x).data)


# -- Embedding -----------------------------------------------------------------------------------------------------------


def test_embedding_looks_up_rows_and_adds_their_gradients():
    layer = nn.Embedding(5, 3, rng=0)
    words = np.array([[0, 4], [4, 2]])
    y = layer(words)
    np.testing.assert_array_equal(y.data, layer.weight.data[words])
    (y * np.arange(12.0).reshape(2, 2, 3)).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad[:, 0], [0, 0, 9, 0, 3 + 6])
    report = check_gradients(
        lambda w: nn.functional_call(layer, {"weight": w}, words), layer.weight.data, order=2, mode="full"
    )
    assert report.compared == 15
    many = nn.Embedding(1000, 50, rng=0).weight.data
    assert abs(many.mean()) < 0.02
    assert many.std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("padding_idx", [1, -4])
def test_the_padding_row_is_zero_and_gets_no_gradient(padding_idx):
    plain, padded = nn.Embedding(5, 3, rng=0), nn.Embedding(5, 3, padding_idx, rng=0)
    assert not padded.weight.data[1].any()
    plain.weight.data[1] = padded.weight.data[1] = 7.0  # a row that was loaded is used as it is
    words = np.array([1, 3, 1, 0])
    for layer in (plain, padded):
        y = layer(words)
        np.testing.assert_array_equal(y.data, plain.weight.data[words])
        y.square().sum().backward()
    assert plain.weight.grad[1].all()
    plain.weight.grad[1] = 0
    np.testing.assert_array_equal(padded.weight.grad, plain.weight.grad)

    def others(w):  # w: the rows but the padding's
        return nn.functional_call(padded, {"weight": np.concatenate([w[:1], padded.weight.data[1:2], w[1:]])}, words)

    assert check_gradients(others, padded.weight.data[[0, 2, 3, 4]], order=2).compared == 12


# -- Perceptron ----------------------------------------------------------------------------------------------------------

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
AND, OR, NAND, XOR = [0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0], [0, 1, 1, 0]


@pytest.mark.parametrize(("w", "b", "gate"), [((1, 1), -2, AND), ((1, 1), -1, OR), ((-2, -2), 3, NAND)])
def test_a_perceptron_is_a_gate(w, b, gate):
    unit = nn.Perceptron(2)
    unit.load_state_dict({"weight": [w], "bias": [b]})
    np.testing.assert_array_equal(unit(CORNERS).data[:, 0], gate)
    x = Value(CORNERS)
    unit(x).sum().backward()
    assert not np.any(x.grad)


def test_two_layers_of_gates_are_exclusive_or():
    hidden, last = nn.Perceptron(2, 2), nn.Perceptron(2)
    hidden.load_state_dict({"weight": [[1, 1], [-2, -2]], "bias": [-1, 3]})
    last.load_state_dict({"weight": [[1, 1]], "bias": [-2]})
    np.testing.assert_array_equal(nn.Sequential(hidden, last)(CORNERS).data[:, 0], XOR)


def test_rosenblatts_rule_by_hand():
    unit = nn.Perceptron(2)
    assert unit.learn([[1.0, 2.0], [3.0, -1.0]], [0, 1], epochs=1, lr=0.5) == [2]
    # the first is answered 1 at 0, so W = -(1, 2) / 2 and b = -1/2; the second then 0, as -1.5 + 1 - 0.5 < 0
    np.testing.assert_array_equal(unit.weight.data, [[1.0, -1.5]])
    np.testing.assert_array_equal(unit.bias.data, [0.0])


@pytest.mark.parametrize("lr", [1.0, 0.1])
def test_a_perceptron_learns_what_a_plane_separates(lr):
    unit = nn.Perceptron(2, 3)
    mistakes = unit.learn(CORNERS, np.array([AND, OR, NAND]).T, lr=lr)
    assert mistakes[-1] == 0
    assert len(mistakes) < 15
    np.testing.assert_array_equal(unit(CORNERS).data.T, [AND, OR, NAND])
    assert unit.learn(CORNERS, np.array([AND, OR, NAND]).T) == [0]
    assert 0 not in nn.Perceptron(2).learn(CORNERS, XOR, epochs=50)


# -- Wrong use -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: nn.LayerNorm(0), ShapeError, r"LayerNorm: got normalized_shape=0, expected an integer from 1 on, or"),
        (lambda: nn.LayerNorm(()), ShapeError, r"normalized_shape=\(\)"),
        (lambda: nn.LayerNorm((3, 2.0)), ShapeError, r"normalized_shape=\(3, 2.0\)"),
        (lambda: nn.LayerNorm(3, eps=-1), TinygradError, "LayerNorm: got eps=-1, expected a number from 0 on"),
        (lambda: nn.BatchNorm1d(0), ShapeError, "BatchNorm1d: got num_features=0, expected an integer from 1 on"),
        (lambda: nn.BatchNorm2d(True), ShapeError, "BatchNorm2d: got num_features=True"),
        (lambda: nn.BatchNorm2d(3, momentum=1.5), TinygradError, "BatchNorm2d: got momentum=1.5, expected"),
        (lambda: nn.BatchNorm1d(3, eps=-1), TinygradError, "BatchNorm1d: got eps=-1"),
        (lambda: nn.Conv1d(0, 2, 3), ShapeError, "Conv1d: got in_channels=0"),
        (lambda: nn.Conv1d(2, 2.0, 3), ShapeError, "Conv1d: got out_channels=2.0"),
        (lambda: nn.Conv2d(2, 2, (3, 3, 3)), ShapeError, r"Conv2d: got kernel_size=\(3, 3, 3\), .* a tuple of 2"),
        (lambda: nn.Conv2d(2, 2, 3, stride=0), ShapeError, "Conv2d: got stride=0"),
        (lambda: nn.Conv2d(2, 2, 3, dilation=0), ShapeError, "Conv2d: got dilation=0"),
        (lambda: nn.Conv2d(2, 2, 3, padding=-1), ShapeError, "Conv2d: got padding=-1, expected an integer from 0 on"),
        (lambda: nn.Conv2d(2, 2, 3, padding="full"), ShapeError, "Conv2d: got padding='full'"),
        (lambda: nn.Conv1d(2, 2, 3, 2, "same"), ShapeError, "padding='same' with stride=2, expected stride=1"),
        (lambda: nn.Conv1d(3, 4, 3, groups=2), ShapeError, "in_channels=3, out_channels=4 and groups=2, expected"),
        (lambda: nn.Conv1d(4, 3, 3, groups=2), ShapeError, "in_channels=4, out_channels=3 and groups=2, expected"),
        (lambda: nn.Conv1d(2, 2, 3, groups=0), ShapeError, "Conv1d: got groups=0"),
        (
            lambda: nn.Conv1d(2, 2, 3, padding_mode="wrap"),
            TinygradError,
            "padding_mode='wrap', expected one of 'zeros'",
        ),
        (lambda: nn.MaxPool1d(0), ShapeError, "MaxPool1d: got kernel_size=0"),
        (lambda: nn.AvgPool2d(2, stride=(1,)), ShapeError, r"AvgPool2d: got stride=\(1,\)"),
        (lambda: nn.MaxPool2d(2, padding=2), ShapeError, "padding=2 and kernel_size=2, expected a padding of at most"),
        (lambda: nn.Linear(3.0, 2), ShapeError, "Linear: got in_features=3.0, expected an integer from 1 on"),
        (lambda: nn.Linear(-1, 2), ShapeError, "Linear: got in_features=-1"),
        (lambda: nn.Linear(2, 0), ShapeError, "Linear: got out_features=0"),
        (
            lambda: nn.MLP((3, 2), output=nn.Sigmoid()),
            TinygradError,
            r"got the module Sigmoid\(\) as output, expected its class",
        ),
        (lambda: nn.MLP((3, 2.5, 1)), ShapeError, "Linear: got out_features=2.5"),
        (lambda: nn.Dropout("a"), TinygradError, "Dropout: got p='a', expected a probability from 0 to 1"),
        (lambda: nn.Dropout(1.5), TinygradError, "Dropout: got p=1.5, expected a probability from 0 to 1"),
        (lambda: nn.ELU("a"), TinygradError, "ELU: got alpha='a', expected a real number"),
        (lambda: nn.LeakyReLU(None), TinygradError, "LeakyReLU: got negative_slope=None"),
        (lambda: nn.Hardtanh("a"), TinygradError, "Hardtanh: got min_val='a'"),
        (lambda: nn.Softplus("a"), TinygradError, "Softplus: got beta='a'"),
        (lambda: nn.LayerNorm(3, eps="a"), TinygradError, "LayerNorm: got eps='a'"),
        (lambda: nn.BatchNorm1d(3, momentum="a"), TinygradError, "BatchNorm1d: got momentum='a'"),
        (lambda: nn.init.trunc_normal((3,), 0, 1, 0, 0, 1e-12), TinygradError, "at least one in 1,000 numbers between"),
        (lambda: nn.init.trunc_normal((3,), 0, 0, 0), TinygradError, "std=0, .*; expected std > 0"),
        (lambda: nn.RMSNorm(0), ShapeError, "RMSNorm: got normalized_shape=0"),
        (lambda: nn.RMSNorm(3, eps=-1), TinygradError, "RMSNorm: got eps=-1, expected a number from 0 on"),
        (lambda: nn.GroupNorm(0, 4), ShapeError, "GroupNorm: got num_groups=0"),
        (lambda: nn.GroupNorm(3, 4), ShapeError, "got num_groups=3 and num_channels=4, expected groups of equal size"),
        (lambda: nn.InstanceNorm1d(0), ShapeError, "InstanceNorm1d: got num_features=0"),
        (lambda: nn.InstanceNorm2d(3, momentum=2), TinygradError, "InstanceNorm2d: got momentum=2"),
        (lambda: nn.PReLU(0), ShapeError, "PReLU: got num_parameters=0"),
        (lambda: nn.PReLU(1, "a"), TinygradError, "PReLU: got init='a'"),
        (lambda: nn.CELU(0), TinygradError, "CELU: got alpha=0, expected a number > 0"),
        (lambda: nn.Softshrink(-1), TinygradError, "Softshrink: got lambd=-1, expected a number from 0 on"),
        (lambda: nn.Hardshrink("a"), TinygradError, "Hardshrink: got lambd='a', expected a real number"),
        (lambda: nn.Threshold(0.1), DTypeError, "Threshold: got no value; it takes threshold, value"),
        (lambda: nn.Softmax(), DTypeError, "Softmax: got no dim; it takes dim"),
        (lambda: nn.Softmin(0.5), TinygradError, "Softmin: got dim=0.5, expected an integer"),
        (lambda: nn.GLU(None), TinygradError, "GLU: got dim=None, expected an integer"),
        (lambda: nn.ReLU(1), TinygradError, r"^ReLU: got too many arguments without a name.* as in ReLU\(\)\(input\)$"),
        (lambda: nn.Embedding(0, 3), ShapeError, "Embedding: got num_embeddings=0"),
        (
            lambda: nn.Embedding(3, 2, "a"),
            ShapeError,
            "Embedding: got padding_idx='a', expected an integer from -3 to 2",
        ),
        (lambda: nn.Embedding(3, -1), ShapeError, "Embedding: got embedding_dim=-1"),
        (lambda: nn.Embedding(3, 2, 3), ShapeError, "Embedding: got padding_idx=3, expected an integer from -3 to 2"),
        (lambda: nn.Embedding(3, 2, -4), ShapeError, "Embedding: got padding_idx=-4, expected an integer from -3 to 2"),
        (lambda: nn.Perceptron(0), ShapeError, "Perceptron: got in_features=0"),
        (lambda: nn.Hardtanh(1, 1), TinygradError, "Hardtanh: got min_val=1 and max_val=1"),
        (lambda: nn.Softplus(0), TinygradError, "Softplus: got beta=0"),
        (lambda: nn.GELU("erf"), TinygradError, "GELU: got approximate='erf', expected one of 'none', 'tanh'"),
        (
            lambda: nn.LayerNorm(3)(np.ones((3, 2))),
            ShapeError,
            r"input of shape \(3, 2\), expected its last axes to be",
        ),
        (lambda: nn.LayerNorm(1)(np.ones((3, 2))), ShapeError, r"input of shape \(3, 2\)"),
        (lambda: nn.LayerNorm((2, 3))(np.ones(3)), ShapeError, r"input of shape \(3,\)"),
        (lambda: nn.BatchNorm1d(3)(np.ones((2, 2))), ShapeError, r"shape \(2, 2\), expected \(N, 3\) or \(N, 3, L\)"),
        (lambda: nn.BatchNorm1d(3)(np.ones(3)), ShapeError, r"BatchNorm1d: got an input of shape \(3,\)"),
        (lambda: nn.BatchNorm2d(3)(np.ones((2, 3))), ShapeError, r"shape \(2, 3\), expected \(N, 3, H, W\)"),
        (lambda: nn.BatchNorm1d(3)(np.ones((1, 3))), ShapeError, r"more than one number a channel .* call eval\(\)"),
        (lambda: nn.BatchNorm2d(3)(np.ones((1, 3, 1, 1))), ShapeError, "more than one number a channel"),
        (lambda: nn.BatchNorm1d(3)(np.ones((0, 3))), ShapeError, "more than one number a channel"),
        (
            lambda: nn.BatchNorm1d(3, track_running_stats=False).eval()(np.ones((1, 3))),
            ShapeError,
            "more than one number a channel",
        ),
        (lambda: nn.Conv2d(2, 2, 3)(np.ones((5, 5))), ShapeError, r"conv2d: got x of shape \(5, 5\)"),
        (
            lambda: nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect")(np.ones((5, 5))),
            ShapeError,
            r"conv2d: got x of shape \(5, 5\)",
        ),
        (lambda: nn.ConvTranspose1d(2, 2, 3)(np.ones((1, 3, 5))), ShapeError, r"conv_transpose1d: got x \(1, 3, 5\)"),
        (
            lambda: nn.ConvTranspose1d(2, 2, 3, output_padding=1),
            ShapeError,
            "ConvTranspose1d: got output_padding=1 and stride=1, expected an output_padding of less than stride",
        ),
        (
            lambda: nn.ConvTranspose2d(2, 2, 3, 2)(np.ones((2, 4, 4)), (9, 11)),
            ShapeError,
            r"ConvTranspose2d: got output_size=\(9, 11\) and x of shape \(2, 4, 4\), expected a size from \(9, 9\) to \(10, 10\)",
        ),
        (
            lambda: nn.ConvTranspose1d(4, 3, 2, groups=2),
            ShapeError,
            "expected groups to divide both numbers of channels",
        ),
        (
            lambda: nn.AdaptiveAvgPool2d(0),
            ShapeError,
            "AdaptiveAvgPool2d: got output_size=0, expected an integer from 1 on",
        ),
        (
            lambda: nn.AdaptiveMaxPool1d((2, 2)),
            ShapeError,
            r"AdaptiveMaxPool1d: got output_size=\(2, 2\), expected .* tuple of 1",
        ),
        (
            lambda: nn.AdaptiveMaxPool2d(2)(np.ones((4, 4))),
            ShapeError,
            r"adaptive_max_pool2d: got an input of shape \(4, 4\), expected \(batch, channels, height, width\)",
        ),
        (lambda: nn.AvgPool2d(2, divisor_override=0), ShapeError, "AvgPool2d: got divisor_override=0"),
        (
            lambda: nn.MaxPool2d(2, return_indices=True),
            DTypeError,
            "MaxPool2d: got return_indices=; it takes kernel_size, ",
        ),
        (
            lambda: nn.functional.max_pool2d(np.ones((1, 2, 2)), 2, return_indices=True),
            UnsupportedError,
            "max_pool2d: got return_indices=True, which is not there; leave it out",
        ),
        (
            lambda: nn.Unfold(3)(np.ones((2, 2, 2))),
            ShapeError,
            r"unfold: the kernel spans \(3, 3\), the padded x only \(2, 2\)",
        ),
        (
            lambda: nn.Fold(4, 2)(np.ones((2, 8, 8))),
            ShapeError,
            r"fold: got x of shape \(2, 8, 8\), expected \(batch, channels · 4, 9\)",
        ),
        (
            lambda: nn.PixelShuffle(2)(np.ones((3, 2, 2))),
            ShapeError,
            r"pixel_shuffle: got upscale_factor=2 and an input of shape \(3, 2, 2\), expected channels that are a multiple of 4",
        ),
        (
            lambda: nn.PixelUnshuffle(2)(np.ones((3, 2, 3))),
            ShapeError,
            "expected height and width that are multiples of 2",
        ),
        (lambda: nn.PixelShuffle(2)(np.ones((2, 3))), ShapeError, r"pixel_shuffle: got an input of shape \(2, 3\)"),
        (
            lambda: nn.Bilinear(2, 3, 4)(np.ones((5, 2)), np.ones((4, 3))),
            ShapeError,
            r"bilinear: got inputs of shape \(5, 2\) and \(4, 3\) and a weight of shape \(4, 2, 3\)",
        ),
        (
            lambda: nn.functional.bilinear(np.ones(2), np.ones(3), np.ones((4, 2, 3)), np.ones(3)),
            ShapeError,
            r"bilinear: got a bias of shape \(3,\), expected \(4,\)",
        ),
        (lambda: nn.functional.pad(np.ones(3), (1,)), ShapeError, r"pad: got pad=\(1,\) and an input of shape \(3,\)"),
        (lambda: nn.functional.pad(np.ones(3), (1, 1, 1, 1)), ShapeError, "before and after for each of the last axes"),
        (lambda: nn.functional.pad(np.ones(3), (-2, -2)), ShapeError, "which has fewer numbers to remove"),
        (
            lambda: nn.functional.pad(np.ones(3), (1, 1), "zeros"),
            TinygradError,
            "got mode='zeros', expected one of 'constant'",
        ),
        (
            lambda: nn.functional.pad(np.ones(3), (1, 1), "reflect", 2.0),
            TinygradError,
            "a value with mode='constant' only",
        ),
        (lambda: nn.Conv1d(2, 2, 3)(np.ones((1, 3, 5))), ShapeError, r"conv1d: got x \(1, 3, 5\)"),
        (lambda: nn.Conv1d(2, 2, 3)(np.ones((1, 2, 2))), ShapeError, "use a smaller kernel or pad more"),
        (lambda: nn.MaxPool1d(2)(np.ones(4)), ShapeError, r"max_pool1d: got x of shape \(4,\)"),
        (lambda: nn.Flatten()(np.ones(3)), ShapeError, r"start_dim=1, end_dim=-1 and an input of shape \(3,\)"),
        (lambda: nn.Flatten(2, 1)(np.ones((2, 2, 2))), ShapeError, "expected axes that it has, in this order"),
        (lambda: nn.Embedding(3, 2)([3]), IndexError, "embedding"),
        (lambda: nn.Embedding(3, 2, 0)([-1]), IndexError, "embedding"),
        (lambda: nn.Embedding(3, 2, 0)([0.5]), DTypeError, "embedding"),
        (lambda: nn.Softmax(2)(np.ones((2, 2))), ShapeError, "softmax"),
        (
            lambda: nn.GLU()(np.ones((2, 3))),
            ShapeError,
            r"glu: got dim=-1 and an input of shape \(2, 3\), expected an axis of even",
        ),
        (
            lambda: nn.PReLU(3)(np.ones((2, 4))),
            ShapeError,
            r"prelu: got an input of shape \(2, 4\) and a weight of shape \(3,\)",
        ),
        (
            lambda: nn.RMSNorm(3)(np.ones((3, 2))),
            ShapeError,
            r"rms_norm: got an input of shape \(3, 2\), expected its last axes",
        ),
        (lambda: nn.GroupNorm(2, 4)(np.ones((3, 2))), ShapeError, r"shape \(3, 2\), expected \(N, 4, ...\)"),
        (lambda: nn.InstanceNorm1d(3)(np.ones((2, 2))), ShapeError, r"expected \(3, L\) or \(N, 3, L\)"),
        (lambda: nn.InstanceNorm2d(3)(np.ones((2, 3))), ShapeError, r"expected \(3, H, W\) or \(N, 3, H, W\)"),
        (lambda: nn.InstanceNorm1d(3)(np.ones((2, 3, 1))), ShapeError, "more than one number a channel"),
        (lambda: nn.Perceptron(2)(np.ones(3)), ShapeError, "linear"),
        (
            lambda: nn.Perceptron(2, 2).learn(CORNERS, AND),
            ShapeError,
            r"Perceptron.learn: got examples \(4, 2\) and answers \(4,\), expected \(n, 2\) and \(n, 2\)",
        ),
        (lambda: nn.Perceptron(2).learn(CORNERS, [0, 1]), ShapeError, r"answers \(2, 1\), expected \(n, 2\) and"),
        (lambda: nn.Perceptron(2).learn(CORNERS, [-1, 1, 1, 1]), TinygradError, "got the answer -1, expected 0 or 1"),
    ],
)
def test_wrong_use_is_named(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_a_refused_batch_leaves_the_running_statistics():
    layer = nn.BatchNorm1d(2)
    with pytest.raises(ShapeError):
        layer(np.ones((1, 2)))
    assert layer.num_batches_tracked == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float16])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_adaptive_pools_take_all_numbers(dtype, size):
    x = np.arange(10).reshape(2, 5).astype(dtype)
    for layer, how in ((nn.AdaptiveMaxPool1d(size), np.max), (nn.AdaptiveAvgPool1d(size), np.mean)):
        y = layer(x)
        assert y.dtype.kind == "f"
        np.testing.assert_allclose(y, adaptive(x.astype(float), how, size), rtol=1e-3)


def test_of_equal_numbers_the_first_gets_the_gradient_of_an_adaptive_pool():
    for size, expected in (
        (1, [0, 1, 0, 0, 0]),
        (2, [0, 1, 1, 0, 0]),
        (5, [1, 1, 1, 1, 1]),
    ):  # windows share the middle one
        x = Value(np.array([[1.0, 3.0, 3.0, 3.0, 3.0]]))
        nn.AdaptiveMaxPool1d(size)(x).sum().backward()
        assert x.grad.tolist() == [expected]


def test_numbers_that_are_not_finite_stay_in_their_windows():
    x = np.array([[1.0, np.inf, 3.0, 4.0, 5.0, np.nan, 2.0]])
    np.testing.assert_array_equal(nn.AdaptiveAvgPool1d(3)(x), [[np.inf, 4.0, np.nan]])
    np.testing.assert_array_equal(nn.AdaptiveMaxPool1d(3)(x), [[np.inf, 5.0, np.nan]])
    np.testing.assert_array_equal(nn.Unfold(1)(x[None]), x)


@pytest.mark.parametrize(
    "layer", [nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(3), nn.AdaptiveMaxPool2d(1), nn.Unfold(2), nn.PixelShuffle(2)]
)
def test_layers_of_images_take_an_empty_batch(layer):
    x = Value(np.zeros((0, 4, 4, 4)))
    y = layer(x)
    assert y.shape[0] == 0
    y.sum().backward()
    assert x.grad.shape == x.shape


def test_an_output_size_is_one_of_those_that_the_stride_allows():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, rng=0)
    down = nn.Conv2d(3, 2, 3, stride=2, padding=1)
    for size in ((7, 8), (8, 7)):
        x = np.ones((1, 2, 4, 4))
        y = layer(x, size)
        assert y.shape == (1, 3, *size)
        assert down(y).shape == x.shape
        np.testing.assert_array_equal(layer(x, (1, 3, *size)).data, y.data)
        np.testing.assert_array_equal(layer(x[0], size).data, y.data[0])


def test_pad_counts_from_the_last_axis_and_removes_where_negative():
    x = np.arange(6.0).reshape(2, 3)
    pad = nn.functional.pad
    assert pad(x, (1, 0), value=9.0).tolist() == [[9, 0, 1, 2], [9, 3, 4, 5]]
    assert pad(x, (0, 0, 1, -1)).tolist() == [[0, 0, 0], [0, 1, 2]]
    assert pad(x, (-1, 1), "replicate").tolist() == [[1, 2, 2], [4, 5, 5]]
    assert pad(x, (1, 1), mode="circular").tolist() == [[2, 0, 1, 2, 0], [5, 3, 4, 5, 3]]
    assert np.array_equal(pad(x, ()), x)


def test_flatten_takes_an_empty_batch():
    assert nn.Flatten()(Value(np.ones((0, 2, 3)))).shape == (0, 6)


def test_an_mlp_may_end_with_an_activation():
    plain, net = nn.MLP((3, 4, 2), nn.Tanh, rng=0), nn.MLP((3, 4, 2), nn.Tanh, output=nn.Sigmoid, rng=0)
    assert [type(layer) for layer in net] == [nn.Linear, nn.Tanh, nn.Linear, nn.Sigmoid]
    np.testing.assert_array_equal(net(np.ones(3)).data, nn.Sigmoid()(plain(np.ones(3))).data)


def test_a_slice_of_a_sequential_is_one():
    net = nn.MLP((3, 4, 2), rng=0)
    first = net[:2]
    assert type(first) is nn.Sequential
    assert list(first) == [net[0], net[1]]
    assert list(first.state_dict()) == ["0.weight", "0.bias"]
    assert net[-1] is net[2]
    x = np.ones((2, 3))
    np.testing.assert_array_equal(net[2:](first(x)).data, net(x).data)


def test_a_seed_stands_for_a_generator():
    x, labels = np.arange(10), np.arange(10) % 2
    for one, two in zip(nn.batches(x, batch_size=4, rng=0), nn.batches(x, batch_size=4, rng=0), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(next(nn.batches(x, batch_size=10, rng=0))[0], x)
    parts = nn.stratified_split(labels, (0.6,), 0)
    for part, other in zip(parts, nn.stratified_split(labels, (0.6,), np.random.default_rng(0)), strict=True):
        np.testing.assert_array_equal(part, other)


def test_initial_values_keep_their_dtype_whatever_the_gain_is():
    w = nn.init.orthogonal((3, 5), 0, gain=np.sqrt(2), dtype="f4")
    assert w.dtype == np.float32
    np.testing.assert_allclose(w @ w.T, 2 * np.eye(3), atol=1e-6)
    assert np.ptp(nn.init.trunc_normal((1000,), 0.0, 1.0, 0, 3.0, 3.5)) < 0.5  # few numbers, but enough


@pytest.mark.parametrize(("mode", "numpy_mode"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (2, 1), (3, 1), (3, 2), (4, 1), (4, 3), (7, 1)])
def test_same_padding_of_every_mode_keeps_the_size_and_puts_the_odd_number_after(mode, numpy_mode, kernel, dilation):
    layer = nn.Conv1d(1, 1, kernel, padding="same", dilation=dilation, padding_mode=mode, bias=False, rng=0)
    x = np.random.default_rng(0).standard_normal(12)
    added = dilation * (kernel - 1)
    padded = np.pad(x, (added // 2, added - added // 2), mode=numpy_mode)
    w = layer.weight.data[0, 0]
    expected = [np.dot(w, padded[i : i + added + 1 : dilation]) for i in range(12)]
    y = layer(x[None, None])
    assert y.shape == (1, 1, 12)
    assert np.allclose(y.data[0, 0], expected)
