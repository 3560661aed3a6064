"""What is taken from a hand-in: the source of its answer cells, whatever else is in the file."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_output

from course_utils.grading import overlay as overlays
from course_utils.grading.overlay import UnreadableError, overlay, read_answers

DOUBLE = "def double(x):\n    return x + x"


def cell_of(content, name):
    return next(cell for cell in content["cells"] if cell["id"] == name)


def test_only_edited_answers_are_taken(mini, hand_in):
    answers = read_answers(hand_in({"double": DOUBLE}), mini)
    assert list(answers) == ["double"]
    assert answers["double"].endswith(DOUBLE)
    assert read_answers(hand_in(), mini) == {}


def test_the_copy_is_the_trusted_notebook_but_for_the_answers(mini, hand_in):
    def spoil(content):
        content["metadata"]["kernelspec"]["name"] = "evil"
        content["cells"].append({"cell_type": "code", "id": "extra", "source": "spy()"})
        for name in ("ex01-double-visible", "ex01-setup"):
            cell_of(content, name)["source"] = "raise SystemExit"
        cell_of(content, "ex01-double-answer")["metadata"]["nbgrader"]["points"] = 1000
        cell_of(content, "ex01-double-answer")["outputs"] = [{"output_type": "error"}]

    before = copy.deepcopy(mini.notebook)
    fresh = overlay(mini, read_answers(hand_in({"double": DOUBLE}, change=spoil), mini))
    assert mini.notebook == before, "the key itself was changed"
    # the checks of the blank ones, which would only raise
    idle = {f"ex01-{slug}-{role}" for slug in ("square", "cube") for role in ("visible", "hidden")}
    kept = [cell for cell in before.cells if cell.id not in idle]
    for cell, trusted in zip(fresh.cells, kept, strict=True):
        if cell.id == "ex01-double-answer":
            assert cell.source.endswith(DOUBLE)
            assert cell.metadata == trusted.metadata
        elif cell.id.endswith("-answer"):
            assert "NotImplementedError" in cell.source
            assert "author worked" not in cell.source
        else:
            assert cell == trusted
    assert fresh.metadata == before.metadata


def test_what_the_worked_answer_printed_is_not_asked_of_the_learner(mini):
    printed = [new_output("stream", name="stdout", text="value: 1.0\n")]
    mini.cells_by_id()["ex01-double-answer"].outputs = printed
    assert cell_of(overlay(mini, {}), "ex01-double-answer").outputs == []


def without_metadata(content):
    for cell in content["cells"]:
        cell["metadata"] = {}


def without_ids(content):
    for cell in content["cells"]:
        cell.pop("id")


def without_marker(content):
    for cell in content["cells"]:
        if cell["id"].endswith("-answer"):
            cell["source"] = "".join(cell["source"]).partition("\n")[2]


@pytest.mark.parametrize(
    "lost",
    [
        [without_metadata],
        [without_ids],
        [without_marker],
        [without_metadata, without_ids],
        [without_marker, without_ids],
        [without_marker, without_metadata],
    ],
    ids=lambda steps: " and ".join(step.__name__ for step in steps),
)
def test_an_answer_is_found_as_long_as_one_name_of_it_is_left(mini, hand_in, lost):
    # ids go last: without_marker looks for them
    data = hand_in({"double": DOUBLE}, change=lambda c: [step(c) for step in lost])
    assert read_answers(data, mini)["double"].endswith(DOUBLE)


def test_an_answer_without_any_name_is_not_found(mini, hand_in):
    def nameless(content):
        for step in (without_marker, without_metadata, without_ids):
            step(content)

    with pytest.raises(UnreadableError, match="no answer cell of ex01_mini"):
        read_answers(hand_in({"double": DOUBLE}, change=nameless), mini)


def test_the_grade_id_outweighs_the_marker_and_the_marker_the_id(mini, hand_in):
    def swap(content):
        cell_of(content, "ex01-double-answer")["source"] = (
            "# ex01-square-answer · keep this line\ndef double(x):\n    return 'by grade_id'"
        )
        loose = cell_of(content, "ex01-square-answer")
        loose["metadata"] = {}
        loose["source"] = (
            "# ex01-cube-answer · keep this line\ndef cube(x):\n    return 'by marker'"
        )

    answers = read_answers(hand_in(change=swap), mini)
    assert "by grade_id" in answers["double"]
    assert "by marker" in answers["cube"]
    assert "square" not in answers


def pasted(source, *, before=False):
    """Put a copy of the first answer cell, with `source`, behind or before the original."""

    def change(content):
        index = next(i for i, c in enumerate(content["cells"]) if c["id"] == "ex01-double-answer")
        copied = copy.deepcopy(content["cells"][index]) | {"id": "copied", "source": source}
        content["cells"].insert(index + (not before), copied)

    return change


@pytest.mark.parametrize("before", [True, False])
def test_an_edited_copy_wins_over_the_untouched_stub(mini, hand_in, before):
    answers = read_answers(hand_in(change=pasted(DOUBLE, before=before)), mini)
    assert answers["double"] == DOUBLE


def test_of_two_edited_copies_the_later_one_holds_as_in_run_all(mini, hand_in):
    data = hand_in({"double": DOUBLE}, change=pasted("def double(x):\n    return 'later'"))
    space = {}
    exec(read_answers(data, mini)["double"], space)
    assert space["double"](1) == "later"


def test_an_answer_cell_that_was_split_in_two_is_joined_again(mini, hand_in):
    data = hand_in({"double": "def double(x):\n    half = x"}, change=pasted("    return 2 * half"))
    space = {}
    exec(read_answers(data, mini)["double"], space)
    assert space["double"](3) == 6


def test_a_copy_that_does_not_parse_does_not_spoil_the_one_that_does(mini, hand_in):
    for first, second in ((DOUBLE, "def double(x:"), ("def double(x:", DOUBLE)):
        taken = read_answers(hand_in({"double": first}, change=pasted(second)), mini)["double"]
        assert taken.endswith(DOUBLE)


def test_copies_too_long_to_parse_are_not_parsed(mini, hand_in, monkeypatch):
    parsed = []
    monkeypatch.setattr(overlays, "syntax_tree", parsed.append)
    read_answers(hand_in({"double": DOUBLE}, change=pasted("x = 1\n" * 50_000)), mini)
    assert [len(source) < 1000 for source in parsed] == [True]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"\x00" * 100, "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"[1, 2]", "no nbformat"),
        (b"null", "no nbformat"),
        (b'{"nbformat": "4"}', "no nbformat"),
        (b'{"nbformat": 3, "worksheets": []}', "format is 3, not 4"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": {"a": 1}}', "no list of cells"),
        (b'{"nbformat": 4, "cells": []}', "no answer cell of ex01_mini"),
        (b'{"nbformat": 4, "cells": [null, 1, "x", [], {}]}', "no answer cell of ex01_mini"),
        (b" " * 10_000_001, "more than 10000000"),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)
def test_a_file_that_is_no_hand_in_is_unreadable_in_one_line(mini, data, words):
    with pytest.raises(UnreadableError, match=words) as caught:
        read_answers(data, mini)
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_and_source_as_one_string_are_read(mini, hand_in):
    def as_string(content):
        for cell in content["cells"]:
            cell["source"] = "".join(cell["source"])

    data = b"\xef\xbb\xbf" + hand_in({"double": DOUBLE}, change=as_string)
    assert read_answers(data, mini)["double"].endswith(DOUBLE)


def test_text_that_is_no_unicode_can_still_be_written(mini, hand_in):
    source = "def double(x):\n    return '\ud800'"
    fresh = overlay(mini, read_answers(hand_in({"double": source}), mini))
    assert b"return '?'" in cell_of(fresh, "ex01-double-answer")["source"].encode()


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


# one exercise for all examples will do: another test shows that it is never changed
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_junk_anywhere_in_a_hand_in_never_raises_anything_else(mini, data):
    content = json.loads(json.dumps(mini.notebook))
    for _ in range(data.draw(st.integers(1, 6))):
        where = data.draw(st.sampled_from(places(content)))
        where[0][where[1]] = data.draw(JUNK)
    try:
        answers = read_answers(json.dumps(content).encode(), mini)
    except UnreadableError:
        return
    assert all(isinstance(source, str) for source in answers.values())
    overlay(mini, answers)


def places(node):
    """Every (container, key) of a JSON value, so that any part of it can be replaced."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    found = []
    for key, value in pairs:
        found.append((node, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found
