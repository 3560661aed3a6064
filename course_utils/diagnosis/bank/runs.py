"""A run whose label is known by how it was made: the settings, and what to change to cure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from course_utils.datasets import N_CLASSES, Examples, load_digits
from course_utils.diagnosis.trace import BY_LAYER, BY_STEP, Trace
from course_utils.network import MLP
from course_utils.training import SGD, History, train


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is made: a net of depth hidden layers, trained on the digits.

    bias: the value that all hidden biases start from, around which bias_std spreads them.
    poison: "feature" makes one input feature NaN, "example" one training example, as a
    standardisation that divides 0 by 0 would. shuffled: the labels say nothing about the inputs.
    first: keep only so many steps. without: fields of the trace that were not recorded.
    The other names are those of MLP, SGD, train and load_digits.
    """

    activation: str
    depth: int
    width: int
    init: str
    learning_rate: float
    gain: float = 1.0
    bias: float = 0.0
    bias_std: float = 0.0
    momentum: float = 0.0
    steps: int = 80
    batch: int | None = 64
    split: int = 0
    seed: int = 0
    poison: str | None = None
    shuffled: bool = False
    dtype: DTypeLike = np.float64
    first: int | None = None
    without: tuple[str, ...] = ()

    def net(self, rng: np.random.Generator) -> MLP:
        """Return the net before training."""
        net = MLP(
            [64, *[self.width] * self.depth, N_CLASSES],
            activation=self.activation,
            init=self.init,
            gain=self.gain,
            bias_std=self.bias_std,
            dtype=self.dtype,
            rng=rng,
        )
        for biases in net.biases[:-1]:
            biases += self.bias
        return net

    def train(self) -> tuple[MLP, History]:
        """Return the trained net and what the run recorded: everything that a Trace can hold."""
        rng = np.random.default_rng(self.seed)
        net = self.net(rng)
        history = train(
            net,
            self.data(rng),
            steps=self.steps,
            batch_size=self.batch,
            optimizer=SGD(self.learning_rate, momentum=self.momentum),
            rng=rng,
            record=(*BY_STEP, *BY_LAYER),
            validate=False,
        )
        return net, history

    def data(self, rng: np.random.Generator) -> Examples:
        """Return the training data, spoilt as asked."""
        inputs, labels = load_digits(seed=self.split, standardised=True).train
        if self.poison == "feature":
            with np.errstate(invalid="ignore"):
                inputs[:, 0] /= inputs[:, 0].std()  # a pixel that never holds ink: 0 / 0
        elif self.poison == "example":
            inputs[rng.integers(len(inputs))] = np.nan
        return Examples(inputs, rng.permutation(labels) if self.shuffled else labels)


@dataclass(frozen=True)
class Case:
    """A run whose label is known from how it was made.

    name: unique in its set. label: one of VERDICTS. settings: how it was made. cure: the settings
    to change, the named cause and nothing else, so that it trains well; empty if it has no cause.
    """

    name: str
    label: str
    settings: Settings
    cure: dict[str, Any] = field(default_factory=dict)

    def run(self) -> Trace:
        """Train, and return what was recorded. Deterministic."""
        return self.train()[1]

    def train(self) -> tuple[MLP, Trace]:
        """Train, and return the net as well as what was recorded."""
        net, history = self.settings.train()
        trace = Trace.from_history(history, classes=N_CLASSES)
        return net, trace.first(self.settings.first).without(*self.settings.without)

    def cured(self) -> Case:
        """Return the case without its cause, which should be healthy."""
        return replace(self, settings=replace(self.settings, **self.cure), cure={})


# The customary initialisation of each activation.
_INITS = {"tanh": "xavier", "sigmoid": "xavier", "selu": "lecun"}
# settings of one run, and its cure
Entry = tuple[dict[str, Any], dict[str, Any]]


def entry(
    activation: str,
    depth: int,
    learning_rate: float,
    *,
    cure: Mapping[str, Any] = MappingProxyType({}),
    **more: Any,
) -> Entry:
    """Return the settings of a run, with its activation's customary init, and its cure."""
    init = _INITS.get(activation, "he")
    named = {"activation": activation, "depth": depth, "learning_rate": learning_rate}
    return named | {"init": init} | more, dict(cure)


def labelled(common: Mapping[str, Any], table: Mapping[str, Sequence[Entry]]) -> tuple[Case, ...]:
    """Return a case for each entry of the table, label by label, each with a seed of its own.

    common: settings of all of them; its "seed" is that of the first case.
    """
    rows = [(label, *row) for label, rows in table.items() for row in rows]
    return tuple(
        Case(
            f"{number}: {settings['activation']}, {settings['depth']} hidden layers",
            label,
            Settings(**{**common, "seed": common["seed"] + number, **settings}),
            cure,
        )
        for number, (label, settings, cure) in enumerate(rows)
    )
