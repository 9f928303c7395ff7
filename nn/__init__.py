"""Neural networks on tinygrad_edu: modules, losses, optimisers and a training loop, under PyTorch's names."""

from . import functional, init, optim
from .activation import ReLU, Sigmoid, Tanh
from .container import MLP, Sequential
from .data import batches, stratified_split
from .linear import Linear
from .module import Module, functional_call
from .saving import load, save
from .training import History, evaluate, fit

__all__ = [
    "MLP",
    "History",
    "Linear",
    "Module",
    "ReLU",
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
    "optim",
    "save",
    "stratified_split",
]
