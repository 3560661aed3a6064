"""Losses: their laws, their gradients, and targets that do not fit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.losses import CROSS_ENTROPY, LOSSES, MEAN_SQUARED_ERROR, get_loss


def value_and_gradient(loss, outputs, targets):
    gradient = np.full(outputs.shape, np.nan, outputs.dtype)  # C-ordered, as promised
    return loss.value_and_gradient(outputs, targets, gradient), gradient


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    examples, n_outputs = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    outputs = rng.normal(0, 3, (examples, n_outputs))
    return outputs, rng.integers(0, n_outputs, examples), rng.normal(0, 3, outputs.shape)


@given(problems())
def test_the_gradient_is_the_centred_difference(problem):
    outputs, labels, real = problem
    for loss, targets in ((CROSS_ENTROPY, labels), (MEAN_SQUARED_ERROR, real)):
        _, gradient = value_and_gradient(loss, outputs, targets)
        h = 1e-5
        for index in np.ndindex(outputs.shape):
            step = np.zeros_like(outputs)
            step[index] = h
            above, _ = value_and_gradient(loss, outputs + step, targets)
            below, _ = value_and_gradient(loss, outputs - step, targets)
            assert gradient[index] == pytest.approx((above - below) / (2 * h), rel=1e-6, abs=1e-9)


@given(problems(), st.floats(-50, 50))
def test_the_cross_entropy_ignores_a_shift_and_its_gradient_sums_to_zero(problem, shift):
    outputs, labels, _ = problem
    loss, gradient = value_and_gradient(CROSS_ENTROPY, outputs, labels)
    shifted, _ = value_and_gradient(CROSS_ENTROPY, outputs + shift, labels)
    assert shifted == pytest.approx(loss, abs=1e-12)
    assert loss >= 0
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-15)


@given(problems())
def test_the_cross_entropy_is_the_mean_of_log_probabilities(problem):
    outputs, labels, _ = problem
    probabilities = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    expected = -np.log(probabilities[np.arange(len(labels)), labels]).mean()
    assert value_and_gradient(CROSS_ENTROPY, outputs, labels)[0] == pytest.approx(expected)


def test_guessing_costs_the_log_of_the_number_of_classes():
    loss, _ = value_and_gradient(CROSS_ENTROPY, np.zeros((7, 10)), np.arange(7))
    assert loss == pytest.approx(math.log(10))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_outputs_do_not_make_the_loss_infinite(dtype):
    outputs = np.array([[1e30, -1e30], [0, 1e30]], dtype)
    loss, gradient = value_and_gradient(CROSS_ENTROPY, outputs, np.array([1, 0]))
    assert loss == pytest.approx(1.5e30)  # log(0) would have made it inf
    np.testing.assert_allclose(gradient, [[0.5, -0.5], [-0.5, 0.5]])
    assert gradient.dtype == dtype


@given(problems())
def test_any_memory_order_gives_the_same(problem):
    outputs, labels, real = problem
    for loss, targets in ((CROSS_ENTROPY, labels), (MEAN_SQUARED_ERROR, real)):
        value, gradient = value_and_gradient(loss, outputs, targets)
        other, columnwise = value_and_gradient(loss, np.asfortranarray(outputs), targets)
        assert other == pytest.approx(value)
        np.testing.assert_allclose(columnwise, gradient, atol=1e-15)


def test_the_squared_error_is_the_mean_over_all_entries():
    loss, gradient = value_and_gradient(
        MEAN_SQUARED_ERROR, np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [3.0, 2.0]])
    )
    assert loss == 2.0
    np.testing.assert_array_equal(gradient, [[0, 1], [0, 1]])


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 1, 3], ValueError, r"labels must be within 0 to 2, got 3\. Give the network"),
        ([0, -1, 2], ValueError, r"labels must be within 0 to 2, got -1\. Give the network"),
        ([0.0, 1.0, 2.0], TypeError, r"labels must be integers, got dtype float64\. Pass class"),
        (
            [[0, 1, 0]] * 3,
            ValueError,
            r"labels must have shape \(3,\), one per example, got \(3, 3\)",
        ),
        ([0, 1], ValueError, r"labels must have shape \(3,\), one per example, got \(2,\)\. Pass"),
        (["a", "b", "c"], TypeError, r"labels must be integers, got dtype <U1\. Pass class"),
    ],
)
def test_labels_that_do_not_fit_are_refused_in_one_line(labels, error, message):
    with pytest.raises(error, match=f"^{message}") as caught:
        CROSS_ENTROPY.check_targets(labels, 3, 3)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (np.zeros((3, 1)), ValueError, r"targets must have shape \(examples, 2\), got \(3, 1\)\."),
        (np.zeros((2, 2)), ValueError, r"targets must have 3 rows, one per example, got 2\. Slice"),
        ([[0, 1], [0, 1], [np.nan, 0]], ValueError, r"targets must be finite, got nan at row 2, "),
    ],
)
def test_real_targets_that_do_not_fit_are_refused(targets, error, message):
    with pytest.raises(error, match=f"^{message}"):
        MEAN_SQUARED_ERROR.check_targets(targets, 3, 2)


@pytest.mark.parametrize(
    ("which", "error", "message"),
    [
        (
            "hinge",
            ValueError,
            r"loss must be a known name, got 'hinge'\. Choose one of cross_entropy",
        ),
        (1, TypeError, r"loss must be a name or a Loss, got 1\. Pass one of cross_entropy, mse"),
    ],
)
def test_an_unknown_loss_is_refused(which, error, message):
    with pytest.raises(error, match=f"^{message}"):
        get_loss(which)
    assert get_loss("mse") is LOSSES["mse"] is get_loss(MEAN_SQUARED_ERROR)
