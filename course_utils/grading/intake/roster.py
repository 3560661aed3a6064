"""The list of the learners: a CSV from Canvas, from Moodle, or typed by hand."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from course_utils.grading.intake.names import orders, squashed, unaccented
from course_utils.grading.intake.times import moment

# The headers that are known, squashed (see `squashed`): those of Canvas' gradebook export, of
# Moodle's grading worksheet and participants list, and what people write themselves.
NAME = ("student", "studentname", "name", "fullname", "displayname", "sortablename", "learner")
FIRST = ("firstname", "givenname", "forename", "first")
LAST = ("lastname", "surname", "familyname", "last")
# the number by which an LMS names a download's files: Canvas' user, Moodle's participant
PARTICIPANT = ("identifier", "participant")  # Moodle's worksheet has "Participant 123" there
LMS_ID = ("id", "canvasid", "canvasuserid", "userid", *PARTICIPANT)
SIS = ("sisuserid", "sisid", "idnumber", "studentid", "studentnumber", "integrationid")
LOGIN = ("sisloginid", "loginid", "login", "username", "user", "email", "emailaddress", "mail")
OTHER_IDS = (*SIS, *LOGIN)
SUBMITTED = ("submittedat", "submitted", "handedin", "handedinat", "lastmodifiedsubmission")
KNOWN = (*NAME, *FIRST, *LAST, *LMS_ID, *OTHER_IDS, *SUBMITTED)
# rows of Canvas' export that are nobody
NOBODY = {"pointspossible", "manualposting", "studenttest"}


@dataclass(frozen=True)
class Person:
    """A row of the roster. key: unlike every other row's. ids: as written, the LMS's own first.

    lms_id: the number in a download's names. handed_in: None where the roster has no such time.
    """

    key: str
    name: str
    lms_id: str = ""
    ids: tuple[str, ...] = ()
    handed_in: datetime | None = None


class NoMatchError(ValueError):
    """Nobody on the roster, or more than one, can be meant; the message says which and why."""


class Roster:
    """The learners, found by their LMS's number, by another id, or by name."""

    def __init__(self, people: Iterable[Person]) -> None:
        """Make the look-ups."""
        self.people = tuple(people)
        self._by_number = _index((p, [p.lms_id]) for p in self.people)
        self._by_id = _index((p, map(str.casefold, p.ids)) for p in self.people)
        self._by_name = _index((p, orders(p.name)) for p in self.people)
        self._by_bare_name = _index((p, map(unaccented, orders(p.name))) for p in self.people)

    def knows(self, name: str) -> bool:
        """Whether `name` is one person's, by an id or by name."""
        try:
            return bool(self.match_id(name) or self.match_name(name))
        except NoMatchError:
            return False

    def has_namesake(self, person: Person) -> bool:
        """Whether another person's name is the same, or the same in another order."""
        return len(self._by_name.get(squashed(person.name), ())) > 1

    def match_number(self, number: str, name: str) -> Person | None:
        """Who has this number in the LMS; None if nobody.

        Raises NoMatchError if several have it, or if their name is not `name`: a number of another
        Moodle assignment, or a column that holds other numbers than the LMS's.
        """
        person = _only(self._by_number.get(number, ()), f"the number {number}")
        if person is None or not name or self._fits(person, name):
            return person
        raise NoMatchError(
            f"The roster has {person.name} for the number {number}, not {name}. "
            "Take the roster from the same assignment, or leave its column of numbers out."
        )

    def match_id(self, name: str) -> Person | None:
        """Who has `name` as a login, e-mail or other id; None if nobody, NoMatchError if many."""
        return _only(self._by_id.get(name.casefold(), ()), name)

    def match_name(self, name: str) -> Person | None:
        """Whose name it is, in any order of its words; without accents if they alone differ.

        None if nobody's; NoMatchError if it may be that of several.
        """
        squash = squashed(name)
        found = self._by_name.get(squash) or self._by_bare_name.get(unaccented(squash), [])
        return _only(found, f"the name {name}")

    def spells(self, person: Person, name: str) -> bool:
        """Whether `name` is the person's with its accents, or one of their ids."""
        return person in (
            *self._by_name.get(squashed(name), ()),
            *self._by_id.get(name.casefold(), ()),
        )

    def _fits(self, person: Person, name: str) -> bool:
        """Whether nothing in `name` speaks against the person; "Participant" is any of Moodle's."""
        anonymous = re.sub(r"[\d\s]+$", "", person.ids[0]) if person.ids else ""
        found = self._by_bare_name.get(unaccented(squashed(name)), ())
        nameless = person.name in person.ids
        return nameless or person in found or squashed(anonymous) == squashed(name)


