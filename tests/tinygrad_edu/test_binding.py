"""From the arguments of a call to arrays and parameters; what help() shows."""

import inspect

import numpy as np
import pytest

import tinygrad_edu as te
from tinygrad_edu import DTypeError, GraphError, ShapeError, UnsupportedError, Value, linalg, no_grad, registry
from tinygrad_edu.binding import binder, listing, parameters_of


def example(a, b=2.0, /, axis=None, *, keep=True):
    return a, b, axis, keep


def of_many(*arrays, axis=0):
    return arrays, axis


def test_the_slash_marks_the_arrays():
    found = parameters_of(example)
    assert (found.arrays, found.many, found.options) == (("a", "b"), "", ("axis", "keep"))
    assert found.defaults == {"b": 2.0, "axis": None, "keep": True}
    assert parameters_of(of_many).names == ("*arrays", "axis")


@pytest.mark.parametrize(
    ("args", "kwargs", "inputs", "params"),
    [
        ((1, 3), {}, (1, 3), {"axis": None, "keep": True}),
        ((1,), {}, (1, 2.0), {"axis": None, "keep": True}),
        ((1, 3, 0), {"keep": False}, (1, 3), {"axis": 0, "keep": False}),
        ((), {"a": 1, "b": 5, "axis": 1}, (1, 5), {"axis": 1, "keep": True}),
        ((1,), {"axis": 1}, (1, 2.0), {"axis": 1, "keep": True}),
    ],
)
def test_bound(args, kwargs, inputs, params):
    assert binder(example)(*args, **kwargs) == (inputs, params)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "^a missing; it takes a, b, axis, keep$"),
        ((1,), {"axes": 1}, "^does not take axes=; it takes a, b, axis, keep$"),
        ((1, 2, 3, 4, 5), {}, "^does not take 4, 5; it takes"),
        ((1, 2, 0), {"axis": 1}, "^got axis twice; it takes"),
        ((1,), {"a": 1}, "^got a twice; it takes"),
    ],
)
def test_refused(args, kwargs, message):
    with pytest.raises(UnsupportedError, match=message):
        binder(example)(*args, **kwargs)


def test_arrays_given_as_one_list():
    split = listing(of_many)
    assert split([1, 2]) == ((1, 2), {"axis": 0})
    assert split((1,), 1) == ((1,), {"axis": 1})
    assert split(np.eye(2), axis=1)[1] == {"axis": 1}
    assert split(arrays=[1, 2], axis=1) == ((1, 2), {"axis": 1})
    with pytest.raises(ShapeError, match="got int, expected a list of arrays"):
        split(3)
    with pytest.raises(UnsupportedError, match="does not take 7; it takes arrays, axis"):
        split([1], 0, 7)


def test_arrays_passed_by_name():
    assert te.tanh(x=Value(0.0)).grad_fn is te.tanh.op
    assert te.multiply(Value(2.0), b=3.0).data == 6.0


@pytest.mark.parametrize(
    ("function", "shown"),
    [
        (te.clip, "(x, /, a_min=None, a_max=None, *, min=None, max=None)"),
        (te.sum, "(x, /, axis=None, keepdims=False)"),
        (te.tanh, "(x, /)"),
        (te.concatenate, "(arrays, axis=0)"),
        (te.hstack, "(arrays)"),
        (te.gradient, "(x, /, *spacing, axis=None, edge_order=1)"),
        (te.einsum, "(subscripts, *operands)"),
        (te.conv2d, "(x, weight, /, bias=None, stride=1, padding=0, dilation=1, groups=1)"),
        (te.cross, "(a, b, /, axisa=-1, axisb=-1, axisc=-1, axis=None)"),
        (te.at, "(x, index)"),
        (linalg.qr, "(x, /, mode='reduced')"),
    ],
)
def test_help_shows_the_signature_that_users_call(function, shown):
    signature = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    assert str(inspect.Signature(bare)) == shown
    assert inspect.getdoc(function)


def test_every_signature_can_be_called_with_its_arrays():
    for name, function in registry.items():
        taken = inspect.signature(function).parameters.values()
        assert not any(p.kind is p.VAR_KEYWORD for p in taken), name
        assert all(not p.name.startswith("_") for p in taken), name


# -- The slot and the property -----------------------------------------------------------------------------------------


def test_assigned_data_shares_memory_and_marks_the_leaf():
    w = Value(np.ones(3))
    loss = (w * w).sum()
    new = np.zeros(3)
    w.data = new
    assert w.data is new
    with pytest.raises(GraphError, match="was changed in place after"):
        loss.backward()
    (w * 2.0).sum().backward()
    assert w.grad.tolist() == [2.0, 2.0, 2.0]


def test_augmented_assignment_marks_the_leaf():
    w = Value(np.ones(3), name="w")
    loss = (w * w).sum()
    loss.backward()
    w.data -= 0.1 * w.grad
    with pytest.raises(GraphError, match=r"leaf 'w' of shape \(3,\) was changed in place"):
        loss.backward()


