"""What a network says of given data, from its outputs alone."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import FloatArray
from course_utils.losses import CROSS_ENTROPY, Loss


class Scored(ABC):
    """A network of (examples, outputs): its loss, its predictions, its accuracy.

    None of these touches the recorded signals and gradients.
    """

    widths: tuple[int, ...]
    loss: Loss

    @abstractmethod
    def outputs(self, inputs: ArrayLike) -> FloatArray:
        """Return the outputs in prediction, (examples, outputs), and record nothing."""

    def loss_of(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """Return the mean loss in prediction, and record nothing."""
        outputs = self.outputs(inputs)
        checked = self.loss.check_targets(targets, len(outputs), self.widths[-1])
        return self.loss.value_and_gradient(outputs, checked, np.empty_like(outputs))

    def predict(self, inputs: ArrayLike) -> NDArray[np.intp]:
        """Return the number of the greatest output of each example, (examples,)."""
        return self.outputs(inputs).argmax(axis=1)

    def accuracy(self, inputs: ArrayLike, labels: ArrayLike) -> float:
        """Return the share of examples whose greatest output is their label, 0 to 1."""
        predicted = self.predict(inputs)
        checked = CROSS_ENTROPY.check_targets(labels, len(predicted), self.widths[-1])
        return float(np.mean(predicted == checked))
