"""What one forward and backward pass leaves behind, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import numpy as np

from course_utils.arrays import FloatArray, aligned
from course_utils.network.layer_arrays import (
    ALL_BUT_THE_LAST_ROW,
    EVERY_ROW,
    Blocks,
    LayerArrays,
)

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

    In memory an example is a column, and below what a layer reads stands a row of ones that its
    biases multiply: one matrix product then gives z, and one the gradients of weights and biases
    together. What you see are the transposed views.
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
        with_ones = [(width + 1, examples) for width in widths]
        self.read_by_layer = Blocks(with_ones, _buffer(with_ones, dtype))
        for layer in range(len(widths)):
            self.read_by_layer[layer][-1] = 1.0
        read = LayerArrays(self.read_by_layer, ALL_BUT_THE_LAST_ROW, transposed=True)
        self.inputs: FloatArray = read[0]
        shapes = [(width, examples) for width in widths[1:]]
        self.blocks = {name: Blocks(shapes, _buffer(shapes, dtype)) for name in self.kept}
        self._arrays = {
            "hidden": LayerArrays(
                self.read_by_layer, ALL_BUT_THE_LAST_ROW, transposed=True, first=1
            ),
            **{
                name: LayerArrays(blocks, EVERY_ROW, transposed=True)
                for name, blocks in self.blocks.items()
            },
        }

    @property
    def hidden(self) -> LayerArrays:
        """h = f(z), by layer; the output layer's h is z."""
        return self._arrays["hidden"]

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

    def _kept(self, name: str) -> LayerArrays:
        if name not in self.kept:
            raise ValueError(
                f"{name} was not kept by the latest pass, only "
                f"{', '.join(['hidden', *sorted(self.kept)])}."
                " Call loss_and_gradients(inputs, targets), which keeps every signal."
            )
        return self._arrays[name]


def _buffer(shapes: list[tuple[int, int]], dtype: np.dtype[np.floating[Any]]) -> FloatArray:
    return aligned((sum(map(prod, shapes)),), np.nan, dtype)
