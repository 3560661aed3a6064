"""Which stored results stand: those of the same hand-in by the same key, grader and limits."""

import os
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from course_utils.grading import grade
from course_utils.grading.batches import batch as batches
from course_utils.grading.batches import resume
from course_utils.grading.batches.batch import grade_folder
from course_utils.grading.batches.missing import note_missing
from course_utils.grading.batches.resume import Terms, plan, why_again
from course_utils.grading.hand_ins import Origin
from course_utils.grading.intake import Missing, find_hand_ins
from course_utils.grading.results import read_result, read_results
from course_utils.grading.running.run import RunOutcome

DOUBLE = {"double": "def double(x):\n    return x + x"}
WRONG = {"double": "def double(x):\n    return x"}
RAN = ("ana/ex01_mini", "bob/ex01_mini")
NOTHING = {f"{name}/ex01_mini": ("resume", "") for name in ("ana", "bob", "cy")}


@pytest.fixture
def runs(run_in_process):
    """A runner that remembers what it has run."""

    class Counted(list):
        def __call__(self, notebook):
            self.append(notebook)
            return run_in_process(notebook)

    return Counted()


@pytest.fixture
def batch(folder, hand_in, grade_here, runs, tmp_path):
    """Grade three hand-ins into tmp_path/out, then forget that anything was run."""
    path = folder(ana=hand_in(DOUBLE), bob=hand_in(WRONG), cy=b"{")

    def grade(run=runs, **changes):
        return grade_here(path, tmp_path / "out", run=run, **changes)

    assert set(grade().values()) == {("grade", "new")}
    assert len(runs) == 2
    runs.clear()
    return grade


def stored(tmp_path, learner):
    return tmp_path / "out" / "results" / learner / "ex01_mini.json"


