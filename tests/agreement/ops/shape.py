"""Shapes, joining and splitting, indexing and rearranging, in PyTorch.

An index of NumPy's becomes the places that it names, row by row: PyTorch has no slices that go backwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn.functional import pad as torch_pad


def _numbers(x: Any) -> Any:
    """A parameter of integers as a tensor."""
    return torch.as_tensor(np.array(x, dtype=int))


def _places(shape: Any, index: Any) -> Any:
    return _numbers(np.arange(int(np.prod(shape))).reshape(tuple(shape))[index])


def _at(x: Any, places: Any) -> Any:
    return x.reshape(-1)[places]


def _expand_dims(x: Any, axis: Any) -> Any:
    axes = (axis,) if isinstance(axis, int) else axis
    for i in sorted(a % (x.ndim + len(axes)) for a in axes):
        x = x.unsqueeze(i)
    return x


def _squeeze(x: Any, axis: Any = None) -> Any:
    return torch.squeeze(x) if axis is None else torch.squeeze(x, axis)


def _rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    axis, start = axis % x.ndim, start + x.ndim if start < 0 else start
    return torch.movedim(x, axis, start - (axis < start))


def _cut(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    cuts = indices_or_sections if isinstance(indices_or_sections, int) else list(indices_or_sections)
    return torch.tensor_split(x, cuts, dim=axis)


def _concatenate(*xs: Any, axis: int | None = 0) -> Any:
    return torch.cat([x.reshape(-1) for x in xs]) if axis is None else torch.cat(xs, dim=axis)


def _append(x: Any, values: Any, axis: int | None = None) -> Any:
    return torch.cat((x.reshape(-1), values.reshape(-1))) if axis is None else torch.cat((x, values), dim=axis)


def _meshgrid(*xs: Any, sparse: bool, indexing: str) -> Any:
    if not sparse:
        return torch.meshgrid(*[x.reshape(-1) for x in xs], indexing=indexing)
    order = list(range(len(xs)))
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    return tuple(x.reshape([-1 if i == j else 1 for j in order]) for i, x in enumerate(xs))


def _repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.repeat_interleave(x, _numbers(repeats), dim=axis)


def _resize(x: Any, new_shape: Any) -> Any:
    return _at(x, _numbers(np.resize(np.arange(x.numel()), new_shape)))


def _pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0) -> Any:
    if mode != "constant":
        places = np.arange(x.numel()).reshape(tuple(x.shape))
        return _at(x, _numbers(np.pad(places, pad_width, mode=mode)))  # type: ignore[call-overload]
    inside = np.pad(np.ones(tuple(x.shape), bool), pad_width)
    frame = torch.as_tensor(np.pad(np.zeros(tuple(x.shape)), pad_width, constant_values=constant_values))
    rows = [np.flatnonzero(inside.any(axis=tuple(j for j in range(x.ndim) if j != i))) for i in range(x.ndim)]
    if not x.numel():
        return frame + x.sum()
    ends = [(r[0], inside.shape[i] - 1 - r[-1]) for i, r in enumerate(rows)]
    return frame + torch_pad(x, [int(n) for pair in ends[::-1] for n in pair])


def _flip(x: Any, axis: Any = None) -> Any:
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return torch.flip(x, tuple(axes))


def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None or isinstance(axis, int) == isinstance(shift, int):
        return torch.roll(x, shift, axis)
    shifts, axes = np.broadcast_arrays(shift, axis)
    return torch.roll(x, tuple(shifts.tolist()), tuple(axes.tolist()))


def _sort(x: Any, axis: int | None = -1) -> Any:
    return torch.sort(x.reshape(-1) if axis is None else x, dim=-1 if axis is None else axis, stable=True).values


def _take(x: Any, indices: Any, axis: int | None = None) -> Any:
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis % x.ndim)
    return x[(slice(None),) * axis + (_numbers(indices),)]


def _take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    n = x.numel() if axis is None else x.shape[axis]
    return torch.take_along_dim(x, _numbers(indices) % n, dim=axis)


def _delete(x: Any, obj: Any, axis: int | None = None) -> Any:
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    return torch.index_select(x, axis, _numbers(np.delete(np.arange(x.shape[axis]), obj)))


def _diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return torch.diagonal(x, offset, axis1, axis2)


def _triangle(part: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, k=0: part(x if x.ndim > 1 else x.expand(x.shape[0], x.shape[0]), k)


def _update(x: Any, values: Any, index: Any, combine: Callable[..., Any]) -> Any:
    """x with combine(flat x, places, flat values) at the index."""
    places = _places(x.shape, index)
    return combine(x.reshape(-1), places.reshape(-1), values.expand(places.shape).reshape(-1)).reshape(x.shape)


def _last_put(x: Any, places: Any, values: Any) -> Any:
    """Assignment with the last of repeats alone: which one PyTorch takes is undefined."""
    last = {int(place): i for i, place in enumerate(places)}
    return x.index_put((_numbers(list(last)),), values[_numbers(list(last.values()))])


def _multiplied(x: Any, places: Any, values: Any) -> Any:
    """Products of the rows of a table of all factors; scatter_reduce has no second gradient where several are 0."""
    earlier = [int((places[:k] == place).sum()) for k, place in enumerate(places)]
    ones = x.new_ones((len(x), 1 + max(earlier, default=0)))
    return x * ones.index_put((places, _numbers(earlier)), values).prod(dim=1)


def _reduced(how: str) -> Callable[..., Any]:
    return lambda x, values, index: _update(x, values, index, lambda x, i, v: x.scatter_reduce(0, i, v, how))


def _added(x: Any, values: Any, index: Any) -> Any:
    return _update(x, values, index, lambda x, i, v: x.index_put((i,), v, accumulate=True))


def _scatter(*parts: Any, shape: Any, indices: Any) -> Any:
    total = parts[0].new_zeros(shape)
    for part, index in zip(parts, indices, strict=True):
        total = _added(total, part, index)
    return total


TORCH: dict[str, Callable[..., Any]] = {
    "append": _append,
    "array_split": _cut,
    "atleast_1d": torch.atleast_1d,
    "atleast_2d": torch.atleast_2d,
    "atleast_3d": torch.atleast_3d,
    "broadcast_arrays": torch.broadcast_tensors,
    "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
    "column_stack": lambda *xs: torch.column_stack(xs),
    "concatenate": _concatenate,
    "delete": _delete,
    "diag": lambda x, k=0: torch.diag(x, k),
    "diagflat": lambda x, k=0: torch.diagflat(x, k),
    "diagonal": _diagonal,
    "dsplit": lambda x, indices_or_sections: _cut(x, indices_or_sections, 2),
    "dstack": lambda *xs: torch.dstack(xs),
    "expand_dims": _expand_dims,
    "flatten": torch.flatten,
    "flip": _flip,
    "fliplr": torch.fliplr,
    "flipud": torch.flipud,
    "getitem": lambda x, index: _at(x, _places(x.shape, index)),
    "hsplit": lambda x, indices_or_sections: _cut(x, indices_or_sections, 1 if x.ndim > 1 else 0),
    "hstack": lambda *xs: torch.hstack(xs),
    "index_add": _added,
    "index_max": _reduced("amax"),
    "index_min": _reduced("amin"),
    "index_multiply": lambda x, values, index: _update(x, values, index, _multiplied),
    "index_set": lambda x, values, index: _update(x, values, index, _last_put),
    "matrix_transpose": lambda x: x.mT,
    "meshgrid": _meshgrid,
    "moveaxis": torch.movedim,
    "pad": _pad,
    "ravel": torch.ravel,
    "repeat": _repeat,
    "reshape": torch.reshape,
    "resize": _resize,
    "roll": _roll,
    "rollaxis": _rollaxis,
    "rot90": lambda x, k=1, axes=(0, 1): torch.rot90(x, k, axes),
    "scatter": _scatter,
    "sort": _sort,
    "split": _cut,
    "squeeze": _squeeze,
    "stack": lambda *xs, axis: torch.stack(xs, dim=axis),
    "swapaxes": lambda x, axis1, axis2: torch.swapaxes(x, axis1, axis2),
    "take": _take,
    "take_along_axis": _take_along_axis,
    "tile": lambda x, reps: torch.tile(x, (reps,) if isinstance(reps, int) else tuple(reps)),
    "trace": lambda x, **params: _diagonal(x, **params).sum(dim=-1),
    "transpose": lambda x, axes=None: x.permute(axes or tuple(range(x.ndim))[::-1]),
    "tril": _triangle(torch.tril),
    "triu": _triangle(torch.triu),
    "unstack": lambda x, axis=0: torch.unbind(x, dim=axis),
    "vsplit": lambda x, indices_or_sections: _cut(x, indices_or_sections, 0),
    "vstack": lambda *xs: torch.vstack(xs),
}

EXCEPTIONS: dict[str, str] = {}
