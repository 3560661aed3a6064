"""R1: what fewer layers do to a network that vanishes, and to one that explodes.

Networks 64 units wide, on the digits, 200 steps in float32. "Vanishing": sigmoid, Xavier, learning
rate 0.5. "Exploding": ReLU, weights 1.5 times as large as He's, learning rate 0.05.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from course_utils.claims.claim import Claim, Part
from course_utils.datasets import Digits, load_digits
from course_utils.floats import first_nan
from course_utils.network import MLP
from course_utils.training import SGD, train

STEPS = 200
EXAMPLES = 64  # on which the gradient's factor is measured
_VANISHING: dict[str, Any] = {"activation": "sigmoid"}
_EXPLODING: dict[str, Any] = {"activation": "relu", "init": "he", "gain": 1.5}


def fewer_layers(seed: int) -> dict[str, float]:
    """R1: accuracy and first NaN by depth; the factor of one layer; other ways in and out."""
    sigmoid = {depth: _trained(depth, 0.5, seed, **_VANISHING) for depth in (2, 5, 20)}
    relu = {depth: _trained(depth, 0.05, seed, **_EXPLODING) for depth in (2, 5, 20)}
    larger = _trained(5, 0.05, seed, **_EXPLODING | {"gain": 8.0})
    tanh = _trained(20, 0.05, seed, activation="tanh")
    return {
        **{f"sigmoid_{depth}": accuracy for depth, (accuracy, _) in sigmoid.items()},
        **{f"relu_{depth}": relu[depth][0] for depth in (2, 5)},
        "nan_step_20": relu[20][1],
        "sigmoid_factors": _factor(5, seed, **_VANISHING) / _factor(20, seed, **_VANISHING),
        "relu_factors": _factor(5, seed, **_EXPLODING) / _factor(20, seed, **_EXPLODING),
        "nan_step_5_larger": larger[1],
        "tanh_20": tanh[0],
    }


def layer_factor(net: MLP) -> float:
    """What a hidden layer multiplies ∂L/∂h by, from the latest pass: the geometric mean."""
    norms = net.signals.grad_hidden.norms()[:-1]  # the last is that of the scores
    return float((norms[0] / norms[-1]) ** (1 / (len(norms) - 1)))


@cache
def _digits() -> Digits:
    return load_digits(dtype="float32")


def _net(depth: int, rng: np.random.Generator, settings: dict[str, Any]) -> MLP:
    return MLP((64, *[64] * (depth - 1), 10), dtype="float32", rng=rng, **settings)


def _trained(depth: int, lr: float, seed: int, **settings: Any) -> tuple[float, float]:
    """Test accuracy after training, and the first step whose loss is NaN (NaN if none is)."""
    rng = np.random.default_rng(seed)
    net = _net(depth, rng, settings)
    history = train(
        net,
        _digits().train,
        steps=STEPS,
        batch_size=64,
        optimizer=SGD(lr),
        rng=rng,
        record=(),
    )
    step = first_nan(history.loss)
    if step is not None:
        return math.nan, step
    return net.accuracy(*_digits().test), math.nan


def _factor(depth: int, seed: int, **settings: Any) -> float:
    net = _net(depth, np.random.default_rng(seed), settings)
    net.loss_and_gradients(*_digits().train.take(slice(EXAMPLES)))
    return layer_factor(net)


CLAIMS = (
    Claim(
        id="R1",
        measure=fewer_layers,
        parts=(
            Part(
                "cures_vanishing",
                "vanishing: 2 sigmoid layers get over 80 % of new digits right, 20 less than 30 %",
                lambda f: f["sigmoid_2"] > 0.8 and f["sigmoid_20"] < 0.3,
                claimed=True,
                expected=True,
            ),
            Part(
                "cures_exploding",
                "exploding: with 1.5 · He, 2 ReLU layers get over 80 % right, 20 turn NaN within "
                "five steps",
                lambda f: f["relu_2"] > 0.8 and f["nan_step_20"] < 5,
                claimed=True,
                expected=True,
            ),
            Part(
                "layer_changed",
                "in the shallower network a layer multiplies the gradient by another factor: 5 "
                "layers and 20 differ by more than 15 %",
                lambda f: (
                    not all(
                        1 / 1.15 < f[name] < 1.15 for name in ("sigmoid_factors", "relu_factors")
                    )
                ),
                claimed=False,
                expected=False,
            ),
            Part(
                "five_are_few_enough",
                "5 layers are few enough for both: over 80 % of new digits right",
                lambda f: min(f["sigmoid_5"], f["relu_5"]) > 0.8,
                claimed=False,
                expected=False,
            ),
            Part(
                "few_are_safe",
                "5 ReLU layers, which learn with 1.5 · He, are safe with 8 · He as well",
                lambda f: not f["nan_step_5_larger"] < 20,
                claimed=False,
                expected=False,
            ),
            Part(
                "depth_can_stay",
                "20 layers can learn as they are: with tanh for sigmoid they get over half right",
                lambda f: f["tanh_20"] > 0.5,
                claimed=False,
                expected=True,
            ),
        ),
        evidence="Test accuracy with 2, 5 and 20 sigmoid layers: {sigmoid_2:.0%}, {sigmoid_5:.0%}, "
        "{sigmoid_20:.0%}; with 2 and 5 ReLU layers at 1.5 · He: {relu_2:.0%}, {relu_5:.0%}; 20 "
        "turn NaN at step {nan_step_20:.0f}. The factor of a layer in 5 layers is "
        "{sigmoid_factors:.2f} times that in 20 (sigmoid) and {relu_factors:.2f} times (ReLU). "
        "At 8 · He, 5 ReLU layers turn NaN at step {nan_step_5_larger:.0f}. 20 tanh layers: "
        "{tanh_20:.0%}.",
        instead="It works by making the product short. What one layer does to the gradient stays "
        "as it was, so how few layers are few enough depends on the layer.",
        lesson="07_depth_and_activation",
        cell="07-fewer-verdict",
        chaotic=frozenset(
            {
                *("sigmoid_2", "sigmoid_5", "sigmoid_20", "relu_2", "relu_5", "tanh_20"),
                *("nan_step_20", "nan_step_5_larger"),
            }
        ),
    ),
)
