"""Formulas are read off definitions, and equal them: forward functions and rules as expressions, `says=`, and formula()."""

import math
from dataclasses import replace

import numpy as np
import pytest
from wordings import MEANING

import tinygrad_edu as te
from tinygrad_edu import (
    Term,
    UnreadableError,
    Value,
    formula,
    forward_term,
    grad,
    registry,
    rule,
    rule_formula,
    rule_term,
    said_term,
)
from tinygrad_edu.notations import LATEX, MATHML, TEXT
from tinygrad_edu.reading import _rule, _symbols, operands_read, renamed
from tinygrad_edu.term import evaluate, symbols
from tinygrad_edu.testing.strategies import OpCall, points
from tinygrad_edu.typesetting import typeset

PRIMITIVE = {name: f.op for name, f in registry.items() if not f.op.derived}
RULES = [(name, i) for name, op in PRIMITIVE.items() for i, r in enumerate(op.rules or [op.shares]) if r is not None]
ELEMENTWISE = [(name, i) for name, i in RULES if PRIMITIVE[name].elementwise]

# What cannot be read as an expression, and why. A new op that cannot be gets a line, with its reason.
UNREADABLE_FORWARDS = {
    **dict.fromkeys(("erf", "erfc"), "loops over numbers or writes blocks"),
    **dict.fromkeys(("scatter", "index_set", "index_add", "index_max", "index_min"), "writes into a copy"),
    **dict.fromkeys(
        ("add_columns", "columns", "conv", "conv_transpose", "conv_weight", "max_pool", "sum_pool", "sum_unpool"),
        "writes window by window",
    ),
    "cofactor": "inverts only matrices whose determinant is not 0",
    "p_norm": "takes a shorter way for ordinary sizes",
}
UNREADABLE_RULES = {
    **dict.fromkeys(("prod", "cumprod"), "divides by x only if no product is 0 or out of range"),
    **dict.fromkeys(("index_max", "index_min"), "counts ties by writing"),
    "max_pool": "searches window by window",
    **dict.fromkeys(
        ("packed_qr", "packed_eigh", "packed_svd", "packed_slogdet", "pinv", "least_squares"), "refuses some matrices"
    ),
}


def numbers_for(op, seed=0):
    """A number in the domain of each array of an elementwise op."""
    rng = np.random.default_rng(seed)
    domains = [op.domain[min(i, len(op.domain) - 1)] for i in range(len(op.arrays))]
    return [bool(rng.integers(2)) if d.boolean else float(rng.choice(points(d))) for d in domains]


def params_of(op):
    return {name: x for name, x in op.parameters.defaults.items() if name not in op.arrays}


@pytest.mark.parametrize("name", PRIMITIVE)
def test_a_forward_function_is_read_or_has_a_reason(name):
    if name in UNREADABLE_FORWARDS:
        with pytest.raises(UnreadableError, match=r"it (writes into|makes|looks at|asks for) "):
            forward_term(PRIMITIVE[name])
    else:
        forward_term(PRIMITIVE[name])


@pytest.mark.parametrize(("name", "i"), RULES)
def test_a_rule_is_read_or_has_a_reason(name, i):
    op = PRIMITIVE[name]
    if name in UNREADABLE_RULES and (name, i) != ("least_squares", 1):
        with pytest.raises(UnreadableError, match=r"it (writes into|makes|looks at|asks for) "):
            rule_term(op, i)
        assert operands_read(op, i) >= {"g", "y"}
    else:
        rule_term(op, i)


@pytest.mark.parametrize(
    "name", [name for name, op in PRIMITIVE.items() if op.elementwise and name not in UNREADABLE_FORWARDS]
)
def test_a_forward_expression_equals_the_function(name):
    op = PRIMITIVE[name]
    term = forward_term(op, params_of(op))
    for seed in range(20):
        xs = numbers_for(op, seed)
        with np.errstate(all="ignore"):
            got = evaluate(term, dict(zip(op.arrays, map(np.float64, xs), strict=True)))
            expected = op.forward(*map(np.float64, xs), **params_of(op))
        assert np.allclose(got, expected, rtol=1e-14, atol=0, equal_nan=True), xs


