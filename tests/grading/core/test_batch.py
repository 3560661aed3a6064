"""A folder of hand-ins: found, read with care, graded side by side, written whole."""

import csv
import json
import os
import shutil
import stat
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from course_utils.grading.batches import grades
from course_utils.grading.batches.batch import GraderFailingError, grade_all
from course_utils.grading.batches.resume import Terms, plan
from course_utils.grading.grade import refused
from course_utils.grading.hand_ins import HandIn, shown
from course_utils.grading.intake import find_hand_ins
from course_utils.grading.intake.names import folder_name
from course_utils.grading.key import read_keys
from course_utils.grading.pages import report
from course_utils.grading.results import read_results
from course_utils.grading.tables import gradebook
from course_utils.grading.tables.gradebook import defused, gradebook_csv

DOUBLE = {"double": "def double(x):\n    return x + x"}


def rows(out):
    with (out / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["..", ".", "", "../ana", "a/b", "a\\b", "a\0b"])
def test_no_name_leads_out_of_the_folder_of_the_grades(name):
    for names in ((name, "ex01_mini"), ("ana", name)):
        with pytest.raises(ValueError, match="no name of a folder"):
            HandIn(*names, Path("x.ipynb"))


@pytest.mark.parametrize("pool", [True, False], ids=["pool", "own"])
def test_bad_hand_ins_never_stop_the_others(folder, hand_in, grade_here, at_once, tmp_path, pool):
    path = folder(ana=hand_in(DOUBLE), bad=b"{", cy=hand_in(), worse=b"\xff", zoe=hand_in(DOUBLE))
    with ThreadPoolExecutor(2) if pool else at_once() as executor:
        grade_here(path, tmp_path / "out", executor=executor, ahead=2)
    assert [tuple(row.values())[:5] for row in rows(tmp_path / "out")] == [
        ("ana", "ex01_mini", "7", "20", "graded"),
        ("bad", "ex01_mini", "0", "20", "unreadable"),
        ("cy", "ex01_mini", "0", "20", "graded"),
        ("worse", "ex01_mini", "0", "20", "unreadable"),
        ("zoe", "ex01_mini", "7", "20", "graded"),
    ]
    for row in rows(tmp_path / "out"):
        name = Path(row["learner"], row["exercise"])
        result = json.loads((tmp_path / "out" / "results" / f"{name}.json").read_text())
        assert [str(result[c]) for c in gradebook.COLUMNS[:5]] == list(row.values())[:5]
        page = (tmp_path / "out" / "feedback" / f"{name}.html").read_text(encoding="utf-8")
        assert f"<strong>{row['points']}</strong>" in page


def test_a_grader_that_fails_itself_says_so_and_goes_on(
    folder, hand_in, grade_here, run_in_process, tmp_path
):
    path = folder(ana=hand_in(DOUBLE), bob=hand_in({"double": "crash"}))

    def run(notebook):
        if any("crash" in cell.source for cell in notebook.cells):
            raise RuntimeError("a fault of the grader's own")
        return run_in_process(notebook)

    grade_here(path, tmp_path / "out", run=run)
    assert [row["status"] for row in rows(tmp_path / "out")] == ["graded", "grader_failed"]
    page = (tmp_path / "out/feedback/bob/ex01_mini.html").read_text()
    assert "not your fault" in page
    assert "a fault of the grader's own" not in page
    assert (
        "a fault of the grader's own" in (tmp_path / "out/results/bob/ex01_mini.json").read_text()
    )


def test_a_grader_that_fails_again_and_again_stops(folder, hand_in, grade_here, tmp_path):
    path = folder(**{f"learner{number:02}": hand_in(DOUBLE) for number in range(15)})

    def fails(notebook):
        raise RuntimeError("the disk of the\x1b sandbox is full")

    with pytest.raises(GraderFailingError, match=r"10 hand-ins in a row.*the\\x1b sandbox.*again"):
        grade_here(path, tmp_path / "out", run=fails)
    assert len(list(read_results(tmp_path / "out"))) == 10
    done = grade_here(path, tmp_path / "out")
    assert sum(why == "the grader had failed" for _, why in done.values()) == 10
    assert {row["status"] for row in rows(tmp_path / "out")} == {"graded"}


def test_a_grader_that_fails_now_and_then_goes_on(
    folder, hand_in, grade_here, run_in_process, tmp_path
):
    path = folder(**{f"learner{number:02}": hand_in(DOUBLE) for number in range(30)})
    runs = []

    def run(notebook):
        runs.append(notebook)
        if len(runs) % 3:
            raise RuntimeError("now")
        return run_in_process(notebook)

    grade_here(path, tmp_path / "out", run=run)
    assert len(rows(tmp_path / "out")) == 30


