"""A disk that loses power: what may be found on it after each operation of a program.

POSIX promises little: the contents of a file survive once the file is synchronised, and the names in a folder once the folder
is. Of everything later any part may be there or not. `recording` notes the operations of a program on files, while they are
carried out; `after` makes the folder that one of these moments may leave.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

Operation = tuple[str, Any, Any]  # its name, its path, and the data or the new path


@contextmanager
def recording(folder: Path, before: Callable[[int, Operation], None] = lambda *_: None) -> Iterator[list[Operation]]:
    """Note what is done to files under a folder; before(i, operation), called ahead of the i-th, may raise an error instead."""
    done: list[Operation] = []
    tried, opened = count(), dict[int, Path]()
    real = {
        name: getattr(os, name) for name in ("open", "close", "write", "ftruncate", "fsync", "mkdir", "rmdir", "unlink")
    }
    real |= {name: getattr(os, name) for name in ("rename", "replace")}

    def inside(path: Any) -> Path | None:
        path = Path(os.path.abspath(path)) if isinstance(path, (str, os.PathLike)) else None
        return path if path is not None and path.is_relative_to(folder) else None

    def note(name: str, path: Path, more: Any = None) -> None:
        before(next(tried), (name, path, more))
        done.append((name, path, more))

    def opening(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        where = inside(path)
        if where is not None and flags & os.O_CREAT and not os.path.lexists(where):
            note("create", where)
        handle = real["open"](path, flags, *rest, **named)
        opened.pop(handle, None)
        if where is not None:
            opened[handle] = where
        return handle

    def closing(handle: int) -> None:
        opened.pop(handle, None)
        real["close"](handle)

    def writing(handle: int, data: Any) -> int:
        if handle in opened:
            note("write", opened[handle], bytes(data))
        return real["write"](handle, data)

    def truncating(handle: int, length: int) -> None:
        if handle in opened:
            note("truncate", opened[handle], length)
        real["ftruncate"](handle, length)

    def syncing(handle: int) -> None:
        if handle in opened:
            note("fsync", opened[handle])  # the real one would only take time

    def naming(name: str) -> Callable[..., None]:
        def call(path: Any, *rest: Any, **named: Any) -> None:
            if (where := inside(path)) is not None:
                renames = name in ("rename", "replace")
                note("rename" if renames else name, where, inside(rest[0]) if renames else None)
            real[name](path, *rest, **named)

        return call

    shims: dict[str, Any] = {
        "open": opening,
        "close": closing,
        "write": writing,
        "ftruncate": truncating,
        "fsync": syncing,
    }
    shims |= {name: naming(name) for name in ("mkdir", "rmdir", "unlink", "rename", "replace")}
    for name, shim in shims.items():
        setattr(os, name, shim)
    try:
        yield done
    finally:
        for name, function in real.items():
            setattr(os, name, function)


@dataclass
class _File:
    data: bytes = b""
    durable: bytes = b""


@dataclass
class _Folder:
    names: dict[str, _File | _Folder] = field(default_factory=dict)
    durable: dict[str, _File | _Folder] = field(default_factory=dict)
    pending: list[dict[str, _File | _Folder | None]] = field(
        default_factory=list
    )  # changes of names since the last fsync

    def change(self, **names: _File | _Folder | None) -> None:
        self.pending.append(names)
        self.names = _changed(self.names, names)


def _changed(names: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in (names | changes).items() if item is not None}


def after(operations: list[Operation], folder: Path, target: Path, loss: str, random: Random) -> None:
    """Make `target` as `folder`, empty before the operations, may be found after them.

    Args:
        loss: "nothing", as after a kill; "everything" that was not synchronised; "data" that was not, of files whose names are
            there; or "some", at random.
    """
    root = _Folder()

    def at(path: Path) -> Any:
        item: Any = root
        for part in path.relative_to(folder).parts:
            item = item.names[part]
        return item

    for name, path, more in operations:
        if name == "rename":
            at(path.parent).change(**{path.name: None, more.name: at(path)})
        elif name in ("unlink", "rmdir"):
            at(path.parent).change(**{path.name: None})
        elif name in ("create", "mkdir"):
            at(path.parent).change(**{path.name: _File() if name == "create" else _Folder()})
        elif name == "write":
            at(path).data += more
        elif name == "truncate":
            at(path).data = at(path).data[:more]
        elif isinstance(item := at(path), _File):
            item.durable = item.data
        else:
            item.durable, item.pending = item.names, []
    _make(root, target, loss, random)


def _make(folder: _Folder, target: Path, loss: str, random: Random) -> None:
    target.mkdir(parents=True)
    names = folder.durable
    for change in folder.pending:
        if loss in ("nothing", "data") or (loss == "some" and random.random() < 0.5):
            names = _changed(names, change)
    for name, item in names.items():
        if isinstance(item, _Folder):
            _make(item, target / name, loss, random)
            continue
        data = item.data if loss == "nothing" else item.durable
        if loss == "some" and item.data != item.durable:
            data = item.data[: random.randrange(len(item.data) + 1)]
        (target / name).write_bytes(data)
