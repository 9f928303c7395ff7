"""Expressions from text: what is accepted equals Python's own arithmetic, and all else is refused at the right character."""

import ast
import contextlib
import inspect
import io
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinygrad_edu import ExpressionError, parsing, registry
from tinygrad_edu.parsing import CONSTANTS, MAX_LENGTH, MAX_PARENTHESES, MAX_WORDS, evaluate, functions

VARIABLES = {"a": 2.0, "b": -3.0, "c": 10.0}

# -- What is accepted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a*b + c", 4.0),
        ("a-b-c", -5.0),
        ("-a**2", -4.0),
        ("(-a)**2", 4.0),
        ("2**-a", 0.25),
        ("2**3**a", 512.0),
        ("c/a/5", 1.0),
        ("a/-b", 2 / 3),
        ("+a", 2.0),
        ("--a", 2.0),
        ("- +-a", 2.0),
        ("  \t a+ 1", 3.0),
        ("a  \t", 2.0),
        ("tanh (a*b + c)", math.tanh(4)),
        ("maximum(a, maximum(b, c),)", 10.0),
        ("clip(c, -1, 1)", 1.0),
        ("clip(c)", 10.0),
        ("2*pi*e", 2 * math.pi * math.e),
        ("7", 7.0),
        ("1_000 + .5 + 1. + 1e-3", 1001.501),
        ("0" * 2000, 0.0),
        ("1" * 300, float("1" * 300)),
        ("(" * MAX_PARENTHESES + "a" + ")" * MAX_PARENTHESES, 2.0),
        ("-" * (MAX_WORDS - 1) + "a", -2.0),
        ("a" + "+a" * (MAX_WORDS // 2 - 1), float(MAX_WORDS)),
        ("1" + "**a" * (MAX_WORDS // 2 - 1), 1.0),
        (" " * (MAX_LENGTH - 1) + "a", 2.0),
    ],
    ids=lambda x: str(x)[:25],
)
def test_accepts(text, expected):
    y, _ = evaluate(text, VARIABLES)
    assert type(y.data) is float
    assert y.data == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", functions())
def test_every_function_is_the_op_of_that_name(name):
    args = list(VARIABLES)[: len(registry[name].op.arrays)]
    y, leaves = evaluate(f"{name}({', '.join(args)})", VARIABLES)
    with np.errstate(all="ignore"):  # arcsin(2) is NaN
        expected = registry[name](*[leaves[arg] for arg in args])
    assert repr(y) == repr(expected)
    assert y.inputs == expected.inputs


def test_functions_come_from_the_op_table():
    assert {"tanh", "maximum", "log1p"} <= set(functions())
    assert not {"where", "sum", "matmul"} & set(functions())
    assert all(inspect.getdoc(function) for function in functions().values())


def test_result_is_recorded_and_differentiable():
    y, leaves = evaluate("tanh(a*b + c)", {"a": 2, "b": -3, "c": 10})
    y.backward()
    slope = 1 - math.tanh(4) ** 2
    assert list(leaves) == ["a", "b", "c"]
    assert [leaf.name for leaf in leaves.values()] == ["a", "b", "c"]
    assert [leaf.grad for leaf in leaves.values()] == pytest.approx([-3 * slope, 2 * slope, slope])


def test_unused_variable_is_allowed():
    y, leaves = evaluate("a", VARIABLES)
    assert y is leaves["a"]
    y.backward()
    assert leaves["b"].grad is None


def test_constants_alone_make_a_constant():
    y, leaves = evaluate("2*pi", {})
    assert (y.data, y.requires_grad, leaves) == (2 * math.pi, False, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a**400", math.inf),
        ("-a**400", -math.inf),
        ("a/(a-a)", math.inf),
        ("log(-a)", math.nan),
        ("(-a)**0.5", math.nan),
    ],
)
def test_variables_overflow_as_in_numpy(text, expected):
    y, leaves = evaluate(text, {"a": 10.0})
    y.backward()
    assert y.data == pytest.approx(expected, nan_ok=True)
    assert type(leaves["a"].grad) is float


# -- What is refused ---------------------------------------------------------------------------------------------------

WORD, OTHER, GRAMMAR = "a word of Python", "is not arithmetic", "not an expression"
REFUSED = [
    # nothing there
    ("", None, "empty"),
    ("   ", None, "empty"),
    # too large, each found before Python's parser or any arithmetic sees it
    ("9**9**9**9", 3, "a constant must be finite"),
    ("10**10**10", 0, "a constant must be finite"),
    ("a + 9**9**9**9", 7, "a constant must be finite"),
    ("9" * 5000, 0, "too large for a float"),
    ("a*" + "9" * 400, 2, "too large for a float"),
    ("1e999", 0, "too large for a float"),
    ("a+" * 5000 + "a", MAX_LENGTH, "longer than 10,000 characters"),
    ("a" * 50_000, MAX_LENGTH, "longer than 10,000 characters"),
    ("a+" * 500 + "a", MAX_WORDS, "more than 1,000 numbers, names and symbols"),
    ("-" * 9_999 + "a", MAX_WORDS, "more than 1,000 numbers, names and symbols"),
    ("-" * 10_000 + "a", MAX_LENGTH, "longer than 10,000 characters"),
    ("(" * 5_000 + ")" * 5_000, MAX_PARENTHESES, "more than 100 open parentheses"),
    ("(" * 10_000 + "a" + ")" * 10_000, MAX_LENGTH, "longer than 10,000 characters"),
    ("sin(" * 101 + "a" + ")" * 101, 403, "more than 100 open parentheses"),
    ("a" + "**a" * 500, 1500, "more than 1,000 numbers, names and symbols"),
    # constants that are no number
    ("a + 1/0", 4, "'1/0' is inf"),
    ("log(0)", 0, "'log(0)' is -inf"),
    ("2*sqrt(-1)", 2, "'sqrt(-1)' is nan"),
    ("(-8)**(1/3)", 0, "is nan"),
    # names
    ("a + x", 4, "variable 'x' has no value; give it one, as in x=2"),
    ("tanh", 0, "tanh is a function, not a number; call it, as in tanh(x)"),
    ("sum", 0, "sum is a function, not a number"),
    ("a + __debug__", 4, "variable '__debug__' has no value"),
    # calls
    ("foo(a)", 0, "there is no function 'foo'"),
    ("1 + tamh(a)", 4, "the nearest is tanh"),
    ("where(1, a, b)", 0, "there is no function 'where'"),
    ("sum(a)", 0, "there is no function 'sum'"),
    ("__import__(a)", 0, "there is no function '__import__'"),
    ("eval(a)", 0, "there is no function 'eval'"),
    ("print()", 0, "there is no function 'print'"),
    ("a(b)", 0, "a is a number, not a function; write a product with *, as in a*(x)"),
    ("pi(2)", 0, "pi is a number, not a function"),
    ("(1)(2)", 0, OTHER),
    ("2(a)", 0, OTHER),
    ("1 + sin(a)(b)", 4, OTHER),
    ("(sin)(a)(b)", 0, OTHER),
    ("tanh()", 0, "tanh takes 1 argument, got 0"),
    ("1 + tanh(a, b)", 4, "tanh takes 1 argument, got 2"),
    ("arctan2(a)", 0, "arctan2 takes 2 arguments, got 1"),
    ("clip(a, b, c, a)", 0, "clip takes 1 to 3 arguments, got 4"),
    ("tanh(*a)", 5, "'*a' is not arithmetic"),
    ("tanh(**a)", 0, OTHER),
    ("tanh(x=a)", 6, "'=' is not arithmetic"),
    # other things of Python's
    ("a, b", 0, "'a, b' is not arithmetic"),
    ("a + ()", 4, "'()' is not arithmetic"),
    ("*a, b", 0, GRAMMAR),
    ("a.real", 1, "'.' is not arithmetic"),
    ("a.__class__", 1, "'.' is not arithmetic"),
    ("().__class__", 2, "'.' is not arithmetic"),
    ("1 .real", 2, "'.' is not arithmetic"),
    ("1.real", 0, "'1.real' is not a decimal number"),
    ("a...", 1, "'.' is not arithmetic"),
    ("[a]", 0, OTHER),
    ("a[0]", 1, OTHER),
    ("{a}", 0, OTHER),
    ("[x for x in a]", 0, OTHER),
    ("(x for x in a)", 3, WORD),
    ("lambda: a", 0, "'lambda' is a word of Python"),
    ("tanh(lambda: a)", 5, WORD),
    ("a if b else c", 2, WORD),
    ("a and b", 2, WORD),
    ("not a", 0, WORD),
    ("a in b", 2, WORD),
    ("a is b", 2, WORD),
    ("await a", 0, WORD),
    ("(yield a)", 1, WORD),
    ("None", 0, WORD),
    ("a + True", 4, WORD),
    ("import os", 0, WORD),
    ("(x := a)", 3, OTHER),
    ("x = a", 2, OTHER),
    ("a < b", 2, OTHER),
    ("a == b", 2, OTHER),
    ("a // b", 2, "'//' is not arithmetic"),
    ("a % b", 2, OTHER),
    ("a @ b", 2, OTHER),
    ("a ^ b", 2, "** for powers"),
    ("~a", 0, OTHER),
    ("a | b", 2, OTHER),
    ("'a'", 0, OTHER),
    ('"a" * 9', 0, OTHER),
    ("b'a'", 1, OTHER),
    ("f'{a}'", 1, OTHER),
    ("a; b", 1, OTHER),
    ("a\nb", 1, r"'\n' is not arithmetic"),
    ("a + b\n", 5, r"'\n' is not arithmetic"),
    ("a + \\\n b", 4, OTHER),
    ("a # b", 2, OTHER),
    ("a\x00", 1, r"'\x00' is not arithmetic"),
    ("\x0ca", 0, OTHER),
    # numbers that are not decimal, some with a SyntaxWarning of Python's
    ("1j", 0, "'1j' is not a decimal number"),
    ("a + 0x10", 4, "not a decimal number"),
    ("0b1", 0, "not a decimal number"),
    ("2x", 0, "write it with *, as in 2*x"),
    ("1if 2 else 3", 0, "'1if' is not a decimal number"),
    ("1is 2", 0, "'1is' is not a decimal number"),
    ("1or 2", 0, "'1or' is not a decimal number"),
    ("0xfor a", 0, "not a decimal number"),
    ("1__0", 0, "not a decimal number"),
    ("1.2.3", 0, "not a decimal number"),
    ("007", 0, GRAMMAR),
    # characters that only look right
    ("\uff41 + 1", 0, r"'\uff41', which is not ASCII, is not arithmetic"),
    ("1 + \u0430", 4, r"'\u0430', which is not ASCII"),
    ("tan\uff48(a)", 3, "which is not ASCII"),
    ("\U0001d41a", 0, r"'\U0001d41a', which is not ASCII"),
    ("a \u2212 b", 2, r"'\u2212', which is not ASCII"),
    ("a \u00d7 b", 2, r"'\xd7', which is not ASCII"),
    ("\u0662 + a", 0, "which is not ASCII"),
    ("a\u00a0+ b", 1, "which is not ASCII"),
    ("a\u200b + b", 1, "which is not ASCII"),
    ("a\ud800", 1, r"'\ud800', which is not ASCII"),
    ("\ufeffa", 0, "which is not ASCII"),
    # grammar
    ("a +", 3, GRAMMAR),
    ("  a +", 5, GRAMMAR),
    ("* a", 0, GRAMMAR),
    ("a b", 2, GRAMMAR),
    ("  a b", 4, GRAMMAR),
    ("a***b", 3, GRAMMAR),
    ("a */ b", 3, GRAMMAR),
    ("(a + b", 0, GRAMMAR),
    ("a + b)", 5, GRAMMAR),
    ("tanh(,)", 5, GRAMMAR),
    (")(", 0, GRAMMAR),
]


@pytest.mark.parametrize(("text", "position", "message"), REFUSED, ids=[ascii(text)[:25] for text, *_ in REFUSED])
def test_refuses(text, position, message):
    with pytest.raises(ExpressionError) as refused:
        evaluate(text, VARIABLES)
    assert message in str(refused.value)
    assert refused.value.position == position
    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "text", [text for text, _, message in REFUSED if "more than" in message or "longer" in message]
)
def test_limits_hold_before_python_parses(text, monkeypatch):
    monkeypatch.setattr(ast, "parse", lambda *args, **kwargs: pytest.fail("parsed"))
    with pytest.raises(ExpressionError):
        evaluate(text, VARIABLES)


