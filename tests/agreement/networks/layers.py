"""Each layer beside PyTorch's of that name: outputs, gradients and running statistics while it trains and when it is used.

Parameters go from our state_dict into PyTorch's module, and from PyTorch's state_dict into a fresh one of ours: so both know the
other's paths, and the two of ours and the one of PyTorch's then train and answer alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

import nn
from tinygrad_edu import Value

from .case import Case, Numbers

EXCEPTIONS = {
    "Perceptron": "PyTorch has no layer with a step, nor Rosenblatt's rule",
    "Heaviside": "PyTorch's heaviside has no gradient; tests compare with the definition",
    "Residual": "PyTorch has no module for it; it is an addition",
    "Dropout in training": "drawn from another generator; after eval() it is compared",
    "CELU's alpha < 0": "refused: the function is then unbounded below, and PyTorch's formula has no meaning",
    "Softmax's, LogSoftmax's and Softmin's dim": "required: PyTorch's default is deprecated, and depends on the number of axes",
    "inplace": "absent: a recorded Value does not change",
    "GroupNorm of a single number a group": "0, where PyTorch refuses a batch of one and gives 0 otherwise",
    "Embedding's max_norm, scale_grad_by_freq, sparse": "absent",
    "pooling's return_indices": "absent, refused by name",
    "MaxPool1d, MaxPool2d: a window of dilation and padding that sees no number": "refused, where PyTorch gives -inf",
    "ConvTranspose1d, ConvTranspose2d: output_padding from stride up to dilation": "refused: no convolution has that transpose",
    "AvgPool2d's divisor_override below 0": "refused",
    "padding_mode='reflect' or 'circular' by more than the image": "NumPy goes round again, where PyTorch refuses",
}


class Layer(NamedTuple):
    """A row: nn's name, its arguments, and its input: normal numbers of a shape and size, or integers below `integers`."""

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    shape: tuple[int, ...]
    scale: float = 1.0
    integers: int = 0


Build = Callable[[], Any]

