"""live: the curves of a training that still runs, drawn again after each epoch."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from inspect import signature
from typing import TYPE_CHECKING, Any

from .. import notebook
from ..arguments import check_call, refusing
from ..drawing import RenderError
from ..writing.files import target, write
from .curves import curves
from .style import pyplot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@refusing()
def live(path: str | os.PathLike[str] | None = None, *, every: int = 1, **options: Any) -> Callable[[int, Any], None]:
    """Make a function for `nn.fit(on_epoch=...)` that draws the curves so far: below the cell of a notebook, or into a file.

    The function takes the epoch, from 1, and anything that `viz.curves` takes: in a loop of your own call
    draw(epoch, {"train_loss": losses}). A picture that fails (a full disk, the logarithm of a loss of 0) is the last one, with a
    warning: training goes on.

    Args:
        path: ends in .png, .svg or .pdf; a file that exists is replaced in one step, so that a viewer never reads half a picture.
            None for a notebook, where each picture replaces the one before.
        every: draw after every so many epochs. A drawing takes about as long as `viz.curves(history)`, some tenths of a second.
        options: those of `viz.curves`: quantity, yscale, smooth, goal, theme.

    Raises:
        RenderError: without a path where no notebook runs, for a path of another kind, every < 1, or without matplotlib.

    >>> history = nn.fit(model, train, optimizer, on_epoch=viz.live(yscale="log"))  # doctest: +SKIP
    """
    check_call("live", signature(curves), (None,), options)  # now, not after the first epoch
    if every < 1:
        raise RenderError(f"live: got every={every}, expected at least 1")
    if path is None and not notebook.runs():
        raise RenderError('live: no notebook is running; pass a file to draw into: viz.live("curves.png")')
    file = None if path is None else target("live", path, (".png", ".svg", ".pdf"))
    kind = "png" if file is None else file.suffix[1:].lower()
    cell = notebook.Cell()
    plt = pyplot("live")
    failed = False

    def draw(epoch: int, history: Any) -> None:
        nonlocal failed
        if failed or epoch % every:
            return
        try:
            figure: Figure = curves(history, **options).figure  # type: ignore[assignment]  # no SubFigure
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind)
            plt.close(figure)
            if file is None:
                cell.show(buffer.getvalue())
            else:
                write("live", file, buffer.getvalue())
        except (RenderError, OSError) as error:
            failed = True
            warnings.warn(f"live: no more pictures of this training; {error}", stacklevel=2)

    return draw
