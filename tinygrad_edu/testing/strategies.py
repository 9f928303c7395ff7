"""Hypothesis strategies for shapes, arrays, calls of ops, and whole expressions. Needs the `hypothesis` package.

Numbers are multiples of 1/8, at least 1/4 away from the ends and kinks of their domain: short in a counterexample, and far
enough from every kink for a finite difference. `arrays` has options for hard numbers: ties, zeros, kinks, extremes.

Drawn calls print as executable code: see calls.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ..definition import registry
from ..domain import REAL, Domain, Sample, Shape
from ..op import Op
from ..signatures import Array
from .calls import ALL_LAYOUTS, LAYOUTS, Expression, Layout, OpCall, check_call, joined, laid_out

__all__ = [
    "ALL_LAYOUTS",
    "LAYOUTS",
    "Expression",
    "Layout",
    "OpCall",
    "arrays",
    "broadcastable",
    "check_call",
    "expressions",
    "fixed_calls",
    "joined",
    "laid_out",
    "op_calls",
    "points",
    "shapes",
    "special_points",
]

_STEP, _MARGIN, _REACH = 1 / 8, 1 / 4, 3.0


def shapes(min_ndim: int = 0, max_ndim: int = 3, min_side: int = 0, max_side: int = 3) -> st.SearchStrategy[Shape]:
    """Shapes, including () and empty ones."""
    return hnp.array_shapes(min_dims=min_ndim, max_dims=max_ndim, min_side=min_side, max_side=max_side)


def broadcastable(count: int, max_ndim: int = 3, min_side: int = 0) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Tuples of `count` shapes that broadcast with each other."""
    together = hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=max_ndim, min_side=min_side, max_side=3)
    return together.map(lambda drawn: drawn.input_shapes)


def points(domain: Domain) -> list[float]:
    """The numbers to draw from a domain, those nearest to 0 first."""
    low, high = max(domain.low, -_REACH), min(domain.high, _REACH)
    grid = np.arange(low + _MARGIN, high - _MARGIN + _STEP / 2, _STEP)
    smooth = [x for x in grid.tolist() if all(abs(x - kink) >= _MARGIN for kink in domain.kinks)]
    return sorted(smooth, key=lambda x: (abs(x), x < 0))


def arrays(
    domain: Domain = REAL,
    shape: Shape | st.SearchStrategy[Shape] = (),
    dtype: Any = float,
    *,
    ties: bool = False,
    zeros: bool = False,
    kinks: bool = False,
    extremes: bool = False,
    layouts: Sequence[Layout] = LAYOUTS,
) -> st.SearchStrategy[Any]:
    """Arrays of a shape from a domain, in several memory layouts; a Python float (or NumPy scalar) for the shape ().

    Each option adds such numbers to every array that has room for them, and shrinks to the fewest and simplest.

    Args:
        domain: the domain of the numbers; a boolean domain gives booleans, unaffected by the options.
        shape: a shape or a strategy of shapes.
        dtype: a floating-point dtype.
        ties: at least two equal numbers, even if the domain requires distinct ones.
        zeros: 0.0 or -0.0, if the domain contains 0 or ends there.
        kinks: the kinks of the domain, and numbers 1e-3 beside them.
        extremes: the largest and smallest numbers of the dtype in the domain, and numbers within 2 ε of its ends.
        layouts: memory layouts to choose from; `ALL_LAYOUTS` includes negative strides and windows of larger arrays.
    """
    if isinstance(shape, st.SearchStrategy):
        knobs: Any = {"ties": ties, "zeros": zeros, "kinks": kinks, "extremes": extremes, "layouts": layouts}
        return shape.flatmap(lambda drawn: arrays(domain, drawn, dtype, **knobs))
    numbers = _numbers(domain, shape)
    special = special_points(domain, dtype, zeros, kinks, extremes)
    size = int(np.prod(shape))
    if size and not domain.boolean and (special or ties):
        numbers = _with_special(numbers, special, ties and size > 1)
    return st.tuples(numbers, st.sampled_from(layouts)).map(lambda drawn: laid_out(drawn[0], drawn[1], domain, dtype))


