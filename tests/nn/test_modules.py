"""Modules, losses, initialisers: structure, shapes, gradients, and the error for each wrong use."""

import inspect
import re

import numpy as np
import pytest

import nn
from nn import functional
from tinygrad_edu import DTypeError, GraphError, ShapeError, TinygradError, Value, grad
from tinygrad_edu.testing import numerical_gradient


def test_parameters_are_found_in_order_and_once():
    class Net(nn.Module):
        def __init__(self):
            self.first = nn.Linear(2, 3)
            self.blocks = {"a": nn.Linear(3, 3), "b": [nn.Tanh(), nn.Linear(3, 1, bias=False)]}
            self.scale = Value(2.0)
            self.again = self.first

        def forward(self, x):
            return x

    net = Net()
    assert [path for path, _ in net.named_parameters()] == [
        "scale",
        "first.weight",
        "first.bias",
        "blocks.a.weight",
        "blocks.a.bias",
        "blocks.b.1.weight",
    ]
    assert len(net.parameters()) == 6
    assert [path for path, _ in net.named_modules()][:2] == ["", "first"]
    (net.first.weight.sum() + net.scale).backward()
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    with pytest.raises(AttributeError):
        net.frist  # a typo is an error, never None


def test_call_goes_through_one_point():
    class Probe(nn.Module):
        def forward(self, a, b):
            return a + b

    assert Probe()(1, 2) == 3
    with pytest.raises(TinygradError, match="define forward"):
        nn.Module()(1)


def test_linear_is_its_formula_and_differentiates():
    rng = np.random.default_rng(0)
    layer = nn.Linear(3, 2, rng=rng)
    for shape in ((3,), (4, 3), (2, 4, 3)):
        x = rng.normal(size=shape)
        assert np.allclose(layer(x).data, x @ layer.weight.data.T + layer.bias.data)
        layer.zero_grad()
        layer(x).square().sum().backward()

        def f(w, x=x):
            return np.sum((x @ w.T + layer.bias.data) ** 2)

        assert np.allclose(layer.weight.grad, numerical_gradient(f, layer.weight.data).value)
    plain = nn.Linear(3, 2, bias=False)
    assert plain.bias is None
    assert np.allclose(plain(x).data, x @ plain.weight.data.T)
    with pytest.raises(ShapeError, match=r"linear: got an input of shape \(4, 5\) and a weight of shape \(2, 3\)"):
        layer(np.ones((4, 5)))


def test_initial_weights_are_seeded_and_bounded():
    one, two = (nn.MLP((4, 5, 2), rng=np.random.default_rng(3), dtype=np.float32) for _ in range(2))
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        assert np.array_equal(p.data, q.data)
        assert p.dtype == np.float32
    assert np.abs(one[0].weight.data).max() <= 0.5
    rng = np.random.default_rng(0)
    w = nn.init.kaiming_uniform((200, 300), rng)
    assert w.std() == pytest.approx(np.sqrt(2 / 300), rel=0.02)
    assert nn.init.xavier_uniform((200, 300), rng).std() == pytest.approx(np.sqrt(2 / 500), rel=0.02)
    assert nn.init.normal((200, 300), 1.0, 2.0, rng).mean() == pytest.approx(1.0, abs=0.05)
    assert not nn.init.zeros((2, 2)).any()
    assert nn.init.fans((8, 4, 3, 3)) == (36, 72)


def test_mlp_and_sequential():
    net = nn.MLP((4, 8, 8, 3), nn.Tanh, rng=np.random.default_rng(0))
    assert [type(layer).__name__ for layer in net] == ["Linear", "Tanh", "Linear", "Tanh", "Linear"]
    assert len(net) == 5
    assert net(np.ones((2, 4))).shape == (2, 3)
    x = np.array([-1.0, 2.0])
    assert np.array_equal(nn.Sequential(nn.ReLU())(x), [0.0, 2.0])
    assert np.allclose(nn.Sigmoid()(x), 1 / (1 + np.exp(-x)))
    assert repr(net).splitlines()[:2] == ["MLP(", "  (0): Linear(4, 8)"]
    with pytest.raises(ShapeError, match="at least an input and an output"):
        nn.MLP((4,))


