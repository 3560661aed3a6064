"""The failures of the table, and the remedies: each remedy changes one thing of a failing run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from course_utils.remedies.setting import Setting

DEPTH = 10
_SHALLOW = 3
# What the course calls careful. For sigmoid no customary weights will do: ten times Xavier is
# where mean-field theory has χ = 1 (lesson 13), and the best that first weights alone can give.
CAREFUL = MappingProxyType(
    {"sigmoid": ("xavier", 10.0), "tanh": ("xavier", 1.0), "relu": ("he", 1.0)}
)


@dataclass(frozen=True)
class Failure:
    """One way to go wrong. id: its key. title: a few words. story: what was set, in a sentence."""

    id: str
    title: str
    story: str
    setting: Setting


@dataclass(frozen=True)
class Remedy:
    """One change to a run.

    id: its key. title: a few words. apply: a run's setting → with the remedy; the same setting
    where it has nothing to change. when: on which sign to use it. price: what it costs or asks for.
    seen: how one sees that it worked. lesson: where it is taught, e.g. "08_clipping"; "" for none.
    """

    id: str
    title: str
    apply: Callable[[Setting], Setting]
    when: str
    price: str
    seen: str
    lesson: str


Entry = TypeVar("Entry", Failure, Remedy)


def _careful(setting: Setting) -> Setting:
    init, gain = CAREFUL[setting.activation]
    return replace(setting, init=init, gain=gain)


def _in_order(*entries: Entry) -> Mapping[str, Entry]:
    return MappingProxyType({entry.id: entry for entry in entries})


FAILURES: Mapping[str, Failure] = _in_order(
    Failure(
        "sigmoid",
        "sigmoid slopes",
        "10 sigmoid layers, Xavier, learning rate 0.2: the gradient vanishes by its slopes",
        Setting(DEPTH, "sigmoid", "xavier", 0.2),
    ),
    Failure(
        "small_init",
        "weights too small",
        "10 tanh layers, weights of std 0.01, learning rate 0.05: it vanishes by its weights",
        Setting(DEPTH, "tanh", "normal", 0.05, gain=0.01),
    ),
    Failure(
        "large_init",
        "weights too large",
        "10 ReLU layers, 1.5 times He, learning rate 0.05: it explodes at the start",
        Setting(DEPTH, "relu", "he", 0.05, gain=1.5),
    ),
    Failure(
        "large_step",
        "step too large",
        "10 ReLU layers, He, learning rate 0.35: it learns first, then leaps or turns NaN",
        Setting(DEPTH, "relu", "he", 0.35),
    ),
    Failure(
        "healthy",
        "nothing (healthy)",
        "10 tanh layers, Xavier, learning rate 0.05: nothing is wrong",
        Setting(DEPTH, "tanh", "xavier", 0.05),
    ),
)

REMEDIES: Mapping[str, Remedy] = _in_order(
    Remedy("none", "none", lambda setting: setting, "", "", "", ""),
    Remedy(
        "fewer_layers",
        "3 layers, not 10",
        lambda setting: replace(setting, depth=_SHALLOW),
        "the problem does not need the depth",
        "what depth could have computed",
        "first and last layer have gradients of the same order",
        "07_depth_and_activation",
    ),
    Remedy(
        "relu",
        "ReLU",
        lambda setting: replace(setting, activation="relu"),
        "slopes of the units are far below 1, as in sigmoid or saturated tanh",
        "weights drawn for it (He); units can die for good",
        "the mean slope by layer stays near one half, and few units are dead",
        "07_depth_and_activation",
    ),
    Remedy(
        "careful_init",
        "careful weights",
        _careful,
        "signal or gradient shrinks or grows by layer before the first step",
        "holds at the start only; each activation wants its own gain",
        "their sizes by layer are level at step 0",
        "09_initialization",
    ),
    Remedy(
        "clip_norm",
        "clip at norm 1",
        lambda setting: replace(setting, clip_norm=1.0),
        "single steps are far longer than the rest, or the loss leaps",
        "a threshold to choose: far too low, and training crawls",
        "the loss stays a number, and only some steps are clipped",
        "08_clipping",
    ),
    Remedy(
        "batch_norm",
        "batch norm",
        lambda setting: replace(setting, norm="batch"),
        "sizes drift while training goes on, and batches are large",
        "more time a step; examples of a batch depend on each other",
        "pre-activations keep mean 0 and variance 1 in every layer",
        "10_normalization",
    ),
    Remedy(
        "layer_norm",
        "layer norm",
        lambda setting: replace(setting, norm="layer"),
        "sizes drift, and batches are small or lengths differ",
        "more time a step; no help against the slopes of sigmoid",
        "each example's units keep mean 0 and variance 1 in every layer",
        "10_normalization",
    ),
    Remedy(
        "residual",
        "scaled skips",
        # 1/√(number of branches) keeps the growth of the sum bounded (Hanin & Rolnick 2018)
        lambda setting: replace(setting, residual_scale=max(setting.depth - 2, 1) ** -0.5),
        "the network must be deep",
        "layers of one width, and a scale for the branches",
        "the first layers' gradient is of the order of the last ones'",
        "11_residuals",
    ),
)


def failure(id_: str) -> Failure:
    """The failure of that id. Raises ValueError for an unknown one."""
    return _named("failure", FAILURES, id_)


def remedy(id_: str) -> Remedy:
    """The remedy of that id. Raises ValueError for an unknown one."""
    return _named("remedy", REMEDIES, id_)


def _named(kind: str, known: Mapping[str, Entry], id_: str) -> Entry:
    if id_ not in known:
        raise ValueError(
            f"{kind} must be a known id, got {id_!r}. Choose one of {', '.join(known)}."
        )
    return known[id_]
