"""Fans, gains and weights: how large a layer's weights are when training starts.

Weights have shape (fan_in, fan_out): ``weights[i, j]`` joins input unit i to output unit j, and a
layer computes ``inputs @ weights + biases``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from course_utils.arrays import (
    FloatArray,
    float_dtype,
    layer_widths,
    positive_int,
    random_generator,
)


def fans(weights: NDArray[Any]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight matrix of that shape.

    Raises ValueError unless weights has two dimensions.
    """
    if weights.ndim != 2:
        raise ValueError(
            f"weights must have shape (fan_in, fan_out), got {weights.shape}. Pass one layer's "
            "weight matrix."
        )
    return weights.shape[0], weights.shape[1]


def xavier_std(fan_in: int, fan_out: int, *, gain: float = 1.0) -> float:
    """Return the weight standard deviation that balances forward and backward variance.

    fan_in, fan_out: layer widths in units, each >= 1. gain: dimensionless multiplier, >= 0.
    Raises ValueError if a width is below 1 or the gain is negative or not finite.
    Source: Glorot & Bengio (2010), eq. 12: variance 2 / (fan_in + fan_out).
    """
    total = _fan("fan_in", fan_in) + _fan("fan_out", fan_out)
    return _checked_gain(gain) * math.sqrt(2.0 / total)


def he_std(fan_in: int, *, alpha: float = 0.0, gain: float = 1.0) -> float:
    """Return the weight standard deviation that keeps a ReLU network's forward signal level.

    fan_in: units that feed the layer, >= 1. alpha: slope below 0 (0 for ReLU).
    gain: dimensionless multiplier, >= 0.
    Raises ValueError if fan_in is below 1 or the gain is negative or not finite.
    Source: He et al. (2015), eqs. 10 and 15: variance 2 / ((1 + alpha²) fan_in).
    """
    return _checked_gain(gain) * math.sqrt(2.0 / ((1.0 + alpha**2) * _fan("fan_in", fan_in)))


def lecun_std(fan_in: int, *, gain: float = 1.0) -> float:
    """Return the weight standard deviation that keeps a linear layer's variance.

    fan_in: units that feed the layer, >= 1. gain: dimensionless multiplier, >= 0.
    Raises ValueError if fan_in is below 1 or the gain is negative or not finite.
    Source: LeCun, Bottou, Orr & Müller (1998), eq. 16: variance 1 / fan_in.
    """
    return _checked_gain(gain) / math.sqrt(_fan("fan_in", fan_in))


_STDS: Mapping[str, Callable[[int, int, float], float]] = MappingProxyType(
    {
        "xavier": lambda fan_in, fan_out, gain: xavier_std(fan_in, fan_out, gain=gain),
        "he": lambda fan_in, _, gain: he_std(fan_in, gain=gain),
        "lecun": lambda fan_in, _, gain: lecun_std(fan_in, gain=gain),
        "normal": lambda _fan_in, _fan_out, gain: _checked_gain(gain),
    }
)

SCHEMES = (*_STDS, "orthogonal")


def draw_weights(
    fan_in: int,
    fan_out: int,
    *,
    scheme: str,
    gain: float = 1.0,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float64,
) -> FloatArray:
    """Return one layer's random weights, of shape (fan_in, fan_out).

    scheme: "xavier", "he" or "lecun" (Gaussian, with that standard deviation times gain), "normal"
    (Gaussian, whose standard deviation *is* gain), or "orthogonal" (gain times a random
    semi-orthogonal matrix: Saxe, McClelland & Ganguli 2014, §3).
    The draws are made in float64 and rounded to dtype, so that a float32 and a float64 network
    from the same seed start alike.
    Raises ValueError for an unknown scheme, a width below 1 or a gain that is negative or not
    finite.
    """
    require_scheme(scheme)
    draws = random_generator(rng).standard_normal(
        (_fan("fan_in", fan_in), _fan("fan_out", fan_out))
    )
    if scheme == "orthogonal":
        draws = _orthogonalised(draws) * _checked_gain(gain)
    else:
        draws *= _STDS[scheme](fan_in, fan_out, gain)
    return draws.astype(float_dtype(dtype), copy=False)


def init_weights(
    widths: Sequence[int],
    *,
    scheme: str,
    gain: float = 1.0,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float64,
) -> list[FloatArray]:
    """Return every layer's random weights; layer l has shape (widths[l], widths[l + 1]).

    widths: units of the inputs, of each hidden layer, and of the outputs. scheme, gain: see
    draw_weights. Raises ValueError or TypeError for widths that are not a list of whole numbers
    >= 1.
    """
    checked = layer_widths(widths)
    return [
        draw_weights(fan_in, fan_out, scheme=scheme, gain=gain, rng=rng, dtype=dtype)
        for fan_in, fan_out in itertools.pairwise(checked)
    ]


def recommended_gain(activation: str, *, alpha: float = 0.01) -> float:
    """Return the customary gain on xavier or lecun weights for an activation.

    √2 for ReLU and √(2 / (1 + alpha²)) for leaky ReLU are derived (He et al. 2015, eqs. 10, 15);
    5/3 for tanh is PyTorch's custom (``torch.nn.init.calculate_gain``), not a theorem.
    Raises ValueError for an activation that has no customary gain.
    """
    gains = {
        "identity": 1.0,
        "sigmoid": 1.0,
        "selu": 1.0,
        "tanh": 5.0 / 3.0,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1.0 + alpha**2)),
    }
    if activation not in gains:
        raise ValueError(
            f"activation must have a customary gain, got {activation!r}. Choose one of "
            f"{', '.join(gains)}, or measure the gain that you need."
        )
    return gains[activation]


def require_scheme(scheme: str) -> None:
    """Raise ValueError unless scheme names an initialisation scheme."""
    if scheme not in SCHEMES:
        raise ValueError(
            f"scheme must be a known initialisation, got {scheme!r}. Choose one of "
            f"{', '.join(SCHEMES)}."
        )


def _orthogonalised(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    wide = draws.shape[0] < draws.shape[1]
    q, r = np.linalg.qr(draws.T if wide else draws)
    # Without these signs the matrices would not be uniform over the orthogonal group.
    q *= np.where(np.diag(r) < 0.0, -1.0, 1.0)
    return q.T if wide else q


def _fan(name: str, fan: int) -> int:
    remedy = (
        "Pass the number of layer inputs, e.g. fan_in=inputs.shape[-1]."
        if name == "fan_in"
        else "Pass the number of layer outputs, e.g. fan_out=weights.shape[1]."
    )
    return positive_int(name, fan, remedy)


def _checked_gain(gain: float) -> float:
    if not 0.0 <= gain < math.inf:
        raise ValueError(f"gain must be >= 0 and finite, got {gain}. Pass gain=1.0 for no change.")
    return float(gain)
