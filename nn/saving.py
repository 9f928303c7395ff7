"""Weights as files, in the safetensors format: plain arrays under their paths, no code. Needs the `safetensors` package."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from tinygrad_edu import TinygradError

from .module import Module


def save(model: Module, path: str | Path) -> None:
    """Write a model's parameters to a .safetensors file, atomically; the same weights give the same bytes."""
    if not isinstance(model, Module):
        raise TinygradError(f"save: got {type(model).__name__} first, expected save(model, path)")
    from safetensors.numpy import save as to_bytes

    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"save: got {str(path)!r}, but there is no folder {str(path.parent)!r}; create it first"
        )
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")  # same folder: then replacing is one step
    try:
        part.write_bytes(to_bytes(model.state_dict()))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def load(model: Module, path: str | Path) -> None:
    """Read parameters that `save` wrote into a model of the same structure.

    Raises:
        TinygradError: if the file is not in the safetensors format.
        ShapeError: if its entries do not match the model's; nothing is changed then.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as from_bytes

    try:
        state = from_bytes(Path(path).read_bytes())
    except SafetensorError as error:
        raise TinygradError(f"load: {path} is not a safetensors file ({error})") from None
    model.load_state_dict(state)
