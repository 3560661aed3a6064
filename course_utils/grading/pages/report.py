"""The class on one page, for the instructor: who is missing, which question is hard, and why.

Made from the stored results alone, one in memory at a time, so that it can be made again. It
shows what hidden checks printed: it is not for learners.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean, median

from jinja2 import Template

from course_utils.grading.files import write_atomically
from course_utils.grading.grade import GRADERS_FAULT, MISSING, QuestionResult, Result
from course_utils.grading.pages.code_html import visible
from course_utils.grading.pages.feedback import templates
from course_utils.grading.pages.item_statistics import (
    Index,
    difficulty,
    item_rest_correlation,
    upper_lower,
)
from course_utils.grading.pages.wrong_values import WrongValues
from course_utils.grading.results import read_results
from course_utils.grading.values import VALUE

# their points say nothing of what the learner knows
NOT_JUDGED = (MISSING, "unreadable", *GRADERS_FAULT)
COMMONEST = 6  # wrong values shown of a question
SHOWN_LINES, SHOWN_CHARACTERS = 4, 160  # of each of them
SLOWEST = 3
MOST_TROUBLES = 200  # hand-ins named; beyond this they are counted
MOST_BARS = 25
MOST_NAMES = 20


@dataclass
class QuestionTally:
    """One question over all hand-ins that were judged."""

    number: str
    title: str
    max_points: int
    points: list[int] = field(default_factory=list)
    blank: int = 0
    misconceptions: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    wrong: WrongValues = field(default_factory=WrongValues)

    def add(self, result: QuestionResult) -> None:
        """Count how it went in one hand-in."""
        self.points.append(result.points)
        self.blank += result.outcome == "blank"
        if result.outcome in ("earned", "blank"):
            return
        self.wrong.add(result.values, result.misconception)
        if result.misconception:
            self.misconceptions[result.misconception] += 1
        if result.error:
            self.errors[result.error.partition(":")[0].strip()] += 1

    @property
    def earned(self) -> float:
        """The share of the points that was earned."""
        return difficulty(self.points, self.max_points)

    def discrimination(self, totals: list[int]) -> Index:
        """Correlation with the rest of the exercise."""
        return item_rest_correlation(self.points, totals)

    def upper_lower(self, totals: list[int]) -> Index:
        """How much more the best earn of it than the last."""
        return upper_lower(self.points, totals, self.max_points)


@dataclass
class ExerciseTally:
    """One exercise over all hand-ins."""

    name: str
    title: str
    max_points: int
    questions: dict[str, QuestionTally]
    learners: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    keys: set[tuple[int, str]] = field(default_factory=set)
    late: int = 0
    totals: list[int] = field(default_factory=list)
    times: list[tuple[float, str]] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count one hand-in, or that there is none."""
        self.statuses[result.status] += 1
        if result.status == MISSING:
            return
        self.learners.add(result.learner)
        self.keys.add((result.variant, result.key_sha256))
        self.late += result.origin.late
        if result.status in NOT_JUDGED:
            return
        self.totals.append(result.points)
        self.times.append((result.seconds, name_of(result)))
        for question in result.questions:
            self.questions[question.slug].add(question)

    @property
    def keys_of_a_variant(self) -> int:
        """How many keys graded the hand-ins of one variant: more than one if the key changed."""
        return max(Counter(variant for variant, _ in self.keys).values(), default=0)

    @property
    def mean(self) -> float:
        """Mean points of the hand-ins judged."""
        return fmean(self.totals)

    @property
    def median(self) -> float:
        """Median points of the hand-ins judged."""
        return median(self.totals)

    @property
    def seconds(self) -> float:
        """Median run time of a hand-in, in seconds."""
        return median(seconds for seconds, _ in self.times)

    @property
    def slowest(self) -> list[tuple[float, str]]:
        """The longest run times, each with whose it was."""
        return sorted(self.times, key=lambda time: -time[0])[:SLOWEST]

    @property
    def has_wrong_values(self) -> bool:
        """Whether any hidden check printed something wrong."""
        return any(question.wrong.commonest(1) for question in self.questions.values())

    @property
    def bars(self) -> list[tuple[str, int]]:
        """How many have how many points: (points, people), from none to all."""
        return bars(self.totals, self.max_points)


