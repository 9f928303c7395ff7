"""What the step page is made of: the engine's numbers step by step, the rules as text, the notation, and the file."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

import viz
from tinygrad_edu import (
    DTypeError,
    GraphError,
    ShapeError,
    Value,
    clip,
    concatenate,
    einsum,
    elementwise,
    exp,
    linear,
    maximum,
    registry,
    sigmoid,
    sin,
    square,
    tanh,
    where,
)
from viz import RenderError, graph, step
from viz.stepping.formulas import rule_text
from viz.stepping.grid import grid
from viz.stepping.javascript import formula
from viz.stepping.page import page
from viz.stepping.trace import trace


def leaves(**numbers):
    return [Value(float(x), name=name) for name, x in numbers.items()]


def array(rng, *shape, **options):
    return Value(rng.normal(size=shape), **options)


def mixed():
    a, b, c = leaves(a=2, b=-3, c=0.5)
    v = tanh(a * b + c) * a
    return maximum(v, exp(c)) / (1 + square(b)) - a * a


def network():
    rng = np.random.default_rng(0)
    x, W, b = array(rng, 5, 3, requires_grad=False), array(rng, 4, 3, name="W"), array(rng, 4, name="b")
    h = sigmoid(linear(x, W, b))
    both = concatenate([h, h * W.sum()], axis=0)
    return einsum("ij,jk->ik", both, W).mean() + (b * 2).sum()


EXPRESSIONS = {"scalars": mixed, "arrays": network, "a leaf": lambda: Value(3.0, name="a")}


@pytest.fixture(params=EXPRESSIONS)
def output(request):
    return EXPRESSIONS[request.param]()


def ancestors(output):
    found = {output: None}
    waiting = [output]
    while waiting:
        for x in waiting.pop().inputs:
            if isinstance(x, Value) and x not in found:
                found[x] = None
                waiting.append(x)
    return list(found)


# -- The engine's numbers ----------------------------------------------------------------------------------------------


def test_gradients_are_those_of_backward(output):
    story = trace(output)
    output.backward()
    got = sorted(node.gradient for node in story.nodes if node.gradient is not None)
    expected = [x.grad for x in ancestors(output) if x.grad is not None]
    assert got == sorted(
        (g,) if not np.ndim(g) else (float(np.mean(g)), float(np.min(g)), float(np.max(g))) for g in expected
    )


def test_shares_add_up_to_the_gradients_to_the_last_bit(output):
    story = trace(output)
    totals = {}
    for share in story.backward:
        totals[share.source] = share.total
    assert totals == {
        i: node.gradient for i, node in enumerate(story.nodes[:-1]) if node.gradient is not None
    }  # the output has 1 and no share
    assert story.nodes[-1].gradient == (1.0,)


def test_a_share_is_factor_times_incoming_gradient():
    story = trace(mixed())
    for share in story.backward:
        (g,) = story.nodes[share.result].gradient
        assert share.share[0] == pytest.approx(share.factor * g, rel=1e-14)


def test_gradients_of_the_user_stay(output):
    values = ancestors(output)
    kept = {}
    for i, x in enumerate(values):
        if x.requires_grad and i % 2:
            x.grad = kept[x] = np.full(x.shape, 7.0) if x.shape else 7.0
    trace(output)
    assert all(x.grad is kept.get(x) for x in values)


def test_arrays_beside_scalars():
    """y = Σ(a b) b for an array a and a scalar b: one factor of a share is an array, so there is no single one to show."""
    a, b = Value(np.array([1.0, 2.0]), name="a"), Value(3.0, name="b")
    story = trace((a * b).sum() * b)
    nodes = {node.label: node for node in story.nodes}
    assert (nodes["a"].form, nodes["a"].value, nodes["a"].value_listed) == ("(2,) float64", (1.5, 1.0, 2.0), "[1, 2]")
    assert (nodes["a"].gradient, nodes["a"].gradient_listed) == ((9.0, 9.0, 9.0), "[9, 9]")
    assert (nodes["b"].form, nodes["b"].value, nodes["b"].value_listed) == ("", (3.0,), "")
    assert (nodes["b"].gradient, nodes["b"].gradient_listed) == ((18.0,), "")
    assert [bool(nodes[label].formula) for label in ("v1", "v2", "v3")] == [False, False, True]
    label = [node.label for node in story.nodes]
    told = [(label[s.result], label[s.source], s.factor, s.share, s.total, s.total_listed) for s in story.backward]
    assert told == [
        ("v3", "v2", 3.0, (3.0,), (3.0,), ""),
        ("v3", "b", 9.0, (9.0,), (9.0,), ""),
        ("v2", "v1", None, (3.0, 3.0, 3.0), (3.0, 3.0, 3.0), "[3, 3]"),
        ("v1", "a", None, (9.0, 9.0, 9.0), (9.0, 9.0, 9.0), "[9, 9]"),
        ("v1", "b", None, (9.0,), (18.0,), ""),
    ]
    assert story.fixed == "an input is an array, and the page computes with single float64 numbers only"


def test_gradients_that_leaves_already_hold_are_not_added(output):
    fresh = trace(output)
    output.backward()  # each leaf holds one now
    held = [(x, x.grad) for x in ancestors(output)]
    assert any(grad is not None for _, grad in held)
    again = trace(output)
    assert (again.nodes, again.backward) == (fresh.nodes, fresh.backward)
    assert all(x.grad is grad for x, grad in held)


def test_gradients_stay_when_backward_fails():
    a = Value(2.0)
    y = a * a
    a.grad = 5.0

    def fail(g):
        raise RuntimeError("hook")

    y.register_hook(fail)
    with pytest.raises(RuntimeError, match="hook"):
        trace(y)
    assert (a.grad, y.grad) == (5.0, None)


def test_each_use_of_a_value_is_a_share():
    (a,) = leaves(a=3)
    story = trace(a * a)
    assert [(s.operand, s.source, s.rule, s.share, s.total) for s in story.backward] == [
        (0, 0, "{1}", (3.0,), (3.0,)),
        (1, 0, "{0}", (3.0,), (6.0,)),
    ]


def test_forward_and_backward_go_in_the_engines_order():
    a, b, c = leaves(a=2, b=-3, c=10)
    story = trace(tanh(a * b + c))
    name = [node.label for node in story.nodes]
    assert [name[i] for i in story.forward] == ["v1", "v2", "v3"]
    assert [(name[s.result], name[s.source]) for s in story.backward] == [
        ("v3", "v2"),
        ("v2", "v1"),
        ("v2", "c"),
        ("v1", "a"),
        ("v1", "b"),
    ]


def test_errors_are_the_engines():
    with pytest.raises(DTypeError, match="expected a Value"):
        trace(2.0)
    with pytest.raises(ShapeError, match=r"got a Value of shape \(2,\)"):
        trace(Value(np.ones(2)) * 2)
    with pytest.raises(GraphError, match="does not require grad"):
        trace(Value(1.0, requires_grad=False))
    a = Value(1.0)
    y = a * 2
    y.backward(retain_graph=False)
    with pytest.raises(GraphError, match="released"):
        trace(y)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (mixed, ""),
        (network, "an array"),
        (lambda: Value(np.float32(2.0)) * 2, "float32"),
        (lambda: where(True, Value(2.0), 1.0), ""),
        (lambda: clip(Value(2.0), 0, None), ""),
    ],
)
def test_why_inputs_cannot_be_changed(make, why):
    fixed = trace(make()).fixed
    assert why in fixed
    assert bool(why) == bool(fixed)


@pytest.mark.usefixtures("temporary")
def test_an_operation_that_the_page_does_not_know_is_named():
    """Its forward function branches, so it cannot be read; and there is no JavaScript of that name."""

    @elementwise(rules=(lambda g, y, x: g * 2.0,))
    def doubled_by_cases(x, /):
        """Twice the number."""
        return 2.0 * x if x > 0 else x + x

    story = trace(doubled_by_cases(Value(3.0)))
    assert story.fixed.startswith("the page has no formula for doubled_by_cases")
    assert story.nodes[-1].formula == ""


def test_hooks_are_told_of():
    a = Value(2.0, name="a")
    a.register_hook(lambda g: g * 10)
    story = trace(a * 3)
    assert story.fixed == "a hook changes gradients on the way"
    assert (story.backward[0].total, story.nodes[0].gradient) == ((3.0,), (30.0,))


# -- Text --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, function in registry.items() if function.op.rules])
def test_rules_name_their_operands_only(name):
    op = registry[name].op
    for i, each in enumerate(op.rules):
        text = rule_text(op, i)
        assert bool(text) == (each is not None)
        places = set(re.findall(r"\{(\w+)\}", text))
        assert places <= {"y", *map(str, range(len(op.rules)))}
        assert "{" not in re.sub(r"\{\w\}", "", text)
        if op.elementwise and each is not None:
            letters = set(re.findall(r"(?<![A-Za-z])[abxy](?![A-Za-z_])", text.replace("{y}", "")))
            assert not letters, text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tanh", ["1 - {y}²"]),
        ("multiply", ["{1}", "{0}"]),
        ("square", ["2 · {0}"]),
        ("sqrt", ["1 / (2 · {y})"]),
        ("power", ["{1} · {0}^({1} - 1)", "{y} · ln {0}"]),
        ("matmul", ["g @ {1}ᵀ", "{0}ᵀ @ g"]),
        ("linear", ["g @ {1}", "({0}ᵀ @ g)ᵀ", "g, summed over rows"]),
        ("where", ["", "1 if {0}, else 0", "0 if {0}, else 1"]),
    ],
)
def test_rules_read_as_the_ops_say(name, expected):
    op = registry[name].op
    assert [rule_text(op, i) for i in range(len(op.rules))] == expected


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda a, b: a * b + a, "a × b + a"),
        (lambda a, b: (a + b) * a, "(a + b) × a"),
        (lambda a, b: a - (b - a), "a - (b - a)"),
        (lambda a, b: a - b - a, "a - b - a"),
        (lambda a, b: -(a + b), "-(a + b)"),
        (lambda a, b: (-a) * b, "-a × b"),
        (lambda a, b: (-a) ** 2, "(-a)^2"),
        (lambda a, b: (a**2) ** b, "(a^2)^b"),
        (lambda a, b: a / (b * a), "a ÷ (b × a)"),
        (lambda a, b: square(a + b), "(a + b)²"),
        (lambda a, b: abs(a + b), "|a + b|"),
        (lambda a, b: tanh(sin(a)), "tanh(sin(a))"),
        (lambda a, b: maximum(a, b + 1), "max(a, b + 1)"),
        (lambda a, b: (a - 1).sqrt(), "√(a - 1)"),
    ],
)
def test_expressions_read_as_people_write_them(make, expected):
    text = re.sub(r"<[^>]+>", "", trace(make(*leaves(a=2, b=3))).expression)
    assert text.split(" = ", 1)[1] == expected


def test_long_expressions_are_cut_into_named_parts():
    (a,) = leaves(a=0.5)
    v = a
    for _ in range(500):
        v = v * v + a
    text = re.sub(r"<[^>]+>", "", trace(v).expression)
    assert len(text) < 200
    assert re.search(r"v\d+ = .*v\d+", text)


def test_labels_are_distinct_and_leave_the_users_alone():
    v1, twin, other = Value(1.0, name="v1"), Value(2.0, name="same"), Value(3.0, name="same")
    story = trace(v1 * twin + other * Value(4.0))
    assert [node.label for node in story.nodes] == ["v1", "same", "v2", "same (2)", "x1", "v3", "v4"]


# -- The file ----------------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """The elements of a page, and all text outside scripts and styles."""

    def __init__(self):
        super().__init__()
        self.tags, self.words = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        if self.tags and self.tags[-1] not in ("script", "style"):
            self.words.append(data)


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'`&amp;${x}{0}{y}",
    "line\nbreak\\N",
    "\u202eright to left\u2028",
    "名前 שם",
    "000000000",
    "x" * 10_000,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name, tmp_path):
    plain, hostile = (
        Reader(),
        Reader(),
    )
    plain.feed(page(trace(Value(2.0, name="a") * Value(3.0), title="a")))
    text = page(trace(Value(2.0, name=name) * Value(3.0), title=name))
    hostile.feed(text)
    assert hostile.tags == plain.tags
    assert "alert(1)</script>" not in text
    assert len(text) < 90_000


def test_the_same_expression_gives_the_same_bytes():
    code = """