def test_state_moves_between_models_and_is_strict():
    one, two = nn.MLP((2, 3, 1)), nn.MLP((2, 3, 1))
    two.load_state_dict(one.state_dict())
    assert np.array_equal(one(np.ones(2)).data, two(np.ones(2)).data)
    state = one.state_dict()
    state["9.weight"] = state.pop("0.bias")
    state["2.weight"] = np.ones((1, 4))
    before = two.state_dict()
    with pytest.raises(ShapeError, match=r"missing 0.bias; unexpected 9.weight; 2.weight has shape \(1, 4\)"):
        two.load_state_dict(state)
    assert all(np.array_equal(before[k], two.state_dict()[k]) for k in before)


def test_weights_survive_a_file_and_the_file_is_stable(tmp_path):
    one, two = nn.MLP((2, 3, 1)), nn.MLP((2, 3, 1))
    nn.save(one, tmp_path / "a.safetensors")
    nn.save(one, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]
    nn.load(two, tmp_path / "a.safetensors")
    assert all(np.array_equal(p.data, q.data) for p, q in zip(one.parameters(), two.parameters(), strict=True))
    (tmp_path / "c").write_text("nothing of the kind", encoding="utf-8")
    with pytest.raises(TinygradError, match="is not a safetensors file"):
        nn.load(two, tmp_path / "c")


def test_cross_entropy_is_its_formula_and_stable():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    v = Value(logits)
    loss = functional.cross_entropy(v, labels)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert loss.item() == pytest.approx(-np.log(p[np.arange(5), labels]).mean(), rel=1e-14)
    loss.backward()
    assert np.allclose(v.grad, (p - np.eye(3)[labels]) / 5, atol=1e-16)
    far = Value(np.array([[1e4, -1e4], [-1e4, 1e4]]))
    functional.cross_entropy(far, [1, 1]).backward()
    assert np.all(np.isfinite(far.grad))
    twice = Value(logits)
    functional.cross_entropy(twice, labels).backward(create_graph=True)
    g = twice.grad
    twice.zero_grad()
    (g * g).sum().backward()

    def slope(z):
        q = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        return np.sum(((q - np.eye(3)[labels]) / 5) ** 2)

    assert np.allclose(twice.grad, numerical_gradient(slope, logits).value, atol=1e-12)


@pytest.mark.parametrize(
    ("logits", "labels", "error", "message"),
    [
        (np.ones((2, 3)), [0, 3], ShapeError, "labels from 0 to 3, expected 0 to 2"),
        (np.ones((2, 3)), [0, -1], ShapeError, "labels from -1 to 0"),
        (np.ones((2, 3)), [0, 1, 2], ShapeError, r"logits \(2, 3\) and labels \(3,\)"),
        (np.ones(3), [0], ShapeError, r"expected \(batch, classes\)"),
        (np.ones((0, 3)), np.zeros(0, int), ShapeError, "at least one"),
        (np.ones((2, 3)), [0.0, 1.0], DTypeError, "labels are float64, expected integers"),
    ],
)
def test_cross_entropy_refuses(logits, labels, error, message):
    with pytest.raises(error, match=message):
        functional.cross_entropy(Value(logits), labels)


def test_mse_loss_and_accuracy():
    v = Value(np.array([[1.0], [3.0]]))
    loss = functional.mse_loss(v, np.array([[0.0], [1.0]]))
    assert loss.item() == 2.5
    loss.backward()
    assert np.array_equal(v.grad, [[1.0], [2.0]])
    with pytest.raises(ShapeError, match=r"mse_loss: input has shape \(2, 1\), target \(2,\)"):
        functional.mse_loss(v, np.array([0.0, 1.0]))
    assert functional.accuracy(np.eye(3), [0, 1, 0]) == pytest.approx(2 / 3)