def test_a_result_of_another_version_of_the_grader_is_no_result(
    folder, hand_in, grade_here, at_once, tmp_path
):
    """A worker with an older copy of the course can join a cluster at any time."""

    class Older(at_once):
        def submit(self, fn, /, *args, **kwargs):
            return super().submit(lambda: replace(fn(*args, **kwargs), grader="0.0.1+older"))

    grade_here(folder(ana=hand_in(DOUBLE)), tmp_path / "out", executor=Older())
    (row,) = rows(tmp_path / "out")
    assert (row["status"], row["points"]) == ("grader_failed", "0")
    result = (tmp_path / "out/results/ana/ex01_mini.json").read_text()
    assert "It was graded by 0.0.1+older, another version than" in result


NAMES = [
    "O'Brien, Ana",
    "Łucja Żółć",
    "=cmd|'calc'!A0",
    "@sum",
    "+1",
    "-x",
    'a"b',
    "naïve\nline",
]


def test_any_learner_name_is_a_row_that_reads_back(folder, hand_in, grade_here, tmp_path):
    path = folder(**{name: hand_in(DOUBLE) for name in NAMES})
    grade_here(path, tmp_path / "out")
    found = [row["learner"] for row in rows(tmp_path / "out")]
    folders = [folder_name(name) for name in NAMES]
    assert sorted(found) == sorted(map(defused, folders))
    assert not any(name.startswith(("=", "+", "-", "@")) for name in found)
    assert all((tmp_path / "out/results" / name / "ex01_mini.json").is_file() for name in folders)


def test_a_name_that_is_no_utf8_is_shown_with_escapes(folder, grade_here, tmp_path):
    path = folder(**{os.fsdecode(b"caf\xe9"): b"{"})
    grade_here(path, tmp_path / "out", run=None)
    assert [row["learner"] for row in rows(tmp_path / "out")] == ["caf_xe9"]
    assert shown(os.fsdecode(b"caf\xe9")) == "caf\\xe9"


def test_the_gradebook_is_the_same_in_whatever_order_results_come(keys):
    key = keys["ex01_mini"]
    results = [refused(b"", key, learner=name, reason="") for name in ("b", "a", "c")]
    assert gradebook_csv(results) == gradebook_csv(results[::-1])


def test_a_full_disk_stops_the_batch_and_keeps_what_is_written(
    folder, hand_in, grade_here, tmp_path, monkeypatch
):
    path, out = folder(ana=hand_in(DOUBLE), bob=hand_in(DOUBLE)), tmp_path / "out"
    writes, fsync = [], os.fsync

    def fills_up(handle):
        writes.append(stat.S_ISREG(os.fstat(handle).st_mode))
        if sum(writes) > 1:
            raise OSError(28, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fills_up)
    with pytest.raises(OSError, match="No space left"):
        grade_here(path, out)
    files = sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
    assert files == ["feedback/ana/ex01_mini.html", "results/ana/ex01_mini.json"]
    monkeypatch.setattr(os, "fsync", fsync)  # there is room again
    assert grade_here(path, out)["ana/ex01_mini"] == ("resume", "")
    assert [row["points"] for row in rows(out)] == ["7", "7"]


def test_no_more_hand_ins_are_held_in_memory_than_asked_for(
    folder, keys, hand_in, run_in_process, tmp_path, at_once
):
    path, submitted = folder(**{f"learner{n}": hand_in(DOUBLE) for n in range(6)}), []

    class Counted(at_once):
        def submit(self, fn, /, *args, **kwargs):
            submitted.append(fn)
            return super().submit(fn, *args, **kwargs)

    tasks = plan(find_hand_ins(path, keys).hand_ins, keys, tmp_path / "out", Terms())
    done = grade_all(tasks, keys, run=run_in_process, executor=Counted(), ahead=3)
    first, _ = next(done)
    assert (first.hand_in.learner, len(submitted)) == ("learner0", 3)
    assert len(list(done)) == 5
    assert len(submitted) == 6


def test_the_tables_of_a_class_hold_one_result_at_a_time(
    folder, hand_in, grade_here, tmp_path, monkeypatch
):
    out, held = tmp_path / "out", []
    grade_here(folder(**{f"learner{n}": hand_in(DOUBLE) for n in range(8)}), out)

    def watched(*args, **options):
        seen = []
        for result in read_results(*args, **options):
            seen.append(weakref.ref(result))
            held.append(sum(ref() is not None for ref in seen))
            yield result

    monkeypatch.setattr(grades, "read_results", watched)
    monkeypatch.setattr(report, "read_results", watched)
    grades.write_summaries(out)
    assert len(held) == 3 * 8  # each table and the report read them all
    assert max(held) <= 2  # the one that is read, and the last


def test_a_copied_key_folder_grades_alike(keys, built_key, tmp_path):
    shutil.copytree(built_key, tmp_path / "copy")
    assert read_keys(tmp_path / "copy") == keys
