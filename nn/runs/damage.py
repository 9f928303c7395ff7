"""DamagedError: a file of a run does not have the contents that were written."""

from __future__ import annotations

from tinygrad_edu import TinygradError


class DamagedError(TinygradError):
    """A checkpoint is truncated, corrupted or incomplete."""
