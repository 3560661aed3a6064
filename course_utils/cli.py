"""The command `course`: lab, check, build, release, grade."""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_utils.grading.fingerprints import Runner

# Each command imports what it needs: `course lab` must not wait for the grader.

OK, FAILED, WRONG_USAGE = 0, 1, 2
PROMPT_CONNECTION = "course_utils.lab_websocket.PromptConnection"
START_PAGE = "notebooks/00_start_here.ipynb"
COURSE_MARK = ("notebooks", "course_utils")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0: done; 1: a check failed, or the work could not be done; 2: wrong usage.
    """
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "lab":
        parser.error(f"unknown arguments: {' '.join(rest)}. See: course {options.command} --help")
    options.rest = rest
    try:
        status: int = options.run(options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return WRONG_USAGE
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        remedy = "What is written stays. Mend that and run the same command again."
        print(f"Cannot write or read{where}: {error.strerror or error}. {remedy}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("Stopped. What was written by now stays.", file=sys.stderr)
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on the start page",
        description="Open JupyterLab on the start page. Other arguments go to JupyterLab, "
        "e.g. course lab --no-browser.",
        allow_abbrev=False,
    )
    lab.set_defaults(run=_lab)

    check = commands.add_parser("check", help="check your own answers")
    check.add_argument("notebook", type=Path, help="e.g. exercises/ex01_chain_rule.ipynb")
    check.set_defaults(run=_check)

    build = commands.add_parser("build", help="execute notebooks and refresh the grading key")
    build.add_argument("notebooks", type=Path, nargs="*", help="default: all lessons and solutions")
    build.set_defaults(run=_build)

    release = commands.add_parser("release", help="write the exercises from the solutions")
    release.add_argument(
        "--to", type=Path, metavar="DIR", help="write the whole student edition into a new folder"
    )
    release.set_defaults(run=_release)

    grade = commands.add_parser("grade", help="grade a folder of hand-ins")
    grade.add_argument("hand_ins", type=Path, help="holds <learner>/<exercise>.ipynb")
    grade.add_argument("--key", type=Path, required=True, help="the folder of the solutions")
    grade.add_argument("--out", type=Path, required=True, help="the folder of the grades")
    grade.add_argument("--jobs", type=_positive, default=_processors(), metavar="N")
    grade.add_argument(
        "--timeout", type=_positive, default=60, metavar="S", help="seconds for one run (60)"
    )
    grade.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run hand-ins with your own rights; only for hand-ins that you trust",
    )
    grade.set_defaults(run=_grade)
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, got {text!r}")
    return int(text)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def course_folder() -> Path:
    """The course folder: the working folder, the nearest above it, or where this package lies."""
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[1]):
        if all((folder / name).is_dir() for name in COURSE_MARK):
            return folder
    raise ValueError(f"{here} is not in a course folder. Go to the folder that holds notebooks/.")


def _lab(options: argparse.Namespace) -> int:
    from jupyterlab.labapp import LabApp

    from course_utils.notebooks import ONE_BLAS_THREAD

    course = course_folder()
    if not (course / START_PAGE).is_file():
        raise ValueError(f"{course} has no {START_PAGE}. Get a fresh copy of the course.")
    arguments = [
        f"--ServerApp.root_dir={course}",
        f"--LabApp.default_url=/lab/tree/{START_PAGE}",
        f"--ServerApp.kernel_websocket_connection_class={PROMPT_CONNECTION}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # a container's only user; JupyterLab would refuse
    for variable, one in ONE_BLAS_THREAD.items():
        os.environ.setdefault(variable, one)  # the kernels inherit it
    LabApp.launch_instance(argv=[*arguments, *options.rest])
    return OK


def _check(options: argparse.Namespace) -> int:
    from course_utils.grading.learner_check import check_notebook
    from course_utils.grading.run import Limits, SandboxUnavailable, find_sandbox, run_notebook

    try:
        sandbox = find_sandbox()
    except SandboxUnavailable:
        sandbox = None
        print("No sandbox here: your answers run with your own rights.", file=sys.stderr)
    run = partial(run_notebook, limits=Limits(), sandbox=sandbox)
    checked = check_notebook(options.notebook, run=run)
    width = max(len(result.question.title) for result in checked)
    print(options.notebook.stem)
    for result in checked:
        question = result.question
        points = f"{question.points} point{'s' if question.points > 1 else ''}"
        line = f"{'✓' if result.ticks else '✗'} {question.number}  {question.title:{width}}  "
        print(f"{line}{points:>9}  {result.message}".rstrip())
    ticks = sum(result.ticks for result in checked)
    print(f"{ticks} of {len(checked)} visible checks tick. Hidden checks give the points.")
    return OK if ticks == len(checked) else FAILED


def _build(options: argparse.Namespace) -> int:
    from course_utils import notebooks
    from course_utils.grading.build import build_solution, is_solution
    from course_utils.grading.run import Limits, run_notebook

    run = partial(run_notebook, limits=Limits(), sandbox=None)
    for path in options.notebooks or _sources(course_folder()):
        if is_solution(path):
            marks = build_solution(path, run=run)
            print(f"{path}: executed, stamped, {marks} wrong answers fingerprinted")
        else:
            notebooks.build(path)
            print(f"{path}: executed")
    return OK


def _sources(course: Path) -> list[Path]:
    """The notebooks that authors write: every lesson, then every solution."""
    from course_utils.grading.release import solution_paths

    return [*sorted((course / "notebooks").glob("*.ipynb")), *solution_paths(course / "solutions")]


def _release(options: argparse.Namespace) -> int:
    from course_utils.grading.edition import write_edition
    from course_utils.grading.release import release_folder

    course = course_folder()
    if options.to is None:
        for path in release_folder(course / "solutions", course / "exercises"):
            print(path.relative_to(course))
        return OK
    written = write_edition(course, options.to)
    print(f"{options.to}: {len(written)} files, searched and free of answers and hidden checks")
    return OK


def _grade(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from course_utils.grading.batch import find_hand_ins, grade_folder
    from course_utils.grading.key import read_keys

    _keep_apart(options.out, options.hand_ins, options.key)
    keys = read_keys(options.key)
    hand_ins = find_hand_ins(options.hand_ins)
    run = _runner(options)
    if run is None:
        return FAILED
    executor = ThreadPoolExecutor(options.jobs)  # each thread waits for a process of its own
    quiet = not sys.stderr.isatty()
    with tqdm(total=len(hand_ins), unit="hand-in", file=sys.stderr, disable=quiet) as bar:
        try:
            results = grade_folder(
                hand_ins,
                keys,
                options.out,
                run=run,
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


if __name__ == "__main__":
    sys.exit(main())
