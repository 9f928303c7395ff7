"""The zero rule of whole-array operations: what a slice holds does not matter where its gradient is 0.

The slices of the law are found by the forward function alone: which results an element enters. So the law knows nothing of the
definitions' `slices`.
"""

from dataclasses import replace

import numpy as np
import pytest

import nn
from tinygrad_edu import (
    DefinitionError,
    MatrixError,
    Sample,
    TinygradError,
    Value,
    einsum,
    elementwise,
    grad,
    hessian,
    layer_norm,
    linear,
    log_softmax,
    logsumexp,
    operation,
    registry,
    softmax,
    where,
)
from tinygrad_edu.testing.strategies import fixed_calls

nan, inf = np.nan, np.inf
OPS = {name: f.op for name, f in registry.items() if f.op.derived or f.op.differentiable}
REFUSED = "forward refuses matrices that are not finite"
EXCEPTIONS = {  # and the reason
    "packed_eigh": REFUSED,
    "eigh": REFUSED,
    "eigvalsh": REFUSED,
    "packed_svd": REFUSED,
    "svd": REFUSED,
    "svdvals": REFUSED,
    "pinv": REFUSED,
    "least_squares": REFUSED,
    "lstsq": REFUSED,
    "index_max": "an index, not an axis, says which values meet which elements",
    "index_min": "an index, not an axis, says which values meet which elements",
}
NAMED = [
    "sum",
    "prod",
    "norm",
    "std",
    "var",
    "mean",
    "max",
    "min",
    "ptp",
    "logsumexp",
    "median",
    "quantile",
    "softmax",
    "log_softmax",
    "sort",
    "cumsum",
    "cumprod",
    "layer_norm",
    "rms_norm",
    "matmul",
    "linear",
    "einsum",
    "dot",
    "inner",
    "tensordot",
    "vecdot",
    "vdot",
    "cross",
    "convolve",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "solve",
    "inv",
    "cholesky",
    "det",
    "slogdet",
    "qr",
    "cov",
    "corrcoef",
    "cross_entropy",
]
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def results_entered(call):
    """For each element (input, place) the results that change with it: of the forward function alone."""
    base = np.ravel(call(*call.inputs))
    entered = {}
    for i in call.differentiable:
        x = np.asarray(call.inputs[i])
        for place in np.ndindex(x.shape):
            changed = np.zeros(base.size, bool)
            for number in (nan, inf, x[place] + 1e-3, 100.0, -100.0):
                try:
                    y = np.ravel(call(*with_numbers(call, [(i, place)], [number])))
                except MatrixError:
                    continue
                changed |= ~np.equal(y, base)
            entered[i, place] = frozenset(np.flatnonzero(changed).tolist())
    return entered


def with_numbers(call, elements, numbers):
    """The inputs with numbers at elements."""
    inputs = [np.array(x, float) if i in call.differentiable else x for i, x in enumerate(call.inputs)]
    for (i, place), number in zip(elements, numbers, strict=True):
        inputs[i][place] = number
    if call.within is not None:
        inputs = [call.within(x) for x in inputs]
    return [x if np.ndim(x) or i not in call.differentiable else float(x) for i, x in enumerate(inputs)]


def masked_slices(call, most=3):
    """Pairs of the results to mask and all elements that enter only those: for each input the largest sets of results."""
    entered = results_entered(call)
    constant = set(range(np.size(call(*call.inputs)))).difference(*entered.values())
    for i in call.differentiable:
        sets = {results for (j, _), results in entered.items() if i == j and results}
        largest = {results for results in sets if not any(results < other for other in sets)}
        for results in sorted(largest, key=sorted)[:most]:
            yield sorted(results | constant), [e for e, own in entered.items() if own and own <= results]


