"""What one forward and backward pass leaves behind, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_utils.network.layer_arrays import LayerArrays


class Signals:
    """Every layer's signals for one batch; overwritten by the next pass.

    For layer l = 0 … L − 1 (layer 0 reads the inputs, layer L − 1 is the output layer):

    inputs                    (examples, inputs)           x
    pre_activation[l]         (examples, widths[l + 1])    z = h_below @ W + b
    hidden[l]                 (examples, widths[l + 1])    h = f(z); the output layer's h is z
    grad_hidden[l]            (examples, widths[l + 1])    ∂loss/∂h
    grad_pre_activation[l]    (examples, widths[l + 1])    ∂loss/∂z

    The gradients are NaN until the first backward pass.
    """

    def __init__(
        self, examples: int, widths: Sequence[int], dtype: np.dtype[np.floating[Any]]
    ) -> None:
        """Allocate the buffers for batches of that many examples."""
        shapes = [(examples, width) for width in widths[1:]]
        entries = examples * sum(widths[1:])
        self.examples = examples
        self.inputs = np.zeros((examples, widths[0]), dtype)
        self.pre_activation = LayerArrays(shapes, np.zeros(entries, dtype))
        self.hidden = LayerArrays(shapes, np.zeros(entries, dtype))
        self.grad_hidden = LayerArrays(shapes, np.full(entries, np.nan, dtype))
        self.grad_pre_activation = LayerArrays(shapes, np.full(entries, np.nan, dtype))

    @property
    def outputs(self) -> np.ndarray[Any, np.dtype[np.floating[Any]]]:
        """The output layer's values, shape (examples, outputs)."""
        return self.hidden[-1]

    def below(self, layer: int) -> np.ndarray[Any, np.dtype[np.floating[Any]]]:
        """Return what layer reads: the inputs, or the hidden values of the layer below."""
        return self.hidden[layer - 1] if layer else self.inputs
