"""One array for each layer, all of them side by side in one flat buffer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import FloatArray
from course_utils.norms import norms_from_squares


class LayerArrays(Sequence[FloatArray]):
    """A sequence of arrays, one for each layer, that share one flat buffer.

    ``arrays[layer]`` is layer's array, counted from 0 at the input side (−1: the output layer).
    It is a view: ``arrays[0][...] = 0`` and ``arrays[0] = values`` both write into the network.
    ``arrays.flat`` is everything, of shape (entries,); ``arrays.norms()`` one number a layer.

    shapes: the layers' shapes. buffer: a flat array to use, of exactly as many entries.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], buffer: FloatArray) -> None:
        """Lay the layers out in buffer."""
        self.flat = buffer
        ends = list(itertools.accumulate(map(prod, shapes), initial=0))
        if buffer.shape != (ends[-1],):
            raise ValueError(
                f"buffer must have shape ({ends[-1]},), got {buffer.shape}. Allocate one entry for "
                "each entry of the layers."
            )
        self._offsets = ends
        self._views = tuple(
            buffer[start:end].reshape(shape)
            for (start, end), shape in zip(itertools.pairwise(ends), shapes, strict=True)
        )
        self._squares = np.zeros(len(shapes), buffer.dtype)
        self._runs = [
            (rows := self.block(start, stop).reshape(stop - start, -1), rows, out)
            for start, stop in equal_runs(shapes)
            for out in [self._squares[start:stop]]
        ]

    def __len__(self) -> int:
        """Return the number of layers."""
        return len(self._views)

    def __getitem__(self, layer):  # type: ignore[no-untyped-def]
        """Return a view of one layer's array, or of several layers' for a slice."""
        return self._views[layer]

    def __iter__(self) -> Iterator[FloatArray]:
        """Iterate over the layers' arrays, from the input side."""
        return iter(self._views)

    def __setitem__(self, layer: int, values: ArrayLike) -> None:
        """Copy values into one layer's array. Raises ValueError for another shape."""
        view, new = self._views[layer], np.asarray(values)
        if new.shape != view.shape:
            raise ValueError(
                f"layer {layer} must have shape {view.shape}, got {new.shape}. Check the order of "
                "its axes."
            )
        view[...] = new

    def block(self, start: int, stop: int) -> FloatArray:
        """Return layers start … stop − 1, all of one shape, as a view with a leading layer axis."""
        entries = self.flat[self._offsets[start] : self._offsets[stop]]
        return entries.reshape(stop - start, *self._views[start].shape)

    def norms(self) -> NDArray[np.float64]:
        """Return each layer's Euclidean norm, shape (layers,), as float64.

        Neither under- nor overflows: see course_utils.norms.
        """
        # A square may overflow; the norms are then taken another way.
        with np.errstate(over="ignore", invalid="ignore"):
            for left, right, out in self._runs:
                np.vecdot(left, right, out)
        return norms_from_squares(self._squares, self._views)

    def rms(self) -> NDArray[np.float64]:
        """Return each layer's root mean square, shape (layers,), as float64."""
        return self.norms() / np.sqrt([view.size for view in self._views])


def equal_runs(shapes: Sequence[tuple[int, ...]], start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of each run of neighbouring layers of one shape."""
    for _, run in itertools.groupby(range(start, len(shapes)), key=lambda i: shapes[i]):
        layers = list(run)
        yield layers[0], layers[-1] + 1
