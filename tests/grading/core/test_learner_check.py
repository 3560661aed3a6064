"""The learner's own check: the grader's overlay and run, with the visible checks only."""

import json
import shutil

import pytest

from course_utils.grading.authoring.learner_check import check_notebook
from course_utils.grading.release import release_folder
from course_utils.grading.running.run import CellOutcome, RunOutcome

RIGHT = {
    "double": "def double(x):\n    return x + x",
    "square": "def square(x):\n    return x * x",
    "cube": "def cube(x):\n    return x**3",
}


@pytest.fixture(params=["with the solution beside", "student edition"])
def checked(request, built_key, hand_in, run_in_process, tmp_path):
    """Check a hand-in: in the author's course folder and in a learner's, which has no solution."""
    if request.param.startswith("with"):
        shutil.copytree(built_key, tmp_path / "solutions")
    path = tmp_path / "exercises" / "ex01_mini.ipynb"
    path.parent.mkdir()

    def check(answers=None, *, change=None, run=run_in_process):
        path.write_bytes(hand_in(answers, change=change))
        return [(c.ticks, c.message) for c in check_notebook(path, run=run)]

    check.pristine = request.param.startswith("with")
    return check


def test_right_answers_tick(checked):
    assert checked(RIGHT) == [(True, "")] * 3


def test_an_untouched_exercise_says_so(checked):
    assert checked() == [(False, "not answered yet")] * 3


def test_each_question_is_told_apart(checked):
    found = checked({"double": RIGHT["double"], "square": "def square(x):\n    return 17.5"})
    assert [ticks for ticks, _ in found] == [True, False, False]
    assert "square(1.5)" in found[1][1]
    assert "17.5" in found[1][1]
    assert found[2][1] == "not answered yet"


def test_an_answer_cell_that_stops_is_quoted_in_one_line(checked):
    assert checked({"cube": "nothing"})[2] == (False, "NameError: name 'nothing' is not defined")
    assert "SyntaxError" in checked({"cube": "def cube(x:"})[2][1]


def test_hidden_checks_are_never_run(checked):
    def run(notebook):
        assert not any("_hidden" in cell.source or "-hidden" in cell.id for cell in notebook.cells)
        cells = {c.id: CellOutcome(c.id, "passed") for c in notebook.cells}
        return RunOutcome("finished", cells, 0.0, sandboxed=True)

    assert checked(RIGHT, run=run) == [(True, "")] * 3


def test_hidden_checks_in_the_file_itself_are_not_run_either(built_key, run_in_process, tmp_path):
    def run(notebook):
        assert not any("hidden" in cell.id for cell in notebook.cells)
        return run_in_process(notebook)

    alone = tmp_path / "exercises" / "ex01_mini.ipynb"  # with no folder of solutions beside
    alone.parent.mkdir()
    shutil.copy(built_key / "ex01_mini.ipynb", alone)
    assert all(result.ticks for result in check_notebook(alone, run=run))


def test_scratch_cells_copies_and_lost_ids_do_not_disturb(checked):
    def change(content):
        empty = {"outputs": [], "execution_count": None, "metadata": {}}
        scratch = empty | {"cell_type": "code", "source": "1 / 0"}
        answer = next(c for c in content["cells"] if c["id"] == "ex01-cube-answer")
        copied = answer | {"source": "def cube(x):\n    return x**3"}
        content["cells"] = [scratch, *content["cells"], copied]
        for cell in content["cells"]:
            cell.pop("id", None)

    assert checked({s: RIGHT[s] for s in ("double", "square")}, change=change) == [(True, "")] * 3


def test_a_check_that_is_edited_away_ticks_nothing(checked):
    def change(content):
        for cell in content["cells"]:
            if cell["id"] == "ex01-double-visible":
                cell["source"] = "pass"

    found = checked({"double": "def double(x):\n    return 0"}, change=change)
    assert found[0][0] is False


def test_an_exercise_with_cells_missing_needs_a_fresh_copy(checked):
    def change(content):
        content["cells"] = [c for c in content["cells"] if c["id"] != "ex01-square-visible"]

    if checked.pristine:
        assert checked(RIGHT, change=change) == [(True, "")] * 3
    else:
        with pytest.raises(ValueError, match=r"cells ex01-square-visible\)\. Get a fresh copy"):
            checked(RIGHT, change=change)


@pytest.mark.parametrize(
    ("status", "words"),
    [("timed_out", "endless loop"), ("not_run", "an answer above it stopped Python")],
)
def test_a_run_that_does_not_come_to_its_end_is_explained(checked, status, words):
    def run(notebook):
        cells = {c.id: CellOutcome(c.id, status) for c in notebook.cells}
        return RunOutcome("timed_out", cells, 0.0, sandboxed=True)

    assert all(words in message for _, message in checked(RIGHT, run=run))


def test_the_file_of_the_learner_is_not_changed(built_key, tmp_path, run_in_process):
    (path,) = release_folder(built_key, tmp_path)
    before = path.read_bytes()
    check_notebook(path, run=run_in_process)
    assert path.read_bytes() == before
    assert json.loads(before)["nbformat_minor"] == 5
