"""Every activation: its values, its slope from its output, and how it refuses bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils.activations import (
    ACTIVATIONS,
    ELU,
    RELU,
    SELU,
    SIGMOID,
    SOFTPLUS,
    TANH,
    elu,
    get_activation,
    leaky_relu,
)

EVERY = [*ACTIVATIONS.values(), leaky_relu(0.3), elu(0.5)]
by_name = pytest.mark.parametrize("activation", EVERY, ids=lambda a: a.name)
moderate = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-8, 8))


@by_name
@given(values=moderate)
def test_the_slope_from_the_output_is_the_centred_difference(activation, values):
    h = 1e-5
    # At 0 the piecewise functions have no derivative, and a difference would straddle the kink.
    values = values[np.abs(values) > 2 * h]
    measured = (activation(values + h) - activation(values - h)) / (2 * h)
    slope = activation.derivative(activation(values))
    np.testing.assert_allclose(slope, measured, rtol=1e-7, atol=1e-9)


def test_a_wrong_slope_would_be_caught():
    values = np.linspace(-2, 2, 9)
    measured = (TANH(values + 1e-5) - TANH(values - 1e-5)) / 2e-5
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(1 - TANH(values), measured, rtol=1e-7, atol=1e-9)


@by_name
@given(values=moderate)
def test_an_output_buffer_is_filled_and_returned(activation, values):
    out = np.full_like(values, np.nan)
    assert activation.forward(values, out=out) is out
    np.testing.assert_array_equal(out, activation(values))
    slope = np.full_like(values, np.nan)
    assert activation.derivative(out, out=slope) is slope
    np.testing.assert_array_equal(slope, activation.derivative(out))


@by_name
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(activation, dtype):
    hidden = activation(np.array([-1.0, 0.0, 2.0], dtype))
    assert hidden.dtype == dtype
    assert activation.derivative(hidden).dtype == dtype


@by_name
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_inputs_give_no_warning_and_the_limits(activation, dtype):
    huge = np.array([-1e30, 1e30], dtype)
    hidden = activation(huge)  # pytest makes a warning an error
    assert np.isfinite(hidden).all()
    assert (activation.derivative(hidden) >= 0).all()
    limits = {"sigmoid": [0, 1], "tanh": [-1, 1], "relu": [0, 1e30], "softplus": [0, 1e30]}
    if activation.name in limits:
        np.testing.assert_allclose(hidden, limits[activation.name], rtol=1e-6)


@by_name
def test_nan_comes_through_forward_and_backward(activation):
    nan = np.array([np.nan])
    assert np.isnan(activation(nan)).all()
    if activation.name != "identity":  # its slope does not look at the output
        assert np.isnan(activation.derivative(nan)).all()


@given(values=moderate)
def test_laws_between_activations(values):
    np.testing.assert_allclose(SIGMOID(values), (1 + TANH(values / 2)) / 2, atol=1e-14)
    np.testing.assert_allclose(SIGMOID(-values), 1 - SIGMOID(values), atol=1e-15)
    np.testing.assert_allclose(SOFTPLUS(values) - SOFTPLUS(-values), values, atol=1e-13)
    np.testing.assert_allclose(leaky_relu(0.25)(values), 0.25 * values + 0.75 * RELU(values))
    np.testing.assert_allclose(np.maximum(ELU(values), 0), RELU(values))


@pytest.mark.parametrize("value", [-700.0, -30.0, -1.0])
def test_the_left_tail_keeps_its_digits(value):
    exact = np.exp(value) / (1 + np.exp(value))
    np.testing.assert_allclose(SIGMOID(value), exact, rtol=1e-12)
    np.testing.assert_allclose(SOFTPLUS.derivative(SOFTPLUS(np.array([value]))), exact, rtol=1e-12)


def test_selu_keeps_mean_zero_and_variance_one():
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    hidden = SELU(nodes)
    assert weights @ hidden == pytest.approx(0, abs=2e-3)  # the kink at 0 slows the quadrature
    assert weights @ hidden**2 == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(
    ("which", "error", "message"),
    [
        (
            "swish",
            ValueError,
            r"^activation must be a known name, got 'swish'\. Choose one of .*relu",
        ),
        (None, TypeError, r"^activation must be a name or an Activation, got None\. Pass one of"),
    ],
)
def test_an_unknown_activation_is_refused_with_the_choices(which, error, message):
    with pytest.raises(error, match=message) as caught:
        get_activation(which)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.5, np.nan])
def test_a_slope_that_the_output_cannot_tell_is_refused(alpha):
    with pytest.raises(ValueError, match=r"^alpha must be within \(0, 1\], got"):
        leaky_relu(alpha)


@pytest.mark.parametrize("alpha", [0.0, -1.0, np.inf, np.nan])
def test_an_elu_needs_a_positive_finite_alpha(alpha):
    with pytest.raises(ValueError, match=r"^alpha must be > 0 and finite, got"):
        elu(alpha)


def test_names_lead_to_their_activation():
    assert {name: get_activation(name).name for name in ACTIVATIONS} == {n: n for n in ACTIVATIONS}
    assert get_activation(TANH) is TANH
