"""Random calls of nn with hostile arguments raise the package's errors only, and name what was called; see benchmarks/fuzzing."""

import inspect

import numpy as np
import pytest

import nn
from nn import functional, init, metrics, optim, utils
from nn.optim import lr_scheduler
from tinygrad_edu import DTypeError, ShapeError, TinygradError, UnsupportedError, Value

networks = pytest.importorskip("benchmarks.fuzzing.networks", reason="benchmarks/ is not here")
outcome = pytest.importorskip("benchmarks.fuzzing.outcome")
X = np.random.default_rng(0).standard_normal((6, 4))


def failures(seed, count):
    for i in range(count):
        drawn = networks.call(np.random.default_rng((seed, i)))
        found = outcome.judged(drawn)
        if found.kind not in ("", "hangs"):  # fit(epochs=2**62) takes its time
            yield f"[{seed}, {i}] {drawn.text()}: {found.kind}: {found.error}"


def test_nn(monkeypatch):
    monkeypatch.setattr(outcome, "SECONDS", 0.5)
    assert list(failures(0, 2000)) == []


def test_the_calls_are_right_without_hostile_arguments(monkeypatch):
    monkeypatch.setattr("benchmarks.fuzzing.cases.corrupted", lambda *_: None)
    for case in networks.cases():
        call = networks.call(np.random.default_rng(0), case.name)
        assert outcome.judged(call) == outcome.Outcome(""), call.name


