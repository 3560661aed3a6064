"""The comparison of printed values: its laws, and what it must never let pass."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.grading.values import (
    RELATIVE_TOLERANCE,
    answer_lines,
    count_numbers,
    same_line,
    same_lines,
    value_lines,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NORMAL = st.floats(min_value=1e-290, max_value=1e290)
NUMBERS = st.lists(st.floats(), min_size=1, max_size=5)


def _line(numbers: list[float]) -> str:
    return "value: " + " ".join(f"{number:.6e}" for number in numbers)


@given(NUMBERS)
def test_a_line_agrees_with_itself(numbers: list[float]) -> None:
    assert same_line(_line(numbers), _line(numbers))
    assert count_numbers(_line(numbers)) == len(numbers)


@given(NORMAL, st.floats(min_value=-0.9, max_value=0.9))
def test_numbers_within_the_tolerance_agree(number: float, share: float) -> None:
    moved = number * (1 + share * RELATIVE_TOLERANCE)
    assert same_line(f"value: {number!r}", f"value: {moved!r}")


@given(NORMAL, st.floats(min_value=1.1, max_value=1e6), st.sampled_from((-1, 1)))
def test_numbers_beyond_the_tolerance_differ(number: float, share: float, sign: int) -> None:
    moved = number * (1 + sign * share * RELATIVE_TOLERANCE)
    assert not same_line(f"value: {number:.17e}", f"value: {moved:.17e}")


@given(FINITE.filter(lambda number: number != 0))
def test_nothing_but_zero_agrees_with_zero(number: float) -> None:
    assert not same_line("value: 0.000000e+00", f"value: {number!r}")
    assert not same_line(f"value: {number!r}", "value: 0.0")


@given(FINITE.filter(lambda number: number != 0))
def test_a_flipped_sign_differs(number: float) -> None:
    assert not same_line(_line([number]), _line([-number]))


@given(st.integers(min_value=-(10**12), max_value=10**12), st.integers(min_value=1, max_value=9))
def test_whole_numbers_agree_only_exactly(number: int, step: int) -> None:
    assert same_line(f"value: {number}", f"value: {float(number)!r}")
    assert not same_line(f"value: {number}", f"value: {number + step}")


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ("value: nan", "value: nan", True),
        ("value: nan", "value: -nan", True),
        ("value: inf", "value: inf", True),
        ("value: inf", "value: -inf", False),
        ("value: inf", "value: nan", False),
        ("value: inf", "value: 1e308", False),
        ("value: 1e400", "value: inf", True),
        ("value: 0.0", "value: -0.0", True),
        ("value: 1.5 2.5", "value: 2.5 1.5", False),
        ("value: 1.5 2.5", "value: 1.5", False),
        ("value: 1.5", "value: 1.5 1.5", False),
        ("value: 1.5 2.5", "value:  1.5   2.5", True),
        ("value: [1.5 2.5]", "value: [1.500001 2.5]", True),
        ("value: shape (2, 3)", "value: shape (2, 3)", True),
        ("value: shape (2, 3)", "value: shape (3, 2)", False),
        ("value: vanishing 1.5", "value: exploding 1.5", False),
        ("value: float32 1.5", "value: float64 1.5", False),
        ("value: nano", "value: info", False),
        ("value: 1.5", "✓ 1.5", False),
        ("✓ 1.1", "✓ 1.2", False),
        ("value: 1.5", "value: #", False),
        ("value: #", "value: 1.5", False),
        ("value: 1.5", "value: ١.٥", False),
        ("value: 1.5", "value: " + "9" * 5000, False),
        ("value: 1_5", "value: 15", False),
    ],
)
def test_a_table_of_lines(expected: str, got: str, same: bool) -> None:
    assert same_line(expected, got) is same


def test_lines_are_found_among_other_output() -> None:
    printed = "hello\nvalue: 1.5\nx = 3 value: 2.5\n  ✓ 1.1  \nvalues: 3\nvalue:4\r\n"
    assert answer_lines(printed) == ["value: 1.5", "value: 2.5", "✓ 1.1"]
    assert value_lines(printed) == ["value: 1.5", "value: 2.5"]


@given(st.lists(st.sampled_from(["value: 1.5", "value: 2.5", "✓ 1.1"]), max_size=4), st.text())
def test_other_output_changes_nothing(lines: list[str], stray: str) -> None:
    stray = stray.replace("value: ", "").replace("✓ ", "").replace("\n", " ")
    # What a learner's function prints ends up before a value, on a line of its own or not.
    printed = "".join(f"{stray}\n{stray}{line}\n" for line in lines)
    assert answer_lines(printed) == lines


def test_as_many_lines_are_wanted_in_the_same_order() -> None:
    lines = ["value: 1.5", "value: 2.5"]
    assert same_lines(lines, lines)
    assert same_lines([], [])
    for other in ([], lines[:1], lines[::-1], [*lines, "value: 3.5"]):
        assert not same_lines(lines, other)


def test_the_tolerance_is_relative_at_every_scale() -> None:
    for exponent in range(-300, 300, 50):
        number = 1.2345678 * 10.0**exponent
        assert same_line(f"value: {number:.6e}", f"value: {number * (1 + 1e-7):.6e}")
        assert not same_line(f"value: {number:.6e}", f"value: {number * (1 + 1e-4):.6e}")
        assert math.isfinite(number)
