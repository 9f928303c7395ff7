"""Trees of plain data as two files: JSON for the structure and its numbers, safetensors for arrays. Nothing in them is code.

Bits and types come back: NaN and infinities, NumPy's scalars, tuples, and dictionaries whose keys are numbers are written as
objects with one key that begins with $.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import inf, isfinite, nan
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError

from ..checks import shown
from ..saving import TYPES, packed, unpacked
from .damage import DamagedError

Arrays: TypeAlias = dict[str, NDArray[Any]]

DTYPES = {np.dtype(kind).name: np.dtype(kind) for name, kind in TYPES.items() if name != "C64"}
MANY = 256  # numbers: a longer list of floats is stored as an array


def encode(tree: dict[str, Any]) -> tuple[bytes, Arrays]:
    """A tree of dictionaries, lists, tuples, numbers, texts and arrays as JSON, with one line per entry; and the arrays.

    Raises TinygradError, with the path of the item, for anything else.
    """
    arrays: Arrays = {}
    return _lines(_coded(tree, "", arrays)), arrays


def encode_text(tree: dict[str, Any]) -> bytes:
    """A tree without arrays as JSON alone. Raises TinygradError as `encode`."""
    return _lines(_coded(tree, "", None))


def decode(text: bytes, arrays: Arrays | None = None) -> dict[str, Any]:
    """The tree that `encode` wrote. Raises DamagedError if the text is not its output."""
    try:
        read = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_refuse)
        tree: dict[str, Any] = {key: _decoded(item, arrays or {}) for key, item in read.items()}
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise DamagedError(f"its JSON is not what was written ({shown(str(error))})") from None
    return tree


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays under their names, in the safetensors format; equal arrays give equal bytes."""
    return packed("fit", {name: np.asarray(array, order="C") for name, array in arrays.items()})


def unpack(name: str, data: bytes) -> Arrays:
    """The arrays that `pack` wrote to the file `name`. Raises DamagedError if the data are not its output."""
    try:
        return unpacked("it cannot be read", name, data)
    except (TinygradError, ValueError, TypeError, LookupError) as error:
        raise DamagedError(str(error)) from None


# -- To JSON -----------------------------------------------------------------------------------------------------------


def _lines(coded: dict[str, Any]) -> bytes:
    lines = [f"{json.dumps(key)}: {json.dumps(item, allow_nan=False)}" for key, item in coded.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _coded(x: Any, path: str, arrays: Arrays | None) -> Any:
    kind = type(x)
    if x is None or kind in (bool, int, str) or (kind is float and isfinite(x)):
        return x
    if kind is float:
        return {"$float": repr(x)}
    if isinstance(x, np.generic) and x.dtype in DTYPES.values():
        return {"$scalar": [x.dtype.name, _coded(x.item(), path, arrays)]}
    if arrays is not None and isinstance(x, np.ndarray) and x.dtype in DTYPES.values():
        return {"$array": _stored(x, path, arrays)}
    if kind is tuple:
        return {"$tuple": [_coded(item, f"{path}.{i}", arrays) for i, item in enumerate(x)]}
    if arrays is not None and kind is list and len(x) >= MANY and all(type(item) is float for item in x):
        return {"$floats": _stored(np.array(x), path, arrays)}
    if kind is list:
        return [_coded(item, f"{path}.{i}", arrays) for i, item in enumerate(x)]
    if kind is dict and all(type(key) is str and not key.startswith("$") for key in x):
        return {key: _coded(item, f"{path}.{key}" if path else key, arrays) for key, item in x.items()}
    if kind is dict:
        return {"$pairs": [[_coded(k, path, arrays), _coded(item, f"{path}.{k}", arrays)] for k, item in x.items()]}
    got = f"{path or 'the tree'} is {shown(x)}"
    raise TinygradError(f"got plain data in which {got}; expected numbers, texts, arrays, and lists and dicts of them")


def _stored(array: NDArray[Any], path: str, arrays: Arrays) -> str:
    while path in arrays:  # "a.b" may be a key, or a key of a key
        path += "'"
    arrays[path] = array
    return path


# -- From JSON ---------------------------------------------------------------------------------------------------------


def _decoded(x: Any, arrays: Arrays) -> Any:
    if isinstance(x, list):
        return [_decoded(item, arrays) for item in x]
    if not isinstance(x, dict):
        return x
    if len(x) == 1 and (tag := next(iter(x))).startswith("$"):
        return _TAGS[tag](x[tag], arrays)
    if any(key.startswith("$") for key in x):
        raise ValueError("an unknown key with $")
    return {key: _decoded(item, arrays) for key, item in x.items()}


def _scalar(given: Any, arrays: Arrays) -> Any:
    name, number = given
    return DTYPES[name].type(_decoded(number, arrays))


_TAGS: dict[str, Callable[[Any, Arrays], Any]] = {
    "$float": lambda name, _: {"nan": nan, "inf": inf, "-inf": -inf}[name],
    "$scalar": _scalar,
    "$array": lambda name, arrays: arrays[name],
    "$floats": lambda name, arrays: [float(number) for number in arrays[name]],
    "$tuple": lambda items, arrays: tuple([_decoded(item, arrays) for item in items]),
    "$pairs": lambda pairs, arrays: {_decoded(key, arrays): _decoded(item, arrays) for key, item in pairs},
}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
