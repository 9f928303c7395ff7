"""Bytes that one recorded scalar multiplication takes after the forward pass, as tracemalloc counts them.

A chain of 10,000 products of two Values, divided by 10,000: the node, its number, its references to its inputs, and whatever
else the engine keeps for backward. Engines that allocate outside Python (torch, JAX) are invisible to tracemalloc.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

from ..work import OURS, Job, Work, flat

NODES = 10_000


def _product(a: Any, b: Any, n: int) -> Any:
    for _ in range(n):
        a = a * b
    return a


def _counted(record: Callable[[int], Any], value: float) -> Job:
    def measure(turn: float) -> float:
        gc.collect()
        tracemalloc.start()
        graph = record(NODES)
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del graph
        return size / NODES

    return Job(flat(value), measure)


def _of_values(value: Callable[[float], Any]) -> Job:
    def record(n: int) -> Any:
        return _product(value(1.0), value(1.0001), n)

    return _counted(record, record(NODES).data)


def micrograd() -> Job:
    from micrograd.engine import Value

    return _of_values(Value)


def ours() -> Job:
    from tinygrad_edu import Value

    return _of_values(Value)


def mygrad() -> Job:
    from mygrad.tensor_base import tensor

    return _of_values(tensor)


def autograd() -> Job:
    import autograd

    def record(n: int) -> Any:
        return autograd.make_vjp(lambda ab: _product(ab[0], ab[1], n))((1.0, 1.0001))  # the vjp holds the graph

    _, value = record(NODES)
    return _counted(record, value)


MEMORY = Work(
    name="memory",
    title="memory of a scalar node",
    reference="micrograd",
    hold=200,
    jobs={"micrograd": micrograd, OURS: ours, "mygrad": mygrad, "autograd": autograd},
    unit="bytes",
    rounds=5,
)
