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

from tinygrad_edu import Value, exp, log, relu, sin, stack, tanh
from viz import Drawing, Kind, graph
from viz.drawings import expression
from viz.drawings.expression import drawings_of
from viz.folding.fold import fold
from viz.folding.parts import Graph
from viz.reading.recorded import INSIDE, recorded
from viz.text import number


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


def growth(n: int) -> Value:
    z, s = Value(1.0, name="z0"), Value(0.5, name="s")
    for _ in range(n):
        z = z * 1.001 + 0.1 * s
    return z


def neuron(n: int) -> Value:
    """A neuron that feeds itself, with an input of its own each time."""
    w, u, h = Value(0.5, name="w"), Value(0.9, name="u"), Value(0.1, name="h0")
    for i in range(n):
        h = tanh(w * Value(0.01 * i, requires_grad=False) + u * h)
    return h


def orbit(n: int) -> Value:
    """Two states, each computed from both as they were."""
    x, v, k = Value(1.0, name="x0"), Value(0.0, name="v0"), Value(2.0, name="k")
    for _ in range(n):
        x, v = x + 0.01 * v, v - k * exp(x)
    return x * tanh(v)


def layer(units: int, times: int) -> Value:
    """Neurons that feed each other."""
    us = [[Value(0.1 * (i - j)) for j in range(units)] for i in range(units)]
    h = [Value(0.0) for _ in range(units)]
    for t in range(times):
        x = Value(float(t), requires_grad=False)
        h = [tanh(builtins.sum((u * hi for u, hi in zip(row, h, strict=True)), row[0] * x)) for row in us]
    return builtins.sum(h)


def two_loops(n: int) -> Value:
    """The second works on each result of the first."""
    w, u, h, hs = Value(0.1), Value(0.2), Value(0.0), []
    for i in range(n):
        h = tanh(w * Value(0.01 * i, requires_grad=False) + u * h)
        hs.append(h)
    return through(hs, Value(0.5)) * sin(hs[0])


def through(xs: list[Value], y: Value) -> Value:
    """A loop over results, that begins with y."""
    for x in xs:
        y = sin(y * x)
    return y


def disorder(n: int) -> list[Value]:
    """Results of one operation, of which each has another source."""
    rng = random.Random(0)
    values = [Value(0.5), Value(0.6)]
    while len(values) < n:
        values.append(tanh(rng.choice(values[-9:])))
    return values[2:]


def some_times(n: int, every: int) -> Value:
    """A loop with an if."""
    z, s = Value(1.0), Value(0.5)
    for i in range(n):
        z = z * 0.9 + 0.1 * s
        if i % every == 0:
            z = tanh(z)
    return z


def program(seed: int) -> Value:
    """A random loop over random states, on what is shared, what is each time new, and what was computed before."""
    rng = random.Random(seed)
    states = [Value(0.1 * i) for i in range(rng.randint(1, 3))]
    shared = [Value(0.3), tanh(Value(0.7))]
    kinds = (lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a - 0.5, lambda a, b: tanh(a))
    body = [(rng.choice(kinds), rng.random(), rng.random(), rng.randrange(4)) for _ in range(rng.randint(1, 8))]
    ends = [(rng.random(), rng.randrange(len(states))) for _ in states]
    every = rng.choice((1_000, 1_000, 50))
    for i in range(rng.choice((60, 150))):
        known = [Value(0.01 * i), *shared, *states]
        for k, (what, first, second, target) in enumerate(body):
            if k == 1 and i % every == every - 1:
                continue
            a, b = known[int(first * len(known))], known[int(second * len(known))]
            known.append(what(a, b))
            if target < len(states):
                states[target] = known[-1]
        for end, source in ends:
            states[source] = states[source - 1] * 0.9 + known[-1 - int(end * 3)]
    return builtins.sum(x * (0.1 + i) for i, x in enumerate(states))


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
    assert d.nodes[3].value == (number(y.data),)
    assert d.nodes[0].gradient == tuple(number(f([w.grad for w in ws])) for f in (np.mean, np.min, np.max))
    assert d.nodes[1].value == tuple(number(f([x.data for x in xs])) for f in (np.mean, np.min, np.max))


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
        ("stack", "", "(50000,) float64"),
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


