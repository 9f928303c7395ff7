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
SPECIAL = re.compile(r"([\\*_\[\]<#~$^])")
CODE = re.compile(r"(`[^`\n]+`)")


class Docstrings(griffe.Extension):
    """Replaces docstrings and signatures, as the source has them, by those of the imported objects, and adds their examples."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        importlib.import_module(pkg.path)
        visit(pkg, links(pkg.path))


def visit(item: Any, known: dict[str, str]) -> None:
    """Amend an object and all that is defined inside."""
    if item.is_function or item.is_class or item.is_module:
        found = runtime(item.path)
        if found is not None:
            amend(item, found, known)
    elif item.docstring:
        item.docstring.value = markdown(item.docstring.value, known)
    for member in list(item.members.values()):
        if not member.is_alias:
            visit(member, known)


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


def amend(item: Any, found: Any, known: dict[str, str]) -> None:
    """Give an object the docstring of the imported one, numbers as defaults, and a class of nn its constructor."""
    text = inspect.getdoc(found) if item.docstring or getattr(found, "function", None) else None
    if text:
        example = examples().get(id(found)) if isinstance(found, type) or callable(found) else None
        whole = markdown(text if example is None else f"{text}\n\n{example}", known)
        if item.docstring:
            item.docstring.value = whole
        else:
            item.docstring = griffe.Docstring(whole, parent=item)
    if item.is_function and inspect.isfunction(found):
        for each in inspect.signature(found).parameters.values():
            if isinstance(each.default, (int, float, str)) and each.name in item.parameters:
                item.parameters[each.name].default = repr(each.default)
    if (
        inspect.isclass(found)
        and hasattr(found, "settings")
        and "__init__" not in item.members
        and "function" in vars(found)
    ):
        item.members["__init__"] = constructor(item, found)


@cache
def loaded(name: str) -> Any:
    """A script of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", Path(__file__).parents[1] / f"{name}.py")
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def links(package: str) -> dict[str, str]:
    """The entries of the reference by the names that a docstring of a package uses for them: `grad`, `nn.fit`, `optim.SGD`."""
    found = {}
    for entry in loaded("reference").entries():
        for path in entry.names:
            found[path] = entry.name
            if path.startswith(f"{package}."):
                found.setdefault(path.removeprefix(f"{package}."), entry.name)
    return found


@cache
def examples() -> dict[int, str]:
    """The examples of docs/examples.py, by the id of the object."""
    found = {}
    for path, text in loaded("examples").examples().items():
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


def markdown(docstring: str, known: dict[str, str]) -> str:
    """A docstring as Markdown with Google's sections: examples are a section, and characters of formulas stand for themselves.

    `known` has the entries of the reference, to which code that is a name becomes a link.
    """
    docstring = re.sub(r"^Raises \((.+)\):$", r"Raises: Raises \1:", docstring, flags=re.MULTILINE)
    paragraphs, out = docstring.split("\n\n"), []
    for paragraph in paragraphs:
        if paragraph.startswith(">>>"):
            example = "\n".join("    " + line for line in paragraph.splitlines())
            out.append(
                example if out and out[-1].lstrip().startswith((">>>", "Examples:")) else f"Examples:\n{example}"
            )
        else:
            out.append("\n".join(escaped(line, known) for line in paragraph.splitlines()))
    return "\n\n".join(out)


def escaped(line: str, known: dict[str, str]) -> str:
    """A line of a docstring with its stars, underscores and brackets kept; code and the names of arguments are as they are."""
    named = NAMED.match(line)
    if named:
        return named[0] + escaped(line[named.end() :], known)
    return "".join(
        linked(part, known) if CODE.fullmatch(part) else SPECIAL.sub(r"\\\1", part) for part in CODE.split(line)
    )


def linked(code: str, known: dict[str, str]) -> str:
    """Code, as a link if it is the name of an entry."""
    name = code.strip("`").removesuffix("()")
    return f"[{code}][{known[name]}]" if name in known else code
