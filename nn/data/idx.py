"""Files of the IDX format, which MNIST uses (LeCun, Cortes & Burges, http://yann.lecun.com/exdb/mnist/)."""

from __future__ import annotations

import gzip
import os
import zlib
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_edu import ShapeError, TinygradError

from ..checks import explaining
from ..files import checked_path, read

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
DEFLATE = 1032  # the largest ratio of unpacked to packed bytes
Pair = tuple[NDArray[np.float32], NDArray[np.int64]]


@explaining
def mnist(folder: str | os.PathLike[str]) -> dict[str, Pair]:
    """MNIST, or any data in files of its names and format, such as Fashion-MNIST, from a folder that holds them.

    data = nn.data.mnist("mnist")
    images, labels = data["test"]  # (10000, 28, 28) and (10000,)

    The files are train-images-idx3-ubyte and train-labels-idx1-ubyte for training, t10k-images-idx3-ubyte and
    t10k-labels-idx1-ubyte for testing, plain or with .gz. Nothing is downloaded.

    Returns:
        {"train": (images, labels), "test": (images, labels)}, or the one whose files are there. Images are float32 from 0 (paper)
        to 1 (ink), the bytes divided by 255, of shape (n, height, width); nn.Flatten() makes them (n, height · width). Labels are
        int64, (n,).

    Raises:
        FileNotFoundError: if there is no such folder, none of the files is there, or one of a pair is missing.
        TinygradError, ShapeError: if a file is cut off, damaged, of another format, or images and labels are swapped or of
            different numbers; names the file.
    """
    folder = checked_path("mnist", folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"mnist: got {str(folder)!r}, but there is no such folder")
    data = {}
    for name, stem in (("train", "train"), ("test", "t10k")):
        images, labels = _found(folder, f"{stem}-images", "idx3"), _found(folder, f"{stem}-labels", "idx1")
        if images and labels:
            data[name] = _pair(images, labels)
        elif there := images or labels:
            missing = f"{stem}-{'labels-idx1' if images else 'images-idx3'}-ubyte"
            raise FileNotFoundError(f"mnist: got {str(there)!r}, but no {missing} or {missing}.gz beside it")
    if not data:
        expected = "train-images-idx3-ubyte, t10k-images-idx3-ubyte and their labels, plain or with .gz"
        raise FileNotFoundError(f"mnist: got {str(folder)!r}, which has no files of MNIST; expected {expected}")
    return data


@explaining
def idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The array in a file of the IDX format, plain or gzipped, as it is: bytes of images from 0 to 255, uint8.

    Raises:
        FileNotFoundError: if there is no such file.
        TinygradError: if it is of another format, cut off or damaged. It unpacks no more than its header states and its
            size allows.
    """
    return _array("idx", checked_path("idx", path))


def _found(folder: Path, stem: str, kind: str) -> Path | None:
    """The file of a name in either spelling, plain or gzipped; None if there is none."""
    names = [f"{stem}{mark}{kind}-ubyte{end}" for mark in "-." for end in ("", ".gz")]
    return next((folder / name for name in names if (folder / name).exists()), None)


def _pair(images_file: Path, labels_file: Path) -> Pair:
    """Images, scaled to [0, 1], and their labels."""
    images, labels = _bytes(images_file, 3, "images"), _bytes(labels_file, 1, "labels")
    if len(images) != len(labels):
        got = f"{len(images)} images in {str(images_file)!r} and {len(labels)} labels in {str(labels_file)!r}"
        raise ShapeError(f"mnist: got {got}, expected equal numbers")
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int64)


def _bytes(file: Path, axes: int, what: str) -> NDArray[np.uint8]:
    """An array of bytes with the given number of axes."""
    array = _array("mnist", file)
    if array.dtype != np.uint8 or array.ndim != axes:
        swapped = "; images and labels seem to be swapped" if array.ndim == 4 - axes else ""
        got = f"an array of {array.dtype} and shape {array.shape} in {str(file)!r}"
        raise ShapeError(f"mnist: got {got}, expected {what}, bytes of {axes} axes{swapped}")
    return array


def _array(caller: str, path: Path) -> NDArray[Any]:
    """An array: two zeros, its type, the number of its axes, their lengths, its numbers, the highest byte first."""
    content, at = read(caller, path), f"{caller}: got {str(path)!r}, which"
    zipped = content[:2] == b"\x1f\x8b"
    file = gzip.GzipFile(fileobj=BytesIO(content)) if zipped else BytesIO(content)
    try:
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES or not start[3]:
            expected = f"two zeros, a type and the number of axes{'' if zipped else ', or with the sign of gzip'}"
            raise TinygradError(f"{at} begins with {start!r}, expected an IDX file, which begins with {expected}")
        lengths = file.read(4 * start[3])
        shape = tuple(int(n) for n in np.frombuffer(lengths[: len(lengths) // 4 * 4], ">u4"))
        dtype = np.dtype(TYPES[start[2]])
        said = prod(shape) * dtype.itemsize
        if len(shape) < start[3] or said > len(content) * (DEFLATE if zipped else 1):
            raise TinygradError(
                f"{at} is cut off: {len(content)} bytes cannot hold what it says, {shape} of {dtype.name}"
            )
        numbers = file.read(said + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TinygradError(f"{at} is cut off or damaged: {error}") from None
    if len(numbers) != said:
        got = f"fewer bytes ({len(numbers)})" if len(numbers) < said else "more bytes"
        raise TinygradError(f"{at} has {got} than it says, {said} for {shape} of {dtype.name}")
    try:
        return np.frombuffer(numbers, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    except ValueError:
        raise TinygradError(
            f"{at} says that it holds an array of {len(shape)} axes, {shape!s:.60}, which none can have"
        ) from None
