"""viz.table: columns of numbers as text, with sums."""

import numpy as np
import pytest

import viz
from tinygrad_edu import DTypeError, ShapeError, Value

X = np.array([1.0, 2.5, 3.0])


def test_rows_columns_and_sums():
    table = viz.table({"name": ["a", "b", "c"], "n": [1, 2, 3], "x": X, "x²": X**2}, totals=["n", "x²"])
    assert table.header == ["name", "n", "x", "x²"]
    assert table.rows == [("a", "1", "1.0", "1.00"), ("b", "2", "2.5", "6.25"), ("c", "3", "3.0", "9.00")]
    assert table.footer == ["", "6", "", "16.25"]
    assert table.numeric == [1, 2, 3]
    assert viz.table({"x": X}).footer == ()
    assert "16.25" in str(table)
    assert "<td" in table._repr_html_()


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([0.52, 0.0441], ["0.5200", "0.0441"]),
        ([1234.5678, -1.0], ["1234.6", "-1.0"]),
        ([1e-9, 2e-9], ["1e-09", "2e-09"]),
        ([1e9, 1.0], ["1e+09", "1"]),
        ([0.0, 0.0], ["0", "0"]),
        ([np.nan, np.inf, 0.5], ["nan", "inf", "0.5"]),
        ([True, False], ["True", "False"]),
        (Value([1.0, 2.0]), ["1", "2"]),
        ([Value(1.0), Value(2.5)], ["1.0", "2.5"]),
    ],
)
def test_numbers_of_a_column_have_as_many_decimals(numbers, texts):
    assert [row[0] for row in viz.table({"x": numbers}).rows] == texts


def test_of_many_rows_both_ends_are_shown():
    table = viz.table({"x": np.arange(100)}, most=4, totals=["x"])
    assert [row[0] for row in table.rows] == ["0", "1", "…", "98", "99"]
    assert table.footer == ["4950"]
    assert len(viz.table({"x": np.arange(5)}, most=5).rows) == 5
    assert [row[0] for row in viz.table({"x": np.arange(9)}, most=3).rows] == ["0", "1", "…", "8"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: viz.table([1.0]), DTypeError, r"table: got \[1.0\], expected columns by name"),
        (lambda: viz.table({}), DTypeError, "expected columns by name"),
        (
            lambda: viz.table({"x": [None]}),
            DTypeError,
            "table: column 'x' is of object, expected real numbers or words",
        ),
        (lambda: viz.table({"x": 1.0}), ShapeError, r"table: column 'x' has shape \(\), expected \(n,\)"),
        (lambda: viz.table({"x": [[1.0]]}), ShapeError, r"has shape \(1, 1\)"),
        (lambda: viz.table({"x": [[1.0], [1.0, 2.0]]}), DTypeError, "table: column 'x' is a list that is no array"),
        (lambda: viz.table({"x": [1.0], "y": [1.0, 2.0]}), ShapeError, "expected equal lengths"),
        (lambda: viz.table({"x": []}), ShapeError, "expected equal lengths of at least 1"),
        (lambda: viz.table({"x": X}, totals="x"), ShapeError, "table: got totals='x', expected names of columns"),
        (lambda: viz.table({"x": X}, totals=["y"]), ShapeError, r"got totals=\['y'\]"),
        (lambda: viz.table({"x": ["a"]}, totals=["x"]), ShapeError, "expected names of columns of numbers"),
        (lambda: viz.table({"x": X}, most=1), ShapeError, "table: got most=1, expected an integer from 2 on"),
        (lambda: viz.table({"x": X}, most="3"), ShapeError, "table: got most='3'"),
        (lambda: viz.table({"x": X}, total=["x"]), DTypeError, "table: "),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
