"""Optimizer: what all update rules share. Groups of parameters, each with its own options, and a state for each parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import GraphError, ShapeError, TinygradError, Value

from ..checks import FUNCTION, Explaining, checked, data_of, explaining, ordered, shown
from ..loading import listed
from .options import check, check_eps
from .saved import EXTRAS, OFF, pack, placed, wrong_groups, wrong_states

Array: TypeAlias = NDArray[Any]
Group: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, Any]
Params: TypeAlias = Iterable[Value] | Iterable[dict[str, Any]]
Closure: TypeAlias = Callable[[], Any]


class Optimizer(Explaining):
    """Holds parameters and changes them in place by a rule that a subclass defines in `update`.

    Args:
        params: leaf Values, usually `model.parameters()`; or dicts such as {"params": [...], "lr": 0.1}, one for each group
            of parameters that has options of its own.
        defaults: the options of groups that do not name their own, "lr" among them. If there is a "weight_decay" λ, every g
            becomes g + λ w before `update`; if "decoupled_weight_decay" is true, w becomes (1 - η λ) w instead. If "maximize" is
            true, g becomes -g first.

    Attributes:
        param_groups: a dict for each group: its "params", and its options, which may be changed between steps.
        state: what `update` keeps for each parameter.
        steps: how many steps this object has taken.

    Raises:
        TinygradError: if there are no parameters, they are a set, one is in two groups, or an option is unknown or out of its
            range.
        GraphError: if a parameter is a computed Value, which has no life of its own.
    """

    def __init__(self, params: Params, defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.param_groups: list[Group] = []
        self.state: dict[Value, State] = {}
        self.steps = 0
        self._buffers: dict[Value, _Buffers] = {}
        items: list[Any] = self._several(params)
        if not items:
            raise TinygradError(f"{type(self).__name__}: got no parameters; pass model.parameters()")
        for group in items if isinstance(items[0], Mapping) else [{"params": items}]:
            self.add_param_group(group)

    def _several(self, params: Any) -> list[Any]:
        if not isinstance(params, Iterable) or isinstance(params, (Value, Mapping)):
            name, got = type(self).__name__, type(params).__name__
            raise TinygradError(f"{name}: got {got}, expected several parameters; pass model.parameters()")
        return ordered(type(self).__name__, params)

    @explaining
    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take in more parameters: {"params": Values or one Value, option: ...}; options left out have their defaults."""
        name = type(self).__name__
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TinygradError(f"{name}: got {param_group!r} as a group, expected a dict with 'params'")
        if unknown := set(param_group) - EXTRAS - {"params", *self.defaults}:
            raise TinygradError(f"{name}: got options {sorted(unknown)}, expected some of {sorted(self.defaults)}")
        params = param_group["params"]
        params = [params] if isinstance(params, Value) else self._several(params)
        for p in params:
            if not isinstance(p, Value) or p.grad_fn is not None:
                raise GraphError(f"{name}: got {p!r}, expected leaf Values; pass model.parameters()")
            if p in self.state:
                raise TinygradError(f"{name}: a parameter of shape {p.shape} is in two groups, expected one")
        options = self.defaults | {key: option for key, option in param_group.items() if key != "params"}
        check(name, options)
        params = list(dict.fromkeys(params))  # each once
        self.param_groups.append({"params": params} | options)
        self.state.update((p, {}) for p in params)

    @property
    def lr(self) -> float:
        """The learning rate of the first group. Setting it sets that of all groups, and starts schedules anew from there."""
        rate: float = self.param_groups[0]["lr"]
        return rate

    @lr.setter
    def lr(self, rate: float) -> None:
        check(type(self).__name__, {"lr": rate})
        for group in self.param_groups:
            group["lr"] = rate
            group.pop("initial_lr", None)

    @explaining
    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.state:
            p.grad = None

    # -- Steps ---------------------------------------------------------------------------------------------------------

    def step(self, closure: Closure | None = None) -> Any:
        """Update every parameter that has a gradient and is not frozen, in its own memory.

        A graph recorded before refuses backward() from then on, as its numbers are gone.

        Args:
            closure: computes gradients anew and returns the loss; called first, if given.

        Returns:
            what the closure returned, or None.

        Raises:
            ShapeError: if a parameter has got other data since its state was made, of another shape or dtype.
            TinygradError: if eps is nothing in the dtype of a parameter, as 1e-8 in float16, or a parameter is read-only. No
                parameter is changed then.
        """
        loss = None if closure is None else checked(type(self).__name__, "closure", closure, FUNCTION)()
        known, update = self._buffers, self.update  # looked up once: these loops are most of the time of small models
        ready = []  # all that may be refused is, before any parameter changes
        for group in self.param_groups:
            changes = group.get("weight_decay") or group.get("maximize")
            for p in group["params"]:
                g = p.raw_grad
                if g is None or not p.requires_grad:
                    continue
                buffers = known.get(p)
                if buffers is None or buffers.data is not p.raw:
                    buffers = self._prepare(p, group)
                ready.append((p, g, buffers, group, changes))
        self.steps += 1
        for p, g, buffers, group, changes in ready:
            if type(g) is not np.ndarray:
                g = np.asarray(data_of(g))
            data, state = buffers.data, buffers.state
            if changes:
                g = _changed(buffers, g, group)
            state["step"] += 1
            update(data, g, buffers.scratch, state, group)
            if not data.ndim:
                p.data = float(data) if data.dtype == float else data[()]
            p.mark_changed()
        return loss

    def update(self, data: Array, g: Array, scratch: Array, state: State, group: Group) -> None:
        """Change `data` in place.

        Args:
            data: the parameter's numbers.
            g: its gradient, not to be changed.
            scratch: an array of their shape to compute in.
            state: this parameter's own, for arrays of its shape, and numbers; "step" is there and counts from 1.
            group: the options.
        """
        raise TinygradError(f"{type(self).__name__}: define update(self, data, g, scratch, state, group)")

    def _prepare(self, p: Value, group: Group) -> _Buffers:
        """The arrays to update a parameter with, when it is new, has got other data, or is a scalar, which has no memory."""
        data, state, buffers = np.asarray(p.data), self.state[p], self._buffers.get(p)
        if wrong := [
            f"{name} is {array.dtype} of shape {array.shape}"
            for name, array in state.items()
            if isinstance(array, np.ndarray) and (array.shape != data.shape or array.dtype != data.dtype)
        ]:
            raise ShapeError(
                f"{type(self).__name__}: a parameter is {data.dtype} of shape {data.shape} now, but its state was made before: "
                f"{'; '.join(wrong)}; give the model to a new optimiser, as after astype"
            )
        if not data.flags.writeable:
            raise TinygradError(
                f"{type(self).__name__}: a parameter of shape {data.shape} is read-only; freeze or copy it"
            )
        state.setdefault("step", 0)
        if buffers is None or buffers.scratch.shape != data.shape or buffers.scratch.dtype != data.dtype:
            check_eps(type(self).__name__, group, data.dtype)
            buffers = self._buffers[p] = _Buffers(data, state)
        buffers.data = data
        return buffers

    # -- State ---------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """A copy of all states and options, as plain arrays and numbers, in PyTorch's layout.

        {"state": {i: {name: array or number}}, "param_groups": [{option: ..., "params": [i, ...]}]}, where i counts the
        parameters through all groups.
        """
        return pack(self.param_groups, self.state)

    @explaining
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over states and options that `state_dict` gave, or PyTorch's after its tensors became arrays.

        Options of PyTorch that are not known here may be there if they are off.

        Raises:
            ShapeError: if it is of other groups, options or shapes, or a cast would lose more than by rounding.
            TinygradError: if an option is out of its range. Nothing is changed then.
        """
        name = type(self).__name__
        if not {"state", "param_groups"} <= set(state_dict):
            raise ShapeError(f"load_state_dict: got {shown(list(state_dict))}, expected 'state' and 'param_groups'")
        groups = state_dict["param_groups"]
        states, wrong = placed(groups, state_dict["state"])
        if wrong := wrong_groups(self.param_groups, groups, set(self.defaults)) + wrong + self._wrong_states(states):
            raise ShapeError(f"load_state_dict: {listed(wrong)}; build {name} as it was when its state was saved")
        known = EXTRAS | set(self.defaults)
        options = [{key: deepcopy(x) for key, x in (OFF | dict(group)).items() if key in known} for group in groups]
        for given in options:
            check(name, given)
        restored = {p: self._restored(p, states.get(i, {})) for i, p in enumerate(self.state)}
        for own, given in zip(self.param_groups, options, strict=True):
            own.pop("initial_lr", None)
            own.update(given)
        self.state.update(restored)
        self._buffers.clear()

    def _wrong_states(self, states: Mapping[int, Any]) -> list[str]:
        return wrong_states(list(self.state), states)

    def _restored(self, p: Value, saved: Mapping[str, Any]) -> State:
        """A parameter's state from a saved one: arrays are laid out in memory as the parameter is."""
        state: State = {name: np.empty_like(p.data) for name in saved}
        for name, item in saved.items():
            state[name][...] = item
        return state | {"step": int(saved["step"])} if "step" in saved else state


