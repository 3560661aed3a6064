"""R3: what careful initial weights rescue, and what happens after a careful start.

Networks of 20 layers, 64 units wide, on the digits, float32. "Careful" is Xavier for tanh and
sigmoid, He for ReLU. The late explosion is that of lesson 05: ten ReLU layers, learning rate 0.25.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from course_utils.claims.claim import Claim, Part
from course_utils.datasets import Digits, load_digits
from course_utils.floats import first_nan
from course_utils.network import MLP
from course_utils.training import SGD, History, train

DEPTH, STEPS, BATCH = 20, 200, 32
LATE_DEPTH, LATE_STEPS, LATE_RATE = 10, 600, 0.25
_MOST_NETS = 30  # each learns first and turns NaN later with a chance near 0.4


def start_not_path(seed: int) -> dict[str, float]:
    """R3: vanishing and exploding starts, with and without careful weights; a late explosion."""
    return {
        "small_accuracy": _trained_accuracy("tanh", "normal", 0.01, 0.05, seed),
        "xavier_accuracy": _trained_accuracy("tanh", "xavier", 1.0, 0.05, seed),
        "sigmoid_accuracy": _trained_accuracy("sigmoid", "xavier", 1.0, 0.5, seed),
        "large_nan_step": _large_nan_step(seed),
        "he_accuracy": _trained_accuracy("relu", "he", 1.0, 0.015, seed),
        **_learns_then_nan(seed),
    }


@cache
def _digits() -> Digits:
    return load_digits(standardised=True, dtype="float32")


def _net(
    depth: int, activation: str, init: str, gain: float = 1.0, *, rng: np.random.Generator
) -> MLP:
    widths = (*[64] * depth, 10)
    return MLP(widths, activation=activation, init=init, gain=gain, dtype="float32", rng=rng)


def _trained_accuracy(
    activation: str, init: str, gain: float, learning_rate: float, seed: int
) -> float:
    rng = np.random.default_rng(seed)
    net = _net(DEPTH, activation, init, gain, rng=rng)
    _train(net, learning_rate, steps=STEPS, rng=rng)
    return net.accuracy(*_digits().test)


def _large_nan_step(seed: int) -> float:
    rng = np.random.default_rng(seed)
    net = _net(DEPTH, "relu", "he", 1.5, rng=rng)
    step = first_nan(_train(net, 0.015, steps=20, rng=rng).loss)
    return math.nan if step is None else step


def _learns_then_nan(seed: int) -> dict[str, float]:
    """The first of this seed's He networks that learns and later turns NaN; then it, clipped."""
    for number in range(_MOST_NETS):
        history = _late_run(seed, number)[1]
        nan_step = first_nan(history.loss)
        accuracy = history["accuracy"][:nan_step]
        best = max(np.convolve(accuracy, np.full(10, 0.1), mode="valid"), default=0.0)
        if nan_step is not None and nan_step >= 100 and best >= 0.9:
            gradients = history["grad_hidden_norm"][0]
            clipped, _ = _late_run(seed, number, clip_norm=1.0)
            return {
                "nets_tried": number + 1,
                "start_ratio": float(gradients[0] / gradients[-2]),  # [-1] is that of the scores
                "late_accuracy": float(best),
                "late_nan_step": nan_step,
                "clipped_accuracy": clipped.accuracy(*_digits().test),
            }
    names = ("start_ratio", "late_accuracy", "late_nan_step", "clipped_accuracy")
    return {"nets_tried": math.inf} | dict.fromkeys(names, math.nan)


def _late_run(seed: int, number: int, *, clip_norm: float | None = None) -> tuple[MLP, History]:
    rng = np.random.default_rng([seed, number])
    net = _net(LATE_DEPTH, "relu", "he", rng=rng)
    history = _train(net, LATE_RATE, steps=LATE_STEPS, clip_norm=clip_norm, rng=rng)
    return net, history


def _train(
    net: MLP,
    learning_rate: float,
    *,
    steps: int,
    rng: np.random.Generator,
    clip_norm: float | None = None,
) -> History:
    return train(
        net,
        _digits().train,
        steps=steps,
        batch_size=BATCH,
        optimizer=SGD(learning_rate, clip_norm=clip_norm),
        rng=rng,
        record=("accuracy", "grad_hidden_norm"),
    )


CLAIMS = (
    Claim(
        id="R3",
        measure=start_not_path,
        parts=(
            Part(
                "helps_vanishing",
                "20 tanh layers with weights of std 0.01 stay below 20 % test accuracy; with "
                "Xavier's weights they exceed 85 %",
                lambda f: f["small_accuracy"] < 0.2 and f["xavier_accuracy"] > 0.85,
                claimed=True,
                expected=True,
            ),
            Part(
                "helps_exploding_start",
                "20 ReLU layers with 1.5 times He are NaN within ten steps; with He they exceed "
                "40 %",
                lambda f: f["large_nan_step"] < 10 and f["he_accuracy"] > 0.4,
                claimed=True,
                expected=True,
            ),
            Part(
                "explodes_later",
                "some networks that start level with He's weights learn to 90 %, and turn NaN "
                "100 steps or more after the start",
                lambda f: (
                    0.1 < f["start_ratio"] < 10
                    and f["late_accuracy"] >= 0.9
                    and f["late_nan_step"] >= 100
                ),
                claimed=True,
                expected=True,
            ),
            Part(
                "clipping_holds_it",
                "the same network on the same batches, clipped at norm 1, exceeds 90 % in the end",
                lambda f: f["clipped_accuracy"] > 0.9,
                claimed=False,
                expected=True,
            ),
            Part(
                "rescues_every_vanishing",
                "Xavier's weights lift 20 sigmoid layers above 20 %",
                lambda f: f["sigmoid_accuracy"] > 0.2,
                claimed=False,
                expected=False,
            ),
        ),
        evidence="Test accuracy of 20 tanh layers after 200 steps: {small_accuracy:.0%} with "
        "weights of std 0.01, {xavier_accuracy:.0%} with Xavier. 20 sigmoid layers with Xavier: "
        "{sigmoid_accuracy:.0%}. 20 ReLU layers, 1.5 times He: NaN at step {large_nan_step}; with "
        "He {he_accuracy:.0%}. Ten layers, He, learning rate 0.25: the gradient at the input is "
        "{start_ratio:.1f} times that at the last hidden layer; of the networks drawn from one "
        "seed, number {nets_tried} first "
        "learned to {late_accuracy:.0%} and turned NaN at step {late_nan_step}. Clipped at "
        "norm 1: {clipped_accuracy:.0%} on the test set.",
        instead="The initial weights set the start, not the path. Nor do they rescue every "
        "vanishing gradient: not that of the sigmoid.",
        lesson="09_initialization",
        cell="09-verdict-r3",
        chaotic=frozenset(
            {
                "xavier_accuracy",
                "he_accuracy",
                "nets_tried",
                "start_ratio",
                "late_accuracy",
                "late_nan_step",
                "clipped_accuracy",
            }
        ),
    ),
)
