"""The 8×8 digits: real data that ships with the package. Nothing is ever downloaded."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from course_utils.arrays import FloatArray, IntArray, float_dtype

N_TRAIN = 1500
N_CLASSES = 10


class Examples(NamedTuple):
    """Inputs, (examples, features), and what they are, (examples,): unpacks as a pair."""

    inputs: FloatArray
    labels: IntArray

    def take(self, rows: slice | NDArray[Any]) -> Examples:
        """Return only these rows, e.g. ``digits.train.take(slice(100))``."""
        return Examples(self.inputs[rows], self.labels[rows])


class Digits(NamedTuple):
    """1500 training and 297 test images of handwritten digits."""

    train: Examples
    test: Examples


def load_digits(
    *, seed: int = 0, standardised: bool = False, dtype: DTypeLike = np.float64
) -> Digits:
    """Return the digits, split into 1500 training and 297 test images.

    seed: which split; the same seed gives the same one everywhere.
    standardised: False gives ink from 0 to 1; True subtracts each pixel's training mean, then
    divides all by one number, so that the training inputs' mean square is 1. Pixels that never
    hold ink stay exactly 0 either way, and so do the gradients of their weights.
    dtype: float64 or float32.
    inputs: (examples, 64), an 8×8 image by rows. labels: (examples,) int64, 0 to 9.
    Source: UCI Optical Recognition of Handwritten Digits (Alpaydin & Kaynak 1998), CC BY 4.0; see
    course_utils/data/README.md.
    """
    pixels, labels = _stored_digits()
    order = np.random.default_rng(seed).permutation(len(labels))
    inputs = pixels[order].reshape(-1, 64) / 16.0
    if standardised:
        inputs -= inputs[:N_TRAIN].mean(axis=0)
        inputs /= np.sqrt(np.mean(inputs[:N_TRAIN] ** 2))
    inputs = inputs.astype(float_dtype(dtype), copy=False)
    labels = labels[order].astype(np.int64)
    return Digits(
        Examples(inputs[:N_TRAIN], labels[:N_TRAIN]), Examples(inputs[N_TRAIN:], labels[N_TRAIN:])
    )


@cache
def _stored_digits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with (files("course_utils") / "data" / "digits.npz").open("rb") as file, np.load(file) as data:
        return data["pixels"], data["labels"]
