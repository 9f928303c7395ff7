"""The documentation site: every public name has one entry, every page a place, every figure its text. `make docs` builds it."""

import importlib
import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def load(path):
    """A script of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reference():
    return load(DOCS / "reference.py")


@pytest.fixture(scope="module")
def pages():
    return load(DOCS / "site" / "pages.py")


@pytest.fixture(scope="module")
def chapters():
    return load(DOCS / "site" / "chapters.py")


# -- The reference ---------------------------------------------------------------------------------------------------------


def entries_on(text):
    """The names that have an entry on a page, and those that lead to one."""
    return re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE) + re.findall(r'<span id="([\w.]+)">', text)


def test_every_public_name_is_on_exactly_one_page(reference):
    found = [
        name for path in (DOCS / "reference").glob("*.md") for name in entries_on(path.read_text(encoding="utf-8"))
    ]
    assert sorted(found) == sorted(set(found))
    wanted = {f"{module}.{name}" for module in reference.PUBLIC for name in importlib.import_module(module).__all__}
    assert wanted - set(found) == set()


def test_every_public_module_is_looked_at(reference):
    for name in reference.PUBLIC:
        module = importlib.import_module(name)
        inside = {getattr(module, n).__name__ for n in module.__all__ if isinstance(getattr(module, n), ModuleType)}
        assert inside <= set(reference.PUBLIC)


def test_the_reference_is_current(reference, capsys):
    assert reference.main(["--check"]) == 0, capsys.readouterr().err


def test_a_page_of_the_reference_that_is_out_of_date_fails_the_check(reference, tmp_path, monkeypatch, capsys):
    for path in (DOCS / "reference").glob("*.md"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    assert reference.main(["--check"]) == 0
    numbers = tmp_path / "numbers.md"
    numbers.write_text(numbers.read_text(encoding="utf-8").replace("::: tinygrad_edu.exp\n", ""), encoding="utf-8")
    (tmp_path / "old.md").write_text("# Old\n", encoding="utf-8")
    assert reference.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"docs/reference/{name} is out of date; run python docs/reference.py" for name in ("numbers.md", "old.md")
    ]


def test_a_file_without_a_page_is_an_error_that_says_so(reference):
    with pytest.raises(KeyError, match="nn.new has no page: add it to PAGES of docs/reference.py"):
        reference.page_of("nn.new")


def examples():
    return load(DOCS / "examples.py")


EXAMPLES = [example for file in sorted((DOCS / "examples").glob("*.txt")) for example in examples().read(file)]


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_an_example_of_the_reference_prints_what_it_says(example, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    registry = importlib.import_module("tinygrad_edu").registry
    before = dict(registry)
    try:
        assert example.run() == example.text
    finally:
        registry.clear()
        registry.update(before)


def test_every_function_and_class_has_an_example(reference):
    given = [example.name for example in EXAMPLES]
    assert sorted(given) == sorted(set(given))
    for entry in reference.entries():
        error = inspect.isclass(entry.item) and issubclass(entry.item, Exception)
        if (inspect.isclass(entry.item) or inspect.isfunction(entry.item)) and not error:
            assert entry.name in given or ">>> " in inspect.getdoc(entry.item), (
                f"{entry.name}: write one to docs/examples/"
            )
    assert set(given) <= {entry.name for entry in reference.entries()}


# -- Pages -----------------------------------------------------------------------------------------------------------------


def test_every_page_is_in_the_navigation():
    listed = re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == PAGES


def prose(name):
    return re.sub(r"```.*?```|`[^`\n]*`", "", (DOCS / name).read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_has_alternative_text(name):
    text = prose(name)
    assert all(len(alt.strip()) > 10 for alt in re.findall(r"!\[([^\]]*)\]\(", text))
    assert all(re.search(r'alt="[^"]{10,}"', image) for image in re.findall(r"<img[^>]*>", text))


def test_links_that_leave_the_docs_lead_to_pages_of_the_site(pages):
    page = SimpleNamespace(file=SimpleNamespace(src_uri="how-to/step.md"), meta={})
    text = (
        "[a](../kinks.md#x) [b](../../tinygrad_edu/op.py#L12) [c](../../benchmarks/results/per_op.md#top)\n"
        "[d](../../examples) [e](https://numpy.org) [f](#here) ![g](../beside.png) `[h](../../LICENSE)` [i](../../README.md)\n"
        "```python torch\n[j](../../LICENSE)\n```\n[k](../../benchmarks/results/results.png) [l](../../nowhere.md)"
    )
    assert pages.on_page_markdown(text, page) == (
        "[a](../kinks.md#x) [b](../repository/tinygrad_edu/op.py.md#__codelineno-0-12) "
        "[c](../repository/benchmarks/results/per_op.md#top)\n"
        "[d](../repository/examples/index.md) [e](https://numpy.org) [f](#here) ![g](../beside.png) `[h](../../LICENSE)` "
        "[i](../repository/README.md)\n"
        "```python\n[j](../../LICENSE)\n```\n[k](../repository/benchmarks/results/results.png) [l](../../nowhere.md)"
    )
    assert pages.targets(text, "docs/how-to") == [
        *(
            "tinygrad_edu/op.py",
            "benchmarks/results/per_op.md",
            "examples",
            "README.md",
            "benchmarks/results/results.png",
        )
    ]


def test_pages_that_join_the_site_link_back_to_it(pages):
    page = SimpleNamespace(file=SimpleNamespace(src_uri="repository/benchmarks/results/per_op.md"), meta={})
    text = "[a](../../docs/kinks.md) [b](per_op.csv) [c](fitting.md)"
    assert pages.on_page_markdown(text, page) == "[a](../../../kinks.md) [b](per_op.csv) [c](fitting.md)"
    assert pages.contents("examples")["content"].startswith("# examples/\n\n- ")
    assert page.meta == {"search": {"exclude": True}}
    assert '~~~~{ .python linenums="1" }\n"""' in pages.contents("tinygrad_edu/op.py")["content"]


