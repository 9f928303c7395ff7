"""Solutions and wrong answers of chapter 3, and errors that its assertions catch."""

from functools import partial

from chapter import wrong_rule

SOLUTIONS = {
    "Exercise 1": "w_and_b = np.linalg.solve([[1, 1], [3, 1]], np.log([0.5 / 0.5, 0.8 / 0.2]))",
    "Exercise 2": "after_one_step = -2 * np.array(by_hand(0.0, 0.0))",
    "Exercise 3": "def momentum_step(parameter, g, v, eta):\n    v = 0.9 * v + g\n    return parameter - eta * v, v",
}
WRONG = {
    "Exercise 1": "w_and_b = (0.7, 0.7)",
    "Exercise 2": "after_one_step = 2 * np.array(by_hand(0.0, 0.0))",
    "Exercise 3": "def momentum_step(parameter, g, v, eta):\n    return parameter - eta * v, 0.9 * v + g",
}
PLANTED = {
    "the sigmoid's slope without (1 - y)": (
        partial(wrong_rule, "sigmoid", lambda g, y, x: g * y),
        "The sigmoid is a line nowhere",
    ),
    "a gradient by hand without the slope": (
        ("delta = (f - ys) * f * (1 - f)", "delta = f - ys"),
        "Gradients by hand and by the engine",
    ),
    "uphill": (
        ("w, b = w - eta * dw, b - eta * db\n    return w, b", "w, b = w + eta * dw, b + eta * db\n    return w, b"),
        "The algorithm",
    ),
    "an epoch too few": (("eta=1.0, epochs=1000", "eta=1.0, epochs=900"), "The algorithm"),
    "a Taylor series without its half": (
        ("0.5 * eta**2 * curvature", "eta**2 * curvature"),
        "The Taylor series and its remainder",
    ),
    "the loss without its half": (("return 0.5 * np.sum((sigmoid", "return np.sum((sigmoid"), "Two points and a loss"),
    "another point": (("np.array([0.2, 0.9])", "np.array([0.2, 0.8])"), "Two points and a loss"),
    "descent without momentum": (
        ('"momentum": {"momentum": 0.9}', '"momentum": {"momentum": 0.0}'),
        "Momentum and Nesterov",
    ),
}
