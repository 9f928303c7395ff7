"""The fast form of a program: the terms of the readable one, computed in place and in memory that is kept between calls.

Functions are looked up once and constants are made once. Each call at the same time has memory of its own.
"""

from __future__ import annotations

import builtins
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context, ContextVar, copy_context
from functools import reduce
from typing import Any

import numpy as np

from .expressions import OF_NUMBERS, Expressions, Text, definition
from .memory import REDUCTIONS, Memory, ufunc_of
from .needed import Needed
from .source import Writer
from .traced import Traced

_SETS = 4  # of memory that is kept, for calls at the same time
_NESTED = 100  # characters of an expression of numbers
_DEFAULTS = {"axis": 0, "dtype": None, "out": None, "keepdims": False}  # of ufunc.reduce, by position
_METHODS = {".sum": "np.add.reduce", ".max": "np.maximum.reduce", ".min": "np.minimum.reduce"}
_SMALL = 2**16  # bytes of a product; np.dot first fills its result with zeros
_NUMBERS = {float, int, bool}
_EXACT = 2**24  # integers up to this are the same in float32 and float64


class FastWriter(Writer):
    """Writes the program of one trace, to be run.

    Attributes:
        constants: all that the text refers to.
    """

    def __init__(
        self,
        needed: Needed,
        symbols: Mapping[Traced, str],
        captured: Sequence[np.ndarray[Any, Any]],
        captured_names: Mapping[int, str],
    ) -> None:
        super().__init__(needed, symbols, captured, captured_names)
        self.taken |= set(dir(builtins))  # which functions of numbers call
        self._functions: dict[str, str] = {}
        self._made: dict[str, Any] = {}
        self._reading: set[Traced] = set()  # what stands inside an expression and reads an array
        self._arrays = [term for term in self.live if _is_array(term)]
        self._same = self._equal_terms()
        self._targets = set(self._same.values())
        self.outputs = [self._resolved(x) for x in self.outputs]
        lasting = [*self.checks, *self.finite, *[x for x in self.outputs if isinstance(x, Traced)]]
        self._rows = self._reduced_before()
        live = self.live if self._arrays else []
        self.memory = Memory(live, lasting, self.outputs, {**self._same, **self._rows})

    def _equal_terms(self) -> dict[Traced, Traced]:
        """Terms that are others: arrays that are stretched for a call that does so itself, and products with ones."""
        same: dict[Traced, Traced] = {}
        stretched = {
            term: term.args[0]
            for term in self._arrays
            if term.spelling == "np.broadcast_to" and _is_array(term.args[0])
        }
        kept = {x for x in (*self.outputs, *self.checks, *self.finite) if isinstance(x, Traced)}
        if not self._arrays:
            return same
        for term in self.live:
            if (
                self.trace.is_merging
                and term.spelling in ("*", "np.multiply")
                and not term.params
                and len(term.args) == 2
            ):
                pairs = term.args, term.args[::-1]
                same.update((term, x) for x, y in pairs if _are_ones(y, x, term) and not self.is_captured(y))
            kept |= {x for x in term.operands if x in stretched and not _stretches(term, stretched)}
        return {term: x for term, x in {**same, **stretched}.items() if term not in kept or term in same}

    def _reduced_before(self) -> dict[Traced, Traced]:
        """Reductions that differ from an earlier one in whether the axes are kept: views of it."""
        found: dict[Traced, Traced] = {}
        earlier: dict[Any, Traced] = {}
        for term in self._arrays:
            if term.spelling in REDUCTIONS and len(term.args) == 1 and _is_array(term.args[0]):
                params = {key: x for key, x in term.params.items() if key != "keepdims"}
                first = earlier.setdefault((term.spelling, id(term.args[0]), repr(params)), term)
                if first is not term and params.keys() <= {"axis", "dtype"}:
                    found[term] = first
        return found

    # -- Names ---------------------------------------------------------------------------------------------------------

    def callee(self, spelling: str) -> str:
        """A function looked up once; its name without the module."""
        module, *path = spelling.split(".")
        if module not in ("np", "math"):
            return spelling
        return self._bound(spelling, "_".join(path), reduce(getattr, path, np if module == "np" else math))

    def _bound(self, spelling: str, name: str, function: Any) -> str:
        """The name of a function, which may be another object each time that it is looked up."""
        if spelling not in self._functions:
            self._functions[spelling] = self.constant(function, name)
        return self._functions[spelling]

    def array(self, x: np.ndarray[Any, Any]) -> Text:
        """A constant array, made once."""
        return Text(self.constant(x, self.captured_names.get(id(x), "k")))

    def value(self, x: Any) -> Text:
        """As in the readable form; a number of NumPy is made once."""
        if type(x) is Traced and x in self.texts:
            return self.texts[x]
        if self._same:
            x = self._resolved(x)
        if isinstance(x, np.generic):
            return Text(self._once(x, x.dtype, x))
        return super().value(x)

    def _resolved(self, x: Any) -> Any:
        while isinstance(x, Traced) and x in self._same:
            x = self._same[x]
        return x

    def _once(self, x: Any, dtype: np.dtype[Any], made: Any) -> str:
        """The name of a number that is made once."""
        key = f"{type(made).__name__} {dtype} {x!r}"
        if key not in self._made:
            self._made[key] = made
        is_short = dtype.kind in "fiub" and np.isfinite(x)
        text = "".join(c if c.isalnum() else "_" for c in f"c_{float(x):g}") if is_short else "k"
        return self.constant(self._made[key], text)

    # -- Expressions ---------------------------------------------------------------------------------------------------

    def expression(self, term: Traced) -> Text:
        """function(*args, **params)."""
        function = None if type(term.behind) is float else ufunc_of(term)
        if term in self._rows:
            return Text(f"{self.value(self._rows[term]).text}.reshape({self.value(term.shape).text})")
        if function is not None:
            written = [self._operand(x, term) for x in term.args]
            slot = self.memory.slots.get(term)
            if slot is not None and (slot.is_kept or slot.terms[0] is not term):
                written.append(f"out={slot.name}")
            if function is np.matmul and term.back and _is_product(term):
                return Text(f"{self.callee('np.dot')}({', '.join(written).replace('out=', '')})")
            return Text(f"{self.callee(f'np.{function.__name__}')}({', '.join(written)})")
        if term.spelling == "np.reshape" and _is_array(term.args[0]) and len(term.args) == 2 and not term.params:
            return Text(f"{self.value(term.args[0]).text}.reshape({self.value(term.args[1]).text})")
        return Expressions.expression(self, term)  # no idioms

    def _operand(self, x: Any, term: Traced) -> str:
        """An operand of a ufunc: beside arrays of floats a number is an array of one, which takes half the time."""
        dtypes = {y.dtype for y in term.operands}
        dtype = next(iter(dtypes), None)
        if type(x) in (int, float) or isinstance(x, np.floating):
            is_same = (
                len(dtypes) == 1 and dtype is not None and dtype.kind == "f" and all(map(_is_array, term.operands))
            )
            is_plain = not isinstance(x, np.floating) or x.dtype == dtype
            if is_same and is_plain and math.isfinite(x) and (type(x) is float or abs(x) <= _EXACT):
                with np.errstate(all="ignore"):
                    made = np.array(x, dtype)
                if np.isfinite(made):
                    made.flags.writeable = False
                    return self._once(x, made.dtype, made)
        return self.value(x).text

    def method(self, term: Traced) -> Text | None:
        """A reduction, with its parameters by position; of all numbers of an array as one row."""
        spelling = _METHODS.get(term.spelling, term.spelling)
        if spelling not in REDUCTIONS or len(term.args) != 1 or not _is_array(term.args[0]):
            return None
        x = self._resolved(term.args[0])
        given = {"axis": 0 if spelling == term.spelling else None, **term.params}
        if not given.keys() <= _DEFAULTS.keys() or given.get("out") is not None:
            return None
        callee, written = self.callee(spelling), [self.value(x).text]
        values = [given.get(key, default) for key, default in _DEFAULTS.items()]
        while values and values[-1] is _DEFAULTS[tuple(_DEFAULTS)[len(values) - 1]]:
            values.pop()
        if values == [None] and x.behind.flags.c_contiguous:
            return Text(f"{callee}({written[0]}{'.ravel()' * (len(x.shape) > 1)})")
        return Text(f"{callee}({', '.join(written + [self.value(x).text for x in values])})")

    # -- Statements ----------------------------------------------------------------------------------------------------

    def write(
        self, name: str, parameters: str, unpacking: Sequence[str], result: Callable[[Callable[[Any], str]], str]
    ) -> str:
        """The text of the program; see Writer."""
        guards = {guard.condition: guard for guard in self.guards}
        kept, giving = self._kept()
        body = [*unpacking, *kept]
        segments: list[tuple[bool, list[str]]] = [(False, [])]
        following = dict(zip(self.live, self.live[1:], strict=False))
        for term in self.live:
            if term.back is not segments[-1][0] and not _is_of_numbers(term):
                segments.append((term.back, []))
            if term in self._same:
                continue
            text = self.expression(term)
            if term in guards:
                self._guard(guards[term], text, segments[-1][1])
            elif self._nests(term, text, following.get(term)):
                self.texts[term] = text
            else:
                self._let(term, text, segments[-1][1])
        segments[-1][1].extend(self._checks())
        for is_quiet, lines in segments:
            body += self._quiet(lines) if is_quiet else lines
        shared = self._returned_twice()
        body += [*giving, f"return {result(lambda i: self._leaf(i, shared))}"]
        helpers = "".join(f"{text}\n\n" for text in self.helpers.values())
        return f"{helpers}def {name}({parameters}):\n" + "".join(f"    {line}\n" for line in body)

    def _kept(self) -> tuple[list[str], list[str]]:
        """Lines that take a set of the memory that is kept between calls, and that give it back."""
        slots = [slot for slot in dict.fromkeys(self.memory.slots.values()) if slot.is_kept]
        if not slots:
            return [], []
        for slot in slots:
            slot.name = self.fresh(self.wanted.get(slot.terms[0], "t"))
        layouts = [slot.layout for slot in slots]
        sets: deque[list[np.ndarray[Any, Any]]] = deque(maxlen=_SETS)
        take, give = self.constant(sets.pop, "take"), self.constant(sets.append, "give")
        make, kept = self.constant(lambda: [layout.empty() for layout in layouts], "make"), self.fresh("kept")
        names = f"{', '.join(slot.name for slot in slots)}{',' * (len(slots) == 1)}"
        lines = ["try:", f"    {kept} = {take}()", "except IndexError:", f"    {kept} = {make}()", f"{names} = {kept}"]
        return lines, [f"{give}({kept})"]

    def _quiet(self, lines: Sequence[str]) -> list[str]:
        """Lines that give no warnings, as a backward pass."""
        inside = [f"    {line}" for line in lines]
        if QUIET is None:
            return ['with np.errstate(all="ignore"):', *inside]
        variable, ignoring = QUIET
        setting = self._bound("set", "set_errors", variable.set)
        resetting = self._bound("reset", "reset_errors", variable.reset)
        before = self.fresh("before")
        begin = f"{before} = {setting}({self.constant(ignoring, 'ignoring')})"
        return [begin, "try:", *inside, "finally:", f"    {resetting}({before})"]

    def _let(self, term: Traced, text: Text, into: list[str]) -> str:
        slot = self.memory.slots.get(term)
        shape = f"  # {term.shape}" if isinstance(term.behind, np.ndarray) and term.shape else ""
        if slot is not None and slot.name:
            into.append(f"{text.text}{shape}")
            name = slot.name
        else:
            name = self.fresh(self.wanted.get(term, "t"))
            into.append(f"{name} = {text.text}{shape}")
        if slot is not None:
            slot.name = name
        self.names[term], self.texts[term] = name, Text(name)
        return name

    def _nests(self, term: Traced, text: Text, following: Traced | None) -> bool:
        """Whether an expression stands inside the one that uses it: of numbers, or next to it, or a transpose."""
        user = self.users.get(term)
        if self.uses[term] != 1 or user is None or len(text.text) > _NESTED or term in self._targets:
            return False
        if isinstance(term.behind, np.ndarray):
            return term.spelling in (".T", ".mT")
        if isinstance(term.behind, (tuple, list)) or (user.back is not term.back and not _is_of_numbers(term)):
            return False
        if (self._reading or not _is_of_numbers(term)) and any(
            isinstance(x.behind, np.ndarray) or x in self._reading for x in term.operands
        ):
            if user is not following:
                return False  # an array may be overwritten in between
            self._reading.add(term)
        return True

    def _squares(self, terms: Sequence[Traced]) -> list[str]:
        """Products that are finite, or numbers, if the terms are: of two arrays of one layout at once."""
        numbers: list[str] = []
        alike: dict[Any, list[Traced]] = {}
        for x in dict.fromkeys(self._resolved(x) for x in terms):
            if isinstance(x.behind, np.ndarray):
                alike.setdefault((x.behind.shape, x.behind.dtype, x.behind.strides), []).append(x)
            else:
                numbers.append(self.value(x).text)
        vdot = self.callee("np.vdot") if alike else ""
        for arrays in alike.values():
            names = [self.flat(x) for x in arrays]
            numbers += [f"{vdot}({a}, {b})" for a, b in zip(names[::2], [*names[1::2], names[-1]], strict=False)]
        return numbers


