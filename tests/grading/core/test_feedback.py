"""The feedback page: it says what it must, gives nothing away, and runs nothing."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from course_utils.grading.batches.batch import grade_folder
from course_utils.grading.batches.resume import Terms, plan
from course_utils.grading.grade import ENDINGS, QuestionResult, Result
from course_utils.grading.hand_ins import Origin
from course_utils.grading.intake import find_hand_ins
from course_utils.grading.pages.feedback import (
    LONG,
    OUTCOME_WORDS,
    STATUS_WORDS,
    VISIBLE_WORDS,
    emphasised,
    feedback_html,
)
from course_utils.grading.tables.late import Final, Policy, Rule

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e"


def question(**fields):
    return QuestionResult(
        **{
            "number": "1.1",
            "slug": "double",
            "title": "Twice",
            "points": 0,
            "max_points": 7,
            "outcome": "not_earned",
            **fields,
        }
    )


def result(*questions, **fields):
    return Result(
        **{
            "learner": "Ana",
            "exercise": "ex01_mini",
            "title": "Exercise 01 · Mini",
            "status": "graded",
            "reason": "",
            "points": sum(q.points for q in questions),
            "max_points": sum(q.max_points for q in questions),
            "questions": questions,
            "sandboxed": True,
            "hand_in_sha256": "",
            "key_sha256": "",
            "grader": "0",
            "seconds": 1.0,
            **fields,
        }
    )


class Page(HTMLParser):
    """The tags, attributes and text of a page; fails on tags that do not close."""

    VOID = ("meta",)

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], "", []
        self.headings = []
        self.feed(html)
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_every_text_of_a_learner_is_escaped():
    evil = question(
        title=EVIL, misconception=EVIL, advice=EVIL, message=EVIL, number=EVIL, answer=EVIL
    )
    told = replace(evil, advice="", message=EVIL)
    named = Origin(name=EVIL, handed_in=datetime(2026, 5, 1, tzinfo=UTC))
    for origin in (Origin(), named):
        whole = result(evil, told, learner=EVIL, exercise=EVIL, title=EVIL, origin=origin)
        final = Final(raw=7, points=Decimal(7), late=True, reason=EVIL)
        page = Page(feedback_html(whole, final=final))
        assert not {"script", "img"} & set(page.tags)
        assert page.text.count("<script>alert(1)</script>") > 9
        assert page.text.count("{{ 7 * 7 }}") > 9


def test_no_name_or_code_can_reorder_what_stands_around_it():
    learners = question(message="a\u202eb", answer="x = 1  # \u2066 hidden")
    html = feedback_html(result(learners, learner="a\u202eb\u2069"))
    assert not set(html) & set("\u202e\u2066\u2069")
    text = Page(html).text
    for shown in ("aU+202EbU+2069", "aU+202Eb", "# U+2066 hidden"):
        assert shown in text
    assert "<bdi" in html


def test_nothing_of_the_hidden_check_is_on_the_page(mini):
    secret = question(values=("value: 9.87654321e-01",), error="IndexError: secret 42")
    shapes = [
        secret,
        replace(secret, message="Not right.", answer="x = 1"),
        replace(secret, advice="Multiply.", misconception="adds", slug="double"),
        replace(secret, outcome="earned", visible="passed", answer="x = 1"),
    ]
    html = feedback_html(result(*shapes), mini)
    for told in ("9.87654321", "secret", "rng.uniform", "_hidden", "as the author worked it"):
        assert told not in html


def test_what_was_asked_stands_on_the_page(mini):
    page = Page(feedback_html(result(question(slug="double"), question(slug="gone")), mini))
    assert page.text.count("Return the double of x.") == 1
    assert "Return the cube of x." not in page.text
    assert "Return" not in feedback_html(result(question(slug="double")))


def test_the_learners_code_is_on_the_page_and_long_code_is_folded():
    short = question(answer="def double(x):\n    return x")
    long = replace(short, answer="x = 1\n" * (LONG + 1))
    right = replace(short, outcome="earned")
    for answered, opened in ((short, True), (long, False), (right, False)):
        html = feedback_html(result(answered))
        assert ("<details open>" in html) == opened
        assert answered.answer.strip() in Page(html).text
    assert "<details" not in feedback_html(result(question(outcome="blank")))
    assert "(1 line)" in feedback_html(result(replace(short, answer="x = 1\n")))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"visible": "passed", "advice": "Multiply."}, VISIBLE_WORDS["passed"]),
        ({"visible": "error", "advice": "Multiply."}, VISIBLE_WORDS["error"]),
        ({"visible": "passed", "message": "The visible check is satisfied, but"}, ""),
        ({"visible": "passed", "outcome": "earned", "points": 7}, ""),
        ({"visible": "error", "outcome": "earned", "points": 7}, VISIBLE_WORDS["error"]),
        ({"visible": "not_run"}, ""),
    ],
)
def test_the_visible_check_is_told_where_that_adds_something(fields, told):
    html = feedback_html(result(question(answer="x = 1", **fields)))
    assert [words for words in set(VISIBLE_WORDS.values()) if words in html] == [told] * bool(told)


def test_when_it_came_and_what_that_cost():
    when = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    origin = Origin(name="Ana Ö", handed_in=when, late=True, attempt=2)
    final = Final(
        raw=7,
        points=Decimal("6.30"),
        penalty=Decimal("0.70"),
        late=True,
        reason="1 started day late",
    )
    html = feedback_html(result(question(), origin=origin), final=final)
    text = " ".join(Page(html).text.split())
    assert "Ana Ö · ex01_mini · handed in 2026-05-01 12:30 UTC · attempt 2 · late" in text
    assert "1 started day late: 0.7 taken off, 6.3 of 7 points count." in text
    waived = Final(raw=7, points=Decimal(7), reason="waived")
    assert "Waived: nothing is taken off." in feedback_html(result(question()), final=waived)
    in_time = Final(raw=7, points=Decimal(7))
    assert feedback_html(result(question()), final=in_time) == feedback_html(result(question()))
    plain = Page(feedback_html(result(question()))).text
    assert not any(word in plain for word in ("handed in", "attempt", "late"))


def test_a_reader_who_cannot_see_finds_their_way(mini):
    asked = question(slug="double", answer="x = 1")
    page = Page(feedback_html(result(asked, replace(asked, number="1.2")), mini))
    assert page.headings == [1, 2, 2]
    assert {"header", "main", "footer"} <= set(page.tags)
    assert ("lang", "en") in page.attributes
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert len(labels) == len(set(labels)) == 5  # of the score, and of two boxes a question
    assert page.attributes.count(("tabindex", "0")) == 4


def test_the_page_needs_no_other_file():
    page = Page(feedback_html(result(question())))
    assert not {"link", "script", "img", "iframe"} & set(page.tags)
    assert not {"src", "href", "onclick"} & {name for name, _ in page.attributes}
    assert "url(" not in page.text
    assert "@import" not in page.text
    for word in ("prefers-color-scheme: dark", "@media print"):
        assert word in page.text


def test_points_verdict_and_advice_stand_on_the_page():
    page = Page(
        feedback_html(
            result(
                question(outcome="earned", points=7),
                question(number="1.2", misconception="adds instead", advice="Multiply."),
                question(number="1.3", outcome="blank", message="Not answered yet."),
            )
        )
    )
    words = " ".join(page.text.split())
    for expected in ("7 of 21 points", "✓ Right", "adds instead", "Multiply.", "– Not answered"):
        assert expected in words
    assert "33.3%" in dict(page.attributes)["style"]


def test_advice_stands_in_place_of_the_message_that_would_repeat_it():
    page = Page(feedback_html(result(question(advice="Multiply.", message="values not right"))))
    assert "values not right" not in page.text


@pytest.mark.parametrize("status", [*ENDINGS, "unreadable", "grader_failed"])
def test_a_hand_in_that_did_not_end_well_is_explained(status):
    page = Page(feedback_html(result(question(outcome=status), status=status, reason="a detail")))
    assert STATUS_WORDS[status] in page.text
    assert ("a detail" in page.text) == (status == "unreadable")


def test_a_page_without_points_or_questions_is_whole():
    page = Page(feedback_html(result(status="unreadable", reason="No exercise has this name.")))
    assert "No exercise has this name." in page.text


def test_a_run_without_a_sandbox_is_stamped():
    assert "without a sandbox" in feedback_html(result(question(), sandboxed=False))
    assert "without a sandbox" not in feedback_html(result(question()))


def test_every_outcome_has_words():
    for outcome in (*OUTCOME_WORDS, *ENDINGS):
        page = Page(feedback_html(result(question(outcome=outcome))))
        assert OUTCOME_WORDS.get(outcome, "Was stopped") in page.text


def test_every_text_can_be_read_on_its_ground(contrast_pairs):
    for ground, text, ratio in contrast_pairs:
        assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"


TEXTS_ON = {
    "page": ["text", "quiet", "right", "wrong"],
    "card": ["text", "quiet", "right", "wrong"],
    "note": ["text"],
    "code": ["text", "quiet", "wrong", "keyword", "string", "number", "built-in"],
}


@pytest.fixture
def contrast_pairs():
    """WCAG 2 contrast of each text colour on each ground, in light, dark and print."""
    pairs = []
    for theme in re.findall(r":root \{(.*?)\}", feedback_html(result(question())), re.DOTALL):
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", theme))
        for ground, texts in TEXTS_ON.items():
            for text in texts:
                first, second = sorted(map(luminance, (colours[ground], colours[text])))
                pairs.append((colours[ground], colours[text], (second + 0.05) / (first + 0.05)))
    assert len(pairs) == 48
    return pairs


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("take *all* the links", "take <em>all</em> the links"),
        ("*between it and the output*, so", "<em>between it and the output</em>, so"),
        ("1 - h**2 with what *leaves* it", "1 - h**2 with what <em>leaves</em> it"),
        ("2*3*4 and a * b * c", "2*3*4 and a * b * c"),
        ("*<b>*", "*&lt;b&gt;*"),
    ],
)
def test_single_asterisks_emphasise_and_nothing_else_becomes_markup(text, shown):
    assert emphasised(text) == shown


def test_a_page_tells_what_the_policy_of_today_takes_off(
    folder, keys, hand_in, run_in_process, at_once, tmp_path
):
    path = folder(ana=hand_in({"double": "def double(x):\n    return x + x"}))
    for percent, told in ((0, "nothing is taken off"), (10, "2 taken off, 5 of 7 points count")):
        policy = Policy(default=Rule(late_mark=Decimal(percent)))
        planned = plan(find_hand_ins(path, keys).hand_ins, keys, tmp_path, Terms(sandboxed=False))
        late = [
            replace(task, hand_in=replace(task.hand_in, origin=Origin(late=True)))
            for task in planned
        ]
        grade_folder(late, keys, tmp_path, run=run_in_process, executor=at_once(), policy=policy)
        assert told in (tmp_path / "feedback/ana/ex01_mini.html").read_text(encoding="utf-8")