def test_seeds_activations_and_layers_are_checked():
    one, two = nn.MLP((2, 3, 1), rng=0), nn.MLP((2, 3, 1), rng=0)
    assert np.array_equal(one[0].weight.data, two[0].weight.data)
    with pytest.raises(TinygradError, match=r"got the module Tanh\(\) as activation, expected its class"):
        nn.MLP((2, 3, 1), nn.Tanh())
    with pytest.raises(ShapeError, match=r"as in MLP\(\(2, 8, 1\)\)"):
        nn.MLP(2)
    with pytest.raises(TinygradError, match="expected modules one by one"):
        nn.Sequential([nn.ReLU()])
    with pytest.raises(TinygradError, match=r"expected save\(model, path\)"):
        nn.save("w.safetensors", one)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        nn.save(one, "/no/such/folder/w.safetensors")


def test_computed_values_and_circles_are_no_parameters():
    class Net(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2)
            self.layer.parent = self

        def forward(self, x):
            self.last = self.layer(x)
            return self.last

    net = Net()
    net(np.ones(2))
    assert [path for path, _ in net.named_parameters()] == ["layer.weight", "layer.bias"]


def test_accuracy_wants_one_label_a_row():
    with pytest.raises(ShapeError, match=r"accuracy: got scores \(3, 3\) and labels \(3, 1\)"):
        functional.accuracy(np.eye(3), np.zeros((3, 1), int))


def test_linear_does_not_lose_precision_to_its_bias():
    x, w = np.ones((2, 3), np.float32), Value(np.ones((1, 3), np.float32))
    assert functional.linear(x, w, Value(np.full(1, 1e-9))).dtype == np.float64
    assert functional.linear(np.ones((2, 3), int), Value(np.ones((1, 3))), Value(np.full(1, 0.5))).data[0, 0] == 3.5


def test_functional_call_makes_a_function_of_the_parameters():
    model = nn.MLP([2, 3, 1], nn.Tanh, rng=0)
    x = np.array([[1.0, 2.0], [-0.5, 0.25]])
    parameters = model.state_dict()
    g = grad(lambda p: (nn.functional_call(model, p, x) ** 2).sum())(parameters)
    (model(x) ** 2).sum().backward()
    for path, value in model.named_parameters():
        assert np.allclose(g[path], value.grad)
    half = {"0.weight": parameters["0.weight"] * 0}
    assert not np.allclose(nn.functional_call(model, half, x).data, model(x).data)
    assert np.array_equal(model.state_dict()["0.weight"], parameters["0.weight"])


def test_functional_call_replaces_a_shared_parameter_everywhere():
    first = nn.Linear(2, 2, rng=0)
    model = nn.Sequential(first, nn.Tanh(), first)
    w = np.eye(2)
    y = nn.functional_call(model, {"0.weight": w, "0.bias": np.zeros(2)}, np.ones(2))
    assert np.allclose(y, np.tanh(np.ones(2)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"w": 1.0}, "unexpected w; the module has weight, bias"),
        ({"bias": np.ones(3)}, r"bias should have shape \(2,\)"),
    ],
)
def test_functional_call_names_what_does_not_fit(parameters, message):
    with pytest.raises(ShapeError, match=message):
        nn.functional_call(nn.Linear(2, 2), parameters, np.ones(2))


# -- Buffers, modes, dtypes, summaries --------------------------------------------------------------------------------


class Counter(nn.Module):
    """Counts how often it ran in training, in a buffer."""

    def __init__(self):
        self.scale = Value(2.0)
        self.seen = np.zeros((), int)
        self.mean = np.zeros(3)

    def forward(self, x):
        if self.training:
            self.seen += 1
            self.mean += 1.5
        return x * self.scale


