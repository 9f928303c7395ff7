"""Testing gradients: check_gradients, check_vjp, numerical derivatives, and Hypothesis strategies in `testing.strategies`."""

from ..errors import GradientError
from .checking import check_gradients, check_vjp
from .examination import Verdict
from .numerical import NumericalGradient, numerical_gradient
from .report import Element, GradientReport

__all__ = [
    "Element",
    "GradientError",
    "GradientReport",
    "NumericalGradient",
    "Verdict",
    "check_gradients",
    "check_vjp",
    "numerical_gradient",
]
