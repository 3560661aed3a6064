"""What theory predicts, against draws, against exact values, and against measured differences."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import theory

stds = st.floats(1e-3, 1e3)
widths = st.integers(1, 300)


def log_growths(std, width, *, draws=20_000, seed=0):
    """ln of how much Gaussian matrices stretch a unit vector: by symmetry, any one."""
    return np.log(
        np.linalg.norm(std * np.random.default_rng(seed).normal(size=(draws, width)), axis=1)
    )


def matrix_growths(std, width, *, layers, draws, rng):
    """log₁₀ of the length of a unit vector after 1, 2, … real Gaussian matrices."""
    vectors = np.zeros((draws, width, 1))
    vectors[:, 0] = 1
    lengths = []
    for _ in range(layers):
        vectors = rng.normal(0, std, size=(draws, width, width)) @ vectors
        lengths.append(np.log10(np.linalg.norm(vectors, axis=(1, 2))))
    return np.array(lengths).T


@pytest.mark.parametrize(("std", "width"), [(1.0, 1), (0.7, 2), (0.3, 12)])
def test_drawn_growth_is_distributed_like_that_of_real_matrices(std, width):
    rng = np.random.default_rng(0)
    real = matrix_growths(std, width, layers=6, draws=4000, rng=rng)
    drawn = theory.log10_gaussian_growth(std, width, layers=6, draws=4000, rng=rng)
    assert (drawn[:, 0] == 0).all()
    quantiles = [0.1, 0.25, 0.5, 0.75, 0.9]
    for layer in range(6):
        spread = theory.log_growth_spread(layer + 1, width) / math.log(10)
        np.testing.assert_allclose(
            np.quantile(drawn[:, layer + 1], quantiles),
            np.quantile(real[:, layer], quantiles),
            atol=0.2 * spread,
        )


@pytest.mark.parametrize("width", [1, 5, 100])
def test_drawn_growth_has_the_predicted_mean_and_spread(width):
    rng = np.random.default_rng(1)
    ends = theory.log10_gaussian_growth(0.1, width, layers=30, draws=5000, rng=rng)[:, -1]
    ends *= math.log(10)
    within = 5 * theory.log_growth_spread(30, width) / math.sqrt(5000)
    assert ends.mean() == pytest.approx(30 * theory.typical_log_growth(0.1, width), abs=within)
    assert ends.std() == pytest.approx(theory.log_growth_spread(30, width), rel=0.05)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 64])
@pytest.mark.parametrize("std", [0.1, 1.0, 3.0])
def test_growth_and_spread_agree_with_draws(std, width):
    draws = log_growths(std, width)
    within = 5 * draws.std() / math.sqrt(len(draws))
    assert draws.mean() == pytest.approx(theory.typical_log_growth(std, width), abs=within)
    assert draws.std() == pytest.approx(theory.log_growth_spread(1, width), rel=0.05)
    root_mean_square = 0.5 * math.log(np.mean(np.exp(2 * draws)))
    assert root_mean_square == pytest.approx(theory.rms_log_growth(std, width), abs=0.05)


@given(stds, widths)
def test_the_typical_product_grows_slower_than_the_mean_one(std, width):
    assert theory.typical_log_growth(std, width) < theory.rms_log_growth(std, width)


@given(stds, st.floats(0.1, 10), widths)
def test_scaling_every_factor_adds_its_logarithm(std, factor, width):
    for growth in (theory.typical_log_growth, theory.rms_log_growth):
        assert growth(std * factor, width) - growth(std, width) == pytest.approx(
            math.log(factor), abs=1e-9
        )


@given(widths)
def test_at_the_critical_std_nothing_grows(width):
    assert theory.typical_log_growth(theory.critical_std(width), width) == pytest.approx(
        0, abs=1e-12
    )


def test_wide_layers_are_critical_at_one_over_the_root_of_their_width():
    assert theory.critical_std(10_000) * 100 == pytest.approx(1, rel=1e-4)


@given(st.integers(1, 10_000), widths)
def test_the_spread_grows_like_the_root_of_the_depth(layers, width):
    spread = theory.log_growth_spread(layers, width)
    assert spread == pytest.approx(math.sqrt(layers) * theory.log_growth_spread(1, width))


def test_a_wide_layers_spread_is_the_root_of_layers_over_twice_the_width():
    assert theory.log_growth_spread(40, 1000) == pytest.approx(math.sqrt(40 / 2000), rel=1e-3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_roundoff_is_the_largest_error_of_rounding(dtype):
    roundoff = theory.unit_roundoff(dtype)
    assert dtype(1 + 0.99 * roundoff) == 1
    assert float(dtype(1) + dtype(2.02 * roundoff)) > 1


@given(st.sampled_from(["forward", "centred"]), st.floats(1e-17, 1e-3), stds, stds)
def test_the_best_step_has_the_least_error(scheme, roundoff, value, curvature):
    given_ = {"scheme": scheme, "roundoff": roundoff, "value": value, "curvature": curvature}
    best = theory.best_step(**given_)
    least = theory.difference_error(best, **given_)
    for factor in (0.5, 0.9, 1.1, 2):
        assert theory.difference_error(factor * best, **given_) > least


@pytest.mark.parametrize("scheme", ["forward", "centred"])
def test_the_predicted_step_is_nearly_the_best_of_a_real_difference(scheme):
    steps = np.logspace(-12, -1, 111)
    points = np.random.default_rng(0).uniform(0.5, 1.5, 200)[:, np.newaxis]
    ahead = np.exp(points + steps)
    if scheme == "forward":
        found = (ahead - np.exp(points)) / steps
    else:
        found = (ahead - np.exp(points - steps)) / (2 * steps)
    errors = np.sqrt(np.mean(((found - np.exp(points)) / np.exp(points)) ** 2, axis=0))
    predicted = theory.best_step(scheme=scheme, roundoff=theory.unit_roundoff(np.float64))
    at_predicted = errors[np.abs(steps - predicted).argmin()]
    assert at_predicted < 3 * errors.min()
    assert 0.1 < steps[errors.argmin()] / predicted < 10


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: theory.typical_log_growth(0), ValueError, "std must be > 0 and finite, got 0.0."),
        (lambda: theory.rms_log_growth(np.nan), ValueError, "std must be > 0 and finite, got nan."),
        (lambda: theory.critical_std(0), ValueError, "width must be >= 1, got 0."),
        (
            lambda: theory.log_growth_spread(2.5),
            TypeError,
            "layers must be a whole number, got 2.5",
        ),
        (
            lambda: theory.log10_gaussian_growth(
                1, layers=3, draws=0, rng=np.random.default_rng(0)
            ),
            ValueError,
            "draws must be >= 1, got 0.",
        ),
        (
            lambda: theory.log10_gaussian_growth(1, layers=3, draws=1, rng=0),
            TypeError,
            "rng must be a NumPy Generator, got 0.",
        ),
        (
            lambda: theory.unit_roundoff(int),
            TypeError,
            "dtype must be a floating-point type, got int64",
        ),
        (
            lambda: theory.best_step(scheme="central", roundoff=1e-16),
            ValueError,
            "scheme must be a known difference, got 'central'. Choose one of forward, centred.",
        ),
        (
            lambda: theory.difference_error([1e-3, -1.0], scheme="forward", roundoff=1e-16),
            ValueError,
            "step must be > 0 and finite, got -1.0.",
        ),
    ],
)
def test_bad_input_gets_one_line(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@given(stds, st.integers(1, 40))
def test_the_exponents_fall_begin_at_the_typical_growth_and_add_up_to_that_of_volumes(std, width):
    exponents = theory.lyapunov_exponents(std, width)
    assert exponents.shape == (width,)
    assert (np.diff(exponents) < 0).all()
    assert exponents[0] == pytest.approx(theory.typical_log_growth(std, width), abs=1e-9)
    # |det| is the product of lengths of a vector in n, n − 1, … 1 dimensions
    volumes = sum(theory.typical_log_growth(std, size) for size in range(1, width + 1))
    assert exponents.sum() == pytest.approx(volumes, abs=1e-6)


def test_the_exponents_are_those_of_real_products():
    rng, width, layers = np.random.default_rng(0), 5, 4000
    basis, logs = np.eye(width), np.zeros(width)
    for _ in range(layers):
        basis, r = np.linalg.qr(0.4 * rng.standard_normal((width, width)) @ basis)
        logs += np.log(np.abs(np.diag(r)))
    exponents = theory.lyapunov_exponents(0.4, width)
    np.testing.assert_allclose(logs / layers, exponents, atol=0.05)
    # Orthogonal factors would have equal exponents: the spread is what is measured here.
    assert exponents[0] - exponents[-1] > 1
