"""Weights as files, in the safetensors format: plain arrays under their paths, no code. Needs the `safetensors` package."""

from __future__ import annotations

from pathlib import Path

from tinygrad_edu import TinygradError

from .files import write
from .module import Module


def save(model: Module, path: str | Path) -> None:
    """Write a model's parameters to a .safetensors file, atomically; the same weights give the same bytes."""
    if not isinstance(model, Module):
        raise TinygradError(f"save: got {type(model).__name__} first, expected save(model, path)")
    from safetensors.numpy import save as to_bytes

    write("save", path, to_bytes(model.state_dict()))


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
