"""Writes docs/reference/: a page for each part, with an entry for every public name: python docs/reference.py.

An entry is a line `::: tinygrad_edu.grad`, which the site fills from the docstring (mkdocstrings). Which names there are, and on
which page a name is, is read from the packages: each page lists files, and a name is where its file is. With --check nothing is
written; 1 if a page is out of date. `make check` runs that, and a test.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # this checkout, not an installed copy

FOLDER = Path(__file__).parent / "reference"

# From the name that most people use to the others: an entry has the first of its names.
PUBLIC = (
    "tinygrad_edu",
    "tinygrad_edu.linalg",
    "tinygrad_edu.testing",
    "tinygrad_edu.testing.strategies",
    "nn",
    "nn.data",
    "nn.metrics",
    "nn.functional",
    "nn.optim",
    "nn.optim.lr_scheduler",
    "nn.init",
    "nn.runs",
    "nn.utils",
    "viz",
)

PLAIN = {  # public names of plain data, and the file that they are from
    "tinygrad_edu.registry": "tinygrad_edu.definition",
    "tinygrad_edu.testing.strategies.ALL_LAYOUTS": "tinygrad_edu.testing.strategies",
    "tinygrad_edu.testing.strategies.LAYOUTS": "tinygrad_edu.testing.strategies",
    "tinygrad_edu.testing.strategies.Layout": "tinygrad_edu.testing.strategies",
}


@dataclass(frozen=True)
class Page:
    """A page of the reference: its title, the files (or folders of files) whose public names it has, and its public modules."""

    title: str
    files: tuple[str, ...]
    modules: tuple[str, ...] = ()


OPS = "tinygrad_edu.ops"
PAGES = {
    "value": Page("Value", tuple(f"tinygrad_edu.{name}" for name in ("value", "node", "modes", "snapshots", "tree"))),
    "transforms": Page("Transforms", ("tinygrad_edu.transforms", "tinygrad_edu.checkpointing")),
    "compile": Page("Compile", ("tinygrad_edu.compiling",)),
    "formulas": Page("Formulas and terms", ("tinygrad_edu.formulas", "tinygrad_edu.term", "tinygrad_edu.reading")),
    "define": Page("Defining operations", ("tinygrad_edu.definition", "tinygrad_edu.op", "tinygrad_edu.domain")),
    "errors": Page("Errors and warnings", ("tinygrad_edu.errors",)),
    "testing": Page("Testing gradients", ("tinygrad_edu.testing",), ("tinygrad_edu.testing",)),
    "numbers": Page("Operations on numbers", (f"{OPS}.numbers",)),
    "arrays": Page("Operations on arrays", (f"{OPS}.arrays",)),
    "matrices": Page("Operations on matrices", (f"{OPS}.matrices",)),
    "networks": Page("Operations of networks", (f"{OPS}.networks",)),
    "linalg": Page("linalg", (), ("tinygrad_edu.linalg",)),
    "nn_layers": Page(
        "Layers",
        tuple(
            "nn." + name
            for name in (
                *("module", "container", "perceptron", "linear", "convolution", "pooling", "images", "flatten", "normalization"),
                *("dropout", "embedding", "recurrent", "attention", "transformer"),
            )
        ),
        ("nn",),
    ),
    "nn_activations": Page("Activations", ("nn.activation",)),
    "nn_losses": Page("Losses", ("nn.loss",)),
    "nn_functional": Page("nn.functional", ("nn.functional",), ("nn.functional",)),
    "nn_optim": Page("Optimisers", ("nn.optim", "nn.utils"), ("nn.optim", "nn.utils")),
    "nn_schedules": Page("Schedules of the learning rate", ("nn.optim.lr_scheduler",), ("nn.optim.lr_scheduler",)),
    "nn_training": Page(
        "Training",
        tuple("nn." + name for name in ("training", "compiling", "running", "calls", "stateless", "summary", "saving")),
    ),
    "nn_data": Page("Data", ("nn.data",), ("nn.data",)),
    "nn_metrics": Page("Metrics", ("nn.metrics",), ("nn.metrics",)),
    "nn_init": Page("Initial weights", ("nn.init",), ("nn.init",)),
    "nn_runs": Page("Runs", ("nn.runs",), ("nn.runs",)),
    "viz_graphs": Page(
        "Graphs and step pages", ("viz.picture", "viz.drawing", "viz.stepping", "viz.animated"), ("viz",)
    ),
    "viz_plots": Page("Plots", ("viz.plots", "viz.table")),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A public object: its names, the first of which is the entry's, and the file where it is defined."""

    names: tuple[str, ...]
    file: str
    item: Any

    @property
    def name(self) -> str:
        """The name of the entry, and its anchor on the site."""
        return self.names[0]


