"""Arguments of layers, losses and other public functions: their domains, their text in messages, and errors they explain."""

from __future__ import annotations

import sys
from ast import literal_eval
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, wraps
from inspect import signature
from typing import Any, TypeAlias, TypeGuard, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import DTypeError, OutOfBoundsError, ShapeError, TinygradError, Value, array

from .elsewhere import KEYWORDS

Shape: TypeAlias = tuple[int, ...]
Size: TypeAlias = int | Sequence[int]
Domain: TypeAlias = tuple[Callable[[Any], bool], str]  # a test of membership, and the name in messages
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def is_real(x: Any) -> TypeGuard[float]:
    """Whether x is one number, Python's or NumPy's, NaN included; no bool, nor an integer too large for a float."""
    if not isinstance(x, (float, int, np.floating, np.integer)) or isinstance(x, (bool, np.timedelta64)):
        return False
    return not isinstance(x, int) or x.bit_length() < 1024


REAL: Domain = (is_real, "a real number")
POSITIVE: Domain = (lambda x: is_real(x) and x > 0, "a number > 0")
NOT_NEGATIVE: Domain = (lambda x: is_real(x) and x >= 0, "a number from 0 on")
NONZERO: Domain = (lambda x: is_real(x) and x != 0, "a number other than 0")
SHARE: Domain = (lambda x: is_real(x) and 0 <= x <= 1, "a number from 0 to 1")
PROBABILITY: Domain = (SHARE[0], "a probability from 0 to 1")
FUNCTION: Domain = (callable, "a function")
INTEGER: Domain = (lambda x: is_integer(x), "an integer")
MODULE: Domain = (lambda x: hasattr(x, "named_parameters"), "a module")
FLAG: Domain = (lambda x: isinstance(x, (bool, np.bool_)), "True or False")


def one_of(*words: str) -> Domain:
    """The domain of some words."""
    return (lambda x: isinstance(x, str) and x in words, f"one of {', '.join(map(repr, words))}")


# Annotations that name a domain: `explaining` refuses any other argument before the call.
BatchReduction: TypeAlias = str
Dim: TypeAlias = int
Exponent: TypeAlias = int
Flag: TypeAlias = bool
Function: TypeAlias = Callable[..., Any]
Integer: TypeAlias = int
NonZero: TypeAlias = float
NotNegative: TypeAlias = float
Positive: TypeAlias = float
Probability: TypeAlias = float
Real: TypeAlias = float
Reduction: TypeAlias = str
Share: TypeAlias = float
Weights: TypeAlias = Any  # real numbers; any shape may be right until the call
DOMAINS: dict[str, Domain] = {
    "BatchReduction": one_of("mean", "sum", "none", "batchmean"),
    "Dim": INTEGER,
    "Exponent": (lambda p: is_real(p) and p in (1, 2), "1 or 2"),
    "Flag": FLAG,
    "Function": FUNCTION,
    "Integer": INTEGER,
    "NonZero": NONZERO,
    "NotNegative": NOT_NEGATIVE,
    "Positive": POSITIVE,
    "Probability": PROBABILITY,
    "Real": REAL,
    "Reduction": one_of("mean", "sum", "none"),
    "Share": SHARE,
}


def data_of(x: Any) -> Any:
    """The data of a Value; anything else unchanged."""
    return x.data if isinstance(x, Value) else x


def plain_array(name: str, what: str, x: Any) -> Any:
    """A nested list as an array; an array or a Value unchanged. Errors, as for masked arrays, begin with both names."""
    try:
        return array(x)
    except TinygradError as error:
        error.operation = f"{name}: {what}"
        raise


def checked(layer: str, name: str, given: Any, domain: Domain = REAL) -> Any:
    """The argument `given`. Raises TinygradError, in the name of a layer, if it is not in the domain."""
    belongs, expected = domain
    try:
        right = belongs(given)
    except Exception:  # an array has no truth value
        right = False
    if not right:
        raise TinygradError(f"{layer}: got {name}={shown(given)}, expected {expected}")
    return given


def _is_type(dtype: Any) -> bool:
    try:
        np.dtype(dtype)
    except (TypeError, ValueError):
        return False
    return True


