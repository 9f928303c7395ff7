"""Chapters of the course as pages: each is run when the site is built, once in light colours and once in dark ones.

A page has the chapter's text, its code, what the code prints, and its pictures with the text of their `# alt:` line. A run is
kept in .cache/, under a name that changes with the chapter and with all that it imports, so that a rebuild is quick.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "course"
THEMES = ("light", "dark")
LIST = "<!-- chapters -->"  # in course/index.md

# What a run starts with: the colours of all pictures that do not name theirs.
COLOURS = """
import inspect as _inspect, viz as _viz
for _name in _viz.__all__:
    _settings = getattr(_inspect.unwrap(getattr(_viz, _name)), "__kwdefaults__", None) or {{}}
    if "theme" in _settings:
        _settings["theme"] = {theme!r}
"""

ALT = re.compile(r"\A# alt: *(.+(?:\n# {2,}.+)*)\n?")
FIGURE = re.compile(r"<(Figure|Axes)")
FRAME = re.compile(r"<iframe.*?</iframe>", re.DOTALL)


class ChapterError(Exception):
    """A chapter that cannot become a page; the build ends."""


def chapters() -> list[Path]:
    """The chapters, in order."""
    return sorted((ROOT / "examples" / "course").glob("[0-9][0-9]_*.py"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the chapters into the navigation."""
    for section in config.nav or []:
        if "Course" in section:
            first, *rest = section["Course"]
            section["Course"] = [first, *[f"course/{chapter.stem}.md" for chapter in chapters()], *rest]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the chapters with their pictures, the programs, and the notebooks."""
    from mkdocs.exceptions import PluginError
    from mkdocs.structure.files import File

    lines = []
    for chapter in chapters():
        try:
            page, others = Chapter(chapter).made()
        except ChapterError as error:
            raise PluginError(str(error)) from error
        for name, content in others.items():
            files.append(File.generated(config, f"course/{chapter.stem}/{name}", content=content))
        files.append(File.generated(config, f"course/{chapter.stem}.md", content=page))
        question = re.search(r"^\*\*(.+?)\*\*", page, re.DOTALL | re.MULTILINE)
        lines.append(
            f"- [{title(page)}]({chapter.stem}.md)" + (f": {' '.join(question[1].split())}" if question else "")
        )
    index = files.get_file_from_path("course/index.md")
    if index is not None:
        index.content_string = index.content_string.replace(LIST, "\n".join(lines))
    return files


def title(page: str) -> str:
    """The heading of a page, of a numbered chapter without a dot that would start a list."""
    found = re.search(r"^# (.+)$", page, re.MULTILINE)
    return found[1] if found else "Chapter"


@dataclass(frozen=True)
class Chapter:
    """A chapter, in jupytext's percent format."""

    path: Path

    def made(self) -> tuple[str, dict[str, str | bytes]]:
        """Its page as Markdown, and the other files in its folder by their names."""
        light, dark = (self.run(theme) for theme in THEMES)
        page = Page(self.path.stem)
        for cells in zip(light.cells, dark.cells, strict=True):
            page.add(*cells)
        import nbformat

        for cell in light.cells:
            if is_check(cell):
                cell.metadata["jupyter"] = {"source_hidden": True}  # Jupyter opens it at a click
        program, notebook = self.path.name, f"{self.path.stem}.ipynb"
        page.files |= {program: self.path.read_text(encoding="utf-8"), notebook: nbformat.writes(light)}
        page.files |= {"exercises.py": (self.path.parent / "exercises.py").read_text(encoding="utf-8")}
        links = f"[program]({self.path.stem}/{program}){{ download }} or [notebook]({self.path.stem}/{notebook}){{ download }}"
        kept = (
            f"The checks of the exercises need [exercises.py]({self.path.stem}/exercises.py){{ download }} beside it."
        )
        told = f"This chapter as a {links}. {kept} [How to run it](index.md#run-a-chapter)."
        heading, _, rest = page.parts[0].partition("\n")
        page.parts[0] = f"{heading}\n\n{told}\n{rest}"
        page.parts.append(f"---\n\n{told}")
        return "\n\n".join(page.parts) + "\n", page.files

    def run(self, theme: str) -> Any:
        """The chapter as a notebook with its outputs."""
        import nbformat

        kept = CACHE / f"{self.path.stem}_{theme}_{self.print_of(theme)}.ipynb"
        if not kept.exists():
            notebook = self.executed(theme)
            CACHE.mkdir(parents=True, exist_ok=True)
            for old in CACHE.glob(f"{self.path.stem}_{theme}_*.ipynb"):
                old.unlink()
            nbformat.write(notebook, kept)
        return nbformat.read(kept, as_version=4)

    def print_of(self, theme: str) -> str:
        """A fingerprint of all that a run depends on."""
        import matplotlib
        import numpy as np

        found = hashlib.sha256(f"{np.__version__} {matplotlib.__version__} {COLOURS.format(theme=theme)}".encode())
        sources = [path for name in ("tinygrad_edu", "nn", "viz") for path in sorted((ROOT / name).rglob("*.*"))]
        for path in [self.path, self.path.parent / "exercises.py", *sources]:
            if path.suffix in (".py", ".js", ".css", ".html"):
                found.update(path.read_bytes())
        return found.hexdigest()[:16]

    def executed(self, theme: str) -> Any:
        """The chapter, run by a kernel of this Python. Raises ChapterError if a cell fails."""
        import jupytext
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError

        notebook = jupytext.read(self.path, fmt="py:percent")
        notebook.metadata.pop("kernelspec", None)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(COLOURS.format(theme=theme)))
        paths = (str(ROOT), str(self.path.parent), os.environ.get("PYTHONPATH"))
        before, os.environ["PYTHONPATH"] = os.environ.get("PYTHONPATH"), os.pathsep.join(filter(None, paths))
        try:
            with tempfile.TemporaryDirectory() as folder:
                place, quiet = {"metadata": {"path": folder}}, ["--log-level=ERROR"]
                NotebookClient(notebook, timeout=120, resources=place, extra_arguments=quiet).execute()
        except CellExecutionError as error:
            raise ChapterError(f"examples/course/{self.path.name}: {error}") from error
        finally:
            os.environ.pop("PYTHONPATH") if before is None else os.environ.__setitem__("PYTHONPATH", before)
        del notebook.cells[0]
        return notebook