@lru_cache(maxsize=256)
def scalar(x: float, dtype: np.dtype[Any]) -> Array:
    """x as an array of shape (): as an operand twice as fast as a Python float, which matters on small parameters."""
    array = np.array(x, dtype)
    array.flags.writeable = False  # everyone who asks gets this one
    return array


def kept(state: State, name: str, data: Array) -> Array:
    """An array of the state, in the shape of the parameter's numbers; zeros at first."""
    if name not in state:
        state[name] = np.zeros_like(data)
    array: Array = state[name]
    return array


def shrink(data: Array, threshold: Array, scratch: Array) -> None:
    """w ← sign(w) max(|w| - θ, 0), the proximal step of θ |w|: numbers up to θ become exactly 0."""
    data -= np.clip(data, -threshold, threshold, out=scratch)


class _Buffers:
    """What updating one parameter takes, besides what is saved: its array, and arrays to compute in."""

    __slots__ = ("changed", "data", "scratch", "state")

    def __init__(self, data: Array, state: State) -> None:
        self.data, self.state, self.scratch = data, state, np.empty_like(data)
        self.changed: Array | None = None


def _changed(buffers: _Buffers, g: Array, group: Group) -> Array:
    """-g, if it is to be maximized; and with weight decay g + λ w, or g itself after w ← (1 - η λ) w."""
    if buffers.changed is None:
        buffers.changed = np.empty_like(buffers.data)
    if group.get("maximize"):
        g = np.negative(g, out=buffers.changed)
    if not (decay := group.get("weight_decay")):
        return g
    if group.get("decoupled_weight_decay"):
        buffers.data *= 1 - group["lr"] * decay
        return g
    decayed = np.multiply(buffers.data, decay, out=buffers.scratch)
    return np.add(decayed, g, out=buffers.changed)
