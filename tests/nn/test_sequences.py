"""Recurrent networks, attention and the transformer: each against its formula as a loop, and its gradients against its values."""

import numpy as np
import pytest

import nn
from nn.functional import scaled_dot_product_attention
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value
from tinygrad_edu.testing import check_gradients

RECURRENT = [nn.RNN, nn.GRU, nn.LSTM]
CELLS = {nn.RNNCell: nn.RNN, nn.GRUCell: nn.GRU, nn.LSTMCell: nn.LSTM}


def random(*shape, seed=0):
    return np.random.default_rng((seed, *shape)).normal(size=shape)


def sigma(x):
    return 1 / (1 + np.exp(-x))


def arrays(output):
    """All arrays in what a module returns, without None."""
    if isinstance(output, tuple):
        return [part for item in output for part in arrays(item)]
    return [] if output is None else [output]


def parameterized(module, call):
    """call(module, *inputs), all of whose outputs are weighed, as a function of inputs and parameters; and parameters to try."""
    paths = [path for path, _ in module.named_parameters()]

    class Call(nn.Module):
        def __init__(self):
            self.inner = module

        def forward(self, *inputs):
            return call(self.inner, *inputs)

    def f(*values):
        for _, part in module.named_modules():
            part.rng = np.random.default_rng(5)  # the same dropout at each call
        count = len(values) - len(paths)
        parameters = {f"inner.{path}": value for path, value in zip(paths, values[count:], strict=True)}
        return tuple(arrays(nn.functional_call(Call(), parameters, *values[:count])))

    return f, [0.5 * random(*p.shape, seed=i + 1) for i, p in enumerate(module.parameters())]


def check_module(module, call, *inputs, order=2, zeros=0):
    """Gradients for the inputs and all parameters; `zeros` of them are 0, whatever the numbers, and cannot be compared."""
    f, start = parameterized(module, call)
    report = check_gradients(f, *inputs, *start, order=order)
    assert report.compared > 0
    assert report.inconclusive <= zeros


# -- Recurrent networks ------------------------------------------------------------------------------------------------


