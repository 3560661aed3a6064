"""What one pass through time leaves behind, step by step."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import DTypeLike

from course_utils.arrays import FloatArray, aligned
from course_utils.network.layer_arrays import EVERY_ROW, Blocks, LayerArrays


class TimeSignals:
    """The states of one batch of sequences at every time, and their gradients.

    Time t = 0 … T; h_0 = 0, and step t = 1 … T reads input x_t and state h_{t−1}, writes h_t.

    hidden[t]                 (examples, width)            h_t
    grad_hidden[t]            (examples, width)            ∂loss/∂h_t
    cell[t], grad_cell[t]     (examples, width)            c_t and ∂loss/∂c_t, of an LSTM only
    gates                     (T, 4, width, examples)      o, i, f and candidate g, of an LSTM only
    outputs                   (examples, outputs)          what was read out, see RecurrentNet

    The first four are LayerArrays over times: ``grad_hidden.norms()`` is one number for each t, of
    shape (T + 1,). The gradients are NaN until the first backward pass.

    ∂loss/∂h_t goes through everything that reads h_t: the readout and step t + 1. ∂loss/∂c_t goes
    through everything that reads c_t: h_t, and c_{t+1} by the forget gate.

    In memory an example is a column, and a step reads one column: its input, the state before it,
    and a 1 that the biases multiply.
    """

    def __init__(
        self, steps: int, examples: int, *, features: int, width: int, gates: int, dtype: DTypeLike
    ) -> None:
        """Allocate for so many examples, each a sequence of so many steps."""
        self.steps, self.examples = steps, examples
        self.read = aligned((steps + 1, features + width + 1, examples), 0.0, dtype)
        self.read[:, -1] = 1.0
        self.reads_state = slice(features, features + width)
        self.pre_activation = aligned((steps, gates * width, examples), np.nan, dtype)
        self.grad_pre_activation = aligned((steps, gates * width, examples), np.nan, dtype)
        self.slope = aligned((steps, gates * width, examples), np.nan, dtype)
        self.outputs: FloatArray = aligned((examples, 0), np.nan, dtype)
        self.hidden = over_time(self.read, self.reads_state)
        shape = (steps + 1, width, examples)
        self.grad_hidden_columns = aligned(shape, np.nan, dtype)
        self.grad_hidden = over_time(self.grad_hidden_columns)
        if gates > 1:
            self._allocate_cell(shape, gates, dtype)

    def _allocate_cell(self, shape: tuple[int, int, int], gates: int, dtype: DTypeLike) -> None:
        times, width, examples = shape
        self.cell_columns = aligned(shape, 0.0, dtype)
        self.grad_cell_columns = aligned(shape, np.nan, dtype)
        self.squashed_cell = aligned((times - 1, width, examples), np.nan, dtype)
        self.cell = over_time(self.cell_columns)
        self.grad_cell = over_time(self.grad_cell_columns)
        self.gates = self.pre_activation.reshape(times - 1, gates, width, examples)


def over_time(columns: FloatArray, rows: slice = EVERY_ROW) -> LayerArrays:
    """Return rows of an array (times, rows, examples): one (examples, rows) view a time."""
    times, height, examples = columns.shape
    blocks = Blocks([(height, examples)] * times, columns.reshape(prod(columns.shape)))
    return LayerArrays(blocks, rows, transposed=True)
