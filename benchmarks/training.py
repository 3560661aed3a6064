"""How fast one training step is: this course's engine beside PyTorch, autograd and bare GEMMs.

The peers live in an environment of their own, which this makes and fills once:

    python3 -m venv .venv-bench
    .venv-bench/bin/pip install -r benchmarks/requirements.txt
    .venv-bench/bin/pip install --no-deps -e .

and then

    .venv-bench/bin/python benchmarks/training.py            # about two minutes
    .venv-bench/bin/python benchmarks/training.py --rounds 3 # a quick look

One process, one thread, float32. A step is: forward, cross-entropy, backward, the norm of each
layer's weight gradient, SGD. All engines start from the same weights and must agree on the norms
of the first step before any is timed. Then they take turns, round by round, and the ratio to
PyTorch is taken within each round. The clock is the processor time of the whole process, so that
neither another program nor a hidden thread can flatter an engine. "GEMMs" are the step's matrix
products alone: the most that any engine on this BLAS could reach.
"""

from __future__ import annotations

import os

# Read when the libraries load, so they come before the imports. Some machines pin OpenBLAS to an
# old kernel for the sake of old builds; the figures are for the kernel that it picks by itself.
os.environ.pop("OPENBLAS_CORETYPE", None)
os.environ.pop("OPENBLAS_L2_SIZE", None)
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import autograd
import autograd.numpy as anp
import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from course_utils.arrays import aligned
from course_utils.network import MLP
from course_utils.training import SGD, train

LEARNING_RATE = 1e-3
CLASSES = 10
INPUTS = 64


@dataclass(frozen=True)
class Case:
    """A network to time, and how much faster than PyTorch it is meant to be."""

    depth: int  # hidden layers
    width: int
    batch: int
    goal: float

    @property
    def widths(self) -> list[int]:
        return [INPUTS, *[self.width] * self.depth, CLASSES]

    def problem(self):
        """Return (weights, inputs, labels), the same for every engine."""
        rng = np.random.default_rng(self.depth)
        net = MLP(self.widths, activation="tanh", dtype=np.float32, rng=rng)
        inputs = rng.standard_normal((self.batch, INPUTS), dtype=np.float32)
        labels = rng.integers(0, CLASSES, self.batch)
        return [w.copy() for w in net.weights], inputs, labels

    def __str__(self) -> str:
        return f"depth {self.depth}, width {self.width}, batch {self.batch}"


CASES = (Case(10, 32, 64, 6.0), Case(50, 64, 128, 2.5), Case(30, 256, 256, 1.15))


# An engine takes a case and returns run(steps) -> (steps, layers) gradient norms by step and layer.
Run = Callable[[int], np.ndarray]


def ours(case: Case) -> Run:
    weights, inputs, labels = case.problem()
    net = MLP(case.widths, dtype=np.float32, rng=np.random.default_rng(0))
    for layer, values in enumerate(weights):
        net.weights[layer] = values

    def run(steps):
        history = train(net, (inputs, labels), steps=steps, optimizer=SGD(LEARNING_RATE))
        return history["grad_weight_norm"]

    return run


def pytorch(case: Case) -> Run:
    weights, inputs, labels = case.problem()
    layers = [torch.nn.Linear(*shape) for shape in pairwise(case.widths)]
    for layer, values in zip(layers, weights, strict=True):
        layer.weight.data = torch.tensor(values.T.copy())
        layer.bias.data.zero_()
    hidden = [part for layer in layers[:-1] for part in (layer, torch.nn.Tanh())]
    net = torch.nn.Sequential(*hidden, layers[-1])
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)
    cross_entropy = torch.nn.CrossEntropyLoss()
    x, y = torch.tensor(inputs), torch.tensor(labels)

    def run(steps):
        norms, losses = np.empty((steps, len(layers))), np.empty(steps)
        for step in range(steps):
            optimizer.zero_grad()
            loss = cross_entropy(net(x), y)
            loss.backward()
            norms[step] = torch.stack([layer.weight.grad.norm() for layer in layers]).numpy()
            losses[step] = loss.item()
            optimizer.step()
        return norms

    return run


