"""Linear algebra beyond the laws of the registry: NumPy's call forms, errors, singular and degenerate matrices, accuracy."""

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import GraphError, MatrixError, ShapeError, UnsupportedError, Value, linalg, registry
from tinygrad_edu.ops.matrices.determinant import cofactor
from tinygrad_edu.ops.matrices.least_squares import least_squares
from tinygrad_edu.testing import numerical_gradient

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 3)) / 4 + np.diag([1.0, 2.0, 3.0])
B = RNG.normal(size=(3, 3)) / 4 + np.diag([3.0, 1.0, 2.0])
S = (A + A.T) / 2
STACK = np.stack([A, A @ A, 2 * A])
SYMMETRIC = (STACK + STACK.mT) / 2
TALL = RNG.normal(size=(4, 2))
X, Y = RNG.normal(size=3), RNG.normal(size=3)
CUBE = RNG.normal(size=(2, 3, 4))
SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]])  # rank 2
RANK_ONE = np.outer([1.0, 2.0, -1.0], [1.0, 0.5, 2.0])
ROTATION = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
TWINS = ROTATION @ np.diag([1.0, 1.0, 4.0]) @ ROTATION.T


def parts(y):
    """The numbers of a result, or of several."""
    several = isinstance(y, (tuple, list))
    return [part.data if isinstance(part, Value) else part for part in (y if several else [y])]


def grad(f, x, order=1):
    """The gradient of f, summed if it is an array; of order 2, the gradient of that gradient's product with 1, 2, 3, ..."""
    v = Value(x)
    y = f(v)
    y = y.sum() if y.shape else y
    y.backward(create_graph=order > 1)
    if order == 1:
        return v.grad
    slope = (v.grad * weights(x)).sum()
    v.zero_grad()
    if slope.requires_grad:
        slope.backward()
    return np.zeros_like(x) if v.grad is None else v.grad


def weights(x):
    return np.arange(1.0, np.size(x) + 1).reshape(np.shape(x))


def agree(f, x, order=1, tolerance=1e-7):
    """Whether the gradient is the numerical one; of order 2, that of the gradient."""
    g = (lambda z: np.sum(grad(f, z) * weights(z))) if order == 2 else (lambda z: np.sum(parts(f(z))[0]))
    expected = numerical_gradient(g, x).value
    return np.allclose(grad(f, x, order), expected, rtol=tolerance, atol=tolerance)


# -- NumPy's functions on Values, in NumPy's call forms ----------------------------------------------------------------

CALLS = [
    (np.linalg.inv, (A,), {}),
    (np.linalg.inv, (STACK,), {}),
    (np.linalg.det, (STACK,), {}),
    (np.linalg.slogdet, (A,), {}),
    (np.linalg.slogdet, (-STACK,), {}),
    (np.linalg.solve, (A, X), {}),
    (np.linalg.solve, (STACK, X), {}),
    (np.linalg.solve, (STACK, STACK), {}),
    (np.linalg.solve, (A, STACK), {}),
    (np.linalg.solve, (), {"a": A, "b": X}),
    (np.linalg.pinv, (TALL,), {}),
    (np.linalg.pinv, (CUBE, 1e-12), {}),
    (np.linalg.matrix_power, (A, 3), {}),
    (np.linalg.matrix_power, (STACK, -2), {}),
    (np.linalg.matrix_power, (STACK, 0), {}),
    (np.linalg.matrix_power, (A,), {"n": np.int64(7)}),
    (np.linalg.lstsq, (TALL, RNG.normal(size=4)), {}),
    (np.linalg.lstsq, (TALL, RNG.normal(size=(4, 3)), None), {}),
    (np.linalg.lstsq, (TALL.T, RNG.normal(size=2)), {"rcond": 1e-9}),
    (np.linalg.cholesky, (SYMMETRIC,), {}),
    (np.linalg.cholesky, (SYMMETRIC,), {"upper": True}),
    (np.linalg.qr, (TALL,), {}),
    (np.linalg.qr, (CUBE, "reduced"), {}),
    (np.linalg.eigh, (SYMMETRIC,), {}),
    (np.linalg.eigh, (S, "U"), {}),
    (np.linalg.eigvalsh, (S,), {"UPLO": "U"}),
    (np.linalg.svd, (A,), {}),
    (np.linalg.svd, (CUBE, False), {}),
    (np.linalg.svd, (CUBE,), {"compute_uv": False}),
    (np.linalg.svd, (CUBE, True, False), {}),
    (np.linalg.svdvals, (CUBE,), {}),
    (np.linalg.multi_dot, ([X, A, B, TALL[:3]],), {}),
    (np.linalg.matmul, (A, B), {}),
    (np.linalg.outer, (X, Y), {}),
    (np.linalg.cross, (X, Y), {}),
    (np.linalg.cross, (A, B), {"axis": 0}),
    (np.linalg.tensordot, (CUBE, CUBE), {"axes": ([0, 2], [0, 2])}),
    (np.linalg.vecdot, (A, B), {"axis": 0}),
    (np.dot, (CUBE, CUBE.mT), {}),
    (np.dot, (2.0, A), {}),
    (np.dot, (X, Y), {}),
    (np.vdot, (A, B), {}),
    (np.inner, (CUBE, CUBE), {}),
    (np.inner, (A, 2.0), {}),
    (np.outer, (A, X), {}),
    (np.kron, (CUBE, A), {}),
    (np.kron, (2.0, X), {}),
    (np.tensordot, (CUBE, CUBE.transpose(1, 2, 0)), {}),
    (np.tensordot, (A, B, 1), {}),
    (np.tensordot, (A, B, 0), {}),
    (np.tensordot, (CUBE, CUBE, (1, 1)), {}),
    (np.tensordot, (CUBE, CUBE), {"axes": ((0, -1), (0, -1))}),
    (np.cross, (A, X), {}),
    (np.cross, (A, B, 0, 1, 0), {}),
    (np.cross, (A, B), {"axis": 0}),
    (np.vecdot, (CUBE, CUBE), {}),
    (np.vecdot, (A, B), {"axis": 0}),
]


