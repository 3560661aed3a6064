"""Grade many hand-ins: side by side, and write what comes back.

GRADES/results/<learner>/<exercise>.json is the only thing that cannot be had again for nothing,
so it is written first, as soon as it is known. All else is made from the results.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from itertools import islice
from pathlib import Path

from course_utils.grading.feedback import feedback_html
from course_utils.grading.files import sync_all, write_atomically
from course_utils.grading.fingerprints import Runner
from course_utils.grading.grade import GRADERS_FAULT, Result, grade_one, refused
from course_utils.grading.gradebook import gradebook_csv, result_json, shown, wide_csv
from course_utils.grading.hand_ins import HandIn
from course_utils.grading.intake import Missing
from course_utils.grading.key import Key
from course_utils.grading.late import NO_POLICY, Final, Policy, final_points
from course_utils.grading.missing import note_missing
from course_utils.grading.overlay import UnreadableError
from course_utils.grading.report import write_report
from course_utils.grading.results import read_result, read_results
from course_utils.grading.resume import Task, Terms, result_path
from course_utils.grading.summary import printable, task_line
from course_utils.grading.version import grader_version, pages_version

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
    learner, key = shown(hand_in.learner), keys[hand_in.exercise]
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
    key, learner = keys[hand_in.exercise], shown(hand_in.learner)
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
    terms, faults = terms or Terms(), 0
    for task in tasks:
        if task.action == "resume":
            _told(task, _resumed(task.hand_in, keys, out, policy), on_result)
    todo = [task for task in tasks if task.action != "resume"]
    for task, result in grade_all(todo, keys, run=run, executor=executor, ahead=ahead):
        origin = task.hand_in.origin
        result = replace(result, origin=origin, limit_seconds=terms.limit_seconds)
        write_atomically(result_path(out, task.hand_in), result_json(result))
        _write_page(task.hand_in, result, keys, out, policy)
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


def _resumed(hand_in: HandIn, keys: Mapping[str, Key], out: Path, policy: Policy) -> Result:
    """The stored result of a hand-in; what is new of its origin and its page is brought up."""
    path = result_path(out, hand_in)
    stored = read_result(path)
    result = replace(stored, origin=hand_in.origin)
    if result != stored:
        write_atomically(path, result_json(result))
    _write_page(hand_in, result, keys, out, policy)
    return result


def _told(task: Task, result: Result, on_result: Callable[[Task, Result], None]) -> None:
    log.info("%s", task_line(task, result))
    on_result(task, result)


def _write_page(
    hand_in: HandIn, result: Result, keys: Mapping[str, Key], out: Path, policy: Policy
) -> None:
    """Write the page of `result`, unless the one that is there was made from just that."""
    path = out / "feedback" / hand_in.learner / f"{hand_in.exercise}.html"
    final = final_points(result, policy)
    stamp = f"<!-- {_made_from(result, final)} -->\n"
    if not _ends_with(path, stamp.encode()):
        page = feedback_html(result, keys[hand_in.exercise].exercise, final=final)
        write_atomically(path, page + stamp, durable=False)


def _made_from(result: Result, final: Final) -> str:
    """A hash of all that a page is made from; how long it took is no part of it."""
    timeless = tuple(replace(question, seconds=0.0) for question in result.questions)
    text = result_json(replace(result, seconds=0.0, questions=timeless))
    return hashlib.sha256(f"{text}{final}{pages_version()}".encode()).hexdigest()


def _ends_with(path: Path, end: bytes) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-len(end), 2)
            return file.read() == end
    except OSError:  # missing, or shorter than that
        return False


def write_summaries(out: Path, policy: Policy = NO_POLICY) -> None:
    """Write gradebooks and report from the results in `out`: those of earlier batches, too.

    policy: what being late costs; the results themselves hold the raw points.
    """

    def passed_over(path: Path, fault: str) -> None:
        log.warning("%s is left out of the gradebook: %s", path, fault)

    rows = [replace(result, questions=()) for result in read_results(out, on_fault=passed_over)]
    write_atomically(out / "gradebook.csv", gradebook_csv(rows, policy))
    write_atomically(out / "gradebook_wide.csv", wide_csv(rows, policy))
    write_report(out, on_fault=lambda path, fault: None)  # the gradebook has told
