"""Types of command-line options, and their defaults."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from course_utils.grading.tables.late import Policy

    Commands = argparse._SubParsersAction[ArgumentParser]


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, got {text!r}")
    return int(text)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def add_late_policy_to(command: argparse.ArgumentParser) -> None:
    """Add the option that names the file of a late policy."""
    command.add_argument(
        "--late-policy", type=Path, metavar="TOML", help="what being late costs, see the README"
    )


def late_policy(options: argparse.Namespace) -> "Policy":
    """The policy that the options name, or the one that takes nothing away."""
    from course_utils.grading.tables.late import NO_POLICY
    from course_utils.grading.tables.late_policy import read_policy

    return read_policy(options.late_policy) if options.late_policy else NO_POLICY