def read_roster(path: Path) -> Roster:
    """The roster in the CSV at `path`; its columns are found by their names, in any order.

    Commas, semicolons, tabs or bars between them. UTF-8, with or without a mark at its start, or
    UTF-16 with one, as Excel's "Unicode text" has it. Other encodings are refused, not guessed.
    Raises ValueError if it is none of these, or has no column that names a learner.
    """
    rows = _rows(path)
    header = [squashed(cell) for cell in rows[0]] if rows else []
    known = [column for column in header if column in (*NAME, *FIRST, *LAST, *LMS_ID, *OTHER_IDS)]
    if not known:
        found = ", ".join(rows[0]) if rows else "nothing"
        raise ValueError(
            f"{path} names no learners: its first line is {found!r}. "
            "Give it columns such as Student, ID, Login, Email; or First name, Last name."
        )
    records = [dict(zip(header, row, strict=False)) for row in rows[1:]]
    people = [person for record in records if (person := person_of(record, path))]
    keys = {person.key: person for person in people}  # a row that stands there twice is one
    return Roster(keys.values())


def _rows(path: Path) -> list[list[str]]:
    """The rows that are not empty, by the delimiter that gives the first most known columns."""
    text = _text(path)
    best: list[list[str]] = []
    for delimiter in ",;\t|":
        try:
            rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
        except csv.Error as error:
            raise ValueError(f"{path} is no CSV: {error}. Save it anew as CSV.") from error
        if _known(rows) > _known(best) or not best:
            best = rows
    return best


def _known(rows: list[list[str]]) -> int:
    return sum(squashed(cell) in KNOWN for cell in rows[0]) if rows else 0


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}. Name the roster.") from error
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not {encoding.upper()}. Save it anew as 'CSV UTF-8'."
        ) from error
    if "\0" in text:
        raise ValueError(f"{path} is no text, or UTF-16 without its mark. Save it as 'CSV UTF-8'.")
    return re.sub(r"\Asep=.\r?\n", "", text)  # Excel's own first line


def person_of(record: Mapping[str, str], path: Path) -> Person | None:
    """The person of a row; None for a row that is nobody's."""
    cells = {column: cell.strip() for column, cell in record.items() if cell.strip()}
    first, last = _first(cells, FIRST), _first(cells, LAST)
    name = _first(cells, NAME) or " ".join(filter(None, [first, last]))
    ids = tuple(dict.fromkeys(cells[column] for column in (*LMS_ID, *OTHER_IDS) if column in cells))
    if not (name or ids) or squashed(name) in NOBODY:
        return None
    number = re.search(r"[0-9]+$", _first(cells, PARTICIPANT))
    return Person(
        key=" ".join((name, *ids)),
        name=name or ids[0],
        lms_id=number[0] if number else _first(cells, LMS_ID),
        ids=ids,
        handed_in=_moment(_first(cells, SUBMITTED), path),
    )


def _first(cells: Mapping[str, str], columns: Iterable[str]) -> str:
    return next((cells[column] for column in columns if column in cells), "")


def _moment(text: str, path: Path) -> datetime | None:
    try:
        return moment(text) if text not in ("", "-") else None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _index(entries: Iterable[tuple[Person, Iterable[str]]]) -> dict[str, list[Person]]:
    found: dict[str, list[Person]] = {}
    for person, keys in entries:
        for key in dict.fromkeys(filter(None, keys)):
            found.setdefault(key, []).append(person)
    return found


def _only(found: Iterable[Person], what: str) -> Person | None:
    people = list(found)
    if len(people) > 1:
        names = " and ".join(" ".join(filter(None, [p.name, *p.ids[:1]])) for p in people)
        raise NoMatchError(f"On the roster {what} may be {names}. Rename the folder to one's id.")
    return people[0] if people else None
