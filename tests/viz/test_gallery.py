"""The gallery in a real browser: each drawing is there, and no words overlap or leave the picture."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from samples import TROUBLE


def test_every_drawing_is_readable(browser, tmp_path):
    file = Path(__file__).parents[2] / "docs" / "gallery.py"
    spec = importlib.util.spec_from_file_location("gallery", file)
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    page = gallery.write_all(tmp_path)
    for width in (1280, 390):
        view = browser.new_page(viewport={"width": width, "height": 900})
        view.goto(page.as_uri())
        assert view.locator("figure svg").count() == len(gallery.ENTRIES)
        for frame in view.frames[1:-1]:
            assert frame.locator("#step h2").text_content().startswith("Step ")
        assert view.frames[-1].locator("#step").text_content().startswith("step ")
        assert len(view.frames) == 1 + len(gallery.PAGES) + 1
        assert view.locator("picture img").count() == len(gallery.PLOTS)
        assert view.evaluate("[...document.querySelectorAll('picture img')].every(i => i.naturalWidth > 500 && i.alt)")
        assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")
        view.add_style_tag(content="figure svg { max-width: none !important }")  # at full size, to see small overlaps
        assert view.evaluate(TROUBLE, "figure svg") == []
        view.close()
