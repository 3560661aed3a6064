"""Two inputs in a wide ReLU network with He's weights: how alike they and their gradients are.

With gain √2 a ReLU layer has its correlation map in closed form, and the slope of that map is what
the gradients' correlation loses in the layer. A residual block h + a · W relu(h) mixes the map with
the identity.
Source: Cho & Saul (2009), the arc-cosine kernels of degree 1 and 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import positive_int
from course_utils.theory.ranges import checked_correlation, require_not_negative


def relu_correlation(correlation: ArrayLike) -> NDArray[np.float64]:
    """Return the correlation of two inputs after one more ReLU layer with He's weights.

    correlation: c within [−1, 1] before it, any shape; the result has the same:
    (√(1 − c²) + c (π − arccos c)) / π. Raises ValueError outside [−1, 1].
    """
    c = checked_correlation(correlation)
    sine = np.sqrt((1.0 - c) * (1.0 + c))  # 1 − c² would lose half of the digits near ±1
    return np.asarray((sine + c * (np.pi - np.arccos(c))) / np.pi)


def relu_slope_correlation(correlation: ArrayLike) -> NDArray[np.float64]:
    """Return how much of the gradients' correlation one ReLU layer keeps, 0 to 1.

    1 − arccos(c) / π: among the units that are on for one input, the share that is on for the
    other too. It is the derivative of relu_correlation. For the argument and errors see there.
    """
    return np.asarray(1.0 - np.arccos(checked_correlation(correlation)) / np.pi)


def gradient_correlation(
    correlation: ArrayLike, *, depth: int, branch_scale: float | None = None
) -> NDArray[np.float64]:
    """Return the correlation of an output's gradients at two inputs, through `depth` layers.

    correlation: of the inputs, within [−1, 1], any shape; the result has the same.
    depth: ReLU layers, >= 1. branch_scale: a >= 0 of residual blocks h + a · W relu(h); None for
    plain layers, W relu(h).
    The gradients are those with respect to the first layer's pre-activations, of many units. Were
    the inputs uncorrelated in every layer, a layer would keep 1/2, as in theorem 1 of Balduzzi et
    al. (2017), and a block with a = 1 3/4, as in theorem 2. Raises ValueError for what is not in
    its range.
    """
    c = checked_correlation(correlation)
    layers = positive_int("depth", depth, "Pass the number of ReLU layers, e.g. depth=8.")
    skip, branch = block_shares(branch_scale)
    kept = np.ones_like(c)
    for _ in range(layers):
        kept = kept * (skip + branch * relu_slope_correlation(c))
        c = np.minimum(skip * c + branch * relu_correlation(c), 1.0)
    return kept


def block_shares(branch_scale: float | None) -> tuple[float, float]:
    """Return which shares of a block's variance come from its skip and from its branch.

    branch_scale: a >= 0, for 1 / (1 + a²) and a² / (1 + a²); None for a plain layer: 0 and 1.
    """
    if branch_scale is None:
        return 0.0, 1.0
    require_not_negative("branch_scale", branch_scale)
    return 1.0 / (1.0 + branch_scale**2), branch_scale**2 / (1.0 + branch_scale**2)
