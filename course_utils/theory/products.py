"""The growth of long products of random factors.

A signal that passes through L layers is multiplied L times. Its *typical* size grows by the mean
of the logarithm of one factor, not by the logarithm of the mean: the border between vanishing and
exploding is where that mean log (for numbers: the log of the geometric mean) is 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from course_utils.arrays import positive_int, random_generator
from course_utils.theory.ranges import require_positive

_EULER_GAMMA = float(np.euler_gamma)


def typical_log_growth(std: float, width: int = 1) -> float:
    """Return the mean growth of ln‖v‖ in one multiplication by a Gaussian matrix.

    std: standard deviation of the matrix's entries, > 0. width: its rows and columns, >= 1 (1: a
    chain of Gaussian numbers). Result in nats a layer: below 0 the product vanishes, above 0 it
    explodes, almost surely.
    Raises ValueError for a std or width outside its range.
    Source: Newman (1986), eq. 7, for the largest Lyapunov exponent: (ln 2σ² + ψ(n/2)) / 2.
    """
    return 0.5 * (math.log(2.0 * _checked_std(std) ** 2) + _digamma_of_half(_checked_width(width)))


def lyapunov_exponents(std: float, width: int) -> NDArray[np.float64]:
    """Return what a long product of Gaussian matrices does to each of its directions, (width,).

    The k-th largest singular value of a product of L such matrices behaves like exp(L · result[k]):
    the mean growths in nats a layer, from the largest to the least. result[0] is
    typical_log_growth. They differ, so that the product flattens what it is given, the more the
    narrower the layers; orthogonal matrices have equal exponents, ln of their gain.
    Source: Newman (1986): (ln 2σ² + ψ((n − k) / 2)) / 2 for k = 0 … n − 1.
    """
    sizes = range(_checked_width(width), 0, -1)
    scale = math.log(2.0 * _checked_std(std) ** 2)
    return np.array([0.5 * (scale + _digamma_of_half(size)) for size in sizes])


def rms_log_growth(std: float, width: int = 1) -> float:
    """Return the growth of ln of the root mean square of ‖v‖, in nats a layer: ln(std · √width).

    It exceeds the typical growth, since a few rare products carry the mean square. For the
    arguments and errors see typical_log_growth.
    """
    return math.log(_checked_std(std)) + 0.5 * math.log(_checked_width(width))


def log_growth_spread(layers: int, width: int = 1) -> float:
    """Return the standard deviation of ln‖v‖ after that many Gaussian layers, in nats.

    It does not depend on the entries' standard deviation: √(layers · ψ′(n/2)) / 2, since the
    growths of the layers are independent, each half the log of a χ² variable with n = width
    degrees of freedom. For wide layers that is √(layers / (2 · width)).
    Raises ValueError unless layers and width are whole numbers >= 1.
    """
    checked = positive_int("layers", layers, "Pass the number of factors, e.g. layers=100.")
    return 0.5 * math.sqrt(checked * _trigamma_of_half(_checked_width(width)))


def log10_gaussian_growth(
    std: float, width: int = 1, *, layers: int, draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw log₁₀ ‖v‖ along products of Gaussian matrices, without drawing a matrix.

    A Gaussian matrix multiplies the length of any vector by std · √(χ² with n = width degrees of
    freedom), whatever its direction, so the factors of the layers are independent draws.
    layers: matrices in a product, >= 1. draws: products, >= 1. std, width: see typical_log_growth.
    Returns shape (draws, layers + 1): after 0, 1, … layers; the first column is 0.
    Raises ValueError for what is not in its range, TypeError for an rng that is no Generator.
    Source: Newman (1986), from which typical_log_growth follows.
    """
    count = positive_int("draws", draws, "Pass the number of products, e.g. draws=100.")
    length = positive_int("layers", layers, "Pass the number of factors, e.g. layers=100.")
    generator = random_generator(rng)
    squares = generator.chisquare(_checked_width(width), size=(count, length))
    factors = math.log10(_checked_std(std)) + 0.5 * np.log10(squares)
    return np.hstack([np.zeros((count, 1)), np.cumsum(factors, axis=1)])


def critical_std(width: int = 1) -> float:
    """Return the standard deviation at which a Gaussian product neither vanishes nor explodes.

    For wide matrices it tends to 1 / √width. Raises ValueError for a width below 1.
    """
    return math.exp(-typical_log_growth(1.0, width))


def _digamma_of_half(n: int) -> float:
    """ψ(n/2), from ψ(1) = −γ, ψ(1/2) = −γ − 2 ln 2 and ψ(x + 1) = ψ(x) + 1/x."""
    start = -_EULER_GAMMA - (2.0 * math.log(2.0) if n % 2 else 0.0)
    return start + math.fsum(2.0 / k for k in range(2 - n % 2, n, 2))


def _trigamma_of_half(n: int) -> float:
    """ψ′(n/2), from ψ′(1) = π²/6, ψ′(1/2) = π²/2 and ψ′(x + 1) = ψ′(x) − 1/x²."""
    start = math.pi**2 / (2.0 if n % 2 else 6.0)
    return start - math.fsum(4.0 / k**2 for k in range(2 - n % 2, n, 2))


def _checked_width(width: int) -> int:
    return positive_int("width", width, "Pass the matrix's number of rows, e.g. width=64.")


def _checked_std(std: float) -> float:
    require_positive("std", std)
    return float(std)
