"""Planes through a model's parameters: random, chosen, or of a path's principal components; and where snapshots lie in them.

Parameters are one vector here, of float64, in the order of `named_parameters()`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from tinygrad_edu import DTypeError, ShapeError

from ..drawing import RenderError
from ..text import data_of
from .field import Array
from .path import Path

if TYPE_CHECKING:
    from nn import Module

Normalise: TypeAlias = Literal["filter", "layer"] | None

_PARALLEL = 1e-12  # of the squared sine of the angle between two directions


class Place(NamedTuple):
    """Where a parameter is in the vector of all: from `start` on, with its shape; whether it is trained."""

    start: int
    shape: tuple[int, ...]
    trained: bool

    @property
    def span(self) -> slice:
        """Its part of the vector."""
        return slice(self.start, self.start + int(np.prod(self.shape, dtype=int)))


class Plane(NamedTuple):
    """origin + Σ steps[i] directions[i].

    Attributes:
        places: of the parameters in the vector, by path.
        origin: the model's parameters, (n,).
        directions: one or two, (1 or 2, n).
        names: of the axes.
    """

    places: dict[str, Place]
    origin: Array
    directions: Array
    names: tuple[str, ...]

    def at(self, steps: Array) -> dict[str, Array]:
        """The parameters at a point of the plane, by path; those at 0 are the model's, bit for bit."""
        point = self.origin
        for step, direction in zip(steps, self.directions, strict=True):
            point = point + step * direction
        return {path: point[place.span].reshape(place.shape) for path, place in self.places.items()}

    def project(self, points: Array) -> tuple[Array, float]:
        """Points, (points, n), as steps to the nearest points of the plane, (points, 1 or 2); the share of variance carried."""
        inner = self.directions @ self.directions.T
        steps = np.linalg.solve(inner, self.directions @ (points - self.origin).T).T.astype(float)
        total = float(np.sum((points - points.mean(axis=0)) ** 2))
        carried = float(np.sum(((steps - steps.mean(axis=0)) @ self.directions) ** 2))
        return steps, carried / total if total else 1.0


def plane(
    model: Module, directions: Any, normalise: Normalise, rng: np.random.Generator, snapshots: dict[str, Array]
) -> Plane:
    """The plane that a user asks for. Raises DTypeError, ShapeError or RenderError in the name of landscape."""
    places, origin = vector_of(model)
    if isinstance(directions, str) and directions == "pca":
        found, shares = components(snapshots)
        names = [f"PC {k} ({share:.1%} of the variance)" for k, share in enumerate(shares, 1)]
    elif isinstance(directions, str) and directions == "random":
        found = np.stack([random(places, origin, normalise, rng) for _ in range(2)])
        kind = f" ({normalise}-normalised)" if normalise else ""
        names = [f"random direction {k}{kind}" for k in (1, 2)]
    elif isinstance(directions, (tuple, list)) and len(directions) in (1, 2):
        found = np.stack([_stated(each, places) for each in directions])
        names = [f"direction {k}" for k in (1, 2)[: len(found)]] if len(found) > 1 else ["direction"]
    else:
        raise RenderError(
            f'landscape: got directions={directions!r:.60}, expected "random", "pca", or a tuple of one or two directions'
        )
    _independent(found)
    return Plane(places, origin, found, tuple(names))


def vector_of(model: Module) -> tuple[dict[str, Place], Array]:
    """The places of all float parameters, by path, and the vector of their numbers."""
    places: dict[str, Place] = {}
    numbers: list[Array] = []
    start = 0
    for path, p in model.named_parameters():
        if p.dtype.kind == "f":
            places[path] = Place(start, p.shape, p.requires_grad)
            numbers.append(np.ravel(np.asarray(data_of(p), float)))
            start += p.size
    if not places:
        raise ShapeError("landscape: the model has no parameters, expected a Module that can be trained")
    return places, np.concatenate(numbers)


def random(places: dict[str, Place], origin: Array, normalise: Normalise, rng: np.random.Generator) -> Array:
    """Gaussian numbers, scaled as Li et al. do (NeurIPS 2018), so that landscapes of different networks can be compared.

    The numbers of each filter get the norm of the filter's weights. A filter is all weights of one output; in a dense layer the
    row of a neuron. With "layer" the numbers of a parameter get the norm of the parameter. Both leave out parameters of one
    dimension, as biases and those of batch norm are. Frozen parameters stay.
    """
    direction = np.zeros_like(origin)
    for place in places.values():
        drawn = rng.standard_normal(place.shape)
        if not place.trained or (normalise and len(place.shape) < 2):
            continue
        if normalise:
            axes = tuple(range(1 if normalise == "filter" else 0, len(place.shape)))
            weights = origin[place.span].reshape(place.shape)
            own, wanted = (np.sqrt(np.sum(x * x, axis=axes, keepdims=True)) for x in (drawn, weights))
            drawn = drawn * (wanted / own)
        direction[place.span] = drawn.ravel()
    if not direction.any():
        why = "has no trained parameter of two dimensions or more that is not 0" if normalise else "is frozen"
        remedy = "pass normalise=None, which moves all" if normalise else "call model.freeze(False)"
        raise ShapeError(f"landscape: the model {why}; {remedy}")
    return direction


