"""table: columns of numbers side by side, with sums, for a terminal and for notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_edu import DTypeError, ShapeError

from .arguments import refusing
from .plots.field import count
from .text import data_of, plain

if TYPE_CHECKING:
    from nn.tables import Table


@refusing()
def table(columns: Mapping[str, Any], *, totals: Sequence[str] = (), most: int = 20) -> Table:
    """Numbers in named columns, a row for each example: the table of a computation that a spreadsheet would make.

    Args:
        columns: numbers or words by name, (n,) each; also Values.
        totals: the columns whose sums a last row states.
        most: how many rows to show; of more, the first and the last ones.

    Returns:
        the Table: print() shows it, as the last line of a cell a notebook does; `.rows` are the texts.

    Raises:
        DTypeError: if columns are not given by name, or are neither real numbers nor words.
        ShapeError: if they are empty or differ in length, if totals name other columns, or most is below 2.

    >>> x = np.array([1.0, 2.0])
    >>> print(table({"x": x, "x²": x**2}, totals=["x²"]))  # doctest: +SKIP
    """
    if not isinstance(columns, Mapping) or not columns:
        raise DTypeError(f"table: got {columns!r:.60}, expected columns by name, {{'x': [1.0, 2.0], 'y': [0.5, 0.1]}}")
    rows_shown = count("table", "most", most)
    arrays = {str(name): _column(str(name), given) for name, given in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or not min(lengths.values()):
        raise ShapeError(f"table: got columns of lengths {lengths}, expected equal lengths of at least 1")
    unknown = [name for name in totals if name not in arrays or arrays[name].dtype.kind == "U"]
    if isinstance(totals, str) or unknown:
        raise ShapeError(f"table: got totals={totals!r:.60}, expected names of columns of numbers")
    texts = [_texts(array) for array in arrays.values()]
    rows = list(zip(*texts, strict=True))
    if len(rows) > rows_shown:
        rows = [*rows[: (rows_shown + 1) // 2], ("…",) * len(arrays), *rows[-(rows_shown // 2) :]]
    sums = [_texts(array.sum(keepdims=True))[0] if name in totals else "" for name, array in arrays.items()]
    from nn.tables import Table  # here, as drawing Values needs no networks

    numeric = [i for i, array in enumerate(arrays.values()) if array.dtype.kind != "U"]
    return Table([plain(name) for name in arrays], rows, footer=sums if totals else (), numeric=numeric)


def _column(name: str, given: Any) -> Any:
    try:
        array = np.asarray([data_of(x) for x in given] if isinstance(given, (list, tuple)) else data_of(given))
    except ValueError:
        raise DTypeError(
            f"table: column {name!r} is a {type(given).__name__} that is no array, expected numbers"
        ) from None
    if array.dtype.kind not in "biufU":
        raise DTypeError(f"table: column {name!r} is of {array.dtype}, expected real numbers or words")
    if array.ndim != 1:
        raise ShapeError(f"table: column {name!r} has shape {array.shape}, expected (n,)")
    return array


def _texts(array: Any) -> list[str]:
    """Numbers with as many decimals in each row, as far as five digits need them; words as they are."""
    if array.dtype.kind == "U":
        return [plain(str(word)) for word in array]
    if array.dtype.kind in "biu":
        return [str(number) for number in array]
    finite = np.isfinite(array)
    largest = np.max(np.abs(array[finite]), initial=0.0)
    if largest and not 1e-3 <= largest < 1e6:
        return [f"{number:.4g}" for number in array]
    decimals = max(0, 4 - max(0, int(np.floor(np.log10(largest))))) if largest else 0
    while decimals and np.all(np.round(array[finite], decimals) == np.round(array[finite], decimals - 1)):
        decimals -= 1
    return [f"{number:.{decimals}f}" for number in array]
