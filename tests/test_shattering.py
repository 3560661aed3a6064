"""Autocorrelation of known sequences; growth, gradients and walks, each got in another way too."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_utils import shattering, theory
from course_utils.shattering import autocorrelation, growth_by_layer, he_branches, walk_circle


def rng(seed=0):
    return np.random.default_rng(seed)


def net(depth=6, width=5, draws=3):
    return he_branches(depth, width, draws=draws, rng=rng(7))


def test_white_noise_has_none_and_a_random_walk_nearly_all():
    noise = rng().normal(size=(30, 4000))
    assert np.abs(autocorrelation(noise)).max() < 5 / math.sqrt(4000)
    assert autocorrelation(noise.cumsum(axis=1)).min() > 0.97


@pytest.mark.parametrize("memory", [-0.8, 0.3, 0.9])
@pytest.mark.parametrize("lag", [1, 3])
def test_a_sequence_with_known_memory(memory, lag):
    x = np.zeros((20, 8000))
    steps = rng(1).normal(size=x.shape)
    for i in range(1, x.shape[1]):
        x[:, i] = memory * x[:, i - 1] + steps[:, i]
    assert autocorrelation(x, lag=lag).mean() == pytest.approx(memory**lag, abs=0.02)


def test_alternating_signs_and_a_cosine():
    assert autocorrelation(np.tile([1.0, -1.0], 500)) == pytest.approx(-0.999)
    cosine = np.cos(2 * np.pi * np.arange(10_000) / 100)
    assert autocorrelation(cosine, lag=25) == pytest.approx(0, abs=0.01)
    assert autocorrelation(cosine, lag=50) == pytest.approx(-1, abs=0.01)


def test_without_centring_a_mean_counts_as_likeness():
    shifted = 10 + rng().normal(size=4000)
    assert abs(autocorrelation(shifted)) < 0.1
    assert autocorrelation(shifted, centred=False) > 0.98


@given(
    arrays(float, (3, 8), elements=st.floats(-5, 5)).filter(lambda x: (np.ptp(x, 1) > 0.1).all()),
    st.floats(-300, 300),
    st.integers(1, 7),
)
def test_neither_size_nor_sign_nor_a_constant_matters(sequence, decades, lag):
    found = autocorrelation(sequence, lag=lag)
    assert (np.abs(found) <= 1 + 1e-12).all()
    assert autocorrelation(-sequence * 10.0**decades, lag=lag) == pytest.approx(found, abs=1e-6)
    assert autocorrelation(sequence + 3, lag=lag) == pytest.approx(found, abs=1e-6)
    assert autocorrelation(sequence[:, ::-1], lag=lag) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize(
    ("sequence", "lag", "told"),
    [
        ([1.0, 2.0], 2, "lag must be within 1 … 1 for a sequence of 2, got 2"),
        ([1.0, 2.0], 0, "got 0"),
        (3.0, 1, "a sequence of 0"),
        ([2.0, 2.0, 2.0], 1, "sequence must vary"),
        ([1.0, math.nan, 2.0], 1, "sequence must vary"),
    ],
)
def test_what_cannot_be_correlated_gets_one_line(sequence, lag, told):
    with pytest.raises(ValueError, match=told) as caught:
        autocorrelation(sequence, lag=lag)
    assert "\n" not in str(caught.value)


def test_branches_have_he_s_variance_and_the_dtype_asked_for():
    branches = he_branches(4, 80, draws=5, rng=rng(), dtype="float32")
    assert branches.shape == (5, 4, 80, 80)
    assert branches.dtype == np.float32
    assert branches.std() == pytest.approx(math.sqrt(2 / 80), rel=0.01)
    assert np.array_equal(branches, he_branches(4, 80, draws=5, rng=rng(), dtype="float32"))


@pytest.mark.parametrize("scale", [1.0, 50**-0.5, 1 / 50])
def test_signal_and_gradient_grow_as_predicted(scale):
    branches = he_branches(50, 128, draws=20, rng=rng(), dtype="float32")
    growth = growth_by_layer(branches, branch_scale=scale, rng=rng(1))
    predicted = np.log(theory.residual_growth(50, branch_scale=scale))
    for sizes in (growth.signal, growth.gradient[:, ::-1]):
        assert (sizes[:, 0] == 1).all()
        # the mean of the logs lies below the log of the mean in narrow nets, by about its variance
        gaps = np.abs(np.log(sizes).mean(axis=0) - predicted)
        assert gaps.max() < 1.5 * scale**2 + 0.1


def test_a_net_without_branches_does_not_grow_and_plain_layers_do_not_add():
    branches = net()
    level = growth_by_layer(branches, branch_scale=0.0, rng=rng())
    assert (level.signal == 1).all()
    assert (level.gradient == 1).all()
    plain = growth_by_layer(branches, branch_scale=None, rng=rng())
    added = growth_by_layer(branches, branch_scale=1.0, rng=rng())
    assert not np.allclose(plain.signal, added.signal)


@pytest.mark.parametrize("scale", [None, 0.4, 1.0])
def test_gradients_agree_with_centred_differences(scale):
    branches, (inputs, direction, grad_outputs) = net(), rng(2).normal(size=(3, 3, 1, 5))

    def output(step):
        h = shattering._signals(branches, inputs + step * direction, scale)[-1]
        return np.sum(h * grad_outputs, axis=(1, 2))

    signals = shattering._signals(branches, inputs, scale)
    gradients = shattering._gradients(branches, signals, grad_outputs, scale)
    along = np.sum(gradients[0] * direction, axis=(1, 2))
    assert along == pytest.approx((output(1e-6) - output(-1e-6)) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("scale", [None, 0.4])
@pytest.mark.parametrize("centred", [False, True])
def test_the_walk_s_gradients_are_the_slopes_of_its_values(scale, centred):
    layers = walk_circle(net(), points=4096, branch_scale=scale, centred=centred, rng=rng(3))
    for layer in layers:
        h = layer.values
        slopes = (np.roll(h, -1, axis=2) - np.roll(h, 1, axis=2)) / (4 * np.pi / 4096)
        # only beside a kink, where the difference straddles two slopes, do they differ much
        gaps = np.abs(slopes - layer.gradients)
        assert np.median(gaps) < 1e-5
        assert np.mean(gaps < 1e-2) > 0.95


@pytest.mark.parametrize(
    ("kind", "within"),
    [
        ({}, 0.09),
        ({"centred": True}, 0.06),
        ({"branch_scale": 30**-0.5}, 0.03),
        ({"centred": True, "branch_scale": 30**-0.5}, 0.03),
        ({"centred": True, "branch_scale": 1.0}, 0.09),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_walk_s_autocorrelation_is_the_predicted_one(kind, within, seed):
    branches = he_branches(30, 64, draws=20, rng=rng(seed), dtype="float32")
    walk = walk_circle(branches, points=128, rng=rng(seed + 10), **kind)
    measured = [autocorrelation(layer.gradients).mean() for layer in walk]
    predicted = theory.circle_autocorrelation(30, points=128, **kind)
    assert np.abs(np.array(measured) - predicted).max() < within


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.9])
@pytest.mark.parametrize("scale", [None, 0.5])
def test_gradients_of_two_inputs_are_as_alike_as_predicted(correlation, scale):
    branches = he_branches(4, 256, draws=10, rng=rng(), dtype="float32")
    cosines = shattering.gradient_similarity(
        branches, correlation=correlation, branch_scale=scale, rng=rng(1)
    )
    assert cosines.shape == (10, 50)
    predicted = theory.gradient_correlation(correlation, depth=4, branch_scale=scale)
    assert cosines.mean() == pytest.approx(float(predicted), abs=0.03)


def test_the_same_input_twice_has_the_same_gradient():
    cosines = shattering.gradient_similarity(net(), correlation=1.0, pairs=4, rng=rng())
    alive = np.isfinite(cosines)
    assert alive.mean() > 0.5
    assert cosines[alive] == pytest.approx(1.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: he_branches(0, 5, rng=rng()),
        lambda: he_branches(5, 5, draws=0, rng=rng()),
        lambda: he_branches(5, 5, rng=rng(), dtype="float16"),
        lambda: next(walk_circle(net(), points=0, rng=rng())),
        lambda: shattering.gradient_similarity(net(), correlation=0.0, pairs=0, rng=rng()),
        lambda: shattering.gradient_similarity(net(), correlation=1.5, rng=rng()),
    ],
)
def test_sizes_outside_their_range_get_one_line(call):
    with pytest.raises(ValueError, match=r"got .*\. Pass") as caught:
        call()
    assert "\n" not in str(caught.value)


def test_randomness_is_passed_in():
    with pytest.raises(TypeError, match="rng must be a NumPy Generator"):
        he_branches(2, 3, rng=0)
