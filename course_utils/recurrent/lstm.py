"""The LSTM: a state c_t that is kept by a gate instead of multiplied by weights."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from course_utils.activations import SIGMOID, TANH
from course_utils.arrays import FloatArray
from course_utils.recurrent.network import RecurrentNet
from course_utils.recurrent.signals import TimeSignals

# The order of a unit's gates in memory: the three sigmoids stand side by side, and so do the three
# through which the cell is written.
GATES = ("output", "input", "forget", "candidate")
_SIGMOIDS = 3


class LSTM(RecurrentNet):
    """The long short-term memory of Hochreiter & Schmidhuber (1997), with a forget gate.

    With o, i, f = σ(…) and g = tanh(…) of x_t and h_{t−1}, each with weights of its own:
    c_t = f · c_{t−1} + i · g and h_t = o · tanh(c_t) (Gers, Schmidhuber & Cummins 2000, §3.1).
    Going back one step by the cell multiplies ∂loss/∂c by f, and by no weights.

    forget_bias: where the forget gates' biases start. Other arguments as RecurrentNet.
    """

    n_gates: ClassVar[int] = len(GATES)

    def __init__(
        self, features: int, width: int, n_outputs: int, *, forget_bias: float = 0.0, **options: Any
    ) -> None:
        """Draw the weights; raises one-line ValueErrors for sizes, names or scales it rejects."""
        if not np.isfinite(forget_bias):
            raise ValueError(f"forget_bias must be finite, got {forget_bias}. Pass e.g. 1.0.")
        super().__init__(features, width, n_outputs, **options)
        self.biases[0].reshape(self.n_gates, self.width)[GATES.index("forget")] = forget_bias

    def _cell_forward(self, signals: TimeSignals) -> None:
        weights = self._cell.T.copy()
        # σ(z) = (1 + tanh(z / 2)) / 2: halved weights, and one tanh serves all four gates.
        weights[: _SIGMOIDS * self.width] *= 0.5
        read, state, cells = signals.read, signals.reads_state, signals.cell_columns
        written = np.empty_like(cells[0])
        for step, gates in enumerate(signals.gates):
            values = signals.pre_activation[step]
            np.dot(weights, read[step], values)
            np.tanh(values, values)
            sigmoids = gates[:_SIGMOIDS]
            sigmoids *= 0.5
            sigmoids += 0.5
            output, admit, forget, candidate = gates
            np.multiply(forget, cells[step], cells[step + 1])
            np.multiply(admit, candidate, written)
            cells[step + 1] += written
            np.tanh(cells[step + 1], signals.squashed_cell[step])
            np.multiply(output, signals.squashed_cell[step], read[step + 1, state])

    def _cell_backward(self, signals: TimeSignals, from_readout: FloatArray) -> None:
        by_gate, to_cell = self._local_slopes(signals)
        grad_hidden, grad_cell = signals.grad_hidden_columns, signals.grad_cell_columns
        forget = signals.gates[:, GATES.index("forget")]
        gate_grads = signals.grad_pre_activation.reshape(signals.gates.shape)
        grad_hidden[-1], grad_cell[-1] = from_readout[-1], 0.0
        weights, from_hidden = self.recurrent_weights, np.empty_like(grad_cell[0])
        for step in reversed(range(signals.steps)):
            after, grads = step + 1, gate_grads[step]
            np.multiply(grad_hidden[after], to_cell[step], from_hidden)
            grad_cell[after] += from_hidden
            np.multiply(grad_hidden[after], by_gate[step, 0], grads[0])
            np.multiply(grad_cell[after], by_gate[step, 1:], grads[1:])
            np.dot(weights, signals.grad_pre_activation[step], grad_hidden[step])
            np.multiply(grad_cell[after], forget[step], grad_cell[step])
            if self.readout == "each" and step:
                grad_hidden[step] += from_readout[step - 1]

    def _local_slopes(self, signals: TimeSignals) -> tuple[FloatArray, FloatArray]:
        """∂h_t/∂z of the output gate and ∂c_t/∂z of the others; then ∂h_t/∂c_t, for every step."""
        output, admit, _, candidate = signals.gates.swapaxes(0, 1)
        squashed = signals.squashed_cell
        slopes = signals.slope.reshape(signals.gates.shape)
        SIGMOID.derivative(signals.gates[:, :_SIGMOIDS], out=slopes[:, :_SIGMOIDS])
        TANH.derivative(candidate, out=slopes[:, _SIGMOIDS])
        for gate, factor in enumerate((squashed, candidate, signals.cell_columns[:-1], admit)):
            slopes[:, gate] *= factor
        return slopes, output * TANH.derivative(squashed)
