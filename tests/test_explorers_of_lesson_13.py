"""Lesson 13's explorer and plots show what the theory says, and what a network does."""

import re
from statistics import median
from time import perf_counter

import numpy as np
import pytest

from course_utils import plots, theory
from course_utils.explorers import edge_explorer
from course_utils.explorers.edge_of_chaos import (
    LARGEST_VARIANCE,
    LAYERS,
    fate_of,
    measured_gradient,
    predicted_gradient,
    staircase,
)

SETTINGS = [(0.8, 0.0), (1.0, 0.0), (1.5, 0.0), (1.3, 0.2), (1.6, 0.25), (2.5, 0.8)]


@pytest.mark.parametrize(("gain", "bias"), SETTINGS)
def test_the_sentence_tells_the_fixed_variance_and_chi(gain, bias):
    explorer = edge_explorer()
    explorer.controls["gain"].value, explorer.controls["bias_std"].value = gain, bias
    fate = fate_of(gain, bias)
    assert f"q* = {fate.variance:.3f}, χ = {fate.chi:.3f}" in explorer.sentence
    assert ("vanish" in explorer.sentence) == (fate.chi < 0.996)
    assert ("explode" in explorer.sentence) == (fate.chi > 1.004)
    expected, found = map(
        float, re.findall(r"(?:predicted|measured) (-?\d+\.\d)", explorer.sentence)
    )
    assert expected == pytest.approx(predicted_gradient(gain, bias)[0], abs=0.051)
    assert found == pytest.approx(measured_gradient(gain, bias)[0], abs=0.051)


@pytest.mark.parametrize(("gain", "bias"), SETTINGS)
def test_the_network_follows_the_prediction(gain, bias):
    expected, found = predicted_gradient(gain, bias), measured_gradient(gain, bias)
    assert expected.shape == found.shape == (LAYERS - 1,)
    assert expected[-1] == found[-1] == 0
    np.testing.assert_allclose(found, expected, atol=0.7)


def test_a_prediction_with_another_gain_would_be_off():
    assert np.abs(predicted_gradient(0.8, 0.0) - measured_gradient(1.0, 0.0)).max() > 1.5


@pytest.mark.parametrize(("gain", "bias"), SETTINGS)
def test_the_staircase_climbs_between_the_map_and_the_diagonal(gain, bias):
    x, y = staircase(gain, bias)
    assert x[0] == LARGEST_VARIANCE
    on_the_map = theory.variance_map(x[1::2], gain=gain, bias_std=bias)
    np.testing.assert_allclose(y[1::2], on_the_map)
    np.testing.assert_array_equal(x[::2], y[::2])


def test_a_move_is_answered_at_once():
    explorer = edge_explorer()
    times = []
    for gain in np.linspace(0.5, 2.5, 15):
        begin = perf_counter()
        explorer.controls["gain"].value = gain
        times.append(perf_counter() - begin)
    assert median(times) < 0.05  # a few milliseconds on a machine that does nothing else


def test_theory_is_a_line_and_each_network_dots_of_its_colour():
    ax = plots.plot_theory_and_nets([1.0, 2.0], [[1.1, 2.1], [0.9, 1.9]], label="q")
    line, *dots = ax.lines
    assert line.get_xdata().tolist() == [1, 2]
    assert [d.get_ydata().tolist() for d in dots] == [[1.1, 2.1], [0.9, 1.9]]
    assert {d.get_color() for d in dots} == {line.get_color()}


def test_the_phase_diagram_shows_every_chi_and_the_critical_line():
    chi = [[0.5, 0.6, 0.7], [1.0, 1.5, 2.0]]
    ax = plots.plot_phases([0.0, 0.1, 0.2], [1.0, 2.0], chi, critical=([0, 0.2], [1, 1.5]))
    assert np.ravel(ax.collections[0].get_array()).tolist() == np.ravel(chi).tolist()
    assert ax.lines[0].get_ydata().tolist() == [1, 1.5]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("σ_b²  (biases)", "σ_w²  (weights)")


def test_the_table_of_accuracies_names_each_in_percent_at_its_place():
    ax = plots.plot_accuracy_by_gain_and_depth(
        [1.0, 2.0], [5, 10], [[0.9, 0.5], [0.1, 1.0]], limits=[7.0, np.inf]
    )
    assert [patch.get_data().values.tolist() for patch in ax.patches] == [[0.5, 1.5]] * 2
    found = {tuple(text.xy): text.get_text() for text in ax.texts}
    assert found == {(0, 0): "90", (1, 0): "50", (0, 1): "10", (1, 1): "100"}


def test_stretches_and_the_window_are_drawn_as_given():
    ax = plots.plot_stretches([0.0, -1.0, -5.0], label="orthogonal")
    assert ax.lines[0].get_xdata().tolist() == [1, 2, 3]
    ax = plots.plot_window([0.9, 1.0], [[0.1, 0.2, 0.3], [0.7, 0.9, 0.8]], guessing=0.1)
    middle, dots, chance = ax.lines
    assert middle.get_ydata().tolist() == [0.2, 0.8]
    assert sorted(dots.get_ydata()) == [0.1, 0.2, 0.3, 0.7, 0.8, 0.9]
    assert set(chance.get_ydata()) == {0.1}
