"""`python docs/notebook.py FOLDER`: examples/notebook.ipynb executed, as a notebook and as HTML.

With --screenshots (Playwright and Chromium) also pictures of the HTML, light and dark, of each frame after a click.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


def executed(folder: Path) -> Any:
    """The notebook with its outputs, run by this Python; in `folder`, which its files would be written to."""
    import nbformat
    from nbclient import NotebookClient

    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))  # of the kernel
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def page(notebook: Any, theme: str = "light") -> str:
    """A notebook as an HTML page, by nbconvert."""
    from nbconvert import HTMLExporter

    return str(HTMLExporter(theme=theme).from_notebook_node(notebook)[0])


def write_all(folder: Path) -> list[Path]:
    """Write the notebook with its outputs, and pages of it, light and dark; returns the paths of the pages."""
    import nbformat

    notebook = executed(folder)
    nbformat.write(notebook, folder / NOTEBOOK.name)
    pages = {theme: folder / f"notebook_{theme}.html" for theme in ("light", "dark")}
    for theme, path in pages.items():
        path.write_text(page(notebook, theme), encoding="utf-8")
    return list(pages.values())


def screenshots(pages: list[Path], folder: Path) -> None:
    """A picture of each page, whole, after some clicks in its frames."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for path in pages:
            view = browser.new_page(
                viewport={"width": 1000, "height": 900}, color_scheme="dark" if "dark" in path.stem else "light"
            )
            view.goto(path.resolve().as_uri())
            height = view.evaluate("document.documentElement.scrollHeight")
            view.set_viewport_size({"width": 1000, "height": height})  # frames out of view are not loaded
            view.wait_for_timeout(1000)
            for frame in view.frames[1:]:
                for _ in range(4 * frame.locator("#next").count()):
                    frame.locator("#next").click()
            view.wait_for_timeout(500)
            view.screenshot(path=folder / f"{path.stem}.png", full_page=True)
            for k, cell in enumerate(view.locator(".jp-CodeCell").all()):
                cell.screenshot(path=folder / f"{path.stem}_{k}.png")
            view.close()
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write")
    parser.add_argument("--screenshots", action="store_true", help="write pictures of the pages too")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    written = write_all(options.folder)
    if options.screenshots:
        screenshots(written, options.folder)
    print(f"wrote {', '.join(map(str, written))}")
