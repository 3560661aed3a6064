"""The picker of runs shows the chosen run; blind labels are kept, compared and counted."""

import io

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from course_utils.diagnosis import Trace
from course_utils.explorers import label_traces, labelling, trace_explorer

STEPS, LAYERS = 20, 4


def trace(*, loss=2.3, gradient=1e-3, **more):
    """A run in which nothing changes, of losses and norms of one size."""
    norms = np.full((STEPS, LAYERS), 1.0)
    optional = {
        "update_norm": 0.01 * norms,
        "grad_hidden_norm": gradient * norms,
        "dead_share": 0 * norms,
        "classes": 10,
    }
    return Trace(
        loss=np.full(STEPS, loss),
        grad_weight_norm=gradient * norms,
        weight_norm=norms,
        **(optional | more),
    )


def breaking(step):
    """A run whose loss and gradients are NaN from that step on."""
    loss, norms = np.full(STEPS, 2.0), np.ones((STEPS, LAYERS))
    loss[step:], norms[step:] = np.nan, np.nan
    return Trace(loss=loss, grad_weight_norm=norms, weight_norm=norms, update_norm=norms)


@pytest.fixture
def runs():
    return {"A": trace(), "B": trace(loss=0.1, gradient=1e-6), "C": breaking(7)}


@pytest.fixture(autouse=True)
def _new_session(monkeypatch):
    monkeypatch.setattr(labelling, "_session", {})


def ask(runs, choices=("healthy", "exploding", "dead units"), title="What ails each run?"):
    return label_traces(title, runs, choices=choices)


def printed(action, capsys):
    capsys.readouterr()
    action()
    return capsys.readouterr().out


def test_each_run_has_its_own_picture_and_numbers(runs):
    explorer = trace_explorer(runs)
    seen = {}
    for name in runs:
        explorer.controls["run"].value = name
        seen[name] = (explorer.png, explorer.sentence)
    assert len({picture for picture, _ in seen.values()}) == 3
    assert "Run A: 20 steps, 4 layers. Loss 2.3 at the start, 2.3 at the end." in seen["A"][1]
    assert "input layer 1e-06" in seen["B"][1]
    assert "no number from step 7 on" in seen["C"][1]


def test_a_run_chosen_again_looks_as_before(runs):
    explorer = trace_explorer(runs)
    before = explorer.png, explorer.sentence
    explorer.controls["run"].value = "C"
    explorer.controls["run"].value = "A"
    assert (explorer.png, explorer.sentence) == before


def test_what_was_not_recorded_is_said_and_draws_nothing(runs):
    bare = trace(update_norm=None, grad_hidden_norm=None, dead_share=None)
    explorer = trace_explorer({"bare": bare, "full": runs["A"]})
    assert "Dead units: not recorded" in explorer.sentence
    explorer.controls["run"].value = "full"
    assert "Dead units: 0% in the worst layer" in explorer.sentence


def test_a_note_stands_behind_the_numbers(runs):
    explorer = trace_explorer(runs, note=lambda name: f"Made for {name}.")
    assert explorer.sentence.endswith("Made for A.")


def test_many_runs_share_one_list():
    few, many = ({f"{n}": trace() for n in range(count)} for count in (9, 10))
    kinds = [type(trace_explorer(runs).controls["run"]).__name__ for runs in (few, many)]
    assert kinds == ["ToggleButtons", "Dropdown"]


def test_no_run_at_all_gets_one_line():
    with pytest.raises(ValueError, match=r"at least one run, got none\. Pass"):
        trace_explorer({})


def test_nothing_is_recorded_until_the_button_is_pressed(runs):
    blind = ask(runs)
    blind.verdict.value = "healthy"
    assert blind.labels == {}
    blind.button.click()
    assert blind.labels == {"A": "healthy"}
    assert blind.state.value == "Run A: healthy. Recorded 1 of 3. Still open: B, C."


def test_the_button_without_a_choice_records_nothing_and_says_why(runs):
    blind = ask(runs)
    blind.button.click()
    assert blind.labels == {}
    assert blind.state.value == "Choose a verdict for run A first."