@pytest.mark.parametrize(
    ("leaf", "data", "error", "message"),
    [
        ([1.0, 2.0], np.array([1, 2]), DTypeError, "data: got an array of dtype int64"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], ShapeError, r"data: got shape \(3,\), expected \(2,\)"),
        ([1.0, 2.0], 1.0, ShapeError, r"data: got shape \(\), expected \(2,\)"),
        (1.0, [1.0], ShapeError, r"data: got shape \(1,\), expected \(\)"),
        (
            [1.0],
            np.ones(1, np.float32),
            DTypeError,
            r"data: got float32, expected float64; cast it with .astype\('float64'\)",
        ),
        (np.ones(1, np.float32), np.ones(1), DTypeError, "data: got float64, expected float32"),
        ([1.0], None, DTypeError, "data: got NoneType"),
        ([1.0], Value([1.0]), DTypeError, "data: got a Value"),
        (1.0, "1.0", DTypeError, "data: got str"),
        (1.0, 1j, DTypeError, "data: got complex"),
    ],
)
def test_invalid_data_is_refused(leaf, data, error, message):
    w = Value(leaf)
    before, tick = w.data, w.tick
    with pytest.raises(error, match=message):
        w.data = data
    assert w.data is before
    assert w.tick == tick


def test_data_of_a_computed_value_cannot_be_assigned():
    y = Value(1.0) * 2
    with pytest.raises(GraphError, match="data: this Value was computed by <op multiply>; only the data of leaves"):
        y.data = 3.0


@pytest.mark.parametrize(
    ("leaf", "data", "kind"),
    [
        (1.0, 2, float),
        (1.0, np.float64(2), float),
        (1.0, np.array(2.0), float),
        (Value(np.float32(1)).data, 2.0, np.float32),
        (np.ones(2, np.float32), [1, 2], np.ndarray),
    ],
)
def test_python_numbers_take_the_dtype_of_the_leaf(leaf, data, kind):
    w = Value(leaf)
    dtype = w.dtype
    w.data = data
    assert type(w.data) is kind
    assert w.dtype == dtype


def test_a_constant_may_hold_integers():
    x = Value(np.arange(3), requires_grad=False)
    x.data = np.array([5, 6, 7])
    assert x.data.tolist() == [5, 6, 7]
    with pytest.raises(DTypeError, match="data: got float64, expected int64"):
        x.data = [1.7, 2, 3]


def test_data_of_a_computed_value_is_a_read_only_view():
    w = Value(np.ones(3))
    v = w * w
    for array in (v.data, v.numpy()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5.0
    with pytest.raises((GraphError, ValueError)):
        v.data -= 1.0
    (v * v).sum().backward()
    assert w.grad.tolist() == [4.0, 4.0, 4.0]
    with no_grad():
        result = w * w
    result.data[0] = 5.0
    w.data[0] = 2.0


# -- Methods and names -------------------------------------------------------------------------------------------------

IN_PLACE_OR_MEMORY = {  # of ndarray: these change the array, or are about its memory or files
    *(
        "byteswap",
        "dump",
        "dumps",
        "fill",
        "getfield",
        "partition",
        "put",
        "resize",
        "setfield",
        "setflags",
        "to_device",
    ),
    *("tobytes", "tofile", "tostring", "view", "choose"),
}


def test_value_has_the_ndarray_methods_of_ops():
    missing = {name for name in dir(np.ndarray) if not name.startswith("_") and callable(getattr(np.ndarray, name))}
    assert {name for name in missing if not hasattr(Value, name)} <= IN_PLACE_OR_MEMORY


def test_value_has_the_elementwise_functions_of_one_array():
    x = Value(np.array([0.25, 0.5]))
    for name in ("tan", "arctan", "sinh", "log2", "exp2", "cbrt", "erf", "floor"):
        assert np.array_equal(getattr(x, name)().data, registry[name](x.data)), name
    assert (x > 0).all()
    assert x.any()
    assert x.compress([True, False]).tolist() == [0.25]
    assert x.nonzero()[0].tolist() == [0, 1]
    assert x.searchsorted(0.3) == 1


def test_removed_name_points_to_its_replacement():
    from pathlib import Path

    page = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
    for name in te._REMOVED:
        with pytest.raises(AttributeError, match=rf"tinygrad_edu\.{name} is not public since 0\.2; use "):
            getattr(te, name)
        with pytest.raises(ImportError, match=rf"tinygrad_edu\.{name} is not public since 0\.2; use "):
            exec(f"from tinygrad_edu import {name}")
        assert name in page.partition("### Breaking")[2].partition("## 0.1")[0]
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec("from tinygrad_edu import nothing")


def test_registry_does_not_shadow_the_definition_module():
    from tinygrad_edu import definition

    assert definition.registry is te.registry
    assert inspect.ismodule(definition)
