"""From a multilayer perceptron to a Drawing of its units: a column for each layer, and a line for each weight.

Small nets show every number: weights on the lines, outputs and biases in the circles, gradients beside them. Of large ones the
strongest weights are drawn, and the units between which they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from nn import Linear, Module, Perceptron
from nn.calls import Call, is_array, left_as_it_was, reading
from tinygrad_edu import DTypeError, TinygradError, Value, no_grad

from ..drawing import Drawing, DrawnNode, Edge, Group, Kind
from ..magnitudes import magnitude
from ..magnitudes import scale as legend
from ..reading.models import as_arrays, named_inputs
from ..reading.names import symbol
from ..reading.origins import arisen, is_finite, what
from ..text import data_of, many, number, statistics

MOST_UNITS = 12  # of a column that are drawn
MOST_WEIGHTS = 40  # between two columns
MOST_NUMBERS = 16  # weights between two columns that have room for their numbers


@dataclass(slots=True)
class _Column:
    """The inputs, or the units of one layer.

    Args:
        title: the modules that make it.
        numbers: what the units put out, (units,).
        weight, bias: of the layer, (units, units of the column before) and (units,); None for the inputs, and no bias.
        rows: the units that are drawn, by number; None for all others.
    """

    title: str
    numbers: Any
    weight: Value | None = None
    bias: Value | None = None
    rows: Sequence[int | None] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    def units(self) -> list[int]:
        """Those that are drawn."""
        return [i for i in self.rows if i is not None]


def drawing_of_model(
    model: Module,
    inputs: Sequence[Any] = (),
    names: Mapping[str, Any] | None = None,
    title: str | None = None,
    magnitudes: bool = False,
    row: int | None = None,
    symbols: bool = False,
) -> Drawing:
    """Draw the units of linear layers in a row: weights as the width and colour of lines, the units' values for one example.

    Args:
        model: calls Linear (or Perceptron) layers in a row, with activations and others without parameters between.
        inputs: what to call it with. () leaves the values out.
        names: what the inputs are called.
        title: stands above the picture.
        magnitudes: whether units carry the size of the gradients of their weights and bias, for the colour scale.
        row: the example that is shown, of several; None for the first.
        symbols: whether units, weights and biases are called a²₁, w²₁₃ and b²₁, weights and biases in place of their numbers.

    Raises:
        TinygradError: if a part of the model is no column of units.
        ShapeError: if the inputs do not fit.
        DTypeError: for a row that is not there.
    """
    x, rows = _example(model, inputs, row)
    columns = _columns(model, x)
    _choose(columns)
    weights = [_sizes(column.weight) for column in columns[1:]]
    scale = max(float(np.max(w[np.isfinite(w)], initial=0)) for w in weights) or 1.0
    shown = [_strongest(columns[c - 1], columns[c]) for c in range(1, len(columns))]
    is_small = all(len(a) * len(b) <= MOST_NUMBERS for a, b in pairwise(columns))
    noted = "" if not is_small else "symbols" if symbols else "numbers"
    starts = np.cumsum([0, *(len(column.rows) for column in columns)])
    letter = next((name for name, _ in named_inputs(model.forward, as_arrays(inputs), names or {})), "x")
    letter = "" if symbols else letter
    nodes = [
        _unit(f"n{starts[c] + r}", _name(columns, c, i, letter), columns[: c + 1], i, bool(inputs), noted, magnitudes)
        for c, column in enumerate(columns)
        for r, i in enumerate(column.rows)
    ]
    edges = [edge for c in range(1, len(columns)) for edge in _edges(columns, starts, c, scale, shown[c - 1], noted)]
    groups = [
        Group(f"g{c}", column.title, tuple(f"n{starts[c] + r}" for r in range(len(column.rows))))
        for c, column in enumerate(columns)
    ]
    sizes, has_gradients = ", ".join(str(len(column)) for column in columns), any(map(_gradients, columns))
    lines = (*_lines(scale, rows, row or 0, noted, has_gradients, magnitudes), *_begins(nodes))
    folded = _folded(columns, sum(map(len, shown)))
    description = (
        f"Columns of {sizes} units, from the inputs on the left to the output on the right. {' '.join(lines)} "
        + f"{legend(nodes)} "
        + "; ".join(_in_words(node) for node in nodes if is_small)
    ).strip()
    if title is None:
        title = f"{type(model).__name__}, {sizes} units"
    return Drawing(title, description, tuple(nodes), tuple(edges), tuple(groups), folded, lines=lines)


def _lines(scale: float, rows: int, row: int, noted: str, has_gradients: bool, magnitudes: bool) -> Iterator[str]:
    """How to read the picture."""
    yield f"A line is a weight: wider if larger, up to {number(scale)}, orange and dashed if negative."
    if rows > 1:
        yield f"Values of row {row} of {rows:,}."
    if noted == "symbols":
        yield "a²₁ is unit 1 of layer 2 and b²₁ its bias; w²₁₃ is its weight for unit 3 of layer 1."
        noted = ""
    if noted or magnitudes:
        what = "∂ is the gradient that the last backward() left, of the whole batch." * bool(noted)
        yield " ".join(["b is a bias."] * bool(noted) + [what if has_gradients else "No gradient yet."]).strip()


def _begins(nodes: Sequence[DrawnNode]) -> Iterator[str]:
    """Where NaN and infinity begin, as "NaN arises here: h2 and 3 more."; circles have no room for it."""
    for origin in dict.fromkeys(node.origin for node in nodes if node.origin):
        first, *others = [node.name for node in nodes if node.origin == origin]
        yield f"{origin}: {first}{f' and {len(others):,} more' if others else ''}."


def _folded(columns: Sequence[_Column], drawn: int) -> str:
    """How much of the model is drawn; "" if all of it is."""
    units = sum(len(column.units()) for column in columns), sum(map(len, columns))
    weights = sum(column.weight.size for column in columns if column.weight is not None)
    told = [f"{units[0]} of {many(units[1], 'unit')}"] if units[0] < units[1] else []
    told += [f"{drawn:,} of {many(weights, 'weight')}"] if drawn < weights else []
    return f"{' and '.join(told)}: of each layer the strongest" if told else ""


def _in_words(node: DrawnNode) -> str:
    gradient = f", gradient {node.gradient[0]}" if node.gradient else ""
    return f"{node.name} {' '.join(node.value)} {node.params}".strip() + gradient


def _example(model: Module, inputs: Sequence[Any], row: int | None) -> tuple[Any, int]:
    """One example with an axis for the batch, and of how many it is; zeros if there are no inputs.

    Raises DTypeError for a row that is not there.
    """
    if not inputs:
        linear = next((module for _, module in model.named_modules() if isinstance(module, (Linear, Perceptron))), None)
        x = np.zeros((1, linear.weight.shape[1] if linear else 1))
    else:
        x = np.atleast_1d(data_of(inputs[0]))
        x = x[None] if x.ndim == 1 else x
    if not len(x):
        raise DTypeError("graph: got inputs of no rows, expected at least one")
    if row is not None and not (isinstance(row, (int, np.integer)) and 0 <= row < len(x) and inputs):
        told = f"expected 0 to {len(x) - 1} for inputs of {many(len(x), 'row')}" if inputs else "and no inputs"
        raise DTypeError(f"graph: got row={row!r}, {told}")
    return x[row or 0][None], len(x)


def _columns(model: Module, x: Any) -> list[_Column]:
    """The columns of one run on an example, from the calls that were made one after the other."""
    with left_as_it_was(model), no_grad(), reading(model) as run:
        model(x)
    columns: list[_Column] = []
    for call in _in_a_row(run.inside[0]):
        module, given, numbers = call.module, _numbers(_first(call.inputs)), _numbers(call.output)
        assert module is not None
        name = f"{call.path}: {type(module).__name__}" if call.path else type(module).__name__
        if isinstance(module, (Linear, Perceptron)) and len(numbers) == module.weight.shape[0]:
            columns = columns or [_Column("inputs", _numbers(x))]
            columns.append(_Column(name, numbers, module.weight, module.bias))
        elif module.parameters() or len(numbers) != len(given) or call.inside:
            raise TinygradError(
                f"graph: detail='neurons' draws Linear layers in a row, with activations between; {name} is no column of units; "
                "use detail='layer'"
            )
        elif columns:
            columns[-1].numbers = numbers
            columns[-1].title += f", {type(module).__name__}"
    if not columns:
        raise TinygradError(
            f"graph: detail='neurons' draws Linear layers, and {type(model).__name__} has none; use detail='layer'"
        )
    return columns


def _in_a_row(call: Call) -> Iterator[Call]:
    """The calls inside a call, in place of those that only hand on what calls inside return."""
    waiting = [call]
    while waiting:
        call = waiting.pop()
        made = [_first(call.inputs), *(inner.output for inner in call.inside)]
        taken = [*(_first(inner.inputs) for inner in call.inside), call.output]
        if call.inside and all(a is b for a, b in zip(made, taken, strict=True)):
            waiting += reversed(call.inside)
        else:
            yield call


def _first(inputs: tuple[Any, ...]) -> Any:
    return inputs[0] if inputs else None


def _numbers(x: Any) -> Any:
    """All numbers of an array in one row; none of several arrays, such as a GRU returns."""
    return np.ravel(data_of(x)) if is_array(x) else np.empty(0)


def _sizes(weight: Value | None) -> Any:
    """|weights|, NaN as the largest of all, so that it is drawn."""
    return np.nan_to_num(np.abs(np.asarray(data_of(weight))), nan=np.inf, posinf=np.inf)


def _choose(columns: Sequence[_Column]) -> None:
    """Which units are drawn: all of a short column, else those with the largest weight to a unit drawn in the next column.

    Of the outputs, which lead nowhere, those with the largest weight of all.
    """
    for c in reversed(range(len(columns))):
        column = columns[c]
        count = len(column)
        if count <= MOST_UNITS:
            column.rows = range(count)
            continue
        if c + 1 < len(columns):
            after = columns[c + 1]
            strength = _sizes(after.weight)[after.units()].max(axis=0)
        else:
            strength = _sizes(column.weight).max(axis=1)
        chosen = np.sort(np.argsort(-strength, kind="stable")[: MOST_UNITS - 1])
        column.rows = [*map(int, chosen), None]


def _strongest(before: _Column, column: _Column) -> set[tuple[int, int]]:
    """The weights that are drawn between two columns, by their place in the matrix."""
    places = [(i, j) for i in column.units() for j in before.units()]
    sizes = _sizes(column.weight)
    return set(sorted(places, key=lambda place: -sizes[place])[:MOST_WEIGHTS])


def _name(columns: Sequence[_Column], column: int, unit: int | None, letter: str) -> str:
    """Inputs are x1, x2, ..., outputs y1, y2, ..., and hidden units h1, h2, ...; without a letter, of layer 2 a²₁, a²₂, ..."""
    if unit is None:
        return f"⋮ {len(columns[column]) - MOST_UNITS + 1:,} more"
    if not letter:
        return symbol("a", column, unit + 1)
    return f"{letter if column == 0 else 'y' if column == len(columns) - 1 else 'h'}{unit + 1}"


def _gradients(column: _Column, unit: int | None = None) -> list[Any]:
    """The gradients of a column's weights and bias, or those of one unit."""
    found = [p.grad for p in (column.weight, column.bias) if p is not None and p.grad is not None]
    return [np.asarray(data_of(g)) if unit is None else np.asarray(data_of(g))[unit] for g in found]


