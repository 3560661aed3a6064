"""The gradebook that an LMS exports: its columns by their names, and the learners in its rows.

One code for all: no column's place matters, and a column that is not known is left alone.

Canvas (instructure/canvas-lms, gradebook_exporter.rb and app/models/gradebook_importer.rb):
"Student" (or "LastName", "FirstName"), "ID", "SIS User ID", "SIS Login ID", "Integration ID",
"Root Account", "Section", then "Title (assignment's id)" for each assignment, and totals. Below
may stand a row that says what is posted by hand ("Muted", "Manual Posting"), then
"    Points Possible", with "(read only)" where Canvas computes. "EX" is excused, "N/A" not
assigned. Commas or semicolons, a decimal point or comma, with a byte-order mark or without.

Moodle's grading worksheet of one assignment (moodle/moodle, mod/assign/gradingtable.php and
feedback/offline/importgradeslib.php): "Identifier" ("Participant 123"), "Full name", "Email
address", "Status", "Grade", "Maximum Grade", "Grade can be changed", "Last modified (grade)".
Moodle's export of the gradebook (grade/export/lib.php): "First name", "Last name" (once "Surname"),
"ID number", "Email address", "Assignment: Title (Real)"; "-" where there is no grade.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from course_utils.grading.intake.names import squashed
from course_utils.grading.intake.roster import KNOWN, SUBMITTED, Person, Roster, person_of
from course_utils.grading.tables.gradebook import plain
from course_utils.grading.tables.raw_csv import DELIMITERS, RawCsv, parse

MAXIMUM_COLUMN, MAXIMUM_ROW = "maximumgrade", "pointspossible"
WORKSHEET_GRADE = "grade"
NO_SCORE = ("", "-")
READ_ONLY = re.compile(r"read\s+only")  # as Canvas' importer looks for it
CANVAS_ID = re.compile(r"\s*\(\d+\)$")
MOODLE_POINTS = re.compile(r"\s*\(Real\)$", re.IGNORECASE)
NUMBER = re.compile(r"\d+([.,]\d+)?", re.ASCII)


class LmsFileError(ValueError):
    """The file is not one that scores can be put into; the message says why and what to do."""


@dataclass(frozen=True)
class LmsFile:
    """An exported gradebook. roster: the learners in it, each with the number of its row as key."""

    sheet: RawCsv
    headers: list[str]
    roster: Roster
    maximum_column: int | None
    maximum_row: int | None


@dataclass(frozen=True)
class ScoreColumn:
    """The column of one exercise's scores. has_commas: its numbers have decimal commas."""

    lms: LmsFile
    index: int
    has_commas: bool

    @property
    def header(self) -> str:
        """What stands above it."""
        return self.lms.headers[self.index]

    def score(self, row: int) -> str:
        """What stands there now; empty for none."""
        text = self.lms.sheet.value(row, self.index)
        return "" if text in NO_SCORE else text

    def maximum(self, row: int) -> Decimal | None:
        """The most points of that row in the LMS; None where the file does not say."""
        if self.lms.maximum_column is not None:
            return decimal(self.lms.sheet.value(row, self.lms.maximum_column))
        if self.lms.maximum_row is not None:
            return decimal(self.lms.sheet.value(self.lms.maximum_row, self.index))
        return None

    def put(self, row: int, score: Decimal) -> None:
        """Write a score, as the file writes numbers."""
        text = plain(score)
        self.lms.sheet.put(row, self.index, text.replace(".", ",") if self.has_commas else text)


def decimal(text: str) -> Decimal | None:
    """A number with a decimal point or comma; None for anything else."""
    return Decimal(text.replace(",", ".")) if NUMBER.fullmatch(text) else None


def read_lms_file(path: Path) -> LmsFile:
    """The exported gradebook at `path`.

    Raises LmsFileError where it names no learners or is no CSV; OSError if it cannot be read.
    """
    try:
        return _recognised(path.read_bytes(), path)
    except ValueError as error:
        raise LmsFileError(f"{path}: {error}") from error


