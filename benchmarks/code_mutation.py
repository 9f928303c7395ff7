"""`python -m benchmarks.mutation --code`: the code outside the rules made wrong in small ways; how many the tests notice.

A mutant is one small change of one file: a comparison flipped, a statement dropped, a default changed. A seeded sample is
drawn from all mutants of a package, evenly over the kinds. Each one is put into a temporary copy of the checkout, and the
tests of its file run there: one that fails, or hangs, has noticed it. Equivalent mutants change nothing that a caller could see;
`EQUIVALENT` lists them with the reason, and they are not counted.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import copy
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from py_compile import PycInvalidationMode

from .mutants_equivalent import EQUIVALENT

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "mutation.md"
HEADING = "# Mutants of the code outside the rules"
PACKAGES = {
    "engine": (("tinygrad_edu",), ("tinygrad_edu/testing",)),
    "checker": (("tinygrad_edu/testing",), ()),
    "nn": (("nn",), ()),
    "viz": (("viz",), ()),
}
# The tests of a file, quickest first: the first line whose beginning fits. A file without a line gets all tests of its package.
TESTS: tuple[tuple[str, str], ...] = (
    ("tinygrad_edu/testing/checking", "checking check_command"),
    ("tinygrad_edu/testing/targets", "check_command"),
    ("tinygrad_edu/testing/subject", "checking check_command plugin"),
    ("tinygrad_edu/testing/problem", "checking check_command"),
    ("tinygrad_edu/testing/slopes", "checking numerical check_command"),
    ("tinygrad_edu/testing/examination", "checking check_command"),
    ("tinygrad_edu/testing/kinks", "checking check_command"),
    ("tinygrad_edu/testing/explanation", "checking check_command"),
    ("tinygrad_edu/testing/report", "check_command checking plugin"),
    ("tinygrad_edu/testing/numerical", "numerical checking"),
    ("tinygrad_edu/testing/laws", "checking strategies"),
    ("tinygrad_edu/testing/strategies", "numerical strategies"),
    ("tinygrad_edu/testing/calls", "numerical strategies"),
    ("tinygrad_edu/testing/plugin", "plugin"),
    ("tinygrad_edu/ops/numbers", "ops_elementwise kinks accuracy messages value registry"),
    ("tinygrad_edu/ops/matrices", "ops_linalg ops_more ops_arguments accuracy messages registry"),
    ("tinygrad_edu/ops/networks", "ops_neural ops_more ops_reduction ops_arguments messages registry"),
    ("tinygrad_edu/ops", "ops_reduction ops_shape ops_more ops_arguments kinks accuracy messages registry"),
    ("tinygrad_edu/formulas", "formulas op viz/stepping viz/step_page"),
    ("tinygrad_edu/typesetting", "formulas op messages viz/stepping viz/text"),
    ("tinygrad_edu/term", "formulas op messages viz/stepping viz/step_page"),
    ("tinygrad_edu/reading", "formulas op messages viz/stepping viz/backward_graph viz/step_page"),
    ("tinygrad_edu/parsing", "expression command"),
    ("tinygrad_edu/commands/expressions", "command"),
    ("tinygrad_edu/commands/gradients", "check_command"),
    ("tinygrad_edu/commands/output", "command check_command train_command"),
    ("tinygrad_edu/commands/training", "train_command"),
    ("tinygrad_edu/linearization", "transforms checkpoint backward"),
    ("tinygrad_edu/transforms", "transforms checkpoint backward"),
    ("tinygrad_edu/checkpointing", "checkpoint transforms"),
    ("tinygrad_edu/tree", "transforms checkpoint"),
    ("tinygrad_edu", "op value binding backward transforms messages ops_arguments ops_shape kinks expression"),
    ("nn/optim", "optim lr_scheduler training"),
    ("nn/functional", "losses layers sequences bad_input"),
    ("nn/loss", "losses modules"),
    ("nn/settings", "losses modules hostile_arguments"),
    ("nn/metrics", "metrics training"),
    ("nn/recurrent", "sequences modules bad_input"),
    ("nn/attention", "sequences modules bad_input"),
    ("nn/transformer", "sequences modules bad_input"),
    ("nn", "training modules layers optim bad_input losses metrics sequences"),
    ("viz/stepping", "stepping step_layers step_page"),
    ("viz/exploring", "picture page"),
    ("viz/drawings/neurons", "neurons picture"),
    ("viz/plots/curves", "curves"),
    ("viz/plots/fitting", "curves"),
    ("viz/plots/activations", "activations"),
    ("viz/plots/losses", "activations"),
    ("viz/plots/panels", "activations"),
    ("viz/plots/slopes", "activations"),
    ("viz/plots/confusion", "model_plots"),
    ("viz/plots/decision", "model_plots"),
    ("viz/plots/faults", "model_plots"),
    ("viz/plots/gradients", "model_plots"),
    ("viz/plots/histograms", "model_plots"),
    ("viz/plots/images", "model_plots"),
    ("viz/plots/observed", "model_plots"),
    ("viz/plots/weights", "model_plots"),
    ("viz/notebook", "notebook picture"),
    ("viz/writing/render", "render picture"),
    ("viz/writing/dot", "dot golden render picture"),
    ("viz/writing/mermaid", "mermaid"),
    ("viz/drawings/backward", "backward_graph golden"),
    ("viz/reading/passing", "backward_graph stepping"),
    ("viz/text", "text drawing dot stepping golden model_graphs"),
    ("viz/folding/fold", "fold sizes"),
    ("viz/folding/alike", "fold sizes"),
    ("viz/folding/repeats", "fold sizes"),
    ("viz/folding/bands", "fold sizes"),
    ("viz/folding/parts", "fold sizes"),
    ("viz/reading/recorded", "fold drawing golden sizes"),
    ("viz/drawings/expression", "drawing golden fold backward_graph sizes"),
    ("viz", "drawing model_graphs backward_graph golden dot mermaid picture notebook stepping fold sizes"),
)
# Seldom interesting: what tests draw, and what mutants of the rules are about.
SKIPPED_KEYWORDS = {"rules", "shares", "samples", "domain", "numpy", "also", "scalar", "symbol"}
SYMMETRIC = {
    "min",
    "max",
    "minimum",
    "maximum",
    "isinstance",
    "issubclass",
    "add",
    "multiply",
    "logical_and",
    "logical_or",
}
FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
NAMES = {"any": "all", "all": "any", "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}
NOTHING_CHOSEN = 5  # pytest's exit code where `-k` fits no test: nothing was tested, so nothing noticed
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: lines `before` of a file become `after`, which stand there on their own; `text` is the whole file, changed."""

    file: str
    line: int
    kind: str
    before: str
    after: str
    text: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.file, self.kind, self.before, self.after


