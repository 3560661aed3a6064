"""A real batch killed again and again: whole files, nothing graded twice, the same end."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

RIGHT = {"double": "def double(x):\n    return x + x"}
WRONG = {"double": "def double(x):\n    return x", "square": "def square(x):\n    return x**2"}
KILLS = 12
PATIENCE = 120  # seconds in which a batch must get on
# `course grade`, which runs the cells by itself: a dozen starts of a sandbox take a minute
IN_PROCESS = """
import sys, time
sys.path.insert(0, sys.argv.pop(1))
import conftest
from course_utils import cli
from course_utils.cli import grade
from course_utils.grading import version

version.deciding_files = lambda: []  # who edits the grader meanwhile has it grade all again

def run(notebook):
    time.sleep(0.02)
    return conftest.run_here(notebook)

grade._runner = lambda *how: run
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture
def command(folder, hand_in, built_key):
    """The command that grades 60 hand-ins of all kinds."""
    kinds = [hand_in(RIGHT), hand_in(WRONG), hand_in(), b"{", hand_in(WRONG)] * 12
    path = folder(**{f"learner{number:02}": data for number, data in enumerate(kinds)})
    start = [sys.executable, "-c", IN_PROCESS, str(Path(__file__).parent), "grade", str(path)]
    options = ["--unsafe-no-sandbox", "--jobs", "1", "--verbose"]
    return [*start, "--key", str(built_key), *options, "--out"]


def written(out):
    """Which file on the disk each result is, and when it was written."""
    paths = (out / "results").glob("*/*.json")
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def grade(command, out):
    """Let a batch end; what it printed."""
    done = subprocess.run([*command, str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def killed(command, out, *, after, moment):
    """Start a batch, kill it some results and a moment later; what is written by then."""
    with (out.parent / "log").open("a") as log:
        batch = subprocess.Popen([*command, str(out)], stdout=log, stderr=log)
    wanted, deadline = len(written(out)) + after, time.monotonic() + PATIENCE
    while batch.poll() is None and len(written(out)) < wanted:
        assert time.monotonic() < deadline, (out.parent / "log").read_text()
        time.sleep(0.002)
    time.sleep(moment)
    batch.kill()
    assert batch.wait() != 0, "it ended before it could be killed"
    now = written(out)
    assert all(json.loads(path.read_text()) for path in now)
    return now


def test_killed_a_dozen_times_a_batch_ends_as_if_it_never_were(command, without_seconds, tmp_path):
    out, chance = tmp_path / "out", random.Random(7)
    grade(command, tmp_path / "undisturbed")
    done = {}
    for _ in range(KILLS):
        now = killed(command, out, after=chance.randrange(4), moment=chance.uniform(0, 0.03))
        twice = [path.parent.name for path, file in done.items() if now[path] != file]
        assert not twice, (tmp_path / "log").read_text()
        done = now
    assert 6 < len(done) < 60
    assert f"({len(done)} of them resumed)" in grade(command, out)
    assert all(written(out)[path] == file for path, file in done.items())
    assert without_seconds(out) == without_seconds(tmp_path / "undisturbed")


def test_killed_with_its_sandboxes_a_batch_goes_on(folder, hand_in, built_key, tmp_path, sandbox):
    path, out = folder(**{name: hand_in(RIGHT) for name in ("ana", "bob", "cy")}), tmp_path / "out"
    command = [sys.executable, "-m", "course_utils.cli", "grade", str(path)]
    command += ["--key", str(built_key), "--out"]
    done = killed(command, out, after=1, moment=0)
    assert f"({len(done)} of them resumed)" in grade(command, out)
    assert len(written(out)) == 3
    assert all(written(out)[path] == file for path, file in done.items())
