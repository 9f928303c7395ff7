"""Recurrent networks, attention and the transformer's encoder layer against PyTorch's, from the same parameters.

Compared are all outputs, and the gradients of a random weighing of them for inputs and parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import nn
from nn.functional import scaled_dot_product_attention
from tinygrad_edu import Value

from .case import Case, Numbers

EXCEPTIONS = {
    "RNN, GRU, LSTM: dropout in training": "the random numbers differ; dropout=0.5 is compared in use, after eval()",
    "LSTM: proj_size": "not there",
    "RNN, GRU, LSTM: PackedSequence": "not there; batches are of sequences of one length",
    "MultiheadAttention: dropout in training": "the random numbers differ; dropout=0.5 is compared in use, after eval()",
    "MultiheadAttention: add_bias_kv, add_zero_attn": "not there",
    "MultiheadAttention: a query that may look nowhere, with need_weights": "zeros in place of PyTorch's NaN, on purpose; "
    "without need_weights PyTorch gives zeros too, and agrees",
    "MultiheadAttention: is_causal without attn_mask": "PyTorch wants the mask all the same; ours makes it",
    "scaled_dot_product_attention: dropout_p": "the random numbers differ",
    "scaled_dot_product_attention: enable_gqa": "not there",
    "TransformerEncoderLayer: dropout in training": "the random numbers differ; compared in use, and in training with dropout=0",
}

Arrays = dict[str, NDArray[Any]]
Masks = Mapping[str, NDArray[Any]]

_rng = np.random.default_rng(0)


def _random(*shape: int) -> NDArray[Any]:
    return _rng.normal(size=shape)


def _seen(*shape: int) -> NDArray[Any]:
    """Random booleans, in each row of which at least one is True."""
    mask = _rng.random(shape) < 0.6
    mask[..., 0] = True
    return mask


def _flat(output: Any) -> list[Any]:
    """All arrays of an output, which may be a tuple of tuples, without None."""
    if isinstance(output, tuple):
        return [part for item in output for part in _flat(item)]
    return [] if output is None else [output]


def _weights(outputs: list[Any]) -> list[NDArray[Any]]:
    rng = np.random.default_rng(7)
    return [rng.normal(size=tuple(y.shape)) for y in outputs]


def _ours(f: Callable[..., Any], inputs: Arrays, module: nn.Module | None) -> Numbers:
    leaves = {name: Value(x) for name, x in inputs.items()}
    outputs = _flat(f(**leaves))
    sum((y * w).sum() for y, w in zip(outputs, _weights(outputs), strict=True)).backward()
    leaves |= dict(module.named_parameters()) if module is not None else {}
    gradients = {f"gradient of {name}": np.array(leaf.grad) for name, leaf in leaves.items()}
    return {f"output {i}": y.data for i, y in enumerate(outputs)} | gradients


def _theirs(f: Callable[..., Any], inputs: Arrays, module: torch.nn.Module | None) -> Numbers:
    leaves = {name: torch.tensor(x, requires_grad=True) for name, x in inputs.items()}
    outputs = _flat(f(**leaves))
    sum((y * torch.tensor(w)).sum() for y, w in zip(outputs, _weights(outputs), strict=True)).backward()
    leaves |= dict(module.named_parameters()) if module is not None else {}
    gradients = {f"gradient of {name}": leaf.grad.numpy() for name, leaf in leaves.items()}
    return {f"output {i}": y.detach().numpy() for i, y in enumerate(outputs)} | gradients


def _tensors(masks: Masks) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(mask) for name, mask in masks.items()}


def _layer(
    name: str,
    arguments: tuple[Any, ...],
    settings: dict[str, Any],
    inputs: Arrays,
    call: Callable[..., Any] = lambda module, **inputs: module(*inputs.values()),
    masks: Masks | None = None,
    training: bool = True,
    what: str = "",
) -> Case:
    """A module of ours whose parameters PyTorch's takes over, then gives back to another one of ours."""
    masks = {} if masks is None else masks
    text = ", ".join([*map(str, arguments), *(f"{key}={value}" for key, value in settings.items())])
    shapes = ", ".join(f"{key} {x.shape}" for key, x in inputs.items())
    ours = getattr(nn, name)(*arguments, **settings, rng=1).train(training)

    def theirs() -> torch.nn.Module:
        module = getattr(torch.nn, name)(*arguments, **settings, dtype=torch.float64).train(training)
        module.load_state_dict({path: torch.tensor(x) for path, x in ours.state_dict().items()})
        return module

    def by_ours() -> Numbers:
        module = getattr(nn, name)(*arguments, **settings, rng=2).train(training)
        module.load_state_dict({path: x.numpy() for path, x in theirs().state_dict().items()})
        return _ours(lambda **leaves: call(module, **leaves, **masks), inputs, module)

    def by_theirs() -> Numbers:
        module = theirs()
        return _theirs(lambda **leaves: call(module, **leaves, **_tensors(masks)), inputs, module)

    mode = "" if training else ", eval"
    return Case(name, f"({text}) of {shapes}{mode}{what}", by_ours, by_theirs)


