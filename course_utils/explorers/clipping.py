"""Lesson 08's explorer: how far down a cliff gradient descent comes with each threshold."""

from functools import partial

import numpy as np

from course_utils.cliff import LINKS, Vector, cliff_descent, cliff_gradient, cliff_loss
from course_utils.explorers.base import Explorer, log_slider
from course_utils.figures import new_figure
from course_utils.norms import degrees_between
from course_utils.plots import GREY, plot_loss_map, plot_path
from course_utils.training import clip_by_norm, clip_by_value

START = (1.4, 1.2)
LEARNING_RATE, STEPS = 0.01, 40
LARGEST_A, LARGEST_B = 1.6, 1.5
LOW, HIGH = 0.01, 1e4  # of the threshold
_CLIPS = {"by norm": clip_by_norm, "by value": clip_by_value}


def clipping_explorer(*, threshold: float = 1.0) -> Explorer:
    """A slider, the threshold, over two paths down a cliff: clipped by norm and by value.

    threshold: at the start, 0.01 to 10,000.
    """
    figure, ax = new_figure(height=4.2)
    a, b = np.linspace(0, LARGEST_A, 161), np.linspace(0, LARGEST_B, 101)
    losses = cliff_loss(a, b[:, np.newaxis])
    plot_loss_map(
        a,
        b,
        losses,
        xlabel="a, the weight of ten links",
        ylabel="b, the weight of the last link",
        ax=ax,
    )
    valley = a[a > 0.9]
    ax.plot(valley, valley**-LINKS, color=GREY, linestyle=":", linewidth=1.5)
    ax.set(xlim=(0, LARGEST_A), ylim=(0, LARGEST_B))
    ax.set_title(f"{STEPS} steps down the cliff, learning rate {LEARNING_RATE}")
    for words, place in (("plain", (0.3, 0.7)), ("wall", (1.5, 0.7)), ("valley", (1.13, 0.12))):
        ax.text(*place, words, color=GREY, fontsize=9, ha="center")
    lines = {}
    for (name, _), style in zip(_CLIPS.items(), ("o-", "s-"), strict=True):
        lines[name] = plot_path(_path(name, threshold), label=f"clipped {name}", style=style, ax=ax)
    ax.plot(*START, "k*", markersize=10, label="start")
    ax.legend(loc="upper left", fontsize=9)

    def update(threshold: float) -> str:
        ends = []
        for name, line in lines.items():
            path = _path(name, threshold)
            line.set_data(*path.T)
            ends.append(f"{name} {_told(path)}")
        gradient = cliff_gradient(START)
        turned = degrees_between(gradient, clip_by_value(gradient, threshold))
        told = f"{threshold:,.0f}" if threshold >= 10 else f"{threshold:.2g}"
        return (
            f"Threshold {told}: clipping by value turns the first gradient by "
            f"{turned:.0f}°, by norm by 0°. After {STEPS} steps: {'; '.join(ends)}."
        )

    return Explorer(
        controls={
            "threshold": log_slider("threshold", low=LOW, high=HIGH, start=threshold),
        },
        figure=figure,
        moving=list(lines.values()),
        update=update,
        without_kernel=(
            "Explorer: one slider, the threshold, over two paths of gradient descent down a cliff, "
            "clipped by norm and by value. Run this cell to move it; the figure above shows "
            "three thresholds."
        ),
    )


def _path(name: str, threshold: float) -> Vector:
    clip = partial(_CLIPS[name], threshold=threshold)
    return cliff_descent(START, learning_rate=LEARNING_RATE, steps=STEPS, clip=clip)


def _told(path: Vector) -> str:
    """Where a path ended, in words."""
    if not np.all((path >= 0) & (path <= (LARGEST_A, LARGEST_B))):
        return "leaps out of the picture"
    a, b = path[-1]
    loss = float(cliff_loss(a, b))
    if loss > 1:
        return f"is still on the wall, loss {loss:.2g}"
    if loss > 0.1 and b * a**LINKS < 1:
        return f"lies on the plain, loss {loss:.2f}"
    return f"is in the valley, loss {loss:.2g}" if loss > 1e-6 else "is in the valley, loss 0"