def test_arrays_are_buffers_saved_and_not_trained(tmp_path):
    one, two = (nn.Sequential(Counter(), nn.Linear(3, 1, rng=i)) for i in range(2))
    assert [path for path, _ in one.named_buffers()] == ["0.seen", "0.mean"]
    assert [path for path, _ in one.named_parameters()] == ["0.scale", "1.weight", "1.bias"]
    one(np.ones(3))
    nn.save(one, tmp_path / "w.safetensors")
    nn.load(two, tmp_path / "w.safetensors")
    assert (two[0].seen, two[0].seen.dtype, two[0].mean.tolist()) == (1, int, [1.5] * 3)
    two.load_state_dict(one.state_dict())
    assert two[0].seen is not one[0].seen
    with pytest.raises(ShapeError, match=r"missing 0.seen; 0.mean has shape \(4,\), expected \(3,\)"):
        two.load_state_dict({k: v for k, v in one.state_dict().items() if k != "0.seen"} | {"0.mean": np.ones(4)})
    with pytest.raises(DTypeError, match="0.mean is of <U1, expected real numbers"):
        two.load_state_dict(one.state_dict() | {"0.mean": np.array(["a", "b", "c"])})


def test_functional_call_leaves_buffers_alone_and_keeps_what_is_shared():
    counter = Counter()
    model = nn.Sequential(counter, counter)
    y = nn.functional_call(model, {"0.scale": 3.0}, np.ones(3))
    assert np.array_equal(y, np.full(3, 9.0))
    assert (counter.seen, counter.scale.item()) == (0, 2.0)
    twice = nn.functional_call(model, {"0.mean": np.ones(3)}, np.ones(3))
    assert np.array_equal(twice.data, np.full(3, 4.0))


def test_train_and_eval_reach_every_module():
    model = nn.Sequential(Counter(), nn.Residual(nn.Sequential(Counter())))
    assert model.eval() is model
    assert not any(module.training for _, module in model.named_modules())
    model(np.ones(3))
    assert model[0].seen == 0
    model.train()
    model(np.ones(3))
    assert (model[0].seen, model[1].body[0].seen) == (1, 1)


def test_freeze_stops_gradients_and_updates():
    model = nn.MLP((2, 3, 1), rng=0)
    model[0].freeze()
    before = model.state_dict()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    model(np.ones((4, 2))).sum().backward()
    optimizer.step()
    assert model[0].weight.grad is None
    after = model.state_dict()
    assert [path for path in after if not np.array_equal(after[path], before[path])] == ["2.weight", "2.bias"]
    assert model.freeze(False)[0].weight.requires_grad


def test_astype_converts_parameters_and_float_buffers_once():
    counter = Counter()
    model = nn.Sequential(counter, nn.Linear(3, 2, rng=0), counter)
    model[1](np.ones(3)).sum().backward()
    model.astype(np.float32)
    assert {str(array.dtype) for array in model.state_dict().values()} == {"float32", "int64"}
    assert model[1].weight.grad is None
    assert model(np.ones(3, np.float32)).dtype == np.float32
    assert model[0] is model[2]
    model[0].mean += 1
    assert model.state_dict()["0.mean"].max() > 1
    with pytest.raises(DTypeError, match="astype: got dtype=<class 'int'>, expected a type of floats"):
        model.astype(int)


def test_residual_adds_its_input_or_a_shortcut():
    x = np.ones((2, 3))
    body = nn.Linear(3, 3, rng=0)
    assert np.array_equal(nn.Residual(body)(x).data, x + body(x).data)
    narrow, shortcut = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, bias=False, rng=1)
    assert np.array_equal(nn.Residual(narrow, shortcut)(x).data, shortcut(x).data + narrow(x).data)
    with pytest.raises(ShapeError, match=r"body returned shape \(2, 2\), the path around it \(2, 3\).*shortcut="):
        nn.Residual(narrow)(x)
    with pytest.raises(TinygradError, match="expected a module"):
        nn.Residual(np.tanh)


def test_mlp_with_norm_and_dropout():
    net = nn.MLP((4, 8, 8, 3), norm=nn.LayerNorm, dropout=0.5, rng=0, dtype=np.float32)
    names = [type(layer).__name__ for layer in net]
    assert names == ["Linear", "LayerNorm", "ReLU", "Dropout"] * 2 + ["Linear"]
    x = np.ones((5, 4), np.float32)
    assert net(x).dtype == np.float32
    assert not np.array_equal(net(x).data, net(x).data)
    net.eval()
    assert np.array_equal(net(x).data, net(x).data)
    with pytest.raises(TinygradError, match=r"got the module LayerNorm\(\) as norm"):
        nn.MLP((2, 3, 1), norm=nn.LayerNorm(3))


