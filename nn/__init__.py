"""Neural networks on tinygrad_edu: modules, losses, optimisers and a training loop, under PyTorch's names."""

from . import functional, init, optim
from .activation import ReLU, Sigmoid, Tanh
from .container import MLP, Residual, Sequential
from .data import batches, stratified_split
from .dropout import Dropout
from .linear import Linear
from .module import Module, functional_call, observing
from .saving import load, save
from .training import History, evaluate, fit

__all__ = [
    "MLP",
    "Dropout",
    "History",
    "Linear",
    "Module",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "batches",
    "evaluate",
    "fit",
    "functional",
    "functional_call",
    "init",
    "load",
    "observing",
    "optim",
    "save",
    "stratified_split",
]
