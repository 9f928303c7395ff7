"""Layers, losses, initialisers, optimisers and schedules agree with PyTorch's: values, gradients, states, state_dicts to and fro."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

import nn
from nn import functional, init, optim, utils
from nn.optim import lr_scheduler

from .networks import CASES, EXCEPTIONS, functions, losses
from .networks.case import TOLERANCE, compare
from .networks.signatures import misfits

pytestmark = [  # PyTorch's warnings about usage pass
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("error::tinygrad_edu.GradientWarning"),
]
BASES = {"Module", "Optimizer", "LRScheduler"}
COUNTERPARTS = losses.COUNTERPARTS | functions.COUNTERPARTS
COVERED = {case.name for case in CASES} | EXCEPTIONS.keys()


def undecided() -> set[str]:
    """Public layers, losses, initialisers, optimisers, schedules and clippers without a case and without a reason."""
    public = {name for name in nn.__all__ if inspect.isclass(item := getattr(nn, name)) and issubclass(item, nn.Module)}
    public.update(*(module.__all__ for module in (functional, init, optim, lr_scheduler, utils)))
    return {name for name in public - BASES if not inspect.ismodule(getattr(optim, name, None))} - COVERED


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name} {case.setting}")
def test_agrees(case):
    found = compare(case)
    assert found.agrees, (
        f"{case.name} {case.setting}: {found.where} is {found.apart:.1e} of the largest number apart, "
        f"expected at most {TOLERANCE:g}"
    )


@pytest.mark.parametrize("name", sorted(COUNTERPARTS))
def test_parameters_are_pytorchs(name):
    assert misfits(name, *COUNTERPARTS[name]) == []


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (lambda input, target, *, reduction="sum": None, ["reduction"]),
        (lambda input, target, reduction="mean": None, ["['input', 'target', 'reduction'] by position"]),
        (lambda target, input, *, reduction="mean": None, ["['target', 'input'] by position"]),
        (lambda input, *, target, reduction="mean": None, ["['target'] by name only"]),
        (
            lambda x, target, *, reduction="mean": None,
            ["['x', 'target', 'reduction'] for ['input', 'target', 'reduction']"],
        ),
    ],
)
def test_other_parameters_are_found(wrong, found):
    assert misfits("mse_loss", wrong, COUNTERPARTS["mse_loss"][1])[:1] == found


def test_everything_public_has_a_case_or_a_reason():
    assert not undecided(), "give it a case in a file of tests/agreement/networks, or a reason in its EXCEPTIONS"
    assert all(EXCEPTIONS.values())


@pytest.mark.parametrize(
    "module", [nn, functional, init, optim, lr_scheduler, utils], ids=lambda module: module.__name__
)
def test_a_new_one_is_missed(module, monkeypatch):
    class New(nn.Module):
        """A new layer, loss, initialiser, optimiser or schedule."""

    monkeypatch.setattr(module, "New", New, raising=False)
    monkeypatch.setattr(module, "__all__", [*module.__all__, "New"])
    assert undecided() == {"New"}


@pytest.mark.parametrize("name", sorted({case.name for case in CASES}))
def test_numbers_that_are_off_disagree(name):
    case = next(case for case in CASES if case.name == name)
    numbers = case.theirs()
    most = max(numbers, key=lambda what: np.size(numbers[what]))

    def off():
        right = np.asarray(numbers[most], float)
        largest = np.max(np.abs(right), initial=1e-8, where=np.isfinite(right))
        return {**numbers, most: right + 1e-8 * largest}

    assert not compare(replace(case, ours=off)).agrees
    assert not compare(replace(case, ours=lambda: {"other": 0.0})).agrees
