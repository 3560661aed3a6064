"""Training: stochastic gradient descent, clipping, and a record of every step."""

from course_utils.training.descent import SGD, Descent, clip_by_norm, clip_by_value
from course_utils.training.history import RECORDABLE, History, NonFinite
from course_utils.training.loop import minibatches, train

__all__ = [
    "RECORDABLE",
    "SGD",
    "Descent",
    "History",
    "NonFinite",
    "clip_by_norm",
    "clip_by_value",
    "minibatches",
    "train",
]
