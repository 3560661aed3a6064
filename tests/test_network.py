"""The network: gradients against differences, recorded signals, dtypes, copies, bad input."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import losses
from course_utils.activations import ACTIVATIONS, TANH, Activation, leaky_relu
from course_utils.initializers import SCHEMES
from course_utils.losses import LOSSES
from course_utils.network import MLP
from course_utils.norms import l2_norm

KINKED = {"relu", "leaky_relu", "elu", "selu"}  # second derivative (or first) jumps at 0


def problem(net, examples, rng):
    inputs = rng.standard_normal((examples, net.widths[0]))
    if net.loss.name == "mse":
        return inputs, rng.standard_normal((examples, net.widths[-1]))
    return inputs, rng.integers(0, net.widths[-1], examples)


def signs(net, inputs):
    net.forward(inputs)
    return np.concatenate([np.sign(z).ravel() for z in net.signals.pre_activation])


def worst_error(net, inputs, targets, h=1e-5):
    """The largest |backward − centred difference|, relative to the largest entry.

    Where a perturbation moves a pre-activation across a kink, the difference measures two slopes
    at once, so that coordinate is left out; returns the share of them too.
    """
    net.loss_and_gradients(inputs, targets)
    analytic = net.gradients.copy()
    kinked = net.activation.name in KINKED
    before = signs(net, inputs) if kinked else None
    errors, skipped = [], 0
    for index, value in enumerate(net.parameters.copy()):
        losses_at, crossed = [], False
        for step in (h, -h):
            net.parameters[index] = value + step
            losses_at.append(net.loss_of(inputs, targets))
            crossed |= kinked and not np.array_equal(signs(net, inputs), before)
        net.parameters[index] = value
        if crossed:
            skipped += 1
        else:
            errors.append(abs(analytic[index] - (losses_at[0] - losses_at[1]) / (2 * h)))
    return max(errors) / max(np.abs(analytic).max(), 1e-3), skipped / len(analytic)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(max_examples=6, deadline=None)
@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=6),
    examples=st.integers(1, 6),
    init=st.sampled_from(SCHEMES),
    seed=st.integers(0, 2**32 - 1),
)
def test_backward_agrees_with_centred_differences(activation, loss, widths, examples, init, seed):
    rng = np.random.default_rng(seed)
    net = MLP(widths, activation=activation, loss=loss, init=init, bias_std=0.5, rng=rng)
    error, skipped = worst_error(net, *problem(net, examples, rng))
    assert error < 1e-7
    assert skipped < 0.05


@pytest.mark.parametrize("init", SCHEMES)
def test_backward_agrees_with_differences_for_every_initializer_on_a_deeper_net(init):
    rng = np.random.default_rng(5)
    # Runs of equal layers, so that stacked and single layers both take part.
    net = MLP([6, 4, 4, 4, 4, 7, 3, 3], init=init, bias_std=0.1, rng=rng)
    error, _ = worst_error(net, *problem(net, 9, rng))
    assert error < 1e-7


def planted_sign():
    wrong = Activation("planted", np.tanh, lambda h, out=None: np.add(1.0, h * h, out=out))
    return {"activation": wrong}


def planted_shift():
    def off_by_one(outputs, labels, out):
        return LOSSES["cross_entropy"].value_and_gradient(outputs, (labels + 1) % 3, out)

    def value_and_gradient(outputs, labels, out):
        off_by_one(outputs, labels, out)
        spare = np.empty_like(out)
        return LOSSES["cross_entropy"].value_and_gradient(outputs, labels, spare)

    check = LOSSES["cross_entropy"].check_targets
    return {"loss": losses.Loss("planted", value_and_gradient, check)}


@pytest.mark.parametrize("plant", [planted_sign, planted_shift])
def test_a_planted_bug_turns_the_gradient_check_red(plant):
    rng = np.random.default_rng(0)
    net = MLP([4, 3, 3, 3], rng=rng, **plant())
    error, _ = worst_error(net, *problem(net, 5, rng))
    assert error > 1e-2


def test_a_bug_in_one_layer_only_turns_the_gradient_check_red():
    class Buggy(MLP):
        def backward(self, targets, *, validate=True):
            loss = super().backward(targets, validate=validate)
            self.grad_weights[1] = self.grad_weights[1].T.copy()
            return loss

    rng = np.random.default_rng(0)
    net = Buggy([4, 3, 3, 3], rng=rng)
    error, _ = worst_error(net, *problem(net, 5, rng))
    assert error > 1e-2


def test_the_signals_are_those_of_the_definition():
    rng = np.random.default_rng(1)
    net = MLP([5, 4, 4, 3, 2], bias_std=0.3, rng=rng)
    inputs, labels = problem(net, 6, rng)
    net.loss_and_gradients(inputs, labels)
    signals, below = net.signals, inputs
    for layer in range(net.n_layers):
        z = below @ net.weights[layer] + net.biases[layer]
        np.testing.assert_allclose(signals.pre_activation[layer], z)
        below = z if layer == net.n_layers - 1 else np.tanh(z)
        np.testing.assert_allclose(signals.hidden[layer], below)
    grad = np.exp(below) / np.exp(below).sum(axis=1, keepdims=True) / 6
    grad[np.arange(6), labels] -= 1 / 6
    for layer in reversed(range(net.n_layers)):
        np.testing.assert_allclose(signals.grad_hidden[layer], grad, atol=1e-15)
        slope = 1 if layer == net.n_layers - 1 else 1 - np.tanh(signals.pre_activation[layer]) ** 2
        grad = grad * slope
        np.testing.assert_allclose(signals.grad_pre_activation[layer], grad, atol=1e-15)
        source = signals.hidden[layer - 1] if layer else inputs
        np.testing.assert_allclose(net.grad_weights[layer], source.T @ grad, atol=1e-15)
        np.testing.assert_allclose(net.grad_biases[layer], grad.sum(axis=0), atol=1e-15)
        grad = grad @ net.weights[layer].T


@given(seed=st.integers(0, 2**32 - 1), depth=st.integers(1, 30), width=st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_what_is_kept_does_not_change_the_gradients(seed, depth, width):
    rng = np.random.default_rng(seed)
    net = MLP([3, *[width] * depth, 2], init="lecun", rng=rng)
    inputs, labels = problem(net, 17, rng)
    full = net.loss_and_gradients(inputs, labels), net.gradients.copy()
    for keep in ([], ["pre_activation"], ["grad_hidden"], ["grad_pre_activation"]):
        lean = net.loss_and_gradients(inputs, labels, keep=keep)
        assert lean == full[0]
        np.testing.assert_array_equal(net.gradients, full[1])


def test_a_signal_that_was_not_kept_says_so():
    rng = np.random.default_rng(0)
    net = MLP([3, 4, 2], rng=rng)
    net.loss_and_gradients(*problem(net, 5, rng), keep=["grad_hidden"])
    assert net.signals.grad_hidden.norms().shape == (2,)
    with pytest.raises(
        ValueError,
        match=r"^pre_activation was not kept by the latest pass, only hidden, grad_hidden\. Call",
    ):
        _ = net.signals.pre_activation
    with pytest.raises(ValueError, match=r"^keep must name optional signals, got 'hiden'\. Choose"):
        net.forward(np.zeros((1, 3)), keep=["hiden"])


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_a_permutation_of_hidden_units_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    net = MLP([4, 6, 6, 3], bias_std=0.2, rng=rng)
    inputs, labels = problem(net, 5, rng)
    loss, outputs = net.loss_and_gradients(inputs, labels), net.signals.outputs.copy()
    norms = net.grad_weights.norms()
    order = rng.permutation(6)
    net.weights[0], net.biases[0] = net.weights[0][:, order], net.biases[0][order]
    net.weights[1] = net.weights[1][order]
    assert net.loss_and_gradients(inputs, labels) == pytest.approx(loss)
    np.testing.assert_allclose(net.signals.outputs, outputs, atol=1e-13)
    np.testing.assert_allclose(net.grad_weights.norms(), norms)


def test_a_batch_is_the_mean_of_its_examples():
    rng = np.random.default_rng(3)
    net = MLP([4, 5, 3], rng=rng)
    inputs, labels = problem(net, 8, rng)
    whole, gradients = net.loss_and_gradients(inputs, labels), net.gradients.copy()
    parts = []
    for row in range(8):
        loss = net.loss_and_gradients(inputs[row : row + 1], labels[row : row + 1])
        parts.append((loss, net.gradients.copy()))
    assert np.mean([loss for loss, _ in parts]) == pytest.approx(whole)
    np.testing.assert_allclose(np.mean([g for _, g in parts], axis=0), gradients, atol=1e-15)


def test_an_orthogonal_linear_net_passes_lengths_on_unchanged():
    rng = np.random.default_rng(0)
    net = MLP([8] * 40, activation="identity", init="orthogonal", rng=rng)
    inputs, labels = problem(net, 5, rng)
    net.loss_and_gradients(inputs, labels)
    np.testing.assert_allclose(net.signals.hidden.norms(), l2_norm(inputs))
    grad_norms = net.signals.grad_hidden.norms()
    np.testing.assert_allclose(grad_norms, grad_norms[-1])
    np.testing.assert_allclose(net.signals.hidden.rms(), l2_norm(inputs) / math.sqrt(inputs.size))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_stays_float32(activation):
    rng = np.random.default_rng(0)
    net = MLP([4, 5, 5, 3], activation=activation, dtype=np.float32, bias_std=0.1, rng=rng)
    net.loss_and_gradients(*problem(net, 6, rng))
    arrays = [net.parameters, net.gradients, net.signals.inputs, net.outputs(np.ones((2, 4)))]
    for layers in (
        net.weights,
        net.grad_biases,
        net.signals.hidden,
        net.signals.pre_activation,
        net.signals.grad_hidden,
        net.signals.grad_pre_activation,
    ):
        arrays += list(layers)
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_float32_follows_float64():
    def gradients(dtype):
        rng = np.random.default_rng(0)
        net = MLP([6, 8, 8, 8, 4], dtype=dtype, rng=rng)
        net.loss_and_gradients(*problem(net, 16, rng))
        return net.gradients

    single, double = gradients(np.float32), gradients(np.float64)
    assert l2_norm(single - double) < 1e-6 * l2_norm(double)


def test_norms_do_not_underflow_where_numpys_do():
    rng = np.random.default_rng(0)
    net = MLP([6] * 12, activation="sigmoid", init="normal", gain=1e-3, dtype=np.float32, rng=rng)
    net.loss_and_gradients(*problem(net, 4, rng))
    first = net.signals.grad_hidden[0]
    assert np.linalg.norm(first) == 0
    assert 0 < net.signals.grad_hidden.norms()[0] < 1e-30


@pytest.mark.parametrize("depth", [1000, 10_000])
def test_very_deep_nets_run_through_the_same_class(depth):
    rng = np.random.default_rng(0)
    net = MLP([8] * (depth + 1), init="orthogonal", activation="identity", rng=rng)
    net.loss_and_gradients(*problem(net, 4, rng))
    norms = net.signals.grad_hidden.norms()
    assert norms.shape == (depth,)
    np.testing.assert_allclose(norms, norms[-1], rtol=1e-9)


def test_outputs_predict_and_loss_of_leave_the_signals_alone():
    rng = np.random.default_rng(0)
    net = MLP([4, 5, 3], rng=rng)
    inputs, labels = problem(net, 6, rng)
    loss = net.loss_and_gradients(inputs, labels)
    hidden, gradients = net.signals.hidden[0].copy(), net.gradients.copy()
    outputs = net.signals.outputs.copy()
    np.testing.assert_allclose(net.outputs(inputs), outputs)
    assert net.loss_of(inputs, labels) == pytest.approx(loss)
    np.testing.assert_array_equal(net.predict(inputs), outputs.argmax(axis=1))
    assert net.accuracy(inputs, outputs.argmax(axis=1)) == 1
    net.outputs(np.zeros((2, 4)))
    np.testing.assert_array_equal(net.signals.hidden[0], hidden)
    np.testing.assert_array_equal(net.gradients, gradients)


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
)
def test_a_copy_is_whole_and_independent(duplicate):
    rng = np.random.default_rng(0)
    net = MLP([4, 5, 5, 3], rng=rng)
    inputs, labels = problem(net, 6, rng)
    twin = duplicate(net)
    assert twin.loss_and_gradients(inputs, labels) == net.loss_and_gradients(inputs, labels)
    twin.weights[0] = np.zeros((4, 5))
    assert twin.parameters[:20].sum() == 0
    assert net.weights[0].any()


def test_assigning_to_a_layer_writes_into_the_network():
    net = MLP([2, 2, 2], rng=np.random.default_rng(0))
    net.weights[0] = [[1, 2], [3, 4]]
    np.testing.assert_array_equal(net.parameters[:4], [1, 2, 3, 4])
    with pytest.raises(ValueError, match=r"^layer 1 must have shape \(2, 2\), got \(2,\)\. Check"):
        net.weights[1] = [1, 2]
    net.weights[-1][...] = 0
    assert not net.weights.norms()[-1]


def test_flat_is_a_copy_that_cannot_be_mistaken_for_the_network():
    net = MLP([2, 3, 2], rng=np.random.default_rng(0))
    expected = np.concatenate([net.weights[0].ravel(), net.weights[1].ravel()])
    np.testing.assert_array_equal(net.weights.flat, expected)
    with pytest.raises(ValueError, match="read-only"):
        net.weights.flat[0] = 7


def test_the_vector_splits_into_the_layers():
    net = MLP([3, 4, 2], rng=np.random.default_rng(0))
    assert net.parameters.shape == (3 * 4 + 4 + 4 * 2 + 2,)
    weights, biases = net.split(np.arange(26.0))
    assert [w.shape for w in weights] == [(3, 4), (4, 2)]
    assert [b.shape for b in biases] == [(4,), (2,)]
    entries = np.concatenate([np.ravel(part) for part in (*weights, *biases)])
    np.testing.assert_array_equal(np.sort(entries), np.arange(26))
    with pytest.raises(ValueError, match=r"^vector must have shape \(26,\), got \(25,\)\."):
        net.split(np.arange(25.0))


def test_bias_std_and_the_seed():
    def draw(**kwargs):
        return MLP([3, 400, 2], rng=np.random.default_rng(0), **kwargs)

    assert not np.concatenate(list(draw().biases)).any()
    assert draw(bias_std=0.5).biases[0].std() == pytest.approx(0.5, rel=0.1)
    np.testing.assert_array_equal(draw().weights[0], draw(bias_std=0.5).weights[0])


def net_and(call):
    return lambda: call(MLP([3, 4, 2], rng=np.random.default_rng(0)))


def make(**kwargs):
    return lambda: MLP(**{"widths": [3, 2], "rng": np.random.default_rng(0), **kwargs})


X = np.zeros((5, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (make(widths=[3, 0, 2]), ValueError, r"widths\[1\] must be >= 1, got 0\. List the inputs"),
        (make(activation="swish"), ValueError, r"activation must be a known name, got 'swish'\."),
        (make(init="kaiming"), ValueError, r"scheme must be a known initialisation, got 'kaiming'"),
        (make(loss="hinge"), ValueError, r"loss must be a known name, got 'hinge'\. Choose"),
        (make(dtype=np.float16), ValueError, r"dtype must be float32 or float64, got float16\."),
        (make(gain=-1), ValueError, r"gain must be >= 0 and finite, got -1\. Pass gain=1\.0"),
        (make(bias_std=-1), ValueError, r"bias_std must be >= 0 and finite, got -1\. Pass"),
        (make(rng=7), TypeError, r"rng must be a NumPy Generator, got 7\. Pass rng=np\.random"),
        (
            net_and(lambda n: n.forward(np.zeros((5, 4)))),
            ValueError,
            r"inputs must have shape \(exa",
        ),
        (net_and(lambda n: n.forward(X[:0])), ValueError, r"inputs must hold at least one example"),
        (
            net_and(lambda n: n.forward(X + np.nan)),
            ValueError,
            r"inputs must be finite, got nan at",
        ),
        (
            net_and(lambda n: n.outputs(X + np.inf)),
            ValueError,
            r"inputs must be finite, got inf at",
        ),
        (
            net_and(lambda n: n.backward([0])),
            ValueError,
            r"signals need a forward pass, got none\.",
        ),
        (
            net_and(lambda n: n.loss_and_gradients(X, [0, 1, 2, 0, 0])),
            ValueError,
            r"labels must be within 0 to 1, got 2\. Give",
        ),
        (
            net_and(lambda n: n.loss_and_gradients(X, [0, 1])),
            ValueError,
            r"labels must have shape \(5,\), one per example, got \(2,\)\. Pass",
        ),
        (
            net_and(lambda n: n.loss_of(X, [0.0] * 5)),
            TypeError,
            r"labels must be integers, got dtype float64\. Pass",
        ),
        (
            net_and(lambda n: n.accuracy(X, [0, 1])),
            ValueError,
            r"labels must have shape \(5,\), one per example, got \(2,\)\. Pass",
        ),
    ],
)
def test_bad_input_gets_one_line(call, error, message):
    with pytest.raises(error, match=f"^{message}") as caught:
        call()
    assert "\n" not in str(caught.value)


def test_backward_needs_to_follow_a_forward_pass_of_the_same_batch():
    net = MLP([3, 4, 2], rng=np.random.default_rng(0))
    net.forward(X)
    with pytest.raises(ValueError, match=r"^labels must have shape \(5,\)"):
        net.backward([0, 1])


def test_an_activation_of_ones_own_works_too():
    net = MLP([3, 4, 2], activation=leaky_relu(0.2), rng=np.random.default_rng(0))
    twin = MLP([3, 4, 2], activation=TANH, rng=np.random.default_rng(0))
    assert net.activation.name == "leaky_relu"
    assert twin.activation is ACTIVATIONS["tanh"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "softplus"])
def test_autograd_agrees(activation, loss):
    autograd = pytest.importorskip("autograd", reason="pip install autograd to compare with it")
    anp = autograd.numpy
    functions = {
        "tanh": anp.tanh,
        "relu": lambda z: anp.maximum(z, 0),
        "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
        "softplus": lambda z: anp.log1p(anp.exp(z)),
    }
    rng = np.random.default_rng(7)
    net = MLP([6, 5, 5, 4, 3], activation=activation, loss=loss, bias_std=0.2, rng=rng)
    inputs, targets = problem(net, 9, rng)

    def loss_of(parameters):
        hidden = inputs
        for layer, (w, b) in enumerate(parameters):
            z = anp.dot(hidden, w) + b
            hidden = z if layer == len(parameters) - 1 else functions[activation](z)
        if loss == "mse":
            return anp.mean((hidden - targets) ** 2)
        log_total = anp.log(anp.sum(anp.exp(hidden), axis=1))
        return anp.mean(log_total - hidden[np.arange(9), targets])

    expected = autograd.grad(loss_of)(list(zip(net.weights, net.biases, strict=True)))
    net.loss_and_gradients(inputs, targets)
    for layer, (grad_weights, grad_biases) in enumerate(expected):
        np.testing.assert_allclose(net.grad_weights[layer], grad_weights, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(net.grad_biases[layer], grad_biases, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "softplus", "elu", "selu"])
def test_pytorch_agrees(activation, loss):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    rng = np.random.default_rng(8)
    net = MLP([6, 5, 5, 4, 3], activation=activation, loss=loss, bias_std=0.2, rng=rng)
    inputs, targets = problem(net, 9, rng)
    leaves = [
        torch.tensor(np.array(part), requires_grad=True)
        for pair in zip(net.weights, net.biases, strict=True)
        for part in pair
    ]
    hidden = torch.tensor(inputs)
    for layer in range(net.n_layers):
        hidden = hidden @ leaves[2 * layer] + leaves[2 * layer + 1]
        if layer < net.n_layers - 1:
            hidden = getattr(torch.nn.functional, activation)(hidden)
    criterion = torch.nn.MSELoss() if loss == "mse" else torch.nn.CrossEntropyLoss()
    expected = criterion(hidden, torch.tensor(targets))
    expected.backward()
    assert net.loss_and_gradients(inputs, targets) == pytest.approx(expected.item(), rel=1e-12)
    ours = [p for pair in zip(net.grad_weights, net.grad_biases, strict=True) for p in pair]
    for leaf, grad in zip(leaves, ours, strict=True):
        np.testing.assert_allclose(grad, leaf.grad.numpy(), rtol=1e-9, atol=1e-14)