def mutants_of(path: Path, root: Path = ROOT) -> list[Mutant]:
    """All mutants of a file, in the order of its lines."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node, kind, replacement in _changes(tree):
        start = starts[node.lineno - 1] + node.col_offset
        stop = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        text = (source.encode()[:start] + replacement.encode() + source.encode()[stop:]).decode()
        first, last = node.lineno - 1, node.end_lineno or 0
        grown = text.count("\n") - source.count("\n")
        before = _flat(source.splitlines()[first:last])
        after = _flat(text.splitlines()[first : last + grown])
        try:
            ast.parse(text)
        except SyntaxError:  # a spot where the replacement cannot stand, such as a slice's
            continue
        if before != after:
            found.append(Mutant(path.relative_to(root).as_posix(), node.lineno, kind, before, after, text))
    return sorted(found, key=lambda m: m.line)


def _flat(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _changes(tree: ast.Module) -> Iterator[tuple[ast.AST, str, str]]:
    """Each change as the node, its kind, and the source to put in its place."""
    for function, node in _visited(tree):
        yield from _of_expression(node)
        if function is not None and isinstance(node, ast.stmt):
            yield from _of_statement(node, function)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                if isinstance(default, ast.Constant) and isinstance(default.value, (bool, int, float)):
                    value = default.value
                    yield default, "default changed", repr(not value if isinstance(value, bool) else value + 1)


def _visited(tree: ast.Module) -> Iterator[tuple[Function | None, ast.AST]]:
    """The nodes that may change, each with the function around it: no annotations, messages, rules or text."""
    waiting: list[tuple[Function | None, ast.AST]] = [(None, tree)]
    while waiting:
        function, node = waiting.pop()
        yield function, node
        inner = node if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
        for field, value in ast.iter_fields(node):
            if field in {"annotation", "returns"} or field == "defaults":
                continue
            children = value if isinstance(value, list) else [value]
            waiting += [(inner, x) for x in children if isinstance(x, ast.AST) and not _skipped(x)]


def _skipped(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    if isinstance(node, ast.keyword):
        return node.arg in SKIPPED_KEYWORDS
    if isinstance(node, ast.FunctionDef):  # what tests draw
        return node.returns is not None and "Sample" in ast.unparse(node.returns)
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return isinstance(target, ast.Name) and (target.id == "__all__" or "TypeAlias" in ast.unparse(node))
    return isinstance(node, (ast.JoinedStr, ast.Import, ast.ImportFrom))


def _of_expression(node: ast.AST) -> Iterator[tuple[ast.AST, str, str]]:
    match node:
        case ast.Compare(ops=[op]):
            changed = copy.copy(node)
            changed.ops = [FLIPPED[type(op)]()]
            yield node, "comparison flipped", f"({ast.unparse(changed)})"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
            if name in NAMES:
                changed = copy.deepcopy(node)
                if isinstance(changed.func, ast.Name):
                    changed.func.id = NAMES[name]
                elif isinstance(changed.func, ast.Attribute):
                    changed.func.attr = NAMES[name]
                yield node, f"{name} to {NAMES[name]}", ast.unparse(changed)
            plain = len(arguments) > 1 and not any(isinstance(x, ast.Starred) for x in arguments[:2])
            if plain and name not in SYMMETRIC and ast.unparse(arguments[0]) != ast.unparse(arguments[1]):
                changed = copy.copy(node)
                changed.args = [arguments[1], arguments[0], *arguments[2:]]
                yield node, "arguments swapped", ast.unparse(changed)
        case ast.BoolOp(op=op):
            changed = copy.copy(node)
            changed.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield node, "and for or" if isinstance(op, ast.Or) else "or for and", f"({ast.unparse(changed)})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, "not removed", f"({ast.unparse(operand)})"
        case ast.BinOp(op=(ast.Add() | ast.Sub()) as op) if not _is_text(node):
            changed = copy.copy(node)
            changed.op = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield node, "- for +" if isinstance(op, ast.Add) else "+ for -", ast.unparse(changed)
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            yield node, "off by one", repr(value + 1)
    test = getattr(node, "test", None)
    if isinstance(test, ast.expr) and not isinstance(test, (ast.Compare, ast.UnaryOp)):
        yield test, "condition negated", f"(not ({ast.unparse(test)}))"


def _is_text(sum: ast.BinOp) -> bool:
    """Whether a sum puts text together."""
    sides = sum.left, sum.right
    return any(
        isinstance(x, ast.JoinedStr) or (isinstance(x, ast.Constant) and isinstance(x.value, str)) for x in sides
    )


def _of_statement(node: ast.stmt, function: Function) -> Iterator[tuple[ast.AST, str, str]]:
    """A statement left out, unless that would only leave a name unknown."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Delete() | ast.Continue() | ast.Break():
            yield node, "statement dropped", "pass"
        case ast.Return(value=value) if value is not None and node is not function.body[-1]:
            yield node, "statement dropped", "pass"
        case ast.Assign(targets=[target]):
            known = {x.arg for x in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]}
            known |= {
                x.id
                for x in ast.walk(function)
                if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store) and x.lineno < node.lineno
            }
            if isinstance(target, (ast.Attribute, ast.Subscript)) or (
                isinstance(target, ast.Name) and target.id in known
            ):
                yield node, "statement dropped", "pass"


