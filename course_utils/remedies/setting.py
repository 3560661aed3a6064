"""One network and how it is trained: what a failure is made of, and what a remedy changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from course_utils.datasets import Digits, load_digits
from course_utils.layers import Stack, deep_net
from course_utils.network import MLP
from course_utils.training import SGD, train

SEEDS = range(12)
WIDTH, STEPS, BATCH_SIZE = 64, 300, 32


@dataclass(frozen=True)
class Setting:
    """The settings of one run. What they do not name is the same in every run of the table.

    depth: layers with weights. activation, init, gain, norm, residual_scale: as in
    layers.deep_net. learning_rate, clip_norm: as in training.SGD.
    """

    depth: int
    activation: str
    init: str
    learning_rate: float
    gain: float = 1.0
    clip_norm: float | None = None
    norm: str | None = None
    residual_scale: float | None = None


class Run(NamedTuple):
    """What one training run came to.

    accuracy: on the 297 test digits in the end, 0 to 1. finite: whether every loss was a number.
    best: the greatest accuracy over ten batches in a row on the way, 0 to 1.
    """

    accuracy: float
    finite: bool
    best: float


def run(setting: Setting, seed: int) -> Run:
    """Train one network for STEPS steps of BATCH_SIZE digits; all its randomness from the seed.

    The same seed gives the same batches in the same order wherever the weights are drawn alike.
    """
    weights_rng, batches_rng = (np.random.default_rng([seed, stream]) for stream in range(2))
    net = _network(setting, rng=weights_rng)
    history = train(
        net,
        _digits().train,
        steps=STEPS,
        batch_size=BATCH_SIZE,
        optimizer=SGD(setting.learning_rate, clip_norm=setting.clip_norm),
        rng=batches_rng,
        record=("accuracy",),
    )
    with np.errstate(over="ignore", invalid="ignore"):  # a net of NaN calls every digit 0
        accuracy = net.accuracy(*_digits().test)
    finite = np.isfinite(history.loss)
    on_the_way = history["accuracy"] * finite
    best = np.convolve(on_the_way, np.full(10, 0.1), mode="valid").max()
    return Run(accuracy, bool(finite.all()), float(best))


def _network(setting: Setting, *, rng: np.random.Generator) -> MLP | Stack:
    widths = (*[WIDTH] * setting.depth, 10)
    activation, init, gain = setting.activation, setting.init, setting.gain
    if setting.norm is None and setting.residual_scale is None:
        return MLP(widths, activation=activation, init=init, gain=gain, dtype="float32", rng=rng)
    return deep_net(
        widths,
        activation=activation,
        norm=setting.norm,
        residual_scale=setting.residual_scale,
        init=init,
        gain=gain,
        dtype="float32",
        rng=rng,
    )


@cache
def _digits() -> Digits:
    return load_digits(standardised=True, dtype="float32")
