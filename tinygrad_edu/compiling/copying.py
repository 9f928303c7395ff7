"""Copying: the source of a function of plain arrays, with all that it refers to, so that a saved module has it too."""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..errors import TinygradError

_PLAIN = (int, float, str, bool, type(None))


@cache
def is_one_expression(function: Any) -> bool:
    """Whether a function of numbers only returns an expression of its arguments, math and built-in functions."""
    if getattr(function, "__module__", "") == "math":
        return True
    try:
        statement = _statement(function)[1]
    except NotCopiedError:
        return False
    body = statement.body[1:] if ast.get_docstring(statement) is not None else statement.body
    if len(body) != 1 or not isinstance(body[0], ast.Return) or statement.name != function.__name__:
        return False
    own, held = [argument.arg for argument in statement.args.args], function.__globals__
    names = {x.id for x in ast.walk(body[0]) if isinstance(x, ast.Name)} - set(own)
    return all(held.get(name) is math if name in held else hasattr(builtins, name) for name in names)


def _statement(f: Any) -> tuple[str, ast.FunctionDef]:
    """The source of a function, and what it parses to; of a lambda as a function. Raises NotCopiedError."""
    own = getattr(f, "__name__", type(f).__name__)
    if not isinstance(f, FunctionType):
        raise NotCopiedError(f"{own} has no Python source")
    if f.__closure__:
        raise NotCopiedError(f"{own} is defined inside a function")
    try:
        source = textwrap.dedent(inspect.getsource(f))
        tree = ast.parse(source)
    except (OSError, SyntaxError):
        raise NotCopiedError(f"{own} has no source") from None
    if own == "<lambda>":
        found = [x for x in ast.walk(tree) if isinstance(x, ast.Lambda) and _is_of(x, f)]
        if not found:
            raise NotCopiedError("a lambda has no source")
        source = f"def function({ast.unparse(found[0].args)}):\n    return {ast.unparse(found[0].body)}\n"
        tree = ast.parse(source)
    statement = tree.body[0]
    if not isinstance(statement, ast.FunctionDef):
        raise NotCopiedError(f"{own} is no def statement")
    return source, statement


def _is_of(node: ast.Lambda, f: FunctionType) -> bool:
    """Whether a lambda in a source is a function."""
    code: Any = compile(ast.Expression(node), "", "eval").co_consts[0]
    return all(
        getattr(code, name) == getattr(f.__code__, name) for name in ("co_code", "co_consts", "co_names", "co_varnames")
    )


class NotCopiedError(Exception):
    """A function's source refers to what text cannot say; the message is the reason."""


