"""Lesson 07's explorer: an activation, a depth, an init; the units' slopes and what they do."""

import math
from dataclasses import dataclass
from functools import cache

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from course_utils.activations import Activation, get_activation, leaky_relu
from course_utils.arrays import FloatArray
from course_utils.datasets import Examples, load_digits
from course_utils.explorers.base import Explorer, whole_slider
from course_utils.figures import new_figure
from course_utils.network import MLP
from course_utils.plots import mark_level, outline, plot_gradient_by_layer, plot_slopes

MIN_DEPTH, MAX_DEPTH = 3, 60
WIDTH, EXAMPLES = 32, 32
BUDGET = -3.0  # the least that may be left of the gradient, in powers of ten
DECADES = (-20.5, 12.5)
EDGES = np.linspace(-0.025, 1.825, 38)  # the first bin, around 0, holds what is dead or saturated
GAINS = {"Xavier": 1.0, "He": math.sqrt(2.0), "1.5 · He": 1.5 * math.sqrt(2.0)}
ACTIVATIONS: dict[str, str | Activation] = {
    "sigmoid": "sigmoid",
    "softplus": "softplus",
    "ReLU": "relu",
    "leaky ReLU, α = 0.1": leaky_relu(0.1),
    "ELU": "elu",
    "SELU": "selu",
    "tanh": "tanh",
    "identity": "identity",
}


@dataclass(frozen=True)
class Profile:
    """One pass through a network. All by hidden layer, the input side first.

    log10_ratios: ∂L/∂h over that of the last hidden layer, (layers − 1,), powers of ten.
    predicted: the same, from the slopes and the gain alone. shares: of the units' slopes within
    EDGES, (bins,), 0 to 1.
    """

    log10_ratios: NDArray[np.float64]
    predicted: NDArray[np.float64]
    shares: NDArray[np.float64]


def activation_explorer(
    *, activation: str = "ReLU", depth: int = 30, init: str = "Xavier"
) -> Explorer:
    """Activation, depth and init over the units' slopes and the gradient at each layer.

    At every move a network of 32 units a layer takes one batch of 32 digits forward and backward
    in float32. activation: a key of ACTIVATIONS. depth: 3 … 60 layers. init: a key of GAINS.
    """
    figure, (left, right) = new_figure(columns=2, height=3.6)
    (slopes,) = _draw_slopes(left)
    measured, predicted = _draw_profile(right)

    def update(activation: str, depth: int, init: str) -> str:
        profile = measure(activation, depth, init)
        slopes.set_data(*outline(EDGES, profile.shares))
        layers = np.arange(depth - 1)
        measured.set_data(layers, profile.log10_ratios)
        predicted.set_data(layers, profile.predicted)
        return in_words(profile, f"{depth} layers, {activation}, {init}")

    return Explorer(
        controls={
            "activation": widgets.Dropdown(
                options=list(ACTIVATIONS),
                value=activation,
                description="activation",
                layout=widgets.Layout(width="420px", max_width="100%"),
                style={"description_width": "160px"},
            ),
            "depth": whole_slider("layers", low=MIN_DEPTH, high=MAX_DEPTH, start=depth),
            "init": widgets.ToggleButtons(options=list(GAINS), value=init, description="init"),
        },
        figure=figure,
        moving=[slopes, measured, predicted],
        update=update,
        without_kernel=(
            "Explorer: a choice of activation and init and a slider for depth, over the units' "
            "slopes and the gradient at each layer. Run this cell to move them; the figure above "
            "shows some activations."
        ),
    )


def measure(activation: str, depth: int, init: str) -> Profile:
    """The slopes and gradients of one forward and backward pass of a new network."""
    net, unit = _network(activation, depth)
    gain = GAINS[init]
    np.multiply(unit, gain, out=net.parameters)  # the biases are 0
    net.loss_and_gradients(*_batch(), keep=["grad_hidden"], validate=False)
    norms = np.log10(net.signals.grad_hidden.norms()[:-1])
    stacks = net.signals.hidden.stacks
    slopes = net.activation.derivative(stacks[0])[: depth - 1]
    # the gradient that leaves layer l has passed the slopes of the layers above it
    per_layer = np.log10(gain * np.sqrt(np.mean(slopes**2, axis=(1, 2), dtype=np.float64)))
    predicted = np.append(np.cumsum(per_layer[:0:-1])[::-1], 0.0)
    counts = np.bincount(_bins(slopes), minlength=len(EDGES) + 1)[1:-1]
    return Profile(norms - norms[-1], predicted, counts / slopes.size)


def in_words(profile: Profile, what: str) -> str:
    """How much of the gradient arrives, how much one layer leaves, and how deep that may go."""
    total, layers = float(profile.log10_ratios[0]), len(profile.log10_ratios) - 1
    each = total / layers
    told = f"{what}: ∂L/∂h at the first layer is {10**total:.0e} of that at the last hidden one"
    factor = f"a layer multiplies it by {10**each:.2f}"
    if each > 0.0:
        return f"{told}; {factor}: it grows."
    budget = 2 + int(BUDGET / each) if each else math.inf
    if budget > 100:  # one network says no more than that
        return f"{told}; {factor}: more than 100 layers keep a thousandth."
    return f"{told}; {factor}: {budget} layers keep a thousandth."


def _bins(slopes: FloatArray) -> NDArray[np.intp]:
    """The number of each slope's bin, 1 … bins; 0 and bins + 1 lie outside (as np.digitize)."""
    # equal bins: dividing takes a tenth of the time of searching
    width = EDGES[1] - EDGES[0]
    numbers = ((slopes - EDGES[0]) * (1.0 / width)).astype(np.intp)
    return np.ravel(np.minimum(numbers, len(EDGES) - 1) + 1)


@cache
def _network(activation: str, depth: int) -> tuple[MLP, FloatArray]:
    """A network and its parameters at gain 1: drawing them anew would double a frame's time."""
    widths = [64, *[WIDTH] * (depth - 1), 10]
    net = MLP(
        widths,
        activation=get_activation(ACTIVATIONS[activation]),
        dtype="float32",
        rng=np.random.default_rng(0),
    )
    return net, net.parameters.copy()


@cache
def _batch() -> Examples:
    return load_digits(dtype="float32").train.take(slice(EXAMPLES))


def _draw_slopes(ax: Axes) -> list[Line2D]:
    plot_slopes(EDGES, np.zeros(len(EDGES) - 1), ax=ax)
    ax.set(xlim=(EDGES[0], EDGES[-1]), title="The slopes of all hidden units")
    return list(ax.lines)


def _draw_profile(ax: Axes) -> list[Line2D]:
    plot_gradient_by_layer([0.0], style="o", label="backprop", ax=ax)
    plot_gradient_by_layer([0.0], style="-", label="gain · slopes", ax=ax)
    lines = list(ax.lines)
    mark_level(BUDGET, label="a thousandth", ax=ax)
    ax.set(xlim=(-1, MAX_DEPTH), ylim=DECADES)
    ax.set(xlabel="layer (0 reads the input)", title="∂L/∂h, as a share of the last one's")
    ax.set_ylabel("log₁₀ of the share  (powers of ten)")
    ax.legend(loc="upper left", ncols=2)
    return lines
