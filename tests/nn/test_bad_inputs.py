"""Forty kinds of bad input to training, from data to files: a clear error of each, and nothing lost.

A kind is what goes wrong: a call with it, the error, and what its message says. After each the model, its optimiser, its generators
and all files are as they were.
"""

import gzip
import json
import os
import struct

import numpy as np
import pytest

import nn
from tinygrad_edu import DTypeError, ShapeError, TinygradError

X, Y = np.random.default_rng(0).standard_normal((12, 4)), np.arange(12) % 3


class Desk:
    """A model with what training needs, and a folder of good and bad files."""

    def __init__(self, folder):
        self.folder = folder
        self.model = nn.Sequential(
            nn.Linear(4, 5, rng=0), nn.BatchNorm1d(5), nn.Dropout(0.5, rng=0), nn.Linear(5, 3, rng=1)
        )
        self.optimizer = nn.optim.Adam(self.model.parameters(), lr=0.1)
        self.fit()
        nn.save(self.model, self / "good.safetensors")
        (self / "cut.safetensors").write_bytes((self / "good.safetensors").read_bytes()[:-1])
        (self / "other.safetensors").write_bytes(safetensors("0.weight\x1b[3m", "F64", 8))
        (self / "bits8.safetensors").write_bytes(safetensors("bias", "F8_E4M3", 64))
        (self / "page.html").write_text("<!DOCTYPE html>\x1b[31m", encoding="utf-8")
        images, labels = (
            gzip.compress(idx(np.zeros((3, 2, 2), np.uint8))),
            gzip.compress(idx(np.arange(3, dtype=np.uint8))),
        )
        for name, pair in {
            "swapped": (labels, images),
            "cut": (images[:-9], labels),
            "alone": (images,),
            "none": (),
        }.items():
            (self / name).mkdir()
            for kind, content in zip(("images-idx3", "labels-idx1"), pair, strict=False):
                (self / name / f"t10k-{kind}-ubyte.gz").write_bytes(content)

    def __truediv__(self, name):
        return self.folder / name

    def fit(self, x=X, y=Y, **options):
        return nn.fit(self.model, (x, y), self.optimizer, epochs=1, progress=False, **options)

    def snapshot(self):
        files = {str(path): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}
        return str((self.model.state_dict(), self.model.generator_state(), self.optimizer.state_dict())), files


