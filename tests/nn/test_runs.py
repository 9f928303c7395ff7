"""fit(run=...): training that ends with the same bytes, whether it was killed and resumed or not; and what it refuses."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from functools import partial, reduce
from pathlib import Path
from random import Random

import numpy as np
import pytest

import nn
from nn.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, ReduceLROnPlateau
from nn.runs import latest
from nn.runs.fingerprint import described
from nn.runs.lock import Lock
from nn.runs.store import SUMS, Store, sums
from nn.training import step, watch
from tinygrad_edu import TinygradError, Value

power = pytest.importorskip("benchmarks.kills.power", reason="benchmarks/ is not here")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def neither_waiting_for_the_disk_nor_times(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    for module in (step, watch):
        monkeypatch.setattr(module, "perf_counter", lambda: 0.0)


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


def train(run=None, *, given=None, model=None, optimizer=adam, schedule=None, by="on_epoch", on_epoch=(), **options):
    """The model and the history; everything is made anew, as when a script is started again."""
    model = build() if model is None else model
    built, given = optimizer(model), data() if given is None else given
    settings = {"epochs": 4, "batch_size": 7, "rng": 1, "validation": data(1), "progress": False}
    settings["on_epoch"] = [on_epoch] if callable(on_epoch) else list(on_epoch)
    settings[by] = [*([schedule(built)] if schedule else []), *settings.get(by, [])]
    return model, nn.fit(model, given, built, run=run, **(settings | options))


# -- 40 kinds of bad input: those of runs, each with what its error names ----------------------------------------------


def truncate(path, size=100):
    path.write_bytes(path.read_bytes()[:size])


BAD_ARGUMENTS = {
    "resume without a run": ({"run": None, "resume": True}, r"resume=True.*run="),
    "a run that is a number": ({"run": 7}, r"got int as .*, expected text or a pathlib\.Path"),
    "a run without a name": ({"run": ""}, r"got ''"),
    "none to keep": ({"keep": 0}, "got keep=0, expected an integer from 1 on"),
    "half a checkpoint to keep": ({"keep": 2.5}, r"got keep=2\.5, expected an integer"),
    "no epochs between checkpoints": ({"save_every": 0}, "got save_every=0, expected an integer from 1 on"),
    "a seed among generators": ({"generators": [3]}, r"got generators=\[3\], expected"),
    "one generator": ({"generators": np.random.default_rng(0)}, "got generators=Generator.*expected"),
    "notes that are no JSON": (
        {"notes": {"a": object()}},
        r"got notes=\{'a': <object.*expected a dict of data as JSON has it \(Object of type object",
    ),
    "notes that are not a number": ({"notes": {"a": float("nan")}}, "expected a dict of data as JSON has it"),
    "notes that are a text": ({"notes": "first try"}, "got notes='first try', expected a dict"),
    "notes with a number of too many digits": ({"notes": {"a": 10**5000}}, "got notes=<dict>, expected a dict"),
    "notes that are too deep": (
        {"notes": {"a": reduce(lambda x, _: [x], range(2000), 0)}},
        "got notes=.*expected a dict",
    ),
}


@pytest.mark.parametrize("kind", BAD_ARGUMENTS)
def test_arguments_are_refused_before_anything_is_written(kind, tmp_path):
    options, message = BAD_ARGUMENTS[kind]
    with pytest.raises(TinygradError, match=message) as caught:
        train(**({"run": tmp_path / "run"} | options))
    assert str(caught.value).startswith("fit: ")
    assert str(caught.value).count("fit: ") == 1
    assert os.listdir(tmp_path) == []


# -- The same bytes ----------------------------------------------------------------------------------------------------


def outcome(trained):
    """Everything that a resumed run has to end with, as bytes."""
    model, history = trained
    weights = {path: (array.dtype, array.shape, array.tobytes()) for path, array in model.state_dict().items()}
    columns = {name: list(column) for name, column in history.steps.items()}
    lengths = [len(history.seconds["epoch"]), len(history.seconds["step"])]
    return (
        weights,
        history.curves,
        history.epochs,
        columns,
        lengths,
        repr(history),
        [rng.bit_generator.state for rng in (model[3].rng,)],
    )


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
        "by": "on_step",
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
    "a penalty, a monitor that rises, and all curves": {
        "optimizer": lambda model: nn.optim.Adam(model.parameters(), lr=0.02, l1=0.01),
        "penalty": lambda model: nn.functional.l2_penalty(model, 0.01),
        "monitor": "validation_accuracy",
        "patience": 2,
        "epochs": 7,
        "train_metrics": True,
        "gradient_norm": True,
        "drop_last": True,
    },
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


def test_resuming_a_finished_run_returns_its_history_and_a_longer_one_goes_on(tmp_path):
    short, longer = outcome(train(tmp_path / "run", epochs=2)), outcome(train(epochs=4))
    steps = []
    again = train(tmp_path / "run", epochs=2, resume=True, on_epoch=lambda *_: steps.append(1))
    assert outcome(again) == short
    assert not steps
    assert not again[0].training
    assert outcome(train(tmp_path / "run", epochs=1, resume=True)) == short
    assert outcome(train(tmp_path / "run", epochs=4, resume=True)) == longer


def test_a_run_that_patience_ended_has_ended(tmp_path):
    options = {"patience": 1, "optimizer": lambda model: nn.optim.Adam(model.parameters(), lr=1.0)}
    model, history = train(tmp_path / "run", epochs=50, **options)
    assert history.stopped_early
    assert outcome(train(tmp_path / "run", epochs=99, resume=True, **options)) == outcome((model, history))


def test_the_same_objects_go_on_after_ctrl_c(tmp_path):
    """As in a notebook, where model, optimiser and schedule have moved on since the last checkpoint."""
    model, alone = build(), outcome(train(schedule=lambda o: CosineAnnealingLR(o, 20), by="on_step"))
    optimizer = adam(model)
    schedule, rng, fired = CosineAnnealingLR(optimizer, 20), np.random.default_rng(1), []

    def loss(output, target):
        if optimizer.steps == 12 and not fired:
            fired.append(1)
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(output, target)

    def go(**options):
        settings = {"epochs": 4, "batch_size": 7, "rng": rng, "validation": data(1), "progress": False}
        settings |= {"loss": loss, "metrics": [nn.metrics.accuracy], "on_step": schedule}
        return nn.fit(model, data(), optimizer, run=tmp_path / "run", **settings, **options)

    assert go().interrupted
    assert optimizer.steps == 12
    assert sorted(os.listdir(tmp_path / "run")) == ["epoch-000000", "epoch-000001", "epoch-000002"]
    assert outcome((model, go(resume=True))) == alone


def test_what_the_optimizer_trains_besides_the_model_and_generators_of_the_user_go_on(tmp_path):
    class Scaled(nn.Module):
        """A loss with a parameter, a buffer, a generator, and noise from another generator."""

        def __init__(self, noise):
            self.scale, self.calls, self.rng, self.noise = (
                Value(1.0),
                np.zeros(2),
                np.random.default_rng(3),
                {"a": [noise]},
            )

        def forward(self, output, target):
            self.calls += self.rng.random()
            noise = self.noise["a"][0].normal() * 0.1
            return nn.functional.cross_entropy(output * self.scale + noise * output, target) + self.scale**2

    def go(folder=None, module=False, stop=False, **options):
        (other, noise), model = [np.random.default_rng(seed) for seed in (4, 5)], build()
        free, loss = Value(np.ones((2, 3)).T), Scaled(noise)
        noisy = lambda output, target: loss(output, target) + (free * other.normal()).sum() + (free * free).sum()
        optimizer = nn.optim.SGD([*model.parameters(), free, loss.scale], lr=0.01, momentum=0.5)

        def on_epoch(epoch, history):
            if stop and epoch == 3:
                raise SystemExit

        settings = {"epochs": 4, "batch_size": 7, "rng": 1, "progress": False, "on_epoch": on_epoch}
        settings |= {"loss": loss} if module else {"loss": noisy, "generators": [other, loss.rng, noise]}
        history = nn.fit(model, data(), optimizer, run=folder, **settings, **options)
        counted = loss.calls.tolist() if module else None  # of a loss in a closure nobody knows
        return outcome((model, history)), free.data.tobytes(), loss.scale.data, other.random(), counted

    for module in (False, True):
        with pytest.raises(SystemExit):
            go(tmp_path / f"{module}", module, stop=True)
        assert go(tmp_path / f"{module}", module, resume=True) == go(module=module)


# -- Another run, or none ----------------------------------------------------------------------------------------------

OTHER = {
    "data": ({"given": data(7)}, r"got data\.train\.0\.sha256='[0-9a-f]{50,}, expected '[0-9a-f]{50,}"),
    "fewer examples": ({"given": data(0, 30)}, r"got data\.train\.0\.shape\.0=30, expected 31"),
    "labels of another type": ({"given": (data()[0], data()[1].astype("i2"))}, r"train\.1\.dtype='<i2', expected '<i8'"),
    "validation data": ({"validation": data(2)}, r"validation\.0\.sha256"),
    "no validation data": ({"validation": None}, r"got data\.validation=None, expected \["),
    "loss": ({"loss": partial(nn.functional.cross_entropy, label_smoothing=0.1)}, "settings.loss"),
    "metrics": ({"metrics": []}, r"got settings\.metrics=\[\], expected None"),
    "batch size": ({"batch_size": 8}, r"got settings\.batch_size=8, expected 7"),
    "order": ({"rng": None}, r"got settings\.rng=None, expected 1"),
    "another seed": ({"rng": 2}, r"got settings\.rng=2, expected 1"),
    "accumulation": ({"accumulate": 2}, r"got settings\.accumulate=2, expected 1"),
    "optimizer": ({"optimizer": momentum}, r"got optimizer\.class='SGD', expected 'Adam'"),
    "rate": ({"optimizer": lambda m: nn.optim.Adam(m.parameters(), 0.1)}, r"got optimizer\.groups\.0\.lr=0\.1, expected 0\.01"),
    "schedule": ({"schedule": lambda o: CosineAnnealingLR(o, 9)}, r"got on_epoch=\[\{.*'CosineAnnealingLR'.*expected \[\]"),
    "model": ({"model": build(dropout=0.5)}, r"structure\.4=' \(3\): Dropout\(p=0\.5\)', expected ' \(3\): Dropout\(p=0\.3\)'"),
    "float type": ({"model": build().astype(np.float32)}, r"got model\.arrays\.0\.weight='float32 \(8, 4\)', expected 'float64"),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHER)
def test_a_run_with_other_settings_is_refused_by_name_and_nothing_changes(kind, tmp_path):
    train(tmp_path / "run", epochs=2)
    options, message = OTHER[kind]
    before, model = files(tmp_path), options.get("model", build())
    state = model.state_dict()
    with pytest.raises(TinygradError, match=message) as caught:
        train(tmp_path / "run", resume=True, **({"model": model} | options))
    assert str(caught.value).startswith(f"fit: run='{tmp_path}")
    assert "; go on with what the run began with, or name another folder" in str(caught.value)
    assert len(str(caught.value)) < 600
    assert files(tmp_path) == before
    assert all(np.array_equal(array, state[path]) for path, array in model.state_dict().items())


def test_a_schedule_with_other_settings_is_refused(tmp_path):
    train(tmp_path / "run", epochs=2, schedule=lambda o: CosineAnnealingLR(o, 9))
    with pytest.raises(TinygradError, match=r"got on_epoch\.0\.T_max=10, expected 9"):
        train(tmp_path / "run", resume=True, schedule=lambda o: CosineAnnealingLR(o, 10))


def test_the_rates_of_groups_under_a_plateau_are_compared(tmp_path):
    def options(rate):
        first = lambda model: {"params": model.parameters()[:1], "lr": rate}
        optimizer = lambda model: nn.optim.SGD([first(model), {"params": model.parameters()[1:]}], lr=0.1)
        return {"optimizer": optimizer, "schedule": lambda o: ReduceLROnPlateau(o, patience=0, threshold=0.9)}

    model, history = train(tmp_path / "run", epochs=2, **options(0.01))
    with pytest.raises(TinygradError, match=r"got on_epoch\.0\.base_lrs\.0=0\.02, expected 0\.01"):
        train(tmp_path / "run", resume=True, **options(0.02))
    again = outcome(train(tmp_path / "run", resume=True, epochs=4, **options(0.01)))
    assert again == outcome(train(epochs=4, **options(0.01)))


def test_settings_are_compared_by_what_they_say(tmp_path):
    """NumPy's integers, and sets and keys of functions, whose order and text are other ones in another process."""
    train(tmp_path / "run", epochs=1)
    train(tmp_path / "run", epochs=2, batch_size=np.int64(7), resume=True)
    first, second = [[type("A", (), {"__call__": print})() for _ in range(9)] for _ in range(2)]
    several = [nn.Linear(1, 1), nn.ReLU(), len, *first], [len, *second, nn.ReLU(), nn.Linear(1, 1)]
    one, other = [described({"a": set(items), "b": dict.fromkeys(items, 1)}) for items in several]
    assert one == other


