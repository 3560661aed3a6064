"""The mutation test of the grader: every popular answer to every real exercise is handed in.

The questions of an exercise are independent, so one hand-in carries one popular answer to each of
them. It is graded as a learner's is: from the bytes of the released notebook, in the sandbox.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course_utils.grading.exercise import Exercise, Question, parse
from course_utils.grading.fingerprints import (
    PopularAnswer,
    Runner,
    answer_source,
    read_popular,
    rounds,
)
from course_utils.grading.grade import QuestionResult, Result, grade_one, refused
from course_utils.grading.key import Key, read_key
from course_utils.grading.lint import printed
from course_utils.grading.pages.feedback import feedback_html
from course_utils.grading.release import read_exercise, release_folder
from course_utils.grading.running.run import Limits, RunOutcome, SandboxUnavailable, find_sandbox
from course_utils.grading.running.workers import PooledRunner
from course_utils.grading.values import numbers

SOLUTIONS, EXERCISES = (Path(__file__).parents[1] / name for name in ("solutions", "exercises"))
NAMES = sorted(path.stem for path in SOLUTIONS.glob("ex*.ipynb"))
CONSTANT, SIGN, LIBRARY = "a constant", "the sign is flipped", "course_utils"
# Right in value and wrong in cost: it runs into the time limit, after which nothing else is run.
ENDLESS = "walks along the links"
# What only the hidden inputs can tell from a right answer; the visible checks tick.
CONVINCING = {
    "a centred difference instead of the chain rule",
    "hands the work to the course's own gradient check",
}


def solution(name: str) -> Exercise:
    return read_exercise(SOLUTIONS / f"{name}.ipynb")


def popular(name: str) -> list[PopularAnswer]:
    return read_popular(SOLUTIONS / f"{name}.toml", solution(name))


def questions() -> list[tuple[str, Question]]:
    return [(name, question) for name in NAMES for question in solution(name).questions]


def answers(kind: str) -> list[Any]:
    return [
        pytest.param(name, answer, id=f"{name[:4]}-{answer.question}-{answer.name}")
        for name in NAMES
        for answer in popular(name)
        if answer.kind == kind and answer.name != ENDLESS
    ]


def hand_in(name: str, sources: dict[str, str]) -> bytes:
    """The released notebook of exercise `name` with `sources` (slug -> cell) typed in."""
    notebook = nbformat.read(EXERCISES / f"{name}.ipynb", as_version=4)
    exercise = parse(notebook, name, student=True)
    for question in exercise.questions:
        if question.slug in sources:
            exercise.cell(question, "answer").source = sources[question.slug]
    return nbformat.writes(notebook).encode()


def once(run: Runner) -> Runner:
    """Run a hand-in whole, and not each answer alone again: here none can spoil another."""
    outcomes: list[RunOutcome] = []

    def run_or_recall(notebook: nbformat.NotebookNode) -> RunOutcome:
        if not outcomes:
            outcomes.append(run(notebook))
        return outcomes[0]

    return run_or_recall


@pytest.fixture(scope="module")
def run() -> Runner:
    """How `course grade` runs hand-ins; skipped where no sandbox can start, but not under CI."""
    try:
        find_sandbox()
    except SandboxUnavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    return PooledRunner(limits=Limits(cell_seconds=5), size=2)


@pytest.fixture(scope="module")
def keys() -> dict[str, Key]:
    return {name: read_key(SOLUTIONS / f"{name}.ipynb") for name in NAMES}


@pytest.fixture(scope="module")
def graded(run: Runner, keys: dict[str, Key]) -> dict[tuple[str, str, str], QuestionResult]:
    """The result of every popular answer, by exercise, question and the answer's name."""

    def grade_round(name: str, row: tuple[PopularAnswer, ...]) -> Result:
        slugs = {question.slug: question for question in keys[name].exercise.questions}
        sources = {a.question: answer_source(slugs[a.question], a.code) for a in row}
        return grade_one(hand_in(name, sources), keys[name], learner="popular", run=once(run))

    table: dict[tuple[str, str, str], QuestionResult] = {}
    with ThreadPoolExecutor(2) as executor:
        for name in NAMES:
            listed = [answer for answer in popular(name) if answer.name != ENDLESS]
            rows = list(rounds(solution(name), listed))
            results = executor.map(partial(grade_round, name), rows)
            for row, result in zip(rows, results, strict=True):
                names = {answer.question: answer.name for answer in row}
                for question in result.questions:
                    if question.slug in names:
                        table[name, question.slug, names[question.slug]] = question
    return table


