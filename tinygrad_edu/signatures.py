"""What a type checker sees of an op: a Value if any operand is one, plain data otherwise; a method when on a class.

Types only; nothing here runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeAlias, TypeVar, overload

from numpy.typing import NDArray

from .node import Node
from .op import Op

Array: TypeAlias = NDArray[Any]
Raw: TypeAlias = float | Array
Plain: TypeAlias = Any  # a Raw; NumPy's stubs cannot tell which
Axis: TypeAlias = int | tuple[int, ...] | None
V = TypeVar("V", bound=Node)
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
    """Type of an op that users call by a signature of its own: concatenate(arrays), einsum(subscripts, *operands)."""

    op: Op

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any: ...


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
    """What every op function is: callable, and carrying its definition as `.op`."""

    op: Op
    __name__: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __hash__(self) -> int: ...


class Decorator(Protocol):
    """Type of what `elementwise`, `operation` and `derived` return."""

    @overload
    def __call__(self, forward: Callable[[Array, Array, Array], Any]) -> Ternary: ...
    @overload
    def __call__(self, forward: Callable[Concatenate[Array, Array, P], Any]) -> Binary[P]: ...
    @overload
    def __call__(self, forward: Callable[Concatenate[Array, P], Any]) -> Unary[P]: ...


class UnaryDecorator(Protocol):
    """Type of what `derived(arrays=1)` returns, for parameters that may be plain arrays themselves."""

    def __call__(self, forward: Callable[Concatenate[Array, P], Any]) -> Unary[P]: ...


class SeveralDecorator(Protocol):
    """Type of what `derived(several=True)` returns."""

    def __call__(self, forward: Callable[Concatenate[Array, P], Any]) -> Several[P]: ...
