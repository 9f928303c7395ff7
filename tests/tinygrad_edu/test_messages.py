"""What errors say: each names the operation that the user called, once, and no other."""

import re
import traceback

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import (
    DefinitionError,
    DTypeError,
    MatrixError,
    OutOfBoundsError,
    ShapeError,
    TinygradError,
    Value,
    registry,
)
from tinygrad_edu.testing.strategies import fixed_calls

RAGGED = [[1.0], [2.0, 3.0]]
BAD_ARRAYS = ("text", None, 1j, object(), np.array(["a"]), np.ones(3, complex), RAGGED, np.ones((7, 5, 3)), np.ones(0))
BAD_PARAMETERS = ("text", None, -99, 2.5, (0, 0), object(), [[]])
NAMED = re.compile(r"(?<![\w.])(" + "|".join(sorted(registry, key=len, reverse=True)) + r"): ")


def corrupted(name):
    """Calls of an op of which one array or parameter is not what it takes."""
    function = registry[name]
    for call in fixed_calls(function.op, 2, min_side=2):
        args, kwargs = call.arguments(call.inputs)
        for i in range(len(args)):
            for bad in BAD_ARRAYS:
                yield (*args[:i], bad, *args[i + 1 :]), kwargs
        for key in kwargs:
            for bad in BAD_PARAMETERS:
                yield args, kwargs | {key: bad}
        yield args, kwargs | {"nonsense": 1}
        yield (*args, *[1.0] * 12), kwargs
        yield (), kwargs


def called(name, args, kwargs):
    """The public function in the form that users call it."""
    function = registry[name]
    if function.op.listed:
        return function(list(args), **kwargs)
    if name == "einsum":
        kwargs = dict(kwargs)
        return function(kwargs.pop("subscripts"), *args, **kwargs)
    return function(*args, **kwargs)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", registry)
def test_messages_name_only_the_called_operation(name):
    found = 0
    for args, kwargs in corrupted(name):
        for values in (False, True):
            given = [Value(x) if values and isinstance(x, np.ndarray) and x.dtype == float else x for x in args]
            try:
                called(name, given, kwargs)
            except TinygradError as error:
                found += 1
                text = str(error)
                assert text.startswith(f"{name}: "), text
                assert not NAMED.findall(text[len(name) + 2 :]), text
            except Exception:  # a bare error names nothing
                pass
    assert found


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: np.linalg.solve(v, np.ones(5)), r"^np\.linalg\.solve: got \(2, 2\) and \(5,\)"),
        (lambda v: np.concatenate([v, np.ones(5)]), r"^np\.concatenate: all the input array"),
        (lambda v: v[7], r"^v\[index\]: index 7"),
        (lambda v: v.at[7].set(0.0), r"^at\(\.\.\.\)\.set: index 7"),
        (lambda v: tg.embedding(v, [0, 9]), r"^embedding: got indices from 0 to 9, expected 0 to 1$"),
        (lambda v: tg.take(v, 9), r"^take: index 9 is out of bounds"),
        (lambda v: tg.hstack([v, np.ones((3, 1))]), r"^hstack: all the input array"),
        (lambda v: tg.one_hot([0.5]), r"^one_hot: labels are float64"),
        (lambda v: tg.qr(v, mode="full"), r"^qr: got mode='full'"),
        (lambda v: v + np.ones(3), r"^add: shapes \(2, 2\) and \(3,\) do not broadcast"),
    ],
)
def test_messages_use_the_called_name(call, message):
    with pytest.raises(TinygradError, match=message):
        call(Value(np.array([[2.0, 1.0], [1.0, 3.0]])))


def test_rule_errors_name_the_called_operation():
    x = Value(np.ones((3, 2)))
    q, _ = tg.qr(x)
    with pytest.raises(tg.GraphError, match=r"^backward through qr: the first 2 columns"):
        q.sum().backward()


# -- A user's own op ---------------------------------------------------------------------------------------------------


def define(forward=None, rule=lambda g, y, x: g):
    def own(x, /):
        """x, if all is well."""
        return x if forward is None else forward(x)

    return tg.elementwise(rules=(rule,))(own)


def lines_of(error):
    return [frame.line for frame in traceback.extract_tb(error.__traceback__)] + [
        frame.line for frame in traceback.extract_tb(error.__cause__.__traceback__ if error.__cause__ else None)
    ]


def fails(x):
    return np.reshape(x, (17, 19))  # the failing line of a user