def test_dropout_is_seeded_and_off_in_use():
    x = np.ones((100, 10))
    one, two = nn.Dropout(0.3, rng=1), nn.Dropout(0.3, rng=1)
    assert np.array_equal(one(x), two(x))
    y = one(x)
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    assert 0.25 < np.mean(y == 0) < 0.35
    assert one.eval()(x) is x
    with pytest.raises(TinygradError, match="Dropout: got p=1.5"):
        nn.Dropout(1.5)


def test_observing_sees_every_module_innermost_first():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh())
    seen = []
    with nn.observing(
        lambda module, inputs, output: seen.append((type(module).__name__, inputs[0].shape, output.shape))
    ):
        model(np.ones((4, 2)))
    model(np.ones((4, 2)))
    assert seen == [("Linear", (4, 2), (4, 3)), ("Tanh", (4, 3), (4, 3)), ("Sequential", (4, 2), (4, 3))]


def test_observing_tells_of_each_call_before_and_after():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Sequential(nn.Tanh()))
    told = []
    with nn.observing(
        lambda module, inputs, output: told.append(f"{type(module).__name__} ends"),
        enter=lambda module, inputs, options: told.append(type(module).__name__),
    ):
        model(np.ones((4, 2)))
    inner = ["Linear", "Linear ends", "Sequential", "Tanh", "Tanh ends", "Sequential ends"]
    assert told == ["Sequential", *inner, "Sequential ends"]


def test_observing_tells_of_the_end_of_a_module_that_fails():
    left, looked = [], []
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Linear(2, 3, rng=0))
    with (
        nn.observing(lambda module, *_: looked.append(module), leave=lambda module, *_: left.append(module)),
        pytest.raises(ShapeError),
    ):
        model(np.ones((4, 2)))
    assert left == [model[0], model[1], model]
    assert looked == [model[0]]


def test_a_summary_counts_each_parameter_once():
    shared = nn.Linear(3, 3, rng=0)

    class Net(nn.Module):
        def __init__(self):
            self.blocks = [nn.Sequential(shared, nn.Tanh()), shared]
            self.bias = Value(np.zeros(3))

        def forward(self, x):
            return self.blocks[1](self.blocks[0](x)) + self.bias

    model = Net()
    shared.freeze()
    summary = model.summary(np.ones((5, 3)))
    assert [(row.path, row.shape, row.parameters) for row in summary.rows] == [
        ("", (5, 3), 3),
        ("blocks.0", (5, 3), 0),
        ("blocks.0.0", (5, 3), 12),
        ("blocks.0.1", (5, 3), 0),
    ]
    assert (summary.parameters, summary.trainable) == (15, 3)
    text = str(summary)
    assert "    0: Linear(3, 3)" in text
    assert "80.0%" in text
    assert "12 of the parameters are frozen" in text
    assert model.training


def test_a_summary_tells_how_deep_each_module_is():
    inner = nn.Sequential(nn.Tanh(), nn.Sequential(nn.Linear(3, 4, rng=0)))
    model = nn.Sequential(nn.Linear(2, 3, rng=0), inner, *[nn.Tanh() for _ in range(8)], nn.Linear(4, 1, rng=0))
    model[0].freeze()
    summary = model.summary(np.ones((5, 2)))
    assert [(row.path, row.name, row.depth) for row in summary.rows] == [
        ("", "", 0),
        ("0", "0", 1),
        ("1", "1", 1),
        ("1.0", "0", 2),
        ("1.1", "1", 2),
        ("1.1.0", "0", 3),
        *((f"{i}", f"{i}", 1) for i in range(2, 11)),  # "10" is not inside "1"
    ]
    lines = str(summary).splitlines()
    cells = [[cell.rstrip() for cell in re.split("[│┃]", line)[1:-1]] for line in lines if line[0] in "│┃"]
    assert cells[:7] == [
        [" layer", " output", " parameters", " share"],
        [" Sequential()", " (5, 1)", "", ""],
        ["   0: Linear(2, 3)", " (5, 3)", "          9", " 30.0%"],
        ["   1: Sequential()", " (5, 4)", "", ""],
        ["     0: Tanh()", " (5, 3)", "", ""],
        ["     1: Sequential()", " (5, 4)", "", ""],
        ["       0: Linear(3, 4)", " (5, 4)", "         16", " 53.3%"],
    ]
    assert cells[-1] == ["", "", "         30", ""]
    assert lines[-1].strip() == "9 of the parameters are frozen"


