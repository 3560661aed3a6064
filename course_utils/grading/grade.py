"""Grade one hand-in: a pure function from its bytes and the key to a result."""

import builtins
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from course_utils.grading.exercise import Question
from course_utils.grading.fingerprints import Runner, recognise
from course_utils.grading.hand_ins import Origin
from course_utils.grading.key import Key
from course_utils.grading.overlay import UnreadableError, overlay, read_answers
from course_utils.grading.running.run import CellOutcome, RunOutcome
from course_utils.grading.values import value_lines
from course_utils.grading.version import grader_version

NOT_RUN = CellOutcome(cell_id="", status="not_run", stdout="", error="", seconds=0.0)
# only names that Python itself gives: a class of the learner's own could carry a hidden input
PUBLIC_ERRORS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
MAX_MESSAGE = 400
# statuses of a hand-in that nobody has graded: its points say nothing of the learner
GRADERS_FAULT = ("sandbox_failed", "grader_failed")
MISSING = "missing"  # the status of what was not handed in


@dataclass(frozen=True)
class QuestionResult:
    """How one question went. outcome: earned, blank, not_earned, error, not_run or how a run ended.

    misconception, advice: name and message of the popular wrong answer that was recognised.
    visible: outcome of the visible check (passed, failed, error, …).
    message: one line for the learner; of a hidden check it tells neither input nor value.
    answer: the learner's own code.
    values, error: what the hidden check printed, and what was raised, for the instructor only.
    """

    number: str
    slug: str
    title: str
    points: int
    max_points: int
    outcome: str
    visible: str = "not_run"
    misconception: str = ""
    advice: str = ""
    message: str = ""
    answer: str = ""
    values: tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Result:
    """One graded hand-in, as it is written to results/<learner>/<exercise>.json.

    sandboxed: no line of the learner's ran outside a sandbox.
    grader: which grader it was, see ``version``. limit_seconds: wall time that one run might take.
    variant: of the key, 0 where there are none; for the instructor only.
    """

    learner: str
    exercise: str
    title: str
    status: str
    reason: str
    points: int
    max_points: int
    questions: tuple[QuestionResult, ...]
    sandboxed: bool
    hand_in_sha256: str
    key_sha256: str
    grader: str
    seconds: float
    origin: Origin = field(default_factory=Origin)
    limit_seconds: float = 0.0
    variant: int = 0


def grade_one(data: bytes, key: Key, *, learner: str, run: Runner) -> Result:
    """Grade the notebook in `data` by `key`; never raises for anything that is in `data`.

    All answers are run together once. Then each edited answer that did not earn is run alone,
    all others blank, unless it was the first to run anyway: no broken answer costs another
    question its points. The better of the two counts.
    """
    started = time.perf_counter()
    try:
        answers = read_answers(data, key.exercise)
    except UnreadableError as error:
        return refused(data, key, learner=learner, reason=str(error))
    runs: list[RunOutcome] = []
    questions: dict[str, QuestionResult] = {}
    if answers:
        runs.append(run(overlay(key.exercise, answers)))
    for question in key.exercise.questions:
        if question.slug not in answers:
            questions[question.slug] = _unearned(question, "blank", message="Not answered yet.")
            continue
        ran_first = all(earlier.outcome == "blank" for earlier in questions.values())
        result = _judge(question, runs[0], key)
        if result.outcome != "earned" and not ran_first:
            runs.append(run(overlay(key.exercise, {question.slug: answers[question.slug]})))
            result = _judge(question, runs[-1], key)
        questions[question.slug] = replace(result, answer=answers[question.slug])
    status, reason = _status(runs)
    blank = _result(data, key, learner=learner, status=status, reason=reason)
    return replace(
        blank,
        points=sum(result.points for result in questions.values()),
        questions=tuple(questions.values()),
        sandboxed=all(outcome.sandboxed for outcome in runs),
        seconds=round(time.perf_counter() - started, 3),
    )


def refused(
    data: bytes, key: Key, *, learner: str, reason: str, status: str = "unreadable"
) -> Result:
    """The result of a hand-in that was not run: no points, and the reason why."""
    questions = tuple(_unearned(question, "not_run") for question in key.exercise.questions)
    result = _result(data, key, learner=learner, status=status, reason=reason)
    return replace(result, questions=questions)


