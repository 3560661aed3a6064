"""`course export`: the grades where they are needed."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.cli.options import add_late_policy_to, late_policy
from course_utils.cli.status import FAILED, OK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from course_utils.cli.options import Commands
    from course_utils.grading.grade import Result
    from course_utils.grading.tables.export import Placed
    from course_utils.grading.tables.late import Policy
    from course_utils.grading.tables.lms_file import ScoreColumn


def add_to(commands: "Commands") -> None:
    """Add the command to the command line."""
    export = commands.add_parser("export", help="put the grades into the LMS's file")
    export.add_argument("grades", type=Path, help="the folder that `course grade` wrote")
    target = export.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "--into", type=Path, metavar="CSV", help="the gradebook that the LMS exported"
    )
    target.add_argument("--gradescope", type=Path, metavar="DIR", help="write results.json files")
    target.add_argument(
        "--gradebook", action="store_true", help="write gradebook.csv anew, e.g. by another policy"
    )
    export.add_argument("--out", type=Path, metavar="FILE", help="the filled copy of --into")
    which = export.add_mutually_exclusive_group()
    which.add_argument("--exercise", metavar="NAME", help="the exercise, if there are several")
    which.add_argument("--all", action="store_true", help="each exercise into its own column")
    export.add_argument("--column", metavar="NAME", help="the score column in --into")
    export.add_argument("--scale", action="store_true", help="scale to the LMS's maximum")
    add_late_policy_to(export)
    export.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Export, and say what could not be placed."""
    from course_utils.grading.tables.late import strangers

    _check(options)
    policy = late_policy(options)
    results, faults = _results(options.grades)
    for name in strangers(policy, results):
        print(f"{options.late_policy} names the {name}, of which there is no result.")
    if options.gradebook:
        unplaced = _write_gradebook(options, policy)
    elif options.gradescope:
        unplaced = _write_gradescope(options, policy)
    else:
        unplaced = _fill(options, results, policy)
    _list("Not placed", [*faults, *unplaced])
    return FAILED if faults or unplaced else OK


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    if not options.into:
        names = ("out", "exercise", "all", "column", "scale")
        if given := [f"--{name}" for name in names if getattr(options, name)]:
            raise ValueError(f"{', '.join(given)} goes with --into. Name the LMS's file with it.")
        return
    if options.out is None:
        raise ValueError("Name the file to write with --out. The LMS's own is never overwritten.")
    if options.out.exists() and options.out.samefile(options.into):
        raise ValueError(f"--out {options.out} is the LMS's own file. Name another.")
    if options.all and options.column:
        raise ValueError("--column names one column, --all takes each exercise's own. Keep one.")


def _results(grades: Path) -> "tuple[list[Result], list[str]]":
    """Every result without its questions, and the files that hold none."""
    from dataclasses import replace

    from course_utils.grading.results import read_results

    faults: list[str] = []
    read = read_results(grades, on_fault=lambda path, fault: faults.append(fault))
    results = [replace(result, questions=()) for result in read]
    if not results:
        raise ValueError(f"{grades} holds no results. Run `course grade` with --out {grades}.")
    return results, faults


def _write_gradebook(options: argparse.Namespace, policy: "Policy") -> list[str]:
    from course_utils.grading.batches.grades import write_summaries
    from course_utils.grading.files import sole_writer

    with sole_writer(options.grades):
        write_summaries(options.grades, policy)
    print(f"{options.grades / 'gradebook.csv'} and gradebook_wide.csv are written.")
    return []


def _write_gradescope(options: argparse.Namespace, policy: "Policy") -> list[str]:
    """Write a results.json for each hand-in; returns what could not be graded."""
    from course_utils.grading.files import write_atomically
    from course_utils.grading.grade import GRADERS_FAULT, MISSING
    from course_utils.grading.results import read_results
    from course_utils.grading.tables.gradescope import results_json

    unplaced, written = [], 0
    for result in read_results(options.grades):
        if result.status == MISSING:
            continue
        if result.status in GRADERS_FAULT:
            unplaced.append(f"{result.learner}/{result.exercise}: not graded ({result.status}).")
            continue
        folder = options.gradescope / result.learner / result.exercise
        write_atomically(folder / "results.json", results_json(result, policy))
        written += 1
    print(f"{options.gradescope}: {written} files results.json")
    return unplaced


def _fill(options: argparse.Namespace, results: "list[Result]", policy: "Policy") -> list[str]:
    """Write the filled copy of the LMS's file; returns what is not in it."""
    from course_utils.grading.files import write_atomically
    from course_utils.grading.tables.export import place
    from course_utils.grading.tables.lms_file import LmsFileError, find_column, read_lms_file

    lms = read_lms_file(options.into)
    columns: dict[str, ScoreColumn] = {}
    unplaced: list[str] = []
    chosen = _chosen(options, results)
    for exercise, own in chosen.items():
        try:
            column = find_column(lms, exercise, own[0].title, wanted=options.column or "")
        except LmsFileError as error:
            if not options.all:
                raise
            unplaced.append(str(error))
        else:
            columns[exercise] = column
    _check_apart(columns)
    for exercise, column in columns.items():
        placed = place(column, chosen[exercise], policy=policy, scale=options.scale)
        unplaced += placed.unplaced
        _tell(placed)
    write_atomically(options.out, bytes(lms.sheet))
    print(f"{options.out} is written.")
    return unplaced


def _check_apart(columns: "Mapping[str, ScoreColumn]") -> None:
    """Refuse to put two exercises into one column, as Moodle's worksheet has but one."""
    taken: dict[int, str] = {}
    for exercise, column in columns.items():
        other = taken.setdefault(column.index, exercise)
        if other != exercise:
            both = f"{other} and {exercise} would both go into {column.header!r}"
            raise ValueError(f"{both}. Name one with --exercise.")


def _chosen(options: argparse.Namespace, results: "list[Result]") -> "Mapping[str, list[Result]]":
    """The results of each exercise that is asked for."""
    found: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda result: result.exercise):
        found.setdefault(result.exercise, []).append(result)
    if options.all:
        return found
    if options.exercise is None and len(found) == 1:
        return found
    if options.exercise not in found:
        told = "several exercises" if options.exercise is None else f"no {options.exercise}"
        names = ", ".join(found)
        raise ValueError(
            f"There are results of {told}: {names}. Name one with --exercise, or --all."
        )
    return {options.exercise: found[options.exercise]}


def _tell(placed: "Placed") -> None:
    print(f"{placed.exercise} into {placed.column!r}: {placed.scores} scores")
    _list("Changed", placed.changed)
    _list("Worth a look", placed.notes)
    _list("In the file, without a result", placed.without)


def _list(title: str, lines: Sequence[str]) -> None:
    """Print the lines, if there are any, below their title and count."""
    from course_utils.grading.batches.summary import printable

    if lines:
        print(f"{title} ({len(lines)}):")
        print(*(f"  {printable(line)}" for line in lines), sep="\n")
