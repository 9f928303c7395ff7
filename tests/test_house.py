"""The house is in order: imports point one way, what is public is named and documented, docs name what exists."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("tinygrad_edu", "nn", "viz")
PUBLIC = (
    "tinygrad_edu",
    "tinygrad_edu.linalg",
    "tinygrad_edu.testing",
    "nn",
    "nn.functional",
    "nn.init",
    "nn.metrics",
    "nn.optim",
    "viz",
)

# Floors of the engine: a file may import only from floors below its own, or as named here.
FLOORS = [
    ["errors"],
    ["domain"],
    ["op"],
    ["node"],
    ["signatures"],
    ["data"],
    ["recording"],
    ["registry"],
    ["ops"],
    ["share", "linalg"],
    ["graph", "protocols"],
    ["value"],
    ["tree"],
    ["tracing"],
    ["transforms", "checkpointing"],
    ["expression"],
    ["testing"],
]
THIRD_PARTY = {
    "tinygrad_edu": {"numpy"},
    "nn": {"numpy", "tinygrad_edu", "rich", "safetensors", "sklearn"},
    "viz": {"numpy", "tinygrad_edu", "nn", "graphviz", "graphviz_pure", "matplotlib"},
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
        if path.name == "__main__.py":
            continue
        allowed = THIRD_PARTY[package] | {package, "__future__"}
        allowed |= {"strategies.py": {"hypothesis"}, "plugin.py": {"pytest"}}.get(path.name, set())
        for name in imports(path):
            top = name.split(".")[0]
            assert top in allowed or top in sys.stdlib_module_names, f"{path.relative_to(ROOT)} imports {name}"


def test_engine_imports_point_one_way():
    floor = {name: i for i, names in enumerate(FLOORS) for name in names}
    for path in modules("tinygrad_edu"):
        own = path.relative_to(ROOT / "tinygrad_edu").parts[0].removesuffix(".py")
        if own in ("__init__", "__main__"):
            continue
        for name in set(imports(path)):
            parts = name.split(".")
            if parts[0] == "tinygrad_edu" and len(parts) > 1 and parts[1] != own and parts[1] in floor:
                assert floor[parts[1]] < floor[own], f"{path.relative_to(ROOT)} imports {name}, which stands above it"


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


@pytest.mark.parametrize("name", PUBLIC)
def test_all_equals_the_public_names(name):
    module = importlib.import_module(name)
    has_all = hasattr(module, "__all__")
    here = {
        n
        for n, item in vars(module).items()
        if not n.startswith("_") and not (inspect.ismodule(item) and has_all and n not in module.__all__)
    }
    if has_all:
        assert sorted(here) == sorted(module.__all__)
        assert len(set(module.__all__)) == len(module.__all__)


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


def test_functions_fit_a_screen():
    for package in PACKAGES:
        for path in modules(package):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    lines = (node.end_lineno or 0) - node.lineno + 1
                    assert lines <= 75, f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"
