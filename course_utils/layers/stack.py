"""A network of layers that trains and is recorded like an MLP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from course_utils.arrays import FloatArray, aligned, finite_rows, float_dtype
from course_utils.layers.dense import Dense
from course_utils.layers.layer import Layer, ParametricLayer
from course_utils.layers.normalization import Norm
from course_utils.layers.residual import Residual
from course_utils.layers.signals import PerLayer, StackSignals
from course_utils.losses import Loss, get_loss
from course_utils.network import LayerArrays
from course_utils.network.layer_arrays import ALL_BUT_THE_LAST_ROW, LAST_ROW, Blocks
from course_utils.network.scored import Scored
from course_utils.network.signals import OPTIONAL_SIGNALS


class Stack(Scored):
    """Layers one on another, with a loss on top.

    layers: at least one of them Dense; each stands once. loss: "cross_entropy" or "mse".
    dtype: float64 or float32.

    Whatever is said "by layer" counts the dense layers, l = 0 … L − 1, as in MLP: weights, biases,
    grad_weights, grad_biases, and signals (see StackSignals). scales and shifts hold the γ and β
    of each norm, with grad_scales and grad_shifts. parameters and gradients are flat vectors: the
    dense layers one after another, then the norms.

        >>> rng = np.random.default_rng(0)
        >>> net = Stack([Dense(64, 32, rng=rng), BatchNorm(32), Activate("relu"),
        ...              Dense(32, 10, rng=rng)])
        >>> history = train(net, digits, steps=100, optimizer=SGD(0.1))

    Overflow raises NumPy's RuntimeWarning, unless the caller says ``np.errstate(over="ignore")``.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        loss: str | Loss = "cross_entropy",
        dtype: DTypeLike = np.float64,
    ) -> None:
        """Join the layers; raises one-line ValueErrors if they do not fit on one another."""
        self.layers = tuple(layers)
        self.loss = get_loss(loss)
        self.dtype = float_dtype(dtype)
        leaves = [leaf for layer in self.layers for leaf in layer.leaves()]
        _require_each_once(leaves)
        self._dense = [leaf for leaf in leaves if isinstance(leaf, Dense)]
        self._norms = [leaf for leaf in leaves if isinstance(leaf, Norm)]
        if not self._dense:
            raise ValueError("layers must hold a Dense, got none. Add e.g. Dense(64, 10, rng=rng).")
        self.widths = (self._dense[0].fan_in, *(dense.fan_out for dense in self._dense))
        width = self.widths[0]
        for layer in self.layers:
            width = layer.width_after(width)
        self._blocks = list(_blocks(self.layers))
        self._signals: StackSignals | None = None
        self._move_in()

    def _move_in(self) -> None:
        """Lay the layers' parameters side by side in one vector, and their gradients."""
        parts: list[ParametricLayer] = [*self._dense, *self._norms]
        entries = sum(part.block.size for part in parts)
        self.parameters: FloatArray = aligned((entries,), 0.0, self.dtype)
        self.gradients: FloatArray = aligned((entries,), np.nan, self.dtype)
        offset = 0
        for part in parts:
            shape, here = part.block.shape, slice(offset, offset + part.block.size)
            part.move_to(self.parameters[here].reshape(shape), self.gradients[here].reshape(shape))
            offset = here.stop
        self.weights, self.biases = self.split(self.parameters)
        self.grad_weights, self.grad_biases = self.split(self.gradients)
        self.scales = [norm.scale for norm in self._norms]
        self.shifts = [norm.shift for norm in self._norms]
        self.grad_scales = [norm.grad_scale for norm in self._norms]
        self.grad_shifts = [norm.grad_shift for norm in self._norms]

    def split(self, vector: FloatArray) -> tuple[LayerArrays, LayerArrays]:
        """Return views of a vector laid out like parameters: (weights, biases) by dense layer."""
        if vector.shape != self.parameters.shape:
            raise ValueError(
                f"vector must have shape {self.parameters.shape}, got {vector.shape}. Pass one "
                "entry for each parameter, e.g. np.zeros_like(net.parameters)."
            )
        shapes = [(fan_in + 1, fan_out) for fan_in, fan_out in self._fans()]
        blocks = Blocks(shapes, vector[: sum(map(prod, shapes))])
        return LayerArrays(blocks, ALL_BUT_THE_LAST_ROW), LayerArrays(blocks, LAST_ROW)

    def _fans(self) -> Iterator[tuple[int, int]]:
        return pairwise(self.widths)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Be a whole copy: a plain one would tear the layers from the vector of parameters."""
        self.__dict__.update(state)
        self._move_in()

    @property
    def n_layers(self) -> int:
        """The number of dense layers, L."""
        return len(self._dense)

    @property
    def signals(self) -> StackSignals:
        """The signals of the latest pass. Raises ValueError before the first one."""
        if self._signals is None:
            raise ValueError("signals need a forward pass, got none. Call forward(inputs) first.")
        return self._signals

    def forward(
        self, inputs: ArrayLike, *, keep: Iterable[str] = OPTIONAL_SIGNALS, validate: bool = True
    ) -> FloatArray:
        """Return the outputs in training, (examples, outputs), and record every layer's signals.

        inputs: (examples, widths[0]), finite; with validate=False it is not looked at. keep: as
        in MLP.forward, but a stack keeps every signal whatever it says.
        Raises ValueError or TypeError for a wrong shape, an empty batch, NaN or inf.
        """
        array = finite_rows("inputs", inputs, self.widths[0]) if validate else np.asarray(inputs)
        values: FloatArray = array.astype(self.dtype, copy=False)
        signals, hidden = StackSignals(values), []
        for layer, holds in zip(self.layers, self._blocks, strict=True):
            values = layer.forward(values)
            hidden += [values] * holds
        signals.outputs = values
        signals.hidden = PerLayer(hidden)
        signals.pre_activation = PerLayer([_known(dense.pre_activation) for dense in self._dense])
        self._signals = signals
        return values

    def backward(self, targets: ArrayLike, *, validate: bool = True) -> float:
        """Return the mean loss of the latest forward pass; fill in every gradient.

        targets: see MLP.backward, as for what it raises.
        """
        signals = self.signals
        if validate:
            targets = self.loss.check_targets(targets, signals.examples, self.widths[-1])
        grad: FloatArray = np.empty_like(signals.outputs)
        loss = self.loss.value_and_gradient(signals.outputs, np.asarray(targets), grad)
        grad_hidden: list[FloatArray] = []
        for layer, holds in zip(reversed(self.layers), reversed(self._blocks), strict=True):
            grad_hidden += [grad] * holds
            grad = layer.backward(grad)
        grad_z = PerLayer([_known(dense.grad_pre_activation) for dense in self._dense])
        signals.add_gradients(grad, PerLayer(grad_hidden[::-1]), grad_z)
        return loss

    def loss_and_gradients(
        self,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        keep: Iterable[str] = OPTIONAL_SIGNALS,
        validate: bool = True,
    ) -> float:
        """Return the mean loss in training; gradients then holds its gradient."""
        self.forward(inputs, keep=keep, validate=validate)
        return self.backward(targets, validate=validate)

    def outputs(self, inputs: ArrayLike) -> FloatArray:
        """Return the outputs in prediction, (examples, outputs), and record nothing.

        Batch norm then uses its running averages.
        """
        values = finite_rows("inputs", inputs, self.widths[0]).astype(self.dtype, copy=False)
        for layer in self.layers:
            values = layer.outputs(values)
        return values


def _blocks(layers: Sequence[Layer]) -> Iterator[int]:
    """Yield for each layer how many dense layers' blocks end with it."""
    open_dense = 0
    for layer, above in zip(layers, [*layers[1:], None], strict=True):
        dense = sum(isinstance(leaf, Dense) for leaf in layer.leaves())
        if isinstance(layer, Residual):
            yield dense
            continue
        open_dense += dense
        last = above is None or isinstance(above, Dense | Residual)
        yield open_dense if last else 0
        open_dense = 0 if last else open_dense


def _require_each_once(leaves: Sequence[Layer]) -> None:
    if len({id(leaf) for leaf in leaves}) < len(leaves) or any(
        isinstance(leaf, ParametricLayer) and leaf.in_a_stack for leaf in leaves
    ):
        raise ValueError(
            "each layer must stand once in one stack, got one twice. Build a new layer for each "
            "place."
        )


def _known(array: FloatArray | None) -> FloatArray:
    assert array is not None
    return array
