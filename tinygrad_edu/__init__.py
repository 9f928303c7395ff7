"""tinygrad-edu: reverse-mode automatic differentiation over NumPy, small enough to read in an afternoon.

>>> from tinygrad_edu import Value, tanh
>>> a, b = Value(2.0), Value(-3.0)
>>> y = tanh(a * b + 5.5)
>>> y.backward()
>>> a.grad, b.grad
(-2.3593..., 1.5728...)
"""

from . import linalg, ops
from .checkpointing import checkpoint
from .definition import derived, elementwise, operation, registry
from .domain import CONDITION, DISTINCT, NONZERO, POSITIVE, REAL, Domain, Sample
from .errors import (
    DefinitionError,
    DTypeError,
    ExpressionError,
    GradientError,
    GradientWarning,
    GraphError,
    InconclusiveError,
    MatrixError,
    OutOfBoundsError,
    ShapeError,
    TinygradError,
    UnsupportedError,
)
from .node import Node
from .op import Op, Rule, rule
from .ops import *  # noqa: F403  # the op table is public as it stands
from .recording import enable_grad, no_grad
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .tree import tree_map
from .value import Value

__version__ = "0.2.0.dev0"

__all__ = [
    "CONDITION",
    "DISTINCT",
    "NONZERO",
    "POSITIVE",
    "REAL",
    "DTypeError",
    "DefinitionError",
    "Domain",
    "ExpressionError",
    "GradientError",
    "InconclusiveError",
    "GradientWarning",
    "GraphError",
    "MatrixError",
    "Node",
    "Op",
    "OutOfBoundsError",
    "Rule",
    "Sample",
    "ShapeError",
    "TinygradError",
    "UnsupportedError",
    "Value",
    "checkpoint",
    "derived",
    "elementwise",
    "enable_grad",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "linalg",
    "no_grad",
    "operation",
    "registry",
    "rule",
    "tree_map",
    "value_and_grad",
    "vjp",
    *[name for name, item in vars(ops).items() if callable(item) and not name.startswith("_")],
]
