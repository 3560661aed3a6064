"""The cell of a lesson that decides a claim: this run's figures against those of twenty seeds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from course_utils.claims.bands import Band, bands, in_format
from course_utils.claims.claim import SEEDS, Claim, Figures, settled, verdict
from course_utils.claims.evidence import Runs, stored
from course_utils.claims.registry import by_id

_WIDTH = 92  # JupyterLab breaks a longer line within a word
_HANGING = " " * len("  false  ")


def decide(claim_id: str, **figures: float) -> None:
    """Print the verdict on a claim, each part of it, and this run's figures beside the seeds'.

    claim_id: e.g. "V1". figures: what the lesson measured, under the names of the claim's own
    figures; all of them, no others.
    Raises ValueError for an unknown id or figures that do not fit, AssertionError if these figures
    make a part true that the seeds make false, or the other way round.
    """
    claim = by_id(claim_id)
    runs = stored(claim)
    _require_the_same_names(claim, figures, runs[0])
    _require_the_same_answers(claim, figures, runs)
    for line in _report(claim, figures, runs):
        hanging = " " * (len(line) - len(line.lstrip()))
        hanging = _HANGING if line.startswith(("  true", "  false")) else hanging
        print(textwrap.fill(line, _WIDTH, subsequent_indent=hanging, break_on_hyphens=False))


def _report(claim: Claim, figures: Figures, runs: Runs) -> Iterator[str]:
    ranges = bands(runs)
    yield f"{claim.id}. The summary says: “{claim.says}”"
    instead = claim.instead.format_map(ranges)
    yield f"Verdict: {verdict(claim, runs)}{'. ' + instead if instead else ''}"
    for claimed, heading in ((True, "What the summary claims"), (False, "What else was asked")):
        parts = [part for part in claim.parts if part.claimed is claimed]
        if parts:
            yield f"{heading}, on all {len(SEEDS)} seeds:"
        yield from (f"  {str(settled(part, runs)).lower():5}  {part.sentence}" for part in parts)
    yield f"Your run (in brackets: the range over {len(SEEDS)} seeds):"
    beside = {
        name: _Beside(None if name in claim.chaotic else float(value), ranges[name])
        for name, value in figures.items()
    }
    yield f"  {claim.evidence.format_map(beside)}"


@dataclass(frozen=True)
class _Beside:
    """A run's figure with the seeds' band behind it; the band alone where digits are chaotic."""

    value: float | None
    band: Band

    def __format__(self, spec: str) -> str:
        over_seeds = format(self.band, spec)
        if self.value is None:
            return over_seeds
        own = in_format(self.value, spec)
        return own if own == over_seeds else f"{own} ({over_seeds})"


def _require_the_same_names(claim: Claim, figures: Figures, names: Figures) -> None:
    for name in sorted(figures.keys() ^ names.keys()):
        problem = f"is missing {name}" if name in names else f"has no figure {name!r}"
        raise ValueError(f"decide({claim.id!r}) {problem}. Pass exactly {', '.join(names)}.")


def _require_the_same_answers(claim: Claim, figures: Figures, runs: Runs) -> None:
    for part in claim.parts:
        wanted = settled(part, runs)
        if wanted is None:
            raise AssertionError(
                f"{claim.id}: the seeds disagree whether {part.sentence}. Choose a setting in "
                "which all of them agree."
            )
        if bool(part.test(figures)) is not wanted:
            told = ", ".join(f"{name} = {value:.3g}" for name, value in figures.items())
            raise AssertionError(
                f"{claim.id}: “{part.sentence}” is {str(wanted).lower()} on all "
                f"{len(SEEDS)} seeds and {str(not wanted).lower()} in this run ({told}). Rerun "
                "the lesson from the top, or look what was changed."
            )
