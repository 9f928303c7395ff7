"""Expressions: the calls of a trace as the text of NumPy expressions, and names for what text cannot say."""

from __future__ import annotations

import ast
import inspect
import keyword
import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .traced import Traced

_LISTED = 12  # numbers of a constant array that are written out
PRECEDENCE = {"**": 14, "-x": 13, "~": 13, "+x": 13, "*": 12, "/": 12, "//": 12, "%": 12, "@": 12, "+": 11, "-": 11}
PRECEDENCE |= {"&": 9, "^": 8, "|": 7} | dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), 6)
OF_NUMBERS = {"+", "-", "*", "/"}  # most terms of a graph of numbers, written without further questions
ATOM = 20
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


@dataclass(slots=True)
class Text:
    """An expression as text, and how tightly it binds."""

    text: str
    binds: int = ATOM

    def within(self, binds: int) -> str:
        """The text inside an operator that binds so tightly."""
        return self.text if self.binds >= binds else f"({self.text})"


class Expressions:
    """Writes terms as expressions.

    Args:
        symbols: the names of the symbols.
        captured: arrays that are read by reference.
        captured_names: what captured arrays are called, by id.

    Attributes:
        names: of terms.
        constants: what the text refers to by name and cannot say: captured arrays, opaque functions.
        helpers: the definitions of functions of numbers that the text calls.
        texts: of terms: their names, or what stands inside the expression that uses them.
    """

    def __init__(
        self,
        symbols: Mapping[Traced, str],
        captured: Sequence[np.ndarray[Any, Any]],
        captured_names: Mapping[int, str],
    ) -> None:
        self.captured, self.captured_names = captured, captured_names
        self.taken = (
            set(symbols.values()) | set(keyword.kwlist) | {"np", "math", "GuardError", "float", "int", "bool", "abs"}
        )
        self.names: dict[Traced, str] = dict(symbols)
        self.counts: Counter[str] = Counter()
        self.symbols = set(symbols)
        self.constants: dict[str, Any] = {}
        self.by_id: dict[int, str] = {}
        self.helpers: dict[str, str] = {}
        self.texts: dict[Traced, Text] = {symbol: Text(name) for symbol, name in symbols.items()}

    def fresh(self, base: str) -> str:
        """A name that is not taken."""
        name = base
        while name in self.taken:
            self.counts[base] += 1
            name = f"{base}_{self.counts[base] + 1}"
        self.taken.add(name)
        return name

    def constant(self, x: Any, base: str) -> str:
        """The name of an object that text cannot say."""
        if id(x) not in self.by_id:
            name = self.fresh(base)
            self.by_id[id(x)], self.constants[name] = name, x
        return self.by_id[id(x)]

    def value(self, x: Any) -> Text:
        """An operand: a term by its name or its expression, a constant as a literal or by a name."""
        if isinstance(x, Traced):
            return self.texts[x] if x in self.texts or x.place >= 0 else self.array(x.behind)
        if isinstance(x, tuple):  # also a named one
            inner = [self.value(part).text for part in x]
            return Text(f"({', '.join(inner)}{',' * (len(inner) == 1)})")
        if type(x) is list:
            return Text(f"[{', '.join(self.value(part).text for part in x)}]")
        if type(x) is float and not math.isfinite(x):
            return Text("np.nan" if x != x else "np.inf" if x > 0 else "-np.inf", ATOM if x != x or x > 0 else 13)
        if type(x) in (float, int):
            text = repr(x).replace("e-0", "e-")
            return Text(text, 13 if text[0] == "-" else ATOM)
        if x is None or type(x) in (bool, str):
            return Text(quoted(x))
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
            return self.array(x)
        return Text(self.constant(x, "rng" if isinstance(x, np.random.Generator) else "k"))

    def array(self, x: np.ndarray[Any, Any]) -> Text:
        """A constant array: as NumPy makes it where that is short, else by a name."""
        if self.is_captured(x):
            return Text(self.constant(x, self.captured_names.get(id(x), "k")))
        kind = "" if x.dtype == float else f", {x.dtype.name!r}" if x.dtype == bool else f", np.{x.dtype.name}"
        if x.flags.f_contiguous and not x.flags.c_contiguous:  # by which BLAS computes products
            kind += ", order='F'"
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
        return Text(self.constant(x, "k"))

    def is_captured(self, x: np.ndarray[Any, Any]) -> bool:
        """Whether an array is read by reference."""
        return any(x is kept or np.may_share_memory(x, kept) for kept in self.captured)

    def expression(self, term: Traced) -> Text:
        """function(*args, **params)."""
        spelling, args, params = term.spelling, term.args, term.params
        if spelling == "scalar":
            return self._scalar(term)
        if spelling in OF_NUMBERS and len(args) == 2 and type(term.behind) is float:
            binds = PRECEDENCE[spelling]
            return Text(
                f"{self.value(args[0]).within(binds)} {spelling} {self.value(args[1]).within(binds + 1)}", binds
            )
        spelling = sign_of(term)
        if spelling in PRECEDENCE and len(args) == 2:
            binds = PRECEDENCE[spelling]
            a, b = self.value(args[0]), self.value(args[1])
            if spelling == "**":
                return Text(f"{a.within(binds + 1)} ** {b.within(binds)}", binds)
            return Text(f"{a.within(binds)} {spelling} {b.within(binds + 1)}", binds)
        if spelling in ("-", "+", "~") or (spelling == "np.negative" and not params and args[0].shape):
            spelling = spelling.replace("np.negative", "-")
            return Text(f"{spelling}{self.value(args[0]).within(13)}", 13)
        if spelling == "[]":
            return Text(f"{self.value(args[0]).within(ATOM)}[{self._index(args[1])}]")
        if spelling == "np.transpose" and args[1:] in ((), (None,)) and isinstance(args[0], Traced) and args[0].shape:
            spelling = ".T"
        if spelling in (".T", ".mT"):
            return Text(f"{self.value(args[0]).within(ATOM)}{spelling}")
        short = self.method(term)
        if short is not None:
            return short
        written = [self.value(x).text for x in args]
        if spelling[0] == ".":
            written, owner = written[1:], self.value(args[0]).within(ATOM)
        defaults = _defaults(term.function)
        written += [
            f"{key}={self.value(x).text}"
            for key, x in params.items()
            if not (type(x) in _DEFAULT_KINDS and key in defaults and defaults[key] is x)
        ]
        if spelling[0] == ".":
            return Text(f"{owner}{spelling}({', '.join(written)})")
        if spelling[-1] == "(":
            name = self.constant(term.function, _identifier(spelling[:-1]))
            return Text(f"{name}({', '.join(written)})")
        return Text(f"{self.callee(spelling)}({', '.join(written)})")

    def callee(self, spelling: str) -> str:
        """What a function of NumPy, of the module math or of Python is called."""
        return spelling

    def method(self, term: Traced) -> Text | None:
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
        if len(x.shape) == 1 and params.get("axis") == 0:
            del params["axis"]
        if not params.keys() <= {"axis", "keepdims"} or len(term.args) > 1 or x.dtype.kind not in "fi":
            return None
        if "axis" not in term.params and len(x.shape) > 1:
            return None  # of ufunc.reduce the default is axis 0
        written = ", ".join(f"{key}={self.value(x).text}" for key, x in params.items())
        return Text(f"{self.value(x).within(ATOM)}.{name}({written})")

    def _index(self, index: Any) -> str:
        parts = index if type(index) is tuple else (index,)
        if not parts:
            return "()"
        return ", ".join(map(self._index_part, parts)) + "," * (len(parts) == 1 and type(parts[0]) is tuple)

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
            return Text(f"{self.callee(f'math.{term.name}')}({', '.join(x.text for x in written)})")
        template, body, parameters = definition(function)
        if all(x.text.isidentifier() for x in written):
            return Text(template.format(*[x.text for x in written]), 0)
        name = _identifier(getattr(function, "__name__", "function"))
        self.helpers[name] = f"def {name}({', '.join(parameters)}):\n    return {body}\n"
        return Text(f"{name}({', '.join(x.text for x in written)})")


def sign_of(term: Traced) -> str:
    """How the function of a term is written: a ufunc of arrays as its operator."""
    spelling = term.spelling
    if spelling in _INFIX and not term.params and any(isinstance(x, Traced) and x.shape for x in term.args):
        return _INFIX[spelling]
    return spelling


def quoted(x: Any) -> str:
    """A literal; text in double quotes."""
    if type(x) is not str or set(x) & {'"', "\\"} or not x.isprintable():
        return repr(x)
    return f'"{x}"'


_DEFAULT_KINDS = (type(None), bool, int)


@cache
def _defaults(function: Any) -> Mapping[str, Any]:
    """The defaults of a function's parameters, as far as they are known."""
    try:
        return {name: p.default for name, p in inspect.signature(function).parameters.items()}
    except (TypeError, ValueError):
        return {}


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


def _identifier(text: str) -> str:
    name = "".join(c if c.isalnum() else "_" for c in text.replace("'s", ""))
    return name if name[:1].isalpha() else f"f_{name}"