@pytest.mark.usefixtures("temporary")
def test_user_op_error_shows_name_and_line():
    with pytest.raises((ShapeError, DTypeError), match=r"^own: cannot reshape") as caught:
        define(fails)(Value(np.ones(3)))
    assert any("the failing line of a user" in line for line in lines_of(caught.value))


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    "error", [ValueError("odd"), TypeError("odd"), KeyError("odd"), ZeroDivisionError("odd"), ShapeError("odd")]
)
def test_user_rule_error_shows_name_and_line(error):
    def rule(g, y, x):
        raise error  # the failing line of a rule

    with pytest.raises(type(error)) as caught:
        define(rule=rule)(Value(np.ones(3))).sum().backward()
    shown = "".join(traceback.format_exception(caught.value))
    assert caught.value is error
    assert "in a gradient rule of own" in shown or "backward through own: odd" in shown
    assert "the failing line of a rule" in shown


@pytest.mark.usefixtures("temporary")
def test_derived_user_op_is_named_in_errors():
    @tg.derived()
    def twice_joined(x, /):
        """x below itself, with an error for scalars."""
        return tg.concatenate([x, x], axis=0)

    with pytest.raises(ShapeError, match=r"^twice_joined: zero-dimensional"):
        twice_joined(Value(2.0))


def test_definition_errors_state_the_remedy():
    with pytest.raises(DefinitionError, match=r"own: no positional-only parameter, .*write def own\(x\)|/\)"):

        @tg.elementwise(rules=(lambda g, y, x: g,))
        def own(x):
            """Nothing happens to x."""
            return x


# -- Errors that are not the package's ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda v: tg.sum(v, axis="x"),
            DTypeError,
            r"^sum: got axis='x', expected an integer, a tuple of integers or None$",
        ),
        (lambda v: tg.sum(v, keepdims="x"), DTypeError, r"^sum: got keepdims='x', expected True or False$"),
        (lambda v: tg.cumsum(v, axis=(0, 1)), DTypeError, r"^cumsum: got axis=\(0, 1\), expected an integer or None$"),
        (
            lambda v: tg.sum(v, axis=10**30),
            TinygradError,
            r"^sum: Python int too large .*; got x of shape \(2, 2\), axis=10{30}; see",
        ),
        (
            lambda v: tg.reshape(v, (3,)),
            ShapeError,
            r"^reshape: cannot reshape .*; got x of shape \(2, 2\), shape=\(3,\)",
        ),
        (
            lambda v: tg.norm(v, ord=np.ones(2)),
            ShapeError,
            r"^norm: got ord=an array of shape \(2,\), expected a number or text",
        ),
        (lambda v: v["a"], TinygradError, r"^v\[index\]: only integers, .*; got x of shape \(2, 2\), index='a'"),
        (lambda v: tg.eigvalsh(v, UPLO=1.0), TinygradError, r"^eigvalsh: got UPLO=1.0, expected 'L' or 'U'"),
        (
            lambda v: registry["conv"](1.0, v, stride=(1,), padding=((0, 0),), dilation=(1,), groups=1),
            DTypeError,
            r"^conv: expected arrays; got x=1.0, weight of shape",
        ),
        (
            lambda v: registry["max_pool"](2, kernel=(1,), stride=(1,), padding=((0, 0),), dilation=(1,)),
            DTypeError,
            r"^max_pool: expected arrays; got x=2",
        ),
        (
            lambda v: tg.max_pool1d(v[None], 2, stride=10**30),
            ShapeError,
            r"^max_pool1d: got stride=10{30}, expected an integer of at least 1",
        ),
        (lambda v: tg.svdvals(v * np.inf), MatrixError, r"^svdvals: a matrix is not finite"),  # LAPACK may not return
        (
            lambda v: tg.delete(v, 7, axis=0),
            OutOfBoundsError,
            r"^delete: index 7 is out of bounds .*; got x of shape \(2, 2\), axis=0, obj=7",
        ),
    ],
)
def test_foreign_errors_say_what_the_call_got(call, kind, message):
    with pytest.raises(kind, match=message) as caught:
        call(Value(np.array([[2.0, 1.0], [1.0, 3.0]])))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_memory_errors_keep_their_type_and_get_a_note():
    with pytest.raises(MemoryError) as caught:
        tg.broadcast_to(Value(1.0), (2**40, 2**15))
    assert caught.value.__notes__ == ["in broadcast_to: got x=1.0, shape=(1099511627776, 32768)"]


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("kind", [AttributeError, KeyError, RuntimeWarning])
def test_other_errors_of_a_user_op_keep_their_type(kind):
    def fail(x):
        raise kind("odd")

    with pytest.raises(kind, match="odd") as caught:
        define(fail)(Value(np.ones(3)))
    assert getattr(caught.value, "__notes__", []) == ([] if kind is RuntimeWarning else ["in own: got x of shape (3,)"])


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    ("error", "kind"),
    [(ValueError("odd"), ShapeError), (AttributeError("odd"), DTypeError), (OverflowError("odd"), OutOfBoundsError)],
)
def test_foreign_errors_of_a_built_in_rule_name_the_operation(error, kind, monkeypatch):
    def rule(g, y, x):
        raise error

    y = define(rule=rule)(Value(np.ones(3))).sum()
    monkeypatch.setattr("tinygrad_edu.graph.is_built_in", lambda op: True)
    monkeypatch.setattr("tinygrad_edu.misuse.is_built_in", lambda op: True)
    with pytest.raises(kind, match=r"^backward through own: .*; got x of shape \(3,\); see help\(own\)$"):
        y.backward()


