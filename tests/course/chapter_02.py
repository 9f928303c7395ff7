"""Solutions and wrong answers of chapter 2, and errors that its assertions catch."""

from functools import partial

import numpy as np
from chapter import wrong_rule

SOLUTIONS = {
    "Exercise 1": 'guesses = dict(zip("ABCDEF", ["saddle", "dome", "slope", "two hills", "valley", "bowl"]))',
    "Exercise 2": "distance = 1 / np.linalg.norm(grad(oval, argnums=(0, 1))(3.0, 1.0))",
    "Exercise 3": "def level_way(x, y):\n    a, b = grad(oval, argnums=(0, 1))(x, y)\n    return np.array([-b, a]) / np.hypot(a, b)",
}
WRONG = {
    "Exercise 1": 'guesses = dict(zip("ABCDEF", ["saddle", "bowl", "slope", "two hills", "valley", "dome"]))',
    "Exercise 2": "distance = 1 / 6",
    "Exercise 3": "def level_way(x, y):\n    a, b = grad(oval, argnums=(0, 1))(x, y)\n    return np.array([a, b]) / np.hypot(a, b)",
}
PLANTED = {
    "the slope of x**p is half": (partial(wrong_rule, "power", lambda g, y, x, p: g * x), "Distance and steepness"),
    "the slope of the sine is another function": (
        partial(wrong_rule, "sin", lambda g, y, x: g * np.exp(x)),
        "Along a line, and across it",
    ),
    "circles of the wrong radius": (("np.sqrt(height) *", "height *"), "Slice, mark, flatten"),
    "another ellipse": (("2 / np.sqrt(3) * np.sin(t)", "2 * np.sin(t)"), "Along a line, and across it"),
    "distance times slope": (("step / 4", "step * 4"), "More lines, a better rule"),
    "a step uphill": (("-rate *", "rate *"), "Each segment is a step"),
    "too large a step": (("lr=0.11", "lr=0.13"), "The first step points elsewhere"),
}
