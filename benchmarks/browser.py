"""The browser that benchmarks drive."""

from __future__ import annotations

import shutil


def chromium() -> str | None:
    """The path of Chromium, or of its like; None if there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
