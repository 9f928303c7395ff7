"""Folding: what is put together, that nothing is lost by it, and what the picture says about it."""

from __future__ import annotations

import builtins
import random
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from tinygrad_edu import Value, exp, log, relu, stack, tanh
from viz import Drawing, Kind, expression, graph
from viz.expression import drawings_of
from viz.fold import fold
from viz.parts import Graph, connected
from viz.recorded import INSIDE, recorded


def folded(value: Value, names: object = None) -> Drawing:
    """The drawing that is made of a large graph."""
    return drawings_of(value, names, detail="auto", limits=(100, 100)).drawing


def products(n: int) -> tuple[Value, list[Value], list[Value]]:
    ws, xs = [Value(0.1 * i) for i in range(n)], [Value(1.0 - i) for i in range(n)]
    return builtins.sum(w * x for w, x in zip(ws, xs, strict=True)), ws, xs


def network(samples: int, sizes: tuple[int, ...], seed: int = 0) -> tuple[Value, list[Value]]:
    """An MLP of scalars, and the sum of its outputs over samples of numbers."""
    rng = random.Random(seed)
    layers = [
        [([Value(rng.uniform(-1, 1)) for _ in range(m)], Value(0.1)) for _ in range(n)] for m, n in pairwise(sizes)
    ]
    outputs = []
    for _ in range(samples):
        x = [Value(rng.gauss(0, 1), requires_grad=False) for _ in range(sizes[0])]
        for layer in layers:
            x = [tanh(builtins.sum((w * xi for w, xi in zip(ws, x, strict=True)), b)) for ws, b in layer]
        outputs += x
    return builtins.sum(outputs), [p for layer in layers for ws, b in layer for p in (*ws, b)]


def tangle(size: int, seed: int) -> Value:
    """Operations on whatever was computed before: nothing is alike, and all of it may be shared."""
    rng = random.Random(seed)
    values = [Value(rng.random()) for _ in range(4)]
    while len(values) < size:
        a, b = rng.choice(values[-12:]), rng.choice(values)
        values.append(rng.choice((lambda a, b: a * b, lambda a, b: tanh(a + 1.0), lambda a, b: a - b))(a, b))
    return builtins.sum(values)


def told(drawing: Drawing) -> list[tuple[str, str, str]]:
    return [(node.symbol, node.params, node.form) for node in drawing.nodes]


# -- What is folded ----------------------------------------------------------------------------------------------------


def test_what_fits_on_a_page_is_not_folded():
    y, _, _ = products(20)
    d = graph(y).drawing
    assert (len(d.nodes), d.folded) == (81, "")  # 0 + w x is an operation too
    assert all(node.count == 1 for node in d.nodes)


def test_a_sum_of_products_is_four_nodes():
    y, ws, xs = products(100)
    y.backward()
    d = folded(y)
    assert told(d) == [("", "", "×100"), ("", "", "×100"), ("×", "", "×100"), ("+", "100 in a row", "")]
    assert [node.count for node in d.nodes] == [100, 100, 100, 100]
    assert [node.kind for node in d.nodes] == [Kind.LEAF, Kind.LEAF, Kind.RESULT, Kind.OUTPUT]
    assert [(e.source, e.target, e.label) for e in d.edges] == [
        ("n0", "n2", ""),
        ("n1", "n2", ""),
        ("n2", "n3", "×100"),
    ]
    assert d.nodes[3].value == (f"{y.data:.4g}",)
    assert d.nodes[0].gradient == tuple(f"{f([w.grad for w in ws]):.4g}" for f in (np.mean, np.min, np.max))
    assert d.nodes[1].value == tuple(f"{f([x.data for x in xs]):.4g}" for f in (np.mean, np.min, np.max))


