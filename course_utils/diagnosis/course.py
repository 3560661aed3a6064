"""Symptoms that show in the course of training: steps, weights, and where the numbers end."""

from __future__ import annotations

import numpy as np

from course_utils.diagnosis import statistics, thresholds
from course_utils.diagnosis.symptoms import Symptom, between, number, percent, strength_of
from course_utils.diagnosis.trace import Trace

_UPDATES = ("update_norm", "weight_norm")


def steps_overshoot(trace: Trace) -> Symptom:
    """Is the median step so large that nothing that a layer's weights have learnt stays?"""
    name, ratios = "the steps overshoot", statistics.update_ratios(trace)
    if ratios is None:
        return Symptom(name, None, "The updates are not known.", needs=_UPDATES)
    largest = ratios.max(axis=1)
    finite = largest[np.isfinite(largest)]
    if finite.size == 0:
        return Symptom(name, None, "No update is finite.")
    median = float(np.median(finite))
    present = median >= thresholds.OVERSHOOT
    evidence = (
        f"The update-to-weight ratio of the layer that moves most is {number(median)} in the "
        "median step."
    )
    strength = strength_of(median, thresholds.OVERSHOOT) if present else 0.0
    return Symptom(name, present, evidence, strength)


def large_update(trace: Trace) -> Symptom:
    """Was some update a tenth or more of the weights it moved?"""
    name, ratios = "a large update", statistics.update_ratios(trace)
    if ratios is None:
        return Symptom(name, None, "The updates are not known.", needs=_UPDATES)
    largest = np.where(np.isnan(ratios), 0.0, ratios).max(axis=1)
    step, top = int(largest.argmax()), float(largest.max())
    present = top >= thresholds.LARGE_UPDATE
    evidence = f"The update-to-weight ratio is at most {number(top)}, at step {step}."
    strength = strength_of(top, thresholds.LARGE_UPDATE) if present else 0.0
    return Symptom(name, present, evidence, strength)


def hardly_moved(trace: Trace) -> Symptom:
    """Can no layer have moved by more than a few per cent in the whole run?"""
    name, ratios = "no layer has moved", statistics.update_ratios(trace)
    if ratios is None or not np.isfinite(ratios).all():
        return Symptom(name, None, "The updates are not known.", needs=_UPDATES)
    travel = float(ratios.sum(axis=0).max())
    present = between(travel, thresholds.TRAVEL)
    median = float(np.median(ratios.max(axis=1)))
    evidence = (
        f"Over all {trace.steps} steps no layer's weights can have moved by more than "
        f"{percent(travel)}; the update-to-weight ratio is {number(median)} in the median step."
    )
    needs = () if present is not None else ("more steps",)
    return Symptom(name, present, evidence, 1 - travel if present else 0.0, needs)


def first_layer_frozen(trace: Trace) -> Symptom:
    """Does the first layer stand still while the last one moves?"""
    name, ratios = "the first layer is frozen", statistics.update_ratios(trace)
    if ratios is None or not np.isfinite(ratios).all():
        return Symptom(name, None, "The updates are not known.", needs=_UPDATES)
    first, last = (float(ratios[:, layer].sum()) for layer in (0, -1))
    present = last > 0 and first <= thresholds.FROZEN * last
    evidence = (
        f"Over the run the first layer's weights can have moved by {percent(first)} at most, the "
        f"last one's by {percent(last)}."
    )
    return Symptom(name, present, evidence, 1 - first / last if present else 0.0)


def weights_have_grown(trace: Trace) -> Symptom:
    """Has some layer's weight norm grown tenfold or more?"""
    name = "the weights have grown"
    if trace.weight_norm is None:
        return Symptom(name, None, "The weights are not known.", needs=("weight_norm",))
    with np.errstate(all="ignore"):
        growth = trace.weight_norm / trace.weight_norm[0]
    finite = growth[np.isfinite(growth).all(axis=1)].max(axis=0, initial=1.0)
    layer, top = int(finite.argmax()), float(finite.max())
    present = top >= thresholds.NOT_GROWN
    evidence = f"The weights of layer {layer} grow to {number(top)} times their first norm."
    strength = strength_of(top, thresholds.NOT_GROWN) if present else 0.0
    return Symptom(name, present, evidence, strength)


