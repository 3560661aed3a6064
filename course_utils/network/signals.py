"""What one forward and backward pass leaves behind, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from course_utils.arrays import FloatArray, aligned
from course_utils.network.layer_arrays import LayerArrays

# The signals that a pass can do without keeping; inputs and hidden are needed by the backward pass.
OPTIONAL_SIGNALS = frozenset({"pre_activation", "grad_hidden", "grad_pre_activation"})


class Signals:
    """Every layer's signals for one batch; overwritten by the next pass.

    For layer l = 0 … L − 1 (layer 0 reads the inputs, layer L − 1 is the output layer):

    inputs                    (examples, inputs)           x
    pre_activation[l]         (examples, widths[l + 1])    z = h_below @ W + b
    hidden[l]                 (examples, widths[l + 1])    h = f(z); the output layer's h is z
    grad_hidden[l]            (examples, widths[l + 1])    ∂loss/∂h
    grad_pre_activation[l]    (examples, widths[l + 1])    ∂loss/∂z

    The gradients are NaN until the first backward pass. A signal that was not kept shares a few
    buffers between all layers, for speed, and raises ValueError when it is asked for.
    """

    def __init__(
        self,
        examples: int,
        widths: Sequence[int],
        dtype: np.dtype[np.floating[Any]],
        keep: Iterable[str],
    ) -> None:
        """Allocate the buffers for batches of that many examples."""
        self.examples = examples
        self.kept = frozenset(keep)
        if unknown := sorted(self.kept - OPTIONAL_SIGNALS):
            raise ValueError(
                f"keep must name optional signals, got {', '.join(map(repr, unknown))}. Choose "
                f"from {', '.join(sorted(OPTIONAL_SIGNALS))}; hidden is always kept."
            )
        self._shapes = [(examples, width) for width in widths[1:]]
        self.inputs: FloatArray = aligned((examples, widths[0]), np.nan, dtype)
        self.hidden = self._layers(dtype)
        self._arrays = {name: self._layers(dtype) for name in self.kept}

    def _layers(self, dtype: np.dtype[np.floating[Any]]) -> LayerArrays:
        entries = sum(examples * width for examples, width in self._shapes)
        return LayerArrays(self._shapes, aligned((entries,), np.nan, dtype))

    @property
    def pre_activation(self) -> LayerArrays:
        """z = h_below @ W + b, by layer."""
        return self._kept("pre_activation")

    @property
    def grad_hidden(self) -> LayerArrays:
        """∂loss/∂h, by layer."""
        return self._kept("grad_hidden")

    @property
    def grad_pre_activation(self) -> LayerArrays:
        """∂loss/∂z, by layer."""
        return self._kept("grad_pre_activation")

    @property
    def outputs(self) -> FloatArray:
        """The output layer's values, shape (examples, outputs)."""
        return self.hidden[-1]

    def below(self, layer: int) -> FloatArray:
        """Return what layer reads: the inputs, or the hidden values of the layer below."""
        return self.hidden[layer - 1] if layer else self.inputs

    def by_layer(self, name: str) -> LayerArrays | None:
        """Return an optional signal's arrays, None if it is not kept."""
        return self._arrays.get(name)

    def _kept(self, name: str) -> LayerArrays:
        if name not in self.kept:
            raise ValueError(
                f"{name} was not kept by the latest pass, only "
                f"{', '.join(['hidden', *sorted(self.kept)])}."
                " Call loss_and_gradients(inputs, targets), which keeps every signal."
            )
        return self._arrays[name]
