"""Find the hand-ins: whose each file is, which exercise it answers, and which of several counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from course_utils.grading.hand_ins import HandIn, Origin, shown
from course_utils.grading.intake.exercises import Exercises, attempt_in, is_notebook
from course_utils.grading.intake.files import File, Parts, Unread, listed
from course_utils.grading.intake.lms import NoOwnerError
from course_utils.grading.intake.matching import Claim, Matches, match
from course_utils.grading.intake.names import folder_names
from course_utils.grading.intake.outcome import Intake, Missing, Superseded, Unplaced
from course_utils.grading.intake.owners import Owners
from course_utils.grading.intake.roster import Person, Roster, read_roster
from course_utils.grading.overlay import UnreadableError

NO_NOTEBOOK = "It is no notebook, and there is none beside it. Hand in the .ipynb file."
MOST_LOOKED_INTO = 20  # of a learner's notebooks: each may inflate to the size of a hand-in
TOO_MANY = (
    f"There are more than {MOST_LOOKED_INTO} notebooks of this learner whose names tell no "
    "exercise. Name them for their exercises."
)
MOST_TOLD = 5  # of the reasons why nothing at all was found


def find_hand_ins(
    source: Path, exercises: Iterable[str], *, roster: Path | None = None, kind: str = "auto"
) -> Intake:
    """The hand-ins in the folder or zip at `source`; reads only what its name does not place.

    exercises: the names of those that can be graded. roster: a CSV of the learners.
    kind: "folder", "canvas" or "moodle", whose names the files bear; "auto" looks at them.
    Raises ValueError if there is no hand-in, or the roster or the zip cannot be read.
    """
    names, people = Exercises(exercises), read_roster(roster) if roster else Roster(())
    files = listed(source)
    owners = Owners(
        (file.parts for file in files if is_notebook(file.parts[-1])),
        kind=kind,
        is_exercise=lambda name: names.named(name) is not None,
        is_known=people.knows,
    )
    claims, unplaced = _claims(files, owners, names)
    if not claims:
        raise ValueError(_nothing(source, unplaced))
    matches = match(claims, people) if roster else Matches()
    return _Sorted(claims, names, people, matches).intake(unplaced)


def _claims(
    files: Iterable[File], owners: Owners, names: Exercises
) -> tuple[list[Claim], list[Unplaced]]:
    """What each notebook is; and the files that are nobody's, or answer nothing."""
    claims: list[Claim] = []
    unplaced: list[Unplaced] = []
    others: list[tuple[str, File]] = []
    looked_into: Counter[str] = Counter()
    for file in files:
        try:
            owner = owners.of(file.parts)
            if not is_notebook(file.parts[-1]) and not isinstance(file, Unread):
                others.append((owner.key, file))
                continue
            if (exercise := names.named(owner.file)) is None:
                looked_into[owner.key] += 1
                if looked_into[owner.key] > MOST_LOOKED_INTO:
                    raise UnreadableError(TOO_MANY)
                exercise = names.answered(file.read())
            claims.append(Claim(file, owner, exercise))
        except (NoOwnerError, UnreadableError) as error:
            reason = file.reason if isinstance(file, Unread) else str(error)
            if is_notebook(file.parts[-1]) or isinstance(file, Unread):
                unplaced.append(Unplaced(_path(file), reason))
    with_notebook = {claim.owner.key for claim in claims}
    lonely = [Unplaced(_path(file), NO_NOTEBOOK) for k, file in others if k not in with_notebook]
    return claims, sorted([*unplaced, *lonely], key=lambda one: one.file)


def _nothing(source: Path, unplaced: Sequence[Unplaced]) -> str:
    told = [f"{one.file}: {one.reason}" for one in unplaced[:MOST_TOLD]]
    needs = f"{source} holds no hand-in. It needs {source}/<learner>/<exercise>.ipynb"
    return "\n".join([needs, *told])


def _path(file: File) -> str:
    return shown("/".join(file.parts))


