"""Neural networks on tinygrad_edu: modules, losses, optimisers and a training loop, under PyTorch's names."""

import opcode as _opcode
import sys as _sys

from . import data, functional, init, metrics, optim, runs, utils
from .activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Heaviside,
    Identity,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from .attention import MultiheadAttention
from .calls import activations
from .compiling import CompiledStep, compile_step
from .container import MLP, Residual, Sequential
from .convolution import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .data import batches, k_fold, split, stratified_k_fold, stratified_split
from .dropout import Dropout
from .embedding import Embedding
from .flatten import Flatten
from .images import Fold, PixelShuffle, PixelUnshuffle, Unfold
from .linear import Bilinear, Linear
from .loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineEmbeddingLoss,
    CosineSimilarity,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HalfMSELoss,
    HingeEmbeddingLoss,
    HingeLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    LogCoshLoss,
    MAPELoss,
    MarginRankingLoss,
    MSELoss,
    MSLELoss,
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    NLLLoss,
    PairwiseDistance,
    PoissonNLLLoss,
    RMSELoss,
    SAELoss,
    SmoothL1Loss,
    SoftMarginLoss,
    SSELoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from .module import Module
from .normalization import BatchNorm1d, BatchNorm2d, GroupNorm, InstanceNorm1d, InstanceNorm2d, LayerNorm, RMSNorm
from .perceptron import Perceptron
from .pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
)
from .recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from .running import observing
from .saving import load, save
from .stateless import functional_call
from .summary import Summary
from .training.callbacks import EarlyStopping
from .training.evaluation import evaluate
from .training.fit import fit
from .training.history import History, NonFiniteError
from .transformer import TransformerEncoderLayer

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Bilinear",
    "CompiledStep",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Flatten",
    "Fold",
    "GRUCell",
    "GaussianNLLLoss",
    "GroupNorm",
    "HalfMSELoss",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Heaviside",
    "HingeEmbeddingLoss",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "KLDivLoss",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogCoshLoss",
    "LogSigmoid",
    "LogSoftmax",
    "MAPELoss",
    "MSELoss",
    "MSLELoss",
    "MarginRankingLoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "Module",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "NonFiniteError",
    "PReLU",
    "PairwiseDistance",
    "Perceptron",
    "PixelShuffle",
    "PixelUnshuffle",
    "PoissonNLLLoss",
    "RMSELoss",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "ReLU6",
    "Residual",
    "SAELoss",
    "SSELoss",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Summary",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "TransformerEncoderLayer",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "Unfold",
    "activations",
    "batches",
    "compile_step",
    "data",
    "evaluate",
    "fit",
    "functional",
    "functional_call",
    "init",
    "k_fold",
    "load",
    "metrics",
    "observing",
    "optim",
    "runs",
    "save",
    "split",
    "stratified_k_fold",
    "stratified_split",
    "utils",
]

_REMOVED = {"Step": "nn.Heaviside"}  # public until 0.1, and the replacement


def __getattr__(name: str) -> object:
    """Raise an error that names the replacement of a removed public name."""
    if name not in _REMOVED:
        raise AttributeError(f"module 'nn' has no attribute {name!r}")
    message = f"nn.{name} is not public since 0.2; use {_REMOVED[name]}"
    asker = _sys._getframe(1)
    if asker.f_code.co_code[asker.f_lasti] == _opcode.opmap["IMPORT_FROM"]:  # it drops an AttributeError's message
        raise ImportError(message)
    raise AttributeError(message)