@pytest.mark.parametrize(("name", "i"), ELEMENTWISE)
@pytest.mark.parametrize("read", [rule_term, said_term])
def test_an_elementwise_expression_equals_the_rule(name, i, read):
    """Both the rule as it is read, and as a person says it."""
    op = PRIMITIVE[name]
    term, params = read(op, i), params_of(op)
    for seed in range(20):
        xs = [np.float64(x) for x in numbers_for(op, seed)]
        with np.errstate(all="ignore"):
            y = op.forward(*xs, **params)
            expected = op.rules[i].apply(np.float64(1), y, *xs, **params)
            given = dict(zip(op.arrays, xs, strict=True)) | params | {"y": y}
            got = evaluate(term, given)
        assert np.allclose(got, expected, rtol=1e-9, atol=1e-12, equal_nan=True), (xs, got, expected)


@pytest.mark.parametrize(("name", "i"), [(n, i) for n, i in RULES if not PRIMITIVE[n].elementwise])
@pytest.mark.parametrize("read", [rule_term, said_term])
def test_an_expression_for_arrays_equals_the_rule(name, i, read):
    op = PRIMITIVE[name]
    rule = op.shares or op.rules[i]
    try:
        term = read(op, i)
    except UnreadableError:
        assert name in UNREADABLE_RULES  # as the test above has it
        assert read is rule_term or not callable(rule.says)
        return
    arrays, params, y = _symbols(op)
    xs, g = [x.behind for x in arrays], np.random.default_rng(1).normal(size=y.shape)[()]
    with np.errstate(all="ignore"):
        result = op.forward(*xs, **params)
        expected = _whole(rule.apply(g, result, *xs, **params), op, i)
        got = evaluate(term, {"y": result, "g": g} | {x.name: x.behind for x in arrays} | {"result": result})
    assert np.allclose(got, expected, rtol=1e-9)


def _whole(share, op, i):
    if op.shares is not None:
        share = share[i]() if callable(share[i]) else share[i]
    return share.whole() if hasattr(share, "whole") else share


WORDED = [(name, i) for name, i in RULES if isinstance(_rule(PRIMITIVE[name], i).says, str)]


def test_all_words_have_a_meaning():
    assert {_rule(PRIMITIVE[name], i).says for name, i in WORDED} == set(MEANING)


def every_sample(op):
    """A call of random numbers for each of the op's samples of some shapes; if its numbers are distinct, one with ties too."""
    rng = np.random.default_rng(0)
    for shape in ((), (3,), (2, 3), (3, 2), (1, 2, 2)):
        for sample in op.samples(shape):
            sizes = [int(np.prod(s)) for s in sample.shapes]
            numbers = np.split(rng.permutation(sum(sizes)) / 8 - 0.5, np.cumsum(sizes)[:-1])
            inputs = [x.reshape(s) for x, s in zip(numbers, sample.shapes, strict=True)]
            if sample.prepare is not None:
                inputs = sample.prepare(*inputs)
            call = OpCall(op, tuple(inputs), sample.params, sample.keywords, sample.gauge)
            yield call
            if op.domain[0].distinct:
                yield replace(call, inputs=tuple(map(np.floor, inputs)))


@pytest.mark.parametrize(("name", "i"), WORDED)
def test_words_mean_what_the_rule_computes(name, i):
    """0 / 0 in the words' formula says nothing."""
    op, compared = PRIMITIVE[name], 0
    for call in every_sample(op):
        values = [Value(x) for x in call.inputs]
        y = call(*values)
        params = params_of(op) | ((y.extra or {}).get("params", {}))
        g = np.random.default_rng(0).normal(size=y.shape)
        with np.errstate(all="ignore"):
            said = MEANING[_rule(op, i).says](g, np.asarray(y.data), *map(np.asarray, call.inputs), **params)
        y.backward(g)
        gradients, shares = ([value.grad for value in values], said) if op.shares else ([values[i].grad], [said])
        for gradient, share in zip(gradients, shares, strict=True):
            assert np.shape(share) == np.shape(gradient), call
            known = ~np.isnan(share)
            assert np.allclose(np.asarray(gradient)[known], share[known], rtol=1e-9, atol=1e-12), call
            compared += known.sum()
    assert compared > 5


