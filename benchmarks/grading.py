"""How many hand-ins a minute this course's grader and nbgrader 0.9.6 grade, side by side.

    make bench-grading                        # about ten minutes
    make bench-grading ARGS="--rounds 1 --hand-ins 20 --classes 10 100"

Both grade the same hand-ins of one exercise: some all right, some blank, most a mix of right,
equivalent, wrong and missing answers, drawn from the popular ones with a seed. They take turns,
round by round, on the same two processors, and the ratio is taken within each round. A rate is
hand-ins by wall time from the command's start to its end, so the start counts. ``course grade``
runs every failed answer once more, alone, in its sandbox, and writes feedback pages; nbgrader is
timed for ``nbgrader autograde`` alone, which has no option to work on several hand-ins at a time
and no sandbox. Its checks are the course's own, as ``course release --nbgrader`` writes them.

CPU seconds are those that the machine's processors were busy, with whatever it was, since a killed
kernel's own are told to no one. So measure on a machine that does nothing else.

Then ``course grade`` grades classes of growing size: seconds a hand-in, and the peak memory of
the coordinating process, which must not grow with the class. Last comes one worker's work by
stage.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbformat import NotebookNode

from course_utils.grading.authoring.nbgrader_source import write_source
from course_utils.grading.exercise import parse
from course_utils.grading.fingerprints import answer_source, read_popular
from course_utils.grading.grade import grade_one
from course_utils.grading.key import read_key
from course_utils.grading.overlay import overlay, read_answers
from course_utils.grading.pages.feedback import feedback_html
from course_utils.grading.release import read_exercise
from course_utils.grading.results import result_json
from course_utils.grading.running.run import Limits, RunOutcome, find_sandbox
from course_utils.grading.running.workers import Workers

ROOT = Path(__file__).parents[1]
NBGRADER = ROOT / ".venv-nbgrader" / "bin" / "nbgrader"
GOAL = 20.0  # times nbgrader's hand-ins a minute
GROWTH = 0.10  # of the coordinator's peak memory, from the smallest class to the largest
SEED = 0
# Right in value, but it runs into the time limit, and then the limit is what is measured.
SLOW = {"walks along the links"}
Answers = dict[str, str]


# The hand-ins: what each learner answers, as slug -> source of the answer cell


def draw_answers(name: str, count: int) -> list[Answers]:
    """For each learner: all right, all blank, or for each question something popular."""
    solution = read_exercise(ROOT / "solutions" / f"{name}.ipynb")
    slugs = {question.slug: question for question in solution.questions}
    right = {slug: solution.cell(question, "answer").source for slug, question in slugs.items()}
    choices: dict[str, list[str | None]] = {slug: [None, source] for slug, source in right.items()}
    for answer in read_popular(ROOT / "solutions" / f"{name}.toml", solution):
        if answer.name not in SLOW:
            choices[answer.question].append(answer_source(slugs[answer.question], answer.code))
    rng = random.Random(SEED)
    return [_draw(rng, right, choices) for _ in range(count)]


def _draw(rng: random.Random, right: Answers, choices: dict[str, list[str | None]]) -> Answers:
    kind = rng.random()
    if kind < 0.3:
        return right
    if kind < 0.4:
        return {}
    drawn = {slug: rng.choice([right[slug], rng.choice(choices[slug])]) for slug in right}
    return {slug: source for slug, source in drawn.items() if source is not None}


def typed_in(edition: NotebookNode, answers: Answers, name: str) -> NotebookNode:
    """The notebook that was given out, with the answers of one learner."""
    notebook = nbformat.from_dict(edition)
    exercise = parse(notebook, name, student=True)
    for question in exercise.questions:
        if question.slug in answers:
            exercise.cell(question, "answer").source = answers[question.slug]
    return notebook


def write_hand_ins(folder: Path, edition: Path, learners: list[Answers], below: str) -> None:
    """Write folder/<learner>/<below>/<exercise>.ipynb for every learner."""
    given_out = nbformat.read(edition, as_version=4)
    for number, answers in enumerate(learners):
        path = folder / f"learner-{number:04d}" / below / edition.name
        path.parent.mkdir(parents=True)
        nbformat.write(typed_in(given_out, answers, edition.stem), path)


# A command, and what it used


@dataclass(frozen=True)
class Used:
    """seconds: wall time. cpu: seconds of all processors. peak: bytes of the command alone."""

    seconds: float
    cpu: float
    peak: int


def timed(command: Sequence[str | Path], folder: Path) -> Used:
    """Run a command that must succeed."""
    before, started = cpu_of_machine(), time.perf_counter()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=_environment(command)
        )
    peak = 0
    while True:
        with contextlib.suppress(OSError):
            peak = max(peak, peak_memory(process.pid))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.25)
            break
    seconds, cpu = time.perf_counter() - started, cpu_of_machine() - before
    if process.returncode != 0:
        raise SystemExit(f"{command} failed:\n{(folder / 'log').read_text()[-2000:]}")
    return Used(seconds, cpu, peak)


def _environment(command: Sequence[str | Path]) -> dict[str, str]:
    """Ours, with the programs beside the command found first: nbgrader calls alembic by name."""
    beside = str(Path(command[0]).parent)
    return os.environ | {"PATH": os.pathsep.join([beside, os.environ.get("PATH", "")])}


def cpu_of_machine() -> float:
    """Seconds that all processors together have been busy so far."""
    spent, busy = psutil.cpu_times(), ("user", "nice", "system", "irq", "softirq")
    return float(sum(getattr(spent, kind, 0.0) for kind in busy))


def peak_memory(pid: int) -> int:
    """The most bytes that a process has occupied so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()  # no such line in a zombie
    return 1024 * next((int(line.split()[1]) for line in lines if "VmHWM" in line), 0)


