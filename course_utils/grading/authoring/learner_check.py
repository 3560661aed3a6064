"""The learner's own check: the visible checks of an exercise, run as the grader runs them."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_utils import notebooks
from course_utils.grading.exercise import (
    ROLE_ID,
    Exercise,
    ExerciseError,
    Question,
    grade_id,
    parse,
)
from course_utils.grading.fingerprints import Runner
from course_utils.grading.grade import NOT_RUN
from course_utils.grading.overlay import overlay, read_answers
from course_utils.grading.release import read_exercise, release
from course_utils.grading.running.run import RunOutcome


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other editors lose cell ids; nothing rests on them here
        notebook = notebooks.read(path)
    trusted = _pristine(path) or _without_answers(notebook, path.stem)
    answers = read_answers(path.read_bytes(), trusted)
    outcome = run(_with_expected_ticks(trusted, answers).notebook)
    return [
        _checked(question, outcome, answered=question.slug in answers)
        for question in trusted.questions
    ]


def _pristine(path: Path) -> Exercise | None:
    """The exercise as it is given out, where its solution lies in the same course folder."""
    solution = path.resolve().parent.parent / "solutions" / path.name
    return release(read_exercise(solution)) if solution.is_file() else None


def _without_answers(notebook: NotebookNode, name: str) -> Exercise:
    """The exercise that a learner's notebook once was: its named cells, each answer blank.

    Cells of the learner's own are left out, as the grader leaves them out.
    """
    named: dict[str, NotebookNode] = {}
    for cell in notebook.cells:
        match = ROLE_ID.fullmatch(grade_id(cell))
        if not grade_id(cell) or (match and match["role"] in ("answer", "hidden")):
            continue
        cell.id = grade_id(cell)
        named.setdefault(cell.id, cell)
        if match and match["role"] == "prompt":
            answer = f"{match['prefix']}-answer"
            metadata = {"nbgrader": {"grade_id": answer, "solution": True}}
            named.setdefault(answer, new_code_cell(id=answer, metadata=metadata))
    try:
        exercise = parse(new_notebook(cells=list(named.values())), name, student=True)
    except ExerciseError as error:
        cells = ", ".join(problem.cell_id for problem in error.problems)
        raise ValueError(
            f"{name} is not an exercise as it was given out (cells {cells}). "
            "Get a fresh copy and paste your answers into it."
        ) from error
    for question in exercise.questions:
        exercise.cell(question, "answer").source = question.stub
    return exercise


def _with_expected_ticks(exercise: Exercise, answers: dict[str, str]) -> Exercise:
    """A copy with `answers` in it and, as the reference, the tick that the check of each prints."""
    notebook = overlay(exercise, answers)
    expected = Exercise(exercise.name, notebook, exercise.questions)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], 1  # nbval compares no cell without a count
    for question in expected.questions:
        if question.slug in answers:
            tick = new_output("stream", name="stdout", text=f"{question.tick}\n")
            expected.cell(question, "visible").outputs = [tick]
    return expected


def _checked(question: Question, run: RunOutcome, *, answered: bool) -> CheckedQuestion:
    answer = run.cells.get(question.cell_id("answer"), NOT_RUN)
    visible = run.cells.get(question.cell_id("visible"), NOT_RUN)
    if visible.status == "passed":
        return CheckedQuestion(question, True, "")
    kinds = (answer.error.partition(":")[0], visible.error.partition(":")[0])
    if not answered or "NotImplementedError" in kinds:
        return CheckedQuestion(question, False, "not answered yet")
    told = answer.error or visible.error or _STATUS_WORDS.get(visible.status, visible.status)
    return CheckedQuestion(
        question, False, told.removeprefix("AssertionError: ").partition("\n")[0]
    )


_STATUS_WORDS = {
    "timed_out": "it did not end in time: look for an endless loop",
    "not_run": "it could not be run: an answer above it stopped Python",
    "failed": "the check did not print its tick: was its cell edited?",
}
