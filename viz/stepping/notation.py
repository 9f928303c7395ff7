"""Operations as people write them: a × b + c, tanh(x), x²; with the names or the numbers of the operands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from itertools import count
from typing import NamedTuple

from tinygrad_edu import Value

from ..drawing import Drawing, Kind
from ..text import parameters, plain

ATOM = 9  # binds tighter than all below: a name, a call, something in brackets
_SUM, _PRODUCT, _NEGATIVE, _POWER = 1, 2, 3, 4
LONGEST_LABEL = 24
_LONGEST = 90  # characters, beyond which a part is called by its name


def labels_of(drawing: Drawing, computed: Sequence[int]) -> list[str]:
    """A name for each node, no two alike, save constants that are the same number."""
    nodes = drawing.nodes
    taken = Counter(plain(node.name, LONGEST_LABEL) for node in nodes if node.name)
    used: Counter[str] = Counter()
    fresh = {letter: filter(lambda x: x not in taken, map(f"{letter}{{}}".format, count(1))) for letter in "vxc"}
    results = {i: next(fresh["v"]) for i in computed if not nodes[i].name}
    labels = []
    for i, node in enumerate(nodes):
        if i in results:
            labels.append(results[i])
        elif node.name:
            name = plain(node.name, LONGEST_LABEL)
            used[name] += 1
            labels.append(name if used[name] == 1 else f"{name} ({used[name]})")
        elif node.kind is Kind.CONSTANT and not node.form:
            labels.append(node.value[0])
        else:
            labels.append(next(fresh["c" if node.kind is Kind.CONSTANT else "x"]))
    return labels


class Term(NamedTuple):
    """A piece of notation.

    Args:
        text: as people read it.
        markup: the same in HTML, where each node's part is <span data-node="its number">.
        level: how tightly its outermost sign binds.
    """

    text: str
    markup: str
    level: int = ATOM


def named(label: str, i: int) -> Term:
    """Node number i by its name."""
    return Term(label, f'<span data-node="{i}">{escape(label)}</span>')


def template(value: Value) -> str:
    """What a recorded Value is computed by, with {0}, {1}, ... for the operands: "{0} × {1}"."""
    return applied(value, [Term(f"{{{i}}}", "") for i in range(len(value.inputs))]).text


def applied(value: Value, operands: Sequence[Term]) -> Term:
    """What a recorded Value is computed by, of these operands."""
    op = value.grad_fn
    assert op is not None
    if len(operands) == 2 and not re.search(r"[\w\s?√∛∗⋆]", op.symbol):  # a sign between its operands
        level = {"+": _SUM, "-": _SUM, "^": _POWER}.get(op.symbol, _PRODUCT)
        sign = op.symbol if level == _POWER else f" {op.symbol} "
        left, right = operands
        left = _bracketed(left, level + (level == _POWER))  # (a^b)^c needs its brackets, a - (b - c) too
        right = _bracketed(right, level + (level != _POWER))
        return _joined((left, Term(sign, sign), right), level)
    if op.name == "negative":
        return _joined((Term("-", "-"), _bracketed(operands[0], _NEGATIVE)), _NEGATIVE)
    symbol = op.symbol
    around = re.fullmatch(r"([^A-Za-z0-9]*)x([^A-Za-z0-9]*)", symbol)
    if around and len(operands) == 1:  # |x|, x², ⌊x⌋
        before, after = around.groups()
        inner = operands[0] if before and after else _bracketed(operands[0], ATOM)
        return _joined((Term(before, escape(before)), inner, Term(after, escape(after))))
    call = symbol if re.fullmatch(r"[^\s(){}]+", symbol) else op.name
    comma = Term(", ", ", ")
    parts = [Term(f"{call}(", f"{escape(call)}(")]
    for i, operand in enumerate(operands):
        parts += [comma, operand] if i else [operand]
    if params := re.sub(r"[{}]", "", parameters(value)):
        parts.append(Term(f", {params}", f", {escape(params)}"))
    return _joined((*parts, Term(")", ")")))


def whole(term: Term, label: str, i: int) -> Term:
    """The notation of node i, marked as its own; its name instead if that were too long."""
    if len(term.text) > _LONGEST:
        return named(label, i)
    return Term(term.text, f'<span data-node="{i}">{term.markup}</span>', term.level)


def _bracketed(term: Term, level: int) -> Term:
    """In brackets if it binds less tightly than `level`."""
    return term if term.level >= level else Term(f"({term.text})", f"({term.markup})")


def _joined(terms: Sequence[Term], level: int = ATOM) -> Term:
    return Term("".join(term.text for term in terms), "".join(term.markup for term in terms), level)
