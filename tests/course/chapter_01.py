"""Solutions and wrong answers of chapter 1, and errors that its assertions catch."""

from functools import partial

import numpy as np
from chapter import wrong_rule

SOLUTIONS = {
    "Exercise 1": "slope_at_3 = grad(lambda x: -(x**2) + 4 * x)(3.0)",
    "Exercise 2": "def plane(x, y):\n    return land(*here) + 3 * (x - 1.5) + 4 * (y - 1)",
    "Exercise 3": "g = np.array(grad(land, argnums=(0, 1))(1.0, -1.0))\ndownhill = -g / np.linalg.norm(g)",
}
WRONG = {
    "Exercise 1": "slope_at_3 = 2.0",
    "Exercise 2": "def plane(x, y):\n    return 3 * (x - 1.5) + 4 * (y - 1)",
    "Exercise 3": "downhill = (2, -4)",
}
PLANTED = {
    "the slope of x**p without p": (
        partial(wrong_rule, "power", lambda g, y, x, p: g * x ** (p - 1)),
        "The tangent line",
    ),
    "the product rule without its second half": (
        partial(wrong_rule, "multiply", lambda g, y, a, b: g * 0.0, 1),
        "The tangent line",
    ),
    "cos with the wrong sign": (partial(wrong_rule, "sin", lambda g, y, x: -g * np.cos(x)), "The rules of derivatives"),
    "another landscape": (("x**2 + 2 * y**2", "x**2 + 3 * y**2"), "A cut through a landscape"),
    "a step along the gradient, not against it": (("valley(0 - 0.1", "valley(0 + 0.1"), "The sign tells the way down"),
    "cosine and sine exchanged": (
        ("np.cos(angles), np.sin(angles)\npoints", "np.sin(angles), np.cos(angles)\npoints"),
        "The directional derivative",
    ),
    "half a central difference": (("/ 2e-5", "/ 1e-5"), "Two runs for each number"),
    "a saddle with the signs of a bowl": (("return x**2 - y**2", "return x**2 + y**2"), "A saddle"),
}
