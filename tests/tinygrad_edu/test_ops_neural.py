"""Convolution, pooling, normalization, embedding, dropout and losses: what the registry's laws cannot know."""

from itertools import product

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import DTypeError, ShapeError, TinygradError, UnsupportedError, Value
from tinygrad_edu.ops.arrays.indexing import index_add, scatter

RNG = np.random.default_rng(0)


def normal(*shape, dtype=float):
    return RNG.standard_normal(shape).astype(dtype)


def gradients(f, *arrays, weights=None):
    values = [Value(a) for a in arrays]
    y = f(*values)
    y.backward(np.ones(y.shape) if weights is None else weights)
    return [v.grad for v in values]


# -- Convolution -------------------------------------------------------------------------------------------------------


def naive_conv2d(x, weight, bias, stride, padding, dilation, groups):
    """The definition, one number at a time."""
    x = np.pad(x, [(0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2])
    n, _, h, w = x.shape
    o, cg, kh, kw = weight.shape
    oh = (h - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (w - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, o, oh, ow))
    for b, f, i, j in np.ndindex(y.shape):
        first = f // (o // groups) * cg
        for ch, p, q in product(range(cg), range(kh), range(kw)):
            seen = x[b, first + ch, i * stride[0] + p * dilation[0], j * stride[1] + q * dilation[1]]
            y[b, f, i, j] += weight[f, ch, p, q] * seen
        y[b, f, i, j] += bias[f]
    return y


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
@pytest.mark.parametrize("padding", [(0, 0), (2, 1)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
def test_conv2d_is_its_definition(stride, padding, dilation, groups):
    x, weight, bias = normal(2, 4, 7, 6), normal(6, 4 // groups, 3, 2), normal(6)
    y = tg.conv2d(x, weight, bias, stride, padding, dilation, groups)
    assert np.allclose(y, naive_conv2d(x, weight, bias, stride, padding, dilation, groups), atol=1e-12)


def test_conv2d_by_hand():
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    weight = np.array([[[[1.0, 0.0], [0.0, -1.0]]]])  # not flipped: it is a cross-correlation
    assert np.array_equal(tg.conv2d(x, weight), np.full((1, 1, 2, 2), -4.0))
    assert np.array_equal(tg.conv2d(x, weight, [0.5], stride=2), [[[[-3.5]]]])
    assert np.array_equal(tg.conv2d(x, weight, padding=1)[0, 0, 0], [0.0, -1.0, -2.0, 0.0])


@pytest.mark.parametrize(("length", "kernel", "dilation"), [(5, 3, 1), (5, 2, 1), (6, 4, 1), (6, 2, 3)])
def test_same_padding(length, kernel, dilation):
    x, weight = normal(1, 1, length), normal(1, 1, kernel)
    total = dilation * (kernel - 1)
    padded = np.pad(x, [(0, 0), (0, 0), (total // 2, total - total // 2)])
    y = tg.conv1d(x, weight, padding="same", dilation=dilation)
    assert y.shape == x.shape
    assert np.array_equal(y, tg.conv1d(padded, weight, padding="valid", dilation=dilation))


def test_conv_transpose_is_the_gradient_of_conv():
    weight, how = normal(4, 1, 3, 2), {"stride": (2, 3), "padding": (1, 0), "dilation": (2, 1), "groups": 2}
    x = normal(2, 2, 8, 9)
    g = normal(*tg.conv2d(x, weight, **how).shape)
    (gradient,) = gradients(lambda x: tg.conv2d(x, weight, **how), x, weights=g)
    assert np.allclose(tg.conv_transpose2d(g, weight, output_padding=(1, 1), **how), gradient)


def test_tiled_batch_equals_single_images(monkeypatch):
    x, weight = normal(7, 2, 5, 5), normal(3, 2, 2, 2)
    whole = [tg.conv2d(x, weight), *gradients(tg.conv2d, x, weight)]
    monkeypatch.setattr("tinygrad_edu.ops.networks.correlation.TILE", 3 * 2 * 4 * 16)  # of 7 images, 3 at a time
    tiled = [tg.conv2d(x, weight), *gradients(tg.conv2d, x, weight)]
    for a, b in zip(whole, tiled, strict=True):
        assert np.allclose(a, b, atol=1e-12)


def test_convolution_does_not_store_columns():
    x, weight = Value(normal(1, 1, 6, 6)), Value(normal(1, 1, 3, 3))
    y = tg.conv2d(x, weight)
    assert set(y.inputs) == {x, weight}


def test_second_order_of_a_network_of_all():
    """Hessian-vector product by double backward beside a difference of gradients."""
    x, weight = normal(2, 1, 6, 6), normal(2, 1, 3, 3)

    def loss(w):
        y = tg.max_pool2d(tg.tanh(tg.conv2d(x, w, padding=1)), 2)
        y = tg.layer_norm(tg.avg_pool2d(y, 2, 1), axis=(1, 2, 3))
        return (y * y * y).sum()

    v, direction, h = Value(weight), normal(*weight.shape), 1e-6
    loss(v).backward(create_graph=True)
    slope = (v.grad * direction).sum()
    v.zero_grad()
    slope.backward()
    ahead, behind = (gradients(loss, weight + s * h * direction)[0] for s in (1, -1))
    assert np.allclose(v.grad, (ahead - behind) / (2 * h), rtol=1e-5, atol=1e-5)


# -- Pooling -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", [tg.max_pool2d, tg.avg_pool2d])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), ((3, 2), (1, 2), (1, 0)), (3, 2, 1)])
def test_pooling_is_its_definition(pool, kernel, stride, padding):
    x = normal(2, 3, 7, 5)
    (kh, kw), (sh, sw), (ph, pw) = ((n, n) if isinstance(n, int) else n for n in (kernel, stride or kernel, padding))
    fill, reduce = (-np.inf, np.max) if pool is tg.max_pool2d else (0.0, np.mean)
    padded = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)], constant_values=fill)
    y = pool(x, kernel, stride, padding)
    assert y.shape == (2, 3, (7 + 2 * ph - kh) // sh + 1, (5 + 2 * pw - kw) // sw + 1)
    for b, c, i, j in np.ndindex(y.shape):
        window = padded[b, c, i * sh : i * sh + kh, j * sw : j * sw + kw]
        assert y[b, c, i, j] == pytest.approx(reduce(window), abs=1e-14)


def test_max_pool_ties_go_to_the_first():
    x = np.array([[[[1.0, 2.0], [2.0, 2.0]]]])
    assert np.array_equal(gradients(lambda x: tg.max_pool2d(x, 2), x)[0], [[[[0, 1], [0, 0]]]])
    x = np.zeros((1, 1, 3))
    assert np.array_equal(gradients(lambda x: tg.max_pool1d(x, 2, 1), x)[0], [[[1, 1, 0]]])


def test_max_pool_ignores_padding():
    x = np.full((1, 1, 2, 2), -np.inf)
    gradient = gradients(lambda x: tg.max_pool2d(x, 2, 2, 1), x)[0]
    assert np.array_equal(gradient, np.ones((1, 1, 2, 2)))  # each corner is alone in its window
    assert np.array_equal(tg.max_pool1d(np.array([[[-3.0, -2.0]]]), 2, 2, 1), [[[-3.0, -2.0]]])


def test_max_pool_propagates_nan():
    x = np.array([[[1.0, np.nan, 5.0, 6.0]]])
    assert np.array_equal(tg.max_pool1d(x, 2), [[[np.nan, 6.0]]], equal_nan=True)
    assert np.array_equal(gradients(lambda x: tg.max_pool1d(x, 2), x)[0].sum(), 2.0)


def test_avg_pool_count_include_pad():
    x = np.full((1, 1, 4), 6.0)
    assert np.array_equal(tg.avg_pool1d(x, 3, 2, 1), [[[4.0, 6.0]]])
    assert np.array_equal(tg.avg_pool1d(x, 3, 2, 1, count_include_pad=False), [[[6.0, 6.0]]])
    assert np.array_equal(gradients(lambda x: tg.avg_pool1d(x, 2), np.ones((1, 1, 5)))[0], [[[0.5, 0.5, 0.5, 0.5, 0]]])


def test_ceil_mode_keeps_an_incomplete_window_that_sees_the_image():
    x = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    assert np.array_equal(tg.max_pool1d(x, 2, ceil_mode=True), [[2.0, 4.0, 5.0]])
    assert np.array_equal(tg.avg_pool1d(x, 2, ceil_mode=True), [[1.5, 3.5, 5.0]])
    assert np.array_equal(tg.avg_pool1d(x, 3, 2, 1, ceil_mode=True), [[1.0, 3.0, 3.0]])  # padding counts
    assert np.array_equal(
        tg.avg_pool1d(x[:, :4], 3, 2, 1, ceil_mode=True), [[1.0, 3.0, 2.0]]
    )  # what ceil_mode adds does not
    assert np.array_equal(
        tg.max_pool1d(x[:, :1], 2, 2, 1, ceil_mode=True), [[1.0]]
    )  # the next window would see nothing


@pytest.mark.parametrize("dilation", [2, 3])
def test_max_pool_with_dilation_sees_every_nth_number(dilation):
    x = normal(2, 3, 9)
    expected = np.maximum(
        np.maximum(x[..., : 9 - 2 * dilation], x[..., dilation : 9 - dilation]), x[..., 2 * dilation :]
    )
    assert np.array_equal(tg.max_pool1d(x, 3, 1, dilation=dilation), expected)


# -- Normalization -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, -1e6])
def test_layer_norm_is_exact_far_from_zero(offset):
    x = (offset + normal(4, 512)).astype(np.float32)
    g = normal(4, 512, dtype=np.float32)
    exact = gradients(tg.layer_norm, x.astype(float), weights=g.astype(float))[0]
    assert np.allclose(tg.layer_norm(x), tg.layer_norm(x.astype(float)), atol=2e-6)
    assert np.allclose(gradients(tg.layer_norm, x, weights=g)[0], exact, atol=2e-6 * np.abs(exact).max())


@pytest.mark.parametrize("axis", [-1, 0, (1, 2), (0, 2), None])
def test_layer_norm_has_mean_0_and_variance_1(axis):
    y = tg.layer_norm(3 + 5 * normal(4, 5, 6), axis=axis, eps=0.0)
    assert np.allclose(y.mean(axis=axis), 0)
    assert np.allclose(y.var(axis=axis), 1)


def test_layer_norm_of_equal_numbers_is_0_with_gradient_0():
    x = np.full((2, 3), 7.0)
    assert np.array_equal(tg.layer_norm(x), np.zeros((2, 3)))
    assert np.array_equal(gradients(tg.layer_norm, x)[0], np.zeros((2, 3)))


def test_weight_and_bias_of_layer_norm_get_gradients():
    x, weight, bias = normal(4, 3), Value(normal(3)), Value(normal(3))
    tg.layer_norm(x, weight=weight, bias=bias).sum().backward()
    assert np.allclose(weight.grad, tg.layer_norm(x).sum(axis=0))
    assert np.allclose(bias.grad, 4)


def test_rms_norm_has_mean_square_1():
    assert np.allclose(np.mean(np.square(tg.rms_norm(normal(4, 5), axis=0, eps=0.0)), axis=0), 1)


# -- Embedding and one-hot ---------------------------------------------------------------------------------------------


def test_gradients_of_repeated_rows_add_up():
    weight, indices = normal(5, 2), np.array([[1, 4], [1, 1]])
    g = normal(2, 2, 2)
    expected = np.zeros((5, 2))
    np.add.at(expected, indices, g)
    assert np.allclose(gradients(lambda w: tg.embedding(w, indices), weight, weights=g)[0], expected)


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 2)])
@pytest.mark.parametrize(
    "index", [[0, 5, 0, -1], [[1, 1], [1, -5]], ([0, 5, 5], [0, -1, -1]), (2, [0, 0]), ([1, 1], ..., [0, 0])]
)
def test_scatter_adds_as_numpy_does(shape, index):
    index = (
        tuple(np.array(i) if isinstance(i, list) else i for i in index) if isinstance(index, tuple) else np.array(index)
    )
    zeros = np.zeros(shape)
    values = normal(*zeros[index].shape)
    np.add.at(zeros, index, values)
    assert np.array_equal(scatter(values, shape=shape, indices=(index,)), zeros)
    np.add.at(zeros, index, 1.0)
    assert np.array_equal(index_add(scatter(values, shape=shape, indices=(index,)), 1.0, index), zeros)


def test_one_hot():
    assert np.array_equal(tg.one_hot([1, 0]), [[0, 1], [1, 0]])
    assert tg.one_hot([[2]], 4, np.float32).shape == (1, 1, 4)
    assert tg.one_hot([[2]], 4, np.float32).dtype == np.float32
    assert tg.one_hot([], 3).shape == (0, 3)
    assert np.array_equal(tg.one_hot(1, 3), [0, 1, 0])


# -- Dropout -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_zeroes_a_share_p_and_keeps_the_mean(p):
    y = tg.dropout(np.ones(100_000), p, np.random.default_rng(0))
    assert np.mean(y == 0) == pytest.approx(p, abs=0.01)
    assert np.allclose(y[y != 0], 1 / (1 - p))


def test_dropout_follows_its_rng_alone():
    x = normal(50)
    assert np.array_equal(tg.dropout(x, rng=np.random.default_rng(7)), tg.dropout(x, rng=7))
    rng = np.random.default_rng(7)
    assert not np.array_equal(tg.dropout(x, rng=rng), tg.dropout(x, rng=rng))
    single = tg.dropout(x.astype(np.float32), rng=7)
    assert single.dtype == np.float32
    assert np.array_equal(single == 0, tg.dropout(x, rng=7) == 0)


def test_dropout_uses_one_mask_in_both_directions_and_orders():
    x = Value(1 + np.abs(normal(50)))
    y = tg.dropout(x * x, 0.5, np.random.default_rng(1))
    mask = y.data / x.data**2
    y.sum().backward(create_graph=True)
    assert np.allclose(x.grad.data, 2 * x.data * mask)
    first = x.grad.sum()
    x.zero_grad()
    first.backward()
    assert np.allclose(x.grad, 2 * mask)


def test_dropout_at_the_ends():
    x = normal(5)
    assert np.array_equal(tg.dropout(x, 0.0), x)
    assert np.array_equal(tg.dropout(x, 0.3, training=False), x)
    assert np.array_equal(tg.dropout(x, 1.0, 0), np.zeros(5))
    assert np.array_equal(gradients(lambda x: tg.dropout(x, 1.0, 0), x)[0], np.zeros(5))


# -- Losses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_of_huge_logits(dtype):
    logits, labels = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 0]], dtype), np.array([0, 0])
    assert tg.cross_entropy(logits, labels) == 1e4
    gradient = gradients(lambda x: tg.cross_entropy(x, labels), logits, weights=1.0)[0]
    assert np.array_equal(gradient, [[0, 0, 0], [-0.5, 0.5, 0]])
    assert gradient.dtype == dtype
    assert np.array_equal(tg.log_softmax(logits)[0], [0, -2e4, -1e4])


