"""Batches; splits with and without classes, against scikit-learn's; files of the IDX format."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

import nn
from tinygrad_edu import DTypeError, ShapeError, TinygradError

# -- Batches -------------------------------------------------------------------------------------------------------------


def test_batches_cover_everything_once():
    x, y = np.arange(10), np.arange(10) * 2
    seen = list(nn.batches(x, y, batch_size=4, rng=np.random.default_rng(0)))
    assert [len(a) for a, _ in seen] == [4, 4, 2]
    assert sorted(np.concatenate([a for a, _ in seen])) == list(range(10))
    assert all(np.array_equal(b, 2 * a) for a, b in seen)
    assert np.array_equal(next(nn.batches(x, batch_size=3))[0], [0, 1, 2])
    with pytest.raises(ShapeError, match=r"batches: got lengths \[10, 3\]"):
        nn.batches(x, np.ones(3), batch_size=2)
    with pytest.raises(ShapeError, match=r"batches: got lengths \[\]"):
        nn.batches(batch_size=2)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True, None, "2"])
def test_batch_sizes_are_integers_from_1_on(batch_size):
    with pytest.raises(ShapeError, match="batches: got batch_size=.*, expected an integer from 1 on"):
        nn.batches(np.arange(4), batch_size=batch_size)


def test_the_last_batch_is_dropped_if_it_is_smaller():
    for n in range(4, 13):
        kept = list(nn.batches(np.arange(n), batch_size=4, rng=0))
        full = list(nn.batches(np.arange(n), batch_size=4, rng=0, drop_last=True))
        assert [len(a) for (a,) in full] == [4] * (n // 4)
        assert all(np.array_equal(a, b) for (a,), (b,) in zip(kept, full, strict=False))
    with pytest.raises(
        ShapeError, match="got 3 examples, fewer than batch_size=4; with drop_last=True nothing is left"
    ):
        nn.batches(np.arange(3), batch_size=4, drop_last=True)
    with pytest.raises(TinygradError, match="batches: got drop_last='no', expected True or False"):
        nn.batches(np.arange(3), batch_size=4, drop_last="no")


# -- Splits --------------------------------------------------------------------------------------------------------------


def counts(labels, parts):
    return [np.bincount(labels[part], minlength=labels.max() + 1).tolist() for part in parts]


def is_partition(parts, n):
    return np.array_equal(np.sort(np.concatenate(parts)), np.arange(n)) and all(np.all(np.diff(p) > 0) for p in parts)


def test_a_stratified_split_gives_every_class_its_share():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    parts = nn.stratified_split(labels, (0.6, 0.2), np.random.default_rng(0))
    assert is_partition(parts, 160)
    assert counts(labels, parts) == [[60, 30, 6], [20, 10, 2], [20, 10, 2]]


@pytest.mark.parametrize(
    ("labels", "fractions", "expected"),
    [
        (np.repeat(np.arange(100), 20), (0.1,), [200, 1800]),
        (np.repeat(np.arange(100), 5), (0.2,), [100, 400]),
        (np.repeat(np.arange(100), 5), (0.7,), [350, 150]),
        (np.repeat([0, 1], [18, 2]), (0.8,), [16, 4]),
        (np.repeat(np.arange(3), 3), (0.4, 0.3), [3, 3, 3]),
        (np.repeat(np.arange(5), 3), (1 / 3, 1 / 3), [5, 5, 5]),
        (np.repeat([0, 1], [996, 4]), (0.25, 0.25, 0.25), [250] * 4),
    ],
)
def test_a_stratified_split_has_the_sizes_asked_for_and_every_class_in_every_part(labels, fractions, expected):
    for seed in range(5):
        parts = nn.stratified_split(labels, fractions, seed)
        assert [len(part) for part in parts] == expected
        assert is_partition(parts, len(labels))
        assert np.min(counts(labels, parts)) >= 1


@pytest.mark.parametrize(
    ("labels", "fractions", "message"),
    [
        (
            np.repeat(np.arange(100), 4),
            (0.1,),
            "which makes a part of 40, expected at least one for each of 100 classes",
        ),
        (
            np.repeat(np.arange(100), 5),
            (0.9,),
            "which makes a part of 50, expected at least one for each of 100 classes",
        ),
        (
            np.repeat(np.arange(5), 3),
            (0.6, 0.2),
            "which makes a part of 3, expected at least one for each of 5 classes",
        ),
        ([0, 0, 0, 1], (0.5,), "class 1 has 1 examples, expected at least one for each of 2 parts"),
        (["cat", "cat", "dog"], (0.5,), "class 'dog' has 1 examples"),
        (np.ones((4, 2)), (0.5,), r"labels of shape \(4, 2\), expected \(examples,\)"),
        ([], (0.5,), r"labels of shape \(0,\)"),
        (3, (0.5,), r"labels of shape \(\)"),
    ],
)
def test_a_stratified_split_that_cannot_be_is_refused(labels, fractions, message):
    with pytest.raises(ShapeError, match=f"^stratified_split: .*{message}"):
        nn.stratified_split(labels, fractions, 0)


def test_labels_that_are_nan_are_refused():
    for call in (lambda y: nn.stratified_split(y, (0.5,), 0), lambda y: nn.stratified_k_fold(y, 2, 0)):
        with pytest.raises(DTypeError, match="got labels with 1 NaN, expected classes"):
            call([0.0, 0.0, 1.0, 1.0, np.nan])
        with pytest.raises(DTypeError, match="got labels with 1 NaN, expected classes"):
            call(np.array(["2026-01-01", "2026-01-02", "NaT"] * 1, "M8[D]"))


def random_problem(rng):
    """Labels with classes of very different sizes, in any order, and fractions."""
    parts = int(rng.integers(2, 5))
    sizes = rng.geometric(rng.choice([0.02, 0.2]), int(rng.integers(1, 12))) + parts - 1
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    fractions = rng.dirichlet(np.full(parts, 2.0))[:-1]
    return labels, sizes, tuple(fractions.tolist())


def test_stratified_splits_of_random_problems():
    """Sizes within 1 of the fractions; each class within 2 of its share, where that leaves one in each part."""
    rng, refused = np.random.default_rng(0), 0
    for _ in range(500):
        labels, sizes, fractions = random_problem(rng)
        shares = np.array([*fractions, 1 - sum(fractions)])
        try:
            parts = nn.stratified_split(labels, fractions, int(rng.integers(99)))
        except ShapeError:
            refused += 1
            assert min(shares) * len(labels) < len(sizes) + 1
            continue
        assert is_partition(parts, len(labels))
        assert np.all(np.abs([len(part) for part in parts] - shares * len(labels)) < 1)
        found = np.array(counts(labels, parts))
        assert found.min() >= 1
        ideal = shares[:, None] * sizes
        if ideal.min() >= 1:
            assert np.all(np.abs(found - ideal) < 2)
    assert 20 < refused < 250


def test_two_parts_are_within_those_of_scikit_learn():
    selection = pytest.importorskip("sklearn.model_selection")
    rng, compared = np.random.default_rng(1), 0
    for _ in range(300):
        labels, sizes, fractions = random_problem(rng)
        share = fractions[0]
        try:
            theirs = selection.train_test_split(
                np.arange(len(labels)), train_size=share, stratify=labels, random_state=0
            )
        except ValueError:  # a class of one, or a part smaller than the number of classes
            continue
        try:
            ours = nn.stratified_split(labels, (share,), 0)
        except ShapeError:  # theirs may leave a class out of a part, and rounds the other way
            assert min(len(part) for part in theirs) <= len(sizes)
            continue
        compared += 1
        assert [len(part) for part in ours] == pytest.approx([len(part) for part in theirs], abs=1)
        assert np.array(counts(labels, ours)) == pytest.approx(np.array(counts(labels, theirs)), abs=len(sizes) + 1)
        plain = nn.split(len(labels), (share,), 0)
        theirs = selection.train_test_split(np.arange(len(labels)), train_size=share, random_state=0)
        assert [len(part) for part in plain] == pytest.approx([len(part) for part in theirs], abs=1)
    assert compared > 150


def test_splits_without_classes():
    for n, fractions, expected in (
        (10, (0.8,), [8, 2]),
        (10, (0.6, 0.2), [6, 2, 2]),
        (400, (0.1,), [40, 360]),
        (7, (0.5,), [4, 3]),
        (100, (0.29, 0.29, 0.29), [29, 29, 29, 13]),
        (3, (0.4, 0.3), [1, 1, 1]),
    ):
        parts = nn.split(n, fractions, 0)
        assert [len(part) for part in parts] == expected
        assert is_partition(parts, n)
    x = np.ones((10, 3))
    assert all(np.array_equal(a, b) for a, b in zip(nn.split(x, (0.8,), 3), nn.split(10, (0.8,), 3), strict=True))
    assert [part.tolist() for part in nn.split(5, (0.6,), None)] == [[0, 1, 2], [3, 4]]
    with pytest.raises(
        ShapeError, match=r"split: got fractions=\(0.01,\) of 10 examples, which leaves a part without any"
    ):
        nn.split(10, (0.01,), 0)
    for wrong in (0, -3, 2.5, np.ones((0, 2)), 3.0, True):
        with pytest.raises((ShapeError, DTypeError), match="split: got examples"):
            nn.split(wrong, (0.5,), 0)


FRACTIONS = [(), (0.0, 0.5), (0.5, -0.2), (1.5, -0.8), (0.5, 0.5), (0.7, 0.2, 0.1), (1.0,), (-0.5,), (1,), (80, 20)]
FRACTIONS += [(np.nan,), (np.inf,), (0.5, np.nan), (True,), ("a",), (None,), 0.8, None, "ab", ([0.5],)]


@pytest.mark.parametrize("fractions", FRACTIONS, ids=repr)
@pytest.mark.parametrize("call", [nn.split, nn.stratified_split])
def test_fractions_that_are_no_shares_are_refused(call, fractions):
    with pytest.raises(
        ShapeError, match=f"^{call.__name__}: got fractions=.*, expected a tuple of floats above 0 with a sum"
    ):
        call(np.repeat([0, 1], 20), fractions, 0)


@pytest.mark.parametrize("rng", ["a", -1, 2.5])
def test_other_seeds_are_refused(rng):
    labels = np.repeat([0, 1], 20)
    for call in (nn.split, nn.stratified_split, nn.k_fold, nn.stratified_k_fold):
        with pytest.raises(TinygradError, match=f"^{call.__name__}: got rng="):
            call(labels, 2 if "fold" in call.__name__ else (0.5,), rng)


def test_equal_seeds_give_equal_splits():
    labels = np.arange(60) % 3
    for call, size in ((nn.split, (0.5,)), (nn.stratified_split, (0.5,)), (nn.k_fold, 3), (nn.stratified_k_fold, 3)):
        one, two, other = (call(labels, size, seed) for seed in (0, np.random.default_rng(0), 1))
        assert str(one) == str(two) != str(other)


# -- Cross-validation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "k"), [(10, 2), (10, 3), (10, 10), (101, 7)])
@pytest.mark.parametrize("rng", [None, 0])
def test_each_example_is_tested_once(n, k, rng):
    selection = pytest.importorskip("sklearn.model_selection")
    pairs = nn.k_fold(n, k, rng)
    theirs = list(selection.KFold(k).split(np.ones(n)))
    assert [len(test) for _, test in pairs] == [len(test) for _, test in theirs]
    assert is_partition([test for _, test in pairs], n)
    assert all(
        is_partition([train, test], n) or np.array_equal(np.sort(np.r_[train, test]), np.arange(n))
        for train, test in pairs
    )
    if rng is None:
        assert all(
            np.array_equal(a, b)
            for ours, other in zip(pairs, theirs, strict=True)
            for a, b in zip(ours, other, strict=True)
        )


def test_stratified_folds_have_the_sizes_and_the_classes_of_scikit_learn():
    selection = pytest.importorskip("sklearn.model_selection")
    rng = np.random.default_rng(2)
    for _ in range(100):
        k = int(rng.integers(2, 6))
        sizes = rng.geometric(0.1, int(rng.integers(1, 8))) + k - 1
        labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        ours = [test for _, test in nn.stratified_k_fold(labels, k, int(rng.integers(99)))]
        theirs = [test for _, test in selection.StratifiedKFold(k).split(labels, labels)]
        assert is_partition(ours, len(labels))
        assert sorted(map(len, ours)) == sorted(map(len, theirs))
        found = np.array(counts(labels, ours))
        assert found.min() >= 1
        assert np.all(found.max(0) - found.min(0) <= 1)
        assert np.array_equal(np.sort(found, 0), np.sort(counts(labels, theirs), 0))


@pytest.mark.parametrize("k", [1, 0, -2, 2.5, True, "2", None])
def test_other_numbers_of_folds_are_refused(k):
    for call in (nn.k_fold, nn.stratified_k_fold):
        with pytest.raises(ShapeError, match=f"^{call.__name__}: got k=.*, expected an integer from 2 on"):
            call(np.arange(10) % 2, k, 0)


def test_folds_without_examples_or_classes_are_refused():
    with pytest.raises(ShapeError, match="k_fold: got k=4 and 3 examples"):
        nn.k_fold(3, 4, 0)
    with pytest.raises(
        ShapeError, match="stratified_k_fold: class 1 has 2 examples, expected at least one for each of 3 parts"
    ):
        nn.stratified_k_fold([0, 0, 0, 1, 1], 3, 0)


# -- IDX files -----------------------------------------------------------------------------------------------------------


def idx_bytes(array, kind=0x08):
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = (np.arange(3 * 2 * 2) * 20).astype(np.uint8).reshape(3, 2, 2)
LABELS = np.array([7, 0, 9], np.uint8)


def folder(path, stem="t10k", images=None, labels=None, end=""):
    path.mkdir(exist_ok=True)
    pack = gzip.compress if end else bytes
    (path / f"{stem}-images-idx3-ubyte{end}").write_bytes(pack(idx_bytes(IMAGES) if images is None else images))
    (path / f"{stem}-labels-idx1-ubyte{end}").write_bytes(pack(idx_bytes(LABELS) if labels is None else labels))
    return path


@pytest.mark.parametrize("end", ["", ".gz"])
def test_the_files_that_are_there_are_read(tmp_path, end):
    folder(tmp_path, end=end)
    data = nn.data.mnist(tmp_path)
    assert list(data) == ["test"]
    images, labels = data["test"]
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    assert np.array_equal(images, IMAGES.astype(np.float32) / 255)
    assert np.array_equal(labels, LABELS)
    folder(tmp_path, "train", idx_bytes(IMAGES[:1]), idx_bytes(LABELS[:1]))
    data = nn.data.mnist(str(tmp_path))
    assert {name: images.shape for name, (images, _) in data.items()} == {"train": (1, 2, 2), "test": (3, 2, 2)}


def test_both_spellings_and_unpacked_gz_files_are_read(tmp_path):
    (tmp_path / "train-images.idx3-ubyte").write_bytes(gzip.compress(idx_bytes(IMAGES)))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(idx_bytes(LABELS))  # as browsers save them
    assert nn.data.mnist(tmp_path)["train"][0].shape == (3, 2, 2)


@pytest.mark.parametrize(
    ("kind", "dtype"), [(0x08, "u1"), (0x09, "i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]
)
def test_every_type_of_the_format_is_read(tmp_path, kind, dtype):
    array = np.array([[1, -2 if dtype != "u1" else 2, 3]]).astype(dtype)
    (tmp_path / "a").write_bytes(idx_bytes(array, kind))
    read = nn.data.idx(tmp_path / "a")
    assert np.array_equal(read, array)
    assert read.dtype.isnative
    assert read.flags.writeable


def bomb(size):
    return gzip.compress(idx_bytes(IMAGES) + bytes(size))


HUGE = bytes([0, 0, 8, 3]) + b"\xff" * 12
WRONG = {
    "cut off": ({"images": idx_bytes(IMAGES)[:-1]}, r"images.*has fewer bytes \(11\) than it says, 12"),
    "cut off in the first bytes": ({"images": idx_bytes(IMAGES)[:10]}, "images.*is cut off"),
    "too long": ({"labels": idx_bytes(LABELS) + b"a"}, "labels.*has more bytes than it says, 3"),
    "empty": ({"labels": b""}, "labels.*begins with b'', expected an IDX file"),
    "a page of an error": ({"images": b"<!DOCTYPE html>"}, r"images.*begins with b'<!DO', expected an IDX file"),
    "control characters": ({"images": b"\x1b[31mhello"}, r"begins with b'\\x1b\[31'"),
    "an unknown type": ({"images": b"\0\0\x07\x03" + bytes(20)}, r"begins with b'\\x00\\x00\\x07\\x03'"),
    "no axes": ({"images": b"\0\0\x08\0" + bytes(20)}, "begins with"),
    "swapped": (
        {"images": idx_bytes(LABELS), "labels": idx_bytes(IMAGES)},
        r"shape \(3,\) in '.*images.*', expected images, bytes of 3 axes; images and labels seem to be swapped",
    ),
    "labels twice": ({"images": idx_bytes(LABELS)}, "expected images, bytes of 3 axes; images and labels seem to be"),
    "images twice": ({"labels": idx_bytes(IMAGES)}, r"in '.*labels.*', expected labels, bytes of 1 axes; images and"),
    "floats": (
        {"images": idx_bytes(IMAGES.astype(">f4"), 0x0D)},
        "an array of float32 .*expected images, bytes of 3 axes",
    ),
    "a label too few": (
        {"labels": idx_bytes(LABELS[:2])},
        "3 images in '.*' and 2 labels in '.*', expected equal numbers",
    ),
    "sizes beyond memory": ({"images": HUGE}, "is cut off: 16 bytes cannot hold what it says"),
    "255 axes": ({"images": bytes([0, 0, 8, 255]) + b"\xff" * 1020}, "is cut off"),
    "packed sizes beyond memory": ({"images": gzip.compress(HUGE)}, "is cut off: .. bytes cannot hold what it says"),
    "a bomb": ({"images": bomb(20_000_000)}, "has more bytes than it says, 12"),
    "gzip cut off": ({"images": gzip.compress(idx_bytes(IMAGES))[:-9]}, "images.*is cut off or damaged"),
    "gzip cut off in its head": ({"images": b"\x1f\x8b\x08"}, "images.*is cut off or damaged"),
    "gzip with a wrong sum": (
        {"images": gzip.compress(idx_bytes(IMAGES))[:-8] + bytes(8)},
        "images.*is cut off or damaged",
    ),
    "gzip of another method": ({"images": b"\x1f\x8b\x07" + bytes(30)}, "images.*is cut off or damaged"),
    "gzip with damaged blocks": (
        {"images": b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 30},
        "images.*is cut off or damaged",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_files_are_named(tmp_path, kind):
    files, message = WRONG[kind]
    with pytest.raises(TinygradError, match=f"^mnist: got .*{message}") as caught:
        nn.data.mnist(folder(tmp_path, **files))
    assert str(caught.value).isprintable()


def test_a_file_cut_off_or_changed_anywhere_is_an_error_or_read(tmp_path):
    whole, rng = gzip.compress(idx_bytes(IMAGES)), np.random.default_rng(0)
    for n in range(len(whole)):
        with pytest.raises(TinygradError, match=r"images.*(is cut off|begins with|has fewer bytes)"):
            nn.data.mnist(folder(tmp_path, images=whole[:n]))
    for n in range(len(whole)):
        changed = bytearray(whole)
        changed[n] ^= int(rng.integers(1, 256))
        try:
            images, _ = nn.data.mnist(folder(tmp_path, images=bytes(changed)))["test"]
        except TinygradError:
            continue
        assert np.array_equal(images * 255, IMAGES)  # a byte of the head that says nothing of the content


def test_memory_for_a_bomb_is_not_taken(tmp_path):
    path = folder(tmp_path, images=bomb(20_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(TinygradError, match="more bytes"):
            nn.data.mnist(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="mnist: got '.*gone', but there is no such folder"):
        nn.data.mnist(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match="which has no files of MNIST; expected train-images-idx3-ubyte"):
        nn.data.mnist(tmp_path)
    labels = folder(tmp_path) / "t10k-labels-idx1-ubyte"
    labels.unlink()
    with pytest.raises(
        FileNotFoundError, match=r"images-idx3-ubyte', but no t10k-labels-idx1-ubyte or .*\.gz beside it"
    ):
        nn.data.mnist(tmp_path)
    labels.mkdir()
    with pytest.raises(IsADirectoryError, match="labels-idx1-ubyte', which is a folder"):
        nn.data.mnist(tmp_path)
    with pytest.raises(FileNotFoundError, match="idx: got '.*a', but there is no such file"):
        nn.data.idx(tmp_path / "a")
    with pytest.raises(TinygradError, match="mnist: got NoneType as path"):
        nn.data.mnist(None)


@pytest.mark.parametrize("shape", [(1,) * 65, (0, 2**32 - 1, 2**32 - 1), (2**32 - 1, 2**32 - 1, 0)], ids=len)
def test_a_file_of_a_shape_that_no_array_has_is_refused(tmp_path, shape):
    (tmp_path / "file").write_bytes(
        bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + b"a" * (len(shape) == 65)
    )
    with pytest.raises(
        TinygradError, match=rf"idx: got '.*file', which says that it holds an array of {len(shape)} axes"
    ):
        nn.data.idx(tmp_path / "file")
