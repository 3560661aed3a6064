"""Recurrent networks: gradients through time against differences, planted bugs, laws, bad input."""

import copy
import importlib
import inspect
import pickle
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.arrays import float_dtype
from course_utils.losses import LOSSES
from course_utils.norms import l2_norm
from course_utils.recurrent import GATES, LSTM, RNN
from course_utils.recurrent.training import RECORDABLE, train_on_sequences
from course_utils.training import SGD

CELLS = {"RNN": RNN, "LSTM": LSTM}
READOUTS = ("last", "each")


def problem(net, examples, steps, rng):
    places = (examples,) if net.readout == "last" else (examples, steps)
    inputs = rng.standard_normal((examples, steps, net.features))
    if net.loss.name == "mse":
        return inputs, rng.standard_normal((*places, net.n_outputs))
    return inputs, rng.integers(0, net.n_outputs, places)


def spread(net, rng, size=0.4):
    """The net with every parameter moved, biases too, so that nothing is 0 by its start."""
    net.parameters += size * rng.standard_normal(net.parameters.size)
    return net


def worst_error(net, inputs, targets, h=1e-5):
    """The largest |backward − centred difference|, relative to the largest entry."""
    net.loss_and_gradients(inputs, targets)
    numeric = np.empty_like(net.gradients)
    for index, value in enumerate(net.parameters.copy()):
        at = []
        for step in (h, -h):
            net.parameters[index] = value + step
            at.append(net.loss_of(inputs, targets))
        net.parameters[index] = value
        numeric[index] = (at[0] - at[1]) / (2 * h)
    return np.abs(net.gradients - numeric).max() / np.abs(numeric).max()


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=4, deadline=None)
@given(
    sizes=st.tuples(*[st.integers(1, 4)] * 3),
    examples=st.integers(1, 4),
    steps=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)
def test_backward_agrees_with_centred_differences(
    cell, loss, readout, sizes, examples, steps, seed
):
    rng = np.random.default_rng(seed)
    features, width, n_outputs = sizes
    n_outputs += 1  # one class alone has no gradient
    net = CELLS[cell](features, width, n_outputs, loss=loss, readout=readout, rng=rng)
    error = worst_error(spread(net, rng), *problem(net, examples, steps, rng))
    assert error < 1e-6


def mutant(cell, old, new):
    """The cell's class, made from its source with one piece of it replaced."""
    module = importlib.import_module(f"course_utils.recurrent.{cell.lower()}")
    source = inspect.getsource(module)
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {cell}"
    made = types.ModuleType("mutant")
    exec(compile(source.replace(old, new), "mutant", "exec"), made.__dict__)
    return getattr(made, cell)


