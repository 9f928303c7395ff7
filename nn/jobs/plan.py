"""Plan: the options of a job, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
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

GROUPS = DATA, NETWORK, TRAINING, RUN = "Data", "Network", "Training", "Run"  # of options, in the order of the help


@dataclass(frozen=True)
class Option:
    """An option of the command line.

    Attributes:
        domain: its values; None too, if it is the default.
        group: the heading of its help.
        value: the name of its value.
        text: its help.
        also: other names.
    """

    domain: Domain
    group: str
    value: str
    text: str
    also: tuple[str, ...] = ()


def option(default: Any, domain: Domain, group: str, value: str, text: str, *also: str) -> Any:
    """A field of `Plan`, which is an option of the command line."""
    return field(default=default, metadata={"option": Option(domain, group, value, text, also)})


class PlanError(TinygradError):
    """An option that is out of its range, or does not fit another."""


def _choice(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}."


@dataclass(frozen=True)
class Plan:
    """The options of a job. None means the default for the optimiser (momentum 0.9 for sgd); for clip_norm, no clipping.

    Raises PlanError, which names the option as the command line does, for one that is out of its range.
    """

    validation: float = option(0.1, FRACTION, DATA, "SHARE", "Share to look at after each epoch.")
    test: float = option(0.2, FRACTION, DATA, "SHARE", "Share held back for evaluate.")
    hidden: tuple[int, ...] = option((100, 40), UNITS, NETWORK, "SIZE ...", "Sizes of the hidden layers; 0 for none.")
    activation: str = option("relu", one_of(*ACTIVATIONS), NETWORK, "NAME", _choice([*ACTIVATIONS]))
    dropout: float = option(0.0, BELOW_1, NETWORK, "SHARE", "Share of hidden units dropped at random.")
    optimizer: str = option("adam", one_of(*OPTIMIZERS), TRAINING, "NAME", _choice([*OPTIMIZERS]))
    lr: float | None = option(None, RATE, TRAINING, "RATE", "Learning rate; by default the optimiser's.")
    momentum: float | None = option(None, BELOW_1, TRAINING, "SHARE", "Of sgd (0.9) and rmsprop (0).")
    schedule: str = option(
        "constant",
        one_of(*SCHEDULES),
        TRAINING,
        "NAME",
        "Of the rate: constant; cosine, to 0; step, a tenth after each third; plateau, half when stuck.",
    )
    penalty: float = option(
        0.0, STRENGTH, TRAINING, "LAMBDA", "Half LAMBDA times the sum of squared weights, added to the loss.", "--l2"
    )
    l1: float = option(
        0.0,
        STRENGTH,
        TRAINING,
        "LAMBDA",
        f"LAMBDA times the sum of absolute weights, many of which become 0; {', '.join(L1)}.",
    )
    weight_decay: float | None = option(None, STRENGTH, TRAINING, "LAMBDA", "The optimiser's, of biases too.")
    clip_norm: float | None = option(None, RATE, TRAINING, "NORM", "Limit of the gradient's norm.")
    epochs: int = option(30, COUNT, TRAINING, "N", "How often to go through the data, at most.")
    batch_size: int = option(32, COUNT, TRAINING, "N", "Examples in a step.")
    patience: int = option(
        10, INTEGER, TRAINING, "N", "Stop after N epochs without a better validation loss; 0: never, keep the last."
    )
    seed: int = option(0, INTEGER, TRAINING, "N", "Of split, weights, order and dropout.")
    save_every: int = option(
        1, COUNT, RUN, "N", "Epochs from one checkpoint to the next; resume repeats those after it."
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            given, (belongs, expected) = getattr(self, each.name), each.metadata["option"].domain
            if not (belongs(given) or (given is None and each.default is None)):
                raise PlanError(f"--{each.name.replace('_', '-')}: got {shown(given)}, expected {expected}")
        if self.validation + self.test >= 1:
            got = f"{self.validation} and {self.test}"
            raise PlanError(f"--validation and --test: got {got}, expected shares with a sum below 1")
        for name, given, those in (("momentum", self.momentum, MOMENTUM), ("l1", self.l1, L1)):
            if given and self.optimizer not in those:
                raise PlanError(f"--{name}: got {given} with {self.optimizer}, expected one of {', '.join(those)}")

    @classmethod
    def of(cls, given: Any) -> Plan:
        """The plan from the output of `described`. Raises PlanError for anything else."""
        if not isinstance(given, dict) or set(given) != {each.name for each in fields(cls)}:
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
