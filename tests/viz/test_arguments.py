"""Wrong arguments of viz's functions: each is refused by an error that names the function, what it got, and the remedy."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import nn
import viz
from tinygrad_edu import DTypeError, Value, tanh

X = np.ones((5, 2))


def model() -> nn.Module:
    return nn.MLP((2, 3, 1), rng=0)


def value() -> Value:
    return tanh(Value(0.5, name="a") * 2.0)


def mean(y: Value) -> Value:
    return y.mean()


FUNCTIONS = [name for name in viz.__all__ if inspect.isfunction(getattr(viz, name))]
EITHER = "expected a Value, or a Module and its inputs"


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "side_by_side"])  # it passes them on
def test_an_unknown_keyword_is_refused_by_every_function(name):
    function = getattr(viz, name)
    parameters = inspect.signature(function).parameters.values()
    given = [None for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    with pytest.raises(DTypeError, match=rf"^{name}: got the keyword colour_of=, expected (some of )?\w+="):
        function(*given, colour_of=3)
    for keyword in [
        p.name for p in parameters if p.kind is p.KEYWORD_ONLY and name != "live"
    ]:  # it takes those of curves
        with pytest.raises(DTypeError, match=rf"^{name}: got the keyword {keyword}_=, expected {keyword}=$"):
            function(*given, **{f"{keyword}_": 3})


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ("activations", "losses", "live")])
def test_a_missing_argument_is_named(name):
    function = getattr(viz, name)
    first = next(iter(inspect.signature(function).parameters))
    with pytest.raises(DTypeError, match=f"^{name}: got no {first}$"):
        function()


@pytest.mark.parametrize("call", [viz.graph, viz.step], ids=["graph", "step"])
@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((None,), {}, f"got NoneType, {EITHER}$"),
        ((3.0,), {}, f"got float, {EITHER}; compute the number from Values"),
        ((nn.MLP, X), {}, rf"got the class MLP, {EITHER}; make one: MLP\(...\)"),
        ((mean,), {}, f"got a function, {EITHER}; call it with Values"),
        (([value(), value()],), {}, f"got a list of Values, {EITHER}; give one of them, or their sum"),
        ((value(), "page.html"), {}, r"got 'page.html' after a Value; NAME\(y\).save\('page.html'\) writes a file"),
        ((value(), "A title"), {}, "got 'A title' after a Value; .* title= sets a title"),
        ((value(), Path("page.html")), {}, "got 'page.html' after a Value"),
        ((value(), {"a": value()}), {}, r"got names after a Value; give them by name: NAME\(y, names=locals\(\)\)"),
        ((value(), X), {}, "got ndarray after a Value, expected options by name alone; only a Module takes inputs"),
        ((value(), None), {}, "got NoneType after a Value"),
        ((value(),), {"loss": mean}, "got a Value and loss=, which belongs to a Module; compute the loss"),
        ((value(),), {"names": ["a"]}, "got names of type list, expected a mapping from name to Value"),
        ((value(),), {"title": 3}, "got a title of type int, expected text"),
        ((value(),), {"lose": mean}, "got the keyword lose=, expected loss=$"),
        ((), {}, "got no what$"),
        ((model(),), {}, r"got MLP and no inputs; pass an example, as in NAME\(model, x\)"),
        ((model(), "page.html"), {}, r"got the file name 'page.html' in the place of an input; NAME\(model, x\).save\("),
        ((model(), X, "a.svg"), {"loss": mean}, "got the file name 'a.svg' in the place of an input"),
        ((model(), X), {"loss": "mse"}, "got a loss of type str, expected a function of what the model returns"),
        ((model(), X), {"loss": nn.MSELoss}, "got the class MSELoss as the loss, expected a function"),
        ((model(), X), {"names": 3}, "got names of type int"),
    ],
)  # fmt: skip
def test_graph_and_step_refuse_the_same(call, arguments, options, says):
    with pytest.raises(DTypeError, match=f"^{call.__name__}: {says.replace('NAME', call.__name__)}"):
        call(*arguments, **options)


@pytest.mark.parametrize("call", [viz.graph, viz.step], ids=["graph", "step"])
def test_names_in_the_place_of_an_input_are_told_from_a_dictionary_that_the_model_takes(call):
    class Sum(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 1, rng=0)

        def forward(self, parts):
            return (self.layer(parts["x"]) + parts["y"]).sum()

    own = Sum()
    with pytest.raises(
        DTypeError, match=r"got names in the place of an input; give them by name: \w+\(model, x, names="
    ):
        call(own, X, {"own": own, "X": X})
    assert "<svg" in call(own, {"x": X, "y": np.ones((5, 1))}).svg()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: viz.step(value(), path="a.html"), r"^step: got path=; step\(...\).save\(path\) writes the file"),
        (lambda: viz.step(model(), inputs=X), r"^step: got inputs=; the inputs stand after the model: step\(model, x"),
        (lambda: viz.animate(value(), "a.gif"), r"^animate: got the file name 'a.gif', expected none; .save\('a.gif'\)"),
        (lambda: viz.animate(value(), path="a.gif"), r"^animate: got path=; animate\(y\).save\(path\) writes the file"),
        (lambda: viz.animate(value(), {}), "^animate: got 2 arguments by position, expected at most 1; give names=, title="),
        (lambda: viz.descent(mean, [], "a.gif"), "^descent: got the file name 'a.gif', expected none; .save"),
        (lambda: viz.descent(mean, [], file="a.gif"), r"^descent: got file=; descent\(f, paths\).save\(file\)"),
        (lambda: viz.surface(mean, (0, 1), (0, 1), path=[]), "^surface: got path=; it is paths= now"),
        (lambda: viz.landscape(model(), mean, (X, X), path=[]), "^landscape: got path=; it is paths= now"),
        (lambda: viz.contour(mean, (0, 1), (0, 1), path=[]), "^contour: got the keyword path=, expected paths="),
        (lambda: viz.live("a.png", yscal="log"), "^live: got the keyword yscal=, expected yscale="),
        (lambda: viz.curve(mean, (0, 1), xlim=(0, 1)), "^curve: got xlim by position and by name; give it once"),
        (lambda: viz.graph(value()).html("a.html"), r"^html: got the file name 'a.html', expected none; .save\('a.html'\)"),
        (lambda: viz.graph(value()).png("a.png"), "^png: got the file name 'a.png', expected none; .save"),
        (lambda: viz.graph(value()).save(), "^save: got no path"),
        (lambda: viz.step(value()).html("a.html"), "^html: got the file name 'a.html'"),
    ],
)  # fmt: skip
def test_what_was_written_before_names_what_to_write_now(call, says):
    with pytest.raises(DTypeError, match=says):
        call()


def test_a_model_may_take_text():
    class Length(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1, rng=0)

        def forward(self, text):
            return self.layer(np.array([float(len(text))])).sum()

    assert viz.step(Length(), "some words").trace.forward


def test_an_error_inside_a_function_is_its_own():
    with pytest.raises(TypeError, match="a TypeError of the user"):
        viz.graph(model(), X, loss=fails)


def fails(y: Value) -> Value:
    raise TypeError("a TypeError of the user")
