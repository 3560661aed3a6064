"""From an edited solution notebook to one that can be graded with."""

from pathlib import Path

from course_utils import notebooks
from course_utils.grading.exercise import ExerciseError, grade_id, stamp
from course_utils.grading.files import write_atomically
from course_utils.grading.fingerprints import Runner, dumps, fingerprint, read_popular
from course_utils.grading.key import fingerprints_path
from course_utils.grading.lint import problems
from course_utils.grading.release import read_exercise


def is_solution(path: Path) -> bool:
    """Whether the notebook at `path` has hidden checks, and so is part of the grading key."""
    return any(grade_id(cell).endswith("-hidden") for cell in notebooks.read(path).cells)


def build_solution(path: Path, *, run: Runner) -> int:
    """Execute the solution at `path`, stamp it, lint it, and keep the values of wrong answers.

    run: runs a notebook; the author's own code needs no sandbox.
    Returns the number of fingerprints. Raises ValueError, one line for each fault; the notebook
    is then executed and written all the same, so that its outputs can be looked at.
    """
    notebooks.build(path)
    exercise = read_exercise(path)
    notebooks.write(stamp(exercise.notebook), path)
    if found := problems(exercise):
        raise ExerciseError(exercise.name, found)
    answers = read_popular(path.with_suffix(".toml"), exercise)
    marks = fingerprint(exercise, answers, run)
    write_atomically(fingerprints_path(path), dumps(exercise, answers, marks))
    return len(marks)
