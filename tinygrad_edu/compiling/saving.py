"""Saving: a program as a module that runs with NumPy alone or says what else it imports; and as coloured text for notebooks."""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
from html import escape
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, NAME, NUMBER, STRING, generate_tokens
from types import ModuleType
from typing import Any

import numpy as np

from ..definition import registry
from ..errors import TinygradError
from .arguments import described
from .copying import Copies, NotCopiedError
from .expressions import quoted
from .program import Program

_LARGEST = 10_000  # numbers of an array that a module holds as text
_HEAD = '''"""{name}, compiled by tinygrad_edu: it needs NumPy{alone}

It holds for arguments of the structure, shapes, dtypes and constants of the run that it was compiled from, and for numbers that
take the same branches. It raises GuardError for others.
"""

{imports}


class GuardError(RuntimeError):
    """The arguments are others than those of the run that was compiled, or their numbers take another branch."""


'''


_CHECK = """def _check(name, x, expected):
    if _described(x) != expected:
        raise GuardError(f"{name} is {_described(x)}; the program was compiled for {expected}")"""


def module_text(program: Program) -> str:
    """The module of a program, with the functions that it calls: their source, or an import with the reason in its head.

    Raises TinygradError if it holds a large array or an object that text cannot say, or calls a function of a script.
    """
    source = program.source  # which collects the constants
    checks = Copies({"_described": described}, set())
    checks.add(described)
    copies, foreign = _functions(program)
    names = [name for name, x in program.constants.items() if not callable(x)]
    constants = [f"{name} = {_literal(name, program.constants[name])}" for name in names]
    homes = {name: _home(name, program.constants[name]) for name in foreign}
    constants += [f"{name} = {expression}" for name, (_, expression) in homes.items()]
    constants += [text for text in copies.texts.values() if not _is_definition(text)]
    parts = ["\n".join(constants), *filter(_is_definition, copies.texts.values())]
    parts += [*checks.texts.values(), _CHECK] if program.arguments else []
    parts.append(_with_checks(program, source))
    imports = [f"import {module}" for module in sorted({"math", *copies.imports})]
    imports += [
        "",
        "import numpy as np",
        *[f"import {module}" for module in sorted({module for module, _ in homes.values()})],
    ]
    reasons = "".join(f"\n    {module}: {foreign[name]}" for name, (module, _) in homes.items())
    head = _HEAD.format(
        name=program.name, alone=f" and\n{reasons}" if reasons else " alone.", imports="\n".join(imports)
    )
    return head + "\n\n\n".join(filter(None, parts))


def _with_checks(program: Program, source: str) -> str:
    """The source, with a look at each argument in its first lines."""
    if not program.arguments:
        return source
    lines = "".join(f"    _check({quoted(name)}, {name}, {x!r})\n" for name, x in program.arguments.items())
    start = f"def {program.name}("
    before, _, rest = source.rpartition(start)
    head, _, body = rest.partition("\n")
    return f"{before}{start}{head}\n{lines}\n{body}"


def _is_definition(text: str) -> bool:
    return text.startswith(("def ", "@"))


def copied(program: Program) -> list[str]:
    """The functions that a program calls, and whose source the module has."""
    texts = _functions(program)[0].texts
    return [name for name in _called(program) if name in texts]


def needed(program: Program) -> dict[str, str]:
    """The functions that the module of a program must import from other packages than NumPy, with the reason."""
    return _functions(program)[1] if program.source else {}


def _called(program: Program) -> dict[str, Any]:
    """The functions that a program calls."""
    return {name: x for name, x in program.constants.items() if callable(x)} if program.source else {}


def _functions(program: Program) -> tuple[Copies, dict[str, str]]:
    """The functions that a program calls: those that are copied, and the names of others with the reason."""
    called = _called(program)
    taken = {program.name, *program.constants, "np", "math", "GuardError", *_defined(program.source)}
    copies, foreign = Copies(called, taken), {}
    for name, x in called.items():
        if getattr(x, "__name__", "") == "_make":
            copies.imports.add("collections")
            copies.texts[name] = f"{name} = collections.namedtuple({x.__self__.__name__!r}, {x.__self__._fields})._make"
            continue
        try:
            copies.add(x)
        except NotCopiedError as error:
            foreign[name] = str(error)
    return copies, foreign


