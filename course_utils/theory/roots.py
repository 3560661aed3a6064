"""Where a function crosses zero."""

from __future__ import annotations

from collections.abc import Callable


def falling_root(function: Callable[[float], float], low: float, high: float) -> float:
    """Halve the interval until the point where a function falls through 0 is known exactly."""
    while True:
        middle = (low + high) / 2.0
        if not low < middle < high:
            return middle
        if function(middle) > 0.0:
            low = middle
        else:
            high = middle
