"""Run: training in a folder, from the start or from its last checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import numpy as np

from tinygrad_edu import TinygradError

from ..checks import shown, size
from ..files import checked_path
from . import disk
from .checkpoint import newest
from .encoding import decode, encode_text
from .fingerprint import configuration, differences
from .lock import Lock
from .signals import terminable
from .state import Training
from .store import Store

F = TypeVar("F", bound=Callable[..., Any])


def _in_fit(function: F) -> F:
    """Decorator: errors name fit as their operation."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TinygradError as error:
            error.operation = error.operation or "fit"
            raise

    return cast(F, call)


class NoRun:
    """Training that is not saved, as a context."""

    def __enter__(self) -> Self:
        return self

    def begin(self, training: Training, data: Mapping[str, Any], settings: Mapping[str, Any]) -> int:
        """The epoch to continue from: 0."""
        return 0

    def save(self, epoch: int, training: Training, last: bool) -> None:
        """Nothing is saved."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass


class Run(NoRun):
    """A folder with checkpoints, as a context: it locks the folder, and SIGTERM ends it with cleanup.

    Args:
        folder: the folder of the run; created if missing.
        resume: continue from the last checkpoint, if there is one; if False, an existing run is refused.
        keep: the number of checkpoints to keep.
        every: epochs from one checkpoint to the next.
        notes: the user's notes.

    Raises TinygradError if the folder has other contents, or another process trains in it.
    """

    def __init__(self, folder: Path, resume: bool, keep: int, every: int, notes: Any) -> None:
        self.store, self.resume, self.keep, self.every = Store(folder.absolute()), resume, keep, every
        self.config, self.notes = dict[str, Any](), notes
        self.name, self.opened, self.lock = f"run={str(folder)!r}", ExitStack(), Lock(self.store.folder)

    @_in_fit
    def __enter__(self) -> Self:
        folder = self.store.folder
        if os.path.lexists(folder) and not folder.is_dir():
            kind = "a link that leads to no folder" if folder.is_symlink() else "a file"
            raise TinygradError(f"got {self.name}, which is {kind}; expected a folder, which is made if there is none")
        if folder.is_dir() and not self.store.epochs():
            others = [name for name in os.listdir(folder) if name != "lock" and not name.startswith(".")]
            if others:
                got = f"got {self.name}, a folder without checkpoints that has {shown(min(others))}"
                raise TinygradError(f"{got}; expected a run, an empty folder, or a name that is free")
        disk.make(folder)
        with ExitStack() as opening:
            opening.enter_context(terminable())
            opening.enter_context(self.lock)
            self.store.tidy()
            if self.store.epochs() and not self.resume:
                remedy = "pass resume=True to go on with it, or name another folder"
                raise TinygradError(f"got {self.name}, which is a run already; {remedy}")
            self.opened = opening.pop_all()
        return self

    @_in_fit
    def begin(self, training: Training, data: Mapping[str, Any], settings: Mapping[str, Any]) -> int:
        """Restore the last checkpoint, or write the first; returns its epoch.

        Raises TinygradError, which names the differences, if the run has another configuration; nothing is changed then.
        """
        self.config, found = _as_read(configuration(training, data, settings)), newest(self.store)
        if found is None:
            self.save(0, training, last=False)
            return 0
        self.notes = found.config.get("notes") if self.notes is None else self.notes
        compared = [key for key in self.config if key != "versions"]
        got, expected = [{key: config.get(key) for key in compared} for config in (self.config, found.config)]
        if wrong := list(differences(got, expected)):
            more = f", and {len(wrong) - 3} more differences" if len(wrong) > 3 else ""
            remedy = "go on with what the run began with, or name another folder"
            raise TinygradError(f"{self.name} is another one: {'; '.join(wrong[:3])}{more}; {remedy}")
        training.restore(found)
        self.store.prune(found.epoch, self.keep)
        return found.epoch

    @_in_fit
    def save(self, epoch: int, training: Training, last: bool) -> None:
        """Write a checkpoint if one is due or this is the last epoch, and remove all but the last `keep`."""
        if epoch % self.every and not last:
            return
        try:
            self.lock.keep()
            self.store.write(epoch, training.checkpoint(epoch, self.config | {"notes": self.notes}).files())
            self.store.prune(epoch, self.keep)
        except OSError as error:
            saved = [each for each in self.store.epochs() if each <= epoch]
            begins = f"goes on after epoch {saved[-1]}" if saved else "starts anew"
            error.add_note(f"while saving epoch {epoch} to {self.name}; with resume=True it {begins}")
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.opened.close()


def opened(
    run: str | os.PathLike[str] | None,
    resume: bool,
    keep: int,
    save_every: int,
    generators: Sequence[np.random.Generator],
    notes: Mapping[str, Any] | None,
) -> NoRun:
    """The run for these arguments of fit, a context to enter."""
    keep, every = size("fit", "keep", keep), size("fit", "save_every", save_every)
    if not isinstance(generators, Sequence) or not all(isinstance(rng, np.random.Generator) for rng in generators):
        raise TinygradError(f"fit: got generators={shown(generators)}, expected a list of random generators")
    try:
        own = None if notes is None else json.loads(json.dumps(dict(notes), allow_nan=False))
        encode_text({"notes": own})
    except (TypeError, ValueError, RecursionError) as error:
        raise TinygradError(
            f"fit: got notes={shown(notes)}, expected a dict of data as JSON has it ({error})"
        ) from None
    if run is None:
        if resume:
            raise TinygradError("fit: got resume=True without run=; expected the folder of a run to go on with")
        return NoRun()
    return Run(checked_path("fit", run), resume, keep, every, own)


def _as_read(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration after writing and reading, such as lists for tuples."""
    return decode(encode_text(dict(config)))
