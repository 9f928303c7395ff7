"""L-BFGS: Newton's method with a Hessian that is pieced together from the last steps, and never stored.

    d = -H g
    w ← w + t d

w all parameters as one vector, g the gradient, t the step length, H the inverse of the Hessian, as far as the last m pairs
s = Δw, y = Δg show it. H is γ I with γ = s·y / y·y at first, and takes up one pair after the other, oldest first, by

    H ← (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ        with ρ = 1 / s·y

m is `history_size`. In the state, under the first parameter and PyTorch's names: "old_stps" are the s, "old_dirs" the y, "ro" the
ρ, "H_diag" is γ.

Source: Nocedal, Mathematics of Computation 35 (1980); Nocedal & Wright, "Numerical Optimization" (2006), algorithm 7.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from tinygrad_edu import ShapeError, TinygradError, Value, tree_map

from ..checks import FUNCTION, checked, data_of, explaining
from .line_search import MOST_TRIALS, Point, strong_wolfe
from .optimizer import Array, Closure, Optimizer, Params, State
from .saved import misfit
from .vector import gradient, place, vector

LEAST_CURVATURE = 1e-10  # of s·y: pairs with less are left out, so that H stays positive definite
KEPT = {"func_evals", "n_iter", "old_dirs", "old_stps", "ro", "H_diag"}  # from the first step on


class LBFGS(Optimizer):
    """L-BFGS, for losses of all data: each `step` takes up to `max_iter` iterations, and calls the closure for each.

    Args:
        params: leaf Values, in one group.
        lr: step length t ≥ 0, or with a line search the first to try.
        max_iter: iterations in a step.
        max_eval: calls of the closure in a step, after which it ends; None for 5/4 max_iter. With max_iter=1 that
            leaves none to a line search, which then does not move, as in PyTorch: pass max_eval=25.
        tolerance_grad: done if no number of g is larger.
        tolerance_change: done if no number of t d, or the change of the loss, is larger.
        history_size: m, how many pairs to keep.
        line_search_fn: None, or "strong_wolfe" to search for t; see line_search.py.
        maximize: climb instead.

    Raises:
        TinygradError: if there is more than one group.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
        *,
        maximize: bool = False,
    ) -> None:
        options: dict[str, Any] = {"lr": lr, "max_iter": max_iter, "max_eval": max_eval}
        if max_eval is None:
            options["max_eval"] = max_iter * 5 // 4
        options |= {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        options |= {"history_size": history_size, "line_search_fn": line_search_fn, "maximize": maximize}
        super().__init__(params, options)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take in the parameters; a second group is refused, as they all make one vector."""
        if self.param_groups:
            raise TinygradError("LBFGS: got a second group of parameters, expected one, as all make one vector")
        super().add_param_group(param_group)

    @explaining
    def step(self, closure: Closure | None = None) -> Any:
        """Take up to `max_iter` iterations.

        Args:
            closure: clears the gradients, computes them anew by backward(), and returns the loss.

        Returns:
            what the closure returned at first.

        Raises:
            TinygradError: without a closure.
            ShapeError: if the parameters have got other data since the state was made, of another size or dtype.
        """
        if closure is None:
            raise TinygradError("LBFGS: step() got no closure, expected step(closure) that computes loss and gradients")
        checked("LBFGS", "closure", closure, FUNCTION)
        self.steps += 1
        group, parameters = self.param_groups[0], list(self.state)
        result, here = self._evaluate(closure)
        w, evaluations = vector(parameters), 1
        state = self._memory(w)
        state["func_evals"] += 1
        if here.steepest <= group["tolerance_grad"] or not group["lr"]:
            return result
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            g, before, calls = here.gradient, here.loss, 0
            d = _direction(state, g, group["history_size"])
            t = group["lr"] * (min(1.0, 1 / float(np.sum(np.abs(g)))) if state["n_iter"] == 1 else 1)
            state.update(d=d, t=t, prev_flat_grad=g, prev_loss=before)
            slope = float(g @ d)
            if slope > -group["tolerance_change"]:
                break
            if group["line_search_fn"]:
                most = min(MOST_TRIALS, group["max_eval"] - evaluations)
                here, calls = self._search(closure, w, d, here._replace(t=0.0, slope=slope), t, most)
                t = state["t"] = here.t
            w = w + t * d
            place(parameters, w)
            if not group["line_search_fn"]:
                if iteration == group["max_iter"]:
                    break  # before a gradient that nothing would look at
                here, calls = self._evaluate(closure)[1], 1
            evaluations += calls
            state["func_evals"] += calls
            if (
                evaluations >= group["max_eval"]
                or here.steepest <= group["tolerance_grad"]
                or np.max(np.abs(t * d)) <= group["tolerance_change"]
                or abs(here.loss - before) < group["tolerance_change"]
            ):
                break
        return result

    def _evaluate(self, closure: Closure) -> tuple[Any, Point]:
        """What the closure returns, and the same as a Point to start from."""
        result, sign = closure(), -1 if self.param_groups[0]["maximize"] else 1
        return result, Point(0.0, sign * float(data_of(result)), sign * gradient(list(self.state)), 0.0)

    def _search(self, closure: Closure, w: Array, d: Array, start: Point, t: float, most: int) -> tuple[Point, int]:
        """`strong_wolfe` along d. An error, or Ctrl-C, leaves the parameters at w, where they were."""
        shortest = self.param_groups[0]["tolerance_change"] / float(np.max(np.abs(d)))
        try:
            return strong_wolfe(partial(self._at, w, d, closure), start, t, shortest, most)
        except BaseException:
            place(list(self.state), w)
            raise

    def _at(self, w: Array, d: Array, closure: Closure, t: float) -> Point:
        """The Point at w + t d."""
        place(list(self.state), w + t * d)
        here = self._evaluate(closure)[1]
        return here._replace(t=t, slope=float(here.gradient @ d))

    def _memory(self, w: Array) -> State:
        """The state, which is that of all parameters."""
        state = self.state[next(iter(self.state))]
        if not state:
            state.update(func_evals=0, n_iter=0, old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
        d = state.get("d", w)
        if d.shape != w.shape or d.dtype != w.dtype:
            raise ShapeError(
                f"LBFGS: the parameters are {w.size} numbers of {w.dtype} now, but the state was made for {d.size} of {d.dtype}; "
                "give the model to a new optimiser, as after astype"
            )
        return state

    # -- State ---------------------------------------------------------------------------------------------------------

    def _wrong_states(self, states: Mapping[int, Any]) -> list[str]:
        shape, dtype = (sum(p.size for p in self.state),), np.result_type(*[p.dtype for p in self.state])
        wrong = [f"unexpected state of parameter {i!r}, expected that of all under 0" for i in states if i != 0]
        own = states.get(0)
        if not own:
            return wrong
        if missing := sorted(KEPT - set(own)):
            return [*wrong, f"missing {', '.join(missing)}"]
        if len({len(own[name]) for name in ("old_dirs", "old_stps", "ro")}) > 1:
            wrong.append("old_dirs, old_stps and ro are of different lengths")
        for name, item in own.items():
            vectors = item if name in ("old_dirs", "old_stps") else [item] if name in ("d", "prev_flat_grad") else []
            wrong += [f"{name} {reason}" for v in vectors if (reason := misfit(v, shape, dtype))][:1]
        return wrong

    def _restored(self, p: Value, saved: Mapping[str, Any]) -> State:
        dtype = np.result_type(*[p.dtype for p in self.state])
        return {name: tree_map(lambda x: np.array(x, dtype) if np.ndim(x) else x, item) for name, item in saved.items()}


def _direction(state: State, g: Array, history_size: int) -> Array:
    """-H g, after H has taken up the last step."""
    if "prev_flat_grad" in state:
        y, s = g - state["prev_flat_grad"], state["t"] * state["d"]
        curvature = float(y @ s)
        if curvature > LEAST_CURVATURE:
            for name, item in (("old_dirs", y), ("old_stps", s), ("ro", 1 / curvature)):
                state[name] = [*state[name], item][-history_size:]
            state["H_diag"] = curvature / float(y @ y)
    pairs = list(zip(state["old_stps"], state["old_dirs"], state["ro"], strict=True))
    d, along = -g, []
    for s, y, ro in reversed(pairs):  # the factors (I - ρ y sᵀ), newest first
        along.append(ro * float(s @ d))
        d -= along[-1] * y
    d *= state["H_diag"]
    for (s, y, ro), a in zip(pairs, reversed(along), strict=True):  # the factors (I - ρ s yᵀ), oldest first
        d += (a - ro * float(y @ d)) * s
    return d
