"""Solutions and wrong answers of chapter 1, and errors that its assertions catch."""

from functools import partial

from chapter import wrong_rule

SOLUTIONS = {f"Exercise {k}": "slope_at_1 = -1.0" for k in (1, 2, 3)}
WRONG = {f"Exercise {k}": "slope_at_1 = 1.0" for k in (1, 2, 3)}
PLANTED = {
    "the slope of x² is x": (partial(wrong_rule, "power", lambda g, y, x, p: g * x), "The tangent line"),
    "another line": (("3 * x", "2 * x"), "The tangent line"),
}
