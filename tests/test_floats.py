"""Laws of the floating-point module, each against exact fractions or a plain loop."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import floats

DTYPES = st.sampled_from(floats.FLOAT_DTYPES)
BASES = st.floats(1e-3, 1e3).map(lambda base: round(base, 4)).filter(bool)


def plain_loop(base: float, dtype: str, steps: int) -> list[np.floating]:
    """The definition: multiply one by one, in the scalar type."""
    factor, product = np.dtype(dtype).type(base), np.dtype(dtype).type(1)
    products = [product]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            product = product * factor
            products.append(product)
    return products


@pytest.mark.parametrize(
    ("dtype", "subnormal", "zero"),
    [("float16", 8, 13), ("float32", 64, 75), ("float64", 512, 538)],
)
def test_a_quarter_underflows_where_ieee_says(dtype: str, subnormal: int, zero: int) -> None:
    assert floats.first_subnormal(0.25, dtype=dtype) == subnormal
    assert floats.first_underflow(0.25, dtype=dtype) == zero


@pytest.mark.parametrize(
    ("dtype", "two", "ten"), [("float16", 16, 5), ("float32", 128, 39), ("float64", 1024, 309)]
)
def test_two_and_ten_overflow_where_ieee_says(dtype: str, two: int, ten: int) -> None:
    assert floats.first_overflow(2.0, dtype=dtype) == two
    assert floats.first_overflow(10.0, dtype=dtype) == ten


@pytest.mark.parametrize("dtype", floats.FLOAT_DTYPES)
def test_nine_tenths_sticks_at_a_subnormal(dtype: str) -> None:
    assert floats.first_underflow(0.9, dtype=dtype) is None
    stuck = floats.repeated_product(0.9, 10_000, dtype=dtype)[-1]
    assert floats.kinds(stuck) == floats.SUBNORMAL
    assert stuck * np.dtype(dtype).type(0.9) == stuck


@given(base=BASES, dtype=DTYPES, sign=st.sampled_from([1, -1]))
@settings(max_examples=60, deadline=None)
def test_firsts_agree_with_a_plain_loop(base: float, dtype: str, sign: int) -> None:
    products = plain_loop(sign * base, dtype, 1500)
    names = list(floats.kinds(np.array(products)))
    for kind, first in [
        (floats.SUBNORMAL, floats.first_subnormal),
        (floats.ZERO, floats.first_underflow),
        (floats.INF, floats.first_overflow),
    ]:
        if kind in names:
            assert first(sign * base, dtype=dtype) == names.index(kind)
        elif products[-1] == products[-3]:  # settled for good, the sign apart
            assert first(sign * base, dtype=dtype) is None


@given(base=BASES, dtype=DTYPES, steps=st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_repeated_product_rounds_after_every_factor(base: float, dtype: str, steps: int) -> None:
    products = floats.repeated_product(base, steps, dtype=dtype)
    assert products.dtype == np.dtype(dtype)
    assert np.array_equal(products, np.array(plain_loop(base, dtype, steps)))


def test_a_first_step_beyond_one_block_of_factors_is_counted_from_the_start() -> None:
    base = 0.999
    first = floats.first_subnormal(base, dtype="float64")
    assert first is not None
    assert first > 2 * floats._CHUNK
    products = floats.repeated_product(base, first, dtype="float64")
    assert list(floats.kinds(products[-2:])) == [floats.NORMAL, floats.SUBNORMAL]


def test_a_product_that_has_not_ended_is_an_error_and_not_a_never() -> None:
    assert floats.first_underflow(0.25, dtype="float32", max_steps=75) == 75
    with pytest.raises(ValueError, match="has not ended after max_steps=74"):
        floats.first_underflow(0.25, dtype="float32", max_steps=74)


def test_one_and_what_rounds_to_one_never_end() -> None:
    assert floats.first_underflow(1.0, dtype="float64") is None
    assert floats.first_overflow(1.0, dtype="float64") is None
    assert floats.first_underflow(0.9999, dtype="float16") is None  # rounds to 1 in float16
    assert floats.first_underflow(0.9999, dtype="float16", max_steps=1) is None


def test_kinds_names_each_number_in_its_own_type() -> None:
    tiny = np.array([1.0, 1e-5, 0.0, -0.0, np.inf, -np.inf, np.nan], dtype=np.float16)
    expected = ["normal", "subnormal", "zero", "zero", "inf", "inf", "nan"]
    assert list(floats.kinds(tiny)) == expected
    assert floats.kinds(np.float32(1e-5)) == "normal"
    assert list(floats.kinds([0, 3])) == ["zero", "normal"]


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8), st.data())
@settings(deadline=None)
def test_first_nonfinite_and_first_nan_find_the_planted_step(
    trace: list[float], data: st.DataObject
) -> None:
    assert floats.first_nonfinite(trace) is None
    assert floats.first_nan(trace) is None
    step = data.draw(st.integers(0, len(trace) - 1))
    layered = np.tile(np.array(trace)[:, None], (1, 3))
    layered[step, data.draw(st.integers(0, 2))] = np.inf
    assert floats.first_nonfinite(layered) == step
    assert floats.first_nan(layered) is None
    layered[step:, 1] = np.nan
    assert floats.first_nan(layered) == step


GRADIENTS = st.lists(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-25), min_size=1, max_size=6)


@given(gradients=GRADIENTS, dtype=st.sampled_from(["float16", "float32"]), full=st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_loss_scale_window_is_exact_at_both_ends(
    gradients: list[float], dtype: str, full: bool
) -> None:
    window = floats.loss_scale_window(gradients, dtype=dtype, full_precision=full)

    def kinds_at(exponent: int) -> set[str]:
        with np.errstate(over="ignore", under="ignore"):
            return set(floats.kinds(np.ldexp(gradients, exponent).astype(dtype)))

    def lost(exponent: int) -> bool:
        return bool(kinds_at(exponent) & ({"zero", "subnormal"} if full else {"zero"}))

    assert "inf" not in kinds_at(window.largest_exponent)
    assert "inf" in kinds_at(window.largest_exponent + 1)
    assert not lost(window.smallest_exponent)
    # The largest subnormal may round up to a normal number, one power of two below.
    assert lost(window.smallest_exponent - (2 if full else 1))


def test_the_window_knows_which_numbers_round_to_inf_and_which_to_0() -> None:
    assert float(np.float16(65519)) == 65504  # below the middle of 65504 and the next step
    assert floats.loss_scale_window([65519.0]).largest_exponent == 0
    assert floats.loss_scale_window([65520.0]).largest_exponent == -1
    tie = [2.0**-25]  # half of the smallest number goes to 0; anything above it does not
    assert floats.loss_scale_window(tie, full_precision=False).smallest_exponent == 1
    assert floats.loss_scale_window([1.01 * tie[0]], full_precision=False).smallest_exponent == 0


def test_a_window_can_be_shut() -> None:
    assert floats.loss_scale_window([1e-3, 1e-4]).is_open
    assert not floats.loss_scale_window([1e-9, 1e3]).is_open


@given(
    weight=st.floats(1e-4, 1e4),
    part=st.floats(0.01, 0.99),
    dtype=DTYPES,
    sign=st.sampled_from([1, -1]),
)
@settings(deadline=None)
def test_half_an_ulp_decides_whether_a_weight_moves(
    weight: float, part: float, dtype: str, sign: int
) -> None:
    rounded = np.dtype(dtype).type(weight)
    half = float(floats.half_ulp(rounded))
    grow = -part * half  # weights - updates: a negative update grows a positive weight
    assert not floats.update_is_lost(rounded, 2.1 * half * sign, dtype=dtype)
    size = abs(Fraction(float(rounded.dtype.type(grow))))  # the update itself is rounded too
    assert floats.update_is_lost(rounded, grow, dtype=dtype) == (size < Fraction(half))


def test_below_a_power_of_two_the_gap_is_half_as_wide() -> None:
    half = float(floats.half_ulp(np.float32(1)))
    assert half == 2.0**-24
    assert floats.update_is_lost(1.0, -0.9 * half, dtype="float32")
    assert not floats.update_is_lost(1.0, 0.9 * half, dtype="float32")
    assert floats.update_is_lost(1.0, 0.4 * half, dtype="float32")


def test_half_an_ulp_of_the_smallest_number_is_not_0() -> None:
    assert float(floats.half_ulp(np.float16(0))) == 2.0**-25


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: floats.first_underflow(0.5, dtype="int32"), "dtype must be one of float16"),
        (lambda: floats.first_underflow(0.5, dtype="float8"), "got 'float8'"),
        (lambda: floats.first_underflow(0.5, dtype=None), "got None"),
        (lambda: floats.first_overflow(math.nan, dtype="float32"), "base must be finite, got nan"),
        (lambda: floats.repeated_product(0.5, -1, dtype="float32"), "steps must be >= 0, got -1"),
        (lambda: floats.first_nonfinite(3.0), "one entry per step, got the number 3.0"),
        (lambda: floats.loss_scale_window([0.0, 0.0]), "non-zero number, got none"),
        (lambda: floats.loss_scale_window([1.0, np.inf]), "must be finite, got 1 inf or NaN"),
    ],
)
def test_bad_input_gets_one_line(call, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
