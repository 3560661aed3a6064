"""The panels of a run and the confusion table draw what they are given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import plots
from course_utils.figures import new_figure
from course_utils.plots import diagnosis as drawn

LOSSES = np.array([2.0, 1e9, 1e-9, np.inf, np.nan])


def test_the_loss_stops_where_it_is_no_number_and_a_cross_says_so():
    ax = plots.plot_run_loss(LOSSES, guessing=2.3)
    guessing, loss, cross = ax.lines
    assert guessing.get_ydata() == pytest.approx([2.3, 2.3])
    assert loss.get_xdata().tolist() == [0, 1, 2]
    assert loss.get_ydata().tolist() == [2.0, drawn.LOSS_RANGE[1], drawn.LOSS_RANGE[0]]
    assert cross.get_xydata().tolist() == [[3, drawn.LOSS_RANGE[1]]]
    assert ax.get_yscale() == "log"


def test_a_finite_run_has_no_cross_and_no_guessing_no_line():
    loss, cross = plots.plot_run_loss([2.0, 1.0]).lines
    assert loss.get_ydata().tolist() == [2.0, 1.0]
    assert cross.get_xdata().size == 0


sizes = st.one_of(st.floats(0, 1e300), st.just(np.inf), st.just(np.nan))


@given(st.lists(st.tuples(sizes, sizes), min_size=1, max_size=5))
def test_a_heat_cell_is_the_power_of_ten_within_the_colours_or_no_number(rows):
    norms = np.array(rows)
    image = drawn.heat_image(norms)
    assert image.shape == norms.T.shape
    low, high = drawn.GRADIENT_DECADES
    for value, decades in zip(norms.T.flat, image.flat, strict=True):
        assert np.isnan(decades) == (not np.isfinite(value))
        if 10**low < value < 10**high:
            assert 10**decades == pytest.approx(value)
        elif np.isfinite(value):
            assert decades == (low if value < 1 else high)


def test_the_input_side_of_the_heat_is_at_the_bottom():
    ax = plots.plot_gradient_heat([[1e-5, 1.0], [1e-6, 10.0]])
    (image,) = ax.images
    assert image.origin == "lower"
    assert image.get_array().tolist() == [[-5, -6], [0, 1]]
    assert tuple(image.get_extent()) == (-0.5, 1.5, 0, 1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["input", "output"]


@pytest.mark.parametrize("plot", [plots.plot_update_ratios, plots.plot_depth_profile])
def test_two_lines_are_named_and_what_is_no_number_is_left_out(plot):
    values = np.array([[1e-3, 1e-2], [np.nan, 0.0]])
    ax = plot(values)
    first, second = ax.lines[-2:]
    assert first.get_label() != second.get_label()
    heights = [line.get_ydata().tolist() for line in (first, second)]
    low = ax.get_ylim()[0]
    expected = {
        plots.plot_update_ratios: [[-3], [-2, low]],
        plots.plot_depth_profile: [[-3, -2], [low]],
    }
    assert heights == expected[plot]


def test_a_profile_runs_from_input_to_output_whatever_the_depth():
    ax = plots.plot_depth_profile([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    assert ax.lines[0].get_xdata().tolist() == [0, 0.5, 1]


def test_the_confusion_table_writes_every_count_that_is_not_zero():
    counts = [[5, 0, 1], [0, 7, 0], [2, 0, 0]]
    ax = plots.plot_confusion(counts, ["a", "b", "c"])
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written == {(0, 0): "5", (2, 0): "1", (1, 1): "7", (0, 2): "2"}
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text() for label in labels][:3] == ["a", "b", "c"]
    assert "verdict" in ax.get_xlabel()
    assert "made" in ax.get_ylabel()


def test_a_truth_that_never_occurred_is_an_empty_row():
    ax = plots.plot_confusion([[0, 0], [0, 3]], ["a", "b"])
    assert [text.get_text() for text in ax.texts] == ["3"]


def test_a_row_holds_the_four_panels_of_one_run():
    _, row = new_figure(columns=4)
    norms = np.ones((2, 3))
    drawn_on = plots.plot_run_row(
        ([2.0, 1.0], norms, norms[:, :2], norms[:2]), title="A", row=row, guessing=2.3
    )
    assert list(drawn_on) == list(row)
    assert row[0].get_title(loc="left") == "A"
    assert row[0].lines[1].get_ydata().tolist() == [2.0, 1.0]
    assert row[1].images[0].get_array().shape == (3, 2)
    assert [len(ax.lines) for ax in row] == [3, 0, 3, 2]


def test_only_the_last_row_tells_the_steps():
    _, rows = new_figure(rows=2, columns=4)
    norms = np.ones((2, 3))
    for row, last in zip(rows, (False, True), strict=True):
        panels = ([2.0, 1.0], norms, norms[:, :2], norms[:2])
        plots.plot_run_row(panels, title="A", row=row, last=last)
    shown = [row[0].xaxis.get_major_ticks()[0].label1.get_visible() for row in rows]
    assert shown == [False, True]
