"""What a network must offer to be trained and recorded by training.train."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import FloatArray
from course_utils.losses import Loss


class ByLayer(Protocol):
    """One array for each layer, from the input side."""

    def __len__(self) -> int:
        """Return the number of layers."""

    def norms(self) -> NDArray[np.float64]:
        """Return each layer's Euclidean norm, (layers,)."""

    def rms(self) -> NDArray[np.float64]:
        """Return each layer's root mean square, (layers,)."""


class RecordedSignals(Protocol):
    """The signals of the latest pass, by layer, and its outputs, (examples, outputs)."""

    @property
    def outputs(self) -> FloatArray:
        """The output layer's values."""

    @property
    def pre_activation(self) -> ByLayer:
        """z = h_below @ W + b, by layer."""

    @property
    def hidden(self) -> ByLayer:
        """What leaves each layer."""

    @property
    def grad_hidden(self) -> ByLayer:
        """∂loss/∂hidden, by layer."""

    @property
    def grad_pre_activation(self) -> ByLayer:
        """∂loss/∂z, by layer."""


class Trainable(Protocol):
    """An MLP, a layers.Stack, or whatever else offers this.

    widths: units of the inputs first, of the outputs last. n_layers: layers that have weights.
    parameters, gradients: flat vectors; train changes the parameters in place.
    weights, grad_weights, and what split(vector) returns first: the weights' parts, by layer.
    loss_and_gradients fills in gradients and signals, as in MLP.
    """

    widths: tuple[int, ...]
    loss: Loss
    dtype: np.dtype[np.floating[Any]]
    parameters: FloatArray
    gradients: FloatArray

    @property
    def n_layers(self) -> int:
        """The number of layers that have weights."""

    @property
    def weights(self) -> ByLayer:
        """The weights, by layer."""

    @property
    def grad_weights(self) -> ByLayer:
        """∂loss/∂W, by layer."""

    @property
    def signals(self) -> RecordedSignals:
        """The signals of the latest pass."""

    def split(self, vector: FloatArray) -> tuple[ByLayer, ByLayer]:
        """Return views of a vector laid out like parameters: (weights, biases) by layer."""

    def loss_and_gradients(
        self, inputs: ArrayLike, targets: ArrayLike, *, keep: Iterable[str], validate: bool
    ) -> float:
        """Return the mean loss of a batch; fill in the gradients."""
