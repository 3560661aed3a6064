"""What an array must be: the types that the engine shares, and the checks at its doors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


_CACHE_LINE = 64


def aligned(shape: tuple[int, ...], fill: float, dtype: DTypeLike) -> FloatArray:
    """Return a new array of that shape, all fill, that begins at a cache line.

    NumPy's own arrays begin anywhere; then wide vector loads straddle two lines, and a product
    of small matrices takes an eighth longer, a square twice as long.
    """
    resolved = np.dtype(dtype)
    size = math.prod(shape) * resolved.itemsize
    memory = np.empty(size + _CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % _CACHE_LINE
    array: FloatArray = memory[start : start + size].view(resolved).reshape(shape)
    array[...] = fill
    return array


def float_dtype(dtype: DTypeLike) -> np.dtype[np.floating[Any]]:
    """Return dtype as NumPy's own, if it is one that the engine computes in.

    Raises ValueError unless it is float32 or float64.
    """
    resolved = np.dtype(dtype)
    for known in (np.dtype(np.float32), np.dtype(np.float64)):
        if resolved == known:
            return known
    raise ValueError(
        f"dtype must be float32 or float64, got {resolved}. Pass dtype=np.float64, or "
        "dtype=np.float32 for speed."
    )


def positive_int(name: str, value: object, remedy: str) -> int:
    """Return value as an int >= 1, or raise TypeError or ValueError naming it."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        kind = type(value).__name__
        raise TypeError(f"{name} must be a whole number, got {value!r} ({kind}). {remedy}")
    if value < 1:
        raise ValueError(f"{name} must be >= 1, got {value}. {remedy}")
    return int(value)


def random_generator(rng: object) -> np.random.Generator:
    """Return rng, if it is a NumPy Generator; raises TypeError otherwise."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a NumPy Generator, got {rng!r}. Pass rng=np.random.default_rng(0)."
        )
    return rng


def layer_widths(widths: object) -> tuple[int, ...]:
    """Return widths as a tuple of ints: inputs, hidden layers, outputs; at least two, each >= 1."""
    remedy = "List the inputs, each hidden layer and the outputs, e.g. widths=[64, 32, 10]."
    if isinstance(widths, str) or not hasattr(widths, "__iter__"):
        raise TypeError(f"widths must be a list of layer widths, got {widths!r}. {remedy}")
    checked = tuple(
        positive_int(f"widths[{index}]", width, remedy) for index, width in enumerate(widths)
    )
    if len(checked) < 2:
        raise ValueError(f"widths must have at least 2 entries, got {list(checked)}. {remedy}")
    return checked


def finite_rows(name: str, values: ArrayLike, width: int) -> NDArray[Any]:
    """Return values as a real, finite array of shape (examples, width) with examples >= 1.

    Raises TypeError for what is not real numbers, ValueError for a wrong shape, an empty batch,
    NaN or inf.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{name} must hold real numbers, got dtype {array.dtype}. Convert them first, e.g. "
            f"{name}.astype(float)."
        )
    if array.ndim != 2 or array.shape[1] != width:
        raise ValueError(
            f"{name} must have shape (examples, {width}), got {array.shape}. Put one example in "
            f"each row, e.g. {name}.reshape(-1, {width})."
        )
    if array.shape[0] == 0:
        raise ValueError(
            f"{name} must hold at least one example, got 0 rows. Check the slice or mask that "
            "chose the batch."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"{name} must be finite, got {array[row, column]} at row {row}, column {column}. "
            "Drop or repair that example before training."
        )
    return array
