"""Which hand-ins are graded already: their stored result answers for the same work by the same key.

What counts is the content, never the time or the name of a file: the hashes of the hand-in and
of the key, the grader's version, and under which limits and in what sandbox it ran.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from course_utils.grading.grade import GRADERS_FAULT, MISSING, Result
from course_utils.grading.hand_ins import HandIn, shown
from course_utils.grading.key import Key
from course_utils.grading.overlay import UnreadableError, read_answers
from course_utils.grading.results import read_result
from course_utils.grading.version import grader_version

NOTHING_LOST = ("graded", "unreadable")  # to no limit: more of it would change nothing


@dataclass(frozen=True)
class Terms:
    """On what terms a batch grades. limit_seconds: wall time that one run may take."""

    limit_seconds: float = 60
    sandboxed: bool = True
    regrade: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A hand-in and what is to be done with it, and why.

    action: "grade", "resume" (its stored result stands) or "refuse" (nothing is to be run).
    """

    hand_in: HandIn
    action: Literal["grade", "resume", "refuse"]
    why: str = ""


def result_path(grades: Path, hand_in: HandIn) -> Path:
    """Where the result of `hand_in` is stored below the folder `grades`."""
    return grades / "results" / hand_in.learner / f"{hand_in.exercise}.json"


def plan(
    hand_ins: Iterable[HandIn], keys: Mapping[str, Key], grades: Path, terms: Terms
) -> Iterator[Task]:
    """What is to be done with each hand-in, in order; reads, but neither runs nor writes."""
    for hand_in in hand_ins:
        yield _task(hand_in, keys, grades, terms)


def _task(hand_in: HandIn, keys: Mapping[str, Key], grades: Path, terms: Terms) -> Task:
    try:
        data = hand_in.read()
    except UnreadableError as error:
        return Task(hand_in, "refuse", str(error))
    if terms.regrade:
        return Task(hand_in, "grade", "asked for")
    key = keys[hand_in.exercise].of(hand_in.learner)
    why = _why_not_done(hand_in, data, key, grades, terms)
    return Task(hand_in, "grade" if why else "resume", why)


def _why_not_done(hand_in: HandIn, data: bytes, key: Key, grades: Path, terms: Terms) -> str:
    path = result_path(grades, hand_in)
    if not path.is_file():
        return "new"
    try:
        stored = read_result(path)
    except ValueError as error:
        return str(error)
    if stored.learner != shown(hand_in.learner):
        return f"its stored result is that of {stored.learner}"
    return why_again(stored, hashlib.sha256(data).hexdigest(), key, terms)


def why_again(stored: Result, hand_in_sha256: str, key: Key, terms: Terms) -> str:
    """Why the hand-in of that hash is to be graded again, or "" if its stored result stands."""
    reasons = {
        "new": stored.status == MISSING,
        "the grader had failed": stored.status in GRADERS_FAULT,
        "its points do not add up": stored.points != sum(q.points for q in stored.questions),
        "the hand-in has changed": stored.hand_in_sha256 != hand_in_sha256,
        "the key has changed": (stored.exercise, stored.key_sha256) != (key.name, key.sha256),
        "the grader has changed": stored.grader != grader_version(),
        "it had run without a sandbox": terms.sandboxed and not stored.sandboxed,
        "the time limit is lower": terms.limit_seconds < stored.limit_seconds,
        "there is more time now": terms.limit_seconds > stored.limit_seconds
        and stored.status not in NOTHING_LOST,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def looked_into(task: Task, keys: Mapping[str, Key]) -> Task:
    """`task`, refused where its hand-in cannot be graded: a dry run tells without running it."""
    if task.action != "grade":
        return task
    try:
        read_answers(task.hand_in.read(), keys[task.hand_in.exercise].exercise)
    except UnreadableError as error:
        return replace(task, action="refuse", why=str(error))
    return task
