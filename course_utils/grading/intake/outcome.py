"""What an intake found: what to grade, and everything else, so that nothing is lost unseen."""

from dataclasses import dataclass

from course_utils.grading.hand_ins import HandIn, Origin


@dataclass(frozen=True)
class Unplaced:
    """A file and what is amiss with it."""

    file: str
    reason: str


@dataclass(frozen=True)
class Superseded:
    """A hand-in that does not count, and the file of the one that does."""

    hand_in: HandIn
    by: str


@dataclass(frozen=True)
class Missing:
    """A learner of the roster who did not hand in an exercise that others did."""

    learner: str
    exercise: str
    origin: Origin


@dataclass(frozen=True)
class Intake:
    """What was found. hand_ins: to grade, one a learner and exercise, sorted by both.

    unplaced: files that are nobody's, or answer no exercise: not graded.
    off_roster: files graded under their own name, as the roster has nobody, or several, of it.
    notes: what else an instructor should know.
    """

    hand_ins: tuple[HandIn, ...]
    superseded: tuple[Superseded, ...] = ()
    missing: tuple[Missing, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    off_roster: tuple[Unplaced, ...] = ()
    notes: tuple[str, ...] = ()
