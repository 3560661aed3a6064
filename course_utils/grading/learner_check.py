"""The learner's own check: the visible checks of an exercise, run as the grader runs them."""

import copy
from dataclasses import dataclass
from pathlib import Path

from nbformat.v4 import new_output

from course_utils.grading.exercise import Exercise, Question
from course_utils.grading.fingerprints import Runner
from course_utils.grading.grade import NOT_RUN
from course_utils.grading.overlay import overlay, read_answers
from course_utils.grading.release import read_exercise, release
from course_utils.grading.run import RunOutcome


@dataclass(frozen=True)
class CheckedQuestion:
    """A question and how its visible check went; message: one line, '' when it ticks."""

    question: Question
    ticks: bool
    message: str


def check_notebook(path: Path, *, run: Runner) -> list[CheckedQuestion]:
    """Run the visible checks on the answers in the notebook at `path`.

    The checks are those of the solution, where the course folder has one, so an edited check
    cell changes nothing; else (in a student edition) those of the notebook itself.
    Raises ValueError if `path` is no exercise of the course.
    """
    own = read_exercise(path, student=True)
    pristine = _pristine(path) or own
    outcome = run(_with_expected_ticks(pristine, _answers(path, own, pristine)).notebook)
    return [_checked(question, outcome) for question in pristine.questions]


def _pristine(path: Path) -> Exercise | None:
    """The exercise as it is given out, where its solution lies in the same course folder."""
    solution = path.resolve().parent.parent / "solutions" / path.name
    return release(read_exercise(solution)) if solution.is_file() else None


def _answers(path: Path, own: Exercise, pristine: Exercise) -> dict[str, str]:
    if pristine is own:
        return {question.slug: own.cell(question, "answer").source for question in own.questions}
    return read_answers(path.read_bytes(), pristine)


def _with_expected_ticks(exercise: Exercise, answers: dict[str, str]) -> Exercise:
    """A copy with `answers` in it and, as the reference, the tick that each check should print."""
    notebook = copy.deepcopy(overlay(exercise, answers))
    expected = Exercise(exercise.name, notebook, exercise.questions)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    for question in expected.questions:
        tick = new_output("stream", name="stdout", text=f"{question.tick}\n")
        expected.cell(question, "visible").outputs = [tick]
    return expected


def _checked(question: Question, run: RunOutcome) -> CheckedQuestion:
    answer = run.cells.get(question.cell_id("answer"), NOT_RUN)
    visible = run.cells.get(question.cell_id("visible"), NOT_RUN)
    if visible.status == "passed":
        return CheckedQuestion(question, True, "")
    if visible.error.startswith("NotImplementedError"):
        return CheckedQuestion(question, False, "not answered yet")
    told = answer.error or visible.error or _STATUS_WORDS.get(visible.status, visible.status)
    return CheckedQuestion(question, False, told.partition("\n")[0])


_STATUS_WORDS = {
    "timed_out": "it did not end in time: look for an endless loop",
    "not_run": "it could not be run: an answer above it stopped Python",
    "failed": "the check did not print its tick: was its cell edited?",
}
