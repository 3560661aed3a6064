"""Deep networks in one line: plain, normalised, with skips, or both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from course_utils.activations import Activation
from course_utils.arrays import layer_widths
from course_utils.layers.dense import Activate, Dense
from course_utils.layers.layer import Layer
from course_utils.layers.normalization import get_norm
from course_utils.layers.residual import Residual
from course_utils.layers.stack import Stack
from course_utils.losses import Loss


def deep_net(
    widths: Sequence[int],
    *,
    activation: str | Activation = "tanh",
    norm: str | None = None,
    residual_scale: float | None = None,
    init: str = "xavier",
    gain: float = 1.0,
    eps: float = 1e-5,
    loss: str | Loss = "cross_entropy",
    dtype: DTypeLike = np.float64,
    rng: np.random.Generator,
) -> Stack:
    """Return a stack of len(widths) − 1 dense layers, the last one linear.

    Dense, [norm, activation, Dense] × (L − 1). norm: "batch", "layer" or None, before each
    activation, with that eps. residual_scale: None for no skips; a number a turns each bracket but
    the last into h + a · bracket(h), the pre-activation block of He et al. (2016b), fig. 4e, and
    asks for hidden layers of one width. The other arguments are those of MLP, and the same rng
    draws the same weights: without norm and skips it is the same network.
    Raises one-line ValueErrors for widths, names or scales that it rejects.
    """
    checked = layer_widths(widths)

    def dense(layer: int) -> Dense:
        return Dense(checked[layer], checked[layer + 1], init=init, gain=gain, rng=rng)

    layers: list[Layer] = [dense(0)]
    for layer in range(1, len(checked) - 1):
        bracket: list[Layer] = [] if norm is None else [get_norm(norm, checked[layer], eps=eps)]
        bracket += [Activate(activation), dense(layer)]
        last = layer == len(checked) - 2
        if residual_scale is None or last:
            layers += bracket
        else:
            layers.append(Residual(bracket, scale=residual_scale))
    return Stack(layers, loss=loss, dtype=dtype)
