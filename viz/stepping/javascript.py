"""Operations as JavaScript, from their definitions: what the page computes with, when a reader changes an input.

An elementwise op's forward function and rules are read as expressions, and these are written in JavaScript. NumPy's own functions
are in functions.js; the tests hold every operation against the engine's numbers, in a browser.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from tinygrad_edu import Op, Term, UnreadableError, forward_term, rule_term

from ..pages import contents

_SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "bitwise_and": "&",
    "bitwise_or": "|",
    "bitwise_xor": "^",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "===",
    "not_equal": "!==",
    "logical_and": "&&",
    "logical_or": "||",
}
_SAME = {"reshape", "broadcast_to", "astype", "getitem", "positive"}  # of single numbers


def formula(op: Op, params: Mapping[str, Any]) -> str:
    """{forward, derivatives} in JavaScript: forward(...) of the arrays, and derivatives[i](y, ...) of the result and the arrays.

    Raises UnreadableError, saying why it cannot be had.
    """
    if not op.elementwise or op.derived:  # before it is remembered: a checkpoint's op ends with its graph
        raise UnreadableError(f"{op.name} does not compute number by number")
    found = _formula_or_why(op, repr(sorted(params.items())), params)
    if isinstance(found, UnreadableError):
        raise found
    return found


def why_not(op: Op, params: Mapping[str, Any]) -> str:
    """Why the page cannot compute an operation; "" if it can."""
    try:
        formula(op, params)
    except UnreadableError as error:
        return str(error)
    return ""


_FOUND: dict[tuple[Op, str], str | UnreadableError] = {}  # thousands of nodes are of few operations


def _formula_or_why(op: Op, key: str, params: Mapping[str, Any]) -> str | UnreadableError:
    if (op, key) not in _FOUND:
        try:
            _FOUND[op, key] = _formula(op, params)
        except UnreadableError as error:
            _FOUND[op, key] = error
    return _FOUND[op, key]


def _formula(op: Op, params: Mapping[str, Any]) -> str:
    names = {name: f"x{i}" for i, name in enumerate(op.arrays)}  # any name of Python's, but none of JavaScript's
    inputs = ", ".join(names.values())
    derivatives = [
        _function(f"(y, {inputs})", 0.0 if rule is None else rule_term(op, i, params), names)
        for i, rule in enumerate(op.rules)
    ]
    return f"{{forward: {_forward(op, names, params)}, derivatives: [{', '.join(derivatives)}]}}"


@cache
def _known() -> frozenset[str]:
    """The names of the functions in functions.js: `name,` where it is that of JavaScript's own, `name: ...` elsewhere."""
    table = contents("stepping/functions.js").partition("const np = {")[2].partition("\n};")[0]
    return frozenset(re.findall(r"^  (\w+)[:,]", table, re.MULTILINE))


def _forward(op: Op, names: Mapping[str, str], params: Mapping[str, Any]) -> str:
    inputs = ", ".join(names.values())
    try:
        return _function(f"({inputs})", forward_term(op, params), names)
    except UnreadableError:
        if op.name not in _known() or params:
            raise
        return f"({inputs}) => np.{op.name}({inputs})"


def _function(arguments: str, result: Any, names: Mapping[str, str]) -> str:
    """An arrow function; what is used several times is computed once."""
    uses: dict[Term, int] = {}
    order = _order(result, uses)
    texts: dict[Term, str] = {}
    lines: list[str] = []
    for term in order:
        text = _expression(term, texts) if term.function is not None else names.get(term.name, "y")
        if uses[term] > 1 and term.function is not None and term is not result:
            lines.append(f"const t{len(lines)} = {text};")
            text = f"t{len(lines) - 1}"
        texts[term] = text
    value = _text(result, texts)
    return f"{arguments} => {{ {' '.join(lines)} return {value}; }}" if lines else f"{arguments} => {value}"


def _order(result: Any, uses: dict[Term, int]) -> list[Term]:
    """The Terms of an expression, operands first, and how often each is used."""
    order: list[Term] = []
    waiting: list[tuple[Any, bool]] = [(result, False)]
    while waiting:
        x, ready = waiting.pop()
        if ready:
            order.append(x)
        elif isinstance(x, Term):
            uses[x] = uses.get(x, 0) + 1
            if uses[x] == 1:
                waiting.append((x, True))
                waiting += [(arg, False) for arg in (*x.args, *x.params.values())]
    return order


def _expression(term: Term, texts: Mapping[Term, str]) -> str:
    if term.name in _SAME:
        return _text(term.args[0], texts)
    args = [_text(x, texts) for x in term.args]
    if term.name in _SIGNS and len(args) == 2:
        return f"({args[0]} {_SIGNS[term.name]} {args[1]})"
    if term.name == "negative":
        return f"(-{args[0]})"
    if term.name not in _known():
        raise UnreadableError(f"the page has no np.{term.name}")
    if term.params and term.name != "nan_to_num":
        args += [_text(x, texts) for key, x in term.params.items() if key not in ("axis", "keepdims")]
    elif term.params:
        args.append("{" + ", ".join(f"{key}: {_text(x, texts)}" for key, x in term.params.items()) + "}")
    return f"np.{term.name}({', '.join(args)})"


def _text(x: Any, texts: Mapping[Term, str]) -> str:
    if isinstance(x, Term):
        return texts[x]
    if isinstance(x, (bool, np.bool_)) or x is None:
        return json.dumps(None if x is None else bool(x))
    if not isinstance(x, (int, float, np.number)) or np.ndim(x):
        raise UnreadableError(f"the page computes with single numbers, and a formula has {x!r:.40}")
    number = float(x)
    if math.isfinite(number):
        return repr(number).removesuffix(".0") if number >= 0 else f"({repr(number).removesuffix('.0')})"
    return "NaN" if number != number else "Infinity" if number > 0 else "(-Infinity)"
