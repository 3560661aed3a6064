"""Figures that say in words what they show, in colours that stay apart."""

import io
from base64 import b64decode
from itertools import combinations

import matplotlib
import matplotlib.colors as colors
import numpy as np
import pytest
from PIL import Image

from course_utils import figures, plots


@pytest.fixture
def shown(monkeypatch, capsys):
    """Show a drawing; returns what went to the page (data, metadata) and the line of text."""

    def show(drawing, alt):
        displayed = []
        monkeypatch.setattr(
            figures, "display", lambda data, *, metadata, raw: displayed.append((data, metadata))
        )
        figures.show(drawing, alt=alt)
        ((data, metadata),) = displayed
        return data, metadata["image/png"], capsys.readouterr().out

    return show


def a_figure():
    figure, ax = figures.new_figure()
    ax.plot([0, 1], [1, 0])
    return figure


@pytest.mark.parametrize("part", [lambda figure: figure, lambda figure: figure.axes[0]])
def test_a_figure_is_shown_once_with_its_text_twice(part, shown):
    data, picture, text = shown(part(a_figure()), "A falling line.")
    assert set(data) == {"image/png", "text/plain"}
    assert data["text/plain"] == "A falling line."
    assert picture["alt"] == "A falling line."
    assert text == "Figure: A falling line.\n"


def test_a_long_text_is_broken_between_words_below_the_figure_only(shown):
    words = "the norm falls from layer to layer, " * 8
    data, picture, text = shown(a_figure(), words)
    assert data["text/plain"] == picture["alt"] == words
    assert len(text.splitlines()) > 2
    assert max(map(len, text.splitlines())) <= figures.TEXT_WIDTH
    assert text.split() == ["Figure:", *words.split()]


def test_the_picture_is_twice_as_dense_as_it_is_wide_on_screen(shown):
    data, size, _ = shown(a_figure(), "A falling line.")
    picture = Image.open(io.BytesIO(b64decode(data["image/png"])))
    assert (size["width"], size["height"]) == (680, 380)
    assert picture.size == (1360, 760)
    assert picture.mode == "P"
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_the_same_figure_is_the_same_bytes():
    assert figures.png(a_figure()) == figures.png(a_figure())


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="alt must be a sentence"):
        figures.show(a_figure(), alt=alt)


def test_a_figure_of_pyplot_is_closed(shown):
    import matplotlib.pyplot as plt

    figure, _ = plt.subplots()
    shown(figure, "Empty axes.")
    assert figure.number not in plt.get_fignums()


def test_a_grid_of_axes():
    figure, axes = figures.new_figure(columns=2, height=2)
    assert len(axes) == 2
    assert figure.get_size_inches().tolist() == [6.8, 2]


def contrast(first, second):
    """The contrast ratio of WCAG 2."""
    lights = sorted(
        0.05 + np.dot(linear(color), [0.2126, 0.7152, 0.0722]) for color in (first, second)
    )
    return lights[1] / lights[0]


def linear(color):
    rgb = np.array(colors.to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def test_letters_and_lines_stand_out_from_the_card():
    assert contrast(plots.GREY, "white") >= 4.5
    assert contrast(matplotlib.rcParams["text.color"], "white") >= 4.5
    assert min(contrast(color, "white") for color in figures.PALETTE) >= 2.2
    # the two that most figures use are as clear as graphics must be
    assert min(contrast(color, "white") for color in figures.PALETTE[:3]) >= 3


# Machado, Oliveira & Fernandes (2009), severity 1: what a colour-blind reader sees, in linear RGB
BLINDNESS = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


@pytest.mark.parametrize("matrix", BLINDNESS.values(), ids=BLINDNESS)
def test_colours_stay_apart_for_colour_blind_readers(matrix):
    assert closest(figures.PALETTE, matrix) > 0.1
    assert closest(["#d62728", "#2ca02c"], matrix) < closest(figures.PALETTE[:3], matrix)


def closest(palette, matrix):
    seen = [np.clip(np.array(matrix) @ linear(color), 0, 1) ** (1 / 2.2) for color in palette]
    return min(np.linalg.norm(one - other) for one, other in combinations(seen, 2))


def test_a_palette_keeps_white_and_the_colours_of_the_lines():
    figure, ax = figures.new_figure()
    for height, colour in enumerate([*figures.PALETTE, "#F7FBFC"]):
        ax.axhspan(height, height + 1, color=colour)
    picture = Image.open(io.BytesIO(figures.png(figure))).convert("RGB")
    drawn = np.array([colour for _, colour in picture.getcolors(picture.width * picture.height)])
    for colour in figures.PALETTE:
        assert np.abs(drawn - list(bytes.fromhex(colour[1:]))).max(axis=1).min() < 4, colour
    assert picture.getpixel((0, 0)) == (255, 255, 255)


def test_white_stays_white_among_what_is_nearly_white():
    shades = np.random.default_rng(0).integers(240, 256, (40, 50, 3)).astype(np.uint8)
    shades[0, 0] = 255
    nearly_white = Image.fromarray(shades)
    drawn = figures.Palette(nearly_white, every=1).apply(nearly_white).convert("RGB")
    assert drawn.getpixel((0, 0)) == (255, 255, 255)


def test_the_few_pixels_of_a_colour_bar_keep_their_shades():
    blues = np.linspace((5, 48, 97), (247, 247, 247), 600).astype(np.uint8)
    reds = np.linspace((247, 247, 247), (103, 0, 31), 40).astype(np.uint8)
    picture = Image.fromarray(
        np.concatenate([np.repeat(blues, 300, 0), np.repeat(reds, 20, 0)])[None]
    )
    drawn = np.asarray(figures.Palette(picture, every=7).apply(picture).convert("RGB"), dtype=int)
    assert np.abs(drawn - np.asarray(picture, dtype=int)).max() < 16


def test_axes_stand_where_the_spacing_says():
    _, (left, right) = figures.new_figure(columns=2, spacing={"left": 0.25, "right": 0.75})
    left.figure.canvas.draw()
    assert (left.get_position().x0, right.get_position().x1) == pytest.approx((0.25, 0.75))
