"""Solutions and wrong answers of chapter 5, and errors that its assertions catch."""

from functools import partial

import numpy as np
from chapter import wrong_rule

SOLUTIONS = {
    "Exercise 1": "h1, h2, h3 = network(2.0)\ndL_dw2 = 2 * (h3 - y) * 6 / 9 * h1 / 7",
    "Exercise 2": "multiplications_a, multiplications_b = 100 * 101, 299",
    "Exercise 3": "def slope(x):\n    return np.exp(np.sin(x**2)) * np.cos(x**2) * 2 * x",
}
WRONG = {
    "Exercise 1": "dL_dw2 = 6 / 9 * network(2.0)[0] / 7",
    "Exercise 2": "multiplications_a, multiplications_b = 100 * 101, 200",
    "Exercise 3": "def slope(x):\n    return np.exp(np.sin(x**2)) * np.cos(x**2)",
}
PLANTED = {
    "a quotient's slope is that of a sum": (
        partial(wrong_rule, "divide", lambda g, y, a, b: g),
        "The same with a cost at the end",
    ),
    "the sine's slope has another sign": (
        partial(wrong_rule, "sin", lambda g, y, x: -g * np.cos(x)),
        "The chain rule with matrices",
    ),
    "tanh's slope without the square": (
        partial(wrong_rule, "tanh", lambda g, y, x: g * (1 - y)),
        "Two runs a weight, one run a weight, one run",
    ),
    "the rule without the last factor": (("* 5.0 / 7 * inputs / 8", "* 5.0 / 7 * inputs"), "A table of the rule"),
    "an error is passed on without the division": (("to_h3 * 6 / 9", "to_h3 * 6"), "Six slopes from right to left"),
    "half a central difference": (("/ (2 * h)", "/ h"), "Two runs a weight, one run a weight, one run"),
    "a product from the wrong end": (
        ("(1, n, n), (1, n, n), (1, n, n))", "(n, n, n), (1, n, n), (1, n, n))"),
        "The same product from either end",
    ),
}
