"""Value: the public type. A number or array that records how it was computed, so that backward() can differentiate it.

Its operators and methods are ops, in methods.py. NumPy's two protocols use the same definitions, so np.exp(v) records the same
as v.exp(), and functions without a definition are refused by name.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, Never, NoReturn

import numpy as np

from . import graph, modes, ops, recording
from .data import PLAIN, raw_of, refuse_foreign, shape_of, to_leaf
from .domain import Shape
from .elsewhere import METHODS, Elsewhere, remedy
from .errors import DTypeError, GradientWarning, GraphError, ShapeError, UnsupportedError
from .methods import Methods
from .node import NO_GRADIENT, RELEASED, Node
from .protocols import dispatch


def in_place(function: Callable[..., Any], sign: str) -> Callable[[Value, Any], Value]:
    """The operator `w -= x`: under no_grad() it changes the numbers of a leaf or constant, elsewhere it records and rebinds.

    Raises:
        GraphError: where it would silently replace a trained leaf by a computed Value: with a grad, by a constant.
        ShapeError: if the result would have another shape than the leaf.
    """

    def update(self: Value, other: Any) -> Value:
        if self.grad_fn is None and self.tick != NO_GRADIENT and not modes.is_recording():
            new = raw_of(function(self, other))
            if shape_of(new) != self.shape:
                raise ShapeError(
                    f"w {sign} x: got x of shape {shape_of(raw_of(other))}, expected one that fits {self.shape}"
                )
            if not np.can_cast(np.result_type(new), self.dtype, "same_kind"):
                raise DTypeError(
                    f"w {sign} x: got {np.result_type(new)}, expected {self.dtype}; make w a Value of floats"
                )
            if type(self.raw) is np.ndarray and self.tick > NO_GRADIENT and self.raw.flags.writeable:
                self.raw[...] = new
            else:  # the memory of a constant may be that of a leaf
                self.raw = new.astype(self.raw.dtype) if self.shape else type(self.raw)(new)
            self.mark_changed()
            return self
        if (
            self.grad_fn is None
            and self.grad is not None
            and not (isinstance(other, Node) and other.tick > NO_GRADIENT)
        ):
            raise GraphError(
                f"w {sign} x: w is a leaf with a gradient and would become a computed Value, whose graph grows with each step; "
                f"to update it, write `with no_grad(): w {sign} x`; for a new Value, w = w {sign[:-1]} x"
            )
        return function(self, other)  # type: ignore[no-any-return]

    return update


class Value(Methods):
    """A number or array whose operations are recorded.

    Args:
        data: a number, a nested list of numbers, or a floating-point ndarray of any shape. Python numbers become floats.
        requires_grad: False for a constant.
        name: its name in drawings and messages.
        copy: False to share the memory of an ndarray instead of copying it; only in native byte order.

    Attributes:
        data: a Python float or NumPy float scalar if the shape is (), else an ndarray. That of a leaf may be assigned; after
            modifying an array in place call mark_changed().
        grad: None, or the gradient that the last backward() left here: plain data of the same shape and dtype (a Value
            after create_graph=True). Leaves accumulate it; zero_grad() clears it. A leaf's grad owns its memory; those of other
            Values may share memory and must not be modified. See `why_no_grad`.
        grad_fn: the Op that computed it; None on leaves.
        inputs: its operands: Values and plain constants; () on leaves.

    Raises:
        DTypeError: for an integer or boolean ndarray (unless requires_grad=False), and for complex, object or text data.
    """

    __slots__ = ()

    def __init__(
        self, data: Any, requires_grad: bool = True, name: str | None = None, copy: bool = True, **unknown: Never
    ) -> None:
        if unknown:
            got = f"Value: does not take {', '.join(f'{each}=' for each in unknown)}"
            raise UnsupportedError(f"{got}; it takes data, requires_grad, name, copy{remedy('Value', unknown)}")
        try:
            self.raw = to_leaf(data, requires_grad, copy)
        except DTypeError as error:
            error.operation = "Value"
            raise
        self.raw_grad = None
        self.grad_fn = None
        self.inputs = ()
        now = next(recording.clock)
        self.tick = now if requires_grad else -now
        self.extra = None if name is None else {"name": name}

    # -- Differentiation -----------------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, *, retain_graph: bool = True, create_graph: bool = False) -> None:
        """Differentiate this Value with respect to all Values in its graph, and store the gradients in `.grad`.

        Leaves accumulate gradients over backward passes (clear them with zero_grad()); the `.grad` of any other Value is
        overwritten.

        Args:
            gradient: weights of this Value's elements, of its shape; optional if it holds a single number.
            retain_graph: False releases the graph during the pass, and keeps the gradients of leaves only. Use it in
                training loops: it takes a third of the memory.
            create_graph: record the gradients too, so that they can be differentiated again; for leaves only.

        Raises:
            ShapeError: if `gradient` is missing or of another shape.
            GraphError: if nothing requires grad, the graph was released, or a leaf was modified in place after its use.
        """
        graph.backward(self, gradient, retain_graph=retain_graph, create_graph=create_graph)

    def zero_grad(self) -> None:
        """Set `.grad` to None."""
        self.raw_grad = None

    def register_hook(self, hook: Callable[[Any], Any]) -> Callable[[], None]:
        """Call hook(g) with this Value's complete gradient in each backward pass, before it is stored or propagated.

        Args:
            hook: may return a replacement of the same shape, or None; must not modify g in place, since it may be shared.

        Returns:
            function that removes the hook.
        """
        extra = self.extra = self.extra or {}
        hooks = extra.setdefault("hooks", [])
        hooks.append(hook)
        return lambda: hooks.remove(hook)

    def mark_changed(self) -> None:
        """Declare that `data` was modified in place.

        Graphs recorded earlier then refuse backward(), since the values they need are gone. Optimisers call this.
        Raises GraphError on a computed (non-leaf) Value, whose data must not be modified.
        """
        if self.grad_fn is not None:
            raise GraphError(
                f"mark_changed: this Value was computed by {self.grad_fn}; only leaves may be changed in place"
            )
        recording.last_change = now = next(recording.clock)
        self.tick = now if self.tick > NO_GRADIENT else -now

    def why_no_grad(self, output: Value | None = None) -> str:
        """The reason why `.grad` is None, as one sentence.

        Args:
            output: the Value on which backward() was called; if given, the path from it is examined too.
        """
        if self.grad is not None:
            return "it has a gradient"
        if self.tick < 0:
            return "not required: it is a constant, detached, or was computed under no_grad() or from constants only"
        if self.inputs is RELEASED:
            return "released: backward(retain_graph=False) keeps the gradients of leaves only"
        if output is not None:
            try:
                if all(self is not node for node in graph.ancestors(output)):  # `in` would compare numbers
                    return "not on the path: the output was not computed from it"
            except GraphError as error:
                return f"cannot be determined from this output ({error})"
        if output is not None and output.grad is not None:
            return "not on the path: an operation on the way passes no gradient on, or zero_grad() cleared it"
        return "backward has not run on a result of it, or zero_grad() cleared it; why_no_grad(output) looks along the path"

    @property
    def grad(self) -> Any:
        """The gradient, or None; see the class. It may be assigned: a single number fills it, another shape raises ShapeError."""
        return self.raw_grad

    @grad.setter
    def grad(self, g: Any) -> None:
        if type(g) in PLAIN and self.shape:
            g = np.full(self.shape, g, self.dtype)
        if g is not None:
            name = "grad" if self.name is None else f"grad of {self.name!r}"
            try:
                refuse_foreign(raw_of(g))
            except DTypeError as error:
                error.operation = name
                raise
            shape, kind = np.shape(raw_of(g)), np.asarray(raw_of(g)).dtype
            if shape != self.shape:
                raise ShapeError(f"{name}: got shape {shape}, expected {self.shape}; reduce or transpose it")
            if kind.kind not in "fiub":
                raise DTypeError(f"{name}: got {kind}, expected real numbers")
        self.raw_grad = g

    # -- Data ----------------------------------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The number or array. For a computed (non-leaf) Value a read-only view, since gradients may depend on it.

        The data of a leaf can be assigned: an array of the same shape and dtype, whose memory the leaf then shares. Assigning
        it, also by `w.data -= ...`, marks a leaf that requires grad as modified; see `mark_changed`. Python numbers are cast.

        Raises (when assigned):
            GraphError: on a computed (non-leaf) Value.
            DTypeError: for another dtype, integers in an array, a Value, and data that is not real numbers.
            ShapeError: for another shape.
        """
        if self.grad_fn is None or type(self.raw) is not np.ndarray:
            return self.raw
        view = self.raw.view()
        view.flags.writeable = False
        return view

    @data.setter
    def data(self, data: Any) -> None:
        if self.grad_fn is not None:
            raise GraphError(
                f"data: this Value was computed by {self.grad_fn}; only the data of leaves can be assigned"
            )
        if data is not self.raw:
            data = self._fitting(data)
        self.raw = data
        self.mark_changed()

    def _fitting(self, data: Any) -> Any:
        """New data, converted for this leaf; see `data`."""
        try:
            new = to_leaf(data, self.requires_grad, copy=False)
            if self.dtype.kind == "f" and not isinstance(
                data, (np.ndarray, np.generic)
            ):  # Python numbers are cast to the dtype
                new = to_leaf(np.asarray(new, self.dtype), self.requires_grad, copy=False)
        except DTypeError as error:
            error.operation = "data"
            raise
        if shape_of(new) != self.shape:
            raise ShapeError(
                f"data: got shape {shape_of(new)}, expected {self.shape}; make a new Value of another shape"
            )
        dtype = np.dtype(getattr(new, "dtype", float))
        if dtype != self.dtype:
            raise DTypeError(f"data: got {dtype}, expected {self.dtype}; cast it with .astype({self.dtype.name!r})")
        return new

    @property
    def requires_grad(self) -> bool:
        """Whether gradient flows to it. Settable on leaves."""
        return self.tick > NO_GRADIENT

    @requires_grad.setter
    def requires_grad(self, required: bool) -> None:
        if self.grad_fn is not None:
            raise GraphError(
                f"requires_grad: this Value was computed by {self.grad_fn}; use detach() for a constant copy"
            )
        if required and self.dtype.kind != "f":
            raise DTypeError(f"requires_grad: the data is {self.dtype}, which has no gradient; make a Value of floats")
        if required != self.requires_grad:
            # a new tick: its data may have been modified since its last use
            self.tick = next(recording.clock) if required else -self.tick

    @property
    def name(self) -> str | None:
        """Its name in drawings and messages. Settable."""
        return (self.extra or {}).get("name")

    @name.setter
    def name(self, name: str) -> None:
        self.extra = self.extra or {}
        self.extra["name"] = name

    @property
    def params(self) -> dict[str, Any]:
        """The keyword parameters of the recorded call, such as axis=0."""
        return dict((self.extra or {}).get("params", {}))

    @property
    def shape(self) -> Shape:
        """The shape; () for a scalar."""
        return shape_of(self.raw)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.size(self.raw))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype; float64 for Python floats."""
        return np.dtype(float) if type(self.raw) is float else self.raw.dtype

    def item(self) -> float:
        """The data of a single-element Value as a plain float."""
        if self.size != 1:
            raise DTypeError(
                f"float: got a Value of shape {self.shape}, expected a single number; index it or reduce it"
            )
        return float(np.reshape(self.raw, ())[()])

    def tolist(self) -> Any:
        """The data as a plain number or nested list."""
        return self.numpy().tolist()

    def numpy(self) -> np.ndarray[Any, Any]:
        """The data as an ndarray that shares this Value's memory (a copy for a scalar); read-only if `data` is."""
        return np.asarray(self.data)

    def __float__(self) -> float:
        if self.size == 1 and self.tick > NO_GRADIENT and modes.is_recording():
            inside = modes.is_transforming()
            message = (
                f"float: {'inside a transform, ' if inside else ''}converting a Value to a plain number makes it a constant (as "
                "in math.sin(v) and array[i] = v); use NumPy's functions, at(array, i).set(v), or v.item() if a constant is "
                "intended"
            )
            if inside:
                raise UnsupportedError(message)
            warnings.warn(message, GradientWarning, stacklevel=1)  # the user's line: attribution.py
        return self.item()

    def __bool__(self) -> bool:
        return bool(self.raw)

    def __len__(self) -> int:
        if not self.shape:
            raise DTypeError("len: a scalar Value has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Value]:
        return (self[i] for i in range(len(self)))

    def __format__(self, spec: str) -> str:
        return format(self.raw, spec) if spec else str(self)

    def __repr__(self) -> str:
        parts = [np.array2string(self.raw, separator=", ", prefix="Value(") if self.shape else repr(float(self.raw))]
        if self.dtype != float:
            parts.append(f"dtype={self.dtype}")
        if self.name is not None:
            parts.append(f"name={self.name!r}")
        if self.grad_fn is not None:
            parts.append(f"grad_fn={self.grad_fn.name}")
        elif self.tick < 0:
            parts.append("requires_grad=False")
        return f"Value({', '.join(parts)})"

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in METHODS]

    def __setitem__(self, index: Any, values: Any) -> NoReturn:
        raise UnsupportedError(
            "v[index] = values: a recorded Value does not change in place; write v = v.at(index).set(values), or .add(values)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        if self.grad_fn is not None:
            raise GraphError(
                f"copy or pickle: this Value was computed by {self.grad_fn} and is part of a graph; "
                "copy detach() of it, or the leaves and the function that computes it"
            )
        return _leaf, (self.raw, self.requires_grad, self.name, self.grad)

    # -- In place ------------------------------------------------------------------------------------------------------

    __iadd__ = in_place(ops.add, "+=")
    __isub__ = in_place(ops.subtract, "-=")
    __imul__ = in_place(ops.multiply, "*=")
    __itruediv__ = in_place(ops.divide, "/=")
    __ipow__ = in_place(ops.power, "**=")
    __imatmul__ = in_place(ops.matmul, "@=")
    __ifloordiv__ = in_place(ops.floor_divide, "//=")
    __imod__ = in_place(ops.remainder, "%=")

    # -- NumPy's protocols ---------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = f"np.{ufunc.__name__}"
        if "out" in kwargs:
            raise UnsupportedError(
                f"{name}: a Value cannot be written into an ndarray (out=, or `array += value`); write array = array + value"
            )
        if method != "__call__":
            remedy = "use sum(), max() or the like" if method == "reduce" else "compose it of recorded functions"
            raise UnsupportedError(f"{name}.{method}: not recorded for Values; {remedy}")
        return dispatch(ufunc, inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        return dispatch(func, args, kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        if self.tick < 0:
            return np.array(self.data, dtype, copy=copy)
        raise UnsupportedError(
            "np.asarray(value): a plain array cannot hold a Value; instead of np.array([v, w]) write tinygrad_edu.array([v, w]) "
            "or stack([v, w]), instead of array[i] = v, array = at(array, i).set(v), instead of a masked or sparse operand x, "
            "x.filled(0) or x.toarray(); value.numpy() gives the plain numbers"
        )


recording.result_type = Value
for _name, _remedy in METHODS.items():
    setattr(Value, _name, Elsewhere(_name, _remedy))


def _leaf(data: Any, requires_grad: bool, name: str | None, grad: Any) -> Value:
    """Restore a copied or pickled leaf."""
    leaf = Value(data, requires_grad, name, copy=False)
    leaf.raw_grad = grad
    return leaf
