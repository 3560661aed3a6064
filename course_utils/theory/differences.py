"""The error of finite differences.

A finite difference is wrong in two ways that pull against each other: cutting off the Taylor
series costs more with a larger step, rounding costs more with a smaller one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from course_utils.theory.ranges import require_positive

_DIFFERENCE_ORDERS = {"forward": 1, "centred": 2}


def unit_roundoff(dtype: DTypeLike) -> float:
    """Return the largest relative error of one rounding in a floating-point dtype: eps / 2."""
    resolved = np.dtype(dtype)
    if resolved.kind != "f":
        raise TypeError(
            f"dtype must be a floating-point type, got {resolved}. Pass e.g. dtype=np.float32."
        )
    return float(np.finfo(resolved).eps) / 2.0


def difference_error(
    step: ArrayLike, *, scheme: str, roundoff: float, value: float = 1.0, curvature: float = 1.0
) -> NDArray[np.float64]:
    """Return the predicted error of a finite difference with that step: truncation + rounding.

    step: h > 0, any shape. scheme: "forward" (f(x+h) − f(x)) / h, or "centred"
    (f(x+h) − f(x−h)) / 2h. roundoff: relative error of one value of f, at best unit_roundoff.
    value: |f| near x. curvature: |f″| for "forward", |f‴| for "centred".
    The sum is curvature·h/2 + 2·roundoff·value/h, or curvature·h²/6 + roundoff·value/h.
    Raises ValueError for an unknown scheme or what is not > 0.
    Source: Press et al. (2007), Numerical Recipes, §5.7.
    """
    order = _difference_order(scheme)
    size = np.asarray(step, dtype=np.float64)
    for name, number in (("step", size), ("roundoff", roundoff), ("value", value)):
        require_positive(name, number)
    require_positive("curvature", curvature)
    if order == 1:
        return np.asarray(curvature * size / 2.0 + 2.0 * roundoff * value / size)
    return np.asarray(curvature * size**2 / 6.0 + roundoff * value / size)


def best_step(*, scheme: str, roundoff: float, value: float = 1.0, curvature: float = 1.0) -> float:
    """Return the step at which difference_error is least.

    2 √(roundoff·value/curvature) for "forward", (3·roundoff·value/curvature)^(1/3) for "centred".
    For the arguments and errors see difference_error.
    """
    order = _difference_order(scheme)
    for name, number in (("roundoff", roundoff), ("value", value), ("curvature", curvature)):
        require_positive(name, number)
    ratio = roundoff * value / curvature
    return 2.0 * math.sqrt(ratio) if order == 1 else math.cbrt(3.0 * ratio)


def _difference_order(scheme: str) -> int:
    if scheme not in _DIFFERENCE_ORDERS:
        raise ValueError(
            f"scheme must be a known difference, got {scheme!r}. Choose one of "
            f"{', '.join(_DIFFERENCE_ORDERS)}."
        )
    return _DIFFERENCE_ORDERS[scheme]