def shares(call, inputs, g, order):
    """The gradient of sum(g * y) with respect to each input; of order 2, that of a weighted sum of those gradients."""
    values = [Value(x) if i in call.differentiable else x for i, x in enumerate(inputs)]
    leaves = [values[i] for i in call.differentiable]
    y = call(*values)
    y.backward(np.reshape(g, y.shape) if y.shape else float(g[0]), create_graph=order == 2, retain_graph=order == 2)
    if order == 2:
        draw, total = np.random.default_rng(5), 0.0
        for v in leaves:
            total = total + (v.grad * draw.uniform(0.5, 1.5, v.shape)).sum()
            v.zero_grad()
        if total.requires_grad:
            total.backward()
    return [np.zeros(v.shape) if v.grad is None else np.asarray(v.grad) for v in leaves]


def calls_of(op, count=4):
    """Calls with distinct numbers: at 0 and 1, 0 * x and 1 ** x do not change with x."""
    draw = np.random.default_rng(1)
    for call in fixed_calls(op, count, min_side=2):
        inputs = [
            x + draw.uniform(-0.01, 0.01, np.shape(x)) if i in call.differentiable else x
            for i, x in enumerate(call.inputs)
        ]
        if call.within is not None:
            inputs = [call.within(x) for x in inputs]
        if call.differentiable and all(np.size(x) for x in inputs):
            yield replace(call, inputs=tuple(inputs))


def violations(op):
    """How often the law was held, refused by the forward function, and violated."""
    rng, counts = np.random.default_rng(0), {"held": 0, "refused": 0, "violated": 0}
    for call in calls_of(op):
        for results, elements in masked_slices(call):
            g = rng.uniform(0.5, 1.5, np.size(call(*call.inputs)))
            g[results] = 0
            for numbers in ([nan], [inf], [nan, inf, -inf]):
                inputs = with_numbers(call, elements, rng.choice(numbers, len(elements)))
                try:
                    call(*inputs)
                except MatrixError:
                    counts["refused"] += 1
                    continue
                for order in (1, 2):
                    expected = shares(call, call.inputs, g, order)
                    masked = [expected[call.differentiable.index(i)][place] for i, place in elements]
                    assert close(masked, 0), "results that these elements enter have a gradient"
                    try:
                        got = shares(call, inputs, g, order)
                        right = all(map(close, got, expected))
                    except (TinygradError, np.linalg.LinAlgError, ArithmeticError):
                        right = False
                    counts["held" if right else "violated"] += 1
    return counts


def close(a, b):
    return np.allclose(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", OPS)
def test_what_a_masked_slice_holds_does_not_matter(name):
    counts = violations(OPS[name])
    if name in EXCEPTIONS:
        assert counts["refused" if EXCEPTIONS[name] == REFUSED else "violated"], f"{name} is no exception"
    else:
        assert counts["violated"] == 0, counts
        assert counts["held"], counts


def test_no_exception_has_a_name_that_the_docs_promise():
    assert not set(NAMED) & EXCEPTIONS.keys()
    assert set(NAMED) <= OPS.keys()


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.slices])
def test_without_its_slices_an_op_violates_the_law(name, monkeypatch):
    monkeypatch.setattr("tinygrad_edu.graph.harmless", lambda op, given, params: given)
    assert violations(OPS[name])["violated"]


# -- What stays --------------------------------------------------------------------------------------------------------

KEEP = np.array([True, False])


def slope(f, x):
    return grad(lambda x: np.sum(f(x)))(np.array(x))


def test_a_slice_whose_gradient_is_not_zero_keeps_its_nan():
    x = [[1.0, 2.0], [nan, 1.0], [nan, 0.0]]
    mask = np.array([[True], [True], [False]])
    assert np.array_equal(np.isnan(slope(lambda x: where(mask, softmax(x) ** 2, 0.0), x)), [[0, 0], [1, 1], [0, 0]])
    got = slope(lambda w: where(mask[:, 0], np.array(x) @ w, 0.0), [1.0, 1.0])
    assert np.array_equal(got, [nan, 3.0], equal_nan=True)


def test_one_live_term_of_a_number_keeps_all_of_it():
    data = np.array([[1.0, 2.0], [nan, nan]])
    mask = np.array([[True, True], [True, False]])
    got = slope(lambda w: where(mask, data @ w, 0.0), np.ones((2, 2)))
    assert np.isnan(got[:, 0]).all()  # of the row of NaN a live result


