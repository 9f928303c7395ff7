"""Five NumPy programs with gradients, run as they are and compiled: the numbers are the same, to the last bit.

    python examples/compiled.py            all five, with times
    python examples/compiled.py energies   one of them, with its source

Each function returns the program to differentiate and its arguments.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from scipy.optimize import minimize

import tinygrad_edu as tg
from tinygrad_edu import compile, value_and_grad

Program = tuple[Callable[..., Any], tuple[Any, ...]]


def logistic() -> Program:
    """Logistic regression: the mean loss of 400 examples of 5 numbers, with a penalty."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 5))
    y = (x @ np.array([1.0, -2.0, 0.5, 0.0, 1.5]) + rng.normal(size=400) > 0) * 1.0

    def loss(w, b, x, y):
        z = x @ w + b
        return tg.mean(tg.softplus(z) - y * z) + 0.01 * (w * w).sum()

    return loss, (np.zeros(5), 0.0, x, y)


def gaussian_process() -> Program:
    """A Gaussian process: minus the log likelihood of 40 observations, of length scale, amplitude and noise."""
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(0, 5, 40))
    y = np.sin(2 * x) + 0.1 * rng.normal(size=40)

    def loss(parameters, x, y):
        scale, amplitude, noise = np.exp(parameters)
        distances = (x[:, None] - x[None, :]) ** 2
        kernel = amplitude * np.exp(-0.5 * distances / scale**2) + noise * np.eye(40)
        factor = np.linalg.cholesky(kernel)
        z = np.linalg.solve(factor, y)
        return 0.5 * (z * z).sum() + np.log(np.diagonal(factor)).sum()

    return loss, (np.array([0.0, 0.0, -3.0]), x, y)


def runge_kutta() -> Program:
    """A pendulum with friction, by Runge and Kutta's method: how far 200 steps are from 200 observations."""
    times = np.arange(1, 201) * 0.05
    observed = np.exp(-0.1 * times) * np.cos(1.5 * times)

    def slope(state, omega, friction):
        angle, speed = state
        return speed, -(omega**2) * tg.sin(angle) - friction * speed

    def loss(omega, friction, observed):
        angle, speed, h, total = 1.0, 0.0, 0.05, 0.0
        for i in range(200):
            a1, s1 = slope((angle, speed), omega, friction)
            a2, s2 = slope((angle + h / 2 * a1, speed + h / 2 * s1), omega, friction)
            a3, s3 = slope((angle + h / 2 * a2, speed + h / 2 * s2), omega, friction)
            a4, s4 = slope((angle + h * a3, speed + h * s3), omega, friction)
            angle = angle + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
            speed = speed + h / 6 * (s1 + 2 * s2 + 2 * s3 + s4)
            total = total + (angle - observed[i]) ** 2
        return total / 200

    return loss, (1.4, 0.1, observed)


def energies() -> Program:
    """The energy of 50 particles that attract and repel each other (Lennard-Jones); the gradient is minus the force."""
    grid = np.stack(np.meshgrid(*[np.arange(4) * 1.2] * 3), axis=-1).reshape(-1, 3)[:50]
    points = grid + 0.05 * np.random.default_rng(2).normal(size=grid.shape)
    first, second = np.triu_indices(50, 1)

    def energy(points):
        apart = points[first] - points[second]
        square = (apart * apart).sum(axis=1)
        attraction = 1 / square**3
        return 4 * (attraction * attraction - attraction).sum()

    return energy, (points,)


def char_rnn() -> Program:
    """A recurrent network that reads 25 letters, one by one, and predicts the next: its cross-entropy."""
    text = "to be or not to be that is"
    letters = sorted(set(text))
    codes = np.array([letters.index(letter) for letter in text])
    rng = np.random.default_rng(3)
    n, hidden = len(letters), 32
    parameters = {
        "Wx": 0.1 * rng.normal(size=(n, hidden)),
        "Wh": 0.1 * rng.normal(size=(hidden, hidden)),
        "Wy": 0.1 * rng.normal(size=(hidden, n)),
        "b": np.zeros(hidden),
    }

    def loss(p, codes):
        h, total = np.zeros(hidden), 0.0
        for t in range(25):
            h = np.tanh(p["Wx"][codes[t]] + h @ p["Wh"] + p["b"])
            total = total + tg.cross_entropy((h @ p["Wy"])[None], codes[t + 1 : t + 2])
        return total / 25

    return loss, (parameters, codes)


EXAMPLES = {f.__name__: f for f in (logistic, gaussian_process, runge_kutta, energies, char_rnn)}


def fitted() -> float:
    """Logistic regression under scipy.optimize.minimize, which asks the compiled program for each step. Returns the loss."""
    loss, (w, b, x, y) = logistic()
    step = compile(value_and_grad(lambda theta: loss(theta[:-1], theta[-1], x, y)))
    return float(minimize(step, np.append(w, b), jac=True).fun)


def seconds(step: Callable[[], Any]) -> float:
    """The shortest of five turns."""

    def turn() -> float:
        start = perf_counter()
        step()
        return perf_counter() - start

    return min(turn() for _ in range(5))


def run(name: str, out: Callable[[str], None] = print) -> tuple[Any, Any, Any]:
    """Run an example both ways, and print times and what the source calls as it is. Returns both results and the program."""
    program, arguments = EXAMPLES[name]()
    eager = value_and_grad(program)
    compiled = compile(eager)
    compiled(*arguments)
    times = [seconds(lambda f=f: f(*arguments)) for f in (eager, compiled)]
    needs = f"; it calls {', '.join(compiled.needs)}" if compiled.needs else ""
    out(f"{name}: {times[0] * 1e3:.2f} ms, compiled {times[1] * 1e3:.2f} ms{needs}")
    return eager(*arguments), compiled(*arguments), compiled


def main(names: list[str]) -> None:
    """Run the named examples, or all; of a single one show the source."""
    for name in names or EXAMPLES:
        *_, compiled = run(name)
        if names:
            print(compiled.source)
    if not names:
        print(f"logistic regression, fitted: loss {fitted():.6f}")


if __name__ == "__main__":
    main(sys.argv[1:])
