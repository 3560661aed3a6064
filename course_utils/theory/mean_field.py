"""What signals do in a wide random network, layer by layer: their variance, and the gradient.

Draw every weight with variance σ_w²/fan_in and every bias with variance σ_b². In a wide layer the
pre-activations are then nearly Gaussian, and one number describes them: their variance q. The next
layer's variance follows from it alone, and so does χ, the factor by which a layer multiplies the
mean square of the gradient. Where χ = 1 signals neither fade nor blow up: the edge of chaos.

Throughout, gain is σ_w and bias_std is σ_b, as in MLP(..., init="lecun", gain=σ_w, bias_std=σ_b),
and variance is that of pre-activations (not of hidden values), the same for all units of a layer.
Sources: Poole et al. (2016), §§2–3; Schoenholz et al. (2017).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.activations import Activation, get_activation
from course_utils.arrays import FloatArray, positive_int
from course_utils.theory.gaussian import gaussian_mean
from course_utils.theory.ranges import require_not_negative, require_positive
from course_utils.theory.roots import falling_root

_SMALLEST, _LARGEST = 1e-12, 1e12
_LEVEL = 1e-9  # a map whose factor is this close to 1 everywhere keeps every variance


def variance_map(
    variance: ArrayLike,
    *,
    gain: float,
    bias_std: float = 0.0,
    activation: str | Activation = "tanh",
) -> NDArray[np.float64]:
    """Return the variance of the next layer's pre-activations: σ_w² E[f(√q z)²] + σ_b².

    variance: q >= 0 of this layer's pre-activations, any shape; the result has the same.
    gain: σ_w > 0. bias_std: σ_b >= 0. activation: f, its name or an Activation.
    Raises ValueError for what is not in its range or an unknown name.
    Source: Poole et al. (2016), eq. 3, with z ~ N(0, 1).
    """
    f = get_activation(activation).forward
    mean_square = gaussian_mean(lambda x: f(x) ** 2, _checked_variance(variance))
    return np.asarray(_checked_gain(gain) ** 2 * mean_square + _checked_bias(bias_std) ** 2)


def variances(
    first: float,
    layers: int,
    *,
    gain: float,
    bias_std: float = 0.0,
    activation: str | Activation = "tanh",
) -> NDArray[np.float64]:
    """Return the variance of the pre-activations in layers 1 … layers, shape (layers,).

    first: that of layer 1. With inputs x it is σ_w² · mean(x²) + σ_b². The rest: see variance_map.
    """
    count = positive_int("layers", layers, "Pass the number of layers, e.g. layers=30.")
    found = [float(_checked_variance(first))]
    for _ in range(count - 1):
        now = variance_map(found[-1], gain=gain, bias_std=bias_std, activation=activation)
        found.append(float(now))
    return np.array(found)


def fixed_variance(
    *, gain: float, bias_std: float = 0.0, activation: str | Activation = "tanh"
) -> float:
    """Return q*, the variance that deep layers settle at: variance_map(q*) = q*.

    0 where every signal dies out. For the arguments see variance_map.
    Raises ValueError if the variance grows without end, or if every variance is kept.
    """

    def growth(log_q: float) -> float:
        q = math.exp(log_q)
        after = variance_map(q, gain=gain, bias_std=bias_std, activation=activation)
        return float(after) / q - 1.0

    low, high = math.log(_SMALLEST), math.log(_LARGEST)
    if abs(growth(low)) < _LEVEL and abs(growth(high)) < _LEVEL:
        raise ValueError(
            "a fixed variance must be one number, got a map that keeps every variance. Use the "
            "variance of your first layer."
        )
    if growth(high) >= 0.0:
        raise ValueError(
            f"a fixed variance must exist, got one that grows without end at gain={gain}. Lower "
            "the gain."
        )
    return 0.0 if growth(low) <= 0.0 else math.exp(falling_root(growth, low, high))


def chi(
    variance: ArrayLike, *, gain: float, activation: str | Activation = "tanh"
) -> NDArray[np.float64]:
    """Return χ = σ_w² E[f'(√q z)²] for pre-activations of that variance, in its shape.

    Going back through one layer multiplies the mean square of the gradient by χ; going forward
    multiplies the squared distance of two nearly equal inputs by it. χ₁ is χ at q*. Below 1
    gradients vanish and inputs become alike (order), above 1 they explode and part (chaos).
    For the arguments see variance_map. Source: Poole et al. (2016), §3.
    """
    f = get_activation(activation)
    square = gaussian_mean(lambda x: f.derivative(f.forward(x)) ** 2, _checked_variance(variance))
    return np.asarray(_checked_gain(gain) ** 2 * square)


def variance_slope(variance: float, *, gain: float, activation: str | Activation = "tanh") -> float:
    """Return the slope dV/dq of the variance map at q > 0: how fast the variance settles.

    σ_w² E[f(x) f'(x) x] / q with x ~ N(0, q). For the arguments see variance_map.
    """
    f = get_activation(activation)
    require_positive("variance", variance)

    def product(x: NDArray[np.float64]) -> FloatArray:
        hidden = f.forward(x)
        return hidden * f.derivative(hidden) * x

    mean = float(gaussian_mean(product, np.asarray(variance, dtype=np.float64)))
    return _checked_gain(gain) ** 2 * mean / variance


def depth_scale(factor: float) -> float:
    """Return ξ = 1 / |ln factor|: the number of layers in which a signal changes e-fold.

    factor: what one layer multiplies it by, > 0; inf for a factor of 1. With factor = χ₁ it is the
    depth scale of the gradient's mean square; with the slope of the correlation map at c* it is
    that of the correlation, ξ_c; with the slope of the variance map at q*, that of the variance.
    Source: Schoenholz et al. (2017): ξ = −1 / ln factor, for factors below 1.
    """
    require_positive("factor", factor)
    logarithm = abs(math.log(factor))
    return math.inf if logarithm == 0.0 else 1.0 / logarithm


def critical_pair(variance: float, *, activation: str | Activation = "tanh") -> tuple[float, float]:
    """Return (σ_w, σ_b) on the critical line at which q* is that variance (> 0): χ₁ = 1 there.

    Both conditions are linear in the squares: σ_w² = 1 / E[f'²], then σ_b² = q − σ_w² E[f²].
    Raises ValueError if that needs a negative σ_b² (no network is critical at this variance).
    """
    require_positive("variance", variance)
    gain = 1.0 / math.sqrt(float(chi(variance, gain=1.0, activation=activation)))
    bias = variance - float(variance_map(variance, gain=gain, activation=activation))
    if bias < -1e-12 * variance:
        raise ValueError(
            f"a critical network must have σ_b² >= 0, got {bias:.3g} at variance={variance}. "
            "Pass another variance."
        )
    return gain, math.sqrt(max(0.0, bias))


def critical_gain(bias_std: float = 0.0, *, activation: str | Activation = "tanh") -> float:
    """Return the σ_w at which χ₁ = 1 for biases of that standard deviation σ_b >= 0.

    For activations like tanh, whose slope falls off; without biases (σ_b = 0) q* is then 0.
    Raises ValueError if there is none below a variance of 1e4.
    """
    require_not_negative("bias_std", bias_std)
    if bias_std == 0.0:
        return critical_pair(_SMALLEST, activation=activation)[0]

    def lack(log_q: float) -> float:
        return bias_std - critical_pair(math.exp(log_q), activation=activation)[1]

    low, high = math.log(1e-6), math.log(1e4)
    if lack(low) < 0.0 or lack(high) > 0.0:
        raise ValueError(
            f"bias_std must have a critical gain, got {bias_std}. Pass e.g. bias_std=0.05, with a "
            "saturating activation such as tanh."
        )
    return critical_pair(math.exp(falling_root(lack, low, high)), activation=activation)[0]


def _checked_variance(variance: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(variance, dtype=np.float64)
    require_not_negative("variance", values)
    return values


def _checked_gain(gain: float) -> float:
    require_positive("gain", gain)
    return float(gain)


def _checked_bias(bias_std: float) -> float:
    require_not_negative("bias_std", bias_std)
    return float(bias_std)
