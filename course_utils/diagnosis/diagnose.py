"""From symptoms to a verdict: what was wrong before the first step goes before what came later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from course_utils.diagnosis import course, start, thresholds, verdicts
from course_utils.diagnosis.symptoms import (
    Symptom,
    loss_has_fallen,
    loss_jumps,
    loss_on_plateau,
    nearly_solved,
)
from course_utils.diagnosis.trace import Trace
from course_utils.training import History

LOOKS = {
    "fallen": loss_has_fallen,
    "plateau": loss_on_plateau,
    "solved": nearly_solved,
    "growth": start.grows_through_layers,
    "decay": start.gradient_decays,
    "signal": start.signal_decays,
    "slopes": start.small_slopes,
    "dead": start.dead_units,
    "jumps": loss_jumps,
    "overshoot": course.steps_overshoot,
    "large update": course.large_update,
    "unmoved": course.hardly_moved,
    "frozen": course.first_layer_frozen,
    "grown": course.weights_have_grown,
    "died": course.units_died,
    "break": course.numbers_break,
    "bad data": course.data_are_bad,
}
# What to read out for each verdict, where it was seen.
CITED = {
    verdicts.HEALTHY: ("fallen", "solved", "large update"),
    verdicts.SATURATION: ("plateau", "fallen", "decay", "slopes", "frozen"),
    verdicts.SMALL_INIT: ("plateau", "decay", "signal"),
    verdicts.EXPLODING: ("growth", "break", "jumps", "grown", "died", "fallen"),
    verdicts.DEAD_UNITS: ("dead", "plateau", "fallen"),
    verdicts.STEP_TOO_LARGE: (
        "growth",
        "jumps",
        "overshoot",
        "large update",
        "grown",
        "died",
        "break",
    ),
    verdicts.STEP_TOO_SMALL: ("fallen", "unmoved", "decay"),
    verdicts.BAD_DATA: ("break", "bad data"),
    verdicts.NOT_ENOUGH_EVIDENCE: ("fallen",),
}


@dataclass(frozen=True)
class Diagnosis:
    """A verdict, with what it rests on and what to do. print() it to read it as a note.

    verdict: one of VERDICTS. evidence: a sentence for each symptom that speaks for it. remedy:
    what to try first. check: how to see that it worked. lesson: where the course treats it.
    needs: what to record before a verdict can be given; empty unless it is "not enough evidence".
    symptoms: everything that was looked for, by key, seen or not.
    """

    verdict: str
    evidence: tuple[str, ...]
    needs: tuple[str, ...]
    symptoms: Mapping[str, Symptom]

    @property
    def remedy(self) -> str:
        """What to try first, one change."""
        if self.needs:
            return f"Record {', '.join(self.needs)}, and look again."
        return verdicts.BY_NAME[self.verdict].remedy

    @property
    def check(self) -> str:
        """How to see that the remedy worked."""
        return verdicts.BY_NAME[self.verdict].check

    @property
    def lesson(self) -> str:
        """The number of the lesson that treats the remedy."""
        return verdicts.BY_NAME[self.verdict].lesson

    def __str__(self) -> str:
        """Return the note: verdict, evidence, remedy, and how to see that it worked."""
        return "\n".join(
            [
                f"Verdict: {self.verdict}",
                verdicts.BY_NAME[self.verdict].means,
                "Evidence:",
                *(f"  - {sentence}" for sentence in self.evidence),
                f"Try first: {self.remedy} (Lesson {self.lesson}.)",
                f"It worked if: {self.check}",
            ]
        )


def diagnose(run: History | Trace, *, classes: int | None = None) -> Diagnosis:
    """Return what ails a run, with the evidence, or that there is not enough evidence.

    run: a Trace, or what train() returned with grad_weight_norm recorded. classes: the number of
    classes, if the loss is a cross-entropy and run does not say.
    The more was recorded, the more can be told: see Trace. A symptom that cannot be told is never
    taken as absent: where it matters, the verdict is "not enough evidence".
    Raises ValueError if run is a History without grad_weight_norm, TypeError if it is neither.

        >>> print(diagnose(history, classes=10))
    """
    trace = _trace_of(run, classes)
    with np.errstate(all="ignore"):
        symptoms = {key: look(trace) for key, look in LOOKS.items()}
    verdict, open_questions = _decide(trace, {k: s.present for k, s in symptoms.items()})
    cited = [*CITED[verdict], *open_questions]
    kept = [k for k in cited if symptoms[k].present is not None or k in open_questions]
    needs = dict.fromkeys(need for key in open_questions for need in symptoms[key].needs)
    return Diagnosis(
        verdict,
        tuple(dict.fromkeys(symptoms[key].evidence for key in kept)),
        tuple(needs),
        symptoms,
    )


def _trace_of(run: History | Trace, classes: int | None) -> Trace:
    if isinstance(run, History):
        return Trace.from_history(run, classes=classes)
    if isinstance(run, Trace):
        return run if classes is None else run.replaced(classes=classes)
    raise TypeError(
        f"run must be a Trace or a History, got {type(run).__name__}. Pass "
        "Trace(loss=…, grad_weight_norm=…) for arrays of your own."
    )


# symptom key → True, False, or None if it cannot be told
Seen = Mapping[str, bool | None]
# the verdict, and the symptoms that kept it from being another one
Decision = tuple[str, tuple[str, ...]]


def _decide(trace: Trace, seen: Seen) -> Decision:
    if seen["break"]:
        return _decide_broken(seen)
    if trace.steps < thresholds.FEWEST_STEPS:
        return verdicts.NOT_ENOUGH_EVIDENCE, ("fallen",)
    if seen["fallen"]:
        # Without the loss of guessing, a loss that began inflated may have fallen just to that.
        sure = trace.classes is not None or seen["growth"] is False
        return (
            (verdicts.HEALTHY, ())
            if sure
            else (verdicts.NOT_ENOUGH_EVIDENCE, ("growth", "plateau"))
        )
    return _decide_unlearnt(trace, seen)


def _decide_broken(seen: Seen) -> Decision:
    if seen["bad data"]:
        return verdicts.BAD_DATA, ()
    if seen["growth"]:
        return verdicts.EXPLODING, ()
    unknown = tuple(key for key in ("bad data", "growth") if seen[key] is None)
    if not unknown and (seen["jumps"] or seen["large update"] or seen["grown"]):
        return verdicts.STEP_TOO_LARGE, ()
    return verdicts.NOT_ENOUGH_EVIDENCE, (*unknown, "break")


def _decide_unlearnt(trace: Trace, seen: Seen) -> Decision:
    """Decide on a finite run whose loss has not clearly fallen: the first cause in time counts."""
    kinds = {True: verdicts.SMALL_INIT, False: verdicts.SATURATION}
    large = (
        None
        if seen["overshoot"] is None and not seen["jumps"]
        else seen["jumps"] or seen["overshoot"]
    )
    causes = (
        ("dead", seen["dead"], verdicts.DEAD_UNITS),
        ("growth", seen["growth"], verdicts.EXPLODING),
        ("decay", seen["decay"], kinds.get(seen["signal"])),  # type: ignore[arg-type]
        ("jumps", large, verdicts.STEP_TOO_LARGE),
        ("unmoved", seen["unmoved"], verdicts.STEP_TOO_SMALL),
    )
    for key, present, verdict in causes:
        if present is None:
            return verdicts.NOT_ENOUGH_EVIDENCE, (key,)
        if present and verdict is None:
            return verdicts.NOT_ENOUGH_EVIDENCE, ("signal",)
        if present and verdict is not None:
            return verdict, ()
    if seen["fallen"] is None:
        return verdicts.HEALTHY, ()
    return verdicts.NOT_ENOUGH_EVIDENCE, tuple(key for key, _, _ in causes)
