"""Testing gradients: numerical derivatives to hold them against, and (in `testing.strategies`) Hypothesis strategies."""

from .numerical import NumericalGradient, numerical_gradient

__all__ = ["NumericalGradient", "numerical_gradient"]
