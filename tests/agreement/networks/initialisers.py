"""Initial values beside PyTorch's. The generators differ, so what is compared is what does not depend on them.

- Scale. An initialiser draws standard numbers and scales them. With the standard numbers of the same seed beside them, the scale
  comes out exactly, in both libraries: it is compared as it is.
- Moments. Mean, mean square and mean fourth power of many numbers are within five standard errors of the exact ones, or not.
  A sample that is counts as the exact number; so two that are agree, and one that is not stands out by its own.
- What holds for each sample, such as the orthogonality of an orthogonal matrix, is compared as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any

import numpy as np
import torch

import nn
from nn import init

from .case import Case, Numbers

SHAPES = ((300, 400), (40, 20, 5), (30, 20, 3, 4))
NONLINEARITIES = ("linear", "sigmoid", "tanh", "relu", "selu", "leaky_relu")

EXCEPTIONS = {
    "scaled_normal": "PyTorch has no name for it: kaiming_normal with nonlinearity='linear', with which it is compared",
    "eye, dirac, sparse": "absent",
    "LSTM and other recurrent layers": "initialised as Linear is, with the hidden size for in_features",
}


def cases() -> Iterator[Case]:
    yield from _gains()
    yield from _fixed()
    yield from _scaled()
    yield from _truncated()
    yield from _orthogonal()
    yield from _of_layers()


# -- Numbers without chance --------------------------------------------------------------------------------------------


def _gains() -> Iterator[Case]:
    for args in [*[(name,) for name in NONLINEARITIES], ("leaky_relu", 0.3)]:
        yield Case(
            "calculate_gain",
            ", ".join(map(str, args)),
            lambda args=args: {"gain": init.calculate_gain(*args)},
            lambda args=args: {"gain": torch.nn.init.calculate_gain(*args)},
        )
    for shape in SHAPES:
        yield Case(
            "fans",
            str(shape),
            lambda shape=shape: {"in, out": init.fans(shape)},
            lambda shape=shape: {"in, out": torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))},
        )


def _fixed() -> Iterator[Case]:
    for name, args in (("zeros", ()), ("ones", ()), ("constant", (0.3,))):
        yield Case(
            name,
            f"{args or ''}",
            lambda name=name, args=args: {"numbers": getattr(init, name)((3, 4), *args)},
            lambda name=name, args=args: {"numbers": _drawn(name, (3, 4), *args)},
        )


# -- Uniform and normal numbers --------------------------------------------------------------------------------------------

MOMENTS = {"uniform": {2: 1, 4: 9 / 5, 8: 9}, "normal": {2: 1, 4: 3, 8: 105}}  # of mean 0 and variance 1


def _drawn(name: str, shape: tuple[int, ...], *args: Any, **options: Any) -> Any:
    """A sample of torch.nn.init, with seed 0."""
    torch.manual_seed(0)
    return getattr(torch.nn.init, f"{name}_")(torch.empty(shape, dtype=torch.float64), *args, **options).numpy()


def _numbers(x: Any, standard: Any, kind: str, scale: float, shift: float = 0.0) -> Numbers:
    """x, that is to be shift + scale times the standard numbers of the same seed, which have mean 0 and variance 1."""
    z = (x - shift) / scale
    return {
        "scale": np.std(x) / np.std(standard),
        "bound": np.abs(x).max() / np.abs(standard * scale + shift).max(),
    } | (_moments(z, MOMENTS[kind]))


def _moments(z: Any, exact: dict[int, float], mean: float = 0.0) -> Numbers:
    """Mean, mean square and mean fourth power, as far as they are off by more than five standard errors."""
    found = {"mean": _settled(np.mean(z), mean, sqrt((exact[2] - mean**2) / z.size))}
    for k in (2, 4):
        found[f"mean of x^{k}"] = _settled(np.mean(z**k), exact[k], sqrt((exact[2 * k] - exact[k] ** 2) / z.size))
    return found


def _settled(sample: float, exact: float, standard_error: float) -> float:
    return exact if abs(sample - exact) <= 5 * standard_error else sample


def _standard(kind: str, shape: tuple[int, ...]) -> Any:
    rng = np.random.default_rng(0)
    return rng.uniform(-sqrt(3), sqrt(3), shape) if kind == "uniform" else rng.normal(size=shape)


def _torch_standard(kind: str, shape: tuple[int, ...]) -> Any:
    return _drawn(kind, shape, *((-sqrt(3), sqrt(3)) if kind == "uniform" else ()))


def _rows(shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any], str, float, float]]:
    """Name, arguments, options, kind, exact scale, exact shift. The scale is that of the papers, from fan_in and fan_out."""
    field = int(np.prod(shape[2:]))
    fan_in, fan_out = shape[1] * field, shape[0] * field
    yield "uniform", (-0.5, 2.0), {}, "uniform", 2.5 / sqrt(12), 0.75
    yield "normal", (1.0, 2.0), {}, "normal", 2.0, 1.0
    for kind in ("uniform", "normal"):
        for gain in (1.0, 5 / 3):
            yield f"xavier_{kind}", (), {"gain": gain}, kind, gain * sqrt(2 / (fan_in + fan_out)), 0.0
        for mode, fan in (("fan_in", fan_in), ("fan_out", fan_out)):
            for nonlinearity, slope, gain in (
                ("relu", 0.0, sqrt(2)),
                ("tanh", 0.0, 5 / 3),
                ("leaky_relu", 0.3, sqrt(2 / 1.09)),
            ):
                options = {"mode": mode, "nonlinearity": nonlinearity, "negative_slope": slope}
                yield f"kaiming_{kind}", (), options, kind, gain / sqrt(fan), 0.0
    yield "scaled_normal", (), {}, "normal", 1 / sqrt(fan_in), 0.0


def _scaled() -> Iterator[Case]:
    for shape in SHAPES:
        for name, args, options, kind, scale, shift in _rows(shape):
            theirs, renamed = name, {("a" if n == "negative_slope" else n): v for n, v in options.items()}
            if name == "scaled_normal":
                theirs, renamed = "kaiming_normal", {"nonlinearity": "linear"}
            yield Case(
                name,
                ", ".join([str(shape), *map(str, args), *(f"{n}={v}" for n, v in options.items())]),
                lambda name=name, args=args, options=options, kind=kind, scale=scale, shift=shift, shape=shape: (
                    _numbers(
                        getattr(init, name)(shape, *args, rng=0, **options), _standard(kind, shape), kind, scale, shift
                    )
                ),
                lambda theirs=theirs, args=args, renamed=renamed, kind=kind, scale=scale, shift=shift, shape=shape: (
                    _numbers(_drawn(theirs, shape, *args, **renamed), _torch_standard(kind, shape), kind, scale, shift)
                ),
            )


def _truncated() -> Iterator[Case]:
    for mean, std, low, high in ((0.0, 1.0, -2.0, 2.0), (0.5, 2.0, -1.0, 1.5), (0.0, 1.0, 0.5, 3.0)):
        x = np.linspace(low, high, 200_001)
        density = np.exp(-(((x - mean) / std) ** 2) / 2)
        exact = {k: float(np.trapezoid(x**k * density) / np.trapezoid(density)) for k in (1, 2, 4, 8)}

        def numbers(x: Any, exact: dict[int, float] = exact, low: float = low, high: float = high) -> Numbers:
            return {**_moments(x, exact, exact[1]), "inside": bool(np.all((low <= x) & (x <= high)))}

        yield Case(
            "trunc_normal",
            f"{SHAPES[0]}, {mean}, {std}, {low}, {high}",
            lambda numbers=numbers, a=(mean, std), b=(low, high): numbers(init.trunc_normal(SHAPES[0], *a, 0, *b)),
            lambda numbers=numbers, a=(mean, std, low, high): numbers(_drawn("trunc_normal", SHAPES[0], *a)),
        )


# -- Orthogonal matrices ---------------------------------------------------------------------------------------------------


def _orthogonal() -> Iterator[Case]:
    for shape in ((20, 30), (30, 20), (8, 3, 2, 2), (5, 5)):
        for gain in (1.0, sqrt(2)):
            yield Case(
                "orthogonal",
                f"{shape}, gain={gain:.3g}",
                lambda shape=shape, gain=gain: _gram(init.orthogonal(shape, 0, gain)),
                lambda shape=shape, gain=gain: _gram(_drawn("orthogonal", shape, gain)),
            )
    yield Case(
        "orthogonal",
        "traces of 2,000 matrices (8, 8)",
        lambda: _traces([init.orthogonal((8, 8), seed) for seed in range(2000)]),
        lambda: _traces(list(torch.stack([_torch_square(seed) for seed in range(2000)]).numpy())),
    )


def _torch_square(seed: int) -> Any:
    torch.manual_seed(seed)
    return torch.nn.init.orthogonal_(torch.empty(8, 8, dtype=torch.float64))


def _gram(w: Any) -> Numbers:
    """The products of its rows or columns, whichever are fewer, with each other: gain² times the unit matrix."""
    w = w.reshape(len(w), -1)
    return {"products": w @ w.T if len(w) <= w.shape[1] else w.T @ w}


def _traces(matrices: list[Any]) -> Numbers:
    """Of uniformly chosen ones, traces have a normal deviate's first moments (Diaconis & Shahshahani 1994)."""
    return _moments(np.array([np.trace(w) for w in matrices]), MOMENTS["normal"])