def _recognised(data: bytes, path: Path) -> LmsFile:
    sheets = [parse(data, delimiter) for delimiter in DELIMITERS]
    sheet = max(sheets, key=lambda sheet: sum(name in KNOWN for name in _squashed_headers(sheet)))
    headers = _squashed_headers(sheet)
    if not set(headers) & set(KNOWN):
        told = ", ".join(sheet.values(0)) if sheet.rows else "nothing"
        raise LmsFileError(
            f"its first line names no learners, but {told!r}. Export the gradebook as CSV; it "
            "needs columns such as Student and ID, or Identifier, or Email address."
        )
    rows = range(1, len(sheet.rows))
    firsts = {row: squashed(sheet.value(row, 0)) for row in rows}
    return LmsFile(
        sheet=sheet,
        headers=sheet.values(0),
        roster=Roster(person for row in rows if (person := _person(sheet, headers, row, path))),
        maximum_column=headers.index(MAXIMUM_COLUMN) if MAXIMUM_COLUMN in headers else None,
        maximum_row=next((row for row in rows if firsts[row] == MAXIMUM_ROW), None),
    )


def _squashed_headers(sheet: RawCsv) -> list[str]:
    return [squashed(header) for header in sheet.values(0)] if sheet.rows else []


def _person(sheet: RawCsv, headers: list[str], row: int, path: Path) -> Person | None:
    """The learner of a row; None for the rows that are nobody's."""
    record = dict(zip(headers, sheet.values(row), strict=False))
    known = {name: cell for name, cell in record.items() if name not in SUBMITTED}
    person = person_of(known, path)
    return None if person is None else replace(person, key=str(row))


def find_column(lms: LmsFile, exercise: str, title: str, *, wanted: str = "") -> ScoreColumn:
    """The score column of an exercise: the one called `wanted`, else by its name or its title.

    Canvas' "(12345)" and Moodle's "Assignment: " and "(Real)" are no part of a name. A worksheet
    of Moodle's has one "Grade", which is any exercise's.
    Raises LmsFileError where none or several are called so, or where no score can be put.
    """
    names = {squashed(wanted)} if wanted else {squashed(exercise), squashed(title)}
    found = [column for column, header in enumerate(lms.headers) if names & _titles(header)]
    exact = [column for column in found if lms.headers[column] == wanted]
    found = exact or found
    if not found and not wanted:
        found = [c for c, header in enumerate(lms.headers) if squashed(header) == WORKSHEET_GRADE]
    if len(found) != 1:
        how_many = "Several columns are" if found else "No column is"
        called = repr(wanted) if wanted else f"{exercise!r} or {title!r}"
        have = ", ".join(repr(lms.headers[column]) for column in found) if found else _scores(lms)
        raise LmsFileError(f"{how_many} called {called}: {have}. Name one with --column.")
    _check_writable(lms, found[0])
    return ScoreColumn(lms, found[0], _has_commas(lms, found[0]))


def _has_commas(lms: LmsFile, column: int) -> bool:
    """Whether the numbers of a column, or the maxima beside it, have decimal commas."""
    columns = [column] if lms.maximum_column is None else [column, lms.maximum_column]
    cells = (lms.sheet.value(row, c) for row in range(len(lms.sheet.rows)) for c in columns)
    return any("," in cell and decimal(cell) is not None for cell in cells)


def _titles(header: str) -> set[str]:
    bare = MOODLE_POINTS.sub("", CANVAS_ID.sub("", header))
    return {squashed(header), squashed(bare), squashed(bare.partition(": ")[2])} - {""}


def _scores(lms: LmsFile) -> str:
    return ", ".join(repr(header) for header in lms.headers if squashed(header) not in KNOWN)


def _check_writable(lms: LmsFile, column: int) -> None:
    name = lms.headers[column]
    if squashed(name) in (*KNOWN, MAXIMUM_COLUMN):
        raise LmsFileError(f"The column {name!r} holds no scores. Name another with --column.")
    if lms.maximum_row is not None and READ_ONLY.search(lms.sheet.value(lms.maximum_row, column)):
        raise LmsFileError(f"Canvas computes {name!r} itself. Name another with --column.")
