"""What a learner moves: recorded predictions, and sliders over persistent figures."""

from course_utils.explorers.backprop import difference_explorer
from course_utils.explorers.chain_rule import chain_explorer
from course_utils.explorers.exploding import growth_explorer
from course_utils.explorers.floats import staircase_explorer
from course_utils.explorers.prediction import Prediction, predict, predictions_summary
from course_utils.explorers.vanishing import vanishing_explorer

__all__ = [
    "Prediction",
    "chain_explorer",
    "difference_explorer",
    "growth_explorer",
    "predict",
    "predictions_summary",
    "staircase_explorer",
    "vanishing_explorer",
]
