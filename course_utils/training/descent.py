"""Gradient descent: momentum, weight decay, and clipping by norm or by value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from course_utils.arrays import FloatArray, aligned
from course_utils.norms import l2_norm


@dataclass(frozen=True)
class SGD:
    """The settings of stochastic gradient descent; it holds no state, so nets may share it.

    learning_rate: > 0. momentum: within [0, 1). weight_decay: >= 0, added to the gradient as
    weight_decay · parameters. clip_value, then clip_norm: > 0, see clip_by_value and
    clip_by_norm; None does not clip.
    Raises ValueError outside these ranges.
    Source: Sutskever, Martens, Dahl & Hinton (2013), §2, in PyTorch's form: velocity =
    momentum · velocity + gradient; parameters −= learning_rate · velocity.
    """

    learning_rate: float
    momentum: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        """Refuse settings outside their ranges."""
        _require_positive("learning_rate", self.learning_rate, "0.01")
        if not 0.0 <= self.momentum < 1.0:
            raise ValueError(
                f"momentum must be within [0, 1), got {self.momentum}. Pass momentum=0.9, or 0 "
                "for none."
            )
        if not 0.0 <= self.weight_decay < math.inf:
            raise ValueError(
                f"weight_decay must be >= 0 and finite, got {self.weight_decay}. Pass "
                "weight_decay=0.0 for none."
            )
        for name in ("clip_norm", "clip_value"):
            threshold = getattr(self, name)
            if threshold is not None:
                _require_positive(name, threshold, "1.0, or None for no clipping")


class Descent:
    """One run of SGD on one parameter vector: the velocity and the latest update.

    update: what the latest step subtracted from the parameters, (entries,); 0 before the first.
    moved: which entries move; the others stay as they are, and no work is spent on them.
    """

    def __init__(
        self, settings: SGD, parameters: FloatArray, *, moved: slice = slice(None)
    ) -> None:
        """Start at rest."""
        self.settings = settings
        self.update = aligned(parameters.shape, 0.0, parameters.dtype)
        self._moved = moved
        self._moved_update, self._parameters = self.update[moved], parameters[moved]
        self._velocity = (
            aligned(self._parameters.shape, 0.0, parameters.dtype) if settings.momentum else None
        )

    def step(self, gradients: FloatArray) -> None:
        """Move the parameters, in place, against the gradients (which stay as they are)."""
        settings, update = self.settings, self._moved_update
        direction = gradients[self._moved]
        if settings.clip_value is not None:
            direction = clip_by_value(direction, settings.clip_value, out=update)
        if settings.clip_norm is not None:
            direction = clip_by_norm(direction, settings.clip_norm, out=update)
        if settings.weight_decay:
            direction = np.add(direction, settings.weight_decay * self._parameters, out=update)
        if self._velocity is not None:
            self._velocity *= settings.momentum
            self._velocity += direction
            direction = self._velocity
        np.multiply(direction, settings.learning_rate, out=update)
        np.subtract(self._parameters, update, out=self._parameters)


def clip_by_value(
    gradients: FloatArray, threshold: float, *, out: FloatArray | None = None
) -> FloatArray:
    """Return the gradients with every entry cut to within ±threshold (> 0): turns the vector."""
    return np.clip(gradients, -threshold, threshold, out=out)


def clip_by_norm(
    gradients: FloatArray, threshold: float, *, out: FloatArray | None = None
) -> FloatArray:
    """Return the gradients, shortened to norm threshold (> 0) if they are longer; never turned.

    A gradient with an infinite entry becomes NaN there: it has no direction left to keep.
    Source: Pascanu, Mikolov & Bengio (2013), algorithm 1.
    """
    out = np.empty_like(gradients) if out is None else out
    norm = l2_norm(gradients)
    if norm <= threshold:
        np.copyto(out, gradients)
        return out
    # Dividing by the largest entry first keeps threshold / norm from vanishing in float32.
    peak = max(float(gradients.max()), -float(gradients.min()))
    np.divide(gradients, peak, out=out)
    return np.multiply(out, threshold * (peak / norm), out=out)


def _require_positive(name: str, value: float, example: str) -> None:
    if not 0.0 < value < math.inf:
        raise ValueError(f"{name} must be > 0 and finite, got {value}. Pass {name}={example}.")
