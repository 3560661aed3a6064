"""Blind labelling: the learner names what ails each run before anybody says it.

A label is a prediction: it is recorded before the answer and kept as long as the kernel lives.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from course_utils.diagnosis import Trace
from course_utils.explorers.base import widget_bundle
from course_utils.explorers.diagnosis import trace_explorer

CHOOSE = "choose …"
NO_LABEL = "–"
_session: dict[str, dict[str, str]] = {}


class Labelling:
    """A picker of unnamed runs with one verdict to choose for each; see label_traces."""

    def __init__(self, title: str, traces: Mapping[str, Trace], choices: Sequence[str]) -> None:
        """Build the widget; a title that was shown before brings its labels back."""
        if len(set(choices)) != len(choices) or len(choices) < 2:
            raise ValueError(
                f"choices must be at least two different verdicts, got {list(choices)}. Pass e.g. "
                "['healthy', 'exploding']."
            )
        self.title, self.choices = title, tuple(choices)
        self.explorer = trace_explorer(traces)
        self.names = tuple(traces)
        kept = _session.setdefault(title, {})
        for name in [name for name in kept if name not in traces or kept[name] not in choices]:
            del kept[name]  # the cell was changed: such a label answers no question that is asked
        self.labels = kept
        self.answered = False
        self._build()

    @property
    def run(self) -> str:
        """The name of the run that is on screen."""
        return str(self.explorer.values["run"])

    def record(self, name: str, label: str) -> None:
        """Keep `label` as the learner's verdict on a run; the last one counts.

        Raises ValueError for a run or a verdict that there is not.
        """
        for kind, value, known in (("run", name, self.names), ("verdict", label, self.choices)):
            if value not in known:
                raise ValueError(
                    f"There is no {kind} {value!r}. Choose from {', '.join(map(str, known))}."
                )
        self.labels[name] = label

    def compare(self, truth: Mapping[str, str], diagnosed: Mapping[str, str]) -> None:
        """Print each label beside diagnose()'s verdict and how the run was made, and both scores.

        truth, diagnosed: the verdict for the name of every run.
        """
        self.answered = True
        width = max(len("diagnose()"), *(len(diagnosed[name]) for name in self.names))
        yours_width = max(len("you"), *(len(label) for label in [NO_LABEL, *self.labels.values()]))
        print(f"run  {'you':{yours_width}}  {'diagnose()':{width}}  how it was made")
        for name in self.names:
            yours = self.labels.get(name, NO_LABEL)
            print(f"{name:3}  {yours:{yours_width}}  {diagnosed[name]:{width}}  {truth[name]}")
        print(
            f"You: {self._score(self.labels, truth)}. diagnose(): {self._score(diagnosed, truth)}."
        )
        if not self.labels:
            print(
                "You have recorded no verdict yet: choose one for each run, then rerun this cell."
            )

    def _score(self, labels: Mapping[str, str], truth: Mapping[str, str]) -> str:
        right = sum(labels.get(name) == truth[name] for name in self.names)
        return f"{right} of {len(self.names)} right"

    def _build(self) -> None:
        options = [CHOOSE, *self.choices]
        self.verdict = widgets.Dropdown(
            options=options,
            description="Your verdict",
            layout=widgets.Layout(width="380px", max_width="100%"),
            style={"description_width": "90px"},
        )
        self.button = widgets.Button(description="Record", layout=widgets.Layout(width="90px"))
        self.state = widgets.Label()
        self.button.on_click(self._record_choice)
        self.explorer.controls["run"].observe(self._turn_to_run, names="value")
        heading = widgets.HTML(f"<b>Diagnose:</b> {escape(self.title)}")
        form = widgets.HBox(
            [self.verdict, self.button], layout=widgets.Layout(flex_flow="row wrap")
        )
        self.view = widgets.VBox([heading, self.explorer.view, form, self.state])
        self._turn_to_run()

    def _turn_to_run(self, _change: Any = None) -> None:
        self.verdict.value = self.labels.get(self.run, CHOOSE)
        self.state.value = self._progress()

    def _record_choice(self, _button: widgets.Button) -> None:
        if self.verdict.value == CHOOSE:
            self.state.value = f"Choose a verdict for run {self.run} first."
            return
        self.record(self.run, self.verdict.value)
        after = " (after you saw the answers)" if self.answered else ""
        self.state.value = f"Run {self.run}: {self.verdict.value}{after}. {self._progress()}"

    def _progress(self) -> str:
        left = [name for name in self.names if name not in self.labels]
        told = f"Recorded {len(self.labels)} of {len(self.names)}."
        return f"{told} Still open: {', '.join(left)}." if left else f"{told} Run the next cell."

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return widget_bundle(
            self.view,
            without_kernel=(
                f"Diagnose: {self.title} (Run this cell to choose a verdict for each of the "
                f"{len(self.names)} runs: {', '.join(self.choices)}.)"
            ),
        )


def label_traces(title: str, traces: Mapping[str, Trace], *, choices: Sequence[str]) -> Labelling:
    """Ask the learner for a verdict on each run, without saying how it was made.

    title: what is asked, one sentence; asked a second time, it keeps the labels recorded first.
    traces: the runs by a name that tells nothing, e.g. "A". choices: the verdicts to choose from.
    Shown by being the last expression of a cell.
    """
    return Labelling(title, traces, choices)
