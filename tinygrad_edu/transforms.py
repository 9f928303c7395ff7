"""Transforms: functions that return the function computing a gradient, a Jacobian, a Hessian, or a product with them.

f may use methods of Values, this package's functions or NumPy's. Its arguments may be numbers, arrays, Values, and tuples,
lists and dictionaries of them; gradients have the same structure. Plain arguments give plain results; if a Value takes part,
the result is a Value that can be differentiated again, so transforms compose: grad(grad(f)), jacobian(grad(f)).

>>> from tinygrad_edu import grad
>>> grad(lambda x: x**3)(2.0), grad(grad(lambda x: x**3))(2.0)
(12.0, 12.0)

Only reverse mode is implemented (Griewank & Walther, Evaluating Derivatives, section 3.2): each op has one kind of rule, and
forward mode is two passes of reverse mode.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from math import prod
from typing import Any

import numpy as np

from . import ops
from .binding import check_function
from .data import raw_of, shape_of
from .errors import GradientWarning, ShapeError, UnsupportedError
from .linearization import Argnums, Linearization, matched
from .node import Node
from .term import Term
from .tree import leaves, rebuild

Function = Callable[..., Any]


def grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function that computes the gradient of a scalar-valued f.

    Args:
        f: returns a single number (of shape (), (1,), (1, 1), ...); with has_aux (number, auxiliary data).
        argnums: the argument to differentiate with respect to: its position, the name of a keyword argument, or a tuple of
            these, for a tuple of gradients.
        has_aux: f returns auxiliary data too; the result is (gradients, aux).

    Returns:
        function of the same arguments; gradients have the structure, shapes and dtypes of the chosen arguments.

    Raises (when called):
        ShapeError: if the result is not a single number: use jacobian, or vjp.
        DTypeError: if an argument holds integers or anything else that has no gradient.

    Warns:
        GradientWarning: if the result does not depend on the argument; the gradient is 0.

    >>> grad(lambda w, x: (w["a"] * x + w["b"]) ** 2)({"a": 3.0, "b": 1.0}, 2.0)
    {'a': 28.0, 'b': 14.0}
    """
    both = _value_and_grad("grad", f, argnums, has_aux)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


def value_and_grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function that computes (result, gradient) of f in one run; see `grad`. With has_aux ((result, aux), gradient).

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    return _value_and_grad("value_and_grad", f, argnums, has_aux)


def _value_and_grad(name: str, f: Function, argnums: Argnums, has_aux: bool, warn: bool = True) -> Function:
    check_function(name, f)

    @wraps(f)
    def both(*args: Any, **kwargs: Any) -> Any:
        run = Linearization(name, f, args, kwargs, argnums, has_aux)
        y = run.output
        if not isinstance(y, (Node, Term, float, int, np.ndarray, np.generic)):
            remedy = "return a single number, or (number, anything) with has_aux=True"
            raise UnsupportedError(f"{name}: f returned a {type(y).__name__}; {remedy}")
        shape = np.shape(raw_of(y))
        if prod(shape) != 1:
            remedy = "reduce it with .sum(), or use jacobian or vjp"
            raise ShapeError(f"{name}: f returned shape {shape}, expected a single number; {remedy}")
        seeds = [(y, ops.ones_like(y))] if isinstance(y, Node) else []
        gradients = run.pull(seeds, run.recorded, release=True)
        if warn:
            _warn_of_unreached(run, gradients)
        value = run.results(y)
        gradient = run.like_arguments(gradients, run.recorded)
        return ((value, run.results(run.aux)) if has_aux else value), gradient

    return both


