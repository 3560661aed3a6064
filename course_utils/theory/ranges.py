"""What the formulas accept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def require_positive(name: str, number: float | NDArray[np.float64]) -> None:
    """Raise ValueError unless every entry is > 0 and finite."""
    values = np.asarray(number, dtype=np.float64)
    if not ((values > 0.0) & (values < np.inf)).all():
        wrong = values[~((values > 0.0) & (values < np.inf))].flat[0]
        raise ValueError(f"{name} must be > 0 and finite, got {wrong}. Pass e.g. {name}=1e-3.")
