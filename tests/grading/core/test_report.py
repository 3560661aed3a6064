"""The class report: right counts, everything escaped, from the stored results alone."""

import json
import re
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from course_utils.cli import main
from course_utils.grading.grade import QuestionResult, Result
from course_utils.grading.hand_ins import Origin
from course_utils.grading.pages.report import (
    MOST_NAMES,
    MOST_TROUBLES,
    bars,
    percent,
    report_html,
    values,
    write_report,
)
from course_utils.grading.results import result_json

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e"


def question(number=1, **fields):
    defaults = {
        "number": f"1.{number}",
        "slug": f"q{number}",
        "title": f"Title {number}",
        "points": 0,
        "max_points": 10,
        "outcome": "not_earned",
    }
    return QuestionResult(**{**defaults, **fields})


def earned(number=1):
    return question(number, points=10, outcome="earned")


def result(learner, *questions, **fields):
    defaults = {
        "exercise": "ex01_mini",
        "title": "Exercise 01 · Mini",
        "status": "graded",
        "reason": "",
        "points": sum(q.points for q in questions),
        "max_points": sum(q.max_points for q in questions),
        "questions": questions,
        "sandboxed": True,
        "hand_in_sha256": "",
        "key_sha256": "k",
        "grader": "0",
        "seconds": 1.0,
    }
    return Result(learner, **{**defaults, **fields})


def told(page):
    """The rows of each table as text, and the text of the page without its style."""
    body = page.partition("</style>")[2]
    rows = [
        [
            re.sub(r"<[^>]*>", "", cell).strip()
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r)
        ]
        for r in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]
    return rows, " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_who_handed_in_who_is_missing_and_who_was_late():
    rows, text = told(
        report_html(
            [
                result("ana", earned(), origin=Origin(late=True)),
                result("bob", question()),
                result("cy", question(), status="missing", origin=Origin("Cy Twombly")),
                result("ana", earned(), exercise="ex02"),
            ]
        )
    )
    assert ["ex01_mini", "2", "1", "1", "5.0", "5.0", "10", "1.0 s"] in rows
    assert ["ex02", "1", "2", "0", "10.0", "10.0", "10", "1.0 s"] in rows
    assert "3 hand-ins of 3 learners" in text
    assert "Missing: Cy Twombly (cy) ." in text
    assert "Missing: bob , Cy Twombly (cy) ." in text
    assert "What did not simply run" not in text


def test_what_the_grader_or_a_broken_file_spoiled_counts_in_no_statistic():
    spoiled = ["unreadable", "sandbox_failed", "grader_failed"]
    good = [result("ana", earned()), result("bob", question(outcome="blank"))]
    bad = [result(f"x{status}", question(outcome="not_run"), status=status) for status in spoiled]
    rows, text = told(report_html([*good, *bad]))
    assert ["1.1 · Title 1", "10", "50 %", "50 %", "fewer than 20 graded"] in [r[:5] for r in rows]
    assert "2 graded, 1 grader failed, 1 sandbox failed, 1 unreadable" in text.replace(" ,", ",")


def test_a_hand_in_that_was_stopped_counts():
    stopped = result("ana", earned(1), question(2, outcome="timed_out"), status="timed_out")
    rows, _ = told(report_html([stopped]))
    assert ["1.2 · Title 2", "10", "0 %", "0 %"] in [row[:4] for row in rows]


def test_indices_stand_in_the_table_once_the_class_is_large_enough():
    # question 1 is answered by the strong half, question 2 by all but the weakest
    strong = [result(f"s{n}", earned(1), earned(2)) for n in range(20)]
    weak = [result(f"w{n}", question(1), earned(2) if n else question(2)) for n in range(20)]
    rows, _ = told(report_html([*strong, *weak]))
    cells = {row[0]: row[4:] for row in rows if len(row) == 6}
    phi = (20 * 1 - 0 * 19) / (20 * 20 * 39 * 1) ** 0.5  # of the 2 × 2 table, by hand
    assert cells["1.1 · Title 1"] == [f"{phi:.2f}", "1.00"]


def test_misconceptions_errors_and_wrong_values_are_counted():
    wrong = question(misconception="adds instead", values=("value: 1.000000e+00",))
    near = replace(wrong, values=("value: 1.000001e+00",))
    odd = question(values=("value: 7.500000e+00",), error="ValueError: <b>7</b>", outcome="error")
    page = report_html([result(f"l{n}", q) for n, q in enumerate((wrong, near, odd, earned()))])
    rows, _ = told(page)
    assert ["1.1", "adds instead", "2", "50 %"] in rows
    assert ["1.1", "2", "adds instead", "1.000000e+00"] in rows
    assert ["1.1", "1", "not recognised", "7.500000e+00"] in rows
    assert ["1.1", "ValueError", "1"] in rows


def test_values_of_an_earned_question_are_no_wrong_values():
    right = replace(earned(), values=("value: 3.000000e+00",), misconception="x")
    assert "3.000000e+00" not in report_html([result("ana", right)])


