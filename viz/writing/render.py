"""From DOT to SVG, PNG and PDF, by the system's Graphviz where there is one, else by graphviz-pure, which pip installs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import warnings
from functools import cache
from html import escape
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeAlias

from ..drawing import Drawing, RenderError
from ..text import plain
from ..theme import Theme, css
from .dot import dot
from .finish import PLAIN, Finish
from .placing import Places, legend_alone, placed

Format: TypeAlias = Literal["svg", "png", "pdf", "json0"]

_FONTS = "Helvetica,Arial,Liberation Sans,sans-serif"  # all as wide as the font that the layout was measured with
_PATIENCE = 60.0  # seconds
_SMALLER = "draw a smaller part of the graph (graph() of an inner Value), save it as .dot"
_DATE = (re.compile(rb"\(D:\d{14}"), b"(D:19700101000000")  # in PDF files: the same picture is the same bytes
_ALPHABETS = "\u0530"  # graphviz-pure's font has all letters before: Latin, Greek, Cyrillic
_NOWHERE = {2: "\u0378", 3: "\ue000", 4: "\U000f0000"}  # characters that no font has, by their bytes
_INSTEAD = {  # for symbols that graphviz-pure's font lacks
    "∗": "*", "⋆": "*", "⨯": "×", "⊗": "(×)", "⊙": "(·)", "∘": "°", "∇": "grad ", "▦": "□", "∛": "³√", "⟲": "again:", "⋮": "…",
    "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")",
}  # fmt: skip
_INSTALL = "install graphviz-pure with pip (SVG and PNG), or Graphviz itself from https://graphviz.org"


def svg(drawing: Drawing, handles: bool = False, finish: Finish = PLAIN, places: Places | None = None) -> str:
    """The drawing as an SVG element, with its title and description for those who listen to it.

    Args:
        drawing: what to show.
        handles: whether titles of groups begin with a sign that they can be closed, for web pages.
        finish: its theme, shape and legend.
        places: of its parts, if they are known.

    Raises:
        RenderError: if no Graphviz works.
    """
    shown, places = (drawing, places) if places else placed(drawing, finish, _measured)
    source = dot(shown, handles=handles, theme=finish.theme, places=places)
    text = render(source, "svg", is_placed=bool(places)).decode()
    start, rest = text[text.index("<svg") :].split(">", 1)  # from here it can stand in a web page too
    rest = re.sub(r"\s*<title>[^<]*</title>", "", rest)  # Graphviz's own: "n0", which browsers show under the pointer
    rest = re.sub(r'font-family="[^"]*"', f'font-family="{_FONTS}"', rest)
    title, description = plain(drawing.title or "Computation graph", 200), plain(shown.description, 20_000)
    head = f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>"
    if finish.theme is None:
        head += f"\n<style>\n{css()}\n</style>"
    name = (
        f"viz-{finish.theme}" if finish.theme else "viz"
    )  # the style of a page's other pictures is for those without a theme
    return f'{start} role="img" class="{name}">\n{head}{rest}'


def png(drawing: Drawing, dpi: int, finish: Finish = PLAIN) -> bytes:
    """The drawing as a PNG file's bytes. Raises RenderError if no Graphviz works.

    What the font of graphviz-pure lacks is replaced by what looks like it, or spelled out as in Python, with a warning.
    """
    shown, places = placed(drawing, finish, _measured)
    return render(dot(shown, dpi, theme=finish.theme, places=places), "png", is_placed=bool(places))


def pdf(drawing: Drawing, finish: Finish = PLAIN) -> bytes:
    """The drawing as a PDF file's bytes. Raises RenderError if Graphviz itself is missing, as graphviz-pure makes no PDF."""
    shown, places = placed(drawing, finish, _measured)
    source = dot(shown, theme=finish.theme, places=places)
    return re.sub(*_DATE, render(source, "pdf", is_placed=bool(places)))


def legend(drawing: Drawing, theme: Theme | None = None) -> str:
    """The legend of a drawing as an SVG element. Raises RenderError if no Graphviz works."""
    shown, places = legend_alone(drawing, _measured)
    return svg(shown, finish=Finish(theme), places=places).replace("<title>Computation graph<", "<title>Legend<", 1)


