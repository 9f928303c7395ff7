"""The pytest plugin: fixture, marker, seed and summary, in one process and in several."""

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PLUGIN = "tinygrad_edu.testing.plugin"
INSTALLED = any(entry.value == PLUGIN for entry in entry_points(group="pytest11"))

CODE = """
import numpy as np
import pytest

X = np.array([[0.5, -1.0, 2.0]])

def right(g, x):
    return g * (1 - np.tanh(x) ** 2)

def wrong(g, x):
    return 2 * right(g, x)
"""


@pytest.fixture
def run(pytester):
    """Run pytest on some tests in a process of its own (NumPy loads once a process), with the plugin loaded once."""

    def run(tests, *args):
        pytester.makepyfile(CODE + tests)
        load = () if INSTALLED else ("-p", PLUGIN)
        others = ("-p", "no:cacheprovider", "-p", "no:randomly")  # tests in order, lines as they are
        return pytester.runpytest_subprocess(*load, *others, "--strict-markers", *args)

    return run


def test_the_entry_point_names_the_plugin():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"tinygrad_edu": PLUGIN}


def test_fixture_checks_and_returns_the_report(run):
    result = run("""
def test_values(gradcheck):
    report = gradcheck(np.tanh, X)
    assert (report.compared, report.seed) == (3, 0)

def test_vjp(gradcheck):
    assert gradcheck.vjp(np.tanh, right, X, mode="full").compared == 3
""")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["gradients: 2 functions checked, 6 numbers compared, 0 subgradients, 0 inconclusive (--gradient-seed=0)"]
    )


def test_a_wrong_gradient_fails_with_the_message_at_the_users_line(run):
    result = run("""
def test_vjp(gradcheck):
    gradcheck.vjp(np.tanh, wrong, X)
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*gradcheck.vjp(np.tanh, wrong, X)",
            "E*GradientError: tanh: the gradient of input 0 at * a factor of 2, too many",
            "*test_a_wrong_gradient_fails_with_the_message_at_the_users_line.py:*: GradientError",
            "gradients: 1 functions checked (1 failed), 0 numbers compared, *",
        ]
    )
    result.stdout.no_fnmatch_line("*checking.py*")
    result.stdout.no_fnmatch_line("*plugin.py*")


def test_marker_checks_before_the_test_runs(run):
    result = run("""
@pytest.mark.gradients(np.tanh, X, order=2)
@pytest.mark.gradients(np.tanh, X, vjp=right, mode="full")
def test_right():
    pass

@pytest.mark.gradients(np.tanh, X, vjp=wrong)
def test_wrong():
    print("this runs too late")

@pytest.mark.xfail(strict=True)
@pytest.mark.gradients(np.tanh, X, vjp=wrong)
def test_expected():
    pass

@pytest.mark.skip
@pytest.mark.gradients(np.tanh, X, vjp=wrong)
def test_skipped():
    pass

@pytest.mark.gradients()
def test_empty():
    pass

@pytest.mark.gradients(np.tanh, X)
class TestMany:
    def test_one(self):
        pass
    def test_two(self):
        pass
""")
    result.assert_outcomes(passed=3, failed=2, xfailed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "tanh: the gradient of input 0 at * a factor of 2, too many",
            "gradients: expected a function and its inputs, *",
            "gradients: 6 functions checked (2 failed), 12 numbers compared, *",
        ]
    )
    result.stdout.no_fnmatch_line("this runs too late")


def test_wrong_markers_are_named_in_a_line(run):
    result = run("""
@pytest.mark.gradients(X, np.tanh)
def test_swapped():
    pass

@pytest.mark.gradients(np.tanh, X, vpj=np.cos)
def test_misspelt():
    pass

@pytest.mark.gradients(np.exp, np.array([800.0]))
def test_nothing_told():
    pass
""")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "gradients: the first argument is a ndarray, expected a function",
            "gradients: got vpj=, expected argnums, complex_step, mode, order, seed, vjp",
            "exp: nothing can be told at these inputs*",
        ]
    )
    result.stdout.no_fnmatch_line("*During handling*")


def test_subgradients_and_inconclusive_are_summed_up(run):
    result = run("""
import tinygrad_edu as tg

def test_kink(gradcheck):
    gradcheck(tg.relu, np.array([-1.0, 0.0, 2.0]))

def test_flat(gradcheck):
    gradcheck(np.tanh, np.array([1.0, 17.0]))
""")
    result.stdout.fnmatch_lines(
        ["gradients: 2 functions checked, 4 numbers compared, 1 subgradients, 1 inconclusive (--gradient-seed=0)"]
    )


def test_seed_option_and_override(run):
    result = run(
        """
def test_seeds(gradcheck):
    assert gradcheck(np.tanh, X).seed == 7
    assert gradcheck(np.tanh, X, seed=3).seed == 3
""",
        "--gradient-seed=7",
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["gradients: *(--gradient-seed=7)"])


@pytest.mark.parametrize("seed", ["-1", "x", "1.5"])
def test_a_bad_seed_is_bad_usage(run, seed):
    result = run("", f"--gradient-seed={seed}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--gradient-seed: *expected a whole number from 0 on"])


def test_summary_without_checks_and_marker_help(run):
    result = run("def test_nothing():\n    pass\n")
    result.stdout.no_fnmatch_line("gradients:*")
    result = run("", "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.gradients(f, [*]inputs, *"])
    result = run("", "--fixtures")
    result.stdout.fnmatch_lines(["gradcheck*"])


def test_the_example_in_the_docs(run):
    text = (ROOT / "docs" / "testing_gradients.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python pytest\n(.*?)```", text, re.DOTALL)
    result = run(example)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["gradients: 4 functions checked, 12 numbers compared, *"])


def test_in_several_processes(run):
    pytest.importorskip("xdist")
    result = run(
        """
@pytest.mark.parametrize("i", range(6))
def test_many(gradcheck, i):
    assert gradcheck(np.tanh, X).seed == 5

@pytest.mark.gradients(np.tanh, X, vjp=wrong)
def test_wrong():
    pass
""",
        "-n",
        "2",
        "--gradient-seed=5",
    )
    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(
        ["gradients: 7 functions checked (1 failed), 18 numbers compared, * (--gradient-seed=5)"]
    )
