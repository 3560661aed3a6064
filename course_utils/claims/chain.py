"""C1 to C3: what a product of derivatives does, before any training."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from course_utils import floats
from course_utils.chain_rule import (
    centred_difference,
    log10_partial_products,
    log10_product_norms,
    partial_products,
    vjp,
)
from course_utils.claims.claim import Claim, Part
from course_utils.datasets import load_digits
from course_utils.network import MLP

_NON_NORMAL = np.array([[0.5, 4.0], [0.0, 0.5]])  # stretches by 4.06, both eigenvalues 0.5
_LEARNING_RATE = 0.1


def product_of_jacobians(seed: int) -> dict[str, float]:
    """C1: three tanh layers of four units, and a matrix multiplied by itself 60 times."""
    rng = np.random.default_rng(seed)
    layers = [rng.normal(0, 0.8, size=(4, 4)) for _ in range(3)]
    start, grad_output = rng.normal(size=4), np.array([1.0, 0.0, 0.0, 0.0])

    def first_output(x: NDArray[np.floating]) -> float:
        for weights in layers:
            x = np.tanh(weights @ x)
        return float(x[0])

    h, jacobians = start, []
    for weights in layers:
        h = np.tanh(weights @ h)
        jacobians.append((1 - h**2)[:, None] * weights)
    gradient = vjp(jacobians, grad_output)[0]
    by_difference = centred_difference(first_output, start)
    sizes = [float(np.linalg.norm(jacobian, 2)) for jacobian in jacobians]
    stretch = float(np.linalg.norm(_NON_NORMAL, 2))
    return {
        "gap": float(np.linalg.norm(gradient - by_difference) / np.linalg.norm(gradient)),
        "share_of_sizes": float(np.linalg.norm(gradient)) / math.prod(sizes),
        "stretch": stretch,
        "stretch_by_60": 10 ** float(log10_product_norms([_NON_NORMAL] * 60)[-1]),
        "stretches_multiplied": stretch**60,
    }


def sizes_of_products(seed: int) -> dict[str, float]:
    """C2: equal links, unequal links, coin-tossed links, random matrices."""
    rng = np.random.default_rng(seed)
    tosses = rng.choice([0.5, 1.5], size=(2000, 40))
    coins = [log10_partial_products(chain)[0] for chain in tosses]
    return {
        "above_one": float(partial_products(np.full(100, 1.1))[0]),
        "below_one": float(partial_products(np.full(100, 0.9))[0]),
        "mostly_below_one": float(partial_products(np.array([0.9, 0.9, 0.9, 2.0] * 10))[0]),
        "coin_median": float(10 ** np.median(coins)),
        "matrix_median": float(np.median(_log10_sizes(200, rng=rng))),
        "matrix_rms": 101 * math.log10(4) / 2,  # the mean square of the size is exactly 4^101
    }


def _log10_sizes(draws: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
    """log₁₀ of the Frobenius norm of products of 100 standard normal 4 × 4 matrices."""
    product, decades = np.broadcast_to(np.eye(4), (draws, 4, 4)), np.zeros(draws)
    for _ in range(100):
        product = rng.normal(size=(draws, 4, 4)) @ product
        size = np.linalg.norm(product, axis=(1, 2))
        product, decades = product / size[:, None, None], decades + np.log10(size)
    return decades


def ends_of_numbers(seed: int) -> dict[str, float]:
    """C3: a descent that explodes, repeated products, and sigmoid networks in float32."""
    loss_inf, weight_nan = _exploding_descent(np.random.default_rng(seed).uniform(0.5, 2))
    lost, zero_where_lost = _lost_and_zero(15, seed)
    _, zero = _lost_and_zero(80, seed)
    zeros = {f"zero_{d}": floats.first_underflow(0.25, dtype=d) for d in floats.FLOAT_DTYPES}
    return {
        "loss_inf": loss_inf,
        "weight_nan": weight_nan,
        "steps_lost_at_15": lost,
        "zero_at_15": zero_where_lost,
        "zero_at_80": zero,
        "left_of_ninths": float(floats.repeated_product(0.9, 10_000, dtype="float32")[-1]),
        **{name: math.nan if k is None else k for name, k in zeros.items()},
    }


def _exploding_descent(start: float) -> tuple[float, float]:
    """The steps at which the loss w² is first inf and w first NaN, at learning rate 3, float32."""
    w, weights, losses = np.float32(start), [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(70):
            weights.append(w)
            losses.append(w**2)
            w = w - np.float32(3) * (2 * w)
    firsts = floats.first_nonfinite(losses), floats.first_nan(weights)
    loss_inf, weight_nan = (math.nan if first is None else first for first in firsts)
    return loss_inf, weight_nan


def _lost_and_zero(depth: int, seed: int) -> tuple[float, float]:
    """Of layer 0's weights in a sigmoid net: the share whose step is lost, whose gradient is 0."""
    pixels, labels = load_digits().train.take(slice(128))
    widths, rng = [64] + [32] * (depth - 1) + [10], np.random.default_rng(seed)
    net = MLP(widths, activation="sigmoid", dtype="float32", rng=rng)
    net.loss_and_gradients(pixels, labels)
    inked = pixels.any(axis=0)  # a white pixel's weights have no gradient to lose
    weight, gradient = net.weights[0][inked], net.grad_weights[0][inked]
    lost = floats.update_is_lost(weight, _LEARNING_RATE * gradient, dtype="float32")
    return float(lost.mean()), float((gradient == 0).mean())