def test_a_checkpoint_means_what_it_says():
    runs = []

    def f(x):
        runs.append(1)
        return np.sin(x) * x[::-1]

    x, g = np.array([0.3, 0.5, 0.9]), np.array([1.0, -2.0, 0.5])
    value = Value(x)
    y = te.checkpoint(f)(value)
    assert rule_formula(y.grad_fn) == "gᵀJ, with f run again"
    J = np.diag(np.cos(x) * x[::-1]) + np.fliplr(np.diag(np.sin(x)))
    before = len(runs)
    y.backward(g)
    assert np.allclose(value.grad, g @ J)
    assert len(runs) == before + 1


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("tanh", [{"g", "y"}]),
        ("multiply", [{"g", "b"}, {"g", "a"}]),
        ("add", [{"g"}, {"g"}]),
        ("sin", [{"g", "x"}]),
        ("sign", [set()]),
        ("prod", [{"g", "y", "x"}]),
        ("sum", [{"g"}]),
        ("getitem", [{"g"}]),
        ("linear", [{"g", "weight"}, {"g", "x"}, {"g"}]),
        ("softmax", [{"g", "y"}]),
    ],
)
def test_which_operands_a_rule_reads(name, reads):
    assert [set(operands_read(PRIMITIVE[name], i)) for i in range(len(reads))] == reads


# -- Typesetting -------------------------------------------------------------------------------------------------------

a, b, x = Term.symbol("a"), Term.symbol("b"), Term.symbol("x")


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (1 - x * x, "1 - x²"),
        (1 / (2 * x), "1 / (2x)"),
        (a * b * a, "a² · b"),
        ((a + b) * x, "(a + b) · x"),
        (a - (b - x), "a - b + x"),
        (-(a + b), "-(a + b)"),
        (a / b / x, "a / (b · x)"),
        (x ** (a - 1), "x^(a - 1)"),
        ((x**2) ** a, "(x²)^a"),
        (np.sqrt(1 - x * x), "√(1 - x²)"),
        (np.exp(-x * x), "e^(-x²)"),
        (np.log(x) * math.log(2), "ln 2 · ln x"),
        (np.where(x > 0, a, np.where(x == 0, 0.5, b)), "a if x > 0, 1/2 if x = 0, else b"),
        ((x > 0) * a, "a if x > 0, else 0"),
        (abs(x) + np.floor(a), "|x| + ⌊a⌋"),
        (x * 0.25, "1/4 · x"),
        (np.hypot(a, b), "√(a² + b²)"),
        (-x, "-x"),
        (2 * (-x), "-2x"),
        (x**-2, "1 / x²"),
        (np.maximum(a, b), "maximum(a, b)"),
    ],
)
def test_text(term, text):
    assert typeset(term).text in (text, text.replace("1/4 · x", "x / 4"), text.replace("ln 2 · ln x", "ln x · ln 2"))


def test_other_notations_are_whole():
    for name, i in ELEMENTWISE:
        latex, mathml = rule_formula(PRIMITIVE[name], i, LATEX), rule_formula(PRIMITIVE[name], i, MATHML)
        assert latex.count("{") == latex.count("}")
        assert latex.count(r"\left") == latex.count(r"\right")
        import xml.etree.ElementTree as ElementTree

        ElementTree.fromstring(f"<math>{mathml}</math>")
    assert typeset(a / (1 + x), LATEX).text == r"\frac{a}{1 + x}"


def test_a_formula_names_what_it_is_told():
    assert rule_formula(te.tanh.op, names={"y": "z"}) == "1 - z²"
    assert rule_formula(te.where.op, 0) == ""


@pytest.mark.usefixtures("temporary")
def test_a_users_rule_has_a_formula_and_may_say_another():
    @te.elementwise(rules=(rule(lambda g, y, x: g / (1 + x) * 1.0, says=lambda y, x: 1 / (x + 1)),))
    def own(x, /):
        """ln(1 + x)."""
        return np.log1p(x)

    assert rule_formula(own.op) == "1 / (x + 1)"
    assert typeset(rule_term(own.op)).text == "1 / (1 + x)"


# -- formula() ---------------------------------------------------------------------------------------------------------

