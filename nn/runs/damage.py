"""DamagedError: a file of a run differs from the file that was written."""

from __future__ import annotations

from tinygrad_edu import TinygradError


class DamagedError(TinygradError):
    """A checkpoint is truncated, corrupted or incomplete."""
