"""Writes docs/ops.md and docs/kinks.md from the registry and from executed code: python docs/tables.py.

With --check nothing is written; 1 if a page is out of date. `make check` runs that, and a test.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))  # this checkout, not an installed copy

import tinygrad_edu
from tinygrad_edu import Domain, Op, Value, hessian, linalg, registry, rule_formula

HERE = Path(__file__).parent

KINKS: tuple[tuple[str, Callable[[Value], Value], Any], ...] = (
    ("abs(x)", lambda x: abs(x), 0.0),
    ("sign(x)", lambda x: x.sign(), 0.0),
    ("relu(x)", lambda x: x.relu(), 0.0),
    ("norm(x)", lambda x: x.norm(), np.zeros(2)),
    ("sqrt(x)", lambda x: x.sqrt(), 0.0),
    ("arctan2(x, 0)", lambda x: x.arctan2(0.0), 0.0),
    ("maximum(x, 1)", lambda x: x.maximum(1.0), 1.0),
    ("maximum(x, x)", lambda x: x.maximum(x), 1.0),
    ("max(x)", lambda x: x.max(), np.array([1.0, 1.0, 0.0])),
    ("min(x)", lambda x: x.min(), np.array([1.0, 0.0, 0.0])),
    ("clip(x, 0, 1)", lambda x: x.clip(0.0, 1.0), 0.0),
    ("clip(x, 0, 1)", lambda x: x.clip(0.0, 1.0), 1.0),
    ("x**0", lambda x: x**0, 0.0),
    ("x**1", lambda x: x**1, 0.0),
    ("x**0.5", lambda x: x**0.5, 0.0),
    ("0**x", lambda x: 0.0**x, 0.0),
    ("0**x", lambda x: 0.0**x, 2.0),
    ("logsumexp(x)", lambda x: x.logsumexp(), np.array([-inf, -inf])),
    ("logsumexp(x)", lambda x: x.logsumexp(), np.array([inf, inf, 1.0])),
    ("where(x > 0, sqrt(x), 0)", lambda x: np.where(x > 0, np.sqrt(x), 0.0), 0.0),
    ("where(x > 0, sqrt(x), x)", lambda x: np.where(x > 0, np.sqrt(x), x), -1.0),
    ("where(x < 5, exp(x)*x, 0)", lambda x: np.where(x < 5, np.exp(x) * x, 0.0), 1000.0),
)

SECOND: tuple[tuple[str, Callable[[Value], Value], Any, str], ...] = (
    ("norm(x)**2", lambda x: x.norm() ** 2, np.zeros(2), "[2, 2]"),
    ("hypot(x, 0)**2", lambda x: np.hypot(x, 0.0) ** 2, 0.0, "2"),
    ("std(x)**2", lambda x: x.std() ** 2, np.ones(2), "[0.5, 0.5]"),
    ("0 * norm(x)", lambda x: 0.0 * x.norm(), np.zeros(2), "[0, 0]"),
    ("sum(x * x)", lambda x: (x * x).sum(), np.zeros(2), "[2, 2]"),
    ("var(x)", lambda x: x.var(), np.ones(2), "[0.5, 0.5]"),
    ("abs(x)**2", lambda x: abs(x) ** 2, 0.0, "2"),
    ("relu(x)**2", lambda x: x.relu() ** 2, 0.0, "0 to the left, 2 to the right"),
    ("maximum(x, 0)**2", lambda x: x.maximum(0.0) ** 2, 0.0, "0 to the left, 2 to the right"),
)
KEEP = np.array([True, False])
PADDED = np.array([[3.0, 4.0], [np.nan, np.nan]])
MASKED: tuple[tuple[str, Callable[[Value], Value], Any], ...] = (  # the second row is masked
    ("softmax(x, axis=1)[:, 0]", lambda x: tinygrad_edu.softmax(x, axis=1)[:, 0], np.array([[0.0, 0.0], [-inf, -inf]])),
    ("logsumexp(x, axis=1)", lambda x: x.logsumexp(axis=1), np.array([[0.0, 0.0], [inf, 1.0]])),
    ("norm(x, axis=1)", lambda x: np.linalg.norm(x, axis=1), np.array([[3.0, 4.0], [inf, 1.0]])),
    ("prod(x, axis=1)", lambda x: np.prod(x, axis=1), np.array([[3.0, 4.0], [inf, 0.0]])),
    ("data @ x", lambda x: PADDED @ x, np.array([1.0, 1.0])),
    ("x @ w", lambda x: x @ np.array([1.0, 2.0]), PADDED),
    ("slogdet(x).logabsdet", lambda x: np.linalg.slogdet(x).logabsdet, np.array([[[0.5]], [[0.0]]])),
)


def ops_page() -> str:
    """Every op with its symbol, its gradient rules as formulas, its domain and its NumPy counterpart."""
    public = [f.op for name, f in registry.items() if name in tinygrad_edu.__all__ or f in vars(linalg).values()]
    primitive = [op for op in public if not op.derived]
    derived = [op for op in public if op.derived]
    helpers = len(registry) - len(public)
    rows = [
        "# The op table",
        "",
        f"{len(primitive)} primitive and {len(derived)} derived operations. {helpers} helpers of gradient rules are not listed.",
        "Written from the registry by `docs/tables.py`.",
        "",
        "For elementwise ops the rule is the local derivative, a factor of the incoming gradient g; for the others it is the",
        "full gradient. y is the result. If the domain is *distinct*, equal numbers are a kink.",
        "",
        "| op | drawn as | gradient, one rule per array | domain | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for op in primitive:
        texts = [rule_formula(op, i) for i in range(len(op.rules) or 1)]
        rules = "; ".join(f"`{text}`" if text else "none" for text in texts)
        rows.append(f"| `{op.name}` | {_cell(op.symbol)} | {_cell(rules)} | {_domains(op)} | {_summary(op)} |")
    rows += [f"| `{op.name}` | {_cell(op.symbol)} | composed | {_domains(op)} | {_summary(op)} |" for op in derived]
    return "\n".join(rows) + "\n"


def kinks_page() -> str:
    """The gradient by each convention, computed."""
    rows = [
        "# Kinks: one stated convention",
        "",
        "The gradient is the subgradient of least norm where one exists; ties share equally; a branch not taken leaks nothing.",
        "The exceptions are PyTorch's: clip passes the gradient at its bounds, and the slope of sqrt at 0 is inf.",
        "`docs/tables.py` computed each gradient below.",
        "",
        "| f(x) | at x | f'(x) |",
        "| --- | --- | --- |",
    ]
    for text, f, at in KINKS:
        x = Value(at)
        with np.errstate(all="ignore"):
            y = f(x)
        y.backward()
        rows.append(f"| `{_cell(text)}` | {_number(at)} | {_number(x.grad)} |")
    rows += [
        "",
        "## To second order",
        "",
        "A smooth combination of kinks is not seen as smooth: |x|² is x², but its graph holds |x|. At the kink of a length",
        "(norm, hypot, std and functions of them, also arctan2 at the origin) the second derivative is NaN, never a",
        "silent 0, except where a constant 0 is its factor. So is that of a branch not taken, if it is not linear in the",
        "length: put the condition on the vector, norm(where(known, x, 1)), or write the square as a sum. abs, relu and max",
        "have 0, as in PyTorch; maximum and minimum have what the shares of a tie give. `docs/tables.py` computed f''(x).",
        "",
        "| f(x) | at x | f''(x) | right |",
        "| --- | --- | --- | --- |",
    ]
    for text, f, at, limit in SECOND:
        found = np.diag(hessian(f)(np.asarray(at))) if np.ndim(at) else hessian(f)(at)
        rows.append(f"| `{_cell(text)}` | {_number(at)} | {_number(found)} | {limit} |")
    return "\n".join(rows + masks()) + "\n"


def masks() -> list[str]:
    """What the zero rule promises, with the operations by their slices, and cases computed."""

    def names(kind: Callable[[Any], bool]) -> str:
        ops = {f.op.called or name: f.op for name, f in registry.items() if kind(f.op.slices)}
        public = [name for name in ops if name in tinygrad_edu.__all__ or hasattr(linalg, name)]
        return ", ".join(f"`{name}`" for name in public)

    def matrices(slices: Any) -> bool:
        return callable(slices) or (isinstance(slices, str) and "ij" in slices)

    rows = f"""
