"""`course release`: write the exercises from the solutions."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.cli.place import course_folder
from course_utils.cli.status import OK

if TYPE_CHECKING:
    from course_utils.cli.options import Commands


def add_to(commands: "Commands") -> None:
    """Add the command to the command line."""
    release = commands.add_parser("release", help="write the exercises from the solutions")
    target = release.add_mutually_exclusive_group()
    target.add_argument(
        "--to", type=Path, metavar="DIR", help="write the whole student edition into a new folder"
    )
    target.add_argument(
        "--nbgrader", type=Path, metavar="DIR", help="write the source folder of an nbgrader course"
    )
    release.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write exercises/, a whole student edition, or the source folder of an nbgrader course."""
    from course_utils.grading.authoring.edition import write_edition
    from course_utils.grading.authoring.nbgrader_source import write_source
    from course_utils.grading.release import release_folder

    course = course_folder()
    if options.nbgrader:
        for path in write_source(course, options.nbgrader):
            print(path)
        print(f"{options.nbgrader / 'README.md'} says how to use it, and what it cannot guarantee")
        return OK
    if options.to is None:
        for path in release_folder(course / "solutions", course / "exercises"):
            print(path.relative_to(course))
        return OK
    written = write_edition(course, options.to)
    print(f"{options.to}: {len(written)} files, searched and free of answers and hidden checks")
    return OK
