"""Lesson 07: its explorer, its plots and the factor of one layer say what the network does."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import plots
from course_utils.activations import get_activation
from course_utils.claims.depth import layer_factor
from course_utils.datasets import load_digits
from course_utils.explorers import activation_explorer
from course_utils.explorers.activation import (
    ACTIVATIONS,
    EDGES,
    GAINS,
    MAX_DEPTH,
    MIN_DEPTH,
    Profile,
    in_words,
    measure,
)
from course_utils.network import MLP

SETTINGS = [("ReLU", 12, "He"), ("SELU", 5, "Xavier"), ("sigmoid", 20, "1.5 · He")]


def fresh(activation, depth, init, seed=0):
    """A float64 network like the explorer's, after one pass over the same digits."""
    net = MLP(
        [64, *[32] * (depth - 1), 10],
        activation=get_activation(ACTIVATIONS[activation]),
        gain=GAINS[init],
        rng=np.random.default_rng(seed),
    )
    net.loss_and_gradients(*load_digits().train.take(slice(32)))
    return net


@pytest.mark.parametrize(("activation", "depth", "init"), SETTINGS)
def test_the_ratios_are_those_of_a_network_built_afresh(activation, depth, init):
    measure(activation, depth, "He")  # what an earlier position leaves behind must not count
    found = measure(activation, depth, init)
    norms = fresh(activation, depth, init).signals.grad_hidden.norms()[:-1]
    assert found.log10_ratios == pytest.approx(np.log10(norms / norms[-1]), abs=1e-3)


@pytest.mark.parametrize(("activation", "depth", "init"), SETTINGS)
def test_the_shares_are_the_histogram_of_all_slopes(activation, depth, init):
    net = fresh(activation, depth, init)
    slopes = [net.activation.derivative(np.array(h)) for h in net.signals.hidden[:-1]]
    expected = np.histogram(np.concatenate([s.ravel() for s in slopes]), EDGES)[0]
    found = measure(activation, depth, init).shares
    assert found.sum() == pytest.approx(1)
    assert found == pytest.approx(expected / expected.sum(), abs=2e-3)  # float32 at a bin's edge


@pytest.mark.parametrize(("activation", "depth", "init"), SETTINGS)
def test_the_prediction_multiplies_gain_and_slopes_of_the_layers_above(activation, depth, init):
    net = fresh(activation, depth, init)
    slopes = [net.activation.derivative(np.array(h)) for h in net.signals.hidden[:-1]]
    for layer, predicted in enumerate(measure(activation, depth, init).predicted):
        passed = slopes[layer + 1 :]
        product = math.prod(GAINS[init] * math.sqrt(np.mean(slope**2)) for slope in passed)
        assert predicted == pytest.approx(math.log10(product), abs=1e-3)


@pytest.mark.parametrize("activation", ["sigmoid", "softplus", "ReLU", "tanh", "identity"])
def test_slopes_foretell_what_backprop_finds(activation):
    profile = measure(activation, 30, "Xavier")
    gap = profile.predicted[0] - profile.log10_ratios[0]
    assert abs(gap) < 1.0  # a factor of ten, over 28 layers


def test_relu_alone_fixes_nothing():
    ends = {init: measure("ReLU", 30, init).log10_ratios[0] for init in GAINS}
    assert ends["Xavier"] < -3
    assert abs(ends["He"]) < 1.5
    assert ends["1.5 · He"] > 3


def profile_of(factor, depth):
    ratios = math.log10(factor) * np.arange(depth - 2, -1, -1)
    return Profile(ratios, ratios, np.zeros(len(EDGES) - 1))


@given(st.floats(0.05, 0.93), st.integers(MIN_DEPTH, MAX_DEPTH))
def test_the_budget_told_is_the_greatest_depth_that_keeps_a_thousandth(factor, depth):
    sentence = in_words(profile_of(factor, depth), "Net")
    layers = int(sentence.split(": ")[-1].split()[0])
    assert factor ** (layers - 2) > 1e-3 * (1 - 1e-9)
    assert factor ** (layers - 1) < 1e-3 * (1 + 1e-9)


def test_the_sentence_tells_growth_and_budgets_that_one_network_cannot_show():
    assert in_words(profile_of(1.2, 10), "Net").endswith("multiplies it by 1.20: it grows.")
    for factor in (0.99, 1.0):
        assert "more than 100 layers keep a thousandth" in in_words(profile_of(factor, 10), "Net")
    told = "Net: ∂L/∂h at the first layer is 4e-03 of that at the last hidden one"
    assert in_words(profile_of(0.5, 10), "Net").startswith(told)


def test_every_corner_of_the_controls_is_drawn_without_a_warning():
    explorer = activation_explorer()
    for activation, depth, init in itertools.product(ACTIVATIONS, (MIN_DEPTH, MAX_DEPTH), GAINS):
        for name, value in (("activation", activation), ("depth", depth), ("init", init)):
            explorer.controls[name].value = value
        assert explorer.sentence.startswith(f"{depth} layers, {activation}, {init}: ")
        assert "nan" not in explorer.sentence
        assert "inf" not in explorer.sentence


@settings(max_examples=10, deadline=None)
@given(st.floats(0.3, 3.0), st.integers(3, 12))
def test_a_linear_network_of_orthogonal_layers_has_its_gain_as_factor(gain, depth):
    rng = np.random.default_rng(depth)
    widths = [16] * depth + [10]
    net = MLP(widths, activation="identity", init="orthogonal", gain=gain, loss="mse", rng=rng)
    net.loss_and_gradients(rng.standard_normal((5, 16)), rng.standard_normal((5, 10)))
    assert layer_factor(net) == pytest.approx(gain)


def test_a_network_that_broke_is_a_cross_below_in_the_line_s_colour():
    ax = plots.plot_accuracy_by_depth([2, 5, 20], [0.9, 0.5, math.nan], label="sigmoid")
    line, crosses = ax.lines
    assert line.get_ydata()[:2].tolist() == [90, 50]
    assert np.isnan(line.get_ydata()[2])
    assert crosses.get_xdata().tolist() == [2]
    assert ax.get_ylim()[0] < crosses.get_ydata()[0] < 0
    assert crosses.get_color() == line.get_color()
    assert [text.get_text() for text in ax.texts] == ["NaN"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "5", "20"]


def test_networks_that_all_end_well_have_no_cross():
    ax = plots.plot_accuracy_by_depth([2, 5], [0.9, 0.5])
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 0]
    assert not ax.texts
    assert ax.get_legend() is None


def test_measured_ratios_lie_on_the_line_that_foretold_them():
    depths = np.array([2, 3, 6])
    ax = plots.plot_ratio_by_depth(depths, 0.5 ** (depths - 2), factor=0.5, label="half")
    line, points = ax.lines
    assert points.get_ydata() == pytest.approx(line.get_ydata())
    assert line.get_ydata()[0] == 0  # between the layers of a network of 2 there is no step
    assert points.get_color() == line.get_color()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["half"]


def test_an_outline_encloses_the_whole_of_the_shares():
    edges, shares = np.array([0.0, 0.25, 1.0]), np.array([0.2, 0.8])
    across, heights = plots.outline(edges, shares)
    assert heights[[0, -1]].tolist() == [0, 0]
    assert np.trapezoid(heights, across) == pytest.approx(100 * shares @ np.diff(edges))
    ax = plots.plot_slopes(edges, shares, label="tanh")
    assert ax.lines[0].get_xdata().tolist() == across.tolist()
    assert ax.lines[0].get_ydata().tolist() == heights.tolist()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