def _recurrent(name: str) -> Iterator[Case]:
    two = name == "LSTM"

    def call(module: Any, x: Any, h: Any, c: Any = None) -> Any:
        return module(x, (h, c) if two else h)

    options = product((1, 2), (True, False), (True, False), (True, False))
    for num_layers, bias, batch_first, bidirectional in options:
        settings = {"num_layers": num_layers, "bias": bias, "batch_first": batch_first, "bidirectional": bidirectional}
        rows = num_layers * (1 + bidirectional)
        for batch in ((3,), ()):
            x = _random(3, 5, 2) if batch and batch_first else _random(5, *batch, 2)
            yield _layer(name, (2, 4), settings, {"x": x})
            memory = {"h": _random(rows, *batch, 4)} | ({"c": _random(rows, *batch, 4)} if two else {})
            yield _layer(name, (2, 4), settings, {"x": x} | memory, call)
    settings = {"num_layers": 3, "dropout": 0.5, "bidirectional": True}
    yield _layer(name, (2, 4), settings, {"x": _random(5, 3, 2)}, training=False)
    yield _layer(name, (1, 1), {}, {"x": _random(1, 1, 1)})
    yield _layer(name, (2, 4), {}, {"x": 50 * _random(4, 3, 2)}, what=", far from 0")


def _cells(name: str) -> Iterator[Case]:
    two = name == "LSTMCell"

    def call(module: Any, x: Any, h: Any, c: Any = None) -> Any:
        return module(x, (h, c) if two else h)

    for bias, batch in product((True, False), ((3,), ())):
        x, h, c = _random(*batch, 2), _random(*batch, 4), _random(*batch, 4)
        for settings in ({}, {"nonlinearity": "relu"}) if name == "RNNCell" else ({},):
            yield _layer(name, (2, 4), {"bias": bias, **settings}, {"x": x})
            memory = {"h": h} | ({"c": c} if two else {})
            yield _layer(name, (2, 4), {"bias": bias, **settings}, {"x": x} | memory, call)


def _bilinear() -> Iterator[Case]:
    for bias, lead in product((True, False), ((), (5,), (2, 3))):
        inputs = {"x1": _random(*lead, 3), "x2": _random(*lead, 2)}
        yield _layer("Bilinear", (3, 2, 4), {"bias": bias}, inputs)


