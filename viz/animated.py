"""Animation: what `animate` and `descent` return, as a page with controls and as a GIF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .arguments import refusing
from .document import Document
from .pages.frame import frame


@dataclass(frozen=True, slots=True, repr=False)
class Animation(Document):
    """Steps that play. `save(path)` writes a page (.html), which can be paused and gone through by steps, or a GIF (.gif).

    At the end of a notebook's cell it shows the page in a frame; where frames are removed (a notebook that is not trusted) a
    line says so. Equal calls give equal files.

    Args:
        title: what it is called for those who listen to it.
        last: the number of the last step, from 0.
        height: of the frame in a notebook, in pixels.
        page, film: make the page and the GIF.
    """

    title: str
    last: int
    height: int
    page: Callable[[], str]
    film: Callable[[], bytes]

    @refusing()
    def html(self) -> str:
        """The web page as text, complete in itself."""
        return self.page()

    @refusing()
    def gif(self) -> bytes:
        """The content of a GIF file, which repeats. Raises RenderError without Pillow."""
        return self.film()

    def _writers(self) -> dict[str, Callable[[], str | bytes]]:
        return {".gif": self.gif, ".html": self.html}

    def __repr__(self) -> str:
        return f"<Animation of {self.last + 1} steps>"

    def _repr_html_(self) -> str:
        return frame(self.html(), self.title, self.height)
