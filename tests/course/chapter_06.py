"""Solutions and wrong answers of chapter 6, and errors that its assertions catch."""

from functools import partial

from chapter import wrong_rule

SOLUTIONS = {
    "Exercise 1": "count = sum(p.size for p in nn.MLP((784, 30, 10)).parameters())",
    "Exercise 2": "errors = (-0.5 * 0.25, 0.2 * 0.16, -0.2 * 0.25)",
    "Exercise 3": "def errors_below(W, delta, a):\n    return W.T @ delta * (1 - a**2)",
}
WRONG = {
    "Exercise 1": "count = 784 * 30 + 30 * 10",
    "Exercise 2": "errors = (-0.5, 0.2, -0.2)",
    "Exercise 3": "def errors_below(W, delta, a):\n    return W.T @ delta * a * (1 - a)",
}
PLANTED = {
    "the sigmoid's slope without its second factor": (
        partial(wrong_rule, "sigmoid", lambda g, y, x: g * y),
        "The four formulas beside the engine",
    ),
    "a linear layer's bias gets twice the error": (
        partial(wrong_rule, "linear", lambda g, y, x, w, b: 2 * g, 2),
        "BP2 in a row of four neurons, and with two in each layer",
    ),
    "BP1 without the slope of the activation": (
        ("delta, gradients = (a - y) * a * (1 - a), []", "delta, gradients = (a - y), []"),
        "Checked by slopes",
    ),
    "BP2 without the slope of the activation": (
        ("delta = W.T @ delta * below * (1 - below)", "delta = W.T @ delta"),
        "Checked by slopes",
    ),
    "the weights' indices exchanged": (("W1.data[1, k] * a0[k]", "W1.data[k, 1] * a0[k]"), "The notation on a network"),
    "a mean over outputs": (
        ('"loss": nn.HalfMSELoss(reduction="batchmean")', '"loss": nn.HalfMSELoss()'),
        "The same by fit",
    ),
}