def _attention() -> Iterator[Case]:
    N, L, S, E, H = 3, 4, 5, 6, 2

    def call(module: Any, query: Any, key: Any, value: Any, **options: Any) -> Any:
        return module(query, key, value, **options)

    def to_itself(module: Any, x: Any, **options: Any) -> Any:
        return module(x, x, x, **options)

    padding = ~_seen(N, S)
    masks: dict[str, Masks] = {
        "no mask": {},
        "booleans": {"attn_mask": ~_seen(L, S)},
        "numbers": {"attn_mask": _random(L, S)},
        "-inf": {"attn_mask": np.where(_seen(L, S), 0.0, -np.inf)},
        "a mask a head": {"attn_mask": ~_seen(N * H, L, S)},
        "numbers a head": {"attn_mask": _random(N * H, L, S)},
        "padding": {"key_padding_mask": padding},
        "padding as numbers": {"key_padding_mask": np.where(padding, -np.inf, 0.5)},
        "both": {"attn_mask": ~np.tri(L, S, dtype=bool), "key_padding_mask": np.arange(S) >= np.array([[3], [5], [2]])},
        "both as numbers": {"attn_mask": _random(L, S), "key_padding_mask": np.where(padding, -np.inf, 0.0)},
    }
    for sizes, bias, batch_first in product(({}, {"kdim": 3, "vdim": 7}), (True, False), (True, False)):
        settings = {"bias": bias, "batch_first": batch_first, **sizes}
        inputs = {
            name: _random(*((N, length) if batch_first else (length, N)), settings.get(f"{name[0]}dim", E))
            for name, length in (("query", L), ("key", S), ("value", S))
        }
        for what, mask in masks.items():
            yield _layer("MultiheadAttention", (E, H), settings, inputs, call, mask, what=f", {what}")
        single = {name: x[0] if batch_first else x[:, 0] for name, x in inputs.items()}
        for what in ("no mask", "booleans", "numbers"):
            yield _layer("MultiheadAttention", (E, H), settings, single, call, masks[what], what=f", {what}")
        options = product((True, False), (True, False))
        for need_weights, average in options:
            chosen = {"need_weights": need_weights, "average_attn_weights": average}
            yield _layer(
                "MultiheadAttention",
                (E, H),
                settings,
                inputs,
                lambda module, chosen=chosen, **given: call(module, **given, **chosen),
                masks["both"],
                what=f", {chosen}",
            )
    nowhere = {"attn_mask": np.arange(L)[:, None] == [1] * S}

    def unweighed(module: Any, query: Any, key: Any, value: Any, **options: Any) -> Any:
        return module(query, key, value, need_weights=False, **options)

    inputs = {"query": _random(L, N, E), "key": _random(S, N, E), "value": _random(S, N, E)}
    yield _layer("MultiheadAttention", (E, H), {}, inputs, unweighed, nowhere, what=", a query that may look nowhere")
    single = {"query": _random(L, E), "key": _random(S, E), "value": _random(S, E)}
    mask = {"attn_mask": ~_seen(H, L, S), "key_padding_mask": ~_seen(S)}
    yield _layer("MultiheadAttention", (E, H), {}, single, call, mask, what=", masks")
    for heads in (1, 2, 3, 6):
        yield _layer("MultiheadAttention", (E, heads), {}, {"x": _random(L, N, E)}, to_itself, what=", to itself")
    causal = {"attn_mask": ~np.tri(L, dtype=bool)}

    def hinted(module: Any, x: Any, **options: Any) -> Any:
        return module(x, x, x, is_causal=True, **options)

    yield _layer("MultiheadAttention", (E, H), {}, {"x": _random(L, N, E)}, hinted, causal, what=", is_causal")
    yield _layer("MultiheadAttention", (E, H), {"dropout": 0.5}, {"x": _random(L, N, E)}, to_itself, training=False)


