"""Term: an expression instead of a number. Fed terms, NumPy code gives the expression that it would compute.

The third reading of a definition, beside arrays and Values: fed terms, an op's forward function and its rules give expressions,
from which follow formulas, the JavaScript of the pages, and which operands a rule reads (see reading.py).

A Term goes where arrays go: operators, methods, ufuncs and NumPy's functions, and ops, whose name it keeps. It knows its shape
and dtype, since NumPy computes them on numbers behind it. Nothing may look at these: a branch on a Term raises UnreadableError.
With `seen=`, the numbers behind it are those of a run.

>>> x = Term.symbol("x")
>>> np.exp(x) * (1 - x)
<term multiply(exp(x), subtract(1, x))>
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import numpy as np

from .domain import Shape
from .errors import UnreadableError

FROM_SHAPES = {np.shape, np.ndim, np.size, np.result_type, np.zeros_like, np.ones_like, np.empty_like, np.iscomplexobj}
_RENAMED = {
    "linalg.matrix_transpose": "matrix_transpose",
    "absolute": "abs",
    "true_divide": "divide",
    "around": "round",
}


class TermMet(Exception):  # noqa: N818  # no error: an op was called with a Term, and becomes one
    """An operand is a Term."""


class Term:
    """One node of an expression.

    Attributes:
        name: of the function, as in the op table or NumPy; or of the symbol.
        function: computes it from plain arguments; None for symbols and constants.
        args, params: its arguments, Terms and plain data, also in lists and tuples; and the keyword parameters.
        behind: the number or array behind it, which has its shape and dtype.
        seen: whether `behind` is what a run computed; else its numbers mean nothing.
    """

    __slots__ = ("args", "behind", "function", "name", "params", "seen")
    __hash__ = object.__hash__

    def __init__(
        self,
        name: str,
        function: Callable[..., Any] | None,
        args: tuple[Any, ...],
        params: Mapping[str, Any],
        behind: Any,
        seen: bool,
    ) -> None:
        self.name, self.function, self.args, self.params = name, function, args, params
        self.behind, self.seen = behind, seen

    @classmethod
    def symbol(cls, name: str, shape: Shape = (), dtype: Any = float, seen: Any = None) -> Term:
        """A variable: of a shape and dtype, or for a number or array that was seen in a run."""
        if seen is not None:
            return cls(name, None, (), {}, seen, True)
        numbers = np.random.default_rng(0).uniform(0.3, 0.7, shape).astype(dtype)
        if len(shape) > 1 and shape[-1] == shape[-2]:
            numbers = (numbers + 2 * np.eye(shape[-1])).astype(dtype)  # a matrix that has an inverse
        return cls(name, None, (), {}, numbers[()], False)

    @classmethod
    def call(cls, name: str, function: Callable[..., Any], args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """function(*args, **params) as a Term; a plain number where all arguments are."""
        found = list(terms((args, tuple(params.values()))))
        if name in _SIMPLER:
            simpler = _SIMPLER[name](*args)
            if simpler is not None:
                return simpler
        with np.errstate(all="ignore"):
            behind = function(*_plain(args), **{key: _plain(x) for key, x in params.items()})
        return cls(name, function, args, dict(params), behind, all(term.seen for term in found))

    def again(self, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """The same call of other arguments; a symbol itself."""
        return self if self.function is None else self.call(self.name, self.function, args, params)

    @property
    def shape(self) -> Shape:
        """() for a scalar."""
        return np.shape(self.behind)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return np.ndim(self.behind)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return int(np.size(self.behind))

    @property
    def dtype(self) -> np.dtype[Any]:
        """As NumPy's promotion has it."""
        return np.asarray(self.behind).dtype

    @property
    def T(self) -> Any:
        """The axes reversed."""
        return self.call("transpose", np.transpose, (self,), {})

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return self.call("matrix_transpose", np.matrix_transpose, (self,), {})

    def __getitem__(self, index: Any) -> Any:
        return self.call("getitem", operator.getitem, (self, index), {})

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self.behind)

    # Of a run (see compiling/traced.py); the engine asks these of Terms with `seen` alone.

    def as_result(self) -> Any:
        """This Term as the result of an operation."""
        return self

    def as_operand(self) -> Any:
        """This Term as an operand."""
        return self

    def as_leaf(self) -> Any:
        """This Term as the data of a leaf."""
        return self

    def constant(self, x: np.ndarray[Any, Any]) -> Any:
        """What stands for a constant operand in the rules of the call that computed this Term."""
        return x

    def called(self, name: str, function: Callable[..., Any], args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """A function that failed on Terms, as one call."""
        return self.call(name, function, args, params)

    def note_gradient(self, g: Any) -> None:
        """g is the gradient with respect to this Term."""

    def note_share(self, g: Any) -> None:
        """This Term is what an elementwise rule makes of the gradient g."""

    def as_number(self) -> Any:
        """This Term as a Python float."""
        return self

    def index_into(self, x: np.ndarray[Any, Any], index: Any) -> Any:
        """x[index] of a plain array, where this Term is a part of the index."""
        return self.call("getitem", operator.getitem, (x, index), {})

    def filled(self, shape: Shape) -> Any:
        """An array full of this number."""
        return self.call("broadcast_to", np.broadcast_to, (self, shape), {})

    def is_finite(self) -> bool:
        """Whether all its numbers are finite."""
        return True

    def of_number(self, scalar: Callable[..., Any], array: Callable[..., Any], *args: Any) -> Any:
        """An elementwise function that has a variant for Python's floats."""
        return array(*args)

    def __repr__(self) -> str:
        return f"<term {_text(self)}>"

    # -- NumPy's protocols ---------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **params: Any) -> Any:
        if "out" in params:
            raise UnreadableError(f"it writes into an array: np.{ufunc.__name__}(..., out=)")
        name = _RENAMED.get(ufunc.__name__, ufunc.__name__)
        if method == "__call__":
            return self.call(name, ufunc, args, params)
        name = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}.get(name, name)
        return self.call(name if method == "reduce" else f"{name}.{method}", getattr(ufunc, method), args, params)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], params: Any) -> Any:
        if function in FROM_SHAPES:
            return function(*_plain(args), **{key: _plain(x) for key, x in params.items()})
        module = function.__module__.removeprefix("numpy").removeprefix(".")
        name = f"{module}.{function.__name__}" if module else function.__name__
        return self.call(_RENAMED.get(name, name.rpartition(".")[2]), function, args, params)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise UnreadableError("it makes an array of an operand: np.asarray(x)")

    def __getattr__(self, name: str) -> Any:
        """A method of arrays: sum, reshape, astype, ..."""
        function = getattr(np, name, None)
        if isinstance(function, np.ufunc):  # x.tanh(), as a Value has it
            return lambda *args: function(self, *args)
        method = getattr(np.ndarray, name, None)
        if name.startswith("_") or not callable(method):
            raise AttributeError(f"a Term has no attribute {name!r}")

        def call(*args: Any, **params: Any) -> Any:
            if name == "reshape" and len(args) > 1:
                args = (args,)
            return self.call(
                name, lambda x, *rest, **how: getattr(np.asarray(x), name)(*rest, **how), (self, *args), params
            )

        return call

    # -- What cannot be read -------------------------------------------------------------------------------------------

    def _looked_at(self, *args: Any) -> NoReturn:
        raise UnreadableError(f"it looks at numbers: {_text(self)}")

    __bool__: Any = _looked_at
    __int__: Any = _looked_at
    __float__: Any = _looked_at
    __index__: Any = _looked_at
    __setitem__: Any = _looked_at


