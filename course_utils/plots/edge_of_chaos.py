"""Theory beside measurement: by layer, over the plane of σ_w² and σ_b², and by direction."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from course_utils.plots.axes import GREY, axes_or_new

# Blue where gradients vanish, orange where they explode, pale between; dark ends tell them from
# the middle in grey, and the words on the picture tell them from each other.
ORDER_TO_CHAOS = "RdBu_r"


def plot_theory_and_nets(
    predicted: ArrayLike, measured: ArrayLike, *, label: str, first: int = 1, ax: Axes | None = None
) -> Axes:
    """One quantity by layer: the prediction as a line, measured networks as dots of its colour.

    predicted: shape (layers,). measured: shape (networks, layers). first: number of the first.
    """
    ax = axes_or_new(ax)
    line, nets = np.asarray(predicted), np.atleast_2d(np.asarray(measured))
    layers = np.arange(first, first + len(line))
    (drawn,) = ax.plot(layers, line, label=label)
    ax.plot(layers, nets.T, ".", color=drawn.get_color(), markersize=5, alpha=0.55)
    ax.set_xlabel("layer")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return ax


def plot_phases(
    bias_squared: ArrayLike,
    gain_squared: ArrayLike,
    chi: ArrayLike,
    *,
    critical: tuple[ArrayLike, ArrayLike],
    ax: Axes | None = None,
) -> Axes:
    """χ as a colour over the plane of σ_b² and σ_w², and the line where it is 1.

    bias_squared: shape (n,). gain_squared: shape (m,). chi: shape (m, n), > 0. critical: σ_b² and
    σ_w² along the line. What lies beyond a half and 2 has the colour of that end.
    """
    ax = axes_or_new(ax)
    mesh = ax.pcolormesh(
        np.asarray(bias_squared),
        np.asarray(gain_squared),
        np.asarray(chi),
        cmap=colormaps[ORDER_TO_CHAOS],
        norm=LogNorm(0.5, 2.0),
        shading="gouraud",
    )
    ax.plot(*critical, color="black", label="χ = 1, the edge of chaos")
    ax.grid(visible=False)
    ax.set(xlabel="σ_b²  (biases)", ylabel="σ_w²  (weights)")
    figure = ax.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(mesh, ax=ax, label="χ, factor a layer  (log scale)")
    bar.ax.yaxis.set_major_locator(FixedLocator([0.5, 0.7, 1, 1.4, 2]))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    return ax


def plot_accuracy_by_gain_and_depth(
    gains_squared: Sequence[float],
    depths: Sequence[int],
    accuracy: ArrayLike,
    *,
    limits: ArrayLike,
    ax: Axes | None = None,
) -> Axes:
    """How well each depth learns at each σ_w²: a table of shades with its numbers in percent.

    accuracy: shape (depths, gains), 0 to 1. limits: shape (gains,), a depth for each gain; a line
    parts the depths up to it from those beyond.
    """
    ax = axes_or_new(ax)
    table = np.asarray(accuracy)
    ax.imshow(table, cmap=colormaps["cividis"], vmin=0, vmax=1, origin="lower", aspect="auto")
    for (row, column), share in np.ndenumerate(table):
        ax.annotate(
            f"{100 * share:.0f}",
            (column, row),
            ha="center",
            va="center",
            fontsize=9,
            color="white" if share < 0.6 else "black",
        )
    within = (np.asarray(depths)[:, None] <= np.asarray(limits)).sum(axis=0)
    edges = np.arange(len(gains_squared) + 1) - 0.5
    for colour, width in (("white", 5), ("black", 2)):
        ax.stairs(within - 0.5, edges, baseline=None, color=colour, linewidth=width)
    ax.grid(visible=False)
    ax.set_xticks(range(len(gains_squared)), [f"{gain:g}" for gain in gains_squared])
    ax.set_yticks(range(len(depths)), [str(depth) for depth in depths])
    ax.set(xlabel="σ_w²", ylabel="layers")
    return ax


def plot_stretches(
    decades: ArrayLike, *, label: str, style: str = "-", ax: Axes | None = None
) -> Axes:
    """By how much a product of layers stretches each direction, the most stretched one first.

    decades: shape (directions,), powers of ten.
    """
    ax = axes_or_new(ax)
    values = np.asarray(decades)
    ax.plot(range(1, len(values) + 1), values, style, label=label, markersize=3)
    ax.set(xlabel="direction, most stretched first", ylabel="log₁₀ stretch  (powers of ten)")
    return ax


def plot_window(
    gains_squared: ArrayLike, accuracy: ArrayLike, *, guessing: float, ax: Axes | None = None
) -> Axes:
    """Accuracy against σ_w², at evenly spaced places: every seed a dot, their median a line.

    accuracy: shape (gains, seeds), 0 to 1. guessing: the accuracy of a guess, a dashed line.
    """
    ax = axes_or_new(ax)
    table, gains = np.asarray(accuracy), np.asarray(gains_squared)
    places = np.arange(len(gains))
    ax.plot(places, np.median(table, axis=1))
    ax.plot(np.repeat(places, table.shape[1]), table.ravel(), "o", color=ax.lines[-1].get_color())
    ax.axhline(guessing, color=GREY, linestyle="--", linewidth=1)
    ax.set_xticks(places, [f"{gain:g}" for gain in gains])
    ax.set(xlabel="σ_w²", ylabel="test accuracy", ylim=(0, 1.03))
    return ax