class Page:
    """A page that is being made: parts of Markdown, and the files of its pictures."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.parts: list[str] = []
        self.files: dict[str, str | bytes] = {}

    def add(self, cell: Any, dark: Any) -> None:
        """Add a cell, and its outputs in both colours."""
        if cell.cell_type != "code":
            self.parts.append(cell.source)
            return
        found = ALT.match(cell.source)
        alt = " ".join(found[1].replace("\n#", " ").split()) if found else ""
        code = f"```python\n{cell.source[found.end() if found else 0 :].strip()}\n```"
        if is_check(cell):
            code = f'??? note "{cell.metadata["title"]}, with the answer"\n\n{indent(code, "    ")}'
        elif cell.metadata.get("title"):
            self.parts.append(f"### {cell.metadata['title']}")
        self.parts.append(code)
        for output, twin in zip(shown(cell.outputs), shown(dark.outputs), strict=True):
            self.parts.append(self.output(output, twin, alt))

    def output(self, output: Any, twin: Any, alt: str) -> str:
        """An output as Markdown."""
        if output.output_type == "stream":
            return block(output.text, output.name)
        data = output.data
        moves = (
            FRAME.search(data.get("text/html", "")) and "<Picture" not in data["text/plain"]
        )  # a Picture is shown at rest
        for kind, end in (("image/svg+xml", "svg"), ("image/png", "png")):
            if kind in data and not moves:
                return self.picture([content(each.data[kind], end) for each in (output, twin)], end, alt)
        if "text/html" in data:
            return self.html([each.data["text/html"] for each in (output, twin)], alt)
        return block(data["text/plain"], "last")

    def picture(self, contents: list[str | bytes], end: str, alt: str) -> str:
        """A picture in both colours."""
        if not alt:
            raise ChapterError(
                f"{self.folder}: a cell shows a picture and has no `# alt:` line: {self.parts[-1][:200]}"
            )
        number = 1 + sum(name.endswith(f"light.{end}") for name in self.files)
        lines = []
        for theme, each in zip(THEMES, contents, strict=True):
            name = f"{end}{number}_{theme}.{end}"
            self.files[name] = each
            lines.append(f"![{bracketed(alt)}]({self.folder}/{name}#only-{theme})")
        return "\n".join(lines) + "\n{ .picture }"

    def html(self, contents: list[str], alt: str) -> str:
        """HTML as it is; a page in a frame becomes a file, which the browser loads when it is near."""
        frames = [FRAME.search(each) for each in contents]
        if not all(frames):
            return f'<div class="shown" markdown="0">\n{contents[0]}\n</div>'
        pages = [unescape(re.search(r'srcdoc="([^"]*)"', found[0])[1]) for found in frames]
        height = re.search(r"height: (\d+)px", frames[0][0])[1]
        number, same, lines = 1 + sum(name.startswith("page") for name in self.files), len(set(pages)) == 1, []
        for theme, page in zip(THEMES, pages[:1] if same else pages, strict=False):
            name = f"page{number}_{theme}.html"
            self.files[name] = page
            only = "" if same else f' class="only-{theme}"'
            told = f'title="{escape(alt)}" height="{height}" loading="lazy"'
            lines.append(f'<iframe{only} src="{self.folder}/{name}" {told}></iframe>')
        return '<div class="framed">' + "".join(lines) + "</div>"


def is_check(cell: Any) -> bool:
    """Whether a cell is the check of an exercise, which is closed until the reader opens it: the answer is in it."""
    return cell.cell_type == "code" and str(cell.metadata.get("title", "")).startswith("Check ")


def shown(outputs: list[Any]) -> list[Any]:
    """The outputs of a cell: what it printed in one piece, and a figure without its second appearance as the last result."""
    figures = [output for output in outputs if output.output_type == "display_data" and "image/png" in output.data]
    kept: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1] = type(output)(output | {"text": kept[-1].text + output.text})
        elif not (
            output.output_type == "execute_result" and figures and FIGURE.match(output.data.get("text/plain", ""))
        ):
            kept.append(output)
    if not figures and any(FIGURE.match(output.get("data", {}).get("text/plain", "")) for output in kept):
        raise ChapterError("a cell's result is a figure that is not shown")
    return kept


def block(text: str, name: str) -> str:
    """Printed text."""
    return f"~~~~{{ .text .printed .{name} }}\n{text.rstrip()}\n~~~~"


def content(data: str, end: str) -> str | bytes:
    """The content of a picture's file."""
    return data if end == "svg" else base64.b64decode(data)


def bracketed(text: str) -> str:
    """Text for the brackets of a link."""
    return re.sub(r"([\[\]\\*_`])", r"\\\1", text)
