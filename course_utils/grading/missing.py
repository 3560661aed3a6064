"""Who has not handed in: a result of no points that says so, until there is a hand-in."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from course_utils.grading.files import write_atomically
from course_utils.grading.grade import MISSING, refused
from course_utils.grading.gradebook import result_json
from course_utils.grading.intake import Missing
from course_utils.grading.key import Key
from course_utils.grading.results import read_results

REASON = "Nothing was handed in."


def note_missing(missing: Iterable[Missing], keys: Mapping[str, Key], out: Path) -> None:
    """Store a result for each hand-in that is missing, where none is stored yet.

    Those of an earlier roster that no longer hold are taken back; a grade never is.
    """
    expected = {(each.learner, each.exercise) for each in missing}
    stored = {(result.learner, result.exercise): result.status for result in read_results(out)}
    for learner, exercise in stored.keys() - expected:
        if stored[learner, exercise] == MISSING:
            _path(out, learner, exercise).unlink()
    for each in missing:
        if (each.learner, each.exercise) not in stored:
            key = keys[each.exercise]
            result = refused(b"", key, learner=each.learner, reason=REASON, status=MISSING)
            text = result_json(replace(result, origin=each.origin))
            write_atomically(_path(out, each.learner, each.exercise), text)


def _path(out: Path, learner: str, exercise: str) -> Path:
    return out / "results" / learner / f"{exercise}.json"
