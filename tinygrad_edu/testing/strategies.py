"""Hypothesis strategies for shapes, arrays, calls of ops, and whole expressions. Needs the `hypothesis` package.

Numbers are multiples of 1/8 that stay 1/4 away from the ends and kinks of their domain: short in a counterexample, and far
enough from every kink for a finite difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .. import ops
from ..domain import REAL, Domain, Sample, Shape
from ..node import Node
from ..op import Op
from ..recording import apply
from ..registry import registry
from ..signatures import Array

_STEP, _MARGIN, _REACH = 1 / 8, 1 / 4, 3.0

Layout = Literal["C", "Fortran", "strided", "read-only"]
LAYOUTS: tuple[Layout, ...] = ("C", "Fortran", "strided", "read-only")


def shapes(min_ndim: int = 0, max_ndim: int = 3, min_side: int = 0, max_side: int = 3) -> st.SearchStrategy[Shape]:
    """Shapes, () and empty ones among them."""
    return hnp.array_shapes(min_dims=min_ndim, max_dims=max_ndim, min_side=min_side, max_side=max_side)


def broadcastable(count: int, max_ndim: int = 3, min_side: int = 0) -> st.SearchStrategy[tuple[Shape, ...]]:
    """So many shapes that broadcast with each other."""
    together = hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=max_ndim, min_side=min_side, max_side=3)
    return together.map(lambda drawn: drawn.input_shapes)


def points(domain: Domain) -> list[float]:
    """The numbers that are drawn from a domain, those nearest to 0 first."""
    low, high = max(domain.low, -_REACH), min(domain.high, _REACH)
    grid = np.arange(low + _MARGIN, high - _MARGIN + _STEP / 2, _STEP)
    smooth = [x for x in grid.tolist() if all(abs(x - kink) >= _MARGIN for kink in domain.kinks)]
    return sorted(smooth, key=lambda x: (abs(x), x < 0))


def arrays(
    domain: Domain = REAL, shape: Shape | st.SearchStrategy[Shape] = (), dtype: Any = float
) -> st.SearchStrategy[Any]:
    """Arrays of a shape from a domain, in every memory layout; a Python float (or NumPy scalar) for the shape ()."""
    if isinstance(shape, st.SearchStrategy):
        return shape.flatmap(lambda drawn: arrays(domain, drawn, dtype))
    numbers = _numbers(domain, shape)
    return st.tuples(numbers, st.sampled_from(LAYOUTS)).map(lambda drawn: laid_out(drawn[0], drawn[1], domain, dtype))


def _numbers(domain: Domain, shape: Shape) -> st.SearchStrategy[Array]:
    if domain.boolean:
        return hnp.arrays(bool, shape)
    if domain.distinct:
        return st.integers(0, 2**32 - 1).map(lambda seed: _distinct(np.random.default_rng(seed), shape))
    return hnp.arrays(float, shape, elements=st.sampled_from(points(domain)))


def _distinct(rng: np.random.Generator, shape: Shape) -> Array:
    """Numbers of which no two are equal, 1/8 apart."""
    count = int(np.prod(shape))
    return ((rng.permutation(count) - count // 2) * _STEP).reshape(shape)


def laid_out(numbers: Array, layout: Layout, domain: Domain = REAL, dtype: Any = float) -> Any:
    """The same numbers in a memory layout; as a scalar if there is no axis."""
    numbers = numbers if domain.boolean else numbers.astype(dtype)
    if not numbers.shape:
        return numbers.item() if dtype is float or domain.boolean else numbers[()]
    if layout == "Fortran":
        return np.asfortranarray(numbers)
    if layout == "strided":
        wide = np.repeat(numbers, 2, axis=-1)
        return wide[..., ::2]
    if layout == "read-only":
        numbers = numbers.copy()
        numbers.flags.writeable = False
    return numbers


@dataclass(frozen=True)
class OpCall:
    """One call of an op: calling it with other inputs of the same shapes keeps the parameters.

    Several results come joined into one row. The fields are those of a `Sample`, with inputs in place of their shapes.
    """

    op: Op
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    keywords: tuple[str, ...] = ()
    gauge: Callable[[Any], Any] | None = None

    def __repr__(self) -> str:
        args, kwargs = self.arguments(self.inputs)
        arguments = [repr(x) for x in args] + [f"{name}={value!r}" for name, value in kwargs.items()]
        return f"{self.op.name}({', '.join(arguments)})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def arguments(self, inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of the call by position, and those by name."""
        count = len(inputs) - len(self.keywords)
        return inputs[:count], dict(zip(self.keywords, inputs[count:], strict=True)) | self.params

    def __call__(self, *inputs: Any) -> Any:
        args, kwargs = self.arguments(inputs)
        if not self.op.variadic:
            return joined(registry[self.op.name](*args, **kwargs))
        return joined(self.op.forward(*args, **kwargs)) if self.op.derived else apply(self.op, inputs, self.params)

    def signs(self, y: Any) -> Any:
        """What the result y is to be multiplied by to be unique: 1, or an array of 1 and -1."""
        return 1.0 if self.gauge is None else self.gauge(y)

    @property
    def differentiable(self) -> list[int]:
        """The numbers of the inputs that gradient flows to."""
        rules = [None if d.boolean else d for d in self.domains]
        if not self.op.derived:
            rules = [r and self.op.rule(i) for i, r in enumerate(rules)]  # type: ignore[misc]
        return [i for i, r in enumerate(rules) if r is not None]

    @property
    def domains(self) -> list[Domain]:
        """The domain of each input."""
        domain = self.op.domain
        return [domain[min(i, len(domain) - 1)] for i in range(len(self.inputs))]


