"""What `checks` says of an answer: laws over random arrays, and one sentence for each mishap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from course_utils.checks import assert_gradients_match, check, gradient_check, passed

SHAPES = npst.array_shapes(max_dims=3, max_side=4)
SIZES = st.floats(min_value=1e-3, max_value=1e3)
SIGNED = SIZES | SIZES.map(lambda size: -size)


def arrays(shape: st.SearchStrategy | tuple[int, ...] = SHAPES) -> st.SearchStrategy[np.ndarray]:
    return npst.arrays(np.float64, shape, elements=SIGNED)


def complaint(actual: object, expected: object, **options: object) -> str:
    """The message of a check that must fail."""
    with pytest.raises(AssertionError) as caught:
        check(actual, expected, name="f(x)", **options)
    return str(caught.value)


# --- what passes, and what does not ----------------------------------------------------------


@given(arrays(), st.floats(-1, 1))
def test_an_answer_within_the_tolerance_passes(expected, fraction):
    check(expected * (1 + 0.99e-6 * fraction), expected, name="f(x)")
    check(expected.tolist(), expected, name="f(x)")


@given(arrays(), st.data())
def test_one_entry_beyond_the_tolerance_fails_and_is_named(expected, data):
    index = data.draw(st.tuples(*(st.integers(0, side - 1) for side in expected.shape)))
    actual = expected.copy()
    actual[index] *= 1 + 3e-6
    message = complaint(actual, expected)
    assert f"entry {list(index)}" in message
    assert f"1 of {expected.size} entries" in message
    check(actual, expected, name="f(x)", rtol=1e-5)


@given(arrays(), st.data())
def test_a_message_is_one_line_with_both_values_and_ends_in_the_hint(expected, data):
    actual = data.draw(arrays(expected.shape))
    assume(not np.allclose(actual, expected))
    message = complaint(actual, expected, hint="Think of the sign.")
    assert "\n" not in message
    assert message.startswith("f(x)")
    assert message.endswith("Think of the sign.")
    first = tuple(np.argwhere(~np.isclose(actual, expected, rtol=1e-6, atol=0))[0])
    assert f"must be {expected[first]:.6g}, got {actual[first]:.6g}" in message


@given(st.integers(-(10**9), 10**9), st.integers(1, 3))
def test_a_whole_number_must_be_met_exactly(expected, off):
    check(expected, expected, name="f(x)")
    check(float(expected), expected, name="f(x)")
    check(np.int64(expected), expected, name="f(x)")
    complaint(expected + off, expected)
    complaint(expected + 1e-6, expected)


def test_an_expected_zero_is_exact_unless_a_tolerance_says_otherwise():
    assert "must be 0, got 1e-30" in complaint(1e-30, 0.0)
    check(1e-30, 0.0, name="f(x)", atol=1e-20)
    check([1e-17, 1.0], np.array([0.0, 1.0]), name="f(x)")  # rounding beside a 1
    complaint([1e-11, 1.0], np.array([0.0, 1.0]))
    complaint([1e-17, 0.0], np.zeros(2))


def test_infinities_and_nan_agree_only_with_themselves():
    check([np.inf, np.nan, -np.inf], np.array([np.inf, np.nan, -np.inf]), name="f(x)")
    assert "must be inf, got -inf" in complaint(-np.inf, np.inf)
    assert "must be nan, got 0" in complaint([0.0, 1.0], np.array([np.nan, 1.0]))
    assert "Look for 0/0" in complaint([np.nan, 1.0], np.array([0.0, 1.0]))
    assert "division by 0" in complaint(np.inf, 1.0)
    complaint(1.0, np.inf)


# --- the pattern in a wrong answer -----------------------------------------------------------


@given(arrays())
def test_a_flipped_sign_is_recognised(expected):
    assert "the right size with the opposite sign" in complaint(-expected, expected)


@given(arrays(st.tuples(st.integers(2, 6))))
def test_a_reversed_array_is_recognised(expected):
    assume(not np.allclose(expected, expected[::-1]) and not np.allclose(expected, -expected[::-1]))
    assert "in the reverse order" in complaint(expected[::-1], expected)


@given(st.integers(2, 4).flatmap(lambda side: arrays((side, side))))
def test_a_transposed_matrix_is_recognised(expected):
    assume(not np.allclose(expected, expected.T) and not np.allclose(expected, -expected.T))
    assert "the transpose of the right answer" in complaint(expected.T, expected)
    assert "Yours is transposed" in complaint(expected[:-1].T, expected[:-1])


@given(arrays(st.tuples(st.integers(2, 6))), st.sampled_from([2.0, 0.5, 3.0, -10.0]))
def test_a_constant_factor_is_recognised(expected, factor):
    reverse = factor * expected[::-1]
    assume(not np.allclose(reverse, expected))
    assert f"every entry is {factor:.6g} times the right one" in complaint(
        factor * expected, expected
    )


def test_no_pattern_is_claimed_where_there_is_none():
    for message in (complaint([0.0, 0.0], np.array([1.0, 2.0])), complaint(3.0, 1.0)):
        assert message.endswith(("got 0 (2 of 2 entries differ).", "got 3."))


# --- what is not a number of the right shape -------------------------------------------------


@pytest.mark.parametrize(
    ("actual", "expected", "says"),
    [
        (None, 1.0, "got None. End your function with `return`."),
        (len, 1.0, "got a function. Call it"),
        ("0.5", 1.0, "must be a number, got str"),
        ({1.0, 2.0}, 1.0, "must be a number, got set"),
        ((value for value in [1.0]), np.ones(1), "must be an array of shape (1,), got generator"),
        ([[1.0], [1.0, 2.0]], np.ones(2), "rows differ in length"),
        (1j, 1.0, "must be real, got complex numbers"),
        (True, 1.0, "got True/False. Return the number, not the comparison."),
        ([1.0, 2.0], 1.0, "must be one number, got an array of shape (2,)"),
        (3.0, np.ones(2), "got the single number 3"),
        (np.ones((2, 1)), np.ones(2), "one axis too many or too few"),
        (np.ones(3), np.ones(2), "must have shape (2,), got (3,)"),
        (None, (1.0, 2.0), "must return 2 things (part 1, part 2), got None"),
        ((1.0,), (1.0, 2.0), "got tuple of 1"),
        (np.ones(3), (1.0, 2.0), "got ndarray of 3"),
        (7.0, (1.0, 2.0), "got float"),
        ((1.0, None), (1.0, 2.0), "part 2 of f(x) must be a number, got None"),
    ],
)
def test_each_mishap_has_a_sentence_of_its_own(actual, expected, says):
    message = complaint(actual, expected)
    assert says in message
    assert "\n" not in message


def test_parts_of_a_tuple_are_named():
    check([1.0, np.ones(2)], (1.0, np.ones(2)), name="f(x)")
    check(np.array([1, 2]), (1, 2), name="f(x)")
    message = complaint((1.0, 5.0), (1.0, 2.0), parts=("loss", "slope"))
    assert message.startswith("slope of f(x) must be 2, got 5")


def test_one_number_in_a_list_is_that_number():
    check([2.5], 2.5, name="f(x)")


def test_passed_prints_the_tick_and_nothing_else(capsys):
    passed("1.1")
    assert capsys.readouterr() == ("✓ 1.1\n", "")


def test_a_notebook_shows_the_message_and_no_traceback(monkeypatch, tmp_path):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    with capture_output() as shown:
        result = shell.run_cell(
            "from course_utils.checks import check\n"
            "check(1.0, 2.0, name='the slope', hint='Look at the sign. ' * 9)"
        )
    assert isinstance(result.error_in_exec, AssertionError)
    lines = shown.stdout.strip().splitlines()
    assert lines[0].startswith("✗ the slope must be 2, got 1. Look at the sign.")
    assert len(lines) > 1
    assert max(map(len, lines)) <= 88
    assert "Traceback" not in shown.stdout


# --- the gradient check ----------------------------------------------------------------------


def wavy(weights: np.ndarray) -> float:
    return float(np.sum(np.sin(weights) + weights**2))


def wavy_gradient(weights: np.ndarray) -> np.ndarray:
    return np.cos(weights) + 2 * weights


POINTS = npst.arrays(np.float64, SHAPES, elements=st.floats(0.5, 3.0))  # no flat spot of wavy


@given(POINTS)
def test_a_right_gradient_agrees_and_the_weights_stay(weights):
    before = weights.copy()
    result = assert_gradients_match(wavy, wavy_gradient, weights, rtol=1e-7)
    assert np.array_equal(weights, before)
    assert not result.undecided.any()
    assert result.relative_error.shape == weights.shape
    assert result.relative_error.max() < 1e-6


@given(POINTS, st.sampled_from([-1.0, 0.0, 1.001, 2.0]), st.data())
def test_one_wrong_entry_is_caught_with_both_numbers(weights, factor, data):
    index = data.draw(st.tuples(*(st.integers(0, side - 1) for side in weights.shape)))

    def buggy(at: np.ndarray) -> np.ndarray:
        gradient = wavy_gradient(at)
        gradient[index] *= factor
        return gradient

    with pytest.raises(AssertionError) as caught:
        assert_gradients_match(wavy, buggy, weights, name="w", hint="Look again.")
    right, wrong = wavy_gradient(weights)[index], buggy(weights)[index]
    assert f"w[{', '.join(map(str, index))}] is {wrong:.6g}" in str(caught.value)
    numeric = gradient_check(wavy, buggy, weights).numeric[index]
    assert f"centred differences give {numeric:.6g}. Look again." in str(caught.value)
    assert numeric == pytest.approx(right, rel=1e-7)


@given(POINTS)
def test_a_gradient_that_was_never_computed_is_caught(weights):
    with pytest.raises(AssertionError, match="is 0, centred differences give"):
        assert_gradients_match(wavy, np.zeros_like, weights)


def test_zero_against_zero_is_no_success():
    def flat(weights: np.ndarray) -> float:
        return float(np.sum(weights**3))

    with pytest.raises(AssertionError, match="nothing was tested: all 3 gradients"):
        assert_gradients_match(flat, np.zeros_like, np.zeros(3))
    result = gradient_check(flat, lambda w: 3 * w**2, np.array([0.0, 2.0]))
    assert result.undecided.tolist() == [True, False]
    assert np.isnan(result.relative_error[0])
    assert result.relative_error[1] < 1e-8


def test_a_step_that_is_too_coarse_tests_nothing():
    assert_gradients_match(wavy, wavy_gradient, np.ones(2), step=1e-3)
    with pytest.raises(AssertionError, match="nothing was tested"):
        assert_gradients_match(wavy, lambda w: 0.98 * wavy_gradient(w), np.ones(2), step=1.0)


def test_what_rounding_hides_is_undecided_and_not_passed():
    result = gradient_check(lambda w: 1.0 + 1e-20 * w[0] + w[1], lambda w: [7e-20, 1.0], [1.0, 1.0])
    assert result.undecided.tolist() == [True, False]
    assert np.isnan(result.relative_error[0])


@given(st.floats(1e-4, 1.0), st.floats(-2, 2))
def test_the_error_of_a_large_step_is_estimated(step, at):
    result = gradient_check(lambda w: w[0] ** 3, lambda w: 3 * w**2, [at], step=step)
    # the centred difference of a cubic is off by h² exactly
    assert result.numeric[0] == pytest.approx(3 * at**2 + step**2, abs=1e-8)
    assert result.noise[0] >= 0.999 * step**2 - 1e-8


def test_nan_in_a_gradient_is_wrong():
    with pytest.raises(AssertionError, match="is nan"):
        assert_gradients_match(wavy, lambda w: np.full_like(w, np.nan), np.ones(2))


def test_a_single_weight_needs_no_index():
    with pytest.raises(AssertionError, match="the gradient for weights is 2, centred"):
        assert_gradients_match(lambda w: 3 * w, lambda w: np.asarray(2.0), 1.0)


def test_bad_input_is_told_in_one_line():
    with pytest.raises(ValueError, match=r"weights' shape \(3,\), got \(2,\). Return one"):
        gradient_check(wavy, lambda w: np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match="the loss must be finite near the weights, got inf"):
        gradient_check(lambda w: np.inf, wavy_gradient, np.ones(1))


def test_a_word_must_be_met_exactly():
    check("bad data", "bad data", name="the cause")
    check(("update", 3), ("update", 3), name="cause", parts=("cause", "step"))
    with pytest.raises(AssertionError, match=r"cause must be 'bad data', got 'update'\. Look up"):
        check("update", "bad data", name="the cause", hint="Look up.")
    with pytest.raises(AssertionError, match="word of f must be 'a', got 'b'"):
        check(("b", 1), ("a", 1), name="f", parts=("word", "n"))


@pytest.mark.parametrize("answer", [None, 3, ["bad data"], np.array(["bad data"]), bytes])
def test_what_is_no_word_is_told_by_its_type(answer):
    with pytest.raises(AssertionError, match="must be the text 'bad data', got"):
        check(answer, "bad data", name="the cause")