@pytest.mark.parametrize("kinds", [5, 6])
def test_a_chain_tells_five_kinds_of_steps(kinds):
    y = Value(0.5)
    for i in range(kinds):
        y = sin(y) if i % 2 else tanh(y)
    (_, chain) = drawings_of(y, None, detail="auto", limits=(3, 3)).drawing.nodes
    assert (chain.symbol, chain.count) == (f"{kinds} operations", kinds)
    assert chain.params == "tanh, sin, tanh, sin, tanh" + (", …" if kinds > 5 else "")


def test_what_is_used_unevenly_begins_no_chain():
    """One of the two tanh has one use; the other has five, so the operations behind them are another chain."""
    h1, h2 = tanh(Value(0.1)), tanh(Value(0.2))
    sums = [builtins.sum([h1, h2, h2]), builtins.sum([h2, h2, h2])]
    y = builtins.sum(exp(sin(x)) for x in sums)
    d = drawings_of(y, None, detail="auto", limits=(4, 4)).drawing
    assert [(node.symbol, node.params, node.count) for node in d.nodes] == [
        ("", "", 2), ("tanh", "", 2), ("5 operations", "+ ×3, sin, exp", 10), ("+", "2 in a row", 2)
    ]  # fmt: skip


def test_names_stay_visible():
    y, ws, _ = products(100)
    names = {"first": ws[0], "last": ws[99]}
    d = folded(y, names)
    assert [node.name for node in d.nodes if node.name] == ["first", "last"]
    assert [node.form for node in d.nodes] == ["", "×98", "", "×100", "×100", ""]
    assert [node.kind for node in d.nodes] == [*[Kind.LEAF] * 4, Kind.RESULT, Kind.OUTPUT]
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


@pytest.mark.parametrize("kinds", [5, 6])
def test_a_layer_tells_five_kinds_of_operations_and_how_many_others(kinds):
    rng = random.Random(0)
    steps = (tanh, sin, relu, abs, lambda x: x - 1, lambda x: x * 0.5)[:kinds]
    values = [Value(0.5)]
    for i in range(2_000):
        values.append(steps[i % kinds](rng.choice(values[-9:])))
    layers = [node for node in folded(builtins.sum(values)).nodes if node.count > 100 and "operations" in node.symbol]
    assert len(layers) > 1
    for node in layers:
        told = {what: int(n) for what, n in (part.rsplit(" ", 1) for part in node.params.split(", "))}
        assert sum(told.values()) == node.count == told.pop("leaves", 0) + int(node.symbol.split()[0])
        assert len(told) == kinds
        assert ("others" in told) == (kinds > 5)


def test_a_loop_is_drawn_once():
    y = growth(5_000)
    y.backward()
    d = folded(y)
    assert told(d) == [
        ("", "", ""),
        ("", "", ""),
        ("×", "1.001", "×5,000"),
        ("×", "0.1", "×5,000"),
        ("+", "", "×5,000"),
    ]
    assert [(e.source, e.target) for e in d.edges] == [("n0", "n2"), ("n1", "n3"), ("n2", "n4"), ("n3", "n4")]
    assert [node.notes for node in d.nodes] == [(), (), (), (), ("each feeds the next ×",)]
    assert [node.count for node in d.nodes] == [1, 1, 5_000, 5_000, 5_000]
    assert (d.nodes[-1].kind, d.nodes[-1].value, d.nodes[-1].gradient) == (Kind.OUTPUT, (f"{y.data:.4g}",), ("1",))
    assert "15,000 in 3 steps of loops, each drawn once with its number" in d.folded


def test_what_each_time_has_of_its_own_is_drawn_once():
    d = folded(neuron(300))
    assert told(d) == [
        ("", "", ""), ("", "", "×300"), ("", "", ""), ("", "", ""),
        ("×", "", "×300"), ("×", "", "×300"), ("+", "", "×300"), ("tanh", "", "×300"),
    ]  # fmt: skip
    assert [node.name for node in d.nodes] == ["w", "", "u", "h0", "", "", "", ""]
    assert {node.uses for node in d.nodes[:3]} == {1, 300}


