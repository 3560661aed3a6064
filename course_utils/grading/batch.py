"""Grade many hand-ins: side by side, and write what comes back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from itertools import islice
from pathlib import Path

from course_utils.grading.feedback import feedback_html
from course_utils.grading.files import write_atomically
from course_utils.grading.fingerprints import Runner
from course_utils.grading.grade import Result, grade_one, refused
from course_utils.grading.gradebook import gradebook_csv, result_json, shown
from course_utils.grading.hand_ins import HandIn, read_hand_in
from course_utils.grading.key import Key
from course_utils.grading.overlay import UnreadableError


def grade_all(
    hand_ins: Iterable[HandIn],
    keys: Mapping[str, Key],
    *,
    run: Runner,
    executor: Executor,
    ahead: int = 4,
) -> Iterator[tuple[HandIn, Result]]:
    """Grade every hand-in on `executor`; yield each with its result, as they are done.

    ahead: how many hand-ins are read and waiting at any time (they are held in memory).
    """
    waiting = iter(hand_ins)
    running: dict[Future[Result], HandIn] = {}
    while True:
        for hand_in in islice(waiting, ahead - len(running)):
            running[_submit(hand_in, keys, run, executor)] = hand_in
        if not running:
            return
        wait(running, return_when=FIRST_COMPLETED)
        for done in [future for future in running if future.done()]:  # in the order given
            hand_in = running.pop(done)
            yield hand_in, _outcome(done, hand_in, keys)


def _submit(
    hand_in: HandIn, keys: Mapping[str, Key], run: Runner, executor: Executor
) -> Future[Result]:
    """The future result of a hand-in: at hand at once where nothing is to be run."""
    learner = shown(hand_in.learner)
    try:
        key = keys.get(hand_in.exercise)
        if key is None:
            names = ", ".join(sorted(keys))
            raise UnreadableError(f"No exercise has this name. Rename the file to one of: {names}.")
        return executor.submit(grade_one, read_hand_in(hand_in), key, learner=learner, run=run)
    except UnreadableError as error:
        ready: Future[Result] = Future()
        ready.set_result(_refused(hand_in, keys, str(error)))
        return ready


def _outcome(done: Future[Result], hand_in: HandIn, keys: Mapping[str, Key]) -> Result:
    """The result, or, where the grader itself failed, one that says so: the others go on."""
    try:
        return done.result()
    except Exception as error:
        return _refused(hand_in, keys, f"{type(error).__name__}: {error}", "grader_failed")


def _refused(
    hand_in: HandIn, keys: Mapping[str, Key], reason: str, status: str = "unreadable"
) -> Result:
    learner = shown(hand_in.learner)
    if key := keys.get(hand_in.exercise):
        return refused(b"", key, learner=learner, reason=reason, status=status)
    stranger = refused(b"", next(iter(keys.values())), learner=learner, reason=reason)
    name = shown(hand_in.exercise)
    return replace(stranger, exercise=name, title=name, max_points=0, questions=(), key_sha256="")


def grade_folder(
    hand_ins: Iterable[HandIn],
    keys: Mapping[str, Key],
    out: Path,
    *,
    run: Runner,
    executor: Executor,
    ahead: int = 4,
    on_result: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Grade every hand-in and write results, feedback and, at the end, the gradebook into `out`.

    Raises OSError when `out` cannot be written; what is written by then stays.
    """
    results: list[Result] = []
    graded = grade_all(hand_ins, keys, run=run, executor=executor, ahead=ahead)
    for hand_in, result in graded:
        name = Path(hand_in.learner, hand_in.exercise)
        write_atomically(out / "results" / f"{name}.json", result_json(result))
        write_atomically(out / "feedback" / f"{name}.html", feedback_html(result))
        results.append(result)
        on_result(result)
    write_atomically(out / "gradebook.csv", gradebook_csv(results))
    return results
