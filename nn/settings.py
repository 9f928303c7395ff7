"""Modules that call a function: its inputs in the call, its settings in the constructor, read from the function's signature."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, getdoc, signature
from typing import Any, ClassVar, Concatenate, Literal, ParamSpec, cast, overload

import numpy as np

from tinygrad_edu import TinygradError

from .checks import data_of, refuse
from .functional.arguments import numbers
from .module import Module

P = ParamSpec("P")
Constructor = Callable[[Callable[..., None]], Callable[Concatenate[Any, P], None]]


class Calling(Module):
    """function(inputs, settings), where the settings are attributes, and weights among them buffers.

    A subclass names the function by `settings_of` above its constructor. The class's docstring ends with that of the function.
    """

    function: ClassVar[Callable[..., Any]]
    settings: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, **options: Any) -> None:
        if function := getattr(vars(cls).get("__init__"), "function", None):
            cls.function = staticmethod(function)
            cls.settings = tuple(signature(cls).parameters)
            cls.__doc__ = cls.__doc__ and f"{cls.__doc__}\n\n{getdoc(function)}"  # None under python -OO
        super().__init_subclass__(**options)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The function's result for these inputs. Raises what the function raises."""
        return self.function(*inputs, **{name: getattr(self, name) for name in self.settings} | named)

    def describe(self) -> str:
        """The settings that are numbers or text."""
        settings = {name: getattr(self, name) for name in self.settings}
        return ", ".join(f"{name}={x!r}" for name, x in settings.items() if isinstance(x, (int, float, str)))


@overload
def settings_of(function: Callable[Concatenate[Any, Any, P], Any], inputs: Literal[2] = 2) -> Constructor[P]: ...
@overload
def settings_of(function: Callable[Concatenate[Any, Any, Any, P], Any], inputs: Literal[3]) -> Constructor[P]: ...
def settings_of(function: Callable[..., Any], inputs: int = 2) -> Any:
    """Decorator that replaces the constructor of a `Calling`: its parameters are those of the function after the inputs.

    The constructor refuses what the function would refuse, in the name of the class. Type checkers see its parameters.
    """
    names = list(signature(function).parameters)
    settings = [signature(function).parameters[name] for name in names[inputs:]]
    parameters = Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *settings], return_annotation=None)
    annotations = {each.name: each.annotation for each in settings}
    by_position = sum(each.kind is Parameter.POSITIONAL_OR_KEYWORD for each in settings)

    def __init__(self: Module, *args: Any, **named: Any) -> None:  # noqa: N807
        name = type(self).__name__
        if len(args) > by_position:
            expected = f"settings by name, then a call, as in {name}()({', '.join(names[:inputs])})"
            raise TinygradError(f"{name}: got too many arguments without a name, expected {expected}")
        given = parameters.bind(self, *args, **named)
        given.apply_defaults()
        del given.arguments["self"]
        for setting, x in given.arguments.items():
            refuse(name, setting, annotations[setting], x)
            weights = annotations[setting] == "Weights" and x is not None
            setattr(self, setting, np.array(data_of(numbers(name, setting, x))) if weights else x)

    vars(__init__).update(__signature__=parameters, function=function)
    return lambda _: cast(Any, __init__)
