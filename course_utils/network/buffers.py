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
        """Return the array of one layer's signal, (units, examples)."""
        if name in self._signals.kept:
            return self._signals.blocks[name][layer]
        return self.shared(name, self._signals.hidden[layer].T.shape)

    def stack(self, name: str, start: int, stop: int, *, spare: int) -> FloatArray:
        """Return the arrays of neighbouring layers of one shape, (layers, units, examples).

        spare: which of two shared buffers to use, for passes that read one and write the other.
        """
        if name in self._signals.kept:
            return self._signals.blocks[name].stack(start, stop)
        return self.shared(f"{name} {spare}", (stop - start, *self._signals.hidden[start].T.shape))

    def shared(self, name: str, shape: tuple[int, ...]) -> FloatArray:
        """Return an array of that shape in the shared buffer of that name."""
        entries = prod(shape)
        buffer = self._shared.get(name)
        if buffer is None or buffer.size < entries:
            # Views of a smaller buffer that were handed out before remain valid.
            buffer = self._shared[name] = aligned((entries,), np.nan, self._signals.inputs.dtype)
        return buffer[:entries].reshape(shape)
