"""The style of all plots: colours, numbers with a real minus sign, on light ground and on dark; and where a plot goes.

A plot takes `ax=` and returns the Axes, as matplotlib's users expect: without one, it makes a figure by pyplot, which notebooks
show. Lines differ in dashes or markers as well as in colour, so that a grey print loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..drawing import RenderError
from ..text import number
from ..theme import DARK, DARK_PAPER, INK, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Theme: TypeAlias = Literal["light", "dark"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe & Ito's, the dark ones first
DARK_COLOURS = ("#6cc1f5", "#ff9d5c", "#2fc496", "#e08fbb", "#9ad7f5", "#f0c04a")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P")
SURFACE = "viridis"  # even steps of lightness: read alike by the colour-blind and in grey
SIGNED = "RdBu_r"  # about 0


def pyplot(name: str) -> Any:
    """matplotlib.pyplot. Raises RenderError if matplotlib is missing; `name` is the plot's, for the message."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise RenderError(f"{name}: matplotlib is missing; pip install 'tinygrad-edu[plot]'") from None
    return plt


def settings(theme: Theme) -> dict[str, Any]:
    """matplotlib's settings of a theme."""
    ink, paper = ink_of(theme), paper_of(theme)
    return {
        "axes.edgecolor": ink,
        "axes.facecolor": paper,
        "axes.grid": True,
        "axes.labelcolor": ink,
        "axes.prop_cycle": _cycle(colours_of(theme)),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": ink,
        "axes.unicode_minus": True,
        "figure.constrained_layout.use": True,
        "figure.dpi": 144,
        "figure.facecolor": paper,
        "grid.alpha": 0.25,
        "image.cmap": SURFACE,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "savefig.facecolor": paper,
        "text.color": ink,
        "text.parse_math": False,  # a name with two dollars is no formula
        "xtick.color": ink,
        "ytick.color": ink,
    }


def ink_of(theme: Theme) -> str:
    """The colour of text and lines."""
    return INK if theme == "light" else DARK[INK]


def paper_of(theme: Theme) -> str:
    """The colour of the ground."""
    return PAPER if theme == "light" else DARK_PAPER


def colours_of(theme: Theme) -> tuple[str, ...]:
    """The colours of lines, which the colour-blind can tell apart."""
    return COLOURS if theme == "light" else DARK_COLOURS


def shown(x: float) -> str:
    """A number as text on a plot: at 4 significant digits, with a real minus sign; 0 for what rounds to -0."""
    return number(float(x))


def _cycle(colours: tuple[str, ...]) -> Any:
    from matplotlib.rcsetup import cycler

    return cycler(color=colours) + cycler(linestyle=DASHES)


@contextmanager
def styled(name: str, theme: Theme) -> Iterator[Any]:
    """pyplot, in the style of a theme."""
    if theme not in ("light", "dark"):
        raise RenderError(f'{name}: got theme={theme!r}, expected "light" or "dark"')
    plt = pyplot(name)
    plt.draw_if_interactive()  # loads the backend: what a notebook's sets, in rc_context, would be undone with it
    with plt.rc_context(settings(theme)):
        yield plt


def axes_of(plt: Any, ax: Axes | None, size: tuple[float, float] = (6.4, 4.0), **options: Any) -> Axes:
    """The Axes to draw on: those given, else those of a new figure; options such as projection="3d" are for new ones."""
    if ax is not None:
        return ax
    _, made = plt.subplots(figsize=size, subplot_kw=options or None)
    return made  # type: ignore[no-any-return]


def several(plt: Any, rows: int, columns: int, size: tuple[float, float], **options: Any) -> tuple[Figure, list[Axes]]:
    """A new figure of rows times columns of Axes, in reading order; `size` is that of one of them, in inches."""
    figure, grid = plt.subplots(
        rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, subplot_kw=options or None
    )
    return figure, list(grid.ravel())
