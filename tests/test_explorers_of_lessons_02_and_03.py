"""The explorers of lessons 02 and 03 show what the numbers say, and so do their plots."""

import io

import numpy as np
import pytest
from PIL import Image

from course_utils import floats, plots
from course_utils.explorers import difference_explorer, staircase_explorer
from course_utils.figures import PALETTE, new_figure


def shades(explorer, colour):
    """Number of pixels on screen that have the colour, within what anti-aliasing leaves whole."""
    pixels = np.asarray(Image.open(io.BytesIO(explorer.png)).convert("RGB"), dtype=int)
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(pixels - wanted).max(axis=2) < 12).sum())


@pytest.mark.parametrize("base", [0.05, 0.25, 0.5, 1.1, 2.0])
def test_the_staircase_tells_where_each_type_ends(base):
    explorer = staircase_explorer(base=0.9)
    explorer.controls["base"].value = base
    first = floats.first_underflow if base < 1 else floats.first_overflow
    end = "exactly 0" if base < 1 else "inf"
    for dtype in floats.FLOAT_DTYPES:
        assert f"{dtype} is {end} from factor {first(base, dtype=dtype)} on" in explorer.sentence


@pytest.mark.parametrize("base", [0.51, 0.75, 0.9, 0.99])
def test_the_staircase_tells_where_a_product_sticks(base):
    explorer = staircase_explorer(base=base)
    for dtype in floats.FLOAT_DTYPES:
        rest = float(floats.repeated_product(base, 200_000, dtype=dtype)[-1])
        assert rest > 0
        assert f"{dtype} never reaches 0, it sticks at {rest:.1g}" in explorer.sentence


def test_the_staircase_marks_an_end_in_its_colour_also_when_it_began_without_one():
    explorer = staircase_explorer(base=0.9)
    without = shades(explorer, PALETTE[1])
    explorer.controls["base"].value = 0.25
    assert shades(explorer, PALETTE[1]) > without + 100


def test_a_factor_of_1_stays():
    assert "float64 stays where it is" in staircase_explorer(base=1.0).sentence


def square(weights):
    return weights * weights


def errors(explorer):
    """The two errors that the sentence names: forward, centred."""
    words = explorer.sentence.replace(",", " ").rstrip(".").split()
    return [float(word) for word in words if "e" in word and word[0].isdigit()][1:]


@pytest.mark.parametrize("exponent", [-3, -2, -1])
def test_on_a_parabola_the_forward_error_is_half_h_over_w(exponent):
    explorer = difference_explorer(square, 2.0, 4.0)
    explorer.controls["exponent"].value = exponent
    forward, centred = errors(explorer)
    assert forward == pytest.approx(10.0**exponent / 4, rel=0.05)
    assert centred < 1e-9


def test_a_step_too_small_to_move_the_weight_is_off_by_the_whole_slope():
    explorer = difference_explorer(square, 2.0, 4.0)
    explorer.controls["exponent"].value = -10
    assert max(errors(explorer)) < 1e-4
    explorer.controls["dtype"].value = "float32"
    assert errors(explorer) == [1.0, 1.0]


def test_plots_draw_what_they_are_given():
    _, ax = new_figure()
    steps, sizes = np.array([1e-8, 1e-4, 1.0]), np.array([3.0, 1e-5, 1e-2])
    plots.plot_errors_by_step(steps, sizes, label="forward", ax=ax)
    plots.plot_errors_by_step(steps, sizes[::-1], label="centred", ax=ax)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert np.array_equal(ax.lines[1].get_xydata(), np.column_stack([steps, sizes[::-1]]))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["forward", "centred"]

    signals = plots.plot_signals_by_layer(sizes)
    assert np.array_equal(signals.lines[0].get_xydata(), np.column_stack([range(3), sizes]))

    share = plots.plot_share([2, 5, 9], [0, 0.25, 1], xlabel="layers")
    assert list(share.lines[0].get_ydata()) == [0, 25, 100]
    for axes in (ax, signals, share):
        assert axes.get_xlabel()
        assert axes.get_ylabel()


def test_an_exact_zero_is_drawn_at_the_floor_since_it_has_no_logarithm():
    kinds = ["normal", "subnormal", "zero", "zero"]
    ax = plots.plot_repeated_product([0, -1, -np.inf, -np.inf], kinds, floor=-2)
    drawn = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert drawn == {
        "normal": [[0, 0]],
        "subnormal": [[1, -1]],
        "exactly 0": [[2, -2], [3, -2]],
    }


def test_gradient_pairs_share_one_diagonal():
    ax = plots.plot_gradient_pairs([[1.0, 2.0]], [[1.0, 3.0]], label="right")
    plots.plot_gradient_pairs([1.0], [2.0], label="wrong", ax=ax)
    points = [
        line.get_xydata().tolist() for line in ax.lines if line.get_label() in ("right", "wrong")
    ]
    assert points == [[[1, 1], [2, 3]], [[1, 2]]]
    assert len(ax.lines) == 3
