"""Products, floats and finite differences: the numbers of lessons 01 to 03."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from course_utils.plots.axes import GREY, axes_or_new, log_axis, with_legend


def plot_distribution(
    log10_sizes: ArrayLike,
    *,
    marks: Sequence[tuple[str, float]] = (),
    bins: int | Sequence[float] = 40,
    ax: Axes | None = None,
) -> Axes:
    """How often each size occurred, in powers of ten, with named values marked.

    log10_sizes: shape (draws,). marks: (name, log10 value) of what to mark by a vertical line.
    bins: how many, or their edges.
    """
    ax = axes_or_new(ax)
    ax.hist(np.asarray(log10_sizes), bins=bins, color="#B8CBD9", edgecolor="white")
    for name, decades in marks:
        (line,) = ax.plot([], [])  # takes the next colour of the cycle
        ax.axvline(decades, color=line.get_color(), label=f"{name}: {decades:.1f}")
    ax.set_xlabel("log₁₀ |product|  (powers of ten)")
    ax.set_ylabel("draws")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    return with_legend(ax, "marked" if marks else "")


def plot_norms_by_power(
    log10_norms: ArrayLike,
    *,
    label: str = "",
    style: str = "o-",
    ax: Axes | None = None,
) -> Axes:
    """The norm of a product of Jacobians against the number of its factors, in powers of ten.

    log10_norms: shape (factors,), of the products of 1, 2, … factors.
    """
    ax = axes_or_new(ax)
    decades = np.asarray(log10_norms)
    ax.plot(range(1, len(decades) + 1), decades, style, label=label or None)
    ax.set_xlabel("number of factors")
    ax.set_ylabel("log₁₀ norm of the product  (powers of ten)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return with_legend(ax, label)


def plot_repeated_product(
    log10_sizes: ArrayLike, kinds: ArrayLike, *, floor: float, ax: Axes | None = None
) -> Axes:
    """A product against the number of its factors: normal, subnormal, and where it is 0.

    log10_sizes: shape (n,), powers of ten. kinds: shape (n,), "normal", "subnormal" or "zero" for
    each. floor: the height at which an exact 0, which has no logarithm, is drawn.
    """
    ax = axes_or_new(ax)
    decades, names = np.asarray(log10_sizes), np.asarray(kinds)
    for name, marker in (("normal", "."), ("subnormal", "."), ("zero", "X")):
        factors = np.flatnonzero(names == name)
        heights = np.full(factors.shape, floor) if name == "zero" else decades[factors]
        ax.plot(factors, heights, marker, label="exactly 0" if name == "zero" else name)
    ax.set_xlabel("number of factors")
    ax.set_ylabel("log₁₀ of the product  (powers of ten)")
    return with_legend(ax, "kinds")


def plot_errors_by_step(
    steps: ArrayLike,
    errors: ArrayLike,
    *,
    label: str = "",
    style: str = "o-",
    ax: Axes | None = None,
) -> Axes:
    """The relative error of a finite difference against its step h, both on log axes.

    steps: shape (n,), in weight units. errors: shape (n,), > 0, as a share of the gradient.
    """
    ax = axes_or_new(ax)
    ax.plot(np.asarray(steps), np.asarray(errors), style, label=label or None)
    for axis in (ax.xaxis, ax.yaxis):
        log_axis(axis)
    ax.set_xlabel("step h  (weight units)")
    ax.set_ylabel("relative error of the gradient")
    return with_legend(ax, label)


def plot_gradient_pairs(
    numeric: ArrayLike,
    analytic: ArrayLike,
    *,
    label: str = "",
    style: str = ".",
    ax: Axes | None = None,
) -> Axes:
    """Each entry of a gradient against its finite difference; what is right lies on the diagonal.

    numeric, analytic: the same shape, in loss units per weight unit.
    """
    ax = axes_or_new(ax)
    if not ax.lines:
        ax.axline((0, 0), slope=1, color=GREY, linewidth=1, linestyle="--")
    ax.plot(np.ravel(numeric), np.ravel(analytic), style, label=label or None)
    ax.set_xlabel("gradient by differences")
    ax.set_ylabel("gradient by backprop")
    return with_legend(ax, label)


def plot_share(
    positions: ArrayLike,
    shares: ArrayLike,
    *,
    xlabel: str,
    label: str = "",
    style: str = "o-",
    ax: Axes | None = None,
) -> Axes:
    """A share, from 0 to 100 %, against anything that can be counted or measured.

    positions: shape (n,), in what xlabel says. shares: shape (n,), from 0 to 1.
    """
    ax = axes_or_new(ax)
    ax.plot(np.asarray(positions), 100 * np.asarray(shares), style, label=label or None)
    ax.set(xlabel=xlabel, ylabel="share  (%)", ylim=(-4, 104))
    return with_legend(ax, label)