def test_checks_precede_evaluation(monkeypatch):
    monkeypatch.setitem(parsing._OPERATORS, ast.Pow, lambda a, b: pytest.fail("computed"))
    with pytest.raises(ExpressionError, match="no function 'open'"):
        evaluate("9**9**9**9 + open(a)", VARIABLES)


def test_powers_of_literals_are_powers_of_floats(monkeypatch):
    seen = []
    monkeypatch.setitem(parsing._OPERATORS, ast.Pow, lambda a, b: seen.append((a, b)) or 1.0)
    evaluate("99**9999", {})
    assert seen == [(99.0, 9999.0)]
    assert {type(x) for x in seen[0]} == {float}


def test_leftmost_mistake_is_reported():
    with pytest.raises(ExpressionError, match="'x' has no value"):
        evaluate("x + y*tanh(z)", {})


@pytest.mark.parametrize("error", [RecursionError, MemoryError])
def test_parser_stack_overflow_is_refused(error, monkeypatch):
    def parse(*args, **kwargs):
        raise error

    monkeypatch.setattr(ast, "parse", parse)
    with pytest.raises(ExpressionError, match="nested too deep"):
        evaluate("a", VARIABLES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tanh", "variable tanh: this is the name of an operation"),
        ("sum", "variable sum: this is the name of an operation"),
        ("pi", "variable pi: this is the name of a constant"),
        ("e", "variable e: this is the name of a constant"),
        ("", "variable '': not a name"),
        ("1x", "variable '1x': not a name"),
        ("a b", "variable 'a b': not a name"),
        ("a\n", "not a name"),
        ("lambda", "variable 'lambda': not a name"),
        ("None", "variable 'None': not a name"),
        ("\u03b1", "a name is made of ASCII letters, digits and _"),
        ("-a", "variable '-a': not a name"),
    ],
)
def test_refuses_invalid_variable_names(name, message):
    with pytest.raises(ExpressionError) as refused:
        evaluate("1", {name: 1.0})
    assert message in str(refused.value)
    assert refused.value.position is None


