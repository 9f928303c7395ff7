"""Modules, losses, initialisers: structure, shapes, gradients, and the error for each wrong use."""

import numpy as np
import pytest

import nn
from nn import functional
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value, grad
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
    with pytest.raises(
        ShapeError, match=r"missing 0.bias; unexpected 9.weight; 2.weight has shape \(1, 4\)"
    ):
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
    (tmp_path / "c").write_text("nothing of the kind")
    with pytest.raises(TinygradError, match="is not a safetensors file"):
        nn.load(two, tmp_path / "c")


def test_cross_entropy_is_its_formula_and_stable():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    v = Value(logits)
    loss = functional.cross_entropy(v, labels)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert float(loss) == pytest.approx(-np.log(p[np.arange(5), labels]).mean(), rel=1e-14)
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
    assert float(loss) == 2.5
    loss.backward()
    assert np.array_equal(v.grad, [[1.0], [2.0]])
    with pytest.raises(ShapeError, match=r"mse_loss: prediction has shape \(2, 1\), target \(2,\)"):
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