# -- What layers start from ------------------------------------------------------------------------------------------------


def _of_layers() -> Iterator[Case]:
    for name, args, options, fan_in in (
        ("Linear", (400, 300), {}, 400),
        ("Conv1d", (40, 60, 5), {"groups": 2}, 100),
        ("Conv2d", (20, 60, (3, 4)), {}, 240),
        ("ConvTranspose1d", (60, 40, 5), {"groups": 2}, 100),
        ("ConvTranspose2d", (60, 20, (3, 4)), {}, 240),
        ("Bilinear", (20, 30, 40), {}, 20),
        ("Embedding", (300, 200), {}, None),
        ("Embedding", (300, 200), {"padding_idx": 3}, None),
    ):
        yield Case(
            name,
            ", ".join([*map(str, args), *(f"{n}={v}" for n, v in options.items())]),
            lambda name=name, args=args, options=options, fan_in=fan_in: _start(
                getattr(nn, name)(*args, **options, rng=0).state_dict(), fan_in, _standard
            ),
            lambda name=name, args=args, options=options, fan_in=fan_in: _start(
                _torch_state(name, args, options), fan_in, _torch_standard
            ),
        )


def _torch_state(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
    torch.manual_seed(0)
    module = getattr(torch.nn, name)(*args, **options, dtype=torch.float64)
    return {path: tensor.numpy() for path, tensor in module.state_dict().items()}


def _start(state: dict[str, Any], fan_in: int | None, standard: Callable[[str, tuple[int, ...]], Any]) -> Numbers:
    """The weight as in `_numbers`; the bias, drawn after it, by its moments; rows of zeros by their number."""
    weight = state["weight"]
    kind, scale = ("normal", 1.0) if fan_in is None else ("uniform", 1 / sqrt(3 * fan_in))
    z = standard(kind, weight.shape)
    empty = ~weight.any(axis=tuple(range(1, weight.ndim)))
    z[empty] = 0
    found = {**_numbers(weight, z, kind, scale), "rows of zeros": np.count_nonzero(empty)}
    if "bias" in state:
        found |= {
            f"bias, {what}": number for what, number in _moments(state["bias"] / scale, MOMENTS["uniform"]).items()
        }
    return found