# -- Any text at all ---------------------------------------------------------------------------------------------------

TOKENS = [
    *("a", "b", "x", "pi", "e", "tanh", "maximum", "clip", "where", "lambda", "if", "else", "for", "in", "not", "None"),
    *(
        "0",
        "1",
        "2.5",
        ".5",
        "1e300",
        "1e999",
        "007",
        "0x1f",
        "1j",
        "9" * 400,
        "__import__",
        "\u0430",
        "\uff41",
        "\ud800",
    ),
    *("+", "-", "*", "/", "**", "//", "(", ")", "(", ")", ",", ".", ":", "=", "[", "]", "{", "'", '"', "\\", "#", ";"),
    *(" ", "\t", "\n", "\x00", "\x0c", "\u00a0"),
]


def refusal(text, numbers):
    """The ExpressionError that comes of a text, or None if it can be evaluated and differentiated; else the test fails."""
    try:
        y, _ = evaluate(text, numbers)
    except ExpressionError as error:
        return error
    if y.requires_grad:
        y.backward()
    return None


def answers_quietly(text):
    """Evaluate; a refusal must point into the text, and nothing may be printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        refused = refusal(text, VARIABLES)
    assert printed.getvalue() == ""
    if refused is not None:
        assert refused.position is None or 0 <= refused.position <= len(text)
        assert str(refused).isprintable()


@given(st.text())
@settings(max_examples=500, deadline=None, derandomize=True)
def test_any_text_is_handled(text):
    answers_quietly(text)


@given(st.lists(st.sampled_from(TOKENS)).map("".join))
@settings(max_examples=1500, deadline=None, derandomize=True)
def test_any_tokens_are_handled(text):
    answers_quietly(text)


@given(st.lists(st.sampled_from(["a", "2", "tanh", "+", "-", "*", "**", "(", ")", ",", " "]), max_size=12).map("".join))
@settings(max_examples=1500, deadline=None, derandomize=True)
def test_near_expressions_are_handled(text):
    answers_quietly(text)


# -- Equal to Python, and differentiated right -------------------------------------------------------------------------

PYTHON = {name: getattr(math, name) for name in ("exp", "log", "log1p", "sin", "cos", "tanh", "sqrt")}


def expressions(leaves, operators, calls):
    """Texts of expressions, with and without parentheses around their parts; "{}" in a call stands for another of them."""

    def larger(inner):
        joined = st.builds("{}{}{}".format, inner, st.sampled_from(operators), inner)
        called = st.builds(str.format, st.sampled_from(["-({})", "+{}", *calls]), inner)
        return joined | joined.map("({})".format) | called

    return st.recursive(st.sampled_from(leaves), larger, max_leaves=8)


ANY = expressions(
    [*VARIABLES, "pi", "e", "0.5", "2.0", "3.0"], ["+", " - ", "*", "/", "**"], [f"{name}({{}})" for name in PYTHON]
)
CALLS = ["sin({})", "cos({})", "tanh({})", "sigmoid({})", "softplus({})", "1/(2 + ({})**2)"]
SMOOTH = expressions([*VARIABLES, "pi", "2"], ["+", " - ", "*"], CALLS)
NUMBERS = st.floats(-4, 4) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1e308, 5e-324])


@given(ANY, st.fixed_dictionaries(dict.fromkeys(VARIABLES, NUMBERS)))
@settings(max_examples=1000, deadline=None, derandomize=True)
def test_equals_python(text, numbers):
    try:
        expected = eval(text, {"__builtins__": {}}, PYTHON | CONSTANTS | numbers)
    except (ArithmeticError, ValueError, TypeError):  # where Python's floats give up or turn complex, NumPy's go on
        assume(False)
    assume(not isinstance(expected, complex))
    if refused := refusal(text, numbers):
        assert "a constant must be finite" in str(refused)
    else:
        y, _ = evaluate(text, numbers)
        assert y.data == expected or (math.isnan(y.data) and math.isnan(expected))


@given(SMOOTH, st.fixed_dictionaries(dict.fromkeys(VARIABLES, st.floats(-1.5, 1.5))))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_gradients_match_central_differences(text, numbers):
    y, leaves = evaluate(text, numbers)
    if y.requires_grad:
        y.backward()
    h = 1e-5
    for name, leaf in leaves.items():
        above, below = (evaluate(text, numbers | {name: numbers[name] + step})[0].item() for step in (h, -h))
        assert (leaf.grad or 0.0) == pytest.approx((above - below) / (2 * h), rel=1e-4, abs=1e-4 * (1 + abs(y.item())))
