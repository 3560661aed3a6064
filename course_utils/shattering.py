"""How signals and gradients grow in deep ReLU nets, and how quickly a gradient changes.

The nets here have layers of equal width and He's weights, drawn anew for each of many draws that
are computed together. A layer is W relu(h), or a residual block h + a · W relu(h).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from course_utils.arrays import FloatArray, float_dtype, positive_int, random_generator


def autocorrelation(
    sequence: ArrayLike, *, lag: int = 1, centred: bool = True
) -> NDArray[np.float64]:
    """Return how alike each number of a sequence and the one `lag` places later are, −1 to 1.

    sequence: (..., n), along its last axis; the result has the shape of the rest. It is
    Σ x[i] x[i + lag] / Σ x[i]², over the pairs that there are: near 0 for white noise, near 1 for
    what changes slowly. centred: subtract the sequence's mean first; without it a constant has
    nearly 1, and is no error. lag: within 1 … n − 1.
    Raises ValueError for a lag outside that range, or a sequence that is 0 throughout (centred:
    constant).
    """
    values = np.asarray(sequence)
    values = np.ascontiguousarray(values, np.result_type(values, np.float32))
    length = values.shape[-1] if np.ndim(sequence) else 0
    if not 1 <= lag < length:
        raise ValueError(
            f"lag must be within 1 … {length - 1} for a sequence of {length}, got {lag}. Pass lag=1"
            " and a longer sequence."
        )
    if centred:
        values = values - values.mean(axis=-1, keepdims=True)
    # divided by the largest entry, so that no square under- or overflows
    largest = np.maximum(values.max(axis=-1), -values.min(axis=-1))
    if not (largest > 0.0).all():
        raise ValueError(
            "sequence must vary, got one that is constant. There is nothing to correlate: check "
            "that the gradient is not 0."
        )
    values = values / largest[..., None]
    together = np.vecdot(values[..., lag:], values[..., :-lag])
    return np.asarray(together / np.vecdot(values, values), dtype=np.float64)


def he_branches(
    depth: int, width: int, *, draws: int = 1, rng: np.random.Generator, dtype: DTypeLike = float
) -> FloatArray:
    """Return the weights of that many nets, (draws, depth, width, width): std √(2 / width).

    Raises ValueError or TypeError unless the sizes are whole numbers >= 1.
    """
    shape = (
        positive_int("draws", draws, "Pass the number of nets, e.g. draws=20."),
        positive_int("depth", depth, "Pass the number of layers, e.g. depth=50."),
        positive_int("width", width, "Pass the units of a layer, e.g. width=64."),
    )
    resolved = float_dtype(dtype)
    weights = random_generator(rng).standard_normal((*shape, shape[-1]), dtype=resolved.type)
    return np.multiply(weights, np.sqrt(2.0 / width).astype(resolved), out=weights)


class Growth(NamedTuple):
    """Mean squares of each net's signals, (draws, depth + 1), over what they were at the start.

    signal[:, l]: of h after l layers, over the input's. gradient[:, l]: of ∂output/∂h after l
    layers, over the output's own; entry 0 is at the input.
    """

    signal: NDArray[np.float64]
    gradient: NDArray[np.float64]


def growth_by_layer(
    branches: FloatArray, *, branch_scale: float | None, rng: np.random.Generator
) -> Growth:
    """Send one Gaussian vector through each net and another one back; return how they grow.

    branches: (draws, depth, width, width), see he_branches. branch_scale: a of residual blocks;
    None for plain layers.
    """
    inputs, grad_outputs = _gaussian(branches, 2, rng)[:, :, None]
    signals = _signals(branches, inputs, branch_scale)
    gradients = _gradients(branches, signals, grad_outputs, branch_scale)
    signal, gradient = (
        np.mean(np.square(side, dtype=float), (2, 3)).T for side in (signals, gradients)
    )
    return Growth(signal / signal[:, :1], gradient / gradient[:, -1:])


def gradient_similarity(
    branches: FloatArray,
    *,
    correlation: float,
    pairs: int = 50,
    branch_scale: float | None = None,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the cosine between an output's gradients at two inputs, (draws, pairs).

    correlation: of the two inputs, Gaussian vectors of length width, within [−1, 1]. pairs: how
    many pairs each net is given, every pair with an output of its own. branches, branch_scale: see
    growth_by_layer. The mean is what theory.gradient_correlation predicts for wide layers. A cosine
    is NaN where all units of a narrow layer are off, since the gradient is then 0.
    Raises ValueError for a number outside its range.
    """
    if not -1.0 <= correlation <= 1.0:
        raise ValueError(
            f"correlation must be within [-1, 1], got {correlation}. Pass 0.0 for unrelated inputs."
        )
    count = positive_int("pairs", pairs, "Pass the pairs of inputs a net, e.g. pairs=50.")
    one, apart, grad_outputs = np.split(_gaussian(branches, 3 * count, rng), 3)
    other = correlation * one + math.sqrt(1.0 - correlation**2) * apart
    signals = _signals(branches, np.vstack([one, other]).swapaxes(0, 1), branch_scale)
    grad_outputs = np.vstack([grad_outputs, grad_outputs]).swapaxes(0, 1)
    gradients = _gradients(branches, signals, grad_outputs, branch_scale)[0]
    here, there = gradients[:, :count], gradients[:, count:]
    squares = np.vecdot(here, here) * np.vecdot(there, there)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.vecdot(here, there) / np.sqrt(squares), dtype=np.float64)


