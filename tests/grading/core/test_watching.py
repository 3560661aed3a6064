"""Watching a batch: the bar, the log, the summary, the dry run."""

import re
import sys
from dataclasses import replace

import pytest

from course_utils import cli
from course_utils.cli import grade as command
from course_utils.grading.batches.resume import Task
from course_utils.grading.batches.summary import Summary, planned_lines, printable
from course_utils.grading.files import sole_writer
from course_utils.grading.grade import refused
from course_utils.grading.hand_ins import HandIn
from course_utils.grading.running.run import RunOutcome

RIGHT = {"double": "def double(x):\n    return x + x"}
LOST = RunOutcome("timed_out", {}, 0.1, sandboxed=True)
FELL = RunOutcome("sandbox_failed", {}, 0.0, sandboxed=True, detail="no room")


@pytest.fixture
def runner(monkeypatch, run_in_process):
    """Run notebooks in this process, save those whose answer says otherwise."""

    def run(notebook):
        code = "".join(cell.source for cell in notebook.cells)
        marked = [outcome for mark, outcome in (("# lost", LOST), ("# fell", FELL)) if mark in code]
        return replace(marked[0] if marked else run_in_process(notebook), sandboxed=True)

    monkeypatch.setattr(command, "_runner", lambda *how: run)


