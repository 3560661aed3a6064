"""Layers to build with, forward and backward: dense, activation, norms, residual blocks."""

from course_utils.layers.deep_net import deep_net
from course_utils.layers.dense import Activate, Dense
from course_utils.layers.layer import Layer
from course_utils.layers.normalization import (
    BatchNorm,
    LayerNorm,
    Standardized,
    standardize,
    standardize_backward,
)
from course_utils.layers.residual import Residual
from course_utils.layers.signals import PerLayer, StackSignals
from course_utils.layers.stack import Stack

__all__ = [
    "Activate",
    "BatchNorm",
    "Dense",
    "Layer",
    "LayerNorm",
    "PerLayer",
    "Residual",
    "Stack",
    "StackSignals",
    "Standardized",
    "deep_net",
    "standardize",
    "standardize_backward",
]
