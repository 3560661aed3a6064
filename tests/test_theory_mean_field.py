"""Mean-field theory, against exact formulas, against itself, and against wide random networks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import theory
from course_utils.activations import ACTIVATIONS, get_activation
from course_utils.network import MLP
from course_utils.theory.gaussian import gaussian_nodes

SATURATING = ("tanh", "sigmoid")
gains = st.floats(0.3, 4.0)
biases = st.floats(0.01, 1.0)
some_variances = st.floats(1e-3, 20.0)
correlations = st.floats(-1.0, 1.0)


def fine_mean(function, variance):
    """E[g(x)], x ~ N(0, variance), by a fine trapezoid rule with a point at the kink."""
    z = np.linspace(-10, 10, 400_001)
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return np.trapezoid(function(math.sqrt(variance) * z) * density, z)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("variance", [1e-4, 1.0, 30.0])
def test_the_quadrature_agrees_with_a_fine_one_for_every_activation(name, variance):
    f = get_activation(name)
    expected = 1.7**2 * fine_mean(lambda x: f(x) ** 2, variance) + 0.2**2
    assert theory.variance_map(variance, gain=1.7, bias_std=0.2, activation=name) == pytest.approx(
        expected, rel=1e-9
    )
    if name not in ("relu", "leaky_relu", "selu"):  # a jump, which the trapezoid smears
        expected = 1.7**2 * fine_mean(lambda x: f.derivative(f(x)) ** 2, variance)
        assert theory.chi(variance, gain=1.7, activation=name) == pytest.approx(expected, rel=1e-5)


def test_gaussian_moments_are_exact():
    nodes, weights = gaussian_nodes()
    for power, moment in enumerate([1, 0, 1, 0, 3, 0, 15, 0, 105]):
        assert nodes**power @ weights == pytest.approx(moment, rel=1e-9, abs=1e-12)


@given(some_variances, gains, biases)
@settings(deadline=None, max_examples=40)
def test_relu_halves_the_variance_and_has_a_constant_chi(variance, gain, bias):
    after = theory.variance_map(variance, gain=gain, bias_std=bias, activation="relu")
    assert after == pytest.approx(gain**2 * variance / 2 + bias**2)
    assert theory.chi(variance, gain=gain, activation="relu") == pytest.approx(gain**2 / 2)
    assert theory.variance_slope(variance, gain=gain, activation="relu") == pytest.approx(
        gain**2 / 2
    )


def test_the_numbers_of_the_lesson():
    q = theory.fixed_variance(gain=1.5)
    assert q == pytest.approx(0.79335, abs=5e-6)
    assert theory.chi(q, gain=1.5) == pytest.approx(1.13932, abs=5e-6)
    assert theory.fixed_variance(gain=0.9) == 0.0
    assert theory.depth_scale(float(theory.chi(0.0, gain=0.9))) == pytest.approx(4.746, abs=5e-4)
    for square, chi in ((1.5, 0.9386), (2.5, 1.1335)):
        q = theory.fixed_variance(gain=math.sqrt(square), bias_std=math.sqrt(0.05))
        assert theory.chi(q, gain=math.sqrt(square)) == pytest.approx(chi, abs=5e-5)
    assert theory.critical_gain(math.sqrt(0.05)) ** 2 == pytest.approx(1.761, abs=5e-4)
    assert theory.critical_gain(math.sqrt(2.01e-5)) ** 2 == pytest.approx(1.05, abs=1e-5)


@given(st.sampled_from(SATURATING), gains, biases)
@settings(deadline=None, max_examples=25)
def test_the_fixed_variance_is_fixed_and_draws_every_start_to_it(name, gain, bias):
    given_ = {"gain": gain, "bias_std": bias, "activation": name}
    q = theory.fixed_variance(**given_)
    assert theory.variance_map(q, **given_) == pytest.approx(q, rel=1e-9)
    assert abs(theory.variance_slope(q, gain=gain, activation=name)) < 1
    for start in (q / 5, q * 5):
        path = theory.variances(start, 40, **given_)
        gaps = np.abs(path - q)
        assert (np.diff(gaps) <= 1e-9 * q).all()


@given(some_variances, gains, biases, st.sampled_from(sorted(ACTIVATIONS)))
@settings(deadline=None, max_examples=40)
def test_more_signal_more_gain_and_more_bias_give_more_variance(variance, gain, bias, name):
    def after(q, g, b):
        return theory.variance_map(q, gain=g, bias_std=b, activation=name)

    base = after(variance, gain, bias)
    assert after(1.1 * variance, gain, bias) > base
    assert after(variance, 1.1 * gain, bias) > base
    assert after(variance, gain, 1.1 * bias) > base


@given(some_variances, gains, st.sampled_from(["tanh", "sigmoid", "elu", "softplus"]))
@settings(deadline=None, max_examples=40)
def test_the_slope_of_the_variance_map_is_its_derivative(variance, gain, name):
    ends = np.array([0.999, 1.001]) * variance
    below, above = theory.variance_map(ends, gain=gain, activation=name)
    slope = theory.variance_slope(variance, gain=gain, activation=name)
    assert slope == pytest.approx((above - below) / (ends[1] - ends[0]), rel=1e-4)


@given(st.floats(1e-4, 50.0))
@settings(deadline=None, max_examples=25)
def test_on_the_critical_line_chi_is_one_and_the_variance_stays(variance):
    gain, bias = theory.critical_pair(variance)
    assert theory.chi(variance, gain=gain) == pytest.approx(1, rel=1e-12)
    assert theory.variance_map(variance, gain=gain, bias_std=bias) == pytest.approx(variance)
    assert theory.critical_gain(bias) == pytest.approx(gain, rel=1e-4)


@given(biases, st.floats(1.01, 1.5))
@settings(deadline=None, max_examples=25)
def test_the_critical_line_parts_order_from_chaos(bias, factor):
    critical = theory.critical_gain(bias)
    for gain, sign in ((critical / factor, -1), (critical * factor, 1)):
        q = theory.fixed_variance(gain=gain, bias_std=bias)
        assert sign * (float(theory.chi(q, gain=gain)) - 1) > 0
        c = theory.fixed_correlation(gain=gain, bias_std=bias)
        assert (c == 1) == (sign < 0)


def test_without_biases_a_small_tanh_signal_is_critical_at_gain_one_and_relu_at_root_two():
    assert theory.critical_gain() == pytest.approx(1)
    assert theory.critical_gain(activation="relu") == pytest.approx(math.sqrt(2))


def test_tanh_at_gain_one_decays_like_one_over_twice_the_layer():
    path = theory.variances(1.0, 400, gain=1.0)
    assert path[-1] * 2 * 400 == pytest.approx(1, rel=0.02)


@given(correlations, some_variances, biases)
@settings(deadline=None, max_examples=25)
def test_the_relu_correlation_map_is_the_arc_cosine_kernel(c, variance, bias):
    # Cho & Saul (2009), n = 1: J = sin θ + (π − θ) cos θ, over π
    angle = math.acos(c)
    kernel = (math.sin(angle) + (math.pi - angle) * c) / math.pi
    expected = (variance * kernel + bias**2) / (variance + bias**2)
    found = theory.correlation_map(
        c, variance=variance, gain=math.sqrt(2), bias_std=bias, activation="relu"
    )
    # The kink of the second input moves across the nodes, so this one is less exact.
    assert found == pytest.approx(expected, abs=2e-3)


@given(st.floats(-0.95, 0.95), st.floats(0.1, 4.0), gains, biases)
@settings(deadline=None, max_examples=20)
def test_the_slope_of_the_correlation_map_is_its_derivative(c, variance, gain, bias):
    given_ = {"variance": variance, "gain": gain}
    step = 1e-4
    below, above = theory.correlation_map([c - step, c + step], bias_std=bias, **given_)
    own = theory.variance_map(variance, gain=gain, bias_std=bias)
    slope = theory.correlation_slope(c, **given_) * variance / own
    assert slope == pytest.approx((above - below) / (2 * step), rel=1e-5)


@given(st.sampled_from(sorted(ACTIVATIONS)), some_variances, gains)
@settings(deadline=None, max_examples=30)
def test_equal_inputs_stay_equal_and_their_distance_grows_by_chi(name, variance, gain):
    given_ = {"variance": variance, "gain": gain, "activation": name}
    assert theory.correlation_map(1.0, bias_std=0.1, **given_) == pytest.approx(1)
    assert theory.correlation_slope(1.0, **given_) == pytest.approx(
        float(theory.chi(variance, gain=gain, activation=name))
    )


@given(st.floats(0.2, 1.0), st.floats(1.2, 1.8))
@settings(deadline=None, max_examples=8)
def test_in_chaos_the_fixed_correlation_is_fixed_and_stable(bias, factor):
    gain = factor * theory.critical_gain(bias)
    q = theory.fixed_variance(gain=gain, bias_std=bias)
    c = theory.fixed_correlation(gain=gain, bias_std=bias)
    assert 0 < c < 1
    assert theory.correlation_map(c, variance=q, gain=gain, bias_std=bias) == pytest.approx(c)
    assert theory.correlation_slope(c, variance=q, gain=gain) < 1


@given(st.floats(0.01, 0.999), st.floats(0.1, 50))
def test_the_depth_scale_is_where_a_signal_changes_e_fold(factor, layers):
    scale = theory.depth_scale(factor)
    assert factor**scale == pytest.approx(1 / math.e)
    assert theory.depth_scale(1 / factor) == pytest.approx(scale)
    assert factor**layers == pytest.approx(math.exp(-layers / scale))


def test_at_criticality_the_depth_scale_diverges():
    assert theory.depth_scale(1.0) == math.inf


def measured(gain, bias, *, layers=9, width=300, seeds=4):
    """Variance by hidden layer of wide networks, and the gradient's growth in one layer."""
    found, growths = [], []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        options = {"init": "lecun", "gain": gain, "bias_std": bias, "dtype": "float32"}
        net = MLP([width] * layers + [10], **options, rng=rng)
        net.loss_and_gradients(rng.standard_normal((64, width)), rng.integers(10, size=64))
        found.append(net.signals.pre_activation.rms()[:-1] ** 2)
        squares = net.signals.grad_pre_activation.norms()[:-1] ** 2
        growths.append((squares[1] / squares[-1]) ** (1 / (len(squares) - 2)))
    return np.mean(found, axis=0), np.mean(growths)


