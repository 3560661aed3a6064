"""Lesson 04's explorer: depth, gain and activation of a live network, and its gradient by layer."""

from functools import cache

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from course_utils.arrays import FloatArray
from course_utils.datasets import Examples, load_digits
from course_utils.explorers.base import Explorer, slider, whole_slider
from course_utils.figures import new_figure
from course_utils.network import MLP
from course_utils.plots import mark_level, plot_gradient_by_layer

MAX_DEPTH = 30
WIDTH, EXAMPLES = 32, 64
ACTIVATIONS = ("sigmoid", "tanh", "relu")
SMALLEST = float(np.log10(float(np.finfo("float32").smallest_subnormal)))
FLOOR, CEILING = -49.0, 12.0  # an exact zero is drawn at the floor, since it has no logarithm
STYLES = {"signal h": "^-", "activation gradient ∂L/∂h": "s-", "weight gradient ∂L/∂W": "o-"}

Norms = dict[str, NDArray[np.float64]]


def vanishing_explorer(
    *, depth: int = 20, gain: float = 1.0, activation: str = "sigmoid"
) -> Explorer:
    """Depth, gain and activation over the norms of a network's signals and gradients by layer.

    At every move a network of 32 units a layer, Xavier weights times the gain, takes one batch of
    64 digits forward and backward in float32. depth: 2 … 30 layers. gain: 0.05 … 4.
    activation: one of ACTIVATIONS.
    """
    figure, ax = new_figure(height=3.9)
    lines = _draw_still(ax)

    def update(depth: int, gain: float, activation: str) -> str:
        norms = layer_norms(depth, round(gain, 2), activation)
        for name, line in lines.items():
            line.set_data(range(depth), decades(norms[name]))
        return in_words(norms, f"{depth} {activation} layers, gain {gain:.2f}")

    return Explorer(
        controls={
            "depth": whole_slider("layers", low=2, high=MAX_DEPTH, start=depth),
            "gain": slider("gain on Xavier", low=0.05, high=4, start=gain, step=0.05),
            "activation": widgets.ToggleButtons(
                options=ACTIVATIONS, value=activation, description="activation"
            ),
        },
        figure=figure,
        moving=list(lines.values()),
        update=update,
        without_kernel=(
            "Explorer: sliders for depth and gain and a choice of activation, over the norms of "
            "signal and gradients at each layer. Run this cell to move them; the figures beside "
            "it show some settings."
        ),
    )


def layer_norms(depth: int, gain: float, activation: str) -> Norms:
    """The norms by layer, (depth,), of one forward and backward pass of a new network."""
    net, unit = _network(depth, activation)
    np.multiply(unit, gain, out=net.parameters)  # the biases are 0
    with np.errstate(over="ignore", invalid="ignore"):
        net.loss_and_gradients(*_batch(), keep=["grad_hidden"], validate=False)
        return {
            "signal h": net.signals.hidden.norms(),
            "activation gradient ∂L/∂h": net.signals.grad_hidden.norms(),
            "weight gradient ∂L/∂W": net.grad_weights.norms(),
        }


def decades(norms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Powers of ten within the axis: 0 at its floor, what is larger or not finite at its top."""
    with np.errstate(divide="ignore"):
        logs = np.log10(norms)
    return np.clip(np.where(np.isnan(logs), CEILING, logs), FLOOR, CEILING)


def in_words(norms: Norms, what: str) -> str:
    """What the gradient does on its way from the last layer to the first."""
    hidden, weights = norms["activation gradient ∂L/∂h"], norms["weight gradient ∂L/∂W"]
    if not (np.isfinite(hidden).all() and np.isfinite(weights).all()):
        return f"{what}: the numbers overflow, the gradients are not finite."
    if zeros := int(np.sum(weights == 0)):
        layers = "1 layer" if zeros == 1 else f"{zeros} layers"
        return f"{what}: in {layers} every weight gradient is exactly 0 in float32."
    return (
        f"{what}: first layer over last, ∂L/∂h {hidden[0] / hidden[-1]:.0e}, "
        f"∂L/∂W {weights[0] / weights[-1]:.0e}; the last layer's ∂L/∂W is {weights[-1]:.0e}."
    )


@cache
def _network(depth: int, activation: str) -> tuple[MLP, FloatArray]:
    """A network and its parameters at gain 1: drawing them anew would double a frame's time."""
    widths = [64, *[WIDTH] * (depth - 1), 10]
    net = MLP(widths, activation=activation, dtype="float32", rng=np.random.default_rng(0))
    return net, net.parameters.copy()


@cache
def _batch() -> Examples:
    return load_digits(dtype="float32").train.take(slice(EXAMPLES))


def _draw_still(ax: Axes) -> dict[str, Line2D]:
    lines = {}
    for name, style in STYLES.items():
        plot_gradient_by_layer([0.0], style=style, label=name, ax=ax)
        lines[name] = ax.lines[-1]
    mark_level(SMALLEST, label="smallest float32; a computed 0 lies below", ax=ax)
    ax.set(xlim=(-0.7, MAX_DEPTH - 0.3), ylim=(FLOOR - 1, CEILING + 1))
    ax.set_xlabel("layer (0 reads the input)")
    ax.set_ylabel("log₁₀ norm  (powers of ten)")
    ax.legend(fontsize=9, loc="upper center", ncols=3, columnspacing=1.2, handlelength=1.6)
    return lines
