"""Picture files: of a known type, and written whole or not at all. A full disk leaves the old file, never half of the new one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from .drawing import RenderError


def target(caller: str, path: str | os.PathLike[str], suffixes: tuple[str, ...]) -> Path:
    """`path`, if its suffix is one of `suffixes`.

    Raises RenderError, in the name of the function `caller`, if it is not.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise RenderError(
            f"{caller}: got {type(path).__name__} as path, expected a file name that ends in {suffixes[0]}"
        )
    file = Path(path)
    if file.suffix.lower() not in suffixes:
        *rest, last = suffixes
        accepted = f"{', '.join(rest)} or {last}" if rest else last
        raise RenderError(f"{caller}: got {str(file)!r}, expected a file name that ends in {accepted}")
    return file


def write(caller: str, file: Path, content: bytes) -> Path:
    """Put `content` into a file, in one step as far as other programs can see. Replaces a file that exists.

    Raises FileNotFoundError, in the name of the function `caller`, if the folder does not exist.
    """
    if not file.parent.is_dir():
        got, folder = str(file), str(file.parent)
        raise FileNotFoundError(f"{caller}: got {got!r}, but there is no folder {folder!r}; create it first")
    part = file.with_name(
        f".{secrets.token_hex(8)}.part"
    )  # in the same folder: a file moves in one step within a disk only
    try:
        part.write_bytes(content)
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
    return file