LINES, PICTURES = (3, 4, 9), (2, 4, 7, 8)  # (N, C, L), (N, C, H, W)
POINTWISE = ("Sigmoid", "LogSigmoid", "Tanh", "Hardtanh", "Softsign", "ReLU", "LeakyReLU", "SiLU")
POINTWISE += ("Hardshrink", "Hardswish", "ReLU6", "Softshrink", "Tanhshrink")
TABLE = [
    Layer("Linear", (4, 3), {}, (5, 4)),
    Layer("Linear", (4, 3), {"bias": False}, (2, 3, 4)),
    Layer("LayerNorm", (5,), {}, (3, 2, 5)),
    Layer("LayerNorm", ((2, 5),), {"eps": 0.1}, (3, 2, 5)),
    Layer("LayerNorm", (5,), {"bias": False}, (3, 5), 1e4),
    Layer("LayerNorm", (5,), {"elementwise_affine": False}, (3, 5)),
    Layer("BatchNorm1d", (4,), {}, (6, 4)),
    Layer("BatchNorm1d", (4,), {"momentum": None}, (6, 4), 1e3),
    Layer("BatchNorm1d", (4,), {"eps": 0.1, "momentum": 0.5}, LINES),
    Layer("BatchNorm1d", (4,), {"affine": False}, LINES),
    Layer("BatchNorm1d", (4,), {"track_running_stats": False}, LINES),
    Layer("BatchNorm2d", (4,), {}, PICTURES),
    Layer("BatchNorm2d", (4,), {"momentum": None, "affine": False}, PICTURES),
    Layer("BatchNorm2d", (4,), {"momentum": 1.0}, (2, 4, 1, 1)),
    Layer("Conv1d", (4, 6, 3), {}, LINES),
    Layer("Conv1d", (4, 6, 3), {"stride": 2, "padding": 2, "dilation": 2, "groups": 2}, LINES),
    Layer("Conv1d", (4, 8, 1), {"groups": 4, "bias": False}, LINES),
    Layer("Conv1d", (4, 2, 3), {"padding": "valid"}, LINES),
    *[
        Layer("Conv1d", (4, 2, 4), {"padding": padding, "dilation": 2, "padding_mode": mode}, LINES)
        for mode in ("zeros", "reflect", "replicate", "circular")
        for padding in (0, 3, "same")
    ],
    Layer("Conv2d", (4, 3, 3), {}, PICTURES),
    Layer("Conv2d", (4, 4, (2, 3)), {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}, PICTURES),
    Layer("Conv2d", (4, 4, 3), {"padding": "same", "groups": 4, "bias": False}, PICTURES),
    *[
        Layer("Conv2d", (4, 2, (3, 2)), {"padding": padding, "stride": stride, "padding_mode": mode}, PICTURES)
        for mode in ("reflect", "replicate", "circular")
        for padding, stride in (((2, 1), (1, 2)), ("same", 1))
    ],
    *[
        Layer(f"Conv{axes}d", (4, 2, 3), {"padding": 1, "padding_mode": mode}, shape[1:])
        for axes, shape in ((1, LINES), (2, PICTURES))
        for mode in ("zeros", "circular")
    ],
    *[
        Layer(f"ConvTranspose{axes}d", (4, 6, 3), options, shape)
        for axes, whole in ((1, LINES), (2, PICTURES))
        for shape in (whole, whole[1:])
        for options in (
            {},
            {"stride": 3, "padding": 1, "output_padding": 2, "bias": False},
            {"stride": 2, "groups": 2, "dilation": 2},
        )
    ],
    Layer("ConvTranspose2d", (4, 2, (2, 3)), {"stride": (2, 1), "output_padding": (1, 0), "padding": (1, 2)}, PICTURES),
    *[
        Layer(f"{kind}Pool{axes}d", args, options, shape[alone:])
        for kind, more in (("Max", {"dilation": 2}), ("Avg", {"count_include_pad": False}))
        for axes, shape in ((1, LINES), (2, PICTURES))
        for alone, args, options in (
            (1, (2,), {}),
            (0, (2, 3), {"ceil_mode": True}),
            (0, (3, 3, 1), {"ceil_mode": True}),
            (0, (3, 2, 1), {"ceil_mode": True, **more}),
            (1, (2, 1), more),
        )
    ],
    Layer("AvgPool2d", (2,), {"divisor_override": 3, "padding": 1, "ceil_mode": True}, PICTURES),
    *[
        Layer(f"Adaptive{kind}Pool{axes}d", (size,), {}, shape[alone:])
        for kind in ("Avg", "Max")
        for axes, shape, outputs in (
            (1, LINES, (1, 2, 3, 11)),
            (2, PICTURES, (1, 3, (7, 4), (None, 3), (1, 2), (9, 11))),
        )
        for size in outputs
        for alone in (0, 1)
    ],
    *[
        Layer("Unfold", args, options, PICTURES[alone:])
        for alone in (0, 1)
        for args, options in (((2,), {}), (((3, 2), (1, 2), (1, 0), (2, 1)), {}), ((3,), {"padding": 1, "stride": 2}))
    ],
    Layer("Fold", ((7, 8), 2), {}, (2, 12, 42)),
    Layer("Fold", ((7, 8), 2), {"stride": 2, "padding": (1, 0), "dilation": (2, 1)}, (12, 16)),
    *[
        Layer(name, (r,), {}, shape)
        for name, r, shape in (
            ("PixelShuffle", 2, (2, 8, 2, 3)),
            ("PixelShuffle", 3, (9, 2, 3)),
            ("PixelUnshuffle", 2, (2, 3, 4, 6)),
        )
    ],
    *[
        Layer(f"{kind}Pool{axes}d", args, options, shape)
        for kind in ("Max", "Avg")
        for axes, shape in ((1, LINES), (2, PICTURES))
        for args, options in (((2,), {}), ((3,), {"stride": 2, "padding": 1}), ((3, 1), {}))
    ],
    Layer("MaxPool2d", ((3, 2),), {"stride": (1, 3), "padding": (1, 0)}, PICTURES),
    Layer("AvgPool2d", ((3, 2),), {"padding": (1, 1), "count_include_pad": False}, PICTURES),
    Layer("AvgPool1d", (3,), {"padding": 1, "count_include_pad": False}, LINES),
    Layer("Flatten", (), {}, PICTURES),
    Layer("Flatten", (0, -2), {}, PICTURES),
    Layer("Embedding", (7, 3), {}, (4, 5), integers=7),
    Layer("Embedding", (7, 3, 2), {}, (4, 5), integers=7),
    Layer("Embedding", (3, 2), {"padding_idx": -1}, (6,), integers=3),
    Layer("Dropout", (0.0,), {}, (3, 4)),
    Layer("RMSNorm", (5,), {}, (3, 2, 5)),
    Layer("RMSNorm", ((2, 5),), {"eps": 0.1}, (3, 2, 5)),
    Layer("RMSNorm", (5,), {"elementwise_affine": False}, (3, 5), 1e-7),
    Layer("GroupNorm", (2, 4), {}, (3, 4)),
    Layer("GroupNorm", (2, 4), {"eps": 0.1}, LINES),
    Layer("GroupNorm", (4, 4), {"affine": False}, PICTURES),
    Layer("GroupNorm", (1, 4), {"bias": False}, PICTURES, 1e3),
    Layer("InstanceNorm1d", (4,), {}, LINES),
    Layer("InstanceNorm1d", (4,), {"affine": True, "track_running_stats": True}, LINES),
    Layer("InstanceNorm1d", (4,), {"affine": True, "eps": 0.1}, LINES[1:]),
    Layer("InstanceNorm2d", (4,), {"affine": True}, PICTURES, 1e3),
    Layer("InstanceNorm2d", (4,), {"track_running_stats": True, "momentum": 0.5}, PICTURES),
    Layer("InstanceNorm2d", (4,), {"track_running_stats": True}, PICTURES[1:]),
    Layer("InstanceNorm2d", (4,), {"track_running_stats": True, "momentum": None}, PICTURES),
    Layer("PReLU", (), {}, (5,)),
    Layer("PReLU", (), {"init": -0.5}, LINES),
    Layer("PReLU", (4,), {}, (5, 4)),
    Layer("PReLU", (4, 2.0), {}, PICTURES),
    Layer("GLU", (), {}, (5, 4)),
    Layer("GLU", (1,), {}, PICTURES),
    Layer("GLU", (), {"dim": -2}, LINES[1:]),
    *[
        Layer(name, (), options, (5, 4), scale)
        for scale in (1.0, 30.0)
        for name, options in (
            *[(name, {}) for name in ("Identity", "SELU", "Mish", "GELU", *POINTWISE)],
            *[(name, {"alpha": alpha}) for name in ("CELU", "ELU") for alpha in (0.5, 1.0, 3.0)],
            *[(name, {"lambd": lambd}) for name in ("Hardshrink", "Softshrink") for lambd in (0.0, 0.5, 2)],
            ("Hardshrink", {"lambd": -1.0}),
            ("Softmin", {"dim": 0}),
            ("Softmin", {"dim": -1}),
            ("Softplus", {}),
            ("Softplus", {"beta": 0.5}),
            ("Softplus", {"beta": -2, "threshold": 3}),
            ("Threshold", {"threshold": 0.1, "value": 20}),
            ("Threshold", {"threshold": -2.0, "value": 0.5}),
            ("Hardtanh", {"min_val": -0.5, "max_val": 2.0}),
            ("LeakyReLU", {"negative_slope": 0.3}),
            ("GELU", {"approximate": "tanh"}),
            ("Softmax", {"dim": 0}),
            ("Softmax", {"dim": -1}),
            ("LogSoftmax", {"dim": 1}),
        )
    ],
]


