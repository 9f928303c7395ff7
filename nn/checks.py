"""Arguments of layers, losses and other public functions: their domains, their text in messages, and errors they explain."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import signature
from typing import Any, TypeAlias, TypeGuard, TypeVar, cast

import numpy as np

from tinygrad_edu import DTypeError, OutOfBoundsError, ShapeError, TinygradError, Value, array

Shape: TypeAlias = tuple[int, ...]
Size: TypeAlias = int | Sequence[int]
Domain: TypeAlias = tuple[Callable[[Any], bool], str]  # a test of membership, and the name in messages
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def is_real(x: Any) -> TypeGuard[float]:
    """Whether x is one number, Python's or NumPy's, NaN included; not an integer too large for a float."""
    if not isinstance(x, (float, int, np.floating, np.integer)) or isinstance(x, np.timedelta64):
        return False
    return not isinstance(x, int) or x.bit_length() < 1024


REAL: Domain = (is_real, "a real number")
POSITIVE: Domain = (lambda x: is_real(x) and x > 0, "a number > 0")
NOT_NEGATIVE: Domain = (lambda x: is_real(x) and x >= 0, "a number from 0 on")
SHARE: Domain = (lambda x: is_real(x) and 0 <= x <= 1, "a number from 0 to 1")
PROBABILITY: Domain = (SHARE[0], "a probability from 0 to 1")
FUNCTION: Domain = (callable, "a function")
INTEGER: Domain = (lambda x: is_integer(x), "an integer")
FLAG: Domain = (lambda x: isinstance(x, (bool, np.bool_)), "True or False")


def one_of(*words: str) -> Domain:
    """The domain of some words."""
    return (lambda x: isinstance(x, str) and x in words, f"one of {', '.join(map(repr, words))}")


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


# -- Errors of NumPy and Python ---------------------------------------------------------------------------------------

_LIBRARIES = {*sys.stdlib_module_names, "tinygrad_edu", "numpy", "scipy", "sklearn"}
_OF_NUMPY = ("np.", "array:", "float:", "len:", "v[index]")  # how messages about a misplaced Value begin
_TAKES: dict[str, Domain] = {  # by one alternative of an annotation
    "None": (lambda x: x is None, "None"),
    "bool": (lambda x: isinstance(x, (bool, int, np.bool_)), "True or False"),
    "int": INTEGER,
    "float": REAL,
    "str": (lambda x: isinstance(x, str), "text"),
    "DTypeLike": (_is_type, "a dtype such as np.float32"),
    "Module": (lambda x: hasattr(x, "named_parameters"), "a module"),
    "Shape": (lambda x: isinstance(x, (tuple, list)) and all(map(is_integer, x)), "a tuple of integers"),
}
_ALIKE = {TypeError: DTypeError, ArithmeticError: ShapeError, ValueError: ShapeError, LookupError: OutOfBoundsError}


def explaining(function: F) -> F:
    """Decorator of a public function or constructor: an error of NumPy or Python becomes a TinygradError that names the call.

    Errors that arise in a user's function, such as a loss, pass unchanged.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            known = explained(error, function, args, kwargs)
            if known is error:
                raise
            vars(known).update(vars(error))  # its notes, and what was attached, as the history of a training
            raise known from error

    return cast(F, call)


class Explaining:
    """Base of classes of nn whose constructors are `explaining`."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls) and cls.__module__.startswith(f"{__package__}."):
            cls.__init__ = explaining(cls.__init__)  # type: ignore[method-assign]


def explained(
    error: BaseException, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> BaseException:
    """The error itself; one of NumPy or Python that arose in this package, as a TinygradError that names the call."""
    if not isinstance(error, Exception) or isinstance(error, (OSError, ImportError, Warning)) or not _ours(error):
        return error
    names = list(signature(function).parameters)
    given = dict(zip(names, args, strict=False)) | dict(kwargs)
    owner = given.pop("self", None) if names[:1] == ["self"] else None
    named = function.__name__ not in ("__init__", "forward", "step")
    name = function.__name__ if named else type(owner).__name__
    if isinstance(error, TinygradError):
        if str(error).startswith(_OF_NUMPY):
            error.operation = name if error.operation is None else f"{name}: {error.operation}"
        return error
    kind = next((ours for theirs, ours in _ALIKE.items() if isinstance(error, theirs)), TinygradError)
    for key, x in given.items():
        takes = [_TAKES.get(each) for each in function.__annotations__.get(key, "Any").split(" | ")]
        known = [each for each in takes if each is not None]
        if len(known) == len(takes) and not any(fits(x) for fits, _ in known):
            expected = " or ".join([text for _, text in known])
            return kind(f"{name}: got {key}={shown(x)}, expected {expected}")
    described = ", ".join([f"{key}={shown(x)}" for key, x in given.items()]) or "no arguments"
    if isinstance(error, MemoryError):
        error.add_note(f"in {name}: got {described}")
        return error
    return kind(f"{name}: {error or type(error).__name__}; got {described}; see help({name})")


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
    return isinstance(n, (int, np.integer)) and not isinstance(n, (bool, np.timedelta64))