def entries() -> list[Entry]:
    """All that is public, each object once."""
    found: dict[Any, list[str]] = {}
    items = {}
    for module in map(importlib.import_module, PUBLIC):
        for name in module.__all__:
            item, path = getattr(module, name), f"{module.__name__}.{name}"
            key = path if path in PLAIN else id(item)
            found.setdefault(key, []).append(path)
            items[key] = item
    return [
        Entry(tuple(sorted(names, key=PREFERRED.__contains__)), file_of(names[0], items[key]), items[key])
        for key, names in found.items()
    ]


PREFERRED = ("tinygrad_edu.amax", "tinygrad_edu.amin")  # of two names of one package, the second comes second


def file_of(path: str, item: Any) -> str:
    """The file where a public object is defined."""
    if isinstance(item, ModuleType):
        return item.__name__
    return PLAIN.get(path) or item.__module__


def page_of(file: str) -> str:
    """The page for the names of a file. Raises KeyError if there is none."""
    names = file.split(".")
    for k in range(len(names), 0, -1):
        for name, page in PAGES.items():
            if ".".join(names[:k]) in page.files or (file in page.modules and k == len(names)):
                return name
    raise KeyError(f"{file} has no page: add it to PAGES of docs/reference.py")


def placed() -> dict[str, list[Entry]]:
    """The entries of each page, in the order of its files and of their names."""
    pages: dict[str, list[Entry]] = {name: [] for name in PAGES}
    for entry in entries():
        pages[page_of(entry.file)].append(entry)
    return pages


def pages() -> dict[str, str]:
    """The text of each page, by the name of its file."""
    by_page = placed()
    texts = {f"{name}.md": text(name, by_page) for name in PAGES}
    return {"index.md": index(by_page), **texts, "command_line.md": command_line()}


NOTE = "<!-- Written by docs/reference.py from the packages: do not edit. -->\n"


def text(name: str, by_page: dict[str, list[Entry]]) -> str:
    """A page: what it opens with, then a section for each file, with an entry for each name."""
    page, parts = PAGES[name], [f"{NOTE}\n# {PAGES[name].title}"]
    parts += [module_entry(module) for module in page.modules[:1]]
    listed = [entry for entry in by_page[name] if not isinstance(entry.item, ModuleType)]
    files = sorted({entry.file for entry in listed}, key=lambda file: order(page, file, listed))
    for file in files:
        here = [entry for entry in listed if entry.file == file]
        alone = len(here) == 1 and len(files) > 1
        if file in page.modules[1:]:
            parts.append(module_entry(file))
        elif len(files) > 1 and not alone:
            head = "" if title(file) == page.title else f"## {title(file)}\n\n"
            parts.append(head + opening(file))
        parts += [f"::: {entry.name}" + alone * "\n    options: {heading_level: 2}" for entry in here]
    if name == "value":
        parts.append(methods(by_page))
    others = list(other_names(name, by_page))
    if others:
        parts.append("## Other names\n\n" + "\n".join(others))
    return "\n\n".join(parts) + "\n"


def module_entry(module: str) -> str:
    """The entry of a public module: its docstring."""
    return f"::: {module}\n    options: {{members: false, heading_level: 2}}"


def order(page: Page, file: str, listed: list[Entry]) -> tuple[int, int]:
    """Where a file stands on its page: as the page lists it, else as the package lists its names."""
    listing = [k for k, prefix in enumerate(page.files) if f"{file}.".startswith(f"{prefix}.")]
    return max(listing, default=0), [entry.file for entry in listed].index(file)


def title(file: str) -> str:
    """The heading of a file's section."""
    name = file.split(".")[-1].replace("_", " ")
    return name.upper() if len(name) < 4 else name.capitalize()


def opening(file: str) -> str:
    """What a file says of itself, its first paragraph."""
    first = (inspect.getdoc(importlib.import_module(file)) or "").split("\n\n")[0]
    return " ".join(first.split()).replace("*", r"\*").replace("_", r"\_")


def other_names(name: str, by_page: dict[str, list[Entry]]) -> Iterator[str]:
    """Lines for names that lead to an entry under another name: those of the page's own module, or of its own entries."""
    for page, listed in by_page.items():
        for entry in listed:
            for other in entry.names[1:]:
                owner = other.rpartition(".")[0]
                if name == next((key for key, each in PAGES.items() if owner in each.modules), page):
                    yield f'- <span id="{other}"></span>`{other}` is {link(entry, page, name)}'


def link(entry: Entry, page: str, here: str) -> str:
    """A link from a page to an entry."""
    return f"[`{entry.name}`]({'' if page == here else f'{page}.md'}#{entry.name})"


