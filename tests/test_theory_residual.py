"""Growth, paths, rectifiers and shattering in theory: exact values, laws, and other derivations."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import theory

depths = st.integers(1, 200)
scales = st.floats(1e-3, 2.0)
correlations = st.floats(-1.0, 1.0)


@given(depths, st.floats(0.0, 2.0))
def test_each_block_multiplies_by_one_and_the_same_factor(depth, scale):
    growth = theory.residual_growth(depth, branch_scale=scale)
    assert growth.shape == (depth + 1,)
    assert growth[0] == 1.0
    assert growth[1:] / growth[:-1] == pytest.approx(1.0 + scale**2)


def test_the_growths_that_the_lesson_names():
    assert theory.residual_growth(50, branch_scale=50**-0.5)[-1] == pytest.approx(2.6916, abs=1e-4)
    assert theory.residual_growth(50, branch_scale=1.0)[-1] == 2.0**50
    assert theory.residual_growth(50, branch_scale=0.0).tolist() == [1.0] * 51


@given(st.integers(1, 10**6))
def test_one_over_the_root_of_the_depth_stays_below_e(depth):
    scale = depth**-0.5
    assert 2.0 - 1e-12 <= math.exp(depth * math.log1p(scale**2)) < math.e


@given(depths, st.floats(1.0, 1e6))
def test_the_branch_scale_for_a_growth_gives_that_growth(depth, growth):
    scale = theory.branch_scale_for(depth, growth=growth)
    assert theory.residual_growth(depth, branch_scale=scale)[-1] == pytest.approx(growth)


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("scale", [0.3, 1.0, 1.7])
def test_path_shares_are_those_of_all_paths_written_out(depth, scale):
    by_length = np.zeros(depth + 1)
    for path in product((False, True), repeat=depth):
        by_length[sum(path)] += math.prod(scale**2 if branch else 1.0 for branch in path)
    shares = theory.path_shares(depth, branch_scale=scale)
    assert shares == pytest.approx(by_length / by_length.sum())
    # all paths together bring what the blocks multiply to
    growth = theory.residual_growth(depth, branch_scale=scale)[-1]
    assert by_length.sum() == pytest.approx(growth)


@given(depths, scales)
def test_paths_pass_a_binomial_number_of_branches(depth, scale):
    shares = theory.path_shares(depth, branch_scale=scale)
    chance = scale**2 / (1.0 + scale**2)
    passed = np.arange(depth + 1)
    assert shares.sum() == pytest.approx(1.0)
    assert shares @ passed == pytest.approx(depth * chance)
    assert shares @ passed**2 - (shares @ passed) ** 2 == pytest.approx(
        depth * chance * (1.0 - chance), rel=1e-6
    )


def test_the_rectifier_s_map_agrees_with_the_generic_one():
    c = np.linspace(-1, 1, 21)
    generic = theory.correlation_map(c, variance=1.0, gain=math.sqrt(2.0), activation="relu")
    # ReLU's kink costs the quadrature digits, the closed form has none to lose
    assert theory.relu_correlation(c) == pytest.approx(generic, abs=0.02)


@pytest.mark.parametrize("c", [-0.9, -0.3, 0.0, 0.5, 0.95])
def test_the_rectifier_s_maps_are_means_over_gaussian_pairs(c):
    x, apart = np.random.default_rng(0).normal(size=(2, 400_000))
    y = c * x + math.sqrt(1 - c**2) * apart
    both = np.mean(np.maximum(x, 0) * np.maximum(y, 0))
    assert theory.relu_correlation(c) == pytest.approx(2 * both, abs=0.01)
    assert theory.relu_slope_correlation(c) == pytest.approx(
        2 * np.mean((x > 0) & (y > 0)), abs=0.01
    )


def test_the_slope_is_the_derivative_of_the_map():
    c = np.linspace(-0.99, 0.99, 41)
    step = 1e-6
    difference = (theory.relu_correlation(c + step) - theory.relu_correlation(c - step)) / (
        2 * step
    )
    assert theory.relu_slope_correlation(c) == pytest.approx(difference, abs=1e-6)


@given(correlations)
def test_a_rectifier_brings_two_inputs_nearer_and_never_past_each_other(c):
    assert min(c, 1.0 - 1e-12) <= theory.relu_correlation(c) <= 1.0 + 1e-12


def test_two_inputs_at_a_right_angle():
    assert theory.relu_correlation(0.0) == pytest.approx(1 / math.pi)
    # theorems 1 and 2 of Balduzzi et al. (2017) hold for one layer, and not for eight
    assert theory.gradient_correlation(0.0, depth=1) == pytest.approx(0.5)
    assert theory.gradient_correlation(0.0, depth=1, branch_scale=1.0) == pytest.approx(0.75)
    assert theory.gradient_correlation(0.0, depth=8) == pytest.approx(0.0500, abs=1e-4)
    assert theory.gradient_correlation(0.0, depth=8) > 10 * 0.5**8


@given(correlations, st.integers(1, 40), st.floats(0.0, 1.0))
def test_gradients_of_residual_nets_stay_more_alike(c, depth, scale):
    plain = theory.gradient_correlation(c, depth=depth)
    residual = theory.gradient_correlation(c, depth=depth, branch_scale=scale)
    rounding = 1e-6  # at c = 1 the slope is vertical: one rounding of c moves it by 1e-8 a layer
    assert 0.0 <= plain <= residual + rounding
    assert residual <= 1.0 + rounding
    assert theory.gradient_correlation(c, depth=depth, branch_scale=0.0) == pytest.approx(1.0)


def test_a_branch_scale_without_end_is_a_plain_layer():
    c = np.linspace(-1, 1, 9)
    assert theory.gradient_correlation(c, depth=6, branch_scale=1e6) == pytest.approx(
        theory.gradient_correlation(c, depth=6), abs=1e-6
    )
    for centred in (False, True):
        np.testing.assert_allclose(
            theory.circle_autocorrelation(12, branch_scale=1e6, centred=centred),
            theory.circle_autocorrelation(12, centred=centred),
            atol=1e-6,
        )


def difference_autocorrelation(depth, *, points, scale, centred):
    """As theory.circle_autocorrelation for one lag, but −K″ by differences of K on a fine grid."""
    fine = 64 * points
    kernel = np.cos(2 * np.pi * np.arange(fine) / fine)
    for _ in range(depth):
        read = kernel - kernel[::64].mean() if centred else kernel
        branch = read[0] * theory.relu_correlation(np.clip(read / read[0], -1, 1))
        kernel = branch if scale is None else (kernel + scale**2 * branch) / (1 + scale**2)
    bend = np.roll(kernel, -1) - 2 * kernel + np.roll(kernel, 1)
    return bend[64] / bend[0]


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("scale", [None, 0.3, 1.0])
@pytest.mark.parametrize("depth", [1, 4, 12])
def test_the_circle_s_autocorrelation_is_that_of_differences_of_the_kernel(depth, scale, centred):
    predicted = theory.circle_autocorrelation(
        depth, points=64, branch_scale=scale, centred=centred
    )[-1]
    by_differences = difference_autocorrelation(depth, points=64, scale=scale, centred=centred)
    assert predicted == pytest.approx(by_differences, abs=0.01)


def test_on_the_circle_itself_the_gradient_turns_with_the_input():
    start = [theory.circle_autocorrelation(1, points=64, lag=lag)[0] for lag in (1, 16, 32)]
    assert start == pytest.approx([math.cos(2 * math.pi / 64), 0.0, -1.0])


def test_centring_whitens_plain_nets_and_a_scaled_skip_prevents_it():
    plain = theory.circle_autocorrelation(50)
    white = theory.circle_autocorrelation(50, centred=True)
    smooth = theory.circle_autocorrelation(50, centred=True, branch_scale=50**-0.5)
    assert (np.diff(plain) < 0).all()
    assert plain[24] > 0.6
    assert np.abs(white[30:]).max() < 0.02
    assert smooth.min() > 0.98


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: theory.residual_growth(0, branch_scale=1.0), "depth must be >= 1, got 0"),
        (lambda: theory.residual_growth(5, branch_scale=-1.0), "branch_scale must be >= 0"),
        (lambda: theory.branch_scale_for(5, growth=0.9), "growth must be >= 1 and finite, got 0.9"),
        (lambda: theory.path_shares(5, branch_scale=0.0), "branch_scale must be > 0"),
        (lambda: theory.relu_correlation(1.1), r"correlation must be within \[-1, 1\], got 1.1"),
        (lambda: theory.relu_slope_correlation([0.0, -2.0]), "got -2.0"),
        (lambda: theory.gradient_correlation(0.0, depth=0), "depth must be >= 1"),
        (lambda: theory.gradient_correlation(0.0, depth=2, branch_scale=-1), "branch_scale must"),
        (lambda: theory.circle_autocorrelation(3, points=0), "points must be >= 1"),
        (lambda: theory.circle_autocorrelation(3, lag=0), "lag must be >= 1"),
        (lambda: theory.circle_autocorrelation(3, branch_scale=np.nan), "branch_scale must be"),
    ],
)
def test_what_is_not_in_its_range_gets_one_line(call, told):
    with pytest.raises(ValueError, match=told) as caught:
        call()
    assert "\n" not in str(caught.value)
