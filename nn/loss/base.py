"""Loss: what all losses with settings have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Never

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError

from ..checks import data_of
from ..functional.arguments import numbers
from ..functional.reduction import REDUCTIONS, checked_reduction
from ..module import Module


class Loss(Module):
    """function(prediction, target, reduction=..., option=...), where reduction and the options are attributes.

    Raises TinygradError for an unknown reduction, and for anything that is given without a name, such as the prediction.
    """

    function: ClassVar[Callable[..., Any]]
    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *given: Never, reduction: str = "mean", known: Sequence[str] = REDUCTIONS) -> None:
        name = type(self).__name__
        if given:
            expected = f"settings by name, then a call, as in {name}()(prediction, target)"
            raise TinygradError(f"{name}: got too many arguments without a name, expected {expected}")
        self.reduction = checked_reduction(name, reduction, known)

    def forward(self, *inputs: Any, reduction: str | None = None, **named: Any) -> Any:
        """What the function returns for a prediction and its target. Raises what the function raises."""
        options = {name: getattr(self, name) for name in self.options}
        return self.function(*inputs, **named, reduction=reduction or self.reduction, **options)

    def buffer(self, what: str, weight: Any) -> NDArray[Any] | None:
        """A copy of weights to keep, or None. Raises DTypeError unless they are real numbers."""
        return None if weight is None else np.array(data_of(numbers(type(self).__name__, what, weight)))

    def describe(self) -> str:
        """The settings that are numbers or text."""
        settings = {k: v for k, v in vars(self).items() if isinstance(v, (int, float, str)) and k != "training"}
        return ", ".join(f"{name}={value!r}" for name, value in settings.items())
