"""fit(run=...): training that ends with the same bytes, whether it was killed and resumed or not; and what it refuses."""

import os
import signal
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest

import nn
from nn.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, ReduceLROnPlateau
from tinygrad_edu import TinygradError, Value

power = pytest.importorskip("benchmarks.kills.power", reason="benchmarks/ is not here")
ROOT = Path(__file__).parents[2]


def data(seed=0, count=31):
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=count)
    return rng.normal(size=(count, 4)) + y[:, None], y


def build(seed=0, dropout=0.3):
    rng = np.random.default_rng(seed)
    return nn.Sequential(
        nn.Linear(4, 8, rng=rng), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(dropout, rng=rng), nn.Linear(8, 3, rng=rng)
    )


def adam(model):
    return nn.optim.Adam(model.parameters(), lr=0.01)


def train(run=None, *, model=None, optimizer=adam, schedule=None, **options):
    """The model and the history; everything is made anew, as when a script is started again."""
    model = build() if model is None else model
    built = optimizer(model)
    settings = {"epochs": 4, "batch_size": 7, "rng": 1, "validation": data(1), "progress": False}
    settings |= {"schedule": schedule(built)} if schedule else {}
    return model, nn.fit(model, data(), built, run=run, **(settings | options))


# -- 40 kinds of bad input: those of runs, each with what its error names ----------------------------------------------


def truncate(path, size=100):
    path.write_bytes(path.read_bytes()[:size])


BAD_ARGUMENTS = {
    "resume without a run": ({"run": None, "resume": True}, r"resume=True.*run="),
    "a run that is a number": ({"run": 7}, r"got int as .*, expected text or a pathlib\.Path"),
    "a run without a name": ({"run": ""}, r"got ''"),
    "none to keep": ({"keep": 0}, "got keep=0, expected an integer from 1 on"),
    "half a checkpoint to keep": ({"keep": 2.5}, r"got keep=2\.5, expected an integer"),
    "a seed among generators": ({"generators": [3]}, r"got generators=\[3\], expected"),
    "one generator": ({"generators": np.random.default_rng(0)}, "got generators=Generator.*expected"),
    "notes that are no JSON": ({"notes": {"a": object()}}, r"notes\.a is <object"),
    "notes that are a text": ({"notes": "first try"}, "got notes='first try', expected a dict"),
}


@pytest.mark.parametrize("kind", BAD_ARGUMENTS)
def test_arguments_are_refused_before_anything_is_written(kind, tmp_path):
    options, message = BAD_ARGUMENTS[kind]
    with pytest.raises(TinygradError, match=message) as caught:
        train(**({"run": tmp_path / "run"} | options))
    assert str(caught.value).startswith("fit: ")
    assert os.listdir(tmp_path) == []


# -- The same bytes ----------------------------------------------------------------------------------------------------


def outcome(trained):
    """Everything that a resumed run has to end with, as bytes."""
    model, history = trained
    weights = {path: (array.dtype, array.shape, array.tobytes()) for path, array in model.state_dict().items()}
    return weights, repr(history), [rng.bit_generator.state for rng in (model[3].rng,)]


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def momentum(model):
    return nn.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)


def groups(model):
    first, *others = model.parameters()
    return nn.optim.AdamW([{"params": [first], "lr": np.float64(0.003)}, {"params": others}], lr=0.01, amsgrad=True)


def lbfgs(model):
    return nn.optim.LBFGS(model.parameters(), max_iter=4, history_size=3, line_search_fn="strong_wolfe")


def unfreezing(model):
    """on_epoch that freezes a layer for some epochs, and changes an option of the optimiser."""

    def on_epoch(epoch, history):
        model[0].freeze(epoch % 2 == 1)

    return on_epoch


VARIANTS = {
    "plain": {},
    "momentum and a cosine by step": {
        "optimizer": momentum,
        "schedule": lambda optimizer: CosineAnnealingLR(optimizer, 20),
        "schedule_every": "step",
    },
    "groups, a schedule by epoch and accumulated gradients": {
        "optimizer": groups,
        "schedule": lambda optimizer: LambdaLR(optimizer, lambda t: 0.9**t),
        "accumulate": 2,
        "clip_norm": 0.5,
    },
    "a plateau": {"schedule": lambda optimizer: ReduceLROnPlateau(optimizer, patience=0, threshold=0.5)},
    "patience": {"patience": 1, "epochs": 8, "optimizer": lambda model: nn.optim.Adam(model.parameters(), lr=0.3)},
    "L-BFGS": {"optimizer": lbfgs, "batch_size": None, "epochs": 3},
    "no shuffling, no validation": {"rng": None, "validation": None},
    "one generator for all": {"shared": True},
    "Mersenne Twister": {"rng": np.random.MT19937},
}


def prepared(shared=False, rng=1, **options):
    """Arguments of `train`, made anew."""
    model = build()
    if shared:
        rng = model[3].rng
    elif rng is np.random.MT19937:
        rng = np.random.Generator(rng(5))
    return {"model": model, "rng": rng, "on_epoch": unfreezing(model)} | options


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_killed_run_ends_with_the_same_bytes(variant, tmp_path):
    options = VARIANTS[variant]
    alone = outcome(train(**prepared(**options)))
    (tmp_path / "home").mkdir()
    with power.recording(tmp_path / "home") as operations:
        assert outcome(train(tmp_path / "home" / "run", **prepared(**options))) == alone
    expected, random = files(tmp_path / "home"), Random(variant)
    for i in sorted(random.sample(range(len(operations)), 5)):
        home = tmp_path / f"killed before {i}"
        power.after(operations[:i], tmp_path / "home", home, random.choice(["nothing", "everything", "some"]), random)
        with power.recording(home):
            assert outcome(train(home / "run", resume=True, **prepared(**options))) == alone, i
        assert files(home) == expected
