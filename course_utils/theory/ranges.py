"""What the formulas accept."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def require_positive(name: str, number: float | NDArray[np.float64]) -> None:
    """Raise ValueError unless every entry is > 0 and finite."""
    values = np.asarray(number, dtype=np.float64)
    if not ((values > 0.0) & (values < np.inf)).all():
        wrong = values[~((values > 0.0) & (values < np.inf))].flat[0]
        raise ValueError(f"{name} must be > 0 and finite, got {wrong}. Pass e.g. {name}=1e-3.")


def require_not_negative(name: str, number: float | NDArray[np.float64]) -> None:
    """Raise ValueError unless every entry is >= 0 and finite."""
    values = np.asarray(number, dtype=np.float64)
    if not ((values >= 0.0) & (values < np.inf)).all():
        wrong = values[~((values >= 0.0) & (values < np.inf))].flat[0]
        raise ValueError(f"{name} must be >= 0 and finite, got {wrong}. Pass e.g. {name}=0.1.")


def checked_correlation(correlation: ArrayLike) -> NDArray[np.float64]:
    """Return the correlations as an array; raises ValueError unless all are within [−1, 1]."""
    values = np.asarray(correlation, dtype=np.float64)
    if not (np.abs(values) <= 1.0).all():
        wrong = values[~(np.abs(values) <= 1.0)].flat[0]
        raise ValueError(f"correlation must be within [-1, 1], got {wrong}. Pass e.g. 0.5.")
    return values
