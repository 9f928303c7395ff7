"""viz.loss_over: a model's loss as a function of chosen numbers."""

from functools import partial

import numpy as np
import pytest

import nn
import viz
from nn.functional import mse_loss
from nn.optim import SGD, trace
from tinygrad_edu import DTypeError, ShapeError, grad

X = np.array([[0.5, -1.0], [2.5, 1.0], [1.0, 0.0]])
Y = np.array([[0.2], [0.9], [0.4]])


@pytest.fixture
def model():
    return nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))


def test_it_is_the_loss_with_these_numbers(model):
    f = viz.loss_over(model, mse_loss, X, Y, ["0.weight[2, -1]", "2.bias"])
    assert np.isclose(f(*f.start), mse_loss(model(X), Y).data)
    before = model.state_dict()
    changed = {k: v.copy() for k, v in before.items()}
    changed["0.weight"][2, -1], changed["2.bias"][0] = 3.0, -1.0
    model.load_state_dict(changed)
    expected = mse_loss(model(X), Y)
    expected.backward()
    gradients = model[0].weight.grad[2, -1], model[2].bias.grad[0]
    model.load_state_dict(before)
    assert np.isclose(f(3.0, -1.0), expected.data)
    assert np.allclose(grad(f, argnums=(0, 1))(3.0, -1.0), gradients)
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())


def test_two_numbers_of_one_array_and_a_plot_of_it(model):
    f = viz.loss_over(model, mse_loss, X, Y, ["0.weight[0, 0]", "0.weight[0, 1]"])
    path = trace(f, f.start, partial(SGD, lr=0.1), 4)
    assert path.values[-1] < path.values[0]
    ax = viz.contour(f, (-2, 2), (-2, 2), paths={"SGD": path}, points=9)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("0.weight[0, 0]", "0.weight[0, 1]")
    assert np.allclose(ax.lines[0].get_xydata()[0], f.start)


def test_one_number_on_a_curve(model):
    f = viz.loss_over(model, mse_loss, X, Y, ["2.bias"])
    ax = viz.curve(f, (-1, 1), points=5, tangents=[0.0])
    assert np.allclose(ax.lines[0].get_ydata(), [f(b) for b in np.linspace(-1, 1, 5)])
    assert ax.get_xlabel() == "2.bias"


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ("2.bias", DTypeError, r"got parameters='2.bias', expected names such as \[\"weight"),
        ([1], DTypeError, r"got parameters=\[1\]"),
        (["3.bias"], ShapeError, "got '3.bias', expected one of 0.weight, 0.bias, 2.weight, 2.bias, with an index"),
        (
            ["0.weight"],
            ShapeError,
            r"got '0.weight', but 0.weight has shape \(3, 2\); expected the index of one number",
        ),
        (["0.weight[1]"], ShapeError, "expected the index of one number"),
        (["0.weight[3, 0]"], ShapeError, "expected the index of one number"),
        (["0.weight[a]"], ShapeError, "expected one of"),
    ],
)
def test_bad_names_are_named(model, parameters, error, message):
    with pytest.raises(error, match=f"loss_over: .*{message}"):
        viz.loss_over(model, mse_loss, X, Y, parameters)


def test_too_few_numbers(model):
    with pytest.raises(ShapeError, match="loss_over: got 1 numbers, expected 2: 0.bias.0., 2.bias"):
        viz.loss_over(model, mse_loss, X, Y, ["0.bias[0]", "2.bias"])(1.0)


def test_a_path_of_training_follows_the_numbers_of_the_model_step_by_step(model):
    f = viz.loss_over(model, mse_loss, X, Y, ["0.weight[2, -1]", "2.bias"])
    path, seen = f.follow(), []
    look = lambda *_: seen.append((model[0].weight.data[2, -1].item(), model[2].bias.data.item()))
    optimizer = SGD(model.parameters(), lr=0.1)
    options = {"loss": mse_loss, "batch_size": 2, "epochs": 3, "rng": 0, "progress": False}
    nn.fit(model, (X, Y), optimizer, on_step=[path, look], **options)
    assert len(path) == 1 + optimizer.steps == 7
    assert path[0] == f.start
    assert list(path)[1:] == seen
    assert f.now() == seen[-1]
    ax = viz.contour(f, (-2, 2), (-2, 2), paths={"batches of 2": path}, points=5)
    assert ax.lines[0].get_xydata().tolist() == [list(point) for point in path]


def test_a_path_of_one_number(model):
    f = viz.loss_over(model, mse_loss, X, Y, ["2.bias"])
    path = f.follow()
    path(1, None)
    assert np.asarray(path).tolist() == [list(f.start)] * 2
    assert viz.curve(f, (-1, 1), points=5, paths=path).lines