def hips_autograd(case: Case) -> Run:
    weights, inputs, labels = case.problem()
    parameters = [(w, np.zeros(w.shape[1], np.float32)) for w in weights]
    rows = np.arange(case.batch)

    def loss_of(parameters):
        hidden = inputs
        for w, b in parameters[:-1]:
            hidden = anp.tanh(anp.dot(hidden, w) + b)
        w, b = parameters[-1]
        outputs = anp.dot(hidden, w) + b
        shifted = outputs - anp.max(outputs, axis=1, keepdims=True)
        log_total = anp.log(anp.sum(anp.exp(shifted), axis=1))
        return anp.mean(log_total - shifted[rows, labels])

    value_and_gradient = autograd.value_and_grad(loss_of)

    def run(steps):
        norms, losses = np.empty((steps, len(weights))), np.empty(steps)
        for step in range(steps):
            losses[step], gradient = value_and_gradient(parameters)
            for layer, ((w, b), (dw, db)) in enumerate(zip(parameters, gradient, strict=True)):
                norms[step, layer] = np.linalg.norm(dw)
                w -= np.float32(LEARNING_RATE) * dw
                b -= np.float32(LEARNING_RATE) * db
        return norms

    return run


def gemms(case: Case) -> Run:
    """Only the matrix products of a step, into buffers that are there already."""
    weights, _, _ = case.problem()
    weights = [aligned(w.shape, 1 / w.shape[0], np.float32) for w in weights]
    hidden = [aligned((case.batch, width), 0.1, np.float32) for width in case.widths]
    grads = [aligned(h.shape, 0.1, np.float32) for h in hidden]
    grad_weights = [aligned(w.shape, 0.0, np.float32) for w in weights]
    forward = list(zip(hidden, weights, hidden[1:], strict=False))
    backward = [
        (grads[i + 1], weights[i].T, grads[i], hidden[i].T, grad_weights[i])
        for i in reversed(range(len(weights)))
    ]

    def run(steps):
        for _ in range(steps):
            for below, w, above in forward:
                np.dot(below, w, above)
            for grad, w_transposed, grad_below, below_transposed, grad_w in backward:
                np.dot(below_transposed, grad, grad_w)
                if grad_below is not grads[0]:
                    np.dot(grad, w_transposed, grad_below)
        return np.full((steps, len(weights)), np.nan)

    return run


ENGINES = {"ours": ours, "PyTorch": pytorch, "autograd": hips_autograd, "GEMMs": gemms}


def require_agreement(case: Case) -> float:
    """Return the largest relative difference of step 1's norms; raise if the engines disagree."""
    first = {name: engine(case)(1)[0] for name, engine in ENGINES.items() if name != "GEMMs"}
    reference = first.pop("PyTorch")
    worst = max(float(np.max(np.abs(norms / reference - 1))) for norms in first.values())
    if not worst < 1e-4:
        raise SystemExit(f"{case}: the engines' first gradient norms differ by {worst:.1e}.")
    return worst


def measure(case: Case, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return each engine's steps per second of processor time, round by round."""
    runs = {name: engine(case) for name, engine in ENGINES.items()}
    steps = {}
    for name, run in runs.items():
        run(3)  # warm up: buffers, caches, first-call work
        start = time.process_time()
        run(3)
        steps[name] = max(3, round(seconds * 3 / (time.process_time() - start)))
    rates = {name: [] for name in runs}
    names = list(runs)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.process_time()
            runs[name](steps[name])
            rates[name].append(steps[name] / (time.process_time() - start))
    return rates


def report(case: Case, rates: dict[str, list[float]], worst: float) -> None:
    """Print one case's figures."""
    ratios = [a / b for a, b in zip(rates["ours"], rates["PyTorch"], strict=True)]
    shares = [a / b for a, b in zip(rates["ours"], rates["GEMMs"], strict=True)]
    middle = statistics.median(ratios)
    verdict = "reached" if middle >= case.goal else "missed"
    print(f"\n{case}: first norms agree to {worst:.0e}")
    for name, values in rates.items():
        print(
            f"  {name:<9}{statistics.median(values):>9.1f} steps/s   "
            f"({min(values):.1f} to {max(values):.1f})"
        )
    print(
        f"  ours / PyTorch {middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
        f"goal {case.goal:g}: {verdict};  ours / GEMMs {statistics.median(shares):.0%}"
    )


def main() -> None:
    """Measure every case and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.5, help="per engine and round")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        kernels = ", ".join(
            f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', '?')})"
            for pool in blas
        )
        print(f"NumPy {np.__version__}: {kernels}; PyTorch {torch.__version__}; load", end=" ")
        print(" ".join(f"{load:.1f}" for load in os.getloadavg()))
        for case in CASES:
            worst = require_agreement(case)
            report(case, measure(case, arguments.rounds, arguments.seconds), worst)


if __name__ == "__main__":
    main()