class Copies:
    """Functions as text that needs NumPy and the standard library alone.

    Args:
        called: the functions by the names that they must have.
        taken: names that others must not have.

    Attributes:
        texts: the definitions by name.
        imports: the modules of the standard library that they need.
    """

    def __init__(self, called: Mapping[str, Any], taken: Iterable[str]) -> None:
        self.texts: dict[str, str] = {}
        self.imports: set[str] = set()
        self._taken = {*taken, *called}
        self._names = {id(inspect.unwrap(f)): name for name, f in called.items()}

    def add(self, function: Any) -> None:
        """Define one of the functions. Raises NotCopiedError, and then defines nothing."""
        before = dict(self.texts), set(self.imports), set(self._taken), dict(self._names)
        try:
            self._define(inspect.unwrap(function))
        except NotCopiedError:
            self.texts, self.imports, self._taken, self._names = before
            raise

    def _define(self, f: Any) -> None:
        source, statement = _statement(f)
        name = self._names[id(f)]
        edits = [*self._decorators(f, statement), *_annotations(statement), *_shorter(statement)]
        edits.append(_Edit(_name_of(statement, source), name))
        edits += self._references(f, statement)
        text = _edited(source, edits)
        self.texts[name] = text.rstrip()

    def _decorators(self, f: FunctionType, statement: ast.FunctionDef) -> Iterator[_Edit]:
        """Those of this package are left out: they make an operation of a function, or run it on terms."""
        for decorator in statement.decorator_list:
            if self._is_ours(f, decorator):
                start, end = _span(decorator)
                yield _Edit(((start[0], start[1] - 1), (end[0] + 1, 0)), "")

    def _references(self, f: FunctionType, statement: ast.FunctionDef) -> Iterator[_Edit]:
        """Global names as the module spells them."""
        skipped = [x for x in statement.decorator_list if self._is_ours(f, x)] + _annotated(statement)
        within = {id(part) for s in skipped for part in ast.walk(s)}
        nodes = [x for x in ast.walk(statement) if id(x) not in within]
        bound = {x.id for x in nodes if isinstance(x, ast.Name) and not isinstance(x.ctx, ast.Load)}
        bound |= {x.arg for x in nodes if isinstance(x, ast.arg)} | {
            x.name for x in nodes if isinstance(x, ast.FunctionDef) and x is not statement
        }
        for x in nodes:
            if isinstance(x, ast.Attribute) and isinstance(x.value, ast.Name) and x.value.id not in bound:
                owner = f.__globals__.get(x.value.id)
                if isinstance(owner, ModuleType) and owner is not np and not _is_standard(owner.__name__):
                    name = f"{owner.__name__.rpartition('.')[2]}_{x.attr}"
                    yield self._reference(f, x, name, getattr(owner, x.attr, None), bound)
                    within.add(id(x.value))
        for x in nodes:
            if isinstance(x, ast.Name) and id(x) not in within and x.id not in bound:
                if x.id in f.__globals__:
                    yield self._reference(f, x, x.id, f.__globals__[x.id], bound)
                elif not hasattr(builtins, x.id):
                    raise NotCopiedError(f"{f.__name__} uses {x.id}, which is not defined")

    def _reference(self, f: FunctionType, node: ast.expr, name: str, x: Any, bound: set[str]) -> _Edit:
        try:
            text = self._spelled(name, x)
        except NotCopiedError as error:
            raise NotCopiedError(f"{f.__name__} uses {name}: {error}") from None
        if text in bound:
            raise NotCopiedError(f"{f.__name__} has a variable {text}, as a function that it uses is called")
        return _Edit(_span(node), text)

    def _is_ours(self, f: FunctionType, decorator: ast.expr) -> bool:
        called: Any = decorator.func if isinstance(decorator, ast.Call) else decorator
        while isinstance(called, ast.Attribute):  # T.operation(...)
            called = called.value
        x = f.__globals__.get(called.id) if isinstance(called, ast.Name) else None
        home = x.__name__ if isinstance(x, ModuleType) else getattr(x, "__module__", None)
        return str(home).partition(".")[0] == __name__.partition(".")[0]

    def _spelled(self, name: str, x: Any) -> str:
        """What a global object is called in the module."""
        if x is np:
            return "np"
        if isinstance(x, ModuleType) and _is_standard(x.__name__):
            self.imports.add(x.__name__)
            return x.__name__
        if isinstance(x, type) and issubclass(x, TinygradError):  # raised as the built-in error that it is
            return next(base.__name__ for base in x.__mro__ if base.__module__ == "builtins")
        home = getattr(x, "__module__", None) or type(x).__module__
        own = getattr(x, "__name__", name)
        if getattr(np, own, None) is x:
            return f"np.{own}"
        if isinstance(getattr(x, "__self__", None), np.ufunc):
            return f"{self._spelled(name, x.__self__)}.{own}"
        if _is_standard(str(home)) and getattr(sys.modules[home], own, None) is x:
            if home == "builtins":
                return str(own)
            self.imports.add(home)
            return f"{home}.{own}"
        if hasattr(x, "op"):
            raise NotCopiedError("an operation")
        if callable(x):
            x = inspect.unwrap(x)
            if id(x) not in self._names:
                self._names[id(x)] = self._fresh(name)
                self._define(x)
            return self._names[id(x)]
        return self._constant(name, x)

    def _constant(self, name: str, x: Any) -> str:
        if id(x) not in self._names:
            text = literal(x)
            self._names[id(x)] = self._fresh(name)
            self.texts[self._names[id(x)]] = f"{self._names[id(x)]} = {text}"
        return self._names[id(x)]

    def _fresh(self, name: str) -> str:
        base, n = name, 2
        while name in self._taken:
            name, n = f"{base}_{n}", n + 1
        self._taken.add(name)
        return name


