"""Names of PyTorch, Keras and earlier versions that nn does not have, each with what to write here: its errors say so.

A lookup that succeeds pays nothing for this: `__getattr__` of a module, and a descriptor of a class, run only for these names.
"""

from __future__ import annotations

import opcode
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

PACKAGE = {
    "Dropout1d": "nn.Dropout, which drops single numbers, not channels",
    "Dropout2d": "nn.Dropout, which drops single numbers, not channels",
    "Dropout3d": "nn.Dropout, which drops single numbers, not channels",
    "Dataset": "two arrays, inputs and targets",
    "DataLoader": "nn.batches(inputs, targets, batch_size=32, rng=0), or nn.fit",
    "DataParallel": "the model itself: there is one process and one device",
    "Layer": "nn.Linear(2, 16, rng=0), and an activation such as nn.Tanh()",
    "ModuleDict": "a dict of modules, as an attribute",
    "ModuleList": "a list of modules, as an attribute",
    "Neuron": "nn.Linear(2, 1, rng=0), and an activation such as nn.Tanh()",
    "Parameter": "tinygrad_edu.Value(array), as an attribute",
    "ParameterDict": "a dict of Values, as an attribute",
    "ParameterList": "a list of Values, as an attribute",
    "TensorDataset": "two arrays, inputs and targets",
    "Transformer": "nn.TransformerEncoderLayer",
    "TransformerEncoder": "nn.Sequential of nn.TransformerEncoderLayer",
    "Adam": "nn.optim.Adam",
    "SGD": "nn.optim.SGD",
    "accuracy": "nn.metrics.accuracy",
    "cross_entropy": "nn.functional.cross_entropy",
    "device": "nothing: everything is in the memory of the CPU",
    "manual_seed": "rng=0, or a generator, of each layer, of dropout and of nn.fit",
    "mse_loss": "nn.functional.mse_loss",
    "relu": "nn.functional.relu",
    "sigmoid": "nn.functional.sigmoid",
    "softmax": "nn.functional.softmax",
    "tanh": "nn.functional.tanh",
    "train": "nn.fit",
}
MODULE = {
    "add_module": "self.name = module",
    "apply": "for path, module in model.named_modules(): ...",
    "buffers": "[array for path, array in model.named_buffers()]",
    "cpu": "the model as it is: it computes on the CPU",
    "cuda": "the model as it is: it computes on the CPU",
    "device": "nothing: the model computes on the CPU",
    "double": "model.astype(np.float64)",
    "float": "model.astype(np.float32)",
    "half": "model.astype(np.float16)",
    "load": "nn.load(model, path)",
    "modules": "[module for path, module in model.named_modules()]",
    "named_children": "model.children(), which has paths and modules",
    "register_forward_hook": "with nn.observing(...): model(x)",
    "register_module": "self.name = module",
    "register_parameter": "self.name = Value(array)",
    "requires_grad_": "model.freeze(), or model.freeze(False)",
    "save": "nn.save(model, path)",
    "to": "model.astype(np.float32) for a type; the model computes on the CPU",
}
_FIT = {
    "callbacks": "on_epoch=callback, or on_step=callback",
    "criterion": "loss=function of (outputs, targets)",
    "grad_clip": "clip_norm= or clip_value=",
    "loss_fn": "loss=function of (outputs, targets)",
    "lr_scheduler": "a callback: on_epoch=schedule, or on_step=schedule",
    "schedule": "a callback: on_epoch=schedule, or on_step=schedule",
    "schedule_every": "the name of an argument: on_step=schedule, or on_epoch=schedule",
    "scheduler": "a callback: on_epoch=schedule, or on_step=schedule",
    "shuffle": "rng=0, which shuffles; without it the order stays",
    "val_data": "validation=(inputs, targets)",
    "validation_data": "validation=(inputs, targets)",
    "verbose": "progress=True or False",
}
_LOAD = {"strict": "none: all paths must fit; {**model.state_dict(), **state} keeps what the state lacks"}
_ANY = {
    "axis": "dim=, PyTorch's word; tinygrad_edu's functions take axis=",
    "device": "none: everything is in the memory of the CPU",
    "inplace": "none: a recorded Value does not change in place",
    "keepdims": "keepdim=, PyTorch's word; tinygrad_edu's functions take keepdims=",
    "learning_rate": "lr=",
    "set_to_none": "none: zero_grad() always sets .grad to None",
    "size_average": 'reduction="mean" or "sum"',
}
KEYWORDS: dict[str, dict[str, str]] = {"": _ANY, "fit": _FIT, "load_state_dict": _LOAD}  # by function, "" for any


def unknown(
    module: str, elsewhere: Mapping[str, str], removed: Mapping[str, str] | None = None
) -> Callable[[str], NoReturn]:
    """A module's `__getattr__`: for names of elsewhere, and of earlier versions, the error says what to write.

    `from nn import name` keeps the message too: Python drops that of an AttributeError, so an ImportError is raised there.
    """

    def __getattr__(name: str) -> NoReturn:  # noqa: N807
        if name in (removed or {}):
            message = f"{module}.{name} is not public since 0.2; use {(removed or {})[name]}"
        elif name in elsewhere:
            message = f"{module}.{name} does not exist; write {elsewhere[name]}"
        else:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        asker = sys._getframe(1)
        if asker.f_code.co_code[asker.f_lasti] == opcode.opmap["IMPORT_FROM"]:
            raise ImportError(message)
        raise AttributeError(message)

    return __getattr__


class Elsewhere:
    """A descriptor: a method that instances lack, for which they have another spelling. An attribute of that name is free."""

    def __init__(self, name: str, remedy: str) -> None:
        self.name, self.remedy = name, remedy

    def __get__(self, instance: Any, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__}.{self.name} does not exist; write {self.remedy}")