def derivative(f: Function, argnums: Argnums = 0) -> Function:
    """The function that computes the derivative of an elementwise f: f'(x) for a number x, and for each element of an array.

    It takes one run of f and two backward passes, the second of which verifies that no element of the result depends on another
    element of the argument.

    Args:
        f: elementwise function of numbers and arrays: its result has the shape of the argument.
        argnums: the argument to differentiate with respect to, as for `grad`; a tuple gives a tuple of partial derivatives.

    Returns:
        function of the same arguments; derivatives have the shape of the result.

    Raises (when called):
        ShapeError: if the result and an argument differ in shape, or f mixes elements: use grad, or jacobian.
        DTypeError: if an argument is an array of integers or anything else that has no gradient.
        UnsupportedError: if an argument is a tuple, a list or a dictionary.

    >>> derivative(np.tanh)(0.0), derivative(derivative(lambda x: x**3))(np.array([1.0, 2.0]))
    (1.0, array([ 6., 12.]))
    """

    @wraps(f)
    def slope(*args: Any, **kwargs: Any) -> Any:
        run = Linearization("derivative", f, args, kwargs, argnums)
        _check_shapes(run)
        y = run.output
        seeds = [(y, ops.ones_like(y))] if isinstance(y, Node) else []
        weighted = [(y, _weights(y))] if isinstance(y, Node) else []
        expected = run.pull(weighted, False)  # sᵀJ is s times 1ᵀJ, if J is diagonal
        gradients = run.pull(seeds, run.recorded, release=True)
        for g, h in zip(gradients, expected, strict=True):
            if g is not None and not _alike(weighted[0][1] * raw_of(g), raw_of(h)):
                raise ShapeError(
                    "derivative: f is not elementwise, since an element of its result depends on several elements of the "
                    f"argument; {_NOT_ELEMENTWISE}"
                )
        _warn_of_unreached(run, gradients)
        return run.like_arguments(gradients, run.recorded)

    return slope


_NOT_ELEMENTWISE = "use grad for the gradient of one number, or jacobian for every partial derivative"


def _check_shapes(run: Linearization) -> None:
    """Raise an error if an argument is a tree, or f's result is not an array of the shape of each argument."""
    for key, x in run.chosen.items():
        if isinstance(x, (tuple, list, dict)):
            got = f"argument {key!r} is a {type(x).__name__}, expected a number or an array"
            raise UnsupportedError(f"{run.name}: {got}; {_NOT_ELEMENTWISE}")
        if not isinstance(run.output, (Node, Term, float, int, np.ndarray, np.generic)):
            got = f"f returned a {type(run.output).__name__}, expected a number or an array"
            raise UnsupportedError(f"{run.name}: {got}; {_NOT_ELEMENTWISE}")
        shape, expected = np.shape(raw_of(run.output)), np.shape(raw_of(x))
        if shape != expected:
            got = f"f returned shape {shape} for argument {key!r} of shape {expected}, expected equal shapes"
            raise ShapeError(f"{run.name}: {got}; {_NOT_ELEMENTWISE}")


def _weights(y: Node) -> Any:
    """Weights that differ from element to element: of 1, -1, 2 and -2, since products with them are exact."""
    ones = np.ones_like(y.raw)
    places = np.random.default_rng(0).permutation(ones.size) % 4
    return np.array([1, -1, 2, -2], ones.dtype)[places].reshape(ones.shape)[()]


def _alike(a: Any, b: Any) -> bool:
    """Whether two gradients are equal, apart from numbers so small that they lose digits."""
    return np.allclose(a, b, rtol=1e-6, atol=float(np.finfo(np.asarray(a).dtype).tiny), equal_nan=True)


def vjp(f: Function, *primals: Any, has_aux: bool = False, **kwargs: Any) -> Any:
    """Run f and return (y, pull), or (y, pull, aux): pull(g) is gᵀJ, with J the Jacobian of f, without forming J.

    Args:
        f: function of the primals that returns any tree of numbers; keyword arguments are passed on to it.
        primals: its arguments, all differentiated.
        has_aux: f returns (result, auxiliary data).

    Returns:
        y as f returns it, and pull, which maps a tree of weights g, shaped like y, to a tuple of gradients, one per primal. It
        can be called repeatedly. It raises ShapeError if g does not have y's structure and shapes.

    >>> y, pull = vjp(lambda a, b: a * b, 3.0, 4.0)
    >>> y, pull(1.0)
    (12.0, (4.0, 3.0))
    """
    run, pull = _vjp("vjp", "weights", f, primals, kwargs, has_aux)
    y = run.results(run.output)
    return (y, pull, run.results(run.aux)) if has_aux else (y, pull)