@dataclass(frozen=True)
class Trouble:
    """A hand-in that did not simply run: whose, which exercise, what and why."""

    learner: str
    exercise: str
    status: str
    reason: str


@dataclass
class ClassTally:
    """All that the report says, filled one result after the other."""

    exercises: dict[tuple[object, ...], ExerciseTally] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    hand_ins: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    more_troubles: int = 0

    def add(self, result: Result) -> None:
        """Count one hand-in. What belongs to no exercise is a trouble and nothing else."""
        self.hand_ins += result.status != MISSING
        self.names[result.learner] = name_of(result)
        if result.status not in ("graded", MISSING):
            self._add_trouble(result)
        if result.questions:
            self._exercise(result).add(result)

    def missing(self, exercise: ExerciseTally) -> list[str]:
        """Who is known, from the roster or another exercise, and has not handed in this one."""
        return [self.names[each] for each in sorted(self.names.keys() - exercise.learners)]

    def _add_trouble(self, result: Result) -> None:
        if len(self.troubles) == MOST_TROUBLES:
            self.more_troubles += 1
            return
        trouble = Trouble(name_of(result), result.exercise, result.status, result.reason)
        self.troubles.append(trouble)

    def _exercise(self, result: Result) -> ExerciseTally:
        """Its tally; an exercise whose questions were changed in between has one for each form."""
        form = tuple((question.slug, question.max_points) for question in result.questions)
        key = (result.exercise, *form)
        if key not in self.exercises:
            self.exercises[key] = ExerciseTally(
                result.exercise,
                result.title,
                result.max_points,
                {q.slug: QuestionTally(q.number, q.title, q.max_points) for q in result.questions},
            )
        return self.exercises[key]


def name_of(result: Result) -> str:
    """The learner as a person writes it, and the name of the folder where the two differ."""
    name = result.origin.name
    return f"{name} ({result.learner})" if name and name != result.learner else result.learner


def bars(totals: Iterable[int], max_points: int) -> list[tuple[str, int]]:
    """(points, people) for each number of points, or for each range where those are too many."""
    width = -(-(max_points + 1) // MOST_BARS)
    counts = Counter(total // width for total in totals)

    def label(start: int) -> str:
        end = min(start + width - 1, max_points)
        return str(start) if end == start else f"{start}–{end}"

    return [(label(at * width), counts[at]) for at in range(max_points // width + 1)]


def report_html(results: Iterable[Result]) -> str:
    """The report on `results` as one HTML page without script or outside file, all escaped."""
    tally = ClassTally()
    for result in results:
        tally.add(result)
    exercises = sorted(tally.exercises.values(), key=lambda exercise: exercise.name)
    return _template().render(
        tally=tally, exercises=exercises, commonest=COMMONEST, most_names=MOST_NAMES
    )


def write_report(
    grades: Path, *, on_fault: Callable[[Path, str], None] = lambda path, fault: None
) -> Path:
    """Write the report on the results in the folder `grades`, and return its path.

    on_fault: is told of each file that holds no result, which is then left out.
    Raises OSError if something cannot be read or written.
    """
    path = grades / "report.html"
    write_atomically(path, report_html(read_results(grades, on_fault=on_fault)))
    return path


@cache
def _template() -> Template:
    environment = templates()
    environment.filters |= {
        "visible": visible,
        "percent": percent,
        "separated": "{:,}".format,
        "values": values,
    }
    return environment.get_template("report.html")


def percent(share: float) -> str:
    """`share` of 1 as whole percent; what is not quite 0 or 1 is never said to be."""
    if 0 < share < 0.01:
        return "< 1 %"
    if 0.99 < share < 1:
        return "> 99 %"
    return f"{share:.0%}".replace("%", " %")


def values(lines: Sequence[str]) -> str:
    """The first lines of values, each cut where it is long, without the word that begins them."""
    shown = [shortened(line.removeprefix(VALUE)) for line in lines[:SHOWN_LINES]]
    more = len(lines) - len(shown)
    return "\n".join([*shown, f"… and {more} more"] if more else shown)


def shortened(line: str) -> str:
    """`line`, or its beginning and a sign that it goes on."""
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]} …"
