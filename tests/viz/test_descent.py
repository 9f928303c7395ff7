"""viz.descent: the frames of the GIF, and the page in a browser."""

import json
import re
from functools import partial

import numpy as np
import pytest
from matplotlib import pyplot as plt

import viz
from nn.optim import SGD, trace
from tinygrad_edu import ShapeError
from viz import RenderError

bowl = lambda x, y: x**2 + 3 * y**2


@pytest.fixture(scope="module")
def paths():
    return {f"lr <{lr}>": trace(bowl, (-2.0, 1.0), partial(SGD, lr=lr), n) for lr, n in ((0.1, 4), (0.3, 2))}


def test_a_gif_has_a_frame_for_each_step_and_the_same_bytes_each_time(paths, tmp_path):
    from PIL.GifImagePlugin import GifImageFile

    file = viz.descent(bowl, paths, fps=4, levels=3).save(tmp_path / "a.gif")
    assert file == tmp_path / "a.gif"
    with GifImageFile(file) as gif:
        assert gif.n_frames == 5
        frames = []
        for k in range(5):
            gif.seek(k)
            frames.append(np.asarray(gif.convert("RGB"), int))
            assert gif.info["duration"] == (250 if k < 4 else 1750)
    blue = [(abs(frame - [0x00, 0x72, 0xB2]).sum(axis=2) < 30)[60:, :530].sum() for frame in frames]
    assert np.all(np.diff(blue) > 0)  # the path grows
    again = viz.descent(bowl, paths, fps=4, levels=3).save(tmp_path / "b.gif")
    assert file.read_bytes() == again.read_bytes()
    assert plt.get_fignums() == []


def test_a_gif_of_a_long_path_leaves_out_steps(tmp_path, monkeypatch):
    from PIL.GifImagePlugin import GifImageFile

    monkeypatch.setattr("viz.plots.descent._MOST_FRAMES", 4)
    long = trace(bowl, (-2.0, 1.0), partial(SGD, lr=0.01), 10)
    with GifImageFile(viz.descent(bowl, long, levels=2).save(tmp_path / "a.gif")) as gif:
        assert gif.n_frames == 5  # steps 0, 3, 6, 9, 10


def data_of(file):
    text = file.read_text(encoding="utf-8")
    return json.loads(re.search(r"const DATA = (.*);", text)[1]), text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_holds_the_numbers_of_the_paths(paths, tmp_path, theme):
    file = viz.descent(bowl, paths, title="a < b", theme=theme, xlim=(-3, 3), ylim=(-2, 2)).save(tmp_path / "a.html")
    data, text = data_of(file)
    assert [route["name"] for route in data["paths"]] == list(paths)
    for route, path in zip(data["paths"], paths.values(), strict=True):
        assert route["values"] == [f"{v:.4g}".replace("-", "−") for v in path.values]
        x = np.array(route["places"])
        points = np.stack(path.parameters, 1)
        slope = (x[1] - x[0]) / (points[1] - points[0])  # pixels: places are affine in the points
        assert np.allclose(x, x[0] + slope * (points - points[0]), atol=0.2)
        assert slope[1] < 0 < slope[0]
    assert "a &lt; b" in text
    assert "a < b" not in text
    assert (
        file.read_bytes()
        == viz.descent(bowl, paths, title="a < b", theme=theme, xlim=(-3, 3), ylim=(-2, 2))
        .save(tmp_path / "b.html")
        .read_bytes()
    )
    assert len(text) < 250_000


def test_the_page_plays_pauses_and_goes_by_steps(paths, tmp_path, open_page):
    file = viz.descent(bowl, paths, fps=20).save(tmp_path / "a.html")
    page = open_page(file)
    step, play = page.locator("#step"), page.locator("#play")
    page.get_by_text("step 4 of 4").wait_for()  # it plays by itself
    assert play.text_content() == "Play"
    assert page.locator("#next").is_disabled()
    page.locator("#back").click()
    assert step.text_content() == "step 3 of 4"
    cells = page.locator("tbody tr").first.locator("td").all_text_contents()
    x, y = (p[3] for p in paths["lr <0.1>"].parameters)
    assert cells == ["3", f"({x:.4g}, {y:.4g})".replace("-", "−"), f"{bowl(x, y):.4g}"]
    assert page.locator("tbody tr").nth(1).locator("td").first.text_content() == "2"  # it has ended
    page.locator("#slider").fill("0")
    assert step.text_content() == "step 0 of 4"
    assert page.locator("#paths polyline").nth(1).get_attribute("points").count(",") == 1
    play.click()
    page.get_by_text("step 4 of 4").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_does_not_move_for_readers_who_want_no_motion(paths, tmp_path, open_page):
    page = open_page(
        viz.descent(bowl, paths, fps=20).save(tmp_path / "a.html"),
        reduced_motion="reduce",
        viewport={"width": 390, "height": 800},
    )
    assert page.locator("#step").text_content() == "step 4 of 4"
    assert page.locator("#play").text_content() == "Play"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "paths of lr <0.1>, lr <0.3>" in page.locator("#picture").get_attribute("aria-label")


def test_what_is_refused(paths, tmp_path):
    with pytest.raises(RenderError, match=r"save: got 'a.mp4', expected a file name that ends in .gif or .html"):
        viz.descent(bowl, paths).save("a.mp4")
    with pytest.raises(ShapeError, match="descent: got no paths"):
        viz.descent(bowl, {})
    with pytest.raises(RenderError, match="descent: every path diverges; choose what to show by xlim= and ylim="):
        viz.descent(bowl, trace(bowl, (1.0, 1.0), partial(SGD, lr=1e200), 3))
    with pytest.raises(ShapeError, match="descent: got levels=0"):
        viz.descent(bowl, paths, levels=0)
    with pytest.raises(ShapeError, match="descent: got fps=0, expected an integer from 1 on"):
        viz.descent(bowl, paths, fps=0)
    with pytest.raises(FileNotFoundError, match="save: got .* there is no folder"):
        viz.descent(bowl, paths).save(tmp_path / "none" / "a.html")
    assert list(tmp_path.iterdir()) == []
