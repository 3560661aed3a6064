"""The order of work of one pass: which buffers each layer reads and writes.

Looking views up costs as much as multiplying small matrices, so it is done once per batch size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from course_utils.arrays import FloatArray, aligned
from course_utils.network.buffers import Buffers
from course_utils.network.layer_arrays import LayerArrays, equal_runs
from course_utils.network.signals import Signals

# Layers are handled together while one signal of theirs fits well into the processor's cache:
# fewer calls where layers are small, no trips to main memory where they are large.
_CHUNK_BYTES = 96 * 1024


class Parameters(NamedTuple):
    """A network's parameters, or the loss's gradients with respect to them, by layer."""

    weights: LayerArrays
    biases: LayerArrays


class ForwardStep(NamedTuple):
    """One layer: pre_activation = below @ weights + biases, hidden = f(pre_activation)."""

    below: FloatArray
    weights: FloatArray
    biases: FloatArray
    pre_activation: FloatArray
    hidden: FloatArray


class BackwardStep(NamedTuple):
    """One hidden layer: grad_hidden = grad_above @ weights_above.T, grad *= grad_hidden.

    grad_above and grad are gradients of pre-activations; grad holds the slopes f'(z) beforehand.
    """

    grad_above: FloatArray
    weights_above_transposed: FloatArray
    grad_hidden: FloatArray
    grad: FloatArray


class ParameterStep(NamedTuple):
    """Neighbouring layers of one shape: grad_weights = below.T @ grad, grad_biases = ones @ grad.

    Every array has a leading layer axis.
    """

    below_transposed: FloatArray  # (layers, fan_in, examples)
    grad: FloatArray  # (layers, examples, fan_out)
    grad_weights: FloatArray  # (layers, fan_in, fan_out)
    grad_biases: FloatArray  # (layers, 1, fan_out)


class BackwardChunk(NamedTuple):
    """Neighbouring hidden layers of one shape, handled together."""

    hidden: FloatArray  # (layers, examples, units), like grad
    grad: FloatArray
    steps: tuple[BackwardStep, ...]  # the layer nearest the output first
    parameters: ParameterStep


class Plan:
    """The forward steps and backward chunks of a network for one set of signal buffers."""

    def __init__(self, signals: Signals, parameters: Parameters, gradients: Parameters) -> None:
        """Lay out the work; every array is used in place."""
        self.signals = signals
        self._gradients = gradients
        self._buffers = buffers = Buffers(signals)
        # ones @ grad adds up the examples by a matrix product, far quicker than a sum over axis 1.
        self.ones = aligned((1, signals.examples), 1.0, signals.inputs.dtype)
        *self.hidden_layers, self.output_layer = _forward_steps(signals, buffers, parameters)
        last = len(parameters.weights) - 1
        grad = buffers.block("grad_pre_activation", last, last + 1, spare=1)
        self.output_parameters = self._parameter_step(last, last + 1, grad)
        self.grad_outputs = grad[0]
        self.chunks = list(self._backward_chunks(parameters.weights))

    def _backward_chunks(self, weights: LayerArrays) -> Iterator[BackwardChunk]:
        signals, buffers, grad_above = self.signals, self._buffers, self.grad_outputs
        for index, (start, stop) in enumerate(_chunks_from_the_top(signals, weights)):
            grads = buffers.block("grad_pre_activation", start, stop, spare=index % 2)
            steps = []
            for layer in reversed(range(start, stop)):
                grad = grads[layer - start]
                grad_hidden = buffers.one("grad_hidden", layer)
                steps.append(BackwardStep(grad_above, weights[layer + 1].T, grad_hidden, grad))
                grad_above = grad
            yield BackwardChunk(
                signals.hidden.block(start, stop),
                grads,
                tuple(steps),
                self._parameter_step(start, stop, grads),
            )

    def _parameter_step(self, start: int, stop: int, grad: FloatArray) -> ParameterStep:
        signals, gradients = self.signals, self._gradients
        below = signals.hidden.block(start - 1, stop - 1) if start else signals.inputs[np.newaxis]
        return ParameterStep(
            below.transpose(0, 2, 1),
            grad,
            gradients.weights.block(start, stop),
            gradients.biases.block(start, stop)[:, np.newaxis, :],
        )


def _forward_steps(
    signals: Signals, buffers: Buffers, parameters: Parameters
) -> Iterator[ForwardStep]:
    for layer, (weights, biases) in enumerate(zip(*parameters, strict=True)):
        yield ForwardStep(
            signals.below(layer),
            weights,
            biases,
            buffers.one("pre_activation", layer),
            signals.hidden[layer],
        )


def _chunks_from_the_top(signals: Signals, weights: LayerArrays) -> Sequence[tuple[int, int]]:
    """Return (start, stop) of neighbouring hidden layers of one shape; layer 0 stands alone."""
    shapes = [view.shape for view in weights][:-1]
    bounds: list[tuple[int, int]] = [(0, 1)] if shapes else []
    for start, stop in equal_runs(shapes, start=1):
        size = max(1, _CHUNK_BYTES // signals.hidden[start].nbytes)
        bounds += pairwise([*range(start, stop, size), stop])
    return bounds[::-1]
