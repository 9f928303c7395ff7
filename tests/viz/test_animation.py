"""viz.animate: the steps, the frames of the GIF, and the page in a browser."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest

import viz
from tinygrad_edu import DTypeError, GraphError, ShapeError, Value, tanh
from viz import RenderError
from viz.stepping import animation
from viz.stepping.trace import trace
from viz.writing import render


def expression() -> Value:
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(10.0, name="c")
    y = tanh(0.1 * (a * b + c)) + 0.5 * a
    y.name = "y"
    return y


CAPTIONS = [
    "Inputs: a = 2, b = −3, c = 10",
    "Forward: v1 = a × b = 2 × (−3) = −6",
    "Forward: v2 = v1 + c = (−6) + 10 = 4",
    "Forward: v3 = 0.1 × v2 = 0.1 × 4 = 0.4",
    "Forward: v4 = tanh(v3) = tanh(0.4) = 0.3799",
    "Forward: v5 = 0.5 × a = 0.5 × 2 = 1",
    "Forward: y = v4 + v5 = 0.3799 + 1 = 1.38",
    "Backward begins: dy/dy = 1",
    "dy/dv4 += dy/dy · ∂y/∂v4 = 1 · 1 = 1",
    "dy/dv5 += dy/dy · ∂y/∂v5 = 1 · 1 = 1",
    "dy/da += dy/dv5 · ∂v5/∂a = 1 · 0.5 = 0.5",
    "dy/dv3 += dy/dv4 · ∂v4/∂v3 = 1 · 0.8556 = 0.8556",
    "dy/dv2 += dy/dv3 · ∂v3/∂v2 = 0.8556 · 0.1 = 0.08556",
    "dy/dv1 += dy/dv2 · ∂v2/∂v1 = 0.08556 · 1 = 0.08556",
    "dy/dc += dy/dv2 · ∂v2/∂c = 0.08556 · 1 = 0.08556",
    "dy/da += dy/dv1 · ∂v1/∂a = 0.08556 · (−3) = −0.2567; together 0.2433",
    "dy/db += dy/dv1 · ∂v1/∂b = 0.08556 · 2 = 0.1711",
    "The gradients: dy/da = 0.2433, dy/db = 0.1711, dy/dc = 0.08556",
]


def frames_of(file):
    return json.loads(re.search(r"const DATA = (.*);", file.read_text(encoding="utf-8"))[1])["frames"]


def test_captions_spell_every_step(tmp_path):
    y = expression()
    frames = frames_of(viz.animate(y).save(tmp_path / "a.html"))
    assert [frame["caption"] for frame in frames] == CAPTIONS
    assert all(x.grad is None for x in (y, *y.inputs))


def test_the_steps_end_with_the_gradients_of_backward(tmp_path):
    y = expression()
    last = frames_of(viz.animate(y).save(tmp_path / "a.html"))[-1]
    y.backward()
    nodes = viz.graph(y).drawing.nodes
    expected = {str(i): list(node.gradient) for i, node in enumerate(nodes) if node.gradient}
    assert last["gradients"] == expected
    assert last["pending"] == []


def test_values_appear_in_order_and_gradients_after_them(tmp_path):
    frames = frames_of(viz.animate(expression()).save(tmp_path / "a.html"))
    assert [len(frame["pending"]) for frame in frames] == [6, 5, 4, 3, 2, 1, *[0] * 12]
    assert [len(frame["gradients"]) for frame in frames[7:]] == [1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9]
    assert all(not frame["gradients"] for frame in frames[:7])
    assert [frame["way"] for frame in frames] == ["ahead"] * 7 + ["behind"] * 11


def test_arrays_are_animated_too(tmp_path):
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    loss = (tanh(x @ Value(np.array([[0.1, 0.2], [0.3, -0.4]]), name="W")) * 2.0).sum()
    captions = [
        frame["caption"]
        for frame in frames_of(viz.animate(loss, names={"loss": loss, "x": x}).save(tmp_path / "a.html"))
    ]
    assert "Forward: v1 = x @ W = [[0.7, −0.6], [1.5, −1]]" in captions
    assert any(caption.startswith("d loss/dv1 += d loss/dv2 · (1 − v2²): [[") for caption in captions)
    assert captions[-2].startswith("d loss/dW += ")
    assert "where g = d loss/dv1: [[" in captions[-2]
    assert viz.animate(loss).save(tmp_path / "a.gif").stat().st_size > 10_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_gif_has_a_frame_for_each_step_and_the_same_bytes_each_time(theme, tmp_path, engine):
    from PIL.GifImagePlugin import GifImageFile

    file = viz.animate(expression(), title="y = ...", seconds=0.8, theme=theme).save(tmp_path / "a.gif")
    ground = {"light": (255, 255, 255), "dark": (20, 23, 26)}[theme]
    with GifImageFile(file) as gif:
        assert gif.n_frames == len(CAPTIONS)
        assert gif.info["loop"] == 0
        orange, blue = [], []
        for k in range(gif.n_frames):
            gif.seek(k)
            assert gif.info["duration"] == (800 if k < gif.n_frames - 1 else 2400)
            pixels = np.asarray(gif.convert("RGB"), int)
            assert tuple(pixels[0, 0]) == ground
            near = lambda colour, pixels=pixels: (abs(pixels - colour).sum(axis=2) < 12).sum()
            forward, backward = {
                "light": ((0x00, 0x62, 0xA3), (0xA0, 0x3C, 0x00)),
                "dark": ((0x7C, 0xC4, 0xF2), (0xFF, 0xA3, 0x6B)),
            }[theme]
            blue.append(near(forward))
            orange.append(near(backward))
    assert min(blue[1:7]) > 3 * max(blue[7:])  # the frame of the node that is computed
    assert min(orange[8:17]) > 1.2 * max(orange[:7])  # and of the one that gets a gradient
    again = viz.animate(expression(), title="y = ...", seconds=0.8, theme=theme).save(tmp_path / "b.gif")
    assert file.read_bytes() == again.read_bytes()


def test_boxes_stay_where_they_are(tmp_path, monkeypatch, engine):
    """Every frame is drawn at the places of one layout, and as large as any other."""
    drawn = []
    draw = render.render

    def spy(source, format, is_placed=False):
        if format == "png":
            drawn.append(draw(source, "svg", is_placed).decode())
        return draw(source, format, is_placed)

    monkeypatch.setattr(render, "render", spy)
    small = Value(1e-6, name="small") * 1.2345e-4 + Value(-123456.0, name="large")
    viz.animate(small).save(tmp_path / "a.gif")
    sizes = {re.search(r'viewBox="([^"]*)"', svg)[1] for svg in drawn}
    assert len(sizes) == 1
    shapes = [
        re.findall(
            r'<(?:polygon|ellipse)[^>]* (?:points|cx)="([^"]*)"', re.sub(r'<g id="e.*?</g>', "", svg, flags=re.S)
        )
        for svg in drawn
    ]
    assert all(each == shapes[0] for each in shapes)


def test_a_long_expression_is_wrapped_in_a_gif(tmp_path):
    y = Value(0.5, name="x")
    for _ in range(20):
        y = tanh(y)
    story = trace(y)
    layout = animation._layout(animation._at(story, animation._frames(story)[-1]))
    width, height = layout.size()
    assert 1 < width / height < 3


def test_the_page_plays_pauses_and_goes_by_steps(tmp_path, open_page):
    page = open_page(viz.animate(expression(), title="a < b", seconds=0.05).save(tmp_path / "a.html"))
    page.get_by_text("step 17 of 17").wait_for()  # it plays by itself
    assert page.title() == "a < b"
    play = page.locator("#play")
    assert play.text_content() == "Play"
    page.locator("#back").click()
    assert page.locator("#caption").text_content() == CAPTIONS[16]
    page.locator("#slider").fill("3")
    assert page.locator("#caption").text_content() == CAPTIONS[3]
    assert page.locator("#graph .now").count() == 1
    assert page.locator("#graph .edge.ahead").count() == 2
    assert page.locator("#graph .pending").count() == 3
    page.locator("body").press("End")
    page.locator("body").press("ArrowLeft")
    page.locator("body").press("ArrowLeft")
    assert page.locator("#caption").text_content() == CAPTIONS[15]
    assert page.locator("#graph .edge.behind").count() == 1
    assert "0.2433" in page.locator("#n0").text_content() + page.locator("#n1").text_content()
    play.click()
    play.click()
    stopped = page.locator("#step").text_content()
    page.wait_for_timeout(200)
    assert page.locator("#step").text_content() == stopped


def test_the_page_does_not_move_for_readers_who_want_no_motion(tmp_path, open_page):
    file = viz.animate(expression(), seconds=0.05).save(tmp_path / "a.html")
    for width in (390, 1280):
        page = open_page(file, reduced_motion="reduce", viewport={"width": width, "height": 800})
        assert page.locator("#step").text_content() == "step 17 of 17"
        assert page.locator("#play").text_content() == "Play"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_refused(tmp_path, monkeypatch):
    y = expression()
    with pytest.raises(RenderError, match=r"save: got 'a.mp4', expected a file name that ends in .gif or .html"):
        viz.animate(y).save("a.mp4")
    with pytest.raises(DTypeError, match="animate: got float, expected a Value"):
        viz.animate(3.0)
    for seconds in (0, -1, 61, "2", True, float("nan")):
        with pytest.raises(DTypeError, match="animate: got seconds=.*, expected a number from 0.05 to 60"):
            viz.animate(y, seconds=seconds)
    with pytest.raises(DTypeError, match="animate: got theme='transparent', expected 'light' or 'dark'"):
        viz.animate(y, theme="transparent")
    with pytest.raises(ShapeError, match="expected a single number"):
        viz.animate(Value([1.0, 2.0]) * 2)
    with pytest.raises(GraphError, match="animate: got a Value that was not computed from one that requires grad"):
        viz.animate(Value(1.0))
    with pytest.raises(FileNotFoundError, match="save: got .* there is no folder"):
        viz.animate(y).save(tmp_path / "none" / "a.gif")
    large = Value(1.0)
    for _ in range(100):
        large = large * 1.0
    with pytest.raises(
        GraphError, match="animate: got a graph of 201 nodes, expected at most 60; animate a smaller part"
    ):
        viz.animate(large)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(RenderError, match="animate: Pillow is missing for a GIF; pip install"):
        viz.animate(y).save(tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []
