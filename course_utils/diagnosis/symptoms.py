"""A symptom: what one look at a trace showed. This module has those of the loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

from course_utils.diagnosis import statistics, thresholds
from course_utils.diagnosis.trace import Trace


@dataclass(frozen=True)
class Symptom:
    """What one look at a trace showed.

    name: what was looked for. present: True, False, or None if it cannot be told. evidence: one
    sentence with its numbers. needs: what to record to tell, where present is None.
    strength: how far beyond the threshold, 0 to 1 (0.5 is just present); 0 unless present.
    """

    name: str
    present: bool | None
    evidence: str
    strength: float = 0.0
    needs: tuple[str, ...] = ()


def between(value: float, bounds: tuple[float, float]) -> bool | None:
    """Return False up to bounds[0], True from bounds[1], None in between or for NaN.

    bounds may descend: then False from bounds[0] up, True down to bounds[1].
    """
    absent, present = bounds
    if absent > present:
        value, absent, present = -value, -absent, -present
    return False if value <= absent else True if value >= present else None


def any_of(*looks: bool | None) -> bool | None:
    """Return True if one look is True, False if all are False, else None."""
    return True if True in looks else None if None in looks else False


def number(value: float) -> str:
    """Return value with three significant digits, beyond 0.001 to 9,999 as 2.5·10⁻⁷."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else str(value)
    if value == 0 or 1e-3 <= abs(value) < 9999.5:
        return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_RAISED)}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(share: float) -> str:
    """Return a share in per cent, with two significant digits."""
    return f"{number(float(f'{100 * share:.2g}'))} %"


def change(decades: float) -> str:
    """Return a verb and a factor for that many decades: "grows 350-fold", "stays level"."""
    if math.isnan(decades):
        return "is not finite"
    if math.isinf(decades):
        return f"{'grows from' if decades > 0 else 'falls to'} exactly 0"
    if abs(decades) < 0.05:
        return "stays level"
    return f"{'grows' if decades > 0 else 'shrinks'} {_fold(abs(decades))}-fold"


def _fold(decades: float) -> str:
    # 10 to that power may be more than a float can hold.
    if decades < 300:
        return number(float(f"{10**decades:.2g}"))
    return f"10{str(round(decades)).translate(_RAISED)}"


def strength_of(value: float, threshold: float) -> float:
    """Return value / (value + threshold), 0.5 at the threshold; 1 for infinity."""
    return 1.0 if math.isinf(value) else value / (value + threshold)


def loss_has_fallen(trace: Trace) -> Symptom:
    """Has the loss at the end fallen clearly below guessing (or below the first loss)?"""
    name, course = "the loss has fallen", statistics.loss_course(trace)
    if course is None:
        return Symptom(name, False, "There is no finite loss.")
    told = f"The loss goes from {number(course.first)} to {number(course.end)}"
    if trace.classes is not None:
        told += f"; guessing costs ln {trace.classes} = {math.log(trace.classes):.3f}"
    if course.baseline <= 0:  # a log density, for one: no share of it can be taken
        return Symptom(name, None, f"{told}.", needs=("a loss that is positive",))
    share = course.end / course.baseline
    present = between(share, (thresholds.IS_LEARNING, thresholds.HAS_LEARNT))
    strength = 1 - 0.5 * max(share, 0.0) / thresholds.HAS_LEARNT if present else 0.0
    return Symptom(name, present, f"{told}.", strength, () if present is not None else _LONGER)


_LONGER = ("more steps",)


def loss_on_plateau(trace: Trace) -> Symptom:
    """Does the loss stay within 5 % of guessing?"""
    name, course = "the loss is on the plateau of guessing", statistics.loss_course(trace)
    if trace.classes is None or course is None:
        return Symptom(name, None, "The loss of guessing is not known.", needs=("classes",))
    guessing = math.log(trace.classes)
    present = abs(course.end / guessing - 1) <= thresholds.PLATEAU
    evidence = (
        f"The loss ends at {number(course.end)}, {'' if present else 'not '}within "
        f"{percent(thresholds.PLATEAU)} of guessing, ln {trace.classes} = {guessing:.3f}."
    )
    return Symptom(name, present, evidence, 0.5 + 0.5 * present if present else 0.0)


_SUCCESS = ": gradients are small because little is left to learn"


def nearly_solved(trace: Trace) -> Symptom:
    """Is so little of the loss left that small gradients are a success?"""
    name, course = "the task is nearly solved", statistics.loss_course(trace)
    if course is None or course.baseline <= 0:
        return Symptom(name, None, "There is no positive loss to compare with.")
    share = course.end / course.baseline
    present = share <= thresholds.NEARLY_SOLVED
    evidence = f"{percent(share)} of the loss is left{_SUCCESS if present else ''}."
    return Symptom(name, present, evidence, 1 - max(share, 0.0) if present else 0.0)


def loss_jumps(trace: Trace) -> Symptom:
    """Has the loss jumped clearly above where it began?"""
    name, course = "the loss jumps", statistics.loss_course(trace)
    if course is None or trace.loss.size < 2:
        return Symptom(name, None, "There are not two losses to compare.", needs=_LONGER)
    start = course.first
    if trace.classes is not None:
        start = max(start, math.log(trace.classes))
    if start <= 0:
        return Symptom(name, None, "The first loss is not positive.")
    rise = course.highest / start
    present = between(rise, thresholds.JUMP)
    evidence = (
        f"After the first step the loss rises to {number(course.highest)}, {number(rise)} times "
        f"{'its start' if start == course.first else 'guessing'}."
    )
    return Symptom(name, present, evidence, strength_of(rise, thresholds.JUMP[1]) * bool(present))


def had_learnt(trace: Trace) -> Symptom:
    """Had the loss clearly fallen at some time, whatever came after?"""
    name, course = "the loss had fallen", statistics.loss_course(trace)
    if course is None:
        return Symptom(name, False, "There is no finite loss.")
    if course.baseline <= 0:
        return Symptom(name, None, "There is no positive loss to compare with.")
    share = course.lowest / course.baseline
    present = share <= thresholds.HAS_LEARNT
    evidence = f"The loss had fallen to {number(course.lowest)}."
    if not present:
        evidence = f"The loss never fell below {number(course.lowest)} for long."
    elif trace.classes is None:  # it may have begun inflated, and fallen just to guessing
        return Symptom(name, None, evidence, needs=("classes",))
    strength = 1 - 0.5 * max(share, 0.0) / thresholds.HAS_LEARNT if present else 0.0
    return Symptom(name, present, evidence, strength)


def run_is_short(trace: Trace) -> Symptom:
    """Are there too few steps to judge a run by?"""
    present = trace.steps < thresholds.FEWEST_STEPS
    evidence = (
        f"Steps recorded: {trace.steps}. It takes {thresholds.FEWEST_STEPS} to tell a trend from "
        "the luck of the batches."
    )
    return Symptom("the run is short", present, evidence, 1.0 if present else 0.0, _LONGER)
