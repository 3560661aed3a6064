"""Training on sequences: the course's loop, with the data checked as sequences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from course_utils.network import Trainable
from course_utils.recurrent.network import RecurrentNet
from course_utils.recurrent.sequences import check_sequences, check_targets
from course_utils.training import SGD, History, train

# What belongs to a step or to weights. The rest of training.RECORDABLE belongs to layers' signals.
RECORDABLE = (
    "loss",
    "accuracy",
    "global_norm",
    "weight_norm",
    "grad_weight_norm",
    "update_norm",
)


def train_on_sequences(
    net: RecurrentNet,
    data: tuple[ArrayLike, ArrayLike],
    *,
    steps: int,
    batch_size: int,
    optimizer: SGD,
    rng: np.random.Generator,
    record: Iterable[str] = (),
) -> History:
    """Train net in place by training.train; return what each step recorded.

    data: (inputs, targets), see RecurrentNet.forward and backward. record: names from RECORDABLE
    of this module; what is recorded of weights has two layers, the cell's and the readout's.
    Raises ValueError or TypeError for data, sizes or names that do not fit.
    """
    names = [record] if isinstance(record, str) else list(record)
    for name in sorted(set(names) - set(RECORDABLE)):
        raise ValueError(
            f"record must name what a recurrent network has a number of, got {name!r}. Choose "
            f"from {', '.join(RECORDABLE)}; the states' own are in net.signals after a pass."
        )
    inputs = check_sequences(data[0], net.features)
    examples, times, _ = inputs.shape
    places = (examples,) if net.readout == "last" else (examples, times)
    targets = check_targets(data[1], (*places, net.widths[-1]), net.loss)
    return train(
        # Its signals are by time where a Trainable's are by layer; none of them is recorded.
        cast(Trainable, net),
        (inputs, targets),
        steps=steps,
        batch_size=batch_size,
        optimizer=optimizer,
        rng=rng,
        record=names,
        validate=False,
    )
