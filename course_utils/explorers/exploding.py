"""Lesson 05's explorer: how long a vector becomes in a product of random matrices."""

import math

import numpy as np

from course_utils.explorers.base import Explorer, slider, whole_slider
from course_utils.explorers.chain_rule import in_decimals, verdict
from course_utils.figures import PALETTE, new_figure
from course_utils.plots import GREY
from course_utils.theory import log10_gaussian_growth, rms_log_growth, typical_log_growth

LAYERS = 40
DRAWS = 8
TYPICAL_SEED = 10  # so few draws may lie all on one side: these have their median near the typical
DECADES = 20.0


def growth_explorer(*, std: float = 0.1, width: int = 100) -> Explorer:
    """Two sliders, entries' standard deviation and width, over products of random matrices.

    std: at the start, 0.02 to 1. width: rows and columns of the matrices at the start, 1 to 400.
    """
    figure, ax = new_figure(height=3.8)
    ax.set(xlim=(0, LAYERS), ylim=(-DECADES, DECADES))
    ax.set(xlabel="number of factors", ylabel="log₁₀ of the length  (powers of ten)")
    ax.axhline(0, color=GREY, linewidth=1)
    ax.set_title(f"A vector through {LAYERS} Gaussian matrices: does it grow or shrink?")
    factors = np.arange(LAYERS + 1)
    # one line with gaps: a line for each draw would take longer to draw than the rest together
    across = np.tile(np.append(factors, np.nan), DRAWS)
    (draws,) = ax.plot(across, 0 * across, color=GREY, linewidth=0.6, label=f"{DRAWS} products")
    (typical,) = ax.plot(factors, 0 * factors, color=PALETTE[0], label="typical, by theory")
    (rms,) = ax.plot(
        factors, 0 * factors, color=PALETTE[1], linestyle="--", label="root mean square"
    )
    ax.legend(loc="lower left")

    def update(std: float, width: int) -> str:
        rng = np.random.default_rng(TYPICAL_SEED)
        decades = log10_gaussian_growth(std, width, layers=LAYERS, draws=DRAWS, rng=rng)
        draws.set_ydata(np.hstack([decades, np.full((DRAWS, 1), np.nan)]).ravel())
        ends = []
        for line, growth in ((typical, typical_log_growth), (rms, rms_log_growth)):
            line.set_ydata(factors * growth(std, width) / math.log(10))
            ends.append(LAYERS * growth(std, width) / math.log(10))
        return (
            f"σ·√width = {std * math.sqrt(width):.2f}. After {LAYERS} matrices the length is "
            f"typically {in_decimals(ends[0])}: {verdict(ends[0])}. "
            f"Its root mean square is {in_decimals(ends[1])}."
        )

    return Explorer(
        controls={
            "std": slider("std of an entry, σ", low=0.02, high=1.0, start=std, step=0.01),
            "width": whole_slider("width", low=1, high=400, start=width),
        },
        figure=figure,
        moving=[draws, typical, rms],
        update=update,
        without_kernel=(
            "Explorer: two sliders, the standard deviation σ of a matrix's entries and the width, "
            "over the length of a vector in a product of 40 matrices. Run this cell to move them; "
            "the figure beside it shows three widths."
        ),
    )
