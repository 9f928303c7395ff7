"""Store: a folder of checkpoints, each a folder that appears atomically, with the checksums of its files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tinygrad_edu import TinygradError

from ..files import sync
from . import disk
from .damage import DamagedError

SUMS = "SHA256SUMS"  # in the format of the program sha256sum
MOST_FILES = 16
MOST_TEXT = 2**26  # bytes of a file that is not safetensors

NAME = re.compile(r"epoch-([0-9]{6}|[1-9][0-9]{6,14})")
PLAIN = re.compile(r"[a-z0-9.]{1,40}")  # names of files
LEFT_OVER = re.compile(r"\.epoch-[0-9]{6,15}\.(part|old)")


class Store:
    """The checkpoints in a folder: epoch-000001, epoch-000002, ...

    A checkpoint is written under another name, synchronised, and renamed, so that at any moment each name belongs to
    a complete checkpoint. One process may write; others may read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def epochs(self) -> list[int]:
        """The epochs that have a checkpoint, damaged or not, in increasing order."""
        found = map(NAME.fullmatch, os.listdir(self.folder) if self.folder.is_dir() else [])
        return sorted(int(match[1]) for match in found if match)

    def path(self, epoch: int) -> Path:
        """The folder of a checkpoint."""
        return self.folder / f"epoch-{epoch:06d}"

    def write(self, epoch: int, files: Mapping[str, bytes]) -> None:
        """Add a checkpoint, in place of one of the same epoch; on the disk when this returns. An error leaves nothing behind.

        Raises TinygradError for a file that `read` would refuse as too large.
        """
        for name, data in files.items():
            if len(data) > _most(name):
                raise TinygradError(
                    f"{name} would have {len(data)} bytes, expected at most {_most(name)}; shorten notes="
                )
        path = self.path(epoch)
        new, old = [path.with_name(f".{path.name}.{kind}") for kind in ("part", "old")]
        self.tidy()
        try:
            os.mkdir(new)
            for name, data in (*files.items(), (SUMS, sums(files))):
                disk.write(new / name, data)
            sync(new)
            if os.path.lexists(path):
                os.rename(path, old)
            os.rename(new, path)
            sync(self.folder)
        finally:
            self.tidy()

    def read(self, epoch: int) -> dict[str, bytes]:
        """The files of a checkpoint. Raises DamagedError if they differ from those that were written."""
        path = self.path(epoch)
        stated = disk.read(path / SUMS, MOST_TEXT)
        names = [os.fsdecode(line[66:]) for line in stated.splitlines()[:-1]]
        if len(names) > MOST_FILES or not all(map(PLAIN.fullmatch, names)):
            raise DamagedError(f"{SUMS} is not what was written")
        files = {name: disk.read(path / name, _most(name)) for name in names}
        found = sums(files)
        for name, line in zip(sorted(files), found.splitlines(), strict=False):
            if line not in stated.splitlines():
                raise DamagedError(f"the checksum of {name!r} differs")
        if found != stated:
            raise DamagedError(f"{SUMS} is not what was written")
        return files

    def prune(self, epoch: int, keep: int) -> None:
        """Remove the checkpoints before the last `keep` up to an epoch."""
        for old in [each for each in self.epochs() if each <= epoch][:-keep]:
            path = self.path(old)
            os.rename(path, path.with_name(f".{path.name}.old"))
        self.tidy()

    def tidy(self) -> None:
        """Remove the leftovers of an interrupted `write` or `prune`."""
        for name in filter(LEFT_OVER.fullmatch, os.listdir(self.folder)):
            disk.remove(self.folder / name)


def sums(files: Mapping[str, bytes]) -> bytes:
    """The checksums of files, a line each, and the number of files, which reveals a missing line."""
    lines = [f"{sha256(files[name]).hexdigest()}  {name}" for name in sorted(files)]
    return "\n".join([*lines, f"# {len(files)} files\n"]).encode()


def _most(name: str) -> int:
    """The largest size of a file of this name, in bytes."""
    return _memory() if name.endswith(".safetensors") else MOST_TEXT


def _memory() -> int:
    """Bytes of this machine's memory, which no file of weights exceeds."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # the system does not report it
        return 2**40
