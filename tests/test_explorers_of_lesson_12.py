"""Lesson 12's explorer and plots show what the formulas say."""

import math

import numpy as np
import pytest

from course_utils import plots
from course_utils.chain_rule import log10_product_norms
from course_utils.explorers import through_time_explorer
from course_utils.explorers.through_time import DECADES, TIMES
from course_utils.recurrent import one_way_matrix, spectral_norm


def lines(explorer):
    """The four moving lines by label, as they stand now."""
    return {line.get_label(): line.get_ydata() for line in explorer._canvas._moving}


def moved(**values):
    explorer = through_time_explorer()
    for name, value in values.items():
        explorer.controls[name].value = value
    return explorer


@pytest.mark.parametrize(("radius", "shear"), [(0.5, 4.0), (0.9, 0.0), (1.1, 10.0), (0.1, 10.0)])
def test_the_lines_are_the_powers_their_bound_and_their_eigenvalue(radius, shear):
    drawn = lines(moved(radius=radius, shear=shear))
    matrix = one_way_matrix(2, radius=radius, shear=shear)
    powers = np.concatenate([[0.0], log10_product_norms([matrix] * 100)])
    np.testing.assert_allclose(drawn["norm of W^k"], powers, atol=1e-6)
    np.testing.assert_allclose(
        drawn["bound: σ_max^k"], TIMES * math.log10(spectral_norm(matrix)), atol=1e-6
    )
    np.testing.assert_allclose(drawn["eigenvalue: ρ^k"], TIMES * math.log10(radius), atol=1e-9)
    assert (drawn["norm of W^k"] <= drawn["bound: σ_max^k"] + 1e-6).all()
    assert (drawn["norm of W^k"] >= drawn["eigenvalue: ρ^k"] - 1e-6).all()


@pytest.mark.parametrize("bias", [-2.0, 0.0, 1.0, 8.0])
def test_the_gates_line_and_the_sentence_are_those_of_the_bias(bias):
    explorer = moved(forget_bias=bias)
    gate = 1 / (1 + math.exp(-bias))
    kept = lines(explorer)["forget gates: σ(b)^k"]
    np.testing.assert_allclose(kept, TIMES * math.log10(gate), atol=1e-9)
    assert f"half-life {math.log(0.5) / math.log(gate):.1f} steps" in explorer.sentence


def test_the_sentence_names_the_peak_and_the_end():
    explorer = moved(radius=0.9, shear=4.0)
    norms = [np.linalg.norm(np.linalg.matrix_power([[0.9, 4], [0, 0.9]], k), 2) for k in TIMES]
    peak = int(np.argmax(norms))
    assert f"largest after {peak} steps, {norms[peak]:.2e}," in explorer.sentence
    assert f"σ_max = {norms[1]:.2f}" in explorer.sentence
    assert f"and {norms[-1]:.2e} after 100" in explorer.sentence


def test_the_same_setting_shows_the_same_picture_again():
    explorer = through_time_explorer()
    before = explorer.png
    explorer.controls["shear"].value = 0.0
    explorer.controls["shear"].value = 4.0
    assert explorer.png == before


def test_an_ordinary_setting_lies_within_the_picture():
    drawn = lines(through_time_explorer())
    for name in ("norm of W^k", "forget gates: σ(b)^k"):
        assert DECADES[0] < drawn[name].min() <= drawn[name].max() < DECADES[1]


def test_norms_are_drawn_against_time_from_0():
    ax = plots.plot_norms_by_time([0.0, -1.0, -2.0], label="a")
    assert ax.lines[0].get_xdata().tolist() == [0, 1, 2]
    assert ax.lines[0].get_ydata().tolist() == [0, -1, -2]
    assert ax.get_xlabel() == "time t"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a"]


def test_every_seed_is_a_dot_in_its_way_s_row():
    ax = plots.plot_accuracy_by_seed({"a": [1.0, 0.5, 0.25], "b": [0.25]}, guessing=0.25)
    first, second, chance = ax.lines
    assert first.get_xdata().tolist() == [25, 50, 100]
    assert np.abs(first.get_ydata()).max() <= 0.25
    assert len(set(first.get_ydata())) == 3
    assert second.get_xdata().tolist() == [25]
    assert abs(second.get_ydata()[0] - 1) <= 0.25
    assert chance.get_xdata()[0] == 25
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b"]
    assert ax.yaxis_inverted()