# -- Chapters --------------------------------------------------------------------------------------------------------------


class Output(dict):
    """An output as nbformat has it: a dictionary with attributes."""

    __getattr__ = dict.get


def cell(source, *outputs, title=""):
    return SimpleNamespace(cell_type="code", source=source, outputs=list(outputs), metadata={"title": title})


def output(kind, **data):
    return Output(output_type=kind, data=data)


def figure(data, kind="display_data"):
    return output(kind, **{"image/png": data, "text/plain": "<Figure size 1x1>"})


def test_a_cell_becomes_its_title_its_code_and_its_outputs_in_both_colours(chapters):
    page = chapters.Page("01_x")
    printed = [Output(output_type="stream", name="stdout", text=text) for text in ("3.", "0\n")]
    source = "# alt: A line [rising],\n#   steeply.\nviz.curve(f)\n"
    axes = output("execute_result", **{"text/plain": "<Axes: xlabel='x'>"})
    page.add(*[cell(source, *printed, figure(data), axes, title="The line") for data in ("bGlnaHQ=", "ZGFyaw==")])
    assert page.files == {"png1_light.png": b"light", "png1_dark.png": b"dark"}
    assert page.parts == [
        "### The line",
        "```python\nviz.curve(f)\n```",
        "~~~~{ .text .printed .stdout }\n3.0\n~~~~",
        "![A line \\[rising\\], steeply.](01_x/png1_light.png#only-light)\n"
        "![A line \\[rising\\], steeply.](01_x/png1_dark.png#only-dark)\n{ .picture }",
    ]


def test_the_check_of_an_exercise_is_closed_until_the_reader_opens_it(chapters):
    page = chapters.Page("01_x")
    page.add(*[cell('def right(f):\n    return f(1) == 2\n\n\ncheck("Exercise 1", f, right)', title="Check 1")] * 2)
    assert page.parts == [
        '??? note "Check 1, with the answer"\n\n    ```python\n    def right(f):\n        return f(1) == 2\n\n\n'
        '    check("Exercise 1", f, right)\n    ```'
    ]