def test_each_run_keeps_its_own_verdict_on_screen(runs):
    blind = ask(runs)
    blind.record("B", "dead units")
    for run, shown in (("B", "dead units"), ("C", labelling.CHOOSE), ("B", "dead units")):
        blind.explorer.controls["run"].value = run
        assert blind.verdict.value == shown


def test_labels_survive_a_cell_that_is_run_again_but_not_another_question(runs):
    ask(runs).record("B", "healthy")
    assert ask(runs).labels == {"B": "healthy"}
    assert ask(runs, choices=("exploding", "dead units")).labels == {}
    assert ask(runs, title="Another question").labels == {}


def test_both_scores_count_what_agrees_with_the_truth(runs, capsys):
    blind = ask(runs)
    blind.record("A", "healthy")
    blind.record("B", "exploding")
    truth = {"A": "healthy", "B": "dead units", "C": "exploding"}
    out = printed(lambda: blind.compare(truth, truth | {"B": "healthy"}), capsys)
    lines = out.splitlines()
    assert lines[0].split() == ["run", "you", "diagnose()", "how", "it", "was", "made"]
    assert lines[2].split() == ["B", "exploding", "healthy", "dead", "units"]
    assert lines[3].split() == ["C", "–", "exploding", "exploding"]
    assert lines[4] == "You: 1 of 3 right. diagnose(): 2 of 3 right."
    assert len(lines) == 5


def test_who_labelled_nothing_is_asked_to(runs, capsys):
    truth = dict.fromkeys(runs, "healthy")
    out = printed(lambda: ask(runs).compare(truth, truth), capsys)
    assert "You: 0 of 3 right." in out
    assert "no verdict yet: choose one for each run" in out


def test_a_late_label_is_said_to_be_late(runs, capsys):
    blind = ask(runs)
    blind.compare(*[dict.fromkeys(runs, "healthy")] * 2)
    blind.verdict.value = "healthy"
    blind.button.click()
    assert "(after you saw the answers)" in blind.state.value


@pytest.mark.parametrize(("run", "label", "kind"), [("Z", "healthy", "run"), ("A", "x", "verdict")])
def test_a_label_of_nothing_is_refused(runs, run, label, kind):
    with pytest.raises(ValueError, match=f"There is no {kind} .* Choose from"):
        ask(runs).record(run, label)


@pytest.mark.parametrize("choices", [(), ("one",), ("twice", "twice")])
def test_a_choice_needs_two_verdicts(runs, choices):
    with pytest.raises(ValueError, match="at least two different verdicts"):
        ask(runs, choices=choices)


def test_a_reader_without_a_kernel_reads_what_is_asked(runs):
    text = " ".join(ask(runs)._repr_mimebundle_()["text/plain"].split())
    assert text.startswith("Diagnose: What ails each run?")
    assert "3 runs: healthy, exploding, dead units" in text
    assert "3 runs" in trace_explorer(runs)._repr_mimebundle_()["text/plain"]


def test_the_title_is_text(runs):
    assert "&lt;b&gt;" in ask(runs, title="<b>x").view.children[0].value


@pytest.mark.parametrize(("gradient", "decades"), [(0.0, -10), (1e-7, -7), (1e-1, -1), (1e9, 8)])
def test_a_gradient_has_its_colour_on_screen_whichever_run_came_first(runs, gradient, decades):
    explorer = trace_explorer(runs | {"D": trace(gradient=gradient)})
    explorer.controls["run"].value = "D"
    picture = np.asarray(Image.open(io.BytesIO(explorer.png)).convert("RGB"), dtype=int)
    wanted = np.array(colormaps["RdBu_r"]((decades + 10) / 18, bytes=True)[:3], dtype=int)
    near = np.abs(picture - wanted).max(axis=2) < 16
    assert near.sum() > 10_000


def test_no_gradient_at_all_is_said_in_words():
    assert "input layer exactly 0" in trace_explorer({"Z": trace(gradient=0.0)}).sentence
