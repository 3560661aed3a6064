"""Lesson 11's explorer: branch scale and depth, over the growth through residual blocks."""

import math
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from course_utils.arrays import FloatArray
from course_utils.explorers.base import Explorer, slider, whole_slider
from course_utils.figures import new_figure
from course_utils.plots import key_of_prediction, mark_level
from course_utils.shattering import Growth, growth_by_layer, he_branches
from course_utils.theory import branch_scale_for, residual_growth

MAX_BLOCKS = 60
WIDTH, NETS = 64, 4
CEILING = 6.3  # powers of ten
NAMES = ("signal h", "gradient ∂output/∂h")


def residual_explorer(*, branch_scale: float = 0.5, blocks: int = 50) -> Explorer:
    """Branch scale and number of blocks over the mean square of signal and gradient by block.

    At every move a signal goes forward and a gradient back through four random nets of 64 units.
    branch_scale: at the start, 0 to 1. blocks: at the start, 2 to 60.
    """
    figure, ax = new_figure(height=3.9)
    measured, predicted = _draw_still(ax)

    def update(branch_scale: float, blocks: int) -> str:
        scale = round(branch_scale, 2)
        growth = measured_growth(scale, blocks)
        for line, decades in zip([*measured, *predicted], curves(growth, scale), strict=True):
            line.set_data(range(blocks + 1), decades)
        return in_words(growth, scale, blocks)

    return Explorer(
        controls={
            "branch_scale": slider("branch scale a", low=0, high=1, start=branch_scale, step=0.01),
            "blocks": whole_slider("blocks", low=2, high=MAX_BLOCKS, start=blocks),
        },
        figure=figure,
        moving=[*measured, *predicted],
        update=update,
        without_kernel=(
            "Explorer: sliders for the branch scale a and the number of blocks, over the mean "
            "square of signal and gradient at each block, measured and predicted. Run this cell to "
            "move them; the figure beside it shows three scales."
        ),
    )


def measured_growth(branch_scale: float, blocks: int) -> Growth:
    """The growth in the lowest `blocks` blocks of the explorer's four nets, always the same."""
    rng = np.random.default_rng(1)
    return growth_by_layer(_branches()[:, :blocks], branch_scale=branch_scale, rng=rng)


def curves(growth: Growth, branch_scale: float) -> list[NDArray[np.float64]]:
    """The four lines in powers of ten: signal and gradient, measured, then the same predicted."""
    theory = residual_growth(growth.signal.shape[1] - 1, branch_scale=branch_scale)
    sizes = [growth.signal.mean(axis=0), growth.gradient.mean(axis=0), theory, theory[::-1]]
    return [np.log10(size) for size in sizes]


def in_words(growth: Growth, scale: float, blocks: int) -> str:
    """What comes out of the last block, and which scale would keep it below e."""
    predicted = residual_growth(blocks, branch_scale=scale)[-1]
    ends = growth.signal[:, -1].mean(), growth.gradient[:, 0].mean()
    level = branch_scale_for(blocks, growth=math.e)
    return (
        f"a = {scale:.2f}, {blocks} blocks: (1 + a²)^L = {_short(predicted)}; measured, the signal "
        f"grows {_short(ends[0])}-fold and the gradient {_short(ends[1])}-fold. "
        f"Up to a = {level:.2f} it stays below e."
    )


def _short(number: float) -> str:
    return f"{number:.2f}" if number < 1000 else f"{number:.1e}"


@cache
def _branches() -> FloatArray:
    rng = np.random.default_rng(0)
    return he_branches(MAX_BLOCKS, WIDTH, draws=NETS, rng=rng, dtype="float32")


def _draw_still(ax: Axes) -> tuple[list[Line2D], list[Line2D]]:
    """Draw what stays; return the measured lines and the predicted ones."""
    measured = [ax.plot([0], [0], label=name)[0] for name in NAMES]
    predicted = [ax.add_line(key_of_prediction()) for _ in NAMES]
    mark_level(math.log10(math.e), label="grown by the factor e", ax=ax)
    ax.set(xlim=(0, MAX_BLOCKS), ylim=(-0.5, CEILING), xlabel="block (0: the input)")
    ax.set_ylabel("log₁₀ of the mean square  (powers of ten)")
    ax.set_title("How far do signal and gradient grow?")
    ax.legend(handles=[*measured, predicted[0]], loc="upper center", ncols=3, fontsize=9)
    return measured, predicted
