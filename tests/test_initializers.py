"""Initial weights: their size, their shape, and the seeds that they come from."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.activations import LEAKY_RELU, RELU
from course_utils.initializers import (
    SCHEMES,
    draw_weights,
    fans,
    he_std,
    init_weights,
    lecun_std,
    recommended_gain,
    xavier_std,
)

fan = st.integers(1, 10_000)


@given(fan_in=fan, fan_out=fan, gain=st.floats(0.01, 10))
def test_the_standard_deviations_obey_their_formulas(fan_in, fan_out, gain):
    assert xavier_std(fan_in, fan_out, gain=gain) ** 2 * (fan_in + fan_out) / 2 == pytest.approx(
        gain**2
    )
    assert xavier_std(fan_in, fan_out) == xavier_std(fan_out, fan_in)
    assert he_std(fan_in) == pytest.approx(math.sqrt(2) * lecun_std(fan_in))
    assert xavier_std(fan_in, fan_in) == pytest.approx(lecun_std(fan_in))
    assert he_std(fan_in, alpha=1.0, gain=gain) == pytest.approx(lecun_std(fan_in, gain=gain))


@pytest.mark.parametrize(
    ("scheme", "std"),
    [
        ("xavier", xavier_std(300, 400, gain=1.5)),
        ("he", he_std(300, gain=1.5)),
        ("lecun", lecun_std(300, gain=1.5)),
        ("normal", 1.5),
    ],
)
def test_drawn_weights_have_the_standard_deviation_of_their_scheme(scheme, std):
    weights = draw_weights(300, 400, scheme=scheme, gain=1.5, rng=np.random.default_rng(3))
    assert weights.shape == (300, 400)
    # 120,000 draws: their standard deviation is known to 1 / sqrt(240,000), 0.2 %.
    assert weights.std() == pytest.approx(std, rel=0.01)
    assert abs(weights.mean()) < 5 * std / math.sqrt(weights.size)


@given(
    fan_in=st.integers(1, 20),
    fan_out=st.integers(1, 20),
    gain=st.floats(0.1, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_orthogonal_weights_keep_lengths_up_to_their_gain(fan_in, fan_out, gain, seed):
    rng = np.random.default_rng(seed)
    weights = draw_weights(fan_in, fan_out, scheme="orthogonal", gain=gain, rng=rng)
    singular = np.linalg.svd(weights, compute_uv=False)
    np.testing.assert_allclose(singular, gain, rtol=1e-12)


def test_orthogonal_weights_favour_no_direction():
    # Without the sign correction the diagonal of Q would be negative far more often than not.
    rng = np.random.default_rng(0)
    corners = [draw_weights(3, 3, scheme="orthogonal", rng=rng)[0, 0] for _ in range(2000)]
    assert abs(np.mean(corners)) < 0.05
    assert np.var(corners) == pytest.approx(1 / 3, rel=0.1)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_seed_decides_the_weights_and_the_dtype_only_rounds_them(scheme):
    def draw(seed, dtype):
        rng = np.random.default_rng(seed)
        return init_weights([5, 4, 4, 2], scheme=scheme, rng=rng, dtype=dtype)

    for double, single in zip(draw(1, np.float64), draw(1, np.float32), strict=True):
        assert single.dtype == np.float32
        np.testing.assert_array_equal(double.astype(np.float32), single)
    assert not np.array_equal(draw(1, np.float64)[0], draw(2, np.float64)[0])
    assert [w.shape for w in draw(0, np.float64)] == [(5, 4), (4, 4), (4, 2)]


@pytest.mark.parametrize(
    ("name", "activation", "alpha"), [("relu", RELU, 0), ("leaky_relu", LEAKY_RELU, 0.01)]
)
def test_the_derived_gains_keep_the_mean_square_of_a_gaussian(name, activation, alpha):
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    mean_square = weights @ activation(nodes) ** 2 / weights.sum()
    assert recommended_gain(name, alpha=alpha) == pytest.approx(mean_square**-0.5)


def test_fans_are_rows_and_columns():
    assert fans(np.zeros((3, 5))) == (3, 5)
    with pytest.raises(
        ValueError, match=r"^weights must have shape \(fan_in, fan_out\), got \(3,\)"
    ):
        fans(np.zeros(3))


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: xavier_std(0, 3), ValueError, r"fan_in must be >= 1, got 0\. Pass the number of"),
        (lambda: xavier_std(3, -1), ValueError, r"fan_out must be >= 1, got -1\. Pass the number"),
        (lambda: he_std(2.5), TypeError, r"fan_in must be a whole number, got 2\.5 \(float\)\."),
        (lambda: lecun_std(3, gain=-1), ValueError, r"gain must be >= 0 and finite, got -1\. Pass"),
        (lambda: he_std(3, gain=math.nan), ValueError, r"gain must be >= 0 and finite, got nan\."),
        (
            lambda: init_weights([2, 2], scheme="kaiming", rng=RNG),
            ValueError,
            r"scheme must be a known initialisation, got 'kaiming'\. Choose one of xavier, he",
        ),
        (
            lambda: init_weights([2], scheme="he", rng=RNG),
            ValueError,
            r"widths must have at least 2 entries, got \[2\]\.",
        ),
        (
            lambda: recommended_gain("softplus"),
            ValueError,
            r"activation must have a customary gain, got 'softplus'\. Choose one of identity",
        ),
    ],
)
def test_bad_input_gets_one_line(call, error, message):
    with pytest.raises(error, match=f"^{message}") as caught:
        call()
    assert "\n" not in str(caught.value)
