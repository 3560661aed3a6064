"""The recall task: one letter to remember, then a delay full of other letters."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from course_utils.arrays import FloatArray, IntArray, float_dtype, positive_int, random_generator

LETTERS = 4  # A–D are to be remembered, E–H fill the delay
GUESSING_LOSS = math.log(LETTERS)  # of who gives each of the four the probability 1/4, in nats
GUESSING_ACCURACY = 1 / LETTERS


class Sequences(NamedTuple):
    """inputs (examples, delay + 1, 2 · LETTERS), one-hot; labels (examples,), 0 … LETTERS − 1."""

    inputs: FloatArray
    labels: IntArray


def recall_task(
    examples: int, delay: int, *, rng: np.random.Generator, dtype: DTypeLike = np.float64
) -> Sequences:
    """Draw sequences: a letter A–D, then delay letters E–H. The label is the first letter.

    Every letter is drawn evenly and independently, so that after the first step nothing tells the
    label: without memory the loss is at best GUESSING_LOSS, with it 0.
    In the manner of the long-lag tasks of Hochreiter & Schmidhuber (1997), §5.
    """
    shape = (
        positive_int("examples", examples, "Pass the number of sequences."),
        positive_int("delay", delay, "Pass the steps between letter and answer, e.g. delay=30."),
    )
    letters = random_generator(rng).integers(0, LETTERS, (shape[0], shape[1] + 1))
    labels = letters[:, 0].copy()
    letters[:, 1:] += LETTERS
    return Sequences(np.eye(2 * LETTERS, dtype=float_dtype(dtype))[letters], labels)
