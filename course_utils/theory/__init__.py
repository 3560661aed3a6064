"""What the mathematics predicts: long products, finite differences, and signals in deep nets."""

from course_utils.theory.correlation import (
    correlation_map,
    correlation_slope,
    fixed_correlation,
)
from course_utils.theory.differences import best_step, difference_error, unit_roundoff
from course_utils.theory.mean_field import (
    chi,
    critical_gain,
    critical_pair,
    depth_scale,
    fixed_variance,
    variance_map,
    variance_slope,
    variances,
)
from course_utils.theory.products import (
    critical_std,
    log10_gaussian_growth,
    log_growth_spread,
    rms_log_growth,
    typical_log_growth,
)

__all__ = [
    "best_step",
    "chi",
    "correlation_map",
    "correlation_slope",
    "critical_gain",
    "critical_pair",
    "critical_std",
    "depth_scale",
    "difference_error",
    "fixed_correlation",
    "fixed_variance",
    "log10_gaussian_growth",
    "log_growth_spread",
    "rms_log_growth",
    "typical_log_growth",
    "unit_roundoff",
    "variance_map",
    "variance_slope",
    "variances",
]
