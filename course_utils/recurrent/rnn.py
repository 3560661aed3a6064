"""The plain recurrent network: h_t = tanh(x_t U + h_{t−1} W + b)."""

from __future__ import annotations

import numpy as np

from course_utils.activations import TANH
from course_utils.arrays import FloatArray
from course_utils.recurrent.network import RecurrentNet
from course_utils.recurrent.signals import TimeSignals


class RNN(RecurrentNet):
    """The plain recurrent network of Elman (1990), with tanh; arguments as RecurrentNet.

    Going back one step multiplies the gradient by diag(1 − h_t²) and by W, the recurrent weights:
    ∂loss/∂h_{t−1} = (∂loss/∂h_t · (1 − h_t²)) Wᵀ (Pascanu, Mikolov & Bengio 2013, eqs. 5 and 11).
    """

    def _cell_forward(self, signals: TimeSignals) -> None:
        cell, read, state = self._cell.T, signals.read, signals.reads_state
        for step, pre_activation in enumerate(signals.pre_activation):
            np.dot(cell, read[step], pre_activation)
            np.tanh(pre_activation, read[step + 1, state])

    def _cell_backward(self, signals: TimeSignals, from_readout: FloatArray) -> None:
        grad_hidden, state = signals.grad_hidden_columns, signals.reads_state
        slopes = TANH.derivative(signals.read[1:, state], out=signals.slope)
        weights = self.recurrent_weights
        grad_hidden[-1] = from_readout[-1]
        for step in reversed(range(signals.steps)):
            grad = signals.grad_pre_activation[step]
            np.multiply(grad_hidden[step + 1], slopes[step], grad)
            np.dot(weights, grad, grad_hidden[step])
            if self.readout == "each" and step:
                grad_hidden[step] += from_readout[step - 1]
