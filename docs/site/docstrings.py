"""What mkdocstrings reads of the packages: each docstring as Markdown, and constructors that come from a function."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import griffe

NAMED = re.compile(r"    [\w*]+(?:, [\w*]+)*: ")
CODE = re.compile(r"(`[^`\n]+`)")


class Docstrings(griffe.Extension):
    """Replaces docstrings and signatures, as the source has them, by those of the imported objects, and adds their examples."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        importlib.import_module(pkg.path)
        visit(pkg)


def visit(item: Any) -> None:
    """Amend an object and all that is defined inside."""
    if item.is_function or item.is_class or item.is_module:
        found = runtime(item.path)
        if found is not None:
            amend(item, found)
    elif item.docstring:
        item.docstring.value = markdown(item.docstring.value)
    for member in list(item.members.values()):
        if not member.is_alias:
            visit(member)


def runtime(path: str) -> Any:
    """The imported object of a path, None if it is not there when the package runs."""
    names = path.split(".")
    for k in range(len(names), 0, -1):
        found = sys.modules.get(".".join(names[:k]))
        if found is not None:
            for name in names[k:]:
                found = vars(found).get(name) if hasattr(found, "__dict__") else None
            return found
    return None


def amend(item: Any, found: Any) -> None:
    """Give an object the docstring of the imported one, and a class of nn its constructor."""
    text = inspect.getdoc(found) if item.docstring or getattr(found, "function", None) else None
    if text:
        example = examples().get(id(found)) if isinstance(found, type) or callable(found) else None
        item.docstring = griffe.Docstring(markdown(text if example is None else f"{text}\n\n{example}"), parent=item)
    if (
        inspect.isclass(found)
        and hasattr(found, "settings")
        and "__init__" not in item.members
        and "function" in vars(found)
    ):
        item.members["__init__"] = constructor(item, found)


@cache
def examples() -> dict[int, str]:
    """The examples of docs/examples.py, by the id of the object."""
    spec = importlib.util.spec_from_file_location("docs_examples", Path(__file__).parents[1] / "examples.py")
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = {}
    for path, text in module.examples().items():
        owner, _, name = path.rpartition(".")
        found[id(getattr(importlib.import_module(owner), name))] = text
    return found


def constructor(item: Any, found: type) -> griffe.Function:
    """The `__init__` that a class of nn takes from the settings of its function."""
    kinds = {kind.value: kind for kind in griffe.ParameterKind}
    parameters = [
        griffe.Parameter(
            each.name,
            annotation=None if each.annotation is each.empty else str(each.annotation),
            kind=kinds[each.kind.description],
            default=None if each.default is each.empty else repr(each.default),
        )
        for each in inspect.signature(found.__init__).parameters.values()
    ]
    return griffe.Function("__init__", parameters=griffe.Parameters(*parameters), returns="None", parent=item)


def markdown(docstring: str) -> str:
    """A docstring as Markdown with Google's sections: examples are a section, and characters of formulas stand for themselves."""
    docstring = re.sub(r"^Raises \((.+)\):$", r"Raises: Raises \1:", docstring, flags=re.MULTILINE)
    paragraphs, out = docstring.split("\n\n"), []
    for paragraph in paragraphs:
        if paragraph.startswith(">>>"):
            example = "\n".join("    " + line for line in paragraph.splitlines())
            out.append(
                example if out and out[-1].lstrip().startswith((">>>", "Examples:")) else f"Examples:\n{example}"
            )
        else:
            out.append("\n".join(escaped(line) for line in paragraph.splitlines()))
    return "\n\n".join(out)


def escaped(line: str) -> str:
    """A line of a docstring with its stars, underscores and brackets kept; code and the names of arguments are as they are."""
    named = NAMED.match(line)
    if named:
        return named[0] + escaped(line[named.end() :])
    return "".join(
        part if CODE.fullmatch(part) else re.sub(r"([\\*_\[\]<#~$^])", r"\\\1", part) for part in CODE.split(line)
    )
