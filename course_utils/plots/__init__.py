"""Arrays in, Axes out: each function draws one picture of the course and returns its Axes.

Nothing is computed here and nothing is displayed. Every function takes the Axes to draw on, and
makes a figure of its own without one. Colours come from the Axes' own cycle.
"""

from course_utils.plots.activations import (
    outline,
    plot_accuracy_by_depth,
    plot_ratio_by_depth,
    plot_slopes,
)
from course_utils.plots.axes import GREY, log_axis, mark_level
from course_utils.plots.clipping import (
    plot_by_threshold,
    plot_loss_map,
    plot_norms_and_threshold,
    plot_path,
)
from course_utils.plots.diagnosis import (
    FOUR_ROWS,
    plot_confusion,
    plot_depth_profile,
    plot_gradient_heat,
    plot_run_loss,
    plot_run_row,
    plot_update_ratios,
)
from course_utils.plots.edge_of_chaos import (
    plot_accuracy_by_gain_and_depth,
    plot_phases,
    plot_stretches,
    plot_theory_and_nets,
    plot_window,
)
from course_utils.plots.growth import plot_products, plot_sizes
from course_utils.plots.layers import plot_gradient_by_layer, plot_signals_by_layer
from course_utils.plots.normalization import plot_batch
from course_utils.plots.numbers import (
    plot_distribution,
    plot_errors_by_step,
    plot_gradient_pairs,
    plot_norms_by_power,
    plot_repeated_product,
    plot_share,
)
from course_utils.plots.recurrent import plot_accuracy_by_seed, plot_norms_by_time
from course_utils.plots.remedies import plot_verdicts
from course_utils.plots.residuals import key_of_prediction, plot_walk, plot_with_prediction
from course_utils.plots.training import plot_by_depth, plot_layer_by_step, plot_loss_by_step

__all__ = [
    "FOUR_ROWS",
    "GREY",
    "key_of_prediction",
    "log_axis",
    "mark_level",
    "outline",
    "plot_accuracy_by_depth",
    "plot_accuracy_by_gain_and_depth",
    "plot_accuracy_by_seed",
    "plot_batch",
    "plot_by_depth",
    "plot_by_threshold",
    "plot_confusion",
    "plot_depth_profile",
    "plot_distribution",
    "plot_errors_by_step",
    "plot_gradient_by_layer",
    "plot_gradient_heat",
    "plot_gradient_pairs",
    "plot_layer_by_step",
    "plot_loss_by_step",
    "plot_loss_map",
    "plot_norms_and_threshold",
    "plot_norms_by_power",
    "plot_norms_by_time",
    "plot_path",
    "plot_phases",
    "plot_products",
    "plot_ratio_by_depth",
    "plot_repeated_product",
    "plot_run_loss",
    "plot_run_row",
    "plot_share",
    "plot_signals_by_layer",
    "plot_sizes",
    "plot_slopes",
    "plot_stretches",
    "plot_theory_and_nets",
    "plot_update_ratios",
    "plot_verdicts",
    "plot_walk",
    "plot_window",
    "plot_with_prediction",
]
