"""The explorer of depth and gain shows the norms of the network that its sliders describe."""

import itertools

import numpy as np
import pytest

from course_utils.datasets import load_digits
from course_utils.explorers import vanishing_explorer
from course_utils.explorers.vanishing import (
    ACTIVATIONS,
    CEILING,
    FLOOR,
    MAX_DEPTH,
    decades,
    in_words,
    layer_norms,
)
from course_utils.network import MLP

HIDDEN, WEIGHTS = "activation gradient ∂L/∂h", "weight gradient ∂L/∂W"


@pytest.mark.parametrize(
    ("depth", "gain", "activation"), [(2, 1.0, "tanh"), (9, 0.4, "sigmoid"), (7, 2.0, "relu")]
)
def test_the_norms_are_those_of_a_network_built_afresh(depth, gain, activation):
    layer_norms(depth, 3.0, activation)  # what an earlier position leaves behind must not count
    found = layer_norms(depth, gain, activation)
    rng = np.random.default_rng(0)
    net = MLP([64, *[32] * (depth - 1), 10], activation=activation, gain=gain, rng=rng)
    net.loss_and_gradients(*load_digits().train.take(slice(64)))
    assert found[HIDDEN] == pytest.approx(net.signals.grad_hidden.norms(), rel=1e-3)
    assert found[WEIGHTS] == pytest.approx(net.grad_weights.norms(), rel=1e-3)
    assert found["signal h"] == pytest.approx(net.signals.hidden.norms(), rel=1e-3)


def test_a_small_init_starves_all_weights_alike_and_saturation_the_input_side():
    small, saturating = layer_norms(20, 0.1, "tanh"), layer_norms(20, 1.0, "sigmoid")
    assert small[WEIGHTS].max() / small[WEIGHTS].min() < 10
    assert small[WEIGHTS].max() < 1e-15
    assert saturating[WEIGHTS][0] < 1e-9 * saturating[WEIGHTS][-1]
    for norms in (small, saturating):
        assert norms[HIDDEN][0] < 1e-9 * norms[HIDDEN][-1]


def test_a_zero_is_drawn_at_the_floor_and_what_is_not_finite_at_the_top():
    drawn = decades(np.array([0.0, 1e-60, 1e-3, 1e30, np.inf, np.nan]))
    assert drawn.tolist() == [FLOOR, FLOOR, -3.0, CEILING, CEILING, CEILING]


def words(hidden, weights):
    return in_words({HIDDEN: np.array(hidden), WEIGHTS: np.array(weights)}, "Net")


def test_the_sentence_tells_ratios_zeros_and_overflow():
    assert words([1e-6, 1e-1], [1e-4, 1e-2]) == (
        "Net: first layer over last, ∂L/∂h 1e-05, ∂L/∂W 1e-02; the last layer's ∂L/∂W is 1e-02."
    )
    assert "in 1 layer every weight gradient is exactly 0" in words([1e-9, 1], [0, 1])
    assert "in 2 layers every weight gradient is exactly 0" in words([0, 1e-9, 1], [0, 0, 1])
    for bad in (np.inf, np.nan):
        assert "not finite" in words([bad, 1.0], [1.0, 1.0])
        assert "not finite" in words([1.0, 1.0], [1.0, bad])


def test_every_corner_of_the_controls_is_drawn_without_a_warning():
    explorer = vanishing_explorer()
    for depth, gain, activation in itertools.product((2, MAX_DEPTH), (0.05, 4.0), ACTIVATIONS):
        for name, value in (("depth", depth), ("gain", gain), ("activation", activation)):
            explorer.controls[name].value = value
        assert f"{depth} {activation} layers, gain {gain:.2f}" in explorer.sentence
