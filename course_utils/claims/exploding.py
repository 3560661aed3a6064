"""E1 to E5: what a training run looks like from inside while it explodes.

Networks of 20 ReLU layers, 64 units wide, on the digits. "Exploding": weights 1.5 times as large as
He's. The learning rate is small, 0.001, so that the way to NaN takes more than one step.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from course_utils.claims.claim import Claim, Part
from course_utils.datasets import Digits, Examples, load_digits
from course_utils.floats import first_nan
from course_utils.network import MLP
from course_utils.training import SGD, History, train

_WIDTHS = (64, *[64] * 19, 10)
_SHALLOWER = (64, *[64] * 9, 10)
_MOST_NETS = 30  # each learns first and turns NaN later with a chance near 0.4: 30 failures, 1e-7


def large_changes(seed: int) -> dict[str, float]:
    """E1: the loss from step to step, 1.5 · He beside He."""
    exploding, healthy = (_run(gain, seed)[1].loss for gain in (1.5, 1.0))
    return {
        "least_change": _least_factor(exploding),
        "largest_change_he": float(np.max(_factors(healthy))),
    }


def soon_nan(seed: int) -> dict[str, float]:
    """E2: when the NaN comes, or does not: 1.5 · He, tanh with four times Xavier, He too fast."""
    _, history = _run(1.5, seed)
    rng = np.random.default_rng(seed)
    saturating = MLP(_WIDTHS, activation="tanh", init="xavier", gain=4, rng=rng)
    record = ("grad_hidden_norm",)
    tanh = _train(saturating, 0.01, steps=30, record=record, rng=rng)
    backward = tanh["grad_hidden_norm"][0]
    return {
        "nan_step": _first_nan_step(history),
        "tanh_growth": float(backward[0] / backward[-2]),  # [-1] is that of the scores
        "tanh_finite": float(np.isfinite(tanh.loss).mean()),
        **_learns_then_nan(np.random.default_rng(seed)),
    }


def large_weights(seed: int) -> dict[str, float]:
    """E3: the norm of the largest layer's weights, until it is no number."""
    net, history = _run(1.5, seed)
    healthy = _run(1.0, seed)[1]["weight_norm"].max(axis=1)
    largest = history["weight_norm"].max(axis=1)
    finite = largest[np.isfinite(largest)]
    return {
        "norm_at_start": float(largest[0]),
        "last_finite_norm": float(finite[-1]),
        "nan_weights": float(np.isnan(net.parameters).mean()),
        "he_growth": float(np.max(healthy) / healthy[0]),
    }


def constant_derivatives(seed: int) -> dict[str, float]:
    """E4: the gradient from step to step; the output error; after the NaN; under clipping."""
    net, history = _run(1.5, seed)
    clipped = _run(1.5, seed, steps=20, clip_norm=1.0)[1]["update_norm"]
    updates = np.sqrt((clipped**2).sum(axis=1))
    return {
        "least_change": _least_factor(history["global_norm"]),
        "frozen_errors": _frozen_share(1.5, seed),
        "frozen_errors_he": _frozen_share(1.0, seed),
        "nan_gradients": float(np.isnan(net.gradients).mean()),
        "clipped_spread": float(np.ptp(updates) / updates.mean()),
    }


def no_learning(seed: int) -> dict[str, float]:
    """E5: accuracy on the training data, for 150 and 1500 examples; what He and patience give."""
    everything = _digits("float32").train
    few = everything.take(slice(150))
    return {
        "accuracy_150": _trained_accuracy(1.5, 0.02, few, seed),
        "accuracy_1500": _trained_accuracy(1.5, 0.02, everything, seed),
        "accuracy_he": _trained_accuracy(1.0, 0.02, everything, seed),
        "accuracy_tiny_steps": _trained_accuracy(1.5, 1e-5, everything, seed),
    }


@cache
def _digits(dtype: str) -> Digits:
    return load_digits(standardised=True, dtype=dtype)


def _run(
    gain: float, seed: int, *, steps: int = 8, clip_norm: float | None = None
) -> tuple[MLP, History]:
    rng = np.random.default_rng(seed)
    net = MLP(_WIDTHS, activation="relu", init="he", gain=gain, rng=rng)
    record = ("weight_norm", "global_norm", "update_norm")
    history = _train(net, 1e-3, steps=steps, record=record, clip_norm=clip_norm, rng=rng)
    return net, history


def _train(
    net: MLP,
    learning_rate: float,
    *,
    steps: int,
    record: tuple[str, ...],
    rng: np.random.Generator,
    clip_norm: float | None = None,
) -> History:
    optimizer = SGD(learning_rate, clip_norm=clip_norm)
    data = _digits("float64").train
    return train(
        net, data, steps=steps, batch_size=128, optimizer=optimizer, rng=rng, record=record
    )


