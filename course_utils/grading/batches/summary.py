"""What a batch did, in a few lines: counts, the first few names of each kind, the slowest."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from course_utils.grading.batches.resume import Task
from course_utils.grading.grade import GRADERS_FAULT, Result
from course_utils.grading.hand_ins import shown
from course_utils.grading.intake import Intake

NAMES = 3  # told of each kind
LONGEST = 200  # characters of each of them
SLOWEST = 3
DONE = {"grade": "graded", "resume": "resumed", "refuse": "refused"}
REMEDIES = {
    "in part": "stopped by a limit, which may have cost points",
    "failed": "the grader's own fault: mend it and run the same command again",
    "refused": "could not be graded",
}


def printable(text: str) -> str:
    """`text` without a character that moves the cursor, changes colours or hides others."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown(text))


def task_line(task: Task, result: Result) -> str:
    """What was done with one hand-in, why, and how it went: one line of the log."""
    why = f" ({task.why})" if task.action == "grade" and task.why != "new" else ""
    told = "" if result.status == "graded" else f", {result.status}: {result.reason}"
    line = f"{result.points} of {result.max_points}, {result.seconds:.1f} s{told}"
    return printable(f"{DONE[task.action]} {_name(result)}{why}: {line}")


def _name(result: Result) -> str:
    return f"{result.learner}/{result.exercise}"


@dataclass
class Names:
    """How many there are of a kind, and the first few of them."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < NAMES:
            short = name if len(name) <= LONGEST else f"{name[:LONGEST]}…"
            self.first.append(printable(short))

    def __str__(self) -> str:
        """How many, and who."""
        more = f"; and {self.count - NAMES} more" if self.count > NAMES else ""
        return f"{self.count}  {'; '.join(self.first)}{more}"


@dataclass
class Summary:
    """Counts hand-ins as they are done; as small after ten thousand as after ten."""

    statuses: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    kinds: dict[str, Names] = field(default_factory=dict)
    slowest: list[tuple[float, str]] = field(default_factory=list)

    def add(self, task: Task, result: Result) -> None:
        """Count one hand-in that is done."""
        self.statuses[result.status] += 1
        self.resumed += task.action == "resume"
        if result.status in GRADERS_FAULT:
            self.note("failed", f"{_name(result)}: {result.reason}")
        elif result.status == "unreadable":
            self.note("refused", f"{_name(result)}: {result.reason}")
        elif result.status != "graded":
            self.note("in part", f"{_name(result)}: {result.status}")
        if task.action == "grade":
            timed = (result.seconds, _name(result))
            self.slowest = heapq.nlargest(SLOWEST, [*self.slowest, timed])

    def note(self, kind: str, *names: str) -> None:
        """Count what else there is to tell, e.g. hand-ins that are missing."""
        for name in names:
            self.kinds.setdefault(kind, Names()).add(name)

    def note_intake(self, intake: Intake) -> None:
        """Count all that an intake has found besides hand-ins to grade."""
        self.note("missing", *(f"{gap.learner}/{gap.exercise}" for gap in intake.missing))
        older = ((old.hand_in.origin.file, old.by) for old in intake.superseded)
        self.note("superseded", *(f"{file} by {by}" for file, by in older))
        self.note("not graded", *(f"{odd.file}: {odd.reason}" for odd in intake.unplaced))
        self.note("not on the roster", *(f"{odd.file}: {odd.reason}" for odd in intake.off_roster))
        self.note("note", *intake.notes)

    @property
    def failed(self) -> bool:
        """Whether the grader itself failed at a hand-in."""
        return "failed" in self.kinds

    def lines(self) -> Iterator[str]:
        """The summary, its first line alone being enough where all went well."""
        statuses = ["graded", *sorted(set(self.statuses) - {"graded"})]
        told = ", ".join(f"{self.statuses[status]} {status}" for status in statuses)
        resumed = f" ({self.resumed} of them resumed)" if self.resumed else ""
        yield f"{self.statuses.total()} hand-ins: {told}{resumed}."
        yield from self.notes()
        if len(self.slowest) == SLOWEST:
            slow = (f"{printable(name)} {seconds:.1f} s" for seconds, name in self.slowest)
            yield f"  slowest: {', '.join(slow)}"

    def notes(self) -> Iterator[str]:
        """How many there are of each kind, and the first few."""
        for kind, names in self.kinds.items():
            remedy = f" ({REMEDIES[kind]})" if kind in REMEDIES else ""
            yield f"  {kind}: {names}{remedy}"


def planned_lines(tasks: Iterable[Task]) -> Iterator[str]:
    """What a batch would do, by what and why: the answer to a dry run."""
    kinds: dict[tuple[str, str], Names] = {}
    for task in tasks:
        hand_in = task.hand_in
        kind = (task.action, task.why)
        kinds.setdefault(kind, Names()).add(f"{hand_in.learner}/{hand_in.exercise}")
    for (action, why), names in sorted(kinds.items()):
        yield f"  {action}{f' ({printable(why)})' if why else ''}: {names}"