def step(kind, x, h, c, W, U, b, d):
    """The textbook's formula for a single example."""
    n = len(h)
    W, U, b, d = (np.split(part, len(b) // n) for part in (W, U, b, d))
    a = [W[k] @ x + b[k] for k in range(len(b))]
    e = [U[k] @ h + d[k] for k in range(len(b))]
    if kind is nn.RNN:
        return np.tanh(a[0] + e[0]), c
    if kind is nn.GRU:
        r, z = sigma(a[0] + e[0]), sigma(a[1] + e[1])
        return (1 - z) * np.tanh(a[2] + r * e[2]) + z * h, c
    i, f, g, o = sigma(a[0] + e[0]), sigma(a[1] + e[1]), np.tanh(a[2] + e[2]), sigma(a[3] + e[3])
    c = f * c + i * g
    return o * np.tanh(c), c


def by_loop(layer, x, h, c):
    """output, h_n, c_n of a single sequence x: (time, input), with h, c: (layers * directions, hidden)."""
    state, h, c = layer.state_dict(), h.copy(), c.copy()
    directions = ["", "_reverse"] if "weight_ih_l0_reverse" in state else [""]
    for k in range(layer.num_layers):
        outputs = []
        for j, direction in enumerate(directions):
            row, out = k * len(directions) + j, np.zeros((len(x), layer.hidden_size))
            W, U = (state[f"weight_{what}_l{k}{direction}"] for what in ("ih", "hh"))
            b, d = (state.get(f"bias_{what}_l{k}{direction}", np.zeros(len(W))) for what in ("ih", "hh"))
            for t in range(len(x))[:: -1 if direction else 1]:
                h[row], c[row] = step(type(layer), x[t], h[row], c[row], W, U, b, d)
                out[t] = h[row]
            outputs.append(out)
        x = np.concatenate(outputs, axis=1)
    return x, h, c


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_layers": 3},
        {"bidirectional": True},
        {"num_layers": 2, "bidirectional": True, "batch_first": True},
        {"bias": False, "batch_first": True},
    ],
    ids=str,
)
def test_recurrent_layers_are_their_formula(kind, settings):
    layer = kind(3, 4, **settings, rng=0)
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    x, h, c = random(5, 2, 3), random(rows, 2, 4), random(rows, 2, 4, seed=1)
    for start in (True, False):
        if not start:
            h, c = np.zeros_like(h), np.zeros_like(c)
        hx = None if not start else (h, c) if kind is nn.LSTM else h
        output, final = layer(np.swapaxes(x, 0, 1) if layer.batch_first else x, hx)
        output = np.swapaxes(output.data, 0, 1) if layer.batch_first else output.data
        for i in range(2):
            expected, *ends = by_loop(layer, x[:, i], h[:, i], c[:, i])
            assert np.allclose(output[:, i], expected, rtol=0, atol=1e-14)
            for got, end in zip(final if kind is nn.LSTM else (final,), ends, strict=False):
                assert np.allclose(got.data[:, i], end, rtol=0, atol=1e-14)
            single = None if not start else (h[:, i], c[:, i]) if kind is nn.LSTM else h[:, i]
            alone, last = layer(x[:, i], single)  # without a batch, whatever batch_first says
            assert np.allclose(alone.data, expected, rtol=0, atol=1e-14)
            assert np.shape(last[0] if kind is nn.LSTM else last) == (rows, 4)


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "settings",
    [{}, {"num_layers": 2, "dropout": 0.5, "bidirectional": True, "batch_first": True}, {"bias": False}],
    ids=["plain", "all", "without bias"],
)
def test_recurrent_gradients(kind, training, settings):
    layer = kind(2, 2, **settings, rng=0).train(training)
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    memory = [random(rows, 2, 2, seed=i) for i in range(2 if kind is nn.LSTM else 1)]
    call = (lambda m, x, h, c: m(x, (h, c))) if kind is nn.LSTM else lambda m, x, h: m(x, h)
    check_module(layer, call, random(2, 2, 2), *memory)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_cells_are_one_step_of_their_layer(kind, bias, batch):
    cell, layer = kind(3, 4, bias=bias, rng=0), CELLS[kind](3, 4, bias=bias, rng=0)
    assert [path for path, _ in layer.named_parameters()] == [f"{path}_l0" for path, _ in cell.named_parameters()]
    assert all(np.array_equal(p.data, q.data) for p, q in zip(cell.parameters(), layer.parameters(), strict=True))
    two, x = kind is nn.LSTMCell, random(5, *batch, 3)
    state = None
    for k in range(5):  # from zeros
        state = cell(x[k], state)
    _, final = layer(x)
    for got, expected in zip(arrays(state), arrays(final), strict=True):
        assert got.shape == (*batch, 4)
        assert np.array_equal(got.data, expected.data[0])
    h, c = random(*batch, 4), random(*batch, 4, seed=1)
    call = (lambda m, x, h, c: m(x, (h, c))) if two else lambda m, x, h: m(x, h)
    check_module(cell, call, x[0], *([h, c] if two else [h]))
    W, U, *bs = (p.data for p in cell.parameters())
    b, d = bs or [np.zeros(len(W))] * 2
    single = [part.reshape(-1, part.shape[-1])[0] for part in (x[0], h, c)]
    got = arrays(cell(x[0], (h, c) if two else h))
    for part, expected in zip(got, step(CELLS[kind], *single, W, U, b, d), strict=False):
        assert np.allclose(part.data.reshape(-1, 4)[0], expected, rtol=0, atol=1e-14)


