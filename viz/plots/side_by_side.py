"""side_by_side: one plot of several subjects, a panel each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tinygrad_edu import DTypeError

from ..arguments import refusing
from ..text import plain
from .field import count
from .style import Theme, several, styled
from .surface import surface

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@refusing()
def side_by_side(
    plot: Callable[..., Any],
    subjects: Mapping[str, Any],
    *arguments: Any,
    columns: int | None = None,
    theme: Theme = "light",
    **options: Any,
) -> Figure:
    """The same plot of several functions, models or data sets, a panel each, titled by its name.

    Args:
        plot: a plot of viz that takes ax=, such as `viz.contour`, `viz.surface` or `viz.fitted`.
        subjects: {name: first argument of the plot}.
        arguments: further arguments of the plot, the same in each panel.
        columns: how many panels in a row; up to 3 by default, as even as possible.
        theme: "light" or "dark".
        options: further arguments of the plot by name.

    Returns:
        the Figure; its `axes` are the panels.

    Raises:
        DTypeError: if there are no subjects, or the plot does not take ax=, as `viz.cut`, which makes a figure.
        RenderError: if matplotlib is missing.

    >>> figure = side_by_side(viz.surface, {"maximum": dome, "minimum": bowl}, (-3, 3), (-3, 3))  # doctest: +SKIP
    """
    if not callable(plot):
        raise DTypeError(f"side_by_side: got {plot!r:.60}, expected a plot such as viz.contour")
    if not isinstance(subjects, Mapping) or not subjects:
        raise DTypeError(f"side_by_side: got {subjects!r:.60}, expected {{name: function}}")
    rows = -(-len(subjects) // (3 if columns is None else count("side_by_side", "columns", columns, 1)))
    columns = -(-len(subjects) // rows)
    upright = plot is surface or options.get("kind") == "surface"
    space: dict[str, Any] = {"projection": "3d"} if upright else {}
    with styled("side_by_side", theme) as plt:
        figure, axes = several(plt, rows, columns, (4.6, 4.2), **space)
        if upright:  # beside which the name of the height stands
            figure.set_layout_engine("constrained", w_pad=0.5)
        for ax, (name, subject) in zip(axes, subjects.items(), strict=False):
            plot(subject, *arguments, ax=ax, theme=theme, **options)
            ax.set_title(plain(str(name)))
        for ax in axes[len(subjects) :]:
            ax.remove()
    return figure
