"""Examples of the reference, in docs/examples/: python docs/examples.py runs them and writes what they print.

A public name whose docstring has no example has one there: a line with the name, then a doctest, which may use `np`, `nn`, `viz`,
and the names of tinygrad_edu. The site shows it at the end of the name's entry. With --check nothing is written; 1 if an example
prints something else. A test checks the same.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # this checkout, not an installed copy

FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Example:
    """A public name, and the lines of its example: each a statement, with what it printed."""

    name: str
    text: str

    def statements(self) -> Iterator[str]:
        """The statements, without prompts."""
        for source in re.findall(r"^>>> .*(?:\n\.\.\. ?.*)*", self.text, re.MULTILINE):
            yield "\n".join(line[4:] for line in source.splitlines())

    def run(self) -> str:
        """The example with what it prints now. Raises what a statement raises."""
        names, lines = namespace(), []
        for statement in self.statements():
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                block = statement + "\n" if "\n" in statement else statement
                exec(compile(block, self.name, "single"), names)
            first, *rest = statement.splitlines()
            lines += [f">>> {first}", *[f"... {line}" for line in rest], *printed.getvalue().splitlines()]
        return "\n".join(lines)


def namespace() -> dict[str, Any]:
    """The names that an example uses."""
    import numpy as np

    import nn
    import tinygrad_edu
    import viz

    return {name: getattr(tinygrad_edu, name) for name in tinygrad_edu.__all__} | {"np": np, "nn": nn, "viz": viz}


def read(file: Path) -> list[Example]:
    """The examples of a file."""
    blocks = file.read_text(encoding="utf-8").strip().split("\n\n")
    return [Example(*block.split("\n", 1)) for block in blocks]


def examples() -> dict[str, str]:
    """The text of each example, by name."""
    return {example.name: example.text for file in sorted(FOLDER.glob("*.txt")) for example in read(file)}


def main(arguments: list[str]) -> int:
    """Write what the examples print, or with --check name the files that say something else and return 1."""
    if arguments not in ([], ["--check"]):
        print(f"docs/examples.py: got {' '.join(arguments)}, expected nothing or --check", file=sys.stderr)
        return 2
    status = 0
    for file in sorted(FOLDER.glob("*.txt")):
        text = "\n\n".join(f"{example.name}\n{example.run()}" for example in read(file)) + "\n"
        if file.read_text(encoding="utf-8") != text:
            if arguments:
                print(f"docs/examples/{file.name} is out of date; run python docs/examples.py", file=sys.stderr)
                status = 1
            else:
                file.write_text(text, encoding="utf-8")
                print(f"wrote docs/examples/{file.name}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
