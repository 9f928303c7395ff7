"""The operators and methods of a Value, as one table: each is an op, bound under its name.

They are the methods of ndarray for which an op exists, and elementwise functions of one array.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Self

from . import ops
from .data import raw_of, shape_of
from .errors import TinygradError
from .node import Node
from .ops.arrays.indexing import getitem
from .ops.arrays.updates import Places


def reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The operator with exchanged operands, which `2 - v` calls on v."""
    return lambda self, other: function(other, self)


def compared(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A comparison of plain data with a plain boolean result."""
    return lambda self, other: function(self.raw, raw_of(other))


class Methods(Node):
    """A Node with the operators of Python's numbers and the methods of NumPy's arrays."""

    __slots__ = ()

    __add__ = ops.add
    __radd__ = reflected(ops.add)
    __sub__ = ops.subtract
    __rsub__ = reflected(ops.subtract)
    __mul__ = ops.multiply
    __rmul__ = reflected(ops.multiply)
    __truediv__ = ops.divide
    __rtruediv__ = reflected(ops.divide)
    __pow__ = ops.power
    __rpow__ = reflected(ops.power)
    __matmul__ = ops.matmul
    __rmatmul__ = reflected(ops.matmul)
    __floordiv__ = ops.floor_divide
    __rfloordiv__ = reflected(ops.floor_divide)
    __mod__ = ops.remainder
    __rmod__ = reflected(ops.remainder)
    __divmod__ = ops.divmod
    __rdivmod__ = reflected(ops.divmod)
    __neg__ = ops.negative
    __pos__ = ops.positive
    __abs__ = ops.abs
    __round__ = ops.round

    __eq__ = compared(operator.eq)  # plain booleans, elementwise, as in NumPy
    __ne__ = compared(operator.ne)
    __lt__ = compared(operator.lt)
    __le__ = compared(operator.le)
    __gt__ = compared(operator.gt)
    __ge__ = compared(operator.ge)
    __hash__ = object.__hash__  # by identity, so that a Value can be a key

    abs = ops.abs
    all = ops.all
    any = ops.any
    arccos = ops.arccos
    arccosh = ops.arccosh
    arcsin = ops.arcsin
    arcsinh = ops.arcsinh
    arctan = ops.arctan
    arctan2 = ops.arctan2
    arctanh = ops.arctanh
    argmax = ops.argmax
    argmin = ops.argmin
    argpartition = ops.argpartition
    argsort = ops.argsort
    astype = ops.astype
    broadcast_to = ops.broadcast_to
    cbrt = ops.cbrt
    ceil = ops.ceil
    clip = ops.clip
    cos = ops.cos
    cosh = ops.cosh
    cumprod = ops.cumprod
    cumsum = ops.cumsum
    detach = ops.detach
    diagonal = ops.diagonal
    dot = ops.dot
    erf = ops.erf
    erfc = ops.erfc
    exp = ops.exp
    exp2 = ops.exp2
    expm1 = ops.expm1
    flatten = ops.flatten
    floor = ops.floor
    log = ops.log
    log10 = ops.log10
    log1p = ops.log1p
    log2 = ops.log2
    log_softmax = ops.log_softmax
    logsumexp = ops.logsumexp
    max = ops.max
    maximum = ops.maximum
    mean = ops.mean
    min = ops.min
    minimum = ops.minimum
    nonzero = ops.nonzero
    norm = ops.norm
    prod = ops.prod
    ptp = ops.ptp
    ravel = ops.ravel
    reciprocal = ops.reciprocal
    relu = ops.relu
    repeat = ops.repeat
    round = ops.round
    searchsorted = ops.searchsorted
    sigmoid = ops.sigmoid
    sign = ops.sign
    sin = ops.sin
    sinh = ops.sinh
    softmax = ops.softmax
    softplus = ops.softplus
    sort = ops.sort
    sqrt = ops.sqrt
    square = ops.square
    squeeze = ops.squeeze
    std = ops.std
    sum = ops.sum
    swapaxes = ops.swapaxes
    take = ops.take
    tan = ops.tan
    tanh = ops.tanh
    trace = ops.trace
    trunc = ops.trunc
    var = ops.var
    conj = conjugate = copy = ops.positive

    def __getitem__(self, index: Any) -> Self:
        try:
            return getitem(self, index)  # type: ignore[no-any-return]  # an index may be an array, so it looks like a Binary
        except TinygradError as error:
            error.operation = "v[index]"
            raise

    def reshape(self, *shape: Any) -> Self:
        """The Value in another shape, given as one tuple or as several sizes; see `ops.reshape`."""
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Self:
        """The Value with permuted axes, given as one tuple or as several numbers; reversed if none is given."""
        return ops.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def compress(self, condition: Any, axis: int | None = None) -> Self:
        """The slices along an axis at which a boolean vector is True; see `ops.compress`."""
        return ops.compress(condition, self, axis=axis)  # type: ignore[no-any-return]

    @property
    def at(self) -> Places[Self]:
        """Functional updates: v.at[index].set(values), .add, .multiply, .min or .max returns an updated copy."""
        return Places(self)

    @property
    def T(self) -> Self:
        """The Value with reversed axes."""
        return ops.transpose(self, None)

    @property
    def mT(self) -> Self:
        """The Value with its last two axes exchanged: each matrix of a stack transposed. Needs two axes."""
        n = len(shape_of(self.raw))
        return ops.transpose(self, (*range(n - 2), n - 1, n - 2))
