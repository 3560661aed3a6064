"""The panels of one recorded run, as a doctor reads them, and a table of right and wrong verdicts.

The scales are fixed, so that runs can be compared: what lies beyond is drawn at the border.
"""

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import MultipleLocator
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.axes import GREY, axes_or_new, log_axis

LOSS_RANGE = (1e-2, 1e4)
RATIO_DECADES = (-12.0, 2.0)  # of the update-to-weight ratio
GRADIENT_DECADES = (-10.0, 8.0)  # white, the middle, is a norm of 0.1
RULE_OF_THUMB = -3.0  # a common advice: each step moves a weight by about a thousandth
NOT_FINITE = "#404040"
# room around and between the axes of four rows by plot_run_row, see figures.new_figure
FOUR_ROWS = MappingProxyType(
    {"left": 0.055, "right": 0.98, "bottom": 0.04, "top": 0.955, "wspace": 0.36, "hspace": 0.36}
)


def plot_run_loss(
    loss: ArrayLike, *, guessing: float | None = None, ax: Axes | None = None
) -> Axes:
    """The loss at each step on a log axis, a cross where it stops being a finite number.

    loss: shape (steps,), in nats. guessing: the loss of guessing, ln(classes); None marks none.
    """
    ax = axes_or_new(ax)
    if guessing is not None:
        ax.axhline(guessing, color=GREY, linestyle="--", linewidth=1)
    ax.plot(*loss_line(loss))
    log_axis(ax.yaxis)
    ax.plot(*not_finite_mark(loss), "X", color=NOT_FINITE, markersize=9, clip_on=False)
    ax.lines[-1].set_in_layout(False)  # a mark that is nowhere would have no extent
    ax.set(ylim=LOSS_RANGE, xlabel="step", ylabel="loss")
    return ax


