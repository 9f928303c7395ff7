"""Traced: Terms that carry the numbers of a run, and the Trace that collects them.

A function fed Traced terms runs as it does on arrays, and leaves behind what it computed. What the engine's own code decides by
numbers becomes a guard; what it does with arrays that no expression can say becomes one opaque call of that op or rule. The
user's code may do neither: that is an error with the user's line.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from types import CodeType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..domain import Shape
from ..errors import UnreadableError
from ..node import Node
from ..randomness import stand_in
from ..term import FROM_SHAPES, Term, changed, terms
from .copying import is_one_expression
from .lines import OURS, Line, Lines, asked_by_user, asker, is_users_part, top
from .refused import SHAPED, TAKE_OUT, WRITE, WRITING_METHODS, is_shaped_by_numbers
from .simpler import AS_SIGN, SHORTENED, key_of, one_way, simpler


class Guard(NamedTuple):
    """A branch that the engine's own code took by a number, which was `taken`."""

    condition: Traced
    taken: int


class Refusal(NamedTuple):
    """An error that was raised at a line of the user, whose code may catch it; and the code that was running."""

    error: UnreadableError
    running: list[CodeType]
    line: Line | None


class Escape(BaseException):  # no Exception, so that the engine does not explain it
    """Tracing ends here, and this call runs eager: Python's numbers raised, as in 1/0."""


@dataclass(eq=False)
class Trace:
    """One run on Traced terms.

    Attributes:
        made: its terms, in the order in which they were computed.
        guards: the branches taken on numbers.
        leaks: shares of elementwise rules with their gradients: if such a share is NaN, the zero rule applies.
        finite: results that must be finite, else the zero rule of slices applies.
        gradients: for terms that are the gradient of another term, that term.
        kept: what ids refer to.
        names: what the user's variables call terms.
        draws: what random generators drew, which happens in each call.
        written: for arrays that the engine changed in place, what they are since.
        latest_key: by which `known` has the last term.
        refusals: errors that were raised at the user's code, which may catch them; see Refusal.
        escaped: whether Python's numbers raised.
        is_merging: whether equal calls are one term, also if their results are arrays.
        merged: the memory, see `memory_of`, of arrays that stand for two.
        is_ambiguous: whether such an array is multiplied with itself. NumPy computes `a @ a.T` in another way if both are one
            array, so equal calls must stay two.
        outside: ids of the owners of the memory of arguments.
        captured: ids of arrays, and of the owners of their memory, that are read by reference.
        is_placed: whether terms know their lines.
        errors: what NumPy does where numbers overflow and the like, when the run starts.
        lines: of the user's program.
    """

    made: list[Traced] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    leaks: list[tuple[Any, Any]] = field(default_factory=list)
    finite: list[Traced] = field(default_factory=list)
    gradients: dict[Traced, Traced] = field(default_factory=dict)
    known: dict[Any, Any] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)
    names: dict[Traced, str] = field(default_factory=dict)
    draws: list[Traced] = field(default_factory=list)
    written: dict[Traced, Traced] = field(default_factory=dict)
    latest_key: Any = None
    refusals: list[Refusal] = field(default_factory=list)
    escaped: bool = False
    is_merging: bool = True
    merged: set[int] = field(default_factory=set)
    is_ambiguous: bool = False
    outside: set[int] = field(default_factory=set)
    captured: frozenset[int] = frozenset()
    is_placed: bool = True
    errors: Any = field(default_factory=np.geterr)
    lines: Lines = field(init=False)

    def __post_init__(self) -> None:
        self.lines = Lines(self.names, self.gradients)

    def latest_of(self, term: Term) -> Term:
        """What an array is after it was changed in place."""
        while term in self.written:
            term = self.written[term]
        return term

    def add(self, key: Any, term: Traced, spelling: str, operands: list[Traced]) -> Traced:
        """A term that was computed, at the line that runs."""
        term.spelling, term.operands, term.place = spelling, operands, len(self.made)
        term.line, term.back = self.lines.running() if self.is_placed else (None, False)
        self.made.append(term)
        self.known[key], self.latest_key = term, key
        return term

    def is_one(self, x: Any) -> bool:
        """Whether a result may stand for that of another call, which it equals."""
        behind = x.behind if type(x) is Traced else None
        if type(behind) is not np.ndarray or behind.ndim < 2 or (behind.base is not None and x.place >= 0):
            return True
        if self.is_merging:
            self.merged.add(self.memory_of(behind))
        return self.is_merging

    def memory_of(self, x: np.ndarray[Any, Any]) -> int:
        """What is the same for arrays in one memory; arguments may all lie in one."""
        owner = id(_owner(x))
        return 0 if owner in self.outside else owner

    def note_product(self, operands: list[Traced]) -> None:
        """Whether a product of matrices is of one with itself that might have been two."""
        if self.merged:
            memory = [self.memory_of(x.behind) for x in operands if type(x.behind) is np.ndarray]
            self.is_ambiguous |= any(memory.count(x) > 1 and x in self.merged for x in memory)

    def symbol(self, name: str, x: Any) -> Traced:
        """An argument, with its numbers."""
        if isinstance(x, np.ndarray):
            self.outside.add(id(_owner(x)))
        term = Traced(name, None, (), {}, x, True)
        term.place, term.spelling, term.line, term.back, term.operands = -1, name, None, False, []
        return term


