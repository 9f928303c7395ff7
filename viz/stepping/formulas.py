"""The rules of operations as text to fill with names or numbers."""

from __future__ import annotations

import re

from tinygrad_edu import Op, rule_formula


def rule_text(op: Op, i: int) -> str:
    """The formula of the rule for input i, with {0}, {1}, ... in place of the inputs and {y} of the result; "" without a rule.

    >>> from tinygrad_edu import tanh
    >>> rule_text(tanh.op, 0)
    '1 - {y}²'
    """
    rule = op.shares or op.rules[i]
    places = {name: f"{{{k}}}" for k, name in enumerate(op.arrays)} | {"y": "{y}"}
    if rule is None or not isinstance(rule.says, str):
        return rule_formula(op, i, names=places)
    pattern = rf"(\d?)(?<![A-Za-z_])({'|'.join(sorted(places, key=len, reverse=True))})(?![A-Za-z_])"
    return re.sub(pattern, lambda match: f"{match[1]}{'·' * bool(match[1])}{places[match[2]]}", rule.says)