# -- Errors ------------------------------------------------------------------------------------------------------------

IMAGE, KERNEL = np.zeros((1, 4, 5, 5)), np.zeros((6, 4, 3, 3))
ERRORS = [
    (
        lambda: tg.conv2d(IMAGE[0, 0], KERNEL),
        ShapeError,
        r"conv2d: got x of shape \(5, 5\), expected \(batch, channels, height, width\), or the same without the batch",
    ),
    (
        lambda: tg.conv2d(np.zeros((3, 5, 5)), KERNEL[:, :1]),
        ShapeError,
        r"conv2d: got x \(3, 5, 5\), weight \(6, 1, 3, 3\) .*; of a batch with one channel each pass x\[:, None\]",
    ),
    (lambda: tg.conv1d(IMAGE, KERNEL), ShapeError, "conv1d: got x .*batch, channels, length"),
    (lambda: tg.conv2d(IMAGE, KERNEL[0]), ShapeError, "conv2d: got a weight of shape"),
    (
        lambda: tg.conv2d(IMAGE, KERNEL[:, :3]),
        ShapeError,
        r"conv2d: got x \(1, 4, 5, 5\), weight \(6, 3, 3, 3\) and groups=1",
    ),
    (lambda: tg.conv2d(IMAGE, KERNEL, groups=3), ShapeError, "groups=3"),
    (lambda: tg.conv2d(IMAGE, KERNEL[:3, :2], groups=2), ShapeError, "groups=2"),
    (lambda: tg.conv2d(IMAGE, KERNEL, dilation=3), ShapeError, r"spans \(7, 7\), the padded x only \(5, 5\)"),
    (lambda: tg.conv2d(IMAGE, KERNEL, stride=0), ShapeError, "got stride=0, expected an integer of at least 1"),
    (lambda: tg.conv2d(IMAGE, KERNEL, stride=(1, 2, 3)), ShapeError, "or a tuple of 2"),
    (lambda: tg.conv2d(IMAGE, KERNEL, padding=-1), ShapeError, "padding=-1"),
    (lambda: tg.conv2d(IMAGE, KERNEL, padding="full"), ShapeError, "padding='full'"),
    (lambda: tg.conv2d(IMAGE, KERNEL, padding="same", stride=2), ShapeError, "padding='same' with stride"),
    (lambda: tg.conv2d(IMAGE, KERNEL, np.zeros(5)), ShapeError, r"a bias of shape \(5,\), expected .*\(6,\)"),
    (lambda: tg.conv_transpose2d(IMAGE, KERNEL), ShapeError, "conv_transpose2d: got x"),
    (lambda: tg.conv_transpose2d(IMAGE, KERNEL[:4], output_padding=1), ShapeError, "less than stride"),
    (lambda: tg.conv_transpose2d(IMAGE, KERNEL[:4], padding=4), ShapeError, r"size \(-1, -1\); pad less"),
    (lambda: tg.conv_transpose2d(IMAGE, KERNEL[:4], padding="same"), ShapeError, "padding='same', expected integers"),
    (lambda: tg.max_pool2d(IMAGE[0, 0], 2), ShapeError, "max_pool2d: got x of shape"),
    (
        lambda: tg.avg_pool2d(IMAGE[:, :, :0], 2),
        ShapeError,
        r"avg_pool2d: got x of shape \(1, 4, 0, 5\), expected at least one number",
    ),
    (lambda: tg.avg_pool2d(IMAGE, 2, divisor_override=0), ShapeError, "avg_pool2d: got divisor_override=0"),
    (lambda: tg.max_pool2d(IMAGE, 2, dilation=0), ShapeError, "max_pool2d: got dilation=0"),
    (
        lambda: tg.max_pool1d(np.ones((1, 1, 1)), 2, 1, 1, 2),
        ShapeError,
        r"max_pool1d: a window of kernel_size=\(2,\) and dilation=\(2,\) sees only padding; pad less",
    ),
    (lambda: tg.max_pool2d(IMAGE, 6), ShapeError, "the kernel spans"),
    (lambda: tg.max_pool2d(IMAGE, 2, padding=2), ShapeError, "at most half of kernel_size"),
    (lambda: tg.max_pool2d(IMAGE, 2, return_indices=True), UnsupportedError, "does not take return_indices="),
    (lambda: tg.layer_norm(np.zeros((2, 0))), ShapeError, "at least one number"),
    (lambda: tg.layer_norm(1.0), ShapeError, "which has no axes"),
    (lambda: tg.layer_norm(np.ones((2, 3)), weight=np.ones(2)), ShapeError, "layer_norm: got x of shape .* and weight"),
    (lambda: tg.layer_norm(np.ones(3), bias=np.ones((2, 3))), ShapeError, "layer_norm: got x of shape .* and bias"),
    (lambda: tg.embedding(np.ones(3), [0]), ShapeError, "embedding: got a weight"),
    (lambda: tg.embedding(np.ones((3, 2)), [0.5]), DTypeError, "embedding: indices are float64, expected integers"),
    (lambda: tg.embedding(np.ones((3, 2)), [3]), IndexError, "embedding: got indices from 3 to 3, expected 0 to 2"),
    (lambda: tg.embedding(np.ones((3, 2)), [-1]), IndexError, "expected 0 to 2"),
    (lambda: tg.one_hot([0.5]), DTypeError, "one_hot: labels are float64"),
    (lambda: tg.one_hot([2], 2), IndexError, "one_hot: got labels from 2 to 2, expected 0 to 1"),
    (lambda: tg.dropout(np.ones(3), 1.5, 0), TinygradError, r"dropout: got p=1.5, expected a probability"),
    (lambda: tg.dropout(np.ones(3), float("nan"), 0), TinygradError, "dropout: got p=nan"),
    (lambda: tg.dropout(np.ones(3)), TinygradError, "rng is missing"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_error_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_integer_images_are_converted():
    x = np.arange(8).reshape(1, 1, 8)
    assert np.array_equal(tg.max_pool1d(x, 2), [[[1.0, 3.0, 5.0, 7.0]]])
    assert np.array_equal(tg.avg_pool1d(x, 2), [[[0.5, 2.5, 4.5, 6.5]]])
    assert tg.conv1d(x, np.ones((1, 1, 2), np.float32)).dtype.kind == "f"


@pytest.mark.parametrize(
    "call",
    [
        lambda x: tg.conv2d(x, np.ones((3, 2, 2, 2))),
        lambda x: tg.conv_transpose2d(x, np.ones((2, 3, 2, 2))),
        lambda x: tg.max_pool2d(x, 2),
        lambda x: tg.avg_pool2d(x, 2),
        lambda x: tg.layer_norm(x),
        lambda x: tg.dropout(x, 0.5, 0),
    ],
)
def test_an_empty_batch_passes(call):
    x = Value(np.zeros((0, 2, 4, 4)))
    y = call(x)
    assert y.shape[0] == 0
    y.backward(np.zeros(y.shape))
    assert x.grad.shape == x.shape
