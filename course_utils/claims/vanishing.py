"""V1 to V3: what a training run looks like from inside while its gradients vanish.

Networks of 20 layers, 64 units wide, on the digits. "Saturating": sigmoid, Xavier. "Small init":
tanh, weights of standard deviation 0.01. float64, so that what moves by 1e-12 is seen to move.
"""

from __future__ import annotations

import math
from copy import deepcopy
from functools import cache

import numpy as np

from course_utils.claims.claim import Claim, Part
from course_utils.datasets import Digits, load_digits
from course_utils.network import MLP
from course_utils.norms import l2_norm
from course_utils.training import SGD, History, train

LEARNING_RATE = 0.5
STEPS = 100
DECAY = 0.1
EXAMPLES = 150  # on which the way down from the plateau is sought
_RECORD = ("weight_norm", "grad_weight_norm", "grad_hidden_norm", "update_norm")


def weights_stay(seed: int) -> dict[str, float]:
    """V1: how far the first layer moves in 100 steps, and what weight decay does to it."""
    start, net, history = _saturating(seed)
    size_ratios = net.weights.norms() / start.weights.norms()
    gradients = history["grad_weight_norm"][0]
    rng = np.random.default_rng(seed)
    decaying = deepcopy(start)
    _train(decaying, STEPS, rng=rng, optimizer=SGD(LEARNING_RATE, weight_decay=DECAY), record=())
    return {
        "norm_at_start": float(start.weights.norms()[0]),
        "least_size_ratio": float(size_ratios.min()),
        "relative_change": relative_change(start, net, 0),
        "gradient_ratio": float(gradients[0] / gradients[-1]),
        "decayed_size_ratio": float(decaying.weights.norms()[0] / start.weights.norms()[0]),
        "decay_alone": (1 - LEARNING_RATE * DECAY) ** STEPS,
    }


def kinds_apart(seed: int) -> dict[str, float]:
    """V2: first and last layer of both kinds of vanishing."""
    start, net, _ = _saturating(seed)
    rng = np.random.default_rng(seed)
    small = _net(20, "tanh", rng=rng, init="normal", gain=0.01)
    small_start = deepcopy(small)
    history = _train(small, STEPS, rng=rng)
    weights, hidden = history["grad_weight_norm"][0], history["grad_hidden_norm"][0]
    return {
        "first_change": relative_change(start, net, 0),
        "last_change": relative_change(start, net, -1),
        "small_init_ratio": float(weights[-1] / weights[0]),
        "small_init_largest": float(weights.max()),
        "small_init_decay": float(hidden[0] / hidden[-1]),
        "small_init_last_change": relative_change(small_start, small, -1),
    }


def plateau(seed: int) -> dict[str, float]:
    """V3: where the loss stops, whether there is a way down, and what success looks like."""
    _, net, history = _saturating(seed)
    rng = np.random.default_rng(seed)
    good = _net(5, "tanh", rng=rng, dtype="float32")
    good_history = _train(good, 400, rng=rng)
    train_set = _digits("float64").train
    stuck_loss, escaped_loss = way_down(seed)
    return {
        "loss": net.loss_of(*train_set),
        "steps_2_layers": steps_to(1.5, 2, seed),
        "steps_4_layers": steps_to(1.5, 4, seed),
        "loss_before_walk": stuck_loss,
        "loss_after_walk": escaped_loss,
        "balance": balance(history),
        "good_loss": good.loss_of(*_digits("float32").train),
        "good_balance": balance(good_history),
    }


def relative_change(start: MLP, end: MLP, layer: int) -> float:
    """‖W_end − W_start‖ / ‖W_start‖ of one layer."""
    return l2_norm(end.weights[layer] - start.weights[layer]) / l2_norm(start.weights[layer])


def balance(history: History) -> float:
    """Update-to-weight ratio of the first layer over that of the last, in the last step."""
    ratios = history["update_norm"][-1] / history["weight_norm"][-1]
    return float(ratios[0] / ratios[-1])


def steps_to(loss: float, depth: int, seed: int) -> float:
    """Steps until the mean of ten batches' losses is below `loss`; inf if 1,000 do not do it."""
    rng = np.random.default_rng(seed)
    net = _net(depth, "sigmoid", rng=rng, dtype="float32")
    losses = _train(net, 1000, rng=rng, record=()).loss
    below = np.flatnonzero(np.convolve(losses, np.full(10, 0.1), mode="valid") < loss)
    return float(below[0] + 10) if below.size else math.inf