# The two graders


def prepare_ours(folder: Path, name: str, learners: list[Answers]) -> None:
    write_hand_ins(folder / "hand_ins", ROOT / "exercises" / f"{name}.ipynb", learners, "")
    (folder / "key").mkdir()
    for path in (ROOT / "solutions").glob(f"{name}.*"):
        shutil.copy(path, folder / "key")


def grade_ours(folder: Path) -> Used:
    shutil.rmtree(folder / "grades", ignore_errors=True)
    course = Path(sys.executable).with_name("course")
    used = timed(
        [course, "grade", "hand_ins", "--key", "key", "--out", "grades", *GRADE_OPTIONS], folder
    )
    assert len(list((folder / "grades").glob("results/*/*.json"))) == len(
        list((folder / "hand_ins").iterdir())
    )
    return used


GRADE_OPTIONS: list[str] = []


def prepare_nbgrader(folder: Path, name: str, learners: list[Answers]) -> None:
    """A course of nbgrader's, with one assignment released and handed in."""
    write_source(ROOT, folder)
    timed([NBGRADER, "generate_assignment", name], folder)
    given_out = folder / "release" / name / f"{name}.ipynb"
    write_hand_ins(folder / "submitted", given_out, learners, name)


def grade_nbgrader(folder: Path, name: str) -> Used:
    for leftover in ("autograded", "gradebook.db"):
        path = folder / leftover
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    timed([NBGRADER, "generate_assignment", name, "--force"], folder)
    used = timed([NBGRADER, "autograde", name, "--create"], folder)
    assert len(list((folder / "autograded").iterdir())) == len(
        list((folder / "submitted").iterdir())
    )
    return used


def race(name: str, count: int, rounds: int, scratch: Path) -> float:
    """Grade the same hand-ins in turn; returns the ratio of the rates, a median."""
    learners = draw_answers(name, count)
    (scratch / "ours").mkdir()
    prepare_ours(scratch / "ours", name, learners)
    prepare_nbgrader(scratch / "nbgrader", name, learners)
    print(f"\n{count} hand-ins of {name}, {rounds} rounds, {os.cpu_count()} processors")
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(grade_nbgrader(scratch / "nbgrader", name))
        ours.append(grade_ours(scratch / "ours"))
    for who, used in (("nbgrader autograde", theirs), ("course grade", ours)):
        rate = statistics.median(60 * count / one.seconds for one in used)
        cpu = statistics.median(one.cpu / count for one in used)
        print(f"{who:20} {rate:7.0f} hand-ins a minute {cpu:8.3f} CPU s each")
    ratios = [their.seconds / our.seconds for their, our in zip(theirs, ours, strict=True)]
    by_cpu = [their.cpu / our.cpu for their, our in zip(theirs, ours, strict=True)]
    for what, values in (("by wall time", ratios), ("by CPU time", by_cpu)):
        print(
            f"ratio {what:14} {statistics.median(values):7.1f} "
            f"({min(values):.1f} to {max(values):.1f})"
        )
    return statistics.median(ratios)


