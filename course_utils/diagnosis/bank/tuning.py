"""The runs that the thresholds of diagnose() were chosen on."""

from __future__ import annotations

from course_utils.diagnosis import verdicts
from course_utils.diagnosis.bank.runs import entry, labelled

_TO_TANH = {"activation": "tanh", "init": "xavier", "bias": 0.0, "bias_std": 0.0}
_GAIN_1 = {"gain": 1.0}
_TO_HE = {"init": "he", "gain": 1.0}
_CLEAN = {"poison": None}
_WHOLE = {"first": None, "without": ()}

TUNING = labelled(
    {"width": 24, "split": 0, "batch": 64, "seed": 0},
    {
        verdicts.HEALTHY: [
            entry("relu", 3, 0.1),
            entry("relu", 8, 0.05),
            entry("tanh", 12, 0.1),
            entry("sigmoid", 1, 2.0),
            entry("tanh", 2, 0.2, momentum=0.9, steps=200),
            entry("relu", 6, 0.02, momentum=0.9),
            entry("tanh", 5, 1.0, width=16),
            entry("relu", 4, 0.1, bias=-0.5),
            entry("relu", 2, 0.3, steps=150, width=16),
        ],
        verdicts.SATURATION: [
            entry("sigmoid", 6, 0.1, cure=_TO_TANH),
            entry("sigmoid", 8, 0.3, cure=_TO_TANH),
            entry("sigmoid", 10, 0.2, init="lecun", cure=_TO_TANH),
            entry("sigmoid", 6, 0.1, init="he", cure=_TO_TANH),
            entry("sigmoid", 20, 0.1, cure=_TO_TANH),
            entry("tanh", 12, 0.1, bias_std=4.0, cure=_TO_TANH),
            entry("tanh", 10, 0.1, bias_std=3.0, init="lecun", cure=_TO_TANH),
            entry("tanh", 8, 0.1, bias=2.0, cure=_TO_TANH),
            entry("sigmoid", 12, 0.1, width=16, cure=_TO_TANH),
        ],
        verdicts.SMALL_INIT: [
            entry("tanh", 6, 0.1, gain=0.2, cure=_GAIN_1),
            entry("tanh", 10, 0.1, gain=0.3, cure=_GAIN_1),
            entry("tanh", 8, 0.1, gain=0.4, width=16, cure=_GAIN_1),
            entry("tanh", 12, 0.1, gain=0.5, cure=_GAIN_1),
            entry("relu", 6, 0.1, gain=0.2, cure=_GAIN_1),
            entry("relu", 8, 0.1, gain=0.3, cure=_GAIN_1),
            entry("relu", 10, 0.1, gain=0.5, cure=_GAIN_1),
            entry("relu", 4, 0.1, init="normal", gain=0.01, cure=_TO_HE),
            entry("tanh", 5, 0.1, init="normal", gain=0.02, cure={"init": "xavier", "gain": 1.0}),
        ],
        verdicts.EXPLODING: [
            entry("relu", 10, 0.1, gain=2.0, cure=_GAIN_1),
            entry("relu", 10, 0.1, gain=2.0, width=16, cure=_GAIN_1),
            entry("relu", 12, 0.05, gain=1.6, cure=_GAIN_1),
            entry("relu", 8, 0.1, gain=2.0, cure=_GAIN_1),
            entry("relu", 6, 0.1, gain=3.0, cure=_GAIN_1),
            entry("tanh", 14, 0.1, gain=3.0, cure=_GAIN_1),
            entry("tanh", 10, 0.1, init="normal", gain=1.0, cure={"init": "xavier"}),
            entry("tanh", 12, 0.1, gain=5.0, cure=_GAIN_1),
            entry("leaky_relu", 10, 0.05, gain=2.0, cure=_GAIN_1),
        ],
        verdicts.DEAD_UNITS: [
            entry("relu", 3, 0.1, bias=-5.0, cure={"bias": 0.0}),
            entry("relu", 6, 0.1, bias=-2.0, cure={"bias": 0.0}),
            entry("relu", 4, 0.1, bias=-3.0, cure={"bias": 0.0}),
            entry("relu", 8, 0.1, bias=-1.0, cure={"bias": 0.0}),
            entry("relu", 2, 0.1, bias=-8.0, cure={"bias": 0.0}),
            entry("relu", 3, 0.1, bias=-1.5, cure={"bias": 0.0}),
            entry("relu", 2, 0.1, bias=-3.0, cure={"bias": 0.0}),
            entry("relu", 5, 0.1, bias=-1.0, width=16, cure={"bias": 0.0}),
        ],
        verdicts.STEP_TOO_LARGE: [
            entry("relu", 4, 3.0, cure={"learning_rate": 0.1}),
            entry("relu", 4, 10.0, cure={"learning_rate": 0.1}),
            entry("relu", 3, 100.0, cure={"learning_rate": 0.1}),
            entry("relu", 6, 2.0, width=16, cure={"learning_rate": 0.1}),
            entry("tanh", 5, 5.0, cure={"learning_rate": 0.1}),
            entry("tanh", 5, 10.0, cure={"learning_rate": 0.1}),
            entry("tanh", 3, 100.0, cure={"learning_rate": 0.1}),
            entry("tanh", 8, 1.0, momentum=0.9, cure={"learning_rate": 0.05}),
            entry("relu", 3, 0.8, momentum=0.9, cure={"learning_rate": 0.03}),
        ],
        verdicts.STEP_TOO_SMALL: [
            entry("relu", 4, 1e-4, cure={"learning_rate": 0.1}),
            entry("tanh", 6, 1e-4, cure={"learning_rate": 0.1}),
            entry("relu", 8, 1e-5, cure={"learning_rate": 0.1}),
            entry("tanh", 3, 1e-3, cure={"learning_rate": 0.1}),
            entry("sigmoid", 1, 1e-3, cure={"learning_rate": 1.0}),
            entry("relu", 6, 1e-5, cure={"learning_rate": 0.1}),
            entry("tanh", 10, 1e-4, momentum=0.9, cure={"learning_rate": 0.03}),
            entry("relu", 2, 3e-4, width=16, cure={"learning_rate": 0.1}),
        ],
        verdicts.BAD_DATA: [
            entry("relu", 4, 0.1, poison="feature", cure=_CLEAN),
            entry("tanh", 6, 0.1, poison="feature", cure=_CLEAN),
            entry("sigmoid", 1, 1.0, poison="feature", cure=_CLEAN),
            entry("relu", 4, 0.1, poison="example", cure=_CLEAN),
            entry("tanh", 4, 0.1, poison="example", cure=_CLEAN),
            entry("relu", 2, 0.1, poison="example", width=16, cure=_CLEAN),
            entry("tanh", 8, 0.1, poison="example", cure=_CLEAN),
            entry("relu", 8, 0.1, poison="example", cure=_CLEAN),
        ],
        verdicts.NOT_ENOUGH_EVIDENCE: [
            entry("relu", 4, 0.1, first=4, cure=_WHOLE),
            entry("tanh", 6, 0.1, first=1, cure=_WHOLE),
            entry("relu", 3, 0.1, first=8, cure=_WHOLE),
            entry("relu", 4, 0.1, shuffled=True, cure={"shuffled": False}),
            entry("tanh", 5, 0.1, shuffled=True, cure={"shuffled": False}),
            entry("relu", 4, 1e-4, without=("update_norm",), cure=_WHOLE | {"learning_rate": 0.1}),
            entry("sigmoid", 10, 0.1, first=5, cure=_WHOLE | _TO_TANH),
            entry(
                "tanh",
                10,
                0.1,
                gain=0.3,
                without=("grad_hidden_norm", "hidden_rms", "weight_norm"),
                cure=_WHOLE | _GAIN_1,
            ),
        ],
    },
)
