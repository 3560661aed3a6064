"""What training leaves behind: losses by step, a quantity at every layer and step."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from course_utils.plots.axes import axes_or_new, name_powers_of_ten, with_legend

# Dark to light, even in lightness, and read alike by the colour-blind (Nuñez et al. 2018).
COLOURS = "cividis"
EXACT_ZERO = "#D55E00"  # no colour of the scale comes near it


def plot_loss_by_step(
    loss: ArrayLike, *, label: str = "", smooth: int = 1, ax: Axes | None = None
) -> Axes:
    """The loss of each step, on a linear axis.

    loss: shape (steps,), in nats. smooth: draw the mean of so many steps in a row, at the last.
    Raises ValueError unless smooth lies within 1 … steps.
    """
    ax = axes_or_new(ax)
    values = np.asarray(loss, dtype=float)
    if not 1 <= smooth <= len(values):
        raise ValueError(
            f"smooth must be within 1 … {len(values)} steps, got {smooth}. Pass smooth=1 for every "
            "step as it is."
        )
    means = np.convolve(values, np.full(smooth, 1 / smooth), mode="valid")
    ax.plot(np.arange(len(means)) + smooth - 1, means, label=label or None)
    ax.set(xlabel="step", ylabel="loss")
    return with_legend(ax, label)


def plot_by_depth(
    depths: Sequence[int], values: ArrayLike, *, label: str = "", ax: Axes | None = None
) -> Axes:
    """One number for each depth, at evenly spaced places named by the depth.

    depths, values: shape (nets,).
    """
    ax = axes_or_new(ax)
    ax.plot(range(len(depths)), np.asarray(values), "o-", label=label or None)
    ax.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    ax.set_xlabel("layers")
    return with_legend(ax, label)


def plot_layer_by_step(
    sizes: ArrayLike,
    *,
    limits: tuple[float, float],
    colour_bar: str = "",
    ax: Axes | None = None,
) -> Axes:
    """A size at each layer and step as a colour on a log scale; what is exactly 0 in orange.

    sizes: shape (steps, layers), >= 0; layer 0, which reads the input, is drawn at the bottom.
    limits: the sizes at both ends of the scale, > 0; what lies beyond has the colour of that end.
    colour_bar: the label of a bar with powers of ten beside the picture, "" for none.
    """
    ax = axes_or_new(ax)
    table = np.asarray(sizes, dtype=float).T
    scale = LogNorm(*limits, clip=True)
    image = ax.imshow(
        np.ma.masked_equal(table, 0.0),
        cmap=colormaps[COLOURS].with_extremes(bad=EXACT_ZERO),
        norm=scale,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    ax.grid(visible=False)
    ax.set(xlabel="step", ylabel="layer (0 reads the input)")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    if colour_bar:
        _add_colour_bar(image, colour_bar, ax=ax)
    return ax


def _add_colour_bar(image: ScalarMappable, label: str, *, ax: Axes) -> None:
    figure = ax.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(image, ax=ax, label=label)
    name_powers_of_ten(bar.ax.yaxis)
