"""A loss with a cliff, of two numbers: what a deep net's loss looks like along two directions.

A chain of LINKS equal links of weight a, and a last one of weight b, should pass on 1 as 1:

    loss = ½ (b · a^LINKS − 1)²

Below a = 1 lies a plain (the chain passes on nothing, the loss is that of an output of 0, ½), above
it a wall, between them the valley b · a^LINKS = 1. A picture for Pascanu, Mikolov & Bengio (2013),
§2.3, whose cliff is that of a recurrent unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import FloatArray, positive_int

LINKS = 10
Vector = NDArray[np.float64]


def cliff_loss(a: ArrayLike, b: ArrayLike) -> NDArray[Any]:
    """Return the loss at link weight a and last weight b; shapes broadcast."""
    return np.asarray(0.5 * (np.asarray(b) * np.asarray(a, dtype=np.float64) ** LINKS - 1) ** 2)


def cliff_gradient(place: ArrayLike) -> Vector:
    """Return the gradient (∂loss/∂a, ∂loss/∂b), (2,), at place = (a, b)."""
    a, b = np.asarray(place, dtype=np.float64)
    inner = a ** (LINKS - 1)
    error = b * a * inner - 1
    return np.array([error * LINKS * b * inner, error * a * inner])


def cliff_descent(
    start: ArrayLike,
    *,
    learning_rate: float,
    steps: int,
    clip: Callable[[FloatArray], FloatArray] | None = None,
) -> Vector:
    """Return the places of gradient descent, (steps + 1, 2), the start first.

    clip: what each gradient goes through before it is used, e.g. ``lambda g: clip_by_norm(g, 1)``.
    A path that leaves the floats is inf or NaN from there on. Raises ValueError if steps < 1.
    """
    steps = positive_int("steps", steps, "Pass the number of updates, e.g. steps=40.")
    path = np.full((steps + 1, 2), np.nan)
    path[0] = start
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            gradient = cliff_gradient(path[step])
            path[step + 1] = path[step] - learning_rate * (clip(gradient) if clip else gradient)
    return path