FUNCTIONS = {
    "logistic loss": lambda w, x, t: te.log(1 + te.exp(-t * w * x)),
    "softplus loss": lambda w, x: te.softplus(-w * x),
    "Gaussian density": lambda x, mu, sigma: np.exp(-(((x - mu) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi)),
    "neuron": lambda a, b, c: te.tanh(a * b + c),
    "polynomial": lambda x: x**3 - 2 * x**2 + 5,
    "swish": lambda x: te.silu(x),
    "branches": lambda x: te.where(x > 0.4, x**2 * te.sin(x), te.exp(x) / x),
    "quotient": lambda x, y: (x - y) / (x * y + 1),
    "distance": lambda x, y: np.hypot(x, y),
    "powers": lambda x, n: x**n,
    "constant": lambda x: 3.0 + 0 * x,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("point", [(0.3, 0.7, 1.1), (0.9, 1.3, 0.4)])
def test_formulas_equal_the_engines_values_and_derivatives(name, point):
    f = FUNCTIONS[name]
    found = formula(f, order=2)
    numbers = dict(zip(found.variables, point, strict=False))
    y = evaluate(found.value, numbers)
    assert float(y) == pytest.approx(float(f(*numbers.values())), rel=1e-12)
    for chosen, term in found.derivatives.items():
        assert symbols(term) <= {*found.variables, found.name}
        derivative = f
        for variable in chosen:
            derivative = grad(derivative, argnums=found.variables.index(variable))
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = derivative(*numbers.values())
        assert float(evaluate(term, numbers | {found.name: y})) == pytest.approx(
            float(expected), rel=1e-9, abs=1e-12
        ), chosen


def test_third_derivatives_and_what_is_shown():
    found = formula(lambda x: x**4, order=3)
    assert str(found) == "y = x⁴\ndy/dx = 4x³\nd²y/dx² = 12x²\nd³y/dx³ = 24x"
    assert str(formula(FUNCTIONS["neuron"])).splitlines()[1] == "∂y/∂a = b · (1 - y²)"
    assert r"\frac{\partial y}{\partial a} &= b \cdot \left(1 - y^{2}\right)" in formula(FUNCTIONS["neuron"]).latex()
    assert formula(FUNCTIONS["neuron"]).mathml().startswith("<math")
    assert str(formula(FUNCTIONS["distance"])).splitlines()[0] == "f = √(x² + y²)"


@pytest.mark.parametrize(
    ("notation", "shown"),
    [
        (TEXT, "∂³y/∂a²∂b"),
        (LATEX, r"\frac{\partial ^{3}y}{\partial a^{2}\partial b}"),
        (
            MATHML,
            "<mfrac><mrow><msup><mo>∂</mo><mn>3</mn></msup><mi>y</mi></mrow>"
            "<mrow><mo>∂</mo><msup><mi>a</mi><mn>2</mn></msup><mo>∂</mo><mi>b</mi></mrow></mfrac>",
        ),
    ],
)
def test_a_derivative_is_written_in_each_notation(notation, shown):
    assert notation.derivative("∂", "y", ("a", "b", "a")) == shown


def test_terms_within_lists_and_parameters_are_replaced_too():
    term = np.concatenate([np.sum(Term.symbol("m", (2, 3)), axis=1), Term.symbol("v", (2,))])
    m, v = np.arange(6.0).reshape(2, 3), np.array([7.0, 8.0])
    assert np.array_equal(evaluate(renamed(term, {"m": "v", "v": "m"}), {"m": v, "v": m}), [3, 12, 7, 8])
    assert symbols(renamed((term, [term]), {"m": "w"})) == {"w", "v"}


def test_a_function_that_looks_at_numbers_is_refused():
    with pytest.raises(UnreadableError, match=r"^formula: it looks at numbers: greater\(x, 0\)"):
        formula(lambda x: x if x > 0 else -x)


def test_a_term_may_carry_the_numbers_of_a_run():
    seen = Term.symbol("x", seen=np.array([1.0, 2.0]))
    y = np.exp(seen) * 3
    assert y.seen
    assert np.array_equal(y.behind, np.exp([1.0, 2.0]) * 3)
    assert not (y + Term.symbol("a")).seen
    assert (y.shape, y.dtype, len(y), y.sum().shape) == ((2,), np.float64, 2, ())
