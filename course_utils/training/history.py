"""What training records: plain arrays, steps × layers, and where they stop being finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# name → what it is, in the order in which one training step computes them. Per layer, except
# for those in _SCALARS.
RECORDABLE: Mapping[str, str] = MappingProxyType(
    {
        "weight_norm": "norm of each layer's weights, before the step's update",
        "pre_activation_rms": "root mean square of each layer's pre-activations",
        "hidden_rms": "root mean square of each layer's hidden values",
        "slope_mean": "mean slope |f'(z)| of each layer's units over the batch; the output's is 1",
        "dead_share": "share of each layer's units that are 0 for the whole batch, 0 to 1",
        "loss": "mean loss of the batch (always recorded)",
        "accuracy": "share of the batch that is classified rightly, 0 to 1",
        "grad_hidden_norm": "norm of ∂loss/∂h, the gradient of each layer's hidden values",
        "grad_pre_activation_norm": "norm of ∂loss/∂z, of each layer's pre-activations",
        "grad_weight_norm": "norm of ∂loss/∂W, of each layer's weights, before clipping",
        "global_norm": "norm of the gradient of all parameters together, before clipping",
        "update_norm": "norm of what the step subtracted from each layer's weights",
    }
)
_SCALARS = frozenset({"loss", "accuracy", "global_norm"})
_FROM_THE_OUTPUT = frozenset({"grad_hidden_norm", "grad_pre_activation_norm", "grad_weight_norm"})


class NonFinite(NamedTuple):
    """The first inf or NaN of a run: at which step, in which layer (None: no layer), of what."""

    step: int
    layer: int | None
    what: str
    value: float


class History:
    """What one run recorded.

    ``history["grad_weight_norm"]`` is float64 of shape (steps, layers), layer 0 at the input side;
    ``history["loss"]``, also ``history.loss``, has shape (steps,). See RECORDABLE.
    """

    def __init__(self, steps: int, layers: int, record: Iterable[str]) -> None:
        """Allocate the arrays; raises ValueError for a name that cannot be recorded."""
        names = {"loss", *([record] if isinstance(record, str) else record)}
        for name in sorted(names - set(RECORDABLE)):
            raise ValueError(
                f"record must name what can be recorded, got {name!r}. Choose from "
                f"{', '.join(RECORDABLE)}."
            )
        self._arrays = {
            name: np.full(steps if name in _SCALARS else (steps, layers), np.nan)
            for name in RECORDABLE
            if name in names
        }

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Return what was recorded under that name; raises ValueError if nothing was."""
        if name not in self._arrays:
            raise ValueError(
                f"{name!r} was not recorded, only {', '.join(self._arrays)}. Pass "
                f"record=[{name!r}] to train()."
            )
        return self._arrays[name]

    def __repr__(self) -> str:
        """Say how many steps there are and what was recorded."""
        return f"History({len(self)} steps: {', '.join(self._arrays)})"

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self.loss)

    @property
    def names(self) -> tuple[str, ...]:
        """What was recorded."""
        return tuple(self._arrays)

    @property
    def loss(self) -> NDArray[np.float64]:
        """The mean loss of each step's batch, (steps,)."""
        return self._arrays["loss"]

    def first_nonfinite(self) -> NonFinite | None:
        """Return the first inf or NaN in the order of computation, or None if all is finite.

        Within one step that order is: weights, forward signals from the input side, loss,
        gradients from the output side, update. Only what was recorded can be found.
        """
        found = [
            (step, order, _first_in_row(name, array[step]))
            for order, (name, array) in enumerate(self._arrays.items())
            for step in _steps_with_nonfinite(array)[:1]
        ]
        if not found:
            return None
        step, _, (layer, what, value) = min(found, key=lambda item: item[:2])
        return NonFinite(step, layer, what, value)


def _steps_with_nonfinite(array: NDArray[np.float64]) -> list[int]:
    bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    return [int(step) for step in np.flatnonzero(bad)]


def _first_in_row(name: str, row: NDArray[np.float64]) -> tuple[int | None, str, float]:
    if name in _SCALARS:
        return None, name, float(row)
    layers = np.flatnonzero(~np.isfinite(row))
    layer = int(layers[-1] if name in _FROM_THE_OUTPUT else layers[0])
    return layer, name, float(row[layer])
