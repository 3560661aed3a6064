"""What a pass through a stack leaves behind, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from course_utils.arrays import FloatArray
from course_utils.norms import norms_from_squares


class PerLayer(Sequence[FloatArray]):
    """One array for each layer, from the input side; not copies.

    ``arrays.norms()`` and ``arrays.rms()`` are one number a layer.
    """

    def __init__(self, arrays: Sequence[FloatArray]) -> None:
        """Look at these arrays, of one dtype."""
        self._arrays = tuple(arrays)

    def __len__(self) -> int:
        """Return the number of layers."""
        return len(self._arrays)

    @overload
    def __getitem__(self, layer: int) -> FloatArray: ...
    @overload
    def __getitem__(self, layer: slice) -> tuple[FloatArray, ...]: ...
    def __getitem__(self, layer: int | slice) -> FloatArray | tuple[FloatArray, ...]:
        """Return one layer's array, or several layers' for a slice."""
        return self._arrays[layer]

    def norms(self) -> NDArray[np.float64]:
        """Return each layer's Euclidean norm, (layers,); see course_utils.norms."""
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.array([np.vdot(array, array) for array in self._arrays])
        return norms_from_squares(squares, self._arrays)

    def rms(self) -> NDArray[np.float64]:
        """Return each layer's root mean square, (layers,)."""
        return self.norms() / np.sqrt([array.size for array in self._arrays])


class StackSignals:
    """Every dense layer's signals for one batch; the next pass makes new ones.

    For dense layer l = 0 … L − 1, each (examples, units of the layer):

    pre_activation[l]         z = h_below @ W + b, what leaves the dense layer
    hidden[l]                 what leaves the block of that layer: the residual block that holds
                              it, or else the layers up to the next dense layer or residual block
    grad_hidden[l]            ∂loss/∂hidden[l]
    grad_pre_activation[l]    ∂loss/∂z

    and inputs, outputs, grad_inputs. The gradients raise ValueError before the backward pass.
    """

    def __init__(self, inputs: FloatArray) -> None:
        """Start with the inputs of a forward pass."""
        self.inputs = inputs
        self.outputs: FloatArray = inputs
        self.pre_activation = PerLayer([])
        self.hidden = PerLayer([])
        self._gradients: tuple[FloatArray, PerLayer, PerLayer] | None = None

    @property
    def examples(self) -> int:
        """The number of examples in the batch."""
        return len(self.inputs)

    def add_gradients(self, inputs: FloatArray, hidden: PerLayer, pre_activation: PerLayer) -> None:
        """Add what the backward pass found."""
        self._gradients = inputs, hidden, pre_activation

    @property
    def grad_inputs(self) -> FloatArray:
        """∂loss/∂inputs, (examples, inputs)."""
        return self._found()[0]

    @property
    def grad_hidden(self) -> PerLayer:
        """∂loss/∂hidden, by layer."""
        return self._found()[1]

    @property
    def grad_pre_activation(self) -> PerLayer:
        """∂loss/∂z, by layer."""
        return self._found()[2]

    def _found(self) -> tuple[FloatArray, PerLayer, PerLayer]:
        if self._gradients is None:
            raise ValueError(
                "gradients need a backward pass, got none. Call loss_and_gradients(inputs, "
                "targets)."
            )
        return self._gradients
