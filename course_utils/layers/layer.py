"""What a layer is: a forward pass, a backward pass, and perhaps one block of parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from course_utils.arrays import FloatArray


class Layer(ABC):
    """One step of a network; batches have shape (examples, units).

    forward(inputs) returns the outputs in training and remembers what backward needs;
    backward(grad_outputs) returns ∂loss/∂inputs and fills in the gradients of the parameters;
    outputs(inputs) returns the outputs in prediction and remembers nothing.
    """

    @abstractmethod
    def forward(self, inputs: FloatArray) -> FloatArray:
        """Return the outputs in training, (examples, units), and remember the batch."""

    @abstractmethod
    def backward(self, grad_outputs: FloatArray) -> FloatArray:
        """Return ∂loss/∂inputs of the latest forward pass. Raises ValueError before the first."""

    @abstractmethod
    def outputs(self, inputs: FloatArray) -> FloatArray:
        """Return the outputs in prediction, (examples, units)."""

    def width_after(self, width: int) -> int:
        """Return the units that leave the layer if width enter. Raises ValueError if they can't."""
        return width

    def leaves(self) -> Iterator[Layer]:
        """Yield the layers that this one is made of, in the order of the forward pass."""
        yield self


class ParametricLayer(Layer):
    """A layer with a block of parameters, (rows, units), and one of their gradients.

    The layer owns its blocks until a Stack lays them side by side with those of other layers.
    """

    def __init__(self, block: FloatArray) -> None:
        """Start with these parameters; their gradients are NaN until the first backward pass."""
        self.block = block
        self.grad_block: FloatArray = np.full_like(block, np.nan)
        self.in_a_stack = False

    def move_to(self, block: FloatArray, grad_block: FloatArray) -> None:
        """Live in these arrays from now on; they take over the values."""
        block[...], grad_block[...] = self.block, self.grad_block
        self.block, self.grad_block = block, grad_block
        self.in_a_stack = True


def require_width(layer: Layer, expected: int, width: int) -> None:
    """Raise ValueError unless width is what the layer reads."""
    if width != expected:
        raise ValueError(
            f"{layer!r} must read {expected} units, got {width}. Give it the width of the layer "
            "below."
        )


def remembered(value: FloatArray | None) -> FloatArray:
    """Return what the latest forward pass left. Raises ValueError if there was none."""
    if value is None:
        raise ValueError("backward needs a forward pass, got none. Call forward(inputs) first.")
    return value


def sum_along(values: FloatArray, axis: int) -> FloatArray:
    """Return the sums of values, (examples, units), along axis 0 or 1, of length 1 there."""
    # A product with ones takes a third of the time of np.sum on arrays as small as these.
    ones = _ones(values.shape[axis], values.dtype)
    return (ones @ values)[np.newaxis] if axis == 0 else (values @ ones)[:, np.newaxis]


@cache
def _ones(count: int, dtype: np.dtype[Any]) -> FloatArray:
    ones: FloatArray = np.ones(count, dtype)
    ones.flags.writeable = False
    return ones