@pytest.mark.parametrize(("function", "args", "kwargs"), CALLS)
def test_numpys_functions_record_in_numpys_call_forms(function, args, kwargs):
    expected = function(*args, **kwargs)
    named = {name: Value(x) if isinstance(x, np.ndarray) else x for name, x in kwargs.items()}
    recorded = function(*[_recorded(x) for x in args], **named)
    for part, number in zip(parts(recorded), parts(expected), strict=True):
        assert np.shape(part) == np.shape(number)
        assert np.allclose(part, number, rtol=1e-12, atol=1e-12)
    assert getattr(recorded, "_fields", None) == getattr(expected, "_fields", None)


def _recorded(x):
    if isinstance(x, list) and isinstance(x[0], np.ndarray):
        return [Value(x[0]), *x[1:]]
    return Value(x) if isinstance(x, np.ndarray) else x


def test_the_namespace_has_numpys_names_and_the_ops_themselves():
    for name in linalg.__all__:
        assert hasattr(np.linalg, name) or name.endswith("Result"), name
        if not name.endswith("Result"):
            op = {"trace": "matrix_trace", "diagonal": "matrix_diagonal"}.get(name, name)  # np.trace has other axes
            assert getattr(linalg, name) is registry[op]


def test_plain_parts_stay_plain():
    sign, logabsdet = linalg.slogdet(Value(A))
    assert (type(sign), type(logabsdet)) == (float, Value)
    assert [type(part) for part in linalg.slogdet(A)] == [float, float]
    x, residuals, rank, s = linalg.lstsq(Value(TALL), np.ones(4))
    assert type(rank) is int
    assert all(isinstance(part, Value) for part in (x, residuals, s))


@pytest.mark.parametrize("n", [0, 1])
def test_smallest_matrices(n):
    x = Value(np.full((2, n, n), 2.0))
    for f in (linalg.inv, linalg.det, linalg.cholesky, linalg.eigvalsh, linalg.svdvals, cofactor):
        y = f(x)
        assert np.allclose(y.data, getattr(np.linalg, f.__name__, lambda z: np.ones(z.shape))(x.data))
        y.sum().backward()
    assert x.grad.shape == (2, n, n)
    assert linalg.multi_dot([np.ones((2, n)), np.ones((n, 3))]).shape == (2, 3)


# -- Stacks, and results that do not depend on the choice of signs -----------------------------------------------------


def through_eigh(x):
    w, v = linalg.eigh(x)
    return v @ (w[..., None] * v.mT)


def through_svd(x):
    u, s, vh = linalg.svd(x, full_matrices=False)
    return (u * s[..., None, :]) @ vh


