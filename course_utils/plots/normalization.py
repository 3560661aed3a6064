"""A batch as a table of colours: one example a row, one unit a column."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from course_utils.plots.axes import axes_or_new

# Diverging around 0, and told apart by the colour-blind.
COLOURS = "PuOr_r"
ALONG = {"batch": 0, "units": 1}


def plot_batch(
    values: ArrayLike,
    *,
    limit: float,
    over: str = "",
    at: int = 0,
    colour_bar: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The values of a batch: orange above 0, violet below, white at 0.

    values: shape (examples, units). limit: the size, > 0, that has the full colour.
    over: "batch" frames one column, "units" frames one row, "" frames nothing: what a mean is
    taken over. at: which column or row. colour_bar: the label of a bar beside the picture.
    Raises ValueError for another word in over.
    """
    if over and over not in ALONG:
        raise ValueError(f"over must be 'batch', 'units' or '', got {over!r}. Name the axis.")
    ax = axes_or_new(ax)
    table = np.asarray(values, dtype=float)
    image = ax.imshow(table, cmap=COLOURS, vmin=-limit, vmax=limit, aspect="auto")
    ax.grid(visible=False)
    ax.set(xlabel="unit", ylabel="example")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    if over:
        corner = (at - 0.5, -0.5) if over == "batch" else (-0.5, at - 0.5)
        size = (1, len(table)) if over == "batch" else (table.shape[1], 1)
        ax.add_patch(Rectangle(corner, *size, fill=False, linewidth=2.5, clip_on=False))
    if colour_bar:
        figure = ax.get_figure(root=True)
        assert figure is not None
        figure.colorbar(image, ax=ax, label=colour_bar)
    return ax
