"""compile: run a function once on terms, write what it computed as NumPy source, and run that from then on."""

from __future__ import annotations

import gc
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from functools import update_wrapper
from pathlib import Path
from typing import Any

import numpy as np

from ..binding import check_function
from ..errors import TinygradError, UnreadableError, UnsupportedError
from .arguments import copied, kind_of_call
from .captures import Captures, generators_kept
from .program import GuardError
from .results import equal
from .runs import ChangingError, FailedError, called, refused
from .specialised import Specialised, specialised
from .traced import Escape

_MANY = 8  # kinds of arguments, after which a warning says what is compiled anew each time
_KEPT = 100  # programs of one function
_compiling = threading.RLock()


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
        ready: the program of the last call, if it has been compared with the function twice and needs no more than a look.
    """

    def __init__(self, f: Callable[..., Any], given: Sequence[Any] = ()) -> None:
        check_function("compile", f)
        update_wrapper(self, f)
        self.function = f
        self.compilations = self.calls = 0
        self.eager: dict[str, int] = {}
        self._changed = ""  # which captured variable, for a warning
        self._given = tuple(given)
        self._held = _Held(f, self._given)
        self.ready: Specialised | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = self.ready
        if found is not None and found.fits(args, kwargs) and found.unchanged():
            try:
                result = found.run(*args, **kwargs) if kwargs else found.run(*args)
            except Exception as error:  # the function itself raises this too, or knows better
                return self._eager(_reason(error), args, kwargs)
            self.calls += 1
            return result
        return self._specialised(args, kwargs)

    def again(self, found: Specialised, args: tuple[Any, ...]) -> Any:
        """A call with arguments of which the caller knows that this program, once ready, is for their kind."""
        if not found.unchanged():
            return self._specialised(args, {})
        try:
            result = found.run(*args)
        except Exception as error:
            return self._eager(_reason(error), args, {})
        self.calls += 1
        return result

    def _specialised(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that needs more than a look at its arguments."""
        kind = kind_of_call(args, kwargs)
        if kind is None:
            return self._eager("an argument is a Value, or an array of another kind", args, kwargs)
        held = self._held
        changed = held.captures.changed()
        if changed:
            self._changed = f", the last time since {changed} had changed"
            held, self.ready = _Held(self.function, self._given), None
            self._held = held
        found = held.programs.get(kind)
        if found is None or (found.others is not None and found.others.changed()):
            found = self._compile(held, kind, args, kwargs)
            if found is None:
                return self._eager("numbers at which Python raises, such as 1/0", args, kwargs)
        if found.compared < 2 and not (found.compared and found.is_same(args, kwargs)):
            return self._compare(found, args, kwargs)
        if found.compared >= 2 and found is not self.ready and found.prepared(args, kwargs):
            self.ready = found
        before = [generator.bit_generator.state for generator in found.generators]
        try:
            result = found.run(*args, **kwargs)
        except Exception as error:
            for generator, state in zip(found.generators, before, strict=True):
                generator.bit_generator.state = state
            return self._eager(_reason(error), args, kwargs)
        self.calls += 1
        return result

    def _eager(self, reason: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.eager[reason] = self.eager.get(reason, 0) + 1
        return self.function(*args, **kwargs)

    def _compile(self, held: _Held, kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Specialised | None:
        with _compiling:
            found = held.programs.get(kind)
            if found is not None and not (found.others is not None and found.others.changed()):
                return found  # of another thread
            collecting = gc.isenabled()
            gc.disable()  # a third of the time for large graphs, of which nothing can be freed yet
            try:
                try:
                    made = specialised(self.function, args, kwargs, held.captures)
                except ChangingError:  # perhaps a cache that the first call fills
                    with held.captures.draws_kept():
                        self.function(*copied(args), **copied(kwargs))
                    held.captures = Captures(self.function, self._given)
                    made = specialised(self.function, args, kwargs, held.captures)
            except Escape:
                return None
            except FailedError as failed:
                self.function(*copied(args), **copied(kwargs))  # raises its own exception, if it is that
                text = f"it fails on terms ({type(failed.__cause__).__name__}: {failed.__cause__})"
                raise refused(self.function, str(failed), text) from failed.__cause__
            finally:
                if collecting:
                    gc.enable()
            self.compilations += 1
            held.programs[kind] = made
            if len(held.programs) > _KEPT:
                del held.programs[next(iter(held.programs))]
        if self.compilations == _MANY:
            warnings.warn(
                f"compile: {called(self.function)} was compiled {_MANY} times, for other shapes, dtypes, constants or captured "
                f"objects each time{self._changed}; pass numbers that change as floats or arrays, and arrays of one shape",
                CompileWarning,
                stacklevel=4,
            )
        return made

    def _compare(self, found: Specialised, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The first call, and the first one with new numbers, run the function too, and compare."""
        with generators_kept(found.generators), np.errstate(all="ignore"):
            try:
                got = found.run(*args, **kwargs)
            except Exception as error:
                got = error
        if isinstance(got, Exception):
            return self._eager(_reason(got), args, kwargs)
        expected = self.function(*args, **kwargs)
        if not equal(got, expected):
            raise UnreadableError(
                f"compile: {called(self.function)}: its compiled source gives other numbers than the function itself, so it "
                "depends on something that compile does not see; run it without compile"
            )
        found.compared += 1
        self.calls += 1
        return got

    def _latest(self) -> Specialised:
        programs = self._held.programs
        if not programs:
            raise TinygradError("compile: nothing is compiled yet; call the function first")
        return list(programs.values())[-1]

    @property
    def source(self) -> str:
        """The source that was compiled last. Raises TinygradError before the first call."""
        return self._latest().program.source

    @property
    def fast_source(self) -> str:
        """The text that runs: the source computed in place, with functions and constants by their names alone."""
        return self._latest().program.text

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


_KIND = "arguments that are neither floats nor arrays are part of the program by themselves"
_REMEDIES = {  # options of jax.jit, torch.compile, tf.function and numba.njit, and what to write instead
    **dict.fromkeys(("static_argnums", "static_argnames"), f"leave it out: {_KIND}"),
    **dict.fromkeys(
        ("donate_argnums", "donate_argnames"), "leave it out: memory is used again by itself, arguments never"
    ),
    **dict.fromkeys(("dynamic", "reduce_retracing"), "leave it out: f is compiled anew for each shape; pad to a few"),
    **dict.fromkeys(
        ("fullgraph", "nopython", "forceobj"), "leave it out: f is compiled whole, or refused with the line"
    ),
    **dict.fromkeys(("mode", "backend", "options", "jit_compile"), "leave it out: there is one compiler, to NumPy"),
    "disable": "call f itself in place of compile(f)",
    "signature": "leave it out: f is compiled by the first call, for its arguments",
}


def compile(f: Callable[..., Any] | None = None, /, **options: Any) -> Compiled:
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
        options: none; those of other libraries are refused with what to write instead.

    Returns:
        a function of the same arguments, which threads may share. `source` is its text, and `save` writes it as a module that
        runs with NumPy alone; `fast_source` is the text that runs, which computes the same in place. Results are the caller's:
        no later call changes them.

    Raises:
        UnsupportedError: for options, and if f is no function.

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
    for name in options:
        remedy = _REMEDIES.get(name, "compile takes a function alone")
        raise UnsupportedError(f"compile: got {name}={options[name]!r:.40}, expected no options; {remedy}")
    if f is None:
        raise UnsupportedError("compile: got no function; write compile(f), or @compile without parentheses")
    return Compiled(f)


class _Held:
    """What a function uses, and the programs that hold as long as that is the same."""

    def __init__(self, f: Callable[..., Any], given: Sequence[Any]) -> None:
        self.captures = Captures(f, given)
        self.programs: dict[Any, Specialised] = {}


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, (GuardError, ArithmeticError)) else type(error).__name__
