"""The docs say what is so: generated pages are current, and the code on hand-written pages runs."""

import doctest
import importlib.util
import linecache
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_edu as tg

ROOT = Path(__file__).parent.parent


MODULES = [
    module.name
    for package in ("tinygrad_edu", "nn", "viz")
    for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
    if not module.name.endswith("__main__")
]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["tinygrad_edu", "nn", "viz", *MODULES])
def test_examples_in_docstrings(name):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert not failed


@pytest.mark.parametrize("name", ["ops.md", "kinks.md"])
def test_generated_pages_are_current(name):
    page = load(ROOT / "docs" / "tables.py").PAGES[name]()
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == page, "run python docs/tables.py"


def test_the_page_on_numpys_functions_is_current_and_nothing_falls_through():
    numpy_page = load(ROOT / "docs" / "numpy_page.py")
    outcomes = {f.name: f.outcome for f in numpy_page.forms()}
    assert [name for name, outcome in outcomes.items() if outcome == "falls through"] == []
    if numpy_page.comparable():
        assert numpy_page.main(["--check"]) == 0, "run python docs/numpy_page.py"


@pytest.mark.parametrize(("script", "page"), [("tables", "ops.md"), ("tables", "kinks.md"), ("numpy_page", "numpy.md")])
def test_a_page_that_is_out_of_date_fails_the_check_and_is_not_written(script, page, tmp_path, monkeypatch, capsys):
    module, stale = load(ROOT / "docs" / f"{script}.py"), tmp_path / page
    for name in ("ops.md", "kinks.md", "numpy.md"):
        (tmp_path / name).write_bytes((ROOT / "docs" / name).read_bytes())
    monkeypatch.setattr(module, *(("HERE", tmp_path) if script == "tables" else ("PAGE", stale)))
    if script == "tables":
        assert module.main(["--check"]) == 0
    text = stale.read_text(encoding="utf-8").replace("NumPy 2", "Numpy 2") + "| one | row | more |\n"
    stale.write_text(text, encoding="utf-8")
    assert module.main(["--check"]) == 1
    assert capsys.readouterr().err == f"docs/{page} is out of date; run python docs/{script}.py\n"
    assert stale.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("script", ["tables", "numpy_page"])
def test_a_script_uses_the_checkout_that_it_lives_in(script, tmp_path):
    code = f"import runpy, sys; runpy.run_path({str(ROOT / 'docs' / f'{script}.py')!r}); print(sys.modules['tinygrad_edu'].__file__)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert Path(process.stdout.strip()).parent == ROOT / "tinygrad_edu"


def code_of(name, fence="python"):
    text = (ROOT / name).read_text(encoding="utf-8")
    return "\n".join(re.findall(rf"```{fence}\n(.*?)```", text, re.DOTALL))


def promised_by(name, fence="python"):
    """What the code on a page prints, line by line: after a # on the line of the print, or in a text block after the code."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = []
    for block, body in re.findall(rf"```({fence}|text)\n(.*?)```", text, re.DOTALL):
        lines += body.splitlines() if block == "text" else re.findall(r"print\(.*\)\s*# (.*)", body)
    return [without_error_bars(line) for line in lines]


def without_error_bars(line):
    """Error bars differ from one processor's exp to the next."""
    return re.sub(r" +\d\.\de-\d\d\b", " ...", line.strip())


PAGES = [
    *[
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "docs").rglob("*.md"))
        if path.parent.name in ("start", "how-to", "explanation")
        or path in (ROOT / "docs" / "index.md", ROOT / "docs" / "value.md")
        if "```python\n" in path.read_text(encoding="utf-8")
    ],
    "docs/own_op.md",
    "docs/transforms.md",
    "docs/compile.md",
    "docs/values.md",
    "docs/testing_gradients.md",
    "docs/networks.md",
    "docs/runs.md",
    "docs/drawing.md",
    "docs/plotting.md",
    "docs/plotting_functions.md",
    "docs/plotting_models.md",
    "README.md",
]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.filterwarnings("ignore:More than 20 figures")  # a whole page keeps them open
def test_code_on_a_page_runs_and_prints_what_it_says(name, capsys, tmp_path, monkeypatch):
    from tinygrad_edu import registry

    monkeypatch.chdir(tmp_path)
    code = code_of(name)
    before = dict(registry)
    try:
        run(code, name, {"__name__": "page"})
    finally:
        registry.clear()
        registry.update(before)
    printed = [without_error_bars(line) for line in capsys.readouterr().out.splitlines()]
    assert printed == promised_by(name)


PICTURES = [2, 7, 8, 11, 12, 13, 14, 15, 16, 21, 22, 29, 33, 37, 45, 54, 58, 59, 63, 75, 79, 80, 87, 88, 89, 106, 110, 117, 118,
            119, 125, 131, 142, 147, 157, 164, 169, 170, 176, 180, 186, 188]  # fmt: skip


def test_each_row_of_the_table_of_pictures_draws_in_six_lines(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    page = load(ROOT / "docs" / "pictures.py")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "page"}
    exec(compile(page.setup(), "plotting.md", "exec"), names)
    found = set()
    for k, row in enumerate(page.rows()):
        found |= {int(number) for number in row.number.split(",")}
        assert len(row.code.splitlines()) <= 6
        files = page.drawn(row, names, f"row{k}")
        assert files, row.title
        assert all((tmp_path / file).stat().st_size > 1000 for file in files)
    assert len(PICTURES) == 42
    assert set(PICTURES) <= found


