"""save: a compiled program as a module that runs with NumPy alone."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import tinygrad_edu as T
from tinygrad_edu import TinygradError, UnreadableError, compile, grad, value_and_grad, vjp

RNG = np.random.default_rng(0)
LABELS = np.array([0, 2, 1, 1])
ALONE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tinygrad_edu", "nn", "viz", "scipy", "matplotlib"):
            raise ImportError(f"{name} is not there")

sys.meta_path.insert(0, Blocked())
sys.path[:0] = [folder for folder in sys.argv[2].split("|") if folder]
import pickle
import numpy as np

space = {"__name__": "step"}
exec(compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], "exec"), space)
calls, found = pickle.load(open(sys.argv[3], "rb")), []
for args in calls:
    try:
        found.append(space[sys.argv[4]](*args))
    except Exception as error:
        found.append(f"{type(error).__name__}: {error}")
assert not {"tinygrad_edu", "nn", "viz", "scipy"} & set(sys.modules)
pickle.dump(found, open(sys.argv[3], "wb"))
"""


def alone(path, name, calls, folder):
    """The results of calls of a saved module, in a process where nothing but NumPy can be imported."""
    import pickle

    script, data = folder / "alone.py", folder / "calls.pickle"
    script.write_text(ALONE, encoding="utf-8")
    data.write_bytes(pickle.dumps(calls))
    packages = "|".join(p for p in sys.path if p.endswith("-packages"))
    command = [sys.executable, "-I", "-S", str(script), str(path), packages, str(data), name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return pickle.loads(data.read_bytes())


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
    assert all(T.compiling.compiled._equal(a, b) for a, b in zip(got, expected, strict=True)), path.read_text(
        encoding="utf-8"
    )


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
    assert T.compiling.compiled._equal(got, f(y)), path.read_text(encoding="utf-8")


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
    layer = T.compile(lambda x: T.dropout(x, p=0.5, rng=GENERATOR))
    layer(np.ones(3))
    with pytest.raises(TinygradError, match="rng"):
        layer.save(tmp_path / "step.py")
    with pytest.raises(UnreadableError):
        compile(lambda x: float(x))(1.0)


GENERATOR = np.random.default_rng(0)


def test_an_operation_that_cannot_be_read(tmp_path):
    compiled = compile(lambda x: value_and_grad(lambda y: T.max_pool2d(y, 2).sum())(x))
    compiled(RNG.normal(size=(1, 1, 4, 4)))
    if compiled.needs:
        with pytest.raises(TinygradError, match="tinygrad_edu"):
            compiled.save(tmp_path / "step.py")


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
