"""Writes docs/numpy.md: the result of each of NumPy's functions on Values, found by calling it. python docs/numpy_page.py.

With --check nothing is written; 1 if the page is out of date. `make check` runs that, and a test, which also looks that nothing
falls through. The page names the NumPy that it was written under; other versions have other functions, and are not compared.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))  # this checkout, not an installed copy

from tinygrad_edu import UnsupportedError, Value
from tinygrad_edu.definition import by_numpy
from tinygrad_edu.protocols import PLAIN_RESULT, full_name

NAMESPACES = (np, np.linalg, np.fft)
SQUARE = [[2.0, 0.5], [0.5, 1.0]]
VERSION = "NumPy " + ".".join(np.__version__.split(".")[:2])
PAGE = Path(__file__).parent / "numpy.md"


class Form(NamedTuple):
    """One function of NumPy's.

    Attributes:
        outcome: "recorded", "plain result", "refused", or "falls through", which is an error.
        detail: the op, or the message.
    """

    name: str
    outcome: str
    detail: str


def forms() -> Iterator[Form]:
    """Every ufunc of NumPy and every function with the array protocol, once, under the first of its names."""
    seen = set()
    for namespace in NAMESPACES:
        for name in sorted(namespace.__all__, key=str.lower):
            function = getattr(namespace, name)
            if (isinstance(function, np.ufunc) or hasattr(function, "_implementation")) and function not in seen:
                seen.add(function)
                yield form(function)


def form(function: Callable[..., Any]) -> Form:
    """The outcome of the function on Values."""
    name = full_name(function)
    if function in by_numpy:
        return Form(name, "recorded", by_numpy[function])
    if function in PLAIN_RESULT:
        return Form(name, "plain result", "")
    outcome = tried(function)
    if isinstance(outcome, UnsupportedError):
        return Form(name, "refused", str(outcome).partition(": ")[2])
    return Form(name, "falls through", repr(outcome))


def tried(function: Callable[..., Any]) -> Any:
    """The first result or refusal of calls with one to four Values; None if it takes no Value at all."""
    count = function.nin if isinstance(function, np.ufunc) else 0
    for n in (count,) if count else (1, 2, 3, 4):
        try:
            with np.errstate(all="ignore"):
                return function(*[Value(SQUARE) for _ in range(n)])
        except UnsupportedError as error:
            return error
        except Exception:  # too few or too many arguments
            continue
    return None


def page() -> str:
    """All forms in one table."""
    found = list(forms())
    count = {outcome: sum(f.outcome == outcome for f in found) for outcome in ("recorded", "plain result", "refused")}
    rows = [
        "# NumPy's functions on Values",
        "",
        f"`np.name(value)` for all {len(found)} functions of np, np.linalg and np.fft ({VERSION}) that know the array",
        f"protocols: {count['recorded']} are recorded and can be differentiated, {count['plain result']} give plain results",
        "(comparisons, positions, shapes), and",
        f"{count['refused']} are refused with the message shown, so that no gradient is lost in silence. Written by",
        "`docs/numpy_page.py`. `out=`, `where=`, `initial=` and `dtype=` are refused everywhere, with a remedy.",
        "",
        "| function | on a Value | as, or why not |",
        "| --- | --- | --- |",
    ]
    for f in found:
        detail = f"`{f.detail}`" if f.outcome == "recorded" else f.detail.replace("|", "\\|")
        rows.append(f"| `{f.name}` | {f.outcome} | {detail} |")
    return "\n".join(rows) + "\n"


def comparable() -> bool:
    """Whether the page was written under this version of NumPy; also true of a page that names none."""
    written = re.search(r"\((NumPy [\d.]+)\)", PAGE.read_text(encoding="utf-8")) if PAGE.exists() else None
    return written is None or written[1] == VERSION


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is out of date and return 1 if so."""
    if arguments not in ([], ["--check"]):
        print(f"docs/numpy_page.py: got {' '.join(arguments)}, expected nothing or --check", file=sys.stderr)
        return 2
    if not arguments:
        PAGE.write_text(page(), encoding="utf-8")
        print("wrote docs/numpy.md", file=sys.stderr)
    elif not comparable():
        print(f"docs/numpy.md was written under another version than {VERSION}: not compared", file=sys.stderr)
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        print("docs/numpy.md is out of date; run python docs/numpy_page.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
