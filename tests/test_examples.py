"""The examples do what they say, on data that is real or the original's."""

import importlib.util
import re
from pathlib import Path

import pytest

import tinygrad_edu

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_main_job_reads_digits_and_shows_it(tmp_path, capsys):
    load("digits").main(tmp_path / "demo")
    last = capsys.readouterr().out.splitlines()[-1]
    accuracy = float(re.fullmatch(r"test accuracy: (\d+\.\d)%", last)[1])
    assert accuracy >= 97.0
    page = (tmp_path / "demo" / "index.html").read_text(encoding="utf-8")
    shown = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sorted(shown) == ["expression.svg", "learning_curves.png", "misread.png", "weights.safetensors"]
    for name in [*shown, "expression.png"]:
        assert (tmp_path / "demo" / name).stat().st_size > 1000
    assert "{" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_micrograds_own_networks_run_on_our_value():
    import micrograd.engine

    train = load("micrograd_demo").train
    ours = train(tinygrad_edu.Value, steps=8, samples=20, hidden=(6, 6))
    theirs = train(micrograd.engine.Value, steps=8, samples=20, hidden=(6, 6))
    assert [a for _, a in ours] == [a for _, a in theirs]
    assert [loss for loss, _ in ours] == pytest.approx([loss for loss, _ in theirs], rel=1e-12)