def _binary(name: str, function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: a.call(name, function, (a, b), {})


def _reflected(name: str, function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: a.call(name, function, (b, a), {})


def _unary(name: str, function: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda x: x.call(name, function, (x,), {})


_OPERATORS: dict[str, np.ufunc] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "pow": np.power,
    "matmul": np.matmul,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}
_COMPARISONS: dict[str, np.ufunc] = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}
for _key, _ufunc in (_OPERATORS | _COMPARISONS).items():
    setattr(Term, f"__{_key}__", _binary(_ufunc.__name__, _ufunc))
    if _key in _OPERATORS:
        setattr(Term, f"__r{_key}__", _reflected(_ufunc.__name__, _ufunc))
for _key, _ufunc in {"neg": np.negative, "pos": np.positive, "invert": np.bitwise_not, "abs": np.absolute}.items():
    setattr(Term, f"__{_key}__", _unary(_RENAMED.get(_ufunc.__name__, _ufunc.__name__), _ufunc))


# -- Expressions simpler by an exact law -------------------------------------------------------------------------------


def _is(x: Any, number: float) -> bool:
    return not isinstance(x, Term) and np.ndim(x) == 0 and type(x) is not bool and bool(x == number)


def _product(a: Any, b: Any) -> Any:
    if _is(a, 1) and isinstance(b, Term) and b.dtype != bool:
        return b
    if _is(b, 1) and isinstance(a, Term) and a.dtype != bool:
        return a
    if _is(a, -1) and isinstance(b, Term) and b.dtype != bool:
        return b.call("negative", np.negative, (b,), {})
    return None


def _negative(x: Any) -> Any:
    return x.args[0] if isinstance(x, Term) and x.name == "negative" else None


_SIMPLER: dict[str, Callable[..., Any]] = {
    "multiply": _product,
    "divide": lambda a, b: a if _is(b, 1) else None,
    "power": lambda a, b: a if _is(b, 1) else None,
    "negative": _negative,
    "positive": lambda x: x,
}


# -- Walking -----------------------------------------------------------------------------------------------------------


def terms(x: Any) -> Iterator[Term]:
    """The Terms in arguments, also within lists and tuples."""
    if isinstance(x, Term):
        yield x
    elif isinstance(x, (tuple, list)):
        for part in x:
            yield from terms(part)
    elif isinstance(x, dict):
        yield from terms(list(x.values()))
    elif isinstance(x, slice):
        yield from terms((x.start, x.stop, x.step))


def a_term(*arguments: Any) -> Term | None:
    """The first of the Terms in arguments that carries the numbers of a run."""
    return next((term for term in terms(arguments) if term.seen), None)


def changed(x: Any, change: Callable[[Term], Any]) -> Any:
    """Arguments with change(term) in place of each Term, also within lists and tuples."""
    if isinstance(x, Term):
        return change(x)
    if isinstance(x, slice):
        return slice(*[changed(part, change) for part in (x.start, x.stop, x.step)])
    if type(x) is dict:
        return {key: changed(part, change) for key, part in x.items()}
    if type(x) in (tuple, list):
        return type(x)([changed(part, change) for part in x])
    return x._make([changed(part, change) for part in x]) if hasattr(x, "_make") else x


def _plain(x: Any) -> Any:
    """Arguments with the numbers behind in place of Terms."""
    return changed(x, lambda term: term.behind)


def walk(*results: Any) -> list[Term]:
    """All Terms that results are made of, each once, operands before what is computed from them."""
    order: list[Term] = []
    met: set[Term] = set()
    waiting = [(term, False) for term in terms(list(results))]
    while waiting:
        term, ready = waiting.pop()
        if ready:
            order.append(term)
        elif term not in met:
            met.add(term)
            waiting.append((term, True))
            waiting += [(x, False) for x in terms((term.args, tuple(term.params.values())))]
    return order


def replaced(result: Any, change: Callable[[Term, tuple[Any, ...], dict[str, Any]], Any]) -> Any:
    """An expression with change(term, args, params) in place of each Term, where those of its operands are in args and params."""
    found: dict[Term, Any] = {}
    for term in walk(result):
        args, *params = changed((term.args, *term.params.values()), found.__getitem__)
        found[term] = change(term, args, dict(zip(term.params, params, strict=True)))
    return changed(result, found.__getitem__)


def symbols(*results: Any) -> set[str]:
    """The names of the symbols in results."""
    return {term.name for term in walk(*results) if term.function is None}


def evaluate(result: Any, numbers: Mapping[str, Any]) -> Any:
    """The number or array of an expression, given those of its symbols by name."""

    def number(term: Term, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        return term.function(*args, **params) if term.function else numbers[term.name]

    return replaced(result, number)


def _text(x: Any) -> str:
    """For messages: as nested calls."""
    if not isinstance(x, Term):
        return f"{x!r:.20}"
    return x.name if x.function is None else f"{x.name}({', '.join(map(_text, x.args))})"
