"""Plots of a training run draw what they are given; an exact 0 stands apart from the tiny."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgba

from course_utils import plots
from course_utils.figures import new_figure
from course_utils.plots.training import EXACT_ZERO


def drawn(sizes, limits=(1e-12, 1.0)):
    """The colours on screen, (layers, steps, 4), of sizes given as (steps, layers)."""
    image = plots.plot_layer_by_step(sizes, limits=limits).images[0]
    return image.cmap(image.norm(image.get_array()))


@given(
    st.lists(st.floats(0, 3), min_size=1, max_size=30).flatmap(
        lambda loss: st.tuples(st.just(loss), st.integers(1, len(loss)))
    )
)
def test_a_smoothed_loss_is_the_mean_of_the_steps_that_end_there(case):
    loss, smooth = case
    (line,) = plots.plot_loss_by_step(loss, smooth=smooth).lines
    assert len(line.get_xdata()) == len(loss) - smooth + 1
    for step, mean in line.get_xydata():
        last = int(step)
        assert mean == pytest.approx(np.mean(loss[last - smooth + 1 : last + 1]))


@pytest.mark.parametrize("smooth", [0, 4])
def test_a_loss_cannot_be_smoothed_over_more_steps_than_there_are(smooth):
    with pytest.raises(ValueError, match=rf"within 1 … 3 steps, got {smooth}\. Pass"):
        plots.plot_loss_by_step([1.0, 2.0, 3.0], smooth=smooth)


def test_depths_stand_at_even_places_under_their_own_names():
    ax = plots.plot_by_depth([2, 5, 20], [0.1, 0.2, 0.3], label="loss")
    plots.plot_by_depth([2, 5, 20], [0.3, 0.2, 0.1], ax=ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2", "5", "20"]
    assert ax.lines[0].get_xydata().tolist() == [[0, 0.1], [1, 0.2], [2, 0.3]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["loss"]
    assert len(ax.lines) == 2


def test_layers_lie_in_rows_with_layer_0_at_the_bottom():
    sizes = np.array([[1e-6, 1.0], [1e-3, 1e-1], [1e-2, 1e-4]])
    ax = plots.plot_layer_by_step(sizes, limits=(1e-6, 1.0))
    (image,) = ax.images
    assert np.array_equal(image.get_array(), sizes.T)
    assert image.origin == "lower"
    bottom, top = ax.get_ylim()
    assert bottom < top


def test_equal_factors_are_equal_steps_of_the_scale():
    ax = plots.plot_layer_by_step([[1e-12, 1e-9, 1e-6, 1e-3, 1.0]], limits=(1e-12, 1.0))
    image = ax.images[0]
    heights = np.asarray(image.norm(image.get_array())).ravel()
    assert heights.tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1])


def test_only_an_exact_zero_has_the_colour_of_one():
    colours = drawn([[0.0, 5e-324, 1e-20, 1e-12, 1.0, 7.0]])[:, 0]
    is_zero = [tuple(colour) == to_rgba(EXACT_ZERO) for colour in colours]
    assert is_zero == [True, False, False, False, False, False]


def test_what_lies_beyond_the_scale_has_the_colour_of_its_end():
    below, low, high, above = drawn([[1e-30, 1e-12, 1.0, 1e9]])[:, 0]
    assert tuple(below) == tuple(low)
    assert tuple(above) == tuple(high)
    assert tuple(low) != tuple(high)


def test_the_colour_bar_is_labelled_in_powers_of_ten_and_there_only_when_asked_for():
    figure, panels = new_figure(columns=2)
    sizes = np.logspace(-12, 0, 6).reshape(2, 3)
    plots.plot_layer_by_step(sizes, limits=(1e-12, 1), ax=panels[0])
    assert len(figure.axes) == 2
    plots.plot_layer_by_step(sizes, limits=(1e-12, 1), colour_bar="norm", ax=panels[1])
    figure.canvas.draw()
    bar = figure.axes[2]
    assert bar.get_ylabel() == "norm"
    shown = [tick for tick in bar.get_yticks() if 1e-12 <= tick <= 1]
    assert len(shown) >= 3
    assert np.log10(shown) == pytest.approx(np.round(np.log10(shown)))
