"""Specialised: the program of a function for one kind of arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np

from ..errors import TinygradError, UnreadableError
from ..randomness import noting
from . import levels
from .again import check_again
from .arguments import copied, described, name_of, others_of, parameters_of, sample
from .captures import DRAWS, Captures
from .fast import FastWriter
from .fits import fitting
from .needed import Needed
from .program import Program
from .results import collect, returned_text
from .runs import ChangingError, Run, arrays_of, called, traced_run
from .source import Writer

_HELD = 2**20  # bytes of arrays that are kept for the readable form


class Specialised:
    """A program for one kind of arguments.

    Attributes:
        compared: how often it was compared with the function itself.
        others: what arguments that are objects hold, if there are such.
        fits: a quick test whether it is for such arguments; see `prepared`.
        unchanged: a quick test whether what the function uses is as it was.
    """

    fits: Callable[[Any, Any], bool]
    unchanged: Callable[[], bool]
    _is_prepared: bool | None = None

    def __init__(
        self,
        program: Program,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        captures: Captures,
        others: Captures | None,
    ) -> None:
        self.program, self.run, self.captures, self.others = program, program.loaded(), captures, others
        self.compared, self._first = 0, sample((args, kwargs))
        self.generators = [x for x in program.bound.values() if isinstance(x, np.random.Generator)]

    def prepared(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether there are quick tests, written now: for arguments without objects, of a program that draws nothing."""
        if self._is_prepared is None:
            fits = None if self.others is not None or self.generators else fitting(args, kwargs)
            if fits is not None:
                self.fits, self.unchanged = fits, self.captures.unchanged()
            self._is_prepared = fits is not None
        return self._is_prepared

    def test_of(self, args: tuple[Any, ...]) -> Callable[[Any, Any], bool]:
        """A test whether some arguments are of the kind of these."""
        return fitting(args, {}) or (lambda *_: False)

    def is_same(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether the arguments are those of the run that was compiled."""
        return bool(sample((args, kwargs)) == self._first)


def specialised(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], captures: Captures
) -> Specialised:
    """The program of f for such arguments. Raises UnreadableError if f cannot be compiled; see `traced_run` and `check_again`."""
    others = others_of((args, kwargs))
    around = [captures] if others is None else [captures, others]
    made, program = _written(f, args, kwargs, around)
    check_again(f, args, kwargs, around, made)
    return Specialised(program, args, kwargs, captures, others)


def _written(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], around: Sequence[Captures], runs: bool = True
) -> tuple[Run, Program]:
    """A run on terms, and its program: to run, or with its source alone."""
    with ExitStack() as stack:
        changes = [stack.enter_context(captures.kept()) for captures in around]
        states = stack.enter_context(noting())
        try:
            trace, symbols, result = traced_run(f, args, kwargs, arrays_of(around))
        finally:
            for bits, state in states.items():  # the program draws these numbers itself
                bits.state = state
    for change in [change for changed in changes for change in changed]:
        if change is DRAWS:
            raise UnreadableError(
                f"compile: {called(f)}: it draws random numbers where compile cannot see it; draw them by dropout, or pass "
                "them as an argument"
            )
        raise ChangingError(
            f"compile: {called(f)}: it changes {change}, which compiled source would not do; return what it computes, and "
            f"change {change} outside"
        )
    parameters, unpacking, names = parameters_of(f, args, kwargs, [trace.names.get(symbol, "") for symbol in symbols])
    outputs: list[Any] = []
    collect(result, outputs, f)
    captured_names = {id(x): name for captures in around for name, x in captures.arrays.values()}
    named = dict(zip(symbols, names, strict=True))
    needed, arrays = Needed(trace, outputs), arrays_of(around)
    name = name_of(f)
    given = dict(zip(parameters.split(", "), map(described, (*args, *kwargs.values())), strict=False))

    def written_by(writer: Writer) -> str:
        return writer.write(name, parameters, unpacking, partial(returned, writer))

    def returned(writer: Writer, leaf: Callable[[Any], str]) -> str:
        return returned_text(result, leaf, writer, iter(range(len(outputs))))

    def readable() -> tuple[str, dict[str, Any]]:
        writer = Writer(needed, named, arrays, captured_names)
        return written_by(writer), writer.constants

    if runs and len(needed.live) >= levels.SMALLEST:
        writer = Writer(needed, named, arrays, captured_names)
        text, bound = levels.text_by_levels(writer, symbols, name, parameters, unpacking, partial(returned, writer))
        if text:
            again = partial(_read_again, f, copied(args), copied(kwargs), around)
            return (trace, symbols, outputs), Program(name, again, text, {**writer.constants, **bound}, True, given)
    if not runs:
        return (trace, symbols, outputs), Program(name, readable, "", {}, False, given)
    fast = FastWriter(needed, named, arrays, captured_names)
    program = Program(name, readable, written_by(fast), fast.constants, False, given)
    if sum(term.behind.nbytes for term in trace.made if isinstance(term.behind, np.ndarray)) > _HELD:
        _ = program.source  # now, so that the arrays of the run are not kept for it
    return (trace, symbols, outputs), program


def _read_again(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], around: Sequence[Captures]
) -> tuple[str, dict[str, Any]]:
    """The source of a program that runs by levels, from another run, since it does not keep its many terms; see Program.

    Raises TinygradError if what f uses has changed since.
    """
    if any(captures.changed() for captures in around):
        raise TinygradError(
            f"compile: what {called(f)} uses has changed since it was compiled; call it before you read its source"
        )
    _, program = _written(f, args, kwargs, around, runs=False)
    return program.source, program.constants