import sys
import numpy as np
from tinygrad_edu import Value, tanh
from viz.stepping.page import page
from viz.stepping.trace import trace
a, W = Value(2.0, name="a"), Value(np.ones((2, 2)))
sys.stdout.buffer.write(page(trace(tanh(a * W).sum() + a)).encode())
"""
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env=os.environ | {"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


def test_the_file_is_complete_in_itself(tmp_path):
    path = step(mixed(), title="mixed").save(tmp_path / "a.html")
    text = path.read_text(encoding="utf-8")
    assert path == tmp_path / "a.html"
    assert "<title>mixed</title>" in text
    assert not re.search(r'(?:src|href)="(?!#|data:,)', text)
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+|http-equiv", "", text)


def test_not_a_number_is_data_too():
    text = page(trace(Value(math.nan) * math.inf))
    data = re.search(r"const TRACE = (.*);\n", text)[1]
    assert json.loads(data)["nodes"][1]["value"] == [math.inf]


@pytest.mark.parametrize("name", ["a.htm", "a", "a.png"])
def test_other_suffixes_are_refused(name, tmp_path):
    with pytest.raises(
        RenderError,
        match=r"save: got '.*', expected a file name that ends in \.html or \.svg; viz\.animate makes a GIF",
    ):
        step(mixed()).save(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="save: got"):
        step(mixed()).save(tmp_path / "gone" / "a.html")
    assert not list(tmp_path.iterdir())


def test_numbers_of_the_graph_are_slots():
    text = page(trace(mixed()))
    story = trace(mixed())
    slots = [int(x) for x in re.findall(r'data-slot="(\d)"', text)]
    drawn = [node for node in story.nodes if node.kind != "constant"]
    assert sorted(slots) == sorted([0] * len(drawn) + [3] * sum(node.gradient is not None for node in drawn))


def test_large_expressions_need_no_graphviz(no_engine):
    (a,) = leaves(a=0.5)
    v = a
    for _ in range(300):
        v = sin(v)
    assert page(trace(v)).count('<g id="n') == 301
    with pytest.raises(RenderError, match="neither"):
        page(trace(sin(a)))


@pytest.mark.parametrize("count", [7, 8, 9, 17, 30])
def test_the_grid_holds_its_boxes_in_the_order_of_text(count):
    """Eight in a row, all of them inside the picture, none over another."""
    y = Value(0.5, name="x")
    for _ in range(count - 1):
        y = sin(y)
    drawing = trace(y).drawing
    svg = ElementTree.fromstring(grid(drawing))
    boxes = [g for g in svg.iter("g") if "node" in g.get("class", "")]
    places = [tuple(map(float, re.findall(r"[\d.-]+", g.get("transform")))) for g in boxes]
    assert [g.get("id") for g in boxes] == [node.id for node in drawing.nodes]
    assert len({x for x, _ in places}) == min(count, 8)
    assert places == sorted(places, key=lambda place: (place[1], place[0]))
    rows = {}
    for x, y in places:
        rows.setdefault(y, []).append(x)
    assert [len(row) for row in rows.values()] == [8] * (count // 8) + [count % 8] * (count % 8 > 0)
    wide, high = 120, 64  # of a box, around its place
    left, top, width, height = map(float, svg.get("viewBox").split())
    assert (svg.get("width"), svg.get("height")) == (f"{width:g}", f"{height:g}")
    for x, y in places:
        assert left <= x - wide / 2 < x + wide / 2 <= left + width
        assert top <= y - high / 2 < y + high / 2 <= top + height
    for (x1, y1), (x2, y2) in combinations(places, 2):
        assert abs(x1 - x2) >= wide or abs(y1 - y2) >= high


def test_a_box_of_the_grid_tells_name_operation_and_numbers():
    x, w = Value(0.5, name="x"), Value(np.array([1.0, 2.0, 6.0]), name="weights_of_all")
    y = (x * w).sum() * 3.0
    y.name = "y"
    y.backward()
    svg = ElementTree.fromstring(grid(graph(y).drawing))
    said = [[text.text for text in g.iter("text")] for g in svg.iter("g")]
    assert said == [
        ["x", "value", "0.5", "gradient", "27"],
        ["weights_…", "mean", "3", "gradient", "1.5"],
        ["×", "mean", "1.5", "gradient", "3"],
        ["Σ", "value", "4.5", "gradient", "3"],
        ["3"],
        ["×", "y", "value", "13.5", "gradient", "1"],
    ]
    ends = {text.text: text.get("text-anchor") for g in svg.iter("g") for text in g.iter("text")}
    assert (ends["value"], ends["13.5"], ends["y"], ends["×"]) == (None, "end", "end", None)
    size = {text.text: text.get("font-size") for g in svg.iter("g") for text in g.iter("text")}
    assert (size["value"], size["gradient"], size["13.5"], size["×"]) == ("10", "10", "12", "12")
    bold = [[text.text for text in g.iter("text") if text.get("font-weight") == "bold"] for g in svg.iter("g")]
    assert bold == [["x"], ["weights_…"], ["×"], ["Σ"], ["3"], ["×"]]


def test_the_page_computes_once_what_a_formula_uses_several_times():
    """logit's 1 - x, 2 x - 1 and the question whether it is small are each used twice or more."""
    forward = formula(registry["logit"].op, {}).partition("derivatives")[0]
    assert [forward.count(part) for part in ("(1 - x0)", "(2 * x0)", "np.abs(", "< 0.5")] == [1, 1, 1, 1]
    assert formula(registry["tanh"].op, {}).count("const") == 0


def test_step_is_public():
    assert viz.step is step
