"""The training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import repeat
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import finite_rows, positive_int, random_generator
from course_utils.losses import CROSS_ENTROPY
from course_utils.network import MLP, Trainable
from course_utils.norms import l2_norm
from course_utils.training.descent import SGD, Descent
from course_utils.training.history import History

# What a record is computed from; given the step's targets.
Measure = Callable[[NDArray[Any]], "float | NDArray[np.float64]"]
# The signals that a pass must keep for what is recorded of them.
_NEEDS = {
    "pre_activation_rms": "pre_activation",
    "grad_hidden_norm": "grad_hidden",
    "grad_pre_activation_norm": "grad_pre_activation",
}


def train(
    net: Trainable,
    data: tuple[ArrayLike, ArrayLike],
    *,
    steps: int,
    batch_size: int | None = None,
    optimizer: SGD,
    rng: np.random.Generator | None = None,
    record: Iterable[str] = ("grad_weight_norm",),
    trainable: slice | None = None,
    validate: bool = True,
) -> History:
    """Train net in place for a number of steps; return what each of them recorded.

    net: an MLP or a layers.Stack. data: (inputs, targets), see MLP.forward and MLP.backward.
    batch_size: examples in a step, None for all of them. rng: needed to draw batches (see
    minibatches). record: names from RECORDABLE; signals of which nothing is recorded are
    not kept, for speed. trainable: neighbouring layers of an MLP that alone are trained, e.g.
    slice(0, 1) for the first; the others are frozen: they stay as they are, and the norms of their
    weights' gradients and updates are recorded as 0. None trains all.
    The velocity starts at 0 in each call. The data are checked once, before the first step; with
    validate=False they are not, as in most frameworks: a NaN in them then goes through the net.

    Overflow is silent here: a run that explodes says so in its history, see
    History.first_nonfinite.
    Raises ValueError or TypeError for data, sizes or names that do not fit.
    """
    inputs, targets = np.asarray(data[0]), np.asarray(data[1])
    if validate:
        inputs = finite_rows("inputs", data[0], net.widths[0])
        targets = net.loss.check_targets(data[1], len(inputs), net.widths[-1])
    inputs = inputs.astype(net.dtype, copy=False)
    steps = positive_int("steps", steps, "Pass the number of updates, e.g. steps=100.")
    history = History(steps, net.n_layers, record)
    _require_labels_for_accuracy(net, history)
    _require_an_mlp_for_slopes(net, history)
    if batch_size is None:
        # The signals are stored that way round, so each step copies them the quicker.
        inputs = np.asfortranarray(inputs)
    batches = _batches(len(inputs), batch_size, rng)
    loss_and_gradients, moved = _restricted(net, trainable)
    descent = Descent(optimizer, net.parameters, moved=moved)
    before, after = _measures(net, descent, history)
    loss = history.loss
    keep = frozenset(_NEEDS[name] for name in history.names if name in _NEEDS)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for step, rows in zip(range(steps), batches, strict=False):
            batch, wanted = (inputs, targets) if rows is None else (inputs[rows], targets[rows])
            loss[step] = loss_and_gradients(batch, wanted, keep=keep, validate=False)
            for array, measure in before:
                array[step] = measure(wanted)
            descent.step(net.gradients)
            for array, measure in after:
                array[step] = measure(wanted)
    return history


def minibatches(
    examples: int, batch_size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Yield row numbers of batches, for ever: each epoch in a new order, without replacement.

    Every batch has exactly batch_size rows; what is left over at the end of an epoch is dropped.
    """
    while True:
        order = rng.permutation(examples)
        for start in range(0, examples - batch_size + 1, batch_size):
            yield order[start : start + batch_size]


def _batches(
    examples: int, batch_size: int | None, rng: np.random.Generator | None
) -> Iterator[NDArray[np.intp] | None]:
    if batch_size is None:
        return repeat(None)
    size = positive_int("batch_size", batch_size, "Pass batch_size=None for the whole data.")
    if size > examples:
        raise ValueError(
            f"batch_size must be at most the {examples} examples, got {size}. Pass "
            "batch_size=None for the whole data."
        )
    return minibatches(examples, size, random_generator(rng))


def _restricted(net: Trainable, trainable: slice | None) -> tuple[Callable[..., float], slice]:
    """Return how to compute the loss and the trainable gradients, and which entries those are."""
    if trainable is None:
        return net.loss_and_gradients, slice(None)
    if not isinstance(net, MLP):
        raise TypeError(
            f"trainable needs an MLP, got a {type(net).__name__}. Leave it out to train all layers."
        )
    moved = net.entries_of(trainable)
    net.gradients[...] = 0.0
    return partial(net.loss_and_gradients, trainable=trainable), moved


def _measures(
    net: Trainable, descent: Descent, history: History
) -> tuple[list[tuple[NDArray[np.float64], Measure]], list[tuple[NDArray[np.float64], Measure]]]:
    """Return (array, measure) pairs to fill in before and after a step's update."""
    updates, _ = net.split(descent.update)
    before: dict[str, Measure] = {
        "weight_norm": lambda _: net.weights.norms(),
        "pre_activation_rms": lambda _: net.signals.pre_activation.rms(),
        "hidden_rms": lambda _: net.signals.hidden.rms(),
        "slope_mean": lambda _: _slope_mean(cast(MLP, net)),
        "dead_share": lambda _: _dead_share(cast(MLP, net)),
        "accuracy": lambda labels: float(
            np.mean(net.signals.outputs.argmax(axis=1) == labels),
        ),
        "grad_hidden_norm": lambda _: net.signals.grad_hidden.norms(),
        "grad_pre_activation_norm": lambda _: net.signals.grad_pre_activation.norms(),
        "grad_weight_norm": lambda _: net.grad_weights.norms(),
        "global_norm": lambda _: l2_norm(net.gradients),
    }
    after: dict[str, Measure] = {"update_norm": lambda _: updates.norms()}

    def chosen(measures: dict[str, Measure]) -> list[tuple[NDArray[np.float64], Measure]]:
        return [(history[name], measures[name]) for name in history.names if name in measures]

    return chosen(before), chosen(after)


def _slope_mean(net: MLP) -> NDArray[np.float64]:
    slope = net.activation.derivative
    stacks = net.signals.hidden.stacks
    means = np.concatenate([np.abs(slope(stack)).mean(axis=(1, 2)) for stack in stacks])
    means[-1] = 1.0  # the output layer is linear
    return means


def _dead_share(net: MLP) -> NDArray[np.float64]:
    # a stack is (layers, units, examples)
    stacks = net.signals.hidden.stacks
    return np.concatenate([1 - stack.any(axis=2).mean(axis=1) for stack in stacks])


def _require_labels_for_accuracy(net: Trainable, history: History) -> None:
    if "accuracy" in history.names and net.loss is not CROSS_ENTROPY:
        raise ValueError(
            f"accuracy needs labels, got loss={net.loss.name!r}. Leave 'accuracy' out of record, "
            "or build the network with loss='cross_entropy'."
        )


def _require_an_mlp_for_slopes(net: Trainable, history: History) -> None:
    # With norms and skips between them, hidden values no longer tell the slope of the activation.
    for name in ("slope_mean", "dead_share"):
        if name in history.names and not isinstance(net, MLP):
            raise ValueError(
                f"{name} needs an MLP, got a {type(net).__name__}. Leave it out of record."
            )
