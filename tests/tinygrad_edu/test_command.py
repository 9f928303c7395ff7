"""The command line: what it prints, what it draws, and how it refuses."""

import math
import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tinygrad_edu.__main__ import app
from tinygrad_edu.commands.expressions import CONTEXT
from tinygrad_edu.parsing import MAX_LENGTH, functions

SLOPE = 1 - math.tanh(4) ** 2


def run(*args):
    """Run the command in this process; exit code, and what went to stdout and to stderr."""
    result = CliRunner().invoke(app, list(args), env={"COLUMNS": "80"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


def rows(out):
    """The table's rows: name -> (value, gradient)."""
    cells = [re.findall(r"[\w.+-]+", line) for line in out.splitlines()[1:]]
    return {row[0]: (float(row[1]), float(row[2])) for row in cells if len(row) == 3 and row[0] != "variable"}


# -- Values and gradients ----------------------------------------------------------------------------------------------


def test_prints_value_and_gradients():
    code, out, err = run("grad", "tanh(a*b + c)", "a=2", "b=-3", "c=10")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"tanh(a*b + c) = {math.tanh(4)!r}"
    assert list(rows(out)) == ["a", "b", "c"]
    assert [value for value, _ in rows(out).values()] == [2.0, -3.0, 10.0]
    assert [gradient for _, gradient in rows(out).values()] == pytest.approx([-3 * SLOPE, 2 * SLOPE, SLOPE], rel=1e-12)
    assert "note" not in out


@pytest.mark.parametrize(
    "environment", [{}, {"NO_COLOR": "1"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"TERM": "dumb"}]
)
def test_output_has_no_escape_codes(environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for args in (["a*2", "a=1"], ["a*2"], ["a", "a="]):
        assert "\x1b" not in "".join(run("grad", *args)[1:])


@pytest.mark.parametrize(
    ("args", "first"),
    [
        (["-a*b", "a=2", "b=-3"], "-a*b = 6.0"),
        (["--a", "a=2"], "--a = 2.0"),
        (["-1"], "-1 = -1.0"),
        (["--", "-a", "a=2"], "-a = -2.0"),
        (["a=2", "a"], None),
        (["a", "a=-1e-3"], "a = -0.001"),
        (["a", "a=.5"], "a = 0.5"),
        (["1/a", "a=0"], "1/a = inf"),
        (["a**400", "a=10"], "a**400 = inf"),
        (["log(a)", "a=-1"], "log(a) = nan"),
        (["a - a", "a=inf"], "a - a = nan"),
        ([" a/3 ", "a=1"], f"a/3 = {1 / 3!r}"),
        (["2*pi"], f"2*pi = {2 * math.pi!r}"),
    ],
)
def test_first_line_is_expression_and_value(args, first):
    code, out, err = run("grad", *args)
    if first is None:
        assert code == 2
    else:
        assert (code, err, out.splitlines()[0]) == (0, "", first)


def test_variable_that_is_not_used_is_mentioned():
    code, out, _ = run("grad", "a*2", "a=1", "b=5", "c=6")
    assert code == 0
    assert rows(out) == {"a": (1.0, 2.0), "b": (5.0, 0.0), "c": (6.0, 0.0)}
    assert out.splitlines()[-1] == "note: the expression does not depend on b, c"


def test_expression_that_depends_on_nothing_has_gradient_zero():
    code, out, _ = run("grad", "detach(a)*2", "a=3")
    assert (code, rows(out)) == (0, {"a": (3.0, 0.0)})
    assert "does not depend on a" in out


def test_long_expression_and_name_are_printed_whole():
    name = "x" * 300
    code, out, _ = run("grad", f"{name} / 3", f"{name}=1")
    first, table = out.split("\n", 1)
    assert code == 0
    assert first == f"{name} / 3 = {1 / 3!r}"
    assert table.count("x") == 300
    assert max(map(len, table.splitlines())) <= 80


# -- Refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a", "a="], "'a=': expected NAME=NUMBER without spaces, as in a=2"),
        (["a", "=2"], "'=2': expected NAME=NUMBER"),
        (["a", "a"], "'a': expected NAME=NUMBER"),
        (["a", "a", "=", "2"], "'a': expected NAME=NUMBER"),
        (["a", "a=x"], "'a=x': expected a number after the =, as in a=2"),
        (["a", "a=1=2"], "'a=1=2': expected a number"),
        (["a", "a=1", "a=2"], "'a=2': this variable has a number already"),
        (["a", "a\udcff=1", "a\udcff=1"], "this variable has a number already"),
        (["a", "1a=2"], "variable '1a': not a name"),
        (["a", "\u0430=2"], "not a name"),
        (["a", "pi=3"], "variable pi: this is the name of a constant; choose another"),
        (["a", "tanh=3"], "variable tanh: this is the name of an operation; choose another"),
        (["a", "a=1", "--drwa", "x.svg"], "'--drwa': expected NAME=NUMBER"),
        ([""], "the expression is empty"),
    ],
)
def test_bad_usage(args, message):
    code, out, err = run("grad", *args)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "a*tamh(b)",
            ["a*tamh(b)", "  ^", "error: there is no function 'tamh' of single numbers; the nearest is tanh"],
        ),
        ("a*b", ["a*b", "  ^", "error: variable 'b' has no value; give it one, as in b=2"]),
        ("  a*", ["  a*", "    ^", "error: not an expression: invalid syntax"]),
        ("a\n+1", ["a +1", " ^", r"error: '\n' is not arithmetic"]),
        ("\t\ta\x00", ["  a?", "   ^", r"error: '\x00' is not arithmetic"]),
        ("a\udcff", ["a?", " ^", r"error: '\udcff', which is not ASCII"]),
        ("9**9**9**9", ["9**9**9**9", "   ^", "error: '9**9**9' is inf"]),
    ],
)
def test_refused_expression_is_shown_with_a_caret(text, lines):
    code, out, err = run("grad", text, "a=2")
    assert (code, out) == (2, "")
    *shown, message = err.splitlines()
    assert shown == lines[:2]
    assert message.startswith(lines[2])