def test_a_run_that_exists_is_refused_without_resume_and_resuming_none_begins_one(tmp_path):
    alone = outcome(train(tmp_path / "run", resume=True))
    before = files(tmp_path)
    with pytest.raises(
        TinygradError, match="is a run already; pass resume=True to go on with it, or name another folder"
    ):
        train(tmp_path / "run")
    assert files(tmp_path) == before
    assert outcome(train(str(tmp_path / "run"), resume=True)) == alone


def test_a_file_or_a_folder_of_other_things_is_no_run(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(TinygradError, match="fit: got run='.*file', which is a file; expected a folder"):
        train(tmp_path / "file")
    with pytest.raises(
        TinygradError, match="a folder without checkpoints that has 'file'; expected a run, an empty folder"
    ):
        train(tmp_path, resume=True)
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(FileExistsError):
        train(tmp_path / "file" / "run")
    (tmp_path / "link").symlink_to(tmp_path / "none")
    with pytest.raises(TinygradError, match="fit: got run='.*link', which is a link that leads to no folder; expected"):
        train(tmp_path / "link")


def test_long_lists_of_numbers_in_notes_and_settings_are_kept(tmp_path):
    notes = {"mean": [i / 3 for i in range(300)]}
    loss = partial(nn.functional.cross_entropy, weight=[1 + i / 300 for i in range(300)])
    y = np.arange(300)
    given = (np.ones((300, 4)), y)
    for epochs in (1, 2):
        model = nn.MLP((4, 300), rng=0)
        options = {
            "given": given,
            "model": model,
            "loss": loss,
            "validation": None,
            "notes": notes,
            "resume": epochs > 1,
        }
        train(tmp_path / "run", epochs=epochs, **options)
    assert latest(tmp_path / "run").config["notes"] == notes


def test_notes_are_kept(tmp_path):
    train(tmp_path / "run", epochs=1, notes={"commit": "abc", "tries": [1, 2.5, None]})
    train(tmp_path / "run", epochs=2, resume=True)
    config = json.loads((tmp_path / "run" / "epoch-000002" / "config.json").read_bytes())
    assert config["notes"] == {"commit": "abc", "tries": [1, 2.5, None]}
    train(tmp_path / "run", epochs=3, resume=True, notes={"commit": "def"})
    config = json.loads((tmp_path / "run" / "epoch-000003" / "config.json").read_bytes())
    assert config["notes"] == {"commit": "def"}


# -- Damage ------------------------------------------------------------------------------------------------------------


def sealed(folder, name, change):
    """A file of a checkpoint changed, and its checksum too."""
    content = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != SUMS}
    content[name] = change(content[name])
    (folder / name).write_bytes(content[name])
    (folder / SUMS).write_bytes(sums(content))


