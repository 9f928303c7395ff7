"""Warnings of the package, and of the NumPy functions that it calls, point at the user's line, at each of them."""

import inspect
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import GradientWarning, Value

V, ZERO = Value(np.array([-1.0, 0.0])), Value(0.0)

CALLS = {
    "an operator": lambda: V / 0,
    "a reflected operator": lambda: 1 / V,
    "an operator on scalars": lambda: 1 / ZERO,
    "an overflow": lambda: Value(np.array([1e200])) * 1e200,
    "a function": lambda: tg.log(V),
    "a function of a scalar": lambda: tg.log(ZERO),
    "a function of arrays": lambda: tg.log(np.array([-1.0])),
    "a NumPy function": lambda: np.log(V),
    "NumPy's dispatch": lambda: np.mean(Value(np.ones(0))),
    "a method": lambda: V.log(),
    "a composed operation": lambda: tg.float_power(V, -1.0),
    "a function of linalg": lambda: tg.linalg.norm(Value(np.array([1e300, np.inf])) * 1e300),
    "inside a transform": lambda: tg.grad(lambda x: tg.log(x).sum())(np.array([-1.0])),
    "in a hook of backward": lambda: backward_with(lambda g: g / np.zeros(1)),
    "grad": lambda: tg.grad(lambda x: 1.0)(2.0),
    "value_and_grad": lambda: tg.value_and_grad(lambda x: 1.0)(2.0),
    "jacobian": lambda: tg.jacobian(lambda x: np.ones(2))(2.0),
}


def backward_with(hook):
    v = Value(np.ones(1))
    v.register_hook(hook)
    with np.errstate(all="warn"):
        v.sum().backward()
    np.log(V)  # backward() itself ignores NumPy's warnings


@pytest.mark.parametrize("action", ["always", "default"])
@pytest.mark.parametrize("name", CALLS)
def test_warnings_point_at_the_user(name, action):
    call = CALLS[name]
    first = inspect.getsourcelines(call)[1]
    for _ in range(2):  # "default" shows a warning once a line, so the second time counts for this line alone
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter(action)
            call()
            call()
        assert caught
        assert {warning.filename for warning in caught} == {__file__}
        if "hook" not in name:
            assert {warning.lineno for warning in caught} == {first}


def test_each_line_of_a_user_is_shown_once_by_default():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            tg.log(ZERO)
            tg.log(ZERO)
        np.log(ZERO)
    lines = [warning.lineno for warning in caught]
    assert len(lines) == len(set(lines)) == 3


def test_a_warning_as_an_error_keeps_its_type():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for call in (lambda: tg.log(V), lambda: tg.log(ZERO), lambda: V / 0, lambda: tg.float_power(V, -1.0)):
            with pytest.raises(RuntimeWarning, match="divide by zero"):
                call()
        with pytest.raises(GradientWarning, match="grad: the result of f does not depend"):
            tg.grad(lambda x: 1.0)(2.0)


def test_an_ignored_warning_is_not_shown():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        tg.log(V)
    assert not caught


def test_other_warnings_stay_where_they_are():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.log(np.array([-1.0]))
        warnings.warn("mine", stacklevel=1)
    assert [(w.filename, str(w.message)) for w in caught] == [
        (__file__, "invalid value encountered in log"),
        (__file__, "mine"),
    ]


def test_a_script_shows_its_line(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np, tinygrad_edu as tg\nv = tg.Value(np.array([0.0]))\nfor _ in range(3):\n    v.log()\nv.log()\n",
        encoding="utf-8",
    )
    here = os.environ | {"PYTHONPATH": str(Path(tg.__file__).parent.parent)}
    shown = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, env=here).stderr
    places = [line.split(":")[1] for line in shown.splitlines() if "divide by zero" in line]
    assert places == ["4", "5"]
    assert shown.count("v.log()") == 2
