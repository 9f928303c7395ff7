"""The gallery in a real browser: each drawing is there, and no words overlap or leave the picture."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import test_formats
import test_golden
from samples import CROSSED, TROUBLE

FILE = Path(__file__).parents[2] / "docs" / "gallery.py"
SPEC = importlib.util.spec_from_file_location("gallery", FILE)
gallery = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(gallery)

SMALLEST = """() => Math.min(...[...document.querySelectorAll("#view text")]
    .filter(text => text.textContent.trim() && text.getClientRects().length)
    .map(text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))"""
# Whether a node can be seen.
IN_VIEW = """() => {
  const frame = document.getElementById("view").getBoundingClientRect();
  return [...document.querySelectorAll("#view g.node, #view g.closed")].map(g => g.getBoundingClientRect())
      .some(box => box.width && box.left >= frame.left - 1 && box.right <= frame.right + 1 && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1);
}"""


@pytest.mark.parametrize("k", range(len(gallery.PLOTS)), ids=[title for title, _, _ in gallery.PLOTS])
def test_no_words_of_a_plot_overlap(k, troubles):
    assert troubles(gallery.figure_of(k, "light")) == []


def test_words_that_overlap_or_leave_the_plot_are_found(troubles):
    figure, ax = plt.subplots()
    ax.text(0.5, 0.5, "one")
    ax.text(0.5, 0.5, "other")
    ax.text(2.0, 0.5, "far away")
    assert troubles(figure) == ["far away", "one / other"]


def test_every_drawing_is_readable(browser, tmp_path):
    page = gallery.write_all(tmp_path)
    for width in (1280, 390):
        view = browser.new_page(viewport={"width": width, "height": 900})
        view.goto(page.as_uri())
        assert view.locator("figure svg").count() == len(gallery.ENTRIES)
        stepping, moving = view.frames[1 : 1 + len(gallery.PAGES)], view.frames[1 + len(gallery.PAGES) :]
        for frame in stepping:
            assert frame.locator("#step h2").text_content().startswith("Step ")
        for frame in moving:
            assert frame.locator("#step").text_content().startswith("step ")
        assert (len(stepping), len(moving)) == (len(gallery.PAGES), len(gallery.MOVING))
        assert view.locator("picture img").count() == len(gallery.PLOTS)
        assert view.evaluate("[...document.querySelectorAll('picture img')].every(i => i.naturalWidth > 500 && i.alt)")
        assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")
        view.add_style_tag(content="figure svg { max-width: none !important }")  # at full size, to see small overlaps
        assert view.evaluate(TROUBLE, "figure svg") == []
        assert view.evaluate(CROSSED, "figure svg") == []
        view.close()
    for width in (1280, 390):  # the page of each drawing begins with letters that can be read, and has no overflow
        view = browser.new_page(viewport={"width": width, "height": 800})
        for k, (title, _) in enumerate(gallery.ENTRIES):
            view.goto((tmp_path / f"{k}.html").as_uri())
            assert view.evaluate(SMALLEST) >= 11, (title, width)
            assert view.evaluate("document.documentElement.scrollWidth <= innerWidth"), (title, width)
            assert view.evaluate(IN_VIEW), (title, width)
        view.close()


def test_no_words_of_a_graph_overlap(browser, engine, tmp_path):
    """Of the gallery's graphs, the golden ones, and those with sizes of gradients, NaN, changes, nasty names, units."""
    drawn = [picture for _, _, picture in gallery.pictures()]
    drawn += [make() for make in (*test_golden.EXPRESSIONS.values(), *test_formats.GRAPHS)]
    page = tmp_path / "graphs.html"
    head = "<!DOCTYPE html><meta charset=utf-8><style>svg { max-width: none }</style>"
    page.write_text(head + "<hr>".join(picture.svg() for picture in drawn), encoding="utf-8")
    view = browser.new_page()
    view.goto(page.as_uri())
    assert view.locator("svg").count() == len(drawn) > 40
    assert view.evaluate(TROUBLE, "svg") == []
    view.close()


def test_words_of_a_graph_that_overlap_or_leave_it_are_found(browser):
    shape = '<g class="node"><path d="M0,0h40v20h-40z"/><text x="5" y="15">much too long for it</text></g>'
    view = browser.new_page()
    view.set_content(
        f'<svg width="400" height="50">{shape}<text x="60" y="15">other</text><text x="390" y="40">out</text></svg>'
    )
    found = view.evaluate(TROUBLE, "svg")
    assert [text.split(" by ")[0] for text in found] == [
        "0: much too long for it overlaps other",
        "0: out leaves the picture",
        "0: much too long for it leaves its shape",
    ]
    view.close()