@dataclass
class _Sorted:
    """The claims of an intake, by learner and exercise."""

    claims: Sequence[Claim]
    names: Exercises
    roster: Roster
    matches: Matches
    exercises: tuple[str, ...] = field(init=False)
    folders: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Name the folders of the grades; the people of the roster have theirs either way."""
        self.exercises = tuple(sorted({claim.exercise for claim in self.claims}))
        shown = {_identity(person): _shown(person, self.roster) for person in self.roster.people}
        shown |= {self._identity(claim): self._shown(claim) for claim in self.claims}
        self.folders = folder_names(shown)

    def intake(self, unplaced: Iterable[Unplaced]) -> Intake:
        """All of it, sorted."""
        counting, superseded = self._counting()
        return Intake(
            hand_ins=tuple(sorted(counting, key=_place)),
            superseded=tuple(superseded),
            missing=tuple(self._missing()),
            unplaced=tuple(unplaced),
            off_roster=tuple(self._off_roster()),
            notes=tuple(self._notes()),
        )

    def _counting(self) -> tuple[list[HandIn], list[Superseded]]:
        """The newest hand-in of each learner and exercise, and the others."""
        groups: dict[tuple[str, str], list[Claim]] = {}
        for claim in self.claims:
            groups.setdefault((self._identity(claim), claim.exercise), []).append(claim)
        counting: list[HandIn] = []
        superseded: list[Superseded] = []
        for group in groups.values():
            *older, newest = sorted(group, key=self._age)
            counting.append(self._hand_in(newest))
            superseded += [Superseded(self._hand_in(old), _path(newest.file)) for old in older]
        return counting, sorted(superseded, key=lambda old: _place(old.hand_in))

    def _age(self, claim: Claim) -> tuple[bool, int, int, float, Parts]:
        """The greater, the newer: by Canvas' number, the attempt, the file's time, its path.

        A file named for the exercise alone goes before "ex01_chain_rule scratch.ipynb".
        """
        exact = self.names.named_exactly(claim.owner.file)
        attempt = attempt_in(claim.owner.file)
        return exact, claim.owner.serial, attempt, claim.file.changed, claim.file.parts

    def _hand_in(self, claim: Claim) -> HandIn:
        person, owner = self.matches.people.get(claim.owner.key), claim.owner
        numbers = [owner.lms_id] if owner.lms_id else []
        origin = Origin(
            name=shown(person.name if person else owner.name),
            ids=tuple(dict.fromkeys([*(person.ids if person else ()), *numbers])),
            handed_in=self._time(person),
            late=owner.late,
            attempt=attempt_in(owner.file),
            file=_path(claim.file),
        )
        return HandIn(self.folders[self._identity(claim)], claim.exercise, claim.file, origin)

    def _time(self, person: Person | None) -> datetime | None:
        """The roster's time, which is that of one exercise."""
        return person.handed_in if person and len(self.exercises) == 1 else None

    def _missing(self) -> Iterator[Missing]:
        there = {(self._identity(claim), claim.exercise) for claim in self.claims}
        for person in self.roster.people:
            origin = Origin(name=person.name, ids=person.ids)
            for exercise in self.exercises:
                if (_identity(person), exercise) not in there:
                    yield Missing(self.folders[_identity(person)], exercise, origin)

    def _off_roster(self) -> Iterator[Unplaced]:
        for claim in self.claims:
            if reason := self.matches.reasons.get(claim.owner.key):
                yield Unplaced(_path(claim.file), reason)

    def _notes(self) -> Iterator[str]:
        if len(self.exercises) > 1 and any(person.handed_in for person in self.roster.people):
            yield (
                "The roster's times are not used: it has one a learner, but there are "
                f"{len(self.exercises)} exercises. Grade them one by one."
            )

    def _identity(self, claim: Claim) -> str:
        person = self.matches.people.get(claim.owner.key)
        return _identity(person) if person else f"file {claim.owner.key}"

    def _shown(self, claim: Claim) -> str:
        person = self.matches.people.get(claim.owner.key)
        return _shown(person, self.roster) if person else claim.owner.key


def _place(hand_in: HandIn) -> tuple[str, str, str]:
    return hand_in.learner, hand_in.exercise, hand_in.origin.file


def _identity(person: Person) -> str:
    return f"roster {person.key}"


def _shown(person: Person, roster: Roster) -> str:
    """The person's name, with an id where the roster has it twice."""
    twice = roster.has_namesake(person)
    return " ".join([person.name, *person.ids[:1]]) if twice else person.name
