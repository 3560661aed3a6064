"""Symptoms that are there before the first step: how the net was born."""

from __future__ import annotations

import math

import numpy as np

from course_utils.diagnosis import statistics, thresholds
from course_utils.diagnosis.symptoms import Symptom, any_of, between, factor, number, strength_of
from course_utils.diagnosis.trace import Trace


def grows_through_layers(trace: Trace) -> Symptom:
    """Do signal or gradient grow through the layers before the first step?"""
    name, bounds = "growth through the layers at the start", thresholds.GROWTH_DECADES
    back, forward = statistics.gradient_decades(trace), statistics.signal_decades(trace)
    weights = statistics.weight_gradient_decades(trace)
    overflow = _overflows_on_the_way(trace)
    inflated = _inflated(trace)
    looks = {decades: between(decades, bounds) for decades in (back, forward, weights)}
    present = any_of(*looks.values()) or any_of(overflow, inflated)
    if present is not True:
        # Either profile shows the growth of its own kind of net; the other may be missing.
        seen = [look for look in (looks[back], looks[forward], looks[weights]) if look is not None]
        known = trace.grad_hidden_norm is not None or trace.hidden_rms is not None
        doubt = any(bounds[0] < d < bounds[1] for d in (back, forward, weights))
        present = False if known and seen and not doubt else None
    told = []
    if math.isfinite(back) or math.isinf(back):
        told.append(f"∂loss/∂h {_grows(back)} from the last hidden layer back to the first")
    if not math.isnan(forward):
        told.append(f"h {_grows(forward)} from the first to the last")
    if inflated:
        told.append(f"the first loss is {number(float(trace.loss[0]))}")
    if overflow:
        told.append("the forward signal overflows")
    if not told and not math.isnan(weights):
        told.append(f"∂loss/∂W {_grows(weights)} from the last layer back to the first")
    evidence = f"Before the first step {', '.join(told)}." if told else "No profile is finite."
    needs = () if present is not None else ("grad_hidden_norm", "hidden_rms")
    worst = max((d for d in (back, forward, weights) if not math.isnan(d)), default=0.0)
    strength = strength_of(max(worst, bounds[1]), bounds[1]) if present else 0.0
    return Symptom(name, present, evidence, strength, needs)


def gradient_decays(trace: Trace) -> Symptom:
    """Does the gradient shrink on its way back, or has no layer leverage, before the first step?"""
    name = "the gradient decays at the start"
    back, weights = statistics.gradient_decades(trace), statistics.weight_gradient_decades(trace)
    leverage = statistics.leverage(trace)
    decay = between(-back, thresholds.DECAY_DECADES)
    if math.isnan(back):
        decay = between(-weights, thresholds.DECAY_DECADES)
        told = f"∂loss/∂W {_grows(weights)} from the last layer back to the first"
    else:
        told = f"∂loss/∂h {_grows(back)} from the last hidden layer back to the first"
    weak = between(leverage, thresholds.NO_LEVERAGE)
    present = any_of(decay, weak)
    if present is None and not math.isnan(back):
        present = decay if decay is not None and math.isnan(leverage) else present
    if weak:
        told += (
            f"; if a layer's weights all changed by 1 %, the loss would change by at most "
            f"{number(leverage)} %"
        )
    needs = () if present is not None else ("grad_hidden_norm", "weight_norm")
    strength = strength_of(max(-back, 0.0), thresholds.DECAY_DECADES[1]) if present else 0.0
    return Symptom(name, present, f"Before the first step {told}.", strength, needs)


def signal_decays(trace: Trace) -> Symptom:
    """Do the hidden values shrink from layer to layer before the first step?

    Without hidden_rms the weight gradients tell: alike in all layers, they are products of a
    signal and a gradient that shrink in opposite directions.
    """
    name, forward = "the signal decays at the start", statistics.signal_decades(trace)
    if not math.isnan(forward):
        present = between(-forward, thresholds.SIGNAL_DECAY_DECADES)
        evidence = (
            f"Before the first step the hidden values' root mean square {_grows(forward)} from "
            "the first to the last hidden layer."
        )
        strength = strength_of(max(-forward, 0.0), thresholds.SIGNAL_DECAY_DECADES[1])
        return Symptom(name, present, evidence, strength if present else 0.0)
    tilt, leverage = statistics.weight_gradient_decades(trace), statistics.leverage(trace)
    alike = between(-tilt, (thresholds.DECAY_DECADES[1], thresholds.DECAY_DECADES[0]))
    weak = between(leverage, thresholds.NO_LEVERAGE)
    present = alike if weak is None or alike is weak else None
    kind = "alike in all layers" if alike else "smaller towards the input"
    evidence = (
        f"The weight gradients are {kind} before the first step: from the last to the first layer "
        f"∂loss/∂W {_grows(tilt)}."
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
    return Symptom(
        name, present, evidence, strength_of(1 - mean, 1 - thresholds.SMALL_SLOPE) * present
    )


def dead_units(trace: Trace) -> Symptom:
    """Is nearly every unit of some hidden layer dead before the first step?

    Without dead_share: a layer whose hidden values are all 0 is dead; and where the gradient
    reaches every layer, none is.
    """
    name = "dead units at the start"
    if trace.layers < 2:
        return Symptom(name, False, "There is no hidden layer.")
    if trace.dead_share is not None and np.isfinite(trace.dead_share[0]).all():
        return _dead_by_share(name, trace)
    silent = trace.grad_weight_norm[0] == 0.0
    if trace.hidden_rms is not None and (trace.hidden_rms[0, :-1] == 0.0).any():
        layer = int(np.argmin(trace.hidden_rms[0, :-1]))
        below = trace.hidden_rms[0, layer - 1] if layer else 1.0
        # A signal that had shrunk to next to nothing has underflowed: that is no dead layer.
        if below > thresholds.UNDERFLOW:
            told = f"Before the first step all hidden values of layer {layer} are 0."
            return Symptom(name, True, told, 1.0)
    if np.isfinite(trace.grad_weight_norm[0]).all() and not silent.any():
        told = "The gradient reaches every layer before the first step: none is dead as a whole."
        return Symptom(name, False, told)
    told = (
        f"The weight gradients of {int(silent.sum())} layers are exactly 0 before the first step."
    )
    return Symptom(name, None, told, needs=("dead_share",))


def _dead_by_share(name: str, trace: Trace) -> Symptom:
    assert trace.dead_share is not None
    shares = trace.dead_share[0, :-1]
    layer = int(shares.argmax())
    share = float(shares[layer])
    last = trace.dead_share[-1, :-1].max()
    present = between(share, thresholds.DEAD)
    evidence = (
        f"In layer {layer}, {share:.0%} of the units are 0 for the whole batch before the first "
        f"step; at the end {last:.0%} in the worst layer."
    )
    return Symptom(name, present, evidence, share if present else 0.0)


def _grows(decades: float) -> str:
    if math.isnan(decades):
        return "is not finite"
    if abs(decades) < 0.05:
        return "stays level"
    return f"{'grows' if decades > 0 else 'shrinks'} {factor(decades)}"


def _inflated(trace: Trace) -> bool | None:
    if trace.classes is None or not math.isfinite(trace.loss[0]):
        return None
    return bool(trace.loss[0] >= thresholds.INFLATED_LOSS * math.log(trace.classes))


def _overflows_on_the_way(trace: Trace) -> bool:
    """Return whether h is finite in the first layer and not in a later one, before step 1."""
    if trace.hidden_rms is None:
        return False
    finite = np.isfinite(trace.hidden_rms[0])
    return bool(finite[0] and not finite.all())