def _result(data: bytes, key: Key, *, learner: str, status: str, reason: str) -> Result:
    return Result(
        learner=learner,
        exercise=key.name,
        title=key.exercise.title,
        status=status,
        reason=reason,
        points=0,
        max_points=key.exercise.points,
        questions=(),
        sandboxed=True,
        hand_in_sha256=hashlib.sha256(data).hexdigest() if data else "",
        key_sha256=key.sha256,
        grader=grader_version(),
        seconds=0.0,
        variant=key.variant,
    )


def _unearned(question: Question, outcome: str, *, message: str = "") -> QuestionResult:
    return QuestionResult(
        number=question.number,
        slug=question.slug,
        title=question.title,
        points=0,
        max_points=question.points,
        outcome=outcome,
        message=message,
    )


def _cells(question: Question, run: RunOutcome) -> Mapping[str, CellOutcome]:
    return {
        role: run.cells.get(question.cell_id(role), NOT_RUN)
        for role in ("answer", "visible", "hidden")
    }


def _judge(question: Question, run: RunOutcome, key: Key) -> QuestionResult:
    """What `run` says of `question`. Points come from the key alone."""
    cells = _cells(question, run)
    hidden = cells["hidden"]
    result = replace(
        _unearned(question, ""),
        visible=cells["visible"].status,
        values=tuple(value_lines(hidden.stdout)),
        seconds=round(sum(cell.seconds for cell in cells.values()), 3),
    )
    if hidden.status == "passed":
        return replace(result, outcome="earned", points=question.points)
    stopped = [cell.error for cell in (cells["answer"], hidden) if cell.status == "error"]
    result = replace(result, error="".join(stopped[:1])[:MAX_MESSAGE])
    if mark := recognise(question, hidden.stdout, key.fingerprints):
        result = replace(result, misconception=mark.name, advice=mark.message)
    for cell in cells.values():
        if cell.status == "timed_out":
            return replace(result, outcome="timed_out", message="It did not end in time.")
    if hidden.status == "not_run" and run.ended != "finished":
        return replace(result, outcome=run.ended, message=ENDINGS.get(run.ended, ""))
    outcome = "not_earned" if hidden.status == "failed" else hidden.status
    return replace(result, outcome=outcome, message=_message(cells))


ENDINGS = {
    "timed_out": "The notebook did not end in time.",
    "kernel_died": "Python itself was ended, e.g. by exit(), or crashed.",
    "output_limit": "It printed more than a notebook can hold.",
    "memory_limit": "It used more memory than there is. Look for an array that grows.",
    "sandbox_failed": "The grader could not start. This is not your fault: tell your instructor.",
}


def _message(cells: Mapping[str, CellOutcome]) -> str:
    """The first thing that went wrong, in one line that gives no hidden input away.

    The answer cell and the visible check ran before the hidden check and beside blank answers
    only, so what they say is the learner's own; of the hidden check only the kind of error is.
    """
    answer, visible, hidden = cells["answer"], cells["visible"], cells["hidden"]
    if "NotImplementedError" in {_kind(cell.error) for cell in cells.values()}:
        return "Not answered yet: the stub is still in place."
    if answer.status == "error":
        return f"Your answer cell stopped: {answer.error[:MAX_MESSAGE]}"
    if visible.status in ("failed", "error") and visible.error:
        told = visible.error.removeprefix("AssertionError: ")
        return f"The visible check says: {told[:MAX_MESSAGE]}"
    if hidden.status == "error":
        kind = _kind(hidden.error)
        kind = kind if kind in PUBLIC_ERRORS else "an exception"
        return f"The visible check is satisfied, but on other inputs it raised {kind}."
    return "The visible check is satisfied, but on other inputs the values are not right."


def _kind(error: str) -> str:
    return error.partition(":")[0].strip()


def _status(runs: list[RunOutcome]) -> tuple[str, str]:
    """Status and reason of the whole hand-in: the first thing that did not end well."""
    for run in runs:
        if run.ended != "finished":
            told = "" if run.ended == "sandbox_failed" else ENDINGS.get(run.ended, "")
            return run.ended, told or run.detail
    if any(cell.status == "timed_out" for run in runs for cell in run.cells.values()):
        return "timed_out", ENDINGS["timed_out"]
    return "graded", ""
