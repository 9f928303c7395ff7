"""The gallery in a real browser: each drawing is there, and no words overlap or leave the picture."""

from __future__ import annotations

import importlib.util
from pathlib import Path

# Pairs of words of one drawing whose boxes overlap by more than two pixels both ways, and words beyond the edge of the drawing.
TROUBLE = """() => [...document.querySelectorAll("figure svg")].flatMap((svg, k) => {
  const frame = svg.getBoundingClientRect();
  const words = [...svg.querySelectorAll("text")].filter(t => t.textContent.trim());
  const boxes = words.map(t => t.getBoundingClientRect());
  const found = [];
  boxes.forEach((a, i) => {
    const out = Math.max(frame.left - a.left, a.right - frame.right, frame.top - a.top, a.bottom - frame.bottom);
    if (out > 2) found.push(`${k}: ${words[i].textContent} leaves the picture by ${out}`);
    for (let j = i + 1; j < boxes.length; j++) {
      const b = boxes[j];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 2 && high > 5) found.push(`${k}: ${words[i].textContent} overlaps ${words[j].textContent}`);
    }
  });
  return found;
})"""


def test_every_drawing_is_readable(browser, tmp_path):
    file = Path(__file__).parents[2] / "docs" / "gallery.py"
    spec = importlib.util.spec_from_file_location("gallery", file)
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    page = tmp_path / "index.html"
    page.write_text(gallery.page(gallery.pictures()), encoding="utf-8")
    for width in (1280, 390):
        view = browser.new_page(viewport={"width": width, "height": 900})
        view.goto(page.as_uri())
        assert view.locator("figure svg").count() == len(gallery.ENTRIES)
        assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")
        view.add_style_tag(content="figure svg { max-width: none !important }")  # at full size, to see small overlaps
        assert view.evaluate(TROUBLE) == []
        view.close()