def safetensors(name, dtype, count):
    head = json.dumps({name: {"dtype": dtype, "shape": [count], "data_offsets": [0, 64]}}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(64)


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


DATA = {
    "no examples": (lambda d: d.fit(X[:0], Y[:0]), ShapeError, "got no examples"),
    "a label too few": (lambda d: d.fit(X, Y[:-1]), ShapeError, r"got inputs \(12, 4\) and targets \(11,\)"),
    "a label out of range": (
        lambda d: nn.evaluate(d.model, (X, Y + 1)),
        ShapeError,
        "got labels from 1 to 3, expected 0 to 2",
    ),
    "a batch size of 0": (lambda d: d.fit(batch_size=0), ShapeError, "batch_size=0, expected an integer from 1 on"),
    "a batch size of 2.5": (lambda d: nn.batches(X, batch_size=2.5), ShapeError, "batches: got batch_size=2.5"),
    "batches of which none is full": (
        lambda d: nn.batches(X, batch_size=20, drop_last=True),
        ShapeError,
        "got 12 examples, fewer than batch_size=20; with drop_last=True nothing is left",
    ),
    "percent as fractions": (
        lambda d: nn.split(X, (80, 20), 0),
        ShapeError,
        r"split: got fractions=\(80, 20\), expected a tuple of floats above 0 with a sum below 1",
    ),
    "a fraction that is NaN": (lambda d: nn.split(X, (np.nan,), 0), ShapeError, "got fractions=.*nan"),
    "a part without examples": (lambda d: nn.split(X, (0.01,), 0), ShapeError, "leaves a part without any"),
    "a part too small for all classes": (
        lambda d: nn.stratified_split(Y, (0.9,), 0),
        ShapeError,
        "makes a part of 1, expected at least one for each of 3 classes",
    ),
    "a class of one example": (
        lambda d: nn.stratified_split([0, 0, 0, 1], (0.5,), 0),
        ShapeError,
        "class 1 has 1 examples, expected at least one for each of 2 parts",
    ),
    "one-hot labels to split by": (
        lambda d: nn.stratified_split(np.eye(3)[Y], (0.5,), 0),
        ShapeError,
        r"got labels of shape \(12, 3\), expected \(examples,\), one class each",
    ),
    "more folds than examples": (lambda d: nn.k_fold(3, 4, 0), ShapeError, "got k=4 and 3 examples"),
}

FILES = {
    "a file that is not there": (
        lambda d: nn.load(d.model, d / "gone.safetensors"),
        FileNotFoundError,
        r"load: got '.*gone.safetensors', but there is no such file",
    ),
    "a folder that is not there": (
        lambda d: nn.save(d.model, d / "gone" / "w.safetensors"),
        FileNotFoundError,
        "save: got .* but there is no folder .*gone'; create it first",
    ),
    "a folder as a file": (lambda d: nn.save(d.model, d.folder), IsADirectoryError, "which is a folder; add the name"),
    "a device as a file": (
        lambda d: nn.save(d.model, os.devnull),
        FileExistsError,
        "which is a device, pipe or socket",
    ),
    "weights cut off": (
        lambda d: nn.load(d.model, d / "cut.safetensors"),
        TinygradError,
        r"load: '.*cut.safetensors' is not a safetensors file, or is cut off",
    ),
    "a web page as weights": (
        lambda d: nn.load(d.model, d / "page.html"),
        TinygradError,
        "page.html' is not a safetensors file",
    ),
    "weights of another model": (
        lambda d: nn.load(d.model, d / "other.safetensors"),
        ShapeError,
        r"missing 0.weight; .*unexpected 0.weight\\x1b\[3m; build the model as it was",
    ),
    "weights of 8 bits": (
        lambda d: nn.load(d.model, d / "bits8.safetensors"),
        DTypeError,
        "has 'bias' of type F8_E4M3, which NumPy does not have; save it as F32",
    ),
    "weights that overflow": (
        lambda d: nn.Linear(2, 1, dtype=np.float32).load_state_dict({"weight": [[1.0, 1e300]], "bias": [0.0]}),
        DTypeError,
        r"load_state_dict: weight has 1e\+300, which overflows float32",
    ),
    "a state of another optimiser": (
        lambda d: d.optimizer.load_state_dict(nn.optim.SGD(d.model.parameters(), momentum=0.9).state_dict()),
        ShapeError,
        "group 0 is missing amsgrad; .*build Adam as it was when its state was saved",
    ),
    "a state of other generators": (
        lambda d: d.model.load_generator_state({"2.rng": {"bit_generator": "MT19937"}}),
        TinygradError,
        "2.rng is a state of 'MT19937', expected one of PCG64",
    ),
    "images and labels swapped": (
        lambda d: nn.data.mnist(d / "swapped"),
        ShapeError,
        r"shape \(3,\) in '.*images.*', expected images, bytes of 3 axes; images and labels seem to be swapped",
    ),
    "images cut off": (
        lambda d: nn.data.mnist(d / "cut"),
        TinygradError,
        "t10k-images-idx3-ubyte.gz', which is cut off or damaged",
    ),
    "images without labels": (
        lambda d: nn.data.mnist(d / "alone"),
        FileNotFoundError,
        "images-idx3-ubyte.gz', but no t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz beside it",
    ),
    "a folder without images": (
        lambda d: nn.data.mnist(d / "none"),
        FileNotFoundError,
        "has no files of MNIST; expected train-images-idx3-ubyte, t10k-images-idx3-ubyte",
    ),
    "a web page as images": (
        lambda d: nn.data.idx(d / "page.html"),
        TinygradError,
        r"page.html', which begins with b'<!DO', expected an IDX file",
    ),
}

RUNS = {
    "a run that exists": (
        lambda d: d.fit(run=d / "run"),
        TinygradError,
        "fit: got run='.*run', which is a run already; pass resume=True to go on with it, or name another folder",
    ),
    "a folder of other things as a run": (
        lambda d: d.fit(run=d.folder, resume=True),
        TinygradError,
        "a folder without checkpoints that has '.*'; expected a run, an empty folder, or a name that is free",
    ),
    "a file as a run": (lambda d: d.fit(run=d / "page.html"), TinygradError, "which is a file; expected a folder"),
    "nothing to resume": (lambda d: d.fit(resume=True), TinygradError, "got resume=True without run="),
    "no checkpoint to keep": (lambda d: d.fit(run=d / "new", keep=0), ShapeError, "got keep=0, expected an integer from 1"),
    "seeds as generators": (lambda d: d.fit(run=d / "new", generators=[1]), TinygradError, r"got generators=\[1\], expected a"),
    "notes that are no JSON": (lambda d: d.fit(run=d / "new", notes={"x": X}), TinygradError, "got notes=.*, expected a dict"),
    "a run on other data": (
        lambda d: d.fit(X + 1, run=d / "run", resume=True),
        TinygradError,
        r"is another one: got data\.train\.0\.sha256='.*, expected '.*; go on with what the run began with, or name another folder",
    ),
    "a run with other settings": (
        lambda d: d.fit(run=d / "run", resume=True, batch_size=5),
        TinygradError,
        r"got settings\.batch_size=5, expected 32",
    ),
    "a run of damaged checkpoints": (
        lambda d: d.fit(run=d / "damaged", resume=True),
        TinygradError,
        r"every checkpoint is damaged \(epoch-000001 is damaged: 'SHA256SUMS' cannot be read .*; restore one from a copy",
    ),
    "a run that has not begun": (lambda d: nn.runs.latest(d / "none"), TinygradError, "latest: got '.*none', which has no checkpoint"),
}  # fmt: skip


class RunsDesk(Desk):
    """With a run of one epoch, and one without checksums."""

    def __init__(self, folder):
        super().__init__(folder)
        for name in ("run", "damaged"):
            self.fit(run=self / name)
        for path in self.folder.glob("damaged/*/SHA256SUMS"):
            path.unlink()


BAD = DATA | FILES | RUNS


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_gets_a_clear_error_and_loses_nothing(kind, tmp_path):
    call, error, message = BAD[kind]
    desk = (RunsDesk if kind in RUNS else Desk)(tmp_path)
    before = desk.snapshot()
    with pytest.raises(error, match=message) as caught:
        call(desk)
    assert str(caught.value).isprintable()
    assert desk.snapshot() == before
