"""Neural networks on tinygrad_edu: modules, losses, optimisers and a training loop, under PyTorch's names."""

from . import data, functional, init, metrics, optim, runs, utils
from .activation import (
    ELU,
    GELU,
    SELU,
    Hardtanh,
    Identity,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Step,
    Tanh,
)
from .attention import MultiheadAttention
from .compiling import CompiledStep, compile_step
from .container import MLP, Residual, Sequential
from .convolution import Conv1d, Conv2d
from .data import batches, k_fold, split, stratified_k_fold, stratified_split
from .dropout import Dropout
from .embedding import Embedding
from .flatten import Flatten
from .linear import Linear
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
    MSELoss,
    MSLELoss,
    MultiMarginLoss,
    NLLLoss,
    RMSELoss,
    SAELoss,
    SmoothL1Loss,
    SSELoss,
)
from .module import Module
from .normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from .perceptron import Perceptron
from .pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from .recurrent import GRU, LSTM, RNN
from .running import observing
from .saving import load, save
from .stateless import functional_call
from .summary import Summary
from .training.evaluation import evaluate
from .training.fit import fit
from .training.history import History, NonFiniteError
from .transformer import TransformerEncoderLayer

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "SELU",
    "AvgPool1d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "CompiledStep",
    "Conv1d",
    "Conv2d",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNLLLoss",
    "HalfMSELoss",
    "Hardtanh",
    "HingeEmbeddingLoss",
    "HingeLoss",
    "History",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogCoshLoss",
    "LogSigmoid",
    "LogSoftmax",
    "MAPELoss",
    "MSELoss",
    "MSLELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "Module",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "NonFiniteError",
    "Perceptron",
    "RMSELoss",
    "ReLU",
    "Residual",
    "SAELoss",
    "SSELoss",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Softsign",
    "Step",
    "Summary",
    "Tanh",
    "TransformerEncoderLayer",
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
