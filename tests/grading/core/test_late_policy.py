"""The file of a late policy: what it says is meant, and what it cannot mean is refused."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest

from course_utils.grading.tables.late import Allowance, Policy, Rule, Span
from course_utils.grading.tables.late_policy import PolicyError, parse_policy, read_policy

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
EXAMPLE = README.partition("```toml\n")[2].partition("```")[0]


def test_the_example_of_the_readme():
    policy = parse_policy(EXAMPLE)
    default = Rule(
        grace=Span(time=timedelta(minutes=15)),
        amount=Decimal(10),
        at_most=Decimal(50),
        late_mark=Decimal(10),
        cut_off=Span(7),
    )
    assert policy.default == policy.rule("ex02") == default
    deadline = policy.rule("ex01_chain_rule").deadline
    assert str(deadline.tzinfo) == "Europe/Madrid"
    assert deadline.astimezone(UTC) == datetime(2026, 3, 1, 22, 59, tzinfo=UTC)
    assert policy.rule("ex01_chain_rule").amount == 10
    assert policy.allowances == {
        "ana@example.org": Allowance(Span(2)),
        "1017": Allowance(waived_exercises=frozenset({"ex01_chain_rule"})),
    }


def test_an_empty_file_takes_nothing_away():
    assert parse_policy("") == Policy()


def test_decimals_are_exact():
    assert parse_policy("[penalty]\npoints_per_day = 0.1").default.amount == Decimal("0.1")


def test_an_offset_needs_no_time_zone_and_is_moved_into_one():
    text = "[exercise.ex01]\ndeadline = 2026-03-01T23:59:00+01:00"
    plus_one = timezone(timedelta(hours=1))
    assert parse_policy(text).rule("ex01").deadline.utcoffset() == plus_one.utcoffset(None)
    zoned = parse_policy(f'timezone = "Asia/Tokyo"\n{text}').rule("ex01").deadline
    assert zoned.isoformat() == "2026-03-02T07:59:00+09:00"


def test_another_measure_drops_the_amounts_of_the_default():
    text = """
        [penalty]
        percent_per_day = 10
        at_most = 50
        late_mark = 10

        [exercise.ex01]
        points_per_hour = 1

        [exercise.ex02]
        percent_per_hour = 1
        percent_of = "earned"
    """
    policy = parse_policy(dedent(text))
    assert policy.rule("ex01") == Rule(amount=Decimal(1), unit="hour", percent_of="")
    assert policy.rule("ex02").at_most == 50
    assert (policy.rule("ex02").unit, policy.rule("ex02").percent_of) == ("hour", "earned")


REFUSED = {
    "unknown at the top": ("x = 1\n", "line 1: Nothing at the top is called 'x'"),
    "misspelt": ("[penalty]\n\ngrace = '1 day'\nat_mots = 5\n", "line 4: Nothing in .penalty."),
    "no deadline for all": ("[penalty]\ndeadline = 2026-01-01T00:00:00Z\n", "line 2: Nothing in"),
    "unknown of a learner": ("[learner.17]\nbonus = 1\n", "line 2: Nothing in .learner.17."),
    "no table": ("exercise = 1\n", "line 1: exercise is a table"),
    "no table below": ("[exercise]\nex01 = 1\n", "line 2: ex01 is a table, .exercise.ex01."),
    "no zone": (
        "[exercise.ex01]\ndeadline = 2026-01-01T00:00:00\n",
        "line 2: The deadline 2026-01-01 00:00:00 has no time zone. Add timezone",
    ),
    "unknown zone": ("timezone = 'Mars/Olympus'\n", "line 1: No time zone 'Mars/Olympus'"),
    "zone as a path": ("timezone = '../../etc/passwd'\n", "line 1: No time zone"),
    "zone as a number": ("timezone = 1\n", "line 1: timezone is a name such as"),
    "a date alone": (
        "timezone = 'UTC'\n[exercise.ex01]\ndeadline = 2026-01-01\n",
        "line 3: deadline is a date and a time",
    ),
    "a time that comes twice": (
        "timezone = 'Europe/Madrid'\n[exercise.ex01]\ndeadline = 2026-10-25T02:30:00\n",
        "line 3: The clocks change at 2026-10-25 02:30:00",
    ),
    "a time that never comes": (
        "timezone = 'Europe/Madrid'\n[exercise.ex01]\ndeadline = 2026-03-29T02:30:00\n",
        "line 3: The clocks change",
    ),
    "a year beyond": (
        "[exercise.ex01]\ndeadline = 9999-12-31T23:59:59Z\n",
        "line 2: No deadline is in 9999. Leave it out",
    ),
    "two amounts": (
        "[penalty]\npercent_per_day = 1\npoints_per_day = 1\n",
        "line 3: Both percent_per_day and points_per_day",
    ),
    "more than all": ("[penalty]\npercent_per_day = 101\n", "line 2: percent_per_day is a perc"),
    "less than nothing": ("[penalty]\npoints_per_day = -1\n", "line 2: points_per_day is a num"),
    "no number": ("[penalty]\npoints_per_day = nan\n", "line 2: points_per_day is a number"),
    "a boolean": ("[penalty]\nat_most = true\n", "line 2: at_most is a percentage"),
    "text": ("[penalty]\nlate_mark = '10'\n", "line 2: late_mark is a percentage"),
    "a bare number of days": ("[penalty]\ngrace = 2\n", "line 2: grace is a length of time"),
    "another unit": ("[penalty]\ncut_off = '2 weeks'\n", "line 2: cut_off is a length of time"),
    "percent of what": (
        "[penalty]\npercent_per_day = 1\npercent_of = 'class'\n",
        "line 3: percent_of is .* not 'class'",
    ),
    "percent of points": (
        "[penalty]\npoints_per_day = 1\npercent_of = 'earned'\n",
        "line 3: percent_of is .* goes with a percentage",
    ),
    "waived what": ("[learner.17]\nwaived = [\n 1,\n]\n", "line 4: waived is true or a list"),
    "no TOML": ("[penalty\n", "at line 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused_with_its_line(name):
    text, told = REFUSED[name]
    with pytest.raises(PolicyError, match=told):
        parse_policy(text)


def test_a_file_is_named_where_it_is_refused(tmp_path):
    path = tmp_path / "late.toml"
    path.write_text("\ufeff" + EXAMPLE, encoding="utf-8")
    assert read_policy(path) == parse_policy(EXAMPLE)
    path.write_bytes(b"\xff")
    with pytest.raises(PolicyError, match=r"late\.toml: 'utf-8' codec"):
        read_policy(path)
