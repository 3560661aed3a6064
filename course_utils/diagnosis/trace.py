"""What one run recorded, as plain arrays: from this course's History or any framework."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.training import History

Values = NDArray[np.float64]

BY_STEP = ("loss", "accuracy")
BY_LAYER = (
    "grad_weight_norm",
    "weight_norm",
    "update_norm",
    "grad_hidden_norm",
    "hidden_rms",
    "dead_share",
    "slope_mean",
)
SHARES = ("accuracy", "dead_share")


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """One run's recorded numbers; layer 0 is at the input side.

    loss: (steps,), mean loss of each step's batch. grad_weight_norm: (steps, layers), norm of
    ∂loss/∂W of each layer, before clipping. All others are optional, None where unknown; the more
    there are, the more diagnose() can tell:
    weight_norm: (steps, layers), norm of each layer's weights, before the step's update.
    update_norm: (steps, layers), norm of what the step subtracted from them.
    grad_hidden_norm: (steps, layers), norm of ∂loss/∂h of each layer's hidden values.
    hidden_rms: (steps, layers), root mean square of each layer's hidden values.
    dead_share: (steps, layers), share of units that are 0 for every example of the batch, 0 to 1.
    slope_mean: (steps, layers), mean |f'(z)|, the slope of the activation; the output layer's is 1.
    accuracy: (steps,), share of the batch that is classified rightly, 0 to 1.
    classes: number of classes C, if the loss is a cross-entropy in nats: guessing costs ln C.
    data_finite: whether every entry of the inputs and targets is finite.

    Anything that NumPy turns into an array will do; everything is copied to read-only float64.
    NaN and inf are welcome. Raises ValueError for shapes that do not fit, and negative norms.

        >>> trace = Trace(loss=losses, grad_weight_norm=norms, classes=10)
        >>> print(diagnose(trace))
    """

    loss: Values
    grad_weight_norm: Values
    weight_norm: Values | None = None
    update_norm: Values | None = None
    grad_hidden_norm: Values | None = None
    hidden_rms: Values | None = None
    dead_share: Values | None = None
    slope_mean: Values | None = None
    accuracy: Values | None = None
    classes: int | None = None
    data_finite: bool | None = None

    def __init__(
        self,
        *,
        loss: ArrayLike,
        grad_weight_norm: ArrayLike,
        weight_norm: ArrayLike | None = None,
        update_norm: ArrayLike | None = None,
        grad_hidden_norm: ArrayLike | None = None,
        hidden_rms: ArrayLike | None = None,
        dead_share: ArrayLike | None = None,
        slope_mean: ArrayLike | None = None,
        accuracy: ArrayLike | None = None,
        classes: int | None = None,
        data_finite: bool | None = None,
    ) -> None:
        """Check and copy the arrays."""
        given = {name: value for name, value in locals().items() if name in BY_STEP + BY_LAYER}
        arrays = {name: _array(name, given[name]) for name in given if given[name] is not None}
        for name, array in arrays.items():
            _require_shape(name, array, arrays["loss"], arrays["grad_weight_norm"])
            _require_range(name, array)
        if classes is not None and not (isfinite(classes) and classes >= 2):
            raise ValueError(
                f"classes must be >= 2, got {classes}. Pass the number of classes, or None if the "
                "loss is no cross-entropy."
            )
        for field in fields(self):
            object.__setattr__(self, field.name, arrays.get(field.name))
        object.__setattr__(self, "classes", classes)
        object.__setattr__(self, "data_finite", data_finite)

    @classmethod
    def from_history(
        cls, history: History, *, classes: int | None = None, data_finite: bool | None = None
    ) -> Trace:
        """Return the trace of a run of train(); raises ValueError without grad_weight_norm.

        classes, data_finite: see Trace.
        """
        known = {name: history[name] for name in history.names if name in BY_STEP + BY_LAYER}
        known |= {"grad_weight_norm": history["grad_weight_norm"]}
        return cls(**known, classes=classes, data_finite=data_finite)

    @property
    def steps(self) -> int:
        """The number of recorded steps."""
        return len(self.loss)

    @property
    def layers(self) -> int:
        """The number of layers that have weights."""
        return self.grad_weight_norm.shape[1]

    @property
    def recorded(self) -> tuple[str, ...]:
        """The names of the arrays that there are."""
        return tuple(name for name in BY_STEP + BY_LAYER if getattr(self, name) is not None)

    def first(self, steps: int | None) -> Trace:
        """Return the trace of the first steps only (None: of all of them)."""
        return self.replaced(**{name: getattr(self, name)[:steps] for name in self.recorded})

    def replaced(self, **fields: Any) -> Trace:
        """Return the trace with these fields instead."""
        return replace(self, **fields)

    def without(self, *names: str) -> Trace:
        """Return the trace as if these optional fields had not been recorded."""
        return self.replaced(**dict.fromkeys(names))

    def rows(self) -> Iterator[tuple[str, Values]]:
        """Yield each array's name and the array, in the order in which a step computes them."""
        forward = ("weight_norm", "hidden_rms", "slope_mean", "dead_share", *BY_STEP)
        backward = ("grad_hidden_norm", "grad_weight_norm", "update_norm")
        names = [name for name in forward + backward if name in self.recorded]
        yield from ((name, getattr(self, name)) for name in names)


def _array(name: str, values: ArrayLike | None) -> Values:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must be an array of real numbers, got {type(values).__name__}. Pass one row "
            "a step, all of the same length."
        ) from None
    array.flags.writeable = False
    return array


def _require_shape(name: str, array: Values, loss: Values, norms: Values) -> None:
    if loss.ndim != 1 or loss.size == 0:
        raise ValueError(
            f"loss must have shape (steps,), got {loss.shape}. Pass one number for each step."
        )
    if norms.ndim != 2 or norms.shape[1] == 0:
        raise ValueError(
            f"grad_weight_norm must have shape (steps, layers), got {norms.shape}. Pass a row a "
            "step, the layer at the input side first."
        )
    expected = loss.shape if name in BY_STEP else (len(loss), norms.shape[1])
    if array.shape != expected:
        raise ValueError(
            f"{name} must have shape {expected} like the others, got {array.shape}. Pass what was "
            "recorded at the same steps."
        )


def _require_range(name: str, array: Values) -> None:
    if name == "loss":
        return
    top = 1.0 if name in SHARES else np.inf
    wrong = array[(array < 0.0) | (array > top)]
    if wrong.size:
        kind = "within 0 to 1" if name in SHARES else ">= 0"
        raise ValueError(f"{name} must be {kind}, got {wrong[0]:g}. Pass what was measured.")
