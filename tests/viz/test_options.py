"""Every option of viz.graph with every detail: either the picture differs, or an error names the option. None is ignored."""

from __future__ import annotations

import numpy as np
import pytest

import nn
from tinygrad_edu import DTypeError, Value, tanh
from viz import Picture, graph

X = np.array([[0.5, -1.0], [1.0, 2.0]])
WHATS = {
    "expression": ("auto", "scalar", "tensor", "backward"),
    "arrays": ("auto", "scalar", "tensor", "backward"),
    "model": ("auto", "layer", "scalar", "tensor", "neurons", "backward"),
}
OPTIONS = {
    "title": "A title",
    "names": "names",
    "derivatives": True,
    "magnitudes": True,
    "loss": lambda y: (y * y).sum(),
    "flow": "turned",
    "row": 1,
    "symbols": True,
}
REFUSED = {  # with what the error says; all others change the picture
    ("model", "auto", "derivatives"): "derivatives=True with detail='auto', .* use detail='scalar'",
    ("model", "layer", "derivatives"): "derivatives=True with detail='layer', .* use detail='scalar'",
    ("model", "neurons", "derivatives"): "derivatives=True with detail='neurons', .* use detail='scalar'",
    ("model", "neurons", "loss"): "a loss with detail='neurons', which draws layers alone; leave it out",
    ("arrays", "auto", "derivatives"): "derivatives=True, .* none is drawn here; use detail='scalar'",
    ("arrays", "tensor", "derivatives"): "derivatives=True, .* none is drawn here; use detail='scalar'",
    ("arrays", "backward", "derivatives"): "derivatives=True, .* none is drawn here; use detail='scalar'",
    ("model", "tensor", "derivatives"): "derivatives=True, .* none is drawn here; use detail='scalar'",
    ("model", "backward", "derivatives"): "derivatives=True, .* none is drawn here; use detail='scalar'",
    **{
        (what, detail, "loss"): "a Value and loss=, which belongs to a Module"
        for what in ("expression", "arrays")
        for detail in WHATS[what]
    },
    **{
        (what, detail, option): f"{option}={OPTIONS[option]} with detail='{detail}', .* use detail='neurons'"
        for option in ("row", "symbols")
        for what, details in WHATS.items()
        for detail in details
        if detail != "neurons"
    },
}


def make(what: str) -> tuple[list[object], dict[str, object]]:
    """What to draw with its inputs, after backward(), and names for it."""
    if what == "model":
        model = nn.MLP((2, 3, 1), nn.Tanh, rng=0)
        (model(X) ** 2).mean().backward()
        return [model, X], {"pixels": X}
    a = Value(0.5) if what == "expression" else Value([0.5, -0.25])
    b = Value(3.0) if what == "expression" else Value([3.0, 1.0])
    y = tanh(a * b) if what == "expression" else tanh(a * b).sum()
    y.backward()
    return [y], {"alpha": a, "beta": b}


def draw(what: str, detail: str, option: str | None = None) -> Picture:
    given, names = make(what)
    options = {} if option is None else {option: OPTIONS[option]}
    if option == "names":
        options["names"] = names
    if option == "flow":
        options["flow"] = "right" if what == "model" and detail in ("auto", "layer") else "down"
    return graph(*given, detail=detail, **options)


CASES = [(what, detail, option) for what, details in WHATS.items() for detail in details for option in OPTIONS]


@pytest.mark.parametrize(("what", "detail", "option"), CASES)
def test_no_option_is_ignored(what, detail, option):
    message = REFUSED.get((what, detail, option))
    if message is not None:
        with pytest.raises(DTypeError, match=f"graph: got {message}"):
            draw(what, detail, option)
        return
    plain, changed = draw(what, detail), draw(what, detail, option)
    for text in (Picture.dot, Picture.mermaid):
        assert text(plain) != text(changed)
    assert draw(what, detail).dot() == plain.dot()


def test_each_option_does_what_it_says():
    for what, details in WHATS.items():
        for detail in details:
            assert draw(what, detail, "title").drawing.title == "A title"
            given = {key for key in REFUSED if key[:2] == (what, detail)}
            if (what, detail, "derivatives") not in given:
                assert any(edge.derivative for edge in draw(what, detail, "derivatives").drawing.edges)
            assert any(node.magnitude is not None for node in draw(what, detail, "magnitudes").drawing.nodes)
            names = " ".join(f"{node.name} {node.symbol}" for node in draw(what, detail, "names").drawing.nodes)
            assert ("pixels" if what == "model" else "alpha") in names
    assert "row 1 of 2" in " ".join(draw("model", "neurons", "row").drawing.lines)


@pytest.mark.parametrize("detail", WHATS["model"])
def test_unknown_options_and_details_are_refused(detail):
    with pytest.raises(DTypeError, match="graph: got flow='up', expected 'right' or 'down'"):
        graph(*make("model")[0], detail=detail, flow="up")
    with pytest.raises(DTypeError, match="graph: got detail='scalars' for a model, expected one of"):
        graph(*make("model")[0], detail="scalars")
