"""What happens through time: norms step by step, and how many seeds learned."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from course_utils.plots.axes import GREY, axes_or_new, with_legend


def plot_norms_by_time(
    log10_norms: ArrayLike,
    *,
    label: str = "",
    style: str = "-",
    ax: Axes | None = None,
) -> Axes:
    """A norm at each time 0, 1, 2, …, in powers of ten.

    log10_norms: shape (times,).
    """
    ax = axes_or_new(ax)
    decades = np.asarray(log10_norms)
    ax.plot(range(len(decades)), decades, style, label=label or None)
    ax.set(xlabel="time t", ylabel="log₁₀ norm  (powers of ten)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return with_legend(ax, label)


def plot_accuracy_by_seed(
    accuracies: Mapping[str, ArrayLike], *, guessing: float, ax: Axes | None = None
) -> Axes:
    """One row of dots for each way to train, a dot for each seed, and a line at guessing.

    accuracies: shape (seeds,) of each way, 0 to 1; drawn from top to bottom.
    guessing: accuracy without knowledge, 0 to 1.
    """
    ax = axes_or_new(ax)
    for row, values in enumerate(accuracies.values()):
        shares = 100 * np.sort(np.asarray(values, dtype=float))
        # dots side by side, so that equal ones do not hide each other
        heights = row + 0.5 * (np.arange(len(shares)) / max(len(shares) - 1, 1) - 0.5)
        ax.plot(shares, heights, "o", markersize=4)
    ax.axvline(100 * guessing, color=GREY, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(accuracies)), list(accuracies))
    ax.set(xlabel="accuracy on new sequences  (%)", xlim=(-4, 104))
    ax.grid(visible=False, axis="y")
    ax.invert_yaxis()
    return ax