def generator(layer: str, rng: Any) -> np.random.Generator:
    """A random generator, from a generator (unchanged), a seed or None. Raises TinygradError, in the name of a layer."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise TinygradError(
            f"{layer}: got rng={shown(rng)}, expected a random generator, a seed (an integer from 0 on), or None"
        ) from None


def float_type(layer: str, dtype: Any) -> np.dtype[Any]:
    """A floating-point dtype. Raises DTypeError, in the name of a layer, for any other."""
    found: np.dtype[Any] = np.dtype(dtype if _is_type(dtype) else object)
    if found.kind != "f":
        raise DTypeError(f"{layer}: got dtype={shown(dtype)}, expected a type of floats such as np.float32")
    return found


def ordered(caller: str, several: Iterable[T]) -> list[T]:
    """A list of several parameters. Raises TinygradError, in the name of the function `caller`, for a set."""
    if isinstance(several, (set, frozenset)):
        got, reason = f"got a {type(several).__name__} of parameters", "whose order changes from run to run"
        raise TinygradError(f"{caller}: {got}, {reason}; expected a list, as model.parameters() is")
    return list(several)


def size(layer: str, name: str, given: int, least: int = 1) -> int:
    """A single integer. Raises ShapeError, in the name of a layer, if it is not an integer, or less than `least`."""
    if not is_integer(given) or given < least:
        raise ShapeError(f"{layer}: got {name}={shown(given)}, expected an integer from {least} on")
    return int(given)


def sizes(layer: str, name: str, given: Size | str, axes: int | None = None, least: int = 1) -> tuple[int, ...]:
    """A tuple with one integer per axis, from a tuple or from one integer for all axes; of any length if axes is None.

    Raises ShapeError, in the name of a layer, if the elements are not integers, too many, too few, or less than `least`.
    """
    numbers: tuple[Any, ...] = tuple(given) if isinstance(given, (tuple, list)) else (given,) * (axes or 1)
    if not numbers or len(numbers) != (axes or len(numbers)) or not all(is_integer(n) and n >= least for n in numbers):
        many = "a tuple of them" if axes is None else f"a tuple of {axes} of them"
        raise ShapeError(f"{layer}: got {name}={shown(given)}, expected an integer from {least} on, or {many}")
    return tuple([int(n) for n in numbers])


def shown(x: Any) -> str:
    """An argument in a message: an array or Value by its shape and dtype, anything else by its repr, shortened."""
    if isinstance(x, (np.ndarray, Value)):
        return f"<{type(x).__name__} of {x.dtype}, shape {x.shape}>"
    try:
        return " ".join(repr(x).split())[:60]
    except Exception:  # an integer of too many digits, a list too deep, an object whose repr fails
        return f"<{type(x).__name__}>"


def printable(text: str) -> str:
    """Text from a file in a message: control characters, which a terminal obeys, as escapes; shortened."""
    return "".join([c if c.isprintable() else repr(c)[1:-1] for c in text[:300]])


def as_integers(labels: NDArray[Any]) -> str:
    """The remedy for labels that are not integers, in words."""
    if labels.dtype.kind == "b":
        return "pass labels.astype(int)"
    if labels.dtype.kind == "f":
        if np.isnan(labels).any():
            return "leave out those that are NaN, and pass labels.astype(int)"
        if np.array_equal(labels, np.rint(labels)):
            return "pass labels.astype(int)"
        return "for numbers in place of classes use mse_loss, for example"
    return "number them, classes, labels = np.unique(labels, return_inverse=True)"


# -- Errors of NumPy and Python ---------------------------------------------------------------------------------------

_LIBRARIES = {*sys.stdlib_module_names, "tinygrad_edu", "numpy", "scipy", "sklearn"}
_OF_NUMPY = ("np.", "array:", "float:", "len:", "v[index]")  # how messages about a misplaced Value begin
_TAKES: dict[str, Domain] = DOMAINS | {  # by one alternative of an annotation
    "None": (lambda x: x is None, "None"),
    "bool": (lambda x: isinstance(x, (bool, int, np.bool_)), "True or False"),
    "int": INTEGER,
    "float": REAL,
    "str": (lambda x: isinstance(x, str), "text"),
    "DTypeLike": (_is_type, "a dtype such as np.float32"),
    "Module": MODULE,
    "Shape": (lambda x: isinstance(x, (tuple, list)) and all(map(is_integer, x)), "a tuple of integers"),
}
_ALIKE = {TypeError: DTypeError, ArithmeticError: ShapeError, ValueError: ShapeError, LookupError: OutOfBoundsError}


def explaining(function: F) -> F:
    """Decorator of a public function or constructor: an error of NumPy or Python becomes a TinygradError that names the call.

    Errors that arise in a user's function, such as a loss, pass unchanged.
    """
    annotations = function.__annotations__
    limited = [  # name, place, default, and a quick test; `refuse` then knows the other alternatives
        (name, sys.maxsize if each.kind is each.KEYWORD_ONLY else i, each.default, DOMAINS[domain][0])
        for i, (name, each) in enumerate(signature(function).parameters.items())
        if (domain := annotations.get(name, "").partition(" | ")[0]) in DOMAINS
    ]

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            for name, i, default, belongs in limited:
                given = args[i] if i < len(args) else kwargs.get(name, default)
                if given is not default and not belongs(given):
                    refuse(function.__name__, name, annotations[name], given)
            return function(*args, **kwargs)
        except Exception as error:
            known = explained(error, function, args, kwargs)
            if known is error:
                raise
            vars(known).update(vars(error))  # its notes, and what was attached, as the history of a training
            raise known from error

    return cast(F, call)


def _with_flags(build: F) -> F:
    """A constructor whose parameters annotated as bool take nothing else, so that no misplaced number is taken for True."""
    known = list(signature(build).parameters.values())
    flags = {p.name for p in known if p.annotation == "bool"}
    by_position = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in known)

    @wraps(build)
    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        given = dict(zip([p.name for p in known[1:by_position]], args, strict=False)) | kwargs
        for name in flags & given.keys():
            checked(type(self).__name__, name, given[name], FLAG)
        build(self, *args, **kwargs)

    return cast(F, call) if flags else build


class Explaining:
    """Base of classes of nn whose constructors are `explaining`, and whose flags are True or False."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls) and cls.__module__.startswith(f"{__package__}."):
            type.__setattr__(cls, "__init__", explaining(_with_flags(vars(cls)["__init__"])))


