"""Files that are whole or not there; one writer at a time, and none that a dead one keeps out."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils.grading import files
from course_utils.grading.files import FolderInUseError, sole_writer, write_atomically

HOLDS = """
import sys, time
from pathlib import Path
from course_utils.grading.files import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def another_batch(tmp_path):
    """A process of its own that writes into tmp_path/out."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "gradebook.csv"
    write_atomically(path, "first ä\n")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as told:
        write_atomically(path, "second\n")
    assert told.value.filename == str(path)
    assert path.read_text(encoding="utf-8") == "first ä\n"
    assert names(path.parent) == ["gradebook.csv"]


def test_a_file_its_name_and_every_new_folder_are_brought_onto_the_disk(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def spy(handle):
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    monkeypatch.setattr(files.os, "fsync", spy)
    path = tmp_path / "results" / "ana" / "ex01.json"
    write_atomically(path, "x")
    part = synced.pop(2)
    assert synced == [tmp_path, tmp_path / "results", path.parent]
    assert part.parent == path.parent
    assert part.suffix == ".part"


def test_what_can_be_made_again_waits_for_the_end_of_the_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", lambda handle: pytest.fail("too early"))
    (tmp_path / "feedback").mkdir()
    write_atomically(tmp_path / "feedback" / "ex01.html", "x", durable=False)
    called = []
    monkeypatch.setattr(files.os, "sync", lambda: called.append("sync"))
    files.sync_all()
    assert called == ["sync"]


def test_a_file_is_as_readable_as_the_umask_has_it(tmp_path):
    before = os.umask(0o077)
    try:
        write_atomically(tmp_path / "gradebook.csv", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "gradebook.csv").stat().st_mode & 0o777 == 0o600


def test_a_second_writer_is_told_who_the_first_is(tmp_path, another_batch):
    out = tmp_path / "out"
    (out / ".1.part").write_text("the first is writing this")
    with (
        pytest.raises(FolderInUseError, match=rf"process {another_batch.pid} on .* since .*--out"),
        sole_writer(out),
    ):
        pytest.fail("both of them may write")
    assert names(out) == [".1.part", ".lock"]


def test_the_lock_of_a_killed_writer_keeps_nobody_out_and_its_parts_are_swept(
    tmp_path, another_batch
):
    out = tmp_path / "out"
    (out / "results" / "ana").mkdir(parents=True)
    (out / "results" / "ana" / ".ab12.part").write_text("ha")
    (out / ".cd34.part").write_text("ha")
    (out / "results" / "ana" / "notes.part").write_text("somebody's own")
    another_batch.send_signal(signal.SIGKILL)
    another_batch.wait()
    assert names(out) == [".cd34.part", ".lock", "results"]
    with sole_writer(out):
        assert str(os.getpid()) in (out / ".lock").read_text()
        assert names(out / "results" / "ana") == ["notes.part"]
    assert names(out) == ["results"]


def test_the_lock_file_of_the_last_holder_is_not_taken_for_the_new_one(tmp_path, monkeypatch):
    """It is taken away by its holder after we have opened it, before we have locked it."""
    (tmp_path / ".lock").write_text("")
    flock, locked = files.fcntl.flock, []

    def late(handle, how):
        if not locked:
            (tmp_path / ".lock").unlink()
        locked.append(handle)
        flock(handle, how)

    monkeypatch.setattr(files.fcntl, "flock", late)
    with sole_writer(tmp_path):
        assert len(locked) == 2
        with pytest.raises(FolderInUseError), sole_writer(tmp_path):
            pytest.fail("both of them may write")