def test_a_summary_without_inputs_or_parameters_leaves_them_out():
    lines = str(nn.Sequential(nn.Tanh()).summary()).splitlines()
    assert "│   0: Tanh()" in lines[4]
    assert "%" not in "".join(lines)
    assert "frozen" not in "".join(lines)


# -- Initial values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "std"),
    [
        (lambda rng: nn.init.xavier_uniform((200, 300), rng, gain=2.0), 2 * np.sqrt(2 / 500)),
        (lambda rng: nn.init.xavier_normal((200, 300), rng), np.sqrt(2 / 500)),
        (lambda rng: nn.init.kaiming_normal((200, 300), rng), np.sqrt(2 / 300)),
        (lambda rng: nn.init.kaiming_normal((200, 30, 10), rng, mode="fan_out"), np.sqrt(2 / 2000)),
        (lambda rng: nn.init.kaiming_uniform((200, 300), rng, nonlinearity="tanh"), 5 / 3 / np.sqrt(300)),
        (
            lambda rng: nn.init.kaiming_uniform((200, 300), rng, nonlinearity="leaky_relu", negative_slope=1.0),
            300**-0.5,
        ),
        (lambda rng: nn.init.scaled_normal((200, 300), rng), 300**-0.5),
        (lambda rng: nn.init.normal((200, 300), 0.0, 1.0, rng), 1.0),
        (lambda rng: nn.init.trunc_normal((200, 300), 0.0, 1.0, rng), 0.8796),
        (lambda rng: nn.init.orthogonal((200, 300), rng, gain=3.0), 3 / np.sqrt(300)),
    ],
)
def test_initial_values_have_their_spread(make, std):
    x = make(0)
    assert x.std() == pytest.approx(std, rel=0.02)
    assert abs(x.mean()) < 5 * std / np.sqrt(x.size)
    assert np.array_equal(x, make(np.random.default_rng(0)))


def test_orthogonal_truncated_and_constant_initial_values():
    for shape in ((4, 7), (7, 4), (4, 2, 3)):
        w = nn.init.orthogonal(shape, 0).reshape(shape[0], -1)
        product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        assert np.allclose(product, np.eye(len(product)), atol=1e-12)
    x = nn.init.trunc_normal((1000,), 1.0, 2.0, 0, low=0.0, high=1.5)
    assert (x.min() >= 0, x.max() <= 1.5) == (True, True)
    assert nn.init.constant((2,), 3.0, dtype=np.float32).dtype == np.float32
    assert nn.init.ones((2,)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.init.xavier_normal((3,), 0), ShapeError, r"init: got shape \(3,\)"),
        (lambda: nn.init.orthogonal((3,), 0), ShapeError, r"init: got shape \(3,\)"),
        (lambda: nn.init.kaiming_normal((3, 3), 0, mode="fan"), TinygradError, "got mode='fan'"),
        (lambda: nn.init.calculate_gain("relus"), TinygradError, "got 'relus', expected one of linear"),
        (lambda: nn.init.trunc_normal((3,), 9.0, 1.0, 0), TinygradError, "trunc_normal: got mean=9.0"),
    ],
)
def test_initialisers_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()


# -- Trees ---------------------------------------------------------------------------------------------------------------


def test_named_tuples_are_walked_by_everything():
    from collections import namedtuple

    Pair = namedtuple("Pair", "w b")

    class Net(nn.Module):
        def __init__(self):
            self.p = Pair(Value(np.ones(2)), np.zeros(2))

        def forward(self, x):
            return x * self.p.w + self.p.b

    net = Net()
    assert [path for path, _ in net.named_parameters()] == ["p.0"]
    assert np.array_equal(nn.functional_call(net, {"p.0": np.full(2, 5.0)}, np.ones(2)), [5.0, 5.0])
    net.astype(np.float32)
    assert net.p.b.dtype == np.float32


