"""The chain rule as numbers: products of local derivatives, and of Jacobians.

A chain of L links computes h⁽⁰⁾ → h⁽¹⁾ → … → h⁽ᴸ⁾. The local derivative of link l is
∂h⁽ˡ⁺¹⁾/∂h⁽ˡ⁾: a number in a scalar chain, a Jacobian in a chain of layers. The gradient of the
output is formed from the output backwards, as backpropagation does.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.floating]
Matrix = NDArray[np.floating]


def partial_products(local_derivatives: ArrayLike) -> Vector:
    """The gradient of the output at every layer of a scalar chain: ∂h⁽ᴸ⁾/∂h⁽ˡ⁾.

    local_derivatives: shape (L,), entry l is ∂h⁽ˡ⁺¹⁾/∂h⁽ˡ⁾.
    Returns shape (L + 1,): entry l is the product of the derivatives l … L − 1; the last is 1,
    the output's derivative by itself. It underflows to 0 silently and overflows to inf with NumPy's
    RuntimeWarning, where its dtype ends.
    Raises ValueError if there is no link, or not one number a link.

    >>> partial_products([2.0, 3.0, 5.0]).tolist()
    [30.0, 15.0, 5.0, 1.0]
    """
    links = _links(local_derivatives)
    from_output = np.concatenate([np.ones(1, links.dtype), links[::-1]])
    return np.multiply.accumulate(from_output)[::-1]


def log10_partial_products(local_derivatives: ArrayLike) -> Vector:
    """log₁₀ |∂h⁽ᴸ⁾/∂h⁽ˡ⁾| at every layer, however small or large: sums instead of products.

    Shapes and errors as `partial_products`. A link of exactly 0 gives −inf from there to the
    input. The signs are those of `sign_of_partial_products`.

    >>> log10_partial_products([0.1] * 400)[0].round(6)
    np.float64(-400.0)
    """
    links = _links(local_derivatives)
    with np.errstate(divide="ignore"):  # log 0 = −inf is the answer asked for
        decades = np.log10(np.abs(links[::-1], dtype=np.float64))
    return np.concatenate([np.zeros(1), np.cumsum(decades)])[::-1]


def sign_of_partial_products(local_derivatives: ArrayLike) -> Vector:
    """The sign (−1, 0 or 1) of ∂h⁽ᴸ⁾/∂h⁽ˡ⁾ at every layer, beside its logarithm.

    Shapes and errors as `partial_products`.
    """
    return partial_products(np.sign(_links(local_derivatives)))


def geometric_mean(local_derivatives: ArrayLike) -> float:
    """The one factor a link that gives the same product: |∏ f|^(1/L).

    The product grows with L if it is above 1 and shrinks if it is below. 0 if a link is 0.
    Errors as `partial_products`.

    >>> round(geometric_mean([4.0, 0.25, 4.0, 0.25]), 12)
    1.0
    """
    links = _links(local_derivatives)
    return float(10 ** (log10_partial_products(links)[0] / links.size))


def jvp(jacobians: Sequence[ArrayLike], tangent: ArrayLike) -> list[Vector]:
    """Push a change of the input forwards: J⁽ˡ⁾ … J⁽¹⁾ v at every layer.

    jacobians: L matrices, entry l of shape (width of layer l + 1, width of layer l).
    tangent: shape (width of layer 0,).
    Returns L + 1 vectors, from the tangent itself to the change of the output.
    Raises ValueError if the shapes do not chain.
    """
    matrices = _chain(jacobians)
    signals = [_vector(tangent, matrices[0].shape[1], "tangent", "first Jacobian's columns")]
    for jacobian in matrices:
        signals.append(jacobian @ signals[-1])
    return signals


def vjp(jacobians: Sequence[ArrayLike], grad_output: ArrayLike) -> list[Vector]:
    """Pull a gradient backwards, as backpropagation does: J⁽ˡ⁺¹⁾ᵀ … J⁽ᴸ⁾ᵀ g at every layer.

    jacobians: as in `jvp`. grad_output: ∂loss/∂h⁽ᴸ⁾, shape (width of layer L,).
    Returns L + 1 vectors, from ∂loss/∂h⁽⁰⁾ to grad_output itself.
    Raises ValueError if the shapes do not chain.
    """
    matrices = _chain(jacobians)
    signals = [_vector(grad_output, matrices[-1].shape[0], "grad_output", "last Jacobian's rows")]
    for jacobian in reversed(matrices):
        signals.append(jacobian.T @ signals[-1])
    return signals[::-1]


def log10_product_norms(jacobians: Sequence[ArrayLike]) -> Vector:
    """log₁₀ of the spectral norm of J⁽ˡ⁾ … J⁽¹⁾ for l = 1 … L, however small or large.

    jacobians: as in `jvp`. Returns shape (L,); −inf where the product is exactly 0.
    The product is rescaled after each factor, so that it can neither under- nor overflow.
    Raises ValueError if the shapes do not chain or an entry is not finite.
    """
    product: Matrix | None = None
    scale = 0.0
    norms: list[float] = []
    for number, jacobian in enumerate(_chain(jacobians)):
        if not np.isfinite(jacobian).all():
            raise ValueError(
                f"jacobians[{number}] must be finite, got {jacobian[~np.isfinite(jacobian)][0]}. "
                "Look for the first layer that overflowed."
            )
        product = jacobian if product is None else jacobian @ product
        norm = float(np.linalg.norm(product, 2))
        if norm == 0:
            return np.array(norms + [-np.inf] * (len(jacobians) - len(norms)))
        product = product / norm
        scale += np.log10(norm)
        norms.append(scale)
    return np.array(norms)


def forward_difference(
    function: Callable[[Vector], float], point: ArrayLike, *, step: float | None = None
) -> Vector:
    """The gradient of `function` at `point` by (f(x + h) − f(x)) / h in each coordinate.

    point: any shape; the result has it too. step: h > 0; √eps · max(1, |x|) if not given,
    which balances the error of the formula, about h, against that of rounding, about eps / h.
    Raises ValueError if step is not > 0.
    """
    return _differences(function, point, step, power=1 / 2, back=0.0)


def centred_difference(
    function: Callable[[Vector], float], point: ArrayLike, *, step: float | None = None
) -> Vector:
    """The gradient of `function` at `point` by (f(x + h) − f(x − h)) / 2h in each coordinate.

    As `forward_difference`, with an error of about h²; so its h is ∛eps · max(1, |x|).
    """
    return _differences(function, point, step, power=1 / 3, back=1.0)


def _differences(
    function: Callable[[Vector], float],
    point: ArrayLike,
    step: float | None,
    *,
    power: float,
    back: float,
) -> Vector:
    if step is not None and not step > 0:
        raise ValueError(f"step must be > 0, got {step}. Leave it out, or pass e.g. step=1e-6.")
    x = np.array(point, dtype=np.result_type(np.asarray(point), np.float32))
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        here = x[index]
        h = x.dtype.type(step or np.finfo(x.dtype).eps ** power * max(1.0, abs(here)))
        x[index] = here + h
        ahead, value_ahead = x[index], function(x)
        x[index] = here - back * h
        behind, value_behind = x[index], function(x)
        # the step that the floats really took, not the one that was asked for
        gradient[index] = (value_ahead - value_behind) / (ahead - behind)
        x[index] = here
    return gradient


def _links(local_derivatives: ArrayLike) -> Vector:
    links = np.asarray(local_derivatives)
    if not np.issubdtype(links.dtype, np.floating):
        links = links.astype(np.float64)
    if links.ndim != 1 or links.size == 0:
        raise ValueError(
            f"local_derivatives must hold one number a link, got shape {links.shape}. "
            "Pass a list with at least one, e.g. [0.9, 0.9]."
        )
    return links


def _chain(jacobians: Sequence[ArrayLike]) -> list[Matrix]:
    matrices = [np.asarray(jacobian) for jacobian in jacobians]
    if not matrices:
        raise ValueError("jacobians must hold at least one matrix, got none. Pass e.g. [weights].")
    for number, matrix in enumerate(matrices):
        if matrix.ndim != 2:
            raise ValueError(
                f"jacobians[{number}] must be a matrix, got shape {matrix.shape}. "
                "Pass one row for each output and one column for each input."
            )
    for number, (before, after) in enumerate(pairwise(matrices)):
        if after.shape[1] != before.shape[0]:
            raise ValueError(
                f"jacobians[{number + 1}] must have {before.shape[0]} columns, the width of the "
                f"layer below, got shape {after.shape}. Check the order: input first."
            )
    return matrices


def _vector(values: ArrayLike, width: int, name: str, counted: str) -> Vector:
    vector = np.asarray(values)
    if vector.shape != (width,):
        raise ValueError(
            f"{name} must have shape ({width},), the {counted}, got {vector.shape}. "
            "Pass one number for each unit."
        )
    return vector