def way_down(seed: int) -> tuple[float, float]:
    """The loss of a stuck net of 10 sigmoid layers, and after 100 steps of the same length.

    Each step moves the weights of every layer against their gradient by 2 % of their own norm,
    however small that gradient is.
    """
    rng = np.random.default_rng(seed)
    net = _net(10, "sigmoid", rng=rng)
    _train(net, STEPS, rng=rng, record=())
    batch = _digits("float64").train.take(slice(EXAMPLES))
    before = net.loss_of(*batch)
    for _ in range(STEPS):
        net.loss_and_gradients(*batch)
        shares = 0.02 * net.weights.norms() / net.grad_weights.norms()
        for weights, gradient, share in zip(net.weights, net.grad_weights, shares, strict=True):
            weights -= share * gradient
    return before, net.loss_of(*batch)


@cache
def _digits(dtype: str) -> Digits:
    return load_digits(dtype=dtype)


def _net(
    depth: int,
    activation: str,
    *,
    rng: np.random.Generator,
    init: str = "xavier",
    gain: float = 1.0,
    dtype: str = "float64",
) -> MLP:
    widths = (64, *[64] * (depth - 1), 10)
    return MLP(widths, activation=activation, init=init, gain=gain, dtype=dtype, rng=rng)


def _train(
    net: MLP,
    steps: int,
    *,
    rng: np.random.Generator,
    optimizer: SGD | None = None,
    record: tuple[str, ...] = _RECORD,
) -> History:
    return train(
        net,
        _digits(net.dtype.name).train,
        steps=steps,
        batch_size=64,
        optimizer=optimizer or SGD(LEARNING_RATE),
        rng=rng,
        record=record,
    )


@cache
def _saturating(seed: int) -> tuple[MLP, MLP, History]:
    """The sigmoid net at its start and after its training; all three claims look at it."""
    rng = np.random.default_rng(seed)
    net = _net(20, "sigmoid", rng=rng)
    start = deepcopy(net)
    return start, net, _train(net, STEPS, rng=rng)


