"""Who on the roster each owner of a file is. Where two can be meant, nobody is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from course_utils.grading.intake.files import File
from course_utils.grading.intake.lms import Owner
from course_utils.grading.intake.names import squashed
from course_utils.grading.intake.roster import NoMatchError, Person, Roster


@dataclass(frozen=True)
class Claim:
    """A file, whose it is as its path says, and the exercise that it answers."""

    file: File
    owner: Owner
    exercise: str


@dataclass
class Matches:
    """people: owner's key -> person. reasons: owner's key -> why it is nobody's on the roster."""

    people: dict[str, Person] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def match(claims: Iterable[Claim], roster: Roster) -> Matches:
    """Match owners to people by the LMS's number, else by another id, else by name.

    A name is the weakest: it gives way where two numbers of one exercise bear it, and where it
    lacks accents and another owner spells the person's name with them.
    """
    exercises: dict[Owner, set[str]] = {}
    for claim in claims:
        exercises.setdefault(_person_of(claim.owner), set()).add(claim.exercise)
    matches = Matches()
    claimed: dict[str, list[Owner]] = {}
    by_name: list[tuple[Owner, Person]] = []
    for owner in exercises:
        try:
            person = roster.match_number(owner.lms_id, owner.name) if owner.lms_id else None
            if person is None and (person := _by_name(owner, roster)):
                by_name.append((owner, person))
        except NoMatchError as error:
            matches.reasons[owner.key] = str(error)
            continue
        if person is None:
            matches.reasons[owner.key] = f"The roster has nobody of the name {owner.key}."
            continue
        matches.people[owner.key] = person
        claimed.setdefault(person.key, []).append(owner)
    for owner, person in by_name:
        rivals = [rival for rival in claimed[person.key] if rival.key != owner.key]
        if reason := _doubt(owner, person, rivals, exercises, roster):
            del matches.people[owner.key]
            matches.reasons[owner.key] = reason
    return matches


def _person_of(owner: Owner) -> Owner:
    """The owner without what belongs to one file."""
    return Owner(owner.key, owner.name, "", owner.lms_id)


def _by_name(owner: Owner, roster: Roster) -> Person | None:
    if not owner.name:
        return None
    found = None if owner.lms_id else roster.match_id(owner.name)
    return found or roster.match_name(owner.name)


def _doubt(
    owner: Owner,
    person: Person,
    rivals: Iterable[Owner],
    exercises: Mapping[Owner, set[str]],
    roster: Roster,
) -> str:
    """Why `owner`, matched by name, may not be `person` after all, or ""."""
    for rival in rivals:
        same_name = squashed(rival.name) == squashed(owner.name)
        if not same_name and not roster.spells(person, owner.name):
            return f"{rival.name} and {owner.name} may both be {person.name} of the roster."
        numbers = {rival.lms_id, owner.lms_id} - {""}
        if len(numbers) == 2 and exercises[rival] & exercises[owner]:
            told = " and ".join(sorted(numbers))
            return f"The roster has one {person.name}, but the numbers {told} bear that name."
    return ""
