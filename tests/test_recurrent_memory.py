"""Matrices that are applied again and again, forget gates, the recall task, stored evidence."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.chain_rule import log10_product_norms
from course_utils.recurrent import (
    LSTM,
    RECURRENT,
    RNN,
    departure_from_normality,
    evidence,
    log10_one_way_norms,
    one_way_matrix,
    recurrent_matrix,
    spectral_norm,
    spectral_radius,
    with_spectral_radius,
)
from course_utils.recurrent.forgetting import forget_bias, half_life, log10_kept
from course_utils.recurrent.recall import GUESSING_LOSS, LETTERS, recall_task

SQUARE = st.integers(1, 6).flatmap(
    lambda n: st.integers(0, 2**32 - 1).map(
        lambda seed: np.random.default_rng(seed).standard_normal((n, n))
    )
)


@settings(deadline=None)
@given(matrix=SQUARE)
def test_the_radius_is_at_most_the_norm_and_both_agree_for_normal_matrices(matrix):
    assert spectral_radius(matrix) <= spectral_norm(matrix) * (1 + 1e-12)
    symmetric = matrix + matrix.T
    assert spectral_radius(symmetric) == pytest.approx(spectral_norm(symmetric), rel=1e-9)
    assert departure_from_normality(symmetric) == pytest.approx(
        0.0, abs=1e-6 * spectral_norm(symmetric)
    )


@settings(deadline=None)
@given(matrix=SQUARE, seed=st.integers(0, 2**32 - 1))
def test_a_rotation_changes_none_of_the_three_sizes(matrix, seed):
    rng = np.random.default_rng(seed)
    turn = recurrent_matrix(len(matrix), "orthogonal", rng=rng)
    turned = turn.T @ matrix @ turn
    for size in (spectral_radius, spectral_norm, departure_from_normality):
        assert size(turned) == pytest.approx(size(matrix), rel=1e-6, abs=1e-6)


@settings(deadline=None)
@given(radius=st.floats(0.1, 1.5), shear=st.floats(0.0, 10.0), steps=st.integers(1, 40))
def test_powers_of_the_one_way_matrix_are_those_of_the_formula(radius, shear, steps):
    matrix = one_way_matrix(2, radius=radius, shear=shear)
    assert spectral_radius(matrix) == pytest.approx(radius, rel=1e-6)
    assert departure_from_normality(matrix) == pytest.approx(shear, rel=1e-6, abs=1e-6)
    corner = steps * radius ** (steps - 1) * shear
    power = np.array([[radius**steps, corner], [0.0, radius**steps]])
    measured = log10_product_norms([matrix] * steps)[-1]
    assert measured == pytest.approx(math.log10(np.linalg.norm(power, 2)), abs=1e-9)
    closed = log10_one_way_norms([steps, 0], radius=radius, shear=shear)
    np.testing.assert_allclose(closed, [measured, 0.0], atol=1e-9)


@pytest.mark.parametrize("kind", RECURRENT)
def test_each_start_has_the_radius_that_its_gain_promises(kind):
    rng = np.random.default_rng(0)
    matrix = recurrent_matrix(300, kind, gain=0.8, rng=rng)
    assert spectral_radius(matrix) == pytest.approx(0.8, rel=0.1)
    assert spectral_norm(matrix) == pytest.approx(1.6 if kind == "gaussian" else 0.8, rel=0.1)


@settings(deadline=None)
@given(matrix=SQUARE, radius=st.floats(0.01, 10))
def test_scaling_to_a_radius_gives_that_radius(matrix, radius):
    scaled = with_spectral_radius(matrix, radius)
    assert spectral_radius(scaled) == pytest.approx(radius, rel=1e-9)


@given(steps=st.floats(0.01, 1e9))
def test_the_forget_bias_is_the_inverse_of_the_half_life(steps):
    bias = forget_bias(steps)
    assert half_life(bias) == pytest.approx(steps, rel=1e-9)
    assert log10_kept(bias, steps) == pytest.approx(math.log10(0.5), rel=1e-9)


@given(bias=st.floats(-20, 20), steps=st.integers(0, 40))
def test_what_is_kept_is_the_product_of_the_gates(bias, steps):
    product = math.prod([1 / (1 + math.exp(-bias))] * steps)
    assert 10.0 ** log10_kept(bias, steps) == pytest.approx(product, rel=1e-9, abs=1e-300)


def test_what_is_kept_neither_under_nor_overflows():
    assert log10_kept(-1e4, 10) == pytest.approx(-1e5 / math.log(10))
    assert log10_kept(800.0, 10) == 0.0
    assert f"{10 ** log10_kept(1.0, 100):.2e}" == "2.48e-14"
    assert f"{forget_bias(100):.2f}" == "4.97"


def test_the_first_letter_alone_tells_the_label():
    rng = np.random.default_rng(0)
    inputs, labels = recall_task(4000, 12, rng=rng)
    assert inputs.shape == (4000, 13, 2 * LETTERS)
    assert (inputs.sum(axis=2) == 1).all()
    np.testing.assert_array_equal(inputs[:, 0].argmax(axis=1), labels)
    later = inputs[:, 1:].argmax(axis=2)
    assert later.min() >= LETTERS
    np.testing.assert_allclose(np.bincount(labels) / 4000, 1 / LETTERS, atol=0.03)
    # a table of later letters by label: independent, so the chi-square of each is small
    for letter in later.T:
        counts = np.histogram2d(labels, letter, bins=(LETTERS, LETTERS))[0]
        assert ((counts - 250) ** 2 / 250).sum() < 60
    assert pytest.approx(math.log(4)) == GUESSING_LOSS


def test_the_stored_evidence_is_of_these_ways_and_says_what_the_lesson_says():
    kept = evidence.stored()
    assert list(kept) == list(evidence.WAYS)
    for figures in kept.values():
        assert {len(column) for column in figures.values()} == {len(evidence.SEEDS)}
    best = kept["LSTM, half-life 50, clipped"]
    assert min(best["accuracy"]) > 0.9
    for name in ("RNN", "RNN, clipped", "LSTM, bias 0, clipped"):
        assert max(kept[name]["accuracy"]) < 0.35
        assert min(kept[name]["loss"]) > 0.9 * GUESSING_LOSS
    for name in ("RNN, clipped, lr 0.03", "RNN, lr 0.03, 400 steps"):
        assert max(kept[name]["accuracy"]) < 0.9


@pytest.mark.parametrize("name", ["RNN, clipped", "LSTM, half-life 50, clipped"])
def test_one_seed_run_again_ends_as_the_stored_one(name):
    fresh = evidence.measure(evidence.WAYS[name], seed=0)
    kept = {figure: column[0] for figure, column in evidence.stored()[name].items()}
    # another BLAS adds up in another order, and training amplifies that
    assert fresh["accuracy"] == pytest.approx(kept["accuracy"], abs=0.1)
    assert fresh["loss"] == pytest.approx(kept["loss"], abs=0.15)
    assert fresh["clipped"] == pytest.approx(kept["clipped"], abs=0.2)


def test_evidence_is_written_as_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "SEEDS", range(2))
    monkeypatch.setattr(
        evidence,
        "measure",
        lambda way, *, seed: {"accuracy": seed / 3, "loss": way.learning_rate, "clipped": 0.0},
    )
    path = tmp_path / "kept.json"
    with pytest.raises(ValueError, match=r"No evidence is stored in kept\.json\. Run `python"):
        evidence.stored(path)
    evidence.write(path)
    kept = evidence.stored(path)
    assert list(kept) == list(evidence.WAYS)
    assert kept["RNN"]["accuracy"] == [0.0, 0.333]
    assert json.loads(path.read_text())["RNN"]["loss"] == [0.01, 0.01]


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (lambda: spectral_radius([[1.0, 2.0]]), r"square, got shape \(1, 2\)"),
        (lambda: spectral_norm([[np.inf]]), "finite, got inf"),
        (lambda: with_spectral_radius([[0.0, 1.0], [0.0, 0.0]], 1.0), "spectral radius > 0"),
        (lambda: log10_one_way_norms(1, radius=0.0, shear=1.0), "radius must be > 0"),
        (lambda: forget_bias(0.0), "half_life must be > 0 and finite, got 0.0"),
        (lambda: recall_task(0, 5, rng=np.random.default_rng(0)), "examples must be >= 1, got 0"),
        (lambda: recall_task(5, 0, rng=np.random.default_rng(0)), "delay must be >= 1, got 0"),
    ],
)
def test_what_does_not_fit_gets_one_line(act, fault):
    with pytest.raises(ValueError, match=fault) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_what_the_lesson_says_of_gradients_through_time_holds_on_twenty_seeds():
    for seed in range(20):
        letters = recall_task(8, 50, rng=np.random.default_rng(seed))

        def left(net, name, letters=letters):
            net.loss_and_gradients(*letters)
            norms = getattr(net.signals, name).norms()
            return norms[1] / norms[-1]

        def cell(bias, gain, seed=seed):
            rng = np.random.default_rng(seed)
            return LSTM(8, 32, 4, forget_bias=bias, gain=gain, rng=rng)

        assert 0.4 < left(cell(forget_bias(50), 0.0), "grad_cell") < 0.6
        assert left(cell(0.0, 0.0), "grad_cell") < 1e-10
        plain = left(RNN(8, 32, 4, rng=np.random.default_rng(seed)), "grad_hidden")
        assert left(cell(0.0, 1.0), "grad_cell") < 0.1 * plain < plain < 0.05
        assert 5 < left(cell(forget_bias(50), 1.0), "grad_cell") < 5000  # a wide tail