def must_earn(result: QuestionResult) -> None:
    assert (result.outcome, result.points) == ("earned", result.max_points), result
    assert result.visible == "passed", result


def must_not_earn(result: QuestionResult, answer: PopularAnswer) -> None:
    """Score 0, and be told the misconception's own name and message."""
    assert (result.outcome, result.points) != ("earned", result.max_points), f"earned: {result}"
    assert result.points == 0, result
    assert (result.visible == "passed") == (answer.name in CONVINCING), result
    if LIBRARY in answer.code and answer.name not in CONVINCING:
        assert "ModuleNotFoundError" in result.message or "NameError" in result.message, result
    else:
        assert (result.misconception, result.advice) == (answer.name, answer.message), result


@pytest.mark.parametrize(("name", "answer"), answers("equivalent"))
def test_an_equivalent_answer_earns_its_points(graded, name, answer):
    must_earn(graded[name, answer.question, answer.name])


@pytest.mark.parametrize(("name", "answer"), answers("wrong"))
def test_a_wrong_answer_earns_nothing_and_is_named(graded, name, answer):
    must_not_earn(graded[name, answer.question, answer.name], answer)


def secrets(key: Key, question: Question, result: QuestionResult) -> set[str]:
    """What no page may tell: lines of the worked answer and the hidden check, and its numbers."""
    cells = [key.exercise.cell(question, role) for role in ("answer", "hidden")]
    told = {line.strip() for cell in cells for line in cell.source.split("\n")}
    printed_lines = [*printed(cells[1]).split("\n"), *result.values]
    told |= {number for line in printed_lines for number in numbers(line)}
    if result.visible == "passed":  # else the visible check has raised the same, and says so
        told.add(result.error)
    public = [cell.source for cell in key.exercise.notebook.cells if cell.cell_type == "markdown"]
    public += [key.exercise.cell(question, "visible").source, key.exercise.blank(question)]
    public += [result.answer, result.advice]
    return {text for text in told if len(text) > 8 and not any(text in open_ for open_ in public)}


def leaks(page: str, key: Key, question: Question, result: QuestionResult) -> list[str]:
    """The secrets that stand on `page`, in its text or in its markup."""
    texts = (page, html.unescape(re.sub("<[^>]*>", "", page)))
    found = secrets(key, question, result)
    return [secret for secret in found if any(secret in text for text in texts)]


def page_of(key: Key, result: QuestionResult) -> str:
    whole = refused(b"", key, learner="popular", reason="", status="graded")
    return feedback_html(replace(whole, questions=(result,)), key.exercise)


@pytest.mark.parametrize("name", NAMES)
def test_no_page_of_a_popular_answer_gives_a_hidden_check_away(graded, keys, name):
    key = keys[name]
    slugs = {question.slug: question for question in key.exercise.questions}
    for (exercise, slug, answer), result in graded.items():
        if exercise == name:
            assert secrets(key, slugs[slug], result), answer
            assert not leaks(page_of(key, result), key, slugs[slug], result), answer


@pytest.mark.usefixtures("run")
def test_an_answer_that_takes_hours_earns_nothing_and_costs_no_other_question(keys):
    (name, walk) = next((n, a) for n in NAMES for a in popular(n) if a.name == ENDLESS)
    exercise = keys[name].exercise
    sources = {q.slug: exercise.cell(q, "answer").source for q in exercise.questions}
    slow = next(q for q in exercise.questions if q.slug == walk.question)
    sources[slow.slug] = answer_source(slow, walk.code)
    hasty = PooledRunner(limits=Limits(cell_seconds=4))
    result = grade_one(hand_in(name, sources), keys[name], learner="slow", run=hasty)
    assert result.points == exercise.points - slow.points
    (late,) = [q for q in result.questions if q.slug == slow.slug]
    assert (late.outcome, late.points) == ("timed_out", 0)
    assert (late.misconception, late.advice) == (walk.name, walk.message)


@pytest.mark.parametrize("name", NAMES)
def test_the_worked_answers_earn_everything(run, keys, name):
    exercise = keys[name].exercise
    sources = {q.slug: exercise.cell(q, "answer").source for q in exercise.questions}
    result = grade_one(hand_in(name, sources), keys[name], learner="worked", run=run)
    assert (result.status, result.points, result.max_points) == ("graded", 20, 20)
    for question in result.questions:
        must_earn(question)


