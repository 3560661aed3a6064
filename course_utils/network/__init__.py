"""A deep multilayer perceptron that records every layer's signals."""

from course_utils.network.layer_arrays import LayerArrays
from course_utils.network.mlp import MLP
from course_utils.network.signals import Signals
from course_utils.network.trainable import Trainable

__all__ = ["MLP", "LayerArrays", "Signals", "Trainable"]
