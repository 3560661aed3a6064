"""The figure and the number at the top of README.md: `python docs/headline.py` draws them anew."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_utils import figures
from course_utils.datasets import load_digits
from course_utils.network import MLP

DEPTH = 30
FIGURE = Path(__file__).with_name("headline.png")
NETS = {
    "ReLU, weights 1.5 × He": {"activation": "relu", "init": "he", "gain": 1.5},
    "tanh, Xavier": {"activation": "tanh", "init": "xavier"},
    "sigmoid, Xavier": {"activation": "sigmoid", "init": "xavier"},
}


def gradient_by_layer(settings: dict[str, object]) -> NDArray[np.float64]:
    """Norm of the loss's gradient at each hidden layer of a fresh net, from the input side."""
    digits = load_digits().train.take(slice(128))
    net = MLP([64] + [64] * DEPTH + [10], rng=np.random.default_rng(0), **settings)  # type: ignore[arg-type]
    net.loss_and_gradients(*digits)
    return np.asarray(net.signals.grad_hidden.norms()[:DEPTH])


def share_that_arrives(settings: dict[str, object]) -> float:
    """The first hidden layer's gradient, as a share of the last one's."""
    norms = gradient_by_layer(settings)
    return float(norms[0] / norms[-1])


def draw() -> Axes:
    """One line a net: the same depth, the same data, three fates."""
    _, ax = figures.new_figure(height=3.2)
    for label, settings in NETS.items():
        norms = gradient_by_layer(settings)
        ax.semilogy(range(1, DEPTH + 1), norms / norms[-1], "o-", markersize=3)
        above = 6 if norms[0] > norms[-1] or "tanh" in label else -14
        ax.annotate(
            label,
            (2, norms[1] / norms[-1]),
            (6, above),
            textcoords="offset points",
            fontsize=10,
            color=ax.lines[-1].get_color(),
        )
    ax.set_xlabel("hidden layer (1 is next to the input)")
    ax.set_ylabel("gradient, as a share\nof the last layer's")
    ax.set_ylim(1e-22, 1e10)
    return ax


if __name__ == "__main__":
    FIGURE.write_bytes(figures.png(draw().get_figure()))
    for name, net in NETS.items():
        print(f"{name}: {share_that_arrives(net):.0e}")
