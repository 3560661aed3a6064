"""Slopes, depth budgets and what became of networks of different depths: lesson 07."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.axes import axes_or_new, with_legend

BELOW = -9.0  # where what has no accuracy is drawn: clear of those that guess


def plot_accuracy_by_depth(
    depths: Sequence[int], accuracies: ArrayLike, *, label: str = "", ax: Axes | None = None
) -> Axes:
    """The accuracy of networks of these depths; one whose weights turned NaN is a cross below.

    depths: shape (nets,), drawn at even distances. accuracies: shape (nets,), 0 to 1, or NaN.
    """
    ax = axes_or_new(ax)
    places, shares = np.arange(len(depths)), 100 * np.asarray(accuracies, dtype=float)
    (line,) = ax.plot(places, shares, "o-", label=label or None)
    broken = places[np.isnan(shares)]
    ax.plot(broken, 0 * broken + BELOW, "X", color=line.get_color(), markersize=9)
    for place in broken:
        ax.annotate("NaN", (place, BELOW), (-9, -3), textcoords="offset points", ha="right")
    ax.set_xticks(places, [str(depth) for depth in depths])
    ax.set(xlabel="layers", ylabel="test accuracy  (%)", ylim=(BELOW - 7, 104))
    return with_legend(ax, label)


def plot_ratio_by_depth(
    depths: ArrayLike,
    ratios: ArrayLike,
    *,
    factor: float,
    label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """How much of the gradient reaches the input side, by depth: measured and predicted.

    depths: shape (nets,), layers, >= 2. ratios: shape (nets,), > 0, ∂L/∂h at layer 0 over ∂L/∂h at
    the last hidden layer, one network each: points. factor: what each layer is predicted to
    multiply the gradient by; the line is factor^(layers − 2), since so many layers lie between.
    """
    ax = axes_or_new(ax)
    layers = np.asarray(depths)
    # logarithms on a linear axis: the labels of a log axis take as long as all the rest
    (line,) = ax.plot(layers, np.log10(factor) * (layers - 2.0), linewidth=1.2)
    colour, measured = line.get_color(), np.log10(np.asarray(ratios))
    ax.plot(layers, measured, "o", color=colour, markersize=4, label=label or None)
    ax.set(xlabel="layers", ylabel="log₁₀ of ∂L/∂h, first over last")
    return with_legend(ax, label)


def plot_slopes(
    edges: ArrayLike, shares: ArrayLike, *, label: str = "", ax: Axes | None = None
) -> Axes:
    """How the units' slopes are spread, as the outline of a histogram.

    edges: shape (bins + 1,), slopes. shares: shape (bins,), 0 to 1, of all units and examples.
    """
    ax = axes_or_new(ax)
    ax.plot(*outline(edges, shares), linewidth=1.5, label=label or None)
    ax.set(xlabel="slope of a unit, f′(z)", ylabel="share of units  (%)", ylim=(-4, 104))
    return with_legend(ax, label)


def outline(edges: ArrayLike, shares: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners, (2·bins + 2,) each, of a histogram's outline, heights in percent."""
    across = np.repeat(np.asarray(edges, dtype=float), 2)
    heights = np.repeat(100 * np.asarray(shares, dtype=float), 2)
    return across, np.concatenate([[0.0], heights, [0.0]])
