"""Lesson 10's explorer: depth, batch, norm and activation over the gradient by layer."""

from functools import cache

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_utils.activations import get_activation
from course_utils.arrays import FloatArray
from course_utils.explorers.base import Explorer, whole_slider
from course_utils.figures import PALETTE, new_figure
from course_utils.initializers import draw_weights
from course_utils.layers import standardize, standardize_backward
from course_utils.norms import norm_by_layer
from course_utils.plots import GREY
from course_utils.theory import batch_norm_growth, layer_norm_growth, linear_batch_norm_growth

MAX_DEPTH, WIDTH = 50, 32
BATCHES = (2, 3, 4, 8, 16, 32, 64, 128)
NORMS = ("batch", "layer", "none")
ACTIVATIONS = {"ReLU": "relu", "tanh": "tanh", "sigmoid": "sigmoid", "linear": "identity"}
FLOOR, CEILING = -12.0, 8.0  # what lies beyond is drawn at the edge
EPS = 1e-5


def normalization_explorer(
    *, depth: int = 30, batch: int = 64, norm: str = "batch", activation: str = "ReLU"
) -> Explorer:
    """Depth, batch size, norm and activation over the gradient's norm at each hidden layer.

    A network before training, 32 units a layer, He's weights, Gaussian inputs, float32; the
    gradient that enters at the top is Gaussian too. depth: 2 … 50 layers. batch: one of BATCHES.
    norm: one of NORMS. activation: a key of ACTIVATIONS. The dashed line is the theory of wide
    layers and large batches, where there is one.
    """
    figure, ax = new_figure(height=3.9)
    _draw_still(ax)
    (measured,) = ax.plot([0], [0.0], "o-", color=PALETTE[0], label="measured", markersize=4)
    (theory,) = ax.plot([0], [0.0], "--", color=PALETTE[1], label="theory")
    ax.legend(loc="lower left")

    def update(depth: int, batch: int, norm: str, activation: str) -> str:
        decades = log10_gradients(depth, batch, norm, activation)
        measured.set_data(range(depth), np.clip(decades, FLOOR, CEILING))
        growth = predicted_growth(norm, activation, batch)
        below_the_top = np.arange(depth)[::-1]
        line = below_the_top * np.log10(growth) / 2 if growth else np.full(depth, np.nan)
        theory.set_data(range(depth), np.clip(line, FLOOR, CEILING))
        return in_words(decades, growth, f"{depth} {activation} layers, {_named(norm)}", batch)

    return Explorer(
        controls={
            "depth": whole_slider("hidden layers", low=2, high=MAX_DEPTH, start=depth),
            "batch": widgets.SelectionSlider(
                options=BATCHES,
                value=batch,
                description="batch size",
                layout=widgets.Layout(width="560px", max_width="100%"),
                style={"description_width": "160px"},
            ),
            "norm": widgets.ToggleButtons(options=NORMS, value=norm, description="norm"),
            "activation": widgets.ToggleButtons(
                options=list(ACTIVATIONS), value=activation, description="activation"
            ),
        },
        figure=figure,
        moving=[measured, theory],
        update=update,
        without_kernel=(
            "Explorer: sliders for depth and batch size, and a choice of norm and activation, "
            "over the gradient's norm at each layer of a network before training. Run this cell "
            "to move them; the figure beside it shows batch norm with ReLU."
        ),
    )


@cache
def log10_gradients(depth: int, batch: int, norm: str, activation: str) -> NDArray[np.float64]:
    """The gradient's norm at each hidden layer over that at the last, (depth,), powers of ten."""
    known, axis = get_activation(ACTIVATIONS[activation]), {"batch": 0, "layer": 1}.get(norm)
    weights, hidden, grad = _network(depth, batch)
    passed = []
    for matrix in weights:
        standardized = None if axis is None else standardize(hidden @ matrix, axis=axis, eps=EPS)
        z = hidden @ matrix if standardized is None else standardized.normalized
        hidden = known.forward(z)
        passed.append((standardized, hidden))
    grads = np.empty((depth, grad.size), grad.dtype)
    for layer in reversed(range(depth)):
        standardized, hidden = passed[layer]
        grads[layer] = grad.ravel()
        grad = grad * known.derivative(hidden)
        if standardized is not None and axis is not None:
            grad = standardize_backward(grad, standardized, axis=axis)
        grad = grad @ weights[layer].T
    norms = norm_by_layer(grads)
    with np.errstate(divide="ignore"):
        return np.log10(norms / norms[-1])


def predicted_growth(norm: str, activation: str, batch: int) -> float:
    """Growth of the squared gradient per layer in wide layers; 0 where no formula is known."""
    name = ACTIVATIONS[activation]
    if norm == "layer":
        return layer_norm_growth(name)
    if norm == "none":
        return {"relu": 1.0, "identity": 2.0}.get(name, 0.0)
    if name == "identity":
        return linear_batch_norm_growth(batch) if batch > 3 else 0.0
    return batch_norm_growth(name) if batch > 2 else 0.0


def in_words(decades: NDArray[np.float64], growth: float, what: str, batch: int) -> str:
    """How the gradient grows or shrinks on its way to the first layer."""
    said = f"{what}, batch of {batch}: "
    if not np.isfinite(decades).all():
        return f"{said}a gradient is exactly 0 in float32."
    squared = 10 ** (2 * decades[0] / max(len(decades) - 1, 1))
    predicted = f" (theory {growth:.3f})" if growth else ""
    return (
        f"{said}the first layer's gradient is {10 ** decades[0]:.1e} times the last's. Squared, "
        f"it is multiplied by {squared:.3g} at each layer{predicted}."
    )


def _named(norm: str) -> str:
    return "no norm" if norm == "none" else f"{norm} norm"


@cache
def _network(depth: int, batch: int) -> tuple[list[FloatArray], FloatArray, FloatArray]:
    """Weights of every layer, inputs, and the gradient that enters at the top."""
    rng = np.random.default_rng(0)
    weights = [
        draw_weights(WIDTH, WIDTH, scheme="he", rng=rng, dtype="float32") for _ in range(depth)
    ]
    inputs, grad = rng.standard_normal((2, batch, WIDTH), dtype=np.float32)
    return weights, inputs, grad


def _draw_still(ax: Axes) -> None:
    ax.set(xlim=(-0.7, MAX_DEPTH - 0.3), ylim=(FLOOR - 1, CEILING + 1))
    ax.axhline(0, color=GREY, linewidth=1)
    ax.set_xlabel("layer (0 reads the input)")
    ax.set_ylabel("log₁₀ (gradient / last layer's)")
