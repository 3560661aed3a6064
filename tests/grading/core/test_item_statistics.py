"""Item statistics: numbers worked by hand, and what must not change them."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.grading.pages.item_statistics import (
    LEAST_FOR_CORRELATION,
    LEAST_FOR_TAILS,
    Index,
    difficulty,
    item_rest_correlation,
    upper_lower,
)

people = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 15)), min_size=40, max_size=80)


def columns(rows):
    """Points on the question, and on the whole exercise."""
    return [own for own, _ in rows], [own + rest for own, rest in rows]


def test_the_share_earned_by_hand():
    assert difficulty([4, 0, 4, 2], 4) == pytest.approx(10 / 16)
    assert (difficulty([0, 0], 5), difficulty([5, 5], 5)) == (0, 1)


@pytest.mark.parametrize(("points", "of"), [([], 5), ([1], 0)])
def test_no_share_of_nothing(points, of):
    with pytest.raises(ValueError, match="No share"):
        difficulty(points, of)


def test_the_point_biserial_correlation_by_hand():
    # 20 people, half of them right. Rest scores: right 8 and 6, wrong 4 and 2, five each.
    # Means 7 and 3, p = q = 1/2, standard deviation sqrt(5): r = (7 - 3) / sqrt(5) * 1/2.
    rows = [(1, 8)] * 5 + [(1, 6)] * 5 + [(0, 4)] * 5 + [(0, 2)] * 5
    assert item_rest_correlation(*columns(rows)).value == pytest.approx(2 / math.sqrt(5))


def test_the_question_itself_is_taken_out_of_the_total():
    # the rest says nothing of the question, but the total would
    rows = [(5, 1), (5, 0), (0, 1), (0, 0)] * 5
    assert item_rest_correlation(*columns(rows)).value == pytest.approx(0)


def test_the_upper_lower_index_by_hand():
    # 100 people, totals all different: 27 of the best 27 have it, 9 of the last 27.
    totals = list(range(100))
    points = [4] * 9 + [0] * 64 + [4] * 27
    assert upper_lower(points, totals, 4).value == pytest.approx(1 - 9 / 27)


def test_people_tied_at_the_edge_count_in_part():
    # 100 people, one total each of three: 20 at the top, 60 in the middle, 20 at the bottom.
    # Of the 27 best, 7 are of the 60, of whom half have it, and so it is at the bottom.
    totals = [2] * 20 + [1] * 60 + [0] * 20
    points = [1] * 20 + [1] * 30 + [0] * 30 + [0] * 20
    assert upper_lower(points, totals, 1).value == pytest.approx((20 + 3.5) / 27 - 3.5 / 27)


@given(people, st.randoms())
def test_the_order_of_people_decides_nothing(rows, shuffler: random.Random):
    before = [index(*columns(rows)) for index in INDICES]
    shuffler.shuffle(rows)
    after = [index(*columns(rows)) for index in INDICES]
    for first, second in zip(before, after, strict=True):
        assert first.lack == second.lack
        assert first.value == pytest.approx(second.value)


INDICES = (item_rest_correlation, lambda points, totals: upper_lower(points, totals, 5))


@given(people)
def test_both_indices_lie_between_minus_one_and_one(rows):
    for index in INDICES:
        value = index(*columns(rows)).value
        assert value is None or -1 - 1e-9 <= value <= 1 + 1e-9


@given(people, st.integers(2, 9), st.integers(1, 50))
def test_scaling_and_shifting_the_points_changes_no_correlation(rows, scale, shift):
    scaled = [(scale * own, scale * rest + shift) for own, rest in rows]
    first = item_rest_correlation(*columns(rows))
    second = item_rest_correlation(*columns(scaled))
    assert first.lack == second.lack
    assert first.value == pytest.approx(second.value)


@given(people)
def test_turning_the_class_upside_down_turns_the_sign(rows):
    points, totals = columns(rows)
    first = upper_lower(points, totals, 5).value
    second = upper_lower(points, [-total for total in totals], 5).value
    assert second == (None if first is None else pytest.approx(-first))


@pytest.mark.parametrize(
    ("index", "least"),
    [(INDICES[0], LEAST_FOR_CORRELATION), (INDICES[1], LEAST_FOR_TAILS)],
)
def test_a_small_class_gets_a_reason_in_place_of_a_number(index, least):
    rows = [(n % 2, n) for n in range(least)]
    assert index(*columns(rows)).value is not None
    assert index(*columns(rows[1:])) == Index(None, f"fewer than {least} graded")


@pytest.mark.parametrize(
    ("index", "row", "lack"),
    [
        (INDICES[0], lambda n: (3, n), "all have the same points"),
        (INDICES[0], lambda n: (n % 2, 7), "all have the same points on the rest"),
        (INDICES[1], lambda n: (n % 2, 7 - n % 2), "all have the same total"),
    ],
)
def test_points_that_are_all_alike_get_a_reason_in_place_of_a_number(index, row, lack):
    assert index(*columns([row(n) for n in range(50)])) == Index(None, lack)
