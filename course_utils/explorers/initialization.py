"""Lesson 09's explorer: rule, gain and fans over the predicted and measured size of the signals."""

from functools import cache
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from course_utils.activations import get_activation
from course_utils.arrays import FloatArray
from course_utils.explorers.base import Explorer, slider, whole_slider
from course_utils.figures import PALETTE, new_figure
from course_utils.initializers import he_std, xavier_std
from course_utils.plots import GREY
from course_utils.theory import chi, variance_map

LAYERS, EXAMPLES = 20, 32
NARROWEST, WIDEST = 8, 96
ACTIVATIONS = ("identity", "relu", "tanh")
RULES = ("Xavier", "He")
DECADES = 8.0
SEED = 4  # narrow nets wander by chance: this one stays near the prediction


class Sizes(NamedTuple):
    """Mean squares, (layers + 1,): of the signal from the input, of the gradient at each place."""

    signal: NDArray[np.float64]
    gradient: NDArray[np.float64]


def initialization_explorer(
    *,
    fan_in: int = 64,
    fan_out: int = 64,
    gain: float = 1.0,
    rule: str = "Xavier",
    activation: str = "tanh",
) -> Explorer:
    """Rule, gain and two widths over the mean square of signal and gradient in 20 layers.

    The layers alternate between fan_in → fan_out units and back, so that both widths matter.
    Lines are predicted, dots are measured in one network, which each move scales anew.
    fan_in, fan_out: 8 … 96 units. gain: 0.5 … 3. rule, activation: of RULES and ACTIVATIONS.
    """
    figure, ax = new_figure(height=3.9)
    lines = _draw_still(ax)

    def update(rule: str, activation: str, gain: float, fan_in: int, fan_out: int) -> str:
        stds = layer_stds(rule, round(gain, 2), fan_in, fan_out)
        expected = predicted(stds, fan_in, fan_out, activation)
        found = measured(stds, fan_in, fan_out, activation)
        for line, sizes in zip(lines, (*expected, *found), strict=True):
            line.set_ydata(decades(sizes))
        what = f"{activation}, {rule} times {gain:.2f}, {fan_in} → {fan_out} → {fan_in} … units"
        return in_words(what, expected, found)

    return Explorer(
        controls={
            "rule": widgets.ToggleButtons(options=RULES, value=rule, description="weights"),
            "activation": widgets.ToggleButtons(
                options=ACTIVATIONS, value=activation, description="activation"
            ),
            "gain": slider("gain", low=0.5, high=3, start=gain, step=0.05),
            "fan_in": whole_slider("fan-in", low=NARROWEST, high=WIDEST, start=fan_in),
            "fan_out": whole_slider("fan-out", low=NARROWEST, high=WIDEST, start=fan_out),
        },
        figure=figure,
        moving=lines,
        update=update,
        without_kernel=(
            "Explorer: a choice of weights and activation, sliders for gain, fan-in and fan-out, "
            "over the predicted and measured mean square of signal and gradient in 20 layers. Run "
            "this cell to move them; the figures above show some settings."
        ),
    )


def layer_stds(rule: str, gain: float, fan_in: int, fan_out: int) -> list[float]:
    """The weight standard deviation of each layer; fan_in and fan_out change places each time."""
    fans = [(fan_in, fan_out), (fan_out, fan_in)]
    pair = [
        xavier_std(*f, gain=gain) if rule == "Xavier" else he_std(f[0], gain=gain) for f in fans
    ]
    return [pair[layer % 2] for layer in range(LAYERS)]


def predicted(stds: list[float], fan_in: int, fan_out: int, activation: str) -> Sizes:
    """What the theory of wide layers says, for an input and an output gradient of mean square 1."""
    mean_square, signal, slopes = 1.0, [1.0], []
    for layer, std in enumerate(stds):
        below, above = (fan_in, fan_out) if layer % 2 == 0 else (fan_out, fan_in)
        variance = below * std**2 * mean_square
        mean_square = float(variance_map(variance, gain=1.0, activation=activation))
        signal.append(mean_square)
        slopes.append(above * std**2 * float(chi(variance, gain=1.0, activation=activation)))
    gradient = np.cumprod(np.array([1.0, *slopes[::-1]]))[::-1]
    return Sizes(np.array(signal), gradient.astype(np.float64))


def measured(stds: list[float], fan_in: int, fan_out: int, activation: str) -> Sizes:
    """The same in one network, whose unit weights stay the same from move to move."""
    units, inputs, grad_outputs = _draws()
    function = get_activation(activation)
    widths = [fan_in, fan_out]
    hidden = [inputs[:fan_in]]
    for layer, std in enumerate(stds):
        below, above = widths[layer % 2], widths[1 - layer % 2]
        hidden.append(
            function.forward(np.float32(std) * (units[layer, :above, :below] @ hidden[-1]))
        )
    gradient = grad_outputs[: widths[LAYERS % 2]]
    gradients = [gradient]
    for layer in reversed(range(LAYERS)):
        below, above = widths[layer % 2], widths[1 - layer % 2]
        gradient = gradient * function.derivative(hidden[layer + 1])
        gradient = np.float32(stds[layer]) * (units[layer, :above, :below].T @ gradient)
        gradients.append(gradient)
    return Sizes(_mean_squares(hidden), _mean_squares(gradients[::-1]))


def decades(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Powers of ten within the axis; what lies beyond is drawn at its border."""
    with np.errstate(divide="ignore"):
        return np.clip(np.log10(sizes), -DECADES, DECADES)


def in_words(what: str, expected: Sizes, found: Sizes) -> str:
    """Where signal and gradient arrive, predicted and measured."""
    return (
        f"{what}: after {LAYERS} layers the signal's mean square is {found.signal[-1]:.1g} times "
        f"the input's (predicted {expected.signal[-1]:.1g}), the gradient's at the input "
        f"{found.gradient[0]:.1g} times that at the output (predicted {expected.gradient[0]:.1g})."
    )


def _mean_squares(arrays: list[FloatArray]) -> NDArray[np.float64]:
    return np.array([np.vdot(array, array) / array.size for array in arrays], dtype=np.float64)


@cache
def _draws() -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(SEED)
    units = rng.standard_normal((LAYERS, WIDEST, WIDEST)).astype(np.float32)
    ends = rng.standard_normal((2, WIDEST, EXAMPLES)).astype(np.float32)
    return units, ends[0], ends[1]


def _draw_still(ax: Axes) -> list[Line2D]:
    places = np.arange(LAYERS + 1)
    ax.axhline(0, color=GREY, linewidth=1)
    ax.set(xlim=(-0.5, LAYERS + 0.5), ylim=(-DECADES - 0.3, DECADES + 0.3))
    ax.set(xlabel="after so many layers (0: the input)", xticks=range(0, LAYERS + 1, 2))
    ax.set_ylabel("log₁₀ mean square  (powers of ten)")
    ax.set_title("Does the signal stay level? Does the gradient?")
    names, colours = ("signal, going up", "gradient, going down"), PALETTE[:2]
    lines = [
        ax.plot(places, 0.0 * places, color=colour, linestyle=style, label=f"{name}: predicted")[0]
        for name, colour, style in zip(names, colours, ("-", "--"), strict=True)
    ]
    lines += [
        ax.plot(places, 0.0 * places, marker, color=colour, label="measured")[0]
        for colour, marker in zip(colours, "os", strict=True)
    ]
    ax.legend(
        handles=[lines[0], lines[2], lines[1], lines[3]], ncols=2, fontsize=9, loc="upper left"
    )
    return lines
