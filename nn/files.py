"""Files that are complete at any moment: a full disk, Ctrl-C, kill or a power failure leaves the old content or the new."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import IO

from tinygrad_edu import TinygradError

TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.part")  # a name that no program chooses by chance
WINDOWS = os.name == "nt"


def write(caller: str, path: str | os.PathLike[str], content: bytes) -> Path:
    """Create or replace a file atomically; its content is on the disk when this returns.

    The content goes into a temporary file beside the file, which is then renamed. A symbolic link stays, and its target is
    replaced. The file keeps its permissions; a new file has those that the umask allows. Temporary files left by killed processes
    are removed.

    Args:
        caller: the function that error messages name.
        path: the path of the file.
        content: all of it.

    Returns:
        `path`.

    Raises:
        TinygradError: if `path` is not a path.
        FileNotFoundError: if the folder does not exist.
        IsADirectoryError, FileExistsError: if the path is a folder's, or a device's, pipe's or socket's.
        PermissionError: if the file is read-only.
    """
    path = checked_path(caller, path)
    mode = _permissions(caller, path)
    file = Path(os.path.realpath(path))  # the link stays
    if not file.parent.is_dir():
        raise FileNotFoundError(
            f"{caller}: got {str(path)!r}, but there is no folder {str(file.parent)!r}; create it first"
        )
    if mode is not None and not os.access(file, os.W_OK):
        raise PermissionError(f"{caller}: got {str(path)!r}, which may not be written; choose another name")
    clean(file.parent)
    temporary = file.with_name(f".{secrets.token_hex(16)}.part")
    try:
        with _created(temporary, mode) as opened:
            fill(opened.fileno(), content)  # before the rename, which a power failure may leave without it
            if WINDOWS:  # which cannot rename an open file
                opened.close()
            os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
    sync(file.parent)
    return path


def fill(handle: int, content: bytes) -> None:
    """Write all of it into an open file, and return when the disk has it."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.fsync(handle)


def read(caller: str, path: str | os.PathLike[str]) -> bytes:
    """The content of a file.

    Raises, in the name of the function `caller`:
        TinygradError: if `path` is not a path.
        FileNotFoundError: if there is no such file.
        IsADirectoryError, FileExistsError: if the path is a folder's, or a device's, pipe's or socket's, which may never end.
    """
    path = checked_path(caller, path)
    if _permissions(caller, path) is None:
        raise FileNotFoundError(f"{caller}: got {str(path)!r}, but there is no such file")
    return path.read_bytes()


def checked_path(caller: str, path: str | os.PathLike[str]) -> Path:
    """A Path. Raises TinygradError, in the name of the function `caller`, if it is not a path, or not one of a file."""
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        raise TinygradError(f"{caller}: got {type(path).__name__} as path, expected text or a pathlib.Path")
    if not os.fspath(path) or "\0" in os.fspath(path):
        raise TinygradError(f"{caller}: got {os.fspath(path)!r} as path, expected the name of a file")
    return Path(path)


def clean(folder: Path) -> None:
    """Remove the temporary files that killed processes left in a folder. A running process keeps its own locked."""
    names: list[str] = []
    with suppress(PermissionError):
        names = os.listdir(folder)
    for temporary in [folder / name for name in names if TEMPORARY.fullmatch(name)]:
        with suppress(OSError), temporary.open("r+b") as file:  # renamed or removed meanwhile, or another user's
            if _lock(file, wait=False):
                temporary.unlink()


def sync(folder: Path) -> None:
    """Synchronise a folder with the disk, after files in it were created, renamed or removed."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that may be written but not read; on Windows any folder
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _permissions(caller: str, path: Path) -> int | None:
    """The permissions of a file, or None if there is none. Raises OSError if the path is not that of a regular file."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{caller}: got {str(path)!r}, which is a folder; add the name of a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise FileExistsError(f"{caller}: got {str(path)!r}, which is a device, pipe or socket; expected a file")
    return stat.S_IMODE(found.st_mode)


def _created(temporary: Path, mode: int | None) -> FileIO:
    """A new temporary file, open and locked."""
    asked = 0o666 if mode is None else 0o600  # the umask applies; nobody else reads a copy of a private file
    while True:
        file = FileIO(temporary, "xb", opener=lambda name, flags: os.open(name, flags, asked))
        _lock(file, wait=True)
        if os.fstat(file.fileno()).st_nlink:
            break
        file.close()  # another process removed it as left over, before it was locked
    if mode is not None:
        os.chmod(temporary, mode)
    return file


def _lock(file: IO[bytes], wait: bool) -> bool:
    """Lock a file until it is closed or its process ends; False if another process has locked it, or locks are unknown."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