def test_layers_of_a_network_stay_apart():
    y, parameters = network(50, (2, 8, 4, 1))
    y.backward()
    d = folded(y)
    assert [node.form for node in d.nodes if node.kind is Kind.LEAF] == ["×8", "×16", "×4", "×32", "", "×4"]
    assert [node.form for node in d.nodes if node.kind is Kind.DATA] == ["×100"]
    assert [node.form for node in d.nodes if node.symbol == "tanh"] == ["×400", "×200", "×50"]
    assert sum(node.count for node in d.nodes if node.kind is Kind.LEAF) == len(parameters)
    assert all(node.uses == 50 for node in d.nodes if node.kind is Kind.LEAF)


def test_many_operands_of_one_operation_are_one_arrow():
    leaves = [Value(float(i)) for i in range(50_000)]
    d = folded(stack([leaf * 2 for leaf in leaves]).sum())
    assert told(d) == [
        ("", "", "×50,000"),
        ("×", "2", "×50,000"),
        ("stack", "axis=0", "(50000,) float64"),
        ("Σ", "", ""),
    ]
    assert [edge.label for edge in d.edges] == ["", "×50,000", ""]


def test_a_square_is_not_like_a_product():
    terms = [Value(1.0) * Value(2.0) for _ in range(60)] + [x * x for x in map(Value, np.ones(60))]
    d = folded(builtins.sum(terms))
    assert sorted(node.form for node in d.nodes if node.symbol == "×") == ["×60", "×60"]


def test_numbers_stand_inside_operations_with_their_range():
    d = folded(builtins.sum((Value(1.0) * float(i)) / 2 - 1 for i in range(60)))
    assert [node.params for node in d.nodes[1:4]] == ["0 to 59", "2", "1"]
    tensor = graph(2 - Value(1.0) ** 3, detail="tensor").drawing
    assert [(n.symbol, n.params) for n in tensor.nodes] == [("", ""), ("^", "3"), ("-", "1st=2")]
    assert [edge.label for edge in tensor.edges] == ["", ""]


def test_parameters_that_differ_are_not_told():
    x, w = Value(np.arange(100.0)), Value(np.arange(2.0))
    d = folded(builtins.sum(x[i] * w[1] for i in range(100)))
    assert [n.params for n in d.nodes if n.symbol == "[ ]"] == ["…", "index=1"]


def test_a_chain_tells_its_operations():
    starts = [Value(0.1 * i) for i in range(40)]
    d = folded(builtins.sum(exp(tanh(relu(x * 2.0) + 1.0)) * (0.1 + i) for i, x in enumerate(starts)))
    assert ("×", "", "") not in told(d)
    y = Value(0.5)
    for _ in range(60):
        y = tanh(y * 0.9)
    (leaf, chain) = folded(y).nodes
    assert (chain.kind, chain.symbol, chain.params, chain.count) == (
        Kind.OUTPUT,
        "120 operations",
        "×, tanh, ×, tanh, ×, …",
        120,
    )
    assert chain.value == (f"{y.data:.4g}",)
    assert leaf.kind is Kind.LEAF


def test_names_stay_visible():
    y, ws, _ = products(100)
    names = {"first": ws[0], "last": ws[99]}
    d = folded(y, names)
    assert [node.name for node in d.nodes if node.name] == ["first", "last"]
    assert [node.form for node in d.nodes if node.kind is Kind.LEAF] == ["", "×98", "×100", ""] or len(d.nodes) == 6
    z = tangle(2_000, 3) * (named := Value(2.0, name="factor"))
    assert "factor" in {node.name for node in folded(z + named).nodes}


def test_a_thousand_names_do_not_fill_the_page():
    ws = [Value(1.0, name=f"w{i}") for i in range(1000)]
    d = folded(builtins.sum(w * 2 for w in ws))
    assert [node.name for node in d.nodes if node.name] == [f"w{i}" for i in range(988, 1000)]
    assert len(d.nodes) == 15


