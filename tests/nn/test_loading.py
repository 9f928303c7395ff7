"""Loading is all or nothing: states of models, optimisers and schedules, and files, that do not fit change nothing."""

import json
import re
import struct
import warnings
from itertools import product

import numpy as np
import pytest

import nn
from nn.optim import LBFGS, SGD, Adam
from nn.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value


class Net(nn.Module):
    def __init__(self, dtype=np.float32):
        self.w = Value(np.ones(3, dtype))
        self.scale = Value(np.ones(2, dtype)[0])
        self.count = np.array(3)
        self.byte = np.array([1, 2], np.uint8)
        self.mask = np.array([True, False])


class Holder(nn.Module):
    def __init__(self, x):
        self.x = x


def state(**changed):
    return {
        "w": np.arange(3.0),
        "scale": 2.0,
        "count": 5,
        "byte": np.array([3, 4], np.uint8),
        "mask": [False, True],
    } | changed


def unchanged(model, before):
    after = model.state_dict()
    return list(before) == list(after) and all(np.array_equal(before[k], after[k]) for k in before)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"w": [1.0, 1e300, 2.0]}, r"w has 1e\+300, which overflows float32"),
        ({"w": np.array([0, 2**70, 1], object)}, "w is of object, expected real numbers"),
        ({"w": np.ones(3, complex)}, "w is of complex128, expected real numbers"),
        ({"scale": -1e39}, r"scale has -1e\+39, which overflows float32"),
        ({"count": 2.5}, "count is of float64, expected a type that int64 holds"),
        ({"count": 2.0}, "count is of float64, expected a type that int64 holds"),
        ({"count": np.uint64(2**63)}, "count has 9223372036854775808, which overflows int64"),
        ({"byte": np.array([1, 256], np.uint16)}, "byte has 256, which overflows uint8"),
        ({"mask": [0, 1]}, "mask is of int64, expected a type that bool holds"),
    ],
)
def test_casts_that_overflow_or_truncate_are_refused_and_change_nothing(changed, message):
    model = Net()
    before = model.state_dict()
    with pytest.raises(DTypeError, match=f"^load_state_dict: {message}"):
        model.load_state_dict(state(**changed))
    assert unchanged(model, before)


def test_casts_agree_with_numpy_wherever_they_are_allowed():
    rng = np.random.default_rng(0)
    kinds = [np.dtype(kind) for kind in "?bBhHiIqQefdF"]
    allowed = 0
    for source, target in product(kinds, kinds[:-1]):
        with np.errstate(all="ignore"):
            numbers = (rng.standard_normal(50) * 10.0 ** rng.integers(-9, 30, 50)).astype(source)
        for x in [*numbers, np.zeros((), source)[()]]:
            model = Holder(np.zeros(1, target))
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                cast = x.astype(target)
            try:
                model.load_state_dict({"x": np.array([x])})
            except DTypeError:
                assert model.x[0] == 0
                assert not np.can_cast(source, target)  # what NumPy holds safe is never refused
                if target.kind == "f" and source.kind != "c":
                    assert np.isinf(cast)
                elif source.kind == target.kind:
                    assert cast != x
            else:
                allowed += 1
                assert model.x[0] == cast or np.isnan(cast)
                assert source.kind != "c"
                assert target.kind == "f" or cast == x
                assert np.isfinite(model.x[0]) or not np.isfinite(x)
    assert allowed > 2000


def test_rounding_nan_and_infinity_load():
    model = Net()
    model.load_state_dict(state(w=np.array([0.1, np.nan, -np.inf])))
    assert np.array_equal(model.w.data, np.array([0.1, np.nan, -np.inf], np.float32), equal_nan=True)
    assert (model.scale.item(), model.count, model.byte.tolist(), model.mask.tolist()) == (
        2.0,
        5,
        [3, 4],
        [False, True],
    )


def test_faults_of_the_last_entry_leave_the_first_as_it_was():
    model = Net()
    before = model.state_dict()
    for wrong in ({"w": np.ones(4)}, {"mask": [True]}, {"extra": 1.0}):
        with pytest.raises(ShapeError, match="build the model as it was"):
            model.load_state_dict(state(**wrong))
    fixed = np.ones(3, np.float32)
    fixed.flags.writeable = False
    model.w.data = fixed
    with pytest.raises(ShapeError, match="w of the model is read-only"):
        model.load_state_dict(state(scale=7.0))
    assert unchanged(model, before)


