"""`course build`: execute notebooks, refresh the grading key."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.cli.place import course_folder
from course_utils.cli.status import OK

if TYPE_CHECKING:
    from course_utils.cli.options import Commands


def add_to(commands: "Commands") -> None:
    """Add the command to the command line."""
    build = commands.add_parser("build", help="execute notebooks and refresh the grading key")
    build.add_argument("notebooks", type=Path, nargs="*", help="default: all lessons and solutions")
    build.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Build the notebooks named, or all of them."""
    from course_utils import notebooks
    from course_utils.grading.authoring.build import build_solution, is_solution
    from course_utils.grading.running.run import Limits, run_notebook

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
