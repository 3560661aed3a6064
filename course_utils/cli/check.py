"""`course check`: a learner's table of where they stand."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.cli.status import FAILED, OK

if TYPE_CHECKING:
    from course_utils.cli.options import Commands


def add_to(commands: "Commands") -> None:
    """Add the command to the command line."""
    check = commands.add_parser("check", help="check your own answers")
    check.add_argument("notebook", type=Path, help="e.g. exercises/ex01_chain_rule.ipynb")
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the visible checks and print one line a question."""
    from course_utils.grading.authoring.learner_check import check_notebook
    from course_utils.grading.running.run import (
        Limits,
        SandboxUnavailable,
        find_sandbox,
        run_notebook,
    )

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
