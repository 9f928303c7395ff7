"""`python docs/look.py site FOLDER`: a browser visits every page of the built site, and takes pictures of ten of them.

At the width of a phone and of a desktop, light and dark: no page may scroll sideways, ask the network for anything, or report an
error. Needs Playwright and Chromium; `make docs SCREENSHOTS=FOLDER` runs it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WIDTHS = {"desktop": 1280, "phone": 390}
TALLEST = 8000  # pixels of a picture
PICTURES = (
    "index", "course/index", "course/01_what_a_gradient_is", "course/03_one_neuron", "transforms", "own_op", "reference/index",
    "reference/transforms", "reference/nn_losses", "ops", "plotting_functions", "kinks",
)  # fmt: skip
LOCAL = tuple(f"asks for {scheme}:" for scheme in ("file", "data", "blob", "about"))
SIDEWAYS = "document.scrollingElement.scrollWidth > innerWidth"
WIDE = """[...document.querySelectorAll('.md-content *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map(e => e.tagName + '.' + e.className).join(', ')"""


def visit(view: Any, path: Path, page: str, pictures: Path) -> Iterator[str]:
    """Look at a page in each width and scheme; yields what is wrong."""
    asked: list[str] = []
    view.on("request", lambda request: asked.append(f"asks for {request.url[:200]}"))
    view.on("pageerror", lambda error: asked.append(f"fails: {error}"))
    view.goto(path.resolve().as_uri())
    for name, width in WIDTHS.items():
        view.set_viewport_size({"width": width, "height": 900})
        if view.evaluate(SIDEWAYS):
            yield f"{page} scrolls sideways on a {name}: {view.evaluate(WIDE)}"
        for scheme in ("light", "dark") if page in PICTURES else ():
            view.emulate_media(color_scheme=scheme)
            height = view.evaluate("document.documentElement.scrollHeight")
            view.set_viewport_size({"width": width, "height": min(height, TALLEST)})  # frames out of view are not drawn
            view.wait_for_timeout(700)
            view.screenshot(path=pictures / f"{page.replace('/', '_')}_{name}_{scheme}.png")
    yield from (f"{page} {what}" for what in asked if not what.startswith(LOCAL))


def main() -> int:
    """Visit the site; 1 if anything is wrong."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("pictures", type=Path, metavar="FOLDER")
    parser.add_argument("--only", default="*.html", metavar="PATTERN", help="of the pages to visit")
    given = parser.parse_args()
    given.pictures.mkdir(parents=True, exist_ok=True)
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    wrong: list[str] = []
    paths = sorted(given.site.rglob(given.only))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for path in paths:
            view = browser.new_page(color_scheme="light")
            wrong += visit(view, path, path.relative_to(given.site).with_suffix("").as_posix(), given.pictures)
            view.close()
        browser.close()
    print(*dict.fromkeys(wrong), sep="\n", end="\n" if wrong else "")
    print(f"looked at {len(paths)} pages, {len(set(wrong))} things are wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
