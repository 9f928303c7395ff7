"""The works, in the order of the table."""

from __future__ import annotations

from ..work import Work
from .arrays import ARRAYS
from .imports import IMPORTS
from .memory import MEMORY
from .mlp import MLPS
from .moons import MOONS
from .operations import OPERATIONS
from .scalar import SCALARS
from .small_array import SMALL_ARRAY

WORKS: dict[str, Work] = {
    work.name: work for work in (*SCALARS, MOONS, SMALL_ARRAY, *MLPS, *ARRAYS, *OPERATIONS, MEMORY, IMPORTS)
}