def _measured(source: str) -> bytes:
    return render(source, "json0")


def render(source: str, format: Format, is_placed: bool = False) -> bytes:
    """What Graphviz makes of DOT source.

    Args:
        source: the text.
        format: what to write.
        is_placed: whether the source says where everything stands, so that there is nothing to lay out.

    Raises:
        RenderError: if there is no program that does it, or none succeeds.
    """
    failures = []
    programs = [program for program in engines() if format != "pdf" or Path(program).stem == "dot"]
    if format == "pdf" and not programs:
        raise RenderError(
            "pdf: found no program dot, and graphviz-pure writes SVG and PNG only; install Graphviz itself "
            "from https://graphviz.org, or save the picture as .svg"
        )
    for program in programs:
        text, spelled = _in_its_font(program, source) if format == "png" else (source, "")
        try:
            done = _run(program, text, format, is_placed)
        except subprocess.TimeoutExpired:
            failures.append(f"{program} had not finished after {_PATIENCE:g} s")
        except OSError as error:
            failures.append(f"{program} did not start: {error}")
        else:
            if done.returncode == 0:
                if spelled:
                    warnings.warn(
                        f"png: graphviz-pure's font lacks {spelled}, spelled out here as in Python; save the picture as .svg, "
                        "or install Graphviz itself",
                        stacklevel=2,
                    )
                return done.stdout
            says = plain(done.stderr.decode(errors="replace").strip(), 300)
            failures.append(f"{program} stopped with status {done.returncode} {says}".rstrip())
    if failures:
        raise RenderError(f"{format}: {'; '.join(failures)}; {_SMALLER}, or {_INSTALL}")
    raise RenderError(f"{format}: found neither the program dot nor graphviz-pure; {_INSTALL}")


def _run(program: str, source: str, format: Format, is_placed: bool = False) -> subprocess.CompletedProcess[bytes]:
    command = [program, *(("-Kneato", "-n2") if is_placed else ("-Kdot",)), f"-T{format}"]
    undated = os.environ | {"SOURCE_DATE_EPOCH": "0"}  # newer Graphviz writes this time into PDF files
    return subprocess.run(
        command, input=source.encode(), capture_output=True, check=False, timeout=_PATIENCE, env=undated
    )


def _in_its_font(program: str, source: str) -> tuple[str, str]:
    """The source in characters that the program can draw, and those that had to be spelled out.

    Graphviz itself takes any font of the system, and draws the numbers of what they lack.
    """
    if Path(program).stem != "graphviz-pure":
        return source, ""
    missing = [c for c in dict.fromkeys(source) if c >= _ALPHABETS and not _draws(program, c)]
    spelled: dict[str, str | int | None] = {
        c: c.encode("unicode_escape").decode().replace("\\", r"\\") for c in missing
    }
    spelled |= {c: _INSTEAD[c] for c in missing if c in _INSTEAD}
    text = source.translate(str.maketrans(spelled))
    return text, " ".join(c for c in missing if c not in _INSTEAD)


@cache
def _draws(program: str, character: str) -> bool:
    """Whether a program has a picture of a character, other than the box that it draws for all that it lacks."""
    boxes = [
        _run(
            program, f'digraph {{ a [label="{c}", shape=plaintext, fixedsize=true, fontname=Helvetica] }}', "png"
        ).stdout
        for c in (character, _NOWHERE[len(character.encode())])
    ]
    return boxes[0] != boxes[1]


def engines() -> list[str]:
    """The programs that can lay out DOT, the preferred one first."""
    found = [shutil.which("dot"), shutil.which("graphviz-pure"), *_installed()]
    return list(dict.fromkeys(path for path in found if path))


def _installed() -> list[str]:
    """graphviz-pure where pip put it: a virtual environment that is not activated is not on the PATH."""
    try:
        files = metadata.files("graphviz-pure") or []
    except metadata.PackageNotFoundError:
        return []
    return [str(Path(file.locate()).resolve()) for file in files if file.stem == "graphviz-pure"]
