"""R2: what clipping does to a run that explodes, and to one that vanishes.

"Exploding": ten ReLU layers, 64 units wide, weights 1.5 times He's, learning rate 0.1, 150 steps.
"Vanishing": twenty sigmoid layers, Xavier, learning rate 0.5, 60 steps. On the digits, in float32.
What begins with an explosion is chaotic: its accuracy differs from one machine to the next.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from course_utils.claims.claim import Claim, Figures, Part
from course_utils.datasets import Digits, load_digits
from course_utils.floats import first_nan
from course_utils.network import MLP
from course_utils.norms import degrees_between
from course_utils.training import SGD, History, clip_by_norm, clip_by_value, train

# The accuracy with each threshold of the norm, by the name of its figure.
THRESHOLDS = {f"clip_1e{power}": 10.0**power for power in range(-2, 5)}
FIXED_RATES = (3e-3, 1e-2)
BY_NORM, BY_VALUE = 10.0, 0.1
_STEPS = 150
_WIDTHS = (*[64] * 10, 10)


def clipping(seed: int) -> dict[str, float]:
    """R2: accuracy with each threshold, without clipping, and a vanished gradient clipped."""
    runs = {name: _exploding(SGD(0.1, clip_norm=c), seed) for name, c in THRESHOLDS.items()}
    clipped, loose = runs["clip_1e1"][1], runs["clip_1e4"][1]
    chosen_threshold = float(np.median(runs["clip_1e0"][1]["global_norm"][_STEPS // 2 :]))
    chosen, _ = _exploding(SGD(0.1, clip_norm=chosen_threshold), seed)
    _, unclipped = _exploding(SGD(0.1), seed, steps=10)
    nan_step = first_nan(unclipped.loss)
    return {
        "nan_step": math.nan if nan_step is None else nan_step,
        **{name: _accuracy(net) for name, (net, _) in runs.items()},
        "chosen_threshold": chosen_threshold,
        "chosen": _accuracy(chosen),
        "by_value": _accuracy(_exploding(SGD(0.1, clip_value=BY_VALUE), seed)[0]),
        "fixed_rate": max(_accuracy(_exploding(SGD(rate), seed)[0]) for rate in FIXED_RATES),
        "share_clipped": float(np.mean(clipped["global_norm"] > BY_NORM)),
        "loose_finite": float(np.isfinite(loose.loss).mean()),
        **turned(seed),
        **vanished(seed),
    }


def turned(seed: int) -> dict[str, float]:
    """By how many degrees clipping by value and by norm turn the first gradient."""
    net, _ = _net(seed)
    net.loss_and_gradients(*_digits().train.take(slice(64)))
    return {
        "value_turns": degrees_between(net.gradients, clip_by_value(net.gradients, BY_VALUE)),
        "norm_turns": degrees_between(net.gradients, clip_by_norm(net.gradients, BY_NORM)),
    }


def vanished(seed: int) -> dict[str, float]:
    """Two sigmoid nets alike, one of them trained with clipping: where do they end?"""
    nets, norms = [], np.empty(0)
    for clip_norm in (None, BY_NORM):
        rng = np.random.default_rng(seed)
        net = MLP([64] * 20 + [10], activation="sigmoid", dtype="float32", rng=rng)
        optimizer = SGD(0.5, clip_norm=clip_norm)
        norms = _train(net, optimizer, steps=60, rng=rng)["global_norm"]
        nets.append(net)
    return {
        "sigmoid_share_clipped": float(np.mean(norms > BY_NORM)),
        "sigmoid_difference": float(np.abs(nets[0].parameters - nets[1].parameters).max()),
        "sigmoid_loss": nets[1].loss_of(*_digits().train),
    }


@cache
def _digits() -> Digits:
    return load_digits(standardised=True, dtype="float32")


def _net(seed: int) -> tuple[MLP, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return MLP(_WIDTHS, activation="relu", init="he", gain=1.5, dtype="float32", rng=rng), rng


def _exploding(optimizer: SGD, seed: int, *, steps: int = _STEPS) -> tuple[MLP, History]:
    net, rng = _net(seed)
    return net, _train(net, optimizer, steps=steps, rng=rng)


def _train(net: MLP, optimizer: SGD, *, steps: int, rng: np.random.Generator) -> History:
    return train(
        net,
        _digits().train,
        steps=steps,
        batch_size=64,
        optimizer=optimizer,
        rng=rng,
        record=("global_norm",),
    )


def _accuracy(net: MLP) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return net.accuracy(*_digits().test)


def _by_threshold(figures: Figures) -> list[float]:
    return [figures[name] for name in THRESHOLDS]


CLAIMS = (
    Claim(
        id="R2",
        measure=clipping,
        parts=(
            Part(
                "cures_explosion",
                "without clipping the loss is NaN within ten steps; with the norm clipped at 10 "
                "more than half of the new digits are right",
                lambda f: f["nan_step"] < 10 and f["clip_1e1"] > 0.5,
                claimed=True,
                expected=True,
            ),
            Part(
                "limits_the_values",
                "with each value of the gradient clipped at ±0.1 it is more than half as well",
                lambda f: f["by_value"] > 0.5,
                claimed=True,
                expected=True,
            ),
            Part(
                "not_for_vanishing",
                "a vanished gradient is left as it is: 20 sigmoid layers stay within 0.1 of "
                "ln 10, and clipping at 10 changes not one bit of their weights",
                lambda f: (
                    f["sigmoid_difference"] == 0 and abs(f["sigmoid_loss"] - math.log(10)) < 0.1
                ),
                claimed=True,
                expected=True,
            ),
            Part(
                "any_threshold",
                "every threshold from 0.01 to 10,000 gives more than half",
                lambda f: min(_by_threshold(f)) > 0.5,
                claimed=False,
                expected=False,
            ),
            Part(
                "too_small_is_too_slow",
                "with the threshold 0.01 less than 25 % are right after as many steps",
                lambda f: f["clip_1e-2"] < 0.25,
                claimed=False,
                expected=True,
            ),
            Part(
                "finite_is_not_cured",
                "with the threshold 10,000 the loss is never NaN, and less than 40 % are right",
                lambda f: f["loose_finite"] == 1 and f["clip_1e4"] < 0.4,
                claimed=False,
                expected=True,
            ),
            Part(
                "norms_tell_the_threshold",
                "the median norm in the second half of a run clipped at 1 lies between 5 and "
                "100: around the best threshold",
                lambda f: 5 < f["chosen_threshold"] < 100,
                claimed=False,
                expected=True,
            ),
            Part(
                "a_smaller_rate_does_as_well",
                "without clipping, the learning rate 0.003 or 0.01 does as well as clipping by "
                "norm at 10 or by value at 0.1",
                lambda f: f["fixed_rate"] >= max(f["clip_1e1"], f["by_value"]),
                claimed=False,
                expected=False,
            ),
            Part(
                "by_value_turns",
                "clipped by value the first gradient turns by more than 40°, by norm by less "
                "than 0.01°",
                lambda f: f["value_turns"] > 40 and f["norm_turns"] < 0.01,
                claimed=False,
                expected=True,
            ),
        ),
        evidence="10 ReLU layers, 1.5 times He, learning rate 0.1: NaN at step {nan_step}. New "
        "digits right when the norm is clipped at 0.01: {clip_1e-2:.0%}; at 0.1: "
        "{clip_1e-1:.0%}; 1: {clip_1e0:.0%}; 10: {clip_1e1:.0%}; 100: {clip_1e2:.0%}; 1,000: "
        "{clip_1e3:.0%}; 10,000: {clip_1e4:.0%}; at the median norm of a run clipped at 1, "
        "which is {chosen_threshold:.0f}: {chosen:.0%}. Values clipped at ±0.1: {by_value:.0%}. "
        "The better of two smaller learning rates: {fixed_rate:.0%}. At 10, {share_clipped:.0%} of "
        "the steps are clipped; of 20 sigmoid layers' steps {sigmoid_share_clipped:.0%}, and "
        "their loss is {sigmoid_loss:.2f}. By value the first gradient turns by "
        "{value_turns:.0f}°.",
        instead="The threshold decides: too small is too slow, too large stays finite and learns "
        "nothing. A vanished gradient is below it, and no clipping lengthens a gradient.",
        lesson="08_clipping",
        cell="08-verdict-r2",
        chaotic=frozenset(
            {
                *THRESHOLDS,
                "chosen_threshold",
                "chosen",
                "by_value",
                "fixed_rate",
                "share_clipped",
                "norm_turns",
            }
        ),
    ),
)