def explained(
    error: BaseException, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> BaseException:
    """The error itself; one of NumPy or Python that arose in this package, as a TinygradError that names the call."""
    if not isinstance(error, Exception) or isinstance(error, (OSError, ImportError, Warning)) or not _ours(error):
        return error
    names = _positional(function)
    many = [p.name for p in signature(function).parameters.values() if p.kind is p.VAR_POSITIONAL]
    given = dict(zip(names, args, strict=False)) | dict.fromkeys(many, args[len(names) :]) | dict(kwargs)
    owner = given.pop("self", None) if names[:1] == ["self"] else None
    named = function.__name__ not in ("__init__", "forward", "step")
    name = function.__name__ if named else type(owner).__name__
    if isinstance(error, TinygradError):
        if str(error).startswith(_OF_NUMPY):
            error.operation = name if error.operation is None else f"{name}: {error.operation}"
        return error
    kind = next((ours for theirs, ours in _ALIKE.items() if isinstance(error, theirs)), TinygradError)
    if misplaced := _misplaced(function, args) or _misnamed(function, name, args, kwargs):
        return DTypeError(f"{name}: {misplaced}")
    for key, x in given.items():
        if wrong := _misfit(key, function.__annotations__.get(key, "Any"), x):
            return kind(f"{name}: {wrong}")
    described = ", ".join([f"{key}={shown(x)}" for key, x in given.items()]) or "no arguments"
    if isinstance(error, MemoryError):
        error.add_note(f"in {name}: got {described}")
        return error
    return kind(f"{name}: {error or type(error).__name__}; got {described}; see help({name})")


def refuse(function: str, name: str, annotation: str, x: Any) -> None:
    """Raises TinygradError, in the name of a function or layer, for an argument that is not as annotated."""
    if wrong := _misfit(name, annotation, x):
        raise TinygradError(f"{function}: {wrong}")


def _misfit(name: str, annotation: str, x: Any) -> str:
    """What a message says of an argument that is not as annotated; "" for one that is, and where that is not known."""
    takes = _domains(annotation)
    if not takes or any(fits(x) for fits, _ in takes):
        return ""
    return f"got {name}={shown(x)}, expected {' or '.join([text for _, text in takes])}"


@cache
def _domains(annotation: str) -> list[Domain]:
    """The domains of the alternatives of an annotation; none if one is not known."""
    takes = [_TAKES.get(each) or _words(each) for each in annotation.split(" | ")]
    known = [each for each in takes if each is not None]
    return known if len(known) == len(takes) else []


def _words(annotation: str) -> Domain | None:
    """The domain of a Literal."""
    words = annotation.removeprefix("Literal")
    return None if words == annotation else one_of(*literal_eval(words))


def _misnamed(function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """What is wrong with the names of arguments: one that the function does not take, or one that is missing; "" if none is."""
    parameters = signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return ""
    known = [p.name for p in parameters.values() if p.kind is not p.VAR_POSITIONAL and p.name != "self"]
    for key in kwargs:
        if key not in known:
            near = get_close_matches(key, known, 1)
            rather = KEYWORDS.get(name, {}).get(key) or KEYWORDS[""].get(key, "") or (f"{near[0]}=" if near else "")
            return (
                f"got {key}=, expected {rather}"
                if rather
                else f"got {key}=; it takes {', '.join(known) or 'no arguments'}"
            )
    try:
        signature(function).bind(*args, **kwargs)
    except TypeError:
        required = [p.name for p in parameters.values() if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
        missing = [each for each in required if each not in {*_positional(function)[: len(args)], *kwargs}]
        if missing:
            takes = [
                f"*{p.name}" if p.kind is p.VAR_POSITIONAL else p.name for p in parameters.values() if p.name != "self"
            ]
            return f"got no {' and no '.join(missing)}; it takes {', '.join(takes)}"
    return ""


def _positional(function: Callable[..., Any]) -> list[str]:
    """The names of the parameters that arguments by position fill, in order."""
    return [
        p.name
        for p in signature(function).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]


def _misplaced(function: Callable[..., Any], args: tuple[Any, ...]) -> str | None:
    """What is wrong with more arguments by position than a function takes; None if there are no more."""
    parameters = list(signature(function).parameters.values())
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(args) <= len(names) or any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    own = int(names[:1] == ["self"])
    others = [f"{p.name}=" for p in parameters if p.kind is p.KEYWORD_ONLY]
    remedy = f"; write others by name: {', '.join(others)}" if others else ""
    got = f"got {shown(args[len(names)])} at position {len(names) + 1 - own}"
    return f"{got}, expected {', '.join(names[own:]) or 'nothing'} by position{remedy}"


def _ours(error: BaseException) -> bool:
    """Whether an error arose in this package, or in the engine or a library called from here; not in a user's function."""
    frames, last = error.__traceback__, ""
    while frames is not None:
        top = frames.tb_frame.f_globals.get("__name__", "").partition(".")[0]
        last = last if top in _LIBRARIES else top
        frames = frames.tb_next
    return last == __package__


# -- What describe() shows ---------------------------------------------------------------------------------------------


def short(numbers: Any) -> Any:
    """The number that a tuple repeats, as a user would have given it; anything else unchanged."""
    return numbers[0] if isinstance(numbers, tuple) and len(set(numbers)) == 1 else numbers


def unusual(build: Callable[..., Any], given: Mapping[str, Any]) -> list[str]:
    """name=value of each argument that differs from its default in a signature."""
    defaults = signature(build).parameters
    return [f"{name}={short(n)!r}" for name, n in given.items() if short(n) != defaults[name].default]


def stretches(shape: Shape, wanted: Shape) -> bool:
    """Whether a shape broadcasts to `wanted`."""
    sides = zip(shape[::-1], wanted[::-1], strict=False)
    return len(shape) <= len(wanted) and all(n in (1, m) for n, m in sides)


def is_integer(n: object) -> bool:
    """Whether n is one integer, Python's or NumPy's, and no bool."""
    return type(n) is int or (isinstance(n, (int, np.integer)) and not isinstance(n, (bool, np.timedelta64)))
