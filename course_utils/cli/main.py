"""The command line as a whole: which commands there are, and how each may end."""

import argparse
import sys
from collections.abc import Sequence

from course_utils.cli import build, check, export, grade, lab, release, report
from course_utils.cli.status import FAILED, STOPPED, WRONG_USAGE

COMMANDS = (lab, check, build, release, grade, export, report)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0: done; 1: a check failed, or the work could not be done; 2: wrong usage.
    """
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "lab":
        parser.error(f"unknown arguments: {' '.join(rest)}. See: course {options.command} --help")
    options.rest = rest
    if options.command != "lab":
        # jsonschema builds a grammar of internationalised addresses on import, a second, where it
        # can; a notebook's schema needs none.
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
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
        return STOPPED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="course",
        description="Run, check, write, release and grade the course, and export the grades.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return parser
