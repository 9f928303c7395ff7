"""Specialised: the program of a function for one kind of arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np

from ..errors import TinygradError, UnreadableError
from ..randomness import noting
from .again import check_again
from .arguments import copied, name_of, others_of, parameters_of, sample
from .captures import DRAWS, Captures
from .fast import FastWriter
from .fits import fitting
from .levels import text_by_levels
from .needed import Needed
from .program import Program
from .results import collect, returned_text
from .runs import ChangingError, Run, arrays_of, called, traced_run
from .source import Writer


class Specialised:
    """A program for one kind of arguments.

    Attributes:
        compared: how often it was compared with the function itself.
        others: what arguments that are objects hold, if there are such.
        fits: a quick test whether it is for such arguments, if there is one.
        unchanged: a quick test whether what the function uses is as it was.
    """

    def __init__(
        self,
        program: Program,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        captures: Captures,
        others: Captures | None,
    ) -> None:
        self.program, self.run, self.others = program, program.loaded(), others
        self.compared, self._first = 0, sample((args, kwargs))
        self.generators = [x for x in program.bound.values() if isinstance(x, np.random.Generator)]
        self.fits = fitting(args, kwargs) if others is None and not self.generators else None
        self.unchanged = captures.unchanged()

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
    needed = Needed(trace, outputs)
    writer = Writer(needed, named, arrays_of(around), captured_names)
    name = name_of(f)

    def returned(writer: Writer, leaf: Callable[[Any], str]) -> str:
        return returned_text(result, leaf, writer, iter(range(len(outputs))))

    constants, needs, text = writer.constants, writer.needs, ""
    bound: dict[str, Any] = {}
    written = partial(writer.write, name, parameters, unpacking, partial(returned, writer))
    if runs:
        text, bound = text_by_levels(writer, symbols, name, parameters, unpacking, partial(returned, writer))
    by_levels = text != ""
    if by_levels:
        written = partial(_written_again, f, copied(args), copied(kwargs), around, constants, needs)
    elif runs:
        fast = FastWriter(needed, named, arrays_of(around), captured_names)
        text, bound = fast.write(name, parameters, unpacking, partial(returned, fast)), fast.constants
    program = Program(name, written, constants, needs, text, bound, by_levels)
    return (trace, symbols, outputs), program


def _written_again(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    around: Sequence[Captures],
    constants: dict[str, Any],
    needs: list[str],
) -> str:
    """The source of a program that runs by levels, from another run: it does not keep its many terms.

    Raises TinygradError if what f uses has changed since.
    """
    if any(captures.changed() for captures in around):
        raise TinygradError(
            f"compile: what {called(f)} uses has changed since it was compiled; call it before you read its source"
        )
    _, program = _written(f, args, kwargs, around, runs=False)
    source = program.source
    constants.update(program.constants)
    needs += program.needs
    return source
