"""The two layers of a plain network: the affine map and the activation."""

from __future__ import annotations

import numpy as np

from course_utils.activations import Activation, get_activation
from course_utils.arrays import FloatArray
from course_utils.initializers import draw_weights
from course_utils.layers.layer import (
    Layer,
    ParametricLayer,
    remembered,
    require_width,
    sum_along,
)


class Dense(ParametricLayer):
    """The affine layer z = inputs @ weights + biases.

    fan_in, fan_out: units that enter and leave. init, gain: see initializers.draw_weights; the
    biases start at 0. rng: source of the weights.
    weights (fan_in, fan_out) and biases (fan_out,) are views, as are grad_weights, grad_biases.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        *,
        init: str = "xavier",
        gain: float = 1.0,
        rng: np.random.Generator,
    ) -> None:
        """Draw the weights; raises one-line ValueErrors for widths, names or scales it rejects."""
        weights = draw_weights(fan_in, fan_out, scheme=init, gain=gain, rng=rng)
        super().__init__(np.vstack([weights, np.zeros((1, fan_out))]))
        self.fan_in, self.fan_out = fan_in, fan_out
        self._inputs: FloatArray | None = None
        self.pre_activation: FloatArray | None = None
        self.grad_pre_activation: FloatArray | None = None

    def __repr__(self) -> str:
        """Name the widths."""
        return f"Dense({self.fan_in}, {self.fan_out})"

    @property
    def weights(self) -> FloatArray:
        """The weights, (fan_in, fan_out), as a view."""
        return self.block[:-1]

    @property
    def biases(self) -> FloatArray:
        """The biases, (fan_out,), as a view."""
        return self.block[-1]

    @property
    def grad_weights(self) -> FloatArray:
        """∂loss/∂weights, (fan_in, fan_out), as a view."""
        return self.grad_block[:-1]

    @property
    def grad_biases(self) -> FloatArray:
        """∂loss/∂biases, (fan_out,), as a view."""
        return self.grad_block[-1]

    def width_after(self, width: int) -> int:
        """Return fan_out. Raises ValueError unless width is fan_in."""
        require_width(self, self.fan_in, width)
        return self.fan_out

    def forward(self, inputs: FloatArray) -> FloatArray:
        """Return z, (examples, fan_out); pre_activation is the same array."""
        self._inputs = inputs
        self.pre_activation = self.outputs(inputs)
        self.grad_pre_activation = None
        return self.pre_activation

    def outputs(self, inputs: FloatArray) -> FloatArray:
        """Return z, (examples, fan_out), and remember nothing."""
        require_width(self, self.fan_in, inputs.shape[1])
        product = inputs @ self.weights
        product += self.biases
        return product

    def backward(self, grad_outputs: FloatArray) -> FloatArray:
        """Return ∂loss/∂inputs = grad_outputs @ weights.T, and fill in both gradients."""
        inputs = remembered(self._inputs)
        self.grad_pre_activation = grad_outputs
        np.matmul(inputs.T, grad_outputs, out=self.grad_weights)
        self.grad_biases[...] = sum_along(grad_outputs, 0)[0]
        return grad_outputs @ self.weights.T


class Activate(Layer):
    """The activation h = f(z) of each unit. which: a name or an Activation."""

    def __init__(self, which: str | Activation) -> None:
        """Look the activation up; raises ValueError for an unknown name."""
        self.activation = get_activation(which)
        self.hidden: FloatArray | None = None

    def __repr__(self) -> str:
        """Name the activation."""
        return f"Activate({self.activation.name!r})"

    def forward(self, inputs: FloatArray) -> FloatArray:
        """Return f(inputs); hidden is the same array."""
        self.hidden = self.outputs(inputs)
        return self.hidden

    def outputs(self, inputs: FloatArray) -> FloatArray:
        """Return f(inputs), and remember nothing."""
        return self.activation.forward(inputs)

    def backward(self, grad_outputs: FloatArray) -> FloatArray:
        """Return grad_outputs · f'(z), the slope being computed from h."""
        grad = self.activation.derivative(remembered(self.hidden))
        return np.multiply(grad, grad_outputs, out=grad)
