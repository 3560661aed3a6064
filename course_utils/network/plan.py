"""The order of work of one pass: which buffers each layer reads and writes.

Looking views up costs as much as multiplying small matrices, so it is done once per batch size.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from course_utils.arrays import FloatArray
from course_utils.network.layer_arrays import LayerArrays, equal_runs
from course_utils.network.signals import Signals

# Layers are handled together while one signal of theirs fits well into the processor's cache:
# fewer calls where layers are small, no trips to main memory where they are large.
_CHUNK_BYTES = 96 * 1024


class ForwardStep(NamedTuple):
    """One layer: pre_activation = below @ weights + biases, hidden = f(pre_activation)."""

    below: FloatArray
    weights: FloatArray
    biases: FloatArray
    pre_activation: FloatArray
    hidden: FloatArray


class BackwardStep(NamedTuple):
    """One layer: grad_hidden_below = grad @ weights.T, grad_below *= grad_hidden_below.

    grad and grad_below are the gradients of the pre-activations; grad_below holds the slopes f'(z)
    of the layer below when the step begins.
    """

    grad: FloatArray
    weights_transposed: FloatArray
    grad_hidden_below: FloatArray
    grad_below: FloatArray


class BackwardChunk(NamedTuple):
    """Neighbouring layers of one shape, handled together; stacks have a leading layer axis."""

    hidden_below: FloatArray
    grad_below: FloatArray
    steps: tuple[BackwardStep, ...]  # the layer nearest the output first
    below_transposed: FloatArray  # (layers, fan_in, examples)
    grad: FloatArray  # (layers, examples, fan_out)
    grad_weights: FloatArray  # (layers, fan_in, fan_out)
    grad_biases: FloatArray  # (layers, 1, fan_out)


class Plan:
    """The forward steps and backward chunks of a network for one set of signal buffers."""

    def __init__(
        self,
        signals: Signals,
        weights: LayerArrays,
        biases: LayerArrays,
        grad_weights: LayerArrays,
        grad_biases: LayerArrays,
    ) -> None:
        """Lay out the work; every array is used in place."""
        s = signals
        self.signals = signals
        *self.hidden_layers, self.output_layer = (
            ForwardStep(s.below(i), weights[i], biases[i], s.pre_activation[i], s.hidden[i])
            for i in range(len(weights))
        )
        # ones @ grad adds up the examples by a matrix product, far quicker than a sum over axis 1.
        self.ones = np.ones((1, s.examples), s.inputs.dtype)
        self.first = (s.inputs.T, s.grad_pre_activation[0], grad_weights[0], grad_biases[0])
        self.backward = [
            _chunk(start, stop, s, weights, grad_weights, grad_biases)
            for start, stop in _chunks_from_the_top(s, weights)
        ]


def _chunks_from_the_top(signals: Signals, weights: LayerArrays) -> list[tuple[int, int]]:
    def bounds() -> Iterator[tuple[int, int]]:
        shapes = [view.shape for view in weights]
        for start, stop in equal_runs(shapes, start=1):
            size = max(1, _CHUNK_BYTES // signals.hidden[start].nbytes)
            yield from pairwise([*range(start, stop, size), stop])

    return list(bounds())[::-1]


def _chunk(
    start: int,
    stop: int,
    signals: Signals,
    weights: LayerArrays,
    grad_weights: LayerArrays,
    grad_biases: LayerArrays,
) -> BackwardChunk:
    hidden_below = signals.hidden.block(start - 1, stop - 1)
    grads, grads_hidden = signals.grad_pre_activation, signals.grad_hidden
    return BackwardChunk(
        hidden_below=hidden_below,
        grad_below=grads.block(start - 1, stop - 1),
        steps=tuple(
            BackwardStep(grads[i], weights[i].T, grads_hidden[i - 1], grads[i - 1])
            for i in reversed(range(start, stop))
        ),
        below_transposed=hidden_below.transpose(0, 2, 1),
        grad=grads.block(start, stop),
        grad_weights=grad_weights.block(start, stop),
        grad_biases=grad_biases.block(start, stop)[:, np.newaxis, :],
    )