@pytest.mark.parametrize(
    ("name", "question"), [pytest.param(n, q, id=f"{n[:4]}-{q.slug}") for n, q in questions()]
)
def test_each_question_stands_alone(run, keys, name, question):
    source = keys[name].exercise.cell(question, "answer").source
    data = hand_in(name, {question.slug: source})
    result = grade_one(data, keys[name], learner="one", run=run)
    assert result.points == question.points
    assert {q.slug: q.outcome for q in result.questions} == {
        q.slug: "earned" if q == question else "blank" for q in keys[name].exercise.questions
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_exercise_earns_nothing(run, keys, name):
    result = grade_one(hand_in(name, {}), keys[name], learner="blank", run=run)
    assert (result.status, result.points) == ("graded", 0)
    assert {question.outcome for question in result.questions} == {"blank"}


@pytest.mark.parametrize(
    ("name", "question"), [pytest.param(n, q, id=f"{n[:4]}-{q.slug}") for n, q in questions()]
)
def test_each_question_lists_the_popular_answers(name, question):
    own = [answer for answer in popular(name) if answer.question == question.slug]
    names = [answer.name for answer in own]
    wrong = [answer for answer in own if answer.kind == "wrong"]
    assert len(names) == len(set(names))
    assert CONSTANT in names
    assert SIGN in names
    assert any(LIBRARY in answer.code for answer in wrong)
    assert len(own) - len(wrong) >= 2, "two right answers written another way"
    assert all(answer.message for answer in wrong if answer.name != CONSTANT)
    assert len({answer.message for answer in wrong}) == len(wrong), "one message twice"
    assert len(wrong) >= 8


def test_the_committed_exercises_are_those_of_the_solutions(tmp_path):
    release_folder(SOLUTIONS, tmp_path)
    fresh = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert fresh == {path.name: path.read_bytes() for path in EXERCISES.glob("*.ipynb")}


# The guards above must be able to fail.


def result_of(run: Runner, key: Key, answer: PopularAnswer) -> QuestionResult:
    (question,) = [q for q in key.exercise.questions if q.slug == answer.question]
    source = answer_source(question, answer.code)
    result = grade_one(hand_in(key.name, {question.slug: source}), key, learner="x", run=run)
    return next(q for q in result.questions if q.slug == question.slug)


def pick(name: str, holds: Callable[[PopularAnswer], bool]) -> PopularAnswer:
    return next(answer for answer in popular(name) if holds(answer))


def weakened(key: Key, slug: str, hidden: str, stored: str) -> Key:
    """`key` with a hidden check that is not good enough."""
    notebook = nbformat.reads(key.text, as_version=4)
    (cell,) = [c for c in notebook.cells if c.id.endswith(f"{slug}-hidden")]
    cell.source, cell.outputs[0].text = hidden, stored
    return replace(key, text=nbformat.writes(notebook))


def test_a_hidden_check_that_loses_the_sign_is_noticed(run, keys):
    key, slug = keys["ex01_chain_rule"], "tanh-chain"
    answer = pick(key.name, lambda a: a.question == slug and a.name == SIGN)
    source = "print('value:', abs(tanh_chain_derivative(0.5, [1.5])))"
    weak = weakened(key, slug, source, "value: 0.8948793\n")
    with pytest.raises(AssertionError, match="earned"):
        must_not_earn(result_of(run, weak, answer), answer)


def test_a_missing_fingerprint_is_noticed(run, keys):
    key = keys["ex03_floats"]
    answer = pick(key.name, lambda a: a.name == "compares with NaN")
    nameless = replace(key, fingerprints=())
    with pytest.raises(AssertionError, match="compares with NaN"):
        must_not_earn(result_of(run, nameless, answer), answer)


def test_a_page_that_tells_too_much_is_noticed(keys):
    key = keys["ex04_vanishing"]
    question = key.exercise.questions[0]
    hidden = key.exercise.cell(question, "hidden")
    values = tuple(printed(hidden).strip().split("\n"))
    blank = refused(b"", key, learner="x", reason="").questions[0]
    result = replace(blank, outcome="error", values=values, error="IndexError: index 7 is out")
    assert not leaks(page_of(key, result), key, question, result)
    longest = max(hidden.source.split("\n"), key=len)
    for told in (values[0], f"It was called as {longest}."):
        loose = replace(result, message=told)
        assert leaks(page_of(key, loose), key, question, loose)
    loose = replace(result, visible="passed", message=f"It raised {result.error}.")
    assert leaks(page_of(key, loose), key, question, loose) == [result.error]


def test_a_right_answer_listed_as_wrong_is_noticed(run, keys):
    key = keys["ex02_backprop"]
    answer = pick(key.name, lambda a: a.kind == "equivalent")
    with pytest.raises(AssertionError, match="earned"):
        must_not_earn(result_of(run, key, answer), answer)
