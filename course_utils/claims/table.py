"""The claim table: each sentence of the summary, its verdict, its figures, its deciding cell."""

from __future__ import annotations

import re

from course_utils.claims.bands import bands
from course_utils.claims.claim import Claim, verdict
from course_utils.claims.evidence import stored
from course_utils.claims.registry import CLAIMS
from course_utils.claims.sentences import SUMMARY

HEADINGS = ("claim", "the summary says", "verdict", "evidence: range over 20 seeds", "decided in")
NOT_YET = "not decided yet"
_POWER = re.compile(r"(?<=\d)e([+-]\d+)")  # 4e-16 would be broken in two at its hyphen
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class ClaimTable:
    """The rows of some claims: a Markdown table in Jupyter, plain lines elsewhere."""

    def __init__(self, ids: tuple[str, ...]) -> None:
        """Take the rows from the stored evidence; ids: which, in this order."""
        decided = {claim.id: claim for claim in CLAIMS}
        self.rows = [_row(claim_id, decided.get(claim_id)) for claim_id in ids]

    def _repr_markdown_(self) -> str:
        lines = [HEADINGS, ("---",) * len(HEADINGS)]
        for claim_id, says, found, instead, evidence, link in self.rows:
            told = f"**{found}.** {_in_a_cell(instead)}".rstrip() if link else f"*{found}*"
            cells = (f"**{claim_id}**", _in_a_cell(says), told, _in_a_cell(evidence), link)
            lines.append(cells)
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

    def __repr__(self) -> str:
        """One line a claim, then its evidence."""
        lines = []
        for claim_id, says, found, instead, evidence, _ in self.rows:
            lines.append(f"{claim_id} “{says}”: {found}{'. ' + instead if instead else ''}")
            lines += [f"   {evidence}"] if evidence else []
        return "\n".join(lines)


def claim_table(*ids: str) -> ClaimTable:
    """The table of these claims, e.g. claim_table("C1", "C2"); of the whole summary without any.

    Raises ValueError for an id that is no sentence of the summary, or if evidence is missing.
    """
    for claim_id in ids:
        if claim_id not in SUMMARY:
            raise ValueError(
                f"ids must name sentences of the summary, got {claim_id!r}. Choose from "
                f"{', '.join(SUMMARY)}."
            )
    return ClaimTable(ids or tuple(SUMMARY))


def link_to(claim: Claim) -> str:
    """A Markdown link from one lesson to the cell that decides this claim.

    JupyterLab opens the notebook and scrolls to the cell that `#cell-id=` names.
    """
    number, _, _ = claim.lesson.partition("_")
    return f"[lesson\u00a0{number}]({claim.lesson}.ipynb#cell-id={claim.cell})"


def _row(claim_id: str, claim: Claim | None) -> tuple[str, str, str, str, str, str]:
    if claim is None:
        return claim_id, SUMMARY[claim_id], NOT_YET, "", "", ""
    runs = stored(claim)
    ranges = bands(runs)
    evidence, instead = claim.evidence.format_map(ranges), claim.instead.format_map(ranges)
    return claim_id, claim.says, str(verdict(claim, runs)), instead, evidence, link_to(claim)


def _in_a_cell(text: str) -> str:
    """Text that neither ends its table cell nor reads as HTML, mathematics or a link."""
    text = _POWER.sub(lambda found: f"·10{str(int(found[1])).translate(_RAISED)}", text)
    for character in "\\|<>$[]^_`~*":
        replaced = {"<": "&lt;", ">": "&gt;"}.get(character, f"\\{character}")
        text = text.replace(character, replaced)
    return text