def libraries(text):
    """The libraries other than this one for which a page has code."""
    return sorted(set(re.findall(r"^```python (?!pytest|source|before|after)(\w+)$", text, re.MULTILINE)))


OTHERS = [
    (path.relative_to(ROOT).as_posix(), library)
    for path in sorted((ROOT / "docs").rglob("*.md"))
    for library in libraries(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("page", "library"), OTHERS)
def test_code_for_another_library_prints_what_it_says_where_that_is_installed(page, library):
    if importlib.util.find_spec(library) is None:  # `make test` installs micrograd, `make agreement` PyTorch
        return
    code = code_of(page, f"python {library}")
    promised = re.findall(r"print\(.*\)\s*# (.*)", code)
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert (process.returncode, process.stdout.splitlines()) == (0, promised), process.stderr


def test_pages_have_code_for_other_libraries():
    assert {library for _, library in OTHERS} == {"autograd", "jax", "micrograd", "torch"}


def test_the_drawing_of_step_sizes_is_made_of_the_same_bytes_each_time():
    page = load(ROOT / "docs" / "step_sizes.py")
    assert page.picture() == page.picture()


def test_the_errors_that_the_page_on_testing_names():
    page = load(ROOT / "docs" / "step_sizes.py")
    assert page.error(page.forward, page.EPS**0.5) < 2e-8 < page.error(page.forward, 1e-3)
    assert page.error(page.central, page.EPS ** (1 / 3)) < 1e-10 < page.error(page.central, 1e-12)
    assert page.error(page.ridders, 0.5) < 1e-13
    assert page.error(page.complex_step, 1e-150) < 1e-15


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#]+)", prose):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


QUOTING = [
    path for path in sorted((ROOT / "docs").rglob("*.md")) if "```python source\n" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("page", QUOTING, ids=lambda page: page.stem)
def test_quoted_source_is_that_of_the_file_named_before_it(page):
    text = page.read_text(encoding="utf-8")
    quotes = list(re.finditer(r"```python source\n(.*?)```", text, re.DOTALL))
    for quote in quotes:
        named = re.findall(r"\]\(([^)#]+\.py)\)", text[: quote.start()])[-1]
        assert quote[1] in (page.parent / named).read_text(encoding="utf-8"), (named, quote[1])
    assert quotes


def test_the_table_of_times_is_that_of_the_results():
    def rows(path):
        return [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in (ROOT / path).read_text(encoding="utf-8").splitlines()
            if line.startswith("| ")
        ]

    measured = {row[0]: row for row in rows("benchmarks/results/results.md")}
    page = rows("docs/explanation/comparison.md")
    shown = {row[0]: row for row in page if row[0] in measured and len(row) > 4}
    assert {work: row[:-1] for work, row in measured.items()} == shown
    missed = {work for work, row in measured.items() if row[-1].endswith("OVER")}
    said = [row for row in page if row[0] in measured and len(row) == 4 and row[1] not in ("measured", "---:")]
    assert {row[0] for row in said} == missed
    for work, ours, hold, _ in said:
        assert measured[work][1] == f"**{ours}**"
        assert measured[work][-1] == f"≤ {hold} OVER"


def test_figures_of_pages_are_written_by_their_code():
    figures = load(ROOT / "docs" / "figures.py")
    shown = 0
    for page in [path for folder in figures.FOLDERS for path in (ROOT / "docs" / folder).glob("*.md")]:
        code = code_of(page.relative_to(ROOT))
        for name in figures.figures(page):
            assert f'"{name}"' in code, f"{page.name}: {name}"
            assert (page.parent / name).exists(), "run python docs/figures.py"
            shown += 1
    assert shown >= 5


def blocks_of(page):
    """The fenced blocks of a page: what stands behind the fence, and the text."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^```([^\n]*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def run(code, file, names):
    """Run code whose lines tracebacks, and comments of compiled source, find."""
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    exec(compile(code, file, "exec"), names)


def test_the_sources_on_the_page_on_compile_are_what_compile_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, shown = {"__name__": "page"}, 0
    for k, (fence, text) in enumerate(blocks_of("compile.md")):
        if fence == "python":
            run(text, f"compile.md, block {k}", names)
        elif not fence and text.startswith("def "):
            assert names["step"].source == text
            shown += 1
    assert shown == 5


def test_what_the_page_on_compile_rewrites_is_refused_before_and_right_after():
    imports = "import numpy as np\nfrom tinygrad_edu import where\n"
    blocks = [(fence, text) for fence, text in blocks_of("compile.md") if fence in ("python before", "python after")]
    assert [fence for fence, _ in blocks] == ["python before", "python after"] * 5
    for k, (fence, text) in enumerate(blocks):
        names = {}
        run(imports + text, f"compile.md, {fence} {k}", names)
        program = tg.compile(names["f"])
        if fence == "python before":
            with pytest.raises(tg.UnreadableError, match="compile: f"):
                program(np.array([0.5, -1.5, 2.0]))
        else:
            for x in (np.array([0.5, -1.5, 2.0]), np.array([-0.5, 3.0, 0.25])):
                assert program(x) == names["f"](x)
            assert not program.eager


def test_the_figures_on_the_page_on_compile_are_those_of_the_benchmark():
    page = (
        (ROOT / "docs" / "compile.md")
        .read_text(encoding="utf-8")
        .partition("## How fast it is")[2]
        .partition("\n## ")[0]
    )
    results = (ROOT / "benchmarks" / "results" / "compiling.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len(rows) > 8
    assert [row for row in rows if row not in results] == []
