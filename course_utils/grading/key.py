"""The grading key: one solution notebook, with all that is needed to grade by it."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat

from course_utils.grading.exercise import Exercise, ExerciseError, parse
from course_utils.grading.fingerprints import Fingerprint, loads, read_popular
from course_utils.grading.lint import problems
from course_utils.grading.release import read_exercise, solution_paths


@dataclass(frozen=True)
class Key:
    """A solution that has passed the lint. Plain text inside, so that it can be sent to workers.

    variant: 0 for the solution as its author wrote it, else see ``variants``.
    """

    name: str
    text: str
    fingerprints: tuple[Fingerprint, ...]
    variant: int = 0

    def of(self, learner: str) -> "Key":
        """The key by which `learner` is graded: this one, unless there are variants of it."""
        return self

    @cached_property
    def exercise(self) -> Exercise:
        """The solution notebook and its questions."""
        return parse(nbformat.reads(self.text, as_version=4), self.name)

    @cached_property
    def sha256(self) -> str:
        """Hash of all that a grade depends on: the solution with its outputs, the fingerprints."""
        marks = json.dumps([[m.question, m.name, m.message, m.values] for m in self.fingerprints])
        return hashlib.sha256(f"{self.text}{marks}{self.variant}".encode()).hexdigest()


def fingerprints_path(solution: Path) -> Path:
    """Where the fingerprints of the solution notebook at `solution` are kept."""
    return solution.with_suffix(".fingerprints.json")


def read_key(path: Path) -> Key:
    """The key at `path` (a solution notebook, its .toml and .fingerprints.json beside it).

    Raises ValueError, one line for each fault, if it cannot be graded with.
    """
    exercise = read_exercise(path)
    if found := problems(exercise):
        raise ExerciseError(exercise.name, found)
    answers = read_popular(path.with_suffix(".toml"), exercise)
    marks_path = fingerprints_path(path)
    if not marks_path.is_file():
        raise ValueError(f"{marks_path} is missing. Run: course build {path}")
    marks = loads(marks_path.read_text(encoding="utf-8"), exercise, answers)
    return Key(exercise.name, nbformat.writes(exercise.notebook), marks)


def read_keys(folder: Path) -> dict[str, Key]:
    """Every key in `folder`, by exercise name; ValueError with the faults of all of them."""
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder}. Name the folder of the solutions.")
    keys: dict[str, Key] = {}
    faults: list[str] = []
    for path in solution_paths(folder):
        try:
            keys[path.stem] = read_key(path)
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise ValueError("\n".join(faults))
    return keys
