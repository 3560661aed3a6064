"""`course grade`: grade a folder of hand-ins."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.cli.options import positive, processors
from course_utils.cli.status import FAILED, OK

if TYPE_CHECKING:
    from course_utils.cli.options import Commands
    from course_utils.grading.fingerprints import Runner


def add_to(commands: "Commands") -> None:
    """Add the command to the command line."""
    grade = commands.add_parser("grade", help="grade a folder of hand-ins")
    grade.add_argument("hand_ins", type=Path, help="holds <learner>/<exercise>.ipynb")
    grade.add_argument("--key", type=Path, required=True, help="the folder of the solutions")
    grade.add_argument("--out", type=Path, required=True, help="the folder of the grades")
    grade.add_argument("--jobs", type=positive, default=processors(), metavar="N")
    grade.add_argument(
        "--timeout", type=positive, default=60, metavar="S", help="seconds for one run (60)"
    )
    grade.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run hand-ins with your own rights; only for hand-ins that you trust",
    )
    grade.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Grade, and say how it went."""
    from tqdm import tqdm

    from course_utils.grading.batch import grade_folder
    from course_utils.grading.hand_ins import find_hand_ins
    from course_utils.grading.key import read_keys

    _keep_apart(options.out, options.hand_ins, options.key)
    keys = read_keys(options.key)
    hand_ins = find_hand_ins(options.hand_ins)
    runner = _runner(options)
    if runner is None:
        return FAILED
    executor = ThreadPoolExecutor(options.jobs)  # each thread waits for a process of its own
    quiet = not sys.stderr.isatty()
    with tqdm(total=len(hand_ins), unit="hand-in", file=sys.stderr, disable=quiet) as bar:
        try:
            results = grade_folder(
                hand_ins,
                keys,
                options.out,
                run=runner,
                executor=executor,
                ahead=2 * options.jobs,
                on_result=lambda result: bar.update() and None,
            )
        finally:
            executor.shutdown(cancel_futures=True)
    odd = sorted({result.status for result in results} - {"graded"})
    counts = [f"{sum(r.status == status for r in results)} {status}" for status in ["graded", *odd]]
    print(f"{len(results)} hand-ins: {', '.join(counts)}. See {options.out / 'gradebook.csv'}")
    return OK


def _runner(options: argparse.Namespace) -> "Runner | None":
    """How to run a notebook, or None (said why) where there is no sandbox and none is waived."""
    from course_utils.grading.run import Limits, SandboxUnavailable, find_sandbox, run_notebook

    limits = Limits(total_seconds=options.timeout)
    limits = replace(limits, cell_seconds=min(limits.cell_seconds, options.timeout))
    if options.unsafe_no_sandbox:
        print("Without a sandbox: hand-ins run with your own rights.", file=sys.stderr)
        return partial(run_notebook, limits=limits, sandbox=None)
    try:
        sandbox = find_sandbox()
    except SandboxUnavailable as error:
        print(error, file=sys.stderr)
        return None
    hidden = tuple(path.resolve() for path in (options.hand_ins, options.key, options.out))
    return partial(run_notebook, limits=limits, sandbox=replace(sandbox, hide=hidden))


def _keep_apart(out: Path, *inputs: Path) -> None:
    for folder in inputs:
        if out.resolve().is_relative_to(folder.resolve()):
            raise ValueError(
                f"--out {out} lies in {folder}, which is read. Name a folder outside of it."
            )
