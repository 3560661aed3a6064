"""What holds for the controls of every lesson's explorer."""

from collections.abc import Callable

import pytest

from course_utils import explorers
from course_utils.explorers import base

Build = Callable[[], base.Explorer]


def square(w):
    return w * w


# another value for each control; it differs from the one at the start
CONTROLS: dict[Build, dict[str, object]] = {
    explorers.staircase_explorer: {"base": 0.3},
    explorers.vanishing_explorer: {"depth": 8, "gain": 0.3, "activation": "relu"},
    explorers.growth_explorer: {"std": 0.2, "width": 30},
    explorers.activation_explorer: {"depth": 8, "activation": "tanh", "init": "1.5 · He"},
    explorers.clipping_explorer: {"threshold": 100.0},
    explorers.initialization_explorer: {
        "rule": "He",
        "activation": "relu",
        "gain": 1.5,
        "fan_in": 16,
        "fan_out": 20,
    },
    explorers.normalization_explorer: {
        "depth": 12,
        "batch": 8,
        "norm": "none",
        "activation": "tanh",
    },
    explorers.residual_explorer: {"branch_scale": 0.14, "blocks": 30},
    explorers.through_time_explorer: {"radius": 0.5, "shear": 0.0, "forget_bias": 5.0},
    explorers.edge_explorer: {"gain": 2.0, "bias_std": 0.3},
}


def of_a_square() -> base.Explorer:
    return explorers.difference_explorer(square, 2.0, 4.0)


CONTROLS[of_a_square] = {"exponent": -15, "dtype": "float32"}


@pytest.mark.parametrize(
    ("build", "name", "value"),
    [(build, name, value) for build, values in CONTROLS.items() for name, value in values.items()],
    ids=lambda part: getattr(part, "__name__", str(part)),
)
def test_each_control_changes_picture_and_sentence_and_back(build, name, value):
    explorer = build()
    shown, start = (explorer.png, explorer.sentence), explorer.values[name]
    frames = explorer.frames_drawn
    explorer.controls[name].value = value
    assert explorer.png != shown[0]
    assert explorer.sentence != shown[1]
    assert explorer.frames_drawn == frames + 1
    explorer.controls[name].value = start
    assert (explorer.png, explorer.sentence) == shown


@pytest.mark.parametrize("build", CONTROLS, ids=lambda build: build.__name__)
def test_no_control_is_left_out(build):
    assert set(CONTROLS[build]) == set(build().controls)