def _function() -> Iterator[Case]:
    shapes = [((4, 3), (5, 3), (5, 2)), ((2, 4, 3), (2, 5, 3), (2, 5, 3)), ((2, 3, 4, 2), (2, 3, 5, 2), (2, 3, 5, 6))]
    for q, k, v in shapes:
        inputs = {"query": _random(*q), "key": _random(*k), "value": _random(*v)}
        nowhere = _seen(4, 5)
        nowhere[1] = False
        options: list[dict[str, Any]] = [
            {},
            {"is_causal": True},
            {"scale": 0.3},
            {"scale": 2.0, "is_causal": True},
            {"attn_mask": _seen(4, 5)},
            {"attn_mask": _seen(*q[:-1], 5)},
            {"attn_mask": _random(*q[:-1], 5)},
            {"attn_mask": _random(1, 5)},
            {"attn_mask": np.where(_seen(4, 5), 0.0, -np.inf), "scale": 0.7},
            {"attn_mask": nowhere},
            {"attn_mask": np.where(nowhere, _random(4, 5), -np.inf)},
        ]
        for given in options:
            masks = {name: x for name, x in given.items() if isinstance(x, np.ndarray)}
            plain = {name: x for name, x in given.items() if name not in masks}
            told = [f"{name} {x.dtype} {x.shape}" for name, x in masks.items()]
            yield Case(
                "scaled_dot_product_attention",
                f"of {', '.join(str(x.shape) for x in inputs.values())}, {plain}, {', '.join(told)}",
                lambda inputs=inputs, given=given: _ours(
                    lambda **leaves: scaled_dot_product_attention(**leaves, **given), inputs, None
                ),
                lambda inputs=inputs, plain=plain, masks=masks: _theirs(
                    lambda **leaves: torch.nn.functional.scaled_dot_product_attention(
                        **leaves, **plain, **_tensors(masks)
                    ),
                    inputs,
                    None,
                ),
            )


def _encoder() -> Iterator[Case]:
    N, L, E = 3, 4, 6
    causal, padding = ~np.tri(L, dtype=bool), np.arange(L) >= np.array([[3], [4], [2]])
    masks: list[Masks] = [
        {},
        {"src_mask": causal},
        {"src_mask": _random(L, L)},
        {"src_key_padding_mask": padding},
        {"src_mask": causal, "src_key_padding_mask": padding},
    ]

    def call(module: Any, src: Any, **options: Any) -> Any:
        return module(src, **options)

    for norm_first, batch_first, bias, activation in product(
        (True, False), (True, False), (True, False), ("relu", "gelu")
    ):
        settings = {"norm_first": norm_first, "batch_first": batch_first, "bias": bias, "activation": activation}
        src = _random(N, L, E) if batch_first else _random(L, N, E)
        for mask in masks:
            told = f", masks {', '.join(mask)}"
            settings = {"dropout": 0.0, **settings}
            yield _layer("TransformerEncoderLayer", (E, 2, 8), settings, {"src": src}, call, mask, what=told)
        yield _layer("TransformerEncoderLayer", (E, 2, 8), settings, {"src": _random(L, E)}, call)
        settings = {**settings, "dropout": 0.3, "layer_norm_eps": 1e-3}
        yield _layer("TransformerEncoderLayer", (E, 2, 8), settings, {"src": src}, call, masks[-1], training=False)

    def hinted(module: Any, src: Any, **options: Any) -> Any:
        return module(src, is_causal=True, **options)

    yield _layer(
        "TransformerEncoderLayer",
        (E, 3, 8),
        {"dropout": 0.0},
        {"src": _random(L, N, E)},
        hinted,
        masks[1],
        what=", is_causal",
    )


def cases() -> Iterator[Case]:
    """All comparisons, in float64."""
    for name in ("RNN", "GRU", "LSTM"):
        yield from _recurrent(name)
    for name in ("RNNCell", "GRUCell", "LSTMCell"):
        yield from _cells(name)
    yield from _bilinear()
    for bidirectional in (True, False):
        settings = {"nonlinearity": "relu", "num_layers": 2, "bidirectional": bidirectional}
        yield _layer("RNN", (2, 4), settings, {"x": _random(5, 3, 2)})
    yield from _attention()
    yield from _function()
    yield from _encoder()