def sample(package: str, count: int, seed: int = 0, root: Path = ROOT) -> list[Mutant]:
    """The first `count` mutants of a package in a seeded order, evenly over the kinds. Changes elsewhere do not reorder them."""
    inside, outside = PACKAGES[package]
    kinds: dict[str, list[Mutant]] = defaultdict(list)
    seen: set[tuple[str, str, str, str]] = set()
    for folder in inside:
        for path in sorted((root / folder).rglob("*.py")):
            if not any(path.is_relative_to(root / other) for other in outside):
                for mutant in mutants_of(path, root):
                    if mutant.key not in seen:
                        seen.add(mutant.key)
                        kinds[_family(mutant.kind)].append(mutant)

    def order(mutant: Mutant) -> bytes:
        return hashlib.sha256(repr((seed, mutant.key)).encode()).digest()

    rows = [sorted(kinds[kind], key=order) for kind in sorted(kinds)]
    turns = [row[i] for i in range(max(map(len, rows))) for row in rows if i < len(row)]
    return turns[:count]


def _family(kind: str) -> str:
    """The kinds of one pair, such as any to all and all to any, count as one."""
    return re.sub(r"^(all|any) to .*", "any or all", re.sub(r"^(min|max).*", "min or max", kind))


def tests_of(file: str) -> list[str]:
    """The test files of a file."""
    names = next((names for start, names in TESTS if file.startswith(start)), "")
    home = file.split("/")[0]
    if not names:
        return [f"tests/{home}"]
    return [f"tests/{n.replace('/', '/test_') if '/' in n else f'{home}/test_{n}'}.py" for n in names.split()]