def _unit(
    id: str, name: str, columns: Sequence[_Column], unit: int | None, with_value: bool, noted: str, magnitudes: bool
) -> DrawnNode:
    """The node for a unit of the last of these columns; of None for those that are not drawn."""
    column = columns[-1]
    if unit is None:
        return DrawnNode(id, Kind.FOLD, (), name=name, count=len(column) - MOST_UNITS + 1)
    x, bias, params = column.numbers[unit], column.bias if noted else None, ""
    if bias is not None:
        params = f"b {number(bias.data[unit])}" if noted == "numbers" else symbol("b", len(columns) - 1, unit + 1)
    slope = None if bias is None or noted == "symbols" else bias.grad
    size = magnitude(statistics(_gradients(column, unit))[-2:]) if magnitudes else None
    return DrawnNode(
        id,
        Kind.UNIT,
        (number(x),) if with_value else (),
        name=name,
        params=params,
        gradient=() if slope is None else (number(data_of(slope)[unit]),),
        alarm=with_value and not np.isfinite(x),
        magnitude=size,
        origin=_origin(columns, unit) if with_value else "",
    )


def _origin(columns: Sequence[_Column], unit: int) -> str:
    """What begins in a unit of the last of these columns, as "NaN arises here"; "" if nothing does."""
    column, value = columns[-1], columns[-1].numbers[unit]
    if is_finite(value):
        return ""
    if column.weight is None:
        return f"{what([value])} comes in here"
    given = columns[-2].numbers
    own = [np.asarray(p.data)[unit] for p in (column.weight, column.bias) if p is not None]
    if is_finite(given) and not all(map(is_finite, own)):
        return f"{what(own)} comes in by a parameter"
    return arisen([value], [given, *own])


def _edges(
    columns: Sequence[_Column], starts: Any, c: int, scale: float, shown: set[tuple[int, int]], noted: str
) -> Iterator[Edge]:
    """The weights between the units that are drawn; a hair holds a place for those that are not."""
    before, column = columns[c - 1], columns[c]
    assert column.weight is not None
    data, grad = np.asarray(column.weight.data), column.weight.grad
    for r, i in enumerate(column.rows):
        for q, j in enumerate(before.rows):
            ends = f"n{starts[c - 1] + q}", f"n{starts[c] + r}"
            if i is not None and j is not None and (i, j) in shown:
                weight = float(data[i, j])
                finite = bool(np.isfinite(weight))
                label = number(data[i, j]) if noted == "numbers" else symbol("w", c, i + 1, j + 1) if noted else ""
                slope = number(data_of(grad)[i, j]) if noted == "numbers" and grad is not None else ""
                yield Edge(*ends, label, slope, alarm=not finite, weight=weight / scale if finite else 0.0)
            elif i is None and (j is None or (None not in before.rows and q == len(before.rows) // 2)):
                yield Edge(*ends, weight=0.0)