def logarithm(x):
    w, v = linalg.eigh(x)
    return (v * tg.log(w)[..., None, :]) @ v.mT


def through_qr(x):
    q, r = linalg.qr(x)
    return q @ r


def projector(x):
    q = linalg.qr(x).Q
    return q @ q.mT * np.arange(x.shape[-2])


def lowest(x):
    v = linalg.eigh(x).eigenvectors[..., 0]
    return v[..., None] * v[..., None, :] * np.arange(3.0)


def of_symmetric(f):
    """f of the symmetric part: other matrices, which finite differences are made of, are refused."""
    return lambda x: f((x + x.mT) / 2)


INVARIANT = [
    (of_symmetric(through_eigh), SYMMETRIC),
    (of_symmetric(logarithm), SYMMETRIC),
    (of_symmetric(lowest), SYMMETRIC),
    (of_symmetric(lambda x: linalg.eigvalsh(x) ** 2), SYMMETRIC),
    (through_svd, STACK),
    (through_svd, CUBE),
    (through_svd, CUBE.mT),
    (linalg.svdvals, CUBE),
    (through_qr, STACK),
    (through_qr, CUBE),
    (projector, CUBE.mT),
    (lambda x: linalg.slogdet(x).logabsdet, STACK),
    (lambda x: linalg.det(x), STACK),
    (of_symmetric(lambda x: linalg.cholesky(x, upper=True) ** 2), SYMMETRIC),
    (lambda x: linalg.pinv(x) * np.arange(3), CUBE),
    (lambda x: linalg.solve(x, X) ** 2, STACK),
    (lambda x: linalg.lstsq(x, np.ones(4))[1], TALL),
]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("f", "x"), INVARIANT)
def test_stacks_and_invariant_functions(f, x, order):
    assert agree(f, x, order, 1e-6)


def test_known_gradients():
    assert np.allclose(grad(lambda x: linalg.eigvalsh(x).sum(), S), np.eye(3))  # the trace
    assert np.allclose(grad(lambda x: (linalg.eigvalsh(x) ** 2).sum(), S), 2 * S)
    assert np.allclose(grad(through_eigh, S), np.ones((3, 3)))
    assert np.allclose(grad(through_svd, CUBE), np.ones(CUBE.shape))
    assert np.allclose(grad(lambda x: linalg.slogdet(x).logabsdet, A), np.linalg.inv(A).T)
    u, _, vh = np.linalg.svd(TALL, full_matrices=False)
    assert np.allclose(grad(linalg.svdvals, TALL), u @ vh)  # of the nuclear norm


OF_SYMMETRIC = [
    ("cholesky", {}, "lower"),
    ("cholesky", {"upper": False}, "lower"),
    ("cholesky", {"upper": True}, "upper"),
    ("eigh", {}, "lower"),
    ("eigh", {"UPLO": "U"}, "upper"),
    ("eigvalsh", {}, "lower"),
    ("eigvalsh", {"UPLO": "u"}, "upper"),
]


@pytest.mark.parametrize(("name", "how", "triangle"), OF_SYMMETRIC)
def test_asymmetric_matrices_are_refused_and_the_remedy_is_what_numpy_reads(name, how, triangle):
    f, plain = getattr(linalg, name), getattr(np.linalg, name)
    lopsided = np.stack([S, S])
    lopsided[1, 2, 0] += 1e-6
    message = rf"{name}: got a matrix that is not symmetric, x\[1, .*NumPy reads the {triangle} triangle alone; write \(x \+ x.mT\)"
    for x in (lopsided, Value(lopsided)):
        with pytest.raises(MatrixError, match=message):
            f(x, **how)
    with pytest.raises(MatrixError, match=f"np.linalg.{message}"):
        plain(Value(lopsided), **how)
    x = lopsided
    read = np.tril(x) + np.tril(x, -1).mT if triangle == "lower" else np.triu(x) + np.triu(x, 1).mT
    for ours, numpys in zip(parts(f(Value(read), **how)), parts(plain(x, **how)), strict=True):
        assert np.allclose(ours, numpys, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "how", "triangle"), OF_SYMMETRIC)
