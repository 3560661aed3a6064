"""Norms where squares under- and overflow, and arrays at the engine's doors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.arrays import aligned, finite_rows, float_dtype, layer_widths, positive_int
from course_utils.norms import l2_norm, norm_by_layer

EXPONENTS = {np.float32: (-40, 37), np.float64: (-310, 306)}
floats = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@floats
@given(seed=st.integers(0, 2**32 - 1), where=st.floats(0, 1), entries=st.integers(1, 40))
def test_the_norm_scales_with_its_vector_from_one_end_of_the_floats_to_the_other(
    dtype, seed, where, entries
):
    low, high = EXPONENTS[dtype]
    scale = 10.0 ** round(low + where * (high - low))
    vector = (np.random.default_rng(seed).uniform(0.5, 1.0, entries) * scale).astype(dtype)
    # Python's fractions of floats do not overflow: math.hypot scales by the largest entry.
    exact = float(np.hypot.reduce(vector.astype(np.longdouble)))
    assert l2_norm(vector) == pytest.approx(exact, rel=1e-5)
    np.testing.assert_allclose(norm_by_layer(vector[np.newaxis]), exact, rtol=1e-5)


@floats
def test_numpys_own_norm_fails_where_this_one_does_not(dtype):
    low, high = EXPONENTS[dtype]
    tiny, huge = np.full(4, 10.0 ** (low + 5), dtype), np.full(4, 10.0 ** (high - 2), dtype)
    with np.errstate(over="ignore"):
        assert np.linalg.norm(tiny) == 0
        assert np.linalg.norm(huge) == np.inf
    assert l2_norm(tiny) == pytest.approx(2 * float(tiny[0]))
    assert l2_norm(huge) == pytest.approx(2 * float(huge[0]))


def test_rows_are_measured_one_by_one():
    rows = np.array([[3, 4], [0, 0], [3e-30, 4e-30], [3e30, 4e30], [np.inf, 1], [np.nan, 1]], "f4")
    np.testing.assert_allclose(norm_by_layer(rows), [5, 0, 5e-30, 5e30, np.inf, np.nan], rtol=1e-6)


@pytest.mark.parametrize(
    ("values", "norm"),
    [([], 0.0), ([3, 4], 5.0), ([[1.0, -1.0], [1.0, 1.0]], 2.0), ([-np.inf], np.inf)],
)
def test_any_shape_and_integers_too(values, norm):
    assert l2_norm(values) == norm


def test_float16_is_added_up_in_more_digits():
    assert l2_norm(np.full(10_000, 300, np.float16)) == pytest.approx(30_000)
    assert norm_by_layer(np.full((1, 4), 6e-5, np.float16)) == pytest.approx(1.2e-4, rel=1e-2)


def test_a_nan_outranks_an_inf():
    assert np.isnan(l2_norm(np.array([np.inf, np.nan, 1.0])))


@pytest.mark.parametrize("entries", [1, 7, 1000])
@floats
def test_buffers_begin_at_a_cache_line_and_are_filled(dtype, entries):
    buffer = aligned((entries, 2), 1.5, dtype)
    assert buffer.ctypes.data % 64 == 0
    assert buffer.dtype == dtype
    assert (buffer == 1.5).all()
    assert buffer.shape == (entries, 2)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (
            np.zeros((2, 3)),
            ValueError,
            r"x must have shape \(examples, 4\), got \(2, 3\)\. Put one",
        ),
        (np.zeros(4), ValueError, r"x must have shape \(examples, 4\), got \(4,\)\. Put one"),
        (np.zeros((0, 4)), ValueError, r"x must hold at least one example, got 0 rows\. Check"),
        ([[0, 1, np.nan, 3]], ValueError, r"x must be finite, got nan at row 0, column 2\. Drop"),
        ([[np.inf, 1, 2, 3]], ValueError, r"x must be finite, got inf at row 0, column 0\. Drop"),
        ([["a", "b", "c", "d"]], TypeError, r"x must hold real numbers, got dtype <U1\. Convert"),
    ],
)
def test_rows_that_do_not_fit_are_refused_in_one_line(rows, error, message):
    with pytest.raises(error, match=f"^{message}") as caught:
        finite_rows("x", rows, 4)
    assert "\n" not in str(caught.value)


def test_rows_that_fit_come_back_as_they_are():
    rows = np.arange(8.0).reshape(2, 4)
    assert finite_rows("x", rows, 4) is rows
    assert finite_rows("x", rows.astype(int), 4).dtype.kind == "i"


@pytest.mark.parametrize(
    ("widths", "error", "message"),
    [
        ([64], ValueError, r"widths must have at least 2 entries, got \[64\]\. List"),
        ([64, 0, 10], ValueError, r"widths\[1\] must be >= 1, got 0\. List"),
        ([64, 2.5], TypeError, r"widths\[1\] must be a whole number, got 2\.5 \(float\)\. List"),
        (64, TypeError, r"widths must be a list of layer widths, got 64\. List"),
        ("64", TypeError, r"widths must be a list of layer widths, got '64'\. List"),
    ],
)
def test_widths_that_make_no_network_are_refused(widths, error, message):
    with pytest.raises(error, match=f"^{message}"):
        layer_widths(widths)


def test_whole_numbers_of_any_kind_are_widths():
    assert layer_widths(np.array([3, 2])) == (3, 2)
    assert positive_int("n", np.int32(4), "") == 4


@pytest.mark.parametrize("value", [True, "3", 2.0, None])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(TypeError, match=r"^n must be a whole number, got"):
        positive_int("n", value, "Count.")


@pytest.mark.parametrize("dtype", ["float16", int, complex])
def test_only_float32_and_float64_are_computed_in(dtype):
    with pytest.raises(ValueError, match=r"^dtype must be float32 or float64, got"):
        float_dtype(dtype)
