"""Arithmetic from text: evaluate("tanh(a*b + c)", {"a": 2, "b": -3, "c": 10}) gives recorded Values.

The text is untrusted, so no code in it is run. It passes three checks, each stricter than the last: its words (`_check_words`:
a limited number of ASCII numbers, names and symbols), Python's grammar (`_parse`), and a whitelist made from the op table
(`_step`). Then the ops are called, operands first, without recursion. All numbers are floats: 9**9**9**9 overflows at once,
while Python's integers would fill the memory.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import keyword
import math
import re
from collections.abc import Callable, Mapping
from reprlib import repr as short
from typing import Any, TypeAlias

import numpy as np

from . import ops
from .definition import registry
from .errors import ExpressionError
from .signatures import Operation
from .value import Value

MAX_LENGTH = 10_000  # characters
MAX_WORDS = 1_000  # numbers, names and symbols: it bounds the depth of the tree, which Python's parser supports
MAX_PARENTHESES = 100  # open at once; Python's tokenizer stops at 200

CONSTANTS = {"e": math.e, "pi": math.pi}

_WORD = re.compile(
    r"(?P<number>\.?\d(?:[eE][-+]|[\w.])*)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<symbol>\*\*|/(?!/)|[-+*(),])"
    r"|(?P<other>//|[^ \t])",  # spaces and tabs match no pattern and are skipped
    re.ASCII,
)

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: ops.add,
    ast.Sub: ops.subtract,
    ast.Mult: ops.multiply,
    ast.Div: ops.divide,
    ast.Pow: ops.power,
    ast.USub: ops.negative,
    ast.UAdd: lambda x: x,
}

_Step: TypeAlias = tuple[Callable[..., Any], list[ast.expr]]  # a function, and the operands to call it with


def functions() -> dict[str, Operation]:
    """The functions that an expression may call: elementwise ops without a condition."""
    return {
        name: function
        for name, function in sorted(registry.items())
        if function.op.elementwise and not any(domain.boolean for domain in function.op.domain)
    }


def evaluate(text: str, variables: Mapping[str, float]) -> tuple[Value, dict[str, Value]]:
    """Evaluate and record an arithmetic expression, so that backward() on the result differentiates it.

    An expression consists of decimal numbers, the constants pi and e, variables, + - * / **, parentheses, and calls of
    `functions()`. All numbers are floats. Where variables take part, overflow and division by zero silently give inf or NaN,
    as in NumPy; a part made of constants alone must be finite.

    Args:
        text: the expression, on one line, of at most MAX_LENGTH characters and MAX_WORDS numbers, names and symbols.
        variables: a number for each name in the text. Unused names are allowed.

    Returns:
        the result, which requires grad if it depends on a variable, and the leaf of each variable, by name.

    Raises:
        ExpressionError: for any other text, with the position of the offending character; and for a variable whose name is
            invalid, or is that of an operation or constant.

    >>> y, leaves = evaluate("a*b + 1", {"a": 2, "b": -3})
    >>> y.backward()
    >>> y.item(), leaves["a"].grad
    (-5.0, -3.0)
    """
    leaves = _leaves(variables)
    _check_words(text)
    tree = _parse(text)
    steps: dict[ast.expr, _Step] = {}
    pending = [tree]
    while pending:
        node = pending.pop()
        steps[node] = step = _step(node, text, leaves)
        pending += reversed(step[1])  # leftmost first, so that the leftmost mistake is reported
    results: dict[ast.expr, Any] = {}
    with np.errstate(all="ignore"):
        for node, (function, operands) in reversed(steps.items()):
            results[node] = y = function(*[results[x] for x in operands])
            if isinstance(y, float) and not math.isfinite(y):
                part = short(_source(node, text))
                raise ExpressionError(f"{part} is {y}; a constant must be finite, at most 1.8e308", node.col_offset)
    y = results[tree]
    return (y if isinstance(y, Value) else Value(y, requires_grad=False)), leaves


def _leaves(variables: Mapping[str, float]) -> dict[str, Value]:
    """A leaf for each variable."""
    for name in variables:
        if name in registry or name in CONSTANTS:
            kind = "a constant" if name in CONSTANTS else "an operation"
            raise ExpressionError(f"variable {name}: this is the name of {kind}; choose another")
        word = _WORD.fullmatch(name)
        if word is None or word.lastgroup != "name" or keyword.iskeyword(name):
            remedy = "a name is made of ASCII letters, digits and _, and is not a word of Python"
            raise ExpressionError(f"variable {short(name)}: not a name; {remedy}")
    return {name: Value(x, name=name) for name, x in variables.items()}


# -- The three checks --------------------------------------------------------------------------------------------------


def _check_words(text: str) -> None:
    """Refuse text that is too long or too deep for Python's parser, and every word that is not arithmetic."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH:,} characters; compute it in parts", MAX_LENGTH)
    count = depth = 0
    for count, match in enumerate(_WORD.finditer(text), 1):
        word, position = match[0], match.start()
        if count > MAX_WORDS:
            raise ExpressionError(f"more than {MAX_WORDS:,} numbers, names and symbols; compute it in parts", position)
        depth += (word == "(") - (word == ")")
        if depth > MAX_PARENTHESES:
            raise ExpressionError(f"more than {MAX_PARENTHESES} open parentheses; compute it in parts", position)
        if refusal := _refusal(word, str(match.lastgroup)):
            raise ExpressionError(refusal, position)
    if not count:
        raise ExpressionError("the expression is empty; write one such as tanh(a*b + c)")