def test_only_writeable_numbers_are_buffers():
    class Net(nn.Module):
        def __init__(self):
            self.mask = np.broadcast_to(1.0, (2, 2))
            self.classes = np.array(["cat", "dog"])
            self.days = np.array(["2020-01-01"], "M8[D]")
            self.w = Value(1.0)

    net = Net()
    assert list(net.state_dict()) == ["w"]
    net.load_state_dict(net.state_dict())


def test_ambiguous_trees_are_refused():
    class Twice(nn.Module):
        def __init__(self, **attributes):
            vars(self).update(attributes)

    with pytest.raises(TinygradError, match="two keys of layers read alike, layers.1; rename one"):
        Twice(layers={1: Value(1.0), "1": Value(2.0)}).parameters()
    with pytest.raises(TinygradError, match="two parameters have the path 'a.b'"):
        Twice(**{"a.b": Value(1.0)}, a={"b": Value(2.0)}).parameters()
    with pytest.raises(TinygradError, match="the attribute layers is a set, which has no order"):
        Twice(layers={nn.Linear(2, 2)}).parameters()


def test_a_state_with_both_paths_of_a_shared_layer_loads():
    shared = nn.Linear(2, 2, rng=0)
    model = nn.Sequential(shared, nn.Tanh(), shared)
    state = model.state_dict()
    model.load_state_dict(state | {"2.weight": state["0.weight"], "2.bias": state["0.bias"]})
    with pytest.raises(ShapeError, match=r"unexpected 1.weight$|unexpected 1.weight;"):
        model.load_state_dict(state | {"1.weight": state["0.weight"]})


def test_constants_of_integers_stay_in_freeze_and_astype():
    class Net(nn.Module):
        def __init__(self):
            self.index = Value(np.arange(3), requires_grad=False)
            self.w = Value(np.ones(3))

    net = Net().freeze().freeze(False).astype(np.float32)
    assert net.index.dtype.kind == "i"
    assert (net.w.requires_grad, net.w.dtype) == (True, np.float32)


def test_functional_call_passes_options_and_differentiates_nets_with_buffers():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.BatchNorm1d(3))
    start = {path: value.data for path, value in model.named_parameters()}
    x = np.random.default_rng(0).standard_normal((5, 2))
    slopes = grad(lambda p: (nn.functional_call(model, p, x) ** 3).sum())(start)
    assert sorted(slopes) == sorted(start)
    attention = nn.MultiheadAttention(4, 2, rng=0)
    q = np.ones((3, 1, 4))
    _, weights = nn.functional_call(attention, {}, q, q, q, is_causal=True)
    assert weights.data[0, 0].tolist() == [1.0, 0.0, 0.0]


def test_accuracy_refuses_one_score_a_row():
    with pytest.raises(ShapeError, match=r"got one score a row, \(4, 1\).*of two classes use binary_accuracy, or pass"):
        nn.metrics.accuracy(np.ones((4, 1)), np.array([0, 1, 0, 1]))


# -- Arguments that may be left out ------------------------------------------------------------------------------------

