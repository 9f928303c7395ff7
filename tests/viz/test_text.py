"""Names as a reader sees them."""

from __future__ import annotations

import numpy as np
import pytest

from viz.text import constant, listed, number, plain, statistics, tail


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


@pytest.mark.parametrize(
    ("path", "longest", "shown"),
    [("a.b.c", 5, "a.b.c"), ("aaaa.b.c", 5, "….b.c"), ("aa.bb.cc", 5, "….cc"), ("long", 2, "long"), ("", 0, "")],
)
def test_the_tail_of_a_path(path, longest, shown):
    assert tail(path, longest) == shown


def test_constants_keep_seven_digits():
    assert [constant(x) for x in (1.0001, 2, 0.1 + 0.2, np.float32(1.5))] == ["1.0001", "2", "0.3", "1.5"]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (2.5, ""),
        (np.array([]), ""),
        (np.array([[1.0, -2.0]]), "[[1, -2]]"),
        (np.zeros(40), f"[{'0, ' * 39}0]"),
        (np.zeros(41), ""),
    ],
)
def test_small_arrays_are_listed(data, shown):
    assert listed(data) == shown


def test_a_mean_that_rounds_to_zero_has_no_sign():
    mean, low, high = statistics([np.array([-0.3, 0.1, 0.2 - 1e-16])])
    assert (number(mean), number(low), number(high)) == ("0", "−0.3", "0.2")


def test_a_mean_that_is_rounding_is_zero():
    assert statistics([np.array([0.1, 0.2, -0.3])])[0] == 0
    assert statistics([np.array([1e-20, 3e-20])])[0] == pytest.approx(2e-20)
    assert statistics([np.array([np.inf, 1.0])])[0] == np.inf
    assert statistics([np.array([[7.0]])]) == (7.0,)


def test_rounding_is_measured_by_the_largest_number():
    """Of -1 and a thousand times 1/1000 the mean is some 1e-16, which is rounding beside 1, though not beside 1/1000."""
    numbers = np.array([-1.0, *[1e-3] * 1000])
    numbers[-1] += 2e-13
    mean, low, high = statistics([numbers])
    assert 1e-17 < abs(np.mean(numbers)) < 8e-16
    assert (mean, low, high) == (0, -1, 1e-3 + 2e-13)
