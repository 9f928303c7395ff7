"""Arguments by position: what a module or function of ours takes at a position has the name that PyTorch's has there."""

import inspect
import re

import pytest
import torch

import nn
from nn import functional

MODULES = [
    name
    for name in nn.__all__
    if inspect.isclass(kind := getattr(nn, name)) and issubclass(kind, nn.Module) and name != "Module"
]
ALONE = {  # without a counterpart, and why
    **dict.fromkeys(("MLP", "Residual", "Perceptron", "Heaviside"), "networks of ours"),
    **dict.fromkeys(
        ("HalfMSELoss", "HingeLoss", "LogCoshLoss", "MAPELoss", "MSLELoss", "RMSELoss", "SAELoss", "SSELoss"),
        "losses that PyTorch does not have",
    ),
}
MORE = {"GaussianNLLLoss": "by name only in PyTorch, where nothing else stands there; by position as in the function"}
WORDS = {  # words of ours for PyTorch's, which say what is given
    "axis": "dim",
    **dict.fromkeys(("prediction", "logits", "scores", "log_probabilities", "x"), "input"),
    "x1": "input1",
    "x2": "input2",
}


def positional(call):
    """The names of the parameters that may be given by position."""
    parameters = inspect.signature(call).parameters.values()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def torchs(call):
    """The same of PyTorch's, read off the signature or, of functions in C++ and of those with two forms, off the documentation."""
    if call in (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU):
        return positional(torch.nn.modules.rnn.RNNBase)[1:]  # without the mode
    try:
        names = positional(call)
    except ValueError:
        names = []
    found = re.search(r"(?s)^\s*\w+\((.*?)\)(?: ->|\n)", call.__doc__ or "")
    if names or found is None:
        return names
    return [part.split("=")[0].split(":")[0].strip() for part in found[1].split(",")]


def agrees(ours, theirs):
    return len(ours) <= len(theirs) and all(b in (a, WORDS.get(a)) for a, b in zip(ours, theirs, strict=False))


@pytest.mark.parametrize("name", MODULES)
def test_modules_take_by_position_what_pytorchs_take_there(name):
    theirs = getattr(torch.nn, name, None)
    assert (theirs is None) == (name in ALONE), "give the reason in ALONE, or remove it"
    if theirs is not None:
        assert (name in MORE) != agrees(positional(getattr(nn, name)), torchs(theirs)), "let it be given by name only"


@pytest.mark.parametrize("name", [name for name in functional.__all__ if hasattr(torch.nn.functional, name)])
def test_functions_take_by_position_what_pytorchs_take_there(name):
    assert agrees(positional(getattr(functional, name)), torchs(getattr(torch.nn.functional, name)))


def test_a_parameter_at_another_position_is_found():
    class LSTM(nn.Module):
        def __init__(self, input_size, hidden_size, num_layers=1, dropout=0.0): ...

    assert not agrees(positional(LSTM), torchs(torch.nn.LSTM))
    assert not agrees(["kernel_size", "padding"], torchs(torch.nn.functional.max_pool2d)[1:])
    assert not agrees(["input", "weight", "dilation"], torchs(torch.nn.functional.conv2d))
    assert torchs(torch.nn.functional.conv2d)[:4] == ["input", "weight", "bias", "stride"]
    assert torchs(torch.nn.functional.max_pool2d)[:4] == ["input", "kernel_size", "stride", "padding"]
