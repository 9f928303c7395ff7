"""The pytest plugin: fixture `gradcheck`, marker `gradients`, option --gradient-seed, and a line in the summary.

    def test_mine(gradcheck):
        gradcheck(my_function, np.ones((3, 4)))

    @pytest.mark.gradients(my_function, np.ones((3, 4)), order=2)
    def test_mine_too(): ...

It is loaded with pytest once the package is installed; the engine itself is imported with the first check.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

COUNTS = pytest.StashKey["Counts"]()
MARKER = "gradients(f, *inputs, **options): check f's gradients there before the test runs; see testing.check_gradients"


class Counts(Counter[str]):
    """How many functions, numbers, subgradients and inconclusive ones were met."""


class GradientCheck:
    """What the fixture gives: check_gradients, and check_vjp as its `vjp`, with the seed of the command line."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def __call__(self, f: Any, *inputs: Any, **options: Any) -> Any:
        """`check_gradients(f, *inputs, **options)`."""
        from .checking import check_gradients

        return self._counted(check_gradients, f, *inputs, **options)

    def vjp(self, f: Any, vjp: Any, *inputs: Any, **options: Any) -> Any:
        """`check_vjp(f, vjp, *inputs, **options)`."""
        from .checking import check_vjp

        return self._counted(check_vjp, f, vjp, *inputs, **options)

    def _counted(self, check: Any, *args: Any, **options: Any) -> Any:
        report = check(*args, **{"seed": self.config.getoption("--gradient-seed")} | options)
        counts = self.config.stash[COUNTS]
        counts.update(functions=1, compared=report.compared)
        counts.update(subgradients=report.subgradients, inconclusive=report.inconclusive)
        return report


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> GradientCheck:
    """gradcheck(f, *inputs) checks f's gradients; gradcheck.vjp(f, vjp, *inputs) a hand-written one."""
    return GradientCheck(request.config)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option --gradient-seed."""
    parser.getgroup("gradients").addoption(
        "--gradient-seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the weights and directions of gradient checks",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and start counting."""
    config.addinivalue_line("markers", MARKER)
    config.stash[COUNTS] = Counts()


def pytest_runtest_call(item: pytest.Item) -> None:
    """The checks that the test's markers ask for."""
    for marker in item.iter_markers("gradients"):
        GradientCheck(item.config)(*marker.args, **marker.kwargs)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker process hands its counts to the one that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["gradients"] = dict(session.config.stash[COUNTS].items())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the counts of a worker process."""
    counts: Any = node.config.stash[COUNTS]
    counts.update(getattr(node, "workeroutput", {}).get("gradients", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line, if anything was checked."""
    counts = config.stash[COUNTS]
    if counts["functions"]:
        seed = config.getoption("--gradient-seed")
        terminalreporter.write_line(
            f"gradients: {counts['functions']} functions checked, {counts['compared']} numbers compared, "
            f"{counts['subgradients']} subgradients, {counts['inconclusive']} inconclusive (--gradient-seed={seed})"
        )
