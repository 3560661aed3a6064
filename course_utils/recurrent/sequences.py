"""What sequences and their targets must be, and the loss of one against the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import FloatArray, finite_rows
from course_utils.losses import Loss


def check_sequences(inputs: ArrayLike, features: int) -> NDArray[Any]:
    """Return inputs as a real, finite array (examples, steps, features) with no axis empty.

    Raises TypeError for what is not real numbers, ValueError for a wrong shape, NaN or inf.
    """
    array = np.asarray(inputs)
    if array.ndim != 3 or array.shape[2] != features or not array.size:
        raise ValueError(
            f"inputs must have shape (examples, steps, {features}), got {array.shape}. Put one "
            "sequence in each block: its steps as rows, its features as columns."
        )
    examples, steps, _ = array.shape
    try:
        finite_rows("inputs", array.reshape(examples * steps, features), features)
    except ValueError:
        example, step, feature = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"inputs must be finite, got {array[example, step, feature]} in example {example}, "
            f"step {step}, feature {feature}. Drop or repair that sequence before training."
        ) from None
    return array


def check_targets(targets: ArrayLike, outputs: tuple[int, ...], loss: Loss) -> NDArray[Any]:
    """Return targets as an array that fits outputs of that shape, or raise.

    Labels have the shape of outputs without its last axis; real values have its shape.
    """
    array = np.asarray(targets)
    *places, n_outputs = outputs
    wanted = tuple(places) if loss.name == "cross_entropy" else outputs
    if array.shape != wanted:
        raise ValueError(
            f"targets must have shape {wanted}, got {array.shape}. Pass one target for each "
            "output that is read."
        )
    flat = array.reshape(-1, *array.shape[len(places) :])
    loss.check_targets(flat, len(flat), n_outputs)
    return array


def loss_of_outputs(
    loss: Loss, outputs: FloatArray, targets: NDArray[Any]
) -> tuple[float, FloatArray]:
    """Return the mean loss over all that was read out, and its gradient in outputs' own shape."""
    rows = outputs.reshape(-1, outputs.shape[-1])
    gradient = np.empty_like(rows)
    one_a_row = targets.reshape(len(rows), *targets.shape[outputs.ndim - 1 :])
    value = loss.value_and_gradient(rows, one_a_row, gradient)
    return value, gradient.reshape(outputs.shape)
