"""The explorer: what is on screen is always the slider's present value."""

import io

import ipywidgets as widgets
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from course_utils.explorers import base, chain_explorer
from course_utils.explorers.chain_rule import in_decimals, verdict
from course_utils.figures import TEXT_WIDTH, new_figure


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def line_explorer():
    figure, ax = new_figure(height=2)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    (line,) = ax.plot([0.1, 0.9], [0, 0])  # away from the frame, which is drawn above lines

    def update(height):
        line.set_ydata([height, height])
        return f"The line is at {height:.1f} < 1."

    explorer = base.Explorer(
        controls={"height": base.slider("height", low=0, high=1, start=0.5, step=0.1)},
        figure=figure,
        moving=[line],
        update=update,
        without_kernel="A line. Run this cell to move it.",
    )
    return explorer, figure, line


def test_the_picture_has_changed_when_the_slider_returns():
    explorer, _, _ = line_explorer()
    seen = {explorer.png}
    for step, height in enumerate((0.1, 0.9, 0.3), start=2):
        explorer.controls["height"].value = height
        # synchronous: no frame can wait behind another, whatever the page sends
        assert explorer.frames_drawn == step
        assert explorer.sentence == f"The line is at {height:.1f} < 1."
        seen.add(explorer.png)
    assert len(seen) == 4


def test_the_last_value_alone_decides_what_is_shown():
    direct, _, _ = line_explorer()
    direct.controls["height"].value = 0.2
    dragged, _, _ = line_explorer()
    for height in (0.9, 0.1, 0.7, 0.2):
        dragged.controls["height"].value = height
    assert dragged.png == direct.png


def test_a_blitted_frame_is_the_figure_drawn_whole():
    explorer, figure, line = line_explorer()
    explorer.controls["height"].value = 0.8
    line.set_animated(False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    whole = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    assert np.abs(pixels(explorer.png) - whole).max() <= 12  # shades of the palette
    line.set_ydata([0.2, 0.2])
    canvas.draw()
    other = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    assert np.abs(pixels(explorer.png) - other).max() > 100


def test_who_has_no_kernel_reads_lines_that_are_not_broken_within_a_word():
    sentence = "An explorer of gradients. " * 8
    told = base.widget_bundle(widgets.HTML(), without_kernel=sentence)["text/plain"]
    assert max(map(len, told.splitlines())) <= TEXT_WIDTH
    assert told.split() == sentence.split()


def test_the_card_is_white():
    explorer, _, _ = line_explorer()
    assert pixels(explorer.png)[0, 0].tolist() == [255, 255, 255]


def test_picture_and_words_reach_the_page_together(monkeypatch):
    explorer, _, _ = line_explorer()
    sent = []
    picture = explorer.view.children[1]
    monkeypatch.setattr(picture, "send_state", lambda key=None: sent.append(set(key)))
    explorer.controls["height"].value = 0.9
    assert sent == [{"value", "tooltip"}]
    assert bytes(picture.value).startswith(base.DATA_URL + b"iVBOR")
    assert "0.9 &lt; 1." in explorer.view.children[2].value


def test_without_a_kernel_a_line_of_text_is_read():
    explorer, _, _ = line_explorer()
    bundle = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == "A line. Run this cell to move it."
    assert bundle[base.WIDGET_VIEW]["model_id"] == explorer.view.model_id


def test_every_picture_has_an_accessible_name():
    # the page reads the description of whatever has a tooltip; ipywidgets' own Image has none
    assert "description" in base.Picture().keys
    assert "description" not in widgets.Image().keys


@pytest.mark.parametrize(
    ("weight", "links", "told"),
    [
        (0.5, 30, "9.31e-10: it shrank by 9.0 powers of ten"),
        (1.5, 100, "4.07e+17: it grew by 17.6 powers of ten"),
        (1.0, 100, "1: it arrives about as large as it left"),
        (0.2, 100, "1.27e-70: it shrank by 69.9 powers of ten"),
    ],
)
def test_the_chain_explorer_says_what_the_power_is(weight, links, told):
    explorer = chain_explorer(weight=weight, links=links)
    assert explorer.sentence == (
        f"With w = {weight:.2f} and L = {links} the gradient at the first layer is w^L = {told}."
    )


def test_the_chain_explorer_answers_to_both_sliders():
    explorer = chain_explorer()
    first = explorer.png
    explorer.controls["links"].value = 90
    second = explorer.png
    explorer.controls["weight"].value = 1.2
    assert len({first, second, explorer.png}) == 3
    assert "w = 1.20 and L = 90" in explorer.sentence


@pytest.mark.parametrize(
    ("decades", "text"),
    [
        (0.0, "1"),
        (-400.5, "3.16e-401"),
        (2.9999, "9.99e+02"),
        (3.0, "1.00e+03"),
        (-3.0, "1.00e-03"),
    ],
)
def test_numbers_beyond_the_floats_are_written_out(decades, text):
    assert in_decimals(decades) == text


def test_the_verdict_tells_the_three_fates_apart():
    assert len({verdict(-3)[:10], verdict(0), verdict(3)[:10]}) == 3
