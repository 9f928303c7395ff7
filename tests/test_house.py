"""The house is in order: imports point one way, what is public is named and documented, docs name what exists."""

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("tinygrad_edu", "nn", "viz")
PUBLIC = (
    "tinygrad_edu",
    "tinygrad_edu.linalg",
    "tinygrad_edu.testing",
    "nn",
    "nn.data",
    "nn.functional",
    "nn.init",
    "nn.metrics",
    "nn.optim",
    "nn.runs",
    "nn.utils",
    "viz",
)


def floors() -> list[list[str]]:
    """The engine's files from the lowest floor up, as docs/architecture.md lists them: a file imports only from lower floors."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = page.partition("```floors\n")[2].partition("```")[0]
    return [[name.strip() for name in line.partition("#")[0].split(",")] for line in listed.splitlines()]


FLOORS = floors()
THIRD_PARTY = {
    "tinygrad_edu": {"numpy"},
    "nn": {"numpy", "tinygrad_edu", "rich", "safetensors", "sklearn"},
    "viz": {"numpy", "tinygrad_edu", "nn", "graphviz", "graphviz_pure", "matplotlib", "PIL", "rich", "threadpoolctl"},
}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> list[str]:
    """Absolute names of all modules that a file imports, when it runs or only for types."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found += [module] if node.module else [f"{module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_the_picture_allows(package):
    import sys

    for path in modules(package):
        allowed = THIRD_PARTY[package] | {package, "__future__"}
        allowed |= {"nn", "viz", "typer", "rich"} if path.parent.name == "commands" else set()
        allowed |= {"strategies.py": {"hypothesis"}, "plugin.py": {"pytest"}}.get(path.name, set())
        for name in imports(path):
            top = name.split(".")[0]
            assert top in allowed or top in sys.stdlib_module_names, f"{path.relative_to(ROOT)} imports {name}"


def floor_of(parts: tuple[str, ...]) -> str:
    """The entry of the list of floors for a file or module of the engine: "graph", or "ops/arrays"."""
    deep = len(parts) > 1 and parts[0] == "ops" and parts[1] != "__init__"
    return "/".join(parts[:2]) if deep else parts[0]


def test_engine_imports_point_one_way():
    floor = {name: i for i, names in enumerate(FLOORS) for name in names}
    for path in modules("tinygrad_edu"):
        own = floor_of(path.relative_to(ROOT / "tinygrad_edu").with_suffix("").parts)
        if own in ("__init__", "__main__"):
            continue
        assert own in floor, f"docs/architecture.md: {own} has no floor"
        for name in set(imports(path)):
            if name.startswith("tinygrad_edu."):
                target = floor_of(tuple(name.split(".")[1:]))
                if target in floor and target != own:
                    assert floor[target] < floor[own], f"{path.relative_to(ROOT)} imports {name}, which stands above it"


def test_every_floor_is_a_file_or_folder():
    for names in FLOORS:
        for name in names:
            assert (ROOT / "tinygrad_edu" / f"{name}.py").exists() or (ROOT / "tinygrad_edu" / name).is_dir(), name


def test_no_circles_between_files():
    graph = {}
    for package in PACKAGES:
        for path in modules(package):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            graph[name] = {i for i in set(imports(path)) if i.split(".")[0] in PACKAGES}
    done: set[str] = set()

    def visit(name, trail):
        assert name not in trail, " -> ".join([*trail, name])
        if name in graph and name not in done:
            for target in graph[name]:
                if not name.startswith(target + ".") and target != name:  # a package's face stands for its files
                    visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("package", ["nn", "viz"])
def test_nn_and_viz_use_public_names_only(package):
    engine = importlib.import_module("tinygrad_edu")
    for path in modules(package):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.ImportFrom)
                and not node.level
                and (node.module or "").split(".")[0] == "tinygrad_edu"
            ):
                assert node.module == "tinygrad_edu", f"{path}: import from tinygrad_edu itself, not from {node.module}"
                for alias in node.names:
                    assert alias.name in engine.__all__, f"{path}: {alias.name} is not public"


