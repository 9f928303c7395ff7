"""activations: a gallery of activation functions and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from inspect import signature
from typing import TYPE_CHECKING, Any

from tinygrad_edu import DTypeError

from ..arguments import refusing
from ..drawing import RenderError
from ..text import plain
from .panels import Panel, draw
from .slopes import is_elementwise
from .style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@refusing()
def activations(
    *functions: Callable[[Any], Any] | str,
    xlim: tuple[float, float] = (-4.0, 4.0),
    ylim: tuple[float, float] = (-1.5, 2.5),
    theme: Theme = "light",
) -> Figure:
    """Draw activation functions, each with its derivative, on axes of equal scale.

    The derivatives are the ones that backward() computes, by the rules of the op table. Kinks are found by halving intervals, and
    a dot is the derivative that is taken there (docs/kinks.md).

    Args:
        functions: modules such as nn.LeakyReLU(0.2), elementwise functions such as tinygrad_edu.tanh, or names of functions such
            as "relu"; none for all elementwise activations of nn.
        xlim, ylim: from where to where, on both axes.
        theme: "light" or "dark".

    Returns:
        the Figure, a panel for each function.

    Raises:
        DTypeError: for an unknown name, and for what is no function of numbers, or not elementwise.
        RenderError: for limits that are not increasing, or without matplotlib.

    >>> viz.activations().savefig("activations.svg")  # doctest: +SKIP
    >>> viz.activations("relu", nn.LeakyReLU(0.2), lambda x: x * tanh(x))  # doctest: +SKIP
    """
    for name, (low, high) in (("xlim", xlim), ("ylim", ylim)):
        if not low < high:
            raise RenderError(f"activations: got {name}={(low, high)}, expected low < high")
    chosen = [_by_name(f) if isinstance(f, str) else f for f in functions]
    panels = [Panel(_title(f), f, xlim) for f in chosen] or [Panel(type(f).__name__, f, xlim) for f in _all()]
    for panel in panels:
        _check(panel.title, panel.function)
    return draw("activations", panels, theme, 5, ylim)


def _all() -> list[Callable[[Any], Any]]:
    """The elementwise activations of nn: modules that map numbers one by one, without parameters, made without arguments."""
    from nn import Module, activation

    classes = [c for c in vars(activation).values() if isinstance(c, type) and issubclass(c, Module)]
    public = [c for c in classes if c.__module__ == activation.__name__ and not c.__name__.startswith("_")]
    made = [c() for c in public if all(p.default is not p.empty for p in signature(c).parameters.values())]
    return [module for module in made if not module.parameters() and is_elementwise(module)]


def _by_name(name: str) -> Callable[[Any], Any]:
    """A function of nn.functional or of the op table."""
    import tinygrad_edu
    from nn import functional

    known = {each: module for module in (tinygrad_edu, functional) for each in module.__all__}
    found: Any = getattr(known[name], name) if name in known else None
    if isinstance(found, type) or not callable(found):
        near = get_close_matches(name.lower(), [each for each in known if each.islower()], 1)
        remedy = f"; did you mean {near[0]!r}?" if near else ""
        raise DTypeError(f"activations: got {plain(name)!r}, expected the name of a function such as 'relu'{remedy}")
    return found  # type: ignore[no-any-return]


def _check(title: str, f: Callable[[Any], Any]) -> None:
    if isinstance(f, type) or not callable(f):
        got = f"the class {f.__name__}" if isinstance(f, type) else type(f).__name__
        raise DTypeError(f"activations: got {got}, expected a module such as nn.ReLU() or a function")
    if not is_elementwise(f):
        raise DTypeError(
            f"activations: {title} is not elementwise, so it has no curve; a softmax, for example, has none"
        )


def _title(f: Any) -> str:
    """A module as it prints, a function by its name."""
    name = str(getattr(f, "__name__", f)).splitlines()[0].removesuffix("()")
    return "f" if name == "<lambda>" else name
