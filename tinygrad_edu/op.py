"""Op: the definition of one operation.

An operation is a decorated NumPy function. From that one definition follow its recording, its gradients of every order,
its NumPy protocol, its property tests, its row in the docs and its drawing:

    @elementwise(symbol="×", domain=(REAL, REAL), analytic=True,
                 rules=(rule("b", lambda g, y, a, b: g * b),
                        rule("a", lambda g, y, a, b: g * a)))
    def multiply(a, b):
        return a * b

The decorator (see registry.py) makes an Op of it, and the function that users call (see recording.py). That is polymorphic
by type: numbers and arrays in, numbers and arrays out, and nothing is recorded; a Value in, a Value out, recorded.

A rule turns g, the gradient of some output with respect to this operation's result y, into the gradient with respect to one
of its inputs. Rules are written in ops, so fed arrays a rule computes a gradient at NumPy speed, and fed Values the same
text records the graph of the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from inspect import CO_VARARGS
from typing import Any, NamedTuple

from .domain import Domain, Sampler
from .errors import DefinitionError


class Rule(NamedTuple):
    """The gradient rule for one argument.

    Attributes:
        formula: the rule as a calculus book prints it: the local derivative for elementwise operations ("1 - y²"), the
            whole product with the incoming gradient for the others ("g @ bᵀ").
        apply: function of (g, y, *inputs, **params): the incoming gradient, the output, the inputs, the parameters.
    """

    formula: str
    apply: Callable[..., Any]


rule = Rule


@dataclass(frozen=True, eq=False, slots=True)
class Op:
    """The definition of one operation.

    Args:
        name: as in NumPy where NumPy has it.
        forward: the NumPy function, of plain numbers and arrays.
        rules: one per array argument; None where no gradient flows. A variadic op has one rule, whose `apply` takes first
            the number of the input that it is for.
        symbol: what a drawing shows.
        domain: one per array argument; the last one holds for all that follow.
        samples: from one shape, the calls that tests make; None for elementwise ops without parameters, which take any shapes
            that broadcast.
        analytic: True if `forward` is complex-differentiable on its domain, so that the complex step may check it.
        numpy: the NumPy function that it equals (to 4 ulp), or a plain formula where NumPy has none.
        elementwise: one number out for each number in, with NumPy broadcasting; the zero rule holds.
        derived: composed of other ops and recorded as those, so it has no rules.
        variadic: takes any number of arrays.
        joint: its one rule returns the shares of all inputs at once, a tuple.
        several: derived, and returns a tuple or list of results.
        arrays: how many of the first arguments are arrays; parameters follow.

    Raises:
        DefinitionError: if the docstring, a rule, a domain or the samples are missing.
    """

    name: str
    forward: Callable[..., Any]
    rules: tuple[Rule | None, ...]
    symbol: str
    domain: tuple[Domain, ...]
    samples: Sampler | None
    analytic: bool
    numpy: Callable[..., Any] | None
    elementwise: bool = False
    derived: bool = False
    variadic: bool = False
    joint: bool = False
    several: bool = False
    arrays: int = 1

    def __post_init__(self) -> None:
        arguments = len(arguments_of(self.forward))
        if not self.forward.__doc__:
            raise DefinitionError(f"{self.name}: an op needs a docstring")
        if self.samples is None and not self.elementwise:
            raise DefinitionError(
                f"{self.name}: an op needs samples=, a function from a shape to the calls that test it"
            )
        inputs = arguments if self.samples is None else self.arrays  # with samples, parameters may follow
        if self.elementwise and not self.derived and not inputs == len(self.rules) == len(self.domain):
            got = f"{inputs} arguments, {len(self.rules)} rules and {len(self.domain)} domains"
            raise DefinitionError(f"{self.name}: got {got}; an elementwise op needs a rule and a domain per argument")
        if len(self.rules) > arguments and not self.variadic:
            raise DefinitionError(
                f"{self.name}: got {len(self.rules)} rules for {arguments} arguments; one each, at most"
            )
        if self.variadic and not self.derived and len(self.rules) != 1:
            raise DefinitionError(f"{self.name}: got {len(self.rules)} rules; a variadic op needs exactly one")

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def rule(self, i: int) -> Rule | None:
        """The rule for input number i."""
        each = self.rules[0 if self.variadic else i]
        if self.variadic and each is not None:
            apply = each.apply
            return Rule(each.formula, lambda *args, **params: apply(i, *args, **params))
        return each


@cache
def arguments_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Its argument names with their defaults, `...` where there is none. (inspect.signature takes 50 times as long.)"""
    function = _unwrapped(function)
    code = function.__code__
    last = code.co_argcount + code.co_kwonlyargcount
    names = code.co_varnames[:last]
    if is_variadic(function):
        names = (code.co_varnames[last], *names)
    values = function.__defaults__ or ()
    defaults = dict(zip(code.co_varnames[code.co_argcount - len(values) : code.co_argcount], values, strict=True))
    defaults |= function.__kwdefaults__ or {}
    return {name: defaults.get(name, ...) for name in names}


def is_variadic(function: Callable[..., Any]) -> bool:
    """Whether it takes any number of arrays, as *arrays."""
    return bool(_unwrapped(function).__code__.co_flags & CO_VARARGS)


def _unwrapped(function: Callable[..., Any]) -> Any:
    """The function as it was written, before decorators."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function
