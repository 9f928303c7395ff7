"""Run: one run of a model, recorded: its inputs and outputs by name, and its calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from nn import Module
from nn.calls import is_array, left_as_it_was, reading
from tinygrad_edu import DTypeError, Value, enable_grad, tree_map

from .models import as_arrays, named_inputs, named_outputs


class Run:
    """Runs a model once, recorded, in its current mode, and leaves it as it was.

    Args:
        caller: the function in whose name errors are raised.
        model: the model.
        inputs: plain arrays, numbers or Values, also nested, as `forward` takes them.
        names: what Values and arrays are called.
        loss: a function of the model's output, to run after it; None for none.

    Attributes:
        inputs: name and array for each input that holds numbers, the array as the model got it. Floats are Values, so that every
            operation on them is recorded.
        trained: for each input, whether gradient flows to it.
        calls: the run, with the calls in it.
        output: the output of the loss, or of the model without one.
        outputs: name and array for each array of the output.
        error: what the run raised; None if it ended well.
    """

    def __init__(
        self,
        caller: str,
        model: Module,
        inputs: Sequence[Any],
        names: Mapping[str, Any] | None = None,
        loss: Callable[[Any], Any] | None = None,
    ) -> None:
        self.model, self.output, self.error = model, None, None
        plain = as_arrays(inputs)
        named = named_inputs(model.forward, plain, names or {})
        recorded = {id(x): _recordable(x) for _, x in named}
        lent = [recorded[id(x)] for _, x in named if recorded[id(x)] is not x]
        self.inputs = [(name, recorded[id(x)]) for name, x in named]
        self.trained = [isinstance(x, Value) and x.requires_grad for _, x in named]
        with left_as_it_was(model, recorded=True), enable_grad(), reading(model) as self.calls:
            try:
                self.output = model(*tree_map(lambda x: recorded.get(id(x), x), tuple(plain)))
                if loss is not None:
                    self.output = loss(self.output)
            except Exception as error:
                self.error = error
            finally:
                for given in lent:  # data from now on, as they were
                    given.requires_grad = False
        if loss is not None and self.error is None and not is_array(self.output):
            got = type(self.output).__name__
            raise DTypeError(f"{caller}: the loss returned {got}, expected a Value computed from the output")
        self.outputs = list(named_outputs(self.output, "output" if loss is None else "loss"))

    def viewed(self, x: np.ndarray[Any, Any]) -> tuple[str, Any] | None:
        """Name and array of the plain input of which an array is a view: that whose memory has the nearest ends."""
        same = [given for given in self.inputs if isinstance(given[1], np.ndarray) and _memory(given[1]) is _memory(x)]
        ends = np.array(byte_bounds(x))
        return min(same, key=lambda given: np.abs(ends - byte_bounds(given[1])).sum(), default=None)


def _memory(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array that a view is of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _recordable(x: Any) -> Any:
    """An input as a Value that gradient flows to; integers, and Values that gradient flows to already, unchanged."""
    if x.dtype.kind != "f" or (isinstance(x, Value) and x.requires_grad):
        return x
    return Value(x.data if isinstance(x, Value) else x, copy=False, name=x.name if isinstance(x, Value) else None)
