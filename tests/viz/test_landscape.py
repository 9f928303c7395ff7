"""viz.landscape: losses are those of the model at the points of the plane, paths lie where they project to, and models stay."""

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from matplotlib import pyplot as plt

import nn
import viz
from nn.functional import cross_entropy, mse_loss
from nn.optim import SGD, trace
from tinygrad_edu import DTypeError, ShapeError, TinygradError, Value, no_grad
from viz import RenderError
from viz.plots import sharing
from viz.plots.directions import plane, read
from viz.plots.sharing import shared

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 6)), np.arange(20) % 3
DATA = (X, Y)
draw = partial(viz.landscape, progress=False, steps=7)


def small(dtype=float):
    return nn.MLP((6, 5, 3), nn.Tanh, rng=0, dtype=dtype)


def loss_at(model, numbers):
    with no_grad():
        return float(cross_entropy(nn.functional_call(model, numbers, X), Y))


def moved(model, *changes):
    """Parameters after adding (step, {path: direction}), directions that are left out being 0."""
    start = {path: np.array(p.data) for path, p in model.named_parameters()}
    for step, direction in changes:
        start = {path: p + step * direction.get(path, 0) for path, p in start.items()}
    return start


def by_path(flat, vector):
    return {path: vector[place.span].reshape(place.shape) for path, place in flat.places.items()}


def random_plane(model, normalise="filter"):
    return plane(model, "random", normalise, np.random.default_rng(0), {})


def training(epochs=6):
    model = small()
    path = [model.state_dict()]
    optimizer = SGD(model.parameters(), lr=0.5)
    nn.fit(model, DATA, optimizer, epochs=epochs, progress=False, on_epoch=lambda *_: path.append(model.state_dict()))
    return model, path


# -- Numbers -----------------------------------------------------------------------------------------------------------


def test_the_line_along_one_direction_is_the_loss_there():
    model = small()
    direction = {"0.weight": RNG.standard_normal((5, 6)), "2.bias": np.ones(3)}
    x, y = draw(model, cross_entropy, DATA, (direction,), xlim=(-2, 1)).lines[0].get_xydata().T
    assert x.tolist() == np.linspace(-2, 1, 7).tolist()
    assert y.tolist() == [loss_at(model, moved(model, (step, direction))) for step in x]


@pytest.mark.parametrize("directions", ["random", "pca"])
def test_contour_lines_have_the_loss_of_their_level(directions):
    model, path = training()
    ax = draw(model, cross_entropy, DATA, directions, paths=path, steps=41, levels=[0.9, 1.0])
    flat = plane(model, directions, "filter", np.random.default_rng(0), read(model, path))
    first, second = (by_path(flat, direction) for direction in flat.directions)
    (lines,) = [c for c in ax.collections if type(c).__name__ == "QuadContourSet" and not c.filled]
    count = 0
    for level, line in zip(lines.levels, lines.get_paths(), strict=True):
        for a, b in line.vertices[::5]:
            count += 1
            assert loss_at(model, moved(model, (a, first), (b, second))) == pytest.approx(level, rel=2e-3)
    assert count > 3


def test_a_surface_has_the_losses_as_heights_and_the_path_on_it():
    model, path = training()
    ax = draw(model, cross_entropy, DATA, "pca", paths=path, kind="surface", steps=9)
    flat = plane(model, "pca", "filter", RNG, read(model, path))
    x, y, z = ax.lines[0].get_data_3d()
    for k in range(len(path)):
        at = moved(model, *zip((x[k], y[k]), (by_path(flat, d) for d in flat.directions), strict=True))
        assert z[k] == pytest.approx(loss_at(model, at), rel=1e-12)
    assert (ax.get_xlabel().partition("\n")[0], ax.get_zlabel()) == ("PC 1", "loss")
    first, second = (by_path(flat, direction) for direction in flat.directions)
    every = [
        loss_at(model, moved(model, (a, first), (b, second)))
        for a in np.linspace(*ax.get_xlim(), 9)
        for b in np.linspace(*ax.get_ylim(), 9)
    ]
    margin = 0.03 * np.ptp(every)
    assert ax.get_zlim() == pytest.approx((min(every) - margin, max(every) + margin))


