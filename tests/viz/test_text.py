"""Names as a reader sees them."""

from __future__ import annotations

import pytest

from viz.text import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("loss", "loss"),
        ("", ""),
        ("two  spaces", "two  spaces"),
        ("new\nline", r"new\nline"),
        ("\x00\x07", r"\x00\x07"),
        ("\u202eright to left", r"\u202eright to left"),
        ("\ud800", r"\ud800"),
        ("中文 עברית é 🙂", "中文 עברית é 🙂"),
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 39 + "…"),
        ("x" * 10_000, "x" * 39 + "…"),
        ("\n" * 40, "\\n" * 19 + "\\…"),
    ],
)
def test_plain(text, shown):
    assert plain(text) == shown