def test_a_page_links_its_program_below_its_title_and_hides_checks_in_its_notebook(chapters, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    ran = nbformat.v4.new_notebook()
    ran.cells = [nbformat.v4.new_markdown_cell("# 1. Slopes\n\n**What is one?**")]
    ran.cells += [nbformat.v4.new_code_cell("x = 1", metadata={"title": title}) for title in ("A line", "Check 1")]
    monkeypatch.setattr(chapters.Chapter, "run", lambda self, theme: ran)
    page, files = chapters.Chapter(chapters.chapters()[0]).made()
    title, _, told, _, question = page.splitlines()[:5]
    assert (title, question) == ("# 1. Slopes", "**What is one?**")
    for name in files:
        assert f"/{name})" in told
    notebook = nbformat.reads(next(files[name] for name in files if name.endswith(".ipynb")), as_version=4)
    assert ["jupyter" in each.metadata for each in notebook.cells] == [False, False, True]


def test_a_figure_without_alternative_text_ends_the_build(chapters):
    twins = [cell("viz.curve(f)", figure("bGlnaHQ="))] * 2
    with pytest.raises(chapters.ChapterError, match="a cell shows a picture and has no `# alt:` line"):
        chapters.Page("01_x").add(*twins)


def test_a_figure_that_is_not_shown_ends_the_build(chapters):
    axes = Output(output_type="execute_result", data={"text/plain": "<Axes: xlabel='x'>"})
    with pytest.raises(chapters.ChapterError, match="a figure that is not shown"):
        chapters.Page("01_x").add(*[cell("# alt: A line\nviz.curve(f)", axes)] * 2)


def test_a_page_in_a_frame_becomes_a_file(chapters):
    page = chapters.Page("01_x")
    framed = '<div><iframe style="height: 420px" srcdoc="&lt;p&gt;step&lt;/p&gt;"></iframe></div>'
    shown = output("execute_result", **{"text/html": framed, "text/plain": "<Walkthrough of 3 operations>"})
    page.add(*[cell("# alt: Steps\nviz.step(y)", shown)] * 2)
    assert page.files == {"page1_light.html": "<p>step</p>"}
    assert page.parts[-1] == (
        '<div class="framed"><iframe src="01_x/page1_light.html" title="Steps" height="420" loading="lazy"></iframe></div>'
    )


# -- What only the site's own packages can show: `make test` does not install them -------------------------------------------


def test_formulas_become_mathml():
    if importlib.util.find_spec("latex2mathml"):
        formulas = load(DOCS / "site" / "formulas.py")
        page = SimpleNamespace(file=SimpleNamespace(src_uri="x.md"))
        text = r'<p><span class="arithmatex">\(x &lt; y^2\)</span></p><div class="arithmatex">\[\lim_{h} z\]</div>'
        html = formulas.on_page_content(text, page)
        assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline">' in html
        assert '<msup><mi class="letter">y</mi><mn>2</mn></msup>' in html
        assert '<div class="formula" tabindex="0"><math' in html
        assert '<munder><mo>lim</mo><mrow><mi class="letter">h</mi></mrow></munder>' in html
        assert "arithmatex" not in html
        assert formulas.mathml(r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "block").count("<mtr>") == 2
        with pytest.raises(formulas.FormulaError, match=r"\\nonsense is not known"):
            formulas.mathml(r"x + \nonsense", "inline")


def test_docstrings_become_markdown():
    if importlib.util.find_spec("griffe"):
        docstrings = load(DOCS / "site" / "docstrings.py")
        text = "x * y, a `b * c`.\n\nArgs:\n    has_aux, *args: of a_b.\n\nRaises (when called):\n    E: if so.\n\n>>> f(1)\n2\n\n>>> g()"
        assert docstrings.markdown(text, {}) == (
            "x \\* y, a `b * c`.\n\nArgs:\n    has_aux, *args: of a\\_b.\n\nRaises: Raises when called:\n    E: if so.\n\n"
            "Examples:\n    >>> f(1)\n    2\n\n    >>> g()"
        )
        assert docstrings.markdown("See `fit` and `x`.", {"fit": "nn.fit"}) == "See [`fit`][nn.fit] and `x`."
