"""Late hand-ins: what they lose, to the cent, and never more than there is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.grading.grade import Result
from course_utils.grading.hand_ins import Origin
from course_utils.grading.tables.late import (
    NO_POLICY,
    Allowance,
    Policy,
    Rule,
    Span,
    final_points,
    strangers,
)

MADRID = ZoneInfo("Europe/Madrid")
DEADLINE = datetime(2026, 3, 1, 23, 59, tzinfo=MADRID)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
RESULT = Result(
    learner="ana",
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
)
TEN_PERCENT_A_DAY = Rule(deadline=DEADLINE, amount=Decimal(10))


def came(after, rule=TEN_PERCENT_A_DAY, *, deadline=DEADLINE, granted=None, **origin):
    """The final points of a hand-in that came `after` the deadline, by the second."""
    handed_in = deadline.astimezone(UTC) + after
    result = replace(RESULT, origin=Origin(handed_in=handed_in, **origin))
    policy = Policy(rules={"ex01": replace(rule, deadline=deadline)}, allowances=granted or {})
    return final_points(result, policy)


def marked(rule, granted=None, **origin):
    """The final points of a hand-in of which the LMS says late, and no time."""
    policy = Policy(rule, allowances=granted or {})
    return final_points(replace(RESULT, origin=Origin(late=True, **origin)), policy)


@pytest.mark.parametrize(
    ("after", "points"),
    [
        (-DAY, "17"),
        (timedelta(), "17"),
        (SECOND, "15"),
        (DAY, "15"),
        (DAY + SECOND, "13"),
        (8 * DAY, "1"),
        (9 * DAY, "0"),
    ],
)
def test_each_started_day_costs(after, points):
    assert came(after).points == Decimal(points)


def test_each_started_hour_costs():
    rule = Rule(amount=Decimal("0.5"), unit="hour", percent_of="")
    lost = {hours: came(hours * HOUR, rule).penalty for hours in (0, 0.5, 1, 1.5, 10)}
    assert lost == {0: 0, 0.5: Decimal("0.5"), 1: Decimal("0.5"), 1.5: 1, 10: 5}


def test_the_measure_of_the_penalty():
    amount = Decimal(10)
    of = {name: came(SECOND, Rule(amount=amount, percent_of=name)) for name in ("earned", "")}
    assert of["earned"].points == Decimal("15.3")
    assert of[""].points == 7


def test_within_the_grace_nothing_is_lost_and_after_it_the_deadline_counts():
    rule = Rule(amount=Decimal(1), unit="hour", percent_of="", grace=Span(time=2 * HOUR))
    assert came(2 * HOUR, rule).penalty == 0
    assert not came(2 * HOUR, rule).late
    assert came(2 * HOUR + SECOND, rule).penalty == 3


def test_the_cap_and_the_cut_off():
    rule = Rule(amount=Decimal(10), at_most=Decimal(25), cut_off=Span(7))
    assert came(7 * DAY, rule).points == 12
    assert came(7 * DAY + SECOND, rule).points == 0
    assert came(7 * DAY + SECOND, rule).penalty == 17
    assert came(7 * DAY + SECOND, rule).reason == "after the cut-off"


def test_points_are_rounded_half_up_and_the_penalty_is_the_rest():
    rule = Rule(amount=Decimal("0.115"), percent_of="")  # 16.885: half to even would be 16.88
    assert came(SECOND, rule).points == Decimal("16.89")
    assert came(SECOND, rule).penalty == Decimal("0.11")


def test_the_latest_deadline_that_was_granted_counts():
    granted = {"ana": Allowance(Span(time=3 * HOUR)), "17": Allowance(Span(1))}
    assert came(DAY, granted=granted, ids=("17",)).penalty == 0
    assert came(DAY + SECOND, granted=granted, ids=("17",)).penalty == 2
    assert came(DAY, granted={"18": Allowance(Span(1))}, ids=("17",)).penalty == 2


def test_a_waived_learner_is_never_late():
    for allowance in (Allowance(waived=True), Allowance(waived_exercises=frozenset({"ex01"}))):
        final = came(90 * DAY, granted={"17": allowance}, ids=("17",))
        assert (final.points, final.late, final.reason) == (17, False, "waived")
    other = Allowance(waived_exercises=frozenset({"ex02"}))
    assert came(DAY, granted={"ana": other}).penalty == 2


def test_without_a_time_the_mark_of_the_lms_costs_what_the_policy_says():
    rule = Rule(late_mark=Decimal(10))
    assert marked(rule).points == 15
    assert marked(replace(rule, at_most=Decimal(5))).points == 16
    assert marked(Rule()).late
    assert marked(Rule()).points == 17
    assert marked(replace(rule, deadline=DEADLINE)).points == 15  # a deadline, but no time
    assert came(-DAY, late=True).penalty == 0  # a time is better than the mark


def test_the_mark_is_not_held_against_a_learner_with_extra_time():
    final = marked(Rule(late_mark=Decimal(10)), {"ana": Allowance(Span(1))})
    assert (final.points, final.late) == (17, False)
    assert marked(Rule(late_mark=Decimal(10)), {"ana": Allowance()}).points == 15


def test_without_a_policy_the_points_are_the_raw_ones():
    result = replace(RESULT, origin=Origin(handed_in=datetime(2100, 1, 1, tzinfo=UTC)))
    assert final_points(result, NO_POLICY).points == 17


def test_a_time_without_a_time_zone_is_refused():
    result = replace(RESULT, origin=Origin(handed_in=datetime(2026, 3, 1)))
    with pytest.raises(ValueError, match="ana/ex01 was handed in at 2026-03-01 00:00:00, without"):
        final_points(result, Policy(TEN_PERCENT_A_DAY))


@pytest.mark.parametrize(
    ("deadline", "hours"),
    [
        (datetime(2026, 3, 28, 23, 59, tzinfo=MADRID), 23),  # the night of 02:00 -> 03:00
        (datetime(2026, 10, 24, 23, 59, tzinfo=MADRID), 25),  # the night of 03:00 -> 02:00
    ],
)
def test_a_day_ends_at_the_same_time_on_the_clock_when_the_clocks_change(deadline, hours):
    assert came(hours * HOUR, deadline=deadline).penalty == 2
    assert came(hours * HOUR + SECOND, deadline=deadline).penalty == 4
    granted = {"ana": Allowance(Span(1))}
    assert came(hours * HOUR, deadline=deadline, granted=granted).penalty == 0
    assert came(hours * HOUR + SECOND, deadline=deadline, granted=granted).penalty == 2


def test_an_hour_is_an_hour_when_the_clocks_change():
    deadline = datetime(2026, 10, 25, 2, 30, tzinfo=MADRID)  # the first 02:30 of that night
    rule = Rule(amount=Decimal(1), unit="hour", percent_of="")
    assert came(HOUR, rule, deadline=deadline).penalty == 1  # the second 02:30
    grace = replace(rule, grace=Span(time=HOUR / 2))
    assert came(HOUR / 2 + SECOND, grace, deadline=deadline).penalty == 1
    second = {"ana": Allowance(Span(time=HOUR)), "17": Allowance(Span(time=HOUR / 4))}
    assert came(HOUR, rule, deadline=deadline, granted=second, ids=("17",)).penalty == 0
    local = replace(RESULT, origin=Origin(handed_in=deadline.replace(hour=2, minute=15, fold=1)))
    assert final_points(local, Policy(replace(rule, deadline=deadline))).penalty == 1


amounts = st.decimals(0, 100, places=3)
spans = st.builds(
    Span, st.integers(0, 9), st.integers(0, 90_000).map(lambda seconds: timedelta(seconds=seconds))
)
rules = st.builds(
    Rule,
    deadline=st.datetimes(
        datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.sampled_from([MADRID, UTC])
    ),
    grace=spans,
    amount=amounts,
    unit=st.sampled_from(["day", "hour"]),
    percent_of=st.sampled_from(["maximum", "earned", ""]),
    at_most=st.none() | amounts,
    late_mark=amounts,
    cut_off=st.none() | spans,
)
lateness = st.integers(-100_000, 20 * 86_400).map(lambda seconds: timedelta(seconds=seconds))


@given(rules, lateness, lateness)
def test_later_is_never_better_and_never_below_nothing(rule, one, other):
    early, late = (came(after, rule, deadline=rule.deadline) for after in sorted((one, other)))
    assert 0 <= late.points <= early.points <= 17
    for final in (early, late):
        assert final.points + final.penalty == final.raw == 17
        assert final.points == final.points.quantize(Decimal("0.01"))


@given(rules, lateness)
def test_the_grace_and_the_cap_are_kept(rule, after):
    final = came(after, rule, deadline=rule.deadline)
    handed_in = rule.deadline.astimezone(UTC) + after
    if handed_in <= rule.grace.after(rule.deadline).astimezone(UTC):
        assert final.penalty == 0
    if rule.at_most is not None and final.reason != "after the cut-off":
        base = {"maximum": 20, "earned": 17, "": 100}[rule.percent_of]
        assert final.penalty <= rule.at_most * base / 100 + Decimal("0.005")


@given(rules, lateness, spans)
def test_extra_time_is_never_worse(rule, after, extra):
    granted = {"ana": Allowance(extra)}
    usual = came(after, rule, deadline=rule.deadline)
    assert came(after, rule, deadline=rule.deadline, granted=granted).points >= usual.points


def test_names_that_no_result_has_are_told():
    policy = Policy(
        rules={"ex01": Rule(), "ex1": Rule()},
        allowances={"ana": Allowance(), "17": Allowance(), "71": Allowance()},
    )
    result = replace(RESULT, origin=Origin(ids=("17",)))
    assert strangers(policy, [result]) == ["exercise ex1", "learner 71"]
