"""Op: the definition of one operation.

An operation is a decorated NumPy function. Its recording, its gradients of every order, its NumPy protocol, its property
tests, its row in the docs and its drawing are derived from this one definition:

    @elementwise(symbol="×", rules=(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a))
    def multiply(a, b, /):
        "Elementwise product a * b. Shapes broadcast."
        return a * b

Its arrays are the positional-only parameters, before the slash; the others are parameters such as axis=0. The decorator (see
definition.py) creates an Op and the function that users call (see recording.py). That function dispatches on type: numbers
and arrays give plain results and are not recorded; if an argument is a Value, the result is a recorded Value.

A rule maps g, the gradient of some output with respect to this operation's result y, to the gradient with respect to one of
its arrays. Rules are written in ops: called with arrays, a rule computes a gradient at NumPy speed; called with Values, it
records the graph of the gradient. An operation of any number of arrays (`*arrays`) has one rule that returns all shares.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import CO_VARARGS
from typing import Any, NamedTuple

from .binding import Parameters, parameters_of
from .domain import Domain, Sampler
from .errors import DefinitionError


class Rule(NamedTuple):
    """A gradient rule: for one array, or for all of them at once.

    reading.py derives its formula.

    Attributes:
        apply: function of (g, y, *arrays, **params): the incoming gradient, the result, the arrays, the parameters.
        says: a more readable formula than the derived one, or one where none can be derived: a function of (y, *arrays, **params)
            for the local derivative of an elementwise operation, of (g, y, *arrays, **params) for others; or text.
    """

    apply: Callable[..., Any]
    says: Callable[..., Any] | str | None = None


rule = Rule
PRODUCT = "product"  # values of Op.slices
AXIS = "axis"


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class Op:
    """The definition of one operation.

    Args:
        name: NumPy's name, if NumPy has the operation.
        forward: the NumPy function, of plain numbers and arrays: the positional-only parameters, or `*arrays`.
        rules: a Rule or a plain function per array; None if no gradient flows. () if `shares` is given.
        shares: the one rule of an operation of `*arrays`: it returns a sequence of shares, one per array. A share may be None,
            or a function without arguments that computes it, which is called if the share is needed.
        symbol: the label in drawings.
        domain: the Domain of each array; the last one applies to all further arrays.
        samples: given a shape, yields the calls to test; None for elementwise ops without parameters, which take any shapes
            that broadcast.
        analytic: True if `forward` is complex-differentiable on its domain, so that the complex step can check it.
        numpy: the equivalent NumPy function (to 4 ulp), or a plain formula if NumPy has none.
        elementwise: one element out for each element in, with NumPy broadcasting; the zero rule applies to each.
        slices: of other operations, what the zero rule applies to (see slices.py); None for no zero rule.
            "axis": slices along the parameter axis, which is reduced or kept (one array).
            "product": the terms; each result is a sum of products with one factor from each array, as matmul's.
            Indices as einsum's subscripts: those of the result that an array has select a slice, and its other axes belong to it
            ("...ij->...kl": each matrix of a stack); or a function of (*arrays, **params) that returns them.
        derived: composed of other ops and recorded as those, so it has no rules.
        several: derived, and returns a tuple or list of results.
        listed: users pass the arrays of `*arrays` as one list.
        called: the public operation to which this primitive belongs, if it has another name.
        scalar: a faster function for Python floats, to which `forward` passes them on.

    Raises:
        DefinitionError: if the docstring or a rule is missing, or the number of rules or domains does not match the arrays.

    Attributes:
        parameters: the parameters of `forward`.
        way: how backward shares out a gradient (see unrolled.py): the number of rules, negative if the op has slices.
    """

    name: str
    forward: Callable[..., Any]
    rules: tuple[Rule | None, ...]
    shares: Rule | None
    symbol: str
    domain: tuple[Domain, ...]
    samples: Sampler | None
    analytic: bool
    numpy: Callable[..., Any] | None
    elementwise: bool = False
    derived: bool = False
    several: bool = False
    listed: bool = False
    called: str = ""
    slices: str | Callable[..., str] | None = None
    scalar: Callable[..., Any] | None = None

    parameters: Parameters = field(init=False)
    way: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", parameters_of(self.forward))
        _check(self)
        rules = [_rule(self, given) for given in (*self.rules, self.shares)]
        object.__setattr__(self, "rules", tuple(rules[:-1]))
        object.__setattr__(self, "shares", rules[-1])
        object.__setattr__(self, "way", -len(self.rules) if self.slices else len(self.rules))

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of its arrays, the positional-only parameters of `forward`; () for `*arrays`."""
        return self.parameters.arrays

    @property
    def many(self) -> str:
        """The name of `*arrays`, if it takes any number of them; else ""."""
        return self.parameters.many

    @property
    def differentiable(self) -> bool:
        """Whether gradient flows through it to some array."""
        return self.shares is not None or any(self.rules)


