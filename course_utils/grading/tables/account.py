"""What became of every file that was handed in, as a table: the full story behind the summary."""

import csv
import io
from collections.abc import Iterator

from course_utils.grading.hand_ins import HandIn, shown
from course_utils.grading.intake.outcome import Intake
from course_utils.grading.tables.gradebook import defused

COLUMNS = ("fate", "learner", "exercise", "file", "attempt", "handed_in", "late", "reason")


def account_csv(intake: Intake) -> str:
    """A row for each file and each missing hand-in.

    fate: to grade, superseded, missing, or unplaced (not graded). reason: why, or what is amiss.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in _rows(intake):
        writer.writerow([defused(shown(cell)) for cell in row])
    return text.getvalue()


def _rows(intake: Intake) -> Iterator[list[str]]:
    off_roster = {odd.file: odd.reason for odd in intake.off_roster}
    for hand_in in intake.hand_ins:
        yield _row("to grade", hand_in, off_roster.get(hand_in.origin.file, ""))
    for old in intake.superseded:
        yield _row("superseded", old.hand_in, f"{old.by} counts.")
    for gap in intake.missing:
        yield ["missing", gap.learner, gap.exercise, "", "", "", "", ""]
    for odd in intake.unplaced:
        yield ["unplaced", "", "", odd.file, "", "", "", odd.reason]


def _row(fate: str, hand_in: HandIn, reason: str) -> list[str]:
    origin = hand_in.origin
    when = origin.handed_in.isoformat() if origin.handed_in else ""
    late = "late" if origin.late else ""
    where = [hand_in.learner, hand_in.exercise, origin.file]
    return [fate, *where, str(origin.attempt), when, late, reason]