def test_matrices_symmetric_up_to_rounding_are_read_as_by_numpy(name, how, triangle, dtype):
    """The value is that of the plain call, to the last bit of the same routine; the gradient is symmetric."""
    rounded = 1e9 * S.astype(dtype)
    rounded[0, 1] = rounded[0, 1] * (1 + 4 * np.finfo(dtype).eps)
    assert rounded[0, 1] != rounded[1, 0]

    def f(x):
        y = getattr(np.linalg, name)(x, **how)
        return y if name != "eigh" else y.eigenvectors

    value, slope = tg.value_and_grad(lambda x: (f(x) ** 2).sum())(rounded)
    assert value == pytest.approx(np.sum(f(rounded) ** 2), rel=4 * float(np.finfo(dtype).eps))
    if name != "eigvalsh":
        assert np.array_equal(f(Value(rounded)).data, f(rounded))
    assert np.array_equal(slope, slope.mT)


def test_the_largest_asymmetry_that_is_accepted_is_half_the_digits():
    for size, accepted in ((1e-9, True), (1e-7, False)):
        for scale in (1e-200, 1.0, 1e200):
            x = scale * (np.eye(3) + size * np.eye(3, k=1))
            if accepted:
                linalg.eigvalsh(Value(x))
            else:
                with pytest.raises(MatrixError, match="not symmetric"):
                    linalg.eigvalsh(Value(x))
    assert linalg.cholesky(Value(np.empty((0, 2, 2)))).shape == (0, 2, 2)
    assert linalg.eigvalsh(Value(np.zeros((2, 2)))).tolist() == [0, 0]


# -- Singular matrices -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "x", [SINGULAR, RANK_ONE, np.zeros((3, 3)), np.zeros((2, 2)), np.zeros((1, 1)), np.diag([1.0, 0, 2])]
)
def test_det_of_a_singular_matrix_has_two_exact_derivatives(x, order):
    """By cofactors from minors, which need no division."""
    assert agree(by_minors, x, order)
    assert np.allclose(grad(linalg.det, x, order), grad(by_minors, x, order), atol=1e-12)
    assert np.allclose(grad(linalg.det, np.stack([x, x]), 1), grad(by_minors, x))


def by_minors(x):
    """The determinant by expansion along the first row."""
    n = x.shape[0]
    if n == 1:
        return x[0, 0]
    rest = [[j for j in range(n) if j != i] for i in range(n)]
    return sum((-1) ** i * x[0, i] * by_minors(x[1:][:, rest[i]]) for i in range(n))


def test_higher_derivatives_of_det():
    def third(x):
        v = Value(x)
        linalg.det(v).backward(create_graph=True)
        for _ in range(2):
            y = (v.grad * weights(x)).sum()
            v.zero_grad()
            y.backward(create_graph=True)
        return v.grad.data

    expected = numerical_gradient(lambda z: np.sum(grad(linalg.det, z, 2) * weights(z)), A).value
    assert np.allclose(third(A), expected, atol=1e-6)
    with pytest.raises(GraphError, match="only the first two derivatives of det"):
        third(SINGULAR)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "x",
    [
        SINGULAR + np.diag([0, 0, 1e-9]),
        SINGULAR + 1e-15 * A,
        1e9 * A,
        1e-150 * A,  # the determinant itself is too small for a float
        np.diag([1.0, 1.0, 1e-310]),  # and here the inverse is too large
    ],
)
def test_derivatives_of_det_keep_their_digits(x, order):
    expected = grad(by_minors, x, order)
    assert np.allclose(grad(linalg.det, x, order), expected, rtol=0, atol=1e-14 * np.max(np.abs(expected)))


SINGULAR_CALLS = [
    (lambda: linalg.inv(Value(np.zeros((2, 2)))), MatrixError, "inv: a matrix is singular.*try pinv or lstsq"),
    (lambda: linalg.inv(np.stack([A, 0 * A])), MatrixError, "inv: a matrix is singular"),
    (lambda: linalg.solve(Value(np.zeros((2, 2))), np.ones(2)), MatrixError, "solve: a matrix is singular"),
    (lambda: linalg.matrix_power(np.zeros((2, 2)), -1), MatrixError, "matrix_power: a matrix is singular"),
    (lambda: linalg.cholesky(Value(-S)), MatrixError, "cholesky: a matrix is not positive definite; add"),
    (lambda: linalg.svdvals(Value(np.full((2, 3), np.nan))), MatrixError, "svdvals: a matrix is not finite"),
    (lambda: linalg.svdvals(np.diag([1.0, 2.0, np.inf])), MatrixError, "svdvals: a matrix is not finite"),
    (lambda: linalg.pinv(np.diag([1.0, 2.0, np.inf])), MatrixError, "pinv: a matrix is not finite"),
    (lambda: linalg.lstsq(np.full((2, 2), np.nan), np.ones(2)), MatrixError, "lstsq: a matrix is not finite"),
    (lambda: grad(lambda x: linalg.slogdet(x)[1], np.zeros((2, 2))), GraphError, "slogdet: a matrix is singular"),
    (lambda: grad(linalg.pinv, np.ones((3, 2))), GraphError, r"pinv: a matrix of shape \(3, 2\) and rank 1 has no"),
    (
        lambda: grad(lambda x: linalg.lstsq(x, X)[0], np.ones((3, 2))),
        GraphError,
        r"backward through lstsq: .*rank 1.*expected rank 2",
    ),
    (
        lambda: grad(lambda x: linalg.qr(x).R, np.ones((3, 2))),
        GraphError,
        "qr: the first 2 columns .* linearly dependent",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), SINGULAR_CALLS)
