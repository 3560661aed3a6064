"""One array for each layer, all of them side by side in one flat buffer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.arrays import FloatArray
from course_utils.norms import norms_from_squares

EVERY_ROW = slice(None)
ALL_BUT_THE_LAST_ROW = slice(None, -1)
LAST_ROW = -1


class Blocks:
    """Matrices of given shapes, laid end to end in one flat buffer."""

    def __init__(self, shapes: Sequence[tuple[int, int]], buffer: FloatArray) -> None:
        """Cut buffer, of exactly as many entries, into the matrices."""
        self._offsets = list(itertools.accumulate(map(prod, shapes), initial=0))
        self._buffer = buffer
        self.shapes = list(shapes)

    def __getitem__(self, layer: int) -> FloatArray:
        """Return one matrix, as a view (−1: the last)."""
        layer %= len(self.shapes)
        return self.stack(layer, layer + 1)[0]

    def entries(self, start: int, stop: int) -> slice:
        """Return where matrices start … stop − 1 lie in the buffer."""
        return slice(self._offsets[start], self._offsets[stop])

    def stack(self, start: int, stop: int) -> FloatArray:
        """Return matrices start … stop − 1, all of one shape, as a view with a layer axis."""
        entries = self._buffer[self.entries(start, stop)]
        return entries.reshape(stop - start, *self.shapes[start])


class LayerArrays(Sequence[FloatArray]):
    """A sequence of arrays, one for each layer.

    ``arrays[layer]`` is a layer's array, counted from 0 at the input side (−1: the output layer).
    It is a view: ``arrays[0][...] = 0`` and ``arrays[0] = values`` both write into the network.
    ``arrays.norms()`` and ``arrays.rms()`` are one number a layer; ``arrays.flat`` is a copy of
    everything, of shape (entries,). ``arrays.stacks`` are the layers as they are stored, neighbours
    of one shape together, each (layers, *shape): to measure all of them at once is quicker.

    blocks: where the layers are stored. rows: which rows of each block belong to the arrays.
    transposed: whether a block is stored as columns, (units, examples), of what is shown as rows.
    first: the block of layer 0.
    """

    def __init__(
        self, blocks: Blocks, rows: slice | int, *, transposed: bool = False, first: int = 0
    ) -> None:
        """Look at these rows of the blocks."""
        runs = list(equal_runs(blocks.shapes, first))
        self.stacks = tuple(blocks.stack(start, stop)[:, rows] for start, stop in runs)
        views = itertools.chain.from_iterable(self.stacks)
        self._views = tuple(view.T if transposed else view for view in views)
        self._squares = np.zeros(len(self._views), self._views[0].dtype)
        self._runs = [
            (entries, entries, self._squares[start - first : stop - first])
            for (start, stop), stack in zip(runs, self.stacks, strict=True)
            for entries in [stack.reshape(stop - start, -1)]
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

    @property
    def flat(self) -> FloatArray:
        """A copy of all entries, layer by layer, (entries,). Read-only: assign to a layer."""
        copy = np.concatenate([np.ravel(view) for view in self._views])
        copy.flags.writeable = False
        return copy

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
