"""Late hand-ins: from when a hand-in came and the policy to the points that count.

Pure functions over exact decimals. The results keep the raw points, so that a changed policy
needs no regrading. `late_policy.py` reads a policy from its file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from course_utils.grading.grade import Result

CENT = Decimal("0.01")
NOTHING = Decimal(0)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Span:
    """A length of time.

    days: by the clock on the wall, so that 23:59 stays 23:59 over a change to summer time.
    time: by the second.
    """

    days: int = 0
    time: timedelta = timedelta()

    def after(self, moment: datetime) -> datetime:
        """The moment that comes this long after `moment`, in the time zone of `moment`."""
        same_clock = moment + timedelta(days=self.days)  # within one zone Python adds wall time
        return (same_clock.astimezone(UTC) + self.time).astimezone(moment.tzinfo)


@dataclass(frozen=True)
class Rule:
    """What being late costs in one exercise.

    deadline: with its time zone; None: only the LMS's own mark tells who is late.
    grace: a hand-in that comes within it is in time; a later one counts from the deadline.
    amount: what each started unit ("day" or "hour") takes away: percent of the "maximum" or of
    the "earned" points, whichever percent_of names, or points where percent_of is "".
    at_most: the largest penalty, in the same measure as amount. late_mark: the penalty, in the
    same measure, where the LMS says late and no time is known.
    cut_off: what comes later than this after the deadline counts nothing.
    """

    deadline: datetime | None = None
    grace: Span = Span()
    amount: Decimal = NOTHING
    unit: str = "day"
    percent_of: str = "maximum"
    at_most: Decimal | None = None
    late_mark: Decimal = NOTHING
    cut_off: Span | None = None


@dataclass(frozen=True)
class Allowance:
    """What one learner is granted: `extra` moves each deadline, `waived` is never late.

    waived_exercises: those in which the learner is never late.
    """

    extra: Span = Span()
    waived: bool = False
    waived_exercises: frozenset[str] = frozenset()

    def waives(self, exercise: str) -> bool:
        """Whether being late in `exercise` costs nothing."""
        return self.waived or exercise in self.waived_exercises


@dataclass(frozen=True)
class Policy:
    """The rules of all exercises, and what is granted to whom (by folder name or any id)."""

    default: Rule = Rule()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    allowances: Mapping[str, Allowance] = field(default_factory=dict)

    def rule(self, exercise: str) -> Rule:
        """The rule of an exercise: its own, else the one of all."""
        return self.rules.get(exercise, self.default)

    def granted(self, result: Result) -> list[Allowance]:
        """Every allowance of the learner, under whichever id it was written down."""
        return [self.allowances[each] for each in ids_of(result) if each in self.allowances]


NO_POLICY = Policy()


@dataclass(frozen=True)
class Final:
    """The points that count, exact to the cent: points + penalty = raw.

    reason: why, in words, e.g. "2 started days late".
    """

    raw: int
    points: Decimal
    penalty: Decimal = NOTHING
    late: bool = False
    reason: str = ""


def ids_of(result: Result) -> tuple[str, ...]:
    """Every name by which a file may call the learner: the folder's and the ids."""
    return tuple(dict.fromkeys((result.learner, *result.origin.ids)))


def final_points(result: Result, policy: Policy = NO_POLICY) -> Final:
    """The points of `result` under `policy`: never below 0, never more than the raw points.

    They are rounded half up to 2 digits; the penalty is the rest.
    Raises ValueError for a hand-in whose time has no time zone.
    """
    rule = policy.rule(result.exercise)
    late, owed, reason = _verdict(result, rule, policy.granted(result))
    if rule.at_most is not None and owed is not None:
        owed = min(owed, rule.at_most)
    kept = NOTHING if owed is None else max(NOTHING, result.points - _points(owed, rule, result))
    kept = kept.quantize(CENT, ROUND_HALF_UP)
    return Final(result.points, kept, result.points - kept, late, reason)


def _points(owed: Decimal, rule: Rule, result: Result) -> Decimal:
    """The penalty in points; `owed` is in the measure of the rule."""
    base = {"maximum": result.max_points, "earned": result.points, "": 100}[rule.percent_of]
    return owed * base / 100


Verdict = tuple[bool, Decimal | None, str]  # late; what is owed, None: everything; why
IN_TIME: Verdict = (False, NOTHING, "")


def _verdict(result: Result, rule: Rule, granted: list[Allowance]) -> Verdict:
    """Whether a hand-in is late and what it owes.

    A time and a deadline decide; where one is missing, the LMS's mark does. The mark is not held
    against a learner with extra time, which the LMS need not know of.
    """
    if any(allowance.waives(result.exercise) for allowance in granted):
        return (False, NOTHING, "waived")
    if result.origin.handed_in is not None and rule.deadline is not None:
        return _verdict_by_time(_in_utc(result), _deadline(rule.deadline, granted), rule)
    if not result.origin.late:
        return IN_TIME
    if any(allowance.extra != Span() for allowance in granted):
        return (False, NOTHING, "marked late, but has extra time")
    return (True, rule.late_mark, "marked late")


def _deadline(deadline: datetime, granted: list[Allowance]) -> datetime:
    """The learner's own deadline: the latest that was granted."""
    own = [allowance.extra.after(deadline) for allowance in granted]
    # in UTC, since Python compares two times of one zone by the clock on the wall
    return max(own, key=lambda moment: moment.astimezone(UTC), default=deadline)


def _in_utc(result: Result) -> datetime:
    handed_in = result.origin.handed_in
    if handed_in is None or handed_in.tzinfo is None:
        raise ValueError(
            f"{result.learner}/{result.exercise} was handed in at {handed_in}, without a time "
            "zone. Grade it again with a time that has one."
        )
    return handed_in.astimezone(UTC)


def _verdict_by_time(handed_in: datetime, deadline: datetime, rule: Rule) -> Verdict:
    """The verdict of a known time; `handed_in` is in UTC."""
    if handed_in <= rule.grace.after(deadline):
        return IN_TIME
    if rule.cut_off is not None and handed_in > rule.cut_off.after(deadline):
        return (True, None, "after the cut-off")
    units = _started_units(handed_in, deadline, rule.unit)
    return (True, rule.amount * units, f"{units} started {rule.unit}{'s' * (units > 1)} late")


def _started_units(handed_in: datetime, deadline: datetime, unit: str) -> int:
    """How many days or hours have begun since the deadline; 1 or more."""
    if unit == "hour":
        return -((deadline.astimezone(UTC) - handed_in) // HOUR)
    days = (handed_in.astimezone(deadline.tzinfo).date() - deadline.date()).days
    return days if handed_in <= Span(days).after(deadline) else days + 1


def strangers(policy: Policy, results: Iterable[Result]) -> list[str]:
    """The learners and exercises that the policy names and no result has: typing errors, maybe."""
    unseen = {f"exercise {name}": None for name in policy.rules}
    unseen |= {f"learner {name}": None for name in policy.allowances}
    for result in results:
        for name in (f"exercise {result.exercise}", *(f"learner {id}" for id in ids_of(result))):
            unseen.pop(name, None)
    return list(unseen)
