"""Answers compared and gradients checked, each with one sentence that a tired reader understands.

The visible checks of the exercises call ``check`` and ``passed``; lessons and exercises call
``assert_gradients_match``. Nothing here knows an answer, and nothing here gives points: a grade
is decided elsewhere, from printed values.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def passed(question: str) -> None:
    """Print the tick of a question, e.g. ``passed("1.1")`` prints ``✓ 1.1``."""
    print(f"✓ {question}")


def check(
    actual: Any,
    expected: Any,
    *,
    name: str,
    rtol: float = 1e-6,
    atol: float = 0.0,
    hint: str = "",
    parts: Sequence[str] = (),
) -> None:
    """Compare an answer with the expected value; say in one line what is wrong.

    actual: what the learner's function returned.
    expected: a number, an array of any shape, a word, or a tuple of those.
    name: what is compared, as the learner knows it, e.g. ``"partial_products([0.5, 2])"``.
    rtol: largest relative error of one entry. Expected integers must be met exactly.
    atol: largest absolute error, for an expected 0 that rounding may miss. In an array it is at
        least 1e-12 of the largest entry.
    hint: what to think about next; closes the message.
    parts: the names of the entries of a tuple.
    Raises AssertionError with the fact, both values and the remedy.
    """
    problem = _problem(actual, expected, name, _Tolerance(rtol, atol), parts)
    if problem:
        raise _complaint(f"{problem} {hint}".strip())


def _complaint(message: str) -> AssertionError:
    """An AssertionError of which a notebook shows the message alone: no line here is at fault."""
    error = AssertionError(message)
    # IPython's own hook for exceptions that draw themselves
    error._render_traceback_ = lambda: textwrap.wrap(f"✗ {message}", 88)  # type: ignore[attr-defined]
    return error


@dataclass(frozen=True)
class _Tolerance:
    relative: float
    absolute: float


def _problem(
    actual: Any, expected: Any, name: str, tolerance: _Tolerance, parts: Sequence[str]
) -> str:
    if isinstance(expected, tuple):
        return _tuple_problem(actual, expected, name, tolerance, parts)
    if isinstance(expected, str):
        return _word_problem(actual, expected, name)
    wanted = np.asarray(expected)
    problem = _type_problem(actual, name, wanted)
    if problem:
        return problem
    got = np.asarray(actual)
    if wanted.ndim == 0 and got.shape == (1,):
        got = got[0]  # one number in a list is still that number
    return _shape_problem(got, wanted, name) or _value_problem(got, wanted, name, tolerance)


def _tuple_problem(
    actual: Any,
    expected: tuple[Any, ...],
    name: str,
    tolerance: _Tolerance,
    parts: Sequence[str],
) -> str:
    labels = list(parts) or [f"part {position + 1}" for position in range(len(expected))]
    listed = isinstance(actual, (tuple, list)) or (isinstance(actual, np.ndarray) and actual.ndim)
    if not listed or len(actual) != len(expected):
        size = f" of {len(actual)}" if listed else ""
        return (
            f"{name} must return {len(expected)} things ({', '.join(labels)}), "
            f"got {'None' if actual is None else type(actual).__name__}{size}. "
            "End your function with a `return` that lists them in this order."
        )
    for label, one, wanted in zip(labels, actual, expected, strict=True):
        problem = _problem(one, wanted, f"{label} of {name}", tolerance, ())
        if problem:
            return problem
    return ""


def _word_problem(actual: Any, expected: str, name: str) -> str:
    if isinstance(actual, str):
        return "" if actual == expected else f"{name} must be {expected!r}, got {actual!r}."
    got = "None" if actual is None else type(actual).__name__
    return f"{name} must be the text {expected!r}, got {got}. Return one of the words asked for."


def _type_problem(actual: Any, name: str, wanted: NDArray[Any]) -> str:
    kind = "a number" if wanted.ndim == 0 else f"an array of shape {wanted.shape}"
    if actual is None:
        return f"{name} must be {kind}, got None. End your function with `return`."
    if callable(actual):
        return f"{name} must be {kind}, got a function. Call it: write its arguments in brackets."
    try:
        got = np.asarray(actual)
    except ValueError:
        return f"{name} must be {kind}, got a list whose rows differ in length. Make them equal."
    if got.dtype.kind in "OSUV":
        return f"{name} must be {kind}, got {type(actual).__name__}. Return NumPy numbers."
    if got.dtype.kind == "c":
        return f"{name} must be real, got complex numbers. A root or power of a negative number?"
    if got.dtype.kind == "b" and wanted.dtype.kind != "b":
        return f"{name} must be {kind}, got True/False. Return the number, not the comparison."
    return ""


def _shape_problem(got: NDArray[Any], wanted: NDArray[Any], name: str) -> str:
    if got.shape == wanted.shape:
        return ""
    if wanted.ndim == 0:
        return f"{name} must be one number, got an array of shape {got.shape}. Reduce it to one."
    if got.ndim == 0:
        return (
            f"{name} must be an array of shape {wanted.shape}, got the single number {_show(got)}."
        )
    remedy = "Compare your shape with the one in the question."
    if got.shape == wanted.shape[::-1]:
        remedy = "Yours is transposed: swap the two axes."
    elif got.size == wanted.size and got.squeeze().shape == wanted.squeeze().shape:
        remedy = "The numbers have one axis too many or too few: see keepdims, reshape, ravel."
    return f"{name} must have shape {wanted.shape}, got {got.shape}. {remedy}"


def _value_problem(
    got: NDArray[Any], wanted: NDArray[Any], name: str, tolerance: _Tolerance
) -> str:
    wrong = ~_close(got, wanted, tolerance)
    if not np.any(wrong):
        return ""
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f"{name}: entry [{', '.join(map(str, index))}]" if index else name
    here, there = got[index], wanted[index]
    fact = f"{where} must be {_show(there)}, got {_show(here)}"
    if np.isnan(here) and not np.isnan(there):
        return f"{fact}: not a number. Look for 0/0, inf - inf, or the log of a negative number."
    if np.isinf(here) and np.isfinite(there):
        return f"{fact}. Look for a division by 0, or a power or exp that is too large."
    count = f" ({int(wrong.sum())} of {wrong.size} entries differ)" if wrong.ndim else ""
    return f"{fact}{count}{_pattern(got, wanted, tolerance)}."


def _close(got: NDArray[Any], wanted: NDArray[Any], tolerance: _Tolerance) -> NDArray[np.bool_]:
    if wanted.dtype.kind in "iub":
        return np.asarray(got == wanted)
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    finite = np.isfinite(got) & np.isfinite(wanted)
    scale = np.abs(np.where(finite, wanted, 0.0))
    floor = max(tolerance.absolute, 1e-12 * scale.max(initial=0.0) if wanted.ndim else 0.0)
    gap = np.abs(np.where(finite, got, 0.0) - np.where(finite, wanted, 0.0))
    return np.asarray(same | (finite & (gap <= np.maximum(tolerance.relative * scale, floor))))


def _pattern(got: NDArray[Any], wanted: NDArray[Any], tolerance: _Tolerance) -> str:
    """Name a simple relation between a wrong answer and the right one, if there is one."""

    def matches(other: NDArray[Any]) -> bool:
        return other.shape == wanted.shape and bool(np.all(_close(other, wanted, tolerance)))

    if got.dtype.kind == "b" or not np.all(np.isfinite(got)) or not np.any(got):
        return ""
    if matches(-got):
        return ": the right size with the opposite sign"
    if wanted.ndim == 1 and matches(got[::-1]):
        return ": the right numbers in the reverse order"
    if wanted.ndim == 2 and matches(got.T):
        return ": the transpose of the right answer"
    pivot = np.unravel_index(int(np.argmax(np.abs(got))), got.shape)
    factor = wanted[pivot] / got[pivot]
    if wanted.dtype.kind == "f" and wanted.size > 1 and factor and matches(got * factor):
        return f": every entry is {_show(1 / factor)} times the right one"
    return ""


def _show(number: Any) -> str:
    return f"{number:.6g}" if np.asarray(number).dtype.kind == "f" else str(number)


@dataclass(frozen=True)
class GradientCheck:
    """Both gradients, entry by entry, in the shape of the weights.

    noise: what rounding and the size of the step may do to an entry of ``numeric``.
    """

    analytic: Floats
    numeric: Floats
    noise: Floats

    @property
    def relative_error(self) -> Floats:
        """Relative error |a - n| / max(|a|, |n|) of each entry; NaN where it is undecided.

        0 against 0 tests nothing (a gradient that was never computed also reads 0), so it is NaN
        and not 0: it can neither pass nor fail.
        """
        size = np.maximum(np.abs(self.analytic), np.abs(self.numeric))
        gap = np.abs(self.analytic - self.numeric)
        return np.divide(gap, size, out=np.full(size.shape, np.nan), where=~self.undecided)

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """Entries where both gradients are 0 or drown in rounding: they prove nothing."""
        size = np.maximum(np.abs(self.analytic), np.abs(self.numeric))
        return np.asarray(size <= self.noise)


def gradient_check(
    loss: Callable[[Floats], float],
    grad: Callable[[Floats], ArrayLike],
    weights: ArrayLike,
    *,
    step: float | None = None,
) -> GradientCheck:
    """Put an analytic gradient beside centred differences (f(w + h) - f(w - h)) / 2h of the loss.

    loss: weights -> number. grad: weights -> array of the weights' shape.
    weights: float64 array of any shape; it is copied, never changed.
    step: h in weight units; by default ε^(1/3) · max(1, |weight|), where truncation (h²) and
        rounding (ε/h) balance.
    The error of a difference is estimated: rounding from ε · loss / h, truncation from a second
    difference at 2h. An entry below that error is undecided.
    Raises ValueError if the gradient's shape is not the weights' shape, or the loss is not finite.
    """
    point = np.array(weights, dtype=np.float64)
    analytic = np.asarray(grad(point.copy()), dtype=np.float64)
    if analytic.shape != point.shape:
        raise ValueError(
            f"the gradient must have the weights' shape {point.shape}, got {analytic.shape}. "
            "Return one derivative for each weight."
        )
    numeric, noise = np.empty_like(point), np.empty_like(point)
    for index in np.ndindex(point.shape):
        h = step if step is not None else np.cbrt(np.finfo(float).eps) * max(1, abs(point[index]))
        numeric[index], rounding = _difference(loss, point, index, h)
        truncation = abs(_difference(loss, point, index, 2 * h)[0] - numeric[index]) / 3
        noise[index] = rounding + truncation
    return GradientCheck(analytic, numeric, noise)


def _difference(
    loss: Callable[[Floats], float], point: Floats, index: tuple[int, ...], h: float
) -> tuple[float, float]:
    """Return the centred difference at one entry, and what rounding may have done to it."""
    up, down = point.copy(), point.copy()
    up[index] += h
    down[index] -= h
    above, below = float(loss(up)), float(loss(down))
    if not np.isfinite(above + below):
        raise ValueError(
            f"the loss must be finite near the weights, got {above:.3g} and {below:.3g} "
            f"at index {index}. Choose smaller weights or a smaller step."
        )
    width = float(up[index] - down[index])  # the step that was really made, after rounding
    rounding = 4 * float(np.finfo(float).eps) * max(abs(above), abs(below)) / width
    return (above - below) / width, rounding


def assert_gradients_match(
    loss: Callable[[Floats], float],
    grad: Callable[[Floats], ArrayLike],
    weights: ArrayLike,
    *,
    rtol: float = 1e-5,
    step: float | None = None,
    name: str = "weights",
    hint: str = "Differentiate that entry again by hand.",
) -> GradientCheck:
    """Raise AssertionError, with both numbers, unless the gradient agrees with differences.

    Arguments as for ``gradient_check``; rtol is the largest relative error of one entry, name
    what the message calls the weights, hint its last sentence.
    Also raises if the differences are too coarse to decide any entry to rtol: 0 = 0 is not a
    success.
    """
    result = gradient_check(loss, grad, weights, step=step)
    gap = np.abs(result.analytic - result.numeric)
    size = np.maximum(np.abs(result.analytic), np.abs(result.numeric))
    excess = np.where(np.isnan(gap), np.inf, gap - rtol * size - result.noise)
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(excess)), excess.shape))
    if excess[worst] > 0:
        where = f"{name}[{', '.join(map(str, worst))}]" if worst else name
        raise _complaint(
            f"the gradient for {where} is {result.analytic[worst]:.6g}, centred differences give "
            f"{result.numeric[worst]:.6g}. {hint}"
        )
    if np.all(rtol * size <= result.noise):
        raise _complaint(
            f"nothing was tested: all {result.noise.size} gradients and differences are 0 or "
            "rounding noise. Check at a point where the loss is not flat."
        )
    return result
