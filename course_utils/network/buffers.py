"""Where a pass writes its signals: into arrays of their own, or into a few shared ones."""

from __future__ import annotations

from math import prod

import numpy as np

from course_utils.arrays import FloatArray, aligned
from course_utils.network.signals import Signals


class Buffers:
    """Hands out the array for each layer's signal.

    A signal that is kept has an array for each layer. Any other passes through one buffer that the
    layers share: it stays in the processor's cache, which makes wide networks a tenth faster.
    """

    def __init__(self, signals: Signals) -> None:
        """Serve the arrays of signals."""
        self._signals = signals
        self._shared: dict[str, FloatArray] = {}

    def one(self, name: str, layer: int) -> FloatArray:
        """Return the array of one layer's signal, (examples, units)."""
        kept = self._signals.by_layer(name)
        if kept is not None:
            return kept[layer]
        return self._view(name, self._signals.hidden[layer].shape)

    def block(self, name: str, start: int, stop: int, *, spare: int) -> FloatArray:
        """Return the arrays of neighbouring layers of one shape, (layers, examples, units).

        spare: which of two shared buffers to use, for passes that read one and write the other.
        """
        kept = self._signals.by_layer(name)
        if kept is not None:
            return kept.block(start, stop)
        shape = (stop - start, *self._signals.hidden[start].shape)
        return self._view(f"{name} {spare}", shape)

    def _view(self, name: str, shape: tuple[int, ...]) -> FloatArray:
        entries = prod(shape)
        buffer = self._shared.get(name)
        if buffer is None or buffer.size < entries:
            # Views of a smaller buffer that were handed out before remain valid.
            buffer = self._shared[name] = aligned((entries,), np.nan, self._signals.inputs.dtype)
        return buffer[:entries].reshape(shape)