DAMAGE = {
    "a truncated file": (lambda folder: truncate(folder / "weights.safetensors"), r"the checksum of 'weights\.safetensors' differs"),
    "an empty file": (lambda folder: truncate(folder / "state.json", 0), r"the checksum of 'state\.json' differs"),
    "no checksums": (lambda folder: (folder / SUMS).unlink(), "'SHA256SUMS' cannot be read"),
    "an empty folder": (lambda folder: [path.unlink() for path in folder.iterdir()], "'SHA256SUMS' cannot be read"),
    "a link that leads nowhere": (
        lambda folder: (shutil.rmtree(folder), folder.symlink_to("/nowhere/at/all")), "'SHA256SUMS' cannot be read",
    ),
    "a file in its place": (lambda folder: (folder.rename(f"{folder}x"), folder.touch()), "'SHA256SUMS' cannot be read"),
    "JSON with escapes": (
        lambda folder: sealed(folder, "state.json", lambda _: b'{"\x1b[2J": 1, "\\u001b[31m": {"$\\u001b[2J": 1}}'),
        "its JSON is not what was written",
    ),
    "deep JSON": (lambda folder: sealed(folder, "state.json", lambda _: b"[" * 10**6), "its JSON is not what was written"),
    "an older one in its place": (
        lambda folder: (shutil.rmtree(folder), shutil.copytree(folder.parent / "epoch-000002", folder)),
        "it is one of epoch 2",
    ),
    "a config without format": (lambda folder: sealed(folder, "config.json", lambda _: b"{}"), "has format None, expected 1"),
    "no safetensors": (lambda folder: sealed(folder, "weights.safetensors", lambda _: b"\xff" * 99), "is not a safetensors file"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(kind, tmp_path):
    alone = outcome(train(tmp_path / "run"))
    damage, message = DAMAGE[kind]
    damage(tmp_path / "run" / "epoch-000004")
    with pytest.warns(
        UserWarning, match=f"epoch-000004 is damaged: .*{message}.*; used epoch-000003 instead"
    ) as caught:
        assert outcome(train(tmp_path / "run", resume=True)) == alone
    assert str(caught[0].message).isprintable()
    assert caught[0].filename == __file__
    assert outcome(train(tmp_path / "run", resume=True)) == alone


def test_if_every_checkpoint_is_damaged_nothing_is_trained_or_changed(tmp_path):
    train(tmp_path / "run")
    for folder in (tmp_path / "run").iterdir():
        truncate(folder / "weights.safetensors")
    before = files(tmp_path)
    with pytest.raises(
        TinygradError, match=r"fit: got '.*run', in which every checkpoint is damaged \(epoch-000004 .*; epoch"
    ):
        train(tmp_path / "run", resume=True)
    assert files(tmp_path) == before


HOSTILE = {
    "a newer format": (
        "config.json",
        b'"format": 1',
        b'"format": 2',
        "got a run of format 2, expected 1; install a newer",
    ),
    "a rate that is text": ("state.json", b'"lr": 0.01', b'"lr": "\\u001b[2J"', r"does not fit.*got lr='\\\\?x1b"),
    "another generator": ("state.json", b'"bit_generator": "PCG64"', b'"bit_generator": "\\u001b"', "does not fit"),
    "a schedule": ("state.json", b'"watch": {', b'"watch": {"$floats": "x", ', None),
    "other weights": ("weights.safetensors", b'"0.weight"', b'"0.\\u001b"', r"does not fit.*unexpected 0\.\\+x1b"),
    "a name with escapes": (
        "config.json",
        b'"batch_size"',
        b'"\\u001b[2J"',
        r"got settings\.\\x1b\[2J=None, expected 7; got settings",
    ),
    "no steps": ("state.json", b'"steps": ', b'"steps": null, "x": ', "does not fit"),
    "infinitely many steps": ("state.json", b'"steps": ', b'"steps": {"$float": "inf"}, "x": ', "does not fit"),
    "other best weights": ("best.safetensors", b'"0.weight"', b'"0.weighs"', r"does not fit.*unexpected 0\.weighs"),
    "curves": ("state.json", b'"train_loss": [', b'"train_loss": ["', None),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_checkpoint_made_to_harm_is_refused_or_passed_over_and_changes_nothing(kind, tmp_path):
    options = {"patience": 9}
    alone = outcome(train(tmp_path / "run", **options))
    name, old, new, message = HOSTILE[kind]
    folder, model = tmp_path / "run" / "epoch-000004", build()
    assert old in (folder / name).read_bytes()
    sealed(folder, name, lambda content: content.replace(old, new))
    state = model.state_dict()
    if message is None:
        with pytest.warns(UserWarning, match="epoch-000004 is damaged") as caught:
            assert outcome(train(tmp_path / "run", resume=True, model=model, **options)) == alone
        said = str(caught[0].message)
    else:
        with pytest.raises(TinygradError, match=message) as refused:
            train(tmp_path / "run", resume=True, model=model, **options)
        said = str(refused.value)
        assert all(np.array_equal(array, state[path]) for path, array in model.state_dict().items())
    assert said.isprintable()
    assert len(said) < 600


def test_a_thousand_damaged_checkpoints_make_one_short_message(tmp_path):
    train(tmp_path / "run", epochs=1)
    for i in range(2, 1000):
        (tmp_path / "run" / f"epoch-{i:06d}").mkdir()
    with pytest.warns(UserWarning, match=r"epoch-000999 is damaged: .*and 978 more; used epoch-000001") as caught:
        assert latest(tmp_path / "run").epoch == 1
    assert len(caught) == 1
    shutil.rmtree(tmp_path / "run" / "epoch-000000")
    truncate(tmp_path / "run" / "epoch-000001" / SUMS)
    with pytest.raises(TinygradError, match="every checkpoint is damaged .*and 979 more") as refused:
        latest(tmp_path / "run")
    assert len(str(refused.value)) < 3000


def test_a_checkpoint_that_could_not_be_read_is_not_written(tmp_path):
    with pytest.raises(
        TinygradError, match=r"fit: config\.json would have \d+ bytes, expected at most \d+; shorten notes="
    ):
        train(tmp_path / "run", notes={"log": "x" * 2**26})
    assert outcome(train(tmp_path / "run", resume=True)) == outcome(train())


@pytest.mark.parametrize("schedule", [None, lambda o: LambdaLR(o, lambda t: 0.9**t), lambda o: ReduceLROnPlateau(o)])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_groups_that_on_epoch_adds_go_on(epochs, schedule, tmp_path):
    def go(**options):
        model, held = build(), []

        def optimizer(model):
            held.append(nn.optim.SGD(model.parameters()[:2], lr=0.1, momentum=0.9))
            return held[0]

        def on_epoch(epoch, history):
            if epoch == 2:
                held[0].add_param_group({"params": model.parameters()[2:], "lr": 0.05, "momentum": 0.5})

        settings = {
            "model": model,
            "optimizer": optimizer,
            "schedule": schedule,
            "on_epoch": on_epoch,
            "clip_norm": 0.1,
        }
        return outcome(train(**(settings | options)))

    go(run=tmp_path / "run", epochs=epochs)
    assert go(run=tmp_path / "run", resume=True) == go()


def test_groups_of_a_checkpoint_that_does_not_fit_are_not_left_in_the_optimizer(tmp_path):
    model = build()
    optimizer = nn.optim.SGD(model.parameters()[:2], lr=0.1)
    train(tmp_path / "run", epochs=1, model=model, optimizer=lambda _: optimizer)
    new = build()
    fresh = nn.optim.SGD(new.parameters()[:2], lr=0.1)
    change = lambda content: content.replace(b'"groups": [[0, 1]]', b'"groups": [[0, 1], [2], [99]]')
    sealed(tmp_path / "run" / "epoch-000001", "state.json", change)
    with pytest.raises(TinygradError, match="does not fit"):
        train(tmp_path / "run", resume=True, model=new, optimizer=lambda _: fresh)
    assert len(fresh.param_groups) == 1
    assert list(fresh.state) == new.parameters()[:2]


def test_what_is_frozen_outside_the_model_stays_so(tmp_path):
    class Scaled(nn.Module):
        def __init__(self):
            self.scale, self.shift = Value(1.0), Value(np.ones(3))

        def forward(self, output, target):
            return nn.functional.cross_entropy(output * self.scale + self.shift, target)

    def go(run=None, epochs=4, **options):
        model, loss, free = build(), Scaled(), Value(np.ones(2))
        optimizer = nn.optim.SGD([*model.parameters(), loss.scale, free], lr=0.1)

        def on_epoch(epoch, history):
            if epoch == 2:
                loss.scale.requires_grad = loss.shift.requires_grad = free.requires_grad = False

        settings = {"loss": loss, "on_epoch": on_epoch, "progress": False, "rng": 1, "batch_size": 7}
        nn.fit(model, data(), optimizer, epochs=epochs, run=run, **settings, **options)
        return float(loss.scale.data), [p.requires_grad for p in (loss.scale, loss.shift, free)]

    go(tmp_path / "run", 3)
    assert go(tmp_path / "run", resume=True) == go()


# -- Signals and other processes ---------------------------------------------------------------------------------------

PROGRAM = """
import sys, time
sys.path.insert(0, {tests!r})
from test_runs import train

def on_epoch(epoch, history):
    print(epoch, flush=True)
    if epoch == 3:
        time.sleep(60)

model, history = train({folder!r}, on_epoch=on_epoch)
print(model.training, history.interrupted, len(history.curves["train_loss"]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_a_run_that_can_be_resumed_and_two_processes_do_not_share_one(number, tmp_path):
    program = PROGRAM.format(tests=str(Path(__file__).parent), folder=str(tmp_path / "run"))
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert [process.stdout.readline() for _ in range(3)] == ["1\n", "2\n", "3\n"]
        before = files(tmp_path)
        for resume in (False, True):
            with pytest.raises(
                TinygradError, match=rf"run '.*run', in which process {process.pid} on '.*' is training"
            ):
                train(tmp_path / "run", resume=resume)
        assert files(tmp_path) == before
        process.send_signal(number)
        out = process.communicate(timeout=30)[0]
    finally:
        process.kill()
        process.wait()
    expected = {signal.SIGTERM: (143, ""), signal.SIGINT: (0, "False True 3\n"), signal.SIGKILL: (-9, "")}
    assert (process.returncode, out) == expected[number]
    assert (tmp_path / "run" / "lock").exists() == (number == signal.SIGKILL)
    assert outcome(train(tmp_path / "run", resume=True)) == outcome(train())
    assert not (tmp_path / "run" / "lock").exists()


def test_a_program_that_handles_sigterm_itself_goes_on_doing_so(tmp_path):
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append(1))
    try:
        train(tmp_path / "run", epochs=2, on_epoch=lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        train(tmp_path / "other", epochs=1, on_epoch=lambda *_: signal.signal(signal.SIGTERM, signal.SIG_IGN) and None)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [1, 1]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of tests in several threads
def test_a_fork_does_not_end_the_run_of_its_parent_nor_train_in_it(tmp_path):
    held = []

    def on_epoch(epoch, history):
        if epoch < 3 and not (child := os.fork()):
            if epoch == 1:
                sys.exit(5)  # through fit, and the end of its run
            return  # goes on training
        if epoch < 3:
            ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            held.append((ended, (tmp_path / "run" / "lock").exists()))

    parent = os.getpid()
    try:
        trained = train(tmp_path / "run", on_epoch=on_epoch)
    except BaseException as error:
        if os.getpid() != parent:
            refused = isinstance(error, TinygradError) and f"process {parent} on" in str(error)
            os._exit(5 if isinstance(error, SystemExit) else 6 if refused else 7)
        raise
    if os.getpid() != parent:
        os._exit(8)
    assert held == [(5, True), (6, True)]
    assert outcome(trained) == outcome(train())


def test_a_lock_that_somebody_removed_is_made_anew_or_ends_training(tmp_path):
    lock = tmp_path / "run" / "lock"
    seen = []

    def removing(epoch, history):
        seen.append(lock.exists())
        lock.unlink()

    assert outcome(train(tmp_path / "run", on_epoch=removing)) == outcome(train())
    assert seen == [True] * 4
    other = Lock(tmp_path / "other")

    def taking(epoch, history):
        if epoch == 2:
            (tmp_path / "other" / "lock").unlink()
            other.__enter__()

    with pytest.raises(TinygradError, match="fit: got the run '.*', in which process"):
        train(tmp_path / "other", on_epoch=taking)
    assert latest(tmp_path / "other").epoch == 1
    assert (tmp_path / "other" / "lock").exists()  # that of the other
    other.__exit__(None, None, None)
    assert outcome(train(tmp_path / "other", resume=True)) == outcome(train())


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: path.symlink_to("/etc/passwd")])
def test_a_lock_that_is_no_file_is_named(make, tmp_path):
    make(tmp_path / "lock")
    with pytest.raises(OSError, match="directory|Invalid argument|symbolic links") as caught:
        train(tmp_path)
    assert f"while locking '{tmp_path / 'lock'}'" in caught.value.__notes__


def test_the_folder_of_a_run_stays_if_the_program_moves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    train("run", on_epoch=lambda *_: os.chdir(tmp_path / "other"))
    assert latest(tmp_path / "run").epoch == 4
    assert os.listdir(tmp_path / "other") == []


def test_a_run_trains_in_a_thread_too(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        trained = pool.submit(train, tmp_path / "run").result()
    assert outcome(trained) == outcome(train())
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


# -- Errors while saving -----------------------------------------------------------------------------------------------


def test_a_full_disk_ends_training_with_a_note_and_the_run_goes_on(tmp_path):
    alone = outcome(train())
    (tmp_path / "home").mkdir()
    with power.recording(tmp_path / "home") as operations:
        train(tmp_path / "home" / "run")
    for i in [*range(6), *range(6, len(operations) - 1, 11)]:
        home = tmp_path / str(i)
        home.mkdir()

        def full(place, operation, i=i):
            if place == i:
                raise OSError(errno.ENOSPC, "No space left on device")

        of_a_checkpoint = "epoch-" in str(operations[i][1])
        with power.recording(home, full), pytest.raises(OSError, match="No space left on device") as caught:
            train(home / "run")
        if of_a_checkpoint:
            assert re.search(r"while saving epoch \d to run='.*'; with resume=True it ", caught.value.__notes__[0])
        with power.recording(home):
            assert outcome(train(home / "run", resume=True)) == alone


def test_an_error_in_training_leaves_the_last_checkpoint(tmp_path):
    def on_epoch(epoch, history):
        if epoch == 3:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        train(tmp_path / "run", on_epoch=on_epoch)
    assert sorted(os.listdir(tmp_path / "run")) == ["epoch-000000", "epoch-000001", "epoch-000002"]
    assert outcome(train(tmp_path / "run", resume=True)) == outcome(train())


@pytest.mark.parametrize("keep", [1, 2, 10])
def test_the_last_checkpoints_are_kept(keep, tmp_path):
    train(tmp_path / "run", keep=keep)
    kept = [f"epoch-{epoch:06d}" for epoch in range(5)][-keep:]
    assert sorted(os.listdir(tmp_path / "run")) == kept


def test_a_checkpoint_after_every_third_epoch_and_the_last(tmp_path):
    train(tmp_path / "run", epochs=4, save_every=3, keep=9)
    assert sorted(os.listdir(tmp_path / "run")) == ["epoch-000000", "epoch-000003", "epoch-000004"]
    for folder in tmp_path.glob("run/epoch-000004"):
        truncate(folder / "weights.safetensors")
    with pytest.warns(UserWarning, match="epoch-000004 is damaged"):
        assert outcome(train(tmp_path / "run", epochs=7, save_every=3, keep=9, resume=True)) == outcome(train(epochs=7))
    assert sorted(os.listdir(tmp_path / "run"))[2:] == ["epoch-000004", "epoch-000006", "epoch-000007"]


def test_progress_goes_on_where_the_run_does(tmp_path, capsys):
    train(tmp_path / "run", epochs=2)
    train(tmp_path / "run", epochs=4, resume=True, progress=True)
    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()] == ["epoch 3/4", "epoch 4/4"]
    train(tmp_path / "run", epochs=4, resume=True, progress=True)
    assert capsys.readouterr().out == ""


def test_a_run_is_read_while_it_goes_on(tmp_path, monkeypatch):
    seen = []
    train(tmp_path / "run", keep=1, on_epoch=lambda *_: seen.append(latest(tmp_path / "run").epoch))
    assert seen == [0, 1, 2, 3]
    read = Store.read

    def pruned(store, epoch):
        monkeypatch.setattr(Store, "read", read)
        train(tmp_path / "run", keep=1, resume=True, epochs=6)
        return read(store, epoch)

    monkeypatch.setattr(Store, "read", pruned)
    found = latest(str(tmp_path / "run"))
    assert found.epoch == 6
    model, history = train(epochs=6)
    assert all(np.array_equal(array, found.weights[path]) for path, array in model.state_dict().items())
    assert found.curves == history.curves
    assert found.config["settings"]["loss"] == "cross_entropy"
    with pytest.raises(TinygradError, match="latest: got '.*', which has no checkpoint; expected the folder of a run"):
        latest(tmp_path)
