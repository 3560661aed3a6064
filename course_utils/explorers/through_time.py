"""Lesson 12's explorer: powers of a matrix that is not normal, beside a product of forget gates."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from course_utils.explorers.base import Explorer, slider
from course_utils.explorers.chain_rule import in_decimals
from course_utils.figures import PALETTE, new_figure
from course_utils.plots import GREY
from course_utils.recurrent import log10_one_way_norms
from course_utils.recurrent.forgetting import half_life, log10_kept

TIMES = np.arange(101)
DECADES = (-30.0, 15.0)


def through_time_explorer(
    *, radius: float = 0.9, shear: float = 4.0, forget_bias: float = 1.0
) -> Explorer:
    """Three sliders over what 1, 2, … 100 steps back in time leave of a gradient's norm.

    radius, shear: ρ, 0.1 … 1.2, and s, 0 … 10, of the recurrent matrix [[ρ, s], [0, ρ]].
    forget_bias: −2 … 8, of an LSTM's forget gate.
    """
    figure, ax = new_figure(height=3.9)
    bound, powers, eigenvalue, gates = lines = _draw_still(ax)

    def update(radius: float, shear: float, forget_bias: float) -> str:
        norms = log10_one_way_norms(TIMES, radius=radius, shear=shear)
        kept = log10_kept(forget_bias, TIMES)
        bound.set_ydata(TIMES * norms[1])  # σ_max is the norm of the first power
        powers.set_ydata(norms)
        eigenvalue.set_ydata(TIMES * math.log10(radius))
        gates.set_ydata(kept)
        peak = int(norms.argmax())
        return (
            f"ρ = {radius:.2f}, σ_max = {10 ** norms[1]:.2f}: the norm is largest after {peak} "
            f"steps, {in_decimals(norms[peak])}, and {in_decimals(norms[-1])} after 100. Forget "
            f"gates of bias {forget_bias:.1f} keep {in_decimals(kept[-1])}: half-life "
            f"{half_life(forget_bias):.1f} steps."
        )

    return Explorer(
        controls={
            "radius": slider("spectral radius ρ", low=0.1, high=1.2, start=radius, step=0.01),
            "shear": slider("shear s", low=0, high=10, start=shear, step=0.1, decimals=1),
            "forget_bias": slider(
                "forget bias", low=-2, high=8, start=forget_bias, step=0.1, decimals=1
            ),
        },
        figure=figure,
        moving=lines,
        update=update,
        without_kernel=(
            "Explorer: sliders for the spectral radius, the shear and the forget bias, over the "
            "norm that is left after 1 to 100 steps. Run this cell to move them; the figures "
            "beside it show some settings."
        ),
    )


def _draw_still(ax: Axes) -> list[Line2D]:
    ax.set(xlim=(0, TIMES[-1]), ylim=DECADES)
    ax.axhline(0, color=GREY, linewidth=1)
    ax.set(xlabel="steps back in time, k", ylabel="log₁₀ norm  (powers of ten)")
    ax.set_title("What is left of a gradient after k steps back")
    styles = {
        "bound: σ_max^k": (GREY, ":"),
        "norm of W^k": (PALETTE[0], "-"),
        "eigenvalue: ρ^k": (PALETTE[1], "--"),
        "forget gates: σ(b)^k": (PALETTE[2], "-"),
    }
    lines = [
        ax.plot(TIMES, 0.0 * TIMES, color=color, linestyle=style, label=label)[0]
        for label, (color, style) in styles.items()
    ]
    ax.legend(loc="lower left", fontsize=9)
    return lines
