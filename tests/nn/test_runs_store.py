"""Checkpoints on a disk that is full, loses power, or returns other bytes than were written."""

import errno
import io
import json
import os
import subprocess
import sys
from itertools import product
from math import inf, nan
from random import Random

import numpy as np
import pytest

from nn.runs.damage import DamagedError
from nn.runs.encoding import decode, encode, pack, unpack
from nn.runs.lock import Lock
from nn.runs.store import SUMS, Store, sums
from tinygrad_edu import TinygradError

power = pytest.importorskip("benchmarks.kills.power", reason="benchmarks/ is not here")


def contents(epoch):
    return {"a.json": f"of epoch {epoch}".encode() * 3, "b.safetensors": bytes([epoch]) * 9}


def written(folder, epochs=4, keep=2, done=lambda epoch: None):
    store = Store(folder)
    for epoch in range(epochs):
        store.write(epoch, contents(epoch))
        done(epoch)
        store.prune(epoch, keep)
    return store


def test_the_last_checkpoints_are_kept_and_read_back(tmp_path):
    store = written(tmp_path)
    assert store.epochs() == [2, 3]
    assert [store.read(epoch) for epoch in (2, 3)] == [contents(2), contents(3)]
    assert sorted(os.listdir(tmp_path)) == ["epoch-000002", "epoch-000003"]


def test_checksums_are_those_of_sha256sum():
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sums({"b": b"", "a": b""}) == f"{empty}  a\n{empty}  b\n# 2 files\n".encode()


def test_a_checkpoint_of_an_epoch_replaces_a_damaged_one(tmp_path):
    store = written(tmp_path)
    (store.path(3) / "a.json").write_bytes(b"")
    with pytest.raises(DamagedError, match="the checksum of 'a.json' differs"):
        store.read(3)
    store.write(3, contents(5))
    assert store.read(3) == contents(5)
    assert sorted(os.listdir(tmp_path)) == ["epoch-000002", "epoch-000003"]


def operations(folder):
    """All operations of writing four checkpoints, and how many had been done when each of them was there."""
    ends = {}
    with power.recording(folder) as done:
        written(folder, done=lambda epoch: ends.update({epoch: len(done)}))
    return done, ends


def test_an_error_in_any_operation_leaves_complete_checkpoints_and_nothing_else(tmp_path):
    recorded, ends = operations(tmp_path / "all") if (tmp_path / "all").mkdir() is None else None
    assert len(recorded) > 50
    for i in range(len(recorded)):
        folder = tmp_path / str(i)
        folder.mkdir()

        def fail(place, operation, i=i):
            if place == i:
                raise OSError(errno.ENOSPC, "No space left on device")

        finished = []
        with power.recording(folder, fail), pytest.raises(OSError, match="No space left"):
            written(folder, done=finished.append)
        store = Store(folder)
        assert store.epochs()[-1:] >= finished[-1:], recorded[i]
        assert all(store.read(epoch) == contents(epoch) for epoch in store.epochs()), recorded[i]
        if recorded[i][0] not in ("unlink", "rmdir"):
            assert all(name.startswith("epoch-") for name in os.listdir(folder)), recorded[i]
        with power.recording(folder):  # which does not wait for the disk
            written(folder)
        assert store.epochs() == [2, 3]
        assert sorted(os.listdir(folder)) == ["epoch-000002", "epoch-000003"]


def test_after_a_power_failure_the_last_checkpoint_is_complete(tmp_path):
    (tmp_path / "all").mkdir()
    recorded, ends = operations(tmp_path / "all")
    losses = [("nothing", 0), ("everything", 0), ("data", 0), *product(["some"], range(4))]
    for i, (loss, seed) in product(range(len(recorded) + 1), losses):
        folder = tmp_path / f"{i}-{loss}-{seed}"
        power.after(recorded[:i], tmp_path / "all", folder, loss, Random(seed))
        store, complete = Store(folder), max([epoch for epoch, end in ends.items() if end <= i], default=-1)
        assert store.epochs()[-1:] >= [complete][complete < 0 :], (i, loss, seed)
        assert [store.read(epoch) for epoch in store.epochs()[-1:]] == [contents(e) for e in store.epochs()[-1:]]
        store.tidy()
        assert all(name.startswith("epoch-") for name in os.listdir(folder))


