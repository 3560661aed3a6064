"""What every plot of the course shares: the Axes it is given or makes, and marks upon it."""

import math

from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

GREY = "#595959"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_TICKS = 8


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


def log_axis(axis: XAxis | YAxis) -> None:
    """Make `axis` logarithmic, with ticks at whole powers of ten alone, named in plain text.

    Matplotlib's own labels, which it typesets as formulas, would take as long as all the rest.
    """
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    name_powers_of_ten(axis)


def name_powers_of_ten(axis: Axis) -> None:
    """Put ticks at whole powers of ten on an axis that is logarithmic already."""
    axis.set_major_locator(LogLocator(numticks=_MOST_TICKS))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda size, _: power_of_ten(size)))


def power_of_ten(size: float) -> str:
    """Write a whole power of ten, e.g. 10⁻³ for 0.001."""
    return "10" + str(round(math.log10(size))).translate(_SUPERSCRIPTS)


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
