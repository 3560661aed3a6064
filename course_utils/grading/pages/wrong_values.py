"""Which wrong values a class gives, and how many gave them: grouped by tolerance, not by string."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from course_utils.grading.values import numbers, same_lines

# a learner may print lines of values without end; beyond this they are not compared
MAX_CHARACTERS = 4_000
TOO_LONG = (f"(more than {MAX_CHARACTERS:,} characters)",)
# far wider than the tolerance, so that values which agree are in one drawer or in its neighbour
DRAWER = 1e-3


@dataclass
class Group:
    """People whose values say the same. values: those of the first of them."""

    values: tuple[str, ...]
    misconception: str
    count: int = 0


class WrongValues:
    """The groups of one question, filled one hand-in after the other.

    Ten thousand hand-ins may print as many different values. So values are compared only with
    those in the same drawer: as many lines, and nearly the same first number.
    """

    def __init__(self) -> None:
        """No values yet."""
        self._by_text: dict[tuple[str, ...], Group] = {}
        self._drawers: dict[tuple[int, float], list[Group]] = {}

    def add(self, values: Sequence[str], misconception: str = "") -> None:
        """Count one hand-in, if its hidden check printed anything."""
        if not values:
            return
        text = tuple(values) if sum(map(len, values)) <= MAX_CHARACTERS else TOO_LONG
        group = self._by_text.get(text) or self._like(text) or self._new(text, misconception)
        self._by_text[text] = group
        group.count += 1

    def commonest(self, count: int) -> list[Group]:
        """The groups with most people, at most `count`; of equals, the first come first."""
        groups = {id(group): group for group in self._by_text.values()}
        return sorted(groups.values(), key=lambda group: -group.count)[:count]

    def _like(self, values: tuple[str, ...]) -> Group | None:
        candidates = (g for key in _drawers(values) for g in self._drawers.get(key, ()))
        return next((group for group in candidates if same_lines(group.values, values)), None)

    def _new(self, values: tuple[str, ...], misconception: str) -> Group:
        group = Group(values, misconception)
        _, middle, _ = _drawers(values)
        self._drawers.setdefault(middle, []).append(group)
        return group


def _drawers(values: Sequence[str]) -> tuple[tuple[int, float], ...]:
    """The drawer of `values` and both of its neighbours."""
    size = next(_sizes(values), 0.0)
    middle = math.floor(math.log(size) / DRAWER) if size else math.inf
    below, at, above = ((len(values), middle + step) for step in (-1, 0, 1))
    return below, at, above


def _sizes(values: Sequence[str]) -> Iterator[float]:
    """The sizes of the numbers that have one: neither 0 nor infinite nor nan."""
    for line in values:
        for number in numbers(line):
            size = abs(float(number))
            if size and math.isfinite(size):
                yield size
