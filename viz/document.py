"""Document: what `graph`, `step`, `animate` and `descent` return: it shows itself in a notebook and writes files."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, NoReturn

from .arguments import refusing
from .pages.frame import fitted, frame, height_for
from .writing.files import target, write

_ELSEWHERE = {  # methods of other libraries' pictures: what to write
    "open": "save('page.html') and open that file in a browser",
    "render": "save('picture.svg')",
    "savefig": "save('picture.svg')",
    "show": "the object itself as the last line of a notebook's cell, or save('page.html') and open that file in a browser",
    "view": "save('page.html') and open that file in a browser",
    "write": "save('page.html')",
}


class Document(ABC):
    """A picture or a page. `html()` is its text, `save(path)` writes a file, and a notebook shows it at the end of a cell."""

    __slots__ = ()

    def __getattr__(self, name: str) -> NoReturn:
        """Raise an error that names what to write for a method of another library."""
        kind = type(self).__name__
        if name in _ELSEWHERE:
            raise AttributeError(f"{kind}.{name} does not exist; write {_ELSEWHERE[name]}")
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")

    @abstractmethod
    def html(self) -> str:
        """The web page as text, complete in itself."""

    @abstractmethod
    def _repr_html_(self) -> str: ...

    @abstractmethod
    def _writers(self) -> Mapping[str, Callable[[], str | bytes]]:
        """What makes the content of a file, by the end of its name."""

    @refusing()
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a file of the type that its name ends in, and return its path; a file that exists is replaced.

        Raises:
            RenderError: for other types, or if no Graphviz works.
            FileNotFoundError: if the folder does not exist.
        """
        writers = self._writers()
        file = target("save", path, tuple(writers), "" if ".gif" in writers else "; viz.animate makes a GIF")
        content = writers[file.suffix.lower()]()
        return write("save", file, content.encode() if isinstance(content, str) else content)


class Illustrated(Document):
    """A page with a picture, which a notebook shows where it may not show the page."""

    __slots__ = ()
    _beside: ClassVar[int]  # pixels of the page for what is not the picture

    @abstractmethod
    def svg(self) -> str:
        """The picture as an SVG element."""

    @abstractmethod
    def _title(self) -> str: ...

    def _repr_svg_(self) -> str:
        return fitted(self.svg())

    def _repr_html_(self) -> str:
        return self._framed(self.svg())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Both, from one picture: a large one takes seconds."""
        still = self.svg()
        return {"text/html": self._framed(still), "image/svg+xml": fitted(still), "text/plain": repr(self)}

    def _framed(self, still: str) -> str:
        return frame(self.html(), self._title(), height_for(still, self._beside), still)
