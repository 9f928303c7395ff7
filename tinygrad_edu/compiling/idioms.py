"""Idioms: calls of NumPy as a person writes them, with the same bits: x.mean(axis=1), g / 32, labels[:, None], a - b."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .expressions import ATOM, PRECEDENCE, Expressions, Text, sign_of
from .traced import Traced

_NAMES = {"np.absolute": "np.abs"}
_ELEMENTWISE = {"+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!="}
_SMALLEST = 2.0**-15  # of the factors that are written as divisors
_LARGEST = 2**24  # of the divisors of means: a whole number in float32


class Idioms(Expressions):
    """Writes terms as a person would."""

    def expression(self, term: Traced) -> Text:
        """function(*args, **params)."""
        return self._short(term) or super().expression(term)

    def callee(self, spelling: str) -> str:
        """The usual name of a function."""
        return _NAMES.get(spelling, spelling)

    def is_nested(self, x: Any, *spellings: str) -> bool:
        """Whether an operand is such a call that stands inside the expression that uses it."""
        return isinstance(x, Traced) and x.spelling in spellings and x not in self.names and x in self.texts

    def _short(self, term: Traced) -> Text | None:
        sign = sign_of(term)
        if sign in _ELEMENTWISE and len(term.args) == 2 and not term.params:
            return self._mean(term) or self._elementwise(sign, term)
        if term.spelling in ("np.reshape", ".reshape") and len(term.args) == 2 and not term.params:
            return self._reshaped(*term.args)
        return None

    def _elementwise(self, sign: str, term: Traced) -> Text | None:
        """a - b in place of a + -b, numbers in place of arrays full of them, / 32 in place of * 0.03125 in a backward pass."""
        a, b = term.args
        numbers = self._number(a, b, term), self._number(b, a, term)
        loose = self._unstretched(a, b, term), self._unstretched(b, a, term)
        binds = PRECEDENCE[sign]
        if sign == "*" and term.back:
            for x, y in ((loose[0] or self.value(a), numbers[1]), (loose[1] or self.value(b), numbers[0])):
                if type(y) is float and _SMALLEST <= y < 0.5 and math.frexp(y)[0] == 0.5:
                    return Text(f"{x.within(binds)} / {round(1 / y)}", binds)
        if sign == "+" and self.is_nested(b, "-", "np.negative") and len(b.args) == 1 and not b.params:
            return Text(
                f"{(loose[0] or self.value(numbers[0])).within(binds)} - {self.value(b.args[0]).within(binds + 1)}",
                binds,
            )
        if not any(loose) and numbers[0] is a and numbers[1] is b:
            return None
        first, second = [text or self.value(x) for text, x in zip(loose, numbers, strict=True)]
        return Text(f"{first.within(binds)} {sign} {second.within(binds + 1)}", binds)

    def _number(self, x: Any, other: Any, term: Traced) -> Any:
        """The number of which an operand is full."""
        if type(x) is not np.ndarray or not x.size or not isinstance(other, Traced) or other.shape != term.shape:
            return x
        if x.dtype != other.dtype or x.dtype.kind != "f" or self.is_captured(x) or not np.isfinite(x.flat[0]):
            return x
        if isinstance(term.behind, np.ndarray) and other.behind.strides != term.behind.strides:
            return x  # the layout, and with it the order of sums, would be that of the other operand
        is_full = x.tobytes() == np.full(x.shape, x.flat[0], x.dtype).tobytes()
        return float(str(x.flat[0])) if is_full else x  # of float32 the shortest text that is rounded to it

    def _unstretched(self, x: Any, other: Any, term: Traced) -> Text | None:
        """An operand that NumPy stretches by itself, as it was before; also times a number."""
        if not isinstance(other, Traced) or not isinstance(other.behind, np.ndarray):
            return None
        if self.is_nested(x, "np.broadcast_to") and isinstance(x.args[0], Traced) and x.args[0].shape:
            is_same = x.dtype == other.dtype and np.broadcast_shapes(x.args[0].shape, other.shape) == term.shape
            return self.value(x.args[0]) if is_same else None
        if self.is_nested(x, "*", "/") and type(x.args[1]) in (int, float):
            inner = self._unstretched(x.args[0], other, term)
            if inner is not None:
                binds = PRECEDENCE[x.spelling]
                return Text(f"{inner.within(binds)} {x.spelling} {self.value(x.args[1]).within(binds + 1)}", binds)
        return None

    def _mean(self, term: Traced) -> Text | None:
        """A sum divided by how many numbers it is of."""
        total, n = term.args
        if sign_of(term) != "/" or type(n) not in (int, float) or not self.is_nested(total, "np.add.reduce", "float"):
            return None
        is_number = total.spelling == "float"
        inner = total.args[0] if is_number else total
        if not self.is_nested(inner, "np.add.reduce") or not inner.size or not isinstance(inner.args[0], Traced):
            return None
        x = inner.args[0]
        written = self.method(inner)
        if written is None or n != x.size // inner.size or n > _LARGEST:
            return None
        if x.dtype != np.float64 and (is_number or x.dtype != np.float32):
            return None
        head, _, tail = written.text.rpartition(".sum(")
        return Text(f"float({head}.mean({tail})" if is_number else f"{head}.mean({tail}")

    def _reshaped(self, x: Any, shape: Any) -> Text | None:
        """A column as x[:, None]; else as the method of arrays."""
        if not isinstance(x, Traced) or type(x.behind) is not np.ndarray or type(shape) is not tuple or not shape:
            return None
        owner = self.value(x).within(ATOM)
        if len(x.shape) == 1 and shape in ((-1, 1), (x.size, 1)):
            return Text(f"{owner}[:, None]")
        return Text(f"{owner}.reshape({', '.join(self.value(n).text for n in shape)})")
