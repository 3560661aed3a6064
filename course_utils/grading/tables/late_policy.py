"""Read a late policy from its TOML file; the README shows one.

timezone: of every deadline that names no offset of its own. [penalty]: the rule of every exercise.
[exercise.NAME]: what differs in one, and its deadline. [learner.ID]: what one learner is granted.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from course_utils.grading.tables.late import Allowance, Policy, Rule, Span

Table = Mapping[str, Any]
Where = tuple[str, ...]  # the names of the tables that lead to a key, and the key

# key -> what its percent is of, and the unit that it counts
AMOUNTS = {
    "percent_per_day": ("maximum", "day"),
    "percent_per_hour": ("maximum", "hour"),
    "points_per_day": ("", "day"),
    "points_per_hour": ("", "hour"),
}
PENALTY_KEYS = {*AMOUNTS, "percent_of", "grace", "at_most", "late_mark", "cut_off"}
SPAN = re.compile(r"(\d{1,4}) (day|hour|minute)s?")


class PolicyError(ValueError):
    """The file of the policy says what cannot be meant; the message says where and why."""


class _FaultError(Exception):
    """Something is wrong at a key; where it stands in the text is found later."""

    def __init__(self, where: Where, message: str) -> None:
        super().__init__(message)
        self.where = where


def read_policy(path: Path) -> Policy:
    """The policy in the TOML file at `path`.

    Raises PolicyError, with the line, for what cannot be meant; OSError if it cannot be read.
    """
    try:
        return parse_policy(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # PolicyError, or of a file that is no UTF-8
        raise PolicyError(f"{path}: {error}") from error


def parse_policy(text: str) -> Policy:
    """The policy that `text` writes down; PolicyError says in which line it cannot be one."""
    try:
        return _policy(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(str(error)) from error
    except _FaultError as fault:
        raise PolicyError(f"line {_line_of(text, fault.where)}: {fault}") from fault


def _line_of(text: str, where: Where) -> int:
    """The line on which the key at `where` ends: the shortest beginning of the text that has it.

    The parser of the standard library tells no lines of keys.
    """
    lines = text.split("\n")
    for count in range(1, len(lines)):
        try:
            found: Any = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # in the midst of a value of several lines
        for name in where:
            found = found.get(name) if isinstance(found, dict) else None
        if found is not None:
            return count
    return len(lines)


def _policy(tree: Table) -> Policy:
    _only(tree, ("timezone", "penalty", "exercise", "learner"), ())
    zone = _zone(tree)
    default = _rule(_table(tree, "penalty", ()), Rule(), zone, ("penalty",))
    exercises, learners = _table(tree, "exercise", ()), _table(tree, "learner", ())
    rules = {
        name: _rule(_table(exercises, name, ("exercise",)), default, zone, ("exercise", name))
        for name in exercises
    }
    allowances = {
        name: _allowance(_table(learners, name, ("learner",)), ("learner", name))
        for name in learners
    }
    return Policy(default, rules, allowances)


def _zone(tree: Table) -> tzinfo | None:
    if "timezone" not in tree:
        return None
    name = _of_kind(tree, "timezone", str, (), 'a name such as "Europe/Madrid"')
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:  # a name that is no path; none that is known
        raise _FaultError(("timezone",), f"No time zone is called {name!r}.") from error
    except ZoneInfoNotFoundError as error:
        remedy = "Write a name of the IANA list, or install the package tzdata."
        raise _FaultError(("timezone",), f"No time zone {name!r} is known. {remedy}") from error


def _rule(table: Table, default: Rule, zone: tzinfo | None, where: Where) -> Rule:
    """What a table says, and for the rest what `default` does."""
    deadline = () if where == ("penalty",) else ("deadline",)
    _only(table, (*PENALTY_KEYS, *deadline), where)
    rule = _with_amount(table, default, where)
    if "deadline" in table:
        rule = replace(rule, deadline=_deadline(table, zone, where))
    if "grace" in table:
        rule = replace(rule, grace=_span(table, "grace", where))
    if "cut_off" in table:
        rule = replace(rule, cut_off=_span(table, "cut_off", where))
    if "at_most" in table:
        rule = replace(rule, at_most=_amount(table, "at_most", rule.percent_of, where))
    if "late_mark" in table:
        rule = replace(rule, late_mark=_amount(table, "late_mark", rule.percent_of, where))
    return rule


def _with_amount(table: Table, default: Rule, where: Where) -> Rule:
    """The rule with the amount of the table; another measure leaves the default's amounts."""
    rule = default
    keys = [key for key in AMOUNTS if key in table]
    if len(keys) > 1:
        raise _FaultError((*where, keys[1]), f"Both {keys[0]} and {keys[1]} are given. Keep one.")
    for key in keys:
        percent_of, unit = AMOUNTS[key]
        if bool(percent_of) != bool(default.percent_of):  # 10 percent are not 10 points
            rule = replace(default, at_most=None, late_mark=Decimal(0))
        kept = rule.percent_of or "maximum" if percent_of else ""
        amount = _amount(table, key, kept, where)
        rule = replace(rule, amount=amount, unit=unit, percent_of=kept)
    if "percent_of" in table:
        percent_of = _of_kind(table, "percent_of", str, where, '"maximum" or "earned"')
        if percent_of not in ("maximum", "earned") or not rule.percent_of:
            told = 'percent_of is "maximum" or "earned", and goes with a percentage'
            raise _FaultError((*where, "percent_of"), f"{told}, not {percent_of!r}.")
        rule = replace(rule, percent_of=percent_of)
    return rule


