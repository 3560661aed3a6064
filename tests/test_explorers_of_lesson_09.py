"""The explorer of gain and fans: theory where there is a formula, a network where there is none."""

import itertools
import re

import numpy as np
import pytest

from course_utils.explorers import initialization_explorer
from course_utils.explorers.initialization import (
    ACTIVATIONS,
    DECADES,
    LAYERS,
    RULES,
    _draws,
    decades,
    layer_stds,
    measured,
    predicted,
)
from course_utils.initializers import he_std, xavier_std
from course_utils.network import MLP

SHAPES = [(64, 64), (16, 96), (96, 16), (8, 9)]


def network(stds, fan_in, fan_out, activation):
    """An MLP with the explorer's weights; its last layer is linear."""
    widths = [fan_in if place % 2 == 0 else fan_out for place in range(LAYERS + 1)]
    net = MLP(widths, activation=activation, loss="mse", rng=np.random.default_rng(0))
    for layer, std in enumerate(stds):
        below, above = widths[layer], widths[layer + 1]
        net.weights[layer] = std * _draws()[0][layer, :above, :below].T
    return net


@pytest.mark.parametrize(("fan_in", "fan_out"), SHAPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_measured_sizes_are_those_of_a_network(fan_in, fan_out, activation):
    stds = layer_stds("He", 1.1, fan_in, fan_out)
    net = network(stds, fan_in, fan_out, activation)
    _, inputs, ends = _draws()
    net.forward(inputs[:fan_in].T)
    found = measured(stds, fan_in, fan_out, activation)
    assert found.signal[1:-1] == pytest.approx(net.signals.hidden.rms()[:-1] ** 2, rel=1e-3)
    grad, slope = ends[:fan_in], net.activation.derivative
    for layer in reversed(range(LAYERS)):
        hidden = net.activation(net.signals.pre_activation[layer].T)
        grad = net.weights[layer] @ (slope(hidden) * grad)
        assert found.gradient[layer] == pytest.approx(np.mean(grad**2), rel=1e-3)


@pytest.mark.parametrize(("fan_in", "fan_out"), SHAPES)
def test_where_there_is_a_formula_the_prediction_is_it(fan_in, fan_out):
    he = predicted(layer_stds("He", 1.0, fan_in, fan_out), fan_in, fan_out, "relu")
    assert he.signal == pytest.approx(np.ones(LAYERS + 1), rel=1e-6)
    assert he.gradient[0] == pytest.approx(1, rel=1e-6)  # after an even number of layers
    xavier = predicted(layer_stds("Xavier", 1.0, fan_in, fan_out), fan_in, fan_out, "identity")
    lost = (4 * fan_in * fan_out / (fan_in + fan_out) ** 2) ** (LAYERS // 2)
    assert xavier.signal[-1] == pytest.approx(lost)
    assert xavier.gradient[0] == pytest.approx(lost)
    halved = predicted(layer_stds("Xavier", 1.0, fan_in, fan_out), fan_in, fan_out, "relu")
    assert halved.signal[-1] == pytest.approx(lost / 2**LAYERS, rel=1e-6)


def test_tanh_under_xavier_falls_like_1_over_2l():
    signal = predicted(layer_stds("Xavier", 1.0, 64, 64), 64, 64, "tanh").signal
    assert signal[10] == pytest.approx(0.0522, abs=5e-4)
    assert signal[LAYERS] * 2 * LAYERS == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("rule", "activation"), list(itertools.product(RULES, ACTIVATIONS)))
def test_the_network_is_near_the_prediction_and_twice_the_gain_is_told(rule, activation):
    stds = layer_stds(rule, 1.0, 64, 64)
    expected, found = (f(stds, 64, 64, activation) for f in (predicted, measured))
    for theory, network_ in zip(expected, found, strict=True):
        assert np.abs(np.log10(network_ / theory)).max() < 0.6
    other = measured([2 * std for std in stds], 64, 64, activation)
    assert np.abs(np.log10(other.gradient / expected.gradient)).max() > 1


@pytest.mark.parametrize("gain", [0.5, 3.0])
def test_the_rules_are_those_of_the_course_and_the_fans_change_places(gain):
    assert layer_stds("Xavier", gain, 16, 96) == [xavier_std(16, 96, gain=gain)] * LAYERS
    he = layer_stds("He", gain, 16, 96)
    assert he[:3] == [he_std(fan, gain=gain) for fan in (16, 96, 16)]


def test_what_lies_beyond_the_axis_is_drawn_at_its_border():
    assert decades(np.array([0.0, 1e-30, 1.0, 1e30])).tolist() == [-DECADES, -DECADES, 0, DECADES]


def test_the_sentence_tells_the_ends_of_the_lines():
    explorer = initialization_explorer(fan_in=16, fan_out=96, activation="identity")
    stds = layer_stds("Xavier", 1.0, 16, 96)
    told = [
        float(x)
        for x in re.findall(
            r"\d\.?\d*e?-?\d* (?=times|\()|(?<=predicted )[\d.e-]+", explorer.sentence
        )
    ]
    expected, found = (f(stds, 16, 96, "identity") for f in (predicted, measured))
    ends = [found.signal[-1], expected.signal[-1], found.gradient[0], expected.gradient[0]]
    assert told[-4:] == [float(f"{end:.1g}") for end in ends]
