"""Calls of nn: layers, losses, optimisers, schedules, initialisers, metrics and the training loop, with hostile arguments."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from inspect import signature
from typing import Any

import numpy as np

import nn
import tinygrad_edu
from nn import functional, init, metrics, optim, utils
from nn.optim import lr_scheduler
from tinygrad_edu import Value

from .cases import Arguments, Case, drawn
from .outcome import Call

with suppress(ImportError):
    import sklearn.metrics  # noqa: F401  # metrics import it at their first call, which is not to be interrupted


def _x(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).uniform(0.1, 0.9, shape)


LABELS = np.array([0, 2, 1, 1, 0])
SIGNS = np.array([1.0, -1.0, 1.0, 1.0, -1.0])

LAYERS: dict[str, tuple[Arguments, tuple[int, ...]]] = {  # the arguments, and the shape of an input
    **dict.fromkeys(
        ("Identity", "Heaviside", "Sigmoid", "LogSigmoid", "Tanh", "Softsign", "ReLU", "SELU"), ({}, (5, 4))
    ),
    **dict.fromkeys(("SiLU", "Mish", "GELU", "GLU", "Hardtanh", "LeakyReLU", "PReLU", "ReLU6", "CELU"), ({}, (5, 4))),
    **dict.fromkeys(("ELU", "Softplus", "Dropout", "Hardshrink", "Softshrink", "Tanhshrink"), ({}, (5, 4))),
    **dict.fromkeys(("Hardsigmoid", "Hardswish"), ({}, (5, 4))),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Softmin"), ({"dim": -1}, (5, 4))),
    "Threshold": ({"threshold": 0.5, "value": 2.0}, (5, 4)),
    **dict.fromkeys(("Linear", "Perceptron"), ({"in_features": 4, "out_features": 3}, (5, 4))),
    "Conv1d": ({"in_channels": 2, "out_channels": 4, "kernel_size": 3}, (2, 2, 7)),
    "Conv2d": ({"in_channels": 2, "out_channels": 4, "kernel_size": 3, "padding": 1}, (2, 2, 5, 4)),
    "ConvTranspose1d": ({"in_channels": 2, "out_channels": 4, "kernel_size": 3}, (2, 2, 7)),
    "ConvTranspose2d": ({"in_channels": 2, "out_channels": 4, "kernel_size": 3, "padding": 1}, (2, 2, 5, 4)),
    **dict.fromkeys(("AdaptiveAvgPool1d", "AdaptiveMaxPool1d"), ({"output_size": 3}, (2, 2, 7))),
    **dict.fromkeys(("AdaptiveAvgPool2d", "AdaptiveMaxPool2d"), ({"output_size": 3}, (2, 2, 5, 4))),
    "Unfold": ({"kernel_size": 2}, (2, 2, 5, 4)),
    "Fold": ({"output_size": (5, 4), "kernel_size": 2}, (2, 8, 12)),
    "PixelShuffle": ({"upscale_factor": 2}, (2, 4, 3, 2)),
    "PixelUnshuffle": ({"downscale_factor": 2}, (2, 1, 4, 2)),
    **dict.fromkeys(("RNNCell", "GRUCell", "LSTMCell"), ({"input_size": 4, "hidden_size": 3}, (5, 4))),
    **dict.fromkeys(("MaxPool1d", "AvgPool1d"), ({"kernel_size": 2}, (2, 2, 7))),
    **dict.fromkeys(("MaxPool2d", "AvgPool2d"), ({"kernel_size": 2}, (2, 2, 5, 4))),
    "Flatten": ({}, (2, 3, 4)),
    "LayerNorm": ({"normalized_shape": 4}, (5, 4)),
    "RMSNorm": ({"normalized_shape": 4}, (5, 4)),
    "GroupNorm": ({"num_groups": 2, "num_channels": 4}, (5, 4)),
    "BatchNorm1d": ({"num_features": 4}, (5, 4)),
    **dict.fromkeys(("BatchNorm2d", "InstanceNorm2d"), ({"num_features": 2}, (2, 2, 5, 4))),
    "InstanceNorm1d": ({"num_features": 2}, (3, 2, 5)),
    "MLP": ({"sizes": (4, 5, 3)}, (5, 4)),
    **dict.fromkeys(("RNN", "GRU", "LSTM"), ({"input_size": 4, "hidden_size": 3}, (5, 2, 4))),
    "TransformerEncoderLayer": ({"d_model": 4, "nhead": 2, "dim_feedforward": 5}, (5, 2, 4)),
}
LOSSES: dict[str, Callable[[], tuple[Any, ...]]] = {
    **dict.fromkeys(
        ("mse_loss", "half_mse_loss", "sse_loss", "rmse_loss", "l1_loss", "sae_loss", "huber_loss", "smooth_l1_loss"),
        lambda: (_x(5, 3), _x(5, 3) / 2),
    ),
    **dict.fromkeys(("log_cosh_loss", "msle_loss", "mape_loss", "kl_div"), lambda: (_x(5, 3), _x(5, 3) / 2)),
    **dict.fromkeys(("binary_cross_entropy", "binary_cross_entropy_with_logits"), lambda: (_x(5), _x(5))),
    **dict.fromkeys(("cross_entropy", "nll_loss", "multi_margin_loss"), lambda: (_x(5, 3), LABELS.copy())),
    **dict.fromkeys(("hinge_loss", "hinge_embedding_loss", "soft_margin_loss"), lambda: (_x(5), SIGNS.copy())),
    **dict.fromkeys(("multilabel_soft_margin_loss", "poisson_nll_loss"), lambda: (_x(5, 3), _x(5, 3))),
    **dict.fromkeys(
        ("triplet_margin_loss", "triplet_margin_with_distance_loss"), lambda: (_x(5, 3), _x(5, 3) / 2, _x(5, 3) / 3)
    ),
    "margin_ranking_loss": lambda: (_x(5), _x(5) / 2, SIGNS.copy()),
    "multilabel_margin_loss": lambda: (_x(2, 3), np.array([[2, -1, 0], [0, 1, -1]])),
    "gaussian_nll_loss": lambda: (_x(5), _x(5) / 2, _x(5)),
    "cosine_embedding_loss": lambda: (_x(5, 3), _x(5, 3) / 2, SIGNS.copy()),
    **dict.fromkeys(("cosine_similarity", "pairwise_distance"), lambda: (_x(5, 3), _x(5, 3) / 2)),
    "normalize": lambda: (_x(5, 3),),
    "zero_one_loss": lambda: (_x(5, 3), LABELS.copy()),
    "scaled_dot_product_attention": lambda: (_x(2, 5, 3), _x(2, 4, 3), _x(2, 4, 3)),
    "l2_penalty": lambda: (_model(), 0.1),
    "l1_penalty": lambda: (_model(), 0.1),
}
FUNCTIONS: dict[str, Callable[[], tuple[Any, ...]]] = {
    **dict.fromkeys(("celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish"), lambda: (_x(5, 4),)),
    **dict.fromkeys(("hardtanh", "leaky_relu", "logsigmoid", "mish", "relu", "relu6", "selu"), lambda: (_x(5, 4),)),
    **dict.fromkeys(("sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh"), lambda: (_x(5, 4),)),
    **dict.fromkeys(("tanhshrink", "dropout"), lambda: (_x(5, 4),)),
    **dict.fromkeys(("softmax", "softmin", "log_softmax"), lambda: (_x(5, 4), -1)),
    "threshold": lambda: (_x(5, 4), 0.5, 2.0),
    "prelu": lambda: (_x(5, 4), _x(4)),
    **dict.fromkeys(("layer_norm", "rms_norm"), lambda: (_x(5, 4), (4,), _x(4))),
    "batch_norm": lambda: (_x(5, 4), np.zeros(4), np.ones(4), _x(4), _x(4), True),
    "group_norm": lambda: (_x(5, 4), 2, _x(4), _x(4)),
    "instance_norm": lambda: (_x(3, 4, 5), None, None, _x(4), _x(4)),
    "embedding": lambda: (LABELS.copy(), _x(6, 3)),
    "one_hot": lambda: (LABELS.copy(),),
    "linear": lambda: (_x(5, 4), Value(_x(3, 4)), Value(_x(3))),
}
WINDOWED: dict[str, Callable[[], Arguments]] = {
    "conv1d": lambda: {"input": _x(2, 2, 7), "weight": _x(4, 2, 3), "bias": _x(4), "padding": 1},
    "conv2d": lambda: {"input": _x(2, 2, 5, 4), "weight": _x(4, 2, 3, 3), "padding": "same"},
    "conv_transpose1d": lambda: {"input": _x(2, 2, 7), "weight": _x(2, 4, 3), "stride": 2, "output_padding": 1},
    "conv_transpose2d": lambda: {"input": _x(2, 2, 5, 4), "weight": _x(2, 4, 3, 3), "bias": _x(4)},
    **dict.fromkeys(("max_pool1d", "avg_pool1d"), lambda: {"input": _x(2, 2, 7), "kernel_size": 2, "ceil_mode": True}),
    **dict.fromkeys(("max_pool2d", "avg_pool2d"), lambda: {"input": _x(2, 2, 5, 4), "kernel_size": 3, "padding": 1}),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_max_pool1d"), lambda: {"input": _x(2, 2, 7), "output_size": 3}),
    **dict.fromkeys(
        ("adaptive_avg_pool2d", "adaptive_max_pool2d"), lambda: {"input": _x(2, 2, 5, 4), "output_size": (3, None)}
    ),
    "unfold": lambda: {"input": _x(2, 2, 5, 4), "kernel_size": 2, "padding": 1},
    "fold": lambda: {"input": _x(2, 8, 12), "output_size": (5, 4), "kernel_size": 2},
    "pad": lambda: {"input": _x(2, 5, 4), "pad": (1, 2, -1, 0), "value": 0.5},
    "pixel_shuffle": lambda: {"input": _x(2, 4, 3, 2), "upscale_factor": 2},
    "pixel_unshuffle": lambda: {"input": _x(2, 1, 4, 2), "downscale_factor": 2},
    "bilinear": lambda: {"input1": _x(5, 2), "input2": _x(5, 3), "weight": _x(4, 2, 3), "bias": _x(4)},
}
METRICS: dict[str, Callable[[], tuple[Any, ...]]] = {
    **dict.fromkeys(
        ("accuracy", "confusion_matrix", "correct", "f1", "precision", "recall"), lambda: (_x(5, 3), LABELS.copy())
    ),
    "top_k_accuracy": lambda: (_x(5, 3), LABELS.copy(), 2),
    "binary_accuracy": lambda: (_x(5, 3), _x(5, 3) > 0, 0.5),
    "r2": lambda: (_x(5), _x(5) / 2),
    "rmse": lambda: (_x(5), _x(5) / 2),
}
INITIALISERS: dict[str, Arguments] = {
    "zeros": {},
    "ones": {},
    "constant": {"value": 2.0},
    "uniform": {"low": 0.0, "high": 1.0, "rng": 0},
    "normal": {"mean": 0.0, "std": 1.0, "rng": 0},
    "trunc_normal": {"mean": 0.0, "std": 1.0, "rng": 0},
    "scaled_normal": {"rng": 0},
    "xavier_uniform": {"rng": 0},
    "xavier_normal": {"rng": 0},
    "kaiming_uniform": {"rng": 0},
    "kaiming_normal": {"rng": 0},
    "orthogonal": {"rng": 0},
}
SCHEDULES: dict[str, Arguments] = {
    "LambdaLR": {"lr_lambda": lambda t: 0.9**t},
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [1, 2]},
    "ExponentialLR": {"gamma": 0.9},
    "ConstantLR": {},
    "LinearLR": {},
    "CosineAnnealingLR": {"T_max": 4},
    "CosineAnnealingWarmRestarts": {"T_0": 4},
    "InverseSquareRootLR": {"warmup_steps": 3},
}


def _model() -> nn.MLP:
    return nn.MLP((4, 5, 3), rng=0)


def _parameters() -> list[Value]:
    """Parameters with gradients."""
    found = _model().parameters()
    for p in found:
        p.grad = np.ones(p.shape)
    return found


def _sgd() -> optim.SGD:
    return optim.SGD(_parameters(), lr=0.1)


def _fed(shape: tuple[int, ...]) -> Callable[[Any], tuple[Callable[..., Any], Arguments]]:
    """A layer's call with an input of a shape."""

    def then(layer: Any) -> tuple[Callable[..., Any], Arguments]:
        first = next(iter(signature(layer.forward).parameters))
        return layer, {first: _x(*shape)}

    return then


