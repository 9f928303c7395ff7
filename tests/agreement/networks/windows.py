"""Functions of nn.functional beside PyTorch's of the same names: values, and gradients for all arrays.

A row gives the arrays, and the settings; each setting is a case, with the arrays in a batch and, where `alone` says so, without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from nn import functional
from tinygrad_edu import Value

from .case import Case, Numbers

EXCEPTIONS = {
    "conv_transpose1d, conv_transpose2d: output_padding from stride up to dilation": "refused: no convolution has that transpose",
    "max_pool1d, max_pool2d: return_indices": "refused by name",
    "max_pool1d, max_pool2d: a window of dilation and padding that sees no number": "refused, where PyTorch gives -inf",
    "avg_pool2d: divisor_override below 0": "refused",
    "pad: reflect or circular by more than the input": "NumPy goes round again, where PyTorch refuses",
    "pad: reflect, replicate and circular of any number of axes": "PyTorch takes those of images only",
    "unfold, fold: an integer for other than two axes": "PyTorch has two axes only, and so have these",
    "lp_pool1d, lp_pool2d, fractional_max_pool2d, max_unpool1d, max_unpool2d, interpolate, grid_sample": "absent",
}


class Function(NamedTuple):
    """A row: the name, the shapes of the arrays, the settings, and whether the first array may lack the batch."""

    name: str
    shapes: tuple[tuple[int, ...], ...]
    settings: tuple[dict[str, Any], ...]
    alone: bool = True


LINE, IMAGE = (3, 4, 9), (2, 4, 7, 8)  # (N, C, L), (N, C, H, W)
WINDOWS: tuple[dict[str, Any], ...] = (
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 1},
    {"kernel_size": 2, "stride": 3, "ceil_mode": True},
    {"kernel_size": 3, "stride": 3, "padding": 1, "ceil_mode": True},
)
PAIRED = {"kernel_size": (3, 2), "stride": (1, 3), "padding": (1, 0), "ceil_mode": True}
CONVOLUTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"stride": 2, "padding": 2, "dilation": 2},
    {"padding": "same", "dilation": 2},
    {"padding": "valid"},
)
TRANSPOSED: tuple[dict[str, Any], ...] = (
    {},
    {"stride": 3, "padding": 1, "output_padding": 2},
    {"stride": 2, "dilation": 2, "output_padding": 1},
)
HOLES = tuple({**how, "dilation": 2} for how in WINDOWS)
UNCOUNTED = tuple({**how, "count_include_pad": False} for how in WINDOWS)
DIVIDED = tuple({**how, "divisor_override": 3} for how in (*WINDOWS, PAIRED))
SIZES = tuple({"output_size": size} for size in (1, 2, 4, 9, 11))
PAIRS = (*({"output_size": size} for size in ((7, 4), (None, 3), (3, None), (1, 5), (9, 10))), *SIZES)
UNFOLDED: tuple[dict[str, Any], ...] = (
    {"kernel_size": 2},
    {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (1, 0), "stride": (2, 1)},
    {"kernel_size": 3, "padding": 1, "stride": 2},
)
TABLE = [
    Function("conv1d", (LINE, (6, 4, 3)), CONVOLUTIONS),
    Function("conv1d", (LINE, (6, 2, 4), (6,)), tuple({**how, "groups": 2} for how in CONVOLUTIONS)),
    Function("conv2d", (IMAGE, (6, 4, 3, 2)), CONVOLUTIONS),
    Function("conv2d", (IMAGE, (4, 1, 2, 3), (4,)), tuple({**how, "groups": 4} for how in CONVOLUTIONS)),
    Function("conv2d", (IMAGE, (3, 4, 2, 3), (3,)), ({"stride": (2, 1), "padding": (0, 2), "dilation": (3, 1)},)),
    Function("conv_transpose1d", (LINE, (4, 3, 3)), TRANSPOSED),
    Function("conv_transpose1d", (LINE, (4, 3, 2), (6,)), tuple({**how, "groups": 2} for how in TRANSPOSED)),
    Function("conv_transpose2d", (IMAGE, (4, 3, 3, 2)), TRANSPOSED),
    Function("conv_transpose2d", (IMAGE, (4, 3, 2, 3), (6,)), tuple({**how, "groups": 2} for how in TRANSPOSED)),
    Function("conv_transpose2d", (IMAGE, (4, 3, 2, 3)), ({"stride": (2, 1), "padding": (0, 2), "dilation": (1, 3)},)),
    Function("max_pool1d", (LINE,), (*WINDOWS, *HOLES)),
    Function("max_pool2d", (IMAGE,), (*WINDOWS, *HOLES, PAIRED, {**PAIRED, "dilation": (1, 3)})),
    Function("avg_pool1d", (LINE,), (*WINDOWS, *UNCOUNTED)),
    Function("avg_pool2d", (IMAGE,), (*WINDOWS, *UNCOUNTED, *DIVIDED, PAIRED, {**PAIRED, "count_include_pad": False})),
    Function("adaptive_avg_pool1d", (LINE,), SIZES),
    Function("adaptive_max_pool1d", (LINE,), SIZES),
    Function("adaptive_avg_pool2d", (IMAGE,), PAIRS),
    Function("adaptive_max_pool2d", (IMAGE,), PAIRS),
    Function("unfold", (IMAGE,), UNFOLDED),
    Function("fold", ((2, 12, 42),), ({"output_size": (7, 8), "kernel_size": 2},)),
    Function(
        "fold",
        ((2, 8, 16),),
        ({"output_size": (7, 8), "kernel_size": 2, "stride": 2, "padding": (1, 0), "dilation": (2, 1)},),
    ),
    Function("pixel_shuffle", ((2, 12, 2, 3),), ({"upscale_factor": 2},)),
    Function("pixel_shuffle", ((2, 2, 9, 2, 1),), ({"upscale_factor": 3}, {"upscale_factor": 1})),
    Function("pixel_unshuffle", ((2, 3, 4, 6),), ({"downscale_factor": 2}, {"downscale_factor": 1})),
    Function(
        "pad",
        (IMAGE,),
        (
            {"pad": ()},
            {"pad": (1, 2)},
            {"pad": (1, 2, 0, 3), "value": -1.5},
            {"pad": (-1, 2, 3, -4), "value": 2.0},
            {"pad": (1, 0, 2, 1, 0, 3)},
            *({"pad": (2, 1, 0, 3), "mode": mode} for mode in ("reflect", "replicate", "circular")),
        ),
    ),
    Function("pad", (LINE,), tuple({"pad": (2, 1), "mode": mode} for mode in ("reflect", "replicate", "circular"))),
    *[
        Function("bilinear", ((*lead, 3), (*lead, 2), (4, 3, 2), *bias), ({},), alone=False)
        for lead in ((), (5,), (2, 3))
        for bias in ((), ((4,),))
    ],
]


def cases() -> Iterator[Case]:
    """Normal numbers; those of pools of maxima also rounded, so that some are equal."""
    for row in TABLE:
        for lacking in (False, True)[: 1 + row.alone]:
            first, *others = row.shapes
            shapes = [first[lacking:], *others]
            arrays = [np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)]
            for setting in row.settings:
                yield _case(row.name, arrays, setting, "")
                if "max" in row.name:
                    yield _case(row.name, [np.round(x) for x in arrays], setting, ", rounded")


def _case(name: str, arrays: list[NDArray[Any]], setting: dict[str, Any], what: str) -> Case:
    told = ", ".join(f"{key}={value}" for key, value in setting.items())
    return Case(
        name,
        f"of {', '.join(str(x.shape) for x in arrays)}{what}; {told}",
        lambda: _ours(name, arrays, setting),
        lambda: _theirs(name, arrays, setting),
    )


def _ours(name: str, arrays: list[NDArray[Any]], setting: dict[str, Any]) -> Numbers:
    leaves = [Value(x) for x in arrays]
    y = getattr(functional, name)(*leaves, **setting)
    (y * _weights(y.shape)).sum().backward()
    return {"y": y.data} | {f"gradient of {i}": leaf.grad for i, leaf in enumerate(leaves)}


def _theirs(name: str, arrays: list[NDArray[Any]], setting: dict[str, Any]) -> Numbers:
    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    y = getattr(torch.nn.functional, name)(*leaves, **setting)
    (y * torch.tensor(_weights(tuple(y.shape)))).sum().backward()
    return {"y": y.detach().numpy()} | {f"gradient of {i}": leaf.grad.numpy() for i, leaf in enumerate(leaves)}


def _weights(shape: tuple[int, ...]) -> NDArray[Any]:
    """Of the outputs in the sum that is differentiated."""
    return np.random.default_rng(7).normal(size=shape)
