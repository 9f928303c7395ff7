"""Binding: splitting the arguments of a call into the arrays and the parameters of an operation.

The signature determines the split: arrays are the positional-only parameters, or `*arrays` for any number of them; all others
are parameters of the operation.

>>> parameters_of(lambda x, /, axis=None: x).arrays
('x',)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import CO_VARARGS, Parameter, Signature, signature
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

from .elsewhere import remedy
from .errors import DTypeError, ShapeError, TinygradError, UnsupportedError

Bound: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]  # the arrays, and the parameters by name
Split: TypeAlias = Callable[..., Bound]
F = TypeVar("F", bound=Callable[..., Any])
_PLAIN = {"float", "int", "bool", "str", "None"}
_SEQUENCES = (list, tuple, range, bytes, bytearray, memoryview)  # that NumPy would take for arrays


class NoValue:
    """A type that no argument has."""


class Parameters(NamedTuple):
    """The parameters of a function.

    Attributes:
        arrays: names of the positional-only parameters.
        many: the name of `*arrays`; "" if there is none.
        options: the other parameters, keyword-only ones last.
        positional: the number of options that may be given by position.
        defaults: the default values, by name.
        types: the annotations as text, by name.
    """

    arrays: tuple[str, ...]
    many: str
    options: tuple[str, ...]
    positional: int
    defaults: dict[str, Any]
    types: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """All parameters, in order."""
        before, after = self.options[: self.positional], self.options[self.positional :]
        return (*self.arrays, *before, *([f"*{self.many}"] if self.many else []), *after)

    @property
    def plain(self) -> dict[str, str]:
        """The options whose annotation allows only a single number, text or None, with it. (Ops check an axis themselves.)"""
        types = {name: self.types.get(name, "Any") for name in self.options if not name.startswith("axis")}
        return {name: kind for name, kind in types.items() if _PLAIN.issuperset(kind.split(" | "))}


def parameters_of(function: Callable[..., Any]) -> Parameters:
    """The parameters of a function as defined, before decorators. (inspect.signature is 50 times slower.)"""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code: Any = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    names = code.co_varnames
    values = function.__defaults__ or ()
    defaults = dict(zip(names[code.co_argcount - len(values) : code.co_argcount], values, strict=True))
    many = names[count] if code.co_flags & CO_VARARGS else ""
    arrays = code.co_posonlyargcount
    defaults |= function.__kwdefaults__ or {}
    types = {name: given if isinstance(given, str) else str(given) for name, given in function.__annotations__.items()}
    return Parameters(names[:arrays], many, names[arrays:count], code.co_argcount - arrays, defaults, types)


def binder(function: Callable[..., Any], value: type = NoValue) -> Split:
    """A function that splits the arguments of a call into arrays (positional-only or `*arrays`) and a dict of the others.

    Arrays may be given by name too. It raises UnsupportedError for an unknown, repeated or missing argument, and for one of the
    type `value` given for a plain option; see `check_options`.
    """
    taken = parameters_of(function)
    arrays, many, options, positional, defaults, _ = taken
    n = len(arrays)
    preset = {name: defaults[name] for name in options if name in defaults}
    all_preset = len(preset) == len(options)
    most, known, plain = n + positional, frozenset(options), taken.plain

    def bind(*args: Any, **kwargs: Any) -> Bound:
        if all_preset and not kwargs and (len(args) == n or (many and len(args) > n)):  # most calls
            return args, preset
        if (many or n <= len(args) <= most) and kwargs.keys() <= known:  # nearly all others
            inputs, rest = (args, ()) if many else (args[:n], args[n:])
            chosen = dict(zip(options, rest, strict=False)) | kwargs
            params = preset | chosen
            if len(params) == len(options) and len(chosen) == len(rest) + len(kwargs) and len(inputs) >= n:
                check_options(plain, chosen, value)
                return inputs, params
        given = {name: kwargs.pop(name, defaults.get(name, ...)) for name in arrays[len(args) :]}
        inputs, rest = (args, ()) if many else (args[:n], args[n:])
        placed = dict(zip(options[:positional], rest, strict=False))
        params = preset | placed | kwargs
        twice = [*placed.keys() & kwargs.keys(), *[name for name in arrays[: len(args)] if name in kwargs]]
        unknown = [f"{name}=" for name in params if name not in options] + [f"{x!r:.40}" for x in rest[positional:]]
        missing = [name for name, x in given.items() if x is ...] + [name for name in options if name not in params]
        if twice or unknown or missing:
            problem = f"does not take {', '.join(unknown)}" if unknown else f"{', '.join(missing)} missing"
            problem = f"got {', '.join(twice)} twice" if twice else problem
            rather = remedy(function.__name__, [each.rstrip("=") for each in unknown])
            raise UnsupportedError(f"{problem}; it takes {', '.join(taken.names)}{rather}")
        check_options(plain, params, value)
        return inputs + tuple(given.values()), params

    return bind


def check_options(plain: dict[str, str], params: dict[str, Any], value: type) -> None:
    """Check the options that take only single numbers or text; see `Parameters.plain`.

    Raises:
        UnsupportedError: for one of the type `value`: no gradient would flow to it.
        DTypeError: for a sequence.
    """
    for name, x in params.items():
        if isinstance(x, value) and name in plain:
            problem = f"got a Value as {name}=, expected {plain[name]}, as no gradient flows to it"
            raise UnsupportedError(f"{problem}; pass value.item()")
        if isinstance(x, _SEQUENCES) and name in plain:
            raise DTypeError(f"got {name}={x!r:.40}, expected {plain[name]}")


def listing(function: Callable[..., Any], value: type = NoValue) -> Split:
    """The binder of a function of `*arrays` that users call with one list: concatenate([a, b], axis=0)."""
    options = parameters_of(function).options
    bind = binder(function, value)

    def split(*args: Any, **kwargs: Any) -> Bound:
        arrays, rest = args[0] if args else kwargs.pop("arrays", None), args[1:]
        try:
            inputs = tuple(arrays)
        except TypeError:
            raise ShapeError(f"got {type(arrays).__name__}, expected a list of arrays") from None
        if len(rest) > len(options):
            raise UnsupportedError(f"does not take {rest[len(options)]!r:.40}; it takes arrays, {', '.join(options)}")
        return bind(*inputs, **dict(zip(options, rest, strict=False)), **kwargs)

    return split


def listed_signature(function: Callable[..., Any]) -> Signature:
    """The signature that help() shows for a function of `*arrays` that users call with one list; see `listing`."""
    taken = parameters_of(function)
    parameters = [Parameter("arrays", Parameter.POSITIONAL_OR_KEYWORD)]
    for name in taken.options:
        default = taken.defaults.get(name, Parameter.empty)
        parameters.append(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default))
    return Signature(parameters)


def calling(split: Split, value: type = NoValue) -> Split:
    """A hand-written `split` whose TypeErrors about its arguments become UnsupportedErrors that list its parameters."""
    taken = parameters_of(split)
    plain = taken.plain

    @wraps(split)
    def bind(*args: Any, **kwargs: Any) -> Bound:
        try:
            check_options(plain, kwargs, value)
            return split(*args, **kwargs)
        except TypeError as error:
            if isinstance(error, TinygradError):
                raise
            reason, takes = str(error).rpartition("() ")[2], ", ".join(taken.names)
            raise UnsupportedError(f"{reason}; it takes {takes}") from None

    return bind


def check_function(name: str, f: Any) -> None:
    """Raise UnsupportedError, in the name of a transform, unless f can be called."""
    if not callable(f):
        problem = f"{name}: got {type(f).__name__} as f, expected a function"
        raise UnsupportedError(f"{problem}; to differentiate a Value y, call y.backward()")


def named(name: str) -> Callable[[F], F]:
    """Decorator for a public function that is not an op: its errors begin with this name, as those of ops do."""

    def decorate(function: F) -> F:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except TinygradError as error:
                error.operation = name
                raise
            except TypeError:
                unfitting = _unfitting(function, args, kwargs)
                if unfitting is None:
                    raise
                unfitting.operation = name
            raise unfitting

        return cast(F, call)

    return decorate


def _unfitting(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> UnsupportedError | None:
    """The error for arguments that a function does not take; None if it takes them."""
    takes = signature(function)
    try:
        takes.bind(*args, **kwargs)
    except TypeError as error:
        return UnsupportedError(f"{error}; it takes {', '.join(takes.parameters)}")
    return None
