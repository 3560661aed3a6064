"""Popular answers: what learners tend to write, and how the grader recognises it.

``solutions/exNN_slug.toml`` lists, for each question, wrong answers (with the name of the
misconception and what to think about next) and right answers written another way. A build
runs them all and keeps the values that each wrong one prints in the hidden check, so that
later a misconception is named from the values alone.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course_utils.grading.exercise import Exercise, ExerciseError, Problem, Question
from course_utils.grading.lint import printed
from course_utils.grading.overlay import overlay
from course_utils.grading.running.run import RunOutcome
from course_utils.grading.values import same_lines, value_lines

KINDS = ("wrong", "equivalent")
Runner = Callable[[NotebookNode], RunOutcome]


@dataclass(frozen=True)
class PopularAnswer:
    """One listed answer. name: of the misconception; message: what to think about next."""

    question: str
    kind: str
    name: str
    code: str
    message: str = ""


@dataclass(frozen=True)
class Fingerprint:
    """The value lines that a wrong answer prints in the hidden check of its question."""

    question: str
    name: str
    message: str
    values: tuple[str, ...]


def read_popular(path: Path, exercise: Exercise) -> list[PopularAnswer]:
    """The popular answers listed in the TOML file at `path`.

    Raises ValueError if it is missing or no TOML, ExerciseError if an entry is incomplete,
    names no question of `exercise`, or a question has no wrong or no equivalent answer.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing. List the popular answers of {exercise.name} there.")
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("answer", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not readable as TOML: {error}. Mend that line.") from error
    if found := list(_faults(entries, exercise)):
        raise ExerciseError(path.name, found)
    return [PopularAnswer(**entry) for entry in entries]


def _faults(entries: Sequence[Mapping[str, Any]], exercise: Exercise) -> Iterator[Problem]:
    fields = set(PopularAnswer.__dataclass_fields__)
    slugs = {question.slug: question for question in exercise.questions}
    for entry in entries:
        where = f"{entry.get('question', '?')}: {entry.get('name', '?')}"
        odd = (set(entry) ^ fields) - {"message"}
        if odd or not all(isinstance(value, str) and value.strip() for value in entry.values()):
            fact = f"its keys are {sorted(entry)}, or one is empty"
            yield Problem(where, fact, f"Give it {', '.join(sorted(fields))} (message may lack).")
        elif entry["kind"] not in KINDS or entry["question"] not in slugs:
            fact = f"it has kind {entry['kind']!r} and question {entry['question']!r}"
            yield Problem(where, fact, f"Use one of {KINDS} and one of {tuple(slugs)}.")
    for slug, question in slugs.items():
        kinds = [entry.get("kind") for entry in entries if entry.get("question") == slug]
        for kind in KINDS:
            if kind not in kinds:
                fact = f"no {kind} answer is listed"
                yield Problem(question.cell_id("answer"), fact, "List at least one in the .toml.")


def answer_source(question: Question, code: str) -> str:
    """`code` as the source of the answer cell of `question`, marker line first."""
    return f"{question.marker}\n{code.strip()}\n"


def rounds(
    exercise: Exercise, answers: Sequence[PopularAnswer]
) -> Iterator[tuple[PopularAnswer, ...]]:
    """Share `answers` out so that each round holds at most one answer of each question."""
    columns = [[a for a in answers if a.question == q.slug] for q in exercise.questions]
    for row in zip_longest(*columns):
        yield tuple(answer for answer in row if answer)


def fingerprint(
    exercise: Exercise, answers: Sequence[PopularAnswer], run: Runner
) -> list[Fingerprint]:
    """Run every popular answer and keep the values that the wrong ones print.

    Raises ExerciseError with the faults that ``judged`` finds.
    """
    kept, faults = judged(exercise, answers, run)
    if faults:
        raise ExerciseError(exercise.name, faults)
    return kept


def judged(
    exercise: Exercise, answers: Sequence[PopularAnswer], run: Runner
) -> tuple[list[Fingerprint], list[Problem]]:
    """The values that the wrong ones of `answers` print, and what is wrong with hidden checks.

    A fault is a wrong answer that earns its points, an equivalent one that does not, or two
    wrong ones with different messages that print the same values, so that neither can be named.
    """
    kept: list[Fingerprint] = []
    faults: list[Problem] = []
    slugs = {question.slug: question for question in exercise.questions}
    for row in rounds(exercise, answers):
        sources = {a.question: answer_source(slugs[a.question], a.code) for a in row}
        outcome = run(overlay(exercise, sources))
        for answer in row:
            question = slugs[answer.question]
            cell = outcome.cells[question.cell_id("hidden")]
            right = value_lines(printed(exercise.cell(question, "hidden")))
            values = tuple(value_lines(cell.stdout))
            faults += _misjudged(answer, question, earned=cell.status == "passed")
            if answer.kind == "wrong" and values and not same_lines(right, values):
                faults += _namesakes(answer, question, values, kept)
                kept.append(Fingerprint(answer.question, answer.name, answer.message, values))
    return kept, faults


def _misjudged(answer: PopularAnswer, question: Question, *, earned: bool) -> Iterator[Problem]:
    if earned != (answer.kind == "equivalent"):
        fact = f"the {answer.kind} answer '{answer.name}' {'earns' if earned else 'does not earn'}"
        remedy = "Change the hidden inputs so that they tell it from the right answer."
        if answer.kind == "equivalent":
            remedy = "Move the hidden inputs away from rounding and decision boundaries."
        yield Problem(question.cell_id("hidden"), f"{fact} its points", remedy)


def _namesakes(
    answer: PopularAnswer, question: Question, values: Sequence[str], kept: Sequence[Fingerprint]
) -> Iterator[Problem]:
    for other in kept:
        if other.question != answer.question or other.message == answer.message:
            continue
        if same_lines(other.values, values):
            fact = f"'{answer.name}' and '{other.name}' print the same values"
            remedy = "Choose hidden inputs that tell the two misconceptions apart."
            yield Problem(question.cell_id("hidden"), fact, remedy)


def recognise(
    question: Question, stdout: str, fingerprints: Sequence[Fingerprint]
) -> Fingerprint | None:
    """The wrong answer whose values the hidden check of `question` has printed, if any."""
    values = value_lines(stdout)
    own = [mark for mark in fingerprints if mark.question == question.slug]
    return next((mark for mark in own if same_lines(mark.values, values)), None)


def digest(exercise: Exercise, answers: Sequence[PopularAnswer]) -> str:
    """A hash of all that decides the fingerprints: sources, stored values, popular answers."""
    cells = [[cell.get("id"), cell.source, printed(cell)] for cell in exercise.notebook.cells]
    text = json.dumps([cells, [asdict(answer) for answer in answers]])
    return hashlib.sha256(text.encode()).hexdigest()


def dumps(exercise: Exercise, answers: Sequence[PopularAnswer], marks: list[Fingerprint]) -> str:
    """The text of the fingerprints file: the same bytes for the same input."""
    content = {"digest": digest(exercise, answers), "fingerprints": [asdict(m) for m in marks]}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def loads(
    text: str, exercise: Exercise, answers: Sequence[PopularAnswer]
) -> tuple[Fingerprint, ...]:
    """The fingerprints in `text`; ValueError if they belong to another state of the exercise."""
    try:
        content = json.loads(text)
        marks = tuple(
            Fingerprint(**{**mark, "values": tuple(mark["values"])})
            for mark in content["fingerprints"]
        )
        current = content["digest"] == digest(exercise, answers)
    except (ValueError, KeyError, TypeError):
        current = False
    if not current:
        raise ValueError(
            f"The fingerprints of {exercise.name} are not those of its solution. Run: course build"
        )
    return marks
