"""compile: what a function uses besides its arguments may change; results show it."""

import functools
import math
import types
from array import array
from collections import UserDict, UserList, deque
from typing import NamedTuple

import numpy as np
import pytest
from outcomes import FIRST, WEIGHTS

import nn
from tinygrad_edu import Value, compile, grad, value_and_grad
from tinygrad_edu.compiling.results import equal

pytestmark = pytest.mark.filterwarnings(
    "ignore::RuntimeWarning",
    "ignore::tinygrad_edu.GradientWarning",
    "ignore:Setting the (shape|dtype):DeprecationWarning",  # NumPy 2.5's, which still allows it
)


class Captured(NamedTuple):
    """A function, and changes of what it uses, each of which its results must show."""

    f: object
    changes: tuple
    compiled_anew: bool = True


CAPTURED = {}


def captured(make):
    CAPTURED[make.__name__] = make
    return make


@captured
def a_number():
    rate = 2.0

    def f(x):
        return x * rate

    def change(to):
        def changing():
            nonlocal rate
            rate = to

        return changing

    return Captured(f, (change(3.0), change(3), change(0.0), change(-0.0), change(np.float32(2)), change(math.nan)))


RATE = 2.0


@captured
def a_global():
    def change(to):
        def changing():
            globals()["RATE"] = to

        return changing

    return Captured(lambda x: x * RATE, (change(3.0), change(4.0), change(2.0)))


@captured
def a_global_of_a_helper():
    return Captured(lambda x: _helper(x), (lambda: globals().update(RATE=5.0), lambda: globals().update(RATE=2.0)))


def _helper(x):
    return x * RATE


@captured
def a_helper_that_is_replaced():
    own = _helper

    def replaced():
        globals()["_helper"] = lambda x: x * 7

    return Captured(lambda x: _helper(x), (replaced, lambda: globals().update(_helper=own)))


@captured
def an_attribute():
    config = types.SimpleNamespace(rate=2.0, inner=types.SimpleNamespace(shift=1.0, rates=[1.0, 2.0]))
    return Captured(
        lambda x: x * config.rate + config.inner.shift * config.inner.rates[1],
        (
            lambda: setattr(config, "rate", 3.0),
            lambda: setattr(config.inner, "shift", 3.0),
            lambda: config.inner.rates.__setitem__(1, 5.0),
            lambda: setattr(config, "inner", types.SimpleNamespace(shift=-1.0, rates=(1.0, 3.0))),
        ),
    )


@captured
def an_attribute_by_name():
    config = types.SimpleNamespace(rate=2.0)
    return Captured(lambda x: x * getattr(config, "ra" + "te"), (lambda: setattr(config, "rate", 3.0),))


@captured
def an_entry():
    table = {"rate": 2.0, "deep": {"shift": [1.0, 2.0]}, 3: 1.0}
    return Captured(
        lambda x: x * table["rate"] + table["deep"]["shift"][0] * table[3],
        (
            lambda: table.update(rate=3.0),
            lambda: table["deep"]["shift"].__setitem__(0, 9.0),
            lambda: table.update({3: 2.0}),
        ),
    )


@captured
def an_entry_of_a_long_list():
    table = [float(i) for i in range(5000)]
    return Captured(lambda x: x * table[4321], (lambda: table.__setitem__(4321, 1.0), lambda: table.insert(0, 8.0)))


@captured
def a_class_attribute():
    class Config:
        rate = 2.0

    class Own(Config):
        pass

    def rebound():
        Own.rate = 4.0

    return Captured(lambda x: x * Own.rate, (lambda: setattr(Config, "rate", 3.0), rebound))


@captured
def a_class_attribute_through_an_object():
    class Model:
        rate = 2.0

        def __call__(self, x):
            return x * self.scale()

        def scale(self):
            return self.rate

    model = Model()
    return Captured(
        lambda x: model(x),
        (
            lambda: setattr(Model, "rate", 3.0),
            lambda: setattr(model, "rate", 4.0),
            lambda: setattr(Model, "scale", lambda self: self.rate * 2),
        ),
    )


@captured
def a_slot():
    class Config:
        __slots__ = ("rate",)

    config = Config()
    config.rate = 2.0
    return Captured(lambda x: x * config.rate, (lambda: setattr(config, "rate", 3.0),))


@captured
def a_property():
    class Config:
        def __init__(self):
            self.held = 2.0

        @property
        def rate(self):
            return self.held * RATE

    config = Config()
    return Captured(
        lambda x: x * config.rate,
        (lambda: setattr(config, "held", 3.0), lambda: globals().update(RATE=3.0), lambda: globals().update(RATE=2.0)),
    )


@captured
def a_module_attribute():
    module = types.ModuleType("settings")
    module.rate = 2.0
    return Captured(lambda x: x * module.rate, (lambda: setattr(module, "rate", 3.0),))


