"""Who has not handed in: a result of no points that says so, until there is a hand-in."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from course_utils.grading.files import write_atomically
from course_utils.grading.grade import MISSING, refused
from course_utils.grading.intake import Missing
from course_utils.grading.key import Key
from course_utils.grading.results import read_results, result_json

REASON = "Nothing was handed in."


def note_missing(
    missing: Iterable[Missing], exercises: Iterable[str], keys: Mapping[str, Key], out: Path
) -> None:
    """Store a result for each hand-in that is missing, where none is stored yet.

    exercises: those that were asked for. What an earlier roster missed of them and this one does
    not is taken back; of other exercises nothing is, and a grade never is.
    """
    expected = {(each.learner, each.exercise): each for each in missing}
    asked = set(exercises)
    stored = {(result.learner, result.exercise): result.status for result in read_results(out)}
    for (learner, exercise), status in stored.items():
        if status == MISSING and exercise in asked and (learner, exercise) not in expected:
            _path(out, learner, exercise).unlink()
    for (learner, exercise), each in expected.items():
        if (learner, exercise) not in stored:
            result = refused(b"", keys[exercise], learner=learner, reason=REASON, status=MISSING)
            text = result_json(replace(result, origin=each.origin))
            write_atomically(_path(out, learner, exercise), text)


def _path(out: Path, learner: str, exercise: str) -> Path:
    return out / "results" / learner / f"{exercise}.json"
