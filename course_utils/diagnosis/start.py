"""Symptoms that are there before the first step: how the net was born."""

from __future__ import annotations

import math

import numpy as np

from course_utils.diagnosis import statistics, thresholds
from course_utils.diagnosis.symptoms import (
    Symptom,
    any_of,
    between,
    change,
    number,
    percent,
    strength_of,
)
from course_utils.diagnosis.trace import Trace

_BACK = "from the last hidden layer back to the first"


def grows_through_layers(trace: Trace) -> Symptom:
    """Do signal or gradient grow through the layers before the first step?

    Either profile shows it in its kind of net: the hidden values grow in a ReLU net, the weight
    gradients in one that saturates, the activation gradients in both.
    """
    name, bounds = "growth through the layers at the start", thresholds.GROWTH_DECADES
    back, forward = statistics.gradient_decades(trace), statistics.signal_decades(trace)
    weights = statistics.weight_gradient_decades(trace)
    known = [decades for decades in (back, forward, weights) if not math.isnan(decades)]
    worst = max(known, default=math.nan)
    overflow, inflated = _overflows_on_the_way(trace), _inflated(trace)
    look = between(worst, bounds)
    if look is False and math.isnan(back) and math.isnan(forward):
        # Level weight gradients of a usual size may hide that signal and gradient both grow.
        tilted = between(-weights, thresholds.DECAY_DECADES)
        weak = between(statistics.leverage(trace), thresholds.NO_LEVERAGE)
        look = False if tilted or weak else None
    present = True if overflow or inflated else look
    told = [f"∂loss/∂h {change(back)} {_BACK}"] if not math.isnan(back) else []
    told += [f"h {change(forward)} from the first to the last"] if not math.isnan(forward) else []
    told += ["the forward signal overflows"] if overflow else []
    told += [f"the first loss is {number(float(trace.loss[0]))}"] if inflated else []
    if not told:
        told = [f"∂loss/∂W {change(weights)} from the last layer back to the first"]
    return Symptom(
        name,
        present,
        f"Before the first step {', '.join(told)}.",
        strength_of(max(bounds[1], worst), bounds[1]) if present else 0.0,
        () if present is not None else ("grad_hidden_norm", "hidden_rms"),
    )


def gradient_decays(trace: Trace) -> Symptom:
    """Does the gradient shrink on its way back, or has no layer leverage, before the first step?

    Without grad_hidden_norm the profile of the weight gradients stands in for it.
    """
    name, bounds = "the gradient decays at the start", thresholds.DECAY_DECADES
    back, what, where = statistics.gradient_decades(trace), "∂loss/∂h", _BACK
    if math.isnan(back):
        back, what = statistics.weight_gradient_decades(trace), "∂loss/∂W"
        where = "from the last layer back to the first"
    leverage = statistics.leverage(trace)
    looks = [(-back, bounds), (leverage, thresholds.NO_LEVERAGE)]
    known = [between(value, pair) for value, pair in looks if not math.isnan(value)]
    present = any_of(*known) if known else None
    if trace.grad_hidden_norm is None and math.isnan(leverage) and present is False:
        present = None  # a level profile of weight gradients alone may hide a small init
    return Symptom(
        name,
        present,
        f"Before the first step {what} {change(back)} {where}.",
        strength_of(max(bounds[1], -back), bounds[1]) if present else 0.0,
        () if present is not None else ("grad_hidden_norm", "weight_norm"),
    )


def tiny_alike(trace: Trace) -> Symptom:
    """Are the weight gradients too small to matter, and alike, in all layers?"""
    name, tilt = (
        "weight gradients tiny in all layers alike",
        statistics.weight_gradient_decades(trace),
    )
    leverage = statistics.leverage(trace)
    if math.isnan(leverage) or math.isnan(tilt):
        return Symptom(name, None, "The weights are not known.", needs=("weight_norm",))
    weak = between(leverage, thresholds.NO_LEVERAGE)
    present = weak if not weak else abs(tilt) <= thresholds.DECAY_DECADES[0]
    first, last = trace.grad_weight_norm[0, [0, -1]]
    evidence = (
        f"Before the first step ‖∂loss/∂W‖ is {number(first)} in the first layer and "
        f"{number(last)} in the last: if the weights of any one layer changed by 1 %, the loss "
        f"would change by at most {number(leverage)} %."
    )
    return Symptom(name, present, evidence, 1 - leverage if present else 0.0)


