"""What a run consists of: calls of modules with paths, arguments, outputs and ticks; activations by path."""

from __future__ import annotations

import pickle
from collections import namedtuple

import numpy as np
import pytest

import nn
from nn.calls import Call, left_as_it_was, own_parameters, parts, reading
from nn.training.diagnosis import why_not_finite
from tinygrad_edu import ShapeError, Value

X = np.ones((3, 4))


class Net(nn.Module):
    """A module under two names, called three times, one that fails, and operations between them."""

    def __init__(self):
        self.first = nn.Linear(4, 4, rng=0)
        self.again, self.broken = self.first, nn.Linear(5, 4, rng=1)

    def forward(self, x, *, scale=1.0):
        h = self.first(x) * scale
        try:
            self.broken(h)
        except ShapeError:
            h = self.again(h) + 1.0
        return {"last": self.first(h), "hidden": (h, None)}


def run_of(model, *inputs, **options) -> Call:
    with reading(model) as run:
        model(*inputs, **options)
    return run


def test_calls_have_paths_arguments_outputs_and_errors():
    model = Net()
    run = run_of(model, X, scale=2.0)
    (whole,) = run.inside
    assert (whole.module, whole.path, whole.inputs[0] is X, whole.options) == (model, "", True, {"scale": 2.0})
    assert [(call.path, call.nth) for call in whole.inside] == [("first", 1), ("broken", 1), ("again", 2), ("again", 3)]
    assert [call.around for call in run.within()] == [None, run, *[whole] * 4]
    first, broken, again, last = whole.inside
    assert isinstance(broken.error, ShapeError)
    assert broken.output is None
    assert [call.error for call in (run, whole, first, again, last)] == [None] * 5
    assert last.output is whole.output["last"]


def test_the_clock_tells_which_call_recorded_an_operation():
    run = run_of(Net(), X, scale=2.0)
    (whole,) = run.inside
    innermost = run.innermost()
    hidden = whole.output["hidden"][0]  # again(h) + 1
    assert innermost(hidden.tick) is whole
    assert innermost(hidden.inputs[0].tick) is whole.inside[2]
    assert innermost(whole.output["last"].tick) is whole.inside[3]
    assert {innermost(tick) for tick in (Value(0.0).tick, whole.start - 1)} == {run}
    assert whole.inside[3].trail() == [whole, whole.inside[3]]


def test_a_run_that_fails_is_read_up_to_the_error():
    model = nn.Sequential(nn.Tanh(), nn.Sequential(nn.ReLU(), nn.Linear(5, 2)))
    with reading(model) as run, pytest.raises(ShapeError) as caught:
        model(X)
    assert [call.path for call in run.within()] == ["", "", "0", "1", "1.0", "1.1"]
    assert [call.error is caught.value for call in run.within()] == [False, True, False, True, False, True]
    assert all(call.end > call.start for call in run.within())


def test_each_call_is_told_when_it_ends():
    model, ended = Net(), []
    with reading(model, lambda call: ended.append(call.path)):
        model(X)
    assert ended == ["first", "broken", "again", "again", ""]


def test_modules_outside_of_the_model_have_no_path():
    model = nn.Linear(4, 1, rng=0)
    with reading(model) as run:
        nn.MSELoss()(model(X), np.ones((3, 1)))
    assert [(type(call.module).__name__, call.path) for call in run.inside] == [("Linear", ""), ("MSELoss", "")]


def test_parts_have_their_keys():
    Pair = namedtuple("Pair", "a b")
    assert list(parts({"x": [1, (2,)], 3: Pair(4, None)})) == [
        (("x", 0), 1),
        (("x", 1, 0), 2),
        (("3", "a"), 4),
        (("3", "b"), None),
    ]


def test_own_parameters_are_not_those_of_modules_inside():
    class Outer(nn.Module):
        def __init__(self):
            self.scales, self.inner = [Value(1.0), Value(2.0)], nn.Linear(2, 2)
            self.tied = self.inner.weight

        def forward(self, x):
            return x

    assert list(own_parameters(Outer())) == ["scales.0", "scales.1"]


# -- Activations -------------------------------------------------------------------------------------------------------


def test_activations_by_path():
    model = Net()
    found = nn.activations(model, X, scale=2.0)
    assert list(found) == ["first", "again", "again, call 2", ""]
    first = X @ model.first.weight.data.T + model.first.bias.data
    np.testing.assert_allclose(found["first"], first)
    np.testing.assert_array_equal(found["again, call 2"], found[""]["last"])
    assert found[""]["hidden"][1] is None
    assert {type(found[""]["hidden"][0]), type(found["first"])} == {np.ndarray}


