"""Defining ops: what a definition must have, and that a user's own op is treated like a built-in."""

import numpy as np
import pytest

from tinygrad_edu import (
    NONZERO,
    REAL,
    DefinitionError,
    DTypeError,
    Sample,
    ShapeError,
    Value,
    derived,
    elementwise,
    notations,
    operation,
    registry,
    rule,
    tanh,
)
from tinygrad_edu.term import Term
from tinygrad_edu.testing import numerical_gradient
from tinygrad_edu.typesetting import typeset

ONE = rule(lambda g, y, x: g)


@pytest.mark.usefixtures("temporary")
def test_a_users_op_is_recorded_drawn_and_differentiated_twice():
    @elementwise(
        symbol="swish",
        domain=(REAL,),
        rules=(swish_rule,),
        numpy=lambda x: x / (1 + np.exp(-x)),
    )
    def swish(x, /):
        """x times the logistic function of x."""
        return x / (1 + np.exp(-x))

    x = Value(np.array([-1.0, 0.5]))
    y = swish(x)
    assert (y.grad_fn.name, y.grad_fn.symbol) == ("swish", "swish")
    y.sum().backward(create_graph=True)
    first = x.grad
    assert np.allclose(first.data, numerical_gradient(lambda v: np.sum(swish(v)), x.data).value)
    x.zero_grad()
    first.sum().backward()
    expected = numerical_gradient(lambda v: np.sum(swish_rule(np.ones(2), swish(v), v)), np.array([-1.0, 0.5])).value
    assert np.allclose(x.grad, expected)


def swish_rule(g, y, x):
    s = (1 + tanh(x / 2)) / 2
    return g * (s + y * (1 - s))


@pytest.mark.usefixtures("temporary")
def test_a_users_general_op_and_its_options():
    @operation(rules=(lambda g, y, x, scale: 2 * scale * g * x,), samples=lambda shape: [Sample((shape,), {})])
    def energy(x, /, scale=1.0):
        """Sum of squares, scaled."""
        return scale * np.sum(x * x)

    x = Value(np.arange(3.0))
    energy(x, scale=2.0).backward()
    assert np.array_equal(x.grad, 4 * np.arange(3.0))
    assert energy(np.ones(2)) == 2.0


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    ("define", "message"),
    [
        (lambda: elementwise(rules=(ONE,))(lambda x, /: x), 'no docstring; write """What it computes."""'),
        (lambda: elementwise(rules=(ONE,))(unmarked), r"so no array; write def unmarked\(x, axis, /\)"),
        (
            lambda: elementwise(rules=ONE.apply)(documented),
            r"rules= is a function, expected a tuple, one per array: rules=",
        ),
        (
            lambda: elementwise(rules=("1 / x",))(documented),
            r"a rule is a str, expected a function of \(g, y, x\)",
        ),
        (lambda: elementwise(rules=ONE)(documented), "rules= is a Rule, expected a tuple"),
        (lambda: elementwise(rules=(ONE,), domain=REAL)(documented), "domain= is a Domain, expected a tuple"),
        (
            lambda: elementwise(rules=(lambda g, x: g,))(documented),
            r"a function of \(g, x\), expected one of \(g, y, x\)",
        ),
        (
            lambda: elementwise(rules=(ONE,), analitic=True)(documented),
            "unknown option analitic=; there are symbol, domain",
        ),
        (lambda: operation(rules=(ONE,), shares=ONE)(documented), "got rules= and shares=; write one of them"),
        (lambda: operation(rules=(ONE,))(with_option), r"write def with_option\(x, /, scale=2.0\)"),
        (
            lambda: elementwise(rules=(ONE, ONE))(documented),
            "got 2 rules for the arrays x; write rules= with one per array",
        ),
        (lambda: elementwise(rules=(ONE,), domain=(REAL, REAL))(documented), "got 2 domains for 1 arrays"),
        (lambda: operation(rules=(ONE, ONE))(variadic), r"got rules= for \*arrays; write shares="),
        (lambda: operation()(variadic), r"no shares= for \*arrays; write shares=, one rule"),
        (
            lambda: elementwise(domain=(NONZERO,), rules=(ONE,))(renamed("exp")),
            "exp: this name is taken by tinygrad_edu",
        ),
    ],
)
def test_incomplete_definitions_are_refused(define, message):
    with pytest.raises(DefinitionError, match=message):
        define()


def documented(x, /):
    """Nothing happens to x."""
    return x


def unmarked(x, axis):
    """Nothing happens to x."""
    return x


def with_option(x, scale=2.0):
    """x, scaled."""
    return scale * x


def variadic(*arrays):
    """The first array."""
    return arrays[0]


def renamed(name):
    def f(x, /):
        """Nothing happens to x."""
        return x

    f.__name__ = name
    return f


@pytest.mark.usefixtures("temporary")
def test_wrong_shape_of_a_rule_names_the_op():
    @operation(rules=(lambda g, y, x: np.ones(7),), samples=lambda shape: [Sample((shape,), {})])
    def broken(x, /):
        """The sum, with a wrong rule."""
        return np.sum(x)

    with pytest.raises(ShapeError, match=r"broken: a rule returned a gradient of shape \(7,\).*\(3,\)"):
        broken(Value(np.ones(3))).backward()


