"""The state of generators: saved and loaded, dropout draws the same masks; shared ones stay shared; wrong states change nothing."""

import json

import numpy as np
import pytest

import nn
from nn.generators import named_generators, restore, states_of
from tinygrad_edu import TinygradError

KINDS = [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64]
X = np.ones((5, 4))


def model(kind=np.random.PCG64, seed=0):
    shared = np.random.Generator(kind(seed))
    return nn.Sequential(
        nn.Dropout(0.5, rng=shared), nn.Linear(4, 4, rng=0), nn.Dropout(0.3, rng=shared), nn.Dropout(0.2, rng=7)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_goes_on_with_the_same_masks(kind):
    one, two = model(kind), model(kind, seed=1)
    one(X)
    state = json.loads(json.dumps(one.generator_state()))
    expected = [one(X).data for _ in range(3)]
    for target in (two, one):
        target.load_generator_state(state)
        assert all(np.array_equal(target(X).data, y) for y in expected)
    assert two[0].rng is two[2].rng


def test_paths_and_shared_generators():
    class Net(nn.Module):
        def __init__(self):
            rng = np.random.default_rng(0)
            self.drop = nn.Dropout(rng=rng)
            self.more = {"a": [np.random.default_rng(1), nn.Dropout(rng=2)], "b": (rng,)}
            self.alike = np.random.Generator(rng.bit_generator)
            self.rnn = nn.GRU(2, 2, rng=3)

    net = Net()
    found = named_generators(net)
    assert list(found) == ["more.a.0", "more.b.0", "more.a.1.rng", "rnn.rng"]
    assert list(net.generator_state()) == list(found)
    assert nn.Linear(2, 2, rng=0).generator_state() == {}
    assert (
        nn.Dropout(rng=np.random.Generator(np.random.MT19937(0))).generator_state()["rng"]["bit_generator"] == "MT19937"
    )


def test_a_state_is_a_copy():
    net = model()
    state = net.generator_state()
    before = json.dumps(state)
    net(X)
    assert json.dumps(state) == before
    net.load_generator_state(state)
    net(X)
    assert json.dumps(state) == before


GOOD = model().generator_state()
FIRST = GOOD["0.rng"]
WRONG = [
    ({}, "missing 0.rng; missing 3.rng; build"),
    (GOOD | {"9.rng\x1b[3m": FIRST}, r"unexpected 9.rng\\x1b\[3m"),
    (
        GOOD | {"3.rng": np.random.Generator(np.random.SFC64(0)).bit_generator.state},
        "3.rng is a state of 'SFC64', expected one of PCG64",
    ),
    (GOOD | {"3.rng": None}, "3.rng is a state of None, expected one of PCG64"),
    (GOOD | {"3.rng": FIRST | {"state": {}}}, r"3.rng is no state of PCG64 \('state'\)"),
    (GOOD | {"3.rng": FIRST | {"state": {"state": "a", "inc": 3}}}, "3.rng is no state of PCG64"),
    (GOOD | {"3.rng": FIRST | {"state": {"state": -1, "inc": 3}}}, "3.rng is no state of PCG64"),
    (3, "got state=3"),
]


@pytest.mark.parametrize(("state", "message"), WRONG)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(state, message):
    net = model(seed=4)
    before = net.generator_state()
    with pytest.raises(TinygradError, match=f"^load_generator_state: .*{message}") as caught:
        net.load_generator_state(state)
    assert str(caught.value).isprintable()
    assert net.generator_state() == before


@pytest.mark.parametrize("place", [-1, -(10**6), 5000, 10**7])
@pytest.mark.parametrize(("kind", "places"), [(np.random.MT19937, 624), (np.random.Philox, 4)])
def test_a_place_beyond_the_buffer_which_numpy_would_read_from_is_refused(kind, places, place):
    net = model(kind)
    state = net.generator_state()
    inner = state["0.rng"]["state"] if kind is np.random.MT19937 else state["0.rng"]
    key = "pos" if kind is np.random.MT19937 else "buffer_pos"
    inner[key] = place
    with pytest.raises(TinygradError, match=rf"0\.rng is no state of {kind.__name__} \(number {place} of {places}\)"):
        net.load_generator_state(state)
    for inside in (0, places):
        inner[key] = inside
        net.load_generator_state(state)


def test_generators_by_name_without_a_model():
    own = {"fit": np.random.default_rng(0), "mine": np.random.Generator(np.random.Philox(1))}
    own["fit"].random(5)
    state = states_of(own)
    drawn = {name: rng.random(4) for name, rng in own.items()}
    restore("fit", own, state)
    assert all(np.array_equal(rng.random(4), drawn[name]) for name, rng in own.items())
    with pytest.raises(TinygradError, match="^fit: missing mine"):
        restore("fit", own, {"fit": state["fit"]})
