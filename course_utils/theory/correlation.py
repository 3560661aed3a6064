"""How alike two inputs still are, layer by layer, in a wide random network.

In the ordered phase every pair of inputs ends up alike, in the chaotic phase every pair ends up at
one correlation below 1, however near they began. The arguments are those of mean_field.
Sources: Poole et al. (2016), §§2–3; Schoenholz et al. (2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.activations import Activation, get_activation
from course_utils.theory.gaussian import gaussian_pair_mean
from course_utils.theory.mean_field import chi, fixed_variance, variance_map
from course_utils.theory.ranges import checked_correlation, require_positive
from course_utils.theory.roots import falling_root


def correlation_map(
    correlation: ArrayLike,
    *,
    variance: float,
    gain: float,
    bias_std: float = 0.0,
    activation: str | Activation = "tanh",
) -> NDArray[np.float64]:
    """Return the correlation that two inputs' pre-activations have in the next layer.

    correlation: c within [−1, 1] in this layer, any shape; the result has the same.
    variance: q > 0 of both in this layer: (σ_w² E[f(x) f(y)] + σ_b²) / variance_map(q).
    The rest: see variance_map. Source: Poole et al. (2016), eq. 5, there at q = q*.
    """
    f = get_activation(activation).forward
    c = checked_correlation(correlation)
    require_positive("variance", variance)
    shared = gain**2 * gaussian_pair_mean(f, c, variance)
    own = float(variance_map(variance, gain=gain, bias_std=bias_std, activation=activation))
    return np.asarray((shared + bias_std**2) / own)


def correlation_slope(
    correlation: ArrayLike,
    *,
    variance: float,
    gain: float,
    activation: str | Activation = "tanh",
) -> NDArray[np.float64]:
    """Return the slope of the correlation map at c: σ_w² E[f'(x) f'(y)]; at c = 1 it is χ.

    For the arguments see correlation_map. Source: Schoenholz et al. (2017).
    """
    f = get_activation(activation)
    c = checked_correlation(correlation)
    require_positive("variance", variance)
    require_positive("gain", gain)
    mean = gaussian_pair_mean(lambda x: f.derivative(f.forward(x)), c, variance)
    return np.asarray(gain**2 * mean)


def fixed_correlation(
    *, gain: float, bias_std: float = 0.0, activation: str | Activation = "tanh"
) -> float:
    """Return c*, the correlation that any two inputs settle at in deep layers.

    1 in the ordered phase (all inputs look alike), below 1 in the chaotic one.
    For the arguments see variance_map. Raises ValueError where q* is 0: no signal is left.
    """
    q = fixed_variance(gain=gain, bias_std=bias_std, activation=activation)
    if q == 0.0:
        raise ValueError(
            f"a correlation needs a signal, got q* = 0 at gain={gain}. Raise the gain or bias_std."
        )
    if float(chi(q, gain=gain, activation=activation)) <= 1.0:
        return 1.0

    def excess(c: float) -> float:
        after = correlation_map(c, variance=q, gain=gain, bias_std=bias_std, activation=activation)
        return float(after) - c

    return 0.0 if excess(0.0) <= 1e-12 else falling_root(excess, 0.0, 1.0 - 1e-9)
