"""Clipping: paths down a cliff, norms against a threshold, accuracy by threshold."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from course_utils.plots.axes import GREY, axes_or_new, log_axis, with_legend

# Light enough for lines in any colour of the cycle.
_LIGHT_GREYS = ListedColormap(colormaps["Greys"](np.linspace(0.0, 0.55, 256)))


def plot_loss_map(
    across: ArrayLike,
    upwards: ArrayLike,
    losses: ArrayLike,
    *,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """A loss of two numbers as shades of grey, darker for each power of ten.

    across: (n,). upwards: (m,). losses: (m, n), >= 0; below 0.01 all is white.
    """
    ax = axes_or_new(ax)
    decades = np.log10(np.maximum(np.asarray(losses, dtype=float), 1e-2))
    levels = np.arange(-2, max(np.ceil(decades.max()), -1) + 1)
    ax.contourf(across, upwards, decades, levels=levels, cmap=_LIGHT_GREYS)
    ax.grid(visible=False)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax


def plot_path(places: ArrayLike, *, label: str, style: str = "o-", ax: Axes) -> Line2D:
    """The places of a descent, (steps + 1, 2), on `ax`; returns the line, to be moved."""
    points = np.asarray(places, dtype=float)
    (line,) = ax.plot(*points.T, style, label=label or None, markersize=3, linewidth=1.4)
    return line


def plot_norms_and_threshold(
    norms: ArrayLike, threshold: float, *, label: str = "", ax: Axes | None = None
) -> Axes:
    """The gradient's norm at each step, on a log axis, and the threshold; what is cut is shaded.

    norms: (steps,), > 0, before clipping. threshold: > 0.
    """
    ax = axes_or_new(ax)
    sizes = np.asarray(norms, dtype=float)
    steps = np.arange(len(sizes))
    (line,) = ax.plot(steps, sizes, linewidth=1.4, label=label or None)
    ax.fill_between(
        steps,
        threshold,
        sizes,
        where=(sizes > threshold).tolist(),
        color=line.get_color(),
        alpha=0.25,
        linewidth=0,
    )
    ax.axhline(threshold, color=GREY, linestyle="--", linewidth=1)
    log_axis(ax.yaxis)
    ax.set(xlabel="step", ylabel="norm before clipping  (log axis)")
    return with_legend(ax, label)


def plot_by_threshold(
    thresholds: ArrayLike, shares: ArrayLike, *, label: str = "", ax: Axes | None = None
) -> Axes:
    """What came of each threshold: the median over the seeds, and the range as a band.

    thresholds: (n,), > 0. shares: (seeds, n), 0 to 1, drawn as percentages.
    """
    ax = axes_or_new(ax)
    where, percent = np.asarray(thresholds, dtype=float), 100 * np.asarray(shares, dtype=float)
    (line,) = ax.plot(where, np.median(percent, axis=0), "o-", label=label or None)
    ax.fill_between(
        where,
        percent.min(axis=0),
        percent.max(axis=0),
        color=line.get_color(),
        alpha=0.2,
        linewidth=0,
    )
    log_axis(ax.xaxis)
    ax.set(xlabel="threshold of the norm  (log axis)", ylim=(0, 100))
    return with_legend(ax, label)
