"""What every recurrent network shares: parameters, readout, loss, and the way through time."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from course_utils.arrays import FloatArray, aligned, float_dtype, positive_int
from course_utils.initializers import draw_weights
from course_utils.losses import CROSS_ENTROPY, Loss, get_loss
from course_utils.network.layer_arrays import (
    ALL_BUT_THE_LAST_ROW,
    LAST_ROW,
    Blocks,
    LayerArrays,
)
from course_utils.recurrent.matrices import recurrent_matrix
from course_utils.recurrent.sequences import check_sequences, check_targets, loss_of_outputs
from course_utils.recurrent.signals import TimeSignals


class RecurrentNet:
    """A network that reads a sequence step by step, with one state and one set of weights.

    The cell is a subclass's: RNN or LSTM. A linear readout of h_T gives the outputs, or, with
    readout="each", one of every h_t.

    features: numbers that a step reads. width: units of the state. n_outputs: numbers read out.
    recurrent: how the state's own weights start, a name from matrices.RECURRENT or an array of
    shape (width, width). gain: its multiplier. input_gain: multiplier of the Xavier weights of the
    inputs. loss: "cross_entropy" or "mse". readout: "last" or "each". dtype: float64 or float32.

    parameters, gradients: flat vectors. As two layers, cell and readout, they are weights, biases,
    grad_weights and grad_biases, like an MLP's; the cell's weights hold input_weights
    (features, gates · width) above recurrent_weights (width, gates · width).
    After a pass signals holds the states and gradients at every time: see TimeSignals.
    """

    n_gates: ClassVar[int] = 1

    def __init__(
        self,
        features: int,
        width: int,
        n_outputs: int,
        *,
        recurrent: str | ArrayLike = "orthogonal",
        gain: float = 1.0,
        input_gain: float = 1.0,
        loss: str | Loss = "cross_entropy",
        readout: str = "last",
        dtype: DTypeLike = np.float64,
        rng: np.random.Generator,
    ) -> None:
        """Draw the weights; raises one-line ValueErrors for sizes, names or scales it rejects."""
        self._allocate(features, width, n_outputs, get_loss(loss), readout, dtype)
        for gate in range(self.n_gates):
            columns = slice(gate * self.width, (gate + 1) * self.width)
            self.input_weights[:, columns] = draw_weights(
                features, width, scheme="xavier", gain=input_gain, rng=rng
            )
            self.recurrent_weights[:, columns] = recurrent_matrix(
                width, recurrent, gain=gain, rng=rng
            )
        self.weights[-1][...] = draw_weights(width, n_outputs, scheme="xavier", rng=rng)

    def _allocate(
        self, features: int, width: int, n_outputs: int, loss: Loss, readout: str, dtype: DTypeLike
    ) -> None:
        if readout not in ("last", "each"):
            raise ValueError(
                f"readout must be 'last' or 'each', got {readout!r}. Choose one of them."
            )
        self.widths = (features, width, n_outputs)
        self.features = positive_int("features", features, "Pass the length of one input.")
        self.width = positive_int("width", width, "Pass the units of the state, e.g. width=16.")
        self.n_outputs = positive_int("n_outputs", n_outputs, "Pass e.g. the number of classes.")
        self.loss, self.readout = loss, readout
        self.dtype = float_dtype(dtype)
        state = self.n_gates * self.width
        self._shapes = [(self.features + self.width + 1, state), (self.width + 1, self.n_outputs)]
        entries = sum(map(prod, self._shapes))
        self.parameters: FloatArray = aligned((entries,), 0.0, self.dtype)
        self.gradients: FloatArray = aligned((entries,), np.nan, self.dtype)
        self._cell, self._readout = self._blocks(self.parameters)
        self._grad_cell, self._grad_readout = self._blocks(self.gradients)
        self.weights, self.biases = self.split(self.parameters)
        self.grad_weights, self.grad_biases = self.split(self.gradients)
        self._signals: TimeSignals | None = None

    def _blocks(self, vector: FloatArray) -> tuple[FloatArray, FloatArray]:
        blocks = Blocks(self._shapes, vector)
        return blocks[0], blocks[1]

    def split(self, vector: FloatArray) -> tuple[LayerArrays, LayerArrays]:
        """Return views of a vector laid out like parameters: (weights, biases) of cell, readout."""
        if vector.shape != self.parameters.shape:
            raise ValueError(
                f"vector must have shape {self.parameters.shape}, got {vector.shape}. Pass one "
                "entry for each parameter, e.g. np.zeros_like(net.parameters)."
            )
        blocks = Blocks(self._shapes, vector)
        return LayerArrays(blocks, ALL_BUT_THE_LAST_ROW), LayerArrays(blocks, LAST_ROW)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by value: a plain deep copy would tear the views from their buffers."""
        shape = (self.features, self.width, self.n_outputs, self.loss, self.readout, self.dtype)
        return _restore, (type(self), shape, self.parameters.copy())

    @property
    def n_layers(self) -> int:
        """The number of layers that have weights: the cell and the readout."""
        return len(self._shapes)

    @property
    def input_weights(self) -> FloatArray:
        """The weights of the inputs, (features, gates · width), as a view."""
        return self._cell[: self.features]

    @property
    def recurrent_weights(self) -> FloatArray:
        """The weights from the state to the next state, (width, gates · width), as a view."""
        return self._cell[self.features : -1]

    @property
    def signals(self) -> TimeSignals:
        """The signals of the latest pass. Raises ValueError before the first one."""
        if self._signals is None:
            raise ValueError("signals need a forward pass, got none. Call forward(inputs) first.")
        return self._signals

    def forward(self, inputs: ArrayLike, *, validate: bool = True) -> FloatArray:
        """Read the sequences, keep every state, return the outputs.

        inputs: (examples, steps, features). Returns (examples, n_outputs), or with readout="each"
        (examples, steps, n_outputs).
        Raises ValueError or TypeError for inputs that do not fit or are not finite.
        """
        array = check_sequences(inputs, self.features) if validate else np.asarray(inputs)
        examples, steps, _ = array.shape
        signals = self._signals
        if signals is None or (signals.steps, signals.examples) != (steps, examples):
            signals = self._signals = self._new_signals(steps, examples)
        return self._run(array, signals)

    def _new_signals(self, steps: int, examples: int) -> TimeSignals:
        return TimeSignals(
            steps,
            examples,
            features=self.features,
            width=self.width,
            gates=self.n_gates,
            dtype=self.dtype,
        )

    def _run(self, inputs: NDArray[Any], signals: TimeSignals) -> FloatArray:
        signals.read[:-1, : self.features] = inputs.transpose(1, 2, 0)
        self._cell_forward(signals)
        columns = np.matmul(self._readout.T, self._states_read(signals))
        by_example = columns[0].T if self.readout == "last" else columns.transpose(2, 0, 1)
        signals.outputs = by_example
        return by_example

    def _states_read(self, signals: TimeSignals) -> FloatArray:
        """The states that the readout sees, each above a 1: (times, width + 1, examples)."""
        first = signals.steps if self.readout == "last" else 1
        return signals.read[first:, self.features :]

    def backward(self, targets: ArrayLike, *, validate: bool = True) -> float:
        """Return the mean loss of the latest forward pass; fill in every gradient.

        targets: labels (examples,) or real values (examples, n_outputs), see losses; with
        readout="each" they have a second axis, of steps, and the loss is the mean over them too.
        Raises ValueError or TypeError for targets that do not fit, or before forward.
        """
        signals = self.signals
        if validate:
            targets = check_targets(targets, signals.outputs.shape, self.loss)
        loss, gradient = loss_of_outputs(self.loss, signals.outputs, np.asarray(targets))
        last = self.readout == "last"
        grad_outputs = gradient.T[np.newaxis] if last else gradient.transpose(1, 2, 0)
        states = self._states_read(signals)
        # Σ over times of states · gradᵀ
        np.matmul(states, grad_outputs.transpose(0, 2, 1)).sum(axis=0, out=self._grad_readout)
        from_readout = np.matmul(self._readout[:-1], grad_outputs)
        self._cell_backward(signals, from_readout)
        read, grads = signals.read[:-1], signals.grad_pre_activation
        np.matmul(read, grads.transpose(0, 2, 1)).sum(axis=0, out=self._grad_cell)
        return loss

    def _cell_forward(self, signals: TimeSignals) -> None:
        """Fill in the states at times 1 … T."""
        raise NotImplementedError("a cell says how a state follows from the one before: RNN, LSTM")

    def _cell_backward(self, signals: TimeSignals, from_readout: FloatArray) -> None:
        """Fill in the states' gradients at times T … 0 and those of the pre-activations.

        from_readout: what reaches h_T, or each of h_1 … h_T, by the readout:
        (times, width, examples).
        """
        raise NotImplementedError("a cell says how a gradient goes back one step: RNN, LSTM")

    def loss_and_gradients(
        self,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        keep: Iterable[str] = (),
        validate: bool = True,
    ) -> float:
        """Return the mean loss; gradients then holds its gradient, through all the steps.

        keep: nothing more to keep, see training.train: a recurrent network's states belong to
        times, not to layers, and all stay in signals. Raises ValueError if it is not empty.
        """
        for name in keep:
            raise ValueError(
                f"{name} is kept for each layer, and a recurrent network has it for each time. "
                f"Leave it out of record; call loss_and_gradients and read signals.{name}."
            )
        self.forward(inputs, validate=validate)
        return self.backward(targets, validate=validate)

    def outputs(self, inputs: ArrayLike) -> FloatArray:
        """Return the outputs, shaped as forward's, without touching the recorded signals."""
        array = check_sequences(inputs, self.features)
        return self._run(array, self._new_signals(array.shape[1], array.shape[0]))

    def loss_of(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """Return the mean loss without touching the recorded signals and gradients."""
        outputs = self.outputs(inputs)
        checked = check_targets(targets, outputs.shape, self.loss)
        return loss_of_outputs(self.loss, outputs, checked)[0]

    def accuracy(self, inputs: ArrayLike, labels: ArrayLike) -> float:
        """Return the share of outputs whose greatest entry is their label, 0 to 1."""
        outputs = self.outputs(inputs)
        checked = check_targets(labels, outputs.shape, CROSS_ENTROPY)
        return float(np.mean(outputs.argmax(axis=-1) == checked))


def _restore(
    kind: type[RecurrentNet], arguments: tuple[Any, ...], parameters: FloatArray
) -> RecurrentNet:
    net = kind.__new__(kind)
    net._allocate(*arguments)
    net.parameters[...] = parameters
    return net
