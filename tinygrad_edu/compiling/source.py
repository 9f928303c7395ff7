"""Source: a trace as the text of a program that runs with NumPy alone.

A block for each line of the user's program, with that line as its comment, then the blocks of the backward pass. What is used
once stands inside the expression that uses it; what is used again has the name that the user's line gives it, and the gradient
of h is called d_h.
"""

from __future__ import annotations

import ast
import inspect
import keyword
import linecache
import math
import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from types import MappingProxyType
from typing import Any

import numpy as np

from ..term import terms
from .traced import Guard, Line, Trace, Traced

_LONGEST = 100  # characters of an expression
_SUMMED = 8  # squares in a line
_LISTED = 12  # numbers of a constant array that are written out
_PRECEDENCE = {"**": 14, "-x": 13, "~": 13, "+x": 13, "*": 12, "/": 12, "//": 12, "%": 12, "@": 12, "+": 11, "-": 11}
_PRECEDENCE |= {"&": 9, "^": 8, "|": 7} | dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), 6)
_ATOM = 20
_INFIX = {
    "np.add": "+",
    "np.subtract": "-",
    "np.multiply": "*",
    "np.divide": "/",
    "np.matmul": "@",
}  # not **: it takes short cuts
_INFIX |= {
    "np.less": "<",
    "np.less_equal": "<=",
    "np.greater": ">",
    "np.greater_equal": ">=",
    "np.equal": "==",
    "np.not_equal": "!=",
}


# calls whose result has a NaN, or is one, where an operand has one
_SPREAD = {
    "+",
    "-",
    "*",
    "/",
    "@",
    "float",
    ".T",
    ".mT",
    ".astype",
    "np.full",
    "np.broadcast_to",
    "np.transpose",
    "scatter(",
}
_SPREAD |= {"np.add", "np.subtract", "np.multiply", "np.divide", "np.negative", "np.matmul", "np.add.reduce"}
_SPREAD |= {"np.reshape", ".reshape", "np.stack", "np.concatenate"}


@dataclass
class Text:
    """An expression as text, and how tightly it binds."""

    text: str
    binds: int = _ATOM

    def within(self, binds: int) -> str:
        """The text inside an operator that binds so tightly."""
        return self.text if self.binds >= binds else f"({self.text})"