def test_every_changed_byte_and_every_truncation_is_seen(tmp_path):
    store = written(tmp_path, 1)
    for path in sorted(store.path(0).iterdir()):
        good = path.read_bytes()
        for i in range(len(good)):
            for bad in (good[:i], good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :], good[:i] + b"x" + good[i:]):
                path.write_bytes(bad)
                with pytest.raises(DamagedError):
                    store.read(0)
        path.unlink()
        with pytest.raises(DamagedError):
            store.read(0)
        path.write_bytes(good)
    assert store.read(0) == contents(0)


HOSTILE = {
    "a link": (lambda path: path.symlink_to("/etc/passwd"), "'a.json' cannot be read"),
    "a pipe": (os.mkfifo, "'a.json' is not a regular file"),
    "a folder": (os.mkdir, "'a.json' is not a regular file"),
    "too large": (
        lambda path: (path.touch(), os.truncate(path, 2**35)),
        "has 34359738368 bytes, expected at most 67108864",
    ),
    "missing": (lambda path: None, "'a.json' cannot be read"),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", ["a.json", SUMS])
def test_what_is_not_a_file_of_a_checkpoint_is_refused_and_not_waited_for(name, kind, tmp_path):
    store = written(tmp_path, 1)
    make, message = HOSTILE[kind]
    (store.path(0) / name).unlink()
    make(store.path(0) / name)
    with pytest.raises(DamagedError, match=message.replace("a.json", name)):
        store.read(0)


def test_a_file_that_the_disk_does_not_return_is_damaged(tmp_path, monkeypatch):
    class Broken(io.BytesIO):
        def read(self):
            raise OSError(errno.EIO, "Input/output error")

    store = written(tmp_path, 1)
    monkeypatch.setattr(os, "fdopen", lambda *_, **__: Broken())
    with pytest.raises(DamagedError, match=r"'SHA256SUMS' cannot be read \(Input/output error\)"):
        store.read(0)


@pytest.mark.parametrize(
    "name", [b"\x1b[2J", "\u202e".encode(), b"\xff\x9b31m", b"../x", b"/etc/passwd", b"x" * 1000, b"", b"x\ry"]
)
def test_names_lead_nowhere_and_put_no_escapes_into_a_terminal(name, tmp_path):
    store = written(tmp_path, 1)
    (store.path(0) / SUMS).write_bytes(b"0" * 64 + b"  " + name + b"\n# 1 files\n")
    with pytest.raises(DamagedError, match="SHA256SUMS is not what was written"):
        store.read(0)


def test_other_files_do_no_harm(tmp_path):
    store = written(tmp_path, 1)
    (store.path(0) / ".DS_Store").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".epoch-000000.part").symlink_to(tmp_path)
    assert store.read(0) == contents(0)
    written(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["epoch-000002", "epoch-000003", "notes.txt"]


# -- Encoding ----------------------------------------------------------------------------------------------------------

TREE = {
    "numbers": [0, -1, 2**200, 0.1, -0.0, 5e-324, nan, inf, -inf, True, None],
    "scalars": [np.float32(0.1), np.float64(0.1), np.float16(nan), np.int64(-5), np.uint64(2**63), np.bool_(True)],
    "tuple": (1, ("a", [2.0])),
    "by number": {0: {"m": np.arange(3.0)}, 1: {}},
    "dollar": {"$float": 1, "": 2},
    "arrays": [
        np.arange(6, dtype="f4").reshape(2, 3).T,
        np.array(0),
        np.zeros((0, 2)),
        np.array([True]),
        np.array([nan, -0.0]),
    ],
    "long": [0.1 * i for i in range(1000)] + [nan],
    "a.b": np.ones(1),
    "a": {"b": np.zeros(1)},
    "text": "\x1b[2J\u202e\ud800 ü",
    "generator": np.random.MT19937(0).state,
}


def same(a, b):
    if isinstance(a, dict):
        return type(b) is dict and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (np.ndarray, np.generic)):
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return type(a) is type(b) and repr(a) == repr(b)


def test_trees_come_back_bit_by_bit():
    text, arrays = encode(TREE)
    read = decode(text, unpack("x", pack(arrays)))
    assert same(TREE, read)
    assert same((text.decode(), arrays), (encode(read)[0].decode(), encode(read)[1]))
    assert text.isascii()
    assert b"\x1b" not in text


@pytest.mark.parametrize(
    "x", [object(), {1, 2}, np.array([None]), 1j, np.longdouble(1), b"bytes", len, np.array(1, ">f8")]
)
def test_what_is_not_plain_is_refused_with_its_place(x):
    with pytest.raises(TinygradError, match=r"plain data in which a\.1\.b is "):
        encode({"a": [0, {"b": x}]})