T = torch.nn
NETWORKS: list[tuple[str, str, Build, Build, tuple[int, ...]]] = [
    (
        "MLP",
        "(4, 6, 5, 2), tanh",
        lambda: nn.MLP((4, 6, 5, 2), nn.Tanh),
        lambda: T.Sequential(T.Linear(4, 6), T.Tanh(), T.Linear(6, 5), T.Tanh(), T.Linear(5, 2)),
        (7, 4),
    ),
    (
        "MLP",
        "(4, 6, 2), batch norm, relu",
        lambda: nn.MLP((4, 6, 2), nn.ReLU, nn.BatchNorm1d),
        lambda: T.Sequential(T.Linear(4, 6), T.BatchNorm1d(6), T.ReLU(), T.Linear(6, 2)),
        (7, 4),
    ),
    (
        "MLP",
        "(4, 6, 2), layer norm, gelu",
        lambda: nn.MLP((4, 6, 2), nn.GELU, nn.LayerNorm),
        lambda: T.Sequential(T.Linear(4, 6), T.LayerNorm(6), T.GELU(), T.Linear(6, 2)),
        (7, 4),
    ),
    ("Hardsigmoid", "", nn.Hardsigmoid, lambda: _Hardsigmoid(), (5, 4)),
    ("Sequential", "convolutional", lambda: _convolutional(nn), lambda: _convolutional(T), (5, 1, 6, 6)),
]


class _Hardsigmoid(T.Module):
    """Hardsigmoid with a gradient in float64: PyTorch's own is rounded to float32."""

    def forward(self, x: Any) -> Any:
        return torch.nn.functional.relu6(x + 3) / 6


def _convolutional(library: Any) -> Any:
    layers = library.Conv2d(1, 3, 3, padding=1), library.BatchNorm2d(3), library.SiLU(), library.MaxPool2d(2)
    return library.Sequential(
        *layers, library.Conv2d(3, 4, 2), library.ReLU(), library.Flatten(), library.Linear(16, 3)
    )