def test_invalid_matrices_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_singular_matrices_without_gradient_are_as_in_numpy():
    assert linalg.slogdet(np.zeros((2, 2))) == (0.0, -np.inf)
    assert np.allclose(linalg.pinv(SINGULAR), np.linalg.pinv(SINGULAR))
    for ours, numpys in zip(linalg.lstsq(SINGULAR, X), np.linalg.lstsq(SINGULAR, X), strict=True):
        assert np.allclose(ours, numpys, atol=1e-12)
    assert agree(lambda b: least_squares(SINGULAR, b), X)  # linear in b whatever the rank


# -- Equal eigenvalues and singular values -----------------------------------------------------------------------------


@pytest.mark.parametrize("x", [TWINS, np.eye(3), np.zeros((3, 3)), np.stack([TWINS, S])])
def test_equal_eigenvalues_have_a_gradient(x):
    expected = 2 * x  # of Σ w² = Σ x²
    assert np.allclose(grad(lambda v: linalg.eigvalsh(v) ** 2, x), expected)
    assert np.allclose(grad(lambda v: linalg.eigh(v).eigenvalues ** 2, x), expected)
    assert np.allclose(grad(lambda v: linalg.svdvals(v) ** 2, x), expected)


def test_simple_eigenvalue_has_an_eigenvector_gradient():
    def highest(x):
        v = linalg.eigh((x + x.mT) / 2).eigenvectors[..., 2]
        return (v[:, None] * v * weights(A)).sum()

    assert agree(highest, TWINS)


@pytest.mark.parametrize("x", [TWINS, np.eye(3), np.stack([S, TWINS])])
@pytest.mark.parametrize(
    ("name", "f"),
    [
        ("eigh: eigenvalues 0 and 1", through_eigh),
        ("eigh: eigenvalues 0 and 1", lambda x: linalg.eigh(x).eigenvectors),
        (r"svd: singular values [01] and [12]", through_svd),
        (r"svd: singular values [01] and [12]", lambda x: linalg.svd(x).Vh),
    ],
)
def test_vectors_of_equal_values_have_no_gradient(x, name, f):
    with pytest.raises(GraphError, match=rf"{name} of a matrix are equal.*use the (eigen|singular )values alone"):
        grad(f, x)


@pytest.mark.parametrize("x", [TWINS, np.zeros((3, 3))])
@pytest.mark.parametrize("f", [linalg.eigvalsh, linalg.svdvals])
def test_second_derivatives_of_equal_values_are_refused(f, x):
    """At zero all that reaches the vectors is 0, and yet the second derivative of Σ w² = Σ x² is 2."""
    v = Value(x)
    (f(v) ** 2).sum().backward(create_graph=True)
    assert np.allclose(v.grad.data, 2 * x)
    with pytest.raises(GraphError, match="nor are second derivatives"):
        (v.grad * weights(x)).sum().backward()


def test_singular_values_that_are_zero():
    column = np.array([[3.0], [4.0]])
    flat = np.hstack([column, 0 * column])
    tall = np.vstack([flat, 0 * flat])
    for x in (flat, tall, tall.T):
        u, s, vh = np.linalg.svd(x, full_matrices=False)
        assert np.allclose(grad(linalg.svdvals, x), (u * (s > 0)) @ vh)  # the subgradient of least norm
    for x, f in ((tall, lambda v: linalg.svd(v, False).U), (tall.T, lambda v: linalg.svd(v, False).Vh)):
        with pytest.raises(GraphError, match="svd: a singular value is 0"):
            grad(f, x)
    assert agree(lambda v: linalg.svd(v, False).Vh[0] ** 2 * [1.0, 3.0], tall)


