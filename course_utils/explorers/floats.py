"""Lesson 03's explorer: one factor, multiplied again and again, in three floating-point types."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from course_utils.explorers.base import Explorer, slider
from course_utils.figures import PALETTE, new_figure
from course_utils.floats import (
    FLOAT_DTYPES,
    first_overflow,
    first_subnormal,
    first_underflow,
    repeated_product,
)
from course_utils.plots import GREY

# Enough factors to see 0.9 reach the subnormal numbers: 93, 829 and 6724.
MOST_FACTORS = {"float16": 160, "float32": 1200, "float64": 9000}
MOST_POINTS = 600
Panel = tuple[Line2D, Line2D]


def staircase_explorer(*, base: float = 0.5) -> Explorer:
    """A slider for the factor over base, base², … in float16, float32 and float64, side by side.

    base: the factor at the start, 0.05 to 2.
    """
    figure, axes = new_figure(columns=len(FLOAT_DTYPES), height=3.4)
    panels = [_panel(ax, dtype) for ax, dtype in zip(axes, FLOAT_DTYPES, strict=True)]
    axes[0].set_ylabel("log₁₀ of the product  (powers of ten)")
    axes[1].set_xlabel("number of factors")

    def update(base: float) -> str:
        ends = [
            _draw(panel, base, dtype) for panel, dtype in zip(panels, FLOAT_DTYPES, strict=True)
        ]
        return f"Multiplying by {base:.2f} again and again: {'; '.join(ends)}."

    return Explorer(
        controls={"base": slider("factor", low=0.05, high=2.0, start=base, step=0.01)},
        figure=figure,
        moving=[artist for panel in panels for artist in panel],
        update=update,
        without_kernel=(
            "Explorer: a slider for the factor, over its powers in float16, float32 and float64. "
            "Run this cell to move it; the figures beside it show some settings."
        ),
    )


def _panel(ax: Axes, dtype: str) -> Panel:
    """Draw what stands still, and return the line and the mark where the product ends."""
    info = np.finfo(dtype)
    low, high = np.log10(float(info.smallest_subnormal)), np.log10(float(info.max))
    reach = max(-low, high)
    if dtype == FLOAT_DTYPES[0]:
        ax.text(156, -5.9, "subnormal", ha="right", color=GREY, fontsize=9)
    ax.set(xlim=(0, MOST_FACTORS[dtype]), ylim=(-1.18 * reach, 1.18 * reach), title=dtype)
    ax.axhspan(low, np.log10(float(info.tiny)), color=PALETTE[4], alpha=0.25, linewidth=0)
    for level, name, below in ((high, "inf above", False), (low, "0 below", True)):
        ax.axhline(level, color=PALETTE[1], linewidth=1, linestyle="--")
        ax.annotate(
            name,
            (1, level),
            xycoords=("axes fraction", "data"),
            xytext=(-2, -3 if below else 3),
            textcoords="offset points",
            ha="right",
            va="top" if below else "bottom",
            color=PALETTE[1],
            fontsize=9,
        )
    ax.locator_params(axis="x", nbins=3)
    (line,) = ax.plot([0, MOST_FACTORS[dtype]], [0, 0], color=PALETTE[0])
    (end,) = ax.plot([0], [0], "X", color=PALETTE[1], markersize=9, clip_on=False)
    end.set_in_layout(False)  # a mark without a place would leave the layout without a size
    return line, end


def _draw(panel: Panel, base: float, dtype: str) -> str:
    line, end = panel
    factors = MOST_FACTORS[dtype]
    products = repeated_product(base, factors, dtype=dtype).astype(np.float64)
    last = int(np.sum((products > 0) & np.isfinite(products))) - 1
    shown = np.unique(np.linspace(0, last, min(last + 1, MOST_POINTS)).astype(int))
    line.set_data(shown, np.log10(products[shown]))
    zero, overflow = first_underflow(base, dtype=dtype), first_overflow(base, dtype=dtype)
    end_at = zero if zero is not None else overflow
    if end_at is None or end_at > factors:
        end.set_data([], [])
    else:
        assert end.axes is not None
        low, high = end.axes.get_ylim()
        end.set_data([end_at], [0.95 * (low if zero is not None else high)])
    return f"{dtype} {_in_words(base, dtype, zero, overflow)}"


def _in_words(base: float, dtype: str, zero: int | None, overflow: int | None) -> str:
    if zero is not None:
        return f"is exactly 0 from factor {zero} on"
    if overflow is not None:
        return f"is inf from factor {overflow} on"
    subnormal = first_subnormal(base, dtype=dtype)
    if subnormal is None:
        return "stays where it is"
    # The digits left below the subnormal border last for fewer factors than the way to it.
    rest = repeated_product(base, 2 * subnormal, dtype=dtype)[-1]
    return f"never reaches 0, it sticks at {float(rest):.1g}"
