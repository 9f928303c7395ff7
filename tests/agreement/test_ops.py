"""Every op agrees with PyTorch in value, gradient and second gradient, on calls drawn from its definition, in float64."""

import pytest
import torch

import tinygrad_edu as tg
from tinygrad_edu import registry

from .ops import EXCEPTIONS, FAMILIES, TORCH
from .ops.comparison import CALLS, TOLERANCE, compare

pytestmark = [  # PyTorch's warnings about its own speed pass
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("error::tinygrad_edu.GradientWarning"),
]


def undecided() -> set[str]:
    """Ops with neither a counterpart nor a reason; helpers of rules are no exception."""
    return registry.keys() - TORCH.keys() - EXCEPTIONS.keys()


@pytest.mark.parametrize("name", TORCH)
def test_agrees(name):
    found = compare(registry[name].op, TORCH[name])
    assert found.calls == CALLS
    assert found.agrees, (
        f"{name}: value {found.forward:.1e}, gradient {found.first:.1e}, second gradient {found.second:.1e} apart, "
        f"expected at most {TOLERANCE:g} of the largest number; {found.call}"
    )


def test_every_op_has_a_counterpart_or_a_reason():
    assert not undecided(), "give it a row in TORCH of a file in tests/agreement/ops, or a reason in EXCEPTIONS"
    assert all(EXCEPTIONS.values())


def test_every_counterpart_and_every_reason_has_an_op_once():
    named = [name for family in FAMILIES for name in (*family.TORCH, *family.EXCEPTIONS)]
    assert sorted(named) == sorted(set(named))
    assert set(named) <= registry.keys()


def test_a_new_op_is_missed(temporary):
    @tg.elementwise(rules=(lambda g, y, x: 3 * g,))
    def triple(x, /):
        """3 x."""
        return 3 * x

    assert undecided() == {"triple"}


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (torch.sin, "forward"),
        (lambda x: torch.tanh(x.detach()) + 0 * x, "first"),
        (lambda x: torch.tanh(x.detach()) + (1 - torch.tanh(x.detach()) ** 2) * (x - x.detach()), "second"),
    ],
)
def test_a_wrong_counterpart_disagrees(wrong, where):
    found = compare(registry["tanh"].op, wrong)
    assert not found.agrees
    assert getattr(found, where) > 1e-3