def test_a_state_that_shares_memory_with_the_model_is_read_before_it_is_written():
    model = nn.Sequential(nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1))
    one, two = model[0].weight.data.copy(), model[1].weight.data.copy()
    swapped = model.state_dict() | {"0.weight": model[1].weight.data, "1.weight": model[0].weight}
    model.load_state_dict(swapped)
    assert np.array_equal(model[0].weight.data, two)
    assert np.array_equal(model[1].weight.data, one)


def test_a_shared_parameter_comes_under_any_of_its_paths_and_may_not_differ():
    shared = nn.Linear(2, 2, rng=0)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    other = nn.Linear(2, 2, rng=1).state_dict()
    first, second = ({f"{i}.{key}": x for key, x in other.items()} for i in (0, 2))
    before = model.state_dict()
    with pytest.raises(ShapeError, match=r"2.weight differs from 0.weight, which is the same parameter"):
        model.load_state_dict(first | second | {"2.weight": np.ones((2, 2))})
    with pytest.raises(ShapeError, match=r"2.weight has shape \(2, 1\)"):
        model.load_state_dict(first | second | {"2.weight": np.ones((2, 1))})
    with pytest.raises(ShapeError, match="missing 0.bias"):
        model.load_state_dict({"2.weight": other["weight"]})
    assert unchanged(model, before)
    model.load_state_dict(second)
    assert np.array_equal(shared.weight.data, other["weight"])
    model.load_state_dict(first | second | {"2.weight": np.full((2, 2), np.nan), "0.weight": np.full((2, 2), np.nan)})


def test_messages_are_short_and_hold_no_control_characters():
    hostile = {f"\x1b[31m{i}\u202e": 1.0 for i in range(1000)} | {3: 1.0, None: 2.0, "0." + "9" * 5000: 1.0}
    with pytest.raises(ShapeError) as caught:
        nn.Sequential(nn.Linear(1, 1)).load_state_dict(hostile)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 1000
    assert "and 985 more" in message


# -- Files ---------------------------------------------------------------------------------------------------------------


def file(tmp_path, entries, body=b"", cut=None):
    header = json.dumps(entries).encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes((struct.pack("<Q", len(header)) + header + body)[:cut])
    return path


def test_bfloat16_files_load_as_float32(tmp_path):
    numbers = np.array([[1.5, -0.0], [np.inf, 3e38]], np.float32)
    upper = (numbers.view(np.uint32) >> 16).astype("<u2")
    bias = np.array([0x7FC0, 0x0001], "<u2")  # NaN, and the smallest subnormal
    entries = {
        "weight": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]},
        "bias": {"dtype": "BF16", "shape": [2], "data_offsets": [8, 12]},
    }
    path = file(tmp_path, entries, upper.tobytes() + bias.tobytes())
    for dtype in (np.float32, np.float64):
        layer = nn.Linear(2, 2, dtype=dtype)
        nn.load(layer, path)
        assert np.array_equal(layer.weight.data, (upper.astype(np.uint32) << 16).view(np.float32))
        assert np.signbit(layer.weight.data[0, 1])
        assert np.isnan(layer.bias.data[0])
        assert layer.bias.data[1] == 2.0**-133


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2"])
def test_floats_of_8_bits_are_refused_by_name(tmp_path, kind):
    path = file(tmp_path, {"bias\x1b[31m": {"dtype": kind, "shape": [2], "data_offsets": [0, 2]}}, b"ab")
    with pytest.raises(DTypeError, match=f"has 'bias.*' of type {kind}, which NumPy does not have") as caught:
        nn.load(nn.Linear(2, 2), path)
    assert str(caught.value).isprintable()


ENTRY = {"dtype": "F64", "shape": [1, 1], "data_offsets": [0, 8]}
WRONG = {
    "nothing": (b"", "header too small"),
    "a header that is cut off": (struct.pack("<Q", 100) + b"{", "invalid header"),
    "a length of the header beyond memory": (struct.pack("<Q", 2**62) + b"{}", "header too large"),
    "no JSON": (struct.pack("<Q", 4) + b"\x1b[3m", ""),
    "a type with control characters": ({"weight": ENTRY | {"dtype": "\x1b[31m"}}, r"\\x1b\[31m"),
    "a shape beyond memory": ({"weight": ENTRY | {"shape": [2**40, 2**40]}}, ""),
    "a shape that is not the data's": ({"weight": ENTRY | {"shape": [2, 1]}}, ""),
    "offsets beyond the end": ({"weight": ENTRY | {"shape": [1000, 1], "data_offsets": [0, 8000]}}, ""),
    "overlapping offsets": ({"weight": ENTRY, "bias": ENTRY}, ""),
}


