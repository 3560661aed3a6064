"""Very deep tanh networks: the stored traces are those of the script, and say what is claimed."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from benchmarks import deep_tanh as script
from course_utils import deep_tanh
from course_utils.deep_tanh import Setting, log10_stretches, new_net, run, split, stored
from course_utils.network import MLP

SMALL = Setting(depth=12, width=16, rates=((60, 0.05), (10, 0.01)))
CHOICES = ("choose_thousand", "choose_first_layer", "choose_readout", "choose_ten_thousand")


def test_the_file_holds_what_the_script_runs():
    assert set(json.loads(deep_tanh.STORE.read_text(encoding="utf-8"))) == set(script.EXPERIMENTS)


@pytest.mark.parametrize("name", script.EXPERIMENTS)
def test_each_trace_was_made_with_the_settings_of_the_script(name):
    experiment, trace = script.EXPERIMENTS[name], stored(name)
    assert trace.setting == experiment.setting
    assert (trace.validation, trace.split) == (experiment.validation, experiment.split)
    # JSON makes lists of tuples, so both go through it
    assert json.dumps([*map(dict, trace.changes)]) == json.dumps(list(experiment.changes))
    shape = (len(experiment.changes), experiment.seeds)
    assert trace.accuracy.shape == trace.seconds.shape == shape
    steps = sum(n for n, _ in replace(experiment.setting, **experiment.changes[0]).rates)
    assert trace.loss.shape == trace.batch_accuracy.shape == (steps,)


def test_another_setting_would_be_noticed():
    trace = stored("thousand")
    for field in ("depth", "gain_squared", "rates", "momentum", "input_scale"):
        assert trace.setting != replace(trace.setting, **{field: 1})


@pytest.mark.parametrize("name", CHOICES)
def test_the_settings_that_are_used_did_best_on_validation_images(name):
    trace = stored(name)
    means = trace.accuracy.mean(axis=1)
    used = [
        mean
        for change, mean in zip(trace.changes, means, strict=True)
        if Setting.of({**asdict(trace.setting), **change}) == trace.setting
    ]
    assert used, "the setting that is used was not among those tried"
    assert used[0] >= means.max() - 0.01


def test_a_thousand_layers_learn_and_gaussian_ones_do_not():
    accuracy = stored("thousand").accuracy[0]
    assert (accuracy >= 0.97).mean() >= 0.8
    assert stored("gaussian").accuracy.max() < 0.25
    assert stored("choose_gaussian").accuracy.max() < 0.25
    assert stored("thousand").seconds.max() < 20


def test_ten_thousand_layers_learn_within_two_minutes():
    trace = stored("ten_thousand")
    assert trace.setting.depth == 10_000
    assert (trace.accuracy[0] >= 0.95).mean() >= 0.8
    assert (trace.seconds[0] <= 120).all()


def test_the_first_layer_alone_learns_through_all_the_others():
    trace = stored("first_layer")
    assert trace.setting.trainable == (0, 1)
    assert trace.accuracy.min() > 0.88


def test_a_cheap_run_gives_again_what_the_file_holds():
    readout = stored("readout")
    again = run(readout.setting, seed=0)
    assert again.accuracy == pytest.approx(readout.accuracy[0, 0], abs=0.02)
    np.testing.assert_allclose(again.loss[:10], readout.loss[:10], rtol=0.02)
    # Another seed's run is not taken for it.
    other = run(replace(readout.setting, depth=50, trainable=(49, 50)), seed=1)
    assert np.abs(other.loss[:10] / readout.loss[:10] - 1).max() > 0.02


def test_a_small_experiment_is_measured_kept_and_read_again(tmp_path, capsys, monkeypatch):
    experiment = script.Experiment(SMALL, 2, ({}, {"gain_squared": 0.2}))
    path = tmp_path / "trace.json"
    path.write_text('{"other": {"setting": 1}}', encoding="utf-8")
    monkeypatch.setattr(script, "STORE", path)
    monkeypatch.setitem(script.EXPERIMENTS, "small", experiment)
    script.main(["small"])
    assert "small : accuracy [0." in capsys.readouterr().out
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["other"] == {"setting": 1}
    trace = deep_tanh.trace_of(kept["small"])
    assert trace.setting == SMALL
    learned, dead = trace.accuracy
    assert learned.min() > 0.7
    assert dead.max() < 0.3
    assert trace.loss[-5:].mean() < trace.loss[0] / 2


def test_an_unknown_experiment_is_refused(capsys):
    with pytest.raises(SystemExit):
        script.main(["hundred"])
    assert "no experiment 'hundred'. Choose from choose_thousand" in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"^name must be an experiment that was kept, got 'x'"):
        stored("x")


def test_a_run_is_decided_by_its_setting_and_seed():
    one, again, other = run(SMALL, seed=1), run(SMALL, seed=1), run(SMALL, seed=2)
    np.testing.assert_array_equal(one.loss, again.loss)
    assert one.accuracy == again.accuracy
    assert not np.array_equal(one.loss, other.loss)


def test_validation_images_come_from_the_training_set_and_are_not_trained_on():
    training, test = split(SMALL, seed=3)
    less, held_out = split(SMALL, seed=3, validation=True)
    assert (len(less.labels), len(held_out.labels), len(test.labels)) == (1200, 300, 297)
    np.testing.assert_array_equal(np.concatenate([less.inputs, held_out.inputs]), training.inputs)
    assert np.mean(training.inputs**2) == pytest.approx(SMALL.input_scale**2, rel=1e-3)


def linear_net(width, depth, gain):
    rng = np.random.default_rng(0)
    widths = [64, *[width] * (depth - 1), 10]
    return MLP(widths, activation="identity", init="orthogonal", gain=gain, rng=rng)


def test_rotations_stretch_every_direction_by_their_gain():
    net = linear_net(16, 40, 0.9)
    np.testing.assert_allclose(log10_stretches(net, np.ones(64)), 38 * np.log10(0.9), atol=1e-9)


@pytest.mark.parametrize("block", [1, 3, 8])
def test_the_stretches_of_a_short_net_multiply_to_its_determinant(block):
    setting = replace(SMALL, init="gaussian", gain_squared=2.0, bias_std=0.3, depth=9, width=6)
    net = new_net(setting, np.random.default_rng(0))
    example = np.random.default_rng(1).normal(size=64)
    hidden = np.tanh(example @ net.weights[0] + net.biases[0])
    jacobian = np.eye(6)
    for weights, biases in zip(net.weights[1:-1], net.biases[1:-1], strict=True):
        hidden = np.tanh(hidden @ weights + biases)
        jacobian = (1 - hidden**2)[:, None] * (weights.T @ jacobian)
    found = log10_stretches(net, example, block=block)
    singular = np.linalg.svd(jacobian, compute_uv=False)
    assert found.sum() == pytest.approx(np.log10(singular).sum(), abs=1e-4)
    assert found[0] <= np.log10(singular[0]) + 1e-6


def test_a_long_gaussian_net_flattens_and_an_orthogonal_one_does_not():
    spreads = {}
    for init in ("gaussian", "orthogonal"):
        net = new_net(Setting(depth=200, init=init), np.random.default_rng(0))
        decades = log10_stretches(net, split(Setting(), seed=0)[0].inputs[0])
        spreads[init] = decades[0] - np.median(decades)
    assert spreads["gaussian"] > 20
    assert spreads["orthogonal"] < 1