def test_random_directions_have_the_norm_of_each_filter_and_leave_biases():
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3, rng=0), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 4, rng=1), nn.Linear(4, 2, rng=2)
    )
    model[4].freeze()
    flat = random_plane(model)
    for vector in flat.directions:
        direction = by_path(flat, vector)
        for path, p in model.named_parameters():
            for drawn, weights in zip(direction[path], p.data, strict=True):
                still = p.ndim == 1 or not p.requires_grad
                assert np.linalg.norm(drawn) == pytest.approx(0.0 if still else np.linalg.norm(weights), rel=1e-12)
    layer = by_path(random_plane(model, "layer"), random_plane(model, "layer").directions[0])
    assert np.linalg.norm(layer["3.weight"]) == pytest.approx(np.linalg.norm(model[3].weight.data))
    plain = by_path(random_plane(model, None), random_plane(model, None).directions[0])
    assert all(plain[path].any() == p.requires_grad for path, p in model.named_parameters())
    assert abs(np.corrcoef(flat.directions)[0, 1]) < 0.2


def test_the_seed_chooses_random_directions():
    pictures = [draw(small(), cross_entropy, DATA, rng=rng) for rng in (0, np.random.default_rng(0), 1)]
    segments = [[path.vertices.tolist() for c in ax.collections for path in c.get_paths()] for ax in pictures]
    assert segments[0] == segments[1] != segments[2]


def test_a_path_lies_where_it_projects_to_and_axes_say_how_much_they_carry():
    model, _ = training()
    end = model.state_dict()
    basis = np.linalg.qr(RNG.standard_normal((sum(p.size for p in model.parameters()), 3)))[0].T
    flat = random_plane(model)
    places = [by_path(flat, direction) for direction in basis]
    steps = np.array([[-4.0, -1, 0], [-3, 1.5, 0.5], [-2, -0.5, -0.5], [-1, 1, 0.5], [0, 0, 0]])
    path = [{key: end[key] + sum(s * d[key] for s, d in zip(row, places, strict=True)) for key in end} for row in steps]
    ax = draw(model, cross_entropy, DATA, "pca", paths=path)
    drawn = ax.lines[0].get_xydata()
    centred = steps - steps.mean(axis=0)
    _, sizes, turn = np.linalg.svd(centred, full_matrices=False)
    expected = steps @ turn[:2].T
    assert np.allclose(np.abs(drawn), np.abs(expected))
    assert np.allclose(drawn[-1], 0)
    assert np.all(drawn[0] < 0)  # it comes from below and the left
    share = sizes**2 / np.sum(sizes**2)
    assert ax.get_xlabel() == f"PC 1 ({share[0]:.1%} of the variance)"
    assert ax.get_ylabel() == f"PC 2 ({share[1]:.1%} of the variance)"
    (low, high), (near, far) = ax.get_xlim(), ax.get_ylim()
    assert np.all((low < drawn[:, 0]) & (drawn[:, 0] < high) & (near < drawn[:, 1]) & (drawn[:, 1] < far))


def test_a_path_in_another_plane_is_projected_and_says_what_it_carries():
    model, path = training()
    vector = {key: path[0][key] - path[-1][key] for key in path[0]}
    other = {"0.weight": RNG.standard_normal((5, 6)) * 0.1}
    ax = draw(model, cross_entropy, DATA, (vector, other), paths=path)
    drawn = ax.lines[0].get_xydata()
    assert np.allclose(drawn[[0, -1]], [[1, 0], [0, 0]], atol=1e-12)
    label = ax.get_legend().get_texts()[0].get_text()
    assert label.startswith("training (")
    assert label.endswith("% of its variance in the plane)")
    assert 50 < float(label.partition("(")[2].partition("%")[0]) < 100


