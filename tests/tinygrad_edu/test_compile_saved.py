"""save: a compiled program as a module that runs with NumPy alone."""

import math
import re
import textwrap
from functools import partial
from html import unescape
from typing import Any

import numpy as np
import pytest
from alone import alone

import tinygrad_edu as T
from tinygrad_edu import TinygradError, UnreadableError, compile, grad, value_and_grad, vjp
from tinygrad_edu.compiling.results import equal

RNG = np.random.default_rng(0)
LABELS = np.array([0, 2, 1, 1])


def mlp(images, labels, params):
    w1, b1, w2, b2 = params
    h = T.relu(images @ w1 + b1)
    z = h @ w2 + b2
    return T.cross_entropy(z, labels)


def layer_norm(x, weight, bias):
    centered = x - x.mean(axis=-1, keepdims=True)
    scale = T.sqrt((centered * centered).mean(axis=-1, keepdims=True) + 1e-5)
    return T.tanh(centered / scale * weight + bias).sum()


def logistic_regression(w, b, x, y):
    z = x @ w + b
    return (T.softplus(z) - y * z).mean() + 0.01 * (w * w).sum()


def rk4(rate, x):
    def slope(x):
        return -rate * x * (1 - x)

    for _ in range(3):
        k1 = slope(x)
        k2 = slope(x + 0.05 * k1)
        k3 = slope(x + 0.05 * k2)
        k4 = slope(x + 0.1 * k3)
        x = x + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x * x


def normal(*shape):
    return RNG.normal(size=shape)


