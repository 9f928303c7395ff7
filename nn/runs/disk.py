"""Files that survive a crash: written and synchronised, removed without following links, read with bounds."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISREG

from ..files import fill, sync
from .damage import DamagedError


def write(path: Path, data: bytes) -> None:
    """Write a new file, and return when the disk has its contents. Raises FileExistsError if there is one."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        fill(handle, data)
    finally:
        os.close(handle)


def make(folder: Path) -> None:
    """Create a folder and its missing parents, and synchronise their names with the disk."""
    if not folder.is_dir():
        make(folder.parent)
        try:
            os.mkdir(folder)
        except FileExistsError:  # another process created it, or it is a file
            if not folder.is_dir():
                raise
        sync(folder.parent)


def remove(path: Path) -> None:
    """Remove a file, or a folder with its contents; links are removed, not followed."""
    if path.is_symlink() or not path.is_dir():
        os.unlink(path)
        return
    for name in os.listdir(path):
        remove(path / name)
    os.rmdir(path)


def read(path: Path, most: int) -> bytes:
    """The contents of a regular file. Raises DamagedError for anything else, such as a link or a device, or over `most` bytes."""
    try:
        return _contents(path, most)
    except OSError as error:
        raise DamagedError(f"{path.name!r} cannot be read ({error.strerror})") from None


def _contents(path: Path, most: int) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # do not wait for the other end of a pipe
    try:
        found = os.fstat(handle)
        if not S_ISREG(found.st_mode):
            raise DamagedError(f"{path.name!r} is not a regular file")
        if found.st_size > most:
            raise DamagedError(f"{path.name!r} has {found.st_size} bytes, expected at most {most}")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)
