"""The chapters of the course run, their exercises are judged rightly, and an error in one of them is noticed."""

import contextlib
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from chapter import ROOT, TESTED, CellError, entries, is_picture, load, read_cells, run, with_text, wrong_rule
from exercises import check

from tinygrad_edu import Value

coverage = load(ROOT / "docs" / "coverage.py")
NUMBERS = sorted(TESTED)
ROWS = {row.number: row for row in coverage.rows()}
CLAIMS = {claim.key: claim for claim in coverage.claims()}
LONGEST = 15  # lines of code in a cell
RUNS = {}


def solved(number):
    """The run of a chapter with all exercises solved, once for all tests."""
    if number not in RUNS:
        RUNS[number] = run(TESTED[number], entries(number).SOLUTIONS)
    return RUNS[number]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_chapter_runs_as_a_script_from_any_folder_with_its_exercises_open(number, tmp_path):
    env = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    command = [sys.executable, str(TESTED[number].path)]
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    assert re.findall(r"^Exercise (\d): (.*)$", ran.stdout, re.MULTILINE) == [(str(k), "open") for k in (1, 2, 3)]
    assert list(tmp_path.iterdir()) == [], "a chapter leaves no files"


@pytest.mark.parametrize("number", NUMBERS)
def test_solutions_are_right(number):
    found = re.findall(r"^Exercise (\d): (.*)$", solved(number).printed, re.MULTILINE)
    assert found == [(str(k), "right") for k in (1, 2, 3)]


@pytest.mark.parametrize("number", NUMBERS)
def test_wrong_answers_get_a_hint(number):
    given = entries(number)
    assert given.WRONG.keys() == given.SOLUTIONS.keys() == {"Exercise 1", "Exercise 2", "Exercise 3"}
    wrong = run(TESTED[number], given.WRONG, after=solved(number), start="Exercise 1")
    assert len(re.findall(r"^Exercise \d: wrong, .+ Hint: .{10,}$", wrong.printed, re.MULTILINE)) == 3, wrong.printed


PLANTED = [(number, name) for number in NUMBERS for name in entries(number).PLANTED]


@pytest.mark.parametrize(("number", "name"), PLANTED)
def test_a_planted_error_is_caught(number, name):
    plant, catches = entries(number).PLANTED[name]
    chapter, planted = TESTED[number], contextlib.nullcontext()
    if isinstance(plant, tuple):
        chapter = with_text(chapter, *plant)
    else:
        planted = plant()
    with planted, pytest.raises(CellError) as caught:
        run(chapter)
    assert isinstance(caught.value.__cause__, AssertionError), repr(caught.value.__cause__)
    assert caught.value.cell.title == catches


@pytest.mark.parametrize("number", NUMBERS)
def test_each_chapter_has_a_planted_error(number):
    assert entries(number).PLANTED


@pytest.mark.parametrize("number", NUMBERS)
def test_rows_have_their_assertion_or_their_picture(number):
    chapter, values = TESTED[number], solved(number).values
    for i, cell in enumerate(chapter.cells):
        assert set(cell.rows) <= ROWS.keys(), f"{cell.title}: rows= is not in docs/coverage.toml"
        assert not cell.claim or cell.claim in CLAIMS, f"{cell.title}: claim= is not in docs/coverage.toml"
        if cell.rows or cell.claim:
            assert cell.asserts or is_picture(values[i]), f"{cell.title}: has neither an assertion nor a picture"
        assert cell.asserts or not cell.claim, f"{cell.title}: corrects a claim without an assertion"
    for row in {row for cell in chapter.cells for row in cell.rows}:
        where = [i for i, cell in enumerate(chapter.cells) if row in cell.rows]
        if ROWS[row].picture:
            assert any(is_picture(values[i]) for i in where), f"row {row} wants a picture"
        if ROWS[row].states:
            assert any(chapter.cells[i].asserts for i in where), f"row {row} states {ROWS[row].states}: assert it"


@pytest.mark.parametrize("number", NUMBERS)
def test_pictures_have_words_for_who_does_not_see_them(number):
    for i, cell in enumerate(TESTED[number].cells):
        if not cell.markdown:
            assert bool(cell.alt) == is_picture(solved(number).values[i]), f"{cell.title}: # alt: {cell.alt!r}"
            assert not cell.alt or 20 <= len(cell.alt) <= 400, f"{cell.title}: {len(cell.alt)} letters"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_chapter_has_the_form_of_one(number):
    cells = TESTED[number].cells
    assert re.match(rf"# {number}\. \S.*\n\n\*\*[^*]+\?\*\*", cells[0].source), "begins with its title and its question"
    titles = [cell.title for cell in cells if not cell.markdown]
    assert all(titles), "each cell of code has a title"
    assert sorted(set(titles)) == sorted(titles), "no title twice"
    assert titles[-6:] == ["Exercise 1", "Check 1", "Exercise 2", "Check 2", "Exercise 3", "Check 3"]
    for cell in cells:
        assert cell.markdown or len(cell.lines) + len(cell.asserts) <= LONGEST, f"{cell.title}: {len(cell.lines)} lines"