def _quietness() -> tuple[ContextVar[Any], Any] | None:
    """NumPy's variable of what gives warnings, and its value under errstate(all="ignore"), which takes seven times as long."""

    def found() -> list[tuple[ContextVar[Any], Any]]:
        with np.errstate(all="ignore"):
            return [(variable, x) for variable, x in copy_context().items() if "numpy" in variable.name]

    held = Context().run(found)
    return held[0] if len(held) == 1 else None


QUIET = _quietness()


def _is_product(term: Traced) -> bool:
    """Whether a small product of matrices is one for np.dot, which has the same bits, begins sooner, and gives no warning."""
    arrays = [x.behind for x in term.operands]
    if len(arrays) != 2 or term.behind.nbytes > _SMALL or any(x.ndim != 2 or min(x.shape) < 2 for x in arrays):
        return False
    return len({x.dtype for x in arrays}) == 1 and arrays[0].dtype.char in "fd" and all(map(_is_whole, arrays))


def _is_whole(x: np.ndarray[Any, Any]) -> bool:
    return x.flags.c_contiguous or x.flags.f_contiguous


def _is_array(x: Any) -> bool:
    return isinstance(x, Traced) and type(x.behind) is np.ndarray and x.behind.ndim > 0


def _are_ones(ones: Any, x: Any, product: Traced) -> bool:
    """Whether x times these ones is x, in its memory layout too."""
    if type(ones) is not np.ndarray or not _is_array(x) or type(product.behind) is not np.ndarray:
        return False
    a, b = x.behind, product.behind
    alike = ones.dtype == a.dtype == b.dtype and a.shape == b.shape and a.strides == b.strides
    return alike and bool((ones == 1).all())


def _stretches(term: Traced, stretched: dict[Traced, Any]) -> bool:
    """Whether a call has the same result if the arrays that were stretched before are not."""
    function = ufunc_of(term)
    if function is None or function.signature is not None:
        return False
    shapes = [stretched.get(operand, operand).shape for operand in term.operands]
    return np.broadcast_shapes(*shapes) == term.shape


def _is_of_numbers(term: Traced) -> bool:
    """Whether a term is computed by Python of its numbers, which gives no warning."""
    if type(term.behind) is float and term.spelling in OF_NUMBERS:  # of NumPy's numbers it would be one
        return True
    if type(term.behind) not in _NUMBERS or any(type(x.behind) not in _NUMBERS for x in term.operands):
        return False
    if term.spelling == "scalar":
        return term.function.__module__ == "math" or "np." not in definition(term.function)[1]
    return term.spelling[:3] != "np." and term.spelling[-1] != "("
