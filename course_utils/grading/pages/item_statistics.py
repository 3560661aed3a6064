"""What the points of a class say of a question: how hard it is, and whether it tells apart.

Pure functions of points; nothing here knows of notebooks. Where a class is too small or all
points are alike, an index has no value but a reason.

Source: Crocker & Algina (1986), "Introduction to Classical and Modern Test Theory", ch. 14.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import correlation

# the standard error of a correlation is about 1 / sqrt(n): 0.22 at 20
LEAST_FOR_CORRELATION = 20
TAIL = 0.27
# each tail then holds at least ten people
LEAST_FOR_TAILS = 37


@dataclass(frozen=True)
class Index:
    """A number, or why there is none. value: the number or None; lack: the reason or ''."""

    value: float | None
    lack: str = ""


def difficulty(points: Sequence[float], max_points: float) -> float:
    """The share of the points that was earned, 0 … 1: the higher, the easier.

    points: of each person on one question. Raises ValueError where nothing can be shared.
    """
    if not points or max_points <= 0:
        raise ValueError(f"No share of {max_points} points among {len(points)} people.")
    return math.fsum(points) / (max_points * len(points))


def item_rest_correlation(points: Sequence[float], totals: Sequence[float]) -> Index:
    """How a question goes with the rest of the exercise: Pearson's r of points and the others.

    points: of each person on the question; totals: of each person on the whole exercise.
    The question itself is taken out of the total, since it goes with itself (Henrysson 1963,
    "Correction of item-total correlations in item analysis"). Where a question is right or wrong
    this is the point-biserial correlation.
    """
    if len(points) < LEAST_FOR_CORRELATION:
        return Index(None, f"fewer than {LEAST_FOR_CORRELATION} graded")
    rest = [total - own for own, total in zip(points, totals, strict=True)]
    if len(set(points)) == 1:
        return Index(None, "all have the same points")
    if len(set(rest)) == 1:
        return Index(None, "all have the same points on the rest")
    return Index(correlation(points, rest))


def upper_lower(points: Sequence[float], totals: Sequence[float], max_points: float) -> Index:
    """How much more of the question the best 27 % of the class earn than the last 27 %, -1 … 1.

    points, totals: as in `item_rest_correlation`; here the total is whole, as Kelley (1939), "The
    selection of upper and lower groups for the validation of test items", has it. People with
    the same total at the edge of a group all belong to it in the same part, so that the order
    in which people come decides nothing.
    """
    if len(points) < LEAST_FOR_TAILS:
        return Index(None, f"fewer than {LEAST_FOR_TAILS} graded")
    if len(set(totals)) == 1:
        return Index(None, "all have the same total")
    upper = _mean_of_top(points, totals)
    lower = _mean_of_top(points, [-total for total in totals])
    return Index((upper - lower) / max_points)


def _mean_of_top(points: Sequence[float], totals: Sequence[float]) -> float:
    """Mean points of the 27 % with the highest totals; those tied at the edge count in part."""
    size = TAIL * len(points)
    edge = sorted(totals, reverse=True)[math.ceil(size) - 1]
    above = [own for own, total in zip(points, totals, strict=True) if total > edge]
    tied = [own for own, total in zip(points, totals, strict=True) if total == edge]
    part = (size - len(above)) / len(tied)
    return (math.fsum(above) + part * math.fsum(tied)) / size
