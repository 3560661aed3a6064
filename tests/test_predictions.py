"""Recorded predictions: kept, compared in words, and quiet when there are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.explorers import predict, prediction, predictions_summary

QUESTION = "How large is it?"


displayed = []


@pytest.fixture(autouse=True)
def _new_session(monkeypatch):
    displayed.clear()
    monkeypatch.setattr(prediction, "_session", {})
    monkeypatch.setattr(prediction, "display", lambda data, *, raw: displayed.append(data))


def ask(question=QUESTION, **settings):
    return predict(question, **({"low": 1e-6, "high": 1.0, "log": True} | settings))


def controls(asked):
    """The slider, the button and the line below them."""
    _, row, state = asked.view.children
    return row.children[0], row.children[2], state


def printed(action, capsys):
    capsys.readouterr()
    action()
    return capsys.readouterr().out


def test_what_was_recorded_stands_beside_what_was_measured(capsys):
    asked = ask(unit="m")
    slider, button, state = controls(asked)
    slider.value = 1e-3
    button.click()
    assert state.value == "Recorded: 0.001 m."
    out = printed(lambda: asked.compare(1e-6), capsys)
    assert out == ("You predicted 0.001 m, measured: 1e-06 m. Yours is 1,000 times too large.\n")


def test_a_moved_slider_that_was_not_recorded_counts_for_nothing(capsys):
    asked = ask()
    controls(asked)[0].value = 1e-3
    out = printed(lambda: asked.compare(0.5), capsys)
    assert out.startswith("Measured: 0.5. No prediction yet")
    assert out.count("\n") == 1


def test_a_late_prediction_is_said_to_be_late():
    asked = ask()
    asked.compare(0.5)
    _, button, state = controls(asked)
    button.click()
    assert state.value.endswith("(after you saw the result).")


def test_a_cell_run_again_keeps_the_number():
    first = ask()
    first.record(0.25)
    again = ask()
    slider, _, state = controls(again)
    assert again.predicted == 0.25
    assert slider.value == pytest.approx(0.25)
    assert state.value == "Recorded earlier: 0.25."


def test_a_reader_without_a_kernel_reads_the_question():
    ask("Is 1 < 2?")
    (output,) = displayed
    assert output["text/plain"] == "Predict: Is 1 < 2? (Run this cell to record your number.)"


def test_markup_in_a_question_is_text():
    asked = ask("Is <b>w</b> large?")
    assert "&lt;b&gt;w" in asked.view.children[0].value


def test_the_summary_lists_every_question_with_both_numbers(capsys):
    one = ask("First?")
    ask("Second?", unit="m")
    one.record(2)
    one.compare(4)
    assert printed(predictions_summary, capsys) == (
        "You recorded 1 of 2 predictions.\n"
        "- First?\n  yours: 2 | measured: 4\n"
        "- Second?\n  yours: – | measured: –\n"
    )


def test_a_summary_of_nothing_says_so(capsys):
    assert printed(predictions_summary, capsys).startswith("No question was asked")


numbers = st.floats(1e-30, 1e30)


@given(numbers, numbers)
def test_words_turn_round_with_the_numbers(predicted, measured):
    there, back = (
        prediction.in_words(predicted, measured),
        prediction.in_words(measured, predicted),
    )
    swapped = there.replace("large", "!").replace("small", "large")
    assert swapped.replace("!", "small") == back


@pytest.mark.parametrize(
    ("predicted", "measured", "words"),
    [
        (3.0, 3.00001, "Exactly right."),
        (0.0, 0.0, "Exactly right."),
        (1.05, 1.0, "Within 10 %."),
        (2.5, 1.0, "Yours is 2.5 times too large."),
        (1.0, 250.0, "Yours is 250 times too small."),
        (1.0, 1e-30, "Yours is too large by 30 powers of ten."),
        (0.0, 5.0, "Yours is too small."),
        (1.0, -5.0, "Yours is too large."),
        (1.0, float("inf"), "No finite number comes near it."),
        (1.0, float("nan"), "No finite number comes near it."),
    ],
)
def test_how_far_off_in_words(predicted, measured, words):
    assert prediction.in_words(predicted, measured) == words


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"low": 2, "high": 1}, "low must be below high, got 2 and 1"),
        ({"low": 0, "high": 1}, "low must be > 0 with log=True, got 0"),
        ({"log": False, "step": 0}, "step must be > 0, got 0"),
    ],
)
def test_an_impossible_slider_gets_one_line(settings, message):
    with pytest.raises(ValueError, match=message):
        ask(**settings)


def test_a_prediction_must_be_a_number():
    asked = ask()
    with pytest.raises(ValueError, match="must be finite, got nan"):
        asked.record(float("nan"))
    assert asked.predicted is None
