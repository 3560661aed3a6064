"""Remedies against failures at a matched budget: what each cures, what not, and where it hurts.

Five failing or healthy networks, each without a remedy and with every remedy, one at a time:
the same digits, batches, steps and seeds. `judging.py` says how runs become a verdict;
``python -m course_utils.remedies`` prints the tables, ``… write`` runs everything again.
"""

from course_utils.remedies.catalogue import FAILURES, REMEDIES, Failure, Remedy
from course_utils.remedies.evidence import outcome, rerun
from course_utils.remedies.judging import Outcome, Verdict
from course_utils.remedies.setting import BATCH_SIZE, SEEDS, STEPS, Run, Setting
from course_utils.remedies.table import Table, outcome_table, remedy_table, verdict_grid

__all__ = [
    "BATCH_SIZE",
    "FAILURES",
    "REMEDIES",
    "SEEDS",
    "STEPS",
    "Failure",
    "Outcome",
    "Remedy",
    "Run",
    "Setting",
    "Table",
    "Verdict",
    "outcome",
    "outcome_table",
    "remedy_table",
    "rerun",
    "verdict_grid",
]
