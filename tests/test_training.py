"""The laws of descent, clipping and the history, and that a net learns the digits."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_utils.datasets import load_digits
from course_utils.network import MLP
from course_utils.norms import l2_norm
from course_utils.training import (
    RECORDABLE,
    SGD,
    Descent,
    History,
    clip_by_norm,
    clip_by_value,
    minibatches,
    train,
)

gradients = arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e200, 1e200))
thresholds = st.floats(1e-3, 1e3)


def small_net(seed=0, **settings):
    return MLP([4, 6, 6, 3], rng=np.random.default_rng(seed), **settings)


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    return rng.normal(size=(30, 4)), rng.integers(0, 3, 30)


@given(gradients, thresholds)
def test_clipping_by_norm_never_lengthens_and_never_turns(gradient, threshold):
    clipped = clip_by_norm(gradient, threshold)
    assert l2_norm(clipped) <= threshold * (1 + 1e-12) or np.array_equal(clipped, gradient)
    if l2_norm(gradient) <= threshold:
        np.testing.assert_array_equal(clipped, gradient)
    else:
        np.testing.assert_allclose(
            clipped / threshold, gradient / l2_norm(gradient), rtol=1e-9, atol=1e-300
        )


@given(gradients, thresholds)
def test_clipping_by_value_cuts_each_entry_alone(gradient, threshold):
    clipped = clip_by_value(gradient, threshold)
    assert np.abs(clipped).max() <= threshold
    small = np.abs(gradient) <= threshold
    np.testing.assert_array_equal(clipped[small], gradient[small])
    np.testing.assert_array_equal(np.sign(clipped), np.sign(gradient))


def test_clipping_by_value_turns_the_gradient():
    gradient = np.array([100.0, 1.0])
    cosine = clip_by_value(gradient, 1.0) @ gradient / (math.sqrt(2) * l2_norm(gradient))
    assert math.degrees(math.acos(cosine)) == pytest.approx(44.43, abs=0.005)


def test_clipping_by_norm_holds_where_squares_overflow():
    gradient = np.full(4, 1e30, np.float32)
    np.testing.assert_allclose(clip_by_norm(gradient, 1.0), 0.5, rtol=1e-6)


def test_an_infinite_gradient_has_no_direction_to_keep():
    with np.errstate(invalid="ignore"):
        clipped = clip_by_norm(np.array([np.inf, 1.0]), 1.0)
    assert np.isnan(clipped[0])


@given(gradients, st.floats(0.01, 1), st.floats(0, 0.99), st.floats(0, 0.5))
def test_momentum_and_decay_follow_their_recurrence(gradient, rate, momentum, decay):
    gradient = gradient / 1e195
    parameters = np.ones_like(gradient)
    expected, velocity = parameters.copy(), np.zeros_like(gradient)
    descent = Descent(SGD(rate, momentum=momentum, weight_decay=decay), parameters)
    for _ in range(3):
        descent.step(gradient)
        velocity = momentum * velocity + (gradient + decay * expected)
        expected = expected - rate * velocity
        np.testing.assert_allclose(descent.update, rate * velocity, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parameters, expected, rtol=1e-9, atol=1e-9)


def test_weight_decay_alone_shrinks_weights_geometrically():
    parameters = np.ones(3)
    descent = Descent(SGD(0.1, weight_decay=0.5), parameters)
    for _ in range(20):
        descent.step(np.zeros(3))
    np.testing.assert_allclose(parameters, (1 - 0.1 * 0.5) ** 20)


def test_a_step_leaves_the_gradients_as_they_are():
    gradient = np.array([3.0, -4.0])
    Descent(SGD(0.1, momentum=0.9, clip_norm=1.0, clip_value=2.0), np.zeros(2)).step(gradient)
    np.testing.assert_array_equal(gradient, [3.0, -4.0])


def test_one_step_is_the_learning_rate_times_the_gradient(data):
    net = small_net()
    expected = net.parameters.copy()
    net.loss_and_gradients(*data)
    expected -= 0.5 * net.gradients
    train(net, data, steps=1, optimizer=SGD(0.5))
    np.testing.assert_allclose(net.parameters, expected)


def test_the_same_seed_gives_the_same_run_and_another_seed_another(data):
    runs = [
        train(
            small_net(),
            data,
            steps=8,
            batch_size=7,
            optimizer=SGD(0.1),
            rng=np.random.default_rng(s),
        )
        for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(runs[0].loss, runs[1].loss)
    assert not np.array_equal(runs[0].loss, runs[2].loss)


@given(st.integers(1, 40), st.integers(1, 40))
def test_an_epoch_draws_each_example_at_most_once(examples, batch_size):
    batch_size = min(batch_size, examples)
    batches = minibatches(examples, batch_size, np.random.default_rng(0))
    epoch = np.concatenate([next(batches) for _ in range(examples // batch_size)])
    assert len(set(epoch.tolist())) == len(epoch)
    assert epoch.max() < examples


def test_what_is_recorded_is_what_the_net_held(data):
    net = small_net()
    twin = copy.deepcopy(net)
    history = train(net, data, steps=2, optimizer=SGD(0.1, clip_norm=0.01), record=RECORDABLE)
    loss = twin.loss_and_gradients(*data)
    assert history.loss[0] == pytest.approx(loss)
    expected = {
        "weight_norm": [l2_norm(w) for w in twin.weights],
        "pre_activation_rms": [np.sqrt(np.mean(z**2)) for z in twin.signals.pre_activation],
        "hidden_rms": [np.sqrt(np.mean(h**2)) for h in twin.signals.hidden],
        "slope_mean": [*(np.mean(1 - h**2) for h in twin.signals.hidden[:-1]), 1.0],
        "dead_share": [0.0, 0.0, 0.0],
        "grad_hidden_norm": [l2_norm(g) for g in twin.signals.grad_hidden],
        "grad_pre_activation_norm": [l2_norm(g) for g in twin.signals.grad_pre_activation],
        "grad_weight_norm": [l2_norm(g) for g in twin.grad_weights],
        "accuracy": np.mean(twin.signals.outputs.argmax(axis=1) == data[1]),
        "global_norm": l2_norm(twin.gradients),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(history[name][0], values, err_msg=name)
    total = l2_norm(twin.gradients)
    moved = [0.1 * 0.01 / total * l2_norm(g) for g in twin.grad_weights]
    np.testing.assert_allclose(history["update_norm"][0], moved)
    assert set(history.names) == set(RECORDABLE)


@given(st.lists(st.booleans(), min_size=6, max_size=6))
def test_a_unit_is_dead_if_no_example_of_the_batch_wakes_it(dead):
    rng = np.random.default_rng(0)
    net = MLP([4, 6, 6, 3], activation="relu", init="he", rng=rng)
    # so high or so low that inputs of about 1 decide nothing
    net.biases[0][...] = np.where(dead, -100.0, 100.0)
    net.biases[1][...] = 1e5
    batch = rng.normal(size=(5, 4)), rng.integers(0, 3, 5)
    history = train(net, batch, steps=1, optimizer=SGD(0.1), record=["dead_share", "slope_mean"])
    np.testing.assert_allclose(history["dead_share"][0], [np.mean(dead), 0, 0])
    np.testing.assert_allclose(history["slope_mean"][0], [1 - np.mean(dead), 1, 1])


def test_unchecked_data_may_hold_a_nan_and_it_goes_through_the_net(data):
    inputs, labels = data
    inputs[3, 1] = np.nan
    with pytest.raises(ValueError, match="inputs must be finite"):
        train(small_net(), (inputs, labels), steps=2, optimizer=SGD(0.1))
    history = train(
        small_net(),
        (inputs, labels),
        steps=2,
        optimizer=SGD(0.1),
        record=["weight_norm", "hidden_rms"],
        validate=False,
    )
    step, layer, what, value = history.first_nonfinite()
    assert (step, layer, what) == (0, 0, "hidden_rms")
    assert np.isnan(value)
    assert np.isfinite(history["weight_norm"][0]).all()


def test_only_what_is_asked_for_is_recorded(data):
    history = train(small_net(), data, steps=2, optimizer=SGD(0.1), record="hidden_rms")
    assert set(history.names) == {"loss", "hidden_rms"}
    with pytest.raises(ValueError, match=r"'weight_norm' was not recorded, only .*loss.*Pass"):
        _ = history["weight_norm"]


def history_with(**values):
    history = History(3, 3, [name for name in values if name != "loss"])
    for name in history.names:
        history[name][...] = 1.0
    for name, (where, value) in values.items():
        history[name][where] = value
    return history


def test_a_finite_run_has_no_first_nonfinite():
    assert history_with(weight_norm=((0, 0), 1.0)).first_nonfinite() is None


def test_the_first_nonfinite_is_the_first_to_be_computed():
    forward = history_with(hidden_rms=((1, 1), np.inf), loss=(1, np.nan))
    assert forward.first_nonfinite() == (1, 1, "hidden_rms", np.inf)
    # on the way back the layer nearest the output comes first
    backward = history_with(grad_weight_norm=((2, slice(0, 2)), np.inf))
    assert backward.first_nonfinite() == (2, 1, "grad_weight_norm", np.inf)
    earlier = history_with(weight_norm=((2, 0), np.inf), loss=(1, np.inf))
    assert earlier.first_nonfinite() == (1, None, "loss", np.inf)


def test_an_exploding_run_says_so_in_its_history_and_not_in_warnings():
    digits = load_digits().train.take(slice(128))
    net = MLP(
        [64, *[64] * 10, 10], activation="relu", init="he", gain=2, rng=np.random.default_rng(0)
    )
    history = train(
        net, digits, steps=30, optimizer=SGD(0.5), record=["grad_weight_norm", "weight_norm"]
    )
    first = history.first_nonfinite()
    assert first is not None
    assert np.isfinite(history.loss[: first.step]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_net_learns_the_digits(dtype):
    digits = load_digits(standardised=True, dtype=dtype)
    accuracies = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        net = MLP([64, 32, 32, 10], dtype=dtype, rng=rng)
        train(
            net, digits.train, steps=300, batch_size=64, optimizer=SGD(0.1, momentum=0.9), rng=rng
        )
        assert net.parameters.dtype == net.gradients.dtype == dtype
        accuracies.append(net.accuracy(*digits.test))
    assert min(accuracies) > 0.93


def test_a_net_without_steps_of_size_does_not_learn():
    digits = load_digits(standardised=True)
    rng = np.random.default_rng(0)
    net = MLP([64, 32, 32, 10], rng=rng)
    train(net, digits.train, steps=300, batch_size=64, optimizer=SGD(1e-9), rng=rng)
    assert net.accuracy(*digits.test) < 0.4


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": 0}, ValueError, "steps must be >= 1, got 0. Pass"),
        ({"steps": 1.5}, TypeError, "steps must be a whole number, got 1.5"),
        (
            {"batch_size": 31},
            ValueError,
            "batch_size must be at most the 30 examples, got 31. Pass",
        ),
        (
            {"batch_size": 5, "rng": None},
            TypeError,
            "rng must be a NumPy Generator, got None. Pass",
        ),
        (
            {"record": ["weights"]},
            ValueError,
            "record must name what can be recorded, got 'weights'.",
        ),
        (
            {"data": (np.ones((3, 4)), [0, 1, 7])},
            ValueError,
            "labels must be within 0 to 2, got 7.",
        ),
        ({"data": (np.ones((3, 4)), [0, 1])}, ValueError, "labels must have shape (3,), one per"),
        (
            {"data": (np.ones((3, 5)), [0, 1, 2])},
            ValueError,
            "inputs must have shape (examples, 4)",
        ),
        (
            {"data": (np.full((1, 4), np.nan), [0])},
            ValueError,
            "inputs must be finite, got nan at row 0",
        ),
    ],
)
def test_bad_input_gets_one_line_and_moves_nothing(data, change, error, message):
    net = small_net()
    before = net.parameters.copy()
    call = {
        "data": data,
        "steps": 3,
        "optimizer": SGD(0.1),
        "rng": np.random.default_rng(0),
    } | change
    with pytest.raises(error) as caught:
        train(net, call.pop("data"), **call)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    np.testing.assert_array_equal(net.parameters, before)


def test_accuracy_is_refused_where_there_are_no_labels():
    net = MLP([2, 2, 1], loss="mse", rng=np.random.default_rng(0))
    data = np.ones((3, 2)), np.ones((3, 1))
    with pytest.raises(ValueError, match="accuracy needs labels, got loss='mse'"):
        train(net, data, steps=1, optimizer=SGD(0.1), record=["accuracy"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0}, "learning_rate must be > 0 and finite, got 0."),
        ({"learning_rate": math.inf}, "learning_rate must be > 0 and finite, got inf."),
        ({"momentum": 1}, r"momentum must be within \[0, 1\), got 1\."),
        ({"weight_decay": -1}, "weight_decay must be >= 0 and finite, got -1."),
        ({"clip_norm": 0}, "clip_norm must be > 0 and finite, got 0."),
        ({"clip_value": math.nan}, "clip_value must be > 0 and finite, got nan."),
    ],
)
def test_settings_outside_their_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SGD(**({"learning_rate": 0.1} | settings))


# ---------------------------------------------------------------- frozen layers

some_layers = st.tuples(st.integers(0, 4), st.integers(1, 5)).filter(lambda pair: pair[0] < pair[1])


def deep_net(seed=0, **settings):
    return MLP([4, 6, 6, 6, 5, 3], rng=np.random.default_rng(seed), **settings)


@given(some_layers, st.sampled_from([(), ("grad_hidden_norm", "grad_pre_activation_norm")]))
@settings(max_examples=30)
def test_frozen_layers_stay_bitwise_and_the_others_take_the_step_of_full_training(bounds, record):
    rng = np.random.default_rng(1)
    data = rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
    start, whole, part = deep_net(), deep_net(), deep_net()
    rules = SGD(0.1, momentum=0.9, weight_decay=0.01)
    train(whole, data, steps=1, optimizer=rules)
    train(part, data, steps=1, optimizer=rules, trainable=slice(*bounds), record=record)
    for layer in range(part.n_layers):
        wanted = whole if layer in range(*bounds) else start
        for kind in ("weights", "biases"):
            np.testing.assert_array_equal(getattr(part, kind)[layer], getattr(wanted, kind)[layer])
    # Both could be the same array only if training did nothing.
    assert not np.array_equal(part.parameters, start.parameters)


def test_frozen_layers_stay_for_a_whole_run_and_the_records_say_so(data):
    net, start = deep_net(), deep_net()
    names = ("grad_weight_norm", "update_norm", "global_norm", "grad_pre_activation_norm")
    history = train(
        net, data, steps=20, optimizer=SGD(0.5, momentum=0.9), record=names, trainable=slice(1, 2)
    )
    entries = net.entries_of(slice(1, 2))
    frozen = np.ones(net.parameters.size, bool)
    frozen[entries] = False
    np.testing.assert_array_equal(net.parameters[frozen], start.parameters[frozen])
    assert history.loss[-1] < history.loss[0]
    for name in ("grad_weight_norm", "update_norm"):
        assert (history[name][:, [0, 2, 3, 4]] == 0).all()
        assert (history[name][:, 1] > 0).all()
    assert (history["grad_pre_activation_norm"] > 0).all()
    assert history.first_nonfinite() is None


def test_clipping_looks_at_the_trainable_layers_alone(data):
    threshold = 1e-3
    net = deep_net()
    start = net.parameters.copy()
    rules = SGD(1.0, clip_norm=threshold)
    train(net, data, steps=1, optimizer=rules, trainable=slice(-1, None))
    assert l2_norm(net.parameters - start) == pytest.approx(threshold)


def test_a_net_trains_whole_again_after_it_was_frozen(data):
    net, other = deep_net(), deep_net()
    train(net, data, steps=3, optimizer=SGD(0.1), trainable=slice(0, 1))
    other.parameters[...] = net.parameters
    train(net, data, steps=3, optimizer=SGD(0.1))
    train(other, data, steps=3, optimizer=SGD(0.1))
    np.testing.assert_array_equal(net.parameters, other.parameters)


def test_frozen_layers_are_not_computed():
    net = deep_net()
    net.gradients[...] = np.nan
    inputs, labels = np.ones((2, 4)), np.array([0, 1])
    net.loss_and_gradients(inputs, labels, trainable=slice(3, 5))
    entries = net.entries_of(slice(3, 5))
    assert np.isfinite(net.gradients[entries]).all()
    assert np.isnan(net.gradients[: entries.start]).all()


@pytest.mark.parametrize("wrong", [slice(2, 2), slice(0, 4, 2), slice(9, None)])
def test_trainable_layers_must_be_neighbours(data, wrong):
    with pytest.raises(ValueError, match=r"^trainable must name neighbouring layers among 5"):
        train(deep_net(), data, steps=1, optimizer=SGD(0.1), trainable=wrong)
