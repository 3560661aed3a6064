"""How the gradient grows, layer by layer, in a deep normalised network before training.

Each layer is dense, norm, activation. The normalised pre-activations are taken for standard
Gaussians x, which holds in wide layers. On its way back through one layer the squared gradient is
multiplied by E[f'(x)²], and divided by the variance that the norm divides by.
"""

from __future__ import annotations

import numpy as np

from course_utils.activations import Activation, get_activation
from course_utils.arrays import positive_int
from course_utils.theory.gaussian import gaussian_nodes


def batch_norm_growth(activation: str | Activation) -> float:
    """Return the growth of the squared gradient per layer, batch norm, in large batches.

    E[f'(x)²] / Var[f(x)], x ~ N(0, 1): batch norm takes the mean out and divides by the rest.
    Never below 1, and 1 for a straight line only: Gaussian Poincaré inequality (Chernoff 1981).
    ReLU: π / (π − 1). Source: Yang et al. (2019).
    """
    slope, mean, power = _moments(activation)
    return slope / (power - mean**2)


def layer_norm_growth(activation: str | Activation) -> float:
    """Return the growth of the squared gradient per layer, layer norm, in wide layers.

    E[f'(x)²] / E[f(x)²], x ~ N(0, 1): the mean of f is the same number in every unit of every
    example; random weights make of it a part of each pre-activation, and that part is divided
    by as well. ReLU: 1.
    """
    slope, _, power = _moments(activation)
    return slope / power


def linear_batch_norm_growth(batch_size: int) -> float:
    """Return the growth of the squared gradient per layer, linear batch norm, wide layers.

    (B − 2) / (B − 3) for batches of B >= 4; infinite for 3. Raises ValueError below 3: a batch of
    2 keeps signs alone. Source: Yang et al. (2019).
    """
    size = positive_int("batch_size", batch_size, "Pass the number of examples, e.g. 8.")
    if size < 3:
        raise ValueError(f"batch_size must be >= 3, got {size}. Two examples keep signs alone.")
    return np.inf if size == 3 else (size - 2) / (size - 3)


def _moments(activation: str | Activation) -> tuple[float, float, float]:
    """Return E[f'(x)²], E[f(x)], E[f(x)²] for x ~ N(0, 1)."""
    known = get_activation(activation)
    nodes, weights = gaussian_nodes()
    hidden = known.forward(nodes)
    slope = known.derivative(hidden)
    return float(weights @ slope**2), float(weights @ hidden), float(weights @ hidden**2)