def _named(function: Callable[..., Any], args: tuple[Any, ...]) -> Arguments:
    return dict(zip(signature(function).parameters, args, strict=False))


def _loss_class(name: str) -> type[nn.Module] | None:
    """The module of a loss: MSELoss of mse_loss."""
    short = {"binary_cross_entropy": "BCELoss", "binary_cross_entropy_with_logits": "BCEWithLogitsLoss"}
    wanted = short.get(name, name.replace("_", "").removesuffix("loss") + "loss").lower()
    classes = {n.lower(): item for n, item in vars(nn).items() if isinstance(item, type)}
    return classes.get(wanted) or classes.get(wanted.removesuffix("loss"))


@cache
def cases() -> list[Case]:
    """Everything to call."""
    found = []
    for name, (arguments, shape) in LAYERS.items():
        found += [Case(name, getattr(nn, name), arguments.copy, _fed(shape))] * 2
    attention = Case("MultiheadAttention", nn.MultiheadAttention, {"embed_dim": 4, "num_heads": 2}.copy, _attended)
    words = Case("Embedding", nn.Embedding, {"num_embeddings": 6, "embedding_dim": 3}.copy, _looked_up)
    found += [attention, words] * 2
    for name, args in LOSSES.items():
        function = getattr(functional, name)
        found.append(Case(name, function, lambda function=function, args=args: _named(function, args())))
        module = _loss_class(name)
        if module is not None:
            then = lambda layer, args=args, function=function: (layer, _named(function, args()))  # noqa: E731
            found.append(Case(module.__name__, module, dict, then))
    for name, args in FUNCTIONS.items():
        function = getattr(functional, name)
        found.append(Case(name, function, lambda function=function, args=args: _named(function, args())))
    found += [Case(name, getattr(functional, name), given) for name, given in WINDOWED.items()]
    two = {"in1_features": 2, "in2_features": 3, "out_features": 4}
    found += [Case("Bilinear", nn.Bilinear, two.copy, lambda layer: (layer, {"x1": _x(5, 2), "x2": _x(5, 3)}))] * 2
    for name, args in METRICS.items():
        function = getattr(metrics, name)
        found.append(Case(name, function, lambda function=function, args=args: _named(function, args())))
    for name, given in INITIALISERS.items():
        found.append(Case(name, getattr(init, name), lambda given=given: {"shape": (4, 3), **given}))
    for name in ("SGD", "Adam", "AdamW", "Adagrad", "RMSprop"):
        found += [Case(name, getattr(optim, name), lambda: {"params": _parameters()}, lambda o: (o.step, {}))] * 2
    closure: Callable[[], Any] = lambda: 1.0  # noqa: E731
    found.append(
        Case("LBFGS", optim.LBFGS, lambda: {"params": _parameters()}, lambda o: (o.step, {"closure": closure}))
    )
    for name, given in SCHEDULES.items():
        found.append(
            Case(
                name,
                getattr(lr_scheduler, name),
                lambda given=given: {"optimizer": _sgd(), **given},
                lambda s: (s.step, {}),
            )
        )
    plateau = lr_scheduler.ReduceLROnPlateau
    found.append(
        Case("ReduceLROnPlateau", plateau, lambda: {"optimizer": _sgd()}, lambda s: (s.step, {"metrics": 1.0}))
    )
    found += [
        Case("clip_grad_norm_", utils.clip_grad_norm_, lambda: {"parameters": _parameters(), "max_norm": 1.0}),
        Case("clip_grad_value_", utils.clip_grad_value_, lambda: {"parameters": _parameters(), "clip_value": 1.0}),
        Case("calculate_gain", init.calculate_gain, {"nonlinearity": "relu"}.copy),
        Case(
            "stratified_split", nn.stratified_split, lambda: {"labels": LABELS.repeat(2), "fractions": (0.5,), "rng": 0}
        ),
        Case("split", nn.split, lambda: {"examples": 9, "fractions": (0.5, 0.2), "rng": 0}),
        Case("k_fold", nn.k_fold, lambda: {"examples": LABELS.copy(), "k": 2, "rng": 0}),
        Case("stratified_k_fold", nn.stratified_k_fold, lambda: {"labels": LABELS.repeat(3), "k": 2, "rng": 0}),
        Case("batches", _batches, lambda: {"x": _x(5, 4), "batch_size": 2, "rng": 0}),
        Case("astype", _model().astype, {"dtype": "f4"}.copy),
        Case("load_state_dict", _model().load_state_dict, lambda: {"state": _model().state_dict()}),
        Case("fit", nn.fit, _to_fit),
        Case("EarlyStopping", nn.EarlyStopping, lambda: {"model": _model(), "patience": 2}),
        Case("evaluate", nn.evaluate, lambda: {"model": _model(), "data": (_x(5, 4), LABELS)}),
        Case("functional_call", _functional_call, _to_call),
        Case("activations", _activations, lambda: {"model": _model(), "x": _x(5, 4)}),
        Case("learn", nn.Perceptron(4).learn, lambda: {"x": _x(5, 4), "y": (SIGNS > 0) * 1.0, "epochs": 3}),
    ]
    return found


