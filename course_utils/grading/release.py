"""From a solution notebook to the notebook that a learner gets."""

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path

import nbformat

from course_utils import notebooks
from course_utils.grading.exercise import (
    SOLUTION_BEGIN,
    SOLUTION_END,
    Exercise,
    ExerciseError,
    grade_id,
    parse,
    stamp,
)
from course_utils.grading.lint import printed, problems
from course_utils.grading.values import value_lines

# shorter lines ("return result", "for link in range(5):") stand in any code and give nothing away
SECRET_CHARACTERS = 24


def read_exercise(path: Path, *, student: bool = False) -> Exercise:
    """The exercise at `path`; ValueError in one line or more if it is none."""
    return parse(notebooks.read(path), path.stem, student=student)


def solution_paths(folder: Path) -> list[Path]:
    """The solution notebooks in `folder`, sorted; ValueError if there are none."""
    found = sorted(path for path in folder.glob("ex*.ipynb") if path.is_file())
    if not found:
        raise ValueError(f"{folder} holds no solution notebook ex*.ipynb. Check the path.")
    return found


def release(exercise: Exercise) -> Exercise:
    """The student edition of a solution: no hidden check, no worked answer, no output.

    Raises ExerciseError with every problem that the lint finds.
    """
    if found := problems(exercise):
        raise ExerciseError(exercise.name, found)
    hidden = {question.cell_id("hidden") for question in exercise.questions}
    edition = copy.deepcopy(exercise.notebook)
    edition.cells = [cell for cell in edition.cells if grade_id(cell) not in hidden]
    for cell in edition.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    student = parse(edition, exercise.name, student=True)
    for question in student.questions:
        student.cell(question, "answer").source = exercise.blank(question)
    stamp(notebooks.normalise(edition))
    return student


def release_folder(solutions: Path, exercises: Path) -> list[Path]:
    """Write the student edition of every solution in `solutions` into `exercises`.

    Nothing is written unless all of them may be given out. Files of exercises that have no
    solution any more are removed. Returns the paths written.
    """
    sources = solution_paths(solutions)
    editions = [release(exercise) for exercise in read_all(sources)]
    exercises.mkdir(parents=True, exist_ok=True)
    written = [exercises / f"{edition.name}.ipynb" for edition in editions]
    for edition, path in zip(editions, written, strict=True):
        notebooks.write(edition.notebook, path)
    for stale in set(exercises.glob("ex*.ipynb")) - set(written):
        stale.unlink()
    return written


def read_all(paths: Iterable[Path]) -> list[Exercise]:
    """Every exercise of `paths`; ExerciseError with the problems of all, not of the first only."""
    exercises: list[Exercise] = []
    faults: list[str] = []
    for path in paths:
        try:
            exercises.append(read_exercise(path))
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise ValueError("\n".join(faults))
    return exercises


def hidden_secrets(exercise: Exercise) -> set[str]:
    """What of the hidden checks must stand nowhere in a student edition.

    Their names, the values that they print, and their lines, as far as a line is long enough
    to tell something and does not stand in the open part of the exercise as well.
    """
    cells = [exercise.cell(question, "hidden") for question in exercise.questions]
    lines = [line for cell in cells for line in cell.source.split("\n")]
    # the making of a generator is the same line in many a lesson, and its seed alone tells nothing
    telling = {line for line in _telling(lines, exercise) if "default_rng(" not in line}
    values = {line for cell in cells for line in value_lines(printed(cell))}
    return telling | values | {grade_id(cell) for cell in cells}


def answer_secrets(exercise: Exercise) -> set[str]:
    """What of the worked answers must not stand in an exercise that is given out."""
    cells = [exercise.cell(question, "answer") for question in exercise.questions]
    lines = [line for cell in cells for line in cell.source.split("\n")]
    return _telling(lines, exercise) | {SOLUTION_BEGIN, SOLUTION_END}


def _telling(lines: Iterable[str], exercise: Exercise) -> set[str]:
    """Those lines that are long enough to tell something and not open to everyone anyway."""
    answers = {question.cell_id("answer"): question for question in exercise.questions}
    hidden = {question.cell_id("hidden") for question in exercise.questions}
    public: set[str] = set()
    for cell in exercise.notebook.cells:
        name = grade_id(cell)
        if name in answers:
            public |= _stripped(exercise.blank(answers[name]).split("\n"))
        elif name not in hidden:
            public |= _stripped(cell.source.split("\n"))
    return {line for line in _stripped(lines) if len(line) >= SECRET_CHARACTERS} - public


def leaks(text_lines: Iterable[str], forbidden: set[str]) -> list[str]:
    """The forbidden lines that stand among `text_lines`, whole or as a name inside a line."""
    lines = _stripped(text_lines)
    names = [secret for secret in forbidden if secret.endswith("-hidden")]
    inside = [name for name in names if any(name in line for line in lines)]
    return sorted({*(lines & forbidden), *inside})


def notebook_lines(notebook: nbformat.NotebookNode) -> list[str]:
    """Every line of source and of text output in a notebook."""
    lines: list[str] = []
    for cell in notebook.cells:
        lines += [cell.get("id", ""), grade_id(cell), *cell.source.split("\n")]
        for out in cell.get("outputs", []):
            texts: Sequence[str] = [out.get("text", ""), *map(str, out.get("data", {}).values())]
            lines += [line for text in texts for line in text.split("\n")]
    return lines


def _stripped(lines: Iterable[str]) -> set[str]:
    return {line.strip() for line in lines} - {""}