def test_rnn_with_relu():
    layer = nn.RNN(3, 4, nonlinearity="relu", rng=0)
    assert repr(layer) == "RNN(3, 4, nonlinearity='relu')"
    x, h = random(2, 3), np.zeros(4)
    for t in range(2):
        W, U, b, d = layer.state_dict().values()
        h = np.maximum(W @ x[t] + b + U @ h + d, 0)
    assert np.allclose(layer(x)[1].data[0], h, rtol=0, atol=1e-15)
    check_module(layer, lambda m, x: m(x), x)


def test_dropout_acts_between_layers_only():
    x = random(4, 3, 2)
    layer = nn.GRU(2, 8, num_layers=2, dropout=1.0, rng=0)
    one = nn.GRU(2, 8, rng=0)
    one.load_state_dict({path: x for path, x in layer.state_dict().items() if "_l0" in path})
    assert np.array_equal(layer(x)[1].data[0], one(x)[1].data[0])  # the first layer hears all of x
    assert np.array_equal(layer(x)[0].data, layer(2 * x)[0].data)  # the second hears nothing
    assert not np.array_equal(layer.eval()(x)[0].data, layer(2 * x)[0].data)
    for kind in RECURRENT:
        with pytest.warns(
            UserWarning, match=f"{kind.__name__}: dropout=0.5 acts between layers, and num_layers=1"
        ) as seen:
            kind(2, 8, dropout=0.5)
        assert seen[0].filename == __file__


@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_start_and_repr(kind):
    layer = kind(3, 16, num_layers=2, bidirectional=True, rng=3, dtype=np.float32)
    for p in layer.parameters():
        assert 0.2 < np.abs(p.data).max() <= 0.25
    twin = kind(3, 16, num_layers=2, bidirectional=True, rng=3, dtype=np.float32).state_dict()
    assert all(np.array_equal(x, twin[path]) for path, x in layer.state_dict().items())
    assert layer(np.ones((5, 2, 3), np.float32))[0].dtype == np.float32
    assert repr(layer) == f"{kind.__name__}(3, 16, num_layers=2, bidirectional=True)"
    assert repr(kind(3, 2, bias=False)) == f"{kind.__name__}(3, 2, bias=False)"
    assert [path for path, _ in layer.named_parameters()][:6] == [
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_ih_l0_reverse", "weight_hh_l0_reverse",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_layers_stay_finite(kind):
    layer, x = kind(2, 3, rng=0), Value(np.array([[1e300, -1e300], [-1e300, 1e300], [0.0, 1e-300]]))
    layer(x)[0].sum().backward()
    assert all(np.all(np.isfinite(v.grad)) for v in [x, *layer.parameters()])


# -- Attention ---------------------------------------------------------------------------------------------------------


def attend(q, k, v, seen, added, scale):
    """The formula for a single head of a single example, query by query: (output, weights)."""
    weights = np.zeros((len(q), len(k)))
    for i in range(len(q)):
        for j in range(len(k)):
            if seen[i, j]:
                weights[i, j] = np.exp(scale * (q[i] @ k[j]) + added[i, j])
        if seen[i].any():
            weights[i] /= weights[i].sum()
    return weights @ v, weights


SEEN = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 1, 0]], bool)
ALL, NONE = np.ones((4, 5), bool), np.zeros((4, 5))
INF = np.where(SEEN, random(4, 5, seed=3), -np.inf)


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
@pytest.mark.parametrize(
    ("options", "seen", "added"),
    [
        ({}, ALL, NONE),
        ({"scale": 2.0}, ALL, NONE),
        ({"is_causal": True}, np.tri(4, 5, dtype=bool), NONE),
        ({"attn_mask": SEEN}, SEEN, NONE),
        ({"attn_mask": SEEN[0]}, ALL & SEEN[0], NONE),
        ({"attn_mask": INF}, SEEN, np.where(SEEN, INF, 0)),
        ({"attn_mask": Value(INF)}, SEEN, np.where(SEEN, INF, 0)),
    ],
    ids=["none", "scale", "causal", "booleans", "row", "numbers", "Value"],
)
def test_scaled_dot_product_attention_is_its_formula(lead, options, seen, added):
    q, k, v = random(*lead, 4, 3), random(*lead, 5, 3), random(*lead, 5, 2)
    y = scaled_dot_product_attention(q, k, v, **options)
    for i in np.ndindex(lead):
        expected, _ = attend(q[i], k[i], v[i], seen, added, options.get("scale", 1 / np.sqrt(3)))
        assert np.allclose((y.data if isinstance(y, Value) else y)[i], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "options",
    [{}, {"is_causal": True}, {"attn_mask": SEEN}, {"attn_mask": INF}],
    ids=["none", "causal", "booleans", "inf"],
)
def test_scaled_dot_product_attention_gradients(options):
    def f(q, k, v):
        return scaled_dot_product_attention(q, k, v, **options)

    assert not check_gradients(f, random(4, 2), random(5, 2), random(5, 2), order=2).inconclusive


