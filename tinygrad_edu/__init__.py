"""tinygrad-edu: reverse-mode automatic differentiation over NumPy, every operation defined once.

>>> from tinygrad_edu import Value, tanh
>>> a, b = Value(2.0), Value(-3.0)
>>> y = tanh(a * b + 5.5)
>>> y.backward()
>>> a.grad, b.grad
(-2.3593..., 1.5728...)
"""

import importlib
import opcode
import sys
import typing

# From the lowest layer up: deeply nested imports took 5% of this package's import time.
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
    UnreadableError,
    UnsupportedError,
)
from . import attribution  # noqa: F401  # from here on, warnings point at the user's line
from .domain import CONDITION, DISTINCT, NONZERO, POSITIVE, REAL, Domain, Sample
from .op import Op, Rule, rule
from .node import Node
from .snapshots import debug
from .modes import enable_grad, no_grad
from .definition import derived, elementwise, operation, registry
from .ops import *  # noqa: F403  # the whole op table is public
from . import elsewhere, linalg, ops
from .value import Value
from .tree import tree_map
from .term import Term
from .transforms import derivative, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .checkpointing import checkpoint

if typing.TYPE_CHECKING:
    from .compiling import Compiled, CompileWarning, GuardError, compile
    from .formulas import Formula, formula
    from .reading import forward_term, rule_formula, rule_term, said_term

__version__ = "0.2.0.dev0"

__all__ = [
    "CONDITION",
    "DISTINCT",
    "NONZERO",
    "POSITIVE",
    "REAL",
    "DTypeError",
    "CompileWarning",
    "Compiled",
    "DefinitionError",
    "Domain",
    "Formula",
    "ExpressionError",
    "GradientError",
    "InconclusiveError",
    "GradientWarning",
    "GraphError",
    "GuardError",
    "MatrixError",
    "Node",
    "Op",
    "OutOfBoundsError",
    "Rule",
    "Sample",
    "ShapeError",
    "TinygradError",
    "Term",
    "UnreadableError",
    "UnsupportedError",
    "Value",
    "checkpoint",
    "compile",
    "debug",
    "derivative",
    "derived",
    "elementwise",
    "enable_grad",
    "formula",
    "forward_term",
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
    "rule_formula",
    "rule_term",
    "said_term",
    "tree_map",
    "value_and_grad",
    "vjp",
    *[name for name, item in vars(ops).items() if callable(item) and not name.startswith("_")],
]


_LATER = {  # public names of modules that are imported when asked for: they took a tenth of this package's import time
    "Formula": "formulas",
    "CompileWarning": "compiling",
    "Compiled": "compiling",
    "GuardError": "compiling",
    "compile": "compiling",
    "formula": "formulas",
    "forward_term": "reading",
    "rule_formula": "reading",
    "rule_term": "reading",
    "said_term": "reading",
}

_REMOVED = {  # public until 0.1, and the replacement
    "cofactor": "tinygrad_edu.ops.matrices.determinant.cofactor, the gradient of linalg.det",
    "conv": "conv1d or conv2d",
    "conv_transpose": "conv_transpose1d or conv_transpose2d",
    "conv_weight": "the gradient of conv1d or conv2d, or tinygrad_edu.ops.networks.correlation.conv_weight",
    "center": "x - mean(x, axis, keepdims=True), or layer_norm",
    "expression": "tinygrad_edu.parsing",
    "getitem": "x[index]",
    "index_add": "at(x, index).add(values)",
    "index_max": "at(x, index).max(values)",
    "index_min": "at(x, index).min(values)",
    "index_multiply": "at(x, index).multiply(values)",
    "index_set": "at(x, index).set(values)",
    "least_squares": "linalg.lstsq(a, b)[0]",
    "matrix_diagonal": "linalg.diagonal",
    "matrix_trace": "linalg.trace",
    "max_pool": "max_pool1d or max_pool2d",
    "p_norm": "norm(x, ord=p), or linalg.vector_norm(x, ord=p)",
    "scatter": "at(zeros, index).add(values)",
    "step": "heaviside(x, 1.0)",
    "sum_pool": "avg_pool1d or avg_pool2d times the window's size",
    "sum_unpool": "the gradient of avg_pool1d or avg_pool2d",
    "tracing": "tinygrad_edu.linearization",
}


def __getattr__(name: str) -> object:
    """A name of `_LATER`; for a name of an earlier version or another library an error that names ours."""
    if name in _LATER:
        found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
        return found
    if name in _REMOVED:
        message = f"tinygrad_edu.{name} is not public since 0.2; use {_REMOVED[name]}"
    elif name in elsewhere.PACKAGE:
        message = f"tinygrad_edu.{name} does not exist; write {elsewhere.PACKAGE[name]}"
    else:
        raise AttributeError(f"module 'tinygrad_edu' has no attribute {name!r}")
    asker = sys._getframe(1)
    if asker.f_code.co_code[asker.f_lasti] == opcode.opmap["IMPORT_FROM"]:  # it drops an AttributeError's message
        raise ImportError(message)
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