CLAIMS = (
    Claim(
        id="C1",
        measure=product_of_jacobians,
        parts=(
            Part(
                "is_the_product",
                "the gradient at the input of three tanh layers is the product of their Jacobians, "
                "as a centred difference measures it",
                lambda f: f["gap"] < 1e-6,
                claimed=True,
                expected=True,
            ),
            Part(
                "size_is_product_of_sizes",
                "the size of that product is the product of the Jacobians' sizes",
                lambda f: f["share_of_sizes"] > 0.9,
                claimed=False,
                expected=False,
            ),
            Part(
                "stretching_matrix_explodes",
                "a matrix that stretches by 4.06 explodes when it is multiplied 60 times",
                lambda f: f["stretch_by_60"] > 1,
                claimed=False,
                expected=False,
            ),
        ),
        evidence="Product and centred difference differ by {gap:.0e} of the gradient's size, "
        "which is {share_of_sizes:.0%} of the product of the Jacobians' sizes. "
        "[[0.5, 4], [0, 0.5]] stretches by {stretch:.2f}; 60 of them stretch by "
        "{stretch_by_60:.0e}, not by {stretches_multiplied:.0e}.",
        instead="For layers of many units it is a product of Jacobians, whose size is not the "
        "product of their sizes.",
        lesson="01_chain_rule",
        cell="01-verdict-c1",
        chaotic=frozenset({"gap"}),
    ),
    Claim(
        id="C2",
        measure=sizes_of_products,
        parts=(
            Part(
                "large_explodes",
                "100 links of 1.1 explode: more than 1,000 at the input",
                lambda f: f["above_one"] > 1e3,
                claimed=True,
                expected=True,
            ),
            Part(
                "small_vanishes",
                "100 links of 0.9 vanish: less than 0.001 at the input",
                lambda f: f["below_one"] < 1e-3,
                claimed=True,
                expected=True,
            ),
            Part(
                "single_links_decide",
                "a chain vanishes if three links of four are below 1",
                lambda f: f["mostly_below_one"] < 1,
                claimed=False,
                expected=False,
            ),
            Part(
                "typical_is_below_the_mean",
                "40 coin-tossed links, 1.5 or 0.5, typically give less than 0.02, though their "
                "mean is 1",
                lambda f: f["coin_median"] < 0.02,
                claimed=False,
                expected=True,
            ),
            Part(
                "typical_is_below_the_rms",
                "100 random 4 × 4 matrices typically give less than a thousandth of the root mean "
                "square",
                lambda f: f["matrix_median"] < f["matrix_rms"] - 3,
                claimed=False,
                expected=True,
            ),
        ),
        evidence="1.1^100 = {above_one:.1e}, 0.9^100 = {below_one:.1e}. Three links of 0.9 and "
        "one of 2, ten times: {mostly_below_one:.0f}. Coin-tossed links: median {coin_median:.1e}, "
        "mean 1. log₁₀ of the size of 100 random matrices: median {matrix_median:.1f}, root mean "
        "square {matrix_rms:.1f}.",
        instead="The border is a geometric mean of 1. Single factors do not decide, and the mean "
        "gradient is not the typical one.",
        lesson="01_chain_rule",
        cell="01-verdict-c2",
    ),
    Claim(
        id="C3",
        measure=ends_of_numbers,
        parts=(
            Part(
                "explosion_ends_in_nan",
                "a descent that explodes has a weight of NaN within 70 steps",
                lambda f: f["weight_nan"] < 70,
                claimed=True,
                expected=True,
            ),
            Part(
                "vanishing_ends_in_zero",
                "all gradients at the input of 80 sigmoid layers are exactly 0 in float32",
                lambda f: f["zero_at_80"] == 1,
                claimed=True,
                expected=True,
            ),
            Part(
                "inf_comes_first",
                "the loss is inf at least 20 steps before the NaN",
                lambda f: f["loss_inf"] + 20 <= f["weight_nan"],
                claimed=False,
                expected=True,
            ),
            Part(
                "every_product_ends_in_zero",
                "0.9 · 0.9 · … in float32 ends in 0",
                lambda f: f["left_of_ninths"] == 0,
                claimed=False,
                expected=False,
            ),
            Part(
                "learning_stops_at_15",
                "with 15 layers more than 99 % of the steps are lost to rounding",
                lambda f: f["steps_lost_at_15"] > 0.99,
                claimed=False,
                expected=True,
            ),
            Part(
                "zero_at_15",
                "with 15 layers some gradients are exactly 0",
                lambda f: f["zero_at_15"] > 0,
                claimed=False,
                expected=False,
            ),
            Part(
                "dtype_decides",
                "0.25 · 0.25 · … is 0 sooner in float16 than in float32, and there than in float64",
                lambda f: f["zero_float16"] < f["zero_float32"] < f["zero_float64"],
                claimed=False,
                expected=True,
            ),
        ),
        evidence="Loss inf at step {loss_inf:.0f}, NaN at step {weight_nan:.0f}. 0.25^k is 0 at "
        "k = {zero_float16:.0f}, {zero_float32:.0f}, {zero_float64:.0f} in float16, 32, 64; "
        "0.9^k stays at {left_of_ninths:.0e} in float32. 15 sigmoid layers: "
        "{steps_lost_at_15:.1%} of the steps lost, {zero_at_15:.0%} of the gradients 0; "
        "80 layers: {zero_at_80:.0%} are 0.",
        instead="At the end, which is often not reached: vanishing is usually tiny, not 0, and "
        "learning stops earlier. An explosion makes inf first. The float decides, not Python.",
        lesson="03_floats",
        cell="03-verdict-c3",
    ),
)
