"""python -m tinygrad_edu check: what it checks, how it says that a gradient is wrong, and how it refuses, on one line."""

import os
import subprocess
import sys

import pytest
from test_command import help_of, run

MODULE = """
import numpy as np
import tinygrad_edu as tg

def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)

def softmax_vjp(g, x):
    y = softmax(x)
    return y * (g - np.sum(g * y, axis=-1, keepdims=True))

def softmax_wrong(g, x):
    return softmax(x) * (g - np.sum(g, axis=-1, keepdims=True))

def dense(x, w, b=0.0):
    return np.tanh(x @ w + b)

def single_precision(x):
    DTYPES.add(str(x.dtype))
    return x * 2

def times(*factors):
    return factors[0] * factors[1]

DTYPES = set()

def keyword(x, *, scale):
    return x * scale

def linear(g, x):
    return g * 2

def fails(x):
    return x.no_such_method()

def fails_with_text(x):
    raise RuntimeError("two\\nlines \\x1b[31m in red")

def overflows(x):
    with np.errstate(over="ignore"):
        return np.exp(800 + x)

class Layer:
    @staticmethod
    def forward(x):
        return x * x

NUMBER = 3
"""


LINES = {"method": "", "text": "_with_text"}


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    """A module `mylayers` in the current folder, new for each test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("mylayers", "broken", "needs", "leaves", "warns"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "mylayers.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "broken.py").write_text("def f(x):\n    return x +\n", encoding="utf-8")
    (tmp_path / "needs.py").write_text("import no_such_package\n", encoding="utf-8")
    (tmp_path / "leaves.py").write_text("raise SystemExit('bye')\n", encoding="utf-8")
    yield
    for name in ("mylayers", "broken", "needs", "leaves"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("args", "start"),
    [
        (["mylayers:softmax", "--shape", "x=3,4"], "softmax: 12 compared, 0 wrong"),
        (["mylayers:softmax", "--shape", "x=3,4", "--seed", "7"], "softmax: 12 compared, 0 wrong"),
        (["mylayers:softmax", "--shape", "x=3,4", "--full", "--order", "2"], "softmax: 12 compared, 0 wrong"),
        (["mylayers:softmax", "--shape", "x=3,4", "--vjp", "mylayers:softmax_vjp"], "softmax: 12 compared, 0 wrong"),
        (["mylayers:dense", "--shape", "x=5,3", "--shape", "w=3,2"], "dense: 21 compared, 0 wrong"),
        (["mylayers:dense", "--shape", "x=5,3", "--shape", "w=3,2", "--shape", "b=2"], "dense: 23 compared, 0 wrong"),
        (
            ["mylayers:single_precision", "--shape", "x=4", "--dtype", "float32"],
            "single_precision: 4 compared, 0 wrong",
        ),
        (["mylayers:times", "--shape", "a=", "--shape", "b="], "times: 2 compared, 0 wrong"),
        (["mylayers:Layer.forward", "--shape", "x= 2 , 3"], "forward: 6 compared, 0 wrong"),
        (["tinygrad_edu:tanh", "--shape", "x=2"], "tanh: 2 compared, 0 wrong"),
        (["numpy:tanh", "--shape", "x="], "tanh: 1 compared, 0 wrong"),
    ],
)
def test_right_gradients(args, start):
    code, out, err = run("check", *args)
    assert (code, err) == (0, "")
    assert out.startswith(start)
    assert len(out.splitlines()) == 1
    assert f"(seed={7 if '7' in args else 0})" in out
    if "--dtype" in args:
        assert "float32" in sys.modules["mylayers"].DTYPES


@pytest.mark.parametrize("more", [[], ["--full"], ["--seed", "3"]])
def test_wrong_gradient_is_shown_with_place_and_numbers(more):
    args = ["mylayers:softmax", "--vjp", "mylayers:softmax_wrong", "--shape", "x=3,4", *more]
    code, out, err = run("check", *args)
    assert (code, out) == (1, "")
    assert err.startswith("softmax: the gradient of input 0 at [")
    assert "but the slope there is" in err
    assert "ratio" in err


def test_seed_reproduces_the_message():
    args = ["mylayers:softmax", "--vjp", "mylayers:softmax_wrong", "--shape", "x=3,4", "--seed"]
    first, again, other = (run("check", *args, seed) for seed in ("1", "1", "2"))
    assert first == again != other


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["softmax", "--shape", "x=3"], "'softmax': expected MODULE:FUNCTION, as in mylayers:softmax"),
        (["mylayers:", "--shape", "x=3"], "'mylayers:': expected MODULE:FUNCTION"),
        (["mylayers.py:softmax", "--shape", "x=3"], "'mylayers.py:softmax': expected a module's name, mylayers:softmax,"),
        ([":softmax", "--shape", "x=3"], "':softmax': expected MODULE:FUNCTION"),
        (
            ["missing:f", "--shape", "x=3"],
            "'missing:f': No module named 'missing'; run this in the folder of missing.py, or install it",
        ),
        (["mylayers.sub:f", "--shape", "x=3"], "'mylayers.sub:f': No module named 'mylayers.sub'"),
        (["my layers:f", "--shape", "x=3"], "'my layers:f': No module named 'my layers'"),
        (["..x:f", "--shape", "x=3"], "'..x:f': importing ..x failed"),
        (
            ["needs:f", "--shape", "x=3"],
            "'needs:f': importing needs failed: needs.py, line 1: ModuleNotFoundError: No module named 'no_such_package'",
        ),
        (["broken:f", "--shape", "x=3"], "'broken:f': importing broken failed: SyntaxError: invalid syntax (broken.py, line 2)"),
        (["leaves:f", "--shape", "x=3"], "'leaves:f': importing leaves failed: leaves.py, line 1: SystemExit: bye"),
        (["mylayers:sofmax", "--shape", "x=3"], "'mylayers:sofmax': mylayers has no function sofmax"),
        (["mylayers:NUMBER", "--shape", "x=3"], "'mylayers:NUMBER': this is not a function, but int"),
        (["mylayers:softmax"], "the function takes x: give --shape x=SIZES, as in --shape x=3,4"),
        (["mylayers:dense", "--shape", "x=3,4"], "the function takes x, w, b: give --shape w=SIZES"),
        (["mylayers:softmax", "--shape", "3,4"], "--shape '3,4': expected NAME=SIZES, as in x=3,4, or x= for a number"),
        (["mylayers:softmax", "--shape", "x=3x4"], "--shape 'x=3x4': expected NAME=SIZES"),
        (["mylayers:softmax", "--shape", "x=-3"], "--shape 'x=-3': expected NAME=SIZES"),
        (["mylayers:softmax", "--shape", "x=3,,4"], "--shape 'x=3,,4': expected NAME=SIZES"),
        (["mylayers:softmax", "--shape", "x=1.5"], "--shape 'x=1.5': expected NAME=SIZES"),
        (["mylayers:softmax", "--shape", "=3"], "--shape '=3': expected NAME=SIZES"),
        (["mylayers:softmax", "--shape", "x=3", "--shape", "x=3"], "--shape 'x=3': x has a shape already"),
        (["mylayers:softmax", "--shape", "x=99999999,99999999,99999999"], "--shape: "),
        (["mylayers:softmax", "--shape", "y=3"], "the function takes x: give --shape x=SIZES"),
        (
            ["mylayers:dense", "--shape", "w=3,2", "--shape", "x=5,3"],
            "--shape for w, x, but the function takes x, w, b; give its first arguments, in order",
        ),
        (["mylayers:softmax", "--shape", "x=3", "--shape", "y=3"], "--shape for x, y, but the function takes x;"),
        (["mylayers:keyword", "--shape", "x=3"], "the function needs scale by name; write one"),
        (["mylayers:softmax", "--shape", "x=3", "--dtype", "int64"], "--dtype 'int64': expected float64, float32, float16"),
        (["mylayers:softmax", "--shape", "x=3", "--dtype", "double"], "--dtype 'double': expected float64"),
        (["mylayers:softmax", "--shape", "x=3", "--vjp", "mylayers:g"], "'mylayers:g': mylayers has no function g"),
        (["mylayers:softmax", "--shape", "x=3", "--vjp", "mylayers:linear", "--order", "2"], "--order needs a function of"),
        (["mylayers:dense", "--shape", "x=5,3", "--shape", "w=4,2"], "mylayers:dense: mylayers.py, line "),
        (
            ["mylayers:fails", "--shape", "x=3"],
            "mylayers:fails: mylayers.py, line {method}: AttributeError: 'Value' object has no attribute 'no_such_method'",
        ),
        (["mylayers:fails", "--vjp", "mylayers:linear", "--shape", "x=3"], "mylayers:fails: mylayers.py, line {method}: Attrib"),
        (["mylayers:softmax", "--vjp", "mylayers:fails", "--shape", "x=3"], "mylayers:softmax: TypeError: fails() takes 1"),
        (
            ["mylayers:fails_with_text", "--shape", "x=3"],
            "mylayers:fails_with_text: mylayers.py, line {text}: RuntimeError: two lines ?[31m in red",
        ),
    ],
)  # fmt: skip
def test_refusals_are_one_line(args, message):
    at = {name: MODULE.splitlines().index(f"def fails{rest}(x):") + 2 for name, rest in LINES.items()}
    message = message.format(**at)
    code, out, err = run("check", *args)
    assert (code, out) == (2, ""), err
    assert err.startswith(f"error: {message}")
    assert len(err.splitlines()) == 1


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_inconclusive_check_fails():
    code, out, err = run("check", "mylayers:overflows", "--shape", "x=3")
    assert (code, out) == (1, "")
    assert err.startswith("overflows: nothing can be told at these inputs")
    assert "overflows: 0 compared, 0 wrong, 0 subgradients, 3 inconclusive" in err


@pytest.mark.parametrize("more", [[], ["--full"], ["--vjp", "mylayers:softmax_vjp"]])
def test_a_check_of_nothing_fails(more):
    code, out, err = run("check", "mylayers:softmax", "--shape", "x=0,3", *more)
    assert (code, out) == (1, "")
    assert err.startswith("softmax: nothing is compared, since the inputs to check are empty, of shape (")


@pytest.mark.parametrize("option", [["--order", "0"], ["--order", "x"], ["--seed", "-1"], ["--nothing"]])
def test_bad_options_are_bad_usage(option):
    code, out, err = run("check", "mylayers:softmax", "--shape", "x=3", *option)
    assert (code, out) == (2, "")
    assert option[0] in err


def test_help():
    text = help_of("check")
    assert "--vjp mylayers:softmax_vjp" in text
    assert "Exit codes" in text
    assert "check mylayers:softmax --shape x=3,4" in help_of()


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "cp1252"])
@pytest.mark.parametrize(("vjp", "code"), [("softmax_vjp", 0), ("softmax_wrong", 1)])
def test_as_a_process_in_any_encoding(vjp, code, encoding):
    command = [sys.executable, "-W", "error", "-m", "tinygrad_edu", "check", "mylayers:softmax", "--shape", "x=3,4"]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "80"}
    done = subprocess.run(
        [*command, "--vjp", f"mylayers:{vjp}"], capture_output=True, env=environment, check=False, timeout=60
    )
    text = (done.stdout + done.stderr).decode(encoding)
    assert done.returncode == code
    assert text.startswith("softmax: ")
    assert "Traceback" not in text
    assert ("+-" if encoding == "ascii" else "±") in text or code == 0
