"""python -m tinygrad_edu train, resume, evaluate and predict: what they print, and how they refuse, on one line."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from test_command import help_of, run

import nn
from nn.jobs.plan import ACTIVATIONS, OPTIMIZERS, SCHEDULES, Plan
from nn.runs import latest
from nn.runs.store import Store
from tinygrad_edu import TinygradError

ROOT = Path(__file__).parents[2]
QUICK = ("--hidden", "6", "--epochs", "3", "--batch-size", "16", "--seed", "1")
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder; nobody waits for the disk."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    return tmp_path


def flowers(count=60, seed=0):
    """Rows of a table: two numbers, and a name that depends on them."""
    rng = np.random.default_rng(seed)
    names = ["rose", "tulip", "lily"]
    labels = [i % 3 for i in range(count)]
    return [f"{rng.normal() + 3 * k:.4f},{rng.normal() - 3 * k:.4f},{names[k]}" for k in labels]


def houses(count=60, seed=0):
    rng = np.random.default_rng(seed)
    return [f"{a:.3f},{b:.3f},{100000 + 5000 * a - 3000 * b:.2f}" for a, b in rng.normal(size=(count, 2))]


def table(name="data.csv", header="width,height,kind", rows=None, encoding="utf-8"):
    text = "\n".join([header, *(flowers() if rows is None else rows)]) + "\n"
    Path(name).write_bytes(text.encode(encoding))
    return name


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def pictures(folder="faces", count=60, seed=0, halves=("train",)):
    """A folder of MNIST's files: 4x3 images of three classes."""
    Path(folder).mkdir()
    for half in halves:
        rng = np.random.default_rng(seed)
        labels = np.arange(count) % 3
        images = rng.integers(0, 80, size=(count, 4, 3)) + 80 * (np.arange(3) == labels[:, None])[:, None]
        stem = "t10k" if half == "test" else half
        Path(folder, f"{stem}-images-idx3-ubyte").write_bytes(idx(images))
        Path(folder, f"{stem}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return folder


def trained(data, *options, folder="run"):
    code, out, err = run("train", "--data", data, *QUICK, "--run", folder, *options)
    assert (code, err) == (0, ""), err
    return out


def weights(folder):
    return latest(folder).weights


def same(ours, theirs):
    return ours.keys() == theirs.keys() and all(np.array_equal(array, theirs[path]) for path, array in ours.items())


# -- Bad input: what is wrong, and what the error names ----------------------------------------------------------------

BAD_TABLES = {
    "no such file": (None, "error: data: got 'data.csv', but there is no such file"),
    "an empty file": ("", "'data.csv' is empty"),
    "blank lines alone": ("\n\n \n", "'data.csv' is empty"),
    "a header alone": ("a,kind\n", "'data.csv' has a header and no rows"),
    "no target column": (
        ("width,kind\n1,a\n", "--target", "size"),
        "got no column 'size', expected one of 'width', 'kind'",
    ),
    "an ignored column that is not there": (
        ("width,kind\n1,a\n", "--ignore", "id"),
        "got --ignore 'id', expected one of",
    ),
    "the target alone": ("kind\na\nb\n", "got no columns beside the target 'kind'"),
    "text among numbers": ("a,b,kind\n1,2,x\n1,two,y\n", "line 3, column 'b': got 'two', expected a number"),
    "a decimal comma": ("a;kind\n1,5;x\n", "line 2, column 'a': got '1,5', expected a number"),
    "an underscore": ("a,kind\n1_5,x\n", "line 2, column 'a': got '1_5', expected a number"),
    "an empty cell": ("a,b,kind\n1,2,x\n\n1,,y\n", "line 4, column 'b' is empty"),
    "an empty target": ("a,kind\n1,x\n2, \n", "line 3, column 'kind' is empty"),
    "NaN": ("a,kind\nnan,x\n", "line 2, column 'a': got 'nan', expected a finite number"),
    "infinity": ("a,y\n1,2.5\n2,inf\n", "line 3, column 'y': got 'inf', expected a finite number"),
    "a number too large": ("a,y\n1,2.5\n2,1e999\n", "line 3, column 'y': got '1e999', expected a finite number"),
    "a short row": ("a,b,kind\n1,2,x\n1,y\n", "line 3 has 2 cells, expected 3, as the header has"),
    "a long row": ("a,b,kind\n1,2,x,z\n", "line 2 has 4 cells, expected 3"),
    "two columns of a name": ("a,a,kind\n1,2,x\n", "two columns have the name 'a'"),
    "a column without a name": ("a,,kind\n1,2,x\n", "column 2 has no name"),
    "no header": ("1,2,3\n4,5,6\n", "the first line has numbers, '1', '2', '3'; expected the names of the columns"),
    "no header, with text": ("5.1,3.5,setosa\n4.9,3.0,setosa\n", "the first line has numbers"),
    "an open quote": ('a,kind\n"1,x\n', "line 2: unexpected end of data; expected a CSV file"),
    "another encoding": ("a,kind\n1,caf\udce9\n", "line 2 is not text in UTF-8"),
    "not text": ("\0\0\x08\x03", "line 1 is not text in UTF-8"),
    "one class": ("a,kind\n1,x\n2,x\n3,x\n", "'data.csv': 'kind' has one class, 'x'; expected two or more"),
    "a class of two": (
        "a,kind\n" + "1,x\n" * 9 + "2,y\n" * 2,
        "got 2 of class 'y' in 'kind', expected 3 or more of each",
    ),
    "text among numbers of the target": (
        "a,y\n1,2\n2,3\n3,N/A\n",
        "line 4, column 'y': got 'N/A' in a column with numbers",
    ),
    "text to be numbers": (("a,y\n1,x\n", "--task", "numbers"), "line 2, column 'y': got 'x', expected a number"),
    "numbers that overflow": ("a,y\n" + "1e308,1.5\n-1e308,2.5\n" * 9, "the numbers of column 'a' are too large"),
    "too few numbers": ("a,y\n1,1.5\n2,2.5\n", "which leaves a part without any"),
    "classes that do not fit a part": (
        "a,kind\n" + "".join([f"1,c{i}\n" * 3 for i in range(9)]),
        "one for each of 9 classes",
    ),
    "escapes": (
        "a,\x1b[31mkind\n\x1b]0;owned\x07,x\n",
        r"line 2, column 'a': got '\x1b]0;owned\x07', expected a number",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_are_refused_by_place(case):
    content, message = BAD_TABLES[case]
    content, *options = content if isinstance(content, tuple) else (content,)
    if content is not None:
        Path("data.csv").write_bytes(content.encode("utf-8", "surrogateescape"))
    refused(1, message, "train", "--data", "data.csv", "--run", "run", *options)
    assert not Path("run").exists()


BAD_OPTIONS = {
    "an unknown optimiser": (("--optimizer", "adm"), "--optimizer: got 'adm', expected one of 'sgd', 'adam'"),
    "an unknown activation": (("--activation", "relo"), "--activation: got 'relo', expected one of 'relu'"),
    "an unknown schedule": (("--schedule", "linear"), "--schedule: got 'linear', expected one of 'constant'"),
    "an unknown kind of target": (("--task", "class"), "--task: got 'class', expected one of auto, classes, numbers"),
    "a size that is no number": (("--hidden", "10", "x"), "--hidden: got (10, 'x'), expected sizes from 1 on"),
    "a layer of 0 among others": (("--hidden", "10", "0"), "--hidden: got (10, 0), expected sizes from 1 on"),
    "a rate of 0": (("--lr", "0"), "--lr: got 0.0, expected a number > 0"),
    "a rate that is NaN": (("--lr", "nan"), "--lr: got nan, expected a number > 0"),
    "a negative penalty": (("--penalty", "-1"), "--penalty: got -1.0, expected a number from 0 on"),
    "an infinite penalty": (("--penalty", "inf"), "--penalty: got inf, expected a number from 0 on"),
    "a negative penalty by its other name": (("--l2", "-1"), "--penalty: got -1.0"),
    "no epochs": (("--epochs", "0"), "--epochs: got 0, expected an integer from 1 on"),
    "half a batch": (("--batch-size", "2.5"), "--batch-size"),
    "a negative patience": (("--patience", "-1"), "--patience: got -1, expected an integer from 0 on"),
    "all dropped": (("--dropout", "1"), "--dropout: got 1.0, expected a number from 0 on, below 1"),
    "nothing to train on": (
        ("--validation", "0.5", "--test", "0.5"),
        "got 0.5 and 0.5, expected shares with a sum below 1",
    ),
    "nothing to validate": (("--validation", "0"), "--validation: got 0.0, expected a share between 0 and 1"),
    "momentum without it": (("--momentum", "0.9"), "--momentum: got 0.9 with adam, expected one of sgd, rmsprop"),
    "l1 without it": (
        ("--l1", "0.1", "--optimizer", "adagrad"),
        "--l1: got 0.1 with adagrad, expected one of sgd, adam",
    ),
    "no epochs between checkpoints": (("--save-every", "0"), "--save-every: got 0, expected an integer from 1 on"),
    "a seed below 0": (("--seed", "-1"), "--seed: got -1, expected an integer from 0 on"),
    "an unknown option": (("--learning-rate", "1"), "--learning-rate"),
    "sizes of nothing": (("16",), "16"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_bad_options_are_usage_errors(case):
    options, message = BAD_OPTIONS[case]
    code, out, err = run("train", "--data", table(), "--run", "run", *options)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert not Path("run").exists()


def refused(code, message, *args):
    got, out, err = run(*args)
    assert message in err
    assert got == code
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()
    assert out.replace("\n", "").isprintable()


def test_runs_and_files_that_do_not_fit_are_refused():
    data, faces = table(), pictures()
    trained(data)
    trained(faces, folder="faces-run")
    table("other.csv", "width,depth,kind")
    table("strange.csv", rows=["1,2,daisy"])
    table("text.csv", "width,height", ["1,2", "wide,2"])
    table("huge.csv", "width,height", ["1,2", "1e300,2"])
    Path("script").mkdir()
    x = np.zeros((6, 2))
    model = nn.MLP((2, 3, 2))
    nn.fit(model, (x, np.arange(6) % 2), nn.optim.SGD(model.parameters()), epochs=1, run="script/run", progress=False)
    cases = [
        ("'run' is a run already; go on with it by python -m tinygrad_edu resume run", "train", "--data", data, "--run", "run"),
        ("run='faces', a folder without checkpoints that has", "train", "--data", data, "--run", "faces"),
        ("run='data.csv', which is a file", "train", "--data", data, "--run", data),
        ("'script', which has no files of MNIST", "train", "--data", "script"),
        ("'missing' is no folder; expected the folder of a run", "resume", "missing"),
        ("'faces' has no checkpoint", "evaluate", "faces"),
        ("'data.csv' is no folder", "predict", data, data),
        ("'script/run' is the run of a program, not of this command", "resume", "script/run"),
        ("got no column 'height', expected the columns that the run learned from: 'width', 'height'", "predict", "run", "other.csv"),
        ("line 3, column 'width': got 'wide', expected a number", "predict", "run", "text.csv"),
        ("example 2: the model's output is not finite", "predict", "run", "huge.csv"),
        ("got 'missing.csv', but there is no such file", "predict", "run", "missing.csv"),
        ("which is a folder", "predict", "run", "faces"),
        ("which is a device", "predict", "run", "/dev/zero"),
        ("line 1 is not text in UTF-8", "predict", "run", f"faces/{IMAGES}"),
        ("begins with b'widt', expected an IDX file", "predict", "faces-run", data),
        ("got uint8 of shape (60,), expected images, bytes of shape (n, 4, 3)", "predict", "faces-run", f"faces/{LABELS}.gz"),
        ("but there is no folder", "predict", "run", data, "--out", "missing/out.csv"),
        ("line 2, column 'kind': got 'daisy', expected a class of this run, one of 'lily', 'rose'", "evaluate", "run", "--data", "strange.csv"),
        ("got no column 'height'", "evaluate", "run", "--data", "other.csv"),
        ("got no column 'kind'", "evaluate", "run", "--data", "huge.csv"),
        ("'faces': got a folder of images, expected a CSV file", "evaluate", "run", "--data", faces),
        ("'data.csv': got a CSV file, expected a folder of images", "evaluate", "faces-run", "--data", data),
        ("'gone.csv': there is no such file or folder", "evaluate", "run", "--data", "gone.csv"),
    ]  # fmt: skip
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    for message, *args in cases:
        refused(1, message, *args)
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    refused(2, "--target, --ignore and --task are for CSV files", "train", "--data", faces, "--target", "kind")
    assert run("resume", "run", "--epochs", "0")[0] == 2


def test_data_that_changed_is_refused_by_name():
    rows = flowers()
    data = table()
    trained(data, "--ignore", "height")
    Path("moved.csv").write_bytes(Path(data).read_bytes())
    cases = {
        "a row less": (rows[:-1], "got inputs (59, 1) and targets (59,), expected inputs (60, 1) and targets (60,)"),
        "another number": (["9,9,rose", *rows[1:]], "other inputs"),
        "another class": ([rows[1].replace("tulip", "lily"), *rows[1:]], "other inputs"),
    }
    for changed, message in cases.values():
        table(rows=changed)
        for command in ("resume", "evaluate"):
            refused(1, f"'{Path(data).absolute()}' has changed since the run began: {message}", command, "run")
        refused(1, "these are not the examples that the run began with", "resume", "run", "--data", data)
    Path(data).unlink()
    refused(1, "there is no such file or folder; pass --data if it has moved", "resume", "run")
    assert run("resume", "run", "--data", "moved.csv", "--epochs", "4")[0] == 0
    table(rows=[row.replace(",", ",7", 1) for row in rows])  # the column that was left out
    assert run("evaluate", "run")[0] == 0


HOSTILE = {
    "another model": (lambda job: job["plan"].update(hidden=[7]), "the weights are of another network than 2-7-3"),
    "a network beyond memory": (
        lambda job: job["plan"].update(hidden=[2**30, 2**30]),
        "the weights are of another network",
    ),
    "a size that is a text": (lambda job: job["plan"].update(hidden=["7"]), "--hidden: got ('7',)"),
    "an optimiser that is none": (
        lambda job: job["plan"].update(optimizer="__import__"),
        "--optimizer: got '__import__'",
    ),
    "an option more": (lambda job: job["plan"].update(evil=1), "expected the options of a job"),
    "no plan": (lambda job: job.pop("plan"), "'plan'"),
    "a later format": (lambda job: job.update(format=2), "format 2, expected 1"),
    "a scaling of other columns": (lambda job: job["scaling"].update(mean=[0.0]), "a scaling of other columns"),
    "a scaling of text": (lambda job: job["scaling"].update(mean=["\x1b[2J", "b"]), "is not what was written"),
    "a class with escapes": (lambda job: job.update(classes=["\x1b[2J", "a", "b"]), ""),
    "classes of numbers": (lambda job: job.update(classes=[1, 2, 3]), "expected texts"),
    "no features": (lambda job: job.update(features=[]), "a scaling of other columns"),
    "a text": (lambda job: None, "is not what was written"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_forged_description_is_refused_on_one_line(case):
    """Its checksums are right: whoever wrote it knew the format."""
    change, message = HOSTILE[case]
    trained(table(), "--epochs", "1")
    store = Store(Path("run"))
    for epoch in store.epochs():
        files = dict(store.read(epoch))
        config = json.loads(files["config.json"])
        change(config["notes"]["command"])
        config["notes"] = {"command": "\x1b[2J"} if case == "a text" else config["notes"]
        store.write(epoch, files | {"config.json": json.dumps(config).encode()})
    if message:
        refused(1, message, "evaluate", "run")
    code, out, err = run("predict", "run", "data.csv", "--out", "out.csv")
    assert (out + err).replace("\n", "").isprintable()
    assert bool(code) == bool(message)


def test_a_damaged_checkpoint_is_passed_over_with_a_warning():
    trained(table())
    Path("run/epoch-000003/weights.safetensors").write_bytes(b"")
    code, out, err = run("evaluate", "run")
    assert (code, out.splitlines()[0]) == (0, "12 examples held back from training, weights of epoch 2 of 2")
    assert re.fullmatch(r"warning: 'run': epoch-000003 is damaged: .*; used epoch-000002 instead\n", err)


# -- What they do ------------------------------------------------------------------------------------------------------


def test_classes_of_a_table():
    out = trained(table(), "--lr", "0.1", "--epochs", "20")
    assert out.splitlines()[:6] == [
        "data: 'data.csv', 60 examples of 2 numbers",
        "target: kind, 3 classes (text)",
        "split: 42 training, 6 validation, 12 test (held back for evaluate)",
        "network: 2-6-3, relu, 39 parameters",
        "training: adam, rate 0.1 (constant), batches of 16, seed 1",
        "run: run",
    ]
    assert re.search(r"^epoch 20/20  train loss \S+  validation loss \S+  validation accuracy 1$", out, re.MULTILINE)
    assert re.search(r"^  training +42 +0\.0\d+ +(0\.9|1\.0)", out, re.MULTILINE)
    assert out.splitlines()[-1] == "on the examples held back: python -m tinygrad_edu evaluate run"

    _, out, _ = run("evaluate", "run")
    assert out.startswith("12 examples held back from training, weights of epoch ")
    assert re.search(r"^  test +0\.0\d+ +1\.0000", out, re.MULTILINE)
    assert re.search(r"^  tulip +4 +1\.0000 +1\.0000", out, re.MULTILINE)

    table("new.csv", "id,height,width", ["1,-6.1,6.2", "2,0.1,-0.2"])
    code, out, err = run("predict", "run", "new.csv")
    assert (code, err) == (0, "note: not needed: id\n")
    header, first, second = out.splitlines()
    assert header == "prediction,probability"
    assert first.startswith("lily,")
    assert second.startswith("rose,")
    assert all(0.5 < float(line.split(",")[1]) <= 1 for line in (first, second))
    assert run("predict", "run", "new.csv", "--out", "out.csv")[1] == "written: out.csv\n"
    assert Path("out.csv").read_text(encoding="utf-8") == out


def test_real_numbers_of_a_table():
    out = trained(table("houses.csv", "a,b,price", houses()), "--lr", "0.05", "--epochs", "40", "--hidden", "0")
    assert "target: price, real numbers (60 different ones)\n" in out
    assert "network: 2-1, 3 parameters\n" in out
    _, out, _ = run("evaluate", "run")
    loss, rmse, r2 = map(float, re.search(r"^  test +(\S+) +(\S+) +(\S+)", out, re.MULTILINE).groups())
    assert r2 > 0.99
    assert rmse < 600
    table("new.csv", "a,b", ["0,0", "1,1"])
    _, out, _ = run("predict", "run", "new.csv")
    assert [float(line) for line in out.splitlines()[1:]] == pytest.approx([100000, 102000], abs=900)


def test_rmse_and_r2_are_of_the_predictions_in_the_targets_unit():
    trained(table("houses.csv", "a,b,price", houses()))
    table("other.csv", "price,b,a", [",".join(reversed(row.split(","))) for row in houses(20, seed=1)])
    _, out, _ = run("evaluate", "run", "--data", "other.csv")
    assert out.startswith("20 examples of 'other.csv', weights of epoch 3 of 3\n")
    rmse, r2 = map(float, re.search(r"^  all +\S+ +(\S+) +(\S+)", out, re.MULTILINE).groups())
    _, out, err = run("predict", "run", "other.csv")
    found = np.array([float(line) for line in out.splitlines()[1:]])
    truth = np.array([float(row.split(",")[2]) for row in houses(20, seed=1)])
    assert rmse == pytest.approx(np.sqrt(np.mean((found - truth) ** 2)), rel=1e-3)
    assert r2 == pytest.approx(1 - np.sum((found - truth) ** 2) / np.sum((truth - truth.mean()) ** 2), abs=1e-3)


@pytest.mark.parametrize(
    ("cells", "options", "told"),
    [
        (["a", "b"], (), "2 classes (text)"),
        (["1", "0", "2.0", "2"], (), "3 classes (3 different whole numbers; or pass --task numbers)"),
        ([str(i) for i in range(20)], (), "20 classes (20 different whole numbers; or pass --task numbers)"),
        ([str(i) for i in range(21)], (), "real numbers (21 different ones)"),
        (["0.5", "1"], (), "real numbers (2 different ones)"),
        (["0.5", "1"], ("--task", "classes"), "2 classes"),
        (["1", "?"], ("--task", "classes"), "2 classes"),
        (["1", "0"], ("--task", "numbers"), "real numbers"),
    ],
)
def test_how_the_kind_of_target_is_decided(cells, options, told):
    out = trained(
        table(header="x,y", rows=[f"{i},{cell}" for cell in cells for i in range(10)]), "--epochs", "1", *options
    )
    assert f"target: y, {told}\n" in out


def test_the_target_is_the_last_column_or_the_one_named():
    rows = [",".join(reversed(row.split(","))) for row in flowers()]
    assert "target: kind, 3 classes" in trained(table(header="kind,height,width", rows=rows), "--target", "kind")
    assert latest("run").config["notes"]["command"]["features"] == ["height", "width"]


def test_separators_quotes_blanks_and_a_byte_order_mark():
    Path("data.csv").write_bytes(
        "\ufeff\r\nwidth;height; kind \r\n".encode() + "\r\n".join(flowers()).replace(",", " ; ").encode()
    )
    assert "60 examples of 2 numbers" in trained("data.csv")
    job = latest("run").config["notes"]["command"]
    assert (job["features"], job["target"], job["classes"]) == (["width", "height"], "kind", ["lily", "rose", "tulip"])


@pytest.mark.parametrize("halves", [("train",), ("test",), ("train", "test")])
def test_a_folder_of_images(halves):
    pictures(halves=halves)
    out = trained("faces", "--epochs", "30", "--lr", "0.02")
    count, parts = (
        (120, "54 training, 6 validation, 60 test") if len(halves) == 2 else (60, "42 training, 6 validation, 12 test")
    )
    assert f"data: 'faces', {count} examples of 12 numbers\n" in out
    assert f"split: {parts} (held back for evaluate)\n" in out
    _, out, _ = run("evaluate", "run")
    assert re.search(r"^  test +\S+ +(\S+)", out, re.MULTILINE)[1] == "1.0000"
    stem = "t10k" if halves == ("test",) else "train"
    _, out, _ = run("predict", "run", f"faces/{stem}-images-idx3-ubyte")
    assert [line[0] for line in out.splitlines()[1:]] == [str(i % 3) for i in range(60)]


def test_images_are_scaled_by_one_mean_and_tables_by_column():
    pictures()
    trained("faces")
    scaling = latest("run").config["notes"]["command"]["scaling"]
    assert (len(scaling["mean"]), len(scaling["scale"])) == (1, 1)
    rows = [f"{row.partition(',')[0]},5,{row.rpartition(',')[2]}" for row in flowers()]
    trained(table(rows=rows), folder="flat")
    scaling = latest("flat").config["notes"]["command"]["scaling"]
    assert (len(scaling["mean"]), scaling["mean"][1], scaling["scale"][1]) == (2, 5.0, 1.0)


def test_the_examples_held_back_are_in_no_other_number():
    """Other test examples change neither the scaling, nor a weight, nor what train prints."""
    from nn.jobs.examples import Source
    from nn.jobs.splits import splits

    rows = flowers()
    out = trained(table())
    held_back = splits(Plan(seed=1), Source("data.csv").read())["test"]
    for i in held_back:
        rows[i] = f"1e6,-1e6,{rows[i].rpartition(',')[2]}"
    other = trained(table(rows=rows), folder="other")
    assert [line for line in other.splitlines() if " in " not in line] == [
        line.replace("run: run", "run: other").replace("evaluate run", "evaluate other")
        for line in out.splitlines()
        if " in " not in line
    ]
    assert same(weights("run"), weights("other"))
    scaling = [latest(name).config["notes"]["command"]["scaling"] for name in ("run", "other")]
    assert scaling[0] == scaling[1]


def test_digits():
    pytest.importorskip("sklearn")
    out = trained("digits", "--hidden", "30", "--epochs", "4", "--lr", "0.01", "--batch-size", "32")
    assert "data: digits, 1,797 examples of 64 numbers\ntarget: digit, 10 classes\n" in out
    _, out, _ = run("evaluate", "run")
    assert float(re.search(r"^  test +\S+ +(\S+)", out, re.MULTILINE)[1]) > 0.9
    assert run("evaluate", "run", "--data", "digits")[1] == out
    refused(1, "got a CSV file, expected scikit-learn's digits", "evaluate", "run", "--data", table())


@pytest.mark.parametrize(
    "options",
    [
        ("--dropout", "0.3", "--schedule", "cosine", "--optimizer", "sgd"),
        (
            "--penalty",
            "0.01",
            "--schedule",
            "plateau",
            "--patience",
            "0",
            "--optimizer",
            "rmsprop",
            "--momentum",
            "0.5",
        ),
        ("--l1", "0.01", "--weight-decay", "0.1", "--schedule", "step", "--clip-norm", "1"),
        ("--optimizer", "adamw", "--activation", "gelu", "--hidden", "5", "4"),
        ("--optimizer", "adagrad", "--activation", "leaky-relu", "--hidden", "0"),
    ],
)
def test_a_resumed_run_ends_with_the_same_bytes(options):
    table()
    trained("data.csv", *options, "--epochs", "5")

    def stop(epoch, history):
        if epoch == 3:
            raise KeyboardInterrupt

    def stopping(*args, on_epoch, **given):
        return fit(*args, on_epoch=[stop] if on_epoch is None else [on_epoch, stop], **given)

    fit = nn.jobs.job.fit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.jobs.job, "fit", stopping)
        code, _, err = run("train", "--data", "data.csv", *QUICK, *options, "--epochs", "5", "--run", "again")
    assert (code, err) == (130, "interrupted; to go on after epoch 2: python -m tinygrad_edu resume again\n")
    code, out, _ = run("resume", "again")
    assert code == 0
    assert "resumed after epoch 2\n" in out
    assert same(weights("run"), weights("again"))
    assert latest("run").curves == latest("again").curves
    assert run("evaluate", "again")[1] == run("evaluate", "run")[1]


def test_checkpoints_are_as_rare_as_asked_for():
    table()
    trained("data.csv", "--epochs", "7", "--save-every", "3")
    assert Store(Path("run")).epochs() == [3, 6, 7]


def test_more_epochs():
    table()
    trained("data.csv", "--epochs", "2")
    trained("data.csv", "--epochs", "4", folder="long")
    for more in ((), ("--epochs", "1"), ("--epochs", "2")):
        out = run("resume", "run", *more)[1]
        assert re.search(
            r"^finished before, nothing to train: 2 epochs; weights of epoch \d, the best:", out, re.MULTILINE
        )
    code, out, _ = run("resume", "run", "--epochs", "4")
    assert code == 0
    assert "resumed after epoch 2\n" in out
    assert re.search(r"^4 epochs in \S+ s; weights", out, re.MULTILINE)
    assert same(weights("run"), weights("long"))
    trained("data.csv", "--schedule", "cosine", folder="cosine")
    refused(2, "--epochs: got 9 with a cosine schedule, which ends at epoch 3", "resume", "cosine", "--epochs", "9")


def test_patience_keeps_the_best_weights_and_0_the_last():
    table()
    for patience, which in (("2", "best"), ("0", "last")):
        out = trained("data.csv", "--lr", "0.5", "--epochs", "40", "--patience", patience, folder=which)
        ended, epoch = map(int, re.search(r"^(\d+) epochs in .*; weights of epoch (\d+)", out, re.MULTILINE).groups())
        curve = latest(which).curves["validation_loss"]
        assert epoch == (1 + int(np.argmin(curve)) if which == "best" else 40)
        assert ended == len(curve)
        assert ended < 40 or which == "last"
        assert f"weights of epoch {epoch} of {ended}\n" in run("evaluate", which)[1]
        again = run("resume", which, "--epochs", str(ended + 3 * (which == "best")))[1]
        assert (
            f"finished before, nothing to train: {ended} epochs{', stopped early' * (which == 'best')}; weights of epoch {epoch}"
            in again
        )
        _, _, validation = re.search(r"^  validation +(\d+) +(\S+) +(\S+)", out, re.MULTILINE).groups()
        assert float(validation) == pytest.approx(latest(which).curves["validation_accuracy"][epoch - 1], abs=1e-4)


OPTIONS = {  # what the run's configuration has of each
    "--hidden 5 4": ("model.structure", ["(0): Linear(2, 5)", "(4): Linear(4, 3)"]),
    "--activation tanh": ("model.structure", ["Tanh()"]),
    "--dropout 0.25": ("model.structure", ["Dropout(p=0.25)"]),
    "--optimizer sgd": ("optimizer", ["'class': 'SGD'", "'lr': 0.1", "'momentum': 0.9"]),
    "--optimizer rmsprop --momentum 0.5": ("optimizer", ["'class': 'RMSprop'", "'lr': 0.001", "'momentum': 0.5"]),
    "--optimizer adamw": ("optimizer", ["'class': 'AdamW'", "'lr': 0.001", "'weight_decay': 0.01"]),
    "--optimizer adagrad": ("optimizer", ["'class': 'Adagrad'", "'lr': 0.01"]),
    "--lr 0.25 --weight-decay 0.5": ("optimizer", ["'class': 'Adam'", "'lr': 0.25", "'weight_decay': 0.5"]),
    "--l1 0.125": ("optimizer.groups", ["'l1': 0.125", "'parameters': [[6, 2], [3, 6]]", "'parameters': [[6], [3]]"]),
    "--l2 0.125": ("settings.penalty", ["l2_penalty", "'strength': 0.125", "'include_bias': False"]),
    "--clip-norm 2": ("settings.clip_norm", ["2.0"]),
    "--batch-size 7": ("settings.batch_size", ["7"]),
    "--patience 4": ("on_epoch", ["'class': 'EarlyStopping'", "'patience': 4"]),
    "--schedule cosine --epochs 7": ("on_epoch", ["'class': 'CosineAnnealingLR'", "'T_max': 7"]),
    "--schedule step --epochs 7": ("on_epoch", ["'class': 'StepLR'", "'step_size': 3"]),
    "--schedule plateau": ("on_epoch", ["'class': 'ReduceLROnPlateau'", "'factor': 0.5"]),
    "--validation 0.2 --test 0.3": ("data.validation", ["[12, 2]"]),
}


@pytest.mark.parametrize("options", OPTIONS)
def test_options_reach_the_training(options):
    trained(table(), *options.split())
    path, expected = OPTIONS[options]
    found = latest("run").config
    for name in path.split("."):
        found = found[name]
    assert [text for text in expected if text not in str(found)] == [], found


def test_the_command_is_fit_and_the_seed_decides_all():
    """The same training by hand: split, weights and dropout, and order are of three generators of the seed."""
    trained(table(), "--dropout", "0.2", "--patience", "1")
    rows = [row.split(",") for row in flowers()]
    x, y = np.array([row[:2] for row in rows], float), np.unique([row[2] for row in rows], return_inverse=True)[1]
    splitting, building, order = np.random.default_rng(1).spawn(3)
    train, validation, _ = nn.stratified_split(y, (0.7, 0.1), splitting)
    x = ((x - x[train].mean(axis=0)) / x[train].std(axis=0)).astype(np.float32)
    model = nn.MLP((2, 6, 3), dropout=0.2, rng=building, dtype=np.float32)
    optimizer, held_back = nn.optim.Adam(model.parameters()), (x[validation], y[validation])
    options = {"epochs": 3, "batch_size": 16, "rng": order, "validation": held_back, "patience": 1, "progress": False}
    history = nn.fit(model, (x[train], y[train]), optimizer, **options)
    assert history.curves == latest("run").curves
    assert same(model.state_dict(), latest("run").best)


def test_predictions_are_of_the_best_weights():
    pictures()
    labels = np.random.default_rng(0).permutation(np.arange(60) % 3)  # which nothing says, so that the network overfits
    Path("faces", f"{LABELS}.gz").write_bytes(gzip.compress(idx(labels)))
    trained("faces", "--lr", "0.1", "--epochs", "30", "--patience", "5")
    checkpoint = latest("run")
    assert not same(checkpoint.weights, checkpoint.best)
    model = nn.MLP((12, 6, 3), dtype=np.float32)
    model.load_state_dict(checkpoint.best)
    scaling = checkpoint.config["notes"]["command"]["scaling"]
    images = nn.data.mnist("faces")["train"][0].reshape(60, 12)
    outputs = model(((images - scaling["mean"][0]) / scaling["scale"][0]).astype(np.float32)).data.astype(float)
    shares = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    _, out, _ = run("predict", "run", f"faces/{IMAGES}")
    rows = [line.split(",") for line in out.splitlines()[1:]]
    assert [int(name) for name, _ in rows] == list(np.argmax(shares, axis=1))
    assert [float(share) for _, share in rows] == pytest.approx(list(shares.max(axis=1)), abs=1e-4)


def test_penalties_shrink_weights():
    table()
    options = ("--epochs", "60", "--lr", "0.05", "--hidden", "20", "--patience", "0")
    plain = trained_weights("plain", *options)
    small = trained_weights("l2", *options, "--penalty", "0.1")
    sparse = trained_weights("l1", *options, "--l1", "0.05")
    assert np.sum(small**2) < 0.5 * np.sum(plain**2)
    assert np.mean(sparse == 0) > 0.3
    assert not np.any(plain == 0)


def trained_weights(folder, *options):
    trained("data.csv", *options, folder=folder)
    return np.concatenate([array.ravel() for path, array in weights(folder).items() if path.endswith("weight")])


def test_runs_have_a_name_by_default_and_sizes_in_a_row():
    pictures()
    code, out, _ = run("train", "--data", "faces/", "--hidden", "5", "4", "--epochs", "1")
    assert code == 0
    assert "run: runs/faces\n" in out
    assert "network: 12-5-4-3, relu" in out
    assert run("evaluate", "runs/faces")[0] == 0
    assert (
        run("train", "--hidden", "5", "4", "--data", "faces", "--epochs", "1", "--run", "b")[1].splitlines()[3]
        == out.splitlines()[3]
    )
    default = run("train", "--data", "faces", "--epochs", "1", "--run", "c")[1]
    assert "network: 12-100-40-3, relu" in default


def test_a_run_may_be_moved_and_read_from_any_folder(tmp_path, monkeypatch):
    trained(table())
    out = run("evaluate", "run")[1]
    Path("elsewhere").mkdir()
    Path("run").rename("elsewhere/moved run")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run("evaluate", "moved run")[1] == out
    done = run("train", "--data", "../data.csv", "--run", "moved run")
    assert "resume 'moved run'" in done[2]


def test_output_goes_through_terminals_unharmed(monkeypatch):
    """Names with what a terminal obeys are shown as ?; a file gets them as they are."""
    names = {"rose": "\x1b[31mrose", "tulip": "\u202etulip", "lily": "[red]lily[/red]"}
    rows = [row.replace(name, evil) for row in flowers() for name, evil in names.items() if row.endswith(name)]
    out = trained(table(header="width,\x1b[2Jheight,ki\x9bnd", rows=rows), "--lr", "0.1", "--epochs", "9")
    evaluated = run("evaluate", "run")[1]
    assert (out + evaluated).replace("\n", "").isprintable()
    assert "[red]lily[/red]" in evaluated
    assert "?[31mrose" in evaluated
    assert "\x1b[31mrose," in run("predict", "run", "data.csv")[1]


# -- Help and processes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["train", "resume", "evaluate", "predict"])
def test_help_has_examples_and_exit_codes(command):
    text = help_of(command)
    assert f"python -m tinygrad_edu {command} " in text
    assert "Exit codes: " in text


@pytest.mark.parametrize("field", fields(Plan), ids=lambda field: field.name)
def test_only_options_without_a_default_may_be_none(field):
    if field.default is None:
        assert getattr(Plan(**{field.name: None}), field.name) is None
    else:
        with pytest.raises(TinygradError, match=f"^--{field.name.replace('_', '-')}: got None, expected"):
            Plan(**{field.name: None})


def test_the_defaults_of_the_command_are_those_of_a_plan():
    table()
    assert run("train", "--data", "data.csv", "--epochs", "1", "--run", "run")[0] == 0
    assert latest("run").config["notes"]["command"]["plan"] == Plan(epochs=1).described()


def test_help_names_every_choice():
    words = set(re.findall(r"[\w-]+", help_of("train")))
    assert {*ACTIVATIONS, *OPTIMIZERS, *SCHEDULES} <= words
    assert "train --data digits" in help_of()


def test_the_command_line_does_not_wait_for_nn():
    code = (
        "import sys, tinygrad_edu.__main__; print([name for name in ('nn', 'viz', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended")]
)
def test_a_signal_leaves_a_run_that_goes_on(number, code, word):
    table()
    options = ["--data", "data.csv", *QUICK, "--dropout", "0.2", "--patience", "0"]
    command = [sys.executable, "-m", "tinygrad_edu", "train", *options, "--epochs", "100000", "--run", "run"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which a shell's background jobs ignore
    )
    try:
        while not Path("run/epoch-000003").exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code, err
    epoch = latest("run").epoch
    assert err == f"{word}; to go on after epoch {epoch}: python -m tinygrad_edu resume run\n"
    assert "\x1b" not in out
    assert out.splitlines()[6].startswith("epoch 1/100000  train loss ")
    assert run("resume", "run", "--epochs", str(epoch + 2))[0] == 0
    assert run("train", *options, "--epochs", str(epoch + 2), "--run", "alone")[0] == 0
    assert same(weights("run"), weights("alone"))


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")
def test_a_terminal_gets_a_bar_and_no_foreign_escapes():
    import pty

    table(rows=["\x1b[31m".join([row[:-4], row[-4:]]) for row in flowers()])
    seen = b""

    def read(handle):
        nonlocal seen
        data = os.read(handle, 4096)
        seen += data
        return data

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("TERM", "xterm")
        command = [sys.executable, "-m", "tinygrad_edu"]
        assert pty.spawn([*command, "train", "--data", "data.csv", *QUICK, "--run", "run"], read) == 0
        assert "━".encode() in seen
        assert b"epoch 3/3" in seen
        seen = b""
        assert pty.spawn([*command, "predict", "run", "data.csv"], read) == 0
    assert seen.count(b"\n") == 61
    assert b"\x1b" not in seen


# -- The page ----------------------------------------------------------------------------------------------------------


def masked(text):
    """Lines without numbers, which differ between processors, blanks and what is skipped."""
    return [" ".join(re.sub(r"[\d.,]+", "#", line).split()) for line in text.splitlines() if line.strip()]


def test_the_commands_on_the_page_print_what_it_says(capsys):
    pytest.importorskip("sklearn")
    text = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    for kind, code, said in re.findall(r"```(sh|python)\n(.*?)```(?:\n\n```text\n(.*?)```)?", text, re.DOTALL):
        printed = ""
        if kind == "python":
            exec(compile(code, "page", "exec"), {"__name__": "page"})
            printed = capsys.readouterr().out
        for line in code.splitlines() if kind == "sh" else ():
            if line == "head -4 iris.csv > new.csv":
                lines = Path("iris.csv").read_text(encoding="utf-8").splitlines(keepends=True)
                Path("new.csv").write_text("".join(lines[:4]), encoding="utf-8")
                continue
            code, out, _ = run(*line.removeprefix("python -m tinygrad_edu ").split())
            assert code == 0
            printed += out
        assert masked(printed) == masked(said)
