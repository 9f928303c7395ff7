"""Lock: one process at a time writes into a folder.

The lock is the kernel's (`flock`) on the file "lock", so the kernel releases it when the process ends in any way: there are no
stale locks. The file names the process, for messages of other processes; it is removed at the end, but stays after a kill.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tinygrad_edu import TinygradError

from ..checks import shown


class Lock:
    """The lock of a folder, as a context. Raises TinygradError if another process, or another run in this process, holds it.

    A child of `fork` does not hold it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self.handle, self.process = -1, os.getpid()

    def __enter__(self) -> Self:
        try:
            from fcntl import LOCK_EX, LOCK_NB, flock
        except ImportError:
            raise TinygradError(
                f"got the run {str(self.path.parent)!r}, but this system has no flock; leave run= out"
            ) from None
        try:
            while self.handle < 0:
                self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
                flock(self.handle, LOCK_EX | LOCK_NB)
                if not self._held():
                    self._close()
            os.ftruncate(self.handle, 0)
            os.write(self.handle, json.dumps({"process": os.getpid(), "host": os.uname().nodename}).encode())
        except BlockingIOError:
            holder = _holder(self.handle)
            self._close()
            raise TinygradError(
                f"got the run {str(self.path.parent)!r}, in which {holder} is training; expected one process a run; wait for it, "
                "or name another folder"
            ) from None
        except BaseException as error:
            self._close()
            if isinstance(error, OSError):  # a folder, pipe or link has this name, or permission is missing
                error.add_note(f"while locking {str(self.path)!r}")
            raise
        return self

    def keep(self) -> None:
        """Lock again if the file was removed. Raises TinygradError if another process holds it, such as the parent of a fork."""
        if not self._held():
            self._close()
            self.process = os.getpid()
            self.__enter__()

    def _held(self) -> bool:
        """Whether this process locked the file, and the path still leads to it."""
        try:
            found = os.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return self.process == os.getpid() and self.handle >= 0 and os.path.samestat(os.fstat(self.handle), found)

    def _close(self) -> None:
        if self.handle >= 0:
            os.close(self.handle)
        self.handle = -1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a name without a lock does no harm
            if self._held():  # otherwise it belongs to another process
                os.unlink(self.path)
        self._close()


def _holder(handle: int) -> str:
    """The holder of a lock, in words, according to its file."""
    try:
        said = json.loads(os.pread(handle, 1000, 0))
        process, host = int(said["process"]), str(said["host"])
        ended = host == os.uname().nodename and not _alive(process)
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        return "another process"
    name = f"process {process} on {shown(host)}"
    return f"a child of {name}, which has ended itself," if ended else name


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
