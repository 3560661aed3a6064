"""From recorded numbers to named symptoms, a verdict, and the remedy to try first."""

from course_utils.diagnosis.trace import Trace
from course_utils.diagnosis.verdicts import BY_NAME, VERDICTS, Verdict

__all__ = ["BY_NAME", "VERDICTS", "Trace", "Verdict"]
