"""The explorer: sliders beside one persistent figure of which only the moving parts are redrawn.

A slider's change is answered synchronously: when the handler returns, the new picture has been
sent. ipywidgets sends the next slider value only after that, and only the latest one, so that a
fast drag never queues stale frames.
"""

import io
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from traitlets import Unicode

from course_utils.figures import Palette, wrapped

# As raw bytes the page would wrap the picture in a blob, which takes Chromium 6 ms more to load.
DATA_URL = b"data:image/png;base64,"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class BlitCanvas:
    """A figure drawn once, on which the moving artists alone are drawn again."""

    def __init__(self, figure: Figure, moving: Sequence[Artist]) -> None:
        """Draw `figure` once. `moving`: the artists that change, in place and in drawing order."""
        self._canvas: Any = FigureCanvasAgg(figure)
        self._moving = moving
        layout = figure.get_layout_engine()
        if layout is not None:  # laid out once, with the moving artists in place
            layout.execute(figure)
        figure.set_layout_engine("none")  # axes that move would tear from their background
        for artist in moving:
            artist.set_animated(True)
        self._canvas.draw()  # type: ignore[no-untyped-call]
        self._still = self._canvas.copy_from_bbox(figure.bbox)  # type: ignore[no-untyped-call]
        self._draw_moving()  # so that their colours are in the palette
        self._palette = Palette(self._frame(), every=7)

    def png(self) -> bytes:
        """The figure as it stands now, as PNG bytes."""
        self._canvas.restore_region(self._still)
        self._draw_moving()
        picture = io.BytesIO()
        # an indexed PNG takes a quarter of the time of a full-colour one, and half of its bytes
        self._palette.apply(self._frame()).save(picture, "png", compress_level=1)
        return picture.getvalue()

    def _draw_moving(self) -> None:
        for artist in self._moving:
            assert artist.axes is not None
            artist.axes.draw_artist(artist)

    def _frame(self) -> Image.Image:
        return Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")


class Picture(widgets.Image):  # type: ignore[misc]
    """An image whose `tooltip` reaches the page, where it is the picture's accessible name.

    ipywidgets 8 asks each widget with a tooltip for its description, which an Image lacks.
    """

    description = Unicode("").tag(sync=True)


class Explorer:
    """Sliders, a picture, and a sentence below it that says what the picture shows.

    Shown by being the last expression of a cell.
    """

    def __init__(
        self,
        *,
        controls: Mapping[str, widgets.Widget],
        figure: Figure,
        moving: Sequence[Artist],
        update: Callable[..., str],
        without_kernel: str,
    ) -> None:
        """Connect the controls to the figure.

        controls: widget by parameter name; their values are the arguments of `update`.
        figure: everything that stands still, with the moving artists in place.
        moving: the artists that change, in drawing order.
        update: sets the moving artists for the given values and returns the sentence.
        without_kernel: what a reader who cannot move the sliders reads instead.
        """
        self.controls = dict(controls)
        self.frames_drawn = 0
        self._update = update
        self._without_kernel = without_kernel
        self._sentence = widgets.HTML()
        update(**self.values)
        self._canvas = BlitCanvas(figure, moving)
        width, height = figure.canvas.get_width_height()
        self._picture = Picture(format="url", width=str(width), height=str(height))
        # without this the box would stretch the picture to its own width
        self._picture.layout = widgets.Layout(flex="0 0 auto", max_width="100%")
        self._redraw()
        for control in self.controls.values():
            control.observe(self._redraw, names="value")
        self.view = widgets.VBox([*self.controls.values(), self._picture, self._sentence])
        self.view.add_class("course-explorer")

    @property
    def values(self) -> dict[str, Any]:
        """The controls' present values by parameter name."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def sentence(self) -> str:
        """What the picture shows now, in words."""
        return str(self._picture.tooltip)

    @property
    def png(self) -> bytes:
        """The picture that is on screen now."""
        return b64decode(bytes(self._picture.value).removeprefix(DATA_URL))

    def _redraw(self, _change: Any = None) -> None:
        sentence = self._update(**self.values)
        # one message for the picture and its alternative text
        with self._picture.hold_sync():
            self._picture.value = DATA_URL + b64encode(self._canvas.png())
            self._picture.tooltip = sentence
        self._sentence.value = f"<p>{escape(sentence)}</p>"
        self.frames_drawn += 1

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return widget_bundle(self.view, without_kernel=self._without_kernel)


def widget_bundle(view: widgets.Widget, *, without_kernel: str) -> dict[str, Any]:
    """What a cell displays for `view`: the widget, and a line of text for who has no kernel."""
    return {
        WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": view.model_id},
        "text/plain": wrapped(without_kernel),
    }


def slider(
    label: str, *, low: float, high: float, start: float, step: float, decimals: int = 2
) -> widgets.FloatSlider:
    """A slider over real numbers with its whole label and its value in sight."""
    return widgets.FloatSlider(
        value=start,
        min=low,
        max=high,
        step=step,
        readout_format=f".{decimals}f",
        **_appearance(label),
    )


def log_slider(label: str, *, low: float, high: float, start: float) -> widgets.FloatLogSlider:
    """A slider over positive numbers that moves by tenths of a power of ten."""
    return widgets.FloatLogSlider(
        value=start,
        min=math.log10(low),
        max=math.log10(high),
        step=0.1,
        readout_format=".2g",
        **_appearance(label),
    )


def whole_slider(label: str, *, low: int, high: int, start: int) -> widgets.IntSlider:
    """A slider over whole numbers with its whole label and its value in sight."""
    return widgets.IntSlider(value=start, min=low, max=high, **_appearance(label))


def _appearance(label: str) -> dict[str, Any]:
    return {
        "description": label,
        "continuous_update": True,
        "layout": widgets.Layout(width="560px", max_width="100%"),
        "style": {"description_width": "160px"},
    }
