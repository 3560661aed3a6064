"""Plots draw what they are given, say what their axes are, and compute nothing."""

import numpy as np
import pytest

from course_utils import plots
from course_utils.figures import new_figure

DECADES = np.array([-3.0, -2.0, -1.0, 0.0])


@pytest.mark.parametrize(
    ("plot", "first"), [(plots.plot_gradient_by_layer, 0), (plots.plot_norms_by_power, 1)]
)
def test_a_line_is_drawn_as_given_and_both_axes_are_labelled(plot, first):
    ax = plot(DECADES, label="w = 0.1")
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [first + n for n in range(4)]
    assert line.get_ydata().tolist() == DECADES.tolist()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["w = 0.1"]
    assert ax.get_xlabel()
    assert "powers of ten" in ax.get_ylabel()


@pytest.mark.parametrize("plot", [plots.plot_gradient_by_layer, plots.plot_norms_by_power])
def test_a_second_line_goes_onto_the_axes_it_is_given(plot):
    _, ax = new_figure()
    assert plot(DECADES, ax=ax) is ax
    assert plot(DECADES + 1, ax=ax) is ax
    assert len(ax.lines) == 2
    assert ax.lines[0].get_color() != ax.lines[1].get_color()
    assert ax.get_legend() is None


def test_whole_numbers_alone_are_marked_on_the_layer_axis():
    ax = plots.plot_gradient_by_layer(DECADES)
    ax.figure.canvas.draw()
    assert all(tick == int(tick) for tick in ax.get_xticks())


def test_a_distribution_counts_every_draw_and_names_its_marks():
    ax = plots.plot_distribution([0.1, 0.2, 0.2, 5.0], marks=[("median", 0.2)], bins=10)
    assert sum(bar.get_height() for bar in ax.patches) == 4
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["median: 0.2"]
    assert ax.get_ylabel() == "draws"


def test_a_level_is_marked_with_its_meaning():
    _, ax = new_figure()
    plots.mark_level(-45, label="float32 ends", ax=ax)
    assert ax.lines[0].get_ydata() == pytest.approx([-45, -45])
    assert ax.texts[0].get_text() == "float32 ends"


def test_a_log_axis_names_whole_powers_of_ten_in_plain_text():
    _, ax = new_figure()
    ax.plot([1e-7, 1.0, 30.0])
    plots.log_axis(ax.yaxis)
    ax.figure.canvas.draw()
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    named = {
        label.get_text(): size
        for label, size in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)
    }
    assert named["10⁻⁷"] == pytest.approx(1e-7)
    assert not any("$" in name for name in named)
    assert len(ax.get_yticks(minor=True)) == 0