# -- Errors ------------------------------------------------------------------------------------------------------------

REFUSED = [
    (
        lambda: linalg.inv(Value(TALL)),
        ShapeError,
        r"inv: got shape \(4, 2\), expected square matrices \(\.\.\., n, n\); lstsq",
    ),
    (lambda: linalg.det(Value(X)), ShapeError, r"det: got shape \(3,\), expected square.*last two axes"),
    (lambda: linalg.inv(3.0), ShapeError, r"inv: got shape \(\)"),
    *[
        (lambda f=f: f(Value(TALL)), ShapeError, rf"{name}: got shape \(4, 2\), expected square")
        for name, f in {
            "slogdet": linalg.slogdet,
            "cofactor": cofactor,
            "cholesky": linalg.cholesky,
            "eigvalsh": linalg.eigvalsh,
            "matrix_power": lambda x: linalg.matrix_power(x, 2),
            "solve": lambda x: linalg.solve(x, X),
        }.items()
    ],
    (
        lambda: linalg.solve(Value(A), np.ones(2)),
        ShapeError,
        r"solve: got \(3, 3\) and \(2,\), expected \(3,\) or \(\.\.\., 3, k\)",
    ),
    (lambda: linalg.solve(STACK[:2], Value(np.ones((2, 3)))), ShapeError, r"b\[\.\.\., None\] makes columns"),
    (lambda: linalg.solve(A, 1.0), ShapeError, "solve: got"),
    (lambda: linalg.lstsq(Value(STACK), X), ShapeError, r"lstsq: got \(3, 3, 3\) and \(3,\).*pinv\(a\) @ b"),
    (lambda: linalg.lstsq(Value(A), np.ones(2)), ShapeError, r"lstsq: got \(3, 3\) and \(2,\)"),
    (lambda: linalg.pinv(Value(X)), ShapeError, r"pinv: got shape \(3,\), expected matrices"),
    (lambda: linalg.qr(Value(X)), ShapeError, r"qr: got shape \(3,\)"),
    (lambda: linalg.svd(Value(X)), ShapeError, r"svd: got shape \(3,\)"),
    (lambda: np.linalg.svd(Value(TALL)), UnsupportedError, "svd: .*full_matrices=True.*pass full_matrices=False"),
    (lambda: np.linalg.svd(Value(A), hermitian=True), UnsupportedError, "svd: got hermitian=True.*use eigh"),
    (lambda: np.linalg.qr(Value(A), mode="complete"), UnsupportedError, "qr: got mode='complete', expected 'reduced'"),
    (lambda: np.linalg.eigh(Value(S), "X"), UnsupportedError, "eigh: got UPLO='X'"),
    (lambda: np.linalg.pinv(Value(A), hermitian=True), UnsupportedError, "np.linalg.pinv: hermitian= is not recorded"),
    (lambda: linalg.matrix_power(Value(A), 0.5), ShapeError, "matrix_power: got the exponent 0.5, expected an integer"),
    (lambda: linalg.multi_dot([Value(A)]), ShapeError, "multi_dot: .*two or more matrices"),
    (lambda: linalg.multi_dot([A, X, Value(A)]), ShapeError, "only the ends may be vectors"),
    (lambda: linalg.multi_dot([A, Value(TALL)]), ShapeError, r"multi_dot: inner sizes differ, \(3, 3\) @ \(4, 2\)"),
    (lambda: tg.dot(Value(A), TALL), ShapeError, r"dot: inner sizes differ, \(3, 3\) @ \(4, 2\)"),
    (lambda: tg.dot(Value(CUBE), CUBE), ShapeError, r"dot: axes \(2,\) of \(2, 3, 4\) and \(1,\)"),
    (lambda: tg.tensordot(Value(A), TALL), ShapeError, "tensordot: axes .* differ in size"),
    (lambda: tg.tensordot(Value(A), A, 3), ShapeError, "tensordot: axes=.* do not fit"),
    (
        lambda: tg.tensordot(Value(A), A, ([0, 0], [0, 1])),
        ShapeError,
        r"tensordot: axes=\(\[0, 0\], \[0, 1\]\) do not fit shapes",
    ),
    (lambda: tg.tensordot(Value(A), A, "ab"), ShapeError, "tensordot: axes='ab' do not fit"),
    (lambda: tg.tensordot(Value(A), A, ([0], [0, 1])), ShapeError, "differ in size"),
    (
        lambda: tg.cross(Value(X[:2]), Y[:2]),
        ShapeError,
        r"cross: got vectors of 2 components along axis -1 of shape \(2,\), expected 3; add a third component of 0",
    ),
    (lambda: tg.cross(Value(A), A, axis=2), ShapeError, r"cross: got axis 2 for an input of shape \(3, 3\)"),
    (lambda: tg.cross(Value(A), A, axisc=False), ShapeError, r"cross: got axis False for an input of shape \(3, 3\)"),
    (lambda: tg.cross(Value(A), A[:2], axisc=5), ShapeError, "cross: "),
    (lambda: tg.vecdot(Value(X), X[:1]), ShapeError, "vecdot: got vectors of 3 and 1 components"),
    (lambda: np.einsum(Value(A), [0, 1]), UnsupportedError, "einsum: got subscripts of type Value, expected text"),
    (lambda: tg.einsum("ij,j", Value(A)), ShapeError, "einsum: got 1, expected 2 operands for 'ij,j'"),
    (
        lambda: tg.vecdot(Value(1.0), X),
        ShapeError,
        r"vecdot: got axis -1 for an input of shape \(\), which has no axes",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_refusals_and_remedies(call, error, message):
    with pytest.raises(error, match=message):
        call()


# -- Cost and accuracy -------------------------------------------------------------------------------------------------


def test_multi_dot_multiplies_in_the_cheapest_order():
    from tinygrad_edu.graph import ancestors

    y = linalg.multi_dot([Value(np.ones((10, 100))), np.ones((100, 5)), np.ones((5, 50))])
    assert [v.shape for v in ancestors(y)] == [(10, 100), (10, 5), (10, 50)]
    y = linalg.multi_dot([np.ones((50, 5)), np.ones((5, 100)), Value(np.ones(100))])
    assert [v.shape for v in ancestors(y)] == [(100,), (5,), (50,)]


def test_accuracy_of_ill_conditioned_gradients():
    """Of the Hilbert matrix, whose inverse is known: (-1)^(i+j) (i+j-1) times binomials, all integers."""
    from math import comb

    n = 6
    i = np.arange(1, n + 1)
    hilbert = 1 / (i[:, None] + i - 1)
    inverse = np.array(
        [
            [
                (-1) ** (p + q)
                * (p + q - 1)
                * comb(n + p - 1, n - q)
                * comb(n + q - 1, n - p)
                * comb(p + q - 2, p - 1) ** 2
                for q in i
            ]
            for p in i
        ],
        dtype=float,
    )
    allowed = 4 * np.linalg.cond(hilbert) * np.finfo(float).eps  # 1.3e-8
    ones, x = np.ones(n), inverse @ np.ones(n)

    def error(got, expected):
        return np.max(np.abs(got - expected)) / np.max(np.abs(expected))

    assert error(grad(lambda a: linalg.solve(a, ones), hilbert), -np.outer(x, x)) < allowed
    assert error(grad(lambda a: linalg.slogdet(a).logabsdet, hilbert), inverse) < allowed
    assert error(grad(linalg.inv, hilbert), -np.outer(x, x)) < allowed
    assert error(grad(cholesky_logdet, hilbert), inverse) < allowed
    assert error(grad(lambda a: tg.log(linalg.eigvalsh(a)).sum(), hilbert), inverse) < allowed


def cholesky_logdet(a):
    return 2 * tg.log(linalg.cholesky(a)[range(len(a)), range(len(a))]).sum()


def test_float32_intermediates():
    """A mask of float64 ones would have lent its precision to the gradient."""
    v = Value(SYMMETRIC.astype(np.float32))
    y = through_eigh(v) + through_svd(v) + through_qr(v) + linalg.cholesky(v) + linalg.pinv(v) + linalg.inv(v)
    y = (
        y
        + tg.einsum("sii,jk->sj", v, v[0])[..., None]
        + linalg.det(v)[:, None, None]
        + linalg.slogdet(v)[1][:, None, None]
    )
    y.backward(np.ones(y.shape), create_graph=True)
    seen, waiting = set(), [v.grad]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Value) and id(node) not in seen:
            seen.add(id(node))
            assert node.dtype == np.float32, node.grad_fn
            waiting += node.inputs