@pytest.fixture
def batch(folder, hand_in, built_key, tmp_path, runner, capsys):
    """Grade a folder by the command; its exit status and what it said on stdout and stderr."""
    lost, fell = ({"double": f"{RIGHT['double']}  # {word}"} for word in ("lost", "fell"))
    path = folder(ana=hand_in(RIGHT), bob=hand_in(lost), cy=b"{", dan=hand_in(fell))
    (path / "ana" / "essay.ipynb").write_text("{}")

    def grade(*options):
        paths = [path, "--key", built_key, "--out", tmp_path / "out"]
        arguments = ["grade", *paths, "--jobs", 1, *options]  # one thread has one stdout
        status = cli.main([*map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return grade


def test_the_summary_says_what_was_done_and_why_not(batch, tmp_path):
    status, out, err = batch()
    assert (status, err) == (1, "")  # dan's is the grader's own fault
    lines = out.splitlines()
    assert lines[0] == "4 hand-ins: 1 graded, 1 sandbox_failed, 1 timed_out, 1 unreadable."
    assert "  in part: 1  bob/ex01_mini: timed_out (stopped by a limit" in out
    assert re.search(r"  failed: 1  dan/ex01_mini: no room \(.* run the same command again", out)
    assert "  refused: 1  cy/ex01_mini: It is not a notebook" in out
    assert "  not graded: 1  ana/essay.ipynb: " in out
    assert re.search(r"  slowest: \w+/ex01_mini \d+\.\d s, .*, .*", out)
    assert lines[-1].startswith(f"See {tmp_path / 'out' / 'gradebook.csv'}")


def test_a_batch_that_resumes_says_so_and_ends_well(batch, folder, hand_in):
    batch()
    folder(dan=hand_in(RIGHT))
    status, out, _ = batch()
    assert status == 0
    assert "2 graded, 1 timed_out, 1 unreadable (3 of them resumed)." in out
    assert "failed" not in out


def test_the_log_has_a_line_a_hand_in_with_the_reason(batch, folder, hand_in):
    batch()
    folder(ana=hand_in(RIGHT | {"square": "def square(x):\n    return x * x"}))
    _, _, err = batch("--verbose")
    told = {}
    for line in err.splitlines():
        what, name, rest = re.fullmatch(r"\d\d:\d\d:\d\d (\w+) ([\w/]+)(.*)", line).groups()
        told[name] = (what, re.sub(r", \d+\.\d s", "", rest))
    assert told.pop("cy/ex01_mini")[0] == "resumed"
    assert told == {
        "ana/ex01_mini": ("graded", " (the hand-in has changed): 14 of 20"),
        "bob/ex01_mini": ("resumed", ": 0 of 20, timed_out: The notebook did not end in time."),
        "dan/ex01_mini": ("graded", " (the grader had failed): 0 of 20, sandbox_failed: no room"),
    }


def test_the_bar_shows_rate_and_time_left_and_the_log_does_not_tear_it(batch, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _, _, err = batch("--verbose")
    assert re.search(r"4/4 \[\d\d:\d\d<\d\d:\d\d, .*hand-ins?", err)
    seen = [line.rpartition("\r")[2] for line in err.split("\n")]
    logged = [line for line in seen if re.match(r"\d\d:\d\d:\d\d ", line)]
    assert len(logged) == 4
    assert not any("%|" in line for line in logged)


def test_a_dry_run_says_what_would_be_done_and_does_nothing(batch, folder, hand_in, tmp_path):
    status, out, err = batch("--dry-run")
    assert (status, err) == (0, "")
    assert "  grade (new): 3  ana/ex01_mini; bob/ex01_mini; dan/ex01_mini\n" in out
    assert "  refuse (It is not a notebook: not JSON." in out
    assert "  not graded: 1  ana/essay.ipynb: " in out
    assert not (tmp_path / "out").exists()
    batch()
    before = written(tmp_path / "out")
    folder(bob=hand_in(RIGHT))
    _, out, _ = batch("--dry-run")
    assert "  grade (the hand-in has changed): 1  bob/ex01_mini\n" in out
    assert "  grade (the grader had failed): 1  dan/ex01_mini\n" in out
    assert "  resume: 2  ana/ex01_mini; cy/ex01_mini\n" in out
    assert written(tmp_path / "out") == before


def written(out):
    """When each file and folder below `out` was last written."""
    return {path: path.stat().st_mtime_ns for path in out.rglob("*")}


def test_a_second_batch_into_the_same_folder_is_told_and_does_nothing(batch, tmp_path):
    with sole_writer(tmp_path / "out"):
        status, out, err = batch()
    assert (status, out) == (1, "")
    assert err.startswith(f"{tmp_path / 'out'} is being written by another process: process ")
    assert err.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_a_dry_run_does_not_wait_for_a_batch(batch, tmp_path):
    with sole_writer(tmp_path / "out"):
        assert batch("--dry-run")[0] == 0


def many(key, count, **changes):
    for number in range(count):
        result = refused(b"", key, learner=f"learner{number}", reason="so it is")
        task = Task(HandIn(f"learner{number}", "ex01_mini", None), "grade", "new")
        yield task, replace(result, **changes)


def test_ten_thousand_hand_ins_are_told_in_a_few_lines(keys):
    summary = Summary()
    for number, (task, result) in enumerate(many(keys["ex01_mini"], 10_000)):
        summary.add(task, replace(result, seconds=float(number)))
    first, refusals, slowest = summary.lines()
    assert first == "10000 hand-ins: 0 graded, 10000 unreadable."
    assert refusals.startswith("  refused: 10000  learner0/ex01_mini: so it is; learner1/")
    assert refusals.count("so it is") == 3
    assert "; and 9997 more" in refusals
    assert slowest == (
        "  slowest: learner9999/ex01_mini 9999.0 s, learner9998/ex01_mini 9998.0 s, "
        "learner9997/ex01_mini 9997.0 s"
    )


@pytest.mark.parametrize(
    ("status", "kind", "fails"),
    [
        ("graded", None, False),
        ("kernel_died", "in part", False),
        ("grader_failed", "failed", True),
        ("unreadable", "refused", False),
    ],
)
def test_each_status_is_told_as_what_it_is(keys, status, kind, fails):
    summary = Summary()
    for task, result in many(keys["ex01_mini"], 1, status=status):
        summary.add(task, result)
    assert set(summary.kinds) == ({kind} if kind else set())
    assert summary.failed == fails


def test_no_name_or_reason_reaches_the_terminal_raw():
    assert printable("Łucja \x1b[31m\n\u202eö") == "Łucja \\x1b[31m\\n\\u202eö"
    task = Task(HandIn("a\x1b[2J", "ex01_mini", None), "refuse", "because\r\x07")
    (line,) = planned_lines([task])
    assert line == "  refuse (because\\r\\x07): 1  a\\x1b[2J/ex01_mini"
