"""The verdicts: what each word means, the remedy to try first, and how to see that it worked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Verdict:
    """What one verdict means.

    name: the word that diagnose() gives. means: one sentence. remedy: what to try first, one
    change. check: how to see that it worked. lesson: where the course treats the remedy.
    """

    name: str
    means: str
    remedy: str
    check: str
    lesson: str


HEALTHY = "healthy"
SATURATION = "vanishing: saturation"
SMALL_INIT = "vanishing: small init"
EXPLODING = "exploding"
DEAD_UNITS = "dead units"
STEP_TOO_LARGE = "step too large"
STEP_TOO_SMALL = "step too small"
BAD_DATA = "bad data"
NOT_ENOUGH_EVIDENCE = "not enough evidence"

_ALL = (
    Verdict(
        HEALTHY,
        "The loss falls; where gradients and updates are small, it is because little is left "
        "to learn.",
        "Change nothing; train on.",
        "The loss on examples that were held back falls too.",
        "06",
    ),
    Verdict(
        SATURATION,
        "The activation's slopes, far below 1, shrink the gradient in every layer on its way "
        "back, while the forward signal stays level: units pushed flat, or a sigmoid, whose "
        "slope is at most 1/4.",
        "Use an activation whose slope is near 1, such as ReLU with He weights, or tanh with "
        "Xavier weights and biases of 0; or use fewer layers.",
        "At step 0 the gradients of the first and the last layer are within a factor of 10.",
        "07",
    ),
    Verdict(
        SMALL_INIT,
        "The weights were drawn too small: the signal shrinks forward and the gradient shrinks "
        "backward, so the weight gradients are tiny in all layers alike.",
        "Draw the weights to the layer's width, He's standard deviation for ReLU, Xavier's for "
        "tanh, and start the biases at 0.",
        "At step 0 the hidden values have about the same root mean square in every layer.",
        "09",
    ),
    Verdict(
        EXPLODING,
        "Signal or gradient grow from layer to layer before a single step is taken: the weights "
        "were drawn too large for this depth.",
        "Draw smaller weights, He's standard deviation for ReLU, Xavier's for tanh, and start the "
        "biases at 0.",
        "At step 0 the loss is near that of guessing and the activation gradients are within a "
        "factor of 10 of each other.",
        "09",
    ),
    Verdict(
        DEAD_UNITS,
        "In at least one layer nearly all units give 0 for every example: their slope is 0, so "
        "no gradient passes.",
        "Start the biases at 0 and centre the inputs; if units still die, use leaky ReLU.",
        "The share of dead units stays below one half in every layer.",
        "07",
    ),
    Verdict(
        STEP_TOO_LARGE,
        "The gradients are in order at the start, but the steps overshoot: the loss jumps up, or "
        "the run breaks after it has begun to learn.",
        "Divide the learning rate by 10, or clip the gradient by its norm.",
        "The loss no longer jumps, and an update is well below a tenth of the weights it moves.",
        "08",
    ),
    Verdict(
        STEP_TOO_SMALL,
        "The gradients reach every layer at a usable size, but the steps are so small that no "
        "layer has moved.",
        "Multiply the learning rate by 10 until the loss falls.",
        "An update is about a thousandth of the weights it moves, and the loss falls.",
        "06",
    ),
    Verdict(
        BAD_DATA,
        "A NaN or an inf came in with the data: it stands in the first layer's signal while all "
        "weights are finite and nothing had grown.",
        "Look for NaN and inf in inputs and targets, and for features of zero variance that were "
        "divided by their standard deviation.",
        "np.isfinite(inputs).all() is True, and the run passes the step at which it broke.",
        "06",
    ),
    Verdict(
        NOT_ENOUGH_EVIDENCE,
        "What was recorded does not decide between the causes that are left.",
        "Train on ten examples only; if the net cannot learn even these by heart, look for an "
        "error elsewhere, such as labels that do not belong to their inputs.",
        "The loss on the ten examples falls towards 0.",
        "06",
    ),
)

BY_NAME: Mapping[str, Verdict] = MappingProxyType({verdict.name: verdict for verdict in _ALL})
VERDICTS: tuple[str, ...] = tuple(BY_NAME)