def test_one_live_result_of_a_row_keeps_all_of_it():
    got = slope(lambda x: where(np.array([[True, False]]), softmax(x), 0.0), [[1.0, nan], [1.0, 1.0]])
    assert np.array_equal(np.isnan(got), [[True, True], [False, False]])


def test_live_terms_of_opposite_signs_keep_a_number():
    a = np.array([[nan, 1.0, 1.0], [1.0, 1.0, nan]])
    got = slope(lambda b: where(KEEP[:, None], np.cross(a, b), 0.0), np.ones(3))
    assert np.array_equal(np.isnan(got), [False, True, True])  # b[0] meets only the other components of the live row


def test_finite_factors_with_a_gradient_of_zero_by_chance_keep_their_mixed_derivatives():
    data, v, w = np.array([[3.0, 4.0], [nan, 1.0]]), Value(np.ones(2)), Value(np.zeros(2))
    where(KEEP, w * (data @ v), 0.0).sum().backward(create_graph=True)
    first = v.grad
    assert np.array_equal(first.data, [0.0, 0.0])
    w.zero_grad()
    first.sum().backward()
    assert np.array_equal(w.grad, [7.0, 0.0])


def test_a_slice_that_is_not_finite_counts_as_constant_where_its_gradient_is_zero_by_chance():
    x, w = Value(np.array([[3.0, 4.0], [nan, 1.0]])), Value(np.array([1.0, 0.0]))
    np.linalg.norm(x, axis=1).backward(w, create_graph=True)
    first = x.grad
    assert np.allclose(first.data, [[0.6, 0.8], [0.0, 0.0]])
    w.zero_grad()
    first.sum().backward()
    assert np.allclose(w.grad, [0.6 + 0.8, 0.0])


def test_finite_slices_with_a_gradient_of_zero_by_chance_keep_their_mixed_derivatives():
    """At w = 0 the gradient of x is 0, and its derivative with respect to w is not, though another row is masked."""
    x = Value(np.array([[3.0, 4.0], [nan, 1.0]]))
    w = Value(np.zeros(2))
    where(KEEP, w * np.linalg.norm(x, axis=1), 0.0).sum().backward(create_graph=True)
    first = x.grad
    assert np.array_equal(first.data, np.zeros((2, 2)))
    x.zero_grad()
    w.zero_grad()
    first[0].sum().backward()
    assert np.allclose(w.grad, [0.6 + 0.8, 0.0])


# -- Cases that users report -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("retain_graph", [True, False])
@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: where(KEEP[:, None], softmax(x, axis=1), 0.0)[:, 0], [[0.0, 0.0], [-inf, -inf]], [0.25, -0.25]),
        (lambda x: where(KEEP, log_softmax(x, axis=1)[:, 0], 0.0), [[0.0, 0.0], [-inf, -inf]], [0.5, -0.5]),
        (lambda x: where(KEEP, logsumexp(x, axis=1), 0.0), [[1.0, 1.0], [inf, 1.0]], [0.5, 0.5]),
        (lambda x: where(KEEP, np.linalg.norm(x, axis=1), 0.0), [[3.0, 4.0], [inf, 1.0]], [0.6, 0.8]),
        (lambda x: where(KEEP, np.std(x, axis=1), 0.0), [[3.0, 4.0], [inf, 1.0]], [-0.5, 0.5]),
        (lambda x: where(KEEP, np.prod(x, axis=1), 0.0), [[3.0, 4.0], [inf, 0.0]], [4.0, 3.0]),
        (lambda x: where(KEEP, np.max(x, axis=1), 0.0), [[3.0, 4.0], [nan, 1.0]], [0.0, 1.0]),
        (lambda x: np.nan_to_num(np.median(x, axis=1)), [[3.0, 4.0], [nan, 1.0]], [0.5, 0.5]),
        (lambda x: np.nansum(np.sum(x * x, axis=1)), [[3.0, 4.0], [nan, 1.0]], [6.0, 8.0]),
    ],
)
def test_a_masked_row(f, x, expected, retain_graph):
    v = Value(np.array(x))
    f(v).sum().backward(retain_graph=retain_graph)
    assert np.allclose(v.grad, [expected, [0.0, 0.0]], atol=1e-15)


