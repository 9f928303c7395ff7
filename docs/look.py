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
PICTURES = (
    "index", "course/index", "course/01_what_a_gradient_is", "course/03_one_neuron", "transforms", "own_op", "reference/index",
    "reference/transforms", "reference/nn_losses", "ops", "plotting_functions", "kinks",
)  # fmt: skip
SIDEWAYS = "document.scrollingElement.scrollWidth > innerWidth"
WIDE = """[...document.querySelectorAll('.md-content *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map(e => e.tagName + '.' + e.className).join(', ')"""


def visit(browser: Any, site: Path, name: str, scheme: str, pictures: Path) -> Iterator[str]:
    """Look at each page in a window; yields what is wrong."""
    view = browser.new_page(viewport={"width": WIDTHS[name], "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    view.on("request", lambda request: asked.append(request.url))
    view.on("pageerror", lambda error: asked.append(f"error: {error}"))
    for path in sorted(site.rglob("*.html")):
        page = path.relative_to(site).with_suffix("").as_posix()
        view.goto(path.resolve().as_uri())
        if view.evaluate(SIDEWAYS):
            yield f"{page} scrolls sideways on a {name}: {view.evaluate(WIDE)}"
        if page in PICTURES:
            view.wait_for_timeout(300)
            view.screenshot(path=pictures / f"{page.replace('/', '_')}_{name}_{scheme}.png", full_page=True)
        yield from (f"{page} asked for {url[:200]}" for url in asked if not url.startswith(("file:", "data:", "blob:", "about:")))
        asked.clear()
    view.close()


def main() -> int:
    """Visit the site in four windows; 1 if anything is wrong."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("pictures", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    given.pictures.mkdir(parents=True, exist_ok=True)
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name in WIDTHS:
            for scheme in ("light", "dark"):
                wrong += visit(browser, given.site, name, scheme, given.pictures)
        browser.close()
    print(*dict.fromkeys(wrong), sep="\n", end="\n" if wrong else "")
    print(f"looked at {len(list(given.site.rglob('*.html')))} pages, {len(set(wrong))} things are wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