@pytest.mark.parametrize("shape", [[0, 2**63], [0] * 70, [0, 2**62, 8]])
def test_empty_arrays_of_shapes_that_numpy_does_not_have_are_refused(tmp_path, shape):
    path = file(tmp_path, {"weight": {"dtype": "F64", "shape": shape, "data_offsets": [0, 0]}}, b"")
    with pytest.raises(TinygradError, match="load: '.*' has 'weight' of a shape that is not one of NumPy"):
        nn.load(nn.Linear(1, 1), path)


@pytest.mark.parametrize("kind", WRONG)
def test_hostile_and_truncated_files_are_refused(tmp_path, kind):
    content, message = WRONG[kind]
    path = tmp_path / "w.safetensors"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        file(tmp_path, content, bytes(8))
    layer = nn.Linear(1, 1)
    before = layer.state_dict()
    with pytest.raises(
        TinygradError, match=f"load: '.*' is not a safetensors file, or is cut off .*{message}"
    ) as caught:
        nn.load(layer, path)
    assert str(caught.value).isprintable()
    assert unchanged(layer, before)


def test_a_file_cut_off_anywhere_is_refused(tmp_path):
    layer, path = nn.Linear(2, 2, rng=0), tmp_path / "w.safetensors"
    nn.save(layer, path)
    whole, other = path.read_bytes(), nn.Linear(2, 2, rng=1)
    before = other.state_dict()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(TinygradError, match="is not a safetensors file, or is cut off"):
            nn.load(other, path)
    assert unchanged(other, before)


def test_what_is_no_file_is_not_read(tmp_path):
    layer = nn.Linear(1, 1)
    with pytest.raises(FileNotFoundError, match=r"load: got '.*gone', but there is no such file"):
        nn.load(layer, tmp_path / "gone")
    with pytest.raises(IsADirectoryError, match="load: got .*, which is a folder"):
        nn.load(layer, tmp_path)
    with pytest.raises(FileExistsError, match="load: got '/dev/zero', which is a device"):
        nn.load(layer, "/dev/zero")
    with pytest.raises(TinygradError, match=r"load: got Linear as path, expected text"):
        nn.load(layer, layer)
    with pytest.raises(TinygradError, match=r"expected load\(model, path\)"):
        nn.load(tmp_path, layer)


def test_types_that_the_format_does_not_have_are_refused_before_a_file_is_made(tmp_path):
    model = Holder(np.ones(2, np.longdouble))
    with pytest.raises(DTypeError, match=r"save: x is of \w+, which the safetensors format does not have"):
        nn.save(model, tmp_path / "w")
    assert not list(tmp_path.iterdir())


# -- Optimisers and schedules ------------------------------------------------------------------------------------------


def stepped(make, **options):
    p = [Value(np.ones(2, np.float32)), Value(np.ones(3, np.float32))]
    optimizer = make(p, **options)

    def closure():
        for q in p:
            q.grad = q.data * np.arange(1, q.size + 1, dtype=np.float32)
        return float(sum((q.data**2).sum() for q in p))

    optimizer.step(closure)
    return optimizer


def at(tree, path, value):
    *way, last = path
    for key in way:
        tree = tree[key]
    tree[last] = value


OPTIMISERS = [
    (SGD, {"momentum": 0.9}, ("param_groups", 0, "lr"), "a", "SGD: got lr='a'"),
    (SGD, {"momentum": 0.9}, ("param_groups", 0, "nesterov"), 2, "SGD: got nesterov=2"),
    (
        SGD,
        {"momentum": 0.9},
        ("state", 1, "momentum_buffer"),
        np.full(3, 1e300),
        r"parameter 1 has 1e\+300, which overflows",
    ),
    (SGD, {"momentum": 0.9}, ("state", 1, "momentum_buffer"), np.ones(3, complex), "parameter 1 is of complex128"),
    (Adam, {}, ("state", 1, "exp_avg"), "a", "exp_avg of parameter 1 has shape"),
    (Adam, {}, ("state", 1, "step"), 2.5, "step of parameter 1 is 2.5, expected an integer from 0 on"),
    (Adam, {}, ("state", 1, "step"), np.nan, "step of parameter 1 is nan"),
    (Adam, {}, ("state", 1, "step"), "\x1b[3m", r"step of parameter 1 is '\\x1b\[3m'"),
    (Adam, {}, ("state", "\x1b[3m"), {}, r"unexpected state of parameter '\\x1b\[3m'"),
    (Adam, {}, ("param_groups", 0, "betas"), (0.9, 1.5), "Adam: got betas="),
    (Adam, {}, ("param_groups", 0, "params"), [0, 0], "a parameter is in two groups"),
    (LBFGS, {}, ("state", 0, "old_dirs"), [], "old_dirs, old_stps and ro are of different lengths"),
    (LBFGS, {}, ("state", 0, "d"), np.full(5, 1e300), r"d has 1e\+300, which overflows float32"),
    (LBFGS, {}, ("state", 0), {"d": np.ones(5)}, "missing H_diag, func_evals, n_iter"),
]