def test_padded_rows_of_products():
    data = np.array([[3.0, 4.0], [nan, inf]])
    w = np.array([1.0, 2.0])
    expected = np.array([3.0, 4.0])
    for product in (
        lambda w: data @ w,
        lambda w: np.dot(data, w),
        lambda w: np.inner(data, w),
        lambda w: np.tensordot(data, w, 1),
        lambda w: np.vecdot(data, w),
        lambda w: einsum("ij,j->i", data, w),
        lambda w: linear(data, w[None], np.zeros(1))[:, 0],
        lambda w: np.sum(data * w, axis=1),
    ):
        assert np.array_equal(slope(lambda w, product=product: where(KEEP, product(w), 0.0), w), expected)


def test_padded_steps_of_a_convolution():
    x = np.array([[[1.0, 2.0, 3.0, nan, nan]]])
    live = np.array([True, True, False, False])
    expected = slope(lambda w: np.convolve(x[0, 0, :3], w[0, 0, ::-1], "valid"), np.ones((1, 1, 2)))
    got = grad(lambda w: np.sum(where(live, registry["conv1d"](x, w), 0.0)))(np.ones((1, 1, 2)))
    assert np.array_equal(got, expected)


def test_a_stack_of_matrices_with_a_masked_one():
    good = np.array([[2.0, 1.0], [0.5, 3.0]])
    stack = np.stack([good, np.full((2, 2), nan)])
    for f in (np.linalg.inv, np.linalg.det, lambda x: np.linalg.solve(x, np.ones((2, 1))), lambda x: np.linalg.qr(x).R):
        alone = slope(f, good)
        mask = KEEP.reshape(2, *[1] * (np.ndim(f(stack)) - 1))
        got = slope(lambda x, f=f, mask=mask: where(mask, f(x), 0.0), stack)
        assert np.allclose(got, [alone, np.zeros((2, 2))])


def test_integers_beside_a_masked_right_hand_side():
    a, b = np.array([[[2, 1], [1, 3]]] * 2), np.array([[[1.0], [2.0]], [[nan], [1.0]]])
    got = slope(lambda b: where(KEEP[:, None, None], np.linalg.solve(a, b), 0.0), b)
    assert np.allclose(got[0], np.linalg.solve(a[0].T, np.ones((2, 1))))
    assert np.array_equal(got[1], [[0.0], [0.0]])


def test_a_singular_matrix_that_is_masked_has_no_say_in_slogdet():
    stack = np.stack([np.diag([2.0, 4.0]), np.zeros((2, 2))])
    got = slope(lambda x: where(KEEP, np.linalg.slogdet(x).logabsdet, 0.0), stack)
    assert np.array_equal(got, [np.diag([0.5, 0.25]), np.zeros((2, 2))])


def test_a_whole_result_that_is_masked():
    for f in (logsumexp, np.linalg.norm, np.prod, lambda x: np.dot(x, x), np.median):
        assert np.array_equal(slope(lambda x, f=f: where(False, f(x), 0.0), [nan, inf]), [0.0, 0.0])


def test_a_layer_trained_on_padded_rows():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.LayerNorm(4), nn.Linear(4, 2, rng=rng), nn.Softmax(1))
    x = rng.standard_normal((3, 3))
    padded = np.concatenate([x, np.full((1, 3), nan)])
    mask = np.array([True, True, True, False])[:, None]
    gradients = []
    for given, of in ((x, lambda y: y), (padded, lambda y: where(mask, y, 0.0))):
        model.zero_grad()
        (of(model(given))[:, 0] ** 2).sum().backward(retain_graph=False)
        gradients.append([p.grad for p in model.parameters()])
    assert all(map(close, *gradients))


