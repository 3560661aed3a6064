"""Lesson 02's explorer: the step h of a difference, and what rounding leaves of the loss."""

from collections.abc import Callable
from functools import cache
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_utils.explorers.base import Explorer, slider
from course_utils.figures import PALETTE, new_figure
from course_utils.plots import GREY, plot_errors_by_step

Losses = Callable[[NDArray[Any]], NDArray[Any]]
DTYPES = ("float64", "float32")
EXPONENTS = np.arange(-16, 0.01, 0.25)
# Offsets from the weight, in steps h, at which the loss is drawn.
OFFSETS = np.linspace(-1.4, 1.4, 85)
NO_ERROR = 1e-12  # an error of exactly 0 has no place on a log axis
COLOURS = {"forward": PALETTE[1], "centred": PALETTE[0]}


def difference_explorer(losses: Losses, weight: float, slope: float) -> Explorer:
    """A slider for h and a choice of dtype, over the error of a difference and a view of the loss.

    losses: weights of shape (n,) in float32 or float64 → the loss at each, computed in that dtype.
    weight: where the slope is taken. slope: the exact derivative there, not 0.
    """
    figure, (error_ax, zoom_ax) = new_figure(columns=2, height=3.5)
    errors = {dtype: _errors(losses, weight, slope, dtype) for dtype in DTYPES}
    _draw_errors(error_ax, errors)
    # centred first: a smaller forward dot stays in sight where both agree
    dots = {
        name: error_ax.plot([1], [1], "o", markersize=size, color=COLOURS[name])[0]
        for name, size in (("centred", 10), ("forward", 6))
    }
    _draw_zoom(zoom_ax)
    (curve,) = zoom_ax.plot(OFFSETS, OFFSETS, color="black", linewidth=1.5)
    secants = {
        name: zoom_ax.plot([-1, 1], [-1, 1], "o-", color=COLOURS[name])[0] for name in COLOURS
    }
    zoom_ax.legend(
        [curve, *secants.values()], ["loss", *secants], fontsize=9, loc="upper left", ncols=1
    )

    @cache
    def seen(dtype: str, exponent: float) -> NDArray[np.float64]:
        """The change of the loss over OFFSETS, in units of h · slope."""
        h = 10.0**exponent
        points = np.concatenate([[0.0, -1.0, 1.0], OFFSETS]) * h + weight
        values = losses(points.astype(dtype)).astype(np.float64)
        return (values - values[0]) / (h * slope)

    def update(exponent: float, dtype: str) -> str:
        changes = seen(dtype, exponent)
        below, above = changes[1:3]
        curve.set_data(OFFSETS, changes[3:])
        secants["forward"].set_data([0, 1], [0, above])
        secants["centred"].set_data([-1, 1], [below, above])
        found = {"forward": abs(above - 1), "centred": abs((above - below) / 2 - 1)}
        for name, dot in dots.items():
            dot.set_data([10.0**exponent], [max(found[name], NO_ERROR)])
        return (
            f"h = {10.0**exponent:.1e} in {dtype}: relative error "
            f"{found['forward']:.1e} (forward), {found['centred']:.1e} (centred)."
        )

    return Explorer(
        controls={
            "exponent": slider("log₁₀ of the step h", low=-16, high=0, start=-1, step=0.25),
            "dtype": widgets.ToggleButtons(options=DTYPES, description="computed in"),
        },
        figure=figure,
        moving=[*dots.values(), curve, *secants.values()],
        update=update,
        without_kernel=(
            "Explorer: a slider for the step h and a choice of float64 or float32, over the error "
            "of both differences and the loss seen from h away. Run this cell to move it."
        ),
    )


def _errors(losses: Losses, weight: float, slope: float, dtype: str) -> dict[str, NDArray[Any]]:
    """The relative error of both differences at every h of EXPONENTS."""
    steps = 10.0**EXPONENTS
    here, above, below = (
        losses((weight + side * steps).astype(dtype)).astype(np.float64) for side in (0, 1, -1)
    )
    slopes = {"forward": (above - here) / steps, "centred": (above - below) / (2 * steps)}
    return {name: np.maximum(np.abs(found / slope - 1), NO_ERROR) for name, found in slopes.items()}


def _draw_errors(ax: Axes, errors: dict[str, dict[str, NDArray[Any]]]) -> None:
    for dtype, style in zip(DTYPES, ("-", ":"), strict=True):
        for name, colour in COLOURS.items():
            plot_errors_by_step(10.0**EXPONENTS, errors[dtype][name], style=style, ax=ax)
            ax.lines[-1].set(color=colour, linewidth=1.2, label=f"{name}, {dtype}")
    ax.set(ylim=(NO_ERROR / 3, 3e4), title="Error of the difference")
    ax.set_xticks(10.0 ** np.arange(-16, 1, 4))  # more would touch in half a figure's width
    ax.legend(fontsize=8, loc="upper right", ncols=2, columnspacing=0.8, handlelength=1.4)


def _draw_zoom(ax: Axes) -> None:
    ax.axline((0, 0), slope=1, color=GREY, linestyle="--", linewidth=1)
    ax.set(xlim=(-1.4, 1.4), ylim=(-2.6, 2.6), title="The loss, seen from h away")
    ax.set_xlabel("distance from the weight, in steps h")
    ax.set_ylabel("change of the loss, in h · slope")
