"""Recorded predictions: the learner's number is kept beside the measured one.

A prediction lives as long as the kernel. To predict before the run is what makes the run teach:
Crouch, Fagen, Callan & Mazur (2004) found that watching a demonstration without it taught nothing.
"""

import math
from dataclasses import dataclass, field
from html import escape
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from course_utils.explorers.base import widget_bundle
from course_utils.figures import wrapped

NOTHING_YET = "Nothing recorded yet."
_session: dict[str, "Prediction"] = {}


@dataclass(eq=False)
class Prediction:
    """One question, the learner's number for it, and the measured one.

    question: the sentence that was asked. unit: of both numbers; "" if they have none.
    predicted, measured: None until recorded and until compared.
    """

    question: str
    unit: str = ""
    predicted: float | None = None
    measured: float | None = None
    view: widgets.Widget | None = field(default=None, repr=False)

    def record(self, number: float) -> None:
        """Keep `number` as the learner's prediction; the last one before the comparison counts.

        Raises ValueError if it is not a finite number.
        """
        if not math.isfinite(number):
            raise ValueError(f"A prediction must be finite, got {number}. Enter a number.")
        self.predicted = float(number)

    def compare(self, measured: float) -> None:
        """Print the learner's number beside the measured one, with their ratio in words."""
        self.measured = float(measured)
        if self.predicted is None:
            # short enough to stand on one line of a narrow notebook
            print(
                f"Measured: {_with_unit(self.measured, self.unit)}. No prediction yet: move the "
                "slider, press Record, rerun."
            )
            return
        print(
            f"You predicted {_with_unit(self.predicted, self.unit)}, "
            f"measured: {_with_unit(self.measured, self.unit)}. "
            f"{in_words(self.predicted, self.measured)}"
        )


def predict(
    question: str,
    *,
    low: float,
    high: float,
    unit: str = "",
    log: bool = False,
    step: float = 1,
) -> Prediction:
    """Ask the learner for a number, and keep it in the session once Record is pressed.

    question: one sentence. unit: of the number, "" if it has none.
    low, high: the slider's range; any number in it can be typed into the box as well.
    log: whether the slider moves in powers of ten; then low must be > 0.
    step: > 0, of a slider that is not log.
    Asked a second time, a question keeps the number that was recorded first.
    Raises ValueError if the range is empty, or not positive with log, or step is not > 0.
    """
    if not low < high:
        raise ValueError(f"low must be below high, got {low} and {high}. Swap or widen them.")
    if log and low <= 0:
        raise ValueError(f"low must be > 0 with log=True, got {low}. Use e.g. low=1e-9.")
    if not step > 0:
        raise ValueError(f"step must be > 0, got {step}. Use e.g. step=0.1.")
    earlier = _session.get(question)
    prediction = Prediction(question, unit, predicted=earlier.predicted if earlier else None)
    _session[question] = prediction
    number = _log_slider(low, high) if log else _linear_slider(low, high, step)
    prediction.view = _form(prediction, number)
    without_kernel = f"Predict: {question} (Run this cell to record your number.)"
    display(  # type: ignore[no-untyped-call]
        widget_bundle(prediction.view, without_kernel=without_kernel), raw=True
    )
    return prediction


def predictions_summary() -> None:
    """Print every question of this session with the learner's number and the measured one."""
    if not _session:
        print("No question was asked in this session. Run the cells above first.")
        return
    recorded = sum(one.predicted is not None for one in _session.values())
    print(f"You recorded {recorded} of {len(_session)} predictions.")
    for prediction in _session.values():
        yours, measured = (
            "–" if number is None else _with_unit(number, prediction.unit)
            for number in (prediction.predicted, prediction.measured)
        )
        print(wrapped(f"- {prediction.question}", indent="  "))
        print(f"  yours: {yours} | measured: {measured}")


def in_words(predicted: float, measured: float) -> str:
    """How far `predicted` is from `measured`, as a sentence about their ratio.

    >>> in_words(1e-3, 1e-6)
    'Yours is 1,000 times too large.'
    """
    if math.isclose(predicted, measured, rel_tol=1e-4):  # both are shown with four digits
        return "Exactly right."
    if not math.isfinite(measured):
        return "No finite number comes near it."
    if predicted == 0 or measured == 0 or (predicted < 0) != (measured < 0):
        return f"Yours is too {'large' if predicted > measured else 'small'}."
    decades = math.log10(abs(predicted)) - math.log10(abs(measured))
    if abs(decades) <= math.log10(1.1):
        return "Within 10 %."
    size = "large" if decades > 0 else "small"
    if abs(decades) > 6:
        return f"Yours is too {size} by {abs(decades):.0f} powers of ten."
    times = 10 ** abs(decades)
    return f"Yours is {f'{times:,.0f}' if times >= 10 else f'{times:.1f}'} times too {size}."


def _with_unit(number: float, unit: str) -> str:
    return f"{number:.4g} {unit}".rstrip()


def _form(prediction: Prediction, number: widgets.Widget) -> widgets.Widget:
    button = widgets.Button(description="Record", layout=widgets.Layout(width="90px"))
    state = widgets.Label(NOTHING_YET)
    if prediction.predicted is not None:
        number.value = prediction.predicted
        state.value = f"Recorded earlier: {_with_unit(prediction.predicted, prediction.unit)}."

    def record(_button: widgets.Button) -> None:
        seen = prediction.measured is not None
        prediction.record(number.value)
        after = " (after you saw the result)" if seen else ""
        state.value = f"Recorded: {_with_unit(number.value, prediction.unit)}{after}."

    button.on_click(record)
    question = widgets.HTML(f"<b>Predict:</b> {escape(prediction.question)}")
    return widgets.VBox(
        [question, widgets.HBox([number, widgets.Label(prediction.unit), button]), state]
    )


def _log_slider(low: float, high: float) -> widgets.FloatLogSlider:
    bottom, top = math.log10(low), math.log10(high)
    return widgets.FloatLogSlider(
        value=10 ** round((bottom + top) / 2),
        min=bottom,
        max=top,
        step=0.1,
        readout_format=".1e",
        **_number_box(),
    )


def _linear_slider(low: float, high: float, step: float) -> widgets.FloatSlider:
    decimals = max(0, -math.floor(math.log10(step)))
    return widgets.FloatSlider(
        value=(low + high) / 2,
        min=low,
        max=high,
        step=step,
        readout_format=f".{decimals}f",
        **_number_box(),
    )


def _number_box() -> dict[str, Any]:
    return {
        "description": "Your number",
        "layout": widgets.Layout(width="380px", max_width="100%"),
        "style": {"description_width": "90px"},
    }
