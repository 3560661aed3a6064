"""diagnose(): looks for every symptom, decides, and writes the note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from types import MappingProxyType

import numpy as np

from course_utils.diagnosis import course, start, thresholds, verdicts
from course_utils.diagnosis.deciding import Seen, decide
from course_utils.diagnosis.symptoms import (
    Symptom,
    had_learnt,
    loss_has_fallen,
    loss_jumps,
    loss_on_plateau,
    nearly_solved,
    run_is_short,
)
from course_utils.diagnosis.trace import Trace
from course_utils.training import History

_WIDTH = 92  # JupyterLab breaks a longer line within a word
LOOKS: Mapping[str, Callable[[Trace], Symptom]] = MappingProxyType(
    {
        "too short": run_is_short,
        "fallen": loss_has_fallen,
        "had learnt": had_learnt,
        "plateau": loss_on_plateau,
        "solved": nearly_solved,
        "growth": start.grows_through_layers,
        "decay": start.gradient_decays,
        "tiny alike": start.tiny_alike,
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
)
# What to read out for each verdict: the symptoms that are present, and after "not" those whose
# absence speaks for it.
CITED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        verdicts.HEALTHY: ("fallen", "solved", "not overshoot"),
        verdicts.SATURATION: ("not fallen", "decay", "not signal", "slopes", "frozen"),
        verdicts.SMALL_INIT: ("not fallen", "decay", "signal", "tiny alike"),
        verdicts.EXPLODING: ("growth", "jumps", "died", "break", "not fallen"),
        verdicts.DEAD_UNITS: ("dead", "not fallen"),
        verdicts.STEP_TOO_LARGE: (
            *("not growth", "had learnt", "jumps", "overshoot", "large update", "died", "break"),
            "not fallen",
        ),
        verdicts.STEP_TOO_SMALL: ("not fallen", "not decay", "unmoved"),
        verdicts.BAD_DATA: ("break", "bad data"),
        verdicts.NOT_ENOUGH_EVIDENCE: ("fallen", "not fallen"),
    }
)


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
        if self.needs:
            return "The verdict is another one."
        return verdicts.BY_NAME[self.verdict].check

    @property
    def lesson(self) -> str:
        """The number of the lesson that treats the remedy."""
        return verdicts.BY_NAME[self.verdict].lesson

    def __str__(self) -> str:
        """Return the note: verdict, evidence, remedy, and how to see that it worked."""
        lines = [
            f"Verdict: {self.verdict}",
            verdicts.BY_NAME[self.verdict].means,
            "Evidence:",
            *(f"  - {sentence}" for sentence in self.evidence),
            f"Try first: {self.remedy} (Lesson {self.lesson}.)",
            f"It worked if: {self.check}",
        ]
        return "\n".join(fill(line, _WIDTH, subsequent_indent="    ") for line in lines)


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
    verdict, undecided = decide(_seen(trace, symptoms), classes_known=trace.classes is not None)
    return Diagnosis(
        verdict,
        _evidence(verdict, undecided, symptoms),
        _needs(trace, [symptoms[key] for key in undecided]),
        MappingProxyType(symptoms),
    )


def _needs(trace: Trace, undecided: Sequence[Symptom]) -> tuple[str, ...]:
    missing = _missing(trace, undecided)
    if missing or all(symptom.present is not None for symptom in undecided):
        return missing
    return ("more steps",)  # what was seen lies between the thresholds


def _missing(trace: Trace, symptoms: Sequence[Symptom]) -> tuple[str, ...]:
    wanted = dict.fromkeys(need for symptom in symptoms for need in symptom.needs)
    return tuple(need for need in wanted if need not in trace.recorded)


def _evidence(
    verdict: str, undecided: tuple[str, ...], symptoms: Mapping[str, Symptom]
) -> tuple[str, ...]:
    told = []
    for cited in CITED[verdict]:
        if symptoms["break"].present and cited == "not fallen":
            continue  # where a run that broke had got to is no end
        symptom = symptoms[cited.removeprefix("not ")]
        # What was only nearly seen is told as not seen: its sentence says how far it went.
        if bool(symptom.present) is not cited.startswith("not "):
            told.append(symptom.evidence)
    told += [symptoms[key].evidence for key in undecided]
    return tuple(dict.fromkeys(told))


def _trace_of(run: History | Trace, classes: int | None) -> Trace:
    if isinstance(run, History):
        return Trace.from_history(run, classes=classes)
    if isinstance(run, Trace):
        return run if classes is None else run.replaced(classes=classes)
    raise TypeError(
        f"run must be a Trace or a History, got {type(run).__name__}. Pass "
        "Trace(loss=…, grad_weight_norm=…) for arrays of your own."
    )


def _seen(trace: Trace, symptoms: Mapping[str, Symptom]) -> Seen:
    seen = {key: symptom.present for key, symptom in symptoms.items()}
    stuck = seen["fallen"] is False and not seen["break"]
    if stuck and trace.steps >= thresholds.PATIENCE:
        for key in ("dead", "growth", "decay", "signal", "jumps"):
            if seen[key] is None and not _missing(trace, [symptoms[key]]):
                seen[key] = True
    return seen
