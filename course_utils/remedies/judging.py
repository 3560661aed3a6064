"""What the runs of twelve seeds make of one remedy against one failure. The borders stand here.

    better by 10 points or more, and 4 seeds in 5 learn      cures
    better by 10 points or more                              helps
    worse by 2 points or more                                hurts
    neither                                                  no effect
    the failing run has nothing that the remedy changes      nothing to change

"Better" is the mean over the seeds of the final test accuracy with the remedy minus without it, on
the same seed. A seed learns if every loss is a number and the final test accuracy is 85 % or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from course_utils.remedies.setting import Run

LEARNED = 0.85
MOST = 0.8  # the share of seeds that must learn
BETTER, WORSE = 0.1, -0.02


class Verdict(StrEnum):
    """What a remedy does to a failure."""

    CURES = "cures"
    HELPS = "helps"
    NO_EFFECT = "no effect"
    HURTS = "hurts"
    NOTHING = "nothing to change"


@dataclass(frozen=True)
class Outcome:
    """One cell of the table: the runs of each seed with a remedy, beside those without it.

    failure, remedy: ids. runs, without: one Run a seed, in the same order.
    """

    failure: str
    remedy: str
    runs: Sequence[Run]
    without: Sequence[Run]
    nothing: bool = False

    @property
    def median(self) -> float:
        """Median over the seeds of the final test accuracy, 0 to 1."""
        return float(np.median([run.accuracy for run in self.runs]))

    @property
    def band(self) -> tuple[float, float]:
        """The least and the greatest final test accuracy over the seeds."""
        accuracies = [run.accuracy for run in self.runs]
        return min(accuracies), max(accuracies)

    @property
    def finite(self) -> float:
        """Share of seeds whose losses all are numbers."""
        return float(np.mean([run.finite for run in self.runs]))

    @property
    def learned(self) -> float:
        """Share of seeds that learned."""
        return float(np.mean([run.finite and run.accuracy >= LEARNED for run in self.runs]))

    @property
    def gain(self) -> float:
        """Mean over the seeds of the accuracy with the remedy minus that without it."""
        pairs = zip(self.runs, self.without, strict=True)
        return float(np.mean([run.accuracy - other.accuracy for run, other in pairs]))

    @property
    def verdict(self) -> Verdict:
        """What the remedy does to the failure; see the top of this module."""
        if self.nothing:
            return Verdict.NOTHING
        if self.gain >= BETTER:
            return Verdict.CURES if self.learned >= MOST else Verdict.HELPS
        return Verdict.HURTS if self.gain <= WORSE else Verdict.NO_EFFECT
