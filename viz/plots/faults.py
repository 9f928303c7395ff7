"""Faults of layers that gradients and activations tell: rules of thumb, stated in words with the numbers that they rest on.

- Vanishing: the gradients of a layer are less than 1/1,000 of those of the last layer, in root mean square; exploding: more than
  1,000 times.
- Saturated: more than half of the outputs of an activation that is flat at both ends (sigmoid, tanh) have a slope of less than 5%
  of the steepest.
- Dead: a unit of any other activation (ReLU) has no slope, less than 0.1% of the steepest, in any example.

See Glorot & Bengio, AISTATS 2010, and Goodfellow, Bengio & Courville, Deep Learning (2016), sections 6.3 and 8.2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .observed import Array, Layer, in_evaluation
from .slopes import is_elementwise, values_and_slopes

_FAR = 1000.0
_FLAT, _HALF, _NOTHING = 0.05, 0.5, 1e-3
_WIDE = np.linspace(-30.0, 30.0, 601)  # where an activation is looked at


class Finding(NamedTuple):
    """A layer: its title, the root mean square of its parameters' gradients (None without), and its faults in words."""

    title: str
    size: float | None
    faults: list[str]


def findings(layers: list[Layer]) -> list[Finding]:
    """What gradients and activations tell of each layer."""
    sizes = [_size(layer) for layer in layers]
    last = next((size for size in reversed(sizes) if size), None)
    return [
        Finding(layer.title, size, _of_gradients(layer, size, last) + _of_activation(layer))
        for layer, size in zip(layers, sizes, strict=True)
    ]


def _numbers(layer: Layer) -> Array:
    """All gradients of its parameters as one row."""
    found = [np.ravel(g) for g in layer.parameters.values() if g is not None]
    return np.concatenate(found).astype(float) if found else np.empty(0)


def _size(layer: Layer) -> float | None:
    """Root mean square of the finite gradients, without overflow; None without any."""
    gradients = _numbers(layer)
    finite = gradients[np.isfinite(gradients)]
    largest = float(np.max(np.abs(finite), initial=0.0))
    if not finite.size:
        return None
    return largest * float(np.sqrt(np.mean((finite / largest) ** 2))) if largest else 0.0


def _of_gradients(layer: Layer, size: float | None, last: float | None) -> list[str]:
    gradients, faults = _numbers(layer), []
    if layer.parameters and not gradients.size:
        faults.append("no gradient: frozen, or not on the way to the loss")
    if lost := int(np.sum(~np.isfinite(gradients))):
        faults.append(f"{lost:,} of {gradients.size:,} gradients are NaN or infinite")
    if size == 0:
        faults.append("all gradients are 0")
    elif size is not None and last is not None:
        if size * _FAR < last:
            faults.append(f"vanishing: 1/{_rounded(last / size)} of the last layer's")
        elif size > last * _FAR:
            faults.append(f"exploding: {_rounded(size / last)} times the last layer's")
    return faults


def _rounded(ratio: float) -> str:
    """A ratio at 2 significant digits, such as 7,900,000."""
    return f"{float(f'{ratio:.2g}'):,.0f}" if ratio < 1e9 else f"{ratio:.1e}"


def _of_activation(layer: Layer) -> list[str]:
    """Saturation and dead units, of a layer without parameters that maps numbers one by one."""
    if layer.parameters or not layer.inputs or any(not x.size or x.dtype.kind != "f" for x in layer.inputs):
        return []
    with in_evaluation(layer.module):
        if not is_elementwise(layer.module):
            return []
        wide = np.abs(values_and_slopes(layer.module, _WIDE)[1])
        slopes = [_slopes(layer.module, x) for x in layer.inputs]
    steepest = float(wide.max())
    if not steepest:
        return ["the slope is 0 everywhere, so no gradient passes"]
    if max(wide[0], wide[-1]) < _FLAT * steepest:
        flat = np.concatenate([np.ravel(s) for s in slopes]) < _FLAT * steepest
        share = float(np.mean(flat))
        return [f"saturated: {share:.0%} of slopes below 5% of the steepest"] if share > _HALF else []
    return _dead(slopes, steepest)


def _slopes(function: Any, x: Array) -> Array:
    return np.abs(values_and_slopes(function, np.ravel(x).astype(float))[1]).reshape(x.shape)


def _dead(slopes: list[Array], steepest: float) -> list[str]:
    """Units, which are channels of images and otherwise the last axis, without a slope in any example."""
    by_unit = [np.moveaxis(s, 1 if s.ndim == 4 else -1, 0) for s in slopes if s.ndim > 1]
    units = [rows.reshape(len(rows), -1) for rows in by_unit]
    if not units or len({len(rows) for rows in units}) > 1:
        return []
    dead = np.all(np.concatenate(units, axis=1) < _NOTHING * steepest, axis=1)
    count = sum(len(s) for s in slopes)
    if not (found := int(np.sum(dead))):
        return []
    return [f"dead: {found:,} of {len(dead):,} units have no slope in any of {count:,} examples"]
