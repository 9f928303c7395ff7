"""Plan: the options of a job, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu import TinygradError

from .. import activation as activations
from ..checks import Domain, is_integer, is_real, one_of, shown
from ..container import MLP
from ..functional import l2_penalty
from ..module import Module
from ..optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from ..optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau, StepLR
from ..training.callbacks import Schedule

ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "relu": activations.ReLU,
    "leaky-relu": activations.LeakyReLU,
    "elu": activations.ELU,
    "gelu": activations.GELU,
    "silu": activations.SiLU,
    "tanh": activations.Tanh,
    "sigmoid": activations.Sigmoid,
}
OPTIMIZERS: dict[str, tuple[Callable[..., Optimizer], float]] = {  # with the default rate
    "sgd": (SGD, 0.1),
    "adam": (Adam, 1e-3),
    "adamw": (AdamW, 1e-3),
    "rmsprop": (RMSprop, 1e-3),
    "adagrad": (Adagrad, 1e-2),
}
SCHEDULES = ("constant", "cosine", "step", "plateau")
MOMENTUM, L1 = ("sgd", "rmsprop"), ("sgd", "adam", "adamw")  # the optimisers that have these options

COUNT: Domain = (lambda x: is_integer(x) and 1 <= x < 2**31, "an integer from 1 on")
UNITS: Domain = (lambda x: isinstance(x, tuple) and all(map(COUNT[0], x)), "sizes from 1 on, or 0 alone for no layer")
INTEGER: Domain = (lambda x: is_integer(x) and 0 <= x < 2**63, "an integer from 0 on")
BELOW_1: Domain = (lambda x: is_real(x) and 0 <= x < 1, "a number from 0 on, below 1")
FRACTION: Domain = (lambda x: is_real(x) and 0 < x < 1, "a share between 0 and 1")
STRENGTH: Domain = (lambda x: is_real(x) and 0 <= x < np.inf, "a number from 0 on")
RATE: Domain = (lambda x: is_real(x) and 0 < x < np.inf, "a number > 0")
DOMAINS: dict[str, Domain] = {
    "hidden": UNITS,
    "activation": one_of(*ACTIVATIONS),
    "dropout": BELOW_1,
    "optimizer": one_of(*OPTIMIZERS),
    "lr": RATE,
    "momentum": BELOW_1,
    "weight_decay": STRENGTH,
    "penalty": STRENGTH,
    "l1": STRENGTH,
    "clip_norm": RATE,
    "schedule": one_of(*SCHEDULES),
    "epochs": COUNT,
    "batch_size": COUNT,
    "patience": INTEGER,
    "validation": FRACTION,
    "test": FRACTION,
    "seed": INTEGER,
    "save_every": COUNT,
}


OPEN = ("lr", "momentum", "weight_decay", "clip_norm")  # may be None


class PlanError(TinygradError):
    """An option that is out of its range, or does not fit another."""


@dataclass(frozen=True)
class Plan:
    """The options of a job. None means the default for the optimiser (momentum 0.9 for sgd); for clip_norm, no clipping.

    Raises PlanError, which names the option as the command line does, for one that is out of its range.
    """

    hidden: tuple[int, ...] = (100, 40)
    activation: str = "relu"
    dropout: float = 0.0
    optimizer: str = "adam"
    lr: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    penalty: float = 0.0
    l1: float = 0.0
    clip_norm: float | None = None
    schedule: str = "constant"
    epochs: int = 30
    batch_size: int = 32
    patience: int = 10
    validation: float = 0.1
    test: float = 0.2
    seed: int = 0
    save_every: int = 1

    def __post_init__(self) -> None:
        for name, (belongs, expected) in DOMAINS.items():
            given = getattr(self, name)
            if not (belongs(given) or (given is None and name in OPEN)):
                raise PlanError(f"--{name.replace('_', '-')}: got {shown(given)}, expected {expected}")
        if self.validation + self.test >= 1:
            got = f"{self.validation} and {self.test}"
            raise PlanError(f"--validation and --test: got {got}, expected shares with a sum below 1")
        for name, given, those in (("momentum", self.momentum, MOMENTUM), ("l1", self.l1, L1)):
            if given and self.optimizer not in those:
                raise PlanError(f"--{name}: got {given} with {self.optimizer}, expected one of {', '.join(those)}")

    @classmethod
    def of(cls, given: Any) -> Plan:
        """The plan from the output of `described`. Raises PlanError for anything else."""
        if not isinstance(given, dict) or set(given) != {field.name for field in fields(cls)}:
            raise PlanError(f"got {shown(given)}, expected the options of a job")
        hidden = given["hidden"]
        return cls(**given | {"hidden": tuple(hidden) if isinstance(hidden, list) else hidden})

    def described(self) -> dict[str, Any]:
        """The options as data that JSON can hold."""
        return asdict(self) | {"hidden": list(self.hidden)}

    def generators(self) -> list[np.random.Generator]:
        """Three random generators from the seed: for splitting, for weights and dropout, and for the order of examples."""
        return np.random.default_rng(self.seed).spawn(3)

    def sizes(self, inputs: int, outputs: int) -> tuple[int, ...]:
        """The sizes of all layers."""
        return (inputs, *self.hidden, outputs)

    def model(self, inputs: int, outputs: int) -> MLP:
        """A new model."""
        sizes, rng = self.sizes(inputs, outputs), self.generators()[1]
        return MLP(sizes, ACTIVATIONS[self.activation], dropout=self.dropout, rng=rng, dtype=np.float32)

    @property
    def rate(self) -> float:
        """The initial learning rate."""
        return OPTIMIZERS[self.optimizer][1] if self.lr is None else self.lr

    def optimizer_of(self, model: Module) -> Optimizer:
        """An optimiser of a model's parameters; `l1` applies to weights only, not to biases."""
        momentum = 0.9 if self.momentum is None and self.optimizer == "sgd" else self.momentum
        given = {"lr": self.rate, "momentum": momentum, "weight_decay": self.weight_decay}
        options = {name: option for name, option in given.items() if option is not None}
        groups: Any = model.parameters()
        if self.l1:
            weights = [p for p in groups if len(p.shape) > 1]
            groups = [{"params": weights, "l1": self.l1}, {"params": [p for p in groups if len(p.shape) < 2]}]
        return OPTIMIZERS[self.optimizer][0](groups, **options)

    def schedule_of(self, optimizer: Optimizer) -> Schedule | None:
        """The schedule of the learning rate; None if constant."""
        if self.schedule == "cosine":
            return CosineAnnealingLR(optimizer, self.epochs)
        if self.schedule == "step":
            return StepLR(optimizer, -(-self.epochs // 3))
        if self.schedule == "plateau":
            return ReduceLROnPlateau(optimizer, factor=0.5, patience=3)
        return None

    def penalty_of(self) -> Callable[[Module], Any] | None:
        """The penalty λ / 2 Σ w² over weights, without biases; None if λ = 0."""
        return partial(l2_penalty, strength=self.penalty, include_bias=False) if self.penalty else None