@pytest.mark.parametrize("before", [0, CONTEXT, CONTEXT + 1, 500, MAX_LENGTH - 4])
@pytest.mark.parametrize("after", [0, CONTEXT, CONTEXT + 1, 500])
def test_caret_of_a_long_expression_stays_in_a_window(before, after):
    code, _, err = run("grad", "a" * before + "!" + "b" * after)
    text, caret, _ = err.splitlines()
    assert code == 2
    assert len(text) < 80
    if before + after < MAX_LENGTH:
        assert text[caret.index("^")] == "!"
        assert text.startswith("..." if before > CONTEXT else "a" * before + "!")
        assert text.endswith("..." if after > CONTEXT else "!" + "b" * after)


def test_missing_expression_is_bad_usage():
    code, out, err = run("grad")
    assert (code, out) == (2, "")
    assert "EXPRESSION" in err


# -- Help --------------------------------------------------------------------------------------------------------------


def help_of(*args):
    """The text of --help, without the colours that typer puts in on some build servers."""
    code, out, _ = run(*args, "--help")
    assert code == 0
    return re.sub(r"\x1b\[[\d;]*m", "", out)


@pytest.mark.parametrize("args", [[], ["grad"]])
def test_help_has_examples(args):
    out = help_of(*args)
    assert 'grad "tanh(a*b + c)" a=2 b=-3 c=10' in out
    assert "--draw graph.svg" in out


def test_help_names_every_function():
    assert set(functions()) <= set(re.findall(r"\w+", help_of("grad")))


# -- Drawings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<"), (".png", b"\x89PNG"), (".dot", b"digraph")])
def test_draws(suffix, start, tmp_path):
    path = tmp_path / f"graph{suffix}"
    code, out, err = run("grad", "tanh(weight*b)", "weight=2", "b=0.25", "--draw", str(path))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == f"drawn: {path}"
    drawing = path.read_bytes()
    assert drawing.startswith(start)
    if suffix != ".png":
        assert {b"weight", b"tanh", b"0.1966"} <= set(re.findall(rb"[\w.]+", drawing))  # 0.25 (1 - tanh(0.5)²) = 0.1966


@pytest.mark.parametrize("args", [["2*pi"], ["a", "a=1"], ["a*2", "a=1", "b=2"]])
def test_draws_small_expressions(args, tmp_path):
    code, *_ = run("grad", *args, "--draw", str(tmp_path / "graph.dot"))
    assert code == 0


@pytest.mark.parametrize("name", ["graph.xyz", "graph", "missing/graph.dot", "."])
def test_drawing_that_cannot_be_written(name, tmp_path):
    path = tmp_path / name
    code, out, err = run("grad", "a*2", "a=1", "--draw", str(path))
    assert code == 1
    assert rows(out) == {"a": (1.0, 2.0)}
    assert err.startswith(f"error: --draw {path}: ")
    assert "drawn" not in out


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<"), (".png", b"\x89PNG"), (".dot", b"digraph")])
def test_draw_writes_the_graph(suffix, start, tmp_path):
    path = tmp_path / f"graph{suffix}"
    assert run("draw", "-tanh(weight*b)", "weight=2", "b=0.25", "--out", str(path)) == (0, f"drawn: {path}\n", "")
    assert path.read_bytes().startswith(start)


def test_draw_error_messages(tmp_path):
    code, out, err = run("draw", "a*2", "a=1", "--out", str(tmp_path / "a.xyz"))
    assert (code, out) == (1, "")
    assert err.startswith(f"error: --out {tmp_path / 'a.xyz'}: ")
    assert run("draw", "a*")[0] == 2


# -- Step pages --------------------------------------------------------------------------------------------------------


def test_step_writes_a_page_and_opens_it(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.chdir(tmp_path)
    assert run("step", "tanh(a*b+c)", "a=2", "b=-3", "c=10") == (0, "written: step.html\n", "")
    page = (tmp_path / "step.html").read_text(encoding="utf-8")
    assert "<title>tanh(a*b+c)</title>" in page
    assert not opened
    assert run("step", "a", "a=1", "--out", "a.html", "--open")[0] == 0
    assert opened == [(tmp_path / "a.html").as_uri()]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["2*pi"], 2, "the expression does not depend on a variable"),
        (["detach(a)", "a=1"], 2, "the expression does not depend on a variable"),
        (["a*", "a=1"], 2, "not an expression"),
        (
            ["a", "a=1", "--out", "a.png"],
            1,
            "error: --out a.png: save: got 'a.png', expected a file name that ends in .html or .svg",
        ),
        (["a", "a=1", "--out", "missing/a.html"], 1, "create it first"),
    ],
)
def test_step_error_messages(args, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    got, out, err = run("step", *args)
    assert (got, out) == (code, "")
    assert message in err
    assert not list(tmp_path.iterdir())


# -- As users run it ---------------------------------------------------------------------------------------------------


def test_as_a_process_without_a_terminal():
    command = [sys.executable, "-W", "error", "-m", "tinygrad_edu", "grad", "-tanh(a*b + c)", "a=2", "b=-3", "c=10"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    out = done.stdout.decode("ascii")
    assert "\x1b" not in out
    assert out.splitlines()[0] == f"-tanh(a*b + c) = {-math.tanh(4)!r}"
    assert [gradient for _, gradient in rows(out).values()] == pytest.approx([3 * SLOPE, -2 * SLOPE, -SLOPE])
