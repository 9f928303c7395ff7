"""The scripts of pages: their modules as one script, which works from a file and within another page."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import pytest

import viz
from tinygrad_edu import Value
from viz.pages import bundle, bundling, module

VIZ = Path(viz.__file__).parent
TRACE = {"stepping/trace.js": module(TRACE={}), "stepping/formulas.js": module(FORMULAS=[])}
PAGES = {
    "exploring/page.js": {"exploring/picture.js": module(PICTURE={})},
    "stepping/operations.js": TRACE,
    "stepping/model.js": TRACE,
    "stepping/animation.js": {"stepping/frames.js": module(DATA={})},
    "plots/descent.js": {"plots/routes.js": module(DATA={})},
    "stepping/functions.js": {},  # for the formulas of a page that has some
}


def test_modules_follow_each_other_in_order_of_dependency_each_once():
    files = {
        "a/main.js": 'import {b, f} from "./b.js";\nimport {c} from "../c.js";\n\nf(b, c);\n',
        "a/b.js": 'import {c} from "../c.js";\n\nexport let b = c;\nexport function f(x) {\n  b = x;\n}\n',
        "c.js": 'export const c = "import of exports";\n',
    }
    text = bundle("a/main.js", files)
    assert text == ('const c = "import of exports";\n\nlet b = c;\nfunction f(x) {\n  b = x;\n}\n\nf(b, c);\n')
    assert bundle("a/main.js", files) == text


@pytest.mark.parametrize(
    ("main", "other", "message"),
    [
        ('import {b} from "./b.js";\n', 'import {a} from "./a.js";\nexport const b = 1;\n', "a.js -> b.js -> a.js"),
        ('import {c} from "./b.js";\n', "export const b = 1;\n", "b.js does not export c"),
        ('import {b} from "./b.js";\n', "const b = 1;\n", "b.js does not export b"),
        ('import {b as c} from "./b.js";\n', "export const b = 1;\n", "does not export b as c"),
        ('import {b} from "./b.js";\nconst d = 1;\n', "export const b = 1;\nconst d = 2;\n", "d is declared in b.js too"),
        ('import {b} from "./b.js";\nfunction d() {}\n', "export const b = 1;\nconst {\n  c,\n  d,\n} = b;\n", "d is declared in"),
        ('import b from "./b.js";\n', "export const b = 1;\n", 'cannot bundle: import b from "./b.js";'),
        ('import * as b from "./b.js";\n', "export const b = 1;\n", "cannot bundle: import \\* as b"),
        ('import "./b.js";\n', "", 'cannot bundle: import "./b.js"'),
        ('import {b} from "b";\n', "", 'cannot bundle: import {b} from "b"'),
        ('import {b} from "./b.js";\n', "export default 1;\nexport const b = 1;\n", "b.js: cannot bundle: export default"),
        ('import {b} from "./b.js";\n', "const b = 1;\nexport {b};\n", "b.js does not export b|b.js: cannot bundle"),
        ('import {b} from "./b.js";\n', 'export {b} from "./c.js";\n', "b.js: cannot bundle"),
    ],
)  # fmt: skip
def test_what_it_does_not_understand_it_refuses(main, other, message):
    with pytest.raises(ValueError, match=message):
        bundle("a.js", {"a.js": main, "b.js": other})


def test_a_missing_module_is_an_error():
    with pytest.raises(FileNotFoundError):
        bundle("a.js", {"a.js": 'import {b} from "./missing.js";\n'})


def test_every_script_belongs_to_a_page_and_imports_what_exists(monkeypatch):
    read = set()
    monkeypatch.setattr(bundling, "contents", lambda path, own=bundling.contents: read.add(path) or own(path))
    for entry, generated in PAGES.items():
        assert bundle(entry, generated)
    assert read == {path.relative_to(VIZ).as_posix() for path in VIZ.rglob("*.js")}


@pytest.mark.parametrize("entry", PAGES)
def test_no_name_is_a_global_of_the_browser(entry, browser):
    """So a module cannot use another's by mistake: without an import the linter takes every such name for undeclared."""
    page = browser.new_page()
    declared = [each for _, each in bundling._DECLARATION.findall(bundle(entry, PAGES[entry]))]
    names = sorted({name for each in declared for name in re.findall(r"[\w$]+", each)})
    assert len(names) > 3 or entry == "stepping/functions.js"
    assert page.evaluate("names => names.filter(name => name in window)", names) == []
    page.close()


def test_two_pages_within_a_page_work_side_by_side(open_page, tmp_path):
    a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    steps = viz.step(a * b + a).html()
    graph = viz.graph(a * b).html()
    frames = "".join(f'<iframe srcdoc="{escape(page)}"></iframe>' for page in (steps, steps, graph))
    (tmp_path / "page.html").write_text(f'<link rel="icon" href="data:,">{frames}', encoding="utf-8")
    page = open_page(tmp_path / "page.html", viewport={"width": 1280, "height": 900})
    first, second, third = (page.frame_locator(f"iframe >> nth={k}") for k in range(3))
    first.locator("#next").click()
    first.locator("#next").click()
    assert first.locator("#step h2").inner_text().startswith("Step 2 of 8")
    assert second.locator("#step h2").inner_text().startswith("Step 0 of 8")
    assert first.locator("#link").is_hidden()
    third.get_by_label("Find").fill("a")
    assert third.locator("#found").inner_text().endswith("of 3 nodes")
