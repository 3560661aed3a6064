"""What was measured over several random networks, beside what was predicted for them."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from course_utils.plots.axes import axes_or_new


def plot_with_prediction(
    measured: ArrayLike, predicted: ArrayLike, *, label: str = "", ax: Axes | None = None
) -> Axes:
    """A quantity at 0, 1, 2, …: the mean over the networks, their range, the prediction dashed.

    measured: shape (draws, n). predicted: shape (n,). A legend is left to the caller: see
    key_of_prediction for what the dashes and the band stand for.
    """
    ax = axes_or_new(ax)
    draws = np.asarray(measured, dtype=float)
    places = np.arange(draws.shape[1])
    (line,) = ax.plot(places, draws.mean(axis=0), label=label or None)
    ax.fill_between(
        places,
        draws.min(axis=0),
        draws.max(axis=0),
        color=line.get_color(),
        alpha=0.18,
        linewidth=0,
    )
    ax.plot(places, np.asarray(predicted), color="black", linestyle=(0, (2, 2)), linewidth=1.2)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return ax


def key_of_prediction() -> Line2D:
    """The legend's entry for the dashed lines of plot_with_prediction."""
    return Line2D([], [], color="black", linestyle=(0, (2, 2)), linewidth=1.2, label="predicted")


def plot_walk(gradients: ArrayLike, *, label: str = "", ax: Axes | None = None) -> Axes:
    """A gradient along a closed walk of its input, once round.

    gradients: shape (points,), at evenly spaced angles from 0 to just below 2π.
    """
    ax = axes_or_new(ax)
    values = np.asarray(gradients)
    ax.plot(np.arange(len(values)) * 2 / len(values), values, label=label or None, linewidth=1)
    ax.axhline(0, color="black", linewidth=0.6)
    ax.set(xlabel="angle t of the input  (multiples of π)", ylabel="∂output/∂t", xlim=(0, 2))
    return ax
