"""Source: a trace as the text of a program that runs with NumPy alone.

A block for each line of the user's program, with that line as its comment, then the blocks of the backward pass. What is used
once stands inside the expression that uses it; what is used again has the name that the user's line gives it, and the gradient
of h is called d_h.
"""

from __future__ import annotations

import ast
import linecache
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from .expressions import ATOM, Text, quoted
from .idioms import Idioms
from .lines import Line
from .needed import Needed
from .traced import Guard, Traced

_LONGEST = 100  # characters of an expression
_SUMMED = 4  # squares in a line


class Writer(Idioms):
    """Writes the program of one trace, to be read.

    Args:
        needed: what is computed.
        symbols: the names of the symbols.
        captured: arrays that are read by reference.
        captured_names: what captured arrays are called, by id.
    """

    def __init__(
        self,
        needed: Needed,
        symbols: Mapping[Traced, str],
        captured: Sequence[np.ndarray[Any, Any]],
        captured_names: Mapping[int, str],
    ) -> None:
        super().__init__(symbols, captured, captured_names)
        self.trace, self.outputs, self.live, self.finite = needed.trace, needed.outputs, needed.live, needed.finite
        self.guards, self.checks, self.uses, self.users = needed.guards, needed.checks, needed.uses, needed.users
        self._named_by_user()

    def _named_by_user(self) -> None:
        """The last term of a line that assigns a variable is called as that variable, and its gradient d_ and that."""
        last: dict[Line, Traced] = {}
        for term in self.live:
            if term.line is not None and not term.back and not isinstance(term.behind, (tuple, list)):
                last[term.line] = term
        self.wanted: dict[Traced, str] = {}
        for line, term in last.items():
            target = _target(line)
            if target is not None:
                self.wanted[term] = target
        for name, symbol in [(name, symbol) for symbol, name in self.names.items()]:
            self.wanted[symbol] = name
        for term, name in self.trace.names.items():
            if term not in self.symbols:
                self.wanted[term] = name
        for g, term in self.trace.gradients.items():
            if term in self.wanted and g not in self.symbols:
                self.wanted.setdefault(g, f"d_{self.wanted[term]}")
        first = self.outputs[0] if self.outputs else None
        if isinstance(first, Traced) and first not in self.symbols:
            self.wanted.setdefault(first, "value")

    def write(
        self, name: str, parameters: str, unpacking: Sequence[str], result: Callable[[Callable[[Any], str]], str]
    ) -> str:
        """The text of the program.

        Args:
            name: of the function.
            parameters: its parameter list, as text.
            unpacking: lines that take arguments apart into symbols.
            result: the expression that is returned, given a function that writes each leaf.
        """
        guards = {guard.condition: guard for guard in self.guards}
        segments: list[tuple[bool, list[str]]] = [(False, [*unpacking])]
        block: tuple[Line | None, bool] | None = None
        title: list[str] = []  # of the block, until something is in it
        for term in self.live:
            if term.back is not segments[-1][0]:
                segments.append((term.back, []))
                block = None
            into = segments[-1][1]
            if (term.line, term.back) != block:
                block = (term.line, term.back)
                line = title_of(term.line)
                title = ["", *([f"# back through: {line}" if term.back else f"# {line}"] if line else [])]
            text = self.expression(term)
            if term not in guards and self._stands_inside(term, text):
                self.texts[term] = text
                continue
            into += title
            title = []
            if term in guards:
                self._guard(guards[term], text, into)
            else:
                self._let(term, text, into)
        body: list[str] = []
        for back, lines in segments:
            lines = lines[1:] if lines and not lines[0] else lines
            if back:
                body += [
                    "",
                    "# backward",
                    'with np.errstate(all="ignore"):',
                    *[f"    {line}" if line else "" for line in lines],
                ]
            else:
                body += [""] * bool(body) + lines
        ending = self._checks()
        body += ["", *ending] if ending else []
        shared = self._returned_twice()
        body += ["", f"return {_bare(result(lambda i: self._leaf(i, shared)))}"]
        helpers = "".join(f"{text}\n\n" for text in self.helpers.values())
        inside = textwrap.indent("\n".join(body).strip("\n"), "    ")
        return f"{helpers}def {name}({parameters}):\n{inside}\n"

    def _guard(self, guard: Guard, text: Text, into: list[str]) -> None:
        """Lines that raise GuardError unless a number is what it was."""
        term, taken = guard
        is_truth = isinstance(term.behind, (bool, np.bool_)) or isinstance(taken, bool)
        if self.uses[term] > 1:
            text = Text(self._let(term, text, into))
        condition = f"{text.within(7)} != {taken}" if not is_truth else f"not {text.within(7)}" if taken else text.text
        raising = f"    raise GuardError({quoted(self.why(guard))})"
        if len(into) > 1 and into[-1] == raising:  # one after the other for the same reason
            into[-2] = f"{into[-2].removesuffix(':')} or {condition}:"
        else:
            into += [f"if {condition}:", raising]

    def _let(self, term: Traced, text: Text, into: list[str]) -> str:
        of = self.names.get(self.trace.gradients.get(term, term))
        name = self.names[term] = self.fresh(self.wanted.get(term) or (f"d_{of}" if of else "t"))
        self.texts[term] = Text(name)
        shape = f"  # {term.shape}" if isinstance(term.behind, np.ndarray) and term.shape else ""
        into.append(f"{name} = {text.text}{shape}")
        return name

    def _stands_inside(self, term: Traced, text: Text) -> bool:
        """Whether an expression stands inside the one that uses it: it is used once, in the same block, and is short."""
        if term.spelling in (".T", ".mT") and term.args[0] in self.names:
            return True
        if self.uses[term] != 1 or len(text.text) > _LONGEST or isinstance(term.behind, (tuple, list)):
            return False
        user = self.users.get(term)
        if user is None or (user.line, user.back) != (term.line, term.back):
            return False
        return (term not in self.trace.names and term not in self.trace.gradients) or term not in self.wanted

    def _checks(self) -> list[str]:
        """The zero rule, which runs eager: where a result is not finite or a share is NaN, 0 times it is not 0."""
        finite, nan = self._squares(self.finite), self._squares(self.checks)
        lines: list[str] = []
        tests = []
        for name, test, squares in (("finite", "not math.isfinite", finite), ("number", "math.isnan", nan)):
            if len(squares) > _SUMMED:
                total = self.fresh(name)
                lines += [f"{total} {sign} {part}" for sign, part in _in_lines(squares)]
                squares = [total]
            if squares:
                word, function = test.split() if " " in test else ("", test)
                tests.append(f"{word} {self.callee(function)}({' + '.join(squares)})".strip())
        if not tests:
            return []
        why = "not finite on the way, where the zero rule may apply"
        condition = [f"if {' or '.join(tests)}:"]
        if len(condition[0]) > _LONGEST and len(tests) > 1:
            condition = ["if (", f"    {tests[0]}", *[f"    or {test}" for test in tests[1:]], "):"]
        return [*lines, *condition, f"    raise GuardError({quoted(why)})"]

    def _squares(self, terms: Sequence[Traced]) -> list[str]:
        """Sums of squares, which are finite, or numbers, if the terms are."""
        names = {x: self.flat(x) for x in terms}
        return list(
            dict.fromkeys(
                f"np.vdot({name}, {name})" if isinstance(x.behind, np.ndarray) else f"{name} * {name}"
                for x, name in names.items()
            )
        )

    def flat(self, x: Traced) -> str:
        """A term, or for an array in Fortran's order its transpose, of which np.vdot makes no copy."""
        name = self.value(x).within(ATOM)
        data = x.behind
        is_turned = isinstance(data, np.ndarray) and data.flags.f_contiguous and not data.flags.c_contiguous
        return f"{name}.T" if is_turned else name

    def why(self, guard: Guard) -> str:
        """Why a program does not hold, if the guard fails."""
        where = title_of(guard.condition.line)
        return f"another branch than when compiled: {where}" if where else "another branch than when compiled"

    def _returned_twice(self) -> set[int]:
        """The positions of results that share memory with an argument, a captured array or another result."""
        shared = set()
        before: list[Any] = [x.behind for x in self.symbols] + [*self.captured, *self.constants.values()]
        for i, x in enumerate(self.outputs):
            data = x.behind if isinstance(x, Traced) else x
            if isinstance(data, np.ndarray):
                if not isinstance(x, Traced) or any(
                    isinstance(y, np.ndarray) and np.may_share_memory(data, y) for y in before
                ):
                    shared.add(i)
                before.append(data)
        return shared

    def _leaf(self, i: int, shared: set[int]) -> str:
        text = self.value(self.outputs[i])
        is_made_here = not isinstance(self.outputs[i], Traced) and not text.text.isidentifier()
        return f"{text.within(ATOM)}.copy()" if i in shared and not is_made_here else text.text


def _bare(text: str) -> str:
    """A tuple without its parentheses."""
    tree = ast.parse(text, mode="eval").body
    return text[1:-1] if isinstance(tree, ast.Tuple) and len(tree.elts) > 1 and text[0] == "(" else text


def title_of(line: Line | None) -> str:
    """The text of a line; "" if it is not known."""
    return "" if line is None else " ".join(linecache.getline(line.file, line.number).split())


def _in_lines(squares: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A long sum as several assignments: the sign of each, and what it adds."""
    for i in range(0, len(squares), _SUMMED):
        yield "+=" if i else "=", " + ".join(squares[i : i + _SUMMED])


@cache
def _target(line: Line) -> str | None:
    """The variable that a line assigns, if it is one and its value is not that of a lambda."""
    text = linecache.getline(line.file, line.number).strip()
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    statement = tree.body[0] if tree.body else None
    if any(isinstance(part, ast.Lambda) for part in ast.walk(tree)):
        return None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None
