"""Functions and methods that a run on terms refuses: they take numbers out, write into arrays, or let numbers decide shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..term import Term, a_term

TAKE_OUT = {"item", "tolist", "tobytes", "tofile", "dump", "dumps", "hex", "as_integer_ratio", "save", "savetxt"}
TAKE_OUT |= {"savez", "savez_compressed", "array2string", "array_repr", "array_str"}
WRITING_METHODS = {"sort", "partition", "fill", "put", "resize", "itemset", "setfield", "setflags", "byteswap"}
SHAPED = "it makes an array whose shape depends on numbers"
_SHAPED_BY_NUMBERS = {"nonzero", "flatnonzero", "argwhere", "unique", "unique_all", "unique_counts", "unique_inverse"}
_SHAPED_BY_NUMBERS |= {"unique_values", "union1d", "intersect1d", "setdiff1d", "setxor1d", "trim_zeros", "bincount"}
_SHAPED_BY_NUMBERS |= {"extract", "compress", "histogram_bin_edges"}
_SHAPED_BY_OPERANDS = {
    "repeat",
    "tile",
    "reshape",
    "resize",
    "broadcast_to",
    "pad",
    "delete",
    "insert",
    "split",
    "array_split",
}
WRITE = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}


def is_shaped_by_numbers(spelling: str, name: str, args: tuple[Any, ...], params: Mapping[str, Any]) -> bool:
    """Whether the shape of a result depends on the numbers of terms."""
    if spelling == "[]":
        parts = args[1] if type(args[1]) is tuple else (args[1],)
        return any(
            part.dtype == bool if isinstance(part, Term) else isinstance(part, slice) and a_term(part) is not None
            for part in parts
        )
    if spelling[-1] == "(":  # of an op: what it returns is the engine's matter
        return False
    if name in _SHAPED_BY_OPERANDS:
        return a_term(args[1:], [x for key, x in params.items() if key != "values"]) is not None
    return name in _SHAPED_BY_NUMBERS or (name == "where" and len(args) + len(params) == 1)