@pytest.mark.parametrize(
    ("cell", "old", "new"),
    [
        ("RNN", "np.dot(weights, grad, grad_hidden[step])", "grad_hidden[step] = 0.0"),
        ("RNN", "np.dot(weights, grad,", "np.dot(weights.T, grad,"),
        ("RNN", "signals.read[1:, state]", "signals.read[:-1, state]"),
        ("RNN", "from_readout[step - 1]", "from_readout[step]"),
        ("LSTM", "grad_cell[after], forget[step],", "grad_cell[after], 1.0 - forget[step],"),
        ("LSTM", "signals.cell_columns[:-1], admit", "signals.cell_columns[1:], admit"),
        ("LSTM", "grad_cell[after] += from_hidden", "pass"),
        ("LSTM", "output * TANH.derivative(squashed)", "output * 1.0"),
        ("LSTM", "for gate, factor in", "slopes[:, 2] = 1.0\n        for gate, factor in"),
        (
            "LSTM",
            "np.dot(weights, signals.grad_pre_activation[step], grad_hidden[step])",
            "grad_hidden[step] = 0.0",
        ),
    ],
)
def test_a_planted_bug_turns_the_gradient_check_red(cell, old, new):
    errors = {}
    for name, kind in (("whole", CELLS[cell]), ("broken", mutant(cell, old, new))):
        rng = np.random.default_rng(3)
        net = spread(kind(3, 4, 3, readout="each", rng=rng), rng)
        errors[name] = worst_error(net, *problem(net, 3, 5, rng))
    assert errors["whole"] < 1e-6
    assert errors["broken"] > 1e-3


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("cell", CELLS)
def test_autograd_agrees(cell, readout):
    autograd = pytest.importorskip("autograd", reason="pip install autograd to compare with it")
    anp = autograd.numpy
    rng = np.random.default_rng(5)
    net = spread(CELLS[cell](3, 4, 3, readout=readout, rng=rng), rng)
    inputs, labels = problem(net, 5, 7, rng)

    def sigmoid(z):
        return 1 / (1 + anp.exp(-z))

    def loss_of(vector):
        cells = (net.features + net.width + 1) * net.n_gates * net.width
        block = vector[:cells].reshape(-1, net.n_gates * net.width)
        readout_block = vector[cells:].reshape(net.width + 1, -1)
        hidden, memory, total = anp.zeros((5, 4)), anp.zeros((5, 4)), 0.0
        for step in range(7):
            z = anp.hstack([inputs[:, step], hidden]) @ block[:-1] + block[-1]
            if cell == "RNN":
                hidden = anp.tanh(z)
            else:
                gate = {name: z[:, 4 * i : 4 * i + 4] for i, name in enumerate(GATES)}
                memory = sigmoid(gate["forget"]) * memory
                memory = memory + sigmoid(gate["input"]) * anp.tanh(gate["candidate"])
                hidden = sigmoid(gate["output"]) * anp.tanh(memory)
            if readout == "last" and step < 6:
                continue
            scores = hidden @ readout_block[:-1] + readout_block[-1]
            wanted = labels if readout == "last" else labels[:, step]
            right = scores[np.arange(5), wanted]
            total = total + anp.mean(anp.log(anp.sum(anp.exp(scores), axis=1)) - right)
        return total / (7 if readout == "each" else 1)

    loss = net.loss_and_gradients(inputs, labels)
    assert loss == pytest.approx(loss_of(net.parameters), rel=1e-12)
    np.testing.assert_allclose(
        net.gradients, autograd.grad(loss_of)(net.parameters), rtol=1e-9, atol=1e-13
    )


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("cell", CELLS)
def test_the_recorded_gradient_of_a_state_is_that_of_a_push_on_it(cell, readout):
    """∂loss/∂h_t: add a constant to h_t alone, through the biases of a net that reads it once."""
    rng = np.random.default_rng(6)
    net = spread(CELLS[cell](2, 3, 2, readout=readout, rng=rng), rng)
    inputs, labels = problem(net, 4, 6, rng)
    net.loss_and_gradients(inputs, labels)
    kept = {name: [g.copy() for g in getattr(net.signals, name)] for name in recorded(cell)}
    for name, state in recorded(cell).items():
        for time in (1, 3, 6):
            pushed = [loss_after_push(net, inputs, labels, time, state, h) for h in (1e-6, -1e-6)]
            numeric = (pushed[0] - pushed[1]) / 2e-6
            assert kept[name][time][2, 1] == pytest.approx(numeric, rel=1e-6, abs=1e-9)


def recorded(cell):
    states = {"grad_hidden": "hidden"}
    return states if cell == "RNN" else states | {"grad_cell": "cell"}


def loss_after_push(net, inputs, labels, time, state, push):
    """The loss when unit 1 of example 2's state is pushed at one time, computed step by step."""
    weights, biases = net.weights[0], net.biases[0]
    hidden, memory = np.zeros((4, 3)), np.zeros((4, 3))
    total, steps = 0.0, inputs.shape[1]
    for step in range(1, steps + 1):
        z = np.hstack([inputs[:, step - 1], hidden]) @ weights + biases
        if net.n_gates == 1:
            hidden = np.tanh(z)
        else:
            output, admit, forget = (1 / (1 + np.exp(-z[:, 3 * g : 3 * g + 3])) for g in range(3))
            memory = forget * memory + admit * np.tanh(z[:, 9:])
            if (step, state) == (time, "cell"):
                memory[2, 1] += push
            hidden = output * np.tanh(memory)
        if (step, state) == (time, "hidden"):
            hidden[2, 1] += push
        if net.readout == "each" or step == steps:
            scores = hidden @ net.weights[1] + net.biases[1]
            wanted = labels if net.readout == "last" else labels[:, step - 1]
            total += np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(4), wanted])
    return total / (steps if net.readout == "each" else 1)


