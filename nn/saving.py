"""Weights as files, in the safetensors format: plain arrays under their paths, no code. Needs the `safetensors` package."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import DTypeError, TinygradError

from .checks import explaining, printable
from .files import read, write
from .module import Module

TYPES = {  # the format's names, and NumPy's
    "BOOL": "?",
    "U8": "u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "I8": "i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "C64": "<c8",
}


@explaining
def save(model: Module, path: str | os.PathLike[str]) -> None:
    """Write a model's parameters and buffers to a .safetensors file; the same weights give the same bytes.

    The file is complete at any moment; see `nn.files.write`, also for links, permissions and errors.
    """
    if not isinstance(model, Module):
        raise TinygradError(f"save: got {type(model).__name__} first, expected save(model, path)")
    write("save", path, packed("save", model.state_dict()))


@explaining
def load(model: Module, path: str | os.PathLike[str]) -> None:
    """Read parameters and buffers that `save` wrote into a model of the same structure. bfloat16 is read as float32.

    Raises:
        FileNotFoundError: if there is no such file.
        TinygradError: if the file is not in the safetensors format, or is cut off.
        DTypeError: for the float types of 8 bits and less, and for casts that would lose more than by rounding.
        ShapeError: if its entries do not match the model's. Nothing is changed, whatever the error.
    """
    if not isinstance(model, Module):
        raise TinygradError(f"load: got {type(model).__name__} first, expected load(model, path)")
    model.load_state_dict(unpacked("load", path, read("load", path)))


def packed(caller: str, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays in the safetensors format. Raises DTypeError, in the name of the function `caller`, for other types."""
    from safetensors.numpy import save as to_bytes

    known = [np.dtype(kind).newbyteorder("=") for kind in TYPES.values()]
    for name, array in arrays.items():
        if array.dtype not in known:
            raise DTypeError(f"{caller}: {name} is of {array.dtype}, which the safetensors format does not have")
    return bytes(to_bytes(dict(arrays)))


def unpacked(caller: str, path: str | os.PathLike[str], content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays in the content of a .safetensors file; those of bfloat16 as float32.

    Raises TinygradError, in the name of the function `caller`, for any other content, and DTypeError for types that NumPy does
    not have. Messages show text from the file without control characters.
    """
    from safetensors import SafetensorError, deserialize

    read: Callable[[bytes], list[tuple[str, dict[str, Any]]]] = deserialize
    try:
        entries = read(content)
    except SafetensorError as error:
        got = f"{caller}: {os.fspath(path)!r} is not a safetensors file, or is cut off"
        raise TinygradError(f"{got} ({printable(str(error))})") from None
    arrays: dict[str, NDArray[Any]] = {}
    for name, entry in entries:
        if entry["dtype"] == "BF16":  # the upper half of a float32
            numbers = (np.frombuffer(entry["data"], "<u2").astype(np.uint32) << 16).view(np.float32)
        elif entry["dtype"] in TYPES:
            numbers = np.frombuffer(entry["data"], TYPES[entry["dtype"]])
        else:
            got = f"{caller}: {os.fspath(path)!r} has {printable(name)!r} of type {printable(entry['dtype'])}"
            raise DTypeError(f"{got}, which NumPy does not have; save it as F32, or as BF16")
        try:
            arrays[name] = numbers.reshape(entry["shape"])
        except ValueError as error:  # a shape without elements that NumPy does not have, such as (0, 2**63)
            got = f"{caller}: {os.fspath(path)!r} has {printable(name)!r} of a shape that is not one of NumPy"
            raise TinygradError(f"{got} ({error})") from None
    return arrays
