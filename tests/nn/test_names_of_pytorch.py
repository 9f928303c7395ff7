"""Names and keywords of PyTorch and Keras: the error says what to write, and what it says exists."""

import inspect
import re

import numpy as np
import pytest

import nn
from nn.elsewhere import KEYWORDS, MODULE, PACKAGE
from tinygrad_edu import DTypeError, Value


@pytest.mark.parametrize("name", PACKAGE)
def test_a_name_of_the_package(name):
    message = re.escape(f"nn.{name} does not exist; write {PACKAGE[name]}")
    with pytest.raises(AttributeError, match=f"^{message}$"):
        getattr(nn, name)
    with pytest.raises(ImportError, match=message):
        exec(f"from nn import {name}")


@pytest.mark.parametrize("name", [name for name in nn.init.__all__ if name not in ("calculate_gain", "fans")])
def test_initialisers_in_place(name):
    with pytest.raises(
        AttributeError, match=rf"nn.init.{name}_ does not exist; write layer.weight.data = nn.init.{name}\("
    ):
        getattr(nn.init, f"{name}_")
    assert "shape" in inspect.signature(getattr(nn.init, name)).parameters


def test_other_names_are_simply_missing():
    with pytest.raises(AttributeError, match="module 'nn.init' has no attribute 'nothing_'"):
        nn.init.nothing_
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'nothing'"):
        nn.Linear(1, 1, rng=0).nothing


@pytest.mark.parametrize("name", MODULE)
def test_a_method_of_a_module(name):
    model = nn.MLP((2, 3, 1), rng=0)
    with pytest.raises(AttributeError, match=re.escape(f"MLP.{name} does not exist; write {MODULE[name]}")):
        getattr(model, name)
    assert name not in dir(model)
    setattr(model, name, Value(1.0))  # a user's attribute of that name is one
    assert name in dict(model.named_parameters())


@pytest.mark.parametrize(
    "remedy",
    [*PACKAGE.values(), *MODULE.values(), *[each for known in KEYWORDS.values() for each in known.values()]],
)
def test_what_a_remedy_names_exists(remedy):
    for path in re.findall(r"nn\.([\w.]*\w)", remedy):
        found = nn
        for part in path.split("."):
            found = getattr(found, part)
    for method in re.findall(r"model\.(\w+)", remedy):
        assert hasattr(nn.Module, method)
    if remedy in KEYWORDS["fit"].values():
        for option in re.findall(r"(\w+)=", remedy):
            assert option in inspect.signature(nn.fit).parameters


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.functional.softmax(np.ones(2), axis=0), "softmax: got axis=, expected dim=, PyTorch's word"),
        (lambda: nn.Softmax(axis=0), "Softmax: got axis=, expected dim="),
        (lambda: nn.functional.normalize(np.ones((2, 2)), axis=1), "normalize: got axis=, expected dim="),
        (lambda: nn.Linear(1, 2, device="cpu"), "Linear: got device=, expected none: "),
        (lambda: nn.optim.SGD([Value(1.0)], learning_rate=0.1), "SGD: got learning_rate=, expected lr="),
        (lambda: nn.Linear(1, 2, biass=False), "Linear: got biass=, expected bias="),
        (lambda: nn.Linear(3), "Linear: got no out_features; it takes in_features, out_features, bias, rng, dtype"),
        (lambda: nn.Linear(), "Linear: got no in_features and no out_features; it takes"),
        (lambda: nn.load("model"), "load: got no path; it takes model, path"),
        (lambda: nn.Linear(1, 2, rng=0).zero_grad(set_to_none=True), "zero_grad: got set_to_none=, expected none: "),
        (
            lambda: nn.optim.SGD([Value(1.0)]).zero_grad(set_to_none=True),
            "zero_grad: got set_to_none=, expected none: ",
        ),
        (
            lambda: nn.Linear(1, 2, rng=0).load_state_dict({}, strict=False),
            "load_state_dict: got strict=, expected none: ",
        ),
        (lambda: nn.batches(np.ones(4), np.ones(4)), r"batches: got no batch_size; it takes \*arrays, batch_size, rng"),
        (lambda: nn.batches(np.ones(4), np.ones(4), np.ones(4), rng=0), "batches: got no batch_size; it takes"),
    ],
)
def test_a_keyword_or_what_is_missing(call, message):
    with pytest.raises(DTypeError, match=f"^{message}"):
        call()


def test_what_the_remedy_for_strict_does():
    model, state = nn.MLP((2, 3, 1), rng=0), nn.MLP((2, 3, 1), rng=1).state_dict()
    del state["0.bias"]
    before = model.state_dict()
    model.load_state_dict({**model.state_dict(), **state})
    assert np.array_equal(model.state_dict()["0.weight"], state["0.weight"])
    assert np.array_equal(model.state_dict()["0.bias"], before["0.bias"])
