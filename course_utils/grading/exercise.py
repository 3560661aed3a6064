"""An exercise notebook as questions and roles.

The four cells of a question share a prefix, and the suffix names the role::

    exNN-slug-prompt   markdown  "## Question 1.1 · A tanh chain (5 points)"
    exNN-slug-answer   code      the learner writes here
    exNN-slug-visible  code      guides the learner, earns nothing
    exNN-slug-hidden   code      prints values, earns the points; never given out

The names stand in nbgrader's cell metadata (schema 3), so nbgrader's tools open the file too.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

ROLES = ("prompt", "answer", "visible", "hidden")
ROLE_ID = re.compile(rf"(?P<prefix>(?P<exercise>ex\d+)-(?P<slug>.+))-(?P<role>{'|'.join(ROLES)})")
TITLE = re.compile(r"## Question (?P<number>\d+\.\d+) · (?P<title>.+) \((?P<points>\d+) points?\)")
# split in two, so that the scan of a student edition does not stumble over this very line
SOLUTION_BEGIN = "### BEGIN " + "SOLUTION"
SOLUTION_END = "### END " + "SOLUTION"


@dataclass(frozen=True)
class Problem:
    """One thing that keeps an exercise from being used: where, what, and what to do."""

    cell_id: str
    fact: str
    remedy: str

    def __str__(self) -> str:
        """One line: cell, fact, remedy."""
        return f"cell '{self.cell_id}': {self.fact}. {self.remedy}"


class ExerciseError(ValueError):
    """A notebook that cannot serve as an exercise; `problems` holds every reason found."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        """Keep the problems; the message has one line for each."""
        self.name, self.problems = name, tuple(problems)
        super().__init__("\n".join(f"{name}: {problem}" for problem in self.problems))


@dataclass(frozen=True)
class Question:
    """One question of an exercise; `points` are whole points."""

    prefix: str
    slug: str
    number: str
    title: str
    points: int

    def cell_id(self, role: str) -> str:
        """The grade_id of this question's cell with `role`."""
        return f"{self.prefix}-{role}"

    @property
    def marker(self) -> str:
        """First line of the answer cell: finds the answer where the metadata was lost."""
        return f"# {self.cell_id('answer')} · keep this line"

    @property
    def tick(self) -> str:
        """What the visible check prints when it is satisfied."""
        return f"✓ {self.number}"

    @property
    def stub(self) -> str:
        """The line that stands for the worked answer in the student edition."""
        task = json.dumps(f"Question {self.number}: {self.title}", ensure_ascii=False)
        return f"raise NotImplementedError({task})"


@dataclass(frozen=True, eq=False)
class Exercise:
    """A notebook (a solution or a student edition) and the questions found in it."""

    name: str
    notebook: NotebookNode
    questions: tuple[Question, ...]

    @property
    def points(self) -> int:
        """The sum of the questions' points."""
        return sum(question.points for question in self.questions)

    @property
    def title(self) -> str:
        """The first heading of the notebook, or its name."""
        for cell in self.notebook.cells:
            if cell.cell_type == "markdown" and cell.source.startswith("# "):
                return str(cell.source.partition("\n")[0][2:].strip())
        return self.name

    def cell(self, question: Question, role: str) -> NotebookNode:
        """The cell of `question` with `role`; KeyError if there is none."""
        return self.cells_by_id()[question.cell_id(role)]

    def cells_by_id(self) -> dict[str, NotebookNode]:
        """Every cell that nbgrader's metadata names, by grade_id."""
        return {grade_id(cell): cell for cell in self.notebook.cells if grade_id(cell)}

    def blank(self, question: Question) -> str:
        """Source of the answer cell as the learner first sees it."""
        return stub_source(self.cell(question, "answer").source, question)


def nbgrader_metadata(cell: NotebookNode) -> dict[str, Any]:
    """The cell's nbgrader metadata, or an empty dict."""
    found = cell.get("metadata", {}).get("nbgrader", {})
    return found if isinstance(found, dict) else {}


