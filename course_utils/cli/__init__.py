"""The command `course`: one module a command, each of which imports what it needs when it runs."""

from course_utils.cli.main import main

__all__ = ["main"]