def test_forms_of_a_path():
    model, path = training(3)
    names = list(path[0])
    optimised = trace(
        lambda p: cross_entropy(nn.functional_call(model, p, X), Y), path[0], partial(SGD, lr=0.1), steps=3
    )
    stacked = read(model, optimised)["training"]
    assert stacked.shape == (4, sum(p.size for p in model.parameters()))
    assert np.array_equal(stacked[0], np.concatenate([path[0][name].ravel() for name in names]))
    in_order = [[state[name] for name in names] for state in path]
    assert np.array_equal(read(model, in_order)["training"], read(model, path)["training"])
    assert list(read(model, {"a": path, "b": optimised})) == ["a", "b"]
    ax = draw(model, cross_entropy, DATA, "pca", paths={"a": path, "b": optimised})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "start", "end"]


def test_the_model_runs_in_evaluation_mode_without_recording_in_its_own_dtype():
    seen = []

    def loss(scores, y):
        seen.append((scores.requires_grad, scores.dtype, scores.shape))
        return cross_entropy(scores, y)

    model = nn.Sequential(
        nn.Linear(6, 4, rng=0, dtype=np.float32), nn.BatchNorm1d(4), nn.Dropout(0.9, rng=0), nn.ReLU()
    )
    model.train()
    y = (
        draw(model.astype(np.float32), loss, (X.astype(np.float32), Y), ({"0.bias": np.zeros(4) + 0.1},))
        .lines[0]
        .get_ydata()
    )
    assert set(seen) == {(False, np.dtype(np.float32), (20, 4))}
    assert y[3] == pytest.approx(nn.evaluate(model, (X.astype(np.float32), Y))["loss"], rel=1e-6)


def test_a_loss_of_the_models_own_parameters_moves_with_them():
    model = small()
    y = (
        draw(
            model,
            lambda s, _: sum((p**2).sum() for p in model.parameters()),
            DATA,
            ({"2.bias": np.ones(3)},),
            xlim=(0, 3),
        )
        .lines[0]
        .get_ydata()
    )
    b, rest = model[2].bias.data, sum(float((p.data**2).sum()) for p in model.parameters())
    assert np.allclose(y - rest, [np.sum((b + t) ** 2 - b**2) for t in np.linspace(0, 3, 7)])


# -- What stays --------------------------------------------------------------------------------------------------------


