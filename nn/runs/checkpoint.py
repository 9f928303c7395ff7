"""Checkpoint: a run after one of its epochs, to files and back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinygrad_edu import TinygradError

from ..checks import shown
from ..files import checked_path
from ..loading import listed
from .damage import DamagedError
from .encoding import Arrays, decode, encode, encode_text, pack, unpack
from .store import Store

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """A run after an epoch.

    Attributes:
        epoch: from 1; 0 before the first.
        config: a description of model, data and settings, as plain data.
        weights: the model's parameters and buffers by path.
        best: the weights of the best epoch so far; None if they are not kept.
        state: everything else that the next step depends on, and the history.
    """

    epoch: int
    config: dict[str, Any]
    weights: Arrays
    best: Arrays | None
    state: dict[str, Any]

    @property
    def curves(self) -> dict[str, list[float]]:
        """The curves of `History`: one number an epoch under each name."""
        curves: dict[str, list[float]] = self.state["watch"]["history"]["curves"]
        return curves

    def files(self) -> dict[str, bytes]:
        """The contents of the files, by name."""
        state, arrays = encode(self.state)
        config = {"format": FORMAT, "epoch": self.epoch} | self.config
        files = {"config.json": encode_text(config), "weights.safetensors": pack(self.weights)}
        files |= {} if self.best is None else {"best.safetensors": pack(self.best)}
        return files | {"state.json": state, "state.safetensors": pack(arrays)}

    @classmethod
    def of(cls, epoch: int, files: Mapping[str, bytes]) -> Checkpoint:
        """The checkpoint that `files` were written for.

        Raises DamagedError if the files differ from those, and TinygradError if a newer version of this package wrote them.
        """
        if missing := {"config.json", "state.json", "state.safetensors", "weights.safetensors"} - set(files):
            raise DamagedError(f"{min(missing)} is missing")
        config = decode(files["config.json"])
        written, own = config.pop("format", None), config.pop("epoch", None)
        if type(written) is int and written > FORMAT:
            raise TinygradError(
                f"got a run of format {shown(written)}, expected {FORMAT}; install a newer tinygrad-edu"
            )
        if type(written) is not int or written < FORMAT:
            raise DamagedError(f"config.json has format {shown(written)}, expected {FORMAT}")
        if own != epoch:
            raise DamagedError(f"it is one of epoch {shown(own)}")
        arrays = {name: unpack(name, data) for name, data in files.items() if name.endswith(".safetensors")}
        state = decode(files["state.json"], arrays["state.safetensors"])
        return cls(epoch, config, arrays["weights.safetensors"], arrays.get("best.safetensors"), state)


def newest(store: Store) -> Checkpoint | None:
    """The last checkpoint that is not damaged, with a warning that names later ones; None if there is no checkpoint.

    Raises TinygradError if all are damaged.
    """
    damaged: list[str] = []
    for epoch in reversed(store.epochs()):
        path = store.path(epoch)
        try:
            found = Checkpoint.of(epoch, store.read(epoch))
        except DamagedError as error:
            if not os.path.lexists(path):  # the training process pruned it meanwhile, after writing newer ones
                return newest(store)
            damaged.append(f"{path.name} is damaged: {error}")
            continue
        if damaged:
            warnings.warn(f"{str(store.folder)!r}: {listed(damaged)}; used {path.name} instead", stacklevel=1)
        return found
    if not damaged:
        return None
    raise TinygradError(
        f"got {str(store.folder)!r}, in which every checkpoint is damaged ({listed(damaged)}); "
        "restore one from a copy, or name another folder"
    )


def latest(run: str | os.PathLike[str]) -> Checkpoint:
    """The last undamaged checkpoint of a run, also during training; a warning names later ones that are damaged.

    Raises TinygradError if there is none.
    """
    found = newest(Store(checked_path("latest", run)))
    if found is None:
        raise TinygradError(f"latest: got {os.fspath(run)!r}, which has no checkpoint; expected the folder of a run")
    return found