PROGRAMS = {
    "mlp": (
        value_and_grad(mlp, 2),
        lambda: (normal(4, 6), LABELS, (normal(6, 5), normal(5), normal(5, 3), normal(3))),
    ),
    "layer norm": (value_and_grad(layer_norm, (0, 1, 2)), lambda: (normal(4, 6), normal(6), normal(6))),
    "layer norm, the operation": (
        value_and_grad(lambda x, w, b: T.tanh(T.layer_norm(x, weight=w, bias=b)).sum(), (0, 1, 2)),
        lambda: (normal(4, 6), normal(6), normal(6)),
    ),
    "logistic regression": (
        value_and_grad(logistic_regression, (0, 1)),
        lambda: (normal(6), float(normal()), normal(9, 6), (normal(9) > 0) * 1.0),
    ),
    "RK4": (value_and_grad(rk4, (0, 1)), lambda: (abs(float(normal())), abs(float(normal())))),
    "a table of rows, one of them twice": (
        value_and_grad(lambda table, rows: (T.tanh(table[rows]) * table[0]).sum()),
        lambda: (normal(5, 30), np.array([0, 3, 3, 1])),
    ),
    "cross-entropy of long rows": (value_and_grad(T.cross_entropy), lambda: (normal(4, 200), LABELS)),
    "pooling and convolution": (
        value_and_grad(
            lambda x, w: T.max_pool2d(T.conv2d(x, w, padding=1), 2).sum() + T.avg_pool2d(x, 3, 1).sum(), (0, 1)
        ),
        lambda: (normal(2, 3, 6, 7), normal(4, 3, 3, 3)),
    ),
    "linear algebra": (
        value_and_grad(lambda a, b: (T.linalg.solve(a, b) ** 2).sum() + T.linalg.slogdet(a)[1] + T.linalg.norm(a)),
        lambda: (normal(4, 4) + 4 * np.eye(4), normal(4)),
    ),
    "decompositions": (
        value_and_grad(lambda a: sum(part.sum() for part in (T.linalg.svd(a)[1], T.linalg.qr(a)[1], T.linalg.det(a)))),
        lambda: (normal(3, 3),),
    ),
    "updates": (
        value_and_grad(
            lambda x, v: (x.at([0, 2, 2]).add(v) * x.at(1).set(v[0]) * x.at([1, 1, 0]).max(v)).sum(), (0, 1)
        ),
        lambda: (normal(4, 2), normal(3, 2)),
    ),
    "error functions of many numbers": (
        value_and_grad(lambda x: (T.erf(x) * T.gelu(x)).sum()),
        lambda: (normal(3000),),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_saved_module_runs_with_numpy_alone(name, tmp_path):
    f, draw = PROGRAMS[name]
    compiled = compile(f)
    compiled(*draw())
    path = compiled.save(tmp_path / "step.py")
    calls = [draw() for _ in range(3)]
    expected = [f(*args) for args in calls]
    got = alone(path, name_of(path), calls, tmp_path)
    assert all(equal(a, b) for a, b in zip(got, expected, strict=True)), path.read_text(encoding="utf-8")


def name_of(path):
    return next(
        line.split()[1].partition("(")[0]
        for line in path.read_text(encoding="utf-8").splitlines()[::-1]
        if line[:4] == "def "
    )


def test_a_guard_that_fails_there(tmp_path):
    f, draw = PROGRAMS["mlp"]
    compiled = compile(f)
    compiled(*draw())
    path = compiled.save(tmp_path / "step.py")
    images, _, params = draw()
    bad = [
        (images, np.array([0, 3, 1, 1]), params),
        (images, np.array([0, -1, 1, 1]), params),
        (images * np.nan, LABELS, params),
    ]
    assert "GuardError" in path.read_text(encoding="utf-8")
    got = alone(path, name_of(path), bad, tmp_path)
    assert got[0].startswith("GuardError: ")
    assert "T.cross_entropy(z, labels)" in got[0]
    assert got[1].startswith("GuardError: ")
    assert isinstance(got[2], tuple) or got[2].startswith("GuardError: ")


@pytest.mark.parametrize(
    "x",
    [
        np.arange(20.0) / 7,
        np.array([np.nan, np.inf, -np.inf, -0.0] * 5),
        np.arange(20, dtype=np.float32) / 3,
        np.arange(20),
        np.arange(20) % 3 == 0,
        np.zeros((0, 20)),
        np.asfortranarray(np.arange(40.0).reshape(2, 20) / 3),
        (np.arange(40.0).reshape(2, 20) / 3)[:, ::-1],
        np.full(20, 0.1),
        np.array(0.3),
        np.arange(20, dtype=np.float16) / 3,
    ],
    ids=str,
)
def test_constants_are_literals(x, tmp_path):
    compiled = compile(lambda y: (y * x, y + x))
    f = compiled.function
    y = np.linspace(0.0, 1.0, 20)
    compiled(y)
    path = compiled.save(tmp_path / "step.py")
    (got,) = alone(path, "program", [(y,)], tmp_path)
    assert equal(got, f(y)), path.read_text(encoding="utf-8")


class Doubling:
    def __call__(self, x):
        return 2 * x


@pytest.mark.parametrize("f", [lambda x: 2 * x, partial(np.multiply, 2), partial(lambda a, x: a * x, 2), Doubling()])
def test_the_function_in_the_module_of_one_without_a_name_is_called_program(f, tmp_path):
    compiled = compile(f)
    compiled(3.0)
    assert alone(compiled.save(tmp_path / "saved.py"), "program", [(3.0,)], tmp_path) == [6.0]


def test_a_constant_has_the_users_name(tmp_path):
    weights = np.arange(20.0)
    compiled = compile(lambda y: y * weights)
    compiled(weights)
    assert "weights = np.array(" in compiled.save(tmp_path / "step.py").read_text(encoding="utf-8")


def test_large_constants_are_refused(tmp_path):
    table = np.arange(20_000.0)
    compiled = compile(lambda y: y * table)
    compiled(2.0)
    with pytest.raises(TinygradError, match="table is an array of 20000 numbers; pass it as an argument"):
        compiled.save(tmp_path / "step.py")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_saved(tmp_path):
    compiled = compile(lambda x: x * 2)
    with pytest.raises(TinygradError, match="call the function first"):
        compiled.save(tmp_path / "step.py")
    compiled(1.0)
    with pytest.raises(TinygradError, match="ends in .py"):
        compiled.save(tmp_path / "step.txt")
    with pytest.raises(UnreadableError):
        compile(lambda x: float(x))(1.0)


def test_a_saved_module_draws_on_from_where_the_generator_was(tmp_path):
    rng = np.random.default_rng(0)
    layer = T.compile(lambda x: T.dropout(x, p=0.5, rng=rng))
    x = np.ones(30)
    layer(x)
    path = layer.save(tmp_path / "step.py")
    got = alone(path, "program", [(x,), (x,)], tmp_path)
    assert [y.tolist() for y in got] == [layer(x).tolist(), layer(x).tolist()]


class Ramp:
    """Holds a number, so that no text says it."""

    slope = 2.0


RAMP = Ramp()


def on_numbers_above(x, limit):
    return np.array([max(0.0, number - limit) for number in x.tolist()])


@pytest.mark.usefixtures("temporary")
def test_operations_of_the_user_are_copied_with_what_they_use(tmp_path):
    @T.operation(rules=(lambda g, y, x: g * (y > 0),))
    def ramp(x, /) -> Any:
        """The ramp of each number."""
        by: float = LIMIT  # where it starts
        return on_numbers_above(x, by) * math.pi

    compiled = compile(value_and_grad(lambda x: (ramp(x) * x).sum()))
    compiled(np.arange(3.0))
    assert compiled.needs == {}
    path = compiled.save(tmp_path / "step.py")
    assert "    by = LIMIT  # where it starts" in path.read_text(encoding="utf-8").splitlines()
    (got,) = alone(path, name_of(path), [(np.arange(3.0),)], tmp_path)
    assert equal(got, compiled.function(np.arange(3.0)))


@pytest.mark.usefixtures("temporary")
def test_an_operation_that_text_cannot_say_is_refused_or_imported(tmp_path, monkeypatch):
    @T.operation(rules=(lambda g, y, x: g * RAMP.slope,))
    def sloped(x, /):
        """Each number times a slope."""
        return np.array([number * RAMP.slope for number in x.tolist()])

    compiled = compile(value_and_grad(lambda x: (sloped(x) * x).sum()))
    compiled(np.arange(3.0))
    assert compiled.needs == {"sloped": "sloped uses RAMP: a Ramp has no text"}
    with pytest.raises(TinygradError, match="save: sloped cannot be written .* define it at the top of a module"):
        compiled.save(tmp_path / "step.py")
    monkeypatch.setitem(globals(), "sloped", sloped)
    text = compiled.save(tmp_path / "step.py").read_text(encoding="utf-8")
    assert f"import {__name__}\n" in text
    space = {"__name__": "step"}
    exec(text, space)  # our own text
    assert equal(space["program"](np.arange(3.0)), compiled.function(np.arange(3.0)))


LIMIT = 1.0


def test_what_has_no_source_is_imported(tmp_path):
    special = pytest.importorskip("scipy.special")
    compiled = compile(lambda x: special.expit(x) * 2)
    compiled(np.ones(3))
    assert compiled.needs == {"expit": "expit has no Python source"}
    text = compiled.save(tmp_path / "step.py").read_text(encoding="utf-8")
    assert text.splitlines()[:3] == [
        '"""program, compiled by tinygrad_edu: it needs NumPy and',
        "",
        "    scipy.special: expit has no Python source",
    ]
    space = {"__name__": "step"}
    exec(text, space)  # our own text
    assert np.array_equal(space["program"](np.arange(3.0)), special.expit(np.arange(3.0)) * 2)


def test_named_tuples_are_made_in_the_module(tmp_path):
    compiled = compile(T.linalg.slogdet)
    x = normal(3, 3)
    expected = compiled(x)
    space = {"__name__": "step"}
    exec(compiled.save(tmp_path / "step.py").read_text(encoding="utf-8"), space)  # our own text
    got = space["slogdet"](x)
    assert type(got) is not type(expected)
    assert got._asdict() == expected._asdict()


def test_text_that_looks_like_code(tmp_path):
    """Names and comments of the user do not break the module."""
    source = textwrap.dedent('''
        def f(x, np_):
            t = x * np_  # """ \\' {x}
            return {"a'b": t, 'c"d\\n': t + 1}
    ''')
    space = {}
    exec(source, space)  # our own text
    compiled = compile(space["f"])
    compiled(2.0, 3.0)
    path = compiled.save(tmp_path / "step.py")
    (got,) = alone(path, "f", [(2.0, 3.0)], tmp_path)
    assert got == space["f"](2.0, 3.0)


def test_a_transposed_array_is_written_as_such():
    def product(x, W):
        return x @ W.T

    step = compile(lambda x, W: vjp(product, x, W)[1](np.ones((2, 4))))
    x, W = np.ones((2, 3)), np.arange(12.0).reshape(4, 3)
    assert np.array_equal(step(x, W)[1], np.full((4, 3), 2.0))
    assert "transpose" not in step.source
    assert ".T" in step.source


def test_a_gradient_that_passes_a_sum_unchanged_is_called_as_what_has_a_name():
    def loss(W, x, bias):
        h = np.tanh(W @ x + bias)
        return (h * h).sum()

    step = compile(grad(loss, argnums=(0, 2)))
    W, x, bias = RNG.normal(size=(3, 2)), RNG.normal(size=2), RNG.normal(size=3)
    assert _same(step(W, x, bias), grad(loss, argnums=(0, 2))(W, x, bias))
    assert "d_bias = " in step.source
    assert "d_W, d_bias" in step.source


def _same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_the_colours_of_a_notebook_are_readable_on_light_and_on_dark_ground():
    compiled = compile(value_and_grad(mlp, 2))
    compiled(normal(8, 4), np.zeros(8, int), [normal(4, 3), np.zeros(3), normal(3, 2), np.zeros(2)])
    page = compiled._repr_html_()
    colours = set(re.findall("color: ?(#[0-9a-f]{6})", page))
    assert len(colours) == 4
    for colour in colours:  # black and white have 21 : 1
        for ground in ("#ffffff", "#111111"):
            bright, dim = sorted([luminance(colour), luminance(ground)], reverse=True)
            assert (bright + 0.05) / (dim + 0.05) > 4.2, (colour, ground)
    assert unescape(re.sub("<[^>]*>", "", page)) == compiled.source


OTHERS = {
    "another batch": (np.ones((9, 3)), np.ones((9, 2)), 2, True),
    "another dtype": (np.ones((8, 3), np.float32), np.ones((8, 2)), 2, True),
    "another constant": (np.ones((8, 3)), np.ones((8, 2)), 3, True),
    "another structure": ([np.ones((8, 3))], np.ones((8, 2)), 2, True),
    "a number": (1.0, np.ones((8, 2)), 2, True),
    "another truth": (np.ones((8, 3)), np.ones((8, 2)), 2, 1),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_saved_module_refuses_arguments_that_it_was_not_compiled_for(name, tmp_path):
    def loss(W, x, y, power, halved):
        squares = (x @ W - y) ** power
        return squares.mean() / (2 if halved else 1)

    step = compile(value_and_grad(loss))
    W, given = np.ones((3, 2)), (np.ones((8, 3)), np.zeros((8, 2)), 2, True)
    expected = step(W, *given)
    space = {}
    exec(step.save(tmp_path / "step.py").read_text(encoding="utf-8"), space)
    assert equal(space["loss"](W, *given), expected)
    with pytest.raises(space["GuardError"], match=r"^(x|power|halved) is .*; the program was compiled for"):
        space["loss"](W, *OTHERS[name])
