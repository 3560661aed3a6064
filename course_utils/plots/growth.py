"""Sizes that run over many powers of ten, and stop being numbers."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike

from course_utils.plots.axes import GREY, axes_or_new, log_axis, with_legend


def plot_sizes(
    positions: ArrayLike,
    sizes: ArrayLike,
    *,
    xlabel: str,
    ylabel: str,
    label: str = "",
    style: str = "o-",
    ax: Axes | None = None,
) -> Axes:
    """Sizes on a log axis; what is inf or NaN stands as a cross at the upper edge.

    positions: shape (n,), in what xlabel says. sizes: shape (n,), > 0, inf or NaN.
    """
    ax = axes_or_new(ax)
    where, values = np.asarray(positions), np.asarray(sizes, dtype=float)
    finite = np.isfinite(values)
    (line,) = ax.plot(where, np.where(finite, values, np.nan), style, label=label or None)
    ax.plot(
        where[~finite],
        np.full(np.sum(~finite), 0.96),
        "X",
        color=line.get_color(),
        markersize=8,
        transform=ax.get_xaxis_transform(),
    )
    log_axis(ax.yaxis)
    ax.set(xlabel=xlabel, ylabel=f"{ylabel}  (log axis)")
    return with_legend(ax, label)


def plot_products(log10_norms: ArrayLike, *, label: str = "median", ax: Axes | None = None) -> Axes:
    """Many random products of 0, 1, 2, … factors: each a grey line, their median a thick one.

    log10_norms: shape (draws, factors + 1), powers of ten.
    """
    ax = axes_or_new(ax)
    decades = np.atleast_2d(np.asarray(log10_norms, dtype=float))
    factors = np.arange(decades.shape[1])
    paths = [np.column_stack([factors, path]) for path in decades]
    # one collection: a line for each path would take twice as long
    ax.add_collection(LineCollection(paths, colors=GREY, alpha=0.35, linewidths=0.6))
    ax.plot(factors, np.median(decades, axis=0), label=label or None, linewidth=2.5)
    ax.set(xlabel="number of factors", ylabel="log₁₀ of the length  (powers of ten)")
    return with_legend(ax, label)
