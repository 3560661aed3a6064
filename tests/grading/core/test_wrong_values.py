"""Wrong values of a class: grouped as the grader compares, and not by the string."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.grading.pages import wrong_values
from course_utils.grading.pages.wrong_values import MAX_CHARACTERS, TOO_LONG, WrongValues
from course_utils.grading.values import same_lines


def lines(*numbers):
    return tuple(f"value: {number:.6e}" for number in numbers)


def counts(*given_values):
    found = WrongValues()
    for values in given_values:
        found.add(values)
    return [group.count for group in found.commonest(100)]


def test_values_within_the_tolerance_are_one_group():
    assert counts(lines(1, 2), lines(1.000001, 2), lines(1.001, 2), lines(1)) == [2, 1, 1]


def test_the_commonest_come_first_and_of_equals_the_first_given():
    found = WrongValues()
    for number in (1, 2, 3, 3, 4, 4, 5):
        found.add(lines(number), f"name {number}")
    assert [(g.misconception, g.count) for g in found.commonest(4)] == [
        ("name 3", 2),
        ("name 4", 2),
        ("name 1", 1),
        ("name 2", 1),
    ]


def test_a_hidden_check_that_printed_nothing_counts_nothing():
    assert counts((), ()) == []


def test_values_without_end_are_not_kept():
    found = WrongValues()
    for size in (MAX_CHARACTERS + 1, 10 * MAX_CHARACTERS):
        found.add(("value: " + "1" * size,))
    (group,) = found.commonest(5)
    assert (group.values, group.count) == (TOO_LONG, 2)


@pytest.mark.parametrize(
    "values",
    [lines(0, 0), ("value: nan",), ("value: inf", "value: -inf"), ("value: none",), lines(0, 3)],
)
def test_zeros_and_what_has_no_size_are_grouped_too(values):
    assert counts(values, values, lines(7)) == [2, 1]


@given(st.floats(1e-300, 1e300), st.floats(-9e-6, 9e-6))
def test_a_drawer_never_parts_what_agrees(number, change):
    first, second = lines(number), lines(number * (1 + change))
    assert (counts(first, second) == [2]) == same_lines(first, second)


def test_ten_thousand_different_values_take_few_comparisons(monkeypatch):
    calls = []

    def counted(first, second):
        calls.append(1)
        return same_lines(first, second)

    monkeypatch.setattr(wrong_values, "same_lines", counted)
    rng = random.Random(3)
    assert len(counts(*(lines(rng.lognormvariate(0, 3)) for _ in range(10_000)))) > 9
    assert len(calls) < 100_000