def _attended(layer: Any) -> tuple[Callable[..., Any], Arguments]:
    return layer, {"query": _x(5, 2, 4), "key": _x(6, 2, 4), "value": _x(6, 2, 4)}


def _looked_up(layer: Any) -> tuple[Callable[..., Any], Arguments]:
    return layer, {"indices": LABELS.copy()}


def _batches(x: Any, batch_size: Any, rng: Any = None, drop_last: Any = False) -> list[Any]:
    return list(nn.batches(x, batch_size=batch_size, rng=rng, drop_last=drop_last))


def _to_fit() -> Arguments:
    model = _model()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    data = (_x(5, 4), LABELS)
    return {"model": model, "train": data, "optimizer": optimizer, "epochs": 1, "progress": False}


def _to_call() -> Arguments:
    model = _model()
    return {"module": model, "parameters": dict(model.named_parameters()), "x": _x(5, 4)}


def _activations(model: Any, x: Any) -> Any:
    return nn.activations(model, x)


def _functional_call(module: Any, parameters: Any, x: Any) -> Any:
    return nn.functional_call(module, parameters, x)


def public_names() -> tuple[str, ...]:
    """The names with which a message may begin: of nn's functions and layers, and of operations."""
    modules = (nn, functional, init, metrics, optim, lr_scheduler, utils)
    own = [name for module in modules for name in vars(module) if not name.startswith("_")]
    more = ("load_state_dict", "astype", "kaiming", "Perceptron.learn", "learn")
    return (*own, *tinygrad_edu.registry, *more)


NAMES = public_names()


def call(rng: np.random.Generator, name: str = "") -> Call:
    """A random call of nn, of everything if not named."""
    known = [case for case in cases() if name in ("", case.name)]
    return drawn(rng, known[rng.integers(len(known))], NAMES)