def test_everything_public_is_called():
    names = {case.name for case in networks.cases()} | {case.function.__name__ for case in networks.cases()}
    modules = (nn, functional, init, metrics, optim, lr_scheduler, utils)
    public = {name for module in modules for name in module.__all__ if callable(getattr(module, name))}
    others = {"Module", "Sequential", "Residual", "History", "NonFiniteError", "Summary", "load", "save", "observing"}
    others |= {"Optimizer", "LRScheduler", "ChainedScheduler", "SequentialLR", "fans", "mistakes", "Trace", "trace"}
    others |= {"CompiledStep", "compile_step"}
    assert public - names == others


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: nn.Linear(2, 2, rng="seed"),
            TinygradError,
            r"^Linear: got rng='seed', expected a random generator, a seed",
        ),
        (lambda: nn.Linear(2, 2, rng=-1), TinygradError, r"^Linear: got rng=-1, expected a random generator, a seed"),
        (lambda: nn.GRU(2, 2, rng=object), TinygradError, r"^GRU: got rng=<class 'object'>"),
        (lambda: nn.MLP((2, 2), rng=1.5), TinygradError, r"^MLP: got rng=1.5"),
        (lambda: init.uniform((2, 2), 0, 1, "x"), TinygradError, r"^uniform: got rng='x'"),
        (
            lambda: nn.Conv1d(1, 1, 1, dtype=int),
            DTypeError,
            r"^Conv1d: got dtype=<class 'int'>, expected a type of floats",
        ),
        (lambda: nn.LSTM(2, 2, dtype="x"), DTypeError, r"^LSTM: got dtype='x', expected a type of floats"),
        (lambda: nn.BatchNorm1d(2, dtype=[]), DTypeError, r"^BatchNorm1d: got dtype=\[\], expected a type of floats"),
        (lambda: nn.Perceptron(2, dtype=bool), DTypeError, r"^Perceptron: got dtype=<class 'bool'>"),
        (lambda: nn.MLP((2, 2)).astype("x"), DTypeError, r"^astype: got dtype='x', expected a type of floats"),
        (
            lambda: nn.MLP((2, 3, 2), activation=3),
            DTypeError,
            r"^MLP: 'int' object is not callable; got sizes=\(2, 3, 2\), activation=3",
        ),
        (
            lambda: nn.Linear(2, 2, bias=np.ones(2)),
            TinygradError,
            r"^Linear: got bias=<ndarray of float64, shape \(2,\)>, expected True",
        ),
        (
            lambda: nn.Linear(2, 2, nonsense=1),
            DTypeError,
            r"^Linear: got nonsense=; it takes in_features, out_features, bias, rng, dtype$",
        ),
        (
            lambda: nn.MSELoss(reduction=np.ones(2)),
            TinygradError,
            r"^MSELoss: got reduction=<ndarray .*, expected one of 'mean'",
        ),
        (
            lambda: functional.mse_loss(X, X, reduction=[1]),
            TinygradError,
            r"^mse_loss: got reduction=\[1\], expected one of",
        ),
        (
            lambda: functional.hinge_loss(X, np.sign(X), margin="x"),
            TinygradError,
            r"^hinge_loss: got margin='x', expected a real",
        ),
        (
            lambda: functional.cosine_similarity(X, X, dim=1.5),
            TinygradError,
            r"^cosine_similarity: got dim=1.5, expected an integer",
        ),
        (lambda: nn.Flatten("x"), TinygradError, r"^Flatten: got start_dim='x', expected an integer"),
        (
            lambda: metrics.top_k_accuracy([[1.0], [2.0, 3.0]], 3),
            DTypeError,
            r"^top_k_accuracy: scores: got a nested list with rows of different lengths",
        ),
        (lambda: nn.Softmax(None), TinygradError, r"^Softmax: got dim=None, expected an integer"),
        (
            lambda: nn.ELU(np.ones(2)),
            TinygradError,
            r"^ELU: got alpha=<ndarray of float64, shape \(2,\)>, expected a real number",
        ),
        (
            lambda: nn.ELU(Value(1.0)),
            TinygradError,
            r"^ELU: got alpha=<Value of float64, shape \(\)>, expected a real number",
        ),
        (
            lambda: nn.Dropout(np.timedelta64(1, "s")),
            TinygradError,
            r"^Dropout: got p=np.timedelta64\(1,'s'\), expected a probability",
        ),
        (lambda: nn.LayerNorm(np.timedelta64(1, "s")), ShapeError, r"^LayerNorm: got normalized_shape=np.timedelta64"),
        (
            lambda: nn.LSTM(4, 2)(X[:, None], 7),
            DTypeError,
            r"^LSTM: .*; got x=<ndarray of float64, shape \(6, 1, 4\)>, hx=7; see help\(LSTM\)",
        ),
        (lambda: nn.LogSigmoid()("x"), DTypeError, r"^logsigmoid: .*; got input='x'; see help\(logsigmoid\)"),
        (lambda: optim.Adam([Value(1.0)], betas=np.ones(2)), TinygradError, r"^Adam: got betas=<ndarray"),
        (
            lambda: optim.Adam([Value(1.0)], decoupled_weight_decay=[]),
            TinygradError,
            r"^Adam: got decoupled_weight_decay=\[\]",
        ),
        (lambda: optim.SGD([Value(1.0)]).step("x"), TinygradError, r"^SGD: got closure='x', expected a function"),
        (
            lambda: optim.LBFGS([Value(1.0)]).step(object),
            DTypeError,
            r"^LBFGS: float\(\) argument must be .*; got closure=<class",
        ),
        (
            lambda: optim.SGD([Value(1.0)], lr=10**400),
            TinygradError,
            r"^SGD: got lr=10+, expected a number of at least 0, finite",
        ),
        (lambda: optim.LBFGS([Value(1.0)]).step("x"), TinygradError, r"^LBFGS: got closure='x', expected a function"),
        (
            lambda: lr_scheduler.ExponentialLR(optim.SGD([Value(1.0)]), "x"),
            TinygradError,
            r"^ExponentialLR: got gamma='x'",
        ),
        (
            lambda: lr_scheduler.StepLR(optim.SGD([Value(1.0)]), 1).step(-1),
            TinygradError,
            r"^StepLR: got epoch=-1, expected a number from 0 on",
        ),
        (
            lambda: lr_scheduler.StepLR(optim.SGD([Value(1.0)]), 1, last_epoch=None),
            TinygradError,
            r"^StepLR: got last_epoch=None",
        ),
        (
            lambda: utils.clip_grad_norm_([Value(1.0)], "x"),
            TinygradError,
            r"^clip_grad_norm_: got max_norm='x', expected a real number",
        ),
        (lambda: init.zeros("x"), TinygradError, r"^zeros: got shape='x', expected a tuple of integers"),
        (lambda: init.orthogonal(3, 0), TinygradError, r"^fans: got shape=3, expected a tuple of integers"),
        (
            lambda: metrics.f1(X, [Value(1.0)]),
            UnsupportedError,
            r"^f1: np.asarray\(value\): a plain array cannot hold a Value",
        ),
        (lambda: nn.batches(3, batch_size=1), DTypeError, r"^batches: len\(\) of unsized object; got arrays=\(3,\)"),
        (lambda: nn.fit(3, (X, X), 3), TinygradError, r"^fit: "),
        (lambda: nn.evaluate(3, (X, X)), TinygradError, r"^evaluate: got model=3, expected a module"),
        (lambda: nn.functional_call(3, {}, X), TinygradError, r"^functional_call: got module=3, expected a module"),
        (lambda: nn.Perceptron(4).learn(X, None), TinygradError, r"^learn: .*; got x=<ndarray"),
        (lambda: nn.MLP((4, 3)).load_state_dict(3), TinygradError, r"^load_state_dict: .*; got state=3"),
    ],
)
def test_messages_name_the_call_and_its_arguments(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


class Own(nn.Module):
    def __init__(self, fail):
        self.inner, self.fail = nn.Linear(4, 4, rng=0), fail

    def forward(self, x):
        return self.fail(self.inner(x))


@pytest.mark.parametrize("error", [KeyError("odd"), AttributeError("odd"), TypeError("odd"), RuntimeError("odd")])
def test_errors_of_a_users_code_stay_as_they_are(error):
    def fail(*_):
        raise error

    parameters, sgd, model = [Value(1.0)], optim.SGD([Value(1.0)], lr=0.1), nn.MLP((4, 3))
    calls = [
        lambda: Own(fail)(X),
        lambda: nn.Sequential(nn.Linear(4, 4), Own(fail))(X),
        lambda: nn.MLP((4, 3, 2), activation=fail),
        lambda: nn.fit(model, (X, X), optim.SGD(model.parameters()), loss=fail, progress=False),
        lambda: nn.evaluate(nn.MLP((4, 3)), (X, X), loss=fail),
        lambda: optim.SGD(parameters).step(fail),
        lambda: optim.LBFGS(parameters).step(fail),
        lambda: lr_scheduler.LambdaLR(sgd, fail),
    ]
    for call in calls:
        with pytest.raises(type(error)) as caught:
            call()
        assert caught.value is error
        assert str(error) in ("odd", "'odd'")


def test_an_error_inside_a_users_module_names_the_layer():
    with pytest.raises(ShapeError, match=r"^linear: got an input of shape \(6, 3\)"):
        Own(lambda x: x)(X[:, :3])
    with pytest.raises(DTypeError, match=r"^linear: got NoneType"):
        Own(lambda x: x)(None)


def test_the_cause_is_kept_for_reports():
    with pytest.raises(DTypeError) as caught:
        nn.Linear(2, 2, nonsense=1)
    assert type(caught.value.__cause__) is TypeError


def test_memory_errors_and_missing_files_keep_their_type(tmp_path):
    with pytest.raises(MemoryError) as caught:
        init.zeros((2**30, 2**20))
    assert caught.value.__notes__ == ["in zeros: got shape=(1073741824, 1048576)"]
    with pytest.raises(FileNotFoundError):
        nn.load(nn.MLP((2, 2)), tmp_path / "none.safetensors")


def test_signatures_are_shown_as_they_are_written():
    assert list(inspect.signature(nn.Linear).parameters)[:2] == ["in_features", "out_features"]
    assert list(inspect.signature(functional.mse_loss).parameters) == ["input", "target", "reduction"]
    assert nn.Linear.__init__.__qualname__ == "Linear.__init__"


@pytest.mark.parametrize("x", [X.astype(complex), X.astype(str), X.astype(object)])
def test_batch_norm_is_unchanged_after_an_error(x):
    layer = nn.BatchNorm1d(4)
    with pytest.raises(TinygradError):
        layer(x)
    assert layer.num_batches_tracked == 0
    np.testing.assert_array_equal(layer.running_mean, np.zeros(4))


def test_batches_are_checked_when_asked_for():
    with pytest.raises(ShapeError, match="^batches: got lengths"):
        nn.batches(X, X[1:], batch_size=2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Softplus(beta=1e-320)(Value(np.ones(2))), "overflow"),
        (lambda: functional.mse_loss(Value(np.array([1e200])), np.zeros(1)), "overflow"),
        (lambda: nn.MSELoss()(Value(np.array([1e200])), np.zeros(1)), "overflow"),
        (lambda: nn.Sequential(nn.Identity(), nn.Softplus(beta=1e-320))(Value(np.ones(2))), "overflow"),
        (lambda: nn.LSTM(2, 2, dropout=0.5), "dropout=0.5 acts between layers"),
        (lambda: nn.RNN(2, 2, dropout=0.5), "dropout=0.5 acts between layers"),
    ],
)
def test_warnings_point_at_the_user(call, message):
    for _ in range(2):
        with pytest.warns(match=message) as caught:
            call()
        line = inspect.getsourcelines(call)[1]
        assert {(warning.filename, warning.lineno) for warning in caught} == {(__file__, line)}


class Mute:
    """An object without a text."""

    def __repr__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize("given", [-(10**5000), Mute(), [Mute()]], ids=["digits", "mute", "list"])
def test_an_argument_that_has_no_text_is_named_by_its_type(given):
    with pytest.raises(
        TinygradError, match=f"Linear: got in_features=<{type(given).__name__}>, expected an integer from"
    ):
        nn.Linear(given, 1)