def _check(op: Op) -> None:
    """Raise DefinitionError with the remedy if the definition is incomplete or contradictory."""

    def needs(what: str) -> DefinitionError:
        return DefinitionError(f"{op.name}: {what}")

    if not op.forward.__doc__ and sys.flags.optimize < 2:  # python -OO removes docstrings
        raise needs('no docstring; write """What it computes.""" below its def line')
    if not op.arrays and not op.many:
        options, defaults = op.parameters.options, op.parameters.defaults
        names = [name for name in options if name not in defaults] or ["x"]
        after = [f"{name}={defaults[name]!r}" for name in options if name in defaults]
        raise needs(
            f"no positional-only parameter, so no array; write def {op.name}({', '.join([*names, '/', *after])})"
        )
    for option, given in (("rules", op.rules), ("domain", op.domain)):
        if not isinstance(given, (tuple, list)) or isinstance(given, (Rule, Domain)):
            raise needs(f"{option}= is a {type(given).__name__}, expected a tuple, one per array: {option}=(..., )")
    if op.rules and op.shares is not None:
        raise needs("got rules= and shares=; write one of them")
    if op.many and not op.derived and op.shares is None:
        got = "got rules=" if op.rules else "no shares="
        raise needs(f"{got} for *{op.many}; write shares=, one rule that returns the shares of all arrays")
    if not op.derived and op.shares is None and len(op.rules) != len(op.arrays):
        got = f"got {len(op.rules)} rules for the arrays {', '.join(op.arrays)}"
        raise needs(f"{got}; write rules= with one per array, None for no gradient")
    if not op.many and len(op.domain) > len(op.arrays):
        got = f"got {len(op.domain)} domains for {len(op.arrays)} arrays"
        raise needs(f"{got}; write domain= with one per array, or fewer: the last one applies to all further arrays")

    if op.slices is not None and (op.elementwise or op.derived):
        raise needs("got slices=, which are for whole-array primitives; leave it out")
    if isinstance(op.slices, str) and not _fit(op.slices, op):
        expected = (
            '"axis" (one array and a parameter axis), "product", or indices of each array and the result: "...i->..."'
        )
        raise needs(f"got slices={op.slices!r}, expected {expected}")


def _fit(slices: str, op: Op) -> bool:
    if slices == AXIS:
        return len(op.arrays) == 1 and AXIS in op.parameters.options
    words = slices.split("->")
    return slices == PRODUCT or (len(words) == 2 and (bool(op.many) or len(words[0].split(",")) == len(op.arrays)))


def _rule(op: Op, given: Any) -> Rule | None:
    """A rule as given, or a plain function as a Rule. Raises DefinitionError for anything else, and for missing arguments."""
    if given is None:
        return None
    rule = given if isinstance(given, Rule) else Rule(given)
    expected = ", ".join(["g", "y", *op.arrays, *([f"*{op.many}"] if op.many else []), *op.parameters.options])
    if not callable(rule.apply):
        raise DefinitionError(
            f"{op.name}: a rule is a {type(rule.apply).__name__}, expected a function of ({expected})"
        )
    code = getattr(rule.apply, "__code__", None)
    if code is not None and not code.co_flags & CO_VARARGS and code.co_argcount < 2 + len(op.arrays):
        got = ", ".join(code.co_varnames[: code.co_argcount])
        raise DefinitionError(f"{op.name}: a rule is a function of ({got}), expected one of ({expected})")
    return rule
