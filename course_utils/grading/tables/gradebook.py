"""The text of the grades' files, harmless in a spreadsheet."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from course_utils.grading.grade import GRADERS_FAULT, MISSING, Result
from course_utils.grading.hand_ins import shown
from course_utils.grading.tables.late import NO_POLICY, Final, Policy, final_points

COLUMNS = (
    "learner",
    "exercise",
    "points",
    "max_points",
    "status",
    "name",
    "ids",
    "handed_in",
    "attempt",
    "late",
    "penalty",
    "final_points",
    "why",
)
# Excel takes a CSV file without it for one of the old code page, and spoils every accent
BYTE_ORDER_MARK = "\ufeff"
# where the list separator is a semicolon, a spreadsheet begins a new cell after it
CELL_BORDER = re.compile(r"([;\t\r\n])")
QUOTES = set("'\"`´‘’‚‛“”„‟‹›«»")
FORMULA_STARTS = set("=+-@−")


def defused(cell: str) -> str:
    """`cell` such that no spreadsheet takes it, or a part of it, for a formula.

    Such a part gets a ' in front, also where its sign is a full-width one or stands behind
    blanks, quotes or invisible characters.
    Source: OWASP, CSV Injection.
    """
    parts = CELL_BORDER.split(cell)
    return "".join(f"'{part}" if _is_formula(part) else part for part in parts)


def _is_formula(part: str) -> bool:
    """Whether the first character that a spreadsheet would look at begins a formula."""
    for char in unicodedata.normalize("NFKC", part):
        if char.isspace() or char in QUOTES or unicodedata.category(char) in ("Cc", "Cf"):
            continue
        return char in FORMULA_STARTS
    return False


def plain(number: Decimal) -> str:
    """`number` without an exponent and without zeros that say nothing: 17.5, not 17.50."""
    return f"{number.normalize():f}"


def gradebook_csv(results: Iterable[Result], policy: Policy = NO_POLICY) -> str:
    """The gradebook as CSV text: a row a hand-in, sorted by learner and exercise.

    points: as graded; final_points: what is left of them under `policy`.
    """
    rows = (_row(result, final_points(result, policy)) for result in results)
    lines = sorted((row[:2], _line(row)) for row in rows)  # as text a row takes the least memory
    return "".join([BYTE_ORDER_MARK, _line(COLUMNS), *(line for _, line in lines)])


def _row(result: Result, final: Final) -> tuple[str, ...]:
    origin = result.origin
    return (
        shown(result.learner),
        shown(result.exercise),
        str(result.points),
        str(result.max_points),
        result.status,
        origin.name,
        " ".join(origin.ids),
        origin.handed_in.isoformat(" ", "seconds") if origin.handed_in else "",
        str(origin.attempt),
        "late" if final.late else "",
        plain(final.penalty),
        plain(final.points),
        final.reason,
    )


@dataclass(slots=True)
class _Learner:
    """A row of the wide gradebook; ids of one LMS can differ from exercise to exercise."""

    name: str = ""
    ids: dict[str, None] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    total: Decimal = Decimal(0)

    def add(self, result: Result, final: Final) -> None:
        self.name = self.name or result.origin.name
        self.ids |= dict.fromkeys(result.origin.ids)
        self.cells[result.exercise] = _cell(result, final)
        self.total += final.points


def wide_csv(results: Iterable[Result], policy: Policy = NO_POLICY) -> str:
    """The final points as CSV text: a row a learner, a column an exercise, and the total.

    A cell is empty where nothing was handed in, and says why where nothing could be graded.
    """
    learners: dict[str, _Learner] = {}
    maxima: dict[str, int] = {}
    for result in results:
        maxima[result.exercise] = result.max_points
        learner = learners.setdefault(result.learner, _Learner())
        learner.add(result, final_points(result, policy))
    exercises, out_of = sorted(maxima), str(sum(maxima.values()))
    rows = (
        (
            shown(learner),
            row.name,
            " ".join(row.ids),
            *(row.cells.get(exercise, "") for exercise in exercises),
            plain(row.total),
            out_of,
        )
        for learner, row in sorted(learners.items())
    )
    columns = ("learner", "name", "ids", *map(shown, exercises), "total", "max_total")
    return "".join([BYTE_ORDER_MARK, _line(columns), *map(_line, rows)])


def _cell(result: Result, final: Final) -> str:
    if result.status in GRADERS_FAULT:
        return result.status
    return "" if result.status == MISSING else plain(final.points)


def _line(row: Iterable[str]) -> str:
    """A row as CSV text, each cell defused."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([defused(cell) for cell in row])
    return text.getvalue()
