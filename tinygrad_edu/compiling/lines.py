"""Lines: which line of the user's program runs, seen from the frames of the engine's code that it called."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, NamedTuple

from ..node import Node
from ..term import Term

OURS = {"tinygrad_edu", "nn", "viz", "numpy", "contextlib", "functools"}  # packages between the user's line and a term
_BETWEEN = {"numpy", "contextlib", "functools"}  # packages that ask for another
_TERMS = {f"{__package__}.{name}" for name in ("lines", "traced", "operators")}  # modules that answer
_RULES = {"tinygrad_edu.graph", "tinygrad_edu.unrolled"}
_BACKWARD = {"chain_rule", "share_out", "share_out_to_one", "share_out_to_two"}  # functions of these that call a rule


class Line(NamedTuple):
    """A line of the user's program."""

    file: str
    number: int


def top(frame: FrameType) -> str:
    """The package whose code a frame runs."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def asker() -> FrameType | None:
    """The frame of the code that asks: the engine's or the user's, perhaps through one of NumPy's functions."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (frame.f_globals.get("__name__") in _TERMS or top(frame) in _BETWEEN):
        frame = frame.f_back
    return frame


def asked_by_user() -> bool:
    """Whether the user's code asks, not the engine's."""
    frame = asker()
    return frame is not None and top(frame) not in OURS


def is_users_part() -> bool:
    """Whether an index runs that the user wrote, x[index], also of a Value."""
    frame, called = asker(), "__getitem__"
    while frame is not None and top(frame) in OURS:
        called, frame = frame.f_code.co_name, frame.f_back
    return called == "__getitem__"


def _part_of(frame: FrameType) -> str:
    """What the code of a frame is to the search for a line: "user", "rule", the "end", or "" if the search goes on."""
    module, name = str(frame.f_globals.get("__name__")), frame.f_code.co_name
    if module.partition(".")[0] not in OURS:
        return "user"
    if module in _RULES and name in _BACKWARD:
        return "rule"
    return "end" if module.startswith("tinygrad_edu.compiling.") and name == "traced_run" else ""


@dataclass(eq=False)
class Lines:
    """The lines of the user's program that a run has met.

    Args:
        names: what the user's variables call terms, which is noted here.
        gradients: for terms that are the gradient of another term, that term; noted here.
    """

    names: dict[Any, str]
    gradients: dict[Any, Any]
    _latest: tuple[Line, FrameType] | None = None  # the user's line and frame of the last term
    _lines: dict[tuple[int, int], tuple[Line, CodeType]] = field(default_factory=dict)  # by code and instruction
    _parts: dict[int, tuple[str, CodeType]] = field(default_factory=dict)  # what code is to the search
    _latest_rule: tuple[FrameType, Line | None] | None = (
        None  # the frame that called the last rule, its operation's line
    )

    def clear(self) -> None:
        """Frames keep what they hold."""
        self._latest, self._lines, self._parts, self._latest_rule = None, {}, {}, None

    def running(self) -> tuple[Line | None, bool]:
        """The user's line that runs, and whether a rule runs for an operation of that line."""
        frame: FrameType | None = sys._getframe(3)
        parts = self._parts
        while frame is not None:
            code = frame.f_code
            known = parts.get(id(code))
            if known is None:  # it keeps the code, whose id it has
                known = parts[id(code)] = _part_of(frame), code
            part = known[0]
            if part:
                if part == "user":
                    return self._users_line(frame), False
                if part == "end":
                    break
                if self._latest_rule is not None and self._latest_rule[0] is frame:
                    return self._latest_rule[1], True
                held = frame.f_locals
                raw: Any = held["node"].raw
                g = held["g"]
                if isinstance(raw, Term):
                    if isinstance(g, Term):
                        self.gradients.setdefault(g, raw)
                    if "order" not in held:  # which chain_rule has, whose node changes
                        self._latest_rule = frame, raw.line
                    return raw.line, True
            frame = frame.f_back
        return None, False

    def _users_line(self, frame: FrameType) -> Line:
        """The line of a frame. What its variables call terms is noted when the line changes."""
        at = id(frame.f_code), frame.f_lasti
        known = self._lines.get(at)
        if known is None:  # it keeps the code, whose id it has
            known = self._lines[at] = Line(frame.f_code.co_filename, frame.f_lineno), frame.f_code
        if self._latest is None or self._latest[1] is not frame or self._latest[0] != known[0]:
            self._latest = known[0], frame
            self._note_names(frame)
        return known[0]

    def _note_names(self, frame: FrameType) -> None:
        """What the user's variables call the terms that they hold."""
        for name, x in frame.f_locals.items():
            term = x.raw if isinstance(x, Node) else x
            if isinstance(term, Term):
                self.names.setdefault(term, name)
