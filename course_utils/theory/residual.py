"""How signals and gradients grow through residual blocks h + a · branch(h), at initialisation.

A branch with He's weights keeps the mean square of what it reads and adds it to the skip's in a
random direction: each block multiplies the mean square by 1 + a², forward and backward. Multiplied
out, L blocks are a sum over 2^L paths, of which L choose k pass through k branches.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from course_utils.arrays import positive_int
from course_utils.theory.ranges import require_not_negative, require_positive


def residual_growth(depth: int, *, branch_scale: float) -> NDArray[np.float64]:
    """Return the mean square of a signal after 0, 1, … depth blocks, over that before: (1 + a²)^l.

    depth: blocks, >= 1. branch_scale: a >= 0. Returns shape (depth + 1,). The gradient's mean
    square is the same, counted from the output: entry l is that of l blocks below it.
    Raises ValueError for what is not in its range.
    """
    layers = positive_int("depth", depth, "Pass the number of blocks, e.g. depth=50.")
    require_not_negative("branch_scale", branch_scale)
    return np.asarray((1.0 + branch_scale**2) ** np.arange(layers + 1.0))


def branch_scale_for(depth: int, *, growth: float) -> float:
    """Return the branch scale a with which `depth` blocks multiply the mean square by `growth`.

    growth: >= 1. a = √(growth^(1/depth) − 1); for growth e and many blocks that is near 1 / √depth.
    Raises ValueError for what is not in its range.
    """
    layers = positive_int("depth", depth, "Pass the number of blocks, e.g. depth=50.")
    if not 1.0 <= growth < math.inf:
        raise ValueError(
            f"growth must be >= 1 and finite, got {growth}. A branch adds variance: pass e.g. "
            "growth=2.0, or 1.0 for a branch that is switched off."
        )
    return math.sqrt(math.expm1(math.log(growth) / layers))


def path_shares(depth: int, *, branch_scale: float) -> NDArray[np.float64]:
    """Return which share of the gradient's mean square comes through paths of 0, 1, … branches.

    Returns shape (depth + 1,), adding up to 1: entry k is (L choose k) a^(2k) / (1 + a²)^L, a
    binomial distribution with mean L · a² / (1 + a²). depth: L >= 1. branch_scale: a > 0.
    Raises ValueError for what is not in its range.
    Source: Veit, Wilber & Belongie (2016) count the paths; the weights follow from the growth.
    """
    layers = positive_int("depth", depth, "Pass the number of blocks, e.g. depth=50.")
    require_positive("branch_scale", branch_scale)
    log_odds, log_all = 2.0 * math.log(branch_scale), layers * math.log1p(branch_scale**2)
    return np.array(
        [math.exp(_log_choose(layers, k) + k * log_odds - log_all) for k in range(layers + 1)]
    )


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
