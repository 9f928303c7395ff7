"""Thirty kinds of bad input, and the clear error of each: what it got, what it expected, what to do."""

import numpy as np
import pytest

import nn
from nn import functional
from tinygrad_edu import DTypeError, GraphError, ShapeError, TinygradError, Value

X, Y = np.random.default_rng(0).standard_normal((6, 4)), np.arange(6) % 3


def model():
    return nn.MLP((4, 5, 3), rng=0)


def sgd(net=None):
    return nn.optim.SGD((net or model()).parameters(), lr=0.1)


def fit(x=X, y=Y, **options):
    net = model()
    return nn.fit(net, (x, y), sgd(net), progress=False, epochs=1, **options)


def dead():
    """Parameters that are no leaves, made by computing on them."""
    return nn.optim.Adam([p * 2 for p in model().parameters()])


def wrong_file(folder):
    (folder / "w.safetensors").write_text("not weights", encoding="utf-8")
    nn.load(model(), folder / "w.safetensors")


def other_model(folder):
    nn.save(nn.MLP((4, 6, 3)), folder / "w.safetensors")
    nn.load(model(), folder / "w.safetensors")


BAD = {
    "an input of another size": (lambda: model()(X[:, :3]), ShapeError, r"linear: got an input of shape \(6, 3\)"),
    "images without channels": (
        lambda: nn.Conv2d(1, 2, 3)(np.ones((5, 8, 8))),
        ShapeError,
        r"conv2d: got x \(5, 8, 8\), .*expected .*5 channels.*; of a batch with one channel each pass x\[:, None\]",
    ),
    "a flag where a number is": (
        lambda: nn.MultiheadAttention(4, 2, False),
        TinygradError,
        "MultiheadAttention: got dropout=False, expected a probability from 0 to 1",
    ),
    "a number where a flag is": (
        lambda: nn.LSTM(3, 4, 2, 0.5),
        DTypeError,
        r"LSTM: got 0.5 at position 4, expected input_size, hidden_size, num_layers by position; write others by name: bias=, ba",
    ),
    "a sequence of another size": (
        lambda: nn.GRU(3, 2)(np.ones((5, 1, 4))),
        ShapeError,
        r"GRU: got x of shape \(5, 1, 4\)",
    ),
    "NaN among the inputs": (
        lambda: fit(X * np.nan),
        nn.NonFiniteError,
        "NaN or infinity in 6 of 6 training examples, first in inputs",
    ),
    "a loss that explodes": (
        lambda: fit(X * 1e100, X, loss=lambda p, y: (p**4).sum()),
        nn.NonFiniteError,
        "look at the loss",
    ),
    "a label out of range": (lambda: fit(y=Y + 1), ShapeError, "got labels from .* to 3, expected 0 to 2"),
    "labels that are floats": (lambda: fit(y=Y.astype(float)), DTypeError, r"labels are float64.*astype\(int\)"),
    "a label too few": (
        lambda: fit(y=Y[:-1]),
        ShapeError,
        r"inputs \(6, 4\) and targets \(5,\) as train, expected one target",
    ),
    "no examples": (lambda: fit(X[:0], Y[:0]), ShapeError, "no examples, expected at least one"),
    "an empty batch": (lambda: functional.mse_loss(Value(X[:0]), X[:0]), ShapeError, "is empty, expected at least one"),
    "a batch of one for batch norm": (
        lambda: nn.BatchNorm1d(4)(X[:1]),
        ShapeError,
        r"more than one number a channel in training; train on batches of two",
    ),
    "an unknown reduction": (
        lambda: nn.MSELoss(reduction="average"),
        TinygradError,
        "got reduction='average', expected one of 'mean', 'sum', 'none'",
    ),
    "a target of another shape": (
        lambda: functional.mse_loss(Value(X), X[:, 0]),
        ShapeError,
        r"input has shape \(6, 4\), target \(6,\); expected the same, so reshape one",
    ),
    "a percentage of zero": (
        lambda: functional.mape_loss(Value(X), 0 * X),
        TinygradError,
        "24 of 24 numbers of target",
    ),
    "a probability above 1": (
        lambda: functional.binary_cross_entropy(Value(X**2 + 1), X * 0),
        TinygradError,
        "probabilities, from 0 to 1",
    ),
    "parameters that were computed": (dead, GraphError, r"expected leaf Values; pass model.parameters\(\)"),
    "no parameters": (lambda: nn.optim.SGD(nn.ReLU().parameters(), lr=0.1), TinygradError, "got no parameters"),
    "a model instead of parameters": (
        lambda: nn.optim.SGD(model(), lr=0.1),
        TinygradError,
        r"pass model.parameters\(\)",
    ),
    "a negative learning rate": (lambda: nn.optim.Adam(model().parameters(), lr=-1.0), TinygradError, "lr=-1.0"),
    "an optimiser that is none": (
        lambda: nn.fit(model(), (X, Y), "adam"),
        TinygradError,
        r"got 'adam' as optimizer, expected one, as in nn.optim.SGD",
    ),
    "a schedule without an optimiser": (
        lambda: nn.optim.lr_scheduler.StepLR(model(), 3),
        TinygradError,
        "StepLR: got a MLP first, expected an optimiser",
    ),
    "a file that holds no weights": (wrong_file, TinygradError, "is not a safetensors file"),
    "weights of another model": (
        other_model,
        ShapeError,
        r"0.weight has shape \(6, 4\), expected \(5, 4\); .*2.weight has shape \(3, 6\)",
    ),
    "a file that is not there": (lambda: nn.load(model(), "no.safetensors"), FileNotFoundError, "no.safetensors"),
    "a state of other paths": (
        lambda: model().load_state_dict({"0.weights": X}),
        ShapeError,
        "missing 0.weight; missing 0.bias; .*unexpected 0.weights",
    ),
    "a size that is not positive": (lambda: nn.Conv1d(0, 2, 3), ShapeError, "Conv1d: got in_channels=0"),
    "heads that do not divide": (lambda: nn.MultiheadAttention(5, 2), ShapeError, "embed_dim=5 and num_heads=2"),
    "an index beyond the table": (lambda: nn.Embedding(3, 2)([0, 3]), IndexError, "3"),
    "a misspelt attribute": (lambda: model().wieght, AttributeError, "wieght"),
    "a module that computes nothing": (lambda: nn.Module()(X), TinygradError, r"define forward\(self, x\)"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_gets_a_clear_error(kind, tmp_path):
    call, error, message = BAD[kind]
    with pytest.raises(error, match=message):
        call(tmp_path) if call in (wrong_file, other_model) else call()
