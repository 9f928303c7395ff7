"""Every exception this package raises on purpose.

    TinygradError
    ├── ShapeError        (ValueError)    shapes or axes that do not fit the operation
    ├── OutOfBoundsError  (IndexError)    an index, label or place out of range
    ├── MatrixError       (LinAlgError)   a matrix that is singular, not symmetric, not positive definite, or not finite
    ├── DTypeError        (TypeError)     data that cannot be differentiated: integers, complex, objects, text
    ├── GraphError        (RuntimeError)  a recorded graph that was released, modified in place, or cannot be copied
    ├── UnsupportedError  (TypeError)     a NumPy function, option or assignment that has no recorded counterpart
    ├── GradientError     (AssertionError) a wrong gradient, found by a check
    │   └── InconclusiveError              a gradient that could not be checked
    ├── UnreadableError   (TypeError)     code that cannot be read as an expression: it looks at numbers, or writes into arrays
    ├── DefinitionError   (TypeError)     an operation whose definition is incomplete or contradictory
    └── ExpressionError   (ValueError)    text that is not an expression of the op table

    GradientWarning       (UserWarning)   a gradient that is 0 because the output does not depend on the input

Each message states the operation, the actual and the expected input, and the remedy. An op raises without its name; the
engine prepends the name, once, as the user called it.
"""

from typing import Any

import numpy as np


class TinygradError(Exception):
    """Base of all errors raised on purpose by tinygrad_edu, nn and viz.

    Attributes:
        operation: the operation that the user called, which str() prepends to the message; None outside of operations.
        failed: the op of the registry that failed, and its operands; None outside of operations. It is not pickled.
    """

    operation: str | None = None
    failed: tuple[Any, tuple[Any, ...]] | None = None

    def __str__(self) -> str:
        reason = super().__str__()
        return reason if self.operation is None else f"{self.operation}: {reason}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the operands: Values of a graph cannot be pickled."""
        return type(self), self.args, {name: x for name, x in vars(self).items() if name != "failed"}


class ShapeError(TinygradError, ValueError):
    """Shapes, axes or seeds that do not fit the operation."""


class OutOfBoundsError(TinygradError, IndexError):
    """An index, label or place out of range."""


class MatrixError(TinygradError, np.linalg.LinAlgError):
    """A matrix for which the operation is not defined: singular, not symmetric, not positive definite, or not finite."""


class DTypeError(TinygradError, TypeError):
    """Data of a kind that cannot be differentiated: integer, boolean, complex, object or text."""


class GraphError(TinygradError, RuntimeError):
    """A recorded graph that was released, modified in place, or cannot be copied."""


class UnsupportedError(TinygradError, TypeError):
    """A NumPy function, an option of one, or an assignment that has no recorded counterpart."""


class UnreadableError(TinygradError, TypeError):
    """Code that cannot be read as an expression, since it looks at numbers or writes into an array."""


class DefinitionError(TinygradError, TypeError):
    """An operation whose definition is incomplete or contradictory."""


class GradientError(TinygradError, AssertionError):
    """A wrong gradient: it disagrees with the values of its function, or breaks a law that gradients obey.

    Args:
        message: the finding.
        report: the `testing.GradientReport` that lists the wrong numbers; None if a law is broken.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class InconclusiveError(GradientError):
    """The check was inconclusive for every number of a gradient: choose other inputs."""


class ExpressionError(TinygradError, ValueError):
    """Text refused as an expression; `position` is the index of the offending character.

    Args:
        message: the refused and the accepted text.
        position: index into the text, from 0; None if no single character is at fault.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class GradientWarning(UserWarning):
    """A gradient is 0 because the output does not depend on the input, which is rarely intended."""