def test_what_a_loop_takes_from_the_time_before_is_no_arrow():
    """The new v is computed from the old x, so that no arrow leads there from the new x."""
    d = folded(orbit(100))
    (add,) = [node for node in d.nodes if (node.symbol, node.form) == ("+", "×100")]
    (exps,) = [node for node in d.nodes if node.symbol == "exp"]
    assert add.notes[-1] == "each feeds the next +, exp"
    assert [d.nodes[int(e.source[1:])].name for e in d.edges if e.target == exps.id] == ["x0"]
    assert [d.nodes[int(e.target[1:])].symbol for e in d.edges if e.source == add.id] == ["×"]  # of the last x


def test_neurons_that_feed_each_other_are_a_loop_of_groups():
    d = folded(layer(5, 40))
    assert told(d)[-5:] == [
        ("×", "", "×200"), ("×", "", "×1,000"), ("+", "5 in a row", "×200"), ("tanh", "", "×200"), ("+", "5 in a row", "")
    ]  # fmt: skip


def test_a_loop_may_work_on_each_result_of_another():
    forms = [node.form for node in folded(two_loops(200)).nodes if node.kind is Kind.RESULT]
    assert forms == ["×200"] * 6 + [""]


def test_a_loop_may_take_many_times_the_same_result_of_another():
    """Nine uses by one operation are not nine operations: the result is not shared by all times."""
    w, h, hs = Value(0.1), Value(0.0), []
    for i in range(200):
        h = tanh(w * Value(0.01 * i, requires_grad=False) + h)
        hs.append(h)
    y = through([builtins.sum([h] * 9) for h in hs], Value(0.5))
    assert told(folded(y))[-6:-1] == [
        ("×", "", "×200"), ("+", "", "×200"), ("tanh", "", "×200"), ("+", "9 in a row", "×200"), ("×", "", "×200")
    ]  # fmt: skip


def test_a_loop_may_begin_with_what_ends_the_loop_before():
    """The second loop repeats the last steps of the first: they belong to the first, and the second is drawn all the same."""
    z = Value(0.3, name="z0")
    for _ in range(60):
        z = sin(z) - z
        z = tanh(z) * z
    for _ in range(50):
        z = tanh(z) * z
    assert told(folded(z)) == [
        ("", "", ""),
        ("sin", "", "×60"), ("-", "", "×60"), ("tanh", "", "×60"), ("×", "", "×60"),
        ("tanh", "", "×50"), ("×", "", "×50"),
    ]  # fmt: skip


def test_a_loop_with_an_if_folds_in_its_own_period():
    d = folded(some_times(2_000, every=7))
    assert len([node for node in d.nodes if node.form in ("×285", "×286")]) == 22
    assert "layers by their depth" not in d.folded


def test_a_name_in_a_loop_stays_visible_and_the_loop_falls_apart_there():
    h = Value(0.1)
    w = Value(0.5)
    for i in range(301):
        h = tanh(w * h + Value(0.01 * i))
        if i == 150:
            h.name = "half way"
    d = folded(h)
    (named,) = [node for node in d.nodes if node.name]
    assert (named.name, named.count) == ("half way", 1)
    assert [node.form for node in d.nodes if node.symbol == "tanh"] == ["×150", "", "×150"]


