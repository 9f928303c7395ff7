"""Graphs of any size end in a readable picture; how soon, benchmarks/drawing.py tells."""

from __future__ import annotations

import re
from functools import cache

import pytest

from viz import Picture, graph

graphs = pytest.importorskip("benchmarks.drawing", reason="benchmarks/ is not here")

CASES = {
    "9": (graphs.small, ()),
    "838": (graphs.network, (10, (2, 4, 4, 1))),
    "10,003": (graphs.recurrent, (2_000,)),
    "10,667": (graphs.tangle, (10_000,)),
    "65,818": (graphs.network, (100, (2, 16, 16, 1))),
    "998,641": (graphs.tangle, (925_000,)),
    "a chain of 1,000,001": (graphs.chain, (1_000_000,)),
    "a sum of 1,000,001": (graphs.wide, (250_000,)),
}


@cache
def drawn(name: str) -> Picture:
    build, arguments = CASES[name]
    return graph(build(*arguments))


@pytest.mark.parametrize("name", CASES)
def test_a_graph_of_any_size_is_drawn(name, engine, tmp_path):
    picture = drawn(name)
    nodes, folded = picture.drawing.nodes, picture.drawing.folded
    assert len(nodes) <= 120
    assert re.match(rf"{name.split()[-1]} recorded nodes drawn as {len(nodes)}: ", folded) or len(nodes) == 9
    assert nodes[-1].kind == "output"
    svg = picture.svg()
    assert all(f'id="{node.id}"' in svg for node in nodes)
    assert len(picture.png()) > 1000


def test_the_demo_loss_shows_its_layers():
    """micrograd's two-moons demo: two weights and a bias a layer, and of each operation one for all samples and neurons."""
    nodes = graph(graphs.network(100, (2, 16, 16, 1))).drawing.nodes
    assert len(nodes) == 24
    assert [node.form for node in nodes if node.symbol == "relu"] == ["×1,600", "×1,600", "×100"]
    assert sorted(node.count for node in nodes if node.kind == "leaf") == [1, 16, 16, 16, 32, 200, 256]


def test_a_recurrent_neuron_shows_what_it_does_each_time():
    nodes = drawn("10,003").drawing.nodes
    assert [(node.symbol, node.form) for node in nodes[4:]] == [
        ("×", "×2,000"), ("×", "×2,000"), ("+", "×2,000"), ("tanh", "×2,000")
    ]  # fmt: skip