def _defined(source: str) -> set[str]:
    """The functions that a source defines."""
    return {line[4:].partition("(")[0] for line in source.splitlines() if line.startswith("def ")}


def _home(name: str, function: Any) -> tuple[str, str]:
    """The module that a function is imported from, and the expression there. Raises TinygradError if there is none."""
    function = inspect.unwrap(function)
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):  # its method
        module, text = _home(name, owner)
        return module, f"{text}.{function.__name__}"
    own = getattr(function, "__name__", "")
    for module, held in sorted(sys.modules.items(), key=lambda item: (item[0].count("."), "._" in item[0], item[0])):
        x = vars(held).get(own) if isinstance(held, ModuleType) and module != "__main__" else None
        if x is not None and (x is function or getattr(getattr(x, "op", None), "forward", None) is function):
            return module, f"{module}.{own}" + ("" if x is function else ".op.forward")
    for op in [public.op for public in registry.values()]:
        for i, rule in enumerate((*op.rules, op.shares)):
            if rule is not None and rule.apply is function and op.forward.__module__ != "__main__":
                module = op.forward.__module__
                path = f"rules[{i}].apply" if i < len(op.rules) else "shares.apply"
                if hasattr(sys.modules[module], op.name):
                    return module, f"{module}.{op.name}.op.{path}"
    raise TinygradError(
        f"save: {name} cannot be written with NumPy alone, and not be imported; define it at the top of a module"
    )


def _literal(name: str, x: Any) -> str:
    """A constant as text."""
    if isinstance(x, np.ndarray) and x.size <= _LARGEST and x.dtype.kind in "fiub":
        text = repr(x.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
        return f"np.array({text}, np.{x.dtype.name})" + ("" if x.size else f".reshape({x.shape})")
    if isinstance(x, np.ndarray):
        raise TinygradError(f"save: {name} is an array of {x.size} numbers; pass it as an argument")
    if isinstance(x, np.random.Generator):  # it draws on from where the generator is now
        state = x.bit_generator.state
        if all(isinstance(part, (int, str, dict)) for part in state.values()):
            bits = type(x.bit_generator).__name__
            return f"np.random.Generator(np.random.{bits}())\n{name}.bit_generator.state = {state!r}"
    raise TinygradError(
        f"save: {name} is a {type(x).__name__}, which has no text; return plain tuples, lists and dictionaries"
    )


def written(path: str | os.PathLike[str], text: str) -> Path:
    """Write a module, whole or not at all, and return its path. Raises TinygradError unless it is a .py."""
    file = Path(path)
    if file.suffix != ".py":
        raise TinygradError(f"save: got {str(path)!r}, expected a name that ends in .py")
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return file


# As readable on white as on a notebook's dark ground, 4.3 : 1 on both.
_COLOURS = {COMMENT: "#6e7a87", NUMBER: "#2079df", STRING: "#2e8a4d"}
_KEYWORD = "#d7425b"
_KEYWORDS = {"def", "return", "if", "raise", "with", "not", "for", "in", "or", "and", "else"}


def highlighted(source: str) -> str:
    """Source as HTML with colours, on the ground of the page."""
    lines = source.splitlines(keepends=True)
    parts: list[str] = []
    row, column = 1, 0

    def plain(to: tuple[int, int]) -> None:
        nonlocal row, column
        while row < to[0]:
            parts.append(escape(lines[row - 1][column:]))
            row, column = row + 1, 0
        if row <= len(lines):
            parts.append(escape(lines[row - 1][column : to[1]]))
        column = to[1]

    for token in generate_tokens(StringIO(source).readline):
        colour = _COLOURS.get(token.type) or (_KEYWORD if token.type == NAME and token.string in _KEYWORDS else None)
        if colour is not None:
            plain(token.start)
            parts.append(f'<span style="color:{colour}">{escape(token.string)}</span>')
            row, column = token.end
    plain((len(lines) + 1, 0))
    return f'<pre style="line-height: 1.4; background: none">{"".join(parts)}</pre>'
