"""Training: all state that the next step of training depends on, to plain data and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_edu import ShapeError, TinygradError, Value

from ..checks import data_of, printable
from ..generators import named_generators, states_of
from ..generators import restore as restore_generators
from ..loading import assign
from ..module import Module
from ..optim import Optimizer
from ..training.callbacks import EarlyStopping, Stateful
from .checkpoint import Checkpoint
from .encoding import Arrays


@dataclass
class Training:
    """The parts of training that change.

    Attributes:
        model: with its buffers and generators.
        optimizer: with the parameters that it trains.
        loss: a function, or a module with a state.
        callbacks: those with a state, by their event.
        order: the generator that shuffles the data, or None.
        generators: others from which training draws, besides those in the modules of the model and the loss.
        watch: the history.
    """

    model: Module
    optimizer: Optimizer
    loss: Any
    callbacks: Mapping[str, Sequence[Any]]
    order: np.random.Generator | None
    generators: Sequence[np.random.Generator]
    watch: Stateful

    def checkpoint(self, epoch: int, config: dict[str, Any]) -> Checkpoint:
        """A copy of the whole state, after an epoch."""
        optimizer = self.optimizer.state_dict()
        groups = [dict(sorted(group.items())) for group in optimizer["param_groups"]]  # loading changes their order
        callbacks = [dict(each.state_dict()) for each in self._stateful()]
        early = next((i for i, each in enumerate(self._stateful()) if isinstance(each, EarlyStopping)), None)
        best: Arrays | None = None if early is None else callbacks[early].pop("best_weights")  # to a file of their own
        state = {
            "watch": self.watch.state_dict(),
            "optimizer": optimizer | {"param_groups": groups},
            "groups": self._groups(),
            "steps": self.optimizer.steps,
            "callbacks": callbacks,
            "generators": states_of(self._generators()),
            "trainable": [p.requires_grad for p in self._parameters()],
            "outside": [np.array(data_of(p)) for p in self._outside()],
            "loss": self.loss.state_dict() if isinstance(self.loss, Module) else None,
        }
        return Checkpoint(epoch, config, self.model.state_dict(), best, state)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore the state in a checkpoint. Raises TinygradError if it does not fit these parts; nothing is changed then."""
        before = self.checkpoint(0, {})
        try:
            self._restore(checkpoint)
        except BaseException as error:
            self._restore(before)
            if not isinstance(
                error, (TinygradError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
            ):
                raise
            got = f"got a checkpoint that does not fit ({printable(str(error) or type(error).__name__)})"
            raise TinygradError(
                f"{got}; expected one of this model, optimizer, schedule, loss and generators"
            ) from error

    def _restore(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.state
        for weights in (checkpoint.best, checkpoint.weights):  # check both: the best weights are restored at the end
            if weights is not None:
                self.model.load_state_dict(weights)
        for callback, own in zip(self._stateful(), state["callbacks"], strict=True):
            if "_last_lr" in own:  # a schedule
                self._regroup(state["groups"][: len(own["_last_lr"])])  # a later one joins at its next step
            lifted = isinstance(callback, EarlyStopping) and "best_weights" not in own
            callback.load_state_dict(own | ({"best_weights": checkpoint.best} if lifted else {}))
        self._regroup(state["groups"])
        self.optimizer.load_state_dict(state["optimizer"])  # with the rates, to the last bit
        self.optimizer.steps = int(state["steps"])
        restore_generators("generators", self._generators(), state["generators"])
        for p, trainable in zip(self._parameters(), state["trainable"], strict=True):
            p.requires_grad = trainable is True
        for p, data in zip(self._outside(), state["outside"], strict=True):
            if np.shape(data) != p.shape:
                raise ShapeError(f"a parameter has shape {np.shape(data)}, expected {p.shape}")
            assign(p, data)
        if isinstance(self.loss, Module):
            self.loss.load_state_dict(state["loss"])
        self.watch.load_state_dict(state["watch"])

    def _stateful(self) -> list[Any]:
        """The callbacks, each once."""
        return list({id(each): each for several in self.callbacks.values() for each in several}.values())

    def _parameters(self) -> list[Value]:
        """All parameters: of the model, of the optimiser, and of the loss if it is a module; each once."""
        of_loss = self.loss.parameters() if isinstance(self.loss, Module) else []
        return list(dict.fromkeys([*self.model.parameters(), *self.optimizer.state, *of_loss]))

    def _groups(self) -> list[list[int]]:
        """The parameters of each group of the optimiser, as places among all parameters."""
        places = {p: i for i, p in enumerate(self._parameters())}
        return [[places[p] for p in group["params"]] for group in self.optimizer.param_groups]

    def _regroup(self, groups: Sequence[Sequence[int]]) -> None:
        """Add the groups that `on_epoch` had added when a checkpoint was taken, and remove those added since."""
        parameters, own = self._parameters(), self.optimizer.param_groups
        for group in own[len(groups) :]:
            for p in group["params"]:
                del self.optimizer.state[p]
        del own[len(groups) :]
        for places in groups[len(own) :]:
            self.optimizer.add_param_group({"params": [parameters[i] for i in places]})

    def _outside(self) -> list[Value]:
        """The parameters that the optimiser trains and the model does not have."""
        own = set(self.model.parameters())
        return [p for p in self.optimizer.state if p not in own]

    def _generators(self) -> dict[str, np.random.Generator]:
        """Each generator once, by name."""
        found = {} if self.order is None else {"rng": self.order}
        found |= {f"generators.{i}": rng for i, rng in enumerate(self.generators)}
        for name, item in (("model", self.model), ("loss", self.loss)):
            inside = named_generators(item) if isinstance(item, Module) else {}
            found |= {f"{name}.{path}": rng for path, rng in inside.items()}
        once = {id(rng.bit_generator): name for name, rng in reversed(found.items())}
        return {name: rng for name, rng in found.items() if once[id(rng.bit_generator)] == name}
