"""Put the final points into the gradebook that an LMS exported; whoever is in doubt is listed.

A learner is found by any id, else by name. Nobody is guessed: an id that is another's by name, two
who may be meant, and two results of one learner are all left out and told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from course_utils.grading.grade import GRADERS_FAULT, MISSING, Result
from course_utils.grading.intake.names import squashed, unaccented
from course_utils.grading.intake.roster import NoMatchError, Person
from course_utils.grading.tables.gradebook import plain
from course_utils.grading.tables.late import CENT, NO_POLICY, Policy, final_points, ids_of
from course_utils.grading.tables.lms_file import LmsFile, LmsFileError, ScoreColumn, decimal


@dataclass
class Placed:
    """What became of the results of one exercise. column: the header of the score column.

    scores: how many cells hold their score now. changed: those that held another before.
    unplaced: results that are not in the file, and why. without: learners of the file who have no
    result. notes: what else an instructor should know.
    """

    exercise: str
    column: str
    scores: int = 0
    changed: list[str] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _UnplacedError(Exception):
    """A result that cannot be put into the file; the message says why."""


def place(
    column: ScoreColumn,
    results: Sequence[Result],
    *,
    policy: Policy = NO_POLICY,
    scale: bool = False,
) -> Placed:
    """Put the results of one exercise into a column of the file.

    A cell is only ever filled with a score: without a result, what is there stays, and so does
    what is no number ("EX": excused).
    scale: where the LMS gives another maximum, scale to it; without, LmsFileError.
    """
    placed = Placed(results[0].exercise, column.header)
    found = _found(column.lms, results, placed)
    for key, result in found.items():
        _put(column, int(key), result, _score(column, int(key), result, policy, scale), placed)
    people = column.lms.roster.people
    placed.without = [_told(person) for person in people if person.key not in found]
    return placed


def _found(lms: LmsFile, results: Sequence[Result], placed: Placed) -> dict[str, Result]:
    """Row of the file -> the one result that belongs into it; the others are told in `placed`."""
    claims: dict[str, list[Result]] = {}
    for result in results:
        if result.status == MISSING:
            continue
        try:
            claims.setdefault(_person(lms, result).key, []).append(result)
        except (_UnplacedError, NoMatchError) as reason:
            placed.unplaced.append(f"{_who(result)}: {reason}")
    for rivals in claims.values():
        if len(rivals) > 1:
            folders = ", ".join(rival.learner for rival in rivals)
            placed.unplaced += [
                f"{_who(rival)}: the same learner of the file as {folders}. Keep one of them."
                for rival in rivals
            ]
    return {key: rivals[0] for key, rivals in claims.items() if len(rivals) == 1}


def _person(lms: LmsFile, result: Result) -> Person:
    """The learner of the file whose result it is."""
    if result.status in GRADERS_FAULT:
        raise _UnplacedError(f"not graded ({result.status}). Run `course grade` again.")
    found: dict[str, Person] = {}
    for each in ids_of(result):
        if person := lms.roster.match_id(each) or lms.roster.match_number(each, ""):
            found[person.key] = person
    name = result.origin.name or result.learner
    if len(found) > 1:
        raise _UnplacedError(f"its ids are those of {' and '.join(map(_told, found.values()))}.")
    for person in found.values():
        if result.origin.name and not _share_a_name(person, result.origin.name):
            raise _UnplacedError(f"its id is that of {_told(person)}, by name another.")
        return person
    named = lms.roster.match_name(name)
    if named is None:
        raise _UnplacedError("nobody in the file has one of its ids, or its name.")
    return named


def _share_a_name(person: Person, name: str) -> bool:
    """Whether a word of the person's name is in `name`, which Canvas writes without blanks."""
    if person.name in person.ids:  # the file gives no names
        return True
    whole = unaccented(squashed(name))
    words = [unaccented(squashed(word)) for word in person.name.replace(",", " ").split()]
    return any(word and word in whole for word in words)


def _score(column: ScoreColumn, row: int, result: Result, policy: Policy, scale: bool) -> Decimal:
    """The final points, in the measure of the LMS, rounded half up to 2 digits."""
    points, maximum = final_points(result, policy).points, column.maximum(row)
    if not maximum or maximum == result.max_points:
        return points
    if not scale:
        raise LmsFileError(
            f"{result.exercise} has {result.max_points} points, the column {column.header!r} "
            f"{maximum}. Pass --scale, or set the LMS's to {result.max_points}."
        )
    return (points * maximum / result.max_points).quantize(CENT, ROUND_HALF_UP)


def _put(column: ScoreColumn, row: int, result: Result, score: Decimal, placed: Placed) -> None:
    """Write the score, unless the cell holds it already or says something else than a number."""
    before = column.score(row)
    if before and decimal(before) is None:
        placed.unplaced.append(f"{_who(result)}: the file says {before!r} there, which stays.")
        return
    placed.scores += 1
    if result.status == "unreadable":
        placed.notes.append(f"{_who(result)}: 0 points, unreadable. {result.reason}")
    if decimal(before) == score:
        return
    column.put(row, score)
    if before:
        placed.changed.append(f"{_who(result)}: {before} before, {plain(score)} now")


def _who(result: Result) -> str:
    name = result.origin.name
    return f"{result.learner} ({name})" if name and name != result.learner else result.learner


def _told(person: Person) -> str:
    ids = [each for each in person.ids[:1] if each != person.name]
    return " ".join([person.name, *(f"({each})" for each in ids)])