def test_a_number_within_a_loop_is_no_node_of_it():
    """The first time works on a number, the later ones on results: those are a loop without it."""
    w, h = Value(0.5), 0.1
    for i in range(200):
        h = sin(w * h) + Value(0.01 * i)
    d = folded(h)
    assert [(n.params, n.form) for n in d.nodes if n.symbol == "×"] == [("0.1", ""), ("", "×199")]


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
    assert folded(y).nodes[0].notes == ("gradient cleared since (2 of 100)",)


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
    "growth": growth(200),
    "neuron": neuron(150),
    "orbit": orbit(100),
    "layer": layer(4, 50),
    "two loops": two_loops(100),
    "a loop over disorder": through(disorder(50), neuron(150)),
    "some times": some_times(300, 7),
    "seldom": some_times(1_000, 60),
    **{f"program {seed}": program(seed) for seed in (1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 15, 16, 17, 18, 19)},
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
    folding = fold(g, lambda i: float(i), limit)
    parts, owner, turns = folding
    assert len(parts) <= limit or len(keys) <= limit
    assert sorted(i for part in parts for block in part.blocks for i in block) == list(range(len(keys)))
    assert all(owner[i] == p for p, part in enumerate(parts) for block in part.blocks for i in block)
    arrows = [(i, j) for j, sources in enumerate(record.inputs) for i in sources if i >= 0]
    assert all(owner[i] <= owner[j] for i, j in arrows if not folding.hands_on(i, j))
    block_of = {i: block for part in parts for block in part.blocks for i in block}
    assert all(block_of[i] is block_of[j] for i, j in arrows if owner[i] == owner[j] and not folding.hands_on(i, j))
    exits = {i for part in parts for i in part.exits()}
    inner = {i: block for part in parts for block in part.blocks for i in block if i not in exits}
    assert all(j in inner[i] for j, sources in enumerate(record.inputs) for i in sources if i in inner)
    assert all(len({len(block) for block in part.blocks}) == 1 for part in parts)
    assert all(parts[owner[i]].exits() == [i] for i in sorted(pinned)[-(limit // 8) :])


@pytest.mark.parametrize("name", GRAPHS)
def test_each_time_of_a_loop_does_the_same(name, monkeypatch):
    foldings = []
    monkeypatch.setattr(expression, "fold", lambda *args: foldings.append((args[0], fold(*args))) or foldings[-1][1])
    folded(GRAPHS[name])
    ((g, (parts, owner, turns)),) = foldings

    def source(i, j):
        """Which part an operand of node j is of, and how many times ago it was computed, if within the same loop."""
        known = i >= 0 and i in turns and turns[i].loop == turns[j].loop
        return (owner[i], turns[j].time - turns[i].time) if known else (owner[i] if i >= 0 else INSIDE, None)

    for part in parts:
        times = [turns[block[-1]].time for block in part.blocks if block[-1] in turns]
        assert len(times) in (0, len(part.blocks))
        last = [block for block, time in zip(part.blocks, times, strict=False) if time == max(times)]
        for k, block in enumerate(part.blocks[: len(times)]):
            like = last[k % len(last)]
            assert times[k] == k // len(last)
            assert [g.keys[j] for j in block] == [g.keys[j] for j in like]
            for j, j_like in zip(block, like, strict=True):
                assert len({turns[i] for i in block}) == 1
                for i, i_like in zip(g.inputs[j], g.inputs[j_like], strict=True):
                    found, usual = source(i, j), source(i_like, j_like)
                    begins = found[1] is None and i != INSIDE and usual[1] is not None and times[k] < usual[1]
                    assert found == usual or begins


def test_the_programs_are_loops():
    """Else the laws would hold for nothing."""
    assert all("of loops" in folded(value).folded for name, value in GRAPHS.items() if name.startswith("program"))


@pytest.mark.parametrize("name", GRAPHS)
def test_every_recorded_arrow_is_drawn_and_no_other(name, monkeypatch):
    foldings = []
    monkeypatch.setattr(expression, "fold", lambda *args: foldings.append(fold(*args)) or foldings[-1])
    value = GRAPHS[name]
    d = folded(value)
    record = recorded(value, numbers_inside=True)
    (folding,) = foldings
    owner = [f"n{p}" for p in folding.owner]
    arrows = {
        (owner[i], owner[j])
        for j, sources in enumerate(record.inputs)
        for i in sources
        if i >= 0 and not folding.hands_on(i, j)
    }
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


def test_uses_are_told_where_all_that_is_drawn_as_one_has_the_same():
    """Each z is used once by the next time, but the last one twice: no number of uses holds for all."""
    z = growth(300)
    uses = {node.uses for node in folded(z * exp(z)).nodes if node.symbol == "+"}
    assert uses == {0}
    assert {node.uses for node in folded(exp(z)).nodes if node.symbol == "+"} == {1}
