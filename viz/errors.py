"""What viz itself raises; for bad input it raises tinygrad_edu's errors."""

from __future__ import annotations

from tinygrad_edu import TinygradError


class RenderError(TinygradError, RuntimeError):
    """A picture could not be made: no program to lay it out, a program that failed, or a file type that is not written."""
