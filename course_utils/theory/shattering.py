"""How quickly the gradient of a wide ReLU network changes along its input.

The input walks around a circle; what is predicted is the correlation of the gradients at two of its
points. In the limit of wide layers an output is a Gaussian process in the angle t. Its covariance
K(t) follows from layer to layer by the ReLU's map, and the covariance of its derivative is −K″(t).
Centring a layer over the whole circle, as batch normalisation does, subtracts the mean of K.
Sources: Cho & Saul (2009) for the map; Balduzzi et al. (2017) for the question.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from course_utils.arrays import positive_int
from course_utils.theory.ranges import require_not_negative
from course_utils.theory.rectifiers import relu_correlation, relu_slope_correlation

_Kernel = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def circle_autocorrelation(
    depth: int,
    *,
    points: int = 256,
    lag: int = 1,
    branch_scale: float | None = None,
    centred: bool = False,
) -> NDArray[np.float64]:
    """Return the predicted autocorrelation of ∂output/∂t after 0, 1, … depth layers, (depth + 1,).

    The input is (cos t, sin t) at `points` evenly spaced angles; `lag` counts steps of 2π / points.
    depth: ReLU layers with He's weights, >= 1. branch_scale: a >= 0 of residual blocks
    h + a · W relu(h); None for plain layers. centred: whether each layer subtracts from what it
    reads the mean over the circle's points (the skip is left alone).
    Raises ValueError for a number outside its range.
    """
    layers = positive_int("depth", depth, "Pass the number of ReLU layers, e.g. depth=24.")
    angles = 2.0 * np.pi * np.arange(positive_int("points", points, "Pass points=256.")) / points
    step = positive_int("lag", lag, "Pass the distance in points, e.g. lag=1.") % len(angles)
    if branch_scale is not None:
        require_not_negative("branch_scale", branch_scale)
    kernel = np.cos(angles), -np.sin(angles), -np.cos(angles)
    found = [kernel[2][step] / kernel[2][0]]
    for _ in range(layers):
        branch = _relu_layer(kernel, centred=centred)
        if branch_scale is None:
            kernel = branch
        else:
            k, first, second = (
                (skip + branch_scale**2 * new) / (1.0 + branch_scale**2)
                for skip, new in zip(kernel, branch, strict=True)
            )
            kernel = k, first, second
        found.append(kernel[2][step] / kernel[2][0])
    return np.array(found)


def _relu_layer(kernel: _Kernel, *, centred: bool) -> _Kernel:
    """Covariance over the circle after a ReLU layer, with its first and second derivative in t."""
    k, first, second = kernel
    if centred:
        k = k - k.mean()
    variance = k[0]
    c = np.clip(k / variance, -1.0, 1.0)
    slope = relu_slope_correlation(c)
    # the derivative of `slope` in c is 1 / (π √(1 − c²)); with `first` it tends to 0 at c = ±1
    sine = np.sqrt((1.0 - c) * (1.0 + c))
    bend = np.divide(first**2, np.pi * variance * sine, out=np.zeros_like(c), where=sine > 1e-7)
    return variance * relu_correlation(c), slope * first, slope * second + bend
