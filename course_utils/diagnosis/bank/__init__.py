"""The bank: labelled runs to tune and to test diagnose() on, and how to count its errors.

The three sets share no split of the data, seed, width or batch size. The thresholds were chosen
on "tuning"; "test" says how good they are, and "audit" was kept until all was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from course_utils.diagnosis.bank.audit import AUDIT
from course_utils.diagnosis.bank.runs import Case, Settings
from course_utils.diagnosis.bank.testing import TEST
from course_utils.diagnosis.bank.tuning import TUNING
from course_utils.diagnosis.verdicts import VERDICTS

__all__ = ["SETS", "Case", "Settings", "cases", "confusion", "macro_recall"]

SETS: Mapping[str, tuple[Case, ...]] = MappingProxyType(
    {"tuning": TUNING, "test": TEST, "audit": AUDIT}
)


def cases(which: str = "test") -> tuple[Case, ...]:
    """Return the labelled runs of one set: "tuning", "test" or "audit"; ValueError for others."""
    if which not in SETS:
        raise ValueError(f"which must be one of {', '.join(SETS)}, got {which!r}. Pass 'test'.")
    return SETS[which]


def confusion(labels: Iterable[str], verdicts: Iterable[str]) -> NDArray[np.int64]:
    """Count runs by label (rows) and verdict (columns), both in the order of VERDICTS.

    Returns an array of shape (VERDICTS, VERDICTS). Raises ValueError for an unknown word, or if
    there are more of one than of the other.
    """
    counts = np.zeros((len(VERDICTS), len(VERDICTS)), dtype=np.int64)
    for label, verdict in zip(labels, verdicts, strict=True):
        for word in (label, verdict):
            if word not in VERDICTS:
                raise ValueError(
                    f"There is an unknown verdict {word!r}. Choose from {', '.join(VERDICTS)}."
                )
        counts[VERDICTS.index(label), VERDICTS.index(verdict)] += 1
    return counts


def macro_recall(counts: NDArray[np.int64]) -> float:
    """Return the mean over labels of the share of their runs that got them as verdict, 0 to 1.

    counts: see confusion. Labels without a run are left out; raises ValueError without any run.
    """
    runs = counts.sum(axis=1)
    if not runs.any():
        raise ValueError("counts must hold at least one run, got none. Pass confusion(…).")
    return float(np.mean(np.diag(counts)[runs > 0] / runs[runs > 0]))
