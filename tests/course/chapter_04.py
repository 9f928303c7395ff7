"""Solutions and wrong answers of chapter 4, and errors that its assertions catch."""

from functools import partial

from chapter import wrong_rule

SOLUTIONS = {
    "Exercise 1": "gradient_at_0_1 = grad(lambda C, m: 0.5 * sum((C + m * a - b) ** 2 for a, b in [(0, 1), (1, 2), (2, 4)]), argnums=(0, 1))(0.0, 1.0)",
    "Exercise 2": "updates = 30 * 50_000 // 10",
    "Exercise 3": "def scale_back(scaled, least, greatest):\n    return least + scaled * (greatest - least)",
}
WRONG = {
    "Exercise 1": "gradient_at_0_1 = (-4.0, -4.0)",
    "Exercise 2": "updates = 5000",
    "Exercise 3": "def scale_back(scaled, least, greatest):\n    return scaled * (greatest - least)",
}
PLANTED = {
    "the slope of a square without its 2": (
        partial(wrong_rule, "power", lambda g, y, x, p: g * x ** (p - 1)),
        "The first step",
    ),
    "an office moved": (("1.36, 1.38", "1.36, 1.39"), "The first step"),
    "scaled by the greatest alone": (
        ("x = area_scaler.fit_transform(areas[:, None])[:, 0]", "x = areas / areas.max()"),
        "Min-max scaling",
    ),
    "a prediction not scaled back": (
        ("rent_scaler.inverse_transform(exact[0] + exact[1] * scaled)", "exact[0] + exact[1] * scaled"),
        "The rent of a new office",
    ),
    "the wrong sign of the Newton step": (
        ("start - np.linalg.solve", "start + np.linalg.solve"),
        "Closed form against descent",
    ),
    "the mean in place of the sum": (('reduction="sum"', 'reduction="mean"'), "Forward, backward, update"),
    "gradients that add up": (("    optimizer.zero_grad()\n", ""), "Forward, backward, update"),
    "a rate ten times as large": (("SGD(p, lr=0.01), 400", "SGD(p, lr=0.1), 400"), "It has no minimum"),
    "tanh as the second derivative": (("second = derivative(first)", "second = first"), "log-cosh"),
}
