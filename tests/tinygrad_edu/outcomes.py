"""What calls of compiled functions do, and arrays for them."""

from typing import NamedTuple

import numpy as np

from tinygrad_edu import Compiled
from tinygrad_edu.compiling.results import equal

FIRST = np.array([1.0, -2.0, 3.0, 0.5])
ARRAYS = (  # the first is traced; the others take other branches, and meet the zero rule
    FIRST,
    -FIRST,
    np.array([2.0, 0.25, -1.0, 7.0]),
    np.zeros(4),
    np.array([-1.0, 5.0, 4.0, 3.0]),
    np.array([np.inf, 1.0, -2.0, 0.0]),
    np.array([np.nan, 1.0, 2.0, -3.0]),
    np.full(4, -3.0),
    FIRST * 1e200,
)
WEIGHTS = np.array([1.0, 2.0, 3.0, 4.0])


class Outcome(NamedTuple):
    """What a call did: its result or its exception."""

    result: object
    error: object


def outcome(f, args):
    given = [x.copy() if isinstance(x, np.ndarray) else x for x in args]
    try:
        got = Outcome(f(*given), None)
    except Exception as error:
        got = Outcome(None, error)
    assert all(equal(x, y) for x, y in zip(given, args, strict=True)) or not isinstance(f, Compiled), (
        "wrote into an argument"
    )
    return got
