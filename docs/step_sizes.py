"""Draws docs/step_sizes.png: the error of four finite differences against the step h. Run: python docs/step_sizes.py

The function is exp(x) sin(x), whose derivative exp(x) (sin(x) + cos(x)) is known. Each error is the root mean square
over 101 numbers x between 0.9 and 1.1: rounding errors jump from one x to the next.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

X = np.linspace(0.9, 1.1, 101)
SLOPE = np.exp(X) * (np.sin(X) + np.cos(X))
EPS = float(np.finfo(float).eps)
STEPS = 10.0 ** np.arange(-16, 0.01, 0.1)
BLUE, ORANGE, GREEN, PURPLE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
)  # Okabe & Ito's, distinguishable with common colour blindness


def f(x: NDArray[Any]) -> NDArray[Any]:
    """exp(x) sin(x), of real and complex numbers."""
    return np.exp(x) * np.sin(x)


def forward(h: float) -> NDArray[Any]:
    """One step to the right."""
    return (f(X + h) - f(X)) / h


def central(h: float) -> NDArray[Any]:
    """A step to both sides."""
    return (f(X + h) - f(X - h)) / (2 * h)


def ridders(h: float) -> NDArray[Any]:
    """Six central differences with steps h, h/2, h/4, ..., extrapolated to h = 0."""
    row = [central(h)]
    for n in range(1, 6):
        below = [central(h / 2**n)]
        for k, coarser in enumerate(row):
            below.append(below[-1] + (below[-1] - coarser) / (4 ** (k + 1) - 1))
        row = below
    return row[-1]


def complex_step(h: float) -> NDArray[Any]:
    """A step along the imaginary axis, without subtraction."""
    return f(X + 1j * h).imag / h


def error(method: Callable[[float], NDArray[Any]], h: float) -> float:
    """Relative error, root mean square."""
    return float(np.sqrt(np.mean((method(h) / SLOPE - 1) ** 2)))


def picture() -> bytes:
    """The plot as a PNG file, the same bytes each time."""
    with matplotlib.style.context("default"):
        figure = Figure(figsize=(9, 6), dpi=110)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.085, 0.095, 0.895, 0.835))
        axes.set(xscale="log", yscale="log", xlim=(1e-16, 1), ylim=(2e-17, 20))
        for method, colour, width, style in (
            (complex_step, PURPLE, 6.0, "-"),
            (ridders, GREEN, 2.2, "-"),
            (forward, ORANGE, 2.2, "-"),
            (central, BLUE, 2.2, "-"),
        ):
            axes.plot(STEPS, [error(method, float(h)) for h in STEPS], style, color=colour, lw=width)
        _labels(axes)
        _error_terms(axes)
        axes.set_xlabel("step h", fontsize=12)
        axes.set_ylabel("relative error of the derivative", fontsize=12)
        axes.set_title(
            "Too small a step is as bad as too large a one: the derivative of exp(x) sin(x) near 1", fontsize=13
        )
        axes.set_xticks(10.0 ** np.arange(-16, 1, 2))
        axes.set_yticks(10.0 ** np.arange(-16, 1, 2))
        axes.minorticks_off()
        axes.grid(color="#E4E4E4", lw=0.7)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _labels(axes: Any) -> None:
    """The name of each curve beside it, and the best step."""
    bold = {"fontsize": 11.5, "fontweight": "bold", "va": "center"}
    axes.text(1.5e-3, 8e-3, "forward difference", color="#B34E00", ha="right", **bold)
    axes.text(5e-7, 5e-12, "central difference", color=BLUE, ha="right", **bold)
    axes.text(1.2e-2, 2.5e-15, "Ridders' extrapolation,\nstarted at h", color="#00805C", ha="right", **bold)
    axes.text(1.5e-16, 9e-16, "complex step", color="#A0527C", ha="left", **bold)
    for method, place, offset, side, text in (
        (forward, EPS ** (1 / 2), (-8, -24), "right", "best h ≈ √ε:\n8 digits"),
        (central, EPS ** (1 / 3), (12, -30), "left", "best h ≈ ∛ε:\n10 digits"),
    ):
        at = (place, error(method, place))
        axes.plot(*at, "o", color="black", ms=5, zorder=5)
        axes.annotate(text, at, offset, textcoords="offset points", fontsize=10, ha=side, va="center")


def _error_terms(axes: Any) -> None:
    """The two sources of error: the range in which each dominates, with its name along the line."""
    second = float(np.median(np.abs(2 * np.exp(X) * np.cos(X) / SLOPE)))
    third = float(np.median(np.abs(2 * np.exp(X) * (np.cos(X) - np.sin(X)) / SLOPE)))
    value = float(np.median(np.abs(f(X) / SLOPE)))
    box = axes.get_window_extent()
    decades = [np.log10(high / low) for low, high in (axes.get_xlim(), axes.get_ylim())]
    shape = (box.height / decades[1]) / (box.width / decades[0])
    for name, h, line, power, side in (
        ("rounding:  ε |f| / h", 1e-12, lambda h: value * EPS / h, -1, -16),
        ("truncation:  h |f''| / 2", 3e-5, lambda h: second * h / 2, 1, -13),
        ("truncation:  h² |f'''| / 6", 3e-3, lambda h: third * h * h / 6, 2, -15),
    ):
        angle = math.atan(power * shape)
        shift = (-side * math.sin(angle), side * math.cos(angle))
        axes.annotate(
            name,
            (h, line(h)),
            shift,
            textcoords="offset points",
            rotation=math.degrees(angle),
            rotation_mode="anchor",
            ha="center",
            va="center",
            fontsize=11,
        )


if __name__ == "__main__":
    (Path(__file__).parent / "step_sizes.png").write_bytes(picture())
