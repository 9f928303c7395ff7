"""Names of other libraries: the error says what to write, and what it says exists."""

import inspect
import re

import numpy as np
import pytest

import tinygrad_edu
from tinygrad_edu import UnsupportedError, Value
from tinygrad_edu.elsewhere import ARGUMENTS, METHODS, PACKAGE


@pytest.mark.parametrize("name", PACKAGE)
def test_a_name_of_the_package(name):
    message = re.escape(f"tinygrad_edu.{name} does not exist; write {PACKAGE[name]}")
    with pytest.raises(AttributeError, match=f"^{message}$"):
        getattr(tinygrad_edu, name)
    with pytest.raises(ImportError, match=message):
        exec(f"from tinygrad_edu import {name}")
    assert name not in tinygrad_edu.__all__


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("v", [Value(2.0), Value(np.ones(2)) * 2], ids=["leaf", "computed"])
def test_a_method_of_a_value(name, v):
    with pytest.raises(AttributeError, match=re.escape(f"Value.{name} does not exist; write {METHODS[name]}")):
        getattr(v, name)
    assert not hasattr(v, name)
    assert name not in dir(v)


@pytest.mark.parametrize("remedy", [*PACKAGE.values(), *METHODS.values()])
def test_what_a_remedy_names_exists(remedy):
    for called in re.findall(r"^@?(\w+)\(", remedy):
        assert called in tinygrad_edu.__all__
    for method in re.findall(r"\bv\.(\w+)", remedy):
        assert hasattr(Value(np.ones((2, 2))), method)
    for function in re.findall(r"tinygrad_edu\.(\w+)", remedy):
        assert function in tinygrad_edu.__all__


@pytest.mark.parametrize("name", METHODS)
def test_a_name_that_a_value_lacks_cannot_be_assigned(name):
    with pytest.raises(AttributeError, match=re.escape(f"Value.{name} does not exist; write {METHODS[name]}")):
        setattr(Value(2.0), name, 1.0)


@pytest.mark.parametrize("name", ARGUMENTS["Value"])
def test_an_argument_that_value_does_not_take(name):
    rather = re.escape(ARGUMENTS["Value"][name])
    with pytest.raises(UnsupportedError, match=rf"^Value: does not take {name}=; it takes data, .*; write {rather}$"):
        Value(2.0, **{name: "a"})


def test_what_value_takes_is_what_its_error_says():
    with pytest.raises(UnsupportedError) as caught:
        Value(2.0, nothing=1)
    *taken, _ = list(inspect.signature(Value).parameters)
    assert str(caught.value) == f"Value: does not take nothing=; it takes {', '.join(taken)}"


@pytest.mark.parametrize("call", [lambda v: v.flatten(1), lambda v: v.flatten(start_dim=1)])
def test_flattening_from_an_axis(call):
    v = Value(np.ones((4, 3, 2)))
    with pytest.raises(UnsupportedError, match=r"; it takes x; write v.reshape\(len\(v\), -1\)$"):
        call(v)
    assert v.reshape(len(v), -1).shape == (4, 6)


def test_other_names_are_simply_missing():
    with pytest.raises(AttributeError, match="'Value' object has no attribute 'nothing'"):
        Value(1.0).nothing
    with pytest.raises(AttributeError, match="module 'tinygrad_edu' has no attribute 'nothing'"):
        tinygrad_edu.nothing
