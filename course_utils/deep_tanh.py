"""Plain tanh networks of a thousand layers and more: the settings, one run, and the stored traces.

No skips, no normalisation: depth that Xiao et al. (2018) trained as convolutional networks. What
takes too long for a lesson is run by `python benchmarks/deep_tanh.py` and kept in
course_utils/data/deep_tanh.json, together with the settings that gave it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.datasets import Examples, load_digits
from course_utils.network import MLP
from course_utils.training import SGD, train

STORE = Path(__file__).parent / "data" / "deep_tanh.json"
COMMAND = "python benchmarks/deep_tanh.py"
VALIDATION = 300  # of the training images, held out while the settings are chosen


@dataclass(frozen=True)
class Setting:
    """A network of float32 and how it is trained.

    depth: layers with weights. gain_squared, bias_std: σ_w² and σ_b of the initial draw.
    rates: (steps, learning rate) of each phase of training; each starts at rest.
    input_scale: root mean square of the inputs, whose pixels each have mean 0.
    trainable: (start, stop) of the only layers that are trained, None for all.
    """

    depth: int = 1000
    width: int = 64
    init: str = "orthogonal"
    gain_squared: float = 1.05
    bias_std: float = 0.0045
    rates: tuple[tuple[int, float], ...] = ((50, 1e-3), (20, 1.67e-4))
    batch_size: int = 128
    momentum: float = 0.9
    input_scale: float = 0.25
    trainable: tuple[int, int] | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Setting:
        """A setting as JSON keeps it: with lists for tuples."""
        rates = tuple((int(steps), float(rate)) for steps, rate in stored["rates"])
        trainable = stored["trainable"] and tuple(stored["trainable"])
        return cls(**{**stored, "rates": rates, "trainable": trainable})


@dataclass(frozen=True)
class Run:
    """What one run gave.

    loss, batch_accuracy: of each step's batch, (steps,). accuracy: share of the held-out images
    that is classified rightly afterwards. seconds: processor time, from drawing the weights on.
    """

    loss: NDArray[np.float64]
    batch_accuracy: NDArray[np.float64]
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class Trace:
    """What an experiment of several runs left behind.

    setting: that of every run, but for its changes. changes: fields of the setting that were
    replaced, one mapping a variant. accuracy, seconds: (variants, seeds), see Run; seed 0 first.
    loss, batch_accuracy: of the first variant's seed 0, (steps,).
    validation: the accuracy is that on images held out of the training set, not on test images.
    split: which split of the digits every seed saw; None if each saw one of its own.
    """

    setting: Setting
    changes: tuple[Mapping[str, Any], ...]
    accuracy: NDArray[np.float64]
    seconds: NDArray[np.float64]
    loss: NDArray[np.float64]
    batch_accuracy: NDArray[np.float64]
    validation: bool = False
    split: int | None = None


def split(setting: Setting, *, seed: int, validation: bool = False) -> tuple[Examples, Examples]:
    """Return the images to train on, and those to judge by: test images, or validation images."""
    training, test = (
        Examples(np.float32(setting.input_scale) * part.inputs, part.labels)
        for part in load_digits(seed=seed, standardised=True, dtype="float32")
    )
    if not validation:
        return training, test
    return training.take(slice(-VALIDATION)), training.take(slice(-VALIDATION, None))


def new_net(setting: Setting, rng: np.random.Generator) -> MLP:
    """Return the network before training."""
    return MLP(
        [64, *[setting.width] * (setting.depth - 1), 10],
        activation="tanh",
        init="lecun" if setting.init == "gaussian" else setting.init,
        gain=math.sqrt(setting.gain_squared),
        bias_std=setting.bias_std,
        dtype="float32",
        rng=rng,
    )


def run(
    setting: Setting, *, seed: int, on_split: int | None = None, validation: bool = False
) -> Run:
    """Draw the network of that seed, train it, and judge it.

    on_split: which split of the digits, that of the seed by default. validation: see split.
    """
    which = seed if on_split is None else on_split
    training, held_out = split(setting, seed=which, validation=validation)
    rng, start = np.random.default_rng(seed), time.process_time()
    net = new_net(setting, rng)
    histories = [
        train(
            net,
            training,
            steps=steps,
            batch_size=setting.batch_size,
            optimizer=SGD(rate, momentum=setting.momentum),
            rng=rng,
            record=["accuracy"],
            trainable=setting.trainable and slice(*setting.trainable),
        )
        for steps, rate in setting.rates
    ]
    accuracy = net.accuracy(*held_out)
    return Run(
        np.concatenate([history.loss for history in histories]),
        np.concatenate([history["accuracy"] for history in histories]),
        accuracy,
        time.process_time() - start,
    )


def log10_stretches(net: MLP, inputs: NDArray[Any], *, block: int = 8) -> NDArray[np.float64]:
    """Return by how much the layers stretch each direction on the way to the last, (width,).

    inputs: one example, (64,). The product of the Jacobians of all hidden layers but the first, at
    that example, stretches k directions together by the product of the first k results, in powers
    of ten: for a deep product these are its singular values, from the largest to the least.
    They are taken from a QR decomposition after every few layers (block), since the product itself
    would have lost all but its largest within the sixteen digits of float64.
    Source: Benettin, Galgani, Giorgilli & Strelcyn (1980).
    """
    basis, decades = np.eye(net.widths[1]), np.zeros(net.widths[1])
    hidden = net.activation(inputs[None] @ net.weights[0] + net.biases[0])
    for layer in range(1, net.n_layers - 1):
        hidden = net.activation(hidden @ net.weights[layer] + net.biases[layer])
        slopes = net.activation.derivative(hidden).T
        basis = slopes * (net.weights[layer].T @ basis)
        if layer % block == 0 or layer == net.n_layers - 2:
            basis, stretched = np.linalg.qr(basis)
            decades += np.log10(np.abs(np.diag(stretched)))
    return decades


@cache
def stored(name: str) -> Trace:
    """Return the kept trace of one experiment of benchmarks/deep_tanh.py, by its name.

    Raises ValueError for an unknown name.
    """
    traces = json.loads(STORE.read_text(encoding="utf-8"))
    if name not in traces:
        raise ValueError(
            f"name must be an experiment that was kept, got {name!r}. Choose one of "
            f"{', '.join(traces)}, or run `{COMMAND} {name}`."
        )
    return trace_of(traces[name])


def trace_of(kept: Mapping[str, Any]) -> Trace:
    """Return a trace from what JSON keeps of it."""
    arrays: dict[str, Any] = {
        field: np.array(kept[field], dtype=np.float64)
        for field in ("accuracy", "seconds", "loss", "batch_accuracy")
    }
    changes = tuple(MappingProxyType(change) for change in kept["changes"])
    return Trace(
        Setting.of(kept["setting"]),
        changes,
        **arrays,
        validation=bool(kept["validation"]),
        split=kept["split"],
    )