def _vjp(
    name: str, what: str, f: Function, primals: tuple[Any, ...], kwargs: dict[str, Any], has_aux: bool = False
) -> tuple[Linearization, Function]:
    """A run of f, and the function that maps weights of its results (`what` in messages) to a tuple of gradients."""
    run = Linearization(name, f, primals, kwargs, tuple(range(len(primals))), has_aux)

    def pull(g: Any) -> tuple[Any, ...]:
        seeds = matched(name, what, g, run.output)
        recorded = run.records(seed for _, seed in seeds)
        of_values = [(y, seed) for y, seed in seeds if isinstance(y, Node)]  # the others are constants
        return tuple(run.like_arguments(run.pull(of_values, recorded), recorded))

    return run, pull


def jvp(f: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...], has_aux: bool = False) -> Any:
    """Run f and return (y, Jv), or (y, Jv, aux): Jv is the derivative of y along the tangents v.

    Two passes of reverse mode: gᵀJ is linear in g, and the gradient of (gᵀJ)v with respect to g is Jv.

    Args:
        f: function of the primals that returns any tree of numbers.
        primals: tuple of its arguments, all differentiated.
        tangents: tuple of the same structure and shapes.
        has_aux: f returns (result, auxiliary data).

    Raises:
        ShapeError: if tangents and primals differ in structure or shape.

    >>> jvp(lambda x: x**2, (3.0,), (1.0,))
    (9.0, 6.0)
    """
    _check_tuples("jvp", primals, tangents)
    run = Linearization("jvp", f, primals, {}, tuple(range(len(primals))), has_aux)
    given = rebuild(run.chosen, iter(run.inputs))
    directions = matched("jvp", "tangents", tuple(tangents), tuple(given.values()))
    recorded = run.records(v for _, v in directions)

    def pull(*weights: Any) -> list[Any]:
        return run.pull(zip(outputs, weights, strict=True), recorded=True)

    outputs = [y for _, y in leaves(run.output) if isinstance(y, Node)]
    back = Linearization("jvp", pull, tuple([ops.ones_like(y) for y in outputs]), {}, tuple(range(len(outputs))))
    seeds = [(g, v) for g, (_, v) in zip(back.output, directions, strict=True) if isinstance(g, Node)]
    found = iter(back.pull(seeds, recorded))
    changes = []
    for _, y in leaves(run.output):
        change = next(found) if isinstance(y, Node) else None
        constant = ops.zeros_like(y) if isinstance(y, Node) else np.zeros(np.shape(y))[()]
        changes.append(run.result(constant if change is None else change, recorded))
    y, change = run.results(run.output), rebuild(run.output, iter(changes))
    return (y, change, run.results(run.aux)) if has_aux else (y, change)


def jacobian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function that computes all partial derivatives of f's result, with one backward pass per element of the result.

    Args:
        f: returns a tree of numbers and arrays; with has_aux (tree, auxiliary data).
        argnums: as for `grad`.
        has_aux: f returns auxiliary data too; the result is (Jacobians, aux).

    Returns:
        function of the same arguments. For a result of shape s and an argument of shape t the Jacobian has shape s + t; it
        has the structure of the result, with the structure of the argument in place of each leaf.

    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return _jacobian("jacobian", f, argnums, has_aux)