@captured
def a_default_argument():
    def f(x, rate=[2.0], *, shift={"by": 1.0}):  # noqa: B006
        return x * rate[0] + shift["by"]

    def other():
        f.__defaults__ = ([5.0],)

    return Captured(
        f,
        (
            lambda: f.__defaults__[0].__setitem__(0, 3.0),
            lambda: f.__kwdefaults__["shift"].update(by=2.0),
            other,
        ),
    )


@captured
def a_function_attribute():
    def f(x):
        return x * f.rate

    f.rate = 2.0
    return Captured(f, (lambda: setattr(f, "rate", 3.0),))


@captured
def a_partial_with_a_table():
    table = {"rate": 2.0}
    return Captured(functools.partial(lambda table, x: x * table["rate"], table), (lambda: table.update(rate=3.0),))


@captured
def functions_in_a_list():
    steps = [np.tanh, lambda x: x * 2]
    return Captured(
        lambda x: functools.reduce(lambda y, step: step(y), steps, x),
        (lambda: steps.append(np.exp), lambda: steps.__setitem__(1, lambda x: x * 3), steps.pop),
    )


@captured
def an_array_that_is_rebound():
    weights = WEIGHTS.copy()

    def rebind():
        nonlocal weights
        weights = WEIGHTS * 3

    return Captured(lambda x: (x * weights).sum(), (rebind,))


def by_reference(make):
    """The program refers to the array itself, and is not compiled anew."""

    def made():
        weights = WEIGHTS.copy()
        return Captured(
            make(weights),
            (
                lambda: weights.__imul__(2),
                lambda: weights.__setitem__(1, 9.0),
                lambda: weights.fill(1.0),
                lambda: weights.fill(0.0),
            ),
            False,
        )

    CAPTURED[make.__name__] = made


def by_contents(make):
    """The function computes something from the array where that is not seen."""

    def made():
        weights = WEIGHTS.copy()
        return Captured(
            make(weights),
            (lambda: weights.__imul__(2), lambda: weights.__setitem__(1, 9.0), lambda: weights.fill(-1.0)),
        )

    CAPTURED[make.__name__] = made


@by_reference
def an_array(weights):
    return lambda x: (x * weights).sum()


@by_reference
def an_array_with_a_gradient(weights):
    return lambda x: value_and_grad(lambda y: (y * y * weights).sum())(x)


@by_reference
def a_view_of_an_array(weights):
    return lambda x: x[:2] @ weights.reshape(2, 2).T + weights[::2]


@by_reference
def an_array_in_a_list(weights):
    table = {"rows": [weights, 2.0]}
    return lambda x: x * table["rows"][0]


@by_reference
def two_arrays_that_are_equal(weights):
    other = weights.copy()
    return lambda x: x * weights + x * other


@by_contents
def an_array_that_is_doubled(weights):
    return lambda x: x * (weights * 2)


@by_contents
def a_sum_of_an_array(weights):
    return lambda x: x * float(weights.sum())


@by_contents
def a_branch_on_an_array(weights):
    return lambda x: x * 2 if weights[1] > 8 else x * 3


@by_contents
def an_array_as_floats32(weights):
    return lambda x: x * weights.astype(np.float32)


@by_contents
def a_constant_of_an_array(weights):
    return lambda x: grad(lambda y: (y * Value(weights, requires_grad=False)).sum())(x)


@by_contents
def a_mask_of_an_array(weights):
    return lambda x: x[weights > 2].mean()


@captured
def an_array_of_ones():
    ones = np.ones(4)
    return Captured(lambda x: x * ones, (lambda: ones.__setitem__(0, 5.0),))


@captured
def an_array_of_ones_in_a_gradient():
    ones = np.ones(4)
    return Captured(lambda x: grad(lambda y: (y * ones).sum())(x), (lambda: ones.__setitem__(0, 5.0),))


@captured
def an_index():
    index = np.array([0, 1, 1])
    return Captured(lambda x: x[index], (lambda: index.__setitem__(0, 3), lambda: index.fill(2)))


@captured
def a_mask():
    mask = np.array([True, False, True, True])
    return Captured(lambda x: x[mask].mean(), (lambda: mask.__setitem__(0, False), lambda: mask.fill(True)))


@captured
def a_class_with_an_array():
    class Config:
        weights = WEIGHTS.copy()

    return Captured(
        lambda x: x * (Config.weights + 1), (lambda: Config.weights.fill(2.0), lambda: Config.weights.fill(1.0))
    )


@captured
def a_value():
    w = Value(2.0)
    return Captured(lambda x: x * w.data, (lambda: setattr(w, "data", 3.0), lambda: setattr(w, "data", 4.0)))


