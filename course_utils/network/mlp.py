"""The multilayer perceptron: forward, backward, and every layer's signals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from course_utils.activations import Activation, get_activation
from course_utils.arrays import (
    FloatArray,
    aligned,
    finite_rows,
    float_dtype,
    layer_widths,
)
from course_utils.initializers import draw_weights, require_scheme
from course_utils.losses import Loss, get_loss
from course_utils.network.layer_arrays import (
    ALL_BUT_THE_LAST_ROW,
    LAST_ROW,
    Blocks,
    LayerArrays,
)
from course_utils.network.plan import Plan, parameter_gradients
from course_utils.network.scored import Scored
from course_utils.network.signals import OPTIONAL_SIGNALS, Signals

EVERY_LAYER = slice(None)


class MLP(Scored):
    """A multilayer perceptron of any depth; the last layer is linear.

    Layer l = 0 … L − 1 computes z = h_below @ weights[l] + biases[l] and h = f(z); layer 0 reads
    the inputs, layer L − 1 gives the outputs (h = z).

    widths: units of the inputs, of each hidden layer, and of the outputs: L + 1 entries.
    activation: name or Activation of the hidden layers. init, gain: see initializers.draw_weights.
    bias_std: standard deviation of the biases' Gaussian draws (0: they start at 0).
    loss: "cross_entropy" (integer labels) or "mse" (real targets). dtype: float64 or float32.
    rng: source of the initial weights.

    After forward and backward the network holds, one array for each layer:
        signals.pre_activation, signals.hidden, signals.grad_hidden, signals.grad_pre_activation,
        weights, biases, grad_weights, grad_biases
    and, as flat vectors (layer by layer, its weights, then its biases): parameters, gradients.

        >>> net = MLP([64, 32, 32, 10], activation="tanh", rng=np.random.default_rng(0))
        >>> loss = net.loss_and_gradients(inputs, labels)
        >>> net.grad_weights.norms()               # one number a layer, from the input side

    Overflow raises NumPy's RuntimeWarning, unless the caller says ``np.errstate(over="ignore")``.
    """

    def __init__(
        self,
        widths: Sequence[int],
        *,
        activation: str | Activation = "tanh",
        init: str = "xavier",
        gain: float = 1.0,
        bias_std: float = 0.0,
        loss: str | Loss = "cross_entropy",
        dtype: DTypeLike = np.float64,
        rng: np.random.Generator,
    ) -> None:
        """Draw the weights; raises one-line ValueErrors for widths, names or scales it rejects."""
        require_scheme(init)
        if not 0.0 <= bias_std < np.inf:
            raise ValueError(
                f"bias_std must be >= 0 and finite, got {bias_std}. Pass bias_std=0.0 for no bias."
            )
        self._allocate(layer_widths(widths), get_activation(activation), get_loss(loss), dtype)
        for view in self.weights:
            view[...] = draw_weights(*view.shape, scheme=init, gain=gain, rng=rng)
        if bias_std:
            for view in self.biases:
                view[...] = bias_std * rng.standard_normal(view.size)

    def _allocate(
        self, widths: tuple[int, ...], activation: Activation, loss: Loss, dtype: DTypeLike
    ) -> None:
        self.widths = widths
        self.activation = activation
        self.loss = loss
        self.dtype = float_dtype(dtype)
        shapes = [(fan_in + 1, fan_out) for fan_in, fan_out in pairwise(widths)]
        entries = sum(map(prod, shapes))
        self.parameters: FloatArray = aligned((entries,), 0.0, self.dtype)
        self.gradients: FloatArray = aligned((entries,), np.nan, self.dtype)
        self._blocks = Blocks(shapes, self.parameters), Blocks(shapes, self.gradients)
        self.weights, self.biases = self.split(self.parameters)
        self.grad_weights, self.grad_biases = self.split(self.gradients)
        self._plan: Plan | None = None

    def split(self, vector: FloatArray) -> tuple[LayerArrays, LayerArrays]:
        """Return views of a vector laid out like parameters: (weights, biases) by layer."""
        if vector.shape != self.parameters.shape:
            raise ValueError(
                f"vector must have shape {self.parameters.shape}, got {vector.shape}. Pass one "
                "entry for each parameter, e.g. np.zeros_like(net.parameters)."
            )
        blocks = Blocks(self._blocks[0].shapes, vector)
        return LayerArrays(blocks, ALL_BUT_THE_LAST_ROW), LayerArrays(blocks, LAST_ROW)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by value: a plain deep copy would tear the views from their buffers."""
        return _restore, (
            type(self),
            self.widths,
            self.activation,
            self.loss,
            self.dtype,
            self.parameters.copy(),
        )

    @property
    def n_layers(self) -> int:
        """The number of layers that have weights, L."""
        return len(self.widths) - 1

    @property
    def signals(self) -> Signals:
        """The signals of the latest pass. Raises ValueError before the first one."""
        if self._plan is None:
            raise ValueError("signals need a forward pass, got none. Call forward(inputs) first.")
        return self._plan.signals

    def forward(
        self,
        inputs: ArrayLike,
        *,
        keep: Iterable[str] = OPTIONAL_SIGNALS,
        trainable: slice = EVERY_LAYER,
        validate: bool = True,
    ) -> FloatArray:
        """Return the outputs, (examples, outputs), and record every layer's signals.

        inputs: (examples, widths[0]), finite; with validate=False it is not looked at.
        keep: which of OPTIONAL_SIGNALS to keep for each layer; fewer is faster.
        trainable: the layers whose parameter gradients the backward pass is to compute, e.g.
        slice(0, 1); it leaves those of the others, the frozen ones, as they are.
        The result is a view that the next pass overwrites: copy what you keep.
        Raises ValueError or TypeError for a wrong shape, an empty batch, NaN or inf.
        """
        array = finite_rows("inputs", inputs, self.widths[0]) if validate else np.asarray(inputs)
        plan = self._plan_for(len(array), frozenset(keep), self.layers_of(trainable))
        plan.signals.inputs[...] = array
        activate = self.activation.forward
        for parameters, below, pre_activation, hidden in plan.hidden_layers:
            np.dot(parameters, below, pre_activation)
            activate(pre_activation, out=hidden)
        parameters, below, pre_activation, outputs = plan.output_layer
        np.dot(parameters, below, pre_activation)
        np.copyto(outputs, pre_activation)
        return plan.signals.outputs

    def _plan_for(self, examples: int, keep: frozenset[str], trainable: range) -> Plan:
        plan = self._plan
        if plan is None or not plan.fits(examples, keep, trainable):
            signals = Signals(examples, self.widths, self.dtype, keep)
            plan = self._plan = Plan(signals, *self._blocks, trainable)
        return plan

    def layers_of(self, trainable: slice) -> range:
        """Return the layers of a slice of neighbours; raises ValueError for none or for gaps."""
        layers = range(self.n_layers)[trainable]
        if not layers or layers.step != 1:
            raise ValueError(
                f"trainable must name neighbouring layers among {self.n_layers}, got {trainable}. "
                "Pass e.g. slice(0, 1) for the first, slice(-1, None) for the last."
            )
        return layers

    def entries_of(self, trainable: slice) -> slice:
        """Return where those layers' parameters lie in parameters and gradients."""
        layers = self.layers_of(trainable)
        return self._blocks[0].entries(layers.start, layers.stop)

    def backward(self, targets: ArrayLike, *, validate: bool = True) -> float:
        """Return the mean loss of the latest forward pass; fill in every trainable gradient.

        targets: integer labels (examples,) for "cross_entropy", real values (examples, outputs)
        for "mse". Raises ValueError or TypeError for targets that do not fit, or before forward.
        """
        signals = self.signals
        if validate:
            targets = self.loss.check_targets(targets, signals.examples, self.widths[-1])
        plan = self._plan
        assert plan is not None
        grad_outputs = plan.grad_outputs.T
        loss = self.loss.value_and_gradient(signals.outputs, np.asarray(targets), grad_outputs)
        if "grad_hidden" in signals.kept:
            signals.grad_hidden[-1] = grad_outputs  # the output layer is linear
        parameter_gradients(plan.output_parameters)
        slope = self.activation.derivative
        for hidden, grads, steps, parameters in plan.chunks:
            slope(hidden, out=grads)
            for weights_above, grad_above, grad_hidden, grad in steps:
                np.dot(weights_above, grad_above, grad_hidden)
                np.multiply(grad, grad_hidden, grad)
            parameter_gradients(parameters)
        return loss

    def loss_and_gradients(
        self,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        keep: Iterable[str] = OPTIONAL_SIGNALS,
        trainable: slice = EVERY_LAYER,
        validate: bool = True,
    ) -> float:
        """Return the mean loss; gradients, grad_weights and grad_biases then hold its gradient.

        The arguments are those of forward and backward.
        """
        self.forward(inputs, keep=keep, trainable=trainable, validate=validate)
        return self.backward(targets, validate=validate)

    def outputs(self, inputs: ArrayLike) -> FloatArray:
        """Return the outputs, (examples, outputs), without touching the recorded signals."""
        hidden = finite_rows("inputs", inputs, self.widths[0]).astype(self.dtype, copy=False)
        for layer, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            pre_activation = hidden @ weights + biases
            last = layer == self.n_layers - 1
            hidden = pre_activation if last else self.activation.forward(pre_activation)
        return hidden


def _restore(
    kind: type[MLP],
    widths: tuple[int, ...],
    activation: Activation,
    loss: Loss,
    dtype: DTypeLike,
    parameters: FloatArray,
) -> MLP:
    net = kind.__new__(kind)
    net._allocate(widths, activation, loss, dtype)
    net.parameters[...] = parameters
    return net