def _refusal(word: str, kind: str) -> str | None:
    """The reason why a word is not arithmetic; None if it is."""
    if kind == "number":
        try:
            finite = math.isfinite(float(word))
        except ValueError:
            return f"{short(word)} is not a decimal number; if it is a product, write it with *, as in 2*x"
        return None if finite else f"{short(word)} is too large for a float, which ends at 1.8e308"
    if kind == "name" and keyword.iskeyword(word):
        return f"{word!r} is a word of Python, not of arithmetic"
    if kind == "other":
        seen = ascii(word) if word.isascii() else f"{word!a}, which is not ASCII,"
        return f"{seen} is not arithmetic; write numbers, names, + - * / ** for powers, and parentheses"
    return None


def _parse(text: str) -> ast.expr:
    """The syntax tree. Its col_offsets are positions in `text`: words are ASCII, so one byte is one character."""
    indent = len(text) - len(text.lstrip())  # Python reads leading space as indentation
    try:
        tree = ast.parse(text[indent:], mode="eval").body
    except SyntaxError as error:
        position = indent + error.offset - 1 if error.offset else len(text)  # without offset: it ends too early
        raise ExpressionError(f"not an expression: {error.msg}", min(position, len(text))) from None
    except (RecursionError, MemoryError):  # only where the caller has used up most of Python's stack
        raise ExpressionError("nested too deep; compute it in parts") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset += indent
            node.end_col_offset = (node.end_col_offset or 0) + indent
    return tree


def _step(node: ast.expr, text: str, leaves: dict[str, Value]) -> _Step:
    """The function and operands that compute this node of the syntax tree; unlisted nodes are refused."""
    match node:
        case ast.BinOp(op=operator, left=a, right=b) if type(operator) in _OPERATORS:
            return _OPERATORS[type(operator)], [a, b]
        case ast.UnaryOp(op=operator, operand=x) if type(operator) in _OPERATORS:
            return _OPERATORS[type(operator)], [x]
        case ast.Constant(value=int() | float() as number):
            return lambda: float(number), []
        case ast.Name(id=name):
            known = leaves.get(name, CONSTANTS.get(name))
            if known is None:
                raise ExpressionError(_why_no_value(name), node.col_offset)
            return lambda: known, []
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            if refusal := _why_no_call(name, len(args), leaves):
                raise ExpressionError(refusal, node.col_offset)
            return registry[name], args
    part = short(_source(node, text))
    remedy = "write numbers, names, + - * / **, parentheses and calls of functions such as tanh(x)"
    raise ExpressionError(f"{part} is not arithmetic; {remedy}", node.col_offset)


# -- Messages ----------------------------------------------------------------------------------------------------------


def _source(node: ast.expr, text: str) -> str:
    """The source text of this node."""
    return text[node.col_offset : node.end_col_offset]


def _why_no_value(name: str) -> str:
    if name in registry:
        return f"{name} is a function, not a number; call it, as in {name}(x)"
    return f"variable {short(name)} has no value; give it one, as in {name[:30]}=2"


def _why_no_call(name: str, count: int, leaves: dict[str, Value]) -> str | None:
    """The reason why name(...) with `count` arguments is refused; None if it is not."""
    known = functions()
    if name in leaves or name in CONSTANTS:
        return f"{name} is a number, not a function; write a product with *, as in {name}*(x)"
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        listed = f"there are {len(known)}, such as exp and tanh; `python -m tinygrad_edu grad --help` lists them"
        remedy = f"the nearest is {near[0]}" if near else listed
        return f"there is no function {short(name)} of single numbers; {remedy}"
    parameters = inspect.signature(known[name]).parameters.values()
    least = sum(p.default is p.empty for p in parameters)
    most = max(least, len(known[name].op.arrays))  # further parameters are options
    if least <= count <= most:
        return None
    takes = f"{least}" if least == most else f"{least} to {most}"
    return f"{name} takes {takes} argument{'s' * (most > 1)}, got {count}"
