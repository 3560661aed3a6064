"""`course grade`: grade a folder of hand-ins."""

import argparse
import contextlib
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.cli.options import add_late_policy_to, late_policy, positive, processors
from course_utils.cli.status import FAILED, OK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from typing import Never

    from tqdm import tqdm

    from course_utils.cli.options import Commands
    from course_utils.grading.batches.resume import Task, Terms
    from course_utils.grading.batches.summary import Summary
    from course_utils.grading.fingerprints import Runner
    from course_utils.grading.grade import Result
    from course_utils.grading.intake import Missing
    from course_utils.grading.key import Key
    from course_utils.grading.tables.late import Policy


def add_to(commands: "Commands") -> None:
    """Add the command to the command line."""
    grade = commands.add_parser("grade", help="grade a folder of hand-ins")
    grade.add_argument("hand_ins", type=Path, help="the folder or zip of the hand-ins")
    grade.add_argument("--key", type=Path, required=True, help="the folder of the solutions")
    grade.add_argument("--out", type=Path, required=True, help="the folder of the grades")
    grade.add_argument("--roster", type=Path, metavar="CSV", help="the learners; names the missing")
    grade.add_argument(
        "--from",
        dest="kind",
        choices=("auto", "folder", "canvas", "moodle"),
        default="auto",
        help="whose names the hand-ins bear (auto)",
    )
    grade.add_argument("--jobs", type=positive, default=processors(), metavar="N")
    grade.add_argument(
        "--scheduler", metavar="ADDRESS", help="grade on a Dask cluster, e.g. tcp://host:8786"
    )
    grade.add_argument(
        "--timeout", type=positive, default=60, metavar="S", help="seconds for one run (60)"
    )
    grade.add_argument(
        "--dry-run", action="store_true", help="say what would be done; run and write nothing"
    )
    grade.add_argument("-v", "--verbose", action="store_true", help="log each hand-in")
    grade.add_argument("--regrade", action="store_true", help="grade what is graded already, too")
    grade.add_argument(
        "--variants",
        type=positive,
        metavar="N",
        help="give each learner one of N variants of the hidden inputs (off)",
    )
    add_late_policy_to(grade)
    grade.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run hand-ins with your own rights; only for hand-ins that you trust",
    )
    grade.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Grade, and say how it went, or why it cannot be done."""
    from course_utils.grading.batches.batch import GraderFailingError
    from course_utils.grading.batches.cluster import ClusterError
    from course_utils.grading.files import FolderInUseError
    from course_utils.grading.running.run import SandboxUnavailable

    try:
        return _run(options)
    except (ClusterError, FolderInUseError, GraderFailingError, SandboxUnavailable) as error:
        print(error, file=sys.stderr)
        return FAILED


def _run(options: argparse.Namespace) -> int:
    from course_utils.grading.batches.resume import Terms, looked_into, plan
    from course_utils.grading.batches.summary import Summary, planned_lines
    from course_utils.grading.files import sole_writer, write_atomically
    from course_utils.grading.intake import find_hand_ins
    from course_utils.grading.key import read_keys
    from course_utils.grading.tables.account import account_csv

    _keep_apart(options.out, options.hand_ins, options.key)
    keys, policy = read_keys(options.key), late_policy(options)
    intake = find_hand_ins(options.hand_ins, keys, roster=options.roster, kind=options.kind)
    terms = Terms(options.timeout, not options.unsafe_no_sandbox, options.regrade)
    summary = Summary()
    summary.note_intake(intake)
    named = sorted({hand_in.exercise for hand_in in intake.hand_ins})
    if options.dry_run:
        keys |= _stored_variants(named, keys, options)
        planned = plan(intake.hand_ins, keys, options.out, terms)
        tasks = [looked_into(task, keys) for task in planned]
        print(f"Dry run: nothing is run or written. {len(tasks)} hand-ins:")
        print(*planned_lines(tasks), *summary.notes(), sep="\n")
        if options.verbose:
            print(account_csv(intake), end="")
        return OK
    with _machines(options) as (executor, runner, at_a_time), sole_writer(options.out):
        write_atomically(options.out / "intake.csv", account_csv(intake))
        keys |= _made_variants(named, keys, options, executor=executor, run=runner)
        _grade(
            list(plan(intake.hand_ins, keys, options.out, terms)),
            keys,
            options,
            run=runner,
            executor=executor,
            ahead=2 * at_a_time,
            terms=terms,
            missing=intake.missing if options.roster else None,
            policy=policy,
            summary=summary,
        )
    where = f"See {options.out / 'gradebook.csv'}, and intake.csv for what became of each file."
    print(*summary.lines(), where, sep="\n")
    return FAILED if summary.failed else OK


def _grade(
    tasks: "Sequence[Task]",
    keys: "Mapping[str, Key]",
    options: argparse.Namespace,
    *,
    run: "Runner",
    executor: "Executor",
    ahead: int,
    terms: "Terms",
    missing: "Sequence[Missing] | None",
    policy: "Policy",
    summary: "Summary",
) -> None:
    """Grade, with a bar for those who watch and a log for those who ask for it."""
    from course_utils.grading.batches.batch import grade_folder

    todo = sum(task.action != "resume" for task in tasks)
    with _log(verbose=options.verbose), _bar(todo) as bar:

        def count(task: "Task", result: "Result") -> None:
            summary.add(task, result)
            bar.update(task.action != "resume")

        grade_folder(
            tasks,
            keys,
            options.out,
            run=run,
            executor=executor,
            ahead=ahead,
            terms=terms,
            missing=missing,
            policy=policy,
            on_result=count,
        )


def _stored_variants(
    named: "Sequence[str]", keys: "Mapping[str, Key]", options: argparse.Namespace
) -> "Mapping[str, Key]":
    """The keys in `named` with the variants asked for, as far as they are made; tells of them."""
    if not options.variants:
        return {}
    from course_utils.grading.variants.dealing import stored_variants, variant_lines

    wanted = {name: keys[name] for name in named}
    varied = stored_variants(wanted, options.key, options.variants)
    print(*variant_lines(varied), sep="\n")
    return varied


def _made_variants(
    named: "Sequence[str]",
    keys: "Mapping[str, Key]",
    options: argparse.Namespace,
    *,
    executor: "Executor",
    run: "Runner",
) -> "Mapping[str, Key]":
    """The keys in `named` with the variants asked for, made where they are not; tells of them."""
    if not options.variants:
        return {}
    from course_utils.grading.variants.dealing import made_variants, variant_lines

    wanted = {name: keys[name] for name in named}
    with _log(verbose=options.verbose), _bar(len(named) * options.variants, "variants") as bar:
        varied = made_variants(
            wanted, options.key, options.variants, executor=executor, run=run, on_made=bar.update
        )
    print(*variant_lines(varied), sep="\n")
    return varied


@contextlib.contextmanager
def _machines(options: argparse.Namespace) -> "Iterator[tuple[Executor, Runner, int]]":
    """Where hand-ins are graded, how notebooks are run there, and how many at a time."""
    if options.scheduler:
        from course_utils.grading.batches.cluster import connected

        with connected(options.scheduler, sandboxed=not options.unsafe_no_sandbox) as cluster:
            yield cluster.executor, _runner(options, cluster.threads), cluster.slots
        return
    executor = ThreadPoolExecutor(options.jobs)  # each thread waits for a process of its own
    try:
        yield executor, _runner(options, options.jobs), options.jobs
    finally:
        executor.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _log(*, verbose: bool) -> "Iterator[None]":
    """What the grader logs goes to stderr, line by line, above the bar if there is one."""
    from tqdm.contrib.logging import logging_redirect_tqdm

    logger, handler = logging.getLogger("course_utils.grading"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.INFO if verbose else logging.WARNING)
    try:
        with logging_redirect_tqdm([logger]):
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _bar(total: int, unit: str = "hand-ins") -> "tqdm[Never]":
    """A bar with the rate and the time that is left; silent where no one watches."""
    from tqdm import tqdm

    quiet = not sys.stderr.isatty()
    return tqdm(total=total, unit=f" {unit}", file=sys.stderr, disable=quiet, dynamic_ncols=True)


def _runner(options: argparse.Namespace, size: int) -> "Runner":
    """How to run a notebook. size: how many at a time in one process.

    Raises SandboxUnavailable where notebooks are run here, no sandbox starts and none is waived.
    """
    from course_utils.grading.running.run import Limits, find_sandbox
    from course_utils.grading.running.workers import PooledRunner

    limits = Limits(total_seconds=options.timeout)
    limits = replace(limits, cell_seconds=min(limits.cell_seconds, options.timeout))
    if options.unsafe_no_sandbox:
        print("Without a sandbox: hand-ins run with your own rights.", file=sys.stderr)
        return PooledRunner(limits, unsandboxed=True)
    if not options.scheduler:
        find_sandbox()
    hidden = tuple(path.resolve() for path in (options.hand_ins, options.key, options.out))
    return PooledRunner(limits, hide=hidden, size=size)


def _keep_apart(out: Path, *inputs: Path) -> None:
    for folder in inputs:
        if out.resolve().is_relative_to(folder.resolve()):
            raise ValueError(
                f"--out {out} lies in {folder}, which is read. Name a folder outside of it."
            )
