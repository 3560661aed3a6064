"""From what an instructor has, a folder or a zip of any kind, to the hand-ins to grade."""

from course_utils.grading.intake.find import find_hand_ins
from course_utils.grading.intake.outcome import Intake, Missing, Superseded, Unplaced

__all__ = ["Intake", "Missing", "Superseded", "Unplaced", "find_hand_ins"]
