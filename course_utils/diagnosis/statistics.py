"""The statistics that a diagnosis rests on; NaN where what they need is missing or not finite."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from course_utils.diagnosis.trace import Trace, Values

_LAST_SHARE = 0.1  # the last tenth of the run, at least _FEW steps, is its end
_FEW = 5


def profile_slope(norms: ArrayLike) -> float:
    """Return the slope of log10(norms) along the layers, in decades a layer (least squares).

    norms: (layers,), each >= 0. Positive: they grow towards the output.
    NaN for fewer than two layers or where a norm is not finite; inf or −inf where the first or the
    last norms are exactly 0 (all of them: 0).
    """
    values = np.asarray(norms, dtype=np.float64)
    if values.size < 2 or not np.isfinite(values).all():
        return math.nan
    if (values == 0.0).any():
        return math.inf if values[0] < values[-1] else -math.inf if values[0] > values[-1] else 0.0
    layers = np.arange(values.size) - (values.size - 1) / 2
    return float(layers @ np.log10(values) / (layers @ layers))


def decades(norms: Values) -> float:
    """Return log10 of the growth from the first to the last of the norms along the fitted line.

    One norm, or none (a net without hidden layers), grows by nothing.
    """
    if norms.size < 2:
        return 0.0 if np.isfinite(norms).all() else math.nan
    return profile_slope(norms) * (norms.size - 1)


def gradient_decades(trace: Trace) -> float:
    """Return by how many decades ∂loss/∂h grows from last to first hidden layer, before step 1."""
    return math.nan if trace.grad_hidden_norm is None else -decades(trace.grad_hidden_norm[0, :-1])


def weight_gradient_decades(trace: Trace) -> float:
    """Return by how many decades ∂loss/∂W grows from last to first layer, before step 1."""
    return -decades(trace.grad_weight_norm[0])


def signal_decades(trace: Trace) -> float:
    """Return by how many decades h grows from first to last hidden layer, before step 1."""
    return math.nan if trace.hidden_rms is None else decades(trace.hidden_rms[0, :-1])


def leverage(trace: Trace) -> float:
    """Return the largest ‖∂loss/∂W‖ ‖W‖ / |loss| of any layer, before step 1.

    By Cauchy and Schwarz it bounds, to first order, by what share the loss can change if one
    layer's weights change by 100 %. It does not depend on the units of loss and weights.
    """
    if trace.weight_norm is None:
        return math.nan
    with np.errstate(all="ignore"):
        shares = trace.grad_weight_norm[0] * trace.weight_norm[0] / abs(trace.loss[0])
    return float(shares.max())


def update_ratios(trace: Trace) -> Values | None:
    """Return ‖update‖ / ‖W‖, (steps, layers), or None if either was not recorded.

    0 where a layer did not move, inf where all its weights were 0 and it did.
    """
    if trace.update_norm is None or trace.weight_norm is None:
        return None
    with np.errstate(all="ignore"):
        ratios = trace.update_norm / trace.weight_norm
    ratios[trace.update_norm == 0.0] = 0.0
    return ratios


class LossCourse(NamedTuple):
    """The course of the loss: first, highest after the first step, lowest, at the end; all finite.

    baseline: the loss of guessing, or the first loss if that is lower or guessing is unknown.
    """

    first: float
    highest: float
    lowest: float
    end: float
    baseline: float


def loss_course(trace: Trace) -> LossCourse | None:
    """Return the course of the finite losses before the first other one; None if there is none."""
    broken = np.flatnonzero(~np.isfinite(trace.loss))
    loss = trace.loss[: broken[0]] if broken.size else trace.loss
    if loss.size == 0:
        return None
    window = min(loss.size, max(_FEW, round(_LAST_SHARE * loss.size)))
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(loss, window), axis=1)
    first = float(loss[0])
    guessing = first if trace.classes is None else math.log(trace.classes)
    return LossCourse(
        first,
        float(loss[1:].max(initial=first)),
        float(smooth.min()),
        float(np.median(loss[-window:])),
        min(first, guessing),
    )


class Break(NamedTuple):
    """The first inf or NaN: at which step, in which layer (None: of no layer), of what."""

    step: int
    layer: int | None
    what: str
    value: float


def first_break(trace: Trace) -> Break | None:
    """Return the first inf or NaN in the order of computation, None if all is finite.

    Within a step: weights, forward signals from the input side, loss, gradients from the output
    side, update.
    """
    found = []
    for order, (name, array) in enumerate(trace.rows()):
        bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
        if bad.size:
            found.append((int(bad[0]), order, name, array))
    if not found:
        return None
    step, _, name, array = min(found, key=lambda item: item[:2])
    if array.ndim == 1:
        return Break(step, None, name, float(array[step]))
    layers = np.flatnonzero(~np.isfinite(array[step]))
    backward = name.startswith("grad")
    layer = int(layers[-1] if backward else layers[0])
    return Break(step, layer, name, float(array[step, layer]))
