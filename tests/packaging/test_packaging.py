"""The wheel and the sdist, installed into an empty environment, work outside the checkout. Needs the network: run by .ci/run."""

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parent.parent.parent

CODE = """
import json
import nn, tinygrad_edu, viz

a, b, c = (tinygrad_edu.Value(x, name=name) for name, x in (("a", 2.0), ("b", -3.0), ("c", 5.5)))
y = tinygrad_edu.tanh(a * b + c)
y.backward()
viz.graph(y).save("drawing.svg")
viz.graph(y).save("graph.html")
viz.step(y).save("steps.html")
print(json.dumps([module.__file__ for module in (nn, tinygrad_edu, viz)]))
"""


def run(python: Path, *arguments: str, cwd: Path) -> str:
    """Standard output of Python in a folder, without this process's paths and settings of pytest."""
    settings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    process = subprocess.run(
        [python, *arguments], cwd=cwd, env=settings, capture_output=True, encoding="utf-8", check=False, timeout=900
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def environment(folder: Path) -> Path:
    """The Python of a new, empty environment."""
    venv.create(folder, with_pip=True)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def install(python: Path, *what: str, cwd: Path) -> None:
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what, cwd=cwd)


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> dict[str, Path]:
    """The sdist, and the wheel made of it, so that a file missing there is missed."""
    folder = tmp_path_factory.mktemp("build")
    python = environment(folder / "tools")
    install(python, "build", cwd=folder)
    run(python, "-m", "build", "--outdir", str(folder / "dist"), str(ROOT), cwd=folder)
    (wheel,), (sdist,) = (list((folder / "dist").glob(pattern)) for pattern in ("*.whl", "*.tar.gz"))
    return {"wheel": wheel, "sdist": sdist}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_installed_it_works_outside_the_checkout(built, kind, tmp_path):
    python = environment(tmp_path / "venv")
    install(python, str(built[kind]), cwd=tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    files = json.loads(run(python, "-c", CODE, cwd=work))
    assert all((tmp_path / "venv").resolve() in Path(file).resolve().parents for file in files), files
    printed = run(python, "-m", "tinygrad_edu", "grad", "tanh(a*b + c)", "a=2", "b=-3", "c=5.5", cwd=work)
    assert "-0.4621" in printed
    assert "-2.359" in printed  # dy/da = b (1 - y²)
    drawing = ElementTree.parse(work / "drawing.svg").getroot()
    assert drawing.tag.endswith("svg")
    assert "-0.4621" in "".join(drawing.itertext()).replace("\u2212", "-")
    for name in ("steps.html", "graph.html"):
        page = (work / name).read_text(encoding="utf-8")
        assert "tanh" in page
        assert "addEventListener" in page  # its scripts
        assert page.rstrip().endswith("</html>")


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_it_holds_every_file_of_the_three_packages(built, kind):
    if kind == "wheel":
        with zipfile.ZipFile(built[kind]) as archive:
            held = set(archive.namelist())
    else:
        with tarfile.open(built[kind]) as archive:
            held = {name.partition("/")[2] for name in archive.getnames()}
    listed = subprocess.run(
        ["git", "ls-files", "tinygrad_edu", "nn", "viz"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = set(listed.stdout.split())
    assert len(files) > 100
    assert files <= held, sorted(files - held)