def literal(x: Any) -> str:
    """A plain constant as text. Raises NotCopiedError for others."""
    if type(x) is float and not math.isfinite(x):
        return "np.nan" if x != x else "np.inf" if x > 0 else "-np.inf"
    if type(x) in _PLAIN:
        return repr(x)
    if type(x) in (tuple, list, set) and x:
        parts = sorted(map(literal, x)) if type(x) is set else list(map(literal, x))
        inner = ", ".join(parts) + "," * (type(x) is tuple and len(x) == 1)
        return f"({inner})" if type(x) is tuple else f"[{inner}]" if type(x) is list else f"{{{inner}}}"
    if type(x) is dict:
        return "{" + ", ".join(f"{literal(key)}: {literal(part)}" for key, part in x.items()) + "}"
    if type(x) in (tuple, list):
        return repr(x)
    if isinstance(x, np.generic) and x.dtype.kind in "fiub":
        return f"np.{x.dtype.name}({literal(x.item())})"
    if isinstance(x, type) and x.__module__ == "builtins":
        return x.__name__
    raise NotCopiedError(f"a {type(x).__name__} has no text")


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


# -- Edits of a source text --------------------------------------------------------------------------------------------

_Span = tuple[tuple[int, int], tuple[int, int]]  # line and column, in bytes, of the start and of the end


class _Edit:
    """The text between two places becomes another."""

    def __init__(self, span: _Span, text: str) -> None:
        self.span, self.text = span, text


def _span(node: Any) -> _Span:
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def _name_of(statement: ast.FunctionDef, source: str) -> _Span:
    """Where a definition has its name."""
    line = source.splitlines()[statement.lineno - 1]
    start = line.index("def ") + 4
    return (statement.lineno, start), (statement.lineno, start + len(statement.name))


def _annotated(statement: ast.FunctionDef) -> list[ast.expr]:
    found = [x.annotation for x in ast.walk(statement) if isinstance(x, (ast.arg, ast.AnnAssign)) and x.annotation]
    return found + [x.returns for x in ast.walk(statement) if isinstance(x, ast.FunctionDef) and x.returns]


def _annotations(statement: ast.FunctionDef) -> Iterator[_Edit]:
    """Annotations are left out."""
    for x in ast.walk(statement):
        if isinstance(x, ast.arg) and x.annotation:
            yield _Edit(((x.lineno, x.col_offset + len(x.arg.encode())), _span(x.annotation)[1]), "")
        elif isinstance(x, ast.AnnAssign):
            start, end = _span(x.target)[1], _span(x.annotation)[1]
            yield _Edit((start, end) if x.value else ((x.lineno, 0), (end[0] + 1, 0)), "")
        elif isinstance(x, ast.FunctionDef) and x.returns:
            (line, column), end = _span(x.returns)
            yield _Edit(((line, column - len(" -> ")), end), "")


def _shorter(statement: ast.FunctionDef) -> Iterator[_Edit]:
    """Of the docstring the first line alone."""
    text = ast.get_docstring(statement)
    if text is not None:
        yield _Edit(_span(statement.body[0]), f'"""{text.splitlines()[0]}"""')


def _edited(source: str, edits: list[_Edit]) -> str:
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
        (first, start), (last, end) = edit.span
        after = lines[last - 1][end:] if last <= len(lines) else b""
        lines[first - 1 : last] = [lines[first - 1][:start] + edit.text.encode() + after]
    return b"".join(lines).decode()
