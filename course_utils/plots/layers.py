"""One quantity at each layer of a network or link of a chain."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from course_utils.plots.axes import axes_or_new, log_axis, with_legend


def plot_gradient_by_layer(
    log10_gradients: ArrayLike,
    *,
    label: str = "",
    style: str = "o-",
    ax: Axes | None = None,
) -> Axes:
    """The size of the gradient at each layer, in powers of ten.

    log10_gradients: shape (layers,), from the input (layer 0) to the output.
    """
    ax = axes_or_new(ax)
    decades = np.asarray(log10_gradients)
    ax.plot(range(len(decades)), decades, style, label=label or None)
    ax.set_xlabel("layer l (0 = input)")
    ax.set_ylabel("log₁₀ |gradient at layer l|  (powers of ten)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return with_legend(ax, label)


def plot_signals_by_layer(
    norms: ArrayLike,
    *,
    label: str = "",
    style: str = "o-",
    ax: Axes | None = None,
) -> Axes:
    """The norm of one kind of signal at each layer, on a log axis.

    norms: shape (layers,), > 0, of layers 0, 1, … from the input's side.
    """
    ax = axes_or_new(ax)
    sizes = np.asarray(norms)
    ax.plot(range(len(sizes)), sizes, style, label=label or None)
    log_axis(ax.yaxis)
    ax.set_xlabel("layer (0 reads the input)")
    ax.set_ylabel("norm  (log axis)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return with_legend(ax, label)