def units_died(trace: Trace) -> Symptom:
    """Did nearly all units of a layer die that were alive at the start?"""
    name = "units died in training"
    if trace.dead_share is None or trace.layers < 2:
        return Symptom(name, None, "Dead units were not counted.", needs=("dead_share",))
    first, worst = trace.dead_share[0, :-1], trace.dead_share[:, :-1].max(axis=1)
    dead = np.flatnonzero(worst >= thresholds.DEAD[1])
    if first.max() > thresholds.DEAD[0] or dead.size == 0:
        return Symptom(name, False, f"At most {percent(worst.max())} of a layer's units were dead.")
    evidence = (
        f"By step {dead[0]} dead units rise from {percent(first.max())} to "
        f"{percent(worst[dead[0]])} of the worst layer."
    )
    return Symptom(name, True, evidence, float(worst.max()))


def numbers_break(trace: Trace) -> Symptom:
    """Is there an inf or a NaN, and where is the first?"""
    name, broken = "inf or NaN", statistics.first_break(trace)
    if broken is None:
        return Symptom(name, False, "All that was recorded is finite.")
    where = "" if broken.layer is None else f" of layer {broken.layer}"
    value = "NaN" if np.isnan(broken.value) else "inf"
    return Symptom(
        name, True, f"The first {value} is {broken.what}{where} at step {broken.step}.", 1.0
    )


def data_are_bad(trace: Trace) -> Symptom:
    """Did the first inf or NaN come in with the data?

    It did if the first layer's signal (or only its weight gradient, or only the loss) is not
    finite while the weights are, and nothing had grown: overflow needs growth.
    """
    name, broken = "bad data", statistics.first_break(trace)
    if broken is None:
        return Symptom(name, False, "All that was recorded is finite.")
    if trace.data_finite is not None:
        told = f"The data are {'' if trace.data_finite else 'not '}all finite, as was recorded."
        return Symptom(name, not trace.data_finite, told, float(not trace.data_finite))
    if trace.weight_norm is None:
        return Symptom(name, None, "The weights are not known.", needs=("weight_norm",))
    step = broken.step
    if not np.isfinite(trace.weight_norm[step]).all() or _had_grown(trace, step):
        return Symptom(name, False, f"By step {step} weights, gradients or loss had grown tenfold.")
    entered = _enters_from_outside(trace, broken)
    if entered is False:
        told = f"At step {step} the first layer's signal is finite: {broken.what} broke within."
        return Symptom(name, False, told)
    told = (
        f"At step {step} all weights are finite and nothing has grown tenfold: no overflow within "
        "the net can have made it."
    )
    needs = () if entered else ("hidden_rms", "data_finite")
    return Symptom(name, entered, told, float(bool(entered)), needs)


def _enters_from_outside(trace: Trace, broken: statistics.Break) -> bool | None:
    """Return whether only inputs or targets can have made this first break."""
    if trace.hidden_rms is None:
        # One step earlier nearly the same weights gave finite numbers. At step 0 weights that are
        # too large for the depth may have overflowed as well.
        assert trace.weight_norm is not None
        first, now = trace.weight_norm[0], trace.weight_norm[broken.step]
        alike = bool((now <= thresholds.NEARLY_THE_SAME * first).all())
        return True if broken.step > 0 and alike else None
    finite = np.isfinite(trace.hidden_rms[broken.step])
    if not finite.all():
        return not bool(finite[0])
    return broken.what == "loss" or (broken.what == "grad_weight_norm" and broken.layer == 0)


def _had_grown(trace: Trace, step: int) -> bool:
    """Return whether weights by that step, or all else before it, had grown tenfold."""
    assert trace.weight_norm is not None
    names = ("hidden_rms", "grad_weight_norm", "grad_hidden_norm")
    arrays = [trace.loss[:, None], *(getattr(trace, n) for n in names if n in trace.recorded)]
    before = [array[:step] for array in arrays if step > 0]
    return any(
        bool((array.max(axis=0) > thresholds.NOT_GROWN * array[0]).any())
        for array in [*before, trace.weight_norm[: step + 1]]
    )
