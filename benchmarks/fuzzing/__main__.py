"""`python -m benchmarks.fuzzing --seed S --calls N`: random calls of every operation and of nn with hostile arguments.

The only errors may be the package's own, whose message begins with the name of what was called; what forward accepts, backward
accepts (or refuses by name, such as the gradient of an eigenvector of equal eigenvalues). Two errors of Python's are accepted:
the TypeError for a wrong number of arguments or an unknown keyword, which names the function, and a MemoryError with a note that
names the operation. Calls that ask for 2**62 parts or epochs do not end; they are interrupted, and listed.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np

from . import networks, operations
from .outcome import SECONDS, Call, judged

MEMORY = 4 << 30  # bytes; a huge result is a MemoryError instead of a crash
PARTS: dict[str, Callable[[np.random.Generator], Call]] = {"operations": operations.call, "nn": networks.call}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzzing", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--calls", type=int, default=20_000, help="of each part")
    parser.add_argument("--part", choices=PARTS, action="append", help="both if not given")
    parser.add_argument("--examples", type=int, default=3, help="calls to show of each kind and name")
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    return 1 if sum([fuzz(part, options) for part in options.part or PARTS]) else 0


def fuzz(part: str, options: argparse.Namespace) -> int:
    """Print the exceptions of one part by kind and by name; returns their number."""
    refused, kinds, found = 0, Counter(), defaultdict(list)
    for i in range(options.calls):
        call = PARTS[part](np.random.default_rng((options.seed, i)))
        outcome = judged(call)
        refused += outcome.refused and not outcome.kind
        if outcome.kind:
            kinds[outcome.kind] += 1
            found[outcome.kind, call.name].append(f"[{i}] {call.text()}\n        {outcome.error}")
    total = sum(kinds.values()) - kinds["hangs"]
    counts = f"{refused} refused by name, {total} other exceptions, {kinds['hangs']} interrupted after {SECONDS} s"
    print(f"{part}: seed {options.seed}, {options.calls} calls, {counts}")
    for kind, count in kinds.most_common():
        print(f"  {count:6} {kind}")
        of_kind = sorted(((len(v), name) for (k, name), v in found.items() if k == kind), reverse=True)
        for many, name in of_kind:
            print(f"    {many:6} {name}")
            for text in found[kind, name][: options.examples]:
                print(f"      {text}")
    return total


if __name__ == "__main__":
    sys.exit(main())
