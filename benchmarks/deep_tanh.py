"""Networks of 1,000 and 10,000 plain tanh layers: what each setting gives, and how long it takes.

    .venv/bin/python benchmarks/deep_tanh.py                # everything, about a quarter of an hour
    .venv/bin/python benchmarks/deep_tanh.py ten_thousand   # one experiment or more, by name

One process, one thread, float32; the clock is the processor time of the process, from drawing the
weights to the last test image. What an experiment gives is kept in course_utils/data/deep_tanh.json
as soon as it ends, beside those that were not run; lesson 13 draws it. Learning rates, inits and
biases were chosen by the experiments whose names begin with "choose", which judge on images held
out of the training set. Test images judge the others, and chose nothing.
"""

from __future__ import annotations

import os

# Read when NumPy loads its BLAS, so they come before the imports.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from course_utils.deep_tanh import STORE, Run, Setting, run

DIGITS = 4


@dataclass(frozen=True)
class Experiment:
    """A setting, the changes to it that are tried one at a time, and how many seeds of each.

    split: which split of the digits all seeds see; None: each one of its own.
    """

    setting: Setting
    seeds: int
    changes: Sequence[Mapping[str, Any]] = ({},)
    validation: bool = False
    split: int | None = None


def rates(steps: int, rate: float, finish: int, divisor: float) -> tuple[tuple[int, float], ...]:
    """So many steps at a rate, and a few more at a lower one, which settle the weights."""
    return ((steps, rate), (finish, float(f"{rate / divisor:.3g}")))


THOUSAND = Setting(rates=rates(50, 1e-3, 20, 6), batch_size=128)
SMALL_BATCH = replace(THOUSAND, batch_size=64)
GAUSSIAN = replace(THOUSAND, init="gaussian")
FIRST_LAYER = replace(SMALL_BATCH, trainable=(0, 1), rates=rates(50, 3.0, 20, 6))
READOUT = replace(SMALL_BATCH, trainable=(999, 1000), rates=rates(50, 10.0, 20, 6))
TEN_THOUSAND = replace(
    SMALL_BATCH, depth=10_000, gain_squared=1.02, bias_std=0.0, rates=rates(100, 6e-5, 25, 6)
)
# Biases with σ_b² = 0.05 and Gaussian weights, as in the lesson's phase diagram.
PHASES = replace(
    SMALL_BATCH,
    init="gaussian",
    bias_std=0.05**0.5,
    gain_squared=1.5,
    rates=((300, 0.03),),
    input_scale=1.0,
)


def each(field: str, values: Iterable[Any]) -> tuple[dict[str, Any], ...]:
    return tuple({field: value} for value in values)


def each_rate(values: Iterable[float]) -> tuple[dict[str, Any], ...]:
    return each("rates", [rates(50, value, 20, 6) for value in values])


OTHER_PAIRS = (
    {"gain_squared": 1.02, "bias_std": 0.0},
    {"gain_squared": 1.05, "bias_std": 0.0},
    {"gain_squared": 1.1, "bias_std": 0.0},
)
WINDOW = (0.9, 0.95, 0.98, 1.0, 1.02, 1.05, 1.1, 1.2, 1.3, 1.5)
PHASE_GAINS = (0.5, 1.0, 1.25, 1.5, 1.761, 2.0, 2.5, 3.0)
PHASE_DEPTHS = (5, 10, 20, 40, 80, 160)
PHASE_RATES = (0.003, 0.01, 0.03, 0.1)

EXPERIMENTS = {
    "choose_thousand": Experiment(
        THOUSAND,
        3,
        (
            {},
            *each_rate((5e-4, 2e-3)),
            *each("batch_size", (64,)),
            *OTHER_PAIRS,
            *each("input_scale", (0.125, 0.5, 1.0)),
        ),
        validation=True,
    ),
    "choose_first_layer": Experiment(
        FIRST_LAYER, 2, each_rate((0.3, 1.0, 3.0, 10.0)), validation=True
    ),
    "choose_readout": Experiment(READOUT, 2, each_rate((0.3, 1.0, 3.0, 10.0)), validation=True),
    "choose_gaussian": Experiment(
        GAUSSIAN, 2, each_rate((1e-5, 1e-4, 1e-3, 1e-2, 0.1)), validation=True
    ),
    "thousand": Experiment(THOUSAND, 20, split=0),  # the split of all lessons
    "splits": Experiment(THOUSAND, 20),
    "gaussian": Experiment(GAUSSIAN, 5),
    "first_layer": Experiment(FIRST_LAYER, 10),
    "readout": Experiment(READOUT, 10),
    "window": Experiment(replace(THOUSAND, bias_std=0.0), 2, each("gain_squared", WINDOW)),
    "phases": Experiment(
        PHASES,
        1,
        tuple(
            {"gain_squared": gain, "depth": depth, "rates": ((300, rate),)}
            for gain, depth, rate in product(PHASE_GAINS, PHASE_DEPTHS, PHASE_RATES)
        ),
        validation=True,
    ),
    "choose_ten_thousand": Experiment(
        TEN_THOUSAND,
        1,
        (
            {},
            {"input_scale": 0.5},
            {"gain_squared": 1.05, "bias_std": 0.0045},
        ),
        validation=True,
    ),
    "ten_thousand": Experiment(TEN_THOUSAND, 5),
}


def measure(experiment: Experiment) -> dict[str, Any]:
    """Run every variant on every seed; return what JSON keeps."""
    runs = [
        [
            run(
                replace(experiment.setting, **change),
                seed=seed,
                on_split=experiment.split,
                validation=experiment.validation,
            )
            for seed in range(experiment.seeds)
        ]
        for change in experiment.changes
    ]
    first: Run = runs[0][0]
    return {
        "setting": asdict(experiment.setting),
        "validation": experiment.validation,
        "split": experiment.split,
        "changes": list(experiment.changes),
        "accuracy": [[round(r.accuracy, DIGITS) for r in seeds] for seeds in runs],
        "seconds": [[round(r.seconds, 1) for r in seeds] for seeds in runs],
        "loss": [round(float(value), DIGITS) for value in first.loss],
        "batch_accuracy": [round(float(value), DIGITS) for value in first.batch_accuracy],
    }


def keep(traces: Mapping[str, Any], path: Path) -> None:
    """Write these experiments beside those that the file holds, one line a field."""
    path_before = path.read_text(encoding="utf-8") if path.exists() else "{}"
    everything = {**json.loads(path_before), **traces}
    blocks = []
    for name in sorted(everything):
        fields = ",\n".join(
            f"  {json.dumps(field)}: {json.dumps(value)}"
            for field, value in everything[name].items()
        )
        blocks.append(f"{json.dumps(name)}: {{\n{fields}\n}}")
    text = "{\n" + ",\n".join(blocks) + "\n}\n"
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def main(names: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="experiment", help=", ".join(EXPERIMENTS))
    chosen = parser.parse_args(names).names or list(EXPERIMENTS)
    if unknown := [name for name in chosen if name not in EXPERIMENTS]:
        parser.error(f"no experiment {unknown[0]!r}. Choose from {', '.join(EXPERIMENTS)}.")
    for name in chosen:
        trace = measure(EXPERIMENTS[name])
        keep({name: trace}, STORE)
        for change, seeds, seconds in zip(
            trace["changes"], trace["accuracy"], trace["seconds"], strict=True
        ):
            print(f"{name} {change or ''}: accuracy {seeds}, seconds {seconds}", flush=True)


if __name__ == "__main__":
    main()
