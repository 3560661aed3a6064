"""Print the claim table, or run every experiment again and keep what it gives.

python -m course_utils.claims                  # the table
python -m course_utils.claims write            # all claims, 20 seeds each
python -m course_utils.claims write V1 V2      # only these
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from course_utils.claims import evidence
from course_utils.claims.registry import CLAIMS, by_id
from course_utils.claims.table import claim_table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.claims",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", nargs="?", choices=["show", "write"], default="show")
    parser.add_argument("claims", nargs="*", metavar="ID", help="e.g. V1; all if none is named")
    options = parser.parse_args(arguments)
    try:
        if options.action == "write":
            evidence.write(map(by_id, options.claims) if options.claims else CLAIMS)
        print(claim_table(*options.claims))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
