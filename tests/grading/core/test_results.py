"""Stored results read back: what was written comes back whole, anything else is named."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from course_utils.grading.grade import QuestionResult, Result
from course_utils.grading.hand_ins import Origin
from course_utils.grading.results import read_result, read_results, result_json

QUESTION = QuestionResult("1.1", "double", "Twice", 7, 7, "earned", values=("value: 1", "value: 2"))
ORIGIN = Origin("Ana Ö", ("a1", "a2"), datetime(2026, 5, 1, 12, tzinfo=UTC), True, 2, "x.ipynb")
RESULT = Result(
    learner="ana",
    exercise="ex01_mini",
    title="Exercise 01 · Mini",
    status="graded",
    reason="",
    points=7,
    max_points=20,
    questions=(QUESTION, replace(QUESTION, number="1.2", values=())),
    sandboxed=True,
    hand_in_sha256="0",
    key_sha256="1",
    grader="0.1",
    seconds=1.5,
    origin=ORIGIN,
)


@pytest.fixture
def store(tmp_path):
    """Put a text below results/ana/, and return its path."""

    def put(text, name="ex01_mini"):
        path = tmp_path / "results" / "ana" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put


@pytest.mark.parametrize("result", [RESULT, replace(RESULT, origin=Origin(), questions=())])
def test_what_was_written_comes_back_whole(store, result):
    assert read_result(store(result_json(result))) == result


def test_a_result_of_before_a_field_was_added_is_read(store):
    content = json.loads(result_json(RESULT))
    del content["origin"], content["questions"][0]["answer"]
    assert read_result(store(json.dumps(content))) == replace(RESULT, origin=Origin())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("points", "7"),
        ("points", True),
        ("sandboxed", 1),
        ("seconds", None),
        ("learner", ["ana"]),
        ("questions", 3),
        ("questions", [{}]),
        ("questions", [{"number": "1.1"}]),
        ("origin", {"handed_in": "noon"}),
        ("origin", {"ids": "a1"}),
        ("origin", {"ids": [1]}),
        ("origin", 3),
        ("stranger", 1),
    ],
)
def test_another_shape_is_no_result(store, field, value):
    content = json.loads(result_json(RESULT)) | {field: value}
    with pytest.raises(ValueError, match="holds no result"):
        read_result(store(json.dumps(content)))


def test_a_field_of_another_version_is_named(store):
    content = json.loads(result_json(RESULT)) | {"stranger": 1}
    with pytest.raises(ValueError, match=r"Result has no \['stranger'\]"):
        read_result(store(json.dumps(content)))


def test_a_missing_field_is_named(store):
    content = json.loads(result_json(RESULT))
    del content["points"]
    with pytest.raises(ValueError, match=r"lacks \['points'\]"):
        read_result(store(json.dumps(content)))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"points": 1}'])
def test_half_a_file_is_left_out_and_told(store, tmp_path, text):
    store(result_json(RESULT))
    store(text, "half")
    store("{", ".ex01_mini.part")
    faults = []
    found = list(read_results(tmp_path, on_fault=lambda path, fault: faults.append(path.name)))
    assert (found, faults) == ([RESULT], ["half.json"])


def test_a_folder_without_results_has_none(tmp_path):
    assert list(read_results(tmp_path)) == []


def test_a_copy_is_left_out_and_told(store, tmp_path):
    whole, copy = store(result_json(RESULT)), store(result_json(RESULT), "ex01_mini - Copy")
    told = {}
    assert list(read_results(tmp_path, on_fault=told.__setitem__)) == [RESULT]
    assert told == {copy: f"{copy} is a copy of ana/ex01_mini. Remove it."}
    assert whole not in told
