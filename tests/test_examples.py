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
    assert sorted(shown) == [
        "confusion.png",
        "curves.png",
        "expression.svg",
        "landscape.png",
        "read.png",
        "units.png",
        "weights.png",
        "weights.safetensors",
    ]
    assert len(re.findall(r'<img src="[^"]+" alt="[^"]{20,}">', page)) == 7
    for name in [*shown, "expression.png"]:
        assert (tmp_path / "demo" / name).stat().st_size > 1000
    assert "{" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def test_a_convolutional_network_reads_digits(capsys):
    load("digits_conv").main(epochs=15)
    last = capsys.readouterr().out.splitlines()[-1]
    assert float(re.fullmatch(r"test accuracy: (\d+\.\d)%", last)[1]) >= 98.5


def test_micrograds_own_networks_run_on_our_value():
    import micrograd.engine

    train = load("micrograd_demo").train
    ours = train(tinygrad_edu.Value, steps=8, samples=20, hidden=(6, 6))
    theirs = train(micrograd.engine.Value, steps=8, samples=20, hidden=(6, 6))
    assert [a for _, a in ours] == [a for _, a in theirs]
    assert [loss for loss, _ in ours] == pytest.approx([loss for loss, _ in theirs], rel=1e-12)


def test_a_gru_learns_to_add_and_goes_on_to_longer_numbers(capsys):
    unseen, longer = load("binary_addition").main()
    assert unseen == 1.0
    assert longer >= 0.99
    a, b, c = map(int, re.search(r"^(\d+) \+ (\d+) = (\d+)$", capsys.readouterr().out, re.MULTILINE).groups())
    assert a + b == c


def test_a_transformer_learns_to_reverse(capsys):
    assert load("reverse").main() >= 0.99
    said = re.findall(r"^(\d{10}) -> (\d{10})$", capsys.readouterr().out, re.MULTILINE)
    assert len(said) == 5
    assert sum(x == y[::-1] for x, y in said) >= 4