# As torch.nn and torch.optim have them; a table by hand, since a test against the signature's own default would hold for any.
ATTENTION = {"dropout": 0.0, "bias": True, "batch_first": False}
RECURRENT = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
TRANSPOSED = {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "bias": True, "dilation": 1}
DEFAULTS = {
    nn.LayerNorm: {"eps": 1e-5, "elementwise_affine": True, "bias": True},
    nn.BatchNorm1d: {"eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True},
    nn.BatchNorm2d: {"eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True},
    nn.TransformerEncoderLayer: {
        "dim_feedforward": 2048, "dropout": 0.1, "layer_norm_eps": 1e-5, "batch_first": False, "norm_first": False, "bias": True
    },
    nn.MultiheadAttention: ATTENTION,
    nn.RNN: RECURRENT,
    nn.LSTM: RECURRENT,
    nn.GRU: RECURRENT,
    nn.Linear: {"bias": True},
    nn.Conv1d: {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True},
    nn.Conv2d: {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True},
    nn.ConvTranspose1d: TRANSPOSED,
    nn.ConvTranspose2d: TRANSPOSED,
    nn.Bilinear: {"bias": True},
    nn.MaxPool1d: {"stride": None, "padding": 0, "dilation": 1, "ceil_mode": False},
    nn.MaxPool2d: {"stride": None, "padding": 0, "dilation": 1, "ceil_mode": False},
    nn.AvgPool1d: {"stride": None, "padding": 0, "ceil_mode": False, "count_include_pad": True},
    nn.AvgPool2d: {"stride": None, "padding": 0, "ceil_mode": False, "count_include_pad": True, "divisor_override": None},
    nn.Unfold: {"dilation": 1, "padding": 0, "stride": 1},
    nn.Fold: {"dilation": 1, "padding": 0, "stride": 1},
    nn.RNNCell: {"bias": True, "nonlinearity": "tanh"},
    nn.GRUCell: {"bias": True},
    nn.LSTMCell: {"bias": True},
    nn.Dropout: {"p": 0.5},
    nn.LeakyReLU: {"negative_slope": 0.01},
    nn.ELU: {"alpha": 1.0},
    nn.Softplus: {"beta": 1.0},
    nn.Hardtanh: {"min_val": -1.0, "max_val": 1.0},
    nn.CrossEntropyLoss: {"ignore_index": -100, "label_smoothing": 0.0, "reduction": "mean"},
    nn.NLLLoss: {"ignore_index": -100, "reduction": "mean"},
    nn.HuberLoss: {"delta": 1.0, "reduction": "mean"},
    nn.SmoothL1Loss: {"beta": 1.0, "reduction": "mean"},
    nn.optim.LBFGS: {
        "lr": 1.0, "max_iter": 20, "max_eval": None, "tolerance_grad": 1e-7, "tolerance_change": 1e-9, "history_size": 100,
        "line_search_fn": None,
    },
    nn.optim.SGD: {"lr": 1e-3, "momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False},
    nn.optim.Adam: {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False},
    nn.optim.AdamW: {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2, "amsgrad": False},
    nn.optim.Adagrad: {"lr": 1e-2, "lr_decay": 0.0, "weight_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10},
    nn.optim.RMSprop: {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0, "centered": False},
    nn.optim.lr_scheduler.StepLR: {"gamma": 0.1, "last_epoch": -1},
    nn.optim.lr_scheduler.LinearLR: {"start_factor": 1 / 3, "end_factor": 1.0, "total_iters": 5},
    nn.optim.lr_scheduler.ConstantLR: {"factor": 1 / 3, "total_iters": 5},
    nn.optim.lr_scheduler.CosineAnnealingLR: {"eta_min": 0.0},
    nn.optim.lr_scheduler.CosineAnnealingWarmRestarts: {"T_mult": 1, "eta_min": 0.0},
    nn.optim.lr_scheduler.ReduceLROnPlateau: {
        "factor": 0.1, "patience": 10, "threshold": 1e-4, "cooldown": 0, "min_lr": 0.0, "eps": 1e-8
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", DEFAULTS, ids=lambda kind: kind.__name__)
def test_defaults_are_those_of_torch(kind):
    parameters = inspect.signature(kind).parameters
    assert {name: parameters[name].default for name in DEFAULTS[kind]} == DEFAULTS[kind]


@pytest.mark.parametrize("frozen", [False, True])
def test_a_state_loaded_after_recording_is_noticed(frozen):
    one, two = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, rng=1)
    one.freeze(frozen)
    x = Value(np.ones((4, 3)))
    y = one(x).sum()
    one.load_state_dict(two.state_dict())
    with pytest.raises(GraphError, match=r"the leaf '.' of shape .* was changed in place after <op linear>"):
        y.backward()
    one(x).sum().backward()
    assert np.allclose(x.grad, two.weight.data.sum(0))
