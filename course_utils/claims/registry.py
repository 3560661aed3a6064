"""Every claim that an experiment decides, in the order of the summary.

A further lesson adds its claims in one module with a tuple CLAIMS, and one line here.
"""

from __future__ import annotations

from course_utils.claims import chain, clipping, depth, exploding, initialization, vanishing
from course_utils.claims.claim import Claim
from course_utils.claims.sentences import SUMMARY

_MODULES = (chain, clipping, depth, exploding, initialization, vanishing)
_BY_ID = {claim.id: claim for module in _MODULES for claim in module.CLAIMS}
CLAIMS: tuple[Claim, ...] = tuple(_BY_ID[id_] for id_ in SUMMARY if id_ in _BY_ID)


def by_id(claim_id: str) -> Claim:
    """The claim with this id, e.g. "V1".

    Raises ValueError for an id that is no sentence of the summary, or that nothing decides yet.
    """
    if claim_id not in SUMMARY:
        raise ValueError(
            f"claim_id must name a sentence of the summary, got {claim_id!r}. Choose from "
            f"{', '.join(SUMMARY)}."
        )
    if claim_id not in _BY_ID:
        raise ValueError(
            f"No experiment decides {claim_id} yet, only {', '.join(_BY_ID)}. Add its Claim to a "
            "module of course_utils.claims and name that module in registry.py."
        )
    return _BY_ID[claim_id]