@pytest.mark.parametrize(("make", "options", "path", "value", "message"), OPTIMISERS)
def test_states_of_optimisers_that_do_not_fit_change_nothing(make, options, path, value, message):
    optimizer = stepped(make, lr=0.1, **options)
    wrong = stepped(make, lr=0.7, **options).state_dict()
    at(wrong, path, value)
    before = str(optimizer.state_dict())
    with pytest.raises(TinygradError, match=message) as caught:
        optimizer.load_state_dict(wrong)
    assert str(caught.value).isprintable()
    assert str(optimizer.state_dict()) == before


@pytest.mark.parametrize("make", [SGD, Adam, LBFGS])
def test_states_of_optimisers_load_in_their_dtype(make):
    state = stepped(make).state_dict()
    wide = stepped(make)
    for item in state["state"].values():
        item.update((k, x.astype(float)) for k, x in item.items() if isinstance(x, np.ndarray))
    wide.load_state_dict(state)
    kinds = {
        x.dtype.name for item in wide.state_dict()["state"].values() for x in item.values() if isinstance(x, np.ndarray)
    }
    assert kinds <= {"float32"}


def test_saved_parameters_are_found_by_their_places_in_the_groups():
    optimizer = stepped(Adam)
    state = optimizer.state_dict()
    renamed = {
        "state": {f"p{i}": x for i, x in state["state"].items()},
        "param_groups": [state["param_groups"][0] | {"params": ["p0", "p1"]}],
    }
    other = stepped(Adam)
    other.step()
    other.load_state_dict(renamed)
    assert str(other.state_dict()) == str(state)


def test_states_of_versions_without_an_option_load_with_it_off():
    optimizer = stepped(SGD)
    state = optimizer.state_dict()
    for option in ("l1", "maximize"):
        del state["param_groups"][0][option]
    other = stepped(SGD, l1=0.5, maximize=True)
    other.load_state_dict(state)
    assert (other.param_groups[0]["l1"], other.param_groups[0]["maximize"]) == (0.0, False)


SCHEDULES = [
    (lambda o: ExponentialLR(o, 0.5), {"last_epoch": "a"}, "last_epoch='a'"),
    (lambda o: ExponentialLR(o, 0.5), {"last_epoch": np.nan}, "last_epoch=nan"),
    (lambda o: ExponentialLR(o, 0.5), {"base_lrs": ["\x1b[3m"]}, r"base_lrs='\\x1b\[3m'"),
    (lambda o: ExponentialLR(o, 0.5), {"base_lrs": [-1.0]}, "base_lrs=-1.0"),
    (lambda o: ExponentialLR(o, 0.5), {"base_lrs": [1.0, 2.0]}, "rates of 2 groups, expected 1"),
    (ReduceLROnPlateau, {"_last_lr": [None]}, "_last_lr=None"),
    (ReduceLROnPlateau, {"best": "a"}, "best='a'"),
    (ReduceLROnPlateau, {"_last_lr": [1.0, 2.0]}, "rates of 2 groups, expected 1"),
]


@pytest.mark.parametrize(("make", "changed", "message"), SCHEDULES)
def test_states_of_schedules_that_do_not_fit_change_nothing(make, changed, message):
    optimizer = SGD([Value(1.0)], lr=0.5)
    schedule = make(optimizer)
    before, groups = schedule.state_dict(), str(optimizer.param_groups)
    with pytest.raises(TinygradError, match=re.escape(message) if "\\" not in message else message):
        schedule.load_state_dict(before | {"last_epoch": 7} | changed)
    assert schedule.state_dict() == before
    assert str(optimizer.param_groups) == groups
