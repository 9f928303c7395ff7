"""loss_over: a model's loss as a function of one or two of its parameters, to be plotted and followed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError, at

from ..arguments import refusing
from ..text import data_of
from .field import Array

if TYPE_CHECKING:
    from nn import Module


@refusing()
def loss_over(
    model: Module, loss: Callable[[Any, Any], Any], x: Any, y: Any, parameters: Sequence[str]
) -> Callable[..., Any]:
    """The loss of a model as a function of some of its numbers, with all others as they are.

    Args:
        model: run in the mode that it is in; call `model.eval()` before, if it has dropout. It is left unchanged.
        loss: such as nn.functional.mse_loss: of the model's result and y, a single number.
        x, y: the data.
        parameters: names of numbers, as "weight[0, 1]" for one number of an array, or "bias" for an array of one number.

    Returns:
        function of as many numbers, for `curve`, `contour`, `surface`, `descent` and `nn.optim.trace`. Its attribute `start` is
        the tuple of the numbers as they are now, and `names` are those given. `follow()` returns a path for `paths=` that
        begins at the numbers as they are; as a callback, `nn.fit(on_step=path)`, it adds the point after each step.

    Raises:
        DTypeError: if a name is not text of this form.
        ShapeError: if the model has no such number.

    >>> import numpy as np, nn
    >>> f = loss_over(nn.Linear(1, 1, rng=0), nn.functional.mse_loss, np.ones((4, 1)), np.ones((4, 1)), ["weight", "bias"])
    >>> f(0.5, 0.5), f.names
    (0.0, ('weight', 'bias'))
    """
    return _LossOver(model, loss, x, y, parameters)


class _LossOver:
    __name__ = "loss"

    def __init__(
        self, model: Module, loss: Callable[[Any, Any], Any], x: Any, y: Any, parameters: Sequence[str]
    ) -> None:
        if isinstance(parameters, str) or not all(isinstance(name, str) for name in parameters):
            raise DTypeError(
                f'loss_over: got parameters={parameters!r:.60}, expected names such as ["weight[0, 1]", "bias[0]"]'
            )
        self.model, self.loss, self.x, self.y, self.names = model, loss, x, y, tuple(parameters)
        own = dict(model.named_parameters())
        self.places = [_place(name, {path: np.shape(data_of(p)) for path, p in own.items()}) for name in self.names]
        self.start = self.now()

    def now(self) -> tuple[float, ...]:
        """The numbers as they are in the model."""
        own = dict(self.model.named_parameters())
        return tuple(float(np.asarray(data_of(own[path]))[index]) for path, index in self.places)

    def follow(self) -> _Followed:
        """The path of the numbers from now on, while the model is trained."""
        return _Followed(self)

    def __call__(self, *numbers: Any) -> Any:
        if len(numbers) != len(self.names):
            raise ShapeError(
                f"loss_over: got {len(numbers)} numbers, expected {len(self.names)}: {', '.join(self.names)}"
            )
        changed: dict[str, Any] = {path: data_of(p) for path, p in self.model.named_parameters()}
        for (path, index), number in zip(self.places, numbers, strict=True):
            changed[path] = at(changed[path], index).set(number)
        from nn import functional_call  # here, as drawing Values needs no networks

        return self.loss(functional_call(self.model, changed, self.x), self.y)


class _Followed(Sequence[tuple[float, ...]]):
    """Points of a path, and a callback that adds the one where the model is."""

    def __init__(self, f: _LossOver) -> None:
        self.f, self.points = f, [f.now()]

    def __call__(self, *_: Any) -> None:
        self.points.append(self.f.now())

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, i: Any) -> Any:
        return self.points[i]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.points, dtype)


def _place(name: str, shapes: dict[str, tuple[int, ...]]) -> tuple[str, tuple[int, ...]]:
    """The path and the index that a name such as "0.weight[1, 2]" states."""
    parts = re.fullmatch(r"([^\[\]]+)(?:\[([-\d,\s]*)\])?", name)
    if parts is None or parts[1] not in shapes:
        raise ShapeError(f"loss_over: got {name!r}, expected one of {', '.join(shapes)}, with an index such as [0, 1]")
    path, shape = parts[1], shapes[parts[1]]
    if parts[2] is None:
        index = (0,) * len(shape)
        fits = np.prod(shape, dtype=int) == 1
    else:
        index = tuple(int(number) for number in parts[2].split(",") if number.strip())
        fits = len(index) == len(shape) and all(-n <= i < n for i, n in zip(index, shape, strict=True))
    if not fits:
        raise ShapeError(f"loss_over: got {name!r}, but {path} has shape {shape}; expected the index of one number")
    return path, index
