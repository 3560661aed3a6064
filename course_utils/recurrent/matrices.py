"""Recurrent matrices: how they start, and the two sizes by which to judge one.

A matrix that is applied again and again grows in the end as its spectral radius, the largest
|eigenvalue|. One application stretches at most by σ_max, the spectral norm. The two agree for
normal matrices (orthogonal, symmetric); for others the norm of a power may first rise and then
fall.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import positive_int
from course_utils.initializers import draw_weights

# gaussian: std gain / √width, so that the spectral radius is near gain (Ginibre's circular law).
# orthogonal: gain times a random rotation. identity: gain times I (Le, Jaitly & Hinton 2015).
RECURRENT = ("gaussian", "orthogonal", "identity")

Matrix = NDArray[np.float64]


def recurrent_matrix(
    width: int, kind: str | ArrayLike, *, gain: float = 1.0, rng: np.random.Generator
) -> Matrix:
    """Return initial recurrent weights of shape (width, width), in float64.

    kind: a name from RECURRENT, or the matrix itself (multiplied by gain as well).
    Raises ValueError for an unknown name, another shape, or what is not finite.
    """
    if not isinstance(kind, str):
        given = square_matrix(kind)
        if given.shape != (width, width):
            raise ValueError(
                f"recurrent must have shape ({width}, {width}), got {given.shape}. Pass one row "
                "and one column for each unit of the state."
            )
        return gain * given
    if kind == "identity":
        return gain * np.eye(width)
    if kind in RECURRENT:
        scheme = {"gaussian": "lecun", "orthogonal": "orthogonal"}[kind]
        return draw_weights(width, width, scheme=scheme, gain=gain, rng=rng).astype(np.float64)
    raise ValueError(
        f"recurrent must be a known start, got {kind!r}. Choose one of {', '.join(RECURRENT)}, or "
        "pass a matrix."
    )


def spectral_radius(matrix: ArrayLike) -> float:
    """Return the largest |eigenvalue|: what a power grows by in the end, a factor a step."""
    return float(np.abs(np.linalg.eigvals(square_matrix(matrix))).max())


def spectral_norm(matrix: ArrayLike) -> float:
    """Return σ_max: the most by which one application can stretch a vector."""
    return float(np.linalg.norm(square_matrix(matrix), 2))


def departure_from_normality(matrix: ArrayLike) -> float:
    """Return √(‖A‖_F² − Σ|λ|²): 0 for a normal matrix, else the size of its one-way part.

    Source: Henrici (1962), the Frobenius norm of the strictly upper part of a Schur form.
    """
    array = square_matrix(matrix)
    excess = np.sum(array**2) - np.sum(np.abs(np.linalg.eigvals(array)) ** 2)
    return math.sqrt(max(float(excess), 0.0))


def with_spectral_radius(matrix: ArrayLike, radius: float) -> Matrix:
    """Return the matrix, scaled so that its spectral radius is radius (>= 0).

    Raises ValueError for a matrix whose powers end at 0 (nilpotent: no scaling helps).
    """
    array = square_matrix(matrix)
    now = spectral_radius(array)
    if not now > 1e-6 * float(np.abs(array).max()):
        raise ValueError(
            f"matrix must have a spectral radius > 0, got {now:.1e}. Add e.g. np.eye(width) to it."
        )
    return array * (radius / now)


def one_way_matrix(width: int, *, radius: float, shear: float) -> Matrix:
    """Return radius on the diagonal and shear above it: each unit feeds only its neighbour.

    Its spectral radius is radius whatever the shear; its powers may grow long before they shrink.
    For width 2 its k-th power is [[ρ^k, k ρ^(k−1) s], [0, ρ^k]].
    """
    units = positive_int("width", width, "Pass the units of the state, e.g. width=2.")
    return radius * np.eye(units) + shear * np.eye(units, k=1)


def log10_one_way_norms(steps: ArrayLike, *, radius: float, shear: float) -> Matrix:
    """Return log₁₀ of the spectral norm of the 2 × 2 one-way matrix to each power, in closed form.

    steps: powers, >= 0, any shape. radius > 0, shear >= 0: see one_way_matrix. With x = k s / ρ the
    norm is ρ^k (x + √(x² + 4)) / 2 = ρ^k exp(asinh(x / 2)), which can neither under- nor overflow.
    Raises ValueError for a radius or shear outside its range.
    """
    if not 0.0 < radius < math.inf or not 0.0 <= shear < math.inf:
        raise ValueError(
            f"radius must be > 0 and shear >= 0, both finite, got {radius} and {shear}. Pass e.g. "
            "radius=0.5, shear=4.0."
        )
    powers = np.asarray(steps, dtype=np.float64)
    bend = np.arcsinh(powers * shear / (2.0 * radius))
    return np.asarray(powers * math.log10(radius) + bend / math.log(10.0))


def square_matrix(matrix: ArrayLike) -> Matrix:
    """Return matrix in float64; raises ValueError unless it is square and finite."""
    array = np.asarray(matrix, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:
        raise ValueError(
            f"matrix must be square, got shape {array.shape}. Pass the weights from a state to "
            "the next state."
        )
    if not np.isfinite(array).all():
        bad = array[~np.isfinite(array)][0]
        raise ValueError(f"matrix must be finite, got {bad}. Look for the step that overflowed.")
    return array
