"""Where float16, float32 and float64 end: subnormals, zero, inf, NaN, and steps too small to count.

Limits come from `numpy.finfo` (IEEE 754-2019, binary16, binary32 and binary64, round to nearest,
ties to even). A repeated product is rounded after every multiplication, as a chain of layers is.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

FLOAT_DTYPES = ("float16", "float32", "float64")
NORMAL, SUBNORMAL, ZERO, INF, NAN = KINDS = ("normal", "subnormal", "zero", "inf", "nan")
_CHUNK = 4096


def kinds(values: ArrayLike) -> NDArray[np.str_]:
    """Name each number of a float array: one of `KINDS`, same shape as `values`.

    values: any shape; its own dtype decides what is subnormal (float64 for plain Python numbers).
    """
    array = np.asarray(values)
    array = array if array.dtype.kind == "f" else array.astype(np.float64)
    size = np.abs(array)
    tests = [np.isnan(array), np.isinf(array), array == 0, size < np.finfo(array.dtype).tiny]
    return np.select(tests, [NAN, INF, ZERO, SUBNORMAL], default=NORMAL)


def repeated_product(base: float, steps: int, *, dtype: DTypeLike) -> NDArray[np.floating]:
    """1, base, base·base, … with each product rounded to `dtype`.

    base: finite number, rounded to `dtype` first.
    steps: number of multiplications, >= 0.
    Returns shape (steps + 1,), in `dtype`; entry k is base multiplied k times.
    Raises ValueError if base is not finite or steps is negative.
    """
    if steps < 0:
        raise ValueError(f"steps must be >= 0, got {steps}. Pass a count of multiplications.")
    factors = np.full(steps + 1, _rounded(base, _float_dtype(dtype)))
    factors[0] = 1
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.multiply.accumulate(factors)


def first_subnormal(base: float, *, dtype: DTypeLike, max_steps: int = 1_000_000) -> int | None:
    """Number of factors after which base·base·… is first subnormal: non-zero, digits lost.

    Returns None if that never happens (the product grows, or jumps from normal straight to 0).
    Raises ValueError if the answer lies beyond `max_steps`.
    """
    return _first_kind(base, SUBNORMAL, dtype=dtype, max_steps=max_steps)


def first_underflow(base: float, *, dtype: DTypeLike, max_steps: int = 1_000_000) -> int | None:
    """Number of factors after which base·base·… is exactly 0.

    Returns None if that never happens: the product grows, or sticks at a subnormal number.
    Raises ValueError if the answer lies beyond `max_steps`.
    """
    return _first_kind(base, ZERO, dtype=dtype, max_steps=max_steps)


def first_overflow(base: float, *, dtype: DTypeLike, max_steps: int = 1_000_000) -> int | None:
    """Number of factors after which base·base·… is ±inf.

    Returns None if that never happens. Raises ValueError if the answer lies beyond `max_steps`.
    """
    return _first_kind(base, INF, dtype=dtype, max_steps=max_steps)


def first_nonfinite(trace: ArrayLike) -> int | None:
    """First step of a recorded run at which any number is inf or NaN; None if there is none.

    trace: shape (steps,) or (steps, …), e.g. losses, or gradient norms of shape (steps, layers).
    """
    return _first_true(~np.isfinite(_steps(trace)))


def first_nan(trace: ArrayLike) -> int | None:
    """First step of a recorded run at which any number is NaN; None if there is none.

    trace: shape (steps,) or (steps, …).
    """
    return _first_true(np.isnan(_steps(trace)))


@dataclass(frozen=True)
class LossScaleWindow:
    """The powers of two that a loss may be multiplied with before its gradients are rounded.

    smallest_exponent: below 2**smallest_exponent some gradient is lost (or loses digits).
    largest_exponent: above 2**largest_exponent some gradient is inf.
    """

    smallest_exponent: int
    largest_exponent: int

    @property
    def is_open(self) -> bool:
        """Whether one scale suits every gradient; if not, they span more than the dtype does."""
        return self.smallest_exponent <= self.largest_exponent


def loss_scale_window(
    gradients: ArrayLike, *, dtype: DTypeLike = np.float16, full_precision: bool = True
) -> LossScaleWindow:
    """The loss scales 2**k under which `gradients`, rounded to `dtype`, are neither 0 nor inf.

    gradients: any shape, unscaled, in a wider dtype than `dtype`; exact zeros are left out.
    full_precision: ask that every scaled gradient be a normal number; else non-zero is enough.
    Raises ValueError if a gradient is not finite or all are 0.
    Source: Micikevicius et al. (2018), Mixed precision training, section 3.2.
    """
    size = np.abs(np.asarray(gradients, dtype=np.float64).ravel())
    if not np.all(np.isfinite(size)):
        count = int(np.sum(~np.isfinite(size)))
        raise ValueError(
            f"gradients must be finite, got {count} inf or NaN. "
            "Compute them in a wider dtype, e.g. dtype=np.float64."
        )
    size = size[size > 0]
    if size.size == 0:
        raise ValueError(
            "gradients must hold a non-zero number, got none. No scale revives an exact 0: "
            "compute them in a wider dtype, e.g. dtype=np.float64."
        )
    info = np.finfo(_float_dtype(dtype))
    mantissa, exponent = math.frexp(float(size.max()))
    rounds_to_inf = mantissa >= 1 - 2.0 ** -(info.nmant + 2)
    largest = info.maxexp - exponent - int(rounds_to_inf)
    mantissa, exponent = math.frexp(float(size.min()))
    if full_precision:
        return LossScaleWindow(int(info.minexp) - exponent + 1, int(largest))
    # Half of the smallest subnormal is a tie, and a tie with 0 goes to 0 (even).
    smallest = info.minexp - info.nmant - exponent + int(mantissa == 0.5)
    return LossScaleWindow(int(smallest), int(largest))


def half_ulp(weights: ArrayLike) -> NDArray[np.float64]:
    """Half the gap from each weight to the next number away from 0: what an update must exceed.

    weights: any shape, in float16, float32 or float64 (Python numbers count as float64).
    Returns the same shape, in float64, since half a gap may be too small for the weight's own type.
    Exactly at a power of two the gap *towards* 0 is half as wide.
    """
    array = np.asarray(weights)
    gap = np.spacing(np.abs(array if array.dtype.kind == "f" else array.astype(np.float64)))
    return np.asarray(gap, dtype=np.float64) / 2


def update_is_lost(
    weights: ArrayLike, updates: ArrayLike, *, dtype: DTypeLike
) -> NDArray[np.bool_]:
    """Whether `weights - updates`, computed in `dtype`, leaves a weight exactly where it was.

    weights, updates: broadcastable shapes, in weight units; an update is learning rate · gradient.
    An update of 0 is lost too. Returns the broadcast shape.
    """
    kind = _float_dtype(dtype)
    weights = np.asarray(weights).astype(kind)
    with np.errstate(under="ignore"):
        return np.asarray(weights - np.asarray(updates).astype(kind) == weights)


def _float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """The NumPy dtype named by `dtype`, one of `FLOAT_DTYPES`.

    Raises ValueError for any other type.
    """
    try:
        resolved = np.dtype(dtype)
    except TypeError:
        resolved = None
    if dtype is None or resolved is None or resolved.name not in FLOAT_DTYPES:
        raise ValueError(
            f"dtype must be one of {', '.join(FLOAT_DTYPES)}, got {dtype!r}. "
            "Pass a name or a NumPy type, e.g. dtype='float32'."
        )
    return resolved


def _rounded(base: float, dtype: np.dtype[Any]) -> Any:
    if not math.isfinite(base):
        raise ValueError(f"base must be finite, got {base}. Pass one factor, e.g. base=0.25.")
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(base).astype(dtype)[()]


def _first_kind(base: float, kind: str, *, dtype: DTypeLike, max_steps: int) -> int | None:
    """The first k at which |base|^k is of `kind`; sizes only shrink or only grow, so 0, inf and
    any repeated size are where a product stays for good."""
    factor = np.abs(_rounded(base, _float_dtype(dtype)))
    product, done = factor.dtype.type(1), 0
    with np.errstate(over="ignore", under="ignore"):
        while done < max_steps:
            factors = np.full(min(_CHUNK, max_steps - done), factor)
            factors[0] *= product
            products = np.multiply.accumulate(factors)
            found = _first_true(kinds(products) == kind)
            if found is not None:
                return done + found + 1
            settled = products[-1] == (product if len(products) == 1 else products[-2])
            if settled:
                return None
            product, done = products[-1], done + len(products)
    raise ValueError(
        f"{base} in {factor.dtype} has not ended after max_steps={max_steps} factors. "
        "Pass a larger max_steps, or work in logarithms: k * log10(|base|)."
    )


def _steps(trace: ArrayLike) -> NDArray[np.floating]:
    array = np.asarray(trace, dtype=np.float64)
    if array.ndim == 0:
        raise ValueError(f"trace must have one entry per step, got the number {array}. Pass [x].")
    return array


def _first_true(flags: NDArray[np.bool_]) -> int | None:
    """Index along the first axis of the first step with any true flag."""
    by_step = flags.reshape(len(flags), -1).any(axis=1)
    return int(np.argmax(by_step)) if by_step.any() else None