@pytest.mark.parametrize(("gain", "bias"), [(1.2247, 0.2236), (1.5811, 0.2236), (2.5, 0.0)])
def test_wide_networks_do_what_the_theory_says(gain, bias):
    found, growth = measured(gain, bias)
    path = theory.variances(gain**2 + bias**2, len(found), gain=gain, bias_std=bias)
    np.testing.assert_allclose(found, path, rtol=0.08)
    chis = theory.chi(path[1:-1], gain=gain)
    assert growth == pytest.approx(np.exp(np.log(chis).mean()), rel=0.05)
    # A theory that forgot to square the gain would be found out.
    wrong = theory.variances(gain**2 + bias**2, len(found), gain=math.sqrt(gain), bias_std=bias)
    assert np.abs(wrong / found - 1).max() > 0.2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.variance_map(-1.0, gain=1.0), "variance must be >= 0 and finite"),
        (lambda: theory.variance_map(1.0, gain=0.0), "gain must be > 0 and finite, got 0.0"),
        (lambda: theory.chi(1.0, gain=math.nan), "gain must be > 0 and finite, got nan"),
        (lambda: theory.variances(1.0, 3, gain=1.0, bias_std=-1.0), "bias_std must be >= 0"),
        (lambda: theory.variance_map(1.0, gain=1.0, activation="tan"), "activation must be a"),
        (lambda: theory.variance_slope(0.0, gain=1.0), "variance must be > 0"),
        (
            lambda: theory.fixed_variance(gain=2.0, activation="relu"),
            "a fixed variance must exist, got one that grows without end at gain=2.0",
        ),
        (
            lambda: theory.fixed_variance(gain=math.sqrt(2), activation="relu"),
            "a fixed variance must be one number, got a map that keeps every variance",
        ),
        (lambda: theory.correlation_map(1.2, variance=1.0, gain=1.0), "correlation must be within"),
        (lambda: theory.fixed_correlation(gain=0.9), "a correlation needs a signal, got q* = 0"),
        (lambda: theory.depth_scale(0.0), "factor must be > 0 and finite"),
        (
            lambda: theory.critical_pair(1.0, activation="sigmoid"),
            "a critical network must have σ_b² >= 0, got",
        ),
        (
            lambda: theory.critical_gain(0.5, activation="relu"),
            "bias_std must have a critical gain, got 0.5",
        ),
    ],
)
def test_errors_say_what_is_wrong_in_one_line(call, message):
    with pytest.raises(
        ValueError, match="^" + message.replace("*", r"\*").replace("²", ".")
    ) as info:
        call()
    assert "\n" not in str(info.value)