def test_the_hessian_of_a_masked_function():
    x = np.array([[0.5, 1.0], [-inf, nan]])
    f = lambda x: np.sum(where(KEEP[:, None], layer_norm(softmax(x, axis=1)) ** 3, 0.0))
    alone = hessian(lambda x: np.sum(layer_norm(softmax(x)) ** 3))(x[0])
    got = hessian(f)(x)
    assert np.allclose(got[0, :, 0], alone)
    assert np.count_nonzero(got[1]) == np.count_nonzero(got[:, :, 1]) == 0


# -- A user's own op ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("temporary")
def test_a_users_op_with_slices_along_an_axis():
    @operation(rules=(lambda g, y, x, axis: 2 * np.expand_dims(g, axis) * x,), slices="axis")
    def energy(x, /, axis=-1):
        """Sum of squares along an axis."""
        return np.sum(x * x, axis=axis)

    assert np.array_equal(
        slope(lambda x: where(KEEP, energy(x, axis=1), 0.0), [[1.0, 2.0], [nan, 1.0]]), [[2, 4], [0, 0]]
    )


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("slices", ["...i->...", lambda x: "...i->..."])
def test_a_users_op_says_its_slices(slices):
    @operation(rules=(lambda g, y, x: 2 * g[..., None] * x,), slices=slices, samples=lambda shape: [Sample((shape,))])
    def energy(x, /):
        """Sum of squares along the last axis."""
        return np.sum(x * x, axis=-1)

    assert np.array_equal(slope(lambda x: where(KEEP, energy(x), 0.0), [[1.0, 2.0], [nan, 1.0]]), [[2, 4], [0, 0]])


@pytest.mark.usefixtures("temporary")
def test_slices_in_another_order_than_the_result_has_them():
    @operation(rules=(lambda g, y, x: 2 * g.T[..., None] * x,), slices="ijk->ji")
    def energy(x, /):
        """Sum of squares along the last axis, transposed."""
        return np.sum(x * x, axis=-1).T

    x = np.arange(12.0).reshape(2, 3, 2)
    x[0, 2], x[1, 0] = nan, inf
    masked = np.isfinite(x).all(axis=-1)
    assert np.array_equal(slope(lambda x: where(masked.T, energy(x), 0.0), x), np.where(masked[..., None], 2 * x, 0))


@pytest.mark.usefixtures("temporary")
def test_slices_along_a_diagonal():
    @operation(rules=(lambda g, y, x: 2 * np.diag(g) * x,), slices="ii->i")
    def squares(x, /):
        """The squares of the diagonal."""
        return np.diagonal(x) ** 2

    got = slope(lambda x: where(KEEP, squares(x), 0.0), [[3.0, 1.0], [1.0, nan]])
    assert np.array_equal(got, [[6.0, 0.0], [0.0, 0.0]])


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("slices", ["axis", "i->i->", "...i,...i->...", "i"])
def test_slices_that_do_not_fit_a_definition_are_refused(slices):
    with pytest.raises(DefinitionError, match="energy: got slices=.*, expected"):

        @operation(rules=(lambda g, y, x: 2 * g[..., None] * x,), slices=slices)
        def energy(x, /):
            """Sum of squares along the last axis."""
            return np.sum(x * x, axis=-1)


@pytest.mark.usefixtures("temporary")
def test_slices_of_an_elementwise_op_are_refused():
    with pytest.raises(DefinitionError, match="twice: got slices="):

        @elementwise(rules=(lambda g, y, x: 2 * g,), slices="i->i")
        def twice(x, /):
            """Elementwise 2 x."""
            return 2 * x


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("slices", ["ij->", "i->i"])
def test_indices_for_axes_that_do_not_exist_are_refused(slices):
    @operation(rules=(lambda g, y, x: 2 * g * x,), slices=slices)
    def energy(x, /):
        """Sum of squares."""
        return np.sum(x * x)

    with pytest.raises(DefinitionError, match=f"energy: slices='{slices}' has more indices than"):
        where(False, energy(Value([nan, 1.0])), 0.0).backward()
