"""Batch norm and layer norm: one formula, two axes.

Both subtract a mean and divide by a standard deviation. Batch norm takes them down a column, of
one unit over the batch; layer norm takes them along a row, of one example over its units.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_utils.arrays import FloatArray, positive_int
from course_utils.layers.layer import (
    Layer,
    ParametricLayer,
    remembered,
    require_width,
    sum_along,
)

OVER_THE_BATCH = 0
OVER_THE_UNITS = 1


class Standardized(NamedTuple):
    """Values with mean 0 and variance 1 along an axis, and what was taken out of them.

    normalized: like the values. mean, variance, deviation: with length 1 along the axis;
    deviation = √(variance + eps), where variance is divided by n, not by n − 1.
    """

    normalized: FloatArray
    mean: FloatArray
    variance: FloatArray
    deviation: FloatArray


def standardize(values: FloatArray, *, axis: int, eps: float = 1e-5) -> Standardized:
    """Return (values − mean) / √(variance + eps) along the axis, and its parts.

    values: (examples, units); axis 0: over the batch, 1: over the units. eps: in squared units
    of the values. Source: Ioffe & Szegedy (2015), algorithm 1; Ba, Kiros & Hinton (2016), eq. 3.
    """
    count = values.shape[axis]
    mean = sum_along(values, axis) / count
    centred = values - mean
    variance = sum_along(centred * centred, axis) / count
    deviation = np.sqrt(variance + eps)
    return Standardized(np.divide(centred, deviation, out=centred), mean, variance, deviation)


def standardize_backward(
    grad_normalized: FloatArray, standardized: Standardized, *, axis: int
) -> FloatArray:
    """Return ∂loss/∂values, given ∂loss/∂normalized = g; both (examples, units).

    (g − mean(g) − normalized · mean(g · normalized)) / deviation, the means along the axis. The
    three terms: the direct way; the way through the mean; the way through the variance.
    Source: Ioffe & Szegedy (2015), §3, its six chain rules collected.
    """
    normalized, count = standardized.normalized, grad_normalized.shape[axis]
    through_mean = sum_along(grad_normalized, axis) / count
    projection = sum_along(grad_normalized * normalized, axis) / count
    grad = grad_normalized - through_mean
    grad -= normalized * projection
    return np.divide(grad, standardized.deviation, out=grad)


class Norm(ParametricLayer):
    """Standardise along an axis, then scale and shift each unit: y = γ x̂ + β.

    width: units. eps: added to the variance, > 0. scale γ (starts at 1) and shift β (at 0) are
    views of shape (width,), as are grad_scale and grad_shift.
    """

    axis: int

    def __init__(self, width: int, *, eps: float = 1e-5) -> None:
        """Start with γ = 1 and β = 0; raises ValueError for a width below 1 or an eps <= 0."""
        self.width = positive_int("width", width, "Pass the units of the layer below.")
        if not 0.0 < eps < np.inf:
            raise ValueError(f"eps must be > 0 and finite, got {eps}. Pass eps=1e-5.")
        self.eps = float(eps)
        super().__init__(np.stack([np.ones(width), np.zeros(width)]))
        self.standardized: Standardized | None = None

    def __repr__(self) -> str:
        """Name the kind and the width."""
        return f"{type(self).__name__}({self.width})"

    @property
    def scale(self) -> FloatArray:
        """γ, (width,), as a view."""
        return self.block[0]

    @property
    def shift(self) -> FloatArray:
        """β, (width,), as a view."""
        return self.block[1]

    @property
    def grad_scale(self) -> FloatArray:
        """∂loss/∂γ, (width,), as a view."""
        return self.grad_block[0]

    @property
    def grad_shift(self) -> FloatArray:
        """∂loss/∂β, (width,), as a view."""
        return self.grad_block[1]

    def width_after(self, width: int) -> int:
        """Return the width. Raises ValueError for another one."""
        require_width(self, self.width, width)
        return width

    def forward(self, inputs: FloatArray) -> FloatArray:
        """Return γ x̂ + β, (examples, width), with the mean and variance of this batch."""
        require_width(self, self.width, inputs.shape[1])
        self.standardized = standardize(inputs, axis=self.axis, eps=self.eps)
        return self._scaled(self.standardized.normalized)

    def backward(self, grad_outputs: FloatArray) -> FloatArray:
        """Return ∂loss/∂inputs, and fill in grad_scale and grad_shift."""
        if self.standardized is None:
            remembered(None)
        assert self.standardized is not None
        self.grad_shift[...] = sum_along(grad_outputs, 0)[0]
        self.grad_scale[...] = sum_along(grad_outputs * self.standardized.normalized, 0)[0]
        return standardize_backward(grad_outputs * self.scale, self.standardized, axis=self.axis)

    def _scaled(self, normalized: FloatArray) -> FloatArray:
        scaled = normalized * self.scale
        scaled += self.shift
        return scaled


class LayerNorm(Norm):
    """Standardise each example over its units; the same in training and in prediction.

    An example's outputs do not depend on the rest of the batch.
    Source: Ba, Kiros & Hinton (2016), eqs. 3 and 4.
    """

    axis = OVER_THE_UNITS

    def outputs(self, inputs: FloatArray) -> FloatArray:
        """Return γ x̂ + β, (examples, width), and remember nothing."""
        require_width(self, self.width, inputs.shape[1])
        return self._scaled(standardize(inputs, axis=self.axis, eps=self.eps).normalized)


class BatchNorm(Norm):
    """Standardise each unit over the batch; in prediction, by running averages of training.

    After each batch: running ← momentum · running + (1 − momentum) · the batch's. They start at
    mean 0 and variance 1; the variance is the unbiased one, of n − 1.
    momentum: within [0, 1).
    Source: Ioffe & Szegedy (2015), algorithms 1 and 2.
    """

    axis = OVER_THE_BATCH

    def __init__(self, width: int, *, eps: float = 1e-5, momentum: float = 0.9) -> None:
        """Start as Norm does; raises ValueError for a momentum outside [0, 1)."""
        super().__init__(width, eps=eps)
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"momentum must be within [0, 1), got {momentum}. Pass momentum=0.9.")
        self.momentum = float(momentum)
        self.running_mean: FloatArray = np.zeros(width)
        self.running_variance: FloatArray = np.ones(width)

    def forward(self, inputs: FloatArray) -> FloatArray:
        """Return γ x̂ + β and move the running averages. Raises ValueError for one example."""
        examples = len(inputs)
        if examples < 2:
            raise ValueError(
                f"batch norm must see at least 2 examples in training, got {examples}. Pass a "
                "larger batch, or use LayerNorm."
            )
        outputs = super().forward(inputs)
        assert self.standardized is not None
        unbiased = self.standardized.variance[0] * (examples / (examples - 1))
        for running, latest in (
            (self.running_mean, self.standardized.mean[0]),
            (self.running_variance, unbiased),
        ):
            running *= self.momentum
            running += (1.0 - self.momentum) * latest
        return outputs

    def outputs(self, inputs: FloatArray) -> FloatArray:
        """Return γ x̂ + β by the running averages: an example's outputs are its own affair."""
        require_width(self, self.width, inputs.shape[1])
        deviation = np.sqrt(self.running_variance + self.eps)
        return self._scaled((inputs - self.running_mean) / deviation)

    def move_to(self, block: FloatArray, grad_block: FloatArray) -> None:
        """Live in these arrays, with running averages of their dtype."""
        super().move_to(block, grad_block)
        self.running_mean = self.running_mean.astype(block.dtype)
        self.running_variance = self.running_variance.astype(block.dtype)


NORMS: dict[str, type[Norm]] = {"batch": BatchNorm, "layer": LayerNorm}


def get_norm(name: str, width: int, *, eps: float) -> Layer:
    """Return a new "batch" or "layer" norm. Raises ValueError for another name."""
    if name not in NORMS:
        raise ValueError(
            f"norm must be one of {', '.join(NORMS)}, or None, got {name!r}. Pass norm='batch'."
        )
    return NORMS[name](width, eps=eps)