class Program:
    """A program as text.

    Args:
        name: of its function.
        written: computes `source`.
        constants: what it refers to by name and text cannot say: captured arrays by reference, opaque functions.
        needs: why it needs more than NumPy: the opaque functions.
        text: what runs in place of the source, if that is not the source itself.
        bound: what the text refers to by name.

    Attributes:
        source: the definition of the function, and of what it calls.
    """

    def __init__(
        self,
        name: str,
        written: Callable[[], str],
        constants: dict[str, Any],
        needs: list[str],
        text: str = "",
        bound: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.name, self.constants, self.text, self.bound = name, constants, text, bound
        self._needs, self._written, self._source, self._lock = needs, written, "", Lock()

    @property
    def source(self) -> str:
        """The text for reading, written when it is first asked for."""
        with self._lock:
            self._source = self._source or self._written()
        return self._source

    @property
    def needs(self) -> list[str]:
        """Why the source needs more than NumPy: the opaque functions."""
        return self._needs if self.source else []


class Writer:
    """Writes the program of one trace.

    Args:
        trace: what was computed.
        symbols: the names of the symbols.
        outputs: the leaves of the results.
        captured: arrays that are read by reference.
        captured_names: what captured arrays are called, by id.
    """

    def __init__(
        self,
        trace: Trace,
        symbols: dict[Traced, str],
        outputs: Sequence[Any],
        captured: Sequence[np.ndarray[Any, Any]],
        captured_names: Mapping[int, str],
    ) -> None:
        self.trace, self.outputs = trace, list(outputs)
        self.captured, self.captured_names = captured, captured_names
        self.taken = (
            set(symbols.values()) | set(keyword.kwlist) | {"np", "math", "GuardError", "float", "int", "bool", "abs"}
        )
        self.names: dict[Traced, str] = dict(symbols)
        self.counts: Counter[str] = Counter()
        self.symbols = set(symbols)
        self.constants: dict[str, Any] = {}
        self.by_id: dict[int, str] = {}
        self.needs: list[str] = []
        self.helpers: dict[str, str] = {}
        self.texts: dict[Traced, Text] = {}
        self.guards = _needed_guards(trace)
        self.checks = [share for share, g in trace.leaks if isinstance(share, Traced) and not _cannot_leak(share, g)]
        self.checks = self._smallest(self._live())
        self.live = self._live()
        self.uses = self._uses()
        self.users = {operand: user for user in self.live for operand in user.operands}
        self._named_by_user()

    # -- What is needed ------------------------------------------------------------------------------------------------

    def _roots(self) -> Iterator[Traced]:
        yield from terms(self.outputs)  # type: ignore[misc]
        yield from (guard.condition for guard in self.guards)
        yield from self.checks
        yield from self.trace.finite
        yield from self.trace.draws

    def _live(self) -> list[Traced]:
        """The terms that results and guards need, in the order of computation."""
        needed = set(self._roots())
        live = []
        for term in reversed(self.trace.made):
            if term in needed:
                live.append(term)
                needed.update(term.operands)
        live.reverse()
        return live

    def _smallest(self, live: Sequence[Traced]) -> list[Traced]:
        """Where to look for the NaN of shares: in the smallest result or share that it is bound to reach."""
        suspects = set(self.checks)
        candidates = suspects | {x for x in self.outputs if isinstance(x, Traced)}
        best: dict[Traced, Traced] = {}  # for each term the candidate in which its NaN shows
        for term in reversed(live):
            known = best.get(term)
            if term in candidates and (known is None or term.size < known.size):
                known = best[term] = term
            if known is not None and term.spelling in _SPREAD:
                for operand in term.operands:
                    other = best.get(operand)
                    if other is None or known.size < other.size:
                        best[operand] = known
        return list(dict.fromkeys(best[share] for share in self.checks))

    def _uses(self) -> dict[Traced, int]:
        uses: dict[Traced, int] = defaultdict(int)
        for term in self.live:
            for operand in term.operands:
                uses[operand] += 1
        for root in self._roots():
            uses[root] += 1
        return uses

    # -- Names ---------------------------------------------------------------------------------------------------------

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

    def fresh(self, base: str) -> str:
        """A name that is not taken."""
        name = base
        while name in self.taken:
            self.counts[base] += 1
            name = f"{base}_{self.counts[base] + 1}"
        self.taken.add(name)
        return name

    def _constant(self, x: Any, base: str) -> str:
        """The name of an object that text cannot say."""
        if id(x) not in self.by_id:
            name = self.fresh(base)
            self.by_id[id(x)], self.constants[name] = name, x
        return self.by_id[id(x)]

    # -- Expressions ---------------------------------------------------------------------------------------------------

    def value(self, x: Any) -> Text:
        """An operand: a term by its name or its expression, a constant as a literal or by a name."""
        if isinstance(x, Traced):
            if x in self.names:
                return Text(self.names[x])
            return self.texts[x] if x.place >= 0 else self._array(x.behind)
        if type(x) is tuple:
            inner = [self.value(part).text for part in x]
            return Text(f"({', '.join(inner)}{',' * (len(inner) == 1)})")
        if type(x) is list:
            return Text(f"[{', '.join(self.value(part).text for part in x)}]")
        if type(x) is float and not math.isfinite(x):
            return Text("np.nan" if x != x else "np.inf" if x > 0 else "-np.inf", _ATOM if x != x or x > 0 else 13)
        if type(x) in (float, int):
            return Text(repr(x), 13 if x < 0 or repr(x)[0] == "-" else _ATOM)
        if x is None or type(x) in (bool, str):
            return Text(repr(x))
        if isinstance(x, slice):
            return Text(f"slice({', '.join(self.value(part).text for part in (x.start, x.stop, x.step))})")
        if x is Ellipsis:
            return Text("...")
        if isinstance(x, np.dtype):
            return Text(f"np.{x.name}")
        if isinstance(x, type):
            return Text(f"np.{x.__name__}" if issubclass(x, np.generic) else x.__name__)
        if isinstance(x, np.generic):
            return Text(f"np.{x.dtype.name}({self.value(x.item()).text})")
        if isinstance(x, np.ndarray):
            return self._array(x)
        return Text(self._constant(x, "rng" if isinstance(x, np.random.Generator) else "k"))

    def _array(self, x: np.ndarray[Any, Any]) -> Text:
        """A constant array: as NumPy makes it where that is short, else by a name."""
        if any(x is kept or np.may_share_memory(x, kept) for kept in self.captured):
            return Text(self._constant(x, self.captured_names.get(id(x), "k")))
        kind = "" if x.dtype == float else f", {x.dtype.name!r}" if x.dtype == bool else f", np.{x.dtype.name}"
        if x.dtype.kind in "fiub" and not np.any(x) and (x.dtype.kind != "f" or not np.any(np.signbit(x))):
            return Text(f"np.zeros({x.shape}{kind})")
        if x.size and x.dtype.kind in "fiu" and np.all(x == 1):
            return Text(f"np.ones({x.shape}{kind})")
        if x.size > 1 and x.dtype.kind == "f" and x.tobytes() == np.full(x.shape, x.flat[0], x.dtype).tobytes():
            return Text(f"np.full({x.shape}, {self.value(x.flat[0].item()).text}{kind})")
        if x.ndim == 2 and x.size > _LISTED and x.dtype == float and np.array_equal(x, np.eye(len(x), x.shape[1])):
            return Text(f"np.eye({len(x)})" if len(x) == x.shape[1] else f"np.eye{x.shape}")
        if x.ndim == 1 and x.dtype == np.intp and np.array_equal(x, np.arange(x.size)) and x.size > 2:
            return Text(f"np.arange({x.size})")
        if (0 < x.size <= _LISTED and x.dtype.kind in "iub") or (
            x.dtype == float and x.size <= _LISTED and np.isfinite(x).all()
        ):
            kind = "" if x.dtype in (float, np.intp, bool) else f", np.{x.dtype.name}"
            return Text(f"np.array({x.tolist()!r}{kind})")
        return Text(self._constant(x, "k"))

    def expression(self, term: Traced) -> Text:
        """function(*args, **params)."""
        spelling, args, params = term.spelling, term.args, term.params
        if spelling == "scalar":
            return self._scalar(term)
        if spelling in _INFIX and any(isinstance(x, Traced) and x.shape for x in args) and not params:
            spelling = _INFIX[spelling]
        if spelling in _PRECEDENCE and len(args) == 2:
            binds = _PRECEDENCE[spelling]
            a, b = self.value(args[0]), self.value(args[1])
            if spelling == "**":
                return Text(f"{a.within(binds + 1)} ** {b.within(binds)}", binds)
            return Text(f"{a.within(binds)} {spelling} {b.within(binds + 1)}", binds)
        if spelling in ("-", "+", "~") or (spelling == "np.negative" and not params and args[0].shape):
            spelling = spelling.replace("np.negative", "-")
            return Text(f"{spelling}{self.value(args[0]).within(13)}", 13)
        if spelling == "[]":
            return Text(f"{self.value(args[0]).within(_ATOM)}[{self._index(args[1])}]")
        if spelling == "np.transpose" and args[1:] in ((), (None,)) and isinstance(args[0], Traced) and args[0].shape:
            spelling = ".T"
        if spelling in (".T", ".mT"):
            return Text(f"{self.value(args[0]).within(_ATOM)}{spelling}")
        short = self._method(term)
        if short is not None:
            return short
        written = [self.value(x).text for x in args]
        if spelling[0] == ".":
            written, owner = written[1:], self.value(args[0]).within(_ATOM)
        written += [f"{key}={self.value(x).text}" for key, x in params.items()]
        if spelling[0] == ".":
            return Text(f"{owner}{spelling}({', '.join(written)})")
        if spelling[-1] == "(":
            name = self._constant(term.function, _identifier(spelling[:-1]))
            if spelling[:-1] not in self.needs:
                self.needs.append(spelling[:-1])
            return Text(f"{name}({', '.join(written)})")
        return Text(f"{spelling}({', '.join(written)})")

    def _method(self, term: Traced) -> Text | None:
        """A reduction of an array as its method: x.sum(axis=1)."""
        names = {
            "np.add.reduce": "sum",
            "np.maximum.reduce": "max",
            "np.minimum.reduce": "min",
            "np.multiply.reduce": "prod",
        }
        params = {key: x for key, x in term.params.items() if not (key == "keepdims" and x is False) and x is not None}
        x = term.args[0] if term.args else None
        name = names.get(term.spelling)
        if name is None or not isinstance(x, Traced) or not isinstance(x.behind, np.ndarray) or not x.shape:
            return None
        if not params.keys() <= {"axis", "keepdims"} or len(term.args) > 1 or x.dtype.kind not in "fi":
            return None
        if "axis" not in term.params and len(x.shape) > 1:
            return None  # of ufunc.reduce the default is axis 0
        written = ", ".join(f"{key}={self.value(x).text}" for key, x in params.items())
        return Text(f"{self.value(x).within(_ATOM)}.{name}({written})")

    def _index(self, index: Any) -> str:
        parts = index if type(index) is tuple else (index,)
        if not parts:
            return "()"
        return ", ".join(map(self._index_part, parts)) + "," * (type(index) is tuple and len(parts) == 1)

    def _index_part(self, part: Any) -> str:
        if isinstance(part, slice):
            ends = ["" if x is None else self.value(x).text for x in (part.start, part.stop)]
            return ":".join(ends) + ("" if part.step is None else f":{self.value(part.step).text}")
        return self.value(part).text

    def _scalar(self, term: Traced) -> Text:
        """A function of Python's numbers: of the module math by its name, another by the text of its definition."""
        function = term.function
        written = [self.value(x) for x in term.args]
        if getattr(function, "__module__", "") == "math":
            return Text(f"math.{term.name}({', '.join(x.text for x in written)})")
        template, body, parameters = definition(function)
        if all(x.text.isidentifier() for x in written):
            return Text(template.format(*[x.text for x in written]), 0)
        name = _identifier(getattr(function, "__name__", "function"))
        self.helpers[name] = f"def {name}({', '.join(parameters)}):\n    return {body}\n"
        return Text(f"{name}({', '.join(x.text for x in written)})")

    # -- Statements ----------------------------------------------------------------------------------------------------

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
        for term in self.live:
            if term.back is not segments[-1][0]:
                segments.append((term.back, []))
                block = None
            into = segments[-1][1]
            if (term.line, term.back) != block:
                block = (term.line, term.back)
                title = title_of(term.line)
                into += ["", *([f"# back through: {title}" if term.back else f"# {title}"] if title else [])]
            text = self.expression(term)
            if term in guards:
                self._guard(guards[term], text, into)
            elif self._stands_inside(term, text):
                self.texts[term] = text
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
        body += self._checks()
        shared = self._returned_twice()
        body += ["", f"return {result(lambda i: self._leaf(i, shared))}"]
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
        raising = f"    raise GuardError({_quoted(self.why(guard))})"
        if len(into) > 1 and into[-1] == raising:  # one after the other for the same reason
            into[-2] = f"{into[-2].removesuffix(':')} or {condition}:"
        else:
            into += [f"if {condition}:", raising]

    def _let(self, term: Traced, text: Text, into: list[str]) -> str:
        name = self.names[term] = self.fresh(self.wanted.get(term, "t"))
        shape = f"  # {term.shape}" if isinstance(term.behind, np.ndarray) and term.shape else ""
        into.append(f"{name} = {text.text}{shape}")
        return name

    def _stands_inside(self, term: Traced, text: Text) -> bool:
        """Whether an expression stands inside the one that uses it: it is used once, in the same block, and is short."""
        if self.uses[term] != 1 or len(text.text) > _LONGEST or isinstance(term.behind, (tuple, list)):
            return False
        user = self.users.get(term)
        if user is None or (user.line, user.back) != (term.line, term.back):
            return False
        return (term not in self.trace.names and term not in self.trace.gradients) or term not in self.wanted

    def _checks(self) -> list[str]:
        """The zero rule, which runs eager: where a result is not finite or a share is NaN, 0 times it is not 0."""
        finite = list(dict.fromkeys(map(self._squares, self.trace.finite)))
        nan = list(dict.fromkeys(map(self._squares, self.checks)))
        lines: list[str] = []
        tests = []
        for name, test, squares in (("finite", "not math.isfinite({})", finite), ("number", "math.isnan({})", nan)):
            if len(squares) > _SUMMED:
                total = self.fresh(name)
                lines += [f"{total} {sign} {part}" for sign, part in _in_lines(squares)]
                squares = [total]
            if squares:
                tests.append(test.format(" + ".join(squares)))
        if not tests:
            return []
        why = "not finite on the way, where the zero rule may apply"
        return ["", *lines, f"if {' or '.join(tests)}:", f"    raise GuardError({_quoted(why)})"]

    def _squares(self, x: Traced) -> str:
        name = self.value(x).within(_ATOM)
        if not isinstance(x.behind, np.ndarray):
            return f"{name} * {name}"
        flat = f"{name}.T" if x.behind.flags.f_contiguous and not x.behind.flags.c_contiguous else name
        return f"np.vdot({flat}, {flat})"

    def why(self, guard: Guard) -> str:
        """Why a program does not hold, if the guard fails."""
        where = title_of(guard.condition.line)
        return f"another branch than when compiled: {where}" if where else "another branch than when compiled"

    def _returned_twice(self) -> set[int]:
        """The positions of results that share memory with an argument, a captured array or another result."""
        shared = set()
        before: list[Any] = [symbol.behind for symbol in self.symbols] + list(self.captured)
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
        return f"{text.within(_ATOM)}.copy()" if i in shared else text.text


class _Places(ast.NodeTransformer):
    """Puts {0}, {1}, ... in the places of names."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)

    def visit_Name(self, node: ast.Name) -> ast.Name:  # ast's name
        return ast.Name(f"{{{self.names.index(node.id)}}}" if node.id in self.names else node.id, node.ctx)


@cache
def definition(function: Any) -> tuple[str, str, tuple[str, ...]]:
    """The expression that a function of one line returns, with places for its operands and as it is, and its parameters."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    statement = tree.body[0]
    assert isinstance(statement, ast.FunctionDef)
    returned = next(part for part in statement.body if isinstance(part, ast.Return))
    assert returned.value is not None
    parameters = tuple(argument.arg for argument in statement.args.args)
    body = ast.unparse(returned.value)
    return ast.unparse(_Places(parameters).visit(returned.value)), body, parameters


def _quoted(text: str) -> str:
    """Text as a literal in double quotes."""
    return f'"{text}"' if not set(text) & {'"', "\\"} and text.isprintable() else repr(text)


def _identifier(text: str) -> str:
    name = "".join(c if c.isalnum() else "_" for c in text.replace("'s", ""))
    return name if name[:1].isalpha() else f"f_{name}"


def title_of(line: Line | None) -> str:
    """The text of a line; "" if it is not known."""
    return "" if line is None else " ".join(linecache.getline(line.file, line.number).split())


def _in_lines(squares: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A long sum as several assignments: the sign of each, and what it adds."""
    for i in range(0, len(squares), _SUMMED):
        yield "+=" if i else "=", " + ".join(squares[i : i + _SUMMED])


@cache
def _target(line: Line) -> str | None:
    """The variable that a line assigns, if it is one."""
    text = linecache.getline(line.file, line.number).strip()
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    statement = tree.body[0] if tree.body else None
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def _cannot_leak(share: Traced, g: Any) -> bool:
    """Whether a share is 0 wherever g is: g times booleans or finite numbers, or -g."""
    if share is g or (not isinstance(g, Traced) and np.all(g != 0)):
        return True
    if share.spelling == "-" and len(share.args) == 1:
        return isinstance(share.args[0], Traced) and _cannot_leak(share.args[0], g)
    if share.spelling in ("*", "/") and len(share.args) == 2:
        a, b = share.args
        if _is_tame(b, share.spelling == "/") and isinstance(a, Traced):
            return _cannot_leak(a, g)
        if share.spelling == "*" and _is_tame(a, False) and isinstance(b, Traced):
            return _cannot_leak(b, g)
    return False


def _is_tame(x: Any, divides: bool) -> bool:
    """Whether a factor is finite for sure."""
    if isinstance(x, Traced):
        return not divides and x.dtype == bool
    return type(x) in (int, float) and math.isfinite(x) and not (divides and x == 0)


def _needed_guards(trace: Trace) -> list[Guard]:
    return list({guard.condition: guard for guard in trace.guards}.values())