def test_layers_by_depth_keep_the_output_and_the_heaviest_leaves():
    y = tangle(3_000, 0)
    heavy = Value(1e-3)
    z = y + tangle(3_000, 1) * tanh(heavy) * 1e6
    z.backward()
    d = folded(z)
    assert d.nodes[-1].kind is Kind.OUTPUT
    assert (f"{heavy.grad:.4g}",) in [node.gradient for node in d.nodes if node.kind is Kind.LEAF]
    layers = [node for node in d.nodes if node.kind is Kind.FOLD and "operations" in node.symbol and node.count > 100]
    assert 2 <= len(layers) <= 8
    assert "layers by their depth" in d.folded


def test_what_was_folded_is_said():
    y, _, _ = products(100)
    d = folded(y)
    assert d.folded == (
        "401 recorded nodes drawn as 4: 300 in 3 groups of equals, each drawn once with its number; 100 in 1 run of operations; 1 number inside operations"
    )
    assert d.folded in d.description
    assert "in 3 groups of equals" in graph(y).dot()


def test_not_all_gradients_are_there():
    y, ws, _ = products(100)
    y.backward()
    ws[0].zero_grad()
    ws[1].zero_grad()
    assert folded(y).nodes[0].notes == ("no gradient yet (2 of 100)",)


def test_nan_within_a_fold_is_an_alarm():
    y, _, _ = products(100)
    z = y + relu(Value(float("nan")) * 2)
    assert [node.alarm for node in folded(y).nodes] == [False] * 4
    assert [node.alarm for node in folded(z).nodes].count(True) >= 3


def test_infinity_within_a_chain_is_an_alarm():
    y = Value(0.5)
    for i in range(60):
        y = tanh(y * (1e300 if i == 30 else 0.9) * (1e300 if i == 30 else 1.0))
    chain = folded(y).nodes[-1]
    assert (chain.count, chain.value, chain.alarm) == (180, (f"{y.data:.4g}",), True)


# -- Laws --------------------------------------------------------------------------------------------------------------

GRAPHS = {
    "products": products(300)[0],
    "network": network(30, (3, 5, 2))[0],
    "more than there is hope for": tangle(40_000, 5),
    "arrays": tanh(builtins.sum((Value(np.ones((2, 3))) @ np.ones(3)).sum() * i for i in range(100))),
    **{f"tangle {seed}": tangle(size, seed) for seed, size in enumerate((300, 1_000, 3_000))},
}


