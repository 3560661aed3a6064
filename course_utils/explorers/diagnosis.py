"""Lesson 06's explorer: the panels of one recorded run, and a picker of runs."""

from collections.abc import Callable, Mapping
from math import log
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from numpy.typing import NDArray

from course_utils import plots
from course_utils.diagnosis import Trace, statistics
from course_utils.explorers.base import Explorer
from course_utils.figures import new_figure
from course_utils.plots import diagnosis as drawn

FEW = 9  # runs that have a button each; more share one list


def trace_explorer(
    traces: Mapping[str, Trace], *, note: Callable[[str], str] = lambda name: ""
) -> Explorer:
    """A choice of runs over the four panels of the chosen one.

    traces: the runs by name, at least one. note: name → a sentence to put behind the numbers.
    Raises ValueError if there is no run.
    """
    if not traces:
        raise ValueError("traces must hold at least one run, got none. Pass e.g. {'A': trace}.")
    panels = RunPanels(traces)
    several = widgets.ToggleButtons if len(traces) <= FEW else widgets.Dropdown
    return Explorer(
        controls={"run": several(options=list(traces), description="run", **_ROOM[several])},
        figure=panels.figure,
        moving=panels.moving,
        update=lambda run: f"Run {run}: {panels.draw(traces[run])} {note(run)}".rstrip(),
        without_kernel=(
            f"Explorer: a choice of {len(traces)} runs over the loss, gradients and updates of "
            "the chosen one. Run this cell to choose."
        ),
    )


_ROOM: dict[type[widgets.Widget], dict[str, Any]] = {
    widgets.ToggleButtons: {"style": {"button_width": "52px", "description_width": "40px"}},
    widgets.Dropdown: {
        "style": {"description_width": "40px"},
        "layout": widgets.Layout(width="560px", max_width="100%"),
    },
}


class RunPanels:
    """Loss, weight gradients, update ratios and activation gradients of one run at a time."""

    def __init__(self, traces: Mapping[str, Trace]) -> None:
        """Make axes that all of these runs fit on."""
        self.figure, axes = new_figure(rows=2, columns=2, height=4.7)
        longest = max((trace for trace in traces.values()), key=lambda trace: len(trace.loss))
        self._artists = _draw_panels(self.figure, axes, longest)
        self._palette_is_taken = False
        for ax in axes.flat[:3]:
            ax.set_xlim(-0.02 * len(longest.loss), 1.02 * len(longest.loss))

    @property
    def moving(self) -> list[Artist]:
        """What changes from run to run, in drawing order."""
        return list(self._artists.values())

    def draw(self, trace: Trace) -> str:
        """Show this run instead; returns what it shows in words."""
        artists: dict[str, Any] = self._artists
        artists["loss"].set_data(*drawn.loss_line(trace.loss))
        artists["mark"].set_data(*drawn.not_finite_mark(trace.loss))
        guessing = [] if trace.classes is None else [log(trace.classes)] * 2
        artists["guessing"].set_data([0, 1][: len(guessing)], guessing)
        # an Explorer takes its 256 colours from the first frame, which it does not show
        heat = drawn.heat_image(trace.grad_weight_norm) if self._palette_is_taken else _colours()
        self._palette_is_taken = True
        artists["heat"].set_data(heat)
        artists["heat"].set_extent((-0.5, len(trace.loss) - 0.5, 0, 1))
        for name, column in zip(("ratio in", "ratio out"), update_ratios(trace).T, strict=True):
            artists[name].set_data(*drawn.ratio_line(column))
        for name, profile in zip(("first", "last"), activation_profiles(trace), strict=True):
            artists[name].set_data(*drawn.profile_line(profile))
        return run_in_words(trace)


def _draw_panels(figure: Figure, axes: NDArray[Any], trace: Trace) -> dict[str, Artist]:
    """Draw the still parts with one run on them; returns the artists that change, by name."""
    (loss_ax, heat_ax), (ratio_ax, profile_ax) = axes
    plots.plot_run_loss(trace.loss, guessing=log(trace.classes or 10), ax=loss_ax)
    guessing, loss, mark = loss_ax.lines
    loss_ax.set_title("Loss (dashed: guessing)")
    plots.plot_gradient_heat(trace.grad_weight_norm, ax=heat_ax)
    (heat,) = heat_ax.images
    heat_ax.set_title("Weight gradients, log₁₀ norm")
    figure.colorbar(heat, ax=heat_ax, ticks=range(-10, 9, 3), pad=0.02)
    plots.plot_update_ratios(update_ratios(trace), ax=ratio_ax)
    ratio_ax.set_title("Update ratio (dashed: 1/1,000)")
    ratio_ax.legend(fontsize=8, loc="lower right")
    plots.plot_depth_profile(activation_profiles(trace), ax=profile_ax)
    profile_ax.set_title("Activation gradients by depth")
    profile_ax.legend(fontsize=8, loc="upper center", ncols=2)
    lines = (*ratio_ax.lines[-2:], *profile_ax.lines)
    names = ("ratio in", "ratio out", "first", "last")
    panels = {"heat": heat, "guessing": guessing, "loss": loss, "mark": mark}
    return panels | dict(zip(names, lines, strict=True))


def _colours() -> NDArray[np.float64]:
    """A heat image with every colour in it, and that of what is no number."""
    scale = np.linspace(*drawn.GRADIENT_DECADES, 120)
    return np.append(scale, np.full(12, np.nan))[:, None]


def update_ratios(trace: Trace) -> NDArray[np.float64]:
    """‖update‖ / ‖weights‖ of the input and the output layer, (steps, 2); NaN if not recorded."""
    ratios = statistics.update_ratios(trace)
    return np.full((trace.steps, 2), np.nan) if ratios is None else ratios[:, [0, -1]]


def activation_profiles(trace: Trace) -> NDArray[np.float64]:
    """‖∂loss/∂h‖ by layer at the first and the last finite step, (2, layers); NaN if unknown."""
    norms = trace.grad_hidden_norm
    if norms is None:
        return np.full((2, trace.grad_weight_norm.shape[1]), np.nan)
    finite = np.flatnonzero(np.isfinite(norms).all(axis=1))
    return np.asarray(norms[finite[[0, -1]]] if len(finite) else np.full_like(norms[:2], np.nan))


def dead_in_words(trace: Trace) -> str:
    """The share of dead units in the worst layer at the last step, if it was recorded."""
    if trace.dead_share is None:
        return "not recorded"
    last = trace.dead_share[np.isfinite(trace.dead_share).all(axis=1)][-1:]
    return f"{last.max():.0%} in the worst layer" if last.size else "unknown"


def run_in_words(trace: Trace) -> str:
    """What the panels show, in numbers."""
    steps, layers = trace.grad_weight_norm.shape
    bad = np.flatnonzero(~np.isfinite(trace.loss))
    end = f"no number from step {bad[0]} on" if bad.size else f"{trace.loss[-1]:.2g} at the end"
    finite = trace.grad_weight_norm[np.isfinite(trace.grad_weight_norm).all(axis=1)][-1:]
    gradients = (
        f"input layer {_size(finite[0, 0])}, output layer {_size(finite[0, -1])}"
        if finite.size
        else "none of them finite"
    )
    return (
        f"{steps} steps, {layers} layers. Loss {trace.loss[0]:.2g} at the start, {end}. Last "
        f"finite weight gradients: {gradients}. Dead units: {dead_in_words(trace)}."
    )


def _size(norm: float) -> str:
    return "exactly 0" if norm == 0 else f"{norm:.0e}"