def grow(name: str, classes: Sequence[int], scratch: Path) -> float:
    """Grade classes of growing size; returns how much the coordinator's peak grew."""
    print("\nhand-ins  s each  CPU s each  coordinator's peak")
    peaks = []
    for count in classes:
        folder = scratch / f"class-{count}"
        folder.mkdir()
        prepare_ours(folder, name, draw_answers(name, count))
        used = grade_ours(folder)
        peaks.append(used.peak)
        each, cpu = used.seconds / count, used.cpu / count
        print(f"{count:8} {each:7.3f} {cpu:11.3f} {used.peak / 1e6:13.1f} MB")
    return peaks[-1] / peaks[0] - 1


# One hand-in by stage


def stages(name: str) -> None:
    """Print what one right hand-in costs, stage by stage, in CPU milliseconds."""
    key = read_key(ROOT / "solutions" / f"{name}.ipynb")
    data = (ROOT / "solutions" / f"{name}.ipynb").read_bytes()
    answers = read_answers(data, key.exercise)
    notebook = overlay(key.exercise, answers)
    workers = Workers(1, find_sandbox(), Limits())
    with ThreadPoolExecutor(1) as thread:
        outcome = thread.submit(workers.run, notebook).result()
        result = grade_one(data, key, learner="x", run=lambda _: outcome)
        rows = {
            "read the answers": cpu_ms(lambda: read_answers(data, key.exercise)),
            "overlay": cpu_ms(lambda: overlay(key.exercise, answers)),
            **run_by_process(lambda: thread.submit(workers.run, notebook).result()),
            "judge (with reading, overlay)": cpu_ms(
                lambda: grade_one(data, key, learner="x", run=lambda _: outcome)
            ),
            "result as JSON": cpu_ms(lambda: result_json(result)),
            "feedback page": cpu_ms(lambda: feedback_html(result, key.exercise)),
        }
        workers.close()
    print(f"\none right hand-in of {name}, run once")
    for stage, milliseconds in rows.items():
        print(f"{stage:32} {milliseconds:7.2f} CPU ms")


def cpu_ms(work: Callable[[], object], times: int = 20) -> float:
    work()
    started = time.process_time()
    for _ in range(times):
        work()
    return 1000 * (time.process_time() - started) / times


def run_by_process(work: Callable[[], RunOutcome], times: int = 40) -> dict[str, float]:
    """CPU milliseconds of one run in this process, the worker, and the forge with its kernels."""
    for _ in range(3):
        work()
    before, started = cpu_of_workers(), time.process_time()
    for _ in range(times):
        work()
    coordinator = 1000 * (time.process_time() - started) / times
    after = cpu_of_workers()
    return {
        "run: coordinator": coordinator,
        "run: worker (pytest, nbval)": 1000 * (after[0] - before[0]) / times,
        "run: forge and kernels": 1000 * (after[1] - before[1]) / times,
    }


def cpu_of_workers() -> tuple[float, float]:
    """CPU seconds so far of the workers, and of all that is neither one nor this process."""
    workers = 0.0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if (
                "course_utils.grading.running.worker" in process.cmdline()
                and process.name() != "bwrap"
            ):
                workers += sum(process.cpu_times()[:2])
    return workers, cpu_of_machine() - workers - time.process_time()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--exercise", default="ex01_chain_rule")
    parser.add_argument("--hand-ins", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--classes", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--jobs", type=int, help="passed on to course grade")
    options = parser.parse_args()
    # Else each kernel of nbgrader's compiles its imports anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if options.jobs:
        GRADE_OPTIONS.extend(["--jobs", str(options.jobs)])
    failed = []
    with tempfile.TemporaryDirectory(prefix="bench-grading-") as scratch:
        if options.rounds:
            ratio = race(options.exercise, options.hand_ins, options.rounds, Path(scratch))
            if ratio < GOAL:
                failed.append(f"{ratio:.1f} times nbgrader's rate, the goal is {GOAL:g}")
        if options.classes:
            growth = grow(options.exercise, options.classes, Path(scratch))
            print(f"the coordinator's peak grew by {growth:.1%}")
            if growth > GROWTH:
                failed.append(
                    f"the coordinator grew by {growth:.1%}, at most {GROWTH:.0%} is meant"
                )
        stages(options.exercise)
    if failed:
        sys.exit("; ".join(failed))


if __name__ == "__main__":
    main()