class Copy:
    """A temporary copy of the checkout to change and test."""

    def __init__(self, folder: Path, baseline: bool = True):
        self.root = folder / "checkout"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "demo", "dist", "results")
        shutil.copytree(ROOT, self.root, ignore=ignored)
        # By content: two versions of a file may have the same size, and be written within the same second.
        compileall.compile_dir(self.root, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        self.seconds: dict[str, float] = defaultdict(lambda: 10.0)
        self.baseline = baseline

    def fails(self, tests: list[str], limit: float, only: str = "") -> bool:
        """Whether tests fail, or take longer than the limit in seconds. `only` chooses from the laws of the registry."""
        laws = [test for test in tests if only and test.endswith("test_registry.py")]
        if laws and tests != laws:
            return self.fails([test for test in tests if test not in laws], limit) or self.fails(laws, limit, only)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        command += ["-k", only] if laws else []
        environment = os.environ | {"PYTHONPATH": str(self.root)}
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(limit) not in (0, NOTHING_CHOSEN)
        except subprocess.TimeoutExpired:
            return True
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)
                process.wait()

    def notices(self, mutant: Mutant) -> bool:
        """Whether the tests of the mutant's file notice it."""
        tests = tests_of(mutant.file)
        for test in tests:
            if self.baseline and test not in self.seconds:
                start = time.perf_counter()
                if self.fails([test], 900):
                    raise SystemExit(f"{test} fails without a mutant")
                self.seconds[test] = time.perf_counter() - start
        path = self.root / mutant.file
        right = path.read_bytes()
        names = [x.name for x in ast.parse(right).body if isinstance(x, ast.FunctionDef)]
        path.write_text(mutant.text, encoding="utf-8")
        try:
            return self.fails(tests, 30 + 3 * sum(self.seconds[test] for test in tests), " or ".join(names))
        finally:
            path.write_bytes(right)


def run(
    package: str, count: int, seed: int, skip: int, baseline: bool, said: Callable[[str], None]
) -> tuple[int, int, list[Mutant]]:
    """How many mutants were noticed, how many are equivalent, and those that survived."""
    noticed, equivalent, survivors = 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        checkout = Copy(Path(folder), baseline)
        for mutant in sample(package, count, seed)[skip:]:
            if mutant.key in EQUIVALENT:
                equivalent += 1
            elif checkout.notices(mutant):
                noticed += 1
            else:
                survivors.append(mutant)
                said(shown(mutant))
    said(f"{package}: {noticed} of {noticed + len(survivors)} noticed, {equivalent} equivalent, seed {seed}")
    return noticed, equivalent, survivors


def shown(mutant: Mutant) -> str:
    return f"{mutant.file}:{mutant.line} ({mutant.kind})\n    - {mutant.before}\n    + {mutant.after}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation --code", description=__doc__)
    parser.add_argument("--package", choices=PACKAGES, action="append", help="all of them by default")
    parser.add_argument("--count", type=int, default=40, help="mutants of each package")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--skip", type=int, default=0, help="leave out the first ones; writes no results")
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    parser.add_argument("--no-baseline", action="store_true", help="trust that the tests pass without a mutant")
    given = parser.parse_args(arguments)
    rows: dict[tuple[str, str], list[str]] = {}
    failed = False
    for package in given.package or PACKAGES:
        if given.list:
            for mutant in sample(package, given.count, given.seed)[given.skip :]:
                print(shown(mutant))
            continue
        said = partial(print, flush=True)
        noticed, equivalent, survivors = run(package, given.count, given.seed, given.skip, not given.no_baseline, said)
        total = noticed + len(survivors)
        rows[package, str(given.seed)] = [f"{noticed} of {total}", str(equivalent)]
        failed |= noticed < 0.97 * total
    if rows and not given.skip:
        write(rows)
    return int(failed)


def write(rows: dict[tuple[str, str], list[str]]) -> None:
    """Renew the rows of packages and seeds, and the equivalent mutants, in the results; what was measured at first stays."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    above, _, old = text.partition(HEADING)
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in old.splitlines() if line.startswith("| ")]
    kept = {(name, seed): cells for name, seed, *cells in table if name in PACKAGES}
    for key, (noticed, equivalent) in rows.items():
        kept[key] = [kept[key][0] if key in kept else noticed, noticed, equivalent]
    lines = [
        HEADING,
        "",
        "A seeded sample of small changes to the code outside the rules, and how many of them the tests of their file notice.",
        "At first: before there were tests for the survivors. Written by `python -m benchmarks.mutation --code`.",
        "",
        "| package | seed | noticed at first | noticed now | equivalent, not counted |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(f"| {' | '.join([*key, *cells])} |" for key, cells in sorted(kept.items(), key=_place)),
        "",
        "Equivalent:",
        "",
    ]
    for (file, kind, before, after), reason in EQUIVALENT.items():
        lines.append(f"- {file}, {kind}: `{before}` to `{after}`: {reason}")
    RESULTS.write_text(above.rstrip() + "\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


def _place(row: tuple[tuple[str, str], list[str]]) -> tuple[int, int]:
    (package, seed), _ = row
    return list(PACKAGES).index(package), int(seed)
