"""What every plot of the course shares: the Axes it is given or makes, and marks upon it."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

GREY = "#595959"


def mark_level(level: float, *, label: str, ax: Axes) -> Axes:
    """A dashed horizontal line at `level` with its meaning written above it, at the right."""
    ax.axhline(level, color=GREY, linestyle="--", linewidth=1)
    ax.annotate(
        label,
        (1, level),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=GREY,
        fontsize=9,
    )
    return ax


def axes_or_new(ax: Axes | None) -> Axes:
    """The Axes that a plot was given, or those of a new figure."""
    if ax is not None:
        return ax
    axes: Axes = Figure().subplots()
    return axes


def with_legend(ax: Axes, label: str) -> Axes:
    """`ax`, with a legend if there is a label to show in it."""
    if label:
        ax.legend()
    return ax
