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
from course_utils.theory.normalization import (
    batch_norm_growth,
    layer_norm_growth,
    linear_batch_norm_growth,
)
from course_utils.theory.products import (
    critical_std,
    log10_gaussian_growth,
    log_growth_spread,
    lyapunov_exponents,
    rms_log_growth,
    typical_log_growth,
)
from course_utils.theory.rectifiers import (
    gradient_correlation,
    relu_correlation,
    relu_slope_correlation,
)
from course_utils.theory.residual import branch_scale_for, path_shares, residual_growth
from course_utils.theory.shattering import circle_autocorrelation

__all__ = [
    "batch_norm_growth",
    "best_step",
    "branch_scale_for",
    "chi",
    "circle_autocorrelation",
    "correlation_map",
    "correlation_slope",
    "critical_gain",
    "critical_pair",
    "critical_std",
    "depth_scale",
    "difference_error",
    "fixed_correlation",
    "fixed_variance",
    "gradient_correlation",
    "layer_norm_growth",
    "linear_batch_norm_growth",
    "log10_gaussian_growth",
    "log_growth_spread",
    "lyapunov_exponents",
    "path_shares",
    "relu_correlation",
    "relu_slope_correlation",
    "residual_growth",
    "rms_log_growth",
    "typical_log_growth",
    "unit_roundoff",
    "variance_map",
    "variance_slope",
    "variances",
]
