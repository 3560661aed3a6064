"""Losses, each beside its gradient with respect to the network's outputs.

The cross-entropy is computed by log-sum-exp: it never takes log(0), so that an exploding run
explodes in its gradients and weights, not in its loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import FloatArray, IntArray, finite_rows


@dataclass(frozen=True)
class Loss:
    """A loss: its value, its gradient, and what its targets must be.

    value_and_gradient(outputs, targets, out) returns the mean loss over the batch as a float and
    writes ∂loss/∂outputs, of shape (examples, outputs), into out (outputs itself, if it may be
    overwritten).
    check_targets(targets, examples, n_outputs) returns the targets as an array, or raises.
    """

    name: str
    value_and_gradient: Callable[[FloatArray, NDArray[Any], FloatArray], float]
    check_targets: Callable[[ArrayLike, int, int], NDArray[Any]]


def _cross_entropy(outputs: FloatArray, labels: IntArray, out: FloatArray) -> float:
    """Softmax cross-entropy in nats, mean over the batch; gradient (softmax − one-hot) / batch."""
    # Worked on as columns, one an example: NumPy is slow along short rows.
    scores, gradient = outputs.T, out.T
    examples = scores.shape[1]
    true_class = (labels, np.arange(examples))
    np.subtract(scores, np.maximum.reduce(scores, axis=0), out=gradient)
    log_of_true = gradient[true_class]
    np.exp(gradient, out=gradient)
    total = np.add.reduce(gradient, axis=0)
    loss = float(np.add.reduce(np.log(total)) - np.add.reduce(log_of_true)) / examples
    np.divide(gradient, total * examples, out=gradient)
    gradient[true_class] -= 1.0 / examples
    return loss


def _mean_squared_error(outputs: FloatArray, targets: FloatArray, out: FloatArray) -> float:
    """Squared error, mean over all entries; gradient 2 (outputs − targets) / entries."""
    np.subtract(outputs, targets, out=out)
    loss = float(np.square(out).mean())
    np.multiply(out, 2.0 / out.size, out=out)
    return loss


def _check_labels(labels: ArrayLike, examples: int, n_outputs: int) -> NDArray[Any]:
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"labels must be integers, got dtype {array.dtype}. Pass class numbers 0 to "
            f"{n_outputs - 1}, e.g. labels.astype(int), or loss='mse' for real targets."
        )
    if array.shape != (examples,):
        raise ValueError(
            f"labels must have shape ({examples},), one per example, got {array.shape}. Pass "
            "class numbers, not one-hot rows, e.g. one_hot.argmax(axis=1)."
        )
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= n_outputs:
        wrong = low if low < 0 else high
        raise ValueError(
            f"labels must be within 0 to {n_outputs - 1}, got {wrong}. Give the network one output "
            "per class, or renumber the classes from 0."
        )
    return array


def _check_real_targets(targets: ArrayLike, examples: int, n_outputs: int) -> NDArray[Any]:
    array = finite_rows("targets", targets, n_outputs)
    if len(array) != examples:
        raise ValueError(
            f"targets must have {examples} rows, one per example, got {len(array)}. Slice inputs "
            "and targets alike."
        )
    return array


CROSS_ENTROPY = Loss("cross_entropy", _cross_entropy, _check_labels)
MEAN_SQUARED_ERROR = Loss("mse", _mean_squared_error, _check_real_targets)

LOSSES: Mapping[str, Loss] = MappingProxyType(
    {loss.name: loss for loss in (CROSS_ENTROPY, MEAN_SQUARED_ERROR)}
)


def get_loss(which: str | Loss) -> Loss:
    """Return the loss of that name, or the loss itself.

    Raises ValueError for an unknown name, TypeError for anything else.
    """
    if isinstance(which, Loss):
        return which
    if not isinstance(which, str):
        raise TypeError(
            f"loss must be a name or a Loss, got {which!r}. Pass one of {', '.join(LOSSES)}."
        )
    if which not in LOSSES:
        raise ValueError(
            f"loss must be a known name, got {which!r}. Choose one of {', '.join(LOSSES)}."
        )
    return LOSSES[which]
