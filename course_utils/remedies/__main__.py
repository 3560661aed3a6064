"""Print the remedy tables, or run the whole table again and keep it.

python -m course_utils.remedies          # the tables
python -m course_utils.remedies write    # every failure, remedy and seed: about a minute
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from course_utils.remedies.evidence import write
from course_utils.remedies.table import outcome_table, remedy_table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.remedies",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", nargs="?", choices=["show", "write"], default="show")
    options = parser.parse_args(arguments)
    try:
        if options.action == "write":
            write()
        print(outcome_table(), remedy_table(), sep="\n\n")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
