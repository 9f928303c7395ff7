"""ES modules put together to one script, so that a page is one file that works offline.

The imports of an entry are followed, and modules stand in order of dependency, without their import lines and export words. Their
top levels become one scope: two of them cannot declare one name, and an import has the form `import {a, b} from "./x.js";`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from .parts import contents

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[^"]+)";\n+', re.MULTILINE)
_DECLARATION = re.compile(r"^(export )?(?:async )?(?:const|let|class|function\*?) (\w+|[\[{][^=]*)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import\b(?! ?\()|export (?!(?:const|let|class|function|async) )).*", re.MULTILINE)


def bundle(entry: str, generated: Mapping[str, str] | None = None) -> str:
    """The script of a page; paths are those within viz, such as "stepping/page.js".

    Args:
        entry: the module that starts the page.
        generated: modules that are no files, by path.

    Raises:
        ValueError: for circles, missing names, names declared twice, and forms of import and export other than the one above.
        FileNotFoundError: if an imported file does not exist.
    """
    bodies: dict[str, str] = {}
    exports: dict[str, set[str]] = {}
    owners: dict[str, str] = {}

    def add(path: str, trail: tuple[str, ...]) -> None:
        if path in trail:
            raise ValueError(f"modules import each other: {' -> '.join([*trail, path])}")
        if path in bodies:
            return
        text = (generated or {}).get(path) or contents(path)
        for names, target in _IMPORT.findall(text):
            source = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            add(source, (*trail, path))
            wanted = [name.strip() for name in names.split(",") if name.strip()]
            if missing := [name for name in wanted if name not in exports[source]]:
                raise ValueError(f"{path}: {source} does not export {', '.join(missing)}")
        body = _IMPORT.sub("", text)
        if other := _OTHER.search(body):
            raise ValueError(f"{path}: cannot bundle: {other[0]}")
        exports[path] = set()
        for exported, declared in _DECLARATION.findall(body):
            for name in re.findall(r"[\w$]+", declared):
                if name in owners:
                    raise ValueError(f"{path}: {name} is declared in {owners[name]} too")
                owners[name] = path
                exports[path] |= {name} if exported else set()
        bodies[path] = re.sub("^export ", "", body, flags=re.MULTILINE)

    add(entry, ())
    return "\n".join(bodies.values())
