"""The layers: gradients against differences and autograd, laws of each norm, bad input."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.chain_rule import centred_difference
from course_utils.layers import (
    Activate,
    BatchNorm,
    Dense,
    LayerNorm,
    Residual,
    Stack,
    deep_net,
    standardize,
    standardize_backward,
)
from course_utils.layers.normalization import Norm
from course_utils.network import MLP

NORMS = {"batch": BatchNorm, "layer": LayerNorm}
AXES = {"batch": 0, "layer": 1}


def rng_of(seed):
    return np.random.default_rng(seed)


def layer_cases():
    rng = rng_of(3)
    return {
        "dense": Dense(4, 3, rng=rng),
        "tanh": Activate("tanh"),
        "softplus": Activate("softplus"),
        "batch norm": BatchNorm(4),
        "layer norm": LayerNorm(4),
        "residual": Residual([LayerNorm(4), Activate("tanh"), Dense(4, 4, rng=rng)], scale=0.3),
        "residual batch": Residual([BatchNorm(4), Activate("tanh"), Dense(4, 4, rng=rng)]),
        "nested": Residual([Residual([Dense(4, 4, rng=rng)], scale=-2.0), Activate("tanh")]),
    }


def errors_of(layer, *, seed=0, examples=5, width=4):
    """Relative errors of a layer's gradients (inputs, then each block) for a random loss.

    The loss is sum(weight · outputs) for random weights, so that no direction is special.
    """
    rng = rng_of(seed)
    blocks = [leaf for leaf in layer.leaves() if hasattr(leaf, "block")]
    for leaf in blocks:
        leaf.block += 0.3 * rng.standard_normal(leaf.block.shape)
    inputs = 1 + 2 * rng.standard_normal((examples, width))
    weight = rng.standard_normal(layer.forward(inputs).shape)
    grad_inputs = layer.backward(weight)

    def loss(values):
        return float(np.sum(weight * layer.forward(values)))

    pairs = [(grad_inputs, centred_difference(loss, inputs))]
    for leaf in blocks:

        def loss_of_block(values, leaf=leaf):
            before = leaf.block.copy()
            leaf.block[...] = values
            result = loss(inputs)
            leaf.block[...] = before
            return result

        pairs.append((leaf.grad_block, centred_difference(loss_of_block, leaf.block.copy())))
    return [np.abs(ours - theirs).max() / np.abs(theirs).max() for ours, theirs in pairs]


@pytest.mark.parametrize("name", layer_cases())
@pytest.mark.parametrize("seed", range(3))
def test_each_layer_agrees_with_centred_differences(name, seed):
    assert max(errors_of(layer_cases()[name], seed=seed)) < 1e-6


@pytest.mark.parametrize("kind", NORMS)
@settings(max_examples=25, deadline=None)
@given(examples=st.integers(3, 9), width=st.integers(3, 9), seed=st.integers(0, 2**32 - 1))
def test_norms_agree_with_centred_differences_at_any_shape(kind, examples, width, seed):
    assert max(errors_of(NORMS[kind](width), seed=seed, examples=examples, width=width)) < 1e-6


def forgets_the_mean(grad, standardized, *, axis):
    x, count = standardized.normalized, grad.shape[axis]
    return (grad - x * (grad * x).sum(axis, keepdims=True) / count) / standardized.deviation


def forgets_the_variance(grad, standardized, *, axis):
    return (grad - grad.mean(axis, keepdims=True)) / standardized.deviation


def takes_both_for_constants(grad, standardized, *, axis):
    return grad / standardized.deviation


def other_axis(grad, standardized, *, axis):
    return standardize_backward(grad, standardized, axis=1 - axis)


@pytest.mark.parametrize(
    "bug", [forgets_the_mean, forgets_the_variance, takes_both_for_constants, other_axis]
)
@pytest.mark.parametrize("kind", NORMS)
def test_a_planted_bug_in_a_norm_turns_the_gradient_check_red(bug, kind, monkeypatch):
    monkeypatch.setattr("course_utils.layers.normalization.standardize_backward", bug)
    on_inputs, on_parameters = errors_of(NORMS[kind](4))
    assert on_inputs > 1e-2
    assert on_parameters < 1e-6  # γ and β have gradients of their own


def test_a_residual_that_forgets_its_skip_or_its_scale_turns_the_gradient_check_red():
    class NoSkip(Residual):
        def backward(self, grad_outputs):
            return super().backward(grad_outputs) - grad_outputs

    class NoScale(Residual):
        def backward(self, grad_outputs):
            grad = grad_outputs
            for layer in reversed(self.branch):
                grad = layer.backward(grad)
            return grad_outputs + grad

    for kind in (NoSkip, NoScale):
        branch = [Dense(4, 4, rng=rng_of(0)), Activate("tanh")]
        assert max(errors_of(kind(branch, scale=0.3))) > 1e-2


# --- the norms' laws


@pytest.mark.parametrize("axis", [0, 1])
@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(0.5, 1e3), shift=st.floats(-1e3, 1e3))
def test_standardized_values_have_mean_0_variance_1_and_forget_scale_and_shift(
    axis, seed, factor, shift
):
    values = rng_of(seed).standard_normal((6, 7))
    normalized, mean, variance, deviation = standardize(values, axis=axis, eps=1e-12)
    np.testing.assert_allclose(normalized.mean(axis), 0, atol=1e-12)
    np.testing.assert_allclose(normalized.var(axis), 1, rtol=1e-8)
    np.testing.assert_allclose(mean, values.mean(axis, keepdims=True), atol=1e-14)
    np.testing.assert_allclose(deviation**2, variance + 1e-12)
    again = standardize(factor * values + shift, axis=axis, eps=1e-12).normalized
    np.testing.assert_allclose(again, normalized, atol=1e-8)


@pytest.mark.parametrize("axis", [0, 1])
@given(seed=st.integers(0, 2**32 - 1))
def test_the_gradient_knows_neither_the_mean_nor_the_size(axis, seed):
    rng = rng_of(seed)
    values, grad = rng.standard_normal((2, 6, 7))
    standardized = standardize(values, axis=axis, eps=1e-12)
    back = standardize_backward(grad, standardized, axis=axis)
    np.testing.assert_allclose(back.sum(axis), 0, atol=1e-10)
    np.testing.assert_allclose((back * standardized.normalized).sum(axis), 0, atol=1e-8)
    factor = 5.0
    larger = standardize(factor * values, axis=axis, eps=1e-12)
    np.testing.assert_allclose(
        standardize_backward(grad, larger, axis=axis), back / factor, atol=1e-8
    )


def test_layer_norm_of_an_example_does_not_see_the_others_and_batch_norm_does():
    rng = rng_of(0)
    batch, others = rng.standard_normal((6, 4)), rng.standard_normal((6, 4))
    others[0] = batch[0]
    layer, by_batch = LayerNorm(4), BatchNorm(4)
    np.testing.assert_allclose(layer.forward(batch)[0], layer.forward(others)[0], rtol=1e-12)
    assert np.abs(by_batch.forward(batch)[0] - by_batch.forward(others)[0]).max() > 0.1
    assert np.abs(by_batch.outputs(batch)[0] - by_batch.outputs(others)[0]).max() < 1e-14
    np.testing.assert_array_equal(layer.outputs(batch), layer.forward(batch))


def test_batch_norm_of_two_examples_keeps_signs_alone_and_passes_no_gradient():
    rng = rng_of(0)
    values, grad = rng.standard_normal((2, 2, 50))
    standardized = standardize(values, axis=0, eps=1e-12)
    np.testing.assert_allclose(np.abs(standardized.normalized), 1, rtol=1e-6)
    assert np.abs(standardize_backward(grad, standardized, axis=0)).max() < 1e-4


def test_running_averages_follow_algorithm_2():
    rng = rng_of(0)
    layer = BatchNorm(3, momentum=0.8)
    mean, variance = np.zeros(3), np.ones(3)
    for _ in range(5):
        batch = 4 + 3 * rng.standard_normal((7, 3))
        layer.forward(batch)
        mean = 0.8 * mean + 0.2 * batch.mean(axis=0)
        variance = 0.8 * variance + 0.2 * batch.var(axis=0, ddof=1)
    np.testing.assert_allclose(layer.running_mean, mean)
    np.testing.assert_allclose(layer.running_variance, variance)
    expected = (batch - mean) / np.sqrt(variance + layer.eps)
    np.testing.assert_allclose(layer.outputs(batch), expected)


def test_running_averages_settle_on_the_population():
    rng = rng_of(1)
    layer = BatchNorm(2, momentum=0.99)
    for _ in range(1500):
        layer.forward(5 + 3 * rng.standard_normal((8, 2)))
    np.testing.assert_allclose(layer.running_mean, 5, atol=0.5)
    np.testing.assert_allclose(layer.running_variance, 9, rtol=0.2)


def test_prediction_leaves_no_trace():
    rng = rng_of(2)
    net = deep_net([4, 6, 6, 3], norm="batch", rng=rng)
    inputs, labels = rng.standard_normal((8, 4)), rng.integers(0, 3, 8)
    net.loss_and_gradients(inputs, labels)
    before = net.gradients.copy(), net.layers[1].running_mean.copy(), net.signals.hidden.norms()
    net.predict(inputs[:3])
    net.loss_of(inputs, labels)
    np.testing.assert_array_equal(net.gradients, before[0])
    np.testing.assert_array_equal(net.layers[1].running_mean, before[1])
    np.testing.assert_array_equal(net.signals.hidden.norms(), before[2])


@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_autograd_agrees_on_a_deep_normalised_residual_net(kind, loss):
    autograd = pytest.importorskip("autograd", reason="pip install autograd to compare with it")
    anp = autograd.numpy
    rng = rng_of(7)
    net = deep_net([6, 5, 5, 5, 3], norm=kind, residual_scale=0.5, loss=loss, rng=rng)
    net.parameters += 0.1 * rng.standard_normal(net.parameters.size)
    inputs = rng.standard_normal((8, 6))
    targets = rng.integers(0, 3, 8) if loss == "cross_entropy" else rng.standard_normal((8, 3))
    axis, eps = AXES[kind], 1e-5

    def bracket(values, scale, shift, weights, biases):
        mean = anp.mean(values, axis=axis, keepdims=True)
        variance = anp.mean((values - mean) ** 2, axis=axis, keepdims=True)
        normalized = (values - mean) / anp.sqrt(variance + eps)
        return anp.dot(anp.tanh(scale * normalized + shift), weights) + biases

    def loss_of(parameters):
        weights, biases, scales, shifts = parameters
        stream = anp.dot(inputs, weights[0]) + biases[0]
        for layer in range(1, 4):
            branch = bracket(stream, scales[layer - 1], shifts[layer - 1], *both(layer, parameters))
            stream = branch if layer == 3 else stream + 0.5 * branch
        if loss == "mse":
            return anp.mean((stream - targets) ** 2)
        log_total = anp.log(anp.sum(anp.exp(stream), axis=1))
        return anp.mean(log_total - stream[np.arange(8), targets])

    def both(layer, parameters):
        return parameters[0][layer], parameters[1][layer]

    ours = [net.grad_weights, net.grad_biases, net.grad_scales, net.grad_shifts]
    theirs = autograd.grad(loss_of)(
        [list(part) for part in (net.weights, net.biases, net.scales, net.shifts)]
    )
    net.loss_and_gradients(inputs, targets)
    for our_part, their_part in zip(ours, theirs, strict=True):
        for our, their in zip(our_part, their_part, strict=True):
            np.testing.assert_allclose(our, their, rtol=1e-9, atol=1e-12)


# --- bad input


def one_line(message):
    return "\n" not in message and message.count(". ") >= 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BatchNorm(4).forward(np.ones((1, 4))), "at least 2 examples in training, got 1"),
        (lambda: BatchNorm(4).forward(np.ones((3, 5))), r"BatchNorm\(4\) must read 4 units, got 5"),
        (lambda: LayerNorm(4).outputs(np.ones((3, 5))), r"LayerNorm\(4\) must read 4 units"),
        (lambda: Dense(4, 2, rng=rng_of(0)).forward(np.ones((3, 5))), r"Dense\(4, 2\) must read 4"),
        (lambda: LayerNorm(4).backward(np.ones((3, 4))), "needs a forward pass, got none"),
        (lambda: Activate("tanh").backward(np.ones((3, 4))), "needs a forward pass"),
        (lambda: Dense(4, 4, rng=rng_of(0)).backward(np.ones((3, 4))), "needs a forward pass"),
        (lambda: BatchNorm(0), "width must be >= 1, got 0"),
        (lambda: BatchNorm(4, eps=0), "eps must be > 0 and finite, got 0"),
        (lambda: BatchNorm(4, momentum=1.0), r"momentum must be within \[0, 1\), got 1.0"),
        (lambda: Residual([]), "branch must hold at least one layer"),
        (lambda: Residual([Activate("tanh")], scale=np.inf), "scale must be finite, got inf"),
        (lambda: Stack([Activate("tanh")]), "must hold a Dense, got none"),
        (
            lambda: Stack([Dense(4, 3, rng=rng_of(0)), BatchNorm(5)]),
            r"BatchNorm\(5\) must read 5 units, got 3",
        ),
        (
            lambda: Stack([Dense(4, 4, rng=rng_of(0)), Residual([Dense(4, 3, rng=rng_of(0))])]),
            "must return the 4 units that enter it, got 3",
        ),
        (lambda: Stack([Dense(4, 4, rng=rng_of(0))] * 2), "must stand once in one stack"),
        (lambda: deep_net([4, 4, 2], norm="group", rng=rng_of(0)), "norm must be one of batch,"),
        (lambda: deep_net([4, 4, 2], rng=rng_of(0)).signals, "signals need a forward pass"),
        (lambda: deep_net([4, 2], rng=rng_of(0)).split(np.zeros(3)), r"must have shape \(10,\)"),
    ],
)
def test_bad_input_gets_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert one_line(str(caught.value))


def test_gradients_are_not_those_of_an_earlier_batch():
    rng = rng_of(0)
    net = deep_net([4, 4, 2], rng=rng)
    net.loss_and_gradients(rng.standard_normal((3, 4)), np.array([0, 1, 1]))
    net.forward(rng.standard_normal((3, 4)))
    with pytest.raises(ValueError, match="gradients need a backward pass, got none"):
        _ = net.signals.grad_hidden


def test_a_layer_cannot_join_a_second_stack():
    layer = Dense(4, 4, rng=rng_of(0))
    Stack([layer])
    with pytest.raises(ValueError, match="must stand once in one stack"):
        Stack([layer])


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_is_whole_and_independent(duplicate):
    rng = rng_of(0)
    net = deep_net([4, 5, 5, 3], norm="batch", residual_scale=0.5, rng=rng)
    inputs, labels = rng.standard_normal((6, 4)), rng.integers(0, 3, 6)
    net.loss_and_gradients(inputs, labels)
    twin = duplicate(net)
    np.testing.assert_array_equal(twin.outputs(inputs), net.outputs(inputs))
    np.testing.assert_array_equal(twin.gradients, net.gradients)
    twin.parameters[...] = 0
    assert not twin.outputs(inputs).any()
    assert not twin.scales[0].any()
    assert np.abs(net.outputs(inputs)).max() > 0.1
    twin.loss_and_gradients(inputs, labels)
    assert np.shares_memory(twin.gradients, twin.grad_weights[0])
    assert not np.shares_memory(twin.gradients, net.gradients)


def test_every_norm_of_the_package_has_a_name():
    named = {type(deep_net([2, 2, 2], norm=name, rng=rng_of(0)).layers[1]) for name in NORMS}
    assert named == set(Norm.__subclasses__()) == set(NORMS.values())


def test_the_plain_stack_is_the_mlp():
    widths, rng = [5, 4, 4, 3], rng_of(1)
    inputs, labels = rng.standard_normal((6, 5)), rng.integers(0, 3, 6)
    for activation in ("tanh", "relu"):
        options = {"activation": activation, "init": "he", "gain": 1.3}
        stack, mlp = (kind(widths, rng=rng_of(2), **options) for kind in (deep_net, MLP))
        losses = [net.loss_and_gradients(inputs, labels) for net in (stack, mlp)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-13)
        for name in ("hidden", "pre_activation", "grad_hidden", "grad_pre_activation"):
            ours, theirs = getattr(stack.signals, name), getattr(mlp.signals, name)
            np.testing.assert_allclose(ours.norms(), theirs.norms(), rtol=1e-10)
        np.testing.assert_allclose(stack.grad_weights.flat, mlp.grad_weights.flat, atol=1e-13)
        np.testing.assert_allclose(stack.grad_biases.flat, mlp.grad_biases.flat, atol=1e-13)
