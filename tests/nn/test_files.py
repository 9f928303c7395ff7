"""Files are whole at any moment: faults at every system call, kills, links, permissions, and what is no file."""

import errno
import os
import signal
import socket
import stat
import subprocess
import sys

import pytest

import nn
from nn import files
from tinygrad_edu import TinygradError

OLD, NEW = b"old" * 1000, b"new" * 1000
CALLS = ("open", "write", "fsync", "replace", "chmod")  # in which a disk or a signal may strike


def counted(monkeypatch, act):
    """Have act(number of the call, its name, the call) run instead of each system call; returns the names called so far."""
    log = []

    def instead(name, real):
        def call(*args, **kwargs):
            log.append(name)
            return act(len(log), name, lambda: real(*args, **kwargs))

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, instead(name, getattr(os, name)))
    return log


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("done", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "disk full"), KeyboardInterrupt()], ids=["full", "interrupt"])
def test_a_fault_at_any_call_leaves_a_whole_file_and_no_part(tmp_path, monkeypatch, fault, done, existing):
    path = tmp_path / "a"
    for k in range(1, 99):
        if existing:
            path.write_bytes(OLD)
        else:
            path.unlink(missing_ok=True)

        def act(number, name, call, k=k):
            if number != k:
                return call()
            if done:
                call()
            raise fault

        with monkeypatch.context() as patch:
            log = counted(patch, act)
            try:
                files.write("save", path, NEW)
            except type(fault):
                pass
            else:
                break
        content = path.read_bytes() if path.exists() else None
        renamed = "replace" in (log if done else log[:-1])
        assert content == (NEW if renamed else OLD if existing else None)
        assert names(tmp_path) == (["a"] if content else [])
    assert k > len(CALLS)  # and without a fault
    assert path.read_bytes() == NEW


def test_content_is_on_the_disk_before_the_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    log = counted(monkeypatch, lambda number, name, call: call())
    files.write("save", tmp_path / "a", NEW)
    assert log == ["open", "write", "fsync", "replace", "open", "fsync"]


def test_writes_that_take_a_part_go_on(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, rest: write(file, rest[:7]))
    files.write("save", tmp_path / "a", NEW)
    assert (tmp_path / "a").read_bytes() == NEW


KILLED = """
import os, signal, sys
from pathlib import Path
from nn import files
name, path = sys.argv[1], Path(sys.argv[2])
setattr(os, name, lambda *args: os.kill(os.getpid(), signal.SIGKILL))
files.write("save", path, b"new" * 1000)
"""


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_the_part_of_a_killed_process_is_removed_by_the_next(tmp_path, call):
    path = tmp_path / "a"
    path.write_bytes(OLD)
    killed = subprocess.run([sys.executable, "-c", KILLED, call, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == OLD
    assert len(names(tmp_path)) == 2
    (tmp_path / ".not-ours.part").write_bytes(b"")
    files.write("save", tmp_path / "b", NEW)
    assert names(tmp_path) == [".not-ours.part", "a", "b"]


FULL = """
import resource, signal, sys
from nn import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    files.write("save", sys.argv[1], b"new" * 1000)
except OSError as error:
    print(error.strerror)
"""


def test_a_disk_that_is_really_full_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(OLD)
    result = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, check=True)
    assert result.stdout == b"File too large\n"
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["a"]


def test_the_part_of_a_living_process_stays(tmp_path, monkeypatch):
    replace = os.replace

    def meanwhile(part, file):
        monkeypatch.undo()
        other = "import sys; from pathlib import Path; from nn import files; files.clean(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", other, str(tmp_path)], check=True)
        replace(part, file)

    monkeypatch.setattr(os, "replace", meanwhile)
    files.write("save", tmp_path / "a", NEW)
    assert (tmp_path / "a").read_bytes() == NEW


def test_a_part_that_is_removed_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    lock = files._lock

    def late(file, wait):
        monkeypatch.undo()
        files.clean(tmp_path)
        return lock(file, wait)

    monkeypatch.setattr(files, "_lock", late)
    files.write("save", tmp_path / "a", NEW)
    assert (tmp_path / "a").read_bytes() == NEW
    assert names(tmp_path) == ["a"]


def test_links_stay_and_the_file_that_they_lead_to_is_replaced(tmp_path):
    (tmp_path / "runs").mkdir()
    run, latest, new = tmp_path / "runs" / "3.bin", tmp_path / "latest.bin", tmp_path / "new.bin"
    run.write_bytes(OLD)
    latest.symlink_to("runs/3.bin")
    new.symlink_to("runs/4.bin")  # which is not there yet
    for link in (latest, new):
        assert files.write("save", link, NEW) == link
        assert link.is_symlink()
        assert link.read_bytes() == NEW
    assert names(tmp_path / "runs") == ["3.bin", "4.bin"]
    assert run.read_bytes() == NEW
    circle = tmp_path / "circle"
    circle.symlink_to("circle")
    with pytest.raises(OSError, match="circle"):
        files.write("save", circle, NEW)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_permissions_stay(tmp_path, mode):
    path = tmp_path / "a"
    path.write_bytes(OLD)
    path.chmod(mode)
    files.write("save", path, NEW)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_new_files_have_the_permissions_that_the_umask_leaves(tmp_path, mask):
    before = os.umask(mask)
    try:
        files.write("save", tmp_path / "a", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask


def test_read_only_files_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(OLD)
    monkeypatch.setattr(os, "access", lambda path, how: how != os.W_OK)  # root may write to anything
    with pytest.raises(PermissionError, match=r"save: got '.*a', which may not be written; choose another name"):
        files.write("save", path, NEW)
    assert path.read_bytes() == OLD


def test_what_is_no_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")  # whose path must be short
    before = names(tmp_path)
    for path in ("/dev/null", tmp_path / "pipe", tmp_path / "link", tmp_path / "socket"):
        with pytest.raises(FileExistsError, match="save: got .* which is a device, pipe or socket"):
            nn.save(nn.Linear(1, 1), path)
    with pytest.raises(IsADirectoryError, match="save: got .* which is a folder; add the name of a file"):
        nn.save(nn.Linear(1, 1), tmp_path)
    assert names(tmp_path) == before


@pytest.mark.parametrize("path", [None, 3, b"a", "", "a\0b"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TinygradError, match=r"save: got .* as path, expected"):
        nn.save(nn.Linear(1, 1), path)
