"""Run: training in a folder, from its first checkpoint or its last."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tinygrad_edu import TinygradError

from ..checks import shown
from . import disk
from .checkpoint import newest
from .encoding import decode, encode
from .fingerprint import differences
from .lock import Lock
from .signals import terminable
from .state import Training
from .store import Store

UNCHECKED = {"notes", "versions"}  # parts of the configuration that may change when a run goes on


class Run:
    """A folder with checkpoints, as a context: nobody else writes into it meanwhile, and SIGTERM ends it in order.

    Args:
        folder: of this run; made if there is none.
        config: what is trained, on which data, and how: the same whenever the run goes on.
        resume: go on from the last checkpoint, if there is one; if False, a run that exists is refused.
        keep: how many checkpoints to keep.

    Raises TinygradError if the folder has other contents, or another process trains in it.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], resume: bool, keep: int) -> None:
        self.store, self.resume, self.keep = Store(folder), resume, keep
        self.config = decode(encode(dict(config))[0])  # as it will be read
        self.name, self.opened = f"run={shown(str(folder))}", ExitStack()

    def __enter__(self) -> Self:
        folder = self.store.folder
        if folder.exists() and not folder.is_dir():
            raise TinygradError(f"got {self.name}, which is a file; expected a folder, which is made if there is none")
        if folder.is_dir() and not self.store.epochs():
            others = [path.name for path in folder.iterdir() if path.name != "lock" and not path.name.startswith(".")]
            if others:
                got = f"got {self.name}, a folder without checkpoints that has {shown(min(others))}"
                raise TinygradError(f"{got}; expected a run, an empty folder, or a name that is free")
        disk.make(folder)
        with ExitStack() as opening:
            opening.enter_context(Lock(folder))
            opening.enter_context(terminable())
            self.store.tidy()
            if self.store.epochs() and not self.resume:
                remedy = "pass resume=True to go on with it, or name another folder"
                raise TinygradError(f"got {self.name}, which is a run already; {remedy}")
            self.opened = opening.pop_all()
        return self

    def begin(self, training: Training) -> int:
        """Restore the last checkpoint, or write the first; returns its epoch.

        Raises TinygradError if the run is one of another configuration: names the differences, and changes nothing.
        """
        found = newest(self.store)
        if found is None:
            self.save(0, training)
            return 0
        self.config = {key: item for key, item in found.config.items() if key == "notes"} | self.config
        got, expected = [
            {key: item for key, item in config.items() if key not in UNCHECKED}
            for config in (self.config, found.config)
        ]
        if wrong := list(differences(got, expected)):
            more = f", and {len(wrong) - 3} more differences" if len(wrong) > 3 else ""
            remedy = "go on with what the run began with, or name another folder"
            raise TinygradError(f"{self.name} is another one: {'; '.join(wrong[:3])}{more}; {remedy}")
        training.restore(found)
        return found.epoch

    def save(self, epoch: int, training: Training) -> None:
        """Write a checkpoint, and remove those before the last `keep`."""
        try:
            self.store.write(epoch, training.checkpoint(epoch, self.config).files())
            self.store.prune(epoch, self.keep)
        except OSError as error:
            last = max([each for each in self.store.epochs() if each <= epoch], default=None)
            begins = "starts anew" if last is None else f"goes on after epoch {last}"
            error.add_note(f"while saving epoch {epoch} to {self.name}; with resume=True it {begins}")
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.opened.close()