CLAIMS = (
    Claim(
        id="V1",
        measure=weights_stay,
        parts=(
            Part(
                "weights_reach_zero",
                "in 100 steps the weights of some layer fall below 1 % of their norm",
                lambda f: f["least_size_ratio"] < 0.01,
                claimed=True,
                expected=False,
            ),
            Part(
                "gradients_vanish",
                "the first layer's gradient is less than a billionth of the last layer's",
                lambda f: f["gradient_ratio"] < 1e-9,
                claimed=False,
                expected=True,
            ),
            Part(
                "weights_stay",
                "the first layer's weights move by less than a billionth of their norm",
                lambda f: f["relative_change"] < 1e-9,
                claimed=False,
                expected=True,
            ),
            Part(
                "decay_alone",
                "with weight decay they do fall below 1 %, and it is the decay alone: as "
                "(1 − lr · wd)^t, to nine digits",
                lambda f: (
                    f["decayed_size_ratio"] < 0.01
                    and abs(f["decayed_size_ratio"] - f["decay_alone"]) < 1e-9 * f["decay_alone"]
                ),
                claimed=False,
                expected=True,
            ),
        ),
        evidence="20 sigmoid layers: no layer's norm falls below {least_size_ratio:.0%} of its "
        "start. The first layer starts at norm {norm_at_start:.1f} and moves by "
        "{relative_change:.0e} of it; its gradient is {gradient_ratio:.0e} of the last layer's. "
        "With weight decay 0.1: {decayed_size_ratio:.2%} of the norm is left; "
        "(1 − lr · wd)^t is {decay_alone:.2%}.",
        instead="The gradients go to 0, so the weights stay where they were born.",
        lesson="04_vanishing",
        cell="04-weights-verdict",
    ),
    Claim(
        id="V2",
        measure=kinds_apart,
        parts=(
            Part(
                "output_side_moves",
                "saturating: the last layer's weights move by more than 5 % of their norm",
                lambda f: f["last_change"] > 0.05,
                claimed=True,
                expected=True,
            ),
            Part(
                "input_side_frozen",
                "saturating: the first layer's move by less than a billionth",
                lambda f: f["first_change"] < 1e-9,
                claimed=True,
                expected=True,
            ),
            Part(
                "small_init_too",
                "small init: at the start the last layer has at least ten times the first "
                "layer's weight gradient",
                lambda f: f["small_init_ratio"] >= 10,
                claimed=True,
                expected=False,
            ),
            Part(
                "all_weight_gradients_vanish",
                "small init: at the start all weight gradients, of the last layer too, are below "
                "1e-20",
                lambda f: f["small_init_largest"] < 1e-20,
                claimed=False,
                expected=True,
            ),
            Part(
                "activation_gradients_decay",
                "small init: ∂L/∂h falls by more than 20 powers of ten on its way to the input",
                lambda f: f["small_init_decay"] < 1e-20,
                claimed=False,
                expected=True,
            ),
            Part(
                "small_init_drastic",
                "small init: in 100 steps the last layer's weights move by more than 5 %",
                lambda f: f["small_init_last_change"] > 0.05,
                claimed=False,
                expected=False,
            ),
        ),
        evidence="20 sigmoid layers: the first moves by {first_change:.0e} of its norm, the last "
        "by {last_change:.0%}. tanh with weights of std 0.01: at the start the last layer has "
        "{small_init_ratio:.1f} times the first layer's weight gradient, and the largest of all "
        "is {small_init_largest:.0e}, while ∂L/∂h at the input is {small_init_decay:.0e} of that "
        "at the output. Its last layer moves by {small_init_last_change:.1%}.",
        instead="It holds for saturating activations. With too small an init the weight gradients "
        "vanish in all layers alike: the signal shrinks on its way up as the gradient does on its "
        "way down.",
        lesson="04_vanishing",
        cell="04-kinds-verdict",
    ),
    Claim(
        id="V3",
        measure=plateau,
        parts=(
            Part(
                "improves_slowly",
                "4 sigmoid layers need more than three times the steps of 2 for a loss of 1.5",
                lambda f: f["steps_4_layers"] > 3 * f["steps_2_layers"],
                claimed=True,
                expected=True,
            ),
            Part(
                "stops_early",
                "20 layers stop learning: after 100 steps the loss is not even 0.05 below ln 10",
                lambda f: f["loss"] > math.log(10) - 0.05,
                claimed=True,
                expected=True,
            ),
            Part(
                "loss_reaches_zero",
                "they stop because the loss is 0, or at least below 0.1",
                lambda f: f["loss"] < 0.1,
                claimed=True,
                expected=False,
            ),
            Part(
                "at_guessing",
                "the loss stands within 0.1 of ln 10, the loss of guessing",
                lambda f: abs(f["loss"] - math.log(10)) < 0.1,
                claimed=False,
                expected=True,
            ),
            Part(
                "local_minimum",
                "the plateau is a bottom: 100 steps of 2 % a layer, against the gradient, leave "
                "10 stuck layers above a loss of 2.2",
                lambda f: f["loss_after_walk"] > 2.2,
                claimed=False,
                expected=False,
            ),
            Part(
                "success_is_balanced",
                "a net whose loss is near 0 moves its first and last layers alike, within a "
                "factor of ten; the stuck net does not, by a factor of a billion",
                lambda f: (
                    f["good_loss"] < 0.1 and 0.1 < f["good_balance"] < 10 and f["balance"] < 1e-9
                ),
                claimed=False,
                expected=True,
            ),
        ),
        evidence="Steps to a loss of 1.5: {steps_2_layers} with 2 sigmoid layers, "
        "{steps_4_layers} with 4. With 20 the loss stands at {loss:.2f}. From "
        "{loss_before_walk:.2f} a walk of equal steps in all layers leads 10 layers down to "
        "{loss_after_walk:.2f}. Update-to-weight ratio of the first layer over the last: "
        "{balance:.0e}; in 5 tanh layers at a loss of {good_loss:.2f}: {good_balance:.1f}.",
        instead="It stops on a plateau at ln 10, the loss of guessing, not at 0. The plateau is "
        "no minimum: there is a way down, and the first layers cannot take it.",
        lesson="04_vanishing",
        cell="04-plateau-verdict",
        chaotic=frozenset({"good_loss", "good_balance"}),
    ),
)