def joined(y: Any) -> Any:
    """Several results as one row, without integers such as a rank; a single one as it is."""
    if not isinstance(y, (tuple, list)):
        return y
    rows = [ops.reshape(part, (-1,)) for part in y if not isinstance(part, (int, np.integer))]
    return ops.concatenate(rows) if any(isinstance(row, Node) for row in rows) else np.concatenate(rows)


@st.composite
def op_calls(draw: st.DrawFn, op: Op, dtype: Any = float, min_side: int = 0) -> OpCall:
    """Calls of an op with inputs from its domain: broadcasting shapes if elementwise, else what its samples say."""
    if op.samples is None:
        sample = Sample(draw(broadcastable(len(op.domain), min_side=min_side)), {})
    else:
        samples = list(op.samples(draw(shapes(min_side=min_side))))
        assume(samples)
        sample = draw(st.sampled_from(samples))
    wanted = sample.shapes
    domains = [op.domain[min(i, len(op.domain) - 1)] for i in range(len(wanted))]
    if any(d.distinct for d in domains):  # distinct among all inputs
        seed = draw(st.integers(0, 2**32 - 1))
        parts = _distinct(np.random.default_rng(seed), (sum(int(np.prod(s)) for s in wanted),))
        ends = np.cumsum([int(np.prod(s)) for s in wanted])[:-1]
        numbers = [part.reshape(s) for part, s in zip(np.split(parts, ends), wanted, strict=True)]
    else:
        numbers = [draw(_numbers(d, s)) for d, s in zip(domains, wanted, strict=True)]
    if sample.prepare is not None:
        numbers = list(sample.prepare(*numbers))
    inputs = [
        laid_out(x, draw(st.sampled_from(LAYOUTS)), domain, dtype) for x, domain in zip(numbers, domains, strict=True)
    ]
    return OpCall(op, tuple(inputs), sample.params, sample.keywords, sample.gauge)


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
        lines = [f"v{i} = {np.array(x).tolist()!r}" for i, x in enumerate(self.inputs)]
        for i, (name, places) in enumerate(self.steps):
            lines.append(f"v{n + i} = {name}({', '.join(f'v{j}' for j in places)})")
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@st.composite
def expressions(draw: st.DrawFn, max_steps: int = 12, max_inputs: int = 3) -> Expression:
    """Random smooth expressions of elementwise ops with sharing and broadcasting, whose results stay within ±50."""
    count = draw(st.integers(1, max_inputs))
    inputs = [draw(arrays(REAL, shape)) for shape in draw(broadcastable(count, max_ndim=2, min_side=1))]
    smooth = [
        f.op
        for f in registry.values()
        if f.op.elementwise and not f.op.derived and set(f.op.domain) == {REAL} and all(f.op.rules)
    ]
    results: list[Any] = list(inputs)
    steps = []
    for _ in range(draw(st.integers(1, max_steps))):
        op = draw(st.sampled_from(smooth))
        places = tuple([draw(st.integers(0, len(results) - 1)) for _ in op.domain])
        y = registry[op.name](*[results[i] for i in places])
        if np.max(np.abs(y)) > 50:
            op, places = registry["tanh"].op, places[:1]
            y = registry["tanh"](results[places[0]])
        steps.append((op.name, places))
        results.append(y)
    return Expression(tuple(inputs), tuple(steps))
