"""Euclidean norms that neither underflow nor overflow on the way.

``np.linalg.norm`` squares its input, so in float32 it calls 1e-30 zero and 1e25 infinite: just
the gradients that this course looks at. Here the squares are trusted only where they are safe;
elsewhere the values are divided by their largest one first: ``max * norm(values / max)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import FloatArray

# A sum of squares above this has lost less than a relative 1e-9 to squares that underflowed,
# even over 10^6 entries: the smallest square is 1.4e-45 in float32 and 4.9e-324 in float64.
_SAFE_SQUARE = {np.dtype(np.float32): 1e-30, np.dtype(np.float64): 1e-300}


def l2_norm(values: ArrayLike) -> float:
    """Return the Euclidean norm of all entries of values, of any shape.

    The result is a float64: 0 only if every entry is 0, inf only if one is inf (or the norm
    exceeds float64), NaN if any entry is NaN.
    """
    return _scaled_norm(_wide_enough(np.asarray(values)))


def degrees_between(one: ArrayLike, other: ArrayLike) -> float:
    """Return the angle between two vectors in degrees, 0 to 180.

    one, other: of one shape, read as flat vectors. NaN if either is all 0 or not finite.
    Exact near 0 and 180, where an arc cosine would lose half of the digits.
    Source: Kahan (2006), "How futile are mindless assessments of roundoff", §12.
    """
    units = []
    for values in (one, other):
        array = np.ravel(np.asarray(values, dtype=np.float64))
        norm = l2_norm(array)
        if norm == 0.0 or not math.isfinite(norm):
            return math.nan
        peak = np.abs(array).max()  # norm itself may be too small to divide by
        units.append((array / peak) / (norm / peak))
    return math.degrees(2 * math.atan2(l2_norm(units[0] - units[1]), l2_norm(units[0] + units[1])))


def norm_by_layer(rows: FloatArray) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row of an array of shape (layers, entries), as float64."""
    rows = _wide_enough(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.vecdot(rows, rows)
    return norms_from_squares(squares, rows)


def norms_from_squares(
    squares: FloatArray, rows: FloatArray | Sequence[FloatArray]
) -> NDArray[np.float64]:
    """Return sqrt(squares) as float64, taking each row again from scratch where that is unsafe.

    squares: (layers,) sums of squares of the rows, perhaps underflowed or overflowed.
    rows: the layers' values, to go back to; used only where it is needed.
    """
    norms, lowest = np.sqrt(squares, dtype=np.float64), _SAFE_SQUARE[squares.dtype]
    # NaN fails both comparisons: a sum of squares is NaN only if an entry is, and so is the norm.
    if not (np.minimum.reduce(squares) > lowest and np.maximum.reduce(squares) < math.inf):
        for layer in np.flatnonzero((squares <= lowest) | (squares == math.inf)):
            norms[layer] = _scaled_norm(rows[int(layer)])
    return norms


def _wide_enough(array: NDArray[Any]) -> FloatArray:
    # float16 has too few digits to add up squares; integers have no inf.
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _scaled_norm(values: FloatArray) -> float:
    if values.size == 0:
        return 0.0
    peak = max(float(values.max()), -float(values.min()))
    if peak == 0.0 or not math.isfinite(peak):
        return abs(peak)
    scaled = np.ravel(values) / values.dtype.type(peak)
    return peak * math.sqrt(float(np.vdot(scaled, scaled)))
