"""How a sentence becomes a verdict.

A claim is a sentence of the summary. Its experiment is `measure`: seed in, figures out. Its parts
are what the sentence says, cut so small that the figures of one seed make each of them true or
false. The verdict is computed: it is what the *claimed* parts are on every seed.

    true on every seed, all of them      holds
    false on every seed, all of them     false
    some the one, some the other         holds in part
    any part that depends on the seed    undecided
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from course_utils.claims.sentences import SUMMARY

SEEDS = range(20)

Figures = Mapping[str, float]


class Verdict(StrEnum):
    """What the experiments make of a sentence."""

    HOLDS = "holds"
    IN_PART = "holds in part"
    FALSE = "false"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Part:
    """One sentence that the figures of one seed make true or false.

    name: key, e.g. "weights_reach_zero". sentence: in words, without its full stop.
    test: the figures of one seed → whether the sentence is true there.
    claimed: whether the summary says so; if not, the course says it instead (it decides no
    verdict, but must come out alike on every seed too).
    expected: what the experiment is asserted to show, on every seed.
    """

    name: str
    sentence: str
    test: Callable[[Figures], bool]
    claimed: bool
    expected: bool


@dataclass(frozen=True)
class Claim:
    """One sentence of the summary, with the experiment that decides it.

    id: its key in SUMMARY. measure: seed → figures of one run, all its randomness from that seed.
    evidence: the figures in a sentence, e.g. "the loss grows {growth:.1e} times". {name} stands
    for the figure's band over SEEDS; a format such as :.2f or :.0% is that of its two ends.
    instead: what is true instead, or on which condition; {name} as above; "" if it simply holds.
    lesson, cell: where a learner sees it decided, e.g. "04_vanishing", "04-weights-verdict".
    chaotic: figures whose very size depends on the machine's rounding. They are compared within a
    factor, and a lesson prints their band only.
    """

    id: str
    measure: Callable[[int], dict[str, float]]
    parts: tuple[Part, ...]
    evidence: str
    instead: str
    lesson: str
    cell: str
    chaotic: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse a claim that could not be decided."""
        if self.id not in SUMMARY:
            raise ValueError(
                f"id must name a sentence of the summary, got {self.id!r}. Choose from "
                f"{', '.join(SUMMARY)}."
            )
        if not any(part.claimed for part in self.parts):
            raise ValueError(
                f"{self.id} must have a part that the summary claims, got "
                f"{[part.name for part in self.parts]}. Set claimed=True where the summary says so."
            )

    @property
    def says(self) -> str:
        """The summary's own words."""
        return SUMMARY[self.id]

    @property
    def shown(self) -> frozenset[str]:
        """The figures that `evidence` and `instead` show."""
        fields = string.Formatter().parse(f"{self.evidence} {self.instead}")
        return frozenset(name for _, name, _, _ in fields if name)


def settled(part: Part, runs: Sequence[Figures]) -> bool | None:
    """What the part is on every one of these runs; None if the runs disagree.

    runs: the figures of one seed each, at least one.
    Raises ValueError if there is none.
    """
    if not runs:
        raise ValueError("runs must hold the figures of at least one seed, got none. Measure one.")
    answers = {bool(part.test(figures)) for figures in runs}
    return answers.pop() if len(answers) == 1 else None


def verdict(claim: Claim, runs: Sequence[Figures]) -> Verdict:
    """The verdict on a claim, from the figures of each seed; see the top of this module."""
    answers = {part.name: settled(part, runs) for part in claim.parts}
    if None in answers.values():
        return Verdict.UNDECIDED
    claimed = [answers[part.name] for part in claim.parts if part.claimed]
    if all(claimed):
        return Verdict.HOLDS
    return Verdict.IN_PART if any(claimed) else Verdict.FALSE
