"""Losses: values and gradients beside those of torch.nn.functional and torch.nn, for every reduction and option."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

import nn
from tinygrad_edu import Value

from .case import Case, Numbers

EXCEPTIONS = {
    "half_mse_loss": "not in PyTorch; half of mse_loss",
    "sse_loss": "not in PyTorch; mse_loss with reduction='sum'",
    "sae_loss": "not in PyTorch; l1_loss with reduction='sum'",
    "rmse_loss": "not in PyTorch; the root of mse_loss, with gradient 0 where all is exact",
    "log_cosh_loss": "not in PyTorch",
    "msle_loss": "not in PyTorch",
    "mape_loss": "not in PyTorch",
    "hinge_loss": "not in PyTorch",
    "zero_one_loss": "not in PyTorch; 1 - accuracy",
    "accuracy": "not in PyTorch",
    "l1_penalty": "not in PyTorch",
    "l2_penalty": "not in PyTorch as a loss; its gradient is that of weight_decay",
    "binary_cross_entropy: gradient at 0 and 1": "PyTorch divides by max(p (1 - p), 1e-12), not a derivative of its value",
    "cross_entropy: all labels ignored": "PyTorch returns NaN for the mean of nothing; ours is an error",
    "cosine_similarity: gradient of lengths below eps": "PyTorch's is not the derivative of its value",
    "cosine_embedding_loss: zero vectors": "PyTorch adds 1e-12 under the root; ours is that of cosine_similarity",
    "soft_margin_loss: scores beyond 700": "PyTorch's exponential overflows; ours is exact",
    "weight of mse_loss, l1_loss and huber_loss": "absent, as in PyTorch's modules; weigh the losses of reduction='none'",
    "normalize: out": "absent: a result is a new Value",
    "normalize: dim as a tuple": "absent: an axis is one number",
    "broadcasting of margin_ranking_loss and triplet_margin_loss": "shapes must be equal, as for all losses here",
    "bad targets": "numbers outside 0..1, labels other than ±1 and empty batches are errors here, and pass in PyTorch",
}
EXCEPTIONS |= {
    module: f"not in PyTorch, nor is {function}"
    for module, function in (
        ("HalfMSELoss", "half_mse_loss"),
        ("SSELoss", "sse_loss"),
        ("SAELoss", "sae_loss"),
        ("RMSELoss", "rmse_loss"),
        ("LogCoshLoss", "log_cosh_loss"),
        ("MSLELoss", "msle_loss"),
        ("MAPELoss", "mape_loss"),
        ("HingeLoss", "hinge_loss"),
    )
}

RNG = np.random.default_rng(7)
X, Y = 2 * RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4))
P, Q = RNG.uniform(0.05, 0.95, size=(5, 4)), RNG.uniform(0.05, 0.95, size=(5, 4))
LABELS, SIGNS, PAIRS = np.array([3, 0, 2, -100, 1]), np.where(X * Y > 0, 1, -1), np.array([1, -1, 1, -1, -1])
GOOD = np.abs(LABELS % 4)
DEEP, DEEP_LABELS, DEEP_TARGET = (
    RNG.normal(size=(2, 4, 3, 2)),
    RNG.integers(0, 4, (2, 3, 2)),
    RNG.dirichlet(np.ones(4), (2, 3, 2)),
)
WEIGHT, FOUR, VAR = RNG.uniform(0.2, 2, size=(5, 4)), RNG.uniform(0.2, 2, size=4), RNG.uniform(0.1, 2, size=(5, 4))
DEEP_LABELS[0, 1, 1] = -100
FAR = np.sign(X) * 1e4
COUNTS = RNG.integers(0, 9, (5, 4)) * 1.0
SEVERAL = np.array([[3, 0, -1, 1], [2, -1, -1, -1], [-1, 2, 1, 0], [0, 1, 2, 3], [1, 1, 3, -1]])
TRIPLETS = [{}, {"margin": 3.0, "swap": True}, {"margin": 3.0, "p": 1.0}, {"margin": 3.0, "p": 3.5, "eps": 0.1}]


def _city_block(a: Any, b: Any) -> Any:
    return abs(a - b).sum(-1)


REGRESSION = [("mse_loss", "MSELoss", [{}]), ("l1_loss", "L1Loss", [{}])]
REGRESSION += [("huber_loss", "HuberLoss", [{}, {"delta": 0.4}])]
REGRESSION += [("smooth_l1_loss", "SmoothL1Loss", [{}, {"beta": 0.4}, {"beta": 0.0}])]

CLASSES = [{}, {"weight": FOUR}, {"label_smoothing": 0.3}, {"weight": FOUR, "label_smoothing": 0.3}]

# function, module, floats that get a gradient, what follows them, options
TABLE: list[tuple[str, str, Sequence[Any], Sequence[Any], Sequence[dict[str, Any]]]] = [
    *((function, module, (X, Y), (), options) for function, module, options in REGRESSION),
    *((function, module, (FAR, Y), (), options) for function, module, options in REGRESSION),
    ("binary_cross_entropy", "BCELoss", (P, Q), (), [{}, {"weight": WEIGHT}, {"weight": FOUR}]),
    ("binary_cross_entropy", "BCELoss", (P,), ((Q > 0.5) * 1.0,), [{}]),
    (
        "binary_cross_entropy_with_logits",
        "BCEWithLogitsLoss",
        (X, Q),
        (),
        [{}, {"weight": WEIGHT}, {"pos_weight": FOUR}, {"weight": FOUR, "pos_weight": WEIGHT}],
    ),
    ("binary_cross_entropy_with_logits", "BCEWithLogitsLoss", (FAR,), ((Q > 0.5) * 1.0,), [{}, {"pos_weight": FOUR}]),
    ("cross_entropy", "CrossEntropyLoss", (X,), (LABELS,), CLASSES),
    ("cross_entropy", "CrossEntropyLoss", (X,), (GOOD,), [*CLASSES, {"ignore_index": 2, "weight": FOUR}]),
    ("cross_entropy", "CrossEntropyLoss", (FAR,), (GOOD,), CLASSES),
    ("cross_entropy", "CrossEntropyLoss", (DEEP,), (DEEP_LABELS,), CLASSES),
    ("cross_entropy", "CrossEntropyLoss", (X, Q), (), CLASSES),
    ("cross_entropy", "CrossEntropyLoss", (DEEP, np.moveaxis(DEEP_TARGET, -1, 1)), (), CLASSES),
    ("cross_entropy", "CrossEntropyLoss", (X[0],), (np.array(2),), CLASSES),
    ("nll_loss", "NLLLoss", (X,), (LABELS,), [{}, {"weight": FOUR}]),
    ("nll_loss", "NLLLoss", (X,), (GOOD,), [{"ignore_index": 3}]),
    ("nll_loss", "NLLLoss", (DEEP,), (DEEP_LABELS,), [{}, {"weight": FOUR}]),
    ("gaussian_nll_loss", "GaussianNLLLoss", (X, Y, VAR), (), [{}, {"full": True}, {"eps": 0.7}]),
    ("gaussian_nll_loss", "GaussianNLLLoss", (X, Y, VAR[:, 0]), (), [{}]),
    ("gaussian_nll_loss", "GaussianNLLLoss", (X, Y, VAR[:, :1]), (), [{"full": True}]),
    ("gaussian_nll_loss", "GaussianNLLLoss", (X, Y, 0 * VAR), (), [{}]),
    ("kl_div", "KLDivLoss", (X, Q), (), [{}]),
    ("kl_div", "KLDivLoss", (X,), (np.round(Q),), [{}]),
    ("kl_div", "KLDivLoss", (X, Y), (), [{"log_target": True}]),
    ("cosine_embedding_loss", "CosineEmbeddingLoss", (10 * X, 10 * Y), (PAIRS,), [{}, {"margin": -0.8}]),
    ("hinge_embedding_loss", "HingeEmbeddingLoss", (X,), (SIGNS,), [{}, {"margin": 0.6}]),
    ("multi_margin_loss", "MultiMarginLoss", (X,), (GOOD,), [{}, {"p": 2}, {"margin": 0.6, "weight": FOUR, "p": 2}]),
    ("multi_margin_loss", "MultiMarginLoss", (X[0],), (np.array(2),), [{}]),
    ("margin_ranking_loss", "MarginRankingLoss", (X, Y), (SIGNS,), [{}, {"margin": 0.6}]),
    ("soft_margin_loss", "SoftMarginLoss", (X,), (SIGNS,), [{}]),
    ("soft_margin_loss", "SoftMarginLoss", (60 * X,), (SIGNS,), [{}]),
    ("multilabel_margin_loss", "MultiLabelMarginLoss", (X,), (SEVERAL,), [{}]),
    ("multilabel_margin_loss", "MultiLabelMarginLoss", (X[0],), (SEVERAL[0],), [{}]),
    ("multilabel_soft_margin_loss", "MultiLabelSoftMarginLoss", (X, Q), (), [{}, {"weight": FOUR}, {"weight": WEIGHT}]),
    ("multilabel_soft_margin_loss", "MultiLabelSoftMarginLoss", (X[0], Q[0]), (), [{}]),
    ("multilabel_soft_margin_loss", "MultiLabelSoftMarginLoss", (FAR,), ((Q > 0.5) * 1.0,), [{}]),
    ("triplet_margin_loss", "TripletMarginLoss", (X, Y, 2 * Q), (), TRIPLETS),
    ("triplet_margin_loss", "TripletMarginLoss", (X[0], Y[0], 2 * Q[0]), (), TRIPLETS),
    ("triplet_margin_loss", "TripletMarginLoss", (X, X + 1e-9, Y), (), [{}, {"eps": 0.1}]),
    (
        "triplet_margin_with_distance_loss",
        "TripletMarginWithDistanceLoss",
        (X, Y, 2 * Q),
        (),
        [{}, {"margin": 3.0, "swap": True}, {"distance_function": _city_block}],
    ),
    ("poisson_nll_loss", "PoissonNLLLoss", (X,), (COUNTS,), [{}, {"full": True}]),
    ("poisson_nll_loss", "PoissonNLLLoss", (X, COUNTS + 0.5), (), [{"full": True}]),
    ("poisson_nll_loss", "PoissonNLLLoss", (P, COUNTS), (), [{"log_input": False}, {"log_input": False, "eps": 0.1}]),
    ("poisson_nll_loss", "PoissonNLLLoss", (0 * P,), (COUNTS,), [{"log_input": False}]),
]


def _weights(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(2).normal(size=shape)


def _ours(f: Any, floats: Sequence[Any], rest: Sequence[Any]) -> Numbers:
    values = [Value(x) for x in floats]
    y = f(*values, *rest)
    (y * _weights(y.shape)).sum().backward()
    return {"y": y.data} | {f"gradient of {i}": value.grad for i, value in enumerate(values)}


def _theirs(f: Any, floats: Sequence[Any], rest: Sequence[Any]) -> Numbers:
    tensors = [torch.tensor(x, requires_grad=True) for x in floats]
    y = f(*tensors, *(torch.as_tensor(x) for x in rest))
    (y * torch.tensor(_weights(tuple(y.shape)))).sum().backward()
    return {"y": y.detach().numpy()} | {f"gradient of {i}": t.grad.numpy() for i, t in enumerate(tensors)}


def _tensors(options: dict[str, Any]) -> dict[str, Any]:
    return {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}


def _shown(x: Any) -> Any:
    """A setting as text that does not differ from run to run."""
    return x.shape if isinstance(x, np.ndarray) else x.__name__ if callable(x) else x


def _case(name: str, f: Any, g: Any, floats: Sequence[Any], rest: Sequence[Any], options: dict[str, Any]) -> Case:
    shapes = ", ".join(str(np.shape(x)) for x in (*floats, *rest))
    settings = ", ".join(f"{k}={_shown(v)}" for k, v in options.items())
    setting = f"{shapes}; {settings}"
    return Case(name, setting, lambda: _ours(f, floats, rest), lambda: _theirs(g, floats, rest))


def cases() -> Iterator[Case]:
    for function, module, floats, rest, settings in TABLE:
        for setting in settings:
            for reduction in ("mean", "sum", "none", *(["batchmean"] if function == "kl_div" else [])):
                options = setting | {"reduction": reduction}

                ours = partial(getattr(nn.functional, function), **options)
                theirs = partial(getattr(torch.nn.functional, function), **_tensors(options))
                yield _case(function, ours, theirs, floats, rest, options)
                modules = getattr(nn, module)(**options), getattr(torch.nn, module)(**_tensors(options))
                yield _case(module, *modules, floats, rest, options)
    yield from _distances()
    p, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    yield Case(
        "binary_cross_entropy",
        "probabilities 0 and 1",
        lambda: {"y": nn.functional.binary_cross_entropy(p, t, reduction="none")},
        lambda: {
            "y": torch.nn.functional.binary_cross_entropy(torch.tensor(p), torch.tensor(t), reduction="none").numpy()
        },
    )


def _distances() -> Iterator[Case]:
    """Similarity, distance and length of vectors, as functions and as modules."""
    shapes = [((5, 4), (5, 4)), ((4,), (5, 4)), ((2, 1, 4), (5, 4)), ((4,), (4,))]
    for a, b in shapes:
        x, y = RNG.normal(size=a), RNG.normal(size=b)
        similar = [{"dim": dim} for dim in (range(-2, 2) if a == b == (5, 4) else (-1,))] + [{"dim": -1, "eps": 0.1}]
        far = [{}, {"p": 1.0}, {"p": 3.5}, {"p": math.inf}, {"p": -2.0}, {"eps": 0.1, "keepdim": True}]
        for name, settings in (("cosine_similarity", similar), ("pairwise_distance", far)):
            module = {"cosine_similarity": "CosineSimilarity", "pairwise_distance": "PairwiseDistance"}[name]
            for given in settings:
                f, g = getattr(nn.functional, name), getattr(torch.nn.functional, name)
                yield _case(name, partial(f, **given), partial(g, **given), (x, y), (), given)
                yield _case(module, getattr(nn, module)(**given), getattr(torch.nn, module)(**given), (x, y), (), given)
    short = 1e-3 * X
    yield Case(
        "cosine_similarity",
        "lengths below eps",
        lambda: {"y": nn.functional.cosine_similarity(short, Y, eps=0.5)},
        lambda: {"y": torch.cosine_similarity(torch.tensor(short), torch.tensor(Y), eps=0.5).numpy()},
    )
    for x in (X, X[0], DEEP, 0 * X, 1e-8 * X):
        for given in [{"dim": dim} for dim in range(-x.ndim, x.ndim)] + [
            {"dim": 0, "p": p} for p in (1.0, 3.5, math.inf)
        ]:
            f, g = nn.functional.normalize, torch.nn.functional.normalize
            yield _case("normalize", partial(f, **given), partial(g, **given), (x,), (), given)


COUNTERPARTS = {name: (getattr(nn.functional, name), getattr(torch.nn.functional, name)) for name in ("normalize",)}
for _function, _module in {(f, m) for f, m, *_ in TABLE} | {
    ("cosine_similarity", "CosineSimilarity"),
    ("pairwise_distance", "PairwiseDistance"),
}:
    COUNTERPARTS[_function] = getattr(nn.functional, _function), getattr(torch.nn.functional, _function)
    COUNTERPARTS[_module] = getattr(nn, _module), getattr(torch.nn, _module)
