"""Warnings of this package, and of the NumPy functions that it calls, point at the user's line.

NumPy warns from C at the line that called it, which is a line of an op; a `stacklevel` cannot be given there, and np.errstate
around each op would cost more than a small op. So the place is corrected when a warning is about to be shown, which costs
nothing before: `warnings._showwarnmsg` is the function through which every warning passes, also while warnings are recorded.
"""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Any

_OURS = ("tinygrad_edu", "nn", "viz")
_PASSED = (*_OURS, "numpy", "warnings")  # packages between the warning and the user
_show: Any = getattr(warnings, "_showwarnmsg", None)  # Python's own name; without it, lines of ours are shown


def _top(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _show_at_user(message: Any) -> None:
    """Show a warning; one that arose in this package is issued again, at the line outside that called it.

    Python shows equal warnings of one line once. Clearing our registry makes that hold for the user's line instead.
    """
    origin: FrameType | None = sys._getframe(1)
    while origin is not None and _top(origin) == "warnings":
        origin = origin.f_back
    user = origin if origin and origin.f_code.co_filename == message.filename and _top(origin) in _OURS else None
    while user is not None and _top(user) in _PASSED:
        user = user.f_back
    if origin is None or user is None:
        _show(message)
        return
    origin.f_globals.get("__warningregistry__", {}).clear()
    registry = user.f_globals.setdefault("__warningregistry__", {})
    place = (user.f_code.co_filename, user.f_lineno, user.f_globals.get("__name__"))
    warnings.warn_explicit(message.message, message.category, *place, registry, source=message.source)


if _show is not None:
    warnings._showwarnmsg = _show_at_user  # type: ignore[attr-defined]
