"""The text that compile writes, handed on to another compiler."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def by_numba(program: Any) -> Callable[..., Any]:
    """numba.njit of a compiled function's source. Raises ImportError without Numba, numba.NumbaError for what it lacks.

    Args:
        program: a `tinygrad_edu.Compiled` that was called.
    """
    import numba

    with tempfile.TemporaryDirectory() as folder:
        text = program.save(Path(folder) / "step.py").read_text(encoding="utf-8")
    text = text.replace('with np.errstate(all="ignore"):', "if True:")  # which Numba does not know, nor need
    text = re.sub(r"np\.vdot\(([\w.]+), [\w.]+\)", r"(\1 * \1).sum()", text)  # which it knows of rows only
    names: dict[str, Any] = {"njit": numba.njit}
    exec(re.sub("^def ", "@njit\ndef ", text, flags=re.MULTILINE), names)  # our own text
    compiled: Callable[..., Any] = names[program.__name__ if program.__name__ != "<lambda>" else "program"]
    return compiled