def contents(folder):
    """Every file below `folder`, and which file on the disk it is."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.stat().st_ino, path.read_bytes()) for path in files}


def test_the_same_command_again_runs_and_changes_nothing(batch, runs, without_seconds, tmp_path):
    before, texts = contents(tmp_path / "out"), without_seconds(tmp_path / "out")
    assert batch() == NOTHING
    assert runs == []
    after = contents(tmp_path / "out")
    kept = [path for path in before if path.parent != tmp_path / "out"]
    assert len(kept) == 6
    assert all(after[path] == before[path] for path in kept)  # not even written anew
    assert without_seconds(tmp_path / "out") == texts


def test_a_changed_hand_in_alone_is_graded_again(batch, runs, tmp_path, folder, hand_in):
    folder(bob=hand_in(DOUBLE))
    assert batch() == NOTHING | {"bob/ex01_mini": ("grade", "the hand-in has changed")}
    assert len(runs) == 1
    assert read_result(stored(tmp_path, "bob")).points == 7
    assert "bob,ex01_mini,7" in (tmp_path / "out" / "gradebook.csv").read_text()
    assert batch() == NOTHING


def test_a_changed_key_regrades_the_hand_ins_of_its_exercise_alone(
    folder, hand_in, grade_here, keys, tmp_path
):
    key = keys["ex01_mini"]
    both = {"ex01_mini": key, "ex02_mini": replace(key, name="ex02_mini")}
    path, out = folder(ana=hand_in(DOUBLE), bob=hand_in(DOUBLE)), tmp_path / "out"
    (path / "ana" / "ex02_mini.ipynb").write_bytes(hand_in(DOUBLE))
    grade_here(path, out, keys=both)
    advice = replace(key.fingerprints[0], message="Think again.")
    both["ex02_mini"] = replace(both["ex02_mini"], fingerprints=(advice, *key.fingerprints[1:]))
    assert grade_here(path, out, keys=both) == {
        "ana/ex01_mini": ("resume", ""),
        "ana/ex02_mini": ("grade", "the key has changed"),
        "bob/ex01_mini": ("resume", ""),
    }
    assert set(grade_here(path, out, keys=both).values()) == {("resume", "")}


def test_another_grader_regrades_all(batch, monkeypatch):
    for module in (batches, grade, resume):
        monkeypatch.setattr(module, "grader_version", lambda: "another")
    assert set(batch().values()) == {("grade", "the grader has changed")}
    assert batch() == NOTHING


def test_all_is_graded_again_when_asked_for(batch, runs):
    assert set(batch(regrade=True).values()) == {("grade", "asked for")}
    assert len(runs) == 2


def test_a_result_from_without_a_sandbox_does_not_stand_for_one_with(batch):
    again = dict.fromkeys(RAN, ("grade", "it had run without a sandbox"))
    assert batch(sandboxed=True) == NOTHING | again


def test_a_result_remembers_the_time_limit_that_it_had(batch):
    assert batch(limit_seconds=90) == NOTHING
    assert set(batch(limit_seconds=30).values()) == {("grade", "the time limit is lower")}
    assert batch(limit_seconds=60) == NOTHING


RESULT = grade.Result(
    learner="ana",
    exercise="ex01_mini",
    title="",
    status="graded",
    reason="",
    points=7,
    max_points=20,
    questions=(grade.QuestionResult("1.1", "double", "Twice", 7, 7, "earned"),),
    sandboxed=True,
    hand_in_sha256="of the hand-in",
    key_sha256="",
    grader="",
    seconds=1.0,
    limit_seconds=60,
)


def because(reason, *, limit=60, room=True, **changes):
    return pytest.param(changes, Terms(limit, room), reason, id=f"{changes} {limit} {room}")


@pytest.mark.parametrize(
    ("changes", "terms", "reason"),
    [
        because(""),
        because("", room=False),
        because("", room=False, sandboxed=False),
        because("it had run without a sandbox", sandboxed=False),
        because("", limit=61),
        because("the time limit is lower", limit=59),
        because("the grader had failed", status="sandbox_failed"),
        because("the grader had failed", status="grader_failed"),
        because("the hand-in has changed", hand_in_sha256=""),
        because("the key has changed", key_sha256="another"),
        because("the key has changed", exercise="ex02_mini"),
        because("the grader has changed", grader="another"),
        because("its points do not add up", points=20),
        because("", status="timed_out"),
        because("there is more time now", limit=61, status="timed_out"),
        because("there is more time now", limit=61, status="memory_limit"),
        because("", limit=61, status="unreadable"),
    ],
)  # fmt: skip
def test_why_a_stored_result_does_not_stand(keys, changes, terms, reason):
    key = keys["ex01_mini"]
    current = replace(RESULT, key_sha256=key.sha256, grader=resume.grader_version())
    assert why_again(replace(current, **changes), "of the hand-in", key, terms) == reason


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda text: text[: len(text) // 2], "holds no result"),
        (lambda text: "", "holds no result"),
        (lambda text: text.replace('"points": 0', '"points": "0"', 1), "points is str"),
        (lambda text: text.replace('"learner": "bob"', '"learner": "ana"'), "is that of ana"),
    ],
)
def test_a_damaged_result_is_graded_again_and_the_log_says_why(
    batch, runs, tmp_path, caplog, damage, why
):
    caplog.set_level("INFO")
    path = stored(tmp_path, "bob")
    before = read_result(path)
    path.write_text(damage(path.read_text()))
    done = batch()
    assert {name for name, (action, _) in done.items() if action == "grade"} == {"bob/ex01_mini"}
    assert why in done["bob/ex01_mini"][1]
    assert any(why in line and "graded bob/ex01_mini (" in line for line in caplog.messages)
    assert len(runs) == 1
    assert read_result(path).points == before.points


def test_what_the_grader_failed_at_is_tried_again(batch, folder, hand_in, runs, tmp_path):
    def fails(notebook):
        return RunOutcome("sandbox_failed", {}, 0.0, sandboxed=True, detail="no room")

    batch(run=fails, regrade=True)
    assert read_result(stored(tmp_path, "ana")).status == "sandbox_failed"
    assert batch() == NOTHING | dict.fromkeys(RAN, ("grade", "the grader had failed"))
    assert read_result(stored(tmp_path, "ana")).status == "graded"
    assert batch() == NOTHING


def test_what_is_made_from_results_is_made_again_without_a_run(batch, runs, tmp_path):
    out = tmp_path / "out"
    before = contents(out)
    (out / "gradebook.csv").unlink()
    (out / "feedback" / "ana" / "ex01_mini.html").unlink()
    (out / "feedback" / "bob" / "ex01_mini.html").write_text("half a pa")
    assert (batch(), runs) == (NOTHING, [])
    after = contents(out)
    assert {path: text for path, (_, text) in after.items()} == {
        path: text for path, (_, text) in before.items()
    }
    page = out / "feedback" / "cy" / "ex01_mini.html"
    assert after[page] == before[page]


def test_a_page_of_an_earlier_result_is_made_anew(batch, runs, folder, hand_in, tmp_path):
    """As if the batch had been killed between the result and its page."""
    page = tmp_path / "out" / "feedback" / "bob" / "ex01_mini.html"
    old = page.read_bytes()
    folder(bob=hand_in(DOUBLE))
    batch()
    new = page.read_bytes()
    assert new != old
    page.write_bytes(old)
    runs.clear()
    assert (batch(), runs) == (NOTHING, [])
    assert page.read_bytes() == new


def test_pages_are_made_anew_by_a_new_version_of_theirs(batch, runs, tmp_path, monkeypatch):
    page = tmp_path / "out" / "feedback" / "ana" / "ex01_mini.html"
    before = page.stat().st_ino
    monkeypatch.setattr("course_utils.grading.batches.grades.pages_version", lambda: "another")
    assert (batch(), runs) == (NOTHING, [])
    assert page.stat().st_ino != before


def test_what_is_new_of_an_origin_is_taken_up_without_a_run(
    batch, runs, keys, tmp_path, run_in_process, at_once
):
    out, terms = tmp_path / "out", Terms(sandboxed=False)
    known = Origin(name="Ana Ö", ids=("17",), late=True)
    intake = find_hand_ins(tmp_path / "hand_ins", keys)
    found = [replace(hand_in, origin=known) for hand_in in intake.hand_ins]
    tasks = list(plan(found, keys, out, terms))
    grade_folder(tasks, keys, out, run=runs, executor=at_once(), terms=terms)
    assert runs == []
    assert all(result.origin == known for result in read_results(out))


def test_the_gradebook_keeps_what_earlier_batches_graded(batch, folder, tmp_path):
    (tmp_path / "hand_ins" / "ana" / "ex01_mini.ipynb").unlink()
    assert set(batch()) == {"bob/ex01_mini", "cy/ex01_mini"}
    rows = (tmp_path / "out" / "gradebook.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in rows[1:]] == ["ana", "bob", "cy"]


def test_what_is_missing_is_told_until_it_is_handed_in(batch, folder, hand_in, keys, tmp_path):
    out = tmp_path / "out"
    gone = (tmp_path / "hand_ins" / "ana" / "ex01_mini.ipynb").rename(tmp_path / "gone")
    gaps = [Missing(name, "ex01_mini", Origin(name=name.title())) for name in ("ana", "eve", "flo")]
    note_missing(gaps, ["ex01_mini"], keys, out)
    results = {result.learner: (result.status, result.points) for result in read_results(out)}
    assert results["ana"] == ("graded", 7)  # a grade is never taken back
    assert results["eve"] == results["flo"] == ("missing", 0)
    note_missing([], ["ex02_mini"], keys, out)  # this roster is of another exercise
    batch()  # and here was none
    assert {result.learner for result in read_results(out)} == {"ana", "bob", "cy", "eve", "flo"}
    note_missing(gaps[:2], ["ex01_mini"], keys, out)
    assert [result.learner for result in read_results(out)] == ["ana", "bob", "cy", "eve"]
    folder(eve=hand_in(DOUBLE), ana=gone.read_bytes())
    assert batch() == NOTHING | {"eve/ex01_mini": ("grade", "new")}
    assert read_result(stored(tmp_path, "eve")).points == 7


class Killed(BaseException):
    """The end of the process, as far as this test can have it."""


STEPS = [(os, "fsync"), (os, "sync"), (Path, "replace"), (Path, "mkdir"), (Path, "open")]


def test_killed_at_any_step_a_batch_leaves_whole_files_and_ends_the_same(
    folder, hand_in, grade_here, runs, without_seconds, tmp_path, monkeypatch
):
    """Every call that changes the disk is the last one once; then the same command goes on."""
    path = folder(ana=hand_in(DOUBLE), bob=hand_in(WRONG), cy=b"{")
    grade_here(path, tmp_path / "undisturbed", run=runs)
    wanted = without_seconds(tmp_path / "undisturbed")
    steps = [0]

    def counted(call):
        def step(*arguments, **options):
            steps[0] -= 1
            if steps[0] == 0:
                raise Killed
            return call(*arguments, **options)

        return step

    for place, name in STEPS:
        monkeypatch.setattr(place, name, counted(getattr(place, name)))
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok: None)  # the dead do not tidy up
    for last in range(1, 1000):
        out = tmp_path / str(last)
        steps[0] = last
        runs.clear()
        try:
            grade_here(path, out, run=runs)
        except Killed:
            pass
        else:
            break
        steps[0] = 0
        done = {result.learner for result in read_results(out, on_fault=pytest.fail)}
        ran = len(runs)
        again = grade_here(path, out, run=runs)
        resumed = {name for name, (action, _) in again.items() if action == "resume"}
        assert resumed == {f"{learner}/ex01_mini" for learner in done}
        assert len(runs) - ran == len({"ana", "bob"} - done)
        sweep_parts(out)
        assert without_seconds(out) == wanted
    assert last > 30


def sweep_parts(out):
    """What ``sole_writer`` does before a batch."""
    for part in out.rglob(".*.part"):
        os.unlink(part)  # noqa: PTH108 - Path.unlink is out of order here


def test_memory_does_not_grow_with_the_number_of_hand_ins(folder, hand_in, grade_here, tmp_path):
    """Results with 50 kB of answers each are written, not kept."""
    answer = hand_in({"double": DOUBLE["double"] + "\n# " + "x" * 50_000})
    ran = RunOutcome("finished", {}, 0.1, sandboxed=False)
    peaks = {}
    for count in (5, 5, 40):  # the first fills the caches
        path = folder(**{f"learner{number}": answer for number in range(count)})
        tracemalloc.start()
        grade_here(path, tmp_path / f"out{len(peaks)}{count}", run=lambda notebook: ran)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[40] < 1.1 * peaks[5]