def methods(by_page: dict[str, list[Entry]]) -> str:
    """The table of methods and operators that stand for an operation."""
    from tinygrad_edu.methods import Methods

    known = {id(entry.item): (entry, page) for page, listed in by_page.items() for entry in listed}
    rows = []
    for name, item in vars(Methods).items():
        if id(item) in known and not name.startswith("__r"):
            entry, page = known[id(item)]
            rows.append(f"| {OPERATORS.get(name) or f'`v.{name}(...)`'} | {link(entry, page, 'value')} |")
    return "## Operators and methods that are operations\n\n| | is |\n| --- | --- |\n" + "\n".join(rows)


OPERATORS = {
    f"__{name}__": f"`{form}`"
    for name, form in {
        "add": "v + w", "sub": "v - w", "mul": "v * w", "truediv": "v / w", "pow": "v ** w", "matmul": "v @ w",
        "floordiv": "v // w", "mod": "v % w", "divmod": "divmod(v, w)", "neg": "-v", "pos": "+v", "abs": "abs(v)",
        "round": "round(v)",
    }.items()
}  # fmt: skip


def index(by_page: dict[str, list[Entry]]) -> str:
    """The page that lists all names."""
    parts = [
        f"{NOTE}\n# Reference\n\nEvery public name, with its arguments, defaults, errors and examples. Also: "
        "[all operations in one table](../ops.md), [NumPy's functions on Values](../numpy.md), "
        "and [the command line](command_line.md).\n\n"
        "The examples start from `import numpy as np`, `import nn`, `import viz` and the names of `tinygrad_edu` that they use. "
        "Given numbers and arrays, functions return numbers and arrays; given a `Value`, a `Value`."
    ]
    for name, page in PAGES.items():
        links = [f"[`{entry.name.rpartition('.')[2]}`]({name}.md#{entry.name})" for entry in by_page[name]]
        parts.append(f"## [{page.title}]({name}.md)\n\n" + (", ".join(links) or "other names for operations"))
    return "\n\n".join(parts) + "\n"


def command_line() -> str:
    """The page of the commands, from their own help."""
    from typer.main import get_command

    from tinygrad_edu.__main__ import app

    group = get_command(app)
    parts = [f"{NOTE}\n# Command line\n\n{said(group.help)}"]
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        parts.append(f"## {name}\n\n{usage(name, command)}\n\n{said(command.help)}\n\n{options(command)}")
    return "\n\n".join(parts) + "\n"


def usage(name: str, command: Any) -> str:
    """How a command is called."""
    given = [p.metavar or p.name.upper() for p in command.params if p.param_type_name == "argument"]
    return f"```sh\npython -m tinygrad_edu {' '.join([name, *given, '[OPTIONS]'])}\n```"


def said(text: str | None) -> str:
    """A command's help as Markdown: paragraphs, and examples (marked by a form feed or \\b) as code."""
    paragraphs = []
    for paragraph in inspect.cleandoc(text or "").split("\n\n"):
        lines = paragraph.splitlines()
        if lines[0].strip() == "\b" or all(line.startswith("  ") for line in lines):
            kept = "\n".join(line.strip() for line in lines if line.strip() != "\b")
            paragraphs.append(f"```sh\n{kept}\n```")
        else:
            paragraphs.append(" ".join(line.strip() for line in lines).replace("*", r"\*").replace("<", r"\<"))
    return "\n\n".join(paragraphs)


def options(command: Any) -> str:
    """The table of a command's arguments and options."""
    rows = []
    for p in command.params:
        if not getattr(p, "hidden", False):
            takes = p.metavar or ("" if getattr(p, "is_flag", False) else p.name.upper())
            names = ", ".join([*p.opts, *p.secondary_opts]) if p.param_type_name == "option" else ""
            default = "" if p.required or p.default in (None, False, ()) or callable(p.default) else f"`{p.default}`"
            rows.append(f"| `{f'{names} {takes}'.strip()}` | {default} | {cell(getattr(p, 'help', '') or '')} |")
    return "| argument | default | |\n| --- | --- | --- |\n" + "\n".join(rows)


def cell(text: str) -> str:
    """Text for a table."""
    return " ".join(text.split()).replace("|", r"\|").replace("*", r"\*").replace("<", r"\<").replace("[", r"\[")


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check name those that are out of date and return 1."""
    if arguments not in ([], ["--check"]):
        print(f"docs/reference.py: got {' '.join(arguments)}, expected nothing or --check", file=sys.stderr)
        return 2
    made = pages()
    stale = [
        name
        for name, page in made.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != page
    ]
    unknown = sorted(path.name for path in FOLDER.glob("*.md") if path.name not in made)
    if not arguments:
        for name in stale:
            (FOLDER / name).write_text(made[name], encoding="utf-8")
            print(f"wrote docs/reference/{name}", file=sys.stderr)
        stale = []
    for name in [*stale, *unknown]:
        print(f"docs/reference/{name} is out of date; run python docs/reference.py", file=sys.stderr)
    return bool(stale or unknown)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
