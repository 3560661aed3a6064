"""One figure on screen: the course's style, and a picture that says in words what it shows.

Importing this module sets matplotlib's defaults to the course's style: the Okabe & Ito (2008)
colours, which stay apart for colour-blind readers, on an opaque white card, which reads the same
in JupyterLab's light and dark theme.
"""

import io
import sys
import textwrap
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

# Okabe & Ito's palette without its yellow, which is too pale for a line on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#595959",
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.figsize": (6.8, 3.8),
    "font.size": 10,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "lines.markersize": 4.5,
    "savefig.facecolor": "white",
}
PIXELS_PER_CSS_PIXEL = 2  # sharp on a high-density screen
TEXT_WIDTH = 92  # JupyterLab breaks a longer line within a word
matplotlib.rcParams.update(STYLE)


def new_figure(
    *,
    rows: int = 1,
    columns: int = 1,
    height: float = 3.8,
    spacing: Mapping[str, float] | None = None,
) -> tuple[Figure, Any]:
    """A figure of the course's width and its axes.

    rows, columns: the grid of axes. height: inches (100 pixels each on screen).
    spacing: margins and gaps, as ``Figure.subplots_adjust`` takes them. Without it room is made for
    what is written beside the axes, which for many of them takes longer than drawing them.
    Returns the figure with one Axes, or with an array of them, as ``Figure.subplots`` does.
    """
    size = (matplotlib.rcParams["figure.figsize"][0], height)
    layout: Any = "none" if spacing else None  # Matplotlib's type hints leave "none" out
    figure = Figure(size, layout=layout)
    FigureCanvasAgg(figure)
    if spacing:
        figure.subplots_adjust(**spacing)
    return figure, figure.subplots(rows, columns)


def show(drawing: Figure | Axes, *, alt: str) -> None:
    """Display a figure once, say in a line of text what it shows, and close it.

    drawing: a figure, or any Axes of it, which is what the functions of ``plots`` return.
    alt: one sentence with the figure's message and numbers, made from the data. It is stored as
    the picture's alternative text and printed below it, since some readers drop the former.
    Raises ValueError if alt is empty.
    """
    if not alt.strip():
        raise ValueError(
            f"alt must be a sentence, got {alt!r}. Say what the figure shows, with its numbers."
        )
    figure = drawing.get_figure(root=True) if isinstance(drawing, Axes) else drawing
    assert figure is not None
    width, height = (round(inches * figure.dpi) for inches in figure.get_size_inches())
    display(  # type: ignore[no-untyped-call]
        {"image/png": b64encode(png(figure)).decode(), "text/plain": alt},
        metadata={"image/png": {"alt": alt, "width": width, "height": height}},
        raw=True,
    )
    print(wrapped(f"Figure: {alt}"))
    if "matplotlib.pyplot" in sys.modules:  # pyplot shows what stays open a second time
        sys.modules["matplotlib.pyplot"].close(figure)


def wrapped(text: str, *, indent: str = "") -> str:
    """`text` in lines that JupyterLab need not break, all but the first behind `indent`."""
    return textwrap.fill(text, TEXT_WIDTH, break_on_hyphens=False, subsequent_indent=indent)


def png(figure: Figure) -> bytes:
    """The figure as a PNG of 256 colours, a third of the size of full colour.

    Two pixels are drawn for each screen pixel.
    """
    screen_dpi = figure.dpi
    figure.set_dpi(PIXELS_PER_CSS_PIXEL * screen_dpi)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()  # savefig would lay the figure out twice
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    figure.set_dpi(screen_dpi)
    small = io.BytesIO()
    # the highest compression would save a tenth of the bytes and double the time of a figure
    Palette(picture, every=23).apply(picture).save(small, "png", compress_level=6)
    return small.getvalue()


class Palette:
    """256 colours that come close to every shade of a picture."""

    def __init__(self, picture: Image.Image, *, every: int) -> None:
        """Choose the colours from a few pixels of `picture`, an RGB image.

        every: how many pixels, row after row, to take one of; all of them would take longer than
        all else that makes a figure's PNG. A prime that does not divide the width, so that no
        column is left out.
        """
        few = np.asarray(picture.convert("RGBX")).view(np.uint32).reshape(-1)[::every]
        # each shade counts once, or the rare ones of a colour bar would be merged into a grey
        shades = np.unique(few).view(np.uint8).reshape(1, -1, 4)[:, :, :3]
        chosen = Image.fromarray(np.ascontiguousarray(shades)).quantize(
            256, dither=Image.Dither.NONE
        )
        colours = np.array(chosen.getpalette(), dtype=np.uint8).reshape(-1, 3)
        # Pillow looks a pixel up by the darkest corner of its cell of four shades
        corners = colours & 0b11111100
        colours[corners.min(axis=1) == 0b11111100] = 255  # white stays white
        self._colours = colours.tobytes()
        self._corners = Image.new("P", (1, 1))
        self._corners.putpalette(corners.tobytes())

    def apply(self, picture: Image.Image) -> Image.Image:
        """`picture`, an RGB image, with each pixel in the closest of the colours."""
        indexed = picture.quantize(palette=self._corners, dither=Image.Dither.NONE)
        indexed.putpalette(self._colours)
        return indexed
