"""compile: its source gives the same numbers as the function, to the last bit, without falling back to it.

No opaque calls, guards or fallbacks on unchanged inputs, but for the exceptions of `testing.compiling`, each with its reason.
"""

import warnings

import numpy as np
import pytest

from tinygrad_edu import UnreadableError, compile, registry
from tinygrad_edu.testing.compiling import (
    COPIED,
    GUARDED,
    REFUSED,
    Made,
    compiled_call,
    first_order,
    forward,
    second_order,
)
from tinygrad_edu.testing.strategies import fixed_calls

OPS = {name: f.op for name, f in registry.items()}
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::tinygrad_edu.GradientWarning")


@pytest.mark.parametrize("name", [name for name in OPS if name not in REFUSED])
def test_every_op_to_the_last_bit(name):
    calls, made = fixed_calls(OPS[name], 8), Made()
    orders = [(forward, calls), (first_order, calls)]
    if OPS[name].differentiable:
        orders.append((second_order, calls[:4]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for order, chosen in orders:
            for call in chosen:
                compiled = compiled_call(call, order)
                if compiled is not None:
                    made.add(compiled)
    assert made.programs
    assert not made.eager
    assert not made.imported
    assert bool(made.guards) == (name in GUARDED), made.guards
    assert made.copied <= COPIED.keys()
    assert name in made.copied or name not in COPIED


@pytest.mark.parametrize("name", REFUSED)
def test_shapes_that_depend_on_data_are_refused(name):
    with pytest.raises(UnreadableError, match="shape depends on numbers"):
        compile(registry[name])(np.array([True, False, True]), np.arange(3.0))
