"""From symptoms to a verdict: what was wrong before the first step goes before what came later."""

from __future__ import annotations

from collections.abc import Mapping

from course_utils.diagnosis import verdicts
from course_utils.diagnosis.symptoms import any_of

# symptom key → True, False, or None if it cannot be told
Seen = Mapping[str, bool | None]
# the verdict, and the symptoms that kept it from being another one
Decision = tuple[str, tuple[str, ...]]

# Why a loss does not fall, the first cause in time first: which looks show it, and its verdict.
CAUSES = (
    (("dead",), verdicts.DEAD_UNITS),
    (("growth",), verdicts.EXPLODING),
    (("decay",), verdicts.SATURATION),  # or SMALL_INIT: the signal tells
    (("jumps", "overshoot"), verdicts.STEP_TOO_LARGE),
    (("unmoved",), verdicts.STEP_TOO_SMALL),
)


def decide(seen: Seen, *, classes_known: bool) -> Decision:
    """Return the verdict on what was seen, and which symptoms kept it from being another one.

    seen: for each key of judging.LOOKS whether the symptom is present. classes_known: whether the
    loss could be compared with that of guessing.
    A cause that cannot be told is never passed over: the verdict is then "not enough evidence".
    """
    if seen["break"]:
        return _decide_broken(seen)
    if seen["too short"]:
        return verdicts.NOT_ENOUGH_EVIDENCE, ("too short",)
    if not seen["fallen"]:
        return _decide_unlearnt(seen, classes_known)
    # Without the loss of guessing, a loss that began inflated may have fallen to just that.
    doubts = () if classes_known else ("growth", "decay", "jumps")
    if any(seen[key] is not False for key in doubts):
        return verdicts.NOT_ENOUGH_EVIDENCE, ("plateau", *doubts)
    return verdicts.HEALTHY, ()


def _decide_broken(seen: Seen) -> Decision:
    """Decide on a run with an inf or a NaN."""
    if seen["bad data"]:
        return verdicts.BAD_DATA, ()
    # What was wrong at birth cannot have broken a run that had learnt in spite of it.
    growth = False if seen["had learnt"] else seen["growth"]
    if growth and seen["had learnt"] is None:
        return verdicts.NOT_ENOUGH_EVIDENCE, ("growth", "had learnt")
    if growth:
        return verdicts.EXPLODING, ()
    looks = {"bad data": seen["bad data"], "growth": growth}
    unknown = tuple(key for key, present in looks.items() if present is None)
    if not unknown and any_of(seen["jumps"], seen["large update"], seen["grown"]):
        return verdicts.STEP_TOO_LARGE, ()
    return verdicts.NOT_ENOUGH_EVIDENCE, ("break", *unknown)


def _decide_unlearnt(seen: Seen, classes_known: bool) -> Decision:
    """Decide on a finite run whose loss has not clearly fallen."""
    stuck = seen["fallen"] is False
    if stuck and seen["had learnt"] is None:
        return verdicts.NOT_ENOUGH_EVIDENCE, ("had learnt",)
    if stuck and seen["had learnt"]:
        return verdicts.STEP_TOO_LARGE, ()
    for keys, verdict in CAUSES:
        present = any_of(*(seen[key] for key in keys))
        if present is None:
            return verdicts.NOT_ENOUGH_EVIDENCE, tuple(k for k in keys if seen[k] is None)
        if present and keys == ("decay",):
            if seen["jumps"]:  # what jumps is not frozen
                continue
            return _kind_of_vanishing(seen)
        if present:
            return verdict, ()
    if not classes_known:
        return verdicts.NOT_ENOUGH_EVIDENCE, ("plateau",)
    return _decide_unexplained(seen) if stuck else (verdicts.HEALTHY, ())


def _kind_of_vanishing(seen: Seen) -> Decision:
    for key in ("jumps", "signal"):
        if seen[key] is None:
            return verdicts.NOT_ENOUGH_EVIDENCE, (key,)
    return verdicts.SMALL_INIT if seen["signal"] else verdicts.SATURATION, ()


def _decide_unexplained(seen: Seen) -> Decision:
    """Decide on a loss that stays though none of the causes is there."""
    if seen["died"]:  # by a step that left no other mark
        return verdicts.STEP_TOO_LARGE, ()
    looked = tuple(key for keys, _ in CAUSES for key in keys)
    return verdicts.NOT_ENOUGH_EVIDENCE, (*looked, "died") if seen["died"] is None else looked
