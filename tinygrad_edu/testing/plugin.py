"""The pytest plugin: fixture `gradcheck`, marker `gradients`, option --gradient-seed, and a line in the summary.

    def test_mine(gradcheck):
        gradcheck(my_function, np.ones((3, 4)))
        gradcheck.vjp(my_function, my_gradient, np.ones((3, 4)))

    @pytest.mark.gradients(my_function, np.ones((3, 4)), order=2)
    @pytest.mark.gradients(my_function, np.ones((3, 4)), vjp=my_gradient)
    def test_mine_too(): ...

pytest loads it automatically if the package is installed.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import pytest

from ..errors import GradientError
from .checking import check_gradients, check_vjp
from .report import GradientReport

MARKER = (
    "gradients(f, *inputs, vjp=None, **options): check f's gradients there, or the hand-written vjp, before the test runs; "
    "options as for tinygrad_edu.testing.check_gradients"
)
OPTIONS = {"vjp", "order", "argnums", "mode", "complex_step", "seed"}


class Counts(Counter[str]):
    """Counts of checks, of failed checks, and of numbers by verdict."""


COUNTS = pytest.StashKey[Counts]()


class GradientCheck:
    """Type of the fixture: `check_gradients`, and `check_vjp` as its `vjp`, with the seed from the command line."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def __call__(self, f: Any, *inputs: Any, **options: Any) -> GradientReport:
        """`check_gradients(f, *inputs, **options)`."""
        __tracebackhide__ = True
        return self._counted(check_gradients, f, *inputs, **options)

    def vjp(self, f: Any, vjp: Any, *inputs: Any, **options: Any) -> GradientReport:
        """`check_vjp(f, vjp, *inputs, **options)`."""
        __tracebackhide__ = True
        return self._counted(check_vjp, f, vjp, *inputs, **options)

    def _counted(self, check: Any, *args: Any, **options: Any) -> GradientReport:
        __tracebackhide__ = True
        counts = self.config.stash[COUNTS]
        counts["checks"] += 1
        try:
            report: GradientReport = check(*args, **{"seed": self.config.getoption("gradient_seed")} | options)
        except GradientError as error:
            counts["failed"] += 1
            raise error.with_traceback(None) from None  # the checker's own frames explain nothing
        counts["compared"] += report.compared
        counts["subgradients"] += report.subgradients
        counts["inconclusive"] += report.inconclusive
        return report


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> GradientCheck:
    """gradcheck(f, *inputs) checks f's gradients; gradcheck.vjp(f, vjp, *inputs) a hand-written one."""
    return GradientCheck(request.config)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option --gradient-seed."""
    parser.getgroup("gradients").addoption(
        "--gradient-seed",
        type=_seed,
        default=0,
        metavar="N",
        help="seed of the weights and directions of gradient checks, from 0 on",
    )


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 0 on")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and start counting."""
    config.addinivalue_line("markers", MARKER)
    config.stash[COUNTS] = Counts()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Run the checks of the test's markers."""
    for marker in item.iter_markers("gradients"):
        if len(marker.args) < 2:
            pytest.fail("gradients: expected a function and its inputs, as in gradients(np.tanh, 0.5)", pytrace=False)
        f, *inputs = marker.args
        if not callable(f):
            pytest.fail(f"gradients: the first argument is a {type(f).__name__}, expected a function", pytrace=False)
        check = GradientCheck(item.config)
        if unknown := set(marker.kwargs) - OPTIONS:
            known = ", ".join(sorted(OPTIONS))
            pytest.fail(f"gradients: got {', '.join(sorted(unknown))}=, expected {known}", pytrace=False)
        vjp, options = marker.kwargs.get("vjp"), {k: v for k, v in marker.kwargs.items() if k != "vjp"}
        failure = ""
        try:
            if vjp is None:
                check(f, *inputs, **options)
            else:
                check.vjp(f, vjp, *inputs, **options)
        except GradientError as error:
            failure = str(error)
        if failure:
            pytest.fail(failure, pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the counts of a pytest-xdist worker to the main process."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        counts = session.config.stash[COUNTS]
        output["gradients"] = dict(counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the counts of a worker process."""
    counts: Counts = node.config.stash[COUNTS]
    counts.update(getattr(node, "workeroutput", {}).get("gradients", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write one line if there were checks."""
    counts = config.stash[COUNTS]
    if counts["checks"]:
        failed = f" ({counts['failed']} failed)" if counts["failed"] else ""
        terminalreporter.write_line(
            f"gradients: {counts['checks']} functions checked{failed}, {counts['compared']} numbers compared, "
            f"{counts['subgradients']} subgradients, {counts['inconclusive']} inconclusive "
            f"(--gradient-seed={config.getoption('gradient_seed')})"
        )