def test_activations_are_those_of_the_mode_and_leave_the_model_as_it_was():
    class Remembers(nn.Module):
        def __init__(self):
            self.count, self.norm, self.drop = np.zeros(1), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=3)

        def forward(self, x):
            self.count += 1
            self.last = x
            return self.drop(self.norm(x))

    model, x = Remembers(), np.random.default_rng(0).normal(size=(8, 4))
    before = model.state_dict(), set(vars(model))
    first, second = nn.activations(model, x), nn.activations(model, x)
    assert (first["drop"] == 0).any()
    np.testing.assert_array_equal(first["drop"], second["drop"])  # the same mask
    assert set(vars(model)) == before[1]
    assert all(np.array_equal(a, before[0][path]) for path, a in model.state_dict().items())
    model.eval()
    assert not (nn.activations(model, x)["drop"] == 0).any()
    assert not model.drop.training


def test_the_activation_of_the_model_is_its_own_output():
    class Deep(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(4, 4, rng=0)

        def forward(self, x, depth=2):
            return self(x, depth - 1) * 2 if depth else nn.Tanh()(self.layer(x))

    model = Deep()
    found = nn.activations(model, X)
    assert list(found) == ["layer", "Tanh", ", call 2", ", call 3", ""]
    np.testing.assert_array_equal(found[""], model(X).data)
    np.testing.assert_array_equal(found["Tanh"], np.tanh(found["layer"]))


def test_activations_are_copies():
    class InPlace(nn.Module):
        def forward(self, x):
            x *= 0
            return x

    found = nn.activations(nn.Sequential(nn.Identity(), InPlace()), X.copy())
    assert found["0"].sum() == X.size
    assert found["1"].sum() == 0


def test_frozen_parameters_are_frozen_again():
    model = nn.Linear(2, 1).freeze()
    with left_as_it_was(model, recorded=True):
        assert all(p.requires_grad for p in model.parameters())
    assert not any(p.requires_grad for p in model.parameters())


def test_generators_in_lists_are_put_back():
    class Draws(nn.Module):
        def __init__(self):
            self.sources = [np.random.default_rng(0)]

        def forward(self, x):
            return x + self.sources[0].normal()

    model = Draws()
    assert nn.activations(model, X)[""].sum() == nn.activations(model, X)[""].sum()


def test_the_diagnosis_looks_into_dictionaries():
    class Splits(nn.Module):
        def __init__(self):
            self.good, self.bad = nn.Linear(4, 4, rng=0), nn.Linear(4, 4, rng=0)
            self.bad.bias.data[0] = np.nan

        def forward(self, x):
            return {"a": self.good(x), "b": [self.bad(x)]}

    says = why_not_finite(Splits(), (X, X), (X, X))
    assert says.startswith(
        "the first output that is not finite is that of layer 'bad', Linear(4, 4), whose bias are not"
    )


# -- Observing ---------------------------------------------------------------------------------------------------------


def test_observing_hands_over_arguments_outputs_and_errors():
    model, told = Net(), []
    with nn.observing(
        enter=lambda module, inputs, options: told.append((module, inputs[0] is X, options)),
        leave=lambda module, output, error: told.append((module, output is None, type(error).__name__)),
    ):
        model(X, scale=3.0)
    assert told[:3] == [(model, True, {"scale": 3.0}), (model.first, True, {}), (model.first, False, "NoneType")]
    assert told[4] == (model.broken, True, "ShapeError")
    assert told[-1] == (model, False, "NoneType")


def test_an_interrupt_ends_a_call_too():
    class Interrupted(nn.Module):
        def forward(self, x):
            raise KeyboardInterrupt

    model = nn.Sequential(Interrupted())
    with reading(model) as run, pytest.raises(KeyboardInterrupt):
        model(X)
    assert [type(call.error) for call in run.within()] == [type(None), KeyboardInterrupt, KeyboardInterrupt]


def test_errors_of_operations_hold_their_operands_but_do_not_pickle_them():
    a, b = Value(np.ones(3)) * 2, Value(np.ones(4))
    with pytest.raises(ShapeError) as caught:
        a + b
    op, operands = caught.value.failed
    assert (op.name, operands[0] is a, operands[1] is b) == ("add", True, True)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.failed) == (str(caught.value), None)
