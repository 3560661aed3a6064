"""The summary's sentences put to the test: each decided by an experiment over twenty seeds.

`claim.py` says how a sentence becomes a verdict; the experiments stand in one module a lesson.
``python -m course_utils.claims`` prints the whole table, ``… write`` runs the experiments again.
"""

from course_utils.claims.claim import SEEDS, Claim, Part, Verdict, verdict
from course_utils.claims.deciding import decide
from course_utils.claims.registry import CLAIMS, by_id
from course_utils.claims.sentences import SUMMARY
from course_utils.claims.table import claim_table

__all__ = [
    "CLAIMS",
    "SEEDS",
    "SUMMARY",
    "Claim",
    "Part",
    "Verdict",
    "by_id",
    "claim_table",
    "decide",
    "verdict",
]
