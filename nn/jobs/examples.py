"""Examples: the data of a job, and their source."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import TinygradError

from ..checks import shown
from ..data import mnist
from ..runs.fingerprint import described_array
from .plan import PlanError
from .table_file import Sheet, number_in, quoted, read_sheet

DIGITS = "digits"
TASKS = ("auto", "classes", "numbers")
FEW = 20  # the most different whole numbers that count as classes


@dataclass(frozen=True)
class Examples:
    """Inputs and their targets.

    Attributes:
        title: their name in messages.
        inputs: (n, features).
        targets: (n,), labels from 0 or real numbers.
        features: the names of the inputs' columns.
        target: the name of the target.
        classes: the names of the labels; none if the targets are numbers.
        decided: the reason why the targets are classes or numbers, in words.
        image: (height, width) if the inputs are images.
        held_back: the number of examples at the end that are separate test data.
    """

    title: str
    inputs: NDArray[Any]
    targets: NDArray[Any]
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    decided: str = ""
    image: tuple[int, ...] = ()
    held_back: int = 0

    def fingerprint(self) -> dict[str, Any]:
        """Shapes, types and checksums, which identify these examples."""
        return {"inputs": described_array(self.inputs), "targets": described_array(self.targets)}


@dataclass(frozen=True)
class Source:
    """The source of examples.

    Attributes:
        data: "digits" for scikit-learn's, or the path of a CSV file or of a folder with MNIST's files.
        target: the target column of a CSV file; None for the last.
        ignore: columns that are left out.
        task: "classes", "numbers", or "auto", which `decided` decides.
        features, classes: the columns and classes of an earlier run; empty for those in the file.
    """

    data: str
    target: str | None = None
    ignore: tuple[str, ...] = ()
    task: str = "auto"
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of source: "digits", "images" or "table"."""
        return DIGITS if self.data == DIGITS else "images" if os.path.isdir(self.data) else "table"

    def read(self) -> Examples:
        """The examples. Raises TinygradError or OSError, with the fault and its place, if they cannot be read."""
        if self.task not in TASKS:
            raise PlanError(f"--task: got {shown(self.task)}, expected one of {', '.join(TASKS)}")
        if self.kind == DIGITS:
            return _digits(self)
        return _images(self) if self.kind == "images" else _table(self)


def _digits(source: Source) -> Examples:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        needs = "needs scikit-learn, which is not installed; pip install 'tinygrad-edu[datasets]'"
        raise TinygradError(f"digits: {needs}") from None
    _check_options(source)
    read = load_digits()
    names, classes = tuple(map(str, read.feature_names)), tuple(map(str, read.target_names))
    return Examples(DIGITS, read.data, read.target.astype(np.int64), names, "digit", classes, image=(8, 8))


def _images(source: Source) -> Examples:
    _check_options(source)
    halves = mnist(source.data)
    inputs, targets = [
        np.concatenate([halves[name][i] for name in ("train", "test") if name in halves]) for i in (0, 1)
    ]
    image = inputs.shape[1:]
    names = tuple([f"pixel_{row}_{column}" for row in range(image[0]) for column in range(image[1])])
    classes = source.classes or tuple([str(label) for label in range(int(targets.max(initial=0)) + 1)])
    held_back = len(halves["test"][0]) if len(halves) == 2 else 0
    title = repr(source.data)
    if not inputs.size:
        raise TinygradError(f"{title} has no images; expected at least one")
    if targets.max() >= len(classes):
        raise TinygradError(
            f"{title} has the label {targets.max()}, expected a class of this run, 0 to {len(classes) - 1}"
        )
    flat = inputs.reshape(len(inputs), -1)
    return Examples(title, flat, targets, names, "label", classes, image=image, held_back=held_back)


def _check_options(source: Source) -> None:
    """Raises PlanError for options of tables."""
    if source.target is not None or source.ignore or source.task == "numbers":
        raise PlanError(f"{source.data!r}: --target, --ignore and --task are for CSV files; leave them out")


def _table(source: Source) -> Examples:
    sheet = read_sheet(source.data)
    target = sheet.header[-1] if source.target is None else source.target
    cells = sheet.cells(target)
    if unknown := [name for name in source.ignore if name not in sheet.header]:
        raise TinygradError(f"{sheet.title}: got --ignore {shown(unknown[0])}, expected one of {quoted(sheet.header)}")
    left = [name for name in sheet.header if name != target and name not in source.ignore]
    features = source.features or tuple(left)
    if not features:
        raise TinygradError(
            f"{sheet.title}: got no columns beside the target {shown(target)}, expected numbers to learn from"
        )
    classified, why = decided(sheet, target, source.task)
    inputs = sheet.numbers(features)
    if not classified:
        return Examples(sheet.title, inputs, sheet.numbers([target])[:, 0], features, target, (), why)
    labels = [_label(cell) for cell in cells]
    classes = source.classes or tuple(sorted(set(labels), key=_order))
    if strange := [i for i, label in enumerate(labels) if label not in classes]:
        expected = f"a class of this run, one of {quoted(classes)}"
        raise TinygradError(f"{sheet.place(strange[0], target)}: got {shown(cells[strange[0]])}, expected {expected}")
    numbered = {label: i for i, label in enumerate(classes)}
    targets = np.array([numbered[label] for label in labels])
    return Examples(sheet.title, inputs, targets, features, target, classes, why)


def decided(sheet: Sheet, target: str, task: str) -> tuple[bool, str]:
    """Whether a column has classes, not real numbers; and the reason, in words.

    Text means classes, and so do at most 20 different whole numbers; other numbers are real numbers.

    Raises TinygradError for a column of numbers with some text, which may be a mistake.
    """
    cells = sheet.cells(target)
    numbers = [number_in(cell) for cell in cells]
    if task != "auto":
        return task == "classes", ""
    texts = [i for i, number in enumerate(numbers) if number is None]
    if len(texts) == len(cells):
        return True, "text"
    if texts:
        got = f"{sheet.place(texts[0], target)}: got {shown(cells[texts[0]])} in a column with numbers"
        raise TinygradError(f"{got}, expected a number; if they are classes, pass --task classes")
    different = len(set(numbers))
    if all(number is not None and number.is_integer() for number in numbers) and different <= FEW:
        return True, f"{different} different whole numbers; or pass --task numbers"
    return False, f"{different} different ones"


def _label(cell: str) -> str:
    """The name of a class, in which 1.0 becomes 1."""
    number = number_in(cell)
    return cell if number is None or not number.is_integer() else str(int(number))


def _order(label: str) -> tuple[bool, float, str]:
    """A sort key: numbers in their order, then texts."""
    number = number_in(label)
    return (True, 0.0, label) if number is None or not isfinite(number) else (False, number, label)


def columns(path: str, features: Sequence[str]) -> tuple[NDArray[np.float64], list[str]]:
    """The named columns of a CSV file, in this order, and the names of the others.

    Raises TinygradError if one is missing, and as `Sheet.numbers`.
    """
    sheet = read_sheet(path)
    if missing := [name for name in features if name not in sheet.header]:
        got = f"{sheet.title}: got no column {quoted(missing)}"
        raise TinygradError(f"{got}, expected the columns that the run learned from: {quoted(features)}")
    return sheet.numbers(features), [name for name in sheet.header if name not in features]
