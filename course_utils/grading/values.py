"""What a check printed, line by line, and whether two such lines say the same.

A hidden check prints lines ``value: 1.234567e-03 …``, a visible one prints ``✓ 1.1``. All other
output is the learner's own business. Numbers agree within a relative tolerance, whole numbers
exactly. There is no absolute tolerance: in this course 1e-22 and 0 are two different answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

VALUE = "value: "
TICK = "✓ "
RELATIVE_TOLERANCE = 1e-5

_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|nan|inf)(?![\w])"
)
_WHOLE = re.compile(r"[-+]?[0-9]+")


def answer_lines(stdout: str) -> list[str]:
    """Return the lines of ``stdout`` that are compared, in order, without what precedes them.

    A learner's ``print("here", end="")`` may stand before a value on the same line.
    """
    lines = []
    for line in stdout.split("\n"):
        start = max(line.rfind(VALUE), line.rfind(TICK))
        if start >= 0:
            lines.append(line[start:].rstrip())
    return lines


def value_lines(stdout: str) -> list[str]:
    """Return only the ``value: `` lines of ``stdout``, in order."""
    return [line for line in answer_lines(stdout) if line.startswith(VALUE)]


def same_lines(expected: Sequence[str], got: Sequence[str]) -> bool:
    """Tell whether as many lines were printed, each saying the same, in the same order."""
    return len(expected) == len(got) and all(map(same_line, expected, got))


def same_line(expected: str, got: str) -> bool:
    """Tell whether two lines agree: numbers within the tolerance, all else letter by letter.

    nan agrees with nan, and an infinity with one of its sign.
    """
    wanted, found = _NUMBER.findall(expected), _NUMBER.findall(got)
    # The numbers are counted: a printed "#" is not one, though the skeletons would agree.
    if len(wanted) != len(found) or _skeleton(expected) != _skeleton(got):
        return False
    return all(map(_same_number, wanted, found))


def numbers(line: str) -> list[str]:
    """Return the numbers that a line holds, as they were printed."""
    return _NUMBER.findall(line)


def count_numbers(line: str) -> int:
    """Return how many numbers a line holds."""
    return len(numbers(line))


def _skeleton(line: str) -> str:
    return " ".join(_NUMBER.sub("#", line).split())


def _same_number(expected: str, got: str) -> bool:
    wanted, found = float(expected), float(got)
    if math.isnan(wanted) or math.isnan(found):
        return math.isnan(wanted) and math.isnan(found)
    if _WHOLE.fullmatch(expected):
        return wanted == found
    return math.isclose(wanted, found, rel_tol=RELATIVE_TOLERANCE, abs_tol=0.0)