def cases() -> Iterator[Case]:
    for row in TABLE:
        setting = ", ".join([*map(repr, row.args), *(f"{name}={value!r}" for name, value in row.options.items())])
        where = f"{setting}{'; ' if setting else ''}input {row.shape}"
        yield _case(
            row.name,
            where if row.scale == 1 else f"{where} of size {row.scale:g}",
            lambda row=row: getattr(nn, row.name)(*row.args, **row.options),
            lambda row=row: getattr(torch.nn, row.name)(*row.args, **row.options),
            _inputs(row.shape, row.scale, row.integers),
        )
    for name, setting, ours, theirs, shape in NETWORKS:
        yield _case(name, setting, ours, theirs, _inputs(shape))
    yield _case("Dropout", "0.5, after eval()", nn.Dropout, T.Dropout, _inputs((3, 4)), trained=False)


def _inputs(shape: tuple[int, ...], scale: float = 1.0, integers: int = 0) -> list[Any]:
    """Four batches: three to train on, one to use."""
    rng = np.random.default_rng(1)
    return [rng.integers(0, integers, shape) if integers else rng.normal(size=shape) * scale for _ in range(4)]


def _case(name: str, setting: str, ours: Build, theirs: Build, batches: list[Any], trained: bool = True) -> Case:
    state = _random_state(ours().state_dict())

    def loaded(state: dict[str, Any]) -> Any:
        layer = ours()
        layer.load_state_dict(state)
        return layer

    def back() -> dict[str, Any]:
        """The state that PyTorch's module gives when it was given ours."""
        return {path: tensor.numpy() for path, tensor in _torchs(theirs, state).state_dict().items()}

    return Case(
        name,
        setting,
        lambda: _twice(_numbers(loaded(state), batches, trained), _numbers(loaded(back()), batches, trained)),
        lambda: _twice(*[_torch_numbers(_torchs(theirs, state), batches, trained)] * 2),
    )


def _random_state(state: dict[str, Any]) -> dict[str, Any]:
    """Other numbers for all parameters and buffers, so that none is 0 or 1 by chance; variances stay positive."""
    rng = np.random.default_rng(0)
    other = {
        path: np.exp(z) if "var" in path else z
        for path, a in state.items()
        for z in [np.asarray(rng.normal(size=a.shape))]
    }
    return {path: other[path] if array.dtype.kind == "f" else array for path, array in state.items()}


def _torchs(build: Build, state: dict[str, Any]) -> Any:
    module = build().double()
    module.load_state_dict({path: torch.tensor(array) for path, array in state.items()})  # strict: paths and shapes
    return module


def _twice(first: Numbers, second: Numbers) -> Numbers:
    return {**first, **{f"{what}, with the state back from PyTorch": numbers for what, numbers in second.items()}}


def _weights(shape: tuple[int, ...]) -> Any:
    """Of the outputs in the sum that is differentiated."""
    return np.random.default_rng(2).normal(size=shape)


def _joined(gradients: list[Any]) -> Any:
    """In one array, to be compared with its largest number: that of a bias before batch norm is 0 but for rounding."""
    return np.concatenate([g.ravel() for g in gradients]) if gradients else np.zeros(0)


def _numbers(layer: Any, batches: list[Any], trained: bool) -> Numbers:
    """Three steps of gradient descent, then use, and all that they leave behind."""
    found: dict[str, Any] = {}
    for i, batch in enumerate(batches):
        layer.train(trained and i < 3)
        x = Value(batch) if batch.dtype.kind == "f" else batch
        layer.zero_grad()
        y = layer(x)
        (y * _weights(y.shape)).sum().backward()
        found |= {f"y {i}": y.data} | ({f"gradient of x {i}": x.grad} if isinstance(x, Value) else {})
        found[f"gradients of parameters {i}"] = _joined([p.grad for p in layer.parameters()])
        for p in layer.parameters():
            p.data -= 0.01 * p.grad
    return found | {f"{path} in the end": array for path, array in layer.state_dict().items()}


def _torch_numbers(layer: Any, batches: list[Any], trained: bool) -> Numbers:
    found: dict[str, Any] = {}
    for i, batch in enumerate(batches):
        layer.train(trained and i < 3)
        x = torch.tensor(batch, requires_grad=batch.dtype.kind == "f")
        layer.zero_grad()
        y = layer(x)
        (y * torch.tensor(_weights(tuple(y.shape)))).sum().backward()
        found |= {f"y {i}": y.detach().numpy()} | ({f"gradient of x {i}": x.grad.numpy()} if x.requires_grad else {})
        found[f"gradients of parameters {i}"] = _joined([p.grad.numpy() for p in layer.parameters()])
        with torch.no_grad():
            for p in layer.parameters():
                p -= 0.01 * p.grad
    return found | {f"{path} in the end": tensor.numpy() for path, tensor in layer.state_dict().items()}
