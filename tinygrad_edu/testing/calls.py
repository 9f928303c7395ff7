"""Calls of ops, and small programs of ops, as data: they run on arrays or Values, and print as executable code.

The code needs `np`, `laid_out` and the names of the registry (`from tinygrad_edu import *`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .. import ops
from ..definition import registry
from ..domain import REAL, Domain
from ..errors import InconclusiveError
from ..node import Node
from ..op import Op
from ..recording import apply
from ..signatures import Array
from ..value import Value
from .checking import Mode, check_vjp

Layout = Literal["C", "Fortran", "strided", "read-only", "reversed", "window"]
LAYOUTS: tuple[Layout, ...] = ("C", "Fortran", "strided", "read-only")
ALL_LAYOUTS: tuple[Layout, ...] = (*LAYOUTS, "reversed", "window")


def laid_out(numbers: Array, layout: Layout, domain: Domain = REAL, dtype: Any = float) -> Any:
    """The array in a memory layout; a scalar if it has no axes."""
    numbers = numbers if domain.boolean else numbers.astype(dtype)
    if not numbers.shape:
        return numbers.item() if dtype is float or domain.boolean else numbers[()]
    if layout == "Fortran":
        return np.asfortranarray(numbers)
    if layout == "strided":
        wide = np.repeat(numbers, 2, axis=-1)
        return wide[..., ::2]
    if layout == "reversed":
        return np.flip(np.flip(numbers).copy())
    if layout == "window":
        return np.pad(numbers, 1)[(slice(1, -1),) * numbers.ndim]
    if layout == "read-only":
        numbers = numbers.copy()
        numbers.flags.writeable = False
    return numbers


def code(x: Any) -> str:
    """Python code for an input or parameter, with its dtype and memory layout."""
    if isinstance(x, (tuple, list)):
        inner = ", ".join([code(part) for part in x])
        return f"[{inner}]" if isinstance(x, list) else f"({inner},)" if len(x) == 1 else f"({inner})"
    if isinstance(x, (np.generic, float)) and not np.isfinite(x):
        kind = f"np.{x.dtype}" if isinstance(x, np.generic) else "float"
        return f"{kind}({str(float(x))!r})"
    if not isinstance(x, np.ndarray):
        return repr(x)
    text = str(x.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    plain = x.dtype in (float, bool) and x.size
    text = f"np.array({text})" if plain else f"np.array({text}, np.{x.dtype})"
    if not x.size and x.ndim != 1:
        text = f"np.zeros({x.shape}, np.{x.dtype})"
    layout = _layout_of(x)
    return text if layout == "C" else f'laid_out({text}, "{layout}", dtype=np.{x.dtype})'


def _layout_of(x: Array) -> Layout:
    if not x.flags.writeable:
        return "read-only"
    if x.flags.c_contiguous:
        return "C"
    if x.flags.f_contiguous:
        return "Fortran"
    if any(step < 0 for step in x.strides):
        return "reversed"
    return "window" if x.strides[-1] == x.itemsize else "strided"


@dataclass(frozen=True)
class OpCall:
    """One call of an op. Calling it with other inputs of the same shapes keeps the parameters.

    Several results are flattened and joined. The fields are those of a `Sample`, with inputs in place of their shapes.
    """

    op: Op
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    keywords: tuple[str, ...] = ()
    gauge: Callable[[Any], Any] | None = None
    within: Callable[[Any], Any] | None = None

    def __repr__(self) -> str:
        args, kwargs = self.arguments(self.inputs)
        texts = [code(x) for x in args]
        name = self.op.name
        if self.op.listed:
            texts = [f"[{', '.join(texts)}]"]
        elif name == "einsum":
            texts.insert(0, code(kwargs.pop("subscripts")))
        elif self._in_another_form:
            name = f"{name}.op.forward"
        texts += [f"{key}={code(value)}" for key, value in kwargs.items()]
        return f"{name}({', '.join(texts)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def arguments(self, inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional and the keyword arguments of the call."""
        count = len(inputs) - len(self.keywords)
        return inputs[:count], dict(zip(self.keywords, inputs[count:], strict=True)) | self.params

    def __call__(self, *inputs: Any) -> Any:
        args, kwargs = self.arguments(inputs)
        if self._in_another_form:
            return joined(self.op.forward(*args, **kwargs)) if self.op.derived else apply(self.op, inputs, self.params)
        return joined(registry[self.op.name](*([list(args)] if self.op.listed else args), **kwargs))

    def counterpart(self) -> Any:
        """The same call of the op's NumPy counterpart; several results joined."""
        function: Any = self.op.numpy
        args, kwargs = self.arguments(self.inputs)
        if self.op.name == "einsum":
            args = (kwargs.pop("subscripts"), *args)
        elif self.op.listed:
            args = (list(args),)
        return joined(function(*args, **kwargs))

    def unique(self, y: Any) -> Any:
        """The plain result y, with signs that make it unique."""
        return y * self.signs(y)

    def with_inputs(self, xs: Sequence[Any]) -> list[Any]:
        """All inputs, with xs in place of the differentiable ones, as far as accepted; equal arrays keep the call's memory."""
        inputs = list(self.inputs)
        for i, x in zip(self.differentiable, xs, strict=True):
            if not np.array_equal(inputs[i], x):
                inputs[i] = x if self.within is None else self.within(x)
        return inputs

    def backward(self, inputs: Sequence[Any], weights: Any, create_graph: bool = False) -> list[Value]:
        """The differentiable inputs, as Values with the gradient of sum(weights * unique result)."""
        values = [Value(x) if i in self.differentiable else x for i, x in enumerate(inputs)]
        y = self(*values)
        y.backward(weights * self.signs(y.data), create_graph=create_graph)
        return [values[i] for i in self.differentiable]

    def signs(self, y: Any) -> Any:
        """The factor that makes the result y unique: 1, or an array of 1 and -1."""
        return 1.0 if self.gauge is None else self.gauge(y)

    @property
    def differentiable(self) -> list[int]:
        """The positions of the differentiable inputs."""
        op = self.op
        flows = [op.derived or op.shares is not None or op.rules[i] is not None for i in range(len(self.inputs))]
        return [i for i, domain in enumerate(self.domains) if flows[i] and not domain.boolean]

    @property
    def _in_another_form(self) -> bool:
        """Whether the public signature for any number of arrays differs from that of `forward`, as for einsum."""
        public: Any = registry[self.op.name]
        return bool(self.op.many) and not self.op.listed and public.__wrapped__ is not self.op.forward

    @property
    def domains(self) -> list[Domain]:
        """The domain of each input."""
        domain = self.op.domain
        return [domain[min(i, len(domain) - 1)] for i in range(len(self.inputs))]


