"""Schedules against their formulas, several groups, joined schedules, saving, and the plateau."""

from math import cos, pi, sqrt

import numpy as np
import pytest

from nn.optim import SGD
from nn.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    InverseSquareRootLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from tinygrad_edu import ShapeError, TinygradError, Value

BASES = (0.5, 0.02)


def optimiser():
    return SGD([{"params": [Value(1.0)], "lr": lr} for lr in BASES])


def rates(make, epochs=40):
    """The rates of both groups at each time, as an array (epochs + 1, 2)."""
    optimizer = optimiser()
    schedule = make(optimizer)
    found = [schedule.get_last_lr()]
    for _ in range(epochs):
        schedule.step()
        found.append(schedule.get_last_lr())
        assert [group["lr"] for group in optimizer.param_groups] == found[-1]
    return np.array(found)


def wave(part, base, low):
    return low + (base - low) * (1 + cos(pi * part)) / 2


# name: (how to make it, its rate at time t from the base)
FORMULAS = {
    "LambdaLR": (lambda o: LambdaLR(o, lambda t: 1 / (1 + t)), lambda t, base: base / (1 + t)),
    "StepLR": (lambda o: StepLR(o, 7, 0.5), lambda t, base: base * 0.5 ** (t // 7)),
    "MultiStepLR": (
        lambda o: MultiStepLR(o, [20, 5, 5]),
        lambda t, base: base * 0.1 ** (2 * (t >= 5) + (t >= 20)),
    ),
    "ExponentialLR": (lambda o: ExponentialLR(o, 0.9), lambda t, base: base * 0.9**t),
    "ConstantLR": (lambda o: ConstantLR(o, 0.25, 8), lambda t, base: base * (0.25 if t < 8 else 1)),
    "LinearLR": (
        lambda o: LinearLR(o, 0.1, 0.9, 10),
        lambda t, base: base * (0.9 if t >= 10 else 0.1 + 0.08 * t),
    ),
    "CosineAnnealingLR": (lambda o: CosineAnnealingLR(o, 25, 0.001), lambda t, base: wave(t / 25, base, 0.001)),
    "CosineAnnealingWarmRestarts": (
        lambda o: CosineAnnealingWarmRestarts(o, 5, 2, 0.001),
        lambda t, base: wave(
            t / 5 if t < 5 else (t - 5) / 10 if t < 15 else (t - 15) / 20 if t < 35 else (t - 35) / 40, base, 0.001
        ),
    ),
    "restarts of one length": (
        lambda o: CosineAnnealingWarmRestarts(o, 6),
        lambda t, base: wave(t % 6 / 6, base, 0),
    ),
    "InverseSquareRootLR": (  # with d_model^-0.5 written as base √warmup
        lambda o: InverseSquareRootLR(o, 9),
        lambda t, base: base * sqrt(9) * min((t + 1) ** -0.5, (t + 1) * 9**-1.5),
    ),
    "ChainedScheduler": (
        lambda o: ChainedScheduler(
            [LinearLR(o, 0.1, total_iters=10), ExponentialLR(o, 0.9), CosineAnnealingLR(o, 50, 1e-4)]
        ),
        lambda t, base: wave(t / 50, base * min(0.1 + 0.09 * t, 1) * 0.9**t, 1e-4),
    ),
    "SequentialLR": (
        lambda o: SequentialLR(
            o, [LinearLR(o, 0.1, total_iters=10), ExponentialLR(o, 0.9), ConstantLR(o, 0.5, 3)], [10, 20]
        ),
        lambda t, base: base * (0.1 + 0.09 * t if t < 10 else 0.9 ** (t - 10) if t < 20 else 0.5 if t < 23 else 1),
    ),
    "joined joined": (
        lambda o: ChainedScheduler(
            [SequentialLR(o, [ConstantLR(o, 0.5, 3), StepLR(o, 2)], [3]), ExponentialLR(o, 0.9)]
        ),
        lambda t, base: base * 0.9**t * (0.5 if t < 3 else 0.1 ** ((t - 3) // 2)),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_schedule_is_its_formula(name):
    make, formula = FORMULAS[name]
    expected = [[formula(t, base) for base in BASES] for t in range(41)]
    assert np.allclose(rates(make), expected, rtol=1e-12, atol=1e-16)


def test_each_group_may_have_its_own_function():
    found = rates(lambda o: LambdaLR(o, [lambda t: t, lambda t: 2.0]), 2)
    assert np.allclose(found, [[0, 0.04], [0.5, 0.04], [1, 0.04]])


@pytest.mark.parametrize("name", FORMULAS)
def test_a_saved_schedule_goes_on_bit_by_bit(name):
    make, _ = FORMULAS[name]
    expected = rates(make, 20)
    first = make(optimiser())
    for _ in range(7):
        first.step()
    other = optimiser()
    second = make(other)
    second.load_state_dict(first.state_dict())
    assert [group["lr"] for group in other.param_groups] == list(expected[7])
    for t in range(8, 21):
        second.step()
        assert second.get_last_lr() == list(expected[t])


@pytest.mark.parametrize("name", FORMULAS)
def test_an_optimiser_and_its_schedule_are_restored_in_any_order(name):
    make, _ = FORMULAS[name]
    one = optimiser()
    schedule = make(one)
    for _ in range(6):
        schedule.step()
    for optimiser_first in (True, False):
        other = optimiser()
        again = make(other)
        pairs = [(other, one), (again, schedule)]
        for new, old in pairs if optimiser_first else pairs[::-1]:
            new.load_state_dict(old.state_dict())
        again.step()
        assert again.get_last_lr() == list(rates(make, 7)[7])


def test_a_schedule_can_start_later_and_jump():
    expected = rates(lambda o: ExponentialLR(o, 0.5), 5)
    optimizer = optimiser()
    schedule = ExponentialLR(optimizer, 0.5, last_epoch=2)
    assert schedule.get_last_lr() == list(expected[3])
    schedule.step(5)
    assert schedule.get_last_lr() == list(expected[5])
    restarts = CosineAnnealingWarmRestarts(optimiser(), 4)
    restarts.step(5.5)
    assert restarts.get_last_lr()[0] == pytest.approx(wave(1.5 / 4, 0.5, 0))


def test_a_rate_that_something_else_changed_is_not_overwritten():
    optimizer = optimiser()
    schedule = StepLR(optimizer, 3)
    schedule.step()
    optimizer.lr = 0.3
    with pytest.raises(TinygradError, match=r"StepLR: found learning rates \[0.3, 0.3\], expected \[0.5, 0.02\]"):
        schedule.step()
    with pytest.raises(TinygradError, match=r"change rates by `optimizer.lr = ...`, then make a new one"):
        schedule.step()
    assert StepLR(optimizer, 3).base_lrs == [0.3, 0.3]
    one, two = ExponentialLR(optimizer, 0.5), ExponentialLR(optimizer, 0.5)
    one.step()
    with pytest.raises(TinygradError, match="join several schedules by ChainedScheduler"):
        two.step()


def test_a_rate_below_0_is_refused_and_changes_nothing():
    optimizer = optimiser()
    schedule = LambdaLR(optimizer, lambda t: 1 - t)
    schedule.step()
    with pytest.raises(
        TinygradError, match=r"LambdaLR: got the learning rates \[-0.5, -0.02\] at t=2, expected at least"
    ):
        schedule.step()
    assert schedule.last_epoch == 1
    assert [group["lr"] for group in optimizer.param_groups] == schedule.get_last_lr() == [0.0, 0.0]


def test_training_with_a_schedule_uses_its_rates():
    w = Value(1.0)
    optimizer = SGD([w], lr=0.1)
    schedule = StepLR(optimizer, 1, 0.5)
    for _ in range(3):
        w.grad = 1.0
        optimizer.step()
        schedule.step()
    assert w.data == pytest.approx(1 - 0.1 - 0.05 - 0.025)


# -- The plateau -------------------------------------------------------------------------------------------------------


def reductions(numbers, **options):
    """After which of the numbers, from 1, the first group's rate was reduced."""
    optimizer = optimiser()
    schedule = ReduceLROnPlateau(optimizer, **options)
    found = []
    for i, number in enumerate(numbers, 1):
        before = optimizer.lr
        schedule.step(number)
        found += [i] if optimizer.lr < before else []
        assert schedule.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
    return found


@pytest.mark.parametrize(
    ("numbers", "options", "expected"),
    [
        ([1.0] * 26, {}, [12, 23]),
        ([1, 0.9, 0.8, 0.7, 0.6], {"patience": 0}, []),
        ([1, 1, 1, 0.5, 1, 1, 1], {"patience": 1}, [3, 6]),
        ([1, 2, 3, 4], {"patience": 0, "mode": "max"}, []),
        ([4, 3, 2, 1], {"patience": 0, "mode": "max"}, [2, 3, 4]),
        ([1] * 9, {"patience": 0, "cooldown": 2}, [2, 5, 8]),
        ([1, 0.95, 0.8, 0.75], {"patience": 0, "threshold": 0.1}, [2, 4]),
        ([1, 0.95, 0.85, 0.8], {"patience": 0, "threshold": 0.1, "threshold_mode": "abs"}, [2, 4]),
        ([1, np.nan, np.nan], {"patience": 0}, [2, 3]),
        (
            [-1, -0.95, -0.8],
            {"patience": 0, "threshold": 0.1},
            [3],
        ),  # as the docstring says: -0.95 < -0.9 counts as better
        ([-1, -0.95, -0.8], {"patience": 0, "threshold": 0.1, "threshold_mode": "abs"}, [2, 3]),
        ([1, 1.05, 1.2], {"patience": 0, "threshold": 0.1, "mode": "max"}, [2]),
        ([1, 1.05, 1.2], {"patience": 0, "threshold": 0.1, "mode": "max", "threshold_mode": "abs"}, [2]),
        ([1, 1, 1, 1], {"patience": 0, "factor": 0.5, "min_lr": 0.2}, [2, 3]),
        ([1, 1, 1, 1], {"patience": 0, "factor": 0.5, "eps": 0.2}, [2]),
    ],
)
def test_a_plateau_reduces_the_rate_when_it_should(numbers, options, expected):
    assert reductions(numbers, **options) == expected


def test_a_plateau_has_a_lowest_rate_for_each_group():
    optimizer = optimiser()
    schedule = ReduceLROnPlateau(optimizer, patience=0, factor=0.0, min_lr=[0.3, 0.01])
    for _ in range(3):
        schedule.step(Value(1.0))
    assert schedule.get_last_lr() == [0.3, 0.01]


def test_a_saved_plateau_goes_on():
    numbers = [1, 1, 0.5, 1, 1, 1, 1, 1, 1]
    one, two = optimiser(), optimiser()
    first, second = ReduceLROnPlateau(one, patience=1, cooldown=1), ReduceLROnPlateau(two, patience=1, cooldown=1)
    for i, number in enumerate(numbers):
        if i == 6:
            second.load_state_dict(first.state_dict())
        first.step(number)
        if i >= 6:
            second.step(number)
            assert second.state_dict() == first.state_dict()
    assert one.lr == two.lr < 0.5


# -- What is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda o: ExponentialLR(0.1, 0.9), TinygradError, "ExponentialLR: got a float first, expected an optimiser"),
        (lambda o: LambdaLR(o, [lambda t: t]), TinygradError, "got 1 functions, expected one or 2"),
        (lambda o: LambdaLR(0.1, lambda t: t), TinygradError, "LambdaLR: got a float first"),
        (lambda o: StepLR(o, 0), TinygradError, "step_size=0, expected a positive integer"),
        (lambda o: ConstantLR(o, 2.0), TinygradError, "factor=2.0, expected a number from 0 to 1"),
        (lambda o: LinearLR(o, 0.0), TinygradError, "start_factor=0.0"),
        (lambda o: LinearLR(o, total_iters=0), TinygradError, "total_iters=0"),
        (lambda o: CosineAnnealingLR(o, -1), TinygradError, "T_max=-1"),
        (lambda o: CosineAnnealingWarmRestarts(o, 5, 1.5), TinygradError, "T_mult=1.5, expected a positive integer"),
        (lambda o: InverseSquareRootLR(o, 0), TinygradError, "warmup_steps=0"),
        (
            lambda o: SequentialLR(o, [StepLR(o, 1), StepLR(o, 2)], [5, 9]),
            TinygradError,
            "expected 1 rising ones for 2",
        ),
        (lambda o: SequentialLR(o, [StepLR(o, 1)] * 3, [5, 5]), TinygradError, r"milestones=\[5, 5\]"),
        (lambda o: ChainedScheduler([]), TinygradError, "expected schedules"),
        (lambda o: ChainedScheduler([ReduceLROnPlateau(o)]), TinygradError, "functions of time"),
        (lambda o: ChainedScheduler([StepLR(o, 1), ReduceLROnPlateau(o)]), TinygradError, "functions of time"),
        (lambda o: ChainedScheduler([StepLR(o, 1), StepLR(optimiser(), 1)]), TinygradError, "for different optimisers"),
        (lambda o: LRScheduler(o), TinygradError, r"define factor\(self, t\)"),
        (lambda o: ReduceLROnPlateau(1), TinygradError, "expected an optimiser"),
        (lambda o: ReduceLROnPlateau(o, "least"), TinygradError, "mode='least'"),
        (lambda o: ReduceLROnPlateau(o, threshold_mode="x"), TinygradError, "threshold_mode='x'"),
        (lambda o: ReduceLROnPlateau(o, factor=1.0), TinygradError, "factor=1.0"),
        (lambda o: ReduceLROnPlateau(o, min_lr=[0.1]), TinygradError, "got 1 min_lr, expected one or 2"),
        (lambda o: StepLR(o, 1).load_state_dict({"last_epoch": 1}), ShapeError, r"StepLR is missing \['base_lrs'\]"),
        (
            lambda o: StepLR(o, 1).load_state_dict(StepLR(SGD([Value(1.0)]), 1).state_dict()),
            ShapeError,
            "of 1 groups, expected 2",
        ),
        (lambda o: ReduceLROnPlateau(o).load_state_dict({}), ShapeError, "is missing"),
        (
            lambda o: ReduceLROnPlateau(o).load_state_dict(ReduceLROnPlateau(SGD([Value(1.0)])).state_dict()),
            ShapeError,
            "of 1 groups, expected 2",
        ),
    ],
)
def test_schedules_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make(optimiser())


# -- Groups that are added later -----------------------------------------------------------------------------------------


def current(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


@pytest.mark.parametrize("name", FORMULAS)
def test_a_group_that_is_added_later_joins_as_if_it_had_been_there(name):
    late, early = (SGD([Value(np.ones(2))], lr=1.0) for _ in range(2))
    group = {"lr": 0.3}
    early.add_param_group({"params": [Value(np.ones(3))]} | group)
    schedule, whole = FORMULAS[name][0](late), FORMULAS[name][0](early)
    schedule.step()
    whole.step()
    late.add_param_group({"params": [Value(np.ones(3))]} | group)
    assert current(late) == [current(early)[0], 0.3]  # as it was given, until the next step
    for _ in range(40):
        schedule.step()
        whole.step()
        assert current(late) == schedule.get_last_lr() == current(early)
    assert schedule.state_dict() == whole.state_dict()
    whole.load_state_dict(schedule.state_dict())


def test_a_group_that_is_added_later_joins_a_plateau():
    optimizer = SGD([Value(np.ones(2))], lr=1.0)
    schedule = ReduceLROnPlateau(optimizer, patience=0, min_lr=0.05)
    schedule.step(1.0)
    optimizer.add_param_group({"params": [Value(np.ones(3))], "lr": 0.3})
    schedule.step(2.0)
    assert current(optimizer) == schedule.get_last_lr() == [0.1, 0.05]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: LambdaLR(o, [lambda t: 0.5]), "LambdaLR: got 1 functions, expected one or 2"),
        (
            lambda o: SequentialLR(o, [LambdaLR(o, [lambda t: 0.5]), ConstantLR(o)], [9]),
            "LambdaLR: got 1 functions, expected one or 2",
        ),
        (
            lambda o: ReduceLROnPlateau(o, patience=0, min_lr=[0.0]),
            "ReduceLROnPlateau: got 1 min_lr, expected one or 2",
        ),
    ],
)
def test_a_group_that_cannot_join_is_an_error_that_changes_nothing(make, message):
    optimizer = SGD([Value(np.ones(2))], lr=1.0)
    schedule = make(optimizer)
    arguments = [2.0] if isinstance(schedule, ReduceLROnPlateau) else []
    schedule.step(*arguments)
    optimizer.add_param_group({"params": [Value(np.ones(3))], "lr": 0.3})
    before, state = str(optimizer.param_groups), schedule.state_dict()
    with pytest.raises(TinygradError, match=message):
        schedule.step(*arguments)
    assert str(optimizer.param_groups) == before
    assert schedule.state_dict() == state


def test_rates_of_another_number_than_the_groups_are_refused_and_change_nothing():
    class Short(LRScheduler):
        def rates(self, t, bases):
            return list(bases) if t < 1 else list(bases)[:1]

    optimizer = optimiser()
    schedule = Short(optimizer)
    before = str(optimizer.param_groups)
    with pytest.raises(
        TinygradError, match="Short: got the learning rates .* expected at least 0 for each of 2 groups"
    ):
        schedule.step()
    assert str(optimizer.param_groups) == before