# Masks: the zero rule

Where the gradient g of a result is exactly 0, the operands from which it was computed get 0 for it, whatever they hold, NaN
or inf. So a row that `where`, an index, `nan_to_num` or `nansum` hides contributes nothing, to any order of derivatives.
PyTorch and JAX compute 0 · NaN = NaN; this differs on purpose. It holds

- for elementwise operations number by number;
- along an axis slice by slice, if g is 0 throughout the slice:
  {names(lambda s: s == "axis")};
- in products for numbers that enter only terms whose g is 0, such as padded rows:
  {names(lambda s: s == "product")};
- for matrices one by one in a stack: {names(matrices)};
- for `sum`, `sort` and all others that only move and add gradients;
- for all operations composed of these: `mean`, `std`, `median`, `layer_norm`, `dot`, `tensordot`, `conv2d`, layers, losses.

It does not hold

- where a single g of a slice is not 0: the slice keeps its NaN;
- to second order at the kink of a length, if f is not linear in the length ([above](#to-second-order));
- forwards: 0 · NaN in a result is NaN, in `weights @ values` too;
- where the operation refuses its argument: `inv` and `solve` of a stack with a singular matrix, `cholesky` of NaN,
  eigenvalues (`eigh`) and singular values (`svd`, `pinv`, `lstsq`, `norm(x, ord=2)`) of a matrix that is not finite; or its
  rule: `qr` of dependent columns;
- for `at(x, index).max` and `.min` of NaN;
- for an operation of your own without [`slices=`](own_op.md).

If g is 0 by chance and the slice is not finite, its gradient counts as constant: higher derivatives are 0 there. Finite
slices keep theirs. `tests/tinygrad_edu/test_zero_rule.py` holds every operation to this.

| f(x) | at x | gradient of `where([True, False], f(x), 0).sum()` |
| --- | --- | --- |""".split("\n")
    for text, f, at in MASKED:
        x = Value(at)
        with np.errstate(all="ignore"):
            y = tinygrad_edu.where(KEEP, f(x), 0.0).sum()
        y.backward()
        rows.append(f"| `{_cell(text)}` | {_number(at)} | {_number(x.grad)} |")
    return [*rows, "", "Here `data` is [[3, 4], [nan, nan]] and `w` is [1, 2]."]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _number(x: Any) -> str:
    return "[" + ", ".join(map(_number, x)) + "]" if np.ndim(x) else f"{x:g}"


def _summary(op: Op) -> str:
    return _cell((op.forward.__doc__ or "").strip().split("\n")[0])


def _domains(op: Op) -> str:
    return ", ".join(dict.fromkeys(_domain(d) for d in op.domain))


def _domain(domain: Domain) -> str:
    if domain.boolean:
        return "condition"
    ends = {(-inf, inf): "real", (0.0, inf): "> 0"}.get((domain.low, domain.high), f"({domain.low:g}, {domain.high:g})")
    kinks = "".join(f", kink at {k:g}" for k in domain.kinks)
    return ends + kinks + (", distinct" if domain.distinct else "")


PAGES = {"ops.md": ops_page, "kinks.md": kinks_page}


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check name those that are out of date and return 1."""
    if arguments not in ([], ["--check"]):
        print(f"docs/tables.py: got {' '.join(arguments)}, expected nothing or --check", file=sys.stderr)
        return 2
    status = 0
    for name, page in PAGES.items():
        text, file = page(), HERE / name
        if not arguments:
            file.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}", file=sys.stderr)
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            print(f"docs/{name} is out of date; run python docs/tables.py", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
