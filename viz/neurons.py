"""From a multilayer perceptron to a Drawing of its units: a column for each layer, and an arrow for each weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nn import Linear, Module, Perceptron, Sequential
from tinygrad_edu import TinygradError, Value, no_grad

from .drawing import Drawing, DrawnNode, Edge, Group, Kind
from .restore import left_as_it_was
from .text import number

MOST_UNITS = 12  # of a column that are drawn; of larger ones the first ten and the last
_FIRST = 10


@dataclass(slots=True)
class _Column:
    """The inputs, or the units of one layer.

    Args:
        title: the modules that make it.
        numbers: what the units put out, (units,).
        weight: (units, units of the column before); None for the inputs.
    """

    title: str
    numbers: Any
    weight: Any = None

    def rows(self) -> list[int | None]:
        """The units that are drawn, by number; None for all those between."""
        count = len(self.numbers)
        return [*range(count)] if count <= MOST_UNITS else [*range(_FIRST), None, count - 1]


def drawing_of_model(model: Module, inputs: Sequence[Any] = (), title: str | None = None) -> Drawing:
    """Draw the units of linear layers in a row: weights as the width and colour of arrows, the units' values for one example.

    Args:
        model: a Sequential of Linear (or Perceptron) layers, with activations and others without parameters between.
        inputs: what to call it with; of several examples the first one is shown. () leaves the values out.
        title: stands above the picture.

    Raises:
        TinygradError: if a part of the model is no column of units.
        ShapeError: if the inputs do not fit.
    """
    with left_as_it_was(model, recorded=False), no_grad():
        columns = _columns(model, _example(model, inputs))
    finite = [np.abs(column.weight[np.isfinite(column.weight)]) for column in columns[1:]]
    scale = max(float(np.max(weights, initial=0)) for weights in finite) or 1.0
    rows = [column.rows() for column in columns]
    starts = np.cumsum([0, *map(len, rows)])
    nodes = [
        _unit(f"n{starts[c] + r}", _label(c, i, len(columns)), column, i, bool(inputs))
        for c, column in enumerate(columns)
        for r, i in enumerate(rows[c])
    ]
    edges = [edge for c in range(1, len(columns)) for edge in _edges(columns[c], rows, starts, c, scale)]
    groups = [
        Group(f"g{c}", column.title, tuple(f"n{starts[c] + r}" for r in range(len(rows[c]))))
        for c, column in enumerate(columns)
    ]
    sizes = ", ".join(str(len(column.numbers)) for column in columns)
    description = (
        f"Columns of {sizes} units, from the inputs on the left to the output on the right. An arrow is a weight: its width "
        f"the size, the largest being {number(scale)}, its colour the sign. Biases are not drawn."
    )
    hidden = sum(node.count for node in nodes if node.kind is Kind.FOLD)
    folded = f"{hidden:,} units are not drawn, of columns with more than {MOST_UNITS}" if hidden else ""
    shown = title
    if title is None:
        shown = f"{type(model).__name__}, {sizes} units; weights up to {number(scale)}, dashed if negative"
    return Drawing(shown or "", description, tuple(nodes), tuple(edges), tuple(groups), folded)


def _example(model: Module, inputs: Sequence[Any]) -> Any:
    """One example with an axis for the batch; zeros if there are no inputs."""
    if not inputs:
        linear = next((module for _, module in _in_a_row(model) if isinstance(module, (Linear, Perceptron))), None)
        return np.zeros((1, linear.weight.shape[1] if linear else 1))
    x = np.asarray(inputs[0].data if isinstance(inputs[0], Value) else inputs[0])
    return x[None] if x.ndim == 1 else x[:1]


def _columns(model: Module, x: Any) -> list[_Column]:
    """Run the example through the layers, one after the other."""
    columns: list[_Column] = []
    for path, module in _in_a_row(model):
        y = module(x)
        numbers = _numbers(y)
        name = f"{path}: {type(module).__name__}" if path else type(module).__name__
        if isinstance(module, (Linear, Perceptron)) and len(numbers) == module.weight.shape[0]:
            columns = columns or [_Column("inputs", _numbers(x))]
            columns.append(_Column(name, numbers, np.asarray(module.weight.data)))
        elif module.parameters() or len(numbers) != len(_numbers(x)) or next(module.children(), None):
            raise TinygradError(
                f"graph: detail='neurons' draws Linear layers in a row, with activations between; {name} is no column of units; "
                "use detail='layer'"
            )
        elif columns:
            columns[-1].numbers = numbers
            columns[-1].title += f", {type(module).__name__}"
        x = y
    if not columns:
        raise TinygradError(
            f"graph: detail='neurons' draws Linear layers, and {type(model).__name__} has none; use detail='layer'"
        )
    return columns


def _numbers(x: Any) -> Any:
    """All numbers of an array in one row; none of several arrays, such as a GRU returns."""
    return np.ravel(x.data if isinstance(x, Value) else [] if isinstance(x, tuple) else x)


def _in_a_row(model: Module) -> Iterator[tuple[str, Module]]:
    """The modules of nested Sequentials, in order, with their paths."""
    waiting = [("", model)]
    while waiting:
        path, module = waiting.pop()
        if isinstance(module, Sequential):
            inner = [(f"{path}.{i}" if path else f"{i}", child) for i, child in enumerate(module)]
            waiting += reversed(inner)
        else:
            yield path, module


def _label(column: int, unit: int | None, columns: int) -> str:
    """Inputs are x1, x2, ... and outputs y1, y2, ...; hidden units have no names."""
    letter = {0: "x", columns - 1: "y"}.get(column, "")
    return f"{letter}{unit + 1}" if letter and unit is not None else ""


def _unit(id: str, name: str, column: _Column, unit: int | None, with_value: bool) -> DrawnNode:
    if unit is None:
        more = len(column.numbers) - MOST_UNITS + 1
        return DrawnNode(id, Kind.FOLD, (), name=f"⋮ {more:,} more", count=more)
    x = column.numbers[unit]
    value = (number(x),) if with_value else ()
    return DrawnNode(id, Kind.UNIT, value, name=name, alarm=with_value and not np.isfinite(x))


def _edges(column: _Column, rows: list[list[int | None]], starts: Any, c: int, scale: float) -> Iterator[Edge]:
    """The weights between the units that are drawn; a hair holds a place for those that are not."""
    for r, i in enumerate(rows[c]):
        for q, j in enumerate(rows[c - 1]):
            if i is not None and j is not None:
                weight = float(column.weight[i, j])
                finite = bool(np.isfinite(weight))
                ends = f"n{starts[c - 1] + q}", f"n{starts[c] + r}"
                yield Edge(*ends, alarm=not finite, weight=weight / scale if finite else 0.0)
            elif i is None and (j is None or (None not in rows[c - 1] and q == len(rows[c - 1]) // 2)):
                yield Edge(f"n{starts[c - 1] + q}", f"n{starts[c] + r}", weight=0.0)
