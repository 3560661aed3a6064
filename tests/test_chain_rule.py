"""Laws of products of local derivatives, of Jacobians, and of finite differences."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.chain_rule import (
    centred_difference,
    forward_difference,
    geometric_mean,
    jvp,
    log10_partial_products,
    log10_product_norms,
    partial_products,
    sign_of_partial_products,
    vjp,
)

factors = st.lists(
    st.floats(0.01, 100).flatmap(lambda size: st.sampled_from([size, -size])),
    min_size=1,
    max_size=40,
)
seeds = st.integers(0, 2**32 - 1)


def random_chain(seed):
    rng = np.random.default_rng(seed)
    widths = rng.integers(1, 6, size=rng.integers(2, 7))
    jacobians = [rng.normal(size=(above, below)) for below, above in pairwise(widths)]
    return jacobians, rng.normal(size=widths[0]), rng.normal(size=widths[-1])


@given(st.floats(0.5, 2), st.integers(1, 60))
def test_equal_links_give_a_power(weight, links):
    expected = weight ** np.arange(links, -1, -1.0)
    np.testing.assert_allclose(partial_products(np.full(links, weight)), expected, rtol=1e-12)


@given(factors, factors)
def test_two_chains_in_a_row_multiply(first, second):
    whole = partial_products(first + second)
    np.testing.assert_allclose(whole[0], partial_products(first)[0] * partial_products(second)[0])
    np.testing.assert_allclose(whole[len(first) :], partial_products(second), rtol=1e-12)


@given(factors)
def test_logarithms_and_signs_say_the_same_as_the_products(links):
    rebuilt = sign_of_partial_products(links) * 10 ** log10_partial_products(links)
    np.testing.assert_allclose(rebuilt, partial_products(links), rtol=1e-10)


@given(factors, st.randoms())
def test_the_order_of_links_changes_only_what_lies_between(links, random):
    shuffled = random.sample(links, len(links))
    np.testing.assert_allclose(partial_products(links)[0], partial_products(shuffled)[0])
    assert np.isclose(geometric_mean(links), geometric_mean(shuffled))


def test_logarithms_reach_where_no_float_does():
    links = np.full(1000, 1e-3)
    assert partial_products(links)[0] == 0
    assert log10_partial_products(links)[0] == pytest.approx(-3000)
    assert geometric_mean(links) == pytest.approx(1e-3)


def test_a_dead_link_stops_all_below_it_and_nothing_above():
    links = [2.0, 0.0, -3.0]
    assert partial_products(links).tolist() == [0, 0, -3, 1]
    assert log10_partial_products(links)[:2].tolist() == [-np.inf, -np.inf]
    assert sign_of_partial_products(links).tolist() == [0, 0, -1, 1]
    assert geometric_mean(links) == 0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_products_keep_their_dtype_and_end_where_it_ends(dtype):
    halves = partial_products(np.full(1100, 0.5, dtype))
    assert halves.dtype == dtype
    assert halves[0] == 0
    with np.errstate(over="ignore"):
        assert partial_products(np.full(1100, 2, dtype))[0] == np.inf


@given(factors)
def test_the_geometric_mean_is_the_border(links):
    decades = log10_partial_products(links)[0]
    assert np.sign(np.log10(geometric_mean(links)).round(9)) == np.sign(
        (decades / len(links)).round(9)
    )


@given(seeds)
def test_forwards_and_backwards_agree_at_every_layer(seed):
    jacobians, tangent, grad_output = random_chain(seed)
    forwards, backwards = jvp(jacobians, tangent), vjp(jacobians, grad_output)
    assert len(forwards) == len(backwards) == len(jacobians) + 1
    at_each_layer = [
        gradient @ change for gradient, change in zip(backwards, forwards, strict=True)
    ]
    # ⟨Jᵀg, v⟩ = ⟨g, Jv⟩ wherever the chain is cut
    scale = np.linalg.norm(grad_output) * np.linalg.norm(forwards[-1]) + 1
    np.testing.assert_allclose(at_each_layer, at_each_layer[0], atol=1e-10 * scale)


def test_one_by_one_jacobians_are_the_scalar_chain():
    links = [0.5, -3.0, 2.0]
    gradients = vjp([[[link]] for link in links], [1.0])
    assert np.concatenate(gradients).tolist() == partial_products(links).tolist()


def test_a_transposed_jacobian_breaks_the_agreement():
    jacobians, tangent, grad_output = [np.array([[0.5, 4.0], [0.0, 0.5]])], [1.0, 2.0], [3.0, 1.0]
    right = vjp(jacobians, grad_output)[0] @ tangent
    wrong = vjp([jacobians[0].T], grad_output)[0] @ tangent
    forwards = jvp(jacobians, tangent)[-1] @ grad_output
    assert np.isclose(right, forwards)
    assert not np.isclose(wrong, forwards)


@given(seeds)
def test_norms_of_products_are_those_of_the_products(seed):
    jacobians, _, _ = random_chain(seed)
    product, norms = np.eye(jacobians[0].shape[1]), []
    for jacobian in jacobians:
        product = jacobian @ product
        norms.append(np.linalg.norm(product, 2))
    decades = log10_product_norms(jacobians)
    np.testing.assert_allclose(10**decades, norms, rtol=1e-9)
    bound = np.cumsum([np.log10(np.linalg.norm(jacobian, 2)) for jacobian in jacobians])
    assert np.all(decades <= bound + 1e-12)


def test_norms_neither_underflow_nor_overflow():
    assert log10_product_norms([1e-200 * np.eye(3)] * 5)[-1] == pytest.approx(-1000)
    assert log10_product_norms([1e200 * np.eye(3)] * 5)[-1] == pytest.approx(1000)
    nilpotent = np.array([[0.0, 1.0], [0.0, 0.0]])
    assert log10_product_norms([nilpotent] * 3).tolist() == [0, -np.inf, -np.inf]


def test_the_size_of_a_product_is_not_the_product_of_sizes():
    stretcher = np.array([[0.5, 4.0], [0.0, 0.5]])
    assert np.linalg.norm(stretcher, 2) == pytest.approx(4.06, abs=0.005)
    assert 10 ** log10_product_norms([stretcher] * 60)[-1] == pytest.approx(4.16e-16, rel=1e-2)


@settings(max_examples=40)
@given(seeds)
def test_differences_find_the_gradient_and_centred_ones_find_it_better(seed):
    rng = np.random.default_rng(seed)
    point, slope = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))

    def function(x):
        return float(np.sum(slope * np.tanh(x)))

    exact = slope * (1 - np.tanh(point) ** 2)
    forward = np.abs(forward_difference(function, point) - exact).max()
    centred = np.abs(centred_difference(function, point) - exact).max()
    assert forward < 3e-7
    assert centred < 2e-9
    coarse = [np.abs(rule(function, point, step=1e-2) - exact).max() for rule in RULES]
    assert coarse[1] < coarse[0]


RULES = (forward_difference, centred_difference)


@pytest.mark.parametrize("rule", RULES)
def test_differences_are_exact_where_the_formula_is(rule):
    assert rule(lambda x: float(3 * x), 2.0) == pytest.approx(3, rel=1e-7)
    assert rule(lambda x: 3 * x, np.float32(2)).dtype == np.float32


@pytest.mark.parametrize("rule", RULES)
def test_one_coordinate_moves_at_a_time(rule):
    np.testing.assert_allclose(rule(lambda x: float(x[0] * x[1]), [3.0, 2.0]), [2, 3], rtol=1e-8)


@pytest.mark.parametrize("rule", RULES)
def test_differences_leave_the_point_alone(rule):
    point = np.array([1.0, 2.0])
    rule(lambda x: float(x @ x), point)
    assert point.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: partial_products([]), "local_derivatives must hold one number a link"),
        (lambda: partial_products(np.ones((2, 2))), r"got shape \(2, 2\)"),
        (lambda: vjp([], [1.0]), "at least one matrix, got none"),
        (lambda: vjp([np.ones(3)], [1.0]), r"jacobians\[0\] must be a matrix"),
        (lambda: vjp([np.ones((2, 3)), np.ones((2, 3))], [1.0, 1.0]), "must have 2 columns"),
        (lambda: vjp([np.ones((2, 3))], [1.0] * 3), r"grad_output must have shape \(2,\)"),
        (lambda: jvp([np.ones((2, 3))], [1.0] * 2), r"tangent must have shape \(3,\)"),
        (lambda: log10_product_norms([[[np.nan]]]), r"jacobians\[0\] must be finite, got nan"),
        (lambda: forward_difference(float, 1.0, step=0.0), "step must be > 0, got 0.0"),
        (lambda: centred_difference(float, 1.0, step=np.nan), "step must be > 0, got nan"),
    ],
)
def test_bad_input_gets_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
