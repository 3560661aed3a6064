"""Activation functions, each beside its derivative.

Every derivative here is computed *from the activation's output*, so that the backward pass needs
no second look at the pre-activation. Only functions for which this is exact are offered (GELU and
SiLU are not monotonic: their output does not determine their slope).

    >>> from course_utils.activations import TANH
    >>> hidden = TANH(np.array([0.0, 0.5]))
    >>> TANH.derivative(hidden)                # 1 - hidden**2
    array([1.        , 0.78644773])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, cast

import numpy as np
from numpy.typing import ArrayLike

from course_utils.arrays import FloatArray


class Elementwise(Protocol):
    """A function of each entry: values of any shape → an array of that shape.

    out, if given, receives the result; it must not share memory with values.
    """

    def __call__(self, values: FloatArray, /, out: FloatArray | None = None) -> FloatArray:
        """Return the function of each entry of values."""
        ...


@dataclass(frozen=True)
class Activation:
    """An activation function and its derivative.

    forward(pre_activation, out=None) returns the hidden values;
    derivative(hidden, out=None) returns the slope at each unit, *given its output*.
    Both keep shape and dtype, and write into out where it is given.
    """

    name: str
    forward: Elementwise
    derivative: Elementwise

    def __call__(self, pre_activation: ArrayLike) -> FloatArray:
        """Return the hidden values, for an array of any shape (integers become float64)."""
        values = np.asarray(pre_activation)
        if values.dtype.kind != "f":
            values = values.astype(np.float64)
        return self.forward(values, out=np.empty_like(values))


def _buffer(values: FloatArray, out: FloatArray | None) -> FloatArray:
    # NumPy returns a scalar for an array without axes, unless it is told where to write.
    return np.empty_like(values) if out is None else out


def _identity(values: FloatArray, out: FloatArray | None = None) -> FloatArray:
    return np.positive(values, out=out)


def _one(hidden: FloatArray, out: FloatArray | None = None) -> FloatArray:
    out = _buffer(hidden, out)
    out[...] = 1.0
    return out


def _sigmoid(values: FloatArray, out: FloatArray | None = None) -> FloatArray:
    out = np.negative(values, out=_buffer(values, out))
    # exp overflows to inf below -709 (float32: -88), and 1 / inf is the 0 that is wanted.
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    np.add(out, 1.0, out=out)
    return np.reciprocal(out, out=out)


def _sigmoid_slope(hidden: FloatArray, out: FloatArray | None = None) -> FloatArray:
    out = np.subtract(1.0, hidden, out=_buffer(hidden, out))
    return np.multiply(out, hidden, out=out)


def _tanh_slope(hidden: FloatArray, out: FloatArray | None = None) -> FloatArray:
    out = np.multiply(hidden, hidden, out=_buffer(hidden, out))
    return np.subtract(1.0, out, out=out)


def _relu(values: FloatArray, out: FloatArray | None = None) -> FloatArray:
    return np.maximum(values, 0.0, out=out)


def _relu_slope(hidden: FloatArray, out: FloatArray | None = None) -> FloatArray:
    # Outputs are >= 0, so the sign is 0 or 1; unlike a comparison it passes NaN on.
    return np.sign(hidden, out=out)


def _softplus(values: FloatArray, out: FloatArray | None = None) -> FloatArray:
    # ln(1 + exp(z)) without overflow, and, unlike logaddexp, silent about NaN.
    out = np.abs(values, out=_buffer(values, out))
    np.negative(out, out=out)
    np.exp(out, out=out)
    np.log1p(out, out=out)
    return np.add(out, np.maximum(values, 0.0), out=out)


def _softplus_slope(hidden: FloatArray, out: FloatArray | None = None) -> FloatArray:
    # sigmoid(z) = 1 - exp(-softplus(z)); expm1 keeps the digits of small slopes.
    out = np.negative(hidden, out=_buffer(hidden, out))
    np.expm1(out, out=out)
    return np.negative(out, out=out)


def leaky_relu(alpha: float = 0.01) -> Activation:
    """Return the leaky ReLU: z for z > 0, alpha * z otherwise (slope alpha at z = 0).

    alpha: slope below 0, within (0, 1]. With a negative alpha the output would not tell its slope.
    Raises ValueError for another alpha.
    Source: Maas, Hannun & Ng (2013), §2.
    """
    if not 0.0 < alpha <= 1.0:
        raise ValueError(
            f"alpha must be within (0, 1], got {alpha}. Pass a slope such as alpha=0.1, or use "
            "'relu' for a slope of 0."
        )
    slope_below = float(alpha)

    def forward(values: FloatArray, out: FloatArray | None = None) -> FloatArray:
        out = np.multiply(values, slope_below, out=_buffer(values, out))
        return np.maximum(out, values, out=out)

    def derivative(hidden: FloatArray, out: FloatArray | None = None) -> FloatArray:
        out = np.sign(hidden, out=_buffer(hidden, out))
        return np.maximum(out, slope_below, out=out)

    return Activation("leaky_relu", forward, derivative)


def elu(alpha: float = 1.0, *, scale: float = 1.0, name: str = "elu") -> Activation:
    """Return the exponential linear unit: scale·z for z > 0, scale·alpha·(exp(z) − 1) otherwise.

    alpha, scale: dimensionless, > 0 and finite. Raises ValueError otherwise.
    Source: Clevert, Unterthiner & Hochreiter (2016), eq. 15; with a scale, Klambauer et al.
    (2017), eq. 2.
    """
    for label, value in (("alpha", alpha), ("scale", scale)):
        if not 0.0 < value < np.inf:
            raise ValueError(
                f"{label} must be > 0 and finite, got {value}. Pass {label}=1.0 for the usual ELU."
            )
    factor, height = float(scale), float(scale * alpha)

    def forward(values: FloatArray, out: FloatArray | None = None) -> FloatArray:
        # The exponential is taken of the negative part only, so that it never overflows.
        out = np.minimum(values, 0.0, out=_buffer(values, out))
        np.expm1(out, out=out)
        np.multiply(out, height, out=out)
        return np.add(out, factor * np.maximum(values, 0.0), out=out)

    def derivative(hidden: FloatArray, out: FloatArray | None = None) -> FloatArray:
        out = np.add(hidden, height, out=_buffer(hidden, out))
        np.copyto(out, factor, where=hidden > 0.0)
        return out

    return Activation(name, forward, derivative)


IDENTITY = Activation("identity", _identity, _one)
SIGMOID = Activation("sigmoid", _sigmoid, _sigmoid_slope)
# The ufunc itself: a wrapper would cost a sixth of the call on a small layer.
TANH = Activation("tanh", cast(Elementwise, np.tanh), _tanh_slope)
RELU = Activation("relu", _relu, _relu_slope)
LEAKY_RELU = leaky_relu()
ELU = elu()
# The constants make mean 0 and variance 1 a fixed point: Klambauer et al. (2017), eq. 14.
SELU = elu(1.6732632423543772, scale=1.0507009873554805, name="selu")
SOFTPLUS = Activation("softplus", _softplus, _softplus_slope)

ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {a.name: a for a in (IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, SELU, SOFTPLUS)}
)


def get_activation(which: str | Activation) -> Activation:
    """Return the activation of that name, or the activation itself.

    Raises ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(which, Activation):
        return which
    if not isinstance(which, str):
        raise TypeError(
            f"activation must be a name or an Activation, got {which!r}. Pass one of "
            f"{', '.join(ACTIVATIONS)}."
        )
    if which not in ACTIVATIONS:
        raise ValueError(
            f"activation must be a known name, got {which!r}. Choose one of "
            f"{', '.join(ACTIVATIONS)}."
        )
    return ACTIVATIONS[which]
