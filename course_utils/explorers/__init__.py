"""What a learner moves: recorded predictions, and sliders over persistent figures."""

from course_utils.explorers.activation import activation_explorer
from course_utils.explorers.backprop import difference_explorer
from course_utils.explorers.chain_rule import chain_explorer
from course_utils.explorers.clipping import clipping_explorer
from course_utils.explorers.diagnosis import trace_explorer
from course_utils.explorers.edge_of_chaos import edge_explorer
from course_utils.explorers.exploding import growth_explorer
from course_utils.explorers.floats import staircase_explorer
from course_utils.explorers.initialization import initialization_explorer
from course_utils.explorers.labelling import Labelling, label_traces
from course_utils.explorers.normalization import normalization_explorer
from course_utils.explorers.prediction import Prediction, predict, predictions_summary
from course_utils.explorers.residuals import residual_explorer
from course_utils.explorers.through_time import through_time_explorer
from course_utils.explorers.vanishing import vanishing_explorer

__all__ = [
    "Labelling",
    "Prediction",
    "activation_explorer",
    "chain_explorer",
    "clipping_explorer",
    "difference_explorer",
    "edge_explorer",
    "growth_explorer",
    "initialization_explorer",
    "label_traces",
    "normalization_explorer",
    "predict",
    "predictions_summary",
    "residual_explorer",
    "staircase_explorer",
    "through_time_explorer",
    "trace_explorer",
    "vanishing_explorer",
]
