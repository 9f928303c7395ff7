"""The laws that every op obeys, drawn from its definition: one body, parametrised over the registry."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tinygrad_edu import TinygradError, Value, registry, rule_formula
from tinygrad_edu.testing import check_vjp
from tinygrad_edu.testing.strategies import OpCall, check_call, fixed_calls, op_calls

OPS = {name: f.op for name, f in registry.items()}
PRIMITIVE = {name: op for name, op in OPS.items() if not op.derived}
every_op = pytest.mark.parametrize("name", OPS)
law = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
slow_law = settings(law, max_examples=15)  # differences of differences


@every_op
@law
@given(data=st.data())
def test_forward_equals_numpy(name, data):
    op = OPS[name]
    call = data.draw(op_calls(op))
    y = call(*call.inputs)
    if op.numpy is None:
        pytest.fail(f"{op.name} has no NumPy counterpart or formula")
    expected = np.asarray(call.counterpart())
    assert np.shape(y) == expected.shape
    expected, y = call.unique(expected), call.unique(y)
    size = np.abs(expected)
    if not op.elementwise:  # a sum's rounding is relative to its terms, not to what is left of them
        size = max([np.max(size, initial=1e-300), *[np.max(np.abs(x), initial=0.0) for x in call.inputs]])
    tolerance = 4 * np.spacing(size)
    assert np.all(np.abs(y - expected) <= tolerance)


@every_op
@law
@given(data=st.data())
def test_first_order(name, data):
    check_first_order(data.draw(op_calls(OPS[name])))


def check_first_order(call: OpCall):
    """The recorded gradients agree with the op's values, and obey the laws of gradients."""
    check_call(call, mode="full")
    filled = any(np.size(x) for x in call.inputs)
    if call.op.analytic and not call.op.derived and not call.params and filled:
        gradients = lambda g, *xs: tuple(v.grad for v in call.backward(xs, g))
        check_vjp(call.op.forward, gradients, *call.inputs, complex_step=True)


@every_op
@slow_law
@given(data=st.data())
def test_second_order(name, data):
    check_call(data.draw(op_calls(OPS[name])), order=2)


@every_op
@law
@given(data=st.data())
def test_dtype_types_and_inputs_are_kept(name, data):
    op = OPS[name]
    call = data.draw(op_calls(op, dtype=np.float32))
    before = [np.array(x) for x in call.inputs]
    raw = call(*call.inputs)
    assert not isinstance(raw, Value)
    values = [Value(x, copy=False) if i in call.differentiable else x for i, x in enumerate(call.inputs)]
    y = call(*values)
    if not call.differentiable:
        return
    assert isinstance(y, Value)
    assert np.array_equal(y.data, raw, equal_nan=True)
    assert np.shape(y.data) == () or isinstance(y.data, np.ndarray)
    assert not (isinstance(y.data, np.ndarray) and y.data.ndim == 0)
    if op.name != "astype":
        assert y.dtype == np.float32
    y.backward(np.ones(y.shape))
    for i in call.differentiable:
        assert np.asarray(values[i].grad).dtype == np.float32
        assert np.shape(values[i].grad) == np.shape(call.inputs[i])
    for x, old in zip(call.inputs, before, strict=True):
        assert np.array_equal(x, old)


def whole(x, domain):
    """An array in integers of the domain; a scalar, and what finds none there, as it is."""
    inside = np.array([n for n in range(-3, 4) if domain.low < n < domain.high and n not in domain.kinks])
    if not np.shape(x) or domain.boolean or not inside.size:
        return x
    return np.rint(x * 8).astype(int) if domain.distinct else inside[np.argmin(np.abs(x[..., None] - inside), axis=-1)]


UNLIKE_FLOATS = {
    "pad",  # writes its constants into an array of integers, as in NumPy
    "unstack",  # makes integers of a vector, which `joined` leaves out
}


@pytest.mark.parametrize("name", sorted(OPS.keys() - UNLIKE_FLOATS))
@law
@given(data=st.data())
def test_integers_are_converted_to_floats(name, data):
    call = data.draw(op_calls(OPS[name]))
    inputs = [whole(x, domain) for x, domain in zip(call.inputs, call.domains, strict=True)]
    assume(name != "power" or np.all(inputs[1] >= 0))  # NumPy has no negative powers of integers
    try:
        with np.errstate(all="raise"):
            expected = call(*[x if np.asarray(x).dtype == bool else x * 1.0 for x in inputs])
    except (TinygradError, ArithmeticError):  # a singular matrix, a weight of 0
        return
    assert np.allclose(call(*inputs), expected, rtol=1e-12, atol=1e-12, equal_nan=True)


# -- The oracle can fail: a rule replaced by rule + 1 is noticed, by exactly its own op's test -------------------------


FIXED = {  # a few calls of an op, enough to catch a wrong rule for any of its arguments
    name: [call for call in fixed_calls(op, 3, min_side=2) if all(np.size(x) for x in call.inputs)]
    for name, op in PRIMITIVE.items()
    if op.differentiable
}
FAULTS = [
    (name, i)
    for name in FIXED
    for i, r in enumerate(PRIMITIVE[name].rules or [PRIMITIVE[name].shares])
    if r is not None
]


def passes(name: str) -> bool:
    try:
        for call in FIXED[name]:
            check_first_order(call)
    except AssertionError:
        return False
    return True


def replace_rules(name: str, change) -> None:
    """Every rule (numbered) of an op replaced by change(i, rule)."""
    op = PRIMITIVE[name]
    object.__setattr__(op, "rules", tuple([r and change(i, r) for i, r in enumerate(op.rules)]))
    object.__setattr__(op, "shares", op.shares and change(0, op.shares))


def put_back(name: str, right) -> None:
    for field, rules in zip(("rules", "shares"), right, strict=True):
        object.__setattr__(PRIMITIVE[name], field, rules)


def plus_one(share):
    """A wrong share; of all arrays, that of the first one is wrong."""
    if isinstance(share, list):
        first = share[0]() if callable(share[0]) else share[0]
        return [first + 1, *share[1:]]
    return share + 1


@pytest.mark.parametrize(("name", "i"), FAULTS, ids=[f"{name}-{i}" for name, i in FAULTS])
def test_rule_plus_one_is_caught(name, i):
    right = PRIMITIVE[name].rules, PRIMITIVE[name].shares

    def wrong(j, rule):
        return rule._replace(apply=lambda *args, **params: plus_one(rule.apply(*args, **params))) if j == i else rule

    assert passes(name)
    try:
        replace_rules(name, wrong)
        assert not passes(name), "a wrong rule went unnoticed"
    finally:
        put_back(name, right)


@pytest.mark.parametrize("name", FIXED)
def test_a_first_order_test_uses_no_other_ops_rules(name):
    """So that a wrong rule fails exactly its own op's test."""
    right = {other: (op.rules, op.shares) for other, op in PRIMITIVE.items()}

    def fails(*args, **params):
        raise AssertionError("the rule of another op was used")

    try:
        for other in PRIMITIVE:
            if other != name:
                replace_rules(other, lambda i, rule: rule._replace(apply=fails))
        assert passes(name)
    finally:
        for other, rules in right.items():
            put_back(other, rules)


def test_every_op_is_complete():
    for op in OPS.values():
        assert op.forward.__doc__, op
        assert op.symbol, op
        assert op.derived or op.rules or op.shares, op
        for i, r in enumerate(op.rules or [op.shares]):
            assert r is None or op.derived or rule_formula(op, i), op
