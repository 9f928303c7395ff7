"""Types of ops for type checkers: a Value if any operand is one, plain data otherwise; a method when on a class.

Types only; the only code that runs is three casts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Literal,
    ParamSpec,
    Protocol,
    Self,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from .domain import Domain, Sampler
from .node import Node
from .op import Op, Rule

if TYPE_CHECKING:  # numpy.typing takes a tenth of this package's time to import
    import numpy as np
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"
Floats: TypeAlias = "NDArray[np.floating[Any]]"
Integers: TypeAlias = "int | Sequence[Any] | NDArray[np.integer[Any]]"
Rules: TypeAlias = tuple[Rule | Callable[..., Any] | None, ...]
Raw: TypeAlias = "float | Array"
Plain: TypeAlias = Any  # a Raw; NumPy's stubs do not distinguish float and array
Axis: TypeAlias = int | tuple[int, ...] | None
V = TypeVar("V", bound=Node)
R = TypeVar("R", covariant=True)
P = ParamSpec("P")


class Unary(Protocol[P]):
    """Type of an op of one array and parameters P: Value in, Value out; and a method of Value."""

    op: Op

    @overload
    def __call__(self, x: V, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, x: Raw, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    def __get__(self, instance: V, owner: type[V]) -> Callable[P, V]: ...
    @overload
    def __get__(self, instance: None, owner: type[Node]) -> Self: ...


class Binary(Protocol[P]):
    """Type of an op of two arrays and parameters P: a Value if either is one; and a method of Value."""

    op: Op

    @overload
    def __call__(self, a: V, b: V | Raw, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, a: Raw, b: V, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, a: Raw, b: Raw, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    def __get__(self, instance: V, owner: type[V]) -> Callable[Concatenate[V | Raw, P], V]: ...
    @overload
    def __get__(self, instance: None, owner: type[Node]) -> Self: ...


class Ternary(Protocol):
    """Type of an op of three arrays: a Value if any is one."""

    op: Op

    @overload
    def __call__(self, a: V, b: V | Raw | None = ..., c: V | Raw | None = ...) -> V: ...
    @overload
    def __call__(self, a: Raw, b: V, c: V | Raw | None = ...) -> V: ...
    @overload
    def __call__(self, a: Raw, b: Raw | None, c: V) -> V: ...
    @overload
    def __call__(self, a: Raw, b: Raw | None = ..., c: Raw | None = ...) -> Any: ...
    @overload
    def __get__(self, instance: V, owner: type[V]) -> Callable[[V | Raw | None, V | Raw | None], V]: ...
    @overload
    def __get__(self, instance: None, owner: type[Node]) -> Self: ...


class Function(Protocol[P]):
    """Type of an op whose public signature differs from `forward`: einsum(subscripts, *operands)."""

    op: Op

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any: ...


class Listed(Protocol):
    """Type of an op of any number of arrays, which users pass as one list: concatenate([a, b], axis=0)."""

    op: Op

    def __call__(self, arrays: Iterable[Any], /, *args: Any, **kwargs: Any) -> Any: ...


class Several(Protocol[P]):
    """Type of an op of one array that returns a list or tuple of results; and a method of Value."""

    op: Op

    @overload
    def __call__(self, x: V, *args: P.args, **kwargs: P.kwargs) -> list[V]: ...
    @overload
    def __call__(self, x: Raw, *args: P.args, **kwargs: P.kwargs) -> list[Any]: ...
    @overload
    def __get__(self, instance: V, owner: type[V]) -> Callable[P, list[V]]: ...
    @overload
    def __get__(self, instance: None, owner: type[Node]) -> Self: ...


class Operation(Protocol):
    """Type of every op function: callable, with its definition as `.op`."""

    op: Op
    __name__: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __hash__(self) -> int: ...


class Options(TypedDict, total=False):
    """What every decorator takes; see `Op`. The symbol is the name, and numpy is NumPy's function of that name, if not given.

    also: other NumPy functions that this op records, by another name of NumPy's or with a slightly different signature.
    accumulates: it adds up many numbers, so float16 is computed in float32, and rounded at the end; see half.py.
    """

    symbol: str
    domain: tuple[Domain, ...]
    analytic: bool
    numpy: Callable[..., Any]
    also: tuple[Callable[..., Any], ...]
    called: str
    accumulates: bool
    slices: str | Callable[..., str]


class AllOptions(Options, total=False):
    """Options, and those that change the type of the result.

    call: what users call it with, where that differs from the decorated function: a function that returns the arrays, as a
        tuple, and the parameters, as a dictionary.
    listed: users give the arrays of `*arrays` as one list.
    """

    call: Callable[..., Any]
    listed: bool


class Decorator(Protocol):
    """Type of the decorators that `elementwise`, `operation` and `derived` return, by the arrays before the slash.

    A second parameter that is not an array needs a type incompatible with float arrays, or it counts as an array.
    """

    @overload
    def __call__(self, forward: Callable[[Floats, Floats, Floats], Any]) -> Ternary: ...
    @overload
    def __call__(self, forward: Callable[Concatenate[Floats, Floats, P], Any]) -> Binary[P]: ...
    @overload
    def __call__(self, forward: Callable[Concatenate[Floats, P], Any]) -> Unary[P]: ...


class OfMany(Protocol):
    """Type of a function of any number of arrays."""

    def __call__(self, *arrays: Floats) -> Any: ...


class SeveralDecorator(Protocol):
    """Type of the decorator that `derived(several=True)` returns."""

    @overload
    def __call__(self, forward: OfMany) -> Function[...]: ...
    @overload
    def __call__(self, forward: Callable[Concatenate[Floats, P], Any]) -> Several[P]: ...


class Results(Protocol[R]):
    """Type of an op that returns a named tuple of results."""

    op: Op

    def __call__(self, *args: Any, **kwargs: Any) -> R: ...


class ListedDecorator(Protocol):
    """Type of the decorator that `listed=True` returns."""

    def __call__(self, forward: Callable[..., Any]) -> Listed: ...


class FunctionDecorator(Protocol[P]):
    """Type of the decorator that `call=` returns."""

    def __call__(self, forward: Callable[..., Any]) -> Function[P]: ...


class Elementwise(Protocol):
    """Type of the decorator `elementwise`."""

    @overload
    def __call__(
        self, *, rules: Rules, call: Callable[Concatenate[Any, P], Any], **options: Any
    ) -> Callable[[Callable[..., Any]], Unary[P]]: ...
    @overload
    def __call__(
        self,
        *,
        rules: Rules,
        scalar: Callable[..., Any] | None = ...,
        samples: Sampler | None = ...,
        **options: Unpack[Options],
    ) -> Decorator: ...


class General(Protocol):
    """Type of the decorator `operation`."""

    @overload
    def __call__(
        self, *, listed: Literal[True], shares: Rule | Callable[..., Any], **options: Any
    ) -> ListedDecorator: ...
    @overload
    def __call__(self, *, call: Callable[P, Any], **options: Any) -> FunctionDecorator[P]: ...
    @overload
    def __call__(
        self,
        *,
        rules: Rules = ...,
        shares: Rule | Callable[..., Any] | None = ...,
        samples: Sampler | None = ...,
        **options: Unpack[Options],
    ) -> Decorator: ...


class Derived(Protocol):
    """Type of the decorator `derived`."""

    @overload
    def __call__(self, *, listed: Literal[True], **options: Any) -> ListedDecorator: ...
    @overload
    def __call__(self, *, call: Callable[P, Any], **options: Any) -> FunctionDecorator[P]: ...
    @overload
    def __call__(self, *, several: type[R], **options: Any) -> Callable[[Callable[..., Any]], Results[R]]: ...
    @overload
    def __call__(
        self,
        *,
        several: Literal[True],
        samples: Sampler = ...,
        **options: Unpack[Options],
    ) -> SeveralDecorator: ...
    @overload
    def __call__(
        self,
        *,
        samples: Sampler | None = ...,
        **options: Unpack[Options],
    ) -> Decorator: ...


def as_elementwise(decorator: Callable[..., Any]) -> Elementwise:
    """The decorator, cast to its type above."""
    return cast(Elementwise, decorator)


def as_operation(decorator: Callable[..., Any]) -> General:
    """See `as_elementwise`."""
    return cast(General, decorator)


def as_derived(decorator: Callable[..., Any]) -> Derived:
    """See `as_elementwise`."""
    return cast(Derived, decorator)