def state(model):
    return (
        [module.training for _, module in model.named_modules()],
        [p.grad if p.grad is None else p.grad.copy() for p in model.parameters()],
        [p.requires_grad for p in model.parameters()],
        {path: array.tolist() for path, array in model.state_dict().items()},
        [id(p.data) for p in model.parameters()],
    )


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("error", [None, ZeroDivisionError, KeyboardInterrupt])
def test_the_model_is_left_as_it_was(error, workers):
    noise = np.random.default_rng(1)
    model = nn.Sequential(
        nn.Linear(6, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(rng=noise), nn.Tanh(), nn.Linear(4, 3, rng=1)
    )
    model[4].freeze()
    model.train()
    cross_entropy(model(X), Y).backward()
    y = cross_entropy(model(X), Y)  # recorded before, differentiated after
    before, generator = state(model), noise.bit_generator.state
    calls = []

    def loss(scores, labels):
        calls.append(1)
        if error and (len(calls) == 5 or workers > 1):
            raise error
        return cross_entropy(scores, labels)

    if error and not (workers > 1 and error is KeyboardInterrupt):
        with pytest.raises(error):
            draw(model, loss, DATA, workers=workers)
    elif not error:
        draw(model, loss, DATA, workers=workers)
    assert noise.bit_generator.state == generator
    for one, other in zip(before, state(model), strict=True):
        np.testing.assert_equal(one, other)
    y.backward()


def test_ctrl_c_ends_the_processes_and_leaves_the_model():
    code = """
import os, signal, threading, time
import numpy as np, multiprocessing
import nn, viz
from nn.functional import mse_loss
model = nn.Linear(2, 1, rng=0)
before = model.weight.data.copy()
def loss(y, t):
    time.sleep(0.02)
    return mse_loss(y, t)
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    viz.landscape(model, loss, (np.ones((3, 2)), np.ones((3, 1))), workers=2, progress=False)
except KeyboardInterrupt:
    print("interrupted", np.array_equal(before, model.weight.data), multiprocessing.active_children())
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert (process.stdout, process.returncode) == ("interrupted True []\n", 0), process.stderr


# -- Processes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, float])
def test_shared_work_gives_the_same_numbers_to_the_last_bit(dtype):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((301, 33)).astype(dtype), rng.integers(10, size=301)
    model = nn.MLP((33, 47, 10), rng=0, dtype=dtype)
    direction = {"0.weight": rng.standard_normal((47, 33))}
    drawn = [
        draw(model, cross_entropy, (x, y), (direction,), steps=101, workers=workers).lines[0].get_ydata()
        for workers in (1, 3)
    ]
    assert np.array_equal(*drawn)
    assert len(set(drawn[0])) == 101


def test_numbers_come_from_other_processes_where_wanted():
    own = os.getpid()
    calls = shared("work", lambda k: float(os.getpid()), 40, 2, False)
    assert len(set(calls)) == (2 if sharing.may_fork() else 1)
    assert (own in calls) != sharing.may_fork()
    assert set(shared("work", lambda k: float(os.getpid()), 40, 1, False)) == {own}
    assert set(shared("work", lambda k: float(os.getpid()), 40, None, False)) == {own}  # not worth it


def test_long_work_is_shared_by_itself(monkeypatch):
    monkeypatch.setattr(sharing, "_WORTH", 0.0)
    monkeypatch.setattr(sharing, "processors", lambda: 2)
    calls = shared("work", lambda k: float(os.getpid()), 40, None, False)
    assert len(set(calls)) == (3 if sharing.may_fork() else 1)


def test_an_error_in_a_process_is_raised_here_with_its_own_lines():
    def task(k):
        return 1 / (k - 30)

    with pytest.raises(ZeroDivisionError) as caught:
        shared("work", task, 40, 2, False)
    assert caught.traceback[-1].name == "task"


def test_what_a_killed_process_owed_is_done_here():
    own = os.getpid()

    def task(k):
        if k == 7 and os.getpid() != own:
            os._exit(1)
        return 2.0 * k

    assert shared("work", task, 40, 2, False).tolist() == [2.0 * k for k in range(40)]


def test_without_a_terminal_each_quarter_is_a_line(capsys):
    viz.landscape(small(), cross_entropy, DATA, steps=4)
    assert capsys.readouterr().out.splitlines() == [f"landscape: {k} of 16 points" for k in (4, 8, 12, 16)]
    draw(small(), cross_entropy, DATA)
    assert capsys.readouterr().out == ""


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    import rich.console

    monkeypatch.setattr(rich.console.Console, "is_terminal", property(lambda self: True))
    shared("landscape", float, 40, 1, True)
    assert "40/40" in capsys.readouterr().out


# -- Errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": abs}, DTypeError, "got builtin_function_or_method as model, expected a Module"),
        ({"model": nn.ReLU()}, ShapeError, "the model has no parameters"),
        ({"model": small().freeze()}, ShapeError, "the model has no trained parameter of two dimensions"),
        ({"model": small().freeze(), "normalise": None}, ShapeError, r"is frozen; call model.freeze\(False\)"),
        ({"loss": 1.0}, DTypeError, "got float as loss, expected a function"),
        ({"loss": lambda s, y: s}, ShapeError, r"the loss has shape \(20, 3\), expected a single number; reduce"),
        ({"loss": lambda s, y: "no"}, DTypeError, "the loss returned a str, expected a real number"),
        ({"loss": lambda s, y: np.nan}, ShapeError, "f is finite at none of the 49 points"),
        ({"data": X}, ShapeError, r"got a ndarray as data, expected a tuple \(x, y\)"),
        ({"directions": "hessian"}, RenderError, 'got directions=.hessian., expected "random", "pca", or a tuple'),
        ({"directions": ()}, RenderError, r"got directions=\(\)"),
        ({"directions": "pca"}, RenderError, 'directions="pca" needs paths='),
        ({"directions": ({"weight": 1.0},)}, ShapeError, "a direction: unexpected weight; the model's parameters are 0.weight"),
        ({"directions": ({"0.bias": np.ones(4)},)}, ShapeError, r"0.bias has shape \(4,\), expected \(5,\)"),
        ({"directions": ([np.ones(3)],)}, DTypeError, "a direction is 1 arrays, expected 4 arrays"),
        ({"directions": ({"0.bias": np.zeros(5)},)}, ShapeError, "a direction is 0 everywhere"),
        ({"directions": ({"0.bias": np.ones(5)}, {"0.bias": -np.ones(5)})}, ShapeError, "two directions are parallel"),
        ({"directions": "pca", "paths": [small().state_dict()] * 3}, ShapeError, "the 3 snapshots of paths= lie on a line"),
        ({"paths": 3}, DTypeError, "path 'training' is a int, expected a list of snapshots"),
        ({"paths": []}, DTypeError, "path 'training' is a list, expected a list of snapshots"),
        ({"paths": [{"0.weight": 1.0}]}, ShapeError, "snapshot 0: missing 0.bias, missing 2.weight".replace(",", ";")),
        ({"paths": [{k: v * np.nan for k, v in small().state_dict().items()}]}, DTypeError, "0.* is not of finite real"),
        ({"paths": trace(lambda x: x**2, 1.0, partial(SGD, lr=0.1), 2)}, DTypeError, "follows a single array"),
        ({"normalise": "row"}, RenderError, 'got normalise=.row., expected "filter", "layer" or None'),
        ({"kind": "heat"}, RenderError, 'got kind=.heat., expected "contour" or "surface"'),
        ({"workers": 0}, ShapeError, "got workers=0, expected an integer from 1 on"),
        ({"steps": 1}, ShapeError, "got steps=1, expected an integer from 2 on"),
        ({"xlim": (1, 0)}, ShapeError, "got xlim=.*expected the lower number first"),
        ({"rng": "a"}, TinygradError, "got rng='a', expected a random generator"),
        ({"scale": "loglog"}, RenderError, "got scale='loglog'"),
        ({"theme": "blue"}, RenderError, "got theme=.blue."),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=f"landscape: .*{message}"):
        draw(**{"model": small(), "loss": cross_entropy, "data": DATA} | arguments)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["contour", "surface"])
def test_both_themes_and_given_axes(theme, kind):
    model, path = training()
    ax = plt.figure().add_subplot(projection="3d" if kind == "surface" else None)
    assert draw(model, cross_entropy, DATA, "pca", paths=path, kind=kind, theme=theme, ax=ax) is ax
    ax.figure.canvas.draw()
    made = draw(model, cross_entropy, DATA, kind=kind, theme=theme)
    made.figure.canvas.draw()
    assert (np.mean(made.figure.get_facecolor()[:3]) < 0.5) == (theme == "dark")
    assert made.get_xlabel().replace("\n", " ") == "random direction 1 (filter-normalised)"


def test_without_matplotlib_the_error_comes_before_the_work(monkeypatch):
    for module in [module for module in sys.modules if module.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RenderError, match="landscape: matplotlib is missing"):
        draw(small(), lambda s, y: 1 / 0, DATA)


def test_values_and_scalars_as_parameters():
    class Line(nn.Module):
        def __init__(self):
            self.a, self.b = Value(2.0), Value(np.ones(2))

        def forward(self, x):
            return (x[:, :2] * self.b).sum(axis=1) * self.a

    model = Line()
    y = draw(model, mse_loss, (X, X[:, 0]), ({"a": 1.0},)).lines[0].get_ydata()
    assert np.allclose(y, [np.mean((X[:, :2].sum(axis=1) * (2 + t) - X[:, 0]) ** 2) for t in np.linspace(-1, 1, 7)])
    assert type(model.a.data) is float
