"""The order of work of one pass: which buffers each layer reads and writes.

Looking views up costs as much as multiplying small matrices, so it is done once per batch size.
In memory an example is a column, and a layer's parameters are its weights with the biases as the
last row, (fan_in + 1, fan_out): see Signals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from course_utils.arrays import FloatArray
from course_utils.network.buffers import Buffers
from course_utils.network.layer_arrays import Blocks, equal_runs
from course_utils.network.signals import Signals

# Layers are handled together while one signal of theirs fits well into the processor's cache:
# fewer calls where layers are small, no trips to main memory where they are large.
_CHUNK_BYTES = 96 * 1024
# OpenBLAS multiplies by a transposed matrix at two thirds of its speed. For layers of about these
# widths it is quicker to copy the matrix first; narrower ones save no time, wider ones are slow
# to copy.
_COPY_WIDTHS = range(40, 81)


class ForwardStep(NamedTuple):
    """One layer: pre_activation = parameters.T @ below, hidden = f(pre_activation)."""

    parameters_transposed: FloatArray  # (fan_out, fan_in + 1)
    below: FloatArray  # (fan_in + 1, examples)
    pre_activation: FloatArray  # (fan_out, examples)
    hidden: FloatArray


class BackwardStep(NamedTuple):
    """One hidden layer: grad_hidden = weights_above @ grad_above, grad *= grad_hidden.

    grad_above and grad are gradients of pre-activations; grad holds the slopes f'(z) beforehand.
    """

    weights_above: FloatArray
    grad_above: FloatArray
    grad_hidden: FloatArray
    grad: FloatArray


class ParameterStep(NamedTuple):
    """Neighbouring layers of one shape: gradients = below @ grad.T, with a leading layer axis."""

    below: FloatArray  # (layers, fan_in + 1, examples)
    grad_transposed: FloatArray  # (layers, examples, fan_out)
    copy: FloatArray | None  # where grad_transposed is copied to first
    gradients: FloatArray  # (layers, fan_in + 1, fan_out)


class BackwardChunk(NamedTuple):
    """Neighbouring hidden layers of one shape, handled together."""

    hidden: FloatArray  # (layers, units, examples), like grad
    grad: FloatArray
    steps: tuple[BackwardStep, ...]  # the layer nearest the output first
    parameters: ParameterStep | None  # None: all of these layers are frozen


class Plan:
    """The forward steps and backward chunks of a network for one set of signal buffers.

    trainable: the neighbouring layers whose parameter gradients are wanted; all others are frozen.
    The backward pass ends at the lowest of them, unless gradients of signals are to be kept.
    """

    def __init__(
        self, signals: Signals, parameters: Blocks, gradients: Blocks, trainable: range
    ) -> None:
        """Lay out the work; every array is used in place."""
        self.signals = signals
        self.trainable = trainable
        keeps_gradients = not signals.kept.isdisjoint({"grad_hidden", "grad_pre_activation"})
        self._lowest = 0 if keeps_gradients else trainable.start
        self._parameters, self._gradients = parameters, gradients
        self._buffers = Buffers(signals)
        self.n_layers = len(parameters.shapes)
        *self.hidden_layers, self.output_layer = self._forward_steps()
        last = self.n_layers - 1
        grad = self._buffers.stack("grad_pre_activation", last, last + 1, spare=1)
        self.grad_outputs = grad[0]
        self.output_parameters = self._parameter_step(last, last + 1, grad)
        self.chunks = list(self._backward_chunks())

    def fits(self, examples: int, kept: frozenset[str], trainable: range) -> bool:
        """Whether this is the plan for such a pass."""
        signals = self.signals
        return (signals.examples, signals.kept, self.trainable) == (examples, kept, trainable)

    def _forward_steps(self) -> Iterator[ForwardStep]:
        read = self.signals.read_by_layer
        for layer in range(self.n_layers):
            yield ForwardStep(
                self._parameters[layer].T,
                read[layer],
                self._buffers.one("pre_activation", layer),
                read[layer + 1][:-1],
            )

    def _backward_chunks(self) -> Iterator[BackwardChunk]:
        buffers, grad_above = self._buffers, self.grad_outputs
        for index, (start, stop) in enumerate(self._chunks_from_the_top()):
            grads = buffers.stack("grad_pre_activation", start, stop, spare=index % 2)
            steps = []
            for layer in reversed(range(start, stop)):
                weights_above = self._parameters[layer + 1][:-1]
                grad_hidden, grad = buffers.one("grad_hidden", layer), grads[layer - start]
                steps.append(BackwardStep(weights_above, grad_above, grad_hidden, grad))
                grad_above = grad
            yield BackwardChunk(
                self.signals.read_by_layer.stack(start + 1, stop + 1)[:, :-1],
                grads,
                tuple(steps),
                self._parameter_step(start, stop, grads),
            )

    def _parameter_step(self, start: int, stop: int, grad: FloatArray) -> ParameterStep | None:
        first, end = max(start, self.trainable.start), min(stop, self.trainable.stop)
        if first >= end:
            return None
        grad_transposed = grad[first - start : end - start].transpose(0, 2, 1)
        copy = None
        if grad.shape[1] in _COPY_WIDTHS:
            copy = self._buffers.shared("grad transposed", grad_transposed.shape)
        return ParameterStep(
            self.signals.read_by_layer.stack(first, end),
            grad_transposed,
            copy,
            self._gradients.stack(first, end),
        )

    def _chunks_from_the_top(self) -> Sequence[tuple[int, int]]:
        """Return (start, stop) of neighbouring hidden layers of one shape, in small groups."""
        shapes = self._parameters.shapes[:-1]
        bounds: list[tuple[int, int]] = []
        for start, stop in equal_runs(shapes, self._lowest):
            size = max(1, _CHUNK_BYTES // self.signals.hidden[start].nbytes)
            bounds += pairwise([*range(start, stop, size), stop])
        return bounds[::-1]


def parameter_gradients(step: ParameterStep | None) -> None:
    """Carry out a ParameterStep, if there is one."""
    if step is None:
        return
    below, grad_transposed, copy, gradients = step
    if copy is not None:
        np.copyto(copy, grad_transposed)
        grad_transposed = copy
    np.matmul(below, grad_transposed, gradients)