def imported(item, module) -> bool:
    """Whether a name of a module is not its own. A package's face is made of imports: there only modules are not."""
    if hasattr(module, "__path__") or module.__name__ == "tinygrad_edu.linalg":
        return inspect.ismodule(item)
    return not (inspect.isfunction(item) or inspect.isclass(item)) or item.__module__ != module.__name__


@pytest.mark.parametrize("name", PUBLIC)
def test_all_equals_the_public_names(name):
    module = importlib.import_module(name)
    here = {
        n
        for n in dir(module)
        if not n.startswith("_") and (n in module.__all__ or not imported(getattr(module, n), module))
    }
    assert sorted(here) == sorted(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)


def test_a_file_of_ops_lists_public_names_that_it_defines():
    engine = importlib.import_module("tinygrad_edu")
    listed = set()
    for path in sorted((ROOT / "tinygrad_edu" / "ops").glob("*/*.py")):
        module = importlib.import_module(
            ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        )
        names = getattr(module, "__all__", [])
        assert all(getattr(module, n).__module__ == module.__name__ for n in names), path
        listed |= set(names)
    assert listed == {n for n in vars(engine.ops) if n in engine.__all__}
    helpers = engine.registry.keys() - listed
    assert helpers.isdisjoint(engine.__all__)
    assert helpers >= {"conv_weight", "cofactor", "sum_unpool", "p_norm", "scatter"}


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for n in getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]):
        item = getattr(module, n)
        if inspect.isclass(item) or inspect.isfunction(item):
            assert inspect.getdoc(item), f"{name}.{n}"
        if inspect.isclass(item) and item.__module__.split(".")[0] in PACKAGES:
            for method, function in vars(item).items():
                if not method.startswith("_") and (inspect.isfunction(function) or isinstance(function, property)):
                    assert inspect.getdoc(getattr(item, method)), f"{name}.{n}.{method}"


def test_every_package_is_typed():
    for package in PACKAGES:
        assert (ROOT / package / "py.typed").exists()


def test_modules_import_without_side_effects_on_each_other():
    for package in PACKAGES:
        for info in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if not info.name.endswith("__main__"):
                importlib.import_module(info.name)


def opens_without_encoding(source: str) -> list[int]:
    """Lines that open a text file without saying its encoding, which is not UTF-8 everywhere."""
    lines = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        temporary = name in ("NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile")
        opener = name == "fdopen" or (name == "open" and owner not in ("webbrowser", "os", "tarfile"))
        if not (temporary or opener or name in ("read_text", "write_text")):
            continue
        modes = [given["mode"]] if "mode" in given else call.args
        texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
        binary = name not in ("read_text", "write_text") and any(re.fullmatch("[rwaxb+]*b[rwaxb+]*", t) for t in texts)
        if "encoding" not in given and not binary and not (temporary and not texts):
            lines.append(call.lineno)
    return lines


def test_text_files_are_opened_as_utf_8():
    files = [path for folder in (*PACKAGES, "docs", "benchmarks", "tests", "examples") for path in modules(folder)]
    lines = {str(path.relative_to(ROOT)): opens_without_encoding(path.read_text(encoding="utf-8")) for path in files}
    assert {path: found for path, found in lines.items() if found} == {}, 'add encoding="utf-8"'


def test_a_file_opened_without_an_encoding_is_found():
    found = ["open(p)", "open(p, 'w')", "p.open()", "p.read_text()", "p.write_text('rb')", "os.fdopen(1, mode='a')"]
    found += ["NamedTemporaryFile('w')"]
    fine = ["open(p, 'rb')", "p.open('wb')", "open(p, encoding='utf-8')", "p.read_bytes()", "webbrowser.open(p)"]
    fine += ["os.fdopen(1, 'wb')", "TemporaryFile()", "p.write_text('b', encoding='utf-8')", "os.open(p, 0)"]
    assert [text for text in (*found, *fine) if opens_without_encoding(text)] == found


def test_functions_fit_a_screen():
    for package in PACKAGES:
        for path in modules(package):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    documented = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
                    docstring = (node.body[0].end_lineno or 0) - node.body[0].lineno + 1 if documented else 0
                    lines = (node.end_lineno or 0) - node.lineno + 1 - docstring
                    assert lines <= 75, f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"
