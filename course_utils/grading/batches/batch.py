"""Grade many hand-ins, side by side; what comes back is written as soon as it is known."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from itertools import islice
from pathlib import Path

from course_utils.grading.batches.grades import Grades, write_summaries
from course_utils.grading.batches.missing import note_missing
from course_utils.grading.batches.resume import Task, Terms
from course_utils.grading.batches.summary import printable, task_line
from course_utils.grading.files import sync_all
from course_utils.grading.fingerprints import Runner
from course_utils.grading.grade import GRADERS_FAULT, Result, grade_one, refused
from course_utils.grading.hand_ins import HandIn, shown
from course_utils.grading.intake import Missing
from course_utils.grading.key import Key
from course_utils.grading.overlay import UnreadableError
from course_utils.grading.tables.late import NO_POLICY, Policy
from course_utils.grading.version import grader_version

MOST_FAULTS = 10  # of the grader's own in a row

log = logging.getLogger(__name__)


class GraderFailingError(RuntimeError):
    """The grader fails at one hand-in after the other; the message says why."""


def grade_all(
    tasks: Iterable[Task],
    keys: Mapping[str, Key],
    *,
    run: Runner,
    executor: Executor,
    ahead: int = 4,
) -> Iterator[tuple[Task, Result]]:
    """Grade every hand-in on `executor`; yield each with its result, as they are done.

    ahead: how many hand-ins are read and waiting at any time (they are held in memory).
    """
    waiting = iter(tasks)
    running: dict[Future[Result], Task] = {}
    while True:
        for task in islice(waiting, ahead - len(running)):
            running[_submit(task.hand_in, keys, run, executor)] = task
        if not running:
            return
        wait(running, return_when=FIRST_COMPLETED)
        for done in [future for future in running if future.done()]:  # in the order given
            task = running.pop(done)
            yield task, _outcome(done, task.hand_in, keys)


def _submit(
    hand_in: HandIn, keys: Mapping[str, Key], run: Runner, executor: Executor
) -> Future[Result]:
    """The future result of a hand-in: at hand at once where nothing is to be run."""
    learner, key = shown(hand_in.learner), keys[hand_in.exercise].of(hand_in.learner)
    try:
        data = hand_in.read()
    except UnreadableError as error:
        ready: Future[Result] = Future()
        ready.set_result(_refused(hand_in, keys, str(error)))
        return ready
    return executor.submit(grade_one, data, key, learner=learner, run=run)


def _outcome(done: Future[Result], hand_in: HandIn, keys: Mapping[str, Key]) -> Result:
    """The result, or, where the grader itself failed, one that says so: the others go on."""
    try:
        result = done.result()
    except Exception as error:
        return _refused(hand_in, keys, f"{type(error).__name__}: {error}", "grader_failed")
    if result.grader != grader_version():  # of a worker that has joined a cluster since
        reason = f"It was graded by {result.grader}, another version than {grader_version()}."
        return _refused(hand_in, keys, reason, "grader_failed")
    return result


def _refused(
    hand_in: HandIn, keys: Mapping[str, Key], reason: str, status: str = "unreadable"
) -> Result:
    key, learner = keys[hand_in.exercise].of(hand_in.learner), shown(hand_in.learner)
    return refused(b"", key, learner=learner, reason=reason, status=status)


def grade_folder(
    tasks: Sequence[Task],
    keys: Mapping[str, Key],
    out: Path,
    *,
    run: Runner,
    executor: Executor,
    ahead: int = 4,
    terms: Terms | None = None,
    missing: Iterable[Missing] | None = None,
    policy: Policy = NO_POLICY,
    on_result: Callable[[Task, Result], None] = lambda task, result: None,
) -> None:
    """Do what is planned with every hand-in; write results, feedback and, at the end, the rest.

    missing: what was not handed in, None where nobody knows; the grades tell of it.
    policy: what being late costs; the results themselves hold the raw points.
    No result is kept in memory. Stopped at any moment, it leaves whole files; planned again, it
    does the rest.
    Raises OSError when `out` cannot be written, GraderFailingError when hand-in after hand-in
    fails through no fault of its own; what is written by then stays.
    """
    terms, grades, faults = terms or Terms(), Grades(out, keys, policy), 0
    for task in tasks:
        if task.action == "resume":
            _told(task, grades.refreshed(task.hand_in), on_result)
    todo = [task for task in tasks if task.action != "resume"]
    for task, result in grade_all(todo, keys, run=run, executor=executor, ahead=ahead):
        origin = task.hand_in.origin
        result = replace(result, origin=origin, limit_seconds=terms.limit_seconds)
        grades.write(task.hand_in, result)
        _told(task, result, on_result)
        faults = faults + 1 if result.status in GRADERS_FAULT else 0
        if faults == MOST_FAULTS:
            raise GraderFailingError(
                f"The grader itself failed at {faults} hand-ins in a row, the last time so: "
                f"{printable(result.reason)}. Mend that and run the same command again."
            )
    sync_all()
    if missing is not None:
        note_missing(missing, {task.hand_in.exercise for task in tasks}, keys, out)
    write_summaries(out, policy)


def _told(task: Task, result: Result, on_result: Callable[[Task, Result], None]) -> None:
    log.info("%s", task_line(task, result))
    on_result(task, result)
