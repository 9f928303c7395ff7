"""Where a number that is not finite comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import no_grad

from ..checks import data_of
from ..module import Module
from ..running import observing
from .kept import Kept


def why_not_finite(model: Module, batch: Sequence[Any], data: Sequence[Any], of: str = "training") -> str:
    """The first input, target or layer output that is not finite, and a remedy, as text for a message.

    Args:
        batch: inputs and targets of the loss that is not finite.
        data: all inputs and targets, among which the message counts.
        of: the kind of data, in the message.
    """
    for what, some, every in zip(("inputs", "targets"), batch, data, strict=True):
        if len(_strange(some)):
            places = _strange(every)
            count, first = len(np.unique(places[:, 0])), ", ".join(map(str, places[0]))
            where = f"NaN or infinity in {count} of {len(every)} {of} examples, first in {what}[{first}]"
            return f"there is {where}: clean the data"
    x = batch[0]
    names = {module: name for name, module in model.named_modules()}
    found: list[str] = []

    def look(module: Module, _: Any, output: Any) -> None:
        if not found and not all(np.isfinite(data_of(part)).all() for part in _parts(output)):
            own = {path: value for path, value in module.named_parameters() if not np.isfinite(value.data).all()}
            broken = f", whose {' and '.join(own)} are not finite either" if own else ""
            found.append(f"layer {names[module] or 'itself'!r}, {str(module).splitlines()[0]}{broken}")

    kept = Kept(model)
    with no_grad(), observing(look), np.errstate(all="ignore"):
        model(x)
    kept.restore()
    if not found:
        return "all layers' outputs are finite: look at the loss and the targets, or lower the learning rate"
    return f"the first output that is not finite is that of {found[0]}; try a lower learning rate, or clip_norm=1.0"


def frail(model: Module, gradients: bool = True) -> str:
    """The parameters that are not finite, or whose gradients are not, as the start of a message; "" if all are finite."""
    paths = [
        path
        for path, p in model.named_parameters()
        if (item := p.grad if gradients else p.data) is not None and not np.isfinite(data_of(item)).all()
    ]
    what = "the gradient of " if gradients else ""
    return f"{what}{', '.join(paths)} is not finite: " if paths else ""


def _strange(array: Any) -> NDArray[np.intp]:
    """The places of the numbers of an array that are not finite: (count, axes)."""
    array = np.asarray(data_of(array))
    return np.argwhere(~np.isfinite(array)) if array.dtype.kind in "fc" else np.empty((0, array.ndim), np.intp)


def _parts(output: Any) -> list[Any]:
    """The arrays of an output, which may be in nested tuples; None counts as none."""
    if isinstance(output, (tuple, list)):
        return [part for item in output for part in _parts(item)]
    return [] if output is None else [output]
