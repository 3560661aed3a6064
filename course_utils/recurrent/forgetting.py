"""What a constant forget gate keeps: products of σ(b), half-life, and the bias for one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def log10_kept(bias: ArrayLike, steps: ArrayLike) -> NDArray[np.float64]:
    """Return log₁₀ σ(bias)^steps: what so many equal forget gates leave of a gradient.

    bias: the gate's pre-activation, any shape. steps: >= 0, broadcast against it. Neither under-
    nor overflows: ln σ(b) = −ln(1 + exp(−b)).
    """
    pre_activation = np.asarray(bias, dtype=np.float64)
    return np.asarray(-np.logaddexp(0.0, -pre_activation) * np.asarray(steps) / math.log(10.0))


def half_life(bias: float) -> float:
    """Return the steps after which σ(bias)^steps is 1/2: ln 2 / ln(1 + exp(−bias))."""
    return math.log(2.0) / float(np.logaddexp(0.0, -bias))


def forget_bias(half_life: float) -> float:
    """Return the bias whose gate halves a gradient in half_life steps (> 0).

    σ(b) = 2^(−1/n), so b = −ln(2^(1/n) − 1), near ln n + 0.367 for a long one.
    Raises ValueError for a half-life that is not > 0 and finite.
    """
    if not 0.0 < half_life < math.inf:
        raise ValueError(
            f"half_life must be > 0 and finite, got {half_life}. Pass steps, e.g. half_life=100."
        )
    # expm1 keeps the digits of long half-lives; for very short ones it would overflow.
    exponent = math.log(2.0) / half_life
    return -math.log(math.expm1(exponent)) if exponent < 700.0 else -exponent
