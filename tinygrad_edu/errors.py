"""Every exception this package raises on purpose.

    TinygradError
    ├── ShapeError        (ValueError)    shapes or axes that do not fit the operation
    ├── OutOfBoundsError  (IndexError)    an index, label or place that is not there
    ├── MatrixError       (LinAlgError)   a matrix that is singular, not positive definite, or not finite
    ├── DTypeError        (TypeError)     data that cannot be differentiated: integers, complex, objects, text
    ├── GraphError        (RuntimeError)  the recorded graph was released, changed in place, or cannot be copied
    ├── UnsupportedError  (TypeError)     a NumPy function, option or assignment that has no recorded counterpart
    ├── GradientError     (AssertionError) a gradient that is wrong, as a check found
    │   └── InconclusiveError              a gradient of which nothing could be told
    ├── UnreadableError   (TypeError)     code that cannot be read as an expression: it looks at numbers, or writes into arrays
    ├── DefinitionError   (TypeError)     an operation whose definition is incomplete or contradictory
    └── ExpressionError   (ValueError)    text that is not an expression of the op table

    GradientWarning       (UserWarning)   a gradient that is 0 because nothing depends on the input

Each message names the operation, what it got, what it expected, and the remedy. An op raises without its name; the engine
puts the name in front, once, as the user called it.
"""

from typing import Any

import numpy as np


class TinygradError(Exception):
    """Base of all errors raised on purpose by tinygrad_edu, nn and viz.

    Attributes:
        operation: the operation that the user called, which str() puts in front of the message; None outside of operations.
    """

    operation: str | None = None

    def __str__(self) -> str:
        reason = super().__str__()
        return reason if self.operation is None else f"{self.operation}: {reason}"


class ShapeError(TinygradError, ValueError):
    """Shapes, axes or seeds that do not fit the operation."""


class OutOfBoundsError(TinygradError, IndexError):
    """An index, label or place beyond those that there are."""


class MatrixError(TinygradError, np.linalg.LinAlgError):
    """A matrix that the operation is not defined for: singular, not positive definite, or not finite."""


class DTypeError(TinygradError, TypeError):
    """Data of a kind that cannot be differentiated: integer, boolean, complex, object or text."""


class GraphError(TinygradError, RuntimeError):
    """The recorded graph cannot serve: released, changed in place since, or not copyable."""


class UnsupportedError(TinygradError, TypeError):
    """A NumPy function, an option of one, or an assignment that has no recorded counterpart."""


class UnreadableError(TinygradError, TypeError):
    """Code that cannot be read as an expression, since it looks at numbers or writes into an array."""


class DefinitionError(TinygradError, TypeError):
    """An operation was defined without what every operation needs."""


class GradientError(TinygradError, AssertionError):
    """A gradient is wrong: it does not agree with the values of its function, or breaks a law that gradients obey.

    Args:
        message: what was found.
        report: the `testing.GradientReport` that says which numbers are wrong; None where a law is broken.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class InconclusiveError(GradientError):
    """Whether a gradient is right cannot be told, of none of its numbers: choose other inputs."""


class ExpressionError(TinygradError, ValueError):
    """Text refused as an expression; `position` is the index of the offending character.

    Args:
        message: what was refused, and what is accepted.
        position: index into the text, from 0; None where no single character is at fault.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class GradientWarning(UserWarning):
    """A gradient is 0 because the output does not depend on the input, which is seldom meant."""