def components(snapshots: dict[str, Array]) -> tuple[Array, list[float]]:
    """The first two principal components of the snapshots of all paths, (2, n), and the shares of the variance that they carry.

    Signs are such that the first path comes from below and from the left.
    """
    if not snapshots:
        raise RenderError(
            'landscape: directions="pca" needs paths=, the snapshots of training, such as [model.state_dict()] and one an epoch'
        )
    every = np.concatenate(list(snapshots.values()))
    _, sizes, found = np.linalg.svd(every - every.mean(axis=0), full_matrices=False)
    if len(sizes) < 2 or sizes[1] <= 1e-9 * sizes[0]:
        raise ShapeError(
            f"landscape: the {len(every)} snapshots of paths= lie on a line, expected at least 3 that span a plane"
        )
    first = next(iter(snapshots.values()))
    signs = np.where(found[:2] @ (first[-1] - first[0]) < 0, -1.0, 1.0)
    shares = sizes[:2] ** 2 / np.sum(sizes**2)
    return found[:2] * signs[:, None], [float(share) for share in shares]


def read(model: Module, path: Any) -> dict[str, Array]:
    """Snapshots of a model's parameters as (points, n), by the name of the path.

    Args:
        model: the model.
        path: snapshots in order, each a state_dict or the parameters by path or in order; or a Trace of nn.optim.trace over such;
            or {name: path}.
    """
    if path is None:
        return {}
    places, _ = vector_of(model)
    named = path if isinstance(path, Mapping) else {"training": path}
    return {str(name): _snapshots(str(name), one, places) for name, one in named.items()}


def projected(flat: Plane, snapshots: dict[str, Array], carried: bool) -> list[Path]:
    """Paths in the plane; with a note of the share of their variance, if `carried`."""
    found = []
    for name, points in snapshots.items():
        steps, share = flat.project(points)
        found.append(Path(name, steps, False, f"{share:.1%} of its variance in the plane" if carried else ""))
    return found


def _snapshots(name: str, given: Any, places: dict[str, Place]) -> Array:
    from nn.optim import Trace

    what = f"path {name!r}"
    if isinstance(given, Trace):
        tree = given.parameters
        if not isinstance(tree, (Mapping, list, tuple)):
            raise DTypeError(f"landscape: {what} follows a single array, expected parameters by path or in order")
        count = len(given.values)
        given = [
            {path: x[k] for path, x in tree.items()} if isinstance(tree, Mapping) else [x[k] for x in tree]
            for k in range(count)
        ]
    if not isinstance(given, Sequence) or isinstance(given, str) or not len(given):
        expected = "a list of snapshots such as model.state_dict(), or a Trace"
        raise DTypeError(f"landscape: {what} is a {type(given).__name__}, expected {expected}")
    return np.stack([_vector(f"{what}, snapshot {k}", one, places, True) for k, one in enumerate(given)])


def _stated(given: Any, places: dict[str, Place]) -> Array:
    return _vector("a direction", given, places, False)


def _vector(what: str, given: Any, places: dict[str, Place], whole: bool) -> Array:
    """Parameters by path, or all in order, as a vector. Those left out are 0, which `whole` refuses; it ignores buffers."""
    if not isinstance(given, Mapping):
        if not isinstance(given, (list, tuple)) or len(given) != len(places):
            got = f"{len(given)} arrays" if isinstance(given, (list, tuple)) else f"a {type(given).__name__}"
            raise DTypeError(f"landscape: {what} is {got}, expected {len(places)} arrays by path or in order")
        given = dict(zip(places, given, strict=True))
    wrong = [f"missing {path}" for path in places if whole and path not in given]
    wrong += [f"unexpected {path}" for path in given if not whole and path not in places]
    if wrong:
        raise ShapeError(f"landscape: {what}: {'; '.join(wrong)}; the model's parameters are {', '.join(places)}")
    vector = np.zeros(sum(int(np.prod(place.shape, dtype=int)) for place in places.values()))
    for path in places.keys() & given.keys():
        array = np.asarray(data_of(given[path]))
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise DTypeError(f"landscape: {what}: {path} is not of finite real numbers")
        if array.shape != places[path].shape:
            raise ShapeError(f"landscape: {what}: {path} has shape {array.shape}, expected {places[path].shape}")
        vector[places[path].span] = array.ravel()
    return vector


def _independent(directions: Array) -> None:
    """Raises ShapeError if a direction is 0, or two are parallel."""
    sizes = np.linalg.norm(directions, axis=1)
    if not sizes.all():
        raise ShapeError("landscape: a direction is 0 everywhere, expected one that changes a parameter")
    if len(directions) == 2:
        cosine = float(directions[0] @ directions[1] / np.prod(sizes))
        if 1 - cosine**2 < _PARALLEL:
            raise ShapeError("landscape: the two directions are parallel, expected two that span a plane")