def grade_id(cell: NotebookNode) -> str:
    """The name of the cell in nbgrader's metadata, or ''."""
    found = nbgrader_metadata(cell).get("grade_id", "")
    return found if isinstance(found, str) else ""


def parse(notebook: NotebookNode, name: str, *, student: bool = False) -> Exercise:
    """Find the questions of `notebook`, in the order of their prompts.

    student: a student edition, whose questions have no hidden check.
    Raises ExerciseError if there is no question, or one lacks a cell or a readable title.
    """
    roles: dict[str, dict[str, list[NotebookNode]]] = {}
    for cell in notebook.cells:
        if match := ROLE_ID.fullmatch(grade_id(cell)):
            roles.setdefault(match["prefix"], {}).setdefault(match["role"], []).append(cell)
    wanted = ROLES[:3] if student else ROLES
    problems = [problem for prefix in roles for problem in _gaps(prefix, roles[prefix], wanted)]
    if not roles:
        problems = [
            Problem("-", "there is no question in this notebook", "See CONTRIBUTING.md, Exercises.")
        ]
    if problems:
        raise ExerciseError(name, problems)
    questions = tuple(_question(prefix, found["prompt"][0]) for prefix, found in roles.items())
    return Exercise(name, notebook, questions)


def _gaps(
    prefix: str, found: dict[str, list[NotebookNode]], wanted: tuple[str, ...]
) -> Iterator[Problem]:
    for role in wanted:
        count = len(found.get(role, []))
        if count != 1:
            yield Problem(
                f"{prefix}-{role}",
                f"stands {count} times",
                f"Give each question exactly one cell of each role: {', '.join(wanted)}.",
            )
    for prompt in found.get("prompt", [])[:1]:
        if not TITLE.fullmatch(prompt.source.partition("\n")[0].rstrip()):
            yield Problem(
                f"{prefix}-prompt",
                f"its first line is {prompt.source.partition(chr(10))[0]!r}",
                "Write it as '## Question 1.1 · Title (5 points)'.",
            )


def _question(prefix: str, prompt: NotebookNode) -> Question:
    match = TITLE.fullmatch(prompt.source.partition("\n")[0].rstrip())
    assert match is not None, prefix  # _gaps has looked
    slug = prefix.partition("-")[2]
    return Question(prefix, slug, match["number"], match["title"], int(match["points"]))


def stub_source(source: str, question: Question) -> str:
    """`source` with each solution region replaced, at its indentation, by the stub line."""
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        if line.strip() == SOLUTION_BEGIN:
            inside = True
            lines.append(line[: len(line) - len(line.lstrip())] + question.stub)
        elif line.strip() == SOLUTION_END:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines).rstrip()


def same_code(first: str, second: str) -> bool:
    """Whether two sources differ in trailing or surrounding blanks at most."""

    def essence(source: str) -> list[str]:
        return [line.rstrip() for line in source.strip().splitlines() if line.strip()]

    return essence(first) == essence(second)


def checksum(cell: NotebookNode) -> str:
    """The md5 by which nbgrader (0.9.6, `compute_checksum`) notices an edited cell."""
    meta = nbgrader_metadata(cell)
    grade, solution = bool(meta.get("grade")), bool(meta.get("solution"))
    locked = not solution and (grade or bool(meta.get("locked")))
    parts = [cell.source, cell.cell_type, str(grade), str(solution), str(locked), meta["grade_id"]]
    if grade:
        parts.append(str(float(meta["points"])))
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def stamp(notebook: NotebookNode) -> NotebookNode:
    """Write schema version, task flag and checksum into every nbgrader cell, in place."""
    for cell in notebook.cells:
        if grade_id(cell):
            cell.metadata["nbgrader"].update({"schema_version": 3, "task": False})
            cell.metadata["nbgrader"]["checksum"] = checksum(cell)
    return notebook
