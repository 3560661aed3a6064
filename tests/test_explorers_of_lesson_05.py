"""Lesson 05's explorer and plots show what the theory says."""

import math

import numpy as np
import pytest

from course_utils import plots
from course_utils.explorers import growth_explorer
from course_utils.explorers.exploding import DRAWS, LAYERS, TYPICAL_SEED
from course_utils.theory import log10_gaussian_growth, rms_log_growth, typical_log_growth

XLABEL, YLABEL = "step", "loss"


def told(explorer):
    """The two lengths that the sentence names, typical and root mean square, as log₁₀."""
    words = explorer.sentence.replace(":", " ").rstrip(".").split()
    typical, rms = words[words.index("typically") + 1], words[-1]
    return math.log10(float(typical)), math.log10(float(rms))


@pytest.mark.parametrize(("std", "width"), [(0.1, 25), (0.1, 100), (0.1, 400), (0.5, 2), (1.0, 1)])
def test_the_sentence_tells_typical_and_mean_growth(std, width):
    explorer = growth_explorer()
    explorer.controls["std"].value = std
    explorer.controls["width"].value = width
    typical, rms = told(explorer)
    assert typical == pytest.approx(
        LAYERS * typical_log_growth(std, width) / math.log(10), abs=0.01
    )
    assert rms == pytest.approx(LAYERS * rms_log_growth(std, width) / math.log(10), abs=0.01)
    assert f"σ·√width = {std * math.sqrt(width):.2f}" in explorer.sentence


@pytest.mark.parametrize("width", [1, 2, 5, 50])
def test_the_few_products_shown_lie_on_both_sides_of_the_typical_one(width):
    rng = np.random.default_rng(TYPICAL_SEED)
    ends = log10_gaussian_growth(0.5, width, layers=LAYERS, draws=DRAWS, rng=rng)[:, -1]
    typical = LAYERS * typical_log_growth(0.5, width) / math.log(10)
    assert DRAWS / 4 <= np.sum(ends > typical) <= 3 * DRAWS / 4


def test_sizes_that_are_no_numbers_stand_at_the_edge_in_the_line_s_colour():
    ax = plots.plot_sizes([0, 1, 2, 3], [1.0, 1e9, np.inf, np.nan], xlabel=XLABEL, ylabel=YLABEL)
    line, crosses = ax.lines
    assert ax.get_yscale() == "log"
    assert line.get_ydata()[:2].tolist() == [1.0, 1e9]
    assert np.isnan(line.get_ydata()[2:]).all()
    assert crosses.get_xdata().tolist() == [2, 3]
    assert crosses.get_color() == line.get_color()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "loss  (log axis)")


def test_finite_sizes_have_no_cross_and_a_second_line_keeps_the_first():
    ax = plots.plot_sizes([0, 1], [1.0, 2.0], xlabel=XLABEL, ylabel=YLABEL, label="one")
    plots.plot_sizes([0, 1], [3.0, 4.0], xlabel=XLABEL, ylabel=YLABEL, label="other", ax=ax)
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 0, 2, 0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "other"]


def test_products_are_drawn_with_their_median():
    decades = np.array([[0.0, 1.0, 2.0], [0.0, 3.0, 9.0], [0.0, 2.0, 1.0]])
    ax = plots.plot_products(decades)
    (paths,) = ax.collections
    assert [path[:, 1].tolist() for path in paths.get_segments()] == decades.tolist()
    (median,) = ax.lines
    assert median.get_ydata().tolist() == [0, 2, 2]
    low, high = ax.get_ylim()
    assert low < decades.min() < decades.max() < high
    assert ax.get_xlabel()
    assert ax.get_ylabel()
