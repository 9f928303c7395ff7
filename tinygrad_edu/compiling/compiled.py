"""compile: run a function once on terms, write what it computed as NumPy source, and run that from then on."""

from __future__ import annotations

import builtins
import linecache
import math
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import update_wrapper
from inspect import signature
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ..binding import check_function
from ..errors import TinygradError, UnreadableError
from ..node import Node
from ..randomness import noting
from ..term import Term
from .captures import Captures, generators_kept
from .source import Program, Writer, title_of
from .traced import Escape, Trace, Traced, tracing

_MANY = 8  # kinds of arguments, after which a warning says what is compiled anew each time
_numbered = count(1)


class GuardError(RuntimeError):
    """A compiled program met numbers for which it does not hold; the function itself must run."""


class CompileWarning(UserWarning):
    """A function is compiled again and again, since its arguments are of another kind each time."""


class Compiled:
    """A function that runs as compiled NumPy source; see `compile`.

    Attributes:
        compilations: how often it was compiled.
        calls: how often the source ran.
        eager: how often the function itself ran in its place, by the reason.
    """

    def __init__(self, f: Callable[..., Any], watched: bool = True) -> None:
        check_function("compile", f)
        update_wrapper(self, f)
        self.function = f
        self.compilations = self.calls = 0
        self.eager: dict[str, int] = {}
        self._programs: dict[Any, _Specialised] = {}
        self._captures, self._watched = Captures(f), watched
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        kind = _kind_of_call(args, kwargs)
        if kind is None:
            return self._eager("an argument is a Value", args, kwargs)
        if self._watched and self._captures.changed():
            with self._lock:
                self._programs.clear()
                self._captures = Captures(self.function)
        found = self._programs.get(kind)
        if found is None:
            with self._lock:
                found = self._programs.get(kind) or self._compile(kind, args, kwargs)
            if found is None:
                return self._eager("numbers at which Python raises, such as 1/0", args, kwargs)
        if not found.verified:
            return self._verify(found, args, kwargs)
        before = [generator.bit_generator.state for generator in found.generators]
        try:
            result = found.run(*args, **kwargs)
        except (GuardError, ArithmeticError) as error:
            for generator, state in zip(found.generators, before, strict=True):
                generator.bit_generator.state = state
            return self._eager(str(error), args, kwargs)
        self.calls += 1
        return result

    def _eager(self, reason: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.eager[reason] = self.eager.get(reason, 0) + 1
        return self.function(*args, **kwargs)

    def _compile(self, kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Specialised | None:
        try:
            made = _specialised(self.function, args, kwargs, self._captures)
        except Escape:
            return None
        self.compilations += 1
        self._programs[kind] = made
        if self.compilations == _MANY:
            name = getattr(self.function, "__name__", "function")
            warnings.warn(
                f"compile: {name} was compiled {_MANY} times, for other shapes, dtypes or constants each time; pass numbers "
                "that change as floats or arrays, and arrays of one shape",
                CompileWarning,
                stacklevel=3,
            )
        return made

    def _verify(self, found: _Specialised, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The first call with new numbers runs the function too, and compares."""
        if found.is_same(args, kwargs):
            self.calls += 1
            return found.run(*args, **kwargs)
        with self._captures.generators_kept(), generators_kept(found.generators):
            try:
                got = found.run(*args, **kwargs)
            except (GuardError, ArithmeticError) as error:
                return self._eager(str(error), args, kwargs)
        expected = self.function(*args, **kwargs)
        if not _equal(got, expected):
            name = getattr(self.function, "__name__", "function")
            raise UnreadableError(
                f"compile: {name} gives other numbers than its compiled source on the first call with new arguments, so it "
                "depends on something that compile does not see; run it without compile"
            )
        found.verified = True
        self.calls += 1
        return expected

    def _latest(self) -> _Specialised:
        if not self._programs:
            raise TinygradError("compile: nothing is compiled yet; call the function first")
        return list(self._programs.values())[-1]

    @property
    def source(self) -> str:
        """The source that was compiled last. Raises TinygradError before the first call."""
        return self._latest().program.source

    @property
    def needs(self) -> list[str]:
        """The operations that the source calls as they are, since they cannot be read; [] if it needs NumPy alone."""
        return list(self._latest().program.needs)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the source that was compiled last as a module, and return its path.

        Raises TinygradError if the source needs more than NumPy, or holds arrays of more than 10,000 numbers.
        """
        from .saving import module_text, written

        return written(path, module_text(self._latest().program))

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"<compiled {name}: {self.compilations} compiled, {self.calls} calls, {sum(self.eager.values())} eager>"

    def _repr_html_(self) -> str:
        from .saving import highlighted

        return highlighted(self.source) if self._programs else repr(self)


def compile(f: Callable[..., Any]) -> Compiled:
    """The function f as NumPy source that a person could have written, which runs in its place.

    f is run once on terms that carry the numbers of the call; what it computes becomes source, with its gradients if f is one of
    the transforms: compile(value_and_grad(loss)), compile(grad(f)), compile(hessian(f)). Values equal those of f to the last bit.
    It is compiled anew for other shapes, dtypes, structures, or values of arguments that are not floats or arrays.

    Args:
        f: function of numbers, arrays, and tuples, lists and dictionaries of them, that returns such; made of this package's
            functions and NumPy's. Its arguments may have other values that are part of the program, such as strings.

    Returns:
        a function of the same arguments. `source` is its text, and `save` writes it as a module that runs with NumPy alone.

    Raises (when called):
        UnreadableError: if f branches on numbers, takes them out of arrays by float() or np.asarray, or writes into arrays; or
            computes something from its arguments, or draws random numbers, where this cannot be seen.

    Warns:
        CompileWarning: if it is compiled for the eighth time.

    >>> from tinygrad_edu import compile, value_and_grad
    >>> f = compile(value_and_grad(lambda x: x * x))
    >>> f(3.0)
    (9.0, 6.0)
    """
    return Compiled(f)


class _Specialised:
    """A program for one kind of arguments."""

    def __init__(self, program: Program, run: Callable[..., Any], args: Any) -> None:
        self.program, self.run, self._first, self.verified = program, run, _sample(args), False
        self.generators = [x for x in program.constants.values() if isinstance(x, np.random.Generator)]

    def is_same(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether the arguments are those of the run that was compiled."""
        return bool(_sample((args, kwargs)) == self._first)


def _specialised(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], captures: Captures
) -> _Specialised:
    made, program = _written(f, args, kwargs, captures)
    _check_again(f, args, kwargs, captures, made)
    namespace = {"np": np, "math": math, "GuardError": GuardError, **program.constants}
    file = f"<compiled {program.name} {next(_numbered)}>"
    linecache.cache[file] = (len(program.source), None, program.source.splitlines(keepends=True), file)
    exec(builtins.compile(program.source, file, "exec"), namespace)  # our own text
    run: Callable[..., Any] = namespace[program.name]
    return _Specialised(program, run, (args, kwargs))


Run = tuple[Trace, list[Traced], list[Any]]


def _written(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], captures: Captures
) -> tuple[Run, Program]:
    with noting() as states:
        trace, symbols, result = traced_run(f, args, kwargs)
    for bits, state in states.items():  # the program draws these numbers itself
        bits.state = state
    parameters, unpacking, names = _parameters(f, args, kwargs, [trace.names.get(symbol, "") for symbol in symbols])
    outputs: list[Any] = []
    _collect(result, outputs)
    writer = Writer(trace, dict(zip(symbols, names, strict=True)), outputs)
    writer.captured, writer.captured_names = captures.arrays()
    name = _name(f)
    program = writer.write(
        name, parameters, unpacking, lambda leaf: _returned(result, leaf, writer, iter(range(len(outputs))))
    )
    return (trace, symbols, outputs), program


def traced_run(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Trace, list[Traced], Any]:
    """Run f on terms with the numbers of the arguments."""
    with tracing() as trace:
        symbols: list[Traced] = []

        def stand_in(x: Any) -> Any:
            symbols.append(trace.symbol(f"x{len(symbols)}", x))
            return symbols[-1]

        given = _mapped(stand_in, (args, kwargs))
        try:
            result = f(*given[0], **given[1])
        except UnreadableError as error:
            if error.operation is None or not error.operation.startswith("compile"):
                error.operation = f"compile: {_name(f)}" + (f": {error.operation}" if error.operation else "")
            raise
    return trace, symbols, _mapped_terms(trace, result)


# -- Arguments ---------------------------------------------------------------------------------------------------------


def _is_number(x: Any) -> bool:
    """Whether an argument is a symbol: a float or an array; anything else is part of the program."""
    return type(x) is float or isinstance(x, (np.ndarray, np.floating))


def _kind_of_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a program is compiled for; None if it cannot be."""
    try:
        return (*map(_kind, args), *[(key, _kind(x)) for key, x in kwargs.items()])
    except _NotPlain:
        return None


class _NotPlain(Exception):  # noqa: N818
    pass


def _kind(x: Any) -> Any:
    own = type(x)
    if own is float:
        return float
    if own is np.ndarray:
        flags = x.flags
        return x.shape, x.dtype, flags.c_contiguous or (flags.f_contiguous and 2)
    if own is dict:
        return dict, *[(key, _kind(part)) for key, part in x.items()]
    if own is tuple or own is list or isinstance(x, tuple):
        return own, *map(_kind, x)
    if isinstance(x, (Node, Term)):
        raise _NotPlain
    if isinstance(x, np.generic):
        return (own,) if isinstance(x, np.floating) else (own, x.item())
    if own in (int, bool, str, type(None)):
        return own, x
    return own, id(x)


def _mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    """A tree of arguments with f(x) for each number."""
    if type(tree) is dict:
        return {key: _mapped(f, part) for key, part in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return tree._make(_mapped(f, part) for part in tree)
    if type(tree) in (tuple, list):
        return type(tree)([_mapped(f, part) for part in tree])
    return f(tree) if _is_number(tree) else tree


def _mapped_terms(trace: Trace, tree: Any) -> Any:
    """A tree of results with arrays as they are at the end."""
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return tree._make(_mapped_terms(trace, part) for part in tree)
    if type(tree) in (tuple, list):
        return type(tree)([_mapped_terms(trace, part) for part in tree])
    if type(tree) is dict:
        return {key: _mapped_terms(trace, part) for key, part in tree.items()}
    return trace.latest_of(tree) if isinstance(tree, Term) else tree


def _sample(tree: Any) -> list[Any]:
    """Some of the numbers of arguments, to know whether they are new."""
    found: list[Any] = []
    _mapped(
        lambda x: found.append(x.flat[:: x.size // 8 + 1].tobytes() if isinstance(x, np.ndarray) else float(x)), tree
    )
    return found


def _parameters(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], called: list[str]
) -> tuple[str, list[str], list[str]]:
    """The parameter list of the program, lines that take trees apart, and the name of each symbol.

    Args:
        called: what the user's variables call each symbol, "" if none does.
    """
    try:
        bound = signature(f).bind(*args, **kwargs)
        own = list(bound.signature.parameters.values())
    except (TypeError, ValueError):
        own = []
    positional = [p.name for p in own if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in own if p.kind is p.VAR_POSITIONAL), "x")
    given = [positional[i] if i < len(positional) else f"{rest}_{i - len(positional)}" for i in range(len(args))]
    parameters = [*given, *kwargs]
    unpacking: list[str] = []
    names: list[str] = []
    taken = set(parameters)

    def visit(x: Any, path: str, name: str) -> None:
        if type(x) is dict:
            for key, part in x.items():
                visit(part, f"{path}[{key!r}]", _plain_name(key) or f"{name}_{len(names)}")
        elif isinstance(x, (tuple, list)):
            start = len(unpacking)
            for i, part in enumerate(x):
                visit(part, f"{path}[{i}]", f"{name}_{i}")
            if len(x) > 1 and all(map(_is_number, x)):  # W1, b1 = params
                own = [line.partition(" = ")[0] for line in unpacking[start:]]
                unpacking[start:] = [f"{', '.join(own)} = {path}"]
        elif _is_number(x):
            if path != name:
                name = called[len(names)] or name
                fresh, n = name, 2
                while fresh in taken:
                    fresh, n = f"{name}_{n}", n + 1
                taken.add(fresh)
                unpacking.append(f"{fresh} = {path}")
                name = fresh
            names.append(name)

    for name, x in zip(parameters, (*args, *kwargs.values()), strict=True):
        visit(x, name, name)
    return ", ".join(parameters), unpacking, names


def _plain_name(key: Any) -> str:
    parts = str(key).split(".")
    if parts[0].isdigit():  # 0.weight, of a list of layers
        parts = [part for part in parts if not part.isdigit()] + [part for part in parts if part.isdigit()]
    text = "_".join(parts)
    return text if text.isidentifier() else ""


def _name(f: Callable[..., Any]) -> str:
    name = getattr(f, "__name__", "program")
    return name if name.isidentifier() else "program"


# -- Results -----------------------------------------------------------------------------------------------------------


def _collect(tree: Any, found: list[Any]) -> None:
    """The leaves of a result that are numbers or arrays. Raises UnreadableError for what a program cannot return."""
    if type(tree) is dict:
        for part in tree.values():
            _collect(part, found)
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            _collect(part, found)
    elif isinstance(tree, (Traced, np.ndarray, np.generic, float)):
        found.append(tree)
    elif isinstance(tree, Node):
        raise UnreadableError(
            "compile: the function returned a Value, which would not be connected to its graph; return plain numbers, as "
            "value_and_grad does, or v.data"
        )
    elif not isinstance(tree, (int, str, type(None))):
        raise UnreadableError(
            f"compile: the function returned a {type(tree).__name__}, expected numbers, arrays, or tuples, lists, dicts of them"
        )


def _returned(tree: Any, leaf: Callable[[Any], str], writer: Writer, places: Iterator[int]) -> str:
    """The expression that builds the tree of results."""
    if type(tree) is dict:
        return "{" + ", ".join(f"{key!r}: {_returned(part, leaf, writer, places)}" for key, part in tree.items()) + "}"
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        inner = ", ".join(_returned(part, leaf, writer, places) for part in tree)
        return f"{writer.value(type(tree)._make).text}(({inner},))"
    if isinstance(tree, (tuple, list)):
        inner = ", ".join(_returned(part, leaf, writer, places) for part in tree)
        return f"[{inner}]" if isinstance(tree, list) else f"({inner}{',' * (len(tree) == 1)})"
    if isinstance(tree, (Traced, np.ndarray, np.generic, float)):
        return leaf(next(places))
    return repr(tree)


def _equal(a: Any, b: Any) -> bool:
    """Whether two trees are of the same numbers, to the last bit; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype and (a.tobytes() == b.tobytes() or _alike(a, b))
    if isinstance(a, (float, np.floating)):
        return bool(a == b and math.copysign(1, a) == math.copysign(1, b)) or bool(a != a and b != b)
    return a is b or bool(np.all(a == b))


def _alike(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    return a.dtype.kind == "f" and np.array_equal(a, b, equal_nan=True) and bool(np.all(np.signbit(a) == np.signbit(b)))


# -- The second run ----------------------------------------------------------------------------------------------------


def _moved(x: Any) -> Any:
    """Other numbers of the same kind: rolled along the first axis, floats a little larger."""
    if isinstance(x, np.ndarray):
        other = np.roll(x, 1, axis=0) if x.ndim else x
        return laid_like(x, (other * (1 + 2.0**-10)).astype(x.dtype) if x.dtype.kind == "f" else other)
    return type(x)(x * (1 + 2.0**-10))


def laid_like(x: np.ndarray[Any, Any], numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Numbers in the memory layout of x, as far as a program is compiled for it."""
    if x.flags.c_contiguous:
        return np.ascontiguousarray(numbers).reshape(x.shape)
    return np.asfortranarray(numbers) if x.flags.f_contiguous else np.repeat(numbers, 2, axis=-1)[..., ::2]


def _check_again(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], captures: Captures, first: Run
) -> None:
    """Run f on terms with other numbers. Raises UnreadableError if it used a number that is not the same then."""
    moved = _mapped(_moved, (args, kwargs))
    with captures.generators_kept():
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                trace, symbols, result = traced_run(f, *moved)
            outputs: list[Any] = []
            _collect(result, outputs)
        except (Exception, Escape):  # numbers at which f is not defined; the first call with new ones compares
            return
    differing = _difference(first, (trace, symbols, outputs))
    if differing is not None:
        raise UnreadableError(
            f"compile: {_name(f)}: a number that depends on the arguments, or is random, was computed where it cannot be seen"
            f"{differing}; compute it with this package's functions or NumPy's, or pass it as an argument"
        )


def _difference(first: Run, second: Run) -> str | None:
    """Where two runs differ in what they computed, as words; None if nowhere, or if they took other branches."""
    (a, a_symbols, a_outputs), (b, b_symbols, b_outputs) = first, second
    branches = [[guard.taken for guard in run.guards] for run in (a, b)]
    if branches[0] != branches[1]:
        return None
    place: dict[Traced, int] = {}
    for i, (x, y) in enumerate(zip(a_symbols, b_symbols, strict=True)):
        place[x] = place[y] = -1 - i
    for x, y in zip(a.made, b.made, strict=False):
        place[x] = place[y] = x.place
        if x.spelling != y.spelling or not _same((x.args, x.params), (y.args, y.params), place):
            title = title_of(x.line)
            return f", in: {title}" if title else ""
    if len(a.made) != len(b.made) or not _same(a_outputs, b_outputs, place):
        return ", in what it returns"
    return None


def _same(a: Any, b: Any, place: dict[Traced, int]) -> bool:
    """Whether the arguments of two calls are the same terms and the same constants."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Traced):
        return place.get(a) == place.get(b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key], place) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(_same(x, y, place) for x, y in zip(a, b, strict=True))
    if isinstance(a, slice):
        return _same((a.start, a.stop, a.step), (b.start, b.stop, b.step), place)
    return a is b or callable(a) or _equal(a, b)
