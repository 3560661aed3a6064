"""Lesson 11's explorer and plots show what was measured beside what theory predicts."""

import math
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from course_utils import plots
from course_utils.explorers import residual_explorer
from course_utils.explorers.residuals import MAX_BLOCKS, curves, measured_growth
from course_utils.theory import residual_growth

SETTINGS = [(0.0, 50), (0.14, 50), (0.5, 20), (1.0, MAX_BLOCKS), (0.3, 2)]


def moved(scale, blocks):
    explorer = residual_explorer()
    explorer.controls["branch_scale"].value = scale
    explorer.controls["blocks"].value = blocks
    return explorer


def told(explorer):
    """The four numbers of the sentence: predicted growth, signal, gradient, scale for e."""
    numbers = re.search(
        r"L = ([\de.+]+); .* grows ([\de.+]+)-fold .* gradient ([\de.+]+)-fold. Up to a = ([\d.]+)",
        explorer.sentence,
    )
    return [float(number) for number in numbers.groups()]


@pytest.mark.parametrize(("scale", "blocks"), SETTINGS)
def test_the_sentence_tells_prediction_and_measurement(scale, blocks):
    predicted, signal, gradient, level = told(moved(scale, blocks))
    growth = measured_growth(scale, blocks)
    rounding = 0.06  # of numbers written as 1.1e+18, at worst
    assert predicted == pytest.approx(residual_growth(blocks, branch_scale=scale)[-1], rel=rounding)
    assert signal == pytest.approx(growth.signal[:, -1].mean(), rel=rounding)
    assert gradient == pytest.approx(growth.gradient[:, 0].mean(), rel=rounding)
    assert blocks * math.log1p(level**2) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("scale", [0.0, 0.1, 0.14, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("blocks", [5, 50, MAX_BLOCKS])
def test_what_is_measured_stays_near_the_prediction_by_eye(scale, blocks):
    drawn = curves(measured_growth(scale, blocks), scale)
    for measured, predicted in zip(drawn[:2], drawn[2:], strict=True):
        assert measured.shape == predicted.shape == (blocks + 1,)
        assert np.abs(measured - predicted).max() < 0.8
    assert drawn[2] == pytest.approx(np.log10(residual_growth(blocks, branch_scale=scale)))


def test_a_measured_mean_has_its_range_behind_it_and_the_prediction_upon_it():
    measured = np.array([[1.0, 2.0, 6.0], [1.0, 4.0, 0.0]])
    ax = plots.plot_with_prediction(measured, [1.0, 3.0, 5.0], label="nets")
    mean, predicted = ax.lines
    assert mean.get_xydata().tolist() == [[0, 1], [1, 3], [2, 3]]
    assert predicted.get_ydata().tolist() == [1, 3, 5]
    (band,) = ax.collections
    edges = band.get_paths()[0].vertices
    assert edges[:, 1].min() == 0
    assert edges[:, 1].max() == 6
    assert to_rgba(band.get_facecolor()[0][:3]) == to_rgba(mean.get_color())
    assert ax.get_legend_handles_labels()[1] == ["nets"]


def test_the_key_looks_like_the_predictions():
    ax = plots.plot_with_prediction([[1.0, 2.0]], [1.0, 2.0])
    key, drawn = plots.key_of_prediction(), ax.lines[1]
    assert key.get_color() == drawn.get_color()
    assert key.get_linestyle() == drawn.get_linestyle()
    assert key.get_label() == "predicted"


def test_a_walk_goes_once_round():
    ax = plots.plot_walk([0.0, 1.0, 0.0, -1.0], label="one")
    assert ax.lines[0].get_xydata().tolist() == [[0, 0], [0.5, 1], [1, 0], [1.5, -1]]
    assert ax.get_xlim() == (0, 2)
    assert "π" in ax.get_xlabel()
