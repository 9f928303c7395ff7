"""The strategies: knobs do what they say, drawn calls print as code that repeats them, and faults shrink to small cases."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from tinygrad_edu import REAL, Domain, GradientError, InconclusiveError, Value, elementwise, registry
from tinygrad_edu.testing import check_gradients, check_vjp
from tinygrad_edu.testing.calls import code
from tinygrad_edu.testing.strategies import (
    ALL_LAYOUTS,
    LAYOUTS,
    Expression,
    OpCall,
    arrays,
    broadcastable,
    expressions,
    fixed_calls,
    joined,
    laid_out,
    op_calls,
    points,
    shapes,
)

few = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
KINKED, POSITIVE, DISTINCT = Domain(kinks=(0.0, 1.5)), Domain(low=0.0), Domain(distinct=True)
X = np.ones((2, 3))
sides = shapes(min_side=1)


def scope():
    return {"np": np, "laid_out": laid_out, **registry}


def collected(strategy, count):
    """The first examples of a strategy."""
    found = []
    settings(few, max_examples=count, database=None)(given(strategy)(lambda x: found.append(x)))()
    return found


# -- Knobs -------------------------------------------------------------------------------------------------------------


@few
@given(st.sampled_from([REAL, KINKED, POSITIVE, DISTINCT]).flatmap(lambda d: arrays(d, shapes(), ties=True)))
def test_ties(x):
    assert np.size(x) < 2 or len(np.unique(x)) < np.size(x)


@few
@given(
    arrays(KINKED, sides, zeros=True), arrays(POSITIVE, sides, zeros=True), arrays(Domain(low=1.0), sides, zeros=True)
)
def test_zeros(x, at_the_end, outside):
    assert np.any(np.equal(x, 0))
    assert np.any(np.equal(at_the_end, 0))
    assert not np.any(np.equal(outside, 0))


@few
@given(arrays(KINKED, sides, kinks=True), arrays(REAL, sides, kinks=True))
def test_kinks(x, none):
    near = np.abs(np.asarray(x)[..., None] - np.array(KINKED.kinks))
    assert np.any(near <= 1e-3)
    assert np.shape(none) != () or isinstance(none, float)


@few
@given(st.sampled_from([np.float64, np.float32, np.float16]), st.data())
def test_extremes_and_dtypes(dtype, data):
    info = np.finfo(dtype)
    for domain in (REAL, POSITIVE, Domain(-1.0, 1.0)):
        x = np.asarray(data.draw(arrays(domain, sides, dtype, extremes=True)))
        assert x.dtype == dtype
        assert np.all(np.isfinite(x))
        assert np.all((x > domain.low) & (x < domain.high))
        size = np.abs(x.astype(float))
        assert np.any((size <= 2 * info.tiny) | (size > 100) | (size >= 1 - 4 * info.eps))


@pytest.mark.parametrize("knob", ["ties", "zeros", "kinks", "extremes"])
def test_options_do_not_affect_other_arrays(knob):
    @few
    @given(st.data())
    def law(data):
        assert np.asarray(data.draw(arrays(Domain(boolean=True), shapes(), **{knob: True}))).dtype == bool
        assert data.draw(arrays(KINKED, (0, 2), **{knob: True})).shape == (0, 2)
        plain = np.asarray(data.draw(arrays(KINKED, shapes())))
        assert all(np.all(np.abs(plain - kink) >= 0.25) for kink in KINKED.kinks)

    law()


def test_numbers_are_eighths_that_keep_away_from_ends_and_kinks():
    assert points(Domain(0.0, 1.0, kinks=(0.5,))) == [0.25, 0.75]
    assert points(REAL)[:3] == [0.0, 0.125, -0.125]
    assert (min(points(REAL)), max(points(REAL))) == (-2.75, 2.75)
    drawn = collected(arrays(KINKED, (3,)), 100)
    assert {x for row in drawn for x in row.tolist()} <= set(points(KINKED))


def test_shapes_programs_and_calls_stay_small():
    together = collected(broadcastable(2), 300)
    assert {n for pair in together for shape in pair for n in shape} == {0, 1, 2, 3}
    assert max(len(shape) for pair in together for shape in pair) == 3
    programs = collected(expressions(), 300)
    assert max(len(program.steps) for program in programs) == 12
    assert max(len(program.inputs) for program in programs) == 3
    chosen = collected(expressions(ops=["sin", "add"]), 100)
    assert {name for program in chosen for name, _ in program.steps} - {"tanh"} == {
        "sin",
        "add",
    }  # tanh keeps sums small
    used = [registry[name].op for program in programs for name, _ in program.steps]
    assert all(op.elementwise and not op.derived and set(op.domain) == {REAL} and all(op.rules) for op in used)
    assert any(np.size(x) == 0 for call in fixed_calls(registry["multiply"].op, 30) for x in call.inputs)


@pytest.mark.usefixtures("temporary")
def test_programs_leave_out_what_is_not_smooth_in_every_input():
    @elementwise(rules=(lambda g, y, a, b: g, None))
    def half_smooth(a, b, /):
        """The sum of a number and of one rounded down."""
        return a + np.floor(b)

    assert "half_smooth" not in {name for program in collected(expressions(), 100) for name, _ in program.steps}


@pytest.mark.usefixtures("temporary")
def test_numbers_are_distinct_among_all_inputs_if_one_input_needs_it():
    @elementwise(domain=(DISTINCT, REAL), rules=(lambda g, y, a, b: g, lambda g, y, a, b: g))
    def apart(a, b, /):
        """The sum of numbers that are apart."""
        return a + b

    for call in collected(op_calls(apart.op), 60):
        numbers = np.concatenate([np.ravel(x) for x in call.inputs])
        assert len(np.unique(numbers)) == len(numbers)


def test_options_combine():
    @few
    @given(arrays(KINKED, (4,), np.float32, ties=True, zeros=True, kinks=True, extremes=True, layouts=("reversed",)))
    def law(x):
        assert len(np.unique(x)) < 4
        assert x.strides == (-4,)

    law()


def test_all_layouts_hold_the_same_numbers():
    numbers = np.arange(6.0).reshape(2, 3)
    made = {layout: laid_out(numbers, layout) for layout in ALL_LAYOUTS}
    assert all(np.array_equal(x, numbers) for x in made.values())
    assert made["reversed"].strides == (-24, -8)
    assert made["window"].base is not None
    assert made["window"].strides == (40, 8)
    assert set(LAYOUTS) < set(ALL_LAYOUTS)


@pytest.mark.parametrize("layout", ALL_LAYOUTS)
def test_every_layout_has_the_same_gradient(layout):
    report = check_gradients(lambda x: np.tanh(x) * x, laid_out(np.arange(6.0).reshape(2, 3) / 4, layout))
    assert (report.compared, report.wrong) == (6, ())


# -- Code --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry)
def test_a_call_prints_as_code_that_repeats_it(name):
    @settings(few, max_examples=15)
    @given(op_calls(registry[name].op))
    def law(call):
        again = joined(eval(repr(call), scope()))
        expected = call(*call.inputs)
        assert np.array_equal(again, expected, equal_nan=True)
        assert np.asarray(again).dtype == np.asarray(expected).dtype

    law()


@few
@given(arrays(REAL, shapes(), np.float32, layouts=ALL_LAYOUTS))
def test_code_keeps_dtype_shape_and_layout(x):
    text = repr(OpCall(registry["tanh"].op, (x,), {}))
    again = eval(text.removeprefix("tanh"), scope())
    assert np.array_equal(again, x)
    assert (np.shape(again), again.dtype) == (np.shape(x), np.float32)
    if np.ndim(x):
        assert again.flags.c_contiguous == x.flags.c_contiguous
        assert again.flags.writeable == x.flags.writeable
        assert x.size < 2 or again.strides == x.strides


@pytest.mark.parametrize(
    "x", [np.nan, -np.inf, np.float32(np.inf), np.array([np.nan, -np.inf]), np.array([True]), np.float32(0.1)]
)
def test_code_of_what_is_not_finite_or_not_float64(x):
    again = eval(repr(OpCall(registry["tanh"].op, (x,), {})).removeprefix("tanh"), scope())
    assert np.array_equal(again, x, equal_nan=np.asarray(x).dtype != bool)
    assert type(again) is type(x)


@few
@given(expressions())
def test_an_expression_prints_as_code_that_repeats_it(expression):
    names = scope()
    exec(repr(expression), names)
    last = names[f"v{len(expression.inputs) + len(expression.steps) - 1}"]
    assert np.array_equal(last, expression(*expression.inputs))


@pytest.mark.parametrize(
    ("name", "inputs", "positions"),
    [
        ("multiply", (1.0, 2.0), [0, 1]),
        ("where", (True, 1.0, 2.0), [1, 2]),
        ("concatenate", (X, X), [0, 1]),
        ("std", (X,), [0]),
    ],
)
def test_a_call_knows_its_differentiable_inputs(name, inputs, positions):
    assert OpCall(registry[name].op, inputs, {}).differentiable == positions


def test_gradients_of_a_call_are_recorded_if_asked():
    call = OpCall(registry["multiply"].op, (2.0, 3.0), {})
    assert [x.grad for x in call.backward(call.inputs, 10.0)] == [30.0, 20.0]
    kinds = [[type(x.grad) for x in call.backward(call.inputs, 1.0, create_graph=on)] for on in (False, True)]
    assert kinds == [[float, float], [Value, Value]]
    assert type(call.backward(call.inputs, 1.0)[0].grad) is float


def test_code_format():
    x = np.array([[0.25, 1.0]])
    assert '"window"' in code(np.lib.stride_tricks.as_strided(np.ones(2), (3, 2), (0, 8)))  # no step is negative
    assert code(np.eye(2)[::-1]) == 'laid_out(np.array([[0.0, 1.0], [1.0, 0.0]]), "reversed", dtype=np.float64)'
    assert repr(OpCall(registry["softmax"].op, (x,), {"axis": 1})) == "softmax(np.array([[0.25, 1.0]]), axis=1)"
    assert repr(OpCall(registry["concatenate"].op, (x, x[:0]), {"axis": 0})) == (
        "concatenate([np.array([[0.25, 1.0]]), np.zeros((0, 2), np.float64)], axis=0)"
    )
    assert repr(OpCall(registry["einsum"].op, (x,), {"subscripts": "ij->i"})) == (
        "einsum('ij->i', np.array([[0.25, 1.0]]))"
    )
    assert (
        repr(Expression((2.0,), (("square", (0,)), ("add", (0, 1))))) == "v0 = 2.0\nv1 = square(v0)\nv2 = add(v0, v1)"
    )


# -- Shrinking ---------------------------------------------------------------------------------------------------------

searching = settings(
    max_examples=2000, deadline=None, derandomize=True, database=None, phases=[Phase.generate, Phase.shrink]
)


def rejected(check, *args):
    try:
        check(*args)
    except GradientError as error:
        return not isinstance(error, InconclusiveError)  # of an empty array
    return False


def test_a_fault_at_a_kink_shrinks_to_that_kink():
    def wrong_at_0(g, x):
        return g * np.where(x == 0, 2.0, x > 0)

    strategy = arrays(Domain(kinks=(0.0,)), shapes(), kinks=True)
    x = find(strategy, lambda x: rejected(check_vjp, lambda x: np.maximum(x, 0), wrong_at_0, x), settings=searching)
    assert np.array_equal(x, 0.0)
    assert np.ndim(x) == 0
    assert not find(strategy, lambda x: np.ndim(x) == 0, settings=searching)


def test_a_fault_with_ties_shrinks_to_two_equal_numbers():
    def counts_ties_twice(g, x):
        return g * (x == np.max(x))

    x = find(
        arrays(DISTINCT, shapes(min_side=1), ties=True),
        lambda x: rejected(check_vjp, np.max, counts_ties_twice, x),
        settings=searching,
    )
    assert np.size(x) == 2
    assert len(np.unique(x)) == 1


def test_a_fault_that_depends_on_memory_order_shrinks_to_a_matrix():
    def wrong_for_fortran(g, x):
        return 2 * g * np.ravel(x, order="K").reshape(x.shape)

    x = find(
        arrays(REAL, shapes(min_ndim=2, max_ndim=2, min_side=1)),
        lambda x: rejected(check_vjp, lambda x: x * x, wrong_for_fortran, x),
        settings=searching,
    )
    assert x.shape == (2, 2)
    assert not x.flags.c_contiguous
    assert set(np.unique(x)) == {0.0, 0.125}


def test_a_faulty_op_shrinks_to_a_small_call_and_expression():
    before = dict(registry)
    try:

        @elementwise(domain=(REAL,), numpy=np.sin, rules=(_almost_cosine,))
        def faulty_sine(x, /):
            """sin(x), with a wrong derivative for x > 1."""
            return np.sin(x)

        call = find(
            op_calls(faulty_sine.op), lambda c: rejected(check_gradients, faulty_sine, *c.inputs), settings=searching
        )
        assert repr(call) == "faulty_sine(1.125)"

        expression = find(
            expressions(),
            lambda e: "faulty_sine" in repr(e) and rejected(check_gradients, e, *e.inputs),
            settings=searching,
        )
        assert len(expression.steps) <= 2
        assert all(np.ndim(x) == 0 for x in expression.inputs)
    finally:
        registry.clear()
        registry.update(before)


def _almost_cosine(g, y, x):
    data = x.data if isinstance(x, Value) else x
    return g * np.cos(x) * np.where(np.greater(data, 1), 1.5, 1.0)


def test_a_shared_input_shrinks_to_one_step():
    shared = find(expressions(), lambda e: any(len(set(p)) < len(p) for _, p in e.steps), settings=searching)
    first, step = repr(shared).splitlines()
    assert first == "v0 = 0.0"
    assert step.startswith("v1 = ")
    assert step.endswith("(v0, v0)")


@pytest.mark.parametrize("count", [1, 5])
def test_fixed_calls_are_so_many_and_the_same_each_time(count):
    op = registry["multiply"].op
    calls = fixed_calls(op, count, min_side=2)
    assert len(calls) == count
    assert [str(call) for call in calls] == [str(call) for call in fixed_calls(op, count, min_side=2)]
    assert all(n >= 2 for call in calls for x in call.inputs for n in np.shape(x) if n != 1)
