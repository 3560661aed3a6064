"""`course report`: make the class report again from the stored grades."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.cli.status import OK

if TYPE_CHECKING:
    from course_utils.cli.options import Commands


def add_to(commands: "Commands") -> None:
    """Add the command to the command line."""
    report = commands.add_parser("report", help="make the class report from the grades")
    report.add_argument("grades", type=Path, help="the folder that `course grade` wrote")
    report.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write GRADES/report.html; name each stored file that holds no result."""
    from course_utils.grading.pages.report import write_report

    if not (options.grades / "results").is_dir():
        fact = f"{options.grades} holds no results"
        raise ValueError(f"{fact}. Name the folder that `course grade` was given as --out.")

    def left_out(path: Path, fault: str) -> None:
        print(fault, file=sys.stderr)

    print(write_report(options.grades, on_fault=left_out))
    return OK
