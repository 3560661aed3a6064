"""Who learns to recall: twenty seeds of each way, kept in course_utils/data/through_time.json.

python -m course_utils.recurrent.evidence      # all ways again: about 25 s of CPU

The file is generated and holds, for each way and seed, the accuracy on new sequences, the mean loss
of the last steps and the share of steps that were clipped. The tests run one seed again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from course_utils.recurrent.forgetting import forget_bias
from course_utils.recurrent.lstm import LSTM
from course_utils.recurrent.network import RecurrentNet
from course_utils.recurrent.recall import LETTERS, recall_task
from course_utils.recurrent.rnn import RNN
from course_utils.recurrent.training import train_on_sequences
from course_utils.training import SGD, History

STORE = Path(__file__).parents[1] / "data" / "through_time.json"
COMMAND = "python -m course_utils.recurrent.evidence"
SEEDS = range(20)
DELAY = 50  # letters between question and answer
WIDTH, STEPS, BATCH_SIZE = 32, 100, 32
TRAINING_SEQUENCES, TEST_SEQUENCES = 2048, 250
LAST = 20  # steps whose losses are averaged
CLIP_NORM = 1.0


@dataclass(frozen=True)
class Way:
    """One way to try: the cell, how it starts, how it is trained.

    forget_bias: of an LSTM; None for an RNN. Both start with orthogonal recurrent weights.
    """

    forget_bias: float | None = None
    clip_norm: float | None = None
    learning_rate: float = 0.01
    steps: int = STEPS

    def network(self, rng: np.random.Generator) -> RecurrentNet:
        """Return a new network for the recall task, in float32."""
        if self.forget_bias is None:
            return RNN(2 * LETTERS, WIDTH, LETTERS, dtype=np.float32, rng=rng)
        return LSTM(
            2 * LETTERS, WIDTH, LETTERS, forget_bias=self.forget_bias, dtype=np.float32, rng=rng
        )


# 0.01 suits the LSTM best; the RNN is given a larger learning rate, and more time, as well.
WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "RNN": Way(),
        "RNN, clipped": Way(clip_norm=CLIP_NORM),
        "RNN, clipped, lr 0.03": Way(clip_norm=CLIP_NORM, learning_rate=0.03),
        f"RNN, lr 0.03, {4 * STEPS} steps": Way(learning_rate=0.03, steps=4 * STEPS),
        f"RNN, clipped, lr 0.03, {4 * STEPS} steps": Way(
            clip_norm=CLIP_NORM, learning_rate=0.03, steps=4 * STEPS
        ),
        "LSTM, bias 0, clipped": Way(forget_bias=0.0, clip_norm=CLIP_NORM),
        f"LSTM, half-life {DELAY}": Way(forget_bias=forget_bias(DELAY)),
        f"LSTM, half-life {DELAY}, clipped": Way(
            forget_bias=forget_bias(DELAY), clip_norm=CLIP_NORM
        ),
    }
)


def learn_to_recall(way: Way, *, seed: int) -> tuple[RecurrentNet, History]:
    """Train a new network on the recall task; return it and its losses and gradient norms."""
    rng = np.random.default_rng(seed)
    net = way.network(rng)
    data = recall_task(TRAINING_SEQUENCES, DELAY, rng=rng, dtype=net.dtype)
    descent = SGD(way.learning_rate, momentum=0.9, clip_norm=way.clip_norm)
    history = train_on_sequences(
        net,
        data,
        steps=way.steps,
        batch_size=BATCH_SIZE,
        optimizer=descent,
        rng=rng,
        record=["global_norm"],
    )
    return net, history


def recalled(net: RecurrentNet) -> float:
    """Return the net's accuracy on sequences that it was not trained on, 0 to 1."""
    rng = np.random.default_rng(1_000_000)  # the same sequences for all, and no seed's own
    return net.accuracy(*recall_task(TEST_SEQUENCES, DELAY, rng=rng, dtype=net.dtype))


def measure(way: Way, *, seed: int) -> dict[str, float]:
    """Run one way with one seed: accuracy, loss (nats) and the share of steps that were clipped."""
    net, history = learn_to_recall(way, seed=seed)
    clipped = way.clip_norm is not None and history["global_norm"] > way.clip_norm
    return {
        "accuracy": recalled(net),
        "loss": float(history.loss[-LAST:].mean()),
        "clipped": float(np.mean(clipped)),
    }


def stored(path: Path = STORE) -> dict[str, dict[str, list[float]]]:
    """Return what is kept: way → figure → one number for each of SEEDS.

    Raises ValueError, with the command that makes it, if there is none.
    """
    if not path.is_file():
        raise ValueError(f"No evidence is stored in {path.name}. Run `{COMMAND}` once.")
    kept: dict[str, dict[str, list[float]]] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def write(path: Path = STORE) -> None:
    """Run every way with every seed and keep the figures, three digits each."""
    ways = []
    for name, way in WAYS.items():
        runs = [measure(way, seed=seed) for seed in SEEDS]
        figures = [
            f"  {json.dumps(figure)}: {[round(run[figure], 3) for run in runs]}"
            for figure in runs[0]
        ]
        ways.append(f" {json.dumps(name)}: {{\n" + ",\n".join(figures) + "\n }")
    path.write_text("{\n" + ",\n".join(ways) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write()
