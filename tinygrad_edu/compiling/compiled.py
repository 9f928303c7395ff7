"""compile: run a function once on terms, write what it computed as NumPy source, and run that from then on."""

from __future__ import annotations

import builtins
import gc
import linecache
import math
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial, update_wrapper
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
from .captures import DRAWS, Captures, generators_kept
from .levels import text_by_levels
from .moving import moved
from .source import Program, Writer, title_of
from .traced import OURS, Escape, Line, Trace, Traced, tracing

_MANY = 8  # kinds of arguments, after which a warning says what is compiled anew each time
_KEPT = 100  # programs of one function
_compiling = threading.RLock()
_numbered = count(1)


class GuardError(RuntimeError):
    """A compiled program met numbers for which it does not hold; the function itself must run."""


class CompileWarning(UserWarning):
    """A function is compiled again and again, since its arguments are of another kind each time."""


class Compiled:
    """A function that runs as compiled NumPy source; see `compile`.

    Args:
        f: the function.
        given: objects around it that are not followed, since what they hold is passed to f as arguments.

    Attributes:
        compilations: how often it was compiled.
        calls: how often the source ran.
        eager: how often the function itself ran in its place, by the reason.
    """

    def __init__(self, f: Callable[..., Any], given: Sequence[Any] = ()) -> None:
        check_function("compile", f)
        update_wrapper(self, f)
        self.function = f
        self.compilations = self.calls = 0
        self.eager: dict[str, int] = {}
        self._given = tuple(given)
        self._held = _Held(f, self._given)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        kind = _kind_of_call(args, kwargs)
        if kind is None:
            return self._eager("an argument is a Value, or an array of another kind", args, kwargs)
        held = self._held
        if held.captures.changed():
            held = self._held = _Held(self.function, self._given)
        found = held.programs.get(kind)
        if found is None or (found.others is not None and found.others.changed()):
            found = self._compile(held, kind, args, kwargs)
            if found is None:
                return self._eager("numbers at which Python raises, such as 1/0", args, kwargs)
        if found.compared < 2 and not (found.compared and found.is_same(args, kwargs)):
            return self._compare(found, args, kwargs)
        before = [generator.bit_generator.state for generator in found.generators]
        try:
            result = found.run(*args, **kwargs)
        except Exception as error:  # the function itself raises this too, or knows better
            for generator, state in zip(found.generators, before, strict=True):
                generator.bit_generator.state = state
            return self._eager(_reason(error), args, kwargs)
        self.calls += 1
        return result

    def _eager(self, reason: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.eager[reason] = self.eager.get(reason, 0) + 1
        return self.function(*args, **kwargs)

    def _compile(self, held: _Held, kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Specialised | None:
        with _compiling:
            found = held.programs.get(kind)
            if found is not None and not (found.others is not None and found.others.changed()):
                return found  # of another thread
            collecting = gc.isenabled()
            gc.disable()  # a third of the time for large graphs, of which nothing can be freed yet
            try:
                try:
                    made = _specialised(self.function, args, kwargs, held.captures)
                except _ChangingError:  # perhaps a cache that the first call fills
                    with held.captures.draws_kept():
                        self.function(*_copied(args), **_copied(kwargs))
                    held.captures = Captures(self.function, self._given)
                    made = _specialised(self.function, args, kwargs, held.captures)
            except Escape:
                return None
            except _Failed as failed:
                self.function(*_copied(args), **_copied(kwargs))  # raises its own exception, if it is that
                text = f"it fails on terms ({type(failed.__cause__).__name__}: {failed.__cause__})"
                raise _refused(self.function, str(failed), text) from failed.__cause__
            finally:
                if collecting:
                    gc.enable()
            self.compilations += 1
            held.programs[kind] = made
            if len(held.programs) > _KEPT:
                del held.programs[next(iter(held.programs))]
        if self.compilations == _MANY:
            warnings.warn(
                f"compile: {_called(self.function)} was compiled {_MANY} times, for other shapes, dtypes, constants or captured "
                "objects each time; pass numbers that change as floats or arrays, and arrays of one shape",
                CompileWarning,
                stacklevel=3,
            )
        return made

    def _compare(self, found: _Specialised, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The first call, and the first one with new numbers, run the function too, and compare."""
        with generators_kept(found.generators), np.errstate(all="ignore"):
            try:
                got = found.run(*args, **kwargs)
            except Exception as error:
                got = error
        if isinstance(got, Exception):
            return self._eager(_reason(got), args, kwargs)
        expected = self.function(*args, **kwargs)
        if not _equal(got, expected):
            raise UnreadableError(
                f"compile: {_called(self.function)}: its compiled source gives other numbers than the function itself, so it "
                "depends on something that compile does not see; run it without compile"
            )
        found.compared += 1
        self.calls += 1
        return got

    def _latest(self) -> _Specialised:
        programs = self._held.programs
        if not programs:
            raise TinygradError("compile: nothing is compiled yet; call the function first")
        return list(programs.values())[-1]

    @property
    def source(self) -> str:
        """The source that was compiled last. Raises TinygradError before the first call."""
        return self._latest().program.source

    @property
    def needs(self) -> dict[str, str]:
        """The functions that `save` must import from other packages than NumPy, with the reason; {} if it needs NumPy alone."""
        from .saving import needed

        return needed(self._latest().program)

    @property
    def copied(self) -> list[str]:
        """The functions that the source calls since no expression says them; `save` copies their own source."""
        from .saving import copied

        return copied(self._latest().program)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the source that was compiled last as a module, and return its path.

        The module runs with NumPy alone: functions that no expression says, such as convolution, are copied into it. What has no
        source of NumPy alone is imported; the head of the module says from where and why. It raises GuardError for numbers for
        which it does not hold. Raises TinygradError if it would hold arrays of more than 10,000 numbers, or objects without text.
        """
        from .saving import module_text, written

        return written(path, module_text(self._latest().program))

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"<compiled {name}: {self.compilations} compiled, {self.calls} calls, {sum(self.eager.values())} eager>"

    def _repr_html_(self) -> str:
        from .saving import highlighted

        return highlighted(self.source) if self._held.programs else repr(self)


def compile(f: Callable[..., Any]) -> Compiled:
    """The function f as NumPy source that a person could have written, which runs in its place.

    f is run once on terms that carry the numbers of the call; what it computes becomes source, with its gradients if f is one of
    the transforms: compile(value_and_grad(loss)), compile(grad(f)), compile(hessian(f)). Values equal those of f to the last bit.
    It is compiled anew for other shapes, dtypes, structures, or values of arguments that are not floats or arrays.

    Captured arrays of floats are read by reference; if anything else that f uses changes, it is compiled anew. The first call,
    and the first one with other numbers, run f too and compare. Where source does not hold, for numbers at which Python raises
    or the zero rule applies, f itself runs. What compile cannot see:

    - printing, files, and other effects outside of what f refers to: they happen when it is compiled, not later;
    - a number as the key of a dictionary or in a set, and isinstance(x, float), beyond those two calls;
    - a branch on captured floats, or numbers that NumPy computes from them, unless it shows when they are multiplied by 1000 or
      -1000;
    - entries of containers of more than 10,000, and attributes of modules of the standard library, NumPy and SciPy.

    Args:
        f: function of numbers, arrays, and tuples, lists and dictionaries of them, that returns such; made of this package's
            functions and NumPy's. Its arguments may have other values that are part of the program, such as strings.

    Returns:
        a function of the same arguments, which threads may share. `source` is its text, and `save` writes it as a module that
        runs with NumPy alone.

    Raises (when called):
        UnreadableError: if f branches on numbers, takes them out of arrays by float() or np.asarray, makes arrays whose shape
            depends on numbers, writes into arrays, changes variables around it, or computes something from its arguments, or
            draws random numbers, where this cannot be seen. It names f, the line, and what to write instead.

    Warns:
        CompileWarning: if it is compiled for the eighth time.

    >>> from tinygrad_edu import compile, value_and_grad
    >>> f = compile(value_and_grad(lambda x: x * x))
    >>> f(3.0)
    (9.0, 6.0)
    """
    return Compiled(f)


class _Held:
    """What a function uses, and the programs that hold as long as that is the same."""

    def __init__(self, f: Callable[..., Any], given: Sequence[Any]) -> None:
        self.captures = Captures(f, given)
        self.programs: dict[Any, _Specialised] = {}


class _Specialised:
    """A program for one kind of arguments.

    Attributes:
        compared: how often it was compared with the function itself.
        others: what arguments that are objects hold, if there are such.
    """

    def __init__(self, program: Program, run: Callable[..., Any], args: Any, others: Captures | None) -> None:
        self.program, self.run, self._first, self.others = program, run, _sample(args), others
        self.compared = 0
        self.generators = [x for x in program.constants.values() if isinstance(x, np.random.Generator)]

    def is_same(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether the arguments are those of the run that was compiled."""
        return bool(_sample((args, kwargs)) == self._first)


def _specialised(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], captures: Captures
) -> _Specialised:
    others = _others((args, kwargs))
    around = [captures] if others is None else [captures, others]
    made, program = _written(f, args, kwargs, around)
    _check_again(f, args, kwargs, around, made)
    text = program.text or program.source
    namespace = {"np": np, "math": math, "GuardError": GuardError, **program.bound, **program.constants}
    file = f"<compiled {program.name} {next(_numbered)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(builtins.compile(text, file, "exec"), namespace)  # our own text
    run: Callable[..., Any] = namespace[program.name]
    return _Specialised(program, run, (args, kwargs), others)


Run = tuple[Trace, list[Traced], list[Any]]


def _written(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], around: Sequence[Captures]
) -> tuple[Run, Program]:
    with ExitStack() as stack:
        changes = [stack.enter_context(captures.kept()) for captures in around]
        states = stack.enter_context(noting())
        try:
            trace, symbols, result = traced_run(f, args, kwargs, _arrays(around))
        finally:
            for bits, state in states.items():  # the program draws these numbers itself
                bits.state = state
    for change in [change for changed in changes for change in changed]:
        if change is DRAWS:
            raise UnreadableError(
                f"compile: {_called(f)}: it draws random numbers where compile cannot see it; draw them by dropout, or pass "
                "them as an argument"
            )
        raise _ChangingError(
            f"compile: {_called(f)}: it changes {change}, which compiled source would not do; return what it computes, and "
            f"change {change} outside"
        )
    parameters, unpacking, names = _parameters(f, args, kwargs, [trace.names.get(symbol, "") for symbol in symbols])
    outputs: list[Any] = []
    _collect(result, outputs, f)
    captured_names = {id(x): name for captures in around for name, x in captures.arrays.values()}
    writer = Writer(trace, dict(zip(symbols, names, strict=True)), outputs, _arrays(around), captured_names)
    name = _name(f)

    def returned(leaf: Callable[[Any], str]) -> str:
        return _returned(result, leaf, writer, iter(range(len(outputs))))

    text, bound = text_by_levels(writer, symbols, name, parameters, unpacking, returned)
    program = Program(
        name, partial(writer.write, name, parameters, unpacking, returned), writer.constants, writer.needs, text, bound
    )
    return (trace, symbols, outputs), program


def traced_run(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    arrays: Sequence[np.ndarray[Any, Any]] = (),
    is_placed: bool = True,
) -> tuple[Trace, list[Traced], Any]:
    """Run f on terms with the numbers of the arguments.

    Args:
        arrays: those that are read by reference.
        is_placed: whether terms know their lines.

    Raises:
        UnreadableError: if f looks at numbers or writes into arrays, also if f catches that.
        Escape: if Python's numbers raise.
        _Failed: from any other exception.
    """
    with tracing() as trace:
        symbols: list[Traced] = []

        def stand_in(x: Any) -> Any:
            symbols.append(trace.symbol(f"x{len(symbols)}", x))
            return symbols[-1]

        trace.is_placed = is_placed
        trace.captured = frozenset(id(y) for x in arrays for y in (x, x.base) if y is not None)
        given = _mapped(stand_in, (args, kwargs))
        failure: Exception | None = None
        result = None
        try:
            result = f(*given[0], **given[1])
        except Exception as error:
            failure = error
    if trace.escaped:  # also if f caught that
        raise Escape
    if trace.refusals:
        refusal = trace.refusals[0]
        raise _refused(f, title_of(refusal.line), refusal.error) from failure
    if failure is not None:
        cause: BaseException | None = failure
        while cause is not None and not isinstance(cause, UnreadableError):
            cause = cause.__cause__
        title = title_of(_last_line(failure))
        if cause is not None:
            raise _refused(f, title, cause) from failure
        raise _Failed(title) from failure
    return trace, symbols, _mapped_terms(trace, result)


def _arrays(around: Sequence[Captures]) -> list[np.ndarray[Any, Any]]:
    return [x for captures in around for _, x in captures.arrays.values()]


class _ChangingError(UnreadableError):
    """The function changes a variable around it."""


class _Failed(Exception):  # noqa: N818
    """The function raised an exception, perhaps since its arguments are terms."""


def _refused(f: Callable[..., Any], title: str, error: BaseException | str) -> UnreadableError:
    """An error with the name of the function and the user's line."""
    text = str(error)
    where = f", in `{title}`" if title else ""
    remedy = "" if ";" in text else "; compute with this package's functions and NumPy's, or run it without compile"
    return UnreadableError(f"compile: {_called(f)}{where}: {text}{remedy}")


def _last_line(error: BaseException) -> Line | None:
    """The line of the user at which an exception was raised."""
    line = None
    step = error.__traceback__
    while step is not None:
        if str(step.tb_frame.f_globals.get("__name__", "")).partition(".")[0] not in OURS:
            line = Line(step.tb_frame.f_code.co_filename, step.tb_lineno)
        step = step.tb_next
    return line


def _called(f: Any) -> str:
    """A function's name, for messages."""
    while isinstance(f, partial):
        f = f.func
    return str(getattr(f, "__name__", type(f).__name__))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, (GuardError, ArithmeticError)) else type(error).__name__


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
        if x.dtype.kind not in "fiubc":
            raise _NotPlain
        return x.shape, x.dtype, flags.c_contiguous or (flags.f_contiguous and 2)
    if own is dict:
        return dict, *[(key, _kind(part)) for key, part in x.items()]
    if own is tuple or own is list or hasattr(x, "_make"):
        return own, *map(_kind, x)
    if isinstance(x, (Node, Term, np.ndarray)):
        raise _NotPlain
    if isinstance(x, np.generic):
        return (own,) if isinstance(x, np.floating) else (own, x.tobytes())
    if own in (int, bool, str, type(None)):
        return own, x
    return (own, repr(x)) if own in _TEXTS else (own, id(x))


_TEXTS = {complex, bytes, slice, range}  # constants of which equal texts mean equal ones


def _others(tree: Any) -> Captures | None:
    """What arguments that are objects hold, which keeps these objects too; None if there are none."""
    found: list[Any] = []

    def visit(x: Any) -> None:
        if type(x) is dict:
            found.extend(key for key in x if type(key) is not str)
            visit(list(x.values()))
        elif type(x) in (tuple, list) or hasattr(x, "_make"):
            for part in x:
                visit(part)
        elif not (
            _is_number(x) or isinstance(x, np.generic) or type(x) in (int, bool, str, type(None)) or type(x) in _TEXTS
        ):
            found.append(x)

    visit(tree)
    return Captures(found) if found else None


def _mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    """A tree of arguments with f(x) for each number."""
    if type(tree) is dict:
        return {key: _mapped(f, part) for key, part in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return tree._make(_mapped(f, part) for part in tree)
    if type(tree) in (tuple, list):
        return type(tree)([_mapped(f, part) for part in tree])
    return f(tree) if _is_number(tree) else tree


def _copied(tree: Any) -> Any:
    return _mapped(lambda x: x.copy() if isinstance(x, np.ndarray) else x, tree)


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


def _collect(tree: Any, found: list[Any], f: Callable[..., Any]) -> None:
    """The leaves of a result of f that are numbers or arrays. Raises UnreadableError for what a program cannot return."""
    if type(tree) is dict:
        for part in tree.values():
            _collect(part, found, f)
    elif type(tree) in (tuple, list) or hasattr(tree, "_make"):
        for part in tree:
            _collect(part, found, f)
    elif isinstance(tree, (Traced, np.ndarray, np.generic, float)):
        found.append(tree)
    elif isinstance(tree, Node):
        raise UnreadableError(
            f"compile: {_called(f)} returned a Value, which would not be connected to its graph; return plain numbers, as "
            "value_and_grad does, or v.data"
        )
    elif type(tree) not in (int, bool, str, type(None)):
        raise UnreadableError(
            f"compile: {_called(f)} returned a {type(tree).__name__}, expected numbers, arrays or tuples, lists, dicts of them; "
            "make it of the result"
        )


def _returned(tree: Any, leaf: Callable[[Any], str], writer: Writer, places: Iterator[int]) -> str:
    """The expression that builds the tree of results."""
    if type(tree) is dict:
        return "{" + ", ".join(f"{key!r}: {_returned(part, leaf, writer, places)}" for key, part in tree.items()) + "}"
    if hasattr(tree, "_make"):
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


def _check_again(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], around: Sequence[Captures], first: Run
) -> None:
    """Run f on terms with other numbers. Raises UnreadableError if it used a number that is not the same then.

    The captured arrays have other numbers too. Where f computed something from them, their contents are part of the program.
    """
    moved_args = _mapped(moved, (args, kwargs))
    captures = around[0] if around and any(x.dtype.kind == "f" for _, x in around[0].arrays.values()) else None
    if captures is not None:
        unseen = False
        for by in (1 + 2.0**-10, 1000.0, -1000.0):  # the latter for branches on captured numbers
            elsewhere, arrays = captures.elsewhere(f, by)
            unseen = unseen or _differing(elsewhere, moved_args, around, first, arrays) != ""
        for key, (_, x) in captures.arrays.items():
            if unseen or key not in arrays:
                captures.watch(x)
        if not unseen:
            return
    where = _differing(f, moved_args, around, first, {})
    if where:
        raise UnreadableError(
            f"compile: {_called(f)}{where}: a number that depends on the arguments, or is random, was computed where it cannot "
            "be seen; compute it with this package's functions or NumPy's, or pass it as an argument"
        )


Arrays = dict[int, np.ndarray[Any, Any]]


def _differing(
    f: Callable[..., Any], moved_args: Any, around: Sequence[Captures], first: Run, arrays: Arrays
) -> str | None:
    """Where a run on other numbers differs from the first, as words; "" if nowhere, None if it cannot be compared."""
    with ExitStack() as stack:
        for captures in around:
            stack.enter_context(captures.kept())
        states = stack.enter_context(noting())
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        try:
            args, kwargs = moved_args
            trace, symbols, result = traced_run(f, args, kwargs, [*_arrays(around), *arrays.values()], is_placed=False)
            outputs: list[Any] = []
            _collect(result, outputs, f)
        except (Exception, Escape):  # numbers at which f is not defined; the first call with new ones compares
            return None
        finally:
            for bits, state in states.items():
                bits.state = state
    return _difference(first, (trace, symbols, outputs), arrays)


def _difference(first: Run, second: Run, arrays: Arrays) -> str | None:
    (a, a_symbols, a_outputs), (b, b_symbols, b_outputs) = first, second
    branches = [[guard.taken for guard in run.guards] for run in (a, b)]
    if branches[0] != branches[1]:
        return None
    place: dict[Any, int] = {}
    for i, (x, y) in enumerate(zip(a_symbols, b_symbols, strict=True)):
        place[x] = place[y] = -1 - i
    same = _Same(place, arrays)
    for x, y in zip(a.made, b.made, strict=False):
        place[x] = place[y] = x.place
        if x.spelling != y.spelling or not same.arguments(x, y):
            title = title_of(x.line)
            return f", in `{title}`" if title else ", in an operation"
    return "" if len(a.made) == len(b.made) and same(a_outputs, b_outputs) else ", in what it returns"


class _Same:
    """Whether the arguments of two calls are the same terms and the same constants.

    Args:
        place: of the terms of both runs.
        arrays: for captured arrays, by id, those that stand for them in the second run.
    """

    def __init__(self, place: dict[Any, int], arrays: Arrays) -> None:
        self.place, self.arrays = place, arrays
        self.owners = {*arrays, *map(id, arrays.values())}

    def arguments(self, x: Traced, y: Traced) -> bool:
        """Whether two terms have the same arguments."""
        if len(x.args) != len(y.args) or not ((not x.params and not y.params) or self(x.params, y.params)):
            return False
        for a, b in zip(x.args, y.args, strict=True):
            if type(a) is Traced and type(b) is Traced and a.place == b.place >= 0:
                continue
            if not self(a, b):
                return False
        return True

    def __call__(self, a: Any, b: Any) -> bool:
        if type(a) is not type(b):
            return False
        if isinstance(a, Traced):
            if a.place < 0 and a not in self.place and b not in self.place:
                return self(a.behind, b.behind)  # captured arrays
            return self.place.get(a) == self.place.get(b)
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(self(a[key], b[key]) for key in a)
        if isinstance(a, (tuple, list)):
            return len(a) == len(b) and all(self(x, y) for x, y in zip(a, b, strict=True))
        if isinstance(a, slice):
            return self((a.start, a.stop, a.step), (b.start, b.stop, b.step))
        if isinstance(a, np.ndarray) and self.arrays:
            x, y = self._owner(a), self._owner(b)
            if id(x) in self.arrays:
                return self.arrays[id(x)] is y and _place_in(a, x) == _place_in(b, y)
        return a is b or callable(a) or isinstance(a, np.random.Generator) or _equal(a, b)

    def _owner(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The captured array of which x is a view."""
        while id(x) not in self.owners and isinstance(x.base, np.ndarray):
            x = x.base
        return x


def _place_in(view: np.ndarray[Any, Any], x: np.ndarray[Any, Any]) -> Any:
    """Where in the memory of x a view is."""
    return view.shape, view.strides, view.dtype, view.ctypes.data - x.ctypes.data