def loss_line(loss: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steps and heights of the finite losses, those beyond the axis at its border."""
    values = np.asarray(loss, dtype=float)
    steps = np.flatnonzero(np.isfinite(values)).astype(float)
    return steps, np.clip(values[np.isfinite(values)], *LOSS_RANGE)


def not_finite_mark(loss: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where to draw the cross: the first inf or NaN, at the top; nowhere if all is finite."""
    steps = np.flatnonzero(~np.isfinite(np.asarray(loss, dtype=float)))[:1].astype(float)
    return steps, np.full(steps.shape, LOSS_RANGE[1])


def plot_gradient_heat(norms: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """The norm of each layer's weight gradient at each step, as a colour; dark grey: inf or NaN.

    norms: shape (steps, layers), >= 0, layer 0 at the input side, which is drawn at the bottom.
    The layers share the height of the axes, however many they are.
    """
    ax = axes_or_new(ax)
    heat = np.asarray(norms)
    colours = colormaps["RdBu_r"].with_extremes(bad=NOT_FINITE)
    ax.imshow(
        heat_image(heat),
        cmap=colours,
        norm=Normalize(*GRADIENT_DECADES),
        extent=(-0.5, len(heat) - 0.5, 0, 1),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    ax.set_yticks([0.05, 0.95], ["input", "output"])
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    ax.set_xlabel("step")
    return ax


def heat_image(norms: ArrayLike) -> NDArray[np.float64]:
    """Powers of ten, (layers, steps), within the colours' range; NaN where it is not finite."""
    sizes = np.asarray(norms, dtype=float).T
    with np.errstate(divide="ignore", invalid="ignore"):
        decades = np.clip(np.log10(sizes), *GRADIENT_DECADES)
    return np.where(np.isfinite(sizes), decades, np.nan)


def plot_update_ratios(
    ratios: ArrayLike,
    *,
    names: Sequence[str] = ("input layer", "output layer"),
    ax: Axes | None = None,
) -> Axes:
    """How far each step moves the weights of a few layers, as a share of their norm.

    ratios: shape (steps, lines), >= 0: ‖update‖ / ‖weights‖. names: one for each line.
    """
    ax = axes_or_new(ax)
    ax.axhline(RULE_OF_THUMB, color=GREY, linestyle="--", linewidth=1)
    for column, name in zip(np.asarray(ratios).T, names, strict=True):
        ax.plot(*ratio_line(column), label=name, linewidth=1.5)
    ax.set(ylim=RATIO_DECADES, xlabel="step", ylabel="log₁₀  update / weight")
    ax.yaxis.set_major_locator(MultipleLocator(3))
    return ax


def ratio_line(ratios: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steps and powers of ten of the finite ratios, those beyond the axis at its border."""
    values = np.asarray(ratios, dtype=float)
    steps = np.flatnonzero(np.isfinite(values))
    return steps.astype(float), _decades(values[steps], RATIO_DECADES)


def plot_depth_profile(
    profiles: ArrayLike,
    *,
    names: Sequence[str] = ("first step", "last step"),
    ax: Axes | None = None,
) -> Axes:
    """The norm of the activation gradient along the depth of the net, from input to output.

    profiles: shape (lines, layers), >= 0. names: one for each line, e.g. when it was recorded.
    """
    ax = axes_or_new(ax)
    for profile, name in zip(np.asarray(profiles), names, strict=True):
        ax.plot(*profile_line(profile), label=name, linewidth=1.5)
    ax.set_xlim(-0.03, 1.03)
    ax.set_xticks([0, 1], ["input", "output"])
    ax.set(ylim=GRADIENT_DECADES, ylabel="log₁₀  norm")
    return ax


def profile_line(profile: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Depth from 0 to 1 and powers of ten of the finite norms, the others left out."""
    values = np.asarray(profile, dtype=float)
    depth = np.linspace(0, 1, len(values))
    finite = np.isfinite(values)
    return depth[finite], _decades(values[finite], GRADIENT_DECADES)


def plot_run_row(
    panels: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    *,
    title: str,
    row: Sequence[Axes],
    guessing: float | None = None,
    last: bool = True,
) -> Sequence[Axes]:
    """One run on a row of four small axes: loss, weight gradients, update ratio, depth profile.

    panels: what plot_run_loss, plot_gradient_heat, plot_update_ratios and plot_depth_profile take.
    title: written above the row. row: four Axes. guessing: see plot_run_loss. last: whether the
    steps are written below, as the last of several rows needs.
    """
    loss, gradients, ratios, profiles = panels
    plot_run_loss(loss, guessing=guessing, ax=row[0]).set_title(title, fontsize=9)
    plot_gradient_heat(gradients, ax=row[1])
    plot_update_ratios(ratios, ax=row[2])
    plot_depth_profile(profiles, ax=row[3])
    for ax in row:
        ax.set(xlabel="", ylabel="")
        ax.tick_params(labelsize=7, labelbottom=last)
    for ax in row[:3]:
        ax.set_xticks([0, len(np.asarray(loss))])
    row[0].set_yticks([1e-2, 1, 1e2, 1e4])
    row[2].set_yticks([-9, RULE_OF_THUMB, 0])
    row[3].set_yticks([-10, -1, 8])
    row[3].set_xticks([0.1, 0.9], ["input", "output"])
    return row


def plot_confusion(counts: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """How often each truth got each verdict: what is right lies on the diagonal.

    counts: shape (truths, verdicts), whole numbers. names: of the truths, in order; the verdicts
    are the same, in the same order.
    """
    ax = axes_or_new(ax)
    table = np.asarray(counts)
    of_each_truth = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    ax.imshow(of_each_truth, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in zip(*np.nonzero(table), strict=True):
        dark = of_each_truth[row, column] > 0.5
        ax.text(
            column,
            row,
            f"{table[row, column]}",
            ha="center",
            va="center",
            color="white" if dark else "black",
            fontweight="bold" if row == column else "normal",
        )
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(names)), names)
    ax.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    ax.grid(visible=False)
    ax.grid(visible=True, which="minor", color="#E4E4E4")
    ax.tick_params(which="both", length=0)
    ax.set(xlabel="verdict of diagnose()", ylabel="how the run was made")
    return ax


def _decades(values: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.clip(np.log10(values), *limits)