def test_refused_second_derivatives_of_vectors_are_named():
    x = Value(np.eye(2))
    tg.svdvals(x).sum().backward(create_graph=True)
    with pytest.raises(tg.GraphError, match="^backward: singular values 0 and 1 of a matrix are equal"):
        x.grad.sum().backward()


# -- Values and sequences in place of plain numbers --------------------------------------------------------------------

PLAIN = [
    (name, option) for name, function in registry.items() for option in function.op.parameters.plain if name != "einsum"
]


@pytest.mark.parametrize(("name", "option"), PLAIN)
def test_a_value_as_a_plain_parameter_is_refused(name, option):
    call = next(call for call in fixed_calls(registry[name].op, 40, min_side=2))
    args, kwargs = call.arguments(call.inputs)
    for given in (Value(1.0), Value(np.ones(2)), Value(np.ones(2), requires_grad=False)):
        for wrapped in (args, [Value(x) if isinstance(x, np.ndarray) and x.dtype == float else x for x in args]):
            with pytest.raises(
                tg.UnsupportedError, match=rf"^{name}: got a Value as {option}=, expected .*; pass value.item\(\)$"
            ):
                called(name, wrapped, kwargs | {option: given})
    for given in ([1.0, 2.0], (1,), range(2), bytearray(b"ab")):
        with pytest.raises(DTypeError, match=rf"^{name}: got {option}=.*, expected"):
            called(name, args, kwargs | {option: given})


@pytest.mark.parametrize(
    "call",
    [
        lambda v: tg.elu(v, Value(1.0)),
        lambda v: tg.elu(v, alpha=Value(1.0)),
        lambda v: tg.hardtanh(v, -1.0, Value(1.0)),
        lambda v: tg.layer_norm(v, eps=Value(1e-5)),
        lambda v: tg.round(v, Value(1.0)),
        lambda v: tg.std(v, ddof=Value(1.0)),
        lambda v: v.round(decimals=Value(1.0)),
        lambda v: np.round(v, Value(1.0)),
        lambda v: tg.dropout(v, Value(0.5), 0),
    ],
)
def test_a_value_as_a_parameter_in_every_form_of_a_call(call):
    with pytest.raises(tg.UnsupportedError, match=r": got a Value as \w+=, expected \w+, as no gradient flows to it"):
        call(Value(np.ones((2, 2))))


def test_values_that_gradient_flows_to_are_accepted():
    x, w = Value(np.ones((2, 2))), Value(np.ones(2))
    tg.layer_norm(x, weight=w, bias=w).sum().backward()
    tg.average(x, axis=0, weights=w).sum().backward()
    assert w.grad is not None


@pytest.mark.parametrize("name", ["grad", "value_and_grad", "jacobian", "hessian", "vjp", "jvp", "hvp", "checkpoint"])
@pytest.mark.parametrize("f", [Value(1.0), None, 3, "f"])
def test_a_transform_of_no_function_is_refused(name, f):
    arguments = {"vjp": (1.0,), "jvp": ((1.0,), (1.0,)), "hvp": ((1.0,), (1.0,))}.get(name, ())
    with pytest.raises(
        tg.UnsupportedError, match=rf"^{name}: got {type(f).__name__} as f, expected a function; to differentiate"
    ):
        getattr(tg, name)(f, *arguments)
