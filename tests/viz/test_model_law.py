"""A law over random models: what `viz.graph` draws of a run is what the run recorded, no more and no less.

Dependencies are rebuilt from the plain data of the drawing (rebuilt.py) and held against a recording that the tests make
themselves (recorded_run.py). Each test shows the model's source if it fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest
from random_models import COUNT, FAILURES, FEATURES, Sample, sample
from rebuilt import complaints
from recorded_run import Recording

import viz

SVG = "{http://www.w3.org/2000/svg}"
MARGIN = 1.5  # points by which an arrow may reach into a box


@cache
def drawn(number: int, detail: str) -> tuple[Sample, viz.Picture]:
    """The picture of a sample; of one that fails that of its error."""
    model = sample(number)
    made = model.made()
    try:
        return model, viz.graph(made["model"], *made["inputs"], names=made["names"], loss=made["loss"], detail=detail)
    except Exception as error:
        picture = getattr(error, "picture", None)
        if picture is None:
            pytest.fail(f"graph raised {type(error).__name__}: {error}\n{model}")
        return model, picture


@pytest.mark.parametrize("number", range(COUNT))
@pytest.mark.parametrize("detail", ["layer", "auto"])
def test_a_drawing_says_what_was_recorded(number, detail):
    model, picture = drawn(number, detail)
    recording = Recording(model)
    assert bool(recording.error) == bool(model.fails), model
    found = complaints(recording, picture.drawing, is_whole=detail == "layer")
    assert not found, "\n".join([*found, str(model)])


@pytest.mark.parametrize("number", range(COUNT))
def test_no_arrow_crosses_a_box(number):
    model, picture = drawn(number, "auto")
    assert crossings(picture) == [], model


def test_every_feature_and_failure_occurs():
    models = [sample(number) for number in range(COUNT)]
    assert {model.feature for model in models} == set(FEATURES)
    assert {model.fails for model in models} == {"", *FAILURES}
    assert len({model.source for model in models}) == COUNT


# -- The law can fail --------------------------------------------------------------------------------------------------

RIGHT = (10, 25, 31, 47)  # models of many features, whose drawings are damaged


def damaged(drawing: viz.Drawing) -> Iterator[tuple[str, viz.Drawing]]:
    """The drawing with one thing wrong, in each way and at each place."""
    edges, nodes = drawing.edges, drawing.nodes
    for i, edge in enumerate(edges):
        yield f"{edge} is gone", replace(drawing, edges=edges[:i] + edges[i + 1 :])
        if edge.source != nodes[0].id:
            yield (
                f"{edge} from elsewhere",
                replace(drawing, edges=(*edges[:i], replace(edge, source=nodes[0].id), *edges[i + 1 :])),
            )
    for i, node in enumerate(nodes):
        kept = tuple(edge for edge in edges if node.id not in (edge.source, edge.target))
        groups = tuple(replace(g, nodes=tuple(id for id in g.nodes if id != node.id)) for g in drawing.groups)
        yield f"{node.id} is gone", replace(drawing, nodes=nodes[:i] + nodes[i + 1 :], edges=kept, groups=groups)
        if node.kind in (viz.Kind.DATA, viz.Kind.LEAF):
            yield f"{node.id} is called otherwise", _with(drawing, i, replace(node, name="other"))
        if node.ops:
            yield f"{node.id} counts one too few", _with(drawing, i, replace(node, ops=node.ops[1:]))
        if node.kind is viz.Kind.RESULT:
            yield f"{node.id} does something else", _with(drawing, i, replace(node, ops=("sin",)))
            yield f"{node.id} reads a parameter", _with(drawing, i, replace(node, notes=("with weight",)))
        if node.kind is viz.Kind.MODULE:
            yield f"{node.id} failed", _with(drawing, i, replace(node, kind=viz.Kind.FAILED))
    for i, group in enumerate(drawing.groups):
        for id in group.nodes:
            kept = replace(group, nodes=tuple(x for x in group.nodes if x != id))
            yield f"{id} left its frame", replace(drawing, groups=(*drawing.groups[:i], kept, *drawing.groups[i + 1 :]))


def _with(drawing: viz.Drawing, i: int, node: viz.DrawnNode) -> viz.Drawing:
    return replace(drawing, nodes=(*drawing.nodes[:i], node, *drawing.nodes[i + 1 :]))


@pytest.mark.parametrize("number", RIGHT)
@pytest.mark.parametrize("detail", ["layer", "auto"])
def test_the_law_finds_what_is_wrong(number, detail):
    model, picture = drawn(number, detail)
    recording, is_whole = Recording(model), detail == "layer"
    assert complaints(recording, picture.drawing, is_whole) == []
    wrong = list(damaged(picture.drawing))
    if not is_whole:  # what a node depends on may lead to it on several ways, and frames are not compared
        wrong = [(what, drawing) for what, drawing in wrong if not what.startswith("Edge") and "frame" not in what]
    assert len(wrong) > 20
    assert [what for what, drawing in wrong if not complaints(recording, drawing, is_whole)] == []


# -- Geometry ----------------------------------------------------------------------------------------------------------


def crossings(picture: viz.Picture) -> list[str]:
    """The arrows that pass through a box other than those at their ends."""
    edges = {f"e{i}": edge for i, edge in enumerate(picture.drawing.edges)}
    parts = [g for g in ElementTree.fromstring(picture.svg()).iter(f"{SVG}g") if g.get("id")]
    boxes = {g.get("id"): _extent(g) for g in parts if "node" in g.get("class", "").split()}
    found = []
    for g in parts:
        if g.get("id") in edges:
            edge = edges[g.get("id")]
            points = list(_points(g.find(f".//{SVG}path").get("d")))
            for id, (left, top, right, bottom) in boxes.items():
                if id not in (edge.source, edge.target) and any(
                    left < x < right and top < y < bottom for x, y in points
                ):
                    found.append(f"{edge.source} -> {edge.target} crosses {id}")
    assert len(boxes) == len(picture.drawing.nodes)
    return found


def _extent(g: Any) -> tuple[float, float, float, float]:
    """The extent of a node's shape, the first polygon, ellipse or path in its group, less a margin."""
    shape = next(each for each in g.iter() if each.tag in (f"{SVG}polygon", f"{SVG}ellipse", f"{SVG}path"))
    if shape.tag == f"{SVG}ellipse":
        x, y, w, h = (float(shape.get(key)) for key in ("cx", "cy", "rx", "ry"))
        w, h = 0.7 * w, 0.7 * h  # the rectangle within
        return x - w, y - h, x + w, y + h
    numbers = _numbers(shape.get("points") or shape.get("d"))
    xs, ys = numbers[::2], numbers[1::2]
    return min(xs) + MARGIN, min(ys) + MARGIN, max(xs) - MARGIN, max(ys) - MARGIN