def _factors(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """By which factor each finite size differs from the one before, always >= 1."""
    finite = sizes[np.isfinite(sizes)]
    return 10 ** np.abs(np.diff(np.log10(finite)))


def _least_factor(sizes: NDArray[np.float64]) -> float:
    return float(np.min(_factors(sizes)))


def _first_nan_step(history: History) -> float:
    step = first_nan(history.loss)
    return math.nan if step is None else step


def _frozen_share(gain: float, seed: int) -> float:
    """Of the entries of p − y at the start: the share within 1e-6 of −1, 0 or 1."""
    rng = np.random.default_rng(seed)
    net = MLP(_WIDTHS, activation="relu", init="he", gain=gain, rng=rng)
    inputs, labels = _digits("float64").train
    scores = net.outputs(inputs)
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    error = chances / chances.sum(axis=1, keepdims=True) - np.eye(10)[labels]
    return float(np.mean(np.abs(error - np.round(error)) < 1e-6))


def _learns_then_nan(rng: np.random.Generator) -> dict[str, float]:
    """Draw one He network after the other until one learns first and turns NaN later."""
    data = _digits("float32").train
    for tried in range(1, _MOST_NETS + 1):
        net = MLP(_SHALLOWER, activation="relu", init="he", dtype="float32", rng=rng)
        best, loss = 0.0, np.empty(0)
        while len(loss) < 800 and np.isfinite(loss).all():
            history = train(
                net,
                data,
                steps=200,
                batch_size=32,
                optimizer=SGD(0.25),
                rng=rng,
                record=("accuracy",),
            )
            loss = np.append(loss, history.loss)
            finite = history["accuracy"][np.isfinite(history.loss)]
            best = max(best, *_means_of_ten(finite))
        nan_step = first_nan(loss)
        if best >= 0.9 and nan_step is not None and nan_step >= 200:
            return {"nets_tried": tried, "late_accuracy": best, "late_nan_step": nan_step}
    return {"nets_tried": math.inf, "late_accuracy": math.nan, "late_nan_step": math.nan}


def _means_of_ten(accuracy: NDArray[np.float64]) -> list[float]:
    """The mean accuracy of every ten batches in a row, 320 digits; 0 if there are fewer."""
    if len(accuracy) < 10:
        return [0.0]
    return [float(mean) for mean in np.convolve(accuracy, np.full(10, 0.1), mode="valid")]


def _trained_accuracy(gain: float, learning_rate: float, data: Examples, seed: int) -> float:
    rng = np.random.default_rng(seed)
    net = MLP(_WIDTHS, activation="relu", init="he", gain=gain, dtype="float32", rng=rng)
    optimizer = SGD(learning_rate)
    for steps in (10, 190):
        # no step can change a weight that is NaN, so there the rest need not be run
        if not np.isnan(net.parameters).all():
            train(net, data, steps=steps, batch_size=64, optimizer=optimizer, rng=rng, record=())
    with np.errstate(over="ignore", invalid="ignore"):
        return net.accuracy(*data)


CLAIMS = (
    Claim(
        id="E1",
        measure=large_changes,
        parts=(
            Part(
                "every_step_is_large",
                "until it is NaN, the loss of an exploding network changes at least fivefold in "
                "every step",
                lambda f: f["least_change"] >= 5,
                claimed=True,
                expected=True,
            ),
            Part(
                "healthy_steps_are_small",
                "with He, at the same learning rate, no step changes the loss by half",
                lambda f: f["largest_change_he"] < 1.5,
                claimed=False,
                expected=True,
            ),
        ),
        evidence="20 ReLU layers, 1.5 times He, learning rate 0.001: the smallest change of the "
        "loss in a step is by a factor of {least_change:.2g}. With He the largest is by a factor "
        "of {largest_change_he:.2f}.",
        instead="",
        lesson="05_exploding",
        cell="05-verdict-e1",
    ),
    Claim(
        id="E2",
        measure=soon_nan,
        parts=(
            Part(
                "soon",
                "with 1.5 times He the loss is NaN within ten steps",
                lambda f: f["nan_step"] < 10,
                claimed=True,
                expected=True,
            ),
            Part(
                "always",
                "a tanh network whose gradient grows more than a thousandfold on its way back "
                "turns NaN too",
                lambda f: f["tanh_growth"] > 1e3 and f["tanh_finite"] < 1,
                claimed=False,
                expected=False,
            ),
            Part(
                "late",
                "with He and learning rate 0.25 some networks learn to 90 % accuracy, and turn "
                "NaN more than 200 steps after the start",
                lambda f: f["late_accuracy"] >= 0.9 and f["late_nan_step"] >= 200,
                claimed=False,
                expected=True,
            ),
        ),
        evidence="1.5 times He: NaN at step {nan_step}. tanh, four times Xavier: the gradient "
        "grows by a factor of {tanh_growth:.0f}, and {tanh_finite:.0%} of the losses are finite. "
        "He, learning rate 0.25: of the networks drawn from one seed, number {nets_tried} first "
        "learned to {late_accuracy:.0%} and then turned NaN, at step {late_nan_step}.",
        instead="But not always, and not always soon: tanh holds its units within ±1 and stays "
        "finite, and a step that is a little too large can end a good network after hundreds of "
        "steps.",
        lesson="05_exploding",
        cell="05-verdict-e2",
        chaotic=frozenset({"nets_tried", "late_accuracy", "late_nan_step"}),
    ),
    Claim(
        id="E3",
        measure=large_weights,
        parts=(
            Part(
                "grow_very_large",
                "the norm of the largest layer's weights grows more than a billionfold",
                lambda f: f["last_finite_norm"] > 1e9 * f["norm_at_start"],
                claimed=True,
                expected=True,
            ),
            Part(
                "become_nan",
                "some weights become NaN",
                lambda f: f["nan_weights"] > 0,
                claimed=True,
                expected=True,
            ),
            Part(
                "only_some",
                "some weights are still numbers after eight steps",
                lambda f: f["nan_weights"] < 1,
                claimed=False,
                expected=False,
            ),
            Part(
                "healthy_stay",
                "with He the largest norm grows by more than 1 % in those steps",
                lambda f: f["he_growth"] > 1.01,
                claimed=False,
                expected=False,
            ),
        ),
        evidence="The largest layer's norm is {norm_at_start:.0f} at the start and "
        "{last_finite_norm:.0e} when it is last a number. After eight steps {nan_weights:.0%} of "
        "the weights are NaN. With He the norm grows by a factor of {he_growth:.3f}.",
        instead="No weight becomes NaN alone: all of them do.",
        lesson="05_exploding",
        cell="05-verdict-e3",
    ),
    Claim(
        id="E4",
        measure=constant_derivatives,
        parts=(
            Part(
                "constant",
                "from one step to the next the gradient's norm changes less than twofold",
                lambda f: f["least_change"] < 2,
                claimed=True,
                expected=False,
            ),
            Part(
                "constant_once_nan",
                "after eight steps every derivative is NaN",
                lambda f: f["nan_gradients"] == 1,
                claimed=False,
                expected=True,
            ),
            Part(
                "output_error_frozen",
                "at the start more than 95 % of the output errors p − y are −1, 0 or 1 to six "
                "digits; with He less than 1 %",
                lambda f: f["frozen_errors"] > 0.95 and f["frozen_errors_he"] < 0.01,
                claimed=False,
                expected=True,
            ),
            Part(
                "norm_constant_when_clipped",
                "clipped at norm 1, all steps have the same length within 1 %",
                lambda f: f["clipped_spread"] < 0.01,
                claimed=False,
                expected=True,
            ),
        ),
        evidence="Until it is NaN, the smallest change of the gradient's norm in a step is by a "
        "factor of {least_change:.2g}. After eight steps {nan_gradients:.0%} of the derivatives "
        "are NaN. Output errors of −1, 0 or 1 at the start: {frozen_errors:.1%}, with He "
        "{frozen_errors_he:.2%}. Clipped steps differ in length by {clipped_spread:.2%}.",
        instead="They jump by orders of magnitude. Only the output error is frozen, the norm "
        "under clipping, and everything once it is NaN.",
        lesson="05_exploding",
        cell="05-verdict-e4",
    ),
    Claim(
        id="E5",
        measure=no_learning,
        parts=(
            Part(
                "bad_in_training",
                "after 200 steps on 150 examples less than 20 % of these are classified rightly",
                lambda f: f["accuracy_150"] < 0.2,
                claimed=True,
                expected=True,
            ),
            Part(
                "more_data_does_not_help",
                "with ten times the data it is still less than 20 %",
                lambda f: f["accuracy_1500"] < 0.2,
                claimed=True,
                expected=True,
            ),
            Part(
                "he_learns",
                "with He it is more than 50 %",
                lambda f: f["accuracy_he"] > 0.5,
                claimed=False,
                expected=True,
            ),
            Part(
                "tiny_steps_learn",
                "with 1.5 times He and steps 2,000 times smaller it is more than 20 %",
                lambda f: f["accuracy_tiny_steps"] > 0.2,
                claimed=False,
                expected=True,
            ),
        ),
        evidence="Accuracy in training with 1.5 times He, learning rate 0.02: {accuracy_150:.0%} "
        "with 150 examples, {accuracy_1500:.0%} with 1500: all NaN, all called 0. With He "
        "{accuracy_he:.0%}. 1.5 times He at learning rate 0.00001: {accuracy_tiny_steps:.0%}.",
        instead="It is the step that does not suit the gradient: with a far smaller one the same "
        "network learns, slowly.",
        lesson="05_exploding",
        cell="05-verdict-e5",
        chaotic=frozenset({"accuracy_he", "accuracy_tiny_steps"}),
    ),
)
