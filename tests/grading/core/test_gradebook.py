"""The gradebook: what a spreadsheet and a person read in it."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.grading.grade import GRADERS_FAULT, Result
from course_utils.grading.hand_ins import Origin
from course_utils.grading.tables.gradebook import COLUMNS, defused, gradebook_csv, plain, wide_csv
from course_utils.grading.tables.late import Policy, Rule

DEADLINE = datetime(2026, 3, 1, 22, tzinfo=UTC)
RESULT = Result(
    learner="nunez_ana",
    exercise="ex01",
    title="",
    status="graded",
    reason="",
    points=17,
    max_points=20,
    questions=(),
    sandboxed=True,
    hand_in_sha256="",
    key_sha256="",
    grader="",
    seconds=0.0,
    origin=Origin("Núñez, Ana", ("17", "ana@x.org"), DEADLINE, late=True, attempt=2),
)


def rows(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_a_row_says_who_when_and_what_counts():
    policy = Policy(Rule(deadline=DEADLINE.replace(hour=21), amount=Decimal("12.5")))
    [row] = rows(gradebook_csv([RESULT], policy))
    assert row == {
        "learner": "nunez_ana",
        "exercise": "ex01",
        "points": "17",
        "max_points": "20",
        "status": "graded",
        "name": "Núñez, Ana",
        "ids": "17 ana@x.org",
        "handed_in": "2026-03-01 22:00:00+00:00",
        "attempt": "2",
        "late": "late",
        "penalty": "2.5",
        "final_points": "14.5",
        "why": "1 started day late",
    }
    assert tuple(row) == COLUMNS


def test_rows_are_sorted_by_learner_and_exercise():
    names = [("zoe", "ex01"), ("ana", "ex02"), ("ana", "ex01")]
    results = [replace(RESULT, learner=learner, exercise=name) for learner, name in names]
    found = [(row["learner"], row["exercise"]) for row in rows(gradebook_csv(results))]
    assert found == sorted(names)


def test_a_byte_order_mark_comes_first():
    for text in (gradebook_csv([RESULT]), wide_csv([RESULT])):
        assert text.encode().startswith(b"\xef\xbb\xbflearner,")


def test_the_wide_gradebook_has_a_row_a_learner():
    results = [
        replace(RESULT, exercise="ex02", max_points=10, points=9, origin=Origin(ids=("18",))),
        RESULT,
        replace(RESULT, learner="zoe", origin=Origin()),
        replace(RESULT, learner="bob", status="missing", points=0, origin=Origin()),
        replace(RESULT, learner="cy", status=GRADERS_FAULT[0], points=0, origin=Origin()),
    ]
    expected = """\
learner,name,ids,ex01,ex02,total,max_total
bob,,,,,0,30
cy,,,sandbox_failed,,0,30
nunez_ana,"Núñez, Ana",18 17 ana@x.org,14.5,9,23.5,30
zoe,,,17,,17,30
"""
    rule = Rule(late_mark=Decimal("2.5"), percent_of="")
    found = wide_csv(results, Policy(rule))
    assert found.removeprefix("\ufeff") == expected


FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\u00a0=1",
    "'=1",
    '"=1',
    "‘=1",
    "\u200b=1",
    "\u202e=1",
    "\ufeff=1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(A1)",
    "−1+1",
    "Ana; =1+1",
    "Ana\n=1+1",
    "Ana\t=1+1",
    "+49 170 123",
    "-5",
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_is_defused(cell):
    assert defused(cell) != cell
    assert defused(cell).replace("'", "") == cell.replace("'", "")


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "Núñez, Ana",
        "أحمد",
        "O'Neill",
        "'Abd al-Rahman",
        "Smith-Jones",
        "a=b",
        "17",
        "2.5",
    ],
)
def test_what_is_no_formula_stays(cell):
    assert defused(cell) == cell


@given(st.text(alphabet=st.sampled_from("=+-@＝−;\t\r\n'\" \u200baä1"), max_size=8))
def test_no_cell_begins_with_a_sign_however_it_is_cut(text):
    for part in defused(text).replace("\t", ";").replace("\r", ";").replace("\n", ";").split(";"):
        assert part.strip(' \u200b"')[:1] not in tuple("=+-@＝−")


def test_every_cell_is_defused():
    odd = replace(RESULT, learner="=1", exercise="=2", origin=Origin("=3", ("=4",)), status="=5")
    for text in (gradebook_csv([odd]), wide_csv([odd])):
        cells = [cell for row in csv.reader(io.StringIO(text[1:])) for cell in row]
        assert any(cell == "'=1" for cell in cells)
        assert not any(cell.startswith("=") for cell in cells)


def test_numbers_are_written_plainly():
    written = [plain(Decimal(number)) for number in ("20", "17.50", "0.00", "0.25", "100")]
    assert written == ["20", "17.5", "0", "0.25", "100"]
