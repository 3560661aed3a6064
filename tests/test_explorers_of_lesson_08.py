"""Lesson 08: the angle, the cliff, its explorer, and the plots of clipping."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import plots
from course_utils.claims import by_id
from course_utils.claims.clipping import FIXED_RATES, THRESHOLDS
from course_utils.claims.evidence import stored
from course_utils.cliff import LINKS, cliff_descent, cliff_gradient, cliff_loss
from course_utils.explorers import clipping_explorer
from course_utils.explorers.clipping import HIGH, LOW, START
from course_utils.norms import degrees_between, l2_norm
from course_utils.training import clip_by_norm, clip_by_value

ANGLES = st.floats(min_value=-math.pi, max_value=math.pi)
SIZES = st.floats(min_value=1e-250, max_value=1e250)
WEIGHTS = st.floats(min_value=0.2, max_value=1.5)
THRESHOLD = st.floats(min_value=1e-3, max_value=1e3)


def vector(angle, size=1.0):
    return size * np.array([math.cos(angle), math.sin(angle)])


@given(one=ANGLES, turn=st.floats(min_value=0, max_value=math.pi), sizes=st.tuples(SIZES, SIZES))
def test_the_angle_is_the_one_turned_by_whatever_the_lengths(one, turn, sizes):
    first, second = vector(one, sizes[0]), vector(one + turn, sizes[1])
    assert degrees_between(first, second) == pytest.approx(math.degrees(turn), abs=1e-9)
    assert degrees_between(second, first) == degrees_between(first, second)


def test_a_tiny_angle_keeps_its_digits_where_the_arc_cosine_has_none():
    one, other = np.array([1.0, 0.0]), np.array([1.0, 1e-9])
    assert math.acos(min(1.0, one @ other / l2_norm(other))) == 0
    assert degrees_between(one, other) == pytest.approx(math.degrees(1e-9), rel=1e-12)


@pytest.mark.parametrize("bad", [[0.0, 0.0], [math.inf, 1.0], [math.nan, 1.0]])
def test_what_has_no_direction_has_no_angle(bad):
    assert math.isnan(degrees_between(bad, [1.0, 0.0]))
    assert math.isnan(degrees_between([1.0, 0.0], bad))


def test_the_lesson_s_own_example():
    gradient = np.array([100.0, 1.0])
    assert f"{degrees_between(gradient, clip_by_value(gradient, 1.0)):.2f}" == "44.43"
    assert degrees_between(gradient, clip_by_norm(gradient, 1.0)) < 1e-9


@given(a=WEIGHTS, b=WEIGHTS)
def test_the_gradient_of_the_cliff_is_that_of_its_loss(a, b):
    gradient = cliff_gradient((a, b))
    for axis in range(2):
        step = np.zeros(2)
        step[axis] = 1e-6
        slope = (cliff_loss(a + step[0], b + step[1]) - cliff_loss(a - step[0], b - step[1])) / 2e-6
        assert slope == pytest.approx(gradient[axis], rel=1e-5, abs=1e-6 * (1 + abs(gradient[0])))


@given(a=st.floats(min_value=0.9, max_value=1.5))
def test_the_valley_is_flat_and_at_0(a):
    place = (a, a**-LINKS)
    assert cliff_loss(*place) == pytest.approx(0, abs=1e-20)
    assert l2_norm(cliff_gradient(place)) == pytest.approx(0, abs=1e-9)


@given(threshold=THRESHOLD)
def test_no_step_is_longer_than_the_rate_times_the_threshold(threshold):
    clip = partial(clip_by_norm, threshold=threshold)
    path = cliff_descent(START, learning_rate=0.01, steps=15, clip=clip)
    lengths = np.array([l2_norm(step) for step in np.diff(path, axis=0)])
    assert (lengths <= 0.01 * threshold * (1 + 1e-9) + 1e-12).all()
    # on the wall the gradient is longer than any of these thresholds
    assert lengths[0] == pytest.approx(0.01 * threshold)


def test_an_unclipped_descent_is_plain_gradient_descent_and_may_leave_the_floats():
    path = cliff_descent((1.05, 0.9), learning_rate=1e-3, steps=3)
    for before, after in pairwise(path):
        assert np.array_equal(after, before - 1e-3 * cliff_gradient(before))
    assert np.isnan(cliff_descent(START, learning_rate=0.01, steps=40)[-1]).all()


def test_a_descent_of_no_steps_is_refused():
    with pytest.raises(ValueError, match="steps must be >= 1, got 0"):
        cliff_descent(START, learning_rate=0.01, steps=0)


@pytest.mark.parametrize(
    ("threshold", "ends"),
    [
        (LOW, "by norm is still on the wall"),
        (10.0, "by norm is in the valley, loss 0"),
        (100.0, "by norm lies on the plain, loss 0.50"),
        (HIGH, "by norm leaps out of the picture"),
    ],
)
def test_the_sentence_tells_where_the_path_ends(threshold, ends):
    explorer = clipping_explorer()
    explorer.controls["threshold"].value = threshold
    assert ends in explorer.sentence


def test_the_sentence_tells_the_angle_of_the_first_step():
    explorer = clipping_explorer(threshold=1.0)
    gradient = cliff_gradient(START)
    turned = degrees_between(gradient, clip_by_value(gradient, 1.0))
    assert 30 < turned < 45
    assert f"turns the first gradient by {turned:.0f}°" in explorer.sentence
    explorer.controls["threshold"].value = HIGH  # above both entries: nothing is cut
    assert "turns the first gradient by 0°" in explorer.sentence


def test_a_higher_loss_is_darker():
    losses = 10.0 ** np.array([[-3.0, -1.5, 0.5], [0.5, 2.5, 3.5]])
    axes = plots.plot_loss_map([0, 1, 2], [0, 1], losses, xlabel="a", ylabel="b")
    (shades,) = axes.collections
    lightness = [shades.cmap(shades.norm(d))[0] for d in np.arange(-1.5, 4)]
    assert lightness == sorted(lightness, reverse=True)
    assert lightness[0] > lightness[-1] + 0.2
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("a", "b")


def test_a_path_is_drawn_place_by_place():
    axes = plots.plot_loss_map([0, 1], [0, 1], np.ones((2, 2)), xlabel="a", ylabel="b")
    line = plots.plot_path([(0, 1), (0.5, 0.25), (1, 0)], label="path", ax=axes)
    assert line.get_xydata().tolist() == [[0, 1], [0.5, 0.25], [1, 0]]
    assert line.get_label() == "path"


def test_only_what_is_above_the_threshold_is_shaded():
    norms = [100.0, 50.0, 5.0, 2.0, 1.0]
    axes = plots.plot_norms_and_threshold(norms, 10.0, label="norm")
    curve, level = axes.lines
    assert curve.get_ydata().tolist() == norms
    assert set(level.get_ydata()) == {10.0}
    corners = np.vstack([path.vertices for path in axes.collections[0].get_paths()])
    assert (corners[:, 0].min(), corners[:, 0].max()) == (0, 1)
    assert (corners[:, 1].min(), corners[:, 1].max()) == (10, 100)


def test_each_threshold_shows_median_and_range():
    shares = np.array([[0.1, 0.5], [0.2, 0.9], [0.6, 0.8]])
    axes = plots.plot_by_threshold([1.0, 10.0], shares, label="seeds")
    assert axes.lines[0].get_ydata() == pytest.approx([20, 80])
    corners = np.vstack([path.vertices for path in axes.collections[0].get_paths()])
    for where, low, high in ((1.0, 10, 60), (10.0, 50, 90)):
        column = corners[corners[:, 0] == where, 1]
        assert (column.min(), column.max()) == pytest.approx((low, high))
    assert axes.get_xscale() == "log"


def test_each_part_of_the_claim_can_come_out_the_other_way():
    claim, figures = by_id("R2"), stored(by_id("R2"))[0]
    opposite = {
        "cures_explosion": {"nan_step": math.nan},
        "limits_the_values": {"by_value": 0.1},
        "not_for_vanishing": {"sigmoid_difference": 1e-30},
        "any_threshold": dict.fromkeys(THRESHOLDS, 0.9),
        "too_small_is_too_slow": {"clip_1e-2": 0.9},
        "finite_is_not_cured": {"loose_finite": 0.99},
        "norms_tell_the_threshold": {"chosen_threshold": 300.0},
        "a_smaller_rate_does_as_well": {"fixed_rate": 1.0},
        "by_value_turns": {"norm_turns": 1.0},
    }
    assert opposite.keys() == {part.name for part in claim.parts}
    for part in claim.parts:
        assert part.test(figures) is part.expected
        assert part.test({**figures, **opposite[part.name]}) is not part.expected, part.name


def test_the_claim_says_the_settings_that_it_measures():
    assert sorted(THRESHOLDS.values()) == [0.01, 0.1, 1, 10, 100, 1_000, 10_000]
    part = next(p for p in by_id("R2").parts if p.name == "a_smaller_rate_does_as_well")
    assert all(f"{rate:g}" in part.sentence for rate in FIXED_RATES)