def _numbers(text: str) -> list[float]:
    for letter in "MCLZ,":
        text = text.replace(letter, " ")
    return list(map(float, text.split()))


def _points(d: str):
    """Points along a path of cubic curves, some for each."""
    numbers = _numbers(d)
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    for k in range(0, len(points) - 3, 3):
        for i in range(17):
            t = i / 16
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield tuple(
                sum(w * point[axis] for w, point in zip(weights, points[k : k + 4], strict=True)) for axis in (0, 1)
            )


def test_the_geometry_finds_an_arrow_through_a_box():
    nodes = tuple(viz.DrawnNode(f"n{i}", viz.Kind.DATA, (), name=f"name {i}") for i in range(3))
    drawing = viz.Drawing("", "", nodes, (viz.Edge("n0", "n1"), viz.Edge("n1", "n2")))
    straight = viz.Picture(drawing)
    assert crossings(straight) == []
    svg = straight.svg()
    through = type(
        "Through", (), {"drawing": viz.Drawing("", "", nodes, (viz.Edge("n0", "n2"),)), "svg": lambda self: svg}
    )()
    svg = _with_arrow_from_the_first_to_the_last(svg)
    assert crossings(through) == ["n0 -> n2 crosses n1"]


def _with_arrow_from_the_first_to_the_last(svg: str) -> str:
    """The picture with its first arrow led straight through all nodes."""
    root = ElementTree.fromstring(svg)
    groups = {g.get("id"): g for g in root.iter(f"{SVG}g") if g.get("id")}
    first, last = (_extent(groups[id]) for id in ("n0", "n2"))
    y = (first[1] + first[3]) / 2
    ends = [first[0] + (last[2] - first[0]) * t for t in (0, 1 / 3, 2 / 3, 1)]
    groups["e0"].find(f".//{SVG}path").set("d", f"M{ends[0]},{y}C" + " ".join(f"{x},{y}" for x in ends[1:]))
    return ElementTree.tostring(root, encoding="unicode")
