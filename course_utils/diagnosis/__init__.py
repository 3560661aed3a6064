"""From recorded numbers to named symptoms, a verdict, and the remedy to try first."""

from course_utils.diagnosis.judging import Diagnosis, diagnose
from course_utils.diagnosis.statistics import profile_slope
from course_utils.diagnosis.symptoms import Symptom
from course_utils.diagnosis.trace import Trace
from course_utils.diagnosis.verdicts import BY_NAME, VERDICTS, Verdict

__all__ = [
    "BY_NAME",
    "VERDICTS",
    "Diagnosis",
    "Symptom",
    "Trace",
    "Verdict",
    "diagnose",
    "profile_slope",
]