@captured
def a_layer():
    layer = nn.Linear(4, 2, rng=0)
    layer.freeze()

    def update():
        layer.weight.data = layer.weight.data * 2

    return Captured(lambda x: grad(lambda y: layer(y).sum())(x), (update,))


@captured
def a_mode():
    layer = nn.Dropout(0.9, rng=0).eval()
    return Captured(lambda x: layer(x) * 2, (lambda: setattr(layer, "training", False), lambda: layer.eval()))


@captured
def a_compiled_function():
    rate = [2.0]
    inner = compile(lambda x: x * rate[0])
    return Captured(lambda x: inner(x) + 1, (lambda: rate.__setitem__(0, 3.0),))


@captured
def a_cache_that_is_filled():
    class Model:
        rate = 3.0

        @functools.cached_property
        def table(self):
            return np.arange(4.0) * self.rate

    model = Model()
    return Captured(lambda x: x * model.table, (lambda: model.table.fill(1.0),))


def _holding(name, make, change):
    """A captured container whose entries are read one by one."""

    def of_kind():
        held = make()
        return Captured(lambda x: x * next(iter(held)), (lambda: change(held),))

    CAPTURED[name] = of_kind


def _set_first(held):
    held[0] = 5


_holding("a_deque", lambda: deque([2.0, 3.0]), _set_first)
_holding("a_bytearray", lambda: bytearray(b"ab"), _set_first)
_holding("an_array_of_the_standard_library", lambda: array("d", [2.0, 3.0]), _set_first)
_holding("a_memoryview", lambda: memoryview(np.array([2.0, 3.0])), _set_first)
_holding("a_user_list", lambda: UserList([2.0, 3.0]), _set_first)
_holding("a_user_dict", lambda: UserDict({3.0: 1}), lambda held: (held.clear(), held.update({4.0: 1})))


@captured
def a_view_of_a_dictionary():
    held = {"rate": 2.0}
    view = types.MappingProxyType(held)
    return Captured(lambda x: x * view["rate"], (lambda: held.update(rate=3.0),))


@captured
def the_shape_of_an_array():
    weights = np.arange(1.0, 5.0).reshape(2, 2)
    return Captured(lambda x: x * weights.sum(axis=0)[0], (lambda: setattr(weights, "shape", (4, 1)),))


@captured
def the_dtype_of_an_array():
    weights = np.arange(1, 5)
    return Captured(lambda x: x * weights[0], (lambda: setattr(weights, "dtype", np.float64),))


@captured
def the_code_of_a_function():
    def helper(x):
        return x * 2.0

    def replaced():
        helper.__code__ = (lambda x: x * 3.0).__code__

    return Captured(lambda x: helper(x), (replaced,))


@captured
def a_global_of_an_operator():
    class Scaled:
        def __neg__(self):
            return RATE

    scaled = Scaled()
    changes = (lambda: globals().update(RATE=7.0), lambda: globals().update(RATE=2.0))
    return Captured(lambda x: x * -scaled, (*changes, lambda: setattr(Scaled, "__neg__", lambda self: 4.0)))


@captured
def an_attribute_of_a_metaclass():
    class Meta(type):
        rate = 2.0

    class Model(metaclass=Meta):
        pass

    return Captured(lambda x: x * Model.rate, (lambda: setattr(Meta, "rate", 3.0),))


@captured
def a_global_read_by_text():
    return Captured(
        lambda x: x * globals()["RATE"], (lambda: globals().update(RATE=9.0), lambda: globals().update(RATE=2.0))
    )


@captured
def a_global_that_is_defined_later():
    def f(x):
        try:
            return x * LATER_RATE
        except NameError:
            return x * 2.0

    globals().pop("LATER_RATE", None)
    return Captured(f, (lambda: globals().update(LATER_RATE=3.0), lambda: globals().pop("LATER_RATE")))


def test_a_helper_may_be_defined_after_the_function_that_is_compiled():
    names = {"__name__": "a_script", "compile": compile}
    exec(
        "@compile\ndef f(x):\n    return helper(x) if x is not None else f(x)\ndef helper(x):\n    return 2.0 * x\n",
        names,
    )
    assert names["f"](3.0) == 6.0
    assert {"helper", "f"} <= names.keys()


@pytest.mark.parametrize("name", CAPTURED)
def test_what_a_function_uses_may_change(name):
    f, changes, anew = CAPTURED[name]()
    compiled = compile(f)
    for x in (FIRST, -FIRST, FIRST * 2):
        assert equal(compiled(x.copy()), f(x))
    for change in changes:
        change()
        for x in (FIRST, -FIRST, FIRST * 2):
            expected = f(x)
            for _ in range(3):
                assert equal(compiled(x.copy()), expected), compiled.source
    assert anew or compiled.compilations == 1
    assert not compiled.eager