def _owner(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array in whose memory x lies."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


opened: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def tracing() -> Iterator[Trace]:
    """While this is open, Traced terms are collected."""
    trace = Trace()
    token, drawing = opened.set(trace), stand_in.set(Draws)
    try:
        yield trace
    finally:
        trace.known = {}
        trace.lines.clear()
        stand_in.reset(drawing)
        opened.reset(token)


class Draws:
    """Stands for a random generator: each number that it draws is a term, which a compiled program draws anew."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def __getattr__(self, name: str) -> Any:
        def draw(*args: Any, **params: Any) -> Any:
            trace = active()
            term = computed(f".{name}", name, _method(name), (self._generator, *args), params)
            del trace.known[trace.latest_key]  # the next draw is another
            trace.draws.append(term)
            return term

        return draw


def active() -> Trace:
    """The trace that is open. Raises UnreadableError if none is: a Term outlived its run."""
    trace = opened.get()
    if trace is None:
        raise UnreadableError("a number of a traced run was kept and used after it")
    return trace


def refuse(message: str, final: bool = False) -> NoReturn:
    """Raise UnreadableError, and remember it if the user's code may catch it; if it is final, also if the engine does."""
    error = UnreadableError(message)
    frame = asker()
    if final or (frame is not None and top(frame) not in OURS):
        while frame is not None and top(frame) in OURS:
            frame = frame.f_back
        line = None if frame is None else Line(frame.f_code.co_filename, frame.f_lineno)
        running = []
        while frame is not None and not final:
            running.append(frame.f_code)
            frame = frame.f_back
        active().refusals.append(Refusal(error, running, line))
    raise error


class Traced(Term):
    """A Term whose numbers are those of a run.

    Attributes:
        spelling: how its function is written: "+", "np.exp", ".sum", "[]", or a name for an opaque call.
        place: its place in the trace; -1 of symbols.
        line: the user's line that computed it, or that of the operation whose rule did.
        back: whether a rule did.
        operands: the terms among its arguments.
    """

    __slots__ = ("back", "line", "operands", "place", "spelling")
    __hash__ = object.__hash__

    spelling: str
    place: int
    line: Line | None
    back: bool
    operands: list[Traced]

    @classmethod
    def call(cls, name: str, function: Callable[..., Any], args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """function(*args, **params), computed and collected."""
        return computed(_SPELLED.get(name, name), name, function, args, params)

    @property
    def shape(self) -> Shape:
        """() for a scalar."""
        return () if type(self.behind) is float else np.shape(self.behind)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return 1 if type(self.behind) is float else int(np.size(self.behind))

    @property
    def dtype(self) -> np.dtype[Any]:
        """As NumPy's promotion has it."""
        return _DOUBLE if type(self.behind) is float else np.asarray(self.behind).dtype

    @property
    def T(self) -> Any:
        """The axes reversed."""
        return computed(".T", "transpose", operator.attrgetter("T"), (self,), {})

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        if self.ndim == 2:
            return self.T
        return computed(".mT", "matrix_transpose", operator.attrgetter("mT"), (self,), {})

    def __getitem__(self, index: Any) -> Any:
        if type(self.behind) is float and not asked_by_user():  # of the engine's: x[...] of a number
            return computed("np.asarray", "asarray", np.asarray, (self,), {})[index]
        return computed("[]", "getitem", operator.getitem, (self, index), {})

    def astype(self, dtype: Any, **how: Any) -> Any:
        """The numbers in another dtype, those of a Python float too."""
        if type(self.behind) is not float:
            return computed(".astype", "astype", _method("astype"), (self, dtype), how)
        kind = np.dtype(dtype)
        return self if kind == np.float64 else computed(f"np.{kind.name}", "astype", kind.type, (self,), {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not callable(getattr(self.behind, name, None)):
            raise AttributeError(f"{type(self.behind).__name__} has no attribute {name!r}")
        if name in TAKE_OUT:
            self._looked_at()
        if name in WRITING_METHODS:
            refuse(f"it writes into an array, by .{name}(); use a function that returns a new one")

        def call(*args: Any, **params: Any) -> Any:
            return computed(f".{name}", name, _method(name), (self, *args), params)

        return call

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **params: Any) -> Any:
        if any(isinstance(x, Node) for x in args):
            return NotImplemented
        name = ufunc.__name__
        if "out" in params or method == "at":
            refuse(f"it writes into an array, by np.{name}; use its result in place of out=")
        if getattr(np, name, None) is not ufunc:  # SciPy's, or of np.frompyfunc
            return computed(f"{name}(", name, ufunc if method == "__call__" else getattr(ufunc, method), args, params)
        if method == "__call__":
            return computed(f"np.{name}", name, ufunc, args, params)
        return computed(f"np.{name}.{method}", f"{name}.{method}", getattr(ufunc, method), args, one_way(args, params))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], params: Any) -> Any:
        if any(issubclass(kind, Node) for kind in types):
            return NotImplemented
        plain = function in FROM_SHAPES or (
            function is np.full_like and not any(terms((args[1:], params.get("fill_value"))))
        )
        if plain:
            return function(*numbers(args), **numbers(params))
        name = function.__name__
        if params.get("out") is not None or function in WRITE:
            refuse(
                f"it writes into an array, by np.{name}; use a function that returns a new one, such as at(x, i).set(y)"
            )
        if name in TAKE_OUT:
            self._looked_at()
        module = function.__module__.replace("numpy", "np", 1).removesuffix("._core")
        return computed(f"{module}.{name}", name, function, args, params)

    def note_gradient(self, g: Any) -> None:
        """g is the gradient with respect to this term, an argument, which has a name; maybe also of a sum that passed it on."""
        if isinstance(g, Traced):
            active().gradients[g] = self

    def note_share(self, g: Any) -> None:
        """This is the share that an elementwise rule makes of g: if it is NaN, the zero rule may apply."""
        active().leaks.append((self, g))

    # -- What the engine asks ------------------------------------------------------------------------------------------

    def as_result(self) -> Any:
        """What `data.to_result` makes of a result: no 0-d arrays, float64 scalars as Python floats."""
        y: Any = self
        if isinstance(y.behind, np.ndarray) and not y.behind.ndim:
            y = y[()]
        return y.as_number() if isinstance(y.behind, np.float64) else y

    def as_operand(self) -> Any:
        """As `data.to_operand`: float64 scalars as Python floats, narrow integers as floats."""
        behind = self.behind
        if type(behind) is np.ndarray and behind.dtype.kind in "iu" and behind.dtype.itemsize < 8:
            return self.astype(np.float32 if behind.dtype.itemsize < 4 else np.float64)
        return self.as_number() if isinstance(behind, np.float64) else self

    def as_number(self) -> Any:
        """As float(x), which the compiled program computes of its own numbers."""
        return computed("float", "float", float, (self,), {})

    def constant(self, x: np.ndarray[Any, Any]) -> Any:
        """A captured array is a symbol, so that nothing is computed of the numbers that it has now."""
        trace = active()
        if id(x) not in trace.captured and id(x.base) not in trace.captured:
            return x
        key = "captured", id(x)
        if key not in trace.known:
            trace.known[key] = trace.symbol("array", x)
        return trace.known[key]

    def called(self, name: str, function: Callable[..., Any], args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """A call of an op or rule that cannot be read, as one term."""
        trace, code = active(), getattr(function, "__code__", None)
        trace.refusals = [refusal for refusal in trace.refusals if code not in refusal.running]
        is_lazy = name.endswith("'s rule") and any(
            isinstance(part, CodeType) for part in getattr(code, "co_consts", ())
        )
        return computed(f"{name}(", name, _forced(function) if is_lazy else function, args, params)

    def as_leaf(self) -> Any:
        """As `data.to_leaf`, whose copy is contiguous: the bits of a matrix product depend on that."""
        flags = getattr(self.behind, "flags", None)
        if not self.shape:
            return self.as_result()
        if flags is None or flags.c_contiguous or flags.f_contiguous:
            return self
        return computed("np.array", "array", np.array, (self,), {})

    def index_into(self, x: np.ndarray[Any, Any], index: Any) -> Any:
        """x[index] of a plain array, where this term is a part of the index."""
        return computed("[]", "getitem", operator.getitem, (self.constant(x), index), {})

    def filled(self, shape: Shape) -> Any:
        """As `data.filled`."""
        return computed("np.full", "full", np.full, (shape, self), {})

    def is_finite(self) -> bool:
        """As `data.is_finite`, which a compiled program asks of its own numbers."""
        active().finite.append(self)
        return True

    def of_number(self, scalar: Callable[..., Any], array: Callable[..., Any], *args: Any) -> Any:
        """An elementwise op's function for Python's floats, or the one for arrays."""
        if not all(type(x.behind if type(x) is Traced else x) is float for x in args):
            return array(*args)
        name = scalar.__name__ if is_one_expression(scalar) else f"{array.__name__}_of_number"
        return computed("scalar" if name == scalar.__name__ else f"{name}(", name, scalar, args, {})

    # -- Numbers that are looked at ------------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        trace = active()
        if asked_by_user():
            refuse(f"it branches on numbers, {described(self)}; choose with where(condition, a, b)")
        taken = bool(self.behind)
        trace.guards.append(Guard(self, taken))
        return taken

    def _looked_at(self, *args: Any) -> NoReturn:
        refuse(
            f"it takes a number out, {described(self)}, which would stay what it is now; compute with arrays and this "
            "package's functions"
        )

    __float__ = __complex__ = __round__ = __trunc__ = __floor__ = __ceil__ = _looked_at

    def __index__(self) -> int:
        if self.shape and not asked_by_user():  # or NumPy 2.1 takes an array of one index for a number
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return int(self)

    def __int__(self) -> int:
        if asked_by_user() or np.asarray(self.behind).dtype.kind not in "iub":
            refuse(
                f"it takes an integer out, {described(self)}, which would stay what it is now; of an array take the entries "
                "by this package's take(array, i)"
            )
        taken = int(self.behind)
        active().guards.append(Guard(self, taken))
        return taken

    def __setitem__(self, index: Any, value: Any) -> None:
        refuse(f"it writes into an array, {described(self)}; use at(array, index).set(value)")

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse(
            f"it makes a plain array, {described(self)}, by np.asarray(x) or as an index; x is one, stack() joins "
            "numbers, and this package's take(array, x) indexes"
        )

    def __copy__(self) -> Any:
        return self.copy() if isinstance(self.behind, np.ndarray) else self

    def __deepcopy__(self, memo: Any) -> Any:
        return self.__copy__()

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        refuse(
            f"it makes bytes of numbers, {described(self)}, which would stay what they are now; save results outside of it"
        )

    def __repr__(self) -> str:
        if opened.get() is not None and asked_by_user():
            refuse(
                f"it makes text of numbers, {described(self)}, which compiled source would not; print results outside of it"
            )
        return super().__repr__()

    def __format__(self, spec: str) -> str:
        return repr(self)


_DOUBLE = np.dtype(float)
_SPELLED = {"transpose": "np.transpose"}
# -- Computing ---------------------------------------------------------------------------------------------------------


_SIGNS = {"+", "-", "*", "/", "**", "@", "//", "%", "&", "|", "^"}
_PRODUCTS = {"@", "np.matmul", "np.dot", "np.inner", "np.tensordot", "np.einsum"}
NONE: dict[str, Any] = {}  # parameters of most terms


def computed(
    spelling: str, name: str, function: Callable[..., Any], args: tuple[Any, ...], params: Mapping[str, Any]
) -> Any:
    """The term function(*args, **params): the same one again, if it was computed before; several for a tuple of results."""
    trace = active()
    if trace.written:
        args = changed(args, trace.latest_of)
    if spelling in SHORTENED or (spelling in AS_SIGN and not params):
        same = simpler(AS_SIGN.get(spelling, spelling), args)
        if same is not None and trace.is_one(same):
            return same
    key: list[Any] = [spelling]
    plain: list[Any] = []
    operands: list[Traced] = []
    are_floats = not params
    for x in args:  # the common cases of `_key`, `numbers` and `terms`, which take a third of the time of compiling
        kind = type(x)
        if kind is Traced:
            operands.append(x)
            plain.append(x.behind)
            key.append(id(x))
            are_floats = are_floats and type(x.behind) is float
        elif kind is float or kind is int:
            plain.append(x)
            key.append(repr(x))
        else:
            operands += terms(x)  # type: ignore[arg-type]
            plain.append(numbers(x))
            key.append(key_of(x, trace.captured, trace.kept))
            are_floats = False
    if spelling == "scalar" or spelling[-1] == "(":
        key.append(function)
    if params:
        operands += terms(params)  # type: ignore[arg-type]
        key.append(key_of(tuple(params.items()), trace.captured, trace.kept))
    made = tuple(key)
    known = trace.known.get(made)
    if (
        known is not None
        and trace.is_one(known)
        and not (trace.written and any(x in trace.written for x in terms(known)))
    ):
        return known  # else that array has other numbers since
    try:
        if are_floats:
            behind = function(*plain)
        else:
            if any(how == "raise" != trace.errors[kind] for kind, how in np.geterr().items()):
                refuse(
                    "it makes NumPy raise FloatingPointError, by np.errstate; compare numbers with where(condition, a, b)"
                )
            with np.errstate(all="ignore"):
                behind = function(*plain, **{key: numbers(x) for key, x in params.items()})
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, ValueError) and spelling != "scalar":
            raise
        trace.escaped = True
        raise Escape(f"{name}: {error}") from error
    if behind is NotImplemented:
        return behind
    if not are_floats and is_shaped_by_numbers(spelling, name, args, params) and (spelling != "[]" or is_users_part()):
        refuse(f"{SHAPED}, by {'x[i]' if name == 'getitem' else name}; choose with where(condition, a, b)", True)
    if spelling in _PRODUCTS or spelling[-1] == "(":
        trace.note_product(operands)
    term = Traced(name, function, args, dict(params) if params else NONE, behind, True)
    result: Any = trace.add(made, term, spelling, operands)
    if isinstance(behind, (tuple, list)):
        if spelling in _SIGNS:
            refuse(
                f"it makes a {type(behind).__name__} whose length depends on numbers; choose with where(condition, a, b)"
            )
        parts = [term[i] for i in range(len(behind))]
        result = behind._make(parts) if hasattr(behind, "_make") else type(behind)(parts)
        trace.known[made], trace.latest_key = result, made
    return result


@cache
def _forced(function: Callable[..., Any]) -> Callable[..., Any]:
    """A rule whose lazy shares are computed at once."""

    def call(*args: Any, **params: Any) -> Any:
        result = function(*args, **params)
        return [x() if callable(x) else x for x in result] if isinstance(result, (list, tuple)) else result

    return call


@cache
def _method(name: str) -> Callable[..., Any]:
    """A method as a function."""
    return lambda x, *args, **params: getattr(x, name)(*args, **params)


def numbers(x: Any) -> Any:
    """Arguments with the numbers in place of terms."""
    return changed(x, lambda term: term.behind)


def described(term: Any, depth: int = 2) -> str:
    """A term as an expression, for messages, a few calls deep."""
    if not isinstance(term, Term):
        return f"{term!r:.20}"
    trace = opened.get()
    name = trace.names.get(term) if trace is not None and isinstance(term, Traced) else None
    if name or term.function is None:
        return name or term.name
    inner = [described(x, depth - 1) for x in term.args] if depth else ["..."]
    sign = getattr(term, "spelling", "")
    if sign == "[]":
        return f"{inner[0]}[{inner[1]}]"
    if len(inner) == 2 and sign and not sign[0].isalpha() and sign[0] not in ".[":
        return " ".join((inner[0], sign, inner[1])) if depth == 2 else f"({inner[0]} {sign} {inner[1]})"
    return f"{term.name}({', '.join(inner)})"