def check_call(call: OpCall, order: int = 1, mode: Mode = "screen") -> None:
    """Check the gradients of one call of an op, or with order=2 those of its gradients, against its values; see `check_vjp`.

    Raises GradientError if one is wrong.
    """
    given = [call.inputs[i] for i in call.differentiable]
    weights = np.random.default_rng(0).choice([-1.5, -0.5, 0.75, 1.25], np.shape(call(*call.inputs)))[()]

    def result(*xs: Any) -> Any:
        return call.unique(call(*call.with_inputs(xs)))

    def first(g: Any, *xs: Any) -> tuple[Any, ...]:
        return tuple([v.grad for v in call.backward(call.with_inputs(xs), g)])

    def second(directions: tuple[Any, ...], *xs: Any) -> tuple[Any, ...]:
        values = call.backward(call.with_inputs(xs), weights, create_graph=True)
        total: Any = 0.0
        for v, direction in zip(values, directions, strict=True):
            total = total + (v.grad * direction).sum()
            v.zero_grad()
        if total.requires_grad:  # else the gradient is constant
            total.backward()
        return tuple([ops.zeros_like(v) if v.grad is None else v.grad for v in values])

    with suppress(InconclusiveError):  # some points are hard on purpose
        if order == 1 and given:
            check_vjp(result, first, *given, mode=mode)
        elif given:
            check_vjp(lambda *xs: first(weights, *xs), second, *given, mode=mode)


def joined(y: Any) -> Any:
    """Several results flattened and joined, without integers such as a rank; a single result unchanged."""
    if not isinstance(y, (tuple, list)):
        return y
    rows = [ops.reshape(part, (-1,)) for part in y if not isinstance(part, (int, np.integer))]
    return ops.concatenate(rows) if any(isinstance(row, Node) for row in rows) else np.concatenate(rows)


@dataclass(frozen=True)
class Expression:
    """A random program: inputs, then steps that each apply an op to earlier results. The last result is the output.

    Calling it runs it, on Values as on arrays; its repr is Python code.
    """

    inputs: tuple[Any, ...]
    steps: tuple[tuple[str, tuple[int, ...]], ...]

    def __call__(self, *inputs: Any) -> Any:
        results = list(inputs)
        for name, places in self.steps:
            results.append(registry[name](*[results[i] for i in places]))
        return results[-1]

    def __repr__(self) -> str:
        n = len(self.inputs)
        lines = [f"v{i} = {code(x)}" for i, x in enumerate(self.inputs)]
        for i, (name, places) in enumerate(self.steps):
            lines.append(f"v{n + i} = {name}({', '.join(f'v{j}' for j in places)})")
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))