def test_what_failed_is_named_with_its_reason_and_the_rest_is_counted():
    many = [
        result(f"l{n:03}", question(), status="timed_out", reason="The notebook did not end.")
        for n in range(MOST_TROUBLES + 3)
    ]
    rows, text = told(report_html(many))
    assert ["l000", "ex01_mini", "timed out", "The notebook did not end."] in rows
    assert sum(row[2:3] == ["timed out"] for row in rows) == MOST_TROUBLES
    assert "And 3 more" in text


def test_many_missing_are_counted():
    everyone = [result(f"l{n:03}", question(), status="missing") for n in range(MOST_NAMES + 2)]
    _, text = told(report_html(everyone))
    assert f"l{MOST_NAMES - 1:03} and 2 more." in text


def test_a_file_of_no_exercise_is_a_trouble_and_no_section():
    stranger = result("ana", exercise="essay", title="essay", status="unreadable", reason="No.")
    rows, text = told(report_html([stranger, result("bob", earned())]))
    assert ["ana", "essay", "unreadable", "No."] in rows
    assert [row[0] for row in rows].count("essay") == 0
    assert "1 learners" not in text


def test_hand_ins_of_several_keys_are_not_mixed_in_silence():
    page = report_html([result("ana", earned()), result("bob", earned(), key_sha256="other")])
    assert "graded by 2 different keys" in page
    changed = result("cy", earned(1), earned(2))
    assert report_html([result("ana", earned()), changed]).count("<section") == 2


def test_run_times_are_told():
    timed = [result(f"l{n}", earned(), seconds=float(n)) for n in range(1, 6)]
    _, text = told(report_html(timed))
    assert "Median 3.0 s. Slowest: l5 5.0 s, l4 4.0 s, l3 3.0 s." in text


def test_nobody_at_all():
    assert "0 hand-ins of 0 learners" in report_html([])


def test_every_text_is_escaped_and_names_are_kept_apart():
    evil = question(
        title=EVIL, misconception=EVIL, message=EVIL, values=(f"value: {EVIL}",), error=f"{EVIL}:"
    )
    origin = Origin(name=EVIL)
    page = report_html(
        [
            result(EVIL, evil, exercise=EVIL, title=EVIL, status=EVIL, reason=EVIL, origin=origin),
            result("ana", exercise=EVIL, title=EVIL, status="unreadable", reason=EVIL),
            result("bob", evil, status="missing", origin=origin),
        ]
    )
    assert not re.search(r"<(script|img|link|iframe)\b", page)
    assert not re.search(r"<[^>]*\s(src|href|on\w+)=", re.sub(r'="[^"]*"', "=", page))
    assert "{{ 7 * 7 }}" in page
    assert "url(" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 8
    assert "\u202e" not in re.sub('aria-label="[^"]*"', "", page)
    assert re.search(r"<bdi>[^<]*&lt;script", page)


def test_instructors_are_told_at_the_top_that_it_is_for_them_alone():
    page = report_html([result("ana", earned())])
    assert page.index("For instructors only.") < page.index("<main>")


@pytest.mark.parametrize(
    ("totals", "most", "expected"),
    [
        ([0, 2, 2], 3, [("0", 1), ("1", 0), ("2", 2), ("3", 0)]),
        ([0, 3, 40], 40, [("0–1", 1), ("2–3", 1), ("40", 1)]),
        ([], 0, [("0", 0)]),
    ],
)
def test_bars_hold_everyone(totals, most, expected):
    found = bars(totals, most)
    assert [bar for bar in found if bar[1] or most < 5] == expected
    assert sum(count for _, count in found) == len(totals)


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0 %"), (0.004, "< 1 %"), (0.5, "50 %"), (0.996, "> 99 %"), (1, "100 %")],
)
def test_what_is_not_quite_all_or_nothing_is_not_said_to_be(share, words):
    assert percent(share) == words


def test_long_values_are_shown_in_brief():
    lines = [f"value: {n}" for n in range(6)]
    assert values(lines) == "0\n1\n2\n3\n… and 2 more"
    assert values(["value: " + "9" * 500]) == "9" * 160 + " …"


def stored(folder, *results):
    for each in results:
        path = folder / "results" / each.learner / f"{each.exercise}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(result_json(each), encoding="utf-8")


def test_the_command_makes_the_report_again_from_the_results(tmp_path, capsys):
    when = Origin(handed_in=datetime(2026, 5, 1, tzinfo=UTC))
    stored(tmp_path, result("ana", earned(), origin=when), result("bob", question()))
    (tmp_path / "results" / "bob" / "half.json").write_text('{"half')
    assert main(["report", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "2 hand-ins of 2 learners" in page
    assert "half.json holds no result" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "results")]) == 2
    assert "holds no results" in capsys.readouterr().err


def test_a_large_class_is_not_held_in_memory(tmp_path):
    long_answer = question(answer="x" * 100_000, values=("value: 1.000000e+00",))
    stored(tmp_path, *(result(f"l{n:03}", long_answer) for n in range(100)))
    assert json.loads((tmp_path / "results/l000/ex01_mini.json").read_text())
    tracemalloc.start()
    write_report(tmp_path, on_fault=lambda path, fault: None)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3_000_000  # all answers together are 10 MB