BAD = {
    "not JSON": b"{",
    "not UTF-8": b'{"a": "\xff"}',
    "a list": b"[1]",
    "a key twice": b'{"a": 1, "a": 2}',
    "NaN": b'{"a": NaN}',
    "deep": b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an unknown tag": b'{"a": {"$eval": "1"}}',
    "a tag among keys": b'{"a": {"$float": "nan", "b": 1}}',
    "no such array": b'{"a": {"$array": "x"}}',
    "a list as a name": b'{"a": {"$array": []}}',
    "an unknown float": b'{"a": {"$float": "1e5"}}',
    "an unknown type": b'{"a": {"$scalar": ["object", 1]}}',
    "a number too large": b'{"a": {"$scalar": ["int8", 1000]}}',
    "a list as a key": b'{"a": {"$pairs": [[[1], 2]]}}',
    "no pairs": b'{"a": {"$pairs": [1]}}',
    "no numbers": b'{"a": {"$floats": "names"}}',
    "a huge number": b'{"a": ' + b"1" * 10_000 + b"}",
}


@pytest.mark.parametrize("kind", BAD)
def test_json_that_was_not_written_so_is_damaged(kind):
    with pytest.raises(DamagedError) as caught:
        decode(BAD[kind])
    assert len(str(caught.value)) < 150


def test_safetensors_that_were_not_written_so_are_damaged():
    good, random, refused = pack({"w": np.ones((2, 3)), "v": np.ones(3, "f4")}), Random(0), []
    for i in range(len(good)):
        for bad in (good[:i], good[:i] + random.randbytes(1) + good[i + 1 :]):
            try:
                unpack("x", bad)
            except DamagedError as error:
                refused.append(str(error))
    assert len(refused) > len(good)
    assert all(text.isprintable() and len(text) < 450 for text in refused)
    for header in (b'{"\x1b[2J": {"dtype": "F64", "shape": [9], "data_offsets": [0, 8]}}', b"[]", b"{" * 1000, b""):
        with pytest.raises(DamagedError) as caught:
            unpack("x", len(header).to_bytes(8, "little") + header)
        assert str(caught.value).isprintable()
    assert unpack("x", b"\x02" + b"\0" * 7 + b"{}") == {}


# -- The lock ----------------------------------------------------------------------------------------------------------


def test_a_second_lock_is_refused_and_names_the_holder(tmp_path):
    with (
        Lock(tmp_path),
        pytest.raises(TinygradError, match=rf"in which process {os.getpid()} on '.*' is training"),
        Lock(tmp_path),
    ):
        pass
    assert os.listdir(tmp_path) == []
    (tmp_path / "lock").write_bytes(b'{"process": "\x1b[2J"')  # of a process that was killed
    with Lock(tmp_path), pytest.raises(TinygradError, match="process"), Lock(tmp_path):
        pass
    with Lock(tmp_path):
        (tmp_path / "lock").write_bytes(b'{"process": 1, "host": "\\u001b[2J"}')
        with pytest.raises(TinygradError, match=r"process 1 on '\\x1b\[2J'"), Lock(tmp_path):
            pass


def test_a_lock_that_a_child_holds_on_says_so(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with Lock(tmp_path):
        (tmp_path / "lock").write_text(
            json.dumps({"process": child.pid, "host": os.uname().nodename}), encoding="utf-8"
        )
        with (
            pytest.raises(
                TinygradError, match=f"in which a child of process {child.pid} on '.*', which has ended itself, is"
            ),
            Lock(tmp_path),
        ):
            pass
        for odd in (-1, 2**70, "x", None, 1.5):
            (tmp_path / "lock").write_text(json.dumps({"process": odd, "host": os.uname().nodename}), encoding="utf-8")
            with pytest.raises(TinygradError, match=r"in which .*process.* is training"), Lock(tmp_path):
                pass


def test_a_lock_that_cannot_be_written_is_not_held(tmp_path, monkeypatch):
    def full(handle, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"), Lock(tmp_path):
            pass
    with Lock(tmp_path):
        pass


def test_a_lock_that_its_holder_removes_meanwhile_is_no_lock(tmp_path, monkeypatch):
    import fcntl

    first, real = Lock(tmp_path), fcntl.flock
    first.__enter__()

    def slow(handle, how):  # the holder ends between open and flock
        if first.handle >= 0:
            first.__exit__(None, None, None)
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    with Lock(tmp_path) as second:
        assert second._held()
        with pytest.raises(TinygradError, match="is training"), Lock(tmp_path):
            pass
