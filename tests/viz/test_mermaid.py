"""The Mermaid text: complete, and nothing in a name can break it."""

from __future__ import annotations

import re

import pytest
from hostile import HOSTILE

from tinygrad_edu import Value, tanh
from viz import Drawing, DrawnNode, Edge, Group, Kind, Picture, graph
from viz.text import plain

_LINE = re.compile(
    r"flowchart LR|(?:accTitle|accDescr): (?:[^;#%{}\n]|#\d+;)+"
    r'|n\d+[\[(>{/\\]+"[^"\n]*"[\])}/\\]+:::[a-z]+'
    r'|n\d+ (?:-->|==>|-\.->)(?:\|"[^"\n]*"\|)? n\d+'
    r'|subgraph g\d+\["[^"\n]*"\]|[ng]\d+|end'
    r"|classDef [a-z]+ [\w:,#]+|style [ng]\d+ [\w:,#-]+|linkStyle (?:default|[\d,]+) [\w:,#]+"
)


def read(text: str) -> str:
    """What a reader sees of a label: entities and line breaks undone."""
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text).replace("\u200b", "")


def everything(text: str) -> Drawing:
    """A drawing with one text in all places."""
    leaf = DrawnNode("n0", Kind.LEAF, ("1",), text, text, text, "", (text,), (text,) if text else ())
    nodes = (leaf, DrawnNode("n1", Kind.OUTPUT, ("1", "2", "3"), form=text, gradient=("4", "5", "6")))
    groups = (Group("g0", text, ("n0",)), Group("g1", text, ("n1",), parent="g0"))
    return Drawing(
        text, text, nodes, (Edge("n0", "n1", text, text, alarm=True), Edge("n0", "n1", weight=-1.0)), groups, text
    )


def test_an_expression():
    a = Value(2.0, name="a")
    y = tanh(a * 3)
    y.backward()
    assert (
        graph(y, title="y").mermaid()
        == """flowchart LR
  accTitle: y
  accDescr: 4 nodes, from the inputs on the left to the output on the right. leaf a: value 2, gradient 7.373e−05#59; constant: value 3#59; result ×: value 6, gradient 2.458e−05#59; output tanh: value 1, gradient 1.
  n0("<b>a</b><br/>value 2<br/>gradient 7.373e−05"):::leaf
  n1(["3"]):::constant
  n2["×<br/>value 6<br/>gradient 2.458e−05"]:::result
  n3[["tanh<br/>value 1<br/>gradient 1"]]:::output
  n0 --> n2
  n1 --> n2
  n2 --> n3
  classDef leaf fill:#e3f2fb,stroke:#0072b2,color:#1a1a1a
  classDef constant fill:#f2f2f2,stroke:#767676,color:#1a1a1a
  classDef result fill:#fff6e5,stroke:#b87a00,color:#1a1a1a
  classDef output fill:#e2f5ee,stroke:#007a5a,color:#1a1a1a
  linkStyle default stroke:#555555
"""
    )


@pytest.mark.parametrize(
    "text",
    [*HOSTILE, "", "`code`", "%% comment", "end", "click n0 call alert()", "%%{init: {}}%%", "$$x$$", "fa:fa-car"],
)
def test_hostile_text_in_any_place_stays_text(text):
    lines = [line.strip() for line in Picture(everything(text)).mermaid().splitlines()]
    assert [line for line in lines if not _LINE.fullmatch(line)] == []
    assert len(lines) == len(Picture(everything("text")).mermaid().splitlines()) - 2 * (not text.strip())
    labels = [read(label) for line in lines for label in re.findall(r'"([^"]*)"', line)]
    assert sum(plain(text) in label for label in labels) == (5 if text else len(labels))


def test_what_mermaid_looks_for_within_text_is_taken_apart():
    text = graph(Value(1.0, name=r"\n $$x$$ fa:fa-car")).mermaid()
    assert r"<b>#92;#8203;n #36;#8203;#36;#8203;x#36;#8203;#36;#8203; fa#58;#8203;fa-car</b>" in text


def test_every_kind_has_a_shape_of_its_own():
    nodes = tuple(DrawnNode(f"n{i}", kind, ("1",)) for i, kind in enumerate(Kind))
    lines = Picture(Drawing("", "", nodes, ())).mermaid().splitlines()[2 : 2 + len(nodes)]
    assert all(_LINE.fullmatch(line.strip()) for line in lines)
    shapes = [re.sub(r'n\d+|".*"|:::.*', "", line) for line in lines]
    assert len(set(shapes)) == len(Kind)


def test_alarms_and_weights():
    nodes = (DrawnNode("n0", Kind.LEAF, ("nan",), alarm=True), DrawnNode("n1", Kind.OUTPUT, ("1",)))
    edges = (Edge("n0", "n1", weight=-0.5), Edge("n0", "n1", alarm=True), Edge("n0", "n1", "1st", "0.5"))
    text = Picture(Drawing("", "", nodes, edges)).mermaid()
    assert "n0 -.-> n1" in text
    assert "n0 ==> n1" in text
    assert '-->|"1st #8706; 0.5"| n1' in text
    assert "style n0 stroke:#b00020,stroke-width:3px,stroke-dasharray:5" in text
    assert "linkStyle 1 stroke:#b00020" in text


def test_every_group_is_an_outline_and_every_kind_that_is_there_has_its_colours():
    nodes = (
        DrawnNode("n0", Kind.LEAF, ("1",)),
        DrawnNode("n1", Kind.OUTPUT, ("1",)),
        DrawnNode("n2", Kind.LEAF, ("2",)),
    )
    groups = (Group("g0", "all", ("n0",)), Group("g1", "inside", ("n1",), parent="g0"))
    lines = [line.strip() for line in Picture(Drawing("", "", nodes, (), groups)).mermaid().splitlines()]
    assert [line.split(":")[0] for line in lines if line.startswith("style")] == ["style g0 fill", "style g1 fill"]
    assert all("fill:none" in line for line in lines if line.startswith("style"))
    assert [line.split()[1] for line in lines if line.startswith("classDef")] == [str(Kind.LEAF), str(Kind.OUTPUT)]
    assert not [line for line in lines if line.startswith("linkStyle")]  # there are no arrows


def test_it_needs_nothing_installed(no_engine, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "graphviz", None)
    assert graph(Value(1.0)).save(tmp_path / "a.mmd").read_text(encoding="utf-8") == graph(Value(1.0)).mermaid()
