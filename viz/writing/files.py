"""Picture files: of a known type, and written whole or not at all. A full disk leaves the old file, never half of the new one."""

from __future__ import annotations

import os
from pathlib import Path

from ..drawing import RenderError


def target(caller: str, path: str | os.PathLike[str], suffixes: tuple[str, ...], remedy: str = "") -> Path:
    """`path`, if its suffix is one of `suffixes`.

    Raises RenderError, in the name of the function `caller`, if it is not; the message ends in `remedy`.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise RenderError(
            f"{caller}: got {type(path).__name__} as path, expected a file name that ends in {suffixes[0]}"
        )
    file = Path(path)
    if file.suffix.lower() not in suffixes:
        *rest, last = suffixes
        accepted = f"{', '.join(rest)} or {last}" if rest else last
        raise RenderError(f"{caller}: got {str(file)!r}, expected a file name that ends in {accepted}{remedy}")
    return file


def write(caller: str, file: Path, content: bytes) -> Path:
    """Create or replace a file, in one step as other programs see it: `nn.files.write`.

    Raises OSError, in the name of the function `caller`, if the folder does not exist, or the path is not a file's.
    """
    from nn.files import write as whole

    return whole(caller, file, content)