def special_points(domain: Domain, dtype: Any, zeros: bool, kinks: bool, extremes: bool) -> list[float]:
    """The numbers that the options of `arrays` add, in the dtype."""
    found: list[float] = []
    if zeros and domain.low <= 0 <= domain.high:
        found += [0.0, -0.0]
    if kinks:
        found += [kink + beside for kink in domain.kinks for beside in (0.0, 1e-3, -1e-3)]
    if extremes:
        info = np.finfo(dtype)
        sizes = [float(x) for x in (info.tiny, info.smallest_subnormal, np.sqrt(info.max), info.max)]
        ends = [end * (1 + side * 2 * float(info.eps)) for end in (domain.low, domain.high) for side in (1, -1)]
        found += [x for size in sizes for x in (size, -size) if domain.low < x < domain.high]
        found += [end for end in ends if np.isfinite(end) and domain.low < end < domain.high]
    return [float(np.asarray(x, dtype)) for x in found]


@st.composite
def _with_special(draw: st.DrawFn, numbers: st.SearchStrategy[Array], special: list[float], ties: bool) -> Array:
    """Arrays with at least one special number, and two equal numbers for ties."""
    x = np.array(draw(numbers), float)
    flat = x.reshape(-1)
    place = draw(st.integers(0, flat.size - 1))
    if special:
        flat[place] = draw(st.sampled_from(special))
        for i in draw(st.lists(st.integers(0, flat.size - 1), max_size=flat.size, unique=True)):
            flat[i] = draw(st.sampled_from(special))
    if ties:
        other = draw(st.integers(0, flat.size - 2))
        flat[other + (other >= place)] = flat[place]
    return x


def _numbers(domain: Domain, shape: Shape) -> st.SearchStrategy[Array]:
    if domain.boolean:
        return hnp.arrays(bool, shape)
    if domain.distinct:
        return st.integers(0, 2**32 - 1).map(lambda seed: _distinct(np.random.default_rng(seed), shape))
    return hnp.arrays(float, shape, elements=st.sampled_from(points(domain)))


def _distinct(rng: np.random.Generator, shape: Shape) -> Array:
    """Distinct numbers, 1/8 apart."""
    count = int(np.prod(shape))
    return ((rng.permutation(count) - count // 2) * _STEP).reshape(shape)


@st.composite
def op_calls(draw: st.DrawFn, op: Op, dtype: Any = float, min_side: int = 0) -> OpCall:
    """Calls of an op with inputs from its domain: broadcasting shapes if elementwise, else its samples."""
    if op.samples is None:
        sample = Sample(draw(broadcastable(len(op.arrays), min_side=min_side)), {})
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
    return OpCall(op, tuple(inputs), sample.params, sample.keywords, sample.gauge, sample.within)


def fixed_calls(op: Op, count: int, min_side: int = 0) -> list[OpCall]:
    """A fixed list of `count` calls of an op."""
    found: list[OpCall] = []
    every = list(HealthCheck)

    @settings(max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=every)
    @given(op_calls(op, min_side=min_side))
    def collect(call: OpCall) -> None:
        found.append(call)

    collect()
    return found


@st.composite
def expressions(
    draw: st.DrawFn, max_steps: int = 12, max_inputs: int = 3, ops: Sequence[str] | None = None
) -> Expression:
    """Random smooth expressions of elementwise ops with sharing and broadcasting, whose results stay within ±50.

    Args:
        max_steps, max_inputs: of the expression.
        ops: names of the ops to choose from; all smooth ones if not given.
    """
    count = draw(st.integers(1, max_inputs))
    inputs = [draw(arrays(REAL, shape)) for shape in draw(broadcastable(count, max_ndim=2, min_side=1))]
    smooth = [
        f.op
        for f in registry.values()
        if f.op.elementwise and not f.op.derived and set(f.op.domain) == {REAL} and all(f.op.rules)
    ]
    smooth = smooth if ops is None else [registry[name].op for name in ops]
    results: list[Any] = list(inputs)
    steps = []
    for _ in range(draw(st.integers(1, max_steps))):
        name, places, y = draw(_steps(smooth, results))
        steps.append((name, places))
        results.append(y)
    return Expression(tuple(inputs), tuple(steps))


@st.composite
def _steps(draw: st.DrawFn, choice: list[Op], results: list[Any]) -> tuple[str, tuple[int, ...], Any]:
    """One op on earlier results, and its result; drawn as a unit, so that shrinking can remove it as a unit."""
    op = draw(st.sampled_from(choice))
    places = tuple([draw(st.integers(0, len(results) - 1)) for _ in op.arrays])
    y = registry[op.name](*[results[i] for i in places])
    if np.max(np.abs(y)) > 50:
        op, places = registry["tanh"].op, places[:1]
        y = registry["tanh"](results[places[0]])
    return op.name, places, y
