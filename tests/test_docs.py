"""The docs say what is so: generated pages are current, and the code on hand-written pages runs."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["ops.md", "kinks.md"])
def test_generated_pages_are_current(name):
    page = load(ROOT / "docs" / "tables.py").PAGES[name]()
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == page, "run python docs/tables.py"


def test_the_page_on_numpys_functions_is_current_and_nothing_falls_through():
    numpy_page = load(ROOT / "docs" / "numpy_page.py")
    outcomes = {f.name: f.outcome for f in numpy_page.forms()}
    assert [name for name, outcome in outcomes.items() if outcome == "falls through"] == []
    assert (ROOT / "docs" / "numpy.md").read_text(encoding="utf-8") == numpy_page.page(), (
        "run python docs/numpy_page.py"
    )


def code_of(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


@pytest.mark.parametrize("name", ["docs/own_op.md", "docs/transforms.md", "README.md"])
def test_code_on_a_page_runs_and_prints_what_it_says(name, capsys, tmp_path, monkeypatch):
    from tinygrad_edu import registry

    monkeypatch.chdir(tmp_path)
    code = code_of(name)
    before = dict(registry)
    try:
        exec(compile(code, name, "exec"), {"__name__": "page"})
    finally:
        registry.clear()
        registry.update(before)
    promised = [comment.strip() for comment in re.findall(r"print\(.*\)\s*# (.*)", code)]
    assert capsys.readouterr().out.splitlines() == promised


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
