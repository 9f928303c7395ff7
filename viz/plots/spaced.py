"""Spaced: the numbers of contour lines, without those that would lie on another one or stand out of the Axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.text import Text


class Spaced(Artist):
    """Hides texts of its Axes that do not fit. It is drawn before them, since their places are known only then.

    Args:
        texts: in the order in which they get their places.
    """

    def __init__(self, texts: Sequence[Text]) -> None:
        super().__init__()
        self.texts = texts
        self.set_zorder(min((text.get_zorder() for text in texts), default=0) - 0.5)
        self.set_in_layout(False)

    def draw(self, renderer: Any) -> None:
        """Show each text that fits beside those before it."""
        assert self.axes is not None
        frame, kept = self.axes.get_window_extent(renderer), list[Any]()
        for text in self.texts:
            text.set_visible(True)  # the extent of a hidden text is not known
            box = text.get_window_extent(renderer)
            inside = frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1)
            if inside and not any(map(box.overlaps, kept)):
                kept.append(box)
            else:
                text.set_visible(False)