@pytest.mark.usefixtures("temporary")
def test_derived_op_is_recorded_as_its_ops():
    @derived(domain=(REAL,))
    def double_tanh(x, /):
        """tanh of tanh."""
        return tanh(tanh(x))

    y = double_tanh(Value(0.5))
    assert y.grad_fn.name == "tanh"
    assert double_tanh.op.derived
    assert not double_tanh.op.several
    assert double_tanh(0.5) == y.item()
    assert double_tanh([0.5])[0] == y.item()


def test_ops_are_functions_with_their_definition():
    for name, function in registry.items():
        assert function.__name__ == name
        assert function.op.name == name
        assert function.__doc__ == function.op.forward.__doc__


@pytest.mark.usefixtures("temporary")
def test_keyword_only_parameters_defaults_and_variadic_functions():
    @operation(rules=(lambda g, y, x, k: g * k,), samples=lambda shape: [Sample((shape,), {})])
    def scaled(x, /, *, k=3.0):
        """k times x."""
        return k * x

    x = Value(2.0)
    y = scaled(x)
    y.backward()
    assert (y.params, x.grad) == ({"k": 3.0}, 3.0)

    @elementwise(domain=(REAL, REAL), rules=(ONE2, ONE2))
    def plus(a, b=2.0, /):
        """a + b."""
        return a + b

    assert plus(Value(1.0)).data == 3.0

    @operation(shares=lambda g, y, *xs: [g for _ in xs])
    def total(*arrays):
        """The sum of all arrays."""
        return sum(arrays[1:], arrays[0])

    a, b = Value(1.0), Value(2.0)
    total(a, b, 3.0).backward()
    assert (a.grad, b.grad) == (1.0, 1.0)


ONE2 = rule(lambda g, y, a, b: g)


# -- What rules return -------------------------------------------------------------------------------------------------


def joint(shares):
    @operation(shares=shares)
    def summed(*arrays):
        """The sum of arrays of one shape."""
        return sum(arrays[1:], arrays[0])

    return summed


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    ("shares", "got"),
    [
        (lambda g, y, *xs: g, "ndarray"),
        (lambda g, y, *xs: [g], "1 shares"),
        (lambda g, y, *xs: [g] * 3, "3 shares"),
        (lambda g, y, *xs: (g for _ in xs), "generator"),
        (lambda g, y, *xs: None, "NoneType"),
    ],
)
def test_a_joint_rule_returns_one_share_per_array(shares, got):
    y = joint(shares)(Value(np.ones(2)), Value(np.ones(2)))
    with pytest.raises(
        DefinitionError, match=rf"^backward through summed: shares= returned {got}, expected a list of 2"
    ):
        y.sum().backward()


@pytest.mark.usefixtures("temporary")
def test_repeated_share_is_copied_for_leaves():
    a, b = Value(np.ones(2)), Value(np.ones(2))
    joint(lambda g, y, *xs: [2 * g] * len(xs))(a, b).sum().backward()
    a.grad *= 0
    assert b.grad.tolist() == [2.0, 2.0]


@pytest.mark.usefixtures("temporary")
def test_joint_rule_is_lazy():
    calls = []

    def shares(g, y, *xs):
        calls.append("rule")
        return [lambda: calls.append("first") or g / xs[1], lambda: calls.append("second") or g * 0.0]

    quotient = joint(shares)
    a, w = Value(1.0), Value(2.0)
    quotient(a, 0.0).backward()
    assert a.grad == np.inf
    assert calls == ["rule", "first"]
    frozen = Value(1.0)
    y = quotient(frozen, 1.0) * w
    frozen.requires_grad = False
    calls.clear()
    y.backward()
    assert calls == []
    assert w.grad == 2.0


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    ("returned", "message"), [(None, "returned None; write return"), ([1.0], "returned list; return a")]
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_rule_with_an_invalid_result_is_named(returned, message, create_graph):
    for define in (elementwise, operation):

        @define(rules=(lambda g, y, x: returned,))
        def odd(x, /):
            """x, with a wrong rule."""
            return x * 1.0

        with pytest.raises(DefinitionError, match=f"^backward through odd: a rule {message}"):
            odd(Value(np.ones(2))).sum().backward(create_graph=create_graph)


@pytest.mark.usefixtures("temporary")
def test_a_function_without_return_and_a_users_own_error():
    @elementwise(rules=(ONE,))
    def silent(x, /):
        """Nothing."""

    with pytest.raises(DTypeError, match="^silent: the function returned None, .*write return"):
        silent(Value(1.0))

    @elementwise(rules=(ONE,))
    def strict(x, /):
        """x, if it is positive."""
        if np.any(x < 0):
            raise ValueError("x must be positive")
        return x

    for x in (-1.0, np.array([-1.0])):
        with pytest.raises(ShapeError, match=r"^strict: x must be positive; got x"):
            strict(Value(x))

    @derived()
    def counted(x, /, n=0):
        """x, n times."""
        if n < 1:
            raise ValueError("n must be positive")
        return x * n

    with pytest.raises(ValueError, match="n must be positive"):
        counted(2.0, n=-1)


@pytest.mark.parametrize(
    ("notation", "shown"),
    [
        (notations.TEXT, "not(x > 0)"),
        (notations.Latex(), r"\operatorname{not}\left(x > 0\right)"),
    ],
)
def test_a_condition_that_is_turned_round_reads_not(notation, shown):
    assert typeset(~(Term.symbol("x") > 0), notation).text == shown
