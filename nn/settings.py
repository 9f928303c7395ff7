"""Modules that call a function: its inputs in the call, its settings in the constructor, read from the function's signature."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, getdoc, signature
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinygrad_edu import TinygradError

from .checks import data_of, refuse
from .functional.arguments import numbers
from .module import Module

IN_CALL = ("Any", Parameter.empty, "DTypeLike | None")  # annotations of inputs, and of a type to convert them to


class Calling(Module):
    """function(inputs, settings), where the settings are attributes, and weights among them buffers.

    A subclass names the function, `class ELU(Calling, function=elu)`. Its docstring ends with that of the function.
    """

    function: ClassVar[Callable[..., Any]]
    settings: ClassVar[tuple[str, ...]]

    if TYPE_CHECKING:

        def __init__(self, *settings: Any, **named: Any) -> None: ...

    def __init_subclass__(cls, function: Callable[..., Any] | None = None, **options: Any) -> None:
        if function is not None:
            settings = [each for each in signature(function).parameters.values() if each.annotation not in IN_CALL]
            cls.function, cls.settings = staticmethod(function), tuple([each.name for each in settings])
            cls.__doc__ = cls.__doc__ and f"{cls.__doc__}\n\n{getdoc(function) or ''}".rstrip()  # None under python -OO
            if "__init__" not in vars(cls):
                cls.__init__ = _constructor(settings)  # type: ignore[method-assign]
        super().__init_subclass__(**options)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The function's result for these inputs. Raises what the function raises."""
        for name in self.settings:
            named.setdefault(name, getattr(self, name))
        return self.function(*inputs, **named)

    def describe(self) -> str:
        """The settings that are numbers or text."""
        settings = {name: getattr(self, name) for name in self.settings}
        return ", ".join(
            f"{name}={x!r}" for name, x in settings.items() if isinstance(x, (int, float, str, np.generic))
        )


def _constructor(settings: list[Parameter]) -> Callable[..., None]:
    """An `__init__` with these parameters, which sets them as attributes. It refuses what the function would refuse."""
    parameters = Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *settings], return_annotation=None)
    by_position = sum(each.kind is Parameter.POSITIONAL_OR_KEYWORD for each in settings)

    def __init__(self: Calling, *args: Any, **named: Any) -> None:  # noqa: N807
        name = type(self).__name__
        if len(args) > by_position:
            inputs = ", ".join([each for each in signature(self.function).parameters if each not in self.settings])
            expected = f"settings by name, then a call, as in {name}()({inputs})"
            raise TinygradError(f"{name}: got too many arguments without a name, expected {expected}")
        given = parameters.bind(self, *args, **named)
        given.apply_defaults()
        for setting, x in list(given.arguments.items())[1:]:
            annotation = parameters.parameters[setting].annotation
            refuse(name, setting, annotation, x)
            weights = annotation == "Weights" and x is not None
            setattr(self, setting, np.array(data_of(numbers(name, setting, x))) if weights else x)

    vars(__init__)["__signature__"] = parameters
    return __init__