def _jacobian(name: str, f: Function, argnums: Argnums, has_aux: bool = False, warn: bool = True) -> Function:
    check_function(name, f)

    @wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = Linearization(name, f, args, kwargs, argnums, has_aux)
        reached: list[Any] = [None] * len(run.inputs)
        blocks = []
        for _, y in leaves(run.output):
            rows = [run.pull([(y, seed)], run.recorded) for seed in _basis(y)] if isinstance(y, Node) else []
            columns: list[Any] = [None if not rows else [row[i] for row in rows] for i in range(len(run.inputs))]
            for i, column in enumerate(columns):
                if column is not None and any(g is not None for g in column):
                    reached[i] = True
            shape = np.shape(raw_of(y))
            parts = [_block(column, x, shape, run.recorded) for column, x in zip(columns, run.inputs, strict=True)]
            blocks.append(run.like_arguments(parts, run.recorded))
        if warn:
            _warn_of_unreached(run, reached)
        tree = rebuild(run.output, iter(blocks))
        return (tree, run.results(run.aux)) if has_aux else tree

    return matrix


def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """The function that computes all second derivatives of a scalar-valued f.

    Returns:
        function of the same arguments. For an argument of shape t the Hessian has shape t + t; for a tree of arguments it is
        a tree of trees. For n numbers it takes n + 1 times the work of a gradient.

    >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    both = _value_and_grad("hessian", f, argnums, False, warn=False)
    return _jacobian("hessian", wraps(f)(lambda *args, **kwargs: both(*args, **kwargs)[1]), argnums, warn=False)


def hvp(f: Function, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, ...]:
    """The product H v of the Hessian of f with a vector, without forming H: the gradient of (gradient of f)ᵀ v.

    Args:
        f: scalar-valued function of the primals.
        primals: tuple of its arguments.
        tangents: v, a tuple of the same structure and shapes.

    Returns:
        tuple of the same structure. It takes a few times the work of a gradient, independent of the size of H. Source:
        Pearlmutter, Neural Computation 6 (1994).

    >>> hvp(lambda x: (x**3).sum(), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    (array([ 6., 12.]),)
    """
    _check_tuples("hvp", primals, tangents)
    both = _value_and_grad("hvp", f, tuple(range(len(primals))), False, warn=False)
    _, pull = _vjp("hvp", "tangents", lambda *args: both(*args)[1], tuple(primals), {})
    product: tuple[Any, ...] = pull(tuple(tangents))
    return product


def _basis(y: Node) -> list[Any]:
    """For each element of y the array that is 1 there and 0 elsewhere."""
    shape = shape_of(y.raw)
    if not shape:
        return [ops.ones_like(y)]
    seeds = []
    for i in range(prod(shape)):
        seed = np.zeros(prod(shape), y.raw.dtype)
        seed[i] = 1
        seeds.append(seed.reshape(shape))
    return seeds


def _block(rows: list[Any] | None, x: Node, shape: tuple[int, ...], recorded: bool) -> Any:
    """The Jacobian of one result of a shape with respect to one input, from its rows (None for a row of zeros)."""
    whole = (*shape, *shape_of(x.raw))
    if not rows or all(row is None for row in rows):
        return np.zeros(whole, np.asarray(x.raw).dtype) if whole else ops.zeros_like(x)
    filled = [ops.zeros_like(x) if row is None else row for row in rows]
    if not shape:
        return filled[0]
    stacked = ops.stack(filled) if recorded else np.stack(filled)
    return ops.reshape(stacked, whole)


def _warn_of_unreached(run: Linearization, gradients: list[Any]) -> None:
    for key in run.unreached(gradients):
        message = f"{run.name}: the result of f does not depend on argument {key!r}, so its gradient is 0"
        warnings.warn(message, GradientWarning, stacklevel=1)  # the user's line: attribution.py


def _check_tuples(name: str, primals: Any, tangents: Any) -> None:
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise UnsupportedError(
                f"{name}: {what} is a {type(given).__name__}, expected a tuple, one per argument of f: (x,)"
            )
