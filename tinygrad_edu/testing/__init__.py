"""Testing gradients: check_gradients, check_vjp, numerical derivatives, and Hypothesis strategies in `testing.strategies`."""

from ..errors import GradientError, InconclusiveError
from .checking import check_gradients, check_vjp
from .numerical import NumericalGradient, numerical_gradient
from .problem import Verdict
from .report import Element, GradientReport

__all__ = [
    "Element",
    "GradientError",
    "GradientReport",
    "InconclusiveError",
    "NumericalGradient",
    "Verdict",
    "check_gradients",
    "check_vjp",
    "numerical_gradient",
]