@settings(max_examples=20, deadline=None)
@given(
    width=st.integers(1, 5),
    steps=st.integers(1, 30),
    gain=st.floats(0.3, 2.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_near_zero_the_gradient_is_a_power_of_the_recurrent_matrix(width, steps, gain, seed):
    rng = np.random.default_rng(seed)
    net = RNN(1, width, 2, recurrent="gaussian", gain=gain, input_gain=0.0, rng=rng)
    net.loss_and_gradients(np.zeros((1, steps, 1)), [1])
    grads = net.signals.grad_hidden
    expected = np.linalg.matrix_power(net.recurrent_weights, steps) @ grads[-1][0]
    np.testing.assert_allclose(grads[0][0], expected, rtol=1e-9, atol=1e-12 * l2_norm(expected))


@settings(max_examples=20, deadline=None)
@given(bias=st.floats(-3, 6), steps=st.integers(1, 60))
def test_without_recurrent_weights_the_cell_s_gradient_is_a_product_of_forget_gates(bias, steps):
    net = LSTM(1, 3, 2, gain=0.0, forget_bias=bias, rng=np.random.default_rng(0))
    net.input_weights[...] = 0.0
    net.loss_and_gradients(np.ones((2, steps, 1)), [0, 1])
    norms = net.signals.grad_cell.norms()
    gate = 1 / (1 + np.exp(-bias))
    np.testing.assert_allclose(norms[0], norms[-1] * gate**steps, rtol=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_examples_of_a_batch_do_not_meet(cell):
    rng = np.random.default_rng(8)
    net = spread(CELLS[cell](2, 3, 2, rng=rng), rng)
    inputs, labels = problem(net, 6, 5, rng)
    order = rng.permutation(6)
    together = net.outputs(inputs)
    np.testing.assert_allclose(net.outputs(inputs[order]), together[order], rtol=1e-12)
    np.testing.assert_allclose(net.outputs(inputs[:1]), together[:1], rtol=1e-12)
    loss = net.loss_and_gradients(inputs, labels)
    alone = [net.loss_of(inputs[i : i + 1], labels[i : i + 1]) for i in range(6)]
    assert loss == pytest.approx(np.mean(alone), rel=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_the_last_step_s_loss_does_not_see_what_comes_after(cell):
    rng = np.random.default_rng(9)
    net = spread(CELLS[cell](2, 3, 2, readout="each", rng=rng), rng)
    inputs, _ = problem(net, 4, 6, rng)
    whole, beginning = net.outputs(inputs), net.outputs(inputs[:, :4])
    np.testing.assert_allclose(whole[:, :4], beginning, rtol=1e-12)
    changed = inputs.copy()
    changed[:, 0] += 1.0
    assert np.abs(net.outputs(changed)[:, -1] - whole[:, -1]).max() > 1e-6


@pytest.mark.parametrize("cell", CELLS)
def test_both_dtypes_agree_to_what_float32_can_hold(cell):
    grads = {}
    for dtype in ("float64", "float32"):
        rng = np.random.default_rng(10)
        net = CELLS[cell](3, 8, 4, dtype=dtype, rng=rng)
        inputs, labels = problem(net, 16, 20, rng)
        net.loss_and_gradients(inputs.astype(dtype), labels)
        assert net.gradients.dtype == float_dtype(dtype)
        assert net.signals.grad_hidden[0].dtype == float_dtype(dtype)
        grads[dtype] = net.gradients
    scale = np.abs(grads["float64"]).max()
    np.testing.assert_allclose(grads["float32"], grads["float64"], rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_computes_the_same_and_owns_its_parameters(cell, copied):
    rng = np.random.default_rng(11)
    net = CELLS[cell](2, 3, 2, rng=rng)
    inputs, labels = problem(net, 4, 5, rng)
    twin = copied(net)
    assert twin.loss_and_gradients(inputs, labels) == net.loss_and_gradients(inputs, labels)
    twin.parameters[...] = 0.0
    assert net.recurrent_weights.any()
    assert not twin.recurrent_weights.any()


def test_the_forget_bias_stands_in_the_forget_gates_alone():
    net = LSTM(2, 3, 2, forget_bias=4.0, rng=np.random.default_rng(0))
    biases = net.biases[0].reshape(4, 3)
    assert (biases[GATES.index("forget")] == 4.0).all()
    assert np.count_nonzero(net.biases[0]) == 3
    net.forward(np.zeros((1, 1, 2)))
    forget = net.signals.gates[0, GATES.index("forget")]
    np.testing.assert_allclose(forget, 1 / (1 + np.exp(-4.0)), rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_and_losses_leave_the_recorded_signals_alone(cell):
    rng = np.random.default_rng(12)
    net = CELLS[cell](2, 3, 2, rng=rng)
    inputs, labels = problem(net, 4, 5, rng)
    net.loss_and_gradients(inputs, labels)
    before = net.signals.hidden.flat, net.signals.grad_hidden.flat, net.gradients.copy()
    net.outputs(2 * inputs)
    net.loss_of(2 * inputs, labels)
    assert 0 <= net.accuracy(2 * inputs, labels) <= 1
    after = net.signals.hidden.flat, net.signals.grad_hidden.flat, net.gradients
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_training_learns_and_records_by_step():
    rng = np.random.default_rng(13)
    net = RNN(2, 8, 2, rng=rng)
    inputs = rng.standard_normal((64, 3, 2))
    labels = (inputs[:, 0, 0] > 0).astype(int)
    history = train_on_sequences(
        net,
        (inputs, labels),
        steps=150,
        batch_size=32,
        optimizer=SGD(0.1, momentum=0.9, clip_norm=1.0),
        rng=rng,
        record=RECORDABLE,
    )
    assert net.accuracy(inputs, labels) > 0.95
    assert history.loss[-10:].mean() < 0.3 < history.loss[0]
    assert history["weight_norm"].shape == (150, 2)
    both = np.hypot(*history["grad_weight_norm"].T)
    assert (both <= history["global_norm"] * (1 + 1e-12)).all()
    assert both[0] > 0.5 * history["global_norm"][0]  # the rest is the biases'


def sequences(*shape):
    return np.zeros(shape)


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (lambda net: net.forward(sequences(4, 2)), r"shape \(examples, steps, 2\), got \(4, 2\)"),
        (lambda net: net.forward(sequences(4, 5, 3)), r"got \(4, 5, 3\)"),
        (lambda net: net.forward(sequences(4, 0, 2)), r"got \(4, 0, 2\)"),
        (lambda net: net.forward(np.full((1, 2, 2), np.nan)), "nan in example 0, step 0, feature"),
        (lambda net: net.backward([0]), "Call forward"),
        (lambda net: net.loss_of(sequences(4, 5, 2), [0, 1]), r"shape \(4,\), got \(2,\)"),
        (lambda net: net.loss_of(sequences(2, 5, 2), [0, 3]), "within 0 to 2, got 3"),
        (lambda net: net.split(np.zeros(3)), "vector must have shape"),
        (
            lambda net: net.loss_and_gradients(sequences(1, 2, 2), [0], keep=["grad_hidden"]),
            "for each time",
        ),
        (lambda _: RNN(2, 3, 2, readout="all", rng=np.random.default_rng(0)), "'last' or 'each'"),
        (lambda _: RNN(2, 3, 2, recurrent="unit", rng=np.random.default_rng(0)), "known start"),
        (
            lambda _: RNN(2, 3, 2, recurrent=np.eye(2), rng=np.random.default_rng(0)),
            r"shape \(3, 3\), got \(2, 2\)",
        ),
        (lambda _: LSTM(2, 3, 2, forget_bias=np.inf, rng=np.random.default_rng(0)), "finite"),
    ],
)
def test_what_does_not_fit_gets_one_line(act, fault):
    net = RNN(2, 3, 3, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=fault) as caught:
        act(net)
    assert "\n" not in str(caught.value)


def test_training_refuses_what_it_cannot_record_and_data_that_do_not_fit():
    rng = np.random.default_rng(0)
    net = RNN(2, 3, 2, rng=rng)
    options = {"steps": 1, "batch_size": 2, "optimizer": SGD(0.1), "rng": rng}
    data = problem(net, 4, 5, rng)
    with pytest.raises(ValueError, match=r"'hidden_rms'\. Choose from loss"):
        train_on_sequences(net, data, record=["hidden_rms"], **options)
    with pytest.raises(ValueError, match=r"shape \(4,\), got \(3,\)"):
        train_on_sequences(net, (data[0], data[1][:3]), **options)
    with pytest.raises(TypeError, match="real numbers"):
        train_on_sequences(net, (data[0].astype(complex), data[1]), **options)