def signal_decays(trace: Trace) -> Symptom:
    """Do the hidden values shrink from layer to layer before the first step?

    Without hidden_rms the weight gradients tell: they are products of a signal and a gradient, so
    they are alike in all layers where both shrink, and fall towards the input where only one does.
    """
    name, forward = "the signal decays at the start", statistics.signal_decades(trace)
    if not math.isnan(forward):
        bounds = thresholds.SIGNAL_DECAY_DECADES
        present = between(-forward, bounds)
        evidence = (
            f"Before the first step the hidden values' root mean square {change(forward)} from "
            "the first to the last hidden layer."
        )
        return Symptom(
            name, present, evidence, strength_of(-forward, bounds[1]) if present else 0.0
        )
    tilt, leverage = statistics.weight_gradient_decades(trace), statistics.leverage(trace)
    alike = between(-tilt, thresholds.DECAY_DECADES[::-1])
    weak = between(leverage, thresholds.NO_LEVERAGE)
    present = alike if math.isnan(leverage) or alike is weak else None
    evidence = (
        f"Before the first step ∂loss/∂W {change(tilt)} from the last layer back to the first."
    )
    needs = () if present is not None else ("hidden_rms",)
    return Symptom(name, present, evidence, 0.5 if present else 0.0, needs)


def small_slopes(trace: Trace) -> Symptom:
    """Is the activation's mean slope small in the hidden layers?"""
    name = "small slopes"
    if trace.slope_mean is None or trace.layers < 2 or np.isnan(trace.slope_mean[0]).any():
        return Symptom(name, None, "The slopes are not known.", needs=("slope_mean",))
    mean = float(trace.slope_mean[0, :-1].mean())
    present = mean <= thresholds.SMALL_SLOPE
    evidence = f"The activation's mean slope in the hidden layers is {number(mean)}."
    return Symptom(name, present, evidence, 1 - mean if present else 0.0)


def dead_units(trace: Trace) -> Symptom:
    """Is nearly every unit of some hidden layer dead before the first step?

    Without dead_share: a layer whose hidden values are all 0 is dead; and where the gradient
    reaches every layer, none is dead as a whole.
    """
    name = "dead units at the start"
    if trace.layers < 2:
        return Symptom(name, False, "There is no hidden layer.")
    if trace.dead_share is not None and np.isfinite(trace.dead_share[0]).all():
        return _dead_by_share(name, trace)
    if (silent := _silent_layer(trace)) is not None:
        told = f"Before the first step all hidden values of layer {silent} are 0."
        return Symptom(name, True, told, 1.0)
    reached = trace.grad_weight_norm[0] > 0.0
    if reached.all():
        told = "The gradient reaches every layer before the first step: none is dead as a whole."
        return Symptom(name, False, told)
    told = f"Before the first step no gradient reaches {int((~reached).sum())} layers."
    return Symptom(name, None, told, needs=("dead_share",))


def _dead_by_share(name: str, trace: Trace) -> Symptom:
    assert trace.dead_share is not None
    shares = trace.dead_share[0, :-1]
    layer = int(shares.argmax())
    share = float(shares[layer])
    present = between(share, thresholds.DEAD)
    evidence = (
        f"In layer {layer}, {percent(share)} of the units are 0 for the whole batch before the "
        "first step; no layer has more."
    )
    return Symptom(name, present, evidence, share if present else 0.0)


def _silent_layer(trace: Trace) -> int | None:
    """Return the first hidden layer whose values are all 0, above one that is well above 0."""
    if trace.hidden_rms is None or not (trace.hidden_rms[0, :-1] == 0.0).any():
        return None
    layer = int(np.argmin(trace.hidden_rms[0, :-1]))
    # A signal that had shrunk to next to nothing has underflowed: no unit need be dead for that.
    return layer if layer == 0 or trace.hidden_rms[0, layer - 1] > thresholds.UNDERFLOW else None


def _inflated(trace: Trace) -> bool:
    """Return whether the first loss is far above that of guessing."""
    if trace.classes is None or not math.isfinite(trace.loss[0]):
        return False
    return bool(trace.loss[0] >= thresholds.INFLATED_LOSS * math.log(trace.classes))


def _overflows_on_the_way(trace: Trace) -> bool:
    """Return whether h is finite in the first layer and not in a later one, before step 1."""
    if trace.hidden_rms is None:
        return False
    finite = np.isfinite(trace.hidden_rms[0])
    return bool(finite[0] and not finite.all())
