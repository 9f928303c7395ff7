"""The checks at the end of each chapter: open, right, or wrong with a hint. They never raise, so that a chapter runs unsolved.

>>> check("Exercise 1", ..., 4.0, hint="differentiate x²")
Exercise 1: open
>>> check("Exercise 1", 3.0, 4.0, hint="differentiate x²")
Exercise 1: wrong, got 3.0. Hint: differentiate x²
False
>>> check("Exercise 1", 4.0, 4.0, hint="differentiate x²")
Exercise 1: right
True
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from tinygrad_edu import Value


class NothingError(Exception):
    """A function of the reader's returns None."""


class UnsolvedError(Exception):
    """A function of the reader's returns `...` still."""


def check(name: str, answer: Any, right: Any, *, hint: str, tolerance: float = 1e-3) -> bool | None:
    """Print whether an exercise is open, right or wrong.

    Args:
        name: of the exercise, such as "Exercise 1".
        answer: the reader's: a number, an array, a text, or a function. `...` in it, or returned by it, means open.
        right: the right answer, or a function that says of an answer whether it is right.
        hint: printed with a wrong answer.
        tolerance: of numbers, relative and absolute, so that rounded answers count.

    Returns:
        True if right, False if wrong, None if open.
    """
    got = "the function is not the right one" if callable(answer) else f"got {answer!r:.80}"
    try:
        outcome = None if unsolved(answer) else agrees(answer, right, tolerance)
    except UnsolvedError:
        outcome = None
    except NothingError:
        outcome, got = False, "the function returned None: end it with `return`"
    except Exception as error:  # whatever the reader's function does
        outcome, got = False, f"{got}: {type(error).__name__}: {error}".partition("\n")[0]
    said = {None: "open", True: "right", False: f"wrong, {got}. Hint: {hint}"}[outcome]
    print(f"{name}: {said}")
    return outcome


def unsolved(answer: Any) -> bool:
    """Whether `...` is the answer, or part of it."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    return answer is ... or (isinstance(answer, (tuple, list)) and any(map(unsolved, answer)))


def agrees(answer: Any, right: Any, tolerance: float) -> bool:
    """Whether an answer is right; raises whatever it raises."""
    if callable(right):
        return bool(right(solved(answer) if callable(answer) else answer))
    if isinstance(right, (str, dict)):
        return bool(answer == right)
    if isinstance(answer, Value):
        answer = answer.data
    given, wanted = np.asarray(answer, float), np.asarray(right, float)
    return given.shape == wanted.shape and np.allclose(given, wanted, rtol=tolerance, atol=tolerance)


def solved(function: Callable[..., Any]) -> Callable[..., Any]:
    """The reader's function, which raises UnsolvedError where it returns `...`, and NothingError where it returns None."""

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if unsolved(result):
            raise UnsolvedError
        if result is None:
            raise NothingError
        return result

    return called