@pytest.mark.parametrize("limit", [60, 500])
@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("inside", [False, True])
def test_folding_keeps_every_node_and_closes_no_circle(name, limit, inside):
    record = recorded(GRAPHS[name], numbers_inside=inside)
    kinds = {}
    keys = [kinds.setdefault(getattr(x, "grad_fn", None), len(kinds)) for x in record.items]
    pinned = frozenset(random.Random(0).sample(range(len(keys)), 20))
    g = Graph(keys, record.inputs, record.uses(), pinned)
    parts, owner = fold(g, lambda i: float(i), limit)
    assert len(parts) <= limit or len(keys) <= limit
    assert sorted(i for part in parts for block in part.blocks for i in block) == list(range(len(keys)))
    assert all(owner[i] == p for p, part in enumerate(parts) for block in part.blocks for i in block)
    links = connected(g, [part.blocks for part in parts])
    assert all(source < p for p, sources in enumerate(links.sources) for source in sources)
    exits = {i for part in parts for i in part.exits()}
    inner = {i: block for part in parts for block in part.blocks for i in block if i not in exits}
    assert all(j in inner[i] for j, sources in enumerate(record.inputs) for i in sources if i in inner)
    assert all(len({len(block) for block in part.blocks}) == 1 for part in parts)
    assert all(parts[owner[i]].exits() == [i] for i in sorted(pinned)[-(limit // 8) :])


@pytest.mark.parametrize("name", GRAPHS)
def test_every_recorded_arrow_is_drawn_and_no_other(name, monkeypatch):
    foldings = []
    monkeypatch.setattr(expression, "fold", lambda *args: foldings.append(fold(*args)) or foldings[-1])
    value = GRAPHS[name]
    d = folded(value)
    record = recorded(value, numbers_inside=True)
    (folding,) = foldings
    owner = [f"n{p}" for p in folding.owner]
    arrows = {(owner[i], owner[j]) for j, sources in enumerate(record.inputs) for i in sources if i >= 0}
    assert {(e.source, e.target) for e in d.edges} == {(a, b) for a, b in arrows if a != b}
    assert sum(node.count for node in d.nodes) == len(record.items)
    assert [node.id for node in d.nodes] == [f"n{i}" for i in range(len(d.nodes))]
    assert all(n < 2 for e, n in Counter(d.edges).items() if d.nodes[int(e.target[1:])].count > 1)


def test_inside_is_no_position():
    assert INSIDE < 0
    assert recorded(Value(1.0) * 2, numbers_inside=True).inputs == [(), (0, INSIDE)]


def test_the_same_in_every_run():
    code = """
import builtins
from tinygrad_edu import Value, tanh
from viz import graph
ws = [Value(0.1 * i) for i in range(50)]
y = builtins.sum(tanh(w * (i % 7)) * w for i, w in enumerate(ws))
values = [y, *ws]
for i in range(400):
    values.append(values[i * 7919 % len(values)] * values[-1] + values[i // 2])
y = values[-1] + y
y.backward()
print(graph(y).dot())
"""
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert b"recorded nodes drawn as" in runs[0]


def test_logarithm_of_zero_is_red_all_the_way():
    x = Value(0.0, name="x")
    with np.errstate(all="ignore"):
        y = log(x) * 2 + Value(1.0)
        y.backward()
    d = graph(y).drawing
    assert [(node.symbol or node.name or node.value[0], node.alarm) for node in d.nodes] == [
        ("x", True), ("ln", True), ("2", False), ("×", True), ("1", False), ("+", True)
    ]  # fmt: skip
    assert [edge.alarm for edge in d.edges] == [True, True, False, True, False]


# -- What a page opens -------------------------------------------------------------------------------------------------


def test_runs_of_operations_are_groups_that_a_page_opens():
    y = Value(0.5)
    for _ in range(30):
        y = tanh(exp(y + 1) - 2) * Value(0.1) + y
    y.backward()
    sizes = drawings_of(y, detail="auto", limits=(100, 100))
    runs = [node for node in sizes.drawing.nodes if node.kind is Kind.FOLD]
    assert len(runs) == len(sizes.opened.groups) == 30
    for node, group in zip(runs, sizes.opened.groups, strict=True):
        inner = [n for n in sizes.opened.nodes if n.id in group.nodes]
        assert group.title == f"{node.symbol} {node.params}"
        assert [n.symbol for n in inner] == ["+", "exp", "-", "tanh", "×", "+"][: node.count]
        assert (inner[-1].value, inner[-1].gradient) == (node.value, node.gradient)  # of what leaves the run
        assert group.lines == (f"value {node.value[0]}", f"gradient {node.gradient[0]}")
        assert group.closed
    assert sizes.opened.folded == sizes.drawing.folded
    assert len(sizes.opened.nodes) == len(sizes.drawing.nodes) + sum(node.count - 1 for node in runs)
    place = {node.id: i for i, node in enumerate(sizes.opened.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in sizes.opened.edges)


def test_nothing_opens_where_nothing_is_folded_and_long_runs_stay_folded():
    assert drawings_of(Value(1.0) * 2, detail="auto", limits=(100, 100)).opened is None
    y = Value(0.5)
    for _ in range(1000):
        y = tanh(y)
    assert drawings_of(y, detail="auto", limits=(100, 100)).opened is None


def test_what_is_drawn_once_opens_to_steps_that_are_drawn_once():
    y = builtins.sum(tanh(builtins.sum(Value(0.1 * k) * i for i in range(7))) for k in range(40))
    opened = drawings_of(y, detail="auto", limits=(100, 100)).opened
    (group,) = [group for group in opened.groups if group.title == "+ 7 in a row"]
    assert [n.form for n in opened.nodes if n.id in group.nodes] == ["×40"] * 7
    assert group.lines[0] == "×40"
