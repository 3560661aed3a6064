"""The residual block: its inputs, plus a branch of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from course_utils.arrays import FloatArray
from course_utils.layers.layer import Layer, require_width


class Residual(Layer):
    """outputs = inputs + scale · branch(inputs).

    branch: layers, from the inputs on, whose last has as many units as enter the first.
    scale: finite; 0 leaves the skip alone.
    The Jacobian is I + scale · J: see He et al. (2016), eq. 1; scale as in Hanin & Rolnick (2018).
    """

    def __init__(self, branch: Sequence[Layer], *, scale: float = 1.0) -> None:
        """Take over the branch; raises ValueError for an empty one or a scale that isn't finite."""
        if not branch:
            raise ValueError("branch must hold at least one layer, got none. Pass e.g. [Dense(…)].")
        if not isfinite(scale):
            raise ValueError(f"scale must be finite, got {scale}. Pass scale=1.0 for no scaling.")
        self.branch = tuple(branch)
        self.scale = float(scale)

    def __repr__(self) -> str:
        """Name the scale and the branch."""
        return f"Residual({list(self.branch)!r}, scale={self.scale:g})"

    def leaves(self) -> Iterator[Layer]:
        """Yield the branch's layers."""
        for layer in self.branch:
            yield from layer.leaves()

    def width_after(self, width: int) -> int:
        """Return the width. Raises ValueError if the branch changes it."""
        after = width
        for layer in self.branch:
            after = layer.width_after(after)
        if after != width:
            raise ValueError(
                f"a residual branch must return the {width} units that enter it, got {after}. "
                "Give its last layer that width, or leave the skip out there."
            )
        return width

    def forward(self, inputs: FloatArray) -> FloatArray:
        """Return inputs + scale · branch(inputs), each layer remembering its batch."""
        branch = inputs
        for layer in self.branch:
            branch = layer.forward(branch)
        return self._added(inputs, branch)

    def outputs(self, inputs: FloatArray) -> FloatArray:
        """Return inputs + scale · branch(inputs) in prediction."""
        branch = inputs
        for layer in self.branch:
            branch = layer.outputs(branch)
        return self._added(inputs, branch)

    def backward(self, grad_outputs: FloatArray) -> FloatArray:
        """Return grad_outputs, which the skip passes on, plus what comes back from the branch."""
        grad = grad_outputs if self.scale == 1.0 else self.scale * grad_outputs
        for layer in reversed(self.branch):
            grad = layer.backward(grad)
        return grad_outputs + grad

    def _added(self, inputs: FloatArray, branch: FloatArray) -> FloatArray:
        require_width(self, inputs.shape[1], branch.shape[1])
        if self.scale == 1.0:
            return inputs + branch
        scaled = branch * self.scale  # not in place: a layer may remember this array
        scaled += inputs
        return scaled
