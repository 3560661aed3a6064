"""A stack trains and is recorded like an MLP; what it records is what the definition says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.chain_rule import centred_difference
from course_utils.datasets import load_digits
from course_utils.layers import Activate, BatchNorm, Dense, LayerNorm, Residual, Stack, deep_net
from course_utils.network import MLP
from course_utils.training import RECORDABLE, SGD, train

MLP_ONLY = {"slope_mean", "dead_share"}


def problem(net, examples, rng):
    inputs = rng.standard_normal((examples, net.widths[0]))
    return inputs, rng.integers(0, net.widths[-1], examples)


def training_loss(net, inputs, labels):
    outputs = net.forward(inputs)
    return net.loss.value_and_gradient(outputs, labels, np.empty_like(outputs))


def worst_error(net, inputs, labels):
    def loss(parameters):
        before = net.parameters.copy()
        net.parameters[...] = parameters
        value = training_loss(net, inputs, labels)
        net.parameters[...] = before
        return value

    expected = centred_difference(loss, net.parameters.copy())
    net.loss_and_gradients(inputs, labels)
    return np.abs(net.gradients - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("norm", [None, "batch", "layer"])
@pytest.mark.parametrize("residual_scale", [None, 0.5])
@settings(max_examples=4, deadline=None)
@given(depth=st.integers(3, 6), width=st.integers(4, 6), seed=st.integers(0, 2**32 - 1))
def test_a_whole_net_agrees_with_centred_differences(norm, residual_scale, depth, width, seed):
    rng = np.random.default_rng(seed)
    widths = [3, *[width] * (depth - 1), 3]
    # eps tames units that happen to be nearly level over so small a batch
    net = deep_net(widths, norm=norm, residual_scale=residual_scale, eps=1e-2, rng=rng)
    net.parameters += 0.1 * rng.standard_normal(net.parameters.size)
    assert worst_error(net, *problem(net, 6, rng)) < 1e-6


def test_the_gradient_of_the_inputs_agrees_too():
    rng = np.random.default_rng(0)
    net = deep_net([3, 5, 5, 3], norm="batch", residual_scale=1.0, rng=rng)
    inputs, labels = problem(net, 6, rng)
    expected = centred_difference(lambda values: training_loss(net, values, labels), inputs)
    net.loss_and_gradients(inputs, labels)
    np.testing.assert_allclose(net.signals.grad_inputs, expected, atol=1e-8)


def test_a_stack_trains_as_the_mlp_does_step_by_step():
    digits = load_digits(standardised=True)
    names = [name for name in RECORDABLE if name not in MLP_ONLY]
    histories = []
    for kind in (deep_net, MLP):
        rng = np.random.default_rng(3)
        net = kind([64, 12, 12, 10], activation="tanh", rng=rng)
        settings_ = SGD(0.1, momentum=0.9, clip_norm=1.0)
        options = {"steps": 12, "batch_size": 32, "rng": rng, "record": names}
        histories.append((train(net, digits.train, optimizer=settings_, **options), net))
    (ours, stack), (theirs, mlp) = histories
    for name in names:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-8, err_msg=name)
    assert stack.accuracy(*digits.test) == mlp.accuracy(*digits.test)


@pytest.mark.parametrize("name", sorted(MLP_ONLY))
def test_what_only_an_mlp_can_tell_is_refused_in_one_line(name):
    net = deep_net([64, 5, 10], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=f"{name} needs an MLP, got a Stack. Leave it out"):
        train(net, load_digits().train, steps=1, optimizer=SGD(0.1), record=[name])


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_training_moves_scales_and_shifts_and_learns(norm):
    digits = load_digits(standardised=True, dtype="float32")
    rng = np.random.default_rng(0)
    net = deep_net([64, *[32] * 9, 10], activation="relu", norm=norm, dtype="float32", rng=rng)
    train(net, digits.train, steps=60, batch_size=64, optimizer=SGD(0.02, momentum=0.9), rng=rng)
    assert net.accuracy(*digits.test) > 0.7
    assert all(np.abs(scale - 1).max() > 1e-3 for scale in net.scales)
    assert all(np.abs(shift).max() > 1e-3 for shift in net.shifts)


def test_float32_stays_float32():
    rng = np.random.default_rng(0)
    net = deep_net([4, 5, 5, 3], norm="batch", residual_scale=0.5, dtype="float32", rng=rng)
    net.loss_and_gradients(*problem(net, 6, rng))
    norm = next(iter(net.layers[1].leaves()))
    arrays = [net.gradients, net.signals.outputs, net.signals.grad_inputs, net.outputs(np.eye(4))]
    arrays += [norm.running_mean, norm.running_variance]
    arrays += [*net.signals.hidden, *net.signals.grad_hidden, *net.signals.grad_pre_activation]
    assert {array.dtype for array in arrays} == {np.dtype("float32")}


def test_hidden_is_what_leaves_the_block_of_each_dense_layer():
    rng = np.random.default_rng(1)
    first, second, third, fourth = (Dense(3, 3, rng=rng) for _ in range(4))
    block = Residual([LayerNorm(3), Activate("tanh"), second], scale=0.5)
    net = Stack([first, block, Activate("tanh"), third, BatchNorm(3), fourth])
    inputs, labels = problem(net, 5, rng)
    net.loss_and_gradients(inputs, labels)
    hidden, z = net.signals.hidden, net.signals.pre_activation
    start = inputs @ first.weights
    stream = start + 0.5 * z[1]
    lifted = np.tanh(stream) @ third.weights
    np.testing.assert_allclose(hidden[0], start)
    np.testing.assert_allclose(hidden[1], stream)
    np.testing.assert_allclose(z[2], lifted)
    np.testing.assert_allclose(hidden[2], (lifted - lifted.mean(0)) / np.sqrt(lifted.var(0) + 1e-5))
    np.testing.assert_allclose(hidden[3], net.signals.outputs)
    assert net.n_layers == len(hidden) == len(net.weights) == 4
    # the gradient at the stream: what the skip passes on, and what the branch gives back
    np.testing.assert_allclose(net.signals.grad_pre_activation[1], 0.5 * net.signals.grad_hidden[1])


def test_two_dense_layers_in_one_residual_block_share_what_leaves_it():
    rng = np.random.default_rng(1)
    branch = [Dense(3, 5, rng=rng), Activate("relu"), Dense(5, 3, rng=rng)]
    net = Stack([Residual(branch), Dense(3, 2, rng=rng)])
    net.loss_and_gradients(*problem(net, 4, rng))
    assert net.signals.hidden[0] is net.signals.hidden[1]
    assert net.widths == (3, 5, 3, 2)


def test_with_scale_0_the_blocks_are_not_there():
    widths, rng = [4, 5, 5, 5, 3], np.random.default_rng(0)
    net = deep_net(widths, residual_scale=0.0, rng=rng)
    inputs, labels = problem(net, 6, rng)
    net.loss_and_gradients(inputs, labels)
    norms = net.signals.grad_hidden.norms()
    assert norms[0] == norms[1] == norms[2]
    assert not net.grad_weights[1].any()


@pytest.mark.parametrize("gain", [0.1, 1.5, 30.0])
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_a_normalised_net_is_blind_to_the_gain_of_its_weights(norm, gain):
    rng = np.random.default_rng(0)
    net = deep_net([8, *[16] * 9, 3], activation="relu", norm=norm, eps=1e-10, rng=rng)
    inputs, labels = problem(net, 12, rng)
    net.loss_and_gradients(inputs, labels)
    outputs, grads = net.signals.outputs.copy(), net.grad_weights.norms()
    for weights in net.weights[:-1]:
        weights *= gain
    net.loss_and_gradients(inputs, labels)
    np.testing.assert_allclose(net.signals.outputs, outputs, rtol=1e-5, atol=1e-6)
    # so each layer's gradient is smaller by the gain, and orthogonal to its weights
    np.testing.assert_allclose(net.grad_weights.norms()[:-1], grads[:-1] / gain, rtol=1e-4)
    for weights, grad in zip(net.weights[:-1], net.grad_weights[:-1], strict=True):
        along = np.vdot(weights, grad) / np.linalg.norm(weights) / np.linalg.norm(grad)
        assert abs(along) < 1e-5


def test_norms_by_layer_do_not_overflow_where_squares_do():
    rng = np.random.default_rng(0)
    net = deep_net([4, 4, 3], dtype="float32", rng=rng)
    with np.errstate(over="ignore", invalid="ignore"):
        net.forward(1e25 * rng.standard_normal((5, 4)))
    norms = net.signals.pre_activation.norms()
    assert 1e25 < norms[0] < 1e27
    assert net.signals.pre_activation.rms()[0] == pytest.approx(norms[0] / np.sqrt(20))


def test_a_nan_goes_through_and_is_found():
    rng = np.random.default_rng(0)
    digits = load_digits()
    inputs = digits.train.inputs.copy()
    inputs[0, 0] = np.nan
    net = deep_net([64, 8, 8, 10], norm="batch", rng=rng)
    names = ["hidden_rms", "grad_weight_norm"]
    options = {"steps": 2, "optimizer": SGD(0.1), "record": names, "validate": False}
    history = train(net, (inputs, digits.train.labels), **options)
    first = history.first_nonfinite()
    assert (first.step, first.layer, first.what) == (0, 0, "hidden_rms")


@pytest.mark.parametrize("seed", [0, 1])
def test_fifty_sigmoid_layers_learn_with_batch_norm_and_with_nothing_else(seed):
    digits = load_digits(standardised=True, dtype="float32")
    last = {}
    for norm in (None, "batch", "layer"):
        rng = np.random.default_rng(seed)
        widths = [64, *[32] * 49, 10]
        net = deep_net(widths, activation="sigmoid", norm=norm, dtype="float32", rng=rng)
        options = {"steps": 60, "batch_size": 64, "rng": rng, "record": ()}
        loss = train(net, digits.train, optimizer=SGD(0.02, momentum=0.9), **options).loss
        last[norm] = loss[-10:].mean()
    assert last["batch"] < 1.6
    assert last[None] == pytest.approx(np.log(10), abs=0.05)
    assert last["layer"] == pytest.approx(np.log(10), abs=0.05)
