"""Lesson 13's explorer: σ_w and σ_b over the variance map and the gradient by layer."""

from functools import cache
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from course_utils.arrays import FloatArray
from course_utils.datasets import Examples, load_digits
from course_utils.explorers.base import Explorer, slider
from course_utils.figures import PALETTE, new_figure
from course_utils.network import MLP
from course_utils.plots import GREY
from course_utils.theory import chi, depth_scale, fixed_variance, variance_map, variances

LAYERS, WIDTH, EXAMPLES = 30, 64, 16
LARGEST_VARIANCE = 5.0
STAIRS = 8
FLOOR, CEILING = -9.0, 4.0  # powers of ten that are shown

Floats = NDArray[np.float64]


class Fate(NamedTuple):
    """Where the variance settles, and the factor that a layer then gives the squared gradient."""

    variance: float
    chi: float


def edge_explorer(*, gain: float = 1.5, bias_std: float = 0.0) -> Explorer:
    """σ_w and σ_b over the variance map of tanh and the gradient of a 30-layer network.

    Left the map and its staircase, right the predicted gradient and that of one network of 64
    units a layer, whose draws stay the same from move to move.
    gain: σ_w, 0.5 … 2.5. bias_std: σ_b, 0 … 0.8.
    """
    figure, (left, right) = new_figure(columns=2, height=3.4)
    curve, stairs, settled = _draw_map(left)
    predicted, measured = _draw_gradient(right)

    def update(gain: float, bias_std: float) -> str:
        gain, bias_std = round(gain, 2), round(bias_std, 2)
        fate = fate_of(gain, bias_std)
        curve.set_ydata(variance_map(curve.get_xdata(), gain=gain, bias_std=bias_std))
        stairs.set_data(*staircase(gain, bias_std))
        settled.set_data([fate.variance], [fate.variance])
        expected, found = predicted_gradient(gain, bias_std), measured_gradient(gain, bias_std)
        predicted.set_ydata(np.clip(expected, FLOOR, CEILING))
        measured.set_ydata(np.clip(found, FLOOR, CEILING))
        return in_words(gain, bias_std, fate, expected[0], found[0])

    return Explorer(
        controls={
            "gain": slider("σ_w  (weights)", low=0.5, high=2.5, start=gain, step=0.05),
            "bias_std": slider("σ_b  (biases)", low=0, high=0.8, start=bias_std, step=0.05),
        },
        figure=figure,
        moving=[curve, stairs, settled, predicted, measured],
        update=update,
        without_kernel=(
            "Explorer: sliders for σ_w and σ_b over the variance map of tanh and the gradient of "
            "a 30-layer network. Run this cell to move them; the figures above show some settings."
        ),
    )


def fate_of(gain: float, bias_std: float) -> Fate:
    """q* and χ at q* for a deep tanh network."""
    variance = fixed_variance(gain=gain, bias_std=bias_std)
    return Fate(variance, float(chi(variance, gain=gain)))


def staircase(gain: float, bias_std: float) -> tuple[Floats, Floats]:
    """Corner points of the path of the variance from the largest that is shown."""
    path = variances(LARGEST_VARIANCE, STAIRS, gain=gain, bias_std=bias_std)
    corners = np.repeat(path, 2)
    return corners[:-1], corners[1:]


def predicted_gradient(gain: float, bias_std: float) -> Floats:
    """log₁₀ of the gradient's norm at each hidden layer over that at the last, (LAYERS − 1,)."""
    start = gain**2 * float(np.mean(_batch().inputs ** 2)) + bias_std**2
    path = variances(start, LAYERS - 1, gain=gain, bias_std=bias_std)
    factors = np.log10(chi(path[:-1], gain=gain)) / 2.0
    return np.append(np.cumsum(factors[::-1])[::-1], 0.0)


def measured_gradient(gain: float, bias_std: float) -> Floats:
    """The same of one network, which the two numbers scale."""
    net, unit_weights, unit_biases = _network()
    np.multiply(unit_weights, gain, out=net.parameters)
    net.parameters += bias_std * unit_biases
    net.loss_and_gradients(*_batch(), keep=["grad_pre_activation"], validate=False)
    norms = net.signals.grad_pre_activation.norms()[:-1]
    return np.asarray(np.log10(norms / norms[-1]))


def in_words(gain: float, bias_std: float, fate: Fate, expected: float, found: float) -> str:
    """Where the variance settles, what becomes of the gradient, and in how many layers."""
    scale = depth_scale(fate.chi)
    verdict = "vanish" if fate.chi < 1 else "explode"
    if scale > 10 * LAYERS:
        verdict = "stay level: the edge of chaos"
    else:
        verdict += f", their square e-fold in {scale:.1f} layers"
    return (
        f"σ_w = {gain:.2f}, σ_b = {bias_std:.2f}: the variance settles at q* = "
        f"{fate.variance:.3f}, χ = {fate.chi:.3f}; deep down, gradients {verdict}. "
        f"First layer over last, powers of ten: predicted {expected:.1f}, measured {found:.1f}."
    )


@cache
def _network() -> tuple[MLP, FloatArray, FloatArray]:
    """A network, and its weights at σ_w = 1 and biases at σ_b = 1, both laid out as parameters."""
    widths = [64, *[WIDTH] * (LAYERS - 1), 10]
    rng = np.random.default_rng(0)
    net = MLP(widths, init="lecun", bias_std=1.0, dtype="float32", rng=rng)
    both = net.parameters.copy()
    biases = np.zeros_like(both)
    for view, drawn in zip(net.split(biases)[1], net.biases, strict=True):
        view[...] = drawn
    return net, both - biases, biases


@cache
def _batch() -> Examples:
    return load_digits(standardised=True, dtype="float32").train.take(slice(EXAMPLES))


def _draw_map(ax: Axes) -> tuple[Line2D, Line2D, Line2D]:
    grid = np.linspace(0.0, LARGEST_VARIANCE, 41)
    ax.plot(grid, grid, color=GREY, linewidth=1, linestyle="--", label="as large as before")
    (curve,) = ax.plot(grid, grid, color=PALETTE[0], label="one layer on")
    (stairs,) = ax.plot([], [], color=PALETTE[1], linewidth=1)
    (settled,) = ax.plot([], [], "o", color=PALETTE[1], markersize=8, label="q*")
    ax.set(xlim=(-0.05, LARGEST_VARIANCE), ylim=(-0.05, LARGEST_VARIANCE))
    ax.set(xlabel="variance q of this layer", ylabel="variance of the next layer")
    ax.legend(loc="upper left", fontsize=9)
    return curve, stairs, settled


def _draw_gradient(ax: Axes) -> tuple[Line2D, Line2D]:
    layers = np.arange(LAYERS - 1)
    (predicted,) = ax.plot(layers, 0.0 * layers, color=PALETTE[0], label="predicted")
    (measured,) = ax.plot(
        layers, 0.0 * layers, "o", color=PALETTE[1], markersize=4, label="one network"
    )
    ax.set(xlim=(-1, LAYERS - 1), ylim=(FLOOR - 0.3, CEILING + 0.3))
    ax.set(xlabel="layer (0 reads the input)", ylabel="log₁₀ gradient norm, over the last")
    ax.legend(loc="upper right", fontsize=9)
    return predicted, measured