def test_the_page_on_coverage_is_current():
    assert coverage.main(["--check"]) == 0, "run python docs/coverage.py"


def test_a_stale_page_on_coverage_fails_the_check(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(coverage, "PAGE", tmp_path / "coverage.md")
    assert coverage.main(["--check"]) == 1
    assert coverage.main([]) == coverage.main(["--check"]) == 0
    stale = coverage.PAGE.read_text(encoding="utf-8").replace("tangent line", "tangent")
    coverage.PAGE.write_text(stale, encoding="utf-8")
    capsys.readouterr()
    assert coverage.main(["--check"]) == 1
    assert capsys.readouterr().err == "docs/coverage.md is out of date; run python docs/coverage.py\n"


def test_all_rows_are_there():
    assert sorted(ROWS) == list(range(1, 196))
    assert all(row.what and 1 <= row.chapter <= 11 and 0 <= row.article <= 4 for row in ROWS.values())
    page = coverage.page()
    assert all(f"\n| {number} |" in page for number in ROWS)
    assert all(claim.holds in page for claim in CLAIMS.values())


def test_cells_are_read():
    text = '# %% [markdown]\n# # 1. Title\n#\n# Text.\n\n# %% Two words rows="7 9" claim="a key"\n# alt: a line,\n#   and more\nx = 1\nassert (x ==\n  1)\n\n# %%\nprint(x)\n'
    words, code, last = read_cells(text)
    assert words.markdown
    assert words.source == "# 1. Title\n\nText."
    assert (code.title, code.rows, code.claim, code.line) == ("Two words", (7, 9), "a key", 7)
    assert (code.alt, code.asserts, code.lines) == ("a line, and more", ["x == 1"], ["x = 1"])
    assert (last.title, last.source, last.alt, last.lines) == ("", "print(x)", "", [])
    for wrong in ("x = 1\n# %%\n", '# %% Title row="7"\n'):
        with pytest.raises(ValueError, match="expected"):
            read_cells(wrong)


def test_a_wrong_rule_is_planted_and_gone_again():
    x = Value(3.0)
    with wrong_rule("square", lambda g, y, x: g * x):
        x.square().backward()
    assert x.grad == 3.0
    x.zero_grad()
    x.square().backward()
    assert x.grad == 6.0


@pytest.mark.parametrize(
    ("answer", "right", "outcome"),
    [
        (..., 4.0, None),
        ((1.0, ...), (1.0, 2.0), None),
        ({"w": ...}, lambda d: True, None),
        (lambda x: ..., lambda f: f(3.0) == 9.0, None),
        (4.0, 4.0, True),
        (4, 4.0, True),
        (Value(4.0), 4.0, True),
        (4.0004, 4.0, True),
        (4.1, 4.0, False),
        (float("nan"), 4.0, False),
        ([1.0, 2.0], np.array([1.0, 2.0]), True),
        ([1.0, 1.0], 1.0, False),
        ("four", 4.0, False),
        ("b", "b", True),
        ("a", "b", False),
        (lambda x: x**2, lambda f: f(3.0) == 9.0, True),
        (lambda x: x**3, lambda f: f(3.0) == 9.0, False),
        (lambda: 1.0, lambda f: f(3.0) == 9.0, False),
        (None, lambda x: x > 1, False),
    ],
)
def test_answers_are_judged(answer, right, outcome, capsys):
    assert check("Exercise 1", answer, right, hint="think") is outcome
    said = capsys.readouterr().out
    assert said.startswith(
        {None: "Exercise 1: open\n", True: "Exercise 1: right\n", False: "Exercise 1: wrong, "}[outcome]
    )
    assert ("Hint: think" in said) == (outcome is False)


def test_a_function_that_returns_nothing_is_told_so(capsys):
    def square(x):
        x**2

    assert check("Exercise 1", square, lambda f: f(3.0) == 9.0, hint="think") is False
    said = "Exercise 1: wrong, the function returned None: end it with `return`. Hint: think\n"
    assert capsys.readouterr().out == said