class OnCircle(NamedTuple):
    """The units of one layer along a circle of inputs, each (draws, width, points).

    values: h. gradients: ∂h/∂t, of each unit as an output of its own.
    """

    values: FloatArray
    gradients: FloatArray


def walk_circle(
    branches: FloatArray,
    *,
    points: int = 256,
    branch_scale: float | None = None,
    centred: bool = False,
    rng: np.random.Generator,
) -> Iterator[OnCircle]:
    """Yield what a circle of inputs (cos t, sin t) gives after 0, 1, … depth layers.

    points: evenly spaced angles t. Below the branches stand Gaussian weights of standard deviation
    1 from the two inputs. branches, branch_scale: see growth_by_layer.
    centred: each layer subtracts from what it reads the mean over the circle's points, as batch
    normalisation does (the skip is left alone); the derivative takes that mean for a constant.
    """
    angles = 2.0 * np.pi * np.arange(positive_int("points", points, "Pass points=256.")) / points
    circle: FloatArray = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(branches.dtype)
    onwards: FloatArray = np.stack([-circle[:, 1], circle[:, 0]], axis=1)
    first = _gaussian(branches, 2, rng).swapaxes(0, 1)
    hidden: FloatArray = circle @ first
    change: FloatArray = onwards @ first
    yield OnCircle(hidden.swapaxes(1, 2), change.swapaxes(1, 2))
    for weights in branches.swapaxes(0, 1):
        read = hidden - hidden.mean(axis=1, keepdims=True) if centred else hidden
        change = _block(change, change * (read > 0), weights, branch_scale)
        hidden = _block(hidden, np.maximum(read, 0), weights, branch_scale)
        yield OnCircle(hidden.swapaxes(1, 2), change.swapaxes(1, 2))


def _gaussian(branches: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Draw `count` vectors for each net: (count, draws, width)."""
    draws, _, width, _ = branches.shape
    return random_generator(rng).standard_normal((count, draws, width)).astype(branches.dtype)


def _block(
    skip: FloatArray, active: FloatArray, weights: FloatArray, branch_scale: float | None
) -> FloatArray:
    branch = active @ weights
    return branch if branch_scale is None else skip + branch_scale * branch


def _signals(
    branches: FloatArray, inputs: FloatArray, branch_scale: float | None
) -> list[FloatArray]:
    """h after 0, 1, … depth layers, each (draws, examples, width)."""
    signals = [inputs]
    for weights in branches.swapaxes(0, 1):
        signals.append(_block(signals[-1], np.maximum(signals[-1], 0), weights, branch_scale))
    return signals


def _gradients(
    branches: FloatArray,
    signals: list[FloatArray],
    grad_outputs: FloatArray,
    branch_scale: float | None,
) -> list[FloatArray]:
    """∂output/∂h after 0, 1, … depth layers, each (draws, examples, width)."""
    gradients = [grad_outputs]
    for layer in reversed(range(branches.shape[1])):
        branch = gradients[-1] @ branches[:, layer].swapaxes(1, 2) * (signals[layer] > 0)
        gradients.append(branch if branch_scale is None else gradients[-1] + branch_scale * branch)
    return gradients[::-1]