def test_scaled_dot_product_attention_gradients_of_a_mask_and_with_dropout():
    def f(q, k, v, mask):
        return scaled_dot_product_attention(q, k, v, mask, 0.3, rng=1)

    assert not check_gradients(f, random(2, 3, 2), random(2, 4, 2), random(2, 4, 2), random(3, 4), order=2).inconclusive
    q = np.zeros((1, 1000, 2))
    y = scaled_dot_product_attention(q, q, np.ones((1, 1000, 1)), dropout_p=0.25, rng=0)
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert y.std() > 0.01


def test_attention_stays_finite_and_keeps_float32():
    q, k, v = (Value(np.float32(1e18) * random(4, 3, seed=i).astype(np.float32)) for i in range(3))
    y = scaled_dot_product_attention(q, k, v, SEEN[:, :4])
    y.sum().backward()
    assert y.dtype == np.float32
    assert np.array_equal(y.data[1], np.zeros(3))
    assert all(np.all(np.isfinite(x.grad)) and x.grad.dtype == np.float32 for x in (q, k, v))


def by_heads(layer, query, key, value, seen, added):
    """A single example through MultiheadAttention, head by head, with seen and added of (heads, L, S)."""
    state, E, H = layer.state_dict(), layer.embed_dim, layer.num_heads
    if "in_proj_weight" in state:
        W = np.split(state["in_proj_weight"], 3)
    else:
        W = [state[f"{x}_proj_weight"] for x in "qkv"]
    b = np.split(state.get("in_proj_bias", np.zeros(3 * E)), 3)
    Q, K, V = (x @ w.T + d for x, w, d in zip((query, key, value), W, b, strict=True))
    outputs, weights = [], []
    for h in range(H):
        part = slice(h * E // H, (h + 1) * E // H)
        y, w = attend(Q[:, part], K[:, part], V[:, part], seen[h], added[h], 1 / np.sqrt(E // H))
        outputs.append(y)
        weights.append(w)
    return np.concatenate(outputs, 1) @ state["out_proj.weight"].T + state.get("out_proj.bias", 0), np.array(weights)


PADDING = np.array([[0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)
HEADS = np.random.default_rng(0).random((4, 4, 5)) < 0.3
UNSEEN_VALUE, PADDING_VALUE = (Value(mask, requires_grad=False) for mask in (~SEEN, PADDING))


@pytest.mark.parametrize("settings", [{}, {"batch_first": True}, {"bias": False}, {"kdim": 3, "vdim": 4}], ids=str)
@pytest.mark.parametrize(
    ("masks", "seen", "added"),
    [
        ({}, [[ALL, ALL], [ALL, ALL]], NONE),
        ({"attn_mask": ~SEEN}, [[SEEN, SEEN], [SEEN, SEEN]], NONE),
        ({"attn_mask": UNSEEN_VALUE, "key_padding_mask": PADDING_VALUE}, [[SEEN & ~p] * 2 for p in PADDING], NONE),
        ({"attn_mask": INF}, [[SEEN, SEEN], [SEEN, SEEN]], np.where(SEEN, INF, 0)),
        ({"attn_mask": HEADS}, ~HEADS.reshape(2, 2, 4, 5), NONE),
        ({"key_padding_mask": PADDING}, [[ALL & ~p] * 2 for p in PADDING], NONE),
        ({"is_causal": True}, [[np.tri(4, 5, dtype=bool)] * 2] * 2, NONE),
        (
            {"attn_mask": HEADS, "key_padding_mask": np.where(PADDING, -np.inf, 0.0), "is_causal": True},
            ~HEADS.reshape(2, 2, 4, 5) & ~PADDING[:, None, None] & np.tri(4, 5, dtype=bool),
            NONE,
        ),
    ],
    ids=["none", "booleans", "values", "numbers", "heads", "padding", "causal", "all"],
)  # fmt: skip
def test_multihead_attention_is_its_formula(settings, masks, seen, added):
    layer = nn.MultiheadAttention(6, 2, **settings, rng=0)
    if layer.in_proj_bias is not None:
        layer.in_proj_bias.data[...] = random(18)
        layer.out_proj.bias.data[...] = random(6)
    x = [random(2, 4, 6), random(2, 5, layer.kdim), random(2, 5, layer.vdim)]
    order = (lambda a: a) if layer.batch_first else lambda a: np.swapaxes(a, 0, 1)
    output, mean = layer(*map(order, x), **masks)
    each = layer(*map(order, x), **masks, average_attn_weights=False)[1]
    without = layer(*map(order, x), **masks, need_weights=False)
    assert without[1] is None
    assert np.array_equal(without[0].data, output.data)
    for i in range(2):
        y, w = by_heads(layer, *(a[i] for a in x), seen[i], [added, added])
        assert np.allclose(order(output.data)[i], y, rtol=0, atol=1e-13)
        assert np.allclose(each.data[i], w, rtol=0, atol=1e-14)
        assert np.allclose(mean.data[i], w.mean(0), rtol=0, atol=1e-14)
        single = dict(masks)
        if "key_padding_mask" in single:
            single["key_padding_mask"] = single["key_padding_mask"][i]
        if single.get("attn_mask") is HEADS:
            single["attn_mask"] = HEADS[2 * i : 2 * i + 2]
        alone = layer(*(a[i] for a in x), **single)
        assert np.allclose(alone[0].data, y, rtol=0, atol=1e-13)
        assert np.allclose(alone[1].data, w.mean(0), rtol=0, atol=1e-14)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "settings", [{}, {"kdim": 1, "vdim": 3, "bias": False, "batch_first": True}], ids=["plain", "sizes"]
)
@pytest.mark.parametrize(
    "masks",
    [{}, {"attn_mask": ~SEEN[:2, 1:4], "key_padding_mask": np.array([[0, 0, 1], [0, 0, 0]], bool)}],
    ids=["none", "masks"],
)
def test_multihead_attention_gradients(training, settings, masks):
    layer = nn.MultiheadAttention(2, 2, dropout=0.4, **settings, rng=0).train(training)
    sizes = [(2, 2), (3, layer.kdim), (3, layer.vdim)]
    inputs = [random(2, n, size) if layer.batch_first else random(n, 2, size) for n, size in sizes]
    zeros = 2 if layer.in_proj_bias is not None else 0  # the keys' bias moves all scores of a query alike
    check_module(layer, lambda m, q, k, v: m(q, k, v, **masks), *inputs, zeros=zeros)


def test_multihead_attention_start():
    layer = nn.MultiheadAttention(64, 4, rng=0, dtype=np.float32)
    bound = np.sqrt(6 / (64 + 3 * 64))
    assert 0.99 * bound < np.abs(layer.in_proj_weight.data).max() <= bound
    assert 0.9 / 8 < np.abs(layer.out_proj.weight.data).max() <= 1 / 8
    assert not layer.in_proj_bias.data.any()
    assert not layer.out_proj.bias.data.any()
    assert list(layer.state_dict()) == ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    x = np.ones((3, 2, 64), np.float32)
    assert layer(x, x, x, is_causal=True)[0].dtype == np.float32
    other = nn.MultiheadAttention(64, 4, bias=False, kdim=64, vdim=32)
    assert list(other.state_dict()) == ["q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"]
    assert repr(layer).splitlines()[0] == "MultiheadAttention(64, 4"


# -- The transformer ---------------------------------------------------------------------------------------------------


EPS = 1e-3


def normed(x, layer):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + EPS) * layer.weight.data + (0 if layer.bias is None else layer.bias.data)


def affine(x, layer):
    return x @ layer.weight.data.T + (0 if layer.bias is None else layer.bias.data)


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", np.tanh])
@pytest.mark.parametrize("bias", [True, False])
def test_encoder_layer_is_its_formula(norm_first, activation, bias):
    layer = nn.TransformerEncoderLayer(6, 2, 8, 0.5, activation, EPS, norm_first=norm_first, bias=bias, rng=0).eval()
    for i, p in enumerate(layer.parameters()):
        p.data[...] = random(*p.shape, seed=i)
    x = random(4, 6)
    function = np.tanh if activation is np.tanh else lambda x: np.maximum(x, 0)

    def attention(x):
        return by_heads(layer.self_attn, x, x, x, [np.tri(4, dtype=bool)] * 2, [np.zeros((4, 4))] * 2)[0]

    def network(x):
        return affine(function(affine(x, layer.linear1)), layer.linear2)

    if norm_first:
        y = x + attention(normed(x, layer.norm1))
        y = y + network(normed(y, layer.norm2))
    else:
        y = normed(x + attention(x), layer.norm1)
        y = normed(y + network(y), layer.norm2)
    assert np.allclose(layer(x, is_causal=True).data, y, rtol=0, atol=1e-12)
    assert np.allclose(layer(x[:, None], ~np.tri(4, dtype=bool)).data[:, 0], y, rtol=0, atol=1e-12)
    padded = np.concatenate([x, random(2, 6)])[:, None]
    padding = np.array([[0, 0, 0, 0, 1, 1]], bool)
    assert np.allclose(layer(padded, src_key_padding_mask=padding, is_causal=True).data[:4, 0], y, rtol=0, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm_first", [True, False])
def test_encoder_layer_gradients(training, norm_first):
    layer = nn.TransformerEncoderLayer(4, 2, 3, 0.3, "gelu", batch_first=True, norm_first=norm_first, rng=0)
    padding = np.array([[0, 0, 1], [0, 0, 0]], bool)
    x = random(2, 3, 4)

    def call(module, x):
        return module(x, None, padding, True)

    check_module(layer.train(training), call, x, order=2, zeros=4)


def test_encoder_layer_has_pytorchs_paths_and_dropout_everywhere():
    layer = nn.TransformerEncoderLayer(4, 2, 3, 0.3, rng=0, dtype=np.float32)
    assert [path for path, _ in layer.named_modules()][1:] == [
        "self_attn", "self_attn.out_proj", "linear1", "dropout", "linear2", "norm1", "norm2", "dropout1", "dropout2",
    ]  # fmt: skip
    assert {layer.self_attn.dropout, layer.dropout.p, layer.dropout1.p, layer.dropout2.p} == {0.3}
    x = random(3, 2, 4).astype(np.float32)
    assert layer(x).dtype == np.float32
    parts = [(layer.self_attn, "dropout"), *((part, "p") for part in (layer.dropout, layer.dropout1, layer.dropout2))]
    for chosen, _ in parts:
        for part, name in parts:
            setattr(part, name, 0.5 if part is chosen else 0.0)
        assert not np.array_equal(layer(x).data, layer(x).data)
    layer.eval()
    assert np.array_equal(layer(x).data, layer(x).data)
    none = nn.TransformerEncoderLayer(4, 2, 3, 1.0, norm_first=True)
    assert np.array_equal(none(x).data, x)  # both parts are dropped


# -- What is refused ---------------------------------------------------------------------------------------------------


ATTENTION, Q, K = nn.MultiheadAttention(4, 2, rng=0), np.ones((3, 2, 4)), np.ones((5, 2, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.RNN(0, 2), ShapeError, "RNN: got input_size=0, expected an integer from 1 on"),
        (lambda: nn.GRU(2, 2.5), ShapeError, "GRU: got hidden_size=2.5"),
        (lambda: nn.LSTM(2, 2, 0), ShapeError, "LSTM: got num_layers=0"),
        (lambda: nn.RNNCell(0, 2), ShapeError, "RNNCell: got input_size=0, expected an integer from 1 on"),
        (lambda: nn.LSTMCell(2, 2, True), DTypeError, "LSTMCell: got True at position 3, expected input_size, hidden_size by position; w"),
        (lambda: nn.LSTM(2, 2, 1, 0.5), DTypeError, "LSTM: got 0.5 at position 4, .*; write others by name: bias=, batch_first=, dropout="),
        (lambda: nn.RNN(2, 2, 1, "relu"), DTypeError, "RNN: got 'relu' at position 4, .*: nonlinearity=, bias="),
        (lambda: nn.GRU(2, 2, bias=0.5), TinygradError, "GRU: got bias=0.5, expected True or False"),
        (lambda: nn.GRU(2, 2)(np.ones((1, 2)), None, 3), DTypeError, "GRU: got 3 at position 3, expected x, hx by position"),
        (lambda: nn.RNNCell(2, 2, nonlinearity="sigmoid"), TinygradError, "RNNCell: got nonlinearity='sigmoid', expected one of"),
        (lambda: nn.GRUCell(2, 3)(np.ones((5, 4, 2))), ShapeError, r"GRUCell: got x of shape \(5, 4, 2\), expected \(batch, 2\) or \(2,\)"),
        (lambda: nn.GRUCell(2, 3)(np.ones((5, 2)), np.ones(3)), ShapeError, r"got hx of shape \[\(3,\)\], expected h of shape \(5, 3\)"),
        (lambda: nn.LSTMCell(2, 3)(np.ones(2), np.ones((2, 2))), ShapeError, r"expected h of shape \(3,\) and c of shape \(3,\)"),
        (lambda: nn.RNN(2, 2, nonlinearity="sigmoid"), TinygradError, "RNN: got nonlinearity='sigmoid', expected one of 'tanh', 'relu'"),
        (lambda: nn.GRU(2, 2, 2, dropout=1.5), TinygradError, "GRU: got dropout=1.5, expected a probability"),
        (lambda: nn.LSTM(2, 2, 2, dropout="a"), TinygradError, "LSTM: got dropout='a', expected a probability"),
        (lambda: nn.MultiheadAttention(4, 2, "a"), TinygradError, "MultiheadAttention: got dropout='a'"),
        (lambda: nn.GRU(2, 3)(np.ones((5, 4, 1))), ShapeError, r"GRU: got x of shape \(5, 4, 1\), expected \(time, batch, 2\)"),
        (lambda: nn.GRU(2, 3, batch_first=True)(np.ones(2)), ShapeError, r"x of shape \(2,\), expected \(batch, time, 2\)"),
        (lambda: nn.GRU(2, 3)(np.ones((0, 4, 2))), ShapeError, "of at least one step"),
        (lambda: nn.GRU(2, 3)(np.ones((5, 4, 2)), np.ones((1, 5, 3))), ShapeError, r"got hx of shape \[\(1, 5, 3\)\], expected h_0 of shape \(1, 4, 3\)"),
        (lambda: nn.GRU(2, 3)(np.ones((5, 2)), np.ones((1, 1, 3))), ShapeError, r"expected h_0 of shape \(1, 3\)"),
        (lambda: nn.LSTM(2, 3)(np.ones((5, 4, 2)), np.ones((1, 4, 3))), ShapeError, r"expected h_0 of shape \(1, 4, 3\) and c_0"),
        (lambda: nn.MultiheadAttention(4, 3), ShapeError, "got embed_dim=4 and num_heads=3, expected a multiple"),
        (lambda: nn.MultiheadAttention(4, 0), ShapeError, "got num_heads=0"),
        (lambda: nn.MultiheadAttention(4, 2, kdim=0), ShapeError, "got kdim=0"),
        (lambda: nn.MultiheadAttention(4, 2, -0.1), TinygradError, "got dropout=-0.1"),
        (lambda: ATTENTION(Q, K, K[:4]), ShapeError, r"got query, key, value of shapes \(3, 2, 4\), \(5, 2, 4\), \(4, 2, 4\), expected \(L, N, 4\)"),
        (lambda: ATTENTION(Q, K[..., :3], K), ShapeError, r"expected \(L, N, 4\), \(S, N, 4\), \(S, N, 4\), or the same without"),
        (lambda: ATTENTION(Q[:, :1], K, K), ShapeError, "got query, key, value of shapes"),
        (lambda: ATTENTION(Q[:, 0], K, K), ShapeError, "got query, key, value of shapes"),
        (lambda: ATTENTION(Q, K, K, attn_mask=np.ones((5, 3), bool)), ShapeError, r"got attn_mask of shape \(5, 3\), expected \(3, 5\) or \(4, 3, 5\)"),
        (lambda: ATTENTION(Q, K, K, np.ones((5, 2), bool)), ShapeError, r"got key_padding_mask of shape \(5, 2\), expected \(2, 5\)"),
        (lambda: ATTENTION(Q, K, K, np.ones((2, 5), int)), DTypeError, "MultiheadAttention: got a mask of int64, expected booleans"),
        (lambda: scaled_dot_product_attention(Q, Q, Q, np.ones((2, 2), int)), DTypeError, "scaled_dot_product_attention: got a mask of int64"),
        (lambda: scaled_dot_product_attention(Q, Q, Q, np.ones((2, 3), bool)), ShapeError, r"got a mask of shape \(2, 3\), expected one that stretches to \(3, 2, 2\)"),
        (lambda: scaled_dot_product_attention(Q, Q, Q, np.ones((2, 2), bool), is_causal=True), TinygradError, "got attn_mask and is_causal"),
        (lambda: scaled_dot_product_attention(Q, K[..., :3], K), ShapeError, r"got query \(3, 2, 4\), key \(5, 2, 3\)"),
        (lambda: scaled_dot_product_attention(Q[0, 0], K[0], K[0]), ShapeError, r"got query \(4,\), key \(2, 4\)"),
        (lambda: scaled_dot_product_attention(Q, Q, Q, dropout_p=1.5), TinygradError, "dropout: got p=1.5, expected a probability"),
        (lambda: nn.TransformerEncoderLayer(4, 3), ShapeError, "got embed_dim=4 and num_heads=3"),
        (lambda: nn.TransformerEncoderLayer(4, 2, 0), ShapeError, "got dim_feedforward=0"),
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="swish"), TinygradError, "got activation='swish', expected 'relu', 'gelu' or a function"),
        (lambda: nn.TransformerEncoderLayer(4, 2)(np.ones((3, 5))), ShapeError, r"got src of shape \(3, 5\), expected 2 or 3 axes, the last of size 4"),
        (lambda: nn.TransformerEncoderLayer(4, 2)(np.ones((3, 4)), np.ones((4, 4), bool)), ShapeError, r"got attn_mask of shape \(4, 4\)"),
    ],
)  # fmt: skip
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_attention_takes_an_empty_batch():
    output, weights = ATTENTION(Q[:, :0], K[:, :0], K[:, :0], attn_mask=np.zeros((0, 3, 5), bool))
    assert output.shape == (3, 0, 4)
    assert weights.shape == (0, 3, 5)
