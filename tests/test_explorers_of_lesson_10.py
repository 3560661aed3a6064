"""Lesson 10's explorer shows what the layers compute and what the theory says."""

import math

import numpy as np
import pytest

from course_utils import plots
from course_utils.explorers import normalization_explorer
from course_utils.explorers.normalization import (
    ACTIVATIONS,
    CEILING,
    FLOOR,
    NORMS,
    WIDTH,
    _network,
    log10_gradients,
    predicted_growth,
)
from course_utils.layers import Activate, BatchNorm, Dense, LayerNorm
from course_utils.norms import l2_norm

KINDS = {"batch": BatchNorm, "layer": LayerNorm}


def by_layers(depth, batch, norm, activation):
    """The same ratios, from the layers' own forward and backward passes."""
    weights, hidden, grad = (
        part if isinstance(part, list) else part.astype(float) for part in _network(depth, batch)
    )
    layers = []
    for matrix in weights:
        dense = Dense(WIDTH, WIDTH, rng=np.random.default_rng(0))
        dense.weights[...] = matrix
        bracket = [dense, *([KINDS[norm](WIDTH)] if norm in KINDS else [])]
        layers.append([*bracket, Activate(ACTIVATIONS[activation])])
        for layer in layers[-1]:
            hidden = layer.forward(hidden)
    norms = []
    for bracket in reversed(layers):
        norms.append(l2_norm(grad))
        for layer in reversed(bracket):
            grad = layer.backward(grad)
    return np.log10(np.array(norms[::-1]) / norms[0])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradients_are_those_of_the_layers(norm, activation):
    ours = log10_gradients(9, 8, norm, activation)
    np.testing.assert_allclose(ours, by_layers(9, 8, norm, activation), atol=1e-3)


def test_the_line_is_the_theory_and_the_points_lie_along_it():
    explorer = normalization_explorer(depth=40, batch=128)
    decades = log10_gradients(40, 128, "batch", "ReLU")
    growth = predicted_growth("batch", "ReLU", 128)
    assert growth == pytest.approx(math.pi / (math.pi - 1))
    assert decades[0] == pytest.approx(39 * math.log10(growth) / 2, abs=0.5)
    assert f"{10 ** decades[0]:.1e} times the last's" in explorer.sentence
    assert "(theory 1.467)" in explorer.sentence


@pytest.mark.parametrize(("norm", "activation"), [("layer", "sigmoid"), ("batch", "tanh")])
def test_the_sentence_names_growth_and_theory(norm, activation):
    explorer = normalization_explorer(depth=50, batch=128, norm=norm, activation=activation)
    words = explorer.sentence.rstrip(".").split()
    told = float(words[words.index("by") + 1])
    assert told == pytest.approx(predicted_growth(norm, activation, 128), rel=0.07)


def test_two_examples_pass_no_gradient_and_no_theory_is_claimed_for_them():
    explorer = normalization_explorer(depth=50, batch=2, activation="linear")
    assert "a gradient is exactly 0 in float32" in explorer.sentence
    explorer.controls["activation"].value = "ReLU"
    assert "theory" not in explorer.sentence


def test_no_setting_leaves_the_picture():
    explorer = normalization_explorer(depth=50)
    lines = explorer._canvas._moving
    for batch in (2, 3, 128):
        explorer.controls["batch"].value = batch
        for norm in NORMS:
            explorer.controls["norm"].value = norm
            for activation in ACTIVATIONS:
                explorer.controls["activation"].value = activation
                heights = np.concatenate([np.asarray(line.get_ydata()) for line in lines])
                heights = heights[~np.isnan(heights)]
                assert ((heights >= FLOOR) & (heights <= CEILING)).all()


def test_a_batch_is_drawn_with_examples_in_rows_and_what_a_mean_runs_over_framed():
    values = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -3.0]])
    ax = plots.plot_batch(values, limit=3, over="batch", at=1)
    (image,) = ax.images
    assert np.array_equal(image.get_array(), values)
    assert image.get_clim() == (-3, 3)
    (frame,) = ax.patches
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (
        0.5,
        -0.5,
        1,
        2,
    )
    (frame,) = plots.plot_batch(values, limit=3, over="units", at=1).patches
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (
        -0.5,
        0.5,
        3,
        1,
    )
    assert not plots.plot_batch(values, limit=3).patches
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("unit", "example")


def test_a_frame_over_something_else_gets_one_line():
    with pytest.raises(ValueError, match=r"over must be 'batch', 'units' or '', got 'rows'\. Na"):
        plots.plot_batch([[1.0]], limit=1, over="rows")
