"""What the mathematics predicts: long products, finite differences, and signals in deep nets."""

from course_utils.theory.differences import best_step, difference_error, unit_roundoff
from course_utils.theory.products import (
    critical_std,
    log10_gaussian_growth,
    log_growth_spread,
    rms_log_growth,
    typical_log_growth,
)

__all__ = [
    "best_step",
    "critical_std",
    "difference_error",
    "log10_gaussian_growth",
    "log_growth_spread",
    "rms_log_growth",
    "typical_log_growth",
    "unit_roundoff",
]