def _deadline(table: Table, zone: tzinfo | None, where: Where) -> datetime:
    """The deadline with a time zone: of its own, else that of the file."""
    kind = "a date and a time, without quotes, e.g. 2026-03-01T23:59:00"
    deadline: datetime = _of_kind(table, "deadline", datetime, where, kind)
    here = (*where, "deadline")
    if not 1990 <= deadline.year <= 2200:  # sums with 9999 leave the calendar
        raise _FaultError(here, f"No deadline is in {deadline.year}. Leave it out for none.")
    if deadline.tzinfo is not None:
        return deadline if zone is None else deadline.astimezone(zone)
    if zone is None:
        remedy = 'Add timezone = "Europe/Madrid" (yours) on top, or write +01:00 after the time.'
        raise _FaultError(here, f"The deadline {deadline} has no time zone. {remedy}")
    placed = deadline.replace(tzinfo=zone)
    if placed.utcoffset() != placed.replace(fold=1).utcoffset():
        remedy = "Write the offset after the time, e.g. +01:00."
        raise _FaultError(
            here, f"The clocks change at {deadline}: it comes twice or never. {remedy}"
        )
    return placed


def _allowance(table: Table, where: Where) -> Allowance:
    _only(table, ("extra", "waived"), where)
    extra = _span(table, "extra", where) if "extra" in table else Span()
    waived = table.get("waived", False)
    if isinstance(waived, bool):
        return Allowance(extra, waived=waived)
    if not isinstance(waived, list) or not all(isinstance(name, str) for name in waived):
        told = "waived is true or a list of exercises"
        raise _FaultError((*where, "waived"), f"{told}, not {waived!r}.")
    return Allowance(extra, waived_exercises=frozenset(waived))


def _span(table: Table, key: str, where: Where) -> Span:
    kind = 'a length of time in quotes, e.g. "2 days" or "90 minutes"'
    text = _of_kind(table, key, str, where, kind)
    match = SPAN.fullmatch(text.strip())
    if match is None:
        raise _FaultError((*where, key), f"{key} is {kind}, not {text!r}.")
    number, unit = int(match[1]), match[2]
    return Span(number) if unit == "day" else Span(time=timedelta(**{f"{unit}s": number}))


def _amount(table: Table, key: str, percent_of: str, where: Where) -> Decimal:
    """A penalty: 0 or more, and no more than 100 where it is a percentage."""
    kind = "a percentage from 0 to 100" if percent_of else "a number of points, 0 or more"
    value = table[key]
    given = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not given or not Decimal(value).is_finite() or value < 0 or (percent_of and value > 100):
        raise _FaultError((*where, key), f"{key} is {kind}, not {value}.")
    return Decimal(value)


def _table(tree: Table, name: str, where: Where) -> Table:
    table = tree.get(name, {})
    if not isinstance(table, dict):
        raise _FaultError((*where, name), f"{name} is a table, [{'.'.join((*where, name))}].")
    return table


def _of_kind(table: Table, key: str, kind: type, where: Where, told: str) -> Any:
    if not isinstance(table[key], kind):
        raise _FaultError((*where, key), f"{key} is {told}, not {table[key]!r}.")
    return table[key]


def _only(table: Table, known: Iterable[str], where: Where) -> None:
    """Refuse a key that is not known: a misspelt one would be a rule that is not applied."""
    for key in table:
        if key not in known:
            place = f"in [{'.'.join(where)}]" if where else "at the top"
            names = ", ".join(sorted(known))
            raise _FaultError((*where, key), f"Nothing {place} is called {key!r}, only: {names}.")
