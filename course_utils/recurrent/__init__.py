"""Networks that read a sequence: RNN and LSTM, with backpropagation through time."""

from course_utils.recurrent.lstm import GATES, LSTM
from course_utils.recurrent.matrices import (
    RECURRENT,
    departure_from_normality,
    log10_one_way_norms,
    one_way_matrix,
    recurrent_matrix,
    spectral_norm,
    spectral_radius,
    with_spectral_radius,
)
from course_utils.recurrent.network import RecurrentNet
from course_utils.recurrent.rnn import RNN
from course_utils.recurrent.signals import TimeSignals

__all__ = [
    "GATES",
    "LSTM",
    "RECURRENT",
    "RNN",
    "RecurrentNet",
    "TimeSignals",
    "departure_from_normality",
    "log10_one_way_norms",
    "one_way_matrix",
    "recurrent_matrix",
    "spectral_norm",
    "spectral_radius",
    "with_spectral_radius",
]
