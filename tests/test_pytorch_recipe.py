"""The closing page's recipe for PyTorch: what it records is what this course's train() records.

Optional: it needs PyTorch, see `make test-torch`.
"""

from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_utils.datasets import load_digits
from course_utils.diagnosis import Trace, diagnose
from course_utils.network import MLP
from course_utils.training import SGD, train

torch = pytest.importorskip("torch", reason="pip install torch==2.13.0 to run the recipe")

PAGE = Path(__file__).parents[1] / "notebooks" / "14_where_next.ipynb"
RECORDED = (
    "loss",
    "grad_weight_norm",
    "weight_norm",
    "update_norm",
    "grad_hidden_norm",
    "hidden_rms",
    "dead_share",
)
ACTIVATIONS = {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}
STEPS, RATE, CLASSES = 100, 0.1, 10
# depth, activation, init, gain, verdict
RUNS = [
    (10, "sigmoid", "xavier", 1.0, "vanishing: saturation"),
    (10, "tanh", "xavier", 0.1, "vanishing: small init"),
    (10, "relu", "he", 2.0, "exploding"),
    (4, "relu", "he", 1.0, "healthy"),
]


def recipe(cell_id):
    """The Python between the fences of one cell of the closing page."""
    (cell,) = (cell for cell in nbformat.read(PAGE, as_version=4).cells if cell.id == cell_id)
    return cell.source.split("```python\n")[1].split("```")[0]


def built(depth, activation, init, gain):
    """One network twice, with the same weights: ours and PyTorch's, in float64."""
    widths = [64, *[32] * depth, CLASSES]
    rng = np.random.default_rng(3)
    ours = MLP(widths, activation=activation, init=init, gain=gain, rng=rng)
    parts = []
    for layer, (fan_in, fan_out) in enumerate(pairwise(widths)):
        linear = torch.nn.Linear(fan_in, fan_out, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.array(ours.weights[layer].T)))
            linear.bias.copy_(torch.from_numpy(np.array(ours.biases[layer])))
        parts += [linear, ACTIVATIONS[activation]()]
    return ours, torch.nn.Sequential(*parts[:-1])


def recorded_by_the_recipe(model, inputs, labels, rate=RATE):
    """Run the page's two cells on this model: the recorder, then the loop and the note."""
    names = {
        "model": model,
        "inputs": torch.from_numpy(inputs),
        "labels": torch.from_numpy(labels),
        "optimizer": torch.optim.SGD(model.parameters(), lr=rate),
        "print": lambda _: None,
    }
    exec(recipe("14-torch-recorder"), names)
    exec(recipe("14-torch-loop"), names)
    return names["trace"]


@pytest.mark.parametrize(("depth", "activation", "init", "gain", "verdict"), RUNS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_it_records_what_the_course_records_and_gets_the_same_verdict(
    depth, activation, init, gain, verdict
):
    digits = load_digits()
    inputs = np.array(digits.train.inputs[:200], dtype=np.float64)
    labels = np.array(digits.train.labels[:200], dtype=np.int64)
    ours, model = built(depth, activation, init, gain)
    with torch.no_grad():
        model(torch.from_numpy(inputs))  # an evaluation in between is not recorded
    found = recorded_by_the_recipe(model, inputs, labels)
    history = train(ours, (inputs, labels), steps=STEPS, optimizer=SGD(RATE), record=RECORDED)
    expected = Trace.from_history(history, classes=CLASSES)
    for name in RECORDED:
        ours_recorded, theirs = getattr(expected, name), getattr(found, name)
        # Compared at the start only: an exploding run magnifies the last digit at each step.
        # The recipe takes an update as a difference of weights, which rounds at 1e-16.
        rounding = 1e-14 if name == "update_norm" else 0
        np.testing.assert_allclose(
            theirs[:2], ours_recorded[:2], rtol=1e-9, atol=rounding, err_msg=name
        )
        assert theirs.shape == ours_recorded.shape
    assert diagnose(found).verdict == diagnose(expected).verdict == verdict


def test_a_clipped_step_is_recorded_as_it_was_taken_and_the_gradient_as_it_was():
    _, model = built(3, "relu", "he", 1.0)
    names = {"model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=1.0)}
    exec(recipe("14-torch-recorder"), names)
    rng = np.random.default_rng(0)
    outputs = model(torch.from_numpy(rng.standard_normal((16, 64))))
    loss = outputs.square().mean()
    loss.backward()
    names["recorder"].after_backward(loss)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
    names["optimizer"].step()
    (gradients,) = names["recorder"].log["grad_weight_norm"]
    (updates,) = names["recorder"].log["update_norm"]
    assert np.linalg.norm(gradients) > 1e-2
    assert np.linalg.norm(updates) <= 1e-3 * (1 + 1e-6)
