"""Growth of the gradient in normalised nets: theory against nets, and its laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.activations import ACTIVATIONS, Activation, leaky_relu
from course_utils.layers import deep_net
from course_utils.theory import batch_norm_growth, layer_norm_growth, linear_batch_norm_growth

GROWTH = {"batch": batch_norm_growth, "layer": layer_norm_growth}


def measured_growth(activation, norm, *, batch, width, seeds, depth=24):
    """Median over seeds of the growth of the squared gradient per layer."""
    growths = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        widths = [width] * depth + [10]
        net = deep_net(widths, activation=activation, norm=norm, dtype="float32", rng=rng)
        inputs, labels = rng.standard_normal((batch, width)), rng.integers(0, 10, batch)
        net.loss_and_gradients(inputs, labels)
        squares = np.log(net.signals.grad_hidden.norms()[4:-3] ** 2)
        growths.append(math.exp(-np.polyfit(range(len(squares)), squares, 1)[0]))
    return float(np.median(growths))


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("norm", GROWTH)
def test_nets_grow_as_predicted(activation, norm):
    measured = measured_growth(activation, norm, batch=128, width=96, seeds=5)
    assert measured == pytest.approx(GROWTH[norm](activation), rel=0.05)


@pytest.mark.parametrize("batch", [6, 8, 12])
def test_linear_nets_grow_as_predicted(batch):
    measured = measured_growth("identity", "batch", batch=batch, width=160, seeds=8)
    assert measured == pytest.approx(linear_batch_norm_growth(batch), rel=0.05)


def test_the_check_against_nets_can_fail():
    measured = measured_growth("relu", "batch", batch=128, width=96, seeds=5)
    assert measured != pytest.approx(layer_norm_growth("relu"), rel=0.3)
    assert measured != pytest.approx(batch_norm_growth("tanh"), rel=0.15)


def test_exact_values():
    assert batch_norm_growth("relu") == pytest.approx(math.pi / (math.pi - 1), rel=1e-9)
    assert layer_norm_growth("relu") == pytest.approx(1, rel=1e-9)
    assert batch_norm_growth("identity") == pytest.approx(1, rel=1e-9)
    assert batch_norm_growth("tanh") == pytest.approx(layer_norm_growth("tanh"), rel=1e-9)
    assert linear_batch_norm_growth(8) == 1.2
    assert linear_batch_norm_growth(3) == math.inf


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_activation_escapes_batch_norms_explosion_but_the_straight_line(name):
    growth = batch_norm_growth(name)
    assert growth >= layer_norm_growth(name) - 1e-12
    if name == "identity":
        assert growth == pytest.approx(1)
    else:
        assert growth > 1.01


@given(scale=st.floats(0.1, 10), shift=st.floats(-3, 3), alpha=st.floats(0.01, 1))
def test_batch_norm_takes_scale_and_shift_of_the_activation_out(scale, shift, alpha):
    plain = leaky_relu(alpha)
    moved = Activation(
        "moved",
        lambda z, out=None: scale * plain.forward(z) + shift,
        lambda h, out=None: scale * plain.derivative((h - shift) / scale),
    )
    assert batch_norm_growth(moved) == pytest.approx(batch_norm_growth(plain), rel=1e-6)


def test_a_batch_below_three_gets_one_line():
    with pytest.raises(ValueError, match=r"batch_size must be >= 3, got 2\. Two examples keep"):
        linear_batch_norm_growth(2)
    with pytest.raises(TypeError, match=r"must be a whole number, got 8\.0"):
        linear_batch_norm_growth(8.0)
