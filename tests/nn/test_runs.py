"""fit(run=...): training that ends with the same bytes, whether it was killed and resumed or not; and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import nn
from nn.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, ReduceLROnPlateau
from tinygrad_edu import TinygradError, Value

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
