"""The range of a figure over the seeds, and how it is printed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """From the least to the greatest value that a figure took.

    nan: how many of `count` values were NaN; low and high are those of the others (NaN if none).

    >>> f"{Band.of([0.21, 0.19])}", f"{Band.of([0.21, 0.19]):.0%}", f"{Band.of([3, 3])}"
    ('0.19 to 0.21', '19% to 21%', '3')
    """

    low: float
    high: float
    nan: int = 0
    count: int = 1

    @classmethod
    def of(cls, values: Iterable[float]) -> Band:
        """The band of these values."""
        every = list(values)
        numbers = [value for value in every if not math.isnan(value)]
        nan = len(every) - len(numbers)
        if not numbers:
            return cls(math.nan, math.nan, nan, len(every))
        return cls(min(numbers), max(numbers), nan, len(every))

    def __format__(self, spec: str) -> str:
        """Both ends in this format ("" for `in_short`), or one where they print alike."""
        ends = list(dict.fromkeys(in_format(end, spec) for end in (self.low, self.high)))
        told = " to ".join(ends)
        return f"{told} (NaN on {self.nan} of {self.count})" if 0 < self.nan < self.count else told


def bands(runs: Sequence[Mapping[str, float]]) -> dict[str, Band]:
    """The band of every figure over these runs."""
    return {name: Band.of(run[name] for run in runs) for name in (runs[0] if runs else ())}


def in_format(value: float, spec: str) -> str:
    """A number in a format such as ".2f" or ".0%"; "" is `in_short`. NaN and inf as such."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else str(value)
    return format(value, spec) if spec else in_short(value)


def in_short(value: float) -> str:
    """A number with as few digits as tell its size.

    >>> [in_short(x) for x in (0, 20, 1234.5, 2.3026, 0.00195, 1.93e-11, 4.5e25)]
    ['0', '20', '1,234', '2.3', '0.002', '1.9e-11', '4.5e+25']
    """
    if value == 0 or (float(value).is_integer() and abs(value) < 1e5):
        return f"{value:,.0f}"
    if not 1e-3 <= abs(value) < 1e5:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"
