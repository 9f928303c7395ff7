"""What errors say: each names the operation that the user called, once, and no other."""

import re
import traceback

import numpy as np
import pytest

import tinygrad_edu as tg
from tinygrad_edu import DefinitionError, DTypeError, ShapeError, TinygradError, Value, registry
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
